"""Verdicts that people proposed and decided, and successes that came too late, as rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, ScalarSelect, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.renewals import RenewalState
from pos.domain.verdicts import ConflictState, Evidence, Says, VerdictState
from pos.store.base import Base, Moment, Word
from pos.store.db import locked
from pos.store.renewals import Renewal


class Verdict(Base):
    """What one person says became of a renewal, and what a second person said to that."""

    __tablename__ = "verdicts"

    id: Mapped[int] = mapped_column(primary_key=True)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"), index=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    state: Mapped[VerdictState] = mapped_column(Word(VerdictState))
    says: Mapped[Says] = mapped_column(Word(Says))
    evidence: Mapped[Evidence] = mapped_column(Word(Evidence))
    reference: Mapped[str] = mapped_column(String(200))
    provider_ref: Mapped[str | None] = mapped_column(String(80))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    # Set while it waits for the second person: the database keeps it to one for each renewal.
    open_renewal: Mapped[str | None] = mapped_column(String(36), unique=True)


class Conflict(Base):
    """The carrier says "done" about a renewal that a manager holds, or whose money is owed or given back (F18)."""

    __tablename__ = "conflicts"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Once for each renewal: what two people then decide is the last word, and `pos verify` names what still differs.
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"), unique=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    state: Mapped[ConflictState] = mapped_column(Word(ConflictState))
    was: Mapped[RenewalState] = mapped_column(Word(RenewalState))
    # Whether the books thought that nothing had ever been sent, so that no float was reserved.
    never_sent: Mapped[bool]
    source: Mapped[str] = mapped_column(String(20))
    provider_ref: Mapped[str] = mapped_column(String(80))
    seen_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index(None, "store_id", "state"),)


def for_change(session: Session, verdict_id: int) -> Verdict | None:
    return session.scalar(locked(select(Verdict).where(Verdict.id == verdict_id)))


def open_about(session: Session, renewal_id: str) -> Verdict | None:
    """The verdict that waits for a second person."""
    return session.scalar(select(Verdict).where(Verdict.open_renewal == renewal_id))


def of_renewal(session: Session, renewal_id: str) -> list[Verdict]:
    return list(session.scalars(select(Verdict).where(Verdict.renewal_id == renewal_id).order_by(Verdict.id)))


def conflict_of(session: Session, renewal_id: str) -> Conflict | None:
    return session.scalar(select(Conflict).where(Conflict.renewal_id == renewal_id))


def to_decide(session: Session, store_id: int) -> list[Renewal]:
    """Renewals of a store that only people can bring further, oldest first."""
    lost = select(Conflict.renewal_id).where(Conflict.state == ConflictState.OPEN)
    waits = (Renewal.state == RenewalState.MANUAL) | Renewal.id.in_(lost)
    return list(session.scalars(select(Renewal).where(Renewal.store_id == store_id, waits).order_by(Renewal.paid_at)))


def open_conflicts_counted(store_id: int, states: frozenset[RenewalState]) -> ScalarSelect[int]:
    """Conflicts that nobody has closed, of renewals that no other list counts; a figure of the strip."""
    return (
        select(func.count())
        .select_from(Conflict)
        .join(Renewal, Renewal.id == Conflict.renewal_id)
        .where(Conflict.store_id == store_id, Conflict.state == ConflictState.OPEN, Renewal.state.not_in(states))
        .scalar_subquery()
    )


def open_conflicts(session: Session, store_id: int, states: frozenset[RenewalState]) -> list[Renewal]:
    """The renewals of ``open_conflicts_counted``."""
    chosen = (
        select(Renewal)
        .join(Conflict, Conflict.renewal_id == Renewal.id)
        .where(Conflict.store_id == store_id, Conflict.state == ConflictState.OPEN, Renewal.state.not_in(states))
    )
    return list(session.scalars(chosen.order_by(Conflict.seen_at)))
