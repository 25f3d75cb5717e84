"""The price list: three amounts of every plan, the owner's rules and own prices, and the ceiling."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from pos.domain.money import NotMoney, basis_points
from pos.domain.permissions import Permission
from pos.domain.prices import PriceRule
from pos.services import prices
from pos.web.errors import placed
from pos.web.fields import AmountField, CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("prices", __name__)

_RULE_FIELDS = ("margin", "add", "round_to", "rate")
NO_PERCENT = _l("Type the margin in percent, for example 12.5.")
NO_RATE = _l("Type how much one unit of the carrier's currency is worth, for example 0.86.")
NO_STEP = _l("Prices are rounded up to steps of at least the smallest coin.")


class PriceForm(CounterForm):
    price = AmountField(wanted=False)


class CeilingForm(CounterForm):
    ceiling = AmountField(wanted=False)


class RuleForm(CounterForm):
    carrier = ShortText(longest=40)
    line = ShortText(longest=40)
    margin = ShortText(longest=10)
    add = AmountField(wanted=False)
    round_to = AmountField(wanted=False)
    cost_currency = ShortText(longest=3)
    rate = ShortText(longest=16)


def page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None, asked: str = "") -> str:
    here = desk()
    found = prices.listed(here)
    filters = {name: kept(request.args).get(name, "")[:40] for name in ("carrier", "show")}
    shown = [plan for plan in found if _wanted(plan, filters)]
    return render_template(
        "prices/list.html",
        plans=shown,
        count=len(found),
        carriers=sorted({plan.carrier for plan in found}),
        lines=sorted({plan.line for plan in found}),
        rules=prices.rules(here),
        ceiling=here.store.price_ceiling_minor,
        currency=here.store.currency,
        filters=filters,
        errors=errors or {},
        typed=typed or {},
        asked=asked,
    )


def _wanted(plan: prices.PricePicture, filters: dict[str, str]) -> bool:
    kinds = {
        "": not plan.is_retired,
        "withheld": plan.withheld is not None and not plan.is_retired,
        "own": plan.own_price is not None,
        "retired": plan.is_retired,
    }
    return filters["carrier"] in ("", plan.carrier) and kinds.get(filters["show"], True)


@bp.get("/prices")
@door(Permission.PRICES)
def show() -> str:
    return page()


@bp.post("/prices/<int(max=2147483647):plan_id>")
@door(Permission.PRICES)
def price(plan_id: int) -> Any:
    form = PriceForm()
    form.price.currency = desk().store.currency
    if not form.validate():
        return page(placed(form.first_errors(), "price"), kept(request.form), str(plan_id)), 422
    prices.set_price(plan_id, form.price.data, desk(), kit=kit())
    chosen = kept(request.args)
    return redirect(url_for("prices.show", carrier=chosen.get("carrier"), show=chosen.get("show")))


@bp.post("/prices/ceiling")
@door(Permission.PRICES)
def ceiling() -> Any:
    form = CeilingForm()
    form.ceiling.currency = desk().store.currency
    if not form.validate():
        return page(placed(form.first_errors(), "ceiling"), kept(request.form), "ceiling"), 422
    prices.set_ceiling(form.ceiling.data, desk(), kit=kit())
    return redirect(url_for("prices.show"))


@bp.post("/prices/rules")
@door(Permission.PRICES)
def add_rule() -> Any:
    form = RuleForm()
    form.add.currency = form.round_to.currency = desk().store.currency
    wrong = {} if form.validate() else form.first_errors()
    rule = _rule(form, wrong)
    if rule is None:
        return page(placed(wrong, *_RULE_FIELDS), kept(request.form), "rule"), 422
    prices.add_rule(rule, desk(), kit=kit())
    return redirect(url_for("prices.show"))


def _rule(form: RuleForm, wrong: dict[str, str]) -> PriceRule | None:
    """The rule as it was typed; None with a sentence in ``wrong`` for each field that cannot be read."""
    try:
        margin = basis_points(form.margin.data or "")
    except (NotMoney, ValueError, InvalidOperation):
        wrong.setdefault("margin", str(NO_PERCENT))
        margin = 0
    step = form.round_to.data.minor if form.round_to.data is not None else 1
    if step < 1:
        wrong.setdefault("round_to", str(NO_STEP))
    currency, rate = (form.cost_currency.data or "").upper() or None, None
    if currency is not None:
        rate = _rate(form.rate.data or "")
        if rate is None:
            wrong.setdefault("rate", str(NO_RATE))
    if wrong:
        return None
    return PriceRule(
        id=0,
        carrier=form.carrier.data or None,
        line=form.line.data or None,
        margin_basis_points=margin,
        add_minor=form.add.data.minor if form.add.data is not None else 0,
        round_to_minor=step,
        cost_currency=currency if rate is not None else None,
        rate_millionths=rate,
    )


def _rate(raw: str) -> int | None:
    """Millionths; None for what is no rate of two currencies."""
    try:
        rate = Decimal(raw.strip())
    except InvalidOperation:
        return None
    if not rate.is_finite() or not Decimal("0.000001") <= rate <= 1_000_000:
        return None
    return int(rate * 1_000_000)


@bp.post("/prices/rules/<int(max=2147483647):rule_id>/drop")
@door(Permission.PRICES)
def drop_rule(rule_id: int) -> Any:
    prices.drop_rule(rule_id, desk(), kit=kit())
    return redirect(url_for("prices.show"))
