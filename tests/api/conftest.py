"""After each test of the API: journal, books and the carrier's statement say the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.api.caller import Caller


@pytest.fixture
def caller(app: Flask) -> Iterator[Caller]:
    """A clerk at London's first till, by program."""
    made = Caller(app)
    yield made
    assert made.findings() == []


@pytest.fixture
def selling(caller: Caller) -> Caller:
    """The same with an open shift."""
    caller.open_shift()
    return caller
