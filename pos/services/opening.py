"""Open a drawer with its float, and the picture of a shift that holds no figure."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import NotAnAmount, ShiftAlreadyOpen
from pos.domain.money import Money
from pos.domain.pictures import ShiftPicture
from pos.domain.shifts import SHIFT, CountKind, Movement, ShiftState
from pos.domain.tills import Desk
from pos.services.drawer import add_movement, count_row, post
from pos.services.kit import Kit
from pos.store import shifts as rows
from pos.store import staff as staff_rows
from pos.store.db import retried, transaction
from pos.store.life import Pen, begin

# More than any drawer opens with; a slip of the keys must not make a shift that nobody can close.
_LARGEST_FLOAT_MINOR = 10**9
_COUNTERS = (
    "card_minor",
    "card_count",
    "card_refund_minor",
    "gross_minor",
    "tax_minor",
    "sales_count",
    "voids_count",
    "refunds_minor",
    "refunds_count",
    "reprints_count",
    "typed_checks_count",
)


@retried
def open_shift(float_amount: Money, pieces: Mapping[int, int], desk: Desk, *, kit: Kit) -> ShiftPicture:
    """A new shift with its float. Raises ShiftAlreadyOpen; two tills' forms at once open one. Power cut: none or all."""
    if not 0 <= float_amount.minor <= _LARGEST_FLOAT_MINOR or float_amount.currency != desk.store.currency:
        error = NotAnAmount()
        error.field = "float_amount"
        raise error
    pen = kit.pen(desk, kit.now())
    with transaction() as session:
        if rows.open_at(session, desk.till.id) is not None:
            raise ShiftAlreadyOpen
        return picture(session, begin_shift(session, float_amount, pieces, desk, pen))


def begin_shift(session: Session, float_amount: Money, pieces: Mapping[int, int], desk: Desk, pen: Pen) -> rows.Shift:
    """The next shift of a till, in the transaction that is open."""
    shift = _new_row(session, float_amount, desk, pen)
    last = rows.last_closed(session, desk.till.id)
    left = last.left_minor if last is not None and last.left_minor is not None else 0
    content = {"number": shift.number, "float": float_amount.minor, "left_before": left}
    begin(session, shift, SHIFT, ShiftState.OPEN, pen, content)
    if pieces:
        session.add(count_row(shift, desk, pen.at, CountKind.OPEN, pieces))
    if float_amount:
        add_movement(session, shift, Movement.FLOAT, float_amount, desk, pen.at)
    transfers = ledger.on_opening(float_amount, shift.money(left) if last is not None else None)
    post(session, shift, transfers, desk, pen.at, shift.business_day)
    session.flush()
    return shift


def _new_row(session: Session, float_amount: Money, desk: Desk, pen: Pen) -> rows.Shift:
    return rows.Shift(
        store_id=desk.store.id,
        till_id=desk.till.id,
        number=rows.last_number(session, desk.till.id) + 1,
        open_till_id=desk.till.id,
        currency=desk.store.currency,
        business_day=pen.business_day,
        opened_by=desk.staff.id,
        opened_at=pen.at,
        float_minor=float_amount.minor,
        expected_minor=0,
        **dict.fromkeys(_COUNTERS, 0),
    )


def picture(session: Session, shift: rows.Shift) -> ShiftPicture:
    """A shift for every screen, without a figure in it."""
    return ShiftPicture(
        id=shift.id,
        number=shift.number,
        state=shift.state.value,
        opened_at=shift.opened_at,
        opened_by=session.get_one(staff_rows.Staff, shift.opened_by).name,
        closed_at=shift.closed_at,
        z_number=shift.z_number,
        business_day=shift.business_day,
    )
