"""The body of a create as DVS v1 describes it, member by member: what it does not name, or names otherwise, is 1000400."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pos.sandbox.dtone_shelf import ITEMS, Item
from pos.sandbox.refusals import Refusal

MALFORMED, BAD_CREDIT_PARTY = 1000400, 1005003
NO_PRODUCT, BAD_AMOUNT, BAD_UNIT = 1003001, 1003002, 1003003

_PARTY = ("mobile_number", "account_number", "account_qualifier")
_PERSON = (
    "last_name", "first_name", "middle_name", "nationality_country_iso_code", "mobile_number", "email", "address_text",
    "address_city", "address_country_iso_code", "address_postal_code",
)  # fmt: skip
_OBJECTS = {
    "debit_party_identifier": _PARTY,
    "sender": _PERSON,
    "beneficiary": _PERSON,
    "statement_identifier": ("reference", "due_date"),
    "additional_identifier": ("purchaser_id",),
    "metadata": (),
}


class VendorRefusal(Refusal):
    """A no with one of the vendor's own numbers."""

    def __init__(self, number: int, detail: str = "") -> None:
        super().__init__("INVALID_VALUE", detail)
        self.number = number


@dataclass(frozen=True)
class Create:
    """A create that can be carried out. ``euros_minor`` is the amount asked for where the product has a range."""

    ref: str
    item: Item
    auto_confirm: bool
    credit_party: dict[str, str]
    euros_minor: int
    requested: dict[str, Any] | None
    callback_url: str

    @property
    def number(self) -> str:
        return self.credit_party.get("mobile_number") or self.credit_party.get("account_number") or ""


def read_body(body: bytes) -> dict[str, Any]:
    """The body as one JSON object, numbers exact, no member twice. Raises VendorRefusal."""
    try:
        value = json.loads(body, parse_float=Decimal, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as fault:
        raise VendorRefusal(MALFORMED, "not JSON") from fault
    if not isinstance(value, dict):
        raise VendorRefusal(MALFORMED, "not an object")
    return value


def read_create(body: bytes, *, is_async: bool) -> Create:
    """Raises VendorRefusal."""
    told = read_body(body)
    ref = _text(told, "external_id", 40)
    product_id = told.pop("product_id", None)
    if type(product_id) is not int or product_id < 1:
        raise VendorRefusal(MALFORMED, "product_id")
    auto_confirm = told.pop("auto_confirm", False)
    if not isinstance(auto_confirm, bool):
        raise VendorRefusal(MALFORMED, "auto_confirm")
    party = _object(told, "credit_party_identifier", _PARTY) or {}
    others = {name: _object(told, name, members) for name, members in _OBJECTS.items()}
    callback_url = ""
    if "callback_url" in told:
        callback_url = _text(told, "callback_url", 1000)
        if not is_async or not re.fullmatch(r"https?://\S+", callback_url):
            raise VendorRefusal(MALFORMED, "callback_url")
    mode, source, destination = (told.pop(name, None) for name in ("calculation_mode", "source", "destination"))
    if told:
        raise VendorRefusal(MALFORMED, f"unknown member {sorted(told)[0]}")
    if "mobile_number" in party and not re.fullmatch(r"\+[1-9][0-9]{6,14}", party["mobile_number"]):
        raise VendorRefusal(BAD_CREDIT_PARTY)
    item = ITEMS.get(product_id)
    if item is None:
        raise VendorRefusal(NO_PRODUCT)
    _require(item.identifiers, party, "credit_party_identifier")
    _require(item.sender, others["sender"] or {}, "sender")
    euros_minor, requested = _asked(item, mode, source, destination)
    return Create(ref, item, auto_confirm, party, euros_minor, requested, callback_url)


def _asked(item: Item, mode: Any, source: Any, destination: Any) -> tuple[int, dict[str, Any] | None]:
    """The amount of a ranged product, by either mode; a fixed one takes none."""
    if item.ranged is None:
        if (mode, source, destination) != (None, None, None):
            raise VendorRefusal(MALFORMED, "a product of one price takes no amount")
        return 0, None
    if mode not in item.ranged.modes:
        raise VendorRefusal(MALFORMED, "calculation_mode")
    by_price = mode == "SOURCE_AMOUNT"
    asked, other = (source, destination) if by_price else (destination, source)
    if other is not None or not isinstance(asked, dict) or set(asked) != {"unit_type", "unit", "amount"}:
        raise VendorRefusal(MALFORMED, str(mode))
    if asked["unit_type"] != "CURRENCY" or asked["unit"] != ("GBP" if by_price else "EUR"):
        raise VendorRefusal(BAD_UNIT)
    minor = _minor(asked["amount"])
    euros = minor * 100 // item.ranged.pence if by_price else minor
    low, high = item.ranged.least * 100, item.ranged.most * 100
    if not low <= euros <= high or (not by_price and (euros - low) % (item.ranged.step * 100)):
        raise VendorRefusal(BAD_AMOUNT)
    shown = {"unit_type": "CURRENCY", "unit": asked["unit"], "amount": float(asked["amount"])}
    return euros, {"source" if by_price else "destination": shown}


def _minor(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        raise VendorRefusal(MALFORMED, "amount")
    minor = Decimal(value).scaleb(2)
    if minor != minor.to_integral_value():
        raise VendorRefusal(BAD_AMOUNT)
    return int(minor)


def _require(options: list[list[str]] | None, told: Iterable[str], what: str) -> None:
    """Either of the lists, whole."""
    if options and not any(set(option) <= set(told) for option in options):
        raise VendorRefusal(MALFORMED, f"{what} lacks what the product requires")


def _object(told: dict[str, Any], name: str, members: tuple[str, ...]) -> dict[str, str] | None:
    """An optional object of texts; null counts as left out, no ``members`` as any."""
    value = told.pop(name, None)
    if value is None:
        return None
    if not isinstance(value, dict) or not value or (members and not set(value) <= set(members)):
        raise VendorRefusal(MALFORMED, name)
    for inner in value.values():
        if members and (not isinstance(inner, str) or not 0 < len(inner.strip()) <= 90):
            raise VendorRefusal(MALFORMED, name)
    return value


def _text(told: dict[str, Any], name: str, most: int) -> str:
    value = told.pop(name, None)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= most:
        raise VendorRefusal(MALFORMED, name)
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member comes twice")
    return found
