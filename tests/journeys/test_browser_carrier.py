"""When the carrier is silent, and when it refuses: what the clerk reads, what the customer gets, where the money is."""

from __future__ import annotations

import pytest

from pos.sandbox import escpos_reader
from pos.sandbox.faults import Fault
from tests.journeys.browser import Till
from tests.journeys.live_shop import LiveShop, is_paper_of, wait_until

pytestmark = pytest.mark.browser


def test_a_silent_carrier_holds_nobody_up_and_is_asked_until_it_tells(till: Till, shop: LiveShop) -> None:
    """+44 7700 900 501 is late: the money moves at once, the answer comes after our patience is over. Asking fails too."""
    shop.carrier.carrier.faults.add(Fault("error_500", where="find"))
    till.ready_to_pay("07700 900501").cash(2000)
    till.expect("Paid. Activating now, normally under 30 seconds.").screen()
    till.expect("The money is recorded. Do not charge again. Hand over the interim slip.")
    till.page.wait_for_selector("#next.primary:focus")
    till.screen("next")
    assert "12.00 GBP" in till.text, "the change is due although the carrier is silent"
    assert "C-LON1-000001" in till.text, "the case number that the customer quotes"
    drawer, interim = shop.papers(2)
    assert drawer.drawer and "BEING CONFIRMED" in shop.slips()[1][0].upper()
    assert is_paper_of(interim, shop.documents()[0])

    till.next_customer().screen("entry")
    assert "1 activation unfinished" in till.text
    till.ready_to_pay("07700 900124").cash(800).expect("Paid. The plan is active.").screen("next")
    till.next_customer()

    till.page.click("section:has(#unfinished-title) ul.sales a")
    till.expect("The money is recorded. Do not charge again.").screen("next")
    shop.carrier.carrier.faults.clear()
    shop.pass_time(minutes=1)
    till.expect("Paid. The plan is active.").screen("next")
    assert len(shop.debits()) == 2, "one for each customer"
    confirmation = shop.papers(5)[-1]
    assert "ACTIVATION CONFIRMED" in shop.slips()[-1][0].upper()
    assert is_paper_of(confirmation, shop.documents()[-1])
    till.next_customer().screen("entry")
    assert "unfinished" not in till.page.inner_text("main").lower()


def test_refused_and_given_back(till: Till, shop: LiveShop) -> None:
    """+44 7700 900 521 may not be renewed: the sentence names the amount, one button gives it back."""
    till.ready_to_pay("07700 900521").cash(2000)
    till.expect("Not activated. Give back 8.00 GBP.").screen().awake()
    assert "Refund due" in till.text
    till.page.click("#refund")
    till.expect("Not activated. 8.00 GBP was given back.").screen("next")
    papers = shop.papers(4)
    assert [len(escpos_reader.read(paper.data).drawers) for paper in papers].count(1) == 2, "for the sale and for the refund"
    assert is_paper_of(papers[-1], shop.documents()[-1])
    assert "REFUND" in shop.slips()[-1][0].upper()
    assert shop.debits() == []

    till.page.reload()
    till.expect("Not activated. 8.00 GBP was given back.").screen()
    assert till.page.locator("#refund").count() == 0, "once"


def test_a_paper_jam_never_holds_a_sale_back(till: Till, shop: LiveShop) -> None:
    shop.printer.set_condition("paper_out")
    till.ready_to_pay().cash(2000).expect("Paid. The plan is active.")
    till.expect("The sale is valid without paper.").screen()
    assert "The paper is used up: put in a new roll." in till.text
    shop.printer.set_condition("ready")
    shop.pass_time(seconds=30)
    wait_until(lambda: shop.slips()[-1][1] == "printed", "the receipt comes out by itself")
    assert shop.debits() == [736]
