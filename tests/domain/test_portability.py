"""Who says whose SIM a number is, and which of them is nearer to the truth."""

from __future__ import annotations

import pytest

from pos.domain.portability import Claim, Source, disputed, same_operator

LYCA, LEB = Claim("own", "Lyca", Source.RUNNING), Claim("other", "LEB", Source.BOOKS)
LOOKED_UP = Claim("reseller", "Lebara UK", Source.DIRECTORY)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Lyca", "Lycamobile UK", True),
        ("LEB", "Lebara Spain", True),
        ("Lyca PIN UK", "lyca mobile", True),
        ("The Phone", "Phone", True),
        ("Lyca", "LEB", False),
        ("Vodafone UK", "O2 UK", False),
        ("Mobile", "Mobile", False),  # no name at all says nothing
        ("", "", False),
    ],
)
def test_one_operator_by_several_names(one: str, other: str, same: bool) -> None:
    assert same_operator(one, other) is same and same_operator(other, one) is same


def test_those_who_agree_dispute_nothing() -> None:
    assert disputed([]) == disputed([LYCA]) == ()
    assert disputed([LYCA, Claim("reseller", "Lycamobile UK", Source.DIRECTORY)]) == ()
    assert disputed([LOOKED_UP, LEB]) == (), "LEB and Lebara are one"


def test_the_nearest_to_the_truth_comes_first() -> None:
    assert disputed([LOOKED_UP, LEB, LYCA]) == (LYCA, LEB, LOOKED_UP)
