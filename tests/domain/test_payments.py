"""Change, and the slip of the keyboard that would give too much of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.errors import TooLittleCash, TooMuchCash
from pos.domain.money import DENOMINATIONS, Money, next_notes
from pos.domain.payments import change_for


def test_exact_money_gives_no_change() -> None:
    assert change_for(Money(800, "GBP"), Money(800, "GBP")) == Money(0, "GBP")
    assert change_for(Money(800, "GBP"), Money(2000, "GBP")) == Money(1200, "GBP")


def test_too_little_says_how_much_is_missing() -> None:
    with pytest.raises(TooLittleCash, match="5.00 GBP is less than the 8.00 GBP due. Nothing was booked; ask for 3.00 GBP more."):
        change_for(Money(800, "GBP"), Money(500, "GBP"))


@pytest.mark.parametrize(
    ("due", "tendered", "likely"),
    [
        (Money(800, "GBP"), Money(100_800, "GBP"), True),
        (Money(800, "GBP"), Money(100_801, "GBP"), False),
        (Money(20_000, "GBP"), Money(200_000, "GBP"), True),
        (Money(20_000, "GBP"), Money(200_001, "GBP"), False),
        (Money(500, "JPY"), Money(10_000, "JPY"), True),  # one note
        (Money(500, "JPY"), Money(100_000, "JPY"), False),
        (Money(0, "GBP"), Money(0, "GBP"), True),
    ],
)
def test_far_too_much_is_a_slip_of_the_keyboard(due: Money, tendered: Money, likely: bool) -> None:
    if likely:
        assert change_for(due, tendered) == tendered - due
    else:
        with pytest.raises(TooMuchCash):
            change_for(due, tendered)


def test_money_of_another_currency_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        change_for(Money(800, "GBP"), Money(2000, "HKD"))


@given(st.sampled_from(sorted(DENOMINATIONS)), st.integers(1, 10**7))
def test_whatever_the_screen_offers_is_accepted(currency: str, minor: int) -> None:
    due = Money(minor, currency)
    for offer in next_notes(due):
        assert due + change_for(due, offer) == offer
