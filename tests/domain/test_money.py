"""Money is whole minor units and a currency; text becomes money here, or nothing does."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.money import (
    DENOMINATIONS,
    Money,
    NotMoney,
    from_decimal,
    largest_note,
    minor_digits,
    next_notes,
    parse,
    total,
    whole,
)

CURRENCIES = ("GBP", "EUR", "HKD", "JPY", "KWD", "TWD", "XYZ")


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("20", "GBP", 2000),
        ("20.5", "GBP", 2050),
        ("20,50", "GBP", 2050),
        (" 20.00 ", "GBP", 2000),
        ("1,234.50", "GBP", 123450),
        ("1 234.50", "GBP", 123450),
        ("1 234,50", "EUR", 123450),
        ("1\u202f234,50", "EUR", 123450),
        ("1\u00a0234\u00a0567", "EUR", 123456700),
        ("1’234.50", "GBP", 123450),
        ("１２．５", "HKD", 1250),
        ("１２，５０", "HKD", 1250),
        ("00012", "GBP", 1200),
        ("0", "GBP", 0),
        ("-0", "GBP", 0),
        ("-3.20", "GBP", -320),
        ("180", "JPY", 180),
        ("20.00", "JPY", 20),
        ("1.234", "KWD", 1234),
        ("1,5", "KWD", 1500),
        ("9999999999999.99", "GBP", 999999999999999),
    ],
)
def test_what_a_clerk_types_as_an_amount(typed: str, currency: str, minor: int) -> None:
    assert parse(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "-",
        ".",
        ".5",
        "5.",
        "--5",
        "+5",
        "5-",
        "1e5",
        "0x1F",
        "1_000",
        "twenty",
        "20 GBP",
        "£20",
        "1.2.3",
        "12,34,567",
        "1.234,50",
        "20 50",  # may have been meant as 20.50
        "1 2 3",
        "20.005",
        "1.500",  # fifteen hundred, where a point parts thousands
        "0.001",
        "٣٣",
        "20\u202e00",
        "2\x000",
        "NaN",
        "inf",
        "9" * 17,
        "9" * 5000,
    ],
)
def test_what_is_no_amount(typed: str) -> None:
    with pytest.raises(NotMoney):
        parse(typed, "GBP")


@given(st.integers(-(10**15), 10**15), st.sampled_from(CURRENCIES))
def test_what_is_printed_can_be_typed(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert parse(amount.plain(), currency) == amount
    assert parse(amount.grouped(), currency) == amount
    assert from_decimal(amount.plain(), currency) == amount


@given(st.text(max_size=60), st.sampled_from(CURRENCIES))
def test_any_text_is_an_amount_or_none(typed: str, currency: str) -> None:
    with contextlib.suppress(NotMoney):
        assert parse(typed, currency).currency == currency


# ------------------------------------------------------------------ what a partner writes


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        ("7.36", "GBP", 736),
        (Decimal("7.360"), "GBP", 736),
        (Decimal("1E+2"), "GBP", 10000),
        (Decimal("100"), "JPY", 100),
        (Decimal("1.0"), "JPY", 1),
        (Decimal("-0.001"), "KWD", -1),
        (Decimal("0E+999999"), "GBP", 0),
        (Decimal("0E-999999"), "GBP", 0),
    ],
)
def test_an_amount_in_json(written: Decimal | str, currency: str, minor: int) -> None:
    assert from_decimal(written, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "written",
    [
        "1e999999",
        "-1e999999",
        "1E+9999999999999999",
        "1E+99999999999999999999999",
        Decimal("1E+999998"),
        "1e-999999999",  # a decimal's own arithmetic makes this nothing
        "1.00000000000000000000000000000000000001",  # and rounds this to 1
        "1." + "0" * 5000,
        "0.005",
        "7.361",
        "NaN",
        "sNaN",
        "-sNaN123",
        "Infinity",
        "-Infinity",
        "1e14",
        "",
        "x",
        "9" * 5000,
    ],
)
def test_a_partners_nonsense_is_not_money_and_nothing_else(written: Decimal | str) -> None:
    with pytest.raises(NotMoney):
        from_decimal(written, "GBP")


@given(st.decimals(allow_nan=True, allow_infinity=True), st.sampled_from(CURRENCIES))
def test_any_decimal_is_exact_or_not_money(written: Decimal, currency: str) -> None:
    try:
        amount = from_decimal(written, currency)
    except NotMoney:
        return
    assert Decimal(amount.plain()) == written


# ------------------------------------------------------------------ sums


def test_an_amount_is_whole_and_has_a_currency() -> None:
    for minor in (1.0, True, "1", None, Decimal(1)):
        with pytest.raises(NotMoney):
            Money(minor, "GBP")  # type: ignore[arg-type]
    for currency in ("gbp", "GB", "GBPX", "", "£££", "GBP\n"):
        with pytest.raises(NotMoney):
            Money(1, currency)
    with pytest.raises(NotMoney, match="larger than any drawer"):
        Money(10**15 + 1, "GBP")


def test_currencies_never_mix() -> None:
    pounds, dollars = Money(100, "GBP"), Money(100, "HKD")
    assert pounds != dollars
    for mix in (
        lambda: pounds + dollars,
        lambda: pounds - dollars,
        lambda: pounds < dollars,
        lambda: pounds >= dollars,
        lambda: total([pounds, dollars], "GBP"),
    ):
        with pytest.raises(ValueError, match="do not mix"):
            mix()


def test_the_sum_of_nothing_is_nothing() -> None:
    assert total([], "HKD") == Money(0, "HKD")
    assert not Money(0, "HKD")
    assert total([Money(1, "HKD")] * 3, "HKD") == Money(1, "HKD").times(3)


@pytest.mark.parametrize(
    ("gross", "basis_points", "tax"),
    [
        (1200, 2000, 200),
        (800, 2000, 133),
        (999, 2000, 167),  # 166.5, half away from zero
        (-999, 2000, -167),
        (-1200, 2000, -200),
        (1, 2000, 0),
        (1000, 0, 0),
        (107, 700, 7),
        (10**15, 1900, 159663865546218),
    ],
)
def test_the_tax_inside_a_price(gross: int, basis_points: int, tax: int) -> None:
    assert Money(gross, "GBP").tax_included(basis_points) == Money(tax, "GBP")


@given(st.integers(0, 10**12), st.integers(0, 5000))
def test_tax_is_within_half_a_minor_unit_and_mirrors_a_refund(gross: int, basis_points: int) -> None:
    tax = Money(gross, "GBP").tax_included(basis_points).minor
    assert abs(2 * (tax * (10_000 + basis_points) - gross * basis_points)) <= 10_000 + basis_points
    assert Money(-gross, "GBP").tax_included(basis_points).minor == -tax


@pytest.mark.parametrize(
    ("amount", "plain", "grouped"),
    [
        (Money(123450, "GBP"), "1234.50", "1,234.50"),
        (Money(-5, "GBP"), "-0.05", "-0.05"),
        (Money(-123450, "GBP"), "-1234.50", "-1,234.50"),
        (Money(1234567, "JPY"), "1234567", "1,234,567"),
        (Money(1234567, "KWD"), "1234.567", "1,234.567"),
    ],
)
def test_how_amounts_look(amount: Money, plain: str, grouped: str) -> None:
    assert (amount.plain(), amount.grouped(), str(amount)) == (plain, grouped, f"{plain} {amount.currency}")


# ------------------------------------------------------------------ notes


@pytest.mark.parametrize(
    ("due", "offers"),
    [
        (Money(1850, "GBP"), ["18.50", "20.00", "50.00"]),
        (Money(2000, "GBP"), ["20.00", "50.00"]),
        (Money(5001, "GBP"), ["50.01", "55.00", "60.00", "100.00"]),
        (Money(180, "JPY"), ["180", "200", "500", "1000"]),
        (Money(9900, "HKD"), ["99.00", "100.00", "500.00", "1000.00"]),
        (Money(1800, "KWD"), ["1.800", "5.000", "10.000"]),
    ],
)
def test_what_a_customer_is_likely_to_hand_over(due: Money, offers: list[str]) -> None:
    assert [offer.plain() for offer in next_notes(due)] == offers


@given(st.integers(1, 10**9), st.sampled_from(CURRENCIES))
def test_offers_begin_with_the_exact_sum_and_rise(minor: int, currency: str) -> None:
    offers = next_notes(Money(minor, currency))
    assert offers[0] == Money(minor, currency)
    assert 1 <= len(offers) <= 4
    assert all(low < high for low, high in zip(offers, offers[1:], strict=False))


def test_notes_stand_from_large_to_small() -> None:
    for currency, units in DENOMINATIONS.items():
        assert list(units) == sorted(set(units), reverse=True)
        assert largest_note(currency) == Money(units[0], currency)
    assert largest_note("XYZ") == whole(100, "XYZ") == Money(10_000, "XYZ")
    assert (minor_digits("JPY"), minor_digits("KWD"), minor_digits("GBP")) == (0, 3, 2)
