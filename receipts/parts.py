"""The parts every slip shares: head, where and when, foot, and the training bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from receipts.blocks import Align, Block, Cut, Feed, Logo, Qr, Role, Row, Rule, Text
from receipts.document import Document, with_bars
from receipts.slips import Origin, Pairs, Shop

Say = Callable[[str], str]


def head(shop: Shop) -> list[Block]:
    """Who issues the slip: logo, name, legal name, address, tax number."""
    small = [shop.legal_name, *shop.address, " ".join(shop.tax_number or ())]
    logo = [Logo(shop.logo, shop.name)] if shop.logo else []
    return [*logo, Text(shop.name, Role.SHOP, Align.CENTRE, bold=True), *centred(small, Role.SMALL), Rule()]


def heading(text: str, second: str = "") -> list[Block]:
    """The title of the slip, and below it the same in the shop's second language where that says something else."""
    titles = [text, second] if second not in ("", text) else [text]
    return [Text(title, Role.TITLE, Align.CENTRE, bold=True) for title in titles]


def origin_rows(origin: Origin, number_label: str, say: Say) -> list[Block]:
    """Number, local time, business day, till and clerk."""
    place = " / ".join(part for part in (origin.till, origin.clerk) if part)
    return facts(
        [
            (number_label, origin.number),
            (say("Time"), origin.local_time),
            (say("Business day"), origin.business_day),
            (say("Till / clerk"), place),
        ]
    )


def facts(pairs: Iterable[tuple[str, str | None]], *, bold: bool = False) -> list[Block]:
    """Rows for those pairs that have a value."""
    return [Row(label, value, value_bold=bold) for label, value in pairs if value]


def money_rows(pairs: Pairs) -> list[Block]:
    """Rows that are printed exactly or not at all."""
    return [Row(label, value, money=True) for label, value in pairs if value]


def total_row(label: str, total: str) -> Block:
    """The largest text on the slip."""
    return Row(label, total, Role.TOTAL, value_bold=True, money=True)


def in_both(first: str, second: str) -> str:
    """A short label in the customer's language and in the shop's second one."""
    return f"{first} / {second}" if second not in ("", first) else first


def centred(lines: Iterable[str], role: Role) -> list[Block]:
    """Those lines that say something, in the middle."""
    return [Text(line, role, Align.CENTRE) for line in lines if line]


def foot(shop: Shop, qr: str | None, qr_words: str) -> list[Block]:
    """The code and what it is for, whom to ask, when they are there, and the shop's own lines."""
    code: list[Block] = [Qr(qr)] if qr else []
    lines = [qr_words if qr else "", *shop.legal, *shop.support, shop.opening_hours, *shop.footer]
    return [Rule(), *code, *centred(lines, Role.FOOT)] if code or any(lines) else []


def signature(label: str) -> list[Block]:
    """Room for a hand-written name above a line."""
    return [Feed(2), Rule(), Text(label, Role.SMALL)]


def finished(blocks: list[Block], title: str, language: str, say: Say, *, training: bool = False) -> Document:
    """The document, cut at its end; in training it says so above and below."""
    document = Document((*blocks, Cut()), title, language)
    return with_bars(document, say("TRAINING - NOT A RECEIPT")) if training else document
