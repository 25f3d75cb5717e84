"""A document set on a page: every line measured, wrapped and placed.

Raster and PDF draw the same placed things, so paper and PDF have the same lines in the same order."""

from __future__ import annotations

from receipts import logos
from receipts.blocks import Align, Bar, Block, Feed, Logo, Qr, Role, Row, Rule, Text
from receipts.document import Document
from receipts.lines import balanced, pair
from receipts.page import Box, Code, Ink, Measures, Page, Picture, Thing
from receipts.qr import modules

HEAVY_ROLES = frozenset({Role.SHOP, Role.TITLE, Role.TOTAL})
SHRINKING_ROLES = frozenset({Role.SHOP, Role.TITLE})


def set_page(document: Document, measures: Measures) -> Page:
    """Place every block of ``document`` under the one before; the height follows from the content."""
    things: list[Thing] = []
    y = measures.edge
    for block in document.blocks:
        height, placed = set_block(block, measures, y)
        things += placed
        y += height
    return Page(measures.width, y + measures.edge, tuple(things))


def set_pages(document: Document, measures: Measures, height: float) -> list[Page]:
    """The same on sheets of one height: a block that does not fit any more begins the next sheet. No block is cut in two."""
    sheets: list[list[Thing]] = [[]]
    y = measures.edge
    for block in document.blocks:
        taken, placed = set_block(block, measures, y)
        if y + taken > height - measures.edge and y > measures.edge:
            sheets.append([])
            y = measures.edge
            taken, placed = set_block(block, measures, y)
        sheets[-1] += placed
        y += taken
    return [Page(measures.width, height, tuple(things)) for things in sheets]


def set_block(block: Block, measures: Measures, y: float) -> tuple[float, list[Thing]]:
    """The height one block takes from ``y`` on, and what it draws there."""
    match block:
        case Bar(text):
            return set_bar(text, measures, y)
        case Text():
            return set_text(block, measures, y)
        case Row():
            return set_row(block, measures, y)
        case Rule():
            thick = measures.rule
            return 8 * thick, [Box(measures.margin, y + 3 * thick, measures.room, thick)]
        case Qr(data):
            return set_code(data, measures, y)
        case Logo(key):
            return set_logo(key, measures, y)
        case Feed(count):
            return count * measures.pitch(measures.sizes[Role.NORMAL]), []
        case _:
            return 0, []


def set_bar(text: str, measures: Measures, y: float) -> tuple[float, list[Thing]]:
    """White text on a box over the full width, free of what stands above and below by a third of the text's size."""
    size = measures.sizes[Role.NORMAL]
    pitch, measure = measures.pitch(size), measures.measure(size, True)
    lines = balanced(text, measures.room - 2 * measures.gap, measure)
    height = len(lines) * pitch + size / 4
    above = size / 3 if y > measures.edge else 0
    top = y + above
    inks = [
        Ink(shifted(measure(line), Align.CENTRE, measures), top + size / 8 + i * pitch, line, size, True, white=True)
        for i, line in enumerate(lines)
    ]
    return above + height + size / 3, [Box(measures.margin, top, measures.room, height), *inks]


def set_text(block: Text, measures: Measures, y: float) -> tuple[float, list[Thing]]:
    """One text in as many lines as it needs."""
    bold = block.bold or block.role in HEAVY_ROLES
    size = fitting_size(block, bold, measures)
    pitch, measure = measures.pitch(size), measures.measure(size, bold)
    lines = balanced(block.text, measures.room, measure)
    inks: list[Thing] = [
        Ink(shifted(measure(line), block.align, measures), y + i * pitch, line, size, bold) for i, line in enumerate(lines)
    ]
    return len(lines) * pitch, inks


def fitting_size(block: Text, bold: bool, measures: Measures) -> float:
    """The role's size; a shop's name or a title shrinks down to the body's size before it is broken in two."""
    size, least = measures.sizes[block.role], measures.sizes[Role.NORMAL]
    if block.role not in SHRINKING_ROLES:
        return size
    natural = measures.text_width(block.text, size, bold)
    if natural <= measures.room:
        return size
    shrunk = float(int(size * measures.room / natural))
    return shrunk if shrunk >= least else size


def set_row(row: Row, measures: Measures, y: float) -> tuple[float, list[Thing]]:
    """Label and value side by side, or one under the other where they do not fit."""
    size = measures.sizes[row.role]
    label_bold = row.role in HEAVY_ROLES
    value_bold = row.value_bold or label_bold
    measure, heavy = measures.measure(size, label_bold), measures.measure(size, value_bold)
    lines = pair(row.label, row.value, measures.room, measures.gap, measure, heavy)
    things: list[Thing] = []
    for i, (left, right) in enumerate(lines):
        top = y + i * measures.pitch(size)
        if left:
            things.append(Ink(measures.margin, top, left, size, label_bold))
        if right:
            things.append(Ink(shifted(heavy(right), Align.RIGHT, measures), top, right, size, value_bold))
    return len(lines) * measures.pitch(size), things


def set_code(data: str, measures: Measures, y: float) -> tuple[float, list[Thing]]:
    """The code in the middle; its modules shrink when a long text would make it wider than the page."""
    grid = modules(data)
    module = min(measures.module, measures.room / len(grid))
    if measures.whole_modules:
        module = max(1.0, float(int(module)))
    side = module * len(grid)
    x = float(int((measures.width - side) / 2))
    return side, [Code(x, y, grid, module)]


def set_logo(key: str, measures: Measures, y: float) -> tuple[float, list[Thing]]:
    """The logo in the middle, as large as three fifths of the width and a quarter of it in height allow; a rule's room below."""
    if key not in logos.known:
        return 0, []
    width, height = logos.known[key].picture.size
    scale = min(0.6 * measures.room / width, 0.25 * measures.room / height)
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    return height + 4 * measures.rule, [Picture(float(int((measures.width - width) / 2)), y, width, height, key)]


def shifted(width: float, align: Align, measures: Measures) -> float:
    """Where a line of ``width`` begins."""
    spare = max(0.0, measures.room - width)
    return measures.margin + {Align.LEFT: 0.0, Align.CENTRE: spare / 2, Align.RIGHT: spare}[align]
