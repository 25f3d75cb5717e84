"""Let the carrier's own statement decide what asking could not, and write down which of our bookings it agrees with.

The statement is read with nothing open; then each renewal it speaks of is settled in a short transaction of its own, so that
a power cut leaves some settled and the rest for the next reading. Reading it twice changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from pos.domain.renewals import RenewalState
from pos.ports import Capability, CarrierUnavailable, OutcomeState, Reason, StatementLine
from pos.services import settling
from pos.services.kit import Kit
from pos.services.sending import number_of
from pos.services.settling import Case
from pos.store import renewals as rows
from pos.store import standings as standing_rows
from pos.store import tills as till_rows
from pos.store.db import reading, transaction

# A business day begins and ends at other hours than the day of the statement, at most this much earlier or later.
_ZONES = timedelta(days=1)
# A shop that was closed for long compares this many days at most by itself.
_MOST_DAYS = 7
_DOUBT = (RenewalState.UNKNOWN, RenewalState.PENDING)


@dataclass(frozen=True)
class Told:
    """What a statement says under one reference."""

    charges: tuple[StatementLine, ...] = ()
    given_back: tuple[StatementLine, ...] = ()

    @property
    def is_done(self) -> bool:
        """Charged once, and not given back."""
        return len(self.charges) - len(self.given_back) == 1

    @property
    def is_undone(self) -> bool:
        return bool(self.charges) and len(self.charges) == len(self.given_back)


@dataclass(frozen=True)
class Statement:
    """All lines that were read, by reference. It covers ``since`` to ``complete_until``: within that time, and only there,
    a missing line says that nothing happened."""

    since: datetime
    complete_until: datetime | None
    by_ref: dict[str, Told] = field(repr=False)

    def covers(self, attempt: rows.Attempt) -> bool:
        """Whether every moment at which the order could have taken effect lies within the time that is complete."""
        until = self.complete_until
        return until is not None and self.since <= attempt.written_at and attempt.settles_at <= until


def resolve_from_statement(carrier: str, day: date, *, kit: Kit) -> dict[str, int]:
    """Settle what was sent around ``day`` by the carrier's statement (moves 12, 13, 20, 21 and F18): how many of each kind.

    Raises CarrierUnavailable when the statement cannot be had; nothing was decided then."""
    start = datetime.combine(day, time(), UTC) - _ZONES
    end = start + timedelta(days=1) + 2 * _ZONES
    return _resolve(carrier, _read(carrier, start, kit), start, end, kit)


def resolve_from_lines(carrier: str, lines: Iterable[StatementLine], *, kit: Kit) -> dict[str, int]:
    """The same from a statement that came as a file. What a file leaves out says nothing: nobody promised that it is whole."""
    by_ref: dict[str, list[StatementLine]] = defaultdict(list)
    for line in lines:
        if line.ref:
            by_ref[line.ref].append(line)
    if not by_ref:
        return {}
    start = min(line.at for found in by_ref.values() for line in found) - _ZONES
    statement = Statement(start, None, {ref: _told(found) for ref, found in by_ref.items()})
    return _resolve(carrier, statement, start, start, kit)


def _resolve(carrier: str, statement: Statement, start: datetime, end: datetime, kit: Kit) -> dict[str, int]:
    with reading() as session:
        known = standing_rows.to_compare(session, carrier, set(statement.by_ref), start, end)
    done: dict[str, int] = defaultdict(int)
    for one in known:
        told = statement.by_ref.get(one.ref, Told())
        if not _has_news(one, told):
            continue
        with transaction() as session:
            case = settling.take_up(session, one.renewal_id, kit)
            if case is not None and case.attempt.ref == one.ref:
                _settle(case, told, statement, done)
    if known:
        kit.bell.set()
    return dict(done)


def resolve_by_day(*, kit: Kit) -> list[str]:
    """The worker's part: once a business day is over in every store, the statements of each carrier decide about it. The
    carriers whose statement could not be had; their days are compared later, and nobody waits for them."""
    now = kit.now()
    with reading() as session:
        stores = till_rows.all_stores(session)
        if not stores:
            return []
        over = min(store.plain().business_day(now) for store in stores) - timedelta(days=1)
        heard = {row.carrier: row.statement_day for row in standing_rows.everything(session)}
    silent = []
    for name, carrier in kit.carriers.items():
        if Capability.STATEMENT not in carrier.declaration().capabilities:
            continue
        day = max((heard.get(name) or over - timedelta(days=1)) + timedelta(days=1), over - timedelta(days=_MOST_DAYS - 1))
        try:
            while day <= over:
                resolve_from_statement(name, day, kit=kit)
                with transaction() as session:
                    standing_rows.for_change(session, name).statement_day = day
                day += timedelta(days=1)
        except CarrierUnavailable:
            silent.append(name)
    return silent


def _read(carrier: str, start: datetime, kit: Kit) -> Statement:
    """From the day's beginning until now: what was charged then may have been given back since."""
    now, adapter = kit.now(), kit.carriers[carrier]
    lines: dict[str, list[StatementLine]] = defaultdict(list)
    for line in adapter.statement(start, now + timedelta(minutes=1)):
        if line.ref is not None:
            lines[line.ref].append(line)
    lag = adapter.declaration().statement_complete_after
    return Statement(start, None if lag is None else now - lag, {ref: _told(found) for ref, found in lines.items()})


def _told(lines: Iterable[StatementLine]) -> Told:
    found = list(lines)
    return Told(
        tuple(line for line in found if line.state is OutcomeState.SUCCEEDED),
        tuple(line for line in found if line.state in (OutcomeState.REVERSED, OutcomeState.VOIDED)),
    )


def _has_news(one: standing_rows.Compared, told: Told) -> bool:
    """Whether a transaction is worth its while; most renewals agreed at the first reading."""
    if one.state is RenewalState.CONFIRMED and told.is_done:
        return not one.agrees
    return one.state in _DOUBT or bool(told.charges or told.given_back)


# ------------------------------------------------------------------ one renewal


def _settle(case: Case, told: Told, statement: Statement, done: dict[str, int]) -> None:
    state = case.renewal.state
    if state in _DOUBT:
        if case.now >= case.attempt.settles_at:
            _decide(case, told, statement)
    elif state is RenewalState.CONFIRMED and (told.is_undone or _was_charged_before(case, told, statement)):
        settling.reverse(case, _evidence(told) | {"source": "statement"})
    elif told.is_done and settling.contradict(case, told.charges[0].provider_ref, "statement"):
        done["contradicted"] += 1
    if case.renewal.state is not state:
        done[case.renewal.state.value] += 1
    _agree(case, told, done)


def _was_charged_before(case: Case, told: Told, statement: Statement) -> bool:
    """Given back, days after a charge that this reading begins behind."""
    return not told.charges and len(told.given_back) == 1 and case.attempt.sent_at < statement.since


def _decide(case: Case, told: Told, statement: Statement) -> None:
    """Moves 12 and 13, of a renewal whose settle window is over."""
    renewal = case.renewal
    if told.is_done and len(told.charges) == 1:
        line = told.charges[0]
        exact = _is_exact(case, line)
        if exact:
            renewal.provider_ref = line.provider_ref[:80]
            settling.confirm(case, {"source": "statement"})
        elif exact is False:
            renewal.reason = "other_echo"
            settling.hand_to_manager(case, "the statement has something else under our reference", _evidence(told))
    elif told.is_undone:
        settling.reject(case, Reason.NOT_RECEIVED.value, _evidence(told) | {"source": "statement"})
    elif told.charges:
        settling.hand_to_manager(case, "the statement has several charges under one reference", _evidence(told))
    elif renewal.state is RenewalState.UNKNOWN and statement.covers(case.attempt):
        # Accepted orders (pending) are not decided so: the carrier has them, and no line yet says nothing.
        settling.reject(case, Reason.NOT_RECEIVED.value, {"source": "statement", "absent": True})


def _is_exact(case: Case, line: StatementLine) -> bool | None:
    """Whether number, product and amount are ours; None when the line leaves the number out, and so decides nothing."""
    number = number_of(case.renewal, case.kit)
    if line.cost != case.renewal.cost or line.product_key not in (None, case.renewal.product_key):
        return False
    if not number:
        return True  # a new eSIM: our reference, the product and the amount are all there is to compare
    if line.number is None or line.number.startswith("+") != number.startswith("+"):
        return None  # a SIM's serial number and its phone number cannot be compared
    return line.number == number


def _agree(case: Case, told: Told, done: dict[str, int]) -> None:
    """Move 21: one of our bookings, one line. The carrier's line can be used up once only; the database sees to that."""
    renewal = case.renewal
    reversed_ = renewal.reason == settling.REVERSED and renewal.state is not RenewalState.CONFIRMED
    if renewal.state is not RenewalState.CONFIRMED and not reversed_:
        return
    known = standing_rows.agreements_of(case.session, renewal.id)
    pairs = [("charged", told.charges)] + ([("given_back", told.given_back)] if reversed_ else [])
    for kind, lines in pairs:
        if kind in known or len(lines) != 1 or lines[0].cost != renewal.cost:
            continue
        line = lines[0]
        case.session.add(
            standing_rows.Agreement(
                renewal_id=renewal.id,
                kind=kind,
                carrier=renewal.carrier,
                line=line.provider_ref[:80],
                cost_minor=line.cost.minor,
                cost_currency=line.cost.currency,
                line_at=line.at,
                at=case.now,
            )
        )
        content = {"line": line.provider_ref[:80], "kind": kind, "cost": line.cost.minor}
        case.pen.note(case.session, "renewal.reconciled", "renewal", renewal.id, content)
        done["agreed"] += 1


def _evidence(told: Told) -> dict[str, object]:
    lines = (*told.charges, *told.given_back)
    return {"lines": [f"{line.provider_ref[:80]} {line.state.value} {line.cost}" for line in lines]}
