"""python -m tests.harness [--size commit|tenth|full] [--only NAME ...] [--seed N] [--rounds N] [--json FILE]

Runs the proofs one after the other, prints what was counted and ends with 1 when one of them failed. Ctrl-C stops after the
proof in hand; what was already proven is printed."""

from __future__ import annotations

import argparse
import importlib
import json
import secrets
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.harness.result import Result

# Each module has SIZES (rounds for each size), and run(rounds, seed, say) -> Result.
PROOFS: tuple[str, ...] = (
    "crash_points",
    "races",
    "tampering",
    "fault_matrix",
    "vendor_matrix",
    "store_days",
    "state_machine",
    "api_fuzz",
    "paper",
    "paper_delay",
    "planted",
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py prove", description=__doc__)
    parser.add_argument("--size", choices=("commit", "tenth", "full"), default="commit")
    parser.add_argument("--only", nargs="*", choices=PROOFS, default=None, metavar="NAME", help=", ".join(PROOFS))
    parser.add_argument("--seed", type=int, default=None, help="replays a run; without it a new one is drawn and printed")
    parser.add_argument("--rounds", type=int, default=None, help="instead of what the size says")
    parser.add_argument("--json", type=Path, default=None, help="writes the figures to this file as well")
    chosen = parser.parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else secrets.randbelow(2**31)
    print(f"size {chosen.size}, seed {seed}", flush=True)
    results: list[Result] = []
    for name in chosen.only or PROOFS:
        try:
            results.append(_run(name, chosen.size, chosen.rounds, seed))
        except KeyboardInterrupt:
            print(f"{name}: stopped by hand", flush=True)
            break
    _table(results)
    if chosen.json is not None:
        told = {"size": chosen.size, "seed": seed, "proofs": [asdict(result) for result in results]}
        chosen.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 1 if any(result.failures for result in results) else 0


def _run(name: str, size: str, rounds: int | None, seed: int) -> Result:
    module = importlib.import_module(f"tests.harness.{name}")
    begun = time.monotonic()

    def say(words: str) -> None:
        print(f"{name} {time.monotonic() - begun:7.0f} s  {words}", flush=True)

    result: Result = module.run(module.SIZES[size] if rounds is None else rounds, seed, say)
    result.seconds = round(time.monotonic() - begun, 1)
    for failure in result.failures:
        say(f"FAILED: {failure}")
    return result


def _table(results: list[Result]) -> None:
    print(f"\n{'proof':16} {'rounds':>7} {'failed':>6} {'seconds':>8}  counted; must be")
    for result in results:
        counted = ", ".join(f"{number} {what}" for what, number in result.counts.items())
        print(
            f"{result.name:16} {result.rounds:>7} {len(result.failures):>6} {result.seconds:>8.0f}  {counted}; {result.must_be}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
