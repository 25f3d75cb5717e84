"""The oddities of DT One's DVS v1: two phases, a status by class, codes of errors, vouchers, amounts from a range.

What every adapter owes is in test_contract.py. Here the door is asked over real HTTP, and recorded shapes are played back."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from structlog.testing import capture_logs

from pos.carriers.configuration import CarrierMisconfigured, checked
from pos.carriers.dtone import CODES, Dtone, DtoneKeys
from pos.carriers.wire import Wire
from pos.domain.money import Money
from pos.ports import (
    Capability,
    CarrierUnavailable,
    FindState,
    Fulfilment,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    Request,
    Voucher,
)
from pos.sandbox.dtone_shapes import pin_code
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings
from tests.carriers.doors import open_carrier

NOW = datetime(2026, 10, 8, 12, 0, tzinfo=UTC)
REF, NUMBER = "S1-20261008-000123", "+4915550123456"
EUR, GBP = Money(999, "EUR"), Money(800, "GBP")
PLAN = Request(REF, "6002", ProductKind.PLAN, NUMBER, EUR, GBP)
VOUCHER = Request(REF, "6102", ProductKind.PIN, "+4915551123456", Money(1000, "EUR"), Money(860, "GBP"))
AIRTIME = Request(REF, "6006:15", ProductKind.TOPUP, NUMBER, Money(1500, "EUR"), Money(1275, "GBP"))
HELD, VOIDED, UNKNOWN = OutcomeState.HELD, OutcomeState.VOIDED, OutcomeState.UNKNOWN
SUCCEEDED, PENDING, FAILED = OutcomeState.SUCCEEDED, OutcomeState.PENDING, OutcomeState.FAILED

Answer = httpx2.Response
Handler = Callable[[httpx2.Request], Answer]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(late_seconds=0.5)) as server:
        yield server


@pytest.fixture
def carrier(sandbox: SandboxServer) -> Dtone:
    return opened(sandbox)


def opened(sandbox: SandboxServer, **settings: object) -> Dtone:
    carrier = open_carrier("dtone", sandbox.url, **settings)
    assert isinstance(carrier, Dtone)
    return carrier


def vendor_of(sandbox: SandboxServer) -> Any:
    return sandbox.carrier.vendors["dtone"]


def found(carrier: Dtone, request: Request = PLAN, provider_ref: str | None = None) -> Outcome:
    finding = carrier.find(request.ref, provider_ref, request.number, datetime.now(UTC))
    assert finding.state is FindState.FOUND and finding.outcome is not None
    return finding.outcome


# --- recorded shapes ------------------------------------------------------------------------------------------------

SETTINGS: dict[str, Any] = {
    "base_url": "https://dvs.example/v1",
    "api_key": "key",
    "api_secret": "secret",
    "currency": "EUR",
    "countries": ("DE",),
    "deadline_seconds": 5,
}
PLAYED = Request(REF, "6035", ProductKind.PLAN, "+447700900100", EUR, Money(950, "EUR"))


def played(handler: Handler, **settings: Any) -> Dtone:
    keys = DtoneKeys.model_validate(SETTINGS | settings)
    return Dtone(keys, "dtone", wire=Wire("dtone", transport=httpx2.MockTransport(handler)), clock=lambda: NOW)


def said(status: int, value: object, **headers: str) -> Answer:
    text = value if isinstance(value, (bytes, str)) else json.dumps(value)
    return Answer(status, content=text, headers={name.replace("_", "-"): told for name, told in headers.items()})


def errors(*codes: object) -> dict[str, object]:
    return {"errors": [{"code": number, "message": "a sentence"} for number in codes]}


def status(number: int, name: str, message: str | None = None) -> dict[str, object]:
    return {"id": number * 10_000, "message": message or name, "class": {"id": number, "message": name}}


def recorded(**members: object) -> dict[str, object]:
    """The answer to a create as carriers.md has it."""
    money = {"unit_type": "CURRENCY", "unit": "EUR", "amount": 9.5, "fee": 0}
    return {
        "id": 2231443567,
        "external_id": REF,
        "creation_date": "2026-10-08T10:00:00.000000000Z",
        "confirmation_expiration_date": "2026-10-08T11:00:00.000000000Z",
        "confirmation_date": None,
        "status": status(1, "CREATED"),
        "operator_reference": None,
        "pin": None,
        "product": {"id": 6035, "name": "Example DE 30 days"},
        "prices": {"wholesale": money, "retail": None},
        "rates": {"base": 1, "wholesale": 1, "retail": None},
        "benefits": None,
        "promotions": None,
        "requested_values": None,
        "adjusted_values": None,
        "credit_party_identifier": {"mobile_number": "+447700900100"},
    } | members


def submitted(code: int, value: object, request: Request = PLAYED, **headers: str) -> Outcome:
    return played(lambda _: said(code, value, **headers)).submit(request)


def test_a_create_that_waits_is_held_until_its_end() -> None:
    outcome = played(lambda _: said(201, recorded())).hold(PLAYED)
    assert (outcome.state, outcome.provider_ref) == (HELD, "2231443567")
    assert outcome.held_until == datetime(2026, 10, 8, 11, tzinfo=UTC), "nine digits after the second are read"
    assert outcome.cost == Money(950, "EUR")
    assert outcome.echo is not None
    assert (outcome.echo.number, outcome.echo.product_key, outcome.echo.amount) == ("+447700900100", "6035", None)


def test_a_create_that_confirms_itself_is_never_held() -> None:
    outcome = submitted(201, recorded())
    assert (outcome.state, outcome.held_until) == (PENDING, None)


@pytest.mark.parametrize(
    ("number", "name", "state"),
    [
        (2, "CONFIRMED", PENDING),
        (5, "SUBMITTED", PENDING),
        (7, "COMPLETED", SUCCEEDED),
        (3, "REJECTED", FAILED),
        (9, "DECLINED", FAILED),
        (4, "CANCELLED", VOIDED),
        (8, "REVERSED", OutcomeState.REVERSED),
    ],
)
def test_the_class_of_the_status_decides(number: int, name: str, state: OutcomeState) -> None:
    outcome = submitted(201, recorded(status=status(number, name, f"{name}-SOMETHING-FINER")))
    assert (outcome.state, outcome.raw_code) == (state, f"{name}-SOMETHING-FINER")
    assert outcome.reason is (Reason.REJECTED_OTHER if state is FAILED else None)


@pytest.mark.parametrize(
    "told",
    [
        status(42, "RESTING"),
        status(6, "COMPLETED"),
        status(9, "COMPLETED"),
        {"id": 70000, "message": "COMPLETED"},
        {"id": 90000, "message": "DECLINED", "class": {"message": "DECLINED"}},
        {},
        None,
    ],
)
def test_a_status_that_is_none_of_the_known_is_not_yet(told: object) -> None:
    outcome = submitted(201, recorded(status=told))
    assert (outcome.state, outcome.reason, outcome.provider_ref) == (PENDING, Reason.UNKNOWN_STATUS, "2231443567")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("REJECTED-INVALID-CREDIT-PARTY", Reason.INVALID_NUMBER),
        ("DECLINED-INVALID-CREDIT-PARTY", Reason.INVALID_NUMBER),
        ("DECLINED-BARRED-CREDIT-PARTY", Reason.INELIGIBLE_OR_BARRED),
        ("REJECTED-INELIGIBLE-CREDIT-PARTY", Reason.INELIGIBLE_OR_BARRED),
        ("REJECTED-BARRED-DEBIT-PARTY", Reason.REJECTED_OTHER),
        ("REJECTED-LIMITATIONS-ON-CREDIT-PARTY-AMOUNT", Reason.LIMIT_REACHED),
        ("REJECTED-LIMITATIONS-ON-CREDIT-PARTY-QUANTITY", Reason.LIMIT_REACHED),
        ("DECLINED-LIMITATIONS-ON-OPERATOR-AMOUNT", Reason.LIMIT_REACHED),
        ("DECLINED-LIMITATIONS-ON-CUSTOMER-QUANTITY", Reason.LIMIT_REACHED),
        ("DECLINED-OPERATOR-CURRENTLY-UNAVAILABLE", Reason.OPERATOR_DOWN),
        ("REJECTED-INSUFFICIENT-BALANCE", Reason.WALLET_EMPTY),
        ("DECLINED-DUPLICATED-TRANSACTION", Reason.TOO_SOON),
        ("DECLINED-EXCEPTION", Reason.REJECTED_OTHER),
        ("DECLINED-BY-A-RULE-OF-TOMORROW", Reason.REJECTED_OTHER),
    ],
)
def test_the_finer_word_picks_the_reason(message: str, reason: Reason) -> None:
    name = message.partition("-")[0]
    outcome = submitted(201, recorded(status=status(3 if name == "REJECTED" else 9, name, message)))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (FAILED, reason, message)


NOT_SENT = OutcomeState.NOT_SENT


@pytest.mark.parametrize(
    ("code", "number", "state", "reason"),
    [
        (400, 1000400, FAILED, Reason.REJECTED_OTHER),
        (400, 1003002, FAILED, Reason.INVALID_AMOUNT),
        (400, 1003003, FAILED, Reason.INVALID_AMOUNT),
        (400, 1005003, FAILED, Reason.INVALID_NUMBER),
        (400, 1005503, FAILED, Reason.REJECTED_OTHER),
        (400, 1006001, FAILED, Reason.WALLET_EMPTY),
        (400, 1006003, FAILED, Reason.REJECTED_OTHER),
        (400, 1006503, FAILED, Reason.REJECTED_OTHER),
        (404, 1000404, FAILED, Reason.PRODUCT_UNAVAILABLE),
        (404, 1003001, FAILED, Reason.PRODUCT_UNAVAILABLE),
        (400, 1007500, FAILED, Reason.REJECTED_OTHER),
        (400, 1004242, FAILED, Reason.REJECTED_OTHER),
        (401, 1000401, NOT_SENT, Reason.AUTH),
        (403, 1000403, NOT_SENT, Reason.AUTH),
        (429, 1000429, NOT_SENT, Reason.RATE_LIMITED),
        (400, 1007001, UNKNOWN, Reason.DUPLICATE_REF),
        (400, 1007002, UNKNOWN, Reason.DUPLICATE_REF),
        (400, 1007003, UNKNOWN, Reason.BROKEN_ANSWER),
        (404, 1008004, UNKNOWN, Reason.BROKEN_ANSWER),
        (400, 1009001, UNKNOWN, Reason.BROKEN_ANSWER),
        (500, 1009001, UNKNOWN, Reason.BROKEN_ANSWER),
        (503, 1009503, UNKNOWN, Reason.BROKEN_ANSWER),
        (500, 1006001, UNKNOWN, Reason.BROKEN_ANSWER),
        (429, 1000400, UNKNOWN, Reason.BROKEN_ANSWER),
        (302, 1000400, UNKNOWN, Reason.BROKEN_ANSWER),
        (408, 1000400, UNKNOWN, Reason.BROKEN_ANSWER),
    ],
)
def test_what_each_number_of_an_error_means(code: int, number: int, state: OutcomeState, reason: Reason) -> None:
    outcome = submitted(code, errors(number))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (state, reason, str(number))


def test_the_table_of_codes_is_tried_whole() -> None:
    for number, reason in CODES.items():
        if reason not in (Reason.AUTH, Reason.RATE_LIMITED):
            assert submitted(400, errors(number)).reason is reason


def test_one_doubtful_number_among_several_leaves_it_in_doubt() -> None:
    assert submitted(400, errors(1000400, 1007001)).reason is Reason.DUPLICATE_REF
    assert submitted(400, errors(1000400, 1009001)).state is UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Request</html>",
        {"error": "bad"},
        {"errors": []},
        {"errors": [{"code": "1006001", "message": "text"}]},
        {"errors": [{"code": 1006001}]},
        {"errors": [{"code": True, "message": "text"}]},
        {"errors": [{"code": 1006001, "message": "text"}, {"code": None, "message": "text"}]},
    ],
)
@pytest.mark.parametrize("code", [400, 403, 404, 429, 500, 502])
def test_what_is_not_the_vendors_own_list_refuses_nothing(code: int, body: object) -> None:
    outcome = submitted(code, body)
    assert (outcome.state, outcome.raw_code) == (UNKNOWN, f"http_{code}")


def test_a_challenge_alone_is_a_closed_door() -> None:
    assert submitted(401, b"", WWW_Authenticate="Basic").state is NOT_SENT
    assert submitted(401, b"").state is UNKNOWN


def test_an_operators_reference_that_fits_nowhere_decides_nothing() -> None:
    assert submitted(201, recorded(status=status(7, "COMPLETED"), operator_reference="x" * 200)).state is SUCCEEDED


@pytest.mark.parametrize(
    "wrong", [{"id": None}, {"external_id": None}, {"external_id": "S1-20261008-000124"}, {"id": "x" * 101}, {"product": []}]
)
def test_an_answer_about_nothing_of_ours_is_unknown(wrong: dict[str, object]) -> None:
    outcome = submitted(201, recorded(status=status(7, "COMPLETED"), **wrong))
    assert (outcome.state, outcome.reason) == (UNKNOWN, Reason.BROKEN_ANSWER)


def test_a_lost_answer_never_leads_to_a_second_create() -> None:
    posts: list[str] = []

    def handler(asked: httpx2.Request) -> Answer:
        posts.append(asked.method)
        raise httpx2.ReadTimeout("late")

    carrier = played(handler)
    assert carrier.submit(PLAYED).state is UNKNOWN
    assert carrier.hold(PLAYED).state is UNKNOWN
    assert carrier.confirm(REF, "1", PLAYED.number).state is UNKNOWN
    assert carrier.void(REF, "1").state is UNKNOWN
    assert posts == ["POST"] * 4
    assert carrier.find(REF, None, PLAYED.number, NOW).state is FindState.CANNOT_TELL


# --- what is sent ---------------------------------------------------------------------------------------------------


def sent_by(act: Callable[[Dtone], object], answer: object = None, **settings: Any) -> list[httpx2.Request]:
    seen: list[httpx2.Request] = []

    def handler(asked: httpx2.Request) -> Answer:
        seen.append(asked)
        return said(200, [] if answer is None else answer)

    act(played(handler, **settings))
    return seen


def test_a_create_says_what_is_needed_and_no_more() -> None:
    (asked,) = sent_by(lambda carrier: carrier.submit(PLAYED))
    assert (asked.method, asked.url.path) == ("POST", "/v1/async/transactions")
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"key:secret").decode()
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.content) == {
        "external_id": REF,
        "product_id": 6035,
        "auto_confirm": True,
        "credit_party_identifier": {"mobile_number": "+447700900100"},
    }


def test_a_hold_waits_and_names_our_address() -> None:
    (asked,) = sent_by(lambda carrier: carrier.hold(PLAYED), callback_url="https://shop.example/hooks/dtone/9f2c")
    body = json.loads(asked.content)
    assert (body["auto_confirm"], body["callback_url"]) == (False, "https://shop.example/hooks/dtone/9f2c")


def test_an_amount_from_a_range_is_what_the_customer_gets() -> None:
    (asked,) = sent_by(lambda carrier: carrier.submit(AIRTIME))
    body = json.loads(asked.content)
    assert body["product_id"] == 6006
    assert body["calculation_mode"] == "DESTINATION_AMOUNT"
    assert body["destination"] == {"unit_type": "CURRENCY", "unit": "EUR", "amount": 15.0}
    assert b'"amount":15.00' in asked.content


def test_the_serial_of_a_sim_is_an_account() -> None:
    request = Request(REF, "6035", ProductKind.PLAN, "8944100077009001239", EUR, EUR)
    (asked,) = sent_by(lambda carrier: carrier.submit(request))
    assert json.loads(asked.content)["credit_party_identifier"] == {"account_number": "8944100077009001239"}


@pytest.mark.parametrize("key", ["", "plan", "6006:1.5", "6006:", "6006:15:15", "-1", "６０３５"])
def test_a_product_that_is_none_of_this_vendor_is_not_sent(key: str) -> None:
    request = Request(REF, key, ProductKind.PLAN, NUMBER, EUR, GBP)
    assert sent_by(lambda carrier: carrier.submit(request)) == []


def test_an_amount_that_is_not_the_products_is_not_sent() -> None:
    request = Request(REF, "6006:20", ProductKind.TOPUP, NUMBER, Money(1500, "EUR"), GBP)
    assert sent_by(lambda carrier: carrier.submit(request)) == []
    assert played(lambda _: said(500, "")).submit(request) == Outcome(FAILED, reason=Reason.INVALID_AMOUNT)


def test_confirm_and_cancel_have_no_body() -> None:
    first, *_ = sent_by(lambda carrier: carrier.confirm(REF, "22/31", NUMBER))
    second, *_ = sent_by(lambda carrier: carrier.void(REF, "2231"))
    assert (first.url.raw_path, first.content) == (b"/v1/async/transactions/22%2F31/confirm", b"")
    assert (second.url.raw_path, second.content) == (b"/v1/transactions/2231/cancel", b"")


# --- hold, confirm, void --------------------------------------------------------------------------------------------


def wallet(carrier: Dtone) -> tuple[int, int]:
    (balance,) = carrier.wallet()
    assert balance.held is not None
    return balance.available.minor, balance.held.minor


def test_a_hold_sets_money_aside_and_delivers_nothing(carrier: Dtone, sandbox: SandboxServer) -> None:
    outcome = carrier.hold(PLAN)
    assert outcome.state is HELD and outcome.held_until is not None
    assert timedelta(minutes=59) < outcome.held_until - datetime.now(UTC) <= timedelta(hours=1)
    assert wallet(carrier) == (499_200, 800)
    assert found(carrier).state is HELD
    assert vendor_of(sandbox).books.debits() == []


@pytest.mark.parametrize("quiet", [False, True])
def test_what_is_confirmed_is_delivered_once(carrier: Dtone, sandbox: SandboxServer, quiet: bool) -> None:
    vendor_of(sandbox).switches["quiet_202"] = quiet
    held = carrier.hold(PLAN)
    outcome = carrier.confirm(REF, held.provider_ref or "", NUMBER)
    assert (outcome.state, outcome.cost, outcome.provider_ref) == (SUCCEEDED, GBP, held.provider_ref)
    assert wallet(carrier) == (499_200, 0)
    # Once more: 1007002, and the look-up tells that it is done.
    assert carrier.confirm(REF, held.provider_ref or "", NUMBER).state is SUCCEEDED
    assert len(vendor_of(sandbox).books.debits()) == 1


@pytest.mark.parametrize("quiet", [False, True])
def test_what_is_given_up_costs_nothing(carrier: Dtone, sandbox: SandboxServer, quiet: bool) -> None:
    vendor_of(sandbox).switches["quiet_202"] = quiet
    key = carrier.hold(PLAN).provider_ref or ""
    assert carrier.void(REF, key).state is VOIDED
    assert carrier.void(REF, key) == Outcome(VOIDED, key, raw_code="1007005")
    assert wallet(carrier) == (500_000, 0)
    assert carrier.confirm(REF, key, NUMBER).state is VOIDED
    assert found(carrier).state is VOIDED
    assert vendor_of(sandbox).books.debits() == []


def test_what_was_confirmed_cannot_be_given_up(carrier: Dtone, sandbox: SandboxServer) -> None:
    key = carrier.hold(PLAN).provider_ref or ""
    carrier.confirm(REF, key, NUMBER)
    assert carrier.void(REF, key).state is SUCCEEDED
    assert len(vendor_of(sandbox).books.debits()) == 1


@pytest.mark.parametrize("auto_cancel", [True, False])
@pytest.mark.parametrize("told_by", [1007004, 1007005])
def test_a_hold_that_is_over_is_void_and_nothing_is_lost(
    carrier: Dtone, sandbox: SandboxServer, auto_cancel: bool, told_by: int
) -> None:
    vendor_of(sandbox).switches |= {"auto_cancel": auto_cancel, "confirm_of_cancelled": told_by}
    key = carrier.hold(PLAN).provider_ref or ""
    vendor_of(sandbox).books.move_clock(3601)
    assert found(carrier).state is (VOIDED if auto_cancel else HELD)
    assert carrier.confirm(REF, key, NUMBER).state is VOIDED
    assert found(carrier).state is VOIDED
    assert wallet(carrier) == (500_000, 0), "also where nothing ends by itself"
    assert vendor_of(sandbox).books.debits() == []


@pytest.mark.parametrize("fault", ["lost_after_commit", "error_500_after", "html_502", "html_200", "empty_200", "broken_json"])
def test_a_confirm_without_an_answer_is_unknown_until_it_is_found(carrier: Dtone, sandbox: SandboxServer, fault: str) -> None:
    key = carrier.hold(PLAN).provider_ref or ""
    sandbox.carrier.faults.add(Fault(fault, count=1))
    assert carrier.confirm(REF, key, NUMBER).state is UNKNOWN
    assert found(carrier).state is SUCCEEDED
    assert carrier.confirm(REF, key, NUMBER).state is SUCCEEDED
    assert len(vendor_of(sandbox).books.debits()) == 1


def test_a_confirm_that_got_lost_on_its_way_may_be_said_again(carrier: Dtone, sandbox: SandboxServer) -> None:
    key = carrier.hold(PLAN).provider_ref or ""
    sandbox.carrier.faults.add(Fault("lost_before_commit", count=1))
    assert carrier.confirm(REF, key, NUMBER).state is UNKNOWN
    assert found(carrier).state is HELD
    assert carrier.confirm(REF, key, NUMBER).state is SUCCEEDED


def test_a_confirm_that_was_not_let_in_was_not_sent(carrier: Dtone, sandbox: SandboxServer) -> None:
    key = carrier.hold(PLAN).provider_ref or ""
    for fault, reason in (("rate_limit", Reason.RATE_LIMITED), ("forbidden", Reason.AUTH)):
        sandbox.carrier.faults.add(Fault(fault, count=1))
        outcome = carrier.confirm(REF, key, NUMBER)
        assert (outcome.state, outcome.reason) == (NOT_SENT, reason)
    assert found(carrier).state is HELD


def refused_confirm(*then: Answer | Exception) -> Outcome:
    """A confirm that is too late; what follows is answered like this."""
    left = [said(400, errors(1007004)), *then]

    def handler(_: httpx2.Request) -> Answer:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcome = played(handler).confirm(REF, "2231443567", PLAYED.number)
    assert left == []
    return outcome


def test_after_a_refused_confirm_nothing_is_called_unsent() -> None:
    # The confirm has left: "not sent" would let the same one go again by itself, and a customer wait for it.
    assert refused_confirm(httpx2.ConnectError("down")).state is UNKNOWN
    assert refused_confirm(said(500, "")).state is UNKNOWN
    assert refused_confirm(said(404, errors(1008004))).state is UNKNOWN
    still_there = said(200, recorded())
    assert refused_confirm(still_there, httpx2.ConnectError("down")).state is UNKNOWN
    assert refused_confirm(said(200, recorded()), said(429, errors(1000429))).state is UNKNOWN
    assert refused_confirm(said(200, recorded()), said(500, errors(1009001))).state is UNKNOWN


def test_after_a_refused_confirm_the_look_up_decides() -> None:
    assert refused_confirm(said(200, recorded(status=status(5, "SUBMITTED")))).state is PENDING
    assert refused_confirm(said(200, recorded(status=status(7, "COMPLETED")))).state is SUCCEEDED
    assert refused_confirm(said(200, recorded(status=status(9, "DECLINED")))).state is FAILED
    assert refused_confirm(said(200, recorded(external_id="ANOTHER"))).state is UNKNOWN
    assert refused_confirm(said(200, recorded(id=1))).state is UNKNOWN
    # Too late to cancel: an earlier confirm was on its way.
    done = said(200, recorded(status=status(7, "COMPLETED")))
    assert refused_confirm(said(200, recorded()), said(400, errors(1007007)), done).state is SUCCEEDED


@pytest.mark.parametrize("number", [1007002, 1007003, 1009001])
def test_a_confirm_that_may_be_at_work_is_no_reason_to_cancel(number: int) -> None:
    left = [said(400, errors(number)), said(200, recorded())]
    outcome = played(lambda _: left.pop(0)).confirm(REF, "2231443567", PLAYED.number)
    assert (outcome.state, outcome.reason, left) == (UNKNOWN, Reason.DUPLICATE_REF, [])


def test_a_confirm_that_was_refused_for_good_is_given_up() -> None:
    left = [said(400, errors(1006001)), said(200, recorded()), said(202, recorded(status=status(4, "CANCELLED")))]
    assert played(lambda _: left.pop(0)).confirm(REF, "2231443567", PLAYED.number).state is VOIDED
    assert left == []


def test_an_accepted_confirm_that_is_shown_as_created_is_on_its_way() -> None:
    outcome = played(lambda _: said(202, recorded())).confirm(REF, "2231443567", PLAYED.number)
    assert (outcome.state, outcome.provider_ref) == (PENDING, "2231443567")


# --- magic numbers of the vendor's own sandbox ------------------------------------------------------------------------


@pytest.mark.parametrize(("digit", "seconds"), [("1", 3), ("2", 20), ("3", 300)])
@pytest.mark.parametrize(
    ("last", "state", "reason"),
    [
        ("0", SUCCEEDED, None),
        ("1", SUCCEEDED, None),
        ("2", FAILED, Reason.INVALID_NUMBER),
        ("3", FAILED, Reason.INELIGIBLE_OR_BARRED),
        ("4", FAILED, Reason.OPERATOR_DOWN),
        ("5", FAILED, Reason.TOO_SOON),
        ("6", FAILED, Reason.REJECTED_OTHER),
        ("7", FAILED, Reason.REJECTED_OTHER),
    ],
)
def test_the_last_three_digits_tell_the_end(
    carrier: Dtone, sandbox: SandboxServer, digit: str, seconds: int, last: str, state: OutcomeState, reason: Reason | None
) -> None:
    request = Request(REF, "6002", ProductKind.PLAN, f"+4915550123{digit}0{last}", EUR, GBP)
    outcome = carrier.submit(request)
    assert (outcome.state, outcome.raw_code) == (PENDING, "CONFIRMED")
    assert found(carrier, request).raw_code == "SUBMITTED"
    assert wallet(carrier) == (499_200, 800)
    vendor_of(sandbox).books.move_clock(seconds + 1)
    ended = found(carrier, request, outcome.provider_ref)
    assert (ended.state, ended.reason) == (state, reason)
    assert wallet(carrier) == ((499_200, 0) if state is SUCCEEDED else (500_000, 0))
    assert isinstance(ended.fulfilment, Voucher) is (last == "1")


# --- vouchers -------------------------------------------------------------------------------------------------------


def test_a_voucher_has_a_code_that_is_told_again_and_never_logged(carrier: Dtone) -> None:
    with capture_logs() as logs:
        outcome = carrier.submit(VOUCHER)
        again = found(carrier, VOUCHER)
    voucher = outcome.fulfilment
    assert outcome.state is SUCCEEDED and isinstance(voucher, Voucher)
    assert voucher.code == pin_code(int(outcome.provider_ref or 0)) and voucher.serial
    assert voucher.instructions.startswith("Dial *104*")
    assert again == outcome
    assert voucher.code not in repr(outcome) and voucher.code not in repr(logs)


def test_a_voucher_without_its_code_is_not_done(carrier: Dtone, sandbox: SandboxServer) -> None:
    request = Request(REF, "6102", ProductKind.PIN, "+4915551123100", Money(1000, "EUR"), Money(860, "GBP"))
    carrier.submit(request)
    vendor_of(sandbox).books.move_clock(4)
    outcome = found(carrier, request)
    assert (outcome.state, outcome.reason) == (PENDING, Reason.BROKEN_ANSWER)
    # The code's rules stand in the record, the code does not.
    kept = recorded(status=status(7, "COMPLETED"), product={"id": 6035, "pin": {"usage_info": ["Dial"]}})
    assert submitted(201, kept).state is PENDING
    # An older record does not tell the kind of its product, but we know what we asked for.
    done = recorded(status=status(7, "COMPLETED"))
    assert submitted(201, done, Request(REF, "6035", ProductKind.PIN, NUMBER, EUR, EUR)).state is PENDING


def test_a_voucher_needs_no_number(carrier: Dtone) -> None:
    request = Request(REF, "6101", ProductKind.PIN, "", Money(500, "EUR"), Money(430, "GBP"))
    outcome = carrier.submit(request)
    assert outcome.state is SUCCEEDED and outcome.echo is not None and outcome.echo.number is None


# --- amounts from a range -------------------------------------------------------------------------------------------


def test_an_amount_from_a_range_is_echoed_with_its_currency(carrier: Dtone, sandbox: SandboxServer) -> None:
    outcome = carrier.submit(AIRTIME)
    assert outcome.state is SUCCEEDED and outcome.echo is not None
    assert (outcome.echo.amount, outcome.echo.product_key, outcome.cost) == (Money(1500, "EUR"), "6006:15", AIRTIME.cost)
    assert found(carrier, AIRTIME) == outcome


@pytest.mark.parametrize("fault", ["wrong_echo", "wrong_currency", "wrong_offering"])
def test_an_answer_about_something_else_shows(carrier: Dtone, sandbox: SandboxServer, fault: str) -> None:
    """The part of the contract's echoes that this vendor can be held to: what it does repeat is not hidden."""
    sandbox.carrier.faults.add(Fault(fault, count=2))
    plan = carrier.submit(PLAN)
    range_ = carrier.submit(Request("S1-20261008-000124", *list(vars(AIRTIME).values())[1:]))
    assert plan.echo is not None and range_.echo is not None
    asked = (PLAN.number, PLAN.product_key, PLAN.cost)
    assert (plan.echo.number, plan.echo.product_key, plan.cost) != asked
    asked_of_range = (AIRTIME.number, AIRTIME.product_key, AIRTIME.face)
    assert (range_.echo.number, range_.echo.product_key, range_.echo.amount) != asked_of_range


def test_an_adjusted_amount_is_what_the_customer_got() -> None:
    values = {"destination": {"unit_type": "CURRENCY", "unit": "EUR", "amount": 15}}
    adjusted = {"destination": {"unit_type": "CURRENCY", "unit": "EUR", "amount": 14.5}}
    outcome = submitted(201, recorded(status=status(7, "COMPLETED"), requested_values=values, adjusted_values=adjusted))
    assert outcome.echo is not None and outcome.echo.amount == Money(1450, "EUR")


# --- the catalogue --------------------------------------------------------------------------------------------------


def catalogue(carrier: Dtone) -> dict[str, Product]:
    told = list(carrier.list_products())
    assert len({product.key for product in told}) == len(told)
    return {product.key: product for product in told}


def test_the_catalogue_of_a_country(carrier: Dtone, sandbox: SandboxServer) -> None:
    told = catalogue(carrier)
    ranged = {f"6006:{euros}" for euros in (5, 10, 20, 30, 50)}
    fixed = {"6001", "6002", "6003", "6004", "6005", "6007", "6101", "6102", "6103", "6105"}
    assert set(told) == fixed | ranged, "not Spain's, not the eSIM, and nothing that is sold by price alone"
    plan = told["6003"]
    assert (plan.kind, plan.fulfilment, plan.valid_days) == (ProductKind.PLAN, Fulfilment.DIRECT, 28)
    assert (plan.data_megabytes, plan.minutes, plan.texts) == (20 * 1024, -1, 100)
    assert (plan.line, plan.operator, plan.country, plan.sellable) == ("Lyca Germany", "1580", "DE", True)
    assert (plan.face, plan.cost) == (Money(1499, "EUR"), Money(1195, "GBP"))
    assert (told["6004"].valid_days, told["6004"].data_megabytes) == (30, -1)
    assert (told["6005"].kind, told["6005"].valid_days) == (ProductKind.DATA, 1)
    assert told["6002"].cost == Money(800, "GBP"), "with the fee"
    assert not told["6007"].sellable, "nobody at a counter knows the sender that the vendor wants to know"
    pin = told["6102"]
    assert (pin.kind, pin.fulfilment, pin.valid_days, pin.face) == (ProductKind.PIN, Fulfilment.PIN, 365, Money(1000, "EUR"))
    assert pin.redeem is not None and "*104*" in pin.redeem
    assert vendor_of(sandbox).books.requests["GET /v1/products"] == 3, "twelve of Germany, five at a time"


def test_a_range_is_offered_in_the_shops_amounts(sandbox: SandboxServer) -> None:
    told = catalogue(opened(sandbox, amounts=[4, 5, 7, 15, 50, 55]))
    range_ = {key: product for key, product in told.items() if key.startswith("6006")}
    assert set(range_) == {"6006:5", "6006:15", "6006:50"}, "within 5 to 50, in steps of 5"
    product = range_["6006:15"]
    assert (product.face, product.cost, product.kind) == (Money(1500, "EUR"), Money(1275, "GBP"), ProductKind.TOPUP)
    assert product.name == "Lyca Germany airtime 15.00 EUR"
    assert {len(p.key) <= 80 and len(p.name) <= 120 for p in told.values()} == {True}


def test_the_catalogue_is_narrowed_by_operator_and_country(sandbox: SandboxServer) -> None:
    assert {p.operator for p in opened(sandbox, operators=["1581"]).list_products()} == {"1581"}
    assert {p.country for p in opened(sandbox, countries=["ES"]).list_products()} == {"ES"}
    assert list(opened(sandbox, operators=["1590"]).list_products()) == [], "an operator of a country that is not sold"


def test_every_question_for_products_is_narrowed() -> None:
    by_country = sent_by(lambda carrier: list(carrier.list_products()), countries=("DE", "ES"))
    assert [parse_qs(asked.url.query.decode())["country_iso_code"] for asked in by_country] == [["DEU"], ["ESP"]]
    by_operator = sent_by(lambda carrier: list(carrier.list_products()), operators=("1580", "1581"), page_size=1000)
    assert [parse_qs(asked.url.query.decode()) for asked in by_operator] == [
        {"service_id": ["1"], "operator_id": [key], "page": ["1"], "per_page": ["100"]} for key in ("1580", "1581")
    ]


ENTRY: dict[str, Any] = {
    "id": 6035,
    "name": "Example DE 30 days",
    "description": "10 GB, 30 days",
    "tags": ["AIRTIME"],
    "service": {"id": 1, "name": "Mobile", "subservice": {"id": 12, "name": "Bundle"}},
    "operator": {"id": 1580, "name": "Example Germany", "country": {"name": "Germany", "iso_code": "DEU", "regions": None}},
    "regions": None,
    "type": "FIXED_VALUE_RECHARGE",
    "validity": {"unit": "DAY", "quantity": 30},
    "required_credit_party_identifier_fields": [["mobile_number"]],
    "required_sender_fields": None,
    "source": {"unit_type": "CURRENCY", "unit": "EUR", "amount": 9.5},
    "destination": {"unit_type": "CURRENCY", "unit": "EUR", "amount": 9.99},
    "prices": {"wholesale": {"unit_type": "CURRENCY", "unit": "EUR", "amount": 9.5, "fee": 0}, "retail": None},
    "rates": {"base": 1, "wholesale": 1, "retail": 1},
    "benefits": None,
    "promotions": None,
}


def told_by(*entries: object, **settings: Any) -> list[Product]:
    return list(played(lambda _: said(200, list(entries), X_Total=str(len(entries))), **settings).list_products())


def test_the_recorded_product() -> None:
    (product,) = told_by(ENTRY)
    assert (product.key, product.face, product.cost) == ("6035", EUR, Money(950, "EUR"))
    assert (product.valid_days, product.country, product.data_megabytes) == (30, "DE", None)


@pytest.mark.parametrize(
    ("change", "sellable"),
    [
        ({"required_credit_party_identifier_fields": [["mobile_number"], ["account_number"]]}, True),
        ({"required_credit_party_identifier_fields": None}, True),
        ({"required_credit_party_identifier_fields": []}, True),
        ({"required_sender_fields": []}, True),
        ({"required_credit_party_identifier_fields": [["account_number"]]}, False),
        ({"required_credit_party_identifier_fields": [["mobile_number", "account_qualifier"]]}, False),
        ({"required_beneficiary_fields": [["last_name"]]}, False),
        ({"required_additional_identifier_fields": [["purchaser_id"]]}, False),
        ({"required_debit_party_identifier_fields": [["mobile_number"]]}, False),
        ({"required_statement_identifier_fields": [["reference"]]}, False),
    ],
)
def test_only_what_a_counter_can_fill_in_is_sold(change: dict[str, object], sellable: bool) -> None:
    (product,) = told_by(ENTRY | change)
    assert product.sellable is sellable


@pytest.mark.parametrize(
    "change",
    [
        {"service": {"id": 4, "name": "Gift Cards", "subservice": None}},
        {"type": "RANGED_VALUE_PAYMENT"},
        {"type": "SOMETHING_OF_TOMORROW"},
        {"prices": {"wholesale": {"unit_type": "CURRENCY", "unit": "USD", "amount": 9.5, "fee": 0}, "retail": None}},
        {"destination": {"unit_type": "CURRENCY", "unit": "EUR", "amount": "much"}},
        {"required_sender_fields": "everything"},
        {"operator": {"id": 1, "name": "World", "country": {"iso_code": "GXX"}}},
    ],
)
def test_what_cannot_be_sold_or_read_keeps_nobody_from_the_rest(change: dict[str, object]) -> None:
    other = ENTRY | {"id": 6036}
    assert [product.key for product in told_by(ENTRY | change, other)] == ["6036"]


def test_a_price_finer_than_pennies_costs_the_next_penny() -> None:
    wholesale = {"unit_type": "CURRENCY", "unit": "EUR", "amount": 9.501, "fee": 0.002}
    (product,) = told_by(ENTRY | {"prices": {"wholesale": wholesale, "retail": None}})
    done = submitted(201, recorded(status=status(7, "COMPLETED"), prices={"wholesale": wholesale, "retail": None}))
    assert product.cost == done.cost == Money(951, "EUR"), "the same in the catalogue and in the answer"


@pytest.mark.parametrize(
    "pages",
    [
        [said(200, [ENTRY], X_Total="2"), said(200, [ENTRY], X_Total="2")],
        [said(200, [ENTRY], X_Total="2"), said(200, [], X_Total="2")],
        [said(200, [ENTRY], X_Total="2"), said(500, errors(1009001))],
        [said(200, {"errors": []})],
        [said(206, [ENTRY])],
    ],
)
def test_half_a_catalogue_is_none(pages: list[Answer]) -> None:
    left = list(pages)
    with pytest.raises(CarrierUnavailable):
        list(played(lambda _: left.pop(0)).list_products())
    assert left == []


# --- numbers --------------------------------------------------------------------------------------------------------


def test_a_number_leads_to_its_operator_and_those_it_may_have_gone_to(carrier: Dtone) -> None:
    first, second = carrier.lookup_number(NUMBER)
    assert (first.key, first.name, first.country, first.confident) == ("1580", "Lyca Germany", "DE", True)
    assert (second.key, second.confident) == ("1581", False)
    assert carrier.lookup_number("+33612345678") == []


# --- asking again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_404", [False, True])
def test_an_unknown_reference_is_absent_either_way(carrier: Dtone, sandbox: SandboxServer, as_404: bool) -> None:
    vendor_of(sandbox).switches["unknown_is_404"] = as_404
    assert carrier.find(REF, None, NUMBER, NOW).state is FindState.ABSENT


def test_a_transaction_that_we_know_and_that_is_gone_is_not_absent(carrier: Dtone) -> None:
    with capture_logs() as logs:
        assert carrier.find(REF, "2231443999", NUMBER, NOW).state is FindState.CANNOT_TELL
    assert "carrier lost a transaction" in {line["event"] for line in logs}


def test_by_the_vendors_id_only_ours_is_found(carrier: Dtone) -> None:
    key = carrier.submit(PLAN).provider_ref
    assert carrier.find("S1-20261008-000999", key, NUMBER, NOW).state is FindState.CANNOT_TELL


@pytest.mark.parametrize("code", [403, 404, 500])
def test_a_page_of_something_in_between_is_not_absent(code: int) -> None:
    assert played(lambda _: said(code, "<html>")).find(REF, None, NUMBER, NOW).state is FindState.CANNOT_TELL
    assert played(lambda _: said(code, errors(1000404))).find(REF, None, NUMBER, NOW).state is FindState.CANNOT_TELL


def test_a_vendor_that_ignores_our_filter_tells_nothing() -> None:
    others = [
        recorded(id=1, external_id=REF + "4"),
        recorded(id=2, external_id=REF[:-1]),
        recorded(id=3, external_id=REF.lower()),
    ]
    assert played(lambda _: said(200, others)).find(REF, None, NUMBER, NOW).state is FindState.CANNOT_TELL


def test_two_that_were_delivered_are_told_over_all_pages(carrier: Dtone, sandbox: SandboxServer) -> None:
    vendor_of(sandbox).books.enforce_unique_refs = False
    for _ in range(2):
        carrier.submit(PLAN)
    finding = opened(sandbox, page_size=1).find(REF, None, NUMBER, NOW)
    assert (finding.state, finding.doubled) == (FindState.FOUND, True)


# --- the dealer's books ---------------------------------------------------------------------------------------------


def test_a_statement_of_days_is_asked_for_a_day_at_a_time(carrier: Dtone, sandbox: SandboxServer) -> None:
    books = vendor_of(sandbox).books
    start = sandbox.carrier.clock.now()
    for turn in range(7):
        carrier.submit(Request(f"S1-{turn}", "6001", ProductKind.PLAN, NUMBER, EUR, GBP))
        books.move_clock(9 * 3600)
    carrier.hold(Request("S1-HELD", "6001", ProductKind.PLAN, NUMBER, EUR, GBP))
    carrier.submit(Request("S1-NO", "6001", ProductKind.PLAN, "+33612345678", EUR, GBP))
    books.reverse(books.transactions()[2].id)
    lines = list(carrier.statement(start, sandbox.carrier.clock.now()))
    assert [line.ref for line in lines] == ["S1-0", "S1-1", "S1-2", "S1-2", "S1-3", "S1-4", "S1-5", "S1-6"]
    assert [line.state for line in lines[2:4]] == [SUCCEEDED, OutcomeState.REVERSED]
    assert lines[2].provider_ref == lines[3].provider_ref
    assert {(line.number, line.product_key, line.cost) for line in lines} == {(NUMBER, "6001", Money(460, "GBP"))}
    assert len(lines) == len(books.movements())
    assert books.requests["GET /v1/transactions"] == 3


def test_a_statement_ends_before_its_end_and_no_line_comes_twice() -> None:
    at_noon = recorded(status=status(7, "COMPLETED"), creation_date="2026-10-08T12:00:00.000000000Z")
    carrier = played(lambda _: said(200, [at_noon], X_Total="1"))
    days = timedelta(days=1)
    assert len(list(carrier.statement(NOW - days, NOW + days))) == 1
    assert list(carrier.statement(NOW - days, NOW)) == []


@pytest.mark.parametrize("change", [{"prices": None}, {"creation_date": "yesterday"}, {"id": None}, {"status": []}])
def test_a_statement_with_a_line_that_cannot_be_read_is_none(change: dict[str, object]) -> None:
    record = recorded(status=status(7, "COMPLETED")) | change
    with pytest.raises(CarrierUnavailable):
        list(played(lambda _: said(200, [record])).statement(datetime(2026, 10, 8, tzinfo=UTC), NOW))


def test_nothing_lets_a_missing_line_count_as_never_received() -> None:
    # The history leaves out what is under way, and that may be delivered after all.
    with pytest.raises(CarrierMisconfigured, match="statement_complete_after_seconds: .*leave it out"):
        checked(DtoneKeys, "dtone", SETTINGS | {"statement_complete_after_seconds": 60})
    assert played(lambda _: said(200, [])).declaration().statement_complete_after is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"api_key": "with:colon"}, "api_key"),
        ({"api_key": ""}, "api_key"),
        ({"callback_url": "http://pos.shop.example/hooks"}, "callback_url"),
        ({"callback_url": "https://pos.shop.example/hooks?x=1"}, "callback_url"),
        ({"countries": []}, "countries"),
        ({"countries": ["DEU"]}, "countries.0"),
        ({"currency": "pounds"}, "currency"),
        ({"currencies": ["GBP"]}, "currencies"),
    ],
)
def test_a_wrong_key_is_named_and_no_secret_told(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(CarrierMisconfigured, match=f"carrier dtone: {named}: ") as fault:
        checked(DtoneKeys, "dtone", SETTINGS | {"api_secret": "tell-nobody"} | wrong)
    assert "tell-nobody" not in str(fault.value)


def test_what_is_declared() -> None:
    declared = played(lambda _: said(200, [])).declaration()
    assert declared.settle_window == timedelta(seconds=60) and declared.enforces_unique_refs
    assert {Capability.HOLD, Capability.VOID, Capability.WALLET} <= declared.capabilities
    assert Capability.SUBSCRIPTION not in declared.capabilities


def test_a_wallet_of_another_currency_is_left_alone() -> None:
    told = [{"id": 1, "unit_type": "CURRENCY", "unit": unit, "available": 10.009, "holding": 5, "credit_limit": 0}
            for unit in ("EUR", "USD")]  # fmt: skip
    for index, entry in enumerate(told):
        entry["id"] = index
    (balance,) = played(lambda _: said(200, told)).wallet()
    assert (balance.available, balance.held) == (Money(1000, "EUR"), Money(500, "EUR"))


# --- notifications --------------------------------------------------------------------------------------------------


class Heard(HTTPServer):
    """A listener that is deaf at first: it answers 500 to the first call."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Ear)


class _Ear(BaseHTTPRequestHandler):
    server: Heard

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(500 if len(self.server.bodies) == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_vendor_calls_when_it_is_done_and_is_only_a_reason_to_look(sandbox: SandboxServer) -> None:
    with Heard() as ear:
        thread = threading.Thread(target=ear.serve_forever)
        thread.start()
        carrier = opened(sandbox, callback_url=f"http://127.0.0.1:{ear.server_port}/hooks/dtone/9f2c")
        key = carrier.submit(PLAN).provider_ref
        vendor_of(sandbox).callbacks.wait()
        ear.shutdown()
        thread.join()
    assert [heard for _, heard in vendor_of(sandbox).callbacks.sent] == [500, 200], "told again until it is heard"
    hint = carrier.parse_notification({}, ear.bodies[-1])
    assert (hint.ref, hint.provider_ref, hint.authenticated) == (REF, key, False)


# --- the door's own strictness, asked without the adapter -----------------------------------------------------------

GOOD: dict[str, Any] = {
    "external_id": REF,
    "product_id": 6002,
    "auto_confirm": True,
    "credit_party_identifier": {"mobile_number": NUMBER},
}
RANGE = GOOD | {
    "product_id": 6006,
    "calculation_mode": "DESTINATION_AMOUNT",
    "destination": {"unit_type": "CURRENCY", "unit": "EUR", "amount": 15},
}


def knock(sandbox: SandboxServer, method: str, path: str, body: object = None) -> Answer:
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    return httpx2.request(
        method, f"{sandbox.url}/dtone/v1{path}", content=content, auth=("demo", "demo-secret"), trust_env=False
    )  # fmt: skip


def code_of(answer: Answer) -> tuple[int, int]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in body.items() if member != name}


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"{", (400, 1000400)),
        (b"[]", (400, 1000400)),
        (b'{"external_id":"A","external_id":"B"}', (400, 1000400)),
        (without(GOOD, "external_id"), (400, 1000400)),
        (GOOD | {"external_id": "x" * 41}, (400, 1000400)),
        (GOOD | {"external_id": " "}, (400, 1000400)),
        (GOOD | {"external_id": 5}, (400, 1000400)),
        (without(GOOD, "product_id"), (400, 1000400)),
        (GOOD | {"product_id": "6002"}, (400, 1000400)),
        (GOOD | {"product_id": 999}, (404, 1003001)),
        (GOOD | {"auto_confirm": "yes"}, (400, 1000400)),
        (GOOD | {"unheard_of": 1}, (400, 1000400)),
        (GOOD | {"callback_url": "ftp://x"}, (400, 1000400)),
        (without(GOOD, "credit_party_identifier"), (400, 1000400)),
        (GOOD | {"credit_party_identifier": {}}, (400, 1000400)),
        (GOOD | {"credit_party_identifier": {"number": NUMBER}}, (400, 1000400)),
        (GOOD | {"credit_party_identifier": {"account_number": "89"}}, (400, 1000400)),
        (GOOD | {"credit_party_identifier": {"mobile_number": "015550123456"}}, (400, 1005003)),
        (GOOD | {"destination": RANGE["destination"]}, (400, 1000400)),
        (GOOD | {"product_id": 6007}, (400, 1000400)),
        (GOOD | {"product_id": 6006}, (400, 1000400)),
        (RANGE | {"calculation_mode": "BY_GUESS"}, (400, 1000400)),
        (RANGE | {"source": RANGE["destination"]}, (400, 1000400)),
        (RANGE | {"destination": RANGE["destination"] | {"amount": 55}}, (400, 1003002)),
        (RANGE | {"destination": RANGE["destination"] | {"amount": 12}}, (400, 1003002)),
        (RANGE | {"destination": RANGE["destination"] | {"unit": "USD"}}, (400, 1003003)),
        (RANGE | {"destination": RANGE["destination"] | {"amount": "15"}}, (400, 1000400)),
    ],
)
def test_the_door_reads_every_member(sandbox: SandboxServer, body: object, refusal: tuple[int, int]) -> None:
    assert code_of(knock(sandbox, "POST", "/async/transactions", body)) == refusal
    assert vendor_of(sandbox).books.transactions() == []


def test_the_door_takes_what_is_right_and_hides_what_was_only_written(sandbox: SandboxServer) -> None:
    answer = knock(sandbox, "POST", "/async/transactions", RANGE | {"metadata": {"till": "2"}})
    assert answer.status_code == 201
    assert {"product_id", "destination", "source", "auto_confirm", "calculation_mode", "metadata"} & set(answer.json()) == set()
    assert answer.json()["requested_values"]["destination"]["amount"] == 15
    named = {"last_name": "A", "first_name": "B", "nationality_country_iso_code": "DEU"}
    body = GOOD | {"product_id": 6007, "external_id": "S1-2", "sender": named}
    assert knock(sandbox, "POST", "/sync/transactions", body).status_code == 201
    assert code_of(knock(sandbox, "POST", "/sync/transactions", body | {"callback_url": "http://x"})) == (400, 1000400)


def test_the_door_by_price(sandbox: SandboxServer) -> None:
    source = {"unit_type": "CURRENCY", "unit": "GBP", "amount": 8.6}
    body = {"external_id": REF, "product_id": 6104, "auto_confirm": True, "calculation_mode": "SOURCE_AMOUNT", "source": source}
    answer = knock(sandbox, "POST", "/async/transactions", body)
    assert (answer.status_code, answer.json()["prices"]["wholesale"]["amount"]) == (201, 8.6)


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "/nowhere", (404, 1000404)),
        ("DELETE", "/products", (404, 1000404)),
        ("GET", "/products/1", (404, 1003001)),
        ("GET", "/products?colour=red", (400, 1000400)),
        ("GET", "/products?subservice_id=12", (400, 1000400)),
        ("GET", "/products?per_page=101", (400, 1000400)),
        ("GET", "/products?page=0", (400, 1000400)),
        ("GET", "/transactions/77", (404, 1008004)),
        ("POST", "/async/transactions/77/confirm", (404, 1008004)),
        ("POST", "/transactions/77/cancel", (404, 1008004)),
        ("GET", "/transactions?from_date=2026-10-01T00:00:00Z&to_date=2026-10-02T00:00:01Z", (400, 1000400)),
        ("GET", "/transactions?from_date=2026-10-01", (400, 1000400)),
    ],
)
def test_the_door_refuses_with_the_vendors_numbers(
    sandbox: SandboxServer, method: str, path: str, refusal: tuple[int, int]
) -> None:
    assert code_of(knock(sandbox, method, path)) == refusal


def test_the_door_tells_of_sims_only_what_esims_tell(sandbox: SandboxServer) -> None:
    mobile = {"service_id": 1, "credit_party_identifier": {"mobile_number": NUMBER}}
    esim = {"service_id": 13, "credit_party_identifier": {"account_number": "8944100077009001239"}}
    for what in ("benefits", "status"):
        assert code_of(knock(sandbox, "POST", f"/lookup/credit-party-{what}", mobile)) == (400, 1007500)
        assert knock(sandbox, "POST", f"/lookup/credit-party-{what}", esim).status_code == 200


def test_the_doors_pages_are_counted_in_headers(sandbox: SandboxServer) -> None:
    answer = knock(sandbox, "GET", "/products?country_iso_code=DEU&page=2&per_page=5")
    told = {
        name: answer.headers.get(f"x-{name}") for name in ("total", "total-pages", "per-page", "page", "next-page", "prev-page")
    }
    assert told == {"total": "12", "total-pages": "3", "per-page": "5", "page": "2", "next-page": "3", "prev-page": "1"}
    assert len(answer.json()) == 5
    assert httpx2.get(f"{sandbox.url}/dtone/v1/products", trust_env=False).status_code == 401


def test_the_doors_lookup_by_address_is_still_there(sandbox: SandboxServer) -> None:
    assert [found["identified"] for found in knock(sandbox, "GET", f"/lookup/mobile-number/{NUMBER}").json()] == [True, False]
    assert len(knock(sandbox, "GET", "/operators?country_iso_code=DEU").json()) == 2
