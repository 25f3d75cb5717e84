"""Every layout in every language as a customer would read it. After a wanted change run this file once with
SIMCOUNTER_WRITE_GOLDEN=1 and read the difference."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest
from sample_slips import LANGUAGES, every_document

from receipts import reports, slips, text
from receipts.lines import columns

GOLDEN = Path(__file__).parent / "golden"
NARROW = ("sale_activated", "sale_being_confirmed", "sale_refunded", "sale_mixed", "line_refused", "z_report")
NAMES = tuple(every_document("en"))
CASES = [(name, language, 48) for name in NAMES for language in LANGUAGES]
CASES += [(name, language, 32) for name in NARROW for language in LANGUAGES]


@pytest.mark.parametrize(("name", "language", "width"), CASES)
def test_a_slip_reads_as_it_was_approved(name: str, language: str, width: int) -> None:
    lines = text.render(every_document(language)[name], width)
    path = GOLDEN / f"{name}-{language}-{width}.txt"
    if os.environ.get("SIMCOUNTER_WRITE_GOLDEN") == "1":
        path.write_text(lines, encoding="utf-8", newline="\n")
    assert lines == path.read_text(encoding="utf-8")
    assert max(columns(line) for line in lines.splitlines()) <= width


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {f"{name}-{language}-{width}" for name, language, width in CASES}


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
