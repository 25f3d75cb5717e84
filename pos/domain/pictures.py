"""What a screen, the API and a receipt may see of a sale: plain frozen values, no rows, nothing to load later.

A full phone number is in here only while clerk and customer confirm the target (``NumberPicture.grouped``); afterwards
services leave it out and only ``masked`` remains."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.print_jobs import JobKind, JobState
from pos.domain.refunds import RefundState
from pos.domain.renewals import RenewalState
from pos.domain.sales import SaleState


class Step(StrEnum):
    """Where the clerk stands with a customer; each is one screen."""

    NUMBER = "number"
    DOCUMENT = "document"
    PLAN = "plan"
    CHECK = "check"
    CARD = "card"
    TENDER_UNKNOWN = "tender_unknown"
    RESULT = "result"
    VOIDED = "voided"


@dataclass(frozen=True)
class BalancePicture:
    """``kind`` money, data, voice or sms; ``text`` ready to read, such as ``3.40 GBP`` or ``2.5 GB``."""

    kind: str
    text: str
    expires_at: datetime | None


@dataclass(frozen=True)
class NumberPicture:
    """``kind`` phone or sim; ``grouped`` None once the sale is over; ``carrier`` as configured, ``operator`` whose SIM it is
    where known; ``state`` a word of ports.SubscriptionState."""

    kind: str
    grouped: str | None = field(repr=False)
    masked: str
    carrier: str
    operator: str | None
    state: str
    plan_name: str | None
    expires_at: datetime | None
    balances: tuple[BalancePicture, ...]
    asked_at: datetime


@dataclass(frozen=True)
class DocumentPicture:
    """Evidence of a check, without the document: ``type`` a word of documents.DocumentType, ``how`` scanned or typed,
    ``carrier_match`` match, no_match or not_available."""

    type: str
    country: str
    last3: str
    how: str
    carrier_match: str
    checked_by: str
    checked_at: datetime


@dataclass(frozen=True)
class RenewalPicture:
    """One line. ``effect`` is extends, starts or replaces; ``reason`` a word of domain.carriers.REASONS when not confirmed.

    ``sent_at`` and ``deadline`` bound the waiting; ``next_asking_at`` says when the carrier is asked again."""

    id: str
    state: RenewalState
    plan_name: str
    line: str
    price: Money
    tax: Money
    valid_days: int | None
    valid_before: datetime | None
    valid_now: datetime | None
    effect: str
    carrier_reference: str | None
    reason: str | None
    sent_at: datetime | None
    deadline: datetime | None
    next_asking_at: datetime | None
    case_number: str | None


@dataclass(frozen=True)
class PaymentPicture:
    tender: Tender
    state: PaymentState
    amount: Money
    tendered: Money | None
    change: Money | None
    scheme: str | None
    last4: str | None
    authorisation: str | None
    slip_number: str | None


@dataclass(frozen=True)
class RefundPicture:
    state: RefundState
    tender: Tender
    amount: Money
    receipt_number: str | None


@dataclass(frozen=True)
class PrintJobPicture:
    """``reason`` paper_out, cover_open, offline, unreachable, no_confirmation, connection_lost or None."""

    id: int
    kind: JobKind
    state: JobState
    reason: str | None
    title: str
    copy_number: int
    created_at: datetime
    sale_id: str | None


@dataclass(frozen=True)
class HappeningPicture:
    """One line of a sale's timeline, from the journal: ``words`` is English and translated at the edge."""

    at: datetime
    actor: str
    words: str


@dataclass(frozen=True)
class SalePicture:
    id: str
    state: SaleState
    step: Step
    store_code: str
    till_code: str
    clerk: str
    language: str
    currency: str
    number: NumberPicture | None
    document: DocumentPicture | None
    renewal: RenewalPicture | None
    total: Money | None
    payments: tuple[PaymentPicture, ...]
    refund: RefundPicture | None
    receipt_number: str | None
    opened_at: datetime
    paid_at: datetime | None
    business_day: date | None
    quote: str | None
    print_jobs: tuple[PrintJobPicture, ...]
    interim_printed: bool

    @property
    def taken(self) -> PaymentPicture | None:
        """The payment that counts, if the sale is paid."""
        return next((p for p in self.payments if p.state is PaymentState.TAKEN), None)

    @property
    def moving(self) -> bool:
        """Whether the next look may show something new by itself."""
        return self.renewal is not None and self.renewal.state in {
            RenewalState.PAID,
            RenewalState.SUBMITTING,
            RenewalState.PENDING,
            RenewalState.UNKNOWN,
        }


@dataclass(frozen=True)
class SaleLine:
    """A sale in a list: masked, without amounts that could be added up to the expected cash."""

    id: str
    receipt_number: str | None
    at: datetime
    masked: str
    plan_name: str
    sale_state: SaleState
    renewal_state: RenewalState | None
    clerk: str


@dataclass(frozen=True)
class ShiftPicture:
    id: int
    number: int
    state: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    z_number: str | None


@dataclass(frozen=True)
class Strip:
    """The status strip: ``carrier`` up, slow or down since ``carrier_since``; ``printer`` ready, near_end, waiting, or none."""

    shift_number: int | None
    carrier: str
    carrier_since: datetime | None
    printer: str
    printer_reason: str | None
    unfinished: int
    paper_questions: int
    books_broken: bool = False
