"""The one door through which text reaches paper: control characters are commands to a printer, so none may pass.

An ESC or DLE inside a plan's name could open the drawer; a bidi override could turn an amount round."""

from __future__ import annotations

import unicodedata

# A soft look-alike is replaced by what the receipt face has.
ALIASES = {"\u2212": "-", "\u2010": "-", "\u2011": "-"}
# Characters that draw nothing: controls, formatting (bidi, zero width, soft hyphen), lone surrogates, private use.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
IDEOGRAPHIC_SPACE = "\u3000"


def clean(text: str) -> str:
    """Text as it may stand on paper: NFC, one line, no control, format or bidi character.

    Newline, tab and every exotic space become a plain space; U+2212 becomes a hyphen. Cleaning twice changes
    nothing."""
    if text.isascii() and text.isprintable():
        return text  # most of a receipt, and many documents are read and drawn for each sale
    text = text.replace("\r\n", " ")
    return unicodedata.normalize("NFC", "".join(map(clean_character, text)))


def clean_character(character: str) -> str:
    """What one character becomes: itself, a replacement, or nothing."""
    if character.isascii() and character.isprintable():
        return character
    if character in "\n\r\t\v\f":
        return " "
    category = unicodedata.category(character)
    if category in INVISIBLE or "\ufe00" <= character <= "\ufe0f":  # variation selectors are marks, but draw nothing
        return ""
    if category in {"Zs", "Zl", "Zp"} and character != IDEOGRAPHIC_SPACE:
        return " "
    return ALIASES.get(character, character)
