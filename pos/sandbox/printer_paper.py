"""The papers that came out of the virtual printer, and the roll that keeps the last of them."""

from __future__ import annotations

import io
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from pos.sandbox.escpos_reader import Job, Refusal, read
from pos.sandbox.printer_session import Received

KEPT_PAPERS = 200
KEPT_BYTES = 64_000_000


@dataclass(frozen=True)
class Paper:
    """One job. ``number`` counts from 1 and never comes twice; ``received_at`` is UTC, when the connection ended.

    ``data`` the job as received, without status requests; ``png`` what came out, or None where no paper did (a drawer
    pulse, a job that was never printed), ``width`` and ``height`` its dots; ``complete`` the sender ended in good order
    and all of it was printed; ``error`` what went wrong in the printer or is wrong with the bytes, and ``error_offset``
    where in ``data``."""

    number: int
    received_at: datetime
    data: bytes
    png: bytes | None
    width: int
    height: int
    drawer: bool
    cut: bool
    complete: bool
    error: str | None = None
    error_offset: int | None = None


def develop(number: int, received: Received, received_at: datetime, dots: int) -> Paper:
    """Make the paper of what one connection left; what the strict reader refuses comes out up to there."""
    _whole, refusal = _read(received.job)
    shown, _cut_short = _read(received.printed)
    png, width, height = _picture(shown, dots)
    troubles = [text for text in (received.trouble, str(refusal) if refusal else None) if text]
    return Paper(
        number=number,
        received_at=received_at,
        data=received.job,
        png=png,
        width=width,
        height=height,
        drawer=received.drawer,
        cut=bool(shown.cuts),
        complete=received.complete,
        error="; ".join(troubles) or None,
        error_offset=refusal.offset if refusal else None,
    )


def _read(data: bytes) -> tuple[Job, Refusal | None]:
    try:
        return read(data), None
    except Refusal as refusal:
        return refusal.before, refusal


def _picture(job: Job, dots: int) -> tuple[bytes | None, int, int]:
    """PNG, width and height in dots."""
    if not job.on_paper:
        return None, 0, 0
    image, file = job.image(dots), io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), image.width, image.height


class Roll:
    """Keeps the last papers, oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._papers: deque[Paper] = deque()
        self._last_number = 0

    def next_number(self) -> int:
        with self._changed:
            self._last_number += 1
            return self._last_number

    def add(self, paper: Paper) -> None:
        with self._changed:
            self._papers.append(paper)
            while len(self._papers) > KEPT_PAPERS or (len(self._papers) > 1 and self._bytes() > KEPT_BYTES):
                self._papers.popleft()
            self._changed.notify_all()

    def _bytes(self) -> int:
        return sum(len(paper.data) + len(paper.png or b"") for paper in self._papers)

    def papers(self) -> list[Paper]:
        with self._changed:
            return list(self._papers)

    def clear(self) -> None:
        with self._changed:
            self._papers.clear()

    def wait_for(self, count: int, timeout_seconds: float) -> list[Paper]:
        """All papers, as soon as there are ``count``. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._papers) >= count, timeout_seconds):
                raise TimeoutError(f"{len(self._papers)} of {count} papers after {timeout_seconds} s")
            return list(self._papers)
