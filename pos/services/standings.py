"""How each carrier stands with the shop: whether money may be taken for it now, and what every till is warned of.

Kept in rows, because what one worker learns must stop the tills of every other process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain.errors import CarrierUnasked, FloatUsedUp
from pos.domain.money import Money
from pos.domain.pictures import Alarm
from pos.domain.tills import Desk
from pos.ports import Carrier, WalletBalance
from pos.services.kit import Kit
from pos.store import renewals as renewal_rows
from pos.store import standings as rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen


def heard_asking(session: Session, carrier: str, can_tell: bool, now: datetime) -> None:
    """A question about an order was answered, or could not be; only a change is written."""
    if can_tell == is_silent(session, carrier):
        rows.for_change(session, carrier).unasked_since = None if can_tell else now


def is_silent(session: Session, carrier: str) -> bool:
    """Whether the last question about an order got no usable answer."""
    known = rows.look_at(session, carrier)
    return known is not None and known.unasked_since is not None


def ran_dry(session: Session, renewal: renewal_rows.Renewal, pen: Pen) -> None:
    """The carrier refused for want of our own money (F21): nothing more of it is sold until the float is filled again."""
    standing = rows.for_change(session, renewal.carrier)
    if standing.dry_since is None:
        standing.dry_since = pen.at
        pen.note(session, "carrier.dry", "carrier", renewal.carrier, {"wanted": str(renewal.cost)})
    standing.wanted_minor, standing.wanted_currency = renewal.cost_minor, renewal.cost_currency


def refuse_unsellable(session: Session, carrier: str, cost: Money, now: datetime, kit: Kit) -> None:
    """Before money is taken. ``cost`` is what our float would pay. Raises FloatUsedUp, or CarrierUnasked where an order in doubt
    could not be decided (the breaker of the renewal protocol, 3). A carrier that refuses twins goes on selling: its orders are
    simply sent again."""
    standing, available = rows.with_float(session, carrier, cost.currency)
    adapter = kit.carriers.get(carrier)
    if available is not None and available < cost:
        raise FloatUsedUp
    if standing is None:
        return
    if standing.dry_since is not None:
        raise FloatUsedUp
    if adapter is not None and _is_broken(standing, adapter, now):
        raise CarrierUnasked


def _is_broken(standing: rows.Standing, adapter: Carrier, now: datetime) -> bool:
    promises = adapter.declaration()
    since = standing.unasked_since
    return not promises.enforces_unique_refs and since is not None and now - since > promises.unasked_patience


def alarms(session: Session, now: datetime, kit: Kit) -> tuple[Alarm, ...]:
    """What the strip of every till warns of."""
    found = [Alarm(kind, carrier, since) for kind, carrier, since in rows.warnings(session)]
    for standing in rows.everything(session):
        if standing.dry_since is not None:
            found.append(Alarm("dry", standing.carrier, standing.dry_since))
        adapter = kit.carriers.get(standing.carrier)
        if adapter is not None and standing.unasked_since is not None and _is_broken(standing, adapter, now):
            found.append(Alarm("unasked", standing.carrier, standing.unasked_since))
    return tuple(found)


def alarms_now(*, kit: Kit) -> tuple[Alarm, ...]:
    """The same for a page of its own."""
    with reading() as session:
        return alarms(session, kit.now(), kit)


def read_wallet(carrier: str, balances: list[WalletBalance]) -> None:
    """The float was read: once it pays again what it could not pay, selling goes on by itself."""
    with reading() as session:
        standing = rows.look_at(session, carrier)
        wanted = standing.wanted if standing is not None and standing.dry_since is not None else None
    if wanted is not None and any(b.available.currency == wanted.currency and b.available >= wanted for b in balances):
        with transaction() as session:
            rows.for_change(session, carrier).dry_since = None


@retried
def lift(carrier: str, desk: Desk, *, kit: Kit) -> None:
    """A manager knows that the float was filled. Again: nothing changes."""
    now = kit.now()
    with transaction() as session:
        standing = rows.look_at(session, carrier)
        if standing is None or standing.dry_since is None:
            return
        rows.for_change(session, carrier).dry_since = None
        kit.pen(desk, now).note(session, "carrier.lifted", "carrier", carrier, {"stopped": "float"})
