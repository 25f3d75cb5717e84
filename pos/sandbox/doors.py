"""The table of contents: method, path, and who answers. The first path that fits wins."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pos.sandbox import airalo, control, conventions, ding, dtone, kyc, page, party, tmf_lines, tmforum, vendor_control
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import play
from pos.sandbox.paths import BALANCE, CATALOGUE, INVENTORY, ORDERING, PARTY
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.reloadly import RELOADLY
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.wire import Answer, Request, tmf_error


@dataclass(frozen=True)
class Door:
    """``name`` is what the books count requests under; ``bearer`` whether a token is needed."""

    method: str
    path: re.Pattern[str]
    name: str
    handler: Callable[..., Answer]
    bearer: bool
    error: Callable[[Refusal, str], Answer]


def _door(
    method: str, path: str, handler: Callable[..., Answer], *, bearer: bool = True,
    error: Callable[[Refusal, str], Answer] = tmf_error,
) -> Door:  # fmt: skip
    name = path.rstrip("/").replace("/{id}", "").rpartition("/")[2] + ("/{id}" if path.endswith("{id}") else "")
    pattern = re.compile(re.escape(path).replace(r"\{id\}", "([^/]+)") + "/?")
    return Door(method, pattern, f"{method} {name}", handler, bearer, error)


def _token(carrier: Carrier, request: Request) -> Answer:
    def work(_: Fate) -> Answer:
        return carrier.tokens.answer(request)

    return play(carrier, request, "token", None, None, work)


DOORS: tuple[Door, ...] = (
    _door("POST", "/oauth/token", _token, bearer=False),
    _door("GET", f"{CATALOGUE}/productOffering", tmf_lines.list_offerings),
    _door("GET", f"{CATALOGUE}/productOffering/{{id}}", tmf_lines.get_offering),
    _door("GET", f"{CATALOGUE}/productOfferingPrice", tmf_lines.list_prices),
    _door("GET", f"{CATALOGUE}/productOfferingPrice/{{id}}", tmf_lines.get_price),
    _door("GET", f"{INVENTORY}/product", tmf_lines.list_products),
    _door("GET", f"{INVENTORY}/product/{{id}}", tmf_lines.get_product),
    _door("GET", f"{BALANCE}/bucket", tmf_lines.list_buckets),
    _door("GET", f"{BALANCE}/bucket/{{id}}", tmf_lines.get_bucket),
    _door("POST", f"{BALANCE}/topupBalance", tmforum.post_topup),
    _door("GET", f"{BALANCE}/topupBalance", tmforum.list_topups),
    _door("GET", f"{BALANCE}/topupBalance/{{id}}", tmforum.get_topup),
    _door("POST", f"{ORDERING}/productOrder", tmforum.post_order),
    _door("GET", f"{ORDERING}/productOrder", tmforum.list_orders),
    _door("GET", f"{ORDERING}/productOrder/{{id}}", tmforum.get_order),
    _door("GET", f"{PARTY}/individual/{{id}}", party.get_individual),
    _door("POST", "/kyc-match/v0.4/match", kyc.match, error=kyc.camara_error),
    _door("GET", "/wallet", conventions.wallet),
    _door("GET", "/statement", conventions.statement),
    *(_door(*door, bearer=False) for door in (*control.DOORS, *vendor_control.DOORS, *page.DOORS)),
)

# The other protocols, each below a path of its own: (prefix, doors, how it refuses). A line for each.
VENDOR_DOORS: tuple[VendorDoors, ...] = (
    airalo.DOORS,
    ding.DOORS,
    dtone.DOORS,
    RELOADLY,
)


def _vendor_of(path: str) -> VendorDoors | None:
    return next((doors for doors in VENDOR_DOORS if path.startswith(f"/{doors.name}/")), None)


def is_control(path: str) -> bool:
    """Whether a path belongs to people and tests, who must get in even while the carrier is off."""
    return path in ("", "/", "/control.css") or path == "/control" or path.startswith("/control/")


def answer(carrier: Carrier, request: Request) -> Answer:
    """Find the door, check the token, let it answer. Raises Dropped when the answer is a closed connection."""
    vendor = _vendor_of(request.path)
    if vendor is not None:
        return vendor.answer(carrier, request)
    fitting = [(door, match) for door in DOORS if (match := door.path.fullmatch(request.path))]
    here = [(door, match) for door, match in fitting if door.method == request.method]
    if not here:
        code = "METHOD_NOT_ALLOWED" if fitting else "NOT_FOUND"
        return tmf_error(Refusal(code, f"{request.method} {request.path}"), request.base)
    door, match = here[0]
    if not is_control(request.path):
        carrier.books.count(door.name)
    try:
        if door.bearer:
            carrier.tokens.check(request)
        return door.handler(carrier, request, *match.groups())
    except Refusal as refusal:
        return door.error(refusal, request.base)
