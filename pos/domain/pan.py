"""Card numbers must never enter the books: notice one in any text a person typed or a device sent."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException
from stdnum import luhn

from pos.domain.national_numbers import NumberCheck, chinese_id
from pos.domain.typed import plain

# First digits (from, to, both of one length) and the lengths the schemes issue, ISO/IEC 7812 ranges as the schemes
# publish them. UATP (1, fifteen digits) is left out: one voucher number in ten would be taken for it.
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),  # Visa
    (51, 55, frozenset({16})),  # Mastercard
    (2221, 2720, frozenset({16})),  # Mastercard
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),  # American Express
    (300, 305, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (309, 309, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (36, 36, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (38, 39, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (6011, 6011, frozenset({16, 17, 18, 19})),  # Discover
    (644, 659, frozenset({16, 17, 18, 19})),  # Discover
    (3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
    (81, 82, frozenset({16, 17, 18, 19})),  # UnionPay, RuPay
    (60, 60, frozenset({16})),  # RuPay
    (2200, 2205, frozenset({16, 17, 18, 19})),  # Mir
    (9792, 9792, frozenset({16})),  # Troy
    (636, 636, frozenset({16, 17, 18, 19})),  # InterPayment
    # Maestro and its national relatives. Fifteen digits are left to devices: reporting body 50 issued IMEIs.
    (50, 50, frozenset({13, 14, 16, 17, 18, 19})),
    (56, 58, frozenset({13, 14, 16, 17, 18, 19})),
    (63, 63, frozenset({13, 14, 16, 17, 18, 19})),
    (67, 67, frozenset({13, 14, 16, 17, 18, 19})),
)

# By first digit, because every digit of every log line is asked.
_ISSUERS_BY_DIGIT = {str(digit): [issuer for issuer in _ISSUERS if str(issuer[0])[0] == str(digit)] for digit in range(10)}

# Digits with at most three marks between them (`` - ``), as people and printers group them; X ends some identity
# numbers.
_RUN = re.compile(r"[0-9]+(?:[ .,_·/-]{1,3}[0-9]+)*X?")
_SHORTEST, _LONGEST = 13, 19


def looks_like_card(text: str) -> bool:
    """Whether ``text`` holds a card number: 13 to 19 digits of any script, however grouped, that pass Luhn and have an
    issuer's first digits and length. For every free-text field, upload and log line; never raises.

    Luhn alone would refuse one honest number in ten, so these pass: SIM numbers (89...), device numbers, mainland
    identity numbers, and numbers a phone plan knows."""
    return any(_run_holds_card(run) for run in _RUN.findall(plain(text).upper()))


def _run_holds_card(run: str) -> bool:
    groups = re.findall(r"[0-9]+", run)
    whole = "".join(groups)
    if len(whole) < _SHORTEST or _is_sim(whole) or _is_device(whole):
        return False
    if chinese_id(whole + "X" * run.endswith("X")) is NumberCheck.HOLDS:
        return False
    return any(_starts_a_card(groups[first : first + _LONGEST]) for first in range(len(groups)))


def _starts_a_card(groups: list[str]) -> bool:
    """Whether the first group, alone or with those after it, is a card number: a date or a phone number may follow."""
    digits, ends = "", set()
    for group in groups:
        digits += group
        ends.add(len(digits))
        if len(digits) >= _LONGEST:
            break
    return any(_is_card(digits[:length]) for length in ends & _lengths(digits))


def _is_sim(digits: str) -> bool:
    return digits.startswith("89") and 18 <= len(digits) <= 20


def _is_device(digits: str) -> bool:
    return len(digits) == 15 and luhn.is_valid(digits) and not _is_card(digits)


def _is_card(digits: str) -> bool:
    return len(digits) in _lengths(digits) and luhn.is_valid(digits) and not _is_phone(digits)


def _lengths(digits: str) -> set[int]:
    """The lengths a number with these first digits is issued in."""
    return {
        length
        for low, high, lengths in _ISSUERS_BY_DIGIT.get(digits[:1], ())
        if low <= int(digits[: len(str(low))]) <= high
        for length in lengths
    }


def _is_phone(digits: str) -> bool:
    """Thirteen digits from 43, 46 or 49 may be an Austrian, Swedish or German mobile without its plus; a phone plan
    knows so few numbers of that length that no card scheme's test number is among them."""
    if len(digits) > 15:
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits, None))
    except NumberParseException:
        return False
