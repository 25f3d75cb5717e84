"""The whole shop for a test: a database of each kind built by the migrations, the sandbox over real HTTP, a clock that stands still."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
import structlog
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Settings
from pos.ports import Carrier
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.services.kit import Kit
from pos.store import keys
from tests.counter import Counter
from tests.day import day
from tests.engines import BOTH, SQLITE, Engine, Postgresql, Sqlite, address_in, copy_shop, postgresql

Made = TypeVar("Made")

LONDON_NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


# Two cores shared with a browser and a server process: how long an example takes says nothing about the code.
hypothesis.settings.register_profile("shop", deadline=None)
hypothesis.settings.load_profile("shop")


@pytest.fixture(autouse=True)
def quiet_start() -> None:
    """An application sets the log level for the whole process; each test starts without it."""
    structlog.reset_defaults()


class StandingClock:
    """Stands still until told. The carrier's clock is its own, as in life."""

    def __init__(self, moment: datetime = LONDON_NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def pass_time(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


def pytest_report_header() -> str:
    return f"sample of {day()} (POS_TEST_DAY replays a day)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Twice the suite would be twice the coffee: by itself a run tries each test on one of its two databases, the other one on
    the next day (``POS_TEST_DAY`` replays a day). ``POS_TEST_ENGINES=both`` tries both, as does a test that is named on the command line."""
    if os.environ.get("POS_TEST_ENGINES") == "both" or any("::" in str(named) for named in config.args):
        return
    today = day().toordinal()
    kept, left = [], []
    for item in items:
        if not _is_of_the_sample(item, today):
            left.append(item)
            continue
        chosen = getattr(getattr(item, "callspec", None), "params", {}).get("engine")
        said = item.get_closest_marker("engines")
        if chosen is None or said or "journeys" in item.path.parts or chosen == _turn_of(item, chosen, today):
            kept.append(item)
        else:
            left.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def _is_of_the_sample(item: pytest.Item, today: int) -> bool:
    """Long tables of cases are gone through in ``sampled(days)`` days, a part of them each day."""
    sampled = item.get_closest_marker("sampled")
    return sampled is None or (zlib.crc32(item.nodeid[::-1].encode()) + today) % sampled.args[0] == 0


def _turn_of(item: pytest.Item, chosen: str, today: int) -> str:
    """The database whose turn it is: half of the tests each day, and the same ones for every worker of a run."""
    name = item.nodeid.replace(chosen, "")
    return BOTH[(zlib.crc32(name.encode()) + today) % 2]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What needs a database runs on both. A journey is the shop's own PC: SQLite, and one journey of its own on PostgreSQL."""
    if "engine" in metafunc.fixturenames:
        said = metafunc.definition.get_closest_marker("engines")
        alone = "journeys" in metafunc.definition.path.parts
        metafunc.parametrize("engine", said.args if said else (SQLITE,) if alone else BOTH, indirect=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Postgresql]:
    with postgresql() as engine:
        yield engine


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """The kind of database that this test runs on."""
    return Sqlite() if request.param == SQLITE else request.getfixturevalue("postgresql_server")


@pytest.fixture(scope="session")
def on_each(tmp_path_factory: pytest.TempPathFactory) -> OnEach:
    return OnEach(tmp_path_factory)


class OnEach:
    """What is made once for each kind of database, when the first test asks for it. ``make`` fills a new folder; the copies
    that tests get of it are made while nobody is connected."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._made: dict[tuple[str, str], Any] = {}

    def once(self, engine: Engine, what: str, make: Callable[[Path], Made]) -> Made:
        key = (engine.name, what)
        if key not in self._made:
            self._made[key] = make(self._folders.mktemp(f"{what}-{engine.name}"))
        made: Made = self._made[key]
        return made


# How the test's acquirer and bank write their files.
SETTLEMENTS: dict[str, object] = {
    "cards": {
        "direction": "card",
        "zone": "Europe/London",
        "columns": {"date": "Date", "time": "Time", "amount": "Amount", "fee": "Fee", "reference": "Auth", "last4": "Card"},
        "trailer": "TOTAL",
    },
    "bank": {"direction": "bank", "kind": "camt", "zone": "Europe/London", "only": ["Acquirer"]},
}


def settings_in(folder: Path, carrier_url: str | None = None, habits: dict[str, object] | None = None) -> Settings:
    """The configuration of a test's shop; ``habits`` is what the carrier's table says otherwise than usual."""
    content: dict[str, object] = {
        "demo": True,
        "database": {"url": address_in(folder)},
        "server": {"secure_cookies": False, "port": 0},
        "security": {"key_ring": str(folder / "keys.json")},
        "receipts": {"public_url": "https://r.shop.example"},
        "logging": {"level": "error"},
        "settlements": SETTLEMENTS,
    }
    if carrier_url is not None:
        content["carriers"] = {
            "sandbox": {
                "protocol": "tmforum",
                "base_url": carrier_url,
                "currencies": ["GBP", "HKD"],
                "enforce_unique_refs": True,
                "deadline_seconds": 2.0,
                "settle_window_seconds": 30,
                "kyc_path": "/kyc-match/v0.4",
                "wallet_path": "/wallet",
                "statement_path": "/statement",
                "auth": {
                    "kind": "client_credentials",
                    "token_url": f"{carrier_url}/oauth/token",
                    "client_id": "demo",
                    "client_secret": "demo-secret",
                },
                **(habits or {}),
            }
        }
    return Settings.model_validate(content)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """The carrier simulator, and in ``sandbox.carrier.books`` the judge of every test. Its clock is set by the shop's: a
    statement of another day would not speak of this test's sales."""
    with SandboxServer(SandboxSettings(late_seconds=3.0, pending_seconds=20.0), state=None, port=0) as server:
        server.carrier.books.move_clock((LONDON_NOON - datetime.now(UTC)).total_seconds())
        yield server


@pytest.fixture(scope="session")
def furnished(on_each: OnEach) -> Path:
    """A shop on SQLite with the demo's stores, people and price lists in it, made once. Copy it."""
    return furnish(on_each, Sqlite())


def furnish(on_each: OnEach, engine: Engine) -> Path:
    """The same on any kind of database: schema by the migrations, then the demo's stores, people and price lists."""

    def make(folder: Path) -> Path:
        import flask_migrate

        from pos import demo

        keys.make(folder / "keys.json")
        engine.make(folder)
        with SandboxServer(SandboxSettings(), state=None, port=0) as server:
            settings = settings_in(folder, server.url)
            app = create_app(settings, clock=StandingClock(LONDON_NOON - timedelta(hours=1)), given=make_carriers(settings))
            with app.app_context():
                flask_migrate.upgrade()
                demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
                demo.stock(kit=app.extensions["simcounter"])
                _release(app)
            _close(app.extensions["simcounter"].carriers)
        return folder

    return on_each.once(engine, "furnished", make)


@pytest.fixture
def folder(tmp_path: Path, engine: Engine, on_each: OnEach) -> Iterator[Path]:
    """This test's own database and key ring."""
    copy_shop(engine, furnish(on_each, engine), tmp_path)
    yield tmp_path
    engine.drop(tmp_path)


@pytest.fixture
def carrier_habits() -> dict[str, object]:
    """What the configuration says of this test's carrier otherwise than usual; parametrize it to change it."""
    return {}


@pytest.fixture
def app(folder: Path, sandbox: SandboxServer, clock: StandingClock, carrier_habits: dict[str, object]) -> Iterator[Flask]:
    settings = settings_in(folder, sandbox.url, carrier_habits)
    made = create_app(settings, clock=clock, given=make_carriers(settings))
    _remember(made)
    yield made
    with made.app_context():
        _release(made)
    _close(made.extensions["simcounter"].carriers)


@pytest.fixture
def kit(app: Flask) -> Kit:
    found = app.extensions["simcounter"]
    assert isinstance(found, Kit)
    return found


@pytest.fixture
def counter(app: Flask) -> Counter:
    """A clerk at London's first till, through the real screens."""
    return Counter(app)


_ENGINES: dict[str, Any] = {}


class Compiled(BytecodeCache):
    """Templates as the first application of this process compiled them, by their text."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_TEMPLATES = Compiled()


def _remember(app: Flask) -> None:
    """Every test has an application and an engine of its own, and each would compile the same templates and turn the same
    statements into SQL anew, which is half of what such a test costs: they share what the first one has worked out."""
    from pos.store.db import db

    app.jinja_env.bytecode_cache = _TEMPLATES
    with app.app_context():
        engine = db.engine
        with engine.connect():  # an engine learns its server's version with its first connection
            first = _ENGINES.setdefault(engine.dialect.name, engine)
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


def _release(app: Flask) -> None:
    from pos.store.db import db

    db.session.remove()
    db.engine.dispose()
    # The application sets the log level for the whole process; the next test starts without it.
    structlog.reset_defaults()


def _close(carriers: dict[str, Carrier] | object) -> None:
    if isinstance(carriers, dict):
        for carrier in carriers.values():
            close = getattr(carrier, "close", None)
            if close is not None:
                close()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engines(name, ...): the kinds of database that a test is about; both unless it says so")
    warnings.filterwarnings("ignore", category=ResourceWarning, module="sqlite3")
