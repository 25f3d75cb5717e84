"""Numbers as staff type them, read back and hidden."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pos
from pos.domain.numbers import (
    LineKind,
    NotANumber,
    NumberFault,
    grouped,
    masked,
    parse_iccid,
    parse_imei,
    parse_phone,
)


def with_luhn(body: str) -> str:
    """The check digit by the textbook way, kept apart from the code under test."""
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))]
    return body + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


@pytest.mark.parametrize(
    "typed",
    [
        "07700900123", "07700 900 123", "(07700) 900-123", "07700.900.123", "+447700900123", "+44 (0)7700 900123",
        "00447700900123", "0044 7700 900 123", "tel:+44-7700-900123", "TEL:07700900123", "447700900123",
        "０７７００９００１２３", "＋４４（７７００）９００１２３",
        "\u200e+44\u00a07700\u2011900\u2013123\u200f", "\x0207700900123\r\n",
        "٠٧٧٠٠٩٠٠١٢٣",
    ],
)  # fmt: skip
def test_noise_around_a_number_changes_nothing(typed: str) -> None:
    assert parse_phone(typed, "GB").e164 == "+447700900123"


@pytest.mark.parametrize(
    ("typed", "region", "e164", "where", "kind", "known"),
    [
        # Ofcom, numbers for TV and radio drama: 07700 900000 to 900999, in no plan.
        ("07700 900000", "GB", "+447700900000", "GB", LineKind.MOBILE, False),
        ("+447700900999", "HK", "+447700900999", "GB", LineKind.MOBILE, False),
        ("5550 1234", "HK", "+85255501234", "HK", LineKind.MOBILE, False),
        # Examples of phonenumbers' own metadata for each plan.
        ("07400 123456", "GB", "+447400123456", "GB", LineKind.MOBILE, True),
        ("0121 234 5678", "GB", "+441212345678", "GB", LineKind.FIXED, True),
        ("056 1234 5678", "GB", "+445612345678", "GB", LineKind.VOIP, True),
        ("2123 4567", "HK", "+85221234567", "HK", LineKind.FIXED, True),
        ("131 2345 6789", "CN", "+8613123456789", "CN", LineKind.MOBILE, True),
        ("6612 3456", "MO", "+85366123456", "MO", LineKind.MOBILE, True),
        ("0912 345 678", "TW", "+886912345678", "TW", LineKind.MOBILE, True),
        ("001 44 7400 123456", "HK", "+447400123456", "GB", LineKind.MOBILE, True),
        ("011 44 7400 123456", "US", "+447400123456", "GB", LineKind.MOBILE, True),
        ("00 44 7400 123456", "US", "+447400123456", "GB", LineKind.MOBILE, True),
        # North America does not tell mobile from fixed.
        ("(201) 555-0123", "US", "+12015550123", "US", LineKind.UNKNOWN, True),
    ],
)
def test_the_plan_says_where_and_what(typed: str, region: str, e164: str, where: str, kind: LineKind, known: bool) -> None:
    number = parse_phone(typed, region)
    assert (number.e164, number.region, number.kind, number.known_range) == (e164, where, kind, known)


@pytest.mark.parametrize("last", range(0, 1000, 7))
def test_every_number_kept_for_fiction_is_a_mobile(last: int) -> None:
    assert parse_phone(f"07700 900{last:03}", "GB").kind is LineKind.MOBILE
    assert parse_phone(f"5550 {last:04}", "HK").kind is LineKind.MOBILE


@pytest.mark.parametrize(
    ("typed", "region", "reason"),
    [
        ("", "GB", NumberFault.EMPTY),
        (" () - ", "GB", NumberFault.EMPTY),
        ("07700 9001O3", "GB", NumberFault.LETTERS),
        ("1-800-FLOWERS", "US", NumberFault.LETTERS),
        ("07700 900123#4", "GB", NumberFault.STRANGE_SIGNS),
        ("07700+900123", "GB", NumberFault.STRANGE_SIGNS),
        ("+", "GB", NumberFault.STRANGE_SIGNS),
        ("123", "GB", NumberFault.TOO_SHORT),
        ("07700 90012", "GB", NumberFault.NOT_VALID),
        ("07700 9001234", "GB", NumberFault.TOO_LONG),
        ("+44 7700 900123 456 789", "GB", NumberFault.TOO_LONG),
        ("0" * 21, "GB", NumberFault.TOO_LONG),
        ("+999 123 456 789", "GB", NumberFault.UNKNOWN_COUNTRY),
        ("07700 900123", "", NumberFault.UNKNOWN_COUNTRY),
        ("+1 555 123 4567", "US", NumberFault.NOT_VALID),
        # No plus, another country's number: a guess could renew a stranger's line.
        ("447700900123", "HK", NumberFault.TOO_LONG),
    ],
)
def test_what_is_no_number_says_why(typed: str, region: str, reason: NumberFault) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_phone(typed, region)
    assert refused.value.reason is reason
    assert not any(sign.isdigit() for sign in str(refused.value))


def test_a_number_hides_all_but_its_last_three() -> None:
    shown = repr(parse_phone("07700 900123", "GB"))
    assert "123" in shown and "0123" not in shown and "44" not in shown
    # +808 is the world's, not a country's.
    assert repr(parse_phone("+808 2555 1234", "GB")) == "PhoneNumber(...234, no country, unknown)"


@pytest.mark.parametrize(
    ("e164", "aloud", "hidden"),
    [
        ("+447700900123", "+44 7700 900 123", "+44 **** ***123"),
        ("+85255501234", "+852 5550 1234", "+852 **** *234"),
        ("+8613800138000", "+86 138 0013 8000", "+86 *** **** *000"),
        ("+12015550123", "+1 201 555 0123", "+1 *** *** *123"),
    ],
)
def test_read_back_and_mask(e164: str, aloud: str, hidden: str) -> None:
    assert (grouped(e164), masked(e164)) == (aloud, hidden)


@given(st.text(max_size=40))
def test_masking_never_fails_and_shows_three_signs_at_most_of_what_is_no_number(text: str) -> None:
    if not text.startswith("+"):
        assert len(masked(text).replace("*", "")) <= 3


@given(st.integers(min_value=10**7, max_value=10**14 - 1))
def test_masking_shows_only_country_and_last_three(national: int) -> None:
    shown = masked(f"+44{national}")
    assert sum(sign.isdigit() for sign in shown) <= 5


# ITU-T E.118's structure: 89, country, issuer, account, check digit. 500 made up, of both lengths.
ICCIDS = [
    with_luhn("89" + "".join(random.Random(n).choices("0123456789", k=16 + n % 2))) for n in range(500)
]  # fmt: skip


@pytest.mark.parametrize("digits", ICCIDS[:100])
def test_a_sim_number_is_read_and_each_wrong_digit_seen(digits: str) -> None:
    assert parse_iccid(digits).digits == digits
    assert parse_iccid(" ".join(digits[at : at + 4] for at in range(0, 20, 4))).digits == digits
    for place in range(2, len(digits)):
        wrong = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]
        with pytest.raises(NotANumber) as refused:
            parse_iccid(wrong)
        assert refused.value.reason is NumberFault.WRONG_CHECK_DIGIT


def test_the_filler_a_chip_reader_appends_is_noise() -> None:
    digits = with_luhn("894412345678901234")
    assert parse_iccid(digits + "F").digits == digits
    assert parse_iccid("ICCID: " + digits).grouped().startswith("8944 1234")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", NumberFault.EMPTY),
        ("8944A2345678901234", NumberFault.LETTERS),
        ("8944#2345678901234", NumberFault.STRANGE_SIGNS),
        (with_luhn("79441234567890123"), NumberFault.WRONG_START),
        (with_luhn("89441234567890123"), NumberFault.TOO_SHORT),
        (with_luhn("89441234567890123456"), NumberFault.TOO_LONG),
    ],
)
def test_what_is_no_sim_number_says_why(typed: str, reason: NumberFault) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_iccid(typed)
    assert refused.value.reason is reason


def test_a_device_number_has_fifteen_digits_and_a_check_digit() -> None:
    # GSMA TS.06's worked example of the check digit.
    assert parse_imei("49-015420-323751-8").digits == "490154203237518"
    with pytest.raises(NotANumber, match="wrong_check_digit"):
        parse_imei("490154203237517")
    with pytest.raises(NotANumber, match="too_short"):
        parse_imei("49015420323751")


@pytest.mark.parametrize("value", [parse_iccid(ICCIDS[0]), parse_imei("490154203237518")])
def test_sim_and_device_numbers_hide_their_digits(value: object) -> None:
    assert sum(sign.isdigit() for sign in repr(value)) == 3


def test_the_slow_parts_of_phonenumbers_stay_unloaded() -> None:
    """geocoder takes seconds to import; carrier guesses. A fresh process, because another test may have loaded them."""
    check = (
        "import sys, pos.domain.numbers;"
        "bad = [m for m in sys.modules if m.startswith(('phonenumbers.geo', 'phonenumbers.carrier'))];"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, cwd=Path(pos.__file__).parents[1])
