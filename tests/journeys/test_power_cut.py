"""The plug is pulled: the real server process, a real file, kill -9, and a restart (renewal protocol 4)."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pos.sandbox.faults import Fault
from pos.sandbox.printer import VirtualPrinter
from pos.sandbox.server import SandboxServer
from tests.harness.machine import Browser, Gone, Machine, wait_until

pytestmark = pytest.mark.process

# What kill -9 may meet, in seconds after the form was sent: before, inside and after the commit, the order, the answer, paper.
MOMENTS = random.Random(20261121)


class Started:
    """A command that was typed, seen as a process of our own."""

    def __init__(self, command: list[str], said: Path, errors: Path) -> None:
        with said.open("a") as out, errors.open("a") as err:
            self._child = subprocess.Popen(command, stdout=out, stderr=err)

    def is_alive(self) -> bool:
        return self._child.poll() is None

    def join(self, timeout: float | None = None) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout)

    @property
    def exitcode(self) -> int | None:
        return self._child.poll()

    def kill(self) -> None:
        self._child.kill()

    def close(self) -> None:
        """Nothing of it is left."""


class Installed(Machine):
    """The program as a shop starts it: a new interpreter, and nobody's hand on the plug but ours."""

    def start(self, *words: str, said: str = "said.txt") -> Started:
        self.forget(said)
        command = [sys.executable, "-m", "pos.cli", "--config", str(self.config), *words]
        return Started(command, self.folder / said, self.folder / "errors.txt")


class Customer(Browser):
    """A browser that knows the way to the till, and stops at the first refusal."""

    def _keep(self, path: str, data: bytes | None) -> str:
        page = super()._keep(path, data)
        assert self.status < 400, self.plain[:700]
        return page

    def ready_to_pay(self, number: str) -> tuple[str, dict[str, str]]:
        """The paying form of a new sale: its path and its fields."""
        sale = f"/sales/{uuid4()}"
        self.get("/")
        self.post(f"{sale}/number", entry=number)
        document = {"document_type": "passport", "document_country": "GB", "document_number": "533380006"}
        self.post(f"{sale}/document", **document, expires_on="2031-05-01", matches_person="1")
        self.get(f"{sale}/plans")
        plan = re.search(r'name="plan_id" value="(\d+)"', self.page)
        assert plan
        self.post(f"{sale}/plan", plan_id=plan[1])
        self.get(f"{sale}/cash")
        return f"{sale}/cash", {"quote": self.hidden("quote"), "tendered": "20.00"}


@pytest.fixture
def carrier() -> Iterator[SandboxServer]:
    """A carrier in our own time: the server process has a real clock."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as made:
        yield made


@pytest.fixture
def machine(tmp_path: Path, furnished: Path, carrier: SandboxServer, printer: VirtualPrinter) -> Iterator[Machine]:
    made = Installed(tmp_path, furnished, carrier, printer)
    yield made
    made.pull_the_plug()


def test_the_plug_is_pulled_while_the_carrier_thinks(machine: Machine, carrier: SandboxServer, printer: VirtualPrinter) -> None:
    machine.power_on()
    browser = Customer(machine)
    browser.sign_in()
    path, form = browser.ready_to_pay("07700 900123")
    carrier.carrier.faults.add(Fault("late", count=1, seconds=30))
    browser.post(path, **form)
    wait_until(carrier.carrier.books.debits, "the order never arrived")
    machine.pull_the_plug()
    assert machine.rows("select state from renewals") == [("submitting",)]

    machine.power_on()
    wait_until(lambda: machine.rows("select state from renewals") == [("confirmed",)], "it was never found")
    assert len(carrier.carrier.books.debits()) == 1
    assert list(carrier.carrier.books.submits_by_ref.values()) == [1]
    wait_until(lambda: [p for p in printer.papers() if p.png and p.cut], "no receipt came out")
    # The browser's button, pressed once more after the restart, gives the same answer.
    assert "LON1-000001" in browser.post(path, **form)
    wait_until(lambda: machine.rows("select state from print_jobs where kind = 'original'") == [("printed",)], "no proof")
    assert len([p for p in printer.papers() if p.png]) == 1
    assert machine.verify() == {"ok": True, "journal": [], "books": [], "carriers": []}


def test_the_plug_is_pulled_again_and_again(machine: Machine, carrier: SandboxServer, printer: VirtualPrinter) -> None:
    machine.power_on()
    browser = Customer(machine)
    browser.sign_in()
    for number in range(8):
        path, form = browser.ready_to_pay(f"07700 9001{number:02d}")
        if number % 2:
            carrier.carrier.faults.add(Fault("late", count=1, seconds=0.5))
        pressing = threading.Thread(target=press, args=(browser, path, form))
        pressing.start()
        time.sleep(MOMENTS.choice((0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)))
        machine.pull_the_plug()
        pressing.join()
        machine.power_on()
        # Whatever became of it, the clerk presses the same button again.
        browser.get(path)
        if 'name="quote"' in browser.page:
            browser.post(path, **form)

    final = "select count(*) from renewals where state = 'confirmed'"
    wait_until(lambda: machine.rows(final) == [(8,)], "not all are confirmed")
    debits = carrier.carrier.books.debits()
    assert len(debits) == len({debit.number for debit in debits}) == 8
    assert machine.rows("select count(*), max(sequence) from receipts") == [(8, 8)]
    assert machine.rows("select count(*) from payments") == [(8,)]
    open_jobs = "select count(*) from print_jobs where state in ('queued', 'sending', 'waiting')"
    wait_until(lambda: machine.rows(open_jobs) == [(0,)], "a slip was forgotten")
    assert machine.rows("select count(*) from print_jobs where kind = 'original'") == [(8,)]
    assert len([p for p in printer.papers() if p.png]) <= 8, "an original came out twice"
    assert len([p for p in printer.papers() if p.drawer]) <= 8, "the drawer opened twice"
    assert machine.verify() == {"ok": True, "journal": [], "books": [], "carriers": []}


def press(browser: Customer, path: str, form: dict[str, str]) -> None:
    """A button on a machine that dies: no answer, or half of one."""
    with contextlib.suppress(Gone):
        browser.post(path, **form)
