"""How each protocol reaches the sandbox: what a new adapter adds before the contract tests will run for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pos.carriers import PROTOCOLS
from pos.domain.money import Money
from pos.ports import Carrier, FindState, Outcome, OutcomeState, ProductKind, Reason, Request
from pos.sandbox.airalo_sims import iccid as airalo_iccid
from pos.sandbox.faults import Fault
from pos.sandbox.records import Movement
from pos.sandbox.server import SandboxServer

HASTY = 0.8  # seconds; the deadline where the carrier is made to be late
LATE = 3.0  # seconds a busy machine may add; what is not cut at all takes far longer
REF = "S1-20261008-000123"


class Judge(Protocol):
    """The books behind a door: whatever the shop believes, these are the truth."""

    requests: Counter[str]
    submits_by_ref: Counter[str]
    enforce_unique_refs: bool

    def movements(self) -> list[Movement]: ...

    def debits(self) -> list[Movement]: ...

    def wallets(self) -> dict[str, int]: ...

    def set_wallet(self, currency: str, available_minor: int) -> None: ...

    def move_clock(self, seconds: float) -> object: ...


FAILED, UNKNOWN = OutcomeState.FAILED, OutcomeState.UNKNOWN
REFUSALS: dict[str, tuple[OutcomeState, Reason]] = {
    "refuse": (FAILED, Reason.INELIGIBLE_OR_BARRED),
    "product_unavailable": (FAILED, Reason.PRODUCT_UNAVAILABLE),
    "operator_down": (FAILED, Reason.OPERATOR_DOWN),
    "too_soon": (FAILED, Reason.TOO_SOON),
    "wallet_empty": (FAILED, Reason.WALLET_EMPTY),
    "limit_reached": (FAILED, Reason.LIMIT_REACHED),
    "invalid_number": (FAILED, Reason.INVALID_NUMBER),
    "unknown_code": (FAILED, Reason.REJECTED_OTHER),
}


@dataclass(frozen=True)
class Door:
    """``settings`` makes the configuration table from the sandbox's address; the rest is something it sells.

    ``vendor`` is the key in the sandbox's ``vendors``; without one the books are the TM Forum carrier's. ``refusals``: fault ->
    (state, reason) of the outcome. ``traits`` say what else this protocol can be held to: tokens (a bearer token that can die),
    credentials (``wrong_credentials`` differ from the right ones), unique_refs (a used reference is refused), owns_numbers (it
    knows at the order that a number is a stranger's), rate_limit (a recognised 429), pending, status (unknown status words),
    reversals, echoes (answers repeat number and amount), statement (complete, by reference), remembers_refusals (some of what it
    refuses stays in its books, as refused). ``pause`` is what a 429 tells to wait; None for a vendor that has no place to tell
    it."""

    settings: Callable[[str], dict[str, object]]
    plan: str
    plan_face: Money
    plan_cost: Money
    number: str
    other_number: Callable[[int], str]
    traits: frozenset[str]
    iccid: str = ""
    vendor: str | None = None
    kinds: tuple[ProductKind, ...] = (ProductKind.PLAN,)
    stranger: str = "+33612345678"
    refusals: Mapping[str, tuple[OutcomeState, Reason]] = field(default_factory=lambda: REFUSALS)
    wrong_credentials: Callable[[str], dict[str, object]] = lambda _: {}
    token_door: str = ""
    pause: timedelta | None = timedelta(seconds=2)
    # False: what the customer gets floats with a rate, and the answer names the product instead of its worth.
    tells_face: bool = True
    # False: the price stands in the first answer only.
    find_tells_cost: bool = True

    def request(self, ref: str, kind: ProductKind | None = None, number: str | None = None) -> Request:
        """A plan, or ten of its currency on the SIM."""
        kind = kind or self.kinds[0]
        if kind is ProductKind.TOPUP:
            ten = Money(1000, self.plan_face.currency)
            return Request(ref, "topup", kind, number or self.number, ten, ten)
        return Request(ref, self.plan, kind, number or self.number, self.plan_face, self.plan_cost)

    def books(self, server: SandboxServer) -> Judge:
        return server.carrier.books if self.vendor is None else server.carrier.vendors[self.vendor].books

    def revoke(self, server: SandboxServer) -> None:
        (server.carrier if self.vendor is None else server.carrier.vendors[self.vendor]).tokens.revoke_all()

    def reverse_the_first(self, server: SandboxServer) -> None:
        if self.vendor is None:
            server.carrier.books.reverse(server.carrier.books.orders()[0].id)
        else:
            books = server.carrier.vendors[self.vendor].books
            books.reverse(books.transactions()[0].id)


class EsimDoor(Door):
    """New eSIMs, which have no number before they are sold, beside top-ups of those that were sold."""

    def request(self, ref: str, kind: ProductKind | None = None, number: str | None = None) -> Request:
        if kind is ProductKind.ESIM:
            return Request(ref, "thames-30days-3gb", kind, "", self.plan_face, self.plan_cost)
        return super().request(ref, kind, number)


def _airalo(url: str) -> dict[str, object]:
    return {
        "base_url": f"{url}/airalo/v2",
        "client_id": "demo",
        "client_secret": "demo-secret",
        "currency": "GBP",
        "countries": ["GB", "JP", "ES"],
    }


def _tmforum(url: str) -> dict[str, object]:
    return {
        "base_url": url,
        "auth": _client(url, "demo-secret"),
        "currencies": ["GBP"],
        "enforce_unique_refs": True,
        "kyc_path": "/kyc-match/v0.4",
        "wallet_path": "/wallet",
        "statement_path": "/statement",
    }


def _client(url: str, secret: str, path: str = "/oauth/token") -> dict[str, object]:
    return {"kind": "client_credentials", "token_url": f"{url}{path}", "client_id": "demo", "client_secret": secret}


def _ding(url: str) -> dict[str, object]:
    return {
        "base_url": f"{url}/ding/api/V1",
        "auth": _client(f"{url}/ding/connect", "demo-secret", path="/token"),
        "currency": "GBP",
        "countries": ["FR", "NL"],
    }


# A code of theirs that is in no table decides nothing, and silence of the operator must be confirmed by a record. The limits of
# number and shop are one code with them: nothing was done, and the same order goes again.
_DING_REFUSALS = {
    **REFUSALS,
    "operator_down": (UNKNOWN, Reason.OPERATOR_DOWN),
    "too_soon": (OutcomeState.NOT_SENT, Reason.RATE_LIMITED),
    "limit_reached": (OutcomeState.NOT_SENT, Reason.RATE_LIMITED),
    "unknown_code": (UNKNOWN, Reason.UNKNOWN_STATUS),
}


def _reloadly(url: str) -> dict[str, object]:
    return {
        "base_url": f"{url}/reloadly",
        "token_url": f"{url}/reloadly/oauth/token",
        "client_id": "demo",
        "client_secret": "demo-secret",
        "currency": "GBP",
        "account_country": "GB",
        "countries": ["ES", "US", "GB"],
    }


def _dtone(url: str) -> dict[str, object]:
    return {
        "base_url": f"{url}/dtone/v1",
        "api_key": "demo",
        "api_secret": "demo-secret",
        "currency": "GBP",
        "countries": ["DE"],
        "page_size": 5,
    }


ALL_TRAITS = frozenset(
    {
        "tokens",
        "credentials",
        "unique_refs",
        "owns_numbers",
        "rate_limit",
        "pending",
        "status",
        "reversals",
        "echoes",
        "statement",
    }
)

DOORS: Mapping[str, Door] = {
    "reloadly": Door(
        settings=_reloadly,
        plan="535:10.00",
        plan_face=Money(1150, "EUR"),
        plan_cost=Money(920, "GBP"),
        number="+34600001230",
        other_number=lambda till: f"+34600001{till}20",
        stranger="+34612345678",
        vendor="reloadly",
        # Without unique_refs: two requests at the same moment share one. tests/carriers/test_reloadly.py has what holds.
        traits=ALL_TRAITS - {"unique_refs"},
        # No word of its own for a product that is gone: an amount that the operator no longer takes.
        refusals=REFUSALS | {"product_unavailable": (FAILED, Reason.INVALID_AMOUNT)},
        wrong_credentials=lambda _: {"client_secret": "not this"},
        token_door="POST /oauth/token",
        tells_face=False,
        find_tells_cost=False,
    ),
    "airalo": EsimDoor(
        settings=_airalo,
        vendor="airalo",
        plan="thames-30days-3gb-topup",
        plan_face=Money(900, "GBP"),
        plan_cost=Money(720, "GBP"),
        number=airalo_iccid(1),
        other_number=lambda till: airalo_iccid(11 + till),
        stranger=airalo_iccid(999),
        kinds=(ProductKind.PLAN, ProductKind.ESIM),
        # It has no unique references, and an answer names neither the eSIM nor what we know as its amount.
        traits=ALL_TRAITS - {"unique_refs", "echoes"},
        # It has no word for a pause or for a limit of one eSIM, and only listed codes are final.
        refusals=REFUSALS
        | {
            "too_soon": (FAILED, Reason.REJECTED_OTHER),
            "limit_reached": (FAILED, Reason.REJECTED_OTHER),
            "unknown_code": (UNKNOWN, Reason.UNKNOWN_STATUS),
        },
        wrong_credentials=lambda _: {"client_secret": "not this"},
        token_door="POST /v2/token",
    ),
    "tmforum": Door(
        settings=_tmforum,
        plan="lyca-data-gb-7d",
        plan_face=Money(800, "GBP"),
        plan_cost=Money(736, "GBP"),
        number="+447700900123",
        other_number=lambda till: f"+44770090010{till}",
        iccid="8944100077009001239",
        kinds=(ProductKind.PLAN, ProductKind.TOPUP),
        traits=ALL_TRAITS,
        wrong_credentials=lambda url: {"auth": _client(url, "not this")},
        token_door="POST token",
    ),
    "ding": Door(
        settings=_ding,
        plan="LMFR-B40",
        plan_face=Money(2000, "EUR"),
        plan_cost=Money(1634, "GBP"),
        number="+33639980123",
        other_number=lambda till: f"+3363998010{till}",
        vendor="ding",
        refusals=_DING_REFUSALS,
        # Not unique_refs: their guard was seen to let a reference be paid twice (tests/carriers/test_ding.py).
        traits=ALL_TRAITS - {"unique_refs"},
        wrong_credentials=lambda url: {"auth": _client(f"{url}/ding/connect", "not this", path="/token")},
        token_door="POST /connect/token",
        pause=None,
    ),
    "dtone": Door(
        settings=_dtone,
        vendor="dtone",
        plan="6002",
        plan_face=Money(999, "EUR"),
        plan_cost=Money(800, "GBP"),
        number="+4915550123456",
        other_number=lambda till: f"+491555012345{till}",
        # HTTP Basic has no token. A fixed product's answer tells its price and not its worth: no amount to echo.
        traits=ALL_TRAITS - {"tokens", "echoes"} | {"remembers_refusals"},
        wrong_credentials=lambda _: {"api_secret": "not this"},
    ),
}


def open_carrier(protocol: str, url: str, **settings: object) -> Carrier:
    """The adapter as the application makes it: by its name in the configuration."""
    return PROTOCOLS[protocol]("lyca", DOORS[protocol].settings(url) | settings)


def misbehave(sandbox: SandboxServer, name: str, where: str = "submit", count: int | None = 1) -> None:
    sandbox.carrier.faults.add(Fault(name, where, count))


def debits(door: Door, sandbox: SandboxServer, ref: str = REF) -> list[Movement]:
    return [movement for movement in door.books(sandbox).debits() if movement.ref == ref]


def ask_again(carrier: Carrier, request: Request, outcome: Outcome | None = None) -> Outcome:
    """The look-up finds it; its outcome."""
    provider_ref = outcome.provider_ref if outcome else None
    finding = carrier.find(request.ref, provider_ref, request.number, datetime.now(UTC))
    assert finding.state is FindState.FOUND
    assert finding.outcome is not None
    assert not finding.doubled
    return finding.outcome


def absent(carrier: Carrier, request: Request) -> bool:
    return carrier.find(request.ref, None, request.number, datetime.now(UTC)).state is FindState.ABSENT
