"""Thousands of guesses at PINs, over people and tills, side by side and across a restart; and what goes on meanwhile."""

from __future__ import annotations

import os
from collections import Counter as Tally
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from pos.app import DEMO_PINS, create_app
from pos.domain.errors import ApproverRefused, SignInRefused
from pos.domain.permissions import Permission
from pos.domain.staff import WRONG_PER_STAFF, WRONG_PER_TILL
from pos.services import staff
from pos.store.db import reading, transaction
from pos.store.staff import Staff, WrongTry
from tests.conftest import _release, settings_in
from tests.services.shop import Shop
from tests.services.test_staff import lives, sign_in

pytestmark = pytest.mark.engines("sqlite")

# Ten thousand take some minutes: POS_PIN_GUESSES=10000.
GUESSES = int(os.environ.get("POS_PIN_GUESSES", "600"))
HANDS = 4
TARGETS = [(till, number) for till in ("LON1", "LON2") for number in ("101", "102", "201", "801", "999")]
TARGETS += [("HKG1", number) for number in ("302", "401", "101")]


@pytest.fixture(autouse=True)
def quick_hashes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same Argon2id with the least work: what is tried here is the locks, and a guess costs 20 ms in life."""
    monkeypatch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with shop.app.app_context():
        hashes = {number: staff.hash_pin(pin, shop.kit.keys) for number, pin in DEMO_PINS.items()}
        with transaction() as session:
            for person in session.scalars(select(Staff)):
                person.pin_hash = hashes[person.number]
    yield


def guess(shop: Shop, till: str, number: str, pin: str) -> bool:
    """Whether the guess opened the till."""
    desk = shop.desk(till)
    with shop.app.app_context():
        try:
            staff.sign_in(desk.store, desk.till, number, pin, kit=shop.kit)
        except SignInRefused:
            return False
        return True


def attack(shop: Shop, pins: Iterator[str], guesses: int) -> int:
    """How many of so many guesses opened a till, by several hands at once."""
    tries = [(till, number, pin) for (till, number), pin in zip(islice(cycle(TARGETS), guesses), pins, strict=False)]
    with ThreadPoolExecutor(HANDS) as pool:
        return sum(pool.map(lambda tried: guess(shop, *tried), tries))


def compared(shop: Shop) -> tuple[int, int]:
    """How many tries were let through at most for one person, and at one till."""
    with shop.app.app_context(), reading() as session:
        tries = list(session.scalars(select(WrongTry)))
        people = Tally(row.staff_id for row in tries if row.staff_id is not None)
        return max(people.values(), default=0), max(Tally(row.till_id for row in tries).values(), default=0)


def test_thousands_of_guesses_learn_next_to_nothing(shop: Shop, folder: Path) -> None:
    selling = sign_in(shop, "102", DEMO_PINS["102"], "LON2")
    assert attack(shop, (f"{number:06}" for number in range(500_000, 500_000 + GUESSES)), GUESSES) == 0
    per_person, per_till = compared(shop)
    assert per_person <= WRONG_PER_STAFF and per_till <= WRONG_PER_TILL

    # Now the right PINs: refused like the wrong ones, also by a program that was started anew.
    right = {(till, number): DEMO_PINS.get(number, "000000") for till, number in TARGETS}
    assert attack(shop, (right[target] for target in cycle(TARGETS)), len(TARGETS) * 3) == 0
    again = create_app(settings_in(folder), clock=shop.clock, given={})
    desk = shop.desk()
    with again.app_context():
        for number in ("101", "201", "801"):
            with pytest.raises(SignInRefused):
                staff.sign_in(desk.store, desk.till, number, DEMO_PINS[number], kit=again.extensions["simcounter"])
        _release(again)

    # Whoever was signed in sells on.
    assert lives(shop, selling, "LON2")
    clerk = shop.desk("LON2", "102")
    shop.open_shift(clerk)
    assert shop.ready(clerk).sale_id
    shop.pass_time(15 * 60 + 1)
    assert guess(shop, "LON1", "101", DEMO_PINS["101"]), "a quarter of an hour later the right PIN opens again"


def test_guesses_beside_the_clerk_count_like_guesses_at_the_sign_in(shop: Shop) -> None:
    desk = shop.desk()
    with shop.app.app_context():
        for pin in ("500000", "500001", "500002"):
            with pytest.raises(ApproverRefused):
                staff.prove("201", pin, Permission.NO_SALE, desk, kit=shop.kit)
    assert not guess(shop, "LON2", "201", "500003") and not guess(shop, "LON2", "201", "500004")
    with shop.app.app_context(), pytest.raises(ApproverRefused):
        staff.prove("201", DEMO_PINS["201"], Permission.NO_SALE, desk, kit=shop.kit)
    assert not guess(shop, "LON2", "201", DEMO_PINS["201"])


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (
            "CREATE TRIGGER no_tries BEFORE INSERT ON wrong_tries BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER no_tries",
        ),
        ("ALTER TABLE wrong_tries RENAME TO away", "ALTER TABLE away RENAME TO wrong_tries"),
    ],
)
def test_without_counters_nobody_signs_in_and_whoever_is_signed_in_sells(shop: Shop, broken: str, mended: str) -> None:
    stay, clerk = sign_in(shop), shop.desk()
    with shop.app.app_context(), transaction() as session:
        session.execute(text(broken))
    for pin in (DEMO_PINS["102"], "500000"):
        with pytest.raises(DBAPIError):
            sign_in(shop, "102", pin, "LON2")
    with shop.app.app_context(), pytest.raises(DBAPIError):
        staff.prove("201", DEMO_PINS["201"], Permission.NO_SALE, clerk, kit=shop.kit)
    assert lives(shop, stay)
    shop.open_shift(clerk)
    assert shop.ready(clerk).sale_id
    with shop.app.app_context(), transaction() as session:
        session.execute(text(mended))
    assert lives(shop, sign_in(shop, "102", DEMO_PINS["102"], "LON2"), "LON2")
