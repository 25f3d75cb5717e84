"""Sales as rows: one visit, its number, its document check and its one payment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.refunds import RefundState
from pos.domain.sales import SaleState
from pos.store.base import Base, Minor, Moment, Word


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
    )

    @property
    def total(self) -> Money | None:
        return None if self.total_minor is None else Money(self.total_minor, self.currency)


class NumberCheck(Base):
    """The number a sale is about, and what the carrier said was on it. Personal data stand sealed and beside a salt."""

    __tablename__ = "number_checks"

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    look_up: Mapped[str] = mapped_column(String(80), index=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    masked: Mapped[str] = mapped_column(String(30))
    carrier: Mapped[str] = mapped_column(String(40))
    operator: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    plan_name: Mapped[str | None] = mapped_column(String(120))
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    balances: Mapped[list[dict[str, str | None]]] = mapped_column(JSON)
    asked_at: Mapped[datetime] = mapped_column(Moment)


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
    # One renewal is given back once: the database refuses a twin.
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
    at: Mapped[datetime] = mapped_column(Moment)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def for_change(session: Session, sale_id: str) -> Sale | None:
    """The sale, locked until the transaction ends (on SQLite the transaction itself is the lock)."""
    return session.scalar(select(Sale).where(Sale.id == sale_id).with_for_update())


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


def identity_check_of(session: Session, sale_id: str) -> IdentityCheck | None:
    return session.scalar(select(IdentityCheck).where(IdentityCheck.sale_id == sale_id))


def recent_at(session: Session, till_id: int, staff_id: int, since: datetime, limit: int) -> list[Sale]:
    """A clerk's own latest sales at a till, paid ones only."""
    chosen = select(Sale).where(Sale.till_id == till_id, Sale.staff_id == staff_id, Sale.paid_at > since)
    return list(session.scalars(chosen.order_by(Sale.paid_at.desc()).limit(limit)))


_TENDER_OPEN = (SaleState.TENDERING, SaleState.TENDER_UNKNOWN)


def open_tenders(session: Session, store_id: int) -> list[Sale]:
    """Sales of a store whose card payment has no result yet, oldest first."""
    chosen = select(Sale).where(Sale.store_id == store_id, Sale.state.in_(_TENDER_OPEN))
    return list(session.scalars(chosen.order_by(Sale.opened_at)))


def count_open_tenders(session: Session, store_id: int) -> int:
    chosen = select(func.count()).select_from(Sale).where(Sale.store_id == store_id, Sale.state.in_(_TENDER_OPEN))
    return session.scalar(chosen) or 0


def tenders_left_open(session: Session, asked_before: datetime) -> list[str]:
    """Sales whose card terminal has been silent for too long."""
    chosen = select(Sale.id).where(Sale.state == SaleState.TENDERING, Sale.tender_asked_at < asked_before)
    return list(session.scalars(chosen))
