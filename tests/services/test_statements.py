"""The carrier's own statement decides what asking could not, takes back what was confirmed, and agrees with one booking each
(moves 12, 13, 20, 21; F18 and F19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from pos.domain.errors import NothingToDecide, NothingToRefund, NotYetKnown
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.ports import CarrierUnavailable, FindState, Outcome, OutcomeState, Reason
from pos.sandbox.records import Fate
from pos.sandbox.server import SandboxServer
from pos.services import refunds, renewals, sales, statements, status, verdicts
from tests.services.shop import Shop

R = RenewalState
NUMBER = "+447700900123"
PLAN = "lyca-data-gb-7d"
PROMISED = {"enforce_unique_refs": False, "statement_complete_after_seconds": 3600}


@pytest.fixture
def paid(shop: Shop, desk: Desk) -> Callable[[], str]:
    def pay() -> str:
        ready = shop.ready(desk)
        shop.take_cash(ready)
        return ready.sale_id

    return pay


def resolve(shop: Shop) -> dict[str, int]:
    with shop.app.app_context():
        return statements.resolve_from_statement("sandbox", shop.clock.now().date(), kit=shop.kit)


def look_again(shop: Shop, sale: str) -> FindState | None:
    with shop.app.app_context():
        return renewals.look_again(shop.line(sale).id, kit=shop.kit)


def lost(shop: Shop, paid: Callable[[], str], fault: str = "lost_after_commit") -> str:
    """A sale whose answer got lost and whose order nobody has asked about yet."""
    shop.sandbox.carrier.switches.enforce_unique_refs = False
    shop.misbehave(fault)
    sale = paid()
    shop.work()
    assert shop.state(sale) is R.UNKNOWN
    return sale


def refused(shop: Shop, paid: Callable[[], str]) -> str:
    """A sale that the carrier refused; the customer's money is owed back. Its id."""
    shop.misbehave("refuse")
    sale = paid()
    shop.work()
    assert shop.state(sale) is R.REFUND_DUE
    return sale


def done_after_all(shop: Shop, sale: str) -> None:
    (attempt,) = shop.attempts(sale)
    shop.sandbox.carrier.books.renew(attempt.ref, NUMBER, PLAN, Fate(), action="add")


# ---------------------------------------------------------------- in doubt: the statement decides


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_an_exact_line_confirms_once_the_settle_window_is_over(shop: Shop, paid: Callable[[], str]) -> None:
    sale = lost(shop, paid)
    assert resolve(shop) == {} and shop.state(sale) is R.UNKNOWN, "before that it could still be taken back"
    shop.pass_time(70)
    assert resolve(shop) == {"confirmed": 1, "agreed": 1}
    line = shop.line(sale)
    assert (line.state, line.provider_ref) == (R.CONFIRMED, shop.debits[0].order_id)
    assert resolve(shop) == {}, "read twice, decided once"
    shop.work()
    assert shop.submits == [1]


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_a_line_that_says_something_else_goes_to_a_manager(shop: Shop, paid: Callable[[], str], to_be_found: list[str]) -> None:
    shop.sandbox.carrier.switches.enforce_unique_refs = False
    shop.misbehave("lost_before_commit")
    sale = paid()
    shop.work()
    (attempt,) = shop.attempts(sale)
    shop.sandbox.carrier.books.renew(attempt.ref, "+447700900124", PLAN, Fate(), action="add")
    shop.pass_time(70)
    assert resolve(shop) == {"manual": 1}
    assert shop.line(sale).reason == "other_echo"
    to_be_found.append(f"charged for {attempt.ref}, which we did not confirm")


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_a_charge_that_was_given_back_owes_the_money_back(shop: Shop, paid: Callable[[], str]) -> None:
    sale = lost(shop, paid)
    shop.sandbox.carrier.books.reverse(shop.debits[0].order_id)
    shop.pass_time(70)
    assert resolve(shop) == {"refund_due": 1}
    assert shop.line(sale).reason == Reason.NOT_RECEIVED.value


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_absence_counts_only_within_the_time_that_is_complete(shop: Shop, paid: Callable[[], str]) -> None:
    """F8: the carrier promises that its statement is whole an hour later; before, a missing line says nothing."""
    sale = lost(shop, paid, "lost_before_commit")
    shop.pass_time(3600)
    assert resolve(shop) == {} and shop.state(sale) is R.UNKNOWN
    shop.pass_time(70)
    assert resolve(shop) == {"refund_due": 1}
    assert shop.debits == []


@pytest.mark.parametrize("carrier_habits", [PROMISED | {"enforce_unique_refs": True}])
def test_absence_decides_nothing_where_an_earlier_try_may_lie_before_the_statement(shop: Shop, paid: Callable[[], str]) -> None:
    """Sent at noon and, with the reference still free, again half an hour later: the statement must cover both."""
    shop.misbehave("lost_before_commit", count=None)
    sale = paid()
    shop.work()
    shop.pass_time(1800)
    shop.work()
    (attempt,) = shop.attempts(sale)
    assert attempt.tries > 1 and shop.state(sale) is R.UNKNOWN
    covered = [
        statements.Statement(attempt.sent_at - timedelta(minutes=earlier), attempt.settles_at, {}).covers(attempt)
        for earlier in (0, 29, 31)
    ]
    assert covered == [False, False, True]


@pytest.mark.parametrize("carrier_habits", [{"enforce_unique_refs": False}])
def test_without_that_promise_absence_decides_nothing(shop: Shop, paid: Callable[[], str]) -> None:
    sale = lost(shop, paid, "lost_before_commit")
    shop.pass_time(80_000)
    assert resolve(shop) == {} and shop.state(sale) is R.UNKNOWN


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_an_accepted_order_is_never_decided_by_absence(shop: Shop, paid: Callable[[], str]) -> None:
    shop.misbehave("pending_then_done", seconds=30_000)
    sale = paid()
    shop.work()
    assert shop.state(sale) is R.PENDING
    shop.pass_time(20_000)
    assert resolve(shop) == {} and shop.state(sale) is R.PENDING
    shop.ask_until_it_is_known(60)
    assert shop.state(sale) is R.CONFIRMED


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_a_statement_that_cannot_be_read_decides_nothing(shop: Shop, paid: Callable[[], str]) -> None:
    sale = lost(shop, paid, "lost_before_commit")
    shop.pass_time(8000)
    shop.misbehave("error_500", "read", None)
    with pytest.raises(CarrierUnavailable):
        resolve(shop)
    assert shop.state(sale) is R.UNKNOWN


@pytest.mark.parametrize("carrier_habits", [PROMISED])
def test_what_a_worker_is_asking_about_is_left_to_it(shop: Shop, paid: Callable[[], str]) -> None:
    sale = lost(shop, paid)
    shop.pass_time(70)
    task = shop.take_next()
    assert resolve(shop) == {} and shop.state(sale) is R.UNKNOWN
    shop.pass_time(60)
    assert resolve(shop)["confirmed"] == 1
    refusal = Outcome(OutcomeState.FAILED, "PO-1", reason=Reason.INELIGIBLE_OR_BARRED)
    with shop.app.app_context():
        renewals.write_finding(task, replace(_found(), outcome=refusal), kit=shop.kit)
    assert shop.state(sale) is R.CONFIRMED, "a slower word is dropped"


def _found() -> Any:
    from pos.ports import Finding

    return Finding(FindState.FOUND)


# ---------------------------------------------------------------- agreement, one to one


def test_a_confirmed_renewal_agrees_with_one_line_and_one_line_with_it(shop: Shop, desk: Desk, paid: Callable[[], str]) -> None:
    sale = paid()
    shop.work()
    assert resolve(shop) == {"agreed": 1}
    assert resolve(shop) == {}
    line, other = shop.debits[0].order_id, shop.line(shop.ready(desk, plan="lyca-data-gb-30d-10g").sale_id).id
    assert shop.ask("select kind, line, cost_minor from agreements") == [("charged", line, 736)]
    assert shop.ask("select count(*) from journal where kind = 'renewal.reconciled'") == [(1,)]
    assert shop.state(sale) is R.CONFIRMED, "two facts, kept apart"
    twin = "insert into agreements (renewal_id, kind, carrier, line, cost_minor, cost_currency, line_at, at) select {} from agreements"
    rest = "cost_minor, cost_currency, line_at, at"
    for another in ("renewal_id, kind, carrier, 'another'", f"'{other}', kind, carrier, line"):
        with pytest.raises(IntegrityError), shop.by_hand() as connection:
            connection.exec_driver_sql(twin.format(f"{another}, {rest}"))


def test_the_worker_reads_each_day_once_after_the_last_store_has_cut_over(shop: Shop, paid: Callable[[], str]) -> None:
    paid()
    shop.work()
    with shop.app.app_context():
        statements.resolve_by_day(kit=shop.kit)
        assert shop.ask("select count(*) from agreements") == [(1,)], "the day before, with its neighbours"
        first = shop.ask("select statement_day from standings")
        assert len(first) == 1
        statements.resolve_by_day(kit=shop.kit)
        assert shop.ask("select statement_day from standings") == first
        shop.pass_time(3 * 86_400)
        statements.resolve_by_day(kit=shop.kit)
    assert shop.ask("select statement_day from standings") > first


def test_a_carrier_whose_statement_cannot_be_had_holds_up_no_other(shop: Shop, paid: Callable[[], str]) -> None:
    paid()
    shop.work()
    carriers = shop.kit.carriers
    assert isinstance(carriers, dict)
    kept = carriers.pop("sandbox")
    carriers |= {"broken": _Mute(kept), "sandbox": kept}
    with shop.app.app_context():
        assert statements.resolve_by_day(kit=shop.kit) == ["broken"]
    assert shop.ask("select carrier from standings") == [("sandbox",)]
    assert shop.ask("select count(*) from agreements") == [(1,)]
    del carriers["broken"]


class _Mute:
    """A carrier whose statement cannot be had."""

    def __init__(self, carrier: Any) -> None:
        self._carrier = carrier

    def __getattr__(self, name: str) -> Any:
        return getattr(self._carrier, name)

    def statement(self, *_period: Any) -> Any:
        raise CarrierUnavailable("broken gave no usable answer")


class _Late(_Mute):
    """A carrier whose statement shows what it gave back a day later."""

    def statement(self, *period: Any) -> Any:
        return [line for line in self._carrier.statement(*period) if line.state is OutcomeState.SUCCEEDED]


# ---------------------------------------------------------------- F19: taken back after success


@pytest.mark.parametrize("by", ["statement", "find"])
def test_a_reversal_after_success_owes_the_money_back(shop: Shop, desk: Desk, paid: Callable[[], str], by: str) -> None:
    sale = paid()
    shop.work()
    shop.sandbox.carrier.books.reverse(shop.debits[0].order_id)
    if by == "statement":
        assert resolve(shop) == {"refund_due": 1, "agreed": 2}
    else:
        assert look_again(shop, sale) is FindState.FOUND
    line = shop.line(sale)
    assert (line.state, line.reason) == (R.REFUND_DUE, "reversed")
    kinds = [kind for (kind,) in shop.ask("select kind from journal where kind in ('renewal.reversed', 'renewal.refund_due')")]
    assert sorted(kinds) == ["renewal.refund_due", "renewal.reversed"]
    with shop.app.app_context():
        assert [row.id for row in sales.unfinished(desk)] == [sale]
        refunds.pay_back(sale, desk, kit=shop.kit)
    assert shop.state(sale) is R.REFUNDED
    assert "contradicted" not in resolve(shop) and look_again(shop, sale) is FindState.FOUND
    assert shop.ask("select count(*) from conflicts") == [(0,)]
    assert shop.ask("select count(*) from agreements") == [(2,)]


def test_a_reversal_of_a_sale_of_last_week_owes_the_money_back_too(shop: Shop, paid: Callable[[], str]) -> None:
    """Its charge lies before everything that is read today."""
    sale = paid()
    shop.work()
    assert resolve(shop) == {"agreed": 1}
    shop.pass_time(6 * 86_400)
    assert resolve(shop) == {}
    shop.sandbox.carrier.books.reverse(shop.debits[0].order_id)
    assert resolve(shop) == {"refund_due": 1, "agreed": 1}
    assert shop.line(sale).reason == "reversed"
    assert (resolve(shop), shop.ask("select count(*) from agreements")) == ({}, [(2,)])


def test_a_statement_that_does_not_show_the_reversal_yet_contradicts_nothing(shop: Shop, paid: Callable[[], str]) -> None:
    sale = paid()
    shop.work()
    shop.sandbox.carrier.books.reverse(shop.debits[0].order_id)
    look_again(shop, sale)
    carriers = shop.kit.carriers
    assert isinstance(carriers, dict)
    kept = carriers["sandbox"]
    carriers["sandbox"] = _Late(kept)
    assert resolve(shop) == {"agreed": 1}
    carriers["sandbox"] = kept
    assert (shop.state(sale), resolve(shop)) == (R.REFUND_DUE, {"agreed": 1})


def test_looking_again_at_a_success_changes_nothing(shop: Shop, paid: Callable[[], str]) -> None:
    sale = paid()
    shop.work()
    assert look_again(shop, sale) is FindState.FOUND
    assert shop.state(sale) is R.CONFIRMED


# ---------------------------------------------------------------- F18: a success that comes too late


@pytest.mark.parametrize("by", ["statement", "find"])
def test_a_success_after_a_refusal_stops_the_refund(shop: Shop, desk: Desk, paid: Callable[[], str], by: str) -> None:
    sale = refused(shop, paid)
    done_after_all(shop, sale)
    if by == "statement":
        assert resolve(shop) == {"contradicted": 1, "manual": 1}
    else:
        look_again(shop, sale)
    assert shop.state(sale) is R.MANUAL
    with shop.app.app_context(), pytest.raises(NotYetKnown):
        refunds.pay_back(sale, desk, kit=shop.kit)
    assert "contradicted" not in resolve(shop)
    with shop.app.app_context():
        (case,) = verdicts.to_decide(desk)
        assert (case.conflict, case.conflict_source) == ("stopped", by)
        manager = shop.desk(staff="201")
        number = verdicts.propose(case.renewal_id, Says.CONFIRMED, Evidence.STATEMENT, "line 9", manager, kit=shop.kit)
        verdicts.agree(number, desk, kit=shop.kit)
    assert (shop.state(sale), shop.line(sale).provider_ref) == (R.CONFIRMED, shop.debits[0].order_id)
    with shop.app.app_context(), pytest.raises(NothingToRefund):
        refunds.pay_back(sale, desk, kit=shop.kit)


@pytest.mark.parametrize("by", ["statement", "find"])
def test_a_success_after_the_refund_is_a_loss_that_two_people_book(
    shop: Shop, desk: Desk, paid: Callable[[], str], by: str
) -> None:
    sale = refused(shop, paid)
    with shop.app.app_context():
        refunds.pay_back(sale, desk, kit=shop.kit)
    done_after_all(shop, sale)
    if by == "statement":
        assert resolve(shop) == {"contradicted": 1}
    else:
        look_again(shop, sale)
    assert shop.state(sale) is R.REFUNDED
    manager = shop.desk(staff="201")
    with shop.app.app_context():
        assert [row.id for row in sales.unfinished(desk)] == [sale], "nobody overlooks it"
        assert status.strip(desk, kit=shop.kit).unfinished == 1
        (case,) = verdicts.to_decide(desk)
        with pytest.raises(NothingToDecide):
            verdicts.propose(case.renewal_id, Says.CONFIRMED, Evidence.STATEMENT, "line 9", manager, kit=shop.kit)
        number = verdicts.propose(case.renewal_id, Says.LOSS, Evidence.STATEMENT, "line 9", manager, kit=shop.kit)
        verdicts.agree(number, desk, kit=shop.kit)
        assert sales.unfinished(desk) == []
    booked = shop.ask("select debit, credit, amount_minor from ledger_transfers where code = 'lost'")
    assert booked == [("cost_of_sales", "carrier_float", 736)]
    assert (shop.state(sale), resolve(shop)) == (R.REFUNDED, {})


@pytest.mark.parametrize("carrier_habits", [{"enforce_unique_refs": False}])
def test_a_success_while_a_manager_holds_it_is_told_to_him(shop: Shop, desk: Desk, paid: Callable[[], str]) -> None:
    sale = lost(shop, paid, "lost_before_commit")
    shop.ask_until_it_is_known()
    assert shop.state(sale) is R.MANUAL
    done_after_all(shop, sale)
    assert resolve(shop) == {"contradicted": 1}
    with shop.app.app_context():
        (case,) = verdicts.to_decide(desk)
        assert (case.conflict, case.provider_ref) == ("stopped", shop.debits[0].order_id)
        number = verdicts.propose(
            case.renewal_id, Says.CONFIRMED, Evidence.STATEMENT, "line 9", shop.desk(staff="201"), kit=shop.kit
        )
        verdicts.agree(number, desk, kit=shop.kit)
    assert shop.state(sale) is R.CONFIRMED


@pytest.mark.parametrize("says", [Says.CONFIRMED, Says.REJECTED])
def test_a_success_of_what_never_left_is_held_again(
    shop: Shop, desk: Desk, paid: Callable[[], str], sandbox: SandboxServer, says: Says, to_be_found: list[str]
) -> None:
    """For a day nothing seemed to leave, so no float was reserved; the carrier's books know better."""
    sale = paid()
    sandbox.stop()
    shop.work()
    shop.pass_time(90_000)
    shop.work()
    assert (shop.state(sale), shop.line(sale).reason) == (R.REFUND_DUE, "unreachable")
    sandbox.start()
    done_after_all(shop, sale)
    assert resolve(shop) == {"contradicted": 1, "manual": 1}
    with shop.app.app_context():
        (case,) = verdicts.to_decide(desk)
        number = verdicts.propose(case.renewal_id, says, Evidence.MAIL, "mail of today", shop.desk(staff="201"), kit=shop.kit)
        verdicts.agree(number, desk, kit=shop.kit)
    if says is Says.REJECTED:
        # People's word is the last, and verify goes on naming what differs.
        assert (shop.state(sale), resolve(shop)) == (R.REFUND_DUE, {})
        to_be_found.append("which we did not confirm")
