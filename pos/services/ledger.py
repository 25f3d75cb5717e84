"""Prove the books against the sales, the shifts and the numbers: the invariants of the renewal protocol, section 5."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pos.domain.ledger import Account
from pos.domain.money import Money
from pos.domain.payments import PaymentState
from pos.domain.renewals import MONEY_HELD, RenewalState
from pos.domain.sales import SaleState
from pos.domain.shifts import expected
from pos.store import ledger as books
from pos.store import receipts as receipt_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store.db import reading


def prove() -> Iterator[str]:
    """A sentence for each invariant that does not hold, naming the first row; nothing when the books are true."""
    with reading() as session:
        yield from _held_money(session)
        yield from _renewal_postings(session)
        yield from _payments(session)
        yield from _refunds(session)
        yield from _drawers(session)
        yield from _numbers(session)
        yield from _attempts(session)
        yield from _z_reports(session)


def _currencies(session: Session) -> list[str]:
    return list(session.scalars(select(books.LedgerTransfer.currency).distinct()))


def _held_money(session: Session) -> Iterator[str]:
    """Money held for customers is the sum of prices of renewals that are paid and not final."""
    for currency in _currencies(session):
        open_prices = session.scalar(
            select(func.coalesce(func.sum(renewal_rows.Renewal.price_minor), 0)).where(
                renewal_rows.Renewal.state.in_(MONEY_HELD), renewal_rows.Renewal.currency == currency
            )
        )
        held = -books.balance(session, Account.CUSTOMER_MONEY_HELD, currency)
        if held != int(open_prices or 0):
            says = Money(int(open_prices or 0), currency)
            yield f"ledger: {Money(held, currency)} are held for customers, open renewals say {says}"
        owed_states = (RenewalState.REFUND_DUE, RenewalState.REFUNDING)
        due = session.scalar(
            select(func.coalesce(func.sum(renewal_rows.Renewal.price_minor), 0)).where(
                renewal_rows.Renewal.state.in_(owed_states), renewal_rows.Renewal.currency == currency
            )
        )
        payable = -books.balance(session, Account.REFUND_PAYABLE, currency)
        if payable != int(due or 0):
            yield f"ledger: {Money(payable, currency)} are owed back, refused renewals say {Money(int(due or 0), currency)}"


def _renewal_postings(session: Session) -> Iterator[str]:
    """Confirmed means exactly one posted carrier debit with the carrier's id; anything else means none."""
    posted = (
        select(books.LedgerTransfer.renewal_id, func.count().label("times"))
        .where(books.LedgerTransfer.code == "confirmed", books.LedgerTransfer.debit == Account.COST_OF_SALES)
        .group_by(books.LedgerTransfer.renewal_id)
        .subquery()
    )
    renewal = renewal_rows.Renewal
    chosen = select(renewal, posted.c.times).outerjoin(posted, posted.c.renewal_id == renewal.id)
    for row, times in session.execute(chosen.execution_options(yield_per=1000)):
        confirmed = row.state is RenewalState.CONFIRMED
        if confirmed and row.cost_minor and times != 1:
            yield f"renewal {row.id}: confirmed with {times or 0} carrier debits in the books"
        elif confirmed and not row.provider_ref:
            yield f"renewal {row.id}: confirmed without the carrier's id"
        elif not confirmed and times:
            yield f"renewal {row.id}: {row.state} with a carrier debit in the books"


def _payments(session: Session) -> Iterator[str]:
    """A paid sale's payments are its total, exactly, and it has a receipt number; an unpaid one has neither."""
    taken = (
        select(sale_rows.Payment.sale_id, func.sum(sale_rows.Payment.amount_minor).label("amount"))
        .where(sale_rows.Payment.state == PaymentState.TAKEN)
        .group_by(sale_rows.Payment.sale_id)
        .subquery()
    )
    chosen = select(sale_rows.Sale, taken.c.amount).outerjoin(taken, taken.c.sale_id == sale_rows.Sale.id)
    for sale, amount in session.execute(chosen.execution_options(yield_per=1000)):
        paid = sale.state is SaleState.PAID
        if paid and (amount is None or int(amount) != sale.total_minor):
            yield f"sale {sale.id}: payments of {amount or 0} for a total of {sale.total_minor}"
        if not paid and amount:
            yield f"sale {sale.id}: {sale.state} with a payment taken"
        if paid != (sale.receipt_number is not None):
            yield f"sale {sale.id}: {sale.state} and receipt number {sale.receipt_number}"


def _refunds(session: Session) -> Iterator[str]:
    chosen = (
        select(sale_rows.Refund.sale_id, func.sum(sale_rows.Refund.amount_minor), sale_rows.Sale.total_minor)
        .join(sale_rows.Sale, sale_rows.Sale.id == sale_rows.Refund.sale_id)
        .group_by(sale_rows.Refund.sale_id, sale_rows.Sale.total_minor)
    )
    for sale_id, given_back, total in session.execute(chosen):
        if int(given_back) > int(total or 0):
            yield f"sale {sale_id}: more given back than was paid"


def _drawers(session: Session) -> Iterator[str]:
    """The running total of each shift is the sum of its movements."""
    for shift in session.scalars(select(shift_rows.Shift)):
        moved = [(row.kind, Money(row.amount_minor, row.currency)) for row in shift_rows.movements_of(session, shift.id)]
        if expected(moved, shift.currency).minor != shift.expected_minor:
            yield f"shift {shift.id}: expected cash differs from the sum of its movements"


def _numbers(session: Session) -> Iterator[str]:
    """Numbers are gapless, unique and rising for each till and kind."""
    receipt = receipt_rows.Receipt
    chosen = select(receipt.till_id, receipt.kind, func.count(), func.max(receipt.sequence)).group_by(
        receipt.till_id, receipt.kind
    )
    for till_id, kind, count, highest in session.execute(chosen):
        if count != highest:
            yield f"till {till_id}: {kind} numbers have a gap ({count} receipts, the last is {highest})"


def _attempts(session: Session) -> Iterator[str]:
    """An attempt is open exactly while the carrier may have the order."""
    attempt, renewal = renewal_rows.Attempt, renewal_rows.Renewal
    chosen = select(renewal.id, renewal.state).join(attempt, attempt.open_renewal == renewal.id)
    may_be_open = {RenewalState.PAID, RenewalState.SUBMITTING, RenewalState.PENDING, RenewalState.UNKNOWN, RenewalState.MANUAL}
    for renewal_id, state in session.execute(chosen):
        if state not in may_be_open:
            yield f"renewal {renewal_id}: {state} with an open attempt"


def _z_reports(session: Session) -> Iterator[str]:
    """Z reports are gapless, chained, and their grand total never falls."""
    last: dict[int, shift_rows.ZReport] = {}
    for report in session.scalars(select(shift_rows.ZReport).order_by(shift_rows.ZReport.till_id, shift_rows.ZReport.sequence)):
        before = last.get(report.till_id)
        if report.sequence != (before.sequence + 1 if before else 1):
            yield f"{report.number}: the Z before it is missing"
        if before is not None and report.previous_hash != before.own_hash:
            yield f"{report.number}: does not follow {before.number}"
        if before is not None and report.grand_total_minor < before.grand_total_minor:
            yield f"{report.number}: the grand total fell"
        last[report.till_id] = report
