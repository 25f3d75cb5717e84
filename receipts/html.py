"""A document as a fragment of HTML: the copy a screen reader can read, and the one that can show any character.

No style and no script inside; the page that carries it brings the style sheet."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from itertools import groupby

from receipts import logos
from receipts.blocks import Bar, Block, Feed, Logo, Qr, Role, Row, Rule, Text
from receipts.document import Document
from receipts.qr import modules, runs


def render(document: Document) -> str:
    """An ``<article>`` in the document's language: a heading, definition lists, rules and the code as a picture."""
    groups = groupby(document.blocks, key=lambda block: isinstance(block, Row))
    parts = [rows(list(group)) if is_rows else "\n".join(map(element, group)) for is_rows, group in groups]
    body = "\n".join(part for part in parts if part)
    return f'<article class="receipt" lang="{escape(document.language_tag)}">\n{body}\n</article>\n'


def rows(blocks: list[Block]) -> str:
    """Neighbouring rows as one definition list."""
    return "<dl>\n" + "\n".join(item(block) for block in blocks if isinstance(block, Row)) + "\n</dl>"


def item(row: Row) -> str:
    """A label and its value, grouped so that a style sheet can set them side by side."""
    value = strong(row.value, row.value_bold)
    return f'<div class="receipt-{row.role}"><dt>{escape(row.label)}</dt><dd>{value}</dd></div>'


def element(block: Block) -> str:
    """One block that is not a row; nothing for feed and cut, which are matters of paper."""
    match block:
        case Bar(text):
            return f'<p class="receipt-bar"><strong>{escape(text)}</strong></p>'
        case Text(text, Role.TITLE):
            return f'<h2 class="receipt-title">{escape(text)}</h2>'
        case Text(text, role, align, bold):
            return f'<p class="receipt-{role} receipt-{align}">{strong(text, bold)}</p>'
        case Rule():
            return "<hr>"
        case Qr(data):
            return figure(data)
        case Logo(key, words) if key in logos.known:
            data = b64encode(logos.known[key].png).decode()
            picture = f'<img class="receipt-logo" alt="{escape(words)}" src="data:image/png;base64,{data}">'
            return f'<p class="receipt-centre">{picture}</p>'
        case Feed():
            return ""
        case _:
            return ""


def figure(data: str) -> str:
    """The code as a picture, with what it says beside it; a web address can be followed."""
    grid = modules(data)
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(grid))
    text = escape(data)
    says = f'<a href="{text}">{text}</a>' if data.startswith(("https://", "http://")) else f"<code>{text}</code>"
    return (
        f'<figure class="receipt-qr"><svg viewBox="0 0 {len(grid)} {len(grid)}" role="img" aria-label="QR">'
        f'<path d="{path}"/></svg><figcaption>{says}</figcaption></figure>'
    )


def strong(text: str, bold: bool) -> str:
    """Escaped text, in ``<strong>`` where the slip has it bold."""
    return f"<strong>{escape(text)}</strong>" if bold else escape(text)
