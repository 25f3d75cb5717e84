"""The bank's own files: ISO 20022 camt.053 (a statement) and camt.054 (notifications), whatever version the bank writes.

Only booked entries are read. The balances of a statement must come out, and counts that the file names must be right: else it
was cut, or is not understood, and nothing of it is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from defusedxml import ElementTree, common

from pos.domain.money import Money, NotMoney, from_decimal, total
from pos.domain.pan import looks_like_card
from pos.domain.settlement_files import (
    CUT,
    HOLDS_CARD,
    MOST_BYTES,
    OTHER_FILE,
    TOO_LARGE,
    UNREADABLE,
    Contents,
    FileRefused,
    Profile,
    days_of,
    digest_of,
    digits,
    identified,
    noon,
)
from pos.domain.settlements import Direction, Kind, Theirs
from pos.domain.words import N_

# An element as defusedxml hands it out; the package has no types.
Element = Any
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.05([34])\.001\.[0-9]{2}\}Document")
_REFERENCES = ("EndToEndId", "TxId", "AcctSvcrRef", "InstrId", "ClrSysRef", "MsgId")
# The texts in which an entry says whose it is.
_TEXTS = ("AddtlNtryInf", "AddtlTxInf", "Ustrd", "Nm", "PmtInfId", "MsgId", "NtryRef", "AcctSvcrRef")

Read = tuple[Theirs, str, str, str]


def read_camt(content: bytes, profile: Profile) -> Contents:
    """Raises FileRefused."""
    if len(content) > MOST_BYTES:
        raise FileRefused(TOO_LARGE, most="8 MB")
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except common.DefusedXmlException:
        raise FileRefused(OTHER_FILE, profile=profile.name, what=N_("it brings definitions of its own")) from None
    except (ElementTree.ParseError, ValueError, LookupError):
        raise FileRefused(CUT, what=N_("it is no whole XML document")) from None
    known = _NAMESPACE.fullmatch(root.tag)
    if known is None:
        raise FileRefused(OTHER_FILE, profile=profile.name, what=N_("it is neither camt.053 nor camt.054"))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    statements = list(root.iter("Stmt" if known[1] == "3" else "Ntfctn"))
    if not statements:
        raise FileRefused(CUT, what=N_("it holds no statement"))
    return _contents(statements, digest_of(content), profile, is_statement=known[1] == "3")


def _contents(statements: list[Element], digest: str, profile: Profile, *, is_statement: bool) -> Contents:
    read: list[Read] = []
    days: list[date] = []
    left_out = 0
    try:
        for statement in statements:
            entries = [entry for entry in statement.findall("Ntry") if _status(entry) == "BOOK"]
            _check_counts(statement)
            if is_statement:
                _check_balances(statement, entries)
            days += _told_days(statement, profile)
            for entry in entries:
                if not _is_ours(entry, profile):
                    left_out += 1
                    continue
                read += _lines(entry, profile)
    except (NotMoney, ValueError, AttributeError, TypeError) as fault:
        raise FileRefused(UNREADABLE, line="-", told=str(fault)[:120]) from None
    lines = identified(read)
    days += days_of(lines, profile.zone)
    if not days:
        raise FileRefused(OTHER_FILE, profile=profile.name, what=N_("it names no day"))
    return Contents(lines, digest, min(days), max(days), left_out)


def _text(element: Element | None, path: str) -> str:
    found = element.find(path) if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def _status(entry: Element) -> str:
    """``<Sts>BOOK</Sts>`` in the older versions, ``<Sts><Cd>BOOK</Cd></Sts>`` in the newer ones."""
    return _text(entry, "Sts/Cd") or _text(entry, "Sts")


def _signed(element: Element, path: str = "Amt") -> Money:
    """Credit is positive. That an entry takes an earlier one back (``RvslInd``) changes nothing: its direction is told."""
    amount, sign = element.find(path), _text(element, "CdtDbtInd")
    if amount is None or sign not in ("CRDT", "DBIT"):
        raise ValueError("an entry without an amount or a direction")
    money = from_decimal((amount.text or "").strip(), amount.get("Ccy", ""))
    return money if sign == "CRDT" else -money


def _check_counts(statement: Element) -> None:
    entries = statement.findall("Ntry")
    told = _text(statement, "TxsSummry/TtlNtries/NbOfNtries")
    if told and int(told) != len(entries):
        raise FileRefused(CUT, what=N_("it has {found} lines, and says {wanted}"), found=len(entries), wanted=told)


def _check_balances(statement: Element, entries: list[Element]) -> None:
    """What there was, and every entry, must make what there is."""
    balances: dict[str, Money] = {}
    for balance in statement.findall("Bal"):
        code = _text(balance, "Tp/CdOrPrtry/Cd")
        if not _text(balance, "Tp/SubTp/Cd"):
            balances.setdefault(code, _signed(balance))
    before, after = balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD")
    if before is None or after is None:
        raise FileRefused(CUT, what=N_("the balance at its beginning or end is missing"))
    moved = total([_signed(entry) for entry in entries], before.currency)
    if before + moved != after:
        raise FileRefused(CUT, what=N_("its entries do not make its closing balance"))


def _told_days(statement: Element, profile: Profile) -> list[date]:
    found = (_text(statement, f"FrToDt/{end}") for end in ("FrDtTm", "ToDtTm"))
    return [_local_day(text, profile) for text in found if text]


def _local_day(text: str, profile: Profile) -> date:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(ZoneInfo(profile.zone)).date() if moment.tzinfo else moment.date()


def _is_ours(entry: Element, profile: Profile) -> bool:
    said = " ".join(element.text or "" for element in entry.iter() if element.tag in _TEXTS).casefold()
    return not profile.only or any(word.casefold() in said for word in profile.only)


def _lines(entry: Element, profile: Profile) -> Iterator[Read]:
    """For the bank's side the entry itself; for cards each transaction in it, where they make the entry's amount."""
    whole, (at, day_only) = _signed(entry), _moment(entry, profile)
    ref = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    if profile.direction is Direction.BANK:
        yield _line(Kind.PAYOUT, whole, at, ref, _charges(entry, whole), day_only, entry), "", "", ref
        return
    details = entry.findall("NtryDtls/TxDtls")
    told = _text(entry, "NtryDtls/Btch/NbOfTxs")
    if told and details and int(told) != len(details):
        raise FileRefused(CUT, what=N_("it has {found} lines, and says {wanted}"), found=len(details), wanted=told)
    if not details:
        yield _line(_kind(whole), whole, at, ref, _charges(entry, whole), day_only, entry), "", "", ref
        return
    amounts = [_of_detail(detail, entry, alone=len(details) == 1) for detail in details]
    fees = [_charges(detail, amount) for detail, amount in zip(details, amounts, strict=True)]
    gross = total(amounts, whole.currency)
    net = gross - total([fee for fee in fees if fee is not None], whole.currency)
    rest = _charges(entry, whole)
    if whole not in (gross, net, gross - (rest or Money(0, whole.currency))):
        raise FileRefused(CUT, what=N_("the transactions of an entry do not make its amount"))
    for detail, amount, fee in zip(details, amounts, fees, strict=True):
        found = next((text for name in _REFERENCES if (text := _text(detail, f"Refs/{name}")) not in ("", "NOTPROVIDED")), ref)
        when, hourless = _moment(detail, profile, otherwise=(at, day_only))
        yield _line(_kind(amount), amount, when, found, fee, hourless, detail), "", "", ref
    if rest is not None and whole == gross - rest:
        yield _line(Kind.FEE, rest, at, "", None, day_only, entry), "", "", ref


def _kind(amount: Money) -> Kind:
    return Kind.CHARGE if amount.minor >= 0 else Kind.GIVEN_BACK


def _line(kind: Kind, amount: Money, at: datetime, ref: str, fee: Money | None, day_only: bool, told: Element) -> Theirs:
    texts = [element.text or "" for element in told.iter()]
    if any(looks_like_card(text) for text in texts):
        raise FileRefused(HOLDS_CARD, line="-")
    number = _text(told, "CardTx/Card/PlainCardData/PAN") or _text(told, "CardTx/Card/MskdPAN")
    plain = amount if kind is Kind.PAYOUT or amount.minor >= 0 else -amount
    return Theirs(kind, plain, at, ref=ref[:80], tail=digits(number)[-4:], fee=fee, is_day_only=day_only)


def _of_detail(detail: Element, entry: Element, *, alone: bool) -> Money:
    sign = _text(detail, "CdtDbtInd") or _text(entry, "CdtDbtInd")
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        amount = detail.find(path)
        if amount is not None:
            money = from_decimal((amount.text or "").strip(), amount.get("Ccy", ""))
            return money if sign == "CRDT" else -money
    if alone:
        return _signed(entry)
    raise ValueError("a transaction of a batch without an amount")


def _charges(element: Element, amount: Money) -> Money | None:
    """What was taken off before it arrived; None where nothing is said. Charges booked by themselves are entries."""
    found = [_charge(record) for record in (element.findall("Chrgs/Rcrd") or element.findall("Chrgs"))]
    taken = total([charge for charge in found if charge is not None and charge.currency == amount.currency], amount.currency)
    return taken if taken else None


def _charge(record: Element) -> Money | None:
    written = record.find("Amt")
    if written is None:
        written = record.find("TtlChrgsAndTaxAmt")
    if written is None:
        return None
    money = from_decimal((written.text or "").strip(), written.get("Ccy", ""))
    return -money if _text(record, "CdtDbtInd") == "CRDT" else money


def _moment(element: Element, profile: Profile, otherwise: tuple[datetime, bool] | None = None) -> tuple[datetime, bool]:
    """(when, whether only the day is known)."""
    for path in ("RltdDts/TxDtTm", "RltdDts/AccptncDtTm", "BookgDt/DtTm", "ValDt/DtTm"):
        if text := _text(element, path):
            moment = datetime.fromisoformat(text)
            local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(profile.zone))
            return local.astimezone(UTC), False
    for path in ("BookgDt/Dt", "ValDt/Dt"):
        if text := _text(element, path):
            return noon(date.fromisoformat(text[:10]), profile.zone), True
    if otherwise is None:
        raise ValueError("an entry without a day")
    return otherwise
