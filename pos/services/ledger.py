"""Prove the books against the sales, the shifts and the numbers: the invariants of the renewal protocol, section 5."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import String, case, cast, exists, func, literal, select
from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.ledger import Account, Transfer
from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.receipts import ReceiptKind, number_text
from pos.domain.renewals import MONEY_HELD, RenewalState
from pos.domain.sales import SaleState
from pos.domain.shifts import ShiftState, expected
from pos.ports import Reason
from pos.services import records, witness
from pos.store import journal as journal_rows
from pos.store import ledger as books
from pos.store import receipts as receipt_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store.db import reading

_OWED = (RenewalState.REJECTED, RenewalState.REFUND_DUE, RenewalState.REFUNDING, RenewalState.REFUNDED)


def prove() -> Iterator[str]:
    """A sentence for each invariant that does not hold, naming the first row; nothing when the books are true."""
    with reading() as session:
        named, unread = set(), []
        for check in (*_INVARIANTS, *records.FIRST, records.moves, witness.compare):
            try:
                for found in check(session):
                    subject = found.partition(": ")[0]
                    # The last two look at every row there is: they speak of those that nothing else has named.
                    if subject not in named or check not in (records.moves, witness.compare):
                        named.add(subject)
                        yield found
            except witness.UNREADABLE as fault:
                unread.append(f"{check.__name__.strip('_')}: a row cannot be read ({type(fault).__name__})")
        yield from unread


def _unsaid(session: Session) -> Iterator[str]:
    """No money stands in a state that the journal does not tell of."""
    renewal = renewal_rows.Renewal
    living: tuple[tuple[str, Any, Any], ...] = (
        ("sale", sale_rows.Sale, sale_rows.Sale.state),
        ("payment", sale_rows.Payment, sale_rows.Payment.state),
        ("renewal", renewal, renewal.state),
        ("renewal", renewal, case((renewal.paid_at.is_not(None), literal("paid")), else_=renewal.state)),
        ("refund", sale_rows.Refund, sale_rows.Refund.state),
        ("shift", shift_rows.Shift, shift_rows.Shift.state),
    )
    row = journal_rows.JournalRow
    for noun, kind, state in living:
        told = exists().where(
            row.object_kind == noun,
            row.object_id == cast(kind.id, String),
            row.kind == literal(f"{noun}.").concat(cast(state, String)),
        )
        for found_id, word in session.execute(select(kind.id, cast(state, String)).where(~told)):
            yield f"{noun} {found_id}: {word}, and the journal does not tell of it"


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


def _transfers_of_renewals(session: Session) -> Iterator[str]:
    """Each transfer is explained by what happened to its renewal, and what happened stands in the books."""
    transfer, renewal, payment = books.LedgerTransfer, renewal_rows.Renewal, sale_rows.Payment
    chosen = (
        select(transfer, renewal, payment.tender)
        .join(renewal, renewal.id == transfer.renewal_id)
        .join(payment, (payment.sale_id == renewal.sale_id) & (payment.state == PaymentState.TAKEN))
        .order_by(renewal.id, transfer.id)
    )
    rows = session.execute(chosen.execution_options(yield_per=1000))
    for renewal_id, group in groupby(rows, key=lambda row: row[1].id):
        found = [(row, line, tender) for row, line, tender in group]
        own = [row for row, _, _ in found]
        again = sum(row.code == "not_sent" for row in own)
        yield from _compare(f"renewal {renewal_id}", own, _right(found[0][1], found[0][2], again))
    without = select(renewal.id).where(renewal.paid_at.is_not(None), ~exists().where(transfer.renewal_id == renewal.id))
    for renewal_id in session.scalars(without):
        yield f"renewal {renewal_id}: paid, and nothing of it stands in the ledger"


def _right(renewal: renewal_rows.Renewal, tender: Tender, again: int) -> list[Transfer]:
    """What the books must say of a paid renewal that found its carrier unreachable ``again`` times."""
    right = ledger.on_paid(tender, renewal.price)
    never_sent = renewal.state in _OWED and renewal.reason == Reason.UNREACHABLE.value
    if renewal.state is not RenewalState.PAID and not never_sent:
        right += ledger.on_submitting(renewal.cost)
    right += again * (ledger.on_submitting(renewal.cost) + ledger.on_not_sent(renewal.cost))
    if renewal.state is RenewalState.CONFIRMED:
        right += ledger.on_confirmed(renewal.cost, renewal.price, renewal.tax)
    if renewal.state in _OWED:
        free_again = Money(0, renewal.cost_currency) if never_sent else renewal.cost
        right += ledger.on_refund_due(free_again, renewal.price)
    if renewal.state is RenewalState.REFUNDED:
        right += ledger.on_refunded(tender, renewal.price)
    return right


def _transfers_of_shifts(session: Session) -> Iterator[str]:
    """The same for floats, differences and what went to the bank."""
    transfer, shift = books.LedgerTransfer, shift_rows.Shift
    left: dict[int, int] = {}
    for row in session.scalars(select(shift).order_by(shift.till_id, shift.number)):
        before = left.get(row.till_id)
        right = ledger.on_opening(row.money(row.float_minor), row.money(before) if before is not None else None)
        if row.state is ShiftState.CLOSED:
            left[row.till_id] = row.left_minor or 0
            right += ledger.on_counted(row.money(row.difference_minor or 0))
            right += ledger.on_banked(row.money((row.counted_minor or 0) - left[row.till_id]))
        own = select(transfer).where(transfer.shift_id == row.id, transfer.renewal_id.is_(None)).order_by(transfer.id)
        yield from _compare(f"shift {row.id}", session.scalars(own), right)
    nobodys = select(transfer.id).where(transfer.shift_id.is_(None), transfer.renewal_id.is_(None))
    for transfer_id in session.scalars(nobodys):
        yield f"ledger row {transfer_id}: belongs to no renewal and to no shift"


def _compare(whose: str, found: Iterable[books.LedgerTransfer], right: list[Transfer]) -> Iterator[str]:
    missing = Counter((t.code, t.debit, t.credit, t.amount.minor, t.amount.currency) for t in right)
    for row in found:
        said = (row.code, row.debit, row.credit, row.amount_minor, row.currency)
        if missing[said]:
            missing[said] -= 1
        else:
            yield f"ledger row {row.id}: {whose} does not explain it"
    for (code, *_), times in missing.items():
        if times:
            yield f"{whose}: the ledger lacks what was {code}"


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
    """Numbers are gapless, unique and rising for each till and kind, up to the last one that was taken."""
    receipt, series = receipt_rows.Receipt, receipt_rows.NumberSeries
    chosen = (
        select(series.till_id, series.kind, series.last, func.count(receipt.id))
        .outerjoin(receipt, (receipt.till_id == series.till_id) & (receipt.kind == series.kind))
        .where(series.kind != ReceiptKind.Z)
        .group_by(series.till_id, series.kind, series.last)
    )
    for till_id, kind, last, count in session.execute(chosen):
        if count != last:
            yield f"till {till_id}: {kind} numbers have a gap ({count} receipts, the last is {last})"


def _receipts(session: Session) -> Iterator[str]:
    """Each receipt has the number of its place in the series and belongs to what was paid under it."""
    receipt, sale, refund = receipt_rows.Receipt, sale_rows.Sale, sale_rows.Refund
    chosen = (
        select(receipt, till_rows.Till.code, sale.receipt_number, refund.receipt_number)
        .join(till_rows.Till, till_rows.Till.id == receipt.till_id)
        .outerjoin(sale, sale.id == receipt.sale_id)
        .outerjoin(refund, (refund.sale_id == receipt.sale_id) & (refund.receipt_number == receipt.number))
    )
    for row, till_code, of_sale, of_refund in session.execute(chosen.execution_options(yield_per=1000)):
        if row.number != number_text(row.kind, till_code, row.sequence):
            yield f"receipt {row.number}: the series says {number_text(row.kind, till_code, row.sequence)}"
        elif row.number != (of_sale if row.kind is ReceiptKind.SALE else of_refund):
            yield f"receipt {row.number}: it belongs to another sale"
    for owner in (sale, refund):
        given = owner.receipt_number
        for number in session.scalars(select(given).where(given.is_not(None), ~exists().where(receipt.number == given))):
            yield f"receipt {number}: it was given out and is gone"


def _slips(session: Session) -> Iterator[str]:
    """Each slip is the one whose digest the journal sealed, and each sealed one is there."""
    slip, receipt, row = receipt_rows.ReceiptDocument, receipt_rows.Receipt, journal_rows.JournalRow
    issued = (row.object_kind == "sale") & (row.object_id == receipt.sale_id) & (row.kind == "receipt.issued")
    sealed = exists().where(issued, row.content.contains(slip.hash))
    chosen = select(slip, receipt.number, sealed).join(receipt, receipt.id == slip.receipt_id)
    for document, number, is_sealed in session.execute(chosen.execution_options(yield_per=500)):
        if not is_sealed or hashlib.sha256(document.document.encode()).hexdigest() != document.hash:
            yield f"receipt {number}: its slip {document.id} is not the one that was issued"
    kept = exists().where(slip.receipt_id == receipt.id, receipt.sale_id == row.object_id, row.content.contains(slip.hash))
    for content in session.scalars(select(row.content).where(row.kind == "receipt.issued", ~kept)):
        yield f"receipt {json.loads(content)['number']}: a slip that was issued is gone"


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
        if hashlib.sha256(report.figures.encode()).hexdigest() != report.own_hash or not _is_sealed(session, report):
            yield f"{report.number}: it was changed after it was written"
        last[report.till_id] = report
    taken = select(receipt_rows.NumberSeries).where(receipt_rows.NumberSeries.kind == ReceiptKind.Z)
    for series in session.scalars(taken):
        if series.last != (last[series.till_id].sequence if series.till_id in last else 0):
            yield f"till {series.till_id}: Z {series.last} was written and is gone"


def _is_sealed(session: Session, report: shift_rows.ZReport) -> bool:
    """Whether the journal holds this Z's number and digest."""
    notes = journal_rows.about(session, [("shift", str(report.shift_id))])
    said = {"number": report.number, "hash": report.own_hash}
    return any(note.kind == "z.written" and json.loads(note.content) == said for note in notes)


_INVARIANTS = (
    _unsaid,
    _held_money,
    _renewal_postings,
    _transfers_of_renewals,
    _transfers_of_shifts,
    _payments,
    _refunds,
    _drawers,
    _numbers,
    _receipts,
    _slips,
    _attempts,
    _z_reports,
)
