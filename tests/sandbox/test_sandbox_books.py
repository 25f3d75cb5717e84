"""The books by themselves: they add up, they survive, and the same number always tells the same story."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pos.sandbox.books import Books
from pos.sandbox.catalogue import LINES, OFFERINGS
from pos.sandbox.clock import Clock, parse_moment
from pos.sandbox.numbers import line_of
from pos.sandbox.records import FAILED, OPENING_WALLETS, Fate
from pos.sandbox.refusals import Refusal

NUMBER = "+447700900123"
PLAN = "lyca-data-gb-30d-10g"


def add_up(books: Books) -> None:
    """Wallets are the opening amount less debits plus reversals; a debit belongs to one order."""
    expected = dict(OPENING_WALLETS)
    for movement in books.movements():
        expected[movement.currency] += movement.amount_minor * (1 if movement.state == "reversed" else -1)
    assert books.wallets() == expected
    paid = [m.order_id for m in books.debits()]
    assert len(set(paid)) == len(paid)
    assert {o.id for o in books.orders() if o.state in ("completed", "cancelled")} == set(paid)


@pytest.mark.parametrize("seed", range(3))
def test_the_books_add_up_whatever_happens(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    path = tmp_path / "books.json"
    books = Books(Clock(), path)
    fates = (Fate(), Fate(wait_seconds=30), Fate(wait_seconds=30, will=FAILED), Fate(reverse_after_seconds=60))
    plans = list(OFFERINGS)
    for turn in range(150):
        number = f"+447700900{dice.randrange(1000):03d}"
        try:
            if dice.random() < 0.2:
                books.top_up(f"R-{dice.randrange(200)}", number, dice.randrange(1, 3000), "GBP", dice.choice(fates))
            else:
                books.renew(f"R-{dice.randrange(200)}", number, dice.choice(plans), dice.choice(fates), action="add")
        except Refusal:
            pass
        if dice.random() < 0.1:
            books.move_clock(dice.randrange(100))
        if turn % 50 == 49:
            add_up(books)
            again = Books(Clock(), path)
            assert (again.orders(), again.movements(), again.wallets()) == (
                books.orders(), books.movements(), books.wallets(),
            )  # fmt: skip
            assert again.touched_subscribers() == books.touched_subscribers()
            books = again


def test_a_closed_book_knows_its_references_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "books.json"
    books = Books(Clock(), path)
    books.renew("R-1", NUMBER, PLAN, Fate(wait_seconds=3600), action="add")
    books.move_clock(1800)
    again = Books(Clock(), path)
    with pytest.raises(Refusal, match="DUPLICATE"):
        again.renew("R-1", NUMBER, PLAN, Fate(), action="add")
    assert again.debits() == []
    again.move_clock(1801)
    [debit] = again.debits()
    assert debit.at == again.orders()[0].created_at + timedelta(seconds=3600)
    assert [m.at for m in Books(Clock(), path).debits()] == [debit.at]


def test_a_file_that_is_not_ours_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "books.json"
    path.write_text('{"shop": 1}', encoding="utf-8")
    with pytest.raises(KeyError):
        Books(Clock(), path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"shop": 1}


def test_many_threads_add_up() -> None:
    books = Books(Clock())

    def sell(turn: int) -> None:
        books.renew(f"R-{turn}", f"+447700900{turn:03d}", PLAN, Fate(), action="add")

    with ThreadPoolExecutor(8) as tills:
        list(tills.map(sell, range(200)))
    add_up(books)
    assert len(books.debits()) == 200


def test_nobody_can_change_the_books_by_what_they_were_given() -> None:
    books = Books(Clock())
    order = books.renew("R-1", NUMBER, PLAN, Fate(), action="add")
    order.state = "failed"
    who = books.subscriber(NUMBER)
    assert who is not None
    who.expires_at = who.starts_at
    assert books.orders()[0].state == "completed"
    assert books.subscriber(NUMBER) != who


def test_every_line_of_the_product_has_plans_in_both_currencies() -> None:
    for line in LINES:
        for currency in ("GBP", "HKD"):
            plans = [o for o in OFFERINGS.values() if (o.line, o.currency) == (line, currency) and o.sellable]
            assert 4 <= len(plans) <= 7, (line, currency)
    for plan in OFFERINGS.values():
        assert 0 < plan.cost_minor < plan.face_minor and plan.valid_days > 0
        assert plan.name and plan.name_hans and plan.name_hant and plan.description


@pytest.mark.parametrize(
    ("number", "operator", "market"),
    [
        ("+447700900000", "lyca", "GB"),
        ("+447700900599", "lyca", "GB"),
        ("+447700900600", "leb", "GB"),
        ("+447700900999", "leb", "GB"),
        ("+85255500000", "lyca", "HK"),
        ("+85255509999", "lyca", "HK"),
        ("+85255600000", "leb", "HK"),
        ("+447700901000", None, None),
        ("+85255510000", None, None),
        ("447700900000", None, None),
        ("8944100077009001230", None, None),
        ("", None, None),
        ("89" + "0" * 400, None, None),
    ],
)
def test_whose_number_it_is(number: str, operator: str | None, market: str | None) -> None:
    line = line_of(number)
    assert (line and line.operator, line and line.market) == (operator, market)
    if line:
        assert len(line.iccid) == 19 and line_of(line.iccid) == line


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        parse_moment("2026-01-31T00:00:00")
