"""The list of faults to plant: what a tired programmer might write, and who must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """``old`` stands exactly once in ``file`` and becomes ``new``; ``tests`` are the pytest ids that should fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


PLANTS: tuple[Plant, ...] = ()
