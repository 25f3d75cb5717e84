"""A LAN receipt printer without paper: listens like one, answers like one, and keeps what came out as pictures."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pos.sandbox.escpos_job import PAPER_DOTS
from pos.sandbox.printer_conditions import Condition
from pos.sandbox.printer_door import Door
from pos.sandbox.printer_paper import Paper, Roll, develop
from pos.sandbox.printer_session import TICK_SECONDS, Session

__all__ = ["Condition", "Paper", "VirtualPrinter"]

STOP_SECONDS = 5.0


class VirtualPrinter:
    """Answers DLE EOT 1 to 4 at once, GS r 1 and GS ( H in order; one connection at a time, the next one waits.

    ``port`` is a wish: if it is taken the next free one of twenty is used (0: any), and ``port`` then says which.
    Faults in the middle of a job come after ``fault_after_bytes``; a connection silent for ``idle_seconds`` is closed.
    Use as a context manager, or call start and stop. All methods may be called from any thread."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 9100,
        *,
        dots: int = PAPER_DOTS,
        fault_after_bytes: int = 3000,
        idle_seconds: float = 300.0,
    ) -> None:
        self.wished_port = port
        self.dots = dots
        self._fault_after_bytes, self._idle_seconds = fault_after_bytes, idle_seconds
        self._condition = Condition.READY
        self._switching = threading.Lock()
        self._changes = 0
        self._stopping = threading.Event()
        self._roll = Roll()
        self._door = Door(host, port)
        self._thread = threading.Thread(target=self._serve, name="virtual printer", daemon=True)

    # On and off

    @property
    def host(self) -> str:
        return self._door.host

    @property
    def port(self) -> int:
        """The port it listens on; may differ from ``wished_port``."""
        return self._door.port

    @property
    def stopping(self) -> threading.Event:
        return self._stopping

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and end the connection being served; the papers stay readable."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        self._door.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    # The switches

    @property
    def condition(self) -> Condition:
        return self._condition

    def set_condition(self, condition: Condition | str) -> None:
        """Takes effect at once, also for the connection being served. Raises ValueError for an unknown word.

        On return from REFUSE the port listens again; OSError if another program took it, and it stays refused."""
        wanted = Condition(condition)
        with self._switching:
            if wanted is Condition.REFUSE:
                self._door.shut()
            else:
                self._door.open()
            self._condition = wanted
            self._changes += 1

    @property
    def changes(self) -> int:
        """Grows with every new paper, tear-off and change of condition: whoever watches need look only then."""
        return self._changes

    # The papers

    def papers(self) -> list[Paper]:
        """The last 200, oldest first."""
        return self._roll.papers()

    def paper(self, number: int) -> Paper | None:
        return next((paper for paper in self.papers() if paper.number == number), None)

    def wait_for_papers(self, count: int, timeout_seconds: float = 5.0) -> list[Paper]:
        """All papers, as soon as there are ``count``. Raises TimeoutError."""
        return self._roll.wait_for(count, timeout_seconds)

    def clear(self) -> None:
        """Tear off: forget every paper. Numbers go on."""
        self._roll.clear()
        with self._switching:
            self._changes += 1

    # The thread

    def _serve(self) -> None:
        while not self._stopping.is_set():
            connection = self._door.accept(TICK_SECONDS)
            if connection is None:
                continue
            # The paper is noted before the sender sees the end: who drained the connection finds it there.
            with connection:
                received = Session(connection, self, self._fault_after_bytes, self._idle_seconds).run()
                if received.job:
                    self._roll.add(develop(self._roll.next_number(), received, datetime.now(UTC), self.dots))
                    with self._switching:
                        self._changes += 1
