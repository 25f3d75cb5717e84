"""Where lines break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receipts.blocks import Bar, Row, Text
from receipts.document import Document
from receipts.lines import balanced, columns, pair, wrap
from receipts.text import render


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("話費儲值收據", 8, ["話費儲值", "收據"]),
        ("你好，世界", 4, ["你", "好，", "世界"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a abcdefgh", 4, ["a", "abcd", "efgh"]),
        ("有效 2026-12-22", 10, ["有效", "2026-12-22"]),
        ("", 5, [""]),
        ("汉", 1, ["汉"]),
    ],
)
def test_lines_break_at_spaces_and_around_han(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width, columns) == lines


WORDS = st.text(alphabet="ab -.,，。（）汉字話費é12", max_size=60)


@given(WORDS, st.integers(min_value=2, max_value=48))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    for lines in (wrap(text, width, columns), balanced(text, width, columns)):
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert all(columns(line) <= width for line in lines)


def test_centred_lines_are_of_about_the_same_width() -> None:
    assert balanced("PAID - ACTIVATION BEING CONFIRMED", 30, columns) == ["PAID - ACTIVATION", "BEING CONFIRMED"]


@given(WORDS, WORDS, st.integers(min_value=4, max_value=48))
def test_a_pair_loses_nothing_and_fits(label: str, value: str, width: int) -> None:
    sides = pair(label, value, width, 1, columns, columns)
    assert "".join("".join(left for left, _ in sides).split()) == "".join(label.split())
    assert "".join("".join(right for _, right in sides).split()) == "".join(value.split())
    assert all(columns(left) + columns(right) + bool(left and right) <= max(width, 2) for left, right in sides)


def test_a_long_value_goes_under_its_label_at_the_right() -> None:
    lines = render(Document((Row("Carrier reference", "MM-20261120-88213377"),), "t", "en"), 32)
    assert lines == "Carrier reference\n            MM-20261120-88213377\n"


def test_a_value_ends_at_the_last_column_with_han_as_two() -> None:
    assert render(Document((Row("手機號碼", "678"),), "t", "en"), 16) == "手機號碼     678\n"


def test_a_bar_is_marked_at_both_ends() -> None:
    assert render(Document((Bar("COPY 1"), Text("x")), "t", "en"), 20) == "   *** COPY 1 ***\nx\n"


@pytest.mark.parametrize("text", ["paid back: 8.00 GBP now", "将退还 8.00 GBP。", "1,200 JPY", "from 20.00 GBP to 8.00 GBP"])
def test_an_amount_stays_with_its_currency(text: str) -> None:
    for width in range(10, 30):
        assert not any(line[-1].isdigit() for line in wrap(text, width, columns))
    assert wrap("8.00 GBPX 8.00 gb", 5, columns)[0] == "8.00"
