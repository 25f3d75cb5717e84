"""The content of a document as JSON text and back.

The reader is strict: what it does not know it refuses, because a slip that silently lost a line would be wrong."""

from __future__ import annotations

import json
from dataclasses import fields
from enum import StrEnum
from typing import Any, get_type_hints

from receipts.blocks import Bar, Block, Cut, DocumentError, Feed, Logo, Qr, Row, Rule, Slot, Text

VERSION = 1
KINDS: dict[str, type[Block]] = {
    "bar": Bar,
    "text": Text,
    "row": Row,
    "rule": Rule,
    "qr": Qr,
    "logo": Logo,
    "slot": Slot,
    "feed": Feed,
    "cut": Cut,
}
NAMES = {kind: name for name, kind in KINDS.items()}


def write(blocks: tuple[Block, ...], title: str, language: str) -> str:
    """``{"version", "title", "language", "blocks": [{"kind", ...its fields}]}``, one line, readable Chinese."""
    listed = [{"kind": NAMES[type(block)], **vars(block)} for block in blocks]
    content = {"version": VERSION, "title": title, "language": language, "blocks": listed}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> tuple[tuple[Block, ...], str, str]:
    """Blocks, title and language as ``write`` was given them. Raises DocumentError naming what is wrong."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DocumentError("the document is not JSON") from error
    content = exactly(content, {"version", "title", "language", "blocks"}, "the document")
    if content["version"] != VERSION or isinstance(content["version"], bool):
        raise DocumentError(f"version {content['version']!r} is not known here, only {VERSION}")
    if not isinstance(content["blocks"], list):
        raise DocumentError("the blocks are not a list")
    title, language = typed(content["title"], str, "title"), typed(content["language"], str, "language")
    return tuple(read_block(block) for block in content["blocks"]), title, language


def read_block(content: object) -> Block:
    """One block from its JSON object."""
    name = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(name, str) or name not in KINDS:
        raise DocumentError(f"there is no block of the kind {name!r}")
    kind = KINDS[name]
    content = exactly(content, {"kind", *(field.name for field in fields(kind))}, name)
    types = get_type_hints(kind)
    values = {key: typed(value, types[key], f"{name}.{key}") for key, value in content.items() if key != "kind"}
    return kind(**values)


def exactly(content: object, names: set[str], what: str) -> dict[str, Any]:
    """``content`` when it is an object with these names and no other."""
    if not isinstance(content, dict) or set(content) != names:
        raise DocumentError(f"{what} needs exactly {', '.join(sorted(names))}")
    return content


def typed(value: Any, wanted: type, what: str) -> Any:
    """``value`` as ``wanted``; True is no number and 1 is no truth."""
    if issubclass(wanted, StrEnum):
        try:
            return wanted(value)
        except ValueError as error:
            raise DocumentError(f"{what} cannot be {value!r}") from error
    if type(value) is not wanted:
        raise DocumentError(f"{what} must be {wanted.__name__}")
    return value
