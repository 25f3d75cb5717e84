"""A carrier that cannot be asked, that refuses us or has none of our money left: selling stops before money is taken, paid
renewals wait, and every till says why (F5, F20, F21, F23, F24; the breaker of the renewal protocol, 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from pos.app import create_app, make_carriers
from pos.domain.errors import CarrierUnasked, FloatUsedUp, NotYetKnown
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.ports import Finding, FindState, Outcome, OutcomeState, Reason, Request
from pos.sandbox.records import Fate
from pos.sandbox.server import SandboxServer
from pos.services import payments, refunds, renewals, standings, status
from tests.conftest import StandingClock
from tests.counter import Counter
from tests.services.shop import Ready, Shop

R = RenewalState
LOOSE = {"enforce_unique_refs": False, "unasked_patience_seconds": 120}
OTHER_NUMBER = "+447700900124"


@pytest.fixture
def paid(shop: Shop, desk: Desk) -> Callable[..., str]:
    def pay(number: str = "+447700900123") -> str:
        ready = shop.ready(desk, number)
        shop.take_cash(ready)
        return ready.sale_id

    return pay


def alarms(shop: Shop, desk: Desk) -> list[str]:
    with shop.app.app_context():
        return [alarm.kind for alarm in status.strip(desk, kit=shop.kit).alarms]


def ask_carriers(shop: Shop) -> None:
    with shop.app.app_context():
        status.ask_carriers(kit=shop.kit)


def silence(shop: Shop, desk: Desk, paid: Callable[..., str]) -> tuple[str, Ready]:
    """A sale in doubt at a carrier that answers no question for longer than patience lasts; and one quoted before."""
    quoted = shop.ready(desk, OTHER_NUMBER)
    shop.misbehave("lost_after_commit")
    shop.misbehave("error_500", "find", None)
    sale = paid()
    for _ in range(8):
        shop.work()
        shop.pass_time(30)
    assert shop.state(sale) is R.UNKNOWN
    return sale, quoted


# ---------------------------------------------------------------- the breaker


@pytest.mark.parametrize("carrier_habits", [LOOSE])
def test_while_nobody_can_be_asked_no_money_is_taken(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    """F24: submitting would work, the status service is down."""
    shop.sandbox.carrier.switches.enforce_unique_refs = False
    sale, quoted = silence(shop, desk, paid)
    assert alarms(shop, desk) == ["unasked"]
    with pytest.raises(CarrierUnasked):
        shop.take_cash(quoted)
    with shop.app.app_context(), pytest.raises(CarrierUnasked):
        payments.begin_card(quoted.sale_id, quoted.quote, desk, kit=shop.kit)
    with pytest.raises(CarrierUnasked):
        shop.ready(desk, "+447700900125")
    assert shop.ask("select count(*) from payments") == [(1,)]
    shop.sandbox.carrier.faults.clear()
    ask_carriers(shop)
    assert alarms(shop, desk) == []
    shop.take_cash(shop.ready(desk, "+447700900125"))
    shop.ask_until_it_is_known()
    assert shop.state(sale) is R.CONFIRMED


@pytest.mark.parametrize("carrier_habits", [LOOSE])
def test_the_breaker_holds_in_every_process(
    shop: Shop, desk: Desk, paid: Callable[..., str], sandbox: SandboxServer, clock: StandingClock, folder: Any
) -> None:
    from tests.conftest import _close, _release, settings_in

    shop.sandbox.carrier.switches.enforce_unique_refs = False
    silence(shop, desk, paid)
    settings = settings_in(folder, sandbox.url, LOOSE)
    other = Shop(create_app(settings, clock=clock, given=make_carriers(settings)), sandbox, clock)
    with pytest.raises(CarrierUnasked):
        other.ready(desk, "+447700900125")
    with other.app.app_context():
        _release(other.app)
    _close(other.kit.carriers)


@pytest.mark.parametrize("carrier_habits", [LOOSE])
def test_a_short_silence_stops_nothing(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    shop.sandbox.carrier.switches.enforce_unique_refs = False
    shop.misbehave("lost_after_commit")
    shop.misbehave("error_500", "find", 2)
    sale = paid()
    shop.work()
    shop.pass_time(5)
    shop.work()
    assert alarms(shop, desk) == []
    shop.take_cash(shop.ready(desk, OTHER_NUMBER))
    shop.ask_until_it_is_known()
    shop.pass_time(1000)
    assert (shop.state(sale), alarms(shop, desk)) == (R.CONFIRMED, [])


@pytest.mark.parametrize("carrier_habits", [{"unasked_patience_seconds": 120}])
def test_a_carrier_that_refuses_twins_goes_on_selling(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    sale, quoted = silence(shop, desk, paid)
    assert alarms(shop, desk) == []
    shop.take_cash(quoted)
    shop.sandbox.carrier.faults.clear()
    shop.ask_until_it_is_known()
    assert (shop.state(sale), shop.state(quoted.sale_id)) == (R.CONFIRMED, R.CONFIRMED)


@pytest.mark.parametrize("carrier_habits", [LOOSE])
def test_while_only_submitting_is_down_asking_decides(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    """F24, the other way round."""
    shop.sandbox.carrier.switches.enforce_unique_refs = False
    shop.misbehave("error_500", "submit", None)
    sale = paid()
    shop.ask_until_it_is_known()
    assert (shop.state(sale), shop.submits, shop.debits, alarms(shop, desk)) == (R.MANUAL, [1], [], [])


# ---------------------------------------------------------------- F21: the float


def test_an_empty_float_stops_the_carrier_on_every_till_until_it_is_filled(
    shop: Shop, desk: Desk, paid: Callable[..., str]
) -> None:
    quoted = shop.ready(desk, OTHER_NUMBER)
    shop.sandbox.carrier.books.set_wallet("GBP", 100)
    sale = paid()
    shop.work()
    line = shop.line(sale)
    assert (line.state, line.reason) == (R.REFUND_DUE, Reason.WALLET_EMPTY.value)
    assert alarms(shop, desk) == alarms(shop, shop.desk("LON2")) == ["dry"]
    with pytest.raises(FloatUsedUp):
        shop.take_cash(quoted)
    with pytest.raises(FloatUsedUp):
        shop.ready(desk, "+447700900125")
    shop.sandbox.carrier.books.set_wallet("GBP", line.cost_minor - 1)
    ask_carriers(shop)
    assert alarms(shop, desk) == ["dry"], "not enough for what it could not pay"
    shop.sandbox.carrier.books.set_wallet("GBP", 100_000)
    ask_carriers(shop)
    assert alarms(shop, desk) == []
    shop.take_cash(quoted)
    shop.work()
    assert shop.state(quoted.sale_id) is R.CONFIRMED


def test_a_manager_lifts_the_stop_and_a_clerk_does_not(counter: Counter, shop: Shop) -> None:
    counter.open_shift().ready_to_pay("07700 900525").cash("10.00")
    shop.work()
    assert "Float at sandbox used up" in counter.get("/").plain
    counter.post("/carriers/sandbox/lift", {})
    assert counter.page.status == 403
    boss = Counter(shop.app, "LON2", "201")
    assert "Float at sandbox used up" in boss.get("/verdicts").plain
    boss.post("/carriers/sandbox/lift", {})
    assert "used up" not in boss.get("/").plain
    assert shop.ask("select actor from journal where kind = 'carrier.lifted'") == [("staff:201",)]
    counter.get("/")
    counter.ready_to_pay("07700 900124").cash("10.00")
    shop.work()
    assert shop.state(counter.sale_id) is R.CONFIRMED


# ---------------------------------------------------------------- F5 and F20: we are not let in


class Closed:
    """A carrier whose door is closed to us until ``opens``; everything else is the sandbox."""

    def __init__(self, carrier: Any, outcome: Outcome) -> None:
        self._carrier, self._outcome, self.opens = carrier, outcome, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._carrier, name)

    def submit(self, request: Request) -> Outcome:
        found = self._carrier.submit(request) if self.opens else self._outcome
        assert isinstance(found, Outcome)
        return found


@pytest.mark.parametrize("reason", [Reason.AUTH, Reason.CERTIFICATE])
def test_who_is_not_let_in_waits_and_every_till_knows(
    app: Flask, shop: Shop, desk: Desk, paid: Callable[..., str], reason: Reason
) -> None:
    carriers = shop.kit.carriers
    assert isinstance(carriers, dict)
    carriers["sandbox"] = door = Closed(carriers["sandbox"], Outcome(OutcomeState.NOT_SENT, reason=reason))
    sale = paid()
    for _ in range(5):
        shop.work()
        assert (shop.state(sale), alarms(shop, desk)) == (R.PAID, ["kept_back"])
        with shop.app.app_context(), pytest.raises(NotYetKnown):
            refunds.pay_back(sale, desk, kit=shop.kit)
        shop.pass_time(901)
    door.opens = True
    shop.ask_until_it_is_known()
    assert (shop.state(sale), len(shop.attempts(sale)), alarms(shop, desk)) == (R.CONFIRMED, 1, [])


def test_who_is_not_let_in_for_a_day_owes_the_money_back(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    carriers = shop.kit.carriers
    assert isinstance(carriers, dict)
    carriers["sandbox"] = Closed(carriers["sandbox"], Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH))
    sale = paid()
    shop.work()
    shop.pass_time(90_000)
    shop.work()
    assert (shop.state(sale), shop.debits, alarms(shop, desk)) == (R.REFUND_DUE, [], [])


def test_refused_credentials_at_the_real_door(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    """The whole road once: every token is called stale, so each of ours is refused."""
    shop.misbehave("token_expired", "submit", None)
    sale = paid()
    shop.work()
    assert (shop.state(sale), shop.line(sale).reason, alarms(shop, desk)) == (R.PAID, "auth", ["kept_back"])
    shop.sandbox.carrier.faults.clear()
    shop.ask_until_it_is_known()
    assert (shop.state(sale), len(shop.debits), alarms(shop, desk)) == (R.CONFIRMED, 1, [])


# ---------------------------------------------------------------- F23: our reference, another body


@pytest.mark.parametrize("state", [OutcomeState.SUCCEEDED, OutcomeState.FAILED, OutcomeState.PENDING])
def test_our_reference_with_another_body_goes_to_a_manager(
    shop: Shop, desk: Desk, paid: Callable[..., str], state: OutcomeState, to_be_found: list[str]
) -> None:
    sale = paid()
    task = shop.take_next()
    fate = (
        Fate()
        if state is OutcomeState.SUCCEEDED
        else Fate(wait_seconds=1 if state is OutcomeState.FAILED else 900, will="failed")
    )
    shop.sandbox.carrier.books.renew(task.ref, OTHER_NUMBER, "lyca-data-gb-7d", fate, action="add")
    assert task.request is not None
    twin = shop.kit.carriers["sandbox"].submit(task.request)
    assert twin.reason is Reason.DUPLICATE_REF
    with shop.app.app_context():
        renewals.write_outcome(task, twin, kit=shop.kit)
    shop.pass_time(5)
    shop.work()
    assert (shop.state(sale), shop.line(sale).reason) == (R.MANUAL, "other_echo")
    if state is OutcomeState.SUCCEEDED:
        to_be_found.append("which we did not confirm")


def test_a_silent_finding_is_written_once(shop: Shop, desk: Desk, paid: Callable[..., str]) -> None:
    shop.misbehave("lost_after_commit")
    paid()
    shop.work()
    seen = []
    for _ in range(3):
        shop.pass_time(60)
        task = shop.take_next()
        with shop.app.app_context():
            renewals.write_finding(task, Finding(FindState.CANNOT_TELL), kit=shop.kit)
        seen += shop.ask("select unasked_since from standings")
    assert len(set(seen)) == 1 and seen[0][0] is not None
    with shop.app.app_context():
        renewals.ask_the_silent(kit=shop.kit)
    assert shop.ask("select unasked_since from standings") == [(None,)]
    with shop.app.app_context():
        assert standings.alarms_now(kit=shop.kit) == ()
