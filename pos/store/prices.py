"""The owner's price rules as rows."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain import prices as domain
from pos.store.base import Base, Minor


class PriceRule(Base):
    __tablename__ = "price_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    carrier: Mapped[str | None] = mapped_column(String(40))
    line: Mapped[str | None] = mapped_column(String(40))
    margin_basis_points: Mapped[int]
    add_minor: Mapped[Minor]
    round_to_minor: Mapped[Minor]
    cost_currency: Mapped[str | None] = mapped_column(String(3))
    rate_millionths: Mapped[Minor | None]

    def plain(self) -> domain.PriceRule:
        return domain.PriceRule(
            id=self.id,
            carrier=self.carrier,
            line=self.line,
            margin_basis_points=self.margin_basis_points,
            add_minor=self.add_minor,
            round_to_minor=self.round_to_minor,
            cost_currency=self.cost_currency,
            rate_millionths=self.rate_millionths,
        )


def of_store(session: Session, store_id: int) -> list[PriceRule]:
    return list(session.scalars(select(PriceRule).where(PriceRule.store_id == store_id).order_by(PriceRule.id)))
