"""A document as a picture of black and white dots, one dot per dot of the print head."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image, ImageDraw

from receipts import glyphs, logos
from receipts.blocks import Role
from receipts.document import Document
from receipts.faces import fit
from receipts.glyphs import BLACK, WHITE
from receipts.page import Box, Code, Ink, Measures, Picture
from receipts.qr import runs
from receipts.typesetting import set_page

# Sizes in dots, by the width of the print head: 80 mm at 203 dpi, 80 mm at 180 dpi, 58 mm at 203 dpi. Below 18 dots the
# spaces between words close up.
SIZES: dict[int, dict[Role, float]] = {
    576: {Role.SHOP: 33, Role.SMALL: 20, Role.TITLE: 30, Role.NORMAL: 24, Role.TOTAL: 36, Role.FOOT: 21},
    512: {Role.SHOP: 30, Role.SMALL: 18, Role.TITLE: 27, Role.NORMAL: 22, Role.TOTAL: 33, Role.FOOT: 19},
    384: {Role.SHOP: 30, Role.SMALL: 18, Role.TITLE: 27, Role.NORMAL: 22, Role.TOTAL: 33, Role.FOOT: 19},
}
MODULE_DOTS = {576: 6, 512: 5, 384: 5}


def draw(document: Document, dots: int) -> Image.Image:
    """The receipt as an image of mode "1", ``dots`` wide (576, 512 or 384), white paper, as high as its content.

    Raises ``faces.Unprintable`` for money the face cannot write and KeyError for another width."""
    page = set_page(fit(document), measures(dots))
    image = Image.new("1", (dots, math.ceil(page.height)), WHITE)
    pen = ImageDraw.Draw(image)
    for thing in page.things:
        match thing:
            case Box(x, y, width, height):
                pen.rectangle((round(x), round(y), round(x + width) - 1, round(y + height) - 1), fill=BLACK)
            case Ink(x, y, text, size, bold, white):
                glyphs.write(image, round(x), round(y), text, bold, int(size), white)
            case Picture(x, y, width, height, key):
                image.paste(logos.dots(key, int(width), int(height)), (round(x), round(y)))
            case Code():
                draw_code(pen, thing)
    return image


def draw_code(pen: ImageDraw.ImageDraw, code: Code) -> None:
    """One rectangle for each run of black modules."""
    left, top, side = round(code.x), round(code.y), int(code.module)
    for column, row, length in runs(code.grid):
        x, y = left + column * side, top + row * side
        pen.rectangle((x, y, x + length * side - 1, y + side - 1), fill=BLACK)


@lru_cache(maxsize=8)
def measures(dots: int) -> Measures:
    """The page of a print head; text runs from the first dot to the last, the paper itself has the margins."""
    sizes = SIZES[dots]
    return Measures(
        width=dots,
        margin=0,
        sizes=sizes,
        pitch=lambda size: int(1.45 * size),
        text_width=lambda text, size, bold: sum(map(glyphs.widths(bold, int(size)).__getitem__, text)),
        gap=12,
        edge=8,
        rule=2,
        module=MODULE_DOTS[dots],
        whole_modules=True,
    )
