"""The shift of a till for the screens: what was left, what is open, the paper of a closed one, and the X."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pos.domain.errors import NoOpenShift, NotAllowed, NotFound
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.pictures import ShiftPicture
from pos.domain.shifts import ShiftState
from pos.domain.tills import Desk
from pos.services import day_reports
from pos.services.closing import Batch, Count, close_shift
from pos.services.kit import Kit
from pos.services.opening import open_shift, picture
from pos.store import shifts as rows
from pos.store.db import reading, retried, transaction
from receipts import html, pdf, text
from receipts.document import Document

__all__ = ["Batch", "Count", "close_shift", "current", "open_shift", "proposed_float", "show_closed", "x_as_text", "x_report"]


def proposed_float(desk: Desk) -> Money | None:
    """What the last close left in this drawer, where somebody counted it: anything else would be the expected sum."""
    with reading() as session:
        last = rows.last_closed(session, desk.till.id)
        if last is None or last.left_minor is None or last.counted_minor is None:
            return None
        return last.money(last.left_minor)


def current(desk: Desk) -> ShiftPicture | None:
    """The open shift of this till, without a figure in it."""
    with reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        return None if shift is None else picture(session, shift)


def show_closed(shift_id: int, desk: Desk) -> tuple[ShiftPicture, str]:
    """A closed shift of this till and its paper as HTML: the Z for those entitled, else the slip without expected figures."""
    with reading() as session:
        shift, document = _closed(session, shift_id, desk)
        return picture(session, shift), html.render(document)


def closed_as_pdf(shift_id: int, desk: Desk) -> bytes:
    """The same paper as PDF, with the same rights."""
    with reading() as session:
        _, document = _closed(session, shift_id, desk)
    return pdf.render(document)


def _closed(session: Session, shift_id: int, desk: Desk) -> tuple[rows.Shift, Document]:
    shift = session.get(rows.Shift, shift_id)
    if shift is None or shift.store_id != desk.store.id or shift.state is not ShiftState.CLOSED:
        raise NotFound
    report = rows.z_of(session, shift_id)
    if may(desk.staff.role, Permission.SEE_EXPECTED_CASH) and report is not None:
        return shift, Document.from_json(report.document)
    if shift.till_id != desk.till.id:
        raise NotAllowed
    return shift, day_reports.slip(session, shift, desk, shift.closed_at or shift.opened_at)


@retried
def x_report(desk: Desk, *, kit: Kit) -> str:
    """The X of the open shift as HTML; each view is journaled. Raises NotAllowed, NoOpenShift."""
    return html.render(_x(desk, kit))


def x_as_text(desk: Desk, *, kit: Kit) -> str:
    """The same X as lines of plain text, journaled as well."""
    return text.render(_x(desk, kit), 48)


def _x(desk: Desk, kit: Kit) -> Document:
    if not may(desk.staff.role, Permission.SEE_EXPECTED_CASH):
        raise NotAllowed
    now = kit.now()
    with transaction() as session:
        shift = rows.open_at(session, desk.till.id)
        if shift is None:
            raise NoOpenShift
        kit.pen(desk, now).note(session, "x.seen", "shift", shift.id, {})
        return day_reports.x_document(session, shift, desk, now)
