"""What carriers called us about: which message, once, and about which of our orders. Never its content."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.store.base import Base, Moment
from pos.store.renewals import Attempt


class Notification(Base):
    """One message of a carrier. ``renewal_id`` is None for a reference that we do not know: the list of orphans."""

    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    carrier: Mapped[str] = mapped_column(String(40))
    # SHA-256 of the message: a carrier repeats until it is heard, and the same message counts once.
    digest: Mapped[str] = mapped_column(String(64))
    ref: Mapped[str | None] = mapped_column(String(36))
    renewal_id: Mapped[str | None] = mapped_column(ForeignKey("renewals.id"))
    authenticated: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Moment)
    # When the carrier was asked because of it, or the worker's own question was brought forward.
    asked_at: Mapped[datetime | None] = mapped_column(Moment, index=True)

    __table_args__ = (UniqueConstraint("carrier", "digest"),)


def keep(session: Session, carrier: str, digest: str, ref: str | None, authenticated: bool, at: datetime) -> int | None:
    """The id of a message that was not known yet, or None. Of two that arrive at once one wins."""
    values = {"carrier": carrier, "digest": digest, "ref": ref, "authenticated": authenticated, "at": at}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = insert(Notification).values(values).on_conflict_do_nothing(index_elements=["carrier", "digest"])
    return session.scalar(new.returning(Notification.id))


def renewal_of(session: Session, ref: str) -> str | None:
    """The renewal whose attempt has this reference."""
    return session.scalar(select(Attempt.renewal_id).where(Attempt.ref == ref))


def unasked(session: Session, limit: int = 20) -> list[Notification]:
    """Messages about orders that seemed to be over, oldest first: perhaps the carrier took one back."""
    chosen = select(Notification).where(Notification.asked_at.is_(None), Notification.renewal_id.is_not(None))
    return list(session.scalars(chosen.order_by(Notification.id).limit(limit)))


def count_orphans(session: Session) -> int:
    """Messages about references that we never made."""
    chosen = select(func.count()).select_from(Notification).where(Notification.renewal_id.is_(None))
    return session.scalar(chosen) or 0
