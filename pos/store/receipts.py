"""Receipts as rows (frozen documents), and the gapless numbers they take."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.receipts import ReceiptKind, number_text
from pos.store.base import Base, Moment, Word
from pos.store.db import locked


class NumberSeries(Base):
    """The last number of each (till, kind); taken inside the paying transaction, with no input or output in it."""

    __tablename__ = "number_series"

    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"), primary_key=True)
    kind: Mapped[ReceiptKind] = mapped_column(Word(ReceiptKind), primary_key=True)
    last: Mapped[int]


class Receipt(Base):
    """One slip with a number. Its document is frozen when it is first drawn; a reprint has the same content."""

    __tablename__ = "receipts"

    id: Mapped[int] = mapped_column(primary_key=True)
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    kind: Mapped[ReceiptKind] = mapped_column(Word(ReceiptKind))
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(String(30), unique=True)
    sale_id: Mapped[str | None] = mapped_column(ForeignKey("sales.id"), index=True)
    shift_id: Mapped[int | None] = mapped_column(ForeignKey("shifts.id"))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("till_id", "kind", "sequence"),)


class ReceiptDocument(Base):
    """What a receipt says: its original, and later slips that belong to it. Never changed."""

    __tablename__ = "receipt_documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipts.id"))
    title: Mapped[str] = mapped_column(String(120))
    language: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20))
    document: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("receipt_id", "state"),)


def take_number(session: Session, till_id: int, till_code: str, kind: ReceiptKind) -> tuple[int, str]:
    """The next (sequence, text) of a series: unique, rising, without a gap, because it rolls back with its sale."""
    chosen = select(NumberSeries).where(NumberSeries.till_id == till_id, NumberSeries.kind == kind)
    series = session.scalar(locked(chosen))
    if series is None:
        series = NumberSeries(till_id=till_id, kind=kind, last=0)
        session.add(series)
    series.last += 1
    return series.last, number_text(kind, till_code, series.last)


def for_change(session: Session, receipt_id: int) -> Receipt | None:
    """A receipt, held while its next copy gets a number."""
    return session.scalar(locked(select(Receipt).where(Receipt.id == receipt_id)))


def by_number(session: Session, number: str) -> Receipt | None:
    return session.scalar(select(Receipt).where(Receipt.number == number))


def of_sale(session: Session, sale_id: str) -> list[Receipt]:
    return list(session.scalars(select(Receipt).where(Receipt.sale_id == sale_id).order_by(Receipt.id)))


def documents_of(session: Session, receipt_id: int) -> list[ReceiptDocument]:
    chosen = select(ReceiptDocument).where(ReceiptDocument.receipt_id == receipt_id)
    return list(session.scalars(chosen.order_by(ReceiptDocument.id)))
