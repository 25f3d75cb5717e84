"""Open, quote, void and show a sale."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain import pictures as p
from pos.domain.errors import DuplicateRenewal, PlanRetired, SaleNotFound, SaleOver, SaleParked, TenderOpen
from pos.domain.happenings import RENEWAL_NOW, happening
from pos.domain.journal import canonical, commitment
from pos.domain.payments import PaymentState
from pos.domain.permissions import Permission, may
from pos.domain.plans import Plan, valid_until
from pos.domain.renewals import DUPLICATE_WINDOW, IN_DOUBT, QUOTE_LIFE, RENEWAL, RenewalState
from pos.domain.sales import SALE, SaleState
from pos.domain.tills import Desk
from pos.services.kit import Kit
from pos.services.standings import refuse_unsellable
from pos.store import journal as journal_rows
from pos.store import plans as plan_rows
from pos.store import print_jobs as job_rows
from pos.store import receipts as receipt_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store import verdicts as verdict_rows
from pos.store.db import queue_up, reading, transaction
from pos.store.life import begin, move

# The journal's word for a manager who lets the same plan be sold twice.
OVERRIDDEN = "duplicate.overridden"


def new_id() -> str:
    """The id of a sale is born with its page, so that the same form posted twice names the same sale."""
    return str(uuid.uuid4())


def mine(session: Session, sale_id: str, desk: Desk) -> rows.Sale:
    """The sale for this desk to change, locked. Raises SaleNotFound for another store's, SaleParked for another clerk's."""
    sale = rows.for_change(session, sale_id)
    if sale is None or sale.store_id != desk.store.id:
        raise SaleNotFound
    _refuse_parked(sale, desk)
    return sale


def _refuse_parked(sale: rows.Sale, desk: Desk) -> None:
    """An open sale belongs to the clerk who began it; a manager may go on with it."""
    open_of_another = sale.state is not SaleState.PAID and sale.staff_id != desk.staff.id
    if open_of_another and not may(desk.staff.role, Permission.OVERRIDE_DUPLICATE):
        raise SaleParked


def choose_plan(sale_id: str, plan_id: int, desk: Desk, *, kit: Kit, override: bool = False, reason: str = "") -> None:
    """Quote a plan for the sale's number: plan, price, cost and number are frozen for 15 minutes (move 1).

    Choosing again replaces the quote. Raises PlanRetired, DuplicateRenewal, SaleOver, FloatUsedUp, CarrierUnasked; no money
    has moved in any case. Power cut: the quote is there or it is not."""
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is not SaleState.DRAFT and not _declined_only(session, sale):
            raise SaleOver
        number = session.get_one(rows.NumberCheck, sale_id)
        row = session.get(plan_rows.Plan, plan_id)
        if row is None or row.store_id != desk.store.id or row.retired_at is not None or row.carrier != number.carrier:
            raise PlanRetired
        if row.operator is not None and number.operator is not None and row.operator != number.operator:
            raise PlanRetired
        refuse_unsellable(session, row.carrier, now, kit)
        plan, pen = row.plain(), kit.pen(desk, now)
        if override:
            pen.note(session, OVERRIDDEN, "sale", sale_id, {"plan": plan.product_key, "reason": reason[:200]})
        else:
            refuse_twin(session, number.look_up, plan.product_key, plan.id, sale_id, now)
        for earlier in renewal_rows.of_sale(session, sale_id):
            if earlier.state is not RenewalState.VOIDED:
                move(session, earlier, RENEWAL, RenewalState.VOIDED, pen, {"why": "another plan was chosen"})
        renewal = _quoted(sale, number, plan, desk, now, kit)
        renewal.line_number = len(renewal_rows.of_sale(session, sale_id)) + 1
        sale.total_minor = renewal.price_minor
        begin(session, renewal, RENEWAL, RenewalState.QUOTED, pen, _quote_content(renewal))
        if rows.identity_check_of(session, sale_id) is not None:
            move(session, renewal, RENEWAL, RenewalState.IDENTIFIED, pen)


def _declined_only(session: Session, sale: rows.Sale) -> bool:
    """Whether a card was tried and declined and nothing is open: the customer may still choose something else."""
    open_states = (PaymentState.INTENDED, PaymentState.IN_DOUBT)
    no_card_open = all(payment.state not in open_states for payment in rows.payments_of(session, sale.id))
    return sale.state is SaleState.TENDERING and no_card_open


def refuse_twin(session: Session, look_up: str, product_key: str, plan_id: int, sale_id: str, now: datetime) -> None:
    """Raises DuplicateRenewal when the same number got the same plan a short while ago, at whatever till."""
    queue_up(session, look_up)
    found = renewal_rows.twin(session, look_up, product_key, now - DUPLICATE_WINDOW, sale_id)
    if found is not None:
        renewal, sale = found
        minutes = int((now - (renewal.paid_at or now)) / timedelta(minutes=1))
        raise DuplicateRenewal(minutes=minutes, state=RENEWAL_NOW[renewal.state], sale_id=sale.id, plan_id=plan_id)


def _quoted(sale: rows.Sale, number: rows.NumberCheck, plan: Plan, desk: Desk, now: datetime, kit: Kit) -> renewal_rows.Renewal:
    """The line as it is frozen. The number is sealed once more for this row, because a seal is bound to its place."""
    renewal_id = str(uuid.uuid4())
    plain_number = kit.keys.open(number.sealed, f"number_checks.sealed:{sale.id}")
    effect, valid_now = effect_of(plan, number, now)
    return renewal_rows.Renewal(
        id=renewal_id,
        sale_id=sale.id,
        store_id=sale.store_id,
        carrier=plan.carrier,
        plan_id=plan.id,
        product_key=plan.product_key,
        plan_name=plan.name,
        line=plan.line,
        kind=plan.kind,
        currency=plan.price.currency,
        price_minor=plan.price.minor,
        tax_minor=plan.price.tax_included(desk.store.tax_basis_points).minor,
        tax_basis_points=desk.store.tax_basis_points,
        cost_minor=plan.cost.minor,
        cost_currency=plan.cost.currency,
        face_minor=plan.face.minor,
        face_currency=plan.face.currency,
        valid_days=plan.valid_days,
        quote=quote_of(plan, sale.id),
        quote_ends_at=now + QUOTE_LIFE,
        number_sealed=kit.keys.seal(plain_number, f"renewals.number_sealed:{renewal_id}"),
        number_look_up=number.look_up,
        number_commitment=commitment(number.salt, plain_number),
        masked=number.masked,
        effect=effect,
        valid_before=number.expires_at,
        valid_now=valid_now,
    )


def effect_of(plan: Plan, number: p.NumberPicture | rows.NumberCheck, now: datetime) -> tuple[str, datetime | None]:
    """What a renewal does to the SIM: extends, replaces or starts, and until when. One rule for the plan grid and the quote."""
    running = number.expires_at is not None and number.expires_at > now
    effect = "extends" if running and number.plan_name == plan.name else ("replaces" if running else "starts")
    return effect, valid_until(plan.valid_days, number.expires_at, now)


def quote_of(plan: Plan, sale_id: str) -> str:
    """A digest of what was shown; the paying form sends it back, so that nobody pays for another price than he saw."""
    shown = {"sale": sale_id, "plan": plan.product_key, "price": str(plan.price), "cost": str(plan.cost)}
    return hashlib.sha256(canonical(shown).encode()).hexdigest()[:32]


def _quote_content(renewal: renewal_rows.Renewal) -> dict[str, object]:
    """What the journal seals of a quote: content, not ids, and nothing personal."""
    return {
        "sale": renewal.sale_id,
        "carrier": renewal.carrier,
        "plan": renewal.product_key,
        "price": renewal.price_minor,
        "tax": renewal.tax_minor,
        "currency": renewal.currency,
        "cost": renewal.cost_minor,
        "cost_currency": renewal.cost_currency,
        "number": renewal.number_commitment,
    }


def void(sale_id: str, desk: Desk, *, kit: Kit) -> None:
    """Give a sale up before any money. Raises SaleOver when it is paid, TenderOpen while a card payment is open.
    A voided sale stays voided: the same post again changes nothing."""
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is SaleState.VOIDED:
            return
        if sale.state is SaleState.PAID:
            raise SaleOver
        for payment in rows.payments_of(session, sale_id):
            if payment.state in (PaymentState.INTENDED, PaymentState.IN_DOUBT):
                raise TenderOpen(amount=payment.amount)
        void_lines(session, sale, desk, kit, now)


def void_lines(session: Session, sale: rows.Sale, desk: Desk, kit: Kit, now: datetime) -> None:
    """Move the sale and its lines to voided, and count it in the shift."""
    pen = kit.pen(desk, now)
    for renewal in renewal_rows.of_sale(session, sale.id):
        if renewal.state in (RenewalState.QUOTED, RenewalState.IDENTIFIED):
            move(session, renewal, RENEWAL, RenewalState.VOIDED, pen)
    move(session, sale, SALE, SaleState.VOIDED, pen)
    shift = shift_rows.open_at(session, sale.till_id)
    if shift is not None:
        shift.voids_count += 1


def show(sale_id: str, desk: Desk, *, kit: Kit) -> p.SalePicture:
    """Everything a screen may show of a sale of this store. Raises SaleNotFound, SaleParked."""
    with reading() as session:
        sale = session.get(rows.Sale, sale_id)
        if sale is None or sale.store_id != desk.store.id:
            raise SaleNotFound
        _refuse_parked(sale, desk)
        return _picture(session, sale, kit)


def _picture(session: Session, sale: rows.Sale, kit: Kit) -> p.SalePicture:
    check = rows.identity_check_of(session, sale.id)
    lines = [r for r in renewal_rows.of_sale(session, sale.id)]
    line = next((r for r in reversed(lines) if r.state is not RenewalState.VOIDED), lines[-1] if lines else None)
    payments = rows.payments_of(session, sale.id)
    store = session.get_one(till_rows.Store, sale.store_id)
    till = session.get_one(till_rows.Till, sale.till_id)
    return p.SalePicture(
        id=sale.id,
        state=sale.state,
        step=_step(sale, line, check),
        store_code=store.code,
        till_code=till.code,
        clerk=_name(session, sale.staff_id),
        language=sale.language,
        currency=sale.currency,
        number=_number(session, sale, kit),
        document=_document(session, check),
        renewal=_renewal(session, line, sale, kit),
        total=sale.total,
        payments=tuple(_payment(payment) for payment in payments),
        refund=_refund(session, line),
        receipt_number=sale.receipt_number,
        opened_at=sale.opened_at,
        paid_at=sale.paid_at,
        business_day=sale.business_day,
        quote=line.quote if line is not None else None,
        print_jobs=tuple(job_picture(job) for job in job_rows.of_sale(session, sale.id)),
        interim_printed=sale.interim_printed,
    )


def _step(sale: rows.Sale, line: renewal_rows.Renewal | None, check: rows.IdentityCheck | None) -> p.Step:
    if sale.state is SaleState.TENDERING:
        return p.Step.CARD
    if sale.state is SaleState.TENDER_UNKNOWN:
        return p.Step.TENDER_UNKNOWN
    if sale.state is SaleState.VOIDED:
        return p.Step.VOIDED
    if sale.state is SaleState.PAID:
        return p.Step.RESULT
    if check is None:
        return p.Step.DOCUMENT
    return p.Step.PLAN if line is None or line.state is RenewalState.VOIDED else p.Step.CHECK


def _number(session: Session, sale: rows.Sale, kit: Kit) -> p.NumberPicture | None:
    from pos.services.numbers import grouped_number

    check = session.get(rows.NumberCheck, sale.id)
    if check is None:
        return None
    confirming = sale.state in (SaleState.DRAFT, SaleState.TENDERING)
    full = kit.keys.open(check.sealed, f"number_checks.sealed:{sale.id}") if confirming else None
    return p.NumberPicture(
        kind=check.kind,
        grouped=grouped_number(full) if full is not None else None,
        masked=check.masked,
        carrier=check.carrier,
        operator=check.operator,
        state=check.state,
        plan_name=check.plan_name,
        expires_at=check.expires_at,
        balances=tuple(
            p.BalancePicture(
                kind=balance["kind"] or "",
                text=balance["text"] or "",
                expires_at=datetime.fromisoformat(balance["expires_at"]) if balance["expires_at"] else None,
            )
            for balance in check.balances
        ),
        asked_at=check.asked_at,
    )


def _document(session: Session, check: rows.IdentityCheck | None) -> p.DocumentPicture | None:
    if check is None:
        return None
    return p.DocumentPicture(
        type=check.type,
        country=check.country,
        last3=check.last3,
        how=check.how,
        carrier_match=check.carrier_match,
        checked_by=_name(session, check.staff_id),
        checked_at=check.checked_at,
    )


def _renewal(session: Session, line: renewal_rows.Renewal | None, sale: rows.Sale, kit: Kit) -> p.RenewalPicture | None:
    if line is None:
        return None
    attempt = renewal_rows.latest_attempt(session, line.id)
    return p.RenewalPicture(
        id=line.id,
        state=line.state,
        plan_name=line.plan_name,
        line=line.line,
        price=line.price,
        tax=line.tax,
        valid_days=line.valid_days,
        valid_before=line.valid_before,
        valid_now=line.valid_now,
        effect=line.effect,
        carrier_reference=line.provider_ref,
        reason=line.reason,
        sent_at=attempt.sent_at if attempt is not None else sale.paid_at,
        deadline=attempt.deadline_at if attempt is not None else None,
        next_asking_at=line.due_at if line.state in IN_DOUBT else None,
        case_number=case_number(sale),
    )


def case_number(sale: rows.Sale) -> str | None:
    """What a customer quotes while a renewal is being confirmed: the receipt number with a C in front."""
    return f"C-{sale.receipt_number}" if sale.receipt_number else None


def _payment(payment: rows.Payment) -> p.PaymentPicture:
    tendered = payment.tendered
    return p.PaymentPicture(
        tender=payment.tender,
        state=payment.state,
        amount=payment.amount,
        tendered=tendered,
        change=tendered - payment.amount if tendered is not None else None,
        scheme=payment.scheme,
        last4=payment.last4,
        authorisation=payment.authorisation,
        slip_number=payment.slip_number,
    )


def _refund(session: Session, line: renewal_rows.Renewal | None) -> p.RefundPicture | None:
    refund = rows.refund_of(session, line.id) if line is not None else None
    if refund is None:
        return None
    return p.RefundPicture(state=refund.state, tender=refund.tender, amount=refund.amount, receipt_number=refund.receipt_number)


def job_picture(job: job_rows.PrintJob) -> p.PrintJobPicture:
    return p.PrintJobPicture(
        id=job.id,
        kind=job.kind,
        state=job.state,
        reason=job.reason,
        title=job.title,
        copy_number=job.copy_number,
        created_at=job.created_at,
        sale_id=job.sale_id,
    )


def _name(session: Session, staff_id: int) -> str:
    return session.get_one(staff_rows.Staff, staff_id).name


def line_of(session: Session, sale: rows.Sale, renewal: renewal_rows.Renewal | None) -> p.SaleLine:
    """A sale in a list: masked and without an amount."""
    return p.SaleLine(
        id=sale.id,
        receipt_number=sale.receipt_number,
        at=sale.paid_at or sale.opened_at,
        masked=renewal.masked if renewal is not None else "",
        plan_name=renewal.plan_name if renewal is not None else "",
        sale_state=sale.state,
        renewal_state=renewal.state if renewal is not None else None,
        clerk=_name(session, sale.staff_id),
    )


def recent(desk: Desk, *, kit: Kit, limit: int = 6) -> list[p.SaleLine]:
    """This clerk's latest paid sales at this till, of the last half day."""
    with reading() as session:
        found = rows.recent_at(session, desk.till.id, desk.staff.id, kit.now() - timedelta(hours=12), limit)
        return [line_of(session, sale, _first(session, sale.id)) for sale in found]


def _first(session: Session, sale_id: str) -> renewal_rows.Renewal | None:
    return next(iter(renewal_rows.live_of_sale(session, sale_id)), None)


def unfinished(desk: Desk) -> list[p.SaleLine]:
    """What is open in this store: card payments without a result first, then what the carrier has not decided and what is
    owed back, then successes that came after the money was given back; oldest first."""
    states = IN_DOUBT | {RenewalState.REFUND_DUE, RenewalState.REFUNDING}
    with reading() as session:
        tenders = [line_of(session, sale, _first(session, sale.id)) for sale in rows.open_tenders(session, desk.store.id)]
        found = [line_of(session, sale, line) for line, sale in renewal_rows.unfinished(session, desk.store.id, states)]
        late = verdict_rows.open_conflicts(session, desk.store.id, states)
        return tenders + found + [line_of(session, session.get_one(rows.Sale, line.sale_id), line) for line in late]


def timeline(sale_id: str, desk: Desk) -> list[p.HappeningPicture]:
    """Everything the journal says of a sale and its lines, in time."""
    with reading() as session:
        sale = session.get(rows.Sale, sale_id)
        if sale is None or sale.store_id != desk.store.id:
            raise SaleNotFound
        objects = [("sale", sale_id)]
        objects += [("renewal", line.id) for line in renewal_rows.of_sale(session, sale_id)]
        for line in renewal_rows.of_sale(session, sale_id):
            objects += [("verdict", str(verdict.id)) for verdict in verdict_rows.of_renewal(session, line.id)]
            conflict = verdict_rows.conflict_of(session, line.id)
            objects += [("conflict", str(conflict.id))] if conflict is not None else []
        objects += [("payment", str(payment.id)) for payment in rows.payments_of(session, sale_id)]
        objects += [("print_job", str(job.id)) for job in job_rows.of_sale(session, sale_id)]
        found = journal_rows.about(session, objects)
        return [p.HappeningPicture(at=row.at, actor=_who(session, row.actor), words=happening(row.kind)) for row in found]


def _who(session: Session, actor: str) -> str:
    """The journal knows people by number; people know them by name."""
    kind, _, number = actor.partition(":")
    person = staff_rows.by_number(session, number) if kind == "staff" else None
    return person.name if person is not None else actor


def receipts_of(sale_id: str) -> list[tuple[str, str]]:
    """(number, kind) of each numbered slip of a sale."""
    with reading() as session:
        return [(receipt.number, receipt.kind.value) for receipt in receipt_rows.of_sale(session, sale_id)]


def find(query: str, number: str | None, desk: Desk, *, kit: Kit, limit: int = 20) -> list[p.SaleLine]:
    """Sales of this store by receipt number, or by a full phone or SIM number; newest first."""
    with reading() as session:
        if number is not None:
            found = renewal_rows.by_look_up(session, desk.store.id, kit.keys.look_up("idx", number), limit)
            kept = [(line, sale) for line, sale in found if line.state is not RenewalState.VOIDED]
            return [line_of(session, sale, line) for line, sale in kept]
        receipt = receipt_rows.by_number(session, query.strip().upper())
        if receipt is None or receipt.store_id != desk.store.id or receipt.sale_id is None:
            return []
        if receipt.till_id != desk.till.id and not may(desk.staff.role, Permission.SEE_EXPECTED_CASH):
            return []
        sale = session.get_one(rows.Sale, receipt.sale_id)
        return [line_of(session, sale, _first(session, sale.id))]


def renewals_of(receipt_number: str) -> dict[str, str]:
    """The renewals of a receipt of any store that were ever paid, and their states: for the command line."""
    with reading() as session:
        receipt = receipt_rows.by_number(session, receipt_number.strip().upper())
        if receipt is None or receipt.sale_id is None:
            return {}
        return {line.id: line.state.value for line in renewal_rows.live_of_sale(session, receipt.sale_id)}


def summary(sale_id: str, desk: Desk) -> p.SaleLine:
    """One sale as a line of a list. Raises SaleNotFound."""
    with reading() as session:
        sale = session.get(rows.Sale, sale_id)
        if sale is None:
            raise SaleNotFound
        return line_of(session, sale, _first(session, sale_id))
