"""PINs that somebody gave, own ones, and what a whole day of wrong ones does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from pos.app import DEMO_PINS
from pos.domain.errors import ApproverRefused, CounterError, OldPinRefused, PinAsBefore, PinsDiffer, PinTooWeak, SignInRefused
from pos.domain.permissions import Permission
from pos.domain.staff import new_pin, refuse_weak_pin
from pos.services import staff
from pos.store.db import reading, transaction
from pos.store.journal import JournalRow
from pos.store.staff import by_number
from tests.services.shop import Shop

pytestmark = pytest.mark.engines("sqlite")
PIN = DEMO_PINS["101"]
OWN = "402917"


def sign_in(shop: Shop, number: str = "101", pin: str = PIN, till: str = "LON1") -> str:
    desk = shop.desk(till, number)
    with shop.app.app_context():
        return staff.sign_in(desk.store, desk.till, number, pin, kit=shop.kit)


def lives(shop: Shop, stay_id: str, till: str = "LON1") -> bool:
    desk = shop.desk(till)
    with shop.app.app_context():
        return staff.who(stay_id, desk.store, desk.till, kit=shop.kit) is not None


def give(shop: Shop, number: str = "101", **life: float) -> None:
    """As a manager does it: the same PIN, but somebody else knows it."""
    with shop.app.app_context(), transaction() as session:
        person = by_number(session, number)
        assert person is not None
        person.pin_given_until = shop.clock.now() + timedelta(**life)


def kinds(shop: Shop) -> list[str]:
    with shop.app.app_context(), reading() as session:
        return list(session.scalars(select(JournalRow.kind).order_by(JournalRow.at, JournalRow.chain, JournalRow.seq)))


def test_an_own_pin_ends_every_other_stay_and_the_old_pin(shop: Shop) -> None:
    elsewhere, here = sign_in(shop, till="LON2"), sign_in(shop)
    with shop.app.app_context():
        stay = staff.choose_pin(PIN, OWN, OWN, shop.desk(), kit=shop.kit)
    assert [lives(shop, elsewhere, "LON2"), lives(shop, here), lives(shop, stay)] == [False, False, True]
    assert kinds(shop).count("staff.own_pin") == 1
    with pytest.raises(SignInRefused):
        sign_in(shop)
    assert lives(shop, sign_in(shop, pin=OWN))


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ((PIN, "123456", "123456"), PinTooWeak),
        ((PIN, OWN, "402918"), PinsDiffer),
        ((PIN, PIN, PIN), PinAsBefore),
        (("000000", OWN, OWN), OldPinRefused),
    ],
)
def test_an_own_pin_that_is_refused_changes_nothing(shop: Shop, typed: tuple[str, str, str], refusal: type[CounterError]) -> None:
    stay = sign_in(shop)
    with shop.app.app_context(), pytest.raises(refusal):
        staff.choose_pin(*typed, shop.desk(), kit=shop.kit)
    assert lives(shop, stay)
    assert lives(shop, sign_in(shop))


def test_a_wrong_old_pin_counts_as_at_the_sign_in(shop: Shop) -> None:
    stay = sign_in(shop)
    with shop.app.app_context():
        for _ in range(5):
            with pytest.raises(OldPinRefused):
                staff.choose_pin("000000", OWN, OWN, shop.desk(), kit=shop.kit)
        with pytest.raises(OldPinRefused):
            staff.choose_pin(PIN, OWN, OWN, shop.desk(), kit=shop.kit)
    assert lives(shop, stay), "a stay that lives goes on"
    with pytest.raises(SignInRefused):
        sign_in(shop, till="LON2")


def test_with_a_given_pin_nobody_agrees_to_anything(shop: Shop) -> None:
    desk = shop.desk()
    with shop.app.app_context():
        assert staff.prove("201", DEMO_PINS["201"], Permission.NO_SALE, desk, kit=shop.kit).number == "201"
    give(shop, "201", hours=1)
    with shop.app.app_context(), pytest.raises(ApproverRefused):
        staff.prove("201", DEMO_PINS["201"], Permission.NO_SALE, desk, kit=shop.kit)


def test_a_given_pin_ends_after_its_day(shop: Shop) -> None:
    give(shop, hours=24)
    shop.pass_time(23 * 3600)
    assert lives(shop, sign_in(shop))
    shop.pass_time(2 * 3600)
    with pytest.raises(SignInRefused):
        sign_in(shop)


def test_twenty_wrong_in_a_day_wait_for_a_manager(shop: Shop) -> None:
    for _ in range(4):
        for _ in range(5):
            with pytest.raises(SignInRefused):
                sign_in(shop, pin="000000")
        shop.pass_time(901)
    assert kinds(shop).count("staff.locked") == 1
    for hours in (1, 12, 48):
        shop.pass_time(hours * 3600)
        with pytest.raises(SignInRefused):
            sign_in(shop)
        assert lives(shop, sign_in(shop, "102", DEMO_PINS["102"], "LON2"), "LON2"), "nobody else waits with him"


def test_tries_while_locked_keep_nobody_locked_for_longer(shop: Shop) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in(shop, pin="000000")
    for _ in range(14):
        shop.pass_time(60)
        with pytest.raises(SignInRefused):
            sign_in(shop)
    shop.pass_time(61)
    assert lives(shop, sign_in(shop))


def test_a_new_pin_is_never_a_weak_one() -> None:
    for _ in range(300):
        refuse_weak_pin(new_pin())
