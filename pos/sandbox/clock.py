"""The carrier's own clock: real time plus an offset that tests and the control page may move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """UTC with zone, whole milliseconds: what the books write they read back unchanged."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        now = datetime.now(UTC) + self.offset
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def advance(self, seconds: float) -> datetime:
        """Move forward (or back, with a negative number) and say what time it is now."""
        self.offset += timedelta(seconds=seconds)
        return self.now()

    def reset(self) -> None:
        self.offset = timedelta(0)


def moment(value: datetime) -> str:
    """A moment as TM Forum files write it: RFC 3339, UTC, ``Z``; milliseconds, so that two debits keep their order."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """The reverse; a moment without a zone is refused: nobody knows whose midnight it means. Raises ValueError."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"a moment needs a zone: {text!r}")
    return value.astimezone(UTC)
