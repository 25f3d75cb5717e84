"""How each protocol reaches the sandbox carrier: what a new adapter adds before the contract tests will run for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pos.carriers import PROTOCOLS
from pos.domain.money import Money
from pos.ports import Carrier, ProductKind, Request


@dataclass(frozen=True)
class Door:
    """``settings`` makes the configuration table from the sandbox's address; the rest is something it sells."""

    settings: Callable[[str], dict[str, object]]
    plan: str
    plan_face: Money
    plan_cost: Money
    number: str
    iccid: str

    def request(self, ref: str, kind: ProductKind = ProductKind.PLAN, number: str | None = None) -> Request:
        """A plan, or ten pounds on the SIM."""
        if kind is ProductKind.TOPUP:
            ten = Money(1000, self.plan_face.currency)
            return Request(ref, "topup", kind, number or self.number, ten, ten)
        return Request(ref, self.plan, kind, number or self.number, self.plan_face, self.plan_cost)


def _tmforum(url: str) -> dict[str, object]:
    return {
        "base_url": url,
        "auth": {
            "kind": "client_credentials",
            "token_url": f"{url}/oauth/token",
            "client_id": "demo",
            "client_secret": "demo-secret",
        },
        "currencies": ["GBP"],
        "enforce_unique_refs": True,
        "kyc_path": "/kyc-match/v0.4",
        "wallet_path": "/wallet",
        "statement_path": "/statement",
    }


DOORS: Mapping[str, Door] = {
    "tmforum": Door(
        settings=_tmforum,
        plan="lyca-data-gb-7d",
        plan_face=Money(800, "GBP"),
        plan_cost=Money(736, "GBP"),
        number="+447700900123",
        iccid="8944100077009001239",
    ),
}


def open_carrier(protocol: str, url: str, **settings: object) -> Carrier:
    """The adapter as the application makes it: by its name in the configuration."""
    return PROTOCOLS[protocol]("lyca", DOORS[protocol].settings(url) | settings)
