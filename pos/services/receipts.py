"""Issue what the customer takes home, in the words of what is true at that moment; reprint it as a numbered copy."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from io import BytesIO

from sqlalchemy.orm import Session

from pos.domain import plans as plan_words
from pos.domain.deliveries import Delivered
from pos.domain.errors import NotFound, NotYetKnown
from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.permissions import Permission, may
from pos.domain.print_jobs import JobKind
from pos.domain.receipt_links import Claim
from pos.domain.receipts import ReceiptKind
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.domain.tills import Store as PlainStore
from pos.domain.words import N_
from pos.services import deliveries, receipt_checks
from pos.services.kit import Kit
from pos.services.print_jobs import copy_of, local_time, queue_document
from pos.services.sales import case_number
from pos.services.words import say_in
from pos.store import deliveries as delivery_rows
from pos.store import print_jobs as job_rows
from pos.store import receipts as rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen
from receipts import html, layouts, pdf, raster, text
from receipts.blocks import Cut
from receipts.document import Document, with_bars
from receipts.parts import Say
from receipts.slips import ConfirmationSlip, Line, Origin, RefundSlip, SaleSlip, SaleState, Shop

# The word of a renewal's state on paper.
STATE_WORDS: dict[RenewalState, str] = {
    RenewalState.CONFIRMED: N_("Active"),
    RenewalState.REFUND_DUE: N_("Not activated"),
    RenewalState.REFUNDED: N_("Not activated, paid back"),
}
BEING_CONFIRMED = N_("Being confirmed")
ISSUED, FOLLOWS = N_("Issued"), N_("Paid, the code follows")

# The product line of what a carrier puts into none.
OTHER_LINE = "other"

# What receipts usually have to say in a country, where the store does not say otherwise.
LEGAL_LINES: dict[str, str] = {
    "CN": N_("This slip is not a tax invoice (fapiao). If you need one, ask for it with this slip."),
    "TW": N_("This slip is not a uniform invoice."),
}

# The width of 80 mm paper: dots of the print head, and columns of its own characters.
_PICTURE_DOTS, _TEXT_COLUMNS = 576, 48


def issue_for(session: Session, sale: sale_rows.Sale, renewal: renewal_rows.Renewal, pen: Pen, kit: Kit) -> None:
    """The slip that fits what has just become known, in the transaction that made it true; at most one of each kind.

    First answers: the ORIGINAL, once every line has one (activated, being confirmed or refund due). Later: a slip of that
    line alone that points to the ORIGINAL."""
    receipt, lines = _sale_receipt(session, sale), renewal_rows.live_of_sale(session, sale.id)
    known = {document.state for document in rows.documents_of(session, receipt.id)}
    state = _slip_state(renewal.state)
    if renewal.replaces is not None and known:
        _issue_replacement(session, sale, renewal, receipt, f"{state.value}.{renewal.line_number}", known, pen, kit)
        return
    if not known:
        if all(line.state not in _UNANSWERED for line in lines):
            _issue_original(session, receipt, sale, lines, pen, kit)
    elif state.value in known:
        return
    elif len(lines) > 1:
        _issue_for_line(session, receipt, sale, renewal, known, pen, kit)
    elif state is SaleState.ACTIVATED and "confirmation" not in known:
        document = _later(session, sale, renewal, pen.at, kit)
        _issue(session, receipt, document, "confirmation", sale, pen, JobKind.SLIP)
    elif state is SaleState.REFUND_DUE:
        _issue(session, receipt, _sale_slip(session, sale, lines, kit), state.value, sale, pen, JobKind.SLIP)


def _issue_original(
    session: Session, receipt: rows.Receipt, sale: sale_rows.Sale, lines: list[renewal_rows.Renewal], pen: Pen, kit: Kit
) -> None:
    """The one ORIGINAL of a sale: all lines, each with what is known of it."""
    state = _state_of_all(lines)
    _issue(session, receipt, _sale_slip(session, sale, lines, kit), state.value, sale, pen, JobKind.ORIGINAL)
    sale.interim_printed = any(_slip_state(line.state) is SaleState.BEING_CONFIRMED for line in lines)


def _issue_for_line(
    session: Session,
    receipt: rows.Receipt,
    sale: sale_rows.Sale,
    renewal: renewal_rows.Renewal,
    known: set[str],
    pen: Pen,
    kit: Kit,
) -> None:
    """One line of several is final after the ORIGINAL was printed: it says so once, on a slip that names it."""
    state = _slip_state(renewal.state)
    name = f"{state.value}.{renewal.line_number}"
    if state in (SaleState.ACTIVATED, SaleState.REFUND_DUE) and name not in known:
        _issue(session, receipt, _later(session, sale, renewal, pen.at, kit), name, sale, pen, JobKind.SLIP)


def issue_code(session: Session, sale: sale_rows.Sale, renewal: renewal_rows.Renewal, pen: Pen, kit: Kit) -> None:
    """A code that came after its line was printed: a slip of its own. Before that, the ORIGINAL will have it."""
    receipt = _sale_receipt(session, sale)
    if rows.documents_of(session, receipt.id):
        document = _later(session, sale, renewal, pen.at, kit)
        _issue(session, receipt, document, f"code.{renewal.line_number}", sale, pen, JobKind.SLIP)


def _issue_replacement(
    session: Session,
    sale: sale_rows.Sale,
    renewal: renewal_rows.Renewal,
    receipt: rows.Receipt,
    slip: str,
    known: set[str],
    pen: Pen,
    kit: Kit,
) -> None:
    """A replacement has no receipt of its own: its slips point to the sale's, whose ORIGINAL came out before."""
    if slip in known:
        return
    waiting = _slip_state(renewal.state) is SaleState.BEING_CONFIRMED
    alone = len(renewal_rows.live_of_sale(session, sale.id)) == 1
    if not waiting:
        _issue(session, receipt, _later(session, sale, renewal, pen.at, kit), slip, sale, pen, JobKind.SLIP)
    elif alone:
        _issue(session, receipt, _sale_slip(session, sale, [renewal], kit), slip, sale, pen, JobKind.SLIP)
    sale.interim_printed = waiting


@retried
def issue_interim(sale_id: str, desk: Desk, *, kit: Kit) -> None:
    """The ORIGINAL while the carrier is still thinking about some line; pressing again changes nothing."""
    now = kit.now()
    with transaction() as session:
        sale = sale_rows.for_change(session, sale_id)
        if sale is None or sale.store_id != desk.store.id or sale.receipt_number is None:
            raise NotFound
        receipt = _sale_receipt(session, sale)
        if not rows.documents_of(session, receipt.id):
            _issue_original(session, receipt, sale, renewal_rows.live_of_sale(session, sale_id), kit.pen(desk, now), kit)
    kit.bell.set()


def issue_refund(
    session: Session,
    sale: sale_rows.Sale,
    renewal: renewal_rows.Renewal,
    refund: sale_rows.Refund,
    desk: Desk,
    pen: Pen,
    kit: Kit,
) -> str:
    """The refund's own numbered slip; its number."""
    sequence, number = rows.take_number(session, desk.till.id, desk.till.code, ReceiptKind.REFUND)
    receipt = rows.Receipt(
        till_id=desk.till.id,
        store_id=sale.store_id,
        kind=ReceiptKind.REFUND,
        sequence=sequence,
        number=number,
        sale_id=sale.id,
        shift_id=refund.shift_id,
        at=pen.at,
    )
    session.add(receipt)
    session.flush()
    say = say_in(sale.language)
    tender = say("Cash") if refund.tender is Tender.CASH else say("Card")
    slip = RefundSlip(
        shop=_shop(desk.store, sale.language, kit),
        origin=_origin(desk.store, desk.till.code, desk.staff.number, number, pen.at),
        original_number=sale.receipt_number or "",
        reason=say("Not activated by the carrier"),
        total=str(-refund.amount),
        lines=(_line(session, sale, renewal, desk.store),),
        payments=((tender, str(-refund.amount)), *_refund_slip(refund, say)),
        approver=desk.staff.number if refund.reason else "",
        case_number=case_number(sale),
        qr=receipt_checks.link_for(Claim(number, desk.store.business_day(pen.at), -refund.amount), kit=kit),
    )
    document = layouts.refund(slip, say, sale.language, _also(desk.store))
    _issue(session, receipt, document, "refund", sale, pen, JobKind.ORIGINAL, till_id=desk.till.id)
    return number


def _refund_slip(refund: sale_rows.Refund, say: Say) -> tuple[tuple[str, str], ...]:
    """What the customer's bank will show, where the money went to a card."""
    if refund.tender is not Tender.CARD:
        return ()
    return ((say("Authorisation"), refund.authorisation or ""), (say("Terminal slip"), refund.slip_number or ""))


@retried
def reprint(number: str, desk: Desk, *, kit: Kit) -> str | None:
    """COPY n of the latest slip of a receipt, counted and journaled. The sale's id. Raises NotFound, NotYetKnown."""
    now = kit.now()
    with transaction() as session:
        receipt = rows.by_number(session, number)
        if receipt is None or receipt.store_id != desk.store.id:
            raise NotFound
        documents = rows.documents_of(session, receipt.id)
        if not documents:
            raise NotYetKnown
        # Held while its copies are counted: two tills that reprint it at once get two numbers.
        rows.for_change(session, receipt.id)
        queue_copy(session, receipt, documents, desk, kit.pen(desk, now))
        sale_id = receipt.sale_id
    kit.bell.set()
    return sale_id


def queue_copy(
    session: Session, receipt: rows.Receipt, documents: list[rows.ReceiptDocument], desk: Desk, pen: Pen
) -> job_rows.PrintJob | None:
    """COPY n at this till, in the transaction that holds the receipt."""
    shift = shift_rows.open_at(session, desk.till.id)
    copy_number = job_rows.copies_of(session, receipt.id) + 1
    job = queue_document(
        session,
        copy_of(as_it_stands(documents), copy_number, local_time(desk.store.local(pen.at))),
        JobKind.COPY,
        till=session.get_one(till_rows.Till, desk.till.id),
        pen=pen,
        sale_id=receipt.sale_id,
        receipt_id=receipt.id,
        copy_number=copy_number,
    )
    pen.note(session, "receipt.copied", "sale", receipt.sale_id or "", {"number": receipt.number, "copy": copy_number})
    if shift is not None:
        shift.reprints_count += 1
    return job


def as_pdf(number: str, desk: Desk, *, a4: bool = False) -> bytes:
    """The receipt as PDF, as wide as the till's paper or on A4, marked as a copy beside paper: the same bytes each time.

    Raises NotFound, NotYetKnown."""
    return pdf.render(_file(number, desk), pdf.Paper.A4 if a4 else pdf.Paper.ROLL)


def as_png(number: str, desk: Desk) -> bytes:
    """The receipt as the picture an 80 mm printer would draw, marked as a copy beside paper. Raises NotFound, NotYetKnown."""
    buffer = BytesIO()
    raster.draw(_file(number, desk), _PICTURE_DOTS).save(buffer, "PNG")
    return buffer.getvalue()


def as_text(number: str, desk: Desk) -> str:
    """The receipt as lines of plain text. Raises NotFound, NotYetKnown."""
    return text.render(_document(number, desk), _TEXT_COLUMNS)


def as_html(number: str, desk: Desk) -> tuple[str, str | None]:
    """(the accessible copy as an HTML fragment, the sale's id)."""
    with reading() as session:
        receipt = rows.by_number(session, number)
        sale_id = receipt.sale_id if receipt is not None else None
    return html.render(_document(number, desk)), sale_id


def _may_open(receipt: rows.Receipt, desk: Desk) -> bool:
    """A clerk opens single receipts of the own till; adding up another till's is for those who may see expected cash."""
    return receipt.till_id == desk.till.id or may(desk.staff.role, Permission.SEE_EXPECTED_CASH)


def to_open(session: Session, number: str, desk: Desk) -> rows.Receipt:
    """A receipt that this desk may open. Raises NotFound."""
    receipt = rows.by_number(session, number)
    if receipt is None or receipt.store_id != desk.store.id or not _may_open(receipt, desk):
        raise NotFound
    return receipt


def _document(number: str, desk: Desk) -> Document:
    with reading() as session:
        documents = rows.documents_of(session, to_open(session, number, desk).id)
        if not documents:
            raise NotYetKnown
        return deliveries.masked_in(as_it_stands(documents))


def _file(number: str, desk: Desk) -> Document:
    with reading() as session:
        is_copy = job_rows.on_paper(session, to_open(session, number, desk).id)
    document = _document(number, desk)
    return marked(document) if is_copy else document


def marked(document: Document) -> Document:
    """A file beside which there is paper; it leaves the shop and must not pass for a second receipt."""
    return with_bars(document, layouts.file_copy_words(say_in(document.language)))


def as_it_stands(documents: list[rows.ReceiptDocument]) -> Document:
    """What a receipt says by now: its latest slip. Where later slips were about single lines, the ORIGINAL and each of them."""
    slips = [Document.from_json(document.document) for document in documents]
    if not any("." in document.state for document in documents):
        return slips[-1]
    blocks = [block for slip in slips for block in slip.blocks if not isinstance(block, Cut)]
    return Document((*blocks, Cut()), slips[0].title, slips[0].language)


def _issue(
    session: Session,
    receipt: rows.Receipt,
    document: Document,
    state: str,
    sale: sale_rows.Sale,
    pen: Pen,
    kind: JobKind,
    till_id: int | None = None,
) -> None:
    """Freeze a document, journal its hash, and queue it for the till's printer."""
    written = document.to_json()
    digest = hashlib.sha256(written.encode()).hexdigest()
    session.add(
        rows.ReceiptDocument(
            receipt_id=receipt.id,
            title=document.title[:120],
            language=sale.language,
            state=state,
            document=written,
            hash=digest,
            at=pen.at,
        )
    )
    pen.note(session, "receipt.issued", "sale", sale.id, {"number": receipt.number, "slip": state, "sha256": digest})
    till = session.get_one(till_rows.Till, till_id or sale.till_id)
    job = queue_document(session, document, kind, till=till, pen=pen, sale_id=sale.id, receipt_id=receipt.id)
    deliveries.give_to(session, document, job)


def _sale_receipt(session: Session, sale: sale_rows.Sale) -> rows.Receipt:
    receipt = rows.by_number(session, sale.receipt_number or "")
    if receipt is None:
        raise NotFound
    return receipt


def _slip_state(state: RenewalState) -> SaleState:
    if state is RenewalState.CONFIRMED:
        return SaleState.ACTIVATED
    if state in (RenewalState.REFUND_DUE, RenewalState.REFUNDING):
        return SaleState.REFUND_DUE
    if state is RenewalState.REFUNDED:
        return SaleState.REFUNDED
    return SaleState.BEING_CONFIRMED


# The carrier has said nothing about these yet.
_UNANSWERED = (RenewalState.PAID, RenewalState.SUBMITTING)


def _state_of_all(lines: list[renewal_rows.Renewal]) -> SaleState:
    """One word for the title: what all lines share, or that they differ."""
    states = {_slip_state(line.state) for line in lines}
    return states.pop() if len(states) == 1 else SaleState.MIXED


def _sale_slip(session: Session, sale: sale_rows.Sale, lines: list[renewal_rows.Renewal], kit: Kit) -> Document:
    say, state = say_in(sale.language), _state_of_all(lines)
    till = session.get_one(till_rows.Till, sale.till_id)
    store = till_rows.store_of(session, till).plain()
    clerk = session.get_one(staff_rows.Staff, sale.staff_id)
    paid = next(p for p in sale_rows.payments_of(session, sale.id) if p.state is PaymentState.TAKEN)
    waiting = any(_slip_state(line.state) is SaleState.BEING_CONFIRMED for line in lines)
    delivered = [delivery_rows.of(session, line) for line in lines]
    refused = [line.price for line in lines if _slip_state(line.state) is SaleState.REFUND_DUE]
    slip = SaleSlip(
        shop=_shop(store, sale.language, kit),
        origin=_origin(store, till.code, clerk.number, sale.receipt_number or "", sale.paid_at or sale.opened_at),
        state=state,
        lines=tuple(_line(session, sale, line, store) for line in lines),
        total=str(sale.total or paid.amount),
        taxes=_taxes(lines, store, sale.language),
        payments=_payment_rows(paid, sale.language),
        case_number=case_number(sale) if state is not SaleState.ACTIVATED else None,
        answer_by=say("You will have the answer in this shop within 24 hours.") if waiting else "",
        owed=str(sum(refused[1:], start=refused[0])) if refused else "",
        issued=all(delivery is not None for delivery in delivered),
        follows=any(delivery is not None and delivery.sealed is None for delivery in delivered),
        qr=_check_link(session, sale, store, kit),
    )
    return layouts.sale(slip, say, sale.language, _also(store))


def _later(session: Session, sale: sale_rows.Sale, renewal: renewal_rows.Renewal, now: datetime, kit: Kit) -> Document:
    """What the carrier said of a line after the ORIGINAL was printed: done, or refused."""
    till = session.get_one(till_rows.Till, sale.till_id)
    store = till_rows.store_of(session, till).plain()
    clerk = session.get_one(staff_rows.Staff, sale.staff_id)
    slip = ConfirmationSlip(
        shop=_shop(store, sale.language, kit),
        origin=_origin(store, till.code, clerk.number, sale.receipt_number or "", now),
        original_number=sale.receipt_number or "",
        lines=(_line(session, sale, renewal, store),),
        case_number=case_number(sale),
        refused=_slip_state(renewal.state) is SaleState.REFUND_DUE,
        issued=delivery_rows.of(session, renewal) is not None,
        qr=_check_link(session, sale, store, kit),
    )
    return layouts.confirmation(slip, say_in(sale.language), sale.language, _also(store))


def _check_link(session: Session, sale: sale_rows.Sale, store: PlainStore, kit: Kit) -> str | None:
    """What the code of a sale's slips says: always of the receipt that was numbered when the money came."""
    if not kit.public_url or sale.receipt_number is None:
        return None
    total = sale.total
    if total is None:
        total = next(p.amount for p in sale_rows.payments_of(session, sale.id) if p.state is PaymentState.TAKEN)
    claim = Claim(sale.receipt_number, store.business_day(sale.paid_at or sale.opened_at), total)
    return receipt_checks.link_for(claim, kit=kit)


def shop_of(store: PlainStore) -> Shop:
    """The head of every slip of a store."""
    return Shop(
        name=store.name,
        legal_name=store.legal_name,
        address=store.address,
        tax_number=(store.tax_label, store.tax_number) if store.tax_number else None,
        support=store.support,
        opening_hours=store.hours,
        footer=store.footer,
    )


def _shop(store: PlainStore, language: str, kit: Kit) -> Shop:
    """The head and foot of a customer's slip, with what the law of the place wants, in the customer's language."""
    usual = say_in(language)(LEGAL_LINES[store.country]) if store.country in LEGAL_LINES else ""
    lines = store.legal_lines if store.legal_lines is not None else (usual,)
    return replace(shop_of(store), legal=tuple(line for line in lines if line), logo=kit.logo)


def _also(store: PlainStore) -> Say | None:
    """The shop's second language."""
    return say_in(store.second_language) if store.second_language else None


def _origin(store: PlainStore, till_code: str, clerk: str, number: str, moment: datetime) -> Origin:
    return Origin(
        number=number,
        local_time=local_time(store.local(moment)),
        business_day=store.business_day(moment).isoformat(),
        till=till_code,
        clerk=clerk,
    )


def _line(session: Session, sale: sale_rows.Sale, renewal: renewal_rows.Renewal, store: PlainStore) -> Line:
    say = say_in(sale.language)
    done = renewal.state is RenewalState.CONFIRMED
    delivery = delivery_rows.of(session, renewal) if done else None
    words = say(STATE_WORDS.get(renewal.state, BEING_CONFIRMED))
    if delivery is not None:
        words = say(ISSUED if delivery.sealed is not None else FOLLOWS)
    return Line(
        number_masked=_number_on_paper(renewal, delivery),
        carrier=line_name(renewal.line, sale.language),
        plan=renewal.plan_name,
        amount=str(renewal.price),
        valid_before=_day(renewal.valid_before, store),
        valid_now=_day(renewal.valid_now, store) if done else None,
        carrier_reference=renewal.provider_ref,
        state_words=words,
        notes=_notes(delivery, say),
        slot=deliveries.slot_of(delivery),
    )


def _number_on_paper(renewal: renewal_rows.Renewal, delivery: delivery_rows.Delivery | None) -> str:
    """A new eSIM is called by its own number as soon as it has one."""
    is_esim = delivery is not None and delivery.kind is Delivered.ESIM and delivery.masked
    return f"{renewal.masked} {delivery.masked}" if delivery is not None and is_esim else renewal.masked


def _notes(delivery: delivery_rows.Delivery | None, say: Say) -> tuple[tuple[str, str], ...]:
    """From when it counts, and where the code is that is still missing."""
    if delivery is None:
        return ()
    begins = say("from the first use") if delivery.kind is Delivered.ESIM else say("from redeeming the code")
    missing = () if delivery.sealed is not None else ((say("Code"), say("follows on a slip of its own")),)
    return ((say("Valid"), begins), *missing)


def line_name(code: str, language: str) -> str:
    """A product line as customers of that language know it."""
    names = plan_words.LINES.get(code)
    if names is None:
        return code if code != OTHER_LINE else ""
    return names[{"zh_Hans": 1, "zh_Hant": 2}.get(language, 0)]


def _day(moment: datetime | None, store: PlainStore) -> str | None:
    return local_time(store.local(moment)) if moment is not None else None


def _taxes(lines: list[renewal_rows.Renewal], store: PlainStore, language: str) -> tuple[tuple[str, str], ...]:
    """One row for each rate: the sum it is part of and the tax in it, as simplified invoices want it; also where it is none."""
    if not store.tax_name:
        return ()
    say, sums = say_in(language), dict[int, tuple[Money, Money]]()
    for line in lines:
        gross, tax = sums.get(line.tax_basis_points, (Money(0, line.currency), Money(0, line.currency)))
        sums[line.tax_basis_points] = (gross + line.price, tax + line.tax)
    words = say("%(tax)s %(rate)s%% in %(gross)s")
    return tuple(
        (words % {"tax": store.tax_name, "rate": _percent(rate), "gross": gross}, str(tax))
        for rate, (gross, tax) in sorted(sums.items())
    )


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02d}".rstrip("0").rstrip(".")


def _payment_rows(payment: sale_rows.Payment, language: str) -> tuple[tuple[str, str], ...]:
    say = say_in(language)
    if payment.tender is Tender.CASH and payment.tendered is not None:
        return ((say("Cash"), str(payment.tendered)), (say("Change"), str(payment.tendered - payment.amount)))
    return (
        (f"{payment.scheme} **** {payment.last4}", str(payment.amount)),
        (say("Authorisation"), payment.authorisation or ""),
        (say("Terminal slip"), payment.slip_number or ""),
    )
