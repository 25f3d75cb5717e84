"""DT One's DVS v1 as its documentation describes it: HTTP Basic, bare arrays with X- headers, two phases, a status by class.

Everything is below ``/dtone/v1``. The last three digits of a number may be magic (delay, 0, outcome), as in the vendor's own
sandbox. Habits that a test may change are ``dtone_shelf.SWITCHES``."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import parse_moment
from pos.sandbox.dtone_request import BAD_CREDIT_PARTY, MALFORMED, Create, VendorRefusal, read_body, read_create
from pos.sandbox.dtone_shapes import HOLD_SECONDS, LIES, REJECTIONS, error, transaction_body
from pos.sandbox.dtone_shelf import ITEMS, OPERATORS, WORLD, operator_of
from pos.sandbox.misbehave import Manners, play
from pos.sandbox.records import CANCELLED, FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import Transaction, VendorBooks
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.wire import Answer, Request, amount, json_answer

NAME = "dtone"
NO_TRANSACTION, CONFIRMED_BEFORE, TOO_LATE, CANCELLED_BEFORE, TOO_LATE_TO_CANCEL, NOT_OFFERED = (
    1008004, 1007002, 1007004, 1007005, 1007007, 1007500,
)  # fmt: skip

# Digits before the last two, seconds; last digit, what becomes of it (None: completed).
_DELAYS = {"1": 3.0, "2": 20.0, "3": 300.0}
_OUTCOMES = {
    "0": None,
    "1": None,
    "2": "DECLINED-INVALID-CREDIT-PARTY",
    "3": "DECLINED-BARRED-CREDIT-PARTY",
    "4": "DECLINED-OPERATOR-CURRENTLY-UNAVAILABLE",
    "5": "DECLINED-DUPLICATED-TRANSACTION",
    "6": "DECLINED",
    "7": "DECLINED-EXCEPTION",
}
_MANNERS = Manners(error, LIES)
_LONGEST_WINDOW = timedelta(hours=24)


def admit(carrier: Carrier, request: Request) -> None:
    """HTTP Basic. Raises Refusal UNAUTHENTICATED."""
    vendor = carrier.vendors[NAME]
    vendor.books.listener = partial(_notify, carrier)
    vendor.books.holds_end_by_themselves = vendor.switches["auto_cancel"]
    pair = base64.b64encode(f"{carrier.settings.client_id}:{carrier.settings.client_secret}".encode())
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), b"Basic " + pair):
        raise Refusal("UNAUTHENTICATED")


# Selling


def create_async(carrier: Carrier, request: Request) -> Answer:
    return _create(carrier, request, is_async=True)


def create_sync(carrier: Carrier, request: Request) -> Answer:
    return _create(carrier, request, is_async=False)


def _create(carrier: Carrier, request: Request, *, is_async: bool) -> Answer:
    asked = read_create(request.body, is_async=is_async)
    books = _books(carrier)
    books.count_submit(asked.ref)

    def work(fate: Fate) -> Answer:
        operator = operator_of(asked.number)
        if asked.item.identifiers and operator is not asked.item.operator:
            return _rejected(carrier, asked, REJECTIONS["INVALID_NUMBER"])
        return json_answer(201, transaction_body(_taken(books, asked, fate), was_posted=True))

    try:
        return play(carrier, request, "submit", asked.number or None, asked.ref, work, _MANNERS)
    except Refusal as refusal:
        # A number that cannot be read is an error; one that cannot be served is a transaction that was rejected.
        if isinstance(refusal, VendorRefusal) or refusal.code not in REJECTIONS:
            raise
        return _rejected(carrier, asked, REJECTIONS[refusal.code])


def _taken(books: VendorBooks, asked: Create, fate: Fate) -> Transaction:
    story, details = _story(asked.number, asked.item.is_pin)
    details |= {"credit_party": asked.credit_party, "requested": asked.requested, "auto_confirm": asked.auto_confirm}
    details["callback_url"] = asked.callback_url
    cost = asked.item.cost_minor(asked.euros_minor)
    told = fate if fate != Fate() or not asked.auto_confirm else story
    hold = None if asked.auto_confirm else HOLD_SECONDS
    return books.sell(
        asked.ref, asked.number, str(asked.item.id), cost, "GBP", told, hold_seconds=hold, details=details
    )  # fmt: skip


def _story(number: str, is_pin: bool) -> tuple[Fate, dict[str, Any]]:
    """What the last three digits say: the fate, and what the books remember of it."""
    tail = number[-3:]
    if len(tail) < 3 or tail[0] not in _DELAYS or tail[1] != "0" or tail[2] not in _OUTCOMES:
        return Fate(), {"pin": is_pin}
    word = _OUTCOMES[tail[2]]
    if word is None:
        return Fate(wait_seconds=_DELAYS[tail[0]]), {"pin": tail[2] == "1"}
    return Fate(wait_seconds=_DELAYS[tail[0]], will=FAILED), {"pin": False, "declined": word}


def _rejected(carrier: Carrier, asked: Create, word: str) -> Answer:
    """A transaction that ends before it began; its reference is used all the same."""
    details = {"credit_party": asked.credit_party, "requested": asked.requested, "rejected": word}
    details["callback_url"] = asked.callback_url
    books, item = _books(carrier), asked.item
    fate = Fate(wait_seconds=0, will=FAILED)
    taken = books.sell(
        asked.ref, asked.number, str(item.id), item.cost_minor(asked.euros_minor), "GBP", fate, details=details
    )  # fmt: skip
    return json_answer(201, transaction_body(books.transaction(taken.id) or taken, was_posted=True))


def confirm(carrier: Carrier, request: Request, key: str) -> Answer:
    _nothing_in(request)
    books, known = _books(carrier), _known(carrier, key)

    def work(fate: Fate) -> Answer:
        item = ITEMS[int(known.product)]
        try:
            taken = books.confirm(known.id, fate if fate != Fate() else _story(known.number, item.is_pin)[0])
        except Refusal as refusal:
            if refusal.detail == CANCELLED:
                raise VendorRefusal(carrier.vendors[NAME].switches["confirm_of_cancelled"]) from refusal
            raise VendorRefusal(TOO_LATE if refusal.detail == "expired" else CONFIRMED_BEFORE) from refusal
        return _accepted(carrier, taken)

    return play(carrier, request, "submit", known.number or None, known.ref, work, _MANNERS)


def cancel(carrier: Carrier, request: Request, key: str) -> Answer:
    _nothing_in(request)
    books, known = _books(carrier), _known(carrier, key)

    def work(_: Fate) -> Answer:
        try:
            taken = books.cancel(known.id)
        except Refusal as refusal:
            raise VendorRefusal(CANCELLED_BEFORE if refusal.detail == CANCELLED else TOO_LATE_TO_CANCEL) from refusal
        _notify(carrier, taken)
        return _accepted(carrier, taken)

    return play(carrier, request, "submit", known.number or None, known.ref, work, _MANNERS)


def _accepted(carrier: Carrier, taken: Transaction) -> Answer:
    if carrier.vendors[NAME].switches["quiet_202"]:
        return Answer(202)
    return json_answer(202, transaction_body(taken, was_posted=True))


# Asking


def get_transaction(carrier: Carrier, request: Request, key: str) -> Answer:
    request.query()
    return _find(carrier, request, lambda: json_answer(200, transaction_body(_known(carrier, key))))


def list_transactions(carrier: Carrier, request: Request) -> Answer:
    """By external_id, or a window of at most 24 hours by the day of creation, both ends included."""
    asked = request.query(
        "external_id", "from_date", "to_date", "page", "per_page", "status_id", "operator_id", "country_iso_code",
        "product_type", "service_id", "subservice_id", "credit_party_mobile_number", "credit_party_account_number",
    )  # fmt: skip
    books = _books(carrier)
    if ref := asked.get("external_id"):

        def by_ref() -> Answer:
            found = books.transactions(ref)
            if not found and carrier.vendors[NAME].switches["unknown_is_404"]:
                raise VendorRefusal(NO_TRANSACTION)
            return _page(asked, [transaction_body(taken) for taken in found])

        return _find(carrier, request, by_ref)

    def by_day() -> Answer:
        start, end = _window(asked, carrier.clock.now())
        shown = [transaction_body(taken) for taken in books.transactions() if start <= taken.created_at <= end]
        return _page(asked, [record for record in shown if _fits(record, asked)])

    return _read(carrier, request, by_day)


def _window(asked: dict[str, str], now: datetime) -> tuple[datetime, datetime]:
    try:
        end = parse_moment(asked["to_date"]) if "to_date" in asked else now
        start = parse_moment(asked["from_date"]) if "from_date" in asked else end - _LONGEST_WINDOW
    except ValueError as fault:
        raise VendorRefusal(MALFORMED, "from_date or to_date") from fault
    if not timedelta(0) <= end - start <= _LONGEST_WINDOW:
        raise VendorRefusal(MALFORMED, "a window of at most 24 hours")
    return start, end


def _fits(record: dict[str, Any], asked: dict[str, str]) -> bool:
    product, party = record["product"], record.get("credit_party_identifier", {})
    facts = {
        "status_id": record["status"]["id"],
        "operator_id": product["operator"]["id"],
        "country_iso_code": product["operator"]["country"]["iso_code"],
        "product_type": product["type"],
        "service_id": product["service"]["id"],
        "subservice_id": (product["service"]["subservice"] or {}).get("id"),
        "credit_party_mobile_number": party.get("mobile_number"),
        "credit_party_account_number": party.get("account_number"),
    }
    return all(str(facts[name]) == value for name, value in asked.items() if name in facts)


# The catalogue, the numbers, the wallet


def list_products(carrier: Carrier, request: Request) -> Answer:
    asked = request.query(
        "type", "service_id", "subservice_id", "tags", "country_iso_code", "operator_id", "region", "benefit_types", "page",
        "per_page",
    )  # fmt: skip
    if "subservice_id" in asked and "service_id" not in asked:
        raise VendorRefusal(MALFORMED, "subservice_id needs service_id")

    def work() -> Answer:
        facts = {"operator_id", "country_iso_code", "service_id", "subservice_id"}
        wanted = {name: value for name, value in asked.items() if name in facts}
        wanted |= {"product_type": asked["type"]} if "type" in asked else {}
        shown = [item.body() for item in ITEMS.values()]
        return _page(asked, [body for body in shown if _fits({"product": body, "status": {"id": 0}}, wanted)])

    return _read(carrier, request, work)


def get_product(carrier: Carrier, request: Request, key: str) -> Answer:
    def work() -> Answer:
        if not key.isdigit() or int(key) not in ITEMS:
            raise VendorRefusal(1003001)
        return json_answer(200, ITEMS[int(key)].body())

    return _read(carrier, request, work)


def list_operators(carrier: Carrier, request: Request) -> Answer:
    asked = request.query("country_iso_code", "page", "per_page")

    def work() -> Answer:
        country = asked.get("country_iso_code")
        return _page(asked, [operator.body() for operator in OPERATORS if country in (None, operator.iso)])

    return _read(carrier, request, work)


def look_up_number(carrier: Carrier, request: Request) -> Answer:
    told = read_body(request.body)
    number = told.pop("mobile_number", None)
    paging = {name: str(told.pop(name)) for name in ("page", "per_page") if type(told.get(name)) is int}
    if told or not isinstance(number, str):
        raise VendorRefusal(MALFORMED)
    return _read(carrier, request, lambda: _page(paging, _operators_of(number)))


def get_number(carrier: Carrier, request: Request, number: str) -> Answer:
    """Deprecated in 1.23."""
    asked = request.query("page", "per_page")
    return _read(carrier, request, lambda: _page(asked, _operators_of(number)))


def _operators_of(number: str) -> list[dict[str, Any]]:
    """The operator of the number, and the others of its country that it might have gone to."""
    here = operator_of(number)
    if here is None or here is WORLD:
        raise VendorRefusal(BAD_CREDIT_PARTY)
    others = [operator for operator in OPERATORS if operator.iso == here.iso and operator is not here]
    return [operator.body() | {"identified": operator is here} for operator in (here, *others)]


def look_up_benefits(carrier: Carrier, request: Request) -> Answer:
    left = {
        "type": "DATA",
        "unit_type": "DATA",
        "unit": "GB",
        "amount": 3.2,
        "expiration_date": None,
        "country": {"iso_code": "DEU"},
    }
    return _about_esim(carrier, request, [left])


def look_up_status(carrier: Carrier, request: Request) -> Answer:
    return _about_esim(carrier, request, {"activation_date": None, "installation_date": None})


def _about_esim(carrier: Carrier, request: Request, told: Any) -> Answer:
    """Outside eSIM no operator offers it."""
    asked = read_body(request.body)
    party = asked.get("credit_party_identifier")
    if set(asked) != {"service_id", "credit_party_identifier"} or not isinstance(party, dict):
        raise VendorRefusal(MALFORMED)

    def work() -> Answer:
        if asked["service_id"] != 13 or operator_of(str(party.get("account_number", ""))) is not WORLD:
            raise VendorRefusal(NOT_OFFERED)
        return json_answer(200, told)

    return _read(carrier, request, work)


def list_balances(carrier: Carrier, request: Request) -> Answer:
    asked = request.query("unit_type", "unit", "page", "per_page")

    def work() -> Answer:
        books = _books(carrier)
        available, holding = books.wallets(), books.holding()
        shown = [
            {"id": place, "unit_type": "CURRENCY", "unit": unit, "available": amount(available[unit]),
             "holding": amount(holding[unit]), "credit_limit": 0}
            for place, unit in enumerate(available, 1)
            if asked.get("unit") in (None, unit) and asked.get("unit_type") in (None, "CURRENCY")
        ]  # fmt: skip
        return _page(asked, shown)

    return _read(carrier, request, work)


# Notifications: the transaction itself, to the address of its create; nothing signs it


def _notify(carrier: Carrier, taken: Transaction) -> None:
    if url := taken.details.get("callback_url"):
        body = json.dumps(transaction_body(taken)).encode()
        carrier.vendors[NAME].callbacks.send(url, body, {})


# Shared


def _books(carrier: Carrier) -> VendorBooks:
    return carrier.vendors[NAME].books


def _known(carrier: Carrier, key: str) -> Transaction:
    taken = _books(carrier).transaction(int(key)) if key.isascii() and key.isdigit() else None
    if taken is None:
        raise VendorRefusal(NO_TRANSACTION)
    return taken


def _nothing_in(request: Request) -> None:
    if request.body:
        raise VendorRefusal(MALFORMED, "no body is expected")


def _find(carrier: Carrier, request: Request, work: Callable[[], Answer]) -> Answer:
    return play(carrier, request, "find", None, None, lambda _: work(), _MANNERS)


def _read(carrier: Carrier, request: Request, work: Callable[[], Answer]) -> Answer:
    return play(carrier, request, "read", None, None, lambda _: work(), _MANNERS)


def _page(asked: dict[str, str], records: Sequence[dict[str, Any]]) -> Answer:
    """A bare array with the vendor's headers; ``page`` from 1, ``per_page`` 1 to 100, usually 50."""
    page, size = (_whole(asked.get(name, usual)) for name, usual in (("page", "1"), ("per_page", "50")))
    if page < 1 or not 1 <= size <= 100:
        raise VendorRefusal(MALFORMED, "page or per_page")
    pages = -(-len(records) // size)
    headers = {"X_Total": len(records), "X_Total_Pages": pages, "X_Per_Page": size, "X_Page": page}
    headers |= {"X_Next_Page": page + 1} if page < pages else {}
    headers |= {"X_Prev_Page": page - 1} if page > 1 else {}
    told = {name: str(value) for name, value in headers.items()}
    return json_answer(200, list(records[(page - 1) * size : page * size]), **told)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise VendorRefusal(MALFORMED, "page or per_page")
    return int(text)


DOORS = VendorDoors(
    name=NAME,
    doors=(
        ("POST", "/v1/async/transactions", create_async),
        ("POST", "/v1/sync/transactions", create_sync),
        ("POST", "/v1/async/transactions/{id}/confirm", confirm),
        ("POST", "/v1/sync/transactions/{id}/confirm", confirm),
        ("POST", "/v1/transactions/{id}/cancel", cancel),
        ("GET", "/v1/transactions", list_transactions),
        ("GET", "/v1/transactions/{id}", get_transaction),
        ("GET", "/v1/products", list_products),
        ("GET", "/v1/products/{id}", get_product),
        ("GET", "/v1/operators", list_operators),
        ("POST", "/v1/lookup/mobile-number", look_up_number),
        ("GET", "/v1/lookup/mobile-number/{number}", get_number),
        ("POST", "/v1/lookup/credit-party-benefits", look_up_benefits),
        ("POST", "/v1/lookup/credit-party-status", look_up_status),
        ("GET", "/v1/balances", list_balances),
    ),
    admit=admit,
    error=error,
)
