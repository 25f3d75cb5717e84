"""Read what acquirers, banks and carriers tell into lines of our own: a file once, a line once, all of it or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from pos.domain import errors as e
from pos.domain import settlement_files as files
from pos.domain.camt import read_camt
from pos.domain.pan import looks_like_card
from pos.domain.settlement_files import Contents, Line, Profile
from pos.domain.settlements import Direction, Kind, Theirs
from pos.domain.tills import Desk, Store
from pos.ports import Capability, OutcomeState, StatementLine
from pos.services import statements
from pos.services.kit import Kit
from pos.services.sending import number_of
from pos.store import reconciliation as rows
from pos.store import renewals as renewal_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen

_KINDS = {OutcomeState.SUCCEEDED: Kind.CHARGE, OutcomeState.REVERSED: Kind.GIVEN_BACK, OutcomeState.VOIDED: Kind.GIVEN_BACK}
_STATES = {Kind.CHARGE: OutcomeState.SUCCEEDED, Kind.GIVEN_BACK: OutcomeState.REVERSED}


@dataclass(frozen=True)
class Imported:
    """``days``: what to compare again. A file that was known has no new lines."""

    direction: Direction
    count: int
    new: int
    left_out: int
    days: tuple[date, ...] = ()
    resolved: int = 0


def read_file(content: bytes, profile: Profile) -> Contents:
    """Raises FileRefused with the sentence of what is wrong with it."""
    try:
        return read_camt(content, profile) if profile.kind == "camt" else files.read_csv(content, profile)
    except files.FileRefused as fault:
        raise e.FileRefused(fault.sentence, **fault.values) from None


def profile_of(name: str, kit: Kit, *directions: Direction) -> Profile:
    """Raises NoSuchProfile."""
    profile = kit.profiles.get(name)
    if profile is None or (directions and profile.direction not in directions):
        raise e.NoSuchProfile
    return profile


def import_settlement(content: bytes, profile: Profile, desk: Desk, *, kit: Kit) -> Imported:
    """A file that somebody brings at a screen. Raises FileRefused; nothing of it was stored then."""
    contents = read_file(content, profile)
    return _keep(contents, profile, desk.store, kit.pen(desk, kit.now()), desk.staff.id, kit)


def import_for(content: bytes, profile: Profile, store_code: str, *, kit: Kit) -> Imported:
    """The same without a person, for the command line. Raises FileRefused, LookupError for a store that is none."""
    contents = read_file(content, profile)
    store = store_called(store_code)
    return _keep(contents, profile, store, pen_of(store, kit), None, kit)


def store_called(code: str) -> Store:
    with reading() as session:
        row = till_rows.store_by_code(session, code.upper())
        if row is None:
            raise LookupError(f"there is no store {code.upper()}")
        return row.plain()


def stores() -> list[Store]:
    with reading() as session:
        return [row.plain() for row in till_rows.all_stores(session)]


def pen_of(store: Store, kit: Kit) -> Pen:
    now = kit.now()
    return kit.office_pen(store.code, "command", now, store.business_day(now))


def import_statement(carrier: str, content: bytes, *, kit: Kit) -> Imported:
    """A carrier's statement as a file: each line to the store whose reference it bears; then in-doubt renewals are settled by it
    (moves 12 and 20). Raises FileRefused, NoSuchProfile."""
    profile = next((p for p in kit.profiles.values() if p.direction is Direction.CARRIER and p.source == carrier), None)
    if profile is None:
        raise e.NoSuchProfile
    contents = read_file(content, profile)
    told = statements.resolve_from_lines(carrier, filter(None, (_as_told(line) for line in contents.lines)), kit=kit)
    kept = _keep_for_stores(carrier, contents, kit)
    return replace(kept, resolved=sum(told.values()))


def _as_told(line: Line) -> StatementLine | None:
    state = _STATES.get(line.line.kind)
    if state is None:
        return None
    one = line.line
    provider = line.provider_ref or f"file:{line.identity[:24]}"
    return StatementLine(provider, one.ref or None, line.number or None, line.product or None, one.amount, state, one.at)


def fetch(carrier: str, day: date, *, kit: Kit) -> Imported:
    """Ask a carrier for its statement around a day. First it decides what is in doubt (moves 12, 13, 20), then its lines are
    kept. Raises CarrierUnavailable; nothing was stored then."""
    adapter = kit.carriers[carrier]
    if Capability.STATEMENT not in adapter.declaration().capabilities:
        return Imported(Direction.CARRIER, 0, 0, 0)
    told = statements.resolve_from_statement(carrier, day, kit=kit)
    start = datetime.combine(day, time(), UTC) - timedelta(days=1)
    found = adapter.statement(start, start + timedelta(days=3))
    read = []
    for line in found:
        kind = _KINDS.get(line.state)
        if kind is not None:
            number = line.number or ""
            theirs = Theirs(kind, line.cost, line.at, ref=(line.ref or "")[:80], tail=files.digits(number)[-3:])
            read.append((theirs, number, line.product_key or "", line.provider_ref[:80]))
    lines = files.identified(read)
    lag = adapter.declaration().statement_complete_after or timedelta(hours=1)
    with reading() as session:
        over = all(store.plain().business_day(kit.now() - lag) > day for store in till_rows.all_stores(session))
    words = f"{day}|{over}|" + "|".join(sorted(line.identity for line in lines))
    # A day that is not over is spoken of by nobody yet: its span is empty.
    contents = Contents(lines, files.digest_of(words.encode()), day, day if over else day - timedelta(days=1))
    return replace(_keep_for_stores(carrier, contents, kit), resolved=sum(told.values()))


# ------------------------------------------------------------------ keeping


@dataclass(frozen=True)
class _Known:
    """What our books know of a reference: whose it is, when it was sent, and the number, for one comparison."""

    store_id: int
    day: date
    number: str


def _keep_for_stores(carrier: str, contents: Contents, kit: Kit) -> Imported:
    """A line that bears nobody's reference belongs to the first store, so that one manager looks after it."""
    with reading() as session:
        stores = {row.id: row.plain() for row in till_rows.all_stores(session)}
        known = _known(session, {line.line.ref for line in contents.lines if line.line.ref}, stores, kit)
    first = min(stores)
    parts: dict[int, list[Line]] = {store_id: [] for store_id in stores}
    days: defaultdict[int, set[date]] = defaultdict(set)
    for line in contents.lines:
        ours = known.get(line.line.ref)
        store_id = first if ours is None else ours.store_id
        if ours is not None:
            days[store_id].add(ours.day)
            line = replace(line, line=replace(line.line, is_other_number=_is_other(line.number, ours.number)))
        parts[store_id].append(line)
    profile = Profile(carrier, Direction.CARRIER, source=carrier)
    total = Imported(Direction.CARRIER, len(contents.lines), 0, contents.left_out)
    for store_id, part in parts.items():
        store = stores[store_id]
        kept = _keep(replace(contents, lines=tuple(part)), profile, store, pen_of(store, kit), None, kit)
        total = replace(total, new=total.new + kept.new, days=tuple(sorted({*total.days, *kept.days, *days[store_id]})))
    return total


def _known(session: Session, refs: set[str], stores: dict[int, Store], kit: Kit) -> dict[str, _Known]:
    found = renewal_rows.by_refs(session, refs)
    return {
        attempt.ref: _Known(renewal.store_id, stores[renewal.store_id].business_day(attempt.sent_at), number_of(renewal, kit))
        for attempt, renewal in found
    }


def _is_other(theirs: str, ours: str) -> bool:
    """A SIM's serial number and its phone number cannot be compared; nor can a number that was erased."""
    comparable = bool(theirs and ours) and theirs.startswith("+") == ours.startswith("+")
    return comparable and theirs != ours


@retried
def _keep(contents: Contents, profile: Profile, store: Store, pen: Pen, staff_id: int | None, kit: Kit) -> Imported:
    """Power cut: the whole file is there or nothing of it."""
    source, direction = profile.source or profile.name, profile.direction
    with transaction() as session:
        rows.line_up(session, store.id, direction)
        days = _days(contents.lines, store)
        if rows.import_of(session, store.id, direction, source, contents.digest) is not None:
            return Imported(direction, len(contents.lines), 0, contents.left_out, days)
        known = rows.known_identities(session, store.id, direction, source, [line.identity for line in contents.lines])
        fresh = [line for line in contents.lines if line.identity not in known]
        kept = rows.StatementImport(
            store_id=store.id,
            direction=direction,
            source=source,
            digest=contents.digest,
            first_day=contents.first_day,
            last_day=contents.last_day,
            line_count=len(fresh),
            left_out=contents.left_out,
            staff_id=staff_id,
            at=kit.now(),
        )
        session.add(kept)
        session.flush()
        session.add_all(_row(line, kept, store) for line in fresh)
        content = {"direction": direction.value, "source": source, "lines": len(fresh), "digest": contents.digest}
        pen.note(session, "statement.imported", "statement", kept.id, content)
    return Imported(direction, len(contents.lines), len(fresh), contents.left_out, days)


def _days(lines: Iterable[Line], store: Store) -> tuple[date, ...]:
    return tuple(sorted({store.business_day(line.line.at) for line in lines}))


def _row(line: Line, kept: rows.StatementImport, store: Store) -> rows.StatementLine:
    one = line.line
    return rows.StatementLine(
        import_id=kept.id,
        store_id=kept.store_id,
        direction=kept.direction,
        source=kept.source,
        identity=line.identity,
        kind=one.kind,
        amount_minor=one.amount.minor,
        fee_minor=None if one.fee is None else one.fee.minor,
        currency=one.amount.currency,
        at=one.at,
        is_day_only=one.is_day_only,
        business_day=store.business_day(one.at),
        # A carrier's text is no place for a card's number either.
        ref="" if looks_like_card(one.ref) else one.ref,
        tail=one.tail[-4:],
        is_other_number=one.is_other_number,
    )
