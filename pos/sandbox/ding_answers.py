"""How the DingConnect door says things: envelopes, transfer records, refusals in its own words, and its lies.

The HTTP status means nothing here, on purpose: an empty wallet is a 500, and a refusal may come with 200."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import moment
from pos.sandbox.ding_products import BATCH, BY_SKU, RECEIPT, commission_of, price
from pos.sandbox.misbehave import Manners
from pos.sandbox.parsing import Members
from pos.sandbox.records import CANCELLED, COMPLETED, FAILED
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import REVERSED, Transaction, VendorBooks
from pos.sandbox.wire import Answer, amount, json_answer

NAME = "ding"
Json = dict[str, Any]

# Canonical code -> HTTP status, ResultCode, Code, Context.
_SAID: dict[str, tuple[int, int, str, str]] = {
    "INVALID_BODY": (400, 4, "RequestInvalid", ""),
    "MISSING_MEMBER": (400, 4, "ParameterMissing", ""),
    "INVALID_VALUE": (400, 4, "ParameterInvalid", ""),
    "INVALID_QUERY": (400, 4, "ParameterInvalid", ""),
    "UNAUTHENTICATED": (401, 4, "AuthenticationFailed", ""),
    "FORBIDDEN": (400, 5, "AuthenticationFailed", ""),
    "NOT_FOUND": (404, 4, "RequestInvalid", ""),
    "METHOD_NOT_ALLOWED": (405, 4, "RequestInvalid", ""),
    "DUPLICATE_EXTERNAL_ID": (200, 5, "DuplicateTransactionPrevented", ""),
    "RATE_LIMITED": (200, 4, "RateLimited", ""),
    "INVALID_NUMBER": (400, 5, "AccountNumberInvalid", "ProviderRefusedRequest"),
    "INELIGIBLE": (200, 5, "ProviderError", "RechargeNotAllowed"),
    "PRODUCT_UNAVAILABLE": (503, 5, "ProviderError", "ProductUnavailable"),
    "OPERATOR_DOWN": (500, 3, "TransientProviderError", "ProviderTimedOut"),
    "TOO_SOON": (400, 5, "RateLimited", ""),
    "LIMIT_REACHED": (500, 5, "RateLimited", ""),
    "WALLET_EMPTY": (500, 5, "InsufficientBalance", ""),
    "QUOTA_RULE_17": (400, 5, "QuotaRule17", ""),
    "INTERNAL_ERROR": (500, 3, "OtherError", ""),
}


class Said(Refusal):
    """A refusal in this door's own words."""

    def __init__(self, status: int, result: int, code: str, context: str = "") -> None:
        super().__init__("INVALID_VALUE", context)
        self.said = (status, result, code, context)


def envelope(result: int = 1, codes: list[Json] | None = None, **members: Any) -> Json:
    return {**members, "ResultCode": result, "ErrorCodes": codes or []}


def code_of(code: str, context: str = "") -> Json:
    return {"Code": code, "Context": context}


def error(refusal: Refusal, _base: str) -> Answer:
    if isinstance(refusal, Said):
        status, result, code, context = refusal.said
    else:
        status, result, code, context = _SAID[refusal.code]
        # "body.SendValue must be ..." names the member.
        member = re.match(r"(?:body\.)?([A-Z]\w*)", refusal.detail)
        if code.startswith("Parameter"):
            context = member[1] if member else ""
    return json_answer(status, envelope(result, [code_of(code, context)]))


def books_of(carrier: Carrier) -> VendorBooks:
    return carrier.vendors[NAME].books


def ignore(carrier: Carrier, body: Members) -> None:
    """Members that this door does not know are dropped without a word, and counted."""
    while True:
        try:
            return body.done()
        except Refusal as unknown:
            name = unknown.detail.rpartition(".")[2]
            books_of(carrier).count(f"ignored {name}")
            body.allow(name)


# ------------------------------------------------------------------ one transfer

_STATES = {COMPLETED: "Complete", FAILED: "Failed", CANCELLED: "Cancelled", REVERSED: "Failed"}


def pin_of(transaction: Transaction) -> str:
    """Twelve digits that nobody else gets."""
    return f"{transaction.id * 7919 % 10**12:012d}"


def record(transaction: Transaction, returned_at: str | None = None) -> Json:
    """A TransferRecord. ``returned_at``: when a reversed one was given back."""
    item, send = BY_SKU[transaction.product], transaction.details["send"]
    waiting = "Submitted" if item.mode == BATCH else "Processing"
    done = transaction.state in (COMPLETED, REVERSED)
    ended_at = moment(transaction.completed_at) if transaction.completed_at else None
    text, params = _receipt(transaction) if done else ("", {})
    return {
        "TransferId": {"TransferRef": str(transaction.id), "DistributorRef": transaction.ref},
        "SkuCode": item.sku,
        "Price": price(item, send),
        "CommissionApplied": amount(commission_of(send)) if transaction.details["taken_off"] else 0.0,
        "StartedUtc": moment(transaction.created_at),
        "CompletedUtc": returned_at or ended_at,
        "ProcessingState": _STATES.get(transaction.state, waiting),
        "ReceiptText": text,
        "ReceiptParams": params,
        "AccountNumber": transaction.number.removeprefix("+"),
    }


def _receipt(transaction: Transaction) -> tuple[str, Json]:
    if BY_SKU[transaction.product].redemption != RECEIPT:
        return "", {"providerRef": f"x{transaction.id}"}
    pin = pin_of(transaction)
    spaced = " ".join(pin[place : place + 4] for place in range(0, 12, 4))
    text = f"PIN: {spaced}\nSerial: {transaction.id}\nCall 1244 from your Lebara SIM, press 2 and key in the code."
    if transaction.details.get("only_text"):
        return text, {"providerRef": f"x{transaction.id}"}
    return text, {"pin": pin, "serial": str(transaction.id), "providerRef": f"x{transaction.id}"}


def codes_of(transaction: Transaction) -> tuple[int, list[Json]]:
    """ResultCode and ErrorCodes beside a record."""
    if transaction.state not in (FAILED, REVERSED):
        return 1, []
    code, context = transaction.details.get("why") or ("TransientProviderError", "ProviderTimedOut")
    return (3 if code.startswith("Transient") else 5), [code_of(code, context)]


# ------------------------------------------------------------------ lies


def _records(entity: Json) -> Iterator[Json]:
    """The records in an answer to SendTransfer, or in a list."""
    for holder in (entity, *entity.get("Items", [])):
        if isinstance(holder.get("TransferRecord"), dict):
            yield holder["TransferRecord"]


def _lie(change: Callable[[Json], None]) -> Callable[[Json], None]:
    def tell(entity: Json) -> None:
        for found in _records(entity):
            change(found)

    return tell


def _other_number_and_amount(found: Json) -> None:
    last = int(found["AccountNumber"][-1])
    found["AccountNumber"] = found["AccountNumber"][:-1] + str((last + 1) % 10)
    found["Price"]["ReceiveValue"] += 1


def _revoke(carrier: Carrier) -> None:
    carrier.vendors[NAME].tokens.revoke_all()


MANNERS = Manners(
    error,
    {
        "wrong_echo": _lie(_other_number_and_amount),
        "wrong_currency": _lie(lambda found: found["Price"].update(ReceiveCurrencyIso="USD")),
        "wrong_offering": _lie(lambda found: found.update(SkuCode="ANOTHER")),
        "unknown_status": _lie(lambda found: found.update(ProcessingState="resting")),
        "no_id": _lie(lambda found: found.pop("TransferId")),
    },
    _revoke,
)
