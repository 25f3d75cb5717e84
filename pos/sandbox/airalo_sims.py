"""The eSIMs that were bought at the simulated reseller, each with its packages: a few from the first morning, and every one
it has sold since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pos.sandbox.airalo_catalogue import PACKAGES, Package
from pos.sandbox.records import COMPLETED
from pos.sandbox.vendor_books import Transaction, VendorBooks

SMDP = "smdp.esim.example"
# What /sims/{iccid}/usage says when nothing was topped up since.
NOT_ACTIVE, ACTIVE, FINISHED, EXPIRED, RECYCLED = "NOT_ACTIVE", "ACTIVE", "FINISHED", "EXPIRED", "RECYCLED"


def iccid(number: int) -> str:
    """ITU-T E.118: 89, country 44, issuer 50, twelve digits of account and the Luhn digit; 19 digits."""
    head = f"894450{number:012d}"
    total = 0
    for place, digit in enumerate(reversed(head)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return head + str(-total % 10)


@dataclass(frozen=True)
class Story:
    """How an eSIM stands on the first morning: its package, what is left of it, and the days since it was activated."""

    package: str
    status: str
    left_megabytes: int
    activated_days_ago: int | None = None


# The account part of the ICCID -> its story. From 11 on all are alike, for tests that want many.
STORIES: dict[int, Story] = {
    1: Story("thames-30days-3gb", ACTIVE, 767, 21),
    2: Story("thames-30days-3gb", FINISHED, 0, 12),
    3: Story("eurolink-30days-10gb", EXPIRED, 4096, 45),
    4: Story("thames-7days-1gb", RECYCLED, 0, 400),
    5: Story("globe-15days-2gb", ACTIVE, 900, 3),  # its operator takes no top-ups: code 23
    6: Story("sakura-30days-5gb", NOT_ACTIVE, 5120),
    7: Story("sakura-10days-unlimited", ACTIVE, 0, 2),
} | {number: Story("thames-30days-3gb", ACTIVE, 1500, 10) for number in range(11, 21)}
_STORIES = {iccid(number): story for number, story in STORIES.items()}


@dataclass(frozen=True)
class OnSim:
    """One package of an eSIM; moments in UTC, None until it is activated."""

    id: int
    package: Package
    status: str
    left_megabytes: int
    activated_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Sim:
    id: int
    iccid: str
    matching_id: str
    created_at: datetime
    packages: tuple[OnSim, ...]  # the newest first

    @property
    def now(self) -> OnSim:
        return self.packages[0]

    @property
    def lpa(self) -> str:
        return f"LPA:1${SMDP}${self.matching_id}"


def sim_of(serial: str, books: VendorBooks) -> Sim | None:
    """The eSIM with this ICCID, None when it was not bought here."""
    first = _first_package(serial, books)
    if first is None:
        return None
    made, created_at = first
    added = [_topped_up(t) for t in books.transactions() if _is_done(t) and t.number == serial]
    number = int(serial[6:18])
    return Sim(number, serial, f"M{number:012d}", created_at, (*reversed(added), made))


def sims_of(books: VendorBooks) -> list[Sim]:
    sold = [iccid(t.id) for t in books.transactions() if _is_done(t) and not t.number]
    return [sim for serial in (*_STORIES, *sold) if (sim := sim_of(serial, books))]


def _first_package(serial: str, books: VendorBooks) -> tuple[OnSim, datetime] | None:
    now = books.clock.now()
    if story := _STORIES.get(serial):
        package, days = PACKAGES[story.package], story.activated_days_ago
        at = None if days is None else (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        ends_at = at + timedelta(days=package.days) if at else None
        number = int(serial[6:18])
        return OnSim(number, package, story.status, story.left_megabytes, at, ends_at), at or now
    for sold in books.transactions():
        if _is_done(sold) and not sold.number and iccid(sold.id) == serial:
            package = PACKAGES[sold.product]
            return OnSim(sold.id, package, NOT_ACTIVE, package.megabytes, None, None), sold.created_at
    return None


def _is_done(transaction: Transaction) -> bool:
    return transaction.state == COMPLETED


def _topped_up(sold: Transaction) -> OnSim:
    """A top-up begins at once, here."""
    package, at = PACKAGES[sold.product], sold.completed_at or sold.created_at
    return OnSim(sold.id, package, ACTIVE, package.megabytes, at, at + timedelta(days=package.days))
