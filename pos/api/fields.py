"""What fields of the API are made of: text as people type it, whole numbers, moments, money. Each refusal is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from pos.domain.errors import LooksLikeCard, NotAnAmount
from pos.domain.money import Money
from pos.domain.pan import looks_like_card
from pos.domain.tills import Store
from pos.domain.words import N_

MISSING = N_("This is wanted here.")
EMPTY = N_("This may be left out, but not be null.")
NO_TEXT = N_("This is no text.")
UNPRINTABLE = N_("There are control signs in this text. Nothing was stored.")
TOO_LONG = N_("This is far too long. Nothing was stored.")
NO_WHOLE_NUMBER = N_("This is no whole number, or far too large.")
NO_FLAG = N_("This is neither true nor false.")
NO_DAY = N_("This is no day. Write it as 2031-05-01.")
NO_ID = N_("This is no id. Write it as 7b6e1a52-4f0c-4b7e-9a53-0f4f5d6c7e81.")
NO_LIST = N_("This is no list, or has too few or too many entries.")
NO_OBJECT = N_("This is no object with names and values.")
UNKNOWN = N_("There is no such field here. Nothing was changed.")
NOT_ONE_OF = N_("This is none of the words that are known here.")

_SHARED = {"required": MISSING, "null": EMPTY, "validator_failed": NOT_ONE_OF}
# As on the screens: a thousand sums of this size still fit into 64 bits.
LARGEST_AMOUNT_MINOR = 10**12
LARGEST_ID = 2**31 - 1


class Body(ma.Schema):
    """What a caller may send: unknown names are refused, because a mistyped one would quietly mean nothing."""

    error_messages = {"unknown": UNKNOWN, "type": NO_OBJECT}

    class Meta:
        unknown = ma.RAISE


class Answer(ma.Schema):
    """What a caller gets: every field, always, null where there is nothing."""


class Text(fields.String):
    """A line as a person types it: no control signs, never a payment card's number unless ``cards``."""

    default_error_messages = {**_SHARED, "invalid": NO_TEXT, "unprintable": UNPRINTABLE, "card": LooksLikeCard.sentence}

    def __init__(self, *, longest: int, shortest: int = 0, cards: bool = False, lines: bool = False, **more: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest, max=longest, error=TOO_LONG if not shortest else MISSING), **more)
        self.cards, self.lines = cards, lines

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not all(sign.isprintable() or (self.lines and sign in "\r\n") for sign in text or ""):
            raise self.make_error("unprintable")
        if not self.cards and looks_like_card(text or ""):
            raise self.make_error("card")
        return (text or "").strip()


class Whole(fields.Integer):
    """A whole number; neither ``1.0`` nor ``true`` nor ``"1"``."""

    default_error_messages = {**_SHARED, "invalid": NO_WHOLE_NUMBER, "too_large": NO_WHOLE_NUMBER}

    def __init__(self, *, least: int, most: int, **more: Any) -> None:
        super().__init__(validate=validate.Range(min=least, max=most, error=NO_WHOLE_NUMBER), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Counted(Whole):
    """A whole number among the parameters of an address, where everything is text."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9):
            raise self.make_error("invalid")
        return int(value)


class Flag(fields.Boolean):
    """true or false, and no word for them."""

    default_error_messages = {**_SHARED, "invalid": NO_FLAG}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Day(fields.Date):
    default_error_messages = {**_SHARED, "invalid": NO_DAY, "format": NO_DAY}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        try:
            if not isinstance(value, str) or len(value) != 10:
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise self.make_error("invalid") from None


class Id(fields.UUID):
    """The id of something that the caller made, or that an answer showed; services know it as text."""

    default_error_messages = {**_SHARED, "invalid": NO_ID, "invalid_uuid": NO_ID}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            if not isinstance(value, str) or len(value) != 36:
                raise ValueError
            return str(UUID(value))
        except ValueError:
            raise self.make_error("invalid") from None


class Many(fields.List[Any]):
    """A list with a least and a most number of entries."""

    default_error_messages = {**_SHARED, "invalid": NO_LIST}

    def __init__(self, inner: Any, *, least: int, most: int, **more: Any) -> None:
        super().__init__(inner, validate=validate.Length(min=least, max=most, error=NO_LIST), **more)


class Part(fields.Nested):
    """An object inside an object."""

    default_error_messages = {**_SHARED, "type": NO_OBJECT}


def one_of(words: type[StrEnum] | tuple[str, ...]) -> validate.OneOf:
    """A closed list, which the document shows."""
    return validate.OneOf([str(word) for word in words], error=NOT_ONE_OF)


class OneWord(fields.String):
    """A word of a closed list."""

    default_error_messages = {**_SHARED, "invalid": NO_TEXT}

    def __init__(self, words: type[StrEnum] | tuple[str, ...], **more: Any) -> None:
        super().__init__(validate=one_of(words), **more)


class Moment(fields.DateTime):
    """RFC 3339 in UTC: ``2026-11-21T12:00:00Z``."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class MoneyAnswer(Answer):
    """An amount in whole minor units: 1999 and GBP are 19.99 pounds."""

    minor = fields.Integer(required=True)
    currency = fields.String(required=True, metadata={"pattern": "^[A-Z]{3}$"})


class MoneyBody(Body):
    """An amount in whole minor units, in the store's currency: 2000 and GBP are 20.00 pounds."""

    minor = Whole(least=0, most=LARGEST_AMOUNT_MINOR, required=True)
    currency = Text(longest=3, shortest=3, required=True)


def amount(sent: Mapping[str, Any] | None, store: Store, field: str) -> Money | None:
    """Money from a body. Raises NotAnAmount at ``field`` for another currency than the store's."""
    if sent is None:
        return None
    if sent["currency"] != store.currency:
        error = NotAnAmount()
        error.field = field
        raise error
    return Money(sent["minor"], sent["currency"])
