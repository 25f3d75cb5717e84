"""Lives are tables: drawn, without faults, and with one writer. Money and commits have one place too."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

import pos.domain
from pos.domain.lives import ForbiddenMove, Life
from pos.domain.renewals import FINAL, UNFINISHED, RenewalState
from pos.domain.sales import SALE, SaleState
from pos.store import renewals
from tools import draw_lives

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.relative_to(ROOT).as_posix(): path for package in ("pos", "receipts") for path in (ROOT / package).rglob("*.py")}
LIVES = [life for life, _ in draw_lives.LIVES]


def found_in_the_domain() -> set[int]:
    """Every Life that any module of the domain defines."""
    modules = [importlib.import_module(f"pos.domain.{module.name}") for module in pkgutil.iter_modules(pos.domain.__path__)]
    return {id(thing) for module in modules for thing in vars(module).values() if isinstance(thing, Life)}


def states_of(life: Life[Any]) -> type[StrEnum]:
    return type(next(iter(life.begins)))


def lines_with(pattern: str, *, but: tuple[str, ...] = (), within: str = "") -> list[str]:
    """``file:line: text`` for each line of our code that matches, comments left out."""
    found = []
    for name, path in SOURCES.items():
        if name not in but and name.startswith(within):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if re.search(pattern, line.split("  #")[0]) and not line.lstrip().startswith("#"):
                    found.append(f"{name}:{number}: {line.strip()}")
    return found


def test_every_life_is_drawn() -> None:
    assert found_in_the_domain() == {id(life) for life in LIVES}, "add the new life to LIVES in tools/draw_lives.py"


def test_the_drawing_equals_the_tables() -> None:
    assert draw_lives.FILE.read_text(encoding="utf-8") == draw_lives.drawn(), "run python tools/draw_lives.py and commit the file"


def test_the_drawing_can_be_checked_from_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "draw_lives.py"), "--check"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_a_table_has_no_fault(life: Life[Any]) -> None:
    assert life.faults() == []


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_every_state_stands_in_its_table(life: Life[Any]) -> None:
    known = {state for pair in life.moves for state in pair} | life.begins
    assert set(states_of(life)) == known, "a state that no move knows can never be left or reached"


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_every_state_is_used_outside_its_table(life: Life[Any]) -> None:
    """A state that no service enters, leaves or asks about is a promise that nobody keeps."""
    states = states_of(life)
    used = set()
    for name, path in SOURCES.items():
        if name.startswith(("pos/services/", "pos/store/", "pos/web/")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == states.__name__:
                    used.add(node.attr)
    assert {state.name for state in states} - used == set()


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_every_sentence_is_one(life: Life[Any]) -> None:
    for sentence in life.moves.values():
        assert re.fullmatch(r"[a-z].*[a-z0-9]", sentence) and "|" not in sentence, sentence


def test_a_move_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(ForbiddenMove, match="sale: paid -> draft is no move of the table"):
        SALE.sentence(SaleState.PAID, SaleState.DRAFT)


def test_faults_of_a_table_are_named() -> None:
    class Light(StrEnum):
        RED = "red"
        GREEN = "green"
        BLUE = "blue"
        DARK = "dark"

    moves = {(Light.RED, Light.GREEN): "go", (Light.GREEN, Light.RED): "stop", (Light.BLUE, Light.DARK): "off"}
    life = Life(noun="light", begins=frozenset({Light.RED}), moves=moves, ends=frozenset({Light.GREEN}))
    assert life.faults() == [
        "light: dark is a dead end without a name",
        "light: green is an end but has a way out",
        "light: nothing leads to blue",
        "light: nothing leads to dark",
    ]


# ------------------------------------------------------------------ one place for each


def test_a_state_has_one_writer() -> None:
    found = lines_with(r"\.state\s*(?::[^=]+)?=(?!=)|setattr\([^)]*[\"']state[\"']", but=("pos/store/life.py",), within="pos/")
    found = [line for line in found if not line.startswith("pos/sandbox/")]
    assert found == [], (
        "only pos/store/life.py writes .state: elsewhere a move would have no line in its table and no journal row"
    )


def test_a_state_is_not_given_to_a_new_row() -> None:
    """``Sale(state=...)`` would be a beginning that no table allowed and no journal row tells."""
    rows = ("Sale", "Renewal", "Payment", "Refund", "PrintJob", "Shift")
    found = []
    for name, path in SOURCES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            word = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            if isinstance(node, ast.Call) and word in rows and any(given.arg == "state" for given in node.keywords):
                found.append(f"{name}:{node.lineno}")
    assert found == [], "use pos.store.life.begin"


def test_there_is_one_commit() -> None:
    found = lines_with(r"\.commit\(\)")
    assert [line.split(":")[0] for line in found] == ["pos/store/db.py"], (
        f"only the transaction of pos/store/db.py commits: a second commit makes half of a sale true. Found: {found}"
    )


def test_money_is_never_a_fraction() -> None:
    found = lines_with(r"\bfloat\(|[*/] ?100\b|\bround\(", within="pos/", but=("pos/domain/money.py",))
    # A tax rate is no amount, and the simulator shares nothing with us on purpose.
    found = [line for line in found if "basis_points" not in line and not line.startswith("pos/sandbox/")]
    assert found == [], "amounts are whole minor units: turn text into Money in pos/domain/money.py and nowhere else"


def test_paper_knows_no_amounts() -> None:
    assert lines_with(r"\bprice|Decimal|_minor\b", within="receipts/") == [], (
        "receipts draw the text they are given and never count"
    )


def test_the_index_of_what_is_not_over_holds_whatever_is_asked_for() -> None:
    """A state that is missing there would disappear from the worker, the unfinished list and the strip."""
    indexed = set(re.findall(r"'(\w+)'", renewals._OPEN))
    assert {state.value for state in {*UNFINISHED, *renewals.WAITING}} <= indexed
    assert indexed <= {state.value for state in RenewalState} - {state.value for state in FINAL}
