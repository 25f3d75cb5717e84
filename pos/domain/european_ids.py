"""Numbers on identity cards and licences of Europe that follow a published rule, and on a few cards of Asia beside them."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum.be import eid
from stdnum.es import dni, nie
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.id import nik
from stdnum.my import nric
from stdnum.nl import identiteitskaartnummer
from stdnum.pt import cc
from stdnum.th import pin

from pos.domain.mrz_layouts import check_digit
from pos.domain.national_numbers import NumberCheck


def british_licence(number: str) -> NumberCheck:
    """Great Britain: five signs of the name filled with 9, decade, month (5 more in its first digit for women), day, year, two
    initials, a sign, two letters; with or without the card's two digits of issue (DVLA, driver number). How the last letters
    are reckoned is not published. Northern Ireland: eight digits."""
    if re.fullmatch("[0-9]{8}", number):
        return NumberCheck.HOLDS
    return _holds_if(_BRITISH.fullmatch(number) is not None)


_BRITISH = re.compile(
    r"(?=.{5}[0-9])[A-Z]{1,5}9{0,4}[0-9](?:[05][1-9]|[16][0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]"
    r"(?:99|[A-Z][A-Z9])[A-Z0-9][A-Z]{2}(?:[0-9]{2})?"
)


def german_card(number: str) -> NumberCheck:
    """Nine signs, as printed; or ten with the digit of Doc 9303 behind them, as older cards print it, and a D behind that. No
    vowels, and no letters that look like digits."""
    match = re.fullmatch(r"([CFGHJKLMNPRTVWXYZ0-9]{9})([0-9])?D?", number)
    if match is None:
        return NumberCheck.WRONG_FORMAT
    return _digit_if(match[2] is None or match[2] == check_digit(match[1]))


def polish_card(number: str) -> NumberCheck:
    """Three letters, a check digit, five digits: letters from 10, weights 7 3 1, then 7 3 1 7 3 for what follows the digit."""
    if not re.fullmatch("[A-Z]{3}[0-9]{6}", number):
        return NumberCheck.WRONG_FORMAT
    values = [int(sign, 36) for sign in number]
    digit = values.pop(3)
    return _digit_if(sum(v * w for v, w in zip(values, (7, 3, 1, 7, 3, 1, 7, 3), strict=True)) % 10 == digit)


def spanish_card(number: str) -> NumberCheck:
    """The person's number with its letter, for foreigners with X, Y or Z before it; or the card's own number, three letters and
    six digits, which is what its machine readable lines carry."""
    if re.fullmatch("[A-Z]{3}[0-9]{6}", number):
        return NumberCheck.HOLDS
    return _by(nie.validate if number[:1] in "XYZ" else dni.validate, number)


def spanish_permit(number: str) -> NumberCheck:
    """A foreigner's number with its letter, or the card's own: a letter and eight digits."""
    return NumberCheck.HOLDS if re.fullmatch("E[0-9]{8}", number) else _by(nie.validate, number)


def belgian_card(number: str) -> NumberCheck:
    """Twelve digits, the last two modulo 97. The machine readable lines of older cards carry the first nine alone; cards of
    foreigners begin with a letter and have no published rule."""
    return NumberCheck.HOLDS if re.fullmatch("[0-9]{9}|[A-Z][0-9]{9,11}", number) else _by(eid.validate, number)


def portuguese_card(number: str) -> NumberCheck:
    """Nine digits, two letters or digits, a check digit."""
    return _by(cc.validate, number)


def dutch_card(number: str) -> NumberCheck:
    """Two letters, six letters or digits, a digit; never the letter O."""
    return _by(identiteitskaartnummer.validate, number)


def thai_card(number: str) -> NumberCheck:
    """Thirteen digits, the last modulo 11."""
    return _by(pin.validate, number)


def malaysian_card(number: str) -> NumberCheck:
    """Twelve digits: a birth date and a place that are one."""
    return _by(nric.validate, number)


def indonesian_card(number: str) -> NumberCheck:
    """Sixteen digits: a place and a birth date that are one."""
    return _by(nik.validate, number)


def _by(validate: Callable[[str], str], number: str) -> NumberCheck:
    try:
        validate(number)
    except InvalidChecksum:
        return NumberCheck.WRONG_CHECK_DIGIT
    except ValidationError:
        return NumberCheck.WRONG_FORMAT
    return NumberCheck.HOLDS


def _holds_if(right: bool) -> NumberCheck:
    return NumberCheck.HOLDS if right else NumberCheck.WRONG_FORMAT


def _digit_if(right: bool) -> NumberCheck:
    return NumberCheck.HOLDS if right else NumberCheck.WRONG_CHECK_DIGIT
