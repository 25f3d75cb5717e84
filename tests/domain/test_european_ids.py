"""Numbers of European and some Asian cards by the rule of the place; every example was published by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain import european_ids as ids
from pos.domain.documents import DocumentPolicy, DocumentProblem, DocumentType, check_document, normalise
from pos.domain.national_numbers import NumberCheck

HOLDS, FORMAT, DIGIT = NumberCheck.HOLDS, NumberCheck.WRONG_FORMAT, NumberCheck.WRONG_CHECK_DIGIT

PUBLISHED: list[tuple[Callable[[str], NumberCheck], str, NumberCheck]] = [
    # DVLA's own specimen (Sarah Meredyth Morgan), its test services' driver, and the other two of DuffleOne/dln.
    (ids.british_licence, "MORGA657054SM9IJ", HOLDS),
    (ids.british_licence, "MORGA657054SM9IJ35", HOLDS),
    (ids.british_licence, "TCAEU610267NO9EK", HOLDS),
    (ids.british_licence, "JONES712249IP6VV", HOLDS),
    (ids.british_licence, "12345678", HOLDS),
    # The invalid ones of DVSA's own tests (dvsa/des-user-support, licence-number), and of Northern Ireland there.
    (ids.british_licence, "9ONE9061103W97YT", FORMAT),
    (ids.british_licence, "PIKOJ710123B9", FORMAT),
    (ids.british_licence, "DELA9009020GW5P", FORMAT),
    (ids.british_licence, "12345853270G99JF", FORMAT),
    (ids.british_licence, "1234567", FORMAT),
    (ids.british_licence, "123456789", FORMAT),
    # The specimen with a month and a day that are none.
    (ids.british_licence, "MORGA613054SM9IJ", FORMAT),
    (ids.british_licence, "MORGA657324SM9IJ", FORMAT),
    # The Federal Ministry's specimen cards (T220001293, L01X00T47) and a service portal's test (L9F6MKYMJ0).
    (ids.german_card, "T220001293", HOLDS),
    (ids.german_card, "L9F6MKYMJ0", HOLDS),
    (ids.german_card, "L01X00T47", HOLDS),
    (ids.german_card, "L01X00T471", HOLDS),
    (ids.german_card, "1220010855D", HOLDS),
    (ids.german_card, "T220001294", DIGIT),
    (ids.german_card, "L01X00T472", DIGIT),
    (ids.german_card, "A220001", FORMAT),
    (ids.german_card, "A26666666", FORMAT),
    # Respect/Validation, documentation; drogimex/validate-polish-id-card, README; sebanie15/walidatory.
    (ids.polish_card, "AYW036733", HOLDS),
    (ids.polish_card, "APH505567", HOLDS),
    (ids.polish_card, "ABS123456", HOLDS),
    (ids.polish_card, "AYW036731", DIGIT),
    (ids.polish_card, "ABS523456", DIGIT),
    (ids.polish_card, "APH50556", FORMAT),
    # python-stdnum, the examples in its documentation: es.dni, es.nie, be.eid, pt.cc, nl.identiteitskaartnummer, th.pin, my.nric,
    # id.nik.
    (ids.spanish_card, "54362315K", HOLDS),
    (ids.spanish_card, "54362315Z", DIGIT),
    (ids.spanish_card, "54362315", FORMAT),
    (ids.spanish_card, "X2482300W", HOLDS),
    (ids.spanish_card, "X2482300A", DIGIT),
    (ids.spanish_permit, "X2482300W", HOLDS),
    (ids.spanish_permit, "X2482300", FORMAT),
    # The Spanish police's specimen of the card of 2015, as its machine readable lines carry it.
    (ids.spanish_card, "AAA000000", HOLDS),
    (ids.belgian_card, "591191706458", HOLDS),
    (ids.belgian_card, "000001103271", HOLDS),
    (ids.belgian_card, "591201099997", HOLDS),
    (ids.belgian_card, "000001103225", DIGIT),
    (ids.belgian_card, "59119170645", FORMAT),
    # The specimen card of 2004 (its lines: IDBEL590335801485120100200, number, digit, then the person's own number).
    (ids.belgian_card, "590335801", HOLDS),
    (ids.portuguese_card, "000000000ZZ4", HOLDS),
    (ids.portuguese_card, "000000000ZZ3", DIGIT),
    (ids.portuguese_card, "00000000AZZ4", FORMAT),
    (ids.dutch_card, "EM0000000", HOLDS),
    (ids.dutch_card, "XR1001R58", HOLDS),
    (ids.dutch_card, "XR1001R", FORMAT),
    (ids.dutch_card, "581001RXR", FORMAT),
    (ids.dutch_card, "XR1O01R58", FORMAT),
    (ids.thai_card, "3100600445635", HOLDS),
    (ids.thai_card, "1234545678781", HOLDS),
    (ids.thai_card, "1234545678789", DIGIT),
    (ids.malaysian_card, "770305021234", HOLDS),
    (ids.malaysian_card, "771305021234", FORMAT),
    (ids.malaysian_card, "770305171234", FORMAT),
    (ids.indonesian_card, "3171011708450001", HOLDS),
    (ids.indonesian_card, "31710117084500", FORMAT),
    (ids.indonesian_card, "9971011708450001", FORMAT),
]


@pytest.mark.parametrize(("rule", "number", "check"), PUBLISHED, ids=lambda part: getattr(part, "__name__", str(part)))
def test_published_examples(rule: Callable[[str], NumberCheck], number: str, check: NumberCheck) -> None:
    assert rule(number) is check


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=20))
def test_no_rule_stumbles_over_anything(number: str) -> None:
    for rule in {rule for rule, _, _ in PUBLISHED}:
        assert rule(number) in NumberCheck


@given(st.from_regex(r"[A-Z]{3}[0-9]{6}", fullmatch=True), st.integers(3, 8), st.integers(1, 9))
def test_one_wrong_digit_of_a_polish_card_never_goes_unseen(body: str, place: int, more: int) -> None:
    number = next(f"{body[:3]}{d}{body[4:]}" for d in "0123456789" if ids.polish_card(f"{body[:3]}{d}{body[4:]}") is HOLDS)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert ids.polish_card(wrong) is DIGIT


def test_a_typed_card_is_judged_by_its_rule_and_a_scanned_one_too() -> None:
    today, policy = date(2026, 11, 21), DocumentPolicy(otherwise=frozenset(DocumentType))

    def problems(country: str, kind: DocumentType, number: str) -> tuple[DocumentProblem, ...]:
        return check_document(kind, country, normalise(number), date(2030, 1, 1), today, policy).problems

    assert problems("POL", DocumentType.NATIONAL_ID, "AYW 036733") == ()
    assert problems("POL", DocumentType.NATIONAL_ID, "AYW 136733") == (DocumentProblem.WRONG_CHECK_DIGIT,)
    assert problems("D", DocumentType.NATIONAL_ID, "L01X 00T47") == ()
    assert problems("GB", DocumentType.DRIVING_LICENCE, "MORGA 657054 SM9IJ 35") == ()
    assert problems("FRA", DocumentType.NATIONAL_ID, "880692310285") == ()
