"""The strings behind the stage, for tests: JSON in, JSON out, no token. Money here is whole minor units."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from pos.sandbox.carrier import Carrier
from pos.sandbox.catalogue import OFFERINGS
from pos.sandbox.clock import moment, parse_moment
from pos.sandbox.faults import NAMES, PLACES, Fault
from pos.sandbox.refusals import Refusal
from pos.sandbox.settings import PRICE_SHAPES
from pos.sandbox.subscribers import Person
from pos.sandbox.wire import Answer, Request, json_answer

# What ``POST /control/subscriber`` may write over, besides status, expires_at, expires_in_seconds and person.
_PLAIN_MEMBERS = {"main_minor": int, "data_mb": int, "minutes": int, "texts": int, "needs_document": bool}


def get_books(carrier: Carrier, _: Request) -> Answer:
    """Everything a test compares its own sales with."""
    books = carrier.books
    movements = [plain(m) for m in books.movements()]
    return json_answer(
        200,
        {
            "debits": [m for m in movements if m["state"] == "completed"],
            "reversals": [m for m in movements if m["state"] == "reversed"],
            "wallets": books.wallets(),
            "orders": [plain(order) for order in books.orders()],
            "requests": dict(books.requests),
            "submits_by_ref": dict(books.submits_by_ref),
            "now": moment(carrier.clock.now()),
        },
    )


def post_clock(carrier: Carrier, request: Request) -> Answer:
    """{"advance_seconds": number}, negative to go back."""
    seconds = members(request, {"advance_seconds": (int, float)})["advance_seconds"]
    return json_answer(200, {"now": moment(carrier.books.move_clock(seconds))})


def post_reset(carrier: Carrier, _: Request) -> Answer:
    """Empty books, real time, no faults. Tokens and switches stay."""
    carrier.faults.clear()
    carrier.books.reset()
    for vendor in carrier.vendors.values():
        vendor.books.reset()
    return json_answer(200, {"now": moment(carrier.clock.now())})


def get_faults(carrier: Carrier, _: Request) -> Answer:
    return json_answer(200, [asdict(fault) for fault in carrier.faults.active()])


def post_faults(carrier: Carrier, request: Request) -> Answer:
    """{"fault", "where": "submit", "count": null, "number": null, "seconds": null}; only "fault" is required."""
    found = members(request, {"fault": str}, where=str, count=int, number=str, seconds=(int, float))
    if found["fault"] not in NAMES or found.get("where", "submit") not in PLACES or found.get("count", 1) < 1:
        raise Refusal("INVALID_VALUE", f"faults: {', '.join(NAMES)}; where: {', '.join(PLACES)}; count from 1")
    carrier.faults.add(Fault(found.pop("fault"), **found))
    return get_faults(carrier, request)


def delete_faults(carrier: Carrier, request: Request) -> Answer:
    carrier.faults.clear()
    return get_faults(carrier, request)


def get_subscriber(carrier: Carrier, request: Request) -> Answer:
    """``?number=`` (or ICCID): all that is believed about a line, the registered person too."""
    who = carrier.books.subscriber(request.query("number").get("number", ""))
    if who is None:
        raise Refusal("INVALID_NUMBER")
    return json_answer(200, plain(who) | {"status": who.status(carrier.clock.now())})


def post_subscriber(carrier: Carrier, request: Request) -> Answer:
    """{"number", and any of "status", "expires_at", "expires_in_seconds", "offering", "person", _PLAIN_MEMBERS}.

    ``status``: active and expired move the end (to 30 days from now, to yesterday) unless one is given as well."""
    found = members(
        request, {"number": str}, status=str, expires_at=str, expires_in_seconds=(int, float), offering=str,
        person=dict, **_PLAIN_MEMBERS,
    )  # fmt: skip
    now = carrier.clock.now()
    changes: dict[str, Any] = {name: found[name] for name in _PLAIN_MEMBERS if name in found}
    match found.get("status"):
        case "active":
            changes |= {"hold": "", "expires_at": now + timedelta(days=30)}
        case "expired":
            changes |= {"hold": "", "expires_at": now - timedelta(days=1)}
        case "suspended" | "barred" as hold:
            changes["hold"] = hold
        case None:
            pass
        case _:
            raise Refusal("INVALID_VALUE", "status: active, expired, suspended, barred")
    try:
        if "expires_at" in found:
            changes["expires_at"] = parse_moment(found["expires_at"])
        if "expires_in_seconds" in found:
            changes["expires_at"] = now + timedelta(seconds=found["expires_in_seconds"])
        if "person" in found:
            changes["person"] = Person(**found["person"])
    except (ValueError, TypeError) as error:
        raise Refusal("INVALID_VALUE", "expires_at or person") from error
    if "offering" in found:
        if found["offering"] not in OFFERINGS:
            raise Refusal("INVALID_VALUE", "offering")
        changes["offering"] = found["offering"]
    who = carrier.books.set_subscriber(found["number"], **changes)
    return json_answer(200, plain(who) | {"status": who.status(now)})


def post_wallet(carrier: Carrier, request: Request) -> Answer:
    """{"currency": "GBP", "available_minor": 1200}"""
    found = members(request, {"currency": str, "available_minor": int})
    if found["currency"] not in carrier.books.wallets():
        raise Refusal("INVALID_VALUE", "currency")
    carrier.books.set_wallet(found["currency"], found["available_minor"])
    return json_answer(200, carrier.books.wallets())


def get_switches(carrier: Carrier, _: Request) -> Answer:
    return json_answer(200, asdict(carrier.switches))


def post_switches(carrier: Carrier, request: Request) -> Answer:
    """Any members of Switches, for example {"enforce_unique_refs": false}."""
    kinds = {name: type(value) for name, value in asdict(carrier.switches).items()}
    found = members(request, {}, **kinds)
    if found.get("price_shape", "mixed") not in PRICE_SHAPES:
        raise Refusal("INVALID_VALUE", f"price_shape: {', '.join(PRICE_SHAPES)}")
    set_switches(carrier, found)
    return get_switches(carrier, request)


def set_switches(carrier: Carrier, found: dict[str, Any]) -> None:
    for name, value in found.items():
        setattr(carrier.switches, name, value)
    carrier.books.enforce_unique_refs = carrier.switches.enforce_unique_refs
    carrier.books.atomic_refs = carrier.switches.atomic_refs


def post_settings(carrier: Carrier, request: Request) -> Answer:
    """Waiting times and sizes, for example {"late_seconds": 0.3}; see Settings."""
    kinds = {
        field.name: (int, float) if field.type == "float" else int
        for field in dataclasses.fields(carrier.settings)
        if field.type in ("int", "float")
    }
    found = members(request, {}, **kinds)
    for name, value in found.items():
        setattr(carrier.settings, name, value)
    return json_answer(200, {name: getattr(carrier.settings, name) for name in kinds})


def post_reverse(carrier: Carrier, request: Request) -> Answer:
    """{"order_id"} or {"externalId"}: give the money of a completed order back."""
    found = members(request, {}, order_id=str, externalId=str)
    matching = carrier.books.orders(ref=found["externalId"]) if found.get("externalId") else []
    order = carrier.books.reverse(matching[0].id if matching else found.get("order_id", ""))
    return json_answer(200, plain(order))


def post_revoke(carrier: Carrier, _: Request) -> Answer:
    """Forget every token that was issued."""
    carrier.tokens.revoke_all()
    return json_answer(200, {})


DOORS: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/control/books", get_books),
    ("POST", "/control/clock", post_clock),
    ("POST", "/control/reset", post_reset),
    ("GET", "/control/faults", get_faults),
    ("POST", "/control/faults", post_faults),
    ("DELETE", "/control/faults", delete_faults),
    ("GET", "/control/subscriber", get_subscriber),
    ("POST", "/control/subscriber", post_subscriber),
    ("POST", "/control/wallet", post_wallet),
    ("GET", "/control/switches", get_switches),
    ("POST", "/control/switches", post_switches),
    ("POST", "/control/settings", post_settings),
    ("POST", "/control/reverse", post_reverse),
    ("POST", "/control/revoke-tokens", post_revoke),
)

Kind = type | tuple[type, ...]


def members(request: Request, required: dict[str, Kind], **optional: Kind) -> dict[str, Any]:
    """The JSON object of a control request; an optional member may be null, and is then left out. Raises Refusal."""
    try:
        found = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Refusal("INVALID_BODY") from error
    if not isinstance(found, dict):
        raise Refusal("INVALID_BODY")
    return fitting(found, required, **optional)


def fitting(found: dict[str, Any], required: dict[str, Kind], **optional: Kind) -> dict[str, Any]:
    """The members that are there and not null. Raises Refusal for one that is unknown, missing or of another kind."""
    kinds = required | optional
    for name, value in found.items():
        if name not in kinds:
            raise Refusal("UNKNOWN_MEMBER", f"{name}; known: {', '.join(kinds)}")
        wanted = kinds[name]
        if value is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
            raise Refusal("INVALID_VALUE", name)
    if missing := [name for name in required if found.get(name) is None]:
        raise Refusal("MISSING_MEMBER", ", ".join(missing))
    return {name: value for name, value in found.items() if value is not None}


def plain(record: Any) -> dict[str, Any]:
    """A record of the books as JSON can hold it."""
    return {
        name: moment(value) if value and (name == "at" or name.endswith("_at")) else value
        for name, value in asdict(record).items()
    }
