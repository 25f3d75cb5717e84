"""The journal as rows: one chain for each till and one for each office, sealed and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from sqlalchemy import Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.journal import GENESIS, Entry, canonical, running_hash, seal
from pos.store.base import Base, Moment
from pos.store.keys import KeyRing


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

    __table_args__ = (Index(None, "object_kind", "object_id"),)

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
) -> JournalRow:
    """Seal one more row to a chain, in the transaction that is open. ``content`` holds no personal data and no floats."""
    head = session.scalar(select(JournalHead).where(JournalHead.chain == chain).with_for_update())
    if head is None:
        head = JournalHead(chain=chain, seq=0, mac=GENESIS, rows_hash=GENESIS)
        session.add(head)
    key_id, key = keys.current("jrn")
    entry = Entry(
        chain=chain,
        seq=head.seq + 1,
        at=at,
        business_day=business_day,
        kind=kind,
        actor=actor,
        object_kind=object_kind,
        object_id=object_id,
        content=canonical(content),
        key_id=key_id,
        prev_mac=head.mac,
    )
    row = JournalRow(**vars(entry), mac=seal(entry, key))
    head.seq, head.mac, head.rows_hash = entry.seq, row.mac, running_hash(head.rows_hash, entry)
    session.add(row)
    return row


def head_of(session: Session, chain: str) -> tuple[int, str]:
    """(last sequence number, last seal) of a chain; (0, genesis) for an empty one."""
    head = session.get(JournalHead, chain)
    return (head.seq, head.mac) if head is not None else (0, GENESIS)


def rows_hash_of(session: Session, chain: str) -> str:
    """SHA-256 over all rows of a chain so far."""
    head = session.get(JournalHead, chain)
    return head.rows_hash if head is not None else GENESIS


def rows(session: Session, at_once: int = 2000) -> Iterator[JournalRow]:
    """The whole journal, chain by chain in order, without holding it in memory."""
    chosen = select(JournalRow).order_by(JournalRow.chain, JournalRow.seq)
    yield from session.scalars(chosen.execution_options(yield_per=at_once))


def heads(session: Session) -> dict[str, tuple[int, str, str]]:
    """(last sequence number, last seal, hash over all rows) of each chain."""
    return {head.chain: (head.seq, head.mac, head.rows_hash) for head in session.scalars(select(JournalHead))}


def about(session: Session, objects: list[tuple[str, str]]) -> list[JournalRow]:
    """Everything the journal says of some objects, in time."""
    found: list[JournalRow] = []
    for kind, object_id in objects:
        chosen = select(JournalRow).where(JournalRow.object_kind == kind, JournalRow.object_id == object_id)
        found += session.scalars(chosen)
    return sorted(found, key=lambda row: (row.at, row.chain, row.seq))


def chains(session: Session) -> set[str]:
    """The chains that have at least one row."""
    return set(session.scalars(select(JournalRow.chain).distinct()))
