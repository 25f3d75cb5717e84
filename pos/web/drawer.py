"""The drawer while its shift goes on: money in, out and to the safe, no-sale, counts, handover."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort, g, redirect, render_template, request, url_for
from flask_babel import gettext

from pos.domain.errors import CountIncomplete, NoOpenShift
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.shifts import REASONS, Movement, counted
from pos.domain.words import N_
from pos.services import counts, drawer, shifts, staff
from pos.services.approvals import Approval
from pos.web.errors import placed, shown_again, to_the_top
from pos.web.fields import AmountField, CounterForm, ShortText, kept, pieces_from
from pos.web.login import desk, door, kit
from pos.web.shifts import bp, denominations

FIELDS = ("amount", "code", "reason", "approver", "approver_pin", "taker")
# The path names what is done; nothing typed stands in it.
PATHS = {"in": Movement.PAID_IN, "out": Movement.PAID_OUT, "safe": Movement.DROP}
DONE = {
    "in": N_("The money is booked. The slip goes into the drawer."),
    "out": N_("The money is booked. The slip goes into the drawer."),
    "safe": N_("The money is booked. Put the slip with it and bring it to the safe."),
    "opened": N_("The drawer opens. The opening is written down."),
    "counted": N_("The count is kept. The shift goes on."),
    "handed-over": N_("The drawer is handed over. Lock the till now; the other person signs in."),
}


class MovementForm(CounterForm):
    press = ShortText(longest=36)
    amount = AmountField(wanted=False)
    code = ShortText(longest=20)
    reason = ShortText(longest=200)
    approver = ShortText(longest=12)
    approver_pin = ShortText(longest=12)


class HandoverForm(CounterForm):
    taker = ShortText(longest=12)
    approver_pin = ShortText(longest=12)


@bp.get("/shift/drawer", endpoint="drawer")
@door(Permission.SHIFT)
def show() -> Any:
    shift = shifts.current(desk())
    if shift is None:
        return redirect(url_for("shifts.open"))
    done = DONE.get(request.args.get("done", ""))
    if done is not None:
        g.notice = gettext(done)
    return render_template(
        "shifts/drawer.html",
        shift=shift,
        counts=counts.made(desk()) if may(desk().staff.role, Permission.SEE_EXPECTED_CASH) else [],
        in_charge=counts.in_charge(desk()),
        is_full=drawer.is_full(desk()),
    )


def movement_page(path: str, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    _refuse_without_shift()
    kind, limit = PATHS[path], desk().store.movement_limit_minor
    errors = errors or {}
    if limit is None or may(desk().staff.role, Permission.MOVE_OVER_LIMIT):
        errors = to_the_top(errors, "approver", "approver_pin")
    return render_template(
        "shifts/movement.html",
        path=path,
        reasons=REASONS[kind],
        currency=desk().store.currency,
        denominations=denominations(),
        limit=None if limit is None else Money(limit, desk().store.currency),
        managers=staff.who_may(desk().store, Permission.MOVE_OVER_LIMIT),
        errors=errors,
        typed=typed or {},
    )


@bp.get("/shift/drawer/<any('in', 'out', safe):path>", endpoint="movement")
@door(Permission.SHIFT)
def show_movement(path: str) -> str:
    return movement_page(path)


@bp.post("/shift/drawer/<any('in', 'out', safe):path>", endpoint="movement_post")
@door(Permission.SHIFT)
@shown_again(movement_page, *FIELDS)
def move_cash(path: str) -> Any:
    form = MovementForm()
    currency = form.amount.currency = desk().store.currency
    pieces, wrong = pieces_from(request.form, [unit for unit, _ in denominations()])
    amount = None
    if form.validate() and not wrong:
        amount = counted(pieces, currency) if pieces else form.amount.data
        if amount is None or not amount:
            wrong = {"amount": gettext("Type the amount, for example 20.00.")}
    if amount is None or wrong:
        return movement_page(path, placed(form.first_errors() | wrong, *FIELDS, *wrong), kept(request.form)), 422
    wish = drawer.Wish(_press(form), PATHS[path], amount, form.code.data or "", form.reason.data or "", pieces)
    drawer.move_cash(wish, desk(), kit=kit(), agreed=_agreed(form))
    return redirect(url_for("shifts.drawer", done=path))


def no_sale_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    _refuse_without_shift()
    return render_template(
        "shifts/no_sale.html",
        reasons=REASONS[Movement.NO_SALE],
        managers=_others(Permission.NO_SALE),
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/shift/no-sale", endpoint="no_sale")
@door(Permission.SHIFT)
def show_no_sale() -> Any:
    return no_sale_page() if shifts.current(desk()) is not None else redirect(url_for("shifts.open"))


@bp.post("/shift/no-sale", endpoint="no_sale_post")
@door(Permission.SHIFT)
@shown_again(no_sale_page, *FIELDS)
def open_without_sale() -> Any:
    form = MovementForm()
    if not form.validate():
        return no_sale_page(placed(form.first_errors(), *FIELDS), kept(request.form)), 422
    agreed = _agreed(form) or Approval(form.reason.data or "")
    drawer.open_without_sale(_press(form), form.code.data or "", agreed, desk(), kit=kit())
    return redirect(url_for("shifts.drawer", done="opened"))


def count_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    _refuse_without_shift()
    return render_template(
        "shifts/count.html",
        currency=desk().store.currency,
        denominations=denominations(),
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/shift/count", endpoint="count")
@door(Permission.SHIFT)
def show_count() -> Any:
    return count_page() if shifts.current(desk()) is not None else redirect(url_for("shifts.open"))


@bp.post("/shift/count", endpoint="count_post")
@door(Permission.SHIFT)
@shown_again(count_page)
def count() -> Any:
    pieces, wrong = _counted()
    if wrong:
        return count_page(wrong, kept(request.form)), 422
    counts.count_drawer(pieces, desk(), kit=kit())
    return redirect(url_for("shifts.drawer", done="counted"))


def handover_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    _refuse_without_shift()
    return render_template(
        "shifts/handover.html",
        currency=desk().store.currency,
        denominations=denominations(),
        people=_others(Permission.SHIFT),
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/shift/handover", endpoint="handover")
@door(Permission.SHIFT)
def show_handover() -> Any:
    return handover_page() if shifts.current(desk()) is not None else redirect(url_for("shifts.open"))


@bp.post("/shift/handover", endpoint="handover_post")
@door(Permission.SHIFT)
@shown_again(handover_page, *FIELDS)
def hand_over() -> Any:
    form = HandoverForm()
    pieces, wrong = _counted()
    if not form.validate() or wrong:
        return handover_page(placed(form.first_errors() | wrong, *FIELDS, *wrong), kept(request.form)), 422
    counts.hand_over(pieces, form.taker.data or "", form.approver_pin.data or "", desk(), kit=kit())
    return redirect(url_for("shifts.drawer", done="handed-over"))


def _counted() -> tuple[dict[int, int], dict[str, str]]:
    pieces, wrong = pieces_from(request.form, [unit for unit, _ in denominations()])
    if not pieces and not wrong:
        wrong = {"count": gettext(CountIncomplete.sentence)}
    return pieces, wrong


def _agreed(form: MovementForm) -> Approval | None:
    number = form.approver.data or ""
    return Approval(form.reason.data or "", number, form.approver_pin.data or "") if form.approver_pin.data else None


def _press(form: MovementForm) -> str:
    """The id that the form was born with."""
    try:
        return str(UUID(form.press.data or ""))
    except ValueError:
        abort(400)


def _others(permission: Permission) -> list[tuple[str, str]]:
    return [(number, name) for number, name in staff.who_may(desk().store, permission) if number != desk().staff.number]


def _refuse_without_shift() -> None:
    if shifts.current(desk()) is None:
        raise NoOpenShift
