"""A report as a workbook: a sheet for each table, numbers as numbers in the format of their currency, text as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from receipts.sheets import Amount, Book, Cell, Kind, Table

# Nothing that a customer or a clerk typed becomes a formula, a link or a number by itself.
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
# What the format forbids in the name of a sheet.
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_WIDEST = 48


def render(book: Book) -> bytes:
    buffer = BytesIO()
    workbook = xlsxwriter.Workbook(buffer, _OPTIONS)
    # Without it every file would differ by the moment it was made.
    workbook.set_properties({"title": book.title, "author": book.shop, "created": datetime(2000, 1, 1, tzinfo=UTC)})
    formats = _Formats(workbook)
    names: set[str] = set()
    if book.facts or not book.tables:
        _facts(workbook.add_worksheet(_name(book.title, names)), book, formats)
    for table in book.tables:
        _table(workbook.add_worksheet(_name(table.title, names)), table, formats)
    workbook.close()
    return buffer.getvalue()


class _Formats:
    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self.bold = workbook.add_format({"bold": True, "bottom": 1})
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self._money: dict[tuple[str, int, bool], Any] = {}

    def money(self, amount: Amount, *, bold: bool) -> Any:
        key = (amount.currency, amount.digits, bold)
        if key not in self._money:
            digits = f".{'0' * amount.digits}" if amount.digits else ""
            pattern = f'#,##0{digits} "{amount.currency}";-#,##0{digits} "{amount.currency}"'
            self._money[key] = self._workbook.add_format({"num_format": pattern, "bold": bold, "top": 1 if bold else 0})
        return self._money[key]


def _facts(sheet: Any, book: Book, formats: _Formats) -> None:
    sheet.write_string(0, 0, book.title, formats.title)
    for place, (label, value) in enumerate((*book.facts, ("", book.made)), start=2):
        sheet.write_string(place, 0, label)
        sheet.write_string(place, 1, value)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, _WIDEST)


def _table(sheet: Any, table: Table, formats: _Formats) -> None:
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.title, formats.bold)
        widest = max((_width(row[place]) for row in (*table.rows, table.totals) if row), default=0)
        sheet.set_column(place, place, min(_WIDEST, max(10, widest + 2, _width(column.title) + 2)))
    for line, row in enumerate(table.rows, start=1):
        for place, cell in enumerate(row):
            _write(sheet, line, place, cell, formats, bold=False)
    for place, cell in enumerate(table.totals):
        _write(sheet, len(table.rows) + 1, place, cell, formats, bold=True)
    sheet.freeze_panes(1, 0)
    if table.rows and any(column.kind is not Kind.TEXT for column in table.columns):
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write(sheet: Any, line: int, place: int, cell: Cell, formats: _Formats, *, bold: bool) -> None:
    if isinstance(cell, Amount):
        sheet.write_number(line, place, float(cell), formats.money(cell, bold=bold))
    elif isinstance(cell, int):
        sheet.write_number(line, place, cell, formats.bold if bold else None)
    else:
        sheet.write_string(line, place, cell, formats.bold if bold else None)


def _width(cell: Cell) -> int:
    """Han are two columns wide."""
    return sum(2 if ord(sign) > 0x2E80 else 1 for sign in str(cell))


def _name(title: str, taken: set[str]) -> str:
    """At most 31 signs, none of them forbidden, no name twice whatever its case."""
    base = _FORBIDDEN.sub(" ", title).strip()[:28] or "-"
    name, times = base, 1
    while name.casefold() in taken:
        times += 1
        name = f"{base[:26]} {times}"
    taken.add(name.casefold())
    return name
