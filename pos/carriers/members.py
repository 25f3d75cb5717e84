"""Reading a partner's JSON: strict about the members we rely on, blind to those we do not know.

Numbers with a point arrive as ``Decimal``; nothing here ever makes a float."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NoReturn

from pos.domain.money import Money, NotMoney, from_decimal

_LONGEST_ID = 100
_CODE = re.compile(r"[A-Za-z0-9_.:\- ]{1,64}")


class Broken(ValueError):
    """The answer is not what its specification says; what it was about is unknown."""


def read_json(body: bytes) -> object:
    """The value in ``body`` (UTF-8, -16 or -32). Raises Broken for what is not JSON, NaN, endless nesting."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError) as fault:
        raise Broken("not JSON") from fault


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def write_json(value: object) -> bytes:
    """``value`` as JSON in UTF-8. Decimals go out digit by digit, because the library would want a float of them."""
    return _written(value).encode()


def _written(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{_written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def code(text: str | None) -> str | None:
    """A partner's code, fit for the journal: short and plain. Free text becomes ``unprintable``, nothing is None."""
    if not text:
        return None
    return text if _CODE.fullmatch(text) else "unprintable"


@dataclass(frozen=True)
class Members:
    """One JSON object. Readers without ``or_none`` raise Broken when the member is missing or of another kind.

    ``null`` counts as missing everywhere."""

    values: Mapping[str, object]

    @classmethod
    def of(cls, value: object) -> Members:
        """Raises Broken when ``value`` is not a JSON object."""
        if not isinstance(value, dict):
            raise Broken("not an object")
        return cls(value)

    @classmethod
    def each(cls, value: object) -> list[Members]:
        """The objects of a JSON array. Raises Broken."""
        if not isinstance(value, list):
            raise Broken("not a list")
        return [cls.of(entry) for entry in value]

    def text(self, name: str) -> str:
        """A string that says something."""
        found = self.text_or_none(name)
        if not found:
            raise Broken(f"{name} is missing")
        return found

    def text_or_none(self, name: str) -> str | None:
        """A string, or None when it is missing. A number is taken as its digits: some carriers number their records.

        Raises Broken for other kinds."""
        found = self.values.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        if found is not None and not isinstance(found, str):
            raise Broken(f"{name} is not text")
        return found

    def id_or_none(self, name: str) -> str | None:
        """A record's id: text that fits a column and a receipt. Raises Broken for what cannot be an id."""
        found = self.text_or_none(name)
        if found is not None and not (found.isprintable() and len(found) <= _LONGEST_ID):
            raise Broken(f"{name} is not an id")
        return found

    def within(self, name: str) -> Members:
        """The object under ``name``; an empty one when it is missing. Raises Broken for other kinds."""
        found = self.values.get(name)
        return Members({}) if found is None else Members.of(found)

    def items(self, name: str) -> Iterator[Members]:
        """The objects under ``name``. One object where the schema says array (some carriers) is an array of one."""
        found = self.values.get(name)
        if found is None:
            return
        for item in found if isinstance(found, list) else [found]:
            yield Members.of(item)

    def number_or_none(self, name: str) -> Decimal | None:
        """A number, or None when missing. Digits in quotes count, they are exact. Raises Broken for other kinds."""
        found = self.values.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, (int, Decimal, str)):
            raise Broken(f"{name} is not a number")
        if isinstance(found, str) and not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", found):
            raise Broken(f"{name} is not a number")
        number = Decimal(found)
        # An exponent of a million would be minutes of work in the integer it stands for.
        if not number.is_finite() or abs(number.adjusted()) > 30:
            raise Broken(f"{name} is out of range")
        return number

    def money_or_none(self, amount: str, currency: str) -> Money | None:
        """An amount from its two members, None when both are missing. Raises Broken when half told or not money."""
        number, unit = self.number_or_none(amount), self.text_or_none(currency)
        if number is None and unit is None:
            return None
        if number is None or unit is None:
            raise Broken("half an amount")
        try:
            return from_decimal(number, unit.upper())
        except NotMoney as fault:
            raise Broken("not money") from fault

    def moment_or_none(self, name: str) -> datetime | None:
        """A moment in UTC, None when missing or unreadable: dates are shown and compared, they decide no outcome.

        A moment without a zone is read as UTC, as TM Forum's examples are."""
        found = self.values.get(name)
        if not isinstance(found, str):
            return None
        try:
            moment = datetime.fromisoformat(found.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
