"""Open the drawer, count it blind, close it; X for those entitled."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from pos.api.fields import (
    LARGEST_AMOUNT_MINOR,
    Answer,
    Body,
    Flag,
    Many,
    Moment,
    MoneyAnswer,
    MoneyBody,
    OneWord,
    Part,
    Text,
    Whole,
    amount,
)
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.domain.errors import CountIncomplete
from pos.domain.money import DENOMINATIONS, Money
from pos.domain.permissions import Permission
from pos.domain.shifts import DIFFERENCE_REASONS, counted
from pos.domain.tills import Store
from pos.services import shifts
from pos.services.approvals import Approval

_SOME_NOTES = (10000, 5000, 2000, 1000, 500, 100)  # of a currency whose pieces we do not know, as on the screens


class PiecesBody(Body):
    minor = Whole(least=1, most=LARGEST_AMOUNT_MINOR, required=True, metadata={"description": "What one piece is worth"})
    count = Whole(least=0, most=999_999, required=True)


class OpenBody(Body):
    """The float as a sum, or better: counted in pieces."""

    float_amount = Part(MoneyBody, data_key="float")
    pieces = Many(Part(PiecesBody), least=0, most=40, load_default=list)


class TerminalBody(Body):
    """What stands on one card terminal's own slip."""

    terminal = Text(longest=20, load_default="", metadata={"description": "Its name or number"})
    batch = Text(longest=20, load_default="")
    total = Part(MoneyBody, required=True)
    count = Whole(least=0, most=999_999, metadata={"description": "How many payments"})


class SecondPersonBody(Body):
    """A manager who is at hand and approves a large difference; judged before anything is compared."""

    staff_number = Text(longest=12, shortest=1, required=True)
    pin = Text(longest=12, shortest=1, required=True)


class CloseBody(Body):
    """What was counted, without seeing what it should be."""

    pieces = Many(Part(PiecesBody), least=1, most=40, required=True)
    terminals = Many(Part(TerminalBody), least=0, most=9, load_default=list)
    left = Part(MoneyBody, metadata={"description": "What stays in the drawer"})
    code = OneWord(tuple(DIFFERENCE_REASONS), metadata={"description": "What may explain a difference"})
    reason = Text(longest=200, load_default="", metadata={"description": "The same in a person's own words"})
    approval = Part(SecondPersonBody)
    goes_on = Flag(load_default=False, metadata={"description": "The next shift begins at once with what is left"})


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

    Whether there was too much or too little is never said here. A difference does not forbid the close; above the store's limit
    it waits for a manager's word unless `approval` stands here."""
    store = desk().store
    left = amount(sent.get("left"), store, "left")
    count = shifts.Count(pieces=_pieces(sent), card_total=None, card_count=None, left=left, batches=_batches(sent, store))
    closed = shifts.close_shift(
        count, sent["reason"], desk(), kit=kit(), code=sent.get("code", ""), agreed=_agreed(sent), goes_on=sent["goes_on"]
    )
    shift = shifts.show_closed(closed, desk())[0] if closed is not None else None
    return {"closed": shift is not None, "count_again": shift is None, "shift": shift}


def _batches(sent: dict[str, Any], store: Store) -> tuple[shifts.Batch, ...]:
    found = []
    for place, slip in enumerate(sent["terminals"]):
        total = amount(slip["total"], store, f"terminals/{place}/total") or Money(0, store.currency)
        found.append(shifts.Batch(slip["terminal"], slip["batch"], slip.get("count"), total))
    return tuple(found)


def _agreed(sent: dict[str, Any]) -> Approval | None:
    person = sent.get("approval")
    return None if person is None else Approval(sent["reason"], person["staff_number"], person["pin"])


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
