"""How money, moments and words look on a screen, and what every template may call."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask, current_app, g, request, session, url_for
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from pos.domain.countries import issuer_key
from pos.domain.money import Money
from pos.domain.permissions import Permission, may
from pos.domain.pictures import Strip
from pos.domain.plans import OPERATORS
from pos.domain.tills import Store
from pos.domain.words import LANGUAGES, from_accept
from pos.services import status
from pos.web.login import current_desk, kit


def init(app: Flask) -> None:
    app.add_template_filter(money)
    app.add_template_filter(moment)
    app.add_template_filter(day)
    app.add_template_filter(operator_name)
    app.add_template_filter(country_name)
    app.add_template_global(csrf_field)
    app.add_template_global(money_of)
    app.add_template_global(static_url)
    app.context_processor(_everywhere)


def money(amount: Money | None) -> str:
    """``1,234.50 GBP``."""
    return "" if amount is None else f"{amount.grouped()} {amount.currency}"


def money_of(minor: int, plain: bool = False) -> str:
    """Minor units of the store's currency as people read them; ``plain`` as they are typed."""
    store: Store | None = g.get("store")
    amount = Money(minor, store.currency if store is not None else "GBP")
    return amount.plain() if plain else money(amount)


def moment(at: datetime | None) -> str:
    """Shop time with its zone: ``2026-11-21 14:05 GMT``."""
    local = _local(at)
    return "" if local is None else f"{local:%Y-%m-%d %H:%M} {local.tzname()}"


def day(date_: date) -> str:
    """A day without its hour: ``2026-11-21``."""
    return date_.isoformat()


def _local(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    store: Store | None = g.get("store")
    return store.local(at) if store is not None else at.astimezone(UTC)


def operator_name(key: str) -> str:
    """Whose SIM it is, as customers write it."""
    return OPERATORS.get(key, key)


def country_name(code: str) -> str:
    """The issuer of a document, ``GBR`` as ``United Kingdom``; a code that no country has stays as it is."""
    key = issuer_key(code)
    return str(get_locale().territories.get(key, key)) if key is not None else code


def csrf_field() -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def static_url(name: str) -> str:
    """A static file's address with a digest of its content, so that it may be kept for good."""
    return url_for("static", filename=name, v=_digest(str(Path(current_app.static_folder or "") / name)))


@cache
def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def language_of_request() -> str:
    """The language of the screen: chosen, else the browser's."""
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return from_accept(request.headers.get("Accept-Language", ""))


def strip_now() -> Strip | None:
    """The strip of this page, asked for once."""
    desk = current_desk()
    if desk is not None and "strip" not in g:
        g.strip = status.strip(desk, kit=kit())
    found: Strip | None = g.get("strip")
    return found


def _everywhere() -> dict[str, Any]:
    desk = current_desk()

    def can(name: str) -> bool:
        return desk is not None and may(desk.staff.role, Permission(name))

    return {
        "desk": desk,
        "strip": strip_now(),
        "language": str(get_locale()),
        "languages": LANGUAGES,
        "can": can,
        # Born with a page, so that the same button pressed twice is one press.
        "new_press": lambda: str(uuid4()),
        "demo": current_app.config["DEMO"],
        "notice": g.get("notice"),
        "errors": {},
        "typed": {},
    }
