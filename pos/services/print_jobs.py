"""Queue slips, feed each printer from one worker, and ask a person where nobody can know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain.errors import NotFound, StaleForm
from pos.domain.pictures import PrintJobPicture
from pos.domain.print_jobs import DRAWER_LIFE, HOLD_AFTER, PRINT_JOB, JobKind, JobState, lease_for, retry_after
from pos.domain.tills import Desk
from pos.domain.words import N_
from pos.services import deliveries
from pos.services.kit import Kit
from pos.services.sales import job_picture
from pos.services.words import say_in
from pos.store import print_jobs as rows
from pos.store import receipts as receipt_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, begin, move
from receipts import layouts
from receipts.document import Document, as_copy

DRAWER_TITLE = N_("Open the drawer")
# The reason of a slip that came out of the till's other printer.
ON_SPARE = "on_spare"
# So often a printer may say that it is not ready before the spare one takes over: a roll is changed in between.
PATIENCE_WITH_A_PRINTER = 2


@dataclass(frozen=True)
class Sheet:
    """One job as the worker needs it: the printer's settings and the document (None for a drawer pulse)."""

    job_id: int
    printer_id: int
    settings: dict[str, object]
    document: Document | None = field(repr=False)
    owner: str
    attempt: int


def queue_document(
    session: Session,
    document: Document,
    kind: JobKind,
    *,
    till: till_rows.Till,
    pen: Pen,
    sale_id: str | None = None,
    receipt_id: int | None = None,
    copy_number: int = 0,
    printer_id: int | None = None,
) -> rows.PrintJob | None:
    """One more slip for the till's printer or another one, in the transaction that is open; a till without a printer has none."""
    chosen = printer_id if printer_id is not None else till.printer_id
    if chosen is None:
        return None
    job = rows.PrintJob(
        printer_id=chosen,
        till_id=till.id,
        sale_id=sale_id,
        receipt_id=receipt_id,
        kind=kind,
        title=document.title[:120],
        copy_number=copy_number,
        document=document.to_json(),
        attempts=0,
        due_at=pen.at,
        created_at=pen.at,
    )
    begin(session, job, PRINT_JOB, JobState.QUEUED, pen, {"title": job.title, "copy": copy_number})
    return job


def queue_drawer(session: Session, desk: Desk, sale_id: str | None, now: datetime, kit: Kit) -> None:
    """One pulse, once, for a cash action; never for a card and never for a reprint."""
    if desk.till.printer_id is None:
        return
    job = rows.PrintJob(
        printer_id=desk.till.printer_id,
        till_id=desk.till.id,
        sale_id=sale_id,
        kind=JobKind.DRAWER,
        title=DRAWER_TITLE,
        copy_number=0,
        document="",
        attempts=0,
        due_at=now,
        created_at=now,
    )
    begin(session, job, PRINT_JOB, JobState.QUEUED, kit.pen(desk, now), {"title": "drawer"})


def copy_of(document: Document, number: int, local_time: str) -> Document:
    """The same slip with COPY n at top and bottom, in the slip's own language."""
    return as_copy(document, number, layouts.copy_words(number, local_time, say_in(document.language)))


# ------------------------------------------------------------------ the worker's side


def printers_due(*, kit: Kit) -> list[int]:
    with reading() as session:
        return rows.printers_with_work(session, kit.now())


@retried
def take_next(printer_id: int, owner: str, *, kit: Kit) -> Sheet | None:
    """Lease the printer's oldest due job. Originals that are too old are held, drawer pulses that are late cancelled."""
    now = kit.now()
    with transaction() as session:
        printer = till_rows.printer_for_change(session, printer_id)
        if printer is None:
            return None
        while (job := rows.next_for(session, printer_id, now)) is not None:
            pen = _pen(session, job, kit, now)
            age = now - job.created_at
            if job.kind is JobKind.DRAWER and age > DRAWER_LIFE:
                move(session, job, PRINT_JOB, JobState.CANCELLED, pen, {"why": "too late to open the drawer"})
                session.flush()
                continue
            if job.kind is JobKind.ORIGINAL and age > HOLD_AFTER:
                move(session, job, PRINT_JOB, JobState.HELD, pen)
                session.flush()
                continue
            job.lease_owner, job.lease_ends_at, job.attempts = owner, now + lease_for(printer.settings), job.attempts + 1
            job.first_byte_at = None
            move(session, job, PRINT_JOB, JobState.SENDING, pen)
            document = deliveries.for_job(session, Document.from_json(job.document), job.id, kit) if job.document else None
            return Sheet(job.id, printer_id, dict(printer.settings), document, owner, job.attempts)
    return None


@retried
def about_to_send(sheet: Sheet, *, kit: Kit) -> bool:
    """Written before the first byte leaves: from here on nobody may repeat the job by himself. False when the lease is lost."""
    now = kit.now()
    with transaction() as session:
        job = rows.for_change(session, sheet.job_id)
        if job is None or not _still_ours(job, sheet):
            return False
        job.first_byte_at = now
        deliveries.count_paper(session, job.id, _pen(session, job, kit, now))
        return True


@retried
def record(sheet: Sheet, result: str, reason: str | None, near_end: bool, *, kit: Kit) -> None:
    """What the transport knows: printed, sent, not_ready or uncertain. A lost lease means somebody else has decided."""
    now = kit.now()
    with transaction() as session:
        job = rows.for_change(session, sheet.job_id)
        if job is None or not _still_ours(job, sheet):
            return
        session.get_one(till_rows.Printer, sheet.printer_id).near_end = near_end
        job.lease_owner = job.lease_ends_at = None
        job.reason = reason
        if result in ("printed", "sent") and sheet.printer_id == session.get_one(till_rows.Till, job.till_id).spare_printer_id:
            job.reason = ON_SPARE
        to = {
            "printed": JobState.PRINTED,
            "sent": JobState.SENT,
            "not_ready": JobState.WAITING,
            "uncertain": JobState.UNCERTAIN,
        }[result]
        job.due_at = now + retry_after(job.attempts) if to is JobState.WAITING else None
        if to in PRINT_JOB.ends:
            job.ended_at = now
        move(session, job, PRINT_JOB, to, _pen(session, job, kit, now), {"reason": reason or ""})
        if job.due_at is not None:
            session.flush()
            _help_out(session, job, job.due_at, kit)


def _help_out(session: Session, job: rows.PrintJob, due_at: datetime, kit: Kit) -> None:
    """The printer is not ready: nothing else is tried on it for a while, or the till's other printer takes what waits. Nothing of
    it was sent, so no slip can come out twice. The slips behind this one say at once why they do not come."""
    now = kit.now()
    other = _other_printer(session, job)
    if other is None or job.attempts < PATIENCE_WITH_A_PRINTER:
        for behind in rows.queued_behind(session, job.printer_id, due_at):
            behind.reason = job.reason
            move(session, behind, PRINT_JOB, JobState.WAITING, _pen(session, behind, kit, now), {"reason": job.reason or ""})
        session.flush()
        rows.put_off(session, job.printer_id, due_at)
    else:
        rows.move_to(session, job.printer_id, other, job.till_id, now + retry_after(1))


def _other_printer(session: Session, job: rows.PrintJob) -> int | None:
    """The spare printer of the job's till, or its own one when the job waits at the spare."""
    till = session.get_one(till_rows.Till, job.till_id)
    return next((p for p in (till.printer_id, till.spare_printer_id) if p not in (None, job.printer_id)), None)


def _still_ours(job: rows.PrintJob, sheet: Sheet) -> bool:
    """Whether this sheet still holds the job: the attempt is the fence, because all presses of a process share an owner."""
    return job.state is JobState.SENDING and job.lease_owner == sheet.owner and job.attempts == sheet.attempt


def recover(owner_prefix: str, *, kit: Kit) -> None:
    """Jobs of a sender that is gone: uncertain when bytes may have left, queued again when none did."""
    now = kit.now()
    with reading() as session:
        found = rows.abandoned(session, now, owner_prefix)
    for job_id in found:
        _recover(job_id, owner_prefix, now, kit)


@retried
def _recover(job_id: int, owner_prefix: str, now: datetime, kit: Kit) -> None:
    with transaction() as session:
        job = rows.still_abandoned(session, job_id, now, owner_prefix)
        if job is None:
            return
        pen = _pen(session, job, kit, now)
        job.lease_owner = job.lease_ends_at = None
        if job.first_byte_at is not None or job.kind is JobKind.DRAWER:
            job.reason, job.due_at = "no_confirmation", None
            move(session, job, PRINT_JOB, JobState.UNCERTAIN, pen)
        else:
            job.due_at = now
            move(session, job, PRINT_JOB, JobState.QUEUED, pen)


def _pen(session: Session, job: rows.PrintJob, kit: Kit, now: datetime) -> Pen:
    till = session.get_one(till_rows.Till, job.till_id)
    return kit.worker_pen(till_rows.store_of(session, till).plain(), till.plain(), now)


# ------------------------------------------------------------------ the clerk's side


def jobs_at(desk: Desk, limit: int = 12) -> list[PrintJobPicture]:
    """The till's slips, those with a question first."""
    with reading() as session:
        return [job_picture(job) for job in rows.at_till(session, desk.till.id, limit)]


def printer_name(desk: Desk) -> str | None:
    with reading() as session:
        if desk.till.printer_id is None:
            return None
        return session.get_one(till_rows.Printer, desk.till.printer_id).name


def spare_name(desk: Desk) -> str | None:
    """The printer that helps this till out."""
    with reading() as session:
        spare = session.get_one(till_rows.Till, desk.till.id).spare_printer_id
        return None if spare is None else session.get_one(till_rows.Printer, spare).name


def came_out(job_id: int, desk: Desk, *, kit: Kit) -> str | None:
    """A person says that the paper came out. The sale's id, to go back to."""
    return _decide(job_id, desk, kit, {JobState.UNCERTAIN: JobState.PRINTED})


@retried
def did_not_come_out(job_id: int, desk: Desk, *, kit: Kit) -> str | None:
    """A person says that it did not: a numbered copy follows, because nobody can know that no original exists."""
    now = kit.now()
    with transaction() as session:
        job = _mine(session, job_id, desk)
        if job.receipt_id is not None:
            receipt_rows.for_change(session, job.receipt_id)
        pen = kit.pen(desk, now)
        if job.state is JobState.UNCERTAIN:
            move(session, job, PRINT_JOB, JobState.CANCELLED, pen, {"why": "a person says it did not come out"})
            job.ended_at = now
            if job.document:
                number = rows.copies_of(session, job.receipt_id) + 1 if job.receipt_id else job.copy_number + 1
                document = copy_of(Document.from_json(job.document), number, _local(desk, now))
                till = session.get_one(till_rows.Till, job.till_id)
                queue_document(
                    session,
                    document,
                    JobKind.COPY,
                    till=till,
                    pen=pen,
                    sale_id=job.sale_id,
                    receipt_id=job.receipt_id,
                    copy_number=number,
                )
        sale_id = job.sale_id
    kit.bell.set()
    return sale_id


@retried
def release(job_id: int, desk: Desk, *, kit: Kit) -> str | None:
    """Print a held slip after all, or try a waiting one now."""
    now = kit.now()
    with transaction() as session:
        job = _mine(session, job_id, desk)
        if job.state is JobState.HELD:
            job.created_at = job.due_at = now
            move(session, job, PRINT_JOB, JobState.QUEUED, kit.pen(desk, now))
        elif job.state is JobState.WAITING:
            job.due_at = now
        sale_id = job.sale_id
    kit.bell.set()
    return sale_id


@retried
def elsewhere(job_id: int, desk: Desk, *, kit: Kit) -> str | None:
    """Print what has not been sent on the till's other printer, now. The sale's id. Raises NotFound without another printer."""
    now = kit.now()
    with transaction() as session:
        job = _mine(session, job_id, desk)
        other = _other_printer(session, job)
        if other is None:
            raise NotFound
        if job.state in (JobState.HELD, JobState.WAITING):
            job.printer_id, job.created_at, job.due_at = other, now, now
            if job.state is JobState.HELD:
                move(session, job, PRINT_JOB, JobState.QUEUED, kit.pen(desk, now))
        sale_id = job.sale_id
    kit.bell.set()
    return sale_id


def cancel(job_id: int, desk: Desk, *, kit: Kit) -> str | None:
    """Do not print what has not been sent."""
    goals = dict.fromkeys((JobState.QUEUED, JobState.WAITING, JobState.HELD), JobState.CANCELLED)
    return _decide(job_id, desk, kit, goals)


@retried
def _decide(job_id: int, desk: Desk, kit: Kit, goals: dict[JobState, JobState]) -> str | None:
    now = kit.now()
    with transaction() as session:
        job = _mine(session, job_id, desk)
        to = goals.get(job.state)
        if to is not None:
            job.ended_at, job.due_at = now, None
            move(session, job, PRINT_JOB, to, kit.pen(desk, now))
        elif job.state not in PRINT_JOB.ends:
            raise StaleForm
        return job.sale_id


def _mine(session: Session, job_id: int, desk: Desk) -> rows.PrintJob:
    job = rows.for_change(session, job_id)
    if job is None or job.till_id != desk.till.id:
        raise NotFound
    return job


def _local(desk: Desk, now: datetime) -> str:
    return local_time(desk.store.local(now))


def local_time(local: datetime) -> str:
    """As printed: ISO date, time and the name of the zone, so that nobody has to guess the order of day and month."""
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"
