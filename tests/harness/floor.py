"""A furnished shop outside pytest that is set back to its first morning in milliseconds, with a carrier beside it.

The carrier is either reached over real sockets, or inside the process without any: the same doors, a thousand times
faster, for the programs that live through years. Then waiting costs no time: who would have waited gets no answer."""

from __future__ import annotations

import functools
import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import flask_migrate
import httpx2
import structlog
from flask import Flask
from sqlalchemy import event

from pos import demo
from pos.app import DEMO_PINS, create_app
from pos.carriers.tmforum import TmForum, TmForumKeys
from pos.carriers.wire import Wire
from pos.sandbox import carrier as sandbox_carrier
from pos.sandbox.clock import Clock
from pos.sandbox.doors import answer
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.sandbox.settings import Switches
from pos.sandbox.wire import Delivery, Dropped, Request
from pos.services.kit import Kit
from pos.store import keys
from pos.store.db import db
from tests.conftest import LONDON_NOON, StandingClock, settings_in
from tests.services.shop import Shop, is_open

INSIDE = "http://127.0.0.1:1"
_NO_END = {
    Delivery.CUT: httpx2.ReadError,
    Delivery.DRIP: httpx2.ReadTimeout,
    Delivery.HUGE: httpx2.RemoteProtocolError,
    Delivery.GZIP_BOMB: httpx2.RemoteProtocolError,
    Delivery.ENDLESS_HEADERS: httpx2.RemoteProtocolError,
}


class CarrierClock(Clock):
    """The shop's clock as the carrier reads it, with an offset of the carrier's own (F22)."""

    def __init__(self, clock: StandingClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> datetime:
        now = self._clock.now() + self.offset
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Impatient(sandbox_carrier.Carrier):
    """A carrier inside the process: where it would wait, the caller has long hung up."""

    def wait(self, seconds: float) -> None:
        raise httpx2.ReadTimeout("nobody waits that long")


class Inside(httpx2.BaseTransport):
    """From the adapter's wire to the carrier's doors without a socket. ``is_shut``: the port takes no connection."""

    def __init__(self, carrier: sandbox_carrier.Carrier) -> None:
        self.carrier = carrier
        self.is_shut = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_shut:
            raise httpx2.ConnectError("refused")
        if self.carrier.faults.is_off():
            raise httpx2.ReadError("reset")
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        try:
            found = answer(self.carrier, Request(request.method, unquote(path), query, headers, request.read(), INSIDE))
        except Dropped:
            raise httpx2.ReadError("reset") from None
        if found.delivery in _NO_END:
            raise _NO_END[found.delivery]("no end of the answer")
        return httpx2.Response(found.status, headers=found.headers, content=found.body)


class Beside:
    """Stands where a SandboxServer stands in a test, for a carrier inside the process."""

    url = INSIDE

    def __init__(self, carrier: sandbox_carrier.Carrier) -> None:
        self.carrier = carrier


class Floor(Shop):
    """The verbs of a test's shop, and ``reset``. Both clocks are one: the carrier's only has an offset."""

    def __init__(self, app: Flask, sandbox: Any, clock: StandingClock, folder: Path, template: Path) -> None:
        super().__init__(app, sandbox, clock)
        self._folder, self._template = folder, template
        self.inside = Inside(sandbox.carrier) if isinstance(sandbox, Beside) else None
        self.carrier_name = demo.CARRIER

    @property
    def books(self) -> Any:
        """What the carrier believes."""
        return self.sandbox.carrier.books

    def shut(self) -> None:
        """The carrier's port takes no connection."""
        if self.inside is not None:
            self.inside.is_shut = True
        else:
            self.sandbox.stop()

    def open(self) -> None:
        if self.inside is not None:
            self.inside.is_shut = False
        else:
            self.sandbox.carrier.stopping.clear()
            self.sandbox.start()

    def forget_tokens(self) -> None:
        self.sandbox.carrier.tokens.revoke_all()

    def reset(self, start: datetime = LONDON_NOON, switches: Mapping[str, bool] | None = None, **habits: Any) -> None:
        """Everything as on the first morning: database, clocks, the carrier's books; ``habits`` of TmForumKeys."""
        self.clock.moment = start
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        for ending in ("-wal", "-shm", "-journal"):
            self._folder.joinpath(f"shop.sqlite3{ending}").unlink(missing_ok=True)
        shutil.copy(self._template / "shop.sqlite3", self._folder / "shop.sqlite3")
        if self.inside is None and not is_open(self.sandbox):
            self.sandbox.start()
        self.reset_carrier(switches)
        self.wire_up(**habits)

    def reset_carrier(self, switches: Mapping[str, bool] | None) -> None:
        carrier = self.sandbox.carrier
        carrier.faults.clear()
        carrier.switches = Switches(**(switches or {}))  # type: ignore[arg-type]  # names of habits, all of them yes or no
        carrier.books.reset()
        carrier.books.enforce_unique_refs = carrier.switches.enforce_unique_refs
        carrier.books.atomic_refs = carrier.switches.atomic_refs
        carrier.tokens.revoke_all()
        if self.inside is not None:
            self.inside.is_shut = False

    def wire_up(self, **habits: Any) -> None:
        """A kit whose carrier is configured like this."""
        for carrier in self.kit.carriers.values():
            close = getattr(carrier, "close", None)
            if close is not None and self.inside is None:
                close()
        made = self.adapter(**habits)
        self.app.extensions["simcounter"] = Kit(self.clock, self.kit.keys, {self.carrier_name: made})

    def adapter(self, **habits: Any) -> Any:
        """The shop's side of the wire; its token comes from the usual address, wherever it sells."""
        return adapter(self.sandbox.url, self.clock, self.inside, **habits)

    def pass_time(self, seconds: float) -> None:
        self.clock.pass_time(seconds=seconds)


def client_of(url: str) -> dict[str, str]:
    """How the shop signs in at the sandbox carrier."""
    return {
        "kind": "client_credentials",
        "token_url": f"{url}/oauth/token",
        "client_id": "demo",
        "client_secret": "demo-secret",
    }


def adapter(url: str, clock: StandingClock, transport: httpx2.BaseTransport | None, **habits: Any) -> TmForum:
    """The shop's side of the wire, as the tests' configuration has it (tests/conftest.py) unless ``habits`` says otherwise."""
    usual: dict[str, Any] = {
        "base_url": url,
        "auth": client_of(url),
        "currencies": ("GBP", "HKD"),
        "enforce_unique_refs": True,
        "settle_window_seconds": 30,
        "deadline_seconds": 2.0,
        "kyc_path": "/kyc-match/v0.4",
        "wallet_path": "/wallet",
        "statement_path": "/statement",
    }
    wire = Wire(demo.CARRIER, ssl_context=_trust(), transport=transport)
    return TmForum(TmForumKeys.model_validate(usual | habits), demo.CARRIER, wire=wire, clock=clock.now)


@functools.cache
def _trust() -> ssl.SSLContext:
    """This machine's own authorities, read once: it is what takes longest in a small case."""
    return httpx2.create_ssl_context(trust_env=False)


def furnish(folder: Path) -> Path:
    """A folder with the schema, the demo's stores and people, and the price lists in it."""
    folder.mkdir(parents=True, exist_ok=True)
    keys.make(folder / "keys.json")
    clock = StandingClock(LONDON_NOON - timedelta(days=400))
    inside = Inside(Impatient(clock=CarrierClock(clock)))
    app = create_app(settings_in(folder), clock=clock, given={demo.CARRIER: adapter(INSIDE, clock, inside)})
    with app.app_context():
        flask_migrate.upgrade()
        structlog.reset_defaults()
        demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
        demo.stock(kit=app.extensions["simcounter"])
        db.session.remove()
        db.engine.dispose()
    return folder


@contextmanager
def open_floor(
    folder: Path, template: Path, *, sockets: bool, settings: SandboxSettings | None = None, made: type[Floor] = Floor
) -> Iterator[Floor]:
    """A shop in ``folder`` made like the furnished ``template``. Its database does not wait for the platter: what these
    programs prove is order and sums, and the kill and power tests are other programs."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template / "shop.sqlite3", folder / "shop.sqlite3")
    shutil.copy(template / "keys.json", folder / "keys.json")
    clock = StandingClock()
    kind = sandbox_carrier.Carrier if sockets else Impatient
    carrier = kind(settings or SandboxSettings(), clock=CarrierClock(clock))
    server = SandboxServer()
    server.carrier = carrier
    app = create_app(settings_in(folder), clock=clock, given={})
    with app.app_context():
        event.listen(db.engine, "connect", _careless)
    try:
        if sockets:
            server.start()
        floor = made(app, server if sockets else Beside(carrier), clock, folder, template)
        floor.reset()
        yield floor
    finally:
        server.stop()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        structlog.reset_defaults()


def _careless(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # year, month, day and so on
