"""The journal as rows: one chain for each till and one for each office, sealed and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Select, String, Text, func, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.journal import GENESIS, Entry, canonical, running_hash, seal
from pos.store import witness
from pos.store.base import Base, Moment, index_where
from pos.store.db import before_commit, locked
from pos.store.keys import KeyRing

# Rare happenings that every Z counts. They have an index of their own: a close does not read through the journal of its day.
_COUNTED = (
    "kind IN ('staff.pin_failed', 'identity.overridden', 'duplicate.overridden', 'refund.in_cash', "
    "'code.reissued', 'verdict.agreed', 'drawer.opened', 'difference.approved', 'renewal.reversed')"
)


class JournalRow(Base):
    __tablename__ = "journal"

    chain: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    business_day: Mapped[date]
    kind: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(String(40))
    object_kind: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[str] = mapped_column(String(40))
    content: Mapped[str] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(String(40))
    prev_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index(None, "object_kind", "object_id"),
        Index(None, "business_day", "at"),
        index_where("ix_journal_counted", "chain", "seq", where=_COUNTED),
    )

    def entry(self) -> Entry:
        return Entry(
            chain=self.chain,
            seq=self.seq,
            at=self.at,
            business_day=self.business_day,
            kind=self.kind,
            actor=self.actor,
            object_kind=self.object_kind,
            object_id=self.object_id,
            content=self.content,
            key_id=self.key_id,
            prev_mac=self.prev_mac,
        )


class JournalHead(Base):
    """Where each chain ends. Locked while a row is added, so that two processes cannot both be next."""

    __tablename__ = "journal_heads"

    chain: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int]
    mac: Mapped[str] = mapped_column(String(64))
    # SHA-256 over all rows so far, without a key: what a Z signs for people outside.
    rows_hash: Mapped[str] = mapped_column(String(64))


def write(
    session: Session,
    keys: KeyRing,
    *,
    chain: str,
    at: datetime,
    business_day: date,
    kind: str,
    actor: str,
    object_kind: str,
    object_id: str,
    content: Mapping[str, object],
) -> None:
    """One more row for a chain, in the transaction that is open. ``content`` holds no personal data and no floats.

    It waits, in order, for ``seal_waiting``: the head of a chain is locked once, at the very end of the transaction."""
    draft = Draft(keys, chain, at, business_day, kind, actor, object_kind, object_id, canonical(content))
    session.info.setdefault(_WAITING, []).append(draft)


@dataclass(frozen=True)
class Draft:
    """A row that has its place in the order and not yet its number and its seal."""

    keys: KeyRing = field(repr=False)
    chain: str
    at: datetime
    business_day: date
    kind: str
    actor: str
    object_kind: str
    object_id: str
    content: str


_WAITING = "journal rows that wait for their seal"


@before_commit
def last_words(session: Session) -> None:
    """What every commit ends with: first the word for the rows that it wrote, then the seals over all its words."""
    witness.testify(session)
    seal_waiting(session)


def seal_waiting(session: Session) -> None:
    """Seal what was written so far to its chains. The commit does it; so does everything that reads the journal inside a
    transaction. Chains are locked in one order, so that two transactions cannot wait for each other."""
    waiting: list[Draft] = session.info.pop(_WAITING, [])
    if not waiting:
        return
    # Everything else first: the heads of the chains are the last rows that anybody locks.
    session.flush()
    sealed: list[dict[str, object]] = []
    for chain in sorted({draft.chain for draft in waiting}):
        head = _locked_head(session, chain)
        for draft in waiting:
            if draft.chain == chain:
                entry, mac = _seal(draft, head)
                sealed.append({**vars(entry), "mac": mac})
                head.seq, head.mac, head.rows_hash = entry.seq, mac, running_hash(head.rows_hash, entry)
    session.flush()
    session.execute(insert(JournalRow), sealed)


def _locked_head(session: Session, chain: str) -> JournalHead:
    head = session.scalar(locked(select(JournalHead).where(JournalHead.chain == chain)))
    if head is None:
        head = JournalHead(chain=chain, seq=0, mac=GENESIS, rows_hash=GENESIS)
        session.add(head)
    return head


def _seal(draft: Draft, head: JournalHead) -> tuple[Entry, str]:
    key_id, key = draft.keys.current("jrn")
    entry = Entry(
        chain=draft.chain,
        seq=head.seq + 1,
        at=draft.at,
        business_day=draft.business_day,
        kind=draft.kind,
        actor=draft.actor,
        object_kind=draft.object_kind,
        object_id=draft.object_id,
        content=draft.content,
        key_id=key_id,
        prev_mac=head.mac,
    )
    return entry, seal(entry, key)


def head_of(session: Session, chain: str) -> tuple[int, str]:
    """(last sequence number, last seal) of a chain; (0, genesis) for an empty one."""
    seal_waiting(session)
    head = session.get(JournalHead, chain)
    return (head.seq, head.mac) if head is not None else (0, GENESIS)


def rows_hash_of(session: Session, chain: str) -> str:
    """SHA-256 over all rows of a chain so far."""
    seal_waiting(session)
    head = session.get(JournalHead, chain)
    return head.rows_hash if head is not None else GENESIS


_SEALED = (*(getattr(JournalRow, name) for name in Entry.__dataclass_fields__), JournalRow.mac)


def page(session: Session, chain: str, after: int, up_to: int, limit: int) -> list[tuple[Entry, str]]:
    """At most ``limit`` rows of a chain behind a place and up to another, with their seals, in order."""
    chosen = select(*_SEALED).where(JournalRow.chain == chain, JournalRow.seq > after, JournalRow.seq <= up_to)
    return [(Entry(*row[:-1]), row[-1]) for row in session.execute(chosen.order_by(JournalRow.seq).limit(limit))]


def newest(session: Session, chain: str, limit: int) -> list[tuple[Entry, str]]:
    """The last rows of a chain with their seals, in order."""
    chosen = select(*_SEALED).where(JournalRow.chain == chain).order_by(JournalRow.seq.desc()).limit(limit)
    return [(Entry(*row[:-1]), row[-1]) for row in reversed(session.execute(chosen).all())]


def heads(session: Session) -> dict[str, tuple[int, str, str]]:
    """(last sequence number, last seal, hash over all rows) of each chain."""
    seal_waiting(session)
    return {head.chain: (head.seq, head.mac, head.rows_hash) for head in session.scalars(select(JournalHead))}


def counted_since(session: Session, chain: str, after: int) -> dict[str, int]:
    """How often each of the rare happenings stands in a chain behind a row."""
    chosen = select(JournalRow.kind, func.count()).where(text(f"journal.{_COUNTED}"))
    chosen = chosen.where(JournalRow.chain == chain, JournalRow.seq > after).group_by(JournalRow.kind)
    return {kind: int(count) for kind, count in session.execute(chosen)}


def counted_between(session: Session, chains: list[str], moments: tuple[datetime, datetime]) -> list[JournalRow]:
    """The rare happenings of some chains, newest first."""
    chosen = select(JournalRow).where(text(f"journal.{_COUNTED}"), JournalRow.chain.in_(chains), JournalRow.at.between(*moments))
    return list(session.scalars(chosen.order_by(JournalRow.at.desc(), JournalRow.seq.desc())))


def times_told(session: Session, kind: str, object_kind: str, object_id: str) -> int:
    """How often the journal says one thing of one object."""
    told = (JournalRow.object_kind == object_kind, JournalRow.object_id == object_id, JournalRow.kind == kind)
    return session.scalar(select(func.count()).select_from(JournalRow).where(*told)) or 0


def about(session: Session, objects: list[tuple[str, str]]) -> list[JournalRow]:
    """Everything the journal says of some objects, in time."""
    seal_waiting(session)
    found: list[JournalRow] = []
    for kind, object_id in objects:
        chosen = select(JournalRow).where(JournalRow.object_kind == kind, JournalRow.object_id == object_id)
        found += session.scalars(chosen)
    return sorted(found, key=lambda row: (row.at, row.chain, row.seq))


def _last_of_each() -> Select[Any]:
    first = select(func.min(JournalRow.chain).label("chain")).cte("chains", recursive=True)
    following = select(func.min(JournalRow.chain)).where(JournalRow.chain > first.c.chain).scalar_subquery()
    chains = first.union_all(select(following).where(first.c.chain.is_not(None)))
    last = select(func.max(JournalRow.seq)).where(JournalRow.chain == chains.c.chain).scalar_subquery()
    return select(chains.c.chain, last).where(chains.c.chain.is_not(None))


_LAST_OF_EACH = _last_of_each()


def ends(session: Session) -> dict[str, int]:
    """The chains that have at least one row, and the last number in each; a few steps down the index, however long they are, and
    one question, because who compares asks for every page."""
    return {chain: seq for chain, seq in session.execute(_LAST_OF_EACH)}
