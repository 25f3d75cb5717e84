"""A report on A4: its facts, then its tables with their sums, the fonts inside and every page numbered."""

from __future__ import annotations

from html import escape
from io import BytesIO
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from receipts.faces import NAMES, boxed, registered
from receipts.sheets import Book, Cell, Column, Kind, Table

_INK, _SOFT, _LINE, _BAND = HexColor("#17202f"), HexColor("#5a6478"), HexColor("#c9d0dc"), HexColor("#eef1f6")
_EDGE = 16 * mm
_WIDTH = A4[0] - 2 * _EDGE
_SHORT = 34 * mm
# Han break anywhere, and long hashes must.
_BODY = ParagraphStyle("body", fontName=NAMES[False], fontSize=8, leading=10.5, textColor=_INK, wordWrap="CJK")
_RIGHT = ParagraphStyle("right", parent=_BODY, alignment=TA_RIGHT)
_BOLD = ParagraphStyle("bold", parent=_BODY, fontName=NAMES[True])
_BOLD_RIGHT = ParagraphStyle("bold right", parent=_RIGHT, fontName=NAMES[True])
_HEAD = ParagraphStyle("head", parent=_BODY, fontName=NAMES[True], fontSize=16, leading=21)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=NAMES[True], fontSize=10.5, leading=14, spaceBefore=11, spaceAfter=4)
_QUIET = ParagraphStyle("quiet", parent=_BODY, textColor=_SOFT)


def render(book: Book) -> bytes:
    """The same report gives the same bytes. Text is drawn as it is and never as markup."""
    for bold in NAMES:
        registered(bold)
    buffer = BytesIO()
    template = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_EDGE,
        rightMargin=_EDGE,
        topMargin=15 * mm,
        bottomMargin=17 * mm,
        title=book.title,
        author=book.shop,
        lang=book.language.replace("_", "-"),
        invariant=1,
        initialFontName=NAMES[False],
    )

    def foot(canvas: Canvas, document: Any) -> None:
        canvas.setFont(NAMES[False], 7.5)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_EDGE, 9 * mm, boxed(f"{book.shop}  ·  {book.title}  ·  {book.made}")[:150])
        canvas.drawRightString(A4[0] - _EDGE, 9 * mm, str(document.page))

    template.build(
        [*_head(book), *(thing for table in book.tables for thing in _set(table))], onFirstPage=foot, onLaterPages=foot
    )
    return buffer.getvalue()


def _head(book: Book) -> list[Any]:
    things: list[Any] = [_text(book.shop, _QUIET), _text(book.title, _HEAD), Spacer(1, 5)]
    if book.facts:
        cells = [[_text(label, _QUIET), _text(value, _BODY)] for label, value in book.facts]
        things.append(Grid(cells, colWidths=[42 * mm, _WIDTH - 42 * mm], style=_plain(), hAlign="LEFT"))
    return things


def _set(table: Table) -> list[Any]:
    """The title stays with the head of its table; the head is said again on each page."""
    title = _text(table.title, _TITLE)
    if not table.rows:
        return [KeepTogether([title, _text(table.empty or "-", _QUIET)])]
    cells = [[_cell(column.title, column, bold=True) for column in table.columns]]
    cells += [[_cell(cell, column, bold=False) for cell, column in zip(row, table.columns, strict=True)] for row in table.rows]
    if table.totals:
        cells.append([_cell(cell, column, bold=True) for cell, column in zip(table.totals, table.columns, strict=True)])
    grid = Grid(cells, colWidths=_widths(table), repeatRows=1, style=_lines(totals=bool(table.totals)), hAlign="LEFT")
    # A short table keeps together with its title; a long one may break, after a few of its rows.
    return [KeepTogether([title, grid])] if len(cells) <= 12 else [title, grid]


def _cell(cell: Cell, column: Column, *, bold: bool) -> Paragraph:
    if column.kind is Kind.TEXT:
        return _text(str(cell), _BOLD if bold else _BODY)
    return _text(str(cell), _BOLD_RIGHT if bold else _RIGHT)


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(boxed(text), quote=False), style)


def _widths(table: Table) -> list[float]:
    """By the longest word of each column, amounts never broken, the rest shared among the texts."""
    face = registered(bold=True)
    wanted = []
    for place, column in enumerate(table.columns):
        cells = [column.title, *(str(row[place]) for row in (*table.rows[:200], table.totals) if row)]
        longest = max(face.stringWidth(cell, 8) for cell in cells) + 13
        wanted.append(longest if column.kind is not Kind.TEXT else min(longest, 75 * mm))
    if sum(wanted) <= _WIDTH:
        return wanted
    # Amounts and short words keep their width; long texts share what is left.
    long = [column.kind is Kind.TEXT and width > _SHORT for width, column in zip(wanted, table.columns, strict=True)]
    rest = _WIDTH - sum(width for width, is_long in zip(wanted, long, strict=True) if not is_long)
    share = max(0.2, rest / max(1.0, sum(width for width, is_long in zip(wanted, long, strict=True) if is_long)))
    return [width * share if is_long else width for width, is_long in zip(wanted, long, strict=True)]


def _plain() -> list[tuple[Any, ...]]:
    return [("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1.2)]


def _lines(*, totals: bool) -> list[tuple[Any, ...]]:
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), _BAND),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2.4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    return [*style, ("LINEABOVE", (0, -1), (-1, -1), 1, _INK)] if totals else style
