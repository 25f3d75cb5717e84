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
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox.carrier import Carrier
from pos.sandbox.ding_answers import MANNERS, NAME, Json, Said, books_of, code_of, envelope, error, ignore
from pos.sandbox.ding_products import (
    BY_CODE,
    BY_SKU,
    ITEMS,
    PROVIDERS,
    Item,
    price,
    product_shape,
    provider_shape,
    providers_of,
    send_for,
)
from pos.sandbox.ding_transfers import list_transfer_records, send_transfer
from pos.sandbox.misbehave import play
from pos.sandbox.parsing import Members
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.wire import Answer, Request, amount, json_answer


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
        ignore(carrier, entry)
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
