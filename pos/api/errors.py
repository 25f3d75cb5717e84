"""An error's family decides the status; its sentence is the ``detail`` of a problem document (RFC 9457)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import structlog
from flask import Response, json, request
from flask_babel import get_locale, gettext
from marshmallow import fields
from werkzeug.exceptions import HTTPException

from pos.api.fields import Answer
from pos.domain import errors as e
from pos.domain.money import Money
from pos.domain.words import N_, fill

log = structlog.get_logger()

STATUS = {
    e.BadInput: 422,
    e.NotFound: 404,
    e.NotAllowed: 403,
    e.NeedsAttention: 409,
    e.OutOfReach: 503,
    e.TillUnknown: 401,
    e.NobodySignedIn: 401,
    e.SignInRefused: 403,
    e.EnrolmentCodeWrong: 403,
}
TITLES = {
    400: N_("This cannot be read"),
    401: N_("Who is calling is not known"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible with this method"),
    409: N_("Not possible at the moment"),
    413: N_("Too large"),
    415: N_("Not JSON"),
    422: N_("Please correct what was sent"),
    500: N_("A fault of this program"),
    503: N_("Something outside this shop does not answer"),
}
# Words inside sentences that are themselves translated.
_WORDS = ("fault", "state")
# Where the API's name of a field differs from that of the screens.
_PLACES = {"entry": "number", "float_amount": "float", "left_in_drawer": "left", "document_number": "document/number"}
_PLACES |= {"document_country": "document/country", "expires_on": "document/expires_on", "approver_pin": "approval/pin"}

UNREADABLE = N_("What was sent cannot be read as JSON. Nothing was changed.")
NO_JSON = N_("Send the content as application/json. Nothing was changed.")
NO_DOOR = N_("The API has no such address.")
NO_METHOD = N_("This address does not take this method. Nothing was changed.")
TOO_LARGE = N_("What was sent is far too large. Nothing was booked.")
WRONG_FIELDS = N_("Some of what was sent cannot be used; see the errors. Nothing was changed.")
BROKEN = N_(
    "Something went wrong in the program. If money was being taken: do not charge again. "
    "Look at the sale first; it shows what was booked."
)
_SENTENCES = {400: UNREADABLE, 404: NO_DOOR, 405: NO_METHOD, 413: TOO_LARGE, 415: NO_JSON}


class WrongField(Answer):
    detail = fields.String(required=True)
    pointer = fields.String(required=True, metadata={"description": "JSON Pointer into the body (RFC 6901), or a parameter"})


class Problem(Answer):
    """Why nothing was done, as RFC 9457 writes it; ``detail`` is a sentence for the person at the counter."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String()
    errors = fields.List(fields.Nested(WrongField))
    sale = fields.UUID(metadata={"description": "The earlier sale that stands in the way"})


def answer(error: Exception) -> Any:
    """The problem document for whatever went wrong behind the API."""
    match error:
        case e.CounterError():
            return _refused(error)
        case HTTPException():
            return _http(error)
        case _:
            log.exception("api.fault", endpoint=request.endpoint, kind=type(error).__name__)
            return problem(500, gettext(BROKEN))


def _refused(error: e.CounterError) -> Response:
    status = next((status for family, status in STATUS.items() if isinstance(error, family)), 400)
    more: dict[str, Any] = {}
    if error.field is not None and status == 422:
        more["errors"] = [{"detail": say(error), "pointer": "/" + _PLACES.get(error.field, error.field)}]
    if isinstance(error, e.DuplicateRenewal):
        more["sale"] = error.values["sale_id"]
    return problem(status, say(error), kind=type(error), **more)


def say(error: e.CounterError) -> str:
    """The error's sentence in the caller's language."""
    values = {
        name: f"{value.grouped()} {value.currency}"
        if isinstance(value, Money)
        else (gettext(str(value)) if name in _WORDS else value)
        for name, value in error.values.items()
    }
    return fill(gettext(error.sentence), values)


def _http(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400:
        return error
    messages = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
    if code == 422 and messages is not None:
        return problem(422, gettext(WRONG_FIELDS), errors=list(_wrong(messages)))
    found = problem(code, gettext(_SENTENCES.get(code, UNREADABLE if code < 500 else BROKEN)))
    allow = dict(error.get_headers()).get("Allow")
    if allow:
        found.headers["Allow"] = allow
    return found


def _wrong(messages: Any) -> Iterator[dict[str, str]]:
    """Each refused field once. webargs says first where the field stood: in the body, or among the parameters."""
    for place, found in messages.items():
        yield from _below(found, "" if place == "json" else f"/{place}")


def _below(found: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(found, dict):
        for name, inner in found.items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from _below(inner, pointer if name == "_schema" else f"{pointer}/{escaped}")
    else:
        yield {"detail": gettext(str(found[0])), "pointer": pointer}


def problem(status: int, detail: str, kind: type[e.CounterError] | None = None, **more: Any) -> Response:
    """A problem document; ``type`` names the refusal so that a program can tell it from others."""
    name = re.sub(r"(?<!^)([A-Z])", r"-\1", kind.__name__).lower() if kind is not None else ""
    content = {
        "type": f"/api/v1/problems/{name}" if name else "about:blank",
        "title": gettext(TITLES.get(status, TITLES[400])),
        "status": status,
        "detail": detail,
        **({"instance": request.path} if request.endpoint else {}),
        **more,
    }
    response = Response(json.dumps(content), status=status, mimetype="application/problem+json")
    response.headers["Content-Language"] = str(get_locale()).replace("_", "-")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="till"'
    return response
