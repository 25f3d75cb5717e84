"""A carrier of its own for every test, and a shop that is signed in there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox_shop import Shop

from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    """The carrier, in a hurry: late is a fifth of a second, huge is ten megabytes."""
    hurried = Settings(late_seconds=0.2, drip_seconds=0.2, huge_bytes=10_000_000, bomb_bytes=10_000_000)
    with SandboxServer(hurried) as running:
        yield running


@pytest.fixture
def shop(server: SandboxServer) -> Shop:
    found = Shop(server.url)
    found.sign_in()
    return found
