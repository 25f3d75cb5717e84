"""Cash without a sale, counts in between, handover, and a close that nobody and nothing outside can hold up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pos.app import DEMO_PINS, press
from pos.domain.errors import (
    ApproverRefused,
    CountIncomplete,
    DifferenceIsYours,
    NotAllowed,
    OnePersonTwice,
    OverMovementLimit,
    ReasonUnknown,
    ShiftOfToday,
    StaleForm,
)
from pos.domain.money import Money
from pos.domain.shifts import Movement
from pos.domain.tills import Desk
from pos.sandbox.printer import VirtualPrinter
from pos.services import closing, counts, differences, drawer, payments, print_jobs, printers, shifts
from pos.services.approvals import Approval
from pos.store import shifts as rows
from pos.store.db import reading
from tests.services.shop import Shop
from tests.services.test_shifts import close, sell, x_figures, z

MANAGER = Approval("seen", "201", DEMO_PINS["201"])


def wish(kind: Movement, minor: int, code: str = "correction", note: str = "", press: str | None = None) -> drawer.Wish:
    code = "full" if kind is Movement.DROP and code == "correction" else code
    return drawer.Wish(press or str(uuid4()), kind, Money(minor, "GBP"), code, note)


def move(shop: Shop, desk: Desk, wanted: drawer.Wish, agreed: Approval | None = None) -> None:
    with shop.app.app_context():
        drawer.move_cash(wanted, desk, kit=shop.kit, agreed=agreed)


def close_with(shop: Shop, desk: Desk, minor: int, **said: object) -> int | None:
    with shop.app.app_context():
        return shifts.close_shift(
            shifts.Count({1: minor}, None, None, None),
            "looked everywhere",
            desk,
            kit=shop.kit,
            **said,  # type: ignore[arg-type]
        )


def balance(shop: Shop, account: str) -> int:
    sql = "select coalesce(sum(case when debit = :a then amount_minor when credit = :a then -amount_minor else 0 end), 0)"
    return int(shop.ask(f"{sql} from ledger_transfers", a=account)[0][0])


# ---------------------------------------------------------------- money without a sale


@pytest.mark.parametrize(
    ("kind", "account", "drawer_now", "other"),
    [
        (Movement.PAID_IN, "petty_cash", 13_000, -3_000),
        (Movement.PAID_OUT, "petty_cash", 7_000, 3_000),
        (Movement.DROP, "safe", 7_000, 3_000),
    ],
)
def test_money_moves_between_the_drawer_and_its_place_with_slip_and_pulse(
    shop: Shop, desk: Desk, kind: Movement, account: str, drawer_now: int, other: int
) -> None:
    move(shop, desk, wish(kind, 3_000, note="two rolls"))
    assert shop.shift().expected_minor == drawer_now == balance(shop, "drawer")
    assert balance(shop, account) == other
    assert shop.ask("select kind from print_jobs order by id") == [("drawer",), ("slip",)]
    assert shop.ask("select count(*) from journal where kind = 'drawer.moved'") == [(1,)]
    assert "30.00" in shop.ask("select document from print_jobs where kind = 'slip'")[0][0]


def test_the_same_press_again_writes_nothing_and_another_wish_under_it_is_refused(shop: Shop, desk: Desk) -> None:
    first = wish(Movement.DROP, 2_000)
    move(shop, desk, first)
    move(shop, desk, first)
    with pytest.raises(StaleForm):
        move(shop, desk, wish(Movement.DROP, 3_000, press=first.request_id))
    assert shop.shift().expected_minor == 8_000
    assert shop.ask("select count(*) from print_jobs") == [(2,)]


@pytest.mark.parametrize(("code", "note"), [("nonsense", "x"), ("other", ""), ("other", "  "), ("full", "")])
def test_a_reason_comes_from_the_list_and_another_one_is_told(shop: Shop, desk: Desk, code: str, note: str) -> None:
    with pytest.raises(ReasonUnknown):
        move(shop, desk, wish(Movement.PAID_OUT, 500, code, note))
    assert shop.shift().expected_minor == 10_000


def test_above_the_limit_a_manager_agrees_at_the_clerks_till(shop: Shop, desk: Desk) -> None:
    with pytest.raises(OverMovementLimit):
        move(shop, desk, wish(Movement.PAID_IN, 10_001))
    with pytest.raises(ApproverRefused):
        move(shop, desk, wish(Movement.PAID_IN, 10_001), Approval("", "201", "111222"))
    with pytest.raises(ApproverRefused):
        move(shop, desk, wish(Movement.PAID_IN, 10_001), Approval("", "102", DEMO_PINS["102"]))
    assert shop.shift().expected_minor == 10_000
    move(shop, desk, wish(Movement.PAID_IN, 10_000))
    move(shop, desk, wish(Movement.PAID_IN, 10_001), MANAGER)
    agreed = shop.ask("select s.number from cash_movements m left join staff s on s.id = m.approved_by where m.kind = 'paid_in'")
    assert agreed == [(None,), ("201",)]


def test_what_is_taken_out_was_there_so_the_books_never_fall_below_zero_and_say_nothing(shop: Shop, desk: Desk) -> None:
    """The answer to a clerk is the same whether the books hold enough or not; the surplus stands on the Z."""
    move(shop, desk, wish(Movement.DROP, 9_900))
    move(shop, desk, wish(Movement.PAID_OUT, 500))
    assert shop.shift().expected_minor == 0
    figures = x_figures(shop, desk)
    assert figures["cash"] == {
        "float": 10_000,
        "sale": 0,
        "change": 0,
        "refund": 0,
        "paid_in": 0,
        "paid_out": 500,
        "drop": 9_900,
        "surplus": 400,
        "no_sale": 0,
    }
    assert balance(shop, "over_short") == -400


def test_a_no_sale_wants_two_people_and_the_z_counts_it(shop: Shop, desk: Desk) -> None:
    manager = shop.desk(staff="201")
    with shop.app.app_context():
        with pytest.raises(OnePersonTwice):
            drawer.open_without_sale(str(uuid4()), "check", MANAGER, manager, kit=shop.kit)
        with pytest.raises(ApproverRefused):
            drawer.open_without_sale(str(uuid4()), "check", Approval("", "102", DEMO_PINS["102"]), desk, kit=shop.kit)
        press = str(uuid4())
        for _ in range(2):
            drawer.open_without_sale(press, "check", Approval("", "201", DEMO_PINS["201"]), desk, kit=shop.kit)
    assert shop.ask("select kind from print_jobs") == [("drawer",)]
    assert shop.ask("select count(*) from journal where kind = 'drawer.opened'") == [(1,)]
    shift_id = close(shop, desk, 10_000)
    assert shift_id is not None
    assert json.loads(z(shop, shift_id).figures)["no_sale_openings"] == 1
    assert "Drawer openings without sale" in z(shop, shift_id).document


# ---------------------------------------------------------------- counts and handover


def test_a_count_in_between_is_kept_and_only_a_manager_sees_what_it_means(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        counts.count_drawer({100: 97}, desk, kit=shop.kit)
        with pytest.raises(CountIncomplete):
            counts.count_drawer({}, desk, kit=shop.kit)
        with pytest.raises(NotAllowed):
            counts.made(desk)
        (seen,) = counts.made(shop.desk(staff="201"))
    assert (seen.counted.minor, seen.difference.minor) == (9_700, -300)
    assert shop.shift().state.value == "open"


def test_a_handover_names_both_and_the_same_shift_goes_on(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        with pytest.raises(OnePersonTwice):
            counts.hand_over({100: 100}, "101", DEMO_PINS["101"], desk, kit=shop.kit)
        with pytest.raises(ApproverRefused):
            counts.hand_over({100: 100}, "102", "999000", desk, kit=shop.kit)
        counts.hand_over({100: 100}, "102", DEMO_PINS["102"], desk, kit=shop.kit)
        picture, in_charge = shifts.current(desk), counts.in_charge(desk)
    other = shop.desk(staff="102")
    assert picture is not None
    assert (picture.number, in_charge) == (1, other.staff.name)
    assert shop.ask("select why, staff_id, taken_by from drawer_counts") == [("handover", desk.staff.id, other.staff.id)]
    (slip,) = shop.ask("select document from print_jobs where kind = 'slip'")
    assert desk.staff.name in slip[0]
    assert other.staff.name in slip[0]
    move(shop, other, wish(Movement.DROP, 1_000))
    assert shop.ask("select shift_id, staff_id from cash_movements where kind = 'drop'") == [(shop.shift().id, other.staff.id)]


# ---------------------------------------------------------------- closing


def test_a_large_difference_closes_without_a_manager_and_is_approved_later_by_another_one(shop: Shop, desk: Desk) -> None:
    assert close_with(shop, desk, 8_000) is None
    shift_id = close_with(shop, desk, 8_000, code="wrong_change")
    assert shift_id is not None
    before = z(shop, shift_id)
    assert json.loads(before.figures)["approval"] == {"state": "open", "by": ""}
    assert "difference not approved" in before.document
    manager = shop.desk("LON2", "201")
    with shop.app.app_context():
        with pytest.raises(NotAllowed):
            differences.waiting(desk)
        (one,) = differences.waiting(manager)
        assert (one.difference.minor, one.note) == (-2_000, "looked everywhere")
        differences.approve_later(shift_id, "clerk showed the slip", manager, kit=shop.kit)
        with pytest.raises(StaleForm):
            differences.approve_later(shift_id, "again", manager, kit=shop.kit)
        assert differences.waiting(manager) == []
    after = z(shop, shift_id)
    assert (before.figures, before.document, before.signature) == (after.figures, after.document, after.signature)


def test_a_manager_at_hand_approves_in_the_close_and_never_his_own(shop: Shop, desk: Desk) -> None:
    assert close_with(shop, desk, 8_000) is None
    with pytest.raises(ApproverRefused):
        close_with(shop, desk, 8_000, agreed=Approval("", "201", "000111"))
    assert shop.shift().state.value == "recount"
    shift_id = close_with(shop, desk, 8_000, code="wrong_change", agreed=MANAGER)
    assert shift_id is not None
    assert json.loads(z(shop, shift_id).figures)["approval"] == {"state": "given", "by": "201"}
    manager = shop.desk(staff="201")
    shop.open_shift(manager)
    close_with(shop, manager, 100)
    mine = close_with(shop, manager, 100)
    assert mine is not None
    with shop.app.app_context(), pytest.raises(DifferenceIsYours):
        differences.approve_later(mine, "me", manager, kit=shop.kit)


def test_a_small_difference_wants_nobody(shop: Shop, desk: Desk) -> None:
    close_with(shop, desk, 9_000)
    shift_id = close_with(shop, desk, 9_000)
    assert shift_id is not None
    assert json.loads(z(shop, shift_id).figures)["approval"] == {"state": "not_wanted", "by": ""}


def test_several_terminals_stand_on_the_z_line_by_line(shop: Shop, desk: Desk) -> None:
    batches = (shifts.Batch("T1", "0007", 3, Money(2_400, "GBP")), shifts.Batch("T2", "0112", None, Money(0, "GBP")))
    with shop.app.app_context():
        count = shifts.Count({100: 100}, None, None, None, batches)
        shift_id = shifts.close_shift(count, "", desk, kit=shop.kit)
    assert shift_id is not None
    figures = json.loads(z(shop, shift_id).figures)
    assert figures["terminals"] == [["T1", "0007", 3, 2_400], ["T2", "0112", None, 0]]
    assert (figures["terminal_total"], figures["terminal_count"]) == (2_400, 3)
    assert "0112" in z(shop, shift_id).document


def test_money_that_moves_between_the_counts_is_a_line_of_its_own(shop: Shop, desk: Desk) -> None:
    assert close(shop, desk, 5_000) is None
    shop.pass_time(60)
    sell(shop, desk, "cash", refuse=False)
    move(shop, desk, wish(Movement.DROP, 1_000))
    shift_id = close(shop, desk, 9_800)
    assert shift_id is not None
    figures = json.loads(z(shop, shift_id).figures)
    assert figures["moved_after_count"] == -200
    assert figures["counts"] == [["close", 5_000], ["close", 9_800]]


def test_a_till_that_never_stops_changes_its_shift_in_one_commit(shop: Shop, desk: Desk) -> None:
    ready = shop.ready(desk)
    assert close_with(shop, desk, 10_000, goes_on=True) is not None
    shift = shop.shift()
    assert (shift.number, shift.state.value, shift.float_minor) == (2, "open", 10_000)
    assert balance(shop, "drawer") == 10_000
    shop.take_cash(ready)
    assert shop.sale(ready.sale_id).shift_id == shift.id
    shop.work()


def test_a_shift_over_midnight_keeps_its_day_and_a_sale_has_the_day_of_its_payment(shop: Shop) -> None:
    shop.clock.moment = datetime(2026, 11, 21, 23, 50, tzinfo=UTC)
    desk = shop.desk()
    shop.open_shift(desk)
    shop.pass_time(1_200)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    assert str(shop.sale(ready.sale_id).business_day) == "2026-11-22"
    shift_id = close(shop, desk, 10_800)
    assert shift_id is not None
    assert str(z(shop, shift_id).business_day) == "2026-11-21"


def test_a_forgotten_shift_is_closed_as_not_counted_and_proposes_no_float(shop: Shop, desk: Desk) -> None:
    sell(shop, desk, "cash", refuse=False)
    manager = shop.desk("LON2", "201")
    with shop.app.app_context(), pytest.raises(ShiftOfToday):
        closing.close_uncounted(shop.shift().id, "gone home", manager, kit=shop.kit)
    shop.pass_time(24 * 3600)
    with shop.app.app_context():
        (one,) = differences.forgotten(manager, kit=shop.kit)
        with pytest.raises(NotAllowed):
            closing.close_uncounted(one.shift_id, "gone home", desk, kit=shop.kit)
        closing.close_uncounted(one.shift_id, "gone home", manager, kit=shop.kit)
        assert differences.forgotten(manager, kit=shop.kit) == []
        assert shifts.proposed_float(desk) is None, "the expected sum would be the proposal"
    figures = json.loads(z(shop, one.shift_id).figures)
    assert (figures["counted"], figures["left"], figures["z"]) == (None, 10_800, "Z-LON1-000001")
    assert "NOT COUNTED" in z(shop, one.shift_id).document
    shop.open_shift(desk, 10_500)
    assert (balance(shop, "drawer"), balance(shop, "over_short")) == (10_500, 300)


def test_a_close_waits_for_nobody(shop: Shop, desk: Desk) -> None:
    """Printer, carrier and terminal are down, and no manager is there. The printer's port takes no connections."""
    with VirtualPrinter(port=0) as gone, shop.app.app_context():
        printers.point("LON1", {"address": "127.0.0.1", "port": gone.port}, kit=shop.kit)
    shop.misbehave("pending_then_done", seconds=3600)
    sell(shop, desk, "cash", refuse=False)
    sell_card_in_doubt(shop, desk)
    shop.sandbox.stop()
    assert close_with(shop, desk, 1) is None
    shift_id = close_with(shop, desk, 1)
    assert shift_id is not None
    assert shop.shift().z_number == "Z-LON1-000001"
    put_on_paper(shop)
    jobs = shop.ask("select kind, state, reason from print_jobs")
    assert {job[1:] for job in jobs} == {("waiting", "unreachable")}, "the printer was tried"
    assert "slip" in {job[0] for job in jobs}, "it waits, and the shift is closed all the same"
    shop.sandbox.start()
    shop.ask_until_it_is_known()


def put_on_paper(shop: Shop) -> None:
    """What the worker's press does with every slip that is due, at the real transport."""
    with shop.app.app_context():
        for printer_id in print_jobs.printers_due(kit=shop.kit):
            sheet = print_jobs.take_next(printer_id, "press#1", kit=shop.kit)
            assert sheet is not None
            print_jobs.record(
                sheet, *press(sheet, lambda sheet=sheet: print_jobs.about_to_send(sheet, kit=shop.kit)), kit=shop.kit
            )


def sell_card_in_doubt(shop: Shop, desk: Desk) -> None:
    ready = shop.ready(desk, "+447700900555")
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, desk, kit=shop.kit)
        payments.card_without_result(ready.sale_id, desk, kit=shop.kit)


def test_a_proposal_to_bring_money_to_the_safe_names_no_sum(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        assert not drawer.is_full(desk)
        for _ in range(5):
            move(shop, desk, wish(Movement.PAID_IN, 9_000))
        assert drawer.is_full(desk)


def test_counts_of_every_kind_are_kept(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        drawer.move_cash(drawer.Wish(str(uuid4()), Movement.DROP, Money(2_000, "GBP"), "full", "", {1000: 2}), desk, kit=shop.kit)
        counts.count_drawer({100: 80}, desk, kit=shop.kit)
    close(shop, desk, 8_000)
    with shop.app.app_context(), reading() as session:
        found = [(row.why, row.total_minor, row.expected_minor) for row in rows.counts_of(session, shop.shift().id)]
    assert found == [("drop", 2_000, None), ("mid", 8_000, 8_000), ("close", 8_000, 8_000)]
