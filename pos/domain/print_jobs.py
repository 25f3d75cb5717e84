"""Print jobs: the life of a slip. Paper never holds a sale back, and no slip is printed twice without saying COPY."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pos.domain.lives import Life


class JobKind(StrEnum):
    ORIGINAL = "original"
    COPY = "copy"
    DRAWER = "drawer"
    SLIP = "slip"  # a further document: confirmation, Z, test page


class JobState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    PRINTED = "printed"
    SENT = "sent"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    HELD = "held"
    CANCELLED = "cancelled"


J = JobState

PRINT_JOB = Life(
    noun="print_job",
    begins=frozenset({J.QUEUED}),
    moves={
        (J.QUEUED, J.SENDING): "a worker has taken it",
        (J.QUEUED, J.WAITING): "the printer was not ready for the slip before it",
        (J.WAITING, J.SENDING): "a worker tries again",
        (J.SENDING, J.QUEUED): "the worker went away before the first byte",
        (J.SENDING, J.WAITING): "the printer was not ready; nothing was sent",
        (J.SENDING, J.PRINTED): "the printer confirmed",
        (J.SENDING, J.SENT): "all bytes went to a printer that cannot confirm",
        (J.SENDING, J.UNCERTAIN): "bytes left and nothing confirmed them",
        (J.QUEUED, J.HELD): "too old to come out by itself",
        (J.WAITING, J.HELD): "too old to come out by itself",
        (J.QUEUED, J.CANCELLED): "cancelled before anything was sent",
        (J.WAITING, J.CANCELLED): "cancelled before anything was sent",
        (J.HELD, J.QUEUED): "a person wants it after all",
        (J.HELD, J.CANCELLED): "a person does not want it any more",
        (J.UNCERTAIN, J.PRINTED): "a person says that it came out",
        (J.UNCERTAIN, J.CANCELLED): "a person says that it did not come out; a copy follows if wanted",
    },
    ends=frozenset({J.PRINTED, J.SENT, J.CANCELLED}),
)

# Receipts older than this do not pour out when a printer comes back (printing reference, section 5).
HOLD_AFTER = timedelta(minutes=10)
# A drawer that opens long after the customer left is a theft waiting to happen.
DRAWER_LIFE = timedelta(seconds=15)
# Longer than the transport's total cap, so that a lease never ends while bytes flow.
LEASE = timedelta(seconds=45)
# A picture takes more than a minute over a serial line at 9600 baud.
SLOW_LEASE = timedelta(minutes=4)
RETRY = tuple(timedelta(seconds=s) for s in (2, 4, 8, 15, 30))


def lease_for(settings: Mapping[str, object]) -> timedelta:
    """How long a worker may have a slip in hand on a printer that is set up so."""
    return SLOW_LEASE if settings.get("transport") == "serial" else LEASE


def retry_after(attempts: int) -> timedelta:
    """How long a job that found its printer not ready waits."""
    return RETRY[min(attempts, len(RETRY)) - 1] if attempts else RETRY[0]
