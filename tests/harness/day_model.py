"""The harness's own small sums of a store's days, kept without reading the shop's books, and compared with them each evening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pos.domain.renewals import RenewalState
from pos.sandbox.records import COMPLETED
from tests.harness.floor import Floor
from tests.services.shop import findings

R = RenewalState
UNDECIDED = (R.PAID, R.SUBMITTING, R.PENDING, R.UNKNOWN)
OWED_OR_BACK = (R.REFUND_DUE, R.REFUNDING, R.REFUNDED)
_OWNED_AFTER = timedelta(hours=25)


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
    """``paid`` sale -> price, ``given_back`` sale -> amount; each once, as the people at the counter saw it."""

    paid: dict[str, int] = field(default_factory=dict)
    given_back: dict[str, int] = field(default_factory=dict)

    def differs(self, floor: Floor, now: datetime) -> Iterator[str]:
        """Everything that the shop's rows, the carrier's books and the proofs say otherwise this evening."""
        yield from self._sales(floor)
        yield from self._receipts(floor)
        yield from self._renewals(floor, now)
        yield from self._proofs(floor)

    def _sales(self, floor: Floor) -> Iterator[str]:
        theirs = dict(floor.ask("select id, total_minor from sales where state = 'paid'"))
        yield from _same("paid sales", self.paid, theirs)
        back = dict(floor.ask("select sale_id, amount_minor from refunds where state = 'refunded'"))
        yield from _same("refunds", self.given_back, back)

    def _receipts(self, floor: Floor) -> Iterator[str]:
        for kind, sales in (("sale", self.paid), ("refund", self.given_back)):
            given = Counter(row[0] for row in floor.ask("select sale_id from receipts where kind = :k", k=kind))
            yield from _same(f"{kind} receipts", dict.fromkeys(sales, 1), dict(given))

    def _renewals(self, floor: Floor, now: datetime) -> Iterator[str]:
        """Each paid line against the carrier's own books, by our reference."""
        moved: dict[str, Counter[str]] = {}
        for movement in floor.sandbox.carrier.books.movements():
            moved.setdefault(movement.ref, Counter())[movement.state] += 1
        sql = """select r.id, r.state, r.due_at, r.lease_ends_at, r.paid_at, a.ref from renewals r
                 left join attempts a on a.renewal_id = r.id where r.paid_at is not null"""
        known, lines = set(), floor.ask(sql)
        if len(lines) != len(self.paid):
            yield f"{len(lines)} paid lines (or references) for {len(self.paid)} paid sales"
        for renewal_id, word, due_at, lease_ends_at, paid_at, ref in lines:
            state, debits = RenewalState(word), moved.get(ref, Counter())[COMPLETED]
            known.add(ref)
            if debits != 1 if state is R.CONFIRMED else debits > (state not in OWED_OR_BACK):
                yield f"renewal {renewal_id}: {state} with {debits} debits at the carrier"
            if state in UNDECIDED and due_at is None and lease_ends_at is None:
                yield f"renewal {renewal_id}: {state} without an owner and without a next time"
            if state in UNDECIDED and now - _moment(paid_at) > _OWNED_AFTER:
                yield f"renewal {renewal_id}: {state} after 25 hours"
        for ref in set(moved) - known:
            yield f"the carrier was paid for {ref}, which nobody paid us for"

    def _proofs(self, floor: Floor) -> Iterator[str]:
        """Journal, books and statement. The statement must name what a manager holds and the carrier charged, and no more."""
        held = {row[0] for row in floor.ask(
            "select a.ref from attempts a join renewals r on r.id = a.renewal_id where r.state = 'manual'"
        )}  # fmt: skip
        debits = {movement.ref for movement in floor.sandbox.carrier.books.debits()}
        due = {f"charged for {ref}, which we did not confirm" for ref in held & debits}
        for finding in findings(floor.app):
            words = finding.partition(": ")[2]
            if words in due:
                due.discard(words)
            else:
                yield finding
        for words in due:
            yield f"the statement does not say: {words}"


def _same(what: str, ours: dict[str, int], theirs: dict[str, int]) -> Iterator[str]:
    if ours != theirs:
        wrong = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
        yield f"{what}: {len(wrong)} differ from the notepad, the first is {wrong[0]}"


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(found, datetime)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
