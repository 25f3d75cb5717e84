"""Closings of a store as rows: numbered without gaps, chained, signed and never changed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.closings import Period
from pos.store.base import Base, Minor, Moment, Word
from pos.store.shifts import Shift, ZReport
from pos.store.tills import Till


class Closing(Base):
    __tablename__ = "closings"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    period: Mapped[Period] = mapped_column(Word(Period))
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(String(30), unique=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    grand_total_minor: Mapped[Minor]
    figures: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    own_hash: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(40))
    signature: Mapped[str] = mapped_column(String(128))

    __table_args__ = (UniqueConstraint("store_id", "period", "sequence"), UniqueConstraint("store_id", "period", "first_day"))


def last(session: Session, store_id: int, period: Period) -> Closing | None:
    chosen = select(Closing).where(Closing.store_id == store_id, Closing.period == period)
    return session.scalar(chosen.order_by(Closing.sequence.desc()).limit(1))


def of(session: Session, store_id: int, period: Period, first_day: date) -> Closing | None:
    same = (Closing.store_id == store_id, Closing.period == period, Closing.first_day == first_day)
    return session.scalar(select(Closing).where(*same))


def days_between(session: Session, store_id: int, first: date, end: date) -> list[Closing]:
    """The closings of single days within a period."""
    within = (Closing.store_id == store_id, Closing.period == Period.DAY, Closing.first_day.between(first, end))
    return list(session.scalars(select(Closing).where(*within).order_by(Closing.sequence)))


def tills_of(session: Session, store_id: int) -> list[Till]:
    return list(session.scalars(select(Till).where(Till.store_id == store_id).order_by(Till.code)))


def zs_behind(session: Session, seen: dict[int, int], up_to: date) -> list[tuple[ZReport, Shift]]:
    """The Zs of some tills behind the last one that a closing has, each till's up to the first of a later business day.
    ``seen``: till -> sequence."""
    behind = or_(*(and_(ZReport.till_id == till_id, ZReport.sequence > sequence) for till_id, sequence in seen.items()))
    chosen = select(ZReport, Shift).join(Shift, Shift.id == ZReport.shift_id).where(behind)
    found: list[tuple[ZReport, Shift]] = []
    later: set[int] = set()
    for report, shift in session.execute(chosen.order_by(ZReport.till_id, ZReport.sequence)):
        if report.business_day > up_to:
            later.add(report.till_id)
        if report.till_id not in later:
            found.append((report, shift))
    return found


def open_shifts(session: Session, store_id: int) -> list[tuple[Shift, str]]:
    """(shift, till's code) of each drawer that is open."""
    chosen = select(Shift, Till.code).join(Till, Till.id == Shift.open_till_id).where(Till.store_id == store_id)
    return [(row[0], row[1]) for row in session.execute(chosen.order_by(Till.code))]
