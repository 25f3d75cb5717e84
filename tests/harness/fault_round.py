"""One case of the fault matrix: a sale, what goes wrong with it, and a judge who reads every book there is."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pos.domain.payments import CardSlip
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.ports import Outcome
from pos.sandbox.catalogue import OFFERINGS
from pos.sandbox.records import COMPLETED, Fate, Movement
from pos.services import (
    card_refunds,
    notifications,
    payments,
    refunds,
    renewals,
    replacements,
    standings,
    statements,
    status,
    verdicts,
)
from pos.services.sending import Task
from pos.services.settling import LAPSED
from tests.conftest import LONDON_NOON
from tests.harness.floor import Floor
from tests.services.shop import findings

R = RenewalState
OTHER_ECHOES = ("wrong_echo", "wrong_currency", "wrong_offering")
REFUSALS = ("refuse", "product_unavailable", "operator_down", "too_soon", "limit_reached", "invalid_number", "unknown_code")
OWED_OR_BACK = (R.REJECTED, R.REFUND_DUE, R.REFUNDING, R.REFUNDED)


class Wrong(AssertionError):
    """A case that did not end as section 7 of the protocol says."""


@dataclass(frozen=True)
class Profile:
    """How a carrier behaves (``switches``) and what its configuration says of it (``habits``)."""

    name: str
    resends: bool
    habits: dict[str, Any] = field(default_factory=dict)
    switches: dict[str, bool] = field(default_factory=dict)

    @property
    def refuses_twins(self) -> bool:
        return self.switches.get("enforce_unique_refs", True)

    @property
    def settle_seconds(self) -> float:
        window = timedelta(seconds=self.habits.get("settle_window_seconds", 30))
        return window.total_seconds()


# Only the first may be sent an order twice, because only it refuses twins at any moment.
ENFORCED = Profile("enforced", resends=True)
NOT_ENFORCED = Profile("not_enforced", False, {"enforce_unique_refs": False}, {"enforce_unique_refs": False})
NOT_ATOMIC = Profile("not_atomic", False, {"enforce_unique_refs": False}, {"atomic_refs": False})
SLOW_SETTLE = Profile(
    "slow_settle",
    False,
    {"enforce_unique_refs": False, "settle_window_seconds": 600},
    {"enforce_unique_refs": False},
)
# Promises what it does not keep: the one way to two debits, and it must be seen the same day.
LIAR = Profile("liar", True, {}, {"atomic_refs": False})
TAKES_TWINS = (NOT_ENFORCED, NOT_ATOMIC, SLOW_SETTLE)
PROFILES = (ENFORCED, NOT_ENFORCED, NOT_ATOMIC, SLOW_SETTLE)


@dataclass(frozen=True)
class End:
    """The state, the carrier's debits and reversals under our reference, words of what the statement must object to, and
    whether two people booked the debit as a loss."""

    state: RenewalState
    debits: int = 0
    reversals: int = 0
    objections: tuple[str, ...] = ()
    is_lost: bool = False


class Round:
    """A case in play. ``random`` decides the number, the plan, the tender, the order of faults and all times."""

    def __init__(self, floor: Floor, profile: Profile, seed: int, start: datetime = LONDON_NOON) -> None:
        self.floor, self.profile, self.random = floor, profile, random.Random(seed)
        floor.reset(start, profile.switches, **profile.habits)
        self.desk: Desk = floor.desk()
        self.manager: Desk = floor.desk(staff="201")
        floor.open_shift(self.desk)
        self.is_lyca = self.random.random() < 0.7
        self.sale_id = ""

    # ---------------------------------------------------------------- before the sale

    @property
    def refusals(self) -> tuple[str, ...]:
        """The faults that this carrier tells as final refusals."""
        return REFUSALS

    def other_echoes(self, where: str = "submit") -> tuple[str, ...]:
        """The faults by which this carrier's answer names something else than we asked for."""
        return OTHER_ECHOES

    def number(self) -> str:
        """An ordinary number of the round's operator: no magic digits."""
        hundred = self.random.choice("01234" if self.is_lyca else "678")
        return f"+447700900{hundred}{self.random.randrange(100):02d}"

    def plan(self) -> str:
        operator = "lyca" if self.is_lyca else "leb"
        keys = sorted(o.key for o in OFFERINGS.values() if (o.operator, o.market) == (operator, "GB") and o.sellable)
        return self.random.choice(keys)

    def hit(self, names: Iterable[str], where: str = "submit", count: int | None = 1, seconds: float | None = None) -> None:
        """One of these faults, drawn."""
        self.floor.misbehave(self.random.choice(sorted(names)), where, count, seconds)

    def hasty(self) -> None:
        """A deadline of parts of a second for what never answers; the habits stay."""
        self.floor.wire_up(**(self.profile.habits | {"deadline_seconds": 0.5}))

    # ---------------------------------------------------------------- the sale

    def pay(self, by_card: bool | None = None) -> str:
        """A customer pays, in cash or by card; the worker has not seen it yet. The sale's id."""
        ready = self.floor.ready(self.desk, self.number(), self.plan())
        if by_card is None:
            by_card = self.random.random() >= 0.5
        if not by_card:
            self.floor.take_cash(ready)
        else:
            with self.floor.app.app_context():
                payments.begin_card(ready.sale_id, ready.quote, self.desk, kit=self.floor.kit)
                slip = CardSlip("VISA", "4242", f"A{ready.sale_id[:5]}", ready.sale_id[:8])
                payments.take_card(ready.sale_id, slip, self.desk, kit=self.floor.kit)
        self.sale_id = self.sale_id or ready.sale_id
        return ready.sale_id

    def give_back(self) -> None:
        with self.floor.app.app_context():
            refunds.pay_back(self.sale_id, self.desk, kit=self.floor.kit, authorisation="R1S2", slip_number="0018")

    def replace(self) -> str:
        """Another plan of the same price, or another number of the same operator, for the money of the refused renewal."""
        line = self.floor.line(self.sale_id)
        with self.floor.app.app_context():
            plans = replacements.choices(self.sale_id, line.id, self.desk).plans
            number = self.random.choice([None, self.number()])
            chosen = (self.sale_id, line.id, number, self.random.choice(plans).id, self.desk)
            news = {replacements.replace_refused(*chosen, kit=self.floor.kit) for _ in range(self.random.randint(1, 3))}
        self.expect(len(news) == 1, "one press and another brought two renewals")
        return news.pop()

    # ---------------------------------------------------------------- who decides

    def decide(self, says: Says, second: Desk | None = None, about: str | None = None) -> None:
        """A manager proposes, the clerk agrees; each presses once or twice."""
        renewal_id = about or self.floor.line(self.sale_id).id
        numbers = [movement.order_id for movement in self.ours() if movement.state == COMPLETED]
        with self.floor.app.app_context():
            for _ in range(self.random.randint(1, 2)):
                verdict = verdicts.propose(
                    renewal_id,
                    says,
                    Evidence.STATEMENT,
                    "line 7",
                    self.manager,
                    kit=self.floor.kit,
                    provider_ref=numbers[0] if numbers else "",
                )
            for _ in range(self.random.randint(1, 2)):
                verdicts.agree(verdict, second or self.desk, kit=self.floor.kit)

    def conflict(self, about: str | None = None) -> str:
        """How the alarm about a late success stands."""
        renewal_id = about or self.floor.line(self.sale_id).id
        found = self.floor.ask("select state from conflicts where renewal_id = :r", r=renewal_id)
        return str(found[0][0]) if found else "none"

    def alarms(self) -> list[str]:
        """What every till is warned of."""
        with self.floor.app.app_context():
            return [alarm.kind for alarm in standings.alarms_now(kit=self.floor.kit)]

    # ---------------------------------------------------------------- the carrier calls

    def call(self, state: str, ref: str | None = None, **more: object) -> bytes:
        """A message about our order, or about another reference."""
        named = ref or self.floor.attempts(self.sale_id)[0].ref
        order = {"id": "77", "externalId": [{"externalIdentifierType": "clientRef", "id": named}], "state": state, **more}
        return json.dumps({"eventType": "productOrderStateChangeEvent", "event": {"productOrder": order}}).encode()

    def is_called(self, state: str, **more: object) -> None:
        self.hear(self.call(state, **more))

    def use_up(self, task: Task) -> None:
        """Somebody else's order comes under the reference of ours, a moment before it."""
        other = "+447700900321" if self.is_lyca else "+447700900621"
        plan = "lyca-data-gb-1d" if self.is_lyca else "leb-data-gb-30d"
        self.floor.sandbox.carrier.books.renew(task.ref, other, plan, Fate(), action="add")
        self.expect(task.request is not None and task.number != other, "the same body")

    def hear(self, body: bytes) -> None:
        with self.floor.app.app_context():
            notifications.receive(self.floor.carrier_name, self.headers(body), body, kit=self.floor.kit)

    def headers(self, body: bytes) -> dict[str, str]:
        return {"Content-Type": "application/json"}

    # ---------------------------------------------------------------- the worker

    def keep_house(self) -> None:
        """What the worker does beside sending: the settled that were called about, the wallet, silent terminals, statements."""
        with self.floor.app.app_context():
            renewals.recover("nobody", kit=self.floor.kit)
            payments.mark_silent_terminals(kit=self.floor.kit)
            card_refunds.mark_silent_refunds(kit=self.floor.kit)
            notifications.ask_about_the_settled(kit=self.floor.kit)
            status.ask_carriers(kit=self.floor.kit)
            silent = statements.resolve_by_day(kit=self.floor.kit)
        self.expect(silent == [], "the statement could not be read")

    def send(self, task: Task) -> Outcome:
        """The worker's second step alone: a request, or the confirmation of what is held."""
        self.expect(task.request is not None, "nothing is sent")
        return renewals._send(self.floor.kit.carriers[task.carrier], task, task.request)  # type: ignore[arg-type]  # told above

    def night(self) -> None:
        """The business day is over in every store, and the statement was read; what it makes due is done."""
        self.floor.pass_time(86_400)
        self.keep_house()
        self.work()

    def work(self) -> None:
        self.floor.work()

    def wait(self, least: float, most: float) -> None:
        """Some time, and then whatever is due."""
        self.floor.pass_time(self.random.uniform(least, most))
        self.floor.work()

    def see_it_out(self) -> None:
        """Ask as the worker does, for two days at most, until nothing is due; early refunds are caught on the way."""
        begun = self.floor.clock.now()
        while (due := self.floor.due_in()) is not None:
            self.floor.pass_time(due + self.random.uniform(0.001, 2.0))
            self.floor.work()
            if self.floor.clock.now() - begun > timedelta(days=2):
                raise Wrong("after two days it is still not decided")

    # ---------------------------------------------------------------- looking

    @property
    def state(self) -> RenewalState:
        return self.floor.state(self.sale_id)

    def must(self, *states: RenewalState) -> None:
        """The state now, one of these; and whoever is in doubt has a next time."""
        line = self.floor.line(self.sale_id)
        if line.state not in states:
            raise Wrong(f"{line.state} ({line.reason}, {line.raw_code}), not {' or '.join(states)}")
        if line.state in (R.PAID, R.PENDING, R.UNKNOWN) and line.due_at is None:
            raise Wrong(f"{line.state} and nobody will ask")

    def expect(self, is_so: bool, words: str) -> None:
        if not is_so:
            raise Wrong(words)

    def ours(self) -> list[Movement]:
        """What the carrier's own books say of the references of this sale, those of replaced renewals too."""
        sql = "select a.ref from attempts a join renewals r on r.id = a.renewal_id where r.sale_id = :s"
        refs = {row[0] for row in self.floor.ask(sql, s=self.sale_id)}
        return [movement for movement in self.floor.books.movements() if movement.ref in refs]

    def happened(self, kind: str) -> int:
        """How often the journal tells this of the renewal."""
        line = self.floor.line(self.sale_id)
        rows = self.floor.ask("select count(*) from journal where kind = :k and object_id = :r", k=kind, r=line.id)
        return int(rows[0][0])

    # ---------------------------------------------------------------- the judge

    def judge(self, end: End) -> None:
        """State, the carrier's debits, one reference, our accounts to the penny, the journal, and the statement."""
        self.must(end.state)
        moved = Counter(movement.state for movement in self.ours())
        self.expect(moved[COMPLETED] == end.debits, f"{moved[COMPLETED]} debits at the carrier, not {end.debits}")
        self.expect(moved["reversed"] == end.reversals, f"{moved['reversed']} reversals, not {end.reversals}")
        # What was held and over before it was confirmed is sent anew, under another reference.
        attempts = [attempt for attempt in self.floor.attempts(self.sale_id) if attempt.outcome != LAPSED]
        self.expect(len(attempts) <= 1, f"{len(attempts)} references for one renewal")
        if not self.profile.resends:
            tries = max((attempt.tries for attempt in attempts), default=0)
            self.expect(tries <= 1, f"sent {tries} times to a carrier that does not refuse twins")
        self._judge_accounts(end)
        found = findings(self.floor.app)
        told = len(found) == len(end.objections)
        told = told and all(words in finding for words, finding in zip(end.objections, found, strict=True))
        self.expect(told, f"verify says {found}, not {list(end.objections)}")

    def _judge_accounts(self, end: End) -> None:
        """Of the whole sale: what a replaced renewal left behind must come to nothing."""
        line = self.floor.line(self.sale_id)
        rows = self.floor.ask("select debit, credit, amount_minor from ledger_transfers where sale_id = :s", s=self.sale_id)
        stands: Counter[str] = Counter()
        for debit, credit, minor in rows:
            stands[debit] += minor
            stands[credit] -= minor
        stands["taken"] = stands.pop("drawer", 0) + stands.pop("card_clearing", 0)
        price, cost, tax = line.price_minor, line.cost_minor, line.tax_minor
        sql = (
            "select coalesce(sum(r.cost_minor), 0) from renewals r join conflicts c on c.renewal_id = r.id where c.state = 'lost'"
        )
        lost = self.floor.ask(sql + " and r.sale_id = :s", s=self.sale_id)[0][0] if end.is_lost else 0
        is_open = end.state in (R.SUBMITTING, R.PENDING, R.UNKNOWN, R.MANUAL)
        is_done = end.state is R.CONFIRMED
        right = {
            "taken": 0 if end.state is R.REFUNDED else price,
            "customer_money_held": -price if is_open or end.state is R.PAID else 0,
            "refund_payable": -price if end.state in (R.REFUND_DUE, R.REFUNDING) else 0,
            "carrier_pending": cost if is_open else 0,
            "carrier_float": -cost * (is_open or is_done) - lost,
            "cost_of_sales": cost * is_done + lost,
            "revenue": tax - price if is_done else 0,
            "tax": -tax if is_done else 0,
        }
        found = {name: stands[name] for name in right.keys() | stands.keys()}
        self.expect(found == {name: right.get(name, 0) for name in found}, f"the accounts say {found}, not {right}")
