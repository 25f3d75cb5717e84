"""A shop that runs: real server, real worker, carrier and printer over sockets, in threads of this process. Time goes on by
itself and can be pushed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread

from flask import Flask
from sqlalchemy import select
from waitress import wasyncore
from waitress.server import create_server

from pos import demo
from pos.app import create_app, make_carriers, press
from pos.config import Settings
from pos.sandbox import escpos_reader
from pos.sandbox.printer import Paper, VirtualPrinter
from pos.sandbox.server import SandboxServer
from pos.services import journal, ledger, reconciliation, status
from pos.services.kit import Kit
from pos.store.db import db, reading
from pos.store.print_jobs import PrintJob
from pos.worker import Worker
from receipts import escpos
from receipts.document import Document
from receipts.printer import PrinterSettings

PATIENCE = 15.0


class RunningClock:
    """Begins at a chosen moment and goes on as real time does; ``pass_time`` spares a journey the waiting."""

    def __init__(self, begins: datetime) -> None:
        self._offset = begins - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def pass_time(self, **parts: float) -> None:
        self._offset += timedelta(**parts)


@dataclass(frozen=True)
class LiveShop:
    """``carrier`` is the judge of what was bought, ``printer`` of what the customer took home."""

    url: str
    app: Flask
    clock: RunningClock
    carrier: SandboxServer
    printer: VirtualPrinter

    @property
    def kit(self) -> Kit:
        found = self.app.extensions["simcounter"]
        assert isinstance(found, Kit)
        return found

    def pass_time(self, **parts: float) -> None:
        """Later, for shop and worker alike."""
        self.clock.pass_time(**parts)
        self.kit.bell.set()

    def verify(self) -> list[str]:
        """All that is wrong with journal, books and statements; a journey wants an empty list."""
        with self.app.app_context():
            return [*journal.verify(kit=self.kit), *ledger.prove(), *reconciliation.compare_with_statements(kit=self.kit)]

    def debits(self) -> list[int]:
        """What the carrier took, in minor units."""
        return [debit.amount_minor for debit in self.carrier.carrier.books.debits()]

    def slips(self) -> list[tuple[str, str]]:
        """(title, state) of every print job, oldest first."""
        with self.app.app_context(), reading() as session:
            return [(job.title, job.state.value) for job in session.scalars(select(PrintJob).order_by(PrintJob.id))]

    def documents(self) -> list[Document]:
        """What was to be printed, oldest first; drawer pulses are none."""
        with self.app.app_context(), reading() as session:
            found = session.scalars(select(PrintJob).order_by(PrintJob.id))
            return [Document.from_json(job.document) for job in found if job.document]

    def papers(self, count: int) -> list[Paper]:
        """Everything that came out, as soon as there are ``count`` jobs and each of them is known to be printed."""
        papers = self.printer.wait_for_papers(count, PATIENCE)
        wait_until(lambda: all(state == "printed" for _, state in self.slips()), "every slip is known to be printed")
        assert len(papers) == count, f"{count} papers were expected, {len(papers)} came out"
        assert [paper.error for paper in papers] == [None] * count
        return papers


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def is_paper_of(paper: Paper, document: Document) -> bool:
    """Whether the paper shows this document dot for dot, and is cut."""
    wanted = escpos_reader.read(escpos.job(document, PrinterSettings(address="127.0.0.1")))
    return escpos_reader.read(paper.data).image().tobytes() == wanted.image().tobytes() and paper.cut


@contextmanager
def open_shop(settings: Callable[[str], Settings], carrier: SandboxServer, begins: datetime) -> Iterator[LiveShop]:
    """Server, worker and printer until the block ends. ``settings`` gets the carrier's address; the database is furnished."""
    chosen, clock = settings(carrier.url), RunningClock(begins)
    books = carrier.carrier.books
    books.move_clock((begins - books.clock.now()).total_seconds())
    with VirtualPrinter(port=0) as printer:
        given = make_carriers(chosen)
        app = create_app(chosen, clock=clock, given=given)
        kit = app.extensions["simcounter"]
        status.watch.heard("up", clock.now())
        with app.app_context():
            demo.move_printers(printer.port)
            db.session.remove()
        worker = Worker(app, kit, press, "journey", 2)
        server = create_server(app, host="127.0.0.1", port=0, threads=4, ident="simcounter")
        thread = Thread(target=server.run, name="web server", daemon=True)
        worker.start()
        thread.start()
        try:
            yield LiveShop(f"http://127.0.0.1:{server.effective_port}", app, clock, carrier, printer)
        finally:
            # From inside its own loop: a socket closed under a waiting select is somebody else's by the next line.
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
            thread.join(PATIENCE)
            server.task_dispatcher.shutdown()
            worker.stop()
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
            for adapter in given.values():
                adapter.close()
