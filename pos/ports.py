"""What lies outside the process, as the services wish to see it: carriers, printers and the clock.

The carrier port follows the rules written in docs/carriers.md: outcomes and reasons are closed lists, *no answer* is an
answer, and no adapter ever sends the same request a second time on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pos.domain.money import Money


class Capability(StrEnum):
    """What an adapter can be asked; asking for more raises NotImplementedError (a fault of ours, never of the clerk)."""

    LOOKUP_NUMBER = "lookup_number"
    SUBSCRIPTION = "subscription"
    VALIDATE = "validate"
    HOLD = "hold"
    VOID = "void"
    FIND_BY_REF = "find_by_ref"
    STATEMENT = "statement"
    WEBHOOK = "webhook"
    REFUND_REQUEST = "refund_request"
    IDENTITY_MATCH = "identity_match"
    WALLET = "wallet"


class OutcomeState(StrEnum):
    """What a carrier's answer means. UNKNOWN is not failure: somebody has to ask again."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    HELD = "held"
    FAILED = "failed"
    REVERSED = "reversed"
    VOIDED = "voided"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"  # the connection was never made, or a recognised 429: the same attempt may go again


class Reason(StrEnum):
    """Why not, as a closed list with one sentence for staff each (pos.domain.carriers)."""

    INVALID_NUMBER = "invalid_number"
    WRONG_OPERATOR = "wrong_operator"
    INELIGIBLE_OR_BARRED = "ineligible_or_barred"
    INVALID_AMOUNT = "invalid_amount"
    PRODUCT_UNAVAILABLE = "product_unavailable"
    OPERATOR_DOWN = "operator_down"
    TOO_SOON = "too_soon"
    LIMIT_REACHED = "limit_reached"
    WALLET_EMPTY = "wallet_empty"
    AUTH = "auth"
    CERTIFICATE = "certificate"  # the far end could not prove who it is: nothing was sent
    RATE_LIMITED = "rate_limited"
    DUPLICATE_REF = "duplicate_ref"
    NOT_RECEIVED = "not_received"
    REJECTED_OTHER = "rejected_other"
    # Reasons of "unknown", for the log and the manager's list:
    NO_ANSWER = "no_answer"
    BROKEN_ANSWER = "broken_answer"
    UNKNOWN_STATUS = "unknown_status"
    UNREACHABLE = "unreachable"


class Fulfilment(StrEnum):
    """How a product reaches the customer: onto the SIM, as a code to type in, or as a new eSIM to scan."""

    DIRECT = "direct"
    PIN = "pin"
    ESIM = "esim"


@dataclass(frozen=True)
class Voucher:
    """A code that is worth money. Its text must not reach a log: ``repr`` hides it. ``instructions`` are for the paper, word by
    word, and may hold the code again: as secret as the code."""

    code: str = field(repr=False)
    serial: str | None = None
    # Some carriers write the code into them once more.
    instructions: str = field(default="", repr=False)
    validity: str | None = None


@dataclass(frozen=True)
class EsimProfile:
    """An eSIM as delivered; the activation code (LPA string) is bearer value. Both are hidden in ``repr``."""

    iccid: str | None = field(repr=False)
    lpa: str = field(repr=False)


@dataclass(frozen=True)
class Echo:
    """What the carrier says it did, to be compared with what we asked; None where the answer does not tell."""

    number: str | None = None
    product_key: str | None = None
    amount: Money | None = None


@dataclass(frozen=True)
class Outcome:
    """One answer about one request.

    ``provider_ref`` the carrier's id; ``valid_until`` UTC, the new expiry where told; ``cost`` what our wallet was charged;
    ``raw_code`` the carrier's own code for the journal (never free text); ``retry_after`` after a recognised 429;
    ``held_until`` UTC, when a hold ends by itself."""

    state: OutcomeState
    provider_ref: str | None = None
    operator_ref: str | None = None
    cost: Money | None = None
    fulfilment: Voucher | EsimProfile | None = None
    valid_until: datetime | None = None
    echo: Echo | None = None
    reason: Reason | None = None
    raw_code: str | None = None
    retry_after: timedelta | None = None
    held_until: datetime | None = None


class FindState(StrEnum):
    FOUND = "found"
    ABSENT = "absent"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Finding:
    """What a look-up by our reference said. FOUND carries the outcome; more than one delivered match is ``doubled``."""

    state: FindState
    outcome: Outcome | None = None
    doubled: bool = False


@dataclass(frozen=True)
class OperatorCandidate:
    key: str
    name: str
    country: str  # ISO 3166 alpha-2
    confident: bool


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    BARRED = "barred"
    UNTOLD = "untold"  # sold for by this carrier, which does not tell what is on it
    NOT_FOUND = "not_found"  # the number is not this carrier's
    UNAVAILABLE = "unavailable"  # the carrier did not answer; a sale may go on without it


@dataclass(frozen=True)
class Balance:
    """Something left on the SIM: ``kind`` is money, data, voice or sms; ``amount`` in ``unit`` as the carrier writes it."""

    kind: str
    amount: str
    unit: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Subscription:
    """What is on a SIM and until when. Moments in UTC. ``operator`` as in ``Product.operator``, where the carrier serves
    several."""

    state: SubscriptionState
    operator: str | None = None
    operator_name: str | None = None  # for people
    plan_key: str | None = None
    plan_name: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    grace_ends_at: datetime | None = None
    balances: tuple[Balance, ...] = ()
    as_of: datetime | None = None


class ProductKind(StrEnum):
    PLAN = "plan"
    TOPUP = "topup"  # money on the SIM
    DATA = "data"  # data beside the plan
    PIN = "pin"  # a voucher, whatever it buys
    ESIM = "esim"  # a new eSIM; it has no number before it is sold


@dataclass(frozen=True)
class Product:
    """One thing the carrier sells us. ``cost`` is what our wallet pays, ``face`` what it is worth to the customer, in the
    currency of where it is used. A product with a range of amounts is offered as several, each with its amount in ``key``.
    ``redeem`` is how a code is used, in the carrier's words."""

    key: str
    name: str
    kind: ProductKind
    fulfilment: Fulfilment
    cost: Money
    face: Money
    valid_days: int | None
    data_megabytes: int | None = None  # -1 is unlimited
    minutes: int | None = None
    texts: int | None = None
    line: str | None = None  # the carrier's own category of the product
    operator: str | None = None  # whose SIMs it fits, where one carrier serves several operators
    sellable: bool = True
    country: str | None = None  # ISO 3166 alpha-2, where the carrier serves several
    redeem: str | None = None


class MatchAnswer(StrEnum):
    MATCH = "match"
    # The same name once both are written as the lines of a document have it: JUERGEN for Jürgen.
    SPELT_OTHERWISE = "spelt_otherwise"
    NO_MATCH = "no_match"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True)
class IdentityClaim:
    """What the customer's document says, for the one moment of the comparison; never stored, hidden in ``repr``."""

    document_number: str = field(repr=False)
    document_type: str = "passport"
    name: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class StatementLine:
    """One line of the carrier's own books."""

    provider_ref: str
    ref: str | None
    number: str | None
    product_key: str | None
    cost: Money
    state: OutcomeState
    at: datetime


@dataclass(frozen=True)
class WalletBalance:
    """``held`` is set aside for what was held and not yet confirmed."""

    available: Money
    as_of: datetime
    held: Money | None = None


@dataclass(frozen=True)
class Hint:
    """A notification said something may have changed; only ever a reason to look. Where the carrier signs, a message with
    a wrong signature is an empty hint."""

    ref: str | None
    provider_ref: str | None
    authenticated: bool


@dataclass(frozen=True)
class Request:
    """One renewal as an adapter must send it. ``ref`` fits ``[A-Z0-9-]{1,36}``; ``number`` is E.164 with plus or an ICCID,
    and empty for a new eSIM."""

    ref: str
    product_key: str
    kind: ProductKind
    number: str
    face: Money
    cost: Money


class RefundState(StrEnum):
    REFUNDED = "refunded"
    REQUESTED = "requested"  # a person at the carrier decides
    REFUSED = "refused"


@dataclass(frozen=True)
class RefundAnswer:
    """What a carrier said to a request for our own money back; the customer's money does not wait for it."""

    state: RefundState
    case: str | None = None  # the carrier's id of the request
    raw_code: str | None = None


@dataclass(frozen=True)
class Declaration:
    """What a carrier promises, as the protocol needs it.

    ``settle_window``: after this a request can no longer take effect. ``deadline_seconds``: total time for one call.
    ``statement_complete_after``: how long after a moment the statement holds everything of it; None: it promises nothing,
    and a missing line says nothing. ``unasked_patience``: how long selling goes on while nobody can be asked."""

    capabilities: frozenset[Capability]
    enforces_unique_refs: bool
    settle_window: timedelta
    deadline_seconds: float = 20.0
    statement_complete_after: timedelta | None = None
    unasked_patience: timedelta = timedelta(minutes=5)


class CarrierUnavailable(Exception):
    """A question that changes nothing got no usable answer; ask later. Never raised by submit or find."""


class Carrier(Protocol):
    """One carrier or reseller. Every call ends within the declared deadline and never raises for what the network does,
    except CarrierUnavailable from the calls that only read for display."""

    name: str

    def declaration(self) -> Declaration: ...

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        """Raises CarrierUnavailable."""

    def get_subscription(self, number: str) -> Subscription:
        """What is on the SIM; UNAVAILABLE and NOT_FOUND are states, not exceptions."""

    def list_products(self) -> Iterator[Product]:
        """The whole catalogue, paging hidden. Raises CarrierUnavailable."""

    def submit(self, request: Request) -> Outcome:
        """Send one request once. Everything that is not a recognised answer is UNKNOWN."""

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """Ask what became of ``ref``; compares the returned reference itself."""

    def validate(self, request: Request) -> Reason | None:
        """Whether the carrier would take it now; nothing is ordered. None is yes. VALIDATE only. Raises CarrierUnavailable."""

    def hold(self, request: Request) -> Outcome:
        """Set a request aside without delivering it: HELD with ``held_until``, or as ``submit``. HOLD only."""

    def confirm(self, ref: str, provider_ref: str, number: str) -> Outcome:
        """Deliver what is held. VOIDED: the hold is over and nothing was delivered. Otherwise as ``submit``. HOLD only."""

    def void(self, ref: str, provider_ref: str) -> Outcome:
        """Give a hold up: VOIDED, or what has become of it meanwhile, or UNKNOWN. HOLD or VOID only."""

    def request_refund(self, ref: str, provider_ref: str, reason: str) -> RefundAnswer:
        """Ask for our money back for something that was charged. REFUND_REQUEST only. Raises CarrierUnavailable."""

    def match_identity(self, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        """Attribute name -> answer. Raises CarrierUnavailable."""

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """Raises CarrierUnavailable."""

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint: ...

    def clock_ahead(self) -> timedelta | None:
        """How far the carrier's clock was before ours at its last answer (RFC 9110 6.6.1); None while it told nothing."""


class PaperResult(StrEnum):
    """What is known after a job was sent; the words of the printing reference."""

    PRINTED = "printed"
    SENT = "sent"
    NOT_READY = "not_ready"  # nothing of the job left: safe to repeat
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class PaperAnswer:
    """``reason`` is one of paper_out, cover_open, offline, unreachable, no_confirmation, connection_lost, or None.

    ``near_end`` warns that the roll ends soon."""

    result: PaperResult
    reason: str | None = None
    near_end: bool = False


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, UTC with zone."""
