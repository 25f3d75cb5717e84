"""Countries as documents write them."""

import pytest
from babel import Locale

from pos.domain import countries

# CLDR's territories that ISO 3166-1 does not list (exceptional reservations and CLDR's own).
NOT_ISO = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}


def test_every_country_of_the_world_has_both_codes() -> None:
    world = {code for code in Locale("en").territories if len(code) == 2 and code.isalpha()} - NOT_ISO
    assert len(world) == 249
    three = {countries.alpha3(code) for code in world}
    assert len(three) == 249 and all(code and countries.is_mrz_code(code) for code in three)
    assert {countries.alpha2(code) for code in three if code} == world


@pytest.mark.parametrize(
    ("code", "two"),
    [
        ("GBR", "GB"), ("gb", "GB"), ("D", "DE"), ("D<<", "DE"), ("DEU", "DE"), ("CHN", "CN"), ("HKG", "HK"),
        ("MAC", "MO"), ("TWN", "TW"), ("GBD", "GB"), ("GBN", "GB"), ("GBO", "GB"), ("GBP", "GB"), ("GBS", "GB"),
        ("UNO", None), ("XXA", None), ("UTO", None), ("", None), ("ABC", None), ("ＧＢ", "GB"),
    ],
)  # fmt: skip
def test_codes_of_documents_lead_to_countries(code: str, two: str | None) -> None:
    assert countries.alpha2(code) == two


@pytest.mark.parametrize(
    "code",
    [
        "D", "GBD", "GBN", "GBO", "GBP", "GBS", "EUE", "UNO", "UNA", "UNK", "XBA", "XIM", "XCC", "XCE", "XCO", "XEC",
        "XPO", "XES", "XMP", "XOM", "XDC", "XXA", "XXB", "XXC", "XXX", "UTO", "RKS",
    ],
)  # fmt: skip
def test_the_special_codes_of_doc_9303_part_3_are_known(code: str) -> None:
    assert countries.is_mrz_code(code)
    assert countries.issuer_key(code)


@pytest.mark.parametrize("code", ["GB", "DE", "ZZZ", "", "<<<", "0TO"])
def test_what_no_document_prints_is_unknown(code: str) -> None:
    assert not countries.is_mrz_code(code)
