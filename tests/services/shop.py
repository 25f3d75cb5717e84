"""What a test may look at and move from behind the counter: rows, the two clocks, the carrier's books."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select, text

from pos.domain.documents import DocumentType
from pos.domain.money import Money
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.sandbox.faults import Fault
from pos.sandbox.records import Movement
from pos.sandbox.server import SandboxServer
from pos.services import identity_checks, journal, ledger, numbers, payments, reconciliation, renewals, sales, shifts
from pos.services.kit import Kit
from pos.store import plans as plan_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import db, reading
from tests.conftest import StandingClock

WORKER = "test#1"
SEVEN_DAYS = "lyca-data-gb-7d"


def findings(app: Flask) -> list[str]:
    """All that journal, books and the carriers' statements say against each other."""
    kit = app.extensions["simcounter"]
    with app.app_context():
        return [*journal.verify(kit=kit), *ledger.prove(), *reconciliation.compare_with_statements(kit=kit)]


def is_open(sandbox: SandboxServer) -> bool:
    """Whether the carrier takes connections."""
    try:
        return bool(sandbox.url)
    except RuntimeError:
        return False


@dataclass(frozen=True)
class Ready:
    """A sale that only waits for its money."""

    sale_id: str
    quote: str
    price: Money
    desk: Desk


class Shop:
    """Verbs take an application context of their own, so that any thread may use them."""

    def __init__(self, app: Flask, sandbox: SandboxServer, clock: StandingClock) -> None:
        self.app, self.sandbox, self.clock = app, sandbox, clock

    @property
    def kit(self) -> Kit:
        found = self.app.extensions["simcounter"]
        assert isinstance(found, Kit)
        return found

    # ---------------------------------------------------------------- the carrier and the clocks

    def misbehave(self, name: str, where: str = "submit", count: int | None = 1, seconds: float | None = None) -> None:
        self.sandbox.carrier.faults.add(Fault(name, where=where, count=count, seconds=seconds))

    def pass_time(self, seconds: float) -> None:
        """The carrier's clock and ours."""
        self.clock.pass_time(seconds=seconds)
        self.sandbox.carrier.books.move_clock(seconds)

    @property
    def debits(self) -> list[Movement]:
        return self.sandbox.carrier.books.debits()

    @property
    def submits(self) -> list[int]:
        """How often each reference was posted, in the order of the first posts."""
        return list(self.sandbox.carrier.books.submits_by_ref.values())

    # ---------------------------------------------------------------- selling without screens

    def desk(self, till: str = "LON1", staff: str = "101") -> Desk:
        with self.app.app_context(), reading() as session:
            row = till_rows.till_by_code(session, till)
            assert row is not None
            person = session.scalars(select(staff_rows.Staff).where(staff_rows.Staff.number == staff)).one()
            return Desk(till_rows.store_of(session, row).plain(), row.plain(), person.plain())

    def open_shift(self, desk: Desk, minor: int = 10_000) -> None:
        with self.app.app_context():
            shifts.open_shift(Money(minor, desk.store.currency), {}, desk, kit=self.kit)

    def ready(self, desk: Desk, number: str = "+447700900123", plan: str = SEVEN_DAYS) -> Ready:
        """Number, document and plan: everything but the money."""
        sale_id = str(uuid4())
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", self.clock.now().date().replace(year=2031))
        with self.app.app_context():
            numbers.ask_about(sale_id, number, "phone", desk, "en", kit=self.kit)
            identity_checks.verify(sale_id, seen, True, desk, kit=self.kit)
            sales.choose_plan(sale_id, self.plan_id(plan, desk), desk, kit=self.kit)
            shown = sales.show(sale_id, desk, kit=self.kit)
        assert shown.quote is not None and shown.total is not None
        return Ready(sale_id, shown.quote, shown.total, desk)

    def ready_family(self, desk: Desk, lines: list[tuple[str, str]]) -> Ready:
        """One document, several (number, plan): everything but the money, as ``ready`` for each line."""
        sale_id = str(uuid4())
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", self.clock.now().date().replace(year=2031))
        with self.app.app_context():
            for place, (number, plan) in enumerate(lines):
                number_id = str(uuid4()) if place else sale_id
                if place:
                    numbers.ask_about_another(sale_id, number_id, number, "phone", desk, kit=self.kit)
                else:
                    numbers.ask_about(sale_id, number, "phone", desk, "en", kit=self.kit)
                    identity_checks.verify(sale_id, seen, True, desk, kit=self.kit)
                sales.choose_plan(sale_id, self.plan_id(plan, desk), desk, kit=self.kit, number_id=number_id)
            shown = sales.show(sale_id, desk, kit=self.kit)
        assert shown.quote is not None and shown.total is not None
        return Ready(sale_id, shown.quote, shown.total, desk)

    def lines(self, sale_id: str) -> list[renewal_rows.Renewal]:
        """The renewals of a family as they stand now, in the order of its numbers."""
        with self.app.app_context(), reading() as session:
            found = renewal_rows.live_of_sale(session, sale_id)
            session.expunge_all()
            return found

    def states(self, sale_id: str) -> list[RenewalState]:
        return [line.state for line in self.lines(sale_id)]

    def plan_id(self, key: str, desk: Desk) -> int:
        with self.app.app_context(), reading() as session:
            chosen = select(plan_rows.Plan.id).where(plan_rows.Plan.product_key == key, plan_rows.Plan.store_id == desk.store.id)
            return session.scalars(chosen).one()

    def take_cash(self, ready: Ready, tendered: Money | None = None) -> Money:
        with self.app.app_context():
            return payments.take_cash(
                ready.sale_id, ready.quote, ready.price if tendered is None else tendered, ready.desk, kit=self.kit
            )

    # ---------------------------------------------------------------- the worker

    def work(self, owner: str = WORKER) -> None:
        """Everything that is due at this moment of our clock."""
        with self.app.app_context():
            for _ in range(200):
                if not renewals.work_once(owner, kit=self.kit):
                    return
        raise AssertionError("the worker finds no end")

    def take_next(self, owner: str = WORKER) -> renewals.Task:
        """The worker's first step alone, as if it died or slept right after."""
        with self.app.app_context():
            task = renewals.take_next(owner, kit=self.kit)
        assert task is not None
        return task

    def ask_until_it_is_known(self, most: int = 30) -> None:
        """Let the worker sleep and ask, as it does by itself, until nothing is due any more."""
        for _ in range(most):
            self.work()
            due = self.due_in()
            if due is None:
                return
            self.pass_time(due + 0.001)
        raise AssertionError("it is never decided")

    def due_in(self) -> float | None:
        """Seconds until the worker has something to do, or None."""
        with self.app.app_context(), reading() as session:
            chosen = select(renewal_rows.Renewal.due_at).where(renewal_rows.Renewal.state.in_(renewal_rows.WAITING))
            due = [at for at in session.scalars(chosen) if at is not None]
        return max(0.0, (min(due) - self.clock.now()).total_seconds()) if due else None

    # ---------------------------------------------------------------- rows

    def line(self, sale_id: str) -> renewal_rows.Renewal:
        """The renewal of a sale as it stands now."""
        with self.app.app_context(), reading() as session:
            found = renewal_rows.live_of_sale(session, sale_id)
            assert len(found) == 1
            session.expunge_all()
            return found[0]

    def state(self, sale_id: str) -> RenewalState:
        return self.line(sale_id).state

    def attempts(self, sale_id: str) -> list[renewal_rows.Attempt]:
        line = self.line(sale_id)
        with self.app.app_context(), reading() as session:
            chosen = select(renewal_rows.Attempt).where(renewal_rows.Attempt.renewal_id == line.id)
            found = list(session.scalars(chosen))
            session.expunge_all()
            return found

    def sale(self, sale_id: str) -> sale_rows.Sale:
        with self.app.app_context(), reading() as session:
            found = session.get_one(sale_rows.Sale, sale_id)
            session.expunge_all()
            return found

    def shift(self, till: str = "LON1") -> shift_rows.Shift:
        """The latest shift of a till."""
        with self.app.app_context(), reading() as session:
            row = till_rows.till_by_code(session, till)
            assert row is not None
            chosen = select(shift_rows.Shift).where(shift_rows.Shift.till_id == row.id)
            found = session.scalars(chosen.order_by(shift_rows.Shift.number.desc()).limit(1)).one()
            session.expunge_all()
            return found

    def ask(self, sql: str, **values: object) -> list[Any]:
        """Plain rows of plain SQL."""
        with self.app.app_context(), reading() as session:
            return [tuple(row) for row in session.execute(text(sql), values)]

    @contextmanager
    def by_hand(self) -> Iterator[Any]:
        """A connection with the power to do what no service does: a thief's."""
        with self.app.app_context(), db.engine.begin() as connection:
            yield connection


def at_once(many: int, verb: Callable[[int], Any]) -> list[Any]:
    """``verb`` by that many threads, started together; what each one got."""
    gate = threading.Barrier(many)

    def run(number: int) -> Any:
        gate.wait(10)
        return verb(number)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(run, range(many)))
