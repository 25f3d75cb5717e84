"""The PDF: copyable, self-contained, the same every time."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from sample_slips import LANGUAGES, every_document

from receipts import pdf
from receipts.document import Document, Row, Text
from receipts.faces import Unprintable, fit
from receipts.page import Ink
from receipts.typesetting import set_page, set_pages


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_can_be_copied(language: str) -> None:
    for document in every_document(language).values():
        extracted = squeezed(PdfReader(BytesIO(pdf.render(document))).pages[0].extract_text())
        for thing in set_page(fit(document), pdf.MEASURES).things:
            if isinstance(thing, Ink):
                assert squeezed(thing.text) in extracted


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_names_itself_and_carries_its_fonts(language: str) -> None:
    document = every_document(language)["sale_activated"]
    reader = PdfReader(BytesIO(pdf.render(document)))
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == (document.title, document.shop)
    assert reader.trailer["/Root"]["/Lang"] == language.replace("_", "-")
    fonts = reader.pages[0]["/Resources"]["/Font"]
    assert len(fonts) >= 2
    for name in fonts:
        assert "/FontFile2" in fonts[name]["/FontDescriptor"], f"{fonts[name]['/BaseFont']} is not embedded"
    assert round(float(reader.pages[0].mediabox.width) / 72 * 25.4) == 80


def test_the_same_document_gives_the_same_bytes() -> None:
    document = every_document("zh_Hant")["z_report"]
    assert pdf.render(document) == pdf.render(document)


def test_markup_in_a_plan_is_only_text() -> None:
    odd = "<b>20 GB</b> <img src='http://x.example/'/> & (brackets) \\n"
    page = PdfReader(BytesIO(pdf.render(Document((Text(odd),), "t", "en")))).pages[0]
    assert squeezed(odd) in squeezed(page.extract_text())


def test_nothing_runs_off_the_page() -> None:
    for language in LANGUAGES:
        for document in every_document(language).values():
            page = set_page(fit(document), pdf.MEASURES)
            right = pdf.MEASURES.width - pdf.MEASURES.margin
            for thing in page.things:
                if isinstance(thing, Ink):
                    assert thing.x >= pdf.MEASURES.margin - 0.01
                    assert thing.x + pdf.MEASURES.text_width(thing.text, thing.size, thing.bold) <= right + 0.01


def test_several_threads_draw_the_same() -> None:
    documents = [every_document(language)["sale_activated"] for language in LANGUAGES] * 6
    alone = [pdf.render(document) for document in documents]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(pdf.render, documents)) == alone


def test_money_the_face_cannot_write_is_refused() -> None:
    with pytest.raises(Unprintable):
        pdf.render(Document((Row("Total", "5 \U0001f4b7", money=True),), "t", "en"))


def test_the_code_in_the_pdf_scans(tmp_path: Path) -> None:
    """Where the two tools are installed; the path of the code is there in any case."""
    content = pdf.render(every_document("en")["sale_activated"])
    (tmp_path / "slip.pdf").write_bytes(content)
    tools = shutil.which("pdftoppm"), shutil.which("zbarimg")
    if tools[0] and tools[1]:
        picture = tmp_path / "slip"
        subprocess.run([tools[0], "-r", "200", "-png", "-singlefile", str(tmp_path / "slip.pdf"), str(picture)], check=True)
        scan = subprocess.run([tools[1], "-q", "--raw", f"{picture}.png"], capture_output=True, text=True, check=True)
        assert scan.stdout.strip().startswith("https://r.example/")
    drawing = PdfReader(BytesIO(content)).pages[0].get_contents()
    assert drawing is not None
    assert drawing.get_data().count(b" re") > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a4_nothing_is_lost_and_nothing_stands_in_the_margins(language: str) -> None:
    for name, document in every_document(language).items():
        reader = PdfReader(BytesIO(pdf.render(document, pdf.Paper.A4)))
        roll = PdfReader(BytesIO(pdf.render(document))).pages[0].extract_text()
        assert squeezed("".join(page.extract_text() for page in reader.pages)) == squeezed(roll), name
        for page in reader.pages:
            assert [round(float(side) / 72 * 25.4) for side in (page.mediabox.width, page.mediabox.height)] == [210, 297]
        for page in set_pages(fit(document), pdf.A4_MEASURES, pdf.A4_HEIGHT):
            tops = [thing.y for thing in page.things]
            assert min(tops) >= pdf.A4_MEASURES.edge - 0.01
            assert max(tops) <= pdf.A4_HEIGHT - pdf.A4_MEASURES.edge


def test_a_long_report_goes_on_on_the_next_sheet() -> None:
    z = every_document("en")["z_report"]
    assert len(PdfReader(BytesIO(pdf.render(z, pdf.Paper.A4))).pages) == 2
    assert pdf.render(z, pdf.Paper.A4) == pdf.render(z, pdf.Paper.A4)
    assert len(PdfReader(BytesIO(pdf.render(every_document("en")["refund"], pdf.Paper.A4))).pages) == 1
