"""Every renderer carries the same lines: whoever reads paper, PDF, screen or plain text reads the same receipt."""

from __future__ import annotations

from html.parser import HTMLParser
from io import BytesIO

import pytest
from pypdf import PdfReader
from sample_slips import LANGUAGES, every_document

from receipts import html, pdf, raster, text
from receipts.document import Bar, Document, Qr, Row, Text, as_copy
from receipts.faces import fit
from receipts.page import Ink
from receipts.typesetting import set_page


class Words(HTMLParser):
    """The text of a fragment, with every tag that was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def squeezed(content: str) -> str:
    """Without spaces, and without the marks plain text needs for a bar or a code."""
    return "".join(content.replace("***", "").replace("[QR]", "").split()).replace("*", "")


def said(document: Document) -> list[str]:
    """Every text of a document, in order."""
    parts: list[str] = []
    for block in document.blocks:
        if isinstance(block, (Bar, Text)):
            parts.append(block.text)
        elif isinstance(block, Row):
            parts += [block.label, block.value]
    return [squeezed(part) for part in parts if part]


def read_html(document: Document) -> Words:
    words = Words()
    words.feed(html.render(document))
    return words


def in_order(parts: list[str], content: str) -> bool:
    """Whether all parts stand in ``content``, each after the one before."""
    at = 0
    for part in parts:
        found = content.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_renderers_say_the_same_in_the_same_order(language: str) -> None:
    for document in every_document(language).values():
        copy = as_copy(document, 3, "COPY {n}")
        parts = said(copy)
        renderings = {
            "text 48": text.render(copy, 48),
            "text 32": text.render(copy, 32),
            "html": read_html(copy).text,
            "pdf": PdfReader(BytesIO(pdf.render(copy))).pages[0].extract_text(),
        }
        for dots in raster.SIZES:
            things = set_page(fit(copy), raster.measures(dots)).things
            renderings[f"raster {dots}"] = " ".join(thing.text for thing in things if isinstance(thing, Ink))
        for name, content in renderings.items():
            assert in_order(parts, squeezed(content)), f"{name} of {document.title}"


def test_html_is_escaped_and_semantic() -> None:
    evil = "<script>alert(1)</script>"
    blocks = (
        Bar(evil),
        Text(evil),
        Row(evil, evil),
        Row("b", "c"),
        Qr("https://r.example/?a=1&b=\"'"),
        Qr("LPA:1$x$y"),
    )
    document = Document(blocks, evil, 'en" onload="x')
    words = read_html(document)
    assert "script" not in words.tags
    assert words.text.count("<script>") == 4
    assert words.tags.count("dl") == 1
    assert words.tags.count("a") == 1
    assert 'onload="' not in html.render(document)


def test_the_screen_shows_even_what_the_face_cannot_write() -> None:
    assert "5 \U0001f4b7" in html.render(Document((Row("Total", "5 \U0001f4b7", money=True),), "t", "en"))


def test_a_missing_character_is_the_same_box_on_paper_and_in_the_pdf() -> None:
    document = Document((Text("a \U0001f600 b"),), "t", "en")
    assert "a □ b" in PdfReader(BytesIO(pdf.render(document))).pages[0].extract_text()
    assert [thing.text for thing in set_page(fit(document), raster.measures(576)).things if isinstance(thing, Ink)] == ["a □ b"]
