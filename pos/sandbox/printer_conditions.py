"""The state a person can put the virtual printer in, and what it answers about itself then.

Bytes follow Epson's DLE EOT and GS r tables; a bit not named here is fixed or at rest."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """One at a time, as a clerk would describe it."""

    READY = "ready"
    NEAR_END = "near_end"  # prints, and warns that the roll ends soon
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    OFFLINE = "offline"
    MUTE = "mute"  # prints, and never answers anything
    SLOW = "slow"  # takes 20 KB a second
    STALL = "stall"  # stops taking bytes in the middle of a job, and goes on when the condition changes
    RESET = "reset"  # drops the connection in the middle of a job
    REFUSE = "refuse"  # takes no connections


# What keeps paper from coming out. The bytes wait; if the connection ends first, the job is lost.
REASONS_NOT_TO_PRINT = {
    Condition.PAPER_OUT: "the paper was out",
    Condition.COVER_OPEN: "the cover was open",
    Condition.OFFLINE: "the printer was offline",
}
MIDWAY_FAULTS = (Condition.STALL, Condition.RESET)

AT_REST = 0x12
OFFLINE_BIT, NEAR_END_BITS, PAPER_END_BITS = 0x08, 0x0C, 0x60
WHY_OFFLINE = {Condition.COVER_OPEN: 0x04, Condition.PAPER_OUT: 0x20}
PAPER_SENSOR = {Condition.NEAR_END: NEAR_END_BITS, Condition.PAPER_OUT: NEAR_END_BITS | PAPER_END_BITS}


def real_time_answer(condition: Condition, n: int) -> bytes:
    """DLE EOT n: 1 printer, 2 why offline, 3 errors, 4 paper. One byte, or none: another n, a mute printer."""
    if condition is Condition.MUTE or n not in (1, 2, 3, 4):
        return b""
    bits = 0
    if n == 1 and condition in REASONS_NOT_TO_PRINT:
        bits = OFFLINE_BIT
    elif n == 2:
        bits = WHY_OFFLINE.get(condition, 0)
    elif n == 4:
        bits = PAPER_SENSOR.get(condition, 0)
    return bytes((AT_REST | bits,))


def status_answer(condition: Condition) -> bytes:
    """GS r 1, reached in order: the paper sensor, bits 0-1 near end. Out of paper the printer never gets here."""
    if condition is Condition.MUTE:
        return b""
    return b"\x03" if condition is Condition.NEAR_END else b"\x00"


def completion_answer(condition: Condition, request: bytes) -> bytes:
    """GS ( H, reached in order: header 37 22, the four bytes the request ends with, NUL."""
    return b"" if condition is Condition.MUTE else b"\x37\x22" + request[-4:] + b"\x00"
