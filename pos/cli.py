"""The command line: serve, work, upgrade, verify, furnish. Everything heavy is imported where it is used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pos import __version__, cli_backups, cli_carriers, cli_reconciliation, cli_reports

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

    from pos.config import Settings
    from pos.worker import Worker

CONFIG = "config.toml"
TRANSPORTS = ("lan", "usb", "serial", "windows", "cups", "file")


class _Told(click.Group):
    """Whatever the database refuses on any command is one sentence, not a traceback."""

    def invoke(self, context: click.Context) -> Any:
        from sqlalchemy.exc import DBAPIError

        try:
            return super().invoke(context)
        except DBAPIError as fault:
            told = str(fault.orig).strip().splitlines()[0]
            raise click.ClickException(
                f"The database cannot be used: {told}. Is it there, and was `pos db upgrade` run?"
            ) from None


@click.group(cls=_Told)
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), default=None, help="config.toml unless POS_CONFIG says else"
)
@click.version_option(package_name=None, version=__version__, prog_name="simcounter")
@click.pass_context
def main(context: click.Context, config_path: Path | None) -> None:
    """simcounter: the counter that renews prepaid SIM and eSIM plans."""
    context.obj = config_path or Path(os.environ.get("POS_CONFIG", CONFIG))
    context.meta["settings"] = lambda: _settings(context)
    context.meta["open"] = lambda: _app(_settings(context))


main.add_command(cli_carriers.import_plans)
main.add_command(cli_carriers.carrier)
main.add_command(cli_reconciliation.reconcile)
main.add_command(cli_reconciliation.import_)
main.add_command(cli_reports.report)
main.add_command(cli_backups.backup)
main.add_command(cli_backups.restore)


def _settings(context: click.Context) -> Settings:
    from pos.config import ConfigUnusable, load

    try:
        return load(context.obj)
    except ConfigUnusable as fault:
        raise click.ClickException(str(fault)) from None


def _app(settings: Settings) -> Flask:
    """The application, or one sentence why it cannot start."""
    from sqlalchemy.exc import ArgumentError

    from pos.app import create_app
    from pos.carriers import CarrierMisconfigured
    from pos.domain.permissions import Unguarded
    from pos.store.keys import KeyRingUnusable

    try:
        return create_app(settings)
    except (KeyRingUnusable, CarrierMisconfigured, Unguarded) as fault:
        raise click.ClickException(str(fault)) from None
    except (ArgumentError, ModuleNotFoundError) as fault:
        # Without the address, which may hold a password.
        why = f"{fault.name} is not installed" if isinstance(fault, ModuleNotFoundError) else "it is no address of a database"
        raise click.ClickException(f"database.url cannot be used: {why}.") from None


# ------------------------------------------------------------------ serve and work


@main.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """The web server, with the worker in it unless worker.in_server is false."""
    settings = _settings(context)
    app = _app(settings)
    _serve(app, settings)


def _serve(app: Flask, settings: Settings) -> None:
    from waitress.server import create_server

    from pos.services import journal
    from pos.store.db import read_back_durability, what_a_power_cut_may_take

    with app.app_context():
        durable = read_back_durability()
        _refuse_without_keys(app)
        fault = journal.look_at_ends(kit=app.extensions["simcounter"])
    for danger in what_a_power_cut_may_take(durable):
        click.echo(f"Warning: a power cut may take sales that were confirmed. {danger}.", err=True)
    if fault:
        click.echo(f"The books do not hold together. {fault}. Selling goes on; run `pos verify` and tell the owner.", err=True)
    reserve = app.extensions["simcounter"].reserve
    if reserve is not None and not reserve.hold():
        click.echo(
            "The disk of the database is nearly full: no money can be taken until there is room. Tell the owner.", err=True
        )
    worker = _worker(app, settings, "serve") if settings.worker.in_server else None
    try:
        server = create_server(
            app,
            host=settings.server.host,
            port=settings.server.port,
            **server_habits(settings),
        )
    except OSError as fault:
        where = f"{settings.server.host}:{settings.server.port}"
        raise click.ClickException(f"Nobody can listen on {where}: {fault.strerror or fault}.") from None
    _stop_when_told()
    if worker is not None:
        worker.start()
    click.echo(f"simcounter on http://{settings.server.host}:{server.effective_port}/ ({_words(durable)})", nl=True)
    sys.stdout.flush()
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        click.echo("stopping")
    finally:
        server.close()
        if worker is not None:
            worker.stop()


def _refuse_without_keys(app: Flask) -> None:
    """Nobody sells while values cannot be read, or numbers would not be found."""
    from pos.services import key_rotation

    kit = app.extensions["simcounter"]
    lacking, unfinished = key_rotation.lacking(kit=kit), key_rotation.unfinished(kit=kit)
    if lacking:
        raise click.ClickException(
            f"The key ring lacks {', '.join(lacking)}, which rows name. Bring back the ring's sealed copy."
        )
    if unfinished:
        raise click.ClickException(
            f"A change of keys was broken off. Run `pos keys rotate {unfinished[0]}` again before selling."
        )


def server_habits(settings: Settings) -> dict[str, Any]:
    """How the web server behaves: it reads no more than a form's length, and says nothing of what it is made of."""
    return {
        "threads": settings.server.threads,
        "max_request_body_size": settings.server.longest_body_kilobytes * 1024,
        "ident": "simcounter",
    }


def _words(durable: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in durable.items())


def _stop_when_told() -> None:
    """Ctrl-C, a service manager's SIGTERM, and on Windows Ctrl-Break, the only one of them that reaches a group of processes."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, _stop)


def _stop(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def _worker(app: Flask, settings: Settings, role: str) -> Worker:
    import socket

    from pos.app import mail_post, press
    from pos.worker import Worker

    kit = app.extensions["simcounter"]
    name = f"{settings.worker.name}-{role}-{socket.gethostname()}"[:60]
    return Worker(app, kit, press, name, settings.worker.threads, mail_post(settings))


@main.command()
@click.pass_context
def worker(context: click.Context) -> None:
    """The worker as a process of its own: sends, asks again, prints."""
    import time

    settings = _settings(context)
    own = _worker(_app(settings), settings, "worker")
    _stop_when_told()
    own.start()
    click.echo("worker ready")
    sys.stdout.flush()
    try:
        while True:
            # In short waits: on Windows a signal is heard only between them.
            time.sleep(0.5)
    except (KeyboardInterrupt, SystemExit):
        click.echo("stopping")
    finally:
        own.stop()


# ------------------------------------------------------------------ database, keys, people


@main.group()
def db() -> None:
    """The schema: upgrade, check, revision."""


@db.command()
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Bring the database to this version."""
    import flask_migrate

    app = _app(_settings(context))
    with app.app_context():
        flask_migrate.upgrade()
    click.echo("The database is up to date.")


@db.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Say whether tables and classes agree."""
    import flask_migrate

    app = _app(_settings(context))
    with app.app_context():
        flask_migrate.check()


@db.command()
@click.option("--rev-id", required=True, help="the next number, such as 0011")
@click.option("-m", "--message", required=True)
@click.pass_context
def revision(context: click.Context, rev_id: str, message: str) -> None:
    """A new migration to fill in."""
    import flask_migrate

    app = _app(_settings(context))
    with app.app_context():
        flask_migrate.revision(message=message, rev_id=rev_id)


@main.group()
def keys() -> None:
    """The key ring."""


@keys.command()
@click.pass_context
def make(context: click.Context) -> None:
    """Write a new key ring where the configuration says; refuses to replace one."""
    from pos.store.keys import make as make_ring

    path = _settings(context).security.key_ring
    try:
        make_ring(path)
    except FileExistsError:
        raise click.ClickException(f"There is a key ring at {path} already. Nothing was changed.") from None
    click.echo(f"Key ring written to {path}. Keep two sealed copies away from this machine and from the backups.")


@keys.command("list")
@click.pass_context
def list_keys(context: click.Context) -> None:
    """Each key's id, whether new rows use it, and how many values name it. Exit status 1 when one is named and missing."""
    from pos.services import key_rotation

    app = _app(_settings(context))
    ring = app.extensions["simcounter"].keys
    with app.app_context():
        used = key_rotation.in_use()
    for key_id in sorted(ring.keys.keys() | used.keys()):
        where = "current" if key_id in ring.now.values() else "old" if key_id in ring.keys else "MISSING"
        click.echo(f"{key_id:8} {where:8} {used.get(key_id, 0)}")
    sys.exit(1 if used.keys() - ring.keys.keys() else 0)


@keys.command()
@click.argument("purpose", type=click.Choice(["jrn", "sig", "enc", "idh", "idx", "pep", "web", "bak"]))
@click.option("--asked-by", required=True, help="the staff number of the manager who does it")
@click.option("--agreed-by", required=True, help="the staff number of the second manager")
@click.pass_context
def rotate(context: click.Context, purpose: str, asked_by: str, agreed_by: str) -> None:
    """A new key for PURPOSE, and what can be written anew under it is. Stop server and worker first. Broken off: run it again."""
    from pos.domain.errors import CounterError
    from pos.services import key_rotation
    from pos.store.keys import KeyRingUnusable

    settings = _settings(context)
    app = _app(settings)
    try:
        with app.app_context():
            ring = settings.security.key_ring
            done = key_rotation.rotate(purpose, asked_by, agreed_by, ring, kit=app.extensions["simcounter"])
    except (CounterError, KeyRingUnusable) as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"{done.key_id} is in use; {done.rewritten} values were written anew, {done.left} name an older key.")
    click.echo(
        "Start server and worker again, seal new copies of the key ring, and keep the older keys while a backup needs them."
    )


def _told(app: Flask, verb: Callable[[], None], done: str) -> None:
    """Call a service; a refusal is one sentence and exit status 1."""
    from pos.domain.errors import CounterError

    try:
        with app.app_context():
            verb()
    except CounterError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(done)


@main.command("add-store")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--legal-name", default="")
@click.option("--address", multiple=True, help="one line; repeat for more")
@click.option("--country", required=True, help="two letters, such as GB")
@click.option("--currency", required=True, help="three letters, such as GBP")
@click.option("--zone", required=True, help="such as Europe/London")
@click.option("--day-starts", default="00:00", show_default=True, help="when the business day begins, local time")
@click.option("--tax-name", default="", help="such as VAT; empty where prices carry no tax")
@click.option("--tax-percent", default="0", show_default=True)
@click.option("--tax-number", default="")
@click.option("--support", multiple=True, help="a line for customers who need help; repeat for more")
@click.option("--hours", default="")
@click.option("--footer", multiple=True)
@click.option("--tolerance", default="1.00", show_default=True, help="difference at closing that needs no second count")
@click.option("--refund-limit", default="", help="what a clerk may give back of one sale; empty: any sum")
@click.option("--movement-limit", default="", help="what a clerk may move into or out of a drawer at once; empty: any sum")
@click.option("--drawer-limit", default="", help="above it the till asks to bring money to the safe; empty: never")
@click.option("--difference-limit", default="", help="above it a manager approves a difference at closing; empty: never")
@click.pass_context
def add_store(context: click.Context, /, code: str, **given: Any) -> None:
    """Write a new store down: what its receipts say and which rules hold there."""
    from datetime import timedelta
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from pos.domain.money import NotMoney, basis_points, parse
    from pos.domain.tills import Store
    from pos.services import tills

    try:
        ZoneInfo(given["zone"])
        hours, minutes = (int(part) for part in given["day_starts"].split(":"))
        tolerance = parse(given["tolerance"], given["currency"].upper())
        limit = parse(given["refund_limit"], given["currency"].upper()).minor if given["refund_limit"] else None
        movement, drawer, difference = (
            parse(given[name], given["currency"].upper()).minor if given[name] else None
            for name in ("movement_limit", "drawer_limit", "difference_limit")
        )
        tax = basis_points(given["tax_percent"])
    except (ZoneInfoNotFoundError, ValueError, NotMoney) as fault:
        raise click.ClickException(f"Nothing was changed: {fault}") from None
    store = Store(
        id=0,
        code=code.upper(),
        name=given["name"],
        legal_name=given["legal_name"],
        address=given["address"],
        tax_label=f"{given['tax_name']} no." if given["tax_name"] else "",
        tax_number=given["tax_number"],
        country=given["country"].upper(),
        currency=given["currency"].upper(),
        zone=given["zone"],
        day_starts=timedelta(hours=hours, minutes=minutes),
        tax_name=given["tax_name"],
        tax_basis_points=tax,
        support=given["support"],
        hours=given["hours"],
        footer=given["footer"],
        drawer_tolerance_minor=tolerance.minor,
        refund_limit_minor=limit,
        movement_limit_minor=movement,
        drawer_limit_minor=drawer,
        difference_limit_minor=difference,
    )
    app = _app(_settings(context))
    _told(app, lambda: tills.add_store(store, kit=app.extensions["simcounter"]), f"Store {store.code} is written down.")


@main.command("set-refund-limit")
@click.argument("store_code")
@click.argument("limit", default="")
@click.pass_context
def set_refund_limit(context: click.Context, store_code: str, limit: str) -> None:
    """What a clerk may give back of one sale, such as 50.00; without a sum, any. Above it a manager signs in."""
    from pos.domain.money import NotMoney
    from pos.services import tills

    app = _app(_settings(context))
    code, said = store_code.upper(), f"up to {limit}" if limit else "any sum"
    try:
        _told(app, lambda: tills.set_refund_limit(code, limit, kit=app.extensions["simcounter"]), f"Clerks of {code}: {said}.")
    except NotMoney as fault:
        raise click.ClickException(f"Nothing was changed: {fault}") from None


@main.command("set-drawer")
@click.argument("store_code")
@click.option("--movement-limit", default="", help="what a clerk may move into or out of a drawer at once; none given: any sum")
@click.option("--drawer-limit", default="", help="above it the till asks to bring money to the safe; none given: never")
@click.option("--difference-limit", default="", help="above it a manager approves a difference at closing; none given: never")
@click.pass_context
def set_drawer(context: click.Context, store_code: str, movement_limit: str, drawer_limit: str, difference_limit: str) -> None:
    """The limits of a store's drawers, such as 100.00: all three are set at once, and a limit that is not named ends."""
    from pos.domain.money import NotMoney
    from pos.services import tills

    app = _app(_settings(context))
    code, limits = store_code.upper(), (movement_limit, drawer_limit, difference_limit)
    try:
        _told(app, lambda: tills.set_drawer_limits(code, *limits, kit=app.extensions["simcounter"]), f"Drawers of {code}: set.")
    except NotMoney as fault:
        raise click.ClickException(f"Nothing was changed: {fault}") from None


@main.command("set-receipts")
@click.argument("store_code")
@click.option(
    "--second-language", type=click.Choice(["", "en", "zh_Hans", "zh_Hant"]), default="", help="titles and totals in it too"
)
@click.option(
    "--legal", multiple=True, help="a line that the law wants; repeat for more; none given: what is usual in the country"
)
@click.option("--no-legal", is_flag=True, help="no legal line at all")
@click.pass_context
def set_receipts(context: click.Context, store_code: str, second_language: str, legal: tuple[str, ...], no_legal: bool) -> None:
    """What a store's receipts say from now on: a second language, and the lines that the law of the place wants."""
    from pos.services import tills

    app = _app(_settings(context))
    lines = legal or (() if no_legal else None)
    kit = app.extensions["simcounter"]
    _told(app, lambda: tills.set_receipts(store_code.upper(), second_language, lines, kit=kit), "Receipts from now on say so.")


@main.command("add-till")
@click.argument("store_code")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--surface", type=click.Choice(["counter", "kiosk"]), default="counter", show_default=True)
@click.pass_context
def add_till(context: click.Context, store_code: str, code: str, name: str, surface: str) -> None:
    """A new till of a store."""
    from pos.services import tills

    app = _app(_settings(context))
    kit = app.extensions["simcounter"]
    done = f"Till {code.upper()} is written down. Next: pos enrol-code {code.upper()}"
    _told(app, lambda: tills.add_till(store_code.upper(), code.upper(), name, surface, kit=kit), done)


@main.command("add-person")
@click.argument("number")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(["clerk", "manager", "owner", "auditor"]), default="clerk", show_default=True)
@click.option("--store", "store_code", default=None, help="leave out for people of every store")
@click.option("--language", type=click.Choice(["en", "zh_Hans", "zh_Hant"]), default="en", show_default=True)
@click.password_option("--pin", help="six digits; asked for when left out")
@click.pass_context
def add_person(
    context: click.Context, number: str, name: str, role: str, store_code: str | None, language: str, pin: str
) -> None:
    """A new person with a PIN."""
    from pos.domain.permissions import Role
    from pos.services import staff

    app = _app(_settings(context))
    kit = app.extensions["simcounter"]
    home = store_code.upper() if store_code else None
    _told(app, lambda: staff.add(number, name, Role(role), home, pin, language, kit=kit), f"{name} may sign in as {number}.")


@main.command("enrol-code")
@click.argument("till_code")
@click.pass_context
def enrol_code(context: click.Context, till_code: str) -> None:
    """A one-time code that makes a browser this till; good for ten minutes."""
    from pos.domain.errors import CounterError
    from pos.services import tills

    app = _app(_settings(context))
    try:
        with app.app_context():
            click.echo(tills.make_code(till_code.upper(), kit=app.extensions["simcounter"]))
    except CounterError:
        raise click.ClickException(f"There is no till {till_code}.") from None


@main.command("set-printer")
@click.argument("till_code")
@click.argument("address")
@click.option("--port", default=9100, show_default=True)
@click.option("--dots", type=click.Choice(["576", "512", "384"]), default="576", show_default=True)
@click.option("--marker", type=click.Choice(["gs_r", "gs_h", "none"]), default="gs_r", show_default=True)
@click.option("--status", type=click.Choice(["dle_eot", "none"]), default="dle_eot", show_default=True)
@click.option("--transport", type=click.Choice([*TRANSPORTS]), default="lan", show_default=True)
@click.option("--spare", is_flag=True, help="the printer that helps out when the till's own is not ready")
@click.pass_context
def set_printer(context: click.Context, /, till_code: str, address: str, spare: bool, **given: Any) -> None:
    """Point a till at a receipt printer. ADDRESS: a host; 04b8:0e15 (usb); COM3 (serial); a name (windows, cups); a file."""
    from pos.services import printers

    app = _app(_settings(context))
    dots = int(given.pop("dots"))
    settings: dict[str, object] = {"address": address, "dots": dots, "columns": {576: 48, 512: 42, 384: 32}[dots], **given}
    kit = app.extensions["simcounter"]
    done = f"{till_code.upper()} prints on {address}" + (" when its own printer is not ready." if spare else ".")
    _told(app, lambda: printers.point(till_code.upper(), settings, spare=spare, kit=kit), done)


@main.group()
def printer() -> None:
    """Receipt printers: find out how one must be set up."""


@printer.command()
@click.argument("host")
@click.option("--port", default=9100, show_default=True)
@click.option("--epson", is_flag=True, help="also ask for Epson's proof of printing; other makes may print a few characters")
def probe(host: str, port: int, epson: bool) -> None:
    """Ask a network printer what it answers to, and say which settings fit. Prints nothing. Exit status 1 without a printer."""
    from receipts.probe import probe as ask

    found = ask(host, port, completion=epson)
    if not found.reachable:
        raise click.ClickException(f"Nobody listens on {host}:{port}. Check power, cable and address.")
    for note in found.notes:
        click.echo(note)
    click.echo(f"status {found.status.value}, marker {found.marker.value}")
    click.echo(f"Next: pos set-printer TILL {host} --port {port} --status {found.status.value} --marker {found.marker.value}")
    if found.marker.value == "none":
        click.echo("It never says that paper came out: its slips end as sent, and the clerk looks at the paper.")


@main.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Check journal, books and carriers' statements against each other. Exit status 1 when anything is wrong."""
    from pos.services import journal, ledger, reconciliation

    app = _app(_settings(context))
    kit = app.extensions["simcounter"]
    with app.app_context():
        found = {
            "journal": list(journal.verify(kit=kit)),
            "books": list(ledger.prove()),
            "carriers": list(reconciliation.compare_with_statements(kit=kit)),
        }
    wrong = sum(len(faults) for faults in found.values())
    first = next((fault for faults in found.values() for fault in faults), "")
    if as_json:
        row, _, what = first.partition(": ")
        named = {"first": {"row": row, "what": what}} if wrong else {}
        click.echo(json.dumps({"ok": not wrong, **named, **found}, indent=1))
    else:
        for part, faults in found.items():
            click.echo(f"{part}: " + ("all true" if not faults else f"{len(faults)} wrong"))
            for fault in faults:
                click.echo(f"  {fault}")
        if wrong:
            click.echo(f"The first bad row: {first}")
    sys.exit(1 if wrong else 0)


@main.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="a new file; none is replaced")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), default=None, help="from the Z before this business day on")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), default=None, help="up to this business day")
@click.pass_context
def export(context: click.Context, out: Path, first: datetime | None, last: datetime | None) -> None:
    """Write journal, Z reports and ledger for people outside, who check the file with tools/check_export.py."""
    from pos.services import exports

    app = _app(_settings(context))
    count = 0
    try:
        with app.app_context(), out.open("x", encoding="utf-8", newline="\n") as file:
            days = (moment.date() if moment is not None else None for moment in (first, last))
            for line in exports.lines(*days, kit=app.extensions["simcounter"]):
                file.write(line + "\n")
                count += 1
    except OSError as fault:
        raise click.ClickException(f"{out} cannot be written: {fault.strerror}.") from None
    click.echo(f"{count} lines written to {out}.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="for programs")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Say in plain words what is wrong here: database, files, disk, schema, keys, backups, journal, clock, carriers, printers.
    Exit status 1 when something needs a person."""
    from dataclasses import asdict

    from pos import doctor as examination

    settings = _settings(context)
    app = _app(settings)
    found = []
    with app.app_context():
        for one in examination.examine(settings, context.obj, kit=app.extensions["simcounter"]):
            found.append(one)
            if not as_json:
                mark = {True: "ok  ", False: "BAD ", None: "-   "}[one.is_right]
                click.echo(f"{mark}{one.part}: {one.told}")
    wrong = sum(one.is_right is False for one in found)
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "findings": [asdict(one) for one in found]}, indent=1))
    sys.exit(1 if wrong else 0)


@main.command()
@click.pass_context
def purge(context: click.Context) -> None:
    """Delete evidence and numbers that are older than the store's rules let them be, and search the database's bytes for them.
    Run it daily. Exit status 1 when something of it is still there."""
    from pos.services import retention

    app = _app(_settings(context))
    with app.app_context():
        _told_gone(retention.purge(kit=app.extensions["simcounter"], thorough=True), "deleted as too old")


@main.command()
@click.option("--asked-by", required=True, help="the staff number of the manager who does it")
@click.option("--agreed-by", required=True, help="the staff number of the second manager")
@click.pass_context
def erase(context: click.Context, asked_by: str, agreed_by: str) -> None:
    """Erase a customer who asked for it. The number is asked for, because a command line is kept by the shell."""
    from pos.domain.errors import CounterError
    from pos.domain.numbers import NotANumber, parse_iccid, parse_phone
    from pos.services import retention

    app = _app(_settings(context))
    typed = click.prompt("The customer's number, with + and country, or the SIM's number")
    try:
        number = parse_phone(typed, "").e164 if "+" in typed else parse_iccid(typed).digits
        with app.app_context():
            gone = retention.erase(number, asked_by, agreed_by, kit=app.extensions["simcounter"])
            _told_gone(gone, "erased")
    except NotANumber:
        raise click.ClickException("This is no number with + and country, and no SIM's number. Nothing was erased.") from None
    except CounterError as refusal:
        raise click.ClickException(str(refusal)) from None


def _told_gone(gone: Any, done: str) -> None:
    click.echo(f"{gone.checks} checks of documents and the numbers of {gone.numbers} sales {done}.")
    if not gone.settled:
        raise click.ClickException("Tables are in use, and old bytes still stand in them. When the tills are quiet: pos purge")
    if not gone.searched:
        click.echo("A database server's files cannot be searched from here; its log and its backups keep old bytes for a while.")
    elif gone.left:
        raise click.ClickException(f"{gone.left} of the deleted values still stand in the database's files. Run it again.")
    elif gone.checks or gone.numbers:
        click.echo("None of it stands in the database's files any more. Backups keep it until they expire.")


@main.command("resolve-statement")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--carrier", default=None, help="only this one; all that have a statement otherwise")
@click.pass_context
def resolve_statement(context: click.Context, day: datetime, carrier: str | None) -> None:
    """Let the carriers' statements decide what was sent around DAY (2026-11-21). May be done again at any time."""
    from pos.ports import Capability, CarrierUnavailable
    from pos.services import statements

    app = _app(_settings(context))
    kit = app.extensions["simcounter"]
    if carrier is not None and carrier not in kit.carriers:
        raise click.ClickException(f"There is no carrier {carrier} in the configuration.")
    with app.app_context():
        for name in [carrier] if carrier is not None else kit.carriers:
            if Capability.STATEMENT not in kit.carriers[name].declaration().capabilities:
                click.echo(f"{name}: has no statement")
                continue
            try:
                done = statements.resolve_from_statement(name, day.date(), kit=kit)
            except CarrierUnavailable:
                raise click.ClickException(f"The statement of {name} cannot be read now; nothing was decided.") from None
            click.echo(f"{name}: " + (", ".join(f"{count} {what}" for what, count in sorted(done.items())) or "nothing new"))


@main.command("ask-again")
@click.argument("receipt")
@click.pass_context
def ask_again(context: click.Context, receipt: str) -> None:
    """Ask the carrier once more about every renewal of RECEIPT, also one that seems to be over."""
    from pos.services import renewals, sales

    app = _app(_settings(context))
    kit = app.extensions["simcounter"]
    with app.app_context():
        lines = sales.renewals_of(receipt)
        if not lines:
            raise click.ClickException(f"There is no receipt {receipt} with a renewal.")
        for renewal_id in lines:
            said = renewals.look_again(renewal_id, kit=kit)
            now = sales.renewals_of(receipt)[renewal_id]
            click.echo(f"the carrier said: {said.value if said is not None else 'the worker asks'}; the renewal is {now}")


# ------------------------------------------------------------------ the demo


@main.command()
@click.option("--fresh", is_flag=True, help="start over: forget the demo's sales")
@click.option("--port", default=8080, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
@click.pass_context
def demo(context: click.Context, fresh: bool, port: int, folder: Path) -> None:
    """The demo shop in one go: server, sandbox carrier, virtual printer. Ctrl-C ends all of it."""
    import shutil

    if fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    children: list[subprocess.Popen[str]] = []
    _stop_when_told()
    try:
        carrier = _child(children, "pos.sandbox.carrier_main", "--state", str(folder / "carrier.json"), lines=1)[0]
        printer, paper = _child(children, "pos.sandbox.printer_main", lines=2)
        context.obj = _demo_config(folder, port, _address(carrier), _address(paper))
        settings = _settings(context)
        app = _demo_app(settings, int(printer.rsplit(":", 1)[1]))
        _welcome(settings, _address(carrier), _address(paper))
        _serve(app, settings)
    except (KeyboardInterrupt, SystemExit):
        click.echo("stopping")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def _child(children: list[subprocess.Popen[str]], module: str, *arguments: str, lines: int) -> list[str]:
    """Start a part of the demo as a process of its own and read the lines that say where it listens."""
    command = [sys.executable, "-m", module, *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")  # noqa: S603 - our own modules
    children.append(child)
    said = [child.stdout.readline().strip() for _ in range(lines)] if child.stdout is not None else []
    if not all(said):
        raise click.ClickException(f"{module} did not start.")
    return said


def _address(line: str) -> str:
    return next(word for word in line.split() if word.startswith("http")).rstrip("/")


def _demo_config(folder: Path, port: int, carrier: str, paper: str) -> Path:
    """A configuration with this run's addresses. Keys are made once; without them the kept sales could not be read."""
    from pos.sandbox.shop_tables import tables
    from pos.store.keys import make as make_ring

    ring = folder / "keys.json"
    if not ring.exists():
        if (folder / "demo.sqlite3").exists():
            raise click.ClickException("The demo's keys are gone but its sales are there. Start over with --fresh.")
        make_ring(ring)
    path, used = folder / "config.toml", _free_port(port)
    path.write_text(
        f"""# Written anew by each start of the demo.
demo = true
paper_page = {json.dumps(paper + "/")}

[database]
url = {json.dumps("sqlite:///" + (folder / "demo.sqlite3").resolve().as_posix())}

[server]
port = {used}
secure_cookies = false

[security]
key_ring = "keys.json"

[receipts]
public_url = "http://127.0.0.1:{used}"

[logging]
level = "warning"

{tables(carrier)}""",
        encoding="utf-8",
    )
    return path


def _free_port(wanted: int) -> int:
    """``wanted``, or the next one that nobody listens on."""
    import socket

    for port in range(wanted, wanted + 20):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise click.ClickException(f"No free port from {wanted} on.")


def _demo_app(settings: Settings, printer_port: int) -> Flask:
    import flask_migrate

    from pos import demo as shop
    from pos.app import DEMO_PINS

    app = _app(settings)
    with app.app_context():
        flask_migrate.upgrade()
        kit = app.extensions["simcounter"]
        if shop.is_empty():
            shop.furnish(printer_port, DEMO_PINS, kit=kit)
        shop.move_printers(printer_port)
        shop.stock(kit=kit)
    return app


def _welcome(settings: Settings, carrier: str, paper: str) -> None:
    click.echo(
        f"""
The demo shop is open. Invented carriers and people, no real money.

  the counter       http://{settings.server.host}:{settings.server.port}/
  receipt paper     {paper}/
  sandbox carrier   {carrier}/   (its books, and buttons for trouble)

Choose a till on the first page, then a name; the PIN stands beside each name.
A number to renew: 07700 900123 in London, 5550 1234 in Hong Kong. Ctrl-C ends everything.
"""
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
