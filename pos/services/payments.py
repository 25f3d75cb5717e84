"""Take cash, or record a card from the terminal's slip. A payment and everything it starts become true in one commit."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import (
    CannotRecord,
    DocumentMissing,
    NoOpenShift,
    NumberBusy,
    OtherContent,
    PlanMissing,
    PlanRetired,
    QuoteExpired,
    SaleOver,
    SlipAlreadyUsed,
    StaleForm,
    TenderOpen,
)
from pos.domain.money import Money, total
from pos.domain.payments import PAYMENT, TENDER_PATIENCE, CardSlip, PaymentState, Tender, change_for
from pos.domain.receipts import ReceiptKind
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.sales import SALE, SaleState
from pos.domain.shifts import Movement
from pos.domain.tills import Desk
from pos.services import print_jobs
from pos.services.drawer import add_movement
from pos.services.kit import Kit
from pos.services.sales import OVERRIDDEN, mine, quote_of_all, refuse_twin, void_lines
from pos.services.standings import refuse_unsellable
from pos.services.tills import desk_of
from pos.store import journal as journal_rows
from pos.store import ledger as books
from pos.store import plans as plan_rows
from pos.store import receipts as receipt_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import begin, move

OPEN = (PaymentState.INTENDED, PaymentState.IN_DOUBT)


@retried
def take_cash(sale_id: str, quote: str, tendered: Money, desk: Desk, *, kit: Kit) -> Money:
    """The change to give; the sale is paid (move 4). The same post again gives the same answer and changes nothing.

    Raises TooLittleCash, TooMuchCash, QuoteExpired, DuplicateRenewal, NoOpenShift, OtherContent, FloatUsedUp, CarrierUnasked
    and the reasons why a sale is not ready; in each case nothing was booked. Power cut: none of it or all of it, and the same
    id gets the same receipt."""
    now, sells = kit.now(), kit.sells()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is SaleState.PAID:
            return _same_cash(session, sale, tendered)
        _refuse_a_full_disk(sells)
        shift, lines = _ready(session, sale, quote, desk, now)
        _refuse_unsellable(session, lines, now, kit)
        _refuse_open_tender(session, sale)
        payment = _payment(sale, shift, Tender.CASH, now)
        change = change_for(payment.amount, tendered)
        payment.tendered_minor = tendered.minor
        pen = kit.pen(desk, now)
        content = {"sale": sale_id, "tender": "cash", "amount": payment.amount_minor, "currency": payment.currency}
        begin(
            session,
            payment,
            PAYMENT,
            PaymentState.TAKEN,
            pen,
            content | {"tendered": tendered.minor, "change": change.minor},
        )
        add_movement(session, shift, Movement.SALE, tendered, desk, now, sale_id=sale_id)
        if change:
            add_movement(session, shift, Movement.CHANGE, change, desk, now, sale_id=sale_id)
        _paid(session, sale, lines, payment, shift, desk, now, kit)
        print_jobs.queue_drawer(session, desk, sale_id, now, kit)
    kit.bell.set()
    return change


@retried
def begin_card(sale_id: str, quote: str, desk: Desk, *, kit: Kit) -> None:
    """Write down that the clerk is about to key the amount on the terminal (move 3). Again: nothing changes."""
    now, sells = kit.now(), kit.sells()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        payments = rows.payments_of(session, sale_id)
        if sale.state is SaleState.PAID or any(payment.state in OPEN for payment in payments):
            return
        _refuse_a_full_disk(sells)
        shift, lines = _ready(session, sale, quote, desk, now)
        _refuse_unsellable(session, lines, now, kit)
        pen = kit.pen(desk, now)
        payment = _payment(sale, shift, Tender.CARD, now)
        content = {"sale": sale_id, "tender": "card", "amount": payment.amount_minor, "currency": payment.currency}
        begin(session, payment, PAYMENT, PaymentState.INTENDED, pen, content)
        sale.tender_asked_at = now
        if sale.state is SaleState.DRAFT:
            move(session, sale, SALE, SaleState.TENDERING, pen)


@retried
def take_card(sale_id: str, slip: CardSlip, desk: Desk, *, kit: Kit) -> None:
    """The terminal approved, or its list shows the payment: the sale is paid (moves 4 and 6). Again: same answer.

    The quote is not tested any more: the customer's card was charged the frozen price. Raises OtherContent, NoOpenShift."""
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is SaleState.PAID:
            return _same_card(session, sale, slip)
        payment = _open_payment(session, sale)
        shift = _open_shift(session, desk)
        used = rows.sale_of_slip(session, desk.till.id, slip.authorisation, slip.slip_number, now - timedelta(days=1))
        if used is not None:
            raise SlipAlreadyUsed(number=used.receipt_number)
        payment.scheme, payment.last4 = slip.scheme, slip.last4
        payment.authorisation, payment.slip_number = slip.authorisation, slip.slip_number
        # The money is taken in the shift that sees the slip; an intent of an earlier shift moves along.
        payment.shift_id = shift.id
        pen = kit.pen(desk, now)
        content = {
            "scheme": slip.scheme,
            "last4": slip.last4,
            "authorisation": slip.authorisation,
            "slip": slip.slip_number,
        }
        move(session, payment, PAYMENT, PaymentState.TAKEN, pen, content | {"amount": payment.amount_minor})
        shift.card_minor += payment.amount_minor
        shift.card_count += 1
        _paid(session, sale, _lines(session, sale), payment, shift, desk, now, kit)
    kit.bell.set()
    return None


@retried
def card_declined(sale_id: str, desk: Desk, *, kit: Kit, payment_id: int | None = None) -> None:
    """The terminal declined: another card, or cash, may follow for the same sale.

    A page names the intent it shows, so that its second press, or an older window's, never ends the next card's intent while
    the terminal is charging it. Raises StaleForm where that one is over; without a name the open one is meant."""
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is not SaleState.TENDERING:
            return
        waiting = [p for p in rows.payments_of(session, sale_id) if p.state is PaymentState.INTENDED]
        if payment_id is not None and payment_id not in {payment.id for payment in waiting}:
            if waiting:
                raise StaleForm
            return
        for payment in waiting:
            move(session, payment, PAYMENT, PaymentState.DECLINED, kit.pen(desk, now))


@retried
def card_without_result(sale_id: str, desk: Desk, *, kit: Kit) -> None:
    """No result from the terminal (move 5): its own list decides, nothing else."""
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is SaleState.TENDERING:
            _mark_in_doubt(session, sale, desk, kit, now)


@retried
def card_is_missing(sale_id: str, desk: Desk, *, kit: Kit) -> None:
    """The terminal's own list does not show the payment (move 6): the sale is voided and may be begun again."""
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is not SaleState.TENDER_UNKNOWN:
            return
        pen, shift = kit.pen(desk, now), shift_rows.open_at(session, sale.till_id)
        for payment in rows.payments_of(session, sale_id):
            if payment.state is PaymentState.IN_DOUBT:
                evidence = {"evidence": "not on the terminal's list"}
                move(session, payment, PAYMENT, PaymentState.MISSING, pen, evidence)
        void_lines(session, sale, shift, desk, kit, now)


def mark_silent_terminals(*, kit: Kit) -> int:
    """The worker's part of move 5: tenders without a result for two minutes. The number that were marked."""
    now = kit.now()
    with reading() as session:
        silent = rows.tenders_left_open(session, now - TENDER_PATIENCE)
    for sale_id in silent:
        _mark_silent(sale_id, now, kit)
    return len(silent)


@retried
def _mark_silent(sale_id: str, now: datetime, kit: Kit) -> None:
    with transaction() as session:
        sale = rows.for_change(session, sale_id)
        if sale is not None and sale.state is SaleState.TENDERING:
            _mark_in_doubt(session, sale, desk_of(session, sale.till_id, sale.staff_id), kit, now)


def _mark_in_doubt(session: Session, sale: rows.Sale, desk: Desk, kit: Kit, now: datetime) -> None:
    """Only an intent can be in doubt; a sale whose card was declined waits for its next tender."""
    waiting = [p for p in rows.payments_of(session, sale.id) if p.state is PaymentState.INTENDED]
    pen = kit.pen(desk, now)
    for payment in waiting:
        move(session, payment, PAYMENT, PaymentState.IN_DOUBT, pen)
    if waiting:
        move(session, sale, SALE, SaleState.TENDER_UNKNOWN, pen)


def _ready(
    session: Session, sale: rows.Sale, quote: str, desk: Desk, now: datetime
) -> tuple[shift_rows.Shift, list[renewal_rows.Renewal]]:
    """The shift and the lines, when money may be taken now for all of them; otherwise the reason why not."""
    if sale.state is SaleState.VOIDED:
        raise SaleOver
    if sale.state is SaleState.TENDER_UNKNOWN:
        raise TenderOpen(amount=sale.total)
    shift = _open_shift(session, desk)
    lines = _lines(session, sale)
    if {number.id for number in rows.live_numbers_of(session, sale.id)} - {line.number_check_id for line in lines}:
        raise PlanMissing
    if any(line.state is RenewalState.QUOTED for line in lines):
        raise DocumentMissing
    if any(session.get_one(plan_rows.Plan, line.plan_id).retired_at is not None for line in lines):
        raise PlanRetired
    if quote != quote_of_all(lines):
        raise StaleForm
    # Everybody queues up for the numbers in the same order: two families that share two numbers never wait for each other.
    for line in sorted(lines, key=lambda line: line.number_look_up):
        _refuse_line(session, sale, line, now)
    return shift, lines


def _refuse_line(session: Session, sale: rows.Sale, line: renewal_rows.Renewal, now: datetime) -> None:
    """The reason why no money may be taken for this line; none when it may."""
    plan = session.get_one(plan_rows.Plan, line.plan_id)
    frozen = (line.price_minor, line.cost_minor, line.face_minor)
    if line.quote_ends_at < now or frozen != (plan.price_minor, plan.cost_minor, plan.face_minor):
        raise QuoteExpired
    if renewal_rows.number_is_busy(session, line.number_look_up, line.id):
        raise NumberBusy
    if not _is_meant_twice(session, sale, line):
        # Once more than at the quote: two windows may both have been quoted before either was paid.
        refuse_twin(session, line.number_look_up, line.product_key, line.plan_id, sale.id, now)


def _is_meant_twice(session: Session, sale: rows.Sale, renewal: renewal_rows.Renewal) -> bool:
    """Whether a manager said so for this plan and this number; the journal is where such words are kept."""
    notes = journal_rows.about(session, [("sale", sale.id)])
    said = [json.loads(note.content) for note in notes if note.kind == OVERRIDDEN]
    meant = (renewal.product_key, renewal.number_commitment)
    # A word from before a sale had several numbers names none: it was about the only one.
    return any((word["plan"], word.get("number", renewal.number_commitment)) == meant for word in said)


def _open_shift(session: Session, desk: Desk) -> shift_rows.Shift:
    shift = shift_rows.open_at(session, desk.till.id)
    if shift is None:
        raise NoOpenShift
    return shift


def _lines(session: Session, sale: rows.Sale) -> list[renewal_rows.Renewal]:
    lines = renewal_rows.live_of_sale(session, sale.id)
    if not lines:
        raise PlanMissing
    return lines


def _refuse_unsellable(session: Session, lines: list[renewal_rows.Renewal], now: datetime, kit: Kit) -> None:
    for carrier, currency in sorted({(line.carrier, line.cost.currency) for line in lines}):
        costs = [line.cost for line in lines if (line.carrier, line.cost.currency) == (carrier, currency)]
        refuse_unsellable(session, carrier, total(costs, currency), now, kit)


def _refuse_a_full_disk(sells: bool) -> None:
    """The room that was kept is for finishing what was begun: no new money."""
    if not sells:
        raise CannotRecord


def _refuse_open_tender(session: Session, sale: rows.Sale) -> None:
    for payment in rows.payments_of(session, sale.id):
        if payment.state in OPEN:
            raise TenderOpen(amount=payment.amount)


def _open_payment(session: Session, sale: rows.Sale) -> rows.Payment:
    for payment in rows.payments_of(session, sale.id):
        if payment.state in OPEN:
            return payment
    raise StaleForm


def _payment(sale: rows.Sale, shift: shift_rows.Shift, tender: Tender, now: datetime) -> rows.Payment:
    return rows.Payment(
        sale_id=sale.id, shift_id=shift.id, tender=tender, amount_minor=sale.total_minor, currency=sale.currency, at=now
    )


def _paid(
    session: Session,
    sale: rows.Sale,
    lines: list[renewal_rows.Renewal],
    payment: rows.Payment,
    shift: shift_rows.Shift,
    desk: Desk,
    now: datetime,
    kit: Kit,
) -> None:
    """Everything that is true from the moment of payment: number, totals, ledger, journal, and work for the worker."""
    pen = kit.pen(desk, now)
    # A clerk may begin at one till and take the money at another: number, books and paper are those of the drawer it is in.
    sale.till_id = desk.till.id
    sequence, number = receipt_rows.take_number(session, sale.till_id, desk.till.code, ReceiptKind.SALE)
    sale.receipt_number, sale.paid_at, sale.business_day = number, now, desk.store.business_day(now)
    sale.shift_id = shift.id
    session.add(
        receipt_rows.Receipt(
            till_id=sale.till_id,
            store_id=sale.store_id,
            kind=ReceiptKind.SALE,
            sequence=sequence,
            number=number,
            sale_id=sale.id,
            shift_id=shift.id,
            at=now,
        )
    )
    shift.gross_minor += payment.amount_minor
    shift.tax_minor += sum(line.tax_minor for line in lines)
    shift.sales_count += 1
    shift.first_receipt, shift.last_receipt = shift.first_receipt or number, number
    move(session, sale, SALE, SaleState.PAID, pen, {"receipt": number, "total": sale.total_minor, "shift": shift.number})
    for line in lines:
        line.paid_at = line.due_at = now
        move(session, line, RENEWAL, RenewalState.PAID, pen)
        # Each line carries its own part of the payment into the books, so that one of them can be given back alone.
        books.post(
            session,
            ledger.on_paid(payment.tender, line.price),
            at=now,
            business_day=sale.business_day,
            store_id=sale.store_id,
            till_id=sale.till_id,
            shift_id=shift.id,
            sale_id=sale.id,
            renewal_id=line.id,
        )
    # In one order for everybody: two sales of the same plans never wait for each other.
    for line in sorted(lines, key=lambda line: line.plan_id):
        plan_rows.count_sold(session, line.plan_id)


def _same_cash(session: Session, sale: rows.Sale, tendered: Money) -> Money:
    for payment in rows.payments_of(session, sale.id):
        if payment.state is PaymentState.TAKEN and payment.tender is Tender.CASH and payment.tendered == tendered:
            return tendered - payment.amount
    raise OtherContent


def _same_card(session: Session, sale: rows.Sale, slip: CardSlip) -> None:
    for payment in rows.payments_of(session, sale.id):
        kept = CardSlip(payment.scheme or "", payment.last4 or "", payment.authorisation or "", payment.slip_number or "")
        if payment.state is PaymentState.TAKEN and payment.tender is Tender.CARD and kept == slip:
            return
    raise OtherContent
