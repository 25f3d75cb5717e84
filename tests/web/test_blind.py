"""A clerk who asks everything and adds up what is answered does not learn what lies in the drawer before it was counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from pos.app import DEMO_PINS
from pos.domain.money import Money
from pos.domain.shifts import Movement
from pos.sandbox.server import SandboxServer
from pos.services import drawer
from tests.api.caller import Caller
from tests.conftest import StandingClock
from tests.counter import Counter
from tests.services.shop import Shop

FLOAT, DROPPED, PAID_IN = 123_45, 20_01, 5_55
PRICES = (8_00, 8_00, 8_00)
EXPECTED = FLOAT + sum(PRICES) - DROPPED + PAID_IN
# Each sum from which the expected cash follows at once: cash sales, and float with the movements that a person booked.
TELLING = {
    "expected cash": EXPECTED,
    "cash sales": sum(PRICES),
    "float and sales": FLOAT + sum(PRICES),
    "movements": PAID_IN - DROPPED,
    "float and movements": FLOAT - DROPPED + PAID_IN,
}
# One sale, one receipt, opened by its number: the exception that the counter reference makes. And what is sold, with its price.
OF_ONE_SALE = ("/sales/", "/receipts/", "/r/", "/display")


@pytest.fixture
def shop(app: Flask, sandbox: SandboxServer, clock: StandingClock) -> Shop:
    return Shop(app, sandbox, clock)


def spellings(minor: int) -> set[str]:
    whole, rest = divmod(abs(minor), 100)
    return {f"{whole}.{rest:02}", f"{whole:,}.{rest:02}", str(abs(minor)), f"{whole},{rest:02}"}


def says(text: str, minor: int) -> bool:
    return any(re.search(rf"(?<![\d.]){re.escape(word)}(?![\d]|\.\d)", text) for word in spellings(minor))


def a_day(counter: Counter, shop: Shop) -> list[str]:
    """Float, three sales, money to the safe and money in: the clerk's own shift so far. The receipts."""
    counter.open_shift("123.45")
    receipts = []
    for turn in range(len(PRICES)):
        counter.ready_to_pay(f"07700 90{turn:02}21").cash("10.00")
        counter.work()
        receipts.append(str(shop.sale(counter.sale_id).receipt_number))
    desk = shop.desk()
    with shop.app.app_context():
        for kind, minor, code in ((Movement.DROP, DROPPED, "full"), (Movement.PAID_IN, PAID_IN, "change")):
            drawer.move_cash(drawer.Wish(str(uuid4()), kind, Money(minor, "GBP"), code), desk, kit=shop.kit)
    return receipts


def addresses(app: Flask, api: bool, things: dict[str, object]) -> Iterator[str]:
    """Every address that answers to GET; those that need a thing that is not there yet answer with their refusal."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "GET" in (rule.methods or ()) and rule.endpoint.startswith("api.") == api and rule.endpoint != "static":
            yield _address(app, rule, things)


def _address(app: Flask, rule: Rule, things: dict[str, object]) -> str:
    with app.test_request_context():
        return url_for(rule.endpoint, **{name: things[name] for name in rule.arguments})


def things_of(sale_id: str, receipt: str) -> dict[str, object]:
    """What each name in an address stands for."""
    named: dict[str, object] = {"sale_id": sale_id, "number_id": sale_id, "renewal_id": sale_id, "number": receipt}
    named |= {
        "shift_id": 1,
        "job_id": 1,
        "printer_id": 1,
        "plan_id": 1,
        "rule_id": 1,
        "verdict_id": 1,
        "line_number": 1,
        "line": 1,
        "item_id": 1,
        "staff_number": "101",
        "report": "today",
        "form": "csv",
    }
    named |= {"carrier": "sandbox", "currency": "GBP", "till_code": "LON1", "secret": "k" * 40, "event": "x", "path": "in"}
    return named | {"token": "LON1-000001.20261121.800GBP.SIG-1"}


def answers(counter: Counter, shop: Shop, receipts: list[str]) -> dict[str, str]:
    """Every page and every JSON answer that a clerk can get, and what the forms of the shift say, by what was asked."""
    things = things_of(counter.sale_id, receipts[-1])
    found = {}
    for path in addresses(shop.app, False, things):
        answer = counter.client.get(path)
        found[f"GET {path}"] = answer.get_data().decode("utf-8", "replace") + str(answer.headers)
    counter.get("/")
    press, pin = str(uuid4()), {"approver": "201", "approver_pin": DEMO_PINS["201"]}
    forms: list[tuple[str, dict[str, str]]] = [
        ("/shift/drawer/out", {"press": press, "amount": "9999.99", "code": "supplies"}),
        ("/shift/drawer/safe", {"press": press, "amount": "", "code": "full"}),
        ("/shift/no-sale", {"press": press, "code": "check", **pin}),
        ("/shift/count", {"pieces_100": "3"}),
        ("/shift/count", {}),
        ("/shift/handover", {"pieces_100": "3", "taker": "102", "approver_pin": DEMO_PINS["102"]}),
        ("/shift/close", {"left_in_drawer": "1.00"}),
        ("/shift/close", {"pieces_100": "3", "left_in_drawer": "1.00"}),
        ("/search", {"query": receipts[0]}),
        ("/search", {"query": "+447700900021"}),
    ]
    for path, fields in forms:
        found[f"POST {path} {sorted(fields)}"] = counter.post(path, fields).text
    found["strip"] = counter.client.get("/status").get_data(as_text=True)
    found["close again"] = counter.get("/shift/close").text
    caller = Caller(shop.app)
    for path in addresses(shop.app, True, things):
        found[f"API {path}"] = caller.call("GET", path.removeprefix("/api/v1")).get_data().decode("utf-8", "replace")
    found["API x"] = caller.call("POST", "/shift/x").get_data(as_text=True)
    return found


def test_no_answer_to_a_clerk_tells_what_lies_in_the_drawer(counter: Counter, shop: Shop) -> None:
    receipts = a_day(counter, shop)
    assert shop.shift().expected_minor == EXPECTED
    found = answers(counter, shop, receipts)
    assert len(found) > 60
    assert shop.shift().state.value == "recount"
    for asked, text in found.items():
        for what, minor in TELLING.items():
            assert not says(text, minor), f"{asked} tells {what}"
        if any(place in asked for place in OF_ONE_SALE):
            continue
        several = sum(number in text for number in receipts) > 1
        assert not (several and says(text, PRICES[0])), f"{asked} lists receipts with amounts that can be added up"
        assert not (says(text, FLOAT) and (says(text, DROPPED) or says(text, PAID_IN))), (
            f"{asked} has float and movements at once"
        )
    manager = Counter(shop.app, till="LON1", staff="201")
    assert says(manager.get("/shift/x").plain, EXPECTED), "the figure is there for those who may see it"


def test_a_recount_has_equal_bytes_for_too_much_and_too_little(counter: Counter, shop: Shop) -> None:
    """Whatever the size, and whether a manager will be wanted or not."""
    seen = set()
    for pieces in ("1", "90", "98", "102", "110", "9000"):
        counter.open_shift()
        counter.get("/shift/close")
        answer = counter.client.post(
            "/shift/close",
            data={"csrf_token": counter.page.hidden("csrf_token"), "pieces_100": pieces, "left_in_drawer": "0"},
        )
        page = counter.get("/shift/close").text
        token = counter.page.hidden("csrf_token")
        shown = re.sub(r"\d+", "#", page.replace(token, "")), len(answer.get_data()), answer.status_code, answer.location
        seen.add(shown)
        assert shop.shift().state.value == "recount"
        counter.post("/shift/close", {"pieces_100": "100", "left_in_drawer": "100.00"})
        assert shop.shift().state.value == "closed"
    assert len(seen) == 1
