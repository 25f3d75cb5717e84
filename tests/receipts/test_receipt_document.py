"""The document: what may stand in it, how it is kept, how it is copied."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_slips import LANGUAGES, every_document

from receipts.blocks import Align, Role
from receipts.document import Bar, Cut, Document, DocumentError, Feed, Qr, Row, Rule, Text, as_copy, clean
from receipts.layouts import copy_words

PLAIN = Document((Text("Shop", Role.SHOP, Align.CENTRE, bold=True), Row("A", "b"), Feed(1), Cut()), "t", "zh_Hans")


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("a\x1b@b", "a@b"),
        ("plan\x10\x14\x01\x00\x01", "plan"),
        ("one\ntwo\tthree\r\nfour", "one two three four"),
        ("del\x7f c1\x9b\x85", "del c1"),
        ("\u202e20.00\u202c \u2066GBP\u2069\u200e\u200f", "20.00 GBP"),
        ("1\u00a0234\u202f567", "1 234 567"),
        ("\u22125.00", "-5.00"),
        ("e\u0301", "é"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("全角　空格", "全角　空格"),
    ],
)
def test_text_is_cleaned(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@given(st.text())
def test_no_control_survives_and_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not [c for c in once if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]


def test_every_block_cleans_its_text() -> None:
    bad = "a\x1bp\x00"
    for block in (Bar(bad), Text(bad), Row(bad, bad), Qr(bad)):
        assert not any("\x1b" in value for value in vars(block).values() if isinstance(value, str))


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_gives_back_an_equal_document(language: str) -> None:
    for document in every_document(language).values():
        assert Document.from_json(document.to_json()) == document


def broken_documents() -> dict[str, str]:
    good = json.loads(PLAIN.to_json())
    text = good["blocks"][0]
    return {
        "no JSON": "{",
        "a list": "[]",
        "another version": json.dumps({**good, "version": 2}),
        "a truth for a version": json.dumps({**good, "version": True}),
        "a missing title": json.dumps({key: value for key, value in good.items() if key != "title"}),
        "an extra key": json.dumps({**good, "colour": "red"}),
        "an unknown block": json.dumps({**good, "blocks": [{"kind": "picture"}]}),
        "a block that is no object": json.dumps({**good, "blocks": ["cut"]}),
        "an unknown role": json.dumps({**good, "blocks": [{**text, "role": "huge"}]}),
        "a number for a text": json.dumps({**good, "blocks": [{**text, "text": 5}]}),
        "a number for a truth": json.dumps({**good, "blocks": [{**text, "bold": 1}]}),
        "a missing field": json.dumps({**good, "blocks": [{"kind": "row", "label": "x"}]}),
        "too long a feed": json.dumps({**good, "blocks": [{"kind": "feed", "lines": 5000}]}),
        "blocks that are no list": json.dumps({**good, "blocks": {}}),
    }


@pytest.mark.parametrize("what", broken_documents())
def test_the_reader_refuses(what: str) -> None:
    with pytest.raises(DocumentError):
        Document.from_json(broken_documents()[what])


def test_a_copy_says_so_above_and_below() -> None:
    copy = as_copy(PLAIN, 2, "COPY {n}")
    assert copy.blocks == (Bar("COPY 2"), *PLAIN.blocks[:2], Bar("COPY 2"), Feed(1), Cut())
    assert as_copy(PLAIN, 1, "副本 1").blocks[0] == Bar("副本 1")


def test_the_bar_of_a_copy_carries_number_and_time() -> None:
    assert copy_words(2, "2026-11-21 09:00 GMT", str) == "COPY 2 - 2026-11-21 09:00 GMT"
    assert copy_words(1, "", str) == "COPY 1"


def test_copies_are_numbered_from_one() -> None:
    with pytest.raises(DocumentError):
        as_copy(PLAIN, 0, "COPY")


def test_a_document_knows_its_shop_and_its_language_tag() -> None:
    assert (PLAIN.shop, PLAIN.language_tag) == ("Shop", "zh-Hans")
    assert Document((Rule(),), "t", "en").shop == ""


def test_an_empty_code_is_no_code() -> None:
    with pytest.raises(DocumentError):
        Qr("\x00")
