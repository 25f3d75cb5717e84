"""Printers that are no network address: USB, serial line, the spoolers of Windows and CUPS. None of them says that paper came
out, so a job ends as sent, and the clerk looks at the paper.

python-escpos opens USB, serial and Windows (`simcounter[printers]`), a new object for each job: after one failed opening its
objects only raise. CUPS takes the job from `lp`, because its Python package needs a compiler on the shop's computer."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any, Protocol

from receipts.answers import Answer, Reason, Result
from receipts.collector import dummy_class
from receipts.settings import PrinterSettings, Transport

WRITE_BYTES = 512
BITS_OF_A_BYTE = 10  # on a serial line, with start and stop


class CannotOpen(Exception):
    """There is no such device, or its library is not installed. Nothing was sent."""


class Device(Protocol):
    """One open device. ``write`` and ``finish`` raise one of ``faults`` or TimeoutError when it does not take the bytes."""

    def write(self, data: bytes) -> None: ...

    def finish(self, until: float) -> None: ...

    def close(self) -> None: ...


def send_over_device(data: Callable[[], bytes], settings: PrinterSettings, before_first_byte: Callable[[], bool]) -> Answer:
    """See ``receipts.printer.send``."""
    if settings.transport is Transport.CUPS:
        return send_over_cups(data, settings, before_first_byte)
    try:
        device = OPENERS[settings.transport](settings)
    except CannotOpen:
        return Answer(Result.NOT_READY, Reason.UNREACHABLE)
    try:
        content = data()
        if not before_first_byte():
            return Answer(Result.NOT_READY)
        return written(device, content, time.monotonic() + seconds_for(len(content), settings))
    finally:
        device.close()


def written(device: Device, content: bytes, until: float) -> Answer:
    """In small pieces, so that a device that stops is noticed before everything lies in a buffer."""
    try:
        for start in range(0, len(content), WRITE_BYTES):
            if time.monotonic() > until:
                raise TimeoutError
            device.write(content[start : start + WRITE_BYTES])
        device.finish(until)
    except TimeoutError:
        return Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)
    except faults():
        return Answer(Result.UNCERTAIN, Reason.CONNECTION_LOST)
    return Answer(Result.SENT)


def seconds_for(size: int, settings: PrinterSettings) -> float:
    """How long a job may take: a picture needs more than a minute at 9600 baud."""
    line = size * BITS_OF_A_BYTE / settings.baud if settings.transport is Transport.SERIAL else 0
    return settings.total_seconds + line


def faults() -> tuple[type[Exception], ...]:
    """What the libraries raise when a device is gone; pywintypes' own error is no OSError."""
    dummy_class()  # imports the library with its side effects undone
    from escpos.exceptions import Error

    found: list[type[Exception]] = [OSError, Error, AssertionError, RuntimeError]
    try:
        import pywintypes
    except ImportError:
        return tuple(found)
    return (*found, pywintypes.error)


class Wired:
    """USB and Windows: what was written is with the system."""

    def __init__(self, printer: Any) -> None:
        self.printer = printer

    def write(self, data: bytes) -> None:
        self.printer._raw(data)

    def finish(self, until: float) -> None:
        pass

    def close(self) -> None:
        self.printer.close()


class SerialLine(Wired):
    """A serial line is slow and may be stopped by the printer: what lies in the buffer is not yet sent."""

    drained = False

    def finish(self, until: float) -> None:
        while self.printer.device.out_waiting:
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(0.02)
        self.drained = True

    def close(self) -> None:
        """Not through the library: its close waits for a printer that may never take the rest."""
        if not self.drained:
            self.printer.device.reset_output_buffer()
        self.printer.device.close()


def opened(kind: str, *arguments: object, **options: object) -> Any:
    """An open printer of the library. Raises CannotOpen."""
    dummy_class()
    import escpos.printer

    made = getattr(escpos.printer, kind)
    if not made.is_usable():
        raise CannotOpen(f"the library behind {kind} is not installed")
    wrong = faults()
    try:
        printer = made(*arguments, **options)
        printer.open()
    except wrong as fault:
        raise CannotOpen from fault
    return printer


def open_usb(settings: PrinterSettings) -> Device:
    vendor, product = (int(part, 16) for part in settings.address.split(":"))
    milliseconds = int(settings.write_seconds * 1000)  # its own default waits for ever
    return Wired(opened("Usb", vendor, product, timeout=milliseconds))


def open_serial(settings: PrinterSettings) -> Device:
    by_wires = settings.dsr_dtr
    printer = opened("Serial", settings.address, baudrate=settings.baud, dsrdtr=by_wires, xonxoff=not by_wires)
    printer.device.write_timeout = settings.write_seconds
    return SerialLine(printer)


def open_windows(settings: PrinterSettings) -> Device:
    return Wired(opened("Win32Raw", settings.address))


OPENERS: dict[Transport, Callable[[PrinterSettings], Device]] = {
    Transport.USB: open_usb,
    Transport.SERIAL: open_serial,
    Transport.WINDOWS: open_windows,
}


def send_over_cups(data: Callable[[], bytes], settings: PrinterSettings, before_first_byte: Callable[[], bool]) -> Answer:
    """Hand the job to the spooler, raw. It has the job when `lp` ends with 0, and has refused it when `lp` says otherwise."""
    content = data()
    if not before_first_byte():
        return Answer(Result.NOT_READY)
    command = ["lp", "-s", "-o", "raw", "-d", settings.address]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=settings.total_seconds, check=False)  # noqa: S603
    except FileNotFoundError:
        return Answer(Result.NOT_READY, Reason.UNREACHABLE)
    except (subprocess.TimeoutExpired, OSError):
        return Answer(Result.UNCERTAIN, Reason.NO_CONFIRMATION)
    return Answer(Result.SENT) if done.returncode == 0 else Answer(Result.NOT_READY, Reason.UNREACHABLE)
