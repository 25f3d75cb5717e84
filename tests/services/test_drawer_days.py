"""Random days of a drawer: X = Z = sum of movements = ledger, whatever happened; and the business day on every side of a cut."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pos.app import DEMO_PINS
from pos.domain.money import Money
from pos.domain.shifts import Movement
from pos.domain.tills import Desk
from pos.services import counts, drawer, shifts
from pos.services.approvals import Approval
from tests.services.shop import Shop, findings
from tests.services.test_shifts import NUMBERS, pay_back, sell, x_figures, z

MOVES = {"in": (Movement.PAID_IN, "change", 1), "out": (Movement.PAID_OUT, "supplies", -1), "safe": (Movement.DROP, "full", -1)}
SMALL = st.integers(1, 15_000)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["in", "out", "safe"]), SMALL),
        st.tuples(st.sampled_from(["count", "handover"]), st.integers(0, 300)),
        st.tuples(st.sampled_from(["no_sale", "change_shift"]), st.integers(-90, 90)),
        st.tuples(st.sampled_from(["cash", "card", "refused"]), st.integers(0, 1_200)),
        st.tuples(st.just("close"), st.integers(-3_000, 3_000)),
    ),
    min_size=2,
    max_size=9,
)


@dataclass
class Notepad:
    """What a person beside the till would have written down of the open shift."""

    cash: int
    moved: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0, "safe": 0})
    surplus: int = 0
    no_sales: int = 0
    gross: int = 0
    refunds: int = 0

    def move(self, kind: str, minor: int) -> None:
        after = self.cash + MOVES[kind][2] * minor
        self.surplus += max(0, -after)
        self.cash = max(0, after)
        self.moved[kind] += minor


def balance(shop: Shop) -> int:
    signed = "case when debit = 'drawer' then amount_minor when credit = 'drawer' then -amount_minor else 0 end"
    return int(shop.ask(f"select coalesce(sum({signed}), 0) from ledger_transfers")[0][0])


@settings(
    max_examples=8,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS)
def test_whatever_happens_x_z_movements_and_ledger_are_one(shop: Shop, events: list[tuple[str, int]]) -> None:
    desk = shop.desk()
    shop.open_shift(desk, 5_000)
    note, frozen = Notepad(5_000), {}
    for kind, number in events:
        closed = happens(shop, desk, note, kind, number)
        if closed is not None:
            report = z(shop, closed)
            frozen[closed] = (report.figures, report.document, report.own_hash, report.signature)
            note = Notepad(shop.shift().float_minor)
        compare(shop, desk, note)
    assert close(shop, desk, note, 0) is not None
    for shift_id, before in frozen.items():
        after = z(shop, shift_id)
        assert (after.figures, after.document, after.own_hash, after.signature) == before
    assert findings(shop.app) == []


def compare(shop: Shop, desk: Desk, note: Notepad) -> None:
    figures = x_figures(shop, desk)
    cash = figures["cash"]
    assert isinstance(cash, dict)
    assert figures["expected"] == note.cash == shop.shift().expected_minor == balance(shop)
    assert (cash["paid_in"], cash["paid_out"], cash["drop"]) == (note.moved["in"], note.moved["out"], note.moved["safe"])
    assert (cash["surplus"], figures["no_sale_openings"]) == (note.surplus, note.no_sales)
    assert (figures["gross"], figures["refunds"]) == (note.gross, note.refunds)
    inward = cash["float"] + cash["sale"] + cash["paid_in"] + cash["surplus"]
    assert inward - cash["change"] - cash["refund"] - cash["paid_out"] - cash["drop"] == note.cash


def happens(shop: Shop, desk: Desk, note: Notepad, kind: str, number: int) -> int | None:
    """One event at the till, and on the notepad; the id of a shift that it closed."""
    with shop.app.app_context():
        if kind in MOVES:
            movement, code, _ = MOVES[kind]
            wish = drawer.Wish(str(uuid4()), movement, Money(number, "GBP"), code)
            drawer.move_cash(wish, desk, kit=shop.kit, agreed=Approval("", "201", DEMO_PINS["201"]))
            note.move(kind, number)
        elif kind == "count":
            counts.count_drawer({100: number}, desk, kit=shop.kit)
        elif kind == "handover":
            counts.hand_over({100: number}, "102", DEMO_PINS["102"], desk, kit=shop.kit)
        elif kind == "no_sale":
            agreed = Approval("", "201", DEMO_PINS["201"])
            drawer.open_without_sale(str(uuid4()), "check", agreed, desk, kit=shop.kit)
            note.no_sales += 1
    if kind in ("cash", "card", "refused"):
        _sell(shop, desk, note, kind, number)
    if kind in ("close", "change_shift"):
        return close(shop, desk, note, number, opens=True, goes_on=kind == "change_shift")
    return None


def _sell(shop: Shop, desk: Desk, note: Notepad, kind: str, extra: int) -> None:
    refused = kind == "refused"
    sale_id = sell(shop, desk, "card" if kind == "card" else "cash", refused, extra)
    shop.sandbox.carrier.faults.clear()
    note.gross += 800
    note.cash += 0 if kind == "card" else 800
    if refused:
        pay_back(shop, sale_id, desk)
        note.refunds, note.cash = note.refunds + 800, note.cash - 800


def close(shop: Shop, desk: Desk, note: Notepad, difference: int, *, opens: bool = False, goes_on: bool = False) -> int | None:
    """Count as often as is asked for; what is left begins the next shift."""
    counted, x = max(0, note.cash + difference), x_figures(shop, desk)
    count = shifts.Count({1: counted}, None, None, Money(counted // 2, "GBP"))
    with shop.app.app_context():
        closed = None
        while closed is None:
            closed = shifts.close_shift(count, "", desk, kit=shop.kit, goes_on=goes_on)
    figures = json.loads(z(shop, closed).figures)
    assert {key: figures[key] for key in x} == x
    assert (figures["counted"], figures["difference"], figures["left"]) == (counted, counted - note.cash, counted // 2)
    assert balance(shop) == counted // 2
    if opens and not goes_on:
        shop.open_shift(desk, counted // 2)
    return closed


# ---------------------------------------------------------------- the business day

FOUR = timedelta(hours=4)
NOUGHT = timedelta()


@pytest.mark.parametrize(
    ("opened", "paid", "zone", "cut", "days"),
    [
        # A shift over the cut keeps the day of its opening; the sale has the day of its payment.
        ("2026-11-30 19:00", "2026-11-30 20:00", "Asia/Hong_Kong", FOUR, ("2026-11-30", "2026-12-01")),
        ("2026-11-30 16:30", "2026-11-30 19:59", "Asia/Hong_Kong", FOUR, ("2026-11-30", "2026-11-30")),
        ("2026-12-31 23:59", "2027-01-01 00:00", "Europe/London", NOUGHT, ("2026-12-31", "2027-01-01")),
        # Summer time begins: the day of 23 hours still ends at four; and ends: both 01:30 belong to the old day.
        ("2027-03-28 02:59", "2027-03-28 03:00", "Europe/London", FOUR, ("2027-03-27", "2027-03-28")),
        ("2027-10-31 00:30", "2027-10-31 01:30", "Europe/London", FOUR, ("2027-10-30", "2027-10-30")),
        ("2027-10-31 03:59", "2027-10-31 04:00", "Europe/London", FOUR, ("2027-10-30", "2027-10-31")),
        ("2026-12-01 10:59", "2026-12-01 11:00", "Etc/GMT+11", NOUGHT, ("2026-11-30", "2026-12-01")),
        ("2026-12-31 09:59", "2026-12-31 10:00", "Pacific/Kiritimati", NOUGHT, ("2026-12-31", "2027-01-01")),
        ("2027-02-28 09:59", "2027-02-28 10:00", "Pacific/Kiritimati", NOUGHT, ("2027-02-28", "2027-03-01")),
    ],
)
def test_the_day_of_a_shift_is_that_of_its_opening_and_the_day_of_a_sale_that_of_its_payment(
    shop: Shop, opened: str, paid: str, zone: str, cut: timedelta, days: tuple[str, str]
) -> None:
    shop.clock.moment = _utc(opened)
    desk = shop.desk()
    desk = replace(desk, store=replace(desk.store, zone=zone, day_starts=cut))
    shop.open_shift(desk)
    shop.clock.moment = _utc(paid)
    ready = shop.ready(desk, next(NUMBERS))
    shop.take_cash(ready)  # and not sent: the carrier's clock stands where it stood
    with shop.app.app_context():
        closed = shifts.close_shift(shifts.Count({100: 108}, None, None, None), "", desk, kit=shop.kit)
    assert closed is not None
    assert str(z(shop, closed).business_day) == days[0]
    assert str(shop.sale(ready.sale_id).business_day) == days[1]
    assert shop.ask("select distinct business_day from ledger_transfers where code = 'paid'")[0][0] in (days[1], _date(days[1]))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _date(text: str) -> object:
    return datetime.fromisoformat(text).date()
