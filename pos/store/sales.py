"""Sales as rows: one visit, its numbers, its document check and its one payment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    ScalarSelect,
    String,
    TextClause,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.refunds import COUNTS, OPEN, RefundState
from pos.domain.sales import SaleState
from pos.store.base import Base, Minor, Moment, Word, index_where
from pos.store.db import locked
from pos.store.shifts import Shift

_TENDER_OPEN = "state IN ('tendering', 'tender_unknown')"


class Sale(Base):
    __tablename__ = "sales"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    shift_id: Mapped[int | None] = mapped_column(ForeignKey("shifts.id"))
    state: Mapped[SaleState] = mapped_column(Word(SaleState))
    language: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    total_minor: Mapped[Minor | None]
    opened_at: Mapped[datetime] = mapped_column(Moment)
    tender_asked_at: Mapped[datetime | None] = mapped_column(Moment)
    paid_at: Mapped[datetime | None] = mapped_column(Moment)
    business_day: Mapped[date | None]
    receipt_number: Mapped[str | None] = mapped_column(String(30), unique=True)
    interim_printed: Mapped[bool] = mapped_column(default=False)
    # A keyed digest of the request that opened the sale by the API: the same id with other content is refused.
    request_digest: Mapped[str | None] = mapped_column(String(80))

    __table_args__ = (
        Index(None, "till_id", "opened_at"),
        Index(None, "store_id", "paid_at"),
        Index(None, "shift_id", "state"),
        index_where("ix_sales_tender_open", "store_id", "opened_at", where=_TENDER_OPEN),
    )

    @property
    def total(self) -> Money | None:
        return None if self.total_minor is None else Money(self.total_minor, self.currency)


class NumberCheck(Base):
    """A number a sale is about, and what the carrier said was on it. Personal data stand sealed and beside a salt.

    The first number of a sale has the sale's own id; ``place`` is the order in which the customer said them."""

    __tablename__ = "number_checks"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"))
    place: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    look_up: Mapped[str] = mapped_column(String(80), index=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    masked: Mapped[str] = mapped_column(String(30))
    carrier: Mapped[str] = mapped_column(String(40))
    operator: Mapped[str | None] = mapped_column(String(40))
    operator_name: Mapped[str | None] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(20))
    plan_name: Mapped[str | None] = mapped_column(String(120))
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    # Until when the carrier takes a renewal of a plan that has ended.
    grace_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    balances: Mapped[list[dict[str, str | None]]] = mapped_column(JSON)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    # Taken out of the sale again before any money.
    dropped_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("sale_id", "place"),)


class IdentityCheck(Base):
    """Evidence that a document was seen: never its image, its lines, its dates or its number."""

    __tablename__ = "identity_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), unique=True)
    type: Mapped[str] = mapped_column(String(30))
    country: Mapped[str] = mapped_column(String(3))
    number_hmac: Mapped[str] = mapped_column(String(80), index=True)
    last3: Mapped[str] = mapped_column(String(3))
    valid_today: Mapped[bool]
    matches_person: Mapped[bool]
    carrier_match: Mapped[str] = mapped_column(String(20))
    how: Mapped[str] = mapped_column(String(10))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    checked_at: Mapped[datetime] = mapped_column(Moment)
    # own, or other for a customer who pays for somebody else's number.
    whose: Mapped[str] = mapped_column(String(10), server_default="own")
    # Attribute -> match, no_match or not_available, as the carrier said; never what was compared.
    matches: Mapped[dict[str, str]] = mapped_column(JSON, server_default="{}")
    # Who agreed to what the store's rules stop. No foreign key: SQLite cannot add one to a table that exists.
    approved_by: Mapped[int | None]

    __table_args__ = (Index(None, "staff_id", "checked_at"), Index(None, "checked_at"))


class Payment(Base):
    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), index=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), index=True)
    tender: Mapped[Tender] = mapped_column(Word(Tender))
    state: Mapped[PaymentState] = mapped_column(Word(PaymentState))
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(String(3))
    tendered_minor: Mapped[Minor | None]
    scheme: Mapped[str | None] = mapped_column(String(20))
    last4: Mapped[str | None] = mapped_column(String(4))
    authorisation: Mapped[str | None] = mapped_column(String(20))
    slip_number: Mapped[str | None] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Moment)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def tendered(self) -> Money | None:
        return None if self.tendered_minor is None else Money(self.tendered_minor, self.currency)


class Refund(Base):
    __tablename__ = "refunds"

    id: Mapped[int] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), index=True)
    # One renewal is given back once: the database refuses a twin. What the terminal refused is tried again in the same row.
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"), unique=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[RefundState] = mapped_column(Word(RefundState))
    tender: Mapped[Tender] = mapped_column(Word(Tender))
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(String(3))
    authorisation: Mapped[str | None] = mapped_column(String(20))
    slip_number: Mapped[str | None] = mapped_column(String(20))
    receipt_number: Mapped[str | None] = mapped_column(String(30), unique=True)
    # Why card money left the drawer.
    reason: Mapped[str | None] = mapped_column(String(200))
    # When it was begun, and when it left once it has.
    at: Mapped[datetime] = mapped_column(Moment)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def for_change(session: Session, sale_id: str) -> Sale | None:
    """The sale, locked until the transaction ends (on SQLite the transaction itself is the lock)."""
    return session.scalar(locked(select(Sale).where(Sale.id == sale_id)))


def numbers_of(session: Session, sale_id: str) -> list[NumberCheck]:
    """Every number that was said, also those that were dropped, in the order of saying."""
    return list(session.scalars(select(NumberCheck).where(NumberCheck.sale_id == sale_id).order_by(NumberCheck.place)))


def live_numbers_of(session: Session, sale_id: str) -> list[NumberCheck]:
    """The numbers that still belong to the sale."""
    return [number for number in numbers_of(session, sale_id) if number.dropped_at is None]


def payments_of(session: Session, sale_id: str) -> list[Payment]:
    return list(session.scalars(select(Payment).where(Payment.sale_id == sale_id).order_by(Payment.id)))


def sale_of_slip(session: Session, till_id: int, authorisation: str, slip_number: str, since: datetime) -> Sale | None:
    """The sale that a terminal slip paid already at this till; a slip without both numbers proves nothing."""
    if not authorisation or not slip_number:
        return None
    chosen = (
        select(Sale)
        .join(Payment, Payment.sale_id == Sale.id)
        .where(Sale.till_id == till_id, Sale.paid_at > since, Payment.state == PaymentState.TAKEN)
        .where(Payment.authorisation == authorisation, Payment.slip_number == slip_number)
    )
    return session.scalar(chosen.limit(1))


def refund_of(session: Session, renewal_id: str) -> Refund | None:
    return session.scalar(select(Refund).where(Refund.renewal_id == renewal_id))


def refunds_of(session: Session, sale_id: str) -> list[Refund]:
    """Every refund of a sale, also those that came to nothing."""
    return list(session.scalars(select(Refund).where(Refund.sale_id == sale_id).order_by(Refund.id)))


def given_back_minor(session: Session, sale_id: str) -> int:
    """What has left or may have left for the customer of a sale."""
    amount = func.coalesce(func.sum(Refund.amount_minor), 0)
    return int(session.scalar(select(amount).where(Refund.sale_id == sale_id, Refund.state.in_(COUNTS))) or 0)


def refund_of_slip(session: Session, till_id: int, authorisation: str, slip_number: str, since: datetime) -> Refund | None:
    """The refund that a terminal slip stands for already at this till."""
    chosen = (
        select(Refund)
        .join(Shift, Shift.id == Refund.shift_id)
        .where(Shift.till_id == till_id, Refund.at > since, Refund.state == RefundState.REFUNDED)
        .where(Refund.authorisation == authorisation, Refund.slip_number == slip_number)
    )
    return session.scalar(chosen.limit(1))


def refunds_left_open(session: Session, begun_before: datetime) -> list[str]:
    """Sales whose card terminal has been silent about a refund for too long."""
    chosen = select(Refund.sale_id).where(Refund.state == RefundState.REFUNDING, Refund.at < begun_before)
    return list(session.scalars(chosen.distinct()))


def open_refunds_at(session: Session, till_id: int) -> list[tuple[str, int]]:
    """(receipt number of the sale, amount in minor units) of each refund of a till whose result nobody has told."""
    chosen = (
        select(Sale.receipt_number, Refund.amount_minor)
        .join(Sale, Sale.id == Refund.sale_id)
        .join(Shift, Shift.id == Refund.shift_id)
        .where(Shift.till_id == till_id, Refund.state.in_(OPEN))
        .order_by(Refund.id)
    )
    return [(row[0] or "", int(row[1])) for row in session.execute(chosen)]


def identity_check_of(session: Session, sale_id: str) -> IdentityCheck | None:
    return session.scalar(select(IdentityCheck).where(IdentityCheck.sale_id == sale_id))


def checks_of_document(session: Session, digest: str, since: datetime, sale_id: str) -> tuple[int, datetime | None]:
    """(how often a document was checked in other sales since a moment, when last)."""
    check = IdentityCheck
    chosen = select(func.count(), func.max(check.checked_at)).where(check.number_hmac == digest, check.checked_at > since)
    count, last = session.execute(chosen.where(check.sale_id != sale_id)).one()
    return int(count), last


def checks_by(session: Session, staff_id: int, since: datetime, sale_id: str) -> int:
    """How many documents a person checked in other sales since a moment."""
    check = IdentityCheck
    chosen = select(func.count()).where(check.staff_id == staff_id, check.checked_at > since, check.sale_id != sale_id)
    return session.scalar(chosen) or 0


def latest_at(session: Session, till_id: int, staff_id: int, since: datetime) -> Sale | None:
    """What a person began last at a till."""
    chosen = select(Sale).where(Sale.till_id == till_id, Sale.staff_id == staff_id, Sale.opened_at > since)
    return session.scalar(chosen.order_by(Sale.opened_at.desc()).limit(1))


def recent_at(session: Session, till_id: int, staff_id: int, since: datetime, limit: int) -> list[Sale]:
    """A clerk's own latest sales at a till, paid ones only."""
    chosen = select(Sale).where(Sale.till_id == till_id, Sale.staff_id == staff_id, Sale.paid_at > since)
    return list(session.scalars(chosen.order_by(Sale.paid_at.desc()).limit(limit)))


def _tender_is_open() -> TextClause:
    return text(f"sales.{_TENDER_OPEN}")


def open_tenders(session: Session, store_id: int) -> list[Sale]:
    """Sales of a store whose card payment has no result yet, oldest first."""
    chosen = select(Sale).where(Sale.store_id == store_id, _tender_is_open())
    return list(session.scalars(chosen.order_by(Sale.opened_at)))


def open_tenders_counted(store_id: int) -> ScalarSelect[int]:
    """How many there are of them; a figure of the strip."""
    return select(func.count()).select_from(Sale).where(Sale.store_id == store_id, _tender_is_open()).scalar_subquery()


def tenders_left_open(session: Session, asked_before: datetime) -> list[str]:
    """Sales whose card terminal has been silent for too long."""
    chosen = select(Sale.id).where(_tender_is_open(), Sale.state == SaleState.TENDERING, Sale.tender_asked_at < asked_before)
    return list(session.scalars(chosen))


def card_payments_between(session: Session, store_id: int, begins: datetime, ends: datetime) -> list[Payment]:
    """What cards paid in a store, the oldest first."""
    chosen = select(Payment).join(Sale, Sale.id == Payment.sale_id).where(Sale.store_id == store_id)
    chosen = chosen.where(Payment.tender == Tender.CARD, Payment.state == PaymentState.TAKEN)
    return list(session.scalars(chosen.where(Payment.at >= begins, Payment.at < ends).order_by(Payment.id)))


def card_refunds_between(session: Session, store_id: int, begins: datetime, ends: datetime) -> list[tuple[Refund, str | None]]:
    """What went back to cards, with the last four digits of the card that had paid."""
    chosen = select(Refund, Payment.last4).join(Sale, Sale.id == Refund.sale_id)
    chosen = chosen.join(Payment, Payment.id == Refund.payment_id).where(Sale.store_id == store_id)
    chosen = chosen.where(Refund.tender == Tender.CARD, Refund.state == RefundState.REFUNDED)
    found = session.execute(chosen.where(Refund.at >= begins, Refund.at < ends).order_by(Refund.id))
    return [(refund, last4) for refund, last4 in found]
