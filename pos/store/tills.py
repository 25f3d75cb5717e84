"""Stores, printers and tills as rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import JSON, ForeignKey, ScalarSelect, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain import tills as domain
from pos.store.base import Base, Minor, Moment
from pos.store.db import locked


class Store(Base):
    __tablename__ = "stores"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    legal_name: Mapped[str] = mapped_column(String(120))
    address: Mapped[list[str]] = mapped_column(JSON)
    tax_label: Mapped[str] = mapped_column(String(40))
    tax_number: Mapped[str] = mapped_column(String(40))
    country: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    zone: Mapped[str] = mapped_column(String(60))
    day_starts_minutes: Mapped[int]
    tax_name: Mapped[str] = mapped_column(String(40))
    tax_basis_points: Mapped[int]
    support: Mapped[list[str]] = mapped_column(JSON)
    hours: Mapped[str] = mapped_column(String(120))
    footer: Mapped[list[str]] = mapped_column(JSON)
    drawer_tolerance_minor: Mapped[Minor]
    # What a clerk may give back of one sale; empty: any sum.
    refund_limit_minor: Mapped[Minor | None]
    # What a clerk may move into or out of the drawer at once, from which sum on money should go to the safe, and how large a
    # difference at closing may be without a manager; empty: any sum.
    movement_limit_minor: Mapped[Minor | None]
    drawer_limit_minor: Mapped[Minor | None]
    difference_limit_minor: Mapped[Minor | None]
    # Plans that would cost more wait for the owner's own price; empty: any sum.
    price_ceiling_minor: Mapped[Minor | None]
    # Title and total of receipts are said in this language too; empty: in the customer's alone.
    second_language: Mapped[str] = mapped_column(String(10), default="")
    # What the law of the place wants on receipts; none: what is usual in the store's country.
    legal_lines: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))

    def plain(self) -> domain.Store:
        """The shop as a value."""
        return domain.Store(
            id=self.id,
            code=self.code,
            name=self.name,
            legal_name=self.legal_name,
            address=tuple(self.address),
            tax_label=self.tax_label,
            tax_number=self.tax_number,
            country=self.country,
            currency=self.currency,
            zone=self.zone,
            day_starts=timedelta(minutes=self.day_starts_minutes),
            tax_name=self.tax_name,
            tax_basis_points=self.tax_basis_points,
            support=tuple(self.support),
            hours=self.hours,
            footer=tuple(self.footer),
            drawer_tolerance_minor=self.drawer_tolerance_minor,
            refund_limit_minor=self.refund_limit_minor,
            price_ceiling_minor=self.price_ceiling_minor,
            movement_limit_minor=self.movement_limit_minor,
            drawer_limit_minor=self.drawer_limit_minor,
            difference_limit_minor=self.difference_limit_minor,
            second_language=self.second_language,
            legal_lines=None if self.legal_lines is None else tuple(self.legal_lines),
        )


class Printer(Base):
    __tablename__ = "printers"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    name: Mapped[str] = mapped_column(String(60))
    # The fields of receipts.settings.PrinterSettings that differ from its defaults.
    settings: Mapped[dict[str, object]] = mapped_column(JSON)
    near_end: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (UniqueConstraint("store_id", "name"),)


class Till(Base):
    __tablename__ = "tills"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    surface: Mapped[str] = mapped_column(String(10))
    printer_id: Mapped[int | None] = mapped_column(ForeignKey("printers.id"))
    # A printer of the same store, which the service sees to: SQLite adds no constraint to a table that others refer to.
    spare_printer_id: Mapped[int | None]
    enrolment_code_hash: Mapped[str | None] = mapped_column(String(64))
    enrolment_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    enrolment_misses: Mapped[int] = mapped_column(default=0)
    # SHA-256 of the 256-bit secret that lives in the till's browser.
    secret_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    enrolled_at: Mapped[datetime | None] = mapped_column(Moment)

    def plain(self) -> domain.Till:
        return domain.Till(id=self.id, code=self.code, name=self.name, surface=self.surface, printer_id=self.printer_id)


def near_end_of(printer_id: int) -> ScalarSelect[bool]:
    """Whether a printer's roll ends soon; for the strip."""
    return select(Printer.near_end).where(Printer.id == printer_id).scalar_subquery()


def store_of(session: Session, till: Till) -> Store:
    return session.get_one(Store, till.store_id)


def till_by_secret(session: Session, secret_hash: str) -> tuple[Till, Store] | None:
    """The till that holds this secret and its store, in one statement: every request asks it."""
    chosen = select(Till, Store).join(Store, Store.id == Till.store_id).where(Till.secret_hash == secret_hash)
    found = session.execute(chosen).first()
    return None if found is None else (found[0], found[1])


def till_by_code(session: Session, code: str) -> Till | None:
    return session.scalar(select(Till).where(Till.code == code))


def till_for_change(session: Session, code: str) -> Till | None:
    """A till, held: guesses at its enrolment code are counted one by one."""
    return session.scalar(locked(select(Till).where(Till.code == code)))


def lock(session: Session, till_id: int) -> None:
    """Hold a till's row until the transaction ends (on SQLite the transaction itself is the lock)."""
    session.scalar(locked(select(Till).where(Till.id == till_id)))


def printer_for_change(session: Session, printer_id: int) -> Printer | None:
    """A printer, held while its next slip is chosen; None where somebody else is choosing."""
    return session.scalar(locked(select(Printer).where(Printer.id == printer_id), skip=True))


def all_tills(session: Session) -> list[Till]:
    return list(session.scalars(select(Till).order_by(Till.code)))


def all_stores(session: Session) -> list[Store]:
    return list(session.scalars(select(Store).order_by(Store.id)))


def store_by_code(session: Session, code: str) -> Store | None:
    return session.scalar(select(Store).where(Store.code == code))


def printers_of(session: Session, store_id: int) -> list[Printer]:
    return list(session.scalars(select(Printer).where(Printer.store_id == store_id).order_by(Printer.id)))
