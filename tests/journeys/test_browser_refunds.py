"""After a refusal: the money back to a card by way of its terminal, or another renewal for the same money. By mouse and keys."""

from __future__ import annotations

import pytest

from tests.journeys.browser import Till
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop

pytestmark = pytest.mark.browser


def card_refused(till: Till) -> Till:
    till.ready_to_pay("07700 900521").awake()
    till.page.click("main button[data-key=F7]")
    till.page.wait_for_selector("#authorisation")
    till.awake().page.select_option("#scheme", "VISA")
    for field, text in (("last4", "4242"), ("authorisation", "A1B2C3"), ("slip_number", "0017")):
        till.page.fill(f"#{field}", text)
    till.page.click("main form:has(#authorisation) button[type=submit]")
    till.page.wait_for_selector("#refund")
    return till


def test_back_to_the_card_by_keys(till: Till, shop: LiveShop) -> None:
    card_refused(till).expect("Not activated. Give back 8.00 GBP.")
    till.page.wait_for_selector("#replace:focus")
    till.screen("replace").awake().press("F6")
    till.page.wait_for_selector("#refunded")
    till.screen("authorisation").awake()
    till.page.click("#no-result")
    till.page.wait_for_selector("#missing")
    till.screen("authorisation").awake()
    till.page.click("#missing")
    till.expect("The terminal gave nothing back.").awake().press("F6")
    till.page.wait_for_selector("#declined")
    till.awake().type("R7T8").press("Tab").type("0018").press("Enter")
    till.expect("Not activated. 8.00 GBP was given back.").screen("next")
    assert shop.debits() == []
    assert "REFUND" in shop.slips()[-1][0].upper()


def test_another_number_for_the_same_money_by_keys(till: Till, shop: LiveShop) -> None:
    till.ready_to_pay("07700 900521").cash(2000).expect("Not activated. Give back 8.00 GBP.")
    till.page.wait_for_selector("#replace:focus")
    till.awake().press("Enter")
    till.page.wait_for_selector(".plans")
    till.expect("What does the customer want for the same 8.00 GBP?").screen().awake()
    till.page.fill("#entry", "07700 900124")
    till.page.click("main .plan:has-text('Lyca Data 7 days 8 GB')")
    till.page.wait_for_selector("#agreed")
    till.screen("agreed").awake()
    assert "+44 7700 900 124" in till.text
    till.press("Enter")
    till.expect("Paid. The plan is active.").screen("next")
    assert "Give change" in till.text and "12.00 GBP" in till.text
    assert shop.debits() == [736]
    assert "ACTIVATION CONFIRMED LON1-000001" in shop.slips()[-1][0].upper()


def test_a_manager_gives_cash_for_a_card(open_till: OpenTill, shop: LiveShop) -> None:
    till = open_till().enrol("LON1").sign_in("201").open_shift()
    card_refused(till).screen().awake()
    till.page.click("summary:has-text('The card cannot get it back')")
    till.page.fill("#reason", "a gift card that is used up")
    till.page.click("#in-cash")
    till.expect("Not activated. 8.00 GBP was given back.").screen("next")
    assert shop.debits() == []
