"""A report as plain values: facts and tables that a screen, a PDF, a spreadsheet and a text file show alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from receipts.slips import Pairs


class Kind(StrEnum):
    """How a column is written, and to which side it is set."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"


@dataclass(frozen=True)
class Amount:
    """An exact amount as text: ``plain`` for machines (``-1234.50``), ``shown`` for people; a drawing may take its rough size."""

    plain: str
    shown: str
    currency: str

    @property
    def digits(self) -> int:
        """How many digits stand after the point."""
        return len(self.plain.partition(".")[2])

    def __float__(self) -> float:
        return float(self.plain)

    def __str__(self) -> str:
        return self.shown


Cell = str | int | Amount


@dataclass(frozen=True)
class Column:
    title: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Table:
    """``drawn`` is the column that a drawing beside the table shows, by the words of the first; ``about`` and ``keys`` say which
    sale or shift each row is about, for screens that lead there; ``empty`` stands in place of a table without rows."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()
    totals: tuple[Cell, ...] = ()
    drawn: int | None = None
    about: str = ""
    keys: tuple[str, ...] = ()
    empty: str = ""

    def bars(self) -> tuple[tuple[str, str, float], ...]:
        """(words, value, share of the largest between -1 and 1) of each row, for a drawing."""
        if self.drawn is None:
            return ()
        values = [_number(row[self.drawn]) for row in self.rows]
        largest = max((abs(value) for value in values), default=0.0) or 1.0
        return tuple((str(row[0]), str(row[self.drawn]), value / largest) for row, value in zip(self.rows, values, strict=True))


def _number(cell: Cell) -> float:
    return 0.0 if isinstance(cell, str) else float(cell)


@dataclass(frozen=True)
class Book:
    """One report. ``code`` names its files; ``made`` says when and by whom it was made, in words."""

    code: str
    title: str
    shop: str
    language: str
    facts: Pairs = ()
    tables: tuple[Table, ...] = ()
    made: str = ""
