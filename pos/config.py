"""Frozen settings from one TOML file. An unknown key stops the start, and the sentence names it. ``config.example.toml`` is the
manual."""

from __future__ import annotations

import codecs
import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from pos.domain.documents import DocumentPolicy, DocumentType
from pos.domain.identity_rules import DOCUMENTS, Allowance, IdentityRules, Rulebook
from pos.domain.receipt_mails import is_address
from pos.domain.settlement_files import COLUMNS, Profile
from pos.domain.settlements import Direction, Kind

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ConfigUnusable(Exception):
    """The file is missing, unreadable or wrong; the message is for the person who installs."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Database(_Part):
    url: SecretStr


class Server(_Part):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    threads: int = Field(default=8, ge=1, le=64)
    trusted_hosts: tuple[str, ...] = ()
    secure_cookies: bool = True
    longest_body_kilobytes: int = Field(default=256, ge=16, le=10_240)


class Security(_Part):
    key_ring: Path


class Worker(_Part):
    in_server: bool = True
    threads: int = Field(default=3, ge=1, le=32)
    name: str = "worker"


class Receipts(_Part):
    # A PNG; one that is missing or damaged is said at the start, and receipts go on without it.
    logo_file: str | None = None
    # Room for the signed part beside it: the code must scan from 58 mm paper.
    public_url: str = Field(default="", max_length=80, pattern=r"^(https?://[^\s?#]+)?$")


class Mail(_Part):
    """Empty ``host``: no receipts by e-mail."""

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    encryption: str = Field(default="starttls", pattern="^(tls|starttls|none)$")
    sender: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=20, gt=0, le=60)
    ca_file: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Mail:
        if self.host and not is_address(self.sender):
            raise ValueError("mail.sender needs an e-mail address of the shop")
        if self.encryption == "none" and self.host not in ("", *LOOPBACK):
            raise ValueError("mail.encryption none is for a mail server on this machine only: everybody else could read along")
        return self


class Settlement(_Part):
    """How one partner writes its files; pos.domain.settlement_files says what each of them means."""

    direction: Direction
    kind: str = Field(default="csv", pattern="^(csv|camt)$")
    carrier: str = Field(default="", max_length=40)
    currency: str = Field(default="GBP", pattern="^[A-Z]{3}$")
    zone: str = "UTC"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: str = Field(default=".", pattern="^[.,]$")
    date_format: str = "%Y-%m-%d"
    time_format: str = "%H:%M:%S"
    columns: dict[str, str] = {}
    words: dict[str, Kind] = {}
    trailer: str = ""
    only: tuple[str, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone; write it as in Europe/London") from None
        return zone

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError("no such encoding; usual ones are utf-8, gb18030, windows-1252") from None
        return encoding

    @model_validator(mode="after")
    def _readable(self) -> Settlement:
        if unknown := sorted(set(self.columns) - set(COLUMNS)):
            raise ValueError(f"columns knows no {', '.join(unknown)}; it knows {', '.join(COLUMNS)}")
        if self.kind == "csv" and not {"date", "amount"} <= set(self.columns):
            raise ValueError("columns needs at least date and amount")
        if (self.direction is Direction.CARRIER) != bool(self.carrier):
            raise ValueError("carrier is the name of the carrier whose statement this is, and of nothing else")
        return self

    def profile(self, name: str) -> Profile:
        words = {word.casefold(): kind for word, kind in self.words.items()}
        taken = self.model_dump(exclude={"carrier", "words"})
        return Profile(name=name, source=self.carrier or name, words=words, **taken)


class Logging(_Part):
    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")


class Backup(_Part):
    # How many proven backups of a folder stay; the oldest go.
    keep: int = Field(default=30, ge=1, le=10_000)
    # `pos doctor` says so when the newest one is older.
    most_hours: int = Field(default=26, ge=1, le=8760)


class Identity(_Part):
    """What every store asks of the check of a person; pos.domain.identity_rules says what each of them means."""

    accepted: dict[str, tuple[DocumentType, ...]] = {}
    otherwise: tuple[DocumentType, ...] = (DocumentType.PASSPORT,)
    youngest: int = Field(default=0, ge=0, le=120)
    grace_days: int = Field(default=0, ge=0, le=3650)
    warn_days: int = Field(default=30, ge=0, le=365)
    skipped: Allowance = Allowance.REFUSED
    typed: Allowance = Allowance.ALLOWED
    expired: Allowance = Allowance.REFUSED
    anothers_number: Allowance = Allowance.ALLOWED
    other_owner: Allowance = Allowance.ALLOWED
    most_of_document: int = Field(default=0, ge=0)
    most_of_number: int = Field(default=0, ge=0)
    most_of_clerk: int = Field(default=0, ge=0)
    keep_digest: bool = True
    evidence_days: int = Field(default=180, ge=1)
    numbers_days: int = Field(default=730, ge=1)

    def rules(self) -> IdentityRules:
        """Raises ValueError for a country that is none."""
        accepted = {issuer: frozenset(types) for issuer, types in self.accepted.items()} or DOCUMENTS.accepted
        return IdentityRules(
            documents=DocumentPolicy(
                accepted=accepted,
                otherwise=frozenset(self.otherwise),
                grace_days=self.grace_days,
                warn_days=self.warn_days,
                youngest=self.youngest,
            ),
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
        )


_AS_THEY_ARE = tuple(name for name in IdentityRules.__dataclass_fields__ if name in Identity.model_fields)


class Settings(_Part):
    demo: bool = False
    paper_page: str | None = None
    database: Database
    server: Server = Server()
    security: Security
    worker: Worker = Worker()
    receipts: Receipts = Receipts()
    mail: Mail = Mail()
    logging: Logging = Logging()
    backup: Backup = Backup()
    identity: Identity = Identity()
    # Store code -> what differs there from the rules for all.
    identity_at: dict[str, dict[str, object]] = {}
    # Each carrier's own table is checked by its adapter, which knows the keys of its protocol.
    carriers: dict[str, dict[str, object]] = {}
    # Name -> how the files of an acquirer, a bank or a carrier are read.
    settlements: dict[str, Settlement] = {}
    # Carrier -> the secret part of the address that it calls.
    hooks: dict[str, SecretStr] = {}

    @field_validator("hooks")
    @classmethod
    def _long_secrets(cls, hooks: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in hooks.items():
            if not re.fullmatch(r"[A-Za-z0-9_-]{32,}", secret.get_secret_value()):
                raise ValueError(
                    f"the secret of {name} needs at least 32 letters and digits: it is all that stands before the door"
                )
        return hooks

    def profiles(self) -> dict[str, Profile]:
        return {name: settlement.profile(name) for name, settlement in self.settlements.items()}

    def rulebook(self) -> Rulebook:
        """Raises ValueError (pydantic's is one) for a key, a country or a figure that cannot be."""
        usual = self.identity.model_dump(exclude_unset=True)
        stores = {code: Identity.model_validate(usual | other).rules() for code, other in self.identity_at.items()}
        return Rulebook(self.identity.rules(), stores)


def load(path: Path) -> Settings:
    """Raises ConfigUnusable with every wrong key in one sentence each; paths in the file are relative to the file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigUnusable(f"There is no configuration at {path}. Copy config.example.toml there and fill it in.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ConfigUnusable(f"The configuration {path} cannot be read: {fault}") from None
    try:
        settings = Settings.model_validate(content)
        settings.rulebook()
    except ValidationError as fault:
        wrong = [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in fault.errors()]
        raise ConfigUnusable(f"The configuration {path} is wrong at " + "; ".join(wrong)) from None
    except ValueError as fault:
        raise ConfigUnusable(f"The configuration {path} is wrong at identity: {fault}") from None
    if settings.demo and settings.server.host not in LOOPBACK:
        raise ConfigUnusable("The demo has known PINs and listens on this machine only: set server.host to 127.0.0.1.")
    here = path.resolve().parent
    return settings.model_copy(
        update={
            "security": settings.security.model_copy(update={"key_ring": here / settings.security.key_ring}),
            "receipts": settings.receipts.model_copy(update=_with_files({"logo_file": settings.receipts.logo_file}, here)),
            "mail": settings.mail.model_copy(update=_with_files({"ca_file": settings.mail.ca_file}, here)),
            "database": Database(url=SecretStr(_placed(settings.database.url.get_secret_value(), here))),
            "carriers": {name: _with_files(table, here) for name, table in settings.carriers.items()},
        }
    )


_SQLITE = "sqlite:///"


def _placed(url: str, here: Path) -> str:
    """A SQLite file's address with its whole path: left alone, the framework would look for it beside the installed program."""
    name, query = url.removeprefix(_SQLITE).partition("?")[::2]
    if not url.startswith(_SQLITE) or name in ("", ":memory:"):
        return url
    return _SQLITE + (here / name).as_posix() + (f"?{query}" if query else "")


def _with_files(table: dict[str, object], here: Path) -> dict[str, object]:
    """Certificates lie beside the configuration like everything else that it names."""
    files = {key: str(here / value) for key, value in table.items() if key.endswith("_file") and isinstance(value, str) and value}
    return table | files
