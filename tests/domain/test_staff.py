"""PINs that nobody may have, and how many tries there are."""

from __future__ import annotations

import pytest

from pos.app import DEMO_PINS
from pos.domain.errors import PinTooWeak
from pos.domain.staff import LOCK_WINDOW, WRONG_PER_STAFF, WRONG_PER_TILL, refuse_weak_pin


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "12345",
        "1234567",
        "27182a",
        "27 182",
        "２７１８２８",
        "٢٧١٨٢٨",
        "271828\n",
        "000000",
        "777777",
        "123456",
        "890123",  # a row over the nine
        "654321",
        "321098",
        "123123",
        "979797",
        "240589",  # 24 May 1989
        "311299",
        "890524",
        "010203",
    ],
)
def test_a_pin_that_is_easy_to_guess_is_refused(pin: str) -> None:
    with pytest.raises(PinTooWeak):
        refuse_weak_pin(pin)


@pytest.mark.parametrize("pin", [*DEMO_PINS.values(), "135797", "408162", "967291"])
def test_an_ordinary_pin_is_accepted(pin: str) -> None:
    refuse_weak_pin(pin)


def test_a_till_is_locked_later_than_a_person_and_not_for_ever() -> None:
    assert 0 < WRONG_PER_STAFF < WRONG_PER_TILL
    assert LOCK_WINDOW.total_seconds() == 15 * 60
