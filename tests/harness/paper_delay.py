"""No sale waits for a printer: cash taken at tills whose printers are well, slow, mute, out of paper, stalled, reset, half open or
gone, in turn, with the real worker in the same process as it is in a shop. What a printer costs is the difference to the till whose
printer is well; a second one that is well shows what is chance."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import text

from bench.printing import working
from bench.selling import PRICE_TENDERED, plan_of
from bench.shops import Shop, open_shop
from bench.tills import furnish_tills
from pos.domain.documents import DocumentType
from pos.domain.tills import Desk
from pos.services import identity_checks, numbers, payments, printers, sales
from pos.store import tills as till_rows
from pos.store.db import reading, transaction
from tests.harness.result import Result, Say
from tests.receipts.socket_printer import Behaviour, SocketPrinter

SIZES = {"commit": 1, "tenth": 20, "full": 200}
MOST_MORE_MS = 50.0
MUST_BE = f"at the median no more than {MOST_MORE_MS:.0f} ms longer than with a printer that is well"
WELL, ALSO_WELL = "well", "well, another one"
BEHAVIOURS: dict[str, Behaviour] = {
    WELL: Behaviour(),
    ALSO_WELL: Behaviour(),
    "slow": Behaviour(bytes_per_second=20_000),
    "mute": Behaviour(status={}, marker=None),
    "out of paper": Behaviour(status={1: 0x1A, 2: 0x12, 4: 0x7E}),
    "cover open": Behaviour(status={1: 0x1A, 2: 0x16, 4: 0x12}),
    "stalls": Behaviour(stalls=True),
    "resets": Behaviour(resets=True),
    "hangs up at once": Behaviour(closes_at_once=True),
}
HALF_OPEN, REFUSES = "half open", "refuses"
STATES = (*BEHAVIOURS, HALF_OPEN, REFUSES)
# One more comes first and is not counted: the printer is to be in its trouble while the cash is taken.
SALES_IN_A_ROW = 10


class ManyJobs(SocketPrinter):
    """The same printer for one job after the other."""

    def serve(self) -> None:
        self.listener.settimeout(0.2)
        while not self.stopping.is_set():
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.received.clear()
            self.asked.clear()
            with connection, contextlib.suppress(OSError):
                self.converse(connection)


@dataclass
class Place:
    """One till, its printer's state, and how many milliseconds it took to take cash."""

    state: str
    desk: Desk
    times: list[float] = field(default_factory=list)


@contextlib.contextmanager
def port_of(state: str) -> Iterator[int]:
    """A printer in this state listens there inside the block."""
    if state in BEHAVIOURS:
        printer = ManyJobs(BEHAVIOURS[state])
        printer.thread.start()
        try:
            yield printer.port
        finally:
            printer.stopping.set()
            printer.listener.close()
            printer.thread.join(timeout=6)
        return
    # Half open: the connection stands, nobody ever reads. Refuses: the port is nobody's any more.
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        if state == REFUSES:
            listener.close()
        yield listener.getsockname()[1] if state == HALF_OPEN else 9


def clear(shop: Shop) -> None:
    """The next printer's turn is not burdened with what this one left behind."""
    left = "update print_jobs set state = 'cancelled' where state not in ('printed', 'sent', 'cancelled')"
    with shop.app.app_context(), transaction() as session:
        session.execute(text(left))


def sell(shop: Shop, desk: Desk, plan_id: int, turn: int) -> float:
    """One sale; the milliseconds of taking the cash, with what the page after it reads."""
    kit, sale_id = shop.kit, str(uuid.uuid4())
    with shop.app.app_context():
        numbers.ask_about(sale_id, f"+447700900{turn % 400:03d}", "phone", desk, "en", kit=kit)
        day = datetime.now(UTC).date()
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", day.replace(year=day.year + 2, day=1), "typed")
        identity_checks.verify(sale_id, seen, True, desk, kit=kit)
        sales.choose_plan(sale_id, plan_id, desk, kit=kit, override=True, reason="bench")
        quote = sales.show(sale_id, desk, kit=kit).quote or ""
        began = time.perf_counter()
        payments.take_cash(sale_id, quote, PRICE_TENDERED, desk, kit=kit)
        sales.show(sale_id, desk, kit=kit)
        return (time.perf_counter() - began) * 1000


def run(rounds: int, seed: int, say: Say) -> Result:
    """``rounds`` sales at each till, a few in a row; the order of the tills is drawn anew each turn."""
    result, sold = Result("paper_delay", MUST_BE, seed, rounds), itertools.count()
    dice = random.Random(seed)
    with contextlib.ExitStack() as stack:
        shop = stack.enter_context(open_shop("sqlite"))
        desks = furnish_tills(shop, len(STATES))
        plan = plan_of(shop, desks[0])
        places = [stand(shop, state, desk, stack) for state, desk in zip(STATES, desks, strict=True)]
        stack.enter_context(working(shop))
        row = min(SALES_IN_A_ROW, rounds)
        for turn in range(-(-rounds // row)):
            for place in dice.sample(places, len(places)):
                times = [sell(shop, place.desk, plan, next(sold)) for _ in range(row + 1)]
                place.times += times[1:]
                clear(shop)
            if turn % 10 == 0:
                say(f"turn {turn + 1}: {sum(len(place.times) for place in places)} sales")
        judge(places, result, say)
    return result


def stand(shop: Shop, state: str, desk: Desk, stack: contextlib.ExitStack) -> Place:
    """A till whose printer is in this state."""
    settings = {"address": "127.0.0.1", "port": stack.enter_context(port_of(state))}
    with shop.app.app_context():
        printers.point(desk.till.code, settings, kit=shop.kit)
    with shop.app.app_context(), reading() as session:
        till = till_rows.till_by_code(session, desk.till.code)
        assert till is not None and till.printer_id is not None
        return Place(state, replace(desk, till=till.plain()))


def judge(places: list[Place], result: Result, say: Say) -> None:
    """Each state beside the one that is well. The worst of some hundred belongs to whatever else the machine does: it is told and
    not judged."""
    calm = figures(places[0].times)
    say(f"{'printer':20} median, 95 of 100, worst ms; in brackets what it is more than with the one that is well")
    for place in places:
        here = figures(place.times)
        more = [mine - well for mine, well in zip(here, calm, strict=True)]
        say(f"{place.state:20} " + "  ".join(f"{mine:7.1f} ({less:+6.1f})" for mine, less in zip(here, more, strict=True)))
        result.count("sales", len(place.times))
        if more[0] > MOST_MORE_MS:
            result.failures.append(f"with a printer that is {place.state} taking cash takes {more[0]:.0f} ms more")


def figures(times: list[float]) -> tuple[float, float, float]:
    ordered = sorted(times)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], ordered[-1]
