"""The oddities of Airalo: eSIMs by serial number, a reference that is only a remark, codes that say more than statuses."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
from structlog.testing import capture_logs

from pos.carriers import airalo as adapter
from pos.carriers.airalo import Airalo, AiraloKeys
from pos.carriers.wire import Wire
from pos.domain.money import Money
from pos.domain.numbers import parse_iccid
from pos.ports import (
    Balance,
    CarrierUnavailable,
    Echo,
    EsimProfile,
    Finding,
    FindState,
    Fulfilment,
    Hint,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    RefundAnswer,
    RefundState,
    Request,
    Subscription,
    SubscriptionState,
)
from pos.sandbox.airalo_sims import STORIES, iccid
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from tests.carriers.doors import DOORS, open_carrier

NOW = datetime(2026, 10, 8, 12, 0, tzinfo=UTC)
REF = "S1-20261008-000123"
ICCID = iccid(1)
USD = Money(1000, "USD")
TOPUP = Request(REF, "example-30days-3gb-topup", ProductKind.PLAN, ICCID, USD, USD)
ESIM = Request(REF, "example-30days-3gb", ProductKind.ESIM, "", USD, USD)
SETTINGS: dict[str, Any] = {
    "base_url": "https://partners.example/v2",
    "client_id": "shop",
    "client_secret": "s/cret",
    "currency": "USD",
    "countries": ("GB",),
    "deadline_seconds": 5,
}
# The documents' own example of a top-up.
RECORDED: dict[str, Any] = {
    "id": 174,
    "code": "20261008-000174",
    "package_id": "example-30days-3gb-topup",
    "quantity": "1",
    "type": "topup",
    "description": REF,
    "esim_type": "Prepaid",
    "validity": 30,
    "package": "Example 3 GB - 30 Days",
    "data": "3 GB",
    "price": 10,
    "currency": "USD",
    "created_at": "2026-10-08 07:42:17",
}
LPA = "LPA:1$smdp.example$ABC-1"
NEW: dict[str, Any] = RECORDED | {
    "package_id": "example-30days-3gb",
    "type": "sim",
    "net_price": 8,
    "sims": [{"id": 9, "iccid": ICCID, "lpa": "smdp.example", "matching_id": "ABC-1", "qrcode": LPA}],
}

Answer = httpx2.Response
Handler = Callable[[httpx2.Request], Answer]


def told(data: object, status: int = 200, **meta: object) -> Answer:
    return Answer(status, json={"data": data, "meta": {"message": "success"} | meta})


def carrier_of(handler: Handler, clock: Callable[[], datetime] = lambda: NOW, **settings: Any) -> Airalo:
    """``handler`` answers everything but the token."""

    def answer(request: httpx2.Request) -> Answer:
        if request.url.path.endswith("/token"):
            return told({"token_type": "Bearer", "expires_in": 31622400, "access_token": "t0"})
        return handler(request)

    keys = AiraloKeys.model_validate(SETTINGS | settings)
    return Airalo(keys, "esims", wire=Wire("esims", transport=httpx2.MockTransport(answer)), clock=clock)


def submit(answer: Answer, request: Request = TOPUP) -> Outcome:
    return carrier_of(lambda _: answer).submit(request)


def by_path(answers: Mapping[str, Answer]) -> Handler:
    return lambda request: answers[request.url.path.removeprefix("/v2")]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def carrier(sandbox: SandboxServer) -> Airalo:
    carrier = open_carrier("airalo", sandbox.url)
    assert isinstance(carrier, Airalo)
    return carrier


def top_up(package: str = "thames-30days-3gb-topup", number: str = ICCID, ref: str = REF) -> Request:
    return Request(ref, package, ProductKind.PLAN, number, Money(900, "GBP"), Money(720, "GBP"))


# ------------------------------------------------------------------ the documents' own shapes


def test_the_recorded_top_up_is_done() -> None:
    assert submit(told(RECORDED)) == Outcome(
        OutcomeState.SUCCEEDED, provider_ref="174", echo=Echo(product_key="example-30days-3gb-topup")
    )


def test_a_new_esim_brings_its_profile_and_its_cost() -> None:
    outcome = submit(told(NEW), ESIM)
    assert outcome.fulfilment == EsimProfile(ICCID, LPA)
    assert (outcome.state, outcome.cost) == (OutcomeState.SUCCEEDED, Money(800, "USD"))


@pytest.mark.parametrize(
    ("sim", "lpa"),
    [
        ({"iccid": ICCID, "lpa": "smdp.example", "matching_id": "ABC-1"}, LPA),
        ({"iccid": ICCID, "lpa": "smdp.example", "matching_id": "ABC-1", "qrcode": "<img>"}, LPA),
        ({"iccid": ICCID, "qrcode": "LPA:1$smdp.example$ABC-1$$1"}, "LPA:1$smdp.example$ABC-1$$1"),
        ({"iccid": ICCID, "lpa": "smdp.example"}, None),
        ({"iccid": ICCID, "lpa": "smdp.ex ample", "matching_id": "A"}, None),
        ({"iccid": ICCID, "lpa": "smdp.example", "matching_id": "A$B"}, None),
    ],
)
def test_the_activation_code_is_whole_or_not_there(sim: dict[str, object], lpa: str | None) -> None:
    """Without one the customer has nothing to scan: not done yet, and asked again."""
    outcome = submit(told(NEW | {"sims": [sim]}), ESIM)
    if lpa is None:
        assert (outcome.state, outcome.raw_code, outcome.provider_ref) == (OutcomeState.PENDING, "no_profile", "174")
    else:
        assert outcome.fulfilment == EsimProfile(ICCID, lpa)


def test_a_profile_hides_itself() -> None:
    text = repr(submit(told(NEW), ESIM))
    assert "smdp" not in text and ICCID not in text


def test_two_of_a_package_are_not_what_was_asked() -> None:
    echo = submit(told(NEW | {"quantity": "2"}), ESIM).echo
    assert echo is not None and echo.product_key == "example-30days-3gb x 2"


def test_the_order_of_another_reference_is_no_answer() -> None:
    assert submit(told(RECORDED | {"description": "S1-20261008-000124"})).state is OutcomeState.UNKNOWN


# ------------------------------------------------------------------ refusals


def refused(status: int, body: object, **headers: str) -> Answer:
    return Answer(status, json=body, headers=headers)


NUMBERED: list[tuple[object, Reason]] = [
    (11, Reason.WALLET_EMPTY),
    (13, Reason.OPERATOR_DOWN),
    (14, Reason.REJECTED_OTHER),
    (23, Reason.INELIGIBLE_OR_BARRED),
    (33, Reason.PRODUCT_UNAVAILABLE),
    (34, Reason.PRODUCT_UNAVAILABLE),
    (43, Reason.REJECTED_OTHER),
    (73, Reason.INELIGIBLE_OR_BARRED),
    ("73", Reason.INELIGIBLE_OR_BARRED),
]


@pytest.mark.parametrize(("number", "reason"), NUMBERED)
def test_a_listed_code_is_final(number: object, reason: Reason) -> None:
    outcome = submit(refused(422, {"code": number, "reason": "Whatever they say."}))
    assert outcome == Outcome(OutcomeState.FAILED, reason=reason, raw_code=str(number))


def test_every_code_of_the_table_is_tried() -> None:
    assert {number for number, _ in NUMBERED if isinstance(number, int)} == set(adapter.CODES)


@pytest.mark.parametrize("number", [53, 97, 0, 73.5])
def test_any_other_code_leaves_the_outcome_unknown(number: float) -> None:
    outcome = submit(refused(422, {"code": number, "reason": "It is final, believe me: failed."}))
    assert outcome == Outcome(OutcomeState.UNKNOWN, reason=Reason.UNKNOWN_STATUS, raw_code=str(number))


@pytest.mark.parametrize(
    ("fields", "reason", "word"),
    [
        ({"iccid": "x"}, Reason.INVALID_NUMBER, "iccid"),
        ({"package_id": "x"}, Reason.PRODUCT_UNAVAILABLE, "package_id"),
        ({"description": ["x", "y"]}, Reason.REJECTED_OTHER, "description"),
        ({"brand": "x", "iccid": "x"}, Reason.INVALID_NUMBER, "iccid"),
    ],
)
def test_a_wrong_field_is_final(fields: object, reason: Reason, word: str) -> None:
    outcome = submit(refused(422, {"data": fields, "meta": {"message": "the parameter is invalid"}}))
    assert outcome == Outcome(OutcomeState.FAILED, reason=reason, raw_code=word)


EMPTY = {"data": [], "meta": {"message": "x"}}


@pytest.mark.parametrize(
    "answer",
    [
        refused(500, {"code": 73, "reason": "recycled"}),
        refused(400, {"code": 73, "reason": "recycled"}),
        refused(422, {"code": 73}),
        refused(422, {"message": "failed"}),
        refused(422, EMPTY),
        refused(422, {"data": {"iccid": "x"}}),
        refused(422, [73]),
        refused(404, EMPTY),
        refused(500, EMPTY),
        refused(503, {"message": "x"}, **{"Retry-After": "3"}),
        refused(429, {"message": "x"}),
        refused(429, {"error": "x"}, **{"Retry-After": "3"}),
        refused(403, {"message": "Forbidden"}),
        refused(302, EMPTY),
        Answer(422, text="<html>"),
        Answer(200, text="<html>"),
        told([]),
        told({}),
        told(RECORDED | {"id": None}),
        told(RECORDED | {"id": {}}),
    ],
)
def test_what_is_not_recognised_is_unknown(answer: Answer) -> None:
    assert submit(answer).state is OutcomeState.UNKNOWN


@pytest.mark.parametrize("answer", [refused(401, {"message": "Unauthenticated."}), refused(401, EMPTY), refused(403, EMPTY)])
def test_who_is_not_let_in_has_sent_nothing(answer: Answer) -> None:
    outcome = submit(answer)
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.AUTH)


def test_a_pause_is_taken() -> None:
    outcome = submit(refused(429, {"message": "x"}, **{"Retry-After": "17"}))
    assert (outcome.state, outcome.reason, outcome.retry_after) == (
        OutcomeState.NOT_SENT,
        Reason.RATE_LIMITED,
        timedelta(seconds=17),
    )


def test_a_phone_number_is_never_sent() -> None:
    def nobody(_: httpx2.Request) -> Answer:
        raise AssertionError("nothing to ask")

    carrier = carrier_of(nobody)
    outcome = carrier.submit(replace(TOPUP, number="+447700900123"))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_NUMBER)
    assert carrier.get_subscription("+447700900123").state is SubscriptionState.NOT_FOUND


# ------------------------------------------------------------------ what is sent


def test_every_field_that_is_sent() -> None:
    seen: list[httpx2.Request] = []

    def keep(request: httpx2.Request) -> Answer:
        seen.append(request)
        return told(RECORDED)

    carrier = carrier_of(keep)
    carrier.submit(TOPUP)
    carrier.submit(ESIM)
    forms = [dict(parse_qsl(request.content.decode())) for request in seen]
    assert [request.url.path for request in seen] == ["/v2/orders/topups", "/v2/orders"]
    assert forms == [
        {"package_id": "example-30days-3gb-topup", "iccid": ICCID, "description": REF},
        {"package_id": "example-30days-3gb", "quantity": "1", "type": "sim", "description": REF},
    ]
    for request, form in zip(seen, forms, strict=True):
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["authorization"] == "Bearer t0"
        compact = json.dumps(form, separators=(",", ":")).replace("/", "\\/").encode()
        assert request.headers["airalo-signature"] == hmac.new(b"s/cret", compact, hashlib.sha512).hexdigest()


def test_the_token_is_asked_for_in_a_signed_form_and_kept_a_day() -> None:
    seen: list[httpx2.Request] = []
    now = NOW

    def answer(request: httpx2.Request) -> Answer:
        if request.url.path != "/v2/token":
            return told({"balances": {"availableBalance": {"amount": 1, "currency": "USD"}}})
        seen.append(request)
        return told({"token_type": "Bearer", "expires_in": 31622400, "access_token": f"t{len(seen)}"})

    keys = AiraloKeys.model_validate(SETTINGS)
    carrier = Airalo(keys, "esims", wire=Wire("esims", transport=httpx2.MockTransport(answer)), clock=lambda: now)
    for hours, fetched in ((0, 1), (23, 1), (2, 2)):
        now += timedelta(hours=hours)
        carrier.wallet()
        assert len(seen) == fetched
    form = {"client_id": "shop", "client_secret": "s/cret", "grant_type": "client_credentials"}
    assert dict(parse_qsl(seen[0].content.decode())) == form
    compact = b'{"client_id":"shop","client_secret":"s\\/cret","grant_type":"client_credentials"}'
    assert seen[0].headers["airalo-signature"] == hmac.new(b"s/cret", compact, hashlib.sha512).hexdigest()
    assert "s/cret" not in repr(carrier._rest) and "s/cret" not in repr(keys)


def test_the_fourth_token_of_a_minute_is_refused_and_nothing_is_sent(sandbox: SandboxServer) -> None:
    for _ in range(3):
        open_carrier("airalo", sandbox.url).wallet()
    fourth = open_carrier("airalo", sandbox.url)
    assert fourth.submit(top_up()).state is OutcomeState.NOT_SENT
    sandbox.carrier.books.move_clock(61)
    assert fourth.submit(top_up()).state is OutcomeState.SUCCEEDED


# ------------------------------------------------------------------ what became of it


def orders(*found: object, **meta: object) -> Handler:
    return lambda request: told(list(found), **meta)


def find(handler: Handler, provider_ref: str | None = None) -> Finding:
    return carrier_of(handler).find(REF, provider_ref, ICCID, NOW)


@pytest.mark.parametrize("status", ["completed", "Completed", {"name": "Completed", "slug": "completed"}])
def test_a_completed_order_is_found(status: object) -> None:
    outcome = find(orders(RECORDED | {"status": status}, last_page=1)).outcome
    assert outcome == submit(told(RECORDED))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("failed", OutcomeState.FAILED),
        ("refunded", OutcomeState.REVERSED),
        ("processing", OutcomeState.PENDING),
        ("resting", OutcomeState.PENDING),
    ],
)
def test_each_status_word(word: str, state: OutcomeState) -> None:
    outcome = find(orders(NEW | {"status": {"slug": word}}, last_page=1)).outcome
    assert outcome is not None
    assert (outcome.state, outcome.provider_ref) == (state, "174")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("completed", OutcomeState.SUCCEEDED),
        ("failed", OutcomeState.FAILED),
        ("refunded", OutcomeState.REVERSED),
        (None, OutcomeState.PENDING),
    ],
)
def test_a_list_without_statuses_is_asked_by_its_filter(word: str | None, state: OutcomeState) -> None:
    """The records of the documents name none, and an order that failed stands in the list all the same."""

    def answer(request: httpx2.Request) -> Answer:
        asked = request.url.params.get("filter[order_status]")
        return told([RECORDED] if asked in (None, word) else [], last_page=1)

    outcome = find(answer).outcome
    assert outcome is not None and outcome.state is state


def test_what_only_contains_our_reference_is_another() -> None:
    longer = RECORDED | {"description": f"{REF}4", "status": "completed"}
    assert find(orders(longer, last_page=1)).state is FindState.ABSENT


def test_orders_of_the_same_reference_on_two_pages_are_doubled() -> None:
    def answer(request: httpx2.Request) -> Answer:
        page = int(request.url.params["page"])
        return told([RECORDED | {"id": 170 + page, "status": "completed"}] if page < 3 else [])

    finding = find(answer)
    assert (finding.state, finding.doubled) == (FindState.FOUND, True)


def test_a_page_that_comes_for_ever_says_nothing() -> None:
    assert find(orders(RECORDED | {"description": f"{REF}4"})).state is FindState.CANNOT_TELL


def test_a_filter_that_is_ignored_proves_nothing() -> None:
    assert find(orders(RECORDED | {"description": "S1-20260101-000001"}, last_page=1)).state is FindState.CANNOT_TELL


def test_the_resellers_own_id_leads_there_when_the_search_does_not() -> None:
    answers = {"/orders": Answer(500), "/orders/174": told(RECORDED | {"status": "completed"})}
    assert find(by_path(answers), "174").state is FindState.FOUND
    answers["/orders/174"] = told(RECORDED | {"status": "completed", "description": "another"})
    assert find(by_path(answers), "174").state is FindState.CANNOT_TELL
    answers["/orders/174"] = refused(404, EMPTY)
    assert find(by_path(answers), "174").state is FindState.CANNOT_TELL
    assert find(by_path(answers | {"/orders": told([], last_page=1)}), "174").state is FindState.ABSENT


def test_an_esim_that_the_list_leaves_out_is_read_from_its_record() -> None:
    bare = {key: value for key, value in NEW.items() if key != "sims"} | {"status": "completed"}
    answers = {"/orders": told([bare], last_page=1), "/orders/174": told(NEW | {"status": "completed"})}
    outcome = find(by_path(answers)).outcome
    assert outcome is not None and outcome.fulfilment == EsimProfile(ICCID, LPA)
    outcome = find(by_path(answers | {"/orders/174": told(bare)})).outcome
    assert outcome is not None and (outcome.state, outcome.raw_code) == (OutcomeState.PENDING, "no_profile")


def test_an_esim_that_was_sold_is_handed_over_again(carrier: Airalo, sandbox: SandboxServer) -> None:
    sandbox.carrier.faults.add(Fault("lost_after_commit", count=1))
    request = DOORS["airalo"].request(REF, ProductKind.ESIM)
    assert carrier.submit(request).state is OutcomeState.UNKNOWN
    outcome = carrier.find(REF, None, "", NOW).outcome
    assert outcome is not None and isinstance(outcome.fulfilment, EsimProfile)
    assert outcome.fulfilment.lpa.startswith("LPA:1$smdp.esim.example$M")
    assert carrier.get_subscription(outcome.fulfilment.iccid or "").state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("kind", [ProductKind.PLAN, ProductKind.ESIM])
def test_another_package_is_not_hidden(carrier: Airalo, sandbox: SandboxServer, kind: ProductKind) -> None:
    sandbox.carrier.faults.add(Fault("wrong_offering", "any", None))
    request = DOORS["airalo"].request(REF, kind)
    for outcome in (carrier.submit(request), carrier.find(REF, None, ICCID, NOW).outcome):
        assert outcome is not None and outcome.echo is not None
        assert outcome.echo.product_key not in (None, request.product_key)


@pytest.mark.parametrize("fault", ["wrong_echo", "wrong_currency"])
def test_another_cost_of_an_esim_is_not_hidden(carrier: Airalo, sandbox: SandboxServer, fault: str) -> None:
    sandbox.carrier.faults.add(Fault(fault))
    request = DOORS["airalo"].request(REF, ProductKind.ESIM)
    assert carrier.submit(request).cost not in (None, request.cost)


# ------------------------------------------------------------------ the door's own numbers


@pytest.mark.parametrize(
    ("request_", "state", "raw_code"),
    [
        (top_up("thames-30days-20gb-topup"), OutcomeState.FAILED, "33"),
        (top_up("no-such-package"), OutcomeState.FAILED, "34"),
        (top_up("thames-30days-3gb"), OutcomeState.FAILED, "34"),
        (top_up("sakura-30days-5gb-topup"), OutcomeState.FAILED, "34"),
        (top_up(number=iccid(4)), OutcomeState.FAILED, "73"),
        (top_up(number=iccid(5)), OutcomeState.FAILED, "23"),
        (top_up(number=iccid(999)), OutcomeState.FAILED, "iccid"),
        (top_up("eurolink-7days-1gb-topup", iccid(3)), OutcomeState.UNKNOWN, "53"),
    ],
)
def test_the_doors_magic(carrier: Airalo, sandbox: SandboxServer, request_: Request, state: OutcomeState, raw_code: str) -> None:
    outcome = carrier.submit(request_)
    assert (outcome.state, outcome.raw_code) == (state, raw_code)
    found = carrier.find(REF, None, request_.number, NOW)
    debits = sandbox.carrier.vendors["airalo"].books.debits()
    if raw_code == "53":
        assert (found.state, len(debits)) == (FindState.FOUND, 1), "it says failed and has taken the money"
    else:
        assert (found.state, debits) == (FindState.ABSENT, [])


def test_the_serials_of_the_first_morning_can_be_keyed_in() -> None:
    for number in STORIES:
        assert parse_iccid(iccid(number)).digits == iccid(number)


GOOD = {"package_id": "thames-30days-3gb-topup", "iccid": ICCID, "description": REF}


def knock(
    url: str, path: str, form: Mapping[str, str], secret: str = "demo-secret", token: str = "none", **headers: str
) -> httpx2.Response:
    compact = json.dumps(form, separators=(",", ":")).replace("/", "\\/").encode()
    sent = {
        "Content-Type": "application/x-www-form-urlencoded",
        "airalo-signature": hmac.new(secret.encode(), compact, hashlib.sha512).hexdigest(),
        "Authorization": f"Bearer {token}",
    }
    return httpx2.post(f"{url}/airalo/v2{path}", content=urlencode(form).encode(), headers=sent | headers)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (GOOD, None),
        (GOOD | {"quantity": "1"}, "quantity"),
        ({key: value for key, value in GOOD.items() if key != "iccid"}, "iccid"),
        ({key: value for key, value in GOOD.items() if key != "description"}, "description"),
        ({key: value for key, value in GOOD.items() if key != "package_id"}, "package_id"),
        (GOOD | {"description": ""}, "description"),
        (GOOD | {"external_id": "x"}, "external_id"),
    ],
)
def test_the_door_reads_each_field(sandbox: SandboxServer, form: dict[str, str], wrong: str | None) -> None:
    token = sandbox.carrier.vendors["airalo"].tokens.issue()
    answer = knock(sandbox.url, "/orders/topups", form, token=token)
    if wrong is None:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, list(answer.json()["data"])) == (422, [wrong])
        assert sandbox.carrier.vendors["airalo"].books.movements() == []


def test_the_door_wants_a_signature_a_form_and_a_token(sandbox: SandboxServer) -> None:
    token = sandbox.carrier.vendors["airalo"].tokens.issue()
    assert knock(sandbox.url, "/orders/topups", GOOD, secret="another", token=token).json()["code"] == 14
    answer = knock(sandbox.url, "/orders/topups", GOOD, token=token, **{"Content-Type": "application/json"})
    assert answer.json()["code"] == 43
    assert knock(sandbox.url, "/orders/topups", GOOD, token="no such").status_code == 401
    right = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
    assert knock(sandbox.url, "/token", right).json()["data"]["expires_in"] == 31622400
    assert knock(sandbox.url, "/token", right | {"grant_type": "password"}).status_code == 422
    wrong = {"client_id": "demo", "client_secret": "wrong", "grant_type": "client_credentials"}
    assert knock(sandbox.url, "/token", wrong, secret="wrong").status_code == 401


@pytest.mark.parametrize(
    "query",
    ["filter[name]=x", "include=everything", "limit=0", "page=-1", "filter[created_at]=2026-10-08", "filter[order_status]=odd"],
)
def test_the_door_knows_its_filters(sandbox: SandboxServer, query: str) -> None:
    token = sandbox.carrier.vendors["airalo"].tokens.issue()
    answer = httpx2.get(f"{sandbox.url}/airalo/v2/orders?{query}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 422


# ------------------------------------------------------------------ what is on an eSIM


USAGE = {"remaining": 767, "total": 2048, "expired_at": "2026-11-01 00:00:00", "is_unlimited": False, "status": "ACTIVE"}
ENDS_AT = datetime(2026, 11, 1, tzinfo=UTC)


def look(usage: object, packages: Answer | None = None) -> Subscription:
    answers = {
        f"/sims/{ICCID}/usage": usage if isinstance(usage, Answer) else told(usage),
        f"/sims/{ICCID}/packages": packages or told([]),
    }
    return carrier_of(by_path(answers)).get_subscription(ICCID)


def test_the_recorded_usage_is_read() -> None:
    assert look(USAGE) == Subscription(
        SubscriptionState.ACTIVE, expires_at=ENDS_AT, balances=(Balance("data", "767", "MB", ENDS_AT),), as_of=NOW
    )


def test_voice_texts_and_unlimited_data() -> None:
    more = {"is_unlimited": True, "total_voice": 100, "remaining_voice": 40, "total_text": 30, "remaining_text": 0}
    assert look(USAGE | more).balances == (
        Balance("data", "unlimited", "MB", ENDS_AT),
        Balance("voice", "40", "min", ENDS_AT),
        Balance("sms", "0", "SMS", ENDS_AT),
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("NOT_ACTIVE", SubscriptionState.ACTIVE),
        ("ACTIVE", SubscriptionState.ACTIVE),
        ("FINISHED", SubscriptionState.EXPIRED),
        ("EXPIRED", SubscriptionState.EXPIRED),
        ("RECYCLED", SubscriptionState.BARRED),
        ("UNKNOWN", SubscriptionState.UNTOLD),
        ("RESTING", SubscriptionState.UNTOLD),
        (None, SubscriptionState.UNTOLD),
    ],
)
def test_each_standing(word: str | None, state: SubscriptionState) -> None:
    assert look(USAGE | {"status": word}).state is state


def test_the_running_package_is_the_plan() -> None:
    old = {"package": "old-1gb", "activated_at": "2026-08-01 00:00:00", "expired_at": "2026-08-08 00:00:00"}
    now = {
        "package": {"id": "now-3gb", "title": "3 GB"},
        "activated_at": "2026-10-02 00:00:00",
        "expired_at": "2026-11-01 00:00:00",
    }
    waiting = {"package": "later-5gb", "activated_at": None, "expired_at": None}
    found = look(USAGE, told([waiting, now, old]))
    assert (found.plan_key, found.plan_name, found.starts_at) == ("now-3gb", "3 GB", datetime(2026, 10, 2, tzinfo=UTC))
    assert look(USAGE, told([old])).plan_key == "old-1gb"
    assert look(USAGE, told([waiting])).plan_key == "later-5gb"
    assert look(USAGE, Answer(500)).plan_key is None


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (refused(404, EMPTY), SubscriptionState.NOT_FOUND),
        (Answer(404, text="<html>"), SubscriptionState.UNAVAILABLE),
        (refused(429, {"message": "x"}), SubscriptionState.UNAVAILABLE),
        (Answer(500), SubscriptionState.UNAVAILABLE),
        (told([]), SubscriptionState.UNAVAILABLE),
    ],
)
def test_strangers_and_silence(answer: Answer, state: SubscriptionState) -> None:
    assert look(answer).state is state


def test_the_three_of_the_demo(carrier: Airalo) -> None:
    list(carrier.list_products())
    active, finished, expired = (carrier.get_subscription(iccid(number)) for number in (1, 2, 3))
    assert [found.state for found in (active, finished, expired)] == [
        SubscriptionState.ACTIVE,
        SubscriptionState.EXPIRED,
        SubscriptionState.EXPIRED,
    ]
    assert (active.plan_key, active.operator, expired.operator) == ("thames-30days-3gb", "301", "304")
    assert active.expires_at is not None and active.starts_at is not None
    assert active.expires_at - active.starts_at == timedelta(days=30)


def test_a_top_up_moves_the_end(carrier: Airalo) -> None:
    carrier.submit(top_up(number=iccid(2)))
    found = carrier.get_subscription(iccid(2))
    assert (found.state, found.plan_key) == (SubscriptionState.ACTIVE, "thames-30days-3gb-topup")
    assert found.balances[0].amount == "3072"


# ------------------------------------------------------------------ the catalogue


def test_the_catalogue_of_the_door(carrier: Airalo) -> None:
    products = {product.key: product for product in carrier.list_products()}
    assert len(products) == 13
    assert products["thames-30days-3gb"] == Product(
        key="thames-30days-3gb",
        name="Thames Mobile 3 GB - 30 Days",
        kind=ProductKind.ESIM,
        fulfilment=Fulfilment.ESIM,
        cost=Money(720, "GBP"),
        face=Money(900, "GBP"),
        valid_days=30,
        data_megabytes=3072,
        line="Thames Mobile",
        operator="301",
        country="GB",
    )
    top_up_ = products["eurolink-30days-10gb-topup"]
    assert (top_up_.kind, top_up_.fulfilment) == (ProductKind.PLAN, Fulfilment.DIRECT)
    assert (top_up_.minutes, top_up_.texts, top_up_.country) == (100, 100, None)
    assert products["sakura-10days-unlimited"].data_megabytes == -1
    assert [key for key, product in products.items() if not product.sellable] == ["verano-30days-10gb"], "papers of its own"


@pytest.mark.parametrize(
    ("settings", "operators"),
    [
        ({"countries": ["JP"]}, {"302", "304", "305"}),
        ({"countries": ["JP"], "global_packages": False}, {"302"}),
        ({"operators": ["301", "305"]}, {"301", "305"}),
        ({"page_size": 1}, {"301", "302", "303", "304", "305"}),
    ],
)
def test_the_catalogue_is_narrowed_and_paged(sandbox: SandboxServer, settings: dict[str, object], operators: set[str]) -> None:
    products = list(open_carrier("airalo", sandbox.url, **settings).list_products())
    assert {product.operator for product in products} == operators
    assert len({product.key for product in products}) == len(products)


def entry(*packages: object, **operator: object) -> dict[str, object]:
    whole = {"id": 7, "title": "Example", "type": "local", "is_kyc_verify": False, "rechargeability": True}
    return {"slug": "gb", "country_code": "GB", "operators": [whole | {"packages": list(packages)} | operator]}


PACKAGE: dict[str, Any] = {
    "id": "example-1gb",
    "type": "sim",
    "amount": 1024,
    "day": 7,
    "title": "1 GB",
    "net_price": 3.6,
    "prices": {"net_price": {"GBP": 2.8}, "recommended_retail_price": {"GBP": 3.5, "USD": 4.5}},
}


def listed(*entries: object, **settings: object) -> list[Product]:
    handler = lambda request: told(list(entries) if request.url.params["filter[type]"] == "local" else [], last_page=1)  # noqa: E731
    return list(carrier_of(handler, **settings).list_products())


def test_a_price_in_dollars_may_stand_alone() -> None:
    (product,) = listed(entry(PACKAGE))
    assert (product.cost, product.face) == (Money(360, "USD"), Money(450, "USD"))
    (product,) = listed(entry(PACKAGE), currency="GBP")
    assert (product.cost, product.face) == (Money(280, "GBP"), Money(350, "GBP"))
    assert listed(entry(PACKAGE), currency="EUR") == []


@pytest.mark.parametrize(
    ("package", "operator"),
    [
        (PACKAGE, {"is_kyc_verify": True}),
        (PACKAGE, {"is_kyc_verify": 1}),
        (PACKAGE | {"type": "topup"}, {"rechargeability": False}),
        (PACKAGE | {"prices": {}}, {}),
    ],
)
def test_what_the_shop_cannot_hand_over_is_not_sold(package: object, operator: dict[str, object]) -> None:
    (product,) = listed(entry(package, **operator))
    assert not product.sellable


@pytest.mark.parametrize("broken", [{"id": "k" * 81}, {"id": None}, {"net_price": "much"}, {"title": None}, {"day": "a week"}])
def test_one_package_that_cannot_be_read_does_not_keep_the_others(broken: dict[str, object]) -> None:
    with capture_logs() as logs:
        products = listed(entry(PACKAGE | {"prices": {}} | broken, PACKAGE))
    assert [product.key for product in products] == ["example-1gb"]
    assert "carrier plan unreadable" in {log["event"] for log in logs}


# ------------------------------------------------------------------ the books


def statement(*completed: object, refunded: tuple[object, ...] = ()) -> list[Any]:
    def answer(request: httpx2.Request) -> Answer:
        asked = {"completed": completed, "refunded": refunded}[request.url.params["filter[order_status]"]]
        return told(list(asked), last_page=1)

    return list(carrier_of(answer).statement(NOW - timedelta(hours=12), NOW))


def test_the_statement_is_asked_by_days_and_cut_to_the_moment() -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> Answer:
        seen.append(request.url.params["filter[created_at]"])
        return told([], last_page=1)

    list(carrier_of(answer).statement(NOW - timedelta(days=1), NOW))
    assert set(seen) == {"2026-10-07 - 2026-10-08"}
    early, late = RECORDED | {"created_at": "2026-10-07 23:59:59"}, RECORDED | {"id": 175, "created_at": "2026-10-08 12:00:00"}
    assert [line.provider_ref for line in statement(early, RECORDED | {"id": 176}, late)] == ["176"]


def test_what_we_pay_is_the_net_price_where_it_is_told() -> None:
    costs = [line.cost for line in statement(RECORDED, NEW | {"id": 175})]
    assert costs == [Money(1000, "USD"), Money(800, "USD")]


@pytest.mark.parametrize(
    "broken", [{"price": None}, {"currency": None}, {"created_at": "yesterday"}, {"id": None}, {"status": "refunded"}]
)
def test_a_statement_with_a_hole_is_none(broken: dict[str, object]) -> None:
    with pytest.raises(CarrierUnavailable):
        statement(RECORDED | {"id": 176}, RECORDED | broken)


def test_an_order_in_both_lists_is_not_believed() -> None:
    with pytest.raises(CarrierUnavailable):
        statement(RECORDED, refunded=(RECORDED,))


def test_an_order_that_failed_is_in_no_statement(carrier: Airalo, sandbox: SandboxServer) -> None:
    sandbox.carrier.faults.add(Fault("pending_then_failed"))
    carrier.submit(top_up())
    now = sandbox.carrier.clock.now()
    sandbox.carrier.books.move_clock(21)
    assert list(carrier.statement(now - timedelta(hours=1), now + timedelta(hours=1))) == []
    outcome = carrier.find(REF, None, ICCID, NOW).outcome
    assert outcome is not None and outcome.state is OutcomeState.FAILED


@pytest.mark.parametrize("body", [{}, {"balances": []}, {"balances": {"availableBalance": {}}}, {"balances": "9"}])
def test_a_balance_that_is_not_told_is_none(body: object) -> None:
    with pytest.raises(CarrierUnavailable):
        carrier_of(lambda _: told(body)).wallet()


def test_money_back_is_asked_for_an_unused_esim_only(carrier: Airalo, sandbox: SandboxServer) -> None:
    new = carrier.submit(DOORS["airalo"].request(REF, ProductKind.ESIM))
    answer = carrier.request_refund(REF, new.provider_ref or "", "sold twice")
    assert (answer.state, (answer.case or "")[:2]) == (RefundState.REQUESTED, "R-")
    ((case, serials, reason, notes),) = sandbox.carrier.vendors["airalo"].switches["refunds"]
    assert isinstance(new.fulfilment, EsimProfile)
    assert (case, serials, reason, notes) == (answer.case, [new.fulfilment.iccid], "OTHERS", f"{REF} sold twice")
    again = f"{REF}-2"
    topped = carrier.submit(top_up(ref=again))
    no_way = RefundAnswer(RefundState.REFUSED, raw_code="no_iccid")
    assert carrier.request_refund(again, topped.provider_ref or "", "sold twice") == no_way
    assert carrier.request_refund(again, new.provider_ref or "", "of another reference") == no_way


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (refused(422, {"code": 43, "reason": "x"}), RefundState.REFUSED),
        (refused(422, {"data": {"iccids": "x"}, "meta": {}}), RefundState.REFUSED),
        (refused(429, {"message": "x"}, **{"Retry-After": "300"}), None),
        (Answer(502, text="<html>"), None),
    ],
)
def test_a_request_for_money_back_can_be_refused(answer: Answer, state: RefundState | None) -> None:
    carrier = carrier_of(by_path({"/orders/174": told(NEW), "/refund": answer}))
    if state is None:
        with pytest.raises(CarrierUnavailable):
            carrier.request_refund(REF, "174", "x")
    else:
        assert carrier.request_refund(REF, "174", "x").state is state


# ------------------------------------------------------------------ news


def sign(text: str, secret: str = "s/cret") -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


@pytest.mark.parametrize("name", ["airalo-signature", "Airalo-Signature"])
@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        ('{"id":174,"description":"%s"}', '{"id":174,"description":"%s"}'),
        ('{ "id": 174, "description": "%s" }', '{"id":174,"description":"%s"}'),
        ('{"id":174,"u":"a/b","description":"%s"}', '{"id":174,"u":"a\\/b","description":"%s"}'),
        ('{"id":174,"u":"é","description":"%s"}', '{"id":174,"u":"\\u00e9","description":"%s"}'),
        ('{"id":174,"u":"\\u00e9/","description":"%s"}', '{"id":174,"u":"é/","description":"%s"}'),
        ('{"data": {"id":174,"n":1.50,"description":"%s"}}', '{"data":{"id":174,"n":1.50,"description":"%s"}}'),
    ],
)
def test_news_of_an_order_however_its_json_was_written_again(name: str, sent: str, signed: str) -> None:
    hint = carrier_of(orders()).parse_notification({name: sign(signed % REF)}, (sent % REF).encode())
    assert hint == Hint(REF, "174", authenticated=True)


@pytest.mark.parametrize("signature", ["", "0" * 128, sign('{"id":174}', "another"), "é"])
def test_forged_news_say_nothing(signature: str) -> None:
    hint = carrier_of(orders()).parse_notification({"airalo-signature": signature}, b'{"id":174}')
    assert hint == Hint(None, None, authenticated=False)


class _Shop(BaseHTTPRequestHandler):
    """Where the reseller calls: answers HEAD as it was told and keeps what comes."""

    head = 200
    heard: list[tuple[dict[str, str], bytes]]

    def do_HEAD(self) -> None:
        self.send_response(self.head)
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def shop() -> Iterator[tuple[str, type[_Shop]]]:
    class Here(_Shop):
        heard = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Here) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks", Here
        server.shutdown()
        thread.join()


def test_the_reseller_calls_when_an_order_ends_later(
    carrier: Airalo, sandbox: SandboxServer, shop: tuple[str, type[_Shop]]
) -> None:
    vendor = sandbox.carrier.vendors["airalo"]
    vendor.switches["webhook_url"] = shop[0]
    sandbox.carrier.faults.add(Fault("pending_then_done", count=1))
    assert carrier.submit(top_up()).state is OutcomeState.PENDING
    sandbox.carrier.books.move_clock(21)
    carrier.wallet()
    vendor.callbacks.wait()
    ((headers, body),) = shop[1].heard
    hint = carrier.parse_notification(headers, body)
    assert (hint.ref, hint.authenticated) == (REF, True)
    assert carrier.parse_notification(headers, body.replace(b"completed", b"refunded")) == Hint(None, None, authenticated=False)


def test_an_esim_that_runs_low_names_no_order(carrier: Airalo, sandbox: SandboxServer, shop: tuple[str, type[_Shop]]) -> None:
    vendor = sandbox.carrier.vendors["airalo"]
    url, token = f"{sandbox.url}/airalo/v2/simulator/webhook", vendor.tokens.issue()
    body = {"event": "low_data_notification", "type": "expire_1", "iccid": ICCID}
    headers = {"Authorization": f"Bearer {token}"}
    vendor.switches["webhook_url"], shop[1].head = shop[0], 405
    assert httpx2.post(url, json=body, headers=headers).status_code == 422, "it wants an answer to HEAD first"
    shop[1].head = 200
    assert httpx2.post(url, json=body, headers=headers).status_code == 200
    vendor.callbacks.wait()
    ((sent, news),) = shop[1].heard
    assert json.loads(news)["level"] == "1days"
    assert carrier.parse_notification(sent, news) == Hint(None, None, authenticated=True)


# ------------------------------------------------------------------ never in a log


def test_neither_serials_nor_activation_codes_reach_the_log(carrier: Airalo) -> None:
    with capture_logs() as logs:
        new = carrier.submit(DOORS["airalo"].request(REF, ProductKind.ESIM))
        carrier.submit(top_up())
        carrier.find(REF, None, ICCID, NOW)
        carrier.get_subscription(ICCID)
        list(carrier.list_products())
    assert isinstance(new.fulfilment, EsimProfile)
    text = repr(logs)
    assert len(logs) > 5
    for secret in (ICCID, new.fulfilment.iccid or "", new.fulfilment.lpa, "smdp", "demo-secret"):
        assert secret not in text
