"""A document as lines of a fixed width: what a printer's own characters show, and what a person can review.

One Han takes two columns. Bars, weights and sizes become marks, because plain text has nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from receipts.blocks import Align, Bar, Block, Feed, Qr, Role, Row, Rule, Text
from receipts.document import Document
from receipts.lines import Measure, balanced, columns, pair, wrap

LARGE = frozenset({Role.SHOP, Role.TITLE, Role.TOTAL})
BAR_MARK = "***"


@dataclass(frozen=True)
class Line:
    """One line of at most the asked width; ``large`` where the role asks to be seen first."""

    text: str
    bold: bool = False
    large: bool = False


def render(document: Document, width: int, measure: Measure = columns) -> str:
    """The whole document as plain text, ``width`` columns wide, each line ended by a newline."""
    return "".join(f"{line.text}\n" for block in document.blocks for line in block_lines(block, width, measure))


def block_lines(block: Block, width: int, measure: Measure = columns) -> list[Line]:
    """The lines of one block; none for a cut. ``measure`` counts columns as the one who shows them does."""
    match block:
        case Bar(text):
            return [Line(line, bold=True, large=True) for line in bar_lines(text, width, measure)]
        case Text(text, role, align, bold):
            lines = balanced(text, width, measure)
            return [Line(aligned(line, align, width, measure), bold, role in LARGE) for line in lines]
        case Row(label, value, role, value_bold):
            lines = [side_by_side(*sides, width, measure) for sides in pair(label, value, width, 1, measure, measure)]
            return [Line(line, value_bold or role in LARGE, role in LARGE) for line in lines]
        case Rule():
            return [Line("-" * width)]
        case Qr(data):
            return [Line(aligned(line, Align.CENTRE, width)) for line in ("[QR]", *wrap(data, width, columns))]
        case Feed(count):
            return [Line("")] * count
        case _:
            return []


def bar_lines(text: str, width: int, measure: Measure = columns) -> list[str]:
    """A bar has no black box here; marks at both ends keep it from being taken for a line of the receipt."""
    room = width - 2 * (len(BAR_MARK) + 1)
    return [aligned(f"{BAR_MARK} {line} {BAR_MARK}", Align.CENTRE, width, measure) for line in balanced(text, room, measure)]


def aligned(line: str, align: Align, width: int, measure: Measure = columns) -> str:
    """``line`` moved by spaces at its left; none are left at its right."""
    spare = int(width - measure(line))
    shift = {Align.LEFT: 0, Align.CENTRE: spare // 2, Align.RIGHT: spare}[align]
    return " " * shift + line


def side_by_side(left: str, right: str, width: int, measure: Measure = columns) -> str:
    """``left`` at the first column and ``right`` ending at the last."""
    return (left + " " * int(width - measure(left) - measure(right)) + right).rstrip(" ")
