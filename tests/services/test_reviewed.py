"""Faults that a reviewer proved, each kept from coming back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from pos.domain.ledger import Account
from pos.domain.renewals import RenewalState
from pos.ports import Outcome, OutcomeState, Reason
from pos.sandbox.server import SandboxServer
from pos.services import print_jobs, renewals
from pos.store import ledger as books
from pos.store import renewals as rows
from pos.store.db import reading, transaction
from pos.store.plans import Plan
from tests.conftest import StandingClock
from tests.counter import Counter


def state_of(counter: Counter, sale_id: str) -> RenewalState:
    with counter.app.app_context(), reading() as session:
        return next(r.state for r in rows.of_sale(session, sale_id) if r.state is not RenewalState.VOIDED)


def test_an_open_card_payment_guards_against_a_twin_paid_in_cash(counter: Counter, sandbox: SandboxServer) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.post(f"/sales/{counter.sale_id}/card/no-result", {})
    counter.number().document().plan()
    assert counter.page.status == 409
    assert "This number already got this plan" in counter.page.plain
    assert sandbox.carrier.books.debits() == []


@pytest.mark.parametrize("to_be_found", [["charged for"]])
def test_a_number_with_an_undecided_renewal_takes_no_more_money(
    counter: Counter, sandbox: SandboxServer, clock: StandingClock
) -> None:
    counter.open_shift().ready_to_pay(number="07700 900512").cash()  # 12: the carrier confirms another amount
    counter.work()
    assert state_of(counter, counter.sale_id) is RenewalState.MANUAL
    clock.pass_time(minutes=5)
    counter.ready_to_pay(number="07700 900512", plan="Lyca Data 3 days 3 GB").cash()
    assert counter.page.status == 409
    assert "has not decided an earlier renewal" in counter.page.plain


def test_a_pause_the_carrier_asks_for_has_an_end(counter: Counter, clock: StandingClock) -> None:
    counter.open_shift().ready_to_pay().cash()
    with counter.app.app_context():
        task = renewals.take_next("test#1", kit=counter.kit)
        assert task is not None
        answer = Outcome(OutcomeState.NOT_SENT, reason=Reason.RATE_LIMITED, retry_after=timedelta(days=900))
        renewals.write_outcome(task, answer, kit=counter.kit)
        with reading() as session:
            (renewal,) = rows.of_sale(session, counter.sale_id)
            assert renewal.due_at is not None
            assert renewal.due_at - clock.now() <= timedelta(minutes=15)


def test_what_could_not_be_sent_for_a_day_is_owed_back(counter: Counter, sandbox: SandboxServer, clock: StandingClock) -> None:
    counter.open_shift().ready_to_pay().cash()
    sandbox.stop()
    for _ in range(30):
        counter.work()
        clock.pass_time(hours=1)
    assert state_of(counter, counter.sale_id) is RenewalState.REFUND_DUE
    sandbox.start()
    assert sandbox.carrier.books.debits() == []
    assert counter.verify() == []


@pytest.mark.parametrize("to_be_found", [["charged for"]])
def test_an_answer_that_cannot_be_booked_goes_to_a_manager_once(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    counter.open_shift().ready_to_pay().cash()

    def unbookable(*_args: object, **_more: object) -> None:
        raise OverflowError

    monkeypatch.setattr(renewals, "_confirm", unbookable)
    counter.work()
    assert state_of(counter, counter.sale_id) is RenewalState.MANUAL


@pytest.mark.parametrize("to_be_found", [["knows nothing of"]])
def test_a_plan_without_end_is_booked(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash()
    with counter.app.app_context():
        task = renewals.take_next("test#1", kit=counter.kit)
        assert task is not None
        answer = Outcome(OutcomeState.SUCCEEDED, provider_ref="P1", valid_until=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
        renewals.write_outcome(task, answer, kit=counter.kit)
    assert state_of(counter, counter.sale_id) is RenewalState.CONFIRMED
    assert counter.look().status == 200


def test_one_unreadable_row_does_not_hold_up_the_next_customer(
    counter: Counter, clock: StandingClock, to_be_found: list[str]
) -> None:
    counter.open_shift().ready_to_pay().cash()
    first = counter.sale_id
    with counter.app.app_context(), transaction() as session:
        spoilt = {"id": first, "sealed": b"enc-9\x00"}
        session.execute(text("UPDATE renewals SET number_sealed = :sealed WHERE sale_id = :id"), spoilt)
    clock.pass_time(seconds=1)
    counter.ready_to_pay(number="07700 900124").cash()
    counter.work()
    assert state_of(counter, counter.sale_id) is RenewalState.CONFIRMED
    assert state_of(counter, first) is RenewalState.PAID
    to_be_found.append("its number cannot be opened")


def test_a_second_refund_slip_is_not_swallowed(counter: Counter) -> None:
    counter.open_shift().ready_to_pay(number="07700 900521").card_begin().card_slip()  # 21: refused
    counter.work()
    first = {"authorisation": "R11111", "slip_number": "0018"}
    assert counter.post(f"/sales/{counter.sale_id}/refund", first).status == 200
    assert counter.post(f"/sales/{counter.sale_id}/refund", first).status == 200
    again = counter.post(f"/sales/{counter.sale_id}/refund", {"authorisation": "R22222", "slip_number": "0099"})
    assert again.status == 409
    assert "another slip" in again.plain


def test_one_terminal_slip_pays_one_sale(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().card_begin().card_slip()
    counter.work()
    counter.ready_to_pay(number="07700 900124").card_begin().card_slip()
    assert counter.page.status == 409
    assert "already paid sale LON1-000001" in counter.page.plain


def test_an_impossible_remainder_says_nothing_of_the_expected_sum(counter: Counter) -> None:
    counter.open_shift("105.00")
    answers = []
    for pieces in ("100", "10500", "99900"):
        counter.get("/shift/close")
        page = counter.post("/shift/close", {"pieces_1": pieces, "left_in_drawer": "99999"})
        answers.append((page.status, "count again" in page.plain))
    assert answers == [(422, False)] * 3


def test_a_drawer_that_lost_money_between_shifts_shows_a_difference(counter: Counter) -> None:
    counter.open_shift("100.00")
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_1000": "10", "left_in_drawer": "100.00"})
    counter.open_shift("40.00")
    with counter.app.app_context(), reading() as session:
        assert books.balance(session, Account.OVER_SHORT, "GBP") == 6000
        assert books.balance(session, Account.DRAWER, "GBP") == 4000
    assert counter.verify() == []


def test_a_clerk_cannot_add_up_the_receipts_of_another_till(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash()
    counter.work()
    assert counter.get("/receipts/LON1-000001").status == 200
    other = Counter(counter.app, till="LON2", staff="102")
    assert other.get("/receipts/LON1-000001").status == 404
    assert other.get("/receipts/LON1-000001.pdf").status == 404
    assert Counter(counter.app, till="LON2", staff="201").get("/receipts/LON1-000001").status == 200


def test_a_press_that_came_too_late_prints_nothing(counter: Counter, clock: StandingClock) -> None:
    counter.open_shift().ready_to_pay().cash()
    with counter.app.app_context():
        (printer,) = print_jobs.printers_due(kit=counter.kit)
        one = print_jobs.take_next(printer, "w#1", kit=counter.kit)
        assert one is not None
        counter.work()
        clock.pass_time(seconds=46)
        print_jobs.recover("nobody", kit=counter.kit)
        two = print_jobs.take_next(printer, "w#1", kit=counter.kit)
        assert two is not None
        assert not print_jobs.about_to_send(one, kit=counter.kit)
        assert print_jobs.about_to_send(two, kit=counter.kit)


def test_interim_confirmation_and_the_old_page_pressed_again(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash()
    counter.post(f"/sales/{counter.sale_id}/interim", {})
    counter.work()
    assert counter.post(f"/sales/{counter.sale_id}/interim", {}).status == 200


def test_a_float_that_no_drawer_holds_is_refused(counter: Counter) -> None:
    counter.get("/shift/open")
    page = counter.post("/shift/open", {"float_amount": "9999999999999.99"})
    assert page.status == 422


@pytest.mark.parametrize("path", ["/shift/closed/99999999999999999999", "/printing/99999999999999999999/cancel"])
def test_a_number_too_large_for_the_database_is_no_fault(counter: Counter, path: str) -> None:
    assert counter.get(path).status in (404, 405)


def test_after_a_declined_card_another_plan_may_be_chosen(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.post(f"/sales/{counter.sale_id}/card/declined", {"payment": counter.page.hidden("payment")})
    with counter.app.app_context(), reading() as session:
        other = session.scalars(select(Plan.id).where(Plan.name == "Lyca Data 3 days 3 GB", Plan.currency == "GBP")).one()
    counter.post(f"/sales/{counter.sale_id}/plan", {"plan_id": str(other)})
    assert counter.page.status == 200
    assert "Lyca Data 3 days 3 GB" in counter.page.plain
    counter.cash()
    counter.work()
    assert state_of(counter, counter.sale_id) is RenewalState.CONFIRMED
