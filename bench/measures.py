"""What is measured, one function for each part; each answers with plain figures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from bench import floor, history, printing, reconciling
from bench.selling import Seller, drain, plan_of, work
from bench.shops import Shop, open_shop, running
from bench.tills import Times, at_once, floor_actor, furnish_tills, sit_down, spread
from pos.domain.money import Money
from pos.domain.tills import Desk
from pos.services import journal, ledger, sales, shifts
from pos.store.db import db

Figures = dict[str, object]
TILLS = (1, 4, 8)


def per_second(count: int, action: Callable[[int], object]) -> float:
    action(-1)
    began = time.perf_counter()
    for turn in range(count):
        action(turn)
    return count / (time.perf_counter() - began)


def milliseconds(count: int, action: Callable[[], object]) -> dict[str, float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return spread(times)


def floor_url(shop: Shop) -> str:
    """A database beside the shop's: the same engine, disk and settings."""
    if shop.engine == "sqlite":
        return f"sqlite:///{(shop.folder / 'floor.sqlite3').as_posix()}"
    return shop.url


def commits(shop: Shop, count: int) -> Figures:
    """Bare commits, and the same number of sales and of renewals through the services, with 1, 4 and 8 tills."""
    bare = per_second(count * 4, floor.bare_commit(floor_url(shop)))
    found: Figures = {"bare commits a second": round(bare, 1)}
    desks = furnish_tills(shop, max(TILLS))
    plan_id = plan_of(shop, desks[0])
    for tills in TILLS:
        sellers = [Seller(shop, desk, plan_id, turn * 50) for turn, desk in enumerate(desks[:tills])]
        rate, times = at_once([_selling(seller) for seller in sellers], max(1, count // tills))
        found[f"sales a second, services, {tills} tills"] = round(rate, 1)
        found[f"milliseconds of a sale, services, {tills} tills"] = spread(times["sale"])
    began = time.perf_counter()
    steps = drain(shop)
    found["renewals a second, one worker thread"] = round(steps / (time.perf_counter() - began), 1)
    one = found["sales a second, services, 1 tills"]
    found["sales, services, as a share of bare commits"] = round(float(str(one)) / bare, 3)
    return found


def _selling(seller: Seller) -> Callable[[Times], None]:
    def sell(times: Times) -> None:
        seller.sell(times)

    return sell


def screens(shop: Shop, count: int) -> Figures:
    """The real server process under 1, 4 and 8 tills that press as fast as they can, beside the floor's endpoint."""
    found: Figures = {}
    desks = furnish_tills(shop, max(TILLS))
    plan_id = plan_of(shop, desks[0])
    floors: dict[int, float] = {}
    with running(["bench.floor", floor_url(shop)]) as url:
        for tills in TILLS:
            rate, times = at_once([floor_actor(url) for _ in range(tills)], max(1, 4 * count // tills))
            floors[tills] = rate
            found[f"floor a second, {tills} tills"] = round(rate, 1)
            found[f"milliseconds at the floor, {tills} tills"] = spread(times["floor"])
    with running(["pos.cli", "--config", str(shop.folder / "config.toml"), "serve"]) as url:
        clerks = [sit_down(shop, desk, url, plan_id, turn * 50) for turn, desk in enumerate(desks)]
        clerks[0].sell({})
        for tills in TILLS:
            rate, times = at_once([clerk.sell for clerk in clerks[:tills]], max(1, count // tills))
            found[f"sales a second, screens, {tills} tills"] = round(rate, 1)
            found[f"sales, screens, as a share of the floor, {tills} tills"] = round(rate / floors[tills], 3)
            found[f"milliseconds of each request, {tills} tills"] = {name: spread(each) for name, each in times.items()}
        clerks[0].wire.get("/")
        found["bytes of the home page"] = len(clerks[0].wire.page.encode())
    return found


def past(shop: Shop, sizes: tuple[int, ...], count: int) -> Figures:
    """A sale, the X, a search and the close with so many sales behind them; one process, one till."""
    found: Figures = {}
    desk = furnish_tills(shop, 1)[0]
    seller = Seller(shop, desk, plan_of(shop, desk))
    first = seller.sell({})
    drain(shop)
    _close(shop, desk)
    begun = 0
    for size in sizes:
        with shop.app.app_context(), db.engine.begin() as connection:
            rows = history.write(connection, first, size, begun)
        begun = size
        with shop.app.app_context():
            shifts.open_shift(Money(100_00, "GBP"), {}, desk, kit=shop.kit)
        found[f"{size} sales behind"] = {"rows written": rows, **_day(shop, seller, count)}
    return found


def _day(shop: Shop, seller: Seller, count: int) -> dict[str, object]:
    times: Times = {}
    for _ in range(count):
        seller.sell(times)
    sent = milliseconds(count, lambda: work(shop))
    desk, kit = seller.desk, shop.kit

    def in_shop(action: Callable[[], object]) -> dict[str, float]:
        with shop.app.app_context():
            return milliseconds(10, action)

    found: dict[str, object] = {
        "sale": spread(times["sale"]),
        "sent and confirmed": sent,
        "X report": in_shop(lambda: shifts.x_report(desk, kit=kit)),
        "find by number": in_shop(lambda: sales.find("", "+447700900003", desk, kit=kit)),
        "what is unfinished": in_shop(lambda: sales.unfinished(desk)),
        "my latest sales": in_shop(lambda: sales.recent(desk, kit=kit)),
    }
    began = time.perf_counter()
    _close(shop, desk)
    found["close"] = round((time.perf_counter() - began) * 1000, 1)
    return found


def _close(shop: Shop, desk: object) -> None:
    """Counted twice, because the drawer never fits here."""
    count = shifts.Count(pieces={10_00: 10}, left=Money(100_00, "GBP"), card_total=None, card_count=None)
    with shop.app.app_context():
        for _ in range(2):
            if shifts.close_shift(count, "bench", desk, kit=shop.kit) is not None:  # type: ignore[arg-type]
                return


_SALES_OF_A_LONG_SHIFT = 5_000


def closing(shop: Shop, sizes: tuple[int, ...]) -> Figures:
    """The close of a shift of 5,000 sales with nothing behind it, then with so many sales of earlier days."""
    found: Figures = {}
    desk = furnish_tills(shop, 1)[0]
    seller = Seller(shop, desk, plan_of(shop, desk))
    first = seller.sell({})
    drain(shop)
    _close(shop, desk)
    begun, numbered = 0, 1_000_000_000
    for size in (0, *sizes):
        with shop.app.app_context():
            if size:
                with db.engine.begin() as connection:
                    history.write(connection, first, size, begun)
                begun = size
            shift = shifts.open_shift(Money(100_00, "GBP"), {}, desk, kit=shop.kit)
            with db.engine.begin() as connection:
                history.write_into(connection, first, shift.id, numbered, _SALES_OF_A_LONG_SHIFT)
        numbered += _SALES_OF_A_LONG_SHIFT
        found[f"{size} sales behind"] = {"first count": round(_timed(shop, desk), 1), "close": round(_timed(shop, desk), 1)}
    return found


def _timed(shop: Shop, desk: Desk) -> float:
    """Milliseconds of one count."""
    count = shifts.Count(pieces={10_00: 10}, left=Money(100_00, "GBP"), card_total=None, card_count=None)
    with shop.app.app_context():
        began = time.perf_counter()
        shifts.close_shift(count, "bench", desk, kit=shop.kit)
        return (time.perf_counter() - began) * 1000


def verifying(shop: Shop, count: int) -> Figures:
    """How fast the journal is walked and the books are proven, over real rows."""
    desk = furnish_tills(shop, 1)[0]
    seller = Seller(shop, desk, plan_of(shop, desk))
    for _ in range(count):
        seller.sell({})
    drain(shop)
    with shop.app.app_context():
        with db.engine.connect() as connection:
            rows = connection.scalar(text("select count(*) from journal")) or 0
        began = time.perf_counter()
        faults = list(journal.verify(kit=shop.kit))
        walked = time.perf_counter() - began
        faults += list(ledger.prove())
        proven = time.perf_counter() - began - walked
    if faults:
        raise RuntimeError(f"the books of the benchmark are wrong: {faults[:3]}")
    return {
        "journal rows": rows,
        "journal rows walked a second": round(rows / walked),
        "milliseconds to prove the books, a sale": round(proven * 1000 / count, 2),
    }


def starting(shop: Shop) -> Figures:
    """Milliseconds until `pos --help` has answered and until the server listens, and what the server holds in memory."""
    import subprocess

    helped = milliseconds(3, lambda: subprocess.run([sys.executable, "-m", "pos.cli", "--help"], check=True, capture_output=True))
    began = time.perf_counter()
    command = ["pos.cli", "--config", str(shop.folder / "config.toml"), "serve"]
    with running(command):
        ready = (time.perf_counter() - began) * 1000
        idle = _idle_of_children()
    return {"milliseconds of pos --help": helped["median"], "milliseconds until the server listens": round(ready), **idle}


def _idle_of_children() -> Figures:
    """Resident megabytes and the share of a core of the newest child while nothing happens; Linux only."""
    if not Path("/proc/self").exists():
        return {}
    mine = str(os.getpid())
    found: Figures = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if fields[1] == mine and b"serve" in command:
            pages = int((entry / "statm").read_text().split()[1])
            used = int(fields[11]) + int(fields[12])
            time.sleep(5)
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            busy = (int(fields[11]) + int(fields[12]) - used) / os.sysconf("SC_CLK_TCK") / 5
            found = {
                "megabytes of the idle server": round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20),
                "idle cost, share of a core": round(busy, 3),
            }
    return found


PARTS: dict[str, Callable[[str, int, tuple[int, ...]], Figures]] = {}


def part(name: str) -> Callable[[Callable[[Shop, int, tuple[int, ...]], Figures]], None]:
    """Register a part; each gets a shop of its own, so that none inherits another's history."""

    def keep(measure: Callable[[Shop, int, tuple[int, ...]], Figures]) -> None:
        def run(engine: str, count: int, sizes: tuple[int, ...]) -> Figures:
            with open_shop(engine) as shop:
                return measure(shop, count, sizes)

        PARTS[name] = run

    return keep


part("services")(lambda shop, count, sizes: commits(shop, count))
part("screens")(lambda shop, count, sizes: screens(shop, count))
part("history")(lambda shop, count, sizes: past(shop, sizes, min(count, 40)))
part("close")(lambda shop, count, sizes: closing(shop, sizes))
part("verify")(lambda shop, count, sizes: verifying(shop, count))
part("start")(lambda shop, count, sizes: starting(shop))
part("paper")(lambda shop, count, sizes: printing.paper(shop, min(count, 12)))
part("reconcile")(lambda shop, count, sizes: reconciling.reconciling(shop, max(sizes)))
