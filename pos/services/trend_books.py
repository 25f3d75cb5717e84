"""What shows over many days: differences by till and clerk, what the shop earned, refunds and what managers let through."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy.orm import Session

from pos.domain.happenings import happening
from pos.domain.refunds import RefundState
from pos.domain.tills import chain_of_office, chain_of_till
from pos.domain.words import N_
from pos.services.day_books import TENDERS
from pos.services.receipts import line_name
from pos.services.report_scope import Scope
from pos.store import closings as closing_rows
from pos.store import journal as journal_rows
from pos.store import reports
from pos.store.db import reading
from receipts.sheets import Book, Cell, Column, Kind, Table

REFUNDS = {
    RefundState.REFUNDED: N_("refunded"),
    RefundState.REFUNDING: N_("refund at the terminal"),
    RefundState.IN_DOUBT: N_("no result from the terminal"),
    RefundState.DECLINED: N_("declined"),
    RefundState.MISSING: N_("not on the terminal's list"),
}


def _book(scope: Scope, code: str, title: str, tables: tuple[Table, ...]) -> Book:
    first, last = (day.isoformat() for day in scope.days)
    facts = ((scope.say("From"), first), (scope.say("To"), last))
    return Book(f"{code}-{scope.store.code}-{first}-{last}", title, scope.store.name, scope.language, facts, tables, scope.made)


# ------------------------------------------------------------------ differences


def differences(scope: Scope) -> Book:
    """Counted minus expected of every drawer, added up by till and by the person who closed it, then drawer by drawer."""
    with reading() as session:
        return _differences(session, scope)


def _differences(session: Session, scope: Scope) -> Book:
    say = scope.say
    closed = reports.closed_shifts(session, scope.store.id, scope.days)
    names = {full.partition(" ")[0]: full for full in reports.names_of_staff(session).values()}
    columns = (
        Column(say("Till")),
        Column(say("Business day")),
        Column(say("Z report")),
        Column(say("Clerk")),
        Column(say("Difference"), Kind.MONEY),
        Column(say("Reason")),
    )
    differed = [row for row in closed if row[0].difference_minor]
    rows = tuple(
        (
            till,
            shift.business_day.isoformat(),
            shift.z_number or "",
            names[clerk],
            scope.amount(shift.difference_minor or 0),
            shift.difference_reason or "",
        )
        for shift, till, clerk in differed
    )
    keys = tuple(str(shift.id) for shift, *_ in differed)
    tables = (
        _added(scope, say("Differences by clerk"), say("Clerk"), [(names[clerk], shift) for shift, _, clerk in closed]),
        _added(scope, say("Differences by till"), say("Till"), [(till, shift) for shift, till, _ in closed]),
        _added(
            scope,
            say("Differences by day"),
            say("Business day"),
            [(shift.business_day.isoformat(), shift) for shift, *_ in closed],
        ),
        Table(
            say("Drawers that differed"),
            columns,
            rows,
            about="shift",
            keys=keys,
            empty=say("Every drawer was right."),
        ),
    )
    return _book(scope, "differences", say("Differences"), tables)


def _added(scope: Scope, title: str, label: str, found: list[tuple[str, Any]]) -> Table:
    say = scope.say
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for name, shift in found:
        difference, mine = shift.difference_minor or 0, sums[name]
        mine[0] += 1
        mine[1] += max(0, difference)
        mine[2] += min(0, difference)
        mine[3] += difference
    columns = (
        Column(label),
        Column(say("Shifts"), Kind.COUNT),
        Column(say("Too much"), Kind.MONEY),
        Column(say("Too little"), Kind.MONEY),
        Column(say("Together"), Kind.MONEY),
    )
    rows: list[tuple[Cell, ...]] = [(name, row[0], *map(scope.amount, row[1:])) for name, row in sorted(sums.items())]
    return Table(title, columns, tuple(rows), drawn=4, empty=say("No drawer was closed."))


# ------------------------------------------------------------------ commission and margin


def margin(scope: Scope) -> Book:
    """What is left of the price after tax and what the carrier charged. A cost in another currency is shown and not taken off:
    no rate is made up here."""
    with reading() as session:
        return _margin(session, scope)


def _margin(session: Session, scope: Scope) -> Book:
    say, own = scope.say, scope.store.currency
    sold = reports.sold_between(session, scope.store.id, scope.days, scope.moments)
    columns = (
        Column(say("Plan")),
        Column(say("Line")),
        Column(say("Carrier")),
        Column(say("How many"), Kind.COUNT),
        Column(say("Sold for"), Kind.MONEY),
        Column(say("Tax"), Kind.MONEY),
        Column(say("Cost"), Kind.MONEY),
        Column(say("Commission"), Kind.MONEY),
        Column(say("Margin"), Kind.MONEY),
    )
    rows: list[tuple[Cell, ...]] = []
    for row in sold:
        alike = row.cost_currency == own
        rows.append(
            (
                row.plan,
                line_name(row.line, scope.language),
                row.carrier,
                row.count,
                scope.amount(row.price),
                scope.amount(row.tax),
                scope.amount(row.cost, row.cost_currency),
                scope.amount(row.face - row.cost, row.cost_currency) if row.face_currency == row.cost_currency else "",
                scope.amount(row.price - row.tax - row.cost) if alike else "",
            )
        )
    counted = [row for row in sold if row.cost_currency == own]
    totals: tuple[Cell, ...] = (
        say("Total"),
        "",
        "",
        sum(row.count for row in counted),
        *(scope.amount(sum(getattr(row, name) for row in counted)) for name in ("price", "tax", "cost")),
        scope.amount(sum(row.face - row.cost for row in counted if row.face_currency == own)),
        scope.amount(sum(row.price - row.tax - row.cost for row in counted)),
    )
    table = Table(
        say("Commission and margin"),
        columns,
        tuple(rows),
        totals if len(counted) > 1 else (),
        drawn=8,
        empty=say("Nothing was sold in these days."),
    )
    return _book(scope, "margin", say("Commission and margin"), (table,))


# ------------------------------------------------------------------ refunds and overrides


def exceptions(scope: Scope) -> Book:
    """Money that went back, and every time that somebody let through what the rules stop."""
    with reading() as session:
        return _exceptions(session, scope)


def _exceptions(session: Session, scope: Scope) -> Book:
    say = scope.say
    refunds = reports.refunds_between(session, scope.store.id, scope.moments)
    chains = [chain_of_till(till.code) for till in closing_rows.tills_of(session, scope.store.id)]
    told = journal_rows.counted_between(session, [*chains, chain_of_office(scope.store.code)], scope.moments)
    names = {full.partition(" ")[0]: full for full in reports.names_of_staff(session).values()}
    tables = (_refunds(scope, refunds, names), _overrides(scope, told, names))
    return _book(scope, "exceptions", say("Refunds and overrides"), tables)


def _refunds(scope: Scope, refunds: list[Any], names: dict[str, str]) -> Table:
    say = scope.say
    columns = (
        Column(say("Time")),
        Column(say("Till")),
        Column(say("Clerk")),
        Column(say("Receipt")),
        Column(say("Refund")),
        Column(say("Tender")),
        Column(say("State")),
        Column(say("Amount"), Kind.MONEY),
        Column(say("Reason")),
    )
    rows = tuple(
        (
            scope.local(refund.at),
            till,
            names[clerk],
            receipt or "",
            refund.receipt_number or "",
            say(TENDERS[refund.tender]),
            say(REFUNDS[refund.state]),
            scope.amount(refund.amount_minor),
            refund.reason or "",
        )
        for refund, receipt, till, clerk in refunds
        if scope.days[0] <= scope.store.business_day(refund.at) <= scope.days[1]
    )
    return Table(say("Refunds"), columns, rows, empty=say("No money went back."))


def _overrides(scope: Scope, told: list[Any], names: dict[str, str]) -> Table:
    say = scope.say
    columns = (Column(say("Time")), Column(say("What")), Column(say("Who")), Column(say("Chain")), Column(say("Row"), Kind.COUNT))
    rows = tuple(
        (
            scope.local(row.at),
            say(happening(row.kind)),
            names.get(row.actor.removeprefix("staff:"), row.actor),
            row.chain,
            row.seq,
        )
        for row in told
        if scope.days[0] <= row.business_day <= scope.days[1]
    )
    return Table(say("Let through, given back, wrong PINs"), columns, rows, empty=say("Nobody let anything through."))


def _who(actor: str, names: dict[str, str]) -> str:
    return names.get(actor.removeprefix("staff:"), actor)
