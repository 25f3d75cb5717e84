"""What is known after a job was sent to a printer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    PRINTED = "printed"  # the printer confirmed it
    SENT = "sent"  # every byte left, to a printer that cannot confirm
    NOT_READY = "not_ready"  # no byte of the job left: safe to repeat
    UNCERTAIN = "uncertain"  # bytes left and nobody knows: ask a person


class Reason(StrEnum):
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    OFFLINE = "offline"
    UNREACHABLE = "unreachable"
    NO_CONFIRMATION = "no_confirmation"
    CONNECTION_LOST = "connection_lost"


@dataclass(frozen=True)
class Answer:
    """``near_end`` warns that the roll ends soon. A job that the caller held back is NOT_READY without a reason."""

    result: Result
    reason: Reason | None = None
    near_end: bool = False
