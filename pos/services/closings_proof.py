"""Prove a store's closings: without a gap, chained, and each sum that of the Zs or days it names, no Z in two of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.closings import Period, number_text
from pos.domain.journal import GENESIS
from pos.services.closings import added
from pos.services.pages import UNREADABLE
from pos.store import tills as till_rows
from pos.store.closings import Closing
from pos.store.shifts import ZReport


def prove(session: Session) -> Iterator[str]:
    """A sentence for each closing that does not hold."""
    codes = {store.id: store.code for store in till_rows.all_stores(session)}
    zs = {report.number: report for report in session.scalars(select(ZReport))}
    closed: dict[str, str] = {}
    days: dict[str, Closing] = {}
    before: dict[tuple[int, Period], Closing] = {}
    for row in session.scalars(select(Closing).order_by(Closing.store_id, Closing.period, Closing.sequence)):
        yield from _follows(row, before.get((row.store_id, row.period)), codes[row.store_id])
        before[(row.store_id, row.period)] = row
        try:
            if row.period is Period.DAY:
                days[row.number] = row
                yield from _sums(row, [named[1:2] + named[3:4] for named in json.loads(row.figures)["zs"]], zs, closed)
            else:
                # In the order of the alphabet a store's days come before its months and years.
                yield from _sums(row, [named[0:1] + named[2:3] for named in json.loads(row.figures)["days"]], days, {})
        except UNREADABLE as fault:
            yield f"{row.number}: it cannot be read ({type(fault).__name__})"


def _follows(row: Closing, before: Closing | None, code: str) -> Iterator[str]:
    if row.sequence != (before.sequence + 1 if before is not None else 1):
        yield f"{row.number}: the closing before it is missing"
    if row.number != number_text(row.period, code, row.sequence):
        yield f"{row.number}: its number is not of its place"
    if row.previous_hash != (before.own_hash if before is not None else GENESIS):
        yield f"{row.number}: it does not follow the closing before it"
    if hashlib.sha256(row.figures.encode()).hexdigest() != row.own_hash:
        yield f"{row.number}: it was changed after it was written"


def _sums(row: Closing, named: list[list[str]], known: dict[str, Any], closed: dict[str, str]) -> Iterator[str]:
    """Each part is there as it was then, in no closing before, and the parts make the sums."""
    parts = []
    for number, own_hash in named:
        part = known.get(number)
        if part is None or part.own_hash != own_hash:
            yield f"{row.number}: {number} is not as it was when it was closed"
            return
        if number in closed:
            yield f"{row.number}: {number} is in {closed[number]} already"
        closed[number] = row.number
        parts.append(json.loads(part.figures))
    says = json.loads(row.figures)
    wrong = sorted(name for name, value in added(parts).items() if says[name] != value)
    if wrong:
        yield f"{row.number}: {', '.join(wrong)} are not the sum of its parts"
    if says["opening_total"] + says["gross"] != says["grand_total"] or says["grand_total"] != row.grand_total_minor:
        yield f"{row.number}: opening total + sold is not the grand total"
