"""A document as a PDF the width of a till roll, with the fonts inside and text that can be copied."""

from __future__ import annotations

from io import BytesIO

from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from receipts.blocks import Role
from receipts.document import Document
from receipts.faces import NAMES, fit, registered
from receipts.page import Box, Code, Ink, Measures
from receipts.qr import rectangles
from receipts.typesetting import set_page

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

MEASURES = Measures(
    width=80 * mm,
    margin=4 * mm,
    sizes=SIZES,
    pitch=lambda size: 1.5 * size,
    text_width=lambda text, size, bold: float(registered(bold).stringWidth(text, size)),
    gap=5,
    edge=4 * mm,
    rule=0.7,
    module=1.9,  # points: a code of 41 modules is 27 mm wide
    whole_modules=False,
)


def render(document: Document) -> bytes:
    """The receipt as PDF bytes; the same document gives the same bytes, so a hash can be stored.

    Text is drawn as it is and never as markup. Raises ``faces.Unprintable`` for money the face cannot write."""
    for bold in NAMES:
        registered(bold)
    page = set_page(fit(document), MEASURES)
    buffer = BytesIO()
    # Without initialFontName every page would refer to a Helvetica that is not embedded.
    canvas = Canvas(
        buffer,
        pagesize=(page.width, page.height),
        invariant=1,
        pageCompression=1,
        initialFontName=NAMES[False],
        lang=document.language_tag,
    )
    canvas.setTitle(document.title)
    canvas.setAuthor(document.shop)
    for thing in page.things:
        draw(canvas, thing, page.height)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def draw(canvas: Canvas, thing: Ink | Box | Code, top: float) -> None:
    """One placed thing; PDF counts upwards from the bottom, our pages downwards from ``top``."""
    match thing:
        case Box(x, y, width, height):
            canvas.rect(x, top - y - height, width, height, stroke=0, fill=1)
        case Ink(x, y, text, size, bold, white):
            canvas.setFillGray(1 if white else 0)
            canvas.setFont(NAMES[bold], size)
            canvas.drawString(x, top - y - BASELINE * size, text)
            canvas.setFillGray(0)
        case Code(x, y, grid, module):
            path = canvas.beginPath()  # one path: separate squares would show hairlines between them
            for column, row, length, height in rectangles(grid):
                path.rect(x + column * module, top - y - (row + height) * module, length * module, height * module)
            canvas.drawPath(path, stroke=0, fill=1)
