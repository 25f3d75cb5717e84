"""Several numbers in one sale: one more, and one less."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from pos.domain import pictures as p
from pos.domain.entry import CardNumberRefused, Entry, IccidEntry, ImeiEntry, PhoneEntry, SearchEntry, understand
from pos.domain.errors import LooksLikeCard, NumberDisputed, UnreadableEntry
from pos.domain.permissions import Permission
from pos.domain.portability import Claim
from pos.domain.sales import SaleState
from pos.services import numbers, sales
from pos.web.counter import DEVICE, EntryForm, bp, nearly, page_of, typed_again
from pos.web.errors import say, shown_again, status_of
from pos.web.fields import kept
from pos.web.login import desk, door, kit


@bp.get("/sales/<uuid:sale_id>/another")
@door(Permission.SELL)
def another(sale_id: Any) -> Any:
    return _another_page(str(sale_id), sales.new_id(), {}, {})


def _another_page(
    sale_id: str, number_id: str, errors: dict[str, str], typed: dict[str, str], claims: tuple[Claim, ...] = ()
) -> Any:
    sale = sales.show(sale_id, desk(), kit=kit())
    if sale.state is not SaleState.DRAFT or sale.step is p.Step.DOCUMENT:
        return page_of(sale)
    shown = {} if g.get("forget_entry") else typed
    region = desk().store.country
    said = {"errors": errors, "typed": shown, "claims": claims}
    return render_template("counter/another.html", sale=sale, number_id=number_id, region=region, **said)


@bp.post("/sales/<uuid:sale_id>/numbers/<uuid:number_id>")
@door(Permission.SELL)
def add_number(sale_id: Any, number_id: Any) -> Any:
    return _add_number(sale_id=str(sale_id), number_id=str(number_id))


@shown_again(_another_page, "entry", "entry_again")
def _add_number(sale_id: str, number_id: str) -> Any:
    form = EntryForm()
    if not form.validate():
        return _another_page(sale_id, number_id, form.first_errors(), {}), 422
    entry = understand(form.entry.data or "", desk().store.country, [desk().till.code])
    try:
        return _entered(sale_id, number_id, form, entry)
    except NumberDisputed as error:
        errors = {"entry": say(error)}
        return _another_page(sale_id, number_id, errors, kept(request.form), error.claims), status_of(error)


def _entered(sale_id: str, number_id: str, form: EntryForm, entry: Entry) -> Any:
    chosen = form.carrier.data or None
    match entry:
        case PhoneEntry():
            asked = (sale_id, number_id, entry.number.e164, "phone", desk())
            numbers.ask_about_another(*asked, kit=kit(), again=typed_again(form), chosen=chosen)
        case IccidEntry():
            numbers.ask_about_another(sale_id, number_id, entry.iccid.digits, "sim", desk(), kit=kit(), chosen=chosen)
        case CardNumberRefused():
            g.forget_entry = True
            raise LooksLikeCard
        case ImeiEntry():
            return _another_page(sale_id, number_id, {"entry": gettext(DEVICE)}, kept(request.form)), 422
        case SearchEntry(hint=hint):
            raise nearly(hint, form.entry.data or "")
        case _:
            raise UnreadableEntry
    return redirect(url_for("counter.sale", sale_id=sale_id))


def _sale_again(sale_id: str, number_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    return page_of(sales.show(sale_id, desk(), kit=kit()), errors, typed)


@bp.post("/sales/<uuid:sale_id>/numbers/<uuid:number_id>/drop")
@door(Permission.SELL)
def drop_number(sale_id: Any, number_id: Any) -> Any:
    return _drop_number(sale_id=str(sale_id), number_id=str(number_id))


@shown_again(_sale_again)
def _drop_number(sale_id: str, number_id: str) -> Any:
    numbers.drop(sale_id, number_id, desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=sale_id))
