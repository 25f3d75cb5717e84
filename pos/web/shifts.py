"""Open the drawer, count it blind, close it, and look at X and Z."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from pos.domain.errors import NoOpenShift
from pos.domain.money import DENOMINATIONS, Money
from pos.domain.permissions import Permission
from pos.domain.shifts import DIFFERENCE_REASONS, counted
from pos.domain.words import N_
from pos.services import sales, shifts, staff
from pos.services.approvals import Approval
from pos.web.errors import placed, shown_again, to_the_top
from pos.web.fields import WHOLE_NUMBER, AmountField, CounterForm, ShortText, kept, pieces_from
from pos.web.login import desk, door, kit

bp = Blueprint("shifts", __name__)

TOTAL_MISSING = N_("Type the total from this terminal's slip too; 0 where it took nothing.")
COUNT_FIRST = N_("Type how many pieces there are of each; zero counts too. Nothing was closed.")


class OpenForm(CounterForm):
    float_amount = AmountField(wanted=False)


class CloseForm(CounterForm):
    card_terminal = ShortText(longest=20)
    card_batch = ShortText(longest=20)
    card_count = ShortText(longest=6)
    card_total = AmountField(wanted=False)
    card_terminal_2 = ShortText(longest=20)
    card_batch_2 = ShortText(longest=20)
    card_count_2 = ShortText(longest=6)
    card_total_2 = AmountField(wanted=False)
    card_terminal_3 = ShortText(longest=20)
    card_batch_3 = ShortText(longest=20)
    card_count_3 = ShortText(longest=6)
    card_total_3 = AmountField(wanted=False)
    left_in_drawer = AmountField(wanted=False)
    code = ShortText(longest=20)
    reason = ShortText(longest=200)
    approver = ShortText(longest=12)
    approver_pin = ShortText(longest=12)
    goes_on = ShortText(longest=1)


# One row for each card terminal of the till.
TERMINALS = ("", "_2", "_3")
_OF_A_TERMINAL = tuple(f"card_{name}{row}" for row in TERMINALS for name in ("terminal", "batch", "count", "total"))
CLOSE_FIELDS = ("left_in_drawer", "code", "reason", "approver", "approver_pin", *_OF_A_TERMINAL)


def denominations() -> list[tuple[int, str]]:
    currency = desk().store.currency
    return [(unit, Money(unit, currency).plain()) for unit in DENOMINATIONS.get(currency, (10000, 5000, 2000, 1000, 500, 100))]


def open_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    return render_template(
        "shifts/open.html",
        currency=desk().store.currency,
        denominations=denominations(),
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
    pieces, wrong = pieces_from(request.form, [unit for unit, _ in denominations()])
    if not form.validate() or wrong:
        return open_page(form.first_errors() | wrong, kept(request.form)), 422
    amount = counted(pieces, currency) if pieces else form.float_amount.data or Money(0, currency)
    shifts.open_shift(amount, pieces, desk(), kit=kit())
    return redirect(url_for("counter.home"))


def close_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    shift = shifts.current(desk())
    if shift is None:
        raise NoOpenShift
    recount = shift.state == "recount"
    errors = errors or {}
    if not recount:
        errors = to_the_top(errors, "code", "reason", "approver", "approver_pin")
    return render_template(
        "shifts/close.html",
        shift=shift,
        currency=desk().store.currency,
        denominations=denominations(),
        recount=recount,
        more_terminals=any(name.endswith(TERMINALS[1:]) for name in (*errors, *(n for n, text in (typed or {}).items() if text))),
        reasons=DIFFERENCE_REASONS,
        managers=[one for one in staff.who_may(desk().store, Permission.APPROVE_DIFFERENCE) if one[0] != desk().staff.number],
        terminals=TERMINALS,
        unfinished=sales.unfinished(desk()),
        errors=errors,
        typed=typed or {},
    )


@bp.get("/shift/close", endpoint="close")
@door(Permission.SHIFT)
def show_close() -> Any:
    return close_page() if shifts.current(desk()) is not None else redirect(url_for("shifts.open"))


@bp.post("/shift/close", endpoint="close_post")
@door(Permission.SHIFT)
@shown_again(close_page, *CLOSE_FIELDS)
def close_shift() -> Any:
    form = CloseForm()
    for name in ("left_in_drawer", *(f"card_total{row}" for row in TERMINALS)):
        form[name].currency = desk().store.currency
    pieces, wrong = pieces_from(request.form, [unit for unit, _ in denominations()])
    if not pieces and not wrong:
        wrong = {"count": gettext(COUNT_FIRST)}
    is_right = form.validate()
    batches = _batches(form, wrong) if is_right else ()
    if not is_right or wrong:
        return close_page(placed(form.first_errors() | wrong, *CLOSE_FIELDS, *wrong), kept(request.form)), 422
    count = shifts.Count(pieces=pieces, card_total=None, card_count=None, left=form.left_in_drawer.data, batches=batches)
    try:
        closed = shifts.close_shift(
            count,
            form.reason.data or "",
            desk(),
            kit=kit(),
            code=form.code.data or "",
            agreed=_agreed(form),
            goes_on=form.goes_on.data == "1",
        )
    except NoOpenShift:
        return redirect(url_for("shifts.open"))
    if closed is None:
        return redirect(url_for("shifts.close"))
    return redirect(url_for("shifts.closed", shift_id=closed))


def _agreed(form: CloseForm) -> Approval | None:
    """Nobody, unless somebody typed a PIN: the list of names always shows one."""
    pin = form.approver_pin.data or ""
    return Approval(form.reason.data or "", form.approver.data or "", pin) if pin else None


def _batches(form: CloseForm, wrong: dict[str, str]) -> tuple[shifts.Batch, ...]:
    """What was typed from each terminal's slip; what is no number, or stands without a total, joins ``wrong``."""
    found = []
    for row in TERMINALS:
        raw, total = form[f"card_count{row}"].data or "", form[f"card_total{row}"].data
        if raw and not (raw.isascii() and raw.isdigit()):
            wrong[f"card_count{row}"] = gettext(WHOLE_NUMBER)
        elif total is not None:
            terminal, batch = (form[f"card_{name}{row}"].data or "" for name in ("terminal", "batch"))
            found.append(shifts.Batch(terminal, batch, int(raw) if raw else None, total))
        elif raw or form[f"card_terminal{row}"].data or form[f"card_batch{row}"].data:
            wrong[f"card_total{row}"] = gettext(TOTAL_MISSING)
    return tuple(found)


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
