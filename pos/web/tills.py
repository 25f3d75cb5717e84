"""The tills of the shop: a new one, the code that makes a browser one, and the end of a browser that was lost."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from pos.domain.permissions import Permission
from pos.services import tills
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("tills", __name__)

FIELDS = ("code", "name")
_TILL = "/tills/<string(maxlength=12):till_code>"


class TillForm(CounterForm):
    code = ShortText(longest=12)
    name = ShortText(longest=60)


def page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    found = tills.listed(desk(), kit=kit())
    return render_template("tills/list.html", tills=found, errors=errors or {}, typed=typed or {})


@bp.get("/tills")
@door(Permission.TILLS)
def show() -> str:
    return page()


@bp.post("/tills")
@door(Permission.TILLS)
@shown_again(page, *FIELDS)
def add() -> Any:
    form = TillForm()
    if not form.validate():
        return page(placed(form.first_errors(), *FIELDS), kept(request.form)), 422
    surface = "kiosk" if request.form.get("surface") == "kiosk" else "counter"
    tills.add_till(
        desk().store.code, (form.code.data or "").upper(), form.name.data or "", surface, kit=kit(), actor=desk().actor
    )
    return redirect(url_for("tills.show"))


@bp.post(f"{_TILL}/code")
@door(Permission.TILLS)
@shown_again(lambda till_code, **again: page(**again))
def code(till_code: str) -> Any:
    made = tills.make_code(till_code, kit=kit(), desk=desk())
    shapes, size = tills.drawn(made)
    return render_template("tills/code.html", till_code=till_code, code=made, shapes=shapes, size=size)


@bp.post(f"{_TILL}/revoke")
@door(Permission.TILLS)
def revoke(till_code: str) -> Any:
    tills.revoke(till_code, desk(), kit=kit())
    return redirect(url_for("tills.show"))
