"""The transport against a printer that fails in every way the printing reference names."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from socket_printer import Behaviour, SocketPrinter, listening

from receipts.printer import Answer, Marker, PrinterSettings, Reason, Result, StatusMode, Transport, send

DATA = b"\x1b@" + bytes(range(0x20, 0x7F)) * 500 + b"\x1dVB\x00"
QUICK = PrinterSettings(
    "127.0.0.1",
    connect_seconds=1,
    status_seconds=0.25,
    write_seconds=0.4,
    marker_seconds=0.6,
    drain_seconds=0.3,
    total_seconds=5,
)
PRINTED, SENT = Answer(Result.PRINTED), Answer(Result.SENT)


def yes() -> bool:
    return True


def print_on(printer: SocketPrinter, data: bytes = DATA, **changes: object) -> Answer:
    settings = replace(QUICK, address=printer.host, port=printer.port, **changes)  # type: ignore[arg-type]
    return send(lambda: data, settings, yes)


def job_of(printer: SocketPrinter) -> bytes:
    """What the printer got, without status requests and marker."""
    printer.thread.join(timeout=6)
    content = bytes(printer.received)
    while content[:2] == b"\x10\x04":
        content = content[3:]
    return content.removesuffix(b"\x1dr\x01")


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        pytest.param(Behaviour(), PRINTED, id="ok"),
        pytest.param(Behaviour(bytes_per_second=150_000), PRINTED, id="slow"),
        pytest.param(Behaviour(status={}), PRINTED, id="no DLE EOT but GS r"),
        pytest.param(Behaviour(chatter=b"\x14\x00\x00\x0f"), PRINTED, id="ASB unasked"),
        pytest.param(Behaviour(prelude=b"\x13\x14\x00\x00\x0f\x12"), PRINTED, id="garbage before the answer"),
        pytest.param(Behaviour(status={1: 0x12, 2: 0x12, 4: 0x1E}), replace(PRINTED, near_end=True), id="near end"),
        pytest.param(Behaviour(marker=0x03), replace(PRINTED, near_end=True), id="near end told by the marker"),
    ],
)
def test_the_whole_job_arrives_and_is_confirmed(behaviour: Behaviour, answer: Answer) -> None:
    with listening(behaviour) as printer:
        assert print_on(printer, marker_seconds=2) == answer
        assert job_of(printer) == DATA


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param({1: 0x1A, 2: 0x12, 4: 0x7E}, Reason.PAPER_OUT, id="paper end"),
        pytest.param({1: 0x1A, 2: 0x32, 4: 0x12}, Reason.PAPER_OUT, id="stopped by paper end"),
        pytest.param({1: 0x1A, 2: 0x16, 4: 0x12}, Reason.COVER_OPEN, id="cover open"),
        pytest.param({1: 0x1A, 2: 0x12, 4: 0x12}, Reason.OFFLINE, id="offline"),
    ],
)
def test_a_printer_that_is_not_ready_gets_no_byte_of_the_job(status: dict[int, int], reason: Reason) -> None:
    with listening(Behaviour(status=status)) as printer:
        answer = print_on(printer)
        assert (answer.result, answer.reason) == (Result.NOT_READY, reason)
        assert job_of(printer) == b""
        assert len(printer.received) == 9


@pytest.mark.parametrize("status", StatusMode)
def test_a_mute_printer_without_marker_ends_as_sent(status: StatusMode) -> None:
    with listening(Behaviour(status={}, marker=None)) as printer:
        assert print_on(printer, marker=Marker.NONE, status=status) == SENT
        assert job_of(printer) == DATA
        assert (b"\x10\x04" in printer.received) is (status is StatusMode.DLE_EOT)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        pytest.param(Behaviour(status={}, marker=None), Reason.NO_CONFIRMATION, id="mute"),
        pytest.param(Behaviour(stalls=True), Reason.NO_CONFIRMATION, id="stall"),
        pytest.param(Behaviour(resets=True), Reason.CONNECTION_LOST, id="reset"),
        pytest.param(Behaviour(marker=0x0C), Reason.PAPER_OUT, id="paper ended under way"),
        pytest.param(Behaviour(chatter=b"\x13\x14\x00"), Reason.NO_CONFIRMATION, id="half an ASB group"),
    ],
)
def test_a_job_without_confirmation_is_uncertain(behaviour: Behaviour, reason: Reason) -> None:
    with listening(behaviour) as printer:
        assert print_on(printer) == Answer(Result.UNCERTAIN, reason)


def test_a_write_that_is_not_taken_is_uncertain() -> None:
    with listening(Behaviour(stalls=True)) as printer:
        assert print_on(printer, DATA * 200) == Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)


def test_a_reset_undoes_a_mere_sent() -> None:
    with listening(Behaviour(resets=True)) as printer:
        answer = print_on(printer, marker=Marker.NONE)
        assert answer == Answer(Result.UNCERTAIN, Reason.CONNECTION_LOST)


def test_an_epson_confirms_with_the_digits_of_this_job() -> None:
    with listening(Behaviour()) as printer:
        assert print_on(printer, marker=Marker.GS_H) == PRINTED
        assert job_of(printer)[:-11] == DATA
    with listening(Behaviour(marker=None, chatter=b"\x37\x220000\x00")) as printer:
        assert print_on(printer, marker=Marker.GS_H) == Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)


def test_nobody_listening_is_not_ready() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert send(lambda: DATA, replace(QUICK, port=port), yes) == Answer(Result.NOT_READY, Reason.UNREACHABLE)


def test_a_host_name_that_cannot_be_one_is_not_ready() -> None:
    assert send(lambda: DATA, replace(QUICK, address="x" * 70), yes) == Answer(Result.NOT_READY, Reason.UNREACHABLE)


def test_a_printer_that_closes_at_once_is_not_ready() -> None:
    asked: list[bool] = []
    with listening(Behaviour(closes_at_once=True)) as printer:
        settings = replace(QUICK, port=printer.port)
        assert send(lambda: DATA, settings, lambda: not asked.append(True)) == Answer(Result.NOT_READY, Reason.UNREACHABLE)
    assert not asked


def test_the_caller_may_still_say_no() -> None:
    with listening(Behaviour()) as printer:
        assert send(lambda: DATA, replace(QUICK, port=printer.port), lambda: False) == Answer(Result.NOT_READY)
        assert job_of(printer) == b""


def test_what_the_caller_raises_passes_through_and_nothing_is_sent() -> None:
    def lost() -> bool:
        raise RuntimeError("the lease is gone")

    with listening(Behaviour()) as printer:
        with pytest.raises(RuntimeError, match="lease"):
            send(lambda: DATA, replace(QUICK, port=printer.port), lost)
        assert job_of(printer) == b""


def test_nothing_is_drawn_for_a_printer_that_is_not_ready() -> None:
    drawn: list[bytes] = []

    def draw() -> bytes:
        drawn.append(DATA)
        return DATA

    with listening(Behaviour(status={1: 0x1A, 2: 0x12, 4: 0x7E})) as printer:
        assert send(draw, replace(QUICK, port=printer.port), yes).reason is Reason.PAPER_OUT
    assert not drawn


def test_what_cannot_be_drawn_is_not_sent_and_not_marked() -> None:
    asked: list[bool] = []

    def draw() -> bytes:
        raise ValueError("no such glyph")

    with listening(Behaviour()) as printer:
        with pytest.raises(ValueError, match="glyph"):
            send(draw, replace(QUICK, port=printer.port), lambda: not asked.append(True))
        assert job_of(printer) == b""
    assert not asked


def test_the_caller_is_asked_once_after_the_status_and_before_the_job() -> None:
    seen: list[int] = []
    with listening(Behaviour()) as printer:

        def note() -> bool:
            seen.append(len(printer.received))
            return True

        assert send(lambda: DATA, replace(QUICK, port=printer.port), note) == PRINTED
    assert seen == [9]


def test_the_whole_job_has_a_limit_of_its_own() -> None:
    with listening(Behaviour(stalls=True)) as printer:
        started = time.monotonic()
        answer = print_on(printer, marker_seconds=15, write_seconds=10, total_seconds=0.5)
        assert answer == Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)
        assert time.monotonic() - started < 2


def families() -> list[int]:
    """IPv4, and IPv6 where this machine has it."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return [socket.AF_INET]
    return [socket.AF_INET, socket.AF_INET6]


@pytest.mark.parametrize("family", families())
def test_both_kinds_of_address_work(family: int) -> None:
    with listening(Behaviour(), family) as printer:
        assert print_on(printer) == PRINTED
        assert job_of(printer) == DATA


def test_a_file_gets_the_bytes_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "printer.bin"
    settings = PrinterSettings(str(path), transport=Transport.FILE)
    assert send(lambda: b"one", settings, yes) == SENT
    assert send(lambda: b"two", settings, lambda: False) == Answer(Result.NOT_READY)
    assert send(lambda: b"three", settings, yes) == SENT
    assert path.read_bytes() == b"onethree"


def test_a_file_that_cannot_be_opened_is_not_ready(tmp_path: Path) -> None:
    settings = PrinterSettings(str(tmp_path / "missing" / "lp0"), transport=Transport.FILE)
    assert send(lambda: b"one", settings, yes) == Answer(Result.NOT_READY, Reason.UNREACHABLE)


def test_settings_that_were_kept_as_plain_words_mean_the_same() -> None:
    kept = PrinterSettings("192.0.2.1", transport="file", marker="none", status="none")  # type: ignore[arg-type]
    assert (kept.transport, kept.marker, kept.status) == (Transport.FILE, Marker.NONE, StatusMode.NONE)
    assert kept.transport is Transport.FILE and kept.marker is Marker.NONE and kept.status is StatusMode.NONE
    with pytest.raises(ValueError, match="'pigeon'"):
        PrinterSettings("192.0.2.1", transport="pigeon")  # type: ignore[arg-type]
