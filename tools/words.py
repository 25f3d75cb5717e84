#!/usr/bin/env python3
"""The catalogues of the counter's words: extract every sentence, bring each language up to date, compile.

    python tools/words.py            write messages.pot, each messages.po and each messages.mo
    python tools/words.py --check    write nothing; say what is out of date or not translated

Sentences are written in English where they belong and marked with ``_`` (or a sister in KEYWORDS). A new or changed
sentence arrives in each ``messages.po`` untranslated: fill in its ``msgstr`` and run this once more. Nothing is guessed
from similar sentences, because nearly right is wrong where money is concerned. What nobody says any more is dropped.

The files hold no dates, versions or line numbers, so running this twice changes nothing and branches rarely collide.
The terms are in docs/words.md."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "pos" / "translations"
LANGUAGES = ("zh_Hans", "zh_Hant")  # English is what stands in the source
FOLDERS = ("pos", "receipts", "templates")
KEYWORDS = parse_keywords(("_", "gettext", "ngettext:1,2", "lazy_gettext", "_l", "N_", "say"))
TITLE = "# The words of simcounter. Written by tools/words.py; change the msgstr lines only."


class Plain(Catalog):
    """A catalogue whose header says only what a reader of the file needs: no dates, no versions, no names."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The lines of the header; the template has no language of its own."""
        headers = [("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8")]
        headers.append(("Content-Transfer-Encoding", "8bit"))
        if self.locale_identifier:
            headers += [("Language", self.locale_identifier), ("Plural-Forms", self.plural_forms)]
        return headers


def main(arguments: list[str]) -> int:
    """Write the catalogues, or only look at them; the answer is the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    template = extract()
    filled = [fill(template, language) for language in LANGUAGES]
    changed = {path: content for path, content in files(template, filled).items() if held(path) != content}
    for path, content in changed.items():
        if not arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        print(f"{'out of date' if arguments else 'written'}: {path.relative_to(ROOT).as_posix()}")
    missing = [(str(catalog.locale), message.id) for catalog in filled for message in catalog if not all_said(message.string)]
    for language, sentence in missing:
        print(f"not translated, {language}: {sentence}")
    print(f"{len(template)} messages, {len(missing)} translations missing.")
    return 1 if missing or (arguments and changed) else 0


def extract() -> Catalog:
    """Every marked sentence of the sources, with the files it stands in."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Plain(header_comment=TITLE, fuzzy=False)
    found = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS, directory_filter=of_ours)
    for name, line, message, comments, context in found:
        catalog.add(message, None, [(Path(name).as_posix(), line)], auto_comments=comments, context=context)
    return catalog


def of_ours(folder: str) -> bool:
    """Whether a folder may hold sentences."""
    parts = Path(folder).relative_to(ROOT).parts
    return parts[0] in FOLDERS and parts[-1] != "__pycache__"


def fill(template: Catalog, language: str) -> Catalog:
    """The template with the translations that ``language`` already has, word for word or not at all."""
    known = read(po_path(language), language)
    catalog = Plain(locale=language, header_comment=TITLE, fuzzy=False)
    for message in template:
        if message.id:
            was = known.get(message.id, message.context)
            same_shape = was is not None and was.pluralizable == message.pluralizable and not was.fuzzy
            string = was.string if same_shape else None
            catalog.add(message.id, string, message.locations, auto_comments=message.auto_comments, context=message.context)
    return catalog


def read(path: Path, language: str | None = None) -> Catalog:
    """A catalogue from its file; an empty one when there is none."""
    if not path.exists():
        return Plain(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def files(template: Catalog, filled: list[Catalog]) -> dict[Path, bytes]:
    """What every file of the catalogues has to hold."""
    wanted = {TRANSLATIONS / "messages.pot": as_text(template)}
    for catalog in filled:
        language = str(catalog.locale)
        wanted[po_path(language)] = as_text(catalog)
        wanted[po_path(language).with_suffix(".mo")] = compiled(catalog)
    return wanted


def as_text(catalog: Catalog) -> bytes:
    """The text form: in the order of files and lines, but without the numbers of lines, each message on one line."""
    out = io.BytesIO()
    write_po(out, catalog, width=0, sort_by_file=True, include_lineno=False)
    return out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """The form that programs load."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def po_path(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def held(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def all_said(string: str | tuple[str, ...] | None) -> bool:
    """Whether a translation is there, in each of its plural forms."""
    return bool(string) and (isinstance(string, str) or all(string))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
