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
    """A sentence for each closing that does not hold. Parts are read closing by closing: memory stays small."""
    codes = {store.id: store.code for store in till_rows.all_stores(session)}
    closed: dict[str, str] = {}
    before: dict[tuple[int, Period], Closing] = {}
    chosen = select(Closing).order_by(Closing.store_id, Closing.period, Closing.sequence)
    for row in session.scalars(chosen.execution_options(yield_per=100)):
        yield from _follows(row, before.get((row.store_id, row.period)), codes[row.store_id])
        before[(row.store_id, row.period)] = row
        try:
            says = json.loads(row.figures)
            if row.period is Period.DAY:
                named = {number: own_hash for _, number, _, own_hash, *_ in says["zs"]}
                yield from _sums(session, row, named, ZReport, closed)
            else:
                named = {number: own_hash for number, _, own_hash, _ in says["days"]}
                yield from _sums(session, row, named, Closing, {})
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


def _sums(session: Session, row: Closing, named: dict[str, str], kind: Any, closed: dict[str, str]) -> Iterator[str]:
    """Each part is there as it was then, in no closing before, and the parts make the sums."""
    chosen = select(kind.number, kind.own_hash, kind.figures).where(kind.number.in_(named))
    known = {number: (own_hash, figures) for number, own_hash, figures in session.execute(chosen)}
    parts = []
    for number, own_hash in named.items():
        if number not in known or known[number][0] != own_hash:
            yield f"{row.number}: {number} is not as it was when it was closed"
            return
        if number in closed:
            yield f"{row.number}: {number} is in {closed[number]} already"
        closed[number] = row.number
        parts.append(json.loads(known[number][1]))
    says = json.loads(row.figures)
    wrong = sorted(name for name, value in added(parts).items() if says[name] != value)
    if wrong:
        yield f"{row.number}: {', '.join(wrong)} are not the sum of its parts"
    if says["opening_total"] + says["gross"] != says["grand_total"] or says["grand_total"] != row.grand_total_minor:
        yield f"{row.number}: opening total + sold is not the grand total"
