"""The shop's own money at each carrier: read again and again, held against our own books, and watched for running low."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pos.domain.errors import NotFound
from pos.domain.money import Money
from pos.domain.tills import Desk
from pos.ports import WalletBalance
from pos.services.kit import Kit
from pos.store import floats as rows
from pos.store.db import reading, retried, transaction

# A reading that says nothing new is written down this often, so that people see that somebody still looks.
_AT_LEAST_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class FloatPicture:
    """``unexplained`` is what the wallet moved beyond our books since ``explained_at``: more is a top-up that nobody noted, less
    was taken for something that we did not sell."""

    carrier: str
    available: Money
    held: Money | None
    low_water: Money | None
    is_low: bool
    unexplained: Money
    explained_at: datetime
    read_at: datetime


def note_reading(carrier: str, balances: list[WalletBalance], *, kit: Kit) -> None:
    """What a wallet said just now. Power cut: the next reading comes in seconds."""
    now = kit.now()
    for balance in balances:
        with reading() as session:
            known = rows.look_at(session, carrier, balance.available.currency)
            same = known is not None and known.available_minor == balance.available.minor
            if known is not None and same and now - known.read_at < _AT_LEAST_EVERY:
                continue
        _write(carrier, balance, now)


@retried
def _write(carrier: str, balance: WalletBalance, now: datetime) -> None:
    currency, available = balance.available.currency, balance.available.minor
    with transaction() as session:
        row = rows.for_change(session, carrier, currency)
        if row is None:
            row = rows.Float(carrier=carrier, currency=currency, unexplained_minor=0, explained_at=now)
            session.add(row)
        elif row.read_at > now:
            return
        else:
            row.unexplained_minor += available - row.available_minor - rows.moved(session, carrier, currency, row.read_at, now)
        row.available_minor, row.read_at = available, now
        row.held_minor = balance.held.minor if balance.held is not None else None
        _watch(row, now)


def _watch(row: rows.Float, now: datetime) -> None:
    is_low = row.low_water_minor is not None and row.available_minor < row.low_water_minor
    row.low_since = (row.low_since or now) if is_low else None


def listed() -> list[FloatPicture]:
    with reading() as session:
        return [_picture(row) for row in rows.everything(session)]


def _picture(row: rows.Float) -> FloatPicture:
    return FloatPicture(
        carrier=row.carrier,
        available=row.available,
        held=None if row.held_minor is None else Money(row.held_minor, row.currency),
        low_water=row.low_water,
        is_low=row.low_since is not None,
        unexplained=row.unexplained,
        explained_at=row.explained_at,
        read_at=row.read_at,
    )


@retried
def set_low_water(carrier: str, currency: str, low_water: Money | None, desk: Desk, *, kit: Kit) -> None:
    """Below this every till is warned; selling goes on. Raises NotFound."""
    now = kit.now()
    with transaction() as session:
        row = rows.for_change(session, carrier, currency)
        if row is None:
            raise NotFound
        row.low_water_minor = None if low_water is None else low_water.minor
        _watch(row, now)
        content = {"currency": currency, "low_water": row.low_water_minor or 0}
        kit.pen(desk, now).note(session, "float.low_water", "carrier", carrier, content)


@retried
def explain(carrier: str, currency: str, amount: Money, why: str, desk: Desk, *, kit: Kit) -> None:
    """A manager says what moved the wallet (a top-up, a fee): counting begins anew. ``amount`` is what the page showed; with
    another one nothing changes, because something moved meanwhile. Raises NotFound."""
    now = kit.now()
    with transaction() as session:
        row = rows.for_change(session, carrier, currency)
        if row is None:
            raise NotFound
        if row.unexplained_minor != amount.minor:
            return
        row.unexplained_minor, row.explained_at = 0, now
        content = {"currency": currency, "amount": amount.minor, "why": why[:200]}
        kit.pen(desk, now).note(session, "float.explained", "carrier", carrier, content)
