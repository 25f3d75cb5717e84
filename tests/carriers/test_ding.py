"""The oddities of DingConnect: a status that means nothing, a guard that lets twins pass, a list without dates, codes in receipts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from pos.carriers.ding import Ding, DingKeys
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
LYCA, LEBARA, DUTCH = "+33639980123", "+33639990123", "+31655500123"
SETTINGS: dict[str, Any] = {
    "base_url": "https://reseller.example/api/V1",
    "auth": {"kind": "api_key", "key": "our-key"},
    "currency": "EUR",
    "countries": ("GB",),
    "deadline_seconds": 5,
}
Handler = Callable[[httpx2.Request], httpx2.Response]


# --- over real HTTP, against the door ---------------------------------------------------------------------------------


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def vendor(sandbox: SandboxServer) -> Vendor:
    return sandbox.carrier.vendors["ding"]


@pytest.fixture
def carrier(sandbox: SandboxServer) -> Carrier:
    return open_carrier("ding", sandbox.url)


def product(carrier: Carrier, key: str) -> Product:
    return {each.key: each for each in carrier.list_products()}[key]


def request_for(carrier: Carrier, key: str, number: str = LYCA, ref: str = REF) -> Request:
    """An order as the counter makes it from the price list."""
    sold = product(carrier, key)
    return Request(ref, key, sold.kind, number, sold.face, sold.cost)


def ask(carrier: Carrier, ref: str = REF, provider_ref: str | None = None) -> Finding:
    return carrier.find(ref, provider_ref, LYCA, datetime.now(UTC))


def found(carrier: Carrier, ref: str = REF) -> Outcome:
    finding = ask(carrier, ref)
    assert finding.state is FindState.FOUND and finding.outcome is not None and not finding.doubled
    return finding.outcome


# The guard, and what is done without one


def test_the_guard_is_off_and_a_second_payment_would_be_taken(carrier: Carrier, vendor: Vendor) -> None:
    assert not carrier.declaration().enforces_unique_refs
    request = DOORS["ding"].request(REF)
    assert [carrier.submit(request).state for _ in range(2)] == [OutcomeState.SUCCEEDED] * 2
    assert len(vendor.books.debits()) == 2, "that is why nothing of ours may ever send a reference again by itself"
    assert ask(carrier).doubled


@pytest.mark.parametrize(
    "fault", ["lost_after_commit", "error_500_after", "html_502", "cut_answer", "empty_200", "unknown_code", "lost_before_commit"]
)
def test_whatever_happens_to_an_order_it_was_posted_once(
    sandbox: SandboxServer, carrier: Carrier, vendor: Vendor, fault: str
) -> None:
    sandbox.carrier.faults.add(Fault(fault, count=1))
    assert carrier.submit(DOORS["ding"].request(REF)).state is OutcomeState.UNKNOWN
    for _ in range(3):
        ask(carrier)
    assert vendor.books.submits_by_ref == {REF: 1}
    assert len(vendor.books.debits()) <= 1


def test_with_the_guard_on_a_used_reference_is_looked_up_and_never_failed(carrier: Carrier, vendor: Vendor) -> None:
    vendor.books.enforce_unique_refs = True
    request = DOORS["ding"].request(REF)
    carrier.submit(request)
    again = carrier.submit(request)
    assert (again.state, again.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)
    assert again.raw_code == "DuplicateTransactionPrevented"
    assert found(carrier).state is OutcomeState.SUCCEEDED


def test_twins_far_down_the_list_are_found(carrier: Carrier, vendor: Vendor) -> None:
    for turn in range(12):
        carrier.submit(DOORS["ding"].request(REF))
        carrier.submit(DOORS["ding"].request(f"{REF}-{turn}"))
    before = vendor.books.requests["POST /api/V1/ListTransferRecords"]
    finding = ask(carrier)
    assert finding.doubled
    assert vendor.books.requests["POST /api/V1/ListTransferRecords"] == before + 2, "twelve twins, ten a page"


# What is sent


def test_the_door_knows_every_member_that_is_sent(carrier: Carrier, vendor: Vendor) -> None:
    request = request_for(carrier, "LMFR-TOP:10")
    carrier.validate(request)
    carrier.submit(request)
    ask(carrier, provider_ref="1")
    ask(carrier, "NOT-THERE", "900000001")
    carrier.lookup_number(LYCA)
    carrier.wallet()
    list(carrier.statement(datetime.now(UTC) - timedelta(days=1), datetime.now(UTC)))
    assert [name for name in vendor.books.requests if name.startswith("ignored")] == []


def test_an_api_key_signs_in_without_a_token(sandbox: SandboxServer, vendor: Vendor) -> None:
    carrier = open_carrier("ding", sandbox.url, auth={"kind": "api_key", "key": "demo-secret"})
    assert carrier.submit(DOORS["ding"].request(REF)).state is OutcomeState.SUCCEEDED
    assert vendor.books.requests["POST /connect/token"] == 0


def test_a_wrong_api_key_leaves_the_order_unsent(sandbox: SandboxServer, vendor: Vendor) -> None:
    carrier = open_carrier("ding", sandbox.url, auth={"kind": "api_key", "key": "not this"})
    outcome = carrier.submit(DOORS["ding"].request(REF))
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.AUTH)
    assert vendor.books.submits_by_ref == {}


@pytest.mark.parametrize("number", ["", "33639980123", "8944100077009001239", "+33 639980123"])
def test_what_is_no_phone_number_is_never_sent(carrier: Carrier, vendor: Vendor, number: str) -> None:
    outcome = carrier.submit(DOORS["ding"].request(REF, number=number or " "))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_NUMBER)
    assert vendor.books.submits_by_ref == {}


@pytest.mark.parametrize("fault", ["html_502", "lost_before_commit", "broken_json", "error_500", "forbidden", "rate_limit"])
def test_a_price_that_cannot_be_read_leaves_the_order_unsent(
    sandbox: SandboxServer, carrier: Carrier, vendor: Vendor, fault: str
) -> None:
    sandbox.carrier.faults.add(Fault(fault, "read", 1))
    assert carrier.submit(DOORS["ding"].request(REF)).state is OutcomeState.NOT_SENT
    assert vendor.books.submits_by_ref == {}
    assert carrier.submit(DOORS["ding"].request(REF)).state is OutcomeState.SUCCEEDED


def test_another_price_than_the_price_lists_is_refused_before_it_is_sent(carrier: Carrier, vendor: Vendor) -> None:
    request = DOORS["ding"].request(REF)
    for other in (replace(request, cost=Money(1600, "GBP")), replace(request, face=Money(2100, "EUR"))):
        outcome = carrier.submit(other)
        assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_AMOUNT)
    assert vendor.books.submits_by_ref == {}


def test_a_product_that_is_gone_is_refused_before_it_is_sent(carrier: Carrier, vendor: Vendor) -> None:
    vendor.switches["withdrawn"] = ("LMFR-B40",)
    outcome = carrier.submit(DOORS["ding"].request(REF))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.PRODUCT_UNAVAILABLE)
    assert vendor.books.submits_by_ref == {}


# Magic numbers of their tests (UatNumber and a suffix)


@pytest.mark.parametrize(
    ("suffix", "state", "reason", "raw_code"),
    [
        ("001", OutcomeState.NOT_SENT, Reason.RATE_LIMITED, "RateLimited"),
        ("002", OutcomeState.FAILED, Reason.OPERATOR_DOWN, "TransientProviderError:ProviderTimedOut"),
        ("003", OutcomeState.FAILED, Reason.OPERATOR_DOWN, "TransientProviderError:ProviderRefusedRequest"),
        ("004", OutcomeState.FAILED, Reason.PRODUCT_UNAVAILABLE, "ProviderError:ProductUnavailable"),
        ("005", OutcomeState.FAILED, Reason.INVALID_NUMBER, "AccountNumberInvalid:ProviderRefusedRequest"),
        ("007", OutcomeState.FAILED, Reason.WALLET_EMPTY, "InsufficientBalance"),
        ("008", OutcomeState.FAILED, Reason.INVALID_NUMBER, "AccountNumberInvalid:AccountNumberFailedRegex"),
        ("009", OutcomeState.FAILED, Reason.INELIGIBLE_OR_BARRED, "ProviderError:RechargeNotAllowed"),
        ("123", OutcomeState.SUCCEEDED, None, "Complete"),
    ],
)
def test_the_numbers_of_their_tests(
    carrier: Carrier, vendor: Vendor, suffix: str, state: OutcomeState, reason: Reason | None, raw_code: str
) -> None:
    outcome = carrier.submit(DOORS["ding"].request(REF, number=f"+33639980{suffix}"))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (state, reason, raw_code)
    assert len(vendor.books.debits()) == (1 if state is OutcomeState.SUCCEEDED else 0)


def test_silence_of_the_operator_is_read_once_more_before_it_counts_as_failed(carrier: Carrier, vendor: Vendor) -> None:
    request = DOORS["ding"].request(REF, number="+33639980002")
    before = vendor.books.requests["POST /api/V1/ListTransferRecords"]
    assert carrier.submit(request).state is OutcomeState.FAILED
    assert vendor.books.requests["POST /api/V1/ListTransferRecords"] == before + 1


@pytest.mark.parametrize("fault", ["html_502", "lost_before_commit", "empty_200"])
def test_silence_of_the_operator_that_cannot_be_confirmed_is_unknown(
    sandbox: SandboxServer, carrier: Carrier, fault: str
) -> None:
    sandbox.carrier.faults.add(Fault(fault, "find", 1))
    outcome = carrier.submit(DOORS["ding"].request(REF, number="+33639980002"))
    assert (outcome.state, outcome.reason) == (OutcomeState.UNKNOWN, Reason.OPERATOR_DOWN)
    assert found(carrier).state is OutcomeState.FAILED


def test_an_operator_may_keep_silent_for_ninety_seconds(carrier: Carrier, vendor: Vendor) -> None:
    assert carrier.submit(DOORS["ding"].request(REF, number="+33639980012")).state is OutcomeState.PENDING
    vendor.books.move_clock(89)
    assert found(carrier).state is OutcomeState.PENDING
    vendor.books.move_clock(2)
    assert (found(carrier).state, found(carrier).reason) == (OutcomeState.FAILED, Reason.OPERATOR_DOWN)


# Batch products


@pytest.mark.parametrize(
    ("number", "first", "last"),
    [
        (LEBARA, OutcomeState.SUCCEEDED, OutcomeState.SUCCEEDED),
        ("+33639990010", OutcomeState.FAILED, OutcomeState.FAILED),
        ("+33639990011", OutcomeState.SUCCEEDED, OutcomeState.REVERSED),
    ],
)
def test_a_batch_product_ends_later(
    carrier: Carrier, vendor: Vendor, number: str, first: OutcomeState, last: OutcomeState
) -> None:
    outcome = carrier.submit(request_for(carrier, "LBFR-B20", number))
    assert (outcome.state, outcome.raw_code) == (OutcomeState.PENDING, "Submitted")
    vendor.books.move_clock(21)
    assert found(carrier).state is first
    vendor.books.move_clock(61)
    assert found(carrier).state is last
    assert found(carrier).provider_ref == outcome.provider_ref


def test_what_was_taken_back_has_two_lines_and_what_failed_has_none(carrier: Carrier, vendor: Vendor) -> None:
    since = vendor.books.clock.now() - timedelta(seconds=1)
    for turn, number in enumerate((LEBARA, "+33639990010", "+33639990011")):
        carrier.submit(request_for(carrier, "LBFR-B20", number, f"{REF}-{turn}"))
    vendor.books.move_clock(90)
    lines = list(carrier.statement(since, vendor.books.clock.now()))
    told = sorted((line.ref, line.state.value, line.cost) for line in lines)
    cost = product(carrier, "LBFR-B20").cost
    assert told == [
        (f"{REF}-0", "succeeded", cost),
        (f"{REF}-2", "reversed", cost),
        (f"{REF}-2", "succeeded", cost),
    ]


# Vouchers


def test_a_voucher_brings_its_code_again_and_hides_it(carrier: Carrier, vendor: Vendor) -> None:
    with capture_logs() as logs:
        outcome = carrier.submit(request_for(carrier, "LBNL-P10", DUTCH))
        assert found(carrier) == outcome
    voucher = outcome.fulfilment
    assert isinstance(voucher, Voucher)
    assert len(voucher.code) == 12 and voucher.serial == outcome.provider_ref
    spaced = f"{voucher.code[:4]} {voucher.code[4:8]} {voucher.code[8:]}"
    assert voucher.instructions.startswith(f"PIN: {spaced}\n"), "printed word by word, so it is as secret as the code"
    for shown in (repr(outcome), repr(logs)):
        assert voucher.code not in shown and spaced not in shown


def test_a_code_that_stands_in_the_text_alone_is_the_text(sandbox: SandboxServer, carrier: Carrier, vendor: Vendor) -> None:
    vendor.switches["pin_only_in_text"] = True
    outcome = carrier.submit(request_for(carrier, "LBNL-P20", DUTCH))
    assert isinstance(outcome.fulfilment, Voucher)
    assert outcome.fulfilment.code == outcome.fulfilment.instructions
    # Another process knows nothing of the product yet, and must not call the sale done without its code.
    other = open_carrier("ding", sandbox.url)
    sandbox.carrier.faults.add(Fault("html_502", "read", 1))
    assert ask(other).state is FindState.CANNOT_TELL
    assert found(other) == outcome


def test_what_is_delivered_to_the_sim_brings_no_voucher(carrier: Carrier) -> None:
    assert carrier.submit(DOORS["ding"].request(REF)).fulfilment is None


# Ranges


def test_an_amount_of_a_range_is_sent_and_repeated(sandbox: SandboxServer, carrier: Carrier, vendor: Vendor) -> None:
    request = request_for(carrier, "LMFR-TOP:20")
    outcome = carrier.submit(request)
    assert outcome.state is OutcomeState.SUCCEEDED
    assert outcome.echo == Echo(LYCA, "LMFR-TOP:20", request.face)
    (debit,) = vendor.books.debits()
    assert Money(debit.amount_minor, debit.currency) == request.cost
    other = open_carrier("ding", sandbox.url)
    assert found(other) == outcome, "also in a process that has not read the catalogue"


@pytest.mark.parametrize("key", ["LMFR-TOP", "LMFR-B40:20", "LMFR-TOP:", "LMFR-TOP:ten", "LMFR-TOP:1e1", "NO-SUCH:10"])
def test_a_key_that_names_no_amount_of_a_range_is_never_sent(carrier: Carrier, vendor: Vendor, key: str) -> None:
    outcome = carrier.submit(replace(DOORS["ding"].request(REF), product_key=key))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.PRODUCT_UNAVAILABLE)
    assert vendor.books.submits_by_ref == {}


def test_an_amount_beyond_the_range_is_refused(carrier: Carrier, vendor: Vendor) -> None:
    outcome = carrier.submit(replace(request_for(carrier, "LMFR-TOP:20"), product_key="LMFR-TOP:99"))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (
        OutcomeState.FAILED,
        Reason.INVALID_AMOUNT,
        "ParameterOutOfRange:SendValue",
    )
    assert vendor.books.debits() == []


# The dry run


def test_a_dry_run_says_yes_and_orders_nothing(carrier: Carrier, vendor: Vendor) -> None:
    assert carrier.validate(request_for(carrier, "LMFR-B10")) is None
    assert carrier.validate(request_for(carrier, "LMFR-TOP:10")) is None
    assert vendor.books.transactions() == [] and vendor.books.submits_by_ref == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": LEBARA}, Reason.INVALID_NUMBER),
        ({"number": "+33112345678"}, Reason.INVALID_NUMBER),
        ({"number": "33639980123"}, Reason.INVALID_NUMBER),
        ({"cost": Money(1, "GBP")}, Reason.INVALID_AMOUNT),
        ({"product_key": "GONE"}, Reason.PRODUCT_UNAVAILABLE),
        ({"product_key": "LMFR-TOP:20"}, Reason.INVALID_AMOUNT),  # it brings another amount than was promised
        ({"product_key": "LMFR-TOP:99"}, Reason.INVALID_AMOUNT),
    ],
)
def test_a_dry_run_objects_before_anybody_pays(carrier: Carrier, changes: dict[str, Any], reason: Reason) -> None:
    assert carrier.validate(replace(request_for(carrier, "LMFR-B10"), **changes)) is reason


def test_a_dry_run_objects_to_an_empty_wallet_and_a_closed_operator(carrier: Carrier, vendor: Vendor) -> None:
    request = request_for(carrier, "LMFR-B10")
    vendor.books.set_wallet("GBP", request.cost.minor - 1)
    assert carrier.validate(request) is Reason.WALLET_EMPTY
    vendor.switches["providers_down"] = ("LMFR",)
    assert carrier.validate(request) is Reason.OPERATOR_DOWN


@pytest.mark.parametrize(
    "fault", ["html_502", "rate_limit", "unknown_code", "error_500", "operator_down", "forbidden", "broken_json"]
)
def test_a_dry_run_that_says_nothing_is_no_objection(sandbox: SandboxServer, carrier: Carrier, fault: str) -> None:
    request = request_for(carrier, "LMFR-B10")
    sandbox.carrier.faults.add(Fault(fault, "read", None))
    with pytest.raises(CarrierUnavailable):
        carrier.validate(request)


# Looking


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (LYCA, [OperatorCandidate("LMFR", "Lyca France", "FR", confident=True)]),
        (DUTCH, [OperatorCandidate("LBNL", "Lebara Netherlands", "NL", confident=True)]),
        ("+447700900123", []),
        ("8944100077009001239", []),
    ],
)
def test_whose_number_it_is(carrier: Carrier, number: str, told: list[OperatorCandidate]) -> None:
    assert carrier.lookup_number(number) == told


def test_the_catalogue(carrier: Carrier) -> None:
    products = {each.key: each for each in carrier.list_products()}
    plan = products["LMFR-B40"]
    assert (plan.name, plan.line, plan.operator, plan.country) == (
        "Lyca France 40 GB and calls, 30 days",
        "Lyca France",
        "LMFR",
        "FR",
    )
    assert (plan.kind, plan.fulfilment, plan.valid_days, plan.redeem) == (ProductKind.PLAN, Fulfilment.DIRECT, 30, None)
    assert (products["LMFR-D05"].kind, products["LMFR-D05"].valid_days) == (ProductKind.DATA, 7)
    assert (products["LMFR-Y01"].valid_days, products["LMFR-Y01"].cost) == (365, Money(8600 + 50 - 430, "GBP"))
    pin = products["LBNL-P10"]
    assert (pin.kind, pin.fulfilment, pin.country) == (ProductKind.PIN, Fulfilment.PIN, "NL")
    assert pin.redeem == "Call 1244 from your Lebara SIM, press 2 and key in the code."
    # A range from 4.30 to 43.00, in our amounts; what the customer gets is what they estimated.
    amounts = [key for key in products if key.startswith("LMFR-TOP")]
    assert amounts == ["LMFR-TOP:5", "LMFR-TOP:10", "LMFR-TOP:20", "LMFR-TOP:30"]
    ten = products["LMFR-TOP:10"]
    assert (ten.kind, ten.cost, ten.face) == (ProductKind.TOPUP, Money(950, "GBP"), Money(1162, "EUR"))
    assert {key for key, each in products.items() if not each.sellable} == {"LBFR-BIL", "LBFR-NEW"}


def test_the_catalogue_is_narrowed(sandbox: SandboxServer) -> None:
    dutch = open_carrier("ding", sandbox.url, countries=["NL"])
    assert {each.operator for each in dutch.list_products()} == {"LBNL"}
    lyca = open_carrier("ding", sandbox.url, operators=["LMFR"], amounts=[7])
    assert {each.operator for each in lyca.list_products()} == {"LMFR"}
    assert [each.key for each in lyca.list_products() if ":" in each.key] == ["LMFR-TOP:7"]
    assert list(open_carrier("ding", sandbox.url, currency="EUR").list_products()) == []


def test_commission_that_is_settled_apart_is_no_part_of_the_cost(sandbox: SandboxServer, vendor: Vendor) -> None:
    vendor.switches["commission_taken_off"] = False
    carrier = open_carrier("ding", sandbox.url, commission="apart")
    request = request_for(carrier, "LMFR-B40")
    assert request.cost == Money(1720, "GBP")
    assert carrier.submit(request).state is OutcomeState.SUCCEEDED
    (debit,) = vendor.books.debits()
    (line,) = carrier.statement(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1))
    assert (debit.amount_minor, line.cost) == (1720, Money(1720, "GBP"))


# The statement


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_statement_is_read_to_its_end_in_any_order(sandbox: SandboxServer, vendor: Vendor, newest_first: bool) -> None:
    vendor.switches["newest_first"] = newest_first
    carrier = open_carrier("ding", sandbox.url, page_size=10)
    for day in range(3):
        for turn in range(9):
            carrier.submit(DOORS["ding"].request(f"{REF}-{day}{turn}"))
        vendor.books.move_clock(86_400)
    today = vendor.books.clock.now()
    lines = list(carrier.statement(today - timedelta(days=2, hours=1), today - timedelta(days=1, hours=1)))
    assert {line.ref for line in lines} == {f"{REF}-1{turn}" for turn in range(9)}


def test_a_page_that_is_too_long_for_them_is_asked_for_in_short_ones(carrier: Carrier, vendor: Vendor) -> None:
    vendor.switches["most_taken"] = 20
    for turn in range(13):
        carrier.submit(DOORS["ding"].request(f"{REF}-{turn}"))
    lines = list(carrier.statement(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)))
    assert len(lines) == 13


def test_a_time_they_have_forgotten_is_not_told_of(carrier: Carrier) -> None:
    with pytest.raises(CarrierUnavailable):
        list(carrier.statement(datetime.now(UTC) - timedelta(days=62), datetime.now(UTC)))
    finding = carrier.find("NOBODY-KNOWS", None, LYCA, datetime.now(UTC) - timedelta(days=62))
    assert finding.state is FindState.CANNOT_TELL, "an order that they have forgotten is not one that never was"


def test_what_is_offered(carrier: Carrier) -> None:
    assert carrier.declaration().capabilities == {
        Capability.LOOKUP_NUMBER,
        Capability.VALIDATE,
        Capability.FIND_BY_REF,
        Capability.STATEMENT,
        Capability.WALLET,
    }
    assert carrier.declaration().settle_window == timedelta(seconds=90)


# --- answers as their documents show them -----------------------------------------------------------------------------

PRODUCT = {
    "ProviderCode": "D1GB",
    "SkuCode": "EXGB79063",
    "SettingDefinitions": [],
    "Minimum": {"SendValue": 8.5, "SendCurrencyIso": "EUR", "ReceiveValue": 10.0, "ReceiveCurrencyIso": "GBP"},
    "Maximum": {"SendValue": 8.5, "SendCurrencyIso": "EUR", "ReceiveValue": 10.0, "ReceiveCurrencyIso": "GBP"},
    "CommissionRate": 0.0,
    "RedemptionMechanism": "ReadReceipt",
    "Benefits": ["Mobile"],
    "ValidityPeriodIso": None,
    "DefaultDisplayText": "GBP 10",
}
NUMBER = "+447700900123"
ORDER = Request(REF, "EXGB79063", ProductKind.PIN, NUMBER, Money(1000, "GBP"), Money(850, "EUR"))


def record(**members: object) -> dict[str, object]:
    return {
        "TransferId": {"TransferRef": "900000001", "DistributorRef": REF},
        "SkuCode": "EXGB79063",
        "Price": {
            "CustomerFee": 0.0,
            "DistributorFee": 0.0,
            "ReceiveValue": 10.0,
            "ReceiveCurrencyIso": "GBP",
            "ReceiveValueExcludingTax": 10.0,
            "TaxRate": 0,
            "TaxName": "",
            "TaxCalculation": "",
            "SendValue": 8.5,
            "SendCurrencyIso": "EUR",
        },
        "CommissionApplied": 0.05,
        "StartedUtc": "2026-10-08T10:00:00Z",
        "CompletedUtc": "2026-10-08T10:00:02Z",
        "ProcessingState": "Complete",
        "ReceiptText": "PIN: 1234 5678 9012",
        "ReceiptParams": {"pin": "123456789012", "providerRef": "x1"},
        "AccountNumber": "447700900123",
    } | members


def envelope(result: int = 1, *codes: str, **members: object) -> dict[str, object]:
    """``codes`` as Code or Code:Context."""
    told = [{"Code": each.partition(":")[0], "Context": each.partition(":")[2]} for each in codes]
    return {**members, "ResultCode": result, "ErrorCodes": told}


def said(status: int, value: object) -> httpx2.Response:
    return httpx2.Response(status, content=value if isinstance(value, (bytes, str)) else json.dumps(value))


def carrier_of(*transfers: object, status: int = 200, seen: list[httpx2.Request] | None = None, **settings: Any) -> Ding:
    """Answers to SendTransfer and ListTransferRecords in turn, the last one again and again; PRODUCT is sold."""
    answers = list(transfers)

    def handler(asked: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(asked)
        if asked.url.path.endswith("/GetProducts"):
            return said(200, envelope(Items=[PRODUCT]))
        return said(status, answers.pop(0) if len(answers) > 1 else answers[0])

    wire = Wire("ding", transport=httpx2.MockTransport(handler))
    return Ding(DingKeys.model_validate(SETTINGS | settings), "ding", wire=wire, clock=lambda: NOW)


def listed(*items: dict[str, object], more: object = False) -> dict[str, object]:
    return envelope(Items=list(items), ThereAreMoreItems=more)


def test_the_order_of_their_documents_and_its_answer() -> None:
    seen: list[httpx2.Request] = []
    outcome = carrier_of(envelope(TransferRecord=record()), seen=seen).submit(ORDER)
    read, sent = seen
    assert (read.method, str(read.url)) == ("GET", "https://reseller.example/api/V1/GetProducts?skuCodes=EXGB79063")
    assert (sent.method, str(sent.url)) == ("POST", "https://reseller.example/api/V1/SendTransfer")
    assert sent.headers["api_key"] == "our-key" and "authorization" not in sent.headers
    assert json.loads(sent.content, parse_float=Decimal) == {
        "SkuCode": "EXGB79063",
        "SendValue": Decimal("8.50"),
        "SendCurrencyIso": "EUR",
        "AccountNumber": "447700900123",
        "DistributorRef": REF,
        "ValidateOnly": False,
        "Settings": [],
    }
    assert b'"SendValue":8.50,' in sent.content
    assert outcome == Outcome(
        OutcomeState.SUCCEEDED,
        "900000001",
        raw_code="Complete",
        echo=Echo(NUMBER, "EXGB79063", Money(1000, "GBP")),
        fulfilment=Voucher("123456789012", None, "PIN: 1234 5678 9012"),
    )


# (2) A record decides by its word, whatever stands around it.


@pytest.mark.parametrize("status", [200, 400, 500, 503])
@pytest.mark.parametrize(
    ("word", "state", "reason"),
    [
        ("Complete", OutcomeState.SUCCEEDED, None),
        ("Completed", OutcomeState.SUCCEEDED, None),
        ("Submitted", OutcomeState.PENDING, None),
        ("Processing", OutcomeState.PENDING, None),
        ("Cancelling", OutcomeState.PENDING, None),
        ("Resting", OutcomeState.PENDING, Reason.UNKNOWN_STATUS),
        ("complete", OutcomeState.PENDING, Reason.UNKNOWN_STATUS),
        ("", OutcomeState.PENDING, Reason.UNKNOWN_STATUS),
        ("Failed", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("Cancelled", OutcomeState.FAILED, Reason.REJECTED_OTHER),
    ],
)
def test_a_record_decides(status: int, word: str, state: OutcomeState, reason: Reason | None) -> None:
    members: dict[str, object] = {} if state is OutcomeState.SUCCEEDED else {"ReceiptText": "", "ReceiptParams": {}}
    answer = envelope(5, "OtherError", TransferRecord=record(ProcessingState=word, **members))
    outcome = carrier_of(answer, status=status).submit(ORDER)
    assert (outcome.state, outcome.reason) == (state, reason)
    assert outcome.provider_ref == "900000001"


def test_a_transfer_that_is_over_and_has_a_receipt_was_taken_back() -> None:
    for word in ("Failed", "Cancelled"):
        finding = carrier_of(listed(envelope(TransferRecord=record(ProcessingState=word)))).find(REF, None, NUMBER, NOW)
        assert finding.outcome is not None and finding.outcome.state is OutcomeState.REVERSED
        assert finding.outcome.fulfilment is None


# (3) and (4) Without a record.


@pytest.mark.parametrize("status", [200, 400, 401, 500, 503])
@pytest.mark.parametrize("result", [4, 5])
@pytest.mark.parametrize(
    ("told", "state", "reason"),
    [
        ("AccountNumberInvalid:AccountNumberFailedRegex", OutcomeState.FAILED, Reason.INVALID_NUMBER),
        ("AccountNumberInvalid:ProviderRefusedRequest", OutcomeState.FAILED, Reason.INVALID_NUMBER),
        ("ParameterMissing:ValidateOnly", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("ParameterInvalid:SkuCode", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("ParameterInvalid:SendValue", OutcomeState.FAILED, Reason.INVALID_AMOUNT),
        ("ParameterOutOfRange:SendValue", OutcomeState.FAILED, Reason.INVALID_AMOUNT),
        ("ParameterCombinationInvalid", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("TooManyParameters", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("BatchItemRefMustBeUnique", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("RequestInvalid", OutcomeState.FAILED, Reason.REJECTED_OTHER),
        ("InsufficientBalance", OutcomeState.FAILED, Reason.WALLET_EMPTY),
        ("AuthenticationFailed", OutcomeState.NOT_SENT, Reason.AUTH),
        ("ProviderError:ProductUnavailable", OutcomeState.FAILED, Reason.PRODUCT_UNAVAILABLE),
        ("ProviderError:RechargeNotAllowed", OutcomeState.FAILED, Reason.INELIGIBLE_OR_BARRED),
        ("RechargeNotAllowed", OutcomeState.FAILED, Reason.INELIGIBLE_OR_BARRED),
        ("RateLimited", OutcomeState.NOT_SENT, Reason.RATE_LIMITED),
        ("ProviderError:SomethingNew", OutcomeState.UNKNOWN, Reason.UNKNOWN_STATUS),
        ("ProviderError", OutcomeState.UNKNOWN, Reason.UNKNOWN_STATUS),
        ("TransientProviderError:ProviderRefusedRequest", OutcomeState.UNKNOWN, Reason.OPERATOR_DOWN),
        ("DuplicateTransactionPrevented", OutcomeState.UNKNOWN, Reason.DUPLICATE_REF),
        ("OtherError", OutcomeState.UNKNOWN, Reason.UNKNOWN_STATUS),
        ("NearestMatch", OutcomeState.UNKNOWN, Reason.UNKNOWN_STATUS),
        ("accountnumberinvalid", OutcomeState.UNKNOWN, Reason.UNKNOWN_STATUS),
    ],
)
def test_every_code_without_a_record(status: int, result: int, told: str, state: OutcomeState, reason: Reason) -> None:
    outcome = carrier_of(envelope(result, told), status=status).submit(ORDER)
    assert (outcome.state, outcome.reason, outcome.raw_code) == (state, reason, told)


@pytest.mark.parametrize("result", [0, 1, 2, 3, 6])
@pytest.mark.parametrize("told", ["InsufficientBalance", "AccountNumberInvalid", "RateLimited", "AuthenticationFailed"])
def test_a_code_refuses_only_with_a_result_that_does(result: int, told: str) -> None:
    assert carrier_of(envelope(result, told)).submit(ORDER).state is OutcomeState.UNKNOWN


def test_one_code_that_is_not_known_makes_the_others_uncertain() -> None:
    assert carrier_of(envelope(5, "InsufficientBalance", "QuotaRule17")).submit(ORDER).state is OutcomeState.UNKNOWN
    assert carrier_of(envelope(5)).submit(ORDER).state is OutcomeState.UNKNOWN


def test_a_duplicate_beside_a_failed_record_is_looked_up_all_the_same() -> None:
    second = envelope(5, "DuplicateTransactionPrevented", TransferRecord=record(ProcessingState="Failed", ReceiptText=""))
    outcome = carrier_of(second).submit(ORDER)
    assert (outcome.state, outcome.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)
    assert carrier_of(listed(second)).find(REF, None, NUMBER, NOW).state is FindState.CANNOT_TELL
    first = envelope(TransferRecord=record(TransferId={"TransferRef": "900000000", "DistributorRef": REF}))
    finding = carrier_of(listed(second, first)).find(REF, None, NUMBER, NOW)
    assert finding.outcome is not None and finding.outcome.state is OutcomeState.SUCCEEDED and not finding.doubled


def test_silence_of_the_operator_without_a_record_is_confirmed_by_the_list_or_unknown() -> None:
    silent = envelope(3, "TransientProviderError:ProviderTimedOut")
    failed = envelope(
        3,
        "TransientProviderError:ProviderTimedOut",
        TransferRecord=record(ProcessingState="Failed", ReceiptText="", ReceiptParams=None),
    )
    assert carrier_of(silent, listed(failed)).submit(ORDER).state is OutcomeState.FAILED
    assert carrier_of(silent, listed(envelope(TransferRecord=record()))).submit(ORDER).state is OutcomeState.SUCCEEDED
    assert carrier_of(silent, listed()).submit(ORDER).state is OutcomeState.UNKNOWN


# (1) No envelope.


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        [],
        {"error": "bad gateway"},
        {"TransferRecord": record()},
        {"TransferRecord": record(), "ResultCode": "1", "ErrorCodes": []},
        {"resultCode": 5, "errorCodes": [{"Code": "InsufficientBalance"}]},
        {"ResultCode": 5},
        {"ResultCode": True, "ErrorCodes": []},
        envelope(TransferRecord=[]),
        envelope(TransferRecord=record(TransferId=None)),
        envelope(TransferRecord=record(TransferId={"TransferRef": "1", "DistributorRef": "ANOTHER"})),
        envelope(TransferRecord=record(Price={"ReceiveValue": 10.0})),
        envelope(TransferRecord=record(ReceiptText="", ReceiptParams={})),  # a voucher without a code
    ],
)
def test_what_cannot_be_read_is_unknown(answer: object) -> None:
    for status in (200, 400, 500):
        outcome = carrier_of(answer, status=status).submit(ORDER)
        assert (outcome.state, outcome.reason) == (OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER)


def test_everything_optional_may_be_missing() -> None:
    bare = {"TransferId": {"TransferRef": "5"}, "ProcessingState": "Processing"}
    outcome = carrier_of(envelope(TransferRecord=bare)).submit(ORDER)
    assert outcome == Outcome(OutcomeState.PENDING, "5", raw_code="Processing", echo=Echo())


# The list


def test_the_look_up_asks_by_reference_and_at_least_ten_at_a_time() -> None:
    seen: list[httpx2.Request] = []
    other = envelope(TransferRecord=record(TransferId={"TransferRef": "7", "DistributorRef": REF + "4"}))
    pages = (listed(*[other] * 10, more=True), listed(envelope(TransferRecord=record())))
    finding = carrier_of(*pages, seen=seen, page_size=3).find(REF, None, NUMBER, NOW)
    assert finding.state is FindState.FOUND and finding.outcome is not None and finding.outcome.provider_ref == "900000001"
    asked = [json.loads(each.content) for each in seen if each.method == "POST"]
    assert asked == [{"DistributorRef": REF, "Skip": skip, "Take": 10} for skip in (0, 10)]


def test_the_same_transfer_on_two_pages_is_one() -> None:
    one = envelope(TransferRecord=record())
    finding = carrier_of(listed(one, more=True), listed(one)).find(REF, None, NUMBER, NOW)
    assert finding.state is FindState.FOUND and not finding.doubled


@pytest.mark.parametrize(
    "answer",
    [
        envelope(Items=[]),
        envelope(ThereAreMoreItems=False),
        listed(more=True),
        listed(more="false"),
        listed(envelope(5, "OtherError")),
        listed({"TransferRecord": record()}),
        envelope(2, "NearestMatch", Items=[], ThereAreMoreItems=False),
        envelope(3, "OtherError", Items=[], ThereAreMoreItems=False),
        envelope(4, "ParameterOutOfRange:Take"),
    ],
)
def test_a_list_that_is_not_whole_is_not_absence(answer: object) -> None:
    assert carrier_of(answer).find(REF, None, NUMBER, NOW).state is FindState.CANNOT_TELL


def test_a_clean_list_without_ours_is_absence() -> None:
    assert carrier_of(listed()).find(REF, None, NUMBER, NOW).state is FindState.ABSENT


def test_their_own_id_finds_what_the_reference_did_not() -> None:
    finding = carrier_of(listed(), listed(envelope(TransferRecord=record()))).find(REF, "900000001", NUMBER, NOW)
    assert finding.state is FindState.FOUND
    stranger = envelope(TransferRecord=record(TransferId={"TransferRef": "900000001", "DistributorRef": "ANOTHER"}))
    assert carrier_of(listed(), listed(stranger)).find(REF, "900000001", NUMBER, NOW).state is FindState.ABSENT


@pytest.mark.parametrize("members", [{"Price": {}}, {"StartedUtc": None, "CompletedUtc": None}, {"TransferId": {}}])
def test_a_statement_with_a_hole_is_none(members: dict[str, object]) -> None:
    carrier = carrier_of(listed(envelope(TransferRecord=record(**members))))
    with pytest.raises(CarrierUnavailable):
        list(carrier.statement(NOW - timedelta(days=1), NOW))


def test_the_statement_names_the_parts_that_were_charged() -> None:
    price = {"SendValue": 8.5, "SendCurrencyIso": "EUR", "DistributorFee": 0.25, "ReceiveValue": 10, "ReceiveCurrencyIso": "GBP"}
    (line,) = carrier_of(listed(envelope(TransferRecord=record(Price=price)))).statement(NOW - timedelta(days=1), NOW)
    assert (line.ref, line.provider_ref, line.number) == (REF, "900000001", NUMBER)
    assert (line.cost, line.at) == (Money(870, "EUR"), datetime(2026, 10, 8, 10, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("P30D", 30),
        ("P1M", 30),
        ("P4W", 28),
        ("P1Y", 365),
        ("PT24H", 1),
        ("PT36H", 2),
        ("P1M5D", 35),
        ("P", None),
        ("30", None),
        (None, None),
    ],
)
def test_validity(period: str | None, days: int | None) -> None:
    def handler(asked: httpx2.Request) -> httpx2.Response:
        if asked.url.path.endswith("/GetProviders"):
            return said(200, envelope(Items=[{"ProviderCode": "D1GB", "CountryIso": "GB", "Name": "One"}]))
        return said(200, envelope(Items=[PRODUCT | {"ValidityPeriodIso": period}]))

    keys = DingKeys.model_validate(SETTINGS)
    (sold,) = Ding(keys, "ding", wire=Wire("ding", transport=httpx2.MockTransport(handler)), clock=lambda: NOW).list_products()
    assert sold.valid_days == days


def test_rows_that_were_not_asked_for_are_left_out() -> None:
    """A filter that they do not know is ignored without a word."""

    def handler(asked: httpx2.Request) -> httpx2.Response:
        if asked.url.path.endswith("/GetProviders"):
            rows = [("D1GB", "GB"), ("D1FR", "FR")]
            return said(200, envelope(Items=[{"ProviderCode": each, "CountryIso": where, "Name": each} for each, where in rows]))
        strangers = {"ProviderCode": "D1FR", "SkuCode": "OTHER"}
        broken: dict[str, object] = {"SkuCode": "BROKEN", "Minimum": {"SendValue": "much"}}
        return said(
            200, envelope(Items=[PRODUCT, PRODUCT | strangers, PRODUCT | broken, PRODUCT | {"Minimum": {}, "SkuCode": "FREE"}])
        )

    keys = DingKeys.model_validate(SETTINGS)
    carrier = Ding(keys, "ding", wire=Wire("ding", transport=httpx2.MockTransport(handler)), clock=lambda: NOW)
    assert [each.key for each in carrier.list_products()] == ["EXGB79063"]
