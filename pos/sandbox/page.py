"""The control page for people: what the carrier believes, and buttons to make it misbehave. No script in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import moment
from pos.sandbox.faults import NAMES, OFF, PLACES, TABLE
from pos.sandbox.page_actions import perform
from pos.sandbox.page_pieces import Pieces, choice, money, text_field
from pos.sandbox.page_resellers import reseller
from pos.sandbox.records import ACKNOWLEDGED, COMPLETED
from pos.sandbox.refusals import Refusal
from pos.sandbox.settings import PRICE_SHAPES
from pos.sandbox.subscribers import PEOPLE, STORIES
from pos.sandbox.wire import Answer, Request
from pos.sandbox.words import LANGUAGES, choose

_SHOWN = 200  # lines of the books on one page
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_RANGES = (
    ("+44 7700 900 000 – 599", "lyca", "GBP"),
    ("+44 7700 900 600 – 999", "leb", "GBP"),
    ("+852 5550 0000 – 9999", "lyca", "HKD"),
    ("+852 5560 0000 – 9999", "leb", "HKD"),
)


def show(carrier: Carrier, request: Request) -> Answer:
    """``GET /`` and ``GET /control``, optionally ``?lang=`` and ``?number=``."""
    query = request.query("lang", "number")
    language = choose(query, request.headers.get("accept-language", ""))
    page = _Page(carrier, language, query.get("number", ""), request.base)
    return Answer(200, page.html().encode(), {"Content-Type": "text/html; charset=utf-8", **_SAFE})


def act(carrier: Carrier, request: Request) -> Answer:
    """``POST /control``: one button; then back to the page. A form of another site is turned away."""
    if request.headers.get("origin", request.base) != request.base:
        raise Refusal("NOT_FOUND", "this form belongs to the control page")
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    perform(carrier, form)
    kept = {name: form[name] for name in ("lang", "number") if form.get(name)}
    # Back to the reseller whose button it was, far down the page.
    place = f"#{form['name']}" if form.get("name") in carrier.vendors else ""
    return Answer(303, b"", {"Location": "/control?" + urlencode(kept) + place})


def style(_carrier: Carrier, _request: Request) -> Answer:
    css = Path(__file__).with_name("control.css").read_bytes()
    return Answer(200, css, {"Content-Type": "text/css; charset=utf-8", **_SAFE})


DOORS: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/", show),
    ("GET", "/control", show),
    ("POST", "/control", act),
    ("GET", "/control.css", style),
)


class _Page(Pieces):
    """One rendering. Every method is one section; whatever is not a constant of ours goes through ``escape``."""

    def __init__(self, carrier: Carrier, language: str, number: str, base: str) -> None:
        super().__init__(language, number)
        self.carrier = carrier
        self.base = base
        self.now = carrier.clock.now()

    def html(self) -> str:
        sections = (
            self.wallets, self.clock, self.faults, self.switches, self.subscriber, self.ranges,
            self.waiting, self.books, self.resellers, self.magic, self.people,
        )  # fmt: skip
        body = "\n".join(section() for section in sections)
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{self.say("title")}</title>'
            f'<link rel="stylesheet" href="/control.css"></head><body>{self.header()}<main>{body}</main></body></html>'
        )

    def header(self) -> str:
        links = "".join(f'<a href="/control?lang={tag}" lang="{tag}">{name}</a>' for tag, name in LANGUAGES.items())
        return (
            f'<header><h1>{self.say("title")}</h1><span class="quiet">{self.say("intro")}</span>'
            f'<nav><a href="/control?lang={self.language}">{self.say("refresh")}</a>{links}</nav></header>'
        )

    # Sections

    def wallets(self) -> str:
        is_off = any(fault.name == OFF for fault in self.carrier.faults.active())
        state = f'<span class="off">{self.say("closed")}</span>' if is_off else f'<span class="on">{self.say("answering")}</span>'
        switch = self.form("switch_on", "switch_on") if is_off else self.form("switch_off", "switch_off", style="stop")
        rows = [
            (
                escape(currency),
                money(minor),
                self.form("wallet", "set", text_field("available", "short", money(minor)), row=True, currency=currency),
            )
            for currency, minor in sorted(self.carrier.books.wallets().items())
        ]
        body = f"<p>{self.say('state')}: {state}</p>{switch}" + self.table(("", ">amount", ""), rows)
        return self.section("wallets", body)

    def clock(self) -> str:
        moves = (("hour", 3600), ("day", 86400), ("week", 604800), ("month", 2592000))
        buttons = "".join(self.form("clock", key, row=True, style="plain", seconds=str(s)) for key, s in moves)
        reset = f'<p class="quiet">{self.say("reset_hint")}</p>' + self.form("reset", "reset", style="stop")
        time = f"<p>{self.say('now')}: <code>{moment(self.now)}</code></p>"
        return self.section("clock", f'{time}<div class="buttons">{buttons}</div>{reset}')

    def faults(self) -> str:
        fields = (
            self.label("fault", choice("fault", [n for n in NAMES if n != OFF], ""))
            + self.label("where", choice("where", PLACES, "submit"))
            + self.label("count", text_field("count", "short", "1"))
            + self.label("number", text_field("for_number", "", ""))
        )
        active = [
            (escape(f.name), f.where, str(f.count or self.say("always")), escape(f.number or ""))
            for f in self.carrier.faults.active()
        ]
        return self.section(
            "faults",
            self.form("fault", "add", fields)
            + (self.table(("active_faults", "where", "count", "number"), active) if active else "")
            + self.form("clear", "clear", style="plain"),
        )

    def switches(self) -> str:
        fields = ""
        for name, value in asdict(self.carrier.switches).items():
            if isinstance(value, bool):
                ticked = " checked" if value else ""
                fields += f'<label class="tick"><input type="checkbox" name="{name}"{ticked}><code>{name}</code></label>'
            else:
                fields += f"<label><code>{name}</code>{choice(name, PRICE_SHAPES, value)}</label>"
        return self.section("switches", self.form("switches", "set", fields))

    def subscriber(self) -> str:
        look_up = (
            f'<form method="get" action="/control"><input type="hidden" name="lang" value="{self.language}">'
            f"{self.label('number', text_field('number', '', self.number))}<button>{self.say('look_up')}</button></form>"
        )
        if not self.number:
            return self.section("subscriber", look_up)
        who = self.carrier.books.subscriber(self.number)
        if who is None:
            return self.section("subscriber", f'{look_up}<p class="off">{self.say("unknown_number")}</p>')
        person = who.person
        rows = [
            (self.say("number"), f"<code>{escape(who.number)}</code> · ICCID <code>{who.iccid}</code>"),
            (self.say("state"), who.status(self.now)),
            (self.say("offering"), f"<code>{escape(who.offering)}</code>"),
            (self.say("ends"), f"<code>{moment(who.expires_at)}</code>"),
            (self.say("balance"), f"{money(who.main_minor)} {who.currency} · {who.data_mb} MB · {who.minutes} min"),
        ]
        if person:
            document = f"{escape(person.document_type)} <code>{escape(person.document_number)}</code>"
            rows += [
                (self.say("owner"), f"{escape(person.name)}, {person.birth_date}"),
                (self.say("document"), document),
            ]
        change = self.form("status", "set_status", choice("status", ("active", "expired", "suspended", "barred"), ""))
        return self.section("subscriber", look_up + self.table(("", ""), rows) + change)

    def ranges(self) -> str:
        counts = ", ".join(f"{escape(name)} {n}" for name, n in sorted(self.carrier.books.requests.copy().items()))
        asked = f'<h2>{self.say("requests")}</h2><p class="quiet">{counts or self.say("nothing")}</p>'
        return self.section("ranges", self.table(("", "", ""), _RANGES) + "<p></p>" + asked)

    def waiting(self) -> str:
        orders = [o for o in self.carrier.books.orders() if o.due_at or (o.reverse_due_at and o.state == COMPLETED)]
        rows = [
            (
                f"<code>{moment(due)}</code>" if (due := o.due_at or o.reverse_due_at) else "",
                f"<code>{escape(o.number)}</code>",
                f"<code>{escape(o.ref)}</code>",
                f"<code>{o.id}</code>",
                f"{o.state} → {o.will if o.state == ACKNOWLEDGED else 'cancelled'}",
            )
            for o in reversed(orders)
        ]
        return self.section("waiting", self.table(("at", "number", "reference", "order", "state"), rows), wide=True)

    def books(self) -> str:
        moved = self.carrier.books.movements()[-_SHOWN:]
        done = {o.id for o in self.carrier.books.orders() if o.state == COMPLETED}
        rows = [
            (
                f"<code>{moment(m.at)}</code>",
                f"<code>{escape(m.number)}</code>",
                f"<code>{escape(m.offering)}</code>",
                f"{money(m.amount_minor)} {m.currency}",
                f"<code>{escape(m.ref)}</code>",
                f"<code>{m.order_id}</code>",
                m.state,
                self.form("reverse", "reverse", row=True, style="plain", order_id=m.order_id) if m.order_id in done else "",
            )
            for m in reversed(moved)
        ]
        heads = ("at", "number", "offering", ">amount", "reference", "order", "state", "")
        return self.section("books", self.table(heads, rows), wide=True)

    def resellers(self) -> str:
        return "\n".join(reseller(self, self.carrier, name, self.base) for name in sorted(self.carrier.vendors))

    def magic(self) -> str:
        rows = [(f"<code>5{digits} 9{digits}</code>", f"<code>{name}</code>", escape(does)) for digits, name, does in TABLE]
        rows += [(f"<code>5{digits} 9{digits}</code>", "", escape(does)) for digits, does in STORIES.items()]
        hint = f'<p class="quiet">{self.say("magic_hint")}</p>'
        return self.section("magic", hint + self.table(("ends_with", "fault", "does"), rows), wide=True)

    def people(self) -> str:
        rows = [
            (str(digit), escape(p.name), f"{p.document_type} <code>{escape(p.document_number)}</code>", p.birth_date)
            for digit, p in enumerate(PEOPLE)
        ]
        return self.section("people", self.table(("last_digit", "name", "document", "birth_date"), rows))
