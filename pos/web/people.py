"""The people of the shop: the list, one person, a new one; and the PIN that is shown once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from pos.domain.errors import NotFound
from pos.domain.permissions import Permission, Role
from pos.domain.words import LANGUAGES
from pos.services import people, staff
from pos.services.approvals import Approval
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("people", __name__)

FIELDS = ("number", "name", "reason", "approver_pin")
_PERSON = "/people/<string(maxlength=12):staff_number>"


class PersonForm(CounterForm):
    number = ShortText(longest=12)
    name = ShortText(longest=80)
    role = ShortText(longest=10)
    language = ShortText(longest=10)
    store_code = ShortText(longest=8)
    reason = ShortText(longest=200)
    approver = ShortText(longest=12)
    approver_pin = ShortText(longest=12, cards=True)


@bp.get("/people")
@door(Permission.PEOPLE)
def show() -> str:
    return render_template("people/list.html", people=people.listed(desk(), kit=kit()))


def page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None, staff_number: str | None = None) -> str:
    return render_template(
        "people/person.html",
        person=people.one(staff_number, desk(), kit=kit()) if staff_number is not None else None,
        roles=[role.value for role in Role],
        tongues=LANGUAGES,
        stores=people.stores_for(desk()),
        everywhere=people.is_everywhere(desk()),
        managers=[pair for pair in staff.who_may(desk().store, Permission.PEOPLE) if pair[0] != desk().staff.number],
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/people/new")
@door(Permission.STAFF)
def new() -> str:
    return page()


@bp.post("/people/new")
@door(Permission.STAFF)
@shown_again(page, *FIELDS)
def hire() -> Any:
    form = PersonForm()
    if not form.validate():
        return page(placed(form.first_errors(), *FIELDS), kept(request.form)), 422
    number = form.number.data or ""
    pin = people.hire(number, _wanted(form), _agreed(form), desk(), kit=kit())
    return _shown_once(number, pin)


@bp.get(_PERSON)
@door(Permission.STAFF)
def person(staff_number: str) -> str:
    return page(staff_number=staff_number)


@bp.post(_PERSON)
@door(Permission.STAFF)
@shown_again(page, *FIELDS)
def change(staff_number: str) -> Any:
    form = PersonForm()
    if not form.validate():
        return page(placed(form.first_errors(), *FIELDS), kept(request.form), staff_number), 422
    people.change(staff_number, _wanted(form), _agreed(form), desk(), kit=kit())
    return redirect(url_for("people.show"))


@bp.post(f"{_PERSON}/suspend")
@door(Permission.STAFF)
def suspend(staff_number: str) -> Any:
    people.suspend(staff_number, desk(), kit=kit())
    return redirect(url_for("people.show"))


@bp.post(f"{_PERSON}/reinstate")
@door(Permission.STAFF)
@shown_again(page, *FIELDS)
def reinstate(staff_number: str) -> Any:
    form = PersonForm()
    if not form.validate():
        return page(placed(form.first_errors(), *FIELDS), kept(request.form), staff_number), 422
    return _shown_once(staff_number, people.reinstate(staff_number, _agreed(form), desk(), kit=kit()))


@bp.post(f"{_PERSON}/pin")
@door(Permission.PEOPLE)
def give_pin(staff_number: str) -> Any:
    return _shown_once(staff_number, people.give_pin(staff_number, desk(), kit=kit()))


@bp.post(f"{_PERSON}/unlock")
@door(Permission.PEOPLE)
def unlock(staff_number: str) -> Any:
    people.unlock(staff_number, desk(), kit=kit())
    return redirect(url_for("people.show"))


def _shown_once(staff_number: str, pin: str) -> str:
    return render_template("people/pin.html", person=people.one(staff_number, desk(), kit=kit()), pin=pin)


def _wanted(form: PersonForm) -> people.Wanted:
    """What was typed and chosen; what no list offers is nothing. Raises NotFound."""
    try:
        role = Role(form.role.data or "")
    except ValueError:
        raise NotFound from None
    return people.Wanted(form.name.data or "", role, form.language.data or "", form.store_code.data or "")


def _agreed(form: PersonForm) -> Approval:
    return Approval(form.reason.data or "", form.approver.data or "", form.approver_pin.data or "")
