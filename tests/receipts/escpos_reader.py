"""A strict reader of our own ESC/POS: it knows the commands we send, rebuilds the picture, and
fails on any other byte."""

from __future__ import annotations

from dataclasses import dataclass, field

SIMPLE = {
    b"\x1bE\x00": "bold off",
    b"\x1bE\x01": "bold on",
    b"\x1d!\x00": "tall off",
    b"\x1d!\x01": "tall on",
    b"\x1dVB\x00": "cut partial",
    b"\x1dVA\x00": "cut full",
}


@dataclass
class Paper:
    """``rows`` are the picture's rows, packed, black is 1; ``lines`` the text; ``events`` everything else."""

    rows: list[bytes] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    band_heights: list[int] = field(default_factory=list)


def read(job: bytes, width: int) -> Paper:
    """``width`` is the picture's width in bytes. Raises AssertionError for whatever we do not send."""
    assert job.startswith(b"\x1b@"), "a job begins with ESC @"
    paper, at, line = Paper(), 2, bytearray()
    while at < len(job):
        if job[at : at + 4] == b"\x1dv0\x00":
            assert not line, "a picture needs an empty print buffer"
            at = read_band(job, at, width, paper)
        elif job[at : at + 2] == b"\x1bJ":
            paper.rows += [bytes(width)] * job[at + 2]
            at += 3
        elif (command := next((known for known in SIMPLE if job.startswith(known, at)), None)) is not None:
            paper.events.append(SIMPLE[command])
            at += len(command)
        elif job[at] == 0x0A:
            paper.lines.append(line.decode("ascii"))
            line.clear()
            at += 1
        else:
            assert 0x20 <= job[at] < 0x7F, f"byte {job[at]:#04x} at {at}"
            line.append(job[at])
            at += 1
    assert not line, "text without a line feed"
    return paper


def read_band(job: bytes, at: int, width: int, paper: Paper) -> int:
    """One GS v 0 command at ``at``; gives the place after it."""
    across = int.from_bytes(job[at + 4 : at + 6], "little")
    height = int.from_bytes(job[at + 6 : at + 8], "little")
    assert across == width, f"a band of {across} bytes on paper of {width}"
    data = job[at + 8 : at + 8 + across * height]
    assert len(data) == across * height, "the band ends early"
    paper.rows += [data[start : start + across] for start in range(0, len(data), across)]
    paper.band_heights.append(height)
    return at + 8 + across * height
