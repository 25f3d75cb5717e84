"""What every adapter owes the counter, whatever its protocol: tried against the sandbox carrier over real HTTP.

The carrier's own books are the judge: what we call succeeded was debited once, what we call failed was not, and what we
call unknown can be found out by asking."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from pos.carriers import PROTOCOLS
from pos.domain.money import Money
from pos.ports import (
    Capability,
    Carrier,
    CarrierUnavailable,
    FindState,
    IdentityClaim,
    MatchAnswer,
    Outcome,
    OutcomeState,
    ProductKind,
    Reason,
    Request,
    SubscriptionState,
)
from pos.sandbox.faults import Fault
from pos.sandbox.numbers import line_of
from pos.sandbox.records import Movement
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings
from tests.carriers.doors import DOORS, Door, open_carrier

HASTY = 0.8  # seconds; the deadline where the carrier is made to be late
LATE = 3.0  # seconds a busy machine may add; what is not cut at all takes far longer
REF = "S1-20261008-000123"
PLAN, TOPUP = ProductKind.PLAN, ProductKind.TOPUP


def test_every_protocol_has_a_door_to_the_sandbox() -> None:
    assert set(PROTOCOLS) == set(DOORS), "a protocol without a door is not tested"


@pytest.fixture(params=sorted(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def door(protocol: str) -> Door:
    return DOORS[protocol]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    # Late and slow beyond any hasty deadline; the huge bodies are as small as they can be and still be refused.
    with SandboxServer(Settings(late_seconds=1.5, drip_seconds=0.05, huge_bytes=9_000_000)) as server:
        yield server


@pytest.fixture
def carrier(protocol: str, sandbox: SandboxServer) -> Carrier:
    return open_carrier(protocol, sandbox.url)


@pytest.fixture
def hasty(protocol: str, sandbox: SandboxServer) -> Carrier:
    """The same with a deadline of parts of a second. Its token is fetched before anything goes wrong."""
    carrier = open_carrier(protocol, sandbox.url, deadline_seconds=HASTY)
    carrier.wallet()
    return carrier


def misbehave(sandbox: SandboxServer, name: str, where: str = "submit", count: int | None = 1) -> None:
    sandbox.carrier.faults.add(Fault(name, where, count))


def debits(sandbox: SandboxServer, ref: str = REF) -> list[Movement]:
    return [movement for movement in sandbox.carrier.books.debits() if movement.ref == ref]


def ask_again(carrier: Carrier, request: Request, outcome: Outcome | None = None) -> Outcome:
    """The look-up finds it; its outcome."""
    provider_ref = outcome.provider_ref if outcome else None
    finding = carrier.find(request.ref, provider_ref, request.number, datetime.now(UTC))
    assert finding.state is FindState.FOUND
    assert finding.outcome is not None
    assert not finding.doubled
    return finding.outcome


def absent(carrier: Carrier, request: Request) -> bool:
    return carrier.find(request.ref, None, request.number, datetime.now(UTC)).state is FindState.ABSENT


# Sold


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_a_renewal_succeeds_and_echoes_what_was_asked(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    request = door.request(REF, kind)
    outcome = carrier.submit(request)
    assert outcome.state is OutcomeState.SUCCEEDED
    (debit,) = debits(sandbox)
    assert outcome.provider_ref == debit.order_id
    assert outcome.echo is not None
    assert (outcome.echo.number, outcome.echo.amount) == (request.number, request.face)
    assert outcome.echo.product_key in (request.product_key, None)
    assert outcome.cost in (Money(debit.amount_minor, debit.currency), None)
    assert ask_again(carrier, request) == outcome


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
    assert [debit.number for debit in debits(sandbox)] == [door.number]


# Refused


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refuse", Reason.INELIGIBLE_OR_BARRED),
        ("product_unavailable", Reason.PRODUCT_UNAVAILABLE),
        ("operator_down", Reason.OPERATOR_DOWN),
        ("too_soon", Reason.TOO_SOON),
        ("wallet_empty", Reason.WALLET_EMPTY),
        ("limit_reached", Reason.LIMIT_REACHED),
        ("invalid_number", Reason.INVALID_NUMBER),
        ("unknown_code", Reason.REJECTED_OTHER),
    ],
)
def test_a_definite_no_is_failed_and_nothing_was_debited(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, reason: Reason, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    outcome = carrier.submit(door.request(REF, kind))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, reason)
    assert outcome.raw_code
    assert debits(sandbox) == []
    assert absent(carrier, door.request(REF, kind))


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_an_empty_wallet_is_a_reason_of_its_own(carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind) -> None:
    sandbox.carrier.books.set_wallet("GBP", 735)
    outcome = carrier.submit(door.request(REF, kind))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.WALLET_EMPTY)
    assert debits(sandbox) == []


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_a_number_of_another_carrier_is_refused(carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind) -> None:
    outcome = carrier.submit(door.request(REF, kind, number="+33612345678"))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_NUMBER)
    assert sandbox.carrier.books.debits() == []


def test_a_currency_that_is_not_ours_is_never_sent(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    euros = Money(800, "EUR")
    outcome = carrier.submit(Request(REF, door.plan, PLAN, door.number, euros, euros))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_AMOUNT)
    assert not sandbox.carrier.books.requests


# In doubt

AFTER_COMMIT = [
    "lost_after_commit",
    "error_500_after",
    "broken_json",
    "html_502",
    "cut_answer",
    "html_200",
    "empty_200",
    "no_id",
    "wrong_charset",
]
BEFORE_COMMIT = ["lost_before_commit", "error_500", "html_502_before"]
SLOW = ["late", "drip", "huge", "gzip_bomb", "endless_headers"]


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
@pytest.mark.parametrize("fault", AFTER_COMMIT)
def test_a_lost_answer_is_unknown_until_the_look_up_tells_it_was_done(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    assert carrier.submit(request).state is OutcomeState.UNKNOWN
    assert len(debits(sandbox)) == 1
    assert ask_again(carrier, request).state is OutcomeState.SUCCEEDED
    assert sandbox.carrier.books.submits_by_ref[REF] == 1


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
@pytest.mark.parametrize("fault", BEFORE_COMMIT)
def test_a_lost_request_is_unknown_until_the_look_up_tells_it_is_absent(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    assert carrier.submit(request).state is OutcomeState.UNKNOWN
    assert debits(sandbox) == []
    assert absent(carrier, request)
    assert sandbox.carrier.books.submits_by_ref[REF] == 1


@pytest.mark.parametrize("fault", SLOW)
def test_an_answer_that_does_not_end_is_unknown_in_time(hasty: Carrier, sandbox: SandboxServer, door: Door, fault: str) -> None:
    misbehave(sandbox, fault)
    started = time.monotonic()
    assert hasty.submit(door.request(REF)).state is OutcomeState.UNKNOWN
    assert time.monotonic() - started < HASTY + LATE
    assert len(debits(sandbox)) == 1
    assert ask_again(hasty, door.request(REF)).state is OutcomeState.SUCCEEDED


def test_a_carrier_that_acts_after_our_first_look_up_is_still_found(hasty: Carrier, sandbox: SandboxServer, door: Door) -> None:
    sandbox.carrier.faults.add(Fault("late_commit", count=1, seconds=2.0))
    request = door.request(REF)
    assert hasty.submit(request).state is OutcomeState.UNKNOWN
    assert absent(hasty, request), "that is why absent is believed only after the settle window"
    until = time.monotonic() + 5
    while not debits(sandbox) and time.monotonic() < until:
        time.sleep(0.05)
    assert ask_again(hasty, request).state is OutcomeState.SUCCEEDED


def test_a_carrier_that_resets_every_connection_is_unknown(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.wallet()  # the token is there
    misbehave(sandbox, "off", "any", None)
    assert carrier.submit(door.request(REF)).state is OutcomeState.UNKNOWN
    assert carrier.find(REF, None, door.number, datetime.now(UTC)).state is FindState.CANNOT_TELL


# Never sent


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_a_closed_port_is_never_sent_and_the_same_reference_may_go_again(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    sandbox.stop()
    request = door.request(REF, kind)
    outcome = carrier.submit(request)
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.UNREACHABLE)
    assert carrier.find(REF, None, door.number, datetime.now(UTC)).state is FindState.CANNOT_TELL
    sandbox.start()
    assert carrier.submit(request).state is OutcomeState.SUCCEEDED


@pytest.mark.parametrize("fault", ["html_502", "drip", "lost_after_commit", "html_200", "error_500", "off"])
def test_without_a_token_nothing_is_sent(protocol: str, sandbox: SandboxServer, door: Door, fault: str) -> None:
    misbehave(sandbox, fault, "token")
    carrier = open_carrier(protocol, sandbox.url, deadline_seconds=HASTY)
    assert carrier.submit(door.request(REF)).state is OutcomeState.NOT_SENT
    assert sandbox.carrier.books.submits_by_ref[REF] == 0
    assert carrier.submit(door.request(REF)).state is OutcomeState.SUCCEEDED


def test_wrong_credentials_leave_the_order_unsent(protocol: str, sandbox: SandboxServer, door: Door) -> None:
    wrong = {"kind": "client_credentials", "token_url": f"{sandbox.url}/oauth/token", "client_id": "demo"}
    carrier = open_carrier(protocol, sandbox.url, auth=wrong | {"client_secret": "not this"})
    outcome = carrier.submit(door.request(REF))
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.AUTH)
    assert sandbox.carrier.books.submits_by_ref[REF] == 0


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_too_many_requests_waits_and_goes_again_under_the_same_reference(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    misbehave(sandbox, "rate_limit")
    request = door.request(REF, kind)
    outcome = carrier.submit(request)
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.RATE_LIMITED)
    assert outcome.retry_after == timedelta(seconds=2)
    assert debits(sandbox) == []
    assert carrier.submit(request).state is OutcomeState.SUCCEEDED


# Tokens


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_a_token_that_dies_in_mid_sale_is_not_an_attempt(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    misbehave(sandbox, "token_expired")
    assert carrier.submit(door.request(REF, kind)).state is OutcomeState.SUCCEEDED
    assert len(debits(sandbox)) == 1


def test_a_carrier_that_calls_every_token_stale_is_asked_twice_and_no_more(
    carrier: Carrier, sandbox: SandboxServer, door: Door
) -> None:
    misbehave(sandbox, "token_expired", count=None)
    outcome = carrier.submit(door.request(REF))
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.AUTH)
    assert sandbox.carrier.books.submits_by_ref[REF] == 2
    assert debits(sandbox) == []


def test_a_revoked_token_is_renewed_for_a_look_up_too(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.submit(door.request(REF))
    sandbox.carrier.tokens.revoke_all()
    assert ask_again(carrier, door.request(REF)).state is OutcomeState.SUCCEEDED


def test_many_tills_share_one_token(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    requests = [door.request(f"{REF}-{till}", number=f"+44770090010{till}") for till in range(8)]
    with ThreadPoolExecutor(8) as tills:
        outcomes = list(tills.map(carrier.submit, requests))
    assert {outcome.state for outcome in outcomes} == {OutcomeState.SUCCEEDED}
    assert len(sandbox.carrier.books.debits()) == 8
    assert sandbox.carrier.books.requests["POST token"] == 1


def test_many_tills_renew_a_dead_token_once(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.wallet()
    sandbox.carrier.tokens.revoke_all()
    gate = threading.Barrier(6)

    def look(_: int) -> SubscriptionState:
        gate.wait()
        return carrier.get_subscription(door.number).state

    with ThreadPoolExecutor(6) as tills:
        assert set(tills.map(look, range(6))) == {SubscriptionState.ACTIVE}
    assert sandbox.carrier.books.requests["POST token"] == 2


# The same reference


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
def test_a_repeated_reference_is_in_doubt_and_never_failed(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    request = door.request(REF, kind)
    carrier.submit(request)
    again = carrier.submit(request)
    assert (again.state, again.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)
    assert len(debits(sandbox)) == 1
    assert ask_again(carrier, request).state is OutcomeState.SUCCEEDED


def test_the_same_reference_from_many_threads_is_debited_once(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    with ThreadPoolExecutor(6) as tills:
        outcomes = list(tills.map(carrier.submit, [door.request(REF)] * 6))
    assert sorted(outcome.state for outcome in outcomes) == [OutcomeState.SUCCEEDED] + [OutcomeState.UNKNOWN] * 5
    assert len(debits(sandbox)) == 1


def test_a_carrier_that_takes_a_reference_twice_is_reported_as_doubled(
    carrier: Carrier, sandbox: SandboxServer, door: Door
) -> None:
    sandbox.carrier.books.enforce_unique_refs = False
    for _ in range(2):
        assert carrier.submit(door.request(REF)).state is OutcomeState.SUCCEEDED
    finding = carrier.find(REF, None, door.number, datetime.now(UTC))
    assert (finding.state, finding.doubled) == (FindState.FOUND, True)


def test_a_reference_that_only_begins_the_same_is_another(carrier: Carrier, door: Door) -> None:
    carrier.submit(door.request(REF))
    assert absent(carrier, door.request(REF[:-1]))
    assert absent(carrier, door.request(REF + "4"))


# Later


def test_an_unknown_status_word_is_not_yet(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    misbehave(sandbox, "unknown_status")
    outcome = carrier.submit(door.request(REF))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (
        OutcomeState.PENDING,
        Reason.UNKNOWN_STATUS,
        "resting",
    )
    assert ask_again(carrier, door.request(REF), outcome).state is OutcomeState.SUCCEEDED


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
@pytest.mark.parametrize(
    ("fault", "end", "count"),
    [("pending_then_done", OutcomeState.SUCCEEDED, 1), ("pending_then_failed", OutcomeState.FAILED, 0)],
)
def test_what_is_pending_ends_one_way_or_the_other(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, end: OutcomeState, count: int, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    outcome = carrier.submit(request)
    assert outcome.state is OutcomeState.PENDING
    assert outcome.provider_ref
    assert ask_again(carrier, request, outcome).state is OutcomeState.PENDING
    sandbox.carrier.books.move_clock(21)
    assert ask_again(carrier, request, outcome).state is end
    assert len(debits(sandbox)) == count


def test_a_late_reversal_is_told(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    misbehave(sandbox, "done_then_reversed")
    request = door.request(REF)
    assert carrier.submit(request).state is OutcomeState.SUCCEEDED
    sandbox.carrier.books.move_clock(61)
    assert ask_again(carrier, request).state is OutcomeState.REVERSED


@pytest.mark.parametrize("kind", [PLAN, TOPUP])
@pytest.mark.parametrize("fault", ["wrong_echo", "wrong_currency"])
def test_an_answer_about_something_else_is_not_hidden(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    echo = carrier.submit(request).echo
    assert echo is not None
    assert (echo.number, echo.amount) != (request.number, request.face)


def test_another_plan_in_the_answer_is_not_hidden(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    misbehave(sandbox, "wrong_offering")
    echo = carrier.submit(door.request(REF)).echo
    assert echo is not None
    assert echo.product_key == "another-plan"


# Asking while asking is broken

BAD_READS = ["lost_before_commit", "error_500", "broken_json", "html_502", "cut_answer", "html_200", "empty_200",
             "wrong_charset", "rate_limit", "refuse", "unknown_code"]  # fmt: skip
BAD_SLOW_READS = ["drip", "huge", "gzip_bomb", "endless_headers"]


@pytest.mark.parametrize("fault", BAD_READS + BAD_SLOW_READS)
def test_a_look_up_that_fails_cannot_tell(hasty: Carrier, sandbox: SandboxServer, door: Door, fault: str) -> None:
    hasty.submit(door.request(REF))
    misbehave(sandbox, fault, "find", None)
    started = time.monotonic()
    finding = hasty.find(REF, None, door.number, datetime.now(UTC))
    assert finding.state is FindState.CANNOT_TELL
    assert time.monotonic() - started < HASTY + LATE


@pytest.mark.parametrize("fault", ["html_502", "broken_json", "lost_before_commit"])
def test_a_look_up_of_nothing_that_half_fails_is_not_absent(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str
) -> None:
    misbehave(sandbox, fault, "find", 1)
    assert carrier.find(REF, None, door.number, datetime.now(UTC)).state is FindState.CANNOT_TELL


@pytest.mark.parametrize("fault", BAD_READS + BAD_SLOW_READS + ["off"])
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


# The dealer's books


def test_the_statement_equals_the_books(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    started_at = sandbox.carrier.clock.now() - timedelta(seconds=1)
    for turn, kind in enumerate((PLAN, TOPUP, PLAN)):
        carrier.submit(door.request(f"{REF}-{turn}", kind))
    sandbox.carrier.books.reverse(sandbox.carrier.books.orders()[0].id)
    lines = list(carrier.statement(started_at, sandbox.carrier.clock.now() + timedelta(seconds=1)))
    states = {"completed": OutcomeState.SUCCEEDED, "reversed": OutcomeState.REVERSED}
    told = [(line.ref, line.provider_ref, line.number, line.product_key, line.cost, line.state) for line in lines]
    assert told == [
        (m.ref, m.order_id, m.number, m.offering, Money(m.amount_minor, m.currency), states[m.state])
        for m in sandbox.carrier.books.movements()
    ]
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_the_wallet_is_what_the_books_say(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.submit(door.request(REF))
    (balance,) = carrier.wallet()
    assert balance.available == Money(sandbox.carrier.books.wallets()["GBP"], "GBP")


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
