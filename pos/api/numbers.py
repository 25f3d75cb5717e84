"""What is on a SIM, and which plans fit it. The number stands in the body, never in an address."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pos.api.fields import Answer, Body, Moment, MoneyAnswer, Text, one_of
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.domain.deliveries import FULFILMENT
from pos.domain.entry import CardNumberRefused, IccidEntry, PhoneEntry, SearchEntry, SearchHint, understand
from pos.domain.errors import LooksLikeCard, NumberNotValid, SimNumberNotValid, UnreadableEntry
from pos.domain.permissions import Permission
from pos.domain.pictures import NumberPicture
from pos.services import numbers, plans, sales


class NumberBody(Body):
    number = Text(
        longest=200, shortest=1, cards=True, required=True, metadata={"description": "A phone number, or a SIM's number"}
    )


class BalanceAnswer(Answer):
    kind = fields.String(required=True)
    text = fields.String(required=True)
    expires_at = Moment(required=True, allow_none=True)


class NumberAnswer(Answer):
    kind = fields.String(required=True, metadata={"enum": ["phone", "sim"]})
    masked = fields.String(required=True)
    grouped = fields.String(
        required=True, allow_none=True, metadata={"description": "To be read back; null once the sale is over"}
    )
    carrier = fields.String(required=True)
    operator = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    plan_name = fields.String(required=True, allow_none=True)
    expires_at = Moment(required=True, allow_none=True)
    balances = fields.List(fields.Nested(BalanceAnswer), required=True)
    asked_at = Moment(required=True)


class OfferAnswer(Answer):
    """A plan that this shop sells."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    line = fields.String(required=True, metadata={"description": "The product line"})
    kind = fields.String(required=True)
    price = fields.Nested(MoneyAnswer, required=True)
    valid_days = fields.Integer(required=True, allow_none=True)
    data_megabytes = fields.Integer(required=True, allow_none=True, metadata={"description": "-1 is without limit"})
    minutes = fields.Integer(required=True, allow_none=True)
    texts = fields.Integer(required=True, allow_none=True)
    fulfilment = fields.String(required=True, validate=one_of(FULFILMENT))
    country = fields.String(required=True, allow_none=True)


class PlanAnswer(OfferAnswer):
    """The same, with what it would do to the SIM."""

    effect = fields.String(required=True, metadata={"enum": ["extends", "replaces", "starts", "voucher", "new"]})
    valid_until = Moment(required=True, allow_none=True)


class StatusAnswer(Answer):
    number = fields.Nested(NumberAnswer, required=True)
    plans = fields.List(fields.Nested(PlanAnswer), required=True)


def target(typed: str) -> tuple[str, str]:
    """(number, phone or sim) of what was typed. Raises the sentence of what it is instead."""
    match understand(typed, desk().store.country, [desk().till.code]):
        case PhoneEntry(number):
            return number.e164, "phone"
        case IccidEntry(iccid):
            return iccid.digits, "sim"
        case CardNumberRefused():
            raise LooksLikeCard
        case SearchEntry(hint=SearchHint.SIM_NOT_RIGHT):
            raise SimNumberNotValid
        case SearchEntry(hint=SearchHint.NUMBER_TOO_SHORT | SearchHint.NUMBER_TOO_LONG | SearchHint.NUMBER_NOT_VALID):
            raise NumberNotValid(number=typed[:30])
        case _:
            raise UnreadableEntry


def plans_view(number: NumberPicture) -> list[dict[str, Any]]:
    """What this shop sells for a SIM, and what each plan would do to it."""
    offered = []
    for plan in plans.offers(desk(), number.carrier, number.operator):
        effect, until = sales.effect_of(plan, number, kit().now())
        names = (
            "id",
            "name",
            "line",
            "kind",
            "price",
            "valid_days",
            "data_megabytes",
            "minutes",
            "texts",
            "fulfilment",
            "country",
        )
        offered.append({name: getattr(plan, name) for name in names} | {"effect": effect, "valid_until": until})
    return offered


@bp.route("/numbers/status", methods=["POST"], tags=["Numbers"])
@door(Permission.SELL)
@takes(NumberBody, example={"number": "07700 900123"})
@bp.response(200, StatusAnswer)
@refuses(503)
def number_status(sent: dict[str, Any]) -> Any:
    """What is on a number, and the plans for it; no sale is begun."""
    found = numbers.look(*target(sent["number"]), desk(), kit=kit())
    return {"number": found, "plans": plans_view(found)}
