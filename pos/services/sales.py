"""Open, quote, void and show a sale."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain import pictures as p
from pos.domain.errors import (
    DuplicateRenewal,
    PlanOfOtherOperator,
    PlanRetired,
    SaleNotFound,
    SaleOver,
    SaleParked,
    SamePlanTwice,
    StaleForm,
    TenderOpen,
)
from pos.domain.happenings import RENEWAL_NOW, happening
from pos.domain.holds import HoldState
from pos.domain.journal import canonical, commitment
from pos.domain.numbers import issuer_country
from pos.domain.payments import PaymentState
from pos.domain.permissions import Permission, may
from pos.domain.plans import OPERATORS, Plan, effect_on
from pos.domain.renewals import DUPLICATE_WINDOW, IN_DOUBT, QUOTE_LIFE, RENEWAL, UNFINISHED, UNPAID, URGENCY, RenewalState
from pos.domain.sales import SALE, SaleState
from pos.domain.tills import Desk
from pos.ports import ProductKind
from pos.services.kit import Kit
from pos.services.standings import refuse_unsellable
from pos.store import deliveries as delivery_rows
from pos.store import holds as hold_rows
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
from pos.store.db import queue_up, reading, retried, transaction
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


def mine_to_see(session: Session, sale_id: str, desk: Desk) -> rows.Sale:
    """The same, to look at."""
    sale = session.get(rows.Sale, sale_id)
    if sale is None or sale.store_id != desk.store.id:
        raise SaleNotFound
    _refuse_parked(sale, desk)
    return sale


def _refuse_parked(sale: rows.Sale, desk: Desk) -> None:
    """An open sale belongs to the clerk who began it; a manager may go on with it."""
    open_of_another = sale.state is not SaleState.PAID and sale.staff_id != desk.staff.id
    if open_of_another and not may(desk.staff.role, Permission.OVERRIDE_DUPLICATE):
        raise SaleParked


def changeable(session: Session, sale_id: str, desk: Desk) -> rows.Sale:
    """The sale while its numbers and plans may still be chosen, locked. Raises SaleOver once money is here or on its way."""
    sale = mine(session, sale_id, desk)
    if sale.state is not SaleState.DRAFT and not _declined_only(session, sale):
        raise SaleOver
    return sale


@retried
def choose_plan(
    sale_id: str,
    plan_id: int,
    desk: Desk,
    *,
    kit: Kit,
    number_id: str | None = None,
    override: bool = False,
    reason: str = "",
) -> None:
    """Quote a plan for one of the sale's numbers: plan, price, cost and number are frozen for 15 minutes (move 1). Without
    ``number_id`` it is for the only number, or for the first one that has no plan yet.

    Choosing again replaces the quote. Raises PlanRetired, DuplicateRenewal, SamePlanTwice, FloatUsedUp, CarrierUnasked,
    SaleOver, StaleForm; no money has moved in any case. Power cut: the quote is there or it is not."""
    now = kit.now()
    with transaction() as session:
        sale = changeable(session, sale_id, desk)
        lines = renewal_rows.live_of_sale(session, sale_id)
        number = _meant(session, sale_id, number_id, lines)
        plan, pen = _sold_for(session, plan_id, number, desk), kit.pen(desk, now)
        refuse_unsellable(session, plan.carrier, plan.cost, now, kit)
        plain_number = kit.keys.open(number.sealed, f"number_checks.sealed:{number.id}")
        _refuse_twin_beside(lines, number, plan)
        if override:
            content = {"plan": plan.product_key, "reason": reason[:200], "number": commitment(number.salt, plain_number)}
            pen.note(session, OVERRIDDEN, "sale", sale_id, content)
        else:
            refuse_twin(session, number.look_up, plan.product_key, plan.id, sale_id, now)
        for earlier in lines:
            if earlier.number_check_id == number.id:
                move(session, earlier, RENEWAL, RenewalState.VOIDED, pen, {"why": "another plan was chosen"})
        renewal = _quoted(sale, number, plain_number, plan, desk, now, kit)
        renewal.line_number = len(renewal_rows.of_sale(session, sale_id)) + 1
        begin(session, renewal, RENEWAL, RenewalState.QUOTED, pen, quote_content(renewal))
        if rows.identity_check_of(session, sale_id) is not None:
            move(session, renewal, RENEWAL, RenewalState.IDENTIFIED, pen)
        add_up(session, sale)


def _meant(session: Session, sale_id: str, number_id: str | None, lines: list[renewal_rows.Renewal]) -> rows.NumberCheck:
    """The number that gets a plan."""
    numbers = rows.live_numbers_of(session, sale_id)
    planned = {line.number_check_id for line in lines}
    open_ones = numbers if len(numbers) == 1 else [number for number in numbers if number.id not in planned]
    wanted = [number for number in numbers if number.id == number_id] if number_id else open_ones
    if not wanted:
        raise StaleForm
    return wanted[0]


def _sold_for(session: Session, plan_id: int, number: rows.NumberCheck, desk: Desk) -> Plan:
    """The plan, if this shop sells it for this number. Raises PlanRetired, PlanOfOtherOperator."""
    row = session.get(plan_rows.Plan, plan_id)
    if row is None or row.store_id != desk.store.id or row.retired_at is not None or row.withheld is not None:
        raise PlanRetired
    new_esim = number.kind == "esim"
    if new_esim != (row.kind == ProductKind.ESIM) or (row.carrier != number.carrier and not new_esim):
        raise PlanRetired
    if row.operator is not None and number.operator is not None and row.operator != number.operator:
        raise PlanOfOtherOperator(operator=OPERATORS.get(number.operator, number.operator))
    return row.plain()


def _refuse_twin_beside(lines: list[renewal_rows.Renewal], number: rows.NumberCheck, plan: Plan) -> None:
    """Raises SamePlanTwice when another line of this very sale gives the same number the same plan."""
    for line in lines:
        same = line.number_look_up == number.look_up and line.product_key == plan.product_key
        if same and line.number_check_id != number.id:
            raise SamePlanTwice(number=number.masked)


def add_up(session: Session, sale: rows.Sale) -> None:
    """The total is the sum of the lines that count; without a line there is none."""
    session.flush()
    lines = renewal_rows.live_of_sale(session, sale.id)
    sale.total_minor = sum(line.price_minor for line in lines) if lines else None


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
        raise DuplicateRenewal(
            minutes=minutes, state=RENEWAL_NOW[renewal.state], sale_id=sale.id, renewal_id=renewal.id, plan_id=plan_id
        )


def _quoted(
    sale: rows.Sale, number: rows.NumberCheck, plain_number: str, plan: Plan, desk: Desk, now: datetime, kit: Kit
) -> renewal_rows.Renewal:
    """The line as it is frozen. The number is sealed once more for this row, because a seal is bound to its place."""
    renewal_id = str(uuid.uuid4())
    effect, valid_now = effect_of(plan, number, now)
    return renewal_rows.Renewal(
        id=renewal_id,
        sale_id=sale.id,
        number_check_id=number.id,
        store_id=sale.store_id,
        carrier=plan.carrier,
        plan_id=plan.id,
        product_key=plan.product_key,
        plan_name=plan.name,
        line=plan.line,
        kind=plan.kind,
        fulfilment=plan.fulfilment,
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
    return effect_on(number.plan_name, number.expires_at, plan, now)


def quote_of(plan: Plan, sale_id: str) -> str:
    """A digest of what was shown of one line."""
    shown = {"sale": sale_id, "plan": plan.product_key, "price": str(plan.price), "cost": str(plan.cost)}
    return _digest(shown)


def quote_of_all(lines: list[renewal_rows.Renewal]) -> str | None:
    """A digest of all lines; the paying form sends it back, so that nobody pays for another number or price than he saw."""
    return _digest({line.number_check_id: line.quote for line in lines}) if lines else None


def _digest(shown: dict[str, str]) -> str:
    return hashlib.sha256(canonical(shown).encode()).hexdigest()[:32]


def quote_content(renewal: renewal_rows.Renewal) -> dict[str, object]:
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


@retried
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
        void_lines(session, sale, shift_rows.open_at(session, sale.till_id), desk, kit, now)


def void_lines(session: Session, sale: rows.Sale, shift: shift_rows.Shift | None, desk: Desk, kit: Kit, now: datetime) -> None:
    """Move the sale and its lines to voided, and count it in the shift."""
    pen = kit.pen(desk, now)
    for renewal in renewal_rows.of_sale(session, sale.id):
        if renewal.state in UNPAID:
            move(session, renewal, RENEWAL, RenewalState.VOIDED, pen)
    move(session, sale, SALE, SaleState.VOIDED, pen)
    if shift is not None:
        shift.voids_count += 1


def show(sale_id: str, desk: Desk, *, kit: Kit) -> p.SalePicture:
    """Everything a screen may show of a sale of this store. Raises SaleNotFound, SaleParked."""
    with reading() as session:
        return _picture(session, mine_to_see(session, sale_id, desk), kit)


def _picture(session: Session, sale: rows.Sale, kit: Kit) -> p.SalePicture:
    check = rows.identity_check_of(session, sale.id)
    numbers = rows.live_numbers_of(session, sale.id)
    live = renewal_rows.live_of_sale(session, sale.id)
    payments = rows.payments_of(session, sale.id)
    store = session.get_one(till_rows.Store, sale.store_id)
    till = session.get_one(till_rows.Till, sale.till_id)
    return p.SalePicture(
        id=sale.id,
        state=sale.state,
        step=_step(sale, numbers, live, check),
        store_code=store.code,
        till_code=till.code,
        clerk=_name(session, sale.staff_id),
        language=sale.language,
        currency=sale.currency,
        numbers=tuple(_number(number, sale, kit) for number in numbers),
        document=_document(session, check),
        # What was given up shows what it would have been.
        renewals=tuple(_renewal(session, line, sale) for line in live or renewal_rows.of_sale(session, sale.id)[-1:]),
        total=sale.total,
        payments=tuple(_payment(payment) for payment in payments),
        receipt_number=sale.receipt_number,
        opened_at=sale.opened_at,
        paid_at=sale.paid_at,
        business_day=sale.business_day,
        quote=quote_of_all(live),
        print_jobs=tuple(job_picture(job) for job in job_rows.of_sale(session, sale.id)),
        interim_printed=sale.interim_printed,
    )


def _step(
    sale: rows.Sale,
    numbers: list[rows.NumberCheck],
    live: list[renewal_rows.Renewal],
    check: rows.IdentityCheck | None,
) -> p.Step:
    over = {
        SaleState.TENDERING: p.Step.CARD,
        SaleState.TENDER_UNKNOWN: p.Step.TENDER_UNKNOWN,
        SaleState.VOIDED: p.Step.VOIDED,
        SaleState.PAID: p.Step.RESULT,
    }
    if sale.state in over:
        return over[sale.state]
    if check is None:
        return p.Step.DOCUMENT
    return p.Step.PLAN if {number.id for number in numbers} - {line.number_check_id for line in live} else p.Step.CHECK


def _number(check: rows.NumberCheck, sale: rows.Sale, kit: Kit) -> p.NumberPicture:
    from pos.services.numbers import grouped_number

    confirming = sale.state in (SaleState.DRAFT, SaleState.TENDERING) and bool(check.sealed)
    full = kit.keys.open(check.sealed, f"number_checks.sealed:{check.id}") if confirming else None
    return p.NumberPicture(
        id=check.id,
        place=check.place,
        kind=check.kind,
        grouped=grouped_number(full) if full is not None else None,
        masked=check.masked,
        carrier=check.carrier,
        operator=check.operator,
        operator_name=check.operator_name,
        state=check.state,
        plan_name=check.plan_name,
        expires_at=check.expires_at,
        grace_ends_at=check.grace_ends_at,
        issuer=issuer_country(full) if full is not None and check.kind == "sim" else None,
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
        whose=check.whose,
        matches=check.matches,
        agreed_by=_name(session, check.approved_by) if check.approved_by is not None else None,
    )


def _renewal(session: Session, line: renewal_rows.Renewal, sale: rows.Sale) -> p.RenewalPicture:
    # Before the payment a line may be held; an attempt it has only afterwards.
    unpaid = line.state in UNPAID
    attempt = None if unpaid else renewal_rows.latest_attempt(session, line.id)
    hold = hold_rows.of_renewal(session, line.id) if unpaid else None
    return p.RenewalPicture(
        id=line.id,
        line_number=line.line_number,
        number_id=line.number_check_id,
        masked=line.masked,
        refund=_refund(session, line),
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
        sent_at=attempt.sent_at if attempt is not None else line.paid_at or sale.paid_at,
        deadline=attempt.deadline_at if attempt is not None else None,
        next_asking_at=line.due_at if line.state in IN_DOUBT else None,
        case_number=case_number(sale),
        held_until=hold.held_until if hold is not None and hold.state is HoldState.HELD else None,
        fulfilment=line.fulfilment,
        code=_code(session, line),
    )


def _code(session: Session, line: renewal_rows.Renewal) -> p.CodePicture | None:
    """What is known of the code of a line, without the code."""
    delivery = delivery_rows.of(session, line) if line.state is RenewalState.CONFIRMED else None
    if delivery is None:
        return None
    return p.CodePicture(
        kind=delivery.kind,
        arrived=delivery.sealed is not None,
        masked=delivery.masked,
        times_shown=delivery.times_shown,
        times_printed=delivery.times_printed,
        first_shown_at=delivery.first_shown_at,
        first_printed_at=delivery.first_printed_at,
        next_asking_at=delivery.due_at,
    )


def case_number(sale: rows.Sale) -> str | None:
    """What a customer quotes while a renewal is being confirmed: the receipt number with a C in front."""
    return f"C-{sale.receipt_number}" if sale.receipt_number else None


def _payment(payment: rows.Payment) -> p.PaymentPicture:
    tendered = payment.tendered
    return p.PaymentPicture(
        id=payment.id,
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


def _refund(session: Session, line: renewal_rows.Renewal) -> p.RefundPicture | None:
    """The refund of a line, also one that came to nothing: the clerk is told before he tries again."""
    refund = rows.refund_of(session, line.id)
    if refund is None:
        return None
    till = session.get_one(till_rows.Till, session.get_one(shift_rows.Shift, refund.shift_id).till_id)
    return p.RefundPicture(
        state=refund.state,
        tender=refund.tender,
        amount=refund.amount,
        receipt_number=refund.receipt_number,
        till_code=till.code,
        clerk=_name(session, refund.staff_id),
        at=refund.at,
    )


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
    """One line of a sale in a list: masked and without an amount."""
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


def whole(session: Session, sale: rows.Sale) -> p.SaleLine:
    """A whole sale in a list: of several numbers it says how many, and the state that wants a person most."""
    lines = renewal_rows.live_of_sale(session, sale.id)
    if len(lines) < 2:
        return line_of(session, sale, lines[0] if lines else None)
    foremost = min(lines, key=lambda line: URGENCY.index(line.state))
    others = len({line.plan_name for line in lines}) - 1
    plan_name = f"{lines[0].plan_name} +{others}" if others else lines[0].plan_name
    return replace(line_of(session, sale, foremost), plan_name=plan_name, numbers=len(lines))


def recent(desk: Desk, *, kit: Kit, limit: int = 6) -> list[p.SaleLine]:
    """This clerk's latest paid sales at this till, of the last half day."""
    with reading() as session:
        found = rows.recent_at(session, desk.till.id, desk.staff.id, kit.now() - timedelta(hours=12), limit)
        return [whole(session, sale) for sale in found]


def unfinished(desk: Desk, *, codes: bool = True) -> list[p.SaleLine]:
    """What is open in this store: card payments without a result first, then each line that the carrier has not decided or
    that is owed back, then codes that the carrier has not sent yet, then successes that came after the money was given back;
    oldest first. Without ``codes`` nobody looks for the latter: the caller knows that there are none."""
    with reading() as session:
        tenders = [whole(session, sale) for sale in rows.open_tenders(session, desk.store.id)]
        found = [line_of(session, sale, line) for line, sale in renewal_rows.unfinished(session, desk.store.id, UNFINISHED)]
        late = verdict_rows.open_conflicts(session, desk.store.id, UNFINISHED)
        awaited = delivery_rows.awaited_in(session, desk.store.id) if codes else []
        missing = [replace(line_of(session, sale, line), awaits_code=True) for line, sale in awaited]
        return tenders + found + missing + [line_of(session, session.get_one(rows.Sale, line.sale_id), line) for line in late]


def timeline(sale_id: str, desk: Desk) -> list[p.HappeningPicture]:
    """Everything the journal says of a sale and its lines, in time."""
    with reading() as session:
        sale = session.get(rows.Sale, sale_id)
        if sale is None or sale.store_id != desk.store.id:
            raise SaleNotFound
        lines = renewal_rows.of_sale(session, sale_id)
        objects = [("sale", sale_id)]
        objects += [("renewal", line.id) for line in lines]
        for line in lines:
            objects += [("verdict", str(verdict.id)) for verdict in verdict_rows.of_renewal(session, line.id)]
            conflict = verdict_rows.conflict_of(session, line.id)
            objects += [("conflict", str(conflict.id))] if conflict is not None else []
        objects += [("payment", str(payment.id)) for payment in rows.payments_of(session, sale_id)]
        objects += [("refund", str(refund.id)) for refund in rows.refunds_of(session, sale_id)]
        objects += [("print_job", str(job.id)) for job in job_rows.of_sale(session, sale_id)]
        several = len(rows.numbers_of(session, sale_id)) > 1
        masked = {line.id: line.masked for line in lines} if several else {}
        return [
            p.HappeningPicture(row.at, _who(session, row.actor), happening(row.kind), masked.get(row.object_id))
            for row in journal_rows.about(session, objects)
        ]


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
            look_up = kit.keys.look_up("idx", number)
            found = renewal_rows.by_look_up(session, desk.store.id, look_up, limit)
            found += delivery_rows.by_iccid(session, desk.store.id, look_up, limit - len(found))
            kept = [(line, sale) for line, sale in found if line.state is not RenewalState.VOIDED]
            return [line_of(session, sale, line) for line, sale in kept]
        receipt = receipt_rows.by_number(session, query.strip().upper())
        if receipt is None or receipt.store_id != desk.store.id or receipt.sale_id is None:
            return []
        if receipt.till_id != desk.till.id and not may(desk.staff.role, Permission.SEE_EXPECTED_CASH):
            return []
        sale = session.get_one(rows.Sale, receipt.sale_id)
        return [whole(session, sale)]


def renewals_of(receipt_number: str) -> dict[str, str]:
    """The renewals of a receipt of any store that were ever paid, and their states: for the command line."""
    with reading() as session:
        receipt = receipt_rows.by_number(session, receipt_number.strip().upper())
        if receipt is None or receipt.sale_id is None:
            return {}
        return {line.id: line.state.value for line in renewal_rows.live_of_sale(session, receipt.sale_id)}


def summary(sale_id: str, desk: Desk, renewal_id: str | None = None) -> p.SaleLine:
    """One sale, or one line of it, as a line of a list. Raises SaleNotFound."""
    with reading() as session:
        sale = session.get(rows.Sale, sale_id)
        if sale is None:
            raise SaleNotFound
        line = session.get(renewal_rows.Renewal, renewal_id) if renewal_id else None
        return line_of(session, sale, line) if line is not None else whole(session, sale)
