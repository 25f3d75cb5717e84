"""The shop's PC: a folder with configuration, keys and database, and the real server process, which may be killed."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from html import unescape
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pos.app import DEMO_PINS
from pos.sandbox.printer import VirtualPrinter
from pos.sandbox.server import SandboxServer
from tests.harness.databases import Books, SqliteFile
from tests.harness.lives import LIVES

PATIENCE_SECONDS = 90.0
# Where the carrier calls.
_SECRET = "a-secret-of-the-harness-that-is-long-enough"
HOOK = f"/hooks/sandbox/{_SECRET}"

_CONFIG = """
demo = true
[database]
url = "{database}"
[server]
port = 0
secure_cookies = false
[security]
key_ring = "keys.json"
[logging]
level = "error"
[hooks]
sandbox = "{secret}"
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


class Gone(Exception):
    """No answer, or half of one: the machine has died, or is about to."""


class NotDone(AssertionError):
    """Something that must come did not come in time."""


def wait_until(what: Callable[[], object], why: str, seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise NotDone(why)
        time.sleep(0.02)


class Machine:
    """``furnished`` holds a database and a key ring; copies of them are this machine's. ``books`` when it keeps them
    elsewhere."""

    def __init__(
        self, folder: Path, furnished: Path, sandbox: SandboxServer, printer: VirtualPrinter, books: Books | None = None
    ) -> None:
        self.folder, self.url, self.lives, self.ahead_seconds = folder, "", 0, 0.0
        self._sandbox, self._heard = sandbox, ""
        self._server: Any = None
        self._others: list[Any] = []
        self.database = folder / "shop.sqlite3"
        self.config = folder / "config.toml"
        shutil.copy(furnished / "keys.json", folder / "keys.json")
        self.books = books or SqliteFile(self.database, furnished / "shop.sqlite3")
        self.config.write_text(_CONFIG.format(carrier=sandbox.url, database=self.books.url, secret=_SECRET), encoding="utf-8")
        self.books.point_printers_at(printer.port)

    # ---------------------------------------------------------------- on and off

    def start(self, *words: str, said: str = "said.txt") -> Any:
        """A process of this shop, ``pos --config ... words``."""
        from tests.harness import victim

        self.forget(said)
        arguments = (str(self.folder), ["--config", str(self.config), *words], said)
        process = LIVES.Process(target=victim.live, args=arguments, daemon=True)
        process.start()
        return process

    def forget(self, said: str) -> None:
        """A new process writes on a clean sheet; complaints on the old one are kept."""
        self._heard += _complaints_in(self.folder / said)
        (self.folder / said).write_text("")

    def power_on(self) -> int:
        """Until it serves; how often it died on the way, because an order said so."""
        deaths = 0
        while not self._comes_up():
            deaths += 1
        return deaths

    def _comes_up(self) -> bool:
        before = self.orders()
        self._server = self.start("serve")
        self.lives += 1
        said = self.folder / "said.txt"
        wait_until(lambda: "http://" in said.read_text() or not self.is_on, "the server does not start")
        found = re.search(r"http://[0-9.:]+/", said.read_text())
        if found:
            self.url = found[0].rstrip("/")
            return True
        if self.orders() == before:
            raise NotDone(f"the server did not start: {self.complaints()[-2000:]}")
        self.pull_the_plug()
        return False

    def second_worker(self) -> None:
        """A worker process beside the server."""
        self._others.append(self.start("worker", said="worker.txt"))
        wait_until(lambda: "ready" in (self.folder / "worker.txt").read_text(), "the worker does not start")

    @property
    def is_on(self) -> bool:
        return self._server is not None and self._server.is_alive()

    def dies(self, seconds: float = 30.0) -> bool:
        """Whether it is dead, or dies within this time."""
        wait_for([self._server.sentinel], seconds)
        return not self.is_on

    def pull_the_plug(self) -> None:
        for process in (self._server, *self._others):
            if process is not None:
                process.kill()
                process.join()
                process.close()
        self._server, self._others = None, []

    def run(self, *words: str) -> tuple[int, str]:
        """A command to its end: exit status and what it said."""
        process = self.start(*words, said="command.txt")
        process.join(PATIENCE_SECONDS)
        status = process.exitcode
        process.kill()
        process.join()
        process.close()
        return (-99 if status is None else status), (self.folder / "command.txt").read_text()

    # ---------------------------------------------------------------- orders, time, rows

    def order(self, *lines: str) -> None:
        """Where the plug is to be pulled; see victim.Plug."""
        (self.folder / "new.txt").write_text("".join(f"{line}\n" for line in lines))
        (self.folder / "new.txt").replace(self.folder / "orders.txt")

    def orders(self) -> list[str]:
        path = self.folder / "orders.txt"
        return path.read_text().splitlines() if path.exists() else []

    def pass_time(self, seconds: float) -> None:
        """The clock on the shop's wall and the carrier's."""
        self.ahead_seconds += seconds
        (self.folder / "later.txt").write_text(str(self.ahead_seconds))
        (self.folder / "later.txt").replace(self.folder / "ahead.txt")
        self._sandbox.carrier.books.move_clock(seconds)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.books.rows(sql, *values)

    def verify(self) -> dict[str, Any]:
        _, said = self.run("verify", "--json")
        found = json.loads(said)
        assert isinstance(found, dict)
        return found

    def complaints(self) -> str:
        """What the program complained about in its logs, in any of its lives."""
        path = self.folder / "errors.txt"
        spoken = "".join(_complaints_in(self.folder / name) for name in ("said.txt", "worker.txt"))
        return (path.read_text() if path.exists() else "") + self._heard + spoken


def _complaints_in(said: Path) -> str:
    """The log lines; the others are greetings."""
    lines = said.read_text().splitlines(keepends=True) if said.exists() else []
    return "".join(line for line in lines if line.startswith("{"))


class Browser:
    """Cookies and forms; knows nothing of the program."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self.page, self.status = machine, "", 0
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)
        self._token = ""

    def get(self, path: str) -> str:
        return self._keep(path, None)

    def post(self, path: str, **fields: str) -> str:
        """The token is that of the latest page; raises Gone when the machine dies meanwhile."""
        return self._keep(path, urlencode({"csrf_token": self._token, **fields}).encode())

    def _keep(self, path: str, data: bytes | None) -> str:
        try:
            with self._opener.open(self._machine.url + path, data, timeout=30) as answer:
                self.page, self.status = answer.read().decode(), answer.status
        except urllib.error.HTTPError as refusal:
            with refusal:
                self.page, self.status = refusal.read().decode(), refusal.code
        except (OSError, http.client.HTTPException) as fault:
            raise Gone from fault
        self._token = self.hidden("csrf_token", self._token)
        return self.page

    def hidden(self, name: str, otherwise: str | None = None) -> str:
        found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.page)
        if found is None and otherwise is not None:
            return otherwise
        assert found, self.plain[:2000]
        return unescape(found[1])

    @property
    def plain(self) -> str:
        """What a person reads."""
        body = re.sub(r"<(head|script|style|svg)\b.*?</\1>", " ", self.page, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()

    def sign_in(self, till: str = "LON1", staff: str = "101") -> None:
        self.get("/enrol")
        self.post("/enrol/demo", till_code=till)
        self.post("/sign-in", staff_number=staff, pin=DEMO_PINS[staff])
        self.get("/shift/open")
        self.post("/shift/open", float_amount="100.00")
