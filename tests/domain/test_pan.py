"""No card number gets past, and no honest number is taken for one."""

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.pan import looks_like_card

# Published for testing: PayPal Manager's list; Stripe's test cards; CyberSource's test data.
CARDS = """
378282246310005 371449635398431 378734493671000 5610591081018250 30569309025904 38520000023237 6011111111111117
6011000990139424 3530111333300000 3566002020360505 5555555555554444 5105105105105100 4111111111111111 4012888888881881
4222222222222 5019717010103742 6331101999990016
4242424242424242 4000056655665556 2223003122003222 5200828282828210 6011981111111113 3056930009020004 36227206271667
6555900000604105 6200000000000005 6200000000000047 6205500000000000004
50339619890917 586824160825533338 6759411100000008 6759560045005727054 5641821111166669 2222420000001113
2222630000001125 3566111111111113
""".split()  # noqa: SIM905


def with_luhn(body: str) -> str:
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))]
    return body + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


@pytest.mark.parametrize("card", CARDS)
def test_a_published_test_card_is_noticed_however_it_is_written(card: str) -> None:
    fours = [card[at : at + 4] for at in range(0, len(card), 4)]
    fullwidth = card.translate({48 + n: 0xFF10 + n for n in range(10)})
    arabic = card.translate({48 + n: 0x0660 + n for n in range(10)})
    for written in (
        card, " ".join(fours), "-".join(fours), "\u2009".join(fours), "\u2013".join(fours), " - ".join(fours),
        ".".join(fours), "\n".join(fours), "\u200b".join(card), " ".join(card), fullwidth, arabic,
        f"card {card} exp 12/29",
        f"Visa:{card}.", f"%B{card}^SMITH/J^29121010000000000?", f";{card}=29121010000000000?", f"07700900123 {card}",
        f"{card} 12/29", f"({card})", f"abc{card}xyz", f"LON1-{card}",
    ):  # fmt: skip
        assert looks_like_card(written), written


@pytest.mark.parametrize("card", CARDS)
def test_a_card_with_one_wrong_digit_is_none(card: str) -> None:
    assert not looks_like_card(card[:-1] + str((int(card[-1]) + 1) % 10))


# The mark stands between groups of any shape: as the digits were printed, or as a hand broke them.
@given(
    st.sampled_from(CARDS),
    st.lists(st.integers(1, 18), max_size=6),
    st.sampled_from([" ", "-", ".", "  ", " - ", "\t"]),
)
def test_no_grouping_hides_a_card(card: str, cuts: list[int], mark: str) -> None:
    for cut in sorted({cut for cut in cuts if cut < len(card)}, reverse=True):
        card = card[:cut] + mark + card[cut:]
    assert looks_like_card(card)


def test_five_hundred_sim_numbers_pass() -> None:
    rng = random.Random(89)
    for n in range(500):
        iccid = with_luhn("89" + digits(rng, 16 + n % 2))
        for written in (iccid, " ".join(iccid[at : at + 4] for at in range(0, 20, 4)), f"SIM {iccid}", iccid + "F"):
            assert not looks_like_card(written), written


def test_five_hundred_device_numbers_pass() -> None:
    rng = random.Random(35)
    for _ in range(500):
        # Reporting bodies of GSMA's TS.06, annex: North America, Britain, Germany, China, India, test ranges.
        imei = with_luhn(
            rng.choice(["01", "35", "44", "45", "49", "50", "51", "52", "53", "54", "86", "91", "99"]) + digits(rng, 12)
        )
        for written in (imei, f"{imei[:2]}-{imei[2:8]}-{imei[8:14]}-{imei[14]}", f"IMEI {imei}"):
            assert not looks_like_card(written), written


def test_five_hundred_phone_numbers_pass() -> None:
    """From every plan phonenumbers knows: its example mobiles, their last digits changed, valid ones kept."""
    rng = random.Random(44)
    numbers: list[str] = []
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    while len(numbers) < 500:
        example = phonenumbers.example_number_for_type(rng.choice(regions), phonenumbers.PhoneNumberType.MOBILE)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[:-4] + digits(rng, 4)
        if phonenumbers.is_valid_number(phonenumbers.parse(e164, None)):
            numbers.append(e164)
    # The long ones are those a card could be: German and Austrian mobiles of thirteen digits, a hundred more.
    long = [f"+4915{digits(rng, 9)}" for _ in range(60)] + [f"+43664{digits(rng, 8)}" for _ in range(60)]
    numbers += [n for n in long if phonenumbers.is_valid_number(phonenumbers.parse(n, None))]
    assert len(numbers) > 580
    for e164 in numbers:
        shown = phonenumbers.format_number(phonenumbers.parse(e164, None), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        for written in (e164, e164[1:], "00" + e164[1:], shown, f"call {shown} after five"):
            assert not looks_like_card(written), written


def test_mainland_numbers_that_look_like_unionpay_pass() -> None:
    """Gansu's places begin with 62, Xinjiang's with 65: one in ten of their people would be refused as a card."""
    rng, seen = random.Random(62), 0
    for n in range(2000):
        born = f"19{rng.randint(50, 99)}0{1 + n % 9}1{n % 10}"
        body = rng.choice(["620102", "650102", "500101", "630102"]) + born + digits(rng, 3)
        check = (12 - sum(int(sign) * pow(2, 17 - place, 11) for place, sign in enumerate(body)) % 11) % 11
        number = body + ("X" if check == 10 else str(check))
        assert not looks_like_card(number) and not looks_like_card(number.lower())
        seen += number[-1] != "X" and with_luhn(number[:-1]) == number
    assert seen > 50, "the test must hold numbers that Luhn alone would refuse"


@pytest.mark.parametrize(
    "text",
    [
        "", "Jane Smith", "LON1-000123", "07700 900123", "2026-08-07 12:30:45", "20260807123045", "411111111111111",
        "4111 1111 1111", "1234567890123456", "0000000000000000", "9" * 16, "x" * 500, "4" * 12, "4111x1111x1111x1111",
        "40 GBP and 30 days", "+44 7700 900123 or +852 5550 1234",
    ],
)  # fmt: skip
def test_everyday_text_passes(text: str) -> None:
    assert not looks_like_card(text)


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    assert looks_like_card(text) in (True, False)


def test_a_very_long_text_is_searched_in_time() -> None:
    """The worst kind, no card among it; a quadratic search would take minutes."""
    assert not looks_like_card("4 " * 60_000)
    assert not looks_like_card("9" * 300_000)
    assert looks_like_card("9 " * 60_000 + "x 4111 1111 1111 1111")
