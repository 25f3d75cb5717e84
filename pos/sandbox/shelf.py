"""The books as a JSON file: written whole beside the old one and put in its place: a kill leaves one or the other."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pos.sandbox.clock import moment, parse_moment
from pos.sandbox.records import Ledger, Movement, Order
from pos.sandbox.subscribers import Person, Subscriber

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def save(path: Path, books: DataclassInstance) -> None:
    """Replace the file. Not flushed to the platter: it survives a killed process, not a power cut."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(asdict(books), default=_plain, ensure_ascii=False), encoding="utf-8")
    beside.replace(path)


def read(path: Path) -> dict[str, Any] | None:
    """What the file holds, or None where there is none yet. A file that is not ours raises: nothing is overwritten."""
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def load(path: Path) -> Ledger | None:
    """The ledger of the carrier's own books, or None where there is no file yet."""
    raw = read(path)
    if raw is None:
        return None
    return Ledger(
        opened_at=parse_moment(raw["opened_at"]),
        clock_offset_seconds=raw["clock_offset_seconds"],
        next_id=raw["next_id"],
        wallets=raw["wallets"],
        orders={key: Order(**moments(value)) for key, value in raw["orders"].items()},
        movements=[Movement(**moments(value)) for value in raw["movements"]],
        subscribers={key: _subscriber(value) for key, value in raw["subscribers"].items()},
    )


def _subscriber(raw: dict[str, Any]) -> Subscriber:
    person = Person(**raw["person"]) if raw["person"] else None
    return Subscriber(**(moments(raw) | {"person": person}))


def moments(raw: dict[str, Any]) -> dict[str, Any]:
    """Every member whose name ends in ``at`` is a moment or null; that is the rule for names in the books."""
    return {key: parse_moment(value) if value and (key == "at" or key.endswith("_at")) else value for key, value in raw.items()}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    raise TypeError(f"the books hold no {type(value).__name__}")
