"""The one road to a carrier over HTTP: it tells *never sent* from *unknown*, and it always ends in time.

What may go wrong, drawn as a tree::

    WireFault
    ├── NeverSent   no byte of the request left: the same attempt may go again
    └── NoAnswer    it may have arrived: nobody knows until somebody asks

Every failure that is not listed as never sent counts as unknown, because a wrong "never sent" renews a plan twice.

We speak to httpx2's transport and leave its ``Client`` out: a client follows redirects when told to, keeps cookies of
strangers, reads proxies from the environment and logs whole addresses, and ours hold phone numbers."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from typing import Any

import httpcore2
import httpx2
import structlog

SMALL_BODY_BYTES = 64 * 1024  # answers to submit and find (renewal-protocol 3)
LARGE_BODY_BYTES = 2 * 1024 * 1024  # a page of a catalogue or of a statement
CONNECT_SECONDS = 5.0

# httpx2's own exceptions come from test transports, httpcore2's from the pool; both say that no connection was made.
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
)

# At DEBUG these libraries write addresses and headers; phone numbers and tokens must not reach any log.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_log = structlog.get_logger("pos.carriers")


class WireFault(Exception):
    """``why`` is one word for the log: the class of a fault or one of deadline, tls, name, too_large, encoding, cut."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NeverSent(WireFault):
    """No connection, no handshake, no name: nothing of the request left this machine."""


class NoAnswer(WireFault):
    """Silence, a reset, a cut or oversized answer: the request may have been carried out."""


@dataclass(frozen=True)
class Reply:
    """What came back, whole and within its limit. Header names are lower case; the body is hidden in ``repr``."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Deadline:
    """The moment a whole piece of work must end, however many requests it takes. Seconds of the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._ends_at - time.monotonic())


@dataclass(frozen=True)
class Call:
    """One request. ``shown`` is its path as a template without query, the only part of the address that is logged."""

    method: str
    url: str = field(repr=False)
    shown: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    ref: str | None = None
    limit_bytes: int = SMALL_BODY_BYTES


class Wire:
    """Sends a call once and reads its answer. Safe to share between threads; holds no open connection between calls.

    A kept connection that the far end closes at the wrong moment is the commonest unknown outcome there is; a fresh
    handshake costs less than one customer waiting for a look-up."""

    def __init__(
        self,
        carrier: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._carrier = carrier
        self._connect_seconds = connect_seconds
        self.clock_ahead: timedelta | None = None  # by how much the far end's clock was before ours at its last answer
        self._transport = transport or _PunctualTransport(ssl_context)

    def ask(self, call: Call, deadline: Deadline) -> Reply:
        """Send ``call`` once. Raises NeverSent or NoAnswer and nothing else; any status is a Reply, also a redirect."""
        started = time.monotonic()
        try:
            reply = self._exchange(call, deadline)
        except WireFault as fault:
            told = "never sent" if isinstance(fault, NeverSent) else "no answer"
            self._tell(call, started, outcome=told, why=fault.why)
            raise
        self._tell(call, started, status=reply.status)
        self._hear_the_time(reply)
        return reply

    def _hear_the_time(self, reply: Reply) -> None:
        """RFC 9110 6.6.1; what cannot be read tells nothing."""
        try:
            told = parsedate_to_datetime(reply.headers.get("date", ""))
        except (ValueError, OverflowError):
            return
        if told.tzinfo is not None:
            self.clock_ahead = told - datetime.now(UTC)

    def close(self) -> None:
        """Let go of what the transport holds."""
        self._transport.close()

    def _exchange(self, call: Call, deadline: Deadline) -> Reply:
        if not deadline.remaining():
            raise NeverSent("deadline")
        _thread.progress = progress = _Progress(deadline)
        try:
            with closing(self._transport.handle_request(self._request(call, deadline))) as response:
                return _whole(response, call.limit_bytes, deadline)
        except WireFault:
            raise
        except _NEVER_SENT as fault:
            # The second lock on the door: whatever its class says, a fault after the first byte is not "never sent".
            raise (NoAnswer if progress.wrote else NeverSent)(progress.why or type(fault).__name__) from None
        except Exception as fault:  # noqa: BLE001 - any class not listed is an unknown outcome, never an error page
            # Without its cause: messages of protocol errors quote header values, and one of ours is the token.
            raise NoAnswer(type(fault).__name__) from None

    def _request(self, call: Call, deadline: Deadline) -> httpx2.Request:
        # Identity: a compressed answer would hide its true size from the limit. If one comes anyway, it is measured.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "simcounter"}
        seconds = deadline.remaining()
        timeouts = {"connect": min(self._connect_seconds, seconds), "read": seconds, "write": seconds, "pool": seconds}
        return httpx2.Request(
            call.method,
            call.url,
            headers=headers | dict(call.headers),
            content=call.body or None,
            extensions={"timeout": timeouts},
        )

    def _tell(self, call: Call, started: float, **facts: object) -> None:
        tell = _log.info if "status" in facts else _log.warning
        milliseconds = int((time.monotonic() - started) * 1000)
        tell(
            "carrier call",
            carrier=self._carrier,
            method=call.method,
            path=call.shown,
            ref=call.ref,
            milliseconds=milliseconds,
            **facts,
        )


def _whole(response: httpx2.Response, limit_bytes: int, deadline: Deadline) -> Reply:
    """Read the answer to its end, or stop at the limit of bytes or time."""
    if response.headers.get("content-length", "").isdigit() and int(response.headers["content-length"]) > limit_bytes:
        raise NoAnswer("too_large")
    if not isinstance(response.stream, Iterable):
        raise NoAnswer("stream")
    body = bytearray()
    for chunk in response.stream:
        body += chunk
        if len(body) > limit_bytes:
            raise NoAnswer("too_large")
        if not deadline.remaining():
            raise NoAnswer("deadline")
    headers = {name.lower(): value for name, value in response.headers.items()}
    plain = _unpacked(bytes(body), headers.get("content-encoding", "identity").strip().lower(), limit_bytes)
    return Reply(response.status_code, headers, plain)


def _unpacked(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """The answer as it was before a gateway packed it unasked; the limit holds for the unpacked bytes too."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise NoAnswer("encoding")
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    plain = unpacker.decompress(body, limit_bytes + 1)
    if len(plain) > limit_bytes:
        raise NoAnswer("too_large")
    if not unpacker.eof:
        raise NoAnswer("cut")
    return plain


# --- the deadline below the HTTP library ---------------------------------------------------------------------------
#
# The library's time-outs are per phase and per read, so a server that drips one byte a second, also inside a header,
# never trips one. Every wait on the socket is therefore cut to what is left of the whole call. A call runs in one
# thread from start to end; the thread carries its deadline. No signals: shops run Windows.


@dataclass
class _Progress:
    """``wrote`` once a byte of the request was handed over; ``why`` a better word than the library's for a fault."""

    deadline: Deadline
    wrote: bool = False
    why: str | None = None


class _Thread(threading.local):
    progress: _Progress


_thread = _Thread()


class _PunctualTransport(httpx2.HTTPTransport):
    """httpx2's transport over a pool whose sockets know the deadline; nothing is repeated, no connection is kept."""

    def __init__(self, ssl_context: ssl.SSLContext | None) -> None:
        context = ssl_context or httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False, retries=0)
        # The transport offers no place for a network backend, its pool does. The header-drip test guards this line.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, retries=0, max_keepalive_connections=0, network_backend=_PunctualBackend()
        )


class _PunctualBackend(httpcore2.NetworkBackend):
    """Connects within the connect time, counted over name look-up and every address of the name together."""

    def __init__(self) -> None:
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        within = Deadline(_left(timeout, httpcore2.ConnectTimeout))
        addresses = _addresses(host, port, within.remaining())
        for untried, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            seconds = _left(within.remaining() / untried, httpcore2.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if untried == 1:
                    raise
            else:
                return _PunctualStream(stream)
        raise httpcore2.ConnectError("the name has no address")


class _PunctualStream(httpcore2.NetworkStream):
    """A connection on which no wait outlives the call."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _thread.progress.wrote = True
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        seconds = _left(timeout, httpcore2.ConnectTimeout)
        try:
            return _PunctualStream(self._stream.start_tls(ssl_context, server_hostname, seconds))
        except httpcore2.ConnectError:
            # A certificate that does not fit is the manager's to mend (F5), so it has a word of its own.
            _thread.progress.why = "tls"
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, too_late: type[Exception]) -> float:
    """Seconds this one wait may take; zero would mean "do not wait at all" to a socket, so it raises instead."""
    remaining = _thread.progress.deadline.remaining()
    seconds = remaining if timeout is None else min(timeout, remaining)
    if seconds <= 0:
        raise too_late("deadline")
    return seconds


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a name, in the system's order. Its look-up knows no time-out, so a thread does the waiting.

    Raises httpcore2.ConnectError or ConnectTimeout. A thread that is left behind ends when the resolver gives up."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    answer: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as fault:  # the latter: no name at all, for instance 64 letters without a dot
            answer.put(fault)

    threading.Thread(target=look_up, name="carrier-name", daemon=True).start()
    _thread.progress.why = "name"
    try:
        found = answer.get(timeout=seconds)
    except Empty:
        raise httpcore2.ConnectTimeout("name") from None
    if isinstance(found, Exception):
        raise httpcore2.ConnectError("name") from found
    _thread.progress.why = None
    return found
