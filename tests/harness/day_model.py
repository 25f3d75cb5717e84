"""The harness's own small sums of a store's days, kept without reading the shop's books, and compared with them each evening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pos.domain.renewals import RenewalState
from pos.sandbox.records import COMPLETED, Movement
from tests.harness.floor import Floor
from tests.services.shop import findings

R = RenewalState
UNDECIDED = (R.PAID, R.SUBMITTING, R.PENDING, R.UNKNOWN)
OWED_OR_BACK = (R.REFUND_DUE, R.REFUNDING, R.REFUNDED, R.REPLACED)
ANYBODY = "*"
_OWNED_AFTER = timedelta(hours=25)
# Two nights: by then a statement was read that shows whatever the carrier did after it had answered.
_COMPARED_AFTER = timedelta(hours=50)


@dataclass
class Drawer:
    """What went through one shift, as a person with a notepad beside the till would have it."""

    float_minor: int
    tendered: int = 0
    change: int = 0
    cash_back: int = 0
    card: int = 0
    card_back: int = 0
    sales: int = 0
    refunds: int = 0

    @property
    def cash(self) -> int:
        return self.float_minor + self.tendered - self.change - self.cash_back

    @property
    def gross(self) -> int:
        return self.tendered - self.change + self.card

    def differs(self, shift: Any) -> Iterator[str]:
        """What the shop's shift says otherwise."""
        pairs = {
            "expected cash": (self.cash, shift.expected_minor),
            "card": (self.card, shift.card_minor),
            "card refunds": (self.card_back, shift.card_refund_minor),
            "gross": (self.gross, shift.gross_minor),
            "sales": (self.sales, shift.sales_count),
            "refunds": (self.cash_back + self.card_back, shift.refunds_minor),
            "number of refunds": (self.refunds, shift.refunds_count),
        }
        for what, (ours, theirs) in pairs.items():
            if ours != theirs:
                yield f"shift {shift.id}: {what} is {theirs}, the notepad says {ours}"


@dataclass
class Notepad:
    """``paid`` sale -> price, ``given_back`` renewal -> amount, ``refund_receipts`` sale -> how many; each once, as the people
    at the counter saw it. ``lines`` counts the renewals that were paid, those that replaced another one too. ``late`` are
    the numbers for which the carrier may do what it had refused."""

    paid: dict[str, int] = field(default_factory=dict)
    given_back: dict[str, int] = field(default_factory=dict)
    refund_receipts: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    late: set[str] = field(default_factory=set)

    def differs(self, floor: Floor, now: datetime) -> Iterator[str]:
        """Everything that the shop's rows, the carrier's books and the proofs say otherwise this evening."""
        yield from self._sales(floor)
        yield from self._receipts(floor)
        yield from self._renewals(floor, now)
        yield from self._proofs(floor)

    def _sales(self, floor: Floor) -> Iterator[str]:
        theirs = dict(floor.ask("select id, total_minor from sales where state = 'paid'"))
        yield from _same("paid sales", self.paid, theirs)
        back = dict(floor.ask("select renewal_id, amount_minor from refunds where state = 'refunded'"))
        yield from _same("refunds", self.given_back, back)

    def _receipts(self, floor: Floor) -> Iterator[str]:
        for kind, sales in (("sale", dict.fromkeys(self.paid, 1)), ("refund", dict(self.refund_receipts))):
            given = Counter(row[0] for row in floor.ask("select sale_id from receipts where kind = :k", k=kind))
            yield from _same(f"{kind} receipts", sales, dict(given))

    def charged(self, floor: Floor) -> Counter[str]:
        """Reference -> how often the carrier took money for it and kept it."""
        found: Counter[str] = Counter()
        for movement in floor.sandbox.carrier.books.movements():
            found[movement.ref] += 1 if movement.state == COMPLETED else -1
        return found

    def _renewals(self, floor: Floor, now: datetime) -> Iterator[str]:
        """Each paid line against the carrier's own books, by our reference."""
        charged, movements = self.charged(floor), floor.sandbox.carrier.books.movements()
        late = {movement.ref for movement in movements if {movement.number, ANYBODY} & self.late}
        sql = """select r.id, r.state, r.due_at, r.lease_ends_at, r.paid_at, a.ref, c.state from renewals r
                 left join attempts a on a.renewal_id = r.id left join conflicts c on c.renewal_id = r.id
                 where r.paid_at is not null"""
        known, lines, sent = set(), floor.ask(sql), _first_sent(floor)
        if len(lines) != self.lines:
            yield f"{len(lines)} paid lines (or references), the notepad says {self.lines}"
        for renewal_id, word, due_at, lease_ends_at, paid_at, ref, conflict in lines:
            state, debits, age = RenewalState(word), charged[ref], now - _moment(paid_at)
            known.add(ref)
            if not 0 <= debits <= 1 or (debits and state in OWED_OR_BACK and ref not in late):
                yield f"renewal {renewal_id}: {state} with {debits} debits at the carrier"
            if state is R.CONFIRMED and not debits and not _was_reversed(movements, ref):
                yield f"renewal {renewal_id}: confirmed, and the carrier was not paid"
            if age > _COMPARED_AFTER and (state is R.CONFIRMED) > debits:
                yield f"renewal {renewal_id}: nobody noticed that the carrier took it back"
            if age > _COMPARED_AFTER and debits and state in OWED_OR_BACK and conflict is None:
                yield f"renewal {renewal_id}: {state}, and nobody noticed that the carrier did it after all"
            if state in UNDECIDED and due_at is None and lease_ends_at is None:
                yield f"renewal {renewal_id}: {state} without an owner and without a next time"
            if state in UNDECIDED and now - sent.get(renewal_id, _moment(paid_at)) > _OWNED_AFTER:
                yield f"renewal {renewal_id}: {state} after 25 hours"
        for ref in set(charged) - known:
            yield f"the carrier was paid for {ref}, which nobody paid us for"

    def _proofs(self, floor: Floor) -> Iterator[str]:
        """Journal, books and statement. The statement must name what the carrier did and we did not book, and no more."""
        charged = self.charged(floor)
        sql = """select a.ref, r.state, c.state from attempts a join renewals r on r.id = a.renewal_id
                 left join conflicts c on c.renewal_id = r.id"""
        due = set()
        for ref, word, conflict in floor.ask(sql):
            is_booked = word == R.CONFIRMED or conflict == "lost"
            if charged[ref] and not is_booked and word not in UNDECIDED:
                due.add(f"charged for {ref}, which we did not confirm")
            elif not charged[ref] and is_booked:
                due.add(f"gave the money for {ref} back, which we confirmed")
        for finding in findings(floor.app):
            words = finding.partition(": ")[2]
            if words in due:
                due.discard(words)
            else:
                yield finding
        for words in due:
            yield f"the statement does not say: {words}"


def _first_sent(floor: Floor) -> dict[str, datetime]:
    """Renewal -> when its order first left, as the journal tells it. What is paid (again) has not left yet: a renewal may
    wait for a worker or a connection before its day of asking begins."""
    found: dict[str, datetime] = {}
    kinds = "select object_id, kind, at from journal where kind in ('renewal.paid', 'renewal.submitting') order by chain, seq"
    for renewal_id, kind, at in floor.ask(kinds):
        if kind == "renewal.paid":
            found.pop(renewal_id, None)
        else:
            found.setdefault(renewal_id, _moment(at))
    return found


def _was_reversed(movements: list[Movement], ref: str) -> bool:
    return any(movement.ref == ref and movement.state != COMPLETED for movement in movements)


def _same(what: str, ours: dict[str, int], theirs: dict[str, int]) -> Iterator[str]:
    if ours != theirs:
        wrong = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
        yield f"{what}: {len(wrong)} differ from the notepad, the first is {wrong[0]}"


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(found, datetime)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
