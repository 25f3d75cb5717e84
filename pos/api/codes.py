"""A voucher's code or an eSIM, handed over once: the counter's verb for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from pos.api.fields import Answer, Body, Text, one_of
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.api.lines import meant
from pos.domain.deliveries import Delivered
from pos.domain.errors import CodeNotThere
from pos.domain.permissions import Permission
from pos.services import hand_overs, sales


class ShowBody(Body):
    press = Text(
        longest=36,
        shortest=8,
        cards=True,
        required=True,
        metadata={"description": "Made by the caller for this showing; the same one within a minute is the same showing"},
    )
    reason = Text(longest=200, shortest=1, metadata={"description": "A manager's reason to hand it out again"})


class CodeAnswer(Answer):
    """What is worth money: do not log it, do not store it."""

    kind = fields.String(required=True, validate=one_of(Delivered))
    text = fields.String(required=True, metadata={"description": "The voucher's code, or the activation code (LPA) of an eSIM"})
    serial = fields.String(required=True)
    instructions = fields.String(required=True)
    validity = fields.String(required=True, metadata={"description": "In the carrier's words"})
    masked = fields.String(required=True)
    times_shown = fields.Integer(required=True)


@bp.route("/sales/<uuid:sale_id>/lines/<string(minlength=1, maxlength=36):line>/code", methods=["POST"], tags=["Sales"])
@door(Permission.SELL)
@takes(ShowBody, example={"press": "5f2d7c1e-3a52-4d0c-9a53-0f4f5d6c7e81"})
@bp.response(200, CodeAnswer)
@refuses(404, 409)
def show_code(sent: dict[str, Any], sale_id: UUID, line: str) -> Any:
    """Show the code of a line, once.

    Each showing is counted and stands in the journal. Afterwards, and from another till, only a manager may, with a
    `reason`."""
    sale = sales.show(str(sale_id), desk(), kit=kit())
    renewal = sale.line_of(meant(sale, line))
    if renewal is None:
        raise CodeNotThere
    asked = {"press": sent["press"], "reason": sent.get("reason", "")}
    code = hand_overs.show(str(sale_id), renewal.id, desk(), kit=kit(), **asked)
    names = ("kind", "serial", "instructions", "validity", "masked", "times_shown")
    return {name: getattr(code, name) for name in names} | {"text": code.plain}
