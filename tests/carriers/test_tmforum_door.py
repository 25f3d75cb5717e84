"""What the TM Forum door tells beyond the contract: what is on a SIM, who owns it, and the whole catalogue."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from pos.domain.money import Money
from pos.ports import (
    Capability,
    Carrier,
    CarrierUnavailable,
    IdentityClaim,
    MatchAnswer,
    OutcomeState,
    ProductKind,
    Reason,
    Request,
    SubscriptionState,
)
from pos.sandbox.numbers import line_of
from pos.sandbox.server import SandboxServer
from tests.carriers.doors import HASTY, LATE, REF, Door, debits, misbehave, open_carrier

PLAN, TOPUP = ProductKind.PLAN, ProductKind.TOPUP


@pytest.fixture
def protocol() -> str:
    return "tmforum"


# Sold


def test_a_plan_tells_its_price_and_its_new_end(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    outcome = carrier.submit(door.request(REF))
    who = sandbox.carrier.books.subscriber(door.number)
    assert who is not None
    assert outcome.valid_until is not None
    assert abs(outcome.valid_until - who.expires_at) < timedelta(seconds=1)
    assert outcome.valid_until.tzinfo is UTC
    assert outcome.cost == door.plan_cost
    assert outcome.echo is not None
    assert outcome.echo.product_key == door.plan


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_a_sim_may_be_named_by_its_serial(carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind) -> None:
    line = line_of(door.number)
    assert line is not None
    assert line.iccid == door.iccid
    request = door.request(REF, kind, number=door.iccid)
    outcome = carrier.submit(request)
    assert outcome.state is OutcomeState.SUCCEEDED
    assert outcome.echo is not None
    assert outcome.echo.number == door.iccid
    assert [debit.number for debit in debits(door, sandbox)] == [door.number]


# Refused


def test_a_currency_that_is_not_ours_is_never_sent(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    euros = Money(800, "EUR")
    outcome = carrier.submit(Request(REF, door.plan, PLAN, door.number, euros, euros))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_AMOUNT)
    assert not sandbox.carrier.books.requests


# Later


def test_another_plan_in_the_answer_is_not_hidden(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    misbehave(sandbox, "wrong_offering")
    echo = carrier.submit(door.request(REF)).echo
    assert echo is not None
    assert echo.product_key == "another-plan"


# Asking while asking is broken


@pytest.mark.parametrize("fault", ["html_502", "drip", "off"])
def test_a_read_that_fails_says_so_in_time(hasty: Carrier, sandbox: SandboxServer, door: Door, fault: str) -> None:
    # The expiry of nobody may be read from half an answer, and no page may wait for a carrier for ever.
    hasty.submit(door.request(REF))
    misbehave(sandbox, fault, "read", None)
    now = datetime.now(UTC) + timedelta(seconds=1)
    for read in (
        lambda: list(hasty.list_products()),
        hasty.wallet,
        lambda: list(hasty.statement(now - timedelta(days=1), now)),
        lambda: hasty.lookup_number(door.number),
    ):
        started = time.monotonic()
        with pytest.raises(CarrierUnavailable):
            read()
        assert time.monotonic() - started < HASTY + LATE
    assert hasty.get_subscription(door.number).state is SubscriptionState.UNAVAILABLE


# What is on a SIM


def test_a_subscription_shows_plan_end_and_what_is_left(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.submit(door.request(REF))
    who = sandbox.carrier.books.subscriber(door.number)
    assert who is not None
    found = carrier.get_subscription(door.number)
    assert (found.state, found.plan_key) == (SubscriptionState.ACTIVE, door.plan)
    assert found.plan_name
    assert found.expires_at is not None
    assert abs(found.expires_at - who.expires_at) < timedelta(seconds=1)
    assert found.grace_ends_at is not None
    assert found.grace_ends_at > found.expires_at
    assert ("data", str(who.data_mb), "MB") in {(b.kind, b.amount, b.unit) for b in found.balances}
    assert {balance.kind for balance in found.balances} == {"money", "data"}


@pytest.mark.parametrize(
    ("number", "state"),
    [
        ("+447700900540", SubscriptionState.EXPIRED),
        ("+447700900542", SubscriptionState.SUSPENDED),
        ("+447700900543", SubscriptionState.BARRED),
        ("+447700900545", SubscriptionState.ACTIVE),
        ("+33612345678", SubscriptionState.NOT_FOUND),
    ],
)
def test_the_state_of_a_line_is_told(carrier: Carrier, number: str, state: SubscriptionState) -> None:
    assert carrier.get_subscription(number).state is state


def test_unlimited_data_is_called_unlimited(carrier: Carrier) -> None:
    found = carrier.get_subscription("+447700900546")
    assert "unlimited" in {balance.amount for balance in found.balances if balance.kind == "data"}


def test_a_serial_leads_to_the_same_subscription(carrier: Carrier, door: Door) -> None:
    by_number, by_serial = carrier.get_subscription(door.number), carrier.get_subscription(door.iccid)
    assert (by_serial.plan_key, by_serial.expires_at) == (by_number.plan_key, by_number.expires_at)


def test_a_number_leads_to_its_operator(carrier: Carrier, door: Door) -> None:
    (candidate,) = carrier.lookup_number(door.number)
    assert (candidate.key, candidate.country, candidate.confident) == ("lyca", "GB", True)
    assert carrier.lookup_number("+33612345678") == []


# What is sold


@pytest.mark.parametrize("shape", ["mixed", "inline", "flat", "reference"])
def test_the_catalogue_is_read_whole_whatever_its_price_shape(
    carrier: Carrier, sandbox: SandboxServer, door: Door, shape: str
) -> None:
    sandbox.carrier.switches.price_shape = shape
    products = {product.key: product for product in carrier.list_products()}
    assert len(products) == 24
    assert {product.face.currency for product in products.values()} == {"GBP"}
    plan = products[door.plan]
    assert (plan.face, plan.cost, plan.valid_days, plan.data_megabytes) == (door.plan_face, door.plan_cost, 7, 8192)
    assert (plan.line, plan.kind, plan.sellable) == ("lyca-data", PLAN, True)
    assert [key for key, product in products.items() if not product.sellable] == ["lyca-5g-gb-1m-first"]


def test_the_catalogue_is_read_over_its_pages(protocol: str, sandbox: SandboxServer) -> None:
    carrier = open_carrier(protocol, sandbox.url, page_size=7)
    assert len({product.key for product in carrier.list_products()}) == 24
    assert sandbox.carrier.books.requests["GET productOffering"] == 7


# Who owns the number


PRIYA = IdentityClaim("Z1234563", "passport", "Priya Sharma", "1995-01-30")  # registered for numbers that end in 3


def test_the_registered_owner_matches(carrier: Carrier, door: Door) -> None:
    answers = carrier.match_identity(door.number, PRIYA)
    assert answers == dict.fromkeys(["document_number", "document_type", "name", "birth_date"], MatchAnswer.MATCH)


def test_somebody_else_does_not_match(carrier: Carrier, door: Door) -> None:
    answers = carrier.match_identity(door.number, IdentityClaim("X0000000", "passport", "John Doe", "1995-01-30"))
    assert answers["document_number"] is MatchAnswer.NO_MATCH
    assert answers["name"] is MatchAnswer.NO_MATCH
    assert answers["birth_date"] is MatchAnswer.MATCH


@pytest.mark.parametrize("number", ["+447700900547", "+33612345678", "8944100077009001239"])
def test_a_number_without_a_registered_owner_has_nothing_to_compare(carrier: Carrier, number: str) -> None:
    assert set(carrier.match_identity(number, PRIYA).values()) == {MatchAnswer.NOT_AVAILABLE}


def test_a_carrier_that_insists_on_the_document_says_no_to_another(carrier: Carrier) -> None:
    answers = carrier.match_identity("+447700900548", PRIYA)
    assert answers["document_number"] is MatchAnswer.NO_MATCH
    assert answers["name"] is MatchAnswer.NOT_AVAILABLE


def test_a_carrier_that_insists_on_the_document_compares_nothing_without(carrier: Carrier) -> None:
    answers = carrier.match_identity("+447700900548", IdentityClaim("", "passport", "Priya Sharma"))
    assert set(answers.values()) == {MatchAnswer.NOT_AVAILABLE}
    assert set(answers) == {"document_type", "name"}


def test_a_comparison_that_fails_says_so(hasty: Carrier, sandbox: SandboxServer, door: Door) -> None:
    for fault in ("html_502", "drip", "broken_json"):
        misbehave(sandbox, fault, "read")
        with pytest.raises(CarrierUnavailable):
            hasty.match_identity(door.number, PRIYA)


# What is promised


def test_the_declaration_is_what_the_configuration_says(carrier: Carrier, protocol: str, sandbox: SandboxServer) -> None:
    declared = carrier.declaration()
    assert declared.enforces_unique_refs
    assert declared.settle_window == timedelta(seconds=180)
    assert declared.deadline_seconds == 20.0
    changed = open_carrier(
        protocol, sandbox.url, settle_window_seconds=90, deadline_seconds=35, enforce_unique_refs=False
    ).declaration()
    assert (changed.settle_window, changed.deadline_seconds) == (timedelta(seconds=90), 35.0)
    assert not changed.enforces_unique_refs


def test_what_is_not_declared_is_our_fault_to_ask(protocol: str, sandbox: SandboxServer, door: Door) -> None:
    without = dict.fromkeys(["kyc_path", "wallet_path", "statement_path"])
    carrier = open_carrier(protocol, sandbox.url, **without)
    missing = {Capability.IDENTITY_MATCH, Capability.WALLET, Capability.STATEMENT}
    assert not missing & carrier.declaration().capabilities
    now = datetime.now(UTC)
    for call in (
        carrier.wallet,
        lambda: carrier.statement(now, now),
        lambda: carrier.match_identity(door.number, PRIYA),
    ):
        with pytest.raises(NotImplementedError):
            call()


def test_a_notification_is_a_hint_and_no_more(carrier: Carrier) -> None:
    assert not carrier.parse_notification({}, b'{"event":{"productOrder":{"id":"1"}}}').authenticated
    for nonsense in (b"", b"[]", b"\xff", b"<html>", b'{"event":[]}', b"[" * 5000, b" " * 100_000):
        hint = carrier.parse_notification({}, nonsense)
        assert (hint.ref, hint.provider_ref, hint.authenticated) == (None, None, False)
