"""A renewal: one line of a sale, one number, one plan, one carrier, and its life at the carrier."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pos.domain.lives import Life


class RenewalState(StrEnum):
    QUOTED = "quoted"
    IDENTIFIED = "identified"
    VOIDED = "voided"
    PAID = "paid"
    SUBMITTING = "submitting"
    PENDING = "pending"
    UNKNOWN = "unknown"
    MANUAL = "manual"
    CONFIRMED = "confirmed"
    REVERSED = "reversed"
    REJECTED = "rejected"
    REFUND_DUE = "refund_due"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    REPLACED = "replaced"


R = RenewalState

RENEWAL = Life(
    noun="renewal",
    begins=frozenset({R.QUOTED}),
    moves={
        (R.QUOTED, R.IDENTIFIED): "the customer's document was checked",
        (R.QUOTED, R.VOIDED): "the sale was given up before any money",
        (R.IDENTIFIED, R.VOIDED): "the sale was given up before any money",
        (R.IDENTIFIED, R.PAID): "the money is here; the renewal waits for its turn",
        (R.PAID, R.SUBMITTING): "the attempt is written down and may now be sent",
        (R.PAID, R.REJECTED): "nothing could be sent for a day; the carrier cannot have it",
        (R.SUBMITTING, R.PAID): "nothing left this machine; the same attempt waits for its turn again",
        (R.SUBMITTING, R.CONFIRMED): "the carrier confirmed and repeated what we asked",
        (R.SUBMITTING, R.PENDING): "the carrier accepted and has not finished",
        (R.SUBMITTING, R.REJECTED): "the carrier refused for good",
        (R.SUBMITTING, R.UNKNOWN): "no usable answer; the carrier is asked by reference",
        (R.PENDING, R.CONFIRMED): "asking again found it done",
        (R.PENDING, R.REJECTED): "asking again found it refused",
        (R.PENDING, R.MANUAL): "not decided after a day of asking; a manager owns it",
        (R.UNKNOWN, R.PENDING): "asking again found it accepted and not finished",
        (R.UNKNOWN, R.CONFIRMED): "asking again found it done",
        (R.UNKNOWN, R.REJECTED): "asking again found it refused",
        (R.UNKNOWN, R.SUBMITTING): "the carrier never had it and refuses twins; the same reference is sent once more",
        (R.UNKNOWN, R.PAID): "what was held is over and nothing was delivered; it is sent anew",
        (R.UNKNOWN, R.MANUAL): "cannot be decided by asking; a manager owns it",
        (R.MANUAL, R.CONFIRMED): "two people agreed, with evidence, that the carrier did it",
        (R.MANUAL, R.REJECTED): "two people agreed, with evidence, that the carrier did not do it",
        (R.CONFIRMED, R.REVERSED): "the carrier took back what it had confirmed",
        (R.REVERSED, R.REFUND_DUE): "the customer's money is to be given back",
        (R.REJECTED, R.REFUND_DUE): "the customer's money is to be given back",
        (R.REFUND_DUE, R.MANUAL): "the carrier says it did it after all; the refund is stopped and a manager owns it",
        (R.REFUND_DUE, R.REFUNDING): "the clerk is giving the money back",
        (R.REFUNDING, R.REFUNDED): "the money is back with the customer",
        (R.REFUNDING, R.REFUND_DUE): "the terminal gave nothing back; the money is still owed",
        (R.REFUND_DUE, R.REPLACED): "the same money pays for another renewal instead",
    },
    # Nearly every renewal rests as confirmed; it is no end, because a carrier may take it back.
    ends=frozenset({R.VOIDED, R.REFUNDED, R.REPLACED}),
)

# Before any money.
UNPAID = (R.QUOTED, R.IDENTIFIED)
# The carrier may have it, or may still get it: never blocks the next customer, always has an owner and a next time.
IN_DOUBT = frozenset({R.PAID, R.SUBMITTING, R.PENDING, R.UNKNOWN, R.MANUAL})
# What a person still has to see: undecided, or money on its way back.
UNFINISHED = IN_DOUBT | {R.REFUND_DUE, R.REFUNDING}
FINAL = frozenset({R.VOIDED, R.CONFIRMED, R.REFUNDED, R.REPLACED})
MONEY_HELD = IN_DOUBT  # the customer's money is held, neither earned nor owed back

# Of several lines, the one that wants a person first: money owed back, then what only a manager can decide, then what moves.
URGENCY = (
    R.REVERSED,
    R.REFUND_DUE,
    R.REFUNDING,
    R.REJECTED,
    R.MANUAL,
    R.UNKNOWN,
    R.PENDING,
    R.SUBMITTING,
    R.PAID,
    R.IDENTIFIED,
    R.QUOTED,
    R.CONFIRMED,
    R.REFUNDED,
    R.REPLACED,
    R.VOIDED,
)

# When to ask again, counted from the last asking (renewal protocol, section 3).
ASKING = tuple(timedelta(seconds=s) for s in (5, 15, 30, 60, 120, 300))
ASKING_LATER = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)
ABSENT_TWICE_APART = timedelta(seconds=60)
DUPLICATE_WINDOW = timedelta(minutes=10)
QUOTE_LIFE = timedelta(minutes=15)


def next_asking(times_asked: int) -> timedelta:
    """How long to wait before asking for the ``times_asked + 1``-th time."""
    return ASKING[times_asked] if times_asked < len(ASKING) else ASKING_LATER
