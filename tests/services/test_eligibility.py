"""Whether a SIM can be renewed is told before any money; what nothing confirms is typed twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pos.domain.eligibility import Standing, standing
from pos.domain.errors import (
    BadInput,
    PlanOfOtherOperator,
    SimBarred,
    SimGivenUp,
    SimSuspended,
    TypedDifferently,
    TypeItAgain,
)
from pos.domain.numbers import issuer_country
from pos.ports import Subscription, SubscriptionState
from pos.services import numbers, sales
from tests.services.shop import Shop

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "grace", "says"),
    [
        ("active", None, Standing.RENEWS),
        ("expired", NOW, Standing.WAKES_UP),
        ("expired", NOW - timedelta(seconds=1), Standing.GIVEN_UP),
        ("expired", None, Standing.MAY_BE_REFUSED),
        ("suspended", NOW, Standing.SUSPENDED),
        ("barred", NOW, Standing.BARRED),
        ("unavailable", None, Standing.NOT_TOLD),
    ],
)
def test_what_a_state_means(state: str, grace: datetime | None, says: Standing) -> None:
    assert standing(state, grace, NOW) is says


@pytest.mark.parametrize(
    ("number", "refusal"),
    [("+447700900541", SimGivenUp), ("+447700900542", SimSuspended), ("+447700900543", SimBarred)],
)
def test_a_sim_that_cannot_be_renewed_is_refused_before_money(shop: Shop, number: str, refusal: type[BadInput]) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    with shop.app.app_context(), pytest.raises(refusal) as told:
        numbers.ask_about(str(uuid4()), number, "phone", desk, "en", kit=shop.kit)
    assert "Take no money" in str(told.value)
    assert shop.ask("select count(*) from sales") == [(0,)]


def test_one_of_a_family_is_refused_alone(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    with shop.app.app_context():
        with pytest.raises(SimBarred):
            numbers.ask_about_another(ready.sale_id, str(uuid4()), "+447700900543", "phone", desk, kit=shop.kit)
        assert len(sales.show(ready.sale_id, desk, kit=shop.kit).numbers) == 1


def test_an_ended_plan_says_until_when_it_wakes_up(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk, "+447700900540")
    with shop.app.app_context():
        (number,) = sales.show(ready.sale_id, desk, kit=shop.kit).numbers
    assert number.standing(shop.clock.now()) is Standing.WAKES_UP
    assert number.grace_ends_at is not None and number.grace_ends_at > shop.clock.now()
    shop.take_cash(ready)
    shop.work()


def test_a_plan_of_another_operator_says_whose_number_it_is(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    with shop.app.app_context():
        sale_id = str(uuid4())
        numbers.ask_about(sale_id, "+447700900123", "phone", desk, "en", kit=shop.kit)
        key = shop.ask("select product_key from plans where operator = 'leb' and store_id = 1 limit 1")[0][0]
        with pytest.raises(PlanOfOtherOperator, match="This number is with Lyca"):
            sales.choose_plan(sale_id, shop.plan_id(key, desk), desk, kit=shop.kit)


def test_a_number_that_nothing_confirms_is_typed_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    silent = Subscription(SubscriptionState.UNAVAILABLE)
    monkeypatch.setattr(numbers, "who_has", lambda number, kit, desk: ("sandbox", silent))
    with shop.app.app_context():

        def ask(again: str | None) -> bool:
            return numbers.ask_about(str(uuid4()), "+447700900123", "phone", desk, "en", kit=shop.kit, again=again)

        with pytest.raises(TypeItAgain):
            ask("")
        with pytest.raises(TypedDifferently):
            ask("+447700900132")
        assert ask("+447700900123") and ask(None)


@pytest.mark.parametrize(
    ("digits", "country"),
    [
        ("8944123456789012348", "GB"), ("8985200000000000000", "HK"), ("8986000000000000000", "CN"), ("8988600000000000000", "TW"),
        ("8985300000000000000", "MO"), ("8901260000000000000", "US"), ("8988300000000000000", None), ("8910000000000000000", "US"),
    ],
)  # fmt: skip
def test_the_country_of_a_sim(digits: str, country: str | None) -> None:
    """ITU-T E.118: 89, the country's own code, the issuer."""
    assert issuer_country(digits) == country
