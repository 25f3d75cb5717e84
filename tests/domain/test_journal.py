"""The seal of the journal, against vectors anybody can check and against a second program written from docs/journal.md."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.journal import GENESIS, Entry, canonical, commitment, seal

PAGE = Path(__file__).resolve().parents[2] / "docs" / "journal.md"
VECTORS = json.loads(re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)[1])  # type: ignore[index]
KEY = bytes.fromhex(VECTORS["key"])


def entry_of(row: dict[str, Any]) -> Entry:
    told = {name: row[name] for name in ("chain", "seq", "kind", "actor", "object_kind", "object_id", "key_id", "prev_mac")}
    day = date.fromisoformat(row["business_day"])
    return Entry(**told, at=datetime.fromisoformat(row["at"]), business_day=day, content=canonical(row["content"]))


def sealed_by_the_page(row: dict[str, Any]) -> str:
    """The seal as docs/journal.md describes it, without a line of the program."""
    at = datetime.fromisoformat(row["at"]).astimezone(UTC)
    texts = [row["chain"], f"{row['seq']}", at.isoformat(timespec="microseconds").replace("+00:00", "Z"), row["business_day"]]
    texts += [row["kind"], row["actor"], row["object_kind"], row["object_id"], row["canonical"], row["key_id"], row["prev_mac"]]
    message = bytes([1]) + b"simcounter journal"
    for text in texts:
        message += len(text.encode("utf-8")).to_bytes(4, "big") + text.encode("utf-8")
    return hmac.new(bytes.fromhex(VECTORS["key"]), message, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("row", VECTORS["rows"], ids=lambda row: str(row["seq"]))
def test_the_published_vectors(row: dict[str, Any]) -> None:
    assert canonical(row["content"]) == row["canonical"]
    assert sealed_by_the_page(row) == row["mac"]
    assert seal(entry_of(row), KEY) == row["mac"]


def test_the_vectors_are_a_chain() -> None:
    first, second = VECTORS["rows"]
    assert first["prev_mac"] == GENESIS
    assert second["prev_mac"] == first["mac"]


def test_the_page_names_every_field_in_order() -> None:
    named = re.findall(r"^\| \d+ \| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert named == [field.name for field in fields(Entry)]


FIRST = entry_of(VECTORS["rows"][0])


@pytest.mark.parametrize("field", [field.name for field in fields(Entry)])
def test_every_field_is_under_the_seal(field: str) -> None:
    was = getattr(FIRST, field)
    other = {int: lambda: was + 1, str: lambda: was + "x", datetime: lambda: was + timedelta(microseconds=1)}
    changed = other[type(was)]() if type(was) in other else was + timedelta(days=1)
    assert seal(replace(FIRST, **{field: changed}), KEY) != seal(FIRST, KEY)


def test_moving_a_letter_to_the_next_field_shows() -> None:
    moved = replace(FIRST, kind=FIRST.kind[:-1], actor=FIRST.kind[-1] + FIRST.actor)
    assert seal(moved, KEY) != seal(FIRST, KEY)


def test_another_key_gives_another_seal() -> None:
    assert seal(FIRST, KEY[::-1]) != seal(FIRST, KEY)


def test_the_same_moment_in_another_zone_has_the_same_seal() -> None:
    from zoneinfo import ZoneInfo

    assert seal(replace(FIRST, at=FIRST.at.astimezone(ZoneInfo("Asia/Hong_Kong"))), KEY) == seal(FIRST, KEY)


@pytest.mark.parametrize("wrong", [{"a": 1.0}, {"a": [1, {"b": 2.5}]}, {"a": {"b": (0.1,)}}, {"a": float("nan")}])
def test_a_number_with_a_point_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        canonical(wrong)


@given(st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=20), max_size=6))
def test_the_order_of_members_does_not_matter(content: dict[str, object]) -> None:
    assert canonical(content) == canonical(dict(reversed(content.items())))


def test_a_commitment_says_nothing_without_its_salt() -> None:
    assert commitment(b"a" * 16, "+447700900123") != commitment(b"b" * 16, "+447700900123")
    assert commitment(b"a" * 16, "+447700900123") == commitment(b"a" * 16, "+447700900123")
