#!/usr/bin/env python3
"""Draw every life of the shop into docs/lives.md, from the tables that the program itself obeys.

python tools/draw_lives.py            write the file anew
python tools/draw_lives.py --check    say whether it is up to date (exit status 1 when not)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pos.domain.holds import HOLD  # noqa: E402 - the checkout's own package, from wherever this is called
from pos.domain.lives import Life  # noqa: E402
from pos.domain.payments import PAYMENT  # noqa: E402
from pos.domain.print_jobs import PRINT_JOB  # noqa: E402
from pos.domain.receipt_mails import RECEIPT_MAIL  # noqa: E402
from pos.domain.refunds import REFUND  # noqa: E402
from pos.domain.renewals import RENEWAL  # noqa: E402
from pos.domain.sales import SALE  # noqa: E402
from pos.domain.settlements import OPEN_ITEM  # noqa: E402
from pos.domain.shifts import SHIFT  # noqa: E402
from pos.domain.verdicts import CONFLICT, VERDICT  # noqa: E402

FILE = ROOT / "docs" / "lives.md"

# In the order in which a customer meets them.
LIVES: tuple[tuple[Life[Any], str], ...] = (
    (SALE, "One customer visit at one till, and the life of its money."),
    (
        RENEWAL,
        "One line of a sale at the carrier. No answer is not a refusal: *unknown* is asked again, never sent again blindly.",
    ),
    (HOLD, "What a carrier sets aside before the customer pays, where it can; never confirmed, it delivers nothing."),
    (VERDICT, "What one person says became of a renewal that asking cannot decide, and the second person's answer."),
    (CONFLICT, "The carrier says *done* about a renewal that it refused, or that people were about to decide."),
    (PAYMENT, "One tender. Cash is taken at once; a card is first an intent, because the terminal is asked by a person."),
    (REFUND, "Money on its way back, never more than was paid."),
    (PRINT_JOB, "One slip or one pulse of the drawer. Paper never holds a sale back, and nothing is printed twice by itself."),
    (RECEIPT_MAIL, "One receipt by e-mail, with the customer's consent. Its address is forgotten with the last move."),
    (OPEN_ITEM, "What an acquirer, a bank or a carrier tells otherwise than our books. Only two people end one."),
    (SHIFT, "One drawer between opening and closing. A difference is data: it never forbids the close."),
)

HEAD = """# Lives

Whatever has a state in this shop has a life: a table of the moves that exist, each with the sentence that the journal's
reader is told. A move that is not in the table cannot be made (`pos/domain/lives.py`), and each move writes one row of
the journal in the same commit (`pos/store/life.py`).

This file is drawn by `python tools/draw_lives.py` from those tables; a test compares the two.
"""


def drawn() -> str:
    """The whole file."""
    return "\n".join([HEAD, *(_chapter(life, why) for life, why in LIVES)])


def _chapter(life: Life[Any], why: str) -> str:
    title = life.noun.replace("_", " ").capitalize()
    table = "\n".join(f"| {was} | {becomes} | {sentence} |" for (was, becomes), sentence in life.moves.items())
    diagram = "\n".join(f"    {line}" for line in _diagram(life))
    return (
        f"## {title}\n\n{why}\n\n"
        f"Begins as {_listed(life.begins)}; ends as {_listed(life.ends)}.\n\n"
        f"| was | becomes | because |\n| --- | --- | --- |\n{table}\n\n"
        f"```mermaid\nstateDiagram-v2\n{diagram}\n```\n"
    )


def _diagram(life: Life[Any]) -> Iterator[str]:
    yield from (f"[*] --> {state}" for state in sorted(life.begins))
    yield from (f"{was} --> {becomes}" for was, becomes in life.moves)
    yield from (f"{state} --> [*]" for state in sorted(life.ends))


def _listed(states: frozenset[Any]) -> str:
    return ", ".join(f"*{state}*" for state in sorted(states))


def main(arguments: list[str]) -> int:
    text = drawn()
    if "--check" in arguments:
        same = FILE.exists() and FILE.read_text(encoding="utf-8") == text
        print("docs/lives.md is up to date." if same else "docs/lives.md is old: run python tools/draw_lives.py")
        return 0 if same else 1
    FILE.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(LIVES)} lives drawn.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
