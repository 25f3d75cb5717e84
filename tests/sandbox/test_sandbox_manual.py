"""docs/sandbox.md is what integrators build on: nothing may exist without being in it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from pos.sandbox.doors import DOORS
from pos.sandbox.faults import PLACES, TABLE
from pos.sandbox.refusals import CODES
from pos.sandbox.settings import PRICE_SHAPES, Settings, Switches
from pos.sandbox.subscribers import STORIES
from pos.sandbox.vendors import KINDS

MANUAL = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_the_magic_numbers_are_the_manuals() -> None:
    rows = re.findall(r"^\| 5(\d\d), 9\1 \| `(\w+)` \| (.+) \|$", MANUAL, re.MULTILINE)
    assert tuple(rows) == TABLE
    assert dict(re.findall(r"^\| 5(\d\d), 9\1 \| ([^`|]+) \|$", MANUAL, re.MULTILINE)) == STORIES


def test_no_digits_are_used_twice() -> None:
    digits = [row[0] for row in TABLE] + list(STORIES)
    assert len(set(digits)) == len(digits)


def test_every_code_switch_and_setting_is_explained() -> None:
    names = {field.name for field in (*fields(Switches), *fields(Settings))} - {"client_id", "client_secret"}
    switches = {switch for kind in KINDS.values() for switch in kind.switches}
    for name in (*CODES, *names, *PLACES, *PRICE_SHAPES, *switches):
        assert re.search(rf"\b{name}\b", MANUAL), f"{name} is not in docs/sandbox.md"


def test_every_door_is_in_a_table() -> None:
    for door in DOORS:
        path = door.path.pattern.replace("\\", "").removesuffix("/?").replace("/([^/]+)", "")
        assert path in ("/control.css",) or path in MANUAL, f"{path} is not in docs/sandbox.md"
