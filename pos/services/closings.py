"""Close a store's day over the Zs of its tills, and its month and year over its days. A closing never changes a Z.

A day's closing takes every Z that no closing has yet, cut by the Zs' own numbers: one that comes late, because a drawer was
still open, is in the next closing under the day of its shift. So each Z is in exactly one day, and no sum is counted twice."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from pos.domain.closings import Period, days_of, name_of, number_text
from pos.domain.errors import DayAlreadyClosed, DayNotOver, NotAllowed
from pos.domain.journal import GENESIS, canonical
from pos.domain.permissions import Permission, may
from pos.domain.tills import Desk, Store, chain_of_office
from pos.services.kit import Kit
from pos.store import closings as rows
from pos.store import journal as journal_rows
from pos.store.db import queue_up, retried, transaction
from pos.store.life import Pen
from pos.store.shifts import Shift, ZReport

# What a closing adds up, by its name in the Zs.
SUMS = (
    *("gross", "tax", "refunds", "refunds_count", "sales", "customers", "voids", "card", "card_count", "card_refunds"),
    *("expected", "counted", "difference", "left", "reprints", "typed_checks", "failed_pins", "active", "refused", "unknown"),
    "reversed",
)


@dataclass(frozen=True)
class Closed:
    """What a closing is called, and its figures as they are frozen."""

    number: str
    figures: dict[str, Any]


def close(period: Period, day: date, desk: Desk, *, kit: Kit) -> Closed:
    """Close the period that ``day`` belongs to, for the store of a desk. Raises NotAllowed, DayNotOver, DayAlreadyClosed."""
    if not may(desk.staff.role, Permission.CLOSE_DAY):
        raise NotAllowed
    return close_for(period, day, desk.store, desk.staff.id, desk.actor, kit=kit)


@retried
def close_for(period: Period, day: date, store: Store, staff_id: int | None, actor: str, *, kit: Kit) -> Closed:
    """The same without a till, for the command line. Power cut: the closing is there with its number, or nothing is."""
    now = kit.now()
    first, end = days_of(period, day)
    today = store.business_day(now)
    if (first if period is Period.DAY else end) > today:
        raise DayNotOver(period=name_of(period, first))
    with transaction() as session:
        queue_up(session, f"closings of {store.code}")
        there = rows.of(session, store.id, period, first)
        last_day = rows.last(session, store.id, Period.DAY)
        if there is None and period is Period.DAY and last_day is not None and last_day.first_day > day:
            there = last_day
        if there is not None:
            raise DayAlreadyClosed(period=name_of(period, first), number=there.number)
        pen = kit.office_pen(store.code, actor, now, today)
        if period is Period.DAY:
            row = _close_day(session, day, store, last_day, staff_id, pen, kit)
        else:
            row = _close_longer(session, period, first, end, store, last_day, staff_id, pen, kit)
        return Closed(row.number, json.loads(row.figures))


def _close_day(
    session: Session, day: date, store: Store, before: rows.Closing | None, staff_id: int | None, pen: Pen, kit: Kit
) -> rows.Closing:
    tills = rows.tills_of(session, store.id)
    seen = json.loads(before.figures)["tills"] if before is not None else {}
    found = rows.zs_behind(session, {till.id: seen.get(till.code, 0) for till in tills}, day) if tills else []
    codes = {till.id: till.code for till in tills}
    reached = {**seen, **{codes[report.till_id]: report.sequence for report, _ in found}}
    open_now = [
        [code, shift.number, shift.business_day.isoformat()]
        for shift, code in rows.open_shifts(session, store.id)
        if shift.business_day <= day
    ]
    content = _of_zs([(codes[report.till_id], report, shift) for report, shift in found]) | {
        "tills": reached,
        "open_shifts": open_now,
    }
    return _write(session, Period.DAY, (day, day), content, store, staff_id, pen, kit)


def _of_zs(found: list[tuple[str, ZReport, Shift]]) -> dict[str, Any]:
    """Sums over Zs, each of them named with the hash that it has."""
    figures = [json.loads(report.figures) for _, report, _ in found]
    zs = [
        [code, report.number, shift.business_day.isoformat(), report.own_hash, says["gross"], says["difference"]]
        for (code, report, shift), says in zip(found, figures, strict=True)
    ]
    return added(figures) | {"zs": zs}


def added(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums over Zs, or over closings: both speak of the same names."""
    cash: Counter[str] = Counter()
    sold: dict[tuple[Any, ...], list[int]] = {}
    for says in figures:
        cash.update(says["cash"])
        for row in says.get("sold", []):
            key = tuple(row[name] for name in _KINDS)
            sums = sold.setdefault(key, [0] * len(_AMOUNTS))
            sold[key] = [have + row[name] for have, name in zip(sums, _AMOUNTS, strict=True)]
    return {
        **{name: sum(says.get(name) or 0 for says in figures) for name in SUMS},
        "cash": dict(cash),
        "sold": [dict(zip(_KINDS + _AMOUNTS, (*key, *sums), strict=True)) for key, sums in sorted(sold.items())],
    }


_KINDS = ("carrier", "line", "plan", "face_currency", "cost_currency")
_AMOUNTS = ("count", "price", "face", "cost", "tax")


def _close_longer(
    session: Session,
    period: Period,
    first: date,
    end: date,
    store: Store,
    last_day: rows.Closing | None,
    staff_id: int | None,
    pen: Pen,
    kit: Kit,
) -> rows.Closing:
    """Over the days' closings; Zs that none of them has yet are first given one, for the period's last day."""
    if last_day is None or last_day.first_day < end:
        _close_day(session, end, store, last_day, staff_id, pen, kit)
    days = rows.days_between(session, store.id, first, end)
    figures = [json.loads(day.figures) for day in days]
    named = [
        [day.number, day.first_day.isoformat(), day.own_hash, says["gross"]] for day, says in zip(days, figures, strict=True)
    ]
    content = added(figures) | {"days": named, "open_shifts": figures[-1]["open_shifts"] if figures else []}
    return _write(session, period, (first, end), content, store, staff_id, pen, kit)


def _write(
    session: Session,
    period: Period,
    days: tuple[date, date],
    content: dict[str, Any],
    store: Store,
    staff_id: int | None,
    pen: Pen,
    kit: Kit,
) -> rows.Closing:
    before = rows.last(session, store.id, period)
    sequence = before.sequence + 1 if before is not None else 1
    number = number_text(period, store.code, sequence)
    previous = before.own_hash if before is not None else GENESIS
    opening = before.grand_total_minor if before is not None else 0
    chain = chain_of_office(store.code)
    seq, head = journal_rows.head_of(session, chain)
    figures = content | {
        "closing": number,
        "period": period.value,
        "store": store.code,
        "currency": store.currency,
        "zone": store.zone,
        "first_day": days[0].isoformat(),
        "last_day": days[1].isoformat(),
        "opening_total": opening,
        "grand_total": opening + content["gross"],
        "previous": previous,
        "office": {"chain": chain, "seq": seq, "head": head, "rows_sha256": journal_rows.rows_hash_of(session, chain)},
    }
    text = canonical(figures)
    own_hash = hashlib.sha256(text.encode()).hexdigest()
    key_id, signature = kit.keys.sign(own_hash.encode())
    row = rows.Closing(
        store_id=store.id,
        period=period,
        sequence=sequence,
        number=number,
        first_day=days[0],
        last_day=days[1],
        at=pen.at,
        staff_id=staff_id,
        grand_total_minor=figures["grand_total"],
        figures=text,
        previous_hash=previous,
        own_hash=own_hash,
        key_id=key_id,
        signature=signature,
    )
    session.add(row)
    session.flush()
    pen.note(session, "closing.written", "closing", row.id, {"number": number, "hash": own_hash})
    return row
