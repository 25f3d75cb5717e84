"""The dispute file: find a sale by whatever somebody says of it, and see everything that happened. What is typed is posted."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import get_locale

from pos.domain.entry import IccidEntry, PhoneEntry, understand
from pos.domain.permissions import Permission
from pos.services import disputes, report_files
from pos.web.fields import CounterForm, ShortText, day_from, kept
from pos.web.login import desk, door, kit

bp = Blueprint("disputes", __name__)


class AskForm(CounterForm):
    # The field judges card numbers like every other: an ICCID is a number of a SIM and is let through by ``understand``.
    query = ShortText(longest=120, cards=True)
    ending = ShortText(longest=4)
    day = ShortText(longest=10)


def page(results: list[disputes.Hit] | None = None, errors: dict[str, str] | None = None, typed: Any = None) -> str:
    return render_template("disputes/find.html", results=results, errors=errors or {}, typed=typed or {})


@bp.get("/disputes")
@door(Permission.DISPUTES)
def find() -> str:
    return page()


@bp.post("/disputes", endpoint="find_post")
@door(Permission.DISPUTES)
def find_post() -> Any:
    form = AskForm()
    if not form.validate():
        return page(errors=form.first_errors(), typed=kept(request.form)), 422
    query = form.query.data or ""
    entry = understand(query, desk().store.country, [desk().till.code])
    number = entry.number.e164 if isinstance(entry, PhoneEntry) else entry.iccid.digits if isinstance(entry, IccidEntry) else None
    ending = form.ending.data or ""
    asked = disputes.Asked(
        text="" if number else query,
        number=number,
        ending=ending if ending.isascii() and ending.isdigit() else "",
        day=day_from(form.day.data or ""),
    )
    return page(disputes.find(asked, desk(), kit=kit()), typed=kept(request.form))


@bp.get("/disputes/<uuid:sale_id>")
@door(Permission.DISPUTES)
def show(sale_id: Any) -> str:
    book = disputes.show(str(sale_id), desk(), str(get_locale()), kit=kit())
    return render_template("disputes/show.html", book=book, sale_id=sale_id)


@bp.get("/disputes/<uuid:sale_id>.pdf")
@door(Permission.DISPUTES)
def pdf(sale_id: Any) -> Response:
    book = disputes.show(str(sale_id), desk(), str(get_locale()), kit=kit())
    file = report_files.as_file(book, "pdf")
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, content_type=file.mimetype, headers=headers)
