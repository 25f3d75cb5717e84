"""Who calls: the till's token, the person's token, and the permission at each door. Cookies say nothing here."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import structlog
from flask import Flask, abort, current_app, g, request
from flask_smorest import Blueprint

from pos.api.bodies import Bodies
from pos.domain.errors import DeviceUnknown, NobodySignedIn, NotAllowed, PinIsGiven
from pos.domain.permissions import Permission, Unguarded, may
from pos.domain.tills import Desk, Store, Till
from pos.domain.words import from_accept
from pos.services import staff, tills
from pos.services.kit import Kit

View = Callable[..., Any]

log = structlog.get_logger()

PREFIX = "/api/v1"
SESSION_HEADER = "Simcounter-Session"
# Longer than any token of ours; nothing longer is worth a digest.
_LONGEST_TOKEN = 200


class Doors(Blueprint):
    ARGUMENTS_PARSER = Bodies()


bp = Doors("api", __name__, url_prefix=PREFIX)

# View -> its permission. A view that is not in here is no view: the start stops.
_PERMISSIONS: dict[View, Permission] = {}


def door(permission: Permission) -> Callable[[View], View]:
    """Declare the one permission of a view, and say it in the document."""
    asked: list[dict[str, list[str]]] = [{"till": [], "session": []}]
    if permission in (Permission.ANYBODY, Permission.TILL):
        asked = [] if permission is Permission.ANYBODY else [{"till": []}]

    def declare(view: View) -> View:
        statuses = [HTTPStatus.UNAUTHORIZED] if asked else []
        statuses += [HTTPStatus.FORBIDDEN] if permission is not Permission.ANYBODY else []
        declared = bp.doc(operationId=view.__name__, security=asked)(refuses(*statuses)(view))
        _PERMISSIONS[declared] = permission
        return cast(View, declared)

    return declare


def refuses(*statuses: int) -> Callable[[View], View]:
    """Say in the document with which statuses a view may refuse; each is a problem document."""

    def declare(view: View) -> View:
        for status in statuses:
            view = bp.alt_response(int(status), HTTPStatus(status).name)(view)
        return view

    return declare


def takes(schema: Any, **more: Any) -> Callable[[View], View]:
    """The JSON body of a view, with the ways in which a body can be wrong."""

    def declare(view: View) -> View:
        return refuses(400, 413, 415, 422)(bp.arguments(schema, **more)(view))

    return declare


def kit() -> Kit:
    """What services need from outside, as app.py put it together."""
    return cast(Kit, current_app.extensions["simcounter"])


def desk() -> Desk:
    """Who stands where; only behind doors that need a person."""
    return cast(Desk, g.api_desk)


def till() -> tuple[Store, Till]:
    """The device that calls; only behind doors that need a till."""
    return cast(tuple[Store, Till], g.api_till)


def language() -> str:
    """The language of sentences: what the caller accepts, nothing that was chosen in a browser."""
    return from_accept(request.headers.get("Accept-Language", ""))


def session_token() -> str:
    return request.headers.get(SESSION_HEADER, "")[:_LONGEST_TOKEN]


@bp.before_request
def guard() -> None:
    """In front of every view of the API. Deny by default."""
    if any(isinstance(part, str) and not part.isprintable() for part in (request.view_args or {}).values()):
        abort(404)  # nothing here has such a name, and PostgreSQL would stumble over a NUL
    permission = permission_of(current_app, request.endpoint or "")
    if permission is Permission.ANYBODY:
        return
    g.api_till = _till()
    if permission is Permission.TILL:
        return
    g.api_desk = _desk(*g.api_till)
    if desk().staff.pin_is_given:
        raise PinIsGiven
    if permission is None or not may(desk().staff.role, permission):
        log.warning("api.not_allowed", endpoint=request.endpoint, staff=desk().staff.number, till=desk().till.code)
        raise NotAllowed


def _till() -> tuple[Store, Till]:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    known = tills.recognise(token.strip()) if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_TOKEN else None
    if known is None:
        raise DeviceUnknown
    return known


def _desk(store: Store, at: Till) -> Desk:
    """Waiting for a sale's next state is no sign of a person: it keeps no unattended till open."""
    found = staff.who(session_token(), store, at, kit=kit(), by_itself="wait" in request.args)
    if found is None:
        raise NobodySignedIn
    return found


def permission_of(app: Flask, endpoint: str) -> Permission | None:
    """What a door asks for, or None for a view that declares nothing."""
    view = app.view_functions.get(endpoint)
    return _PERMISSIONS.get(view) if view is not None else None


def guarded_views(app: Flask) -> list[View]:
    """The views of this blueprint."""
    return [view for endpoint, view in app.view_functions.items() if endpoint.partition(".")[0] == bp.name]


def check_doors(app: Flask) -> None:
    """Raises Unguarded when any view of the API has no permission."""
    naked = [view.__name__ for view in guarded_views(app) if view not in _PERMISSIONS]
    if naked:
        raise Unguarded(f"these doors of the API have no permission: {', '.join(sorted(naked))}")
