"""Our side of a reconciliation: card payments, the card takings of a day, and orders at carriers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from pos.domain.money import Money
from pos.domain.renewals import IN_DOUBT, RenewalState
from pos.domain.settlements import Direction, Kind, Ours, Standing
from pos.domain.tills import Store
from pos.domain.verdicts import ConflictState
from pos.services.settling import LAPSED, REVERSED
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import verdicts as verdict_rows

_OPEN = frozenset(IN_DOUBT) | {RenewalState.PAID, RenewalState.SUBMITTING}


def booked(session: Session, store: Store, direction: Direction, begins: datetime, ends: datetime) -> list[Ours]:
    """What we booked from ``begins`` to ``ends``."""
    if direction is Direction.CARRIER:
        return [
            one
            for attempt, renewal in renewal_rows.sent_between(session, store.id, begins, ends)
            for one in _order(session, attempt, renewal)
        ]
    cards = _cards(session, store, begins, ends)
    return cards if direction is Direction.CARD else _takings(cards, store)


def with_refs(session: Session, store: Store, ours: list[Ours], refs: set[str]) -> list[Ours]:
    """The same, and the orders that these references name, whenever they were sent."""
    more = refs - {one.ref for one in ours}
    found = [pair for pair in renewal_rows.by_refs(session, more) if pair[1].store_id == store.id]
    return ours + [one for attempt, renewal in found for one in _order(session, attempt, renewal)]


def _cards(session: Session, store: Store, begins: datetime, ends: datetime) -> list[Ours]:
    found = []
    for payment in sale_rows.card_payments_between(session, store.id, begins, ends):
        amount = Money(payment.amount_minor, payment.currency)
        found.append(
            Ours(f"payment:{payment.id}", Kind.CHARGE, amount, payment.at, payment.authorisation or "", payment.last4 or "")
        )
    for refund, last4 in sale_rows.card_refunds_between(session, store.id, begins, ends):
        amount = Money(refund.amount_minor, refund.currency)
        found.append(Ours(f"refund:{refund.id}", Kind.GIVEN_BACK, amount, refund.at, refund.authorisation or "", last4 or ""))
    return found


def _takings(cards: Iterable[Ours], store: Store) -> list[Ours]:
    """The card takings of each business day, which is what the acquirer pays out."""
    days: defaultdict[tuple[date, str], list[Ours]] = defaultdict(list)
    for one in cards:
        days[store.business_day(one.at), one.amount.currency].append(one)
    found = []
    for (day, currency), parts in sorted(days.items()):
        minor = sum(part.signed.minor for part in parts)
        kind = Kind.CHARGE if minor >= 0 else Kind.GIVEN_BACK
        if minor:
            found.append(Ours(f"takings:{day}:{currency}", kind, Money(abs(minor), currency), min(part.at for part in parts)))
    return found


def _order(session: Session, attempt: renewal_rows.Attempt, renewal: renewal_rows.Renewal) -> list[Ours]:
    """An attempt as the carrier should tell of it. What it took and gave back is two lines."""
    if attempt.outcome == LAPSED or not attempt.tries:
        return []
    base = Ours(
        f"attempt:{attempt.id}",
        Kind.CHARGE,
        renewal.cost,
        attempt.sent_at.astimezone(UTC),
        attempt.ref,
        tail="".join(sign for sign in renewal.masked if sign.isdigit())[-3:],
        standing=_standing(session, renewal),
        source=renewal.carrier,
    )
    if renewal.reason != REVERSED or renewal.state is RenewalState.CONFIRMED:
        return [base]
    taken = replace(base, standing=Standing.DONE)
    return [taken, replace(taken, key=base.key + ":back", kind=Kind.GIVEN_BACK)]


def counts(one: Ours) -> bool:
    """Whether it is money by our books; what is in doubt counts, for the float is spoken for."""
    return one.standing is not Standing.NOT_DONE


def _standing(session: Session, renewal: renewal_rows.Renewal) -> Standing:
    if renewal.state is RenewalState.CONFIRMED:
        return Standing.DONE
    if renewal.state in _OPEN:
        return Standing.OPEN
    conflict = verdict_rows.conflict_of(session, renewal.id)
    is_lost = conflict is not None and conflict.state is ConflictState.LOST
    return Standing.DONE if is_lost else Standing.NOT_DONE
