"""What a printer was told to do, as a list of plain events in the order they happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

PAPER_DOTS = 576  # 80 mm paper at 203 dpi


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Raster:
    """A picture as sent: ``width`` in dots, a multiple of 8; a row is packed in bytes, high bit left, 1 is black."""

    width: int
    rows: tuple[bytes, ...]
    align: Align = Align.LEFT


@dataclass(frozen=True, slots=True)
class Style:
    """How native characters look. Factors 1 to 8; a cell is 12x24 dots in font A and 9x17 in font B."""

    bold: bool = False
    underline: bool = False
    small: bool = False  # font B
    width_factor: int = 1
    height_factor: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of one line that share a style."""

    text: str
    style: Style = Style()


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of native text, ended by a line feed or a feed command."""

    spans: tuple[Span, ...] = ()
    align: Align = Align.LEFT

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Feed:
    """Blank paper."""

    dots: int


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code that the printer makes itself. ``module_dots`` 1 to 16; ``level`` is one of L, M, Q, H."""

    data: bytes
    module_dots: int
    level: str
    align: Align = Align.LEFT


@dataclass(frozen=True, slots=True)
class Cut:
    """The knife, after ``feed_dots`` of blank paper."""

    partial: bool
    feed_dots: int = 0


@dataclass(frozen=True, slots=True)
class Drawer:
    """The pulse that opens the cash drawer. ``pin`` is 2 or 5 of the drawer's connector."""

    pin: int
    on_ms: int
    off_ms: int


@dataclass(frozen=True, slots=True)
class Initialise:
    """Everything back to how it was at power-on."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A question the printer answers when it has come this far. ``id`` is empty for GS r 1, four bytes for GS ( H."""

    kind: str  # "gs_r" or "gs_h"
    id: bytes = b""


Event = Raster | TextLine | Feed | QrCode | Cut | Drawer | Initialise | Marker
ON_PAPER = (Raster, TextLine, Feed, QrCode, Cut)


@dataclass(frozen=True, slots=True)
class Job:
    """One job, read to its end."""

    events: tuple[Event, ...] = ()

    def text(self) -> list[str]:
        """The native text, one entry per line, blank lines included. Pictures have no text."""
        return [event.text for event in self.events if isinstance(event, TextLine)]

    def image(self, dots: int = PAPER_DOTS, cuts: bool = True) -> Image.Image:
        """The whole paper, ``dots`` wide, mode "1" (0 is black): pictures dot for dot, feeds as blank rows.

        ``cuts=False`` leaves the knife out, so that what remains can be compared with the picture that was sent. Paper
        is drawn up to escpos_paper.LONGEST_DOTS; a job without paper gives one blank row."""
        # Here, not above: the drawing needs the events, and a reader of bytes may never draw.
        from pos.sandbox.escpos_paper import draw

        return draw(self.events, dots, cuts)

    @property
    def on_paper(self) -> bool:
        """Whether any paper comes out; a drawer job leaves none."""
        return any(isinstance(event, ON_PAPER) for event in self.events)

    @property
    def drawers(self) -> tuple[Drawer, ...]:
        return tuple(event for event in self.events if isinstance(event, Drawer))

    @property
    def cuts(self) -> tuple[Cut, ...]:
        return tuple(event for event in self.events if isinstance(event, Cut))
