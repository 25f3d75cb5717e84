"""Receipts on the screen, as PDF, and as a numbered copy on paper."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup

from pos.domain.permissions import Permission
from pos.services import receipt_checks, receipt_mails, receipts
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("receipts", __name__)


@bp.get("/receipts/<string(maxlength=30):number>")
@door(Permission.SEARCH)
def show(number: str) -> str:
    return page(number)


class MailForm(CounterForm):
    email = ShortText(longest=254)
    consent = ShortText(longest=5)


def page(number: str, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    fragment, sale_id = receipts.as_html(number, desk())
    return render_template(
        "receipts/show.html",
        number=number,
        receipt_html=Markup(fragment),  # noqa: S704 - built by the renderer, which escapes every text it is given
        sale_id=sale_id,
        mail=current_app.config["MAIL"],
        mails=receipt_mails.of_receipt(number, desk()),
        errors=errors or {},
        typed=typed or {},
    )


@bp.post("/receipts/<string(maxlength=30):number>/mail")
@door(Permission.REPRINT)
@shown_again(page, "email", "consent")
def mail(number: str) -> Any:
    """To the customer's own address, once the customer has agreed."""
    if not current_app.config["MAIL"]:
        abort(404)
    form = MailForm()
    if not form.validate():
        return page(number, placed(form.first_errors(), "email"), kept(request.form)), 422
    receipt_mails.ask_for(number, form.email.data or "", form.consent.data == "yes", desk(), kit=kit())
    return redirect(url_for("receipts.show", number=number))


@bp.get("/receipts/<string(maxlength=30):number>.pdf")
@door(Permission.SEARCH)
def pdf(number: str) -> Response:
    name = f"{number}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    content = receipts.as_pdf(number, desk(), a4=request.args.get("paper") == "a4")
    return Response(content, mimetype="application/pdf", headers=headers)


@bp.post("/receipts/<string(maxlength=30):number>/reprint")
@door(Permission.REPRINT)
def reprint(number: str) -> Any:
    sale_id = receipts.reprint(number, desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=sale_id) if sale_id else url_for("printing.jobs"))


@bp.get("/r/<string(maxlength=200):token>")
@door(Permission.ANYBODY)
def check(token: str) -> tuple[str, int]:
    """What a customer's phone opens after a scan: a page of its own, without anything of the till."""
    found = receipt_checks.check(token, kit=kit())
    return render_template("receipts/check.html", found=found), 200 if found is not None else 404


@bp.get("/r/keys.json")
@door(Permission.ANYBODY)
def public_keys() -> Response:
    return jsonify(dict(receipt_checks.public_keys(kit=kit())))
