"""Make a browser a till, sign in with name and PIN, change the language, lock."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, g, make_response, redirect, render_template, request, session, url_for

from pos.domain.errors import SignInRefused
from pos.domain.permissions import Permission
from pos.domain.words import LANGUAGES
from pos.services import staff, tills
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, cleaned
from pos.web.login import desk, door, enter, kit, leave, remember_till

bp = Blueprint("sign_in", __name__)


class EnrolForm(CounterForm):
    code = ShortText(longest=40, cards=True)


class SignInForm(CounterForm):
    staff_number = ShortText(longest=12)
    pin = ShortText(longest=12, cards=True)


class OwnPinForm(CounterForm):
    old_pin = ShortText(longest=12, cards=True)
    pin = ShortText(longest=12, cards=True)
    again = ShortText(longest=12, cards=True)


def enrol_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    demo_tills = tills.all_tills() if current_app.config["DEMO"] else []
    return render_template("sign_in/enrol.html", demo_tills=demo_tills, errors=errors or {}, typed=typed or {})


@bp.get("/enrol")
@door(Permission.ANYBODY)
def enrol() -> str:
    return enrol_page()


@bp.post("/enrol", endpoint="enrol_post")
@door(Permission.ANYBODY)
@shown_again(enrol_page, "code")
def enrol_post() -> Any:
    form = EnrolForm()
    form.validate()
    return _till_from(form.code.data or "")


@bp.post("/enrol/demo")
@door(Permission.ANYBODY)
def enrol_demo() -> Any:
    """The demo's shortcut: the same code, made and spent in one press. There is no such door outside the demo."""
    if not current_app.config["DEMO"]:
        abort(404)
    return _till_from(tills.make_code(cleaned(request.form.get("till_code", ""))[:12], kit=kit()))


def _till_from(code: str) -> Any:
    response = make_response(redirect(url_for("sign_in.sign_in")))
    remember_till(response, tills.enrol(code, kit=kit()))
    return response


def sign_in_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    people = staff.people_at(g.store)
    pins = {number: pin for number, pin in current_app.config["DEMO_PINS"].items() if any(number == p[0] for p in people)}
    kept = {"staff_number": (typed or {}).get("staff_number", "")}
    return render_template("sign_in/sign_in.html", people=people, demo_pins=pins, errors=errors or {}, typed=kept)


@bp.get("/sign-in")
@door(Permission.TILL)
def sign_in() -> str:
    return sign_in_page()


@bp.post("/sign-in", endpoint="sign_in_post")
@door(Permission.TILL)
@shown_again(sign_in_page, "pin")
def sign_in_post() -> Any:
    form = SignInForm()
    form.validate()
    if not enter(staff.sign_in(g.store, g.till, form.staff_number.data or "", form.pin.data or "", kit=kit())):
        raise SignInRefused
    return redirect(url_for("counter.home"))


@bp.post("/sign-out")
@door(Permission.TILL)
def sign_out() -> Any:
    leave()
    response = redirect(url_for("sign_in.sign_in"))
    # Never "cookies": that would take the till's own away, and the browser would have to be enrolled again.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


PIN_FIELDS = ("old_pin", "pin", "again")


def own_pin_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    return render_template("sign_in/own_pin.html", is_given=desk().staff.pin_is_given, errors=errors or {})


@bp.get("/pin")
@door(Permission.OWN_PIN)
def own_pin() -> str:
    return own_pin_page()


@bp.post("/pin", endpoint="own_pin_post")
@door(Permission.OWN_PIN)
@shown_again(own_pin_page, *PIN_FIELDS)
def own_pin_post() -> Any:
    form = OwnPinForm()
    if not form.validate():
        return own_pin_page(placed(form.first_errors(), *PIN_FIELDS)), 422
    chosen = staff.choose_pin(form.old_pin.data or "", form.pin.data or "", form.again.data or "", desk(), kit=kit())
    return redirect(url_for("counter.home" if enter(chosen) else "sign_in.sign_in"))


@bp.post("/language")
@door(Permission.ANYBODY)
def language() -> Any:
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(local_path(request.form.get("next", "")))


def local_path(wanted: str) -> str:
    """``wanted`` when it is a plain path of this site, else the counter: a redirect never leaves the shop."""
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if plain and ":" not in wanted.split("?")[0] else url_for("counter.home")
