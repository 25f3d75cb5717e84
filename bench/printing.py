"""Paper: what a receipt costs in each form, how soon the printer has the first byte, what a printer in trouble costs a sale."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import text as text_of

from bench.selling import Seller, drain, plan_of
from bench.shops import Shop
from bench.tills import furnish_tills, spread
from pos.app import press
from pos.sandbox.printer import Condition, VirtualPrinter
from pos.services import printers
from pos.services import receipts as receipt_services
from pos.store import tills as till_rows
from pos.store.db import reading, transaction
from pos.worker import Worker
from receipts import escpos, html, pdf, raster, text
from receipts.document import Bar, Document, Row, Text
from receipts.settings import PrinterSettings, TextMode

Figures = dict[str, object]
TURNS = 30
STATUS_REQUEST_BYTES = 9


def forms(document: Document) -> Figures:
    """CPU milliseconds of one receipt in each form, after warm-up."""
    lan = PrinterSettings(address="127.0.0.1")
    native = PrinterSettings(address="127.0.0.1", text_mode=TextMode.NATIVE)
    ways: dict[str, Callable[[], object]] = {
        "raster, 576 dots": lambda: escpos.job(document, lan),
        "raster, 384 dots": lambda: raster.draw(document, 384),
        "native text": lambda: escpos.job(in_ascii(document), native),
        "PDF": lambda: pdf.render(document),
        "HTML": lambda: html.render(document),
        "plain text": lambda: text.render(document, 48),
    }
    return {f"CPU milliseconds of a receipt as {name}": cpu(draw) for name, draw in ways.items()}


def in_ascii(document: Document) -> Document:
    """What a printer's own characters can show."""
    kept = [block for block in document.blocks if not isinstance(block, (Bar, Row, Text)) or str(vars(block)).isascii()]
    return Document(tuple(kept), "t", "en")


def cpu(draw: Callable[[], object]) -> dict[str, float]:
    draw()
    times = []
    for _ in range(TURNS):
        began = time.process_time()
        draw()
        times.append((time.process_time() - began) * 1000)
    return spread(times)


class Sink:
    """A ready printer that notes when the first byte of each job came."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.first_bytes: list[float] = []
        self.came = threading.Condition()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.converse(connection)

    def converse(self, connection: socket.socket) -> None:
        received, noted = b"", False
        while chunk := connection.recv(65536):
            received += chunk
            if len(received) <= STATUS_REQUEST_BYTES:
                connection.sendall(b"\x12" * chunk.count(b"\x10\x04"))
            elif not noted:
                noted = True
                with self.came:
                    self.first_bytes.append(time.perf_counter())
                    self.came.notify_all()
            if received.endswith(b"\x1dr\x01"):
                connection.sendall(b"\x00")

    def wait_for(self, count: int) -> float:
        with self.came:
            if not self.came.wait_for(lambda: len(self.first_bytes) >= count, 20):
                raise RuntimeError("no byte came to the printer")
            return self.first_bytes[count - 1]


def point_at(shop: Shop, seller: Seller, port: int) -> None:
    """The seller's till prints there from now on."""
    with shop.app.app_context():
        printers.point(seller.desk.till.code, {"address": "127.0.0.1", "port": port}, kit=shop.kit)
    with shop.app.app_context(), reading() as session:
        till = till_rows.till_by_code(session, seller.desk.till.code)
        assert till is not None
        seller.desk = replace(seller.desk, till=till.plain())


@contextmanager
def working(shop: Shop) -> Iterator[None]:
    worker = Worker(shop.app, shop.kit, press, "bench", 1)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def first_byte(shop: Shop, seller: Seller, count: int) -> Figures:
    """From the commit that took cash to the first byte of its first job, the pulse; the receipt follows the carrier's answer."""
    sink, waits = Sink(), list[float]()
    point_at(shop, seller, sink.port)
    with working(shop):
        for turn in range(count):
            jobs = 2 * turn
            seller.sell({})
            paid = time.perf_counter()
            waits.append(max(0.0, sink.wait_for(jobs + 1) - paid) * 1000)
            sink.wait_for(jobs + 2)
    sink.listener.close()
    return {"milliseconds from the paid commit to the first byte at the printer": spread(waits[1:])}


def troubled(shop: Shop, seller: Seller, count: int) -> Figures:
    """How much longer the median sale takes with each trouble than with a ready printer right before and after it."""
    found: dict[str, float] = {}
    with VirtualPrinter(port=0) as printer:
        point_at(shop, seller, printer.port)
        calm = round_of(shop, seller, printer, Condition.READY, count)
        for condition in Condition:
            if condition is not Condition.READY:
                took = round_of(shop, seller, printer, condition, count)
                after = round_of(shop, seller, printer, Condition.READY, count)
                found[condition.value] = took - (calm + after) / 2
                calm = after
    told: Figures = {"milliseconds of a sale with a ready printer": round(calm, 1)}
    return told | {f"milliseconds more with a printer: {name}": round(more, 1) for name, more in found.items()}


def round_of(shop: Shop, seller: Seller, printer: VirtualPrinter, condition: Condition, count: int) -> float:
    """The median milliseconds of some sales while the printer is so; the backlog is cleared before the next."""
    printer.set_condition(condition)
    times: dict[str, list[float]] = {}
    with working(shop):
        for _ in range(count):
            seller.sell(times)
    drain(shop)
    with shop.app.app_context(), transaction() as session:
        session.execute(text_of("update print_jobs set state = 'cancelled' where state <> 'printed'"))
    return statistics.median(times["sale"])


def paper(shop: Shop, count: int) -> Figures:
    desk = furnish_tills(shop, 1)[0]
    seller = Seller(shop, desk, plan_of(shop, desk))
    seller.sell({})
    drain(shop)
    with shop.app.app_context():
        document = receipt_services._document("BEN1-000001", desk)
    return forms(document) | first_byte(shop, seller, count) | troubled(shop, seller, count)
