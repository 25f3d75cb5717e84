"""A furnished shop on SQLite or PostgreSQL, in real time, with contenders that wait for the signal."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import flask_migrate
from pydantic import SecretStr

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.clock import RealClock
from pos.config import Database
from pos.sandbox.server import SandboxServer
from pos.store import keys
from tests.conftest import StandingClock, _close, _release, settings_in
from tests.engines import own_server
from tests.harness.contenders import Contenders
from tests.harness.databases import own_database
from tests.services.shop import Shop

ENGINES = ("sqlite", "postgresql")
MOST_PROCESSES = 4


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
        keys.make(folder / "keys.json")
        sandbox = stack.enter_context(SandboxServer())
        settings = settings_in(folder, sandbox.url)
        if engine == "postgresql":
            url = stack.enter_context(own_database(stack.enter_context(own_server())))
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
