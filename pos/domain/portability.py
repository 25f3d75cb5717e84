"""Whose SIM a number is, when several say that it is theirs: who says what, and which of them is nearer to the truth.

A number keeps its digits when it changes its operator, so the digits prove nothing and are not asked. What a carrier has on its
own books is nearest to the truth, above all a plan that runs; a directory of ported numbers may be days behind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a claim comes from, the nearest to the truth first."""

    RUNNING = "running"  # a plan runs on it, by the carrier's own books
    BOOKS = "books"  # the carrier's own books know it, and nothing runs on it
    DIRECTORY = "directory"  # looked up by a reseller who is sure of it


@dataclass(frozen=True)
class Claim:
    """``operator`` for people; ``carrier`` as configured, through whom it would be renewed."""

    carrier: str
    operator: str
    source: Source


# Words that operators put behind their name, and resellers too; the first word that is none of them is the name.
_NOT_A_NAME = frozenset({"the", "mobile", "telecom", "pin", "new"})


def same_operator(one: str, other: str) -> bool:
    """Whether two ways to write an operator mean one: ``Lyca`` and ``Lycamobile UK``."""
    here, there = _name(one), _name(other)
    return bool(here and there) and (here.startswith(there) or there.startswith(here))


def _name(operator: str) -> str:
    words = re.findall(r"\w+", operator.casefold())
    return next((word for word in words if word not in _NOT_A_NAME), "")


def disputed(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims, the nearest to the truth first, when they name different operators; nothing when they agree."""
    order = list(Source)
    ranked = sorted(claims, key=lambda claim: order.index(claim.source))
    is_one = all(same_operator(ranked[0].operator, claim.operator) for claim in ranked[1:])
    return () if is_one else tuple(ranked)
