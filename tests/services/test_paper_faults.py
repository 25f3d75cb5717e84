"""What printers do, over a real socket and with a real worker: no receipt is lost, none comes out twice without saying COPY,
and the till does not wait for any of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from flask import Flask
from PIL import Image, ImageChops

from pos.app import press
from pos.domain.tills import Desk
from pos.sandbox import escpos_reader
from pos.sandbox.printer import Condition, VirtualPrinter
from pos.services import print_jobs, shifts
from pos.store import tills as till_rows
from pos.store.db import transaction
from pos.worker import Worker
from receipts import raster
from receipts.document import Document
from tests.services.shop import Shop

# As a shop's, only less patient.
QUICK = {
    "status_seconds": 0.3,
    "write_seconds": 0.6,
    "marker_seconds": 0.6,
    "drain_seconds": 0.5,
    "connect_seconds": 0.5,
    "total_seconds": 9.0,
}
# What the job ends as while the printer is so, and what the till says about it.
TABLE = {
    Condition.READY: ("printed", None),
    Condition.NEAR_END: ("printed", None),
    Condition.SLOW: ("printed", None),
    Condition.PAPER_OUT: ("waiting", "paper_out"),
    Condition.COVER_OPEN: ("waiting", "cover_open"),
    Condition.OFFLINE: ("waiting", "offline"),
    Condition.REFUSE: ("waiting", "unreachable"),
    Condition.MUTE: ("uncertain", "no_confirmation"),
    Condition.STALL: ("uncertain", "no_confirmation"),
    Condition.RESET: ("uncertain", "connection_lost"),
}
# Out of paper is near its end too.
NEAR_END = (Condition.NEAR_END, Condition.PAPER_OUT)
PATIENCE_SECONDS = 40


def set_up(shop: Shop, **settings: object) -> None:
    """Every printer of the shop with these settings."""
    with shop.app.app_context(), transaction() as session:
        for store in till_rows.all_stores(session):
            for printer in till_rows.printers_of(session, store.id):
                printer.settings = {**printer.settings, **QUICK, **settings}


@pytest.fixture
def printer(shop: Shop) -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as made:
        set_up(shop, port=made.port)
        yield made


@pytest.fixture
def worker(app: Flask, shop: Shop) -> Iterator[Worker]:
    made = Worker(app, shop.kit, press, "worker-serve", 1)
    made.start()
    yield made
    made.stop(10)


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def slips(shop: Shop) -> list[tuple[str, str, str | None]]:
    """(kind, state, reason) of every slip, pulses apart."""
    return shop.ask("select kind, state, reason from print_jobs where kind <> 'drawer' order by id")


def pulses(shop: Shop) -> list[str]:
    return [row[0] for row in shop.ask("select state from print_jobs where kind = 'drawer' order by id")]


def settled(shop: Shop) -> bool:
    """A slip that came after the drawer's pulse had found the printer not ready waits for the printer's next try."""
    found = slips(shop)
    if any(state == "queued" for _, state, _ in found):
        shop.clock.pass_time(seconds=0.5)
        shop.kit.bell.set()
    return bool(found) and all(state not in ("queued", "sending") for _, state, _ in found)


def come_out(shop: Shop, printer: VirtualPrinter, kind: str) -> int:
    """How many whole papers show exactly the slips of a kind: read from the bytes, compared dot for dot."""
    wanted = [
        raster.draw(Document.from_json(row[0]), 576)
        for row in shop.ask("select document from print_jobs where kind = :k order by id", k=kind)
    ]
    return sum(same(paper.data, picture) for paper in printer.papers() if paper.png and paper.complete for picture in wanted)


def same(data: bytes, picture: Image.Image) -> bool:
    came = escpos_reader.read(data).image(576, cuts=False)
    room = Image.new("1", picture.size, 255)
    room.paste(came.crop((0, 0, *picture.size)), (0, 0))
    return ImageChops.logical_xor(room, picture).histogram()[-1] < 10  # but for a real-time command taken apart


def sell(shop: Shop, desk: Desk) -> str:
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    return ready.sale_id


@pytest.mark.parametrize("condition", TABLE)
def test_whatever_the_printer_does_one_original_and_only_copies_more(
    shop: Shop, desk: Desk, printer: VirtualPrinter, worker: Worker, condition: Condition
) -> None:
    if condition is Condition.SLOW:
        set_up(shop, marker_seconds=8)  # what still lies in the buffers takes its time
    printer.set_condition(condition)
    sell(shop, desk)
    state, reason = TABLE[condition]
    wait_until(lambda: settled(shop))
    wait_until(lambda: ("original", state, reason) in slips(shop))
    assert shop.ask("select near_end from printers where id = 1") == [(condition in NEAR_END,)]
    time.sleep(0.1)
    assert slips(shop) == [("original", state, reason)], "nothing more came by itself"
    printer.set_condition(Condition.READY)
    if state == "waiting":
        wait_until(lambda: printed_after_a_while(shop))
    if state == "uncertain":
        assert nothing_comes_for_an_hour(shop)
        (job,) = shop.ask("select id from print_jobs where state = 'uncertain' and kind = 'original'")
        with shop.app.app_context():
            print_jobs.did_not_come_out(job[0], desk, kit=shop.kit)
        wait_until(lambda: ("copy", "printed", None) in slips(shop))
        wait_until(lambda: come_out(shop, printer, "copy") == 1)
    else:
        wait_until(lambda: come_out(shop, printer, "original") == 1)
    assert come_out(shop, printer, "original") <= 1
    assert sum(paper.drawer for paper in printer.papers()) <= 1
    assert all(pulse in ("printed", "sent", "uncertain", "cancelled") for pulse in pulses(shop))


def printed_after_a_while(shop: Shop) -> bool:
    """Our clock stands; each look moves it on a little, so that the next try becomes due long before the slip is too old."""
    shop.clock.pass_time(seconds=0.5)
    shop.kit.bell.set()
    return slips(shop) == [("original", "printed", None)]


def nothing_comes_for_an_hour(shop: Shop) -> bool:
    before = slips(shop)
    for _ in range(6):
        shop.clock.pass_time(seconds=600)
        shop.kit.bell.set()
        time.sleep(0.05)
    return slips(shop) == before


def test_a_mute_clone_that_was_set_up_as_one_ends_as_sent(
    shop: Shop, desk: Desk, printer: VirtualPrinter, worker: Worker
) -> None:
    set_up(shop, marker="none", status="none")
    printer.set_condition(Condition.MUTE)
    sell(shop, desk)
    wait_until(lambda: settled(shop))
    assert slips(shop) == [("original", "sent", None)]
    wait_until(lambda: come_out(shop, printer, "original") == 1)


def test_a_connection_that_is_only_half_there_is_a_question(shop: Shop, desk: Desk, worker: Worker) -> None:
    """The network says that it is connected and nobody reads: a switch that hangs, a printer that lost its power."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        set_up(shop, port=listener.getsockname()[1])
        sell(shop, desk)
        wait_until(lambda: slips(shop) == [("original", "uncertain", "no_confirmation")])
        assert nothing_comes_for_an_hour(shop)


@pytest.mark.parametrize("condition", [Condition.STALL, Condition.MUTE, Condition.REFUSE, Condition.PAPER_OUT])
def test_the_till_sells_on_while_the_printer_hangs(
    shop: Shop, desk: Desk, printer: VirtualPrinter, worker: Worker, condition: Condition
) -> None:
    """Three sales and the end of the shift are through before the first slip has its answer."""
    set_up(shop, marker_seconds=8, write_seconds=8, total_seconds=15, port=printer.port)
    printer.set_condition(condition)
    for number in ("+447700900123", "+447700900124", "+447700900125"):
        shop.take_cash(shop.ready(desk, number))
        shop.work()
    count = shifts.Count(pieces={10_000: 1}, left=desk_float(desk), card_total=None, card_count=None)
    with shop.app.app_context():
        for _ in range(2):
            shifts.close_shift(count, "test", desk, kit=shop.kit)
    assert shop.ask("select count(*) from sales where state = 'paid'") == [(3,)]
    assert not any(state in ("printed", "uncertain") for kind, state, _ in slips(shop) if kind == "original")


def desk_float(desk: Desk) -> object:
    from pos.domain.money import Money

    return Money(10_000, desk.store.currency)
