"""Days of a store with everything that happens in one: three tills, two currencies, some four hundred sales a day, one in
ten with a carrier that misbehaves, clerks who press twice, go back or walk away, a worker that dies and comes back, a
printer without paper and a carrier that is gone for an hour. Each evening the harness's own notepad is compared with
the shop's books, the carrier's books, the journal, the ledger and the statement.

The carrier is inside the process and the database does not wait for the platter (floor.py), so a day takes seconds.
All that happens is drawn from one seed: the same seed is the same year. A store lives LIFE_DAYS days, then the next one
opens with the seed after it, so that comparing every evening stays possible over a thousand days."""

from __future__ import annotations

import json
import multiprocessing
import random
import secrets
import tempfile
import uuid
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

from pos import demo
from pos.domain.documents import DocumentType
from pos.domain.errors import (
    CarrierDown,
    CarrierUnasked,
    CounterError,
    DrawerTooLow,
    DuplicateRenewal,
    FloatUsedUp,
    NumberBusy,
    OtherContent,
    QuoteExpired,
    RefundOverLimit,
    SamePerson,
    TenderOpen,
)
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.sandbox.catalogue import OFFERINGS
from pos.sandbox.faults import Fault
from pos.services import (
    card_refunds,
    identity_checks,
    notifications,
    numbers,
    payments,
    print_jobs,
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
from tests.conftest import LONDON_NOON
from tests.harness.day_model import Drawer, Notepad
from tests.harness.floor import Floor, furnish, open_floor
from tests.harness.result import Result, Say

SIZES = {"commit": 5, "tenth": 100, "full": 1000}  # days
SALES_A_DAY = 400
LIFE_DAYS = 5
MORNING = LONDON_NOON.replace(hour=7)

Story = Generator[None, None, None]

# What a carrier does to one sale in ten, and to the askings that follow.
FAULTS = (
    "late", "silent", "done_later", "lost_after_commit", "lost_before_commit", "error_500", "error_500_after", "broken_json",
    "html_502", "html_502_before", "cut_answer", "drip", "huge", "wrong_echo", "unknown_status", "pending_then_done",
    "pending_then_failed", "rate_limit", "token_expired", "html_200", "empty_200", "refuse", "product_unavailable",
    "operator_down", "too_soon", "limit_reached", "no_id", "wrong_charset", "gzip_bomb", "wrong_currency", "forbidden",
    "failed_then_done", "done_then_reversed",
)  # fmt: skip
DEAF = ("error_500", "html_200", "lost_after_commit", "cut_answer", "empty_200")
# What a clerk may be told on such a day; any other refusal is a fault of the shop.
MAY_BE_TOLD = (
    CarrierDown, CarrierUnasked, DrawerTooLow, DuplicateRenewal, FloatUsedUp, NumberBusy, QuoteExpired, RefundOverLimit,
    TenderOpen,
)  # fmt: skip
# Every third store has a carrier that takes twins, and whose statement is promised to be whole within the hour.
LOOSE = {"enforce_unique_refs": False, "statement_complete_after_seconds": 3600}


class Broken(AssertionError):
    """Something was not as the notepad says. The message names the day and the step."""


@dataclass
class Place:
    """One till with the clerk who stands there, the manager who may come, and its drawer's notepad page."""

    desk: Desk
    manager: Desk
    drawer: Drawer | None = None
    story: Story | None = None


@dataclass
class OpenCard:
    """A card payment without a result: what the terminal's list will say, when somebody looks."""

    sale_id: str
    till: Place
    price: int
    was_charged: bool


@dataclass
class OpenRefund:
    """A card refund without a result: what the terminal's list will say, when somebody looks."""

    renewal_id: str
    sale_id: str
    till: Place
    price: int
    was_given: bool


class StoreDays:
    """One store's life. ``step`` counts every press of a button."""

    def __init__(self, floor: Floor, seed: int, sales_a_day: int) -> None:
        self.floor, self.seed, self.sales_a_day = floor, seed, sales_a_day
        self.random = random.Random(seed)
        self.step, self.day, self.pieces, self.slips = 0, 0, 0, 0
        self.counts: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.notepad = Notepad()
        self.cards: list[OpenCard] = []
        self.card_refunds: list[OpenRefund] = []
        self.lines: dict[str, int] = {}
        self.deciding: set[str] = set()
        self.last_number: dict[str, tuple[str, int, list[tuple[str, int]]]] = {}
        self.takes_twins = seed % 3 == 0
        if self.takes_twins:
            floor.reset(MORNING, {"enforce_unique_refs": False}, **LOOSE)
        else:
            floor.reset(MORNING)
        self.tills = [
            Place(floor.desk("LON1", "101"), floor.desk("LON1", "201")),
            Place(floor.desk("LON2", "102"), floor.desk("LON2", "201")),
            Place(floor.desk("HKG1", "301"), floor.desk("HKG1", "401")),
        ]
        self.plans = self._plans()

    def _plans(self) -> dict[str, list[tuple[str, int]]]:
        """Operator and market -> keys and ids of what is on sale."""
        found: dict[str, list[tuple[str, int]]] = {}
        for till in (self.tills[0], self.tills[2]):
            ids = dict(self.floor.ask("select product_key, id from plans where store_id = :s", s=till.desk.store.id))
            for offering in sorted(OFFERINGS.values(), key=lambda o: o.key):
                if offering.sellable and offering.market == till.desk.store.country and offering.key in ids:
                    found.setdefault(f"{offering.operator} {offering.market}", []).append((offering.key, ids[offering.key]))
        return found

    # ---------------------------------------------------------------- a day

    def live_a_day(self) -> None:
        """From the opening to the comparison in the evening. Raises Broken."""
        self.day += 1
        opening = MORNING + timedelta(days=self.day - 1)
        self._sleep_until(opening)
        for currency in ("GBP", "HKD"):
            self.floor.sandbox.carrier.books.set_wallet(currency, 100_000_000)
        for till in self.tills:
            self._open(till)
        to_sell = self.sales_a_day
        gone = self._an_hour_without_the_carrier(opening)
        dry = self._a_while_without_float(opening)
        noon = opening + timedelta(hours=self.random.uniform(3, 6))
        pace = 36_000 / (self.sales_a_day * 5)
        while to_sell or any(till.story for till in self.tills):
            self.step += 1
            self.floor.pass_time(self.random.expovariate(1 / pace) + 0.01)
            now = self.floor.clock.now()
            if self.floor.inside is not None:
                self.floor.inside.is_shut = gone[0] <= now < gone[1]
            self._fill_float(dry[0] <= now < dry[1])
            if now > noon:
                noon += timedelta(days=1)
                self._hand_over()
            till = self.random.choice(self.tills)
            if till.story is None and to_sell:
                to_sell -= 1
                till.story = self._begin(till)
            self._press(till)
            self._backstage()
        for till in self.tills:
            self._close(till)
        self._fill_float(False)
        if self.floor.inside is not None:
            self.floor.inside.is_shut = False
        self._compare()

    def _an_hour_without_the_carrier(self, opening: datetime) -> tuple[datetime, datetime]:
        begins = opening + timedelta(seconds=self.random.uniform(3600, 28_800))
        lasts = timedelta(hours=1) if self.random.random() < 0.4 else timedelta(0)
        return begins, begins + lasts

    def _a_while_without_float(self, opening: datetime) -> tuple[datetime, datetime]:
        begins = opening + timedelta(seconds=self.random.uniform(3600, 28_800))
        lasts = timedelta(minutes=20) if self.random.random() < 0.3 else timedelta(0)
        return begins, begins + lasts

    def _fill_float(self, is_dry: bool) -> None:
        self.floor.sandbox.carrier.books.set_wallet("GBP", 100 if is_dry else 100_000_000)

    def _sleep_until(self, morning: datetime) -> None:
        """The night: the worker asks on, whenever something is due."""
        while self.floor.clock.now() < morning:
            rest = (morning - self.floor.clock.now()).total_seconds()
            due = self.floor.due_in()
            self.floor.pass_time(min(rest, (due if due is not None else rest) + 0.001))
            self._keep_house()
            status.ask_carriers(kit=self.floor.kit)
            statements.resolve_by_day(kit=self.floor.kit)
            self.floor.work()

    def _press(self, till: Place) -> None:
        """The next press of the story at this till; a refusal ends it, as a clerk would give up."""
        if till.story is None:
            return
        try:
            next(till.story)
        except StopIteration:
            till.story = None
        except MAY_BE_TOLD as told:
            self.told[type(told).__name__] += 1
            till.story = None
        except CounterError as told:
            raise self._broken(f"a clerk was told {type(told).__name__}: {told}") from told

    def _broken(self, words: str) -> Broken:
        return Broken(f"--seed {self.seed}, day {self.day}, step {self.step}: {words}")

    def expect(self, is_so: bool, words: str) -> None:
        if not is_so:
            raise self._broken(words)

    # ---------------------------------------------------------------- the stories at the counter

    def _begin(self, till: Place) -> Story:
        self.counts["visits"] += 1
        lot = self.random.random()
        if lot < 0.04 and (self.cards or self.card_refunds):
            return self._look_at_the_list(till)
        if lot < 0.10:
            return self._pay_back(till)
        if lot < 0.12:
            return self._replace(till)
        if lot < 0.14:
            return self._decide(till)
        if lot < 0.17:
            return self._look_around(till)
        return self._sell(till)

    def _sell(self, till: Place) -> Story:
        kit, desk, sale_id = self.floor.kit, till.desk, str(self._uuid())
        number, plans = self._customer(till)
        _, plan_id = self.random.choice(plans)
        if self.random.random() < 0.04 and desk.store.code in self.last_number:
            number, plan_id, plans = self.last_number[desk.store.code]
        self.last_number[desk.store.code] = (number, plan_id, plans)
        self._trouble(number)
        for _ in self._presses():
            numbers.ask_about(sale_id, number, "phone", desk, "en", kit=kit)
        yield
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", self.floor.clock.now().date().replace(year=2035))
        for _ in self._presses():
            identity_checks.verify(sale_id, seen, True, desk, kit=kit)
        yield
        if self.random.random() < 0.06:  # back, and another plan
            sales.choose_plan(sale_id, self.random.choice(plans)[1], desk, kit=kit, number_id=sale_id)
            yield
        for _ in self._presses():
            sales.choose_plan(sale_id, plan_id, desk, kit=kit, number_id=sale_id)
        yield
        self.lines[sale_id] = 1
        if self.random.random() < 0.2:
            yield from self._bring_the_family(till, sale_id, number)
        if self.random.random() < 0.05:
            yield from self._walk_away(sale_id, desk)
            return
        if self.random.random() < 0.01:
            self.floor.pass_time(16 * 60)  # the customer looks for the purse; the quote ends
        shown = sales.show(sale_id, desk, kit=kit)
        self.expect(shown.quote is not None and shown.total is not None, "no quote to pay")
        assert shown.quote is not None and shown.total is not None
        taker = self._who_takes_it(till)
        if self.random.random() < 0.6:
            self._cash(taker, sale_id, shown.quote, shown.total)
        else:
            yield from self._card(taker, sale_id, shown.quote, shown.total)

    def _bring_the_family(self, till: Place, sale_id: str, first: str) -> Story:
        """One to three more numbers in the same sale, each with a plan; now and then one is taken out again."""
        kit, taken = self.floor.kit, {first}
        for _ in range(self.random.randint(1, 3)):
            number, plans = self._customer(till)
            if number in taken:
                continue
            taken.add(number)
            self._trouble(number)
            number_id, plan_id = str(self._uuid()), self.random.choice(plans)[1]
            for _ in self._presses():
                numbers.ask_about_another(sale_id, number_id, number, "phone", till.desk, kit=kit)
            yield
            if self.random.random() < 0.15:
                for _ in self._presses():
                    numbers.drop(sale_id, number_id, till.desk, kit=kit)
                continue
            for _ in self._presses():
                sales.choose_plan(sale_id, plan_id, till.desk, kit=kit, number_id=number_id)
            self.lines[sale_id] += 1
            yield
        self.counts["families"] += self.lines[sale_id] > 1

    def _customer(self, till: Place) -> tuple[str, list[tuple[str, int]]]:
        """An ordinary number of this country, and the plans that fit it."""
        operator = self.random.choice(("lyca", "lyca", "leb") if till.desk.store.country == "GB" else ("lyca", "leb"))
        return self._number(till, operator), self.plans[f"{operator} {till.desk.store.country}"]

    def _number(self, till: Place, operator: str) -> str:
        if till.desk.store.country == "GB":
            hundred = self.random.choice("01234" if operator == "lyca" else "678")
            return f"+447700900{hundred}{self.random.randrange(100):02d}"
        area = "5550" if operator == "lyca" else "5560"
        return f"+852{area}{self.random.randrange(10)}{self.random.choice('01234678')}{self.random.randrange(100):02d}"

    def _trouble(self, number: str) -> None:
        """One sale in ten meets a carrier that misbehaves, and some of these also when it is asked."""
        if self.random.random() >= 0.10:
            return
        self.counts["faults"] += 1
        add, name = self.floor.sandbox.carrier.faults.add, self.random.choice(FAULTS)
        add(Fault(name, "submit", 1, number, self.random.uniform(5, 600)))
        if name == "failed_then_done":
            self.notepad.late.add(number)
        if self.random.random() < 0.3:
            add(Fault(self.random.choice(DEAF), "find", 2 * self.random.randint(1, 4), number))

    def _presses(self) -> range:
        """Once, or twice by a nervous finger."""
        return range(2 if self.random.random() < 0.07 else 1)

    def _who_takes_it(self, till: Place) -> Place:
        """Now and then a manager takes the money, in a London shop also at the other till."""
        if self.random.random() < 0.95:
            return till
        beside = [t for t in self.tills if t.desk.store.id == till.desk.store.id and t.drawer is not None]
        other = self.random.choice(beside)
        return Place(other.manager, other.manager, other.drawer)

    def _walk_away(self, sale_id: str, desk: Desk) -> Story:
        self.counts["walked away"] += 1
        if self.random.random() < 0.5:
            for _ in self._presses():
                sales.void(sale_id, desk, kit=self.floor.kit)
        yield

    def _cash(self, till: Place, sale_id: str, quote: str, price: Money) -> None:
        extra = self.random.choice((0, 0, 50, 100, price.minor, 2 * price.minor))
        tendered = Money(price.minor + extra, price.currency)
        changes = [payments.take_cash(sale_id, quote, tendered, till.desk, kit=self.floor.kit) for _ in self._presses()]
        self.expect({change.minor for change in changes} == {extra}, f"change {changes}, not {extra}")
        drawer = self._page(till)
        drawer.tendered += tendered.minor
        drawer.change += extra
        self._sold(drawer, sale_id, price)
        if self.random.random() < 0.02:  # back, and the form once more with another note
            try:
                payments.take_cash(sale_id, quote, Money(tendered.minor + 500, price.currency), till.desk, kit=self.floor.kit)
            except OtherContent:
                self.told["OtherContent"] += 1
            else:
                raise self._broken("another amount under the same sale was accepted")

    def _card(self, till: Place, sale_id: str, quote: str, price: Money) -> Story:
        kit = self.floor.kit
        for _ in self._presses():
            payments.begin_card(sale_id, quote, till.desk, kit=kit)
        yield
        lot = self.random.random()
        if lot < 0.08:
            for _ in self._presses():
                payments.card_declined(sale_id, till.desk, kit=kit)
            yield
            self._cash(till, sale_id, quote, price)
        elif lot < 0.16:
            if self.random.random() < 0.5:
                for _ in self._presses():
                    payments.card_without_result(sale_id, till.desk, kit=kit)
            # Otherwise the clerk turns to the next customer, and the worker marks it by itself.
            self.cards.append(OpenCard(sale_id, till, price.minor, self.random.random() < 0.5))
        else:
            self._approved(till, sale_id, price)

    def _approved(self, till: Place, sale_id: str, price: Money) -> None:
        self.slips += 1
        slip = CardSlip("VISA", "4242", f"A{self.slips:06d}", f"{self.slips:08d}")
        for _ in self._presses():
            payments.take_card(sale_id, slip, till.desk, kit=self.floor.kit)
        drawer = self._page(till)
        drawer.card += price.minor
        self._sold(drawer, sale_id, price)

    def _sold(self, drawer: Drawer, sale_id: str, price: Money) -> None:
        self.expect(sale_id not in self.notepad.paid, "the same sale was paid twice")
        drawer.sales += 1
        self.notepad.paid[sale_id] = price.minor
        self.notepad.lines += self.lines[sale_id]
        self.counts["sales"] += 1

    def _page(self, till: Place) -> Drawer:
        """The open page of the drawer the money went into."""
        found = next(t.drawer for t in self.tills if t.desk.till.id == till.desk.till.id)
        assert found is not None
        return found

    def _look_at_the_list(self, till: Place) -> Story:
        """The terminal's own list decides; whoever is at the till looks, a manager for another's sale."""
        kit, which = self.floor.kit, self.random.randrange(len(self.cards) + len(self.card_refunds))
        if which >= len(self.cards):
            yield from self._look_for_a_refund(self.card_refunds[which - len(self.cards)])
            return
        card = self.cards.pop(which)
        asking = self._manager_at(card.till)
        payments.card_without_result(card.sale_id, asking.desk, kit=kit)
        yield
        if card.was_charged:
            self._approved(asking, card.sale_id, Money(card.price, asking.desk.store.currency))
        else:
            for _ in self._presses():
                payments.card_is_missing(card.sale_id, asking.desk, kit=kit)

    def _manager_at(self, till: Place) -> Place:
        home = next(t for t in self.tills if t.desk.till.id == till.desk.till.id)
        return Place(home.manager, home.manager, home.drawer)

    def _look_for_a_refund(self, back: OpenRefund) -> Story:
        self.card_refunds.remove(back)
        kit, asking, line = self.floor.kit, self._manager_at(back.till), back.renewal_id
        card_refunds.card_refund_without_result(back.sale_id, asking.desk, kit=kit, renewal_id=line)
        if back.was_given:
            self._slip_of_refund(asking, back)
            return
        for _ in self._presses():
            card_refunds.card_refund_is_missing(back.sale_id, asking.desk, kit=kit, renewal_id=line)
        self.counts["refunds missing"] += 1
        yield

    def _owed(self, till: Place) -> tuple[str, str, int, str] | None:
        """One of those whose money is owed back in this store: renewal, sale, price, product."""
        sql = """select id, sale_id, price_minor, product_key from renewals where state = 'refund_due' and store_id = :s
                 order by paid_at, sale_id, line_number"""
        due = self.floor.ask(sql, s=till.desk.store.id)
        return self.random.choice(due) if due else None

    def _pay_back(self, till: Place) -> Story:
        """A customer whose renewal was refused comes back."""
        yield
        owed = self._owed(till)
        if owed is None:
            return
        renewal_id, sale_id, price, _ = owed
        giver = till if self.random.random() < 0.6 else Place(till.manager, till.manager, till.drawer)
        tender = self.floor.ask("select tender from payments where sale_id = :i and state = 'taken'", i=sale_id)[0][0]
        if tender == "cash":
            for _ in self._presses():
                given = refunds.pay_back(sale_id, giver.desk, kit=self.floor.kit, renewal_id=renewal_id)
                self.expect(given.minor == price, f"{given} were given back, not {price}")
            self._gave_back(giver, renewal_id, sale_id, price, by_card=False)
        else:
            yield from self._back_to_the_card(giver, renewal_id, sale_id, price)

    def _back_to_the_card(self, till: Place, renewal_id: str, sale_id: str, price: int) -> Story:
        kit, chosen = self.floor.kit, {"renewal_id": renewal_id}
        if self.random.random() < 0.1:  # the card is gone
            taker = self._manager_at(till)
            for _ in self._presses():
                refunds.pay_card_in_cash(sale_id, "the card was stolen", taker.desk, kit=kit, **chosen)
            self._gave_back(taker, renewal_id, sale_id, price, by_card=False)
            return
        for _ in self._presses():
            card_refunds.begin_card_refund(sale_id, till.desk, kit=kit, **chosen)
        lot = self.random.random()
        back = OpenRefund(renewal_id, sale_id, till, price, was_given=lot < 0.8)
        self.card_refunds.append(back)
        yield
        if back not in self.card_refunds:
            return  # somebody has looked at the terminal's list meanwhile
        if lot < 0.7:
            self.card_refunds.remove(back)
            self._slip_of_refund(till, back)
        elif lot < 0.9:
            if self.random.random() < 0.5:
                for _ in self._presses():
                    card_refunds.card_refund_without_result(sale_id, till.desk, kit=kit, **chosen)
            # Otherwise the clerk turns to the next customer, and the worker marks it by itself.
        elif self.floor.ask("select 1 from refunds where renewal_id = :r and state = 'refunding'", r=renewal_id):
            self.card_refunds.remove(back)
            for _ in self._presses():
                card_refunds.card_refund_declined(sale_id, till.desk, kit=kit, **chosen)
            self.counts["refunds declined"] += 1

    def _slip_of_refund(self, till: Place, back: OpenRefund) -> None:
        self.slips += 1
        slip = {"authorisation": f"R{self.slips:06d}", "slip_number": f"{self.slips:08d}", "renewal_id": back.renewal_id}
        for _ in self._presses():
            given = refunds.pay_back(back.sale_id, till.desk, kit=self.floor.kit, **slip)
            self.expect(given.minor == back.price, f"{given} went to the card, not {back.price}")
        self._gave_back(till, back.renewal_id, back.sale_id, back.price, by_card=True)

    def _gave_back(self, till: Place, renewal_id: str, sale_id: str, price: int, *, by_card: bool) -> None:
        self.expect(renewal_id not in self.notepad.given_back, "the same renewal was given back twice")
        drawer = self._page(till)
        drawer.cash_back += 0 if by_card else price
        drawer.card_back += price if by_card else 0
        drawer.refunds += 1
        self.notepad.given_back[renewal_id] = price
        self.notepad.refund_receipts[sale_id] += 1
        self.counts["refunds"] += 1

    def _replace(self, till: Place) -> Story:
        """Another plan or another number for the same money."""
        yield
        owed = self._owed(till)
        if owed is None:
            return
        renewal_id, sale_id, _, product = owed
        plans = replacements.choices(sale_id, renewal_id, till.desk).plans
        number = None if self.random.random() < 0.5 else self._number(till, product.partition("-")[0])
        if number is not None:
            self._trouble(number)
        chosen = (sale_id, renewal_id, number, self.random.choice(plans).id, till.desk)
        news = {replacements.replace_refused(*chosen, kit=self.floor.kit) for _ in self._presses()}
        self.expect(len(news) == 1, "one press and another brought two renewals")
        self.notepad.lines += 1
        self.counts["replaced"] += 1

    def _decide(self, till: Place) -> Story:
        """A manager writes down what the carrier's people say, and the clerk agrees, or does not."""
        yield
        sql = """select r.id, r.state, a.ref from renewals r join attempts a on a.renewal_id = r.id
                 left join conflicts c on c.renewal_id = r.id where r.store_id = :s and r.paid_at < :t
                 and (r.state = 'manual' or (r.state in ('refunded', 'replaced') and c.state = 'open')) order by a.id"""
        hour_ago = (self.floor.clock.now() - timedelta(hours=1)).replace(tzinfo=None).isoformat(" ")
        cases = [row for row in self.floor.ask(sql, s=till.desk.store.id, t=hour_ago) if row[0] not in self.deciding]
        if not cases:
            return
        renewal_id, state, ref = self.random.choice(cases)
        orders = [m.order_id for m in self.floor.sandbox.carrier.books.debits() if m.ref == ref]
        charged = self.notepad.charged(self.floor)[ref]
        says = Says.LOSS if state != "manual" else Says.CONFIRMED if charged == 1 else Says.REJECTED
        said = (renewal_id, says, Evidence.PHONE, f"their word about {ref}", till.manager)
        self.deciding.add(renewal_id)
        try:
            made = {verdicts.propose(*said, kit=self.floor.kit, provider_ref=(orders or [""])[0]) for _ in self._presses()}
            self.expect(len(made) == 1, "one proposal was made twice")
            yield from self._second_person(till, made.pop())
        finally:
            self.deciding.discard(renewal_id)

    def _second_person(self, till: Place, verdict: int) -> Story:
        kit = self.floor.kit
        if self.random.random() < 0.1:
            try:
                verdicts.agree(verdict, till.manager, kit=kit)
            except SamePerson:
                self.told["SamePerson"] += 1
            else:
                raise self._broken("one person was two")
        yield
        if self.random.random() < 0.1:
            verdicts.refuse(verdict, self.random.choice((till.desk, till.manager)), kit=kit)
            return
        for _ in self._presses():
            verdicts.agree(verdict, till.desk, kit=kit)
        self.counts["verdicts"] += 1

    def _look_around(self, till: Place) -> Story:
        """An X report, a copy, a look at the lists: nothing of it may change a sum."""
        shifts.x_report(till.manager, kit=self.floor.kit)
        sales.recent(till.desk, kit=self.floor.kit)
        sales.unfinished(till.desk)
        sql = "select d.receipt_id, r.number from receipt_documents d join receipts r on r.id = d.receipt_id where r.till_id = :t"
        slips = self.floor.ask(sql + " order by d.id desc limit 20", t=till.desk.till.id)
        yield
        if slips:
            receipts.reprint(self.random.choice(slips)[1], till.desk, kit=self.floor.kit)
            self.counts["copies"] += 1

    # ---------------------------------------------------------------- the drawer

    def _open(self, till: Place) -> None:
        proposed = shifts.proposed_float(till.desk)
        minor = proposed.minor if proposed is not None and self.random.random() < 0.8 else self.random.randrange(0, 50_000)
        shifts.open_shift(Money(minor, till.desk.store.currency), {}, till.desk, kit=self.floor.kit)
        till.drawer = Drawer(minor)

    def _hand_over(self) -> None:
        """At midday one till is counted and closed, and opened by the next person."""
        till = self.random.choice(self.tills)
        till.story = None  # whoever stood there starts anew
        self._close(till)
        self._open(till)

    def _close(self, till: Place) -> None:
        drawer = till.drawer
        assert drawer is not None
        tolerance = till.desk.store.drawer_tolerance_minor
        missing = self.random.choice((0, 0, 0, 0, 37, -80, tolerance + 1000))
        counted = max(0, drawer.cash - missing)
        closed = self._count(till, counted)
        if closed is None:
            self.expect(abs(drawer.cash - counted) > tolerance, "a good count was refused")
            counted = drawer.cash if self.random.random() < 0.5 else counted
            closed = self._count(till, counted)
        self.expect(closed is not None, "the shift cannot be closed")
        shift = self.floor.shift(till.desk.till.code)
        self.expect(shift.id == closed, "another shift was closed")
        self.expect(shift.difference_minor == counted - drawer.cash, f"difference {shift.difference_minor}")
        for words in drawer.differs(shift):
            raise self._broken(words)
        till.drawer = None
        self.counts["shifts"] += 1

    def _count(self, till: Place, minor: int) -> int | None:
        left = Money(min(minor, self.random.choice((0, 10_000, 20_000))), till.desk.store.currency)
        return shifts.close_shift(shifts.Count({1: minor}, None, None, left), "", till.desk, kit=self.floor.kit)

    # ---------------------------------------------------------------- behind the counter

    def _backstage(self) -> None:
        """The worker and the printers, as far as they get between two presses; sometimes the worker dies."""
        if self.random.random() < 0.004:
            self._die()
        if self.step % 4 == 0:
            self._keep_house()
        self.floor.work()
        if self.random.random() < 0.05:
            self._ring()
        self._print()

    def _ring(self) -> None:
        """The carrier calls about an order of ours, rightly or wrongly; or somebody else does, about nothing of ours."""
        known = self.floor.ask("select ref from attempts order by id desc limit :n", n=self.random.choice((3, 400)))
        ref = self.random.choice(known)[0] if known and self.random.random() < 0.95 else "SC-NEVERMADE"
        order = {"id": "77", "externalId": [{"externalIdentifierType": "clientRef", "id": ref}]}
        order["state"] = self.random.choice(("completed", "failed", "cancelled"))
        body = json.dumps({"event": {"productOrder": order}}).encode()
        for _ in range(self.random.choice((1, 1, 2, 5))):
            notifications.receive(demo.CARRIER, {}, body, kit=self.floor.kit)
        self.counts["calls"] += 1

    def _die(self) -> None:
        """Killed with a request in hand: before it left, or after the carrier has answered."""
        task = renewals.take_next("dead#1", kit=self.floor.kit)
        if task is None:
            return
        self.counts["workers killed"] += 1
        if task.request is not None and self.random.random() < 0.6:
            self.floor.kit.carriers[task.carrier].submit(task.request)
        if self.random.random() < 0.5:
            renewals.recover("dead#", kit=self.floor.kit)  # it is back at once; else its lease ends first

    def _keep_house(self) -> None:
        renewals.recover("no worker has this name", kit=self.floor.kit)
        print_jobs.recover("no worker has this name", kit=self.floor.kit)
        payments.mark_silent_terminals(kit=self.floor.kit)
        card_refunds.mark_silent_refunds(kit=self.floor.kit)
        notifications.ask_about_the_settled(kit=self.floor.kit)
        if self.step % 40 == 0:
            status.ask_carriers(kit=self.floor.kit)

    def _print(self) -> None:
        for printer_id in print_jobs.printers_due(kit=self.floor.kit):
            sheet = print_jobs.take_next(printer_id, "press#1", kit=self.floor.kit)
            if sheet is None:
                continue
            lot = self.random.random()
            if lot < 0.01:
                continue  # the press died before the first byte
            if lot < 0.05:
                print_jobs.record(sheet, "not_ready", "paper_out", False, kit=self.floor.kit)
                continue
            print_jobs.about_to_send(sheet, kit=self.floor.kit)
            if lot < 0.06:
                continue  # or after it
            result = "uncertain" if lot < 0.08 else "printed"
            print_jobs.record(sheet, result, None, lot < 0.1, kit=self.floor.kit)
            self.counts["slips"] += 1
        if self.random.random() < 0.02:
            self._answer_a_question()

    def _answer_a_question(self) -> None:
        till = self.random.choice(self.tills)
        for job in print_jobs.jobs_at(till.desk):
            if job.state.value == "uncertain":
                decide = print_jobs.came_out if self.random.random() < 0.5 else print_jobs.did_not_come_out
                decide(job.id, till.desk, kit=self.floor.kit)
                return
            if job.state.value == "held":
                print_jobs.release(job.id, till.desk, kit=self.floor.kit)
                return

    def _compare(self) -> None:
        found = list(self.notepad.differs(self.floor, self.floor.clock.now()))
        if found:
            raise self._broken("; ".join(found[:5]))

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.random.getrandbits(128), version=4)


@contextmanager
def by_the_dice(dice: random.Random) -> Iterator[None]:
    """Ids and references are drawn from the seed as well, so that equal times are broken in the same order each time."""
    with (
        mock.patch.object(uuid, "uuid4", lambda: uuid.UUID(int=dice.getrandbits(128), version=4)),
        mock.patch.object(secrets, "token_bytes", lambda n=32: dice.randbytes(n)),
    ):
        yield


def live(floor: Floor, days: int, seed: int, sales_a_day: int = SALES_A_DAY) -> StoreDays:
    """A store's life of some days, compared every evening. Raises Broken, or what the shop itself raised."""
    store = StoreDays(floor, seed, sales_a_day)
    with floor.app.app_context(), by_the_dice(store.random):
        for _ in range(days):
            store.live_a_day()
    return store


@dataclass(frozen=True)
class Life:
    """What one store's life comes to; ``broken`` is the sentence of its failure."""

    days: int
    counts: dict[str, int]
    told: dict[str, int]
    broken: str | None = None


def one_life(template: Path, days: int, seed: int) -> Life:
    """A life in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, open_floor(Path(folder), template, sockets=False) as floor:
        try:
            store = live(floor, days, seed)
        except Broken as fault:
            return Life(days, {}, {}, str(fault))
        except Exception as fault:  # noqa: BLE001 - the next store opens all the same
            return Life(days, {}, {}, f"--seed {seed}: {type(fault).__name__}: {fault}")
        counts = store.counts + Counter({"days": days, "steps": store.step, "debits": len(floor.debits)})
        return Life(days, dict(counts), dict(store.told))


def run(rounds: int, seed: int, say: Say) -> Result:
    """``rounds`` days in lives of LIFE_DAYS days, one on each processor; the next life has the next seed, and a seed that
    fails is replayed with ``--rounds 5 --seed`` and its own number."""
    result = Result("store_days", "0 broken invariants", seed, rounds)
    counts: Counter[str] = Counter()
    lengths = [min(LIFE_DAYS, rounds - first) for first in range(0, rounds, LIFE_DAYS)]
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(mp_context=spawn) as processors:
        template = furnish(Path(folder) / "template")
        lives = [processors.submit(one_life, template, days, seed + number) for number, days in enumerate(lengths)]
        for life in (future.result() for future in as_completed(lives)):
            if life.broken is not None:
                result.failures.append(life.broken)
            counts.update(life.counts)
            told = ", ".join(f"{name} {times}" for name, times in sorted(life.told.items()))
            say(life.broken or f"{life.days} days, {life.counts['sales']} sales; clerks were told: {told}")
    result.counts = dict(counts)
    return result
