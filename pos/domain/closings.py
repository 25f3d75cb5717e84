"""Closings of a whole store: a day over its tills' Zs, a month and a year over its days."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from enum import StrEnum


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


_LETTER = {Period.DAY: "D", Period.MONTH: "M", Period.YEAR: "Y"}


def number_text(period: Period, store_code: str, sequence: int) -> str:
    """As printed: ``D-LON-000042``. Gapless per store and period."""
    return f"{_LETTER[period]}-{store_code}-{sequence:06d}"


def days_of(period: Period, day: date) -> tuple[date, date]:
    """(first, last) business day of the period that a day belongs to."""
    if period is Period.DAY:
        return day, day
    if period is Period.MONTH:
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return date(day.year, 1, 1), date(day.year, 12, 31)


def name_of(period: Period, day: date) -> str:
    """How people write the period: ``2026-11-21``, ``2026-11``, ``2026``."""
    return day.isoformat()[: {Period.DAY: 10, Period.MONTH: 7, Period.YEAR: 4}[period]]
