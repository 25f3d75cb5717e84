"""The Reloadly door: airtime and bundles by (operator, amount), a wallet in pounds, and a reference that two requests at the
same moment can share.

What it is strict about: the token's audience, the media type of Accept, every member of a top-up. docs/sandbox.md has the
numbers and the habits that can be switched (``Carrier.vendors["reloadly"].switches``):

    cool_down_seconds   a number that was recharged a moment ago is refused for so long (by the movable clock)
    slow_seconds        how long operator 538 holds a request before it refuses (real seconds)
    async_seconds       how long an asynchronous top-up is PROCESSING (by the movable clock)
    filter_hours        the clock by which the reports' dates are read, hours from UTC
    match               whether operator and number must fit
    webhook_url, webhook_secret, webhook_nested     where notifications go, how they are signed and shaped"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from pos.sandbox import reloadly_reads as reads
from pos.sandbox import reloadly_shapes as shapes
from pos.sandbox.carrier import Carrier
from pos.sandbox.parsing import Members, read_object
from pos.sandbox.records import FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.reloadly_manners import CURRENCY, NAME, books_of, left_of, played, vendor_of
from pos.sandbox.reloadly_shapes import Said
from pos.sandbox.reloadly_shelf import OPERATORS, Operator, is_a_number
from pos.sandbox.vendor_books import Transaction
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.wire import Answer, Request, json_answer

_ACCEPT = "application/com.reloadly.topups-v1+json"
_TOKEN = "/oauth/token"  # noqa: S105


# Who comes in


def _token(carrier: Carrier, request: Request) -> Answer:
    """``POST /oauth/token`` with JSON; the audience is the address of this API."""

    def work(_: Fate) -> Answer:
        _json_only(request)
        body = read_object(request.body)
        told = body.text("client_id"), body.text("client_secret", 500)
        body.one_of("grant_type", "client_credentials")
        audience = body.text("audience")
        body.done()
        wanted = carrier.settings.client_id, carrier.settings.client_secret
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(told, wanted, strict=True)):
            raise Said(401, "INVALID_CREDENTIALS")
        if audience != f"{request.base}/{NAME}":
            raise Said(400, "INVALID_AUDIENCE")
        token, lives = vendor_of(carrier).tokens.issue(), carrier.settings.token_seconds
        scope = "send-topups read-operators read-topups-history"
        return json_answer(200, {"access_token": token, "scope": scope, "expires_in": lives, "token_type": "Bearer"})

    return played(carrier, request, "token", None, None, work)


def _admit(carrier: Carrier, request: Request) -> None:
    _listen(carrier)
    vendor_of(carrier).tokens.check(request)
    if request.headers.get("accept") != _ACCEPT:
        raise Said(406, None)


def _json_only(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Said(415, None)


# Selling


def post_topup(carrier: Carrier, request: Request) -> Answer:
    """The synchronous one: a final status, or PROCESSING where a fault wants it so."""
    return _sell(carrier, request, lambda fate: fate, lambda taken: shapes.transaction(taken, None, left_of(carrier)))


def post_topup_async(carrier: Carrier, request: Request) -> Answer:
    """Only an id; the top-up is PROCESSING for a while."""

    def later(fate: Fate) -> Fate:
        return Fate(wait_seconds=vendor_of(carrier).switches["async_seconds"]) if fate == Fate() else fate

    return _sell(carrier, request, later, lambda taken: {"transactionId": taken.id})


def _sell(
    carrier: Carrier, request: Request, fate_of: Callable[[Fate], Fate], shape: Callable[[Transaction], shapes.Json]
) -> Answer:
    _json_only(request)
    ref, operator, asked, number = _read_topup(request)
    books = books_of(carrier)
    books.count_submit(ref)
    # Looked up as it arrives and not again when it is done: five posts at the same moment all find the reference free.
    no = _arrived_too_late(carrier, ref, number)
    atomic = books.atomic_refs

    def work(fate: Fate) -> Answer:
        if no is not None:
            raise no
        _may_have(carrier, operator, asked, number)
        cost = operator.cost(asked)
        details = {"operator": operator.id, "asked_minor": _minor(asked), "delivered_minor": _minor(operator.delivered(asked))}
        key = f"{operator.id}:{asked:.2f}"
        taken = books.sell(ref, number, key, _minor(cost), CURRENCY, fate_of(fate), details=details, looked=not atomic)
        return json_answer(200, shape(taken))

    return played(carrier, request, "submit", number, ref, work)


def _arrived_too_late(carrier: Carrier, ref: str, number: str) -> Refusal | None:
    """What an earlier request for this reference or this number makes of a new one."""
    books = books_of(carrier)
    if not books.atomic_refs and books.enforce_unique_refs and books.transactions(ref):
        return Refusal("DUPLICATE_EXTERNAL_ID", ref)
    since = carrier.clock.now() - timedelta(seconds=vendor_of(carrier).switches["cool_down_seconds"])
    if any(t.number == number and t.created_at > since and t.state != FAILED for t in books.transactions()):
        # With references that are refused for good the books say so themselves.
        return None if books.atomic_refs and books.transactions(ref) else Refusal("TOO_SOON")
    return None


def _read_topup(request: Request) -> tuple[str, Operator, Decimal, str]:
    """Reference, operator, amount of the wallet's currency, number with plus. Raises Refusal."""
    body = read_object(request.body)
    ref = body.text("customIdentifier", 150)
    operator = OPERATORS.get(_whole(body, "operatorId"))
    asked = _amount(body)
    if body.anything("useLocalAmount") is not False:
        raise Said(400, "LOCAL_AMOUNTS_NOT_SUPPORTED_BY_OPERATOR")
    country, digits = _phone(body.object("recipientPhone"))
    body.optional_text("recipientEmail")
    body.allow("senderPhone").done()
    if operator is None:
        raise Refusal("OPERATOR_DOWN")
    if country != operator.country:
        raise Said(409, "COUNTRY_NOT_SUPPORTED")
    return ref, operator, asked, f"+{digits}"


def _whole(body: Members, name: str) -> int:
    """A whole number, in quotes or not: the vendor's own pages show both."""
    value = body.anything(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal("INVALID_VALUE", name)
    return value


def _amount(body: Members) -> Decimal:
    value = body.anything("amount")
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < 10_000:
        raise Said(400, "INVALID_AMOUNT")
    if Decimal(value) != round(Decimal(value), 2):
        raise Said(400, "INVALID_AMOUNT")
    return Decimal(value)


def _phone(phone: Members) -> tuple[str, str]:
    country, digits = phone.text("countryCode", 2), phone.text("number", 20)
    phone.done()
    if not digits.isascii() or not digits.isdigit():
        raise Said(400, "INVALID_RECIPIENT_PHONE")
    return country, digits


def _may_have(carrier: Carrier, operator: Operator, asked: Decimal, number: str) -> None:
    """Raises Refusal where this operator does not recharge this number with that amount now."""
    switches = vendor_of(carrier).switches
    if operator.hangs:
        carrier.wait(switches["slow_seconds"])
        raise Said(400, "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT")
    if not is_a_number(number):
        raise Refusal("INVALID_NUMBER")
    if switches["match"] and not operator.numbers.fullmatch(number):
        raise Said(400, "OPERATOR_AND_RECIPIENT_PHONE_MISMATCH")
    if not operator.sells(asked):
        raise Said(400, "INVALID_AMOUNT_FOR_OPERATOR")


def _minor(amount: Decimal) -> int:
    return int(amount.scaleb(2))


# Telling the shop


def _listen(carrier: Carrier) -> None:
    """The books tell of every end; a message leaves where somebody wants one."""
    vendor = vendor_of(carrier)

    def tell(taken: Transaction) -> None:
        if url := vendor.switches["webhook_url"]:
            secret, nested = vendor.switches["webhook_secret"], vendor.switches["webhook_nested"]
            body, headers = shapes.notification(taken, secret, carrier.clock.now(), nested=nested)
            vendor.callbacks.send(url, body, headers)

    vendor.books.listener = tell


RELOADLY = VendorDoors(
    NAME,
    (
        ("POST", _TOKEN, _token),
        ("GET", "/accounts/balance", reads.get_balance),
        ("GET", "/operators", reads.list_operators),
        ("GET", "/operators/countries/{code}", reads.list_in_country),
        ("GET", "/operators/auto-detect/phone/{phone}/countries/{code}", reads.detect),
        ("GET", "/operators/{id}", reads.get_operator),
        ("POST", "/topups", post_topup),
        ("POST", "/topups-async", post_topup_async),
        ("GET", "/topups/reports/transactions", reads.list_transactions),
        ("GET", "/topups/reports/transactions/{id}", reads.get_transaction),
        ("GET", "/topups/{id}/status", reads.get_status),
    ),
    _admit,
    shapes.error,
    open=(_TOKEN,),
)
