"""Any press in any order, in a few examples; `dev.py prove` takes two hundred of them, and ten thousand in the full run."""

from __future__ import annotations

import pytest

from tests.harness.floor import Floor
from tests.harness.state_machine import CounterMachine, play


@pytest.mark.parametrize("seed", range(1))
def test_no_order_of_presses_breaks_an_invariant(quick_floor: Floor, seed: int) -> None:
    counts = play(quick_floor, 25, seed)
    assert counts["steps"] > 500
    assert counts["sales"] > 0


@pytest.mark.parametrize("fault", ["late", "lost_before_commit", "refuse", "rate_limit"])
def test_a_sale_that_nobody_looked_at_for_a_day_is_only_then_asked_about(quick_floor: Floor, fault: str) -> None:
    """Found by seed 3: it was sent late, and the day of asking was counted from the money."""

    class Machine(CounterMachine):
        floor = quick_floor

    machine = Machine()
    machine.morning()
    machine.sell("LON1", "+447700900101", 0, False)
    machine.time_passes(90_000)
    machine.the_carrier_misbehaves(fault, 5)
    machine.time_passes(1)
    machine.work(1)
    machine.teardown()
