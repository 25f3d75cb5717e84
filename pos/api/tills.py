"""A device becomes a till."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pos.api.fields import Answer, Body, Text
from pos.api.keys import bp, door, kit, refuses, takes
from pos.domain.errors import EnrolmentCodeWrong
from pos.domain.permissions import Permission
from pos.services import tills


class EnrolmentBody(Body):
    code = Text(longest=40, shortest=1, cards=True, required=True, metadata={"description": "From `pos enrol-code`, once"})


class StoreAnswer(Answer):
    code = fields.String(required=True)
    name = fields.String(required=True)
    country = fields.String(required=True)
    currency = fields.String(required=True)
    zone = fields.String(required=True)


class TillAnswer(Answer):
    code = fields.String(required=True)
    name = fields.String(required=True)
    store = fields.Nested(StoreAnswer, required=True)


class EnrolledAnswer(Answer):
    token = fields.String(required=True, metadata={"description": "256 random bits, shown this once; keep it like a key"})
    till = fields.Nested(TillAnswer, required=True)


def till_view(store: Any, till: Any) -> dict[str, Any]:
    return {"code": till.code, "name": till.name, "store": store}


@bp.route("/tills/enrolment", methods=["POST"], tags=["Tills"])
@door(Permission.ANYBODY)
@takes(EnrolmentBody, example={"code": "LON1-ABCDEFGH2345"})
@bp.response(201, EnrolledAnswer)
@refuses(403)
def enrol(sent: dict[str, Any]) -> Any:
    """Exchange a one-time code for the till's token.

    The device that held this till before, browser or program, is out, and whoever was signed in there as well. A lost
    answer needs a new code."""
    token = tills.enrol(sent["code"], kit=kit())
    known = tills.recognise(token)
    if known is None:  # enrolled once more in the same moment
        raise EnrolmentCodeWrong
    return {"token": token, "till": till_view(*known)}
