"""Files of acquirers and banks: as they are written in several countries, whole or refused, and the bank's own XML."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pos.domain.camt import read_camt
from pos.domain.money import Money
from pos.domain.settlement_files import MOST_BYTES, FileRefused, Profile, read_csv
from pos.domain.settlements import Direction, Kind

COLUMNS = {"date": "Date", "time": "Time", "amount": "Amount", "reference": "Auth", "last4": "Card"}
PLAIN = Profile("cards", Direction.CARD, source="cards", zone="Europe/London", columns=COLUMNS)


def refused(content: bytes, profile: Profile = PLAIN, read: Callable[..., object] = read_csv) -> FileRefused:
    with pytest.raises(FileRefused) as found:
        read(content, profile)
    return found.value


# ---------------------------------------------------------------- CSV


def test_five_hundred_lines_keep_their_identity_in_any_file() -> None:
    chance = random.Random(5)
    lines = [
        f"2026-11-21,{9 + n // 60:02d}:{n % 60:02d}:00,{chance.randrange(500, 3000) / 100:.2f},{n:06d},4242" for n in range(500)
    ]
    lines += lines[:3]
    head = "Date,Time,Amount,Auth,Card\n"
    first = read_csv((head + "\n".join(lines) + "\n").encode(), PLAIN)
    chance.shuffle(lines)
    again = read_csv((head + "\n".join(lines)).encode(), PLAIN)
    identities = {line.identity for line in first.lines}
    assert len(identities) == 503, "a line that stands there twice is two"
    assert {line.identity for line in again.lines} == identities and again.digest != first.digest
    half = read_csv((head + "\n".join(lines[:200])).encode(), PLAIN)
    assert len({line.identity for line in half.lines} - identities) == 0


@pytest.mark.parametrize(
    ("profile", "content"),
    [
        (PLAIN, "\ufeffDate,Time,Amount,Auth,Card\n2026-11-21,14:05:00,-1234.50,004711,****4242\n".encode()),
        (
            replace(PLAIN, delimiter=";", decimal=",", date_format="%d.%m.%Y", zone="Europe/Berlin"),
            b'Date;Time;Amount;Auth;Card\n21.11.2026;15:05:00;"-1.234,50";004711;xxxx4242\n',
        ),
        (
            replace(PLAIN, delimiter="\t", encoding="gb18030", zone="Asia/Shanghai", columns=COLUMNS | {"amount": "金额"}),
            "Date\tTime\t金额\tAuth\tCard\n2026-11-21\t22:05:00\t-1 234.50\t004711\t4242\n".encode("gb18030"),
        ),
        (PLAIN, b"Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,(1'234.50),004711,4242\n"),
        (PLAIN, b"Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,1234.50-,004711,4242\n"),
    ],
)
def test_the_same_line_as_five_houses_write_it(profile: Profile, content: bytes) -> None:
    (line,) = read_csv(content, profile).lines
    said = line.line
    assert (said.kind, said.amount) == (Kind.GIVEN_BACK, Money(123_450, "GBP"))
    assert said.at == datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
    assert (said.ref, said.tail) == ("004711", "4242")


def test_a_day_without_an_hour_is_that_day() -> None:
    profile = replace(PLAIN, columns={"date": "D", "amount": "A"})
    contents = read_csv(b"D,A\n2026-11-21,5\n2026-11-23,5\n", profile)
    assert [line.line.is_day_only for line in contents.lines] == [True, True]
    assert (contents.first_day, contents.last_day) == (date(2026, 11, 21), date(2026, 11, 23))


def test_words_say_what_a_line_is() -> None:
    profile = replace(
        PLAIN, columns={"date": "D", "amount": "A", "type": "T"}, words={"erstattung": Kind.GIVEN_BACK, "fee": Kind.FEE}
    )
    kinds = [
        line.line.kind for line in read_csv(b"D,A,T\n2026-11-21,5,Erstattung\n2026-11-21,-1,FEE\n2026-11-21,7,\n", profile).lines
    ]
    assert kinds == [Kind.GIVEN_BACK, Kind.FEE, Kind.CHARGE]
    assert refused(b"D,A,T\n2026-11-21,5,gift\n", profile).values["line"] == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Date,Time,Amount,Auth,Card\n",
        b"Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,5.00,47",
        b'Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,5.00,"47',
        b"Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,5.001,47,4242",
        b"Date,Time,Amount,Auth,Card\n2026-13-21,14:05:00,5.00,47,4242",
        b"Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,nan,47,4242",
        b"Date,Time,Amount,Auth,Card\n2026-11-21,14:05:00,5.00,47,4111111111111111",
        b"\xff\xfe\x00",
        b"x" * (MOST_BYTES + 1),
    ],
)
def test_what_is_not_whole_or_not_right_is_refused(content: bytes) -> None:
    assert "Nothing was stored" in refused(content).sentence


def test_every_cut_of_a_file_with_a_trailer_is_noticed() -> None:
    profile = replace(PLAIN, trailer="END")
    content = b"Date,Time,Amount,Auth,Card\n" + b"2026-11-21,14:05:00,5.00,47,4242\n" * 5 + b"END,5,,,\n"
    assert len(read_csv(content, profile).lines) == 5
    for end in range(len(content) - len(b",,,\n")):
        refused(content[:end], profile)


# ---------------------------------------------------------------- camt

CAMT = Profile("bank", Direction.BANK, kind="camt", source="bank", zone="Europe/Berlin", currency="EUR", only=("Acquirer",))
CARD_CAMT = replace(CAMT, direction=Direction.CARD, only=())


def balance(code: str, amount: str, sign: str = "CRDT") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>"
        "<Dt><Dt>2026-11-23</Dt></Dt></Bal>"
    )


def entry(
    amount: str, sign: str, text: str, more: str = "", status: str = "<Sts><Cd>BOOK</Cd></Sts>", reverses: bool = False
) -> str:
    mark = "<RvslInd>true</RvslInd>" if reverses else ""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{mark}{status}<BookgDt><Dt>2026-11-23</Dt></BookgDt>"
        f"<AcctSvcrRef>{text[:6]}-{amount}</AcctSvcrRef>{more}<AddtlNtryInf>{text}</AddtlNtryInf></Ntry>"
    )


def statement(*entries: str, closing: str, version: str = "053.001.08", head: str = "", opening: str = "1000.00") -> bytes:
    kind, outer = ("Stmt", "BkToCstmrStmt") if version.startswith("053") else ("Ntfctn", "BkToCstmrDbtCdtNtfctn")
    balances = balance("OPBD", opening) + balance("CLBD", closing) if version.startswith("053") else ""
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{version}'><{outer}>"
        f"<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-24T06:00:00+01:00</CreDtTm></GrpHdr><{kind}><Id>S1</Id>{head}"
        f"<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>{balances}{''.join(entries)}</{kind}></{outer}></Document>"
    ).encode()


OLD = "<Sts>BOOK</Sts>"
CHARGES = "<Chrgs><Rcrd><Amt Ccy='EUR'>1.20</Amt><CdtDbtInd>DBIT</CdtDbtInd><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>"
OLD_CHARGES = "<Chrgs><Amt Ccy='EUR'>1.20</Amt><CdtDbtInd>DBIT</CdtDbtInd></Chrgs>"


@pytest.mark.parametrize("version", ["053.001.02", "053.001.04", "053.001.08", "053.001.13"])
@pytest.mark.parametrize(("status", "charges"), [(OLD, OLD_CHARGES), ("<Sts><Cd>BOOK</Cd></Sts>", CHARGES)])
def test_payouts_of_every_version_and_what_was_taken_off(version: str, status: str, charges: str) -> None:
    content = statement(
        entry("98.80", "CRDT", "Acquirer batch 4711", charges, status),
        entry("700.00", "DBIT", "Rent for November", "", status),
        entry("5.00", "DBIT", "ACQUIRER chargeback", "", status, reverses=True),
        entry("1.00", "CRDT", "Acquirer, not booked yet", "", status.replace("BOOK", "PDNG")),
        closing="393.80",
        version=version,
    )
    contents = read_camt(content, CAMT)
    assert [(line.line.kind, line.line.amount.minor, line.line.fee) for line in contents.lines] == [
        (Kind.PAYOUT, 9880, Money(120, "EUR")),
        (Kind.PAYOUT, -500, None),
    ]
    assert contents.left_out == 1 and all(line.line.is_day_only for line in contents.lines)
    assert (contents.first_day, contents.last_day) == (date(2026, 11, 23),) * 2


def detail(amount: str, ref: str, sign: str = "CRDT", charges: str = "", number: str = "************4242") -> str:
    return (
        f"<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId><TxId>{ref}</TxId></Refs><Amt Ccy='EUR'>{amount}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd>{charges}<CardTx><Card><PlainCardData><PAN>{number}</PAN></PlainCardData></Card></CardTx>"
        "<RltdDts><TxDtTm>2026-11-21T15:05:00+01:00</TxDtTm></RltdDts></TxDtls>"
    )


def batch(*details: str, count: int | None = None) -> str:
    told = len(details) if count is None else count
    return f"<NtryDtls><Btch><NbOfTxs>{told}</NbOfTxs></Btch>{''.join(details)}</NtryDtls>"


def test_a_batch_is_its_transactions_where_they_make_its_amount() -> None:
    parts = batch(detail("30.00", "004711"), detail("10.00", "004712", "DBIT"), detail("80.00", "004713", charges=CHARGES))
    contents = read_camt(statement(entry("98.80", "CRDT", "Batch", parts), closing="1098.80"), CARD_CAMT)
    assert [(one.line.kind, one.line.amount.minor, one.line.ref, one.line.tail) for one in contents.lines] == [
        (Kind.CHARGE, 3000, "004711", "4242"),
        (Kind.GIVEN_BACK, 1000, "004712", "4242"),
        (Kind.CHARGE, 8000, "004713", "4242"),
    ]
    assert contents.lines[0].line.at == datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
    assert [one.line.fee for one in contents.lines] == [None, None, Money(120, "EUR")]


def test_charges_of_the_whole_batch_are_a_line_of_their_own() -> None:
    parts = CHARGES + batch(detail("30.00", "1"), detail("70.00", "2"))
    contents = read_camt(statement(entry("98.80", "CRDT", "Batch", parts), closing="1098.80"), CARD_CAMT)
    assert [(one.line.kind, one.line.amount.minor) for one in contents.lines] == [
        (Kind.CHARGE, 3000),
        (Kind.CHARGE, 7000),
        (Kind.FEE, 120),
    ]


def test_single_entries_and_notifications() -> None:
    one = entry("12.00", "CRDT", "Acquirer single", f"<NtryDtls>{detail('12.00', '004711')}</NtryDtls>")
    for content in (statement(one, closing="1012.00"), statement(one, closing="", version="054.001.08")):
        (line,) = read_camt(content, CARD_CAMT).lines
        assert (line.line.ref, line.line.amount.minor) == ("004711", 1200)


GOOD = statement(entry("98.80", "CRDT", "Acquirer"), entry("1.20", "DBIT", "Acquirer fee"), closing="1097.60")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:400],
        GOOD[:-1],
        GOOD.replace(b"98.80", b"98.81"),
        GOOD.replace(b"CLBD", b"ITBD"),
        GOOD.replace(b"OPBD", b"ITBD"),
        GOOD.replace(b"camt.053", b"pain.001"),
        GOOD.replace(b"<Bal>", b"<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry><Bal>", 1),
        GOOD.replace(b"<Acct>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><Acct>"),
        b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
        GOOD.replace(b"98.80<", b"98,80<"),
        GOOD.replace(b"Acquirer fee", b"4111 1111 1111 1111"),
        statement(entry("10.00", "CRDT", "Batch", batch(detail("9.00", "1"), detail("2.00", "2"))), closing="1010.00"),
        statement(entry("10.00", "CRDT", "Batch", batch(detail("10.00", "1"), count=2)), closing="1010.00"),
        statement(entry("10.00", "CRDT", "x", batch(detail("10.00", "1", number="4111111111111111"))), closing="1010.00"),
        statement(closing="1000.00"),
    ],
)
def test_a_statement_that_is_cut_or_does_not_come_out_is_refused(content: bytes) -> None:
    assert "Nothing was stored" in refused(content, CARD_CAMT, read_camt).sentence


def test_the_good_one_is_good() -> None:
    assert len(read_camt(GOOD, CARD_CAMT).lines) == 2


def test_a_statement_speaks_of_the_days_of_its_head() -> None:
    head = "<FrToDt><FrDtTm>2026-11-20T00:00:00+01:00</FrDtTm><ToDtTm>2026-11-24T23:59:59+01:00</ToDtTm></FrToDt>"
    contents = read_camt(statement(closing="1000.00", head=head), CAMT)
    assert (contents.lines, contents.first_day, contents.last_day) == ((), date(2026, 11, 20), date(2026, 11, 24))
