"""Serves a small WSGI page from a thread, and stops when told; for the demo's own pages."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from flask import Flask
from waitress.server import create_server

from pos.sandbox.printer_door import first_free

THREADS = 4
STOP_SECONDS = 5.0


class PageServer:
    """waitress on the first free port from ``port`` on (0: any); ``port`` says which. A context manager."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self.host = host
        self._sockets: dict[int, Any] = {}  # what waitress listens to, by file number; ours, to close it all at the end
        door = first_free(host, port)
        self.port = int(door.getsockname()[1])
        self._server = create_server(app, map=self._sockets, sockets=[door], threads=THREADS, ident=None)
        self._thread = threading.Thread(target=self._server.run, name="paper page", daemon=True)

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Close every connection, the browsers' idle ones too; waitress's loop ends when it has none left."""
        self._server.trigger.pull_trigger(self._close_all)
        self._thread.join(STOP_SECONDS)
        self._server.task_dispatcher.shutdown()

    def _close_all(self) -> None:
        """Runs in waitress's own thread: its sockets may not be closed from another."""
        for listener in list(self._sockets.values()):
            listener.close()
