"""Give the customer's money back after the carrier refused: cash from the drawer, a card's money to the card."""

from __future__ import annotations

from pos.domain import ledger
from pos.domain.errors import (
    CardSlipIncomplete,
    DrawerTooLow,
    NoOpenShift,
    NothingToRefund,
    NotYetKnown,
    OtherRefund,
    SaleNotFound,
)
from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.refunds import REFUND, RefundState
from pos.domain.renewals import IN_DOUBT, RENEWAL, RenewalState
from pos.domain.shifts import Movement
from pos.domain.tills import Desk
from pos.services import print_jobs, receipts
from pos.services.kit import Kit
from pos.services.shifts import add_movement
from pos.store import ledger as books
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import retried, transaction
from pos.store.life import begin, move


@retried
def pay_back(
    sale_id: str, desk: Desk, *, kit: Kit, renewal_id: str | None = None, authorisation: str = "", slip_number: str = ""
) -> Money:
    """The amount given back for a line, or for the only one (move 19), booked in the present shift whatever shift sold it. The
    same post again gives the same answer and changes nothing.

    Raises NotYetKnown while the carrier is undecided, NothingToRefund, NoOpenShift, DrawerTooLow, CardSlipIncomplete.
    Power cut: none of it or all of it; a card's refund slip is asked for before the commit."""
    now = kit.now()
    with transaction() as session:
        sale = rows.for_change(session, sale_id)
        if sale is None or sale.store_id != desk.store.id:
            raise SaleNotFound
        lines = [line for line in renewal_rows.live_of_sale(session, sale_id) if renewal_id in (None, line.id)]
        renewal = renewal_rows.for_change(session, lines[0].id) if lines else None
        if renewal is None:
            raise NothingToRefund
        if renewal.state is RenewalState.REFUNDED:
            given = rows.refund_of(session, renewal.id)
            told = (authorisation or None, slip_number or None)
            if given is not None and given.tender is Tender.CARD and told != (given.authorisation, given.slip_number):
                raise OtherRefund
            return renewal.price
        if renewal.state in IN_DOUBT:
            raise NotYetKnown
        if renewal.state is not RenewalState.REFUND_DUE:
            raise NothingToRefund
        shift = shift_rows.open_at(session, desk.till.id)
        if shift is None:
            raise NoOpenShift
        payment = next(p for p in rows.payments_of(session, sale_id) if p.state is PaymentState.TAKEN)
        cash = payment.tender is Tender.CASH
        if cash and shift.expected_minor < renewal.price_minor:
            raise DrawerTooLow(amount=renewal.price)
        if not cash and not (authorisation and slip_number):
            raise CardSlipIncomplete
        pen = kit.pen(desk, now)
        refund = rows.Refund(
            sale_id=sale_id,
            renewal_id=renewal.id,
            payment_id=payment.id,
            shift_id=shift.id,
            staff_id=desk.staff.id,
            tender=payment.tender,
            amount_minor=renewal.price_minor,
            currency=renewal.currency,
            authorisation=authorisation or None,
            slip_number=slip_number or None,
            at=now,
        )
        content = {"sale": sale_id, "amount": renewal.price_minor, "tender": payment.tender.value}
        begin(session, refund, REFUND, RefundState.REFUNDING, pen, content)
        move(session, renewal, RENEWAL, RenewalState.REFUNDING, pen)
        if cash:
            add_movement(session, shift, Movement.REFUND, renewal.price, desk, now, sale_id=sale_id)
            print_jobs.queue_drawer(session, desk, sale_id, now, kit)
        else:
            shift.card_refund_minor += renewal.price_minor
        shift.refunds_minor += renewal.price_minor
        shift.refunds_count += 1
        books.post(
            session,
            ledger.on_refunded(payment.tender, renewal.price),
            at=now,
            business_day=desk.store.business_day(now),
            store_id=desk.store.id,
            till_id=desk.till.id,
            shift_id=shift.id,
            sale_id=sale_id,
            renewal_id=renewal.id,
        )
        move(session, renewal, RENEWAL, RenewalState.REFUNDED, pen)
        refund.receipt_number = receipts.issue_refund(session, sale, renewal, refund, desk, pen)
        slip = {"receipt": refund.receipt_number, "authorisation": authorisation, "slip": slip_number}
        move(session, refund, REFUND, RefundState.REFUNDED, pen, slip)
    kit.bell.set()
    return renewal.price
