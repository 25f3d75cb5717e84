"""python -m bench: one run, one table, and JSON beside it. Ratios are what to read; absolute figures belong to the machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.measures import PARTS
from bench.shops import ENGINES, durable, open_shop


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--sales", type=int, default=100, help="sales in each measurement")
    parser.add_argument("--history", type=int, nargs="+", default=[1_000, 20_000], help="how many sales lie behind")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"))
    options = parser.parse_args()
    found: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "command": "python3 dev.py bench " + " ".join(sys.argv[1:]),
        "python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {_load()}",
    }
    show(found, 0)
    for engine in options.engines:
        with open_shop(engine) as shop:
            about: dict[str, object] = {"durability": durable(shop)}
        found[engine] = about
        print(f"\n{engine}", flush=True)
        show(about, 1)
        for name in options.only:
            about[name] = PARTS[name](engine, options.sales, tuple(sorted(options.history)))
            show({name: about[name]}, 1)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {options.json}")
    return 0


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def show(found: object, depth: int) -> None:
    """Nested figures as indented lines; a leaf table of times stands on one line."""
    if not isinstance(found, dict):
        return
    for name, value in found.items():
        if isinstance(value, dict) and not set(value) <= {"median", "p95", "p99", "max"}:
            print(f"{'  ' * depth}{name}", flush=True)
            show(value, depth + 1)
        else:
            shown = "  ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"{'  ' * depth}{name:<58}{shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
