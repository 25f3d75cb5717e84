"""Names as ICAO Doc 9303 part 3, section 6, writes them, and two spellings of one name."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain.transliteration import _FORMS, Likeness, likeness, spelling

SAME, LETTERS, DIFFERENT, NONE = Likeness.SAME, Likeness.SAME_LETTERS, Likeness.DIFFERENT, Likeness.NOT_COMPARABLE


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        # Doc 9303-3 (8th edition, 2021), section 6 A, one letter of each kind of rule.
        ("Çağdaş", "CAGDAS"),
        ("Łukasz Żółć", "LUKASZ ZOLC"),
        ("Þór Guðmundsson", "THOR GUDMUNDSSON"),
        ("Ærø", "AEROE"),
        ("Weiß", "WEISS"),
        ("Ňuñez", "NUNEZ"),
        ("Ĳsbrand", "IJSBRAND"),
        ("Œuvrard", "OEUVRARD"),
        ("İpek Işık Kadıoğlu", "IPEK ISIK KADIOGLU"),
        ("Đorđević", "DORDEVIC"),
        ("Nguyễn", "NGUYEN"),
        # Section 4.6: apostrophes are left out, hyphens part.
        ("D'Artagnan", "DARTAGNAN"),
        ("Anna-Maria", "ANNA MARIA"),
        # Section 6 B. The specimen of a published rule set for the same table: Юлия Щеглова.
        ("Юлия Щеглова", "IULIIA SHCHEGLOVA"),
        ("Хрущёв Цой Чехов Жуков Эрь", "KHRUSHCHEV TSOI CHEKHOV ZHUKOV ER"),
        ("陳大文", None),
        ("محمد", None),
    ],
)
def test_a_name_as_the_lines_have_it(name: str, lines: str | None) -> None:
    assert spelling(name) == lines


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("ANNA MARIA ERIKSSON", "Anna Maria Eriksson", SAME),
        ("ANNA MARIA ERIKSSON", "Eriksson, Anna-Maria", SAME),
        ("TAI MAN CHAN", "CHAN TAI MAN", SAME),
        ("TAI MAN CHAN", "Chan Tai-man", SAME),
        ("DARTAGNAN", "d'Artagnan", SAME),
        ("JÜRGEN", "Ju\u0308rgen", SAME),
        # Each choice that the document leaves.
        ("JUERGEN MUELLER", "Jürgen Müller", LETTERS),
        ("JURGEN MULLER", "Jürgen Müller", LETTERS),
        ("JUXXRGEN MUXXLLER", "Jürgen Müller", LETTERS),
        ("JUERGEN MULLER", "Jürgen Müller", LETTERS),
        ("NUNEZ", "Nuñez", LETTERS),
        ("NUNXXEZ", "Nuñez", LETTERS),
        ("ANGSTROEM", "Ångström", LETTERS),
        ("AANGSTROM", "Ångström", LETTERS),
        ("WEISS", "Weiß", LETTERS),
        ("SOERENSEN", "Sørensen", LETTERS),
        ("ZHURAVLEV", "Журавлёв", LETTERS),
        ("HALYNA", "Галина", LETTERS),
        ("Müller", "Mueller", LETTERS),
        # Nobody can tell whether this is one name: neither has the letter that could be written both ways.
        ("MUELLER", "MULLER", DIFFERENT),
        ("SORENSEN", "Sørensen", DIFFERENT),
        ("ANNA ERIKSSON", "ANNE ERIKSSON", DIFFERENT),
        ("ANNA", "ANNA MARIA", DIFFERENT),
        ("MARIA ANNA ERIKSSON", "ANNA MARIA ERIKSSON", DIFFERENT),
        ("TAI MAN CHAN", "陳大文", NONE),
        ("", "ANNA", NONE),
        ("--", "ANNA", NONE),
    ],
)
def test_two_spellings(one: str, other: str, how: Likeness) -> None:
    assert likeness(one, other) is how
    assert likeness(other, one) is how


@given(st.text(st.sampled_from("AEOUÄÖÜßÅÑЖЩЬXN"), min_size=1, max_size=5), st.data())
def test_every_way_to_write_a_name_is_that_name(name: str, data: st.DataObject) -> None:
    written = "".join(data.draw(st.sampled_from(_FORMS.get(sign, (sign,)))) for sign in name)
    if written:
        assert likeness(name, written) in (SAME, LETTERS)


@given(st.text(st.sampled_from("AEUÄÜXSß"), max_size=5), st.text(st.sampled_from("AEUÄÜXSß"), max_size=5))
def test_alike_means_that_some_spellings_are_one(one: str, other: str) -> None:
    """Against the plain way: write out every spelling of both."""
    ways = [{"".join(way) for way in product(*(_FORMS.get(sign, (sign,)) for sign in name))} for name in (one, other)]
    if one and other:
        assert (likeness(one, other) in (SAME, LETTERS)) == bool(ways[0] & ways[1])


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_text_breaks_it(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one)
