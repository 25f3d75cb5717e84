"""What may stand in a carrier's table of the configuration, checked before the shop opens.

Unknown keys are refused by name: a mistyped ``enforce_unique_refs`` must not quietly change how often we may send."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import httpx2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from pos.carriers.tmforum import TmForum, TmForumSettings
from pos.carriers.tmforum_records import PriceNames
from pos.carriers.tokens import ClientCredentials, StaticBearer
from pos.ports import Reason


class CarrierMisconfigured(ValueError):
    """The table of one carrier is wrong; the text names each wrong key and no value."""


def _address(url: str) -> str:
    """An address without a slash at its end. Tokens and phone numbers leave this machine encrypted or not at all."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be https:// and a host, without query or password")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise ValueError("must be https:// (http:// is for this machine only)")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _path(path: str) -> str:
    if not path.startswith("/") or "?" in path or "#" in path:
        raise ValueError("must be a path that starts with /")
    return path.rstrip("/")


def _about_number(template: str) -> str:
    if "{number}" not in template:
        raise ValueError("must hold {number}")
    return template


def _about_ref(template: str) -> str:
    if "{ref}" not in template:
        raise ValueError("must hold {ref}")
    return template


_Address = Annotated[str, AfterValidator(_address)]
_Path = Annotated[str, AfterValidator(_path)]
_NumberQuery = Annotated[str, AfterValidator(_about_number)]
_RefQuery = Annotated[str, AfterValidator(_about_ref)]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_CONFIG = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ClientCredentialsKeys(BaseModel):
    """OAuth 2 client credentials; ``sent_as`` post for carriers that do not read HTTP Basic."""

    model_config = _CONFIG

    kind: Literal["client_credentials"]
    token_url: _Address
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    sent_as: Literal["basic", "post"] = "basic"


class BearerKeys(BaseModel):
    """One token for good."""

    model_config = _CONFIG

    kind: Literal["bearer"]
    token: SecretStr


class NoAuthKeys(BaseModel):
    """The client certificate, or the line itself, says who we are."""

    model_config = _CONFIG

    kind: Literal["none"]


class TmForumKeys(BaseModel):
    """The keys of a carrier with ``protocol = "tmforum"``; what they mean stands at TmForumSettings.

    Certificates are PEM files: ``ca_file`` when the carrier's authority is not one this machine trusts anyway,
    ``client_certificate_file`` (and ``client_key_file``) for carriers that want mutual TLS."""

    model_config = _CONFIG

    base_url: _Address
    auth: Annotated[ClientCredentialsKeys | BearerKeys | NoAuthKeys, Field(discriminator="kind")]
    currencies: Annotated[tuple[_Currency, ...], Field(min_length=1)]
    enforce_unique_refs: bool = False
    settle_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 180
    deadline_seconds: Annotated[float, Field(gt=0, le=120)] = 20.0
    connect_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    order_action: Literal["add", "modify"] = "add"
    top_ups: bool = True
    product_query: _NumberQuery = "productSerialNumber={number}"
    bucket_query: _NumberQuery = "logicalResource.value={number}"
    order_query: _RefQuery = "externalId={ref}"
    topup_query: _RefQuery = "externalId={ref}"
    catalogue_query: str = ""
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    kyc_path: _Path | None = None
    wallet_path: _Path | None = None
    statement_path: _Path | None = None
    statement_complete_after_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] | None = None
    unasked_patience_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    face_price_name: str = "face"
    cost_price_name: str = "cost"
    error_codes: Mapping[str, Reason] = Field(default_factory=dict)
    operator_name: str | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    ca_file: Path | None = None
    client_certificate_file: Path | None = None
    client_key_file: Path | None = None


def make_tmforum(name: str, settings: Mapping[str, object]) -> TmForum:
    """The adapter for one carrier. Raises CarrierMisconfigured; opens no connection."""
    try:
        keys = TmForumKeys.model_validate(dict(settings))
    except ValidationError as fault:
        # Without its cause: a message with the input in it would carry a secret into the log.
        raise CarrierMisconfigured(_named(name, fault)) from None
    try:
        ssl_context = _ssl_context(keys)
    except (OSError, ssl.SSLError) as fault:
        raise CarrierMisconfigured(f"carrier {name}: a certificate file cannot be used ({fault})") from None
    return TmForum(
        TmForumSettings(
            base_url=keys.base_url,
            auth=_grant(keys.auth),
            currencies=keys.currencies,
            enforce_unique_refs=keys.enforce_unique_refs,
            settle_window=timedelta(seconds=keys.settle_window_seconds),
            deadline_seconds=keys.deadline_seconds,
            connect_seconds=keys.connect_seconds,
            order_action=keys.order_action,
            top_ups=keys.top_ups,
            product_query=keys.product_query,
            bucket_query=keys.bucket_query,
            order_query=keys.order_query,
            topup_query=keys.topup_query,
            catalogue_query=keys.catalogue_query,
            page_size=keys.page_size,
            kyc_path=keys.kyc_path,
            wallet_path=keys.wallet_path,
            statement_path=keys.statement_path,
            statement_complete_after=_seconds(keys.statement_complete_after_seconds),
            unasked_patience=timedelta(seconds=keys.unasked_patience_seconds),
            price_names=PriceNames(face=keys.face_price_name, cost=keys.cost_price_name),
            error_codes=keys.error_codes,
            operator_name=keys.operator_name,
            country=keys.country,
            ssl_context=ssl_context,
        ),
        name,
    )


def _seconds(told: int | None) -> timedelta | None:
    return None if told is None else timedelta(seconds=told)


def _grant(auth: ClientCredentialsKeys | BearerKeys | NoAuthKeys) -> ClientCredentials | StaticBearer | None:
    if isinstance(auth, ClientCredentialsKeys):
        secret = auth.client_secret.get_secret_value()
        return ClientCredentials(auth.token_url, auth.client_id, secret, auth.scope, auth.sent_as)
    if isinstance(auth, BearerKeys):
        return StaticBearer(auth.token.get_secret_value())
    return None


def _ssl_context(keys: TmForumKeys) -> ssl.SSLContext | None:
    """None where the machine's own trust is enough. Raises OSError, which SSLError is too."""
    if keys.ca_file is None and keys.client_certificate_file is None:
        return None
    if keys.ca_file is not None:
        context = ssl.create_default_context(cafile=str(keys.ca_file))
    else:
        context = httpx2.create_ssl_context(trust_env=False)
    if keys.client_certificate_file is not None:
        context.load_cert_chain(keys.client_certificate_file, keys.client_key_file)
    return context


def _named(name: str, fault: ValidationError) -> str:
    """Each wrong key with what is wrong about it, in one sentence."""
    told = []
    for error in fault.errors(include_input=False, include_url=False, include_context=False):
        key = ".".join(str(part) for part in error["loc"] if part not in ("client_credentials", "bearer", "none"))
        what = "is not a key of this protocol" if error["type"] == "extra_forbidden" else error["msg"]
        told.append(f"{key or 'the table'}: {what}")
    return f"carrier {name}: " + "; ".join(told)
