"""Letters with receipts as rows. The address is sealed, and emptied with the last move."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, LargeBinary, String, TextClause, and_, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.receipt_mails import MailState
from pos.store.base import Base, Moment, Word, index_where
from pos.store.db import locked

_UNDER_WAY = "state IN ('queued', 'sending', 'waiting')"


class ReceiptMail(Base):
    __tablename__ = "receipt_mails"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipts.id"), index=True)
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[MailState] = mapped_column(Word(MailState))
    reason: Mapped[str | None] = mapped_column(String(30))
    # Empty once the letter has gone or never will.
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    consent_at: Mapped[datetime] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (index_where("ix_receipt_mails_under_way", "due_at", where=_UNDER_WAY),)


OPEN = (MailState.QUEUED, MailState.WAITING)


def _under_way() -> TextClause:
    return text(f"receipt_mails.{_UNDER_WAY}")


def next_due(session: Session, now: datetime) -> ReceiptMail | None:
    """The letter that waits longest, held."""
    due = and_(_under_way(), ReceiptMail.state.in_(OPEN), ReceiptMail.due_at <= now)
    chosen = select(ReceiptMail).where(due).order_by(ReceiptMail.due_at, ReceiptMail.id)
    return session.scalar(locked(chosen.limit(1), skip=True))


def for_change(session: Session, mail_id: str) -> ReceiptMail | None:
    return session.scalar(locked(select(ReceiptMail).where(ReceiptMail.id == mail_id)))


def _gone(now: datetime, owner_prefix: str) -> ColumnElement[bool]:
    ended = or_(ReceiptMail.lease_ends_at < now, ReceiptMail.lease_owner.startswith(owner_prefix, autoescape=True))
    return and_(_under_way(), ReceiptMail.state == MailState.SENDING, ended)


def abandoned(session: Session, now: datetime, owner_prefix: str) -> list[str]:
    """Letters whose sender is gone."""
    return sorted(session.scalars(select(ReceiptMail.id).where(_gone(now, owner_prefix))))


def still_abandoned(session: Session, mail_id: str, now: datetime, owner_prefix: str) -> ReceiptMail | None:
    chosen = select(ReceiptMail).where(ReceiptMail.id == mail_id, _gone(now, owner_prefix))
    return session.scalar(locked(chosen, skip=True))


def of_receipt(session: Session, receipt_id: int) -> list[ReceiptMail]:
    chosen = select(ReceiptMail).where(ReceiptMail.receipt_id == receipt_id)
    return list(session.scalars(chosen.order_by(ReceiptMail.consent_at, ReceiptMail.id)))
