"""The carrier refused, and the customer takes another renewal for the same money (renewal protocol, move 18)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text

from pos.domain.errors import (
    DuplicateRenewal,
    NoOpenShift,
    NothingToRefund,
    NothingToReplace,
    NumberBusy,
    NumberOfAnotherCarrier,
    OtherPrice,
    OtherReplacement,
    PlanDoesNotFit,
    PlanRetired,
    SaleNotFound,
)
from pos.domain.money import Money
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.sandbox.records import Fate
from pos.services import card_refunds, payments, refunds, renewals, replacements, sales, verdicts
from pos.store.db import in_transaction
from tests.counter import Counter
from tests.services.shop import SEVEN_DAYS, WORKER, Shop, findings
from tests.services.test_refunds import at_once

R = RenewalState
OTHER = "+447700900124"


@pytest.fixture
def refused(shop: Shop, desk: Desk) -> str:
    """A cash sale that the carrier refused for its number. Its id."""
    ready = shop.ready(desk, "+447700900521")
    shop.take_cash(ready, Money(2000, "GBP"))
    shop.work()
    assert shop.state(ready.sale_id) is R.REFUND_DUE
    return ready.sale_id


def line_id(shop: Shop, sale: str) -> str:
    return shop.line(sale).id


def instead(
    shop: Shop, sale: str, desk: Desk, number: str | None = OTHER, plan: str = SEVEN_DAYS, line: str | None = None
) -> str:
    with shop.app.app_context():
        chosen = (sale, line or line_id(shop, sale), number, shop.plan_id(plan, desk), desk)
        return replacements.replace_refused(*chosen, kit=shop.kit)


def states(shop: Shop, sale: str) -> list[str]:
    return [state for (state,) in shop.ask("select state from renewals where sale_id = :sale order by line_number", sale=sale)]


def titles(shop: Shop, sale: str) -> list[tuple[str, str]]:
    found = shop.ask("select kind, title from print_jobs where sale_id = :sale and kind <> 'drawer' order by id", sale=sale)
    return [(kind, title) for kind, title in found]


def test_another_number_for_the_same_money(shop: Shop, desk: Desk, refused: str) -> None:
    drawer = shop.shift().expected_minor
    pulses = shop.ask("select count(*) from print_jobs where kind = 'drawer'")
    new = instead(shop, refused, desk)
    assert states(shop, refused) == ["replaced", "paid"]
    assert findings(shop.app) == [], "the money is held for the new one from the first moment"
    assert shop.ask("select debit, credit, amount_minor from ledger_transfers where renewal_id = :new", new=new) == [
        ("refund_payable", "customer_money_held", 800)
    ]
    shop.work()
    assert states(shop, refused) == ["replaced", "confirmed"]
    assert [(debit.number, debit.amount_minor) for debit in shop.debits] == [(OTHER, 736)]
    shift = shop.shift()
    assert (shift.expected_minor, shift.gross_minor, shift.sales_count, shift.refunds_count) == (drawer, 800, 1, 0)
    assert shop.ask("select count(*) from print_jobs where kind = 'drawer'") == pulses, "no cash moved"


def test_the_same_number_once_more(shop: Shop, desk: Desk) -> None:
    shop.misbehave("refuse")
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    instead(shop, ready.sale_id, desk, number=None)
    shop.work()
    assert states(shop, ready.sale_id) == ["replaced", "confirmed"]
    assert len(shop.debits) == 1
    assert len({ref for (ref,) in shop.ask("select ref from attempts")}) == 2, "a new order has a reference of its own"


def test_the_original_exists_once_and_the_new_slip_names_it(shop: Shop, desk: Desk, refused: str) -> None:
    instead(shop, refused, desk)
    shop.work()
    printed = titles(shop, refused)
    assert [kind for kind, _ in printed] == ["original", "slip"]
    assert printed[0][1].startswith("NOT ACTIVATED - REFUND DUE") and printed[1][1] == "ACTIVATION CONFIRMED LON1-000001"
    ((document,),) = shop.ask("select document from receipt_documents where state like 'activated%'")
    assert "LON1-000001" in document and "not a second receipt" in document
    assert shop.line(refused).masked in document
    assert shop.ask("select count(*) from receipts") == [(1,)], "no second number"


def test_a_replacement_may_be_refused_too_and_is_owed_back(shop: Shop, desk: Desk, refused: str) -> None:
    instead(shop, refused, desk, number="+447700900521")
    shop.work()
    assert states(shop, refused) == ["replaced", "refund_due"]
    assert [kind for kind, _ in titles(shop, refused)] == ["original", "slip"], "the customer has it on paper"
    third = instead(shop, refused, desk, number=OTHER)
    assert states(shop, refused) == ["replaced", "replaced", "paid"]
    shop.misbehave("refuse")
    shop.work()
    assert states(shop, refused)[-1] == "refund_due" and shop.line(refused).id == third
    with shop.app.app_context():
        assert refunds.pay_back(refused, desk, kit=shop.kit) == Money(800, "GBP")
    assert states(shop, refused) == ["replaced", "replaced", "refunded"]
    assert shop.shift().refunds_minor == 800


def test_what_was_replaced_is_not_given_back(shop: Shop, desk: Desk, refused: str) -> None:
    old = line_id(shop, refused)
    instead(shop, refused, desk)
    shop.work()
    with shop.app.app_context():
        for line in (old, None):
            with pytest.raises(NothingToRefund):
                refunds.pay_back(refused, desk, kit=shop.kit, renewal_id=line)
    assert shop.ask("select count(*) from refunds") == [(0,)]


def test_what_was_given_back_is_not_replaced(shop: Shop, desk: Desk, refused: str) -> None:
    old = line_id(shop, refused)
    with shop.app.app_context():
        refunds.pay_back(refused, desk, kit=shop.kit)
    with pytest.raises(NothingToReplace):
        instead(shop, refused, desk, line=old)
    assert states(shop, refused) == ["refunded"]


def test_nothing_is_replaced_while_the_terminal_may_have_the_money(shop: Shop, desk: Desk) -> None:
    ready = shop.ready(desk, "+447700900521")
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, desk, kit=shop.kit)
        payments.take_card(ready.sale_id, payments.CardSlip("VISA", "4242", "A1", "1"), desk, kit=shop.kit)
    shop.work()
    with shop.app.app_context():
        card_refunds.begin_card_refund(ready.sale_id, desk, kit=shop.kit)
    with pytest.raises(NothingToReplace):
        instead(shop, ready.sale_id, desk)
    with shop.app.app_context():
        card_refunds.card_refund_declined(ready.sale_id, desk, kit=shop.kit)
    instead(shop, ready.sale_id, desk)
    shop.work()
    assert states(shop, ready.sale_id) == ["replaced", "confirmed"]


def test_another_price_is_another_sale(shop: Shop, desk: Desk, refused: str) -> None:
    with pytest.raises(OtherPrice) as said:
        instead(shop, refused, desk, plan="lyca-data-gb-3d")
    assert "8.00 GBP was paid" in str(said.value) and "give the money back first" in str(said.value)
    assert states(shop, refused) == ["refund_due"]


def test_the_guards_of_a_payment_hold(shop: Shop, desk: Desk, refused: str) -> None:
    busy = shop.ready(desk, OTHER)
    shop.take_cash(busy)
    with pytest.raises(DuplicateRenewal):
        instead(shop, refused, desk)
    shop.pass_time(3600)
    shop.take_next(WORKER)
    with pytest.raises(NumberBusy):
        instead(shop, refused, desk)
    with pytest.raises(NumberOfAnotherCarrier):
        instead(shop, refused, desk, number="+447700999999")
    with pytest.raises(PlanDoesNotFit):
        instead(shop, refused, desk, number="+447700900601")  # an LEB SIM
    with pytest.raises(NoOpenShift):
        instead(shop, refused, shop.desk("LON2", "102"))
    with pytest.raises(SaleNotFound):
        instead(
            shop, refused, replace(shop.desk("HKG1", "301")), line=line_id(shop, refused), plan=SEVEN_DAYS.replace("gb", "hk")
        )
    with shop.by_hand() as connection:
        connection.execute(text("update plans set retired_at = '2026-11-01' where product_key = :key"), {"key": SEVEN_DAYS})
    with pytest.raises(PlanRetired):
        instead(shop, refused, desk, number="+447700900125")
    assert states(shop, refused) == ["refund_due"]
    shop.pass_time(3600)
    with shop.app.app_context():
        renewals.recover("test", kit=shop.kit)
    shop.ask_until_it_is_known()


def test_the_same_post_again_is_the_same_answer(shop: Shop, desk: Desk, refused: str) -> None:
    old = line_id(shop, refused)
    new = instead(shop, refused, desk)
    shop.work()
    assert instead(shop, refused, desk, line=old) == new
    with pytest.raises(OtherReplacement):
        instead(shop, refused, desk, number=None, line=old)
    assert len(shop.debits) == 1


def test_two_tills_replace_once(shop: Shop, desk: Desk, refused: str) -> None:
    other = shop.desk("LON2", "102")
    shop.open_shift(other)
    old, plan = line_id(shop, refused), shop.plan_id(SEVEN_DAYS, desk)
    verbs = [partial(replacements.replace_refused, refused, old, OTHER, plan, at, kit=shop.kit) for at in (desk, other)]
    answers = at_once(shop, verbs * 2)
    assert len(set(answers)) == 1 and isinstance(answers[0], str)
    shop.work()
    assert (states(shop, refused), len(shop.debits)) == (["replaced", "confirmed"], 1)


def test_replaced_and_given_back_at_once_is_one_of_them(shop: Shop, desk: Desk, refused: str) -> None:
    old, plan = line_id(shop, refused), shop.plan_id(SEVEN_DAYS, desk)
    new = partial(replacements.replace_refused, refused, old, OTHER, plan, desk, kit=shop.kit)
    back = partial(refunds.pay_back, refused, desk, kit=shop.kit, renewal_id=old)
    at_once(shop, [new, back] * 2)
    shop.work()
    replaced = states(shop, refused) == ["replaced", "confirmed"]
    assert replaced or states(shop, refused) == ["refunded"]
    assert (shop.shift().refunds_minor, len(shop.debits)) == ((0, 1) if replaced else (800, 0))


def test_no_carrier_is_asked_inside_a_transaction(shop: Shop, desk: Desk, refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = shop.kit.carriers["sandbox"]
    ask, asked = carrier.get_subscription, []

    def listened(number: str) -> object:
        asked.append(in_transaction())
        return ask(number)

    monkeypatch.setattr(carrier, "get_subscription", listened)
    instead(shop, refused, desk)
    assert asked == [False]
    shop.work()


def test_a_late_success_of_what_was_replaced_is_a_loss_for_two_people(shop: Shop, desk: Desk) -> None:
    """F18: the money pays for another renewal already, so nothing can be stopped; and it must not go unseen."""
    shop.misbehave("refuse")
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    old, ref = line_id(shop, ready.sale_id), shop.attempts(ready.sale_id)[0].ref
    instead(shop, ready.sale_id, desk)
    shop.work()
    late = shop.sandbox.carrier.books.renew(ref, "+447700900123", SEVEN_DAYS, Fate(), action="add")
    with shop.app.app_context():
        renewals.look_again(old, kit=shop.kit)
        assert [sale.id for sale in sales.unfinished(desk)] == [ready.sale_id]
        chosen = (old, Says.LOSS, Evidence.STATEMENT, "line 7")
        verdict = verdicts.propose(*chosen, shop.desk(staff="201"), kit=shop.kit, provider_ref=late.id)
        verdicts.agree(verdict, desk, kit=shop.kit)
        assert sales.unfinished(desk) == []
    assert shop.ask("select state, was from conflicts") == [("lost", "replaced")]
    assert states(shop, ready.sale_id) == ["replaced", "confirmed"]
    lost = "select debit, credit, amount_minor from ledger_transfers where code = 'lost'"
    assert shop.ask(lost) == [("cost_of_sales", "carrier_float", 736)]


@pytest.mark.parametrize(
    ("harm", "to_be_found"),
    [
        (
            "update renewals set replaces = null",
            [
                "does not explain",
                "lacks what was paid",
                "lines of 1600 for a total of 800",
                "one of its",
                "replaced, and by nothing",
                "replaces differ from what was quoted",
                "tax_minor differ from the sum of its rows",
            ],
        ),
        (
            "update renewals set replaces = 'nobody' where replaces is not null",
            ["replaced, and by nothing", "not there", "replaces differ"],
        ),
    ],
)
def test_a_replacement_changed_by_hand_is_found(shop: Shop, desk: Desk, refused: str, harm: str, to_be_found: list[str]) -> None:
    instead(shop, refused, desk)
    shop.work()
    with shop.by_hand() as connection:
        connection.execute(text(harm))
    found = findings(shop.app)
    assert len(found) == len(to_be_found), "\n".join(found)


# ---------------------------------------------------------------- the screens


def test_the_clerk_chooses_reads_back_and_goes_on(counter: Counter, shop: Shop, app: Flask) -> None:
    counter.open_shift().ready_to_pay("07700 900521").cash("20.00")
    counter.work()
    assert "Another plan or number for the same 8.00 GBP" in counter.look().plain
    line = {"renewal_id": line_id(shop, counter.sale_id)}
    page = counter.get(f"/sales/{counter.sale_id}/replace?renewal_id={line['renewal_id']}")
    assert "What does the customer want for the same 8.00 GBP?" in page.plain and "Lyca Data 7 days 8 GB" in page.plain
    assert "12.00 GBP" not in page.plain, "plans of another price are not offered"
    chosen = line | {"plan_id": str(shop.plan_id(SEVEN_DAYS, shop.desk()))}
    assert counter.post(f"/sales/{counter.sale_id}/replace", chosen | {"entry": "07700 9007"}).status == 422
    assert "not a complete mobile number" in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/replace", chosen | {"entry": "07700 900124"})
    assert "+44 7700 900 124" in counter.page.plain and "Paid already: 8.00 GBP" in counter.page.plain
    assert states(shop, counter.sale_id) == ["refund_due"], "reading back changes nothing"
    counter.post(f"/sales/{counter.sale_id}/replace", chosen | {"entry": "07700 900124", "agreed": "1"})
    assert "Paid. Activating now" in counter.page.plain
    counter.work()
    counter.look()
    assert "Paid. The plan is active." in counter.page.plain and "Give change 12.00" in counter.page.plain
    told = counter.get(f"/search/{counter.sale_id}").plain
    assert "Replaced by another renewal" in told and "Confirmed by the carrier" in told
    # An old page, pressed again, shows the sale and says so.
    counter.get(f"/sales/{counter.sale_id}/replace?renewal_id={line['renewal_id']}")
    assert "not waiting for its money any more" in counter.page.plain
    with app.app_context():
        assert sales.unfinished(shop.desk()) == []
