"""The shop's logo: on every kind of copy where there is one, and never in the way of a receipt."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import structlog
from PIL import Image
from pypdf import PdfReader
from sample_slips import LOGO, every_document

from pos.app import hung_logo
from pos.sandbox import escpos_reader
from receipts import escpos, html, logos, pdf, raster, text
from receipts.document import Document
from receipts.settings import PrinterSettings, TextMode

WITH, WITHOUT = every_document("en")["sale_logo"], every_document("en")["sale_activated"]


@pytest.mark.parametrize("dots", [576, 512, 384])
def test_the_printer_gets_the_logo_as_it_was_drawn(dots: int) -> None:
    """In the middle, above the name, read back by the strict reader."""
    drawn = raster.draw(WITH, dots)
    paper = escpos_reader.read(escpos.job(WITH, PrinterSettings("p", dots=dots))).image(dots, cuts=False)
    height = drawn.height - raster.draw(WITHOUT, dots).height
    assert height > 0.12 * dots
    ink = drawn.crop((0, 0, dots, height)).convert("L").point(lambda grey: 255 - grey).getbbox()
    assert ink is not None and abs(ink[0] - (dots - ink[2])) < 0.05 * dots and ink[2] - ink[0] <= 0.6 * dots
    different = sum(
        ours != theirs for ours, theirs in zip(drawn.tobytes(), paper.crop((0, 0, *drawn.size)).tobytes(), strict=True)
    )
    assert different < 10, "but for a dot that keeps a real-time command apart"
    assert (
        drawn.crop((0, height, *drawn.size)).tobytes()
        == raster.draw(WITHOUT, dots).crop((0, 0, dots, drawn.height - height)).tobytes()
    )


def test_a_printer_of_its_own_characters_draws_the_logo_before_the_text() -> None:
    plain = Document(tuple(block for block in WITH.blocks if str(vars(block)).isascii()), "t", "en")
    job = escpos_reader.read(escpos.job(plain, PrinterSettings("p", text_mode=TextMode.NATIVE)))
    kinds = [type(event).__name__ for event in job.events]
    assert 0 < kinds.index("Raster") < kinds.index("TextLine")


def test_pdf_and_screen_show_it_and_the_words_stay() -> None:
    (page,) = PdfReader(BytesIO(pdf.render(WITH))).pages
    assert len(page.images) == 1 and page.images[0].image is not None
    assert len(PdfReader(BytesIO(pdf.render(WITHOUT))).pages[0].images) == 0
    assert pdf.render(WITH) == pdf.render(WITH)
    assert 'alt="Harbour Mobile" src="data:image/png;base64,' in html.render(WITH)
    assert text.render(WITH, 48) == text.render(WITHOUT, 48)


def test_a_slip_whose_logo_is_gone_is_the_slip_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logos, "known", {})
    assert raster.draw(WITH, 576).tobytes() == raster.draw(WITHOUT, 576).tobytes()
    assert pdf.render(replace(WITH, title=WITHOUT.title)) == pdf.render(WITHOUT)
    assert "<img" not in html.render(WITH)
    assert Document.from_json(WITH.to_json()) == WITH


def test_the_name_follows_the_picture(tmp_path: Path) -> None:
    Image.open(LOGO).save(tmp_path / "again.png", compress_level=0)
    assert logos.hang(tmp_path / "again.png") == logos.hang(LOGO)
    Image.open(LOGO).rotate(180).save(tmp_path / "other.png")
    assert logos.hang(tmp_path / "other.png") != logos.hang(LOGO)


def _wrong(place: Path, what: str) -> Path:
    path = place / "logo.png"
    match what:
        case "empty":
            path.write_bytes(b"")
        case "too large":
            path.write_bytes(LOGO.read_bytes() + bytes(logos.MOST_BYTES))
        case "no PNG":
            Image.new("RGB", (100, 100)).save(path, "GIF")
        case "cut short":
            path.write_bytes(LOGO.read_bytes()[:-200])
        case "too small":
            Image.new("RGB", (20, 20)).save(path)
        case "a bomb":
            Image.new("1", (20_000, 20_000)).save(path)
    return path


@pytest.mark.parametrize("what", ["missing", "empty", "too large", "no PNG", "cut short", "too small", "a bomb"])
def test_a_logo_that_cannot_be_used_is_said_and_receipts_go_on(what: str, tmp_path: Path) -> None:
    path = _wrong(tmp_path, what)
    with pytest.raises(logos.LogoUnusable, match=r"The logo logo.png "):
        logos.hang(path)
    with structlog.testing.capture_logs() as told:
        assert hung_logo(str(path)) == ""
    assert "go on without" in told[0]["fault"]
