"""What a screen, the API and a receipt may see of a sale: plain frozen values, no rows, nothing to load later.

A full phone number is in here only while clerk and customer confirm the target (``NumberPicture.grouped``); afterwards
services leave it out and only ``masked`` remains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from pos.domain.deliveries import Delivered
from pos.domain.eligibility import Standing, standing
from pos.domain.money import Money
from pos.domain.payments import PaymentState, Tender
from pos.domain.print_jobs import JobKind, JobState
from pos.domain.refunds import OPEN, RefundState
from pos.domain.renewals import URGENCY, RenewalState
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
    """``id`` and ``place`` name it inside its sale, and keep naming it when another one was taken out; ``kind`` phone, sim or
    esim; ``grouped`` None once the sale is over; ``carrier`` as configured, ``operator`` whose SIM it is where known, and
    ``operator_name`` what people call it; ``state`` a word of ports.SubscriptionState."""

    id: str
    place: int
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
    # Until when an ended plan can be renewed; the country that a SIM's number names.
    grace_ends_at: datetime | None = None
    issuer: str | None = None
    operator_name: str | None = None

    def standing(self, now: datetime) -> Standing:
        """Whether the carrier would renew it."""
        return standing(self.state, self.grace_ends_at, now)


@dataclass(frozen=True)
class DocumentPicture:
    """Evidence of a check, without the document: ``type`` a word of documents.DocumentType, or none; ``how`` scanned, typed or
    skipped; ``carrier_match`` and each of ``matches`` (attribute -> answer) match, spelt_otherwise, no_match or not_available;
    ``whose`` own or other; ``agreed_by`` the manager who let through what the store's rules stop."""

    type: str
    country: str
    last3: str
    how: str
    carrier_match: str
    checked_by: str
    checked_at: datetime
    whose: str = "own"
    matches: Mapping[str, str] = field(default_factory=dict)
    agreed_by: str | None = None


@dataclass(frozen=True)
class RefundPicture:
    """The refund of a renewal: ``till_code``, ``clerk`` and ``at`` say where it was begun, or where the money left."""

    state: RefundState
    tender: Tender
    amount: Money
    receipt_number: str | None
    till_code: str = ""
    clerk: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class CodePicture:
    """A voucher's code or an eSIM, without what makes it worth money: whether it is here, and how often it was handed out."""

    kind: Delivered
    arrived: bool
    masked: str
    times_shown: int
    times_printed: int
    first_shown_at: datetime | None
    first_printed_at: datetime | None
    next_asking_at: datetime | None


@dataclass(frozen=True)
class RenewalPicture:
    """One line. ``line_number`` and ``number_id`` name it inside its sale; ``refund`` is its own. ``fulfilment`` is direct, pin
    or esim, ``code`` what came of the latter two.

    ``effect`` is extends, starts, replaces, voucher or new; ``reason`` a word of domain.carriers.REASONS when not confirmed.
    ``sent_at`` and ``deadline`` bound the waiting; ``next_asking_at`` says when the carrier is asked again."""

    id: str
    line_number: int
    number_id: str
    masked: str
    refund: RefundPicture | None
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
    held_until: datetime | None = None  # set aside by the carrier before the payment
    fulfilment: str = "direct"
    code: CodePicture | None = None

    @property
    def moving(self) -> bool:
        """Whether the next look may show something new by itself."""
        return self.state in {RenewalState.PAID, RenewalState.SUBMITTING, RenewalState.PENDING, RenewalState.UNKNOWN}


@dataclass(frozen=True)
class PaymentPicture:
    id: int
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
    """One line of a sale's timeline, from the journal: ``words`` is English and translated at the edge; ``masked`` says of
    which number, where a sale has several."""

    at: datetime
    actor: str
    words: str
    masked: str | None = None


@dataclass(frozen=True)
class SalePicture:
    """One visit. ``numbers`` in the order of saying, ``renewals`` their lines in the same order; before the plans are chosen
    there are more numbers than lines. ``number``, ``renewal`` and ``refund`` are those of the first."""

    id: str
    state: SaleState
    step: Step
    store_code: str
    till_code: str
    clerk: str
    language: str
    currency: str
    numbers: tuple[NumberPicture, ...]
    document: DocumentPicture | None
    renewals: tuple[RenewalPicture, ...]
    total: Money | None
    payments: tuple[PaymentPicture, ...]
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
    def awaits_code(self) -> bool:
        """Whether the carrier is still asked for a code that the customer has paid for."""
        return any(line.code is not None and not line.code.arrived for line in self.renewals)

    @property
    def number(self) -> NumberPicture | None:
        return next(iter(self.numbers), None)

    @property
    def renewal(self) -> RenewalPicture | None:
        return next(iter(self.renewals), None)

    @property
    def foremost(self) -> RenewalPicture | None:
        """The line that wants a person most."""
        return min(self.renewals, key=lambda renewal: URGENCY.index(renewal.state), default=None)

    @property
    def is_family(self) -> bool:
        return len(self.numbers) > 1

    @property
    def active_count(self) -> int:
        return sum(renewal.state is RenewalState.CONFIRMED for renewal in self.renewals)

    @property
    def giving_back(self) -> RenewalPicture | None:
        """The line whose money is on its way back, or the next one that owes any: one refund at a time."""
        for states in ({RenewalState.REFUNDING}, {RenewalState.REJECTED, RenewalState.REVERSED, RenewalState.REFUND_DUE}):
            for renewal in self.renewals:
                if renewal.state in states:
                    return renewal
        return None

    @property
    def refund(self) -> RefundPicture | None:
        line = self.giving_back or self.renewal
        return line.refund if line is not None else None

    @property
    def at_the_terminal(self) -> RefundState | None:
        """The state of a card refund whose result the terminal, or its list, has still to tell."""
        open_refund = self.refund is not None and self.refund.state in OPEN
        return self.refund.state if self.refund is not None and open_refund else None

    @property
    def moving(self) -> bool:
        """Whether the next look may show something new by itself."""
        return any(renewal.moving for renewal in self.renewals)

    def number_of(self, number_id: str) -> NumberPicture | None:
        """The number that a page names; else the first without a plan, else the first."""
        named = next((number for number in self.numbers if number.id == number_id), None)
        return named or self.open_number or self.number

    @property
    def open_number(self) -> NumberPicture | None:
        """The first number that has no plan yet."""
        return next((number for number in self.numbers if self.line_of(number) is None), None)

    def line_of(self, number: NumberPicture) -> RenewalPicture | None:
        """What a number gets in this sale."""
        return next((renewal for renewal in self.renewals if renewal.number_id == number.id), None)

    @property
    def tax(self) -> Money:
        """The tax that is in the total."""
        return sum((renewal.tax for renewal in self.renewals), start=Money(0, self.currency))

    @property
    def owed(self) -> Money | None:
        """What is to be given back now, over all lines."""
        due = [r.price for r in self.renewals if r.state in (RenewalState.REJECTED, RenewalState.REFUND_DUE)]
        return sum(due[1:], start=due[0]) if due else None


@dataclass(frozen=True)
class SaleLine:
    """A sale, or one line of it, in a list: masked, without amounts that could be added up to the expected cash. ``numbers``
    says how many numbers the entry stands for."""

    id: str
    receipt_number: str | None
    at: datetime
    masked: str
    plan_name: str
    sale_state: SaleState
    renewal_state: RenewalState | None
    clerk: str
    numbers: int = 1
    awaits_code: bool = False


@dataclass(frozen=True)
class ShiftPicture:
    id: int
    number: int
    state: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    z_number: str | None
    business_day: date


@dataclass(frozen=True)
class Alarm:
    """Something is wrong between the shop and a carrier: ``kind`` is dry or low (the float), unasked or
    kept_back."""

    kind: str
    carrier: str
    since: datetime


@dataclass(frozen=True)
class VerdictPicture:
    """What somebody proposed, in exactly the words that the second person agrees to."""

    id: int
    says: str
    evidence: str
    reference: str
    provider_ref: str | None
    proposed_by: str
    proposed_at: datetime
    is_mine: bool


@dataclass(frozen=True)
class CasePicture:
    """A renewal that only people can bring further, with all that is known of it."""

    renewal_id: str
    sale: SaleLine
    price: Money
    cost: Money
    carrier: str
    ref: str
    provider_ref: str | None
    sent_at: datetime
    reason: str | None
    conflict: str | None
    conflict_source: str | None
    verdict: VerdictPicture | None


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
    alarms: tuple[Alarm, ...] = ()
    books_broken: bool = False
    codes_awaited: int = 0
    sells_esims: bool = False
    drawer_full: bool = False
    shift_forgotten: bool = False
