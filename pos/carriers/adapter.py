"""What every adapter begins with: a name, and a plain refusal for each verb that its carrier does not offer.

Asking for more than the declaration says is a fault of ours and never of the clerk, so it raises NotImplementedError."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from pos.carriers.members import Broken
from pos.carriers.tokens import TokenRefused
from pos.carriers.wire import NeverSent, NoAnswer, Wire, WireFault
from pos.ports import (
    Capability,
    CarrierUnavailable,
    Finding,
    FindState,
    Hint,
    IdentityClaim,
    MatchAnswer,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Reason,
    RefundAnswer,
    Request,
    StatementLine,
    Subscription,
    WalletBalance,
)


class Refused(Exception):
    """A read was refused, or answered with something else than records."""


# All the ways in which a read can be of no use.
USELESS = (WireFault, TokenRefused, Broken, Refused)

NOTHING = Hint(None, None, authenticated=False)


class Adapter:
    """Fits the optional verbs of ``ports.Carrier``; an adapter writes over those that its carrier offers."""

    _wire: Wire

    def __init__(self, name: str) -> None:
        self.name = name

    def clock_ahead(self) -> timedelta | None:
        return self._wire.clock_ahead

    def close(self) -> None:
        """Let go of the network."""
        self._wire.close()

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        raise NotImplementedError(Capability.LOOKUP_NUMBER)

    def get_subscription(self, number: str) -> Subscription:
        raise NotImplementedError(Capability.SUBSCRIPTION)

    def validate(self, request: Request) -> Reason | None:
        raise NotImplementedError(Capability.VALIDATE)

    def hold(self, request: Request) -> Outcome:
        raise NotImplementedError(Capability.HOLD)

    def confirm(self, ref: str, provider_ref: str, number: str) -> Outcome:
        raise NotImplementedError(Capability.HOLD)

    def void(self, ref: str, provider_ref: str) -> Outcome:
        raise NotImplementedError(Capability.VOID)

    def request_refund(self, ref: str, provider_ref: str, reason: str) -> RefundAnswer:
        raise NotImplementedError(Capability.REFUND_REQUEST)

    def match_identity(self, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        raise NotImplementedError(Capability.IDENTITY_MATCH)

    def wallet(self) -> list[WalletBalance]:
        raise NotImplementedError(Capability.WALLET)

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        raise NotImplementedError(Capability.STATEMENT)

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:  # nothing to read
        return NOTHING

    # --- for the adapters' own use ------------------------------------------------------------------------------------

    def unavailable(self, fault: Exception) -> NoReturn:
        """Raises CarrierUnavailable with the fault's class or the wire's word, never with what the answer said."""
        why = fault.why if isinstance(fault, WireFault) else type(fault).__name__
        raise CarrierUnavailable(f"{self.name} gave no usable answer ({why})") from fault

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Around a read for display: whatever makes it useless is CarrierUnavailable."""
        try:
            yield
        except USELESS as fault:
            self.unavailable(fault)


def sent_once(send: Callable[[], Outcome]) -> Outcome:
    """The outcome of ``send``, a submit, hold, confirm or void: whatever is not a recognised answer is not sent or unknown.

    ``raw_code`` is the carrier's word, or the wire's where no carrier spoke (``tls`` wants the manager)."""
    try:
        return send()
    except TokenRefused as fault:
        return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=fault.code)
    except NeverSent as fault:
        # A certificate that does not fit is the shop's to mend, or somebody in between: a reason of its own (F5).
        reason = Reason.CERTIFICATE if fault.why == "tls" else Reason.UNREACHABLE
        return Outcome(OutcomeState.NOT_SENT, reason=reason, raw_code=fault.why)
    except NoAnswer as fault:
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.NO_ANSWER, raw_code=fault.why)
    except Broken:
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER)


# Which outcome speaks for a reference that names several records: delivered once is delivered.
_LOUDEST = (
    OutcomeState.SUCCEEDED,
    OutcomeState.PENDING,
    OutcomeState.HELD,
    OutcomeState.REVERSED,
    OutcomeState.VOIDED,
    OutcomeState.FAILED,
)


def found(outcomes: list[Outcome]) -> Finding:
    """What the records under one reference say together; at least one. CANNOT_TELL where none can be read."""
    readable = [outcome for outcome in outcomes if outcome.state in _LOUDEST]
    if not readable:
        return Finding(FindState.CANNOT_TELL)
    delivered = sum(outcome.state is OutcomeState.SUCCEEDED for outcome in readable)
    best = min(readable, key=lambda outcome: _LOUDEST.index(outcome.state))
    return Finding(FindState.FOUND, best, doubled=delivered > 1)


def utc_now() -> datetime:
    return datetime.now(UTC)
