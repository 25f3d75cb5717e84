"""Voucher codes and eSIMs as rows: sealed, with how often each was shown and printed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, LargeBinary, ScalarSelect, String, and_, exists, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.deliveries import Delivered
from pos.domain.renewals import RenewalState
from pos.ports import Fulfilment
from pos.store.base import Base, Moment, Word, index_where
from pos.store.db import locked
from pos.store.renewals import Renewal
from pos.store.sales import Sale

_AWAITED = "sealed IS NULL"


class Delivery(Base):
    """What a confirmed renewal delivers as text; ``sealed`` is empty until the carrier has told it."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"), unique=True)
    kind: Mapped[Delivered] = mapped_column(Word(Delivered))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The end of the code, or of the eSIM's own number.
    masked: Mapped[str] = mapped_column(String(30), default="")
    iccid_look_up: Mapped[str | None] = mapped_column(String(80), index=True)
    times_shown: Mapped[int] = mapped_column(default=0)
    first_shown_at: Mapped[datetime | None] = mapped_column(Moment)
    shown_at: Mapped[datetime | None] = mapped_column(Moment)
    # The press of a button that it was shown for last.
    shown_for: Mapped[str | None] = mapped_column(String(64))
    times_printed: Mapped[int] = mapped_column(default=0)
    first_printed_at: Mapped[datetime | None] = mapped_column(Moment)
    # The one slip that may carry the code; every other has it masked.
    job_id: Mapped[int | None] = mapped_column(ForeignKey("print_jobs.id"), index=True)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    times_asked: Mapped[int] = mapped_column(default=0)

    __table_args__ = (index_where("ix_deliveries_awaited", "due_at", where=_AWAITED),)


def of(session: Session, renewal: Renewal) -> Delivery | None:
    """What a renewal delivers as text; most deliver nothing, and nobody asks for those."""
    return None if renewal.fulfilment == Fulfilment.DIRECT else of_renewal(session, renewal.id)


def of_renewal(session: Session, renewal_id: str) -> Delivery | None:
    return session.scalar(select(Delivery).where(Delivery.renewal_id == renewal_id))


def shown_since(session: Session, sale_id: str, since: datetime) -> Delivery | None:
    """An eSIM of a sale whose code a screen shows since a moment."""
    chosen = select(Delivery).join(Renewal, Renewal.id == Delivery.renewal_id).where(Renewal.sale_id == sale_id)
    return session.scalar(chosen.where(Delivery.kind == Delivered.ESIM, Delivery.shown_at >= since).limit(1))


def for_change(session: Session, renewal_id: str) -> Delivery | None:
    """The same, held; whoever asks holds the renewal, or only counts what a printer took."""
    return session.scalar(locked(select(Delivery).where(Delivery.renewal_id == renewal_id)))


def carried_by(session: Session, job_id: int) -> list[Delivery]:
    """What a slip may carry in clear, held."""
    return list(session.scalars(locked(select(Delivery).where(Delivery.job_id == job_id).order_by(Delivery.id))))


def awaited(session: Session, now: datetime) -> str | None:
    """The renewal whose code is to be asked about first."""
    due = and_(sql(f"deliveries.{_AWAITED}"), Delivery.due_at <= now)
    return session.scalar(select(Delivery.renewal_id).where(due).order_by(Delivery.due_at, Delivery.id).limit(1))


def awaited_in(session: Session, store_id: int) -> list[tuple[Renewal, Sale]]:
    """What a store's customers have paid for and the carrier has not sent; oldest first. What was taken back is owed instead."""
    # From the few that are awaited to their renewals, never the other way round.
    few = select(Delivery.renewal_id).where(sql(f"deliveries.{_AWAITED}"))
    chosen = select(Renewal, Sale).join(Sale, Sale.id == Renewal.sale_id).where(Renewal.id.in_(few), *_owed(store_id))
    return [(row[0], row[1]) for row in session.execute(chosen.order_by(Renewal.paid_at, Renewal.id))]


def awaited_counted(store_id: int) -> ScalarSelect[int]:
    """How many there are of them; a figure of the strip."""
    owed = exists().where(Renewal.id == Delivery.renewal_id, *_owed(store_id))
    return select(func.count()).select_from(Delivery).where(sql(f"deliveries.{_AWAITED}"), owed).scalar_subquery()


def _owed(store_id: int) -> tuple[ColumnElement[bool], ...]:
    return Renewal.store_id == store_id, Renewal.state == RenewalState.CONFIRMED


def by_iccid(session: Session, store_id: int, look_up: str, limit: int) -> list[tuple[Renewal, Sale]]:
    """Where an eSIM of this number was sold."""
    chosen = select(Renewal, Sale).join(Sale, Sale.id == Renewal.sale_id).join(Delivery, Delivery.renewal_id == Renewal.id)
    chosen = chosen.where(Delivery.iccid_look_up == look_up, Sale.store_id == store_id)
    return [(row[0], row[1]) for row in session.execute(chosen.order_by(Sale.opened_at.desc()).limit(limit))]
