"""The fonts in the repository: complete, from where they say, and honest about what they lack."""

from __future__ import annotations

import hashlib
import logging

import pytest

from receipts.document import Bar, Document, Row, Text
from receipts.faces import FILES, FOLDER, Unprintable, fit, lacking, registered
from receipts.raster import draw

EMOJI = "\U0001f600"
RARE = "\U00020bb7"  # outside the plane both codecs cover


def han() -> str:
    simplified = [bytes([a, b]).decode("gb2312", "ignore") for a in range(0xB0, 0xF8) for b in range(0xA1, 0xFF)]
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    traditional = [bytes([a, b]).decode("big5", "ignore") for a in range(0xA4, 0xFA) for b in trails]
    return "".join({text for text in simplified + traditional if len(text) == 1 and "\u4e00" <= text <= "\u9fff"})


@pytest.mark.parametrize("bold", [False, True])
def test_both_weights_have_all_han_of_both_codecs(bold: bool) -> None:
    glyphs = registered(bold).face.charToGlyph
    everything = han()
    assert len(everything) > 13_051
    assert not [character for character in everything if ord(character) not in glyphs]


def test_both_weights_have_the_same_characters() -> None:
    assert set(registered(False).face.charToGlyph) == set(registered(True).face.charToGlyph)


def test_latin_punctuation_and_currencies_are_there() -> None:
    wanted = "".join(map(chr, range(0x20, 0x7F))) + "£€¥₩₫éèüßñçøåÄÖ–—‘’“”…×÷°™№□✓，。、；：！？（）《》「」￥＋－"
    assert lacking(wanted) == ""


def test_the_files_are_the_ones_their_sources_name() -> None:
    sources = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for path in (*FILES.values(), FOLDER / "OFL.txt"):
        assert f"`{path.name}` | `{hashlib.sha256(path.read_bytes()).hexdigest()}`" in sources


def test_a_missing_character_becomes_a_box_and_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fitted = fit(Document((Bar(f"a{EMOJI}"), Text(RARE), Row("x", f"secret {EMOJI}")), "t", "en"))
    assert fitted.blocks == (Bar("a□"), Text("□"), Row("x", "secret □"))
    assert "U+1F600" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("row", [Row("Total", f"5{EMOJI}", money=True), Row(RARE, "5.00", money=True)])
def test_money_is_printed_exactly_or_not_at_all(row: Row) -> None:
    with pytest.raises(Unprintable, match="U\\+"):
        draw(Document((row,), "t", "en"), 576)
