"""Payments: cash (tendered, change) and cards as the clerk copies them from the terminal's slip."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pos.domain.errors import CardSlipIncomplete, TooLittleCash, TooMuchCash
from pos.domain.lives import Life
from pos.domain.money import Money, largest_note, whole


class Tender(StrEnum):
    CASH = "cash"
    CARD = "card"


class PaymentState(StrEnum):
    INTENDED = "intended"
    TAKEN = "taken"
    DECLINED = "declined"
    IN_DOUBT = "in_doubt"
    MISSING = "missing"


P = PaymentState

PAYMENT = Life(
    noun="payment",
    begins=frozenset({P.INTENDED, P.TAKEN}),
    moves={
        (P.INTENDED, P.TAKEN): "the terminal's slip was copied",
        (P.INTENDED, P.DECLINED): "the terminal declined",
        (P.INTENDED, P.IN_DOUBT): "no result from the terminal",
        (P.IN_DOUBT, P.TAKEN): "the terminal's list shows it",
        (P.IN_DOUBT, P.MISSING): "the terminal's list does not show it",
    },
    ends=frozenset({P.TAKEN, P.DECLINED, P.MISSING}),
)

# Without a result from the terminal for this long the tender counts as unknown (renewal protocol, move 5).
TENDER_PATIENCE = timedelta(seconds=120)

CARD_SCHEMES = (
    "VISA",
    "MASTERCARD",
    "AMEX",
    "UNIONPAY",
    "JCB",
    "MAESTRO",
    "ALIPAY",
    "WECHAT PAY",
    "PAYPAL",
    "OCTOPUS",
    "OTHER",
)


@dataclass(frozen=True)
class CardSlip:
    """What the terminal printed and may be kept: never more than the last four digits (PCI DSS 3)."""

    scheme: str
    last4: str
    authorisation: str
    slip_number: str


# Wallets have no card number whose end could be copied.
_WALLETS = ("ALIPAY", "WECHAT PAY", "PAYPAL", "OCTOPUS")


def slip_from(scheme: str, last4: str, authorisation: str, slip_number: str) -> CardSlip:
    """What was copied from the terminal's slip. Raises CardSlipIncomplete at the first field that the evidence needs."""
    refuse_signs(authorisation, slip_number)
    card = scheme in CARD_SCHEMES and scheme not in _WALLETS
    if not re.fullmatch(r"[0-9]{4}", last4) and (card or last4):
        raise CardSlipIncomplete
    if scheme not in CARD_SCHEMES:
        raise _incomplete("scheme")
    if not re.fullmatch(r"[A-Za-z0-9-]{2,20}", authorisation):
        raise _incomplete("authorisation")
    return CardSlip(scheme, last4, authorisation, slip_number)


def refuse_signs(authorisation: str, slip_number: str) -> None:
    """Both go onto the receipt as they stand, and a sign that no printer has would hold the whole receipt back."""
    for name, text in (("authorisation", authorisation), ("slip_number", slip_number)):
        if not re.fullmatch(r"[A-Za-z0-9 ./#-]{0,20}", text):
            raise _incomplete(name)


def _incomplete(field: str) -> CardSlipIncomplete:
    error = CardSlipIncomplete()
    error.field = field
    return error


def change_for(due: Money, tendered: Money) -> Money:
    """The change to give. Raises TooLittleCash, or TooMuchCash where a typing slip is likelier than a generous customer."""
    if tendered < due:
        raise TooLittleCash(tendered=tendered, due=due, missing=due - tendered)
    # A single note is never a slip, whatever it is worth: in Japan the usual one is twenty times a small plan.
    likely = max(due.minor * 10, (due + whole(1000, due.currency)).minor, (due + largest_note(due.currency)).minor)
    if tendered.minor > likely:
        raise TooMuchCash(tendered=tendered, due=due)
    return tendered - due
