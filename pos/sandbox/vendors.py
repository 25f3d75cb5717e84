"""The resellers behind the other doors: each has its own wallet and books, and shares clock and faults with the carrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pos.sandbox import dtone_shelf
from pos.sandbox.callbacks import Callbacks
from pos.sandbox.clock import Clock
from pos.sandbox.settings import Settings
from pos.sandbox.tokens import Tokens
from pos.sandbox.vendor_books import VendorBooks


@dataclass(frozen=True)
class Kind:
    """How one reseller begins. ``wallets``: currency -> minor units. ``unique``: whether it refuses a used reference.

    ``switches`` are the habits a test may change, by names its door knows."""

    wallets: Mapping[str, int]
    first_id: int = 1
    unique: bool = True
    atomic: bool = True  # ...also from two requests at the same moment
    switches: Mapping[str, Any] = field(default_factory=dict)


# One line for each protocol behind ``doors.VENDOR_DOORS``.
KINDS: Mapping[str, Kind] = {
    "ding": Kind(
        {"GBP": 500_000},
        900_000_001,
        unique=False,
        switches={
            "commission_taken_off": True,  # off: it is settled apart, and a sale costs the wallet all of SendValue
            "newest_first": True,
            "most_taken": 100,
            "pin_only_in_text": False,
            "providers_down": (),
            "withdrawn": (),
        },
    ),
    "reloadly": Kind({"GBP": 500_000}, first_id=4_602_843, atomic=False, switches={
        "cool_down_seconds": 120, "slow_seconds": 52.0, "async_seconds": 9, "filter_hours": -4, "match": True,
        "webhook_url": "", "webhook_secret": "demo-webhook-secret", "webhook_nested": False,
    }),
    "airalo": Kind({"GBP": 500_000}, first_id=174, unique=False, switches={"webhook_url": ""}),
    "dtone": Kind({"GBP": 500_000}, first_id=2_231_443_567, switches=dtone_shelf.SWITCHES),
}  # fmt: skip


class Vendor:
    """One reseller: its books, its tokens, its habits and the notifications it sends."""

    def __init__(self, kind: Kind, settings: Settings, clock: Clock, path: Path | None) -> None:
        self.kind = kind
        self.books = VendorBooks(clock, kind.wallets, path, first_id=kind.first_id, unique=kind.unique)
        self.books.atomic_refs = kind.atomic
        self.tokens = Tokens(settings, clock)
        self.switches: dict[str, Any] = dict(kind.switches)
        self.callbacks = Callbacks()


def open_all(settings: Settings, clock: Clock, state: Path | None) -> dict[str, Vendor]:
    """Every reseller, its books in a file beside the carrier's."""
    return {
        name: Vendor(kind, settings, clock, state.with_name(f"{state.stem}.{name}.json") if state else None)
        for name, kind in KINDS.items()
    }
