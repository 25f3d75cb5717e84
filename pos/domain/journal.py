"""The journal: each entry seals the one before. Tamper-evident and self-checked; no claim beyond that."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

_VERSION = b"\x01"
_LABEL = b"simcounter journal"
GENESIS = "0" * 64
# The kind of the row with which a chain goes on after its books were brought back from a backup.
EPOCH = "epoch.begun"


@dataclass(frozen=True)
class Entry:
    """One row as it is sealed. ``content`` is canonical JSON without personal data; ``at`` UTC, microseconds."""

    chain: str
    seq: int
    at: datetime
    business_day: date
    kind: str
    actor: str
    object_kind: str
    object_id: str
    content: str
    key_id: str
    prev_mac: str


def canonical(content: Mapping[str, object]) -> str:
    """Sorted JSON in NFC without spaces. Numbers are whole; a float raises TypeError, because it has two spellings."""
    _refuse_floats(content)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return unicodedata.normalize("NFC", text)


def message(entry: Entry) -> bytes:
    """The canonical bytes of a row: a version byte, a label, and every column with its length in front."""
    parts = [
        entry.chain,
        str(entry.seq),
        entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        entry.business_day.isoformat(),
        entry.kind,
        entry.actor,
        entry.object_kind,
        entry.object_id,
        entry.content,
        entry.key_id,
        entry.prev_mac,
    ]
    raws = (part.encode() for part in parts)
    return _VERSION + _LABEL + b"".join(len(raw).to_bytes(4, "big") + raw for raw in raws)


def seal(entry: Entry, key: bytes) -> str:
    """HMAC-SHA-256 over the canonical bytes, in hexadecimal digits: for whoever holds the key."""
    return hmac.new(key, message(entry), hashlib.sha256).hexdigest()


def running_hash(before: str, entry: Entry) -> str:
    """SHA-256 over the hash so far and the canonical bytes: for everybody. Each Z quotes and signs it."""
    return hashlib.sha256(bytes.fromhex(before) + message(entry)).hexdigest()


def commitment(salt: bytes, personal: str) -> str:
    """Stands in a sealed row for personal data that may be erased later; without the salt it says nothing."""
    return hmac.new(salt, personal.encode(), hashlib.sha256).hexdigest()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a journal holds whole numbers")
    if isinstance(value, Mapping):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse_floats(inner)
