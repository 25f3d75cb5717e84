"""python -m bench: one run, one table, and JSON beside it."""

from __future__ import annotations

import argparse
import json
import platform
import re
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Settings
from pos.domain.money import Money
from pos.domain.tills import Desk
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.services import identity_checks, numbers, payments, plans, renewals, sales, shifts
from pos.services.kit import Kit
from pos.store import keys
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import db, durability, read_back_durability, reading


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--sales", type=int, default=100, help="sales in each measurement")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, shop(Path(folder)) as app:
        found = measure(app, Path(folder), options.sales)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    show(found)
    return 0


@contextmanager
def shop(folder: Path) -> Iterator[Flask]:
    """A furnished demo shop with its carrier over HTTP."""
    import flask_migrate

    keys.make(folder / "keys.json")
    with SandboxServer(SandboxSettings(), state=None, port=0) as carrier:
        carrier.carrier.books.set_wallet("GBP", 10**9)
        settings = Settings.model_validate(
            {
                "demo": True,
                "database": {"url": f"sqlite:///{(folder / 'shop.sqlite3').as_posix()}"},
                "server": {"secure_cookies": False},
                "security": {"key_ring": str(folder / "keys.json")},
                "logging": {"level": "error"},
                "carriers": {"sandbox": carrier_table(carrier.url)},
            }
        )
        app = create_app(settings, given=make_carriers(settings))
        with app.app_context():
            flask_migrate.upgrade()
            demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
            demo.stock(kit=app.extensions["simcounter"])
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def carrier_table(url: str) -> dict[str, object]:
    auth = {"kind": "client_credentials", "token_url": f"{url}/oauth/token", "client_id": "demo", "client_secret": "demo-secret"}
    return {"protocol": "tmforum", "base_url": url, "currencies": ["GBP", "HKD"], "enforce_unique_refs": True, "auth": auth}


def measure(app: Flask, folder: Path, count: int) -> dict[str, object]:
    kit: Kit = app.extensions["simcounter"]
    with app.app_context():
        durable = read_back_durability()
        desk = desk_of(kit)
        shifts.open_shift(Money(100_00, "GBP"), {}, desk, kit=kit)
        plan = plans.offers(desk, demo.CARRIER, "lyca")[0]
    floor = per_second(count * 3, bare_commit(folder / "floor.sqlite3"))
    with app.app_context():
        through_services = per_second(count, lambda turn: sell(turn, desk, plan.id, kit))
    requests: dict[str, list[float]] = {}
    client = sign_in(app)
    through_screens = per_second(count, lambda turn: sell_on_screens(client, turn + count, plan.id, requests))
    sent = per_second(count, lambda _: work(app, kit))
    return {
        "python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}",
        "durability": durable,
        "sales": count,
        "bare commits per second": round(floor, 1),
        "sales per second, services": round(through_services, 1),
        "sales per second, screens": round(through_screens, 1),
        "renewals per second, worker": round(sent, 1),
        "services as a share of bare commits": round(through_services / floor, 3),
        "screens as a share of bare commits": round(through_screens / floor, 3),
        "milliseconds of each request (median, p95)": {name: spread(times) for name, times in requests.items()},
        "milliseconds of a receipt (median, p95)": paper(app, kit),
    }


def per_second(count: int, action: Callable[[int], object]) -> float:
    action(-1)
    began = time.perf_counter()
    for turn in range(count):
        action(turn)
    return count / (time.perf_counter() - began)


def bare_commit(path: Path) -> Callable[[int], None]:
    """One row, one durable commit, nothing else: what the engine gives with the shop's own settings."""
    connection = sqlite3.connect(path, isolation_level=None)
    mode, synchronous = durability()
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, text TEXT)")

    def commit(_turn: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO floor (text) VALUES (?)", ("x" * 200,))
        connection.execute("COMMIT")

    return commit


def desk_of(kit: Kit) -> Desk:
    with reading() as session:
        till = till_rows.till_by_code(session, "LON1")
        person = staff_rows.by_number(session, "101")
        if till is None or person is None:
            raise LookupError("the demo is not furnished")
        return Desk(till_rows.store_of(session, till).plain(), till.plain(), person.plain())


def sell(turn: int, desk: Desk, plan_id: int, kit: Kit) -> None:
    sale_id = str(uuid.uuid4())
    numbers.ask_about(sale_id, f"+447700900{(turn + 1) % 400:03d}", "phone", desk, "en", kit=kit)
    seen = identity_checks.Seen(identity_checks.DocumentType.PASSPORT, "GB", "533380006", next_year(), "typed")
    identity_checks.verify(sale_id, seen, True, desk, kit=kit)
    sales.choose_plan(sale_id, plan_id, desk, kit=kit, override=True, reason="bench")
    quote = sales.show(sale_id, desk, kit=kit).quote or ""
    payments.take_cash(sale_id, quote, Money(20_00, "GBP"), desk, kit=kit)


def next_year():  # type: ignore[no-untyped-def]
    from datetime import UTC, datetime

    return datetime.now(UTC).date().replace(year=datetime.now(UTC).year + 2)


def sign_in(app: Flask):  # type: ignore[no-untyped-def]
    client = app.test_client()
    token = token_of(client.get("/enrol").get_data(as_text=True))
    client.post("/enrol/demo", data={"csrf_token": token, "till_code": "LON1"})
    token = token_of(client.get("/sign-in").get_data(as_text=True))
    client.post("/sign-in", data={"csrf_token": token, "staff_number": "201", "pin": DEMO_PINS["201"]})
    return client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise LookupError("no form on this page")
    return found[1]


def sell_on_screens(client, turn: int, plan_id: int, requests: dict[str, list[float]]) -> None:  # type: ignore[no-untyped-def]
    """Every request and page of one sale, timed one by one."""
    sale = f"/sales/{uuid.uuid4()}"

    def timed(name: str, call: Callable[[], object]):  # type: ignore[no-untyped-def]
        began = time.perf_counter()
        answer = call()
        requests.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        if answer.status_code not in (200, 302):
            raise RuntimeError(f"{name}: {answer.status_code}")
        return answer

    token = token_of(timed("home", lambda: client.get("/")).get_data(as_text=True))
    entry = f"+447700900{(turn + 1) % 400:03d}"
    timed("number", lambda: client.post(f"{sale}/number", data={"csrf_token": token, "entry": entry}))
    timed("document page", lambda: client.get(sale))
    typed = {"document_type": "passport", "document_country": "GB", "document_number": "533380006", "matches_person": "1"}
    typed["expires_on"] = next_year().isoformat()
    timed("document", lambda: client.post(f"{sale}/document", data={"csrf_token": token, **typed}))
    timed("plans page", lambda: client.get(sale))
    chosen = {"csrf_token": token, "plan_id": str(plan_id), "override": "1", "reason": "bench"}
    timed("plan", lambda: client.post(f"{sale}/plan", data=chosen))
    page = timed("read-back page", lambda: client.get(f"{sale}/cash")).get_data(as_text=True)
    quote = re.search(r'name="quote" value="([^"]+)"', page)
    if quote is None:
        raise LookupError("nothing to pay")
    timed("pay", lambda: client.post(f"{sale}/cash", data={"csrf_token": token, "quote": quote[1], "tendered": "20.00"}))
    timed("outcome page", lambda: client.get(sale))


def work(app: Flask, kit: Kit) -> None:
    with app.app_context():
        renewals.work_once("bench#1", kit=kit)


def spread(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return round(statistics.median(ordered), 1), round(ordered[int(len(ordered) * 0.95)], 1)


def paper(app: Flask, kit: Kit) -> dict[str, tuple[float, float]]:
    from pos.services.receipts import _document
    from receipts import escpos, pdf, printer

    with app.app_context():
        document = _document("LON1-000001", desk_of(kit))
    settings = printer.PrinterSettings(address="127.0.0.1")
    found: dict[str, tuple[float, float]] = {}
    for name, draw in (("raster 576", lambda: escpos.job(document, settings)), ("PDF", lambda: pdf.render(document))):
        draw()
        times = []
        for _ in range(30):
            began = time.process_time()
            draw()
            times.append((time.process_time() - began) * 1000)
        found[name] = spread(times)
    return found


def show(found: dict[str, object]) -> None:
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"    {key:<22}{inner}")
        else:
            print(f"{name:<40}{value}")


if __name__ == "__main__":
    sys.exit(main())
