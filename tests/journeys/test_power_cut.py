"""The plug is pulled: the real server process, a real file, kill -9, and a restart (renewal protocol 4)."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from pos.app import DEMO_PINS
from pos.sandbox.faults import Fault
from pos.sandbox.printer import VirtualPrinter
from pos.sandbox.server import SandboxServer

pytestmark = pytest.mark.process

PATIENCE_SECONDS = 40.0
# What kill -9 may meet, in seconds after the form was sent: before, inside and after the commit, the order, the answer, paper.
MOMENTS = random.Random(20261121)


class Machine:
    """The shop's PC: a folder with configuration, keys and database, and the server that may be killed."""

    def __init__(self, folder: Path, sandbox: SandboxServer, printer: VirtualPrinter) -> None:
        self.folder, self.url = folder, ""
        self.server: subprocess.Popen[str] | None = None
        self.config = folder / "config.toml"
        database = (folder / "shop.sqlite3").as_posix()
        self.config.write_text(CONFIG.format(carrier=sandbox.url, database=database), encoding="utf-8")
        with closing(sqlite3.connect(folder / "shop.sqlite3")) as file, file:
            file.execute("update printers set settings = json_set(settings, '$.port', ?)", (printer.port,))

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pos.cli", "--config", str(self.config), *words]

    def power_on(self) -> None:
        with (self.folder / "errors.txt").open("a") as errors:
            self.server = subprocess.Popen(self._command("serve"), stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.server.stdout is not None
        line = self.server.stdout.readline()
        found = re.search(r"http://[0-9.:]+", line)
        assert found, (line, (self.folder / "errors.txt").read_text())
        self.url = found[0]

    def pull_the_plug(self) -> None:
        if self.server is not None and self.server.stdout is not None:
            self.server.kill()
            self.server.wait()
            self.server.stdout.close()
            self.server = None

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What stands in the file, read by somebody else."""
        with closing(sqlite3.connect(f"file:{self.folder / 'shop.sqlite3'}?mode=ro", uri=True, timeout=10)) as file:
            return file.execute(sql).fetchall()

    def verify(self) -> dict[str, object]:
        told = subprocess.run(self._command("verify", "--json"), capture_output=True, text=True, check=False)
        found = json.loads(told.stdout)
        assert isinstance(found, dict)
        return found


CONFIG = """
demo = true
[database]
url = "sqlite:///{database}"
[server]
port = 0
secure_cookies = false
[security]
key_ring = "keys.json"
[logging]
level = "error"
[carriers.sandbox]
protocol = "tmforum"
base_url = "{carrier}"
currencies = ["GBP", "HKD"]
enforce_unique_refs = true
deadline_seconds = 8.0
kyc_path = "/kyc-match/v0.4"
wallet_path = "/wallet"
statement_path = "/statement"
[carriers.sandbox.auth]
kind = "client_credentials"
token_url = "{carrier}/oauth/token"
client_id = "demo"
client_secret = "demo-secret"
"""


class Browser:
    """Cookies and forms; knows nothing of the program."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self.page = machine, ""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def get(self, path: str) -> str:
        return self._keep(path, None)

    def post(self, path: str, **fields: str) -> str:
        return self._keep(path, urlencode({"csrf_token": self.hidden("csrf_token"), **fields}).encode())

    def _keep(self, path: str, data: bytes | None) -> str:
        with self._opener.open(self._machine.url + path, data, timeout=30) as answer:
            self.page = answer.read().decode()
        return self.page

    def hidden(self, name: str) -> str:
        found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.page)
        assert found, self.page[:2000]
        return unescape(found[1])

    def sign_in(self) -> None:
        self.get("/enrol")
        self.post("/enrol/demo", till_code="LON1")
        self.post("/sign-in", staff_number="101", pin=DEMO_PINS["101"])
        self.get("/shift/open")
        self.post("/shift/open", float_amount="100.00")

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
    for name in ("shop.sqlite3", "keys.json"):
        shutil.copy(furnished / name, tmp_path / name)
    made = Machine(tmp_path, carrier, printer)
    yield made
    made.pull_the_plug()


def wait_until(what: Callable[[], object], why: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.05)


def test_the_plug_is_pulled_while_the_carrier_thinks(machine: Machine, carrier: SandboxServer, printer: VirtualPrinter) -> None:
    machine.power_on()
    browser = Browser(machine)
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
    browser = Browser(machine)
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


def press(browser: Browser, path: str, form: dict[str, str]) -> None:
    """A button on a machine that dies: no answer, or half of one."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        browser.post(path, **form)
