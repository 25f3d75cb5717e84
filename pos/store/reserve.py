"""Room that is kept for the day when the disk is full: a file beside the database that is deleted so that the shift can close."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

BYTES = 64 * 1024 * 1024
_PART = b"\0" * (1024 * 1024)


@dataclass
class Reserve:
    """Only where the database is a file of this machine. Nobody holds one before ``hold`` was called: a program that merely
    looks needs none. Not inside a transaction."""

    path: Path
    size: int = BYTES
    _wanted: bool = field(default=False, repr=False)

    @property
    def is_spent(self) -> bool:
        """Whether the room was given up, or could not be had: from now on only what was begun is finished."""
        return self._wanted and not self.path.exists()

    def hold(self) -> bool:
        """Take the room, where as much again stays free; True when it is held. Bytes are written, because a length alone takes
        no room."""
        self._wanted = True
        if self.path.exists():
            return True
        part = self.path.with_suffix(".part")
        try:
            if shutil.disk_usage(self.path.parent).free < 2 * self.size:
                return False
            with part.open("wb") as file:
                for _ in range(max(1, self.size // len(_PART))):
                    file.write(_PART)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            return False
        return True

    def let_go(self) -> bool:
        """Give the room back to the disk; True when there was some."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True


def beside(url: str) -> Reserve | None:
    """The reserve of a SQLite file; a database server has an owner of its own who looks after its disk."""
    name = url.removeprefix("sqlite:///").partition("?")[0]
    if not url.startswith("sqlite:///") or name in ("", ":memory:"):
        return None
    return Reserve(Path(name + ".reserve"))
