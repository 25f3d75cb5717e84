"""Holds as rows: what each carrier was asked to set aside before a customer paid."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, and_, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.holds import ANSWER_BY, HoldState
from pos.domain.renewals import UNPAID, RenewalState
from pos.domain.sales import SaleState
from pos.store.base import Base, Moment, Word, index_where
from pos.store.db import locked
from pos.store.renewals import Renewal
from pos.store.sales import Sale

_OPEN = "state IN ('asked', 'held', 'lost', 'given_up')"


class Hold(Base):
    """``ref`` is our reference at the carrier, and the attempt's once the hold is used."""

    __tablename__ = "holds"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"), index=True)
    carrier: Mapped[str] = mapped_column(String(40))
    ref: Mapped[str] = mapped_column(String(36), unique=True)
    state: Mapped[HoldState] = mapped_column(Word(HoldState))
    provider_ref: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(String(40))
    raw_code: Mapped[str | None] = mapped_column(String(80))
    held_until: Mapped[datetime | None] = mapped_column(Moment)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    times_asked: Mapped[int] = mapped_column(default=0)

    __table_args__ = (index_where("ix_holds_open", "carrier", "due_at", where=_OPEN),)


def for_change(session: Session, hold_id: str) -> Hold | None:
    return session.scalar(locked(select(Hold).where(Hold.id == hold_id)))


def of_renewal(session: Session, renewal_id: str) -> Hold | None:
    """The latest."""
    return session.scalar(select(Hold).where(Hold.renewal_id == renewal_id).order_by(Hold.asked_at.desc()).limit(1))


def of_sale(session: Session, sale_id: str) -> dict[str, Hold]:
    """The latest of each line, by renewal."""
    chosen = select(Hold).join(Renewal, Renewal.id == Hold.renewal_id).where(Renewal.sale_id == sale_id)
    return {hold.renewal_id: hold for hold in session.scalars(chosen.order_by(Hold.asked_at))}


def unwanted(session: Session, now: datetime) -> list[str]:
    """Holds that nobody will confirm: of a plan that was dropped or paid for otherwise, of a quote that is over with no card at
    the terminal, or whose answer nobody waits for any more."""
    over = and_(Renewal.quote_ends_at < now, Renewal.state.in_(UNPAID), Sale.state == SaleState.DRAFT)
    unused = and_(Hold.state == HoldState.HELD, Renewal.state.not_in((*UNPAID, RenewalState.PAID)))
    unheard = and_(Hold.state == HoldState.ASKED, Hold.asked_at < now - ANSWER_BY)
    chosen = (
        select(Hold.id)
        .join(Renewal, Renewal.id == Hold.renewal_id)
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(text(f"holds.{_OPEN}"), Hold.state != HoldState.GIVEN_UP)
        .where(
            or_(Renewal.state == RenewalState.VOIDED, Hold.state == HoldState.LOST, unheard, over, unused, Hold.held_until < now)
        )
    )
    return list(session.scalars(chosen))


def to_release(session: Session, now: datetime) -> list[str]:
    """Holds that are given up and not known to be gone, whose time has come."""
    chosen = select(Hold.id).where(text(f"holds.{_OPEN}"), Hold.state == HoldState.GIVEN_UP, Hold.due_at <= now)
    return list(session.scalars(chosen.order_by(Hold.due_at)))
