"""Shifts: the life of a drawer between opening and closing, counted against expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pos.domain.lives import Life
from pos.domain.money import Money, total
from pos.domain.words import N_


class ShiftState(StrEnum):
    OPEN = "open"
    RECOUNT = "recount"
    CLOSED = "closed"


SHIFT = Life(
    noun="shift",
    begins=frozenset({ShiftState.OPEN}),
    moves={
        (ShiftState.OPEN, ShiftState.RECOUNT): "the first count was outside the tolerance; counted once more",
        (ShiftState.OPEN, ShiftState.CLOSED): "counted and closed, or forgotten and closed by a manager without a count",
        (ShiftState.RECOUNT, ShiftState.CLOSED): "counted twice and closed, or forgotten after the first count",
    },
    ends=frozenset({ShiftState.CLOSED}),
)


class Movement(StrEnum):
    """Why cash went into or out of the drawer. Change is a movement of its own, never netted with the sale."""

    FLOAT = "float"
    SALE = "sale"
    CHANGE = "change"
    REFUND = "refund"
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    DROP = "drop"
    # What was taken out in sight and stood in no book: it was there, so it is written down first (decision 0016).
    SURPLUS = "surplus"
    # The drawer was opened and nothing moved; its amount is zero.
    NO_SALE = "no_sale"


# What a person types a reason for, with the reasons to choose from; "other" wants a sentence.
OTHER = "other"
REASONS: dict[Movement, dict[str, str]] = {
    Movement.PAID_IN: {
        "change": N_("Change fetched from the bank or the safe"),
        "correction": N_("Correction of an earlier entry"),
        OTHER: N_("Another reason"),
    },
    Movement.PAID_OUT: {
        "supplies": N_("Bought something for the shop"),
        "change": N_("Notes handed in for change"),
        "correction": N_("Correction of an earlier entry"),
        OTHER: N_("Another reason"),
    },
    Movement.DROP: {
        "full": N_("Too much money in the drawer"),
        "day_end": N_("The end of the day is near"),
        OTHER: N_("Another reason"),
    },
    Movement.NO_SALE: {
        "give_change": N_("Gave change for a note"),
        "jammed": N_("Something was stuck in the drawer"),
        "check": N_("Looked for something in the drawer"),
        OTHER: N_("Another reason"),
    },
}

# What may explain a difference at closing; nobody is held back who cannot explain it.
DIFFERENCE_REASONS: dict[str, str] = {
    "unexplained": N_("Nobody can explain it"),
    "wrong_change": N_("Wrong change was given"),
    "wrong_tender": N_("Paid in another way than was booked"),
    "not_booked": N_("Money moved and was not booked"),
    OTHER: N_("Another reason"),
}


class CountKind(StrEnum):
    """Why a drawer was counted."""

    OPEN = "open"
    MID = "mid"
    DROP = "drop"
    HANDOVER = "handover"
    CLOSE = "close"


_OUTWARD = frozenset({Movement.CHANGE, Movement.REFUND, Movement.PAID_OUT, Movement.DROP})


def signed(kind: Movement, amount: Money) -> Money:
    """The amount with the sign it has for the drawer; ``amount`` is never negative."""
    if amount.minor < 0:
        raise ValueError("a movement's amount is never negative; its kind says the direction")
    return -amount if kind in _OUTWARD else amount


def expected(movements: Iterable[tuple[Movement, Money]], currency: str) -> Money:
    """What must lie in the drawer: the one function for X, close and Z (counter reference, section 4)."""
    return total((signed(kind, amount) for kind, amount in movements), currency)


def counted(pieces: Mapping[int, int], currency: str) -> Money:
    """The sum of a count: denomination in minor units -> number of pieces."""
    return total((Money(unit * number, currency) for unit, number in pieces.items()), currency)
