"""The plain values of the reports of a drawer and of its small slips. All text; empty texts are left out on paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from receipts.slips import Origin, Pairs, Shop


@dataclass(frozen=True)
class Counts:
    """How often what happened."""

    first_receipt: str = ""
    last_receipt: str = ""
    sales: str = ""
    customers: str = ""
    voids: str = ""
    refunds: str = ""
    no_sale_openings: str = ""
    reprints: str = ""
    typed_id_checks: str = ""
    failed_pins: str = ""
    approvals: Pairs = ()  # by kind


@dataclass(frozen=True)
class PlanLine:
    """What was sold of one plan."""

    carrier: str
    plan: str
    count: str
    face: str
    commission: str = ""
    fee: str = ""


@dataclass(frozen=True)
class Takings:
    """What was sold, before and after discount, with tax per rate and rounding."""

    gross: str = ""
    discount: str = ""
    net: str = ""
    taxes: Pairs = ()
    rounding: str = ""
    plans: tuple[PlanLine, ...] = ()


@dataclass(frozen=True)
class Fulfilment:
    """What the carriers made of it. ``unknown_age`` is the age of the oldest open one."""

    active: str = ""
    refused: str = ""
    unknown: str = ""
    unknown_age: str = ""
    resolved: str = ""
    withdrawn: str = ""


@dataclass(frozen=True)
class Tender:
    """One way of paying. ``counted`` and ``difference`` are empty until somebody counted."""

    name: str
    expected: str
    counted: str = ""
    difference: str = ""


@dataclass(frozen=True)
class CardBatch:
    """The card terminal's own figures, typed from its slip."""

    terminal: str
    batch: str
    count: str
    total: str


@dataclass(frozen=True)
class Cash:
    """The drawer in one currency."""

    currency: str
    opening_float: str = ""
    sales: str = ""
    refunds: str = ""
    paid_in: str = ""
    paid_out: str = ""
    drops: str = ""
    expected: str = ""
    denominations: Pairs = ()  # ("20.00 x 7", "140.00 GBP")
    counted: str = ""
    difference: str = ""
    reason: str = ""
    left: str = ""
    to_bank: str = ""
    surplus: str = ""  # taken out in sight, and in no book before
    moved_after: str = ""  # between the first count of the close and the last


@dataclass(frozen=True)
class Chain:
    """What ties this report to the one before it."""

    total_since_start: str
    previous_hash: str
    own_hash: str
    journal_head: str


@dataclass(frozen=True)
class Report:
    """An X or a Z. ``origin.number`` is the Z's number; ``blind`` marks a count made without seeing figures."""

    shop: Shop
    origin: Origin
    shift: str
    opened: str
    closed: str = ""
    approver: str = ""
    software: str = ""
    blind: str = ""
    counts: Counts = Counts()
    takings: Takings = Takings()
    fulfilment: Fulfilment = Fulfilment()
    tenders: tuple[Tender, ...] = ()
    cards: tuple[CardBatch, ...] = ()
    open_refunds: Pairs = ()  # receipt and amount of each at the terminal whose result nobody has told
    cash: tuple[Cash, ...] = ()
    corrections: Pairs = ()  # late ones, of receipts before this report
    checks: str = ""  # what our own invariant checks said
    chain: Chain | None = None
    training: bool = False


@dataclass(frozen=True)
class ShiftSlip:
    """What a clerk may keep: counted figures only. It has no field for an expected one, so none can slip in."""

    shop: Shop
    origin: Origin
    shift: str
    opened: str
    closed: str
    counted: Pairs = ()  # per tender
    denominations: Pairs = ()
    left: str = ""
    to_bank: str = ""
    training: bool = False


@dataclass(frozen=True)
class HandoverSlip:
    """A drawer that goes to another person: what both counted, never what was expected."""

    shop: Shop
    origin: Origin
    shift: str
    opened: str
    giver: str
    taker: str
    denominations: Pairs = ()
    counted: str = ""
    training: bool = False


class Movement(StrEnum):
    """Why cash moved without a sale."""

    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    DROP = "drop"
    OPENING_FLOAT = "opening_float"


@dataclass(frozen=True)
class CashMovementSlip:
    """Cash in or out of the drawer, with the reason a book-keeper needs."""

    shop: Shop
    origin: Origin
    movement: Movement
    amount: str
    reason: str
    note: str = ""
    approver: str = ""
    training: bool = False


@dataclass(frozen=True)
class TestPage:
    """What to show about a printer. ``columns`` is 0 for a printer that gets pictures."""

    __test__ = False  # pytest takes a class of this name for a test

    printer: str
    local_time: str
    settings: Pairs = ()
    columns: int = 0
    qr: str = "SIMCOUNTER TEST"
