"""A report as comma-separated text for spreadsheets: UTF-8 with its mark, amounts as plain digits, no cell that calculates."""

from __future__ import annotations

import csv
from io import StringIO

from receipts.sheets import Amount, Book, Cell, Column, Kind

# What a spreadsheet takes for a formula, in whatever width it was typed.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render(book: Book) -> bytes:
    """Facts first, then each table under its title; an amount's currency stands in a column of its own."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(book.title), harmless(book.shop)])
    writer.writerows([harmless(label), harmless(value)] for label, value in book.facts)
    for table in book.tables:
        writer.writerow([])
        writer.writerow([harmless(table.title)])
        writer.writerow(_spread(tuple(column.title for column in table.columns), table.columns))
        for row in (*table.rows, *([table.totals] if table.totals else [])):
            writer.writerow(_spread(row, table.columns))
    if book.made:
        writer.writerow([])
        writer.writerow([harmless(book.made)])
    return out.getvalue().encode("utf-8-sig")


def _spread(row: tuple[Cell, ...], columns: tuple[Column, ...]) -> list[str]:
    cells: list[str] = []
    for cell, column in zip(row, columns, strict=True):
        if isinstance(cell, Amount):
            cells += [cell.plain, cell.currency]
        elif column.kind is Kind.MONEY:
            cells += [harmless(str(cell)), ""]
        else:
            cells.append(harmless(cell) if isinstance(cell, str) else str(cell))
    return cells


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a name may be ``=cmd|...``."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
