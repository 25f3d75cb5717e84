"""The price list as rows, and when each carrier's catalogue was last read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, ScalarSelect, String, UniqueConstraint, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain import plans as domain
from pos.domain.money import Money
from pos.domain.prices import Withheld
from pos.ports import ProductKind
from pos.store.base import Base, Minor, Moment, Word
from pos.store.db import locked
from pos.store.tills import Store

# Nobody reads the figure in the transaction that raises it.
_UNSEEN = {"synchronize_session": False}


class Plan(Base):
    """What one store sells. Retired plans stay: old sales point at them."""

    __tablename__ = "plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    carrier: Mapped[str] = mapped_column(String(40))
    product_key: Mapped[str] = mapped_column(String(80))
    line: Mapped[str] = mapped_column(String(40))
    operator: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    price_minor: Mapped[Minor]
    cost_minor: Mapped[Minor]
    cost_currency: Mapped[str] = mapped_column(String(3))
    face_minor: Mapped[Minor]
    face_currency: Mapped[str] = mapped_column(String(3))
    valid_days: Mapped[int | None]
    data_megabytes: Mapped[int | None]
    minutes: Mapped[int | None]
    texts: Mapped[int | None]
    fulfilment: Mapped[str] = mapped_column(String(10), default="direct", server_default="direct")
    redeem: Mapped[str | None] = mapped_column(String(600))
    country: Mapped[str | None] = mapped_column(String(2))
    imported_at: Mapped[datetime] = mapped_column(Moment)
    retired_at: Mapped[datetime | None] = mapped_column(Moment)
    # The owner's own price, kept over every import; and why the plan is not on sale although the carrier has it.
    own_price_minor: Mapped[Minor | None]
    withheld: Mapped[Withheld | None] = mapped_column(Word(Withheld))
    sold: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("store_id", "carrier", "product_key"),)

    def plain(self) -> domain.Plan:
        return domain.Plan(
            id=self.id,
            carrier=self.carrier,
            product_key=self.product_key,
            line=self.line,
            operator=self.operator,
            name=self.name,
            kind=self.kind,
            price=Money(self.price_minor, self.currency),
            cost=Money(self.cost_minor, self.cost_currency),
            face=Money(self.face_minor, self.face_currency),
            valid_days=self.valid_days,
            data_megabytes=self.data_megabytes,
            minutes=self.minutes,
            texts=self.texts,
            fulfilment=self.fulfilment,
            redeem=self.redeem,
            country=self.country,
        )


def on_sale(session: Session, store_id: int, carrier: str, operator: str | None) -> list[Plan]:
    """What the store sells of a carrier for SIMs of an operator (of all, where that is unknown), most sold first. New eSIMs
    are for no SIM."""
    chosen = select(Plan).where(Plan.store_id == store_id, Plan.carrier == carrier)
    chosen = chosen.where(Plan.retired_at.is_(None), Plan.withheld.is_(None), Plan.kind != ProductKind.ESIM)
    if operator is not None:
        chosen = chosen.where(or_(Plan.operator == operator, Plan.operator.is_(None)))
    return list(session.scalars(chosen.order_by(Plan.sold.desc(), Plan.price_minor, Plan.id)))


def esims_on_sale(session: Session, store_id: int, carrier: str | None = None) -> list[Plan]:
    """The new eSIMs that the store sells, of one carrier or of all: by country, most sold first."""
    chosen = select(Plan).where(Plan.store_id == store_id, Plan.retired_at.is_(None), Plan.withheld.is_(None))
    chosen = chosen.where(Plan.kind == ProductKind.ESIM)
    if carrier is not None:
        chosen = chosen.where(Plan.carrier == carrier)
    return list(session.scalars(chosen.order_by(Plan.country, Plan.sold.desc(), Plan.price_minor, Plan.id)))


def sells_esims(store_id: int) -> ScalarSelect[int]:
    """Whether the store sells any; a figure of the strip."""
    chosen = select(Plan.id).where(Plan.store_id == store_id, Plan.retired_at.is_(None), Plan.withheld.is_(None))
    chosen = chosen.where(Plan.kind == ProductKind.ESIM)
    return chosen.limit(1).scalar_subquery()


def operator_of(session: Session, carrier: str, product_key: str | None) -> str | None:
    """Whose SIMs a product fits, by any store's price list."""
    if product_key is None:
        return None
    chosen = select(Plan.operator).where(Plan.carrier == carrier, Plan.product_key == product_key).limit(1)
    return session.scalar(chosen)


def of_carrier(session: Session, store_id: int, carrier: str) -> dict[str, Plan]:
    """All plans of a carrier ever imported for a store, by product key."""
    chosen = select(Plan).where(Plan.store_id == store_id, Plan.carrier == carrier)
    return {plan.product_key: plan for plan in session.scalars(chosen)}


def for_change(session: Session, plan_id: int) -> Plan | None:
    return session.scalar(locked(select(Plan).where(Plan.id == plan_id)))


def of_store(session: Session, store_id: int) -> list[Plan]:
    """The whole price list of a store, retired plans too, in the order in which people read it."""
    chosen = select(Plan).where(Plan.store_id == store_id)
    return list(session.scalars(chosen.order_by(Plan.carrier, Plan.line, Plan.price_minor, Plan.name)))


def catalogues(session: Session) -> list[tuple[str, str, datetime, int]]:
    """(store code, carrier, last reading, plans on sale) of every catalogue that was ever read."""
    on_sale = func.count().filter(Plan.retired_at.is_(None), Plan.withheld.is_(None))
    chosen = select(Store.code, Plan.carrier, func.max(Plan.imported_at), on_sale).join(Store, Store.id == Plan.store_id)
    rows = session.execute(chosen.group_by(Store.code, Plan.carrier).order_by(Store.code, Plan.carrier))
    return [(row[0], row[1], row[2], int(row[3])) for row in rows]


def count_sold(session: Session, plan_id: int) -> None:
    """One more, counted by the database: two tills that sell the same plan at once are two."""
    session.execute(update(Plan).where(Plan.id == plan_id).values(sold=Plan.sold + 1), execution_options=_UNSEEN)


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Plan)) or 0
