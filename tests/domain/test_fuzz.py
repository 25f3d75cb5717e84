"""Rubbish in, an answer or the announced refusal out: never another error, never a digit too many.

The suite tries some twenty thousand inputs, new ones each day. By hand, for a million and a seed of your own:
``python -m tests.domain.test_fuzz 1000000 7``."""

import random
import sys
import time
from datetime import date, timedelta

from pos.domain import mrz
from pos.domain.aamva import NotAamva
from pos.domain.aamva import read as read_licence
from pos.domain.countries import alpha2, alpha3, is_mrz_code, issuer_key
from pos.domain.documents import DocumentPolicy, DocumentType, check_document, last_three, likely_type, normalise
from pos.domain.entry import AamvaEntry, BadgeEntry, EntryKind, ReceiptEntry, understand, understand_as
from pos.domain.numbers import NotANumber, grouped, masked, parse_iccid, parse_imei, parse_phone
from pos.domain.pan import looks_like_card
from tests.day import day

MRZ_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<<<<<<<<<"
NOISE = "0123456789 +-()./:;<>«＜０９٣αß\u200e\u00a0\r\n\t\x02\x03\x00\ud800😀é中ABCxyzOI"
REGIONS = ["GB", "HK", "CN", "MO", "TW", "US", "IT", "AR", "", "ZZ", "001", "gb"]
COUNTRIES = ["GB", "CHN", "HK", "MO", "TW", "D<<", "UNO", "", "QQ", "中", "<<<"]
SEEDS = [
    "I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    "I<UTOD23145890<7349<<<<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<",
    "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<D231458907UTO7408122F1204159<<<<<<<6",
    "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<D23145890<UTO3407127M95071227349<<<8",
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<L8988901C4XXX4009078F9612109<<<<<<<<",
    "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<8806923102858CORINNE<<<<<<<6512068F6",
    "+44 7700 900123", "07700900123", "5550 1234", "0085255501234", "8944123456789012348", "490154203237518",
    "4111 1111 1111 1111", "378282246310005", "LON1-000123", "R-LON1-000123", "B:1001", "11010519491231002X",
    "A123456(3)", "A800000014", "Jane Smith",
    "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\nDBA12102024\nDAJVA\rZVZVA01",
]  # fmt: skip


def made_up(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.15:
        return "".join(rng.choices(NOISE, k=rng.randint(0, 60)))
    if kind < 0.25:
        return "".join(chr(rng.choice([rng.randint(0, 255), rng.randint(0, 0x10FFFF)])) for _ in range(rng.randint(0, 20)))
    if kind < 0.35:
        return "".join(rng.choices(MRZ_SIGNS, k=rng.choice([30, 36, 44, 72, 88, 90])))
    if kind < 0.45:
        return "".join(rng.choices("0123456789", k=rng.randint(1, 24)))
    signs = list(rng.choice(SEEDS))
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(signs)) if signs else 0
        change = rng.random()
        if change < 0.6 and signs:
            signs[at] = rng.choice(MRZ_SIGNS if rng.random() < 0.7 else NOISE)
        elif change < 0.75:
            signs.insert(at, rng.choice(NOISE))
        elif change < 0.9:
            del signs[at : at + 1]
        else:
            signs = signs[:at]
    return "".join(signs)


def try_zone(text: str, today: date) -> None:
    try:
        zone = mrz.read(text, today)
    except mrz.NotMrz as refused:
        assert str(refused) in list(mrz.MrzShape)
        return
    likely_type(zone)
    assert zone.reads_right == (not zone.faults)
    assert sum(sign.isdigit() for sign in repr(zone)) <= 2, "the format and the count of faults"
    born = zone.birth_date.complete
    assert born is None or born <= today
    age = zone.birth_date.age_on(today)
    assert age is None or 0 <= age <= 100
    fields = [fault.field for fault in zone.faults]
    assert len(set(fields)) == len(fields) or fields.count(mrz.MrzField.NAMES) == len(fields) - len(set(fields)) + 1
    for fault in zone.faults:
        assert fault.read == "" or fault.read not in repr(fault) or len(fault.read) < 4
        if fault.suggestion is None:
            continue
        assert len(fault.suggestion) == len(fault.read) and fault.suggestion != fault.read
        left = mrz.read(mrz.with_suggestion(text, fault), today).faults
        assert not any(again.field is fault.field and again.reason is fault.reason for again in left) or (
            fault.field is mrz.MrzField.NAMES
        )


def try_all(text: str, rng: random.Random) -> None:
    region, today = rng.choice(REGIONS), date(1990, 1, 1) + timedelta(days=rng.randint(0, 30_000))
    entry = understand(text, region, rng.choice([(), ("LON1",)]))
    if not isinstance(entry, ReceiptEntry | BadgeEntry):
        assert sum(sign.isdigit() for sign in repr(entry).replace("TD1", "").replace("TD2", "").replace("TD3", "")) <= 3
    understand_as(rng.choice(list(EntryKind)), text, region)
    for parse in (lambda t: parse_phone(t, region), parse_iccid, parse_imei, grouped):
        try:
            parse(text)
        except NotANumber as refused:
            assert not any(sign.isdigit() for sign in str(refused))
    masked(text)
    looks_like_card(text)
    country = rng.choice([*COUNTRIES, text[:3]])
    assert alpha3(country) is None or alpha2(country) is not None
    assert not is_mrz_code(country) or issuer_key(country) is not None
    number = normalise(text)
    assert normalise(number) == number and len(last_three(text)) in (0, 3)
    expires_on = rng.choice([None, today, date.min, date.max])
    verdict = check_document(rng.choice(list(DocumentType)), country, text, expires_on, today, DocumentPolicy(grace_days=9))
    assert verdict.accepted == (not verdict.refusals)
    try:
        assert read_licence(text).country in ("US", "CA")
    except NotAamva:
        assert not isinstance(entry, AamvaEntry)
    try_zone(text, rng.choice([today, date.min, date.max]) if rng.random() < 0.05 else today)


def fuzz(count: int, seed: object) -> None:
    """``count`` inputs; an input that breaks a promise is in the error, with the seed that made it."""
    rng = random.Random(str(seed))
    for n in range(count):
        text = made_up(rng)
        try:
            try_all(text, rng)
        except Exception as broken:
            raise AssertionError(f"input {n} of seed {seed!r}: {text!r}") from broken


def test_twenty_thousand_inputs_meet_no_surprise() -> None:
    fuzz(20_000, day())


if __name__ == "__main__":
    wanted, chosen = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "by hand"
    began = time.perf_counter()
    fuzz(wanted, chosen)
    sys.stdout.write(f"{wanted} inputs, no surprise, {time.perf_counter() - began:.0f} s\n")
