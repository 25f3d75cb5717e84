"""Any press in any order, in a few examples; `dev.py prove` takes two hundred of them, and ten thousand in the full run."""

from __future__ import annotations

import pytest

from tests.harness.floor import Floor
from tests.harness.state_machine import play


@pytest.mark.parametrize("seed", range(1))
def test_no_order_of_presses_breaks_an_invariant(quick_floor: Floor, seed: int) -> None:
    counts = play(quick_floor, 25, seed)
    assert counts["steps"] > 500
    assert counts["sales"] > 0
