"""Read what acquirers, banks and carriers send as files. A file that is not whole is refused whole."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pos.domain.money import Money, NotMoney, from_decimal
from pos.domain.pan import looks_like_card
from pos.domain.settlements import Direction, Kind, Theirs
from pos.domain.words import N_

# What a file may fill; date and amount are the least.
COLUMNS = ("date", "time", "amount", "currency", "fee", "reference", "last4", "number", "type", "product", "line")
CUT = N_("The file ends too early: {what}. Nothing was stored; fetch it again.")
UNREADABLE = N_("Line {line} of the file cannot be read ({told}). Nothing was stored.")
OTHER_FILE = N_("This is not a file of {profile}: {what}. Nothing was stored.")
HOLDS_CARD = N_("Line {line} of the file holds a whole card number. Nothing was stored; ask for a file without card numbers.")
TOO_LARGE = N_("The file is larger than {most}. Nothing was stored; ask for one file for each day.")
MOST_BYTES = 8 * 1024 * 1024


class FileRefused(Exception):
    """A sentence with its values; nothing of the file was stored."""

    def __init__(self, sentence: str, **values: object) -> None:
        self.sentence, self.values = sentence, values
        super().__init__(sentence)


@dataclass(frozen=True)
class Profile:
    """How one partner writes its files. ``columns``: our word -> theirs. ``trailer``: the first cell of the line that closes the
    file and tells how many lines there are; empty where none does. ``words``: theirs, in small letters -> what kind it is."""

    name: str
    direction: Direction
    kind: str = "csv"
    source: str = ""
    currency: str = "GBP"
    zone: str = "UTC"
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    date_format: str = "%Y-%m-%d"
    time_format: str = "%H:%M:%S"
    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Kind] = field(default_factory=dict)
    trailer: str = ""
    # Entries of the bank without any of these words are other people's business and are not kept.
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line as it was read. ``number``: whole, to be compared once and not kept."""

    line: Theirs
    identity: str
    number: str = field(default="", repr=False)
    product: str = ""
    provider_ref: str = ""


@dataclass(frozen=True)
class Contents:
    """``first_day`` to ``last_day``: what the file speaks of, so that silence within it says something."""

    lines: tuple[Line, ...]
    digest: str
    first_day: date
    last_day: date
    left_out: int = 0


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def identified(lines: Iterable[tuple[Theirs, str, str, str]]) -> tuple[Line, ...]:
    """Each line with an identity that the next file will give it again; two lines that are alike are told apart by their turn."""
    turns: Counter[str] = Counter()
    found = []
    for line, number, product, provider_ref in lines:
        says = (line.kind, line.amount, line.at.isoformat(), line.ref, line.tail, line.fee, provider_ref)
        word = "|".join(map(str, says))
        turns[word] += 1
        identity = hashlib.sha256(f"{word}|{turns[word]}".encode()).hexdigest()
        found.append(Line(line, identity, number, product, provider_ref))
    return tuple(found)


def days_of(lines: Iterable[Line], zone: str) -> list[date]:
    """The days on the partner's own calendar."""
    return sorted({one.line.at.astimezone(ZoneInfo(zone)).date() for one in lines})


# ------------------------------------------------------------------ CSV


def read_csv(content: bytes, profile: Profile) -> Contents:
    """Raises FileRefused."""
    rows = _rows(_text(content, profile), profile)
    head, body = rows[0], rows[1:]
    lacking = [theirs for theirs in profile.columns.values() if theirs not in head]
    if lacking:
        raise FileRefused(OTHER_FILE, profile=profile.name, what=N_("it has no column {column}"), column=lacking[0])
    if profile.trailer:
        body = _without_trailer(body, profile)
    places = {ours: head.index(theirs) for ours, theirs in profile.columns.items()}
    read = []
    for number, row in enumerate(body, start=2):
        if len(row) != len(head):
            raise FileRefused(
                CUT, what=N_("line {line} has {found} of {wanted} cells"), line=number, found=len(row), wanted=len(head)
            )
        if any(looks_like_card(cell) for cell in row):
            raise FileRefused(HOLDS_CARD, line=number)
        read.append(_csv_line({ours: row[place].strip() for ours, place in places.items()}, number, profile))
    if not read:
        raise FileRefused(CUT, what=N_("it has no lines"))
    lines = identified(read)
    days = days_of(lines, profile.zone)
    return Contents(lines, digest_of(content), days[0], days[-1])


def _text(content: bytes, profile: Profile) -> str:
    if len(content) > MOST_BYTES:
        raise FileRefused(TOO_LARGE, most="8 MB")
    try:
        text = content.decode(profile.encoding)
    except (UnicodeDecodeError, LookupError):
        raise FileRefused(
            OTHER_FILE, profile=profile.name, what=N_("it is not written in {encoding}"), encoding=profile.encoding
        ) from None
    if "\0" in text:
        raise FileRefused(OTHER_FILE, profile=profile.name, what=N_("it is no text"))
    return text.removeprefix("\ufeff")


def _rows(text: str, profile: Profile) -> list[list[str]]:
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text), delimiter=profile.delimiter, strict=True) if any(map(str.strip, row))
        ]
    except csv.Error:
        raise FileRefused(CUT, what=N_("a quotation mark is not closed")) from None
    if not rows:
        raise FileRefused(CUT, what=N_("it is empty"))
    return [[cell.strip() for cell in rows[0]], *rows[1:]]


def _without_trailer(body: list[list[str]], profile: Profile) -> list[list[str]]:
    last = body[-1] if body else []
    if not last or last[0].strip() != profile.trailer:
        raise FileRefused(CUT, what=N_("its last line {trailer} is missing"), trailer=profile.trailer)
    counts = [int(cell) for cell in last[1:] if re.fullmatch(r"[0-9]{1,9}", cell.strip())]
    if not counts or counts[0] != len(body) - 1:
        raise FileRefused(
            CUT, what=N_("it has {found} lines, and says {wanted}"), found=len(body) - 1, wanted=counts[0] if counts else "-"
        )
    return body[:-1]


def _csv_line(cells: dict[str, str], number: int, profile: Profile) -> tuple[Theirs, str, str, str]:
    try:
        currency = cells.get("currency", "").upper() or profile.currency
        amount = _amount(cells["amount"], currency, profile)
        fee = _amount(cells["fee"], currency, profile) if cells.get("fee") else None
        at, day_only = _moment(cells, profile)
        word = cells.get("type", "").casefold()
        if word and profile.words and word not in profile.words:
            raise ValueError(f"{word!r} is no kind of line that the configuration knows")
    except (NotMoney, ValueError) as fault:
        raise FileRefused(UNREADABLE, line=number, told=str(fault)[:120]) from None
    usual = Kind.PAYOUT if profile.direction is Direction.BANK else Kind.CHARGE
    kind = profile.words.get(word, usual) if word else usual
    if amount.minor < 0 and kind is Kind.CHARGE:
        kind = Kind.GIVEN_BACK
    if kind is not Kind.PAYOUT and amount.minor < 0:
        amount = -amount
    phone = cells.get("number", "")
    tail = digits(cells.get("last4", ""))[-4:] or digits(phone)[-3:]
    line = Theirs(
        kind,
        amount,
        at,
        ref=cells.get("reference", "")[:80],
        tail=tail,
        fee=None if fee is None or not fee else abs_money(fee),
        is_day_only=day_only,
    )
    return line, phone, cells.get("product", "")[:80], cells.get("line", "")[:80]


def digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


def abs_money(amount: Money) -> Money:
    return amount if amount.minor >= 0 else -amount


def _amount(text: str, currency: str, profile: Profile) -> Money:
    """The file's own decimal sign; whatever else stands between digits groups them."""
    other = "," if profile.decimal == "." else "."
    plain = text.replace(other, "").replace("'", "").replace("\u00a0", "").replace(" ", "").replace(profile.decimal, ".")
    if re.fullmatch(r"\(.*\)|.*-", plain):
        plain = "-" + plain.strip("()-")
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]*)?", plain):
        raise NotMoney("an amount has other signs than digits")
    return from_decimal(plain, currency)


def _moment(cells: dict[str, str], profile: Profile) -> tuple[datetime, bool]:
    day = datetime.strptime(cells["date"], profile.date_format)  # noqa: DTZ007 - the zone follows
    has_hour = "%H" in profile.date_format or "%I" in profile.date_format
    if cells.get("time"):
        day, has_hour = datetime.combine(day.date(), datetime.strptime(cells["time"], profile.time_format).time()), True  # noqa: DTZ007
    if day.tzinfo is None:
        day = day.replace(tzinfo=ZoneInfo(profile.zone))
    if not has_hour:
        day = day.replace(hour=12)  # noon: the same day in nearly every shop's zone
    return day.astimezone(UTC), not has_hour


def noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)
