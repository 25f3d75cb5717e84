"""A document as the bytes of an ESC/POS printer.

Commands used: ``ESC @``, ``GS v 0``, ``ESC J``, ``ESC E``, ``GS !``, ``GS V``, ``ESC p``, and text with line feeds, with
``FS &``, ``FS .`` and ``ESC t`` around Chinese. No ESC/POS command selects GB2312 or Big5, the printer's model fixes that; so
everything goes as a picture unless somebody set the printer up for characters of its own."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from receipts import raster
from receipts.blocks import Cut, DocumentError, Logo, Qr
from receipts.collector import new_collector
from receipts.document import Document
from receipts.native import can_show, line_bytes, measure
from receipts.settings import CutMode, PrinterSettings, TextMode
from receipts.text import block_lines

INITIALISE = b"\x1b@"
FEED_MOST = 255
# Feed to the cutter and cut: the most portable form. Without a cutter the paper must still reach the edge to tear at.
CUTS = {CutMode.PARTIAL: b"\x1dVB\x00", CutMode.FULL: b"\x1dVA\x00", CutMode.NONE: b"\x1bJ\xa0"}
# DLE EOT, DLE ENQ, DLE DC4: printers obey them even in the middle of a picture, and the last one opens the drawer.
REAL_TIME = (b"\x10\x04", b"\x10\x05", b"\x10\x14")
# Pillow packs white as 1, the printer black.
INVERTED = bytes(255 - value for value in range(256))
LEAST_BLANK_ROWS = 8


def job(document: Document, settings: PrinterSettings) -> bytes:
    """The whole slip as bytes, initialised and cut, without a real-time sequence anywhere.

    Raises ``faces.Unprintable`` for money the face cannot write."""
    as_text = settings.text_mode is TextMode.NATIVE and is_plain(document, settings)
    parts = native(document, settings) if as_text else pictures(document, settings)
    printer = new_collector()
    printer._raw(INITIALISE)
    for part in parts:
        printer._raw(part)
    printer._raw(CUTS[settings.cut] if ends_with_cut(document) else b"")
    output = bytes(printer.output)
    if any(sequence in output for sequence in REAL_TIME):
        raise DocumentError("the job would hold a real-time command")  # our own fault, and better found here than there
    return output


def drawer_pulse(settings: PrinterSettings) -> bytes:
    """50 ms on, 500 ms off: a longer pulse heats the solenoid of some drawers. A job of its own, so that no reprint
    opens the drawer. Raises ValueError for a printer without one."""
    if settings.drawer_pin is None:
        raise ValueError("this printer has no drawer")
    return b"\x1bp" + bytes([0 if settings.drawer_pin == 2 else 1, 25, 250])


def is_plain(document: Document, settings: PrinterSettings) -> bool:
    """Whether the printer's own characters can show all of it."""
    texts = (line.text for block in document.blocks if not isinstance(block, Qr) for line in block_lines(block, 48))
    return all(can_show(text, settings.native_encoding) for text in texts)


def ends_with_cut(document: Document) -> bool:
    return any(isinstance(block, Cut) for block in document.blocks)


def pictures(document: Document, settings: PrinterSettings) -> Iterator[bytes]:
    """The slip as one picture, in bands."""
    yield from bands(raster.draw(document, settings.dots), settings.band_rows)


def native(document: Document, settings: PrinterSettings) -> Iterator[bytes]:
    """The slip as characters; a code or a logo is a picture between the lines, where the print buffer is empty."""
    for block in document.blocks:
        if isinstance(block, (Qr, Logo)):
            alone = Document((block,), "", "")
            yield from bands(raster.draw(alone, settings.dots), settings.band_rows)
        else:
            lines = block_lines(block, settings.columns, measure(settings.native_encoding))
            yield from (line_bytes(line, settings) for line in lines)


def bands(image: Image.Image, most_rows: int) -> Iterator[bytes]:
    """``image`` (mode "1", its width a multiple of 8) as ``GS v 0`` bands, with ``ESC J`` in place of blank rows.

    Small bands because buffers start at a few kilobytes; blank rows are a third of a receipt."""
    width = image.width // 8
    packed = image.tobytes().translate(INVERTED)
    rows = [packed[start : start + width] for start in range(0, len(packed), width)]
    for start, end, blank in stretches(rows):
        if blank:
            yield feed(end - start)
        else:
            yield from (band(rows[top : min(top + most_rows, end)]) for top in range(start, end, most_rows))


def stretches(rows: list[bytes]) -> Iterator[tuple[int, int, bool]]:
    """Rows as (start, end, blank), alternating. A gap too low to be worth a command counts as ink: the paper would only
    stop and start again."""
    start = inked = 0  # ink of the current stretch ends at ``inked``
    for y, row in enumerate([*rows, b"\x01"]):
        if not any(row):
            continue
        if y - inked >= LEAST_BLANK_ROWS:
            if inked > start:
                yield start, inked, False
            yield inked, y, True
            start = y
        inked = y + 1
    if start < len(rows):
        yield start, len(rows), False


def feed(rows: int) -> bytes:
    """Blank rows; one command feeds at most 255."""
    return b"".join(b"\x1bJ" + bytes([min(FEED_MOST, rows - i)]) for i in range(0, rows, FEED_MOST))


def band(rows: list[bytes]) -> bytes:
    """One ``GS v 0`` command: width in bytes, height in rows, both little-endian, then the defused rows."""
    width, height = len(rows[0]).to_bytes(2, "little"), len(rows).to_bytes(2, "little")
    return b"\x1dv0\x00" + width + height + defused(b"".join(rows))


def defused(packed: bytes) -> bytes:
    """Rows without a real-time sequence: 0x10 before 04, 05 or 14 becomes 0x30, which is one more black dot."""
    for sequence in REAL_TIME:
        packed = packed.replace(sequence, b"\x30" + sequence[1:])
    return packed
