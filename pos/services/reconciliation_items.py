"""What a manager sees and does: a day's three directions side by side, the open items, and decisions of two people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import DayMissing, EvidenceMissing, ItemDecided, ItemMoved, NoSuchAction, NotFound, SamePerson
from pos.domain.money import Money
from pos.domain.permissions import Permission
from pos.domain.settlements import MEANWHILE, OPEN_ITEM, Action, Bucket, Direction, ItemState
from pos.domain.tills import Desk, Store
from pos.ports import CarrierUnavailable
from pos.services import reconciliation_imports as imports
from pos.services import reconciliation_ours as books
from pos.services import staff
from pos.services.kit import Kit
from pos.services.reconciliation_days import compare_days, moments
from pos.store import ledger as ledger_rows
from pos.store import reconciliation as rows
from pos.store import shifts as shift_rows
from pos.store import staff as staff_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, move

_SHORTEST_EVIDENCE = 3


@dataclass(frozen=True)
class DrawerSide:
    """One closed shift, from the figures of its Z: what was expected, counted, and what the terminal's own slip said."""

    till: str
    z_number: str
    expected: Money
    counted: Money | None  # a manager closed a forgotten shift without a count
    difference: Money
    reason: str
    cards: Money
    terminal: Money | None


@dataclass(frozen=True)
class Side:
    """One direction in one currency. ``theirs`` is what they told of this day's bookings, on whatever day they told it."""

    direction: Direction
    ours: Money
    ours_count: int
    theirs: Money
    theirs_count: int
    matched: int

    @property
    def difference(self) -> Money:
        return self.theirs - self.ours


@dataclass(frozen=True)
class Source:
    direction: Direction
    name: str
    first_day: date
    last_day: date
    lines: int
    at: datetime


@dataclass(frozen=True)
class Item:
    id: int
    direction: Direction
    source: str
    day: date
    state: ItemState
    bucket: Bucket
    differs: tuple[str, ...]
    actions: tuple[Action, ...]
    ref: str
    tail: str
    ours: Money | None
    theirs: Money | None
    fee: Money | None
    at: datetime
    age_days: int
    next_on: date
    owner: str
    subject: str
    action: Action | None = None
    evidence: str = ""
    decided_by: str = ""
    agreed_by: str = ""

    @property
    def seen(self) -> str:
        """What a decision was taken about; a line that came in between makes it stale."""
        return f"{self.bucket}|{self.differs}|{self.ours}|{self.theirs}|{self.fee}"

    @property
    def decisions(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if action not in MEANWHILE)


@dataclass(frozen=True)
class Day:
    day: date
    drawers: list[DrawerSide]
    sides: list[Side]
    sources: list[Source]
    items: list[Item]
    silent: list[Direction] = field(default_factory=list)

    @property
    def open_count(self) -> int:
        return sum(item.state is ItemState.OPEN for item in self.items)


def show_day(store: Store, day: date, *, kit: Kit) -> Day:
    """Everything of one business day; reads only."""
    with reading() as session:
        names = _names(session)
        items = [_item(row, names, store, kit) for row in rows.all_of_day(session, store.id, day)]
        sides = [side for direction in Direction for side in _sides(session, store, direction, day)]
        found = [
            Source(row.direction, row.source, row.first_day, row.last_day, row.line_count, row.at)
            for row in rows.imports_of(session, store.id, day)
        ]
        spoken = {source.direction for source in found}
        silent = [side.direction for side in sides if side.direction not in spoken]
        return Day(day, _drawers(session, store, day), sides, found, items, list(dict.fromkeys(silent)))


def open_items(store: Store, *, kit: Kit) -> list[Item]:
    """Of every day, the oldest first."""
    with reading() as session:
        names = _names(session)
        return [_item(row, names, store, kit) for row in rows.still_open(session, store.id)]


def show_item(item_id: int, store: Store, *, kit: Kit) -> Item:
    """Raises NotFound."""
    with reading() as session:
        row = session.get(rows.OpenItem, item_id)
        if row is None or row.store_id != store.id:
            raise NotFound
        return _item(row, _names(session), store, kit)


def _names(session: Session) -> dict[int, str]:
    return {person.id: person.name for person in staff_rows.everybody(session)}


def _item(row: rows.OpenItem, names: dict[int, str], store: Store, kit: Kit) -> Item:
    return Item(
        id=row.id,
        direction=row.direction,
        source=row.source,
        day=row.business_day,
        state=row.state,
        bucket=row.bucket,
        differs=tuple(row.differs.split()),
        actions=tuple(Action(word) for word in row.actions.split()),
        ref=row.ref,
        tail=row.tail,
        ours=row.ours,
        theirs=row.theirs,
        fee=row.fee,
        at=row.happened_at,
        age_days=max(0, (store.business_day(kit.now()) - row.business_day).days),
        next_on=row.next_on,
        owner=names.get(row.owner_id or 0, ""),
        subject=row.subject,
        action=row.action,
        evidence=row.evidence or "",
        decided_by=names.get(row.decided_by or 0, ""),
        agreed_by=names.get(row.agreed_by or 0, ""),
    )


def _drawers(session: Session, store: Store, day: date) -> list[DrawerSide]:
    found = []
    for report, till, reason in shift_rows.z_of_day(session, store.id, day):
        said = json.loads(report.figures)
        currency, terminal = said["currency"], said["terminal_total"]
        found.append(
            DrawerSide(
                till,
                report.number,
                Money(said["expected"], currency),
                None if said["counted"] is None else Money(said["counted"], currency),
                Money(said["difference"], currency),
                reason or "",
                Money(said["card"] - said["card_refunds"], currency),
                None if terminal is None else Money(terminal, currency),
            )
        )
    return found


def _sides(session: Session, store: Store, direction: Direction, day: date) -> Iterable[Side]:
    """By currency. Their lines count where the booking is that they belong to."""
    booked = books.booked(session, store, direction, *moments(store, day, day))
    ours = [one for one in booked if store.business_day(one.at) == day and books.counts(one)]
    keys = {one.key for one in ours}
    items = {row.id for row in rows.all_of_day(session, store.id, day) if row.direction is direction}
    lines = rows.lines_about(session, store.id, direction, keys, items)
    for currency in sorted({one.amount.currency for one in ours} | {line.currency for line in lines}):
        mine = [one.signed.minor for one in ours if one.amount.currency == currency]
        told = [line for line in lines if line.currency == currency]
        yield Side(
            direction,
            Money(sum(mine), currency),
            len(mine),
            Money(sum(line.plain().signed.minor for line in told), currency),
            len(told),
            sum(line.ours_key is not None for line in told),
        )


# ------------------------------------------------------------------ the day's work


@dataclass(frozen=True)
class Worked:
    """``silent``: carriers whose statement could not be had; the day is compared with what is there."""

    changes: int
    open_count: int
    silent: list[str]


def work_through(store: Store, day: date, pen: Pen, *, kit: Kit, owner_id: int | None = None) -> Worked:
    """Fetch what carriers tell of a day and compare all three directions. Again: nothing changes that did not change there."""
    silent, changes, touched = [], 0, {day}
    for carrier in kit.carriers:
        try:
            touched.update(imports.fetch(carrier, day, kit=kit).days)
        except CarrierUnavailable:
            silent.append(carrier)
    for direction in Direction:
        days = touched if direction is Direction.CARRIER else {day}
        changes += compare_days(store, direction, days, pen, kit=kit, owner_id=owner_id)
    shown = show_day(store, day, kit=kit)
    return Worked(changes, shown.open_count, silent)


def after_import(store: Store, kept: imports.Imported, pen: Pen, *, kit: Kit, owner_id: int | None = None) -> int:
    """What a file that was just read changes, on all the days it speaks of."""
    return compare_days(store, kept.direction, kept.days, pen, kit=kit, owner_id=owner_id)


# ------------------------------------------------------------------ one item


@retried
def take(item_id: int, desk: Desk, *, kit: Kit) -> None:
    """From now on this person looks after it. Raises NotFound."""
    with transaction() as session:
        item = _for_change(session, item_id, desk)
        if item.state is ItemState.OPEN and item.owner_id != desk.staff.id:
            item.owner_id = desk.staff.id
            content = {"owner": desk.staff.number}
            kit.pen(desk, kit.now()).note(session, "open_item.taken", "open_item", item.id, content)


@retried
def postpone(item_id: int, next_on: date, desk: Desk, *, kit: Kit) -> None:
    """Looked at again on another day, which is today at the earliest and within a year. Raises NotFound, DayMissing."""
    today = desk.store.business_day(kit.now())
    if not today <= next_on <= today + timedelta(days=366):
        raise DayMissing
    with transaction() as session:
        item = _for_change(session, item_id, desk)
        if item.state is ItemState.OPEN and item.next_on != next_on:
            item.next_on = next_on
            content = {"next_on": next_on.isoformat()}
            kit.pen(desk, kit.now()).note(session, "open_item.postponed", "open_item", item.id, content)


@dataclass(frozen=True)
class Decision:
    """``seen``: what the screen showed; ``second``: the number and PIN of the person who agrees."""

    action: str
    evidence: str
    seen: str
    second: str
    pin: str = field(default="", repr=False)


def decide(item_id: int, decision: Decision, desk: Desk, *, kit: Kit) -> None:
    """Two people, a reference to the evidence, and the ledger, in one commit. Again: nothing changes.

    Raises EvidenceMissing, NoSuchAction, SamePerson, ApproverRefused, ItemDecided, ItemMoved. Power cut: all of it or none."""
    evidence = decision.evidence.strip()[:200]
    if len(evidence) < _SHORTEST_EVIDENCE:
        raise EvidenceMissing
    shown = show_item(item_id, desk.store, kit=kit)
    if decision.action not in shown.decisions:
        raise NoSuchAction
    second = staff.prove(decision.second, decision.pin, Permission.AGREE, desk, kit=kit)
    if second.id == desk.staff.id:
        raise SamePerson
    _decide(item_id, Action(decision.action), evidence, decision.seen, second.id, desk, kit)


@retried
def _decide(item_id: int, action: Action, evidence: str, seen: str, second_id: int, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        item = _for_change(session, item_id, desk)
        if item.state is ItemState.DECIDED and (item.action, item.evidence) == (action, evidence):
            return
        if item.state is not ItemState.OPEN:
            raise ItemDecided
        shown = _item(item, {}, desk.store, kit)
        if shown.seen != seen or action not in shown.decisions:
            raise ItemMoved
        item.action, item.evidence = action, evidence
        item.decided_by, item.agreed_by, item.decided_at = desk.staff.id, second_id, now
        agreed = session.get_one(staff_rows.Staff, second_id).number
        content = {"action": action.value, "evidence": evidence, "decided_by": desk.staff.number, "agreed_by": agreed}
        move(session, item, OPEN_ITEM, ItemState.DECIDED, kit.pen(desk, now), content | {"seen": shown.seen})
        ledger_rows.post(
            session,
            ledger.on_item(action, item.direction, item.ours, item.theirs, item.fee),
            at=now,
            business_day=desk.store.business_day(now),
            store_id=desk.store.id,
            till_id=desk.till.id,
            carrier=item.source if item.direction is Direction.CARRIER else None,
            item_id=item.id,
        )


def _for_change(session: Session, item_id: int, desk: Desk) -> rows.OpenItem:
    """Nobody compares meanwhile, or two would write the same row."""
    known = session.get(rows.OpenItem, item_id)
    if known is None or known.store_id != desk.store.id:
        raise NotFound
    rows.line_up(session, known.store_id, known.direction)
    session.expire(known)
    item = rows.for_change(session, item_id)
    if item is None:
        raise NotFound
    return item
