"""Give the customer's money back after the carrier refused: cash from the drawer, a card's money by way of the terminal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pos.api.fields import Body, Id, Text
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.api.sales import SaleAnswer, shown
from pos.domain.errors import StaleForm
from pos.domain.payments import PaymentState, Tender, refuse_signs
from pos.domain.permissions import Permission
from pos.services import card_refunds, refunds, sales

_WHICH = {"description": "The id of a line's renewal; it may be left out where only one is to be given back"}
_EXAMPLE = {"renewal": "7b6e1a52-4f0c-4b7e-9a53-0f4f5d6c7e81"}


class RefundBody(Body):
    renewal_id = Id(data_key="renewal", load_default=None, metadata=_WHICH)


class RefundSlipBody(RefundBody):
    """Both are copied from the terminal's refund slip, or from its own list."""

    authorisation = Text(longest=20, shortest=1, required=True)
    slip_number = Text(longest=20, shortest=1, required=True)


class InCashBody(RefundBody):
    reason = Text(longest=200, shortest=1, required=True, metadata={"description": "It stands in the journal"})


def _paid_by(sale_id: UUID, tender: Tender) -> str:
    """The sale's id. Raises StaleForm when the customer paid otherwise: the money goes back as it came."""
    payments = sales.show(str(sale_id), desk(), kit=kit()).payments
    if any(payment.tender is not tender for payment in payments if payment.state is PaymentState.TAKEN):
        raise StaleForm
    return str(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundBody, example=_EXAMPLE)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def pay_back(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Cash was paid: give what is due out of the drawer; again changes nothing."""
    refunds.pay_back(_paid_by(sale_id, Tender.CASH), desk(), kit=kit(), **sent)
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund/card", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundBody, example=_EXAMPLE)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def begin_card_refund(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Write down that the money is about to go back on the terminal. Send this before the terminal is touched."""
    card_refunds.begin_card_refund(str(sale_id), desk(), kit=kit(), **sent)
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund/card/slip", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundSlipBody, example={**_EXAMPLE, "authorisation": "R1B2C3", "slip_number": "0018"})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def record_card_refund(sent: dict[str, Any], sale_id: UUID) -> Any:
    """The terminal gave it back, or its list shows it: the refund is booked. The same slip again changes nothing."""
    refuse_signs(sent["authorisation"], sent["slip_number"])
    refunds.pay_back(_paid_by(sale_id, Tender.CARD), desk(), kit=kit(), **sent)
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund/card/declined", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundBody, example=_EXAMPLE)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def card_refund_declined(sent: dict[str, Any], sale_id: UUID) -> Any:
    """The terminal gave nothing back: the money is owed as before, and another try may follow."""
    card_refunds.card_refund_declined(str(sale_id), desk(), kit=kit(), **sent)
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund/card/no-result", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundBody, example=_EXAMPLE)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def card_refund_without_result(sent: dict[str, Any], sale_id: UUID) -> Any:
    """No result from the terminal: its own list decides, nothing else. After two minutes this is so by itself."""
    card_refunds.card_refund_without_result(str(sale_id), desk(), kit=kit(), **sent)
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund/card/missing", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND)
@takes(RefundBody, example=_EXAMPLE)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def card_refund_is_missing(sent: dict[str, Any], sale_id: UUID) -> Any:
    """The terminal's own list does not show the refund: the money is owed as before."""
    card_refunds.card_refund_is_missing(str(sale_id), desk(), kit=kit(), **sent)
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/refund/card/in-cash", methods=["POST"], tags=["Refunds"])
@door(Permission.REFUND_CARD_IN_CASH)
@takes(InCashBody, example={**_EXAMPLE, "reason": "the card was blocked, the terminal gives nothing back"})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def pay_card_in_cash(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Cash for card money that the terminal cannot give back: a manager's word. The same again changes nothing."""
    refunds.pay_card_in_cash(str(sale_id), sent.pop("reason"), desk(), kit=kit(), **sent)
    return shown(sale_id)
