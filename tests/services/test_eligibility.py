"""Whether a SIM can be renewed is told before any money; what nothing confirms is typed twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import uuid4

import pytest

from pos.domain.eligibility import Standing, standing
from pos.domain.errors import (
    BadInput,
    NumberDisputed,
    PlanOfOtherOperator,
    SimBarred,
    SimGivenUp,
    SimSuspended,
    TypedDifferently,
    TypeItAgain,
)
from pos.domain.numbers import issuer_country
from pos.domain.portability import Source
from pos.ports import Capability, Declaration, OperatorCandidate, Subscription, SubscriptionState
from pos.services import numbers, sales
from tests.counter import Counter
from tests.services.seller import Seller
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
    monkeypatch.setattr(numbers, "whose", lambda number, kit, desk, chosen: ("sandbox", silent, ()))
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


# ------------------------------------------------------------------ several operators are named for one number


class Directory(Seller):
    """A reseller that says of every number that it is of another operator; ``sure`` or guessing."""

    said, sure = "Lebara UK", True

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        return [OperatorCandidate("leb-gb", self.said, "GB", confident=self.sure)]


class OldBooks(Seller):
    """A carrier that has not struck off who moved away."""

    def declaration(self) -> Declaration:
        return replace(super().declaration(), capabilities=frozenset({Capability.SUBSCRIPTION, Capability.FIND_BY_REF}))

    def get_subscription(self, number: str) -> Subscription:
        return Subscription(SubscriptionState.EXPIRED, operator="old-gb", operator_name="Old Mobile")


@pytest.fixture
def directory(shop: Shop) -> Directory:
    return beside(shop, Directory(name="directory"))


Carrier = TypeVar("Carrier", bound=Seller)


def beside(shop: Shop, carrier: Carrier) -> Carrier:
    """Before the shop's own carrier in the order of the configuration."""
    carriers = {carrier.name: carrier, **shop.kit.carriers}
    shop.kit.carriers.clear()  # type: ignore[attr-defined]
    shop.kit.carriers.update(carriers)  # type: ignore[attr-defined]
    return carrier


NUMBER = "+447700900123"


def ask(shop: Shop, number: str = NUMBER, chosen: str | None = None) -> bool:
    with shop.app.app_context():
        return numbers.ask_about(str(uuid4()), number, "phone", shop.desk(), "en", kit=shop.kit, chosen=chosen)


def test_nobody_takes_money_before_it_is_clear_whose_number_it_is(shop: Shop, directory: Directory) -> None:
    shop.open_shift(shop.desk())
    with pytest.raises(NumberDisputed, match="Take no money yet") as told:
        ask(shop)
    said = [(claim.carrier, claim.source) for claim in told.value.claims]
    assert said == [("sandbox", Source.RUNNING), ("directory", Source.DIRECTORY)]
    assert NUMBER not in str(told.value)
    with pytest.raises(NumberDisputed):
        ask(shop, chosen="nobody")
    assert shop.ask("select count(*) from sales") == [(0,)]
    assert ask(shop, chosen="directory")
    assert shop.ask("select carrier, operator from number_checks") == [("directory", "leb-gb")]
    ((content,),) = shop.ask("select content from journal where kind = 'number.disputed'")
    assert '"directory"' in content and '"running"' in content and "900123" not in content


def test_a_guess_and_one_operator_by_two_names_stop_nobody(shop: Shop, directory: Directory) -> None:
    shop.open_shift(shop.desk())
    directory.sure = False
    assert ask(shop)
    directory.sure, directory.said = True, "Lycamobile UK"
    assert ask(shop, "+447700900124")
    assert shop.ask("select distinct carrier from number_checks") == [("sandbox",)]
    assert shop.ask("select count(*) from journal where kind = 'number.disputed'") == [(0,)]


def test_a_plan_that_runs_is_nearer_than_one_that_ended(shop: Shop) -> None:
    """Two carriers have the SIM on their own books: it moved, and the old one comes first in the configuration."""
    beside(shop, OldBooks(name="old"))
    shop.open_shift(shop.desk())
    with pytest.raises(NumberDisputed) as told:
        ask(shop)
    assert [(claim.carrier, claim.source) for claim in told.value.claims] == [("sandbox", Source.RUNNING), ("old", Source.BOOKS)]
    with shop.app.app_context():
        assert numbers.who_has(NUMBER, shop.kit, shop.desk())[0] == "sandbox"


def test_the_clerk_chooses_on_the_page(counter: Counter, directory: Directory) -> None:
    counter.open_shift().number()
    said = counter.page.plain
    assert counter.page.status == 409 and counter.page.text.count('name="carrier"') == 2
    assert said.index("sandbox has it on its own books, and a plan runs on it. Nearest") < said.index(
        "directory, which may be days"
    )
    counter.post(f"/sales/{counter.sale_id}/number", {"entry": "07700 900123", "carrier": "sandbox"})
    assert "Check the document" in counter.page.plain
    counter.document().plan()
    counter.get(f"/sales/{counter.sale_id}/another")
    path = f"/sales/{counter.sale_id}/numbers/{uuid4()}"
    counter.post(path, {"entry": "07700 900124"})
    assert counter.page.status == 409 and counter.page.text.count('name="carrier"') == 2
    counter.post(path, {"entry": "07700 900124", "carrier": "sandbox"})
    assert "Choose a plan" in counter.page.plain
