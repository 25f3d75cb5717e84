"""Misbehaviour on purpose, by magic number or on request.

A number is magic when its third digit from the end is 5 or 9 and its last two digits stand in MAGIC: +44 7700 900 503
loses the answer of a Lyca renewal, +44 7700 900 903 of a LEB one, +852 5550 0503 of one in Hong Kong. Digits without an
entry are plain numbers (or have a story about the line itself: ``subscribers.STORIES``). TABLE below is the list; the
control page shows it, and a test compares it with docs/sandbox.md.

On request also ``off``: every connection to the carrier's doors is reset at once until it is switched on again (the
control page stays open)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Lock

from pos.sandbox.numbers import line_of
from pos.sandbox.subscribers import story_of

OFF = "off"
PLACES = ("submit", "find", "read", "token", "any")

# last two digits, fault, what it does; "once": the same reference sent again succeeds
TABLE: tuple[tuple[str, str, str], ...] = (
    ("01", "late", "money moves at once, the answer comes after 12 s"),
    ("02", "late_commit", "nothing for 12 s, then the money moves and the answer comes"),
    ("03", "lost_after_commit", "money moves, the connection is reset without an answer"),
    ("04", "lost_before_commit", "the connection is reset, nothing is done (once)"),
    ("05", "error_500", "500 INTERNAL_ERROR, nothing is done (once)"),
    ("06", "error_500_after", "money moves, then 500 INTERNAL_ERROR"),
    ("07", "broken_json", "money moves, the JSON ends in the middle"),
    ("08", "html_502", "money moves, a proxy answers 502 with a page"),
    ("09", "cut_answer", "money moves, reset in the middle of the answer"),
    ("10", "drip", "money moves, the answer comes a byte a second"),
    ("11", "huge", "money moves, the answer has a thousand megabytes"),
    ("12", "wrong_echo", "money moves, every answer names another number and amount"),
    ("13", "unknown_status", "money moves, the answer says the state is resting; a look-up tells the truth"),
    ("14", "pending_then_done", "201 acknowledged; money moves and the order completes after 20 s"),
    ("15", "pending_then_failed", "201 acknowledged; the order fails after 20 s, no money moves"),
    ("16", "done_then_reversed", "completed, and given back after 60 s"),
    ("17", "rate_limit", "429 RATE_LIMITED with Retry-After, nothing is done (once)"),
    ("18", "token_expired", "every token is revoked: 401, nothing is done (once)"),
    ("19", "html_200", "money moves, 200 with a page"),
    ("20", "empty_200", "money moves, 200 with nothing"),
    ("21", "refuse", "422 INELIGIBLE"),
    ("22", "product_unavailable", "422 PRODUCT_UNAVAILABLE"),
    ("23", "operator_down", "422 OPERATOR_DOWN"),
    ("24", "too_soon", "422 TOO_SOON"),
    ("25", "wallet_empty", "422 WALLET_EMPTY, whatever is in the wallet"),
    ("26", "limit_reached", "422 LIMIT_REACHED"),
    ("27", "invalid_number", "404 INVALID_NUMBER"),
    ("28", "unknown_code", "422 with a code no document mentions"),
    ("29", "no_id", "money moves, the answer has no id"),
    ("30", "wrong_charset", "money moves, the answer is not UTF-8 although it says so"),
    ("31", "gzip_bomb", "money moves, 60 kB on the wire that unpack to 60 MB"),
    ("32", "endless_headers", "money moves, headers that never end"),
    ("33", "html_502_before", "a proxy answers 502 with a page, nothing is done (once)"),
    ("34", "wrong_currency", "money moves, every answer names another currency"),
    ("35", "wrong_offering", "money moves, every answer names another offering"),
    ("36", "silent", "nothing for 12 s, then a reset, nothing is done (once)"),
    ("37", "done_later", "a reset; for 40 s nobody sees the order, then the money moves"),
    ("38", "failed_then_done", "201 acknowledged; the order fails after 20 s and is done 60 s later all the same"),
    ("39", "forbidden", "403 FORBIDDEN, nothing is done (once)"),
)

MAGIC: dict[str, str] = {digits: name for digits, name, _ in TABLE}
NAMES: tuple[str, ...] = (OFF, *MAGIC.values())

# Magic that also lies when asked later; all the other magic speaks only when an order is posted.
_LIES = {"wrong_echo", "wrong_currency", "wrong_offering"}
# Magic refusals refuse every time. The rest strikes the first post of a reference only, so that the same reference sent
# again succeeds (or, where money has moved, is told that it exists).
_REFUSALS = {name for _, name, does in TABLE if does[:3] in ("404", "422")}


@dataclass(frozen=True)
class Fault:
    """One order to misbehave. ``count`` times (None: until deleted), at ``where``, for one ``number`` or for all.

    ``seconds`` overrides the settings' waiting time where the fault has one."""

    name: str
    where: str = "submit"
    count: int | None = None
    number: str | None = None
    seconds: float | None = None


class Faults:
    """What is wrong with the carrier at the moment. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._active: list[Fault] = []
        self._spent: set[tuple[str, str]] = set()

    def add(self, fault: Fault) -> None:
        if fault.name not in NAMES or fault.where not in PLACES:
            raise ValueError(f"no such fault: {fault.name} at {fault.where}")
        with self._lock:
            self._active.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._active.clear()
            self._spent.clear()

    def remove(self, name: str) -> None:
        with self._lock:
            self._active = [fault for fault in self._active if fault.name != name]

    def active(self) -> list[Fault]:
        with self._lock:
            return list(self._active)

    def is_off(self) -> bool:
        """Whether this connection is to be reset at once; a counted ``off`` counts connections."""
        with self._lock:
            return self._use(place for place, fault in enumerate(self._active) if fault.name == OFF) is not None

    def take(self, where: str, serial: str | None, ref: str | None) -> Fault | None:
        """The fault for this request, if any; one that was ordered goes before one by magic number."""
        line = line_of(serial) if serial else None
        number = line.number if line else serial
        with self._lock:
            ordered = self._use(
                place
                for place, fault in enumerate(self._active)
                if fault.name != OFF and fault.where in (where, "any") and fault.number in (None, number, serial)
            )
            return ordered or (self._magic(where, number, ref) if line and number else None)

    def _use(self, places: Iterable[int]) -> Fault | None:
        place = next(iter(places), None)
        if place is None:
            return None
        fault = self._active[place]
        if fault.count is not None:
            self._active[place] = replace(fault, count=fault.count - 1)
            if fault.count <= 1:
                del self._active[place]
        return fault

    def _magic(self, where: str, number: str, ref: str | None) -> Fault | None:
        name = MAGIC.get(story_of(number) or "")
        if name is None or (where != "submit" and not (where == "find" and name in _LIES)):
            return None
        if name not in _LIES | _REFUSALS:
            if (name, ref or "") in self._spent:
                return None
            self._spent.add((name, ref or ""))
        return Fault(name)
