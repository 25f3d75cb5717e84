"""The printer's network door: one listening port that can be shut and opened again without losing it."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TRIES = 20
YIELD_SECONDS = 0.001
WAITING_CONNECTIONS = 1  # a LAN printer serves one; the next one waits
RECEIVE_BUFFER_BYTES = 4096  # small, as in a printer, so that a sender feels a slow or stalled one early


class Door:
    """Listens on the first free port from ``port`` on (0: any). Raises OSError when none of twenty is free.

    While shut the port stays bound without listening: connections are refused, and nobody else can take it."""

    def __init__(self, host: str, port: int, tries: int = TRIES) -> None:
        self._lock = threading.Lock()
        self._socket = first_free(host, port, tries, RECEIVE_BUFFER_BYTES)
        self._bell, self._ear = socket.socketpair()
        self._open = True
        self.host, self.port = host, int(self._socket.getsockname()[1])

    def shut(self) -> None:
        """Refuse connections from now on; one that is being served goes on."""
        with self._interrupting():
            if self._open:
                self._open = False
                self._socket.close()
                self._socket = bound(self.host, self.port, RECEIVE_BUFFER_BYTES)

    def open(self) -> None:
        with self._interrupting():
            if self._open:
                return
            if self._socket.fileno() < 0:  # somebody was quicker when it was shut
                self._socket = bound(self.host, self.port, RECEIVE_BUFFER_BYTES)
            self._socket.listen(WAITING_CONNECTIONS)
            self._open = True

    def close(self) -> None:
        """For good. Nobody may be waiting in accept any more."""
        for end in (self._socket, self._bell, self._ear):
            end.close()

    def accept(self, patience_seconds: float) -> socket.socket | None:
        """The next connection, or None when nobody came in that time or somebody wants to shut or open."""
        with self._lock:
            waited_for = [self._ear, self._socket] if self._open else [self._ear]
            ready, _, _ = select.select(waited_for, [], [], patience_seconds)
            if self._socket in ready and self._ear not in ready:
                return self._accept()
        if ready:
            time.sleep(YIELD_SECONDS)
        return None

    def _accept(self) -> socket.socket | None:
        try:
            connection, _address = self._socket.accept()
        except OSError:
            return None  # it was gone before we came
        return connection

    @contextmanager
    def _interrupting(self) -> Iterator[None]:
        """Hold the lock with nobody in ``accept``: a socket that a thread waits on stays open after its close. The
        bell rings until we have the lock, so that the waiting thread cannot be quicker for ever."""
        self._bell.send(b"!")
        with self._lock:
            self._ear.recv(1)
            yield


def first_free(host: str, port: int, tries: int = TRIES, receive_buffer_bytes: int | None = None) -> socket.socket:
    """A listening socket on ``port`` or one of the next; the last OSError when all are taken."""
    for candidate in range(port, port + tries):
        door = None
        try:
            door = bound(host, candidate, receive_buffer_bytes)
            door.listen(WAITING_CONNECTIONS)
            return door
        except OSError:
            if door is not None:
                door.close()
            if candidate in (0, 65535, port + tries - 1):
                raise
    raise ValueError("at least one port must be tried")


def bound(host: str, port: int, receive_buffer_bytes: int | None = None) -> socket.socket:
    """A socket that owns the port and does not listen yet; never blocks."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "nt":
            # Windows lets a second program take over a port that is in use, unless the first one objects.
            door.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
        else:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer_bytes:
            # Connections inherit it. Set on one that is already open it would only make the sender's window stutter.
            door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        door.setblocking(False)
        door.bind((host, port))
    except OSError:
        door.close()
        raise
    return door
