"""Several numbers in one sale by program: begun together or one by one, each sent, refused, given back and exchanged by itself."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest

from pos.api.lines import id_of_line
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from pos.store import renewals as renewal_rows
from pos.store.db import reading
from tests.api.caller import NUMBER, PASSPORT, PLAN, SLIP, Caller, pounds

SECOND, THIRD = "07700 900124", "07700 900126"
REFUND_SLIP = {"authorisation": "R1B2C3", "slip_number": "0018"}


def family(caller: Caller, *numbers: str) -> dict[str, Any]:
    """A sale with the same plan for each number, and everything but the money."""
    plans = caller.ok("POST", "/numbers/status", {"number": NUMBER})["plans"]
    plan = next(plan["id"] for plan in plans if plan["name"] == PLAN)
    sale_id = str(uuid4())
    caller.ok("PUT", f"/sales/{sale_id}", {"lines": [{"number": number, "plan": plan} for number in numbers]}, status=201)
    sale: dict[str, Any] = caller.ok("POST", f"/sales/{sale_id}/identity", {"document": PASSPORT, "matches_person": True})
    assert (sale["step"], sale["total"]) == ("check", pounds(800 * len(numbers)))
    return sale


def refused(caller: Caller, sandbox: SandboxServer, how: str = "cash", lines: int = 2) -> dict[str, Any]:
    """A paid sale whose lines the carrier refused, each."""
    sandbox.carrier.faults.add(Fault("refuse", where="submit", count=lines))
    sale = family(caller, *[NUMBER, SECOND, THIRD][:lines])
    if how == "card":
        caller.ok("POST", f"/sales/{sale['id']}/card", {"quote": sale["quote"]})
        caller.ok("POST", f"/sales/{sale['id']}/card/slip", SLIP)
    else:
        caller.pay(sale)
    caller.work()
    found: dict[str, Any] = caller.ok("GET", f"/sales/{sale['id']}")
    assert [line["renewal"]["state"] for line in found["lines"]] == ["refund_due"] * lines
    return found


def states(sale: dict[str, Any]) -> list[str]:
    return [line["renewal"]["state"] for line in sale["lines"]]


# ------------------------------------------------------------------ begun together


def test_a_family_by_program(selling: Caller) -> None:
    sale = family(selling, NUMBER, SECOND, THIRD)
    assert [line["position"] for line in sale["lines"]] == [1, 2, 3]
    assert [line["id"] for line in sale["lines"]] == [id_of_line(sale["id"], place) for place in (1, 2, 3)]
    assert sale["lines"][0]["id"] == sale["id"]
    paid = selling.pay(sale, 2400)
    selling.work()
    done = selling.ok("GET", f"/sales/{sale['id']}")
    assert (states(done), len(paid["payments"]), done["owed"]) == (["confirmed"] * 3, 1, None)
    assert [line["renewal"]["masked"][-3:] for line in done["lines"]] == ["123", "124", "126"]
    assert selling.ok("POST", "/sales/search", {"query": paid["receipt_number"]})["sales"][0]["numbers"] == 3


def test_the_same_lines_again_are_no_further_lines(selling: Caller) -> None:
    sale_id, sent = str(uuid4()), {"lines": [{"number": NUMBER}, {"number": SECOND}]}
    first = selling.ok("PUT", f"/sales/{sale_id}", sent, status=201)
    assert selling.ok("PUT", f"/sales/{sale_id}", sent) == first
    dropped = selling.ok("DELETE", f"/sales/{sale_id}/lines/2")
    assert selling.ok("PUT", f"/sales/{sale_id}", sent) == dropped, "what was taken out does not come back"
    selling.ok("POST", "/shift/close", {"pieces": [{"minor": 5000, "count": 2}]})
    assert selling.ok("PUT", f"/sales/{sale_id}", sent) == dropped
    other = {"lines": [*sent["lines"], {"number": THIRD}]}
    assert selling.no("PUT", f"/sales/{sale_id}", other, status=409)["type"].endswith("/other-request")


def test_many_lines_begun_many_times_at_once(selling: Caller) -> None:
    sale_id, answers = str(uuid4()), []
    together = threading.Barrier(4)

    def begin() -> None:
        together.wait()
        answers.append(selling.call("PUT", f"/sales/{sale_id}", {"lines": [{"number": NUMBER}, {"number": SECOND}]}))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [201]
    assert len({answer.get_data() for answer in answers}) == 1 and len(answers[0].get_json()["lines"]) == 2


@pytest.mark.parametrize("wrong", ["12", "07911 123456"])
def test_a_wrong_number_among_right_ones_begins_nothing(selling: Caller, wrong: str) -> None:
    """Not complete, and of a carrier that nobody here knows: the refusal stands at the line, and no line stays behind."""
    sale_id = str(uuid4())
    sent = {"lines": [{"number": NUMBER}, {"number": wrong}, {"number": THIRD}]}
    found = selling.no("PUT", f"/sales/{sale_id}", sent, status=422)
    assert [error["pointer"] for error in found["errors"]] == ["/lines/1/number"]
    selling.no("GET", f"/sales/{sale_id}", status=404)
    selling.ok("PUT", f"/sales/{sale_id}", {"lines": [{"number": NUMBER}]}, status=201)


def test_a_repeat_finishes_the_plans_that_were_not_chosen(selling: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from pos.api import sales as api_sales

    plans = selling.ok("POST", "/numbers/status", {"number": NUMBER})["plans"]
    sent = {"lines": [{"number": NUMBER, "plan": plans[0]["id"]}, {"number": SECOND, "plan": plans[1]["id"]}]}
    sale_id, chosen = str(uuid4()), api_sales.choose_where_none

    def power_cut(sale: str, number: str, plan: int) -> None:
        if number != sale:
            raise TimeoutError
        chosen(sale, number, plan)

    monkeypatch.setattr(api_sales, "choose_where_none", power_cut)
    assert selling.call("PUT", f"/sales/{sale_id}", sent).status_code == 500
    monkeypatch.undo()
    half = selling.ok("GET", f"/sales/{sale_id}")
    assert [line["renewal"] is None for line in half["lines"]] == [False, True]
    whole = selling.ok("PUT", f"/sales/{sale_id}", sent)
    assert whole["lines"][0] == half["lines"][0]
    assert whole["lines"][1]["renewal"]["plan_name"] == plans[1]["name"]
    with selling.app.app_context(), reading() as session:
        assert len(renewal_rows.of_sale(session, sale_id)) == 2, "and no line was quoted twice"


# ------------------------------------------------------------------ one more, one less


def test_one_more_line_and_one_less(selling: Caller) -> None:
    sale_id, line_id = selling.begin(), str(uuid4())
    plan = selling.plan_id(sale_id)
    for _ in range(2):
        more = selling.ok("POST", f"/sales/{sale_id}/lines", {"id": line_id, "number": SECOND, "plan": plan})
        assert [(line["id"], line["position"]) for line in more["lines"]] == [(sale_id, 1), (line_id, 2)]
    other = selling.no("POST", f"/sales/{sale_id}/lines", {"id": line_id, "number": THIRD}, status=409)
    assert other["type"].endswith("/stale-form")
    third = str(uuid4())
    selling.ok("POST", f"/sales/{sale_id}/lines", {"id": third, "number": THIRD})
    for _ in range(2):
        less = selling.ok("DELETE", f"/sales/{sale_id}/lines/{line_id}")
        assert [(line["id"], line["position"]) for line in less["lines"]] == [(sale_id, 1), (third, 3)]
    assert less["total"] is None, "its plan went with it"
    selling.no("DELETE", f"/sales/{sale_id}/lines/2", status=404)
    selling.no("PUT", f"/sales/{sale_id}/lines/2/plan", {"plan": plan}, status=404)
    assert selling.ok("PUT", f"/sales/{sale_id}/lines/3/plan", {"plan": plan})["lines"][1]["renewal"]["masked"].endswith("126")
    assert selling.ok("GET", f"/sales/{sale_id}/lines/{third.upper()}/plans")["plans"]
    selling.ok("DELETE", f"/sales/{sale_id}/lines/1")
    assert selling.no("DELETE", f"/sales/{sale_id}/lines/3", status=409)["type"].endswith("/last-number")


def test_no_line_comes_or_goes_once_money_is_here(selling: Caller) -> None:
    sale = selling.pay(family(selling, NUMBER, SECOND))
    added = selling.no("POST", f"/sales/{sale['id']}/lines", {"id": str(uuid4()), "number": THIRD}, status=409)
    assert added["type"].endswith("/sale-over")
    assert selling.no("DELETE", f"/sales/{sale['id']}/lines/2", status=409)["type"].endswith("/sale-over")
    selling.work()


def test_a_tenth_number_finds_no_room(selling: Caller) -> None:
    nine = [{"number": f"07700 9001{last:02}"} for last in range(30, 39)]
    sale_id = str(uuid4())
    ten = selling.no("PUT", f"/sales/{sale_id}", {"lines": [*nine, {"number": NUMBER}]}, status=422)
    assert ten["errors"][0]["pointer"] == "/lines"
    selling.ok("PUT", f"/sales/{sale_id}", {"lines": nine}, status=201)
    found = selling.no("POST", f"/sales/{sale_id}/lines", {"id": str(uuid4()), "number": NUMBER}, status=409)
    assert found["type"].endswith("/too-many-numbers")


def test_an_id_that_names_a_line_already_begins_no_sale(selling: Caller) -> None:
    sale_id, line_id = selling.begin(), str(uuid4())
    selling.ok("POST", f"/sales/{sale_id}/lines", {"id": line_id, "number": SECOND})
    body = {"lines": [{"number": THIRD}]}
    assert selling.no("PUT", f"/sales/{line_id}", body, status=409)["type"].endswith("/stale-form")
    selling.no("GET", f"/sales/{line_id}", status=404)


@pytest.mark.parametrize("wrong", ["x", 1, None, "", "7b6e1a524f0c4b7e9a530f4f5d6c7e81", "{7b6e1a52-4f0c-4b7e-9a53-0f4f5d6c7e8}"])
def test_ids_that_are_none(selling: Caller, wrong: Any) -> None:
    sale_id = selling.begin()
    found = selling.no("POST", f"/sales/{sale_id}/lines", {"id": wrong, "number": SECOND}, status=422)
    assert [error["pointer"] for error in found["errors"]] == ["/id"]


# ------------------------------------------------------------------ money back


def test_cash_goes_back_line_by_line(selling: Caller, sandbox: SandboxServer) -> None:
    sale = refused(selling, sandbox)
    assert sale["owed"] == pounds(1600)
    address = f"/sales/{sale['id']}/refund"
    assert selling.no("POST", address, {}, status=409)["type"].endswith("/which-line")
    second = {"renewal": sale["lines"][1]["renewal"]["id"]}
    for _ in range(2):
        found = selling.ok("POST", address, second)
        assert (states(found), found["owed"]) == (["refund_due", "refunded"], pounds(800))
    assert found["lines"][0]["refund"] is None and found["lines"][1]["refund"]["receipt_number"]
    assert states(selling.ok("POST", address, {})) == ["refunded", "refunded"], "one is left, so it need not be named"
    found = selling.no("POST", address, {"renewal": str(uuid4())}, status=409)
    assert found["type"].endswith("/nothing-to-refund")


def test_card_money_goes_back_by_way_of_the_terminal(selling: Caller, sandbox: SandboxServer) -> None:
    sale = refused(selling, sandbox, "card")
    address = f"/sales/{sale['id']}/refund"
    one, two = ({"renewal": line["renewal"]["id"]} for line in sale["lines"])
    assert selling.no("POST", address, one, status=409)["type"].endswith("/stale-form"), "no cash for a card"
    for verb, renewal, refund in (
        ("/card", "refunding", "refunding"),
        ("/card/declined", "refund_due", "declined"),
        ("/card", "refunding", "refunding"),
        ("/card/no-result", "refunding", "in_doubt"),
        ("/card/missing", "refund_due", "missing"),
        ("/card", "refunding", "refunding"),
    ):
        for _ in range(2):
            line = selling.ok("POST", address + verb, one)["lines"][0]
            assert (line["renewal"]["state"], line["refund"]["state"]) == (renewal, refund), verb
    for _ in range(2):
        line = selling.ok("POST", f"{address}/card/slip", {**one, **REFUND_SLIP})["lines"][0]
        assert (line["renewal"]["state"], line["refund"]["tender"]) == ("refunded", "card")
    used = selling.no("POST", f"{address}/card/slip", {**two, **REFUND_SLIP}, status=409)
    assert used["type"].endswith("/refund-slip-used")
    other = selling.no("POST", f"{address}/card/slip", {**one, **REFUND_SLIP, "slip_number": "0019"}, status=409)
    assert other["type"].endswith("/other-refund")
    in_cash = {**two, "reason": "the card was blocked"}
    assert selling.no("POST", f"{address}/card/in-cash", in_cash, status=403)
    selling.sign_in("201")
    for _ in range(2):
        line = selling.ok("POST", f"{address}/card/in-cash", in_cash)["lines"][1]
        assert (line["renewal"]["state"], line["refund"]["tender"]) == ("refunded", "cash")


@pytest.mark.parametrize("verb", ["", "/slip", "/in-cash"])
def test_what_was_cash_does_not_go_to_a_card(selling: Caller, sandbox: SandboxServer, verb: str) -> None:
    sale = refused(selling, sandbox, lines=1)
    selling.sign_in("201")
    sent = {"/slip": REFUND_SLIP, "/in-cash": {"reason": "no reason"}}.get(verb, {})
    assert selling.no("POST", f"/sales/{sale['id']}/refund/card{verb}", sent, status=409)["type"].endswith("/stale-form")
    assert selling.ok("GET", f"/sales/{sale['id']}") == sale


# ------------------------------------------------------------------ another renewal instead


def test_another_number_for_the_same_money(selling: Caller, sandbox: SandboxServer) -> None:
    sale = refused(selling, sandbox)
    old = sale["lines"][1]["renewal"]
    address = f"/sales/{sale['id']}/renewals/{old['id']}/replacement"
    choice = selling.ok("GET", address)
    assert (choice["renewal_id"], choice["price"]) == (old["id"], pounds(800))
    assert choice["plans"] and all(plan["price"] == pounds(800) for plan in choice["plans"])
    plan = next(plan["id"] for plan in choice["plans"] if plan["name"] == PLAN)
    sent = {"plan": plan, "number": THIRD}
    read = selling.ok("POST", f"{address}/read-back", sent)
    assert read["grouped"].replace(" ", "").endswith("7700900126") and read["plan"]["id"] == plan
    assert selling.ok("GET", f"/sales/{sale['id']}") == sale, "nothing was written"
    for _ in range(2):
        found = selling.ok("POST", address, sent)
        assert states(found) == ["refund_due", "paid"] and found["lines"][1]["renewal"]["id"] != old["id"]
    assert found["lines"][1]["renewal"]["masked"].endswith("126") and found["owed"] == pounds(800)
    assert selling.no("POST", address, {"plan": plan}, status=409)["type"].endswith("/other-replacement")
    assert selling.no("GET", address, status=409)["type"].endswith("/nothing-to-replace")
    selling.work()
    found = selling.ok("GET", f"/sales/{sale['id']}")
    assert states(found) == ["refund_due", "confirmed"]
    wrong = f"/sales/{sale['id']}/renewals/{found['lines'][0]['renewal']['id']}/replacement"
    assert selling.no("POST", wrong, {"plan": plan, "number": "12"}, status=422)["errors"][0]["pointer"] == "/number"
    dearer = next(
        plan for plan in selling.ok("POST", "/numbers/status", {"number": NUMBER})["plans"] if plan["price"] != pounds(800)
    )
    assert selling.no("POST", wrong, {"plan": dearer["id"]}, status=409)["type"].endswith("/other-price")
    assert selling.no("GET", f"/sales/{sale['id']}/renewals/{uuid4()}/replacement", status=409)
