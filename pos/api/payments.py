"""Taking the money: cash with change, or a card as the terminal's slip says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pos.api.fields import LARGEST_ID, Body, Counted, MoneyBody, OneWord, Part, Text, amount
from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.api.sales import SaleAnswer, shown
from pos.domain.errors import NotAnAmount
from pos.domain.payments import CARD_SCHEMES, slip_from
from pos.domain.permissions import Permission
from pos.services import payments


class CashBody(Body):
    quote = Text(longest=64, cards=True, required=True, metadata={"description": "As the sale showed it"})
    tendered = Part(MoneyBody, required=True, metadata={"description": "What the customer handed over"})


class CardBody(Body):
    quote = Text(longest=64, cards=True, required=True, metadata={"description": "As the sale showed it"})


class WhichPayment(Body):
    payment = Counted(
        least=1,
        most=LARGEST_ID,
        load_default=None,
        metadata={"description": "The `id` of the payment that was declined. Name it: a repeat then never ends the next card's"},
    )


class SlipBody(Body):
    scheme = OneWord(CARD_SCHEMES, required=True)
    last4 = Text(longest=4, load_default="", metadata={"description": "Of the card; a wallet has none"})
    authorisation = Text(longest=20, shortest=2, required=True)
    slip_number = Text(longest=20, load_default="")


@bp.route("/sales/<uuid:sale_id>/cash", methods=["POST"], tags=["Payments"])
@door(Permission.SELL)
@takes(CashBody, example={"quote": "0f2c6a1b8d9e4f70a1b2c3d4e5f60718", "tendered": {"minor": 2000, "currency": "GBP"}})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def take_cash(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Take cash; the change to give stands in the payment.

    The same body again changes nothing and gets the same change; another one is refused once the sale is paid."""
    tendered = amount(sent["tendered"], desk().store, "tendered")
    if tendered is None:
        raise NotAnAmount
    payments.take_cash(str(sale_id), sent["quote"], tendered, desk(), kit=kit())
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/card", methods=["POST"], tags=["Payments"])
@door(Permission.SELL)
@takes(CardBody, example={"quote": "0f2c6a1b8d9e4f70a1b2c3d4e5f60718"})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def begin_card(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Write down that the amount is about to go to the card terminal. Send this before the terminal is touched."""
    payments.begin_card(str(sale_id), sent["quote"], desk(), kit=kit())
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/card/slip", methods=["POST"], tags=["Payments"])
@door(Permission.SELL)
@takes(SlipBody, example={"scheme": "VISA", "last4": "4242", "authorisation": "A1B2C3", "slip_number": "0017"})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def take_card(sent: dict[str, Any], sale_id: UUID) -> Any:
    """The terminal approved, or its list shows the payment: the sale is paid."""
    slip = slip_from(sent["scheme"], sent["last4"], sent["authorisation"], sent["slip_number"])
    payments.take_card(str(sale_id), slip, desk(), kit=kit())
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/card/declined", methods=["POST"], tags=["Payments"])
@door(Permission.SELL)
@bp.arguments(WhichPayment, location="query")
@bp.response(200, SaleAnswer)
@refuses(404, 409, 422)
def card_declined(named: dict[str, Any], sale_id: UUID) -> Any:
    """The terminal declined: another card, or cash, may follow."""
    payments.card_declined(str(sale_id), desk(), kit=kit(), payment_id=named["payment"])
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/card/no-result", methods=["POST"], tags=["Payments"])
@door(Permission.SELL)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def card_without_result(sale_id: UUID) -> Any:
    """No result from the terminal: its own list decides, nothing else. After two minutes this is so by itself."""
    payments.card_without_result(str(sale_id), desk(), kit=kit())
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/card/missing", methods=["POST"], tags=["Payments"])
@door(Permission.SELL)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def card_is_missing(sale_id: UUID) -> Any:
    """The terminal's own list does not show the payment: the sale is voided and may be begun again under a new id."""
    payments.card_is_missing(str(sale_id), desk(), kit=kit())
    return shown(sale_id)
