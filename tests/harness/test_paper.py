"""A slice of the ten thousand random documents; `dev.py prove --only paper --size full` takes all of them."""

from __future__ import annotations

import random

import pytest

from tests.harness import paper, paper_delay
from tests.harness.result import Result


def test_no_document_smuggles_a_command_to_the_printer() -> None:
    result = paper.run(paper.SIZES["commit"], random.randrange(2**31), print)
    assert result.failures == []
    assert result.counts["as pictures"] > 5
    assert result.counts["as the printer's own characters"] > 0


def test_the_slice_would_notice() -> None:
    """The reader refuses what a careless renderer lets through."""
    result = Result("paper", "", 0, 0)
    evil = [word for word in paper.EVIL if word.isascii()]
    refused = 0
    for word in evil:
        try:
            paper.reader.read(b"\x1b@" + word.encode("latin-1") + b"\n")
        except paper.reader.Refusal:
            refused += 1
    assert refused >= len(evil) - 2  # ESC @ alone and ESC ! are commands that printers may be sent
    assert result.counts == {}


def test_what_a_printer_costs_a_sale_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A turn at each till; the figures are for a quiet hour, see docs/performance.md."""
    result = paper_delay.run(paper_delay.SIZES["commit"], random.randrange(2**31), print)
    assert result.counts["sales"] == len(paper_delay.STATES)
    told = capsys.readouterr().out.splitlines()
    assert [state for state in paper_delay.STATES if not any(line.startswith(f"{state} ") for line in told)] == []
