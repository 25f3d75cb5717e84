"""The program as it is installed, with somebody's hand on the plug.

``python -m tests.harness.victim --die-at C10:2 -- --config config.toml serve`` runs the command line and kills its own
process at the second time that point C10 is passed. The proofs start it from a process that has imported everything
already, with their orders in a file: they change while it runs, so that one process serves several rounds. Nothing in the
product knows of this: functions are wrapped and the database library is listened to."""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
import waitress.server
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import pos.app
import pos.carriers.wire
import pos.cli
import pos.clock
import pos.worker
from tests.harness import points

assert flask_migrate and waitress.server and pos.app and pos.worker  # imported once, for every process that is forked from here

ORDERS, AHEAD, ASLEEP, THAW, SAID, ERRORS = "orders.txt", "ahead.txt", "asleep.txt", "thaw.txt", "said.txt", "errors.txt"


class Plug:
    """Pulled where the first line of the orders says: ``serial|function|moment|within|hit|kill or freeze``."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._hits: dict[str, int] = {}

    def passed(self, function: str, moment: str, running: list[str]) -> None:
        with self._lock:
            if not self._is_here(function, moment, running):
                return
            deed = self._obey()
        if deed == "freeze":
            self._sleep()

    def _is_here(self, function: str, moment: str, running: list[str]) -> bool:
        try:
            line = (self._folder / ORDERS).read_text().partition("\n")[0]
        except FileNotFoundError:
            return False
        if not line:
            return False
        _, wanted, when, within, hit, _ = line.split("|")
        if (function, moment) != (wanted, when) or (within and within not in running):
            return False
        self._hits[line] = self._hits.get(line, 0) + 1
        return self._hits[line] == int(hit)

    def _obey(self) -> str:
        """Strike the order out, so that the next life does not die of it, and do it."""
        path = self._folder / ORDERS
        line, _, rest = path.read_text().partition("\n")
        (self._folder / "rest.txt").write_text(rest)
        os.replace(self._folder / "rest.txt", path)
        deed = line.rpartition("|")[2]
        if deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        return deed

    def _sleep(self) -> None:
        """The thread that sleeps over its lease; the rest of the shop goes on."""
        (self._folder / ASLEEP).touch()
        while not (self._folder / THAW).exists():
            time.sleep(0.01)
        (self._folder / ASLEEP).unlink()


class _Here(threading.local):
    """What this thread is in the middle of, and whether an order is going out."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.ordering = False


_here = _Here()


def rig(plug: Plug) -> None:
    """Wrap what the table of points watches."""
    for name in points.functions():
        _wrap(name, plug)
    event.listen(Session, "before_commit", lambda _: _all_passed(plug, points.BEFORE_COMMIT))
    event.listen(Session, "after_commit", lambda _: _all_passed(plug, points.AFTER_COMMIT))
    event.listen(Engine, "after_cursor_execute", lambda *_: _all_passed(plug, points.STATEMENT))
    _rig_wire(plug)


def _all_passed(plug: Plug, moment: str) -> None:
    for function in _here.running or ["migration"]:
        plug.passed(function, moment, _here.running)


def _wrap(name: str, plug: Plug) -> None:
    module, _, path = name.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, last = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    setattr(owner, last, _watched(getattr(owner, last), name, plug))


def _watched(real: Callable[..., Any], name: str, plug: Plug) -> Callable[..., Any]:
    def function(*arguments: Any, **named: Any) -> Any:
        _here.running.append(name)
        try:
            plug.passed(name, points.ENTERS, _here.running)
            answer = real(*arguments, **named)
            plug.passed(name, points.RETURNS, _here.running)
            return answer
        finally:
            _here.running.pop()

    return function


def _rig_wire(plug: Plug) -> None:
    """Half of an order's body, and the moment when its whole answer lies in our socket unread."""
    stream = pos.carriers.wire._PunctualStream
    write, read = stream.write, stream.read

    def cut_write(self: Any, buffer: bytes, timeout: float | None = None) -> None:
        if buffer.startswith(b"POST "):
            _here.ordering = b"/productOrder" in buffer.partition(b"\r\n")[0]
        elif _here.ordering and len(buffer) > 1:
            half = len(buffer) // 2
            write(self, buffer[:half], timeout)
            plug.passed(points.WIRE, points.HALF_SENT, _here.running)
            buffer = buffer[half:]
        elif buffer:
            _here.ordering = False
        write(self, buffer, timeout)

    def deaf_read(self: Any, max_bytes: int, timeout: float | None = None) -> bytes:
        if _here.ordering:
            _here.ordering = False
            select.select([self.get_extra_info("socket")], [], [], timeout)
            plug.passed(points.WIRE, points.REPLY_WAITS, _here.running)
        return read(self, max_bytes, timeout)

    stream.write, stream.read = cut_write, deaf_read  # type: ignore[method-assign]


def wind(folder: Path) -> None:
    """The clock on the wall of the shop may be put forward while it runs."""
    real = pos.clock.RealClock.now

    def now(self: pos.clock.RealClock) -> datetime:
        with suppress(FileNotFoundError, ValueError):
            return real(self) + timedelta(seconds=float((folder / AHEAD).read_text()))
        return real(self)

    pos.clock.RealClock.now = now  # type: ignore[method-assign]


def live(folder: str, words: list[str], said: str) -> None:
    """A process of the shop: what it says goes to files in its folder."""
    here = Path(folder)
    for name, number in ((said, 1), (ERRORS, 2)):
        file = os.open(here / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    rig(Plug(here))
    wind(here)
    run(words)


def run(words: list[str]) -> None:
    pos.cli.main(words, prog_name="pos", standalone_mode=True)


def main(arguments: list[str]) -> None:
    import tempfile

    ours, words = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    folder = Path(tempfile.mkdtemp())
    for asked in ours[ours.index("--die-at") + 1 :]:
        name, _, hit = asked.partition(":")
        place = points.POINTS[name].places[0]
        line = f"{name}|{place.function}|{place.moment}|{place.within}|{hit or 1}|kill\n"
        with (folder / ORDERS).open("a") as file:
            file.write(line)
    rig(Plug(folder))
    run(words)


if __name__ == "__main__":
    main(sys.argv[1:])
