"""The carriers: how each stands with the shop, its float and what moved it, its catalogue, and what it is asked."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from pos.domain.errors import NotFound
from pos.domain.money import Money
from pos.domain.permissions import Permission
from pos.services import carriers, floats
from pos.web.errors import placed
from pos.web.fields import AmountField, CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("carriers", __name__)


class LowWaterForm(CounterForm):
    low_water = AmountField(wanted=False)


class ExplainForm(CounterForm):
    amount_minor = ShortText(longest=16)
    why = ShortText(longest=200)


def page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None, asked: str = "") -> str:
    found = carriers.listed(desk(), kit=kit())
    return render_template("carriers/list.html", carriers=found, errors=errors or {}, typed=typed or {}, asked=asked)


@bp.get("/carriers")
@door(Permission.DECIDE)
def show() -> str:
    return page()


@bp.post("/carriers/ask")
@door(Permission.DECIDE)
def ask() -> Any:
    carriers.ask_now(kit=kit())
    return redirect(url_for("carriers.show"))


@bp.post("/carriers/<carrier>/<currency>/low-water")
@door(Permission.DECIDE)
def low_water(carrier: str, currency: str) -> Any:
    form = LowWaterForm()
    form.low_water.currency = _known(carrier, currency).available.currency
    if not form.validate():
        return page(placed(form.first_errors(), "low_water"), kept(request.form), f"{carrier}/{currency}"), 422
    floats.set_low_water(carrier, currency, form.low_water.data, desk(), kit=kit())
    return redirect(url_for("carriers.show"))


@bp.post("/carriers/<carrier>/<currency>/explain")
@door(Permission.DECIDE)
def explain(carrier: str, currency: str) -> Any:
    known = _known(carrier, currency)
    form = ExplainForm()
    raw = form.amount_minor.data or ""
    if not form.validate() or not form.why.data or not re.fullmatch(r"-?[0-9]{1,15}", raw, flags=re.ASCII):
        return page(placed(form.first_errors(), "why"), kept(request.form), f"{carrier}/{currency}"), 422
    floats.explain(carrier, currency, Money(int(raw), known.available.currency), form.why.data, desk(), kit=kit())
    return redirect(url_for("carriers.show"))


def _known(carrier: str, currency: str) -> floats.FloatPicture:
    """Raises NotFound."""
    for one in floats.listed():
        if (one.carrier, one.available.currency) == (carrier, currency):
            return one
    raise NotFound
