"""How the simulated eSIM reseller takes requests and gives answers: forms, signatures, pages, refusals and lies."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox.airalo_hooks import signature
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import Manners
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendors import Vendor
from pos.sandbox.wire import Answer, Request, json_answer

NAME = "airalo"


class Numbered(Refusal):
    """A refusal with one of the codes that only this reseller has."""

    def __init__(self, number: int) -> None:
        super().__init__("INELIGIBLE")
        self.number = number


# code of refusals.CODES -> the reseller's own
_NUMBERS = {
    "WALLET_EMPTY": 11,
    "OPERATOR_DOWN": 13,
    "PRODUCT_UNAVAILABLE": 34,
    "INELIGIBLE": 73,
    "TOO_SOON": 43,
    "LIMIT_REACHED": 43,
    "INVALID_BODY": 43,
    "DUPLICATE_EXTERNAL_ID": 43,
    "QUOTA_RULE_17": 97,  # in nobody's table
}
_FIELDS = ("MISSING_MEMBER", "UNKNOWN_MEMBER", "INVALID_VALUE", "INVALID_QUERY")


def error(refusal: Refusal, _base: str) -> Answer:
    """422 with a code and a reason, or with the wrong fields by name; everything else has an empty ``data``."""
    number = refusal.number if isinstance(refusal, Numbered) else _NUMBERS.get(refusal.code)
    if number is not None:
        return json_answer(422, {"code": number, "reason": refusal.reason})
    if refusal.code == "INVALID_NUMBER":
        return _wrong_field("iccid", refusal.reason)
    if refusal.code in _FIELDS:
        return _wrong_field(refusal.detail.partition(":")[0].removeprefix("body."), refusal.reason)
    if refusal.code == "RATE_LIMITED":
        return json_answer(429, {"message": "Slow down, please."}, Retry_After=str(refusal.retry_seconds or 60))
    return json_answer(refusal.status, {"data": [], "meta": {"message": refusal.reason}})


def _wrong_field(field: str, sentence: str) -> Answer:
    return json_answer(422, {"data": {field: sentence}, "meta": {"message": "A field is wrong."}})


def vendor_of(carrier: Carrier) -> Vendor:
    return carrier.vendors[NAME]


def form_of(request: Request, carrier: Carrier, *fields: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The fields of a form post, all of them and no others, each once and not empty; its signature is right.

    Raises Refusal with the field's name, or Numbered 14 (checksum)."""
    if request.query_string:
        raise Refusal("INVALID_QUERY", "query")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Refusal("INVALID_BODY", "a form is needed")
    try:
        pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as wrong:
        raise Refusal("INVALID_BODY", "not a form") from wrong
    form = dict(pairs)
    for field, value in pairs:
        if field not in fields and field not in optional:
            raise Refusal("UNKNOWN_MEMBER", field)
        if not value or form[field] != value:
            raise Refusal("INVALID_VALUE", field)
    for field in fields:
        if field not in form:
            raise Refusal("MISSING_MEMBER", field)
    check_signature(request, form, form.get("client_secret", carrier.settings.client_secret))
    return form


def check_signature(request: Request, payload: object, secret: str) -> None:
    """HMAC of the payload as compact JSON. Raises Numbered 14."""
    wanted = signature(json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode(), secret)
    if not hmac.compare_digest(request.headers.get("airalo-signature", ""), wanted):
        raise Numbered(14)


def page_of(request: Request, query: Mapping[str, str], entries: list[dict[str, Any]]) -> Answer:
    """One page with what Laravel says about its pages."""
    limit, page = _count(query, "limit", 100), _count(query, "page", 1)
    last = max(1, -(-len(entries) // limit))
    start = (page - 1) * limit
    shown = entries[start : start + limit]
    meta = {"message": "success", "current_page": page, "last_page": last, "per_page": limit, "total": len(entries)}
    following = f"{request.base}{request.path}?page={page + 1}" if page < last else None
    return json_answer(200, {"data": shown, "links": {"next": following}, "meta": meta})


def _count(query: Mapping[str, str], name: str, otherwise: int) -> int:
    text = query.get(name, str(otherwise))
    if not re.fullmatch("[1-9][0-9]{0,3}", text) or (name == "limit" and int(text) > 1000):
        raise Refusal("INVALID_QUERY", name)
    return int(text)


def moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _about_order(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def lie(answer: dict[str, Any]) -> None:
        data = answer.get("data")
        for entry in data if isinstance(data, list) else [data]:
            if isinstance(entry, dict):
                change(entry)

    return lie


def _other_amount(order: dict[str, Any]) -> None:
    order["price"] = order.get("price", 0) + 1
    if "net_price" in order:
        order["net_price"] += 1


MANNERS = Manners(
    error,
    {
        "wrong_echo": _about_order(_other_amount),
        "wrong_currency": _about_order(lambda order: order.update(currency="EUR")),
        "wrong_offering": _about_order(lambda order: order.update(package_id="another-30days-3gb")),
        "unknown_status": _about_order(lambda order: order.update(status={"name": "Resting", "slug": "resting"})),
        "no_id": _about_order(lambda order: order.pop("id", None)),
    },
    lambda carrier: vendor_of(carrier).tokens.revoke_all(),
)
