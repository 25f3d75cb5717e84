"""The strip at the top of every screen: shift, carrier, printer, and what is unfinished."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from pos.domain.pictures import Strip
from pos.domain.renewals import IN_DOUBT, RenewalState
from pos.domain.tills import Desk
from pos.ports import Capability, CarrierUnavailable
from pos.services import journal, renewals, standings
from pos.services.kit import Kit
from pos.store import print_jobs as job_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store import verdicts as verdict_rows
from pos.store.db import reading

UNFINISHED = IN_DOUBT | {RenewalState.REFUND_DUE, RenewalState.REFUNDING}


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
            standings.read_wallet(name, carrier.wallet())
        except CarrierUnavailable:
            worst = "down"
        else:
            worst = "slow" if worst == "up" and kit.now() - began > _SLOW else worst
    watch.heard(worst, kit.now())
    renewals.ask_the_silent(kit=kit)


def strip(desk: Desk, *, kit: Kit) -> Strip:
    """The strip for one till; a handful of small questions."""
    carrier, since = watch.look()
    with reading() as session:
        shift = shift_rows.seen_at(session, desk.till.id)
        printer, reason = "none", None
        if desk.till.printer_id is not None:
            row = session.get_one(till_rows.Printer, desk.till.printer_id)
            problem = job_rows.latest_problem(session, desk.till.printer_id)
            printer = "waiting" if problem is not None else ("near_end" if row.near_end else "ready")
            reason = problem.reason if problem is not None else None
        return Strip(
            shift_number=shift.number if shift is not None else None,
            carrier=carrier,
            carrier_since=since,
            printer=printer,
            printer_reason=reason,
            unfinished=renewal_rows.count_unfinished(session, desk.store.id, UNFINISHED)
            + sale_rows.count_open_tenders(session, desk.store.id)
            + verdict_rows.count_open_conflicts(session, desk.store.id, UNFINISHED),
            paper_questions=job_rows.questions_at(session, desk.till.id),
            alarms=standings.alarms(session, kit.now(), kit),
            books_broken=journal.watch.fault is not None,
        )
