"""Any press in any order: a Hypothesis state machine over the verbs of the counter, with a notepad of its own.

After each step the cheap invariants are asked (what was paid, what lies in the drawers, what is held for customers, who
owns what is in doubt, debits by reference); at the end of each example everything is verified. A machine has fifty steps;
``SIZES`` are steps: on each commit 200 examples, some 140 seconds of one processor, in four parts."""

from __future__ import annotations

import json
import multiprocessing
import random
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pos import demo
from pos.domain.documents import DocumentType
from pos.domain.errors import CounterError
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.sandbox.faults import Fault
from pos.sandbox.records import COMPLETED
from pos.services import (
    card_refunds,
    identity_checks,
    notifications,
    numbers,
    payments,
    receipts,
    refunds,
    renewals,
    replacements,
    sales,
    shifts,
    statements,
    status,
    verdicts,
)
from tests.harness.day_model import ANYBODY, OWED_OR_BACK, Drawer, Notepad, R
from tests.harness.floor import Floor, furnish, open_floor
from tests.harness.result import Result, Say
from tests.harness.store_days import DEAF, FAULTS, by_the_dice

STEPS = 50
SIZES = {"commit": 200 * STEPS, "tenth": 50_000, "full": 500_000}  # steps
_BLOCK = 200  # examples for one seed

# Few numbers and plans, so that customers get into each other's way.
NUMBERS = tuple(f"+447700900{digits}" for digits in (101, 102, 103, 104, 205, 206, 601, 602, 603))
LYCA, LEB = ("lyca-data-gb-7d", "lyca-data-gb-1d"), ("leb-data-gb-30d", "leb-data-gb-30d")
PLANS = {"1": LYCA, "2": LYCA, "6": LEB}
# What leaves something to be given back, replaced or decided.
TROUBLE = (
    "refuse", "product_unavailable", "pending_then_failed", "wrong_echo", "failed_then_done", "done_then_reversed",
)  # fmt: skip
TILLS = st.sampled_from(("LON1", "LON2"))
PRESSES = st.sampled_from((1, 1, 1, 2))
WHICH = st.sampled_from((0, 0, 0, 1, 2))
MOMENTS = st.sampled_from((1, 6, 16, 31, 65, 125, 700, 1000, 4000, 90_000))


@dataclass
class Visit:
    """A sale as the people at the counter know it."""

    id: str
    number: str
    price: Money | None = None
    quote: str = ""
    others: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        return 1 + len(self.others)


class CounterMachine(RuleBasedStateMachine):
    """``floor`` is set before it runs. ``told`` counts what clerks were refused, by the name of the sentence."""

    floor: ClassVar[Floor]
    counts: ClassVar[Counter[str]] = Counter()
    told: ClassVar[Counter[str]] = Counter()
    visits = Bundle("visits")
    troubled = Bundle("troubled")

    @initialize()
    def morning(self) -> None:
        floor = self.floor
        floor.reset()
        self.open_things = ExitStack()
        self.dice = random.Random(0)
        self.open_things.enter_context(by_the_dice(self.dice))
        self.open_things.enter_context(floor.app.app_context())
        self.desks = {till: floor.desk(till, staff) for till, staff in (("LON1", "101"), ("LON2", "102"))}
        self.managers = {till: floor.desk(till, "201") for till in self.desks}
        self.drawers: dict[str, Drawer] = {}
        self.notepad = Notepad()
        self.slips = 0
        self.counts["examples"] += 1
        for till in self.desks:
            self._open(till, 10_000)

    def teardown(self) -> None:
        if not hasattr(self, "open_things"):
            return
        try:
            self.floor.sandbox.carrier.faults.clear()
            self._shut(False)
            found = list(self.notepad.differs(self.floor, self.floor.clock.now()))
            # With nobody asking in these hours a renewal may well be older than a day: asked once, it must have an owner.
            if any("after 25 hours" in words for words in found):
                self.floor.work()
                found = list(self.notepad.differs(self.floor, self.floor.clock.now()))
            assert found == []
        finally:
            self.open_things.close()

    def press(self, verb: Callable[[], Any], times: int = 1) -> list[Any]:
        """The answers to a press (or two); none when the counter says no, which must change nothing."""
        self.counts["steps"] += 1
        self.floor.pass_time(0.013)
        answers = []
        for _ in range(times):
            try:
                answers.append(verb())
            except CounterError as told:
                self.told[type(told).__name__] += 1
        return answers

    # ---------------------------------------------------------------- the counter

    def _open(self, till: str, minor: int) -> None:
        shifts.open_shift(Money(minor, "GBP"), {}, self.desks[till], kit=self.floor.kit)
        self.drawers[till] = Drawer(minor)

    @rule(till=TILLS, minor=st.integers(0, 20_000))
    def open_shift(self, till: str, minor: int) -> None:
        if self.press(lambda: shifts.open_shift(Money(minor, "GBP"), {}, self.desks[till], kit=self.floor.kit)):
            assert till not in self.drawers, "two shifts are open at one till"
            self.drawers[till] = Drawer(minor)

    @rule(target=visits, till=TILLS, number=st.sampled_from(NUMBERS), presses=PRESSES)
    def ask_number(self, till: str, number: str, presses: int) -> Visit:
        return self._ask(till, number, presses)

    def _ask(self, till: str, number: str, presses: int) -> Visit:
        visit = Visit(str(uuid.UUID(int=self.dice.getrandbits(128), version=4)), number)
        self.press(lambda: numbers.ask_about(visit.id, number, "phone", self.desks[till], "en", kit=self.floor.kit), presses)
        return visit

    @rule(target=visits, till=TILLS, number=st.sampled_from(NUMBERS), which=st.sampled_from((0, 1)))
    def serve(self, till: str, number: str, which: int) -> Visit:
        """Number, document and plan without a pause, as most customers go."""
        return self._serve(till, number, which)

    def _serve(self, till: str, number: str, which: int) -> Visit:
        visit = self._ask(till, number, 1)
        self.check_document(till, visit, 1)
        self.choose_plan(till, visit, which, 1, False)
        return visit

    @rule(target=visits, till=TILLS, number=st.sampled_from(NUMBERS), which=st.sampled_from((0, 1)), by_card=st.booleans())
    def sell(self, till: str, number: str, which: int, by_card: bool) -> Visit:
        """The whole way to the money, without which few examples would get behind it."""
        visit = self._serve(till, number, which)
        self._pay(till, visit, by_card)
        return visit

    def _pay(self, till: str, visit: Visit, by_card: bool) -> None:
        if by_card:
            self.begin_card(till, visit, 1)
            self.approve(till, visit, 1)
        else:
            self.pay_cash(till, visit, 0, 1)

    @rule(
        targets=(visits, troubled),
        till=TILLS,
        number=st.sampled_from(NUMBERS),
        family=st.booleans(),
        by_card=st.booleans(),
        name=st.sampled_from(TROUBLE),
        then=st.sampled_from(("pay_back", "pay_card_in_cash", "begin_card_refund", "replace", "decide", "")),
    )
    def sell_and_see_it_go_wrong(self, till: str, number: str, family: bool, by_card: bool, name: str, then: str) -> Visit:
        """A sale that the carrier refuses, takes back, does after all or confirms wrongly, so that there is something to give
        back, to replace or to decide."""
        visit = self._serve(till, number, 0)
        if family:
            self.add_number(till, visit, NUMBERS[0], 1, 1)
        self.the_carrier_misbehaves(name, 5)
        self._pay(till, visit, by_card)
        for _ in range(2):
            self.work(3)
            self.time_passes(31)
        self.work(2)
        if then == "begin_card_refund":
            self.at_the_terminal(till, visit, 0, 1, then)
        elif then == "replace":
            self.replace(till, visit, 0, None, 1)
        elif then == "decide":
            self.decide(till, visit, 0, False, 0)
        elif then:
            getattr(self, then)(till, visit, 0, 1)
        return visit

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def check_document(self, till: str, visit: Visit, presses: int) -> None:
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", self.floor.clock.now().date().replace(year=2035))
        self._if_known(visit, till, lambda d: identity_checks.verify(visit.id, seen, True, d, kit=self.floor.kit), presses)

    @rule(
        till=TILLS, visit=visits, which=st.sampled_from((0, 1)), presses=PRESSES, override=st.sampled_from((False, False, True))
    )
    def choose_plan(self, till: str, visit: Visit, which: int, presses: int, override: bool) -> None:
        plan = self._plan(PLANS[visit.number[10]][which], till)

        def choose(desk: Desk) -> None:
            sales.choose_plan(visit.id, plan, desk, kit=self.floor.kit, number_id=visit.id, override=override)
            self._look(visit, desk)

        self._if_known(visit, till, choose, presses)

    def _look(self, visit: Visit, desk: Desk) -> None:
        shown = sales.show(visit.id, desk, kit=self.floor.kit)
        visit.price, visit.quote = shown.total, shown.quote or ""

    @rule(till=TILLS, visit=visits, number=st.sampled_from(NUMBERS), which=st.sampled_from((0, 1)), presses=PRESSES)
    def add_number(self, till: str, visit: Visit, number: str, which: int, presses: int) -> None:
        """One more of the family, with a plan at once; where the plan is refused the number goes again."""
        number_id, plan = str(uuid.UUID(int=self.dice.getrandbits(128), version=4)), self._plan(PLANS[number[10]][which], till)

        def add(desk: Desk) -> None:
            numbers.ask_about_another(visit.id, number_id, number, "phone", desk, kit=self.floor.kit)
            if number_id not in visit.others:
                visit.others.append(number_id)
            self._look(visit, desk)
            sales.choose_plan(visit.id, plan, desk, kit=self.floor.kit, number_id=number_id)
            self._look(visit, desk)

        if not self._if_known(visit, till, add, presses) and number_id in visit.others:
            self._drop(till, visit, number_id, 1)

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def drop_number(self, till: str, visit: Visit, presses: int) -> None:
        if visit.others:
            self._drop(till, visit, visit.others[-1], presses)

    def _drop(self, till: str, visit: Visit, number_id: str, presses: int) -> None:
        def drop(desk: Desk) -> None:
            numbers.drop(visit.id, number_id, desk, kit=self.floor.kit)
            if number_id in visit.others:
                visit.others.remove(number_id)
            self._look(visit, desk)

        self._if_known(visit, till, drop, presses)

    @rule(target=visits, till=TILLS, which=st.sampled_from((0, 1)), by_card=st.booleans(), size=st.sampled_from((2, 3)))
    def sell_to_a_family(self, till: str, which: int, by_card: bool, size: int) -> Visit:
        visit = self._serve(till, NUMBERS[0], which)
        for number in NUMBERS[1:size]:
            self.add_number(till, visit, number, which, 1)
        self._pay(till, visit, by_card)
        return visit

    def _plan(self, key: str, till: str) -> int:
        return self.floor.plan_id(key, self.desks[till])

    def _if_known(self, visit: Visit, till: str, verb: Callable[[Desk], Any], presses: int = 1) -> list[Any]:
        """A clerk's press on a page of this sale; without the sale there is no page. Managers may go on with any sale."""
        if not self.floor.ask("select 1 from sales where id = :i", i=visit.id):
            return []
        owner = self.floor.ask("select t.code from sales s join staff p on p.id = s.staff_id join tills t on t.id = s.till_id"
                               " where s.id = :i", i=visit.id)[0][0]  # fmt: skip
        desk = self.desks[till] if owner == till else self.managers[till]
        return self.press(lambda: verb(desk), presses)

    @rule(till=TILLS, visit=visits, extra=st.sampled_from((0, 0, 5, 200, 1200, -1)), presses=PRESSES)
    def pay_cash(self, till: str, visit: Visit, extra: int, presses: int) -> None:
        if visit.price is None:
            return
        price, before = visit.price, visit.id in self.notepad.paid
        tendered = Money(price.minor + extra, "GBP")
        changes = self._if_known(
            visit, till, lambda d: payments.take_cash(visit.id, visit.quote, tendered, d, kit=self.floor.kit), presses
        )
        if not changes:
            return
        assert {change.minor for change in changes} == {extra}
        if not before:
            drawer = self.drawers[till]
            drawer.tendered += tendered.minor
            drawer.change += extra
            self._sold(drawer, visit)

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def begin_card(self, till: str, visit: Visit, presses: int) -> None:
        self._if_known(visit, till, lambda d: payments.begin_card(visit.id, visit.quote, d, kit=self.floor.kit), presses)

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def approve(self, till: str, visit: Visit, presses: int) -> None:
        """The terminal's slip, now or from its list."""
        self.slips += 1
        slip = CardSlip("VISA", "4242", f"A{self.slips:05d}", f"{self.slips:06d}")
        before = visit.id in self.notepad.paid
        done = self._if_known(visit, till, lambda d: payments.take_card(visit.id, slip, d, kit=self.floor.kit), presses)
        if done and visit.price is not None and not before:
            self.drawers[till].card += visit.price.minor
            self._sold(self.drawers[till], visit)

    def _sold(self, drawer: Drawer, visit: Visit) -> None:
        assert visit.price is not None
        drawer.sales += 1
        self.notepad.paid[visit.id] = visit.price.minor
        self.notepad.lines += visit.lines
        self.counts["sales"] += 1

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def decline(self, till: str, visit: Visit, presses: int) -> None:
        self._if_known(visit, till, lambda d: payments.card_declined(visit.id, d, kit=self.floor.kit), presses)

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def no_result(self, till: str, visit: Visit, presses: int) -> None:
        self._if_known(visit, till, lambda d: payments.card_without_result(visit.id, d, kit=self.floor.kit), presses)

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def not_on_the_list(self, till: str, visit: Visit, presses: int) -> None:
        self._if_known(visit, till, lambda d: payments.card_is_missing(visit.id, d, kit=self.floor.kit), presses)

    @rule(till=TILLS, visit=visits, presses=PRESSES)
    def void(self, till: str, visit: Visit, presses: int) -> None:
        self._if_known(visit, till, lambda d: sales.void(visit.id, d, kit=self.floor.kit), presses)

    def _line(self, visit: Visit, which: int) -> tuple[str, int, str] | None:
        """One of the renewals of a sale that may owe something: id, price, product."""
        sql = """select id, price_minor, product_key from renewals where sale_id = :i and paid_at is not null
                 and state <> 'replaced' order by line_number"""
        lines = self.floor.ask(sql, i=visit.id)
        return lines[which % len(lines)] if lines else None

    def _gave_back(
        self, till: str, visit: Visit, line: tuple[str, int, str], verb: Callable[[Desk], Money], presses: int
    ) -> None:
        """What left the till, once, by the way that the refund names."""
        renewal_id, price, _ = line
        given = self._if_known(visit, till, verb, presses)
        if not given or renewal_id in self.notepad.given_back:
            return
        assert {amount.minor for amount in given} == {price}
        ((tender,),) = self.floor.ask("select tender from refunds where renewal_id = :r", r=renewal_id)
        drawer = self.drawers[till]
        drawer.refunds += 1
        drawer.cash_back += price if tender == "cash" else 0
        drawer.card_back += price if tender != "cash" else 0
        self.notepad.given_back[renewal_id] = price
        self.notepad.refund_receipts[visit.id] += 1
        self.counts["refunds"] += 1

    @rule(till=TILLS, visit=troubled, which=WHICH, presses=PRESSES)
    def pay_back(self, till: str, visit: Visit, which: int, presses: int) -> None:
        """Cash from the drawer, or the slip of a terminal that gave it back to the card, with or without an intent."""
        line = self._line(visit, which)
        if line is None:
            return
        slip = {"renewal_id": line[0], "authorisation": "R1", "slip_number": line[0][:8]}
        self._gave_back(till, visit, line, lambda d: refunds.pay_back(visit.id, d, kit=self.floor.kit, **slip), presses)

    @rule(till=TILLS, visit=troubled, which=WHICH, presses=PRESSES)
    def pay_card_in_cash(self, till: str, visit: Visit, which: int, presses: int) -> None:
        line = self._line(visit, which)
        if line is None:
            return

        def give(_: Desk) -> Money:
            return refunds.pay_card_in_cash(visit.id, "no card", self.managers[till], kit=self.floor.kit, renewal_id=line[0])

        self._gave_back(till, visit, line, give, presses)

    @rule(
        till=TILLS,
        visit=troubled,
        which=WHICH,
        presses=PRESSES,
        verb=st.sampled_from(
            ("begin_card_refund", "card_refund_declined", "card_refund_without_result", "card_refund_is_missing")
        ),
    )
    def at_the_terminal(self, till: str, visit: Visit, which: int, presses: int, verb: str) -> None:
        """The steps of a card refund, in any order."""
        line = self._line(visit, which)
        if line is not None:
            step = getattr(card_refunds, verb)
            self._if_known(visit, till, lambda d: step(visit.id, d, kit=self.floor.kit, renewal_id=line[0]), presses)

    @rule(till=TILLS, visit=troubled, which=WHICH, number=st.sampled_from((None, *NUMBERS)), presses=PRESSES)
    def replace(self, till: str, visit: Visit, which: int, number: str | None, presses: int) -> None:
        """Another renewal for the same money, now and then for a SIM that the plan does not fit."""
        line = self._line(visit, which)
        if line is None:
            return
        chosen = (visit.id, line[0], number, self._plan(line[2], till))
        news = self._if_known(visit, till, lambda d: replacements.replace_refused(*chosen, d, kit=self.floor.kit), presses)
        assert len(set(news)) <= 1, "one press and another brought two renewals"
        self.notepad.lines += bool(news)
        self.counts["replaced"] += bool(news)

    # ---------------------------------------------------------------- two people

    @rule(
        till=TILLS,
        visit=troubled,
        which=WHICH,
        by_manager=st.sampled_from((True, True, False)),
        refuses=st.sampled_from((0, 0, 1)),
    )
    def decide(self, till: str, visit: Visit, which: int, by_manager: bool, refuses: int) -> None:
        """What the carrier's own people say, proposed and agreed; by one person alone nothing moves."""
        lines = self.floor.ask(
            "select r.id, r.state, a.ref from renewals r join attempts a on a.renewal_id = r.id where r.sale_id = :i order by a.id",
            i=visit.id,
        )
        if not lines:
            return
        renewal_id, state, ref = lines[which % len(lines)]
        orders = [m.order_id for m in self.floor.debits if m.ref == ref]
        charged = self.notepad.charged(self.floor)[ref]
        says = Says.LOSS if state in ("refunded", "replaced") else Says.CONFIRMED if charged else Says.REJECTED
        said = (renewal_id, says, Evidence.MAIL, "their letter", self.managers[till])
        made = self.press(lambda: verdicts.propose(*said, kit=self.floor.kit, provider_ref=(orders or [""])[0]), 2)
        assert len(set(made)) <= 1
        second = self.managers[till] if by_manager else self.desks[till]
        if not made:
            return
        verb = verdicts.refuse if refuses else verdicts.agree
        if self.press(lambda: verb(made[0], second, kit=self.floor.kit)) and not refuses:
            assert not by_manager, "one person was two"
            self.counts["verdicts"] += 1

    @rule(till=TILLS, visit=visits)
    def reprint(self, till: str, visit: Visit) -> None:
        for (number,) in self.floor.ask("select number from receipts where sale_id = :i", i=visit.id):
            self.press(lambda number=number: receipts.reprint(number, self.desks[till], kit=self.floor.kit))  # type: ignore[misc]

    @rule(till=TILLS, visit=visits)
    def print_interim(self, till: str, visit: Visit) -> None:
        self._if_known(visit, till, lambda d: receipts.issue_interim(visit.id, d, kit=self.floor.kit))

    @rule(till=TILLS)
    def look_at_x(self, till: str) -> None:
        self.press(lambda: shifts.x_report(self.managers[till], kit=self.floor.kit))

    @rule(
        till=TILLS,
        missing=st.sampled_from((0, 0, 0, 40, -60, 5000)),
        left=st.sampled_from((0, 5000)),
        next_clerk=st.sampled_from((True, True, False)),
    )
    def count_and_close(self, till: str, missing: int, left: int, next_clerk: bool) -> None:
        drawer = self.drawers.get(till)
        counted = max(0, drawer.cash - missing) if drawer is not None else 0
        kept = Money(min(left, counted), "GBP")
        closed = self.press(
            lambda: shifts.close_shift(shifts.Count({1: counted}, None, None, kept), "", self.desks[till], kit=self.floor.kit)
        )
        if not closed or closed[0] is None:
            return
        assert drawer is not None, "a shift was closed that was not open"
        shift = self.floor.shift(till)
        assert list(drawer.differs(shift)) == []
        assert shift.difference_minor == counted - drawer.cash
        del self.drawers[till]
        if next_clerk:
            self._open(till, left)

    # ---------------------------------------------------------------- behind the counter

    @rule(times=st.integers(1, 4))
    def work(self, times: int) -> None:
        self.counts["steps"] += 1
        for _ in range(times):
            renewals.work_once("machine#1", kit=self.floor.kit)

    @rule(answered=st.booleans(), at_once=st.booleans())
    def kill_the_worker(self, answered: bool, at_once: bool) -> None:
        self.counts["steps"] += 1
        task = renewals.take_next("dead#1", kit=self.floor.kit)
        if task is not None and task.request is not None and answered:
            self.floor.kit.carriers[task.carrier].submit(task.request)
        if at_once:
            renewals.recover("dead#", kit=self.floor.kit)

    @rule(seconds=MOMENTS)
    def time_passes(self, seconds: float) -> None:
        self.counts["steps"] += 1
        self.floor.pass_time(seconds)
        renewals.recover("nobody", kit=self.floor.kit)
        payments.mark_silent_terminals(kit=self.floor.kit)
        card_refunds.mark_silent_refunds(kit=self.floor.kit)
        notifications.ask_about_the_settled(kit=self.floor.kit)
        status.ask_carriers(kit=self.floor.kit)

    @rule()
    def the_statement_is_read(self) -> None:
        """At night; what was promised for twenty minutes from now has happened by then as well."""
        self.counts["steps"] += 1
        statements.resolve_by_day(kit=self.floor.kit)

    @rule(visit=troubled, which=WHICH, state=st.sampled_from(("completed", "failed", "cancelled")), times=st.integers(1, 3))
    def the_carrier_calls(self, visit: Visit, which: int, state: str, times: int) -> None:
        """About an order of this sale, whether it is true or not; or about nothing of ours."""
        self.counts["steps"] += 1
        sql = "select a.ref from attempts a join renewals r on r.id = a.renewal_id where r.sale_id = :i order by a.id"
        refs = [row[0] for row in self.floor.ask(sql, i=visit.id)] or ["SC-NEVERMADE"]
        named = [{"externalIdentifierType": "clientRef", "id": refs[which % len(refs)]}]
        body = json.dumps({"event": {"productOrder": {"id": "77", "externalId": named, "state": state}}}).encode()
        for _ in range(times):
            notifications.receive(demo.CARRIER, {}, body, kit=self.floor.kit)

    @rule(minor=st.sampled_from((100, 100_000_000, 100_000_000)))
    def the_float_is(self, minor: int) -> None:
        self.counts["steps"] += 1
        self.floor.sandbox.carrier.books.set_wallet("GBP", minor)

    @rule(name=st.sampled_from(FAULTS), seconds=st.sampled_from((5, 40, 2000)))
    def the_carrier_misbehaves(self, name: str, seconds: float) -> None:
        self.counts["steps"] += 1
        self.floor.sandbox.carrier.faults.add(Fault(name, "submit", 1, None, seconds))
        if name == "failed_then_done":
            self.notepad.late.add(ANYBODY)

    @rule(name=st.sampled_from(DEAF), times=st.integers(1, 6))
    def the_carrier_is_deaf(self, name: str, times: int) -> None:
        self.counts["steps"] += 1
        self.floor.sandbox.carrier.faults.add(Fault(name, "find", times))

    @rule(is_shut=st.sampled_from((False, False, True)))
    def the_carrier_goes_or_comes(self, is_shut: bool) -> None:
        self.counts["steps"] += 1
        self._shut(is_shut)

    def _shut(self, is_shut: bool) -> None:
        assert self.floor.inside is not None
        self.floor.inside.is_shut = is_shut

    # ---------------------------------------------------------------- what holds after every step

    @invariant()
    def what_was_paid_is_on_the_notepad(self) -> None:
        theirs = dict(self.floor.ask("select id, total_minor from sales where state = 'paid'"))
        assert theirs == self.notepad.paid

    @invariant()
    def the_drawers_hold_what_the_notepad_says(self) -> None:
        sql = "select t.code, s.expected_minor from shifts s join tills t on t.id = s.open_till_id"
        assert dict(self.floor.ask(sql)) == {till: drawer.cash for till, drawer in self.drawers.items()}

    @invariant()
    def money_held_is_the_price_of_what_is_open(self) -> None:
        stands: Counter[str] = Counter()
        for debit, credit, minor in self.floor.ask("select debit, credit, sum(amount_minor) from ledger_transfers group by 1, 2"):
            stands[debit] += int(minor)
            stands[credit] -= int(minor)
        prices: Counter[str] = Counter()
        for state, minor in self.floor.ask("select state, sum(price_minor) from renewals where paid_at is not null group by 1"):
            prices[state] += int(minor)
        is_open = ("paid", "submitting", "pending", "unknown", "manual")
        assert -stands["customer_money_held"] == sum(prices[state] for state in is_open)
        assert -stands["refund_payable"] == prices["refund_due"] + prices["refunding"]

    @invariant()
    def each_line_is_owned_and_charged_once(self) -> None:
        charged, was_reversed = self.notepad.charged(self.floor), set()
        for movement in self.floor.sandbox.carrier.books.movements():
            if movement.state != COMPLETED:
                was_reversed.add(movement.ref)
        sql = """select r.state, r.due_at, r.lease_ends_at, a.ref from renewals r
                 left join attempts a on a.renewal_id = r.id where r.paid_at is not null"""
        for word, due_at, lease_ends_at, ref in self.floor.ask(sql):
            state, debits = R(word), charged.pop(ref, 0)
            assert debits in (0, 1)
            assert state is not R.CONFIRMED or debits or ref in was_reversed
            assert not debits or state not in OWED_OR_BACK or ANYBODY in self.notepad.late
            assert state not in (R.PAID, R.PENDING, R.UNKNOWN, R.SUBMITTING) or due_at is not None or lease_ends_at is not None
        assert charged.total() == 0, "the carrier was paid for what nobody paid us for"


def play(floor: Floor, examples: int, seed: int, phases: tuple[hypothesis.Phase, ...] | None = None) -> Counter[str]:
    """That many machines of fifty steps. Raises what broke; Hypothesis has printed the shortest way to it."""

    class Machine(CounterMachine):
        pass

    Machine.floor, Machine.counts, Machine.told = floor, Counter(), Counter()
    run_state_machine_as_test(
        hypothesis.seed(seed)(Machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=phases or (hypothesis.Phase.generate, hypothesis.Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Machine.counts + Counter({"refusals told": sum(Machine.told.values())})


def _block(template: Path, examples: int, seed: int) -> tuple[dict[str, int], str | None]:
    with tempfile.TemporaryDirectory() as folder, open_floor(Path(folder), template, sockets=False) as floor:
        try:
            return dict(play(floor, examples, seed)), None
        except Exception as fault:  # noqa: BLE001 - the other seeds go on
            return {}, f"--seed {seed} --rounds {examples * STEPS}: {type(fault).__name__}: {fault}"


def run(rounds: int, seed: int, say: Say) -> Result:
    """``rounds`` steps, in blocks with a seed each, one block on each processor."""
    result = Result("state_machine", "0 broken invariants", seed, rounds)
    examples, counts = -(-rounds // STEPS), Counter[str]()
    sizes = [min(_BLOCK, examples - first) for first in range(0, examples, _BLOCK)]
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(mp_context=spawn) as processors:
        template = furnish(Path(folder) / "template")
        blocks = [processors.submit(_block, template, size, seed + number) for number, size in enumerate(sizes)]
        for block in blocks:
            found, broken = block.result()
            counts.update(found)
            if broken is not None:
                result.failures.append(broken)
            say(broken or ", ".join(f"{times} {what}" for what, times in sorted(found.items())))
    result.counts = dict(counts)
    return result
