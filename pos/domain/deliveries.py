"""What a carrier delivers as text: a voucher's code, or the activation code of an eSIM. Whoever reads it can use it, so it is
shown once and printed once."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Delivered(StrEnum):
    PIN = "pin"
    ESIM = "esim"


# How a plan reaches the customer: onto the SIM, or as one of these.
FULFILMENT: tuple[str, ...] = ("direct", "pin", "esim")
# A second press of the same button, or a page that was loaded anew, is the same showing; later it is another one.
SAME_SHOWING = timedelta(seconds=60)
# Codes shorter than this are masked whole: three of eight signs would be too much.
_SHORTEST_WITH_TAIL = 10
# How a new eSIM is called where others have a number; it has none before it is installed.
NEW_ESIM = "eSIM"
_PREFIX = "esim:"


def masked_code(code: str) -> str:
    """A code for people who must not use it: its last three signs at most."""
    return f"**** {code[-3:]}" if len(code) >= _SHORTEST_WITH_TAIL else "****"


def grouped_code(code: str) -> str:
    """A code as it is read aloud and typed: in fours, where it has no groups of its own."""
    if not code.isalnum() or len(code) < 6:
        return code
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def esim_place(line_id: str) -> str:
    """Stands where a line has its number. It never leaves the shop, and no two lines share one, so that nobody waits for
    another's eSIM."""
    return f"{_PREFIX}{line_id}"


def is_esim_place(number: str) -> bool:
    return number.startswith(_PREFIX)


def wire_number(number: str) -> str:
    """What a carrier is told of it: nothing where the eSIM is still to be made."""
    return "" if is_esim_place(number) else number
