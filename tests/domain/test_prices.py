"""The owner's rules: cost, face and price are three amounts, and a margin never loses its last penny."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.money import Money
from pos.domain.prices import PriceRule, Withheld, asked, rule_for


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


def rule(
    margin: int = 1000, add: int = 0, step: int = 1, carrier: str | None = None, line: str | None = None, number: int = 1
) -> PriceRule:
    return PriceRule(number, carrier, line, margin, add, step)


@pytest.mark.parametrize(
    ("cost", "made", "price"),
    [
        (1000, rule(1000), 1100),
        (1001, rule(1000), 1102),  # 1101.1 is rounded up
        (1000, rule(0), 1000),
        (920, rule(1250, add=20), 1055),  # 1035 and 20
        (920, rule(1250, step=50), 1050),
        (933, rule(1250, step=50), 1050),  # 1049.6
        (934, rule(1250, step=50), 1100),  # 1050.75
        (1, rule(1, step=1), 2),
    ],
)
def test_a_rule_is_margin_addition_and_step(cost: int, made: PriceRule, price: int) -> None:
    assert made.price(gbp(cost), "GBP") == gbp(price)


def test_another_currency_is_worth_what_the_owner_says() -> None:
    euros = PriceRule(1, None, None, 1000, 0, 1, cost_currency="EUR", rate_millionths=860_000)
    assert euros.price(Money(1000, "EUR"), "GBP") == gbp(946)
    yen = PriceRule(1, None, None, 0, 0, 1, cost_currency="JPY", rate_millionths=5_200)
    assert yen.price(Money(1000, "JPY"), "GBP") == gbp(520)
    assert PriceRule(1, None, None, 0, 0, 10, "GBP", 190_000_000).price(gbp(520), "JPY") == Money(990, "JPY")


@given(st.integers(1, 10**7), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 1000))
def test_a_price_is_never_below_what_was_asked_for_and_less_than_a_step_above(
    cost: int, margin: int, add: int, step: int
) -> None:
    price = rule(margin, add, step).price(gbp(cost), "GBP").minor
    wanted = cost * (10_000 + margin) + add * 10_000
    assert price % step == 0
    assert wanted <= price * 10_000 < wanted + step * 10_000


def test_the_most_particular_rule_counts() -> None:
    rules = [rule(number=1), rule(number=2, line="data"), rule(number=3, carrier="a"), rule(number=4, carrier="a", line="data")]

    def chosen(carrier: str, line: str) -> int:
        found = rule_for(rules, carrier, line, gbp(1), "GBP")
        assert found is not None
        return found.id

    assert [chosen("b", "calls"), chosen("b", "data"), chosen("a", "calls"), chosen("a", "data")] == [1, 2, 3, 4]
    assert rule_for(rules, "a", "data", Money(1, "EUR"), "GBP") is None, "its rate is not known"


def test_without_a_rule_a_plan_costs_its_face_and_a_foreign_face_is_no_price() -> None:
    assert asked([], "a", "x", gbp(736), gbp(800), "GBP", None, None) == (gbp(800), None)
    assert asked([], "a", "x", gbp(736), Money(900, "EUR"), "GBP", None, None) == (gbp(0), Withheld.NO_PRICE)
    assert asked([rule()], "a", "x", gbp(736), Money(900, "EUR"), "GBP", None, None) == (gbp(810), None)


def test_the_owner_s_own_price_is_above_rule_and_ceiling() -> None:
    assert asked([rule()], "a", "x", gbp(736), gbp(800), "GBP", gbp(777), gbp(500)) == (gbp(777), None)
    assert asked([], "a", "x", gbp(736), gbp(800), "GBP", None, gbp(799)) == (gbp(800), Withheld.ABOVE_CEILING)
    assert asked([], "a", "x", gbp(736), gbp(800), "GBP", None, gbp(800)) == (gbp(800), None)
