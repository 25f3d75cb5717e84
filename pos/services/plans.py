"""Read a carrier's catalogue into the price list; offer what fits."""

from __future__ import annotations

from pos.domain.plans import LINES, Plan
from pos.domain.tills import Desk
from pos.ports import Product
from pos.services.kit import Kit
from pos.store import plans as rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction


def import_catalogue(store_code: str, carrier_name: str, *, kit: Kit) -> int:
    """Bring a store's price list up to date; the number of plans on sale. An open sale keeps the price it was quoted.

    Raises CarrierUnavailable before anything is changed. What the carrier no longer lists is retired, not deleted."""
    return _bring_up_to_date(store_code, carrier_name, list(kit.carriers[carrier_name].list_products()), kit)


@retried
def _bring_up_to_date(store_code: str, carrier_name: str, products: list[Product], kit: Kit) -> int:
    now = kit.now()
    with transaction() as session:
        store = till_rows.store_by_code(session, store_code)
        if store is None:
            raise LookupError(f"no store {store_code}")
        known = rows.of_carrier(session, store.id, carrier_name)
        sellable = [p for p in products if p.sellable and p.face.currency == store.currency]
        for product in sellable:
            plan = known.get(product.key)
            if plan is None:
                plan = rows.Plan(store_id=store.id, carrier=carrier_name, product_key=product.key, sold=0)
                plan.price_minor = product.face.minor
                session.add(plan)
            _refresh(plan, product)
            plan.imported_at, plan.retired_at = now, None
        listed = {product.key for product in sellable}
        for key, plan in known.items():
            if key not in listed and plan.retired_at is None:
                plan.retired_at = now
        pen = kit.office_pen(store.code, "worker", now, store.plain().business_day(now))
        pen.note(session, "plans.imported", "carrier", carrier_name, {"plans": len(sellable)})
    return len(sellable)


def _refresh(plan: rows.Plan, product: Product) -> None:
    """What the carrier decides; the till's price is the shop's and follows the face value until the owner sets it."""
    plan.line = (product.line or "other").replace("-", "_")
    plan.operator = product.operator
    plan.name, plan.kind = product.name, product.kind.value
    plan.currency = product.face.currency
    plan.price_minor = product.face.minor
    plan.cost_minor, plan.cost_currency = product.cost.minor, product.cost.currency
    plan.face_minor, plan.face_currency = product.face.minor, product.face.currency
    plan.valid_days, plan.data_megabytes = product.valid_days, product.data_megabytes
    plan.minutes, plan.texts = product.minutes, product.texts
    plan.fulfilment, plan.country = product.fulfilment.value, product.country
    plan.redeem = product.redeem[:600] if product.redeem else None


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
