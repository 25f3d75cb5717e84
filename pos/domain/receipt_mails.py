"""Receipts by e-mail: the life of one letter. Only with the customer's consent, and the address is gone when the life ends."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from pos.domain.lives import Life


class MailState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    GIVEN_UP = "given_up"


M = MailState

RECEIPT_MAIL = Life(
    noun="receipt_mail",
    begins=frozenset({M.QUEUED}),
    moves={
        (M.QUEUED, M.SENDING): "a worker has taken it",
        (M.WAITING, M.SENDING): "a worker tries again",
        (M.SENDING, M.QUEUED): "the worker went away; the same letter may go again, because its name is the same",
        (M.SENDING, M.WAITING): "the mail server did not take it now",
        (M.SENDING, M.SENT): "the mail server took it",
        (M.SENDING, M.REFUSED): "the mail server will never take it",
        (M.WAITING, M.GIVEN_UP): "a day has passed",
        (M.QUEUED, M.GIVEN_UP): "a day has passed",
    },
    ends=frozenset({M.SENT, M.REFUSED, M.GIVEN_UP}),
)

# Longer than the mail server may take in all, so that a lease never ends while a letter is under way.
LEASE = timedelta(minutes=3)
RETRY = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 3600))
# A customer who got no letter by then was told that the shop prints the receipt.
PATIENCE = timedelta(hours=24)

LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


def retry_after(attempts: int) -> timedelta:
    """How long a letter that was not taken waits."""
    return RETRY[min(max(attempts, 1), len(RETRY)) - 1]


def is_address(text: str) -> bool:
    """Whether this is one plain e-mail address: no name around it, no second one, nothing that a header would take for an end."""
    local = text.partition("@")[0]
    plain = len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None
    return plain and ".." not in local and not local.startswith(".") and not local.endswith(".")
