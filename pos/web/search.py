"""Find a sale again. What is searched for is posted, never in an address."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext

from pos.domain.entry import CardNumberRefused, IccidEntry, PhoneEntry, understand
from pos.domain.errors import LooksLikeCard
from pos.domain.permissions import Permission
from pos.domain.receipts import ReceiptKind
from pos.domain.words import N_
from pos.services import sales
from pos.web.errors import say
from pos.web.fields import CounterForm, ShortText
from pos.web.login import desk, door, kit

bp = Blueprint("search", __name__)

TITLES = {
    ReceiptKind.SALE.value: N_("Receipt"),
    ReceiptKind.REFUND.value: N_("Refund"),
    ReceiptKind.Z.value: N_("Z report"),
}


class SearchForm(CounterForm):
    query = ShortText(longest=120, cards=True)


@bp.get("/search")
@door(Permission.SEARCH)
def find() -> str:
    return render_template("search/find.html", query="", results=[])


@bp.post("/search", endpoint="find_post")
@door(Permission.SEARCH)
def find_post() -> Any:
    form = SearchForm()
    if not form.validate():
        return render_template("search/find.html", query="", results=[], errors=form.first_errors()), 422
    query = form.query.data or ""
    entry = understand(query, desk().store.country, [desk().till.code])
    if isinstance(entry, CardNumberRefused):
        return render_template("search/find.html", query="", results=[], errors={"query": say(LooksLikeCard())}), 422
    number = entry.number.e164 if isinstance(entry, PhoneEntry) else None
    number = entry.iccid.digits if isinstance(entry, IccidEntry) else number
    return render_template("search/find.html", query=query, results=sales.find(query, number, desk(), kit=kit()))


@bp.get("/search/<uuid:sale_id>")
@door(Permission.SEARCH)
def show(sale_id: Any) -> str:
    sale = sales.show(str(sale_id), desk(), kit=kit())
    return render_template(
        "search/show.html",
        sale=sale,
        happenings=sales.timeline(str(sale_id), desk()),
        receipts=[(number, gettext(TITLES[kind])) for number, kind in sales.receipts_of(str(sale_id))],
    )
