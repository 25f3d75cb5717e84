"""The price list: catalogues come and go, the owner's own prices stay, open sales keep what they were quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from pos.domain.errors import FloatUsedUp, NotFound
from pos.domain.money import Money
from pos.domain.prices import PriceRule, Withheld
from pos.domain.tills import Desk
from pos.ports import WalletBalance
from pos.services import floats, plans, prices, sales, standings, status
from pos.store import journal as journal_rows
from pos.store import plans as plan_rows
from pos.store.db import reading
from tests.services.shop import SEVEN_DAYS, Shop

CARRIER = "sandbox"
MARGIN = PriceRule(0, None, None, 2500, 0, 50)


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


def plan(shop: Shop, desk: Desk, key: str = SEVEN_DAYS) -> prices.PricePicture:
    wanted = shop.plan_id(key, desk)
    with shop.app.app_context():
        return next(one for one in prices.listed(desk) if one.id == wanted)


def read_again(shop: Shop) -> int:
    with shop.app.app_context():
        return plans.import_catalogue("LON", CARRIER, kit=shop.kit)


def test_a_rule_prices_the_whole_list_at_once_and_its_end_takes_it_back(shop: Shop, desk: Desk) -> None:
    assert (plan(shop, desk).cost, plan(shop, desk).price) == (gbp(736), gbp(800))
    with shop.app.app_context():
        prices.add_rule(MARGIN, desk, kit=shop.kit)
        (rule,) = prices.rules(desk)
    assert plan(shop, desk).price == gbp(950), "9.20 up to whole half pounds"
    assert plan(shop, desk).margin == gbp(214)
    read_again(shop)
    assert plan(shop, desk).price == gbp(950)
    with shop.app.app_context():
        prices.drop_rule(rule.id, desk, kit=shop.kit)
        prices.drop_rule(rule.id, desk, kit=shop.kit)
    assert plan(shop, desk).price == gbp(800)


def test_an_own_price_stays_over_readings_and_rules(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        prices.set_price(plan(shop, desk).id, gbp(777), desk, kit=shop.kit)
        prices.add_rule(MARGIN, desk, kit=shop.kit)
    read_again(shop)
    assert (plan(shop, desk).price, plan(shop, desk).own_price) == (gbp(777), gbp(777))
    with shop.app.app_context():
        prices.set_price(plan(shop, desk).id, None, desk, kit=shop.kit)
    assert (plan(shop, desk).price, plan(shop, desk).own_price) == (gbp(950), None)


def test_a_price_above_the_ceiling_waits_for_the_owner(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        prices.set_ceiling(gbp(799), desk, kit=shop.kit)
        offered = {one.product_key for one in plans.offers(desk, CARRIER, "lyca")}
    assert plan(shop, desk).withheld is Withheld.ABOVE_CEILING
    assert SEVEN_DAYS not in offered
    assert offered, "cheaper ones are sold"
    capped = replace(desk, store=replace(desk.store, price_ceiling_minor=799))
    with shop.app.app_context():
        prices.set_price(plan(shop, desk).id, gbp(800), capped, kit=shop.kit)
        assert SEVEN_DAYS in {one.product_key for one in plans.offers(desk, CARRIER, "lyca")}
        prices.set_ceiling(None, desk, kit=shop.kit)


def test_another_shop_s_price_list_is_not_this_owner_s(shop: Shop, desk: Desk) -> None:
    hong_kong = shop.desk("HKG1", "401")
    with shop.app.app_context(), pytest.raises(NotFound):
        prices.set_price(plan(shop, desk).id, Money(1, "HKD"), hong_kong, kit=shop.kit)


def test_every_change_of_a_price_is_in_the_journal(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        prices.set_price(plan(shop, desk).id, gbp(777), desk, kit=shop.kit)
        prices.add_rule(MARGIN, desk, kit=shop.kit)
        prices.set_ceiling(gbp(10_000), desk, kit=shop.kit)
        with reading() as session:
            kinds = list(
                session.scalars(
                    select(journal_rows.JournalRow.kind).order_by(journal_rows.JournalRow.at, journal_rows.JournalRow.seq)
                )
            )
    assert [kind for kind in kinds if kind.startswith("price.")] == ["price.set", "price.rule_added", "price.ceiling"]


def test_an_open_sale_keeps_its_quoted_price_while_the_list_changes(shop: Shop, desk: Desk) -> None:
    sale = shop.ready(desk)
    with shop.app.app_context():
        prices.set_price(plan(shop, desk).id, gbp(900), desk, kit=shop.kit)
        assert sales.show(sale.sale_id, desk, kit=shop.kit).total == gbp(800)


def test_a_catalogue_is_read_anew_after_hours_and_not_before(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        assert plans.refresh(kit=shop.kit) == 0
    shop.pass_time(plans.REFRESH_EVERY.total_seconds() + 3700)
    with shop.app.app_context():
        assert plans.refresh(kit=shop.kit) == 2, "both stores'"
        assert plans.refresh(kit=shop.kit) == 0


def test_a_carrier_that_does_not_answer_keeps_its_plans_on_sale(shop: Shop, desk: Desk) -> None:
    shop.pass_time(plans.REFRESH_EVERY.total_seconds() + 3700)
    shop.misbehave("html_502", "read", None)
    with shop.app.app_context():
        assert plans.refresh(kit=shop.kit) == 0
        assert plans.offers(desk, CARRIER, "lyca")


# ------------------------------------------------------------------ the float


def ask(shop: Shop) -> floats.FloatPicture:
    with shop.app.app_context():
        status.ask_carriers(kit=shop.kit)
        return next(one for one in floats.listed() if one.available.currency == "GBP")


def test_the_wallet_and_our_own_books_agree_after_sales(shop: Shop, desk: Desk) -> None:
    assert ask(shop).available == gbp(500_000)
    shop.pass_time(60)
    sale = shop.ready(desk)
    shop.take_cash(sale)
    shop.work()
    shop.pass_time(60)
    found = ask(shop)
    assert (found.available, found.unexplained) == (gbp(500_000 - 736), gbp(0))


def test_what_our_books_do_not_know_is_said_until_somebody_explains_it(shop: Shop, desk: Desk) -> None:
    ask(shop)
    shop.pass_time(60)
    shop.sandbox.carrier.books.set_wallet("GBP", 600_000)
    found = ask(shop)
    assert found.unexplained == gbp(100_000)
    with shop.app.app_context():
        floats.explain(CARRIER, "GBP", gbp(1), "a stale page", desk, kit=shop.kit)
        assert ask(shop).unexplained == gbp(100_000)
        floats.explain(CARRIER, "GBP", gbp(100_000), "top-up by bank", desk, kit=shop.kit)
    assert ask(shop).unexplained == gbp(0)
    shop.pass_time(60)
    shop.sandbox.carrier.books.set_wallet("GBP", 599_000)
    assert ask(shop).unexplained == gbp(-1_000)


def test_a_float_below_its_low_water_warns_every_till_and_stops_nobody(shop: Shop, desk: Desk) -> None:
    ask(shop)
    with shop.app.app_context():
        floats.set_low_water(CARRIER, "GBP", gbp(500_001), desk, kit=shop.kit)
        assert [(alarm.kind, alarm.carrier) for alarm in standings.alarms_now(kit=shop.kit)] == [("low", CARRIER)]
    shop.take_cash(shop.ready(desk))
    shop.work()
    with shop.app.app_context():
        floats.set_low_water(CARRIER, "GBP", gbp(100), desk, kit=shop.kit)
        assert standings.alarms_now(kit=shop.kit) == ()
        with pytest.raises(NotFound):
            floats.set_low_water("nobody", "GBP", gbp(100), desk, kit=shop.kit)


def test_no_money_is_taken_for_what_the_float_does_not_pay(shop: Shop, desk: Desk) -> None:
    sale = shop.ready(desk)
    shop.sandbox.carrier.books.set_wallet("GBP", 735)
    ask(shop)
    with pytest.raises(FloatUsedUp):
        shop.take_cash(sale)
    with pytest.raises(FloatUsedUp):
        shop.ready(desk, "+447700900124")
    shop.pass_time(60)
    shop.sandbox.carrier.books.set_wallet("GBP", 5_000)
    ask(shop)
    shop.take_cash(sale)


def test_readings_that_say_nothing_new_are_rarely_written(shop: Shop, desk: Desk) -> None:
    first = ask(shop).read_at
    shop.pass_time(60)
    assert ask(shop).read_at == first
    shop.pass_time(600)
    assert ask(shop).read_at > first


def test_an_older_reading_changes_nothing(shop: Shop, desk: Desk) -> None:
    ask(shop)
    shop.clock.pass_time(seconds=-60)
    with shop.app.app_context():
        floats.note_reading(CARRIER, [WalletBalance(gbp(1), shop.clock.now())], kit=shop.kit)
    shop.clock.pass_time(seconds=60)
    assert ask(shop).available == gbp(500_000)


def test_a_withheld_plan_cannot_be_chosen_by_its_number(shop: Shop, desk: Desk) -> None:
    from pos.domain.errors import PlanRetired

    sale = shop.ready(desk)
    with shop.app.app_context():
        prices.set_ceiling(gbp(1), desk, kit=shop.kit)
        with pytest.raises(PlanRetired):
            sales.choose_plan(sale.sale_id, shop.plan_id(SEVEN_DAYS, desk), desk, kit=shop.kit)
        with reading() as session:
            assert session.get_one(plan_rows.Plan, shop.plan_id(SEVEN_DAYS, desk)).withheld is Withheld.ABOVE_CEILING
        prices.set_ceiling(None, desk, kit=shop.kit)
