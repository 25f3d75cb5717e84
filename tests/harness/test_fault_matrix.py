"""Each carrier behaviour of section 7 against each kind of carrier, with one seed; the full run takes fifty."""

from __future__ import annotations

import re

import pytest

from tests.harness.fault_matrix import CASES, NOT_YET, Case, play
from tests.harness.fault_round import Profile, Wrong
from tests.harness.floor import Floor

SEED = 20_261_121


def _every() -> list[object]:
    found: list[object] = []
    for case in CASES:
        # Strict: a case that has come to end right must leave the list.
        marks = [pytest.mark.xfail(reason=NOT_YET[case.play], raises=Wrong, strict=True)] if case.play in NOT_YET else []
        found += [pytest.param(case, profile, id=f"{case.name}-{profile.name}", marks=marks) for profile in case.profiles]
    return found


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("case", "profile"), _every())
def test_it_ends_as_the_protocol_says(wired_floor: Floor, case: Case, profile: Profile) -> None:
    play(case, profile, SEED, wired_floor)


def test_no_behaviour_of_section_7_is_missing() -> None:
    assert {int(re.sub(r"\D", "", case.fault)) for case in CASES} == set(range(1, 25))


def test_what_is_not_reached_yet_is_a_case_of_the_table() -> None:
    assert set(NOT_YET) <= {case.play for case in CASES}
