"""The day of a store as a report: what was taken, by whom, when and how, what is in doubt, and what still has to be done."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.orm import Session

from pos.domain.closings import Period
from pos.domain.payments import Tender
from pos.domain.renewals import IN_DOUBT
from pos.domain.words import N_
from pos.services import journal
from pos.services.receipts import line_name
from pos.services.report_scope import Scope
from pos.store import closings as closing_rows
from pos.store import floats as float_rows
from pos.store import reconciliation as reconciliation_rows
from pos.store import renewals as renewal_rows
from pos.store import reports
from pos.store import shifts as shift_rows
from pos.store.db import reading
from receipts.sheets import Book, Cell, Column, Kind, Table

TENDERS = {Tender.CASH: N_("Cash"), Tender.CARD: N_("Card")}
DONE, TO_DO = N_("done"), N_("to do")


def today(scope: Scope) -> Book:
    """What was taken in a business day so far, whatever drawer is open or closed."""
    with reading() as session:
        return _today(session, scope)


def _today(session: Session, scope: Scope) -> Book:
    say = scope.say
    taken = reports.taken_between(session, scope.store.id, scope.days, scope.moments)
    sold = reports.sold_between(session, scope.store.id, scope.days, scope.moments)
    names = reports.names_of_staff(session)
    refunds = [
        refund
        for refund, *_ in reports.refunds_between(session, scope.store.id, scope.moments)
        if scope.store.business_day(refund.at) == scope.days[0] and refund.state == "refunded"
    ]
    doubts, floats, slips = _doubts(session, scope), _floats(session, scope), _slips(session, scope)
    back = sum(refund.amount_minor for refund in refunds)
    total = sum(row.amount for row in taken)
    tables = (
        _sums(scope, say("Takings by tender"), say("Tender"), taken, lambda row: say(TENDERS[row.tender])),
        _plans(scope, sold),
        _sums(scope, say("Takings by clerk"), say("Clerk"), taken, lambda row: names[row.staff_id]),
        _sums(scope, say("Takings by hour"), say("Hour"), taken, lambda row: f"{scope.store.local(row.at):%H}:00"),
        _sums(scope, say("Takings by till"), say("Till"), taken, lambda row: row.till),
        doubts,
        floats,
        slips,
    )
    facts = (
        (say("Business day"), scope.days[0].isoformat()),
        (say("Time zone"), scope.store.zone),
        (say("Number of sales"), str(len(taken))),
        (say("Gross"), str(scope.amount(total))),
        (say("Refunds"), f"{len(refunds)}, {scope.amount(back)}"),
        (say("In doubt"), str(len(doubts.rows))),
    )
    return Book(
        f"day-{scope.store.code}-{scope.days[0]}",
        say("Report of the day"),
        scope.store.name,
        scope.language,
        facts,
        tables,
        scope.made,
    )


def _sums(scope: Scope, title: str, label: str, taken: Iterable[reports.Taken], key: Callable[[reports.Taken], str]) -> Table:
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, int] = defaultdict(int)
    for row in taken:
        counts[key(row)] += 1
        sums[key(row)] += row.amount
    say = scope.say
    return Table(
        title,
        (Column(label), Column(say("Number of sales"), Kind.COUNT), Column(say("Amount"), Kind.MONEY)),
        tuple((name, counts[name], scope.amount(sums[name])) for name in sorted(sums)),
        (say("Total"), sum(counts.values()), scope.amount(sum(sums.values()))) if len(sums) > 1 else (),
        drawn=2,
        empty=say("Nothing was sold yet."),
    )


def _plans(scope: Scope, sold: list[reports.Sold]) -> Table:
    say = scope.say
    return Table(
        say("Active plans"),
        (
            Column(say("Plan")),
            Column(say("Line")),
            Column(say("Carrier")),
            Column(say("How many"), Kind.COUNT),
            Column(say("Amount"), Kind.MONEY),
        ),
        tuple((row.plan, line_name(row.line, scope.language), row.carrier, row.count, scope.amount(row.price)) for row in sold),
        (say("Total"), "", "", sum(row.count for row in sold), scope.amount(sum(row.price for row in sold)))
        if len(sold) > 1
        else (),
        drawn=4,
        empty=say("Nothing was sold yet."),
    )


def _doubts(session: Session, scope: Scope) -> Table:
    say = scope.say
    found = renewal_rows.unfinished(session, scope.store.id, IN_DOUBT)
    rows = [
        (sale.receipt_number or "", line.plan_name, line.masked, scope.local(line.paid_at), scope.amount(line.price_minor))
        for line, sale in found
        if line.paid_at is not None
    ]
    columns = (
        Column(say("Receipt")),
        Column(say("Plan")),
        Column(say("Number")),
        Column(say("Paid since")),
        Column(say("Amount"), Kind.MONEY),
    )
    keys = tuple(sale.id for line, sale in found if line.paid_at is not None)
    return Table(say("In doubt"), columns, tuple(rows), about="sale", keys=keys, empty=say("Every carrier has answered."))


def _floats(session: Session, scope: Scope) -> Table:
    say = scope.say
    rows = [
        (row.carrier, scope.amount(row.available_minor, row.currency), scope.local(row.read_at))
        for row in float_rows.everything(session)
    ]
    columns = (Column(say("Carrier")), Column(say("Available"), Kind.MONEY), Column(say("Read at")))
    return Table(say("Float at the carriers"), columns, tuple(rows), empty=say("No wallet was read yet."))


def _slips(session: Session, scope: Scope) -> Table:
    say = scope.say
    found = reports.slips_not_out(session, scope.store.id)
    rows = tuple((till, say(SLIPS.get(state, state)), count) for till, state, count in found)
    columns = (Column(say("Till")), Column(say("State")), Column(say("How many"), Kind.COUNT))
    return Table(say("Slips that are not out yet"), columns, rows, empty=say("Every slip came out."))


SLIPS = {
    "queued": N_("waits to be printed"),
    "sending": N_("is being printed"),
    "waiting": N_("waits for the printer"),
    "uncertain": N_("nobody knows whether it came out"),
    "held": N_("held back"),
}


# ------------------------------------------------------------------ before a day is closed


def checklist(scope: Scope) -> Book:
    """What has to be done before a day is closed, over all its tills. Nothing on it can forbid the closing."""
    with reading() as session:
        return _checklist(session, scope)


def _checklist(session: Session, scope: Scope) -> Book:
    say, day = scope.say, scope.days[0]
    closed = reports.closed_shifts(session, scope.store.id, scope.days)
    zs = {report.shift_id: json.loads(report.figures) for report, _ in reports.last_zs(session, scope.store.id, scope.days)}
    drawers = [(shift, till) for shift, till in closing_rows.open_shifts(session, scope.store.id) if shift.business_day <= day]
    doubts, slips = _doubts(session, scope), _slips(session, scope)
    done = closing_rows.of(session, scope.store.id, Period.DAY, day)
    beyond = [row for row in closed if abs(row[0].difference_minor or 0) > scope.store.drawer_tolerance_minor]
    unexplained = [row for row in beyond if not (row[0].difference_reason or row[0].difference_code)]
    unapproved = [shift for shift in shift_rows.unapproved(session, scope.store.id) if shift.business_day <= day]
    undecided = [item for item in reconciliation_rows.still_open(session, scope.store.id) if item.business_day <= day]
    cards = [row for row in closed if _card_difference(row[0], zs) not in (0, None)]
    missing = [row for row in closed if _card_difference(row[0], zs) is None and row[0].card_count]
    steps = (
        (say("Every drawer is counted and closed"), drawers),
        (say("Every carrier has answered"), doubts.rows),
        (say("Every slip came out"), slips.rows),
        (say("Every difference beyond the tolerance has a reason"), unexplained),
        (say("Every difference above the limit was approved"), unapproved),
        (say("Every card terminal's total was typed"), missing),
        (say("Every card terminal agrees with the till"), cards),
        (say("Every item of the reconciliation is decided"), undecided),
        (say("The journal holds together"), [journal.watch.fault] if journal.watch.fault else []),
    )
    rows = tuple((what, say(TO_DO if left else DONE), len(left)) for what, left in steps)
    tables = (
        Table(say("Checklist"), (Column(say("Check")), Column(say("State")), Column(say("Open"), Kind.COUNT)), rows),
        _drawers(scope, drawers),
        _closed(scope, closed, zs),
        doubts,
        slips,
    )
    facts = (
        (say("Business day"), day.isoformat()),
        (say("Closing"), done.number if done is not None else say("not closed yet")),
        (say("Z reports"), str(len(zs))),
        (say("Gross"), str(scope.amount(sum(says["gross"] for says in zs.values())))),
    )
    return Book(f"close-{scope.store.code}-{day}", say("Day close"), scope.store.name, scope.language, facts, tables, scope.made)


def _card_difference(shift: Any, zs: dict[int, dict[str, Any]]) -> int | None:
    """What the card terminal said beyond the till; None where nobody typed it."""
    says = zs.get(shift.id)
    if says is None or says.get("terminal_total") is None:
        return None
    return int(says["terminal_total"]) - int(says["card"]) + int(says["card_refunds"])


def _drawers(scope: Scope, drawers: list[tuple[Any, str]]) -> Table:
    say = scope.say
    columns = (Column(say("Till")), Column(say("Shift"), Kind.COUNT), Column(say("Opened")))
    rows = tuple((till, shift.number, scope.local(shift.opened_at)) for shift, till in drawers)
    return Table(say("Open drawers"), columns, rows, empty=say("No drawer is open."))


def _closed(scope: Scope, closed: list[tuple[Any, str, str]], zs: dict[int, dict[str, Any]]) -> Table:
    say = scope.say
    columns = (
        Column(say("Till")),
        Column(say("Z report")),
        Column(say("Clerk")),
        *(Column(say(title), Kind.MONEY) for title in _MONEY_OF_A_Z),
        Column(say("Card difference"), Kind.MONEY),
        Column(say("Reason")),
    )
    rows: list[tuple[Cell, ...]] = []
    for shift, till, clerk in closed:
        card = _card_difference(shift, zs)
        money = (shift.gross_minor, shift.expected_minor, shift.counted_minor or 0, shift.difference_minor or 0)
        rows.append(
            (
                till,
                shift.z_number or "",
                clerk,
                *(scope.amount(minor) for minor in money),
                scope.amount(card) if card is not None else say("not typed"),
                shift.difference_reason or "",
            )
        )
    keys = tuple(str(shift.id) for shift, *_ in closed)
    return Table(say("Closed drawers"), columns, tuple(rows), about="shift", keys=keys, empty=say("No drawer was closed."))


_MONEY_OF_A_Z = (N_("Gross"), N_("Expected"), N_("Counted"), N_("Difference"))
