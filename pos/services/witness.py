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

from pos.services.pages import PAGE, UNREADABLE
from pos.store import journal as journal_rows
from pos.store import witness
from pos.store.base import Base
from pos.store.db import reading

# What people call a row whose number alone says nothing; the others are called by their table.
_NOUNS = {"sales": "sale", "renewals": "renewal", "shifts": "shift", "payments": "payment", "refunds": "refund"}
_NOUNS |= {"ledger_transfers": "ledger row", "attempts": "attempt", "verdicts": "verdict", "conflicts": "conflict"}
_NOUNS |= {"deliveries": "delivery", "open_items": "open item", "statement_lines": "statement line"}
_NUMBERED = {"receipts": "receipt {number}", "z_reports": "{number}", "closings": "{number}"}

_GATHERED = """
PRAGMA synchronous = OFF;
CREATE TABLE said (row TEXT, digest TEXT, times INTEGER, PRIMARY KEY (row, digest)) WITHOUT ROWID;
CREATE TABLE seen (row TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE heard (chain TEXT PRIMARY KEY, seq INTEGER) WITHOUT ROWID;
"""


def compare() -> Iterator[str]:
    """A sentence for each row that is not as it was sealed, was never sealed, or is gone. The tills go on meanwhile.

    Memory stays small: what the journal says is gathered in a temporary file of SQLite, whatever engine the shop has."""
    with closing(sqlite3.connect("")) as gathered:
        gathered.executescript(_GATHERED)
        while True:
            with reading() as session:
                if not _hear(session, gathered):
                    break
        for table in witness.tables():
            yield from _compare(table, gathered)
        yield from _gone(gathered)


def _hear(session: Session, gathered: sqlite3.Connection) -> int:
    """One page more of what the journal says; how much it was.

    Each change is an edge from one digest to the next. What a row must say now is the one digest that more edges reach than
    leave, in whatever order the chains are read."""
    row, count = journal_rows.JournalRow, 0
    for chain, end in journal_rows.ends(session).items():
        (last,) = gathered.execute("SELECT coalesce(max(seq), 0) FROM heard WHERE chain = ?", (chain,)).fetchone()
        if last >= end:
            continue
        sealed = (row.chain == chain, row.kind == witness.KIND, row.seq > last, row.seq <= end)
        page = session.execute(select(row.seq, row.content).where(*sealed).order_by(row.seq).limit(PAGE)).all()
        for found in page:
            _keep(found.content, gathered)
        if page:
            gathered.execute("INSERT OR REPLACE INTO heard VALUES (?, ?)", (chain, page[-1].seq))
        count += len(page)
    return count


def _keep(content: str, gathered: sqlite3.Connection) -> None:
    add = "INSERT INTO said VALUES (?, ?, ?) ON CONFLICT (row, digest) DO UPDATE SET times = times + excluded.times"
    for name, was, becomes in _sealed(content):
        gathered.execute(add, (name, becomes, 1))
        if was:
            gathered.execute(add, (name, was, -1))


def _sealed(content: str) -> list[list[str]]:
    """The rows that a commit sealed; none where the journal row was forged, which its own seal says."""
    try:
        return [[str(name), str(was), str(becomes)] for name, was, becomes in json.loads(content)["rows"]]
    except (ValueError, LookupError, TypeError):
        return []


def _compare(table: Table, gathered: sqlite3.Connection) -> Iterator[str]:
    """A page at a time: its rows, and what the journal says by then, at one moment."""
    # Keys as they stand, without their types: a forged one may be no word of its list.
    key: list[ColumnElement[Any]] = [type_coerce(column, NULLTYPE) for column in table.primary_key]
    last: Row[Any] | None = None
    while True:
        with reading() as session:
            while _hear(session, gathered):
                pass
            chosen = select(*key).order_by(*key).limit(PAGE)
            keys = session.execute(chosen if last is None else chosen.where(tuple_(*key) > tuple_(*last))).all()
            found = list(_differing(session, table, key, keys, gathered)) if keys else []
        yield from found
        if len(keys) < PAGE:
            return
        last = keys[-1]


def _differing(
    session: Session, table: Table, key: list[ColumnElement[Any]], keys: Sequence[Row[Any]], gathered: sqlite3.Connection
) -> Iterator[str]:
    sealed = [column.name for column in witness.sealed_columns(table)]
    for row in _rows(session, table, key, keys):
        name = row if isinstance(row, str) else witness.name_of(table, row)
        gathered.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,))
        if isinstance(row, str):
            yield f"{_noun(name)}: it cannot be read ({row})"
            continue
        said = [digest for (digest,) in gathered.execute("SELECT digest FROM said WHERE row = ? AND times > 0", (name,))]
        if not said:
            yield f"{_called(table, row)}: no commit of the program wrote it"
        elif said != [witness.digest(table.name, {column: row[column] for column in sealed})]:
            yield f"{_called(table, row)}: it is not as it was written ({table.name} {name.partition(':')[2]})"


def _rows(
    session: Session, table: Table, key: list[ColumnElement[Any]], keys: Sequence[Row[Any]]
) -> Iterator[Mapping[str, Any] | str]:
    """Every row of a page; the name alone of one that cannot be read, so that a bad one hides no good one."""
    try:
        chosen = select(table).where(tuple_(*key).between(tuple_(*keys[0]), tuple_(*keys[-1])))
        yield from map(dict, session.execute(chosen.order_by(*key)).mappings().all())
    except UNREADABLE:
        yield from _one_by_one(session, table, key, keys)


def _one_by_one(
    session: Session, table: Table, key: list[ColumnElement[Any]], keys: Sequence[Row[Any]]
) -> Iterator[Mapping[str, Any] | str]:
    for values in keys:
        try:
            chosen = select(table).where(*(column == value for column, value in zip(key, values, strict=True)))
            yield dict(session.execute(chosen).mappings().one())
        except UNREADABLE:
            yield witness.name_of(table, dict(zip((column.name for column in table.primary_key), values, strict=True)))


def _gone(gathered: sqlite3.Connection) -> Iterator[str]:
    """What the journal tells of and no page had. A row that came behind its page is no fault: it is there."""
    missing = "SELECT DISTINCT row FROM said WHERE times > 0 AND row NOT IN (SELECT row FROM seen) ORDER BY row"
    for (name,) in gathered.execute(missing).fetchall():
        with reading() as session:
            there = _is_there(session, name)
        if not there:
            yield f"{_noun(name)}: it was written and is gone"


def _is_there(session: Session, name: str) -> bool:
    table_name, *parts = name.split(":")
    if table_name not in witness.SEALED:
        return False
    columns = list(Base.metadata.tables[table_name].primary_key)
    try:
        keys = [int(part) if column.type.python_type is int else part for column, part in zip(columns, parts, strict=True)]
    except ValueError:
        return False
    same = (type_coerce(column, NULLTYPE) == key for column, key in zip(columns, keys, strict=True))
    return session.execute(select(*columns[:1]).where(*same)).first() is not None


def _noun(name: str) -> str:
    table_name, _, row_id = name.partition(":")
    return f"{_NOUNS.get(table_name, table_name)} {row_id}"


def _called(table: Table, values: Mapping[str, Any]) -> str:
    if table.name in _NUMBERED:
        return _NUMBERED[table.name].format(**values)
    row_id = ":".join(str(values[column.name]) for column in table.primary_key)
    return f"{_NOUNS.get(table.name, table.name)} {row_id}"
