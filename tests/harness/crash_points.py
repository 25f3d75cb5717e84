"""Crash points: the real server process, a real database file, kill -9 at C1 to C25, restart, the same button, drain, and all
that the protocol promises is looked at (its sections 4 and 5).

One machine serves several rounds: the process that recovers from one crash is the victim of the next. ``rounds`` is for each
point; from 40 on, every ordered pair of points follows (a crash during the recovery of a crash), ``rounds`` / 50 of each.
With POS_CRASH_ENGINE=postgresql the books are kept there."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from pos.sandbox.printer import VirtualPrinter
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from tests.harness import caller, points
from tests.harness.books_check import after_round, numbers_without_gap, papers_never_twice
from tests.harness.clerk import MOODS, MOODY, Clerk, Visit
from tests.harness.furnish import Furnished, furnished_on
from tests.harness.machine import Machine, NotDone
from tests.harness.points import POINTS, Point
from tests.harness.result import Result, Say
from tests.harness.rotations import rotation_round
from tests.harness.upgrades import upgrade_round

SIZES = {"commit": 8, "tenth": 40, "full": 400}
MUST_BE = "0 lost, 0 doubled, 0 stuck, chain whole"
_ROUNDS_FOR_PAIRS, _PAIRS_SHARE = 40, 50
# A new machine after this many: papers, numbers and the drawer stay small.
_ROUNDS_OF_A_MACHINE = 20


def run(rounds: int, seed: int, say: Say) -> Result:
    result = Result("crash_points", MUST_BE, seed, rounds)
    for point in points.TABLE:
        if point.missing:
            result.count(f"not there yet: {point.name}")
            say(f"{point.name}: not tried, {point.missing}")
    with furnished_on(os.environ.get("POS_CRASH_ENGINE", "sqlite")) as furnished:
        tasks: list[tuple[tuple[str, ...], int]] = []
        for name in points.TRIED:
            if POINTS[name].upgrades and furnished.server_url is not None:
                result.count(f"not on this database: {name}")
            else:
                tasks.append(((name,), rounds))
        if rounds >= _ROUNDS_FOR_PAIRS:
            share = max(1, rounds // _PAIRS_SHARE)
            tasks += [((first, second), share) for first in points.PAIRED for second in points.PAIRED]
        # Each point has machines of its own, so as many are tried at once as there are processors.
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            begun = {pool.submit(_in_batches, names, many, seed, furnished): (names, many) for names, many in tasks}
            for done in as_completed(begun):
                names, many = begun[done]
                found = done.result()
                result.failures += found.failures
                for what, how_many in found.counts.items():
                    result.count(what, how_many)
                say(f"{' then '.join(names)}: {many} rounds, {found.counts.get('kills', 0)} kills, {len(found.failures)} failed")
    return result


def _in_batches(names: tuple[str, ...], rounds: int, seed: int, furnished: Furnished) -> Result:
    result = Result("crash_points", MUST_BE, seed, rounds)
    for begin in range(0, rounds, _ROUNDS_OF_A_MACHINE):
        several = range(begin, min(rounds, begin + _ROUNDS_OF_A_MACHINE))
        with tempfile.TemporaryDirectory(prefix="crash-") as folder:
            prove(result, names, several, seed, furnished, Path(folder))
    return result


def prove(result: Result, names: tuple[str, ...], rounds: range, seed: int, furnished: Furnished, folder: Path) -> None:
    """These rounds of a point, or of a pair of points, on a machine of their own; what is wrong goes into the result."""
    upgrades = POINTS[names[-1]].upgrades
    number = -1
    with _shop(folder, furnished) as (machine, sandbox, printer):
        clerk = Clerk(machine, sandbox, printer)
        try:
            if not upgrades:
                machine.power_on()
                clerk.browser.sign_in()
            for number in rounds:
                clerk.chance = random.Random(f"{seed}/{'+'.join(names)}/{number}")
                if POINTS[names[-1]].rotates:
                    _rotation(clerk, number, result)
                elif upgrades:
                    upgrade_round(machine, clerk.chance, result)
                else:
                    _round(clerk, names, number, result)
                result.count("rounds")
            told = machine.verify()
            assert told["ok"] is True, told
        except AssertionError as fault:
            result.failures.append(f"{' then '.join(names)} round {number} seed {seed}: {type(fault).__name__} {fault}")


@contextlib.contextmanager
def _shop(folder: Path, furnished: Furnished) -> Iterator[tuple[Machine, SandboxServer, VirtualPrinter]]:
    settings = SandboxSettings(late_seconds=0.3, retry_after_seconds=1)
    with SandboxServer(settings) as sandbox, VirtualPrinter(port=0) as printer, furnished.copy() as books:
        machine = Machine(folder, furnished.folder, sandbox, printer, books)
        try:
            yield machine, sandbox, printer
        finally:
            machine.pull_the_plug()


def _round(clerk: Clerk, names: tuple[str, ...], number: int, result: Result) -> None:
    """One customer whose sale passes the points, and one more where the second point was not met on the way."""
    machine = clerk.machine
    chain = [POINTS[name] for name in names]
    machine.order(*_orders(chain, clerk.chance, number))
    _customer(clerk, chain, result)
    while machine.orders():
        left = machine.orders()
        result.count("second crash with the next customer")
        _customer(clerk, [POINTS[_name_in(left[0])]], result)
        if machine.orders() == left:
            raise NotDone(f"this moment is never passed: {left[0]}")
    result.count("kills", clerk.kills)
    clerk.kills = 0


def _rotation(clerk: Clerk, number: int, result: Result) -> None:
    """A shop that has sold changes a key, and sells on."""
    _customer(clerk, [], result)
    result.count("kills", clerk.kills + rotation_round(clerk.machine, clerk.chance, number))
    clerk.kills = 0
    clerk.machine.power_on()
    _customer(clerk, [], result)


def _name_in(order: str) -> str:
    return order.partition("|")[0].split("/")[1]


def _orders(chain: list[Point], chance: random.Random, number: int) -> list[str]:
    """One line for each death, those that lead there included."""
    lines: list[str] = []
    for point in chain:
        for each in ([POINTS[point.first]] if point.first else []) + [point]:
            place = chance.choice(each.places)
            serial = f"{number}.{len(lines)}/{each.name}"
            hit = chance.randint(1, place.most)
            deed = "freeze" if each.freezes else "kill"
            lines.append(f"{serial}|{place.function}|{place.moment}|{place.within}|{hit}|{deed}")
    return lines


def _customer(clerk: Clerk, chain: list[Point], result: Result) -> None:
    """A sale that fits all points of the chain."""
    chance = clerk.chance
    refused = any(point.refused for point in chain)
    wanted = next((point.tender for point in chain if point.tender), None)
    mood = "refuse" if refused else chance.choice(MOODS) if chance.random() < MOODY else None
    if any(point.first or point.freezes for point in chain) and not refused:
        mood = None
    if any(point.calls for point in chain) and mood is None:
        mood = chance.choice((None, "pending_then_done"))
    visit = Visit(_number(clerk), wanted or chance.choice(("cash", "card")), mood, on_list=chance.random() < 0.7)
    papers, debits = len(clerk.printer.papers()), len(clerk.sandbox.carrier.books.debits())
    clerk.serve(visit)
    if any(point.calls for point in chain):
        caller.call_about(clerk, visit)
    if any(point.freezes for point in chain):
        clerk.wake_the_sleeper(visit)
    clerk.drain(visit)
    if refused and not visit.voided:
        clerk.pay_back(visit)
        clerk.drain(visit)
    if any(point.closes for point in chain):
        clerk.close_the_shift()
        clerk.drain(visit)
    after_round(clerk, visit, clerk.printer.papers()[papers:], clerk.sandbox.carrier.books.debits()[debits:])
    if any(point.calls for point in chain):
        caller.heard_once(clerk, visit)
    numbers_without_gap(clerk.machine)
    papers_never_twice(clerk.printer)
    assert not clerk.machine.complaints(), clerk.machine.complaints()[-2000:]
    result.count("sales")


def _number(clerk: Clerk) -> str:
    """A number that this machine has not sold to yet; the hundreds are those without magic."""
    sold = {line for (line,) in clerk.machine.rows("select masked from renewals")}
    while True:
        number = f"07700 900{clerk.chance.choice('01234')}{clerk.chance.randrange(100):02d}"
        if not any(masked.endswith(number[-3:]) for masked in sold):
            return number
