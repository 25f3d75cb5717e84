"""The questions that reports ask, each answered by one statement however many tills and however long the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pos.domain.payments import PaymentState, Tender
from pos.domain.refunds import RefundState
from pos.domain.renewals import IN_DOUBT, RenewalState
from pos.domain.sales import SaleState
from pos.domain.shifts import ShiftState
from pos.store.print_jobs import PrintJob
from pos.store.print_jobs import under_way as slips_under_way
from pos.store.renewals import NOT_COUNTED, Renewal, is_open
from pos.store.sales import NumberCheck, Payment, Refund, Sale
from pos.store.shifts import Shift, ZReport
from pos.store.staff import Staff
from pos.store.tills import Till


@dataclass(frozen=True)
class Sold:
    """What was sold of one plan, in minor units; face value and cost may be in the carrier's currency."""

    carrier: str
    line: str
    plan: str
    face_currency: str
    cost_currency: str
    count: int
    price: int
    face: int
    cost: int
    tax: int


def sold_in_shift(session: Session, shift_id: int) -> list[Sold]:
    """Everything paid in a shift, by carrier and plan."""
    kinds = (Renewal.carrier, Renewal.line, Renewal.plan_name, Renewal.face_currency, Renewal.cost_currency)
    amounts = (Renewal.price_minor, Renewal.face_minor, Renewal.cost_minor, Renewal.tax_minor)
    chosen = (
        select(*kinds, func.count(), *(func.sum(amount) for amount in amounts))
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(Sale.shift_id == shift_id, Renewal.state.not_in(NOT_COUNTED))
        .group_by(*kinds)
        .order_by(*kinds)
    )
    return [Sold(*row[:5], *(int(value) for value in row[5:])) for row in session.execute(chosen)]


def customers_in_shift(session: Session, shift_id: int) -> int:
    """How many people paid: whoever came twice with the same number is one of them."""
    chosen = (
        select(func.count(func.distinct(NumberCheck.look_up)))
        .select_from(Sale)
        .join(NumberCheck, NumberCheck.id == Sale.id)
        .where(Sale.shift_id == shift_id, Sale.state == SaleState.PAID)
    )
    return session.scalar(chosen) or 0


@dataclass(frozen=True)
class InDoubt:
    receipt: str
    renewal_id: str
    price: int
    paid_at: datetime
    shift_id: int


def in_doubt_at(session: Session, store_id: int, till_id: int) -> list[InDoubt]:
    """What a till sold, in whatever shift, and no carrier has decided yet; oldest first."""
    chosen = (
        select(Sale.receipt_number, Renewal.id, Renewal.price_minor, Renewal.paid_at, Sale.shift_id)
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(is_open(), Renewal.store_id == store_id, Renewal.state.in_(IN_DOUBT), Sale.till_id == till_id)
        .order_by(Renewal.paid_at, Renewal.id)
    )
    return [
        InDoubt(receipt or "", renewal_id, int(price), paid_at, shift_id)
        for receipt, renewal_id, price, paid_at, shift_id in session.execute(chosen)
        if paid_at is not None and shift_id is not None
    ]


def states_of(session: Session, renewal_ids: list[str]) -> dict[str, RenewalState]:
    """How some renewals stand now."""
    if not renewal_ids:
        return {}
    chosen = select(Renewal.id, Renewal.state).where(Renewal.id.in_(renewal_ids))
    return {renewal_id: state for renewal_id, state in session.execute(chosen)}


def late_refunds_in_shift(session: Session, shift_id: int) -> list[tuple[str, int]]:
    """(receipt of the sale, amount) of each refund that this shift paid for a sale of an earlier one."""
    chosen = (
        select(Sale.receipt_number, Refund.amount_minor)
        .join(Sale, Sale.id == Refund.sale_id)
        .where(Refund.shift_id == shift_id, Refund.state == RefundState.REFUNDED, Sale.shift_id != shift_id)
        .order_by(Refund.id)
    )
    return [(row[0] or "", int(row[1])) for row in session.execute(chosen)]


# ------------------------------------------------------------------ over a store and its days


@dataclass(frozen=True)
class Taken:
    """One payment that was taken: when, by whom, where and how."""

    at: datetime
    staff_id: int
    till: str
    tender: Tender
    amount: int


def taken_between(session: Session, store_id: int, days: tuple[date, date], moments: tuple[datetime, datetime]) -> list[Taken]:
    """Every payment of some business days. The moments only lead the way into the index; the days decide."""
    chosen = (
        select(Sale.paid_at, Sale.staff_id, Till.code, Payment.tender, Payment.amount_minor)
        .join(Payment, (Payment.sale_id == Sale.id) & (Payment.state == PaymentState.TAKEN))
        .join(Till, Till.id == Sale.till_id)
        .where(Sale.store_id == store_id, Sale.paid_at.between(*moments), Sale.business_day.between(*days))
    )
    return [
        Taken(at, staff_id, till, tender, int(amount))
        for at, staff_id, till, tender, amount in session.execute(chosen.order_by(Sale.paid_at))
        if at is not None
    ]


def sold_between(session: Session, store_id: int, days: tuple[date, date], moments: tuple[datetime, datetime]) -> list[Sold]:
    """What was sold in some business days and not given back, by carrier and plan."""
    kinds = (Renewal.carrier, Renewal.line, Renewal.plan_name, Renewal.face_currency, Renewal.cost_currency)
    amounts = (Renewal.price_minor, Renewal.face_minor, Renewal.cost_minor, Renewal.tax_minor)
    chosen = (
        select(*kinds, func.count(), *(func.sum(amount) for amount in amounts))
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(Sale.store_id == store_id, Sale.paid_at.between(*moments), Sale.business_day.between(*days))
        .where(Renewal.state == RenewalState.CONFIRMED)
        .group_by(*kinds)
        .order_by(*kinds)
    )
    return [Sold(*row[:5], *(int(value) for value in row[5:])) for row in session.execute(chosen)]


def refunds_between(
    session: Session, store_id: int, moments: tuple[datetime, datetime]
) -> list[tuple[Refund, str | None, str, str]]:
    """(refund, receipt of the sale, till, clerk's number) of what went back, newest first."""
    chosen = (
        select(Refund, Sale.receipt_number, Till.code, Staff.number)
        .join(Sale, Sale.id == Refund.sale_id)
        .join(Shift, Shift.id == Refund.shift_id)
        .join(Till, Till.id == Shift.till_id)
        .join(Staff, Staff.id == Refund.staff_id)
        .where(Shift.store_id == store_id, Shift.opened_at >= moments[0] - _LONGEST_SHIFT, Refund.at.between(*moments))
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(chosen.order_by(Refund.at.desc()))]


# A drawer that nobody closed for longer than this is named at every cut of a day.
_LONGEST_SHIFT = timedelta(days=14)


def closed_shifts(session: Session, store_id: int, days: tuple[date, date]) -> list[tuple[Shift, str, str]]:
    """(shift, till, number of the person who closed it) of each drawer that was counted, oldest first."""
    chosen = (
        select(Shift, Till.code, Staff.number)
        .join(Till, Till.id == Shift.till_id)
        .join(Staff, Staff.id == Shift.closed_by)
        .where(Shift.store_id == store_id, Shift.business_day.between(*days), Shift.state == ShiftState.CLOSED)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(chosen.order_by(Shift.closed_at, Shift.id))]


def slips_not_out(session: Session, store_id: int) -> list[tuple[str, str, int]]:
    """(till, state, how many) of the slips of a store that wait or ask a question."""
    chosen = (
        select(Till.code, PrintJob.state, func.count())
        .join(Till, Till.id == PrintJob.till_id)
        .where(slips_under_way(), Till.store_id == store_id)
        .group_by(Till.code, PrintJob.state)
        .order_by(Till.code, PrintJob.state)
    )
    return [(row[0], str(row[1]), int(row[2])) for row in session.execute(chosen)]


def names_of_staff(session: Session) -> dict[int, str]:
    """``102 Amelia Shaw`` for everybody who ever worked here."""
    return {row[0]: f"{row[1]} {row[2]}" for row in session.execute(select(Staff.id, Staff.number, Staff.name))}


def last_zs(session: Session, store_id: int, days: tuple[date, date]) -> list[tuple[ZReport, str]]:
    """(Z, till) of some business days, in the order of the tills."""
    chosen = (
        select(ZReport, Till.code)
        .join(Till, Till.id == ZReport.till_id)
        .where(Till.store_id == store_id, ZReport.business_day.between(*days))
    )
    return [(row[0], row[1]) for row in session.execute(chosen.order_by(Till.code, ZReport.sequence))]
