"""Draws the events of a job as the paper that would lie on the counter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, singledispatch
from itertools import islice
from math import ceil

from PIL import Image, ImageChops, ImageDraw, ImageFont

from pos.sandbox.escpos_job import Align, Cut, Event, Feed, QrCode, Raster, Span, Style, TextLine

FONT_A, FONT_B = (12, 24), (9, 17)  # dots of one character cell
LINE_GAP_DOTS = 6  # a line of font A advances 30 dots, the printers' default spacing
LONGEST_DOTS = 16_000  # two metres: a runaway job must not fill the memory, and browsers draw no taller picture
CUT_ROWS, DASH_DOTS = 8, 12
QR_MODULES = 33  # version 4, what a short link needs; the frame stands for the code and is not one
BLACK, WHITE = 0, 1
DARK_ENOUGH = 151  # grey below this prints


def draw(events: Iterable[Event], dots: int, cuts: bool) -> Image.Image:
    """One picture, mode "1", ``dots`` wide and at least one row high."""
    shown = (event for event in events if cuts or not isinstance(event, Cut))
    strips, height = [], 0
    for strip in (strip for event in shown for strip in _strips(event, dots)):
        strips.append(strip)
        height += strip.height
        if height >= LONGEST_DOTS:
            break
    paper = _blank(dots, max(1, min(height, LONGEST_DOTS)))
    top = 0
    for strip in strips:
        paper.paste(strip, (0, top))
        top += strip.height
    return paper


@singledispatch
def _strips(event: Event, dots: int) -> Iterator[Image.Image]:
    """The event as pieces of paper, each ``dots`` wide. What leaves no trace on paper has none."""
    return iter(())


@_strips.register
def _(event: Raster, dots: int) -> Iterator[Image.Image]:
    picture = Image.frombytes("1", (event.width, len(event.rows)), b"".join(event.rows), "raw", "1;I")
    yield _placed(picture, dots, event.align)


@_strips.register
def _(event: Feed, dots: int) -> Iterator[Image.Image]:
    if event.dots:
        yield _blank(dots, event.dots)


@_strips.register
def _(event: TextLine, dots: int) -> Iterator[Image.Image]:
    cells = [_cell(character, span.style) for span in event.spans for character in span.text]
    if not cells:
        yield _blank(dots, FONT_A[1] + LINE_GAP_DOTS)
    while cells:
        row = list(islice(cells, _fitting(cells, dots)))
        del cells[: len(row)]
        yield _placed(_side_by_side(row), dots, event.align)


@_strips.register
def _(event: QrCode, dots: int) -> Iterator[Image.Image]:
    """A frame with the content in words: drawing a scannable code is the product's work, and not to be done twice."""
    side = QR_MODULES * event.module_dots
    box = _blank(side, side)
    ImageDraw.Draw(box).rectangle((0, 0, side - 1, side - 1), outline=BLACK, width=2)
    words = TextLine((Span(f"QR {event.level} {event.data.decode('ascii', 'replace')}", Style(small=True)),))
    top = 6
    for strip in _strips(words, max(side - 12, FONT_B[0])):
        box.paste(strip, (6, top))
        top += strip.height
    yield _placed(box, dots, event.align)


@_strips.register
def _(event: Cut, dots: int) -> Iterator[Image.Image]:
    strip = _blank(dots, event.feed_dots + CUT_ROWS)
    pen, middle = ImageDraw.Draw(strip), event.feed_dots + CUT_ROWS // 2
    for left in range(0, dots, 2 * DASH_DOTS):
        pen.line((left, middle, left + DASH_DOTS - 1, middle), fill=BLACK)
    yield strip


def _fitting(cells: list[Image.Image], dots: int) -> int:
    """How many cells the printer sets before it goes on with the next line; one at least."""
    used = 0
    for count, cell in enumerate(cells):
        used += cell.width
        if used > dots:
            return max(1, count)
    return len(cells)


def _side_by_side(cells: list[Image.Image]) -> Image.Image:
    """One line; characters of different height stand on the same foot."""
    height = max(cell.height for cell in cells)
    line = _blank(sum(cell.width for cell in cells), height + LINE_GAP_DOTS)
    left = 0
    for cell in cells:
        line.paste(cell, (left, height - cell.height))
        left += cell.width
    return line


@cache
def _cell(character: str, style: Style) -> Image.Image:
    """One character, enlarged as printers do it: every dot becomes a block of dots."""
    width, height = FONT_B if style.small else FONT_A
    if not character.isascii():
        width *= 2  # whatever needs two bytes takes two columns
    glyph = _glyph(character, width, height)
    if style.underline:
        ImageDraw.Draw(glyph).line((0, height - 1, width - 1, height - 1), fill=BLACK)
    if style.bold:
        glyph = _bolder(glyph)
    return glyph.resize((width * style.width_factor, height * style.height_factor), Image.Resampling.NEAREST)


def _glyph(character: str, width: int, height: int) -> Image.Image:
    """Pillow's own face, which needs no font file. It is proportional: narrow characters stand in the middle of their
    cell, and wide ones (M, W, @) are squeezed into it."""
    face = ImageFont.load_default(height * 7 / 8)
    room = max(width, ceil(face.getlength(character)) + 2)
    grey = Image.new("L", (room, height), 255)
    ImageDraw.Draw(grey).text((room / 2, height * 4 // 5), character, fill=0, font=face, anchor="ms")
    squeezed = grey.resize((width, height), Image.Resampling.BOX)
    return squeezed.point([BLACK] * DARK_ENOUGH + [255] * (256 - DARK_ENOUGH)).convert("1")


def _bolder(cell: Image.Image) -> Image.Image:
    """Every dot once more, one dot to the right."""
    shifted = _blank(*cell.size)
    shifted.paste(cell, (1, 0))
    return ImageChops.logical_and(cell, shifted)


def _placed(picture: Image.Image, dots: int, align: Align) -> Image.Image:
    """On paper of this width; what does not fit is lost on the right, as it is in print."""
    free = max(0, dots - picture.width)
    left = {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[align]
    strip = _blank(dots, picture.height)
    strip.paste(picture, (left, 0))
    return strip


def _blank(width: int, height: int) -> Image.Image:
    return Image.new("1", (width, height), WHITE)
