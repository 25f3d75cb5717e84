"""Another plan or number for the same money, after the carrier refused: choose, read back, exchange."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from pos.api.fields import LARGEST_ID, Answer, Body, Moment, MoneyAnswer, Text, Whole
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.api.numbers import OfferAnswer, target
from pos.api.sales import SaleAnswer, shown
from pos.domain.permissions import Permission
from pos.services import replacements

_PATH = "/sales/<uuid:sale_id>/renewals/<uuid:renewal_id>/replacement"


class ReplacementBody(Body):
    plan = Whole(least=1, most=LARGEST_ID, required=True)
    number = Text(longest=200, shortest=1, cards=True, metadata={"description": "Another number; left out, it is the same"})


class ChoiceAnswer(Answer):
    """The renewal that the carrier refused, and the plans of the same price."""

    renewal_id = fields.UUID(required=True)
    masked = fields.String(required=True)
    plan_name = fields.String(required=True)
    price = fields.Nested(MoneyAnswer, required=True)
    plans = fields.List(fields.Nested(OfferAnswer), required=True)


class ReadBackAnswer(Answer):
    """To be read to the customer; nothing is changed yet."""

    renewal_id = fields.UUID(required=True)
    grouped = fields.String(required=True, allow_none=True, metadata={"description": "Only of another number than before"})
    masked = fields.String(required=True)
    plan = fields.Nested(OfferAnswer, required=True)
    effect = fields.String(required=True, metadata={"enum": ["extends", "replaces", "starts", "voucher", "new"]})
    valid_before = Moment(required=True, allow_none=True)
    valid_now = Moment(required=True, allow_none=True)


def _chosen(sent: dict[str, Any], sale_id: UUID, renewal_id: UUID) -> tuple[Any, ...]:
    number = target(sent["number"])[0] if "number" in sent else None
    return str(sale_id), str(renewal_id), number, sent["plan"], desk()


@bp.route(_PATH, tags=["Refunds"])
@door(Permission.SELL)
@bp.response(200, ChoiceAnswer)
@refuses(404, 409)
def show_replacements(sale_id: UUID, renewal_id: UUID) -> Any:
    """What the customer may have instead of the money."""
    return replacements.choices(str(sale_id), str(renewal_id), desk())


@bp.route(f"{_PATH}/read-back", methods=["POST"], tags=["Refunds"])
@door(Permission.SELL)
@takes(ReplacementBody, example={"plan": 1})
@bp.response(200, ReadBackAnswer)
@refuses(404, 409, 503)
def read_back_replacement(sent: dict[str, Any], sale_id: UUID, renewal_id: UUID) -> Any:
    """The replacement as it would be, asked at the carrier; nothing is written."""
    return replacements.read_back(*_chosen(sent, sale_id, renewal_id), kit=kit())


@bp.route(_PATH, methods=["POST"], tags=["Refunds"])
@door(Permission.SELL)
@takes(ReplacementBody, example={"plan": 1})
@bp.response(200, SaleAnswer)
@refuses(404, 409, 503)
def replace_refused(sent: dict[str, Any], sale_id: UUID, renewal_id: UUID) -> Any:
    """The same money pays for another renewal, which the line shows from here on; the same body again changes nothing."""
    replacements.replace_refused(*_chosen(sent, sale_id, renewal_id), kit=kit())
    return shown(sale_id)
