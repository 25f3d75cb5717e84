"""The control page for people."""

from __future__ import annotations

from collections.abc import Callable

from pos.sandbox.carrier import Carrier
from pos.sandbox.wire import Answer, Request


def show(carrier: Carrier, request: Request) -> Answer:
    return Answer(200, b"<!doctype html><title>sandbox carrier</title>", {"Content-Type": "text/html; charset=utf-8"})


DOORS: tuple[tuple[str, str, Callable[..., Answer]], ...] = (("GET", "/", show), ("GET", "/control", show))
