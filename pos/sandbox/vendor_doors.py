"""The doors of one reseller: its paths, who may come in, and its own way to refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pos.sandbox.carrier import Carrier
from pos.sandbox.refusals import Refusal
from pos.sandbox.wire import Answer, Request

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class VendorDoors:
    """``name`` is the key in ``Carrier.vendors`` and the first part of every path: ``/name/...``.

    ``doors``: (method, path below it with ``{id}`` places, handler(carrier, request, *places)). ``admit`` raises Refusal
    UNAUTHENTICATED; the paths in ``open`` are reached without it. ``error`` writes a Refusal as this protocol does."""

    name: str
    doors: tuple[tuple[str, str, Handler], ...]
    admit: Callable[[Carrier, Request], None]
    error: Callable[[Refusal, str], Answer]
    open: tuple[str, ...] = ()

    def answer(self, carrier: Carrier, request: Request) -> Answer:
        """Raises Dropped when the answer is a closed connection."""
        below = request.path.removeprefix(f"/{self.name}")
        fitting = [(door, found) for door in self.doors if (found := _pattern(door[1]).fullmatch(below))]
        here = [(door, found) for door, found in fitting if door[0] == request.method]
        try:
            if not here:
                raise Refusal("METHOD_NOT_ALLOWED" if fitting else "NOT_FOUND", f"{request.method} {below}")
            (method, path, handler), found = here[0]
            carrier.vendors[self.name].books.count(f"{method} {path}")
            if path not in self.open:
                self.admit(carrier, request)
            return handler(carrier, request, *found.groups())
        except Refusal as refusal:
            return self.error(refusal, request.base)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", "([^/]+)", re.escape(path)) + "/?")
