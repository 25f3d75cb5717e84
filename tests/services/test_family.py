"""A family: several numbers, one document, one payment, and each line with a life of its own at the carrier."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from pos.domain.errors import (
    CounterError,
    DocumentMissing,
    DuplicateRenewal,
    LastNumber,
    NumberBusy,
    PlanMissing,
    PlanRetired,
    QuoteExpired,
    SaleOver,
    SamePlanTwice,
    StaleForm,
    TooManyNumbers,
)
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.renewals import RenewalState
from pos.domain.sales import MOST_NUMBERS, SaleState
from pos.domain.tills import Desk
from pos.services import numbers, payments, receipts, refunds, sales
from pos.store import receipts as receipt_rows
from pos.store.db import reading
from receipts import text as as_text
from receipts.document import Document
from tests.services.shop import SEVEN_DAYS, Ready, Shop, findings

R = RenewalState
FATHER, MOTHER, SON = "+447700900123", "+447700900601", "+447700900124"
LEB_5D = "leb-data-gb-5d"
FAMILY = [(FATHER, SEVEN_DAYS), (MOTHER, LEB_5D), (SON, "lyca-data-gb-1d")]


@pytest.fixture
def family(shop: Shop, desk: Desk) -> Ready:
    """Three numbers of two operators for 8.00, 8.00 and 2.00."""
    return shop.ready_family(desk, FAMILY)


def refused(shop: Shop, error: type[CounterError], verb: Callable[[], object]) -> None:
    before = shop.ask("select count(*) from journal"), shop.ask("select count(*) from payments")
    with pytest.raises(error), shop.app.app_context():
        verb()
    assert (shop.ask("select count(*) from journal"), shop.ask("select count(*) from payments")) == before


def another(shop: Shop, ready: Ready, number: str = "+447700900125", number_id: str | None = None) -> str:
    chosen = number_id or str(uuid4())
    with shop.app.app_context():
        numbers.ask_about_another(ready.sale_id, chosen, number, "phone", ready.desk, kit=shop.kit)
    return chosen


def choose(shop: Shop, ready: Ready, plan: str, number_id: str | None = None, **more: object) -> None:
    with shop.app.app_context():
        plan_id = shop.plan_id(plan, ready.desk)
        sales.choose_plan(ready.sale_id, plan_id, ready.desk, kit=shop.kit, number_id=number_id, **more)  # type: ignore[arg-type]


def drop(shop: Shop, ready: Ready, number_id: str) -> None:
    with shop.app.app_context():
        numbers.drop(ready.sale_id, number_id, ready.desk, kit=shop.kit)


def shown(shop: Shop, ready: Ready) -> Ready:
    """The sale as the page shows it now."""
    with shop.app.app_context():
        found = sales.show(ready.sale_id, ready.desk, kit=shop.kit)
    assert found.quote is not None and found.total is not None
    return Ready(ready.sale_id, found.quote, found.total, ready.desk)


def slips(shop: Shop, sale_id: str) -> list[tuple[str, str]]:
    """(job kind, plain text) of each slip of a sale, oldest first; drawer pulses are none."""
    jobs = shop.ask("select kind, document from print_jobs where sale_id = :id order by id", id=sale_id)
    return [(kind, as_text.render(Document.from_json(document), 48)) for kind, document in jobs if document]


# ---------------------------------------------------------------- one payment


def test_three_lines_are_paid_in_one_commit_and_each_goes_its_own_way(shop: Shop, family: Ready) -> None:
    assert family.price == Money(1800, "GBP")
    assert shop.take_cash(family, Money(2000, "GBP")) == Money(200, "GBP")
    assert shop.states(family.sale_id) == [R.PAID] * 3
    assert shop.ask("select amount_minor from payments") == [(1800,)]
    assert shop.ask("select amount_minor, renewal_id is not null from ledger_transfers where code = 'paid'") == [
        (800, 1),
        (800, 1),
        (200, 1),
    ]
    shift = shop.shift()
    assert (shift.gross_minor, shift.sales_count) == (1800, 1)
    assert shift.tax_minor == sum(line.tax_minor for line in shop.lines(family.sale_id)) == 133 + 133 + 33
    shop.work()
    assert shop.states(family.sale_id) == [R.CONFIRMED] * 3
    assert sorted(debit.amount_minor for debit in shop.debits) == [184, 736, 736]
    assert len(shop.ask("select 1 from receipts where kind = 'sale'")) == 1


def test_the_same_payment_posted_twice_is_one(shop: Shop, family: Ready) -> None:
    assert shop.take_cash(family) == shop.take_cash(family) == Money(0, "GBP")
    assert len(shop.ask("select 1 from payments")) == 1
    shop.work()


def test_a_card_pays_for_all(shop: Shop, family: Ready) -> None:
    with shop.app.app_context():
        payments.begin_card(family.sale_id, family.quote, family.desk, kit=shop.kit)
        refused(shop, SaleOver, lambda: another(shop, family))
        refused(shop, SaleOver, lambda: drop(shop, family, family.sale_id))
        payments.take_card(family.sale_id, CardSlip("VISA", "4242", "A1B2C3", "0017"), family.desk, kit=shop.kit)
    assert shop.shift().card_minor == 1800
    shop.work()
    assert shop.states(family.sale_id) == [R.CONFIRMED] * 3


def test_one_refused_and_one_pending_leave_the_third_alone(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [("+447700900521", SEVEN_DAYS), ("+447700900914", LEB_5D), (SON, "lyca-data-gb-1d")])
    shop.take_cash(ready)
    shop.work()
    assert shop.states(ready.sale_id) == [R.REFUND_DUE, R.PENDING, R.CONFIRMED]
    assert findings(shop.app) == []
    refused_line = shop.lines(ready.sale_id)[0]
    with shop.app.app_context():
        picture = sales.show(ready.sale_id, desk, kit=shop.kit)
        assert picture.owed == Money(800, "GBP") and picture.moving and picture.active_count == 1
        given = refunds.pay_back(ready.sale_id, desk, kit=shop.kit, renewal_id=refused_line.id)
        again = refunds.pay_back(ready.sale_id, desk, kit=shop.kit, renewal_id=refused_line.id)
    assert given == again == Money(800, "GBP")
    assert shop.shift().refunds_minor == 800
    assert findings(shop.app) == []
    shop.ask_until_it_is_known()
    assert shop.states(ready.sale_id) == [R.REFUNDED, R.CONFIRMED, R.CONFIRMED]
    with shop.app.app_context():
        picture = sales.show(ready.sale_id, desk, kit=shop.kit)
    assert [line.refund is not None for line in picture.renewals] == [True, False, False]
    assert picture.owed is None and not picture.moving


def test_a_family_is_one_sale_in_the_lists_and_several_in_the_unfinished(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [("+447700900514", SEVEN_DAYS), ("+447700900914", LEB_5D), (SON, SEVEN_DAYS)])
    shop.take_cash(ready)
    shop.work()
    with shop.app.app_context():
        recent = sales.recent(desk, kit=shop.kit)
        assert [(line.numbers, line.renewal_state) for line in recent] == [(3, R.PENDING)]
        assert [line.masked[-3:] for line in sales.unfinished(desk)] == ["514", "914"]
        assert [line.numbers for line in sales.find("", SON, desk, kit=shop.kit)] == [1]
        assert len({line.masked for line in sales.timeline(ready.sale_id, desk) if line.masked}) == 3
    shop.ask_until_it_is_known()


def test_two_plans_for_one_sim_go_one_after_the_other(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [(FATHER, SEVEN_DAYS), (FATHER, "lyca-data-gb-1d")])
    shop.take_cash(ready)
    first = shop.take_next()
    assert first.renewal_id == shop.lines(ready.sale_id)[0].id, "what was chosen first goes first"
    with shop.app.app_context():
        from pos.services import renewals

        assert renewals.take_next("test#2", kit=shop.kit) is None, "the SIM is busy"
        renewals.write_outcome(first, shop.kit.carriers[first.carrier].submit(first.request), kit=shop.kit)  # type: ignore[arg-type]
    shop.ask_until_it_is_known()
    assert shop.states(ready.sale_id) == [R.CONFIRMED] * 2


# ---------------------------------------------------------------- one more, one less


def test_the_same_form_posted_twice_names_the_same_line(shop: Shop, family: Ready) -> None:
    number_id = another(shop, family)
    asked = shop.ask("select count(*) from journal")
    assert another(shop, family, number_id=number_id) == number_id
    assert shop.ask("select count(*) from journal") == asked
    assert len(shop.ask("select 1 from number_checks")) == 4
    refused(shop, StaleForm, lambda: another(shop, family, "+447700900126", number_id))


def test_the_same_form_from_many_windows_at_once_is_one_line(shop: Shop, family: Ready) -> None:
    gate, number_id = threading.Barrier(4), str(uuid4())

    def post(_: int) -> None:
        gate.wait(10)
        another(shop, family, number_id=number_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, range(4)))
    assert len(shop.ask("select 1 from number_checks")) == 4


def test_the_same_number_with_the_same_plan_is_refused_and_with_another_it_is_not(shop: Shop, family: Ready) -> None:
    number_id = another(shop, family, FATHER)
    refused(shop, SamePlanTwice, lambda: choose(shop, family, SEVEN_DAYS, number_id))
    choose(shop, family, "lyca-data-gb-1d", number_id)
    assert shown(shop, family).price == Money(2000, "GBP")


def test_a_sale_has_room_for_nine(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [(f"+4477009001{n}", "lyca-data-gb-1d") for n in range(30, 30 + MOST_NUMBERS)])
    refused(shop, TooManyNumbers, lambda: another(shop, ready))
    drop(shop, ready, ready.sale_id)
    another(shop, ready)
    choose(shop, ready, SEVEN_DAYS)
    shop.take_cash(shown(shop, ready))
    shop.work()
    assert shop.states(ready.sale_id) == [R.CONFIRMED] * MOST_NUMBERS


def test_a_number_without_a_plan_holds_the_payment_back(shop: Shop, family: Ready) -> None:
    number_id = another(shop, family)
    refused(shop, PlanMissing, lambda: shop.take_cash(family))
    drop(shop, family, number_id)
    shop.take_cash(family)
    shop.work()


def test_a_dropped_line_is_neither_paid_nor_sent(shop: Shop, family: Ready) -> None:
    mother = shop.lines(family.sale_id)[1].number_check_id
    drop(shop, family, mother)
    before = shop.ask("select count(*) from journal")
    drop(shop, family, mother)
    assert shop.ask("select count(*) from journal") == before, "again changes nothing"
    refused(shop, StaleForm, lambda: shop.take_cash(family))
    refused(shop, StaleForm, lambda: choose(shop, family, LEB_5D, mother))
    refused(shop, StaleForm, lambda: another(shop, family, MOTHER, mother))
    fewer = shown(shop, family)
    assert fewer.price == Money(1000, "GBP")
    shop.take_cash(fewer)
    refused(shop, SaleOver, lambda: drop(shop, fewer, fewer.sale_id))
    refused(shop, SaleOver, lambda: another(shop, fewer))
    shop.work()
    assert len(shop.debits) == 2


def test_the_only_number_stays(shop: Shop, desk: Desk) -> None:
    ready = shop.ready(desk)
    refused(shop, LastNumber, lambda: drop(shop, ready, ready.sale_id))


def test_another_sales_number_is_not_this_ones(shop: Shop, family: Ready, desk: Desk) -> None:
    other = shop.ready(desk, "+447700900130")
    refused(shop, StaleForm, lambda: drop(shop, family, other.sale_id))
    refused(shop, StaleForm, lambda: choose(shop, family, SEVEN_DAYS, other.sale_id))
    refused(shop, StaleForm, lambda: another(shop, family, "+447700900130", other.sale_id))


# ---------------------------------------------------------------- the quote


def test_a_changed_line_makes_the_whole_page_stale(shop: Shop, family: Ready) -> None:
    son = shop.lines(family.sale_id)[2].number_check_id
    choose(shop, family, SEVEN_DAYS, son)
    refused(shop, StaleForm, lambda: shop.take_cash(family))
    now = shown(shop, family)
    assert now.price == Money(2400, "GBP")
    assert [line.masked[-3:] for line in shop.lines(family.sale_id)] == ["123", "601", "124"], "in the order of saying"
    shop.take_cash(now)
    shop.work()


def test_swapped_plans_are_another_quote(shop: Shop, desk: Desk) -> None:
    """The same plans and the same sum, but for the wrong people."""
    ready = shop.ready_family(desk, [(FATHER, SEVEN_DAYS), (SON, "lyca-data-gb-1d")])
    father, son = (line.number_check_id for line in shop.lines(ready.sale_id))
    choose(shop, ready, "lyca-data-gb-1d", father)
    choose(shop, ready, SEVEN_DAYS, son)
    assert shown(shop, ready).price == ready.price
    refused(shop, StaleForm, lambda: shop.take_cash(ready))


def test_one_expired_or_changed_or_retired_price_takes_no_money(shop: Shop, family: Ready) -> None:
    plan = "where product_key = 'leb-data-gb-5d'"
    with shop.by_hand() as connection:
        connection.execute(text(f"update plans set price_minor = price_minor + 100 {plan}"))
    refused(shop, QuoteExpired, lambda: shop.take_cash(family))
    with shop.by_hand() as connection:
        connection.execute(text(f"update plans set price_minor = price_minor - 100, retired_at = opened_at from sales {plan}"))
    refused(shop, PlanRetired, lambda: shop.take_cash(family))
    with shop.by_hand() as connection:
        connection.execute(text(f"update plans set retired_at = null {plan}"))
    shop.pass_time(16 * 60)
    choose(shop, family, SEVEN_DAYS, family.sale_id)
    refused(shop, QuoteExpired, lambda: shop.take_cash(shown(shop, family)))


def test_each_line_waits_for_the_one_document(shop: Shop, desk: Desk) -> None:
    sale_id = str(uuid4())
    with shop.app.app_context():
        numbers.ask_about(sale_id, FATHER, "phone", desk, "en", kit=shop.kit)
    ready = Ready(sale_id, "", Money(0, "GBP"), desk)
    another(shop, ready, SON)
    choose(shop, ready, SEVEN_DAYS)
    choose(shop, ready, "lyca-data-gb-1d")
    refused(shop, DocumentMissing, lambda: shop.take_cash(shown(shop, ready)))


# ---------------------------------------------------------------- twins


def test_one_twin_stops_the_family_and_only_its_own_number_is_overridden(shop: Shop, family: Ready) -> None:
    """Two windows: the mother and the son were renewed elsewhere after this page was quoted."""
    second = shop.desk("LON2", "102")
    shop.open_shift(second)
    for number, plan in FAMILY[1:]:
        shop.take_cash(shop.ready(second, number, plan))
    shop.work()
    refused(shop, DuplicateRenewal, lambda: shop.take_cash(family))
    father, mother, son = shop.lines(family.sale_id)
    refused(shop, DuplicateRenewal, lambda: choose(shop, family, LEB_5D, mother.number_check_id))
    choose(shop, family, LEB_5D, mother.number_check_id, override=True, reason="paid for two weeks")
    refused(shop, DuplicateRenewal, lambda: shop.take_cash(shown(shop, family)))
    choose(shop, family, "lyca-data-gb-1d", son.number_check_id, override=True, reason="paid for two days")
    shop.take_cash(shown(shop, family))
    shop.work()
    assert len(shop.debits) == 5


def test_a_word_for_one_number_is_no_word_for_another_with_the_same_plan(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [(FATHER, SEVEN_DAYS), (SON, SEVEN_DAYS)])
    choose(shop, ready, SEVEN_DAYS, ready.sale_id, override=True, reason="for the father")
    second = shop.desk("LON2", "102")
    shop.open_shift(second)
    shop.take_cash(shop.ready(second, SON))
    refused(shop, DuplicateRenewal, lambda: shop.take_cash(shown(shop, ready)))
    shop.work()


def test_a_busy_number_holds_the_whole_payment_back(shop: Shop, desk: Desk) -> None:
    busy = shop.ready(desk, SON, SEVEN_DAYS)
    family = shop.ready_family(desk, FAMILY)
    shop.take_cash(busy)
    shop.take_next()
    refused(shop, NumberBusy, lambda: shop.take_cash(family))
    shop.pass_time(60)
    with shop.app.app_context():
        from pos.services import renewals

        renewals.recover("test", kit=shop.kit)
    shop.ask_until_it_is_known()


def test_families_that_share_numbers_pay_at_once_and_one_of_them_stops(shop: Shop, desk: Desk) -> None:
    second = shop.desk("LON2", "102")
    shop.open_shift(second)
    both = (shop.ready_family(desk, FAMILY), shop.ready_family(second, FAMILY[::-1]))
    gate = threading.Barrier(2)

    def pay(ready: Ready) -> str:
        gate.wait(10)
        try:
            return str(shop.take_cash(ready))
        except DuplicateRenewal:
            return "stopped"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(pay, both)) == ["0.00 GBP", "stopped"]
    shop.work()
    assert len(shop.debits) == 3


# ---------------------------------------------------------------- the papers


def test_there_is_one_original_when_every_line_has_its_first_answer(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [(FATHER, SEVEN_DAYS), ("+447700900914", LEB_5D), ("+447700900521", "lyca-data-gb-1d")])
    shop.take_cash(ready)
    with shop.app.app_context():
        from pos.services import renewals

        renewals.work_once("test#1", kit=shop.kit)
        renewals.work_once("test#1", kit=shop.kit)
    assert slips(shop, ready.sale_id) == [], "one line has no answer yet"
    shop.work()
    ((kind, original),) = slips(shop, ready.sale_id)
    assert kind == "original"
    for words in ("PAID - SEE EACH NUMBER", "***123", "***914", "***521", "C-LON1-000001", "18.00 GBP", "Being confirmed"):
        assert words in original
    assert "2.00 GBP will be" in original and "Do not pay again." in original
    shop.ask_until_it_is_known()
    (_, (kind, later)) = slips(shop, ready.sale_id)
    assert kind == "slip" and "ACTIVATION CONFIRMED" in later and "***914" in later
    assert "***123" not in later and "TOTAL" not in later


def test_a_line_refused_after_the_original_says_so_on_a_slip_of_its_own(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [(FATHER, SEVEN_DAYS), ("+447700900915", LEB_5D), ("+447700900515", SEVEN_DAYS)])
    shop.take_cash(ready)
    shop.ask_until_it_is_known()
    assert shop.states(ready.sale_id) == [R.CONFIRMED, R.REFUND_DUE, R.REFUND_DUE]
    original, *later = slips(shop, ready.sale_id)
    assert original[0] == "original" and [kind for kind, _ in later] == ["slip", "slip"]
    for (_, slip), last in zip(later, ("915", "515"), strict=True):
        assert "NOT ACTIVATED - REFUND DUE" in slip and f"***{last}" in slip and "***123" not in slip
        assert "is not a second receipt" in " ".join(slip.split())


def test_the_interim_slip_is_the_original_and_pressing_again_changes_nothing(shop: Shop, family: Ready) -> None:
    shop.take_cash(family)
    with shop.app.app_context():
        receipts.issue_interim(family.sale_id, family.desk, kit=shop.kit)
        receipts.issue_interim(family.sale_id, family.desk, kit=shop.kit)
    ((kind, original),) = slips(shop, family.sale_id)
    assert kind == "original" and original.count("Being confirmed") == 3
    assert "PAID - ACTIVATION BEING CONFIRMED" in " ".join(original.split())
    shop.work()
    kinds = [kind for kind, _ in slips(shop, family.sale_id)]
    assert kinds == ["original", "slip", "slip", "slip"]


def test_a_copy_tells_the_whole_story(shop: Shop, desk: Desk) -> None:
    ready = shop.ready_family(desk, [(FATHER, SEVEN_DAYS), ("+447700900914", LEB_5D)])
    shop.take_cash(ready)
    shop.ask_until_it_is_known()
    with shop.app.app_context():
        receipts.reprint("LON1-000001", desk, kit=shop.kit)
        receipts.as_pdf("LON1-000001", desk)
    kind, copy = slips(shop, ready.sale_id)[-1]
    assert kind == "copy"
    assert "COPY 1" in copy and "TOTAL" in copy and "ACTIVATION CONFIRMED" in copy


def test_all_active_reads_as_an_ordinary_receipt(shop: Shop, family: Ready) -> None:
    shop.take_cash(family)
    shop.work()
    ((kind, original),) = slips(shop, family.sale_id)
    assert kind == "original" and "PAID - ACTIVATED" in original and "C-LON1" not in original
    with shop.app.app_context(), reading() as session:
        assert [row.state for row in session.scalars(select(receipt_rows.ReceiptDocument))] == ["activated"]


# ---------------------------------------------------------------- the proof


def test_a_line_with_another_price_is_found(shop: Shop, family: Ready, to_be_found: list[str]) -> None:
    shop.take_cash(family)
    shop.work()
    with shop.by_hand() as connection:
        connection.execute(text("update renewals set price_minor = price_minor + 100 where line_number = 1"))
    to_be_found[:] = findings(shop.app)
    assert any("lines of 1900 for a total of 1800" in finding for finding in to_be_found)


def test_a_line_of_another_sales_number_is_found(shop: Shop, family: Ready, to_be_found: list[str]) -> None:
    with shop.by_hand() as connection:
        connection.execute(text("update renewals set number_check_id = 'nobody' where line_number = 2"))
    to_be_found.append("its number is not one of its sale's")


def test_giving_the_sale_up_ends_every_line(shop: Shop, family: Ready) -> None:
    with shop.app.app_context():
        sales.void(family.sale_id, family.desk, kit=shop.kit)
    assert shop.sale(family.sale_id).state is SaleState.VOIDED
    assert shop.ask("select distinct state from renewals") == [("voided",)]
