"""Races: 2 to 16 threads in 1 to 4 processes on one action, on SQLite and PostgreSQL. One effect, equal answers (or the one
sentence that the counter has for it), and everything still agrees."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from pos.domain.renewals import RenewalState
from pos.ports import Finding, FindState, Outcome, OutcomeState
from pos.services import payments
from pos.services.renewals import recover, take_next
from pos.store.renewals import Renewal
from tests.engines import NoPostgresql
from tests.harness import contenders
from tests.harness.arena import ENGINES, MOST_PROCESSES, Arena, arena
from tests.harness.caller import event
from tests.harness.result import Result, Say
from tests.services.shop import Ready, findings

SIZES = {"commit": 50, "tenth": 500, "full": 5000}
MUST_BE = "one effect, equal answers, both engines"
# A new shop after this many: numbers, drawers and the journal stay small.
_ROUNDS_OF_A_SHOP = 100
_CHECKED_EVERY = 25
# The longest period has the dearest plan; this one leaves the wallet full.
_PLAN = "lyca-data-gb-1d"


class Race:
    """One action and those who want it at the same moment."""

    def __init__(self, where: Arena, threads: int, processes: int, number: int) -> None:
        self.where, self.shop, self.threads, self.processes = where, where.shop, threads, processes
        self.phone = f"+447700900{number // 100 % 5}{number % 100:02d}"

    def all_at_once(self, verb: Callable[..., object], *arguments: object) -> Counter[str]:
        return self.each(verb, [arguments] * self.threads)

    def each(self, verb: Callable[..., object], hands: Sequence[Sequence[object]]) -> Counter[str]:
        return Counter(self.where.contenders.all_at_once(verb, hands, self.processes))

    def ready(self, till: str = "LON1") -> Ready:
        return self.shop.ready(self.shop.desk(till), self.phone, _PLAN)

    def count(self, sql: str, **values: object) -> int:
        ((count,),) = self.shop.ask(sql, **values)
        return int(count)


def _one_winner(told: Counter[str], others: str) -> None:
    """Exactly one got through, and everybody else heard the same sentence."""
    losers = told.pop(others, 0)
    assert sum(told.values()) == 1, f"{dict(told)}, and {losers} times {others}"


def _all_equal(told: Counter[str]) -> None:
    assert len(told) == 1, dict(told)
    assert "FAULT" not in next(iter(told)), dict(told)


def cash(race: Race) -> None:
    ready = race.ready()
    told = race.all_at_once(contenders.take_cash, ready)
    _all_equal(told)
    assert "Money" in next(iter(told)), dict(told)
    _paid_once(race, ready.sale_id)


def card(race: Race) -> None:
    ready = race.ready()
    with race.shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, ready.desk, kit=race.shop.kit)
    _all_equal(race.all_at_once(contenders.take_card, ready))
    _paid_once(race, ready.sale_id)


def _paid_once(race: Race, sale: str) -> None:
    assert race.count("select count(*) from payments where sale_id = :sale and state = 'taken'", sale=sale) == 1
    assert race.count("select count(*) from receipts where sale_id = :sale", sale=sale) == 1
    assert race.count("select count(*) from ledger_transfers where sale_id = :sale", sale=sale) == 1
    race.shop.ask_until_it_is_known()
    assert [debit.number for debit in race.shop.debits].count(race.phone) >= 1
    assert race.shop.submits and set(race.shop.submits) == {1}, "a reference was sent twice"


def refund(race: Race) -> None:
    ready = race.ready()
    race.shop.misbehave("refuse")
    race.shop.take_cash(ready)
    race.shop.work()
    told = race.all_at_once(contenders.pay_back, ready.sale_id, {}, ready.desk)
    _all_equal(told)
    assert "Money" in next(iter(told)), dict(told)
    assert race.count("select count(*) from refunds where sale_id = :sale", sale=ready.sale_id) == 1
    given = "select count(*) from cash_movements where sale_id = :sale and kind = 'refund'"
    assert race.count(given, sale=ready.sale_id) == 1
    assert race.shop.state(ready.sale_id) is RenewalState.REFUNDED


def close(race: Race) -> None:
    desk = race.shop.desk("LON2")
    expected = race.shop.shift("LON2").expected_minor
    _one_winner(race.all_at_once(contenders.close_shift, expected, desk), "NoOpenShift")
    closed = race.shop.shift("LON2")
    assert race.count("select count(*) from z_reports where shift_id = :shift", shift=closed.id) == 1
    race.shop.open_shift(desk)


def opening(race: Race) -> None:
    desk = race.shop.desk("LON2")
    before = race.shop.shift("LON2")
    with race.shop.app.app_context():
        contenders.close_shift(before.expected_minor, desk, kit=race.shop.kit)
    _one_winner(race.all_at_once(contenders.open_shift, desk), "ShiftAlreadyOpen")
    assert race.shop.shift("LON2").number == before.number + 1


def quote(race: Race) -> None:
    ready = race.ready()
    _all_equal(race.all_at_once(contenders.choose_plan, ready.sale_id, race.shop.plan_id(_PLAN, ready.desk), ready.desk))
    live = "select count(*) from renewals where sale_id = :sale and state <> 'voided'"
    assert race.count(live, sale=ready.sale_id) == 1


def claim(race: Race) -> None:
    ready = race.ready()
    race.shop.take_cash(ready)
    _one_winner(race.all_at_once(contenders.claim), "None")
    assert race.count("select count(*) from attempts where renewal_id = :line", line=race.shop.line(ready.sale_id).id) == 1
    _forget_the_owner(race)


def _forget_the_owner(race: Race) -> None:
    """The one who claimed is gone; what it left is found by asking."""
    with race.shop.app.app_context():
        assert recover("contender", kit=race.shop.kit) == 1
    race.shop.work()


def reprint(race: Race) -> None:
    ready = race.ready()
    race.shop.take_cash(ready)
    race.shop.work()
    number = race.shop.sale(ready.sale_id).receipt_number
    _all_equal(race.all_at_once(contenders.reprint, number, ready.desk))
    copies = [
        n for (n,) in race.shop.ask("select copy_number from print_jobs where kind = 'copy' and sale_id = :s", s=ready.sale_id)
    ]
    assert sorted(copies) == list(range(1, race.threads + 1)), f"copies {sorted(copies)}"


def twins(race: Race) -> None:
    """The same number and plan in a sale of each hand, at both tills."""
    several = [race.ready(("LON1", "LON2")[n % 2]) for n in range(race.threads)]
    _one_winner(race.each(contenders.take_cash, [(ready,) for ready in several]), "DuplicateRenewal")
    sales = "select count(*) from renewals where number_look_up = :look_up and paid_at is not null and state <> 'confirmed'"
    assert race.count(sales, look_up=race.shop.line(several[0].sale_id).number_look_up) == 1
    race.shop.work()


def finding(race: Race) -> None:
    """The same answer to the same question, written by several hands."""
    ready = race.ready()
    race.shop.misbehave("lost_after_commit")
    race.shop.take_cash(ready)
    race.shop.work()
    line = race.shop.line(ready.sale_id)
    assert line.state is RenewalState.UNKNOWN, line.state
    with race.shop.by_hand() as connection:
        connection.execute(Renewal.__table__.update().where(Renewal.id == line.id).values(due_at=race.shop.clock.now()))
    with race.shop.app.app_context():
        task = take_next("test#1", kit=race.shop.kit)
    assert task is not None
    told = Finding(FindState.FOUND, Outcome(OutcomeState.SUCCEEDED, provider_ref="PO-1", cost=line.cost))
    _all_equal(race.all_at_once(contenders.write_finding, task, told))
    assert race.shop.state(ready.sale_id) is RenewalState.CONFIRMED
    moved = "select count(*) from journal where object_id = :line and kind = 'renewal.confirmed'"
    assert race.count(moved, line=line.id) == 1


def webhook(race: Race) -> None:
    """The same call about an order that is done by now, with the look that follows it."""
    ready = race.ready()
    race.shop.misbehave("pending_then_done", seconds=20)
    race.shop.take_cash(ready)
    race.shop.work()
    assert race.shop.state(ready.sale_id) is RenewalState.PENDING
    ref, line = race.shop.attempts(ready.sale_id)[0].ref, race.shop.line(ready.sale_id).id
    race.shop.pass_time(21)
    _all_equal(race.all_at_once(contenders.hear, event(ref)))
    race.shop.work()
    assert race.shop.state(ready.sale_id) is RenewalState.CONFIRMED
    assert race.count("select count(*) from notifications where ref = :ref and renewal_id = :line", ref=ref, line=line) == 1
    for kind in ("renewal.notified", "renewal.confirmed"):
        assert race.count("select count(*) from journal where object_id = :line and kind = :kind", line=line, kind=kind) == 1


RACES: dict[str, Callable[[Race], None]] = {
    verb.__name__: verb for verb in (cash, card, refund, close, opening, quote, claim, reprint, twins, finding, webhook)
}


def run(rounds: int, seed: int, say: Say) -> Result:
    result = Result("races", MUST_BE, seed, rounds)
    for engine in ENGINES:
        try:
            for begin in range(0, rounds, _ROUNDS_OF_A_SHOP):
                with arena(engine) as where:
                    several(where, range(begin, min(rounds, begin + _ROUNDS_OF_A_SHOP)), seed, result)
                say(f"{engine}: {begin + _ROUNDS_OF_A_SHOP} of {rounds}, {len(result.failures)} failed")
        except NoPostgresql as reason:
            result.failures.append(str(reason))
    return result


def several(where: Arena, rounds: range, seed: int, result: Result) -> None:
    """These rounds, one action after the other, with a number of hands that the seed draws."""
    for number in rounds:
        chance = random.Random(f"{seed}/{number}")
        name = list(RACES)[number % len(RACES)]
        threads = chance.randint(2, 16)
        one(where, name, threads, chance.randint(1, min(MOST_PROCESSES, threads)), number, result, f"seed {seed} ")


def one(where: Arena, name: str, threads: int, processes: int, number: int, result: Result, words: str = "") -> None:
    """One race; the shop must agree with itself afterwards, now and then in every book."""
    told = f"{words}round {number}: {name} with {threads} threads in {processes} processes on {where.engine}"
    try:
        RACES[name](Race(where, threads, processes, number))
        if number % _CHECKED_EVERY == _CHECKED_EVERY - 1 or number < 0:
            found = findings(where.shop.app)
            assert found == [], found
    except AssertionError as fault:
        result.failures.append(f"{told}: {fault}")
        where.shop.sandbox.carrier.faults.clear()
    result.count(f"races on {where.engine}")
    result.count("hands", threads)
