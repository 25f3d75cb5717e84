"""The command line's reports: X, Z, day, month and year, for people, for programs and as files. May be stopped and done again."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pos.services.kit import Kit
    from pos.services.report_scope import Scope
    from receipts.sheets import Book

_DAY = click.DateTime(["%Y-%m-%d"])
_SAVED = ("pdf", "xlsx", "csv", "postings", "beancount")


@click.group()
def report() -> None:
    """Reports of a shop. Exit status 1 when there is none, 2 when a day has something left to do."""


@report.command()
@click.option("--till", "till_code", required=True)
@click.option("--json", "as_json", is_flag=True, help="the figures, for programs")
@click.pass_context
def x(context: click.Context, till_code: str, as_json: bool) -> None:
    """The open drawer of a till as it is now; the look is journaled."""
    from pos.services import shift_papers

    _say(context, lambda kit: shift_papers.x_of(till_code.upper(), kit=kit), as_json)


@report.command()
@click.option("--till", "till_code", required=True)
@click.option("--number", default=None, help="such as Z-LON1-000042; the last one otherwise")
@click.option("--json", "as_json", is_flag=True, help="the figures as they were frozen, for programs")
@click.option("--pdf", type=click.Path(path_type=Path, dir_okay=False), default=None)
@click.pass_context
def z(context: click.Context, till_code: str, number: str | None, as_json: bool, pdf: Path | None) -> None:
    """A frozen Z of a till."""
    from pos.services import shift_papers

    def found(kit: Kit) -> tuple[str, dict[str, Any]]:
        text, figures, paper = shift_papers.z_of(till_code.upper(), number, kit=kit)
        if pdf is not None:
            _write(pdf, paper)
        return text, figures

    _say(context, found, as_json)


def _say(context: click.Context, found: Any, as_json: bool) -> None:
    from pos.domain.errors import CounterError

    app = context.meta["open"]()
    try:
        with app.app_context():
            text, figures = found(app.extensions["simcounter"])
    except CounterError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(json.dumps(figures, indent=1, ensure_ascii=False, sort_keys=True) if as_json else text)


def _options(command: Any) -> Any:
    """What the reports over days have in common."""
    for option in reversed(
        (
            click.option("--store", "store_code", default=None, help="may be left out where there is only one"),
            click.option("--day", type=_DAY, default=None, help="any day of it; the running one otherwise"),
            click.option("--close", "closes", is_flag=True, help="write its closing first, unless there is one"),
            click.option("--language", type=click.Choice(["en", "zh_Hans", "zh_Hant"]), default="en", show_default=True),
            click.option("--json", "as_json", is_flag=True, help="for programs"),
            *(click.option(f"--{form}", type=click.Path(path_type=Path, dir_okay=False), default=None) for form in _SAVED),
        )
    ):
        command = option(command)
    return command


@report.command()
@_options
@click.pass_context
def day(context: click.Context, /, **given: Any) -> None:
    """What was taken in a business day and what is left to do; with --close its closing."""
    _period(context, "day", given)


@report.command()
@_options
@click.pass_context
def month(context: click.Context, /, **given: Any) -> None:
    """The closing of a month, over the closings of its days."""
    _period(context, "month", given)


@report.command()
@_options
@click.pass_context
def year(context: click.Context, /, **given: Any) -> None:
    """The closing of a year, over the closings of its days."""
    _period(context, "year", given)


def _period(context: click.Context, name: str, given: dict[str, Any]) -> None:
    from pos.domain.closings import Period, days_of
    from pos.domain.errors import CounterError
    from pos.services import report_scope

    app = context.meta["open"]()
    kit: Kit = app.extensions["simcounter"]
    try:
        with app.app_context():
            code = given["store_code"].upper() if given["store_code"] else None
            store = report_scope.store_called(code)
            chosen = _day(given["day"]) or store.business_day(kit.now())
            if given["closes"]:
                _close(name, chosen, store, kit)
            scope = report_scope.of_store(store, *days_of(Period(name), chosen), kit=kit, language=given["language"])
            books = _books(name, scope, closes=given["closes"])
            _save(given, books[-1], scope)
    except CounterError as refusal:
        raise click.ClickException(str(refusal)) from None
    told = [_plain(book) for book in books]
    click.echo(json.dumps(told, indent=1, ensure_ascii=False) if given["as_json"] else "\n".join(map(_lines, books)))
    left = any(row[2] for book in books if book.code.startswith("close-") for row in book.tables[0].rows)
    sys.exit(2 if left and name == "day" else 0)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None


def _close(name: str, chosen: date, store: Any, kit: Kit) -> None:
    """Done again, it finds what it wrote and goes on."""
    from pos.domain.closings import Period
    from pos.domain.errors import DayAlreadyClosed
    from pos.services import closings

    try:
        done = closings.close_for(Period(name), chosen, store, None, "command", kit=kit)
        click.echo(f"{done.number} is written.", err=True)
    except DayAlreadyClosed as refusal:
        click.echo(str(refusal), err=True)


def _books(name: str, scope: Scope, *, closes: bool) -> list[Book]:
    from pos.services import report_files

    names = ("today", "close") if name == "day" and not closes else (name,)
    found = []
    for place, called in enumerate(names, start=1):
        click.echo(f"{place} of {len(names)}: {called} {scope.days[0]}", err=True)
        found.append(report_files.book(called, scope))
    return found


def _save(given: dict[str, Any], book: Book, scope: Scope) -> None:
    from pos.services import report_files

    for form in ("pdf", "xlsx", "csv"):
        if given[form] is not None:
            _write(given[form], report_files.as_file(book, form).content)
    for option, form in (("postings", "csv"), ("beancount", "beancount")):
        if given[option] is not None:
            _write(given[option], report_files.file_of("postings", form, scope).content)


def _write(path: Path, content: bytes) -> None:
    """Beside the place first, then into it: whoever stops the program leaves no half a file behind."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as fault:
        raise click.ClickException(f"{path} cannot be written: {fault.strerror}.") from None
    click.echo(f"{path} is written.", err=True)


def _plain(book: Book) -> dict[str, Any]:
    """A report for programs: amounts as text with their currency, exactly as they are."""
    tables = [
        {
            "title": table.title,
            "columns": [column.title for column in table.columns],
            "rows": [[cell if isinstance(cell, int) else _exact(cell) for cell in row] for row in table.rows],
        }
        for table in book.tables
    ]
    return {"report": book.code, "title": book.title, "facts": dict(book.facts), "tables": tables}


def _exact(cell: Any) -> str:
    return cell if isinstance(cell, str) else f"{cell.plain} {cell.currency}"


def _lines(book: Book) -> str:
    lines = [book.title, *(f"  {label}: {value}" for label, value in book.facts)]
    for table in book.tables:
        lines += ["", table.title]
        lines += ["  " + "  ".join(str(cell) for cell in row) for row in table.rows] or [f"  {table.empty}"]
    return "\n".join(lines) + "\n"
