"""Sentences are written once, in English, where they belong; the edge translates them."""

from collections.abc import Mapping


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogues without translating it here: the reader's language is known only at the edge."""
    return sentence


def fill(sentence: str, values: Mapping[str, object]) -> str:
    """Put values into the ``{places}`` of a sentence, translated or not; an unknown place stays as it stands."""
    return sentence.format_map(_Kept(values))


class _Kept(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def from_accept(header: str) -> str:
    """Our language for an Accept-Language header: Taiwan, Hong Kong and Macao read traditional, the rest simplified."""
    for part in header.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh_Hant" if any(mark in tag for mark in ("hant", "tw", "hk", "mo")) else "zh_Hans"
        if tag.startswith("en"):
            return "en"
    return "en"


LANGUAGES = {"en": "English", "zh_Hans": "简体中文", "zh_Hant": "繁體中文"}
