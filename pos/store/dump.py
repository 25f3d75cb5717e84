"""All rows of a database as lines, and back again, on either engine. The tables are asked of the database itself, not of the
classes: a backup of an older version is read with the tables that it was written with."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.schema import AddConstraint, DropConstraint
from sqlalchemy.types import JSON

VERSION_TABLE = "alembic_version"
_AT_ONCE = 500


class NotOurs(Exception):
    """The lines do not fit the tables."""


def tables(connection: Connection) -> list[Table]:
    """The tables as they are, without Alembic's own."""
    found = MetaData()
    found.reflect(connection)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True  # what says nothing stays without a value
    return [found.tables[name] for name in sorted(found.tables) if name != VERSION_TABLE]


def revision(connection: Connection) -> str:
    return str(connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608 - a constant


def is_empty(connection: Connection) -> bool:
    """Whether no table has a row."""
    return all(connection.execute(select(text("1")).select_from(table).limit(1)).first() is None for table in tables(connection))


def lines(connection: Connection) -> Iterator[str]:
    """Each table's name and columns, then a line for each row, and how many there were. Memory: a page of rows."""
    for table in tables(connection):
        columns = list(table.columns)
        yield json.dumps({"table": table.name, "columns": [column.name for column in columns]})
        count = 0
        chosen = select(*columns).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
        for row in connection.execute(chosen):
            count += 1
            yield json.dumps([_told(value, column) for value, column in zip(row, columns, strict=True)], ensure_ascii=False)
        yield json.dumps({"end": table.name, "rows": count})


def load(connection: Connection, told: Iterator[str]) -> int:
    """Write the lines into empty tables of the same version; how many rows there were. Raises NotOurs."""
    known = {table.name: table for table in tables(connection)}
    referring = [key for table in known.values() for key in table.foreign_key_constraints]
    server = connection.dialect.name == "postgresql"
    if server:  # rows refer to rows that come later
        for key in referring:
            connection.execute(DropConstraint(key))
    total = sum(_load_table(connection, known, line, told) for line in told)
    if server:
        for key in referring:
            connection.execute(AddConstraint(key))
        for table in known.values():
            _count_on(connection, table)
    elif connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise NotOurs("rows refer to rows that are not there")
    return total


def _load_table(connection: Connection, known: dict[str, Table], line: str, told: Iterator[str]) -> int:
    head = json.loads(line)
    table = known.get(head["table"]) if isinstance(head, dict) else None
    if table is None or set(head["columns"]) != set(table.columns.keys()):
        raise NotOurs("the tables are others than those of the version that it names")
    columns = [table.columns[name] for name in head["columns"]]
    waiting: list[dict[str, Any]] = []
    for count, row in enumerate(told):
        values = json.loads(row)
        if isinstance(values, dict):
            if waiting:
                connection.execute(insert(table), waiting)
            if values != {"end": table.name, "rows": count}:
                raise NotOurs(f"{table.name}: rows are missing")
            return count
        waiting.append({column.name: _meant(value, column, connection) for value, column in zip(values, columns, strict=True)})
        if len(waiting) == _AT_ONCE:
            connection.execute(insert(table), waiting)
            waiting = []
    raise NotOurs(f"{table.name}: its end is missing")


def _count_on(connection: Connection, table: Table) -> None:
    """A server numbers new rows by itself: from behind the last one on."""
    for column in table.primary_key.columns:
        if isinstance(column.type, Integer):
            counter = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
            last = connection.scalar(select(func.max(column)))
            if counter and last:
                connection.execute(select(func.setval(counter, last)))


def _told(value: object, column: Column[Any]) -> object:
    if value is None:
        return None
    if isinstance(column.type, JSON):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (bytes, memoryview)):
        return b64encode(bytes(value)).decode()
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _meant(value: Any, column: Column[Any], connection: Connection) -> object:
    if value is None:
        return None
    kind = column.type
    if isinstance(kind, JSON):
        return json.loads(value)
    if isinstance(kind, LargeBinary):
        return b64decode(value)
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value)
        return moment if connection.dialect.name == "postgresql" else moment.replace(tzinfo=None)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return bool(value) if isinstance(kind, Boolean) else value
