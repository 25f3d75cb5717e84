"""Slips that wait, are in question or came out; and a test page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, url_for

from pos.domain.permissions import Permission
from pos.services import print_jobs
from pos.web.login import desk, door, kit

bp = Blueprint("printing", __name__)


@bp.get("/printing")
@door(Permission.PRINTERS)
def jobs() -> str:
    return render_template(
        "printing/jobs.html",
        jobs=print_jobs.jobs_at(desk()),
        printer_name=print_jobs.printer_name(desk()),
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
    print_jobs.test_page(desk(), kit=kit())
    return redirect(url_for("printing.jobs"))


def _back(sale_id: str | None) -> Any:
    return redirect(url_for("counter.sale", sale_id=sale_id) if sale_id else url_for("printing.jobs"))
