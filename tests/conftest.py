"""The whole shop for a test: a database built by the migrations, the sandbox over real HTTP, a clock that stands still."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
import structlog
from flask import Flask

from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Settings
from pos.ports import Carrier
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.services.kit import Kit
from pos.store import keys
from tests.counter import Counter

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


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file made by the migrations, once; each test gets a copy."""
    import flask_migrate

    folder = tmp_path_factory.mktemp("schema")
    keys.make(folder / "keys.json")
    app = create_app(settings_in(folder), given={})
    with app.app_context():
        flask_migrate.upgrade()
        _release(app)
    return folder / "shop.sqlite3"


def settings_in(folder: Path, carrier_url: str | None = None, habits: dict[str, object] | None = None) -> Settings:
    """The configuration of a test's shop; ``habits`` is what the carrier's table says otherwise than usual."""
    content: dict[str, object] = {
        "demo": True,
        "database": {"url": f"sqlite:///{(folder / 'shop.sqlite3').as_posix()}"},
        "server": {"secure_cookies": False, "port": 0},
        "security": {"key_ring": str(folder / "keys.json")},
        "logging": {"level": "error"},
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
def furnished(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A copy of the schema with the demo's stores, people and price lists in it, made once."""
    from pos import demo

    folder = tmp_path_factory.mktemp("furnished")
    shutil.copy(empty_database, folder / "shop.sqlite3")
    shutil.copy(empty_database.parent / "keys.json", folder / "keys.json")
    with SandboxServer(SandboxSettings(), state=None, port=0) as server:
        settings = settings_in(folder, server.url)
        app = create_app(settings, clock=StandingClock(LONDON_NOON - timedelta(hours=1)), given=make_carriers(settings))
        with app.app_context():
            demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
            demo.stock(kit=app.extensions["simcounter"])
            _release(app)
        _close(app.extensions["simcounter"].carriers)
    return folder


@pytest.fixture
def folder(tmp_path: Path, furnished: Path) -> Path:
    """This test's own files: database and key ring."""
    shutil.copy(furnished / "shop.sqlite3", tmp_path / "shop.sqlite3")
    shutil.copy(furnished / "keys.json", tmp_path / "keys.json")
    return tmp_path


@pytest.fixture
def carrier_habits() -> dict[str, object]:
    """What the configuration says of this test's carrier otherwise than usual; parametrize it to change it."""
    return {}


@pytest.fixture
def app(folder: Path, sandbox: SandboxServer, clock: StandingClock, carrier_habits: dict[str, object]) -> Iterator[Flask]:
    settings = settings_in(folder, sandbox.url, carrier_habits)
    made = create_app(settings, clock=clock, given=make_carriers(settings))
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


def pytest_configure() -> None:
    warnings.filterwarnings("ignore", category=ResourceWarning, module="sqlite3")
