"""What each carrier's wallet said last: one row for each carrier and currency."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.ledger import Account
from pos.domain.money import Money
from pos.store.base import Base, Minor, Moment
from pos.store.db import locked, queue_up
from pos.store.ledger import LedgerTransfer


class Float(Base):
    """``unexplained_minor``: how far the wallet moved since ``explained_at`` beyond what our own books moved. A top-up makes it
    grow; what falls below zero was taken for something that we did not sell."""

    __tablename__ = "floats"

    carrier: Mapped[str] = mapped_column(String(40), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    available_minor: Mapped[Minor]
    held_minor: Mapped[Minor | None]
    read_at: Mapped[datetime] = mapped_column(Moment)
    low_water_minor: Mapped[Minor | None]
    low_since: Mapped[datetime | None] = mapped_column(Moment)
    unexplained_minor: Mapped[Minor] = mapped_column(default=0)
    explained_at: Mapped[datetime] = mapped_column(Moment)

    @property
    def available(self) -> Money:
        return Money(self.available_minor, self.currency)

    @property
    def unexplained(self) -> Money:
        return Money(self.unexplained_minor, self.currency)

    @property
    def low_water(self) -> Money | None:
        return None if self.low_water_minor is None else Money(self.low_water_minor, self.currency)


def look_at(session: Session, carrier: str, currency: str) -> Float | None:
    return session.get(Float, (carrier, currency))


def for_change(session: Session, carrier: str, currency: str) -> Float | None:
    """The row, locked until the transaction ends; None before the first reading."""
    queue_up(session, f"float:{carrier}:{currency}")
    return session.scalar(locked(select(Float).where(Float.carrier == carrier, Float.currency == currency)))


def everything(session: Session) -> list[Float]:
    return list(session.scalars(select(Float).order_by(Float.carrier, Float.currency)))


def moved(session: Session, carrier: str, currency: str, since: datetime, until: datetime) -> int:
    """What our own books moved on the float at a carrier after one moment and up to another, minor units: negative is spent."""
    transfer = LedgerTransfer
    chosen = select(func.coalesce(func.sum(transfer.amount_minor), 0))
    chosen = chosen.where(transfer.carrier == carrier, transfer.currency == currency, transfer.at > since, transfer.at <= until)
    came = session.scalar(chosen.where(transfer.debit == Account.CARRIER_FLOAT)) or 0
    went = session.scalar(chosen.where(transfer.credit == Account.CARRIER_FLOAT)) or 0
    return int(came) - int(went)
