"""What is owed back: which renewal of a sale, how much, from which payment; and the booking of money that has left."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import (
    MoreThanPaid,
    NoOpenShift,
    NothingToRefund,
    NotYetKnown,
    RefundOverLimit,
    SaleNotFound,
    WhichLine,
)
from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.permissions import Permission, may
from pos.domain.refunds import REFUND, RefundState
from pos.domain.renewals import IN_DOUBT, RENEWAL, RenewalState
from pos.domain.tills import Desk
from pos.services import receipts
from pos.services.kit import Kit
from pos.store import ledger as books
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import queue_up
from pos.store.life import Pen, begin, move

_OWING = (RenewalState.REFUND_DUE, RenewalState.REFUNDING)


@dataclass(frozen=True)
class Owed:
    """One renewal with the payment that its money came with; its sale and all of them are locked."""

    sale: rows.Sale
    line: renewal_rows.Renewal
    payment: rows.Payment

    @property
    def amount(self) -> Money:
        return self.line.price


def find(session: Session, sale_id: str, renewal_id: str | None, desk: Desk) -> Owed:
    """The renewal whose money is owed, under way or given back; without ``renewal_id`` the only one that owes any.

    Raises SaleNotFound, WhichLine, NotYetKnown while the carrier is undecided, NothingToRefund."""
    sale = rows.for_change(session, sale_id)
    if sale is None or sale.store_id != desk.store.id:
        raise SaleNotFound
    lines = renewal_rows.live_for_change(session, sale_id)
    line = _line([one for one in lines if renewal_id in (None, one.id)])
    payment = next(one for one in rows.payments_of(session, sale_id) if one.state is PaymentState.TAKEN)
    return Owed(sale, line, payment)


def _line(lines: list[renewal_rows.Renewal]) -> renewal_rows.Renewal:
    for states in (_OWING, (RenewalState.REFUNDED,)):
        found = [line for line in lines if line.state in states]
        if len(found) > 1:
            raise WhichLine
        if found:
            return found[0]
    if any(line.state in IN_DOUBT for line in lines):
        raise NotYetKnown
    raise NothingToRefund


def open_shift(session: Session, desk: Desk) -> shift_rows.Shift:
    shift = shift_rows.open_at(session, desk.till.id)
    if shift is None:
        raise NoOpenShift
    return shift


def begin_refund(
    session: Session, owed: Owed, tender: Tender, shift: shift_rows.Shift, desk: Desk, pen: Pen, reason: str = ""
) -> rows.Refund:
    """The refund as an intent: the renewal is being given back, and no total knows of it yet.

    Raises MoreThanPaid, and RefundOverLimit for a clerk."""
    _refuse_too_much(session, owed, desk)
    content = {"sale": owed.sale.id, "amount": owed.amount.minor, "tender": tender.value, "reason": reason}
    refund = rows.refund_of(session, owed.line.id)
    if refund is None:
        refund = _refund(owed)
        _begun(refund, tender, shift, desk, pen, reason)
        begin(session, refund, REFUND, RefundState.REFUNDING, pen, content)
    else:
        _begun(refund, tender, shift, desk, pen, reason)
        move(session, refund, REFUND, RefundState.REFUNDING, pen, content)
    move(session, owed.line, RENEWAL, RenewalState.REFUNDING, pen)
    return refund


def _refund(owed: Owed) -> rows.Refund:
    return rows.Refund(
        sale_id=owed.sale.id,
        renewal_id=owed.line.id,
        payment_id=owed.payment.id,
        amount_minor=owed.amount.minor,
        currency=owed.amount.currency,
    )


def _begun(refund: rows.Refund, tender: Tender, shift: shift_rows.Shift, desk: Desk, pen: Pen, reason: str) -> None:
    """Who tries it, where and how; a second try may be another's, and another way."""
    refund.tender, refund.reason = tender, reason or None
    refund.shift_id, refund.staff_id, refund.at = shift.id, desk.staff.id, pen.at


def _refuse_too_much(session: Session, owed: Owed, desk: Desk) -> None:
    # The limit is for a sale and not for a line: several small refunds are a large one.
    given = rows.given_back_minor(session, owed.sale.id) + owed.amount.minor
    if given > owed.payment.amount_minor:
        raise MoreThanPaid
    limit = desk.store.refund_limit_minor
    if limit is not None and given > limit and not may(desk.staff.role, Permission.REFUND_OVER_LIMIT):
        raise RefundOverLimit(amount=Money(given, owed.amount.currency), limit=Money(limit, owed.amount.currency))


def book(session: Session, owed: Owed, refund: rows.Refund, shift: shift_rows.Shift, desk: Desk, pen: Pen, kit: Kit) -> None:
    """The money has left: totals of the present shift, ledger, numbered refund receipt, journal."""
    refund.shift_id, refund.staff_id, refund.at = shift.id, desk.staff.id, pen.at
    shift.refunds_minor += refund.amount_minor
    shift.refunds_count += 1
    books.post(
        session,
        ledger.on_refunded(refund.tender, refund.amount),
        at=pen.at,
        business_day=pen.business_day,
        store_id=desk.store.id,
        till_id=desk.till.id,
        shift_id=shift.id,
        sale_id=owed.sale.id,
        renewal_id=owed.line.id,
    )
    move(session, owed.line, RENEWAL, RenewalState.REFUNDED, pen)
    refund.receipt_number = receipts.issue_refund(session, owed.sale, owed.line, refund, desk, pen, kit)
    slip = {"receipt": refund.receipt_number, "authorisation": refund.authorisation or "", "slip": refund.slip_number or ""}
    move(session, refund, REFUND, RefundState.REFUNDED, pen, slip)


def queue_up_for_slip(session: Session, authorisation: str, slip_number: str) -> None:
    """Two sales that copy the same terminal slip at once must see each other."""
    queue_up(session, f"slip {authorisation} {slip_number}")
