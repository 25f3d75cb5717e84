"""The command line's verbs about carriers: read a catalogue, try one from end to end."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click


@click.command("import-plans")
@click.argument("store_code")
@click.argument("carrier")
@click.pass_context
def import_plans(context: click.Context, store_code: str, carrier: str) -> None:
    """Read a carrier's catalogue into a store's price list."""
    from pos.ports import CarrierUnavailable
    from pos.services import plans

    app = context.meta["open"]()
    try:
        with app.app_context():
            count = plans.import_catalogue(store_code.upper(), carrier, kit=app.extensions["simcounter"])
    except (CarrierUnavailable, LookupError, KeyError) as fault:
        raise click.ClickException(f"Nothing was changed: {type(fault).__name__} {fault}") from None
    click.echo(f"{count} plans on sale.")


@click.group()
def carrier() -> None:
    """Look after a carrier."""


@carrier.command()
@click.argument("name")
@click.option("--number", default=None, help="a customer's number with + and country, or an ICCID: whose is it?")
@click.option("--plan", default=None, help="a plan's key: would the carrier sell it for that number? Nothing is ordered")
@click.option("--json", "as_json", is_flag=True, help="for programs")
@click.pass_context
def check(context: click.Context, name: str, number: str | None, plan: str | None, as_json: bool) -> None:
    """Try everything at carrier NAME that orders nothing: credentials, wallet, look-up, clock, catalogue. Exit status 1 when
    anything is wrong."""
    from pos.services import carriers

    app = context.meta["open"]()
    kit = app.extensions["simcounter"]
    if name not in kit.carriers:
        known = ", ".join(kit.carriers) or "none is configured"
        raise click.ClickException(f"There is no carrier {name}: {known}.")
    steps = []
    with app.app_context():
        for step in carriers.check(name, number, plan, kit=kit):
            steps.append(step)
            if not as_json:
                mark = {True: "ok  ", False: "BAD ", None: "-   "}[step.is_right]
                click.echo(f"{mark}{step.name}: {step.told} ({step.milliseconds} ms)")
    wrong = sum(step.is_right is False for step in steps)
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "steps": [asdict(step) for step in steps]}, indent=1))
    sys.exit(1 if wrong else 0)
