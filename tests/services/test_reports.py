"""X, Z and the closings of a store: one set of figures, frozen once, and nothing that comes later changes them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from pos.domain.closings import Period, days_of
from pos.domain.errors import DayAlreadyClosed, DayNotOver, NotAllowed, NotFound
from pos.domain.money import Money
from pos.domain.tills import Desk
from pos.services import closings, day_reports, exports, shifts, z_reports
from pos.store import closings as closing_rows
from pos.store import shifts as rows
from pos.store.db import db, reading
from tests.conftest import StandingClock
from tests.engines import thief
from tests.services.shop import Shop, findings
from tests.services.test_shifts import close, pay_back, sell, z
from tools.check_export import Checker


def frozen(shop: Shop, shift_id: int | None) -> dict[str, Any]:
    assert shift_id is not None
    found: dict[str, Any] = json.loads(z(shop, shift_id).figures)
    return found


def close_period(shop: Shop, period: Period, day: date, staff: str = "201") -> closings.Closed:
    with shop.app.app_context():
        return closings.close(period, day, shop.desk("LON2", staff), kit=shop.kit)


def today(shop: Shop) -> date:
    return shop.desk().store.business_day(shop.kit.now())


def x(shop: Shop, desk: Desk) -> dict[str, Any]:
    with shop.app.app_context(), reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        assert shift is not None
        return day_reports.figures(session, shift)


# ---------------------------------------------------------------- X and Z


def test_a_z_says_by_carrier_and_plan_what_was_sold_and_what_it_cost(shop: Shop, desk: Desk) -> None:
    for _ in range(2):
        sell(shop, desk, "cash", refuse=False)
    figures = frozen(shop, close(shop, desk, 11_600))
    (row,) = figures["sold"]
    assert (row["carrier"], row["count"], row["price"]) == ("sandbox", 2, 1600)
    cost = shop.ask("select sum(cost_minor), sum(face_minor) from renewals")[0]
    assert (row["cost"], row["face"]) == cost
    assert figures["customers"] == figures["sales"] == 2


def test_what_the_last_z_called_in_doubt_is_resolved_in_the_next_and_never_in_the_last(shop: Shop, desk: Desk) -> None:
    shop.misbehave("pending_then_done", seconds=3600)
    sale_id = sell(shop, desk, "cash", refuse=False)
    receipt = shop.sale(sale_id).receipt_number
    first = close(shop, desk, 10_800, 10_000)
    said = frozen(shop, first)
    assert [row[0] for row in said["in_doubt"]] == [receipt]
    assert said["unknown_since"].startswith("2026-11-21T12:00")
    shop.open_shift(desk)
    shop.ask_until_it_is_known()
    second = frozen(shop, close(shop, desk, 10_000))
    assert second["resolved"] == [[receipt, "confirmed", 800]]
    assert second["in_doubt"] == []
    assert frozen(shop, first) == said


def test_money_that_goes_back_later_stands_in_the_next_z_under_its_own_title(shop: Shop, desk: Desk) -> None:
    shop.misbehave("refuse")
    sale_id = sell(shop, desk, "cash", refuse=False)
    first = close(shop, desk, 10_800, 10_000)
    before = z(shop, first or 0)
    shop.open_shift(desk)
    pay_back(shop, sale_id, desk)
    second = close(shop, desk, 9_200)
    after = z(shop, first or 0)
    assert (before.figures, before.document) == (after.figures, after.document)
    receipt = shop.sale(sale_id).receipt_number
    assert frozen(shop, second)["late_refunds"] == [[receipt, 800]]
    assert f"{receipt} refunded" in z(shop, second or 0).document
    assert "Late corrections" not in before.document


def test_wrong_pins_and_agreements_are_counted_from_z_to_z(shop: Shop, desk: Desk) -> None:
    from pos.domain.errors import CounterError
    from pos.services import staff

    for _ in range(2):
        with shop.app.app_context(), pytest.raises(CounterError):
            staff.sign_in(desk.store, desk.till, "201", "000000", kit=shop.kit)
    assert x(shop, desk)["failed_pins"] == 2
    assert frozen(shop, close(shop, desk, 10_000))["failed_pins"] == 2
    shop.open_shift(desk)
    assert frozen(shop, close(shop, desk, 10_000))["failed_pins"] == 0


def test_a_z_is_printed_again_as_a_numbered_copy_and_stays_as_it_is(shop: Shop, desk: Desk) -> None:
    shift_id = close(shop, desk, 10_000) or 0
    before = z(shop, shift_id)
    with shop.app.app_context():
        with pytest.raises(NotAllowed):
            z_reports.print_copy(shift_id, desk, kit=shop.kit)
        with pytest.raises(NotFound):
            z_reports.print_copy(shift_id, shop.desk("HKG1", "801"), kit=shop.kit)
        numbers = [z_reports.print_copy(shift_id, shop.desk("LON2", "201"), kit=shop.kit) for _ in range(2)]
    assert numbers == [1, 2]
    jobs = shop.ask("select copy_number, document from print_jobs where kind = 'copy' order by id")
    assert [number for number, _ in jobs] == [1, 2]
    assert "COPY 2" in jobs[1][1]
    assert z(shop, shift_id).own_hash == before.own_hash


# ---------------------------------------------------------------- the store's day


def day_of_two_tills(shop: Shop) -> None:
    for till, staff, sold in (("LON1", "101", 2), ("LON2", "102", 1)):
        at = shop.desk(till, staff)
        shop.open_shift(at)
        for _ in range(sold):
            sell(shop, at, "cash", refuse=False)
        assert close(shop, at, 10_000 + 800 * sold - 50, 10_000 - 50) is not None


def test_a_day_is_the_sum_of_its_zs_and_a_month_and_a_year_of_their_days(shop: Shop, clock: StandingClock) -> None:
    day_of_two_tills(shop)
    first = close_period(shop, Period.DAY, today(shop))
    assert (first.number, first.figures["gross"], first.figures["sales"]) == ("D-LON-000001", 2400, 3)
    assert (first.figures["difference"], first.figures["cash"]["sale"]) == (-100, 2400)
    assert [row[1] for row in first.figures["zs"]] == ["Z-LON1-000001", "Z-LON2-000001"]
    clock.pass_time(days=2)
    shop.open_shift(shop.desk())
    sell(shop, shop.desk(), "cash", refuse=False)
    close(shop, shop.desk(), 10_800)
    second = close_period(shop, Period.DAY, today(shop))
    assert (second.number, second.figures["opening_total"], second.figures["grand_total"]) == ("D-LON-000002", 2400, 3200)
    clock.pass_time(days=60)
    month = close_period(shop, Period.MONTH, date(2026, 11, 5))
    assert (month.number, month.figures["gross"], len(month.figures["days"])) == ("M-LON-000001", 3200, 3)
    assert month.figures["days"][-1][1] == "2026-11-30", "the last day is closed with the month, sales or none"
    year = close_period(shop, Period.YEAR, date(2026, 1, 1))
    assert (year.number, year.figures["gross"], year.figures["sold"]) == ("Y-LON-000001", 3200, month.figures["sold"])
    assert findings(shop.app) == []


def test_an_open_drawer_is_named_and_its_z_belongs_to_the_next_closing(shop: Shop, desk: Desk, clock: StandingClock) -> None:
    sell(shop, desk, "cash", refuse=False)
    first = close_period(shop, Period.DAY, today(shop))
    assert (first.figures["gross"], first.figures["zs"]) == (0, [])
    assert first.figures["open_shifts"] == [["LON1", 1, "2026-11-21"]]
    clock.pass_time(days=1)
    close(shop, desk, 10_800)
    second = close_period(shop, Period.DAY, today(shop))
    assert [row[:3] for row in second.figures["zs"]] == [["LON1", "Z-LON1-000001", "2026-11-21"]]
    assert second.figures["open_shifts"] == []


def test_a_period_is_closed_once_in_order_and_not_before_it_is_over(shop: Shop) -> None:
    day = today(shop)
    for period, when in ((Period.DAY, day + timedelta(days=1)), (Period.MONTH, day), (Period.YEAR, day)):
        with pytest.raises(DayNotOver):
            close_period(shop, period, when)
    close_period(shop, Period.DAY, day)
    for when in (day, day - timedelta(days=1)):
        with pytest.raises(DayAlreadyClosed, match="D-LON-000001"):
            close_period(shop, Period.DAY, when)
    assert shop.ask("select count(*) from closings") == [(1,)]


@pytest.mark.parametrize("staff", ["101", "102"])
def test_a_clerk_closes_no_day(shop: Shop, staff: str) -> None:
    with pytest.raises(NotAllowed):
        close_period(shop, Period.DAY, today(shop), staff)


@pytest.mark.parametrize(
    ("period", "day", "first", "end"),
    [
        (Period.MONTH, date(2028, 2, 10), date(2028, 2, 1), date(2028, 2, 29)),
        (Period.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (Period.YEAR, date(2026, 2, 28), date(2026, 1, 1), date(2026, 12, 31)),
        (Period.DAY, date(2026, 3, 29), date(2026, 3, 29), date(2026, 3, 29)),
    ],
)
def test_the_days_of_a_period(period: Period, day: date, first: date, end: date) -> None:
    assert days_of(period, day) == (first, end)


@pytest.mark.parametrize(
    ("zone", "starts", "at", "day"),
    [
        ("Pacific/Kiritimati", 0, datetime(2026, 12, 31, 10, 30, tzinfo=UTC), date(2027, 1, 1)),
        ("Pacific/Pago_Pago", 0, datetime(2027, 1, 1, 10, 30, tzinfo=UTC), date(2026, 12, 31)),
        ("Europe/London", 240, datetime(2026, 12, 1, 3, 30, tzinfo=UTC), date(2026, 11, 30)),
        ("Europe/London", 240, datetime(2026, 3, 29, 2, 30, tzinfo=UTC), date(2026, 3, 28)),
        ("Europe/London", 240, datetime(2026, 3, 29, 3, 0, tzinfo=UTC), date(2026, 3, 29)),
    ],
)
def test_a_z_belongs_to_the_business_day_of_its_shift_in_every_zone(
    shop: Shop, clock: StandingClock, zone: str, starts: int, at: datetime, day: date
) -> None:
    with shop.by_hand() as connection:
        connection.execute(text("update stores set zone = :zone, day_starts_minutes = :starts"), {"zone": zone, "starts": starts})
    clock.moment = at
    desk = shop.desk()
    shop.open_shift(desk)
    close(shop, desk, 10_000)
    closed = close_period(shop, Period.DAY, day)
    assert [row[2] for row in closed.figures["zs"]] == [day.isoformat()]


# ---------------------------------------------------------------- nobody changes them


def test_a_closing_cannot_be_rewritten_and_verify_names_it(shop: Shop, folder: Path, to_be_found: list[str]) -> None:
    day_of_two_tills(shop)
    close_period(shop, Period.DAY, today(shop))
    with pytest.raises(IntegrityError), shop.by_hand() as connection:
        connection.execute(text("update closings set figures = replace(figures, '2400', '1600')"))
    with thief(folder, "closings") as connection:
        connection.execute("update closings set figures = replace(figures, '2400', '1600')")
    found = findings(shop.app)
    assert any(sentence.startswith("D-LON-000001: ") for sentence in found), found
    to_be_found.extend(found)


def test_people_outside_can_check_the_closings(shop: Shop) -> None:
    day_of_two_tills(shop)
    close_period(shop, Period.DAY, today(shop))
    with shop.app.app_context():
        lines = list(exports.lines(None, None, kit=shop.kit))
    counts = Checker(None, set()).run(lines)
    assert (counts["z"], counts["closing"]) == (2, 1)


def test_a_day_over_twenty_tills_asks_as_often_as_one_over_two(shop: Shop) -> None:
    def statements() -> int:
        asked: list[str] = []

        def listen(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
            asked.append(statement)

        with shop.app.app_context():
            event.listen(db.engine, "before_cursor_execute", listen)
            try:
                closings.close(Period.DAY, today(shop), manager, kit=shop.kit)
            finally:
                event.remove(db.engine, "before_cursor_execute", listen)
        return len(asked)

    manager = shop.desk("LON2", "201")
    day_of_two_tills(shop)
    few = statements()
    shop.clock.pass_time(days=1)
    from pos.services import tills

    for number in range(18):
        with shop.app.app_context():
            tills.add_till("LON", f"LT{number}", f"Till {number}", "counter", kit=shop.kit)
        at = shop.desk(f"LT{number}")
        shop.open_shift(at)
        assert close(shop, at, 10_000) is not None
    many = statements()
    with shop.app.app_context(), reading() as session:
        last = session.scalars(select(closing_rows.Closing).order_by(closing_rows.Closing.id.desc())).first()
        assert last is not None and len(json.loads(last.figures)["zs"]) == 18
    assert many <= few + 1, f"{few} statements for two tills, {many} for twenty"
    with shop.app.app_context():
        assert shifts.proposed_float(manager) == Money(9_950, "GBP")
