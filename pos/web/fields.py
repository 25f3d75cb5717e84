"""Form fields of the counter: what was typed becomes a value of the domain, or a sentence at the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import StopValidation
from wtforms.widgets import TextInput

from pos.domain.aamva import is_aamva
from pos.domain.money import Money, NotMoney, parse
from pos.domain.pan import looks_like_card
from pos.domain.words import N_

LONGEST = 400
# The barcode of a licence is the longest that a page shows again.
_LONGEST_KEPT = 2000
_LONGEST_LINES = 200
_NEVER_KEPT = frozenset({"csrf_token", "pin", "approver_pin", "old_pin", "again"})
# A thousand sums of this size still fit; whatever is larger is a slip of the keyboard, or no amount at all.
_LARGEST_AMOUNT_MINOR = 10**12
WHOLE_NUMBER = N_("Type how many pieces there are, as a whole number.")
CARD = _l("This looks like a payment card number. It was not stored. Card numbers are never typed here.")


class CounterForm(FlaskForm):
    """CSRF is checked once for every post by the application; each form keeps to its fields."""

    class Meta:
        csrf = False

    def first_errors(self) -> dict[str, str]:
        """One sentence for each field that is wrong."""
        return {name: str(sentences[0]) for name, sentences in self.errors.items() if sentences and name}


def cleaned(text: str) -> str:
    """``text`` without control signs and marks that turn the direction of writing; line breaks stay."""
    return "".join(sign for sign in text if sign.isprintable() or sign in "\r\n")


def kept(values: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again: all of it but card numbers, secrets, and what no person types."""
    return {
        name: cleaned(text)
        for name, text in values.items()
        if name not in _NEVER_KEPT and len(text) <= _LONGEST_KEPT and not looks_like_card(text)
    }


class ShortText(StringField):
    """A line of text: never longer than a person types, no control characters, never a payment card's number."""

    def __init__(self, *args: Any, longest: int = LONGEST, cards: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.longest, self.cards = longest, cards

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0] if valuelist else ""
        if len(text) > self.longest:
            self.data = ""
            raise ValueError(_l("This is far too long. Nothing was stored."))
        self.data = cleaned(text).strip()
        if not self.cards and looks_like_card(self.data):
            self.data = ""
            raise ValueError(CARD)


class ScannedText(ShortText):
    """What a hand types, or a document reader sends: the barcode of a licence is longer than any lines."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.longest = _LONGEST_KEPT if valuelist and is_aamva(valuelist[0]) else _LONGEST_LINES
        super().process_formdata(valuelist)


class AmountField(Field):
    """An amount in the store's currency; empty gives None unless ``wanted``."""

    widget = TextInput()
    data: Money | None

    def __init__(self, *args: Any, wanted: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted, self.currency, self.raw = wanted, "GBP", ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw = (valuelist[0] if valuelist else "").strip()

    def pre_validate(self, form: Any) -> None:
        self.data = None
        if not self.raw:
            if self.wanted:
                raise StopValidation(_l("Type the amount, for example 20.00."))
            return
        try:
            if looks_like_card(self.raw):
                raise StopValidation(CARD)
            self.data = parse(self.raw, self.currency)
            if self.data.minor > _LARGEST_AMOUNT_MINOR:
                raise NotMoney("larger than any drawer")
        except NotMoney:
            self.data = None
            raise StopValidation(_l("This is not an amount. Type digits, for example 20.00.")) from None
        if self.data.minor < 0:
            raise StopValidation(_l("An amount here is never negative."))


def pieces_from(values: dict[str, str], denominations: list[int]) -> tuple[dict[int, int], dict[str, str]]:
    """What was typed under ``pieces_<minor>``: (denomination -> number, field -> sentence). Empty fields are left out."""
    pieces: dict[int, int] = {}
    wrong: dict[str, str] = {}
    for unit in denominations:
        raw = values.get(f"pieces_{unit}", "").strip()
        if not raw:
            continue
        if not (raw.isascii() and raw.isdigit() and len(raw) <= 6):
            wrong[f"pieces_{unit}"] = gettext(WHOLE_NUMBER)
        else:
            pieces[unit] = int(raw)
    return pieces, wrong


def day_from(raw: str) -> date | None:
    """An ISO date from a date field, or None when it is empty or none."""
    try:
        return date.fromisoformat(raw.strip())
    except ValueError:
        return None
