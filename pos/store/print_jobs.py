"""Print jobs as rows, and the lease that lets one worker feed one printer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    ScalarSelect,
    String,
    Text,
    TextClause,
    and_,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.print_jobs import JobKind, JobState
from pos.store.base import Base, Moment, Word, index_where
from pos.store.db import locked

_UNDER_WAY = "state IN ('queued', 'sending', 'waiting', 'uncertain', 'held')"


class PrintJob(Base):
    __tablename__ = "print_jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    printer_id: Mapped[int] = mapped_column(ForeignKey("printers.id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    sale_id: Mapped[str | None] = mapped_column(ForeignKey("sales.id"), index=True)
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipts.id"))
    kind: Mapped[JobKind] = mapped_column(Word(JobKind))
    state: Mapped[JobState] = mapped_column(Word(JobState))
    reason: Mapped[str | None] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(120))
    copy_number: Mapped[int] = mapped_column(default=0)
    document: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    first_byte_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        index_where("ix_print_jobs_under_way", "printer_id", "due_at", where=_UNDER_WAY),
        Index(None, "till_id", "created_at"),
    )


OPEN = (JobState.QUEUED, JobState.WAITING)
QUESTIONS = (JobState.UNCERTAIN, JobState.HELD, JobState.WAITING)


def under_way() -> TextClause:
    """Slips that are not over, in the words of their index."""
    return text(f"print_jobs.{_UNDER_WAY}")


def printers_with_work(session: Session, now: datetime) -> list[int]:
    """Printers that have something due and nothing under way."""
    due = select(PrintJob.printer_id).where(under_way(), PrintJob.state.in_(OPEN), PrintJob.due_at <= now).distinct()
    sending = and_(under_way(), PrintJob.state == JobState.SENDING)
    busy = select(PrintJob.printer_id).where(sending, PrintJob.lease_ends_at >= now)
    return list(session.scalars(due.where(PrintJob.printer_id.not_in(busy))))


def next_for(session: Session, printer_id: int, now: datetime) -> PrintJob | None:
    """The oldest due job of a printer that is held, none while another one is being sent to it. Drawer pulses go first."""
    busy = select(PrintJob.id).where(under_way(), PrintJob.printer_id == printer_id, PrintJob.state == JobState.SENDING)
    if session.scalar(busy.limit(1)) is not None:
        return None
    due = and_(under_way(), PrintJob.state.in_(OPEN), PrintJob.due_at <= now)
    chosen = select(PrintJob).where(PrintJob.printer_id == printer_id, due)
    return session.scalar(locked(chosen.order_by(PrintJob.id).limit(1), skip=True))


def queued_behind(session: Session, printer_id: int, until: datetime) -> list[PrintJob]:
    """The slips that have not been tried yet and would be before that time, held. Drawer pulses wait for nothing."""
    chosen = and_(under_way(), PrintJob.printer_id == printer_id, PrintJob.state == JobState.QUEUED, PrintJob.due_at < until)
    return list(
        session.scalars(locked(select(PrintJob).where(chosen, PrintJob.kind != JobKind.DRAWER).order_by(PrintJob.id), skip=True))
    )


def put_off(session: Session, printer_id: int, until: datetime) -> None:
    """Nothing else is tried on a printer that has just said that it is not ready; the oldest job goes on asking for all."""
    others = and_(under_way(), PrintJob.printer_id == printer_id, PrintJob.state.in_(OPEN), PrintJob.due_at < until)
    session.execute(update(PrintJob).where(others, PrintJob.kind != JobKind.DRAWER).values(due_at=until))


def move_to(session: Session, printer_id: int, other: int, till_id: int, due_at: datetime) -> None:
    """Another printer takes what a till has waiting at this one; never a drawer pulse, which opens a certain drawer."""
    waiting = and_(under_way(), PrintJob.printer_id == printer_id, PrintJob.till_id == till_id, PrintJob.state.in_(OPEN))
    session.execute(update(PrintJob).where(waiting, PrintJob.kind != JobKind.DRAWER).values(printer_id=other, due_at=due_at))


def _gone(now: datetime, owner_prefix: str) -> ColumnElement[bool]:
    """Whether a job's sender is gone: its lease ended, or it is an earlier life of this worker."""
    ended = or_(PrintJob.lease_ends_at < now, PrintJob.lease_owner.startswith(owner_prefix, autoescape=True))
    return and_(under_way(), PrintJob.state == JobState.SENDING, ended)


def abandoned(session: Session, now: datetime, owner_prefix: str) -> list[int]:
    """Jobs whose sender is gone."""
    return sorted(session.scalars(select(PrintJob.id).where(_gone(now, owner_prefix))))


def still_abandoned(session: Session, job_id: int, now: datetime, owner_prefix: str) -> PrintJob | None:
    """The job, held, unless somebody else has it in hand or has seen to it."""
    return session.scalar(locked(select(PrintJob).where(PrintJob.id == job_id, _gone(now, owner_prefix)), skip=True))


def for_change(session: Session, job_id: int) -> PrintJob | None:
    return session.scalar(locked(select(PrintJob).where(PrintJob.id == job_id)))


def of_sale(session: Session, sale_id: str) -> list[PrintJob]:
    return list(session.scalars(select(PrintJob).where(PrintJob.sale_id == sale_id).order_by(PrintJob.id)))


def at_till(session: Session, till_id: int, limit: int) -> list[PrintJob]:
    """The till's latest jobs, those with a question first."""
    asking = select(PrintJob).where(under_way(), PrintJob.till_id == till_id, PrintJob.state.in_(QUESTIONS))
    recent = select(PrintJob).where(PrintJob.till_id == till_id, PrintJob.state.not_in(QUESTIONS))
    first = list(session.scalars(asking.order_by(PrintJob.id.desc()).limit(limit)))
    return first + list(session.scalars(recent.order_by(PrintJob.id.desc()).limit(limit)))


def questions_counted(till_id: int) -> ScalarSelect[int]:
    """Slips of a till that wait for a word of the clerk; a figure of the strip."""
    chosen = select(func.count()).select_from(PrintJob)
    return chosen.where(under_way(), PrintJob.till_id == till_id, PrintJob.state.in_(QUESTIONS)).scalar_subquery()


def latest_problem(printer_id: int) -> ScalarSelect[str]:
    """Why the newest waiting job of a printer waits, empty for no reason, none where nothing waits; for the strip."""
    waiting = and_(under_way(), PrintJob.state == JobState.WAITING)
    chosen = select(func.coalesce(PrintJob.reason, "")).where(PrintJob.printer_id == printer_id, waiting)
    return chosen.order_by(PrintJob.id.desc()).limit(1).scalar_subquery()


def on_paper(session: Session, receipt_id: int) -> bool:
    """Whether the receipt came out of a printer, or may still do so; not when a person has cancelled it."""
    kinds, alive = PrintJob.kind.in_((JobKind.ORIGINAL, JobKind.COPY)), PrintJob.state != JobState.CANCELLED
    return session.scalar(select(PrintJob.id).where(PrintJob.receipt_id == receipt_id, kinds, alive).limit(1)) is not None


def copies_of(session: Session, receipt_id: int) -> int:
    """How many copies have been asked for; the next one is this plus one."""
    chosen = select(func.max(PrintJob.copy_number)).where(PrintJob.receipt_id == receipt_id)
    return session.scalar(chosen) or 0
