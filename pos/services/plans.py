"""Read a carrier's catalogue into the price list; offer what fits."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from pos.domain.money import Money
from pos.domain.plans import LINES, Plan
from pos.domain.prices import PriceRule, asked
from pos.domain.tills import Desk, Store
from pos.ports import CarrierUnavailable, Product
from pos.services.kit import Kit
from pos.store import plans as rows
from pos.store import prices as rule_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction

log = structlog.get_logger()

REFRESH_EVERY = timedelta(hours=6)


def import_catalogue(store_code: str, carrier_name: str, *, kit: Kit) -> int:
    """Bring a store's price list up to date; the number of plans on sale. An open sale keeps the price it was quoted.

    Raises CarrierUnavailable before anything is changed. What the carrier no longer lists is retired, not deleted; the
    owner's own prices stay."""
    return _bring_up_to_date(store_code, carrier_name, list(kit.carriers[carrier_name].list_products()), kit)


def refresh(*, kit: Kit) -> int:
    """The worker's part: read every catalogue anew that is older than REFRESH_EVERY. How many were read; a carrier that does
    not answer keeps its plans on sale and is asked again next time."""
    now = kit.now()
    with reading() as session:
        old = [(code, name) for code, name, read_at, _ in rows.catalogues(session) if now - read_at > REFRESH_EVERY]
    done = 0
    for store_code, carrier_name in old:
        if carrier_name not in kit.carriers:
            continue
        try:
            import_catalogue(store_code, carrier_name, kit=kit)
        except CarrierUnavailable:
            log.warning("catalogue not read", carrier=carrier_name, store=store_code)
        else:
            done += 1
    return done


@retried
def _bring_up_to_date(store_code: str, carrier_name: str, products: list[Product], kit: Kit) -> int:
    now = kit.now()
    with transaction() as session:
        row = till_rows.store_by_code(session, store_code)
        if row is None:
            raise LookupError(f"no store {store_code}")
        store = row.plain()
        known = rows.of_carrier(session, store.id, carrier_name)
        rules = [rule.plain() for rule in rule_rows.of_store(session, store.id)]
        sellable = [product for product in products if product.sellable and _may_be_priced(product, store, rules)]
        for product in sellable:
            plan = known.get(product.key)
            if plan is None:
                plan = rows.Plan(store_id=store.id, carrier=carrier_name, product_key=product.key, sold=0)
                session.add(plan)
            _refresh(plan, product)
            price(plan, store, rules)
            plan.imported_at, plan.retired_at = now, None
            known[product.key] = plan
        listed = {product.key for product in sellable}
        for key, plan in known.items():
            if key not in listed and plan.retired_at is None:
                plan.retired_at = now
        on_sale = sum(plan.retired_at is None and plan.withheld is None for plan in known.values())
        pen = kit.office_pen(store.code, "worker", now, store.business_day(now))
        pen.note(session, "plans.imported", "carrier", carrier_name, {"plans": on_sale})
    return on_sale


def _may_be_priced(product: Product, store: Store, rules: list[PriceRule]) -> bool:
    """Whether any price in the shop's currency can be thought of; a catalogue of another country's market is not this shop's."""
    own = store.currency in (product.face.currency, product.cost.currency)
    return own or any(rule.cost_currency == product.cost.currency for rule in rules)


def _refresh(plan: rows.Plan, product: Product) -> None:
    """What the carrier decides."""
    plan.line = (product.line or "other").replace("-", "_")
    plan.operator = product.operator
    plan.name, plan.kind = product.name, product.kind.value
    plan.cost_minor, plan.cost_currency = product.cost.minor, product.cost.currency
    plan.face_minor, plan.face_currency = product.face.minor, product.face.currency
    plan.valid_days, plan.data_megabytes = product.valid_days, product.data_megabytes
    plan.minutes, plan.texts = product.minutes, product.texts
    plan.fulfilment, plan.country = product.fulfilment.value, product.country
    plan.redeem = product.redeem[:600] if product.redeem else None


def price(plan: rows.Plan, store: Store, rules: list[PriceRule]) -> None:
    """What the shop decides: the owner's own price, else by rule, else the face value."""
    own = None if plan.own_price_minor is None else Money(plan.own_price_minor, store.currency)
    ceiling = None if store.price_ceiling_minor is None else Money(store.price_ceiling_minor, store.currency)
    cost, face = Money(plan.cost_minor, plan.cost_currency), Money(plan.face_minor, plan.face_currency)
    found, plan.withheld = asked(rules, plan.carrier, plan.line, cost, face, store.currency, own, ceiling)
    plan.price_minor, plan.currency = found.minor, store.currency


def price_all(session: Session, store: Store) -> None:
    """After the owner changed a rule: every plan that is not retired gets its price anew, from what the carrier said last."""
    rules = [rule.plain() for rule in rule_rows.of_store(session, store.id)]
    for plan in rows.of_store(session, store.id):
        if plan.retired_at is None:
            price(plan, store, rules)


def offers(desk: Desk, carrier_name: str, operator: str | None) -> list[Plan]:
    """What this store sells of a carrier for SIMs of an operator, most sold first."""
    with reading() as session:
        return [plan.plain() for plan in rows.on_sale(session, desk.store.id, carrier_name, operator)]


def esims(desk: Desk) -> list[Plan]:
    """The new eSIMs that this store sells, of all carriers, by country."""
    with reading() as session:
        return [plan.plain() for plan in rows.esims_on_sale(session, desk.store.id)]


def lines_of(plans: list[Plan]) -> list[tuple[str, tuple[str, str, str]]]:
    """The product lines among some plans, in the counter's order: code and its three names."""
    present = {plan.line for plan in plans}
    known = [(code, names) for code, names in LINES.items() if code in present]
    return known + [(code, (code, code, code)) for code in sorted(present - set(LINES))]
