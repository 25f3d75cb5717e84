"""Many hands at once on the same rows, on both kinds of database: one effect, and everybody gets an answer that fits."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from pos.domain.errors import CodeTaken, EnrolmentCodeWrong, NothingToRefund, NotYetKnown, ShiftAlreadyOpen, SignInRefused
from pos.domain.money import Money
from pos.domain.permissions import Role
from pos.domain.renewals import RenewalState
from pos.domain.staff import WRONG_PER_STAFF
from pos.sandbox.server import SandboxServer
from pos.services import print_jobs, printers, receipts, refunds, sales, shifts, staff, tills
from pos.store.db import db
from tests.conftest import LONDON_NOON
from tests.engines import address_in
from tests.services.shop import Shop

HANDS = 4


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """What each of them answered or raised, begun at the same moment."""
    gate = threading.Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        gate.wait(20)
        try:
            return verb()
        except Exception as answer:  # noqa: BLE001 - the test looks at it
            return answer

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def here(shop: Shop, verb: Callable[[], object]) -> Callable[[], object]:
    """The verb with an application context of its own, as a request has one."""

    def run() -> object:
        with shop.app.app_context():
            return verb()

    return run


def test_one_of_many_opens_the_shift(shop: Shop) -> None:
    desk = shop.desk()
    opening = here(shop, lambda: shifts.open_shift(Money(10_000, "GBP"), {}, desk, kit=shop.kit))
    answers = at_once(*[opening] * HANDS)
    assert sorted(type(answer).__name__ for answer in answers) == [*["ShiftAlreadyOpen"] * (HANDS - 1), "ShiftPicture"]
    assert sum(isinstance(answer, ShiftAlreadyOpen) for answer in answers) == HANDS - 1


def test_the_first_numbers_of_a_till_are_taken_by_many_at_once(shop: Shop) -> None:
    """No row of the series stands there yet for anybody to wait at."""
    desk = shop.desk("LON2", "102")
    shop.open_shift(desk, 0)
    waiting = [shop.ready(desk, f"+44770090035{n}", "lyca-data-gb-1d") for n in range(HANDS)]
    assert [a for a in at_once(*[lambda r=r: shop.take_cash(r) for r in waiting]) if isinstance(a, Exception)] == []
    numbers = sorted(str(shop.sale(ready.sale_id).receipt_number) for ready in waiting)
    assert numbers == [f"LON2-{n:06d}" for n in range(1, HANDS + 1)]


def test_copies_asked_for_at_once_have_numbers_of_their_own(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    number = str(shop.sale(ready.sale_id).receipt_number)
    other = shop.desk("LON2", "102")
    reprint = [here(shop, lambda d=d: receipts.reprint(number, d, kit=shop.kit)) for d in (desk, other) * 2]
    assert at_once(*reprint) == [ready.sale_id] * HANDS
    copies = shop.ask("select copy_number from print_jobs where kind = 'copy' order by copy_number")
    assert copies == [(n,) for n in range(1, HANDS + 1)]


def test_every_verb_at_once_and_nobody_waits_for_ever(shop: Shop) -> None:
    """Paying, paying back, voiding, reprinting, the interim slip and two workers, over the same till and the same sales."""
    desk = shop.desk(staff="102")
    shop.open_shift(desk)
    for round_ in range(3):
        refused, paid, given_up = (shop.ready(desk, f"+4477009002{round_}{n}", "lyca-data-gb-1d") for n in range(3))
        shop.misbehave("refuse")
        shop.take_cash(refused)
        shop.work()
        assert shop.state(refused.sale_id) is RenewalState.REFUND_DUE
        number = str(shop.sale(refused.sale_id).receipt_number)

        def pay_back(sale_id: str = refused.sale_id) -> object:
            return refunds.pay_back(sale_id, desk, kit=shop.kit)

        answers = at_once(
            here(shop, pay_back),
            here(shop, pay_back),
            lambda ready=paid: shop.take_cash(ready),
            lambda ready=paid: shop.take_cash(ready),
            here(shop, lambda ready=given_up: sales.void(ready.sale_id, desk, kit=shop.kit)),
            here(shop, lambda number=number: receipts.reprint(number, desk, kit=shop.kit)),
            lambda: shop.work("a#1"),
            lambda: shop.work("b#1"),
        )
        assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, NothingToRefund | NotYetKnown)] == []
        shop.ask_until_it_is_known()
        assert shop.state(refused.sale_id) is RenewalState.REFUNDED
        assert shop.state(paid.sale_id) is RenewalState.CONFIRMED
    assert shop.ask("select count(*) from refunds") == [(3,)]
    assert set(shop.submits) == {1}


def test_a_plan_that_many_sell_at_once_is_counted_as_often(shop: Shop) -> None:
    desks = [shop.desk(till, "102") for till in ("LON1", "LON2")]
    for desk in desks:
        shop.open_shift(desk)
    waiting = [shop.ready(desks[n % 2], f"+44770090030{n}", "lyca-data-gb-1d") for n in range(6)]
    before = shop.ask("select sold from plans where store_id = 1 and product_key = 'lyca-data-gb-1d'")[0][0]
    at_once(*[lambda r=r: shop.take_cash(r) for r in waiting])
    assert shop.ask("select sold from plans where store_id = 1 and product_key = 'lyca-data-gb-1d'") == [(before + 6,)]


def test_parallel_guesses_are_counted_one_by_one(shop: Shop) -> None:
    """At two tills: the limit belongs to the person."""
    desks = [shop.desk("LON1"), shop.desk("LON2")]
    guess = [here(shop, lambda d=d: staff.sign_in(d.store, d.till, "101", "000001", kit=shop.kit)) for d in desks * 6]
    assert all(isinstance(answer, SignInRefused) for answer in at_once(*guess))
    told = shop.ask("select content from journal where kind = 'staff.pin_failed'")
    assert sum('"locked":false' in content for (content,) in told) == WRONG_PER_STAFF


def test_an_enrolment_code_is_spent_once(shop: Shop) -> None:
    with shop.app.app_context():
        code = tills.make_code("LON2", kit=shop.kit)
    answers = at_once(*[here(shop, lambda: tills.enrol(code, kit=shop.kit))] * HANDS)
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert sum(isinstance(answer, EnrolmentCodeWrong) for answer in answers) == HANDS - 1


def test_a_number_for_a_person_is_given_once(shop: Shop) -> None:
    add = here(shop, lambda: staff.add("777", "Twin", Role.CLERK, "LON", "246813", "en", kit=shop.kit))
    answers = at_once(*[add] * HANDS)
    assert sum(isinstance(answer, CodeTaken) for answer in answers) == HANDS - 1


def test_one_sheet_at_a_time_for_each_printer(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    for _ in range(HANDS):
        with shop.app.app_context():
            printers.test_page(None, desk, kit=shop.kit)
    printer = desk.till.printer_id
    assert printer is not None
    take = [here(shop, lambda n=n: print_jobs.take_next(printer, f"w{n}#1", kit=shop.kit)) for n in range(HANDS)]
    assert sum(isinstance(sheet, print_jobs.Sheet) for sheet in at_once(*take)) == 1


# ---------------------------------------------------------------- one order of locks


ORDER = ("tills", "staff", "sales", "renewals", "print_jobs", "receipts", "shifts", "printers", "number_series", "journal_heads")
_HELD = re.compile(r"\bFROM (\w+)\b.*\bFOR NO KEY UPDATE", re.DOTALL)


@pytest.mark.engines("postgresql")
def test_everybody_locks_in_the_same_order(app: Flask, shop: Shop) -> None:
    held: list[list[str]] = []
    wrong: set[str] = set()

    def begin(_connection: object) -> None:
        held.append([])

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found = _HELD.search(statement)
        table = found[1] if found and " FOR NO KEY UPDATE OF " not in statement else "sales" if found else None
        if table is not None and held and table not in held[-1]:
            later = [other for other in held[-1] if ORDER.index(other) > ORDER.index(table)]
            wrong.update(f"{table} after {other}" for other in later)
            held[-1].append(table)

    with app.app_context():
        event.listen(db.engine, "begin", begin)
        event.listen(db.engine, "before_cursor_execute", hear)
    desk = shop.desk()
    shop.open_shift(desk)
    ready, given_up = shop.ready(desk), shop.ready(desk, "+447700900124")
    shop.misbehave("refuse")
    shop.take_cash(ready)
    shop.work()
    with app.app_context():
        sales.void(given_up.sale_id, desk, kit=shop.kit)
        refunds.pay_back(ready.sale_id, desk, kit=shop.kit)
        receipts.reprint(str(shop.sale(ready.sale_id).receipt_number), desk, kit=shop.kit)
        staff.sign_in(desk.store, desk.till, "101", "271828", kit=shop.kit)
        shifts.close_shift(shifts.Count({10_000: 1}, None, None, None), "", desk, kit=shop.kit)
    assert {"sales", "renewals", "shifts", "journal_heads"} <= {table for tables in held for table in tables}
    assert wrong == set()


# ---------------------------------------------------------------- several workers, processes of their own


CONFIG = """
demo = true
[database]
url = '{url}'
[security]
key_ring = "keys.json"
[worker]
name = "{name}"
threads = 3
[logging]
level = "error"
[carriers.sandbox]
protocol = "tmforum"
base_url = "{carrier}"
currencies = ["GBP", "HKD"]
enforce_unique_refs = true
kyc_path = "/kyc-match/v0.4"
wallet_path = "/wallet"
statement_path = "/statement"
[carriers.sandbox.auth]
kind = "client_credentials"
token_url = "{carrier}/oauth/token"
client_id = "demo"
client_secret = "demo-secret"
"""


@pytest.mark.process
def test_several_worker_processes_send_each_renewal_once(shop: Shop, sandbox: SandboxServer, folder: Path) -> None:
    # Processes have clocks of their own: the shop's stands at the real time for once.
    real = datetime.now(UTC)
    sandbox.carrier.books.move_clock((real - LONDON_NOON).total_seconds())
    shop.clock.moment = real
    desks = [shop.desk(till, "102") for till in ("LON1", "LON2")]
    for desk in desks:
        shop.open_shift(desk)
    waiting = [shop.ready(desks[n % 2], f"+4477009004{n:02d}", "lyca-data-gb-1d") for n in range(10)]
    workers = []
    try:
        for name in ("north", "south", "east"):
            config = folder / f"{name}.toml"
            config.write_text(CONFIG.format(url=address_in(folder), name=name, carrier=sandbox.url), encoding="utf-8")
            command = [sys.executable, "-m", "pos.cli", "--config", str(config), "worker"]
            workers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "worker ready\n"
        for ready in waiting:
            shop.take_cash(ready)
        done = threading.Event()
        for _ in range(600):
            if {shop.state(ready.sale_id) for ready in waiting} == {RenewalState.CONFIRMED}:
                break
            done.wait(0.1)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(20) for worker in workers] == [0, 0, 0], "each ends by itself when it is told to"
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()
    assert {shop.state(ready.sale_id) for ready in waiting} == {RenewalState.CONFIRMED}
    assert shop.submits == [1] * 10
    assert len(shop.debits) == 10
