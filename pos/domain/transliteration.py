"""One name, written in two ways: letters as ICAO Doc 9303 part 3, section 6, writes them in the lines of a document.

The tables are those of that section: A for Latin letters with signs, B for Cyrillic. Where the document leaves a choice (Müller
may stand as MUELLER, MULLER or MUXXLLER) each choice counts. Other scripts are not read: such a name cannot be compared, which is
not the same as another name."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import cache

# Table A, for the letters that do not simply lose their sign. The first form is the recommended one.
_LATIN = {
    "Ä": ("AE", "A"),
    "Å": ("AA", "A"),
    "Æ": ("AE",),
    "Ð": ("D",),
    "Đ": ("D",),
    "Ħ": ("H",),
    "ı": ("I",),
    "Ĳ": ("IJ",),
    "Ŀ": ("L",),
    "Ł": ("L",),
    "Ñ": ("N", "NXX"),
    "Ŋ": ("N",),
    "Ö": ("OE", "O"),
    "Ø": ("OE",),
    "Œ": ("OE",),
    "ß": ("SS",),
    "ẞ": ("SS",),
    "Þ": ("TH",),
    "Ŧ": ("T",),
    "Ü": ("UE", "UXX", "U"),
}

# Table B. Where languages differ, each of their forms counts: nobody at a counter knows in which language a name was written.
_CYRILLIC = {
    "А": ("A",),
    "Б": ("B",),
    "В": ("V",),
    "Г": ("G", "H"),
    "Ґ": ("G",),
    "Ѓ": ("G",),
    "Д": ("D",),
    "Ђ": ("D",),
    "Е": ("E",),
    "Ё": ("E", "IO"),
    "Є": ("IE", "YE"),
    "Ж": ("ZH", "Z"),
    "З": ("Z",),
    "И": ("I", "Y"),
    "І": ("I",),
    "Ї": ("I", "YI"),
    "Й": ("I", "Y"),
    "Ј": ("J",),
    "К": ("K",),
    "Ќ": ("K", "KJ"),
    "Л": ("L",),
    "Љ": ("LJ",),
    "М": ("M",),
    "Н": ("N",),
    "Њ": ("NJ",),
    "О": ("O",),
    "П": ("P",),
    "Р": ("R",),
    "С": ("S",),
    "Ѕ": ("DZ",),
    "Т": ("T",),
    "Ћ": ("C",),
    "У": ("U",),
    "Ў": ("U",),
    "Ф": ("F",),
    "Х": ("KH", "H"),
    "Ц": ("TS", "C"),
    "Ч": ("CH", "C"),
    "Џ": ("DZ", "DJ"),
    "Ш": ("SH", "S"),
    "Щ": ("SHCH", "SHT"),
    "Ъ": ("IE", "U"),
    "Ы": ("Y",),
    "Ь": ("",),
    "Э": ("E",),
    "Ю": ("IU", "YU"),
    "Я": ("IA", "YA"),
}
_FORMS = _LATIN | _CYRILLIC
_LONGEST = 120  # signs; no name is longer, and a partner's answer may be


class Likeness(StrEnum):
    """How two names stand to each other."""

    SAME = "same"
    SAME_LETTERS = "same_letters"  # equal once their letters are written as a document's lines have them
    DIFFERENT = "different"
    NOT_COMPARABLE = "not_comparable"


def spelling(name: str) -> str | None:
    """``name`` as the lines of a document most likely have it, words parted by blanks; None for a script of no table."""
    words = [_spelt(word) for word in _words(name)]
    return " ".join("".join(forms[0] for forms in word) for word in words if word is not None) if None not in words else None


def likeness(one: str, other: str) -> Likeness:
    """Whether two names are one. Case, hyphens and apostrophes part nobody, nor whether the surname stands first or last."""
    here, there = _words(one), _words(other)
    if not here or not there:
        return Likeness.NOT_COMPARABLE
    if any("".join(turned) == "".join(there) for turned in _turned(here)):
        return Likeness.SAME
    if _spelt("".join(here)) is None or _spelt("".join(there)) is None:
        return Likeness.NOT_COMPARABLE
    alike = any(_alike("".join(turned), "".join(there)) for turned in _turned(here))
    return Likeness.SAME_LETTERS if alike else Likeness.DIFFERENT


def _words(name: str) -> list[str]:
    """The words of a name in capitals. A hyphen parts words as the filler does in the lines; apostrophes, commas and dots fall
    away (section 4.6)."""
    whole = unicodedata.normalize("NFC", name[:_LONGEST])
    capitals = "".join(sign if sign in "ßı" else sign.upper() for sign in whole)
    parted = "".join(" " if sign.isspace() or unicodedata.category(sign) == "Pd" or sign in "<_," else sign for sign in capitals)
    return ["".join(sign for sign in word if sign.isalpha() or _is_mark(sign)) for word in parted.split()]


def _turned(words: list[str]) -> list[list[str]]:
    """The same words begun at each of them: given names first, or the surname."""
    return [words[start:] + words[:start] for start in range(len(words))]


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) == "Mn"


@cache
def _forms(sign: str) -> tuple[str, ...] | None:
    """What may stand for one capital; None for a letter that no table has."""
    if sign.isascii():
        return (sign,)
    if sign in _FORMS:
        return _FORMS[sign]
    bare = "".join(part for part in unicodedata.normalize("NFKD", sign) if not _is_mark(part))
    if bare in _FORMS:
        return _FORMS[bare]
    return (bare,) if bare.isascii() else None


def _spelt(word: str) -> list[tuple[str, ...]] | None:
    forms = [_forms(sign) for sign in word]
    return [found for found in forms if found is not None] if None not in forms else None


def _alike(one: str, other: str) -> bool:
    """Whether some way to write ``one`` is some way to write ``other``: both are read side by side, sign by sign, and what one
    is ahead of the other is all that has to be remembered."""
    here, there = _spelt(one) or [], _spelt(other) or []
    waiting, seen = [(0, 0, "", True)], set()
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        i, j, ahead, is_here = state
        if i == len(here) and j == len(there) and not ahead:
            return True
        # Whoever is behind writes the next letter.
        side, at = (there, j) if is_here and ahead else (here, i)
        writes_here = not (is_here and ahead)
        if at == len(side):
            if ahead or writes_here is False:
                continue
            side, at, writes_here = there, j, False
        for form in side[at]:
            rest = _ahead(ahead, form)
            if rest is None:
                continue
            left, is_ours = rest
            owner = writes_here if is_ours else not writes_here
            waiting.append((i + writes_here, j + (not writes_here), left, owner if left else True))
    return False


def _ahead(waits: str, form: str) -> tuple[str, bool] | None:
    """(what stays over, whether it is the writer's) when ``form`` is written against what ``waits``; None where they part."""
    if waits.startswith(form):
        return waits[len(form) :], False
    if form.startswith(waits):
        return form[len(waits) :], True
    return None
