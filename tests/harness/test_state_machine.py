"""Any press in any order, in two hundred examples; the full run takes ten thousand."""

from __future__ import annotations

import pytest

from tests.harness.floor import Floor
from tests.harness.state_machine import play


@pytest.mark.parametrize("seed", range(4))
def test_no_order_of_presses_breaks_an_invariant(quick_floor: Floor, seed: int) -> None:
    counts = play(quick_floor, 50, seed)
    assert counts["steps"] > 1000
    assert counts["sales"] > 0
