"""Prove the books against the sales, the shifts and the numbers: the invariants of the renewal protocol, section 5."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import String, case, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from pos.domain import ledger
from pos.domain.ledger import Account, Transfer
from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.receipts import ReceiptKind, number_text
from pos.domain.refunds import COUNTS, OPEN, RefundState
from pos.domain.renewals import MONEY_HELD, RenewalState
from pos.domain.sales import SaleState
from pos.domain.settlements import ItemState, Kind
from pos.domain.shifts import Movement, ShiftState, expected
from pos.domain.verdicts import ConflictState
from pos.ports import Reason
from pos.services import closings_proof, records, witness
from pos.services.pages import UNREADABLE, Page, at_once, by_pages
from pos.services.settling import REVERSED
from pos.store import journal as journal_rows
from pos.store import ledger as books
from pos.store import receipts as receipt_rows
from pos.store import reconciliation as reconciliation_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import standings as standing_rows
from pos.store import tills as till_rows
from pos.store import verdicts as verdict_rows

_OWED = (
    RenewalState.REJECTED,
    RenewalState.REFUND_DUE,
    RenewalState.REFUNDING,
    RenewalState.REFUNDED,
    RenewalState.REPLACED,
)


def prove() -> Iterator[str]:
    """A sentence for each invariant that does not hold, naming the first row; nothing when the books are true."""
    named: set[str] = set()
    unread: list[str] = []
    for what, found in _invariants():
        try:
            for sentence in found:
                named.add(sentence.partition(": ")[0])
                yield sentence
        except UNREADABLE as fault:
            unread.append(f"{what}: a row cannot be read ({type(fault).__name__})")
    # These look at every row there is: they speak of those that nothing else has named.
    for what, found in (("moves", records.moves()), ("sealed rows", witness.compare())):
        try:
            for sentence in found:
                if sentence.partition(": ")[0] not in named:
                    named.add(sentence.partition(": ")[0])
                    yield sentence
        except UNREADABLE as fault:
            unread.append(f"{what}: a row cannot be read ({type(fault).__name__})")
    yield from unread


def _invariants() -> Iterator[tuple[str, Iterator[str]]]:
    """Each with what it is about."""
    renewal, sale = renewal_rows.Renewal.id, sale_rows.Sale.id
    for noun, kind, state in _living():
        yield noun, by_pages(kind.id, partial(_unsaid, noun, kind, state))
    yield "held money", at_once(_held_money)
    yield "carrier debits", by_pages(renewal, _renewal_postings)
    yield "ledger of renewals", by_pages(renewal, _transfers_of_renewals)
    yield "ledger of shifts", at_once(_transfers_of_shifts)
    yield "ledger of open items", at_once(_transfers_of_items)
    yield "lines of statements", at_once(_statement_lines)
    yield "payments", by_pages(sale, _payments)
    yield "lines", by_pages(sale, _lines)
    yield "refunds", at_once(_refunds)
    yield "lives of refunds", at_once(_refund_lives)
    yield "refunds of shifts", at_once(_refunds_of_shifts)
    yield "replacements", at_once(_replacements)
    yield "drawers", at_once(_drawers)
    yield "numbers", at_once(_numbers)
    yield "receipts", by_pages(receipt_rows.Receipt.id, _receipts)
    yield "numbers given out", by_pages(sale, _given_out)
    yield "slips", by_pages(receipt_rows.ReceiptDocument.id, _slips)
    yield "slips issued", by_pages(sale, _issued)
    yield "attempts", at_once(_attempts)
    yield "agreements", at_once(_agreements)
    yield "Z reports", at_once(_z_reports)
    yield "closings", at_once(closings_proof.prove)
    yield from records.checks()


def _living() -> tuple[tuple[str, Any, Any], ...]:
    renewal = renewal_rows.Renewal
    return (
        ("sale", sale_rows.Sale, sale_rows.Sale.state),
        ("payment", sale_rows.Payment, sale_rows.Payment.state),
        ("renewal", renewal, renewal.state),
        ("renewal", renewal, case((renewal.paid_at.is_not(None), literal("paid")), else_=renewal.state)),
        ("refund", sale_rows.Refund, sale_rows.Refund.state),
        ("shift", shift_rows.Shift, shift_rows.Shift.state),
        ("verdict", verdict_rows.Verdict, verdict_rows.Verdict.state),
        ("conflict", verdict_rows.Conflict, verdict_rows.Conflict.state),
        ("open_item", reconciliation_rows.OpenItem, reconciliation_rows.OpenItem.state),
    )


def _unsaid(noun: str, kind: Any, state: Any, session: Session, page: Page) -> Iterator[str]:
    """No money stands in a state that the journal does not tell of."""
    row = journal_rows.JournalRow
    told = exists().where(
        row.object_kind == noun,
        row.object_id == cast(kind.id, String),
        row.kind == literal(f"{noun}.").concat(cast(state, String)),
    )
    for found_id, word in session.execute(select(kind.id, cast(state, String)).where(page(kind.id), ~told)):
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


def _renewal_postings(session: Session, page: Page) -> Iterator[str]:
    """Confirmed means exactly one posted carrier debit with the carrier's id; anything else means none, or one taken back."""
    row = books.LedgerTransfer
    times = case((row.code == "confirmed", 1), else_=-1)
    posted = (
        select(row.renewal_id, func.sum(times).label("times"))
        .where(page(row.renewal_id))
        .where(
            ((row.code == "confirmed") & (row.debit == Account.COST_OF_SALES))
            | ((row.code == "reversed") & (row.credit == Account.COST_OF_SALES))
        )
        .group_by(books.LedgerTransfer.renewal_id)
        .subquery()
    )
    renewal = renewal_rows.Renewal
    chosen = select(renewal, posted.c.times).outerjoin(posted, posted.c.renewal_id == renewal.id).where(page(renewal.id))
    for line, times in session.execute(chosen.execution_options(yield_per=1000)):
        confirmed = line.state is RenewalState.CONFIRMED
        if confirmed and line.cost_minor and times != 1:
            yield f"renewal {line.id}: confirmed with {times or 0} carrier debits in the books"
        elif confirmed and not line.provider_ref:
            yield f"renewal {line.id}: confirmed without the carrier's id"
        elif not confirmed and times:
            yield f"renewal {line.id}: {line.state} with a carrier debit in the books"


def _transfers_of_renewals(session: Session, page: Page) -> Iterator[str]:
    """Each transfer is explained by what happened to its renewal, and what happened stands in the books."""
    transfer, renewal, payment, refund = books.LedgerTransfer, renewal_rows.Renewal, sale_rows.Payment, sale_rows.Refund
    chosen = (
        select(transfer, renewal, payment.tender, refund.tender)
        .join(renewal, renewal.id == transfer.renewal_id)
        .join(payment, (payment.sale_id == renewal.sale_id) & (payment.state == PaymentState.TAKEN))
        .outerjoin(refund, refund.renewal_id == renewal.id)
        .where(page(renewal.id))
        .order_by(renewal.id, transfer.id)
    )
    rows = session.execute(chosen.execution_options(yield_per=1000))
    for renewal_id, group in groupby(rows, key=lambda row: row[1].id):
        found = [(row, line, tender, back or tender) for row, line, tender, back in group]
        own = [row for row, *_ in found]
        again = sum(row.code == "not_sent" for row in own)
        _, line, tender, back = found[0]
        conflict = verdict_rows.conflict_of(session, renewal_id)
        yield from _compare(f"renewal {renewal_id}", own, _right(line, tender, back, again, conflict))
    without = select(renewal.id).where(renewal.paid_at.is_not(None), ~exists().where(transfer.renewal_id == renewal.id))
    for renewal_id in session.scalars(without.where(page(renewal.id))):
        yield f"renewal {renewal_id}: paid, and nothing of it stands in the ledger"


def _right(
    renewal: renewal_rows.Renewal,
    tender: Tender,
    back: Tender,
    again: int,
    conflict: verdict_rows.Conflict | None = None,
) -> list[Transfer]:
    """What the books must say of a paid renewal that found its carrier unreachable ``again`` times, and whose carrier may have
    contradicted itself. Its money came with ``tender``, or from the renewal it replaces, and went ``back`` if it did."""
    right = ledger.on_paid(tender, renewal.price) if renewal.replaces is None else ledger.on_replaced(renewal.price)
    stopped = conflict is not None and conflict.state is ConflictState.STOPPED and conflict.was is RenewalState.REFUND_DUE
    unsent = conflict is not None and stopped and conflict.never_sent
    never_sent = renewal.state in _OWED and renewal.reason == Reason.UNREACHABLE.value and not unsent
    if stopped:
        # Owed back once already, and held again when the carrier said that it did it after all.
        right += ledger.on_refund_due(Money(0, renewal.cost_currency) if unsent else renewal.cost, renewal.price)
        right += ledger.on_stopped(renewal.cost, renewal.price)
    if renewal.state is not RenewalState.PAID and not never_sent and not unsent:
        right += ledger.on_submitting(renewal.cost)
    right += again * (ledger.on_submitting(renewal.cost) + ledger.on_not_sent(renewal.cost))
    if renewal.state is RenewalState.CONFIRMED:
        right += ledger.on_confirmed(renewal.cost, renewal.price, renewal.tax)
    was_reversed = renewal.state in _OWED and renewal.reason == REVERSED
    if was_reversed:
        right += ledger.on_confirmed(renewal.cost, renewal.price, renewal.tax)
        right += ledger.on_reversed(renewal.cost, renewal.price, renewal.tax)
    elif renewal.state in _OWED:
        free_again = Money(0, renewal.cost_currency) if never_sent else renewal.cost
        right += ledger.on_refund_due(free_again, renewal.price)
    if renewal.state is RenewalState.REFUNDED:
        right += ledger.on_refunded(back, renewal.price)
    if conflict is not None and conflict.state is ConflictState.LOST:
        right += ledger.on_lost(renewal.cost)
    return right


def _transfers_of_shifts(session: Session) -> Iterator[str]:
    """The same for floats, cash moved without a sale, differences and what went to the bank."""
    transfer, shift = books.LedgerTransfer, shift_rows.Shift
    left: dict[int, int] = {}
    moved = shift_rows.CashMovement
    by_hand: dict[int, list[Transfer]] = {}
    for cash in session.scalars(select(moved).where(moved.sale_id.is_(None), moved.kind != Movement.FLOAT)):
        by_hand.setdefault(cash.shift_id, []).extend(ledger.on_moved(cash.kind, Money(cash.amount_minor, cash.currency)))
    for row in session.scalars(select(shift).order_by(shift.till_id, shift.number)):
        before = left.get(row.till_id)
        right = ledger.on_opening(row.money(row.float_minor), row.money(before) if before is not None else None)
        right += by_hand.get(row.id, [])
        if row.state is ShiftState.CLOSED:
            left[row.till_id] = row.left_minor or 0
            right += ledger.on_counted(row.money(row.difference_minor or 0))
            # What nobody counted stays in the drawer.
            in_drawer = left[row.till_id] if row.counted_minor is None else row.counted_minor
            right += ledger.on_banked(row.money(in_drawer - left[row.till_id]))
        own = select(transfer).where(transfer.shift_id == row.id, transfer.renewal_id.is_(None)).order_by(transfer.id)
        yield from _compare(f"shift {row.id}", session.scalars(own), right)
    nobodys = (transfer.shift_id.is_(None), transfer.renewal_id.is_(None), transfer.item_id.is_(None))
    for transfer_id in session.scalars(select(transfer.id).where(*nobodys)):
        yield f"ledger row {transfer_id}: belongs to no renewal, to no shift and to no open item"


def _transfers_of_items(session: Session) -> Iterator[str]:
    """What two people decided about an open item stands in the books, and nothing else does under its number."""
    transfer = books.LedgerTransfer
    own: dict[int, list[books.LedgerTransfer]] = {}
    for row in session.scalars(select(transfer).where(transfer.item_id.is_not(None)).order_by(transfer.id)):
        own.setdefault(row.item_id or 0, []).append(row)
    for item in reconciliation_rows.decided(session):
        action = item.action
        if action is None or item.decided_by is None or item.agreed_by in (None, item.decided_by) or not item.evidence:
            yield f"open item {item.id}: decided without two people, an action and evidence"
            continue
        right = ledger.on_item(action, item.direction, item.ours, item.theirs, item.fee)
        yield from _compare(f"open item {item.id}", own.pop(item.id, []), right)
    for item_id in own:
        yield f"open item {item_id}: it stands in the ledger and was not decided"


def _statement_lines(session: Session) -> Iterator[str]:
    """No booking makes a pair with two lines, and the lines of an item are those of its sum."""
    line, item = reconciliation_rows.StatementLine, reconciliation_rows.OpenItem
    twice = select(line.store_id, line.ours_key).where(line.ours_key.is_not(None), line.item_id.is_(None))
    for _, key in session.execute(twice.group_by(line.store_id, line.direction, line.ours_key).having(func.count() > 1)):
        yield f"{key}: it agrees with two lines of a statement"
    signed = case((line.kind.in_((Kind.GIVEN_BACK, Kind.FEE)), -line.amount_minor), else_=line.amount_minor)
    sums = (
        select(line.item_id, func.sum(signed).label("minor")).where(line.item_id.is_not(None)).group_by(line.item_id).subquery()
    )
    chosen = select(item.id, item.theirs_minor, sums.c.minor).outerjoin(sums, sums.c.item_id == item.id)
    for item_id, theirs, minor in session.execute(chosen.where(item.state != ItemState.MATCHED)):
        if (theirs or 0) != int(minor or 0):
            yield f"open item {item_id}: its lines make {minor or 0}, it says {theirs or 0}"


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


def _payments(session: Session, page: Page) -> Iterator[str]:
    """A paid sale's payments are its total, exactly, and it has a receipt number; an unpaid one has neither."""
    taken = (
        select(sale_rows.Payment.sale_id, func.sum(sale_rows.Payment.amount_minor).label("amount"))
        .where(page(sale_rows.Payment.sale_id), sale_rows.Payment.state == PaymentState.TAKEN)
        .group_by(sale_rows.Payment.sale_id)
        .subquery()
    )
    chosen = (
        select(sale_rows.Sale, taken.c.amount)
        .outerjoin(taken, taken.c.sale_id == sale_rows.Sale.id)
        .where(page(sale_rows.Sale.id))
    )
    for sale, amount in session.execute(chosen.execution_options(yield_per=1000)):
        paid = sale.state is SaleState.PAID
        if paid and (amount is None or int(amount) != sale.total_minor):
            yield f"sale {sale.id}: payments of {amount or 0} for a total of {sale.total_minor}"
        if not paid and amount:
            yield f"sale {sale.id}: {sale.state} with a payment taken"
        if paid != (sale.receipt_number is not None):
            yield f"sale {sale.id}: {sale.state} and receipt number {sale.receipt_number}"


def _lines(session: Session, page: Page) -> Iterator[str]:
    """A paid sale's total is the sum of its lines, and each line names a number of its own sale."""
    line, number = renewal_rows.Renewal, sale_rows.NumberCheck
    priced = (
        select(line.sale_id, func.sum(line.price_minor).label("amount"))
        # What came in exchange for a refused line brought no money of its own.
        .where(line.paid_at.is_not(None), line.replaces.is_(None), page(line.sale_id))
        .group_by(line.sale_id)
        .subquery()
    )
    chosen = select(sale_rows.Sale, priced.c.amount).outerjoin(priced, priced.c.sale_id == sale_rows.Sale.id)
    for sale, amount in session.execute(chosen.where(sale_rows.Sale.state == SaleState.PAID, page(sale_rows.Sale.id))):
        if int(amount or 0) != sale.total_minor:
            yield f"sale {sale.id}: lines of {amount or 0} for a total of {sale.total_minor}"
    same = or_(number.look_up == line.number_look_up, line.replaces.is_not(None))
    own = exists().where(number.id == line.number_check_id, number.sale_id == line.sale_id, same)
    # What was erased in time names nobody any more.
    kept = line.number_look_up != ""
    for line_id in session.scalars(select(line.id).where(~own, kept, page(line.sale_id))):
        yield f"renewal {line_id}: its number is not one of its sale's"


def _refunds(session: Session) -> Iterator[str]:
    """Refunds of a sale are never more than its payments; what came to nothing does not count."""
    refund, payment = sale_rows.Refund, sale_rows.Payment
    taken = (
        select(func.coalesce(func.sum(payment.amount_minor), 0))
        .where(payment.sale_id == refund.sale_id, payment.state == PaymentState.TAKEN)
        .scalar_subquery()
    )
    counted = refund.state.in_(COUNTS)
    chosen = select(refund.sale_id, func.sum(refund.amount_minor), taken).where(counted).group_by(refund.sale_id)
    for sale_id, given_back, paid in session.execute(chosen):
        if int(given_back) > int(paid):
            yield f"sale {sale_id}: more given back than was paid"


def _refund_lives(session: Session) -> Iterator[str]:
    """A renewal is being given back, or was, exactly when one refund of its price says so."""
    refund, renewal = sale_rows.Refund, renewal_rows.Renewal
    for row, line in session.execute(select(refund, renewal).join(renewal, renewal.id == refund.renewal_id)):
        if (row.amount_minor, row.currency) != (line.price_minor, line.currency):
            yield f"refund {row.id}: {row.amount} for a renewal of {line.price}"
        if (row.receipt_number is not None) != (row.state is RefundState.REFUNDED):
            yield f"refund {row.id}: {row.state} and receipt number {row.receipt_number}"
    for states, says in (((RenewalState.REFUNDING,), tuple(OPEN)), ((RenewalState.REFUNDED,), (RefundState.REFUNDED,))):
        told = exists().where(refund.renewal_id == renewal.id, refund.state.in_(says))
        for renewal_id, state in session.execute(select(renewal.id, renewal.state).where(renewal.state.in_(states), ~told)):
            yield f"renewal {renewal_id}: {state} without its refund"
        for renewal_id, state in session.execute(select(renewal.id, renewal.state).where(renewal.state.not_in(states), told)):
            yield f"renewal {renewal_id}: {state}, and a refund says {says[-1]}"


def _refunds_of_shifts(session: Session) -> Iterator[str]:
    """What a shift says it gave back is what its refunds say, in all and to cards."""
    refund, shift = sale_rows.Refund, shift_rows.Shift
    card = func.coalesce(func.sum(case((refund.tender == Tender.CARD, refund.amount_minor), else_=0)), 0)
    chosen = (
        select(shift, func.coalesce(func.sum(refund.amount_minor), 0), card, func.count(refund.id))
        .outerjoin(refund, (refund.shift_id == shift.id) & (refund.state == RefundState.REFUNDED))
        .group_by(shift.id)
    )
    for row, total, to_cards, count in session.execute(chosen):
        if (row.refunds_minor, row.card_refund_minor, row.refunds_count) != (int(total), int(to_cards), count):
            yield f"shift {row.id}: its refunds differ from the sum of the refunds"


def _replacements(session: Session) -> Iterator[str]:
    """A replaced renewal handed its whole price to one other of the same sale, and nobody else's money pays for one."""
    renewal = renewal_rows.Renewal
    new = aliased(renewal)
    for line, by in session.execute(select(renewal, new).join(new, new.replaces == renewal.id)):
        if line.state is not RenewalState.REPLACED or (line.sale_id, line.price) != (by.sale_id, by.price):
            yield f"renewal {by.id}: paid with the money of {line.id}, which is {line.state}"
    alone = select(renewal.id).where(renewal.state == RenewalState.REPLACED, ~exists().where(new.replaces == renewal.id))
    for renewal_id in session.scalars(alone):
        yield f"renewal {renewal_id}: replaced, and by nothing"
    known = select(renewal.id).where(renewal.replaces.is_not(None), ~exists().where(new.id == renewal.replaces))
    for renewal_id in session.scalars(known):
        yield f"renewal {renewal_id}: paid with the money of a renewal that is not there"


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


def _receipts(session: Session, page: Page) -> Iterator[str]:
    """Each receipt has the number of its place in the series and belongs to what was paid under it."""
    receipt, sale, refund = receipt_rows.Receipt, sale_rows.Sale, sale_rows.Refund
    chosen = (
        select(receipt, till_rows.Till.code, sale.receipt_number, refund.receipt_number)
        .join(till_rows.Till, till_rows.Till.id == receipt.till_id)
        .outerjoin(sale, sale.id == receipt.sale_id)
        .outerjoin(refund, (refund.sale_id == receipt.sale_id) & (refund.receipt_number == receipt.number))
        .where(page(receipt.id))
    )
    for row, till_code, of_sale, of_refund in session.execute(chosen.execution_options(yield_per=1000)):
        if row.number != number_text(row.kind, till_code, row.sequence):
            yield f"receipt {row.number}: the series says {number_text(row.kind, till_code, row.sequence)}"
        elif row.number != (of_sale if row.kind is ReceiptKind.SALE else of_refund):
            yield f"receipt {row.number}: it belongs to another sale"


def _given_out(session: Session, page: Page) -> Iterator[str]:
    """Each number that a sale or a refund names is there."""
    owners = ((sale_rows.Sale.id, sale_rows.Sale.receipt_number), (sale_rows.Refund.sale_id, sale_rows.Refund.receipt_number))
    for sale_id, given in owners:
        missing = given.is_not(None) & ~exists().where(receipt_rows.Receipt.number == given)
        for number in session.scalars(select(given).where(page(sale_id), missing)):
            yield f"receipt {number}: it was given out and is gone"


def _slips(session: Session, page: Page) -> Iterator[str]:
    """Each slip is the one whose digest the journal sealed, and each sealed one is there."""
    slip, receipt, row = receipt_rows.ReceiptDocument, receipt_rows.Receipt, journal_rows.JournalRow
    issued = (row.object_kind == "sale") & (row.object_id == receipt.sale_id) & (row.kind == "receipt.issued")
    sealed = exists().where(issued, row.content.contains(slip.hash))
    chosen = select(slip, receipt.number, sealed).join(receipt, receipt.id == slip.receipt_id).where(page(slip.id))
    for document, number, is_sealed in session.execute(chosen.execution_options(yield_per=500)):
        if not is_sealed or hashlib.sha256(document.document.encode()).hexdigest() != document.hash:
            yield f"receipt {number}: its slip {document.id} is not the one that was issued"


def _issued(session: Session, page: Page) -> Iterator[str]:
    """Each slip that the journal tells of is there. By sales: the journal knows what it is about."""
    slip, receipt, row = receipt_rows.ReceiptDocument, receipt_rows.Receipt, journal_rows.JournalRow
    kept = exists().where(slip.receipt_id == receipt.id, receipt.sale_id == row.object_id, row.content.contains(slip.hash))
    about = (row.object_kind == "sale") & page(row.object_id)
    for content in session.scalars(select(row.content).where(about, row.kind == "receipt.issued", ~kept)):
        yield f"receipt {json.loads(content)['number']}: a slip that was issued is gone"


def _attempts(session: Session) -> Iterator[str]:
    """An attempt is open exactly while the carrier may have the order."""
    attempt, renewal = renewal_rows.Attempt, renewal_rows.Renewal
    chosen = select(renewal.id, renewal.state).join(attempt, attempt.open_renewal == renewal.id)
    may_be_open = {RenewalState.PAID, RenewalState.SUBMITTING, RenewalState.PENDING, RenewalState.UNKNOWN, RenewalState.MANUAL}
    for renewal_id, state in session.execute(chosen):
        if state not in may_be_open:
            yield f"renewal {renewal_id}: {state} with an open attempt"


def _agreements(session: Session) -> Iterator[str]:
    """A line of a carrier's statement agrees with what was really confirmed, and with the cost that was booked."""
    agreement, renewal = standing_rows.Agreement, renewal_rows.Renewal
    chosen = select(agreement, renewal).join(renewal, renewal.id == agreement.renewal_id)
    for row, line in session.execute(chosen.execution_options(yield_per=1000)):
        taken_back = line.state in _OWED and line.reason == REVERSED
        if not taken_back and (line.state is not RenewalState.CONFIRMED or row.kind != "charged"):
            yield f"renewal {line.id}: {line.state} and {row.kind} by the carrier's statement"
        elif Money(row.cost_minor, row.cost_currency) != line.cost or row.carrier != line.carrier:
            yield f"renewal {line.id}: the line that agrees with it names another amount"


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
