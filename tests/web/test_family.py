"""A family at the counter: one more number, one less, one payment, and each number's own outcome on the screens."""

from __future__ import annotations

import re

from flask import Flask

from tests.counter import Counter


def more(counter: Counter, number: str, plan: int = 0) -> Counter:
    """Press "Add another number", look it up and take the plan at that place of the grid."""
    counter.get(f"/sales/{counter.sale_id}/another")
    typed = re.search(rf"/sales/{counter.sale_id}/numbers/([0-9a-f-]+)\"", counter.page.text)
    assert typed is not None, counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/numbers/{typed[1]}", {"entry": number})
    if counter.page.status == 200:
        offered = re.findall(r'name="plan_id" value="(\d+)"', counter.page.text)
        chosen = {"plan_id": offered[plan], "number_id": counter.page.hidden("number_id")}
        counter.post(f"/sales/{counter.sale_id}/plan", chosen)
    return counter


def drops(counter: Counter) -> list[str]:
    return re.findall(rf'action="(/sales/{counter.sale_id}/numbers/[0-9a-f-]+/drop)"', counter.page.text)


def test_a_family_from_the_first_number_to_the_refund_of_one(counter: Counter) -> None:
    counter.open_shift().ready_to_pay()
    assert "Add another number" in counter.page.plain and drops(counter) == []
    more(counter, "07700 900521", 1)
    more(counter, "07700 900601", 1)
    page = counter.page.plain
    assert "3 numbers" in page and "21.00 GBP" in page, "8.00, 5.00 and 8.00"
    for number in ("+44 7700 900 123", "+44 7700 900 521", "+44 7700 900 601"):
        assert number in page
    counter.cash("30.00")
    assert "Activating 3 plans now" in counter.page.plain and "9.00 GBP" in counter.page.plain
    counter.work()
    page = counter.look().plain
    assert "2 of 3 plans are active. Give back 5.00 GBP." in page
    assert page.count("The plan is active.") == 2 and "Not activated. Give back 5.00 GBP." in page
    assert "900 123" not in page, "masked once it is over"
    home = counter.get("/").plain
    assert "3 numbers" in home and "***521" in home, "the sale in the last sales, its open line in the unfinished"
    counter.look()
    counter.post(f"/sales/{counter.sale_id}/refund", {"renewal_id": counter.page.hidden("renewal_id")})
    assert "2 of 3 plans are active. The rest of the money was given back." in counter.page.plain
    assert "5.00 GBP was given back" in counter.page.plain
    history = counter.get(f"/search/{counter.sale_id}").plain
    assert "Confirmed by the carrier +44 **** ***123" in history
    assert counter.verify() == []


def test_a_line_can_be_changed_and_removed_before_the_money(counter: Counter) -> None:
    counter.open_shift().ready_to_pay()
    more(counter, "07700 900601", 1)
    assert len(drops(counter)) == 2
    change = re.findall(rf"/sales/{counter.sale_id}/plans\?number_id=[0-9a-f-]+", counter.page.text)
    counter.get(change[1])
    assert "LEB month" in counter.page.plain and "+44 7700 900 601" in counter.page.plain
    cheapest = re.findall(r'name="plan_id" value="(\d+)"', counter.page.text)[0]
    counter.post(f"/sales/{counter.sale_id}/plan", {"plan_id": cheapest, "number_id": counter.page.hidden("number_id")})
    assert "11.00 GBP" in counter.page.plain
    counter.post(drops(counter)[0], {})
    assert "3.00 GBP" in counter.page.plain and drops(counter) == []
    counter.cash("3.00")
    counter.work()
    assert "Paid. The plan is active." in counter.look().plain
    assert counter.verify() == []


def test_what_is_no_number_stands_at_the_field_and_the_sale_stays(counter: Counter) -> None:
    counter.open_shift().ready_to_pay()
    for typed, says in (("12", "not a complete mobile number"), ("4111 1111 1111 1111", "looks like a payment card")):
        more(counter, typed)
        assert counter.page.status == 422 and says in counter.page.plain
        assert "4111" not in counter.page.text
    more(counter, "07911 123456")
    assert "does not belong to a carrier this shop renews" in counter.page.plain
    assert "8.00 GBP" in counter.look().plain and drops(counter) == []


def test_the_same_plan_for_the_same_number_is_a_sentence(counter: Counter) -> None:
    counter.open_shift().ready_to_pay()
    more(counter, "07700 900123", 2)
    assert counter.page.status == 409
    assert "gets this plan in this sale already. Take no money for it twice" in counter.page.plain


def test_a_twin_of_one_line_is_overridden_for_that_line(app: Flask, counter: Counter) -> None:
    counter.open_shift().ready_to_pay("07700 900124").cash("8.00")
    counter.work()
    manager = Counter(app, till="LON2", staff="201").open_shift().ready_to_pay()
    more(manager, "07700 900124")  # what sells best stands first
    assert manager.page.status == 409 and "This number already got this plan" in manager.page.plain
    fields = {name: manager.page.hidden(name) for name in ("plan_id", "number_id")}
    manager.post(f"/sales/{manager.sale_id}/plan", {**fields, "override": "1", "reason": "two weeks"})
    manager.cash("16.00")
    assert "Activating 2 plans now" in manager.page.plain
    manager.work()
    assert manager.verify() == []


def test_a_form_that_was_posted_twice_adds_one_number(counter: Counter) -> None:
    counter.open_shift().ready_to_pay()
    counter.get(f"/sales/{counter.sale_id}/another")
    typed = re.search(rf"/sales/{counter.sale_id}/numbers/([0-9a-f-]+)\"", counter.page.text)
    assert typed is not None
    for _ in range(2):
        counter.post(f"/sales/{counter.sale_id}/numbers/{typed[1]}", {"entry": "07700 900601"})
        assert counter.page.status == 200
    assert len(drops(counter)) == 2
