"""Tills and the people at them: who speaks, from where, and in which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pos.domain.permissions import Role


@dataclass(frozen=True)
class Store:
    """One shop as receipts and rules need it. ``tax_basis_points`` 2000 is 20 %; ``day_starts`` when the business day begins;
    ``refund_limit_minor`` what a clerk may give back of one sale, ``price_ceiling_minor`` above which a plan waits for the
    owner's own price; ``movement_limit_minor`` what a clerk may move into or out of the drawer at once, ``drawer_limit_minor``
    above which money should go to the safe, ``difference_limit_minor`` above which a manager approves a close; None any sum."""

    id: int
    code: str
    name: str
    legal_name: str
    address: tuple[str, ...]
    tax_label: str
    tax_number: str
    country: str
    currency: str
    zone: str
    day_starts: timedelta
    tax_name: str
    tax_basis_points: int
    support: tuple[str, ...]
    hours: str
    footer: tuple[str, ...]
    drawer_tolerance_minor: int
    refund_limit_minor: int | None = None
    price_ceiling_minor: int | None = None
    second_language: str = ""
    legal_lines: tuple[str, ...] | None = None
    movement_limit_minor: int | None = None
    drawer_limit_minor: int | None = None
    difference_limit_minor: int | None = None

    def local(self, moment: datetime) -> datetime:
        """The moment on the shop's own clock."""
        return moment.astimezone(ZoneInfo(self.zone))

    def business_day(self, moment: datetime) -> date:
        """The day a moment belongs to: it changes at ``day_starts``, not at midnight."""
        return business_day(moment, self.zone, self.day_starts)


@dataclass(frozen=True)
class Till:
    id: int
    code: str
    name: str
    surface: str
    printer_id: int | None


@dataclass(frozen=True)
class Staff:
    """A person; ``store_id`` None is at home in every store (owner, auditor). ``pin_is_given``: somebody else knows the PIN."""

    id: int
    number: str
    name: str
    role: Role
    store_id: int | None
    language: str
    pin_is_given: bool = False


@dataclass(frozen=True)
class Desk:
    """Who stands where: the person, the till and the store that every verb at the counter is done with."""

    store: Store
    till: Till
    staff: Staff

    @property
    def actor(self) -> str:
        """As the journal names people: a number, never a name."""
        return f"staff:{self.staff.number}"

    @property
    def chain(self) -> str:
        """The journal chain of this till."""
        return chain_of_till(self.till.code)


def chain_of_till(code: str) -> str:
    return f"till:{code}"


def chain_of_office(store_code: str) -> str:
    return f"office:{store_code}"


def business_day(moment: datetime, zone: str, day_starts: timedelta) -> date:
    """The business day of a moment: the local wall clock moved back by the cut, so days of 23 and 25 hours keep their cut."""
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return (local - day_starts).date()
