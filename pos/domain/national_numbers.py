"""Numbers on the identity cards our customers carry most, each by the rule of the place that issues them."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from stdnum.cn import ric
from stdnum.exceptions import ValidationError


class NumberCheck(StrEnum):
    """What a rule says of a number: it holds, has not the shape, or has the shape and a digit that does not fit."""

    HOLDS = "holds"
    WRONG_FORMAT = "wrong_format"
    WRONG_CHECK_DIGIT = "wrong_check_digit"


# Nobody older stands at a counter; the standard's own second example was born in 1880.
_EARLIEST_BIRTH_YEAR = 1880
_LATEST_BIRTH_YEAR = 2099


def chinese_id(number: str, today: date | None = None) -> NumberCheck:
    """Mainland resident identity card: 17 digits and a digit or X by GB 11643-1999 (ISO 7064 MOD 11-2), with a birth
    date in places 7 to 14 that is one, and not after ``today`` when that is given.

    The same number stands on the residence permits for people from Hong Kong, Macao and Taiwan (81, 82, 83) and on the
    permanent residence card of foreigners since 2023 (9). The place in the first six digits is not looked up: lists of
    counties trail the real ones, and a person must not be turned away over a renamed county."""
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        return NumberCheck.WRONG_FORMAT
    try:
        born = ric.get_birth_date(number)
    except ValidationError:
        return NumberCheck.WRONG_FORMAT
    if not _EARLIEST_BIRTH_YEAR <= born.year <= _LATEST_BIRTH_YEAR or (today is not None and born > today):
        return NumberCheck.WRONG_FORMAT
    return _holds_if(number[-1] == ric.calc_check_digit(number))


def hong_kong_id(number: str) -> NumberCheck:
    """One or two letters, six digits, a digit or A (for ten): places weighed 9 to 1 sum to a multiple of 11, a
    missing first letter counting as 36, letters from A as 10. Brackets are gone before (Immigration Department's card
    format)."""
    if not re.fullmatch(r"[A-Z]{1,2}[0-9]{6}[0-9A]", number):
        return NumberCheck.WRONG_FORMAT
    values = [int(sign, 36) for sign in number]
    if len(values) == 8:
        values.insert(0, 36)
    return _holds_if(sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0)


def macao_id(number: str) -> NumberCheck:
    """Eight digits, the first 1, 5 or 7, with slashes and brackets gone. The last is a check digit whose rule Macao
    does not publish, so only the format is checked."""
    return NumberCheck.HOLDS if re.fullmatch(r"[157][0-9]{7}", number) else NumberCheck.WRONG_FORMAT


# The letters' values are those of the household offices: places that came later took the values left over.
_TAIWAN_LETTERS = {letter: value for value, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)}


def taiwan_id(number: str) -> NumberCheck:
    """National identity card: a letter, 1 or 2, eight digits (Ministry of the Interior)."""
    return _taiwan(number, r"[A-Z][12][0-9]{8}")


def taiwan_resident(number: str) -> NumberCheck:
    """Resident certificate: a letter, 8 or 9, eight digits since 2 January 2021; before, two letters, the second A to
    D, and eight digits, good until 2031 (National Immigration Agency)."""
    return _taiwan(number, r"[A-Z][89][0-9]{8}|[A-Z][A-D][0-9]{8}")


def _taiwan(number: str, shape: str) -> NumberCheck:
    if not re.fullmatch(shape, number):
        return NumberCheck.WRONG_FORMAT
    first = _TAIWAN_LETTERS[number[0]]
    # Of a second letter only the units of its value count.
    second = _TAIWAN_LETTERS[number[1]] % 10 if number[1].isalpha() else int(number[1])
    digits = [first // 10, first % 10, second, *(int(digit) for digit in number[2:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return _holds_if(sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 10 == 0)


def _holds_if(right: bool) -> NumberCheck:
    return NumberCheck.HOLDS if right else NumberCheck.WRONG_CHECK_DIGIT
