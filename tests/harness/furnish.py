"""A database built by the migrations with the demo's stores, people and prices in it, made once for a proof."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate
from pydantic import SecretStr

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Database
from pos.sandbox.server import SandboxServer
from pos.store import keys
from tests.conftest import StandingClock, _close, _release, settings_in
from tests.engines import own_server
from tests.harness.databases import Books, PostgresqlDatabase, own_database


@contextlib.contextmanager
def furnished_folder(database_url: str | None = None) -> Iterator[Path]:
    """``shop.sqlite3`` and ``keys.json``, to be copied; with an address, that (empty) database is furnished instead."""
    with tempfile.TemporaryDirectory(prefix="furnished-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        keys.make(folder / "keys.json")
        with SandboxServer() as sandbox:
            settings = settings_in(folder, sandbox.url)
            if database_url is not None:
                settings = settings.model_copy(update={"database": Database(url=SecretStr(database_url))})
            carriers = make_carriers(settings)
            app = create_app(settings, clock=StandingClock(datetime.now(UTC) - timedelta(hours=1)), given=carriers)
            with app.app_context():
                flask_migrate.upgrade()
                demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
                demo.stock(kit=app.extensions["simcounter"])
                _release(app)
            _close(carriers)
        yield folder


@dataclass(frozen=True)
class Furnished:
    """What the machines of a proof copy: a folder, and for PostgreSQL a database beside it."""

    folder: Path
    server_url: str | None = None
    database_url: str | None = None

    @contextlib.contextmanager
    def copy(self) -> Iterator[Books | None]:
        """Books of one machine; None for a file in its folder."""
        if self.server_url is None:
            yield None
            return
        with own_database(self.server_url, self.database_url) as url:
            yield PostgresqlDatabase(url)


@contextlib.contextmanager
def furnished_on(engine: str) -> Iterator[Furnished]:
    """Raises NoPostgresql."""
    with contextlib.ExitStack() as stack:
        if engine == "sqlite":
            yield Furnished(stack.enter_context(furnished_folder()))
            return
        server = stack.enter_context(own_server())
        database = stack.enter_context(own_database(server))
        yield Furnished(stack.enter_context(furnished_folder(database)), server, database)
