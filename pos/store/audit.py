"""The journal by day, kind, person and thing, newest first. Every question ends at an index, however long the journal is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from pos.store.journal import JournalRow
from pos.store.renewals import Renewal
from pos.store.sales import Payment, Refund


@dataclass(frozen=True)
class Asked:
    """``chains`` None: all. ``things``: kinds and ids of objects, and then no day. ``after``: where the last page ended."""

    chains: list[str] | None
    day: date | None
    kind: str
    actor: str
    things: list[tuple[str, str]] | None
    after: str
    most: int
    without: str = ""


def newest(session: Session, asked: Asked) -> list[JournalRow]:
    return list(session.scalars(question(asked)))


def question(asked: Asked) -> Select[JournalRow]:
    row = JournalRow
    chosen = select(row).order_by(row.at.desc(), row.chain.desc(), row.seq.desc()).limit(asked.most)
    if asked.chains is not None:
        chosen = chosen.where(row.chain.in_(asked.chains))
    if asked.day is not None:
        chosen = chosen.where(row.business_day == asked.day)
    if asked.things is not None:
        chosen = chosen.where(or_(*(and_(row.object_kind == kind, row.object_id == thing) for kind, thing in asked.things)))
    if asked.kind:
        chosen = chosen.where(row.kind == asked.kind)
    if asked.without:
        chosen = chosen.where(row.kind != asked.without)
    if asked.actor:
        chosen = chosen.where(row.actor == asked.actor)
    found = _placed(asked.after)
    if found is not None:
        at, chain, seq = found
        later = and_(row.at == at, or_(row.chain < chain, and_(row.chain == chain, row.seq < seq)))
        chosen = chosen.where(row.at <= at, or_(row.at < at, later))
    return chosen


# What journal rows are about: the index begins with it.
KINDS = (
    "sale", "renewal", "payment", "refund", "shift", "print_job", "receipt_mail", "hold", "verdict", "conflict", "carrier",
    "float", "price_rule", "plan", "store", "till", "staff", "printer", "commit",
)  # fmt: skip


def anything_called(thing: str) -> list[tuple[str, str]]:
    return [(kind, thing) for kind in KINDS]


def things_of(session: Session, sale_id: str) -> list[tuple[str, str]]:
    """A sale and everything that belongs to it."""
    found = [("sale", sale_id)]
    for kind, table in (("renewal", Renewal), ("payment", Payment), ("refund", Refund)):
        found += [(kind, str(thing)) for thing in session.scalars(select(table.id).where(table.sale_id == sale_id))]
    return found


def place(at: datetime, chain: str, seq: int) -> str:
    """Where a page ended, as a word that a form carries to the next one."""
    return f"{at.astimezone(UTC).isoformat()} {seq} {chain}"


def _placed(after: str) -> tuple[datetime, str, int] | None:
    """None for what is no place: the first page then."""
    moment, _, rest = after.partition(" ")
    seq, _, chain = rest.partition(" ")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if at.tzinfo is None or not (seq.isascii() and seq.isdigit() and len(seq) <= 9 and chain):
        return None
    return at, chain, int(seq)
