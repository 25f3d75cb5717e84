"""Where a machine keeps its books: a SQLite file of its own, or a database of its own in a PostgreSQL server."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, NullPool, create_engine, make_url, text


class Books(Protocol):
    """``rows`` is what stands there, read by somebody else; values stand for the question marks."""

    url: str

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]: ...

    def point_printers_at(self, port: int) -> None: ...


class SqliteFile:
    def __init__(self, path: Path, furnished: Path) -> None:
        self.path, self.url = path, f"sqlite:///{path.as_posix()}"
        shutil.copy(furnished, path)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as file:
            return file.execute(sql, values).fetchall()

    def point_printers_at(self, port: int) -> None:
        with closing(sqlite3.connect(self.path)) as file, file:
            file.execute("update printers set settings = json_set(settings, '$.port', ?)", (port,))


class PostgresqlDatabase:
    """A copy of the furnished one, made by the server itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine = create_engine(url, poolclass=NullPool)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql.replace("?", "%s"), values)]

    def point_printers_at(self, port: int) -> None:
        settings = "jsonb_set(settings::jsonb, '{port}', to_jsonb(%s::int))::json"
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"update printers set settings = {settings}", (port,))


@contextlib.contextmanager
def own_database(server_url: str, copy_of: str | None = None) -> Iterator[str]:
    """An empty database in that server, or a copy of another one that nobody is connected to."""
    name = f"own_{secrets.token_hex(6)}"
    office = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    template = f" template {make_url(copy_of).database}" if copy_of else ""
    with office.connect() as connection:
        connection.execute(text(f"create database {name}{template}"))
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with office.connect() as connection:
            connection.execute(text(f"drop database {name} with (force)"))
