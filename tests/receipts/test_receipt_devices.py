"""Printers without a network address: nothing is sent twice, nothing hangs, and nothing claims to be printed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from receipts.devices import seconds_for, written
from receipts.printer import Answer, PrinterSettings, Reason, Result, Transport, send

DATA = bytes(range(256)) * 40
LOST = Answer(Result.UNCERTAIN, Reason.CONNECTION_LOST)
AWAY = Answer(Result.NOT_READY, Reason.UNREACHABLE)
posix = pytest.mark.skipif(os.name != "posix", reason="stands in for a device by a POSIX terminal or script")


class Asked:
    """What ``before_first_byte`` was asked, and what it says."""

    def __init__(self, says: bool = True) -> None:
        self.says, self.times = says, 0

    def __call__(self) -> bool:
        self.times += 1
        return self.says


@pytest.mark.parametrize(
    "settings",
    [
        PrinterSettings("ffff:ffff", transport=Transport.USB),
        PrinterSettings("/dev/no-such-line", transport=Transport.SERIAL),
        PrinterSettings("no such printer", transport=Transport.WINDOWS),
    ],
    ids=lambda settings: settings.transport,
)
def test_a_device_that_is_not_there_is_not_ready(settings: PrinterSettings) -> None:
    """Also where its library is not installed: the other printers go on."""
    asked = Asked()
    assert send(lambda: DATA, settings, asked) == AWAY
    assert asked.times == 0


class Stub:
    """A device that takes some bytes."""

    def __init__(self, room: int, fault: type[Exception], slow: bool = False) -> None:
        self.room, self.fault, self.taken, self.slow = room, fault, bytearray(), slow

    def write(self, data: bytes) -> None:
        if len(self.taken) + len(data) > self.room:
            raise self.fault
        self.taken += data

    def finish(self, until: float) -> None:
        if self.slow:
            raise TimeoutError

    def close(self) -> None:
        pass


def test_what_happens_after_the_first_byte() -> None:
    soon = time.monotonic() + 5
    whole = Stub(len(DATA), OSError)
    assert written(whole, DATA, soon) == Answer(Result.SENT)
    assert bytes(whole.taken) == DATA
    assert written(Stub(1000, OSError), DATA, soon) == LOST
    assert written(Stub(1000, TimeoutError), DATA, soon).reason is Reason.NO_CONFIRMATION
    assert written(Stub(len(DATA), OSError, slow=True), DATA, soon).reason is Reason.NO_CONFIRMATION
    assert written(Stub(len(DATA), OSError), DATA, time.monotonic() - 1).result is Result.UNCERTAIN


def test_a_slow_line_has_the_time_it_needs() -> None:
    line = PrinterSettings("/dev/ttyS0", transport=Transport.SERIAL)
    assert seconds_for(72_000, line) == 30 + 75
    assert seconds_for(72_000, replace(line, baud=115200)) == 30 + 6.25
    assert seconds_for(72_000, replace(line, transport=Transport.WINDOWS)) == 30


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """A pseudo terminal: (the printer's end, the name of ours)."""
    import pty
    import tty

    printer, ours = pty.openpty()
    tty.setraw(ours)
    yield printer, os.ttyname(ours)
    os.close(printer)
    os.close(ours)


@posix
def test_a_serial_line_gets_every_byte(line: tuple[int, str]) -> None:
    printer, name = line
    received = bytearray()

    def read() -> None:
        while len(received) < len(DATA):
            received.extend(os.read(printer, 4096))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    settings = PrinterSettings(name, transport=Transport.SERIAL, baud=115200, dsr_dtr=False)
    assert send(lambda: DATA, settings, Asked()) == Answer(Result.SENT)
    reader.join(5)
    assert bytes(received) == DATA
    assert send(lambda: DATA, settings, Asked(False)) == Answer(Result.NOT_READY)


@posix
def test_a_serial_printer_that_takes_no_more_is_a_question(line: tuple[int, str]) -> None:
    settings = PrinterSettings(
        line[1], transport=Transport.SERIAL, baud=115200, dsr_dtr=False, write_seconds=0.3, total_seconds=0.5
    )
    began = time.monotonic()
    assert send(lambda: DATA * 30, settings, Asked()).result is Result.UNCERTAIN
    assert time.monotonic() - began < 5


LP = """#!{python}
import sys, time
from pathlib import Path
here = Path(__file__).parent
assert sys.argv[1:] == ["-s", "-o", "raw", "-d", "receipts"], sys.argv
mood = (here / "mood").read_text()
if mood == "refuses":
    sys.exit(1)
if mood == "hangs":
    time.sleep(30)
(here / "spooled").write_bytes(sys.stdin.buffer.read())
"""


@posix
@pytest.mark.parametrize(
    ("mood", "answer"),
    [
        ("takes", Answer(Result.SENT)),
        ("refuses", AWAY),
        ("hangs", Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)),
    ],
)
def test_the_spooler_of_cups(mood: str, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lp").write_text(LP.format(python=sys.executable), encoding="utf-8")
    (tmp_path / "lp").chmod(0o755)
    (tmp_path / "mood").write_text(mood, encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = PrinterSettings("receipts", transport=Transport.CUPS, total_seconds=3 if mood != "hangs" else 0.5)
    assert send(lambda: DATA, settings, Asked()) == answer
    if mood == "takes":
        assert (tmp_path / "spooled").read_bytes() == DATA


def test_without_cups_the_printer_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert send(lambda: DATA, PrinterSettings("receipts", transport=Transport.CUPS), Asked()) == AWAY
    asked = Asked(False)
    assert send(lambda: DATA, PrinterSettings("receipts", transport=Transport.CUPS), asked) == Answer(Result.NOT_READY)


@pytest.mark.parametrize(
    ("transport", "address"),
    [
        (Transport.USB, "04b8"),
        (Transport.USB, "04b8:0e15x"),
        (Transport.CUPS, "-o fit"),
        (Transport.CUPS, "-oraw"),
        (Transport.CUPS, "a b"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(transport: Transport, address: str) -> None:
    with pytest.raises(ValueError):
        PrinterSettings(address, transport=transport)
    with pytest.raises(ValueError):
        PrinterSettings("COM3", transport=Transport.SERIAL, baud=1234)
