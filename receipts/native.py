"""A printer's own characters: which of them it has, how many columns they take, and the bytes of a line.

Chinese printers show GB18030's one-byte and two-byte characters; its four-byte ones, the pound sign among them, come out as junk
on older fonts, so a slip that needs one goes as a picture. No command tells a printer which font it has: this is for the person
who set it up to know."""

from __future__ import annotations

from itertools import groupby

from receipts.lines import Measure, columns
from receipts.settings import NativeEncoding, PrinterSettings
from receipts.text import Line

KANJI_ON, KANJI_OFF = b"\x1c&", b"\x1c."
BOLD_ON, BOLD_OFF = b"\x1bE\x01", b"\x1bE\x00"
TALL_ON, TALL_OFF = b"\x1d!\x01", b"\x1d!\x00"


def can_show(text: str, encoding: NativeEncoding) -> bool:
    """Whether every character of ``text`` is one of the printer's own."""
    if encoding is NativeEncoding.ASCII:
        return text.isascii()
    try:
        text.encode("gbk")  # the euro sign has two bytes in GB18030, and fonts that are older than it
    except UnicodeEncodeError:
        return False
    return True


def measure(encoding: NativeEncoding) -> Measure:
    """Columns as this printer counts them: a character of two bytes takes two, also a dash or a dot."""
    return columns if encoding is NativeEncoding.ASCII else lambda text: len(text.encode("gb18030", "replace"))


def line_bytes(line: Line, settings: PrinterSettings) -> bytes:
    """One line with its weight and height, everything switched off again so that nothing leaks into the next."""
    on = (BOLD_ON if line.bold else b"") + (TALL_ON if line.large else b"")
    off = (TALL_OFF if line.large else b"") + (BOLD_OFF if line.bold else b"")
    runs = (run_bytes("".join(run), settings) for _, run in groupby(line.text, key=str.isascii))
    return on + b"".join(runs) + b"\n" + off


def run_bytes(run: str, settings: PrinterSettings) -> bytes:
    """Characters of one kind. The code page is chosen again after Chinese: the switch back forgets it on some printers."""
    if run.isascii():
        return run.encode("ascii")
    return KANJI_ON + run.encode("gb18030") + KANJI_OFF + b"\x1bt" + bytes([settings.code_page])
