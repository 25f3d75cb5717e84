"""Identity card numbers by the rule of the place, with examples others published."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.national_numbers import NumberCheck, chinese_id, hong_kong_id, macao_id, taiwan_id, taiwan_resident

HOLDS, FORMAT, DIGIT = NumberCheck.HOLDS, NumberCheck.WRONG_FORMAT, NumberCheck.WRONG_CHECK_DIGIT


@pytest.mark.parametrize(
    ("number", "check"),
    [
        # GB 11643-1999, annex A: both examples of the standard. The second is from a county since renamed.
        ("11010519491231002X", HOLDS),
        ("440524188001010014", HOLDS),
        # python-stdnum's own example.
        ("360426199101010071", HOLDS),
        # Edditoria/validid, test data: valid and invalid.
        ("11010120170210193X", HOLDS),
        ("120103198806018241", HOLDS),
        ("310101200001013948", HOLDS),
        ("98765432101234567", FORMAT),
        ("9876543210123456789", FORMAT),
        ("110102YYYYMMDD888X", FORMAT),
        ("98765432101234567A", FORMAT),
        # The standard's example with one thing changed each: digit, order, month, a first-generation number.
        ("110105194912310021", DIGIT),
        ("11010519491231020X", DIGIT),
        ("11010519491331002X", FORMAT),
        ("110105491231002", FORMAT),
        ("01010519491231002X", FORMAT),
        ("11010519491231002x", FORMAT),
    ],
)
def test_mainland_numbers_by_gb_11643(number: str, check: NumberCheck) -> None:
    assert chinese_id(number) is check


def test_nobody_is_born_tomorrow() -> None:
    assert chinese_id("11010120170210193X", date(2017, 2, 10)) is HOLDS
    assert chinese_id("11010120170210193X", date(2017, 2, 9)) is FORMAT


def test_residents_from_hong_kong_and_foreigners_carry_the_same_kind_of_number() -> None:
    """81, 82, 83 (permits for Hong Kong, Macao, Taiwan residents) and 9 (foreigners, 2023) are in no county list."""
    for start in ("810000", "820000", "830000", "911124"):
        assert sum(chinese_id(f"{start}19900101001{last}") is HOLDS for last in "0123456789X") == 1


@pytest.mark.parametrize(
    ("number", "check"),
    [
        # mrszeto.net; hong.ddns.net; the textbook slide "More to learn: check digit"; Edditoria/validid, test data.
        ("A1234563", HOLDS),
        ("AB1234569", HOLDS),
        ("D2887542", HOLDS),
        ("G123456A", HOLDS),
        ("A5555550", HOLDS),
        ("AB9876543", HOLDS),
        ("WX1234569", HOLDS),
        ("CA1823611", HOLDS),
        # validid's invalid ones.
        ("A123456", FORMAT),
        ("AB12345678", FORMAT),
        ("01234560", FORMAT),
        ("A555555X", FORMAT),
        ("AXXXXXX0", FORMAT),
        ("A12345670", FORMAT),
        # One digit changed, two exchanged.
        ("A1234564", DIGIT),
        ("A2134563", DIGIT),
        ("G1234560", DIGIT),
    ],
)
def test_hong_kong_numbers(number: str, check: NumberCheck) -> None:
    assert hong_kong_id(number) is check


@pytest.mark.parametrize(
    ("number", "check"),
    [
        ("12345678", HOLDS), ("51234567", HOLDS), ("71234567", HOLDS), ("21234567", FORMAT),
        ("1234567", FORMAT), ("1234567A", FORMAT),
    ],
)  # fmt: skip
def test_macao_numbers_by_format_only(number: str, check: NumberCheck) -> None:
    assert macao_id(number) is check


@pytest.mark.parametrize(
    ("number", "check"),
    [
        # The Ministry's sample number, in every textbook; Edditoria/validid, test data.
        ("A123456789", HOLDS),
        ("M115187864", HOLDS),
        ("Z256783650", HOLDS),
        ("A12345678", FORMAT),
        ("A1234567890", FORMAT),
        ("A12345678X", FORMAT),
        ("0123456789", FORMAT),
        ("A323456789", FORMAT),
        ("A123456788", DIGIT),
        ("A132456789", DIGIT),
        ("B123456789", DIGIT),
    ],
)
def test_taiwan_identity_numbers(number: str, check: NumberCheck) -> None:
    assert taiwan_id(number) is check


# The Ministry of the Interior's table of first letters; the places that came last broke the order.
TAIWAN_LETTERS = {
    "A": 10, "B": 11, "C": 12, "D": 13, "E": 14, "F": 15, "G": 16, "H": 17, "I": 34, "J": 18, "K": 19, "L": 20, "M": 21,
    "N": 22, "O": 35, "P": 23, "Q": 24, "R": 25, "S": 26, "T": 27, "U": 28, "V": 29, "W": 32, "X": 30, "Y": 31, "Z": 33,
}  # fmt: skip


@pytest.mark.parametrize(("letter", "value"), TAIWAN_LETTERS.items())
def test_every_place_of_taiwan_has_its_value(letter: str, value: int) -> None:
    # Of 1 and seven zeros only the letter and the 1 (weight 8) count.
    last = -(value // 10 + value % 10 * 9 + 8) % 10
    assert taiwan_id(f"{letter}10000000{last}") is HOLDS


@pytest.mark.parametrize(
    ("number", "check"),
    [
        # enylin/taiwan-id-validator, README: the form since 2021, then the one before.
        ("A800000014", HOLDS),
        ("AA00000009", HOLDS),
        # python-stdnum has no rule of its own; these are one digit away.
        ("A800000015", DIGIT),
        ("AA00000008", DIGIT),
        ("A700000014", FORMAT),
        ("AE00000009", FORMAT),
        ("A80000001", FORMAT),
    ],
)
def test_taiwan_resident_certificates(number: str, check: NumberCheck) -> None:
    assert taiwan_resident(number) is check


@given(st.integers(0, 10**16 - 1), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_of_a_mainland_number_never_goes_unseen(seed: int, place: int, more: int) -> None:
    body = f"{100000 + seed % 900000}19{50 + seed % 50}0{1 + seed % 9}1{seed % 10}{seed % 1000:03}"
    number = next(f"{body}{last}" for last in "0123456789X" if chinese_id(f"{body}{last}") is HOLDS)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert chinese_id(wrong) is not HOLDS


@given(st.from_regex(r"[A-Z]{1,2}[0-9]{6}", fullmatch=True), st.data())
def test_one_wrong_sign_of_a_hong_kong_number_never_goes_unseen(body: str, data: st.DataObject) -> None:
    number = next(f"{body}{last}" for last in "0123456789A" if hong_kong_id(f"{body}{last}") is HOLDS)
    place = data.draw(st.integers(len(body) - 6, len(body) - 1))
    other = data.draw(st.sampled_from([sign for sign in "0123456789" if sign != number[place]]))
    assert hong_kong_id(number[:place] + other + number[place + 1 :]) is DIGIT
