"""Barcodes of North American licences: the standard's own example, older versions, and what scanners do to them."""

from __future__ import annotations

import random
from datetime import date

import pytest

from pos.domain.aamva import AamvaField, NotAamva, is_aamva, read
from pos.domain.entry import AamvaEntry, understand
from tests.day import day

# AAMVA DL/ID Card Design Standard, annex D, the example record (as in benhovinga/aamva_barcode_library, README).
SPECIMEN = (
    "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDDEN\nDACMICHAEL\nDDFN\nDADJOHN\nDDGN\nDCUJR\n"
    "DCAD\nDCBK\nDCDPH\nDBD06062019\nDBB06061986\nDBA12102024\nDBC1\nDAU068 in\nDAYBRO\nDAG2300 WEST BROAD STREET\nDAIRICHMOND\n"
    "DAJVA\nDAK232690000  \nDCF2424244747474786102204\nDCGUSA\nDCK123456789\nDDAF\nDDB06062018\nDDC06062020\nDDD1\rZVZVA01\r"
)
# Maryland still wrote the first version's file type, with all names in one element (winfinit/aamvajs, test data).
FIRST = (
    "@\n\x1e\rAAMVA6360030101DL00290192DLDAQK-134-123-145-103\nDAAJOHNSON,JACK,,3RD\nDAG1234 BARNEYS INN PL\nDAIBALTIMORE\nDAJMD\n"
    "DAK21230 \nDARC \nDAS \nDAT \nDAU505\nDAW135\nDBA20170209\nDBB19910209\nDBC1\nDBD20120210\nDBHN\r"
)
CANADIAN = SPECIMEN.replace("636000", "636012").replace("DCGUSA", "DCGCAN").replace("DAJVA", "DAJON")
CANADIAN = CANADIAN.replace("DBB06061986", "DBB19860606").replace("DBA12102024", "DBA20241210")


def test_the_standards_example() -> None:
    licence = read(SPECIMEN)
    assert licence.reads_right
    assert (licence.country, licence.jurisdiction, licence.is_licence) == ("US", "VA", True)
    assert (licence.number, licence.name) == ("T64235789", "MICHAEL JOHN SAMPLE")
    assert (licence.birth_date, licence.expires_on) == (date(1986, 6, 6), date(2024, 12, 10))


def test_the_first_version() -> None:
    licence = read(FIRST)
    assert licence.reads_right
    assert (licence.number, licence.name, licence.jurisdiction) == ("K-134-123-145-103", "JACK 3RD JOHNSON", "MD")
    assert (licence.birth_date, licence.expires_on) == (date(1991, 2, 9), date(2017, 2, 9))


def test_canada_writes_the_year_first_and_is_known_by_its_issuer_too() -> None:
    for text in (CANADIAN, CANADIAN.replace("DCGCAN\n", "")):
        licence = read(text)
        assert (licence.country, licence.birth_date, licence.expires_on) == ("CA", date(1986, 6, 6), date(2024, 12, 10))


def test_an_identity_card_is_no_licence() -> None:
    assert not read(SPECIMEN.replace("02DL0041", "02ID0041").replace("DLDAQ", "IDDAQ")).is_licence


@pytest.mark.parametrize(
    "sent",
    [
        SPECIMEN.replace("\n", "\r\n"),
        SPECIMEN.replace("\n", "\r"),
        SPECIMEN.replace("\x1e", ""),
        SPECIMEN[2:],
        SPECIMEN.replace("ANSI 6", "ANSI6"),
        SPECIMEN.replace("DLDAQ", "DL\nDAQ"),
        "\x02" + SPECIMEN + "\x03",
        SPECIMEN.strip(),
    ],
)
def test_the_way_a_scanner_sends_it_does_not_matter(sent: str) -> None:
    assert read(sent) == read(SPECIMEN)
    assert isinstance(understand(sent, "GB"), AamvaEntry)


@pytest.mark.parametrize(
    ("element", "field"),
    [
        ("DLDAQT64235789", AamvaField.NUMBER), ("DCSSAMPLE", AamvaField.NAMES), ("DBB06061986", AamvaField.BIRTH_DATE),
        ("DBA12102024", AamvaField.EXPIRY_DATE),
    ],
)  # fmt: skip
def test_a_missing_element_is_named(element: str, field: AamvaField) -> None:
    text = SPECIMEN.replace(element, "DL" if element.startswith("DL") else element[:3])
    if field is AamvaField.NAMES:
        text = text.replace("DACMICHAEL", "DAC").replace("DADJOHN", "DADNONE")
    if field is AamvaField.EXPIRY_DATE:
        assert read(text).reads_right, "an empty one says that there is no end"
        text = SPECIMEN.replace("DBA12102024\n", "")
    assert read(text).missing == (field,)
    wrong = {AamvaField.BIRTH_DATE: "DBB06311986", AamvaField.EXPIRY_DATE: "DBA99999999"}
    if field in wrong:
        assert read(SPECIMEN.replace(element, wrong[field])).missing == (field,)


def test_a_card_without_end_says_so() -> None:
    licence = read(SPECIMEN.replace("DBA12102024", "DBANONE"))
    assert licence.reads_right and licence.expires_on is None


def test_it_shows_nobody_in_logs() -> None:
    shown = repr(read(SPECIMEN)) + repr(understand(SPECIMEN, "GB"))
    assert not any(part in shown for part in ("T64235789", "MICHAEL", "SAMPLE", "1986", "2024"))


@pytest.mark.parametrize("text", ["", "ANSI", "@ANSI 63600", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<", "07700 900123"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_aamva(text)
    with pytest.raises(NotAamva):
        read(text)


def test_rubbish_is_read_or_refused() -> None:
    rng = random.Random(str(day()))
    for _ in range(5000):
        signs = list(rng.choice([SPECIMEN, FIRST, CANADIAN]))
        for _ in range(rng.randint(1, 12)):
            at = rng.randrange(len(signs))
            signs[at : at + rng.randint(0, 9)] = rng.choices("\n\r\x1eDL0123456789ABCXYZ中\ud800 ", k=rng.randint(0, 3))
        text = "".join(signs)
        try:
            licence = read(text)
        except NotAamva:
            continue
        assert licence.reads_right == (not licence.missing)
