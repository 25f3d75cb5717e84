"""A manager's evening: the acquirer's file read in, two items found, and none left open, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from pos.app import DEMO_PINS
from pos.domain.payments import CardSlip
from pos.services import payments
from tests.conftest import StandingClock
from tests.journeys.browser import Till
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop
from tests.services.shop import Shop

pytestmark = pytest.mark.browser


def sell_by_card(shop: LiveShop, count: int) -> list[str]:
    """Sales of 8.00; the acquirer's lines of them."""
    behind, lines = Shop(shop.app, shop.carrier, cast(StandingClock, shop.clock)), []
    desk = behind.desk()
    for place in range(count):
        ready = behind.ready(desk, number=f"+4477009001{place:02d}")
        slip = CardSlip("VISA", f"424{place}", f"70000{place}", f"{place}")
        with shop.app.app_context():
            payments.begin_card(ready.sale_id, ready.quote, desk, kit=shop.kit)
            payments.take_card(ready.sale_id, slip, desk, kit=shop.kit)
        lines.append(f"{shop.clock.now():%Y-%m-%d,%H:%M:%S},8.00,,70000{place},424{place}")
    return lines


def settle(till: Till, words: str) -> None:
    """The item that has the focus, decided by two people."""
    till.press("Enter")
    till.expect("Decide together").screen()
    till.page.check(f'label:has-text("{words}") input')
    till.page.fill("#reference", "acquirer's letter of 21 November")
    till.page.fill("#approver_number", "102")
    till.page.fill("#approver_pin", DEMO_PINS["102"])
    till.page.wait_for_timeout(500)  # the page ignores a press that was meant for the one before
    till.page.click('button:has-text("Decide together")')
    till.page.wait_for_url("**/reconciliation?day=*")


@pytest.mark.parametrize("scripts", [True, False])
def test_down_to_zero_open_items(open_till: OpenTill, shop: LiveShop, tmp_path: Path, scripts: bool) -> None:
    till = open_till(scripts=scripts).enrol("LON1").sign_in("101").open_shift()
    lines = sell_by_card(shop, 4)
    lines[1] = lines[1].replace("8.00,,", "7.88,0.12,")
    lines[2] = lines[2].replace("8.00,,", "9.00,,")
    file = tmp_path / "day.csv"
    file.write_text("\n".join(["Date,Time,Amount,Fee,Auth,Card", *lines, "TOTAL,4,,,,"]), encoding="utf-8")

    till.page.click("header button:has-text('Lock')")
    till.sign_in("201")
    till.page.click("nav >> text=Reconciliation")
    till.expect("nobody spoke of it yet").screen()
    till.page.select_option("#profile", "cards")
    till.page.set_input_files("#statement", str(file))
    till.page.wait_for_timeout(500)
    till.page.click('button:has-text("Read it in")')
    till.expect("4 new lines were read.").expect("2 items of this day are open.").screen()
    for words in ("Book it as a card fee.", "Book it to the suspense account until somebody knows."):
        if scripts:
            till.press("j")
            if "agree" in till.page.evaluate("document.activeElement.closest('tr').innerText") or "Priya Nair, " in till.text:
                till.press("j")
        else:
            till.page.locator("table.open-items th a", has_text="700001" if "fee" in words else "700002").focus()
        settle(till, words)
    till.expect("Nothing of this day is open.").screen()
    till.page.click('button:has-text("Fetch and compare")')
    till.expect("Nothing of this day is open.")
