"""Compare each row that money hangs on with what the journal sealed when the row was written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, select, tuple_, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NULLTYPE

from pos.store import journal as journal_rows
from pos.store import witness

# What people call a row whose number alone says nothing; the others are called by their table.
_NOUNS = {"sales": "sale", "renewals": "renewal", "shifts": "shift", "payments": "payment", "refunds": "refund"}
_NOUNS |= {"ledger_transfers": "ledger row", "attempts": "attempt"}
_NUMBERED = {"receipts": "receipt {number}", "z_reports": "{number}"}
_BATCH = 2000
# What a forged column does to whoever reads it.
UNREADABLE = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)


def compare(session: Session) -> Iterator[str]:
    """A sentence for each row that is not as it was sealed, was never sealed, or is gone. Memory stays small: what the
    journal says is gathered in a temporary file of SQLite, whatever engine the shop has."""
    with closing(sqlite3.connect("")) as gathered:
        gathered.execute("PRAGMA synchronous = OFF")
        gathered.execute("CREATE TABLE said (row TEXT, digest TEXT, times INTEGER, PRIMARY KEY (row, digest)) WITHOUT ROWID")
        _gather(session, gathered)
        for table in witness.tables():
            yield from _compare(session, table, gathered)
        for (name,) in gathered.execute("SELECT DISTINCT row FROM said WHERE times > 0 ORDER BY row"):
            table_name, _, row_id = name.partition(":")
            yield f"{_NOUNS.get(table_name, table_name)} {row_id}: it was written and is gone"


def _gather(session: Session, gathered: sqlite3.Connection) -> None:
    """Each change is an edge from one digest to the next. What a row must say now is the one digest that more edges reach
    than leave, in whatever order the chains are read."""
    add = "INSERT INTO said VALUES (?, ?, ?) ON CONFLICT (row, digest) DO UPDATE SET times = times + excluded.times"
    waiting: list[tuple[str, str, int]] = []
    chosen = select(journal_rows.JournalRow.content).where(journal_rows.JournalRow.kind == witness.KIND)
    for content in session.scalars(chosen.execution_options(yield_per=_BATCH)):
        for name, was, becomes in _sealed(content):
            waiting.append((name, becomes, 1))
            if was:
                waiting.append((name, was, -1))
        if len(waiting) > _BATCH:
            gathered.executemany(add, waiting)
            waiting.clear()
    gathered.executemany(add, waiting)
    gathered.execute("DELETE FROM said WHERE times <= 0")


def _sealed(content: str) -> list[list[str]]:
    """The rows that a commit sealed; none where the journal row was forged, which its own seal says."""
    try:
        return [[str(name), str(was), str(becomes)] for name, was, becomes in json.loads(content)["rows"]]
    except (ValueError, LookupError, TypeError):
        return []


def _compare(session: Session, table: Table, gathered: sqlite3.Connection) -> Iterator[str]:
    sealed = [column.name for column in witness.sealed_columns(table)]
    for row in _rows(session, table):
        if isinstance(row, str):
            gathered.execute("DELETE FROM said WHERE row = ?", (row,))
            table_name, _, row_id = row.partition(":")
            yield f"{_NOUNS.get(table_name, table_name)} {row_id}: it cannot be read ({row})"
            continue
        name = witness.name_of(table, row)
        said = [digest for (digest,) in gathered.execute("SELECT digest FROM said WHERE row = ?", (name,))]
        gathered.execute("DELETE FROM said WHERE row = ?", (name,))
        if not said:
            yield f"{_called(table, row)}: no commit of the program wrote it"
        elif said != [witness.digest(table.name, {column: row[column] for column in sealed})]:
            yield f"{_called(table, row)}: it is not as it was written ({table.name} {name.partition(':')[2]})"


def _rows(session: Session, table: Table) -> Iterator[Mapping[str, Any] | str]:
    """Every row; the name alone of one that cannot be read. By their keys, so that a bad one hides no good one."""
    # Keys as they stand, without their types: a forged one may be no word of its list.
    key: list[ColumnElement[Any]] = [type_coerce(column, NULLTYPE) for column in table.primary_key]
    keys = session.execute(select(*key).order_by(*key)).all()
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        try:
            chosen = select(table).where(tuple_(*key).between(tuple_(*some[0]), tuple_(*some[-1])))
            yield from map(dict, session.execute(chosen.order_by(*key)).mappings().all())
        except UNREADABLE:
            yield from _one_by_one(session, table, key, some)


def _one_by_one(
    session: Session, table: Table, key: list[ColumnElement[Any]], keys: Sequence[Row[Any]]
) -> Iterator[Mapping[str, Any] | str]:
    for values in keys:
        try:
            chosen = select(table).where(*(column == value for column, value in zip(key, values, strict=True)))
            yield dict(session.execute(chosen).mappings().one())
        except UNREADABLE:
            yield witness.name_of(table, dict(zip((column.name for column in table.primary_key), values, strict=True)))


def _called(table: Table, values: Mapping[str, Any]) -> str:
    if table.name in _NUMBERED:
        return _NUMBERED[table.name].format(**values)
    row_id = ":".join(str(values[column.name]) for column in table.primary_key)
    return f"{_NOUNS.get(table.name, table.name)} {row_id}"
