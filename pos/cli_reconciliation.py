"""The command line's verbs about the day: read statements and lay them beside the books, unattended.

Exit status: 0 when nothing is open, 3 when items are open or a carrier did not answer, 1 when nothing could be done."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

OPEN_ITEMS = 3


@click.command()
@click.argument("day", type=click.DateTime(formats=["%Y-%m-%d"]))
@click.option("--store", "codes", multiple=True, help="a store's code; every store unless it is given")
@click.option("--json", "as_json", is_flag=True, help="for programs")
@click.pass_context
def reconcile(context: click.Context, day: datetime, codes: tuple[str, ...], as_json: bool) -> None:
    """Compare a business DAY with the statements of carriers, acquirers and bank, and say what is open. May be stopped and
    repeated at any time. Exit status 3 when something is open."""
    from pos.services import reconciliation_imports as imports
    from pos.services import reconciliation_items as items

    app = context.meta["open"]()
    kit = app.extensions["simcounter"]
    told: list[dict[str, Any]] = []
    with app.app_context():
        try:
            stores = [imports.store_called(code) for code in codes] or imports.stores()
        except LookupError as fault:
            raise click.ClickException(f"Nothing was changed: {fault.args[0]}.") from None
        for store in stores:
            if not as_json:
                click.echo(f"{store.code} {day:%Y-%m-%d} ...", err=True)
            worked = items.work_through(store, day.date(), imports.pen_of(store, kit), kit=kit)
            told.append(_told(store.code, items.show_day(store, day.date(), kit=kit), worked.silent))
    _say(told, as_json)
    sys.exit(OPEN_ITEMS if any(one["open"] or one["silent"] for one in told) else 0)


def _told(code: str, day: Any, silent: list[str]) -> dict[str, Any]:
    """A store's day for people and programs; no number and no name in it."""
    return {
        "store": code,
        "day": day.day.isoformat(),
        "drawers": [
            {
                "z": one.z_number,
                "expected": str(one.expected),
                "counted": str(one.counted or ""),
                "difference": str(one.difference),
            }
            for one in day.drawers
        ],
        "sides": [
            {
                "direction": side.direction.value,
                "ours": str(side.ours),
                "theirs": str(side.theirs),
                "difference": str(side.difference),
                "matched": side.matched,
            }
            for side in day.sides
        ],
        "unspoken": [direction.value for direction in day.silent],
        "items": [
            {
                "id": item.id,
                "direction": item.direction.value,
                "bucket": item.bucket.value,
                "differs": list(item.differs),
                "ref": item.ref,
                "ours": str(item.ours or ""),
                "theirs": str(item.theirs or ""),
                "proposal": item.actions[0].value,
            }
            for item in day.items
            if item.state.value == "open"
        ],
        "open": day.open_count,
        "silent": silent,
    }


def _say(told: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    for one in told:
        click.echo(f"{one['store']} {one['day']}")
        for drawer in one["drawers"]:
            click.echo(f"  {drawer['z']}: expected {drawer['expected']}, counted {drawer['counted'] or 'by nobody'}")
        for side in one["sides"]:
            name, ours, theirs = side["direction"], side["ours"], side["theirs"]
            said = "nobody spoke of it yet" if name in one["unspoken"] else f"theirs {theirs}, difference {side['difference']}"
            click.echo(f"  {name}: ours {ours}, {said}")
        for item in one["items"]:
            why = " ".join([item["bucket"], *item["differs"]])
            click.echo(f"  open {item['id']}: {item['direction']} {item['ref']} {why}; proposed: {item['proposal']}")
        for carrier in one["silent"]:
            click.echo(f"  {carrier} did not answer; run this again")
        click.echo(f"  {one['open']} open")


# ------------------------------------------------------------------ files


@click.group("import")
def import_() -> None:
    """Read what others send as a file. The same file twice changes nothing; one that is cut is refused whole."""


@import_.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--store", "code", required=True, help="the store's code")
@click.option("--profile", "name", required=True, help="its table under settlements in the configuration")
@click.option("--json", "as_json", is_flag=True, help="for programs")
@click.pass_context
def settlement(context: click.Context, file: Path, code: str, name: str, as_json: bool) -> None:
    """An acquirer's or a bank's FILE: a CSV as the configuration describes it, or camt.053 or camt.054."""
    from pos.domain.errors import CounterError
    from pos.domain.settlements import Direction
    from pos.services import reconciliation_imports as imports
    from pos.services import reconciliation_items as items

    app = context.meta["open"]()
    kit = app.extensions["simcounter"]
    with app.app_context():
        try:
            profile = imports.profile_of(name, kit, Direction.CARD, Direction.BANK)
            kept = imports.import_for(file.read_bytes(), profile, code, kit=kit)
            store = imports.store_called(code)
            items.after_import(store, kept, imports.pen_of(store, kit), kit=kit)
            waiting = len(items.open_items(store, kit=kit))
        except (CounterError, LookupError, OSError) as fault:
            raise click.ClickException(str(fault)) from None
    _end(kept, waiting, as_json)


@import_.command()
@click.argument("carrier")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="for programs")
@click.pass_context
def statement(context: click.Context, carrier: str, file: Path, as_json: bool) -> None:
    """A statement of CARRIER that came as FILE. What it confirms of renewals in doubt is confirmed; what it leaves out says
    nothing."""
    from pos.domain.errors import CounterError
    from pos.services import reconciliation_imports as imports
    from pos.services import reconciliation_items as items

    app = context.meta["open"]()
    kit = app.extensions["simcounter"]
    with app.app_context():
        try:
            kept = imports.import_statement(carrier, file.read_bytes(), kit=kit)
            waiting = 0
            for store in imports.stores():
                items.after_import(store, kept, imports.pen_of(store, kit), kit=kit)
                waiting += len(items.open_items(store, kit=kit))
        except (CounterError, OSError) as fault:
            raise click.ClickException(str(fault)) from None
    _end(kept, waiting, as_json)


def _end(kept: Any, waiting: int, as_json: bool) -> None:
    said = {"lines": kept.count, "new": kept.new, "left_out": kept.left_out, "resolved": kept.resolved, "open": waiting}
    said["days"] = [day.isoformat() for day in kept.days]
    if as_json:
        click.echo(json.dumps(said, indent=1))
    else:
        click.echo(f"{kept.new} of {kept.count} lines are new, {kept.left_out} were none of ours, {waiting} items are open.")
    sys.exit(OPEN_ITEMS if waiting else 0)
