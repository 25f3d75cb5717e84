"""Every report by its name, and every report as a file: PDF, workbook, text; the postings for bookkeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pos.domain.closings import Period
from pos.domain.errors import NotFound
from pos.services import bookkeeping, closing_books, day_books, trend_books
from pos.services.report_scope import Scope
from receipts import sheet_csv, sheet_pdf, sheet_xlsx
from receipts.sheets import Book

BOOKS: dict[str, Callable[[Scope], Book]] = {
    "today": day_books.today,
    "close": day_books.checklist,
    "differences": trend_books.differences,
    "margin": trend_books.margin,
    "exceptions": trend_books.exceptions,
    **{period.value: partial(closing_books.frozen, period) for period in Period},
}
# These look back over some days; the others are about one.
OVER_DAYS = frozenset({"differences", "margin", "exceptions"})
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMS: dict[str, tuple[Callable[[Book], bytes], str]] = {
    "pdf": (sheet_pdf.render, "application/pdf"),
    "xlsx": (sheet_xlsx.render, _XLSX),
    "csv": (sheet_csv.render, "text/csv; charset=utf-8"),
}


@dataclass(frozen=True)
class File:
    name: str
    content: bytes
    mimetype: str


def book(name: str, scope: Scope) -> Book:
    """Raises NotFound for a report that there is not, and for a closing that nobody has written yet."""
    if name not in BOOKS:
        raise NotFound
    return BOOKS[name](scope)


def as_file(made: Book, form: str) -> File:
    """Raises NotFound for a form that no report has."""
    if form not in _FORMS:
        raise NotFound
    render, mimetype = _FORMS[form]
    return File(f"{made.code}.{form}", render(made), mimetype)


def file_of(name: str, form: str, scope: Scope) -> File:
    """A report in a form; ``postings`` are journal entries for bookkeeping, as CSV or Beancount."""
    if name != "postings":
        return as_file(book(name, scope), form)
    first, last = scope.days
    called = f"postings-{scope.store.code}-{first}" + (f"-{last}" if last != first else "")
    if form == "csv":
        return File(f"{called}.csv", bookkeeping.as_csv(scope), "text/csv; charset=utf-8")
    if form == "beancount":
        return File(f"{called}.beancount", bookkeeping.as_beancount(scope).encode(), "text/plain; charset=utf-8")
    raise NotFound
