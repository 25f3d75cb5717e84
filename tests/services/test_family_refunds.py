"""A family of which the carrier refused some: each line's money goes its own way back, or to another renewal, and the others
are left alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from pos.domain.errors import NothingToRefund, RefundOverLimit, WhichLine
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.refunds import RefundState
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.services import card_refunds, payments, refunds, replacements, sales
from receipts import text as as_text
from receipts.document import Document
from tests.counter import Counter
from tests.services.shop import SEVEN_DAYS, Shop, findings
from tests.services.test_family import LEB_5D, SON, slips

R = RenewalState
# The sandbox refuses these two of Lyca and LEB at once; the third goes through.
NO_LYCA, NO_LEB = "+447700900521", "+447700900921"
OTHER = "+447700900125"
SLIPS = count(1)


@pytest.fixture
def sold(shop: Shop, desk: Desk) -> str:
    """Three numbers paid by card; the carrier refused the first for 8.00 and the second for 8.00, the son has his plan."""
    ready = shop.ready_family(desk, [(NO_LYCA, SEVEN_DAYS), (NO_LEB, LEB_5D), (SON, "lyca-data-gb-1d")])
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, desk, kit=shop.kit)
        payments.take_card(ready.sale_id, CardSlip("VISA", "4242", "A1B2C3", "0017"), desk, kit=shop.kit)
    shop.work()
    assert shop.states(ready.sale_id) == [R.REFUND_DUE, R.REFUND_DUE, R.CONFIRMED]
    return ready.sale_id


def slip() -> dict[str, str]:
    return {"authorisation": "R7T8", "slip_number": f"R{next(SLIPS)}"}


def back(shop: Shop, sale: str, desk: Desk, line: str, **copied: str) -> Money:
    with shop.app.app_context():
        return refunds.pay_back(sale, desk, kit=shop.kit, renewal_id=line, **(copied or slip()))


def begin(shop: Shop, sale: str, desk: Desk, line: str | None) -> None:
    with shop.app.app_context():
        card_refunds.begin_card_refund(sale, desk, kit=shop.kit, renewal_id=line)


def test_one_line_goes_back_to_the_card_and_the_others_stay(shop: Shop, desk: Desk, sold: str) -> None:
    lyca, leb, _ = shop.lines(sold)
    begin(shop, sold, desk, leb.id)
    assert shop.states(sold) == [R.REFUND_DUE, R.REFUNDING, R.CONFIRMED]
    assert findings(shop.app) == []
    with shop.app.app_context():
        picture = sales.show(sold, desk, kit=shop.kit)
    assert picture.giving_back is not None and picture.giving_back.id == leb.id, "what is under way comes before what is owed"
    assert (picture.at_the_terminal, picture.owed) == (RefundState.REFUNDING, Money(800, "GBP"))
    assert back(shop, sold, desk, leb.id) == Money(800, "GBP")
    assert shop.states(sold) == [R.REFUND_DUE, R.REFUNDED, R.CONFIRMED]
    shift = shop.shift()
    assert (shift.refunds_minor, shift.card_refund_minor, shift.refunds_count) == (800, 800, 1)
    assert shop.ask("select renewal_id from refunds") == [(leb.id,)]
    ((document,),) = shop.ask("select document from receipt_documents where state = 'refund'")
    paper = as_text.render(Document.from_json(document), 48)
    assert leb.masked[-6:] in paper and lyca.masked[-6:] not in paper and "8.00 GBP" in paper


def test_two_lines_are_given_back_one_after_the_other(shop: Shop, desk: Desk, sold: str) -> None:
    lyca, leb, son = (line.id for line in shop.lines(sold))
    with pytest.raises(WhichLine):
        begin(shop, sold, desk, None)
    for line in (lyca, leb):
        begin(shop, sold, desk, line)
        copied = slip()
        assert back(shop, sold, desk, line, **copied) == back(shop, sold, desk, line, **copied) == Money(800, "GBP")
    assert shop.states(sold) == [R.REFUNDED, R.REFUNDED, R.CONFIRMED]
    assert shop.shift().card_refund_minor == 1600
    assert shop.ask("select receipt_number from refunds order by id") == [("R-LON1-000001",), ("R-LON1-000002",)]
    with pytest.raises(NothingToRefund):
        back(shop, sold, desk, son)


def test_a_refused_refund_of_one_line_leaves_the_other_free(shop: Shop, desk: Desk, sold: str) -> None:
    lyca, leb, _ = (line.id for line in shop.lines(sold))
    begin(shop, sold, desk, lyca)
    with shop.app.app_context():
        card_refunds.card_refund_without_result(sold, desk, kit=shop.kit, renewal_id=lyca)
    begin(shop, sold, desk, leb)
    back(shop, sold, desk, leb)
    assert shop.ask("select state from refunds order by id") == [("in_doubt",), ("refunded",)]
    with shop.app.app_context():
        picture = sales.show(sold, desk, kit=shop.kit)
        assert picture.giving_back is not None and picture.giving_back.id == lyca
        card_refunds.card_refund_is_missing(sold, desk, kit=shop.kit, renewal_id=lyca)
    assert shop.states(sold) == [R.REFUND_DUE, R.REFUNDED, R.CONFIRMED]


def test_the_limit_counts_the_whole_sale(shop: Shop, desk: Desk, sold: str) -> None:
    tight = replace(desk, store=replace(desk.store, refund_limit_minor=1000))
    lyca, leb, _ = (line.id for line in shop.lines(sold))
    back(shop, sold, tight, lyca)
    with pytest.raises(RefundOverLimit):
        begin(shop, sold, tight, leb)
    begin(shop, sold, replace(tight, staff=shop.desk(staff="201").staff), leb)
    back(shop, sold, tight, leb)


def test_one_line_is_replaced_and_another_given_back(shop: Shop, desk: Desk, sold: str) -> None:
    lyca, leb, _ = shop.lines(sold)
    with shop.app.app_context():
        new = replacements.replace_refused(sold, lyca.id, OTHER, shop.plan_id(SEVEN_DAYS, desk), desk, kit=shop.kit)
    assert shop.states(sold) == [R.PAID, R.REFUND_DUE, R.CONFIRMED], "the new one stands in the old one's place"
    shop.work()
    assert [line.id for line in shop.lines(sold)][0] == new
    assert shop.states(sold) == [R.CONFIRMED, R.REFUND_DUE, R.CONFIRMED]
    kind, paper = slips(shop, sold)[-1]
    assert kind == "slip" and "ACTIVATION CONFIRMED" in paper and "***125" in paper and "***124" not in paper
    begin(shop, sold, desk, None)
    back(shop, sold, desk, leb.id)
    with shop.app.app_context():
        picture = sales.show(sold, desk, kit=shop.kit)
    assert (picture.active_count, picture.owed, picture.giving_back) == (2, None, None)
    assert sorted(debit.number for debit in shop.debits) == sorted([OTHER, SON])


# ---------------------------------------------------------------- the screens


def test_the_terminals_pages_name_the_number(counter: Counter, shop: Shop) -> None:
    from tests.web.test_family import more

    counter.open_shift().ready_to_pay()
    more(counter, "07700 900521", 1)
    counter.card_begin().card_slip()
    counter.work()
    counter.look()
    line = {"renewal_id": counter.page.hidden("renewal_id")}
    counter.post(f"/sales/{counter.sale_id}/refund/card", line)
    assert "Give back 5.00 GBP on the terminal" in counter.page.plain and "***521" in counter.page.plain
    told = counter.get(f"/search/{counter.sale_id}").plain
    assert told.count("5.00 GBP is being given back; give it back only once.") == 2, "the sentence of the sale and of its line"
    assert "The rest of the money was given back" not in told
    counter.look()
    counter.post(f"/sales/{counter.sale_id}/refund/no-result", line)
    assert "5.00 GBP on the terminal's own list?" in counter.page.plain and "***521" in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/refund", line | slip())
    assert "1 of 2 plans are active. The rest of the money was given back." in counter.page.plain
