"""The records of the DT One simulator as DVS v1 writes them, its refusals, and how each lie changes an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pos.sandbox.dtone_request import MALFORMED, VendorRefusal
from pos.sandbox.dtone_shelf import ITEMS
from pos.sandbox.records import CANCELLED, COMPLETED, FAILED
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import HELD, REVERSED, WAITING, Transaction
from pos.sandbox.wire import Answer, amount, challenge, json_answer

HOLD_SECONDS = 3600.0

# Class id, class message; what is finer is told by status.id and status.message.
CREATED, CONFIRMED, REJECTED, SUBMITTED = (1, "CREATED"), (2, "CONFIRMED"), (3, "REJECTED"), (5, "SUBMITTED")
_CLASSES = {
    HELD: CREATED,
    COMPLETED: (7, "COMPLETED"),
    REVERSED: (8, "REVERSED"),
    CANCELLED: (4, "CANCELLED"),
    FAILED: (9, "DECLINED"),
}

# Canonical refusals that this vendor tells by the status of a transaction.
REJECTIONS = {
    "INELIGIBLE": "REJECTED-INELIGIBLE-CREDIT-PARTY",
    "INVALID_NUMBER": "REJECTED-INVALID-CREDIT-PARTY",
    "OPERATOR_DOWN": "REJECTED-OPERATOR-CURRENTLY-UNAVAILABLE",
    "TOO_SOON": "DECLINED-DUPLICATED-TRANSACTION",
    "LIMIT_REACHED": "REJECTED-LIMITATIONS-ON-CREDIT-PARTY-QUANTITY",
}
# The rest of them, as HTTP status and number.
_ERRORS = {
    "UNAUTHENTICATED": (401, 1000401),
    "FORBIDDEN": (401, 1000401),
    "NOT_FOUND": (404, 1000404),
    "METHOD_NOT_ALLOWED": (404, 1000404),
    "RATE_LIMITED": (429, 1000429),
    "DUPLICATE_EXTERNAL_ID": (400, 1007001),
    "PRODUCT_UNAVAILABLE": (404, 1003001),
    "WALLET_EMPTY": (400, 1006001),
    "QUOTA_RULE_17": (400, 1004917),  # in no list, on purpose
    "INTERNAL_ERROR": (500, 1009001),
}
_STATUSES = {1003001: 404, 1008004: 404}


def error(refusal: Refusal, _: str) -> Answer:
    """``{"errors":[{"code","message"}]}``; the sentences are this simulator's own."""
    if isinstance(refusal, VendorRefusal):
        status, number = _STATUSES.get(refusal.number, 400), refusal.number
    else:
        status, number = _ERRORS.get(refusal.code, (400, MALFORMED))
    told = {"errors": [{"code": number, "message": f"{refusal.reason} {refusal.detail}".strip()}]}
    headers = challenge(refusal) if refusal.retry_seconds is not None else {}
    return json_answer(status, told, **headers)


def transaction_body(taken: Transaction, *, was_posted: bool = False) -> dict[str, Any]:
    """One transaction; what was only written (product_id, destination, auto_confirm) does not come back. While it is under
    way the answer to a post says CONFIRMED, and a look SUBMITTED."""
    item = ITEMS[int(taken.product)]
    details = taken.details
    is_done = taken.state in (COMPLETED, REVERSED)
    wholesale = {"unit_type": "CURRENCY", "unit": "GBP", "amount": amount(taken.cost_minor - item.fee), "fee": amount(item.fee)}
    shown: dict[str, Any] = {
        "id": taken.id,
        "external_id": taken.ref,
        "creation_date": long_moment(taken.created_at),
        "confirmation_expiration_date": long_moment(taken.created_at + timedelta(seconds=HOLD_SECONDS)),
        "status": _status(taken, was_posted),
        "operator_reference": f"OP-{taken.id}" if is_done else None,
        "pin": _pin(taken) if is_done and details.get("pin") else None,
        "product": item.brief(),
        "prices": {"wholesale": wholesale, "retail": None},
        "rates": {"base": 1.15, "wholesale": 1.17, "retail": None},
        "benefits": item.body()["benefits"],
        "promotions": None,
        "requested_values": details.get("requested"),
        "adjusted_values": None,
    }
    confirmed_at = taken.confirmed_at or (taken.created_at if details.get("auto_confirm") else None)
    if confirmed_at and "rejected" not in details:
        shown["confirmation_date"] = long_moment(confirmed_at)
    if details.get("credit_party"):
        shown["credit_party_identifier"] = details["credit_party"]
    if details.get("callback_url"):
        shown["callback_url"] = details["callback_url"]
    return shown


def _status(taken: Transaction, was_posted: bool) -> dict[str, Any]:
    word = taken.details.get("rejected") or taken.details.get("declined")
    if taken.state == WAITING:
        number, name = CONFIRMED if was_posted else SUBMITTED
    elif taken.state == FAILED and word and word.startswith("REJECTED"):
        number, name = REJECTED
    else:
        number, name = _CLASSES[taken.state]
    message = name
    if taken.state == FAILED:
        message = word or ("DECLINED-OPERATOR-CURRENTLY-UNAVAILABLE" if taken.failure == "OPERATOR_DOWN" else "DECLINED")
    fine = number * 10_000 + (0 if message == name else 200)
    return {"id": fine, "message": message, "class": {"id": number, "message": name}}


def _pin(taken: Transaction) -> dict[str, str]:
    return {"code": pin_code(taken.id), "serial": f"{taken.id % 1_000_000:06d}"}


def pin_code(key: int) -> str:
    """Sixteen digits that no other transaction has."""
    return f"{4455_0000_0000_0000 + key * 7_919:016d}"


def long_moment(value: datetime) -> str:
    """Nine digits after the second, as this vendor writes them."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


# Lies about a transaction; each changes the parsed answer in place.


def _other_number_and_amount(entity: dict[str, Any]) -> None:
    party = entity.get("credit_party_identifier") or {}
    for name, value in party.items():
        party[name] = value[:-1] + str((int(value[-1]) + 1) % 10)
    for side in (entity.get("requested_values") or {}).values():
        side["amount"] += 1


def _other_currency(entity: dict[str, Any]) -> None:
    for side in ((entity.get("prices") or {}).get("wholesale"), *(entity.get("requested_values") or {}).values()):
        if side:
            side["unit"] = "USD"


def _other_product(entity: dict[str, Any]) -> None:
    if "product" in entity:
        entity["product"] |= {"id": 9999, "name": "Another product"}


def _resting(entity: dict[str, Any]) -> None:
    if "status" in entity:
        entity["status"] = {"id": 420_000, "message": "resting", "class": {"id": 42, "message": "resting"}}


def _nameless(entity: dict[str, Any]) -> None:
    entity.pop("id", None)


LIES: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "wrong_echo": _other_number_and_amount,
    "wrong_currency": _other_currency,
    "wrong_offering": _other_product,
    "unknown_status": _resting,
    "no_id": _nameless,
}
