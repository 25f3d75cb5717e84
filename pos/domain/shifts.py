"""Shifts: the life of a drawer between opening and closing, counted against expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pos.domain.lives import Life
from pos.domain.money import Money, total


class ShiftState(StrEnum):
    OPEN = "open"
    RECOUNT = "recount"
    CLOSED = "closed"


SHIFT = Life(
    noun="shift",
    begins=frozenset({ShiftState.OPEN}),
    moves={
        (ShiftState.OPEN, ShiftState.RECOUNT): "the first count was outside the tolerance; counted once more",
        (ShiftState.OPEN, ShiftState.CLOSED): "counted and closed",
        (ShiftState.RECOUNT, ShiftState.CLOSED): "counted twice and closed",
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
