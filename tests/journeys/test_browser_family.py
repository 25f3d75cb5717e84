"""A family in a real browser: by keys alone, and once more with scripts off."""

from __future__ import annotations

import pytest

from tests.journeys.browser import Till
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop

pytestmark = pytest.mark.browser


def add(till: Till, number: str, plan: str) -> None:
    """One more number from the read-back screen, by keys."""
    till.page.keyboard.press("F3")
    till.page.wait_for_selector("form.one-field #entry:focus")
    till.screen("entry")
    till.page.keyboard.type(number)
    till.page.keyboard.press("Enter")
    till.page.wait_for_selector(".plans")
    till.plan(plan).screen()


def test_three_numbers_one_payment_and_one_refused(till: Till, shop: LiveShop) -> None:
    till.ready_to_pay()
    add(till, "07700 900521", "Lyca Data 1 day 1 GB")
    add(till, "07700 900601", "LEB short stay 5 days 6 GB")
    assert "18.00 GBP" in till.text and "3 numbers" in till.text
    till.cash(2000).expect("2 of 3 plans are active. Give back 2.00 GBP.")
    assert sorted(shop.debits()) == [736, 736]
    till.awake().page.click("#refund")
    till.expect("2 of 3 plans are active. The rest of the money was given back.").screen()
    titles = [title for title, _ in shop.slips() if title]
    assert [title.split(" LON1")[0] for title in titles if "SEE EACH" in title] == ["PAID - SEE EACH NUMBER"]


def test_a_family_without_scripts(open_till: OpenTill, shop: LiveShop) -> None:
    from pos.app import DEMO_PINS
    from tests.journeys.browser import passport

    till = open_till(scripts=False).enrol("LON1")
    page = till.page
    page.check("input[value='101']")
    page.fill("#pin", DEMO_PINS["101"])
    page.click("main button[type=submit]")
    page.click("main a[href='/shift/open']")
    page.fill("#float_amount", "100.00")
    page.click("main button[type=submit]")
    till.number("07700 900123")
    page.fill("#mrz", "\n".join(passport()))
    page.check("#matches_person")
    page.click("main form:has(#mrz) button[type=submit]")
    page.click("main button:has-text('Lyca Data 7 days 8 GB')")
    page.click("#another")
    page.fill("#entry", "07700 900124")
    page.press("#entry", "Enter")
    page.click("main button:has-text('Lyca Data 1 day 1 GB')")
    page.click("#another")
    page.fill("#entry", "07700 900601")
    page.press("#entry", "Enter")
    page.click("main form[action$='/drop'] >> nth=2 >> button")
    page.click("main a[data-key=F6]")
    page.fill("#tendered", "10.00")
    page.press("#tendered", "Enter")
    till.expect("Paid. All 2 plans are active.")
    assert sorted(shop.debits()) == [184, 736]
