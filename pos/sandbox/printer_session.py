"""One connection to the virtual printer, from the first byte to the last."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Protocol

from pos.sandbox.escpos_frames import REAL_TIME_LENGTHS, Kind, next_frame
from pos.sandbox.printer_conditions import (
    MIDWAY_FAULTS,
    REASONS_NOT_TO_PRINT,
    Condition,
    completion_answer,
    real_time_answer,
    status_answer,
)

TICK_SECONDS = 0.05  # how soon a change of condition or the end is noticed
CHUNK_BYTES = 4096
SLOW_CHUNK_BYTES, SLOW_BYTES_PER_SECOND = 1024, 20_000
LARGEST_JOB_BYTES = 2_000_000  # over three metres of picture; a sender that never ends must not fill the memory
STATUS_REQUEST = b"\x10\x04"
DRAWER_NOW = b"\x10\x14\x01"


class Panel(Protocol):
    """What a session looks at while it works: the switches, and whether the printer is being switched off."""

    @property
    def condition(self) -> Condition: ...

    @property
    def stopping(self) -> threading.Event: ...


@dataclass(frozen=True)
class Received:
    """What one connection left. ``job``: its bytes without the status requests between commands; ``printed``: as much
    of them as came out; ``trouble``: why a job is not complete."""

    job: bytes
    printed: bytes
    complete: bool
    drawer: bool
    trouble: str | None


class Session:
    """Takes the bytes of one connection, answers, and reports what arrived."""

    def __init__(self, connection: socket.socket, panel: Panel, fault_after_bytes: int, idle_seconds: float) -> None:
        self._connection, self._panel = connection, panel
        self._fault_after_bytes, self._idle_seconds = fault_after_bytes, idle_seconds
        self._ear = RealTimeEar()
        self._job = bytearray()  # done: printed, answered
        self._waiting = bytearray()  # received, not done
        self._drawer = False
        self._faulty = False
        self._last_byte_at = time.monotonic()

    def run(self) -> Received:
        """Work until the connection ends. The caller closes it, after it has noted what came out."""
        self._connection.settimeout(TICK_SECONDS)
        trouble, ended = None, False
        try:
            while not ended:
                ended = self._work_a_little()
        except ConnectionEnded as ending:
            trouble = str(ending)
        except OSError:
            trouble = "the sender dropped the connection"
        return self._received(trouble)

    def _received(self, trouble: str | None) -> Received:
        rest = without_status_requests(self._waiting)
        broken_off = bool(rest) and next_frame(rest).kind is Kind.INCOMPLETE
        if rest and trouble is None:
            trouble = "the sender stopped in the middle of a command" if broken_off else self._why_not_printed()
        return Received(
            job=bytes(self._job) + rest,
            printed=bytes(self._job) + (rest if broken_off else b""),
            complete=trouble is None,
            drawer=self._drawer,
            trouble=trouble,
        )

    def _why_not_printed(self) -> str:
        reason = REASONS_NOT_TO_PRINT.get(self._panel.condition, "the printer was not ready")
        return f"not printed to the end: {reason}"

    def _work_a_little(self) -> bool:
        """One round; True when the sender has sent everything and all that can be done is done."""
        if self._panel.stopping.is_set():
            raise ConnectionEnded("the printer was switched off")
        self._do_what_waits()
        if self._faulty and self._fault():
            return False
        return self._take_more()

    # Taking bytes

    def _take_more(self) -> bool:
        try:
            chunk = self._connection.recv(self._appetite())
        except TimeoutError:
            if time.monotonic() - self._last_byte_at > self._idle_seconds:
                raise ConnectionEnded("the sender was silent for too long") from None
            return False
        if not chunk:
            self._do_what_waits()
            return not self._faulty
        self._last_byte_at = time.monotonic()
        self._hear(chunk)
        self._waiting += chunk
        if self._taken > LARGEST_JOB_BYTES:
            raise ConnectionEnded("the job is longer than this printer takes")
        if self._panel.condition is Condition.SLOW:
            self._panel.stopping.wait(len(chunk) / SLOW_BYTES_PER_SECOND)
        return False

    def _appetite(self) -> int:
        """How many bytes to ask for: up to the fault, if one is due."""
        if self._panel.condition is Condition.SLOW:
            return SLOW_CHUNK_BYTES
        if self._fault_set:
            return max(1, min(CHUNK_BYTES, self._fault_after_bytes - self._taken))
        return CHUNK_BYTES

    def _hear(self, chunk: bytes) -> None:
        """Real-time commands act when they arrive, wherever they stand."""
        for request in self._ear.hear(chunk):
            if request.startswith(STATUS_REQUEST):
                self._answer(real_time_answer(self._panel.condition, request[2]))
            elif request.startswith(DRAWER_NOW):
                self._drawer = True

    def _answer(self, answer: bytes) -> None:
        if answer:
            self._connection.sendall(answer)

    # Doing what they say

    def _do_what_waits(self) -> None:
        """Every whole command, in order, unless the paper, the cover or a fault forbids it."""
        at_marker = False
        while self._waiting and self._panel.condition not in REASONS_NOT_TO_PRINT:
            frame = next_frame(self._waiting)
            # A job shorter than the fault's place fails where it asks whether it was printed, at the latest.
            at_marker = self._fault_set and frame.kind in (Kind.STATUS, Kind.COMPLETION)
            if frame.kind is Kind.INCOMPLETE or at_marker:
                break
            command = bytes(self._waiting[: frame.length])
            del self._waiting[: frame.length]
            self._do(frame.kind, command)
        self._faulty = self._fault_set and (at_marker or self._taken >= self._fault_after_bytes)

    def _do(self, kind: Kind, command: bytes) -> None:
        """A status request between commands is no part of the job; it was answered when it arrived."""
        if kind is Kind.REAL_TIME and command.startswith(STATUS_REQUEST):
            return
        self._job += command
        if kind is Kind.DRAWER:
            self._drawer = True
        elif kind is Kind.STATUS and command[2] in b"\x011":
            self._answer(status_answer(self._panel.condition))
        elif kind is Kind.COMPLETION:
            self._answer(completion_answer(self._panel.condition, command))

    # Faults in the middle of a job

    @property
    def _fault_set(self) -> bool:
        return self._panel.condition in MIDWAY_FAULTS

    @property
    def _taken(self) -> int:
        """Bytes of the job received so far."""
        return len(self._job) + len(self._waiting)

    def _fault(self) -> bool:
        """True while the printer stands still; a reset ends the connection."""
        condition = self._panel.condition
        if condition is Condition.RESET:
            self._reset()
            raise ConnectionEnded("the printer dropped the connection")
        if condition is Condition.STALL:
            self._panel.stopping.wait(TICK_SECONDS)
            return True
        return False

    def _reset(self) -> None:
        """Make the coming close a reset, which throws away what is under way in both directions."""
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def without_status_requests(data: bytes | bytearray) -> bytes:
    """What is left of bytes nobody worked on: the status requests between them were answered when they arrived."""
    kept, offset = bytearray(), 0
    while offset < len(data):
        frame = next_frame(data, offset)
        command = data[offset : offset + frame.length]
        if not (frame.kind is Kind.REAL_TIME and command.startswith(STATUS_REQUEST)):
            kept += command
        offset += frame.length
    return bytes(kept)


class ConnectionEnded(Exception):
    """The session cannot go on; the text says why, for the paper's record."""


class RealTimeEar:
    """Finds real-time commands in a stream, also those split between two deliveries."""

    def __init__(self) -> None:
        self._carried = b""

    def hear(self, chunk: bytes) -> list[bytes]:
        """The commands that are complete with this delivery, in order."""
        data, offset, heard = self._carried + chunk, 0, []
        while (offset := data.find(b"\x10", offset)) >= 0:
            if offset + 1 == len(data):
                break
            length = REAL_TIME_LENGTHS.get(data[offset + 1], 1)
            if offset + length > len(data):
                break
            if length > 1:
                heard.append(data[offset : offset + length])
            offset += length
        self._carried = data[offset:] if offset >= 0 else b""
        return heard
