"""The real clock."""

from __future__ import annotations

from datetime import UTC, datetime


class RealClock:
    def now(self) -> datetime:
        """The moment, UTC."""
        return datetime.now(UTC)
