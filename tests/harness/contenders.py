"""Many hands on one action: processes with an application each, and threads in each, that all begin at the same moment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Self

from pos.app import create_app
from pos.config import Settings
from pos.domain.errors import CounterError
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.tills import Desk
from pos.ports import Finding
from pos.services import notifications, payments, receipts, refunds, renewals, sales, shifts
from pos.services.kit import Kit
from tests.harness.lives import LIVES
from tests.services.shop import Ready

# Everybody has read the order by then, also on a machine with two cores.
_HEAD_START_SECONDS = 0.05
_PATIENCE_SECONDS = 120.0


# ---------------------------------------------------------------- the actions


def take_cash(ready: Ready, *, kit: Kit) -> object:
    return payments.take_cash(ready.sale_id, ready.quote, ready.price, ready.desk, kit=kit)


def take_card(ready: Ready, *, kit: Kit) -> object:
    own = ready.sale_id.replace("-", "").upper()
    return payments.take_card(ready.sale_id, CardSlip("VISA", "4242", own[:8], own[8:16]), ready.desk, kit=kit)


def pay_back(sale_id: str, slip: dict[str, str], desk: Desk, *, kit: Kit) -> object:
    return refunds.pay_back(sale_id, desk, kit=kit, **slip)


def open_shift(desk: Desk, *, kit: Kit) -> object:
    return shifts.open_shift(Money(10_000, desk.store.currency), {}, desk, kit=kit).number


def close_shift(expected_minor: int, desk: Desk, *, kit: Kit) -> object:
    count = shifts.Count({1: expected_minor}, None, None, Money(5_000, desk.store.currency))
    return shifts.close_shift(count, "", desk, kit=kit)


def choose_plan(sale_id: str, plan_id: int, desk: Desk, *, kit: Kit) -> object:
    return sales.choose_plan(sale_id, plan_id, desk, kit=kit)


def claim(*, kit: Kit) -> object:
    task = renewals.take_next(f"contender#{time.monotonic_ns()}", kit=kit)
    return None if task is None else task.ref


def reprint(number: str, desk: Desk, *, kit: Kit) -> object:
    return receipts.reprint(number, desk, kit=kit)


def hear(body: bytes, *, kit: Kit) -> object:
    """The carrier's call, and the look that it asks for."""
    notifications.receive("sandbox", {"Content-Type": "application/json"}, body, kit=kit)
    while renewals.work_once(f"contender#{time.monotonic_ns()}", kit=kit):
        pass
    return "heard"


def write_finding(task: renewals.Task, finding: Finding, *, kit: Kit) -> object:
    return renewals.write_finding(task, finding, kit=kit)


# ---------------------------------------------------------------- the hands


def answer_of(verb: Callable[..., object], arguments: Sequence[object], kit: Kit) -> str:
    """What the program said, in one line; a sentence of the counter by its name, a fault with its words."""
    try:
        return repr(verb(*arguments, kit=kit))
    except CounterError as sentence:
        return type(sentence).__name__
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is the answer that this hand got
        return f"FAULT {type(fault).__name__}: {str(fault)[:400]}"


def contend(settings: Settings, orders: Connection) -> None:
    """A process that does what it is told, with as many threads as it is told, at the moment it is told."""
    app = create_app(settings)
    kit: Kit = app.extensions["simcounter"]

    def at_once(verb: Callable[..., object], arguments: Sequence[object], at: float) -> str:
        with app.app_context():
            time.sleep(max(0.0, at - time.time()))
            return answer_of(verb, arguments, kit)

    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            verb, hands, at = orders.recv()
            with ThreadPoolExecutor(len(hands)) as pool:
                orders.send(list(pool.map(lambda hand, v=verb, t=at: at_once(v, hand, t), hands)))


class Contenders:
    """``all_at_once`` gives every hand its arguments and returns what each was told."""

    def __init__(self, settings: Settings, processes: int) -> None:
        self._pipes: list[Any] = []
        self._processes: list[Any] = []
        for _ in range(processes):
            ours, theirs = LIVES.Pipe()
            process = LIVES.Process(target=contend, args=(settings, theirs), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def all_at_once(self, verb: Callable[..., object], hands: Sequence[Sequence[object]], processes: int) -> list[str]:
        """Hands are dealt to this many processes like cards."""
        dealt = [hands[number::processes] for number in range(processes)]
        at = time.time() + _HEAD_START_SECONDS
        chosen = [(pipe, cards) for pipe, cards in zip(self._pipes, dealt, strict=False) if cards]
        for pipe, cards in chosen:
            pipe.send((verb, cards, at))
        told: list[str] = []
        for pipe, _ in chosen:
            assert pipe.poll(_PATIENCE_SECONDS), "a contender hangs"
            told += pipe.recv()
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(10)
            process.kill()
            process.join()
            process.close()
