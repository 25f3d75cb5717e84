"""Which printers a store has, how each is set up, and which till prints where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.errors import NotFound, PrinterAddressWrong, PrinterNameTaken, PrinterSettingsWrong
from pos.domain.print_jobs import JobKind
from pos.domain.tills import Desk
from pos.services.kit import Kit
from pos.services.print_jobs import local_time, queue_document
from pos.services.words import say_in
from pos.store import print_jobs as job_rows
from pos.store import tills as rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen
from receipts import layouts
from receipts.reports import TestPage
from receipts.settings import PrinterSettings, TextMode, Transport

DEFAULTS: dict[str, object] = {field.name: field.default for field in fields(PrinterSettings) if field.name != "address"}
# What the screen asks for; the rest is for those who write settings by hand.
ASKED = ("transport", "address", "port", "dots", "text_mode", "native_encoding", "cut", "drawer_pin", "status", "marker", "baud")
COLUMNS = {576: 48, 512: 42, 384: 32}


@dataclass(frozen=True)
class PrinterPicture:
    """One printer as the screen shows it; ``values`` are the words of ``ASKED``."""

    id: int
    name: str
    values: dict[str, str]
    near_end: bool
    problem: str | None


@dataclass(frozen=True)
class TillPicture:
    """Which printers a till has."""

    code: str
    printer_id: int | None
    spare_id: int | None


def all_at(desk: Desk) -> tuple[list[PrinterPicture], list[TillPicture]]:
    """The printers and tills of the desk's store."""
    with reading() as session:
        printers = [_picture(session, printer) for printer in rows.printers_of(session, desk.store.id)]
        tills = [till for till in rows.all_tills(session) if till.store_id == desk.store.id]
        return printers, [TillPicture(till.code, till.printer_id, till.spare_printer_id) for till in tills]


def _picture(session: Session, printer: rows.Printer) -> PrinterPicture:
    problem = session.scalar(select(job_rows.latest_problem(printer.id)))
    values = {name: _word(printer.settings.get(name, DEFAULTS.get(name))) for name in ASKED}
    return PrinterPicture(printer.id, printer.name, values, printer.near_end, problem)


def _word(value: object) -> str:
    return "" if value is None else str(value)


@retried
def change(printer_id: int | None, name: str, given: Mapping[str, str], desk: Desk, *, kit: Kit) -> None:
    """Set a printer up, or a new one where ``printer_id`` is None. Jobs that wait take the new settings with their next try.

    Raises NotFound, PrinterNameTaken, PrinterAddressWrong, PrinterSettingsWrong."""
    settings = _settings(given)
    now = kit.now()
    with transaction() as session:
        here = rows.printers_of(session, desk.store.id)
        if any(other.name == name and other.id != printer_id for other in here):
            raise PrinterNameTaken(name=name)
        printer = next((found for found in here if found.id == printer_id), None)
        if printer is None and printer_id is not None:
            raise NotFound
        if printer is None:
            printer = rows.Printer(store_id=desk.store.id, near_end=False)
            session.add(printer)
        # What the screen does not ask for stays as it was written by hand.
        printer.name, printer.settings = name, {**(printer.settings or {}), **settings}
        _note(session, kit.pen(desk, now), printer)
    kit.bell.set()


def _settings(given: Mapping[str, str]) -> dict[str, object]:
    """What was typed and chosen, as it is kept. Raises PrinterAddressWrong, PrinterSettingsWrong."""
    settings: dict[str, object] = {name: given[name] for name in ASKED if given.get(name)}
    try:
        for name in ("port", "dots", "drawer_pin", "baud"):
            if name in settings:
                settings[name] = int(str(settings[name]))
        settings["drawer_pin"] = settings.get("drawer_pin")
        settings["columns"] = COLUMNS.get(int(str(settings.get("dots", 576))), 48)
        Transport(str(settings["transport"]))
        # With an address that is good anywhere, so that what is wrong now is not the address.
        PrinterSettings(**{**settings, "address": "192.0.2.1", "transport": "lan"})  # type: ignore[arg-type]
    except (ValueError, TypeError, KeyError):
        raise PrinterSettingsWrong from None
    try:
        PrinterSettings(**settings)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise PrinterAddressWrong from None
    return settings


@retried
def choose(till_code: str, printer_id: int | None, spare_id: int | None, desk: Desk, *, kit: Kit) -> None:
    """Where a till of this store prints, and which printer helps it out. Raises NotFound. What waits stays where it is."""
    now = kit.now()
    with transaction() as session:
        till = rows.till_for_change(session, till_code)
        known = {printer.id for printer in rows.printers_of(session, desk.store.id)} | {None}
        if till is None or till.store_id != desk.store.id or not {printer_id, spare_id} <= known:
            raise NotFound
        till.printer_id, till.spare_printer_id = printer_id, spare_id if spare_id != printer_id else None
        chosen = {"printer": till.printer_id or 0, "spare": till.spare_printer_id or 0}
        kit.pen(desk, now).note(session, "till.printers", "till", till.code, chosen)


@retried
def point(till_code: str, settings: dict[str, object], *, spare: bool = False, kit: Kit) -> None:
    """Point a till at a printer with these settings, from the command line. Raises NotFound, PrinterSettingsWrong."""
    try:
        PrinterSettings(**settings)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise PrinterSettingsWrong from None
    now = kit.now()
    with transaction() as session:
        till = rows.till_for_change(session, till_code)
        if till is None:
            raise NotFound
        store = rows.store_of(session, till)
        name = f"{till_code} {settings['address']}"[:60]
        printer = next((known for known in rows.printers_of(session, till.store_id) if known.name == name), None)
        if printer is None:
            printer = rows.Printer(store_id=till.store_id, name=name, near_end=False)
            session.add(printer)
        printer.settings = settings
        _note(session, kit.office_pen(store.code, "command", now, store.plain().business_day(now)), printer)
        if spare:
            till.spare_printer_id = printer.id
        else:
            till.printer_id = printer.id


def _note(session: Session, pen: Pen, printer: rows.Printer) -> None:
    session.flush()
    pen.note(
        session,
        "printer.set",
        "printer",
        printer.id,
        {"name": printer.name, "transport": _word(printer.settings.get("transport"))},
    )


@retried
def test_page(printer_id: int | None, desk: Desk, *, kit: Kit) -> None:
    """A page with both scripts, the edges and a code, or with a ruler for a printer with characters of its own; on the till's
    printer where none is named. Raises NotFound."""
    now = kit.now()
    with transaction() as session:
        chosen = printer_id if printer_id is not None else desk.till.printer_id
        printer = next((found for found in rows.printers_of(session, desk.store.id) if found.id == chosen), None)
        if printer is None:
            if printer_id is None:
                return
            raise NotFound
        page = TestPage(
            printer=printer.name,
            local_time=local_time(desk.store.local(now)),
            settings=tuple((name, _word(value)) for name, value in sorted(printer.settings.items())),
            columns=_ruler(printer),
        )
        document = layouts.test_page(page, say_in(desk.staff.language), desk.staff.language)
        till = session.get_one(rows.Till, desk.till.id)
        queue_document(session, document, JobKind.SLIP, till=till, pen=kit.pen(desk, now), printer_id=printer.id)
    kit.bell.set()


def _ruler(printer: rows.Printer) -> int:
    """The columns of a printer that shows its own characters; 0 for one that gets pictures."""
    native = printer.settings.get("text_mode") == TextMode.NATIVE
    return int(str(printer.settings.get("columns", 48))) if native else 0
