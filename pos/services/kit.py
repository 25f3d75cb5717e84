"""What every verb needs from outside, handed on by whoever calls it: the clock, the keys, the carriers, the
rules of checks and the worker's bell."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pos.domain.identity_rules import Rulebook
from pos.domain.settlement_files import Profile
from pos.domain.tills import Desk, Store, Till, chain_of_office, chain_of_till
from pos.ports import Carrier, Clock
from pos.store.keys import KeyRing
from pos.store.life import Pen
from pos.store.reserve import Reserve


@dataclass(frozen=True)
class Kit:
    """``bell`` is rung after a commit that gives the worker something to do; nobody waits for it to be heard."""

    clock: Clock
    keys: KeyRing = field(repr=False)
    carriers: Mapping[str, Carrier]
    rulebook: Rulebook = field(default_factory=Rulebook)
    # Where customers reach the page that checks receipts; empty where there is none.
    public_url: str = ""
    # The shop's logo by its name in receipts.logos; empty where there is none.
    logo: str = ""
    # How each acquirer, bank and carrier writes the files that people bring.
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    # Room on the disk for finishing what was begun; None where the database is not a file.
    reserve: Reserve | None = None
    bell: threading.Event = field(default_factory=threading.Event, repr=False)

    def sells(self) -> bool:
        """Whether the disk has room for new sales. Asked before a transaction, because it looks at a file."""
        return self.reserve is None or not self.reserve.is_spent

    def now(self) -> datetime:
        return self.clock.now()

    def pen(self, desk: Desk, at: datetime) -> Pen:
        """The pen of the person at a till."""
        return Pen(self.keys, desk.chain, desk.actor, at, desk.store.business_day(at))

    def worker_pen(self, store: Store, till: Till, at: datetime) -> Pen:
        """The pen of the worker: a carrier's answer goes into the chain of the till that sold."""
        return Pen(self.keys, chain_of_till(till.code), "worker", at, store.business_day(at))

    def office_pen(self, store_code: str, actor: str, at: datetime, day: date) -> Pen:
        """The pen for what has no till."""
        return Pen(self.keys, chain_of_office(store_code), actor, at, day)
