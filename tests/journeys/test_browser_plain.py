"""Scripts off: the same renewal as plain forms."""

from __future__ import annotations

import pytest

from pos.app import DEMO_PINS
from tests.journeys.browser import passport
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop

pytestmark = pytest.mark.browser


def test_a_cash_renewal_without_scripts(open_till: OpenTill, shop: LiveShop) -> None:
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
    page.click("main a[data-key=F6]")
    page.fill("#tendered", "5")
    page.click("main form[data-guard] button.primary")
    page.wait_for_selector(".field-error")
    assert page.input_value("#tendered") == "5"
    assert shop.debits() == [], "too little books nothing"
    page.fill("#tendered", "20.00")
    page.press("#tendered", "Enter")
    till.expect("Paid. The plan is active.")
    assert "12.00 GBP" in till.text
    assert shop.debits() == [736]
    shop.papers(2)
    assert "LON1-000001" in till.pdf()
