"""What a slip says in the place of a slot: the code and how to use it, or only its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from receipts.blocks import Align, Block, Qr, Role, Rule, Slot, Text
from receipts.parts import Say, facts


@dataclass(frozen=True)
class Code:
    """What the customer gets as text. ``text`` is worth money, so ``repr`` hides it; so may be ``instructions``, which some
    carriers write with the code in it."""

    text: str = field(repr=False)
    is_esim: bool = False
    masked: str = ""
    serial: str = ""
    instructions: str = field(default="", repr=False)
    validity: str = ""


def in_clear(code: Code, say: Say) -> list[Block]:
    """The code, large enough to be typed from, or the square that a phone scans, and how to use it."""
    shown = _esim(code, say) if code.is_esim else _voucher(code, say)
    return [Rule(), *shown, *([Text(code.instructions)] if code.instructions else [])]


def _voucher(code: Code, say: Say) -> list[Block]:
    return [
        Text(say("Code"), Role.SMALL, Align.CENTRE),
        Text(code.text, Role.TOTAL, Align.CENTRE, bold=True),
        *facts([(say("Serial no."), code.serial), (say("Use it by"), code.validity)]),
        Text(say("Whoever has this code can use it. Keep this slip."), Role.SMALL, Align.CENTRE),
    ]


def _esim(code: Code, say: Say) -> list[Block]:
    return [
        Qr(code.text),
        Text(say("Scan to install the eSIM."), Role.FOOT, Align.CENTRE),
        Text(code.text, Role.SMALL, Align.CENTRE),
        *facts([(say("eSIM number"), code.masked)]),
        Text(say("It can be installed once. Keep this slip."), Role.SMALL, Align.CENTRE),
    ]


def masked(slot: Slot, say: Say) -> list[Block]:
    """The end of it, and that it was handed over once."""
    label = say("eSIM number") if slot.is_esim else say("Code")
    return [*facts([(label, slot.masked)]), Text(say("It stands in full on one slip only."), Role.SMALL)]
