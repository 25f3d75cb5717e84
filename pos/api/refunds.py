"""Give the customer's money back after the carrier refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pos.api.fields import Body, Text
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.api.sales import SaleAnswer, shown
from pos.domain.payments import refuse_signs
from pos.domain.permissions import Permission
from pos.services import refunds


class RefundBody(Body):
    """Both are copied from the terminal's refund slip where a card paid; cash needs neither."""

    authorisation = Text(longest=20, load_default="")
    slip_number = Text(longest=20, load_default="")


@bp.route("/sales/<uuid:sale_id>/refund", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundBody, example={})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def pay_back(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Pay back what is due; again changes nothing."""
    refuse_signs(sent["authorisation"], sent["slip_number"])
    refunds.pay_back(str(sale_id), desk(), kit=kit(), **sent)
    return shown(sale_id)
