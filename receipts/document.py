"""The document a receipt is, and its copy.

A document is frozen when the sale commits and rendered when the job is sent, so that a job can move to a printer of
another width and a reprint has the same content. It holds roles, never sizes: each renderer has its own sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from receipts import record
from receipts.blocks import (
    Align,
    Bar,
    Block,
    Cut,
    DocumentError,
    Feed,
    Qr,
    Role,
    Row,
    Rule,
    Slot,
    Text,
    cleaned,
)
from receipts.cleaning import clean

__all__ = [
    "Align",
    "Bar",
    "Block",
    "Cut",
    "Document",
    "DocumentError",
    "Feed",
    "Qr",
    "Role",
    "Row",
    "Rule",
    "Slot",
    "Text",
    "as_copy",
    "clean",
    "with_bars",
]


@dataclass(frozen=True)
class Document:
    """One slip. ``title`` names it in lists and PDF readers; ``language`` is a tag such as en, zh_Hans or zh-Hant."""

    blocks: tuple[Block, ...]
    title: str
    language: str

    def __post_init__(self) -> None:
        cleaned(self, "title", "language")

    @property
    def language_tag(self) -> str:
        """The language as BCP 47 writes it, for PDF and HTML."""
        return self.language.replace("_", "-")

    @property
    def shop(self) -> str:
        """The shop's name, the author of a PDF; empty where the slip names none."""
        names = (block.text for block in self.blocks if isinstance(block, Text) and block.role is Role.SHOP)
        return next(names, "")

    @property
    def slots(self) -> tuple[Slot, ...]:
        """What is still to be filled in."""
        return tuple(block for block in self.blocks if isinstance(block, Slot))

    def filled(self, fill: Callable[[Slot], Iterable[Block]]) -> Document:
        """The same slip with what ``fill`` puts into each slot."""
        blocks = [part for block in self.blocks for part in (fill(block) if isinstance(block, Slot) else (block,))]
        return replace(self, blocks=tuple(blocks))

    def to_json(self) -> str:
        """The document as one line of JSON; ``from_json`` gives back an equal one."""
        return record.write(self.blocks, self.title, self.language)

    @classmethod
    def from_json(cls, text: str) -> Document:
        """Read what ``to_json`` wrote. Raises DocumentError for anything else, an unknown version included."""
        return cls(*record.read(text))


def as_copy(document: Document, n: int, words: str) -> Document:
    """The same slip with a bar at the top and again at the bottom, before the cut.

    ``words`` is the bar in the customer's language; ``{n}`` in it becomes the copy's number (1 is the first copy)."""
    if n < 1:
        raise DocumentError(f"copies are numbered from 1, not {n}")
    return with_bars(document, words.replace("{n}", str(n)))


def with_bars(document: Document, words: str) -> Document:
    """``words`` in a bar above everything and below everything but the final feed and cut."""
    end = len(document.blocks)
    while end and isinstance(document.blocks[end - 1], (Feed, Cut)):
        end -= 1
    body, tail = document.blocks[:end], document.blocks[end:]
    return replace(document, blocks=(Bar(words), *body, Bar(words), *tail))
