"""Paper never holds a sale back, no slip comes out twice without saying COPY, and the drawer opens once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from pos import demo
from pos.app import press
from pos.domain.tills import Desk
from pos.sandbox.printer import Condition, VirtualPrinter
from pos.services import print_jobs, receipts
from pos.services.print_jobs import Sheet
from pos.worker import Worker
from tests.services.shop import Shop

OWNER = "worker-serve#1"


class Paper:
    """The printing half of the worker, step by step."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def take(self, owner: str = OWNER) -> Sheet | None:
        with self.shop.app.app_context():
            due = print_jobs.printers_due(kit=self.shop.kit)
            return print_jobs.take_next(due[0], owner, kit=self.shop.kit) if due else None

    def next_document(self) -> Sheet:
        """The next slip; a drawer pulse before it is sent and done."""
        sheet = self.take()
        while sheet is not None and sheet.document is None:
            self.begin(sheet)
            self.end(sheet, "sent")
            sheet = self.take()
        assert sheet is not None
        return sheet

    def begin(self, sheet: Sheet) -> bool:
        with self.shop.app.app_context():
            return print_jobs.about_to_send(sheet, kit=self.shop.kit)

    def end(self, sheet: Sheet, result: str, reason: str | None = None, near_end: bool = False) -> None:
        with self.shop.app.app_context():
            print_jobs.record(sheet, result, reason, near_end, kit=self.shop.kit)

    def recover(self, prefix: str = "worker-serve#") -> None:
        with self.shop.app.app_context():
            print_jobs.recover(prefix, kit=self.shop.kit)

    def jobs(self) -> list[tuple[str, str]]:
        return [tuple(row) for row in self.shop.ask("select kind, state from print_jobs order by id")]

    def state(self, sheet: Sheet) -> str:
        return str(self.shop.ask("select state from print_jobs where id = :i", i=sheet.job_id)[0][0])


@pytest.fixture
def paper(shop: Shop) -> Paper:
    return Paper(shop)


@pytest.fixture
def sold(shop: Shop, desk: Desk) -> str:
    """A sale in cash, confirmed by the carrier: a pulse and an original are waiting. Its id."""
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    return ready.sale_id


# ---------------------------------------------------------------- what the printer says


def test_the_pulse_goes_before_the_paper_one_at_a_time(paper: Paper, sold: str) -> None:
    assert paper.jobs() == [("drawer", "queued"), ("original", "queued")]
    pulse = paper.take()
    assert pulse is not None and pulse.document is None
    assert paper.take("worker-serve#2") is None, "this printer is busy"
    assert paper.begin(pulse)
    paper.end(pulse, "sent")
    original = paper.take()
    assert original is not None and original.document is not None
    assert "LON1-000001" in original.document.title


def test_a_receipt_behind_a_pulse_that_failed_says_at_once_why_it_does_not_come(shop: Shop, paper: Paper, sold: str) -> None:
    pulse = paper.take()
    assert pulse is not None
    paper.end(pulse, "not_ready", "paper_out")
    assert paper.jobs() == [("drawer", "waiting"), ("original", "waiting")]
    assert shop.ask("select reason from print_jobs where kind = 'original'") == [("paper_out",)]
    assert paper.take() is None, "the pulse asks for both"
    shop.pass_time(2)
    again = paper.take()
    assert again is not None and again.job_id == pulse.job_id


@pytest.mark.parametrize("result", ["printed", "sent", "uncertain"])
def test_after_the_first_byte_nothing_is_sent_again_by_itself(shop: Shop, paper: Paper, sold: str, result: str) -> None:
    sheet = paper.next_document()
    assert paper.begin(sheet)
    paper.end(sheet, result)
    assert paper.state(sheet) == result
    shop.pass_time(3600)
    assert paper.take() is None


def test_a_printer_that_is_not_ready_is_tried_again_with_growing_patience(shop: Shop, paper: Paper, sold: str) -> None:
    sheet = paper.next_document()
    for wait in (2, 4, 8, 15, 30, 30):
        paper.end(sheet, "not_ready", "paper_out")
        assert paper.state(sheet) == "waiting"
        shop.pass_time(wait - 0.5)
        assert paper.take() is None
        shop.pass_time(0.5)
        again = paper.take()
        assert again is not None and again.job_id == sheet.job_id
        assert not paper.begin(sheet), "the sheet of an earlier try must not print any more"
        sheet = again
    assert paper.begin(sheet)
    paper.end(sheet, "printed")
    assert paper.state(sheet) == "printed"


def test_one_slip_asks_for_all_that_wait_behind_it(shop: Shop, paper: Paper, desk: Desk, sold: str) -> None:
    sheet = paper.next_document()
    with shop.app.app_context():
        receipts.reprint("LON1-000001", desk, kit=shop.kit)
    paper.end(sheet, "not_ready", "paper_out")
    assert paper.take() is None, "the copy is not tried on a printer that has no paper"
    shop.pass_time(2)
    again = paper.take()
    assert again is not None and again.job_id == sheet.job_id
    assert paper.begin(again)
    paper.end(again, "printed")
    copy = paper.take()
    assert copy is not None and copy.job_id != sheet.job_id, "and it follows as soon as the first came out"


def test_a_roll_that_ends_soon_is_remembered(shop: Shop, paper: Paper, sold: str) -> None:
    sheet = paper.next_document()
    paper.end(sheet, "printed", near_end=True)
    assert (1,) in shop.ask("select near_end from printers")


def test_a_word_that_comes_too_late_changes_nothing(shop: Shop, paper: Paper, sold: str) -> None:
    sheet = paper.next_document()
    assert paper.begin(sheet)
    shop.pass_time(46)
    paper.recover("nobody")
    assert paper.state(sheet) == "uncertain"
    paper.end(sheet, "printed")
    assert paper.state(sheet) == "uncertain", "a person has the question already"
    assert not paper.begin(sheet), "who lost the lease sends nothing"


# ---------------------------------------------------------------- the drawer


def test_the_drawer_never_opens_after_a_quarter_of_a_minute(shop: Shop, paper: Paper, sold: str) -> None:
    shop.pass_time(15.5)
    sheet = paper.take()
    assert sheet is not None and sheet.document is not None
    assert paper.jobs()[0] == ("drawer", "cancelled")


def test_a_pulse_of_a_dead_worker_is_never_repeated(paper: Paper, sold: str) -> None:
    pulse = paper.take()
    assert pulse is not None and pulse.document is None
    paper.recover()
    assert paper.state(pulse) == "uncertain"
    following = paper.take()
    assert following is not None and following.document is not None


def test_a_pulse_that_did_not_come_out_makes_no_copy(shop: Shop, paper: Paper, desk: Desk, sold: str) -> None:
    pulse = paper.take()
    assert pulse is not None
    paper.recover()
    with shop.app.app_context():
        print_jobs.did_not_come_out(pulse.job_id, desk, kit=shop.kit)
    assert paper.jobs() == [("drawer", "cancelled"), ("original", "queued")]


def test_cash_opens_the_drawer_once_and_a_reprint_never_does(shop: Shop, paper: Paper, desk: Desk, sold: str) -> None:
    with shop.app.app_context():
        receipts.reprint("LON1-000001", desk, kit=shop.kit)
    assert [kind for kind, _ in paper.jobs()] == ["drawer", "original", "copy"]


# ---------------------------------------------------------------- old, abandoned, copied


def test_an_original_older_than_ten_minutes_waits_for_a_person(shop: Shop, paper: Paper, desk: Desk, sold: str) -> None:
    shop.pass_time(601)
    assert paper.take() is None
    assert paper.jobs() == [("drawer", "cancelled"), ("original", "held")]
    (job,) = shop.ask("select id from print_jobs where state = 'held'")
    with shop.app.app_context():
        print_jobs.release(job[0], desk, kit=shop.kit)
    sheet = paper.take()
    assert sheet is not None and sheet.job_id == job[0]


def test_an_abandoned_job_without_a_byte_goes_back_into_the_queue(paper: Paper, sold: str) -> None:
    sheet = paper.next_document()
    paper.recover("another worker#")
    assert paper.state(sheet) == "sending", "the lease of the living is respected"
    paper.recover()
    assert paper.state(sheet) == "queued"
    again = paper.take()
    assert again is not None and again.job_id == sheet.job_id


def test_an_abandoned_job_with_a_byte_is_a_question(shop: Shop, paper: Paper, desk: Desk, sold: str) -> None:
    sheet = paper.next_document()
    assert paper.begin(sheet)
    paper.recover()
    assert paper.state(sheet) == "uncertain"
    with shop.app.app_context():
        print_jobs.came_out(sheet.job_id, desk, kit=shop.kit)
        print_jobs.did_not_come_out(sheet.job_id, desk, kit=shop.kit)
    assert paper.jobs()[1:] == [("original", "printed")], "the first word stands"


def test_no_means_a_numbered_copy_and_copies_go_on_counting(shop: Shop, paper: Paper, desk: Desk, sold: str) -> None:
    sheet = paper.next_document()
    assert paper.begin(sheet)
    paper.end(sheet, "uncertain", "no_confirmation")
    with shop.app.app_context():
        receipts.reprint("LON1-000001", desk, kit=shop.kit)
        print_jobs.did_not_come_out(sheet.job_id, desk, kit=shop.kit)
        print_jobs.did_not_come_out(sheet.job_id, desk, kit=shop.kit)
        receipts.reprint("LON1-000001", desk, kit=shop.kit)
    copies = shop.ask("select copy_number, document from print_jobs where kind = 'copy' order by id")
    assert [number for number, _ in copies] == [1, 2, 3]
    assert all(f"COPY {number}" in document for number, document in copies)
    assert shop.ask("select count(*) from print_jobs where kind = 'original'") == [(1,)]
    assert shop.shift().reprints_count == 2


# ---------------------------------------------------------------- a real worker and a printer


@pytest.fixture
def printer(shop: Shop) -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as made:
        with shop.app.app_context():
            demo.move_printers(made.port)
        yield made


@pytest.fixture
def worker(app: Flask, shop: Shop) -> Iterator[Worker]:
    made = Worker(app, shop.kit, press, "worker-serve", 1)
    made.start()
    yield made
    made.stop(10)


def wait_until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 40
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_printer_that_is_off_neither_delays_nor_loses_a_sale(
    shop: Shop, paper: Paper, desk: Desk, printer: VirtualPrinter, worker: Worker
) -> None:
    printer.set_condition(Condition.REFUSE)
    sales = []
    for number in range(3):
        ready = shop.ready(desk, f"+4477009001{number:02d}")
        shop.take_cash(ready)
        sales.append(ready.sale_id)
    wait_until(lambda: shop.ask("select count(*) from renewals where state = 'confirmed'") == [(3,)])
    wait_until(lambda: ("original", "queued") not in paper.jobs() or ("original", "waiting") in paper.jobs())
    assert printer.papers() == []
    printer.set_condition(Condition.READY)

    def all_printed() -> bool:
        # Our clock stands; a look brings the next try of a slip that waits nearer, slowly enough that none gets too old.
        if ("original", "waiting") in paper.jobs():
            shop.clock.pass_time(seconds=0.5)
            shop.kit.bell.set()
        return shop.ask("select count(*) from print_jobs where kind = 'original' and state = 'printed'") == [(3,)]

    wait_until(all_printed)
    assert len([p for p in printer.papers() if p.png and p.complete]) == 3
    assert all(p.error is None for p in printer.papers())
