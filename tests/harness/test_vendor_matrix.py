"""The matrix at the resellers: each case with one seed, at one of the vendors that can have it, another one on the next day. The
full run takes every vendor and many seeds."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pos.carriers import PROTOCOLS
from tests.day import day
from tests.harness import fault_matrix
from tests.harness.vendor_floor import STALLS, VendorFloor, VendorProfile, open_vendor_floor
from tests.harness.vendor_matrix import CANNOT, CASES, EVERYBODY, OWN, PROFILES, Case, play

SEED = 20_261_121


def _slice() -> list[object]:
    found: list[object] = []
    for case in CASES:
        turn = zlib.crc32(case.name.encode()) + day().toordinal()
        profile = case.profiles[turn % len(case.profiles)]
        found.append(pytest.param(case, profile, id=f"{case.name}-{profile.name}"))
    return found


@pytest.fixture(scope="module")
def vendor_floor(tmp_path_factory: pytest.TempPathFactory, furnished_floor: Path) -> Iterator[VendorFloor]:
    folder = tmp_path_factory.mktemp("vendors")
    with open_vendor_floor(folder, furnished_floor, sockets=True, settings=fault_matrix.SETTINGS) as floor:
        yield floor


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("case", "profile"), _slice())
def test_it_ends_as_the_protocol_says(vendor_floor: VendorFloor, case: Case, profile: VendorProfile) -> None:
    play(case, profile, SEED, vendor_floor)


def test_every_reseller_has_a_stall() -> None:
    assert set(STALLS) == set(PROTOCOLS) - {"tmforum"}
    assert {profile.protocol for profile in EVERYBODY} == set(STALLS)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_no_behaviour_is_left_out_without_a_reason(profile: VendorProfile) -> None:
    """F1 to F24: played with this vendor, or named among what it cannot have."""
    played = {case.fault for case in CASES if profile in case.profiles}
    named = {case.fault for case in fault_matrix.CASES if case.play in CANNOT[profile.name]}
    numbered = {int(re.sub(r"\D", "", fault)) for fault in played | named if fault.startswith("F")}
    # F3 needs an order that is sent again, which only DT One is.
    assert numbered == set(range(1, 25)) - (set() if profile.resends else {3})


def test_what_is_impossible_is_a_case_of_the_matrix() -> None:
    known = {case.play for case in fault_matrix.CASES}
    assert all(set(reasons) <= known for reasons in CANNOT.values())
    assert {case.fault for case in OWN} == {"F3", "F17", "F21", "hold", "twins", "killed"}
