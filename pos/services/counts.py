"""Count a drawer while its shift goes on, and hand it to another person with a count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain.errors import CountIncomplete, NoOpenShift, NotAllowed, OnePersonTwice
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.print_jobs import JobKind
from pos.domain.shifts import CountKind, counted
from pos.domain.tills import Desk, Staff
from pos.services import staff
from pos.services.day_reports import origin_of, pieces_on_paper
from pos.services.drawer import count_row
from pos.services.kit import Kit
from pos.services.print_jobs import local_time, queue_document
from pos.services.receipts import shop_of
from pos.services.words import say_in
from pos.store import shifts as rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen
from receipts import layouts
from receipts.reports import HandoverSlip


@dataclass(frozen=True)
class CountPicture:
    """One count of the open shift with what the books said then: for those who may see expected cash."""

    at: datetime
    why: CountKind
    by: str
    taken_by: str
    counted: Money
    expected: Money

    @property
    def difference(self) -> Money:
        return self.counted - self.expected


@retried
def count_drawer(pieces: Mapping[int, int], desk: Desk, *, kit: Kit) -> None:
    """A count in between, kept as a row. The answer says nothing about it. Raises CountIncomplete, NoOpenShift."""
    if not pieces:
        raise CountIncomplete
    now = kit.now()
    with transaction() as session:
        shift = _open(session, desk)
        session.add(count_row(shift, desk, now, CountKind.MID, pieces))
        content = {"counted": counted(pieces, shift.currency).minor}
        kit.pen(desk, now).note(session, "drawer.counted", "shift", shift.id, content)


def hand_over(pieces: Mapping[int, int], taker_number: str, pin: str, desk: Desk, *, kit: Kit) -> None:
    """The drawer goes to another person, who counts along and proves it by PIN; the same shift goes on.

    Raises CountIncomplete, OnePersonTwice, ApproverRefused, NoOpenShift."""
    if not pieces:
        raise CountIncomplete
    if taker_number.strip() == desk.staff.number:
        raise OnePersonTwice
    _hand_over(pieces, staff.prove(taker_number, pin, Permission.SHIFT, desk, kit=kit), desk, kit)
    kit.bell.set()


@retried
def _hand_over(pieces: Mapping[int, int], taker: Staff, desk: Desk, kit: Kit) -> None:
    pen = kit.pen(desk, kit.now())
    with transaction() as session:
        shift = _open(session, desk)
        session.add(count_row(shift, desk, pen.at, CountKind.HANDOVER, pieces, taker.id))
        content = {"to": taker.number, "counted": counted(pieces, shift.currency).minor}
        pen.note(session, "shift.handed_over", "shift", shift.id, content)
        _queue_slip(session, shift, pieces, taker, desk, pen)


def _queue_slip(session: Session, shift: rows.Shift, pieces: Mapping[int, int], taker: Staff, desk: Desk, pen: Pen) -> None:
    say = say_in(desk.staff.language)
    values = HandoverSlip(
        shop=shop_of(desk.store),
        origin=origin_of(desk, shift, pen.at, ""),
        shift=str(shift.number),
        opened=local_time(desk.store.local(shift.opened_at)),
        giver=f"{desk.staff.number} {desk.staff.name}",
        taker=f"{taker.number} {taker.name}",
        denominations=pieces_on_paper({str(unit): number for unit, number in pieces.items()}, shift),
        counted=str(counted(pieces, shift.currency)),
    )
    till = session.get_one(till_rows.Till, desk.till.id)
    queue_document(session, layouts.handover(values, say, desk.staff.language), JobKind.SLIP, till=till, pen=pen)


def in_charge(desk: Desk) -> str:
    """Who has the drawer now: the last one who took it over, else the person who opened it."""
    with reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        if shift is None:
            return ""
        return session.get_one(staff_rows.Staff, rows.taken_by(session, shift.id) or shift.opened_by).name


def made(desk: Desk) -> list[CountPicture]:
    """The counts of the open shift beside what the books said. Raises NotAllowed."""
    if not may(desk.staff.role, Permission.SEE_EXPECTED_CASH):
        raise NotAllowed
    with reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        found = rows.counts_of(session, shift.id) if shift is not None else []
        return [_picture(session, shift, row) for row in found if shift is not None and row.expected_minor is not None]


def _picture(session: Session, shift: rows.Shift, row: rows.DrawerCount) -> CountPicture:
    def name(staff_id: int | None) -> str:
        return session.get_one(staff_rows.Staff, staff_id).name if staff_id is not None else ""

    return CountPicture(
        at=row.at,
        why=CountKind(row.why),
        by=name(row.staff_id),
        taken_by=name(row.taken_by),
        counted=shift.money(row.total_minor),
        expected=shift.money(row.expected_minor or 0),
    )


def _open(session: Session, desk: Desk) -> rows.Shift:
    shift = rows.open_at(session, desk.till.id)
    if shift is None:
        raise NoOpenShift
    return shift
