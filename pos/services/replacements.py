"""Another renewal for the same money, when the carrier refused the first one (move 18): same price, nothing leaves the drawer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.deliveries import is_esim_place
from pos.domain.errors import (
    DuplicateRenewal,
    NothingToReplace,
    NumberBusy,
    OtherPrice,
    OtherReplacement,
    PlanDoesNotFit,
    PlanRetired,
    SaleNotFound,
)
from pos.domain.happenings import RENEWAL_NOW
from pos.domain.journal import commitment
from pos.domain.money import Money
from pos.domain.plans import Plan, effect_on, sane_end
from pos.domain.renewals import QUOTE_LIFE, RENEWAL, RenewalState
from pos.domain.tills import Desk
from pos.ports import ProductKind, Subscription, SubscriptionState
from pos.services import numbers
from pos.services.kit import Kit
from pos.services.owed import open_shift
from pos.services.sales import quote_content, quote_of, refuse_twin
from pos.services.standings import refuse_unsellable
from pos.store import ledger as books
from pos.store import plans as plan_rows
from pos.store import renewals as rows
from pos.store import sales as sale_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, begin, move


@dataclass(frozen=True)
class Choice:
    """What a replacement is chosen from: the refused renewal, and the plans that cost the same for the same SIMs."""

    renewal_id: str
    masked: str
    plan_name: str
    price: Money
    plans: tuple[Plan, ...]


@dataclass(frozen=True)
class ReadBack:
    """What the clerk reads to the customer before anything is changed. ``grouped`` only where another number was typed."""

    renewal_id: str
    grouped: str | None = field(repr=False)
    masked: str
    plan: Plan
    effect: str
    valid_before: datetime | None
    valid_now: datetime | None


@dataclass(frozen=True)
class _Target:
    """A number as the carrier knows it at this moment."""

    number: str = field(repr=False)
    masked: str
    look_up: str
    carrier: str
    operator: str | None
    plan_key: str | None
    plan_name: str | None
    expires_at: datetime | None


def choices(sale_id: str, renewal_id: str, desk: Desk) -> Choice:
    """What the customer may have instead. Raises SaleNotFound, NothingToReplace."""
    with reading() as session:
        line = _refused(session, sale_id, renewal_id, desk)
        offered = _offered(session, line, desk)
        same = [row.plain() for row in offered]
        plans = tuple(plan for plan in same if plan.price == line.price)
        return Choice(line.id, line.masked, line.plan_name, line.price, plans)


def read_back(sale_id: str, renewal_id: str, number: str | None, plan_id: int, desk: Desk, *, kit: Kit) -> ReadBack:
    """The replacement as it would be, asked at the carrier; nothing is written. Raises what ``replace_refused`` raises."""
    target, now = _asked(sale_id, renewal_id, number, desk, kit), kit.now()
    with reading() as session:
        line = _refused(session, sale_id, renewal_id, desk)
        plan = _fitting(session, line, target, plan_id, desk)
        _refuse_busy(session, line, target, plan, now)
        effect, valid_now = effect_on(target.plan_name, target.expires_at, plan, now)
    grouped = numbers.grouped_number(target.number) if number is not None else None
    return ReadBack(renewal_id, grouped, target.masked, plan, effect, target.expires_at, valid_now)


def replace_refused(sale_id: str, renewal_id: str, number: str | None, plan_id: int, desk: Desk, *, kit: Kit) -> str:
    """The id of a new renewal that the same payment pays for; the old one ends as replaced, the new one waits to be sent.

    ``number`` is E.164 or an ICCID, None the same as before. The same post again gives the same answer, another one
    OtherReplacement. Raises NothingToReplace, PlanRetired, PlanDoesNotFit, OtherPrice, NumberBusy, DuplicateRenewal,
    NoOpenShift, CarrierDown, NumberOfAnotherCarrier: then the money is owed back as before.
    Power cut: the old one is owed back, or the new one stands and is sent."""
    done = _done(sale_id, renewal_id, number, plan_id, desk, kit)
    if done is not None:
        return done
    new_id = _exchange(sale_id, renewal_id, _asked(sale_id, renewal_id, number, desk, kit), plan_id, desk, kit)
    kit.bell.set()
    return new_id


@retried
def _exchange(sale_id: str, renewal_id: str, target: _Target, plan_id: int, desk: Desk, kit: Kit) -> str:
    """The commit of ``replace_refused``."""
    now = kit.now()
    with transaction() as session:
        sale = sale_rows.for_change(session, sale_id)
        line = next((one for one in rows.live_for_change(session, sale_id) if one.id == renewal_id), None)
        if sale is None or line is None:
            return _same(session, renewal_id, target.look_up, plan_id)
        if line.state is not RenewalState.REFUND_DUE:
            raise NothingToReplace
        open_shift(session, desk)
        plan = _fitting(session, line, target, plan_id, desk)
        refuse_unsellable(session, plan.carrier, plan.cost, now, kit)
        # Two tills that want the same for one number take turns, as at payment; what the first one did is seen then.
        refuse_twin(session, target.look_up, plan.product_key, plan.id, sale_id, now)
        _refuse_busy(session, line, target, plan, now)
        pen = kit.pen(desk, now)
        new = _quoted(session, line, target, plan, desk, now, kit)
        _pay(session, line, new, desk, pen)
        sale.interim_printed = False
        return new.id


def _refused(session: Session, sale_id: str, renewal_id: str, desk: Desk) -> rows.Renewal:
    sale = session.get(sale_rows.Sale, sale_id)
    if sale is None or sale.store_id != desk.store.id:
        raise SaleNotFound
    line = next((one for one in rows.live_of_sale(session, sale_id) if one.id == renewal_id), None)
    if line is None or line.state is not RenewalState.REFUND_DUE:
        raise NothingToReplace
    return line


def _done(sale_id: str, renewal_id: str, number: str | None, plan_id: int, desk: Desk, kit: Kit) -> str | None:
    """The answer to a post that comes again, without asking any carrier."""
    with reading() as session:
        sale, old = session.get(sale_rows.Sale, sale_id), session.get(rows.Renewal, renewal_id)
        if sale is None or sale.store_id != desk.store.id or old is None or old.sale_id != sale_id:
            raise SaleNotFound
        if old.state is not RenewalState.REPLACED:
            return None
        look_up = old.number_look_up if number is None else kit.keys.look_up("idx", number)
        return _same(session, renewal_id, look_up, plan_id)


def _same(session: Session, renewal_id: str, look_up: str, plan_id: int) -> str:
    new = rows.replacement_of(session, renewal_id)
    if new is None:
        raise NothingToReplace
    if (new.number_look_up, new.plan_id) != (look_up, plan_id):
        raise OtherReplacement
    return new.id


def _asked(sale_id: str, renewal_id: str, number: str | None, desk: Desk, kit: Kit) -> _Target:
    """Ask the carriers about the number, with nothing open. Raises CarrierDown, NumberOfAnotherCarrier."""
    carrier, found = "", Subscription(SubscriptionState.UNTOLD)
    if number is None:
        with reading() as session:
            line = _refused(session, sale_id, renewal_id, desk)
            number, carrier = kit.keys.open(line.number_sealed, f"renewals.number_sealed:{line.id}"), line.carrier
    if not is_esim_place(number):
        carrier, found = numbers.who_has(number, kit, desk)
        numbers.refuse_lost(found, kit.now())
    return _Target(
        number=number,
        masked=numbers.masked_number(number),
        look_up=kit.keys.look_up("idx", number),
        carrier=carrier,
        operator=found.operator,
        plan_key=found.plan_key,
        plan_name=found.plan_name,
        expires_at=sane_end(found.expires_at),
    )


def _offered(session: Session, line: rows.Renewal, desk: Desk) -> list[plan_rows.Plan]:
    """What the same carrier sells for the same SIM; for a new eSIM its other new eSIMs."""
    if line.kind == ProductKind.ESIM:
        return plan_rows.esims_on_sale(session, desk.store.id, line.carrier)
    return plan_rows.on_sale(session, desk.store.id, line.carrier, _operator_of(session, line))


def _operator_of(session: Session, line: rows.Renewal) -> str | None:
    return session.get_one(plan_rows.Plan, line.plan_id).operator


def _fitting(session: Session, line: rows.Renewal, target: _Target, plan_id: int, desk: Desk) -> Plan:
    """The plan, when it is on sale, fits the SIM and costs what was paid."""
    row = session.get(plan_rows.Plan, plan_id)
    if row is None or row.store_id != desk.store.id or row.retired_at is not None or row.withheld is not None:
        raise PlanRetired
    operator = target.operator or plan_rows.operator_of(session, target.carrier, target.plan_key)
    if is_esim_place(target.number) != (row.kind == ProductKind.ESIM):
        raise PlanDoesNotFit
    if row.carrier != target.carrier or (row.operator and operator and row.operator != operator):
        raise PlanDoesNotFit
    plan = row.plain()
    if plan.price != line.price:
        raise OtherPrice(plan=plan.name, price=plan.price, paid=line.price)
    return plan


def _refuse_busy(session: Session, line: rows.Renewal, target: _Target, plan: Plan, now: datetime) -> None:
    """The guards of a payment, and one more: the sale itself may have the same renewal on another line."""
    if rows.number_is_busy(session, target.look_up, line.id):
        raise NumberBusy
    others = [one for one in rows.live_of_sale(session, line.sale_id) if one.id != line.id]
    for one in others:
        if (one.number_look_up, one.product_key) == (target.look_up, plan.product_key) and one.state in rows.MAY_BE_RENEWED:
            minutes = int((now - (one.paid_at or now)) / timedelta(minutes=1))
            raise DuplicateRenewal(minutes=minutes, state=RENEWAL_NOW[one.state], sale_id=line.sale_id, plan_id=plan.id)


def _quoted(
    session: Session, old: rows.Renewal, target: _Target, plan: Plan, desk: Desk, now: datetime, kit: Kit
) -> rows.Renewal:
    """The new line with a quote of its own: price and tax as they were paid, cost and face as the carrier asks now."""
    new_id = str(uuid.uuid4())
    effect, valid_now = effect_on(target.plan_name, target.expires_at, plan, now)
    salt = session.get_one(sale_rows.NumberCheck, old.number_check_id).salt
    return rows.Renewal(
        id=new_id,
        sale_id=old.sale_id,
        number_check_id=old.number_check_id,
        replaces=old.id,
        line_number=max(line.line_number for line in rows.of_sale(session, old.sale_id)) + 1,
        store_id=old.store_id,
        carrier=plan.carrier,
        plan_id=plan.id,
        product_key=plan.product_key,
        plan_name=plan.name,
        line=plan.line,
        kind=plan.kind,
        fulfilment=plan.fulfilment,
        currency=old.currency,
        price_minor=old.price_minor,
        tax_minor=old.tax_minor,
        tax_basis_points=old.tax_basis_points,
        cost_minor=plan.cost.minor,
        cost_currency=plan.cost.currency,
        face_minor=plan.face.minor,
        face_currency=plan.face.currency,
        valid_days=plan.valid_days,
        quote=quote_of(replace(plan, price=old.price), old.sale_id),
        quote_ends_at=now + QUOTE_LIFE,
        number_sealed=kit.keys.seal(target.number, f"renewals.number_sealed:{new_id}"),
        number_look_up=target.look_up,
        number_commitment=commitment(salt, target.number),
        masked=target.masked,
        effect=effect,
        valid_before=target.expires_at,
        valid_now=valid_now,
    )


def _pay(session: Session, old: rows.Renewal, new: rows.Renewal, desk: Desk, pen: Pen) -> None:
    """From here on the same money is held for the new line, and the worker may send it."""
    begin(session, new, RENEWAL, RenewalState.QUOTED, pen, quote_content(new) | {"replaces": old.id})
    move(session, new, RENEWAL, RenewalState.IDENTIFIED, pen)
    move(session, old, RENEWAL, RenewalState.REPLACED, pen, {"by": new.id, "amount": old.price_minor})
    new.paid_at = new.due_at = pen.at
    move(session, new, RENEWAL, RenewalState.PAID, pen)
    plan_rows.count_sold(session, new.plan_id)
    books.post(
        session,
        ledger.on_replaced(new.price),
        at=pen.at,
        business_day=pen.business_day,
        store_id=desk.store.id,
        till_id=desk.till.id,
        sale_id=new.sale_id,
        renewal_id=new.id,
    )
