"""How each carrier stands with the shop, and which renewals agree with its statement: rows, because several processes sell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, and_, func, literal, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.money import Money
from pos.domain.renewals import RenewalState
from pos.ports import Reason
from pos.store.base import Base, Minor, Moment
from pos.store.db import locked, queue_up
from pos.store.floats import Float
from pos.store.renewals import Attempt, Renewal, is_open

# A database takes only so many values in one statement.
_REFS_AT_ONCE = 500


class Standing(Base):
    """One row for each carrier that something was ever wrong with, or whose statement was read."""

    __tablename__ = "standings"

    carrier: Mapped[str] = mapped_column(String(40), primary_key=True)
    # Since when no question about an order got a usable answer.
    unasked_since: Mapped[datetime | None] = mapped_column(Moment)
    # Since when the float is used up, and what it could not pay.
    dry_since: Mapped[datetime | None] = mapped_column(Moment)
    wanted_minor: Mapped[Minor | None]
    wanted_currency: Mapped[str | None] = mapped_column(String(3))
    # The last business day whose sales were compared with the carrier's statement.
    statement_day: Mapped[date | None]

    @property
    def wanted(self) -> Money | None:
        return None if self.wanted_minor is None else Money(self.wanted_minor, self.wanted_currency or "")


class Agreement(Base):
    """One of our bookings and one line of the carrier's statement say the same (move 21)."""

    __tablename__ = "agreements"

    id: Mapped[int] = mapped_column(primary_key=True)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"))
    kind: Mapped[str] = mapped_column(String(20))  # charged, given_back
    carrier: Mapped[str] = mapped_column(String(40))
    line: Mapped[str] = mapped_column(String(80))
    cost_minor: Mapped[Minor]
    cost_currency: Mapped[str] = mapped_column(String(3))
    line_at: Mapped[datetime] = mapped_column(Moment)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("renewal_id", "kind"), UniqueConstraint("carrier", "line", "kind"))


def look_at(session: Session, carrier: str) -> Standing | None:
    return session.scalar(select(Standing).where(Standing.carrier == carrier))


def with_float(session: Session, carrier: str, currency: str) -> tuple[Standing | None, Money | None]:
    """The same with what the wallet said last, in one question; None where it was never read."""
    asked = select(literal(carrier).label("carrier")).subquery()
    chosen = select(Standing, Float.available_minor).select_from(asked)
    chosen = chosen.outerjoin(Standing, Standing.carrier == asked.c.carrier)
    chosen = chosen.outerjoin(Float, (Float.carrier == asked.c.carrier) & (Float.currency == currency))
    standing, minor = session.execute(chosen).one()
    return standing, None if minor is None else Money(minor, currency)


def for_change(session: Session, carrier: str) -> Standing:
    """The row, made if there is none yet, locked until the transaction ends."""
    queue_up(session, f"standing:{carrier}")
    row = session.scalar(locked(select(Standing).where(Standing.carrier == carrier)))
    if row is None:
        row = Standing(carrier=carrier)
        session.add(row)
    return row


def everything(session: Session) -> list[Standing]:
    return list(session.scalars(select(Standing).order_by(Standing.carrier)))


_OURS = (Reason.AUTH.value, Reason.CERTIFICATE.value)


def warnings(session: Session) -> list[tuple[str, str, datetime]]:
    """(kind, carrier, since), in one question: carriers that do not let us in, so that paid renewals wait until somebody mends
    that (kept_back), and floats below their low water (low)."""
    kept = select(literal("kept_back"), Renewal.carrier, func.min(Renewal.paid_at))
    kept = kept.where(is_open(), Renewal.state == RenewalState.PAID, Renewal.reason.in_(_OURS)).group_by(Renewal.carrier)
    low = select(literal("low"), Float.carrier, func.min(Float.low_since)).where(Float.low_since.is_not(None))
    rows = session.execute(kept.union_all(low.group_by(Float.carrier)))
    return sorted((kind, carrier, since) for kind, carrier, since in rows if since is not None)


def agreements_of(session: Session, renewal_id: str) -> set[str]:
    """The kinds that agree already."""
    return set(session.scalars(select(Agreement.kind).where(Agreement.renewal_id == renewal_id)))


@dataclass(frozen=True)
class Compared:
    """A renewal to be held against a statement, as it stands. ``agrees``: the line with its charge was found already."""

    renewal_id: str
    ref: str
    state: RenewalState
    agrees: bool


def to_compare(session: Session, carrier: str, refs: set[str], since: datetime, until: datetime) -> list[Compared]:
    """A carrier's renewals that were sent within the time of a statement, or that it names; the oldest first."""
    agrees = and_(Agreement.renewal_id == Renewal.id, Agreement.kind == "charged")
    chosen = select(Attempt.id, Renewal.id, Attempt.ref, Renewal.state, Agreement.id)
    chosen = chosen.join(Renewal, Renewal.id == Attempt.renewal_id).outerjoin(Agreement, agrees)
    chosen = chosen.where(Renewal.carrier == carrier)
    found = list(session.execute(chosen.where(Attempt.tries > 0, Attempt.sent_at >= since, Attempt.sent_at < until)))
    others = sorted(refs - {ref for _, _, ref, _, _ in found})
    for first in range(0, len(others), _REFS_AT_ONCE):
        found += session.execute(chosen.where(Attempt.ref.in_(others[first : first + _REFS_AT_ONCE])))
    found.sort(key=lambda row: int(row[0]))
    return [Compared(key, ref, state, agreement is not None) for _, key, ref, state, agreement in found]
