"""The wire against servers that misbehave on a real socket: it ends in time and never calls an unknown "never sent"."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
import socket
import ssl
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from pos.carriers import PROTOCOLS, wire
from pos.carriers.wire import LARGE_BODY_BYTES, SMALL_BODY_BYTES, Call, Deadline, NeverSent, NoAnswer, Reply, Wire
from pos.domain.money import Money
from pos.ports import Outcome, OutcomeState, ProductKind, Reason, Request
from tests.carriers.raw_server import answer, drip, pour, raw_server, say, silence, slam

SECONDS = 0.6  # the whole call; what a till gives is 20
LATE = 3.0  # what a busy machine may add; what is not cut at all takes far longer


def call(url: str, **more: object) -> Call:
    given: dict[str, object] = {"method": "POST", "url": url, "shown": "/thing", "body": b"{}", "ref": "T1-1"}
    return Call(**(given | more))  # type: ignore[arg-type]  # a typo in a test fails the test


def ask(url: str, seconds: float = SECONDS, **more: Any) -> Reply:
    return Wire("test").ask(call(url, **more), Deadline(seconds))


def no_answer(url: str, **more: Any) -> str:
    """The call fails as unknown, in time; the word why."""
    started = time.monotonic()
    with pytest.raises(NoAnswer) as fault:
        ask(url, **more)
    assert time.monotonic() - started < SECONDS + LATE
    return fault.value.why


def test_an_answer_comes_back_whole() -> None:
    with raw_server(say(answer(b'{"a":1}', "X-Total-Count: 3"))) as server:
        reply = ask(server.url)
    assert (reply.status, reply.body, reply.headers["x-total-count"]) == (200, b'{"a":1}', "3")


def test_the_request_asks_for_plain_bytes_and_tells_nothing_of_the_machine() -> None:
    with raw_server(say(answer(b""))) as server:
        ask(server.url)
        (sent,) = server.requests
    assert b"accept-encoding: identity" in sent.lower()
    assert b"user-agent: simcounter\r\n" in sent.lower()
    assert b"cookie" not in sent.lower()


@pytest.mark.parametrize("status", ["204 No Content", "301 Moved", "404 Not Found", "502 Bad Gateway"])
def test_every_status_is_an_answer(status: str) -> None:
    with raw_server(say(answer(b"", status=status))) as server:
        assert ask(server.url).status == int(status[:3])


def test_a_redirect_is_not_followed() -> None:
    with raw_server(say(answer(b"{}"))) as elsewhere:
        moved = answer(b"", f"Location: {elsewhere.url}", status="307 Temporary Redirect")
        with raw_server(say(moved)) as server:
            assert ask(server.url).status == 307
        assert elsewhere.requests == []


def test_a_cookie_is_not_kept() -> None:
    with raw_server(say(answer(b"", "Set-Cookie: a=b"))) as server:
        wire = Wire("test")
        for _ in range(2):
            wire.ask(call(server.url), Deadline(SECONDS))
        assert not any(b"cookie" in sent.lower() for sent in server.requests)


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with raw_server(say(answer(b"{}"))) as server:
        assert ask(server.url).status == 200


# Never sent


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_refused_connection_is_never_sent() -> None:
    with pytest.raises(NeverSent):
        ask(f"http://127.0.0.1:{refused_port()}/thing")


def test_an_unknown_name_is_never_sent() -> None:
    with pytest.raises(NeverSent) as fault:
        ask("http://no-such-host.invalid/thing", seconds=5)
    assert fault.value.why == "name"


def test_a_name_server_that_is_silent_is_never_sent_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def stuck(*_: object, **__: object) -> list[object]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    started = time.monotonic()
    with pytest.raises(NeverSent):
        ask("http://carrier.example/thing", seconds=0.3)  # a name reserved for examples; nothing asks for it here
    released.set()
    assert time.monotonic() - started < 0.3 + LATE


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse where Linux drops")
def test_a_connect_that_hangs_is_never_sent_after_the_connect_time() -> None:
    # A listener whose queue is full drops the handshake, as a firewall does.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for visitor in crowd:
            visitor.setblocking(False)
            visitor.connect_ex(listener.getsockname())
        wire = Wire("test", connect_seconds=0.2)
        started = time.monotonic()
        with pytest.raises(NeverSent):
            wire.ask(call(f"http://127.0.0.1:{listener.getsockname()[1]}/"), Deadline(10))
        assert time.monotonic() - started < 0.2 + LATE
        for visitor in crowd:
            visitor.close()


def test_nothing_is_sent_when_the_time_is_already_up() -> None:
    with raw_server(say(answer(b"{}"))) as server:
        with pytest.raises(NeverSent):
            ask(server.url, seconds=0)
        assert server.requests == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for ``localhost`` and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_trusted_certificate_is_spoken_to(certificate: Path) -> None:
    with raw_server(say(answer(b"{}")), server_side(certificate)) as server:
        trusting = ssl.create_default_context(cafile=str(certificate))
        wire = Wire("test", ssl_context=trusting)
        assert wire.ask(call(f"https://localhost:{server.port}/"), Deadline(5)).status == 200


def test_an_untrusted_certificate_is_never_sent(certificate: Path) -> None:
    with raw_server(say(answer(b"{}")), server_side(certificate)) as server:
        with pytest.raises(NeverSent) as fault:
            ask(f"https://localhost:{server.port}/", seconds=5)
        assert fault.value.why == "tls"
        assert server.requests == []


def test_a_certificate_of_another_host_is_never_sent(certificate: Path) -> None:
    with raw_server(say(answer(b"{}")), server_side(certificate)) as server:
        wire = Wire("test", ssl_context=ssl.create_default_context(cafile=str(certificate)))
        with pytest.raises(NeverSent) as fault:
            wire.ask(call(f"https://127.0.0.1:{server.port}/"), Deadline(5))
        assert fault.value.why == "tls"


def test_an_order_to_a_wrong_host_waits_with_a_reason_of_its_own(certificate: Path) -> None:
    """F5: nothing left, and it is the shop's to mend; a line that is only down is another reason."""
    request = Request("T1-1", "plan", ProductKind.PLAN, "+447700900123", Money(100, "GBP"), Money(100, "GBP"))

    def submit(port: int) -> Outcome:
        settings = {"base_url": f"https://127.0.0.1:{port}", "currencies": ["GBP"], "auth": {"kind": "none"}}
        return PROTOCOLS["tmforum"]("test", settings | {"ca_file": str(certificate)}).submit(request)

    with raw_server(say(answer(b"{}")), server_side(certificate)) as server:
        outcome = submit(server.port)
        assert server.requests == []
    assert (outcome.state, outcome.reason) == (OutcomeState.NOT_SENT, Reason.CERTIFICATE)
    assert submit(refused_port()).reason is Reason.UNREACHABLE


def test_a_handshake_that_hangs_is_never_sent_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(NeverSent):
            ask(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        assert time.monotonic() - started < SECONDS + LATE


# Unknown


def test_silence_is_unknown_at_the_deadline() -> None:
    with raw_server(silence) as server:
        assert no_answer(server.url) == "ReadTimeout"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: a\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Endless: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["status line", "headers", "one header", "informational", "body", "chunks", "chunk size"],
)
def test_a_dripping_server_is_cut_at_the_deadline(head: bytes, piece: bytes) -> None:
    with raw_server(drip(head, piece)) as server:
        no_answer(server.url)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"a" * 1000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Endless: ", b"a" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b"a" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b"a" * 0xFFFF + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536),
    ],
    ids=["headers", "one header", "informational", "told length", "chunks", "until close"],
)
def test_a_pouring_server_is_cut_without_filling_the_memory(head: bytes, piece: bytes) -> None:
    with raw_server(pour(head, piece)) as server:
        tracemalloc.start()
        try:
            no_answer(server.url)
            assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("limit", [SMALL_BODY_BYTES, LARGE_BODY_BYTES])
def test_the_limit_is_exact(limit: int) -> None:
    with raw_server(say(answer(b"a" * limit))) as server:
        assert len(ask(server.url, seconds=5, limit_bytes=limit).body) == limit
    with raw_server(say(answer(b"a" * (limit + 1)))) as server:
        assert no_answer(server.url, limit_bytes=limit) == "too_large"


def test_the_limit_is_exact_for_an_answer_that_does_not_tell_its_length() -> None:
    for length, wanted in ((SMALL_BODY_BYTES, None), (SMALL_BODY_BYTES + 1, "too_large")):
        untold = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"a" * length
        with raw_server(say(untold)) as server:
            found = None if wanted is None and ask(server.url, seconds=5) else no_answer(server.url)
        assert found == wanted


def test_a_gzip_bomb_is_measured_unpacked() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < SMALL_BODY_BYTES
    with raw_server(say(answer(bomb, "Content-Encoding: gzip"))) as server:
        tracemalloc.start()
        try:
            assert no_answer(server.url) == "too_large"
            assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
        finally:
            tracemalloc.stop()


def test_gzip_that_nobody_asked_for_is_still_read() -> None:
    with raw_server(say(answer(gzip.compress(b'{"a":1}'), "Content-Encoding: gzip"))) as server:
        assert ask(server.url).body == b'{"a":1}'


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"xx"), ("gzip, gzip", b"xx"), ("gzip", b"no gzip"), ("gzip", gzip.compress(b"abc" * 99)[:-9])],
    ids=["brotli", "twice", "not gzip", "cut"],
)
def test_an_answer_that_cannot_be_unpacked_is_unknown(encoding: str, body: bytes) -> None:
    with raw_server(say(answer(body, f"Content-Encoding: {encoding}"))) as server:
        no_answer(server.url)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["nothing", "no HTTP", "cut body", "cut chunk", "length below zero"],
)
def test_a_cut_answer_is_unknown(said: bytes) -> None:
    with raw_server(say(said)) as server:
        no_answer(server.url)


def test_a_reset_after_the_request_is_unknown() -> None:
    with raw_server(slam) as server:
        no_answer(server.url)


def test_a_reset_in_the_middle_of_the_answer_is_unknown() -> None:
    def talk(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
        stopped.wait(0.1)
        slam(connection, stopped)

    with raw_server(talk) as server:
        no_answer(server.url)


def test_nothing_is_ever_sent_twice() -> None:
    for talk in (slam, say(b""), say(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")):
        with raw_server(talk) as server:
            no_answer(server.url)
            assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (httpx2.ConnectError("x"), NeverSent),
        (httpx2.ConnectTimeout("x"), NeverSent),
        (httpx2.PoolTimeout("x"), NeverSent),
        (httpx2.ReadTimeout("x"), NoAnswer),
        (httpx2.WriteTimeout("x"), NoAnswer),
        (httpx2.WriteError("x"), NoAnswer),
        (httpx2.ReadError("x"), NoAnswer),
        (httpx2.CloseError("x"), NoAnswer),
        (httpx2.RemoteProtocolError("x"), NoAnswer),
        (httpx2.LocalProtocolError("x"), NoAnswer),
        (httpx2.ProxyError("x"), NoAnswer),
        (httpx2.UnsupportedProtocol("x"), NoAnswer),
        (httpx2.DecodingError("x"), NoAnswer),
        (OSError("x"), NoAnswer),
        (MemoryError("x"), NoAnswer),
        (KeyError("a class nobody thought of"), NoAnswer),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_fault_not_listed_is_unknown(fault: Exception, expected: type[Exception]) -> None:
    def raising(_request: httpx2.Request) -> httpx2.Response:
        raise fault

    with pytest.raises(expected):
        Wire("test", transport=httpx2.MockTransport(raising)).ask(call("http://x/"), Deadline(1))


def test_a_fault_after_the_first_byte_is_unknown_whatever_its_class_says() -> None:
    def raising(_request: httpx2.Request) -> httpx2.Response:
        wire._thread.progress.wrote = True
        raise httpx2.ConnectError("says a library that has changed its mind")

    with pytest.raises(NoAnswer):
        Wire("test", transport=httpx2.MockTransport(raising)).ask(call("http://x/"), Deadline(1))


@pytest.mark.parametrize("name", ["\x00", "a b", "http://", "ftp://x/", "http://[::1", "http://" + "a" * 300 + "/"])
def test_an_address_that_is_none_is_no_crash(name: str) -> None:
    with pytest.raises((NeverSent, NoAnswer)):
        ask(name)


# The log


def test_the_log_tells_the_call_and_nothing_private(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {"Authorization": "Bearer tell-nobody"}
    with raw_server(say(answer(b'{"secret":"body-back"}'))) as server, capture_logs() as lines:
        ask(f"{server.url}?number=%2B447700900123", headers=secret, body=b'{"n":"+447700900123"}', seconds=5)
    (line,) = lines
    assert {**line, "milliseconds": 0} == {
        "event": "carrier call",
        "log_level": "info",
        "carrier": "test",
        "method": "POST",
        "path": "/thing",
        "ref": "T1-1",
        "status": 200,
        "milliseconds": 0,
    }
    told = repr(lines) + caplog.text
    for private in ("447700900123", "tell-nobody", "body-back"):
        assert private not in told


def test_the_log_tells_a_failure_without_its_text() -> None:
    bad = {"Authorization": "Bearer tell\r\nnobody"}
    with raw_server(silence) as server, capture_logs() as lines, pytest.raises(NoAnswer) as fault:
        ask(server.url, headers=bad)
    (line,) = lines
    assert (line["log_level"], line["outcome"]) == ("warning", "no answer")
    assert "nobody" not in repr(line) + repr(fault.value) + repr(fault.value.__cause__)


def test_reprs_hide_what_is_private() -> None:
    shown = repr(call("http://x/?n=+447700900123", headers={"a": "tell-nobody"}, body=b"tell-nobody"))
    shown += repr(Reply(200, {"a": "tell-nobody"}, b"tell-nobody"))
    assert "tell-nobody" not in shown
    assert "7700900123" not in shown


# Threads


def test_threads_share_a_wire_and_each_keeps_its_own_deadline() -> None:
    wire = Wire("test")
    ends: dict[float, float] = {}

    def one(url: str, seconds: float) -> None:
        started = time.monotonic()
        with pytest.raises(NoAnswer):
            wire.ask(call(url), Deadline(seconds))
        ends[seconds] = time.monotonic() - started

    with raw_server(drip(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n")) as server:
        threads = [threading.Thread(target=one, args=(server.url, s)) for s in (0.6, 0.9, 1.2, 1.5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert all(seconds <= took < seconds + LATE for seconds, took in ends.items())
    assert len(ends) == 4


@pytest.mark.parametrize("make", [lambda: Deadline(0.05)])
def test_a_deadline_counts_down_to_zero_and_no_further(make: Callable[[], Deadline]) -> None:
    deadline = make()
    assert 0 < deadline.remaining() <= 0.05
    time.sleep(0.06)
    assert deadline.remaining() == 0.0
