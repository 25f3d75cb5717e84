"""Asking a printer what it answers to, without printing."""

from __future__ import annotations

import socket

import pytest
from socket_printer import Behaviour, listening

from receipts.probe import Probed, probe
from receipts.settings import Marker, StatusMode


@pytest.mark.parametrize(
    ("behaviour", "completion", "found"),
    [
        (Behaviour(), False, Probed(True, StatusMode.DLE_EOT, Marker.GS_R)),
        (Behaviour(), True, Probed(True, StatusMode.DLE_EOT, Marker.GS_H)),
        (Behaviour(status={}), False, Probed(True, StatusMode.NONE, Marker.GS_R, ("It answers no question about itself.",))),
        (Behaviour(status={}, marker=None), True, Probed(True, notes=("It answers no question about itself.",))),
        (
            Behaviour(status={1: 0x1A, 2: 0x16, 4: 0x1E}, marker=None),
            False,
            Probed(
                True, StatusMode.DLE_EOT, Marker.NONE, ("The cover is open.", "The roll is nearly used up.", "It is offline.")
            ),
        ),
        (
            Behaviour(status={1: 0x1A, 2: 0x32, 4: 0x7E}),
            False,
            Probed(True, StatusMode.DLE_EOT, Marker.GS_R, ("The paper is used up.", "It is offline.")),
        ),
        (
            Behaviour(closes_at_once=True),
            False,
            Probed(True, notes=("It closed the connection: perhaps another computer is printing.",)),
        ),
    ],
)
def test_what_a_printer_answers_becomes_its_settings(behaviour: Behaviour, completion: bool, found: Probed) -> None:
    with listening(behaviour) as printer:
        assert probe(printer.host, printer.port, completion=completion, seconds=0.3) == found
        printer.thread.join(5)
        assert (
            not bytes(printer.received).replace(b"\x10\x04\x01\x10\x04\x02\x10\x04\x04", b"").strip(b"\x1dr\x01(H\x060742\x00")
        ), "nothing that could print"


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert not probe("127.0.0.1", port, completion=False, seconds=0.3).reachable
    assert not probe("x" * 70, 9100, completion=False, seconds=0.3).reachable
