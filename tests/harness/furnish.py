"""A database built by the migrations with the demo's stores, people and prices in it, made once for a proof."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.sandbox.server import SandboxServer
from pos.store import keys
from tests.conftest import StandingClock, _close, _release, settings_in


@contextlib.contextmanager
def furnished_folder() -> Iterator[Path]:
    """``shop.sqlite3`` and ``keys.json``, to be copied."""
    with tempfile.TemporaryDirectory(prefix="furnished-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        keys.make(folder / "keys.json")
        with SandboxServer() as sandbox:
            settings = settings_in(folder, sandbox.url)
            carriers = make_carriers(settings)
            app = create_app(settings, clock=StandingClock(datetime.now(UTC) - timedelta(hours=1)), given=carriers)
            with app.app_context():
                flask_migrate.upgrade()
                demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
                demo.stock(kit=app.extensions["simcounter"])
                _release(app)
            _close(carriers)
        yield folder
