"""What others say of our money, line by line, beside what we booked: pairs, and five buckets for what is no pair.

Nothing here books anything. A pair needs the same reference or, where a card line has none, the same amount, last digits and
minute, and one candidate on either side; whatever is less certain is an open item with a proposal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from pos.domain.lives import Life
from pos.domain.money import Money, total
from pos.domain.words import N_


class Direction(StrEnum):
    """Whose word it is: the acquirer's about cards, the bank's about what the acquirer paid out, the carrier's about renewals."""

    CARD = "card"
    BANK = "bank"
    CARRIER = "carrier"


class Kind(StrEnum):
    CHARGE = "charge"
    GIVEN_BACK = "given_back"
    FEE = "fee"
    PAYOUT = "payout"


class Standing(StrEnum):
    """What our books say of a booking: it stands, nobody knows yet, or it came to nothing."""

    DONE = "done"
    OPEN = "open"
    NOT_DONE = "not_done"


class Bucket(StrEnum):
    MATCHED = "matched"
    OURS_ONLY = "ours_only"
    THEIRS_ONLY = "theirs_only"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Differs(StrEnum):
    AMOUNT = "amount"
    NUMBER = "number"
    STATE = "state"
    CURRENCY = "currency"
    FEE = "fee"
    SPLIT = "split"
    DOUBLED = "doubled"
    REFERENCE = "reference"
    DAY = "day"


class Action(StrEnum):
    """The first three are what to do meanwhile; the others are decisions of two people, and all but ACCEPT are booked."""

    WAIT = "wait"
    VERDICT = "verdict"
    CLAIM = "claim"
    ACCEPT = "accept"
    FEE = "fee"
    CHARGEBACK = "chargeback"
    LOSS = "loss"
    PRICE = "price"
    SUSPENSE = "suspense"
    PAYOUT = "payout"


DIRECTION_WORDS: dict[Direction, str] = {
    Direction.CARD: N_("Cards"),
    Direction.BANK: N_("Bank"),
    Direction.CARRIER: N_("Carrier"),
}
BUCKET_WORDS: dict[Bucket, str] = {
    Bucket.MATCHED: N_("agrees"),
    Bucket.OURS_ONLY: N_("only in our books"),
    Bucket.THEIRS_ONLY: N_("only in theirs"),
    Bucket.DIFFERENT: N_("differs"),
    Bucket.UNKNOWN: N_("not decided yet"),
}
DIFFERS_WORDS: dict[Differs, str] = {
    Differs.AMOUNT: N_("another amount"),
    Differs.NUMBER: N_("another number"),
    Differs.STATE: N_("another result"),
    Differs.CURRENCY: N_("another currency"),
    Differs.FEE: N_("the amount lacks the fee"),
    Differs.SPLIT: N_("several lines make up the amount"),
    Differs.DOUBLED: N_("charged twice"),
    Differs.REFERENCE: N_("same amount and number, another reference"),
    Differs.DAY: N_("another day"),
}
ACTION_WORDS: dict[Action, str] = {
    Action.WAIT: N_("Wait: the carrier is still being asked."),
    Action.VERDICT: N_("Two people decide it under To decide."),
    Action.CLAIM: N_("Ask them about it, with our reference."),
    Action.ACCEPT: N_("Leave the books as they are."),
    Action.FEE: N_("Book it as a card fee."),
    Action.CHARGEBACK: N_("Book it as a chargeback."),
    Action.LOSS: N_("Book it as a loss."),
    Action.PRICE: N_("Book it as cost of the plans sold."),
    Action.SUSPENSE: N_("Book it to the suspense account until somebody knows."),
    Action.PAYOUT: N_("Book what the bank received, and the charges it names."),
}


class ItemState(StrEnum):
    OPEN = "open"
    MATCHED = "matched"
    DECIDED = "decided"


OPEN_ITEM = Life(
    noun="open_item",
    begins=frozenset({ItemState.OPEN}),
    moves={
        (ItemState.OPEN, ItemState.MATCHED): "a later line or answer agrees with it; nothing was booked",
        (ItemState.OPEN, ItemState.DECIDED): "two people decided it with evidence, and it was booked in the same commit",
        (ItemState.MATCHED, ItemState.OPEN): "what agreed does so no more: a line came that says otherwise",
    },
    # An item that agrees may be opened again; only people end one.
    ends=frozenset({ItemState.DECIDED}),
)


@dataclass(frozen=True)
class Ours:
    """One of our bookings. ``amount`` is never negative: ``kind`` says which way it went. ``tail``: the last digits."""

    key: str
    kind: Kind
    amount: Money
    at: datetime
    ref: str = ""
    tail: str = ""
    standing: Standing = Standing.DONE
    source: str = ""

    @property
    def signed(self) -> Money:
        return -self.amount if self.kind is Kind.GIVEN_BACK else self.amount


@dataclass(frozen=True)
class Theirs:
    """One of their lines. ``is_day_only``: they tell a day and no hour. ``is_other_number``: the whole number, which is not
    kept, was not ours."""

    kind: Kind
    amount: Money
    at: datetime
    ref: str = ""
    tail: str = ""
    fee: Money | None = None
    is_day_only: bool = False
    is_other_number: bool = False
    key: int = 0

    @property
    def signed(self) -> Money:
        return -self.amount if self.kind in (Kind.GIVEN_BACK, Kind.FEE) else self.amount


@dataclass(frozen=True)
class Finding:
    bucket: Bucket
    ours: Ours | None = None
    theirs: tuple[Theirs, ...] = ()
    differs: tuple[Differs, ...] = ()

    @property
    def at(self) -> datetime:
        return self.ours.at if self.ours is not None else self.theirs[0].at


@dataclass(frozen=True)
class Rules:
    """``span``: a reference says nothing beyond it, for authorisation codes come again. ``minutes``: as near are two moments that
    may be one. ``pairs_without_reference``: whether a line that bears none may make a pair at all."""

    span: timedelta = timedelta(days=3)
    minutes: timedelta = timedelta(minutes=10)
    pairs_without_reference: bool = False


CARD_RULES = Rules(pairs_without_reference=True)
CARRIER_RULES = Rules(span=timedelta(days=30))


def compare(
    ours: Iterable[Ours],
    theirs: Iterable[Theirs],
    rules: Rules,
    is_covered: Callable[[Ours], bool],
    day_of: Callable[[datetime], date],
) -> list[Finding]:
    """A finding for each booking and each line, each in one finding only. What they had no chance to tell (``is_covered``) is
    left out."""
    table = _Table(sorted(ours, key=lambda one: (one.at, one.key)), sorted(theirs, key=_order), rules, day_of)
    table.pair_exact()
    table.gather_same_reference()
    table.propose_without_reference()
    return table.findings(is_covered)


def _order(line: Theirs) -> tuple[datetime, int, str, int, str]:
    return line.at, line.key, line.kind.value, line.amount.minor, line.ref


def normal(ref: str) -> str:
    """A reference as both sides write it: without blanks, leading zeros and the difference of capitals."""
    return "".join(ref.split()).upper().lstrip("0")


@dataclass
class _Table:
    ours: list[Ours]
    theirs: list[Theirs]
    rules: Rules
    day_of: Callable[[datetime], date]
    found: dict[int, Finding] = field(default_factory=dict)  # by the place of ours
    used: set[int] = field(default_factory=set)  # places of theirs
    only_theirs: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_ref: dict[tuple[Kind, str], list[int]] = defaultdict(list)
        for place, line in enumerate(self.theirs):
            if normal(line.ref) and line.kind in (Kind.CHARGE, Kind.GIVEN_BACK):
                self.by_ref[line.kind, normal(line.ref)].append(place)
        self.backs = {normal(one.ref) for one in self.ours if one.kind is Kind.GIVEN_BACK}

    def near(self, one: Ours, line: Theirs) -> bool:
        return abs(one.at - line.at) <= self.rules.span

    def free(self, one: Ours, kind: Kind) -> list[int]:
        """Unused lines under a booking's reference, the nearest first."""
        places = self.by_ref.get((kind, normal(one.ref)), []) if normal(one.ref) else []
        open_ = [place for place in places if place not in self.used and self.near(one, self.theirs[place])]
        return sorted(open_, key=lambda place: abs(self.theirs[place].at - one.at))

    def pair_exact(self) -> None:
        for place, one in enumerate(self.ours):
            if one.standing is not Standing.DONE:
                continue
            for candidate in self.free(one, one.kind):
                line = self.theirs[candidate]
                if line.amount == one.amount and _same_number(one, line):
                    self.take(place, Bucket.MATCHED, [candidate], self._other_day(one, line))
                    break

    def gather_same_reference(self) -> None:
        """What is left under the reference of one of our bookings belongs to it, and says something else."""
        for place, one in enumerate(self.ours):
            backs = self.free(one, Kind.GIVEN_BACK) if one.kind is Kind.CHARGE and not self._gave_back(one) else []
            if place in self.found:
                pair = self.found[place]
                if backs:
                    self.used.update(backs)
                    lines = (*pair.theirs, *(self.theirs[back] for back in backs))
                    self.found[place] = Finding(Bucket.DIFFERENT, one, lines, (Differs.STATE,))
                continue
            charges = self.free(one, one.kind)
            if one.standing is Standing.OPEN:
                self.take(place, Bucket.UNKNOWN, charges + backs, ())
            elif one.standing is Standing.NOT_DONE:
                if charges and len(backs) < len(charges):
                    self.take(place, Bucket.DIFFERENT, charges + backs, (Differs.STATE,))
                else:
                    self.used.update(charges + backs)  # charged and given back: as if it had never been
            elif backs:
                self.take(place, Bucket.DIFFERENT, charges + backs, (Differs.STATE,))
            elif charges:
                self.take(place, Bucket.DIFFERENT, charges, self._why(one, [self.theirs[c] for c in charges]))
        known = {(one.kind, normal(one.ref)) for one in self.ours if normal(one.ref)}
        for key in known & self.by_ref.keys():
            for candidate in self.by_ref[key]:
                if candidate not in self.used and any(self._is_twin(finding, key, candidate) for finding in self.found.values()):
                    self.used.add(candidate)
                    self.only_theirs.append(Finding(Bucket.THEIRS_ONLY, None, (self.theirs[candidate],), (Differs.DOUBLED,)))

    def _is_twin(self, finding: Finding, key: tuple[Kind, str], candidate: int) -> bool:
        one = finding.ours
        return one is not None and (one.kind, normal(one.ref)) == key and self.near(one, self.theirs[candidate])

    def _gave_back(self, one: Ours) -> bool:
        """Whether our books know of money that went back under the same reference."""
        return normal(one.ref) in self.backs

    def _why(self, one: Ours, lines: list[Theirs]) -> tuple[Differs, ...]:
        line, why = lines[0], []
        if any(other.amount.currency != one.amount.currency for other in lines):
            why.append(Differs.CURRENCY)
        elif len(lines) > 1:
            whole = total([other.amount for other in lines], one.amount.currency) == one.amount
            why.append(Differs.SPLIT if whole else Differs.AMOUNT)
        elif line.amount != one.amount:
            with_fee = line.fee is not None and line.amount + line.fee == one.amount
            why.append(Differs.FEE if with_fee else Differs.AMOUNT)
        if any(not _same_number(one, other) for other in lines):
            why.append(Differs.NUMBER)
        return tuple(why)

    def propose_without_reference(self) -> None:
        """Amount, last digits and moment, and nobody else it could be: a pair where the line bears no reference at all and the
        rules allow that, else a proposal."""
        wanting = [place for place, one in enumerate(self.ours) if place not in self.found and one.standing is Standing.DONE]
        lines: dict[tuple[Kind, Money, str], list[int]] = defaultdict(list)
        for place, line in enumerate(self.theirs):
            if place not in self.used and not line.is_day_only and line.tail:
                lines[line.kind, line.amount, line.tail].append(place)
        candidates = {}
        for place in wanting:
            one = self.ours[place]
            alike = lines.get((one.kind, one.amount, one.tail), [])
            candidates[place] = [c for c in alike if self._is_near(one, self.theirs[c])]
        claims: dict[int, int] = defaultdict(int)
        for places in candidates.values():
            for candidate in places:
                claims[candidate] += 1
        for place, places in candidates.items():
            if len(places) != 1 or claims[places[0]] != 1:
                continue
            line = self.theirs[places[0]]
            is_pair = self.rules.pairs_without_reference and not normal(line.ref)
            bucket, why = (Bucket.MATCHED, ()) if is_pair else (Bucket.DIFFERENT, (Differs.REFERENCE,))
            self.take(place, bucket, places, why)

    def _is_near(self, one: Ours, line: Theirs) -> bool:
        return abs(one.at - line.at) <= self.rules.minutes and not line.is_other_number

    def _other_day(self, one: Ours, line: Theirs) -> tuple[Differs, ...]:
        return (Differs.DAY,) if self.day_of(one.at) != self.day_of(line.at) else ()

    def take(self, place: int, bucket: Bucket, lines: list[int], why: tuple[Differs, ...]) -> None:
        self.used.update(lines)
        self.found[place] = Finding(bucket, self.ours[place], tuple(self.theirs[line] for line in lines), why)

    def findings(self, is_covered: Callable[[Ours], bool]) -> list[Finding]:
        found = [self.found[place] for place in sorted(self.found)]
        for place, one in enumerate(self.ours):
            if place not in self.found and one.standing is Standing.DONE and is_covered(one):
                found.append(Finding(Bucket.OURS_ONLY, one))
        found += self.only_theirs
        for place, line in enumerate(self.theirs):
            if place not in self.used:
                found.append(Finding(Bucket.THEIRS_ONLY, None, (line,), (Differs.FEE,) if line.kind is Kind.FEE else ()))
        return found


def _same_number(one: Ours, line: Theirs) -> bool:
    return not line.is_other_number and (not one.tail or not line.tail or one.tail == line.tail)


# ------------------------------------------------------------------ what the acquirer paid out

PAYOUT_DAYS = 7


def compare_payouts(
    days: Iterable[Ours], theirs: Iterable[Theirs], is_covered: Callable[[Ours], bool], day_of: Callable[[datetime], date]
) -> list[Finding]:
    """The bank's entries beside the card takings of whole days: a pair when an entry and the charges it names make one day's sum,
    and no other day's within a week before it."""
    waiting, found = sorted(days, key=lambda one: one.at), []
    lines = sorted(theirs, key=_order)
    for line in lines:
        gross = line.signed if line.fee is None else line.signed + line.fee
        fitting = [one for one in waiting if one.signed == gross and 0 <= _days(one, line, day_of) <= PAYOUT_DAYS]
        if len(fitting) == 1:
            waiting.remove(fitting[0])
            found.append(Finding(Bucket.MATCHED, fitting[0], (line,)))
        else:
            found.append(Finding(Bucket.THEIRS_ONLY, None, (line,)))
    return found + [Finding(Bucket.OURS_ONLY, one) for one in waiting if is_covered(one)]


def _days(one: Ours, line: Theirs, day_of: Callable[[datetime], date]) -> int:
    return (day_of(line.at) - day_of(one.at)).days


# ------------------------------------------------------------------ what to do about it


def proposals(direction: Direction, finding: Finding) -> tuple[Action, ...]:
    """What may be done about an open item, the proposal first. One that people cannot decide here has no decision among them."""
    if finding.bucket is Bucket.UNKNOWN:
        return (Action.WAIT,)
    if direction is Direction.BANK:
        return (Action.PAYOUT, Action.ACCEPT) if finding.theirs else (Action.CLAIM, Action.ACCEPT)
    if Differs.CURRENCY in finding.differs:
        return Action.CLAIM, Action.ACCEPT  # two currencies have no difference that could be booked
    if direction is Direction.CARD:
        return _about_cards(finding)
    if Differs.STATE in finding.differs:
        return (Action.VERDICT,)
    if finding.bucket is Bucket.THEIRS_ONLY:
        return Action.SUSPENSE, Action.LOSS, Action.ACCEPT
    if finding.bucket is Bucket.OURS_ONLY:
        return Action.CLAIM, Action.SUSPENSE, Action.ACCEPT
    if Differs.AMOUNT in finding.differs:
        return Action.PRICE, Action.SUSPENSE, Action.ACCEPT
    return Action.CLAIM, Action.ACCEPT


def _about_cards(finding: Finding) -> tuple[Action, ...]:
    if Differs.FEE in finding.differs:
        return Action.FEE, Action.SUSPENSE, Action.ACCEPT
    if finding.bucket is Bucket.THEIRS_ONLY:
        back = finding.theirs[0].kind is Kind.GIVEN_BACK
        return (Action.CHARGEBACK, Action.SUSPENSE, Action.ACCEPT) if back else (Action.SUSPENSE, Action.ACCEPT)
    if finding.bucket is Bucket.OURS_ONLY:
        return Action.CLAIM, Action.LOSS, Action.ACCEPT
    if Differs.STATE in finding.differs:
        return Action.CHARGEBACK, Action.SUSPENSE, Action.ACCEPT
    if Differs.AMOUNT in finding.differs:
        return Action.SUSPENSE, Action.FEE, Action.LOSS, Action.ACCEPT
    return Action.ACCEPT, Action.CLAIM


# What only says what to do meanwhile; it closes nothing.
MEANWHILE = frozenset({Action.WAIT, Action.VERDICT, Action.CLAIM})


def with_keys(lines: Iterable[Theirs], keys: Iterable[int]) -> list[Theirs]:
    return [replace(line, key=key) for line, key in zip(lines, keys, strict=True)]
