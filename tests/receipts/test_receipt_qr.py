"""A QR block in every renderer, read by a reader that is not ours: links, and the activation codes of eSIMs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from scanner import needs_scanner, scan

from receipts import html, pdf, text
from receipts.document import Document, DocumentError, Qr, Text
from receipts.page import Code
from receipts.raster import SIZES, draw, measures
from receipts.typesetting import set_page

LPA = "LPA:1$rsp-eu-1.smdp.example-carrier.com$7K2M-99QF-A1B2-C3D4-E5F6-0718-29AB$1.3.6.1.4.1.31746$1"
CODES = ("https://r.example/r/LON1-000042", LPA, "x" * 180)
LEAST_DOTS = 3  # a module of fewer dots does not survive a thermal head


def document(data: str) -> Document:
    return Document((Text("above"), Qr(data), Text("below")), "code", "en")


@needs_scanner
@pytest.mark.parametrize("dots", SIZES)
@pytest.mark.parametrize("data", CODES)
def test_a_code_on_paper_scans_at_every_width(data: str, dots: int, tmp_path: Path) -> None:
    assert scan(draw(document(data), dots), tmp_path) == [data]
    (code,) = [thing for thing in set_page(document(data), measures(dots)).things if isinstance(thing, Code)]
    assert code.module >= LEAST_DOTS


@needs_scanner
@pytest.mark.parametrize("data", CODES)
def test_a_code_in_the_pdf_scans(data: str, tmp_path: Path) -> None:
    painter = shutil.which("pdftoppm")
    if painter is None:
        pytest.skip("pdftoppm is not installed")
    (tmp_path / "slip.pdf").write_bytes(pdf.render(document(data)))
    command = [painter, "-r", "200", "-png", "-singlefile", str(tmp_path / "slip.pdf"), str(tmp_path / "slip")]
    subprocess.run(command, check=True)
    with Image.open(tmp_path / "slip.png") as picture:
        assert scan(picture, tmp_path) == [data]


@needs_scanner
@pytest.mark.parametrize("data", CODES)
def test_a_code_on_the_screen_scans(data: str, tmp_path: Path) -> None:
    assert scan(painted(html.render(document(data))), tmp_path) == [data]


def painted(page: str) -> Image.Image:
    """The SVG's path drawn by its own numbers: each M x y h length is one black run."""
    (side,) = {int(found) for found in re.findall(r'viewBox="0 0 (\d+) \d+"', page)}
    picture = Image.new("L", (side * 4, side * 4), 255)
    pen = ImageDraw.Draw(picture)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", page):
        left, top = int(x) * 4, int(y) * 4
        pen.rectangle((left, top, left + int(length) * 4 - 1, top + 3), fill=0)
    return picture


@pytest.mark.parametrize("data", CODES)
def test_without_a_scanner_the_words_of_the_code_are_there(data: str) -> None:
    assert "".join(text.render(document(data), 32).split()) == f"above[QR]{data}below"
    assert data in html.render(document(data))


def test_a_code_needs_something_to_say() -> None:
    with pytest.raises(DocumentError):
        Qr("\x1b\x10")
