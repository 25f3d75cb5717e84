"""Who did what and when: the journal as people read it, a page at a time, for those who may. Each look is journaled itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.errors import NotAllowed
from pos.domain.happenings import HAPPENINGS
from pos.domain.permissions import Permission, Role, may
from pos.domain.tills import Desk, chain_of_office, chain_of_till
from pos.services.kit import Kit
from pos.store import audit as rows
from pos.store import receipts as receipt_rows
from pos.store import tills as till_rows
from pos.store import witness
from pos.store.db import reading, retried, transaction
from pos.store.journal import JournalRow

PAGE = 50
# What a spreadsheet would work out instead of showing it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# An export is for one day; more rows than this are asked for by the command line's export of the journal.
MOST = 100_000

COLUMNS = ("at", "chain", "seq", "kind", "words", "actor", "object_kind", "object_id", "content")


@dataclass(frozen=True)
class Filters:
    """``day`` is the business day; ``person`` a staff number or a part of the program; ``about`` a receipt's number or the id
    of a thing, and then the day does not count."""

    day: date
    kind: str = ""
    person: str = ""
    about: str = ""


@dataclass(frozen=True)
class Happened:
    """One row of the journal in words. ``details`` are the content's names and values, what was before among them."""

    at: datetime
    chain: str
    seq: int
    kind: str
    words: str
    actor: str
    object_kind: str
    object_id: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Found:
    rows: tuple[Happened, ...]
    # Where the next page begins, or None when this was the last.
    more: str | None


def find(filters: Filters, after: str, desk: Desk, *, kit: Kit) -> Found:
    """A page of the trail, newest first. Raises NotAllowed."""
    chains = _chains(desk)
    with reading() as session:
        asked = _asked(session, filters, chains, after, PAGE + 1)
        found = [_told(row) for row in rows.newest(session, asked)]
    _note_look(filters, len(found[:PAGE]), desk, kit)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Found(tuple(found[:PAGE]), rows.place(last.at, last.chain, last.seq) if last is not None else None)


def export(filters: Filters, desk: Desk, *, kit: Kit) -> list[Happened]:
    """All rows that fit, oldest first. Raises NotAllowed."""
    chains = _chains(desk)
    with reading() as session:
        found = [_told(row) for row in rows.newest(session, _asked(session, filters, chains, "", MOST))]
    _note_export(filters, len(found), desk, kit)
    return found[::-1]


def as_csv(found: list[Happened]) -> str:
    """A table for spreadsheets: no cell of it is ever worked out."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in found:
        content = "; ".join(f"{name}={value}" for name, value in row.details)
        writer.writerow([_cell(text) for text in (*_columns(row), content)])
    return written.getvalue()


def as_json(found: list[Happened]) -> str:
    return json.dumps([asdict(row) | {"at": row.at.isoformat(), "details": dict(row.details)} for row in found], indent=1)


def _cell(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text


def _columns(row: Happened) -> Iterator[str]:
    yield row.at.isoformat()
    yield from (row.chain, str(row.seq), row.kind, row.words, row.actor, row.object_kind, row.object_id)


def _chains(desk: Desk) -> list[str] | None:
    """What a person may read: a manager the own store, owner and auditor all of it (None). Raises NotAllowed."""
    if not may(desk.staff.role, Permission.AUDIT):
        raise NotAllowed
    if desk.staff.role in (Role.OWNER, Role.AUDITOR):
        return None
    with reading() as session:
        codes = session.scalars(select(till_rows.Till.code).where(till_rows.Till.store_id == desk.store.id))
        tills = [chain_of_till(code) for code in codes]
    return [*tills, chain_of_office(desk.store.code)]


def _asked(session: Session, filters: Filters, chains: list[str] | None, after: str, most: int) -> rows.Asked:
    things: list[tuple[str, str]] | None = None
    if filters.about:
        receipt = receipt_rows.by_number(session, filters.about)
        sale_id = receipt.sale_id if receipt is not None else None
        things = rows.things_of(session, sale_id) if sale_id is not None else rows.anything_called(filters.about)
    return rows.Asked(
        chains=chains,
        day=filters.day if things is None else None,
        kind=filters.kind if filters.kind in HAPPENINGS else "",
        actor=f"staff:{filters.person}" if filters.person.isdigit() else filters.person,
        things=things,
        after=after,
        most=most,
        # The seals of rows are for the verifier; a person asks for them by name.
        without="" if filters.kind else witness.KIND,
    )


def _told(row: JournalRow) -> Happened:
    try:
        content = json.loads(row.content)
    except ValueError:
        content = {"content": row.content}
    details = tuple((str(name), _plain(value)) for name, value in content.items()) if isinstance(content, dict) else ()
    words = HAPPENINGS.get(row.kind, row.kind)
    return Happened(row.at, row.chain, row.seq, row.kind, words, row.actor, row.object_kind, row.object_id, details)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@retried
def _note_look(filters: Filters, count: int, desk: Desk, kit: Kit) -> None:
    with transaction() as session:
        kit.pen(desk, kit.now()).note(session, "audit.seen", "store", desk.store.code, _looked_for(filters, count))


@retried
def _note_export(filters: Filters, count: int, desk: Desk, kit: Kit) -> None:
    with transaction() as session:
        kit.pen(desk, kit.now()).note(session, "audit.exported", "store", desk.store.code, _looked_for(filters, count))


def _looked_for(filters: Filters, count: int) -> dict[str, object]:
    """What was looked for, without what was typed: a field takes anything, also what must not be kept."""
    return {
        "day": filters.day.isoformat(),
        "kind": filters.kind if filters.kind in HAPPENINGS else "",
        "by_person": bool(filters.person),
        "by_object": bool(filters.about),
        "rows": count,
    }
