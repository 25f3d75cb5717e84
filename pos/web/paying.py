"""Taking the money: cash with change, and a card copied from the terminal's slip."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext

from pos.domain import pictures as p
from pos.domain.money import Money, next_notes
from pos.domain.payments import CARD_SCHEMES, CardSlip, slip_from
from pos.domain.permissions import Permission
from pos.domain.words import N_
from pos.services import payments, sales
from pos.web.counter import bp, page_of
from pos.web.errors import placed, shown_again
from pos.web.fields import AmountField, CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

AMOUNT_MISSING = N_("Type what the customer handed over, or press one of the notes. Nothing was booked.")


class CashForm(CounterForm):
    quote = ShortText(longest=64, cards=True)
    tendered = AmountField(wanted=False)
    tendered_note = ShortText(longest=15)


class SlipForm(CounterForm):
    scheme = ShortText(longest=20)
    last4 = ShortText(longest=12)
    authorisation = ShortText(longest=20)
    slip_number = ShortText(longest=20)


# ------------------------------------------------------------------ cash


@bp.get("/sales/<uuid:sale_id>/cash", endpoint="cash")
@door(Permission.SELL)
def show_cash(sale_id: Any) -> Any:
    return _cash_again(str(sale_id), {}, {})


def _cash_again(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    sale = sales.show(sale_id, desk(), kit=kit())
    payable = sale.step is p.Step.CHECK or (sale.step is p.Step.CARD and not _open_card(sale))
    if not payable or sale.total is None:
        return page_of(sale, {}, {})
    offers = next_notes(sale.total)
    return render_template("counter/cash.html", sale=sale, offers=offers, errors=errors, typed=typed)


@bp.post("/sales/<uuid:sale_id>/cash", endpoint="cash_post")
@door(Permission.SELL)
def take_cash(sale_id: Any) -> Any:
    return _take_cash(sale_id=str(sale_id))


@shown_again(_cash_again, "tendered")
def _take_cash(sale_id: str) -> Any:
    form = CashForm()
    form.tendered.currency = desk().store.currency
    if not form.validate():
        return _cash_again(sale_id, placed(form.first_errors(), "tendered"), kept(request.form)), 422
    note = form.tendered_note.data or ""
    if note.isascii() and note.isdigit():
        tendered = Money(int(note), desk().store.currency)
    elif form.tendered.data is not None:
        tendered = form.tendered.data
    else:
        # Enter on the empty field: nobody said how much was handed over, so nothing is booked.
        return _cash_again(sale_id, {"tendered": gettext(AMOUNT_MISSING)}, {}), 422
    payments.take_cash(sale_id, form.quote.data or "", tendered, desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=sale_id))


# ------------------------------------------------------------------ card and wallet


def card_page(sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str]) -> Any:
    """The terminal's page; after "declined" the customer chooses again how to pay."""
    if sale.step is p.Step.CARD and not _open_card(sale):
        return render_template("counter/check.html", sale=sale, duplicate=None, errors=errors, typed=typed)
    name = "counter/tender_unknown.html" if sale.step is p.Step.TENDER_UNKNOWN else "counter/card.html"
    return render_template(name, sale=sale, schemes=CARD_SCHEMES, errors=errors, typed=typed)


def _open_card(sale: p.SalePicture) -> bool:
    return any(payment.state.value in ("intended", "in_doubt") for payment in sale.payments)


def _step_again(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    return page_of(sales.show(sale_id, desk(), kit=kit()), errors, typed)


@bp.post("/sales/<uuid:sale_id>/card")
@door(Permission.SELL)
def card_begin(sale_id: Any) -> Any:
    return _card_begin(sale_id=str(sale_id))


@shown_again(_step_again)
def _card_begin(sale_id: str) -> Any:
    payments.begin_card(sale_id, request.form.get("quote", "")[:64], desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=sale_id))


@bp.post("/sales/<uuid:sale_id>/card/slip")
@door(Permission.SELL)
def card_slip(sale_id: Any) -> Any:
    return _card_slip(sale_id=str(sale_id))


@shown_again(_step_again, "last4", "authorisation", "scheme", "slip_number")
def _card_slip(sale_id: str) -> Any:
    form = SlipForm()
    if not form.validate():
        return _step_again(sale_id, form.first_errors(), kept(request.form)), 422
    payments.take_card(sale_id, _slip(form), desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=sale_id))


def _slip(form: SlipForm) -> CardSlip:
    """Raises CardSlipIncomplete at the first field that the slip's evidence needs."""
    return slip_from(form.scheme.data or "", form.last4.data or "", form.authorisation.data or "", form.slip_number.data or "")


@bp.post("/sales/<uuid:sale_id>/card/declined")
@door(Permission.SELL)
def card_declined(sale_id: Any) -> Any:
    return _card_declined(sale_id=str(sale_id))


@shown_again(_step_again)
def _card_declined(sale_id: str) -> Any:
    named = request.form.get("payment", "")[:18]
    # A page that names none meant none that is open now.
    payment_id = int(named) if named.isascii() and named.isdigit() else 0
    payments.card_declined(sale_id, desk(), kit=kit(), payment_id=payment_id)
    return redirect(url_for("counter.sale", sale_id=sale_id))


@bp.post("/sales/<uuid:sale_id>/card/no-result")
@door(Permission.SELL)
def card_no_result(sale_id: Any) -> Any:
    payments.card_without_result(str(sale_id), desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=str(sale_id)))


@bp.post("/sales/<uuid:sale_id>/card/missing")
@door(Permission.SELL)
def card_missing(sale_id: Any) -> Any:
    payments.card_is_missing(str(sale_id), desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=str(sale_id)))
