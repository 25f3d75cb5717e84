"""Money comes in once, with everything that it starts, or not at all (renewal protocol 4 to 6)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pos.domain.errors import (
    CounterError,
    DuplicateRenewal,
    NoOpenShift,
    OtherContent,
    PlanRetired,
    QuoteExpired,
    SaleNotFound,
    SaleOver,
    SaleParked,
    SlipAlreadyUsed,
    StaleForm,
    TenderOpen,
    TooLittleCash,
    TooMuchCash,
)
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.renewals import RenewalState
from pos.domain.sales import SaleState
from pos.domain.tills import Desk
from pos.services import payments, print_jobs, sales, shifts
from pos.store import db as store
from pos.store import journal
from tests.counter import Counter
from tests.engines import thief
from tests.services.shop import Ready, Shop, at_once, findings

SLIP = CardSlip("VISA", "4242", "A1B2C3", "0017")
# Everything that a payment writes.
TRACES = ("payments", "cash_movements", "ledger_transfers", "receipts", "number_series", "print_jobs", "attempts", "journal")


def traces(shop: Shop) -> dict[str, int]:
    return {table: shop.ask(f"select count(*) from {table}")[0][0] for table in TRACES}


def refused(shop: Shop, error: type[CounterError], verb: Callable[[], object]) -> None:
    """``verb`` is refused with this reason and leaves nothing behind."""
    before = traces(shop)
    with shop.app.app_context(), pytest.raises(error):
        verb()
    assert traces(shop) == before


# ---------------------------------------------------------------- the same form again


def test_the_same_form_twice_is_one_sale_and_the_same_answer(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay()
    counter.get(f"/sales/{counter.sale_id}/cash")
    form = {"quote": counter.page.hidden("quote"), "tendered": "10.00"}
    token = counter.page.hidden("csrf_token")
    answers = [counter.client.post(f"/sales/{counter.sale_id}/cash", data={"csrf_token": token, **form}) for _ in range(3)]
    assert {(answer.status_code, answer.location) for answer in answers} == {(302, f"/sales/{counter.sale_id}")}
    counter.work()
    assert len(shop.debits) == 1
    assert shop.ask("select number from receipts") == [("LON1-000001",)]
    assert shop.shift().expected_minor == 10_800


@pytest.mark.parametrize("many", [2, 8])
def test_the_same_form_from_many_windows_at_once_is_one_sale(counter: Counter, shop: Shop, many: int) -> None:
    counter.open_shift().ready_to_pay()
    counter.get(f"/sales/{counter.sale_id}/cash")
    form = {"quote": counter.page.hidden("quote"), "tendered": "10.00", "csrf_token": counter.page.hidden("csrf_token")}
    cookies = {name: counter.client.get_cookie(name) for name in ("sid", "till")}

    def press(_: int) -> tuple[int, str | None, str]:
        client = shop.app.test_client()
        for name, cookie in cookies.items():
            assert cookie is not None
            client.set_cookie(name, cookie.value)
        answer = client.post(f"/sales/{counter.sale_id}/cash", data=form)
        page = client.get(f"/sales/{counter.sale_id}").get_data(as_text=True)
        return answer.status_code, answer.location, str("LON1-000001" in page)

    assert set(at_once(many, press)) == {(302, f"/sales/{counter.sale_id}", "True")}
    at_once(4, lambda number: shop.work(f"worker{number}#1"))
    assert (len(shop.debits), shop.submits) == (1, [1])
    assert shop.ask("select number from receipts") == [("LON1-000001",)]
    assert shop.ask("select count(*) from payments") == [(1,)]
    assert shop.shift().expected_minor == 10_800


def test_the_same_form_in_two_processes_at_once_is_one_sale(shop: Shop, ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes do not share the queue of threads in front of SQLite: its own lock, taken at once, must do."""
    monkeypatch.setattr(store, "_sqlite_writers", nullcontext())
    assert set(at_once(6, lambda _: shop.take_cash(ready, Money(1000, "GBP")))) == {Money(200, "GBP")}
    at_once(3, lambda number: shop.work(f"worker{number}#1"))
    assert (shop.submits, shop.ask("select number from receipts")) == ([1], [("LON1-000001",)])


def test_many_workers_send_each_of_many_renewals_once(shop: Shop, desk: Desk) -> None:
    for number in range(8):
        shop.take_cash(shop.ready(desk, f"+4477009001{number:02d}"))
    at_once(4, lambda number: shop.work(f"worker{number}#1"))
    assert sorted(shop.submits) == [1] * 8
    assert len({debit.number for debit in shop.debits}) == 8


def test_other_content_under_the_same_id_is_refused(shop: Shop, ready: Ready) -> None:
    shop.take_cash(ready, Money(1000, "GBP"))
    refused(shop, OtherContent, lambda: shop.take_cash(ready, Money(2000, "GBP")))
    refused(shop, OtherContent, lambda: payments.take_card(ready.sale_id, SLIP, ready.desk, kit=shop.kit))
    refused(shop, SaleOver, lambda: sales.void(ready.sale_id, ready.desk, kit=shop.kit))
    refused(shop, SaleOver, lambda: sales.choose_plan(ready.sale_id, 1, ready.desk, kit=shop.kit))


def test_the_screen_says_that_the_sale_was_paid_otherwise(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay()
    form = {"quote": counter.get(f"/sales/{counter.sale_id}/cash").hidden("quote")}
    assert counter.post(f"/sales/{counter.sale_id}/cash", form | {"tendered": "10.00"}).status == 200
    assert counter.post(f"/sales/{counter.sale_id}/cash", form | {"tendered": "20.00"}).status == 409
    assert shop.ask("select count(*), max(tendered_minor) from payments") == [(1, 1000)]


def test_a_terminal_slip_that_paid_a_sale_pays_no_other(shop: Shop, ready: Ready) -> None:
    second = shop.ready(ready.desk, number="+447700900124")
    with shop.app.app_context():
        for sale in (ready, second):
            payments.begin_card(sale.sale_id, sale.quote, sale.desk, kit=shop.kit)
        payments.take_card(ready.sale_id, SLIP, ready.desk, kit=shop.kit)
    refused(shop, SlipAlreadyUsed, lambda: payments.take_card(second.sale_id, SLIP, second.desk, kit=shop.kit))
    shop.work()
    assert len(shop.debits) == 1


def test_a_paid_sale_opened_again_by_its_number_shows_what_was_paid(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.number(sale_id=counter.sale_id)
    assert "LON1-000001" in counter.page.plain


# ---------------------------------------------------------------- cash


def test_cash_and_change_are_two_movements(shop: Shop, ready: Ready) -> None:
    assert shop.take_cash(ready, Money(2000, "GBP")) == Money(1200, "GBP")
    moved = shop.ask("select kind, amount_minor from cash_movements order by id")
    assert moved == [("float", 10_000), ("sale", 2000), ("change", 1200)]
    assert shop.shift().expected_minor == 10_800


@pytest.mark.parametrize(("tendered", "error"), [(0, TooLittleCash), (799, TooLittleCash), (10_000_000, TooMuchCash)])
def test_too_little_or_far_too_much_cash_leaves_no_trace(
    shop: Shop, ready: Ready, tendered: int, error: type[CounterError]
) -> None:
    refused(shop, error, lambda: shop.take_cash(ready, Money(tendered, "GBP")))
    assert shop.sale(ready.sale_id).state is SaleState.DRAFT


@pytest.mark.parametrize("typed", ["", "0", "0.00", "7.99", "-8", "1e3", "abc", "8.001"])
def test_what_is_no_sufficient_amount_is_said_at_the_field_and_books_nothing(counter: Counter, shop: Shop, typed: str) -> None:
    counter.open_shift().ready_to_pay()
    before = traces(shop)
    counter.cash(typed)
    assert counter.page.status == 422
    assert traces(shop) == before
    counter.cash("8.00")
    assert counter.page.status == 200
    assert shop.sale(counter.sale_id).state is SaleState.PAID


def test_money_of_another_currency_is_not_taken(shop: Shop, ready: Ready) -> None:
    before = traces(shop)
    with pytest.raises(ValueError, match="GBP"):
        shop.take_cash(ready, Money(100_000, "HKD"))
    assert traces(shop) == before


# ---------------------------------------------------------------- the quote


def test_a_quote_of_another_plan_is_stale(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        dear = shop.plan_id("lyca-data-gb-30d-unlimited", ready.desk)
        sales.choose_plan(ready.sale_id, dear, ready.desk, kit=shop.kit)
    refused(shop, StaleForm, lambda: shop.take_cash(ready, Money(2500, "GBP")))
    refused(shop, StaleForm, lambda: payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=shop.kit))


def test_a_price_that_changed_between_quote_and_payment_takes_no_money(shop: Shop, ready: Ready) -> None:
    with shop.by_hand() as connection:
        connection.execute(text("update plans set price_minor = 900 where product_key = 'lyca-data-gb-7d'"))
    refused(shop, QuoteExpired, lambda: shop.take_cash(ready))
    with shop.app.app_context():
        plan = shop.plan_id("lyca-data-gb-7d", ready.desk)
        sales.choose_plan(ready.sale_id, plan, ready.desk, kit=shop.kit)
        shown = sales.show(ready.sale_id, ready.desk, kit=shop.kit)
        assert shown.total == Money(900, "GBP") and shown.quote != ready.quote
        payments.take_cash(ready.sale_id, shown.quote or "", Money(900, "GBP"), ready.desk, kit=shop.kit)


def test_a_quote_older_than_a_quarter_of_an_hour_takes_no_money(shop: Shop, ready: Ready) -> None:
    shop.pass_time(15 * 60 + 1)
    refused(shop, QuoteExpired, lambda: shop.take_cash(ready))


def test_a_retired_plan_takes_no_money(shop: Shop, ready: Ready) -> None:
    with shop.by_hand() as connection:
        connection.execute(text("update plans set retired_at = '2026-11-21 11:00:00' where product_key = 'lyca-data-gb-7d'"))
    refused(shop, PlanRetired, lambda: shop.take_cash(ready))


def test_a_new_price_after_the_card_was_charged_does_not_lose_the_payment(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=shop.kit)
    with shop.by_hand() as connection:
        connection.execute(text("update plans set price_minor = 900 where product_key = 'lyca-data-gb-7d'"))
    shop.pass_time(3600)
    with shop.app.app_context():
        payments.take_card(ready.sale_id, SLIP, ready.desk, kit=shop.kit)
    assert shop.sale(ready.sale_id).total_minor == 800
    assert shop.sale(ready.sale_id).state is SaleState.PAID


# ---------------------------------------------------------------- who and where


def test_without_an_open_shift_no_money_is_taken(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        shifts.close_shift(shifts.Count({2000: 5}, None, None, None), "", ready.desk, kit=shop.kit)
    refused(shop, NoOpenShift, lambda: shop.take_cash(ready))
    refused(shop, NoOpenShift, lambda: payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=shop.kit))


def test_another_shop_and_another_clerk_cannot_take_the_money(shop: Shop, ready: Ready) -> None:
    for desk, error in ((shop.desk("HKG1", "301"), SaleNotFound), (shop.desk("LON1", "102"), SaleParked)):
        other = Ready(ready.sale_id, ready.quote, ready.price, desk)
        refused(shop, error, lambda other=other: shop.take_cash(other))  # type: ignore[misc]


def test_a_sale_begun_at_one_till_and_paid_at_another_counts_where_the_money_lies(shop: Shop, ready: Ready) -> None:
    """The clerk moved on: drawer, number and books are those of the till that took the money."""
    second = shop.desk("LON2", "101")
    shop.open_shift(second)
    shop.take_cash(shop.ready(shop.desk("LON2", "102"), "+447700900150"))
    shop.take_cash(Ready(ready.sale_id, ready.quote, ready.price, second))
    assert shop.ask("select number from receipts order by id") == [("LON2-000001",), ("LON2-000002",)]
    assert shop.shift("LON2").expected_minor == 11_600
    assert shop.shift("LON1").expected_minor == 10_000
    shop.take_cash(shop.ready(ready.desk, "+447700900151"))
    assert shop.sale(ready.sale_id).receipt_number == "LON2-000002"
    shop.work()


# ---------------------------------------------------------------- cards


def test_a_card_is_recorded_from_its_slip_once(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.card_begin()
    counter.card_slip()
    counter.card_slip()
    assert shop.ask("select state, scheme, last4, authorisation, slip_number from payments") == [
        ("taken", "VISA", "4242", "A1B2C3", "0017")
    ]
    assert (shop.shift().card_minor, shop.shift().card_count, shop.shift().expected_minor) == (800, 1, 10_000)
    assert shop.ask("select count(*) from print_jobs where kind = 'drawer'") == [(0,)], "a card opens no drawer"
    counter.card_slip(authorisation="OTHER1")
    assert counter.page.status == 409
    counter.work()
    assert len(shop.debits) == 1


def test_a_slip_is_not_taken_before_the_terminal_was_asked(shop: Shop, ready: Ready) -> None:
    refused(shop, StaleForm, lambda: payments.take_card(ready.sale_id, SLIP, ready.desk, kit=shop.kit))


def test_a_full_card_number_is_never_stored(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.card_slip(last4="4111111111111111")
    counter.card_slip(authorisation="4111111111111111")
    assert shop.ask("select state, last4, authorisation from payments") == [("intended", None, None)]
    with shop.app.app_context():
        payments.card_declined(counter.sale_id, shop.desk(), kit=shop.kit)


def test_after_a_declined_card_the_customer_pays_cash(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.post(f"/sales/{counter.sale_id}/card/declined", {"payment": counter.page.hidden("payment")})
    counter.cash("8.00")
    assert shop.ask("select tender, state from payments order by id") == [("card", "declined"), ("cash", "taken")]
    assert (shop.shift().expected_minor, shop.shift().card_minor) == (10_800, 0)
    counter.work()
    assert len(shop.debits) == 1


def test_while_a_card_is_open_no_cash_is_taken_and_nothing_is_voided(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=shop.kit)
    refused(shop, TenderOpen, lambda: shop.take_cash(ready))
    refused(shop, TenderOpen, lambda: sales.void(ready.sale_id, ready.desk, kit=shop.kit))
    with shop.app.app_context():
        payments.card_without_result(ready.sale_id, ready.desk, kit=shop.kit)
    refused(shop, TenderOpen, lambda: shop.take_cash(ready))
    refused(shop, TenderOpen, lambda: sales.void(ready.sale_id, ready.desk, kit=shop.kit))
    assert shop.sale(ready.sale_id).state is SaleState.TENDER_UNKNOWN


@pytest.mark.parametrize("there", [True, False])
def test_no_result_is_decided_by_the_terminals_own_list(counter: Counter, shop: Shop, there: bool) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.post(f"/sales/{counter.sale_id}/card/no-result", {})
    assert shop.sale(counter.sale_id).state is SaleState.TENDER_UNKNOWN
    counter.work()
    assert shop.submits == [], "an unknown payment renews nothing"
    counter.look()
    if there:
        counter.card_slip()
        counter.work()
        assert shop.sale(counter.sale_id).state is SaleState.PAID
        assert len(shop.debits) == 1
    else:
        counter.post(f"/sales/{counter.sale_id}/card/missing", {})
        assert shop.sale(counter.sale_id).state is SaleState.VOIDED
        counter.work()
        assert (shop.shift().card_minor, shop.debits) == (0, [])


def test_a_silent_terminal_is_marked_after_two_minutes_by_the_worker(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=shop.kit)
        shop.pass_time(119)
        assert payments.mark_silent_terminals(kit=shop.kit) == 0
        shop.pass_time(2)
        assert payments.mark_silent_terminals(kit=shop.kit) == 1
        assert payments.mark_silent_terminals(kit=shop.kit) == 0
    assert shop.sale(ready.sale_id).state is SaleState.TENDER_UNKNOWN


def test_a_card_taken_in_the_next_shift_counts_there(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=shop.kit)
        shifts.close_shift(shifts.Count({2000: 5}, None, None, None), "", ready.desk, kit=shop.kit)
    shop.open_shift(ready.desk)
    with shop.app.app_context():
        payments.take_card(ready.sale_id, SLIP, ready.desk, kit=shop.kit)
    assert shop.ask("select number, card_minor, sales_count from shifts order by number") == [(1, 0, 0), (2, 800, 1)]


# ---------------------------------------------------------------- the same SIM twice


def test_the_same_number_and_plan_stops_within_ten_minutes_at_any_till(app: Flask, shop: Shop) -> None:
    first = Counter(app).open_shift().ready_to_pay().cash("8.00")
    second = Counter(app, till="LON2", staff="102").open_shift().number()
    second.document().plan()
    assert second.page.status == 409
    assert shop.sale(second.sale_id).total_minor is None, "nothing was quoted"
    plan = str(shop.plan_id("lyca-data-gb-7d", shop.desk()))
    second.post(f"/sales/{second.sale_id}/plan", {"plan_id": plan, "override": "1", "reason": "mother and daughter"})
    assert second.page.status == 409, "a clerk cannot override"
    shop.pass_time(10 * 60 + 1)
    second.sign_in("102").plan()
    assert second.page.status == 200
    first.work()


def test_a_manager_may_override_with_a_reason(app: Flask, shop: Shop) -> None:
    Counter(app).open_shift().ready_to_pay().cash("8.00")
    manager = Counter(app, till="LON2", staff="201").open_shift().number()
    manager.document().plan()
    assert manager.page.status == 409
    plan = str(shop.plan_id("lyca-data-gb-7d", shop.desk()))
    manager.post(f"/sales/{manager.sale_id}/plan", {"plan_id": plan, "override": "1", "reason": ""})
    assert manager.page.status == 409, "not without a reason"
    manager.post(f"/sales/{manager.sale_id}/plan", {"plan_id": plan, "override": "1", "reason": "paid for two weeks"})
    manager.cash("8.00")
    assert shop.sale(manager.sale_id).state is SaleState.PAID
    assert len(shop.ask("select 1 from journal where kind = 'duplicate.overridden'")) == 1
    manager.work()
    assert len(shop.debits) == 2


def test_two_windows_with_the_same_customer_are_paid_once(shop: Shop, ready: Ready) -> None:
    """Both were quoted before either was paid: the second payment is the one that must stop."""
    twin = shop.ready(ready.desk)
    shop.take_cash(ready)
    refused(shop, DuplicateRenewal, lambda: shop.take_cash(twin))
    refused(shop, DuplicateRenewal, lambda: payments.begin_card(twin.sale_id, twin.quote, twin.desk, kit=shop.kit))
    shop.work()
    assert len(shop.debits) == 1


def test_two_tills_that_pay_the_same_renewal_at_once_take_one_payment(shop: Shop, ready: Ready) -> None:
    second = shop.desk("LON2", "102")
    shop.open_shift(second)
    both = (ready, shop.ready(second))

    def pay(number: int) -> object:
        try:
            return shop.take_cash(both[number])
        except DuplicateRenewal:
            return None

    assert sorted(map(str, at_once(2, pay))) == ["0.00 GBP", "None"]
    shop.work()
    assert len(shop.debits) == 1


def test_a_refused_renewal_may_be_sold_again_at_once(shop: Shop, ready: Ready) -> None:
    shop.misbehave("refuse")
    shop.take_cash(ready)
    shop.work()
    assert shop.state(ready.sale_id) is RenewalState.REFUND_DUE
    shop.take_cash(shop.ready(ready.desk))
    shop.work()
    assert len(shop.debits) == 1


# ---------------------------------------------------------------- numbers


def test_receipt_numbers_have_no_gap_with_two_tills_and_many_threads(shop: Shop, desk: Desk) -> None:
    second = shop.desk("LON2", "102")
    shop.open_shift(second)
    waiting = [shop.ready((desk, second)[n % 2], f"+4477009002{n:02d}", "lyca-data-gb-1d") for n in range(20)]
    at_once(10, lambda number: [shop.take_cash(waiting[number]), shop.take_cash(waiting[number + 10])])
    numbers = [number for (number,) in shop.ask("select number from receipts order by till_id, sequence")]
    assert numbers == [f"{till}-{n:06d}" for till in ("LON1", "LON2") for n in range(1, 11)]
    assert (shop.shift("LON1").expected_minor, shop.shift("LON2").expected_minor) == (12_000, 12_000)
    shop.work()
    assert len(shop.debits) == 20


def test_a_payment_that_breaks_half_way_leaves_nothing_and_no_gap(
    shop: Shop, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = traces(shop)
    with monkeypatch.context() as patched:
        patched.setattr(print_jobs, "queue_drawer", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shop.take_cash(ready)
    assert traces(shop) == before
    assert shop.sale(ready.sale_id).state is SaleState.DRAFT
    shop.take_cash(ready)
    assert shop.ask("select number from receipts") == [("LON1-000001",)]


@pytest.mark.parametrize("skipped", ["payment.taken", "sale.paid", "renewal.paid", "renewal.confirmed"])
def test_money_without_its_journal_row_is_found(
    shop: Shop, ready: Ready, monkeypatch: pytest.MonkeyPatch, to_be_found: list[str], skipped: str
) -> None:
    """A fault in the program, not a thief: the chain is whole, only nobody was told."""
    write = journal.write

    def forget(*arguments: Any, kind: str, **named: Any) -> object:
        return None if kind == skipped else write(*arguments, kind=kind, **named)

    monkeypatch.setattr(journal, "write", forget)
    shop.take_cash(ready)
    shop.work()
    to_be_found.append(f"{skipped.rpartition('.')[2]}, and the journal does not tell of it")


def test_a_given_up_sale_takes_no_money(shop: Shop, ready: Ready) -> None:
    with shop.app.app_context():
        sales.void(ready.sale_id, ready.desk, kit=shop.kit)
        sales.void(ready.sale_id, ready.desk, kit=shop.kit)
    refused(shop, SaleOver, lambda: shop.take_cash(ready))
    assert shop.ask("select voids_count from shifts") == [(1,)]


# ---------------------------------------------------------------- tampering


PROTECTED = ("journal", "ledger_transfers", "receipts", "receipt_documents")


@pytest.mark.parametrize("table", PROTECTED)
@pytest.mark.parametrize("verb", ["update {0} set at = '2020-01-01 00:00:00'", "delete from {0}"])
def test_the_database_itself_refuses_to_rewrite_the_books(shop: Shop, ready: Ready, table: str, verb: str) -> None:
    shop.take_cash(ready)
    shop.work()
    assert shop.ask(f"select count(*) from {table}")[0][0] > 0
    with pytest.raises(IntegrityError), shop.by_hand() as connection:
        connection.execute(text(verb.format(table)))


TAMPERING = {
    "journal content": (
        "journal",
        "update journal set content = replace(content, '800', '700') where kind = 'renewal.quoted'",
        "LON1 row 7",
    ),
    "journal actor": (
        "journal",
        "update journal set actor = 'staff:102' where seq = 5 and chain like 'till%'",
        "LON1 row 5",
    ),
    "journal moment": ("journal", "update journal set at = '2026-11-21 11:59:59.000000' where seq = 7", "LON1 row 7"),
    "journal deleted": ("journal", "delete from journal where chain = 'till:LON1' and seq = 6", "row 6 is missing"),
    "journal cut": (
        "journal",
        "delete from journal where chain = 'till:LON1' and seq = (select max(seq) from journal where chain = 'till:LON1')",
        "till:LON1: the chain ends",
    ),
    "journal emptied": ("journal", "delete from journal where chain = 'till:LON1'", "till:LON1: all rows are gone"),
    "ledger cash": ("ledger_transfers", "update ledger_transfers set amount_minor = 700 where id = 2", "ledger row 2"),
    "ledger account": ("ledger_transfers", "update ledger_transfers set debit = 'card_clearing' where id = 2", "ledger row 2"),
    "ledger cost": ("ledger_transfers", "update ledger_transfers set amount_minor = 1 where code = 'submitting'", "ledger row 3"),
    "ledger margin": (
        "ledger_transfers",
        "update ledger_transfers set amount_minor = 600 where debit = 'cost_of_sales'",
        "ledger row 4",
    ),
    "ledger float": ("ledger_transfers", "update ledger_transfers set amount_minor = 9000 where code = 'float'", "ledger row 1"),
    "ledger deleted": ("ledger_transfers", "delete from ledger_transfers where code = 'submitting'", "submitting"),
    "ledger all deleted": ("ledger_transfers", "delete from ledger_transfers where renewal_id is not null", "paid"),
    "ledger added": (
        "ledger_transfers",
        "insert into ledger_transfers (at, business_day, store_id, till_id, code, debit, credit, amount_minor, currency)"
        " select at, business_day, store_id, till_id, 'banked', 'bank', 'drawer', 500, 'GBP' from ledger_transfers where id = 1",
        "ledger row 7",
    ),
    "receipt number": ("receipts", "update receipts set number = 'LON1-000009'", "LON1-000009"),
    "receipt sale": ("receipts", "update receipts set sale_id = null", "LON1-000001"),
    "receipt deleted": ("receipts", "delete from receipts where id = 1", "LON1-000001"),
    "document changed": (
        "receipt_documents",
        "update receipt_documents set document = replace(document, '8.00', '7.00')",
        "receipt LON1-000001",
    ),
    "document deleted": ("receipt_documents", "delete from receipt_documents", "LON1-000001"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("what", TAMPERING)
def test_with_the_trigger_gone_verify_names_the_row(
    shop: Shop, ready: Ready, folder: Path, to_be_found: list[str], what: str
) -> None:
    shop.take_cash(ready)
    shop.work()
    assert findings(shop.app) == []
    table, sql, words = TAMPERING[what]
    with thief(folder, table) as connection:
        assert connection.execute(sql).rowcount > 0
    found = findings(shop.app)
    assert any(words in finding for finding in found), found
    to_be_found.extend(found)
