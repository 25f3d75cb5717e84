"""Everything one simulated carrier consists of, in one place for its doors."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from pos.sandbox.books import Books
from pos.sandbox.clock import Clock
from pos.sandbox.faults import Faults
from pos.sandbox.settings import Settings, Switches
from pos.sandbox.tokens import Tokens
from pos.sandbox.vendors import open_all
from pos.sandbox.wire import Dropped


class Carrier:
    """The parts a door needs. ``state`` is the file of the books, or None for books in memory only; ``clock`` another one
    than real time with an offset."""

    def __init__(self, settings: Settings | None = None, state: Path | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.switches = Switches()
        self.clock = clock or Clock()
        self.books = Books(self.clock, state)
        self.faults = Faults()
        self.tokens = Tokens(self.settings, self.clock)
        self.vendors = open_all(self.settings, self.clock, state)
        self.stopping = Event()

    def wait(self, seconds: float) -> None:
        """Wait in real time; a server that is being stopped drops the connection instead. Raises Dropped."""
        if self.stopping.wait(seconds):
            raise Dropped
