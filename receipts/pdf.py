"""A document as a PDF the width of a till roll or on A4 sheets, with the fonts inside and text that can be copied."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from io import BytesIO

from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from receipts import logos
from receipts.blocks import Role
from receipts.document import Document
from receipts.faces import NAMES, fit, registered
from receipts.page import Box, Code, Ink, Measures, Picture
from receipts.qr import rectangles
from receipts.typesetting import set_page, set_pages

# Streams as they are and not once more in letters: a fifth smaller, and quicker to write.
rl_config.useA85 = 0

SIZES: dict[Role, float] = {
    Role.SHOP: 12.5,
    Role.SMALL: 7.5,
    Role.TITLE: 11.5,
    Role.NORMAL: 9,
    Role.TOTAL: 13.5,
    Role.FOOT: 8,
}
# From the top of a line to its baseline, in parts of the size: with a pitch of 1.5 the Han sit in the middle.
BASELINE = 1.13


class Widths(dict[str, float]):
    """How wide each letter is, in thousandths of the size; asked some hundred times a receipt, and reportlab looks each letter up
    anew."""

    def __init__(self, bold: bool) -> None:
        super().__init__()
        self.face = registered(bold).face

    def __missing__(self, letter: str) -> float:
        self[letter] = width = self.face.charWidths.get(ord(letter), self.face.defaultWidth)
        return float(width)


@lru_cache(maxsize=2)
def widths(bold: bool) -> Widths:
    return Widths(bold)


def text_width(text: str, size: float, bold: bool) -> float:
    return 0.001 * size * sum(map(widths(bold).__getitem__, text))


MEASURES = Measures(
    width=80 * mm,
    margin=4 * mm,
    sizes=SIZES,
    pitch=lambda size: 1.5 * size,
    text_width=text_width,
    gap=5,
    edge=4 * mm,
    rule=0.7,
    module=1.9,  # points: a code of 41 modules is 27 mm wide
    whole_modules=False,
)


class Paper(StrEnum):
    ROLL = "roll"
    A4 = "a4"  # for those who file it as an invoice


# A line of two hundred millimetres would tear label and value apart; the column stands in the middle of the sheet.
A4_WIDTH, A4_HEIGHT, A4_COLUMN = 210 * mm, 297 * mm, 120 * mm
A4_MEASURES = replace(
    MEASURES,
    width=A4_WIDTH,
    margin=(A4_WIDTH - A4_COLUMN) / 2,
    sizes={role: size * 1.15 for role, size in SIZES.items()},
    edge=20 * mm,
    module=2.1,
)


def render(document: Document, paper: Paper = Paper.ROLL) -> bytes:
    """The receipt as PDF bytes; the same document gives the same bytes, so a hash can be stored.

    Text is drawn as it is and never as markup. Raises ``faces.Unprintable`` for money the face cannot write."""
    for bold in NAMES:
        registered(bold)
    fitted = fit(document)
    pages = [set_page(fitted, MEASURES)] if paper is Paper.ROLL else set_pages(fitted, A4_MEASURES, A4_HEIGHT)
    buffer = BytesIO()
    # Without initialFontName every page would refer to a Helvetica that is not embedded.
    canvas = Canvas(
        buffer,
        pagesize=(pages[0].width, pages[0].height),
        invariant=1,
        pageCompression=1,
        initialFontName=NAMES[False],
        lang=document.language_tag,
    )
    canvas.setTitle(document.title)
    canvas.setAuthor(document.shop)
    for page in pages:
        for thing in page.things:
            draw(canvas, thing, page.height)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def draw(canvas: Canvas, thing: Ink | Box | Code | Picture, top: float) -> None:
    """One placed thing; PDF counts upwards from the bottom, our pages downwards from ``top``."""
    match thing:
        case Box(x, y, width, height):
            canvas.rect(x, top - y - height, width, height, stroke=0, fill=1)
        case Ink(x, y, text, size, bold, white):
            canvas.setFillGray(1 if white else 0)
            canvas.setFont(NAMES[bold], size)
            canvas.drawString(x, top - y - BASELINE * size, text)
            canvas.setFillGray(0)
        case Picture(x, y, width, height, key):
            canvas.drawImage(ImageReader(logos.known[key].picture), x, top - y - height, width, height)
        case Code(x, y, grid, module):
            path = canvas.beginPath()  # one path: separate squares would show hairlines between them
            for column, row, length, height in rectangles(grid):
                path.rect(x + column * module, top - y - (row + height) * module, length * module, height * module)
            canvas.drawPath(path, stroke=0, fill=1)
