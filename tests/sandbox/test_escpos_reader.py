"""The strict reader against bytes written by hand: what it knows, and that it refuses the rest."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pos.sandbox.escpos_reader import (
    Align,
    Cut,
    Drawer,
    Feed,
    Initialise,
    Job,
    Marker,
    QrCode,
    Raster,
    RealTimeInside,
    Refusal,
    Span,
    Style,
    TextLine,
    UnknownCommand,
    read,
)

QR = b"".join(
    bytes.fromhex(function)
    for function in (
        "1d286b040031413200",
        "1d286b0300314306",
        "1d286b0300314531",
        "1d286b05003150306869",
        "1d286b0300315130",
    )
)


def raster(rows: list[bytes]) -> bytes:
    return b"\x1dv0\x00" + len(rows[0]).to_bytes(2, "little") + len(rows).to_bytes(2, "little") + b"".join(rows)


def ink(image: Image.Image) -> int:
    """How many dots are black."""
    return image.histogram()[0]


def black_rows(image: Image.Image) -> list[int]:
    """Which rows carry ink."""
    return [y for y in range(image.height) if ink(image.crop((0, y, image.width, y + 1)))]


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b"\x1b@", Initialise()),
        (b"\x1bJ\x20", Feed(32)),
        (b"\x1bd\x02", Feed(60)),
        (b"\x1dV\x00", Cut(partial=False)),
        (b"\x1dV\x01", Cut(partial=True)),
        (b"\x1dV\x41\x08", Cut(partial=False, feed_dots=8)),
        (b"\x1dV\x42\x60", Cut(partial=True, feed_dots=96)),
        (b"\x1bp\x00\x19\xfa", Drawer(pin=2, on_ms=50, off_ms=500)),
        (b"\x1bp\x01\x32\x32", Drawer(pin=5, on_ms=100, off_ms=100)),
        (b"\x1dr\x01", Marker("gs_r")),
        (b"\x1d(H\x06\x000012Zz", Marker("gs_h", b"12Zz")),
        (b"\x1dv0\x00\x02\x00\x01\x00\xf0\x0f", Raster(16, (b"\xf0\x0f",))),
        (b"\n", TextLine()),
        (b"Plan 20\n", TextLine((Span("Plan 20"),))),
        (QR, QrCode(b"hi", 6, "M")),
    ],
)
def test_each_command_alone_is_one_event(data: bytes, event: object) -> None:
    assert read(data) == Job((event,))


@pytest.mark.parametrize("page", [0, 16, 255])
def test_a_code_page_leaves_no_event_because_ascii_is_the_same_in_all(page: int) -> None:
    assert read(b"\x1bt" + bytes((page,))) == Job()


def test_styles_change_within_a_line_and_stay_for_the_next() -> None:
    job = read(b"a\x1bE\x01b\x1d!\x12c\nd\x1bE\x00\n")
    bold, large = Style(bold=True), Style(bold=True, width_factor=2, height_factor=3)
    assert job.events == (
        TextLine((Span("a"), Span("b", bold), Span("c", large))),
        TextLine((Span("d", large),)),
    )


def test_print_mode_sets_everything_at_once() -> None:
    job = read(b"\x1b!\xb9x\n\x1b!\x00y\n")
    assert job.events == (
        TextLine((Span("x", Style(True, True, True, 2, 2)),)),
        TextLine((Span("y"),)),
    )


def test_initialise_takes_back_alignment_style_and_stored_code() -> None:
    assert read(b"\x1ba\x01\x1bE\x01\x1b@x\n").events[-1] == TextLine((Span("x"),))
    with pytest.raises(UnknownCommand, match="before its data"):
        read(QR[:-8] + b"\x1b@" + QR[-8:])


@pytest.mark.parametrize(("n", "align"), [(0, Align.LEFT), (1, Align.CENTRE), (2, Align.RIGHT), (0x31, Align.CENTRE)])
def test_alignment_holds_for_text_pictures_and_codes(n: int, align: Align) -> None:
    job = read(b"\x1ba" + bytes((n,)) + b"x\n" + raster([b"\xff"]) + QR)
    assert [event.align for event in job.events if isinstance(event, TextLine | Raster | QrCode)] == [align] * 3


def test_a_feed_ends_the_line_that_waits() -> None:
    assert read(b"x\x1bd\x03").events == (TextLine((Span("x"),)), Feed(60))
    assert read(b"x\x1bJ\x08").events == (TextLine((Span("x"),)), Feed(8))


def test_text_gives_the_lines_as_the_customer_reads_them() -> None:
    job = read(b"\x1b@\x1bE\x01TOTAL\x1bE\x00  9.00\n\nThanks\n" + raster([b"\xff"]) + b"\x1dVB\x00")
    assert job.text() == ["TOTAL  9.00", "", "Thanks"]


def test_a_whole_job_keeps_its_order() -> None:
    job = read(b"\x1b@\x1bp\x00\x19\xfa" + raster([b"\x80"]) + b"\x1bJ\x05\x1dVB\x10\x1dr\x01")
    kinds = [type(event) for event in job.events]
    assert kinds == [Initialise, Drawer, Raster, Feed, Cut, Marker]
    assert job.on_paper and len(job.drawers) == len(job.cuts) == 1
    assert not read(b"\x1b@\x1bp\x00\x19\xfa").on_paper


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"ok\n\x00", 3),
        (b"\r", 0),
        (b"\x7f", 0),
        (b"caf\xe9\n", 3),
        (b"\xd6\xd0\n", 0),
        (b"\x1cC", 0),
        (b"\x1b@\x1bM\x00", 2),
        (b"\x1ba\x03", 0),
        (b"\x1b!\x04", 0),
        (b"\x1d!\x08", 0),
        (b"\x1d!\x80", 0),
        (b"\x1bp\x02\x19\xfa", 0),
        (b"\x1dr\x02", 0),
        (b"\x1dV\x30", 0),
        (b"\x1dv0\x01\x01\x00\x01\x00\xff", 0),
        (b"\x1dv0\x00\x00\x00\x01\x00", 0),
        (b"\x1dv0\x00\x01\x00\x00\x00", 0),
        (b"\x1dv0\x00\x01\x00\x00\x09" + bytes(2304), 0),
        (b"\x1dv0\x00\x01\x01\x01\x00" + bytes(257), 0),
        (b"\x1dv1\x00", 0),
        (b"\x1d(L\x02\x0002", 0),
        (b"\x1d(H\x06\x000112Zz", 0),
        (b"\x1d(H\x06\x0000\x00\x01\x02\x03", 0),
        (b"\x1d(k\x00\x00", 0),
        (b"\x1d(k\x03\x000C\x06", 0),
        (b"\x1d(k\x03\x001D\x06", 0),
        (b"\x1d(k\x04\x001A1\x00", 0),
        (b"\x1d(k\x03\x001C\x11", 0),
        (b"\x1d(k\x03\x001C\x00", 0),
        (b"\x1d(k\x03\x001E\x34", 0),
        (b"\x1d(k\x03\x001P0", 0),
        (b"\x1d(k\x04\x001P1x", 0),
        (b"\x1d(k\x03\x001Q0", 0),
        (b"\x1d(k\x03\x001Q1", 0),
        (b"\x10\x01", 0),
    ],
    ids=lambda value: value[:9].hex() if isinstance(value, bytes) else None,
)
def test_everything_else_is_refused_where_it_stands(data: bytes, offset: int) -> None:
    with pytest.raises(UnknownCommand) as refused:
        read(data)
    assert refused.value.offset == offset
    assert data[offset:].startswith(refused.value.data)


@pytest.mark.parametrize(
    "data",
    [
        b"x" + b"\x1dv0\x00\x01\x00\x01\x00\xff",
        b"x\x1dVB\x00",
        b"x\x1b@",
        b"x\x1ba\x01",
        b"x\x1bd\x00",
        QR[:-8] + b"x" + QR[-8:],
    ],
    ids=["picture", "cut", "initialise", "align", "feed nothing", "code"],
)
def test_what_belongs_at_the_start_of_a_line_is_refused_in_its_middle(data: bytes) -> None:
    with pytest.raises(UnknownCommand, match="in the middle of a line|never fed out"):
        read(data)


def test_a_line_that_is_never_fed_out_is_refused_at_the_end() -> None:
    with pytest.raises(UnknownCommand, match="stays in the printer") as refused:
        read(b"one\ntwo")
    assert (refused.value.offset, refused.value.before.text()) == (7, ["one"])


WHOLE = [
    b"\x1bJ\x01",
    b"\x1bp\x00\x19\xfa",
    b"\x1dVB\x00",
    b"\x1d(H\x06\x00001234",
    raster([b"\xff", b"\xff"]),
    QR[-8:],
]


@pytest.mark.parametrize("command", WHOLE, ids=lambda command: command[:3].hex())
def test_a_job_that_ends_inside_a_command_is_refused(command: bytes) -> None:
    for length in range(1, len(command)):
        with pytest.raises(UnknownCommand, match="ends inside"):
            read(b"\x1b@" + command[:length])


def test_of_a_picture_that_breaks_off_the_whole_rows_came_out() -> None:
    with pytest.raises(UnknownCommand) as refused:
        read(b"\x1b@" + raster([b"\x01\x02", b"\x03\x04", b"\x05\x06"])[:-1])
    assert refused.value.before.events == (Initialise(), Raster(16, (b"\x01\x02", b"\x03\x04")))


@pytest.mark.parametrize("sequence", [b"\x10\x04\x01", b"\x10\x05\x02", b"\x10\x14\x01\x00\x05", b"\x10\x04"])
def test_a_real_time_command_is_refused_wherever_it_stands(sequence: bytes) -> None:
    places = {0: sequence, 3: b"ok\n" + sequence, 9: raster([b"\x00" + sequence]), 12: b"\x00" * 12 + sequence}
    for offset, data in places.items():
        with pytest.raises(RealTimeInside) as refused:
            read(data)
        assert refused.value.offset == offset


def test_a_refusal_says_where_and_shows_the_bytes() -> None:
    with pytest.raises(Refusal) as refused:
        read(b"Total\n\x1bM\x01")
    assert str(refused.value) == "not a command of ours: byte 6, 1b 4d 01"
    assert refused.value.before.text() == ["Total"]


def test_pictures_are_drawn_dot_for_dot_and_feeds_are_blank() -> None:
    job = read(raster([b"\x81", b"\x18"]) + b"\x1bJ\x03" + raster([b"\xff"]) + b"\x1dVB\x0a")
    image = job.image(16)
    assert (image.mode, image.size) == ("1", (16, 2 + 3 + 1 + 10 + 8))
    rows = ["".join("#" if image.getpixel((x, y)) == 0 else "." for x in range(16)) for y in range(6)]
    assert rows == ["#......#" + "." * 8, "...##..." + "." * 8, *["." * 16] * 3, "#" * 8 + "." * 8]
    assert black_rows(image)[-1] == 2 + 3 + 1 + 10 + 4, "the cut is a line in the middle of its strip"
    assert job.image(16, cuts=False).size == (16, 6)


def test_pictures_stand_where_the_alignment_says_and_lose_what_is_too_wide() -> None:
    for n, left in ((0, 0), (1, 12), (2, 24)):
        image = read(b"\x1ba" + bytes((n,)) + raster([b"\xff"])).image(32)
        assert [x for x in range(32) if image.getpixel((x, 0)) == 0] == list(range(left, left + 8))
    assert read(raster([b"\xff" * 4])).image(16).size == (16, 1)


def test_native_text_takes_the_cells_a_printer_gives_it() -> None:
    assert read(b"x\n").image().size == (576, 30)
    assert read(b"x" * 48 + b"\n").image().height == 30
    assert read(b"x" * 49 + b"\n").image().height == 60, "column 49 goes on the next line"
    assert read(b"\x1d!\x11" + b"x" * 24 + b"\n").image().height == 54
    assert read(b"\x1b!\x01" + b"x" * 64 + b"\n").image().height == 23


def test_bold_is_blacker_and_underlined_has_a_foot() -> None:
    plain, bold, under = (read(style + b"TOTAL\n").image() for style in (b"", b"\x1b!\x08", b"\x1b!\x80"))
    assert ink(plain) < ink(bold) < 2 * ink(plain)
    assert 23 in black_rows(under) and 23 not in black_rows(plain)


def test_a_native_code_is_drawn_as_a_frame_of_its_size() -> None:
    assert read(QR).image().size == (576, 33 * 6)


def test_a_runaway_job_makes_no_endless_picture() -> None:
    assert read(b"\x1bJ\xff" * 100_000).image().height == 16_000
    assert read(b"\x1b@").image().size == (576, 1)


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\x1b", b"\x1d", b"\x1dv0\x00", b"\x1d(k", b"\x1d(H", b"\x1dV", b"\x10", b"\n", b"Total ", QR, *WHOLE]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_no_bytes_whatever_raise_anything_but_the_two_refusals(data: bytes) -> None:
    try:
        job = read(data)
    except (UnknownCommand, RealTimeInside) as refused:
        assert 0 <= refused.offset <= len(data)
        job = refused.before
    assert job.image(64).width == 64


COMMANDS = st.sampled_from([b"\x1b@", b"\x1bJ\x01", b"x\n", b"\x1dVB\x00", b"\x1bp\x00\x19\xfa", QR, raster([b"\xaa"])])


@settings(max_examples=100, deadline=None)
@given(st.lists(COMMANDS, max_size=12))
def test_good_commands_read_alike_alone_and_in_a_row(commands: list[bytes]) -> None:
    alone = reduce(lambda events, command: events + read(command).events, commands, ())
    assert read(b"".join(commands)).events == alone


HAN = "话".encode("gb18030")


@pytest.mark.parametrize(
    "wrong",
    [
        HAN + b"\n",
        b"\x1c&" + HAN + b"\n\x1c.",
        b"\x1c&" + HAN[:1] + b"\x1c.\n",
        b"\x1c&\x81\x30\x84\x35\x1c.\n",
        b"\x1cC\x01\n",
        b"\x1c&" + HAN[:1],
    ],
)
def test_chinese_stands_between_its_two_commands_and_has_two_bytes(wrong: bytes) -> None:
    assert read(b"\x1c&" + HAN + b"\x1c.\x1bt\x00x\n").text() == ["话x"]
    with pytest.raises(UnknownCommand):
        read(wrong)
