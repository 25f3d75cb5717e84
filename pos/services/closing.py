"""Count blind and close: one short transaction that nobody and nothing outside can hold up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import (
    CountIncomplete,
    NoOpenShift,
    NotAllowed,
    NotAnAmount,
    NotFound,
    ReasonMissing,
    ReasonUnknown,
    ShiftOfToday,
)
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.print_jobs import JobKind
from pos.domain.shifts import DIFFERENCE_REASONS, SHIFT, CountKind, ShiftState, counted, expected
from pos.domain.tills import Desk, Staff
from pos.services import day_reports
from pos.services.approvals import Approval, second_person
from pos.services.drawer import count_row, post
from pos.services.kit import Kit
from pos.services.opening import begin_shift
from pos.services.print_jobs import queue_document
from pos.store import shifts as rows
from pos.store import tills as till_rows
from pos.store.db import retried, transaction
from pos.store.life import Pen, move


@dataclass(frozen=True)
class Batch:
    """What stands on one card terminal's own slip."""

    terminal: str
    batch: str
    count: int | None
    total: Money


@dataclass(frozen=True)
class Count:
    """What a person counted. ``pieces``: denomination in minor units -> number of notes or coins. Amounts may be None
    where the terminal's slip was not at hand; ``batches`` stands for them where there are several terminals."""

    pieces: Mapping[int, int]
    card_total: Money | None
    card_count: int | None
    left: Money | None
    batches: tuple[Batch, ...] = ()

    @property
    def terminals(self) -> tuple[Batch, ...]:
        if self.batches or self.card_total is None:
            return self.batches
        return (Batch("", "", self.card_count, self.card_total),)


@dataclass(frozen=True)
class Explanation:
    """What the person who closes says about a difference, and the manager who agrees if one is at hand."""

    code: str = ""
    note: str = ""
    agreed: Approval | None = None


def close_shift(
    count: Count,
    reason: str,
    desk: Desk,
    *,
    kit: Kit,
    code: str = "",
    agreed: Approval | None = None,
    goes_on: bool = False,
) -> int | None:
    """The closed shift's id, or None: outside the tolerance, please count again (once, without sign or size).

    A difference never forbids the close; above the store's limit it is approved by ``agreed``, or later. ``goes_on`` opens the
    next shift with what was left in the same commit, for a till that never stops. Raises NoOpenShift, CountIncomplete, and for
    what was typed of a manager OnePersonTwice, ApproverRefused. Power cut: the shift is open or it is closed with its Z; printing
    is a job of its own."""
    if code and code not in DIFFERENCE_REASONS:
        raise ReasonUnknown
    other = None
    if agreed is not None and agreed.staff_number.strip():
        # Before anything is compared: whether a manager is wanted at all would say something about the difference.
        named = replace(agreed, reason=reason or code or "unexplained")
        other = second_person(named, Permission.APPROVE_DIFFERENCE, desk, kit=kit)
    closed = _close(count, Explanation(code, reason), other, goes_on, desk, kit)
    kit.bell.set()
    return closed


@retried
def _close(count: Count, said: Explanation, other: Staff | None, goes_on: bool, desk: Desk, kit: Kit) -> int | None:
    now = kit.now()
    with transaction() as session:
        shift = rows.open_at(session, desk.till.id)
        if shift is None:
            raise NoOpenShift
        if not count.pieces and count.left is None:
            raise CountIncomplete
        in_drawer = counted(count.pieces, shift.currency)
        # Before anything is compared: an answer that depends on the expected sum would give it away.
        left = _left(count, in_drawer, shift)
        session.add(_count_row(shift, desk, now, count))
        difference = in_drawer - _should_be(session, shift)
        pen = kit.pen(desk, now)
        if abs(difference.minor) > desk.store.drawer_tolerance_minor and shift.state is ShiftState.OPEN:
            move(session, shift, SHIFT, ShiftState.RECOUNT, pen)
            return None
        post(session, shift, ledger.on_counted(difference), desk, now, shift.business_day)
        post(session, shift, ledger.on_banked(in_drawer - left), desk, now, shift.business_day)
        shift.counted_minor, shift.difference_minor = in_drawer.minor, difference.minor
        shift.difference_reason, shift.difference_code = said.note[:200] or None, said.code or None
        _write_batches(session, shift, count)
        _judge(session, shift, difference, said, other, desk, pen)
        _end(session, shift, left, count, desk, pen, kit)
        if goes_on:
            begin_shift(session, left, {}, desk, pen)
        return shift.id


def _should_be(session: Session, shift: rows.Shift) -> Money:
    sums = rows.sums_of(session, shift.id)
    should_be = expected(((kind, shift.money(amount)) for kind, (amount, _) in sums.items()), shift.currency)
    if should_be.minor != shift.expected_minor:
        raise RuntimeError("the running total does not equal the movements")
    return should_be


def _left(count: Count, in_drawer: Money, shift: rows.Shift) -> Money:
    if count.left is None:
        return min(in_drawer, shift.money(shift.float_minor))
    if count.left.minor < 0 or count.left > in_drawer:
        error = NotAnAmount()
        error.field = "left_in_drawer"
        raise error
    return count.left


def _count_row(shift: rows.Shift, desk: Desk, now: datetime, count: Count) -> rows.DrawerCount:
    row = count_row(shift, desk, now, CountKind.CLOSE, count.pieces)
    row.card_total_minor, row.card_count = _card_total(count), _card_count(count)
    return row


def _card_total(count: Count) -> int | None:
    return sum(batch.total.minor for batch in count.terminals) if count.terminals else None


def _card_count(count: Count) -> int | None:
    typed = [batch.count for batch in count.terminals if batch.count is not None]
    return sum(typed) if typed else count.card_count


def _write_batches(session: Session, shift: rows.Shift, count: Count) -> None:
    for batch in count.terminals:
        session.add(
            rows.CardBatch(
                shift_id=shift.id,
                terminal=batch.terminal[:20],
                batch=batch.batch[:20],
                count=batch.count,
                total_minor=batch.total.minor,
                currency=batch.total.currency,
            )
        )


def _judge(
    session: Session, shift: rows.Shift, difference: Money, said: Explanation, other: Staff | None, desk: Desk, pen: Pen
) -> None:
    """Above the limit a second person approves; nobody at hand is no reason to keep a drawer open."""
    limit = desk.store.difference_limit_minor
    shift.approval_wanted = limit is not None and abs(difference.minor) > limit
    if shift.approval_wanted and other is not None:
        approve(session, shift, other, said.note or said.code, pen)


def approve(session: Session, shift: rows.Shift, person: Staff, reason: str, pen: Pen) -> None:
    """A manager's word about a difference, in the transaction that is open."""
    session.add(rows.DifferenceApproval(shift_id=shift.id, staff_id=person.id, reason=reason[:200], at=pen.at))
    pen.note(session, "difference.approved", "shift", shift.id, {"by": person.number, "reason": reason[:200]})


def _end(session: Session, shift: rows.Shift, left: Money, count: Count, desk: Desk, pen: Pen, kit: Kit) -> None:
    """The last move, the Z, and the clerk's paper without expected figures."""
    shift.left_minor = left.minor
    shift.closed_by, shift.closed_at, shift.open_till_id = desk.staff.id, pen.at, None
    content = {
        "counted": "none" if shift.counted_minor is None else shift.counted_minor,
        "difference": shift.difference_minor or 0,
        "left": left.minor,
        "reason": shift.difference_reason or "",
    }
    move(session, shift, SHIFT, ShiftState.CLOSED, pen, content)
    session.flush()
    card_total = _card_total(count)
    total = None if card_total is None else shift.money(card_total)
    day_reports.freeze(session, shift, count.pieces, total, _card_count(count), desk, pen, kit)
    if shift.counted_minor is not None:
        till = session.get_one(till_rows.Till, desk.till.id)
        queue_document(session, day_reports.slip(session, shift, desk, pen.at), JobKind.SLIP, till=till, pen=pen)


@retried
def close_uncounted(shift_id: int, reason: str, desk: Desk, *, kit: Kit) -> None:
    """A shift that was forgotten on an earlier business day, closed by a manager without a count: what the books say stays in
    the drawer, and the next opening counts it. Raises NotAllowed, ReasonMissing, NotFound, ShiftOfToday."""
    if not may(desk.staff.role, Permission.APPROVE_DIFFERENCE):
        raise NotAllowed
    if not reason.strip():
        raise ReasonMissing
    pen_now = kit.now()
    with transaction() as session:
        shift = rows.for_change(session, shift_id)
        if shift is None or shift.store_id != desk.store.id or shift.state is ShiftState.CLOSED:
            raise NotFound
        if shift.business_day >= desk.store.business_day(pen_now):
            raise ShiftOfToday
        there = replace(desk, till=session.get_one(till_rows.Till, shift.till_id).plain())
        left = _should_be(session, shift)
        shift.difference_reason = reason[:200]
        _end(session, shift, left, Count({}, None, None, None), there, kit.pen(there, pen_now), kit)
    kit.bell.set()
