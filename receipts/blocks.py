"""The kinds of block a receipt is made of. Their text is cleaned when they are made, so no renderer sees a raw one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from receipts.cleaning import clean

MOST_FEED_LINES = 20


class Role(StrEnum):
    """What a line is for."""

    SHOP = "shop"
    SMALL = "small"
    TITLE = "title"
    NORMAL = "normal"
    TOTAL = "total"
    FOOT = "foot"


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


class DocumentError(ValueError):
    """A document, or its JSON, is not what a receipt can be. Nothing was printed."""


def cleaned(block: object, *names: str) -> None:
    """Pass the named fields of a frozen block through ``clean``."""
    for name in names:
        object.__setattr__(block, name, clean(getattr(block, name)))


@dataclass(frozen=True)
class Bar:
    """White on black over the whole width: COPY 2, TRAINING."""

    text: str

    def __post_init__(self) -> None:
        cleaned(self, "text")


@dataclass(frozen=True)
class Text:
    """A line of its own, wrapped where it is too wide."""

    text: str
    role: Role = Role.NORMAL
    align: Align = Align.LEFT
    bold: bool = False

    def __post_init__(self) -> None:
        cleaned(self, "text")


@dataclass(frozen=True)
class Row:
    """A label at the left and its value at the right.

    ``money`` marks a row that must be printed exactly or not at all: see ``receipts.faces.Unprintable``."""

    label: str
    value: str
    role: Role = Role.NORMAL
    value_bold: bool = False
    money: bool = False

    def __post_init__(self) -> None:
        cleaned(self, "label", "value")


@dataclass(frozen=True)
class Rule:
    """A thin line over the whole width."""


@dataclass(frozen=True)
class Qr:
    """A QR code, level M. ``data`` is a signed short link or an eSIM activation code, never a phone number."""

    data: str

    def __post_init__(self) -> None:
        cleaned(self, "data")
        if not self.data:
            raise DocumentError("a QR code needs something to say")


@dataclass(frozen=True)
class Logo:
    """The shop's logo, in the middle; ``key`` is its name in ``receipts.logos``, ``words`` what a screen reader says."""

    key: str
    words: str

    def __post_init__(self) -> None:
        cleaned(self, "key", "words")


@dataclass(frozen=True)
class Slot:
    """Room for what no document may hold, such as a voucher's code: it is filled in when the slip is drawn, once.

    ``key`` names what belongs here, ``masked`` is its end. A slot that nobody filled draws nothing."""

    key: str
    is_esim: bool
    masked: str

    def __post_init__(self) -> None:
        cleaned(self, "key", "masked")


@dataclass(frozen=True)
class Feed:
    """Empty lines of the normal role."""

    lines: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.lines <= MOST_FEED_LINES:
            raise DocumentError(f"a feed is 1 to {MOST_FEED_LINES} lines, not {self.lines}")


@dataclass(frozen=True)
class Cut:
    """The paper is cut here; renderers without a knife ignore it."""


Block = Bar | Text | Row | Rule | Qr | Logo | Slot | Feed | Cut
