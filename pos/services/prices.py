"""The owner's prices: rules over what carriers charge, a price of his own for one plan, and a ceiling nobody passes unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pos.domain.errors import NotFound
from pos.domain.money import Money
from pos.domain.prices import PriceRule, Withheld
from pos.domain.tills import Desk, Store
from pos.services import plans
from pos.services.kit import Kit
from pos.store import plans as plan_rows
from pos.store import prices as rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction


@dataclass(frozen=True)
class PricePicture:
    """One plan of the price list with its three amounts. ``margin`` is what stays, in the shop's currency and before tax; None
    where the carrier charges in another one."""

    id: int
    carrier: str
    line: str
    name: str
    cost: Money
    face: Money
    price: Money
    own_price: Money | None
    margin: Money | None
    withheld: Withheld | None
    is_retired: bool
    sold: int
    as_of: datetime


def listed(desk: Desk) -> list[PricePicture]:
    """The whole price list of the desk's store."""
    with reading() as session:
        return [_picture(plan) for plan in plan_rows.of_store(session, desk.store.id)]


def _picture(plan: plan_rows.Plan) -> PricePicture:
    plain = plan.plain()
    own = plan.own_price_minor
    same = plain.price.currency == plain.cost.currency
    return PricePicture(
        id=plan.id,
        carrier=plan.carrier,
        line=plan.line,
        name=plan.name,
        cost=plain.cost,
        face=plain.face,
        price=plain.price,
        own_price=None if own is None else Money(own, plan.currency),
        margin=plain.price - plain.cost if same and plan.withheld is not Withheld.NO_PRICE else None,
        withheld=plan.withheld,
        is_retired=plan.retired_at is not None,
        sold=plan.sold,
        as_of=plan.imported_at,
    )


def rules(desk: Desk) -> list[PriceRule]:
    with reading() as session:
        return [rule.plain() for rule in rows.of_store(session, desk.store.id)]


@retried
def set_price(plan_id: int, own_price: Money | None, desk: Desk, *, kit: Kit) -> None:
    """The owner's own price for one plan, or none any more. Open sales keep what they were quoted. Raises NotFound."""
    now = kit.now()
    with transaction() as session:
        plan = plan_rows.for_change(session, plan_id)
        if plan is None or plan.store_id != desk.store.id:
            raise NotFound
        was, plan.own_price_minor = plan.own_price_minor, None if own_price is None else own_price.minor
        plans.price(plan, desk.store, [rule.plain() for rule in rows.of_store(session, desk.store.id)])
        content = {"plan": plan.product_key, "carrier": plan.carrier, "own_was": was or 0, "own": plan.own_price_minor or 0}
        kit.pen(desk, now).note(session, "price.set", "plan", plan_id, content | {"price": plan.price_minor})


@retried
def add_rule(rule: PriceRule, desk: Desk, *, kit: Kit) -> None:
    """One more rule; all prices follow at once, without asking a carrier."""
    with transaction() as session:
        row = rows.PriceRule(
            store_id=desk.store.id,
            carrier=rule.carrier,
            line=rule.line,
            margin_basis_points=rule.margin_basis_points,
            add_minor=rule.add_minor,
            round_to_minor=rule.round_to_minor,
            cost_currency=rule.cost_currency,
            rate_millionths=rule.rate_millionths,
        )
        session.add(row)
        session.flush()
        plans.price_all(session, desk.store)
        kit.pen(desk, kit.now()).note(session, "price.rule_added", "price_rule", row.id, _content(row))


@retried
def drop_rule(rule_id: int, desk: Desk, *, kit: Kit) -> None:
    """Without this rule. Again: nothing changes."""
    with transaction() as session:
        row = session.get(rows.PriceRule, rule_id)
        if row is None or row.store_id != desk.store.id:
            return
        session.delete(row)
        session.flush()
        plans.price_all(session, desk.store)
        kit.pen(desk, kit.now()).note(session, "price.rule_dropped", "price_rule", rule_id, _content(row))


def _content(row: rows.PriceRule) -> dict[str, object]:
    return {
        "carrier": row.carrier or "",
        "line": row.line or "",
        "margin_basis_points": row.margin_basis_points,
        "add": row.add_minor,
        "round_to": row.round_to_minor,
        "cost_currency": row.cost_currency or "",
        "rate_millionths": row.rate_millionths or 0,
    }


@retried
def set_ceiling(ceiling: Money | None, desk: Desk, *, kit: Kit) -> None:
    """Plans that would cost more are not sold until the owner gives them a price of their own; None is any sum."""
    with transaction() as session:
        row = session.get_one(till_rows.Store, desk.store.id)
        was, row.price_ceiling_minor = row.price_ceiling_minor, None if ceiling is None else ceiling.minor
        store: Store = row.plain()
        plans.price_all(session, store)
        content = {"was": was or 0, "ceiling": row.price_ceiling_minor or 0}
        kit.pen(desk, kit.now()).note(session, "price.ceiling", "store", store.code, content)
