"""The small slips of a drawer: its closed shift, cash in and out, and the printer's test page."""

from __future__ import annotations

from receipts.blocks import Align, Bar, Block, Cut, Qr, Role, Row, Rule, Text
from receipts.document import Document
from receipts.parts import (
    Say,
    facts,
    finished,
    head,
    heading,
    money_rows,
    origin_rows,
    signature,
    total_row,
)
from receipts.reports import CashMovementSlip, HandoverSlip, Movement, ShiftSlip, TestPage

SAMPLE_SIMPLIFIED = "简体：话费充值、有效期、应付总额"
SAMPLE_TRADITIONAL = "繁體：話費儲值、有效期、應付總額"
SAMPLE_LATIN = "ABCDEF abcdef 0123456789 £€$"


def shift_slip(values: ShiftSlip, say: Say, language: str) -> Document:
    """What the clerk keeps of a closed shift. Counted figures only: an expected one would end the blind count."""
    title = say("SHIFT CLOSED")
    blocks: list[Block] = [
        *head(values.shop),
        *heading(title),
        *origin_rows(values.origin, say("Slip no."), say),
        *facts([(say("Shift"), values.shift), (say("Opened"), values.opened), (say("Closed"), values.closed)]),
        Rule(),
        *money_rows(values.denominations),
        *([Rule()] if values.denominations else []),
        Text(say("Counted"), bold=True),
        *money_rows(values.counted),
        *money_rows(((say("Left in the drawer"), values.left), (say("To the bank"), values.to_bank))),
        *signature(say("Signature")),
    ]
    return finished(blocks, f"{title} {values.shift}", language, say, training=values.training)


def handover(values: HandoverSlip, say: Say, language: str) -> Document:
    """Two people counted the same drawer; both sign."""
    title = say("DRAWER HANDED OVER")
    blocks: list[Block] = [
        *head(values.shop),
        *heading(title),
        *origin_rows(values.origin, say("Slip no."), say),
        *facts([(say("Shift"), values.shift), (say("Opened"), values.opened)]),
        *facts([(say("Given by"), values.giver), (say("Taken by"), values.taker)], bold=True),
        Rule(),
        *money_rows(values.denominations),
        total_row(say("Counted"), values.counted),
        *signature(say("Given by")),
        *signature(say("Taken by")),
    ]
    return finished(blocks, f"{title} {values.shift}", language, say, training=values.training)


def cash_movement(values: CashMovementSlip, say: Say, language: str) -> Document:
    """Cash put in or taken out, for the drawer and for the book-keeper."""
    title = movement_title(values.movement, say)
    reasons = [
        (say("Reason"), values.reason),
        (say("Note"), values.note),
        (say("Approved by"), values.approver),
    ]
    blocks: list[Block] = [
        *head(values.shop),
        *heading(title),
        *origin_rows(values.origin, say("Slip no."), say),
        Rule(),
        *facts(reasons),
        total_row(say("Amount"), values.amount),
        *signature(say("Signature")),
    ]
    return finished(blocks, f"{title} {values.origin.number}", language, say, training=values.training)


def movement_title(movement: Movement, say: Say) -> str:
    """The kind of movement as a title."""
    match movement:
        case Movement.PAID_IN:
            return say("CASH PAID IN")
        case Movement.PAID_OUT:
            return say("CASH PAID OUT")
        case Movement.DROP:
            return say("SAFE DROP")
        case Movement.OPENING_FLOAT:
            return say("OPENING FLOAT")


def test_page(values: TestPage, say: Say, language: str) -> Document:
    """Both scripts, every size, the edges of the paper and a code. A printer with characters of its own gets only what
    they can show, with a ruler of its columns."""
    title = say("PRINTER TEST")
    edges: list[Block] = [Row("|<", ">|")]
    if values.columns:
        samples: list[Block] = [Text("1234567890" * (values.columns // 10) + "1234567890"[: values.columns % 10])]
    else:
        samples = [Text(sample) for sample in (SAMPLE_LATIN, SAMPLE_SIMPLIFIED, SAMPLE_TRADITIONAL)]
        samples += [Text(SAMPLE_SIMPLIFIED, bold=True), Text(SAMPLE_TRADITIONAL, Role.SMALL)]
    blocks: list[Block] = [
        Bar(title),
        Text(values.printer, Role.SHOP, Align.CENTRE, bold=True),
        *facts([(say("Time"), values.local_time), *values.settings]),
        Rule(),
        *edges,
        *samples,
        total_row(say("TOTAL"), "1,234.56 GBP"),
        Rule(),
        Qr(values.qr),
        Text(say("If this line is complete and the paper was cut, the printer is set up."), Role.FOOT, Align.CENTRE),
        Cut(),
    ]
    return Document(tuple(blocks), title, language)
