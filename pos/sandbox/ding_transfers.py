"""Where money moves at the DingConnect door: a transfer, its dry run, and the list in which transfers are looked up."""

from __future__ import annotations

import re
from datetime import timedelta

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import moment
from pos.sandbox.ding_answers import MANNERS, NAME, Json, Said, books_of, codes_of, envelope, ignore, record
from pos.sandbox.ding_products import BATCH, BY_SKU, Item, commission_of, fits, price
from pos.sandbox.misbehave import play
from pos.sandbox.parsing import Members, read_object
from pos.sandbox.records import COMPLETED, FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import REVERSED, Transaction, VendorBooks
from pos.sandbox.wire import Answer, Request, json_answer

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


def send_transfer(carrier: Carrier, request: Request) -> Answer:
    body = read_object(request.body)
    item = BY_SKU.get(sku := body.text("SkuCode"))
    send, number, ref = body.minor_units("SendValue"), body.text("AccountNumber", 20), body.text("DistributorRef", 40)
    body.exactly("SendCurrencyIso", "GBP")
    only_validate = body.anything("ValidateOnly")
    settings = body.array("Settings", required=False)
    bill = body.optional_text("BillRef")
    ignore(carrier, body)
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
    ignore(carrier, body)
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
