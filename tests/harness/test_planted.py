"""Each planted fault is caught by at least two tests. By itself a run plants a sixth of the list, the next sixth on the next day;
`dev.py prove --only planted` plants them all, which takes several minutes."""

from __future__ import annotations

import pytest

from tests.day import day
from tests.harness.faults_to_plant import PLANTS, Plant
from tests.harness.planted import caught_by

TODAY = PLANTS[day().toordinal() % 6 :: 6]


@pytest.mark.parametrize("plant", TODAY, ids=lambda plant: plant.name)
def test_a_planted_fault_is_noticed_twice(plant: Plant) -> None:
    assert len(caught_by(plant)) >= 2


def test_there_are_at_least_twenty_of_them_and_no_two_alike() -> None:
    assert len({plant.name for plant in PLANTS}) == len(PLANTS) >= 20
    assert len({(plant.file, plant.old, plant.new) for plant in PLANTS}) == len(PLANTS)
