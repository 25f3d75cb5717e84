"""Each crash point by itself, so that the workers of a test run share them; `dev.py prove` does the same at any size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import NoPostgresql
from tests.harness import points
from tests.harness.crash_points import MUST_BE, prove
from tests.harness.furnish import Furnished, furnished_on
from tests.harness.result import Result

pytestmark = pytest.mark.process

SEED = 20261121
# Of the eight that the protocol wishes for at each commit: with eight this file alone would take a quarter of an hour on two
# processors. `dev.py prove` does all eight.
ROUNDS = 1


@pytest.mark.sampled(2)
@pytest.mark.parametrize("point", points.TRIED)
def test_the_plug_is_pulled_at(point: str, furnished: Path, tmp_path: Path) -> None:
    result = Result("crash_points", MUST_BE, SEED, ROUNDS)
    prove(result, (point,), range(ROUNDS), SEED, Furnished(furnished), tmp_path)
    assert not result.failures, "\n".join(result.failures)
    assert result.counts["kills"] >= ROUNDS or point == "C17", "the plug was not pulled each time"


@pytest.mark.parametrize("pair", [("C7", "C10"), ("C12", "C14"), ("C20", "C21")])
def test_the_plug_is_pulled_again_during_the_recovery(pair: tuple[str, str], furnished: Path, tmp_path: Path) -> None:
    result = Result("crash_points", MUST_BE, SEED, 2)
    prove(result, pair, range(1), SEED, Furnished(furnished), tmp_path)
    assert not result.failures, "\n".join(result.failures)
    assert result.counts["kills"] >= 2


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Furnished]:
    try:
        with furnished_on("postgresql") as made:
            yield made
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("point", ["C6", "C13", "C16"])
def test_the_plug_is_pulled_beside_postgresql(point: str, elsewhere: Furnished, tmp_path: Path) -> None:
    result = Result("crash_points", MUST_BE, SEED, 2)
    prove(result, (point,), range(1), SEED, elsewhere, tmp_path)
    assert not result.failures, "\n".join(result.failures)
    assert result.counts["kills"] >= 1


def test_every_point_of_the_protocol_stands_in_the_table() -> None:
    assert [point.name for point in points.TABLE] == [f"C{number}" for number in range(1, 26)]
    assert all(bool(point.places) != bool(point.missing) for point in points.TABLE)
