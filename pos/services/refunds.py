"""Give the customer's money back after the carrier refused: cash from the drawer, a card's money to the card."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pos.domain.errors import DrawerTooLow, NotAllowed, OtherRefund, ReasonMissing, StaleForm
from pos.domain.money import Money
from pos.domain.payments import Tender
from pos.domain.permissions import Permission, may
from pos.domain.renewals import RenewalState
from pos.domain.shifts import Movement
from pos.domain.tills import Desk
from pos.services import card_refunds, print_jobs
from pos.services.drawer import add_movement
from pos.services.kit import Kit
from pos.services.owed import Owed, begin_refund, book, find, open_shift
from pos.store import sales as rows
from pos.store.db import retried, transaction


@retried
def pay_back(
    sale_id: str,
    desk: Desk,
    *,
    kit: Kit,
    renewal_id: str | None = None,
    authorisation: str = "",
    slip_number: str = "",
) -> Money:
    """The amount given back (move 19), booked in the present shift whatever shift sold it: cash out of the drawer, or what
    the terminal's slip says went to the card. The same post again gives the same answer and changes nothing.

    Raises NotYetKnown while the carrier is undecided, NothingToRefund, WhichLine, NoOpenShift, DrawerTooLow,
    RefundOverLimit, RefundSlipIncomplete, RefundSlipUsed, OtherRefund.
    Power cut: none of it or all of it."""
    with transaction() as session:
        owed = find(session, sale_id, renewal_id, desk)
        if owed.payment.tender is Tender.CARD:
            card_refunds.record_slip(session, owed, authorisation, slip_number, desk, kit)
        elif owed.line.state is not RenewalState.REFUNDED:
            _from_drawer(session, owed, desk, kit)
        amount = owed.amount
    kit.bell.set()
    return amount


@retried
def pay_card_in_cash(sale_id: str, reason: str, desk: Desk, *, kit: Kit, renewal_id: str | None = None) -> Money:
    """Cash for card money that the terminal cannot give back: a manager's word, with a reason, in the journal.

    Raises NotAllowed, ReasonMissing, StaleForm while the terminal may still have it, OtherRefund when the card has it."""
    if not may(desk.staff.role, Permission.REFUND_CARD_IN_CASH):
        raise NotAllowed
    if not reason.strip():
        raise ReasonMissing
    with transaction() as session:
        owed = find(session, sale_id, renewal_id, desk)
        amount = owed.amount
        if owed.line.state is RenewalState.REFUNDED:
            return _same_cash(session, owed)
        if owed.payment.tender is not Tender.CARD or owed.line.state is not RenewalState.REFUND_DUE:
            raise StaleForm
        content = {"renewal": owed.line.id, "amount": amount.minor, "reason": reason[:200]}
        kit.pen(desk, kit.now()).note(session, "refund.in_cash", "sale", sale_id, content)
        _from_drawer(session, owed, desk, kit, reason[:200])
    kit.bell.set()
    return amount


def _from_drawer(session: Session, owed: Owed, desk: Desk, kit: Kit, reason: str = "") -> None:
    """Cash needs no intent: the drawer opens by a job of the commit that books it, once."""
    pen = kit.pen(desk, kit.now())
    shift = open_shift(session, desk)
    if shift.expected_minor < owed.amount.minor:
        raise DrawerTooLow(amount=owed.amount)
    refund = begin_refund(session, owed, Tender.CASH, shift, desk, pen, reason)
    add_movement(session, shift, Movement.REFUND, owed.amount, desk, pen.at, sale_id=owed.sale.id, reason=reason)
    print_jobs.queue_drawer(session, desk, owed.sale.id, pen.at, kit)
    book(session, owed, refund, shift, desk, pen, kit)


def _same_cash(session: Session, owed: Owed) -> Money:
    given = rows.refund_of(session, owed.line.id)
    if given is None or given.tender is not Tender.CASH:
        raise OtherRefund
    return owed.amount
