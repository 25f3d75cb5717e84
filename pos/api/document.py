"""The OpenAPI document: what the views declare, in one file that is served and kept in docs/openapi.json."""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import Any, cast

from flask import Flask, current_app
from flask_smorest import Api

from pos import __version__
from pos.api import fields
from pos.api.errors import Problem
from pos.api.keys import SESSION_HEADER, bp, door
from pos.domain.permissions import Permission

TAGS = {
    "Tills": "A device becomes a till with a one-time code, and keeps a token.",
    "Sessions": "A person signs in at a till with number and PIN.",
    "Numbers": "What is on a SIM, and which plans fit it.",
    "Sales": "One visit: number, document, plan, money, outcome.",
    "Payments": "Cash with change, or a card as the terminal's slip says.",
    "Refunds": "The customer's money back after the carrier refused, or another plan for it.",
    "Receipts": "What the customer takes home.",
    "Shifts": "The drawer: opened, counted blind, closed.",
}
WHAT = """The point of sale of shops that renew prepaid SIM plans, for tills that are programs: integrators and self-service
devices. The same verbs, rules and sentences as the screens.

Amounts are whole minor units with a currency; moments are RFC 3339 in UTC. Every refusal is a problem document (RFC 9457)
whose `detail` is a sentence for the person at the counter, in the language that `Accept-Language` asks for (English,
Simplified or Traditional Chinese)."""


class Described(Api):
    """flask-smorest with our problems instead of its own, without pages of its own, and with the description put off until
    somebody asks for it: it is most of what a start would cost, and a till never reads it."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = Problem

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Any] = []
        self._describing = Lock()
        super().__init__(app)

    def register_blueprint(self, blp: Any) -> None:
        """Its doors, at once."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._undescribed.append(blp)

    def described(self) -> Any:
        """The apispec object with every view in it."""
        with self._describing:
            while self._undescribed:
                blp = self._undescribed.pop()
                blp.register_views_in_doc(self, self._app, self.spec, name=blp.name, parameters=None)
            return self.spec

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= 400:
                response = {
                    "description": status.phrase,
                    "content": {"application/problem+json": {"schema": Problem}},
                }
                self.spec.components.response(status.name, response, lazy=True)

    def _register_pagination_header(self) -> None:
        """Nothing here comes in pages."""

    def _register_doc_blueprint(self) -> None:
        """The document has a door of ours."""

    def _register_error_handlers(self) -> None:
        """app.py decides who answers for a fault, by the path."""


def init(app: Flask) -> None:
    """Register the blueprint and describe its views."""
    options = {
        "info": {"description": WHAT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "components": {
            "securitySchemes": {
                "till": {"type": "http", "scheme": "bearer", "description": "The token of an enrolled till"},
                "session": {
                    "type": "apiKey",
                    "in": "header",
                    "name": SESSION_HEADER,
                    "description": "The token of the person signed in at that till",
                },
            }
        },
    }
    app.config.update(API_TITLE="simcounter", API_VERSION=__version__, OPENAPI_VERSION="3.1.0", API_SPEC_OPTIONS=options)
    api = Described(app)
    api.register_field(fields.Text, "string", None)
    api.register_blueprint(bp)


def document(app: Flask) -> dict[str, Any]:
    """The whole description as plain values, the same each time."""
    api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    written = cast(dict[str, Any], api.described().to_dict())
    written["tags"] = [{"name": name, "description": says} for name, says in TAGS.items()]
    return written


@bp.route("/openapi.json", tags=["Tills"])
@door(Permission.ANYBODY)
@bp.response(200, {"type": "object"})
def openapi() -> Any:
    """This document."""
    return current_app.json.response(document(cast(Any, current_app)))
