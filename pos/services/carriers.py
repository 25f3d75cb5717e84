"""How every carrier stands with the shop, for the people who keep it running; and a check of one from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pos.domain.carriers import REASONS
from pos.domain.pictures import Alarm
from pos.domain.renewals import IN_DOUBT
from pos.domain.tills import Desk
from pos.ports import Capability, Carrier, CarrierUnavailable, FindState, Request
from pos.services import floats, standings, status
from pos.services.floats import FloatPicture
from pos.services.kit import Kit
from pos.services.sending import new_ref
from pos.store import plans as plan_rows
from pos.store import renewals as renewal_rows
from pos.store.db import reading

_CLOCKS_MAY_DIFFER = timedelta(seconds=60)
_MANY = 100_000


@dataclass(frozen=True)
class CataloguePicture:
    store: str
    read_at: datetime
    on_sale: int


@dataclass(frozen=True)
class CarrierPicture:
    """``alarms`` is empty while selling goes on without a word; ``in_doubt`` counts paid renewals that are not decided."""

    name: str
    capabilities: tuple[str, ...]
    alarms: tuple[Alarm, ...]
    last_success_at: datetime | None
    in_doubt: int
    oldest_doubt_at: datetime | None
    floats: tuple[FloatPicture, ...]
    catalogues: tuple[CataloguePicture, ...]


def listed(desk: Desk, *, kit: Kit) -> list[CarrierPicture]:
    """Every configured carrier. What is in doubt is that of the desk's store."""
    found = floats.listed()
    with reading() as session:
        alarms = standings.alarms(session, kit.now(), kit)
        catalogues = plan_rows.catalogues(session)
        doubts = [renewal for renewal, _ in renewal_rows.unfinished(session, desk.store.id, IN_DOUBT)]
        return [
            CarrierPicture(
                name=name,
                capabilities=tuple(sorted(carrier.declaration().capabilities)),
                alarms=tuple(alarm for alarm in alarms if alarm.carrier == name),
                last_success_at=renewal_rows.last_success_at(session, name),
                in_doubt=sum(renewal.carrier == name for renewal in doubts),
                oldest_doubt_at=min((r.paid_at for r in doubts if r.carrier == name and r.paid_at), default=None),
                floats=tuple(one for one in found if one.carrier == name),
                catalogues=tuple(CataloguePicture(code, at, count) for code, its, at, count in catalogues if its == name),
            )
            for name, carrier in kit.carriers.items()
        ]


def ask_now(*, kit: Kit) -> None:
    """Read every wallet at once instead of in some seconds."""
    status.ask_carriers(kit=kit)


# ------------------------------------------------------------------ a check from end to end


@dataclass(frozen=True)
class Step:
    """``is_right`` None: this carrier does not offer it. ``told`` is for people and holds no secret."""

    name: str
    is_right: bool | None
    told: str
    milliseconds: int


def check(name: str, number: str | None, plan: str | None, *, kit: Kit) -> Iterator[Step]:
    """Everything that can be tried without ordering anything. With ``number`` and ``plan`` the carrier is also asked whether it
    would sell that. Raises KeyError for a carrier that is not configured."""
    carrier = kit.carriers[name]
    offers = carrier.declaration().capabilities
    yield _try("credentials and wallet", Capability.WALLET in offers, lambda: _wallet(carrier))
    yield _try("look-up by reference", True, lambda: _look_up(carrier, number or "", kit))
    yield _try("clock", True, lambda: _clock(carrier))
    yield _try("catalogue", True, lambda: _catalogue(carrier))
    if number is not None:
        yield _try("number", Capability.LOOKUP_NUMBER in offers, lambda: _number(carrier, number))
    if number is not None and plan is not None:
        yield _try("would it sell", Capability.VALIDATE in offers, lambda: _validate(carrier, number, plan))


def _try(name: str, is_offered: bool, ask: Callable[[], tuple[bool, str]]) -> Step:
    if not is_offered:
        return Step(name, None, "not offered by this carrier", 0)
    began = time.monotonic()
    try:
        is_right, told = ask()
    except CarrierUnavailable as fault:
        is_right, told = False, str(fault)
    return Step(name, is_right, told, int((time.monotonic() - began) * 1000))


def _wallet(carrier: Carrier) -> tuple[bool, str]:
    found = carrier.wallet()
    return bool(found), ", ".join(str(balance.available) for balance in found) or "no wallet in the configured currency"


def _look_up(carrier: Carrier, number: str, kit: Kit) -> tuple[bool, str]:
    """A reference that nobody ever sent must be absent: on that answer every order in doubt hangs."""
    state = carrier.find(new_ref(), None, number, kit.now()).state
    words = {
        FindState.ABSENT: "a reference that was never sent is absent, as it must be",
        FindState.FOUND: "it claims to know a reference that was never sent",
        FindState.CANNOT_TELL: "it cannot tell: orders in doubt could not be decided",
    }
    return state is FindState.ABSENT, words[state]


def _clock(carrier: Carrier) -> tuple[bool, str]:
    ahead = carrier.clock_ahead()
    if ahead is None:
        return True, "the carrier does not tell its time"
    seconds = int(ahead.total_seconds())
    return abs(ahead) <= _CLOCKS_MAY_DIFFER, f"the carrier's clock is {abs(seconds)} s {'ahead' if seconds >= 0 else 'behind'}"


def _catalogue(carrier: Carrier) -> tuple[bool, str]:
    sellable = total = 0
    for product in carrier.list_products():
        total += 1
        sellable += product.sellable
        if total >= _MANY:
            break
    return sellable > 0, f"{total} plans, {sellable} of them can be sold here"


def _number(carrier: Carrier, number: str) -> tuple[bool, str]:
    found = carrier.lookup_number(number)
    return True, ", ".join(f"{one.name} ({one.key}, {one.country})" for one in found) or "not a number of this carrier"


def _validate(carrier: Carrier, number: str, plan: str) -> tuple[bool, str]:
    product = next((one for one in carrier.list_products() if one.key == plan), None)
    if product is None:
        return False, "the catalogue has no such plan"
    refusal = carrier.validate(Request(new_ref(), product.key, product.kind, number, product.face, product.cost))
    return refusal is None, "yes" if refusal is None else REASONS[refusal.value]
