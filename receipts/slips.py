"""The plain values of a customer's slips. Everything is text for the customer already: amounts such as "20.00 GBP",
times with their zone, numbers masked. Nothing here is calculated, so paper cannot disagree with the books."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from receipts.blocks import Slot

Pairs = tuple[tuple[str, str], ...]
"""(label, value) rows whose labels the caller has put into the customer's language."""


@dataclass(frozen=True)
class Shop:
    """Who issues the slip. Empty texts and tuples are left out on paper."""

    name: str
    legal_name: str = ""
    address: tuple[str, ...] = ()
    tax_number: tuple[str, str] | None = None  # label and number, such as ("VAT no.", "GB 123 4567 89")
    support: tuple[str, ...] = ()
    opening_hours: str = ""
    footer: tuple[str, ...] = ()
    legal: tuple[str, ...] = ()  # what the law of the place wants said
    logo: str = ""  # its name in receipts.logos


@dataclass(frozen=True)
class Origin:
    """Where and when. ``local_time`` carries its zone; ``number`` is empty on slips that have none."""

    number: str
    local_time: str
    business_day: str
    till: str
    clerk: str


@dataclass(frozen=True)
class Line:
    """One renewal. ``number_masked`` is the phone number as the shop shows it; ``state_words`` what became of it."""

    number_masked: str
    carrier: str
    plan: str
    amount: str
    valid_before: str | None = None
    valid_now: str | None = None
    carrier_reference: str | None = None
    state_words: str = ""
    notes: Pairs = ()  # how to check the balance, APN, voucher PIN
    qr: str | None = None  # an eSIM activation code
    slot: Slot | None = None  # where the code of a voucher or an eSIM comes


class SaleState(StrEnum):
    """What the title of a sale's receipt says."""

    ACTIVATED = "activated"
    BEING_CONFIRMED = "being_confirmed"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    MIXED = "mixed"  # of several lines not all share one state; each says its own


@dataclass(frozen=True)
class SaleSlip:
    """The receipt of one sale. ``answer_by`` says how and by when the customer hears, while the outcome is open; ``owed`` is
    what will be paid back where only some lines were refused."""

    shop: Shop
    origin: Origin
    state: SaleState
    lines: tuple[Line, ...]
    total: str
    taxes: Pairs = ()
    payments: Pairs = ()  # ("Cash", "20.00 GBP"), ("Change", ...) or ("VISA **** 4242", ...), ("Auth", ...)
    case_number: str | None = None
    answer_by: str = ""
    owed: str = ""
    issued: bool = False  # nothing was renewed: the customer gets codes or eSIMs
    follows: bool = False  # some of them are still to come
    qr: str | None = None
    training: bool = False


@dataclass(frozen=True)
class ConfirmationSlip:
    """What the carrier said later about a line that was printed as open. ``refused`` when it will not do it, ``withdrawn``
    when it took it back."""

    shop: Shop
    origin: Origin
    original_number: str
    lines: tuple[Line, ...]
    case_number: str | None = None
    withdrawn: bool = False
    refused: bool = False
    issued: bool = False
    what_next: str = ""
    qr: str | None = None
    training: bool = False


@dataclass(frozen=True)
class RefundSlip:
    """Money given back. ``total`` is negative, as in "-20.00 GBP"."""

    shop: Shop
    origin: Origin
    original_number: str
    reason: str
    total: str
    lines: tuple[Line, ...] = ()
    taxes: Pairs = ()
    payments: Pairs = ()
    approver: str = ""
    case_number: str | None = None
    qr: str | None = None
    training: bool = False
