"""What a network printer answers to: asked before it is set up, without printing anything."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from receipts.lan import COVER_OPEN, NEAR_END, OFFLINE, PAPER_END, PAPER_STOP
from receipts.settings import Marker, StatusMode
from receipts.wire import Gone, Wire


@dataclass(frozen=True)
class Probed:
    """What was found; ``status`` and ``marker`` are the settings that fit. ``notes`` are words for the person who installs."""

    reachable: bool
    status: StatusMode = StatusMode.NONE
    marker: Marker = Marker.NONE
    notes: tuple[str, ...] = ()


def probe(host: str, port: int, *, completion: bool, seconds: float = 2.0) -> Probed:
    """Ask the printer about itself. ``completion`` also asks for Epson's proof of printing, which a clone that does not know it
    may put on paper as a few characters."""
    try:
        connection = socket.create_connection((host, port), seconds)
    except (OSError, UnicodeError):
        return Probed(reachable=False)
    with connection:
        try:
            return ask(Wire(connection), completion, seconds)
        except (Gone, OSError):
            return Probed(reachable=True, notes=("It closed the connection: perhaps another computer is printing.",))


def ask(wire: Wire, completion: bool, seconds: float) -> Probed:
    answers = {what: real_time(wire, what, seconds) for what in (1, 2, 4)}
    marker = Marker.NONE
    wire.forget()
    wire.connection.sendall(b"\x1dr\x01")
    if wire.in_order(time.monotonic() + seconds) is not None:
        marker = Marker.GS_R
    if completion:
        wire.forget()
        wire.connection.sendall(b"\x1d(H\x06\x000\x307042")
        if wire.sequence(b"\x37\x227042\x00", time.monotonic() + seconds):
            marker = Marker.GS_H
    wire.drain(time.monotonic() + seconds)
    mute = answers[1] is None
    return Probed(True, StatusMode.NONE if mute else StatusMode.DLE_EOT, marker, tuple(notes(answers)))


def real_time(wire: Wire, what: int, seconds: float) -> int | None:
    wire.connection.sendall(bytes([0x10, 0x04, what]))
    return wire.status(time.monotonic() + seconds)


def notes(answers: dict[int, int | None]) -> list[str]:
    """The state it is in now."""
    printer, cause, paper = (answers[what] or 0 for what in (1, 2, 4))
    found = {
        "It answers no question about itself.": answers[1] is None,
        "The cover is open.": cause & COVER_OPEN,
        "The paper is used up.": paper & PAPER_END or cause & PAPER_STOP,
        "The roll is nearly used up.": paper & NEAR_END and not paper & PAPER_END,
        "It is offline.": printer & OFFLINE,
    }
    return [words for words, true in found.items() if true]
