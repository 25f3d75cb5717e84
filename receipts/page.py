"""What a page is made of: placed text, boxes and codes, in dots for the raster or in points for the PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from receipts.blocks import Role
from receipts.lines import Measure
from receipts.qr import Grid


@dataclass(frozen=True)
class Ink:
    """Text on one line: the left end and the top of the line, the size, white where it stands on black."""

    x: float
    y: float
    text: str
    size: float
    bold: bool
    white: bool = False


@dataclass(frozen=True)
class Box:
    """A filled black rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Code:
    """A QR code; ``module`` is the side of one of its squares."""

    x: float
    y: float
    grid: Grid
    module: float


@dataclass(frozen=True)
class Picture:
    """A logo that ``receipts.logos`` knows."""

    x: float
    y: float
    width: float
    height: float
    key: str


Thing = Ink | Box | Code | Picture


@dataclass(frozen=True)
class Measures:
    """One kind of page, in its own unit (dots or points).

    ``pitch`` gives the height of a line of a size, ``text_width`` the width of a text in (text, size, bold)."""

    width: float
    margin: float
    sizes: Mapping[Role, float]
    pitch: Callable[[float], float]
    text_width: Callable[[str, float, bool], float]
    gap: float  # the least space between a label and its value
    edge: float  # free space above and below everything
    rule: float  # thickness of a rule; it takes eight times as much height
    module: float  # the largest side of a QR module
    whole_modules: bool  # a module of a fraction of a dot does not scan

    @property
    def room(self) -> float:
        """The width text may fill."""
        return self.width - 2 * self.margin

    def measure(self, size: float, bold: bool) -> Measure:
        return lambda text: self.text_width(text, size, bold)


@dataclass(frozen=True)
class Page:
    """What to draw; things overlap only as bars under their white text, and come in drawing order."""

    width: float
    height: float
    things: tuple[Thing, ...]
