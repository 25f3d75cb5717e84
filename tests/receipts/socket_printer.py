"""A printer on a socket: records what it gets, answers as printers do, and fails on request.

It answers DLE EOT as soon as it arrives and the marker (GS r 1 or GS ( H) when everything before it was read, like the
two kinds of status of a real one. Buffers are small, so that a printer that stops reading is felt quickly."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GOOD = {1: 0x12, 2: 0x12, 4: 0x12}
STOPS_AFTER = 3000
MARKER_GS_R = b"\x1dr\x01"
MARKER_GS_H = b"\x1d(H\x06\x000\x30"


@dataclass
class Behaviour:
    """``status``: answers to DLE EOT by number, none when empty. ``chatter``: bytes sent unasked after 2000 received.
    ``prelude``: bytes sent right before the marker's answer. ``marker``: None answers nothing."""

    status: dict[int, int] = field(default_factory=lambda: dict(GOOD))
    bytes_per_second: float | None = None
    chatter: bytes = b""
    prelude: bytes = b""
    marker: int | None = 0x00
    stalls: bool = False
    resets: bool = False
    closes_at_once: bool = False


class SocketPrinter:
    """One connection at a time; ``received`` is everything read, in order."""

    def __init__(self, behaviour: Behaviour, family: int = socket.AF_INET) -> None:
        self.behaviour = behaviour
        self.received = bytearray()
        self.asked: set[int] = set()
        self.stopping = threading.Event()
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.listener.listen(1)
        self.listener.settimeout(5)
        self.host, self.port = self.listener.getsockname()[:2]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        with connection:
            try:
                self.converse(connection)
            except OSError:
                return

    def converse(self, connection: socket.socket) -> None:
        how = self.behaviour
        if how.closes_at_once:
            return
        connection.settimeout(5)
        chatter = how.chatter
        while chunk := connection.recv(2048):
            self.received += chunk
            if how.bytes_per_second:
                time.sleep(len(chunk) / how.bytes_per_second)
            if how.stalls and len(self.received) > STOPS_AFTER:
                self.stopping.wait(5)
                return
            if how.resets and len(self.received) > STOPS_AFTER:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if chatter and len(self.received) > 2000:
                connection.sendall(chatter)
                chatter = b""
            self.answer(connection)

    def answer(self, connection: socket.socket) -> None:
        how = self.behaviour
        for what, byte in how.status.items():
            if what not in self.asked and bytes([0x10, 0x04, what]) in self.received:
                self.asked.add(what)
                connection.sendall(bytes([byte]))
        if how.marker is None:
            return
        if self.received.endswith(MARKER_GS_R):
            connection.sendall(how.prelude + bytes([how.marker]))
        elif self.received[-11:-4] == MARKER_GS_H:
            connection.sendall(how.prelude + b"\x37\x22" + bytes(self.received[-4:]) + b"\x00")


@contextmanager
def listening(behaviour: Behaviour, family: int = socket.AF_INET) -> Iterator[SocketPrinter]:
    """A printer that listens inside the block; its thread has ended afterwards."""
    printer = SocketPrinter(behaviour, family)
    printer.thread.start()
    try:
        yield printer
    finally:
        printer.stopping.set()
        printer.listener.close()
        printer.thread.join(timeout=6)
