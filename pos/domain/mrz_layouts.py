"""Where each field stands in a machine readable zone, and the arithmetic of its check digits."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

# First sign and the one after the last, counted from 0 through all lines joined without breaks.
Span = tuple[int, int]


class MrzFormat(StrEnum):
    """The five shapes of Doc 9303 parts 4 to 7, and the French identity card of 1988 to 2021, which has its own."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRV_A = "MRV-A"
    MRV_B = "MRV-B"
    FRENCH = "FRA-ID"


@dataclass(frozen=True)
class Layout:
    """One format. A field's check digit stands right after its span; ``composite`` is the place of the last one and
    ``composite_over`` what it is reckoned from. ``optional_checked`` says whether the optional data has a digit of
    its own; ``long_number`` whether a long document number runs on into the first optional span."""

    line_length: int
    lines: int
    names: Span
    number: Span
    birth: Span
    sex: int
    expiry: Span | None
    nationality: Span | None
    optional: tuple[Span, ...]
    optional_checked: bool = False
    long_number: bool = False
    given_names: Span | None = None
    composite: int | None = None
    composite_over: tuple[Span, ...] = field(default=())

    @property
    def length(self) -> int:
        """Signs in all lines together."""
        return self.line_length * self.lines


CODE: Span = (0, 2)
STATE: Span = (2, 5)

LAYOUTS: dict[MrzFormat, Layout] = {
    # Doc 9303 part 5, section 4.2: 3 x 30.
    MrzFormat.TD1: Layout(
        line_length=30, lines=3, names=(60, 90), number=(5, 14), birth=(30, 36), sex=37, expiry=(38, 44),
        nationality=(45, 48), optional=((15, 30), (48, 59)), long_number=True,
        composite=59, composite_over=((5, 30), (30, 37), (38, 45), (48, 59)),
    ),
    # Part 6, section 4.2: 2 x 36.
    MrzFormat.TD2: Layout(
        line_length=36, lines=2, names=(5, 36), number=(36, 45), nationality=(46, 49), birth=(49, 55), sex=56,
        expiry=(57, 63), optional=((64, 71),), long_number=True,
        composite=71, composite_over=((36, 46), (49, 56), (57, 71)),
    ),
    # Part 4, section 4.2: 2 x 44.
    MrzFormat.TD3: Layout(
        line_length=44, lines=2, names=(5, 44), number=(44, 53), nationality=(54, 57), birth=(57, 63), sex=64,
        expiry=(65, 71), optional=((72, 86),), optional_checked=True,
        composite=87, composite_over=((44, 54), (57, 64), (65, 87)),
    ),
    # Part 7: visas have no composite digit and no digit over the optional data.
    MrzFormat.MRV_A: Layout(
        line_length=44, lines=2, names=(5, 44), number=(44, 53), nationality=(54, 57), birth=(57, 63), sex=64,
        expiry=(65, 71), optional=((72, 88),),
    ),
    MrzFormat.MRV_B: Layout(
        line_length=36, lines=2, names=(5, 36), number=(36, 45), nationality=(46, 49), birth=(49, 55), sex=56,
        expiry=(57, 63), optional=((64, 72),),
    ),
    # No part of Doc 9303: twelve signs of number, no expiry, no nationality, a composite over everything before it.
    MrzFormat.FRENCH: Layout(
        line_length=36, lines=2, names=(5, 30), given_names=(49, 63), number=(36, 48), birth=(63, 69), sex=70,
        expiry=None, nationality=None, optional=((30, 36),), composite=71, composite_over=((0, 71),),
    ),
}  # fmt: skip


def layout_of(text: str) -> MrzFormat | None:
    """The format of joined lines by their length and first signs; None when no format has it."""
    if len(text) == 90:
        return MrzFormat.TD1
    if len(text) == 88:
        return MrzFormat.MRV_A if text[0] == "V" else MrzFormat.TD3
    if len(text) == 72:
        if text.startswith("V"):
            return MrzFormat.MRV_B
        # The new French card is 3 x 30, the residence permit begins IR: two lines with IDFRA are the old card.
        return MrzFormat.FRENCH if text.startswith("IDFRA") else MrzFormat.TD2
    return None


def check_digit(signs: str) -> str:
    """By Doc 9303 part 3, section 4.9: weights 7, 3, 1, modulo 10; A is 10 and Z 35, the filler ``<`` counts 0.

    ``signs`` are capitals, digits and fillers only; ValueError for any other."""
    return str(sum(_value(sign) * (7, 3, 1)[place % 3] for place, sign in enumerate(signs)) % 10)


def _value(sign: str) -> int:
    return 0 if sign == "<" else int(sign, 36)
