"""The oddities of TM Forum carriers: what the standards leave open, and how each way of filling it is read."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from structlog.testing import capture_logs

from pos.carriers import tmforum as adapter
from pos.carriers.tmforum import TmForum, TmForumKeys
from pos.carriers.wire import Wire
from pos.domain.money import Money
from pos.ports import (
    Capability,
    CarrierUnavailable,
    Echo,
    Finding,
    FindState,
    IdentityClaim,
    MatchAnswer,
    Outcome,
    OutcomeState,
    ProductKind,
    Reason,
    Request,
    Subscription,
    SubscriptionState,
)
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from tests.carriers.doors import DOORS, open_carrier

NOW = datetime(2026, 10, 8, 12, 0, tzinfo=UTC)
NUMBER = "+447700900123"
REF = "S1-20261008-000124"
GBP = Money(1000, "GBP")
PLAN = Request(REF, "off-10gb", ProductKind.PLAN, NUMBER, GBP, GBP)
TOPUP = replace(PLAN, product_key="topup", kind=ProductKind.TOPUP)
SETTINGS: dict[str, Any] = {
    "base_url": "https://bss.example",
    "auth": {"kind": "bearer", "token": "static"},
    "currencies": ("GBP",),
    "deadline_seconds": 5,
}

Answer = httpx2.Response
Handler = Callable[[httpx2.Request], Answer]


CREDENTIALS = {
    "kind": "client_credentials",
    "token_url": "https://login.example/token",
    "client_id": "a",
    "client_secret": "b",
}


def carrier_of(handler: Handler, clock: Callable[[], datetime] = lambda: NOW, **settings: Any) -> TmForum:
    keys = TmForumKeys.model_validate(SETTINGS | settings)
    return TmForum(keys, "lyca", wire=Wire("lyca", transport=httpx2.MockTransport(handler)), clock=clock)


def said(status: int, value: object, **headers: str) -> Answer:
    text = value if isinstance(value, (bytes, str)) else json.dumps(value)
    return Answer(status, content=text, headers={name.replace("_", "-"): told for name, told in headers.items()})


def error(code: str = "X", reason: str = "because") -> dict[str, str]:
    return {"code": code, "reason": reason}


def order(**members: object) -> dict[str, object]:
    return {
        "id": "77",
        "externalId": REF,
        "state": "completed",
        "orderTotalPrice": [{"name": "cost", "price": {"taxIncludedAmount": {"unit": "GBP", "value": 9.2}}}],
        "productOrderItem": [
            {
                "id": "1",
                "state": "completed",
                "action": "add",
                "itemPrice": [{"name": "face", "price": {"dutyFreeAmount": {"unit": "GBP", "value": 10.00}}}],
                "productOffering": {"id": "off-10gb"},
                "product": {"productSerialNumber": NUMBER, "terminationDate": "2026-11-07T00:00:00Z"},
            }
        ],
    } | members


def submit(status: int, value: object, request: Request = PLAN, settings: dict[str, Any] | None = None, **h: str) -> Outcome:
    """One plan order that is answered like this."""
    return carrier_of(lambda _: said(status, value, **h), **(settings or {})).submit(request)


# --- what is sent ---------------------------------------------------------------------------------------------------


def sent_by(request: Request, **settings: Any) -> list[httpx2.Request]:
    """Every request of one submit; the bucket is there, the rest is answered with an empty object."""
    seen: list[httpx2.Request] = []

    def handler(asked: httpx2.Request) -> Answer:
        seen.append(asked)
        bucket = {"id": "11", "usageType": "monetary", "partyAccount": {"id": "acc1"}}
        return said(200, [bucket]) if asked.method == "GET" else said(201, {})

    carrier_of(handler, **settings).submit(request)
    return seen


def test_a_plan_is_ordered_as_tmf622_wants_it() -> None:
    (sent,) = sent_by(PLAN)
    assert str(sent.url) == "https://bss.example/tmf-api/productOrderingManagement/v4/productOrder"
    assert sent.headers["authorization"] == "Bearer static"
    assert sent.headers["content-type"] == "application/json;charset=utf-8"
    assert json.loads(sent.content) == {
        "externalId": REF,
        "description": REF,
        "productOrderItem": [
            {
                "id": "1",
                "action": "add",
                "quantity": 1,
                "productOffering": {"id": "off-10gb"},
                "product": {
                    "productSerialNumber": NUMBER,
                    "productCharacteristic": [{"name": "MSISDN", "valueType": "string", "value": NUMBER}],
                },
            }
        ],
        "@type": "ProductOrder",
    }


def test_a_carrier_may_call_a_renewal_a_change() -> None:
    (sent,) = sent_by(PLAN, order_action="modify")
    assert json.loads(sent.content)["productOrderItem"][0]["action"] == "modify"


def test_a_top_up_is_sent_as_tmf654_wants_it_with_exact_digits() -> None:
    looked, sent = sent_by(TOPUP)
    assert looked.url.query == b"logicalResource.value=%2B447700900123"
    assert b'"amount":{"amount":10.00,"units":"GBP"}' in sent.content
    body = json.loads(sent.content)
    assert body["bucket"] == {"id": "11"}
    assert body["partyAccount"] == {"id": "acc1"}
    assert (body["externalId"], body["description"]) == (REF, REF)
    assert body["logicalResource"] == [{"id": NUMBER, "value": NUMBER, "@type": "MSISDN"}]


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(1, "GBP"), b"0.01"),
        (Money(500, "JPY"), b"500"),
        (Money(1234, "KWD"), b"1.234"),
        (Money(10**14 + 1, "GBP"), b"1000000000000.01"),
    ],
)
def test_amounts_leave_as_digits_of_their_currency(amount: Money, written: bytes) -> None:
    currencies = (amount.currency,)
    *_, sent = sent_by(replace(TOPUP, face=amount, cost=amount), currencies=currencies)
    assert b'{"amount":' + written + b"," in sent.content


def test_an_iccid_is_not_called_a_phone_number() -> None:
    (sent,) = sent_by(replace(PLAN, number="8944100077009001239"))
    assert json.loads(sent.content)["productOrderItem"][0]["product"]["productCharacteristic"][0]["name"] == "ICCID"


# --- what a status means --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.REJECTED_OTHER),
        (404, Reason.INVALID_NUMBER),
        (405, Reason.REJECTED_OTHER),
        (422, Reason.REJECTED_OTHER),
    ],
)
def test_a_refusal_in_tm_forums_shape_is_definite(status: int, reason: Reason) -> None:
    outcome = submit(status, error("SOMETHING_NEW"))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (OutcomeState.FAILED, reason, "SOMETHING_NEW")


@pytest.mark.parametrize("status", [401, 403])
def test_whoever_is_not_let_in_has_done_nothing_and_may_come_again(status: int) -> None:
    """F20: it says something about the shop's credentials and nothing about the customer's number."""
    outcome = submit(status, error("SOMETHING_NEW"))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (OutcomeState.NOT_SENT, Reason.AUTH, "SOMETHING_NEW")


def test_a_403_that_names_the_number_is_about_the_number() -> None:
    outcome = submit(403, error("INELIGIBLE"))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INELIGIBLE_OR_BARRED)


@pytest.mark.parametrize("status", [300, 302, 307, 402, 406, 408, 410, 413, 418, 451, 499, 500, 501, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [error("INVALID_NUMBER"), "", "<html>", "{}"])
def test_every_other_status_is_unknown_whatever_it_carries(status: int, body: object) -> None:
    assert submit(status, body).state is OutcomeState.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        "", "<html>no</html>", "{}", "[]", "null", '"INVALID_NUMBER"', '{"code":""}', '{"code":null,"reason":"x"}',
        '{"code":422,"reason":"x"}', '{"message":"Forbidden"}', '{"code":"FORBIDDEN"}', '{"code":"X","reason":7}',
        '{"code":"X","reason":"x"', b"\xff\xfe{", b"{\"code\":\"\xe9\",\"reason\":\"x\"}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 429])
def test_a_refusal_in_any_other_shape_is_unknown(status: int, body: str | bytes) -> None:
    assert submit(status, body).state is OutcomeState.UNKNOWN


def test_a_401_with_a_challenge_needs_no_body() -> None:
    outcome = submit(401, "", WWW_Authenticate="Bearer")
    assert (outcome.state, outcome.reason, outcome.raw_code) == (OutcomeState.NOT_SENT, Reason.AUTH, "http_401")


@pytest.mark.parametrize("body", [error("DUPLICATE_EXTERNAL_ID"), error("CONFLICT"), "<html>", ""])
def test_a_409_is_a_look_up(body: object) -> None:
    outcome = submit(409, body)
    assert (outcome.state, outcome.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_duplicate_under_another_status_is_a_look_up_too(status: int) -> None:
    outcome = submit(status, error("DUPLICATE_EXTERNAL_ID"))
    assert (outcome.state, outcome.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)


def test_a_carriers_own_codes_are_translated_and_may_overrule_ours() -> None:
    codes = {"60": Reason.INELIGIBLE_OR_BARRED, "NOT_FOUND": Reason.INVALID_NUMBER}
    assert submit(400, error("60"), settings={"error_codes": codes}).reason is Reason.INELIGIBLE_OR_BARRED
    assert submit(404, error("NOT_FOUND"), settings={"error_codes": codes}).reason is Reason.INVALID_NUMBER
    assert submit(404, error("NOT_FOUND")).reason is Reason.REJECTED_OTHER


@pytest.mark.parametrize("told", ["INVALID\nBearer secret", "x" * 65, "naïve", "{}"])
def test_a_code_that_is_no_code_does_not_reach_the_journal(told: str) -> None:
    assert submit(422, error(told)).raw_code == "unprintable"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7), ("0", 0), ("Thu, 08 Oct 2026 12:01:30 GMT", 90), ("Thu, 08 Oct 2026 11:00:00 GMT", 0)],
)
def test_retry_after_is_seconds_or_a_date(told: str, seconds: int) -> None:
    outcome = submit(429, error(), Retry_After=told)
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.RATE_LIMITED)
    assert outcome.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize("told", ["", "soon", "-1", "1e9", "99999999999", "²"])
def test_a_retry_after_that_says_nothing_is_none(told: str) -> None:
    assert submit(429, error(), Retry_After=told.encode("latin-1", "ignore").decode("latin-1")).retry_after is None


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (httpx2.ConnectError("x"), OutcomeState.NOT_SENT, Reason.UNREACHABLE),
        (httpx2.ConnectTimeout("x"), OutcomeState.NOT_SENT, Reason.UNREACHABLE),
        (httpx2.ReadTimeout("x"), OutcomeState.UNKNOWN, Reason.NO_ANSWER),
        (RuntimeError("x"), OutcomeState.UNKNOWN, Reason.NO_ANSWER),
    ],
)
def test_submit_raises_nothing(fault: Exception, state: OutcomeState, reason: Reason) -> None:
    def handler(_: httpx2.Request) -> Answer:
        raise fault

    carrier = carrier_of(handler)
    outcome = carrier.submit(PLAN)
    assert (outcome.state, outcome.reason) == (state, reason)
    # The read that a top-up needs first got lost; the top-up itself has not left.
    assert carrier.submit(TOPUP).state is OutcomeState.NOT_SENT
    assert carrier.find(REF, "77", NUMBER, NOW).state is FindState.CANNOT_TELL


# --- what a record means --------------------------------------------------------------------------------------------

SUCCEEDED, PENDING, FAILED, UNKNOWN = (
    OutcomeState.SUCCEEDED,
    OutcomeState.PENDING,
    OutcomeState.FAILED,
    OutcomeState.UNKNOWN,
)


@pytest.mark.parametrize(
    ("word", "state", "reason"),
    [
        ("completed", SUCCEEDED, None),
        ("rejected", FAILED, Reason.REJECTED_OTHER),
        ("cancelled", FAILED, Reason.REJECTED_OTHER),
        ("failed", FAILED, Reason.REJECTED_OTHER),
        ("acknowledged", PENDING, None),
        ("pending", PENDING, None),
        ("held", PENDING, None),
        ("inProgress", PENDING, None),
        ("partial", PENDING, None),
        ("assessingCancellation", PENDING, None),
        ("pendingCancellation", PENDING, None),
        ("Completed", PENDING, Reason.UNKNOWN_STATUS),
        ("confirmed", PENDING, Reason.UNKNOWN_STATUS),
        ("", PENDING, Reason.UNKNOWN_STATUS),
        (None, PENDING, Reason.UNKNOWN_STATUS),
    ],
)
def test_every_state_of_tmf622(word: str | None, state: OutcomeState, reason: Reason | None) -> None:
    outcome = submit(201, order(state=word))
    assert (outcome.state, outcome.reason) == (state, reason)
    assert outcome.provider_ref == "77"
    without = {name: value for name, value in order(state=word).items() if name != "id"}
    assert submit(201, without).state is UNKNOWN


@pytest.mark.parametrize(
    ("word", "state"),
    [("created", PENDING), ("completed", SUCCEEDED), ("failed", FAILED), ("cancelled", FAILED), ("confirmed", PENDING)],
)
def test_every_status_of_tmf654(word: str, state: OutcomeState) -> None:
    def handler(asked: httpx2.Request) -> Answer:
        if asked.method == "GET":
            return said(200, [{"id": "1", "usageType": "monetary", "partyAccount": {"id": "2"}}])
        return said(201, {"id": 55, "status": word, "amount": {"amount": 10, "units": "GBP"}})

    outcome = carrier_of(handler).submit(TOPUP)
    assert (outcome.state, outcome.provider_ref) == (state, "55")
    assert outcome.echo == Echo(None, None, GBP)


def test_an_answer_is_read_whole() -> None:
    assert submit(201, order()) == Outcome(
        SUCCEEDED,
        provider_ref="77",
        cost=Money(920, "GBP"),
        valid_until=datetime(2026, 11, 7, tzinfo=UTC),
        echo=Echo(NUMBER, "off-10gb", GBP),
        raw_code="completed",
    )


@pytest.mark.parametrize("told", [REF, [{"owner": "shop", "externalIdentifierType": "ref", "id": REF}], None])
def test_our_reference_comes_back_in_three_ways(told: object) -> None:
    assert submit(201, order(externalId=told)).state is SUCCEEDED


def test_a_carrier_may_write_its_own_description() -> None:
    assert submit(201, order(externalId=None, description="Renewal of 10 GB")).state is SUCCEEDED


@pytest.mark.parametrize("told", ["S1-20261008-000125", REF.lower(), REF + " ", [{"id": "other"}]])
def test_the_record_of_another_reference_is_no_answer_to_us(told: object) -> None:
    outcome = submit(201, order(externalId=told))
    assert (outcome.state, outcome.reason) == (UNKNOWN, Reason.BROKEN_ANSWER)


@pytest.mark.parametrize(
    "members",
    [
        {"productOrderItem": [{"id": "1"}, {"id": "2"}]},
        {"productOrderItem": "1"},
        {"productOrderItem": [7]},
        {"id": True},
        {"id": {"id": "77"}},
        {"id": "7" * 101},
        {"id": "7\n7"},
        {"state": 7.5},
        {"state": ["completed"]},
        {"orderTotalPrice": [{"price": {"unit": "GBP", "value": 9.205}}]},
        {"orderTotalPrice": [{"price": {"unit": "GBP"}}]},
        {"orderTotalPrice": [{"price": {"unit": "pounds", "value": 1}}]},
        {"orderTotalPrice": [{"price": {"unit": "GBP", "value": "a lot"}}]},
        {"orderTotalPrice": [{"price": {"unit": "GBP", "value": True}}]},
        {"orderTotalPrice": [{"price": {"unit": "GBP", "value": [1]}}]},
    ],
)
def test_a_member_that_decides_and_cannot_be_read_makes_it_unknown(members: dict[str, object]) -> None:
    outcome = submit(201, order(**members))
    assert (outcome.state, outcome.reason) == (UNKNOWN, Reason.BROKEN_ANSWER)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e99999999", "1e-99999999", "9" * 5000, "-"])
def test_numbers_that_are_traps_are_unknown(value: str) -> None:
    body = json.dumps(order(orderTotalPrice=[{"price": {"unit": "GBP", "value": 1}}])).replace(
        '"value": 1}', f'"value": {value}}}'
    )
    assert submit(201, body).state is UNKNOWN


@pytest.mark.parametrize("body", ["[" * 100_000, "", "null", "[]", '"completed"', "<html>", b"\xff\xfe", '{"id":1'])
def test_an_answer_that_is_no_object_is_unknown(body: str | bytes) -> None:
    assert submit(201, body).state is UNKNOWN


@pytest.mark.parametrize("date", ["soon", 7, None, "2026-13-01", "9999-12-31T23:59:59-23:00"])
def test_a_date_that_cannot_be_read_decides_nothing(date: object) -> None:
    item = {"id": "1", "product": {"productSerialNumber": NUMBER, "terminationDate": date}}
    outcome = submit(201, order(productOrderItem=[item]))
    assert (outcome.state, outcome.valid_until) == (SUCCEEDED, None)


@pytest.mark.parametrize(
    "date", ["2026-11-07T00:00:00Z", "2026-11-07T08:00:00+08:00", "2026-11-07T00:00:00.000000Z", "2026-11-07"]
)
def test_a_date_is_told_in_utc(date: str) -> None:
    item = {"id": "1", "product": {"terminationDate": date}}
    assert submit(201, order(productOrderItem=[item])).valid_until == datetime(2026, 11, 7, tzinfo=UTC)


def test_an_order_that_is_done_with_an_item_that_failed_is_looked_at() -> None:
    outcome = submit(201, order(productOrderItem=[{"id": "1", "state": "failed"}]))
    assert (outcome.state, outcome.reason) == (PENDING, Reason.UNKNOWN_STATUS)


def test_an_order_cancelled_after_it_was_done_was_reversed() -> None:
    assert submit(201, order(state="cancelled", completionDate="2026-10-08T00:00:00Z")).state is OutcomeState.REVERSED


@pytest.mark.parametrize(
    "members",
    [
        {"note": [{"id": "1", "text": "WALLET_EMPTY"}]},
        {"productOrderErrorMessage": [{"code": "WALLET_EMPTY", "reason": "x"}]},
        {"reason": "WALLET_EMPTY"},
    ],
)
def test_why_an_order_failed_is_read_from_its_code(members: dict[str, object]) -> None:
    assert submit(201, order(state="failed", **members)).reason is Reason.WALLET_EMPTY


def test_free_text_is_never_matched() -> None:
    outcome = submit(201, order(state="failed", note=[{"text": "the WALLET_EMPTY rule"}]))
    assert outcome.reason is Reason.REJECTED_OTHER


# --- looking it up --------------------------------------------------------------------------------------------------

ORDERS, TOPUPS = "productOrder", "topupBalance"


def find(answers: Mapping[str, Answer], provider_ref: str | None = None, **settings: Any) -> Finding:
    """Answers by the end of the path; what is not told has a clean nothing, and no such id."""

    def handler(asked: httpx2.Request) -> Answer:
        last = asked.url.path.rpartition("/")[2]
        return answers.get(last) or (said(200, []) if last in (ORDERS, TOPUPS) else said(404, error("NOT_FOUND")))

    return carrier_of(handler, **settings).find(REF, provider_ref, NUMBER, NOW)


def topup(**members: object) -> dict[str, object]:
    return {"id": "55", "status": "completed", "externalId": REF, "amount": {"amount": 10, "units": "GBP"}} | members


def test_a_clean_nothing_everywhere_is_absent() -> None:
    assert find({}) == Finding(FindState.ABSENT)
    assert find({ORDERS: said(404, error()), TOPUPS: said(404, error())}).state is FindState.ABSENT
    assert find({}, provider_ref="77").state is FindState.ABSENT


@pytest.mark.parametrize("place", [ORDERS, TOPUPS])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, "<html>"), (404, "{}"), (400, error()), (401, error()), (403, error()), (429, error()), (500, error()),
        (502, "<html>"), (200, ""), (200, "{}"), (200, "null"), (200, "[7]"), (200, "[null]"), (204, ""), (302, ""),
        (206, "["), (200, [{"id": "77", "externalId": REF[:-1]}]), (200, [{"id": "77"}]),
        (200, [{"id": "1", "externalId": REF, "state": "completed", "status": "completed", "amount": {"amount": "x"},
                "productOrderItem": 7}]),
    ],
)  # fmt: skip
def test_anything_but_a_clean_nothing_cannot_tell(place: str, status: int, body: object) -> None:
    assert find({place: said(status, body)}) == Finding(FindState.CANNOT_TELL)


def test_an_order_and_a_top_up_are_both_found() -> None:
    for place, record in ((ORDERS, order()), (TOPUPS, topup())):
        finding = find({place: said(200, [record])})
        assert finding.state is FindState.FOUND
        assert finding.outcome is not None
        assert finding.outcome.state is SUCCEEDED


def test_a_found_order_needs_no_word_about_top_ups() -> None:
    assert find({ORDERS: said(200, [order()]), TOPUPS: said(502, "")}).state is FindState.FOUND
    assert find({ORDERS: said(502, ""), TOPUPS: said(200, [topup()])}).state is FindState.FOUND


def test_a_carrier_without_top_ups_is_not_asked_for_them() -> None:
    assert find({TOPUPS: said(502, "")}, top_ups=False).state is FindState.ABSENT


def test_a_reference_is_compared_for_equality_among_many() -> None:
    others = [order(id=str(n), externalId=f"{REF}{n}", state="failed") for n in range(5)]
    finding = find({ORDERS: said(200, [*others, order()])})
    assert finding.outcome is not None
    assert (finding.outcome.provider_ref, finding.doubled) == ("77", False)


@pytest.mark.parametrize(
    ("states", "speaks", "doubled"),
    [
        (["completed", "completed"], SUCCEEDED, True),
        (["failed", "completed"], SUCCEEDED, False),
        (["failed", "acknowledged"], PENDING, False),
        (["failed", "rejected"], FAILED, False),
        (["completed", "inProgress", "completed"], SUCCEEDED, True),
    ],
)
def test_several_records_under_one_reference(states: list[str], speaks: OutcomeState, doubled: bool) -> None:
    finding = find({ORDERS: said(200, [order(id=str(n), state=state) for n, state in enumerate(states)])})
    assert finding.outcome is not None
    assert (finding.outcome.state, finding.doubled) == (speaks, doubled)


def test_a_record_without_an_id_cannot_tell() -> None:
    assert find({ORDERS: said(200, [order(id=None)])}).state is FindState.CANNOT_TELL


def test_the_carriers_own_id_helps_where_the_filter_does_not() -> None:
    for useless in (said(502, ""), said(200, [order(externalId="another")]), said(200, [])):
        assert find({ORDERS: useless, "77": said(200, order())}, provider_ref="77").state is FindState.FOUND


def test_the_carriers_own_id_of_another_reference_is_not_ours() -> None:
    stranger = order(externalId="another", description="another")
    assert find({ORDERS: said(502, ""), "77": said(200, stranger)}, provider_ref="77").state is FindState.CANNOT_TELL


def test_an_odd_id_stays_in_its_place_of_the_address() -> None:
    seen: list[bytes] = []

    def handler(asked: httpx2.Request) -> Answer:
        seen.append(asked.url.raw_path)
        return said(200, [])

    carrier_of(handler).find(REF, "../../bucket?x=1#é", NUMBER, NOW)
    assert all(b"/productOrder" in path or b"/topupBalance" in path for path in seen)
    assert any(path.endswith(b"/..%2F..%2Fbucket%3Fx%3D1%23%C3%A9") for path in seen)


def test_a_carrier_that_drops_unknown_members_is_searched_by_description() -> None:
    with SandboxServer() as sandbox:
        sandbox.carrier.switches.topup_external_id = False
        carrier = open_carrier("tmforum", sandbox.url, topup_query="description={ref}")
        request = DOORS["tmforum"].request(REF, ProductKind.TOPUP)
        sandbox.carrier.faults.add(Fault("lost_after_commit", count=1))
        assert carrier.submit(request).state is UNKNOWN
        assert carrier.find(REF, None, request.number, NOW).state is FindState.FOUND
        assert carrier.find(REF + "0", None, request.number, NOW).state is FindState.ABSENT


# --- topping up -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "state", "reason"),
    [
        (200, [], FAILED, Reason.INVALID_NUMBER),
        (404, error("NOT_FOUND"), FAILED, Reason.INVALID_NUMBER),
        (403, error(), OutcomeState.NOT_SENT, Reason.AUTH),
        (429, error(), OutcomeState.NOT_SENT, Reason.RATE_LIMITED),
        (200, [{"id": "1", "usageType": "data"}], FAILED, Reason.INELIGIBLE_OR_BARRED),
        (200, [{"id": "1", "usageType": "monetary", "remainingValue": {"amount": 1, "units": "EUR"}}], FAILED,
         Reason.INELIGIBLE_OR_BARRED),
        (200, [{"id": "1", "usageType": "monetary"}], OutcomeState.NOT_SENT, Reason.UNREACHABLE),
        (200, "<html>", OutcomeState.NOT_SENT, Reason.UNREACHABLE),
        (500, error(), OutcomeState.NOT_SENT, Reason.UNREACHABLE),
        (409, error(), OutcomeState.NOT_SENT, Reason.UNREACHABLE),
        (404, "<html>", OutcomeState.NOT_SENT, Reason.UNREACHABLE),
    ],
)  # fmt: skip
def test_a_top_up_whose_bucket_is_not_found_never_leaves(status: int, body: object, state: OutcomeState, reason: Reason) -> None:
    seen: list[str] = []

    def handler(asked: httpx2.Request) -> Answer:
        seen.append(asked.method)
        return said(status, body)

    outcome = carrier_of(handler).submit(TOPUP)
    assert (outcome.state, outcome.reason) == (state, reason)
    assert seen == ["GET"]


def test_the_bucket_of_somebody_else_gets_no_money() -> None:
    other = {"id": "1", "usageType": "monetary", "logicalResource": {"id": "9", "value": "+447700900999"}}
    assert submit(200, [other], TOPUP).reason is Reason.INVALID_NUMBER


# --- what is on a SIM -----------------------------------------------------------------------------------------------


def subscription(products: object, buckets: object = ()) -> Subscription:
    def handler(asked: httpx2.Request) -> Answer:
        found = products if "productInventory" in asked.url.path else buckets
        return found if isinstance(found, Answer) else said(200, list(found))  # type: ignore[call-overload]

    return carrier_of(handler).get_subscription(NUMBER)


def product(**members: object) -> dict[str, object]:
    return {"id": "p", "status": "active", "productSerialNumber": NUMBER, "productOffering": {"id": "off"}} | members


def bucket(**members: object) -> dict[str, object]:
    return {
        "id": "b",
        "usageType": "data",
        "status": "active",
        "remainingValue": {"amount": 1.50, "units": "GB"},
    } | members


def until(text: str) -> dict[str, object]:
    return {"validFor": {"endDateTime": text}}


def test_the_end_is_the_products_own_then_its_terms_then_a_buckets() -> None:
    buckets = [bucket(**until("2026-12-01T00:00:00Z")), bucket(**until("2026-11-15T00:00:00Z"))]
    buckets.append(bucket(status="expired", **until("2026-09-01T00:00:00Z")))
    term = {"productTerm": [{"name": "grace", **until("2027-01-01T00:00:00Z")}, until("2026-11-20T00:00:00Z")]}
    own = product(terminationDate="2026-11-30T00:00:00Z", **term)
    assert subscription([own], buckets).expires_at == datetime(2026, 11, 30, tzinfo=UTC)
    by_term = subscription([product(**term)], buckets)
    assert by_term.expires_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert by_term.grace_ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert subscription([product()], buckets).expires_at == datetime(2026, 11, 15, tzinfo=UTC)
    assert subscription([], buckets).expires_at == datetime(2026, 11, 15, tzinfo=UTC)
    assert subscription([product()]).expires_at is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("active", SubscriptionState.ACTIVE),
        ("pendingActive", SubscriptionState.ACTIVE),
        ("created", SubscriptionState.ACTIVE),
        ("pendingTerminate", SubscriptionState.ACTIVE),
        ("suspended", SubscriptionState.SUSPENDED),
        ("terminated", SubscriptionState.EXPIRED),
        ("cancelled", SubscriptionState.EXPIRED),
        ("aborted ", SubscriptionState.BARRED),
        ("aborted", SubscriptionState.BARRED),
        ("somethingNew", SubscriptionState.ACTIVE),
    ],
)
def test_every_status_of_tmf637_in_both_spellings(status: str, state: SubscriptionState) -> None:
    assert subscription([product(status=status)]).state is state


def test_a_plan_that_has_ended_is_expired_whatever_its_status_says() -> None:
    assert subscription([product(terminationDate="2026-10-08T11:59:59Z")]).state is SubscriptionState.EXPIRED


def test_the_plan_stands_before_a_tariff_and_before_what_has_ended() -> None:
    tariff = product(productOffering={"id": "tariff"})
    ended = product(productOffering={"id": "ended"}, status="terminated", terminationDate="2027-01-01T00:00:00Z")
    first = product(productOffering={"id": "first"}, terminationDate="2026-10-20T00:00:00Z")
    second = product(productOffering={"id": "second"}, terminationDate="2026-11-20T00:00:00Z")
    assert subscription([tariff, ended, first, second]).plan_key == "second"
    assert subscription([ended, tariff]).plan_key == "tariff"
    assert subscription([ended]).plan_key == "ended"


@pytest.mark.parametrize("resource", [{"id": "1", "value": NUMBER}, [{"id": "1", "value": NUMBER}]])
def test_objects_and_arrays_are_the_same(resource: object) -> None:
    found = subscription([product(realizingResource=resource)], [bucket(logicalResource=resource)])
    assert [balance.amount for balance in found.balances] == ["1.5"]


def test_somebody_elses_records_are_not_shown() -> None:
    other = "+447700900999"
    strangers = [
        product(productSerialNumber=other),
        product(productSerialNumber=None, productCharacteristic=[{"name": "MSISDN", "value": other}]),
        product(productSerialNumber=None, realizingResource=[{"id": "1", "value": other}]),
    ]
    assert subscription(strangers, [bucket(logicalResource={"value": other})]).state is SubscriptionState.NOT_FOUND
    assert subscription([product(productSerialNumber=None)]).state is SubscriptionState.ACTIVE


def test_balances_have_the_counters_words() -> None:
    found = subscription(
        [product()],
        [
            bucket(usageType="monetary", remainingValue={"amount": 3.40, "units": "GBP"}),
            bucket(usageType="voice", remainingValue={"amount": 10, "units": "min"}),
            bucket(usageType="sms", remainingValue=None, remainingValueName="unlimited"),
            bucket(usageType="other"),
            bucket(usageType="data", remainingValue=None),
            bucket(status="expired"),
        ],
    )
    assert [(b.kind, b.amount, b.unit) for b in found.balances] == [
        ("money", "3.4", "GBP"),
        ("voice", "10", "min"),
        ("sms", "unlimited", ""),
    ]


def test_half_an_answer_is_shown_but_never_called_not_found() -> None:
    broken = said(502, "<html>")
    assert subscription([product()], broken).state is SubscriptionState.ACTIVE
    assert subscription(broken, [bucket(status="suspended")]).state is SubscriptionState.SUSPENDED
    assert subscription([], broken).state is SubscriptionState.UNAVAILABLE
    assert subscription(broken, []).state is SubscriptionState.UNAVAILABLE
    assert subscription(said(404, error()), []).state is SubscriptionState.NOT_FOUND
    assert subscription([product(status=7.5)]).state is SubscriptionState.UNAVAILABLE


@pytest.mark.parametrize(("number", "country"), [("+447400123456", "GB"), ("+85255501234", "HK"), ("8944100077009001239", "ZZ")])
def test_the_country_of_a_number(number: str, country: str) -> None:
    handler: Handler = lambda _: said(200, [{"id": "p", "status": "active"}])  # noqa: E731
    assert carrier_of(handler).lookup_number(number)[0].country == country
    assert carrier_of(handler, country="MO", operator_name="Lyca").lookup_number(number)[0].country == "MO"


# --- the catalogue --------------------------------------------------------------------------------------------------


def catalogue(*offerings: object, handler: Handler | None = None, **settings: Any) -> list[Any]:
    pages: Handler = lambda asked: said(200, list(offerings) if "offset=0" in str(asked.url) else [])  # noqa: E731
    return list(carrier_of(handler or pages, **settings).list_products())


def offering(**members: object) -> dict[str, object]:
    price = {"id": "x.face", "name": "face", "price": {"taxIncludedAmount": {"unit": "GBP", "value": 10}}}
    return {"id": "x", "name": "X", "lifecycleStatus": "Active", "productOfferingPrice": [price]} | members


def test_one_price_is_both_prices() -> None:
    (plan,) = catalogue(offering())
    assert (plan.face, plan.cost) == (GBP, GBP)


@pytest.mark.parametrize(
    "price",
    [
        {"unit": "GBP", "value": 10},
        {"taxIncludedAmount": {"unit": "GBP", "value": 10.00}, "dutyFreeAmount": {"unit": "GBP", "value": 8.33}},
        {"dutyFreeAmount": {"unit": "GBP", "value": "10.00"}},
    ],
)
def test_both_published_price_shapes(price: object) -> None:
    (plan,) = catalogue(offering(productOfferingPrice={"id": "p", "price": price}))
    assert plan.face == GBP


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        ({"amount": 30, "units": "days"}, 30),
        ({"amount": 1, "units": "Month"}, 30),
        ({"amount": 2, "units": "weeks"}, 14),
        ({"amount": 36, "units": "hours"}, 2),
        ({"amount": 1, "units": "fortnight"}, None),
        (None, None),
    ],
)
def test_how_long_a_plan_lasts(duration: object, days: int | None) -> None:
    (plan,) = catalogue(offering(productOfferingTerm=[{"duration": duration}]))
    assert plan.valid_days == days


@pytest.mark.parametrize(
    ("members", "sellable"),
    [
        ({}, True),
        ({"lifecycleStatus": None}, True),
        ({"lifecycleStatus": "Launched"}, True),
        ({"lifecycleStatus": "Retired"}, False),
        ({"isSellable": False}, False),
        ({"validFor": {"endDateTime": "2026-10-08T11:00:00Z"}}, False),
        ({"validFor": {"startDateTime": "2026-10-09T00:00:00Z"}}, False),
    ],
)
def test_what_may_be_sold_now(members: dict[str, object], sellable: bool) -> None:
    assert catalogue(offering(**members))[0].sellable is sellable


def test_one_unreadable_plan_does_not_close_the_shop() -> None:
    bad = [
        offering(id="a", productOfferingPrice=[{"price": {"unit": "GBP", "value": 1.234}}]),
        offering(id="b", productOfferingPrice=None),
    ]
    assert [plan.key for plan in catalogue(*bad, offering())] == ["x"]


def test_other_currencies_are_left_alone() -> None:
    euros = offering(id="e", productOfferingPrice=[{"price": {"unit": "EUR", "value": 10}}])
    assert [plan.key for plan in catalogue(euros, offering())] == ["x"]


def test_money_for_a_sim_may_be_in_the_catalogue() -> None:
    (plan,) = catalogue(offering(category=[{"id": "topup", "name": "Top-ups"}]))
    assert (plan.kind, plan.line) == (ProductKind.TOPUP, "topup")


def test_a_carrier_that_repeats_its_first_page_is_not_believed() -> None:
    with pytest.raises(CarrierUnavailable):
        catalogue(handler=lambda _: said(200, [offering()]))
    assert len(catalogue(handler=lambda _: said(200, [offering()], X_Total_Count="1"))) == 1


def test_half_a_catalogue_is_none() -> None:
    def handler(asked: httpx2.Request) -> Answer:
        if "offset=0" in str(asked.url):
            return said(200, [offering()], X_Total_Count="2")
        return said(502, "")

    products = carrier_of(handler).list_products()
    assert next(products).key == "x"
    with pytest.raises(CarrierUnavailable):
        next(products)


def test_the_catalogue_can_be_narrowed_by_the_carriers_own_filter() -> None:
    seen: list[httpx2.Request] = []
    catalogue(handler=lambda asked: seen.append(asked) or said(200, []), catalogue_query="marketSegment.id=GB")  # type: ignore[func-returns-value]
    assert parse_qs(seen[0].url.query.decode()) == {"marketSegment.id": ["GB"], "offset": ["0"], "limit": ["100"]}


# --- identity -------------------------------------------------------------------------------------------------------

CLAIM = IdentityClaim("X1234567", "passport", "Jane Doe", "1980-01-31")


def match(status: int, body: object, claim: IdentityClaim = CLAIM) -> Mapping[str, MatchAnswer]:
    return carrier_of(lambda _: said(status, body), kyc_path="/kyc-match/v0.4").match_identity(NUMBER, claim)


def camara(status: int, code: str) -> dict[str, object]:
    return {"status": status, "code": code, "message": "..."}


def test_verdicts_are_read_and_scores_are_not() -> None:
    answers = match(
        200,
        {"idDocumentMatch": "true", "idDocumentTypeMatch": True, "nameMatch": "false", "nameMatchScore": 99,
         "birthdateMatch": "not_available", "genderMatch": "true"},
    )  # fmt: skip
    assert answers == {
        "document_number": MatchAnswer.MATCH,
        "document_type": MatchAnswer.MATCH,
        "name": MatchAnswer.NO_MATCH,
        "birth_date": MatchAnswer.NOT_AVAILABLE,
    }


@pytest.mark.parametrize("word", ["TRUE ", "yes", 1, None, [True]])
def test_a_verdict_that_is_none_is_not_available(word: object) -> None:
    assert match(200, {"idDocumentMatch": word})["document_number"] is MatchAnswer.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_ARGUMENT"),
        (400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION"),
        (403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED"),
        (404, "IDENTIFIER_NOT_FOUND"),
        (404, "NOT_FOUND"),
        (422, "SERVICE_NOT_APPLICABLE"),
        (422, "MISSING_IDENTIFIER"),
    ],
)
def test_nothing_to_compare(status: int, code: str) -> None:
    assert set(match(status, camara(status, code)).values()) == {MatchAnswer.NOT_AVAILABLE}


def test_another_document_is_a_no_about_the_document_only() -> None:
    answers = match(403, camara(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH"))
    assert answers.pop("document_number") is MatchAnswer.NO_MATCH  # type: ignore[attr-defined]
    assert set(answers.values()) == {MatchAnswer.NOT_AVAILABLE}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, camara(401, "UNAUTHENTICATED")),
        (403, camara(403, "PERMISSION_DENIED")),
        (403, camara(403, "INVALID_TOKEN_CONTEXT")),
        (403, "<html>"),
        (404, "<html>"),
        (429, camara(429, "TOO_MANY_REQUESTS")),
        (500, camara(500, "INTERNAL")),
        (200, "[]"),
        (200, "<html>"),
        (302, ""),
    ],
)
def test_a_comparison_that_did_not_happen_says_so(status: int, body: object) -> None:
    with pytest.raises(CarrierUnavailable):
        match(status, body)


def test_the_comparison_asks_only_what_is_claimed_and_logs_none_of_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[httpx2.Request] = []

    def handler(asked: httpx2.Request) -> Answer:
        seen.append(asked)
        return said(403, camara(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED"))

    with capture_logs() as lines:
        carrier = carrier_of(handler, kyc_path="/kyc-match/v0.4")
        carrier.match_identity(NUMBER, IdentityClaim("X1234567", "library card"))
    assert str(seen[0].url) == "https://bss.example/kyc-match/v0.4/match"
    assert json.loads(seen[0].content) == {"phoneNumber": NUMBER, "idDocument": "X1234567", "idDocumentType": "other"}
    told = repr(lines) + caplog.text
    assert "X1234567" not in told
    assert "7700900123" not in told


# --- tokens ---------------------------------------------------------------------------------------------------------


class Bank:
    """A token server and a carrier in one; ``clock`` can be moved."""

    def __init__(self, **token: object) -> None:
        self.token = {"access_token": "t{n}", "token_type": "Bearer", "expires_in": 600} | token
        self.now = NOW
        self.fetched: list[httpx2.Request] = []
        self.used: list[str] = []
        self.stale: set[str] = set()
        self.lock = threading.Lock()

    def __call__(self, asked: httpx2.Request) -> Answer:
        with self.lock:
            if asked.url.path == "/token":
                self.fetched.append(asked)
                text = json.dumps(self.token).replace("{n}", str(len(self.fetched)))
                return Answer(200, content=text)
            self.used.append(asked.headers["authorization"].removeprefix("Bearer "))
            if self.used[-1] in self.stale:
                return said(401, "", WWW_Authenticate="Bearer")
            return said(201, order())

    def carrier(self, **grant: Any) -> TmForum:
        auth = CREDENTIALS | {"client_id": "shop 17", "client_secret": "s:e c"} | grant
        return carrier_of(self, auth=auth, clock=lambda: self.now)


def test_a_token_is_kept_a_little_shorter_than_it_lives() -> None:
    bank = Bank()
    carrier = bank.carrier()
    for seconds in (0, 569, 2):
        bank.now += timedelta(seconds=seconds)
        carrier.submit(PLAN)
    assert bank.used == ["t1", "t1", "t2"]


@pytest.mark.parametrize("told", ["600", 600.0, None])
def test_a_lifetime_may_be_written_badly_or_not_at_all(told: object) -> None:
    bank = Bank(expires_in=told)
    carrier = bank.carrier()
    for seconds in (0, 200, 600):
        bank.now += timedelta(seconds=seconds)
        carrier.submit(PLAN)
    assert bank.used == ["t1", "t1", "t2"]


def test_credentials_go_in_the_header_or_in_the_form() -> None:
    bank = Bank()
    bank.carrier(scope="orders kyc").submit(PLAN)
    # RFC 6749 2.3.1: form-encoded, then joined, then base64: "shop+17:s%3Ae+c"
    assert bank.fetched[0].headers["authorization"] == "Basic c2hvcCsxNzpzJTNBZStj"
    assert parse_qs(bank.fetched[0].content.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["orders kyc"],
    }
    bank.carrier(sent_as="post").submit(PLAN)
    assert "authorization" not in bank.fetched[1].headers
    assert parse_qs(bank.fetched[1].content.decode())["client_secret"] == ["s:e c"]


@pytest.mark.parametrize(
    "token",
    [
        {"access_token": "a\r\nX-Evil: 1"}, {"access_token": "a b"}, {"access_token": "é"}, {"access_token": ""},
        {"access_token": None}, {"access_token": [1]}, {"token_type": "mac"}, {"token_type": None},
        {"expires_in": "soon"},
    ],
)  # fmt: skip
def test_a_token_that_is_none_sends_nothing(token: dict[str, object]) -> None:
    bank = Bank(**token)
    assert bank.carrier().submit(PLAN).state is OutcomeState.NOT_SENT
    assert bank.used == []


@pytest.mark.parametrize("told", [-5, 0, 10**15])
def test_an_odd_lifetime_does_no_harm(told: int) -> None:
    assert Bank(expires_in=told).carrier().submit(PLAN).state is SUCCEEDED


def test_a_stale_token_is_renewed_once_for_all() -> None:
    bank = Bank()
    carrier = bank.carrier()
    carrier.submit(PLAN)
    bank.stale.add("t1")
    gate = threading.Barrier(5)
    outcomes: list[Outcome] = []

    def sell() -> None:
        gate.wait()
        outcomes.append(carrier.submit(PLAN))

    threads = [threading.Thread(target=sell) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {outcome.state for outcome in outcomes} == {SUCCEEDED}
    assert len(bank.fetched) == 2


def test_a_static_token_is_not_tried_twice() -> None:
    seen: list[httpx2.Request] = []

    def handler(asked: httpx2.Request) -> Answer:
        seen.append(asked)
        return said(401, error("UNAUTHENTICATED"))

    assert carrier_of(handler).submit(PLAN).reason is Reason.AUTH
    assert len(seen) == 1


def test_a_strangers_401_is_unknown_and_not_repeated() -> None:
    bank = Bank()
    used: list[str] = []

    def handler(asked: httpx2.Request) -> Answer:
        if asked.url.path == "/token":
            return bank(asked)
        used.append(asked.headers["authorization"])
        return said(401, "<html>proxy</html>")

    assert carrier_of(handler, auth=CREDENTIALS).submit(PLAN).state is UNKNOWN
    assert len(used) == 1


def test_without_credentials_no_header_is_sent() -> None:
    (sent,) = sent_by(PLAN, auth={"kind": "none"})
    assert "authorization" not in sent.headers


# --- the rest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "ref", "provider_ref"),
    [
        ({"productOrder": {"id": "77", "externalId": REF}}, REF, "77"),
        ({"topupBalance": {"id": 55, "description": REF, "status": "completed"}}, REF, "55"),
        ({"productOrder": {"externalId": [{"id": REF}]}}, REF, None),
        ({"productOrder": {"id": "77", "externalId": "free text"}}, None, "77"),
        ({"productOrder": {"id": "7" * 200, "externalId": REF}}, None, None),
        ({"productOrder": []}, None, None),
        ({"somethingElse": {"id": "1"}}, None, None),
    ],
)
def test_a_notification_names_what_to_look_for(event: object, ref: str | None, provider_ref: str | None) -> None:
    body = json.dumps({"eventId": "e", "timeOcurred": "x", "event": event}).encode()
    hint = carrier_of(lambda _: said(500, "")).parse_notification({"authorization": "trust me"}, body)
    assert (hint.ref, hint.provider_ref, hint.authenticated) == (ref, provider_ref, False)


def test_capabilities_follow_from_the_configured_paths() -> None:
    bare = carrier_of(lambda _: said(500, "")).declaration().capabilities
    assert bare == {Capability.LOOKUP_NUMBER, Capability.SUBSCRIPTION, Capability.FIND_BY_REF, Capability.WEBHOOK}
    full = carrier_of(lambda _: said(500, ""), kyc_path="/k", wallet_path="/w", statement_path="/s").declaration()
    assert full.capabilities - bare == {Capability.IDENTITY_MATCH, Capability.WALLET, Capability.STATEMENT}


def statement(body: bytes | str, content_type: str = "application/x-ndjson") -> Iterator[Any]:
    carrier = carrier_of(lambda _: said(200, body, Content_Type=content_type), statement_path="/statement")
    return carrier.statement(NOW - timedelta(days=1), NOW)


LINE = {"externalId": REF, "orderId": "77", "number": NUMBER, "offering": "x", "amount": 9.2, "currency": "GBP",
        "state": "completed", "at": "2026-10-08T10:00:00Z"}  # fmt: skip


def test_a_statement_is_lines_or_an_array() -> None:
    line = json.dumps(LINE)
    assert len(list(statement(f"{line}\n\n{line}\n"))) == 2
    (only,) = statement(f" [{line}]", "application/json")
    assert (only.cost, only.ref, only.at) == (Money(920, "GBP"), REF, datetime(2026, 10, 8, 10, tzinfo=UTC))
    assert list(statement("")) == []
    assert list(statement("[]", "application/json")) == []


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(LINE),
        json.dumps(LINE) + "\n{",
        json.dumps(LINE | {"state": "resting"}) + "\n",
        json.dumps(LINE | {"at": "yesterday"}) + "\n",
        json.dumps(LINE | {"amount": None}) + "\n",
        json.dumps(LINE | {"orderId": None}) + "\n",
        "<html>\n",
    ],
)
def test_a_statement_with_a_hole_is_no_statement(body: str) -> None:
    with pytest.raises(CarrierUnavailable):
        list(statement(body))


def test_an_empty_page_is_not_an_empty_statement() -> None:
    with pytest.raises(CarrierUnavailable):
        list(statement("", "text/html"))


def test_a_statement_too_long_for_one_answer_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "LARGE_BODY_BYTES", 500)
    with SandboxServer() as sandbox:
        carrier = open_carrier("tmforum", sandbox.url)
        for turn in range(6):
            carrier.submit(DOORS["tmforum"].request(f"{REF}-{turn}"))
            sandbox.carrier.books.move_clock(60)
        now = sandbox.carrier.clock.now()
        lines = list(carrier.statement(now - timedelta(minutes=10), now))
    assert [line.ref for line in lines] == [f"{REF}-{turn}" for turn in range(6)]


def test_a_statement_that_never_fits_gives_up() -> None:
    with pytest.raises(CarrierUnavailable):
        list(statement(b"x" * 3_000_000))


@pytest.mark.parametrize("body", ["{}", "[{}]", '[{"currency":"GBP"}]', '[{"available":1}]', "", "<html>"])
def test_a_wallet_that_cannot_be_read_is_not_empty(body: str) -> None:
    with pytest.raises(CarrierUnavailable):
        carrier_of(lambda _: said(200, body), wallet_path="/wallet").wallet()


def test_the_number_is_in_no_log_line() -> None:
    with capture_logs() as lines:
        carrier = carrier_of(lambda _: said(200, []))
        carrier.get_subscription(NUMBER)
        carrier.submit(TOPUP)
        carrier.find(REF, "77", NUMBER, NOW)
    assert len(lines) > 4
    assert "7700900123" not in repr(lines)
    assert {line["path"] for line in lines} >= {"/tmf-api/productOrderingManagement/v4/productOrder/{id}"}
