"""What a simulated reseller believes was sold: its own wallet and its own ledger, the judge in every fault test of its protocol.

Money is whole minor units and moves in exactly one place, ``_move``; a hold only sets money aside. Everything is kept in memory;
with a file it is written after every change and before any answer leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from pos.sandbox import shelf
from pos.sandbox.clock import Clock
from pos.sandbox.records import CANCELLED, COMPLETED, FAILED, Fate, Movement
from pos.sandbox.refusals import Refusal

HELD, WAITING, REVERSED = "held", "waiting", "reversed"


@dataclass
class Transaction:
    """One request the reseller took. ``state``: held, waiting, completed, failed, cancelled, reversed.

    ``details`` is whatever its door wants to remember and show: a code, an ICCID, the amount asked for. JSON values only."""

    id: int
    ref: str
    number: str
    product: str
    cost_minor: int
    currency: str
    state: str
    created_at: datetime
    details: dict[str, Any] = field(default_factory=dict)
    hold_ends_at: datetime | None = None
    confirmed_at: datetime | None = None
    due_at: datetime | None = None  # when a waiting transaction ends
    will: str = COMPLETED  # how it ends then
    failure: str = ""  # a code of refusals.CODES
    seen_at: datetime | None = None  # until then nobody is told of it
    done_due_at: datetime | None = None  # when it is done after all, although it failed
    reverse_due_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass
class _Ledger:
    next_id: int
    wallets: dict[str, int]
    transactions: dict[int, Transaction] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)


class VendorBooks:
    """Thread-safe. ``enforce_unique_refs``: a reference that was used is refused; ``atomic_refs``: also while its transaction
    cannot be seen yet; ``holds_end_by_themselves``: a hold that is over is cancelled without being asked."""

    def __init__(
        self, clock: Clock, wallets: Mapping[str, int], path: Path | None = None, *, first_id: int = 1, unique: bool = True
    ) -> None:
        self._lock = RLock()
        self.clock = clock
        self._path = path
        self._first_id, self._opening = first_id, dict(wallets)
        self.enforce_unique_refs = unique
        self.atomic_refs = True
        self.holds_end_by_themselves = True
        # Told of every transaction that has just ended or been reversed, outside the lock: whoever sends notifications.
        self.listener: Callable[[Transaction], None] = lambda _: None
        self._news: list[Transaction] = []
        self.requests: Counter[str] = Counter()  # door's name -> how often it was knocked at
        self.submits_by_ref: Counter[str] = Counter()  # reference -> how often it was posted, whatever came of it
        self._ledger = self._load() or _Ledger(first_id, dict(wallets))

    # Reading: everything handed out is a copy.

    def transaction(self, key: int) -> Transaction | None:
        with self._reading() as ledger:
            found = ledger.transactions.get(key)
            return replace(found) if found and self._is_seen(found) else None

    def transactions(self, ref: str | None = None) -> list[Transaction]:
        """In the order they came in."""
        with self._reading() as ledger:
            return [replace(t) for t in ledger.transactions.values() if ref in (None, t.ref) and self._is_seen(t)]

    def movements(self) -> list[Movement]:
        """Oldest first."""
        with self._reading() as ledger:
            return list(ledger.movements)

    def debits(self) -> list[Movement]:
        return [m for m in self.movements() if m.state == COMPLETED]

    def wallets(self) -> dict[str, int]:
        """Currency -> available, minor units: what is neither spent nor set aside."""
        with self._reading() as ledger:
            return {currency: minor - self._set_aside(ledger, currency) for currency, minor in ledger.wallets.items()}

    def holding(self) -> dict[str, int]:
        """Currency -> set aside for what is held or under way, minor units."""
        with self._reading() as ledger:
            return {currency: self._set_aside(ledger, currency) for currency in ledger.wallets}

    # Selling

    def sell(
        self,
        ref: str,
        number: str,
        product: str,
        cost_minor: int,
        currency: str,
        fate: Fate,
        *,
        hold_seconds: float | None = None,
        details: Mapping[str, Any] | None = None,
        looked: bool = False,
    ) -> Transaction:
        """Take a request, or with ``hold_seconds`` only set its money aside; ``looked``: the door has looked for the reference
        itself, some time ago. Raises Refusal (DUPLICATE_EXTERNAL_ID,
        WALLET_EMPTY), and then nothing has happened and the reference is still free."""
        with self._changing() as ledger:
            known = [t for t in ledger.transactions.values() if t.ref == ref and (self.atomic_refs or self._is_seen(t))]
            if self.enforce_unique_refs and ref and known and not looked:
                raise Refusal("DUPLICATE_EXTERNAL_ID", ref, reference=str(known[0].id))
            if ledger.wallets[currency] - self._set_aside(ledger, currency) < cost_minor:
                raise Refusal("WALLET_EMPTY", currency)
            now = self.clock.now()
            taken = Transaction(
                ledger.next_id, ref, number, product, cost_minor, currency, WAITING, now, dict(details or {})
            )  # fmt: skip
            ledger.next_id += 1
            ledger.transactions[taken.id] = taken
            if hold_seconds is None:
                self._begin(ledger, taken, fate)
            else:
                taken.state, taken.hold_ends_at = HELD, now + timedelta(seconds=hold_seconds)
            if fate.is_unseen and fate.wait_seconds is not None:
                taken.seen_at = now + timedelta(seconds=fate.wait_seconds)
            return replace(taken)

    def confirm(self, key: int, fate: Fate) -> Transaction:
        """Deliver what is held. Raises Refusal NOT_FOUND or INVALID_VALUE with the state or ``expired`` as detail."""
        with self._changing() as ledger:
            taken = self._known(ledger, key)
            if taken.state != HELD:
                raise Refusal("INVALID_VALUE", taken.state)
            if taken.hold_ends_at is not None and taken.hold_ends_at <= self.clock.now():
                raise Refusal("INVALID_VALUE", "expired")
            taken.confirmed_at = self.clock.now()
            self._begin(ledger, taken, fate)
            return replace(taken)

    def cancel(self, key: int) -> Transaction:
        """Give a hold up. Raises Refusal as ``confirm`` does."""
        with self._changing() as ledger:
            taken = self._known(ledger, key)
            if taken.state != HELD:
                raise Refusal("INVALID_VALUE", taken.state)
            taken.state, taken.completed_at = CANCELLED, self.clock.now()
            return replace(taken)

    def reverse(self, key: int) -> Transaction:
        """Give the dealer's money back after success. Raises Refusal."""
        with self._changing() as ledger:
            taken = self._known(ledger, key)
            if taken.state != COMPLETED:
                raise Refusal("INVALID_VALUE", taken.state)
            self._reverse(ledger, taken, self.clock.now())
            return replace(taken)

    # The control page's pencil

    def set_wallet(self, currency: str, available_minor: int) -> None:
        with self._changing() as ledger:
            ledger.wallets[currency] = available_minor + self._set_aside(ledger, currency)

    def move_clock(self, seconds: float) -> datetime:
        with self._changing():
            return self.clock.advance(seconds)

    def reset(self) -> None:
        with self._changing():
            self._ledger = _Ledger(self._first_id, dict(self._opening))
            self.requests.clear()
            self.submits_by_ref.clear()

    def count(self, what: str) -> None:
        with self._lock:
            self.requests[what] += 1

    def count_submit(self, ref: str) -> None:
        with self._lock:
            self.submits_by_ref[ref] += 1

    # Inside: the lock is held

    @contextmanager
    def _reading(self) -> Iterator[_Ledger]:
        with self._lock:
            if self._settle():
                self._write()
            yield self._ledger
        self._tell()

    @contextmanager
    def _changing(self) -> Iterator[_Ledger]:
        with self._lock:
            if self._settle():
                self._write()  # a refusal must not leave unwritten what the clock has done
            yield self._ledger
            self._write()
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            news, self._news = self._news, []
        for transaction in news:
            self.listener(transaction)

    def _known(self, ledger: _Ledger, key: int) -> Transaction:
        if key not in ledger.transactions:
            raise Refusal("NOT_FOUND", str(key))
        return ledger.transactions[key]

    def _set_aside(self, ledger: _Ledger, currency: str) -> int:
        open_states = (HELD, WAITING)
        return sum(t.cost_minor for t in ledger.transactions.values() if t.currency == currency and t.state in open_states)

    def _begin(self, ledger: _Ledger, taken: Transaction, fate: Fate) -> None:
        now = self.clock.now()
        taken.state = WAITING
        if fate.reverse_after_seconds is not None:
            taken.reverse_due_at = now + timedelta(seconds=fate.reverse_after_seconds)
        if fate.wait_seconds is None:
            self._complete(ledger, taken, now)
            return
        taken.due_at, taken.will = now + timedelta(seconds=fate.wait_seconds), fate.will
        if fate.done_after_seconds is not None:
            taken.done_due_at = taken.due_at + timedelta(seconds=fate.done_after_seconds)

    def _settle(self) -> bool:
        """Let happen what the clock says has happened by now. True when something changed."""
        now, ledger, changed = self.clock.now(), self._ledger, False
        for taken in ledger.transactions.values():
            if taken.state == HELD and self.holds_end_by_themselves and taken.hold_ends_at and taken.hold_ends_at <= now:
                taken.state, taken.completed_at, changed = CANCELLED, taken.hold_ends_at, True
            if taken.due_at and taken.due_at <= now:
                due_at, taken.due_at, changed = taken.due_at, None, True
                if taken.will == COMPLETED:
                    self._complete(ledger, taken, due_at)
                else:
                    taken.state, taken.completed_at = FAILED, due_at
                    taken.failure = taken.failure or "OPERATOR_DOWN"
                    self._news.append(replace(taken))
            if taken.reverse_due_at and taken.reverse_due_at <= now and taken.state == COMPLETED:
                self._reverse(ledger, taken, taken.reverse_due_at)
                changed = True
            if taken.done_due_at and taken.done_due_at <= now and taken.state == FAILED:
                self._complete(ledger, taken, taken.done_due_at)
                taken.done_due_at, changed = None, True
        return changed

    def _is_seen(self, taken: Transaction) -> bool:
        return taken.seen_at is None or taken.seen_at <= self.clock.now()

    def _complete(self, ledger: _Ledger, taken: Transaction, at: datetime) -> None:
        taken.state, taken.completed_at = COMPLETED, at
        self._move(ledger, taken, COMPLETED, at)
        self._news.append(replace(taken))

    def _reverse(self, ledger: _Ledger, taken: Transaction, at: datetime) -> None:
        taken.state, taken.reverse_due_at = REVERSED, None
        self._move(ledger, taken, "reversed", at)
        self._news.append(replace(taken))

    def _move(self, ledger: _Ledger, taken: Transaction, state: str, at: datetime) -> None:
        """The one place where money moves."""
        ledger.wallets[taken.currency] += taken.cost_minor if state == "reversed" else -taken.cost_minor
        ledger.movements.append(
            Movement(taken.ref, str(taken.id), taken.number, taken.product, taken.cost_minor, taken.currency, state, at)
        )

    # The file

    def _write(self) -> None:
        if self._path is not None:
            shelf.save(self._path, self._ledger)

    def _load(self) -> _Ledger | None:
        raw = shelf.read(self._path) if self._path is not None else None
        if raw is None:
            return None
        return _Ledger(
            next_id=raw["next_id"],
            wallets=raw["wallets"],
            transactions={int(key): Transaction(**shelf.moments(value)) for key, value in raw["transactions"].items()},
            movements=[Movement(**shelf.moments(value)) for value in raw["movements"]],
        )
