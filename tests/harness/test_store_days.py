"""A few short days of a store; the full run lives through a thousand of four hundred visits each."""

from __future__ import annotations

import pytest

from tests.harness.floor import Floor
from tests.harness.store_days import live


@pytest.mark.parametrize(("seed", "days", "visits"), [(1, 2, 40), (2, 1, 80), (3, 1, 80), (4, 1, 80)])
def test_every_evening_the_books_are_what_the_notepad_says(quick_floor: Floor, seed: int, days: int, visits: int) -> None:
    store = live(quick_floor, days, seed, visits)
    assert store.counts["visits"] == days * visits


def test_the_same_seed_is_the_same_day(quick_floor: Floor) -> None:
    """Without it no failure could be replayed."""

    def a_day() -> tuple[object, ...]:
        store = live(quick_floor, 1, 5, 25)
        told = quick_floor.ask("select kind, object_id, content from journal order by chain, seq")
        return store.step, dict(store.counts), dict(store.told), [row[:2] for row in told]

    first = a_day()
    assert a_day() == first
