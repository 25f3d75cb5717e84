"""What managers look at after a close: differences that nobody has approved, and shifts that nobody closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from pos.domain.errors import DifferenceIsYours, NotAllowed, NotFound, ReasonMissing, StaleForm
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.shifts import DIFFERENCE_REASONS
from pos.domain.tills import Desk
from pos.services.closing import approve
from pos.services.kit import Kit
from pos.store import shifts as rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction


@dataclass(frozen=True)
class DifferencePicture:
    """A closed shift with a difference above the limit. ``is_mine``: whoever looks closed it."""

    shift_id: int
    number: int
    till_code: str
    z_number: str
    closed_at: datetime
    closed_by: str
    counted: Money
    difference: Money
    words: str
    note: str
    is_mine: bool


@dataclass(frozen=True)
class ForgottenPicture:
    """A shift of an earlier day that is still open."""

    shift_id: int
    number: int
    till_code: str
    opened_at: datetime
    opened_by: str
    business_day: date


def waiting(desk: Desk) -> list[DifferencePicture]:
    """Differences of this store that wait for a manager. Raises NotAllowed."""
    _refuse_others(desk)
    with reading() as session:
        return [_difference(session, shift, desk) for shift in rows.unapproved(session, desk.store.id)]


def forgotten(desk: Desk, *, kit: Kit) -> list[ForgottenPicture]:
    """Shifts of this store that are open since an earlier business day. Raises NotAllowed."""
    _refuse_others(desk)
    with reading() as session:
        found = rows.forgotten(session, desk.store.id, desk.store.business_day(kit.now()))
        return [
            ForgottenPicture(
                shift_id=shift.id,
                number=shift.number,
                till_code=session.get_one(till_rows.Till, shift.till_id).code,
                opened_at=shift.opened_at,
                opened_by=session.get_one(staff_rows.Staff, shift.opened_by).name,
                business_day=shift.business_day,
            )
            for shift in found
        ]


@retried
def approve_later(shift_id: int, reason: str, desk: Desk, *, kit: Kit) -> None:
    """The approval that follows a close at which no manager was at hand: a row of its own, the Z stays as it is.

    Raises NotAllowed, ReasonMissing, NotFound, StaleForm, DifferenceIsYours."""
    _refuse_others(desk)
    if not reason.strip():
        raise ReasonMissing
    with transaction() as session:
        shift = rows.for_change(session, shift_id)
        if shift is None or shift.store_id != desk.store.id or not shift.approval_wanted:
            raise NotFound
        if rows.approval_of(session, shift_id) is not None:
            raise StaleForm
        if shift.closed_by == desk.staff.id:
            raise DifferenceIsYours
        approve(session, shift, desk.staff, reason, kit.pen(desk, kit.now()))


def _refuse_others(desk: Desk) -> None:
    if not may(desk.staff.role, Permission.APPROVE_DIFFERENCE):
        raise NotAllowed


def _difference(session: Session, shift: rows.Shift, desk: Desk) -> DifferencePicture:
    return DifferencePicture(
        shift_id=shift.id,
        number=shift.number,
        till_code=session.get_one(till_rows.Till, shift.till_id).code,
        z_number=shift.z_number or "",
        closed_at=shift.closed_at or shift.opened_at,
        closed_by=session.get_one(staff_rows.Staff, shift.closed_by).name if shift.closed_by else "",
        counted=shift.money(shift.counted_minor or 0),
        difference=shift.money(shift.difference_minor or 0),
        words=DIFFERENCE_REASONS.get(shift.difference_code or "", ""),
        note=shift.difference_reason or "",
        is_mine=shift.closed_by == desk.staff.id,
    )
