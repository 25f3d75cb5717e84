"""Signs a camera takes for one another, and what a misread field most likely said. Offers only; a clerk decides."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

# The pairs of OCR-B that readers confuse. Each changes a 7-3-1 sum, so a check digit sees every single one of them.
_PAIRS = (("O", "0"), ("I", "1"), ("B", "8"), ("S", "5"), ("Z", "2"))
_TO_DIGIT = dict(_PAIRS)
_TO_LETTER = {digit: letter for letter, digit in _PAIRS}
_EITHER = _TO_DIGIT | _TO_LETTER


def as_digits(signs: str) -> str:
    """``signs`` with every letter a digit is mistaken for put right; others stay."""
    return "".join(_TO_DIGIT.get(sign, sign) for sign in signs)


def as_letters(signs: str) -> str:
    """``signs`` with every digit a letter is mistaken for put right; others stay."""
    return "".join(_TO_LETTER.get(sign, sign) for sign in signs)


def likely(read: str, passes: Callable[[str], bool], *, digits_only: bool) -> str | None:
    """What ``read`` (a field with its check digit as the last sign) should have been, of the same length; None when
    nothing is likely or when two readings are equally so.

    Places where only a digit can stand are put right first. In a field that may hold letters, one confused sign is
    tried, then two; a third would fit by chance more often than by truth."""
    body, digit = read[:-1], read[-1:]
    base = (as_digits(body) if digits_only else body) + as_digits(digit)
    if base != read and passes(base):
        return base
    if digits_only:
        return None
    places = [place for place, sign in enumerate(base[:-1]) if sign in _EITHER]
    for count in (1, 2):
        fitting = [swapped for chosen in combinations(places, count) if passes(swapped := _swap(base, chosen))]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def _swap(signs: str, places: tuple[int, ...]) -> str:
    return "".join(_EITHER[sign] if place in places else sign for place, sign in enumerate(signs))
