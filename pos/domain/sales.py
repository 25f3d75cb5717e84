"""A sale: one customer visit at one till, and the life of its money."""

from __future__ import annotations

from enum import StrEnum

from pos.domain.lives import Life


class SaleState(StrEnum):
    DRAFT = "draft"
    TENDERING = "tendering"
    TENDER_UNKNOWN = "tender_unknown"
    PAID = "paid"
    VOIDED = "voided"


S = SaleState

SALE = Life(
    noun="sale",
    begins=frozenset({S.DRAFT}),
    moves={
        (S.DRAFT, S.TENDERING): "the clerk is about to key the amount on the card terminal",
        (S.DRAFT, S.PAID): "the customer paid in cash",
        (S.DRAFT, S.VOIDED): "the customer left or the clerk started again; no money moved",
        (S.TENDERING, S.PAID): "the payment was recorded",
        (S.TENDERING, S.VOIDED): "the terminal declined and no other payment followed",
        (S.TENDERING, S.TENDER_UNKNOWN): "no result from the terminal; its own list decides",
        (S.TENDER_UNKNOWN, S.PAID): "the terminal's list shows the payment",
        (S.TENDER_UNKNOWN, S.VOIDED): "the terminal's list does not show the payment",
    },
    ends=frozenset({S.PAID, S.VOIDED}),
)

# As many as a family has, and as many as a page, a slip and the number keys can show.
MOST_NUMBERS = 9
