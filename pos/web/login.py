"""Who may pass which door: the permission of every endpoint, the till's cookie, and the stay behind Flask-Login."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import structlog
from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response as AnyResponse

from pos.domain.errors import NotAllowed
from pos.domain.permissions import Permission, Unguarded, may
from pos.domain.tills import Desk
from pos.services import staff, tills
from pos.services.kit import Kit

P = ParamSpec("P")
R = TypeVar("R")

# The framework's own door, which serves files that hold no data.
OPEN_ENDPOINTS = frozenset({"static"})
# The JSON API asks for tokens and never for cookies: it has a guard of its own, and looks at its own doors at the start.
GUARDED_ELSEWHERE = frozenset({"api"})
# Fragments that a page fetches again and again: nobody sits in front of it because of them.
LOOKS_BY_ITSELF = frozenset({"status.strip", "counter.progress", "display.show", "display.now"})
# Where a person with a PIN that somebody else gave is let in: to choose an own one.
WITH_A_GIVEN_PIN = frozenset({"sign_in.own_pin", "sign_in.own_pin_post"})
_TILL_COOKIE_DAYS = 400
# What a browser calls a page of ours, and what a person typed or scanned.
_OWN_SITES = frozenset({"same-origin", "none"})

log = structlog.get_logger()


# View -> its permission. A view that is not in here is no view: the start stops.
_PERMISSIONS: dict[object, Permission] = {}


def door(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the one permission of a view."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            return view(*args, **kwargs)

        _PERMISSIONS[guarded] = permission
        return guarded

    return declare


class Stay(UserMixin):
    """What Flask-Login calls a user: one stay of a person at a till."""

    def __init__(self, stay_id: str, desk: Desk) -> None:
        self.stay_id, self.desk = stay_id, desk

    def get_id(self) -> str:
        return self.stay_id


def kit() -> Kit:
    """What services need from outside, as app.py put it together."""
    return cast(Kit, current_app.extensions["simcounter"])


def desk() -> Desk:
    """Who stands where; only behind doors that need a person."""
    return cast(Desk, current_user.desk)


def current_desk() -> Desk | None:
    """The desk, or None in front of the sign-in."""
    return desk() if current_user.is_authenticated else None


def init(app: Flask) -> None:
    """Flask-Login with our own rows behind it, and the guard in front of every request."""
    manager = LoginManager(app)
    manager.session_protection = None  # it judges by address and browser, which say nothing at a shop's counter
    manager.user_loader(_load)
    app.before_request(_guard)
    check_doors(app)


def check_doors(app: Flask) -> None:
    """Raises Unguarded when any rule of the map has no permission."""
    naked = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in OPEN_ENDPOINTS
        and rule.endpoint.partition(".")[0] not in GUARDED_ELSEWHERE
        and permission_of(app, rule.endpoint) is None
    ]
    if naked:
        raise Unguarded(f"these doors have no permission: {', '.join(sorted(set(naked)))}")


def permission_of(app: Flask, endpoint: str) -> Permission | None:
    """What a door asks for, or None for a view that declares nothing."""
    return _PERMISSIONS.get(app.view_functions[endpoint])


def _load(stay_id: str) -> Stay | None:
    if _till() is None:
        return None
    found = staff.who(stay_id, g.store, g.till, kit=kit(), by_itself=request.endpoint in LOOKS_BY_ITSELF)
    return Stay(stay_id, found) if found is not None else None


def _till() -> object | None:
    if "till" not in g:
        known = tills.recognise(request.cookies.get(_cookie_name(), "")) if request.cookies.get(_cookie_name()) else None
        g.store, g.till = known if known is not None else (None, None)
    return cast(object | None, g.till)


def refuse_other_sites() -> None:
    """Behind the token a second layer: a browser says where a post comes from, and what another site began is refused before
    anything is read. Raises BadRequest. Carriers and programs send no such word."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES:
        log.warning("web.other_site", endpoint=request.endpoint)
        abort(400)


def _guard() -> AnyResponse | None:
    if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS or request.blueprint in GUARDED_ELSEWHERE:
        return None
    if any(isinstance(part, str) and not part.isprintable() for part in (request.view_args or {}).values()):
        abort(404)  # nothing here has such a name, and PostgreSQL would stumble over a NUL
    permission = permission_of(current_app, request.endpoint)
    if permission is Permission.ANYBODY:
        _till()
        return None
    if _till() is None:
        return redirect(url_for("sign_in.enrol"))
    if permission is Permission.TILL:
        return None
    if not current_user.is_authenticated:
        return redirect(url_for("sign_in.sign_in"))
    if desk().staff.pin_is_given and request.endpoint not in WITH_A_GIVEN_PIN:
        return redirect(url_for("sign_in.own_pin"))
    if permission is None or not may(desk().staff.role, permission):
        log.warning("web.not_allowed", endpoint=request.endpoint, staff=desk().staff.number, till=desk().till.code)
        raise NotAllowed
    return None


def enter(stay_id: str) -> bool:
    """Begin a stay in this browser with a fresh cookie: nothing of the last person remains."""
    found = staff.who(stay_id, g.store, g.till, kit=kit())
    language = session.get("language")
    session.clear()
    if found is None:
        return False
    session["language"] = found.staff.language if language is None else language
    return bool(login_user(Stay(stay_id, found)))


def leave() -> None:
    """End the stay at the server, then in the browser; the till stays enrolled."""
    if current_user.is_authenticated:
        staff.sign_out(current_user.get_id(), desk(), kit=kit())
    logout_user()
    language = session.get("language")
    session.clear()
    if language is not None:
        session["language"] = language


def remember_till(response: Response, secret: str) -> None:
    """Make this browser the till: 256 random bits that only the server's digest can be compared with."""
    response.set_cookie(
        _cookie_name(),
        secret,
        max_age=_TILL_COOKIE_DAYS * 24 * 3600,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Strict",
        path="/",
    )


def _cookie_name() -> str:
    return "__Host-till" if current_app.config["SESSION_COOKIE_SECURE"] else "till"
