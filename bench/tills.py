"""Tills at work: each is a thread with a kept connection of its own, in a process that is not the server's."""

from __future__ import annotations

import http.client
import json
import re
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from bench.shops import Shop
from pos.domain.money import Money
from pos.domain.permissions import Role
from pos.domain.tills import Desk
from pos.services import shifts, staff, tills
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import reading

Times = dict[str, list[float]]
PIN = "806142"


@dataclass
class Wire:
    """One kept connection and its cookies."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    page: str = ""

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **(headers or {})}
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        self.page = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status}\n{self.page[:600]}")
        return answer.status

    def get(self, path: str) -> int:
        return self.ask("GET", path)

    def post(self, path: str, **fields: str) -> int:
        body = urlencode({"csrf_token": self.hidden("csrf_token"), **fields}).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def hidden(self, name: str) -> str:
        found = re.findall(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.page)
        if found:
            self.__dict__.setdefault("_known", {})[name] = unescape(found[-1])
        return self.__dict__["_known"][name]


@dataclass
class Till:
    """A clerk at a till of London, signed in through the screens of the server at ``url``."""

    code: str
    number: str
    wire: Wire
    plan_id: int
    turn: int

    def sell(self, times: Times) -> None:
        """Every request and page of one cash sale, timed one by one."""
        sale, wire = f"/sales/{uuid.uuid4()}", self.wire
        self.turn += 1
        entry = f"+447700900{self.turn % 400:03d}"
        document = {"document_type": "passport", "document_country": "GB", "document_number": "533380006"}
        document |= {"matches_person": "1", "expires_on": f"{datetime.now(UTC).year + 2}-05-01"}
        self._timed(times, "home page", lambda: wire.get("/"))
        self._timed(times, "number", lambda: wire.post(f"{sale}/number", entry=entry))
        self._timed(times, "document page", lambda: wire.get(sale))
        self._timed(times, "document", lambda: wire.post(f"{sale}/document", **document))
        self._timed(times, "plans page", lambda: wire.get(sale))
        chosen = {"plan_id": str(self.plan_id), "override": "1", "reason": "bench"}
        self._timed(times, "plan", lambda: wire.post(f"{sale}/plan", **chosen))
        self._timed(times, "read-back page", lambda: wire.get(f"{sale}/cash"))
        paying = {"quote": wire.hidden("quote"), "tendered": "20.00"}
        self._timed(times, "pay", lambda: wire.post(f"{sale}/cash", **paying))
        self._timed(times, "outcome page", lambda: wire.get(sale))

    @staticmethod
    def _timed(times: Times, name: str, call: Callable[[], int]) -> None:
        began = time.perf_counter()
        call()
        times.setdefault(name, []).append((time.perf_counter() - began) * 1000)


def furnish_tills(shop: Shop, count: int) -> list[Desk]:
    """``count`` more tills in London, a manager each, with open drawers."""
    desks = []
    with shop.app.app_context():
        for number in range(1, count + 1):
            code, person = f"BEN{number}", f"9{number:02d}"
            tills.add_till("LON", code, f"Bench {number}", "counter", kit=shop.kit)
            staff.add(person, f"Bench {number}", Role.MANAGER, "LON", PIN, "en", kit=shop.kit)
            desk = desk_of(code, person)
            shifts.open_shift(Money(100_00, "GBP"), {}, desk, kit=shop.kit)
            desks.append(desk)
    return desks


def desk_of(till_code: str, staff_number: str) -> Desk:
    with reading() as session:
        till = till_rows.till_by_code(session, till_code)
        person = staff_rows.by_number(session, staff_number)
        if till is None or person is None:
            raise LookupError("the demo is not furnished")
        return Desk(till_rows.store_of(session, till).plain(), till.plain(), person.plain())


def sit_down(shop: Shop, desk: Desk, url: str, plan_id: int, turn: int) -> Till:
    """Enrol a browser as the desk's till and sign in."""
    wire = Wire(url)
    with shop.app.app_context():
        code = tills.make_code(desk.till.code, kit=shop.kit)
    wire.get("/enrol")
    wire.post("/enrol", code=code)
    wire.get("/sign-in")
    wire.post("/sign-in", staff_number=desk.staff.number, pin=PIN)
    wire.get("/")
    return Till(desk.till.code, desk.staff.number, wire, plan_id, turn)


def at_once(actors: list[Callable[[Times], None]], each: int) -> tuple[float, Times]:
    """(actions per second, times of each step) of all actors at work together, ``each`` times over."""
    times: Times = {}
    faults: list[Exception] = []
    gate = threading.Barrier(len(actors) + 1)

    def work(act: Callable[[Times], None], own: Times) -> None:
        gate.wait()
        try:
            for _ in range(each):
                act(own)
        except Exception as fault:  # noqa: BLE001 - told to the caller's thread, which raises it
            faults.append(fault)

    owns: list[Times] = [{} for _ in actors]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(actors, owns, strict=True)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if faults:
        raise faults[0]
    for own in owns:
        for name, found in own.items():
            times.setdefault(name, []).extend(found)
    return len(actors) * each / seconds, times


def floor_actor(url: str) -> Callable[[Times], None]:
    wire = Wire(url)

    def post(times: Times) -> None:
        body = json.dumps({"sale": str(uuid.uuid4())}).encode()
        began = time.perf_counter()
        wire.ask("POST", "/floor", body, {"Content-Type": "application/json"})
        times.setdefault("floor", []).append((time.perf_counter() - began) * 1000)

    return post


def spread(times: list[float]) -> dict[str, float]:
    """Median, p95, p99 and the longest, in milliseconds."""
    ordered = sorted(times)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)

    return {"median": round(statistics.median(ordered), 1), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}
