"""How one printer is set up. The defaults fit a LAN printer for 80 mm paper that gets pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Transport(StrEnum):
    LAN = "lan"
    FILE = "file"  # a device node such as /dev/usb/lp0, or a plain file
    USB = "usb"
    SERIAL = "serial"
    WINDOWS = "windows"  # a printer of the Windows spooler, by its name
    CUPS = "cups"  # a queue of CUPS, by its name


class TextMode(StrEnum):
    RASTER = "raster"
    NATIVE = "native"  # the printer's own characters, for slips that it can show throughout


class NativeEncoding(StrEnum):
    """Which characters the printer's own are, with ``TextMode.NATIVE``; anything else makes the whole slip a picture."""

    ASCII = "ascii"
    GB18030 = "gb18030"  # a printer with Chinese characters, switched on by FS &


class CutMode(StrEnum):
    PARTIAL = "partial"
    FULL = "full"
    NONE = "none"


class StatusMode(StrEnum):
    DLE_EOT = "dle_eot"
    NONE = "none"  # sends no real-time request at all


class Marker(StrEnum):
    """How the printer says that everything before was handled."""

    GS_H = "gs_h"  # Epson models with GS ( H
    GS_R = "gs_r"
    NONE = "none"  # a mute clone: its jobs end as sent, never as printed


BAUDS = (4800, 9600, 19200, 38400, 57600, 115200)
WORDS: dict[str, type[StrEnum]] = {
    "transport": Transport,
    "text_mode": TextMode,
    "native_encoding": NativeEncoding,
    "cut": CutMode,
    "status": StatusMode,
    "marker": Marker,
}


@dataclass(frozen=True)
class PrinterSettings:
    """Raises ValueError for what no printer has.

    ``address`` is a host name, an IPv4 or IPv6 address; the path of transport ``file`` or the port of ``serial``, such as
    /dev/ttyUSB0 or COM3; vendor and product of ``usb``, such as 04b8:0e15; the printer's name for the two spoolers.

    ``dots`` is the width of the print head (576, 512 or 384), ``columns`` that of its own characters. ``drawer_pin`` is
    2 or 5, None without a drawer. Times are in seconds; ``total_seconds`` caps a whole job."""

    address: str
    transport: Transport = Transport.LAN
    port: int = 9100
    dots: int = 576
    columns: int = 48
    text_mode: TextMode = TextMode.RASTER
    native_encoding: NativeEncoding = NativeEncoding.ASCII
    code_page: int = 0  # selected again after Chinese characters
    band_rows: int = 128
    cut: CutMode = CutMode.PARTIAL
    drawer_pin: int | None = 2
    status: StatusMode = StatusMode.DLE_EOT
    marker: Marker = Marker.GS_R
    connect_seconds: float = 3
    status_seconds: float = 1
    write_seconds: float = 10
    marker_seconds: float = 15
    drain_seconds: float = 2
    total_seconds: float = 30
    baud: int = 9600
    dsr_dtr: bool = True  # serial flow control by wires; False: by XON and XOFF

    def __post_init__(self) -> None:
        # Settings come out of JSON as plain words; a word that stands for nothing is a ValueError here.
        for name, kind in WORDS.items():
            object.__setattr__(self, name, kind(getattr(self, name)))
        # An empty host would mean this very machine to the resolver.
        if not self.address or not 0 < self.port < 65536:
            raise ValueError(f"{self.address!r}:{self.port} is no address of a printer")
        if self.transport is Transport.USB and not re.fullmatch("[0-9a-fA-F]{4}:[0-9a-fA-F]{4}", self.address):
            raise ValueError(f"{self.address!r} is no vendor and product such as 04b8:0e15")
        # The name of a queue stands on a command line: it must not be taken for an option.
        if self.transport is Transport.CUPS and not re.fullmatch(r"[^\s/#\-][^\s/#]*", self.address):
            raise ValueError(f"{self.address!r} is no name of a queue")
        if self.baud not in BAUDS:
            raise ValueError(f"a serial line has no {self.baud} baud")
        # A band of another height prints garbage on some clones, and a wrong width wraps every row.
        if self.dots not in (576, 512, 384):
            raise ValueError(f"a print head has 576, 512 or 384 dots, not {self.dots}")
        if self.band_rows % 8 or not 8 <= self.band_rows <= 256:
            raise ValueError(f"a band has 8 to 256 rows, a multiple of 8, not {self.band_rows}")
        if not 0 <= self.code_page <= 255:
            raise ValueError(f"there is no code page {self.code_page}")
        if self.drawer_pin not in (None, 2, 5):
            raise ValueError(f"a drawer hangs on pin 2 or 5, not {self.drawer_pin}")
