"""What may stand in a carrier's table of the configuration, checked before the shop opens: the parts that protocols share.

Unknown keys are refused by name: a mistyped ``enforce_unique_refs`` must not quietly change how often we may send."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import httpx2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from pos.carriers.tokens import ClientCredentials, StaticBearer
from pos.carriers.wire import Wire


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


Address = Annotated[str, AfterValidator(_address)]
UrlPath = Annotated[str, AfterValidator(_path)]
NumberQuery = Annotated[str, AfterValidator(_about_number)]
RefQuery = Annotated[str, AfterValidator(_about_ref)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
_CONFIG = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Table(BaseModel):
    """A table of the configuration: unknown keys are refused, values never stand in an error."""

    model_config = _CONFIG


class ClientCredentialsKeys(Table):
    """OAuth 2 client credentials; ``sent_as`` post for carriers that do not read HTTP Basic."""

    kind: Literal["client_credentials"]
    token_url: Address
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    sent_as: Literal["basic", "post"] = "basic"


class BearerKeys(Table):
    """One token for good."""

    kind: Literal["bearer"]
    token: SecretStr


class NoAuthKeys(Table):
    """The client certificate, or the line itself, says who we are."""

    kind: Literal["none"]


class CarrierKeys(Table):
    """What every carrier's table may hold. Certificates are PEM files: ``ca_file`` when the carrier's authority is not one
    this machine trusts anyway, ``client_certificate_file`` (and ``client_key_file``) for mutual TLS."""

    base_url: Address
    settle_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 180
    deadline_seconds: Annotated[float, Field(gt=0, le=120)] = 20.0
    connect_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    statement_complete_after_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] | None = None
    unasked_patience_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    ca_file: Path | None = None
    client_certificate_file: Path | None = None
    client_key_file: Path | None = None

    @property
    def settle_window(self) -> timedelta:
        return timedelta(seconds=self.settle_window_seconds)

    @property
    def statement_complete_after(self) -> timedelta | None:
        told = self.statement_complete_after_seconds
        return None if told is None else timedelta(seconds=told)

    @property
    def unasked_patience(self) -> timedelta:
        return timedelta(seconds=self.unasked_patience_seconds)


class ResellerKeys(CarrierKeys):
    """What the table of a reseller of many operators may hold beside that.

    ``countries`` (ISO 3166 alpha-2) and ``operators`` (the reseller's own ids) narrow a catalogue of ten thousands to what
    this shop sells; ``amounts`` are the denominations that a product with a range of amounts is offered in, in whole units
    of its currency."""

    currency: Currency
    countries: Annotated[tuple[Country, ...], Field(min_length=1)]
    operators: tuple[str, ...] = ()
    amounts: Annotated[tuple[Annotated[int, Field(gt=0, le=1000)], ...], Field(min_length=1, max_length=20)] = (5, 10, 20, 30, 50)
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100


Keys = TypeVar("Keys", bound=CarrierKeys)


def checked(keys: type[Keys], name: str, settings: Mapping[str, object]) -> Keys:
    """The table of carrier ``name`` as ``keys``. Raises CarrierMisconfigured."""
    try:
        return keys.model_validate(dict(settings))
    except ValidationError as fault:
        # Without its cause: a message with the input in it would carry a secret into the log.
        raise CarrierMisconfigured(_named(name, fault)) from None


def grant_of(auth: ClientCredentialsKeys | BearerKeys | NoAuthKeys) -> ClientCredentials | StaticBearer | None:
    if isinstance(auth, ClientCredentialsKeys):
        secret = auth.client_secret.get_secret_value()
        return ClientCredentials(auth.token_url, auth.client_id, secret, auth.scope, auth.sent_as)
    if isinstance(auth, BearerKeys):
        return StaticBearer(auth.token.get_secret_value())
    return None


def wire_of(name: str, keys: CarrierKeys, transport: httpx2.BaseTransport | None = None) -> Wire:
    """The road to carrier ``name`` with its certificates; ``transport`` is for tests. Raises CarrierMisconfigured; opens no
    connection."""
    try:
        context = _ssl_context(keys)
    except (OSError, ssl.SSLError) as fault:
        raise CarrierMisconfigured(f"carrier {name}: a certificate file cannot be used ({fault})") from None
    return Wire(name, connect_seconds=keys.connect_seconds, ssl_context=context, transport=transport)


def _ssl_context(keys: CarrierKeys) -> ssl.SSLContext | None:
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
        # Of the ways to sign in, the one that was chosen stands between ``auth`` and its key, and is none itself.
        place = [str(part) for part in error["loc"]]
        key = ".".join(place[:1] + place[2:] if place[:1] == ["auth"] and len(place) > 2 else place)
        what = "is not a key of this protocol" if error["type"] == "extra_forbidden" else error["msg"]
        told.append(f"{key or 'the table'}: {what}")
    return f"carrier {name}: " + "; ".join(told)
