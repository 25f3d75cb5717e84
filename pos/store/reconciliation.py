"""What acquirers, banks and carriers told us, line by line, and the items that nobody has settled yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.money import Money
from pos.domain.settlements import Action, Bucket, Direction, ItemState, Kind, Theirs
from pos.store.base import Base, Minor, Moment, Word
from pos.store.db import locked, queue_up

# A database takes only so many values in one statement.
_AT_ONCE = 500


class StatementImport(Base):
    """One file or one reading of a statement. The same content is known again by its digest; names of files are not kept."""

    __tablename__ = "statement_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    direction: Mapped[Direction] = mapped_column(Word(Direction))
    source: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    first_day: Mapped[date]
    last_day: Mapped[date]
    line_count: Mapped[int]
    left_out: Mapped[int]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("store_id", "direction", "source", "digest"),)


class StatementLine(Base):
    """One of their lines. ``identity`` makes a line that comes again in another file the same one."""

    __tablename__ = "statement_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("statement_imports.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    direction: Mapped[Direction] = mapped_column(Word(Direction))
    source: Mapped[str] = mapped_column(String(40))
    identity: Mapped[str] = mapped_column(String(64))
    kind: Mapped[Kind] = mapped_column(Word(Kind))
    amount_minor: Mapped[Minor]
    fee_minor: Mapped[Minor | None]
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime] = mapped_column(Moment)
    is_day_only: Mapped[bool]
    business_day: Mapped[date]
    ref: Mapped[str] = mapped_column(String(80))
    # The last digits; the whole number was compared when it was read, and is not kept.
    tail: Mapped[str] = mapped_column(String(4))
    is_other_number: Mapped[bool]
    # The booking that it makes a pair with, or the item that it belongs to.
    ours_key: Mapped[str | None] = mapped_column(String(60))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("open_items.id"), index=True)

    __table_args__ = (
        UniqueConstraint("store_id", "direction", "source", "identity"),
        Index(None, "store_id", "direction", "business_day"),
        Index(None, "store_id", "ours_key"),
        Index(None, "store_id", "ref"),
    )

    def plain(self) -> Theirs:
        return Theirs(
            self.kind,
            Money(self.amount_minor, self.currency),
            self.at,
            ref=self.ref,
            tail=self.tail,
            fee=None if self.fee_minor is None else Money(self.fee_minor, self.currency),
            is_day_only=self.is_day_only,
            is_other_number=self.is_other_number,
            key=self.id,
        )


class OpenItem(Base):
    """What is no pair. ``ours_minor`` and ``theirs_minor`` are signed: what went back is negative."""

    __tablename__ = "open_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    direction: Mapped[Direction] = mapped_column(Word(Direction))
    source: Mapped[str] = mapped_column(String(40))
    business_day: Mapped[date]
    state: Mapped[ItemState] = mapped_column(Word(ItemState))
    # Our booking, or the first of their lines that nothing of ours belongs to: an item comes once.
    subject: Mapped[str] = mapped_column(String(60))
    bucket: Mapped[Bucket] = mapped_column(Word(Bucket))
    differs: Mapped[str] = mapped_column(String(80))
    actions: Mapped[str] = mapped_column(String(80))
    ref: Mapped[str] = mapped_column(String(80))
    tail: Mapped[str] = mapped_column(String(4))
    ours_minor: Mapped[Minor | None]
    ours_currency: Mapped[str | None] = mapped_column(String(3))
    theirs_minor: Mapped[Minor | None]
    theirs_currency: Mapped[str | None] = mapped_column(String(3))
    fee_minor: Mapped[Minor | None]
    happened_at: Mapped[datetime] = mapped_column(Moment)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    next_on: Mapped[date]
    action: Mapped[Action | None] = mapped_column(Word(Action))
    evidence: Mapped[str | None] = mapped_column(String(200))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("store_id", "direction", "subject"), Index(None, "store_id", "business_day"))

    @property
    def ours(self) -> Money | None:
        return None if self.ours_minor is None else Money(self.ours_minor, self.ours_currency or "")

    @property
    def theirs(self) -> Money | None:
        return None if self.theirs_minor is None else Money(self.theirs_minor, self.theirs_currency or "")

    @property
    def fee(self) -> Money | None:
        return None if self.fee_minor is None else Money(self.fee_minor, self.theirs_currency or "")


def line_up(session: Session, store_id: int, direction: Direction) -> None:
    """One at a time imports or compares: two that read the same rows would write the same items."""
    queue_up(session, f"reconciliation:{store_id}:{direction}")


def import_of(session: Session, store_id: int, direction: Direction, source: str, digest: str) -> StatementImport | None:
    row = StatementImport
    same = (row.store_id == store_id, row.direction == direction, row.source == source, row.digest == digest)
    return session.scalar(select(row).where(*same))


def covering(session: Session, store_id: int, direction: Direction, first: date, last: date) -> list[tuple[str, date, date]]:
    """(source, first day, last day) of all that speaks of any of these days."""
    row = StatementImport
    chosen = select(row.source, row.first_day, row.last_day).where(row.store_id == store_id, row.direction == direction)
    found = session.execute(chosen.where(row.first_day <= last, row.last_day >= first).distinct())
    return [(source, begins, ends) for source, begins, ends in found]


def imports_of(session: Session, store_id: int, day: date) -> list[StatementImport]:
    """What speaks of a day, the newest last."""
    row = StatementImport
    chosen = select(row).where(row.store_id == store_id, row.first_day <= day, row.last_day >= day)
    return list(session.scalars(chosen.order_by(row.id)))


def known_identities(session: Session, store_id: int, direction: Direction, source: str, wanted: list[str]) -> set[str]:
    row, found = StatementLine, set()
    chosen = select(row.identity).where(row.store_id == store_id, row.direction == direction, row.source == source)
    for first in range(0, len(wanted), _AT_ONCE):
        found |= set(session.scalars(chosen.where(row.identity.in_(wanted[first : first + _AT_ONCE]))))
    return found


def lines_between(session: Session, store_id: int, direction: Direction, first: date, last: date) -> list[StatementLine]:
    row = StatementLine
    chosen = select(row).where(row.store_id == store_id, row.direction == direction)
    return list(session.scalars(chosen.where(row.business_day.between(first, last)).order_by(row.id)))


def with_lines_of_refs(
    session: Session, store_id: int, direction: Direction, lines: list[StatementLine], refs: set[str]
) -> list[StatementLine]:
    """These lines, and all that bear one of the references, of whatever day."""
    row, found, wanted = StatementLine, {line.id: line for line in lines}, sorted(refs)
    chosen = select(row).where(row.store_id == store_id, row.direction == direction)
    for first in range(0, len(wanted), _AT_ONCE):
        for line in session.scalars(chosen.where(row.ref.in_(wanted[first : first + _AT_ONCE]))):
            found[line.id] = line
    return [found[key] for key in sorted(found)]


def lines_of(session: Session, item_id: int) -> list[StatementLine]:
    return list(session.scalars(select(StatementLine).where(StatementLine.item_id == item_id).order_by(StatementLine.id)))


def items_by_subject(session: Session, store_id: int, direction: Direction, subjects: Iterable[str]) -> dict[str, OpenItem]:
    wanted, found = sorted(subjects), dict[str, OpenItem]()
    chosen = select(OpenItem).where(OpenItem.store_id == store_id, OpenItem.direction == direction)
    for first in range(0, len(wanted), _AT_ONCE):
        for item in session.scalars(chosen.where(OpenItem.subject.in_(wanted[first : first + _AT_ONCE]))):
            found[item.subject] = item
    return found


def items_between(session: Session, store_id: int, direction: Direction, first: date, last: date) -> list[OpenItem]:
    chosen = select(OpenItem).where(OpenItem.store_id == store_id, OpenItem.direction == direction)
    return list(session.scalars(chosen.where(OpenItem.business_day.between(first, last)).order_by(OpenItem.id)))


def all_of_day(session: Session, store_id: int, day: date) -> list[OpenItem]:
    chosen = select(OpenItem).where(OpenItem.store_id == store_id, OpenItem.business_day == day)
    return list(session.scalars(chosen.order_by(OpenItem.direction, OpenItem.happened_at, OpenItem.id)))


def still_open(session: Session, store_id: int) -> list[OpenItem]:
    """Of every day, what waits longest first."""
    chosen = select(OpenItem).where(OpenItem.store_id == store_id, OpenItem.state == ItemState.OPEN)
    return list(session.scalars(chosen.order_by(OpenItem.business_day, OpenItem.id)))


def for_change(session: Session, item_id: int) -> OpenItem | None:
    return session.scalar(locked(select(OpenItem).where(OpenItem.id == item_id)))


def decided(session: Session) -> list[OpenItem]:
    return list(session.scalars(select(OpenItem).where(OpenItem.state == ItemState.DECIDED).order_by(OpenItem.id)))


def lines_about(session: Session, store_id: int, direction: Direction, keys: set[str], item_ids: set[int]) -> list[StatementLine]:
    """The lines that belong to these bookings and items, on whatever day they came."""
    row, found = StatementLine, dict[int, StatementLine]()
    chosen = select(row).where(row.store_id == store_id, row.direction == direction)
    for column, wanted in ((row.ours_key, sorted(keys)), (row.item_id, sorted(item_ids))):
        for first in range(0, len(wanted), _AT_ONCE):
            for line in session.scalars(chosen.where(column.in_(wanted[first : first + _AT_ONCE]))):
                found[line.id] = line
    return list(found.values())


def decided_refs(session: Session, carrier: str) -> set[str]:
    """The references of a carrier about which two people have decided."""
    row = OpenItem
    chosen = select(row.ref).where(row.direction == Direction.CARRIER, row.source == carrier, row.state == ItemState.DECIDED)
    return set(session.scalars(chosen))
