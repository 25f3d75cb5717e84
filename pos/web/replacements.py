"""Another plan or number for the same money, after the carrier refused: choose, read back, go on."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, url_for

from pos.domain.entry import CardNumberRefused, IccidEntry, PhoneEntry, SearchEntry, understand
from pos.domain.errors import LooksLikeCard, NothingToReplace, UnreadableEntry
from pos.domain.permissions import Permission
from pos.services import replacements, sales
from pos.web.counter import bp, nearly
from pos.web.errors import placed, say, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit
from pos.web.refunds import result_again


class ReplacementForm(CounterForm):
    renewal_id = ShortText(longest=36)
    entry = ShortText(longest=200, cards=True)
    plan_id = ShortText(longest=12)


@bp.get("/sales/<uuid:sale_id>/replace", endpoint="replace")
@door(Permission.SELL)
def show_choices(sale_id: Any) -> Any:
    return _choices(str(sale_id), {}, {"renewal_id": request.args.get("renewal_id", "")[:36]})


def _choices(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    sale = sales.show(sale_id, desk(), kit=kit())
    try:
        choice = replacements.choices(sale_id, typed.get("renewal_id", ""), desk())
    except NothingToReplace as error:
        g.notice = g.get("notice") or say(error)
        return result_again(sale_id, {}, {})
    if g.get("forget_entry"):
        typed = {**typed, "entry": ""}
    return render_template("counter/replace.html", sale=sale, choice=choice, errors=errors, typed=typed)


@bp.post("/sales/<uuid:sale_id>/replace", endpoint="replace_post")
@door(Permission.SELL)
def replace(sale_id: Any) -> Any:
    return _replace(sale_id=str(sale_id))


@shown_again(_choices, "entry")
def _replace(sale_id: str) -> Any:
    form = ReplacementForm()
    if not form.validate():
        return _choices(sale_id, placed(form.first_errors(), "entry"), kept(request.form)), 422
    raw, number = form.plan_id.data or "", _number(form.entry.data or "")
    plan_id = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0
    chosen = (sale_id, form.renewal_id.data or "", number, plan_id, desk())
    if request.form.get("agreed") != "1":
        seen = replacements.read_back(*chosen, kit=kit())
        sale = sales.show(sale_id, desk(), kit=kit())
        return render_template("counter/replace_check.html", sale=sale, seen=seen, typed=kept(request.form), errors={})
    replacements.replace_refused(*chosen, kit=kit())
    return redirect(url_for("counter.sale", sale_id=sale_id))


def _number(typed: str) -> str | None:
    """The other number, or None where the field was left empty. Raises the sentence for the field."""
    if not typed:
        return None
    match understand(typed, desk().store.country, [desk().till.code]):
        case PhoneEntry(number=number):
            return number.e164
        case IccidEntry(iccid=iccid):
            return iccid.digits
        case CardNumberRefused():
            g.forget_entry = True
            raise LooksLikeCard
        case SearchEntry(hint=hint):
            raise nearly(hint, typed)
        case _:
            raise UnreadableEntry
