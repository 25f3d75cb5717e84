"""Whose reports a person may see, and which moments belong to some business days of a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pos.domain.errors import NotAllowed, NotFound
from pos.domain.money import Money
from pos.domain.permissions import Permission, Role, may
from pos.domain.tills import Desk, Staff, Store
from pos.services.kit import Kit
from pos.services.print_jobs import local_time
from pos.services.words import say_in
from pos.store import tills as till_rows
from pos.store.db import reading
from receipts.parts import Say
from receipts.sheets import Amount

# These see every store; a manager sees the one he stands in.
_EVERYWHERE = frozenset({Role.OWNER, Role.AUDITOR})
# A clock that is put back or forward moves a cut by less than this.
_SPARE = timedelta(hours=3)


@dataclass(frozen=True)
class Scope:
    """One report's questions: of which store, which business days, in which language, made when and by whom."""

    store: Store
    days: tuple[date, date]
    language: str
    now: datetime
    by: str = ""

    @property
    def say(self) -> Say:
        return say_in(self.language)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Wide enough for the days whatever the clocks did; the business day itself decides what belongs."""
        return _begins(self.store, self.days[0]) - _SPARE, _begins(self.store, self.days[1] + timedelta(days=1)) + _SPARE

    @property
    def made(self) -> str:
        return f"{self.local(self.now)} {self.by}".strip()

    def local(self, moment: datetime) -> str:
        return local_time(self.store.local(moment))

    def amount(self, minor: int, currency: str = "") -> Amount:
        return exact(Money(minor, currency or self.store.currency))


def exact(money: Money) -> Amount:
    return Amount(money.plain(), f"{money.grouped()} {money.currency}", money.currency)


def _begins(store: Store, day: date) -> datetime:
    return (datetime.combine(day, time()) + store.day_starts).replace(tzinfo=ZoneInfo(store.zone)).astimezone(UTC)


def stores_for(staff: Staff, here: Store) -> list[Store]:
    """Whose figures a person may see, the own store first."""
    if staff.role not in _EVERYWHERE:
        return [here]
    with reading() as session:
        others = [store.plain() for store in till_rows.all_stores(session) if store.id != here.id]
    return [here, *others]


def scope_of(code: str, first: date | None, last: date | None, desk: Desk, *, kit: Kit, language: str = "") -> Scope:
    """The question of a person at a till. ``code`` empty is the store of the till; without days it is the running one.
    Raises NotAllowed, NotFound for a store that is not for this person's eyes."""
    if not (may(desk.staff.role, Permission.REPORTS) and may(desk.staff.role, Permission.SEE_EXPECTED_CASH)):
        raise NotAllowed
    found = [store for store in stores_for(desk.staff, desk.store) if code in ("", store.code)]
    if not found:
        raise NotFound
    return of_store(found[0], first, last, kit=kit, language=language or desk.staff.language, by=desk.staff.number)


def of_store(store: Store, first: date | None, last: date | None, *, kit: Kit, language: str = "en", by: str = "") -> Scope:
    """The same for the command line."""
    running = store.business_day(kit.now())
    begin = first or last or running
    return Scope(store, (begin, max(begin, last or begin)), language, kit.now(), by)


def store_called(code: str | None) -> Store:
    """The store of that code; without one, the only store there is. Raises NotFound."""
    with reading() as session:
        stores = [store.plain() for store in till_rows.all_stores(session)]
    found = [store for store in stores if code in (None, store.code)]
    if not found or (code is None and len(found) > 1):
        raise NotFound
    return found[0]
