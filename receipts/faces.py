"""The two weights of the receipt face: where they lie, which characters they have, and what happens to the others.

A missing glyph raises no error in Pillow or reportlab, it draws nothing or an empty box; so we look before drawing."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import Lock

from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont

from receipts.blocks import Bar, Block, Row, Text
from receipts.document import Document

FOLDER = Path(__file__).parent / "fonts"
FILES = {False: FOLDER / "NotoSansSC-Medium.subset.ttf", True: FOLDER / "NotoSansSC-Bold.subset.ttf"}
NAMES = {False: "NotoSansSC-Medium", True: "NotoSansSC-Bold"}
MISSING = "\u25a1"

log = logging.getLogger(__name__)
loading = Lock()


class Unprintable(ValueError):
    """A row of money holds a character the face does not have. Nothing was printed and the sale stays as it is;
    the screen and the HTML copy can still show the slip."""


@lru_cache(maxsize=2)
def registered(bold: bool) -> TTFont:
    """The weight as reportlab holds it, registered under ``NAMES``; about 30 ms the first time, then free."""
    with loading:
        font = TTFont(NAMES[bold], str(FILES[bold]))
        registerFont(font)
    return font


@lru_cache(maxsize=1)
def letters() -> frozenset[str]:
    """Every character that the face has."""
    return frozenset(map(chr, registered(False).face.charToGlyph))


def lacking(text: str) -> str:
    """The characters of ``text`` that one of the weights lacks, in their order."""
    have = letters()
    return "".join([character for character in text if character not in have])


def fit(document: Document) -> Document:
    """The document with U+25A1 for every character the face lacks; each replacement is logged by code point only.

    Raises Unprintable when it would change a row of money."""
    return replace(document, blocks=tuple(fit_block(block) for block in document.blocks))


def fit_block(block: Block) -> Block:
    """One block, fit to be drawn."""
    if isinstance(block, (Bar, Text)):
        return replace(block, text=boxed(block.text)) if lacking(block.text) else block
    if isinstance(block, Row) and (missing := lacking(block.label + block.value)):
        if block.money:
            raise Unprintable(f"a row of money needs {code_points(missing)}, which the receipt face does not have")
        return replace(block, label=boxed(block.label), value=boxed(block.value))
    return block


def boxed(text: str) -> str:
    """``text`` with a box in place of each missing character."""
    missing = lacking(text)
    if not missing:
        return text
    # The text itself may be personal; its odd characters are enough to mend the font.
    log.warning("The receipt face lacks %s", code_points(missing))
    return "".join(MISSING if character in missing else character for character in text)


def code_points(text: str) -> str:
    return ", ".join(f"U+{ord(character):04X}" for character in dict.fromkeys(text))
