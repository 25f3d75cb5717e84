"""For managers: differences that wait for a word, and shifts that nobody closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for

from pos.domain.errors import ReasonMissing
from pos.domain.permissions import Permission
from pos.services import closing, differences
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit
from pos.web.shifts import bp


class ReasonForm(CounterForm):
    reason = ShortText(longest=200)


def page(shift_id: int = 0, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    return render_template(
        "shifts/differences.html",
        waiting=differences.waiting(desk()),
        forgotten=differences.forgotten(desk(), kit=kit()),
        asked=shift_id,
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/shifts/differences", endpoint="differences")
@door(Permission.APPROVE_DIFFERENCE)
def show() -> str:
    return page()


@bp.post("/shifts/<int(max=2147483647):shift_id>/approve", endpoint="approve")
@door(Permission.APPROVE_DIFFERENCE)
@shown_again(page, "reason")
def approve(shift_id: int) -> Any:
    return _done(shift_id, lambda reason: differences.approve_later(shift_id, reason, desk(), kit=kit()))


@bp.post("/shifts/<int(max=2147483647):shift_id>/not-counted", endpoint="close_uncounted")
@door(Permission.APPROVE_DIFFERENCE)
@shown_again(page, "reason")
def close_uncounted(shift_id: int) -> Any:
    return _done(shift_id, lambda reason: closing.close_uncounted(shift_id, reason, desk(), kit=kit()))


def _done(shift_id: int, verb: Callable[[str], None]) -> Any:
    form = ReasonForm()
    if not form.validate():
        return page(shift_id, placed(form.first_errors(), "reason"), kept(request.form)), 422
    if not form.reason.data:
        raise ReasonMissing
    verb(form.reason.data)
    return redirect(url_for("shifts.differences"))
