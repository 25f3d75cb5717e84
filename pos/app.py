"""Puts the parts together, once: the only file that knows every part. Read it from top to bottom."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, current_app, request
from flask_babel import Babel
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import HTTPException

from pos import api, carriers, mailer, web
from pos.api import errors as problems
from pos.api.keys import language as language_of_caller
from pos.clock import RealClock
from pos.config import LOOPBACK, Settings
from pos.domain.errors import CannotRecord
from pos.domain.permissions import Unguarded
from pos.paths import data_dir
from pos.ports import Carrier, Clock
from pos.services.kit import Kit
from pos.services.print_jobs import Sheet
from pos.services.receipt_mails import Letter
from pos.store import all_tables, db, keys, reserve
from pos.web import errors, filters, login
from receipts import escpos, logos, printer
from receipts.faces import Unprintable

# Hands one letter to the mail server: (result, reason).
Post = Callable[[Letter], tuple[str, str | None]]

DEMO_PINS = {
    "101": "271828",
    "102": "314159",
    "201": "161803",
    "301": "141421",
    "302": "577215",
    "401": "693147",
    "801": "236067",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
# Everything that a browser offers to pages is off, but for passkeys.
_OFF = "camera accelerometer autoplay display-capture fullscreen geolocation gyroscope magnetometer microphone midi payment usb"
_FEATURES = ", ".join(f"{name}=()" for name in _OFF.split()) + (
    ", publickey-credentials-get=(self), publickey-credentials-create=(self)"
)

# Each of them opens doors or shows the inside of the program; a test says so itself.
_UNSAFE = ("DEBUG", "TESTING", "PROPAGATE_EXCEPTIONS", "LOGIN_DISABLED")


def create_app(settings: Settings, *, clock: Clock | None = None, given: dict[str, Carrier] | None = None) -> Flask:
    """The application. Raises KeyRingUnusable, CarrierMisconfigured or Unguarded before it serves anybody.

    Tests hand in a ``clock`` and carriers of their own; nothing else differs from a shop's installation."""
    _log_as(settings.logging.level)
    ring = keys.load(settings.security.key_ring)
    app = Flask("pos", template_folder=str(data_dir("templates")), static_folder="static")
    app.config.update(
        SECRET_KEY=ring.current("web")[1],
        SECRET_KEY_FALLBACKS=ring.older("web"),
        SQLALCHEMY_DATABASE_URI=settings.database.url.get_secret_value(),
        # A fault's message would otherwise carry the values of the statement into the log.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True} | _pool(settings),
        SESSION_COOKIE_SECURE=settings.server.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_NAME="__Host-sid" if settings.server.secure_cookies else "sid",
        TRUSTED_HOSTS=[*settings.server.trusted_hosts] or None,
        MAX_CONTENT_LENGTH=settings.server.longest_body_kilobytes * 1024,
        MAX_FORM_MEMORY_SIZE=settings.server.longest_body_kilobytes * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # a till stays open all day; the token ends with the stay
        WTF_CSRF_SSL_STRICT=False,
        BABEL_TRANSLATION_DIRECTORIES="translations",
        DEMO=settings.demo,
        DEMO_PINS=DEMO_PINS if settings.demo else {},
        PAPER_PAGE=settings.paper_page,
        MAIL=bool(settings.mail.host),
        HOOKS={name: hashlib.sha256(secret.get_secret_value().encode()).hexdigest() for name, secret in settings.hooks.items()},
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = False
    db.db.init_app(app)
    with app.app_context():
        db.prepare(db.db.engine)
    Migrate(app, db.db, directory=str(data_dir("migrations")), compare_type=True, render_as_batch=True)
    assert all_tables.metadata is db.db.metadata  # noqa: S101 - two sets of tables would be two truths
    Babel(app, locale_selector=_language)
    app.before_request(login.refuse_other_sites)
    csrf = CSRFProtect(app)
    # A carrier has no cookie to abuse; its secret stands in the path.
    csrf.exempt(web.hooks.hear)
    for blueprint in web.BLUEPRINTS:
        app.register_blueprint(blueprint)
    filters.init(app)
    login.init(app)
    api.init(app, csrf)
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(Exception, _answer)
    app.after_request(_headers)
    refuse_unsafe(app, settings)
    app.extensions["simcounter"] = Kit(
        clock or RealClock(),
        ring,
        given if given is not None else make_carriers(settings),
        settings.rulebook(),
        public_url=settings.receipts.public_url,
        logo=hung_logo(settings.receipts.logo_file),
        profiles=settings.profiles(),
        # The demo's sales are nobody's: it takes no room from the machine that it is tried on.
        reserve=None if settings.demo else reserve.beside(settings.database.url.get_secret_value()),
    )
    return app


def refuse_unsafe(app: Flask, settings: Settings) -> None:
    """Raises Unguarded for a switch of the frameworks (they read the environment, too) that no shop may run with."""
    on = [name for name in _UNSAFE if app.config.get(name)]
    if on:
        raise Unguarded(f"{', '.join(on)} must be off: it takes away guards or shows the inside of the program")
    if settings.demo and settings.server.host not in LOOPBACK:
        raise Unguarded("the demo has known PINs and listens on this machine only: set server.host to 127.0.0.1")


def hung_logo(file: str | None) -> str:
    """The name of the shop's logo; a receipt without one is still a receipt, so a bad file is only said."""
    if not file:
        return ""
    try:
        return logos.hang(Path(file))
    except logos.LogoUnusable as fault:
        structlog.get_logger().warning("receipts.no_logo", fault=f"{fault} Receipts go on without it.")
        return ""


# The presses of the worker, its housekeeper and its bell beside the carrier threads, and some for the command line.
_POOL_SPARE = 16


def _pool(settings: Settings) -> dict[str, object]:
    """Enough connections that no thread of this process waits for another's. PostgreSQL may have been restarted meanwhile."""
    if not settings.database.url.get_secret_value().startswith("postgresql"):
        return {}
    threads = settings.server.threads + settings.worker.threads
    return {"pool_size": threads, "max_overflow": _POOL_SPARE, "pool_pre_ping": True}


def make_carriers(settings: Settings) -> dict[str, Carrier]:
    """One adapter for each table of the configuration. Raises CarrierMisconfigured naming the wrong keys."""
    made: dict[str, Carrier] = {}
    for name, table in settings.carriers.items():
        protocol = str(table.get("protocol", ""))
        if protocol not in carriers.PROTOCOLS:
            known = ", ".join(sorted(carriers.PROTOCOLS))
            raise carriers.CarrierMisconfigured(f"carriers.{name}: protocol must be one of: {known}")
        made[name] = carriers.PROTOCOLS[protocol](name, {key: value for key, value in table.items() if key != "protocol"})
    return made


def mail_post(settings: Settings) -> Post | None:
    """What sends letters, or None where the shop has no mail server."""
    if not settings.mail.host:
        return None
    told = settings.mail.model_dump() | {"password": settings.mail.password.get_secret_value()}
    return functools.partial(mailer.send, account=mailer.Account(**told))


def press(sheet: Sheet, about_to_send: Callable[[], bool]) -> tuple[str, str | None, bool]:
    """Put one sheet on paper: (result, reason, near end). What cannot be drawn is said, and nothing is sent."""
    settings = printer.PrinterSettings(**sheet.settings)  # type: ignore[arg-type]

    def data() -> bytes:
        return escpos.job(sheet.document, settings) if sheet.document is not None else escpos.drawer_pulse(settings)

    try:
        answer = printer.send(data, settings, about_to_send)
    except (Unprintable, ValueError):
        return "uncertain" if sheet.document is not None else "sent", "unprintable", False
    return answer.result.value, answer.reason.value if answer.reason is not None else None, answer.near_end


def _by_api() -> bool:
    """Whether a program speaks to us: the path decides, also where there is no such door."""
    return request.path.startswith(api.PREFIX + "/")


def _language() -> str:
    return language_of_caller() if _by_api() else filters.language_of_request()


def _answer(error: Exception) -> Any:
    """What went wrong, as a page for people and as a problem document for programs."""
    if db.cannot_record(error):
        kit = current_app.extensions["simcounter"]
        gone = kit.reserve is not None and db.is_full(error) and kit.reserve.let_go()
        structlog.get_logger().error("database.cannot_record", endpoint=request.endpoint, reserve_let_go=gone)
        error = CannotRecord()
    return problems.answer(error) if _by_api() else errors.answer(error)


def _headers(response: Response) -> Response:
    """The same armour on every answer, errors included."""
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = _FEATURES
    forever = request.endpoint == "static" and "v" in request.args and response.status_code == 200
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if forever else "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def _log_as(level: str) -> None:
    """One JSON object a line, without personal data: nothing that a customer typed is ever an argument of a log call."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )
