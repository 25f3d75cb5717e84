"""Between the lines that callers send and the sale as services know it, and back. All that knows how many lines there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from marshmallow import fields

from pos.api.fields import LARGEST_ID, Answer, Body, Moment, MoneyAnswer, Text, Whole, one_of
from pos.api.numbers import NumberAnswer
from pos.domain.errors import CounterError, NotFound, OneLineOnly
from pos.domain.payments import Tender
from pos.domain.pictures import SalePicture
from pos.domain.refunds import RefundState
from pos.domain.renewals import RenewalState


class LineBody(Body):
    number = Text(
        longest=200, shortest=1, cards=True, required=True, metadata={"description": "A phone number, or a SIM's number"}
    )
    plan = Whole(least=1, most=LARGEST_ID, metadata={"description": "The id of a plan, where it is known already"})


class RenewalAnswer(Answer):
    """The life of one line at the carrier."""

    id = fields.String(required=True)
    state = fields.String(required=True, validate=one_of(RenewalState))
    plan_name = fields.String(required=True)
    line = fields.String(required=True, metadata={"description": "The product line"})
    price = fields.Nested(MoneyAnswer, required=True)
    tax = fields.Nested(MoneyAnswer, required=True)
    valid_days = fields.Integer(required=True, allow_none=True)
    valid_before = Moment(required=True, allow_none=True)
    valid_now = Moment(required=True, allow_none=True)
    effect = fields.String(required=True)
    carrier_reference = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    sent_at = Moment(required=True, allow_none=True)
    deadline = Moment(required=True, allow_none=True)
    next_asking_at = Moment(required=True, allow_none=True)
    case_number = fields.String(required=True, allow_none=True)


class RefundAnswer(Answer):
    state = fields.String(required=True, validate=one_of(RefundState))
    tender = fields.String(required=True, validate=one_of(Tender))
    amount = fields.Nested(MoneyAnswer, required=True)
    receipt_number = fields.String(required=True, allow_none=True)


class LineAnswer(Answer):
    position = fields.Integer(required=True)
    number = fields.Nested(NumberAnswer, required=True, allow_none=True)
    renewal = fields.Nested(RenewalAnswer, required=True, allow_none=True)
    refund = fields.Nested(RefundAnswer, required=True, allow_none=True)


@contextmanager
def place_of_line(position: int) -> Iterator[None]:
    """A refusal of the number stands at the line it came from."""
    try:
        yield
    except CounterError as error:
        error.field = f"lines/{position - 1}/number" if error.field == "entry" else error.field
        raise


def only_line(sent: list[dict[str, Any]]) -> dict[str, Any]:
    """The one line of a sale. Raises OneLineOnly for more."""
    if len(sent) != 1:
        raise OneLineOnly
    return sent[0]


def refuse_other_line(position: int) -> None:
    """Raises NotFound for a line that no sale has."""
    if position != 1:
        raise NotFound


def lines_view(sale: SalePicture) -> list[dict[str, Any]]:
    return [{"position": 1, "number": sale.number, "renewal": sale.renewal, "refund": sale.refund}]
