"""Every layout in every language as a customer would read it, at both widths of paper. After a wanted change draw them
anew with tools/draw_receipts.py, read the difference and look at the pictures."""

from __future__ import annotations

from dataclasses import fields
from io import BytesIO

import pytest
from goldens import CASES, COLUMNS, FINGERPRINTS, GOLDEN, NAMES, documents, drawn_by, fingerprints, kept, text_path
from pypdf import PdfReader
from sample_slips import LANGUAGES, every_document

from receipts import pdf, reports, slips, text
from receipts.document import Qr
from receipts.faces import fit
from receipts.lines import columns


@pytest.mark.parametrize("width", COLUMNS)
@pytest.mark.parametrize(("name", "language"), CASES)
def test_a_slip_reads_as_it_was_approved(name: str, language: str, width: int) -> None:
    lines = text.render(documents(language)[name], width)
    assert lines == text_path(name, language, width).read_text(encoding="utf-8")
    assert max(columns(line) for line in lines.splitlines()) <= width


def bare(lines: str) -> str:
    """The words alone: without spaces, rules, and the marks that plain text needs for a bar or a code."""
    kept = [line for line in lines.splitlines() if set(line.strip()) != {"-"} and line.strip() != "[QR]"]
    return "".join("".join(kept).replace("***", "").split())


@pytest.mark.parametrize(("name", "language"), CASES)
def test_the_pdf_says_the_same_words_in_the_same_order(name: str, language: str) -> None:
    document = fit(documents(language)[name])
    approved = bare(text.render(document, 48))
    for block in document.blocks:
        if isinstance(block, Qr):
            approved = approved.replace(bare(block.data), "", 1)
    (page,) = PdfReader(BytesIO(pdf.render(document))).pages
    assert bare(page.extract_text()) == approved


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_looks_as_it_was_approved(name: str) -> None:
    """Dot for dot and byte for byte; another release of the drawing libraries may move single dots."""
    if kept()["drawn by"] != drawn_by():
        pytest.skip(f"the fingerprints are of {kept()['drawn by']}")
    for language in LANGUAGES:
        assert fingerprints(documents(language)[name]) == kept()[f"{name}-{language}"], language


def test_no_golden_file_is_left_over() -> None:
    wanted = {text_path(name, language, width) for name, language in CASES for width in COLUMNS}
    assert set(GOLDEN.iterdir()) == wanted | {FINGERPRINTS}
    assert set(kept()) == {"drawn by"} | {f"{name}-{language}" for name, language in CASES}


def test_a_shift_slip_has_no_place_for_an_expected_figure() -> None:
    names = {field.name for field in fields(reports.ShiftSlip)}
    assert not names & {"expected", "difference", "sales", "tenders", "cash"}
    assert "Expected" not in text.render(every_document("en")["shift_slip"], 48)


def test_training_says_so_above_and_below() -> None:
    lines = text.render(every_document("en")["sale_training"], 48).splitlines()
    assert "TRAINING - NOT A RECEIPT" in lines[0]
    assert "TRAINING - NOT A RECEIPT" in lines[-1]


def test_an_open_sale_never_claims_to_be_active() -> None:
    open_slip = text.render(every_document("en")["sale_being_confirmed"], 48)
    assert "PAID - ACTIVATION BEING CONFIRMED" in open_slip
    assert "PAID - ACTIVATED" not in open_slip
    assert "Do not pay again." in open_slip


def test_a_family_slip_says_of_each_number_what_is_known_of_it() -> None:
    lines = " ".join(text.render(every_document("en")["sale_mixed"], 32).split())
    assert "PAID - ACTIVATED" not in lines
    assert [word in lines for word in ("***678", "***901", "***521")] == [True] * 3
    assert "Do not pay again." in lines and "8.00 GBP will be paid back." in lines
    assert "TOTAL" not in text.render(every_document("en")["line_refused"], 48)


def test_a_confirmation_is_not_a_second_receipt() -> None:
    lines = text.render(every_document("en")["confirmation"], 48)
    assert "is not a second receipt" in " ".join(lines.split())
    assert "TOTAL" not in lines


def test_empty_values_leave_no_line() -> None:
    from receipts import layouts

    bare = slips.SaleSlip(
        shop=slips.Shop("S"),
        origin=slips.Origin("1", "now", "today", "T", ""),
        state=slips.SaleState.ACTIVATED,
        lines=(slips.Line("07*", "", "P", "1.00 GBP"),),
        total="1.00 GBP",
    )
    lines = text.render(layouts.sale(bare, str, "en"), 32).splitlines()
    assert len(lines) == 13
    assert all(line.strip() for line in lines)
