"""Which documents a counter takes, and why not."""

import unicodedata
from dataclasses import FrozenInstanceError
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.documents import (
    WARNINGS,
    DocumentPolicy,
    DocumentProblem,
    DocumentType,
    DocumentVerdict,
    check_document,
    last_three,
    likely_type,
    normalise,
)
from pos.domain.mrz import read

TODAY = date(2026, 8, 7)
NEXT_YEAR = date(2027, 8, 7)
EVERYTHING = DocumentPolicy(otherwise=frozenset(DocumentType))
PASSPORT, CARD = DocumentType.PASSPORT, DocumentType.NATIONAL_ID
PERMIT, LICENCE, TRAVEL = DocumentType.RESIDENCE_PERMIT, DocumentType.DRIVING_LICENCE, DocumentType.TRAVEL_PERMIT


def verdict(
    type: DocumentType,
    country: str,
    number: str,
    expires_on: date | None = NEXT_YEAR,
    policy: DocumentPolicy = EVERYTHING,
    typed: bool = False,
) -> DocumentVerdict:
    return check_document(type, country, number, expires_on, TODAY, policy, typed=typed)


@pytest.mark.parametrize(
    ("type", "country", "number"),
    [
        (CARD, "CN", "11010519491231002X"), (CARD, "CHN", "110105 19491231 002x"), (CARD, "HK", "A123456(3)"),
        (CARD, "HKG", "ａ１２３４５６（３）"), (CARD, "MO", "1/234567/8"), (CARD, "TW", "A123456789"),
        (PERMIT, "TW", "A800000014"), (PERMIT, "TWN", "AA00000009"), (PASSPORT, "GBR", "925665416"),
        (PASSPORT, "CN", "E12345678"), (PASSPORT, "CHN", "EA1234567"), (PASSPORT, "CHN", "K12345678"),
        (TRAVEL, "CN", "H12345678"), (TRAVEL, "CN", "12345678"), (TRAVEL, "CN", "C12345678"),
        (TRAVEL, "CN", "CA1234567"),
        (PERMIT, "CN", "ABC123456789012"), (PERMIT, "GB", "RX1234567"), (LICENCE, "GB", "MORGA657054SM9IJ"),
        (LICENCE, "GB", "MORGA657054SM9IJ 35"), (LICENCE, "GB", "12345678"), (PASSPORT, "D", "C01X0006H"),
        (CARD, "D<<", "T220001293"), (PASSPORT, "UTO", "L898902C3"), (PASSPORT, "UNO", "12345"),
        (CARD, "BEL", "590335801"), (CARD, "BEL", "591-1917064-58"),
    ],
)  # fmt: skip
def test_a_right_number_is_taken(type: DocumentType, country: str, number: str) -> None:
    assert verdict(type, country, number).problems == ()


@pytest.mark.parametrize(
    ("type", "country", "number", "problem"),
    [
        (CARD, "CN", "110105194912310021", DocumentProblem.WRONG_CHECK_DIGIT),
        (CARD, "CN", "A123456789", DocumentProblem.WRONG_FORMAT),
        (CARD, "HK", "A123456(4)", DocumentProblem.WRONG_CHECK_DIGIT),
        (CARD, "TW", "A123456788", DocumentProblem.WRONG_CHECK_DIGIT),
        (PERMIT, "TW", "A800000015", DocumentProblem.WRONG_CHECK_DIGIT),
        (CARD, "MO", "91234567", DocumentProblem.WRONG_FORMAT),
        (PERMIT, "CN", "810000199001010010", DocumentProblem.WRONG_CHECK_DIGIT),
        (PASSPORT, "GB", "92566541", DocumentProblem.WRONG_FORMAT),
        (PASSPORT, "FRA", "X", DocumentProblem.WRONG_FORMAT),
        (PASSPORT, "FRA", "NODIGITS", DocumentProblem.WRONG_FORMAT),
        (PASSPORT, "FRA", "", DocumentProblem.MISSING_NUMBER),
        (PASSPORT, "FRA", " - ", DocumentProblem.MISSING_NUMBER),
        (PASSPORT, "QQ", "12AB34567", DocumentProblem.UNKNOWN_COUNTRY),
        (PASSPORT, "", "12AB34567", DocumentProblem.UNKNOWN_COUNTRY),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason(
    type: DocumentType, country: str, number: str, problem: DocumentProblem
) -> None:
    found = verdict(type, country, number)
    assert found.problems == (problem,) and not found.accepted
    assert not number.strip(" -") or number not in repr(found)


@pytest.mark.parametrize(
    ("days_left", "grace", "problem", "accepted"),
    [
        (0, 0, DocumentProblem.EXPIRES_SOON, True), (-1, 0, DocumentProblem.EXPIRED, False),
        (29, 0, DocumentProblem.EXPIRES_SOON, True), (30, 0, None, True),
        (-1, 10, DocumentProblem.EXPIRED_WITHIN_GRACE, True),
        (-10, 10, DocumentProblem.EXPIRED_WITHIN_GRACE, True), (-11, 10, DocumentProblem.EXPIRED, False),
    ],
)  # fmt: skip
def test_the_last_day_still_counts_and_grace_is_in_days(
    days_left: int, grace: int, problem: DocumentProblem | None, accepted: bool
) -> None:
    policy = DocumentPolicy(otherwise=frozenset(DocumentType), grace_days=grace)
    found = verdict(PASSPORT, "FRA", "12AB34567", TODAY + timedelta(days=days_left), policy)
    assert (found.problems, found.accepted) == ((problem,) if problem else (), accepted)


@pytest.mark.parametrize(
    ("type", "country", "number", "problems"),
    [
        (PASSPORT, "FRA", "12AB34567", (DocumentProblem.MISSING_EXPIRY,)),
        (TRAVEL, "CN", "H12345678", (DocumentProblem.MISSING_EXPIRY,)),
        (CARD, "FRA", "880692310285", (DocumentProblem.NO_EXPIRY,)),
        (CARD, "HK", "A1234563", ()),
        (CARD, "TW", "A123456789", ()),
    ],
)
def test_only_cards_that_never_end_may_lack_a_last_day(
    type: DocumentType, country: str, number: str, problems: tuple[DocumentProblem, ...]
) -> None:
    assert verdict(type, country, number, None).problems == problems


def test_a_store_takes_only_what_its_policy_says() -> None:
    policy = DocumentPolicy(accepted={"GB": frozenset({PASSPORT, LICENCE}), "UNO": frozenset()}, allow_typed=False)
    assert verdict(LICENCE, "GBR", "MORGA657054SM9IJ", policy=policy).accepted
    # A British National (Overseas) passport is Britain's as well.
    assert verdict(PASSPORT, "GBN", "925665416", policy=policy).accepted
    assert verdict(CARD, "GB", "12345678", policy=policy).problems == (DocumentProblem.NOT_ACCEPTED_HERE,)
    assert verdict(PASSPORT, "UNO", "123456", policy=policy).problems == (DocumentProblem.NOT_ACCEPTED_HERE,)
    assert verdict(PASSPORT, "FRA", "12AB34567", policy=policy).accepted
    assert verdict(CARD, "FRA", "880692310285", policy=policy).problems == (DocumentProblem.NOT_ACCEPTED_HERE,)
    assert verdict(PASSPORT, "FRA", "12AB34567", policy=policy, typed=True).problems == (DocumentProblem.TYPING_NOT_ALLOWED,)


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = verdict(CARD, "CN", "110105194912310021", TODAY - timedelta(days=1), DocumentPolicy())
    assert found.refusals == (
        DocumentProblem.WRONG_CHECK_DIGIT, DocumentProblem.NOT_ACCEPTED_HERE, DocumentProblem.EXPIRED,
    )  # fmt: skip
    assert found.warnings == () and WARNINGS.isdisjoint(found.refusals)


@pytest.mark.parametrize("code", ["gb", "GBR", "D", "England", ""])
def test_a_policy_with_a_typing_mistake_does_not_start(code: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        DocumentPolicy(accepted={code: frozenset({PASSPORT})})


def test_a_policy_cannot_be_changed_and_has_no_negative_days() -> None:
    with pytest.raises(FrozenInstanceError):
        DocumentPolicy().grace_days = 99  # type: ignore[misc]
    with pytest.raises(ValueError, match="negative"):
        DocumentPolicy(grace_days=-1)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("A123456(3)", "A1234563"), (" a 123456-3 ", "A1234563"), ("Ａ１２３４５６（３）", "A1234563"),
        ("1/234567/8", "12345678"),
        ("L898902C<", "L898902C"), ("é1", "É1"), ("\u200e12\u00a034", "1234"), ("", ""), ("١٢٣", "123"),
    ],
)  # fmt: skip
def test_one_number_has_one_way_to_be_written(written: str, number: str) -> None:
    assert normalise(written) == number


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(f" {unicodedata.normalize('NFD', text)}-") == once


@pytest.mark.parametrize(("number", "shown"), [("A123456(3)", "563"), ("123456", ""), ("1234567", "567"), ("", "")])
def test_the_last_three_never_are_half_the_number(number: str, shown: str) -> None:
    assert last_three(number) == shown


@pytest.mark.parametrize(
    ("code", "state", "type"),
    [
        ("P<", "UTO", PASSPORT), ("PM", "UTO", PASSPORT), ("I<", "UTO", CARD), ("ID", "FRA", CARD),
        ("IR", "FRA", PERMIT),
        ("AR", "D<<", PERMIT), ("CR", "CHN", TRAVEL), ("CT", "CHN", TRAVEL), ("V<", "UTO", None), ("X<", "UTO", None),
    ],
)  # fmt: skip
def test_what_was_scanned_preselects_a_type(code: str, state: str, type: DocumentType | None) -> None:
    if code in ("P<", "PM", "V<"):
        zone = f"{code}{state}ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"
    else:
        zone = f"{code}{state}D231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
    assert likely_type(read(zone, TODAY)) is type
