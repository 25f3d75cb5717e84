"""The day a sale belongs to: the shop's own wall clock moved back by the cut, also when the clock itself jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.tills import business_day

FOUR = timedelta(hours=4)
NOUGHT = timedelta()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "cut", "day"),
    [
        # A kiosk that is open at night: its day changes at four.
        ("2026-11-21 19:59:59", "Asia/Hong_Kong", FOUR, date(2026, 11, 21)),
        ("2026-11-21 20:00:00", "Asia/Hong_Kong", FOUR, date(2026, 11, 22)),
        ("2026-11-21 16:00:00", "Asia/Hong_Kong", FOUR, date(2026, 11, 21)),
        ("2026-11-21 23:59:59", "Europe/London", NOUGHT, date(2026, 11, 21)),
        ("2026-11-22 00:00:00", "Europe/London", NOUGHT, date(2026, 11, 22)),
        # Summer time: midnight in London is 23:00 UTC.
        ("2026-07-01 22:59:59", "Europe/London", NOUGHT, date(2026, 7, 1)),
        ("2026-07-01 23:00:00", "Europe/London", NOUGHT, date(2026, 7, 2)),
        # The clock goes forward at 01:00 UTC on 29 March: a day of 23 hours keeps its cut at four.
        ("2026-03-29 02:59:59", "Europe/London", FOUR, date(2026, 3, 28)),
        ("2026-03-29 03:00:00", "Europe/London", FOUR, date(2026, 3, 29)),
        # It goes back at 01:00 UTC on 25 October: a day of 25 hours keeps it too.
        ("2026-10-25 03:59:59", "Europe/London", FOUR, date(2026, 10, 24)),
        ("2026-10-25 04:00:00", "Europe/London", FOUR, date(2026, 10, 25)),
        # Both 01:30 of that night belong to the same day.
        ("2026-10-25 00:30:00", "Europe/London", FOUR, date(2026, 10, 24)),
        ("2026-10-25 01:30:00", "Europe/London", FOUR, date(2026, 10, 24)),
        # The ends of the earth.
        ("2026-11-21 11:00:00", "Etc/GMT+11", NOUGHT, date(2026, 11, 21)),
        ("2026-11-21 10:59:59", "Etc/GMT+11", NOUGHT, date(2026, 11, 20)),
        ("2026-11-21 09:59:59", "Pacific/Kiritimati", NOUGHT, date(2026, 11, 21)),
        ("2026-11-21 10:00:00", "Pacific/Kiritimati", NOUGHT, date(2026, 11, 22)),
        ("2026-11-21 18:14:59", "Asia/Kathmandu", NOUGHT, date(2026, 11, 21)),
        ("2026-11-21 18:15:00", "Asia/Kathmandu", NOUGHT, date(2026, 11, 22)),
        ("2027-01-01 03:59:00", "UTC", FOUR, date(2026, 12, 31)),
    ],
)
def test_the_day_of_a_moment(moment: str, zone: str, cut: timedelta, day: date) -> None:
    assert business_day(at(moment), zone, cut) == day


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Hong_Kong", "Pacific/Niue", "Pacific/Kiritimati", "America/New_York"])
def test_a_year_of_hours_has_each_day_once_and_in_order(zone: str) -> None:
    hours = [at("2026-01-01") + timedelta(hours=n) for n in range(366 * 24)]
    days = [business_day(hour, zone, FOUR) for hour in hours]
    assert days == sorted(days)
    lengths = {days.count(day) for day in set(days[48:-48])}
    assert lengths <= {23, 24, 25}
    assert (lengths == {24}) == (zone not in ("Europe/London", "America/New_York"))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.integers(-11, 14))
def test_the_same_moment_has_one_day_whatever_zone_it_is_written_in(naive: datetime, hours: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    zone = f"Etc/GMT{-hours:+d}"
    assert business_day(moment, "Europe/London", FOUR) == business_day(moment.astimezone(ZoneInfo(zone)), "Europe/London", FOUR)
    assert business_day(moment, zone, NOUGHT) == (moment + timedelta(hours=hours)).date()
