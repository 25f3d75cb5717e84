"""What a hand or a scanner sent, brought to plain signs before anyone asks what it means."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """``text`` with one way to write each sign: fullwidth forms and every script's digits as ASCII, dashes as ``-``,
    white space (line breaks too) as a blank, invisible and control signs gone. The case stays. Never raises;
    O(length).

    Input methods for Chinese send fullwidth digits, copied numbers carry joiners and direction marks, wedge scanners
    wrap a code in STX and ETX: each would make an honest number unreadable, and would hide a card number from its
    detector."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_plain_sign(sign) for sign in unicodedata.normalize("NFKC", text))


def _plain_sign(sign: str) -> str:
    if sign.isspace():
        return " "
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    category = unicodedata.category(sign)
    # U+2212, the minus sign, is no dash by category but is what some keyboards send for one.
    if category == "Pd" or sign == "\u2212":
        return "-"
    return "" if category in ("Cc", "Cf", "Cs") else sign
