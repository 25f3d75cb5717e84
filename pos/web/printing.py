"""Slips that wait, are in question or came out; and a test page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for

from pos.domain.permissions import Permission
from pos.services import print_jobs, printers
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("printing", __name__)


@bp.get("/printing")
@door(Permission.PRINTERS)
def jobs() -> str:
    return render_template(
        "printing/jobs.html",
        jobs=print_jobs.jobs_at(desk()),
        printer_name=print_jobs.printer_name(desk()),
        spare_name=print_jobs.spare_name(desk()),
        paper_page=current_app.config["PAPER_PAGE"],
    )


@bp.post("/printing/<int(max=2147483647):job_id>/came-out")
@door(Permission.PRINTERS)
def came_out(job_id: int) -> Any:
    return _back(print_jobs.came_out(job_id, desk(), kit=kit()))


@bp.post("/printing/<int(max=2147483647):job_id>/did-not")
@door(Permission.PRINTERS)
def did_not(job_id: int) -> Any:
    return _back(print_jobs.did_not_come_out(job_id, desk(), kit=kit()))


@bp.post("/printing/<int(max=2147483647):job_id>/release")
@door(Permission.PRINTERS)
def release(job_id: int) -> Any:
    return _back(print_jobs.release(job_id, desk(), kit=kit()))


@bp.post("/printing/<int(max=2147483647):job_id>/cancel")
@door(Permission.PRINTERS)
def cancel(job_id: int) -> Any:
    return _back(print_jobs.cancel(job_id, desk(), kit=kit()))


@bp.post("/printing/test")
@door(Permission.PRINTERS)
def test() -> Any:
    printers.test_page(None, desk(), kit=kit())
    return redirect(url_for("printing.jobs"))


@bp.post("/printing/<int(max=2147483647):job_id>/elsewhere")
@door(Permission.PRINTERS)
def elsewhere(job_id: int) -> Any:
    return _back(print_jobs.elsewhere(job_id, desk(), kit=kit()))


# ------------------------------------------------------------------ the printers themselves


class PrinterForm(CounterForm):
    name = ShortText(longest=60)
    address = ShortText(longest=200, cards=True)
    port = ShortText(longest=5)
    baud = ShortText(longest=6)


class TillPrinterForm(CounterForm):
    printer = ShortText(longest=10)
    spare = ShortText(longest=10)


@bp.get("/printing/printers")
@door(Permission.SET_PRINTERS)
def all_printers() -> str:
    found, tills = printers.all_at(desk())
    return render_template("printing/printers.html", printers=found, tills=tills)


def _form(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None, printer_id: int | None = None) -> str:
    known, _ = printers.all_at(desk())
    printer = next((one for one in known if one.id == printer_id), None)
    if printer is None and printer_id is not None:
        abort(404)
    return render_template("printing/printer.html", printer=printer, errors=errors or {}, typed=typed or {})


@bp.get("/printing/printers/new")
@door(Permission.SET_PRINTERS)
def new_printer() -> str:
    return _form()


@bp.get("/printing/printers/<int(max=2147483647):printer_id>")
@door(Permission.SET_PRINTERS)
def printer(printer_id: int) -> str:
    return _form(printer_id=printer_id)


@bp.post("/printing/printers/new")
@door(Permission.SET_PRINTERS)
def add_printer() -> Any:
    return _set_up(printer_id=None)


@bp.post("/printing/printers/<int(max=2147483647):printer_id>")
@door(Permission.SET_PRINTERS)
def set_printer(printer_id: int) -> Any:
    return _set_up(printer_id=printer_id)


_FIELDS = ("name", "address", "port", "baud")


@shown_again(_form, *_FIELDS)
def _set_up(printer_id: int | None) -> Any:
    form = PrinterForm()
    if not form.validate():
        return _form(placed(form.first_errors(), *_FIELDS), kept(request.form), printer_id), 422
    given = {name: request.form.get(name, "")[:20] for name in printers.ASKED}
    given |= {"address": form.address.data or "", "port": form.port.data or "", "baud": form.baud.data or ""}
    printers.change(printer_id, form.name.data or form.address.data or "", given, desk(), kit=kit())
    return redirect(url_for("printing.all_printers"))


@bp.post("/printing/printers/<int(max=2147483647):printer_id>/test")
@door(Permission.SET_PRINTERS)
def test_of(printer_id: int) -> Any:
    printers.test_page(printer_id, desk(), kit=kit())
    return redirect(url_for("printing.jobs"))


@bp.post("/printing/tills/<string(maxlength=12):till_code>")
@door(Permission.SET_PRINTERS)
def choose(till_code: str) -> Any:
    form = TillPrinterForm()
    if not form.validate():
        abort(404)
    printers.choose(till_code, _number(form.printer.data), _number(form.spare.data), desk(), kit=kit())
    return redirect(url_for("printing.all_printers"))


def _number(text: str | None) -> int | None:
    """A printer's number from a list; empty for none. Whatever the list does not have is no printer."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else (0 if text else None)


def _back(sale_id: str | None) -> Any:
    return redirect(url_for("counter.sale", sale_id=sale_id) if sale_id else url_for("printing.jobs"))
