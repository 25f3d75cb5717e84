"""What the Reloadly door writes: transactions, pages of them, errors, notifications."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pos.sandbox.records import COMPLETED, FAILED
from pos.sandbox.refusals import Refusal
from pos.sandbox.reloadly_shelf import OPERATORS
from pos.sandbox.vendor_books import REVERSED, WAITING, Transaction
from pos.sandbox.wire import Answer, amount, json_answer

Json = dict[str, Any]

# Bodies are written by the clock of the vendor's head office, without saying so; the filter of reports reads another one.
BODY_ZONE = ZoneInfo("America/New_York")

STATUSES = {WAITING: "PROCESSING", COMPLETED: "SUCCESSFUL", FAILED: "FAILED", REVERSED: "REFUNDED"}

# The sandbox's refusals in the vendor's words.
ERRORS: Mapping[str, tuple[int, str]] = {
    "INVALID_BODY": (400, "INVALID_INPUT_PROVIDED"),
    "MISSING_MEMBER": (400, "INVALID_INPUT_PROVIDED"),
    "UNKNOWN_MEMBER": (400, "INVALID_INPUT_PROVIDED"),
    "INVALID_VALUE": (400, "INVALID_INPUT_PROVIDED"),
    "INVALID_QUERY": (400, "INVALID_INPUT_PROVIDED"),
    "UNAUTHENTICATED": (401, "INVALID_TOKEN"),
    "FORBIDDEN": (403, "INACTIVE_ACCOUNT"),
    "DUPLICATE_EXTERNAL_ID": (400, "CUSTOM_IDENTIFIER_ALREADY_USED"),
    "RATE_LIMITED": (429, "RATE_LIMIT_REACHED"),
    "INVALID_NUMBER": (400, "INVALID_RECIPIENT_PHONE"),
    "INELIGIBLE": (400, "RECIPIENT_PHONE_INACTIVE"),
    "PRODUCT_UNAVAILABLE": (400, "INVALID_AMOUNT_FOR_OPERATOR"),
    "OPERATOR_DOWN": (503, "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE"),
    "TOO_SOON": (400, "PHONE_RECENTLY_RECHARGED"),
    "WALLET_EMPTY": (400, "INSUFFICIENT_BALANCE"),
    "LIMIT_REACHED": (400, "MAX_DAILY_TRANSACTION_AMOUNT_REACHED"),
    "QUOTA_RULE_17": (400, "QUOTA_RULE_17"),
    "INTERNAL_ERROR": (500, "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT"),
}


class Said(Refusal):
    """A refusal for which the vendor has a word of its own."""

    def __init__(self, status: int, error_code: str | None) -> None:
        super().__init__("INVALID_VALUE")
        self.status, self.error_code = status, error_code


def error(refusal: Refusal, _base: str) -> Answer:
    """The vendor's error body; a path that is not there gets the framework's, which has no errorCode."""
    status, code = (refusal.status, refusal.error_code) if isinstance(refusal, Said) else ERRORS.get(refusal.code, (None, None))
    now = wall(datetime.now(UTC))
    if code is None or status is None:
        body: Json = {"timestamp": now, "status": refusal.status, "error": "Not Found", "message": refusal.reason, "path": "/"}
        return json_answer(refusal.status, body)
    told: Json = {
        "timeStamp": now,
        "message": refusal.reason,
        "path": "/topups",
        "errorCode": code,
        "infoLink": None,
        "details": [],
    }
    headers = {} if refusal.retry_seconds is None else {"Retry_After": str(refusal.retry_seconds)}
    return json_answer(status, told, **headers)


def wall(moment: datetime) -> str:
    return moment.astimezone(BODY_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def transaction(taken: Transaction, status: str | None = None, balance_minor: int | None = None) -> Json:
    """``balance_minor``: what is left in the wallet, told in the first answer and by status only."""
    operator = OPERATORS[taken.details["operator"]]
    done = taken.state in (COMPLETED, REVERSED)
    return {
        "transactionId": taken.id,
        "status": status or STATUSES[taken.state],
        "operatorTransactionId": f"{taken.id * 3}:OrderConfirmed" if done else None,
        "customIdentifier": taken.ref,
        "recipientPhone": taken.number[1:],
        "recipientEmail": None,
        "senderPhone": None,
        "countryCode": operator.country,
        "operatorId": operator.id,
        "operatorName": operator.name,
        "discount": amount(taken.details["asked_minor"] - taken.cost_minor),
        "discountCurrencyCode": taken.currency,
        "requestedAmount": amount(taken.details["asked_minor"]),
        "requestedAmountCurrencyCode": taken.currency,
        "deliveredAmount": amount(taken.details["delivered_minor"]),
        "deliveredAmountCurrencyCode": operator.currency,
        "transactionDate": wall(taken.created_at),
        "fee": 0,
        "pinDetail": _pin(taken) if done and "pin" in operator.flags else None,
        "balanceInfo": None if balance_minor is None else _balance(taken, balance_minor),
    }


def _pin(taken: Transaction) -> Json:
    """A code with a zero in front, which a client that reads it as a number loses."""
    return {
        "serial": f"0{taken.id}",
        "info1": "Dial *321*",
        "info2": "then the code and #",
        "info3": "",
        "value": None,
        "code": f"0{taken.id * 7919 % 10**15:015d}",
        "ivr": "",
        "validity": "30 days",
    }


def _balance(taken: Transaction, left_minor: int) -> Json:
    return {
        "oldBalance": amount(left_minor + taken.cost_minor),
        "newBalance": amount(left_minor),
        "cost": amount(taken.cost_minor),
        "currencyCode": taken.currency,
        "currencyName": "Pound Sterling",
        "updatedAt": taken.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }


def page(found: list[Json], number: int, size: int) -> Json:
    """The framework's page: asked for from one, numbered from nought."""
    number = max(number, 1) - 1
    content = found[number * size : (number + 1) * size]
    pages = -(-len(found) // size)
    order = {"sorted": True, "unsorted": False, "empty": False}
    return {
        "content": content,
        "pageable": {
            "sort": order, "pageNumber": number, "pageSize": size, "offset": number * size, "paged": True, "unpaged": False,
        },
        "totalPages": pages,
        "totalElements": len(found),
        "last": number >= pages - 1,
        "sort": order,
        "first": number == 0,
        "numberOfElements": len(content),
        "size": size,
        "number": number,
        "empty": not content,
    }  # fmt: skip


# Notifications


def notification(taken: Transaction, secret: str, now: datetime, *, nested: bool) -> tuple[bytes, dict[str, str]]:
    """Body and headers of one message; ``nested`` is the other of the two forms that were seen."""
    data: Json = {"transaction": transaction(taken)} if nested else {
        "status": STATUSES[taken.state], "customIdentifier": taken.ref, "transactionId": taken.id,
    }  # fmt: skip
    body = json.dumps({"type": "airtime_transaction.status", "data": data}).encode()
    stamp = str(int(now.timestamp()))
    sealed = hmac.new(secret.encode(), body + b":" + stamp.encode(), hashlib.sha256).hexdigest()
    return body, {"X-Reloadly-Signature": sealed, "X-Reloadly-Request-Timestamp": stamp}


# Lies about a transaction: each changes the parsed answer in place, wherever in it the transactions are.


def _each(entity: Json) -> list[Json]:
    inner = entity.get("content") or [entity.get("transaction") or entity]
    return [one for one in inner if "operatorId" in one]


def _other_number_and_amount(entity: Json) -> None:
    for one in _each(entity):
        one["recipientPhone"] = one["recipientPhone"][:-1] + str((int(one["recipientPhone"][-1]) + 1) % 10)
        one["requestedAmount"] += 1


def _other_currency(entity: Json) -> None:
    for one in _each(entity):
        one["requestedAmountCurrencyCode"] = "CHF"


def _other_operator(entity: Json) -> None:
    for one in _each(entity):
        one["operatorId"] = 999


def _resting(entity: Json) -> None:
    for one in _each(entity):
        one["status"] = "resting"


def _nameless(entity: Json) -> None:
    for one in _each(entity):
        one.pop("transactionId", None)


LIES = {
    "wrong_echo": _other_number_and_amount,
    "wrong_currency": _other_currency,
    "wrong_offering": _other_operator,
    "unknown_status": _resting,
    "no_id": _nameless,
}
