"""Open the drawer, count it blind, close it, and look at X and Z."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from pos.domain.errors import NoOpenShift
from pos.domain.money import DENOMINATIONS, Money
from pos.domain.permissions import Permission
from pos.domain.shifts import counted
from pos.domain.words import N_
from pos.services import sales, shifts
from pos.web.errors import placed, shown_again
from pos.web.fields import WHOLE_NUMBER, AmountField, CounterForm, ShortText, kept, pieces_from
from pos.web.login import desk, door, kit

bp = Blueprint("shifts", __name__)

COUNT_FIRST = N_("Type how many pieces there are of each; zero counts too. Nothing was closed.")


class OpenForm(CounterForm):
    float_amount = AmountField(wanted=False)


class CloseForm(CounterForm):
    card_total = AmountField(wanted=False)
    card_count = ShortText(longest=6)
    left_in_drawer = AmountField(wanted=False)
    reason = ShortText(longest=200)


def _denominations() -> list[tuple[int, str]]:
    currency = desk().store.currency
    return [(unit, Money(unit, currency).plain()) for unit in DENOMINATIONS.get(currency, (10000, 5000, 2000, 1000, 500, 100))]


def open_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    return render_template(
        "shifts/open.html",
        currency=desk().store.currency,
        denominations=_denominations(),
        proposed=shifts.proposed_float(desk()),
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/shift/open", endpoint="open")
@door(Permission.SHIFT)
def show_open() -> Any:
    return redirect(url_for("counter.home")) if shifts.current(desk()) is not None else open_page()


@bp.post("/shift/open", endpoint="open_post")
@door(Permission.SHIFT)
@shown_again(open_page, "float_amount")
def open_shift() -> Any:
    form = OpenForm()
    currency = form.float_amount.currency = desk().store.currency
    pieces, wrong = pieces_from(request.form, [unit for unit, _ in _denominations()])
    if not form.validate() or wrong:
        return open_page(form.first_errors() | wrong, kept(request.form)), 422
    amount = counted(pieces, currency) if pieces else form.float_amount.data or Money(0, currency)
    shifts.open_shift(amount, pieces, desk(), kit=kit())
    return redirect(url_for("counter.home"))


def close_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    shift = shifts.current(desk())
    if shift is None:
        raise NoOpenShift
    return render_template(
        "shifts/close.html",
        shift=shift,
        currency=desk().store.currency,
        denominations=_denominations(),
        recount=shift.state == "recount",
        unfinished=sales.unfinished(desk()),
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/shift/close", endpoint="close")
@door(Permission.SHIFT)
def show_close() -> Any:
    return close_page() if shifts.current(desk()) is not None else redirect(url_for("shifts.open"))


@bp.post("/shift/close", endpoint="close_post")
@door(Permission.SHIFT)
@shown_again(close_page, "left_in_drawer")
def close_shift() -> Any:
    form = CloseForm()
    form.card_total.currency = form.left_in_drawer.currency = desk().store.currency
    pieces, wrong = pieces_from(request.form, [unit for unit, _ in _denominations()])
    if not pieces and not wrong:
        wrong = {"count": gettext(COUNT_FIRST)}
    raw_count = form.card_count.data or ""
    if raw_count and not (raw_count.isascii() and raw_count.isdigit()):
        wrong["card_count"] = gettext(WHOLE_NUMBER)
    if not form.validate() or wrong:
        places = ("card_total", "card_count", "left_in_drawer", *wrong)
        return close_page(placed(form.first_errors() | wrong, *places), kept(request.form)), 422
    count = shifts.Count(
        pieces=pieces,
        card_total=form.card_total.data,
        card_count=int(raw_count) if raw_count else None,
        left=form.left_in_drawer.data,
    )
    try:
        closed = shifts.close_shift(count, form.reason.data or "", desk(), kit=kit())
    except NoOpenShift:
        return redirect(url_for("shifts.open"))
    if closed is None:
        return redirect(url_for("shifts.close"))
    return redirect(url_for("shifts.closed", shift_id=closed))


@bp.get("/shift/closed/<int(max=2147483647):shift_id>")
@door(Permission.SHIFT)
def closed(shift_id: int) -> str:
    shift, fragment = shifts.show_closed(shift_id, desk())
    return render_template(
        "shifts/closed.html",
        shift=shift,
        receipt_html=Markup(fragment),  # noqa: S704 - built by the renderer, which escapes
        z_number=shift.z_number,
    )


@bp.get("/shift/closed/<int(max=2147483647):shift_id>.pdf")
@door(Permission.SHIFT)
def closed_pdf(shift_id: int) -> Response:
    headers = {"Content-Disposition": f'inline; filename="shift-{shift_id}.pdf"'}
    return Response(shifts.closed_as_pdf(shift_id, desk()), mimetype="application/pdf", headers=headers)


@bp.get("/shift/x")
@door(Permission.SEE_EXPECTED_CASH)
def x() -> str:
    fragment = shifts.x_report(desk(), kit=kit())
    return render_template("shifts/x.html", receipt_html=Markup(fragment))  # noqa: S704 - built by the renderer, which escapes
