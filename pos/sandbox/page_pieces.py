"""What the control page is made of: sections, tables, forms and fields, each as text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pos.sandbox.words import say


class Pieces:
    """In one language. ``number`` is the line being looked at; every form carries it along."""

    def __init__(self, language: str, number: str) -> None:
        self.language = language
        self.number = number

    def say(self, key: str) -> str:
        return escape(say(self.language, key))

    def section(self, title: str, body: str, wide: bool = False, called: str = "", place: str = "") -> str:
        """``called`` is a name behind the title; ``place`` what an address can point to."""
        width, name = "wide" if wide else "half", f": {escape(called)}" if called else ""
        anchor = f' id="{place}"' if place else ""
        return f'<section class="{width}"{anchor}><h2>{self.say(title)}{name}</h2>{body}</section>'

    def table(self, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
        """``heads`` are keys of WORDS, "" for none; one that starts with > is a column of figures."""
        rows = list(rows)
        if not rows:
            return f'<p class="quiet">{self.say("nothing")}</p>'
        kinds = [' class="figure"' if head[:1] == ">" else "" for head in heads]
        head = "".join(f"<th{k}>{self.say(h.lstrip('>')) if h else ''}</th>" for h, k in zip(heads, kinds, strict=True))
        body = "".join(
            "<tr>" + "".join(f"<td{k}>{cell}</td>" for cell, k in zip(row, kinds, strict=True)) + "</tr>" for row in rows
        )
        head = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
        return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'

    def label(self, key: str, field: str) -> str:
        return f"<label>{self.say(key)}{field}</label>"

    def form(self, do: str, button: str, fields: str = "", row: bool = False, style: str = "", **hidden: str) -> str:
        """A form with one button; ``do`` names the action in page_actions."""
        hidden |= {"do": do, "lang": self.language, "number": self.number}
        inputs = "".join(f'<input type="hidden" name="{n}" value="{escape(v)}">' for n, v in hidden.items())
        look = f' class="{style}"' if style else ""
        place = ' class="row"' if row else ""
        return f'<form method="post" action="/control"{place}>{inputs}{fields}<button{look}>{self.say(button)}</button></form>'


def text_field(name: str, style: str, value: str) -> str:
    return f'<input name="{name}" class="{style}" value="{escape(value)}" autocomplete="off">'


def choice(name: str, values: Iterable[str], chosen: str) -> str:
    options = "".join(f"<option{' selected' if v == chosen else ''}>{escape(v)}</option>" for v in values)
    return f'<select name="{name}">{options}</select>'


def money(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
