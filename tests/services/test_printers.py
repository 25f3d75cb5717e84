"""Which printers a store has, which till prints where, and the spare printer that helps out without printing anything twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from pos.app import press
from pos.domain.errors import NotFound, PrinterAddressWrong, PrinterNameTaken, PrinterSettingsWrong
from pos.domain.tills import Desk
from pos.sandbox.printer import Condition, VirtualPrinter
from pos.services import print_jobs, printers
from pos.worker import Worker
from receipts.document import Document
from tests.services.shop import Shop

LAN = {"transport": "lan", "address": "192.0.2.9", "port": "9100", "dots": "384", "text_mode": "raster", "cut": "none"}
LAN |= {"native_encoding": "ascii", "drawer_pin": "", "status": "none", "marker": "none", "baud": "9600"}


@pytest.fixture
def pair(shop: Shop, desk: Desk) -> Iterator[tuple[VirtualPrinter, VirtualPrinter]]:
    """The till's own printer, and its spare one."""
    with VirtualPrinter(port=0) as own, VirtualPrinter(port=0) as spare:
        with shop.app.app_context():
            printers.point("LON1", {"address": "127.0.0.1", "port": own.port}, kit=shop.kit)
            printers.change(None, "Back office", {**LAN, "address": "127.0.0.1", "port": str(spare.port), "marker": "gs_r", "drawer_pin": "2",
                                                  "dots": "576"}, desk, kit=shop.kit)  # fmt: skip
            found, _ = printers.all_at(desk)
            ids = {printer.name: printer.id for printer in found}
            printers.choose("LON1", ids["LON1 127.0.0.1"], ids["Back office"], desk, kit=shop.kit)
        yield own, spare


@pytest.fixture
def worker(app: Flask, shop: Shop, pair: tuple[VirtualPrinter, VirtualPrinter]) -> Iterator[Worker]:
    made = Worker(app, shop.kit, press, "worker-serve", 1)
    made.start()
    yield made
    made.stop(10)


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 40
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def sell(shop: Shop, number: str = "+447700900123") -> None:
    shop.take_cash(shop.ready(shop.desk(), number))
    shop.work()


def slips(shop: Shop) -> list[tuple[str, str, str | None]]:
    return shop.ask("select kind, state, reason from print_jobs where kind <> 'drawer' order by id")


def passes(shop: Shop, what: Callable[[], bool]) -> Callable[[], bool]:
    """Our clock stands; each look moves it on a little, so that what waits becomes due long before it is too old."""

    def look() -> bool:
        shop.clock.pass_time(seconds=0.5)
        shop.kit.bell.set()
        return what()

    return look


@pytest.mark.parametrize("trouble", [Condition.PAPER_OUT, Condition.REFUSE])
def test_the_spare_printer_helps_out(
    shop: Shop, desk: Desk, pair: tuple[VirtualPrinter, VirtualPrinter], worker: Worker, trouble: Condition
) -> None:
    own, spare = pair
    own.set_condition(trouble)
    sell(shop)
    sell(shop, "+447700900124")
    wait_until(passes(shop, lambda: slips(shop) == [("original", "printed", "on_spare")] * 2))
    assert len([paper for paper in spare.papers() if paper.png and paper.complete]) == 2
    assert not any(paper.png for paper in own.papers())
    assert not any(paper.drawer for paper in spare.papers()), "the drawer hangs at the till's own printer"


def test_a_slip_in_question_is_never_printed_elsewhere(
    shop: Shop, desk: Desk, pair: tuple[VirtualPrinter, VirtualPrinter], worker: Worker
) -> None:
    own, spare = pair
    own.set_condition(Condition.RESET)
    sell(shop)
    wait_until(lambda: [state for _, state, _ in slips(shop)] == ["uncertain"])
    for _ in range(5):
        shop.clock.pass_time(seconds=60)
        shop.kit.bell.set()
        time.sleep(0.05)
    assert [state for _, state, _ in slips(shop)] == ["uncertain"] and not spare.papers()
    (job,) = shop.ask("select id from print_jobs where kind = 'original'")
    with shop.app.app_context():
        print_jobs.elsewhere(job[0], desk, kit=shop.kit)
    assert [state for _, state, _ in slips(shop)] == ["uncertain"] and not spare.papers()


def test_a_clerk_sends_what_waits_to_the_other_printer(
    shop: Shop, desk: Desk, pair: tuple[VirtualPrinter, VirtualPrinter]
) -> None:
    sell(shop)
    shop.pass_time(601)
    with shop.app.app_context():
        for printer in print_jobs.printers_due(kit=shop.kit):
            print_jobs.take_next(printer, "w#1", kit=shop.kit)
        (job,) = shop.ask("select id, printer_id from print_jobs where state = 'held'")
        print_jobs.elsewhere(job[0], desk, kit=shop.kit)
    ((state, printer),) = shop.ask("select state, printer_id from print_jobs where id = :i", i=job[0])
    assert state == "queued" and printer != job[1]


def test_without_a_spare_there_is_no_other_printer(shop: Shop, desk: Desk) -> None:
    sell(shop)
    (job, *_) = shop.ask("select id from print_jobs where kind = 'original'")
    with shop.app.app_context(), pytest.raises(NotFound):
        print_jobs.elsewhere(job[0], desk, kit=shop.kit)


def test_a_printer_is_set_up_and_changed(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        printers.change(None, "Door", LAN, desk, kit=shop.kit)
        made = next(one for one in printers.all_at(desk)[0] if one.name == "Door")
        assert made.values == {**LAN, "drawer_pin": ""}
        with pytest.raises(PrinterNameTaken):
            printers.change(None, "Door", LAN, desk, kit=shop.kit)
        printers.change(made.id, "Door", {**LAN, "dots": "576"}, desk, kit=shop.kit)
        ((settings,),) = shop.ask("select settings from printers where name = 'Door'")
        assert '"dots": 576' in str(settings).replace("'", '"') and '"columns": 48' in str(settings).replace("'", '"')
        printers.test_page(made.id, desk, kit=shop.kit)
    ((document, printer),) = shop.ask("select document, printer_id from print_jobs where kind = 'slip'")
    assert printer == made.id and "繁體" in document and Document.from_json(document).language == "en"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"address": ""}, PrinterAddressWrong),
        ({"transport": "usb", "address": "printer"}, PrinterAddressWrong),
        ({"transport": "cups", "address": "-o x"}, PrinterAddressWrong),
        ({"transport": "pigeon"}, PrinterSettingsWrong),
        ({"port": "x"}, PrinterSettingsWrong),
        ({"port": "70000"}, PrinterSettingsWrong),
        ({"dots": "577"}, PrinterSettingsWrong),
        ({"drawer_pin": "3"}, PrinterSettingsWrong),
        ({"baud": "1"}, PrinterSettingsWrong),
        ({"marker": "perhaps"}, PrinterSettingsWrong),
    ],
)
def test_what_no_printer_has_is_refused(shop: Shop, desk: Desk, changed: dict[str, str], error: type[Exception]) -> None:
    before = shop.ask("select count(*) from printers")
    with shop.app.app_context(), pytest.raises(error):
        printers.change(None, "Door", {**LAN, **changed}, desk, kit=shop.kit)
    assert shop.ask("select count(*) from printers") == before


def test_nobody_sets_up_another_stores_printers(shop: Shop, desk: Desk) -> None:
    stranger = replace(shop.desk("HKG1", "302"))
    with shop.app.app_context():
        (theirs,) = [printer.id for printer in printers.all_at(stranger)[0]]
        for attempt in (
            lambda: printers.change(theirs, "Mine now", LAN, desk, kit=shop.kit),
            lambda: printers.choose("LON1", theirs, None, desk, kit=shop.kit),
            lambda: printers.choose("HKG1", None, None, desk, kit=shop.kit),
            lambda: printers.test_page(theirs, desk, kit=shop.kit),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_a_slow_line_is_not_taken_from_its_worker(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        printers.point("LON1", {"address": "/dev/ttyS9", "transport": "serial"}, kit=shop.kit)
    sell(shop)
    shop.pass_time(16)  # the pulse is too late
    with shop.app.app_context():
        (printer,) = print_jobs.printers_due(kit=shop.kit)
        sheet = print_jobs.take_next(printer, "w#1", kit=shop.kit)
        assert sheet is not None and print_jobs.about_to_send(sheet, kit=shop.kit)
        shop.pass_time(110)
        print_jobs.recover("nobody", kit=shop.kit)
        assert slips(shop) == [("original", "sending", None)]
        shop.pass_time(140)
        print_jobs.recover("nobody", kit=shop.kit)
    assert slips(shop) == [("original", "uncertain", "no_confirmation")]
