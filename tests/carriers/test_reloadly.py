"""The oddities of Reloadly: recorded shapes, every word of its errors, and what holds although its references are not atomic."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from structlog.testing import capture_logs

from pos.carriers.configuration import CarrierMisconfigured, checked
from pos.carriers.reloadly import CODES, Reloadly, ReloadlyKeys
from pos.carriers.wire import Wire
from pos.domain.money import Money
from pos.ports import (
    Capability,
    Carrier,
    CarrierUnavailable,
    Echo,
    Finding,
    FindState,
    Fulfilment,
    Hint,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    Request,
    Voucher,
)
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from pos.sandbox.vendors import Vendor
from tests.carriers.doors import DOORS, open_carrier

NOW = datetime(2026, 10, 8, 12, 0, tzinfo=UTC)
REF = "S1-20261008-000123"
NUMBER = "+447700900123"
EUR = Money(1000, "EUR")
PIN_SALE = Request(REF, "535:10.00", ProductKind.PIN, NUMBER, Money(850, "GBP"), Money(980, "EUR"))
SETTINGS: dict[str, Any] = {
    "base_url": "https://topups.example",
    "token_url": "https://auth.example/oauth/token",
    "client_id": "a",
    "client_secret": "b",
    "currency": "EUR",
    "account_country": "DE",
    "countries": ["GB"],
    "deadline_seconds": 5,
}

Answer = httpx2.Response
Handler = Callable[[httpx2.Request], Answer]


def said(status: int, value: object, **headers: str) -> Answer:
    text = value if isinstance(value, (bytes, str)) else json.dumps(value)
    return Answer(status, content=text, headers={name.replace("_", "-"): told for name, told in headers.items()})


def carrier_of(handler: Handler, **settings: Any) -> Reloadly:
    """With a token in hand: ``handler`` hears the API's requests only."""

    def hear(asked: httpx2.Request) -> Answer:
        if asked.url.path == "/oauth/token":
            return said(200, {"access_token": "t", "scope": "send-topups", "expires_in": 5184000, "token_type": "Bearer"})
        return handler(asked)

    keys = checked(ReloadlyKeys, "lyca", SETTINGS | settings)
    return Reloadly(keys, "lyca", wire=Wire("lyca", transport=httpx2.MockTransport(hear)), clock=lambda: NOW)


def submit(status: int, value: object, request: Request = PIN_SALE, **headers: str) -> Outcome:
    return carrier_of(lambda _: said(status, value, **headers)).submit(request)


def topup(**members: object) -> dict[str, Any]:
    """The answer to a top-up as the vendor's pages have it today."""
    return {
        "transactionId": 4602843,
        "status": "SUCCESSFUL",
        "operatorTransactionId": "7297:ok",
        "customIdentifier": REF,
        "recipientPhone": "447700900123",
        "recipientEmail": None,
        "senderPhone": None,
        "countryCode": "GB",
        "operatorId": 535,
        "operatorName": "Example PIN UK",
        "discount": 0.20,
        "discountCurrencyCode": "EUR",
        "requestedAmount": 10.00,
        "requestedAmountCurrencyCode": "EUR",
        "deliveredAmount": 8.50,
        "deliveredAmountCurrencyCode": "GBP",
        "transactionDate": "2026-10-08 06:00:00",
        "fee": 0,
        "pinDetail": {
            "serial": "0558111",
            "info1": "dial *000#",
            "info2": "dial *000#",
            "info3": "",
            "value": None,
            "code": "0773709733097662",
            "ivr": "1-888",
            "validity": "30 days",
        },
        "balanceInfo": {
            "oldBalance": 510.00000,
            "newBalance": 500.20000,
            "cost": 9.80,
            "currencyCode": "EUR",
            "currencyName": "Euro",
            "updatedAt": "2026-10-08 10:00:00",
        },
    } | members


def old_topup(**members: object) -> dict[str, Any]:
    """The same some years ago, as the vendor's own library still has it: no status, no fee, no cost."""
    told = topup(**members)
    del told["status"], told["fee"]
    return told | {"balanceInfo": {name: value for name, value in told["balanceInfo"].items() if name != "cost"}}


def error(code: str | None = "X", **members: object) -> dict[str, object]:
    return {
        "timeStamp": "2026-10-08 10:00:00",
        "message": "because",
        "path": "/topups",
        "errorCode": code,
        "infoLink": None,
        "details": [],
    } | members


def a_page(*records: dict[str, Any], **members: object) -> dict[str, Any]:
    return {"content": list(records), "totalPages": 1, "totalElements": len(records), "last": True, "number": 0} | members


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_a_top_up_says_exactly_this_and_asks_for_a_token_of_this_api() -> None:
    seen: list[httpx2.Request] = []

    def hear(asked: httpx2.Request) -> Answer:
        seen.append(asked)
        if asked.url.path == "/oauth/token":
            return said(200, {"access_token": "t", "expires_in": 86400, "token_type": "Bearer"})
        return said(200, topup())

    keys = ReloadlyKeys.model_validate(SETTINGS)
    Reloadly(keys, "lyca", wire=Wire("lyca", transport=httpx2.MockTransport(hear))).submit(PIN_SALE)
    token, order = seen
    assert (str(token.url), token.headers["content-type"]) == (SETTINGS["token_url"], "application/json")
    assert json.loads(token.content) == {
        "client_id": "a",
        "client_secret": "b",
        "grant_type": "client_credentials",
        "audience": "https://topups.example",
    }
    assert (order.method, str(order.url)) == ("POST", "https://topups.example/topups")
    assert order.headers["authorization"] == "Bearer t"
    assert order.headers["accept"] == "application/com.reloadly.topups-v1+json"
    assert order.headers["content-type"] == "application/json"
    assert order.content == (
        b'{"operatorId":535,"amount":10.00,"useLocalAmount":false,"customIdentifier":"S1-20261008-000123",'
        b'"recipientPhone":{"countryCode":"GB","number":"447700900123"}}'
    )


def test_a_read_has_no_content_type() -> None:
    seen: list[httpx2.Request] = []
    carrier_of(lambda asked: seen.append(asked) or said(200, a_page())).find(REF, None, NUMBER, NOW)
    (asked,) = seen
    assert "content-type" not in asked.headers
    assert parse_qs(asked.url.query.decode()) == {"customIdentifier": [REF], "page": ["1"], "size": ["100"]}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (replace(PIN_SALE, product_key="topup"), Reason.PRODUCT_UNAVAILABLE),
        (replace(PIN_SALE, product_key="535:10"), Reason.PRODUCT_UNAVAILABLE),
        (replace(PIN_SALE, product_key="535:10.00\n"), Reason.PRODUCT_UNAVAILABLE),
        (replace(PIN_SALE, number="8944100077009001239"), Reason.INVALID_NUMBER),
        (replace(PIN_SALE, number=""), Reason.INVALID_NUMBER),
        (replace(PIN_SALE, cost=Money(980, "USD")), Reason.INVALID_AMOUNT),
    ],
)
def test_what_can_never_be_is_refused_before_anything_is_sent(request_: Request, reason: Reason) -> None:
    def never(_: httpx2.Request) -> Answer:
        raise AssertionError("nothing may be sent")

    outcome = carrier_of(never).submit(request_)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, reason)


# --- what an answer means -------------------------------------------------------------------------------------------


def test_the_answer_of_the_vendors_own_page_is_read_whole() -> None:
    voucher = Voucher("0773709733097662", "0558111", "dial *000#\n1-888", "30 days")
    assert submit(200, topup()) == Outcome(
        OutcomeState.SUCCEEDED,
        provider_ref="4602843",
        operator_ref="7297:ok",
        cost=Money(980, "EUR"),
        fulfilment=voucher,
        echo=Echo(NUMBER, "535:10.00"),
    )
    assert voucher.code not in repr(submit(200, topup()))


def test_a_code_that_comes_as_a_number_is_text() -> None:
    pin = topup()["pinDetail"] | {"serial": 558111, "code": 773709733097662}
    fulfilment = submit(
        200, topup(pinDetail=pin, operatorId="535", requestedAmount="10.0", recipientPhone=447700900123)
    ).fulfilment
    assert fulfilment == Voucher("773709733097662", "558111", "dial *000#\n1-888", "30 days")


@pytest.mark.parametrize("nothing", [None, {}, {"code": ""}, {"code": None, "serial": "1"}])
def test_a_direct_top_up_has_no_voucher(nothing: object) -> None:
    assert submit(200, topup(pinDetail=nothing)).fulfilment is None


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SUCCESSFUL", OutcomeState.SUCCEEDED),
        ("PROCESSING", OutcomeState.PENDING),
        ("FAILED", OutcomeState.FAILED),
        ("REFUNDED", OutcomeState.FAILED),
        ("Successful", OutcomeState.PENDING),
        ("CANCELLED", OutcomeState.PENDING),
        ("", OutcomeState.PENDING),
        (None, OutcomeState.PENDING),
    ],
)
def test_each_status_of_an_answer(word: str | None, state: OutcomeState) -> None:
    outcome = submit(200, topup(status=word))
    assert (outcome.state, outcome.provider_ref) == (state, "4602843")
    if state is OutcomeState.PENDING and word != "PROCESSING":
        assert (outcome.reason, outcome.raw_code) == (Reason.UNKNOWN_STATUS, word or None)


@pytest.mark.parametrize(
    ("cost", "told"),
    [(9.80000, 980), (9.80499, 980), (9.805, 981), (0, 0)],
)
def test_a_cost_of_five_decimals_is_rounded_to_the_wallets_coin(cost: float, told: int) -> None:
    assert submit(200, topup(balanceInfo=topup()["balanceInfo"] | {"cost": cost})).cost == Money(told, "EUR")


def test_an_older_answer_does_not_tell_the_cost() -> None:
    assert submit(200, old_topup()).cost is None
    assert submit(200, topup(balanceInfo=None)).cost is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"<html>",
        topup(transactionId=None),
        topup(transactionId=""),
        topup(transactionId={}),
        topup(customIdentifier="S1-20261008-000124"),
        topup(status=5.5),
        topup(pinDetail="1234"),
        topup(balanceInfo={"cost": 9.8}),
        topup(requestedAmount="ten"),
    ],
)
def test_an_answer_that_cannot_be_read_is_unknown(broken: object) -> None:
    outcome = submit(200, broken)
    assert (outcome.state, outcome.reason, outcome.raw_code) == (OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER, "http_200")


@pytest.mark.parametrize(
    ("changed", "echo"),
    [
        ({"recipientPhone": "447700900124"}, Echo("+447700900124", "535:10.00")),
        ({"requestedAmount": 10.01}, Echo(NUMBER, "535:10.01")),
        ({"operatorId": 536}, Echo(NUMBER, "536:10.00")),
        ({"requestedAmountCurrencyCode": "USD"}, Echo(NUMBER, "535:10.00 USD")),
        ({"recipientPhone": None, "operatorId": None}, Echo(None, None)),
        ({"deliveredAmount": 8.31}, Echo(NUMBER, "535:10.00")),  # the rate of the moment
    ],
)
def test_an_answer_says_what_it_is_about(changed: dict[str, object], echo: Echo) -> None:
    assert submit(200, topup(**changed)).echo == echo


# --- what a refusal means -------------------------------------------------------------------------------------------

ROWS = [
    ("INVALID_RECIPIENT_PHONE", 400, Reason.INVALID_NUMBER),
    ("INVALID_PHONE_NUMBER", 400, Reason.INVALID_NUMBER),
    ("OPERATOR_AND_RECIPIENT_PHONE_MISMATCH", 400, Reason.WRONG_OPERATOR),
    ("INVALID_AMOUNT", 400, Reason.INVALID_AMOUNT),
    ("INVALID_AMOUNT_FOR_OPERATOR", 400, Reason.INVALID_AMOUNT),
    ("INVALID_LOCAL_AMOUNT_FOR_OPERATOR", 400, Reason.INVALID_AMOUNT),
    ("LOCAL_AMOUNTS_NOT_SUPPORTED_BY_OPERATOR", 400, Reason.INVALID_AMOUNT),
    ("INVALID_INPUT_PROVIDED", 400, Reason.REJECTED_OTHER),
    ("INVALID_SENDER_PHONE", 400, Reason.REJECTED_OTHER),
    ("PHONE_RECENTLY_RECHARGED", 400, Reason.TOO_SOON),
    ("COULD_NOT_AUTO_DETECT_OPERATOR", 404, Reason.WRONG_OPERATOR),
    ("COUNTRY_NOT_SUPPORTED", 404, Reason.WRONG_OPERATOR),
    ("COUNTRY_NOT_SUPPORTED", 409, Reason.WRONG_OPERATOR),
    ("OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE", 503, Reason.OPERATOR_DOWN),
    ("OPERATOR_NOT_IN_SERVICE", 400, Reason.OPERATOR_DOWN),
    ("INSUFFICIENT_BALANCE", 400, Reason.WALLET_EMPTY),
    ("MAX_DAILY_TRANSACTION_AMOUNT_REACHED", 400, Reason.LIMIT_REACHED),
    ("MAX_DAILY_TRANSACTION_COUNT_REACHED", 403, Reason.LIMIT_REACHED),
    ("TOPUP_TRANSACTION_FAILED", 400, Reason.REJECTED_OTHER),
    ("TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT", 400, Reason.OPERATOR_DOWN),
    ("PHONE_BANNED_BY_OPERATOR", 400, Reason.INELIGIBLE_OR_BARRED),
    ("RECIPIENT_PHONE_INACTIVE", 400, Reason.INELIGIBLE_OR_BARRED),
    ("A_CODE_OF_TOMORROW", 400, Reason.REJECTED_OTHER),
    ("A_CODE_OF_TOMORROW", 422, Reason.REJECTED_OTHER),
]


@pytest.mark.parametrize(("word", "status", "reason"), ROWS)
def test_a_refusal_in_the_vendors_words_is_definite(word: str, status: int, reason: Reason) -> None:
    assert submit(status, error(word)) == Outcome(OutcomeState.FAILED, reason=reason, raw_code=word)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ACCOUNT_NOT_FOUND", 404),
        ("INACTIVE_ACCOUNT", 403),
        ("SOMETHING_ELSE", 403),
        ("INVALID_TOKEN", 401),
        ("MISSING_TOKEN", 401),
        ("TOKEN_EXPIRED", 401),
        ("NEW_WORD", 401),
    ],
)
def test_who_is_not_let_in_has_sent_nothing(word: str, status: int) -> None:
    assert submit(status, error(word)) == Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=word)


@pytest.mark.parametrize(
    "body", [error(None), {"timestamp": 1, "status": 401, "error": "Unauthorized", "message": "", "path": "/"}]
)
def test_a_401_of_the_api_renews_the_token_whatever_its_code(body: object) -> None:
    posts: list[httpx2.Request] = []

    def hear(asked: httpx2.Request) -> Answer:
        posts.append(asked)
        return said(401, body) if len(posts) == 1 else said(200, topup())

    assert carrier_of(hear).submit(PIN_SALE).state is OutcomeState.SUCCEEDED
    assert len(posts) == 2


def test_a_401_of_somebody_else_is_unknown_and_nothing_goes_again() -> None:
    posts: list[httpx2.Request] = []
    outcome = carrier_of(lambda asked: posts.append(asked) or said(401, "<html>")).submit(PIN_SALE)
    assert (outcome.state, len(posts)) == (OutcomeState.UNKNOWN, 1)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, error("TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT")),
        (500, error("INSUFFICIENT_BALANCE")),
        (503, error("SOMETHING_ELSE")),
        (502, error("OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE")),
        (503, "<html>"),
        (400, error(None)),
        (400, error("")),
        (400, error("free text that somebody wrote")),
        (400, {"errorCode": "INSUFFICIENT_BALANCE"}),  # a gateway's: not the vendor's form
        (400, {"code": "INVALID_AMOUNT", "message": "no", "path": "/topups", "timeStamp": ""}),
        (404, {"timestamp": "", "status": 404, "error": "Not Found", "message": "", "path": "/topup"}),
        (403, "<html>"),
        (429, "slow down"),
        (400, b"\xff"),
        (302, ""),
    ],
)
def test_anything_else_is_unknown(status: int, body: object) -> None:
    outcome = submit(status, body)
    assert (outcome.state, outcome.reason) == (OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER)


def test_a_reference_that_is_taken_means_look_it_up() -> None:
    outcome = submit(400, error("CUSTOM_IDENTIFIER_ALREADY_USED"))
    assert outcome == Outcome(OutcomeState.UNKNOWN, reason=Reason.DUPLICATE_REF, raw_code="CUSTOM_IDENTIFIER_ALREADY_USED")


def test_too_many_requests_is_a_pause() -> None:
    outcome = submit(429, error("RATE_LIMIT_REACHED"), Retry_After="7")
    assert (outcome.state, outcome.reason, outcome.retry_after) == (
        OutcomeState.NOT_SENT, Reason.RATE_LIMITED, timedelta(seconds=7),
    )  # fmt: skip


@pytest.mark.parametrize(("status", "word"), [(401, "INVALID_CREDENTIALS"), (400, "INVALID_AUDIENCE"), (403, "NEW_WORD")])
def test_a_refused_token_is_told(status: int, word: str) -> None:
    keys = ReloadlyKeys.model_validate(SETTINGS)
    transport = httpx2.MockTransport(lambda _: said(status, error(word)))
    outcome = Reloadly(keys, "lyca", wire=Wire("lyca", transport=transport)).submit(PIN_SALE)
    assert outcome == Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=word)


# --- what became of it ----------------------------------------------------------------------------------------------


def finding(*answers: Answer, provider_ref: str | None = None) -> Finding:
    """The look-up that hears these answers one after another, and no more."""
    left = list(answers)
    told = carrier_of(lambda _: left.pop(0)).find(REF, provider_ref, NUMBER, NOW)
    assert not left, "not everything was asked"
    return told


def test_a_report_has_no_cost_but_the_voucher() -> None:
    told = finding(said(200, a_page(topup(balanceInfo=None)))).outcome
    assert told == replace(submit(200, topup()), cost=None)


def test_the_search_does_not_care_about_case_and_we_do() -> None:
    other = topup(customIdentifier=REF.lower())
    assert finding(said(200, a_page(other))).state is FindState.ABSENT
    assert finding(said(200, a_page(other, topup(transactionId=7)))).outcome == replace(submit(200, topup()), provider_ref="7")


def test_two_delivered_under_one_reference_are_doubled() -> None:
    told = finding(said(200, a_page(topup(), topup(transactionId=4602844))))
    assert (told.state, told.doubled) == (FindState.FOUND, True)
    once = finding(said(200, a_page(topup(status="FAILED"), topup(transactionId=4602844))))
    assert once.outcome is not None
    assert (once.outcome.state, once.doubled) == (OutcomeState.SUCCEEDED, False)


def test_a_second_delivery_on_the_next_page_is_seen() -> None:
    first = said(200, a_page(topup(), last=False, totalPages=2))
    told = finding(first, said(200, a_page(topup(transactionId=4602844))))
    assert told.doubled


def test_given_back_is_a_reversal_for_who_asks_later() -> None:
    told = finding(said(200, a_page(topup(status="REFUNDED")))).outcome
    assert told is not None
    assert told.state is OutcomeState.REVERSED


@pytest.mark.parametrize(
    "answer",
    [
        said(200, "[]"),
        said(200, {}),
        said(200, {"content": {}}),
        said(200, a_page({})),
        said(404, error(None)),
        said(200, a_page(topup(status=7.5))),
        said(200, a_page(topup(), topup())),
    ],
)
def test_half_an_answer_is_none(answer: Answer) -> None:
    assert finding(answer) == Finding(FindState.CANNOT_TELL)


def test_a_server_that_sends_the_first_page_for_ever_cannot_tell() -> None:
    same = a_page(topup(customIdentifier="another"), last=False)
    assert finding(said(200, same), said(200, same)) == Finding(FindState.CANNOT_TELL)


def envelope(transaction: object, status: str | None = "SUCCESSFUL", code: str | None = None) -> Answer:
    return said(200, {"code": code, "message": None, "status": status, "transaction": transaction})


def test_what_has_no_report_yet_is_asked_for_by_the_vendors_id() -> None:
    none = said(200, a_page())
    assert finding(none, envelope(None, "PROCESSING"), provider_ref="4602843") == Finding(
        FindState.FOUND, Outcome(OutcomeState.PENDING, provider_ref="4602843")
    )
    assert finding(none, envelope(topup()), provider_ref="4602843").outcome == submit(200, topup())
    assert finding(none, said(200, topup()), provider_ref="4602843").outcome == submit(200, topup()), "without an envelope"
    refused = finding(
        none, envelope(topup(status="FAILED"), "FAILED", "PHONE_BANNED_BY_OPERATOR"), provider_ref="4602843"
    ).outcome
    assert refused is not None
    assert (refused.state, refused.reason) == (OutcomeState.FAILED, Reason.INELIGIBLE_OR_BARRED)
    assert finding(none, said(404, error("TRANSACTION_NOT_FOUND")), provider_ref="4602843") == Finding(FindState.ABSENT)


@pytest.mark.parametrize(
    "answer",
    [
        envelope(topup(customIdentifier="another")),
        envelope(topup(customIdentifier=None)),
        envelope(topup(transactionId=5)),
        envelope(None, "SUCCESSFUL"),
        said(404, error(None)),
        said(500, error("X")),
    ],
)
def test_an_id_that_leads_to_something_else_cannot_tell(answer: Answer) -> None:
    assert finding(said(200, a_page()), answer, provider_ref="4602843") == Finding(FindState.CANNOT_TELL)


def test_a_report_of_the_older_form_is_asked_for_its_status() -> None:
    report = said(200, a_page(old_topup()))
    assert finding(report, envelope(old_topup())).outcome == replace(submit(200, topup()), cost=None)
    still = finding(report, envelope(None, "RESTING")).outcome
    assert still == Outcome(OutcomeState.PENDING, provider_ref="4602843", reason=Reason.UNKNOWN_STATUS, raw_code="RESTING")


# --- the catalogue --------------------------------------------------------------------------------------------------


def operator(**members: object) -> dict[str, Any]:
    return {
        "id": 173,
        "operatorId": 173,
        "name": "Example Haiti",
        "bundle": False,
        "data": False,
        "pin": False,
        "supportsLocalAmounts": False,
        "denominationType": "RANGE",
        "senderCurrencyCode": "EUR",
        "destinationCurrencyCode": "HTG",
        "internationalDiscount": 12.0,
        "localDiscount": 3.0,
        "minAmount": 5.00,
        "maxAmount": 20,
        "country": {"isoName": "HT", "name": "Haiti"},
        "fx": {"rate": 68.125, "currencyCode": "HTG"},
        "fixedAmounts": [],
        "fixedAmountsDescriptions": [],
        "suggestedAmounts": [5, 10, 15],
        "promotions": [],
    } | members


def products(*operators: dict[str, Any], **settings: Any) -> list[Product]:
    return list(carrier_of(lambda _: said(200, list(operators)), **settings).list_products())


def test_a_range_is_offered_in_the_amounts_of_the_shop() -> None:
    told = products(operator(), amounts=[1, 5, 10, 20, 25])
    assert [(p.key, p.cost, p.face) for p in told] == [
        ("173:5.00", Money(440, "EUR"), Money(34063, "HTG")),
        ("173:10.00", Money(880, "EUR"), Money(68125, "HTG")),
        ("173:20.00", Money(1760, "EUR"), Money(136250, "HTG")),
    ]
    assert told[0] == Product(
        key="173:5.00",
        name="Example Haiti 340.63 HTG",
        kind=ProductKind.TOPUP,
        fulfilment=Fulfilment.DIRECT,
        cost=Money(440, "EUR"),
        face=Money(34063, "HTG"),
        valid_days=None,
        line="Example Haiti",
        operator="173",
        country="HT",
    )


def test_fixed_amounts_have_names_of_their_own() -> None:
    fixed = operator(
        denominationType="FIXED", fixedAmounts=[5, 9.5], fixedAmountsDescriptions={"5.00": "1GB 30 days"}, bundle=True
    )
    assert [(p.key, p.name, p.kind) for p in products(fixed)] == [
        ("173:5.00", "Example Haiti: 1GB 30 days", ProductKind.PLAN),
        ("173:9.50", "Example Haiti 647.19 HTG", ProductKind.PLAN),
    ]


@pytest.mark.parametrize(
    ("members", "kind", "fulfilment"),
    [
        ({"pin": True, "bundle": True}, ProductKind.PIN, Fulfilment.PIN),
        ({"data": True}, ProductKind.DATA, Fulfilment.DIRECT),
        ({"comboProduct": True}, ProductKind.PLAN, Fulfilment.DIRECT),
    ],
)
def test_what_an_operator_sells(members: dict[str, object], kind: ProductKind, fulfilment: Fulfilment) -> None:
    assert {(p.kind, p.fulfilment) for p in products(operator(**members))} == {(kind, fulfilment)}


@pytest.mark.parametrize(
    ("members", "cost"),
    [
        ({}, 880),
        ({"country": {"isoName": "DE"}}, 970),  # at home
        ({"fees": {"international": 0.5, "internationalPercentage": 2, "local": 9, "localPercentage": 9}}, 950),
        ({"internationalDiscount": 12.345}, 877),
        ({"internationalDiscount": None}, 1000),
    ],
)
def test_the_cost_is_less_the_discount_and_plus_the_fees(members: dict[str, object], cost: int) -> None:
    assert [p.cost for p in products(operator(**members), amounts=[10])] == [Money(cost, "EUR")]


@pytest.mark.parametrize(
    ("members", "sellable"),
    [
        ({"status": "ACTIVE"}, True),
        ({"status": "INACTIVE"}, False),
        ({"supportsGeographicalRechargePlans": True}, False),
    ],
)
def test_what_needs_more_than_a_number_is_not_sold(members: dict[str, object], sellable: bool) -> None:
    assert {p.sellable for p in products(operator(**members))} == {sellable}


def test_operators_and_currency_narrow_the_list() -> None:
    both = (operator(), operator(operatorId=174, name="Other"))
    assert {p.operator for p in products(*both, operators=["174"])} == {"174"}
    assert products(operator(senderCurrencyCode="USD")) == []
    assert products(operator(minAmount=None, maxAmount=None)) == []


def test_the_face_needs_no_rate_at_home() -> None:
    told = products(operator(destinationCurrencyCode="EUR", fx=None), amounts=[10])
    assert [p.face for p in told] == [EUR]


@pytest.mark.parametrize(
    "broken",
    [
        {"fx": None},
        {"fx": {"rate": 0, "currencyCode": "HTG"}},
        {"fx": {"rate": 68, "currencyCode": "USD"}},
        {"denominationType": "FIXED", "fixedAmounts": ["many"]},
        {"denominationType": "FIXED", "fixedAmounts": [5.001]},
        {"internationalDiscount": 130},
        {"destinationCurrencyCode": "gourde"},
    ],
)
def test_one_operator_that_cannot_be_read_does_not_hide_the_others(broken: dict[str, object]) -> None:
    with capture_logs() as logs:
        told = products(operator(**broken), operator(operatorId=174))
    assert {p.operator for p in told} == {"174"}
    assert [(entry["event"], entry["operator"]) for entry in logs if entry["log_level"] == "warning"] == [
        ("carrier operator unreadable", "173")
    ]


def test_names_fit_the_price_list() -> None:
    (told,) = products(operator(name="N" * 200), amounts=[10])
    assert (len(told.name), len(told.line or "")) == (120, 40)


# --- whose number ---------------------------------------------------------------------------------------------------


def test_the_prefix_is_never_certain_and_the_number_reaches_no_log() -> None:
    paths: list[str] = []
    carrier = carrier_of(lambda asked: paths.append(asked.url.path) or said(200, operator()))
    with capture_logs() as logs:
        assert carrier.lookup_number("+50936377111") == [OperatorCandidate("173", "Example Haiti", "HT", confident=False)]
    assert paths == ["/operators/auto-detect/phone/50936377111/countries/HT"]
    assert "6377111" not in str(logs)


def test_a_number_of_nobody_is_nobodys() -> None:
    assert carrier_of(lambda _: said(404, error("COULD_NOT_AUTO_DETECT_OPERATOR"))).lookup_number("+50936377111") == []
    for answer in (said(404, error(None)), said(500, error("X")), said(200, {})):
        with pytest.raises(CarrierUnavailable):
            carrier_of(lambda _, answer=answer: answer).lookup_number("+50936377111")


# --- the dealer's books ---------------------------------------------------------------------------------------------


def test_the_wallet_is_rounded_down_and_only_ours() -> None:
    def balance(value: object, currency: str = "EUR") -> list[Money]:
        told = {"balance": value, "currencyCode": currency, "currencyName": "", "updatedAt": "2020-12-26 11:57:22"}
        return [entry.available for entry in carrier_of(lambda _: said(200, told)).wallet()]

    assert balance(1000.00999) == [Money(100000, "EUR")]
    assert balance(-1.001) == [Money(-101, "EUR")]
    assert balance(7, "USD") == []
    with pytest.raises(CarrierUnavailable):
        balance(None)


def test_the_statement_asks_for_a_day_more_and_keeps_what_is_ours() -> None:
    seen: list[dict[str, list[str]]] = []
    records = [
        topup(transactionId=1, transactionDate="2026-10-07 19:59:59", balanceInfo=None),  # 23:59:59 UTC of the day before
        topup(transactionId=2, transactionDate="2026-10-07 20:00:00", balanceInfo=None),
        topup(transactionId=3, transactionDate="2026-10-08 19:59:59", balanceInfo=None, status="REFUNDED", fee=0.1),
        topup(transactionId=4, transactionDate="2026-10-08 20:00:00", balanceInfo=None),
        topup(transactionId=5, transactionDate="2026-10-08 12:00:00", status="FAILED"),
        topup(transactionId=6, transactionDate="2026-10-08 12:00:00", status="PROCESSING"),
    ]

    def hear(asked: httpx2.Request) -> Answer:
        seen.append(parse_qs(asked.url.query.decode()))
        return said(200, a_page(*records))

    day = datetime(2026, 10, 8, tzinfo=UTC)
    lines = list(carrier_of(hear).statement(day, day + timedelta(days=1)))
    assert [(line.provider_ref, line.state, line.cost, line.at) for line in lines] == [
        ("2", OutcomeState.SUCCEEDED, Money(980, "EUR"), day),
        ("3", OutcomeState.SUCCEEDED, Money(990, "EUR"), day + timedelta(hours=23, minutes=59, seconds=59)),
        ("3", OutcomeState.REVERSED, Money(990, "EUR"), day + timedelta(hours=23, minutes=59, seconds=59)),
    ]
    assert (lines[0].ref, lines[0].number, lines[0].product_key) == (REF, NUMBER, "535:10.00")
    assert seen[0]["startDate"] == ["2026-10-06 20:00:00"]
    assert seen[0]["endDate"] == ["2026-10-09 20:00:00"]


@pytest.mark.parametrize(
    "broken", [{"status": "RESTING"}, {"status": None}, {"transactionDate": "soon"}, {"requestedAmount": None}]
)
def test_a_statement_with_a_hole_is_no_statement(broken: dict[str, object]) -> None:
    record = topup(balanceInfo=None) | broken
    with pytest.raises(CarrierUnavailable):
        list(carrier_of(lambda _: said(200, a_page(topup(transactionId=1), record))).statement(NOW, NOW + timedelta(days=1)))


# --- notifications --------------------------------------------------------------------------------------------------

SECRET = "whsec"
FLAT = {"type": "airtime_transaction.status", "data": {"status": "SUCCESSFUL", "customIdentifier": REF, "transactionId": 46}}
NESTED = {"type": "airtime_transaction.status", "data": {"transaction": topup(transactionId=46)}}


def signed(body: bytes, stamp: str, secret: str = SECRET) -> dict[str, str]:
    seal = hmac.new(secret.encode(), body + b":" + stamp.encode(), hashlib.sha256).hexdigest()
    return {"X-Reloadly-Signature": seal, "X-Reloadly-Request-Timestamp": stamp}


def hint(headers: dict[str, str], body: bytes, secret: str | None = SECRET) -> Hint:
    return carrier_of(lambda _: said(200, {}), webhook_secret=secret).parse_notification(headers, body)


SECONDS = str(int(NOW.timestamp()))


@pytest.mark.parametrize("value", [FLAT, NESTED])
@pytest.mark.parametrize("stamp", [SECONDS, SECONDS + "000", "2026-10-08T12:00:00Z", "2026-10-08 12:00:00"])
def test_a_signed_message_is_a_reason_to_look(value: object, stamp: str) -> None:
    body = json.dumps(value).encode()
    assert hint(signed(body, stamp), body) == Hint(REF, "46", authenticated=True)
    lower = {name.lower(): told for name, told in signed(body, stamp).items()}
    assert hint(lower, body).authenticated


def test_a_message_that_is_not_theirs_says_nothing() -> None:
    body = json.dumps(FLAT).encode()
    nothing = Hint(None, None, authenticated=False)
    good = signed(body, SECONDS)
    assert hint(good, body + b" ") == nothing
    assert hint(signed(body, SECONDS, "another"), body) == nothing
    assert hint(good | {"X-Reloadly-Request-Timestamp": str(int(SECONDS) + 1)}, body) == nothing
    assert hint({}, body) == nothing
    assert hint({"X-Reloadly-Signature": "é"}, body) == nothing
    assert hint(good, body, secret=None) == nothing, "without the secret nobody can tell"
    assert hint(signed(b'{"data":{}}', SECONDS), b'{"data":{}}') == nothing


@pytest.mark.parametrize("stamp", [str(int(SECONDS) - 601), str(int(SECONDS) + 601), "", "yesterday", "9" * 30])
def test_an_old_message_says_nothing(stamp: str) -> None:
    body = json.dumps(FLAT).encode()
    assert hint(signed(body, stamp), body) == Hint(None, None, authenticated=False)


def test_a_webhook_is_declared_only_with_its_secret() -> None:
    assert Capability.WEBHOOK not in carrier_of(lambda _: said(200, {})).declaration().capabilities
    assert Capability.WEBHOOK in carrier_of(lambda _: said(200, {}), webhook_secret="x").declaration().capabilities


def test_what_is_declared() -> None:
    told = Reloadly(ReloadlyKeys.model_validate({**SETTINGS, "deadline_seconds": 90.0}), "lyca").declaration()
    assert not told.enforces_unique_refs, "two requests at the same moment both pass"
    assert (told.settle_window, told.deadline_seconds) == (timedelta(seconds=90), 90.0)
    assert told.statement_complete_after is None


def test_a_zone_that_is_none_stops_the_start() -> None:
    with pytest.raises(CarrierMisconfigured, match="reports_zone: .*time zone"):
        checked(ReloadlyKeys, "lyca", SETTINGS | {"reports_zone": "Mars/Olympus"})


# --- against the door -----------------------------------------------------------------------------------------------

DOOR = DOORS["reloadly"]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def vendor(sandbox: SandboxServer) -> Vendor:
    return sandbox.carrier.vendors["reloadly"]


@pytest.fixture
def carrier(sandbox: SandboxServer) -> Carrier:
    return open_carrier("reloadly", sandbox.url)


def look(carrier: Carrier, ref: str = REF, provider_ref: str | None = None) -> Finding:
    return carrier.find(ref, provider_ref, DOOR.number, datetime.now(UTC))


def test_a_repeated_reference_is_looked_up_and_never_failed(carrier: Carrier, vendor: Vendor) -> None:
    assert carrier.submit(DOOR.request(REF)).state is OutcomeState.SUCCEEDED
    again = carrier.submit(DOOR.request(REF))
    assert (again.state, again.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)
    assert len(vendor.books.debits()) == 1
    told = look(carrier)
    assert told.outcome is not None
    assert (told.outcome.state, told.doubled) == (OutcomeState.SUCCEEDED, False)


def test_two_at_the_same_moment_are_both_paid_and_reported_as_doubled(
    carrier: Carrier, sandbox: SandboxServer, vendor: Vendor
) -> None:
    carrier.wallet()  # the token is there
    sandbox.carrier.faults.add(Fault("late_commit", count=5, seconds=1.0))
    with ThreadPoolExecutor(5) as tills:
        outcomes = list(tills.map(carrier.submit, [DOOR.request(REF)] * 5))
    assert {outcome.state for outcome in outcomes} == {OutcomeState.SUCCEEDED}
    assert len(vendor.books.debits()) == 5, "this is why nothing is ever sent twice"
    told = look(carrier)
    assert (told.state, told.doubled) == (FindState.FOUND, True)


def test_a_vendor_that_learned_to_be_atomic_takes_one_of_them(carrier: Carrier, sandbox: SandboxServer, vendor: Vendor) -> None:
    vendor.books.atomic_refs = True
    carrier.wallet()
    sandbox.carrier.faults.add(Fault("late_commit", count=5, seconds=1.0))
    with ThreadPoolExecutor(5) as tills:
        outcomes = list(tills.map(carrier.submit, [DOOR.request(REF)] * 5))
    assert sorted(outcome.state for outcome in outcomes) == [OutcomeState.SUCCEEDED] + [OutcomeState.UNKNOWN] * 4
    assert len(vendor.books.debits()) == 1


def test_a_refusal_leaves_the_reference_free(carrier: Carrier, sandbox: SandboxServer, vendor: Vendor) -> None:
    sandbox.carrier.faults.add(Fault("refuse", count=1))
    assert carrier.submit(DOOR.request(REF)).state is OutcomeState.FAILED
    assert carrier.submit(DOOR.request(REF)).state is OutcomeState.SUCCEEDED


def test_a_number_wants_two_minutes_between_two_top_ups(carrier: Carrier, vendor: Vendor) -> None:
    assert carrier.submit(DOOR.request(REF)).state is OutcomeState.SUCCEEDED
    second = DOOR.request(REF + "-2")
    refused = carrier.submit(second)
    assert (refused.state, refused.reason, refused.raw_code) == (
        OutcomeState.FAILED, Reason.TOO_SOON, "PHONE_RECENTLY_RECHARGED",
    )  # fmt: skip
    vendor.books.move_clock(121)
    assert carrier.submit(second).state is OutcomeState.SUCCEEDED


def test_an_operator_that_hangs_refuses_in_the_end_and_keeps_nothing(carrier: Carrier, vendor: Vendor) -> None:
    vendor.switches["slow_seconds"] = 0.3
    slow = replace(DOOR.request(REF), product_key="538:10.00")
    outcome = carrier.submit(slow)
    assert (outcome.state, outcome.reason, outcome.raw_code) == (
        OutcomeState.FAILED, Reason.OPERATOR_DOWN, "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT",
    )  # fmt: skip
    assert look(carrier).state is FindState.ABSENT


@pytest.mark.parametrize(
    ("key", "number", "reason", "raw_code"),
    [
        ("535:10.00", "+34600001231", Reason.WRONG_OPERATOR, "OPERATOR_AND_RECIPIENT_PHONE_MISMATCH"),
        ("701:10.00", "+34600001230", Reason.WRONG_OPERATOR, "COUNTRY_NOT_SUPPORTED"),
        ("535:3.00", "+34600001230", Reason.INVALID_AMOUNT, "INVALID_AMOUNT_FOR_OPERATOR"),
        ("536:11.00", "+34600001231", Reason.INVALID_AMOUNT, "INVALID_AMOUNT_FOR_OPERATOR"),
        ("999:10.00", "+34600001230", Reason.OPERATOR_DOWN, "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE"),
        ("535:10.00", "+34612345678", Reason.INVALID_NUMBER, "INVALID_RECIPIENT_PHONE"),
    ],
)
def test_what_does_not_fit_is_refused(
    carrier: Carrier, vendor: Vendor, key: str, number: str, reason: Reason, raw_code: str
) -> None:
    outcome = carrier.submit(replace(DOOR.request(REF), product_key=key, number=number))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (OutcomeState.FAILED, reason, raw_code)
    assert vendor.books.debits() == []


def test_a_pin_is_found_again_whole(carrier: Carrier) -> None:
    sale = Request(REF, "540:10.00", ProductKind.PIN, "+447700900123", Money(1000, "GBP"), Money(970, "GBP"))
    outcome = carrier.submit(sale)
    assert isinstance(outcome.fulfilment, Voucher)
    assert outcome.fulfilment.code.startswith("0")
    assert len(outcome.fulfilment.code) == 16
    again = look(carrier).outcome
    assert again is not None
    assert again.fulfilment == outcome.fulfilment
    assert outcome.fulfilment.code not in repr(outcome)


def test_a_pin_that_is_under_way_has_no_code_yet(carrier: Carrier, sandbox: SandboxServer, vendor: Vendor) -> None:
    sandbox.carrier.faults.add(Fault("pending_then_done", count=1))
    sale = Request(REF, "540:10.00", ProductKind.PIN, "+447700900123", Money(1000, "GBP"), Money(970, "GBP"))
    assert carrier.submit(sale).fulfilment is None
    vendor.books.move_clock(21)
    told = look(carrier).outcome
    assert told is not None
    assert isinstance(told.fulfilment, Voucher)


def test_the_whole_catalogue_of_the_door(carrier: Carrier) -> None:
    told = {product.key: product for product in carrier.list_products()}
    assert {key.partition(":")[0] for key in told} == {"535", "536", "538", "540", "701", "702"}
    assert len(told) >= 12
    assert (told["536:10.00"].name, told["536:10.00"].cost) == ("Lebara Spain: EUR 11.50 of credit", Money(935, "GBP"))
    assert (told["702:15.00"].kind, told["702:15.00"].country) == (ProductKind.PLAN, "US")
    assert (told["540:10.00"].kind, told["540:10.00"].cost) == (ProductKind.PIN, Money(970, "GBP"))


@pytest.mark.parametrize("key", ["535:5.00", "536:20.00", "701:60.00", "702:19.00", "540:15.00"])
def test_what_the_catalogue_says_is_what_is_charged(sandbox: SandboxServer, key: str) -> None:
    carrier = open_carrier("reloadly", sandbox.url, amounts=[5, 60])
    numbers = {"535": "+34600001230", "536": "+34600001231", "701": "+16465550100", "702": "+16465550100", "540": "+447700900123"}
    (product,) = (product for product in carrier.list_products() if product.key == key)
    number = numbers[key.partition(":")[0]]
    outcome = carrier.submit(Request(REF, key, product.kind, number, product.face, product.cost))
    assert (outcome.state, outcome.cost, outcome.echo) == (OutcomeState.SUCCEEDED, product.cost, Echo(number, key))


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("+34600001230", ("535", "Lyca Spain", "ES")),
        ("+34600001231", ("536", "Lebara Spain", "ES")),
        ("+16465550123", ("701", "Lyca USA", "US")),
        ("+447700900123", ("540", "Lyca PIN UK", "GB")),
    ],
)
def test_whose_number_it_is(carrier: Carrier, number: str, told: tuple[str, str, str]) -> None:
    assert carrier.lookup_number(number) == [OperatorCandidate(*told, confident=False)]
    assert carrier.lookup_number("+34612345678") == []


def test_reports_come_in_pages(sandbox: SandboxServer, vendor: Vendor) -> None:
    carrier = open_carrier("reloadly", sandbox.url, page_size=2)
    for till in range(5):
        carrier.submit(DOOR.request(f"{REF}-{till}", number=DOOR.other_number(till)))
    now = sandbox.carrier.clock.now()
    lines = list(carrier.statement(now - timedelta(hours=1), now + timedelta(seconds=1)))
    assert [line.ref for line in lines] == [f"{REF}-{till}" for till in range(5)]
    assert vendor.books.requests["GET /topups/reports/transactions"] == 3
    assert list(carrier.statement(now - timedelta(hours=2), now - timedelta(hours=1))) == [], "the clocks agree to the hour"


@pytest.mark.parametrize("hours", [-12, -4, 0, 12])
def test_whatever_clock_the_filter_is_read_by_nothing_is_lost(
    carrier: Carrier, sandbox: SandboxServer, vendor: Vendor, hours: int
) -> None:
    vendor.switches["filter_hours"] = hours
    carrier.submit(DOOR.request(REF))
    now = sandbox.carrier.clock.now()
    assert len(list(carrier.statement(now - timedelta(minutes=5), now + timedelta(minutes=1)))) == 1


@pytest.fixture
def shop() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """An address of the shop, and what was posted there."""
    heard: list[tuple[dict[str, str], bytes]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/carriers/reloadly", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("nested", [False, True])
def test_the_doors_notifications_are_believed(
    sandbox: SandboxServer, vendor: Vendor, shop: tuple[str, list[tuple[dict[str, str], bytes]]], nested: bool
) -> None:
    url, heard = shop
    vendor.switches |= {"webhook_url": url, "webhook_nested": nested}
    carrier = open_carrier("reloadly", sandbox.url, webhook_secret="demo-webhook-secret")
    outcome = carrier.submit(DOOR.request(REF))
    vendor.callbacks.wait()
    ((headers, body),) = heard
    assert carrier.parse_notification(headers, body) == Hint(REF, outcome.provider_ref, authenticated=True)
    other = open_carrier("reloadly", sandbox.url, webhook_secret="another")
    assert other.parse_notification(headers, body) == Hint(None, None, authenticated=False)


def test_every_word_the_door_says_is_in_the_table() -> None:
    from pos.sandbox.reloadly_shapes import ERRORS

    assert {word for _, word in ERRORS.values()} - set(CODES) == {"QUOTA_RULE_17"}
