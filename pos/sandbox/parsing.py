"""Reading a body member by member: what is unknown, missing or of the wrong kind is refused, never guessed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pos.sandbox.refusals import Refusal

# Every TM Forum entity may carry these (design guidelines TMF630, polymorphism).
_POLYMORPHISM = ("@type", "@baseType", "@schemaLocation", "@referredType", "href", "name")


class Members:
    """One JSON object being read. Take what you need, ``allow`` what may be there, then ``done``."""

    def __init__(self, value: Any, where: str = "body") -> None:
        if not isinstance(value, dict):
            raise Refusal("INVALID_BODY" if where == "body" else "INVALID_VALUE", f"{where} must be an object")
        self._left: dict[str, Any] = dict(value)
        self._where = where

    def text(self, name: str, most: int = 200) -> str:
        """A required, non-empty string of at most ``most`` characters."""
        value = self._take(name)
        if not isinstance(value, str) or not 0 < len(value) <= most:
            raise Refusal("INVALID_VALUE", f"{self._where}.{name} must be a text of 1 to {most} characters")
        return value

    def optional_text(self, name: str, most: int = 200) -> str | None:
        return self.text(name, most) if name in self._left else None

    def one_of(self, name: str, *known: str) -> str:
        value = self.text(name)
        if value not in known:
            raise Refusal("INVALID_VALUE", f"{self._where}.{name} must be one of {', '.join(known)}")
        return value

    def minor_units(self, name: str) -> int:
        """A positive JSON number of money with at most two decimals, as minor units."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value <= 1_000_000:
            raise Refusal("INVALID_VALUE", f"{self._where}.{name} must be a positive number")
        minor = Decimal(value).scaleb(2)
        if minor != minor.to_integral_value():
            raise Refusal("INVALID_VALUE", f"{self._where}.{name} has more than two decimals")
        return int(minor)

    def exactly(self, name: str, wanted: Any) -> None:
        """An optional member that, when present, can only be this."""
        if name in self._left and self._take(name) != wanted:
            raise Refusal("INVALID_VALUE", f"{self._where}.{name} can only be {wanted!r}")

    def object(self, name: str) -> Members:
        return Members(self._take(name), f"{self._where}.{name}")

    def array(self, name: str, required: bool = True) -> list[Members]:
        """A list of objects; a missing optional one is empty."""
        if not required and name not in self._left:
            return []
        value = self._take(name)
        if not isinstance(value, list):
            raise Refusal("INVALID_VALUE", f"{self._where}.{name} must be an array")
        return [Members(item, f"{self._where}.{name}[{place}]") for place, item in enumerate(value)]

    def anything(self, name: str) -> Any:
        """A required member of any kind (a Characteristic's value)."""
        return self._take(name)

    def allow(self, *names: str) -> Members:
        """Members the specification knows and this carrier does not use."""
        for name in (*names, *_POLYMORPHISM):
            self._left.pop(name, None)
        return self

    def done(self) -> None:
        if self._left:
            raise Refusal("UNKNOWN_MEMBER", f"{self._where}.{sorted(self._left)[0]}")

    def _take(self, name: str) -> Any:
        if name not in self._left:
            raise Refusal("MISSING_MEMBER", f"{self._where}.{name}")
        return self._left.pop(name)


def read_object(body: bytes) -> Members:
    """The body as one JSON object: UTF-8, no member twice, numbers exact. Raises Refusal INVALID_BODY."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except ValueError as error:  # also wrong UTF-8
        raise Refusal("INVALID_BODY", "not JSON") from error
    except RecursionError as error:
        raise Refusal("INVALID_BODY", "nested too deeply") from error
    return Members(value)


def _no_constant(text: str) -> None:
    raise ValueError(text)  # NaN and Infinity are not JSON (RFC 8259, section 6)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member comes twice")
    return found
