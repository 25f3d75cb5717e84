"""Refunds: never more than was paid; card money goes back to the card."""

from __future__ import annotations

from enum import StrEnum

from pos.domain.lives import Life


class RefundState(StrEnum):
    REFUNDING = "refunding"
    REFUNDED = "refunded"


REFUND = Life(
    noun="refund",
    begins=frozenset({RefundState.REFUNDING}),
    moves={(RefundState.REFUNDING, RefundState.REFUNDED): "the money was given back"},
    ends=frozenset({RefundState.REFUNDED}),
)
