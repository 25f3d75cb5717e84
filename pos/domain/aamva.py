"""The barcode on the back of North American licences and identity cards: PDF417 text after the AAMVA card design standard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class AamvaField(StrEnum):
    """The fields a fault can name."""

    NUMBER = "document_number"
    NAMES = "names"
    BIRTH_DATE = "birth_date"
    EXPIRY_DATE = "expiry_date"


class NotAamva(ValueError):
    """The text is no such barcode. The message never carries what was read."""


@dataclass(frozen=True)
class Licence:
    """What the barcode says. ``country`` US or CA; ``is_licence`` False for an identity card; ``missing`` the fields that are not
    there or are no date."""

    country: str
    jurisdiction: str
    is_licence: bool
    number: str = field(repr=False)
    name: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    expires_on: date | None = field(repr=False)
    missing: tuple[AamvaField, ...] = ()

    @property
    def reads_right(self) -> bool:
        return not self.missing


# File type, issuer, version of the standard, jurisdiction's version (from the second on), number of subfiles, and the first
# subfile's kind. Scanners drop or replace the control signs before it, and some write the older file type AAMVA.
_HEADER = re.compile(r"(?:ANSI ?|AAMVA)(?P<issuer>[0-9]{6})(?P<version>[0-9]{2})[0-9]{2,4}(?P<kind>DL|ID)?")

# Issuers of Canada (AAMVA's list of issuer identification numbers); before version 3 nothing else tells the country.
_CANADIAN = frozenset(
    ["636028", "604432", "636048", "636017", "636016", "636013", "604433", "636012", "604426", "604428", "636044"]
    + ["604429", "604430", "604427"]
)

# An element: three letters at the start of a line, and its text. The first one stands right behind the subfile's own DL or ID.
_ELEMENT = re.compile(r"(D[A-D][A-Z])(.*)")
_UNKNOWN = ("", "NONE", "UNAVL", "UNAVAIL")


def is_aamva(text: str) -> bool:
    """Whether a text begins as such a barcode does."""
    return _HEADER.search(text[:60]) is not None


def read(text: str) -> Licence:
    """Read a barcode as a scanner sent it, one element on a line. Raises NotAamva.

    A barcode corrects its own errors, so there are no check digits here: what arrives is right, or a piece of it is missing."""
    header = _HEADER.search(text[:60])
    if header is None:
        raise NotAamva("no header")
    found = _elements(text[header.start() :])
    canadian = found.get("DCG", "") == "CAN" or ("DCG" not in found and header["issuer"] in _CANADIAN)
    name = _name(found)
    number, born, ends = found.get("DAQ", ""), _day(found.get("DBB", "")), _day(found.get("DBA", ""))
    said = {
        AamvaField.NUMBER: number,
        AamvaField.NAMES: name,
        AamvaField.BIRTH_DATE: born,
        # Some jurisdictions issue cards without end and write no date (DBA of fillers); a date that is none is a fault.
        AamvaField.EXPIRY_DATE: ends or found.get("DBA", "missing") in _UNKNOWN,
    }
    return Licence(
        country="CA" if canadian else "US",
        jurisdiction=found.get("DAJ", ""),
        is_licence="DL" in (header["kind"] or _kind(text)),
        number=number,
        name=name,
        birth_date=born,
        expires_on=ends,
        missing=tuple(one for one, value in said.items() if not value),
    )


def _kind(text: str) -> str:
    return "DL" if re.search(r"DL(?=D[A-D][A-Z])", text) else "ID"


def _elements(text: str) -> dict[str, str]:
    """Element -> its text; of two the first counts."""
    found: dict[str, str] = {}
    for number, line in enumerate(re.split(r"[\r\n\x1e\x1c\x1d]+", text)):
        if number == 0 or re.match(r"(?:DL|ID)D[A-D][A-Z]", line):
            # The header's line, or a subfile's: the element follows the last DL or ID that one can follow.
            parts = re.split(r"(?:DL|ID)(?=D[A-D][A-Z])", line)
            line = parts[-1] if len(parts) > 1 else ""
        match = _ELEMENT.match(line)
        if match is not None:
            value = match[2].strip().upper()
            found.setdefault(match[1], "" if value in _UNKNOWN else value)
    return found


def _name(found: dict[str, str]) -> str:
    """First names, then the family name; the first version wrote all of them into one element, family name first."""
    if "DAA" in found and "DCS" not in found:
        family, _, first = found["DAA"].replace("@", ",").partition(",")
        return " ".join(f"{first.replace(',', ' ')} {family}".split())
    first = found.get("DAC") or found.get("DCT", "").replace(",", " ")
    return " ".join(f"{first} {found.get('DAD', '')} {found.get('DCS') or found.get('DAB', '')}".split())


def _day(signs: str) -> date | None:
    """MMDDCCYY as the United States write it, CCYYMMDD as Canada and the first version do; None for what is no day."""
    if not re.fullmatch("[0-9]{8}", signs):
        return None
    first = (signs[4:], signs[:2], signs[2:4]) if signs[:2] <= "12" else (signs[:4], signs[4:6], signs[6:])
    try:
        return date(*(int(part) for part in first))
    except ValueError:
        return None
