"""Notifications to the shop: sent from a thread of their own, tried again a few times, and remembered for the tests."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from threading import Event, Lock, Thread

_TRIES, _PAUSE_SECONDS, _PATIENCE_SECONDS = 3, 0.5, 5.0


class Callbacks:
    """``sent`` lists (address, HTTP status, or the name of the fault) in the order of the tries."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int | str]] = []
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._stopping = Event()

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        thread = Thread(target=self._send, args=(url, body, dict(headers)), name="callback")
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def stop(self) -> None:
        """Wait for what is under way and try nothing again."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._stopping.clear()

    def wait(self) -> None:
        """Until everything that was to be sent is sent or given up."""
        for thread in list(self._threads):
            thread.join()

    def _send(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        for _ in range(_TRIES):
            heard = _post(url, body, headers)
            with self._lock:
                self.sent.append((url, heard))
            if isinstance(heard, int) and 200 <= heard < 300:
                return
            if self._stopping.wait(_PAUSE_SECONDS):
                return


def _post(url: str, body: bytes, headers: dict[str, str]) -> int | str:
    """The status, or the class of the fault."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} | headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310  # an address of the tests' own
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException) as fault:
        return type(fault).__name__
