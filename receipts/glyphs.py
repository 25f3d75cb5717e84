"""The letters of the receipt face as stamps of black and white dots, each drawn once and then put side by side.

Drawing a line anew costs half a millisecond, nearly all of it for fitting the same outlines to the dots again. In this face no
letter moves its neighbour (it carries no kerning, and the widths at a size are whole dots), so stamps in a row are the line, dot
for dot; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from receipts.faces import FILES

# Grey above this becomes paper. Dithering instead would fray every stroke at 203 dpi.
THRESHOLD = 156
BLACK, WHITE = 0, 255


@dataclass(frozen=True)
class Stamp:
    """Its left and upper edge from the pen, and its ink."""

    left: int
    top: int
    ink: Image.Image


class Widths(dict[str, int]):
    """How far each letter moves the pen, in dots."""

    def __init__(self, bold: bool, size: int) -> None:
        super().__init__()
        self.bold, self.size = bold, size

    def __missing__(self, letter: str) -> int:
        self[letter] = width = int(font(self.bold, self.size).getlength(letter))
        return width


@lru_cache(maxsize=32)
def widths(bold: bool, size: int) -> Widths:
    return Widths(bold, size)


@lru_cache(maxsize=32)
def font(bold: bool, size: int) -> ImageFont.FreeTypeFont:
    """A weight at a size, loaded once. The basic layout engine draws the same on every system."""
    return ImageFont.truetype(str(FILES[bold]), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def edges(letters: str, bold: bool, size: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the ink, from the pen."""
    left, top, right, bottom = font(bold, size).getbbox(letters)
    return int(left), int(top), int(right), int(bottom)


@lru_cache(maxsize=8192)
def stamp(letters: str, bold: bool, size: int, white: bool) -> Stamp | None:
    """None for a letter without ink, such as a space. The grey of an edge goes to the paper, be it white or black."""
    left, top, right, bottom = edges(letters, bold, size)
    if right <= left or bottom <= top:
        return None
    shades = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(shades).text((-left, -top), letters, font=font(bold, size), fill=255)
    least = THRESHOLD + 1 if white else 255 - THRESHOLD
    return Stamp(left, top, shades.point(lambda shade: 255 if shade >= least else 0, mode="1"))


def groups(text: str, bold: bool, size: int) -> Iterator[tuple[int, str]]:
    """``text`` as (place of the pen, letters): letters that reach into one another stay together, because where two greys meet
    the dot may become black."""
    step, pen, start, begins, reach = widths(bold, size), 0, 0, 0, 0
    for at, letter in enumerate(text):
        left, _, right, _ = edges(letter, bold, size)
        if at > start and pen + left >= reach:
            yield begins, text[start:at]
            start, begins = at, pen
        reach = pen + right if at == start else max(reach, pen + right)
        pen += step[letter]
    if text:
        yield begins, text[start:]


def write(paper: Image.Image, x: int, y: int, text: str, bold: bool, size: int, white: bool) -> None:
    """``text`` on ``paper`` (mode "1") with the pen's left upper corner at (x, y)."""
    colour = WHITE if white else BLACK
    for pen, letters in groups(text, bold, size):
        if (one := stamp(letters, bold, size, white)) is not None:
            paper.paste(colour, (x + pen + one.left, y + one.top), one.ink)
