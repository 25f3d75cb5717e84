"""The sockets: a small threaded HTTP/1.1 server that can also behave badly on the wire.

Written on http.server because a fault must reach the socket: reset a connection, cut an answer in two, send a byte a
second. A WSGI server stands between the application and exactly that."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import struct
import sys
import traceback
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from pos.sandbox.carrier import Carrier
from pos.sandbox.doors import answer, is_control
from pos.sandbox.refusals import Refusal
from pos.sandbox.settings import Settings
from pos.sandbox.wire import Answer, Dropped, Request, tmf_error

_LARGEST_BODY = 1_000_000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# l_onoff, l_linger: closing then sends a reset instead of a polite end. Windows uses two shorts.
_LINGER_ZERO = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class _Listener(ThreadingHTTPServer):
    """Knows its open connections, so that stopping never waits for a client."""

    daemon_threads = False  # so that server_close waits for them: no thread outlives a test
    request_queue_size = 128
    timeout = 0  # handle_request is called when somebody knocks, and must not wait if they ran away
    # On Windows this option would let two processes share one port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, address: tuple[str, int], carrier: Carrier, any_host: bool) -> None:
        self.carrier = carrier
        self.any_host = any_host
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._to_reset: set[socket.socket] = set()
        self._bell, self._rope = socket.socketpair()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's: it asks the name service for our own name, which can take seconds.
        if os.name == "nt":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def serve(self) -> None:
        """Accept until ``ring``. Not serve_forever: that one notices its end only when it next looks up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while self._bell not in [key.fileobj for key, _ in selector.select()]:
                self.handle_request()

    def ring(self) -> None:
        """End ``serve``."""
        self._rope.send(b"!")

    def server_close(self) -> None:
        self._bell.close()
        self._rope.close()
        super().server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def reset_on_close(self, connection: socket.socket) -> None:
        with self._lock:
            self._to_reset.add(connection)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
            reset = request in self._to_reset
            self._to_reset.discard(request)
        if reset:
            with contextlib.suppress(OSError):
                request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            request.close()  # without the shutdown that would say goodbye first
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """Wake every thread that waits for a client."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is daily life here; anything else is a fault of ours and must be seen.
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    """One connection. Keep-alive is on, because clients must cope with kept connections that die."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: _Listener

    def do_GET(self) -> None:
        carrier = self.server.carrier
        path, _, query = self.path.partition("?")
        path = unquote(urlsplit(path).path)
        if not is_control(path) and carrier.faults.is_off():
            return self._drop()
        host = self.headers.get("Host", "")
        base = f"http://{host}"
        body = self._body()
        if body is None:
            self.close_connection = True
            return self._send(tmf_error(Refusal("INVALID_BODY", "Content-Length up to a megabyte is needed"), base))
        if is_control(path) and not self.server.any_host and re.sub(r":\d+$", "", host) not in _LOOPBACK:
            # A page on the web must not reach this through a name that points here.
            return self._send(tmf_error(Refusal("NOT_FOUND", "ask for this by 127.0.0.1"), base))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            found = answer(carrier, Request(self.command, path, query, headers, body, base))
            return self._send(found)
        except Dropped:
            return self._drop()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the books remember what matters, and a shop's demo must not scroll."""

    def version_string(self) -> str:
        return "sandbox-carrier"

    def _body(self) -> bytes | None:
        """The request's body; None where it is too long or its length is not told."""
        if "Transfer-Encoding" in self.headers:
            return None
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST_BODY:
            return None
        return self.rfile.read(int(length))

    def _drop(self) -> None:
        self.close_connection = True
        self.server.reset_on_close(self.connection)

    def _send(self, found: Answer) -> None:
        headers = {"Server": self.version_string(), "Date": self.date_time_string(), **found.headers}
        if self.close_connection:
            headers["Connection"] = "close"
        send = getattr(self, f"_send_{found.delivery.value}")
        send(found.status, headers, found.body)

    def _head(self, status: int, headers: dict[str, str]) -> bytes:
        phrase = self.responses[status][0] if status in self.responses else ""
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n").encode("latin-1")

    def _send_whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        head = self._head(status, headers | {"Content-Length": str(len(body))}) + b"\r\n"
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def _send_cut(self, status: int, headers: dict[str, str], body: bytes) -> None:
        head = self._head(status, headers | {"Content-Length": str(len(body))})
        self.wfile.write(head + b"\r\n" + body[: len(body) // 2])
        self.server.carrier.wait(0.05)  # a reset overtakes bytes that are still on their way
        self._drop()

    def _send_drip(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """The head at once, the body a byte at a time."""
        carrier = self.server.carrier
        self.wfile.write(self._head(status, headers | {"Content-Length": str(len(body))}) + b"\r\n")
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            carrier.wait(carrier.settings.drip_seconds)

    def _send_huge(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Valid JSON as far as anybody reads: the answer, then blanks."""
        rest = max(0, self.server.carrier.settings.huge_bytes - len(body))
        self.wfile.write(self._head(status, headers | {"Content-Length": str(len(body) + rest)}) + b"\r\n" + body)
        blanks = b" " * 65536
        while rest > 0:
            self.wfile.write(blanks[:rest])
            rest -= len(blanks)
            self.server.carrier.wait(0)

    def _send_gzip_bomb(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """The answer, then blanks, packed about a thousand to one: small for whoever counts only the wire."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        blanks = b" " * 1_000_000
        packed = packer.compress(body)
        for _ in range(self.server.carrier.settings.bomb_bytes // len(blanks)):
            self.server.carrier.wait(0)
            packed += packer.compress(blanks)
        self._send_whole(status, headers | {"Content-Encoding": "gzip"}, packed + packer.flush())

    def _send_endless_headers(self, status: int, headers: dict[str, str], _body: bytes) -> None:
        """Header after header until the client has enough, or a minute has passed."""
        self.wfile.write(self._head(status, headers))
        for number in range(30_000):
            self.wfile.write(f"X-Filler-{number}: {'x' * 100}\r\n".encode())
            self.server.carrier.wait(0.002)
        self._drop()


class SandboxServer:
    """A carrier in a thread of this process: ``with SandboxServer() as carrier: httpx.get(carrier.url + "/wallet")``.

    ``carrier`` is the Carrier inside: its books, clock, faults, switches and settings may be read and set directly."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        state: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        any_host: bool = False,
    ) -> None:
        self.carrier = Carrier(settings, state)
        self._address = (host, port)
        self._any_host = any_host
        self._listener: _Listener | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """``http://host:port`` without a slash at the end; only while started."""
        if self._listener is None:
            raise RuntimeError("the sandbox carrier is not started")
        host, port = self._listener.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> SandboxServer:
        """Bind and serve. Raises OSError when the port is taken. After ``stop`` it starts again on the same port."""
        self.carrier.stopping.clear()
        self._listener = _Listener(self._address, self.carrier, self._any_host)
        self._address = (self._address[0], self._listener.server_address[1])
        self._thread = Thread(target=self._listener.serve, name="sandbox-carrier")
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection, and wait until the last thread has ended. Twice does no harm."""
        if self._listener is None or self._thread is None:
            return
        self.carrier.stopping.set()
        self._listener.ring()
        self._thread.join()
        for vendor in self.carrier.vendors.values():
            vendor.callbacks.stop()
        self._listener.hang_up()
        self._listener.server_close()
        self._listener = self._thread = None

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
