"""The one field: every row of the table of shapes, and the clerk's last word."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.entry import (
    BadgeEntry,
    CardNumberRefused,
    Entry,
    EntryKind,
    IccidEntry,
    ImeiEntry,
    MrzEntry,
    NothingEntry,
    PhoneEntry,
    ReceiptEntry,
    SearchEntry,
    SearchHint,
    understand,
    understand_as,
)
from pos.domain.mrz import MrzFormat

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\r\n"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"


def understood(text: str, *prefixes: str) -> Entry:
    return understand(text, "GB", prefixes)


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("07700 900123", "+447700900123"), ("+852 5550 1234", "+85255501234"), ("00852 5550 1234", "+85255501234"),
        ("０７７００９００１２３", "+447700900123"), ("tel:+44-7700-900123\r", "+447700900123"),
        ("020-79460123", "+442079460123"),
    ],
)  # fmt: skip
def test_a_phone_number(text: str, e164: str) -> None:
    entry = understood(text)
    assert isinstance(entry, PhoneEntry) and entry.number.e164 == e164


@pytest.mark.parametrize(
    "text", ["8944123456789012348", "8944 1234 5678 9012 348", "8944123456789012348F", "ICCID 8944123456789012348"]
)
def test_a_sim(text: str) -> None:
    entry = understood(text)
    assert isinstance(entry, IccidEntry) and entry.iccid.digits == "8944123456789012348"


@pytest.mark.parametrize("text", ["490154203237518", "49-015420-323751-8", "IMEI: 490154203237518"])
def test_a_device(text: str) -> None:
    entry = understood(text)
    assert isinstance(entry, ImeiEntry) and entry.imei.digits == "490154203237518"


@pytest.mark.parametrize(("text", "format"), [(TD3, MrzFormat.TD3), (TD1, MrzFormat.TD1), (TD1.lower(), MrzFormat.TD1)])
def test_lines_of_a_document(text: str, format: MrzFormat) -> None:
    entry = understood(text)
    assert isinstance(entry, MrzEntry) and entry.format is format


@pytest.mark.parametrize(
    "part",
    [
        *TD3.split(), TD1[:30], TD1[30:60], TD1[60:], TD3[:20], TD3.replace("ANNA", "ANN*"), TD3.strip()[:-1],
        # A second line without a single filler.
        "L898902C36UTO7408122F1204159ZE184226B1234560",
    ],
)  # fmt: skip
def test_part_of_a_document_still_goes_nowhere_but_to_the_id_check(part: str) -> None:
    entry = understood(part)
    assert isinstance(entry, MrzEntry) and entry.format is None
    assert "ERIKSSON" not in repr(entry) and "898902" not in repr(entry)


@pytest.mark.parametrize(
    ("text", "prefixes", "number"),
    [
        ("LON1-000123", (), "LON1-000123"), ("r-lon1-000123", (), "R-LON1-000123"),
        ("LON1–000123", ("LON1",), "LON1-000123"),
        ("R-LON1-000123", ("lon1",), "R-LON1-000123"), ("1234-000123", ("1234",), "1234-000123"),
        (" LON1 - 000123 ", (), "LON1-000123"),
    ],
)  # fmt: skip
def test_a_receipt(text: str, prefixes: tuple[str, ...], number: str) -> None:
    assert understood(text, *prefixes) == ReceiptEntry(number)


@pytest.mark.parametrize("text", ["HKG2-000123", "LON1-00012", "LON1-", "LON1000123"])
def test_what_is_no_receipt_of_these_stores_is_searched(text: str) -> None:
    assert isinstance(understood(text, "LON1"), SearchEntry)


@pytest.mark.parametrize("text", ["B:1001", "b:1001", "Ｂ：1001", "\x02B:1001\r"])
def test_a_badge(text: str) -> None:
    assert understood(text) == BadgeEntry("1001")


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111", "4111 1111 1111 1111", "3782 822463 10005", "B:4111111111111111", "LON1-4111111111111111",
        "4111111111111111<<<<<<<<<<<<<<<<", "tel:5555555555554444", "%B4111111111111111^SMITH/J^2912101?",
    ],
)  # fmt: skip
def test_a_card_number_is_refused_and_forgotten(text: str) -> None:
    entry = understood(text)
    assert entry == CardNumberRefused()
    assert dataclasses.fields(entry) == () and not any(sign.isdigit() for sign in repr(entry))
    for kind in EntryKind:
        assert understand_as(kind, text, "GB") in (CardNumberRefused(), None)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Jane Smith", None), ("07700", SearchHint.NUMBER_TOO_SHORT), ("07700 900 1234", SearchHint.NUMBER_TOO_LONG),
        ("+999 123 4567", SearchHint.NUMBER_NOT_VALID), ("8944123456789012349", SearchHint.SIM_NOT_RIGHT),
        ("894412345678901234", SearchHint.SIM_NOT_RIGHT), ("A123456(3)", SearchHint.IDENTITY_NUMBER),
        ("11010519491231002x", SearchHint.IDENTITY_NUMBER), ("A800000014", SearchHint.IDENTITY_NUMBER),
        ("陳大文", None),
    ],
)  # fmt: skip
def test_anything_else_is_searched_and_kept_out_of_logs(text: str, hint: SearchHint | None) -> None:
    entry = understood(text)
    assert entry == SearchEntry(text, hint)
    assert text not in repr(entry)


@pytest.mark.parametrize("text", ["", " ", "\r\n", "\x02\x03", "\u200b", "\u3000", " " * 1000])
def test_nothing(text: str) -> None:
    assert understood(text) == NothingEntry()


def test_a_text_too_long_is_not_kept() -> None:
    assert understood("word " * 1000) == SearchEntry("", SearchHint.TEXT_TOO_LONG)


@pytest.mark.parametrize(
    ("kind", "text", "entry"),
    [
        (EntryKind.SEARCH, "07700 900123", SearchEntry("07700 900123")),
        (EntryKind.SEARCH, "LON1-000123", SearchEntry("LON1-000123")),
        (EntryKind.RECEIPT, "1234-000123", ReceiptEntry("1234-000123")),
        (EntryKind.RECEIPT, "Jane", None),
        (EntryKind.BADGE, "1001", BadgeEntry("1001")),
        (EntryKind.PHONE, "Jane", None),
        (EntryKind.SIM, "07700 900123", None),
        (EntryKind.DEVICE, "490154203237517", None),
        (EntryKind.MRZ, "Jane", None),
        (EntryKind.PHONE, " ", NothingEntry()),
    ],
)
def test_the_clerk_has_the_last_word(kind: EntryKind, text: str, entry: Entry | None) -> None:
    assert understand_as(kind, text, "GB") == entry


def test_the_clerk_can_turn_each_kind_into_itself() -> None:
    for kind, text, type in [
        (EntryKind.PHONE, "07700 900123", PhoneEntry), (EntryKind.SIM, "8944123456789012348", IccidEntry),
        (EntryKind.DEVICE, "490154203237518", ImeiEntry), (EntryKind.MRZ, TD3, MrzEntry),
    ]:  # fmt: skip
        assert isinstance(understand_as(kind, text, "GB"), type)
        assert understand_as(kind, text, "GB") == understand(text, "GB")


@given(st.text(alphabet="0123456789+-() ./", max_size=40), st.sampled_from(["GB", "HK", "CN", "TW", "MO", "US", ""]))
def test_no_entry_shows_more_than_three_digits(text: str, region: str) -> None:
    entry = understand(text, region)
    if not isinstance(entry, ReceiptEntry | BadgeEntry):
        assert sum(sign.isdigit() for sign in repr(entry)) <= 3
