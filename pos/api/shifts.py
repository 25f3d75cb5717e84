"""Open the drawer, count it blind, close it; X for those entitled."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from pos.api.fields import LARGEST_AMOUNT_MINOR, Answer, Body, Many, Moment, MoneyAnswer, MoneyBody, Part, Text, Whole, amount
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.domain.errors import CountIncomplete
from pos.domain.money import DENOMINATIONS, Money
from pos.domain.permissions import Permission
from pos.domain.shifts import counted
from pos.services import shifts

_SOME_NOTES = (10000, 5000, 2000, 1000, 500, 100)  # of a currency whose pieces we do not know, as on the screens


class PiecesBody(Body):
    minor = Whole(least=1, most=LARGEST_AMOUNT_MINOR, required=True, metadata={"description": "What one piece is worth"})
    count = Whole(least=0, most=999_999, required=True)


class OpenBody(Body):
    """The float as a sum, or better: counted in pieces."""

    float_amount = Part(MoneyBody, data_key="float")
    pieces = Many(Part(PiecesBody), least=0, most=40, load_default=list)


class CloseBody(Body):
    """What was counted, without seeing what it should be."""

    pieces = Many(Part(PiecesBody), least=1, most=40, required=True)
    card_total = Part(MoneyBody, metadata={"description": "The sum on the terminal's own report"})
    card_count = Whole(least=0, most=999_999)
    left = Part(MoneyBody, metadata={"description": "What stays in the drawer"})
    reason = Text(longest=200, load_default="")


class ShiftAnswer(Answer):
    id = fields.Integer(required=True)
    number = fields.Integer(required=True)
    state = fields.String(required=True)
    opened_at = Moment(required=True)
    opened_by = fields.String(required=True)
    closed_at = Moment(required=True, allow_none=True)
    z_number = fields.String(required=True, allow_none=True)


class CurrentAnswer(Answer):
    shift = fields.Nested(ShiftAnswer, required=True, allow_none=True)
    proposed_float = fields.Nested(MoneyAnswer, required=True, allow_none=True)


class ClosedAnswer(Answer):
    closed = fields.Boolean(required=True)
    count_again = fields.Boolean(
        required=True, metadata={"description": "Outside the tolerance: count once more; the next count closes in any case"}
    )
    shift = fields.Nested(ShiftAnswer, required=True, allow_none=True)


@bp.route("/shift", tags=["Shifts"])
@door(Permission.SHIFT)
@bp.response(200, CurrentAnswer)
def show_shift() -> Any:
    """The open shift of this till, without a figure in it, and the float that the last close left."""
    return {"shift": shifts.current(desk()), "proposed_float": shifts.proposed_float(desk())}


@bp.route("/shift", methods=["POST"], tags=["Shifts"])
@door(Permission.SHIFT)
@takes(OpenBody, example={"float": {"minor": 10000, "currency": "GBP"}})
@bp.response(201, ShiftAnswer)
@refuses(409)
def open_shift(sent: dict[str, Any]) -> Any:
    """Open the drawer with its float."""
    pieces, currency = _pieces(sent), desk().store.currency
    begun_with = counted(pieces, currency) if pieces else amount(sent.get("float_amount"), desk().store, "float")
    return shifts.open_shift(begun_with or Money(0, currency), pieces, desk(), kit=kit())


@bp.route("/shift/close", methods=["POST"], tags=["Shifts"])
@door(Permission.SHIFT)
@takes(CloseBody, example={"pieces": [{"minor": 5000, "count": 2}], "left": {"minor": 10000, "currency": "GBP"}})
@bp.response(200, ClosedAnswer)
@refuses(404, 409)
def close_shift(sent: dict[str, Any]) -> Any:
    """Count the drawer and close it.

    Whether there was too much or too little is never said here. A difference does not forbid the close."""
    store = desk().store
    count = shifts.Count(
        pieces=_pieces(sent),
        card_total=amount(sent.get("card_total"), store, "card_total"),
        card_count=sent.get("card_count"),
        left=amount(sent.get("left"), store, "left"),
    )
    closed = shifts.close_shift(count, sent["reason"], desk(), kit=kit())
    shift = shifts.show_closed(closed, desk())[0] if closed is not None else None
    return {"closed": shift is not None, "count_again": shift is None, "shift": shift}


def _pieces(sent: dict[str, Any]) -> dict[int, int]:
    """Denomination -> number. Raises CountIncomplete for a piece that this currency does not have, or that stands twice."""
    pieces = {piece["minor"]: piece["count"] for piece in sent["pieces"]}
    known = DENOMINATIONS.get(desk().store.currency, _SOME_NOTES)
    if len(pieces) != len(sent["pieces"]) or not pieces.keys() <= set(known):
        error = CountIncomplete()
        error.field = "pieces"
        raise error
    return pieces


@bp.route("/shifts/<int(min=1, max=2147483647):shift_id>.pdf", tags=["Shifts"])
@door(Permission.SHIFT)
@bp.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
@refuses(404)
def closed_shift_as_pdf(shift_id: int) -> Any:
    """The paper of a closed shift: the Z for those entitled, else the slip without expected figures."""
    return Response(shifts.closed_as_pdf(shift_id, desk()), mimetype="application/pdf")


@bp.route("/shift/x", methods=["POST"], tags=["Shifts"])
@door(Permission.SEE_EXPECTED_CASH)
@bp.response(200, {"type": "string"}, content_type="text/plain")
@refuses(409)
def x_report() -> Any:
    """The X of the open shift as text; the journal keeps who looked."""
    return Response(shifts.x_as_text(desk(), kit=kit()), mimetype="text/plain")
