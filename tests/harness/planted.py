"""Planted faults: the program is broken on purpose, one line at a time, and the tests must notice (renewal protocol 8).

Each fault is a replacement of text in a copy of the checkout. It counts as caught when at least two of the named tests fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.harness.faults_to_plant import PLANTS, Plant
from tests.harness.result import Result, Say

SIZES = {"commit": len(PLANTS), "tenth": len(PLANTS), "full": len(PLANTS)}
MUST_BE = "each caught by two tests or more"
ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", "node_modules")
_WATCHERS = 2
_PATIENCE_SECONDS = 300


def run(rounds: int, seed: int, say: Say) -> Result:
    """The first ``rounds`` faults of the list; the seed changes nothing here."""
    result = Result("planted", MUST_BE, seed, rounds)
    for plant in PLANTS[:rounds]:
        caught = caught_by(plant)
        result.count("planted")
        if len(caught) >= _WATCHERS:
            result.count("caught")
        else:
            result.failures.append(f"{plant.name}: only {sorted(caught) or 'nobody'} noticed")
        say(f"{plant.name}: {len(caught)} of {len(plant.tests)} tests noticed")
    return result


def caught_by(plant: Plant) -> set[str]:
    """The named tests that fail once the fault is in. Raises ValueError when the line to break is not there exactly once."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT, copy_function=_link)
        broken = copy / plant.file
        source = broken.read_text(encoding="utf-8")
        if source.count(plant.old) != 1:
            raise ValueError(
                f"{plant.name}: its line stands {source.count(plant.old)} times in {plant.file}; write the plant anew"
            )
        broken.unlink()  # a link: the checkout keeps its own
        broken.write_text(source.replace(plant.old, plant.new), encoding="utf-8")
        return _failing(copy, plant.tests)


def _link(source: str, target: str) -> str:
    """Tests read most files and change none; a copy costs only where links are refused."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _failing(copy: Path, tests: tuple[str, ...]) -> set[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "--tb=no", "-rfE", "-p", "no:cacheprovider", "-p", "no:randomly"]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, *tests],
        cwd=copy,
        env=surroundings | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the tests could not be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    # A test with many examples is one test.
    return set(re.findall(r"^(?:FAILED|ERROR) ([^\s\[]+)", done.stdout, flags=re.MULTILINE))
