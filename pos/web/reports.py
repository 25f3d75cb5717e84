"""What a manager looks at: the day, its close, differences, margin, refunds; each of them as a file, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import get_locale

from pos.domain.closings import Period
from pos.domain.errors import NotFound
from pos.domain.permissions import Permission
from pos.services import closing_books, closings, report_files, report_scope, z_reports
from pos.services.report_scope import Scope
from pos.web.fields import CounterForm, ShortText, day_from, kept
from pos.web.login import desk, door, kit

bp = Blueprint("reports", __name__)

# How far a report over several days looks back when nobody says otherwise.
_BACK = timedelta(days=30)


class CloseForm(CounterForm):
    day = ShortText(longest=10)
    period = ShortText(longest=10)


def _asked(name: str) -> Scope:
    """The store and the days that the address asks for; what cannot be read there asks for nothing."""
    given = kept(request.args)
    first, last = day_from(given.get("first", "")), day_from(given.get("last", ""))
    if name in report_files.OVER_DAYS or first is not None or last is not None:
        last = last or desk().store.business_day(kit().now())
        first = first or last - _BACK
    else:
        first = last = day_from(given.get("day", ""))
    return report_scope.scope_of(given.get("store", "")[:8], first, last, desk(), kit=kit(), language=str(get_locale()))


def _page(name: str) -> str:
    scope = _asked(name)
    return render_template(
        "reports/show.html",
        name=name,
        book=report_files.book(name, scope),
        scope=scope,
        stores=report_scope.stores_for(desk().staff, desk().store),
        over_days=name in report_files.OVER_DAYS,
        here=scope.store.id == desk().store.id,
        closed=closing_books.written(scope) if name == "close" else frozenset(),
    )


@bp.get("/reports")
@door(Permission.REPORTS)
def today() -> str:
    return _page("today")


@bp.get("/reports/<string(maxlength=12):report>")
@door(Permission.REPORTS)
def show(report: str) -> str:
    return _page(report)


@bp.get("/reports/<string(maxlength=12):report>/file.<string(maxlength=10):form>")
@door(Permission.REPORTS)
def save(report: str, form: str) -> Response:
    file = report_files.file_of(report, form, _asked(report))
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, content_type=file.mimetype, headers=headers)


@bp.post("/reports/close")
@door(Permission.CLOSE_DAY)
def close() -> Any:
    form = CloseForm()
    day = day_from(form.day.data or "") if form.validate() else None
    if day is None or form.period.data not in set(Period):
        raise NotFound
    closings.close(Period(form.period.data), day, desk(), kit=kit())
    return redirect(url_for("reports.show", report=form.period.data, day=day.isoformat()))


@bp.post("/reports/z/<int(max=2147483647):shift_id>/copy")
@door(Permission.CLOSE_DAY)
def copy(shift_id: int) -> Any:
    z_reports.print_copy(shift_id, desk(), kit=kit())
    return redirect(url_for("printing.jobs"))
