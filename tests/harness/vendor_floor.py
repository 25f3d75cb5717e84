"""A floor where the carrier is one of the resellers, and a round of the fault matrix with it: that vendor's numbers, plans,
messages and books. The shop is the same; what it sells was read from the vendor's catalogue."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from pos.app import create_app
from pos.carriers import PROTOCOLS
from pos.carriers.wire import Wire
from pos.domain.documents import DocumentType
from pos.domain.tills import Desk
from pos.ports import Capability, Fulfilment, OutcomeState, Product, Request, Subscription, SubscriptionState
from pos.sandbox.airalo_hooks import signature as airalo_signature
from pos.sandbox.airalo_sims import iccid
from pos.sandbox.records import COMPLETED
from pos.sandbox.settings import Settings as SandboxSettings
from pos.sandbox.vendor_books import VendorBooks
from pos.sandbox.vendors import open_all
from pos.services import holds, identity_checks, numbers, sales
from pos.services.sending import Task
from pos.store import plans as plan_rows
from pos.store import tills as till_rows
from pos.store.db import db, transaction
from tests.carriers.doors import DOORS
from tests.conftest import LONDON_NOON, StandingClock, settings_in
from tests.harness.fault_round import OTHER_ECHOES, REFUSALS, End, Profile, Round
from tests.harness.floor import INSIDE, CarrierClock, Floor, Impatient, Inside, _trust, open_floor
from tests.services.shop import Ready

# What stands in every vendor's table here, beside what its door needs.
USUAL = {"settle_window_seconds": 30, "deadline_seconds": 2.0}
# The till's price by what a plan costs us, in pence: few prices, so that another plan may cost the same.
PRICES = ((1_000, 1_200), (3_000, 3_500))
_NEVER_SOLD = {"thames-30days-20gb-topup"}  # the sandbox is always out of it


@dataclass(frozen=True)
class Stall:
    """Whose SIMs are sold for: ``operator`` as the catalogue names it, and an ordinary number of it. ``sign`` makes the headers of
    a vendor's message, ``news`` its body; None for a vendor that never calls. ``untold``: what its answers do not tell, so that
    nobody can see it in them; the statement shows another sum."""

    operator: str
    number: Callable[[random.Random], str]
    news: Callable[[str, str], dict[str, object]] | None = None
    sign: Callable[[bytes, datetime], dict[str, str]] = lambda body, now: {}
    habits: Mapping[str, object] | None = None
    untold: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _sign_reloadly(body: bytes, now: datetime) -> dict[str, str]:
    stamp = str(int(now.timestamp()))
    signed = hmac.new(b"demo-webhook-secret", body + b":" + stamp.encode(), hashlib.sha256).hexdigest()
    return {"X-Reloadly-Signature": signed, "X-Reloadly-Request-Timestamp": stamp}


def _sign_airalo(body: bytes, now: datetime) -> dict[str, str]:
    return {"airalo-signature": airalo_signature(body, "demo-secret")}


STALLS: Mapping[str, Stall] = {
    # No last digits that have a story at these doors.
    "ding": Stall(
        "LMFR",
        lambda r: f"+3363998{r.randrange(10)}{r.randrange(1, 10)}{r.randrange(20, 100)}",
        # A product that they do not list any more may be one of a range, whose key only the amount completes.
        untold={"find": ("wrong_offering",)},
    ),
    "reloadly": Stall(
        "535",
        lambda r: f"+3460000{r.randrange(1000):03d}{r.choice('02468')}",
        lambda ref, state: {"type": state, "data": {"customIdentifier": ref, "transactionId": 77}},
        _sign_reloadly,
        {"webhook_secret": "demo-webhook-secret"},
    ),
    "airalo": Stall(
        "301",
        lambda r: iccid(r.randrange(11, 21)),
        lambda ref, state: {"id": 77, "description": ref, "status": state},
        _sign_airalo,
        # The answer to a top-up names neither the eSIM nor what it cost.
        untold={"submit": ("wrong_echo", "wrong_currency"), "find": ("wrong_echo", "wrong_currency")},
    ),
    "dtone": Stall(
        "1580",
        lambda r: f"+4915550{r.randrange(1000):03d}4{r.randrange(100):02d}",
        lambda ref, state: {"id": 77, "external_id": ref, "status": {"id": 1, "message": state}},
    ),
}


@dataclass(frozen=True)
class VendorProfile(Profile):
    """``asks_ahead``: the counter asks the carrier before the customer pays, as its screens do; a vendor that holds then holds."""

    asks_ahead: bool = True

    @property
    def protocol(self) -> str:
        return self.name.partition("-")[0]


class Telling:
    """The adapter, and a word about numbers from one that only knows whose they are: the counter opens no sale without one."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get_subscription(self, number: str) -> Subscription:
        if Capability.SUBSCRIPTION in self._inner.declaration().capabilities:
            found = self._inner.get_subscription(number)
            assert isinstance(found, Subscription)
            return found
        return Subscription(SubscriptionState.UNTOLD)


def _made(protocol: str, url: str, clock: StandingClock, inside: Inside | None, **habits: Any) -> Any:
    speaker = PROTOCOLS[protocol]
    table = DOORS[protocol].settings(url) | USUAL | dict(STALLS[protocol].habits or {}) | habits
    wire = Wire(protocol, ssl_context=_trust(), transport=inside)
    make: Any = speaker.adapter
    return make(speaker.keys.model_validate(table), protocol, wire=wire, clock=clock.now)


class VendorFloor(Floor):
    """The carrier is the vendor of the profile in play, under its protocol's name."""

    profile = VendorProfile("dtone", resends=True)

    @property
    def books(self) -> VendorBooks:
        found = self.sandbox.carrier.vendors[self.profile.protocol].books
        assert isinstance(found, VendorBooks)
        return found

    @property
    def submits(self) -> list[int]:
        return list(self.books.submits_by_ref.values())

    def reset_carrier(self, switches: Mapping[str, bool] | None) -> None:
        """``switches`` are the vendor's own; unique and atomic change what its books refuse."""
        super().reset_carrier(None)
        carrier = self.sandbox.carrier
        carrier.clock.reset()
        carrier.vendors = open_all(carrier.settings, carrier.clock, None)
        told = dict(switches or {})
        self.books.enforce_unique_refs = told.pop("unique", self.books.enforce_unique_refs)
        self.books.atomic_refs = told.pop("atomic", self.books.atomic_refs)
        carrier.vendors[self.profile.protocol].switches |= told

    def wire_up(self, **habits: Any) -> None:
        self.carrier_name = self.profile.protocol
        super().wire_up(**habits)

    def adapter(self, **habits: Any) -> Any:
        if self.profile.protocol == "reloadly" and "base_url" in habits:
            habits |= {"token_url": f"{habits['base_url']}/oauth/token"}  # a token is for one address of the API
        return Telling(_made(self.profile.protocol, self.sandbox.url, self.clock, self.inside, **habits))

    def forget_tokens(self) -> None:
        self.sandbox.carrier.vendors[self.profile.protocol].tokens.revoke_all()

    def ready(self, desk: Desk, number: str = "", plan: str = "") -> Ready:
        """What goes wrong goes wrong after the customer has paid: faults wait until the vendor was asked ahead."""
        faults = self.sandbox.carrier.faults
        waiting = faults.active()
        faults.clear()
        found = self.quoted(desk, number, plan)
        for fault in waiting:
            faults.add(fault)
        return found

    def quoted(self, desk: Desk, number: str, plan: str) -> Ready:
        """Number, document and plan, with the faults that are on."""
        sale_id = sales.new_id()
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", self.clock.now().date().replace(year=2031))
        kind = "phone" if number.startswith("+") else "sim"
        with self.app.app_context():
            numbers.ask_about(sale_id, number, kind, desk, "en", kit=self.kit)
            identity_checks.verify(sale_id, seen, True, desk, kit=self.kit)
            choose = holds.choose_plan if self.profile.asks_ahead else sales.choose_plan
            choose(sale_id, self.plan_id(plan, desk), desk, kit=self.kit)
            shown = sales.show(sale_id, desk, kit=self.kit)
        assert shown.quote is not None and shown.total is not None
        return Ready(sale_id, shown.quote, shown.total, desk)

    def release_holds(self) -> int:
        with self.app.app_context():
            return holds.release(kit=self.kit)


class VendorRound(Round):
    """A case in play at a vendor. The judge also reads the vendor's wallet, and nothing may be set aside in the end."""

    floor: VendorFloor
    profile: VendorProfile

    def __init__(self, floor: VendorFloor, profile: VendorProfile, seed: int, start: datetime = LONDON_NOON) -> None:
        floor.profile = profile
        self.stall = STALLS[profile.protocol]
        super().__init__(floor, profile, seed, start)

    @property
    def refusals(self) -> tuple[str, ...]:
        told = DOORS[self.profile.protocol].refusals
        return tuple(name for name in REFUSALS if told[name][0] is OutcomeState.FAILED)

    def other_echoes(self, where: str = "submit") -> tuple[str, ...]:
        return tuple(name for name in OTHER_ECHOES if name not in self.stall.untold.get(where, ()))

    def number(self) -> str:
        return self.stall.number(self.random)

    def plan(self) -> str:
        sql = "select product_key from plans where carrier = :c order by product_key"
        return str(self.random.choice(self.floor.ask(sql, c=self.profile.protocol))[0])

    def call(self, state: str, ref: str | None = None, **more: object) -> bytes:
        assert self.stall.news is not None
        named = ref or self.floor.attempts(self.sale_id)[-1].ref
        return json.dumps(self.stall.news(named, state) | more, separators=(",", ":")).encode()

    def headers(self, body: bytes) -> dict[str, str]:
        return super().headers(body) | self.stall.sign(body, self.floor.clock.now())

    def use_up(self, task: Task) -> None:
        """Another order under our reference, through the same door."""
        assert task.request is not None
        number = next(n for n in iter(self.number, "") if n != task.number)
        other: Request = replace(task.request, number=number)
        outcome = self.floor.kit.carriers[task.carrier].submit(other)
        self.expect(outcome.state is OutcomeState.SUCCEEDED, "the stranger's order was not taken")

    def keep_house(self) -> None:
        super().keep_house()
        self.floor.release_holds()

    def keep_house_until_nothing_is_held(self) -> None:
        """An hour at the longest: what nobody confirms is given up, or ends by itself."""
        for _ in range(62):
            self.floor.release_holds()
            if not any(self.floor.books.holding().values()):
                return
            self.floor.pass_time(61)
        self.expect(False, f"{self.floor.books.holding()} is still set aside")

    def judge(self, end: End) -> None:
        super().judge(end)
        sql = "select a.ref, r.cost_minor from attempts a join renewals r on r.id = a.renewal_id"
        costs = {str(ref): int(cost) for ref, cost in self.floor.ask(sql)}
        moved = self.floor.books.movements()
        paid = Counter(movement.ref for movement in moved if movement.state == COMPLETED)
        self.expect(not paid or max(paid.values()) == 1, f"a reference was paid more than once: {dict(paid)}")
        self.expect(set(paid) <= set(costs), "paid for a reference that no attempt has")
        wrong = [m.ref for m in moved if m.ref in costs and m.amount_minor != costs[m.ref]]
        self.expect(not wrong, f"the vendor took another sum than we booked for {wrong}")


@contextmanager
def open_vendor_floor(
    folder: Path, template: Path, *, sockets: bool, settings: SandboxSettings | None = None
) -> Iterator[VendorFloor]:
    """A floor whose price lists hold what the vendors sell."""
    stocked = _stock(folder / "stocked", template)
    with open_floor(folder / "shop", stocked, sockets=sockets, settings=settings, made=VendorFloor) as floor:
        assert isinstance(floor, VendorFloor)
        yield floor


def _stock(folder: Path, template: Path) -> Path:
    """The template with the plans of every vendor for London, as their catalogues tell them."""
    folder.mkdir(parents=True)
    for name in ("shop.sqlite3", "keys.json"):
        shutil.copy(template / name, folder / name)
    clock = StandingClock()
    inside = Inside(Impatient(clock=CarrierClock(clock)))
    app = create_app(settings_in(folder), clock=clock, given={})
    with app.app_context():
        for protocol, stall in STALLS.items():
            listed = _made(protocol, INSIDE, clock, inside).list_products()
            fitting = [p for p in listed if p.sellable and p.operator == stall.operator and p.key not in _NEVER_SOLD]
            with transaction() as session:
                store = till_rows.store_by_code(session, "LON")
                assert store is not None
                # Nothing dearer than a clerk may give back alone.
                cheap = [p for p in fitting if p.fulfilment is Fulfilment.DIRECT and p.cost.minor <= PRICES[-1][0]]
                session.add_all(_plan(store.id, protocol, p) for p in cheap)
        db.session.remove()
        db.engine.dispose()
    structlog.reset_defaults()
    return folder


def _plan(store_id: int, carrier: str, product: Product) -> plan_rows.Plan:
    price = next(price for most, price in PRICES if product.cost.minor <= most)
    return plan_rows.Plan(
        store_id=store_id,
        carrier=carrier,
        product_key=product.key,
        line="other",
        operator=None,
        name=product.name,
        kind=product.kind.value,
        currency="GBP",
        price_minor=price,
        cost_minor=product.cost.minor,
        cost_currency=product.cost.currency,
        face_minor=product.face.minor,
        face_currency=product.face.currency,
        valid_days=product.valid_days,
        imported_at=LONDON_NOON,
        sold=0,
    )
