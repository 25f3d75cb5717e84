"""What cannot be read is refused as a problem document, in three languages, and changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.api.caller import NUMBER, SLIP, Caller, pounds, problem

DEEP = "[" * 100_000 + "]" * 100_000
NOWHERE = "7b6e1a52-4f0c-4b7e-9a53-0f4f5d6c7e81"


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"number": NaN}', "application/json", 400),
        (b'{"number": 1e999}', "application/json", 422),
        (b'{"number": ' + b"9" * 5000 + b"}", "application/json", 400),
        (DEEP.encode(), "application/json", 400),
        (b'{"number": "1", "number": "2"}', "application/json", 400),
        (b'{"number": "07700 900123"}', "text/plain", 415),
        (b'{"number": "07700 900123"}', "", 415),
        (b"number=07700+900123", "application/x-www-form-urlencoded", 415),
        (b'{"number": "' + b"0" * 300_000 + b'"}', "application/json", 413),
        (b"null", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'"07700 900123"', "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"number": null}', "application/json", 422),
        (b'{"number": 7700900123}', "application/json", 422),
        (b'{"number": ["07700 900123"]}', "application/json", 422),
        (b'{"number": "07700\\u0000900123"}', "application/json", 422),
        (b'{"number": "\\ud800"}', "application/json", 422),
        (b'{"number": "07700 900123", "Number": "x"}', "application/json", 422),
        (b'{"number": "' + b"0" * 201 + b'"}', "application/json", 422),
        (b'{"number": "4111 1111 1111 1111"}', "application/json", 422),
        (b'{"number": "07911 123456"}', "application/json", 422),
        (b'{"number": "490154203237518"}', "application/json", 422),
        (b'{"number": "8944100077009001238"}', "application/json", 422),
    ],
)
def test_bodies_that_are_none(caller: Caller, raw: bytes, kind: str, status: int) -> None:
    client = caller.app.test_client(use_cookies=False)
    headers = {**caller.headers, "Content-Type": kind} if kind else caller.headers
    answer = client.post("/api/v1/numbers/status", data=raw, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    found = problem(answer)
    assert status != 422 or found["errors"][0]["pointer"] in ("", "/number", "/Number")


@pytest.mark.parametrize(
    ("tendered", "pointer"),
    [
        ({"minor": 10**30, "currency": "GBP"}, "/tendered/minor"),
        ({"minor": 2**63, "currency": "GBP"}, "/tendered/minor"),
        ({"minor": -1, "currency": "GBP"}, "/tendered/minor"),
        ({"minor": 8.5, "currency": "GBP"}, "/tendered/minor"),
        ({"minor": 800.0, "currency": "GBP"}, "/tendered/minor"),
        ({"minor": True, "currency": "GBP"}, "/tendered/minor"),
        ({"minor": "800", "currency": "GBP"}, "/tendered/minor"),
        ({"minor": 800}, "/tendered/currency"),
        ({"minor": 800, "currency": "HKD"}, "/tendered"),
        ({"minor": 800, "currency": "pounds"}, "/tendered/currency"),
        ({"minor": 1, "currency": "GBP"}, "/tendered"),
        ({"minor": 10**9, "currency": "GBP"}, "/tendered"),
        (800, "/tendered"),
        (None, "/tendered"),
    ],
)
def test_amounts_that_are_none(selling: Caller, tendered: Any, pointer: str) -> None:
    sale = selling.ready()
    sent = {"quote": sale["quote"], "tendered": tendered}
    refused = selling.no("POST", f"/sales/{sale['id']}/cash", sent, status=422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]
    assert selling.ok("GET", f"/sales/{sale['id']}") == sale


@pytest.mark.parametrize(
    "slip",
    [
        {"authorisation": "4111111111111111"},
        {"slip_number": "4111 1111 1111 1111"},
        {"last4": "12345"},
        {"last4": ""},
        {"last4": "12a4"},
        {"scheme": "SCHECK"},
        {"authorisation": "é€"},
        {"slip_number": "\t"},
    ],
)
def test_slips_that_are_none(selling: Caller, slip: dict[str, str]) -> None:
    sale = selling.ready()
    selling.ok("POST", f"/sales/{sale['id']}/card", {"quote": sale["quote"]})
    refused = selling.no("POST", f"/sales/{sale['id']}/card/slip", {**SLIP, **slip}, status=422)
    assert [error["pointer"] for error in refused["errors"]] == ["/" + next(iter(slip))]
    assert "4111" not in json.dumps(refused)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no/such/door", 404),
        ("GET", "/sales/not-a-uuid", 404),
        ("GET", f"/sales/{NOWHERE}", 404),
        ("GET", "/receipts/LON1-%00.pdf", 404),
        ("GET", "/receipts/LON1-999999.pdf", 404),
        ("GET", "/shifts/99999999999999999999.pdf", 404),
        ("GET", f"/sales/{NOWHERE}/lines/0/plans", 404),
        ("PATCH", "/shift", 405),
        ("DELETE", "/openapi.json", 405),
        ("GET", "/numbers/status", 405),
    ],
)
def test_addresses_that_are_none(caller: Caller, method: str, path: str, status: int) -> None:
    caller.no(method, path, status=status)
    if status == 405:
        assert caller.call(method, path).headers["Allow"]


@pytest.mark.parametrize("query", ["wait=26", "wait=-1", "wait=x", "wait=", "wait=9999999999999", "seen=%00", "other=1"])
def test_parameters_that_are_none(selling: Caller, query: str) -> None:
    sale_id = selling.begin()
    refused = selling.no("GET", f"/sales/{sale_id}?{query}", status=422)
    assert refused["errors"][0]["pointer"].startswith("/query/")


def test_pieces_that_are_none(selling: Caller) -> None:
    for pieces in ([{"minor": 3, "count": 1}], [{"minor": 5000, "count": 1}] * 2):
        refused = selling.no("POST", "/shift/close", {"pieces": pieces}, status=422)
        assert refused["errors"][0]["pointer"] == "/pieces"
    refused = selling.no("POST", "/shift/close", {"pieces": [{"minor": 5000, "count": 2}], "left": pounds(10**9)}, status=422)
    assert refused["errors"][0]["pointer"] == "/left"


@pytest.mark.parametrize(
    ("accepted", "detail", "language"),
    [
        ("en-GB", "Nobody is signed in at this till", "en"),
        ("zh-CN,zh;q=0.9", "这个收银台没有人登录", "zh-Hans"),
        ("zh-TW", "這個收銀台沒有人登入", "zh-Hant"),
        ("tlh", "Nobody is signed in at this till", "en"),
    ],
)
def test_sentences_in_the_callers_language(app: Flask, accepted: str, detail: str, language: str) -> None:
    caller = Caller(app, "LON1", None)
    answer = caller.call("GET", "/shift", **{"Accept-Language": accepted})
    assert problem(answer)["detail"].startswith(detail)
    assert answer.headers["Content-Language"] == language


def test_sentences_of_wrong_fields_are_translated(caller: Caller) -> None:
    refused = caller.no("POST", "/numbers/status", {"x": 1}, status=422, **{"Accept-Language": "zh-HK"})
    assert {error["pointer"]: error["detail"] for error in refused["errors"]} == {
        "/number": "這裡必須填寫。",
        "/x": "這裡沒有這個欄位。沒有任何改動。",
    }


def test_a_fault_tells_nothing(app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from pos.services import shifts

    def broken(_desk: object) -> None:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr(shifts, "current", broken)
    refused = caller.no("GET", "/shift", status=500)
    assert "do not charge again" in refused["detail"] and "secret" not in json.dumps(refused)


def test_no_personal_data_in_addresses_and_masked_answers(selling: Caller) -> None:
    sale = selling.pay(selling.ready())
    selling.work()
    told = json.dumps(selling.ok("GET", f"/sales/{sale['id']}")) + json.dumps(
        selling.ok("POST", "/sales/search", {"query": NUMBER})
    )
    assert "7700900" not in told.replace(" ", "") and "533380006" not in told
