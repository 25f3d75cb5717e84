"""Bytes to paper, and what the paper said back.

The one rule: after the first byte has left, only the printer can say that paper came out. What it does not say is
*uncertain*, and nothing here ever sends a job a second time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from receipts.answers import Answer, Reason, Result
from receipts.devices import send_over_device
from receipts.lan import send_over_lan
from receipts.settings import CutMode, Marker, PrinterSettings, StatusMode, TextMode, Transport

__all__ = [
    "Answer",
    "CutMode",
    "Marker",
    "PrinterSettings",
    "Reason",
    "Result",
    "StatusMode",
    "TextMode",
    "Transport",
    "send",
]


def send(data: Callable[[], bytes], settings: PrinterSettings, before_first_byte: Callable[[], bool]) -> Answer:
    """Send one job over a connection of its own.

    ``data`` makes the bytes, once, when the printer has said that it is ready: a receipt is not drawn again and again for a
    printer without paper. What it raises passes through, with nothing sent.
    ``before_first_byte`` is called once, right before the first byte of ``data``: it stores that bytes are about to
    leave and returns False when the caller may no longer print. What the network or the device does is an Answer and
    never an exception; what ``before_first_byte`` raises passes through, with nothing sent."""
    if settings.transport is Transport.FILE:
        return send_to_file(data, Path(settings.address), before_first_byte)
    if settings.transport is not Transport.LAN:
        return send_over_device(data, settings, before_first_byte)
    return send_over_lan(data, settings, before_first_byte)


def send_to_file(data: Callable[[], bytes], path: Path, before_first_byte: Callable[[], bool]) -> Answer:
    """Append to a file or a device node; it cannot confirm anything."""
    try:
        target = path.open("ab", buffering=0)
    except OSError:
        return Answer(Result.NOT_READY, Reason.UNREACHABLE)
    with target:
        left = memoryview(data())
        if not before_first_byte():
            return Answer(Result.NOT_READY)
        try:
            while left:
                left = left[target.write(left) :]
        except OSError:
            return Answer(Result.UNCERTAIN, Reason.CONNECTION_LOST)
        with contextlib.suppress(OSError):  # a device node has no disk to reach
            os.fsync(target.fileno())
    return Answer(Result.SENT)
