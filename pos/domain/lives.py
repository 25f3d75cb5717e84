"""What every life obeys: known moves, named ends, nothing unreachable. A life is a table, read aloud from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)


class ForbiddenMove(Exception):
    """A move that no table knows: a fault of ours, so it stops the transaction and is never shown as a sentence."""


@dataclass(frozen=True)
class Life(Generic[State]):
    """``moves`` maps (was, becomes) to the sentence of the audit; ``begins`` may stand in a new row; ``ends`` has no way out."""

    noun: str
    begins: frozenset[State]
    moves: Mapping[tuple[State, State], str]
    ends: frozenset[State]

    def sentence(self, was: State, becomes: State) -> str:
        """The audit's words for a move. Raises ForbiddenMove when the table has no such line."""
        try:
            return self.moves[(was, becomes)]
        except KeyError:
            raise ForbiddenMove(f"{self.noun}: {was} -> {becomes} is no move of the table") from None

    def faults(self) -> list[str]:
        """What is wrong with the table itself: dead ends without a name, named ends with a way out, states nobody reaches."""
        states = {state for pair in self.moves for state in pair} | self.begins
        leaving = {was for was, _ in self.moves}
        reached, front = set(self.begins), set(self.begins)
        while front:
            front = {to for was, to in self.moves if was in front} - reached
            reached |= front
        found = [f"{self.noun}: {s} is a dead end without a name" for s in states - leaving - self.ends]
        found += [f"{self.noun}: {s} is an end but has a way out" for s in self.ends & leaving]
        found += [f"{self.noun}: nothing leads to {s}" for s in states - reached]
        return sorted(found)
