"""The strict reader: knows the printer commands our receipts use, and refuses every other byte.

It is written from Epson's ESC/POS command reference and shares nothing with the renderers, so that a mistake there
cannot hide here. Where real printers guess or ignore silently (a cut in the middle of a line, text that is never fed
out), it refuses too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from pos.sandbox.escpos_frames import RASTER_HEADER_BYTES, Frame, Kind, is_printable, next_frame
from pos.sandbox.escpos_job import (
    Align,
    Cut,
    Drawer,
    Event,
    Feed,
    Initialise,
    Job,
    Marker,
    QrCode,
    Raster,
    Span,
    Style,
    TextLine,
)

__all__ = [
    "Align", "Cut", "Drawer", "Event", "Feed", "Initialise", "Job", "Marker", "QrCode", "Raster", "RealTimeInside",
    "Refusal", "Span", "Style", "TextLine", "UnknownCommand", "read",
]  # fmt: skip

REAL_TIME = re.compile(rb"\x10[\x04\x05\x14]")
LINE_DOTS = 30  # one line of ESC d at the default spacing
PULSE_UNIT_MS = 2
HIGHEST_RASTER_ROWS, WIDEST_RASTER_BYTES = 2303, 256  # TM-T88III and TM-T81; above them printers print garbage
ALIGNS = {0: Align.LEFT, 1: Align.CENTRE, 2: Align.RIGHT, 0x30: Align.LEFT, 0x31: Align.CENTRE, 0x32: Align.RIGHT}
LEVELS = {48: "L", 49: "M", 50: "Q", 51: "H"}
PINS = {0: 2, 1: 5, 0x30: 2, 0x31: 5}
SHOWN_BYTES = 16


class Refusal(ValueError):
    """The job is not one we would send. ``offset`` of the first wrong byte, some ``data`` from there, and what came
    out ``before`` it (of a picture that breaks off, the rows that arrived)."""

    def __init__(self, offset: int, data: bytes, reason: str = "", before: Job | None = None) -> None:
        self.offset, self.data, self.reason = offset, bytes(data[:SHOWN_BYTES]), reason
        self.before = before or Job()
        super().__init__(f"{reason or 'not a command of ours'}: byte {offset}, {self.data.hex(' ')}")


class UnknownCommand(Refusal):
    """A byte that starts no command of ours, a parameter out of range, or a command in the wrong place."""


class RealTimeInside(Refusal):
    """DLE EOT, DLE ENQ or DLE DC4 inside the job: a printer acts on them even in the middle of a picture."""


def read(data: bytes) -> Job:
    """Read one whole job. Raises RealTimeInside, else UnknownCommand; never anything else, whatever the bytes."""
    found = REAL_TIME.search(data)
    if found:
        before = _what_comes_out(data[: found.start()])
        raise RealTimeInside(found.start(), data[found.start() :], "a real-time command inside the job", before)
    return _Reading(data).job()


def _what_comes_out(data: bytes) -> Job:
    try:
        return _Reading(data).job()
    except UnknownCommand as refusal:
        return refusal.before


class _Reading:
    """One pass over the bytes of one job, with the state a printer keeps."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0
        self.events: list[Event] = []
        self.power_on()

    def power_on(self) -> None:
        self.line: list[Span] = []
        self.kanji = False
        self.align = Align.LEFT
        self.style = Style()
        self.qr_data: bytes | None = None
        self.qr_module_dots, self.qr_level = 3, "L"

    def job(self) -> Job:
        while self.offset < len(self.data):
            frame = next_frame(self.data, self.offset)
            self.take(frame)
            self.offset += frame.length
        self.require(not self.line, "text without a line feed, which stays in the printer")
        return Job(tuple(self.events))

    def take(self, frame: Frame) -> None:
        body = self.data[self.offset : self.offset + frame.length]
        if frame.kind is Kind.INCOMPLETE:
            self.keep_whole_rows(body)
            raise self.refusal("the job ends inside a command")
        if frame.kind not in TAKES:
            raise self.refusal("")
        TAKES[frame.kind](self, body)

    def refusal(self, reason: str) -> UnknownCommand:
        return UnknownCommand(self.offset, self.data[self.offset :], reason, Job(tuple(self.events)))

    def require(self, true: bool, reason: str) -> None:
        if not true:
            raise self.refusal(reason)

    def require_line_start(self, command: Kind) -> None:
        self.require(not self.line, f"{command} in the middle of a line")

    def end_line(self) -> None:
        self.require(not self.kanji, "the line ends while Chinese is on")
        self.events.append(TextLine(tuple(self.line), self.align))
        self.line = []

    # Text and feeding

    def text(self, body: bytes) -> None:
        self.line.append(Span(body.decode("ascii"), self.style))

    def kanji_on(self, _body: bytes) -> None:
        self.kanji = True

    def kanji_off(self, _body: bytes) -> None:
        self.kanji = False

    def han(self, body: bytes) -> None:
        """A character of the printer's Chinese font. Outside of FS & it would be two signs of some code page."""
        self.require(self.kanji, "Chinese bytes while Chinese is off")
        try:
            self.line.append(Span(body.decode("gb18030"), self.style))
        except UnicodeDecodeError:
            raise self.refusal("two bytes that are no character of GB18030") from None

    def line_feed(self, _body: bytes) -> None:
        self.end_line()

    def feed_dots(self, body: bytes) -> None:
        if self.line:
            self.end_line()
        self.events.append(Feed(body[2]))

    def feed_lines(self, body: bytes) -> None:
        lines = body[2]
        if self.line and lines:
            self.end_line()
            lines -= 1
        self.require(not self.line, "ESC d 0 in the middle of a line")
        self.events.append(Feed(lines * LINE_DOTS))

    # How text looks

    def initialise(self, _body: bytes) -> None:
        self.require(not self.line, "ESC @ throws away a line that was never fed out")
        self.power_on()
        self.events.append(Initialise())

    def code_page(self, _body: bytes) -> None:
        """Any page will do: the text we read is ASCII, which is the same in all of them."""

    def set_align(self, body: bytes) -> None:
        self.require_line_start(Kind.ALIGN)
        self.require(body[2] in ALIGNS, "ESC a knows 0, 1 and 2")
        self.align = ALIGNS[body[2]]

    def set_bold(self, body: bytes) -> None:
        self.style = replace(self.style, bold=bool(body[2] & 1))

    def set_print_mode(self, body: bytes) -> None:
        mode = body[2]
        self.require(not mode & 0x46, "ESC ! with bits that mean nothing")
        height, width = 1 + bool(mode & 0x10), 1 + bool(mode & 0x20)
        self.style = Style(bool(mode & 0x08), bool(mode & 0x80), bool(mode & 0x01), width, height)

    def set_size(self, body: bytes) -> None:
        self.require(not body[2] & 0x88, "GS ! with a factor above 8")
        self.style = replace(self.style, width_factor=1 + (body[2] >> 4), height_factor=1 + (body[2] & 7))

    # Pictures

    def raster(self, body: bytes) -> None:
        self.require_line_start(Kind.RASTER)
        row_bytes, rows = self.raster_size(body)
        self.require(body[3] == 0, "GS v 0 with a mode other than 0")
        self.require(0 < row_bytes <= WIDEST_RASTER_BYTES, "GS v 0 with a width printers do not take")
        self.require(0 < rows <= HIGHEST_RASTER_ROWS, "GS v 0 with a height printers do not take")
        self.append_rows(row_bytes, body[RASTER_HEADER_BYTES:])

    def append_rows(self, row_bytes: int, bits: bytes) -> None:
        starts = range(0, len(bits), row_bytes)
        rows = tuple(bits[start : start + row_bytes] for start in starts)
        self.events.append(Raster(row_bytes * 8, rows, self.align))

    def keep_whole_rows(self, body: bytes) -> None:
        """A picture that breaks off has been printed down to its last whole row."""
        if not body.startswith(b"\x1dv0\x00") or len(body) <= RASTER_HEADER_BYTES or self.line:
            return
        row_bytes, _rows = self.raster_size(body)
        bits = body[RASTER_HEADER_BYTES:]
        if 0 < row_bytes <= min(WIDEST_RASTER_BYTES, len(bits)):
            self.append_rows(row_bytes, bits[: len(bits) - len(bits) % row_bytes])

    @staticmethod
    def raster_size(body: bytes) -> tuple[int, int]:
        """Bytes per row, and rows."""
        return int.from_bytes(body[4:6], "little"), int.from_bytes(body[6:8], "little")

    def symbol(self, body: bytes) -> None:
        """GS ( k pL pH 49 fn parameters: function 65, 67, 69, 80 or 81 of the QR code."""
        self.require(len(body) > 6 and body[5] == 0x31 and body[6] in QR_TAKES, "GS ( k other than a QR code")
        QR_TAKES[body[6]](self, body[7:])

    def qr_model(self, parameters: bytes) -> None:
        self.require(parameters == b"\x32\x00", "a QR model other than 2")

    def qr_size(self, parameters: bytes) -> None:
        self.require(len(parameters) == 1 and 1 <= parameters[0] <= 16, "a QR module is 1 to 16 dots")
        self.qr_module_dots = parameters[0]

    def qr_set_level(self, parameters: bytes) -> None:
        self.require(len(parameters) == 1 and parameters[0] in LEVELS, "a QR level is 48 to 51")
        self.qr_level = LEVELS[parameters[0]]

    def qr_store(self, parameters: bytes) -> None:
        self.require(parameters[:1] == b"\x30", "QR data without its 48")
        self.require(1 < len(parameters) <= 7090, "a QR code holds 1 to 7089 characters")
        self.qr_data = parameters[1:]

    def qr_print(self, parameters: bytes) -> None:
        self.require_line_start(Kind.SYMBOL)
        self.require(parameters == b"\x30", "QR printing without its 48")
        data = self.qr_data
        if data is None:
            raise self.refusal("a QR code is printed before its data was stored")
        self.events.append(QrCode(data, self.qr_module_dots, self.qr_level, self.align))

    # Knife, drawer, markers

    def cut(self, body: bytes) -> None:
        self.require_line_start(Kind.CUT)
        feed_dots = body[3] if len(body) > 3 else 0
        self.events.append(Cut(partial=body[2] in (0x01, 0x42), feed_dots=feed_dots))

    def drawer(self, body: bytes) -> None:
        self.require(body[2] in PINS, "ESC p knows 0 and 1")
        self.events.append(Drawer(PINS[body[2]], body[3] * PULSE_UNIT_MS, body[4] * PULSE_UNIT_MS))

    def status(self, body: bytes) -> None:
        self.require(body[2] == 1, "GS r other than 1")
        self.events.append(Marker("gs_r"))

    def completion(self, body: bytes) -> None:
        well_formed = body[3:7] == b"\x06\x00\x30\x30" and all(is_printable(byte) for byte in body[7:])
        self.require(well_formed, "GS ( H other than function 48 with four characters")
        self.events.append(Marker("gs_h", body[7:]))


TAKES: dict[Kind, Callable[[_Reading, bytes], None]] = {
    Kind.TEXT: _Reading.text,
    Kind.HAN: _Reading.han,
    Kind.KANJI_ON: _Reading.kanji_on,
    Kind.KANJI_OFF: _Reading.kanji_off,
    Kind.LINE_FEED: _Reading.line_feed,
    Kind.INITIALISE: _Reading.initialise,
    Kind.FEED_DOTS: _Reading.feed_dots,
    Kind.FEED_LINES: _Reading.feed_lines,
    Kind.CODE_PAGE: _Reading.code_page,
    Kind.ALIGN: _Reading.set_align,
    Kind.BOLD: _Reading.set_bold,
    Kind.PRINT_MODE: _Reading.set_print_mode,
    Kind.DRAWER: _Reading.drawer,
    Kind.SIZE: _Reading.set_size,
    Kind.CUT: _Reading.cut,
    Kind.RASTER: _Reading.raster,
    Kind.STATUS: _Reading.status,
    Kind.SYMBOL: _Reading.symbol,
    Kind.COMPLETION: _Reading.completion,
}
QR_TAKES: dict[int, Callable[[_Reading, bytes], None]] = {
    65: _Reading.qr_model,
    67: _Reading.qr_size,
    69: _Reading.qr_set_level,
    80: _Reading.qr_store,
    81: _Reading.qr_print,
}
