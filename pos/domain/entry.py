"""The one entry field: decide by shape what a hand or a scanner sent, and say so; the clerk has the last word."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from pos.domain import mrz
from pos.domain.aamva import is_aamva
from pos.domain.documents import normalise
from pos.domain.national_numbers import NumberCheck, chinese_id, hong_kong_id, taiwan_id, taiwan_resident
from pos.domain.numbers import (
    Iccid,
    Imei,
    NotANumber,
    NumberFault,
    PhoneNumber,
    parse_iccid,
    parse_imei,
    parse_phone,
)
from pos.domain.pan import looks_like_card
from pos.domain.typed import plain


class EntryKind(StrEnum):
    """What a clerk may say an entry is, when the field took it for something else."""

    PHONE = "phone"
    SIM = "sim"
    DEVICE = "device"
    MRZ = "mrz"
    RECEIPT = "receipt"
    BADGE = "badge"
    SEARCH = "search"


class SearchHint(StrEnum):
    """What a searched text nearly was, for the sentence under the field."""

    NUMBER_TOO_SHORT = "number_too_short"
    NUMBER_TOO_LONG = "number_too_long"
    NUMBER_NOT_VALID = "number_not_valid"
    SIM_NOT_RIGHT = "sim_not_right"
    IDENTITY_NUMBER = "identity_number"
    TEXT_TOO_LONG = "text_too_long"


@dataclass(frozen=True)
class PhoneEntry:
    """A phone number: operator detection follows, shown in groups."""

    number: PhoneNumber


@dataclass(frozen=True)
class IccidEntry:
    """A SIM."""

    iccid: Iccid


@dataclass(frozen=True)
class ImeiEntry:
    """A device: nothing to renew by itself, but the clerk is told that the eSIM's number is wanted instead."""

    imei: Imei


@dataclass(frozen=True)
class MrzEntry:
    """Lines of a travel document, for the ID check and nowhere else. ``format`` is None while lines or signs are
    missing: it still must not be searched for, logged or stored."""

    lines: str = field(repr=False)
    format: mrz.MrzFormat | None


@dataclass(frozen=True)
class AamvaEntry:
    """The barcode of a North American licence, for the ID check and nowhere else, like an MRZ."""

    lines: str = field(repr=False)


@dataclass(frozen=True)
class ReceiptEntry:
    """A receipt number in capitals: ``LON1-000123``."""

    number: str


@dataclass(frozen=True)
class BadgeEntry:
    """A staff badge: picks the name, the PIN still follows."""

    staff_number: str


@dataclass(frozen=True)
class CardNumberRefused:
    """A payment card's number was sent. It is gone: nothing of it is kept here, shown or logged."""


@dataclass(frozen=True)
class SearchEntry:
    """Anything else, searched for by POST. It may be a customer's name: not in a repr."""

    text: str = field(repr=False)
    hint: SearchHint | None = None


@dataclass(frozen=True)
class NothingEntry:
    """Nothing but blanks."""


Entry = (
    PhoneEntry
    | IccidEntry
    | ImeiEntry
    | MrzEntry
    | AamvaEntry
    | ReceiptEntry
    | BadgeEntry
    | CardNumberRefused
    | SearchEntry
    | NothingEntry
)

# Longer than any zone with its line breaks, and than any name.
_LONGEST = 200

# The shortest line of a zone has 30 signs, and readers lose one or two.
_SHORTEST_LINE = 28
_FIRST_LINE = re.compile(r"[PVIAC][A-Z<][A-Z<]{3}")
# Second lines may have no filler at all: number, digit, state, two dates and a sex; or, on a card, dates first.
_SECOND_LINE = re.compile(
    r"[A-Z0-9<]{10}[A-Z<]{3}[0-9<]{7}[MFX<][0-9<]{7}[A-Z0-9<]{7,16}|[0-9<]{7}[MFX<][0-9<]{7}[A-Z<]{3}[A-Z0-9<]{12}"
)

# A letter in the prefix tells a receipt from a phone number with a dash. More digits than twelve are no receipt of
# ours.
_RECEIPT = re.compile(r"(?P<prefix>(?:R-)?[A-Z0-9]{1,12})-[0-9]{6,12}")
_BADGE = re.compile(r"B:(?P<staff>[A-Z0-9-]{1,12})")

_IDENTITY_RULES = (chinese_id, hong_kong_id, taiwan_id, taiwan_resident)

_PHONE_HINTS = {
    NumberFault.TOO_SHORT: SearchHint.NUMBER_TOO_SHORT,
    NumberFault.TOO_LONG: SearchHint.NUMBER_TOO_LONG,
    NumberFault.UNKNOWN_COUNTRY: SearchHint.NUMBER_NOT_VALID,
    NumberFault.NOT_VALID: SearchHint.NUMBER_NOT_VALID,
}


def understand(text: str, region: str, receipt_prefixes: Collection[str] = ()) -> Entry:
    """What ``text`` is. ``region``: the store's, ISO 3166 alpha-2, for national phone numbers. ``receipt_prefixes``:
    those of the stores whose receipts may come back (``LON1``; a receipt may add ``R-`` before); with none given, any
    prefix with a letter in it will do. Never raises.

    The order is the safety: what belongs to the ID check first, then the card detector, then what the shapes say."""
    if is_aamva(text):
        return AamvaEntry(text)
    if len(text.strip()) > _LONGEST:
        return SearchEntry("", SearchHint.TEXT_TOO_LONG)
    signs = _tidy(text)
    if not signs:
        return NothingEntry()
    if (zone := _as_mrz(signs)) is not None:
        return zone
    if (badge := _as_badge(signs)) is not None:
        return badge
    if looks_like_card(signs):
        return CardNumberRefused()
    if (receipt := _as_receipt(signs, receipt_prefixes)) is not None:
        return receipt
    return _as_number(signs, region)


def understand_as(kind: EntryKind, text: str, region: str) -> Entry | None:
    """``text`` as what the clerk says it is; None when it cannot be that. A card number stays refused whatever they
    say.

    Never raises."""
    if is_aamva(text):
        return AamvaEntry(text)
    if len(text.strip()) > _LONGEST:
        return None
    signs = _tidy(text)
    if not signs:
        return NothingEntry()
    if kind is EntryKind.MRZ:
        return _as_mrz(signs)
    if kind is EntryKind.BADGE:
        return _as_badge(signs) or _as_badge("B:" + signs)
    if looks_like_card(signs):
        return CardNumberRefused()
    try:
        match kind:
            case EntryKind.PHONE:
                return PhoneEntry(parse_phone(signs, region))
            case EntryKind.SIM:
                return IccidEntry(parse_iccid(signs))
            case EntryKind.DEVICE:
                return ImeiEntry(parse_imei(signs))
            case EntryKind.RECEIPT:
                return ReceiptEntry(signs.upper()) if _RECEIPT.fullmatch(signs.upper()) else None
            case _:
                return SearchEntry(signs)
    except NotANumber:
        return None


def _tidy(text: str) -> str:
    return " ".join(plain(text).split())


def _as_mrz(signs: str) -> MrzEntry | None:
    zone = mrz.joined(signs)
    try:
        return MrzEntry(zone, mrz.format_of(zone))
    except mrz.NotMrz:
        pass
    if not _part_of_mrz(zone) or looks_like_card(signs):
        return None
    return MrzEntry(zone, None)


def _part_of_mrz(zone: str) -> bool:
    """One line of several, a zone with a sign lost, a scan broken off: somebody's name and number all the same."""
    fillers = zone.count("<") >= 2 and (len(zone) >= _SHORTEST_LINE or _FIRST_LINE.match(zone) is not None)
    return fillers or _SECOND_LINE.fullmatch(zone) is not None


def _as_badge(signs: str) -> BadgeEntry | None:
    match = _BADGE.fullmatch(signs.upper())
    return BadgeEntry(match["staff"]) if match else None


def _as_receipt(signs: str, prefixes: Collection[str]) -> ReceiptEntry | None:
    number = signs.upper().replace(" ", "")
    match = _RECEIPT.fullmatch(number)
    if match is None:
        return None
    prefix = match["prefix"].removeprefix("R-")
    ours = prefix in {known.upper() for known in prefixes} if prefixes else not prefix.isdigit()
    return ReceiptEntry(number) if ours else None


def _as_number(signs: str, region: str) -> Entry:
    compact = re.sub(r"[ ./_:-]", "", signs).upper()
    if any(rule(normalise(signs)) is NumberCheck.HOLDS for rule in _IDENTITY_RULES):
        return SearchEntry(signs, SearchHint.IDENTITY_NUMBER)
    if re.fullmatch(r"(ICCID)?89[0-9]{16,18}F?", compact):
        try:
            return IccidEntry(parse_iccid(compact))
        except NotANumber:
            return SearchEntry(signs, SearchHint.SIM_NOT_RIGHT)
    if re.fullmatch(r"(IMEI)?[0-9]{15}", compact):
        try:
            return ImeiEntry(parse_imei(compact))
        except NotANumber:
            pass
    try:
        return PhoneEntry(parse_phone(signs, region))
    except NotANumber as fault:
        return SearchEntry(signs, _PHONE_HINTS.get(fault.reason))
