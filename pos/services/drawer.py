"""Cash into and out of a drawer without a customer, and the drawer that is opened for nothing. Each has a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.errors import NoOpenShift, NotAnAmount, OverMovementLimit, ReasonUnknown, StaleForm
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.print_jobs import JobKind
from pos.domain.shifts import OTHER, REASONS, CountKind, Movement, counted, signed
from pos.domain.tills import Desk, Staff
from pos.services.approvals import Approval, approver, second_person
from pos.services.kit import Kit
from pos.services.print_jobs import local_time, queue_document, queue_drawer
from pos.services.receipts import shop_of
from pos.services.words import say_in
from pos.store import ledger as books
from pos.store import shifts as rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from receipts import layouts, reports
from receipts.document import Document
from receipts.slips import Origin

BY_HAND = (Movement.PAID_IN, Movement.PAID_OUT, Movement.DROP)


@dataclass(frozen=True)
class Wish:
    """What a person asks of the drawer. ``request_id`` is born with the form: a second press writes nothing. ``pieces`` is
    what was counted on the way to the safe; ``code`` a word of REASONS, ``note`` the person's own words."""

    request_id: str
    kind: Movement
    amount: Money
    code: str
    note: str = ""
    pieces: Mapping[int, int] | None = None


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
    code: str | None = None,
    approved_by: int | None = None,
    request_id: str | None = None,
) -> rows.CashMovement:
    """One movement of cash and the running total, in the transaction that is open."""
    movement = rows.CashMovement(
        shift_id=shift.id,
        kind=kind,
        amount_minor=amount.minor,
        currency=amount.currency,
        sale_id=sale_id,
        staff_id=desk.staff.id,
        reason=reason[:200],
        at=now,
        code=code,
        approved_by=approved_by,
        request_id=request_id,
    )
    session.add(movement)
    shift.expected_minor += signed(kind, amount).minor
    return movement


def move_cash(wish: Wish, desk: Desk, *, kit: Kit, agreed: Approval | None = None) -> None:
    """Money into the drawer, out of it, or to the safe. The answer depends on nothing that a clerk must not know.

    Raises NotAnAmount, ReasonUnknown, OverMovementLimit, ApproverRefused, NoOpenShift, StaleForm. Power cut: none or all."""
    if wish.kind not in BY_HAND or not wish.amount.minor > 0 or wish.amount.currency != desk.store.currency:
        raise NotAnAmount
    _refuse_reason(wish)
    _write(wish, _agreed_by(wish, desk, agreed, kit), desk, kit)
    kit.bell.set()


def _agreed_by(wish: Wish, desk: Desk, agreed: Approval | None, kit: Kit) -> Staff | None:
    limit = desk.store.movement_limit_minor
    if limit is None or wish.amount.minor <= limit:
        return None
    if may(desk.staff.role, Permission.MOVE_OVER_LIMIT):
        return desk.staff
    if agreed is None or not agreed.staff_number:
        raise OverMovementLimit(amount=wish.amount, limit=Money(limit, wish.amount.currency))
    return approver(replace(agreed, reason=wish.note or wish.code), Permission.MOVE_OVER_LIMIT, desk, kit=kit)


def _refuse_reason(wish: Wish) -> None:
    if wish.code not in REASONS[wish.kind] or (wish.code == OTHER and not wish.note.strip()):
        raise ReasonUnknown


@retried
def _write(wish: Wish, agreed_by: Staff | None, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        shift = _shift_for(session, wish, desk)
        if shift is None:
            return
        pen = kit.pen(desk, now)
        if wish.pieces:
            session.add(count_row(shift, desk, now, CountKind.DROP, wish.pieces))
        missing = -(shift.expected_minor + signed(wish.kind, wish.amount).minor)
        if missing > 0:
            # The books held less than what was just taken out in sight. Refusing would tell a clerk how much they hold, and
            # the money is out anyway: what was there and in no book is written down first (decision 0016).
            _book(session, shift, Movement.SURPLUS, shift.money(missing), desk, now, pen.business_day)
        movement = _book(session, shift, wish.kind, wish.amount, desk, now, pen.business_day, wish, agreed_by)
        session.flush()
        who = {"agreed": agreed_by.number} if agreed_by is not None else {}
        content = {"kind": wish.kind.value, "amount": wish.amount.minor, "reason": wish.code, "note": wish.note[:200], **who}
        pen.note(session, "drawer.moved", "shift", shift.id, content)
        queue_drawer(session, desk, None, now, kit)
        till = session.get_one(till_rows.Till, desk.till.id)
        queue_document(session, _slip(movement, wish, agreed_by, shift, desk, now), JobKind.SLIP, till=till, pen=pen)


def _shift_for(session: Session, wish: Wish, desk: Desk) -> rows.Shift | None:
    """The open shift, held; None where this wish was written before. Raises NoOpenShift, StaleForm."""
    shift = rows.open_at(session, desk.till.id)
    if shift is None:
        raise NoOpenShift
    before = rows.asked_before(session, wish.request_id)
    if before is not None and (before.kind, before.amount_minor) != (wish.kind, wish.amount.minor):
        raise StaleForm
    return shift if before is None else None


def _book(
    session: Session,
    shift: rows.Shift,
    kind: Movement,
    amount: Money,
    desk: Desk,
    now: datetime,
    day: date,
    wish: Wish | None = None,
    agreed_by: Staff | None = None,
) -> rows.CashMovement:
    """The row of the drawer and the transfer in the books."""
    post(session, shift, ledger.on_moved(kind, amount), desk, now, day)
    return add_movement(
        session,
        shift,
        kind,
        amount,
        desk,
        now,
        reason=wish.note if wish else "",
        code=wish.code if wish else None,
        approved_by=agreed_by.id if agreed_by else None,
        request_id=wish.request_id if wish else None,
    )


def post(session: Session, shift: rows.Shift, transfers: list[ledger.Transfer], desk: Desk, now: datetime, day: date) -> None:
    """Transfers that belong to a shift and to no sale."""
    books.post(
        session,
        transfers,
        at=now,
        business_day=day,
        store_id=desk.store.id,
        till_id=desk.till.id,
        shift_id=shift.id,
    )


def open_without_sale(request_id: str, code: str, agreed: Approval, desk: Desk, *, kit: Kit) -> None:
    """One pulse for a drawer that nobody pays into, when a second person with the right agrees. The Z counts it.

    Raises ReasonUnknown, OnePersonTwice, ApproverRefused, NoOpenShift, StaleForm."""
    wish = Wish(request_id, Movement.NO_SALE, Money(0, desk.store.currency), code, agreed.reason)
    _refuse_reason(wish)
    other = second_person(replace(agreed, reason=agreed.reason or code), Permission.NO_SALE, desk, kit=kit)
    _open(wish, other, desk, kit)
    kit.bell.set()


@retried
def _open(wish: Wish, other: Staff, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        shift = _shift_for(session, wish, desk)
        if shift is None:
            return
        pen = kit.pen(desk, now)
        _book(session, shift, Movement.NO_SALE, wish.amount, desk, now, pen.business_day, wish, other)
        content = {"reason": wish.code, "note": wish.note[:200], "agreed": other.number}
        pen.note(session, "drawer.opened", "shift", shift.id, content)
        queue_drawer(session, desk, None, now, kit)


def count_row(
    shift: rows.Shift, desk: Desk, now: datetime, why: CountKind, pieces: Mapping[int, int], taken_by: int | None = None
) -> rows.DrawerCount:
    """What was counted, and beside it what the books said: for the manager, never for the answer."""
    return rows.DrawerCount(
        shift_id=shift.id,
        at=now,
        staff_id=desk.staff.id,
        why=why.value,
        pieces={str(unit): number for unit, number in pieces.items()},
        total_minor=counted(pieces, shift.currency).minor,
        expected_minor=None if why in (CountKind.OPEN, CountKind.DROP) else shift.expected_minor,
        taken_by=taken_by,
    )


def is_full(desk: Desk) -> bool:
    """Whether some of the money should go to the safe; how much there is stays untold."""
    limit = desk.store.drawer_limit_minor
    with reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        return limit is not None and shift is not None and shift.expected_minor > limit


def _slip(
    movement: rows.CashMovement, wish: Wish, agreed_by: Staff | None, shift: rows.Shift, desk: Desk, now: datetime
) -> Document:
    say = say_in(desk.staff.language)
    values = reports.CashMovementSlip(
        shop=shop_of(desk.store),
        origin=Origin(
            number=f"{desk.till.code}-M{movement.id}",
            local_time=local_time(desk.store.local(now)),
            business_day=shift.business_day.isoformat(),
            till=desk.till.code,
            clerk=desk.staff.number,
        ),
        movement=reports.Movement(wish.kind.value),
        amount=str(wish.amount),
        reason=say(REASONS[wish.kind][wish.code]),
        note=wish.note[:200],
        approver=agreed_by.number if agreed_by is not None and agreed_by.id != desk.staff.id else "",
    )
    return layouts.cash_movement(values, say, desk.staff.language)
