"""Impatient hands: double clicks, held keys, the browser's back button and its reload. One press or five, one sale."""

from __future__ import annotations

import pytest

from tests.journeys.browser import Till
from tests.journeys.live_shop import LiveShop

pytestmark = pytest.mark.browser


def at_cash(till: Till) -> Till:
    till.ready_to_pay()
    till.page.click("main a[data-key=F6]")
    till.page.wait_for_selector("#tendered")
    return till.screen("tendered").awake()


def test_a_double_click_is_one_sale_and_the_way_back_charges_nothing(till: Till, shop: LiveShop) -> None:
    at_cash(till).page.dblclick("button[name=tendered_note][value='2000']")
    till.expect("Paid. The plan is active.").screen("next")
    till.page.go_back()
    till.expect("Paid. The plan is active.").screen("next")
    till.page.go_forward()
    till.expect("Paid. The plan is active.").awake()
    till.page.click("#next", click_count=3)
    till.page.wait_for_selector("#entry")
    shop.papers(2)
    assert [title for title, _ in shop.slips()].count("Open the drawer") == 1
    assert shop.debits() == [736]


def test_a_scanners_enter_pays_nothing_and_a_held_one_pays_once(till: Till, shop: LiveShop) -> None:
    at_cash(till).page.keyboard.type("89852", delay=3)
    till.press("Enter")
    till.page.wait_for_timeout(300)
    assert till.page.input_value("#tendered") == "89852", "still here, nothing was paid"
    assert shop.debits() == []
    till.press("Control+A").type("20.00")
    for _ in range(12):
        till.page.keyboard.down("Enter")
        till.page.wait_for_timeout(60)
    till.page.keyboard.up("Enter")
    till.expect("Paid. The plan is active.").screen("next")
    assert "12.00 GBP" in till.text, "the change stays on the screen for as long as the key is held"
    assert shop.debits() == [736]


def test_a_form_from_before_the_payment_charges_nothing(till: Till, shop: LiveShop) -> None:
    """A second window still shows the paying form of a sale that is paid in the first one."""
    address = at_cash(till).page.url
    other = till.context.new_page()
    other.goto(address)
    till.page.click("button[name=tendered_note][value='2000']")
    till.expect("Paid. The plan is active.")
    other.wait_for_selector("[data-guard] [aria-disabled]", state="detached")
    other.click("button[name=tendered_note][value='5000']")
    other.wait_for_selector(".panel.money, .notice")
    assert "42.00" not in other.inner_text("main"), "no change for money that was never taken"
    other.close()
    assert shop.debits() == [736]
    shop.papers(2)


def test_every_screen_survives_a_reload(till: Till, shop: LiveShop) -> None:
    """F5 is a key of the counter and reloads nothing; the browser's own reload shows the same step again."""

    def again(selector: str, focus: str | None = None) -> None:
        till.page.wait_for_load_state("load")
        if till.page.locator("main [data-key~=F5]").count() == 0:
            till.press("F5")
        till.page.reload()
        till.page.wait_for_selector(selector)
        till.screen(focus)

    again("#entry", "entry")
    till.number()
    again("#mrz", "mrz")
    till.scan()
    again(".plans")
    till.plan()
    again(".read-back")
    till.page.click("main a[data-key=F6]")
    again("#tendered", "tendered")
    till.awake().page.click("button[name=tendered_note][value='800']")
    till.expect("Paid. The plan is active.")
    again("#progress", "next")
    for address, selector in (("/search", "#query"), ("/printing", "#recent-title"), ("/shift/close", "#pieces-title")):
        till.page.goto(till.shop.url + address)
        again(selector)
    assert shop.debits() == [736]
