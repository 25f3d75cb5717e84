"""A server that says exactly the bytes it is told, as slowly as it is told: what no well-behaved library would send."""

from __future__ import annotations

import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Talk = Callable[[socket.socket, threading.Event], None]


@dataclass
class RawServer:
    """``requests`` holds what each connection received; ``stopped`` tells a talk to end."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/thing"


@contextmanager
def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serves on a free port of this machine until the block ends; each connection reads a request, then talks."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.settimeout(5)
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                server.requests.append(_request(connection))
                talk(connection, server.stopped)
            except OSError:
                pass  # the client has gone; that is often the point of the test
            finally:
                connection.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if server.stopped.is_set():
                connection.close()
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.stopped.set()
        # A thread blocked in accept does not notice that its listener was closed; a visitor wakes it.
        with socket.create_connection(("127.0.0.1", server.port), timeout=5):
            pass
        accepting.join(timeout=5)
        listener.close()
        for thread in threads:
            thread.join(timeout=5)


def _request(connection: socket.socket) -> bytes:
    """A whole request with its body: closing with bytes unread would send a reset after our answer and lose it."""
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(65536)):
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    told = re.search(rb"content-length: (\d+)", head.lower())
    while told and len(body) < int(told[1]) and (more := connection.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


def say(data: bytes) -> Talk:
    """One answer in one piece."""
    return lambda connection, _stopped: connection.sendall(data)


def drip(head: bytes, piece: bytes, every_seconds: float = 0.05) -> Talk:
    """``head`` at once, then ``piece`` again and again without end."""

    def talk(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(head)
        while not stopped.wait(every_seconds):
            connection.sendall(piece)

    return talk


def pour(head: bytes, piece: bytes) -> Talk:
    """As ``drip``, as fast as the other end reads."""

    def talk(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(head)
        while not stopped.is_set():
            connection.sendall(piece)

    return talk


def silence(_connection: socket.socket, stopped: threading.Event) -> None:
    """Reads the request and never answers."""
    stopped.wait(30)


def slam(connection: socket.socket, _stopped: threading.Event) -> None:
    """A reset instead of an orderly end: SO_LINGER of zero drops what was not read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
    connection.close()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP/1.1 answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
