"""The records of the simulated carrier's books: orders, movements of money, and the ledger that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pos.sandbox.subscribers import Subscriber

OPENING_WALLETS = {"GBP": 500_000, "HKD": 5_000_000}

# Order states, TMF622 v4.0.0 ProductOrderStateType (we use five of its eleven).
ACKNOWLEDGED, IN_PROGRESS, COMPLETED, FAILED, CANCELLED = (
    "acknowledged",
    "inProgress",
    "completed",
    "failed",
    "cancelled",
)


@dataclass(frozen=True)
class Movement:
    """Money that moved: a ``completed`` debit of the wallet, or a ``reversed`` one given back. Only ever added."""

    ref: str
    order_id: str
    number: str
    offering: str
    amount_minor: int
    currency: str
    state: str
    at: datetime


@dataclass
class Order:
    """One request the carrier accepted. ``kind`` plan or topup; ``serial`` is how the client named the line.

    ``ref`` is the client's externalId, empty where this carrier drops it (Switches.topup_external_id)."""

    id: str
    kind: str
    ref: str
    number: str
    serial: str
    offering: str
    action: str
    state: str
    face_minor: int
    cost_minor: int
    currency: str
    created_at: datetime
    due_at: datetime | None = None  # when a waiting order ends
    will: str = COMPLETED  # how it ends then
    seen_at: datetime | None = None  # until then nobody is told of it
    done_due_at: datetime | None = None  # when it is done after all, although it failed
    reverse_due_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None  # the line's new end, once completed
    cancelled_at: datetime | None = None
    failure: str = ""
    description: str = ""


@dataclass(frozen=True)
class Fate:
    """What becomes of an order that was accepted: at once and for good, unless a fault says otherwise. Seconds."""

    wait_seconds: float | None = None
    will: str = COMPLETED
    reverse_after_seconds: float | None = None
    is_unseen: bool = False  # nobody is told of the order while it waits
    done_after_seconds: float | None = None  # after it failed


@dataclass
class Ledger:
    """Everything that is written to the file."""

    opened_at: datetime
    clock_offset_seconds: float = 0.0
    next_id: int = 1
    wallets: dict[str, int] = field(default_factory=lambda: dict(OPENING_WALLETS))
    orders: dict[str, Order] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    subscribers: dict[str, Subscriber] = field(default_factory=dict)  # only those something happened to
