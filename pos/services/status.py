"""The strip at the top of every screen: shift, carrier, printer, and what is unfinished."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import select

from pos.domain.pictures import Strip
from pos.domain.renewals import UNFINISHED
from pos.domain.tills import Desk
from pos.ports import Capability, CarrierUnavailable
from pos.services import floats, journal, renewals, standings
from pos.services.kit import Kit
from pos.store import deliveries as delivery_rows
from pos.store import plans as plan_rows
from pos.store import print_jobs as job_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store import verdicts as verdict_rows
from pos.store.db import reading


class CarrierWatch:
    """What this process last heard from the carriers: up, slow or down, and since when. Asked by the worker, read by all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: tuple[str, datetime | None] = ("up", None)

    def heard(self, state: str, now: datetime) -> None:
        with self._lock:
            if state != self._state[0]:
                self._state = (state, now)

    def look(self) -> tuple[str, datetime | None]:
        with self._lock:
            return self._state


watch = CarrierWatch()
_SLOW = timedelta(seconds=3)


def ask_carriers(*, kit: Kit) -> None:
    """One cheap question to each carrier: its wallet. The worst answer is what the strip shows; a float that was filled lets
    selling go on."""
    worst = "up"
    for name, carrier in kit.carriers.items():
        if Capability.WALLET not in carrier.declaration().capabilities:
            continue
        began = kit.now()
        try:
            balances = carrier.wallet()
        except CarrierUnavailable:
            worst = "down"
        else:
            standings.read_wallet(name, balances)
            floats.note_reading(name, balances, kit=kit)
            worst = "slow" if worst == "up" and kit.now() - began > _SLOW else worst
    watch.heard(worst, kit.now())
    renewals.ask_the_silent(kit=kit)


def strip(desk: Desk, *, kit: Kit) -> Strip:
    """The strip for one till. Every page asks for it, so it is one question with many figures."""
    carrier, since = watch.look()
    store_id, till_id, printer_id = desk.store.id, desk.till.id, desk.till.printer_id
    with reading() as session:
        shift, expected, day, unfinished, questions, near_end, problem, codes, esim = session.execute(
            select(
                shift_rows.open_number(till_id),
                shift_rows.open_expected(till_id),
                shift_rows.open_day(till_id),
                renewal_rows.unfinished_counted(store_id, UNFINISHED)
                + sale_rows.open_tenders_counted(store_id)
                + verdict_rows.open_conflicts_counted(store_id, UNFINISHED),
                job_rows.questions_counted(till_id),
                till_rows.near_end_of(printer_id or 0),
                job_rows.latest_problem(printer_id or 0),
                delivery_rows.awaited_counted(store_id),
                plan_rows.sells_esims(store_id),
            )
        ).one()
        alarms = standings.alarms(session, kit.now(), kit)
    return Strip(
        shift_number=shift,
        carrier=carrier,
        carrier_since=since,
        printer=_printer(printer_id, near_end, problem),
        printer_reason=problem or None,
        unfinished=unfinished + codes,
        codes_awaited=codes,
        sells_esims=esim is not None,
        paper_questions=questions,
        alarms=alarms,
        drawer_full=desk.store.drawer_limit_minor is not None and (expected or 0) > desk.store.drawer_limit_minor,
        shift_forgotten=day is not None and day < desk.store.business_day(kit.now()),
        books_broken=journal.watch.fault is not None,
    )


def _printer(printer_id: int | None, near_end: bool | None, problem: str | None) -> str:
    if printer_id is None:
        return "none"
    return "waiting" if problem is not None else ("near_end" if near_end else "ready")
