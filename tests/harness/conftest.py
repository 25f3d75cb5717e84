"""The floors that the proofs of this folder play on, one of each kind for each test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import fault_matrix
from tests.harness.floor import Floor, furnish, open_floor


@pytest.fixture(scope="session")
def furnished_floor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of every floor."""
    return furnish(tmp_path_factory.mktemp("floor") / "template")


@pytest.fixture(scope="session")
def wired_floor(tmp_path_factory: pytest.TempPathFactory, furnished_floor: Path) -> Iterator[Floor]:
    """A floor whose carrier is reached over real sockets."""
    folder = tmp_path_factory.mktemp("wired")
    with open_floor(folder, furnished_floor, sockets=True, settings=fault_matrix.SETTINGS) as floor:
        yield floor


@pytest.fixture(scope="session")
def quick_floor(tmp_path_factory: pytest.TempPathFactory, furnished_floor: Path) -> Iterator[Floor]:
    """A floor without any socket."""
    with open_floor(tmp_path_factory.mktemp("quick"), furnished_floor, sockets=False) as floor:
        yield floor
