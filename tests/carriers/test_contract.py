"""What every adapter owes the counter, whatever its protocol: tried against the sandbox carrier over real HTTP.

The carrier's own books are the judge: what we call succeeded was debited once, what we call failed was not, and what we
call unknown can be found out by asking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from pos.carriers import PROTOCOLS
from pos.domain.money import Money
from pos.ports import (
    Capability,
    Carrier,
    CarrierUnavailable,
    FindState,
    IdentityClaim,
    OutcomeState,
    ProductKind,
    Reason,
)
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from tests.carriers.doors import DOORS, HASTY, LATE, REF, Door, absent, ask_again, debits, misbehave, open_carrier

Test = TypeVar("Test", bound=Callable[..., None])


def test_every_protocol_has_a_door_to_the_sandbox() -> None:
    assert set(PROTOCOLS) == set(DOORS), "a protocol without a door is not tested"


def needs(trait: str) -> Callable[[Test], Test]:
    """Only for doors of that trait: what the others owe instead stands in their own files."""

    def mark(test: Test) -> Test:
        test.needs = trait  # type: ignore[attr-defined]
        return test

    return mark


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test for each protocol that has what it needs, and for each kind of request that this protocol knows."""
    trait = getattr(metafunc.function, "needs", None)
    names = sorted(name for name, door in DOORS.items() if trait is None or trait in door.traits)
    if "kind" in metafunc.fixturenames:
        # A new eSIM has no number that could be a stranger's.
        skipped = {ProductKind.ESIM} if trait == "owns_numbers" else set()
        pairs = [(name, kind) for name in names for kind in DOORS[name].kinds if kind not in skipped]
        metafunc.parametrize(("protocol", "kind"), pairs)
    elif "protocol" in metafunc.fixturenames:
        metafunc.parametrize("protocol", names)


# Sold


def test_a_renewal_succeeds_and_echoes_what_was_asked(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    request = door.request(REF, kind)
    outcome = carrier.submit(request)
    assert outcome.state is OutcomeState.SUCCEEDED
    (debit,) = debits(door, sandbox)
    assert outcome.provider_ref == debit.order_id
    assert outcome.echo is not None
    # Who does not repeat number or worth may be silent about them, and never say something else. Where the worth floats with a
    # rate the product itself must be told, or nothing says that it was what we asked for.
    silent = () if "echoes" in door.traits else (None,)
    assert outcome.echo.number in (request.number, *silent)
    assert outcome.echo.amount in ((request.face, *silent) if door.tells_face else (None,))
    assert outcome.echo.product_key in ((request.product_key, None) if door.tells_face else (request.product_key,))
    assert outcome.cost in (Money(debit.amount_minor, debit.currency), None)
    assert ask_again(carrier, request) == (outcome if door.find_tells_cost else replace(outcome, cost=None))


# Refused


@pytest.mark.parametrize(
    "fault",
    [
        "refuse",
        "product_unavailable",
        "operator_down",
        "too_soon",
        "wallet_empty",
        "limit_reached",
        "invalid_number",
        "unknown_code",
    ],
)
def test_a_definite_no_is_failed_and_nothing_was_debited(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    outcome = carrier.submit(door.request(REF, kind))
    assert (outcome.state, outcome.reason) == door.refusals[fault]
    assert outcome.raw_code
    assert debits(door, sandbox) == []
    # A carrier that refuses by the state of a record keeps the record; then it says no again.
    kept = carrier.find(REF, None, door.number, datetime.now(UTC)) if "remembers_refusals" in door.traits else None
    if kept is not None and kept.outcome is not None:
        assert (kept.outcome.state, kept.outcome.reason) == door.refusals[fault]
    else:
        assert absent(carrier, door.request(REF, kind))


def test_an_empty_wallet_is_a_reason_of_its_own(carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind) -> None:
    door.books(sandbox).set_wallet(door.plan_cost.currency, door.plan_cost.minor - 1)
    outcome = carrier.submit(door.request(REF, kind))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.WALLET_EMPTY)
    assert debits(door, sandbox) == []


@needs("owns_numbers")
def test_a_number_of_another_carrier_is_refused(carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind) -> None:
    outcome = carrier.submit(door.request(REF, kind, number=door.stranger))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.INVALID_NUMBER)
    assert door.books(sandbox).debits() == []


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


@pytest.mark.parametrize("fault", AFTER_COMMIT)
def test_a_lost_answer_is_unknown_until_the_look_up_tells_it_was_done(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    assert carrier.submit(request).state is OutcomeState.UNKNOWN
    assert len(debits(door, sandbox)) == 1
    assert ask_again(carrier, request).state is OutcomeState.SUCCEEDED
    assert door.books(sandbox).submits_by_ref[REF] == 1


@pytest.mark.parametrize("fault", BEFORE_COMMIT)
def test_a_lost_request_is_unknown_until_the_look_up_tells_it_is_absent(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    assert carrier.submit(request).state is OutcomeState.UNKNOWN
    assert debits(door, sandbox) == []
    assert absent(carrier, request)
    assert door.books(sandbox).submits_by_ref[REF] == 1


@pytest.mark.parametrize("fault", SLOW)
def test_an_answer_that_does_not_end_is_unknown_in_time(hasty: Carrier, sandbox: SandboxServer, door: Door, fault: str) -> None:
    misbehave(sandbox, fault)
    started = time.monotonic()
    assert hasty.submit(door.request(REF)).state is OutcomeState.UNKNOWN
    assert time.monotonic() - started < HASTY + LATE
    assert len(debits(door, sandbox)) == 1
    assert ask_again(hasty, door.request(REF)).state is OutcomeState.SUCCEEDED


def test_a_carrier_that_acts_after_our_first_look_up_is_still_found(hasty: Carrier, sandbox: SandboxServer, door: Door) -> None:
    sandbox.carrier.faults.add(Fault("late_commit", count=1, seconds=2.0))
    request = door.request(REF)
    assert hasty.submit(request).state is OutcomeState.UNKNOWN
    assert absent(hasty, request), "that is why absent is believed only after the settle window"
    until = time.monotonic() + 5
    while not debits(door, sandbox) and time.monotonic() < until:
        time.sleep(0.05)
    assert ask_again(hasty, request).state is OutcomeState.SUCCEEDED


def test_a_carrier_that_resets_every_connection_is_unknown(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    # Token and prices are there: who reads a price before the order must not owe its answer to that.
    list(carrier.list_products())
    misbehave(sandbox, "off", "any", None)
    assert carrier.submit(door.request(REF)).state is OutcomeState.UNKNOWN
    assert carrier.find(REF, None, door.number, datetime.now(UTC)).state is FindState.CANNOT_TELL


# Never sent


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


@needs("tokens")
@pytest.mark.parametrize("fault", ["html_502", "drip", "lost_after_commit", "html_200", "error_500", "off"])
def test_without_a_token_nothing_is_sent(protocol: str, sandbox: SandboxServer, door: Door, fault: str) -> None:
    misbehave(sandbox, fault, "token")
    carrier = open_carrier(protocol, sandbox.url, deadline_seconds=HASTY)
    assert carrier.submit(door.request(REF)).state is OutcomeState.NOT_SENT
    assert door.books(sandbox).submits_by_ref[REF] == 0
    assert carrier.submit(door.request(REF)).state is OutcomeState.SUCCEEDED


@needs("credentials")
def test_wrong_credentials_leave_the_order_unsent(protocol: str, sandbox: SandboxServer, door: Door) -> None:
    carrier = open_carrier(protocol, sandbox.url, **door.wrong_credentials(sandbox.url))
    outcome = carrier.submit(door.request(REF))
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.AUTH)
    assert door.books(sandbox).submits_by_ref[REF] == 0


@needs("rate_limit")
def test_too_many_requests_waits_and_goes_again_under_the_same_reference(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    misbehave(sandbox, "rate_limit")
    request = door.request(REF, kind)
    outcome = carrier.submit(request)
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.RATE_LIMITED)
    assert outcome.retry_after == door.pause
    assert debits(door, sandbox) == []
    assert carrier.submit(request).state is OutcomeState.SUCCEEDED


# Tokens


@needs("tokens")
def test_a_token_that_dies_in_mid_sale_is_not_an_attempt(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    misbehave(sandbox, "token_expired")
    assert carrier.submit(door.request(REF, kind)).state is OutcomeState.SUCCEEDED
    assert len(debits(door, sandbox)) == 1


@needs("tokens")
def test_a_carrier_that_calls_every_token_stale_is_asked_twice_and_no_more(
    carrier: Carrier, sandbox: SandboxServer, door: Door
) -> None:
    misbehave(sandbox, "token_expired", count=None)
    outcome = carrier.submit(door.request(REF))
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.AUTH)
    assert door.books(sandbox).submits_by_ref[REF] == 2
    assert debits(door, sandbox) == []


@needs("tokens")
def test_a_revoked_token_is_renewed_for_a_look_up_too(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.submit(door.request(REF))
    door.revoke(sandbox)
    assert ask_again(carrier, door.request(REF)).state is OutcomeState.SUCCEEDED


@needs("tokens")
def test_many_tills_share_one_token(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    requests = [door.request(f"{REF}-{till}", number=door.other_number(till)) for till in range(8)]
    with ThreadPoolExecutor(8) as tills:
        outcomes = list(tills.map(carrier.submit, requests))
    assert {outcome.state for outcome in outcomes} == {OutcomeState.SUCCEEDED}
    assert len(door.books(sandbox).debits()) == 8
    assert door.books(sandbox).requests[door.token_door] == 1


@needs("tokens")
def test_many_tills_renew_a_dead_token_once(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.wallet()
    door.revoke(sandbox)
    gate = threading.Barrier(6)

    def look(_: int) -> int:
        gate.wait()
        return len(carrier.wallet())

    with ThreadPoolExecutor(6) as tills:
        assert set(tills.map(look, range(6))) == {1}
    assert door.books(sandbox).requests[door.token_door] == 2


# The same reference


@needs("unique_refs")
def test_a_repeated_reference_is_in_doubt_and_never_failed(
    carrier: Carrier, sandbox: SandboxServer, door: Door, kind: ProductKind
) -> None:
    request = door.request(REF, kind)
    carrier.submit(request)
    again = carrier.submit(request)
    assert (again.state, again.reason) == (OutcomeState.UNKNOWN, Reason.DUPLICATE_REF)
    assert len(debits(door, sandbox)) == 1
    assert ask_again(carrier, request).state is OutcomeState.SUCCEEDED


@needs("unique_refs")
def test_the_same_reference_from_many_threads_is_debited_once(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    with ThreadPoolExecutor(6) as tills:
        outcomes = list(tills.map(carrier.submit, [door.request(REF)] * 6))
    assert sorted(outcome.state for outcome in outcomes) == [OutcomeState.SUCCEEDED] + [OutcomeState.UNKNOWN] * 5
    assert len(debits(door, sandbox)) == 1


def test_a_carrier_that_takes_a_reference_twice_is_reported_as_doubled(
    carrier: Carrier, sandbox: SandboxServer, door: Door
) -> None:
    door.books(sandbox).enforce_unique_refs = False
    for _ in range(2):
        assert carrier.submit(door.request(REF)).state is OutcomeState.SUCCEEDED
        # Some want a pause between two top-ups of one number.
        door.books(sandbox).move_clock(180)
    finding = carrier.find(REF, None, door.number, datetime.now(UTC))
    assert (finding.state, finding.doubled) == (FindState.FOUND, True)


def test_a_reference_that_only_begins_the_same_is_another(carrier: Carrier, door: Door) -> None:
    carrier.submit(door.request(REF))
    assert absent(carrier, door.request(REF[:-1]))
    assert absent(carrier, door.request(REF + "4"))


# Later


@needs("status")
def test_an_unknown_status_word_is_not_yet(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    misbehave(sandbox, "unknown_status")
    outcome = carrier.submit(door.request(REF))
    assert (outcome.state, outcome.reason, outcome.raw_code) == (
        OutcomeState.PENDING,
        Reason.UNKNOWN_STATUS,
        "resting",
    )
    assert ask_again(carrier, door.request(REF), outcome).state is OutcomeState.SUCCEEDED


@needs("pending")
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
    door.books(sandbox).move_clock(21)
    assert ask_again(carrier, request, outcome).state is end
    assert len(debits(door, sandbox)) == count


@needs("reversals")
def test_a_late_reversal_is_told(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    misbehave(sandbox, "done_then_reversed")
    request = door.request(REF)
    assert carrier.submit(request).state is OutcomeState.SUCCEEDED
    door.books(sandbox).move_clock(61)
    assert ask_again(carrier, request).state is OutcomeState.REVERSED


@needs("echoes")
@pytest.mark.parametrize("fault", ["wrong_echo", "wrong_currency"])
def test_an_answer_about_something_else_is_not_hidden(
    carrier: Carrier, sandbox: SandboxServer, door: Door, fault: str, kind: ProductKind
) -> None:
    misbehave(sandbox, fault)
    request = door.request(REF, kind)
    echo = carrier.submit(request).echo
    assert echo is not None
    if door.tells_face:
        assert (echo.number, echo.amount) != (request.number, request.face)
    else:
        assert (echo.number, echo.product_key) != (request.number, request.product_key)


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


# The dealer's books


@needs("statement")
def test_the_statement_equals_the_books(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    started_at = sandbox.carrier.clock.now() - timedelta(seconds=1)
    for turn in range(3):
        carrier.submit(door.request(f"{REF}-{turn}", door.kinds[turn % len(door.kinds)], number=door.other_number(turn)))
    door.reverse_the_first(sandbox)
    lines = list(carrier.statement(started_at, sandbox.carrier.clock.now() + timedelta(seconds=1)))
    states = {"completed": OutcomeState.SUCCEEDED, "reversed": OutcomeState.REVERSED}
    told = {(line.ref, line.provider_ref, line.cost, line.state) for line in lines}
    movements = door.books(sandbox).movements()
    assert len(movements) == 4, "three sales, and one of them given back"
    assert told == {(m.ref, m.order_id, Money(m.amount_minor, m.currency), states[m.state]) for m in movements}
    assert len(lines) == len(movements), "what was charged and given back is two lines"
    for line in lines:
        (movement,) = {(m.number, m.offering) for m in movements if m.order_id == line.provider_ref}
        assert line.number in (None, movement[0])
        assert line.product_key in (None, movement[1])


def test_the_wallet_is_what_the_books_say(carrier: Carrier, sandbox: SandboxServer, door: Door) -> None:
    carrier.submit(door.request(REF))
    (balance,) = carrier.wallet()
    currency = door.plan_cost.currency
    assert balance.available == Money(door.books(sandbox).wallets()[currency], currency)


@pytest.mark.parametrize("read_fault", BAD_READS + BAD_SLOW_READS + ["off"])
def test_a_read_that_fails_says_so_in_time(hasty: Carrier, sandbox: SandboxServer, door: Door, read_fault: str) -> None:
    # No page may wait for a carrier for ever, and half an answer is none.
    hasty.submit(door.request(REF))
    misbehave(sandbox, read_fault, "read", None)
    now = datetime.now(UTC) + timedelta(seconds=1)
    for read in (
        lambda: list(hasty.list_products()),
        hasty.wallet,
        lambda: list(hasty.statement(now - timedelta(days=1), now)),
    ):
        started = time.monotonic()
        with pytest.raises(CarrierUnavailable):
            read()
        assert time.monotonic() - started < HASTY + LATE


# What is sold


def test_the_catalogue_holds_what_is_sold(carrier: Carrier, door: Door) -> None:
    products = {product.key: product for product in carrier.list_products()}
    plan = products[door.plan]
    assert (plan.face, plan.cost, plan.sellable) == (door.plan_face, door.plan_cost, True)
    assert len({product.key for product in products.values()}) > 1


# What is promised


def test_what_is_not_declared_is_our_fault_to_ask(carrier: Carrier, door: Door) -> None:
    now, request = datetime.now(UTC), door.request(REF)
    calls: dict[Capability, Callable[[], object]] = {
        Capability.LOOKUP_NUMBER: lambda: carrier.lookup_number(door.number),
        Capability.SUBSCRIPTION: lambda: carrier.get_subscription(door.number),
        Capability.VALIDATE: lambda: carrier.validate(request),
        Capability.HOLD: lambda: carrier.hold(request),
        Capability.VOID: lambda: carrier.void(REF, "1"),
        Capability.REFUND_REQUEST: lambda: carrier.request_refund(REF, "1", "never arrived"),
        Capability.IDENTITY_MATCH: lambda: carrier.match_identity(door.number, IdentityClaim("X1")),
        Capability.WALLET: carrier.wallet,
        Capability.STATEMENT: lambda: carrier.statement(now, now),
    }
    for capability in set(calls) - carrier.declaration().capabilities:
        with pytest.raises(NotImplementedError):
            calls[capability]()


@pytest.mark.parametrize("nonsense", [b"", b"[]", b"\xff", b"<html>", b'{"event":[]}', b"[" * 5000, b" " * 100_000, b'{"id":{}}'])
def test_a_notification_that_says_nothing_is_an_empty_hint(carrier: Carrier, nonsense: bytes) -> None:
    hint = carrier.parse_notification({}, nonsense)
    assert (hint.ref, hint.provider_ref, hint.authenticated) == (None, None, False)
