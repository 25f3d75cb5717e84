"""The judge of every test in this folder: journal, books and the carrier's own statement, compared when the test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from pos.domain.tills import Desk
from pos.sandbox.server import SandboxServer
from tests.conftest import StandingClock
from tests.services.shop import Ready, Shop, findings, is_open


@pytest.fixture
def shop(app: Flask, sandbox: SandboxServer, clock: StandingClock) -> Shop:
    """The shop seen from behind: rows, both clocks, the carrier's books."""
    return Shop(app, sandbox, clock)


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """London's first till with a shift open."""
    found = shop.desk()
    shop.open_shift(found)
    return found


@pytest.fixture
def ready(shop: Shop, desk: Desk) -> Ready:
    """A sale of 8.00 that only waits for its money."""
    return shop.ready(desk)


@pytest.fixture
def to_be_found() -> list[str]:
    """Words of what ``verify`` must say after this test, one for each finding. Empty: all must be true."""
    return []


@pytest.fixture(autouse=True)
def everything_is_true_in_the_end(app: Flask, sandbox: SandboxServer, to_be_found: list[str]) -> Iterator[None]:
    yield
    sandbox.carrier.faults.clear()
    if not is_open(sandbox):
        sandbox.start()
    found = findings(app)
    assert len(found) == len(to_be_found), found
    for words, finding in zip(to_be_found, found, strict=True):
        assert words in finding
