"""Lay what they tell beside what we booked, day by day, and keep an item for whatever is no pair. Nothing is booked here.

All is worked out anew from our rows and their lines each time; where nothing came in between, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pos.domain.settlements import (
    CARD_RULES,
    CARRIER_RULES,
    OPEN_ITEM,
    PAYOUT_DAYS,
    Bucket,
    Direction,
    Finding,
    ItemState,
    Ours,
    Theirs,
    compare,
    compare_payouts,
    proposals,
)
from pos.domain.tills import Store
from pos.services import reconciliation_ours as books
from pos.services.kit import Kit
from pos.store import reconciliation as rows
from pos.store.db import retried, transaction
from pos.store.life import Pen, begin, move

# How far from its day something may lie that belongs to it.
_SPAN = {Direction.CARD: 3, Direction.BANK: PAYOUT_DAYS + 1, Direction.CARRIER: 2}
# After this many days somebody looks at an item again.
_AGAIN = {Direction.CARD: 3, Direction.BANK: 7, Direction.CARRIER: 2}


def compare_days(
    store: Store, direction: Direction, days: Iterable[date], pen: Pen, *, kit: Kit, owner_id: int | None = None
) -> int:
    """Compare these days and those near enough to be touched by the same lines. How many items changed; again: none."""
    span, changed = timedelta(days=_SPAN[direction]), 0
    for first, last in _stretches(sorted({near for day in days for near in (day - span, day, day + span)})):
        changed += compare_stretch(store, direction, first, last, pen, kit=kit, owner_id=owner_id)
    return changed


def _stretches(days: list[date]) -> Iterator[tuple[date, date]]:
    """Days that lie together are compared together."""
    begin_day: date | None = None
    for place, day in enumerate(days):
        begin_day = begin_day or day
        following = days[place + 1] if place + 1 < len(days) else None
        if following is None or (following - day).days > PAYOUT_DAYS + 1:
            yield begin_day, day
            begin_day = None


@retried
def compare_stretch(
    store: Store, direction: Direction, first: date, last: date, pen: Pen, *, kit: Kit, owner_id: int | None = None
) -> int:
    """Power cut: all of these days or none."""
    with transaction() as session:
        rows.line_up(session, store.id, direction)
        work = _Comparison(session, store, direction, first, last, pen, kit, owner_id)
        work.run()
        if work.changes:
            content = {
                "direction": direction.value,
                "first": first.isoformat(),
                "last": last.isoformat(),
                "changes": work.changes,
            }
            pen.note(session, "statement.compared", "store", store.code, content)
        return work.changes


class _Comparison:
    def __init__(
        self,
        session: Session,
        store: Store,
        direction: Direction,
        first: date,
        last: date,
        pen: Pen,
        kit: Kit,
        owner_id: int | None,
    ) -> None:
        self.session, self.store, self.direction, self.pen, self.owner_id = session, store, direction, pen, owner_id
        self.first, self.last, self.now, self.changes = first, last, kit.now(), 0
        span = timedelta(days=_SPAN[direction])
        found = rows.lines_between(session, store.id, direction, first - span, last + span)
        ours = books.booked(session, store, direction, *moments(store, first - span, last + span))
        if direction is Direction.CARRIER:
            # A carrier's references are ours alone, however late a line comes.
            ours = books.with_refs(session, store, ours, {line.ref for line in found if line.ref})
            found = rows.with_lines_of_refs(session, store.id, direction, found, {one.ref for one in ours if one.ref})
        self.ours, self.lines = ours, {line.id: line for line in found}
        self.spoken_of = rows.covering(session, store.id, direction, first - span, last + span)

    def run(self) -> None:
        subjects = {one.key for one in self.ours} | {f"line:{key}" for key in self.lines}
        self.known = rows.items_by_subject(self.session, self.store.id, self.direction, subjects)
        for item in rows.items_between(self.session, self.store.id, self.direction, self.first, self.last):
            self.known.setdefault(item.subject, item)
        over = {item.subject: item for item in self.known.values() if item.state is ItemState.DECIDED}
        closed = {item.id for item in over.values()}
        ours = [one for one in self.ours if one.key not in over]
        theirs = [line.plain() for line in self.lines.values() if line.item_id not in closed]
        seen: set[str] = set()
        for finding in self._find(ours, theirs):
            subject = _subject(finding)
            seen.add(subject)
            seen.update(f"line:{line.key}" for line in finding.theirs if finding.ours is not None and not self._here(finding))
            if self._here(finding):
                self._keep(subject, finding)
        for item in list(self.known.values()):
            if item.state is ItemState.OPEN and item.subject not in seen and self.first <= item.business_day <= self.last:
                self._agree(item)

    def _find(self, ours: list[Ours], theirs: list[Theirs]) -> list[Finding]:
        day_of = self.store.business_day
        if self.direction is Direction.BANK:
            return compare_payouts(ours, theirs, self._is_covered, day_of)
        rules = CARD_RULES if self.direction is Direction.CARD else CARRIER_RULES
        return compare(ours, theirs, rules, self._is_covered, day_of)

    def _is_covered(self, one: Ours) -> bool:
        """Whether somebody spoke of its day, and so had the chance to name it."""
        day = self.store.local(one.at).date()
        if self.direction is Direction.BANK:
            day += timedelta(days=PAYOUT_DAYS)
        return any(first <= day <= last and one.source in ("", source) for source, first, last in self.spoken_of)

    def _here(self, finding: Finding) -> bool:
        return self.first <= self.store.business_day(finding.at) <= self.last

    def _keep(self, subject: str, finding: Finding) -> None:
        item = self.known.get(subject)
        if finding.bucket is Bucket.MATCHED and self.direction is not Direction.BANK:
            for line in finding.theirs:
                self._point(line, finding.ours.key if finding.ours else None, None)
            if item is not None and item.state is ItemState.OPEN:
                self._agree(item)
            return
        says = self._says(finding)
        if item is None:
            item = self._open(subject, finding, says)
        elif item.state is ItemState.MATCHED:
            self._write(item, says)
            move(self.session, item, OPEN_ITEM, ItemState.OPEN, self.pen, _content(item))
            self.changes += 1
        elif self._write(item, says):
            self.pen.note(self.session, "open_item.changed", "open_item", item.id, _content(item))
            self.changes += 1
        for line in finding.theirs:
            self._point(line, None, item.id)

    def _open(self, subject: str, finding: Finding, says: dict[str, object]) -> rows.OpenItem:
        day = self.store.business_day(finding.at)
        item = rows.OpenItem(
            store_id=self.store.id,
            direction=self.direction,
            source=self._source(finding),
            business_day=day,
            subject=subject,
            happened_at=finding.at,
            opened_at=self.now,
            owner_id=self.owner_id,
            next_on=self.store.business_day(self.now) + timedelta(days=_AGAIN[self.direction]),
            **says,
        )
        begin(self.session, item, OPEN_ITEM, ItemState.OPEN, self.pen, _content(item))
        self.known[subject] = item
        self.changes += 1
        return item

    def _source(self, finding: Finding) -> str:
        lines = [self.lines[line.key].source for line in finding.theirs]
        return lines[0] if lines else (finding.ours.source if finding.ours is not None else "")

    def _says(self, finding: Finding) -> dict[str, object]:
        one, lines = finding.ours, finding.theirs
        fees = [line.fee for line in lines if line.fee is not None]
        return {
            "bucket": finding.bucket,
            "differs": " ".join(finding.differs),
            "actions": " ".join(proposals(self.direction, finding)),
            "ref": one.ref if one is not None else lines[0].ref,
            "tail": (one.tail if one is not None else lines[0].tail)[-4:],
            "ours_minor": None if one is None else one.signed.minor,
            "ours_currency": None if one is None else one.amount.currency,
            "theirs_minor": sum(line.signed.minor for line in lines) if lines else None,
            "theirs_currency": lines[0].amount.currency if lines else None,
            "fee_minor": sum(fee.minor for fee in fees) if fees else None,
        }

    def _write(self, item: rows.OpenItem, says: dict[str, object]) -> bool:
        """Whether that was news."""
        news = {name: value for name, value in says.items() if getattr(item, name) != value}
        for name, value in news.items():
            setattr(item, name, value)
        return bool(news)

    def _agree(self, item: rows.OpenItem) -> None:
        for line in self.lines.values():
            if line.item_id == item.id:
                line.item_id = None
        move(self.session, item, OPEN_ITEM, ItemState.MATCHED, self.pen, {"subject": item.subject})
        self.changes += 1

    def _point(self, line: Theirs, ours_key: str | None, item_id: int | None) -> None:
        row = self.lines[line.key]
        if (row.ours_key, row.item_id) != (ours_key, item_id):
            row.ours_key, row.item_id = ours_key, item_id
            self.changes += 1


def _subject(finding: Finding) -> str:
    return finding.ours.key if finding.ours is not None else f"line:{finding.theirs[0].key}"


def _content(item: rows.OpenItem) -> dict[str, object]:
    return {
        "direction": item.direction.value,
        "subject": item.subject,
        "bucket": item.bucket.value,
        "differs": item.differs,
        "day": item.business_day.isoformat(),
        "ours": str(item.ours or ""),
        "theirs": str(item.theirs or ""),
    }


def moments(store: Store, first: date, last: date) -> tuple[datetime, datetime]:
    """From the beginning of the first business day to the end of the last; an hour of summer time more at either end is cut off
    by whoever asks for a row's own day."""
    zone, hour = ZoneInfo(store.zone), timedelta(hours=2)
    begins = datetime.combine(first, time(), zone) + store.day_starts - hour
    ends = datetime.combine(last + timedelta(days=1), time(), zone) + store.day_starts + hour
    return begins, ends
