"""Imports go one way. The contracts stand in pyproject.toml, and a contract's name is its reason."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def broken_contracts(root: Path) -> tuple[list[str], str]:
    """The names of the contracts that a checkout breaks, and everything import-linter said."""
    done = subprocess.run([sys.executable, "-c", LINT], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    said = done.stdout + done.stderr
    broken = re.findall(r"^(.+) BROKEN$", said, flags=re.MULTILINE)
    assert done.returncode == (1 if broken else 0), said
    assert len(re.findall(r"^.+ (?:KEPT|BROKEN)$", said, flags=re.MULTILINE)) == len(CONTRACTS), said
    return broken, said


def test_every_import_goes_one_way() -> None:
    broken, said = broken_contracts(ROOT)
    assert broken == [], f"these contracts of pyproject.toml are broken: {broken}. Who imports what:\n{said}"


def test_every_module_has_its_place_in_the_layers() -> None:
    """A new module that no layer names could import anything; the simulator has a contract of its own."""
    layers = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
    placed = {name.strip() for layer in layers for name in layer.split(":")} | {"pos.sandbox", "pos.__init__"}
    found = {f"pos.{path.stem}" for path in (ROOT / "pos").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - placed == set(), "give these modules a place in the contract 'everything flows one way' of pyproject.toml"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code alone, to plant a wrong import in."""
    root = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in ("pos", "receipts"):
        shutil.copytree(
            ROOT / package, root / package, ignore=lambda _folder, names: [n for n in names if "." in n and n[-3:] != ".py"]
        )
    return root


@pytest.mark.parametrize(
    ("place", "line", "contract"),
    [
        ("pos/domain/money.py", "import pos.services.kit", "everything flows one way"),
        ("pos/services/words.py", "import flask", "services see neither web nor wire"),
        ("pos/web/status.py", "import sqlalchemy", "screens and API ask services, never rows"),
        ("pos/web/search.py", "from pos.store import sales as rows", "screens and API ask services, never rows"),
        ("pos/api/shifts.py", "from pos.store import shifts as rows", "screens and API ask services, never rows"),
        ("pos/api/numbers.py", "import pos.web.fields", "screens and API share services, not code"),
        ("pos/ports.py", "import pydantic", "the domain can be read to a shop manager"),
        ("receipts/text.py", "import pos.domain.money", "paper knows nothing of the shop"),
        ("pos/sandbox/books.py", "import pos.domain.money", "the simulator shares no mistake with us"),
        ("pos/services/sales.py", "import pos.config", "everything flows one way"),
    ],
)
def test_a_planted_import_is_caught(copy: Path, place: str, line: str, contract: str) -> None:
    file = copy / place
    before = file.read_text(encoding="utf-8")
    file.write_text(before + f"\n{line}\n", encoding="utf-8")
    try:
        broken, _ = broken_contracts(copy)
    finally:
        file.write_text(before, encoding="utf-8")
    assert contract in broken
