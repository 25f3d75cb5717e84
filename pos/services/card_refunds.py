"""Card money on its way back. The intent is written before the terminal is touched; only its slip, or its own list read by
a person, says what became of it. Nothing here decides by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain.errors import OtherRefund, RefundSlipIncomplete, RefundSlipUsed, StaleForm
from pos.domain.payments import TENDER_PATIENCE, Tender
from pos.domain.refunds import OPEN, REFUND, RefundState
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.tills import Desk
from pos.services.kit import Kit
from pos.services.owed import Owed, begin_refund, book, find, open_shift, queue_up_for_slip
from pos.services.tills import desk_of
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import move


@retried
def begin_card_refund(sale_id: str, desk: Desk, *, kit: Kit, renewal_id: str | None = None) -> None:
    """Write down that the clerk is about to give the money back on the terminal (move 19). Again, or from a second till:
    nothing changes. No total and no account knows of it before the terminal's slip is told.

    Raises NotYetKnown, NothingToRefund, WhichLine, NoOpenShift, RefundOverLimit, StaleForm for money that was cash."""
    with transaction() as session:
        owed = find(session, sale_id, renewal_id, desk)
        if owed.payment.tender is not Tender.CARD:
            raise StaleForm
        if owed.line.state is RenewalState.REFUND_DUE:
            shift = open_shift(session, desk)
            begin_refund(session, owed, Tender.CARD, shift, desk, kit.pen(desk, kit.now()))


def record_slip(session: Session, owed: Owed, authorisation: str, slip_number: str, desk: Desk, kit: Kit) -> None:
    """The terminal gave it back, or its list shows it. A slip without an intent counts too: that money has left as well.

    The same slip again changes nothing. Raises OtherRefund for another one, RefundSlipIncomplete, RefundSlipUsed."""
    refund = rows.refund_of(session, owed.line.id)
    if refund is not None and refund.state is RefundState.REFUNDED:
        if (refund.authorisation, refund.slip_number) != (authorisation or None, slip_number or None):
            raise OtherRefund
        return
    _refuse_slip(session, authorisation, slip_number, desk, kit)
    shift, pen = open_shift(session, desk), kit.pen(desk, kit.now())
    if refund is None or refund.state not in OPEN:
        refund = begin_refund(session, owed, Tender.CARD, shift, desk, pen)
    refund.authorisation, refund.slip_number = authorisation, slip_number
    shift.card_refund_minor += refund.amount_minor
    book(session, owed, refund, shift, desk, pen, kit)


def _refuse_slip(session: Session, authorisation: str, slip_number: str, desk: Desk, kit: Kit) -> None:
    """A terminal numbers its slips: one that stands for something else already is not this refund's."""
    if not (authorisation and slip_number):
        error = RefundSlipIncomplete()
        error.field = "slip_number" if authorisation else "authorisation"
        raise error
    queue_up_for_slip(session, authorisation, slip_number)
    since = kit.now() - timedelta(days=1)
    sold = rows.sale_of_slip(session, desk.till.id, authorisation, slip_number, since)
    given = rows.refund_of_slip(session, desk.till.id, authorisation, slip_number, since)
    number = sold.receipt_number if sold is not None else given.receipt_number if given is not None else None
    if number is not None:
        raise RefundSlipUsed(number=number)


def card_refund_declined(sale_id: str, desk: Desk, *, kit: Kit, renewal_id: str | None = None) -> None:
    """The terminal gave nothing back: the money is owed as before, and another try may follow."""
    _end(sale_id, renewal_id, RefundState.REFUNDING, RefundState.DECLINED, "", desk, kit)


def card_refund_is_missing(sale_id: str, desk: Desk, *, kit: Kit, renewal_id: str | None = None) -> None:
    """A person looked: the terminal's own list does not show it. The money is owed as before."""
    _end(sale_id, renewal_id, RefundState.IN_DOUBT, RefundState.MISSING, "not on the terminal's list", desk, kit)


@retried
def _end(
    sale_id: str, renewal_id: str | None, was: RefundState, becomes: RefundState, evidence: str, desk: Desk, kit: Kit
) -> None:
    with transaction() as session:
        owed = find(session, sale_id, renewal_id, desk)
        refund = rows.refund_of(session, owed.line.id)
        if refund is None or refund.state is not was:
            return
        pen = kit.pen(desk, kit.now())
        move(session, refund, REFUND, becomes, pen, {"evidence": evidence})
        move(session, owed.line, RENEWAL, RenewalState.REFUND_DUE, pen, {"amount": owed.amount.minor})


@retried
def card_refund_without_result(sale_id: str, desk: Desk, *, kit: Kit, renewal_id: str | None = None) -> None:
    """No result from the terminal: its own list decides, nothing else."""
    with transaction() as session:
        owed = find(session, sale_id, renewal_id, desk)
        refund = rows.refund_of(session, owed.line.id)
        if refund is not None and refund.state is RefundState.REFUNDING:
            move(session, refund, REFUND, RefundState.IN_DOUBT, kit.pen(desk, kit.now()))


def mark_silent_refunds(*, kit: Kit) -> int:
    """The worker's part: refunds without a result for two minutes, or left behind by a crash. How many were marked."""
    now = kit.now()
    with reading() as session:
        silent = rows.refunds_left_open(session, now - TENDER_PATIENCE)
    return sum(_mark_silent(sale_id, now, kit) for sale_id in silent)


@retried
def _mark_silent(sale_id: str, now: datetime, kit: Kit) -> int:
    marked = 0
    with transaction() as session:
        rows.for_change(session, sale_id)
        for refund in rows.refunds_of(session, sale_id):
            if refund.state is RefundState.REFUNDING and refund.at < now - TENDER_PATIENCE:
                desk = desk_of(session, session.get_one(shift_rows.Shift, refund.shift_id).till_id, refund.staff_id)
                move(session, refund, REFUND, RefundState.IN_DOUBT, kit.pen(desk, now))
                marked += 1
    return marked
