"""Renewals and their attempts as rows, and the claim that gives one worker the right to act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    ScalarSelect,
    String,
    TextClause,
    and_,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain.money import Money
from pos.domain.payments import PaymentState
from pos.domain.renewals import IN_DOUBT, RenewalState
from pos.store.base import Base, Minor, Moment, Word, index_where
from pos.store.db import locked
from pos.store.sales import NumberCheck, Payment, Sale
from pos.store.sales import for_change as sale_for_change

# Paid, and not over.
_OPEN = "state IN ('paid', 'submitting', 'pending', 'unknown', 'manual', 'rejected', 'reversed', 'refund_due', 'refunding')"


class Renewal(Base):
    __tablename__ = "renewals"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"))
    line_number: Mapped[int]
    # Which of the sale's numbers. No foreign key: SQLite cannot add one to a table that others point at; the books' proof looks.
    number_check_id: Mapped[str] = mapped_column(String(36), server_default="")
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    state: Mapped[RenewalState] = mapped_column(Word(RenewalState))
    carrier: Mapped[str] = mapped_column(String(40))
    # The plan as it was quoted; a change of the price list never touches it.
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    product_key: Mapped[str] = mapped_column(String(80))
    plan_name: Mapped[str] = mapped_column(String(120))
    line: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    fulfilment: Mapped[str] = mapped_column(String(10), default="direct", server_default="direct")
    currency: Mapped[str] = mapped_column(String(3))
    price_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    tax_basis_points: Mapped[int]
    cost_minor: Mapped[Minor]
    cost_currency: Mapped[str] = mapped_column(String(3))
    face_minor: Mapped[Minor]
    face_currency: Mapped[str] = mapped_column(String(3))
    valid_days: Mapped[int | None]
    quote: Mapped[str] = mapped_column(String(64))
    quote_ends_at: Mapped[datetime] = mapped_column(Moment)
    # The number: sealed for the carrier's request, a keyed look-up for twins, a salted commitment for the journal.
    number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    number_look_up: Mapped[str] = mapped_column(String(80))
    number_commitment: Mapped[str] = mapped_column(String(64))
    masked: Mapped[str] = mapped_column(String(30))
    effect: Mapped[str] = mapped_column(String(10))
    valid_before: Mapped[datetime | None] = mapped_column(Moment)
    valid_now: Mapped[datetime | None] = mapped_column(Moment)
    # The life at the carrier.
    provider_ref: Mapped[str | None] = mapped_column(String(120))
    operator_ref: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(String(40))
    raw_code: Mapped[str | None] = mapped_column(String(80))
    paid_at: Mapped[datetime | None] = mapped_column(Moment)
    # The renewal whose money this one was paid with; the database refuses a second one for the same money.
    replaces: Mapped[str | None] = mapped_column(String(36))
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    times_asked: Mapped[int] = mapped_column(default=0)
    absent_since: Mapped[datetime | None] = mapped_column(Moment)
    absent_times: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    fence: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index(None, "sale_id"),
        index_where("ix_renewals_open", "store_id", "due_at", where=_OPEN),
        Index(None, "number_look_up", "product_key"),
        Index(None, "replaces", unique=True),
        Index(None, "provider_ref"),
        Index(None, "operator_ref"),
    )

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def tax(self) -> Money:
        return Money(self.tax_minor, self.currency)

    @property
    def cost(self) -> Money:
        return Money(self.cost_minor, self.cost_currency)

    @property
    def face(self) -> Money:
        return Money(self.face_minor, self.face_currency)


class Attempt(Base):
    """One request that may be sent. Written before the first byte leaves; a re-send of the same attempt keeps its ``ref``."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewals.id"), index=True)
    ref: Mapped[str] = mapped_column(String(36), unique=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    # When it first left, and when it left last.
    written_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime] = mapped_column(Moment)
    deadline_at: Mapped[datetime] = mapped_column(Moment)
    settles_at: Mapped[datetime] = mapped_column(Moment)
    # Open while the carrier may have it: one open attempt per renewal and one per SIM, kept by unique indexes.
    open_renewal: Mapped[str | None] = mapped_column(String(36), unique=True)
    open_number: Mapped[str | None] = mapped_column(String(80), unique=True)
    # The carrier's id of what it holds for this attempt, which is then confirmed instead of sent.
    held_as: Mapped[str | None] = mapped_column(String(80))
    outcome: Mapped[str | None] = mapped_column(String(20))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


def of_sale(session: Session, sale_id: str) -> list[Renewal]:
    return list(session.scalars(select(Renewal).where(Renewal.sale_id == sale_id).order_by(Renewal.line_number)))


# A plan that was chosen anew leaves a voided line behind, a refused one that was exchanged leaves a replaced one.
NOT_COUNTED = (RenewalState.VOIDED, RenewalState.REPLACED)


# The carrier has renewed it, or may have or still do so.
MAY_BE_RENEWED = (*sorted(IN_DOUBT), RenewalState.CONFIRMED)


def live_of_sale(session: Session, sale_id: str) -> list[Renewal]:
    """The lines of a sale that still count, in the order of its numbers."""
    chosen = select(Renewal).join(NumberCheck, NumberCheck.id == Renewal.number_check_id)
    chosen = chosen.where(Renewal.sale_id == sale_id, Renewal.state.not_in(NOT_COUNTED))
    return list(session.scalars(chosen.order_by(NumberCheck.place, Renewal.line_number)))


def live_for_change(session: Session, sale_id: str) -> list[Renewal]:
    """The same, locked, in the order of their ids; whoever asks has locked the sale before."""
    chosen = select(Renewal).where(Renewal.sale_id == sale_id, Renewal.state.not_in(NOT_COUNTED)).order_by(Renewal.id)
    return list(session.scalars(locked(chosen)))


def replacement_of(session: Session, renewal_id: str) -> Renewal | None:
    return session.scalar(select(Renewal).where(Renewal.replaces == renewal_id))


def for_change(session: Session, renewal_id: str) -> Renewal | None:
    """A renewal, held; its sale first, because everybody locks in this order."""
    sale_id = session.scalar(select(Renewal.sale_id).where(Renewal.id == renewal_id))
    if sale_id is None or sale_for_change(session, sale_id) is None:
        return None
    return session.scalar(locked(select(Renewal).where(Renewal.id == renewal_id)))


def last_success_at(session: Session, carrier: str) -> datetime | None:
    """When a renewal of a carrier was last known to be done."""
    chosen = select(Attempt.ended_at).join(Renewal, Renewal.id == Attempt.renewal_id)
    chosen = chosen.where(Renewal.carrier == carrier, Attempt.outcome == "succeeded")
    return session.scalar(chosen.order_by(Attempt.id.desc()).limit(1))


def latest_attempt(session: Session, renewal_id: str) -> Attempt | None:
    return session.scalar(select(Attempt).where(Attempt.renewal_id == renewal_id).order_by(Attempt.id.desc()).limit(1))


def latest_sent(session: Session, carrier: str) -> tuple[Renewal, Attempt] | None:
    """The order that left for a carrier last."""
    chosen = select(Renewal, Attempt).join(Attempt, Attempt.renewal_id == Renewal.id)
    chosen = chosen.where(Renewal.carrier == carrier, Attempt.tries > 0).order_by(Attempt.sent_at.desc()).limit(1)
    found = session.execute(chosen).first()
    return None if found is None else (found[0], found[1])


def number_is_busy(session: Session, number_look_up: str, renewal_id: str) -> bool:
    """Whether another renewal of the same SIM is with the carrier."""
    chosen = select(Attempt.id).where(Attempt.open_number == number_look_up, Attempt.renewal_id != renewal_id)
    return session.scalar(chosen) is not None


WAITING = (RenewalState.PAID, RenewalState.PENDING, RenewalState.UNKNOWN)


def is_open() -> TextClause:
    return text(f"renewals.{_OPEN}")


def _due(now: datetime) -> ColumnElement[bool]:
    free = or_(Renewal.lease_ends_at.is_(None), Renewal.lease_ends_at < now)
    return and_(is_open(), Renewal.state.in_(WAITING), Renewal.due_at <= now, free)


def claim_due(session: Session, now: datetime, owner: str, lease_ends_at: datetime) -> Renewal | None:
    """Take the oldest due renewal that nobody holds. PostgreSQL lets two workers take two, of two sales; SQLite takes turns.

    The sale is held first. Whoever held it a moment ago may have seen to the renewal meanwhile: then there is nothing."""
    chosen = (
        select(Sale.id, Renewal.id)
        .join(Renewal, Renewal.sale_id == Sale.id)
        .where(_due(now))
        # A customer who has just paid stands at the counter; askings about others wait behind him.
        .order_by(Renewal.state != RenewalState.PAID, Renewal.due_at, Renewal.line_number, Renewal.id)
        .limit(1)
        .with_for_update(of=Sale, key_share=True, skip_locked=True)
    )
    found = session.execute(chosen).first()
    if found is None:
        return None
    renewal = session.scalar(locked(select(Renewal).where(Renewal.id == found[1], _due(now))))
    if renewal is not None:
        renewal.lease_owner, renewal.lease_ends_at, renewal.fence = owner, lease_ends_at, renewal.fence + 1
    return renewal


def something_due(session: Session, now: datetime) -> bool:
    return session.scalar(select(Renewal.id).where(_due(now)).limit(1)) is not None


def _orphaned(now: datetime, owner_prefix: str) -> ColumnElement[bool]:
    """Whether a renewal says "being sent" and its sender is gone: its lease ended, or it is an earlier life of this worker."""
    gone = or_(Renewal.lease_ends_at < now, Renewal.lease_owner.startswith(owner_prefix, autoescape=True))
    return and_(is_open(), Renewal.state == RenewalState.SUBMITTING, gone)


def orphans(session: Session, now: datetime, owner_prefix: str) -> list[str]:
    """Renewals whose sender is gone."""
    # Put in order here: an order by the key would make SQLite walk through all renewals there ever were.
    return sorted(session.scalars(select(Renewal.id).where(_orphaned(now, owner_prefix))))


def still_orphan(session: Session, renewal_id: str, now: datetime, owner_prefix: str) -> Renewal | None:
    """The renewal, held with its sale, unless another worker has seen to it meanwhile."""
    if for_change(session, renewal_id) is None:
        return None
    return session.scalar(select(Renewal).where(Renewal.id == renewal_id, _orphaned(now, owner_prefix)))


_CARD_OPEN = (PaymentState.INTENDED, PaymentState.IN_DOUBT)


def twin(session: Session, look_up: str, product_key: str, since: datetime, sale_id: str) -> tuple[Renewal, Sale] | None:
    """The same number and plan in any sale of any till but this one: paid since a moment and not refused, or with a card
    payment that may have been charged, however long ago."""
    over = (
        RenewalState.VOIDED,
        RenewalState.REJECTED,
        RenewalState.REVERSED,
        RenewalState.REFUND_DUE,
        RenewalState.REFUNDING,
        RenewalState.REFUNDED,
        RenewalState.REPLACED,
    )
    open_card = select(Payment.id).where(Payment.sale_id == Sale.id, Payment.state.in_(_CARD_OPEN)).exists()
    found = session.execute(
        select(Renewal, Sale)
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(Renewal.number_look_up == look_up, Renewal.product_key == product_key)
        .where(or_(Renewal.paid_at > since, open_card))
        .where(Renewal.sale_id != sale_id, Renewal.state.not_in(over))
        .order_by(Renewal.paid_at.desc())
        .limit(1)
    ).first()
    return None if found is None else (found[0], found[1])


def unfinished(session: Session, store_id: int, states: frozenset[RenewalState]) -> list[tuple[Renewal, Sale]]:
    chosen = (
        select(Renewal, Sale)
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(is_open(), Renewal.store_id == store_id, Renewal.state.in_(states))
        .order_by(Renewal.paid_at, Renewal.sale_id, Renewal.line_number)
    )
    return [(row[0], row[1]) for row in session.execute(chosen)]


def unfinished_counted(store_id: int, states: frozenset[RenewalState]) -> ScalarSelect[int]:
    """How many there are of them; a figure of the strip."""
    chosen = select(func.count()).select_from(Renewal)
    return chosen.where(is_open(), Renewal.store_id == store_id, Renewal.state.in_(states)).scalar_subquery()


def last_confirmed(session: Session, number_look_up: str) -> Renewal | None:
    """What this shop last renewed on a number."""
    chosen = select(Renewal).where(Renewal.number_look_up == number_look_up, Renewal.state == RenewalState.CONFIRMED)
    return session.scalar(chosen.order_by(Renewal.paid_at.desc()).limit(1))


def paid_of_number(session: Session, look_up: str, since: datetime, sale_id: str) -> int:
    """How often a number was renewed in other sales since a moment."""
    chosen = select(func.count()).where(Renewal.number_look_up == look_up, Renewal.paid_at > since, Renewal.sale_id != sale_id)
    return session.scalar(chosen) or 0


def by_look_up(session: Session, store_id: int | None, look_up: str, limit: int) -> list[tuple[Renewal, Sale]]:
    """A number's history, newest first; in one store, or everywhere for those entitled."""
    chosen = select(Renewal, Sale).join(Sale, Sale.id == Renewal.sale_id).where(Renewal.number_look_up == look_up)
    if store_id is not None:
        chosen = chosen.where(Sale.store_id == store_id)
    return [(row[0], row[1]) for row in session.execute(chosen.order_by(Sale.opened_at.desc()).limit(limit))]


def takings_by_plan(session: Session, shift_id: int) -> list[tuple[str, str, int, int]]:
    """(line, plan name, how many, sum of prices in minor units) of everything paid in a shift."""
    chosen = (
        select(Renewal.line, Renewal.plan_name, func.count(), func.sum(Renewal.price_minor))
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(Sale.shift_id == shift_id, Renewal.state.not_in(NOT_COUNTED))
        .group_by(Renewal.line, Renewal.plan_name)
        .order_by(Renewal.line, Renewal.plan_name)
    )
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in session.execute(chosen)]


def states_in_shift(session: Session, shift_id: int) -> dict[RenewalState, int]:
    """How many lines paid in a shift stand in each state now."""
    chosen = (
        select(Renewal.state, func.count())
        .join(Sale, Sale.id == Renewal.sale_id)
        .where(Sale.shift_id == shift_id, Renewal.state.not_in(NOT_COUNTED))
        .group_by(Renewal.state)
    )
    return {row[0]: int(row[1]) for row in session.execute(chosen)}


# A database takes only so many values in one statement.
_REFS_AT_ONCE = 500


def by_refs(session: Session, refs: set[str]) -> list[tuple[Attempt, Renewal]]:
    """The attempts that a carrier's references name, with their renewals."""
    wanted, found = sorted(refs), []
    chosen = select(Attempt, Renewal).join(Renewal, Renewal.id == Attempt.renewal_id)
    for first in range(0, len(wanted), _REFS_AT_ONCE):
        found += [(a, r) for a, r in session.execute(chosen.where(Attempt.ref.in_(wanted[first : first + _REFS_AT_ONCE])))]
    return found


def sent_between(session: Session, store_id: int, begins: datetime, ends: datetime) -> list[tuple[Attempt, Renewal]]:
    """What a store sent to its carriers, the oldest first."""
    chosen = select(Attempt, Renewal).join(Renewal, Renewal.id == Attempt.renewal_id)
    chosen = chosen.where(Renewal.store_id == store_id, Attempt.sent_at >= begins, Attempt.sent_at < ends)
    return [(attempt, renewal) for attempt, renewal in session.execute(chosen.order_by(Attempt.id))]
