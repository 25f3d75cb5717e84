"""The seam between sources and catalogues: every sentence is marked, extracted, translated, compiled and printable."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from flask_babel import gettext, ngettext
from jinja2 import Environment, nodes

import pos.domain
from pos.app import create_app
from pos.domain.carriers import REASONS
from pos.domain.errors import CounterError
from pos.domain.happenings import HAPPENINGS, RENEWAL_NOW, happening
from pos.domain.lives import Life
from pos.domain.plans import LINES
from pos.domain.renewals import RenewalState
from pos.domain.words import LANGUAGES
from pos.ports import Reason
from pos.services.words import say_in
from pos.store import keys
from receipts.answers import Reason as PrinterReason
from receipts.faces import fit, lacking
from tests.conftest import settings_in
from tests.receipts import sample_slips
from tools import words

RUN = "run: python3 dev.py words"
PLACE = re.compile(r"%\(\w+\)[a-z]|\{\w+\}")
LATIN = re.compile(r"[A-Za-z]{2,}")
# Words in texts and keys that are the same in every language.
SAME_EVERYWHERE = {"simcounter", "Enter", "Esc", "Alt", "Tab", "Space", "GB", "MB", "SMS", "PDF", "PIN", "English"}
READ_ALOUD = {"title", "alt", "placeholder", "aria-label", "aria-description", "data-say"}
# Blocks and macros that write the names of styles.
STYLES = re.compile(r"\{%-? *(block|macro) (width|tone|shape)\b.*?\{%-? *end\1", re.DOTALL)
TEMPLATES = sorted((words.ROOT / "templates").rglob("*.html"))


@cache
def template() -> Catalog:
    return words.extract()


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


@cache
def of_language(language: str) -> Catalog:
    with words.po_path(language).open("rb") as file:
        return read_po(file, locale=language)


def forms(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


# ------------------------------------------------------------------ the catalogues


def test_the_catalogues_are_those_of_the_languages_we_offer() -> None:
    assert ("en", *words.LANGUAGES) == tuple(LANGUAGES)
    assert {path.name for path in words.TRANSLATIONS.iterdir() if path.is_dir()} == set(words.LANGUAGES)


def test_extraction_finds_nothing_new_and_what_is_compiled_is_current() -> None:
    found = words.files(template(), [words.fill(template(), language) for language in words.LANGUAGES])
    stale = [path.relative_to(words.ROOT).as_posix() for path, content in found.items() if words.held(path) != content]
    assert not stale, RUN


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_sentence_is_said_in_every_language(language: str) -> None:
    catalog = of_language(language)
    assert not catalog.obsolete
    assert [m.id for m in messages(catalog) if m.fuzzy] == []
    assert [m.id for m in messages(catalog) if not words.all_said(m.string)] == []
    assert {m.id for m in messages(catalog)} == {m.id for m in messages(template())}, RUN


def said_in(language: str) -> Iterator[tuple[str, str]]:
    """(English, translation) of all that is translated, each form of a plural by itself."""
    for message in messages(of_language(language)):
        for said in forms(message.string):
            if said:
                yield forms(message.id)[-1], said


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_translation_keeps_the_places_of_its_sentence(language: str) -> None:
    for english, said in said_in(language):
        assert sorted(PLACE.findall(said)) == sorted(PLACE.findall(english)), (english, said)
        assert said == said.strip(), english
        # What is left over after the places would break the filling: a lone %, or a brace.
        assert not set("{}%") & set(PLACE.sub("", said).replace("%%", "")), said


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_sentences_end_as_sentences_and_labels_do_not(language: str) -> None:
    for english, said in said_in(language):
        sentence = english[-1] in ".?" and not english.endswith(" no.")
        assert sentence == (said[-1] in "。？"), (english, said)
        assert not re.search(r"[\u4e00-\u9fff][,;!?]", said), f"half-width punctuation: {said}"


def test_the_two_scripts_are_not_mixed() -> None:
    """A few characters that betray the other script; enough to catch a line pasted into the wrong file."""
    simplified = set("这个们说请输码证运营续费张样样开关闭机备钱柜银凭临时现应为与样业务")
    traditional = set("這個們說請輸碼證運營續費張樣開關閉機備錢櫃銀憑臨時現應為與業務")
    only_simplified, only_traditional = simplified - traditional, traditional - simplified
    for language, foreign in (("zh_Hans", only_traditional), ("zh_Hant", only_simplified)):
        assert [said for _english, said in said_in(language) if foreign & set(said)] == []


def test_the_program_finds_its_catalogues(tmp_path: Path) -> None:
    keys.make(tmp_path / "keys.json")
    app = create_app(settings_in(tmp_path), given={})
    for header, paid, days in (("en-GB", "Paid", "2 days"), ("zh-CN,zh", "已付款", "2 天"), ("zh-HK", "已付款", "2 天")):
        with app.test_request_context(headers={"Accept-Language": header}):
            assert gettext("Paid") == paid
            assert ngettext("%(num)s day", "%(num)s days", 2) == days
    assert say_in("zh_Hant")("Receipt") == "收據"
    assert say_in("en")("Receipt") == "Receipt"


# ------------------------------------------------------------------ what has to have words


def every_error(kind: type[CounterError] = CounterError) -> Iterator[type[CounterError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_every_error_is_one_translated_sentence(kind: type[CounterError]) -> None:
    assert kind.sentence[0].isupper() or kind.sentence[0] == "{"
    assert kind.sentence.endswith(".") or ": " in kind.sentence
    assert kind.sentence in template(), f"{kind.__name__}.sentence is not marked with N_"


def test_every_reason_of_a_carrier_has_a_sentence() -> None:
    # A renewal may also end because the carrier confirmed something else; that is our word, not the carrier's;
    # so is a success that it took back.
    assert set(REASONS) == {reason.value for reason in Reason} | {"other_echo", "reversed"}
    assert all(sentence in template() and sentence.endswith(".") for sentence in REASONS.values())


def test_every_reason_of_a_printer_has_a_sentence() -> None:
    known = (words.ROOT / "templates" / "macros" / "words.html").read_text(encoding="utf-8")
    assert not [reason for reason in (*PrinterReason, "unprintable") if f'reason == "{reason}"' not in known]


def lives() -> Iterator[Life[StrEnum]]:
    for module in iter_modules(pos.domain.__path__):
        yield from (value for value in vars(import_module(f"pos.domain.{module.name}")).values() if isinstance(value, Life))


def noted() -> set[str]:
    """The kinds that services write beside the moves of lives: ``pen.note(session, "kind", ...)``, or a constant's name."""
    found = set()
    for path in sorted((words.ROOT / "pos").rglob("*.py")):
        module = ast.parse(path.read_bytes())
        constants = {
            target.id: step.value.value
            for step in module.body
            if isinstance(step, ast.Assign) and isinstance(step.value, ast.Constant)
            for target in step.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(module):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "note":
                found |= {kind.value for kind in call.args[1:2] if isinstance(kind, ast.Constant)}
                found |= {constants[kind.id] for kind in call.args[1:2] if isinstance(kind, ast.Name) and kind.id in constants}
    return found


def test_everything_the_journal_says_has_words() -> None:
    states = {f"{life.noun}.{state}" for life in lives() for pair in life.moves for state in pair}
    begun = {f"{life.noun}.{state}" for life in lives() for state in life.begins}
    assert len(noted()) > 10
    assert set(HAPPENINGS) == states | begun | noted(), "name it in pos/domain/happenings.py"
    assert all(sentence in template() for sentence in (*HAPPENINGS.values(), *RENEWAL_NOW.values()))
    assert set(RENEWAL_NOW) == set(RenewalState)
    assert happening("a.kind.nobody.named") == "a.kind.nobody.named"


# ------------------------------------------------------------------ templates


class Texts(HTMLParser):
    """What a person reads or hears of a page: text, and the attributes that are read aloud. Keys and code are no words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "kbd"):
            self.inside.append(tag)
        self.found += [value for name, value in attrs if value and (name in READ_ALOUD or name.endswith("-words"))]

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.found.append(data)


def bare_words(source: str) -> list[str]:
    """Latin words of a template that stand outside of every Jinja expression."""
    environment = Environment(autoescape=True)
    parts: list[str] = []
    for _line, kind, value in environment.lex(STYLES.sub("", source)):
        parts.append(value if kind == "data" else "\ufffc" if kind == "variable_begin" else "")
    reader = Texts()
    reader.feed("".join(parts))
    reader.close()
    return [word for text in reader.found for word in LATIN.findall(text) if word not in SAME_EVERYWHERE]


def bare_sentences(source: str) -> list[str]:
    """Strings inside of expressions that look like words for people but are given to no translator."""
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    tree = environment.parse(source)
    translated: set[int] = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext"):
            translated |= {id(const) for const in call.find_all(nodes.Const)}
    texts = {const.value for const in tree.find_all(nodes.Const) if id(const) not in translated and isinstance(const.value, str)}
    return sorted(text for text in texts - SAME_EVERYWHERE if re.match(r"[A-Z][a-z]+( [a-z]|$)", text))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(words.ROOT / "templates").as_posix())
def test_no_template_says_a_word_that_is_not_translated(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert bare_words(source) == []
    assert bare_sentences(source) == []


def test_the_scanner_sees_bare_words() -> None:
    assert bare_words('<p title="Press">{{ _("Paid") }} now<kbd>F1</kbd></p>') == ["Press", "now"]
    assert bare_words("<a{% if x %} class='on'{% endif %}>{# note #}{{ x }} GB</a>") == []
    assert bare_sentences('{{ "Take the money" if x else _("Paid") }}{{ "is-invalid" }}') == ["Take the money"]


# ------------------------------------------------------------------ paper


def on_paper() -> set[str]:
    """What ``say`` is asked for in the layouts, and every word that the services put on paper."""
    services = {f"pos/services/{name}.py" for name in ("receipts", "day_reports", "print_jobs")} | {"pos/domain/shifts.py"}
    found = {
        message.id
        for message in messages(template())
        if any(name.startswith("receipts/") or name in services for name, _line in message.locations)
    }
    assert all(isinstance(sentence, str) for sentence in found)
    return found


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_catalogues_fill_every_word_on_paper_and_the_face_can_draw_it(language: str) -> None:
    say = say_in(language)
    assert len(on_paper()) > 100
    for sentence in on_paper():
        said = say(sentence)
        assert said != sentence, f"{language} does not say {sentence!r}"
        assert lacking(said) == "", said
        assert not set("·•‧・") & set(said), f"a dot is as wide as a Han on paper; write a hyphen: {said}"
    assert not [name for names in LINES.values() for name in names if lacking(name)]


def test_the_layouts_ask_for_nothing_but_what_is_in_the_catalogues(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    def real(language: str) -> object:
        return lambda sentence: asked.add(sentence) or say_in(language)(sentence)

    monkeypatch.setattr(sample_slips, "say_in", real)
    for language in words.LANGUAGES:
        for name, document in sample_slips.every_document(language).items():
            assert fit(document) == document, name
    assert len(asked) > 90
    assert not asked - on_paper()
