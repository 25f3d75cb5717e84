"""The DingConnect V1 door: one prepaid wallet in GBP, transfers, and what its real model is known for.

* Members that it does not know, also wrongly cased ones, are ignored without a word; ``books.requests`` counts them as
  ``ignored NAME``, so that a test sees a client's slip of the pen.
* ``ValidateOnly`` must be there, also when it is false; a plus sign in ``AccountNumber`` is refused.
* The guard against a reference that was used is off: the same reference is paid again.
* ``ListTransferRecords`` knows no dates, wants ``Take``, and forgets after two months."""

from __future__ import annotations

import hmac
import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import moment
from pos.sandbox.ding_answers import MANNERS, NAME, Json, Said, code_of, codes_of, envelope, error, record
from pos.sandbox.ding_products import (
    BATCH,
    BY_CODE,
    BY_SKU,
    ITEMS,
    PROVIDERS,
    Item,
    commission_of,
    fits,
    price,
    product_shape,
    provider_shape,
    providers_of,
    send_for,
)
from pos.sandbox.misbehave import play
from pos.sandbox.parsing import Members, read_object
from pos.sandbox.records import COMPLETED, FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import REVERSED, Transaction, VendorBooks
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.wire import Answer, Request, amount, json_answer

_MEMORY = timedelta(days=61)

# The last three digits of a product's UatNumber -> what is refused before there is a transfer.
_REFUSED: dict[str, tuple[int, int, str, str]] = {
    "001": (503, 4, "RateLimited", ""),
    "007": (500, 5, "InsufficientBalance", ""),
    "008": (400, 4, "AccountNumberInvalid", "AccountNumberFailedRegex"),
}
# The same -> what a transfer fails with.
_FAILING: dict[str, tuple[str, str]] = {
    "002": ("TransientProviderError", "ProviderTimedOut"),
    "003": ("TransientProviderError", "ProviderRefusedRequest"),
    "004": ("ProviderError", "ProductUnavailable"),
    "005": ("AccountNumberInvalid", "ProviderRefusedRequest"),
    "009": ("ProviderError", "RechargeNotAllowed"),
}
_TIMED_OUT_SECONDS = 90.0


def books_of(carrier: Carrier) -> VendorBooks:
    return carrier.vendors[NAME].books


def admit(carrier: Carrier, request: Request) -> None:
    """``api_key`` (no other name), or a bearer token."""
    key = request.headers.get("api_key")
    if key is None:
        carrier.vendors[NAME].tokens.check(request)
    elif not hmac.compare_digest(key.encode(), carrier.settings.client_secret.encode()):
        raise Refusal("UNAUTHENTICATED")


def token(carrier: Carrier, request: Request) -> Answer:
    def work(_: Fate) -> Answer:
        return carrier.vendors[NAME].tokens.answer(request)

    return play(carrier, request, "token", None, None, work, MANNERS)


# ------------------------------------------------------------------ what is sold


def _query(carrier: Carrier, request: Request, *known: str) -> dict[str, list[str]]:
    """Array parameters repeat their key; a comma does not part a list. What is not known is ignored."""
    found: dict[str, list[str]] = {name: [] for name in known}
    for name, value in parse_qsl(request.query_string, keep_blank_values=True):
        if name in known:
            found[name].append(value)
        else:
            books_of(carrier).count(f"ignored {name}")
    return found


def _read(carrier: Carrier, request: Request, **members: Any) -> Answer:
    def work(_: Fate) -> Answer:
        return json_answer(200, envelope(**members))

    return play(carrier, request, "read", None, None, work, MANNERS)


def get_balance(carrier: Carrier, request: Request) -> Answer:
    def work(_: Fate) -> Answer:
        return json_answer(200, envelope(Balance=amount(books_of(carrier).wallets()["GBP"]), CurrencyIso="GBP"))

    return play(carrier, request, "read", None, None, work, MANNERS)


def get_providers(carrier: Carrier, request: Request) -> Answer:
    asked = _query(carrier, request, "providerCodes", "countryIsos", "regionCodes", "accountNumber")
    chosen = [
        provider
        for provider in PROVIDERS
        if _is_in(provider.code, asked["providerCodes"]) and _is_in(provider.country, asked["countryIsos"])
    ]
    return _read(carrier, request, Items=[provider_shape(provider) for provider in chosen])


def get_provider_status(carrier: Carrier, request: Request) -> Answer:
    asked = _query(carrier, request, "providerCodes")["providerCodes"]
    down = carrier.vendors[NAME].switches["providers_down"]
    found = [
        {"ProviderCode": provider.code, "IsProcessingTransfers": provider.code not in down, "Message": ""}
        for provider in PROVIDERS
        if _is_in(provider.code, asked)
    ]
    return _read(carrier, request, Items=found)


def get_account_lookup(carrier: Carrier, request: Request) -> Answer:
    """A number of nobody's is ``NearestMatch`` with ResultCode 2 and no items."""
    number = "".join(_query(carrier, request, "accountNumber")["accountNumber"])
    if not number:
        raise Refusal("MISSING_MEMBER", "accountNumber")
    if not re.fullmatch(r"[1-9]\d{6,14}", number):
        raise Said(400, 4, "AccountNumberInvalid", "AccountNumberFailedRegex")
    found = list(providers_of(number))
    told: Json = {
        "CountryIso": found[0].country if found else "",
        "AccountNumberNormalized": number,
        "Items": [{"ProviderCode": provider.code, "RegionCode": provider.country} for provider in found],
    }
    if not found:
        return _read(carrier, request, result=2, codes=[code_of("NearestMatch")], **told)
    return _read(carrier, request, **told)


def get_products(carrier: Carrier, request: Request) -> Answer:
    names = ("countryIsos", "providerCodes", "skuCodes", "benefits", "regionCodes", "accountNumber")
    asked = _query(carrier, request, *names)
    hidden = carrier.vendors[NAME].switches["withdrawn"]
    chosen = [
        item
        for item in ITEMS
        if item.sku not in hidden
        and _is_in(item.sku, asked["skuCodes"])
        and _is_in(item.provider, asked["providerCodes"])
        and _is_in(BY_CODE[item.provider].country, asked["countryIsos"])
    ]
    return _read(carrier, request, Items=[product_shape(item) for item in chosen])


def _is_in(value: str, wanted: list[str]) -> bool:
    return not wanted or value in wanted


def estimate_prices(carrier: Carrier, request: Request) -> Answer:
    """A bare array; answers come in the opposite order, because they are matched by BatchItemRef."""
    entries = _array(request.body)
    found: list[Json] = []
    for entry in reversed(entries):
        name, item = entry.text("BatchItemRef"), BY_SKU.get(entry.text("SkuCode"))
        if item is None:
            found.append(envelope(4, [code_of("ParameterInvalid", "SkuCode")], BatchItemRef=name))
            continue
        entry.exactly("SendCurrencyIso", "GBP")
        send = _one_amount(entry, item)
        _ignore(carrier, entry)
        if not item.send <= send <= (item.most or item.send):
            found.append(envelope(4, [code_of("ParameterOutOfRange", "SendValue")], BatchItemRef=name))
            continue
        found.append(envelope(Price=price(item, send), SkuCode=item.sku, BatchItemRef=name))
    return _read(carrier, request, Items=found)


def _one_amount(entry: Members, item: Item) -> int:
    try:
        return entry.minor_units("SendValue")
    except Refusal as missing:
        if missing.code != "MISSING_MEMBER":
            raise
        return send_for(item, entry.minor_units("ReceiveValue"))


def _array(body: bytes) -> list[Members]:
    try:
        value = json.loads(body, parse_float=Decimal)
    except ValueError as fault:
        raise Refusal("INVALID_BODY") from fault
    if not isinstance(value, list):
        raise Refusal("INVALID_BODY")
    return [Members(entry) for entry in value]


def _ignore(carrier: Carrier, body: Members) -> None:
    """Members that this door does not know are dropped without a word, and counted."""
    while True:
        try:
            return body.done()
        except Refusal as unknown:
            name = unknown.detail.rpartition(".")[2]
            books_of(carrier).count(f"ignored {name}")
            body.allow(name)


# ------------------------------------------------------------------ selling


def send_transfer(carrier: Carrier, request: Request) -> Answer:
    body = read_object(request.body)
    item = BY_SKU.get(sku := body.text("SkuCode"))
    send, number, ref = body.minor_units("SendValue"), body.text("AccountNumber", 20), body.text("DistributorRef", 40)
    body.exactly("SendCurrencyIso", "GBP")
    only_validate = body.anything("ValidateOnly")
    settings = body.array("Settings", required=False)
    bill = body.optional_text("BillRef")
    _ignore(carrier, body)
    if not isinstance(only_validate, bool):
        raise Refusal("INVALID_VALUE", "ValidateOnly")
    if not only_validate:
        books_of(carrier).count_submit(ref)
    where = "read" if only_validate else "submit"

    def work(fate: Fate) -> Answer:
        if item is None or sku in carrier.vendors[NAME].switches["withdrawn"]:
            raise Refusal("INVALID_VALUE", "SkuCode")
        _check(item, send, number, bill, settings)
        if only_validate:
            return _dry_run(carrier, item, send, number)
        return _transfer(carrier, item, send, number, ref, fate)

    return play(carrier, request, where, f"+{number}", ref, work, MANNERS)


def _check(item: Item, send: int, number: str, bill: str | None, settings: list[Members]) -> None:
    """Raises Refusal for what no provider has to be asked about."""
    if not re.fullmatch(r"[1-9]\d{6,14}", number):
        raise Said(400, 4, "AccountNumberInvalid", "AccountNumberFailedRegex")
    if refused := fits(item, number):
        raise Said(400, 4 if refused.endswith("Regex") else 5, "AccountNumberInvalid", refused)
    if not item.send <= send <= (item.most or item.send):
        raise Said(400, 4, "ParameterOutOfRange", "SendValue")
    if item.needs_bill and bill is None:
        raise Refusal("MISSING_MEMBER", "BillRef")
    if item.needs_setting and [entry.text("Name") for entry in settings] != ["CustomerName"]:
        raise Refusal("MISSING_MEMBER", "Settings")
    if _is_uat(item, number) and number[-3:] in _REFUSED:
        raise Said(*_REFUSED[number[-3:]])


def _is_uat(item: Item, number: str) -> bool:
    return number[:-3] == item.uat_number[:-3]


def _cost(carrier: Carrier, item: Item, send: int) -> int:
    taken_off = commission_of(send) if carrier.vendors[NAME].switches["commission_taken_off"] else 0
    return send + item.fee - taken_off


def _dry_run(carrier: Carrier, item: Item, send: int, number: str) -> Answer:
    """Request and balance are checked; the record only predicts, and has no TransferId."""
    books = books_of(carrier)
    if books.wallets()["GBP"] < _cost(carrier, item, send):
        raise Refusal("WALLET_EMPTY")
    told = {
        "SkuCode": item.sku,
        "Price": price(item, send),
        "CommissionApplied": 0.0,
        "ProcessingState": "Complete",
        "AccountNumber": number,
    }
    return json_answer(200, envelope(TransferRecord=told))


def _transfer(carrier: Carrier, item: Item, send: int, number: str, ref: str, fate: Fate) -> Answer:
    books, habits = books_of(carrier), carrier.vendors[NAME].switches
    details: Json = {"send": send, "taken_off": habits["commission_taken_off"], "only_text": habits["pin_only_in_text"]}
    if fate == Fate():
        fate, why = _own_fate(carrier, item, number)
        details["why"] = why
    cost = _cost(carrier, item, send)
    taken = books.sell(ref, f"+{number}", item.sku, cost, "GBP", fate, details=details)
    # Asked for again, because a transfer that fails at once has failed by now; one that nobody sees yet is as it was.
    told = books.transaction(taken.id) or taken
    result, codes = codes_of(told)
    status = 200 if result == 1 else 500
    return json_answer(status, envelope(result, codes, TransferRecord=record(told)))


def _own_fate(carrier: Carrier, item: Item, number: str) -> tuple[Fate, tuple[str, str] | None]:
    """What becomes of a transfer when no fault is ordered, and what it will fail with."""
    ending, settings = number[-3:] if _is_uat(item, number) else "", carrier.settings
    if ending in _FAILING:
        return Fate(wait_seconds=0, will=FAILED), _FAILING[ending]
    if ending == "012":  # the provider says nothing for as long as it may
        return Fate(wait_seconds=_TIMED_OUT_SECONDS, will=FAILED), ("TransientProviderError", "ProviderTimedOut")
    if item.mode == BATCH and ending == "010":
        return Fate(wait_seconds=settings.pending_seconds, will=FAILED), ("ProviderError", "RechargeNotAllowed")
    if item.mode == BATCH and ending == "011":
        late = settings.pending_seconds + settings.reverse_seconds
        return Fate(settings.pending_seconds, COMPLETED, late), ("ProviderError", "RechargeNotAllowed")
    return (Fate(wait_seconds=settings.pending_seconds) if item.mode == BATCH else Fate()), None


# ------------------------------------------------------------------ looking up


def list_transfer_records(carrier: Carrier, request: Request) -> Answer:
    """Newest first, or oldest first by the switch. What is not two months old."""
    body = read_object(request.body)
    transfer, ref = body.optional_text("TransferRef"), body.optional_text("DistributorRef")
    number = body.optional_text("AccountNumber")
    skip, take = _whole(body, "Skip", 0), _whole(body, "Take", None)
    _ignore(carrier, body)
    if not 1 <= take <= carrier.vendors[NAME].switches["most_taken"]:
        raise Said(400, 4, "ParameterOutOfRange", "Take")
    books = books_of(carrier)
    since = carrier.clock.now() - _MEMORY
    found = [
        transaction
        for transaction in books.transactions(ref)
        if transaction.created_at >= since
        and transfer in (None, str(transaction.id))
        and number in (None, transaction.number.removeprefix("+"))
    ]
    if carrier.vendors[NAME].switches["newest_first"]:
        found.reverse()
    where = "find" if ref or transfer else "read"
    whose = found[0].number if found else None

    def work(_: Fate) -> Answer:
        shown = [_listed(books, transaction) for transaction in found[skip : skip + take]]
        return json_answer(200, envelope(Items=shown, ThereAreMoreItems=skip + take < len(found)))

    return play(carrier, request, where, whose, ref, work, MANNERS)


def _listed(books: VendorBooks, transaction: Transaction) -> Json:
    returned = [m.at for m in books.movements() if m.order_id == str(transaction.id) and m.state == "reversed"]
    at = moment(returned[0]) if transaction.state == REVERSED and returned else None
    result, codes = codes_of(transaction)
    return envelope(result, codes, TransferRecord=record(transaction, at))


def _whole(body: Members, name: str, otherwise: int | None) -> int:
    try:
        value = body.anything(name)
    except Refusal:
        if otherwise is None:
            raise
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refusal("INVALID_VALUE", name)
    return value


DOORS = VendorDoors(
    name=NAME,
    doors=(
        ("POST", "/connect/token", token),
        ("GET", "/api/V1/GetBalance", get_balance),
        ("GET", "/api/V1/GetProviders", get_providers),
        ("GET", "/api/V1/GetProviderStatus", get_provider_status),
        ("GET", "/api/V1/GetAccountLookup", get_account_lookup),
        ("GET", "/api/V1/GetProducts", get_products),
        ("POST", "/api/V1/EstimatePrices", estimate_prices),
        ("POST", "/api/V1/SendTransfer", send_transfer),
        ("POST", "/api/V1/ListTransferRecords", list_transfer_records),
    ),
    admit=admit,
    error=error,
    open=("/connect/token",),
)
