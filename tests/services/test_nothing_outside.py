"""A whole day, and not a byte leaves or comes in while a write transaction is open: no socket, no file, no printer.

A transaction that waits for the outside world holds up every other till, and what it sent cannot be taken back."""

from __future__ import annotations

import builtins
import functools
import io
import os
import socket
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from pos.app import press
from pos.domain.renewals import RenewalState
from pos.sandbox.printer import VirtualPrinter
from pos.services import print_jobs, receipts
from pos.store.db import in_transaction, transaction
from pos.store.tills import Printer
from receipts import escpos, printer
from tests.counter import Counter
from tests.services.shop import Shop

SOCKET = ("connect", "connect_ex", "send", "sendall", "sendto", "recv", "recv_into", "recvfrom")
PRINTING = ((printer, "send"), (escpos, "job"), (escpos, "drawer_pulse"))
WRITING = set("wax+")


class Touched(Exception):
    """Something outside was touched inside a write transaction."""


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tally[str]]:
    """How often each thing was used outside of transactions; inside of one it raises. SQLite's file and
    PostgreSQL's socket are opened beneath Python, so the database's own work is not seen here."""
    seen: Tally[str] = Tally()

    def guard(owner: Any, name: str, when: Callable[..., bool] = lambda *_, **__: True) -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        def guarded(*arguments: Any, **named: Any) -> Any:
            if when(*arguments, **named):
                if in_transaction():
                    raise Touched(f"{owner.__name__}.{name} inside a write transaction")
                seen[f"{owner.__name__}.{name}"] += 1
            return real(*arguments, **named)

        monkeypatch.setattr(owner, name, guarded, raising=False)

    for name in SOCKET:
        guard(socket.socket, name)
    guard(socket, "getaddrinfo")
    for module, name in PRINTING:
        guard(module, name)
    for module in (builtins, io):
        guard(module, "open", _writes)
    guard(os, "open", _makes)
    for name in ("replace", "rename", "unlink", "fsync"):
        guard(os, name)
    yield seen


def _writes(_file: object, mode: str = "r", *_: object, **__: object) -> bool:
    return bool(WRITING & set(mode))


def _makes(_path: object, flags: int, *_: object, **__: object) -> bool:
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


@pytest.fixture
def paper(app: Flask, shop: Shop) -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as made:
        with shop.by_hand() as connection:
            for number, settings in connection.execute(select(Printer.id, Printer.settings)).all():
                moved = update(Printer).where(Printer.id == number)
                connection.execute(moved.values(settings={**settings, "port": made.port}))
        yield made


def print_all(shop: Shop) -> int:
    """What the worker's printing thread does, until no job is due."""
    done = 0
    with shop.app.app_context():
        for printer_id in print_jobs.printers_due(kit=shop.kit):
            while (sheet := print_jobs.take_next(printer_id, "test#1", kit=shop.kit)) is not None:
                result, reason, near_end = press(sheet, functools.partial(print_jobs.about_to_send, sheet, kit=shop.kit))
                print_jobs.record(sheet, result, reason, near_end, kit=shop.kit)
                done += 1
    return done


def test_a_whole_day_touches_nothing_outside_while_a_transaction_is_open(
    counter: Counter, shop: Shop, paper: VirtualPrinter, touched: Tally[str]
) -> None:
    counter.open_shift().ready_to_pay("07700 900101").cash("10.00")
    shop.ask_until_it_is_known()
    first = counter.sale_id
    counter.ready_to_pay("07700 900102").card_begin().card_slip()
    shop.ask_until_it_is_known()
    assert {shop.state(first), shop.state(counter.sale_id)} == {RenewalState.CONFIRMED}
    shop.misbehave("lost_after_commit")
    counter.ready_to_pay("07700 900103").cash("10.00")
    shop.ask_until_it_is_known()
    counter.ready_to_pay("07700 900521").cash("10.00")
    shop.ask_until_it_is_known()
    counter.look()
    counter.post(f"/sales/{counter.sale_id}/refund", {})
    assert shop.state(counter.sale_id) is RenewalState.REFUNDED
    with shop.app.app_context():
        receipts.reprint(shop.sale(first).receipt_number or "", shop.desk(), kit=shop.kit)
    assert print_all(shop) >= 6
    counter.get("/shift/close")
    ((expected,),) = shop.ask("select expected_minor from shifts")
    counter.post("/shift/close", {"pieces_1": str(expected), "left_in_drawer": "50.00"})
    assert shop.ask("select state from shifts") == [("closed",)]
    assert print_all(shop) == 1
    assert counter.verify() == []
    assert len([sheet for sheet in paper.papers() if sheet.png]) >= 6
    used = {"socket.connect", "socket.sendall", "socket.recv", "receipts.printer.send", "receipts.escpos.drawer_pulse"}
    assert used <= set(touched), f"the guard did not stand there: {used - set(touched)}"


@pytest.mark.parametrize(
    "deed",
    [
        lambda _: socket.create_connection(("127.0.0.1", 9), 1),
        lambda folder: (folder / "note.txt").write_text("x"),
        lambda folder: builtins.open(folder / "note.txt", "a"),  # noqa: SIM115 - it is never opened
        lambda folder: os.open(folder / "note.txt", os.O_CREAT | os.O_WRONLY),
        lambda _: printer.send(b"", printer.PrinterSettings("127.0.0.1"), lambda: True),
    ],
    ids=["socket", "a file of a path", "a file", "a bare file", "printer"],
)
def test_the_guard_sees_whoever_reaches_outside(app: Flask, tmp_path: Path, touched: Tally[str], deed: Any) -> None:
    with app.app_context(), pytest.raises(Touched), transaction():
        deed(tmp_path)
