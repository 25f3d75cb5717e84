"""Phone, SIM and device numbers: read them as staff type them, read them back, never show more than needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult
from stdnum import luhn

from pos.domain.typed import plain

# phonenumbers costs 20 to 40 ms to import and loads a country's plan when first asked. Neither its geocoder (seconds to
# import) nor its carrier (ported numbers make it a guess) belongs here.


class NumberFault(StrEnum):
    """Why a text is no number of the kind asked for."""

    EMPTY = "empty"
    LETTERS = "letters"
    STRANGE_SIGNS = "strange_signs"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNKNOWN_COUNTRY = "unknown_country"
    NOT_VALID = "not_valid"
    WRONG_START = "wrong_start"
    WRONG_CHECK_DIGIT = "wrong_check_digit"


class NotANumber(ValueError):
    """The text is not such a number; ``reason`` says why. The message never carries the digits."""

    def __init__(self, reason: NumberFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


class LineKind(StrEnum):
    """What the numbering plan says of a line. UNKNOWN covers plans that do not tell mobile from fixed (North
    America)."""

    MOBILE = "mobile"
    FIXED = "fixed"
    VOIP = "voip"
    UNKNOWN = "unknown"


@dataclass(frozen=True, repr=False)
class PhoneNumber:
    """``e164`` is ``+`` and digits, ``region`` ISO 3166 alpha-2 (``001`` for numbers of no country).

    ``known_range`` is False when the plan has no such range and only the shape is a mobile's: read it back with
    care."""

    e164: str
    region: str
    kind: LineKind
    known_range: bool = True

    def __repr__(self) -> str:
        # 001 would put digits beside the last three, and a reader could take them for more of the number.
        region = self.region if self.region.isalpha() else "no country"
        return f"PhoneNumber(...{self.e164[-3:]}, {region}, {self.kind.value})"


@dataclass(frozen=True, repr=False)
class Iccid:
    """The number of a SIM: 19 or 20 ``digits``."""

    digits: str

    def grouped(self) -> str:
        """In fours, as printed on the card's carrier."""
        return _in_fours(self.digits)

    def __repr__(self) -> str:
        return f"Iccid(...{self.digits[-3:]})"


@dataclass(frozen=True, repr=False)
class Imei:
    """The number of a device: 15 ``digits``. A renewal never needs one; it tells a clerk what was scanned."""

    digits: str

    def __repr__(self) -> str:
        return f"Imei(...{self.digits[-3:]})"


_KINDS = {
    PhoneNumberType.MOBILE: LineKind.MOBILE,
    PhoneNumberType.FIXED_LINE: LineKind.FIXED,
    PhoneNumberType.VOIP: LineKind.VOIP,
}

_PARSE_FAULTS = {
    NumberParseException.INVALID_COUNTRY_CODE: NumberFault.UNKNOWN_COUNTRY,
    NumberParseException.TOO_SHORT_NSN: NumberFault.TOO_SHORT,
    NumberParseException.TOO_SHORT_AFTER_IDD: NumberFault.TOO_SHORT,
    NumberParseException.TOO_LONG: NumberFault.TOO_LONG,
}

_LENGTH_FAULTS = {
    ValidationResult.INVALID_COUNTRY_CODE: NumberFault.UNKNOWN_COUNTRY,
    # Short enough to be dialled inside one town only; nothing a carrier could renew.
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: NumberFault.TOO_SHORT,
    ValidationResult.TOO_SHORT: NumberFault.TOO_SHORT,
    ValidationResult.TOO_LONG: NumberFault.TOO_LONG,
    ValidationResult.INVALID_LENGTH: NumberFault.NOT_VALID,
}

# The most digits anyone dials: an international prefix of up to five and the fifteen of E.164.
_MOST_DIALLED = 20


def parse_phone(text: str, region: str) -> PhoneNumber:
    """A number as typed, in the national form of ``region`` (ISO 3166 alpha-2, the store's) or international with
    ``+`` or ``00``; blanks, dashes, dots, slashes, brackets, ``tel:`` and fullwidth digits are noise. Raises
    NotANumber.

    Valid is what the plan in phonenumbers calls valid. A number of possible length that the plan does not know is
    taken as a mobile, with ``known_range`` False, when its length and first digit are those of the country's mobiles
    and not also of its fixed lines. The plan trails new ranges, and ranges kept for fiction and tests (Ofcom's 07700
    900000 to 900999, Hong Kong's 5550 xxxx) are absent from it. The price of the rule: a mistyped digit inside such a
    shape is caught by the read-back, not here. A foreign number without ``+`` or ``00`` is never guessed: it would
    renew a stranger's line."""
    dialled = _dialled(text)
    readings = [dialled]
    if dialled.startswith("00"):
        # The store's own international prefix (00, 001, 011) is tried first; 00 is what travellers write whatever it
        # is.
        readings.append("+" + dialled[2:])
    fault = NumberFault.NOT_VALID
    for reading in readings:
        try:
            return _read(reading, region)
        except NotANumber as refused:
            fault = refused.reason
    raise NotANumber(fault)


def _dialled(text: str) -> str:
    signs = plain(text).strip()
    if signs[:4].lower() == "tel:":
        signs = signs[4:]
    signs = re.sub(r"[ ()\[\]./_·-]", "", signs)
    if not signs:
        raise NotANumber(NumberFault.EMPTY)
    if any(sign.isalpha() for sign in signs):
        raise NotANumber(NumberFault.LETTERS)
    if not re.fullmatch(r"\+?[0-9]+", signs):
        raise NotANumber(NumberFault.STRANGE_SIGNS)
    if len(signs.removeprefix("+")) > _MOST_DIALLED:
        raise NotANumber(NumberFault.TOO_LONG)
    return signs


def _read(dialled: str, region: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(dialled, region)
    except NumberParseException as fault:
        raise NotANumber(_PARSE_FAULTS.get(fault.error_type, NumberFault.NOT_VALID)) from None
    length_fault = _LENGTH_FAULTS.get(phonenumbers.is_possible_number_with_reason(number))
    if length_fault is not None:
        raise NotANumber(length_fault)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if len(e164) > 16:
        raise NotANumber(NumberFault.TOO_LONG)
    if phonenumbers.is_valid_number(number):
        kind = _KINDS.get(phonenumbers.number_type(number), LineKind.UNKNOWN)
        return PhoneNumber(e164, phonenumbers.region_code_for_number(number) or "001", kind)
    if _shaped_like_a_mobile(number):
        home = phonenumbers.region_code_for_country_code(number.country_code or 0)
        return PhoneNumber(e164, home, LineKind.MOBILE, known_range=False)
    raise NotANumber(NumberFault.NOT_VALID)


def _shaped_like_a_mobile(number: phonenumbers.PhoneNumber) -> bool:
    home = phonenumbers.region_code_for_country_code(number.country_code or 0)
    shapes = [
        phonenumbers.national_significant_number(example)
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
        if (example := phonenumbers.example_number_for_type(home, kind)) is not None
    ]
    if len(shapes) < 2:
        return False
    (mobile, fixed), national = shapes, phonenumbers.national_significant_number(number)
    like_mobile = (len(national), national[:1]) == (len(mobile), mobile[:1])
    return like_mobile and (len(national), national[:1]) != (len(fixed), fixed[:1])


def grouped(e164: str) -> str:
    """For reading back aloud: ``+44 7700 900 123``. International format, blanks only, groups of six and more halved.

    Raises NotANumber when ``e164`` is none."""
    return " ".join(part for group in _groups(e164) for part in _halves(group))


def masked(e164: str) -> str:
    """For screens, receipts and logs: country code and last three digits stay, ``+44 **** ***123``. Never raises:
    what is no number is masked whole but for its last three signs when there are more than six."""
    try:
        country, *groups = _groups(e164)
    except NotANumber:
        return "*" * min(len(e164), 12) if len(e164) <= 6 else "***" + e164[-3:]
    national = " ".join(groups)
    return f"{country} {re.sub('[0-9]', '*', national[:-3])}{national[-3:]}"


def _groups(e164: str) -> list[str]:
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", e164):
        raise NotANumber(NumberFault.NOT_VALID)
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        raise NotANumber(NumberFault.UNKNOWN_COUNTRY) from None
    shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return re.sub(r"[^+0-9]+", " ", shown).split()


def _halves(group: str) -> list[str]:
    return [group[: len(group) // 2], group[len(group) // 2 :]] if len(group) >= 6 and group[0] != "+" else [group]


def parse_iccid(text: str) -> Iccid:
    """A SIM number: 89, then 19 or 20 digits in all, the last by Luhn (ITU-T E.118); blanks, dashes and the filler F
    that ends a 19-digit number read from the chip (ETSI TS 102 221, EF ICCID) are noise. Raises NotANumber.

    Some carriers, in China above all, issue 20 signs with letters or without Luhn: those lines are found by phone
    number."""
    digits = _code(text, "ICCID")
    if len(digits) == 20 and digits.endswith("F"):
        digits = digits[:-1]
    return Iccid(_checked(digits, shortest=19, longest=20, start="89"))


def issuer_country(digits: str) -> str | None:
    """The country that a SIM's number names behind its 89: ISO 3166 alpha-2, None for codes of no single country (E.118)."""
    rest = digits.removeprefix("89")
    if rest.startswith("01"):
        return "US"  # North America writes its 1 with a nought before it, for all of its countries
    for length in (1, 2, 3):
        code = rest[:length]
        if code.isdecimal() and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE and not code.startswith("0"):
            region = str(phonenumbers.region_code_for_country_code(int(code)))
            return region if region.isalpha() and region != "ZZ" else None
    return None


def parse_imei(text: str) -> Imei:
    """A device number: 15 digits, the last by Luhn (3GPP TS 23.003, 6.2.1). Raises NotANumber."""
    return Imei(_checked(_code(text, "IMEI"), shortest=15, longest=15, start=""))


def _code(text: str, label: str) -> str:
    signs = re.sub(r"[ ./_:-]", "", plain(text)).upper()
    return signs.removeprefix(label)


def _checked(digits: str, *, shortest: int, longest: int, start: str) -> str:
    if not digits:
        raise NotANumber(NumberFault.EMPTY)
    if not re.fullmatch("[0-9]+", digits):
        letters = any(sign.isalpha() for sign in digits)
        raise NotANumber(NumberFault.LETTERS if letters else NumberFault.STRANGE_SIGNS)
    if not digits.startswith(start):
        raise NotANumber(NumberFault.WRONG_START)
    if len(digits) < shortest:
        raise NotANumber(NumberFault.TOO_SHORT)
    if len(digits) > longest:
        raise NotANumber(NumberFault.TOO_LONG)
    if not luhn.is_valid(digits):
        raise NotANumber(NumberFault.WRONG_CHECK_DIGIT)
    return digits


def _in_fours(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
