"""Staff: how PINs fail, and which PINs nobody may have."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from pos.domain.errors import PinTooWeak

# Five wrong per person and ten per till within a quarter of an hour (security reference, 2.9).
WRONG_PER_STAFF = 5
WRONG_PER_TILL = 10
LOCK_WINDOW = timedelta(minutes=15)
# Twenty wrong in a day, and a manager has to look before the person signs in again.
WRONG_PER_DAY = 20
LOCK_DAY = timedelta(days=1)
# A PIN that somebody else gave is good for a day, and for nothing but changing it.
GIVEN_PIN_LIFE = timedelta(days=1)

SESSION_IDLE = timedelta(minutes=10)
SESSION_END = timedelta(hours=12)
ENROLMENT_CODE_LIFE = timedelta(minutes=10)


def refuse_weak_pin(pin: str) -> None:
    """Raises PinTooWeak for anything but six digits, and for repetitions, rows and dates."""
    if not re.fullmatch(r"[0-9]{6}", pin):
        raise PinTooWeak
    steps = {(int(b) - int(a)) % 10 for a, b in zip(pin, pin[1:], strict=False)}
    halves = pin[:3] == pin[3:] or pin[:2] * 3 == pin
    day_month = re.fullmatch(r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d\d", pin)
    year_first = re.fullmatch(r"\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", pin)
    if steps <= {0} or steps <= {1} or steps <= {9} or halves or day_month or year_first:
        raise PinTooWeak


def new_pin() -> str:
    """Six digits that nobody chose, and that are not weak."""
    while True:
        pin = f"{secrets.randbelow(10**6):06}"
        try:
            refuse_weak_pin(pin)
        except PinTooWeak:
            continue
        return pin
