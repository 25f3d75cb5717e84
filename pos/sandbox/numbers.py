"""Whose number is it: the ranges this carrier serves, and the SIM serial (ICCID) that stands for a number.

    +44 7700 900 000 .. 599   lyca   GB   (Ofcom's range for drama: no real subscriber is behind it)
    +44 7700 900 600 .. 999   leb    GB
    +852 5550 xxxx            lyca   HK
    +852 5560 xxxx            leb    HK

Every other number belongs to another carrier."""

from __future__ import annotations

import re
from dataclasses import dataclass

# ITU-T E.118: 89, country code, issuer, account number, Luhn digit; 19 digits in all.
_ISSUERS = {"lyca": "10", "leb": "20"}
_GB = re.compile(r"\+447700900(\d)\d\d")
_HK = re.compile(r"\+85255([56])0\d{4}")


@dataclass(frozen=True)
class Line:
    """A number of ours: E.164 with plus, ``operator`` lyca or leb, ``market`` GB or HK, ``iccid`` 19 digits."""

    number: str
    operator: str
    market: str
    currency: str
    iccid: str


def line_of(serial: str) -> Line | None:
    """The line behind an E.164 number or an ICCID; None when it is another carrier's."""
    number = _number_of(serial) if serial.startswith("89") else serial
    if match := _GB.fullmatch(number):
        operator = "lyca" if match[1] in "012345" else "leb"
        line = Line(number, operator, "GB", "GBP", _iccid(number, operator, country="44"))
    elif match := _HK.fullmatch(number):
        operator = "lyca" if match[1] == "5" else "leb"
        line = Line(number, operator, "HK", "HKD", _iccid(number, operator, country="852"))
    else:
        return None
    # A serial that only resembles one of ours (wrong issuer or check digit) is a stranger's.
    return line if serial in (line.number, line.iccid) else None


def _iccid(number: str, operator: str, country: str) -> str:
    head = "89" + country + _ISSUERS[operator]
    account = number[1 + len(country) :].rjust(18 - len(head), "0")
    return head + account + _luhn_digit(head + account)


def _number_of(iccid: str) -> str:
    """Undo ``_iccid``; text that is no serial of ours comes back as it is."""
    if match := re.fullmatch(r"8944(?:10|20)0{2}(\d{10})\d", iccid):
        return "+44" + match[1]
    if match := re.fullmatch(r"89852(?:10|20)0{3}(\d{8})\d", iccid):
        return "+852" + match[1]
    return iccid


def _luhn_digit(digits: str) -> str:
    """ISO/IEC 7812-1 annex B, the check digit that follows ``digits``."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
