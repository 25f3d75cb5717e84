"""What a proof says when it is over: plain figures, and one sentence for each failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Say = Callable[[str], None]


@dataclass
class Result:
    """``rounds`` as asked for, ``counts`` what was done (sales, kills, debits ...), ``failures`` one sentence each, with the
    seed that replays it. ``must_be`` is the promise in words."""

    name: str
    must_be: str
    seed: int
    rounds: int
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, what: str, how_many: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + how_many
