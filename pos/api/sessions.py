"""A person signs in at a till, and out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pos.api.fields import Answer, Body, Text
from pos.api.keys import bp, desk, door, kit, refuses, session_token, takes, till
from pos.api.tills import TillAnswer, till_view
from pos.domain.errors import SignInRefused
from pos.domain.permissions import Permission
from pos.domain.tills import Desk
from pos.services import staff


class SignInBody(Body):
    staff_number = Text(longest=12, shortest=1, required=True)
    pin = Text(longest=12, shortest=1, cards=True, required=True)


class PersonAnswer(Answer):
    number = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    language = fields.String(required=True)


class SessionAnswer(Answer):
    staff = fields.Nested(PersonAnswer, required=True)
    till = fields.Nested(TillAnswer, required=True)


class SignedInAnswer(SessionAnswer):
    token = fields.String(required=True, metadata={"description": "For the header Simcounter-Session; shown this once"})


def session_view(at: Desk) -> dict[str, Any]:
    return {"staff": at.staff, "till": till_view(at.store, at.till)}


@bp.route("/sessions", methods=["POST"], tags=["Sessions"])
@door(Permission.TILL)
@takes(SignInBody, example={"staff_number": "101", "pin": "271828"})
@bp.response(201, SignedInAnswer)
def sign_in(sent: dict[str, Any]) -> Any:
    """Sign in with number and PIN.

    There is one stay at a till: whoever was signed in there before, at a screen or by the API, is out. Five wrong PINs of
    a person, or ten at a till, lock for a quarter of an hour. A stay ends after 10 minutes without a request, and after
    12 hours."""
    store, at = till()
    token = staff.sign_in(store, at, sent["staff_number"], sent["pin"], kit=kit())
    found = staff.who(token, store, at, kit=kit())
    if found is None:
        raise SignInRefused
    return {"token": token, **session_view(found)}


@bp.route("/sessions/current", tags=["Sessions"])
@door(Permission.SEARCH)
@bp.response(200, SessionAnswer)
def show_session() -> Any:
    """Who is signed in, and where."""
    return session_view(desk())


@bp.route("/sessions/current", methods=["DELETE"], tags=["Sessions"])
@door(Permission.TILL)
@bp.response(204)
@refuses()
def sign_out() -> Any:
    """End the stay; ended already is as good."""
    store, at = till()
    found = staff.who(session_token(), store, at, kit=kit())
    if found is not None:
        staff.sign_out(session_token(), found, kit=kit())
    return "", 204
