"""A till's whole job by program, from the code to the closed shift; and everything twice."""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from pos.api import sales as api_sales
from pos.app import DEMO_PINS
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from pos.store.db import in_transaction, reading
from pos.store.shifts import DifferenceApproval, Shift, ZReport
from tests.api.caller import NUMBER, PASSPORT, PLAN, SLIP, Caller, pounds
from tests.conftest import StandingClock

# ------------------------------------------------------------------ the whole job


def test_a_day_by_program(caller: Caller) -> None:
    who = caller.ok("GET", "/sessions/current")
    assert (who["staff"]["name"], who["till"]["code"], who["till"]["store"]["currency"]) == ("Amelia Ward", "LON1", "GBP")
    assert caller.ok("GET", "/shift")["shift"] is None
    assert caller.no("PUT", f"/sales/{uuid4()}", {"lines": [{"number": NUMBER}]}, status=409)["type"].endswith("/no-open-shift")
    caller.open_shift()
    assert caller.ok("GET", "/shift")["shift"]["number"] == 1

    status = caller.ok("POST", "/numbers/status", {"number": NUMBER})
    assert status["number"]["masked"].endswith("123") and status["number"]["state"] == "active"
    plan = next(plan for plan in status["plans"] if plan["name"] == PLAN)
    assert plan["price"] == pounds(800)

    sale_id = str(uuid4())
    begun = caller.ok("PUT", f"/sales/{sale_id}", {"lines": [{"number": NUMBER, "plan": plan["id"]}]}, status=201)
    assert (begun["id"], begun["state"], begun["step"], begun["total"]) == (sale_id, "draft", "document", pounds(800))
    assert begun["lines"][0]["renewal"]["state"] == "quoted"
    checked = caller.ok("POST", f"/sales/{sale_id}/identity", {"document": PASSPORT, "matches_person": True})
    assert (checked["step"], checked["document"]["last3"]) == ("check", "006")
    paid = caller.pay(checked, 1000)
    assert (paid["state"], paid["receipt_number"], paid["moving"]) == ("paid", "LON1-000001", True)
    assert paid["payments"][0]["change"] == pounds(200)
    assert paid["lines"][0]["number"]["grouped"] is None, "the full number is gone once the sale is over"

    caller.work()
    done = caller.ok("GET", f"/sales/{sale_id}")
    assert (done["lines"][0]["renewal"]["state"], done["moving"]) == ("confirmed", False)
    assert done["receipts"] == [{"number": "LON1-000001", "kind": "sale"}]
    assert caller.ok("GET", "/receipts/LON1-000001.pdf").startswith(b"%PDF-")
    assert caller.ok("GET", "/receipts/LON1-000001.png").startswith(b"\x89PNG")
    text = caller.ok("GET", "/receipts/LON1-000001.txt").decode()
    assert "LON1-000001" in text and "8.00 GBP" in text and max(map(len, text.splitlines())) <= 48
    assert caller.ok("POST", "/receipts/LON1-000001/copies", status=201) == {"sale": sale_id}
    assert [found["id"] for found in caller.ok("POST", "/sales/search", {"query": "LON1-000001"})["sales"]] == [sale_id]
    assert [found["id"] for found in caller.ok("POST", "/sales/search", {"query": NUMBER})["sales"]] == [sale_id]
    assert caller.ok("GET", "/sales/unfinished") == {"sales": []}

    pieces = [{"minor": 5000, "count": 2}, {"minor": 200, "count": 4}]
    closed = caller.ok("POST", "/shift/close", {"pieces": pieces, "left": pounds(10_000)})
    assert (closed["closed"], closed["count_again"], closed["shift"]["state"]) == (True, False, "closed")
    assert caller.ok("GET", f"/shifts/{closed['shift']['id']}.pdf").startswith(b"%PDF-")
    assert caller.call("DELETE", "/sessions/current").status_code == 204
    assert caller.no("GET", "/shift", status=401)["type"].endswith("/nobody-signed-in")
    assert caller.call("DELETE", "/sessions/current").status_code == 204, "ended already is as good"


def test_a_card_by_program(selling: Caller) -> None:
    sale = selling.ready()
    address = f"/sales/{sale['id']}"
    for _ in range(2):
        begun = selling.ok("POST", f"{address}/card", {"quote": sale["quote"]})
        assert (begun["state"], begun["step"]) == ("tendering", "card")
    assert selling.ok("POST", f"{address}/card/declined")["payments"][0]["state"] == "declined"
    selling.ok("POST", f"{address}/card", {"quote": sale["quote"]})
    for _ in range(2):
        assert selling.ok("POST", f"{address}/card/no-result")["state"] == "tender_unknown"
    refused = selling.no("POST", f"{address}/cash", {"quote": sale["quote"], "tendered": pounds(800)}, status=409)
    assert refused["type"].endswith("/tender-open") and "8.00 GBP is still open" in refused["detail"]
    for _ in range(2):
        paid = selling.ok("POST", f"{address}/card/slip", SLIP)
        assert (paid["state"], paid["receipt_number"]) == ("paid", "LON1-000001")
    other = selling.no("POST", f"{address}/card/slip", {**SLIP, "authorisation": "B9"}, status=409)
    assert other["type"].endswith("/other-content")
    selling.work()


def test_a_card_that_never_was(selling: Caller) -> None:
    sale = selling.ready()
    selling.ok("POST", f"/sales/{sale['id']}/card", {"quote": sale["quote"]})
    selling.ok("POST", f"/sales/{sale['id']}/card/no-result")
    assert selling.ok("POST", f"/sales/{sale['id']}/card/missing")["state"] == "voided"


def test_a_refused_renewal_is_paid_back(selling: Caller, sandbox: SandboxServer) -> None:
    sandbox.carrier.faults.add(Fault("refuse", where="submit", count=1))
    sale = selling.pay(selling.ready())
    assert selling.no("POST", f"/sales/{sale['id']}/refund", {}, status=409)["type"].endswith("/not-yet-known")
    selling.work()
    assert selling.ok("GET", f"/sales/{sale['id']}")["lines"][0]["renewal"]["state"] == "refund_due"
    for _ in range(2):
        line = selling.ok("POST", f"/sales/{sale['id']}/refund", {})["lines"][0]
        assert (line["renewal"]["state"], line["refund"]["amount"]) == ("refunded", pounds(800))
    assert selling.ok("GET", f"/receipts/{line['refund']['receipt_number']}.txt")


def test_given_up_before_any_money(selling: Caller) -> None:
    sale = selling.ready()
    for _ in range(2):
        assert selling.ok("POST", f"/sales/{sale['id']}/void")["state"] == "voided"
    body = {"quote": sale["quote"], "tendered": pounds(800)}
    assert selling.no("POST", f"/sales/{sale['id']}/cash", body, status=409)["type"].endswith("/sale-over")


def test_a_count_outside_the_tolerance_is_asked_for_once_more(selling: Caller) -> None:
    sent = {"pieces": [{"minor": 5000, "count": 1}]}
    again = selling.ok("POST", "/shift/close", sent)
    assert again == {"closed": False, "count_again": True, "shift": None}
    assert selling.ok("POST", "/shift/close", sent)["closed"] is True


SLIPS = [
    {"terminal": "T1", "batch": "0007", "total": pounds(2_400), "count": 3},
    {"terminal": "T2", "batch": "0112", "total": pounds(0)},
]


def test_a_close_with_two_terminals_and_a_manager_at_hand(app: Flask, selling: Caller) -> None:
    """50.00 of 100.00 are there: over the limit, so what a wrong PIN is told must be told before anything is compared."""
    sent = {"pieces": [{"minor": 5000, "count": 1}], "terminals": SLIPS, "code": "wrong_change", "goes_on": True}
    wrong = sent | {"approval": {"staff_number": "201", "pin": "000000"}}
    refused = selling.no("POST", "/shift/close", wrong, status=422)
    assert [error["pointer"] for error in refused["errors"]] == ["/approval/pin"]
    myself = selling.no("POST", "/shift/close", sent | {"approval": {"staff_number": "101", "pin": DEMO_PINS["101"]}}, status=422)
    assert myself["type"].endswith("/one-person-twice")
    agreed = sent | {"approval": {"staff_number": "201", "pin": DEMO_PINS["201"]}}
    assert selling.ok("POST", "/shift/close", agreed) == {"closed": False, "count_again": True, "shift": None}
    assert selling.ok("POST", "/shift/close", agreed)["closed"] is True
    assert selling.ok("GET", "/shift")["shift"]["number"] == 2, "the next one began at once"
    with app.app_context(), reading() as session:
        (shift, _) = session.scalars(select(Shift).order_by(Shift.id))
        assert (shift.approval_wanted, shift.difference_code) == (True, "wrong_change")
        assert [row.staff_id for row in session.scalars(select(DifferenceApproval))] == [3]
        figures = json.loads(session.scalars(select(ZReport.figures)).one())
    assert figures["terminals"] == [["T1", "0007", 3, 2_400], ["T2", "0112", None, 0]]
    assert (figures["terminal_total"], figures["terminal_count"]) == (2_400, 3)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"terminals": [{"total": {"minor": 5, "currency": "EUR"}}]}, "/terminals/0/total"),
        ({"terminals": [SLIPS[0], {"terminal": "T2"}]}, "/terminals/1/total"),
        ({"code": "it was so"}, "/code"),
        ({"approval": {"staff_number": "201"}}, "/approval/pin"),
        ({"approval": {"staff_number": "201", "pin": ""}}, "/approval/pin"),
        ({"goes_on": "yes"}, "/goes_on"),
    ],
)
def test_what_cannot_be_meant_at_a_close_changes_nothing(selling: Caller, change: dict[str, object], pointer: str) -> None:
    refused = selling.no("POST", "/shift/close", {"pieces": [{"minor": 5000, "count": 2}], **change}, status=422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]
    assert selling.ok("GET", "/shift")["shift"]["state"] == "open"


def test_the_x_is_for_those_entitled(app: Flask, selling: Caller) -> None:
    assert selling.no("POST", "/shift/x", status=403)["detail"].startswith("Your role does not allow this.")
    selling.sign_in("201")
    assert "100.00" in selling.ok("POST", "/shift/x").decode()


def test_the_machine_readable_lines_of_a_document(selling: Caller) -> None:
    sale_id = selling.begin()
    lines = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
    wrong = selling.no("POST", f"/sales/{sale_id}/identity", {"mrz": lines, "matches_person": True}, status=422)
    assert wrong["errors"][0]["pointer"] == "/mrz" or "expired" in wrong["detail"]
    wrong = selling.no("POST", f"/sales/{sale_id}/identity", {"mrz": "nothing", "matches_person": True}, status=422)
    assert wrong["errors"][0]["pointer"] == "/mrz"
    wrong = selling.no("POST", f"/sales/{sale_id}/identity", {"document": PASSPORT, "matches_person": False}, status=422)
    assert wrong["errors"][0]["pointer"] == "/matches_person"


# ------------------------------------------------------------------ the same again, and another under the same id


def test_the_same_sale_again_is_the_same_answer(selling: Caller) -> None:
    sale_id, sent = str(uuid4()), {"lines": [{"number": NUMBER}], "language": "zh_Hant"}
    first = selling.ok("PUT", f"/sales/{sale_id}", sent, status=201)
    assert selling.ok("PUT", f"/sales/{sale_id}", sent) == first
    assert first["language"] == "zh_Hant"


@pytest.mark.parametrize(
    "other",
    [
        {"lines": [{"number": "07700 900124"}]},
        {"lines": [{"number": NUMBER, "plan": 1}]},
        {"lines": [{"number": NUMBER}], "language": "en"},
    ],
)
def test_another_sale_under_the_same_id_is_refused(selling: Caller, other: dict[str, Any]) -> None:
    sale_id = selling.begin()
    before = selling.ok("GET", f"/sales/{sale_id}")
    assert selling.no("PUT", f"/sales/{sale_id}", other, status=409)["type"].endswith("/other-request")
    assert selling.ok("GET", f"/sales/{sale_id}") == before


def test_a_repeat_chooses_no_other_plan_and_works_when_the_shift_is_over(selling: Caller) -> None:
    sale_id = str(uuid4())
    offered = selling.ok("POST", "/numbers/status", {"number": NUMBER})["plans"]
    sent = {"lines": [{"number": NUMBER, "plan": offered[0]["id"]}]}
    selling.ok("PUT", f"/sales/{sale_id}", sent, status=201)
    chosen = selling.ok("PUT", f"/sales/{sale_id}/lines/1/plan", {"plan": offered[1]["id"]})
    assert selling.ok("PUT", f"/sales/{sale_id}", sent) == chosen
    selling.ok("POST", "/shift/close", {"pieces": [{"minor": 5000, "count": 2}]})
    assert selling.ok("PUT", f"/sales/{sale_id}", sent) == chosen


def test_one_sale_begun_many_times_at_once(selling: Caller) -> None:
    sale_id, answers = str(uuid4()), []
    together = threading.Barrier(6)

    def begin() -> None:
        together.wait()
        answers.append(selling.call("PUT", f"/sales/{sale_id}", {"lines": [{"number": NUMBER}]}))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.get_data() for answer in answers}) == 1, "equal answers"


def test_two_different_sales_under_one_id_at_once(selling: Caller) -> None:
    sale_id, answers = str(uuid4()), {}
    together = threading.Barrier(2)

    def begin(number: str) -> None:
        together.wait()
        answers[number] = selling.call("PUT", f"/sales/{sale_id}", {"lines": [{"number": number}]})

    threads = [threading.Thread(target=begin, args=(number,)) for number in ("07700 900123", "07700 900124")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = {number: answer for number, answer in answers.items() if answer.status_code == 201}
    assert sorted(answer.status_code for answer in answers.values()) == [201, 409]
    assert next(iter(won)).endswith(next(iter(won.values())).get_json()["lines"][0]["number"]["masked"][-3:])


def test_the_same_cash_again_gives_the_same_change_and_another_is_refused(selling: Caller) -> None:
    sale = selling.ready()
    assert selling.pay(sale, 1000) == selling.pay(sale, 1000)
    body = {"quote": sale["quote"], "tendered": pounds(5000)}
    assert selling.no("POST", f"/sales/{sale['id']}/cash", body, status=409)["type"].endswith("/other-content")


def test_the_same_plan_for_the_same_number_is_refused_with_the_earlier_sale(selling: Caller) -> None:
    first = selling.pay(selling.ready())
    selling.work()
    sale_id = selling.begin()
    plan = selling.plan_id(sale_id)
    refused = selling.no("PUT", f"/sales/{sale_id}/lines/1/plan", {"plan": plan}, status=409)
    assert (refused["type"][-18:], refused["sale"]) == ("/duplicate-renewal", first["id"])
    reason = {"plan": plan, "override_reason": "two months at once"}
    assert selling.no("PUT", f"/sales/{sale_id}/lines/1/plan", reason, status=403)
    selling.sign_in("201")
    assert selling.ok("PUT", f"/sales/{sale_id}/lines/1/plan", reason)["lines"][0]["renewal"]["state"] == "quoted"


def test_what_is_no_number_and_no_line(selling: Caller) -> None:
    sale_id = str(uuid4())
    refused = selling.no("PUT", f"/sales/{sale_id}", {"lines": [{"number": "12"}]}, status=422)
    assert refused["errors"][0]["pointer"] == "/lines/0/number"
    selling.begin(sale_id=sale_id)
    selling.no("GET", f"/sales/{sale_id}/lines/2/plans", status=404)


# ------------------------------------------------------------------ waiting


def test_waiting_ends_with_the_change(selling: Caller) -> None:
    sale = selling.pay(selling.ready())
    begun = time.monotonic()
    later = threading.Timer(0.6, selling.work)
    later.start()
    changed = selling.ok("GET", f"/sales/{sale['id']}?wait=20&seen={sale['version']}")
    later.join()
    assert changed["version"] != sale["version"] and 0.4 < time.monotonic() - begun < 10


def test_waiting_ends_with_the_time(selling: Caller) -> None:
    sale = selling.pay(selling.ready())
    begun = time.monotonic()
    assert selling.ok("GET", f"/sales/{sale['id']}?wait=1")["version"] == sale["version"]
    assert 0.9 < time.monotonic() - begun < 5
    selling.work()


@pytest.mark.parametrize("query", ["wait=20", "wait=20&seen=0000000000000000", ""])
def test_nobody_waits_for_nothing(selling: Caller, query: str) -> None:
    sale = selling.pay(selling.ready())
    selling.work()
    begun = time.monotonic()
    assert selling.ok("GET", f"/sales/{sale['id']}?{query}")["moving"] is False
    assert time.monotonic() - begun < 3


def test_nothing_is_open_while_somebody_waits(selling: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    sale = selling.pay(selling.ready())
    seen = []

    def look_around(_seconds: float) -> None:
        seen.append((in_transaction(), selling.app.extensions["sqlalchemy"].engine.pool.checkedout()))
        raise TimeoutError

    monkeypatch.setattr(api_sales.time, "sleep", look_around)
    assert selling.call("GET", f"/sales/{sale['id']}?wait=5").status_code == 500
    assert seen == [(False, 0)]
    monkeypatch.undo()
    selling.work()


def test_not_all_threads_of_the_server_wait(selling: Caller) -> None:
    sale = selling.pay(selling.ready())
    for _ in range(api_sales._WAITING_AT_ONCE):
        assert api_sales._waiting.acquire(blocking=False), "and every earlier waiter gave its place back"
    try:
        begun = time.monotonic()
        selling.ok("GET", f"/sales/{sale['id']}?wait=20")
        assert time.monotonic() - begun < 3
    finally:
        api_sales._waiting.release(api_sales._WAITING_AT_ONCE)
    selling.work()


def test_waiting_keeps_no_unattended_till_open(selling: Caller, clock: StandingClock) -> None:
    sale_id = selling.begin()
    for _ in range(12):
        clock.pass_time(minutes=1)
        answer = selling.call("GET", f"/sales/{sale_id}?wait=0")
    assert answer.status_code == 401
