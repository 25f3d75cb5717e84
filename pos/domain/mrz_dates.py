"""Dates of a machine readable zone: two-digit years, and births of which a part is unknown."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

# A Spanish identity card without end prints 01 01 9999 (Real Decreto 1553/2005, article 6), which would read as 1999.
_WITHOUT_END = {("ESP", "990101"): date(9999, 1, 1)}


@dataclass(frozen=True, repr=False)
class PartialDate:
    """A birth date of which each part may be unknown (Doc 9303 part 3, section 4.8)."""

    year: int | None
    month: int | None
    day: int | None

    @property
    def complete(self) -> date | None:
        """The date, when every part is known."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)

    def age_on(self, today: date) -> int | None:
        """Whole years on ``today``; the lower of two when the birthday is unknown, None without a year. Never below
        0."""
        if self.year is None:
            return None
        latest = (self.month or 12, self.day or 31)
        return max(0, today.year - self.year - ((today.month, today.day) < latest))

    def __repr__(self) -> str:
        return "PartialDate(...)"


def read_birth(signs: str, today: date) -> PartialDate | None:
    """``YYMMDD`` with unknown parts as ``<<`` or, for month and day, 00; None when it is no date.

    The century is the later one that does not put the birth after ``today``: a customer of 100 and one of 0 look
    alike, so the clerk sees the age."""
    if not re.fullmatch(r"([0-9]{2}|<<)([0-9]{2}|<<)([0-9]{2}|<<)", signs):
        return None
    year, month, day = (None if part == "<<" else int(part) for part in (signs[:2], signs[2:4], signs[4:]))
    month, day = month or None, day or None
    if year is not None:
        year += today.year - today.year % 100
        if (year, month or 1, day or 1) > (today.year, today.month, today.day):
            year -= 100
    return PartialDate(year, month, day) if _possible(year, month, day) else None


def _possible(year: int | None, month: int | None, day: int | None) -> bool:
    if year is not None and not 1 <= year <= 9999:
        return False
    if month is not None and month > 12:
        return False
    if day is None:
        return True
    # 2000 was a leap year: a day that fits no known year and month must still fit some.
    return day <= calendar.monthrange(year or 2000, month or 1)[1]


def read_expiry(signs: str, state: str, today: date) -> date | None:
    """``YYMMDD`` as the date nearest to ``today``, from 50 years before to 49 after; None when it is no date."""
    if (state, signs) in _WITHOUT_END:
        return _WITHOUT_END[state, signs]
    if not re.fullmatch("[0-9]{6}", signs):
        return None
    year = today.year - today.year % 100 + int(signs[:2])
    if year > today.year + 49:
        year -= 100
    elif year < today.year - 50:
        year += 100
    try:
        return date(year, int(signs[2:4]), int(signs[4:]))
    except ValueError:
        return None
