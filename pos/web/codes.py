"""Voucher codes and eSIMs at the counter: begin the sale of a new eSIM, show a code, print it, save it."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import get_locale
from markupsafe import Markup

from pos.domain.permissions import Permission
from pos.services import hand_overs, numbers, sales
from pos.web.counter import bp, home_page, onward
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit
from pos.web.refunds import result_again


class HandOverForm(CounterForm):
    press = ShortText(longest=36, cards=True)
    reason = ShortText(longest=200)


def _home_again(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> str:
    return home_page(errors, typed, sale_id)


@bp.post("/sales/<uuid:sale_id>/esim")
@door(Permission.SELL)
def new_esim(sale_id: Any) -> Any:
    return _new_esim(sale_id=str(sale_id))


@shown_again(_home_again, "entry")
def _new_esim(sale_id: str) -> Any:
    numbers.begin_esim(sale_id, desk(), str(get_locale()), kit=kit())
    return onward(sale_id, kept(request.form).get("waiting", ""))


def _result_again(sale_id: str, renewal_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    return result_again(sale_id, errors, {**typed, "renewal_id": renewal_id})


@bp.post("/sales/<uuid:sale_id>/codes/<uuid:renewal_id>/show")
@door(Permission.SELL)
def show_code(sale_id: Any, renewal_id: Any) -> Any:
    return _show_code(sale_id=str(sale_id), renewal_id=str(renewal_id))


@shown_again(_result_again, "reason")
def _show_code(sale_id: str, renewal_id: str) -> Any:
    """The answer itself is the only page that has the code: an address to come back to would show it again."""
    form = HandOverForm()
    if not form.validate():
        return _result_again(sale_id, renewal_id, placed(form.first_errors(), "reason"), kept(request.form)), 422
    asked = {"press": form.press.data or "", "reason": form.reason.data or ""}
    code = hand_overs.show(sale_id, renewal_id, desk(), kit=kit(), **asked)
    sale = sales.show(sale_id, desk(), kit=kit())
    # The picture is built by the renderer, which escapes every text it is given.
    return render_template("counter/code.html", sale=sale, code=code, picture=Markup(code.picture))  # noqa: S704


@bp.post("/sales/<uuid:sale_id>/codes/<uuid:renewal_id>/print")
@door(Permission.SELL)
def print_code(sale_id: Any, renewal_id: Any) -> Any:
    return _print_code(sale_id=str(sale_id), renewal_id=str(renewal_id))


@shown_again(_result_again, "reason")
def _print_code(sale_id: str, renewal_id: str) -> Any:
    form = HandOverForm()
    if not form.validate():
        return _result_again(sale_id, renewal_id, placed(form.first_errors(), "reason"), kept(request.form)), 422
    hand_overs.print_it(sale_id, renewal_id, desk(), kit=kit(), reason=form.reason.data or "")
    return redirect(url_for("counter.sale", sale_id=sale_id))


@bp.post("/sales/<uuid:sale_id>/codes/<uuid:renewal_id>/pdf")
@door(Permission.SELL)
def save_code(sale_id: Any, renewal_id: Any) -> Any:
    return _save_code(sale_id=str(sale_id), renewal_id=str(renewal_id))


@shown_again(_result_again, "reason")
def _save_code(sale_id: str, renewal_id: str) -> Any:
    form = HandOverForm()
    if not form.validate():
        return _result_again(sale_id, renewal_id, placed(form.first_errors(), "reason"), kept(request.form)), 422
    content = hand_overs.as_pdf(sale_id, renewal_id, desk(), kit=kit(), reason=form.reason.data or "")
    return Response(content, mimetype="application/pdf", headers={"Content-Disposition": "attachment"})
