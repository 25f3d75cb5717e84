"""The two ways to pay, by mouse, from the first page of a new browser to the paper in the customer's hand."""

from __future__ import annotations

import pytest

from pos.sandbox import escpos_reader
from tests.journeys.browser import Till
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop, is_paper_of

pytestmark = pytest.mark.browser


def test_cash_from_an_unknown_browser_to_the_receipt(open_till: OpenTill, shop: LiveShop) -> None:
    till = open_till().enrol("LON1").sign_in("101").open_shift("100.00")
    till.number("07700 900123").scan().plan("Lyca Data 7 days 8 GB").screen()
    assert "+44 7700 900 123" in till.text
    assert "8.00 GBP" in till.text

    till.cash(2000).expect("Paid. The plan is active.").screen("next")
    assert "LON1-000001" in till.text
    assert "12.00 GBP" in till.text, "the change"
    assert "900 123" not in till.page.inner_text("main"), "the number is masked as soon as it is paid"
    assert shop.debits() == [736]

    drawer, receipt = shop.papers(2)
    assert drawer.drawer and drawer.png is None
    assert len(escpos_reader.read(drawer.data).drawers) == 1
    job = escpos_reader.read(receipt.data)
    assert not job.drawers and len(job.cuts) == 1
    assert any(isinstance(event, escpos_reader.Raster) for event in job.events)
    assert is_paper_of(receipt, shop.documents()[0])
    assert "LON1-000001" in till.pdf()

    till.next_customer().screen("entry")
    assert "LON1-000001" in till.text, "the last sale stands beside the field"
    for trace in ("LON1-000001", "07700 900123"):
        till.page.goto(f"{shop.url}/search")
        till.page.fill("#query", trace)
        till.page.press("#query", "Enter")
        till.page.wait_for_selector("#results-title")
        assert "LON1-000001" in till.page.inner_text("ul.sales"), trace
    till.page.click("ul.sales a")
    till.expect("Confirmed by the carrier").screen()


def test_card_from_the_terminals_slip(till: Till, shop: LiveShop) -> None:
    till.ready_to_pay().awake()
    till.page.click("main button[data-key=F7]")
    till.page.wait_for_selector("#authorisation")
    till.screen("scheme").awake()
    till.page.select_option("#scheme", "VISA")
    till.page.fill("#last4", "4242")
    till.page.fill("#slip_number", "0017")
    till.page.click("main form:has(#authorisation) button[type=submit]")
    till.page.wait_for_selector(".field-error")
    till.screen().awake()
    assert till.page.input_value("#last4") == "4242", "what was typed stays"
    assert shop.debits() == []

    till.page.fill("#authorisation", "A1B2C3")
    till.page.click("main form:has(#authorisation) button[type=submit]")
    till.expect("Paid. The plan is active.").screen("next")
    assert "VISA •••• 4242" in till.text
    assert shop.debits() == [736]
    (receipt,) = shop.papers(1)
    assert not receipt.drawer, "a card never opens the drawer"
    assert "A1B2C3" in till.pdf()
