"""Where one printer command ends and the next begins: the framing of an ESC/POS byte stream, and nothing more.

The strict reader refuses what is framed as UNKNOWN; the virtual printer skips it, as a real printer does. Lengths
follow Epson's ESC/POS command reference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DLE, ESC, FS, GS, LF = 0x10, 0x1B, 0x1C, 0x1D, 0x0A


class Kind(StrEnum):
    """What a frame is. INCOMPLETE: the bytes so far may still become a command. UNKNOWN: they never will."""

    TEXT = "text"
    HAN = "a Chinese character"
    KANJI_ON = "FS &"
    KANJI_OFF = "FS ."
    LINE_FEED = "LF"
    INITIALISE = "ESC @"
    FEED_DOTS = "ESC J"
    FEED_LINES = "ESC d"
    CODE_PAGE = "ESC t"
    ALIGN = "ESC a"
    BOLD = "ESC E"
    PRINT_MODE = "ESC !"
    DRAWER = "ESC p"
    SIZE = "GS !"
    CUT = "GS V"
    RASTER = "GS v 0"
    STATUS = "GS r"
    SYMBOL = "GS ( k"
    COMPLETION = "GS ( H"
    REAL_TIME = "DLE"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Frame:
    """One command and its length in bytes. An INCOMPLETE frame reaches to the end of what is there."""

    kind: Kind
    length: int


FIXED = {
    b"\x1c&": Frame(Kind.KANJI_ON, 2),
    b"\x1c.": Frame(Kind.KANJI_OFF, 2),
    b"\x1b@": Frame(Kind.INITIALISE, 2),
    b"\x1bJ": Frame(Kind.FEED_DOTS, 3),
    b"\x1bd": Frame(Kind.FEED_LINES, 3),
    b"\x1bt": Frame(Kind.CODE_PAGE, 3),
    b"\x1ba": Frame(Kind.ALIGN, 3),
    b"\x1bE": Frame(Kind.BOLD, 3),
    b"\x1b!": Frame(Kind.PRINT_MODE, 3),
    b"\x1bp": Frame(Kind.DRAWER, 5),
    b"\x1d!": Frame(Kind.SIZE, 3),
    b"\x1dr": Frame(Kind.STATUS, 3),
}
CUT_LENGTHS = {0x00: 3, 0x01: 3, 0x41: 4, 0x42: 4}
RASTER_HEADER_BYTES = 8
FIRST_HAN, LAST_HAN = 0x81, 0xFE
COUNTED_HEADER_BYTES = 5  # GS ( x pL pH: the two last ones count what follows
COUNTED = {ord("k"): Kind.SYMBOL, ord("H"): Kind.COMPLETION}
REAL_TIME_LENGTHS = {0x04: 3, 0x05: 3, 0x14: 5}  # DLE EOT n, DLE ENQ n, DLE DC4 1 m t


def next_frame(data: bytes | bytearray, offset: int = 0) -> Frame:
    """The frame that starts at ``offset``, which must lie inside ``data``. Never raises for any content."""
    frame = _frame_without_end(data, offset)
    missing = offset + frame.length > len(data)
    return Frame(Kind.INCOMPLETE, len(data) - offset) if missing else frame


def is_printable(byte: int) -> bool:
    """ASCII that every printer draws alike, whatever its code page."""
    return 0x20 <= byte <= 0x7E


def _frame_without_end(data: bytes | bytearray, offset: int) -> Frame:
    """As next_frame, but the frame may reach past the end of ``data``."""
    first = data[offset]
    if is_printable(first):
        return Frame(Kind.TEXT, _text_length(data, offset))
    if first == LF:
        return Frame(Kind.LINE_FEED, 1)
    if FIRST_HAN <= first <= LAST_HAN:
        return _han_frame(data, offset)
    if first not in (DLE, ESC, FS, GS):
        return Frame(Kind.UNKNOWN, 1)
    if offset + 1 == len(data):
        return Frame(Kind.INCOMPLETE, 2)
    second = data[offset + 1]
    if first == DLE:
        length = REAL_TIME_LENGTHS.get(second)
        return Frame(Kind.REAL_TIME, length) if length else Frame(Kind.UNKNOWN, 1)
    if first == GS and second in b"Vv(":
        return _long_frame(bytes(data[offset : offset + RASTER_HEADER_BYTES]))
    return FIXED.get(bytes((first, second)), Frame(Kind.UNKNOWN, 2))


def _han_frame(data: bytes | bytearray, offset: int) -> Frame:
    """Two bytes of GB18030; the longer forms, which begin with a digit as their second byte, are none of ours."""
    if offset + 1 == len(data):
        return Frame(Kind.INCOMPLETE, 2)
    second = data[offset + 1]
    return Frame(Kind.HAN, 2) if 0x40 <= second <= 0xFE and second != 0x7F else Frame(Kind.UNKNOWN, 1)


def _text_length(data: bytes | bytearray, offset: int) -> int:
    end = offset
    while end < len(data) and is_printable(data[end]):
        end += 1
    return end - offset


def _long_frame(head: bytes) -> Frame:
    """The three commands whose length is written in their parameters; ``head`` holds up to eight bytes of one."""
    if head[1] == ord("V"):
        if len(head) < 3:
            return Frame(Kind.INCOMPLETE, 3)
        length = CUT_LENGTHS.get(head[2])
        return Frame(Kind.CUT, length) if length else Frame(Kind.UNKNOWN, 3)
    if head[1] == ord("v"):
        return _raster_frame(head)
    if len(head) < COUNTED_HEADER_BYTES:
        return Frame(Kind.INCOMPLETE, COUNTED_HEADER_BYTES)
    length = COUNTED_HEADER_BYTES + int.from_bytes(head[3:5], "little")
    return Frame(COUNTED.get(head[2], Kind.UNKNOWN), length)


def _raster_frame(head: bytes) -> Frame:
    """GS v 0 m xL xH yL yH: x counts bytes per row, y rows."""
    if len(head) > 2 and head[2] != ord("0"):
        return Frame(Kind.UNKNOWN, 3)
    if len(head) < RASTER_HEADER_BYTES:
        return Frame(Kind.INCOMPLETE, RASTER_HEADER_BYTES)
    row_bytes, rows = int.from_bytes(head[4:6], "little"), int.from_bytes(head[6:8], "little")
    return Frame(Kind.RASTER, RASTER_HEADER_BYTES + row_bytes * rows)
