"""The books as rows: transfers between two accounts, added and never changed. The database refuses the rest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain import ledger as domain
from pos.domain.ledger import Account
from pos.store.base import Base, Minor, Moment, Word


class LedgerTransfer(Base):
    __tablename__ = "ledger_transfers"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    business_day: Mapped[date]
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    shift_id: Mapped[int | None] = mapped_column(ForeignKey("shifts.id"))
    code: Mapped[str] = mapped_column(String(20))
    debit: Mapped[Account] = mapped_column(Word(Account))
    credit: Mapped[Account] = mapped_column(Word(Account))
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(String(3))
    carrier: Mapped[str | None] = mapped_column(String(40))
    sale_id: Mapped[str | None] = mapped_column(ForeignKey("sales.id"))
    renewal_id: Mapped[str | None] = mapped_column(ForeignKey("renewals.id"))
    # The open item of the reconciliation that it settles. No foreign key: SQLite would copy the books for it.
    item_id: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        Index(None, "renewal_id"),
        Index(None, "business_day", "store_id"),
        Index(None, "carrier", "at"),
    )


def post(
    session: Session,
    transfers: Iterable[domain.Transfer],
    *,
    at: datetime,
    business_day: date,
    store_id: int,
    till_id: int,
    shift_id: int | None = None,
    carrier: str | None = None,
    sale_id: str | None = None,
    renewal_id: str | None = None,
    item_id: int | None = None,
) -> None:
    """Add transfers to the books in the transaction that is open."""
    for transfer in transfers:
        session.add(
            LedgerTransfer(
                at=at,
                business_day=business_day,
                store_id=store_id,
                till_id=till_id,
                shift_id=shift_id,
                code=transfer.code,
                debit=transfer.debit,
                credit=transfer.credit,
                amount_minor=transfer.amount.minor,
                currency=transfer.amount.currency,
                carrier=carrier,
                sale_id=sale_id,
                renewal_id=renewal_id,
                item_id=item_id,
            )
        )


def balance(session: Session, account: Account, currency: str) -> int:
    """Debits minus credits of an account, in minor units."""
    amount = func.coalesce(func.sum(LedgerTransfer.amount_minor), 0)
    in_currency = LedgerTransfer.currency == currency
    debits = session.scalar(select(amount).where(LedgerTransfer.debit == account, in_currency)) or 0
    credits = session.scalar(select(amount).where(LedgerTransfer.credit == account, in_currency)) or 0
    return int(debits) - int(credits)
