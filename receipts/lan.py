"""One job to a printer on port 9100: ask how it is, send, ask whether it is done, leave without slamming the door.

The ready-made network class of python-escpos lost 44 of 50 KB of a real job without an error, because it closes with
an answer unread; hence a transport of our own. One short connection per job: printers take one at a time and drop idle
ones."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

from receipts.answers import Answer, Reason, Result
from receipts.settings import Marker, PrinterSettings, StatusMode
from receipts.wire import Gone, Wire

WRITE_BYTES = 2048
# Bits of the answers to DLE EOT 1 (printer), 2 (why offline) and 4 (paper).
OFFLINE, COVER_OPEN, PAPER_STOP, PAPER_END, NEAR_END = 0x08, 0x04, 0x20, 0x60, 0x0C
# Bits of the answer to GS r 1.
MARKER_NEAR_END, MARKER_PAPER_END = 0x03, 0x0C


def send_over_lan(data: Callable[[], bytes], settings: PrinterSettings, before_first_byte: Callable[[], bool]) -> Answer:
    """See ``receipts.printer.send``."""
    deadline = time.monotonic() + settings.total_seconds
    try:
        connection = socket.create_connection((settings.address, settings.port), settings.connect_seconds)
    except (OSError, UnicodeError):  # the second for a host name that no resolver would take
        return Answer(Result.NOT_READY, Reason.UNREACHABLE)
    with connection:
        return Conversation(Wire(connection), settings, deadline).job(data, before_first_byte)


class Conversation:
    """The steps of one job, each with its own limit and all of them under ``deadline``."""

    def __init__(self, wire: Wire, settings: PrinterSettings, deadline: float) -> None:
        self.wire = wire
        self.settings = settings
        self.deadline = deadline

    def until(self, seconds: float) -> float:
        """The moment a step of ``seconds`` has to end."""
        return min(time.monotonic() + seconds, self.deadline)

    def job(self, data: Callable[[], bytes], before_first_byte: Callable[[], bool]) -> Answer:
        """All steps in order. Until ``before_first_byte`` said yes, every fault is NOT_READY; after it, none is."""
        try:
            ready = self.readiness()
            self.wire.forget()
        except Gone:
            return Answer(Result.NOT_READY, Reason.UNREACHABLE)
        if ready.result is Result.NOT_READY:
            self.wire.drain(self.until(self.settings.drain_seconds))
            return ready
        content = data()
        if not before_first_byte():
            return Answer(Result.NOT_READY, near_end=ready.near_end)
        try:
            self.write_all(content)
            answer = self.confirmation()
        except TimeoutError:
            answer = Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)
        except (Gone, OSError):
            answer = Answer(Result.UNCERTAIN, Reason.CONNECTION_LOST)
        return self.farewell(replace(answer, near_end=answer.near_end or ready.near_end))

    def readiness(self) -> Answer:
        """What the printer says about itself before anything is sent; SENT stands for "go on". Raises Gone.

        Many clones are mute on the network, so silence is not a fault."""
        if self.settings.status is StatusMode.NONE:
            return Answer(Result.SENT)
        printer = self.ask(1)
        if printer is None:
            return Answer(Result.SENT)
        cause = self.ask(2) or 0
        paper = self.ask(4) or 0
        near_end = bool(paper & NEAR_END)
        if paper & PAPER_END or cause & PAPER_STOP:
            return Answer(Result.NOT_READY, Reason.PAPER_OUT, near_end)
        if cause & COVER_OPEN:
            return Answer(Result.NOT_READY, Reason.COVER_OPEN, near_end)
        if printer & OFFLINE:
            return Answer(Result.NOT_READY, Reason.OFFLINE, near_end)
        return Answer(Result.SENT, near_end=near_end)

    def ask(self, what: int) -> int | None:
        """DLE EOT: answered at once, whatever the printer is doing. Raises Gone."""
        until = self.until(self.settings.status_seconds)
        try:
            self.write(bytes([0x10, 0x04, what]), until)
        except OSError as error:
            raise Gone from error
        return self.wire.status(until)

    def write_all(self, data: bytes) -> None:
        """The job in small writes: a printer's buffer may be a few kilobytes. Raises OSError."""
        for start in range(0, len(data), WRITE_BYTES):
            self.write(data[start : start + WRITE_BYTES], self.until(self.settings.write_seconds))

    def write(self, data: bytes, until: float) -> None:
        """Raises TimeoutError when the printer takes no more in time, OSError when it is gone."""
        self.wire.connection.settimeout(max(0.001, until - time.monotonic()))
        self.wire.connection.sendall(data)

    def confirmation(self) -> Answer:
        """Ask for a sign that everything before was handled, and wait for it. Raises Gone, OSError."""
        if self.settings.marker is Marker.NONE:
            return Answer(Result.SENT)
        self.wire.forget()
        until = self.until(self.settings.marker_seconds)
        if self.settings.marker is Marker.GS_H:
            # Digits of this very moment: the answer to an earlier job must not confirm this one.
            digits = f"{time.monotonic_ns() // 1000 % 10_000:04d}".encode("ascii")
            self.write(b"\x1d(H\x06\x000\x30" + digits, until)
            done = self.wire.sequence(b"\x37\x22" + digits + b"\x00", until)
            return Answer(Result.PRINTED) if done else Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)
        self.write(b"\x1dr\x01", until)
        paper = self.wire.in_order(until)
        if paper is None:
            return Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)
        if paper & MARKER_PAPER_END:
            return Answer(Result.UNCERTAIN, Reason.PAPER_OUT)
        return Answer(Result.PRINTED, near_end=bool(paper & MARKER_NEAR_END))

    def farewell(self, answer: Answer) -> Answer:
        """Half-close and drain. It cannot undo a confirmation, but a reset here undoes a mere "sent"."""
        in_order = self.wire.drain(self.until(self.settings.drain_seconds))
        if answer.result is Result.SENT and not in_order:
            return replace(answer, result=Result.UNCERTAIN, reason=Reason.CONNECTION_LOST)
        return answer
