"""A fresh sandbox and a carrier of the protocol that a test names by the fixture ``protocol``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from pos.ports import Carrier, CarrierUnavailable
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings
from tests.carriers.doors import DOORS, HASTY, Door, open_carrier


@pytest.fixture
def door(protocol: str) -> Door:
    return DOORS[protocol]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    # Late and slow beyond any hasty deadline; the huge bodies are as small as they can be and still be refused.
    with SandboxServer(Settings(late_seconds=1.5, drip_seconds=0.05, huge_bytes=9_000_000)) as server:
        yield server


@pytest.fixture
def carrier(protocol: str, sandbox: SandboxServer) -> Carrier:
    return open_carrier(protocol, sandbox.url)


@pytest.fixture
def hasty(protocol: str, sandbox: SandboxServer) -> Carrier:
    """The same with a deadline of parts of a second. Its token is fetched before anything goes wrong, however busy the machine
    is."""
    carrier = open_carrier(protocol, sandbox.url, deadline_seconds=HASTY)
    for _ in range(10):
        with suppress(CarrierUnavailable):
            carrier.wallet()
            return carrier
    raise AssertionError("a machine too busy to answer ten times")
