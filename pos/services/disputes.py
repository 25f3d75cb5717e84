"""The dispute file of one sale: everything that is known of it, with the rows of the journal and their seals. Each look at one
is itself a row of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from pos.domain.errors import NotAllowed, SaleNotFound
from pos.domain.happenings import RENEWAL_NOW, happening
from pos.domain.payments import PaymentState
from pos.domain.permissions import Permission, may
from pos.domain.tills import Desk
from pos.domain.words import N_
from pos.services.day_books import TENDERS
from pos.services.kit import Kit
from pos.services.report_scope import Scope, of_store, stores_for
from pos.services.trend_books import REFUNDS
from pos.store import disputes as rows
from pos.store import journal as journal_rows
from pos.store import receipts as receipt_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from receipts.sheets import Book, Column, Kind, Table

SEEN = "dispute.seen"
_MOST = 50
PAYMENTS = {
    PaymentState.INTENDED: N_("at the terminal"),
    PaymentState.TAKEN: N_("taken"),
    PaymentState.DECLINED: N_("declined"),
    PaymentState.IN_DOUBT: N_("unclear"),
    PaymentState.MISSING: N_("not on the terminal's list"),
}


@dataclass(frozen=True)
class Asked:
    """What is known of a sale. ``text`` is a receipt or somebody's reference, ``number`` the whole number, ``ending`` its end."""

    text: str = ""
    number: str | None = None
    ending: str = ""
    day: date | None = None


@dataclass(frozen=True)
class Hit:
    sale_id: str
    receipt: str
    store: str
    till: str
    paid_at: datetime
    masked: str
    plan: str


def find(asked: Asked, desk: Desk, *, kit: Kit) -> list[Hit]:
    """Sales of the stores this person may see, newest first: by number, receipt, reference at the carrier, last digits, day."""
    _guard(desk)
    stores = {store.id: store for store in stores_for(desk.staff, desk.store)}
    look_up = kit.keys.look_up("idx", asked.number) if asked.number else None
    text = asked.text.strip()
    with reading() as session:
        called = rows.sales_called(session, text) if text else None
        wanted = rows.Wanted(look_up, called, asked.ending, asked.day, _when(asked, kit.now()))
        found = rows.search(session, list(stores), wanted, _MOST)
        return [
            Hit(sale.id, sale.receipt_number or "", stores[sale.store_id].name, till, sale.paid_at, line.masked, line.plan_name)
            for sale, line, till in found
            if sale.paid_at is not None
        ]


def _when(asked: Asked, now: datetime) -> tuple[datetime, datetime] | None:
    """Around a day in whatever zone. The end of a number alone is looked for in the last two months."""
    if asked.day is not None:
        noon = datetime.combine(asked.day, time(12), UTC)
        return noon - timedelta(days=2), noon + timedelta(days=2)
    return (now - timedelta(days=62), now) if asked.ending and not (asked.text or asked.number) else None


@retried
def show(sale_id: str, desk: Desk, language: str, *, kit: Kit) -> Book:
    """The whole file of a paid sale; that it was opened is journaled. Raises NotAllowed, SaleNotFound.
    Power cut: a look may be journaled that nobody had."""
    _guard(desk)
    stores = {store.id: store for store in stores_for(desk.staff, desk.store)}
    with transaction() as session:
        sale = session.get(sale_rows.Sale, sale_id)
        if sale is None or sale.store_id not in stores:
            raise SaleNotFound
        scope = of_store(stores[sale.store_id], None, None, kit=kit, language=language, by=desk.staff.number)
        book = _book(session, sale, scope)
        kit.pen(desk, kit.now()).note(session, SEEN, "sale", sale_id, {"receipt": sale.receipt_number or ""})
    return book


def _guard(desk: Desk) -> None:
    if not may(desk.staff.role, Permission.DISPUTES):
        raise NotAllowed


def _book(session: Session, sale: sale_rows.Sale, scope: Scope) -> Book:
    say, receipt = scope.say, sale.receipt_number or ""
    clerk = session.get_one(staff_rows.Staff, sale.staff_id)
    lines = renewal_rows.of_sale(session, sale.id)
    facts = (
        (say("Receipt"), receipt),
        (say("Store"), scope.store.name),
        (say("Till"), session.get_one(till_rows.Till, sale.till_id).code),
        (say("Clerk"), f"{clerk.number} {clerk.name}"),
        (say("Paid"), scope.local(sale.paid_at) if sale.paid_at is not None else say("not paid")),
        (say("Business day"), sale.business_day.isoformat() if sale.business_day is not None else ""),
        (say("Total"), str(scope.amount(sale.total_minor)) if sale.total_minor is not None else ""),
        (say("Our reference"), sale.id),
    )
    tables = (
        _renewals(scope, lines),
        _payments(session, scope, sale),
        _attempts(session, scope, lines),
        _refunds(session, scope, sale),
        _papers(session, scope, sale),
        *_told(session, scope, sale, lines),
    )
    title = f"{say('Dispute file')} {receipt}".rstrip()
    shown = tuple((label, value) for label, value in facts if value)
    return Book(f"dispute-{receipt or sale.id}", title, scope.store.name, scope.language, shown, tables, scope.made)


def _renewals(scope: Scope, lines: list[renewal_rows.Renewal]) -> Table:
    say = scope.say
    columns = (
        *(Column(say(title)) for title in _OF_A_RENEWAL),
        Column(say("Amount"), Kind.MONEY),
    )
    found = tuple(
        (
            line.masked,
            line.plan_name,
            line.carrier,
            say(RENEWAL_NOW[line.state]),
            line.provider_ref or "",
            line.raw_code or line.reason or "",
            scope.local(line.valid_now) if line.valid_now is not None else "",
            scope.amount(line.price_minor),
        )
        for line in lines
    )
    return Table(say("Renewals"), columns, found)


_OF_A_RENEWAL = (
    *(N_("Number"), N_("Plan"), N_("Carrier"), N_("State"), N_("The carrier's own number"), N_("The carrier's code")),
    N_("Valid until"),
)


def _payments(session: Session, scope: Scope, sale: sale_rows.Sale) -> Table:
    say = scope.say
    columns = (*(Column(say(title)) for title in _OF_A_PAYMENT), Column(say("Amount"), Kind.MONEY))
    found = tuple(
        (
            scope.local(row.at),
            say(TENDERS[row.tender]),
            say(PAYMENTS[row.state]),
            " ".join(part for part in (row.scheme, row.last4) if part),
            row.authorisation or "",
            row.slip_number or "",
            scope.amount(row.amount_minor, row.currency),
        )
        for row in sale_rows.payments_of(session, sale.id)
    )
    return Table(say("Payments"), columns, found, empty=say("Nothing was paid."))


_OF_A_PAYMENT = (N_("Time"), N_("Tender"), N_("State"), N_("Card"), N_("Authorisation code"), N_("Slip number"))


def _attempts(session: Session, scope: Scope, lines: list[renewal_rows.Renewal]) -> Table:
    say = scope.say
    columns = (
        Column(say("Reference we sent")),
        Column(say("First sent")),
        Column(say("Last sent")),
        Column(say("Times"), Kind.COUNT),
        Column(say("Outcome")),
        Column(say("Decided at")),
    )
    found = tuple(
        (
            row.ref,
            scope.local(row.written_at),
            scope.local(row.sent_at),
            row.tries,
            row.outcome or say("open"),
            scope.local(row.ended_at) if row.ended_at is not None else "",
        )
        for row in rows.attempts_of(session, [line.id for line in lines])
    )
    return Table(say("Sent to the carrier"), columns, found, empty=say("Nothing was sent to the carrier."))


def _refunds(session: Session, scope: Scope, sale: sale_rows.Sale) -> Table:
    say = scope.say
    columns = (*(Column(say(title)) for title in _OF_A_REFUND), Column(say("Amount"), Kind.MONEY), Column(say("Reason")))
    found = tuple(
        (
            scope.local(row.at),
            row.receipt_number or "",
            say(TENDERS[row.tender]),
            say(REFUNDS[row.state]),
            row.authorisation or "",
            row.slip_number or "",
            scope.amount(row.amount_minor, row.currency),
            row.reason or "",
        )
        for row in sale_rows.refunds_of(session, sale.id)
    )
    return Table(say("Refunds"), columns, found, empty=say("No money went back."))


_OF_A_REFUND = (N_("Time"), N_("Refund"), N_("Tender"), N_("State"), N_("Authorisation code"), N_("Slip number"))


def _papers(session: Session, scope: Scope, sale: sale_rows.Sale) -> Table:
    """What was printed for the customer, by its digest: the slip itself can be drawn again from its receipt."""
    say = scope.say
    columns = (Column(say("Time")), Column(say("Receipt")), Column(say("Slip")), Column("SHA-256"))
    found = tuple(
        (scope.local(slip.at), receipt.number, slip.title, slip.hash)
        for receipt in receipt_rows.of_sale(session, sale.id)
        for slip in receipt_rows.documents_of(session, receipt.id)
    )
    return Table(say("Papers"), columns, found, empty=say("No paper yet."))


def _told(session: Session, scope: Scope, sale: sale_rows.Sale, lines: list[renewal_rows.Renewal]) -> tuple[Table, Table]:
    """The timeline, and the same rows as the journal holds them: whoever has the export finds them there by chain and row."""
    say = scope.say
    told = journal_rows.about(session, rows.objects_of(session, sale.id, [line.id for line in lines]))
    names = {row.number: row.name for row in staff_rows.people_of(session, sale.store_id)}
    timeline = tuple(
        (scope.local(row.at), say(happening(row.kind)), _who(row.actor, names, say("by itself")), row.chain, row.seq)
        for row in told
    )
    columns = (Column(say("Time")), Column(say("What")), Column(say("Who")), Column(say("Chain")), Column(say("Row"), Kind.COUNT))
    proof = tuple((row.chain, row.seq, row.kind, row.content, row.mac) for row in told)
    sealed = (
        Column(say("Chain")),
        Column(say("Row"), Kind.COUNT),
        Column(say("Kind")),
        Column(say("What it says")),
        Column(say("Seal")),
    )
    return Table(say("Everything that happened"), columns, timeline), Table(say("Rows of the journal"), sealed, proof)


def _who(actor: str, names: dict[str, str], itself: str) -> str:
    number = actor.removeprefix("staff:")
    return f"{number} {names[number]}" if number in names else itself if actor == "worker" else actor
