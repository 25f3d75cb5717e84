#!/usr/bin/env python3
"""The figures at the head of docs/asvs.md, counted from its rows.

python tools/asvs.py            write them
python tools/asvs.py --check    write nothing; say whether they are out of date"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).resolve().parent.parent / "docs" / "asvs.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| ([YCN]) \| (.*) \|$", re.MULTILINE)
FIGURES = re.compile(r"<!-- figures -->.*?(?=\nWe say)", re.DOTALL)


class Row(NamedTuple):
    id: str
    level: str
    requirement: str
    applies: str
    evidence: str

    @property
    def is_gap(self) -> bool:
        return self.evidence.startswith("GAP:")


def rows(page: str) -> list[Row]:
    return [Row(*found) for found in ROW.findall(page)]


def figures(found: list[Row]) -> str:
    """The table of the levels and the gaps by their ids."""
    lines = ["<!-- figures -->", "", "| | rows | apply | with evidence | gaps | share |", "|---|---|---|---|---|---|"]
    for name, levels in (("level 1", "1"), ("level 2", "2"), ("both", "12")):
        chosen = [row for row in found if row.level in levels]
        apply = [row for row in chosen if row.applies != "N"]
        gaps = sum(row.is_gap for row in apply)
        share = f"{100 * (len(apply) - gaps) / len(apply):.0f} %"
        lines.append(f"| {name} | {len(chosen)} | {len(apply)} | {len(apply) - gaps} | {gaps} | {share} |")
    for level in "12":
        ids = [row.id for row in found if row.level == level and row.is_gap]
        lines += ["", f"Gaps of level {level}: {', '.join(ids) or 'none'}."]
    return "\n".join([*lines, ""])


def written(page: str) -> str:
    return FIGURES.sub(lambda _: figures(rows(page)), page, count=1)


def main() -> int:
    page = FILE.read_text(encoding="utf-8")
    new = written(page)
    if "--check" in sys.argv:
        print("docs/asvs.md is up to date" if new == page else "docs/asvs.md is out of date: run python tools/asvs.py")
        return int(new != page)
    FILE.write_text(new, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
