"""What the simulated carrier believes was sold: the judge in every fault test.

Money is whole minor units (pence, cents) and moves in exactly one place, ``_move``. Everything is kept in memory; with
a file the books are written after every change and before any answer leaves: killing the process loses no sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock

from pos.sandbox.catalogue import OFFERINGS
from pos.sandbox.clock import Clock
from pos.sandbox.numbers import line_of
from pos.sandbox.records import ACKNOWLEDGED, CANCELLED, COMPLETED, FAILED, Fate, Ledger, Movement, Order
from pos.sandbox.refusals import Refusal
from pos.sandbox.shelf import load, save
from pos.sandbox.subscribers import Subscriber, first_state


class Books:
    """Thread-safe. ``enforce_unique_refs``: a reference that was used is refused (carriers' profile rule 5);
    ``atomic_refs``: also while its order cannot be seen yet."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._lock = RLock()
        self.clock = clock
        self.path = path
        self.enforce_unique_refs = True
        self.atomic_refs = True
        self.requests: Counter[str] = Counter()  # "POST productOrder" -> how often it reached us
        self.submits_by_ref: Counter[str] = Counter()  # externalId -> how often it was posted, whatever came of it
        stored = load(path) if path else None
        self._ledger = stored or Ledger(opened_at=clock.now())
        if stored:
            clock.advance(stored.clock_offset_seconds)
        self._index()

    # Reading: everything handed out is a copy.

    def subscriber(self, serial: str) -> Subscriber | None:
        """The line behind a number or ICCID; None when another carrier has it."""
        with self._reading():
            found = self._subscriber(serial)
            return replace(found) if found else None

    def order(self, order_id: str) -> Order | None:
        with self._reading() as ledger:
            found = ledger.orders.get(order_id)
            return replace(found) if found and self._is_seen(found) else None

    def orders(self, kind: str | None = None, ref: str | None = None) -> list[Order]:
        """In the order they came in."""
        with self._reading() as ledger:
            ids = ledger.orders if ref is None else self._by_ref.get(ref, [])
            found = [ledger.orders[order_id] for order_id in ids]
            return [replace(order) for order in found if kind in (None, order.kind) and self._is_seen(order)]

    def movements(self) -> list[Movement]:
        """Oldest first."""
        with self._reading() as ledger:
            return list(ledger.movements)

    def debits(self) -> list[Movement]:
        return [m for m in self.movements() if m.state == COMPLETED]

    def wallets(self) -> dict[str, int]:
        """Currency -> available, minor units."""
        with self._reading() as ledger:
            return dict(ledger.wallets)

    def touched_subscribers(self) -> list[Subscriber]:
        with self._reading() as ledger:
            return [replace(s) for s in ledger.subscribers.values()]

    # Selling

    def renew(self, ref: str, serial: str, plan_key: str, fate: Fate, *, action: str, description: str = "") -> Order:
        """Accept an order for a plan. Raises Refusal, and then nothing has happened and the reference is still free."""
        with self._changing() as ledger:
            who = self._eligible(ref, serial)
            plan = OFFERINGS.get(plan_key)
            if plan is None or not plan.sellable:
                raise Refusal("PRODUCT_UNAVAILABLE", plan_key)
            if (plan.operator, plan.market) != (who.operator, who.market):
                raise Refusal("INELIGIBLE", f"{plan.key} is for {plan.operator} lines in {plan.market}")
            order = Order(
                id=f"PO-{ledger.next_id:06d}", kind="plan", ref=ref, number=who.number, serial=serial,
                offering=plan.key, action=action, state=ACKNOWLEDGED, face_minor=plan.face_minor,
                cost_minor=plan.cost_minor, currency=plan.currency, created_at=self.clock.now(),
                description=description,
            )  # fmt: skip
            return self._accept(ledger, order, fate)

    def top_up(self, ref: str, serial: str, amount_minor: int, currency: str, fate: Fate, *, description: str = "") -> Order:
        """Accept money for a line's main balance; the wallet pays all of it. Raises Refusal as ``renew`` does."""
        with self._changing() as ledger:
            who = self._eligible(ref, serial)
            if currency != who.currency:
                raise Refusal("INVALID_VALUE", f"this line is topped up in {who.currency}")
            order = Order(
                id=f"TB-{ledger.next_id:06d}", kind="topup", ref=ref, number=who.number, serial=serial,
                offering="topup", action="add", state=ACKNOWLEDGED, face_minor=amount_minor,
                cost_minor=amount_minor, currency=currency, created_at=self.clock.now(), description=description,
            )  # fmt: skip
            return self._accept(ledger, order, fate)

    def reverse(self, order_id: str) -> Order:
        """Give the dealer's money back after success; the line loses the period. Raises Refusal."""
        with self._changing() as ledger:
            order = ledger.orders.get(order_id)
            if order is None or order.state != COMPLETED:
                raise Refusal("INVALID_VALUE", "only a completed order can be reversed")
            self._reverse(ledger, order, self.clock.now())
            return replace(order)

    # The control page's pencil

    def set_wallet(self, currency: str, available_minor: int) -> None:
        with self._changing() as ledger:
            ledger.wallets[currency] = available_minor

    def set_subscriber(self, serial: str, **changes: object) -> Subscriber:
        """Write over what is believed about a line. Raises Refusal for a stranger's number."""
        with self._changing() as ledger:
            who = self._subscriber(serial)
            if who is None:
                raise Refusal("INVALID_NUMBER", serial)
            ledger.subscribers[who.number] = replace(who, **changes)  # type: ignore[arg-type]  # names checked by control
            return replace(ledger.subscribers[who.number])

    def move_clock(self, seconds: float) -> datetime:
        with self._changing():
            return self.clock.advance(seconds)

    def reset(self) -> None:
        """New, empty books; the clock goes back to real time."""
        with self._changing():
            self.clock.reset()
            self._ledger = Ledger(opened_at=self.clock.now())
            self._index()
            self.requests.clear()
            self.submits_by_ref.clear()

    def count(self, what: str) -> None:
        """Remember that a request came in; not written to the file."""
        with self._lock:
            self.requests[what] += 1

    def count_submit(self, ref: str) -> None:
        """Remember that a reference was posted, whatever became of it; the oracle for "never sent twice"."""
        with self._lock:
            self.submits_by_ref[ref] += 1

    # Inside: the lock is held

    @contextmanager
    def _reading(self) -> Iterator[Ledger]:
        with self._lock:
            if self._settle():
                self._write()
            yield self._ledger

    @contextmanager
    def _changing(self) -> Iterator[Ledger]:
        with self._lock:
            if self._settle():
                self._write()  # a refusal must not leave unwritten what the clock has done
            yield self._ledger
            self._write()

    def _index(self) -> None:
        """What is looked up often: orders by reference, and those to which something will still happen."""
        self._by_ref: dict[str, list[str]] = {}
        for order in self._ledger.orders.values():
            self._by_ref.setdefault(order.ref, []).append(order.id)
        self._open = {o.id for o in self._ledger.orders.values() if o.due_at or o.reverse_due_at or o.done_due_at}

    def _write(self) -> None:
        if self.path:
            self._ledger.clock_offset_seconds = self.clock.offset.total_seconds()
            save(self.path, self._ledger)

    def _subscriber(self, serial: str) -> Subscriber | None:
        line = line_of(serial)
        if line is None:
            return None
        return self._ledger.subscribers.get(line.number) or first_state(line, self._ledger.opened_at)

    def _eligible(self, ref: str, serial: str) -> Subscriber:
        known = [
            order_id for order_id in self._by_ref.get(ref, []) if self.atomic_refs or self._is_seen(self._ledger.orders[order_id])
        ]
        if self.enforce_unique_refs and ref and known:
            raise Refusal("DUPLICATE_EXTERNAL_ID", ref, reference=known[0])
        who = self._subscriber(serial)
        if who is None:
            raise Refusal("INVALID_NUMBER", serial)
        if not who.may_renew(self.clock.now()):
            raise Refusal("INELIGIBLE", f"the line is {who.status(self.clock.now())}")
        return who

    def _accept(self, ledger: Ledger, order: Order, fate: Fate) -> Order:
        if ledger.wallets[order.currency] < order.cost_minor:
            raise Refusal("WALLET_EMPTY", order.currency)
        ledger.next_id += 1
        ledger.orders[order.id] = order
        self._by_ref.setdefault(order.ref, []).append(order.id)
        if fate.reverse_after_seconds is not None:
            order.reverse_due_at = order.created_at + timedelta(seconds=fate.reverse_after_seconds)
        if fate.wait_seconds is None:
            self._complete(ledger, order, order.created_at)
        else:
            order.due_at = order.created_at + timedelta(seconds=fate.wait_seconds)
            order.will = fate.will
            order.seen_at = order.due_at if fate.is_unseen else None
            if fate.done_after_seconds is not None:
                order.done_due_at = order.due_at + timedelta(seconds=fate.done_after_seconds)
        if order.due_at or order.reverse_due_at:
            self._open.add(order.id)
        return replace(order)

    def _settle(self) -> bool:
        """Let happen what the clock says has happened by now. True when something changed."""
        now, ledger, changed = self.clock.now(), self._ledger, False
        for order in [ledger.orders[order_id] for order_id in sorted(self._open)]:
            if order.due_at and order.due_at <= now:
                due_at, order.due_at, changed = order.due_at, None, True
                if order.will == COMPLETED and ledger.wallets[order.currency] >= order.cost_minor:
                    self._complete(ledger, order, due_at)
                else:
                    order.state, order.completed_at = FAILED, due_at
                    order.failure = "WALLET_EMPTY" if order.will == COMPLETED else "OPERATOR_DOWN"
            if order.reverse_due_at and order.reverse_due_at <= now and order.state == COMPLETED:
                self._reverse(ledger, order, order.reverse_due_at)
                changed = True
            if order.done_due_at and order.done_due_at <= now and order.state == FAILED:
                self._complete(ledger, order, order.done_due_at)
                order.done_due_at, changed = None, True
            if not order.due_at and not order.done_due_at and not (order.reverse_due_at and order.state == COMPLETED):
                self._open.discard(order.id)
        return changed

    def _is_seen(self, order: Order) -> bool:
        return order.seen_at is None or order.seen_at <= self.clock.now()

    def _complete(self, ledger: Ledger, order: Order, at: datetime) -> None:
        who = self._subscriber(order.number)
        if who is None:
            raise KeyError(order.number)  # an order exists only for a line of ours
        if order.kind == "plan":
            order.expires_at = who.renew(OFFERINGS[order.offering], at)
        else:
            who.main_minor += order.face_minor
        ledger.subscribers[who.number] = who
        order.state, order.completed_at = COMPLETED, at
        self._move(ledger, order, COMPLETED, at)

    def _reverse(self, ledger: Ledger, order: Order, at: datetime) -> None:
        who = self._subscriber(order.number)
        if who is None or order.completed_at is None:
            raise KeyError(order.number)
        if order.kind == "plan":
            who.expires_at -= timedelta(days=OFFERINGS[order.offering].valid_days)
        else:
            who.main_minor -= order.face_minor
        ledger.subscribers[who.number] = who
        order.state, order.cancelled_at, order.reverse_due_at = CANCELLED, at, None
        self._move(ledger, order, "reversed", at)

    def _move(self, ledger: Ledger, order: Order, state: str, at: datetime) -> None:
        """The one place where money moves."""
        sign = 1 if state == "reversed" else -1
        ledger.wallets[order.currency] += sign * order.cost_minor
        ledger.movements.append(
            Movement(order.ref, order.id, order.number, order.offering, order.cost_minor, order.currency, state, at)
        )
