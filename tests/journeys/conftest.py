"""A live shop and a browser for the journeys; what a journey leaves on the console fails it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pos.sandbox.server import SandboxServer
from tests.conftest import LONDON_NOON, settings_in
from tests.journeys.browser import WIDE, Till, chromium
from tests.journeys.live_shop import LiveShop, open_shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OpenTill = Callable[..., Till]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module. Without one the journeys are skipped, except on a build machine, where that is a fault."""
    try:
        opened = chromium()
        found = opened.__enter__()
    except LookupError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        yield found
    finally:
        opened.__exit__(None, None, None)


@pytest.fixture
def shop(folder: Path, sandbox: SandboxServer) -> Iterator[LiveShop]:
    """A furnished shop at noon in London, running; its books are proven when the journey is over."""
    with open_shop(lambda url: settings_in(folder, url), sandbox, LONDON_NOON) as opened:
        yield opened
        assert opened.verify() == []


@pytest.fixture
def open_till(shop: LiveShop, browser: Browser) -> Iterator[OpenTill]:
    """Opens a fresh browser at the shop's door: ``open_till(locale="zh-CN", scripts=False, size=NARROW)``."""
    tills: list[Till] = []

    def opened(locale: str = "en-GB", scripts: bool = True, size: dict[str, int] = WIDE, **more: Any) -> Till:
        context = browser.new_context(locale=locale, viewport=size, java_script_enabled=scripts, **more)
        tills.append(Till(shop, context, scripts))
        return tills[-1]

    yield opened
    for till in tills:
        till.context.close()
    faults = [fault for till in tills for fault in till.faults]
    assert not faults, "\n".join(faults)


@pytest.fixture
def till(open_till: OpenTill) -> Till:
    """London's first counter with a clerk who reads English and an open shift."""
    return open_till().enrol("LON1").sign_in("101").open_shift()
