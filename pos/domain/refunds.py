"""Refunds: never more than was paid; card money goes back to the card, and only the terminal knows whether it did."""

from __future__ import annotations

from enum import StrEnum

from pos.domain.lives import Life


class RefundState(StrEnum):
    REFUNDING = "refunding"
    IN_DOUBT = "in_doubt"
    REFUNDED = "refunded"
    DECLINED = "declined"
    MISSING = "missing"


R = RefundState

REFUND = Life(
    noun="refund",
    begins=frozenset({R.REFUNDING}),
    moves={
        (R.REFUNDING, R.REFUNDED): "the money was given back",
        (R.REFUNDING, R.DECLINED): "the terminal gave nothing back",
        (R.REFUNDING, R.IN_DOUBT): "no result from the terminal; its own list decides",
        (R.IN_DOUBT, R.REFUNDED): "the terminal's list shows it",
        (R.IN_DOUBT, R.MISSING): "the terminal's list does not show it",
        (R.DECLINED, R.REFUNDING): "it is tried once more",
        (R.MISSING, R.REFUNDING): "it is tried once more",
    },
    ends=frozenset({R.REFUNDED}),
)

# At the terminal, with a result that nobody has told yet.
OPEN = frozenset({R.REFUNDING, R.IN_DOUBT})
# The money has left, or may have.
COUNTS = OPEN | {R.REFUNDED}
