"""The end of the day: counted blind, closed, and shown in full to those entitled only."""

from __future__ import annotations

import pytest

from tests.journeys.browser import Till
from tests.journeys.live_shop import LiveShop

pytestmark = pytest.mark.browser


def count(till: Till, pieces: dict[int, int], left: str = "100.00") -> None:
    till.page.goto(f"{till.shop.url}/shift/close")
    till.screen("pieces_5000")
    for minor, number in pieces.items():
        till.page.fill(f"#pieces_{minor}", str(number))
    till.page.fill("#card_total", "0.00")
    till.page.fill("#card_count", "0")
    till.page.fill("#left_in_drawer", left)
    till.page.click("main form button[type=submit]")


def test_a_clerk_counts_blind(till: Till, shop: LiveShop) -> None:
    """100.00 float and a sale of 8.00: 108.00 is in no answer that the clerk's browser gets."""
    heard: list[str] = []
    till.page.on("load", lambda page: heard.append(page.content()))
    till.ready_to_pay().cash(800).expect("Paid. The plan is active.")
    till.next_customer()
    count(till, {2000: 6})
    till.expect("Please count again.").screen()
    assert "-8.00" not in till.text and "12.00" not in till.text
    count(till, {2000: 5, 500: 1, 200: 1, 100: 1})
    till.page.wait_for_url("**/shift/closed/*")
    till.expect("Shift 1 is closed.").screen()
    shown = till.text
    assert "108.00" in shown, "the slip repeats what was counted"
    assert "Expected" not in till.pdf(), "the clerk's PDF is the clerk's slip"
    before = [page for page in heard if "Shift 1 is closed." not in page]
    assert not [page for page in before if "108.00" in page and "pieces" not in page]
    assert not [page for page in heard if "Expected" in page or "Difference" in page]

    answer = till.page.goto(f"{shop.url}/shift/x")
    assert answer is not None and answer.status == 403

    till.page.goto(f"{shop.url}/shift/closed/1")
    till.press("F8")
    till.page.wait_for_url("**/sign-in")
    till.sign_in("201")
    till.page.goto(f"{shop.url}/shift/closed/1")
    till.expect("Shift 1 is closed.").screen()
    assert "108.00" in till.text and ("Expected" in till.text or "expected" in till.text)
    assert "expected" in till.pdf().lower()
    assert shop.papers(3)[-1].cut, "the clerk's slip"


def test_the_next_shift_begins_with_what_was_left(till: Till) -> None:
    count(till, {2000: 5}, left="60.00")
    till.expect("Shift 1 is closed.")
    till.page.goto(f"{till.shop.url}/shift/open")
    till.screen("float_amount")
    assert till.page.input_value("#float_amount") == "60.00"
