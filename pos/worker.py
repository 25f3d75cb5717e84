"""Takes what is due (send, ask again, print) and calls one service for each. A thread of the server, or a process of its own."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from flask import Flask

from pos.services import (
    card_refunds,
    hand_overs,
    holds,
    notifications,
    payments,
    plans,
    print_jobs,
    receipt_mails,
    renewals,
    retention,
    statements,
    status,
)
from pos.services.kit import Kit

log = structlog.get_logger()

_IDLE = 0.5
_NOBODY = "no worker has this name"
_PRESSES = 8
_RECOVER_EVERY = timedelta(seconds=10)
_ASK_CARRIERS_EVERY = timedelta(seconds=20)
_READ_STATEMENTS_EVERY = timedelta(minutes=15)
_PURGE_EVERY = timedelta(days=1)

# Puts one sheet on paper and says what is known: (result, reason, near end). Given by app.py, which knows the printers.
Press = Callable[[print_jobs.Sheet, Callable[[], bool]], tuple[str, str | None, bool]]

# Hands one letter to the mail server and says what it said: (result, reason). Given by the command line, which knows the account.
Post = Callable[[receipt_mails.Letter], tuple[str, str | None]]


class Worker:
    """Several carrier threads, one printing thread, one for housekeeping. ``stop`` waits for what is in hand; what it leaves
    behind is found by the next worker, because every promise is a row."""

    def __init__(self, app: Flask, kit: Kit, press: Press, name: str, threads: int, post: Post | None = None) -> None:
        self._app, self._kit, self._press, self._post = app, kit, press, post
        self._prefix = f"{name}#"
        self.owner = f"{self._prefix}{secrets.token_hex(6)}"
        self._stopping = threading.Event()
        jobs: list[Callable[[], bool]] = [*[self._send] * threads, self._print, self._keep_house]
        jobs += [self._write] if post is not None else []
        self._wakes = [threading.Event() for _ in jobs]
        self._threads = [
            threading.Thread(target=self._loop, args=(job, wake), name=f"worker-{number}", daemon=True)
            for number, (job, wake) in enumerate(zip(jobs, self._wakes, strict=True))
        ]
        # One sheet at a time for each printer (the lease sees to it), several printers at once: a mute one holds nobody up.
        self._presses = ThreadPoolExecutor(max_workers=_PRESSES, thread_name_prefix="press")
        # A catalogue may have ten thousand pages; nothing else waits for it.
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalogue")
        self._ring = threading.Thread(target=self._hear_bell, name="worker-bell", daemon=True)
        self._recovered_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._read_at: datetime | None = None
        self._purged_at: datetime | None = None
        self._unsettled = False

    def start(self) -> None:
        """Own what an earlier life of this worker left in doubt, then begin."""
        with self._app.app_context():
            orphans = renewals.recover(self._prefix, kit=self._kit)
            print_jobs.recover(self._prefix, kit=self._kit)
            receipt_mails.recover(self._prefix, kit=self._kit)
        if orphans:
            log.warning("worker.recovered", renewals=orphans)
        for thread in (*self._threads, self._ring):
            thread.start()

    def stop(self, patience_seconds: float = 4.0) -> None:
        """Ask all threads to end and wait for them at most this long in all."""
        self._stopping.set()
        self._kit.bell.set()
        for wake in self._wakes:
            wake.set()
        end = time.monotonic() + patience_seconds
        for thread in (*self._threads, self._ring):
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))
        self._presses.shutdown(wait=False, cancel_futures=True)
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _hear_bell(self) -> None:
        while not self._stopping.is_set():
            self._kit.bell.wait()
            self._kit.bell.clear()
            for wake in self._wakes:
                wake.set()

    def _loop(self, job: Callable[[], bool], wake: threading.Event) -> None:
        while not self._stopping.is_set():
            busy = False
            try:
                with self._app.app_context():
                    busy = job()
            except Exception:
                log.exception("worker.fault", job=getattr(job, "__name__", "job"))
                self._stopping.wait(1.0)
            if not busy:
                wake.wait(_IDLE)
                wake.clear()

    def _send(self) -> bool:
        return renewals.work_once(self.owner, kit=self._kit) or hand_overs.ask_once(kit=self._kit)

    def _print(self) -> bool:
        busy = False
        for printer_id in print_jobs.printers_due(kit=self._kit):
            sheet = print_jobs.take_next(printer_id, self.owner, kit=self._kit)
            if sheet is not None:
                busy = True
                self._presses.submit(self._put_on_paper, sheet)
        return busy

    def _put_on_paper(self, sheet: print_jobs.Sheet) -> None:
        def about_to_send() -> bool:
            with self._app.app_context():
                return print_jobs.about_to_send(sheet, kit=self._kit)

        try:
            result, reason, near_end = self._press(sheet, about_to_send)
            with self._app.app_context():
                print_jobs.record(sheet, result, reason, near_end, kit=self._kit)
        except Exception:
            log.exception("worker.fault", job="press")
        self._kit.bell.set()

    def _read_catalogues(self) -> None:
        try:
            with self._app.app_context():
                plans.refresh(kit=self._kit)
        except Exception:
            log.exception("worker.fault", job="catalogue")

    def _write(self) -> bool:
        letter = receipt_mails.take_next(self.owner, kit=self._kit)
        if letter is None or self._post is None:
            return False
        result, reason = self._post(letter)
        receipt_mails.record(letter, result, reason, kit=self._kit)
        return True

    def _keep_house(self) -> bool:
        now = self._kit.now()
        if self._recovered_at is None or now - self._recovered_at > _RECOVER_EVERY:
            self._recovered_at = now
            renewals.recover(_NOBODY, kit=self._kit)
            print_jobs.recover(_NOBODY, kit=self._kit)
            receipt_mails.recover(_NOBODY, kit=self._kit)
            payments.mark_silent_terminals(kit=self._kit)
            card_refunds.mark_silent_refunds(kit=self._kit)
            notifications.ask_about_the_settled(kit=self._kit)
            holds.release(kit=self._kit)
            if self._kit.reserve is not None and self._kit.reserve.is_spent and self._kit.reserve.hold():
                log.warning("worker.reserve_held_again")
        if self._asked_at is None or now - self._asked_at > _ASK_CARRIERS_EVERY:
            self._asked_at = now
            with contextlib.suppress(NotImplementedError):
                status.ask_carriers(kit=self._kit)
        if self._read_at is None or now - self._read_at > _READ_STATEMENTS_EVERY:
            self._read_at = now
            for silent in statements.resolve_by_day(kit=self._kit):
                log.warning("worker.statement", carrier=silent)
            self._reader.submit(self._read_catalogues)
        if self._purged_at is None or now - self._purged_at > _PURGE_EVERY:
            self._purged_at = now
            gone = retention.purge(kit=self._kit, thorough=self._unsettled)
            self._unsettled = not gone.settled
            if gone.left:
                log.error("worker.purge", left=gone.left)
        return False
