"""The bytes: what the printer rebuilds is what we drew, and nothing in a job is a command of somebody else's."""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import escpos_reader
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sample_slips import LANGUAGES, every_document

from pos.sandbox import escpos_reader as strict
from receipts import escpos, raster
from receipts.collector import dummy_class, new_collector
from receipts.document import Cut, Document, Qr, Role, Row, Text
from receipts.settings import CutMode, NativeEncoding, PrinterSettings, TextMode

LAN = PrinterSettings("192.0.2.1")
FORBIDDEN = (b"\x10\x04", b"\x10\x05", b"\x10\x14")


def rows_of(image: Image.Image) -> list[bytes]:
    """The picture's rows as a printer packs them: black is 1."""
    packed = bytes(255 - value for value in image.tobytes())
    return [packed[start : start + image.width // 8] for start in range(0, len(packed), image.width // 8)]


def defused_dots(drawn: list[bytes], printed: list[bytes]) -> int:
    """How many bytes differ; each must be a real-time sequence taken apart."""
    before, after = b"".join(drawn), b"".join(printed)
    assert len(before) == len(after)
    different = [i for i in range(len(before)) if before[i] != after[i]]
    for i in different:
        assert (before[i], after[i]) == (0x10, 0x30)
        assert before[i + 1] in (0x04, 0x05, 0x14)
    return len(different)


@pytest.mark.parametrize("dots", raster.SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_printer_rebuilds_the_picture(language: str, dots: int) -> None:
    for name in ("sale_activated", "z_report", "test_page"):
        document = every_document(language)[name]
        job = escpos.job(document, replace(LAN, dots=dots))
        paper = escpos_reader.read(job, dots // 8)
        defused_dots(rows_of(raster.draw(document, dots)), paper.rows)
        assert max(paper.band_heights) <= 128
        assert paper.events == ["cut partial"]
        assert not any(sequence in job for sequence in FORBIDDEN)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=10), min_size=3))
def test_dense_han_leaves_no_real_time_command(texts: list[str]) -> None:
    job = escpos.job(Document(tuple(Text(text) for text in texts), "t", "zh_Hans"), replace(LAN, dots=384))
    assert not any(sequence in job for sequence in FORBIDDEN)
    escpos_reader.read(job, 48)


def test_a_real_time_command_in_a_picture_is_taken_apart() -> None:
    image = Image.frombytes("1", (64, 2), bytes(255 - value for value in b"\x10\x04\x07\x10\x10\x05\x10\x14" * 2))
    job = b"".join(escpos.bands(image, 128))
    assert job == b"\x1dv0\x00\x08\x00\x02\x00" + b"\x30\x04\x07\x10\x30\x05\x30\x14" * 2


def test_control_characters_in_a_plan_reach_no_printer() -> None:
    evil = "Plan\x1bp\x00\x19\xfa\x10\x14\x01\x00\x01\x1b@"
    document = Document((Text(evil), Row(evil, evil)), "t", "en")
    for mode in TextMode:
        paper = escpos_reader.read(escpos.job(document, replace(LAN, text_mode=mode)), 72)
        assert not paper.events


def test_blank_rows_are_fed_and_not_sent() -> None:
    image = Image.new("1", (64, 700), 255)
    image.putpixel((0, 0), 0)
    image.putpixel((0, 5), 0)
    image.putpixel((0, 699), 0)
    parts = list(escpos.bands(image, 128))
    assert [part[:3] for part in parts] == [b"\x1dv0", b"\x1bJ\xff", b"\x1dv0"]
    assert parts[1] == b"\x1bJ\xff\x1bJ\xff\x1bJ\xb7"
    assert escpos_reader.read(b"\x1b@" + b"".join(parts), 8).rows == rows_of(image)


@pytest.mark.parametrize(
    ("cut", "tail"),
    [(CutMode.PARTIAL, b"\x1dVB\x00"), (CutMode.FULL, b"\x1dVA\x00"), (CutMode.NONE, b"\x1bJ\xa0")],
)
def test_the_paper_is_cut_as_the_printer_can(cut: CutMode, tail: bytes) -> None:
    assert escpos.job(Document((Text("x"), Cut()), "t", "en"), replace(LAN, cut=cut)).endswith(tail)
    assert not escpos.job(Document((Text("x"),), "t", "en"), replace(LAN, cut=cut)).endswith(tail)


def test_only_plain_ascii_goes_as_native_text() -> None:
    native = replace(LAN, text_mode=TextMode.NATIVE)
    plain = Document((Text("Shop", Role.SHOP, bold=True), Row("Total", "20.00 GBP", Role.TOTAL), Cut()), "t", "en")
    assert escpos_reader.read(escpos.job(plain, native), 72).lines == ["Shop", "Total" + "20.00 GBP".rjust(43)]
    assert not escpos_reader.read(escpos.job(plain, LAN), 72).lines
    for odd in ("£5", "café", "中文"):
        assert not escpos_reader.read(escpos.job(replace(plain, blocks=(Text(odd),)), native), 72).lines


def test_a_chinese_printer_shows_chinese_of_its_own() -> None:
    chinese = replace(LAN, text_mode=TextMode.NATIVE, native_encoding=NativeEncoding.GB18030, code_page=16)
    document = Document((Row("应付总额", "￥20.00", Role.TOTAL), Text("a — b"), Cut()), "t", "zh_Hans")
    job = escpos.job(document, chinese)
    assert b"\x1c&" + "应付总额".encode("gb18030") + b"\x1c.\x1bt\x10" in job
    assert strict.read(job).text() == ["应付总额" + " " * (48 - 8 - 7) + "￥20.00", "a — b"], (
        "a dash takes two columns, so does the sign"
    )
    for odd in ("£5", "ñ", "5 €", "㐀"):
        assert not strict.read(escpos.job(replace(document, blocks=(Text("话费" + odd),)), chinese)).text(), odd
    assert strict.read(escpos.job(replace(document, blocks=(Text("话费5"),)), chinese)).text() == ["话费5"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_native_lines_keep_their_columns(language: str) -> None:
    """Where a whole slip can be shown: as wide as the printer counts, and never wider than its paper."""
    chinese = replace(LAN, text_mode=TextMode.NATIVE, native_encoding=NativeEncoding.GB18030, columns=32)
    for name, document in every_document(language).items():
        lines = strict.read(escpos.job(document, chinese)).text()
        assert all(len(line.encode("gb18030")) <= 32 for line in lines), name


def test_native_text_carries_its_code_as_a_picture() -> None:
    document = Document((Text("above"), Qr("https://r.example"), Text("below")), "t", "en")
    paper = escpos_reader.read(escpos.job(document, replace(LAN, text_mode=TextMode.NATIVE)), 72)
    assert paper.lines == ["above", "below"]
    assert any(any(row) for row in paper.rows)


def test_the_drawer_pulse_is_short_and_its_own_job() -> None:
    assert escpos.drawer_pulse(LAN) == b"\x1bp\x00\x19\xfa"
    assert escpos.drawer_pulse(replace(LAN, drawer_pin=5)) == b"\x1bp\x01\x19\xfa"
    with pytest.raises(ValueError, match="no drawer"):
        escpos.drawer_pulse(replace(LAN, drawer_pin=None))


@pytest.mark.parametrize("wrong", [{"dots": 420}, {"band_rows": 100}, {"band_rows": 0}, {"drawer_pin": 3}, {"port": 0}])
def test_settings_no_printer_has_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        PrinterSettings("192.0.2.1", **wrong)  # type: ignore[arg-type]


def test_the_library_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(Path(tempfile.gettempdir()).glob("simcounter-*"))
    handlers, variable = list(logging.getLogger().handlers), os.environ.get("ESCPOS_CAPABILITIES_PICKLE_DIR")
    dummy_class.cache_clear()
    new_collector()
    assert logging.getLogger().handlers == handlers
    assert os.environ.get("ESCPOS_CAPABILITIES_PICKLE_DIR") == variable
    assert set(Path(tempfile.gettempdir()).glob("simcounter-*")) == before
