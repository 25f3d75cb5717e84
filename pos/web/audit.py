"""The audit trail: what is looked for is posted, because every look is written down."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from pos.domain.happenings import HAPPENINGS
from pos.domain.permissions import Permission
from pos.domain.words import N_
from pos.services import audit, staff
from pos.services.audit import Filters
from pos.web.errors import placed
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("audit", __name__)

NO_DAY = N_("This is not a day. Choose it from the calendar, or type it as 2026-11-21.")
_FIELDS = ("day", "kind", "person", "about")


class AuditForm(CounterForm):
    day = ShortText(longest=10)
    kind = ShortText(longest=60)
    person = ShortText(longest=40)
    about = ShortText(longest=40)
    after = ShortText(longest=120, cards=True)
    form = ShortText(longest=4)


def page(found: audit.Found | None, errors: dict[str, str], typed: dict[str, str]) -> str:
    today = desk().store.business_day(kit().now()).isoformat()
    return render_template(
        "audit/find.html",
        found=found,
        kinds=sorted(((kind, gettext(words)) for kind, words in HAPPENINGS.items()), key=lambda pair: pair[1]),
        people=[(number, name) for number, name, _role in staff.people_at(desk().store)],
        errors=errors,
        typed={"day": today} | typed,
    )


@bp.get("/audit")
@door(Permission.AUDIT)
def show() -> str:
    return page(None, {}, {})


@bp.post("/audit")
@door(Permission.AUDIT)
def find() -> Any:
    form = AuditForm()
    filters = _filters(form)
    if isinstance(filters, dict):
        return page(None, filters, kept(request.form)), 422
    return page(audit.find(filters, form.after.data or "", desk(), kit=kit()), {}, kept(request.form))


@bp.post("/audit/export")
@door(Permission.AUDIT)
def export() -> Any:
    form = AuditForm()
    filters = _filters(form)
    if isinstance(filters, dict):
        return page(None, filters, kept(request.form)), 422
    found = audit.export(filters, desk(), kit=kit())
    if form.form.data == "json":
        return _file(audit.as_json(found), "application/json", f"audit-{filters.day.isoformat()}.json")
    return _file(audit.as_csv(found), "text/csv; charset=utf-8", f"audit-{filters.day.isoformat()}.csv")


def _filters(form: AuditForm) -> Filters | dict[str, str]:
    """What is looked for, or a sentence at each wrong field."""
    if not form.validate():
        return placed(form.first_errors(), *_FIELDS)
    typed = form.day.data or desk().store.business_day(kit().now()).isoformat()
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return {"day": gettext(NO_DAY)}
    return Filters(day, form.kind.data or "", form.person.data or "", form.about.data or "")


def _file(content: str, kind: str, name: str) -> Response:
    return Response(content.encode(), content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
