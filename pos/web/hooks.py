"""Where carriers call: a path with a secret in it, a size limit, and one service. No cookie, no form, no page."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from flask import Blueprint, abort, current_app, request

from pos.domain.errors import NotFound
from pos.domain.permissions import Permission
from pos.services import notifications
from pos.web.login import door, kit

bp = Blueprint("hooks", __name__)

LONGEST = 64 * 1024


@bp.post("/hooks/<carrier>/<secret>")
@bp.post("/hooks/<carrier>/<secret>/listener/<event>")
@door(Permission.ANYBODY)
def hear(carrier: str, secret: str, event: str = "") -> Any:
    """204 only after the commit; a carrier that hears anything else calls again. A wrong secret is no such page."""
    if not _known(carrier, secret):
        abort(404)
    body = request.stream.read(LONGEST + 1)
    if len(body) > LONGEST:
        abort(413)
    try:
        notifications.receive(carrier, dict(request.headers.items()), body, kit=kit())
    except NotFound:
        abort(404)
    return "", 204


@bp.route("/hooks/<carrier>/<secret>", methods=["HEAD"])
@door(Permission.ANYBODY)
def is_there(carrier: str, secret: str) -> Any:
    """200 where a call would be heard: some carriers ask before they call. Nothing is read or written."""
    if not _known(carrier, secret):
        abort(404)
    return ""


def _known(carrier: str, secret: str) -> bool:
    wanted = current_app.config["HOOKS"].get(carrier, "")
    told = hashlib.sha256(secret.encode()).hexdigest()
    return hmac.compare_digest(told, wanted)
