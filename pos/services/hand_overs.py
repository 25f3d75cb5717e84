"""Hand a code to the customer: on the till's screen once and on paper once. Again only with a manager and a reason.

Each handing over is counted and stands in the journal, without the code. Looking at a receipt hands nothing over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from pos.domain.deliveries import SAME_SHOWING, Delivered
from pos.domain.errors import (
    CodeHandedOut,
    CodeNotThere,
    CodeUnreadable,
    NoPrinter,
    ReasonMissing,
    SaleNotFound,
    SlipUnderWay,
)
from pos.domain.permissions import Permission, may
from pos.domain.print_jobs import PRINT_JOB
from pos.domain.renewals import RenewalState, next_asking
from pos.domain.tills import Desk
from pos.services import deliveries, receipts, renewals, settling
from pos.services.kit import Kit
from pos.store import deliveries as rows
from pos.store import print_jobs as job_rows
from pos.store import receipts as receipt_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store.db import reading, retried, transaction
from pos.store.keys import KeyRingUnusable
from receipts import html, pdf
from receipts.codes import Code

_SHORTEST_REASON = 3


@dataclass(frozen=True)
class HandedOver:
    """A code as the screen shows it now and never again. Nothing of it may reach a log: ``repr`` hides it."""

    kind: Delivered
    text: str = field(repr=False)
    plain: str = field(repr=False)
    serial: str
    instructions: str = field(repr=False)
    validity: str
    masked: str
    picture: str = field(repr=False)
    times_shown: int


@dataclass(frozen=True)
class _Here:
    """A delivery that this desk may hand over, held in the open transaction."""

    session: Session = field(repr=False)
    sale: sale_rows.Sale
    renewal: renewal_rows.Renewal
    delivery: rows.Delivery


@retried
def show(sale_id: str, renewal_id: str, desk: Desk, *, kit: Kit, press: str, reason: str = "") -> HandedOver:
    """The code for the screen. ``press`` is born with the page, so that a double press or a page loaded anew within a minute
    is one showing.

    Raises SaleNotFound, CodeNotThere, CodeHandedOut, ReasonMissing, CodeUnreadable. Power cut: shown and counted, or neither."""
    now = kit.now()
    pressed = hashlib.sha256(press.encode()).hexdigest()
    with transaction() as session:
        here = _here(session, sale_id, renewal_id, desk)
        delivery, code = here.delivery, _opened(here.delivery, kit)
        same = delivery.shown_for == pressed and delivery.shown_at is not None and now - delivery.shown_at <= SAME_SHOWING
        if not same:
            again = delivery.times_shown > 0 or here.sale.till_id != desk.till.id
            why = _refuse_again(again, reason, code, desk)
            delivery.times_shown += 1
            delivery.shown_at, delivery.shown_for = now, pressed
            delivery.first_shown_at = delivery.first_shown_at or now
            content = {"times": delivery.times_shown, "again": again, "reason": why}
            kit.pen(desk, now).note(session, "code.shown", "renewal", renewal_id, content)
        times, kind = delivery.times_shown, delivery.kind
    picture = html.figure(code.text) if code.is_esim else ""
    plain = code.text if code.is_esim else code.text.replace(" ", "")
    parts = (code.serial, code.instructions, code.validity, code.masked)
    return HandedOver(kind, code.text, plain, *parts, picture, times)


def picture_of(delivery: rows.Delivery, kit: Kit) -> str:
    """The code as a picture, for the customer's screen beside the clerk's: the same showing, which was counted. Raises
    CodeNotThere, CodeUnreadable."""
    return html.figure(_opened(delivery, kit).text)


@retried
def print_it(sale_id: str, renewal_id: str, desk: Desk, *, kit: Kit, reason: str = "") -> None:
    """A numbered copy of the receipt at this till that carries the code: where no slip did yet, or again with a manager.

    Raises SaleNotFound, CodeNotThere, SlipUnderWay, CodeHandedOut, ReasonMissing, NoPrinter, CodeUnreadable.
    Power cut: the slip is queued and alone may carry the code, or nothing has changed."""
    now = kit.now()
    with transaction() as session:
        here = _here(session, sale_id, renewal_id, desk)
        why, receipt, documents = _free_for_paper(here, reason, desk, kit)
        pen = kit.pen(desk, now)
        job = receipts.queue_copy(session, receipt, documents, desk, pen)
        if job is None:
            raise NoPrinter
        here.delivery.job_id = job.id
        pen.note(session, "code.reissued", "renewal", renewal_id, {"way": "paper", "job": job.id, "reason": why})
    kit.bell.set()


@retried
def as_pdf(sale_id: str, renewal_id: str, desk: Desk, *, kit: Kit, reason: str = "") -> bytes:
    """The receipt as PDF with the code, for a shop without a printer. It counts as printing.

    Raises what ``print_it`` raises. Power cut: counted and answered, or counted alone: then a manager gives it out again."""
    now = kit.now()
    with transaction() as session:
        here = _here(session, sale_id, renewal_id, desk)
        why, _, documents = _free_for_paper(here, reason, desk, kit)
        delivery = here.delivery
        delivery.job_id, delivery.times_printed = None, delivery.times_printed + 1
        delivery.first_printed_at = delivery.first_printed_at or now
        content = {"way": "pdf", "times": delivery.times_printed, "reason": why}
        kit.pen(desk, now).note(session, "code.saved", "renewal", renewal_id, content)
        document = deliveries.with_codes(receipts.as_it_stands(documents), {renewal_id: delivery}, kit)
    return pdf.render(document)


def ask_once(*, kit: Kit) -> bool:
    """Ask a carrier about a code that a confirmed renewal is still without. False when nothing is due.

    Power cut: the question changes nothing and is asked again."""
    now = kit.now()
    with reading() as session:
        renewal_id = rows.awaited(session, now)
    if renewal_id is None:
        return False
    if _put_off(renewal_id, kit):
        renewals.look_again(renewal_id, kit=kit)
    return True


@retried
def _put_off(renewal_id: str, kit: Kit) -> bool:
    """Own the question: the next time is written before anybody asks. False where another was first."""
    now = kit.now()
    with transaction() as session:
        renewal = settling.lock(session, renewal_id)
        delivery = rows.for_change(session, renewal_id)
        if renewal is None or delivery is None or delivery.sealed is not None or delivery.due_at is None or delivery.due_at > now:
            return False
        if renewal.state is not RenewalState.CONFIRMED:
            delivery.due_at = None  # taken back meanwhile: the money is owed, and no code is
            return False
        delivery.times_asked += 1
        delivery.due_at = now + next_asking(delivery.times_asked)
        return True


# ------------------------------------------------------------------ parts


def _here(session: Session, sale_id: str, renewal_id: str, desk: Desk) -> _Here:
    """Locked in the order of everybody. What was given back, taken back or erased is handed to nobody."""
    renewal = settling.lock(session, renewal_id)
    if renewal is None or renewal.store_id != desk.store.id or renewal.sale_id != sale_id:
        raise SaleNotFound
    delivery = rows.for_change(session, renewal_id)
    if delivery is None or not delivery.sealed or renewal.state is not RenewalState.CONFIRMED:
        raise CodeNotThere
    return _Here(session, session.get_one(sale_rows.Sale, sale_id), renewal, delivery)


def _opened(delivery: rows.Delivery, kit: Kit) -> Code:
    try:
        return deliveries.opened(delivery, kit)
    except (InvalidTag, KeyRingUnusable, ValueError):
        raise CodeUnreadable from None


def _refuse_again(again: bool, reason: str, code: Code, desk: Desk) -> str:
    """The reason as it is kept: empty the first time, a manager's own afterwards, and never the code itself."""
    if not again:
        return ""
    reason = reason.strip()[:200]
    if not may(desk.staff.role, Permission.REISSUE_CODE):
        raise CodeHandedOut
    if len(reason) < _SHORTEST_REASON or code.text.replace(" ", "").lower() in reason.replace(" ", "").lower():
        raise ReasonMissing
    return reason


def _free_for_paper(
    here: _Here, reason: str, desk: Desk, kit: Kit
) -> tuple[str, receipt_rows.Receipt, list[receipt_rows.ReceiptDocument]]:
    """The reason, the receipt and its slips, when no other slip is about to carry the code."""
    session, delivery = here.session, here.delivery
    job = session.get_one(job_rows.PrintJob, delivery.job_id) if delivery.job_id is not None else None
    if job is not None and job.state not in PRINT_JOB.ends:
        raise SlipUnderWay
    why = _refuse_again(delivery.times_printed > 0, reason, _opened(delivery, kit), desk)
    receipt = receipt_rows.by_number(session, here.sale.receipt_number or "")
    documents = receipt_rows.documents_of(session, receipt.id) if receipt is not None else []
    if receipt is None or not documents:
        raise CodeNotThere
    receipt_rows.for_change(session, receipt.id)
    return why, receipt, documents
