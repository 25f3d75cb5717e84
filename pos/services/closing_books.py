"""A frozen closing as a report; nothing is computed here but what its figures already say."""

from __future__ import annotations

import json
from typing import Any

from pos.domain.closings import Period, days_of
from pos.domain.errors import NotFound
from pos.domain.shifts import Movement
from pos.domain.words import N_
from pos.services.receipts import line_name
from pos.services.report_scope import Scope
from pos.store import closings as rows
from pos.store.db import reading
from receipts.sheets import Book, Column, Kind, Table

TITLES = {Period.DAY: N_("Closing of the day"), Period.MONTH: N_("Closing of the month"), Period.YEAR: N_("Closing of the year")}
_COUNTED = {
    "sales": N_("Number of sales"),
    "customers": N_("Customers"),
    "voids": N_("Voids"),
    "refunds_count": N_("Refunds"),
    "reprints": N_("Reprints"),
    "typed_checks": N_("ID checks typed by hand"),
    "failed_pins": N_("Failed PINs"),
    "active": N_("Active"),
    "refused": N_("Refused"),
    "unknown": N_("Unknown when closed"),
    "reversed": N_("Withdrawn"),
}
_ADDED = {
    "gross": N_("Gross"),
    "tax": N_("Tax"),
    "card": N_("Card"),
    "card_refunds": N_("Card refunds"),
    "refunds": N_("Refunds"),
    "expected": N_("Expected"),
    "counted": N_("Counted"),
    "difference": N_("Difference"),
    "left": N_("Left in the drawer"),
}
_CASH = {
    "float": N_("Opening float"),
    "sale": N_("Cash sales"),
    "change": N_("Change given"),
    "refund": N_("Cash refunds"),
    "paid_in": N_("Paid in"),
    "paid_out": N_("Paid out"),
    "drop": N_("Safe drops"),
    "surplus": N_("Found over"),
}


def frozen(period: Period, scope: Scope) -> Book:
    """The closing of the period that the scope's first day belongs to. Raises NotFound while it is not closed."""
    with reading() as session:
        row = rows.of(session, scope.store.id, period, days_of(period, scope.days[0])[0])
        if row is None:
            raise NotFound
        says: dict[str, Any] = json.loads(row.figures)
        own_hash, at = row.own_hash, row.at
    say = scope.say
    facts = (
        (say("Closing"), says["closing"]),
        (say("From"), says["first_day"]),
        (say("To"), says["last_day"]),
        (say("Time zone"), says["zone"]),
        (say("Time"), scope.local(at)),
        (say("Open drawers"), ", ".join(f"{till} {number} ({day})" for till, number, day in says["open_shifts"])),
        (say("Total before"), str(scope.amount(says["opening_total"]))),
        (say("Total since the start"), str(scope.amount(says["grand_total"]))),
        (say("Previous report"), says["previous"]),
        (say("This report"), own_hash),
        (say("Journal"), f"{says['office']['chain']} {says['office']['seq']} {says['office']['head']}"),
    )
    tables = (_money(scope, says), _counts(scope, says), _cash(scope, says), _sold(scope, says), _parts(scope, says))
    shown = tuple((label, value) for label, value in facts if value)
    return Book(
        says["closing"], f"{say(TITLES[period])} {says['closing']}", scope.store.name, scope.language, shown, tables, scope.made
    )


def written(scope: Scope) -> frozenset[str]:
    """Which of the periods of the scope's first day are closed."""
    with reading() as session:
        asked = ((period, days_of(period, scope.days[0])[0]) for period in Period)
        return frozenset(period.value for period, first in asked if rows.of(session, scope.store.id, period, first) is not None)


def _money(scope: Scope, says: dict[str, Any]) -> Table:
    say = scope.say
    rows_ = tuple((say(title), scope.amount(says[name])) for name, title in _ADDED.items())
    return Table(say("Sums"), (Column(say("What")), Column(say("Amount"), Kind.MONEY)), rows_)


def _counts(scope: Scope, says: dict[str, Any]) -> Table:
    say = scope.say
    rows_ = tuple((say(title), int(says[name])) for name, title in _COUNTED.items())
    return Table(say("Counts"), (Column(say("What")), Column(say("How many"), Kind.COUNT)), rows_)


def _cash(scope: Scope, says: dict[str, Any]) -> Table:
    """Every kind of movement, also one that this version has no word for."""
    say = scope.say
    rows_ = tuple(
        (say(_CASH.get(kind, kind)), scope.amount(minor))
        for kind, minor in sorted(says["cash"].items())
        if kind != Movement.NO_SALE
    )
    return Table(say("Cash movements"), (Column(say("What")), Column(say("Amount"), Kind.MONEY)), rows_)


def _sold(scope: Scope, says: dict[str, Any]) -> Table:
    say = scope.say
    columns = (
        Column(say("Plan")),
        Column(say("Line")),
        Column(say("Carrier")),
        Column(say("How many"), Kind.COUNT),
        Column(say("Sold for"), Kind.MONEY),
        Column(say("Face value"), Kind.MONEY),
        Column(say("Cost"), Kind.MONEY),
    )
    rows_ = tuple(
        (
            row["plan"],
            line_name(row["line"], scope.language),
            row["carrier"],
            row["count"],
            scope.amount(row["price"]),
            scope.amount(row["face"], row["face_currency"]),
            scope.amount(row["cost"], row["cost_currency"]),
        )
        for row in says["sold"]
    )
    return Table(say("Sold by plan"), columns, rows_, drawn=4, empty=say("Nothing was sold in these days."))


def _parts(scope: Scope, says: dict[str, Any]) -> Table:
    """The Zs of a day, or the days of a longer period, by number and hash."""
    say = scope.say
    if "zs" in says:
        columns = (
            Column(say("Till")),
            Column(say("Z report")),
            Column(say("Business day")),
            Column(say("Gross"), Kind.MONEY),
            Column(say("Difference"), Kind.MONEY),
            Column(say("Hash")),
        )
        zs = tuple(
            (till, number, day, scope.amount(gross), scope.amount(difference), own_hash[:16])
            for till, number, day, own_hash, gross, difference in says["zs"]
        )
        return Table(say("Z reports"), columns, zs, empty=say("No drawer was closed."))
    heads = (Column(say("Closing")), Column(say("Business day")), Column(say("Gross"), Kind.MONEY), Column(say("Hash")))
    days = tuple((number, day, scope.amount(gross), own_hash[:16]) for number, day, own_hash, gross in says["days"])
    return Table(say("Closed days"), heads, days, drawn=2, empty=say("No day was closed."))
