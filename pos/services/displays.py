"""What the customer's screen shows: a second window of the till, for the person in front of it.

The number in full while it is read back, the plan with its price and what it does, what is to be paid, then the outcome; an
eSIM's code while the clerk shows it. Never a document, never another customer, and nothing for long."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain.deliveries import SAME_SHOWING
from pos.domain.errors import CodeNotThere, CodeUnreadable, SaleNotFound, SaleParked
from pos.domain.money import Money
from pos.domain.pictures import SalePicture, Step
from pos.domain.sales import SaleState
from pos.domain.tills import Desk
from pos.services import sales
from pos.services.hand_overs import picture_of
from pos.services.kit import Kit
from pos.store import deliveries as delivery_rows
from pos.store import sales as rows
from pos.store.db import reading

# A sale that nobody touches is no longer the customer's in front of the till; an outcome has been read by then.
OPEN_FOR = timedelta(minutes=15)
OUTCOME_FOR = timedelta(seconds=60)


@dataclass(frozen=True)
class DisplayPicture:
    """``sale`` is None between two customers. ``change`` after cash; ``code`` is the picture of an eSIM's code, only while the
    clerk shows it, and hidden in ``repr``."""

    sale: SalePicture | None = None
    change: Money | None = None
    code: str = field(default="", repr=False)

    @property
    def is_read_back(self) -> bool:
        return self.sale is not None and self.sale.state in (SaleState.DRAFT, SaleState.TENDERING)


def of_till(desk: Desk | None, *, kit: Kit) -> DisplayPicture:
    """The customer in front of a till; nobody while no one is signed in there. Changes nothing."""
    if desk is None:
        return DisplayPicture()
    now = kit.now()
    with reading() as session:
        found = rows.latest_at(session, desk.till.id, desk.staff.id, now - OPEN_FOR)
        if found is None or not _is_shown(session, found, now):
            return DisplayPicture()
        sale_id = found.id
        code = _code(session, found, now, kit)
    try:
        sale = sales.show(sale_id, desk, kit=kit)
    except (SaleNotFound, SaleParked):
        return DisplayPicture()
    change = next((payment.change for payment in sale.payments if payment.change is not None), None)
    return DisplayPicture(sale, change if sale.step is Step.RESULT else None, code)


def _is_shown(session: Session, sale: rows.Sale, now: datetime) -> bool:
    if sale.state is SaleState.VOIDED:
        return False
    if sale.paid_at is None or now - sale.paid_at <= OUTCOME_FOR:
        return True
    return _shown_now(session, sale, now) is not None


def _shown_now(session: Session, sale: rows.Sale, now: datetime) -> delivery_rows.Delivery | None:
    return delivery_rows.shown_since(session, sale.id, now - SAME_SHOWING)


def _code(session: Session, sale: rows.Sale, now: datetime, kit: Kit) -> str:
    delivery = _shown_now(session, sale, now)
    if delivery is None:
        return ""
    try:
        return picture_of(delivery, kit)
    except (CodeNotThere, CodeUnreadable):
        return ""  # the clerk's own screen says what is wrong
