"""Sentences for paper in the customer's language, from the same catalogues as the screens."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

_CATALOGUES = Path(__file__).resolve().parent.parent / "translations"


@cache
def say_in(language: str) -> Callable[[str], str]:
    """A translator for ``en``, ``zh_Hans`` or ``zh_Hant``; English stands where a catalogue is silent. Loaded once."""
    return gettext.translation("messages", str(_CATALOGUES), languages=[language], fallback=True).gettext
