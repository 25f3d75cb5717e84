"""Shifts, counts, movements of cash and the frozen Z as rows."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, ScalarSelect, String, Text, UniqueConstraint, exists, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.money import Money
from pos.domain.shifts import Movement, ShiftState
from pos.store.base import Base, Minor, Moment, Word
from pos.store.db import locked
from pos.store.tills import Till


class Shift(Base):
    __tablename__ = "shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    number: Mapped[int]
    state: Mapped[ShiftState] = mapped_column(Word(ShiftState))
    # The till's id while open: two open shifts at one till cannot both be written.
    open_till_id: Mapped[int | None] = mapped_column(unique=True)
    currency: Mapped[str] = mapped_column(String(3))
    business_day: Mapped[date]
    opened_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    float_minor: Mapped[Minor]
    # Running totals, kept in the commit of each movement; reports read them and prove them against the movements.
    expected_minor: Mapped[Minor]
    card_minor: Mapped[Minor] = mapped_column(default=0)
    card_count: Mapped[int] = mapped_column(default=0)
    card_refund_minor: Mapped[Minor] = mapped_column(default=0)
    gross_minor: Mapped[Minor] = mapped_column(default=0)
    tax_minor: Mapped[Minor] = mapped_column(default=0)
    sales_count: Mapped[int] = mapped_column(default=0)
    voids_count: Mapped[int] = mapped_column(default=0)
    refunds_minor: Mapped[Minor] = mapped_column(default=0)
    refunds_count: Mapped[int] = mapped_column(default=0)
    reprints_count: Mapped[int] = mapped_column(default=0)
    typed_checks_count: Mapped[int] = mapped_column(default=0)
    first_receipt: Mapped[str | None] = mapped_column(String(30))
    last_receipt: Mapped[str | None] = mapped_column(String(30))
    # What the close wrote.
    counted_minor: Mapped[Minor | None]
    difference_minor: Mapped[Minor | None]
    difference_reason: Mapped[str | None] = mapped_column(String(200))
    difference_code: Mapped[str | None] = mapped_column(String(20))
    # The difference was above the store's limit: somebody else approves it, at the close or later.
    approval_wanted: Mapped[bool | None]
    left_minor: Mapped[Minor | None]
    z_number: Mapped[str | None] = mapped_column(String(30), unique=True)

    __table_args__ = (UniqueConstraint("till_id", "number"),)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


class CashMovement(Base):
    __tablename__ = "cash_movements"

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), index=True)
    kind: Mapped[Movement] = mapped_column(Word(Movement))
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(String(3))
    sale_id: Mapped[str | None] = mapped_column(ForeignKey("sales.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Moment)
    # Of what is no sale: the reason chosen, who agreed, and the form's own id, so that a second press changes nothing.
    code: Mapped[str | None] = mapped_column(String(20))
    approved_by: Mapped[int | None]
    request_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (Index(None, "request_id", unique=True),)


class DrawerCount(Base):
    """Each count is kept, also a discarded first one."""

    __tablename__ = "drawer_counts"

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    why: Mapped[str] = mapped_column(String(10))  # a word of CountKind
    pieces: Mapped[dict[str, int]] = mapped_column(JSON)
    total_minor: Mapped[Minor]
    card_total_minor: Mapped[Minor | None]
    card_count: Mapped[int | None]
    # What the books said at that moment, for the manager; and who took the drawer over.
    expected_minor: Mapped[Minor | None]
    taken_by: Mapped[int | None]


class CardBatch(Base):
    """What the clerk copied from a card terminal's own slip at closing."""

    __tablename__ = "card_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), index=True)
    terminal: Mapped[str] = mapped_column(String(20))
    batch: Mapped[str] = mapped_column(String(20))
    count: Mapped[int | None]
    total_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(String(3))


class DifferenceApproval(Base):
    """A manager's word about a difference above the limit: written at the close, or later."""

    __tablename__ = "difference_approvals"

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Moment)


class ZReport(Base):
    """The frozen close of one shift: never changed, chained to the one before."""

    __tablename__ = "z_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(String(30), unique=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), unique=True)
    at: Mapped[datetime] = mapped_column(Moment)
    business_day: Mapped[date]
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    head_mac: Mapped[str] = mapped_column(String(64))
    grand_total_minor: Mapped[Minor]
    figures: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    own_hash: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(40))
    signature: Mapped[str] = mapped_column(String(128))

    __table_args__ = (UniqueConstraint("till_id", "sequence"), Index(None, "business_day"))


def open_at(session: Session, till_id: int) -> Shift | None:
    """The open shift of a till, held for its running totals. Before the first move: the journal's head comes later."""
    return session.scalar(locked(select(Shift).where(Shift.open_till_id == till_id)))


def for_change(session: Session, shift_id: int) -> Shift | None:
    """A shift, held."""
    return session.scalar(locked(select(Shift).where(Shift.id == shift_id)))


def seen_at(session: Session, till_id: int) -> Shift | None:
    """The open shift of a till, to look at."""
    return session.scalar(select(Shift).where(Shift.open_till_id == till_id))


def open_number(till_id: int) -> ScalarSelect[int]:
    """The number of a till's open shift; for the strip."""
    return select(Shift.number).where(Shift.open_till_id == till_id).scalar_subquery()


def open_expected(till_id: int) -> ScalarSelect[int]:
    """What the books say of a till's open drawer; for the proposal to bring money to the safe."""
    return select(Shift.expected_minor).where(Shift.open_till_id == till_id).scalar_subquery()


def open_day(till_id: int) -> ScalarSelect[date]:
    """The business day of a till's open shift; for the strip."""
    return select(Shift.business_day).where(Shift.open_till_id == till_id).scalar_subquery()


def forgotten(session: Session, store_id: int, today: date) -> list[Shift]:
    """Open shifts of an earlier business day."""
    chosen = select(Shift).where(Shift.store_id == store_id, Shift.open_till_id.is_not(None), Shift.business_day < today)
    return list(session.scalars(chosen.order_by(Shift.id)))


def unapproved(session: Session, store_id: int) -> list[Shift]:
    """Closed shifts whose difference waits for a manager's word."""
    given = exists().where(DifferenceApproval.shift_id == Shift.id)
    chosen = select(Shift).where(Shift.store_id == store_id, Shift.approval_wanted.is_(True), ~given)
    return list(session.scalars(chosen.order_by(Shift.id)))


def approval_of(session: Session, shift_id: int) -> DifferenceApproval | None:
    return session.scalar(select(DifferenceApproval).where(DifferenceApproval.shift_id == shift_id))


def batches_of(session: Session, shift_id: int) -> list[CardBatch]:
    return list(session.scalars(select(CardBatch).where(CardBatch.shift_id == shift_id).order_by(CardBatch.id)))


def last_closed(session: Session, till_id: int) -> Shift | None:
    chosen = select(Shift).where(Shift.till_id == till_id, Shift.state == ShiftState.CLOSED)
    return session.scalar(chosen.order_by(Shift.number.desc()).limit(1))


def last_number(session: Session, till_id: int) -> int:
    return session.scalar(select(Shift.number).where(Shift.till_id == till_id).order_by(Shift.number.desc()).limit(1)) or 0


def movements_of(session: Session, shift_id: int) -> list[CashMovement]:
    return list(session.scalars(select(CashMovement).where(CashMovement.shift_id == shift_id).order_by(CashMovement.id)))


def sums_of(session: Session, shift_id: int) -> dict[Movement, tuple[int, int]]:
    """(sum, how many) of each kind of movement: the database adds, so that a long shift closes as fast as a short one."""
    moved = CashMovement
    chosen = select(moved.kind, func.sum(moved.amount_minor), func.count()).where(moved.shift_id == shift_id)
    return {kind: (int(amount), count) for kind, amount, count in session.execute(chosen.group_by(moved.kind))}


def moved_after(session: Session, shift_id: int, moment: datetime) -> list[CashMovement]:
    chosen = select(CashMovement).where(CashMovement.shift_id == shift_id, CashMovement.at > moment)
    return list(session.scalars(chosen.order_by(CashMovement.id)))


def asked_before(session: Session, request_id: str) -> CashMovement | None:
    """What the same form has written already."""
    return session.scalar(select(CashMovement).where(CashMovement.request_id == request_id))


def counts_of(session: Session, shift_id: int) -> list[DrawerCount]:
    return list(session.scalars(select(DrawerCount).where(DrawerCount.shift_id == shift_id).order_by(DrawerCount.id)))


def taken_by(session: Session, shift_id: int) -> int | None:
    """Who took the drawer over last; None while it is with the person who opened it."""
    chosen = select(DrawerCount.taken_by).where(DrawerCount.shift_id == shift_id, DrawerCount.taken_by.is_not(None))
    return session.scalar(chosen.order_by(DrawerCount.id.desc()).limit(1))


def last_z(session: Session, till_id: int) -> ZReport | None:
    return session.scalar(select(ZReport).where(ZReport.till_id == till_id).order_by(ZReport.sequence.desc()).limit(1))


def z_of(session: Session, shift_id: int) -> ZReport | None:
    return session.scalar(select(ZReport).where(ZReport.shift_id == shift_id))


def z_of_day(session: Session, store_id: int, day: date) -> list[tuple[ZReport, str, str | None]]:
    """The Zs of a store's business day: (Z, till, the reason that was given for a difference)."""
    chosen = select(ZReport, Till.code, Shift.difference_reason).join(Shift, Shift.id == ZReport.shift_id)
    chosen = chosen.join(Till, Till.id == ZReport.till_id).where(Till.store_id == store_id, ZReport.business_day == day)
    return [(report, till, reason) for report, till, reason in session.execute(chosen.order_by(ZReport.id))]


def z_called(session: Session, till_id: int, number: str) -> ZReport | None:
    return session.scalar(select(ZReport).where(ZReport.till_id == till_id, ZReport.number == number))
