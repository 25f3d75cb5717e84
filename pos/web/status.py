"""The strip, refreshed by itself, and whether the server lives."""

from __future__ import annotations

from flask import Blueprint, render_template

from pos.domain.permissions import Permission
from pos.web.login import door

bp = Blueprint("status", __name__)


@bp.get("/status")
@door(Permission.SEARCH)
def strip() -> str:
    return render_template("status/strip.html")


@bp.get("/health")
@door(Permission.ANYBODY)
def health() -> tuple[str, dict[str, str]]:
    return "ok\n", {"Content-Type": "text/plain"}
