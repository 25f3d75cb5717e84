"""Breaking text into lines that fit, in whatever unit the caller measures: columns, dots or points."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

Measure = Callable[[str], float]

# No line begins with these, and none ends with those: a comma alone on the next line reads as a misprint.
NEVER_FIRST = frozenset("，。、；：！？）》」』】〉…,.;:!?)]}%°")
PAUSES = frozenset("，。；：！？,.;:!?-")
NEVER_LAST = frozenset("（《「『【〈([{￥$£€")
# Nor does one end between an amount and its currency.
AMOUNT = re.compile(r"\d (?=[A-Z]{3}(?![A-Za-z]))")


@lru_cache(maxsize=8192)
def is_wide(character: str) -> bool:
    """Whether the character takes two columns (UAX 11: wide and full-width)."""
    return unicodedata.east_asian_width(character) in {"W", "F"}


def columns(text: str) -> int:
    """The columns ``text`` takes on a fixed-width printer; a combining mark takes none."""
    return sum(0 if unicodedata.combining(character) else 1 + is_wide(character) for character in text)


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """``text`` in lines no wider than ``width``: at spaces, around any Han, and inside a word only when it must be.

    At least one line; a single character wider than ``width`` stands alone."""
    lines: list[str] = []
    line = ""
    for piece in pieces(text):
        if measure((line + piece).rstrip(" ")) <= width:
            line += piece
            continue
        if line.strip(" "):
            lines.append(line.strip(" "))
        *full, line = broken(piece.lstrip(" "), width, measure)
        lines += full
    return [*lines, line.strip(" ")] if line.strip(" ") or not lines else lines


def balanced(text: str, width: float, measure: Measure) -> list[str]:
    """Like ``wrap``, with lines of about the same width that end, where they can, at a comma or full stop.

    Two Han or one short word alone on the last line look like an accident."""
    lines = wrap(text, width, measure)
    share = measure(text) / len(lines)
    widths = [share + (width - share) * step / 16 for step in range(17)] if len(lines) > 1 else []
    tries = [tried for tried in (wrap(text, narrower, measure) for narrower in widths) if len(tried) == len(lines)]
    return max(tries, key=pauses, default=lines)


def pauses(lines: list[str]) -> int:
    """How many of the breaks stand at a pause of the sentence."""
    return sum(line[-1:] in PAUSES for line in lines[:-1])


def pieces(text: str) -> Iterator[str]:
    """``text`` cut wherever a line may end: after spaces and on both sides of a wide character."""
    start, joined = 0, {found.end() for found in AMOUNT.finditer(text)}
    for i in range(1, len(text)):
        before, after = text[i - 1], text[i]
        if i in joined:
            continue
        if before != " " and (after in NEVER_FIRST or before in NEVER_LAST):
            continue
        if (before == " " and after != " ") or (after != " " and (is_wide(before) or is_wide(after))):
            yield text[start:i]
            start = i
    yield text[start:]


def broken(word: str, width: float, measure: Measure) -> list[str]:
    """A word cut wherever it must be, so that each part fits."""
    parts = [""]
    for character in word:
        if parts[-1] and measure((parts[-1] + character).rstrip(" ")) > width:
            parts.append("")
        parts[-1] += character
    return parts


def pair(label: str, value: str, width: float, gap: float, measure: Measure, heavy: Measure) -> list[tuple[str, str]]:
    """A label and its value as lines of (left, right).

    Side by side where ``label``, ``gap`` and ``value`` fit; otherwise the label's lines, then the value's. ``heavy``
    measures the value, which may be bold."""
    if measure(label) + gap + heavy(value) <= width:
        return [(label, value)]
    left = [(line, "") for line in wrap(label, width, measure)] if label else []
    return left + [("", line) for line in wrap(value, width, heavy)]
