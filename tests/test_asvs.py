"""docs/asvs.md says nothing that is not there: every row once, every file and every test that it names, figures that add up."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tools.asvs import FILE, Row, rows, written

ROOT = Path(__file__).parent.parent
PAGE = FILE.read_text(encoding="utf-8")
ROWS = rows(PAGE)
# A file of the project, with the test in it where one is named.
NAMED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|lock|js|json))(?:::(\w+))?`")


@cache
def functions(file: Path) -> frozenset[str]:
    return frozenset(
        node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    )


def test_every_row_of_the_checklist_is_there_once() -> None:
    ids = [row.id for row in ROWS]
    assert len(ids) == len(set(ids)) == 190
    assert sum(row.level == "1" for row in ROWS) == 59
    assert ids == sorted(ids, key=lambda name: tuple(int(part) for part in name.split(".")))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_a_row_names_exists(row: Row) -> None:
    named = NAMED.findall(row.evidence)
    for file, test in named:
        assert (ROOT / file).is_file(), file
        assert not test or (test.startswith("test_") and test in functions(ROOT / file)), f"{file}::{test}"
    if row.applies == "N" or row.is_gap:
        assert len(row.evidence) > 6, "a reason"
    else:
        assert named, "a sentence without a pointer is no evidence"


def test_the_figures_are_those_of_the_rows() -> None:
    assert written(PAGE) == PAGE, "run python tools/asvs.py"


def test_no_pointer_is_written_so_that_nobody_follows_it() -> None:
    """A mark-up of code that looks like a file but is none of ours would never be looked at."""
    for row in ROWS:
        for code in re.findall(r"`([^`]+)`", row.evidence):
            assert NAMED.fullmatch(f"`{code}`") or not re.search(r"tests/|::|\.py", code), (row.id, code)
