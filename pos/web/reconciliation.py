"""The day beside what others tell of it: drawers, cards, bank and carriers, the open items, and a decision of two people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from pos.domain.errors import DayMissing
from pos.domain.permissions import Permission
from pos.domain.settlements import (
    ACTION_WORDS,
    BUCKET_WORDS,
    DIFFERS_WORDS,
    DIRECTION_WORDS,
    Bucket,
    Direction,
    ItemState,
)
from pos.services import reconciliation_imports as imports
from pos.services import reconciliation_items as items
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, day_from, kept
from pos.web.login import desk, door, kit

bp = Blueprint("reconciliation", __name__)

_LONGEST = timedelta(days=3660)
_FIELDS = ("action", "reference", "approver_number", "approver_pin", "next_on")


class DecisionForm(CounterForm):
    action = ShortText(longest=20)
    reference = ShortText(longest=200)
    seen = ShortText(longest=300)
    approver_number = ShortText(longest=12)
    approver_pin = ShortText(longest=12)


class LaterForm(CounterForm):
    next_on = ShortText(longest=10)


def _today() -> date:
    return desk().store.business_day(kit().now())


def _asked_day() -> date:
    """A day of this shop's life; for any other, and for what is none, today."""
    told = request.form if request.method == "POST" else request.args
    today, asked = _today(), day_from(kept(told).get("day", ""))
    return asked if asked is not None and today - _LONGEST <= asked <= today else today


def page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    here, day = desk().store, _asked_day()
    shown = items.show_day(here, day, kit=kit())
    asked = {name: kept(request.args).get(name, "")[:20] for name in ("bucket", "direction")}
    return render_template(
        "reconciliation/day.html",
        shown=shown,
        items=[
            item for item in shown.items if asked["bucket"] in ("", item.bucket) and asked["direction"] in ("", item.direction)
        ],
        elsewhere=[item for item in items.open_items(here, kit=kit()) if item.day != day],
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < _today() else None,
        profiles=sorted(name for name, one in kit().profiles.items() if one.direction is not Direction.CARRIER),
        most_kilobytes=current_app.config["MAX_CONTENT_LENGTH"] // 1024,
        asked=asked,
        errors=errors or {},
        typed=typed or {},
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {
        "directions": {one.value: words for one, words in DIRECTION_WORDS.items()},
        "buckets": {one.value: words for one, words in BUCKET_WORDS.items()},
        "differs_words": {one.value: words for one, words in DIFFERS_WORDS.items()},
        "action_words": {one.value: words for one, words in ACTION_WORDS.items()},
        "tones": {Bucket.MATCHED: "done", Bucket.UNKNOWN: "held", Bucket.DIFFERENT: "refund"},
        "open_state": ItemState.OPEN,
    }


@bp.get("/reconciliation")
@door(Permission.SEE_EXPECTED_CASH)
def show() -> str:
    return page()


@bp.post("/reconciliation/compare")
@door(Permission.RECONCILE)
def compare() -> Any:
    here, day = desk(), _asked_day()
    pen = kit().pen(here, kit().now())
    worked = items.work_through(here.store, day, pen, kit=kit(), owner_id=here.staff.id)
    if worked.silent:
        names = ", ".join(worked.silent)
        flash(gettext("%(names)s did not answer. The rest was compared; press the button again later.", names=names))
    return redirect(url_for("reconciliation.show", day=day.isoformat()))


@bp.post("/reconciliation/import", endpoint="import_file")
@door(Permission.RECONCILE)
@shown_again(page, "profile", "statement")
def import_file() -> Any:
    here = desk()
    profile = imports.profile_of(kept(request.form).get("profile", ""), kit(), Direction.CARD, Direction.BANK)
    file = request.files.get("statement")
    done = imports.import_settlement(file.read() if file is not None else b"", profile, here, kit=kit())
    items.after_import(here.store, done, kit().pen(here, kit().now()), kit=kit(), owner_id=here.staff.id)
    if done.new:
        flash(ngettext("%(num)s new line was read.", "%(num)s new lines were read.", done.new))
    else:
        flash(gettext("Every line of this file is here already. Nothing was changed."))
    return redirect(url_for("reconciliation.show", day=(done.days[0] if done.days else _asked_day()).isoformat()))


def item_page(item_id: int, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    return render_template(
        "reconciliation/item.html",
        item=items.show_item(item_id, desk().store, kit=kit()),
        errors=errors or {},
        typed=typed or {},
        **_words(),
    )


@bp.get("/reconciliation/items/<int(max=2147483647):item_id>")
@door(Permission.SEE_EXPECTED_CASH)
def item(item_id: int) -> str:
    return item_page(item_id)


@bp.post("/reconciliation/items/<int(max=2147483647):item_id>/decide")
@door(Permission.RECONCILE)
@shown_again(item_page, *_FIELDS)
def decide(item_id: int) -> Any:
    form = DecisionForm()
    if not form.validate():
        return item_page(item_id, placed(form.first_errors(), *_FIELDS), kept(request.form)), 422
    decision = items.Decision(
        form.action.data or "",
        form.reference.data or "",
        form.seen.data or "",
        form.approver_number.data or "",
        form.approver_pin.data or "",
    )
    items.decide(item_id, decision, desk(), kit=kit())
    return _back(item_id)


@bp.post("/reconciliation/items/<int(max=2147483647):item_id>/take")
@door(Permission.RECONCILE)
def take(item_id: int) -> Any:
    items.take(item_id, desk(), kit=kit())
    return redirect(url_for("reconciliation.item", item_id=item_id))


@bp.post("/reconciliation/items/<int(max=2147483647):item_id>/later")
@door(Permission.RECONCILE)
@shown_again(item_page, *_FIELDS)
def later(item_id: int) -> Any:
    form = LaterForm()
    day = day_from(form.next_on.data or "") if form.validate() else None
    if day is None:
        raise DayMissing
    items.postpone(item_id, day, desk(), kit=kit())
    return _back(item_id)


def _back(item_id: int) -> Any:
    """To the day, at the next item."""
    day = items.show_item(item_id, desk().store, kit=kit()).day
    return redirect(url_for("reconciliation.show", day=day.isoformat(), _anchor="items"))
