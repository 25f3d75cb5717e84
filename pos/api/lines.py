"""Between the lines that callers send and the sale as services know it, and back. All that knows which line is which."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from marshmallow import fields

from pos.api.fields import LARGEST_ID, Answer, Body, Id, Moment, MoneyAnswer, Text, Whole, one_of
from pos.api.numbers import NumberAnswer, target
from pos.domain.deliveries import FULFILMENT, Delivered
from pos.domain.errors import CounterError, NotFound
from pos.domain.payments import Tender
from pos.domain.pictures import NumberPicture, RenewalPicture, SalePicture
from pos.domain.refunds import RefundState
from pos.domain.renewals import RenewalState
from pos.services.numbers import Wanted


class LineBody(Body):
    number = Text(
        longest=200, shortest=1, cards=True, required=True, metadata={"description": "A phone number, or a SIM's number"}
    )
    plan = Whole(least=1, most=LARGEST_ID, metadata={"description": "The id of a plan, where it is known already"})


class NewLineBody(LineBody):
    """A further line, under an id that the caller made."""

    id = Id(required=True)


class CodeStateAnswer(Answer):
    """What is known of a code without the code. It is asked for by a verb of its own."""

    kind = fields.String(required=True, validate=one_of(Delivered))
    arrived = fields.Boolean(required=True, metadata={"description": "False while the carrier is still asked for it"})
    masked = fields.String(required=True)
    times_shown = fields.Integer(required=True)
    times_printed = fields.Integer(required=True)
    first_shown_at = Moment(required=True, allow_none=True)
    first_printed_at = Moment(required=True, allow_none=True)
    next_asking_at = Moment(required=True, allow_none=True)


class RenewalAnswer(Answer):
    """The life of one line at the carrier. After an exchange it is another one than before, with an id of its own."""

    id = fields.UUID(required=True)
    masked = fields.String(required=True, metadata={"description": "The number it is for; an exchange may have changed it"})
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
    fulfilment = fields.String(required=True, validate=one_of(FULFILMENT))
    code = fields.Nested(CodeStateAnswer, required=True, allow_none=True)


class RefundAnswer(Answer):
    state = fields.String(required=True, validate=one_of(RefundState))
    tender = fields.String(required=True, validate=one_of(Tender))
    amount = fields.Nested(MoneyAnswer, required=True)
    receipt_number = fields.String(required=True, allow_none=True)
    till_code = fields.String(required=True, metadata={"description": "Where it was begun, or where the money left"})
    clerk = fields.String(required=True)
    at = Moment(required=True)


class LineAnswer(Answer):
    """One number of the sale, the plan it gets, and its money back."""

    id = fields.UUID(required=True)
    position = fields.Integer(required=True, metadata={"description": "It stays when another line is taken out"})
    number = fields.Nested(NumberAnswer, required=True)
    renewal = fields.Nested(RenewalAnswer, required=True, allow_none=True)
    refund = fields.Nested(RefundAnswer, required=True, allow_none=True)


def place_of(error: CounterError, place: int) -> CounterError:
    """The refusal of a number, at the line it came from. Services name a further one ``entry/2``."""
    name, _, other = (error.field or "").partition("/")
    error.field = f"lines/{int(other or place) - 1}/number" if name == "entry" else error.field
    return error


def wanted(sale_id: str, sent: list[dict[str, Any]]) -> list[Wanted]:
    """The numbers of a sale that begins, each with its id: the first has the sale's, the further ones always the same.

    Raises the sentence of what is no number, at its line."""
    found = []
    for place, line in enumerate(sent, start=1):
        try:
            number, kind = target(line["number"])
        except CounterError as error:
            raise place_of(error, place) from None
        found.append(Wanted(id_of_line(sale_id, place), number, kind))
    return found


def id_of_line(sale_id: str, place: int) -> str:
    """The id of a line that a sale began with."""
    return sale_id if place == 1 else str(uuid5(UUID(sale_id), f"line {place}"))


def meant(sale: SalePicture, line: str) -> NumberPicture:
    """The number of the line with this position or id. Raises NotFound."""
    for number in sale.numbers:
        if line.lower() in (str(number.place), number.id):
            return number
    raise NotFound


def dropped_or_meant(sale: SalePicture, line: str) -> str:
    """The id of a line to take out: by its id, it may be out already."""
    try:
        return str(UUID(line))
    except ValueError:
        return meant(sale, line).id


def lines_view(sale: SalePicture) -> list[dict[str, Any]]:
    return [_line_view(number, sale.line_of(number)) for number in sale.numbers]


def _line_view(number: NumberPicture, renewal: RenewalPicture | None) -> dict[str, Any]:
    refund = renewal.refund if renewal is not None else None
    return {"id": number.id, "position": number.place, "number": number, "renewal": renewal, "refund": refund}
