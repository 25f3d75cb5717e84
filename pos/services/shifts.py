"""Open a drawer with a float, move cash, count blind, and freeze the Z in one short transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import CountIncomplete, NoOpenShift, NotAllowed, NotAnAmount, NotFound, ShiftAlreadyOpen
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.pictures import ShiftPicture
from pos.domain.print_jobs import JobKind
from pos.domain.shifts import SHIFT, Movement, ShiftState, counted, expected, signed
from pos.domain.tills import Desk
from pos.services import day_reports
from pos.services.kit import Kit
from pos.services.print_jobs import queue_document
from pos.store import ledger as books
from pos.store import shifts as rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, begin, move
from receipts import html, pdf, text
from receipts.document import Document


@dataclass(frozen=True)
class Count:
    """What a person counted. ``pieces``: denomination in minor units -> number of notes or coins. Amounts may be None
    where the terminal's slip was not at hand."""

    pieces: Mapping[int, int]
    card_total: Money | None
    card_count: int | None
    left: Money | None


# More than any drawer opens with; a slip of the keys must not make a shift that nobody can close.
_LARGEST_FLOAT_MINOR = 10**9


def proposed_float(desk: Desk) -> Money | None:
    """What the last close left in this drawer."""
    with reading() as session:
        last = rows.last_closed(session, desk.till.id)
        return None if last is None or last.left_minor is None else last.money(last.left_minor)


def current(desk: Desk) -> ShiftPicture | None:
    """The open shift of this till, without a figure in it."""
    with reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        return None if shift is None else _picture(session, shift)


@retried
def open_shift(float_amount: Money, pieces: Mapping[int, int], desk: Desk, *, kit: Kit) -> ShiftPicture:
    """A new shift with its float. Raises ShiftAlreadyOpen; two tills' forms at once open one. Power cut: none or all."""
    if not 0 <= float_amount.minor <= _LARGEST_FLOAT_MINOR or float_amount.currency != desk.store.currency:
        error = NotAnAmount()
        error.field = "float_amount"
        raise error
    now = kit.now()
    with transaction() as session:
        if rows.open_at(session, desk.till.id) is not None:
            raise ShiftAlreadyOpen
        shift = rows.Shift(
            store_id=desk.store.id,
            till_id=desk.till.id,
            number=rows.last_number(session, desk.till.id) + 1,
            open_till_id=desk.till.id,
            currency=desk.store.currency,
            business_day=desk.store.business_day(now),
            opened_by=desk.staff.id,
            opened_at=now,
            float_minor=float_amount.minor,
            expected_minor=0,
        )
        for counter in ("card_minor", "card_count", "card_refund_minor", "gross_minor", "tax_minor", "sales_count"):
            setattr(shift, counter, 0)
        for counter in ("voids_count", "refunds_minor", "refunds_count", "reprints_count", "typed_checks_count"):
            setattr(shift, counter, 0)
        pen = kit.pen(desk, now)
        last = rows.last_closed(session, desk.till.id)
        left = last.left_minor if last is not None and last.left_minor is not None else 0
        content = {"number": shift.number, "float": float_amount.minor, "left_before": left}
        begin(session, shift, SHIFT, ShiftState.OPEN, pen, content)
        if pieces:
            session.add(_count_row(shift, desk, now, "open", Count(pieces, None, None, None)))
        if float_amount:
            add_movement(session, shift, Movement.FLOAT, float_amount, desk, now)
        _post(session, shift, ledger.on_opening(float_amount, shift.money(left) if last is not None else None), desk, now)
        session.flush()
        return _picture(session, shift)


def add_movement(
    session: Session,
    shift: rows.Shift,
    kind: Movement,
    amount: Money,
    desk: Desk,
    now: datetime,
    *,
    sale_id: str | None = None,
    reason: str = "",
) -> None:
    """One movement of cash and the running total, in the transaction that is open."""
    session.add(
        rows.CashMovement(
            shift_id=shift.id,
            kind=kind,
            amount_minor=amount.minor,
            currency=amount.currency,
            sale_id=sale_id,
            staff_id=desk.staff.id,
            reason=reason[:200],
            at=now,
        )
    )
    shift.expected_minor += signed(kind, amount).minor


@retried
def close_shift(count: Count, reason: str, desk: Desk, *, kit: Kit) -> int | None:
    """The closed shift's id, or None: outside the tolerance, please count again (once, without sign or size).

    A difference never forbids the close. Raises NoOpenShift, CountIncomplete. Power cut: the shift is open or it is
    closed with its Z; printing is a job of its own."""
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
        session.add(_count_row(shift, desk, now, "close", count))
        should_be = expected(_movements(session, shift), shift.currency)
        if should_be.minor != shift.expected_minor:
            raise RuntimeError("the running total does not equal the movements")
        difference = in_drawer - should_be
        pen = kit.pen(desk, now)
        outside = abs(difference.minor) > desk.store.drawer_tolerance_minor
        if outside and shift.state is ShiftState.OPEN:
            move(session, shift, SHIFT, ShiftState.RECOUNT, pen)
            return None
        _post(session, shift, ledger.on_counted(difference), desk, now)
        _post(session, shift, ledger.on_banked(in_drawer - left), desk, now)
        shift.counted_minor, shift.difference_minor = in_drawer.minor, difference.minor
        shift.difference_reason, shift.left_minor = reason[:200] or None, left.minor
        shift.closed_by, shift.closed_at, shift.open_till_id = desk.staff.id, now, None
        content = {
            "counted": in_drawer.minor,
            "difference": difference.minor,
            "left": left.minor,
            "reason": reason[:200],
        }
        move(session, shift, SHIFT, ShiftState.CLOSED, pen, content)
        session.flush()
        day_reports.freeze(session, shift, count.pieces, count.card_total, count.card_count, desk, pen, kit)
        _queue_slip(session, shift, desk, pen)
        shift_id = shift.id
    kit.bell.set()
    return shift_id


def _left(count: Count, in_drawer: Money, shift: rows.Shift) -> Money:
    if count.left is None:
        return min(in_drawer, shift.money(shift.float_minor))
    if count.left.minor < 0 or count.left > in_drawer:
        error = NotAnAmount()
        error.field = "left_in_drawer"
        raise error
    return count.left


def _movements(session: Session, shift: rows.Shift) -> list[tuple[Movement, Money]]:
    return [(row.kind, Money(row.amount_minor, row.currency)) for row in rows.movements_of(session, shift.id)]


def _count_row(shift: rows.Shift, desk: Desk, now: datetime, why: str, count: Count) -> rows.DrawerCount:
    return rows.DrawerCount(
        shift_id=shift.id,
        at=now,
        staff_id=desk.staff.id,
        why=why,
        pieces={str(unit): number for unit, number in count.pieces.items()},
        total_minor=counted(count.pieces, shift.currency).minor,
        card_total_minor=count.card_total.minor if count.card_total is not None else None,
        card_count=count.card_count,
    )


def _post(session: Session, shift: rows.Shift, transfers: list[ledger.Transfer], desk: Desk, now: datetime) -> None:
    books.post(
        session,
        transfers,
        at=now,
        business_day=shift.business_day,
        store_id=desk.store.id,
        till_id=desk.till.id,
        shift_id=shift.id,
    )


def _queue_slip(session: Session, shift: rows.Shift, desk: Desk, pen: Pen) -> None:
    """The clerk's paper without expected figures; the manager's Z is printed from the screen of those entitled."""
    till = session.get_one(till_rows.Till, desk.till.id)
    queue_document(session, day_reports.slip(session, shift, desk, pen.at), JobKind.SLIP, till=till, pen=pen)


def show_closed(shift_id: int, desk: Desk) -> tuple[ShiftPicture, str]:
    """A closed shift of this till and its paper as HTML: the Z for those entitled, else the slip without expected figures."""
    with reading() as session:
        shift, document = _closed(session, shift_id, desk)
        return _picture(session, shift), html.render(document)


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


def _picture(session: Session, shift: rows.Shift) -> ShiftPicture:
    return ShiftPicture(
        id=shift.id,
        number=shift.number,
        state=shift.state.value,
        opened_at=shift.opened_at,
        opened_by=session.get_one(staff_rows.Staff, shift.opened_by).name,
        closed_at=shift.closed_at,
        z_number=shift.z_number,
    )
