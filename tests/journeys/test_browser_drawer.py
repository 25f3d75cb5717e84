"""A clerk's whole day at the drawer, with a difference that a manager looks at later; by keyboard where a hand would."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from pos.app import DEMO_PINS
from pos.store.db import reading
from pos.store.shifts import Shift
from tests.journeys.browser import Till
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop

pytestmark = pytest.mark.browser


def go(till: Till, path: str, focus: str | None = None) -> None:
    till.page.goto(till.shop.url + path)
    till.screen(focus)


def change_person(till: Till, staff: str) -> None:
    till.press("F8")
    till.page.wait_for_url("**/sign-in")
    till.sign_in(staff)


def pay_out(till: Till) -> None:
    go(till, "/shift/close", "pieces_5000")
    till.press("F7")
    till.page.wait_for_url("**/shift/drawer")
    till.screen()
    till.press("Alt+2")
    till.page.wait_for_url("**/shift/drawer/out")
    till.screen("amount")
    till.type("12.50").page.select_option("#code", "supplies")
    till.page.fill("#reason", "two rolls of paper")
    till.page.click("main button[type=submit]")
    till.page.wait_for_url("**/shift/drawer?done=out")


def bring_to_the_safe(till: Till) -> None:
    """Three notes by keyboard: Enter goes down, the sum follows."""
    go(till, "/shift/drawer/safe", "pieces_5000")
    till.type("1").press("Enter")
    till.type("1").press("Enter")
    assert till.page.input_value("#amount") == "70.00"
    till.page.click("main button[type=submit]")
    till.page.wait_for_url("**/shift/drawer?done=safe")


def hand_over(till: Till) -> None:
    go(till, "/shift/handover", "pieces_5000")
    till.page.fill("#pieces_1000", "2")
    till.page.select_option("#taker", "102")
    till.page.fill("#approver_pin", DEMO_PINS["102"])
    till.page.click("main button[type=submit]")
    till.page.wait_for_url("**/shift/drawer?done=handed-over")


def close(till: Till, pieces: dict[int, str], **more: str) -> None:
    go(till, "/shift/close", "pieces_5000")
    for minor, number in pieces.items():
        till.page.fill(f"#pieces_{minor}", number)
    for name, text in {"card_terminal": "T1", "card_batch": "0007", "card_total": "0", "card_count": "0", **more}.items():
        till.page.fill(f"#{name}", text)
    till.page.click("main form button[type=submit]")


def test_a_day_at_the_drawer_with_a_difference(till: Till, shop: LiveShop) -> None:
    """100.00 + 8.00 - 12.50 - 70.00 = 25.50 should be there; 10.00 are."""
    till.ready_to_pay().cash(800).expect("Paid. The plan is active.")
    till.next_customer()
    pay_out(till)
    bring_to_the_safe(till)
    go(till, "/shift/count", "pieces_5000")
    till.page.fill("#pieces_1000", "2")
    till.page.click("main button[type=submit]")
    till.page.wait_for_url("**/shift/drawer?done=counted")
    assert "25.50" not in till.text
    hand_over(till)
    change_person(till, "102")
    go(till, "/shift/drawer")
    assert "In charge of the drawer" in till.text
    close(till, {1000: "1"}, left_in_drawer="10.00")
    till.expect("Please count again.").screen()
    close(till, {1000: "1"}, left_in_drawer="10.00", reason="nobody knows")
    till.page.wait_for_url("**/shift/closed/*")
    till.expect("Shift 1 is closed.").screen()
    assert "25.50" not in till.text and "15.50" not in till.text
    change_person(till, "201")
    go(till, "/shifts/differences")
    till.expect("-15.50 GBP")
    till.page.fill("main input[name=reason]", "the clerk shows where it fell")
    till.page.click("main button:has-text('Approve the difference')")
    till.expect("No difference waits").screen()
    titles = [title for title, _ in shop.slips()]
    assert [title.split(" ")[0] for title in titles].count("SAFE") == 1
    assert any(title.startswith("DRAWER HANDED OVER") for title in titles)
    shop.papers(len(shop.slips()))


def test_a_kiosk_hands_over_and_changes_its_shift_over_midnight(till: Till, shop: LiveShop) -> None:
    """From noon to after midnight: the strip announces the new day, the shift is changed, and a sale goes on into the new one."""
    till.ready_to_pay()
    shop.pass_time(hours=12, minutes=20)
    till.page.goto(till.shop.url)
    if "/sign-in" in till.page.url:
        till.sign_in("101")
    till.expect("Customer's number")
    assert "A new business day" in till.text
    go(till, "/shift/close", "pieces_5000")
    till.page.fill("#pieces_5000", "2")
    till.page.fill("#left_in_drawer", "100.00")
    till.page.check("#goes_on")
    till.page.click("main form button[type=submit]")
    till.page.wait_for_url("**/shift/closed/*")
    till.expect("Shift 1 is closed.")
    go(till, "/")
    assert "Shift 2 open" in till.text and "A new business day" not in till.text
    till.ready_to_pay("07700 900124").cash(800).expect("Paid. The plan is active.")


NEW_DAY = "A new business day"


def days_of_shifts(shop: LiveShop) -> list[tuple[int, date, str, int]]:
    """(number, business day, state, sales) of every shift, oldest first."""
    with shop.app.app_context(), reading() as session:
        rows = session.scalars(select(Shift).order_by(Shift.id))
        return [(row.number, row.business_day, row.state.value, row.sales_count) for row in rows]


def back_at_the_till(till: Till, staff: str) -> None:
    """After hours in which nobody pressed anything, the till asks who is there."""
    till.page.goto(till.shop.url)
    if "/sign-in" in till.page.url:
        till.sign_in(staff)
    till.screen()


def test_a_kiosk_that_cuts_at_four_is_handed_over_at_midnight(open_till: OpenTill, shop: LiveShop) -> None:
    """Eight in the evening in Hong Kong. Midnight is no new day there: the drawer changes hands and the shift goes on. At four
    the next day begins, the shift is changed without a pause, and what was sold at five past three is yesterday's."""
    evening, morning = date(2026, 11, 21), date(2026, 11, 22)
    till = open_till().enrol("HKG1").sign_in("302").open_shift("1000.00")
    till.ready_to_pay("5550 1234").cash().expect("Paid. The plan is active.")

    shop.pass_time(hours=4, minutes=15)
    back_at_the_till(till, "302")
    assert NEW_DAY not in till.text and "Shift 1 open" in till.text
    go(till, "/shift/handover", "pieces_100000")
    till.page.fill("#pieces_10000", "10")
    till.page.select_option("#taker", "301")
    till.page.fill("#approver_pin", DEMO_PINS["301"])
    till.page.click("main button[type=submit]")
    till.page.wait_for_url("**/shift/drawer?done=handed-over")
    till.screen()

    shop.pass_time(hours=2, minutes=50)
    change_person(till, "301")
    till.ready_to_pay("5550 1235").cash()
    till.page.wait_for_selector(".panel.money")
    assert days_of_shifts(shop) == [(1, evening, "open", 2)]

    shop.pass_time(hours=1)
    back_at_the_till(till, "301")
    till.page.locator("#strip-day").wait_for()
    go(till, "/shift/close", "pieces_100000")
    for minor, pieces in {100000: "1", 10000: "1", 5000: "1", 500: "1", 100: "1"}.items():
        till.page.fill(f"#pieces_{minor}", pieces)
    for name, typed in {"card_total": "0", "card_count": "0", "left_in_drawer": "1000.00"}.items():
        till.page.fill(f"#{name}", typed)
    till.page.check("#goes_on")
    till.page.click("main form button[type=submit]")
    till.page.wait_for_url("**/shift/closed/*")
    till.screen()
    back_at_the_till(till, "301")
    assert till.page.locator("#strip-day").count() == 0
    till.ready_to_pay("5550 1236").cash()
    till.page.wait_for_selector(".panel.money")
    assert days_of_shifts(shop) == [(1, evening, "closed", 2), (2, morning, "open", 1)]
