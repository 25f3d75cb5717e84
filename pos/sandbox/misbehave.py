"""What a fault does to one request: before the work, to the fate of the order, and to the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pos.sandbox.carrier import Carrier
from pos.sandbox.faults import Fault
from pos.sandbox.records import COMPLETED, FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.wire import Answer, Delivery, Dropped, Request, tmf_error

_REFUSALS = {
    "error_500": "INTERNAL_ERROR",
    "refuse": "INELIGIBLE",
    "product_unavailable": "PRODUCT_UNAVAILABLE",
    "operator_down": "OPERATOR_DOWN",
    "too_soon": "TOO_SOON",
    "wallet_empty": "WALLET_EMPTY",
    "limit_reached": "LIMIT_REACHED",
    "invalid_number": "INVALID_NUMBER",
    "unknown_code": "QUOTA_RULE_17",
    "forbidden": "FORBIDDEN",
}
_DELIVERIES = {
    "cut_answer": Delivery.CUT,
    "drip": Delivery.DRIP,
    "huge": Delivery.HUGE,
    "gzip_bomb": Delivery.GZIP_BOMB,
    "endless_headers": Delivery.ENDLESS_HEADERS,
}
_PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
_HTML = {"Content-Type": "text/html"}


@dataclass(frozen=True)
class Manners:
    """What differs between protocols: how a refusal looks, how each lie (wrong_echo, wrong_currency, wrong_offering,
    unknown_status, no_id) changes the parsed object of an answer in place, and how every token dies at once."""

    error: Callable[[Refusal, str], Answer]
    lies: Mapping[str, Callable[[dict[str, Any]], None]]
    revoke: Callable[[Carrier], None] = lambda carrier: carrier.tokens.revoke_all()


def play(
    carrier: Carrier,
    request: Request,
    where: str,
    serial: str | None,
    ref: str | None,
    work: Callable[[Fate], Answer],
    manners: Manners | None = None,
) -> Answer:
    """Do ``work`` as the fault that applies here would have it, with the ``manners`` of the door's protocol (TM Forum's if
    none are given). Raises Refusal and Dropped."""
    manners = manners or _TMF
    fault = carrier.faults.take(where, serial, ref)
    if fault is None:
        return work(Fate())
    if fault.name == "html_502_before":
        return Answer(502, _PAGE, dict(_HTML))
    _before(carrier, fault, manners)
    try:
        answer = work(_fate(carrier, fault))
    except Refusal as refusal:  # a refusal can get lost on its way like any other answer
        answer = manners.error(refusal, request.base)
    return _after(carrier, fault, answer, request.base, manners)


def _before(carrier: Carrier, fault: Fault, manners: Manners) -> None:
    if fault.name == "lost_before_commit":
        raise Dropped
    if fault.name == "silent":
        carrier.wait(_seconds(fault, carrier.settings.late_seconds))
        raise Dropped
    if fault.name == "late_commit":
        carrier.wait(_seconds(fault, carrier.settings.late_seconds))
    if fault.name == "token_expired":
        manners.revoke(carrier)
        raise Refusal("UNAUTHENTICATED")
    if fault.name == "rate_limit":
        raise Refusal("RATE_LIMITED", retry_seconds=carrier.settings.retry_after_seconds)
    if fault.name in _REFUSALS:
        raise Refusal(_REFUSALS[fault.name])


def _fate(carrier: Carrier, fault: Fault) -> Fate:
    wait_seconds = _seconds(fault, carrier.settings.pending_seconds)
    if fault.name == "pending_then_done":
        return Fate(wait_seconds=wait_seconds, will=COMPLETED)
    if fault.name == "pending_then_failed":
        return Fate(wait_seconds=wait_seconds, will=FAILED)
    if fault.name == "done_then_reversed":
        return Fate(reverse_after_seconds=_seconds(fault, carrier.settings.reverse_seconds))
    if fault.name == "failed_then_done":
        return Fate(wait_seconds=wait_seconds, will=FAILED, done_after_seconds=carrier.settings.reverse_seconds)
    if fault.name == "done_later":
        return Fate(wait_seconds=_seconds(fault, carrier.settings.unseen_seconds), is_unseen=True)
    return Fate()


def _after(carrier: Carrier, fault: Fault, answer: Answer, base: str, manners: Manners) -> Answer:
    match fault.name:
        case "late":
            carrier.wait(_seconds(fault, carrier.settings.late_seconds))
        case "lost_after_commit" | "done_later":
            raise Dropped
        case "error_500_after":
            return manners.error(Refusal("INTERNAL_ERROR"), base)
        case "html_502":
            return Answer(502, _PAGE, dict(_HTML))
        case "html_200":
            return Answer(200, _PAGE, dict(_HTML))
        case "empty_200":
            return Answer(200)
        case "broken_json":
            return replace(answer, body=answer.body[: len(answer.body) * 2 // 3])
        case "wrong_charset":
            return replace(answer, body=_latin(answer.body))
        case _ if fault.name in _DELIVERIES:
            return replace(answer, delivery=_DELIVERIES[fault.name])
        case _ if fault.name in manners.lies and answer.status < 300:
            return replace(answer, body=_twist(answer.body, manners.lies[fault.name]))
    return answer


def _seconds(fault: Fault, otherwise: float) -> float:
    return otherwise if fault.seconds is None else fault.seconds


def _latin(body: bytes) -> bytes:
    """The same JSON with a lone Latin-1 letter in a member of its own, which is not UTF-8."""
    return body[:1] + b'"note":"\xe9",' + body[1:] if body[:1] == b"{" else b"\xe9" + body


# Lies about an order or top-up. Each changes the parsed answer in place.


def _twist(body: bytes, lie: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(body)
    for entity in value if isinstance(value, list) else [value]:
        lie(entity)
    return json.dumps(value, ensure_ascii=False).encode()


def _walk(value: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Every object inside, deepest last."""
    if isinstance(value, dict):
        change(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _walk(inner, change)


def _other_number_and_amount(entity: dict[str, Any]) -> None:
    def change(part: dict[str, Any]) -> None:
        if "productSerialNumber" in part:
            part["productSerialNumber"] = _next_digit(part["productSerialNumber"])
        if isinstance(part.get("value"), str):  # MSISDN characteristic, logicalResource
            part["value"] = _next_digit(part["value"])
        if isinstance(part.get("value"), float) and "unit" in part:
            part["value"] = part["value"] + 1
        if isinstance(part.get("amount"), float) and part.get("units") in ("GBP", "HKD"):
            part["amount"] = part["amount"] + 1

    _walk(entity, change)


def _next_digit(text: str) -> str:
    return text[:-1] + str((int(text[-1]) + 1) % 10) if text[-1:].isdigit() else text


def _other_currency(entity: dict[str, Any]) -> None:
    def change(part: dict[str, Any]) -> None:
        for name in ("unit", "units"):
            if part.get(name) in ("GBP", "HKD"):
                part[name] = "EUR"

    _walk(entity, change)


def _other_offering(entity: dict[str, Any]) -> None:
    def change(part: dict[str, Any]) -> None:
        if isinstance(part.get("productOffering"), dict):
            part["productOffering"] = {"id": "another-plan", "name": "Another plan"}

    _walk(entity, change)


def _resting(entity: dict[str, Any]) -> None:
    for name in ("state", "status"):
        if name in entity:
            entity[name] = "resting"


def _nameless(entity: dict[str, Any]) -> None:
    entity.pop("id", None)
    entity.pop("href", None)


_TWISTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "wrong_echo": _other_number_and_amount,
    "wrong_currency": _other_currency,
    "wrong_offering": _other_offering,
    "unknown_status": _resting,
    "no_id": _nameless,
}

_TMF = Manners(tmf_error, _TWISTS)
