"""Where the Reloadly door is only asked: what became of a top-up, the reports, the wallet, the catalogue, whose number it is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from pos.sandbox import reloadly_shapes as shapes
from pos.sandbox.carrier import Carrier
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.reloadly_manners import CURRENCY, books_of, left_of, played, vendor_of
from pos.sandbox.reloadly_shapes import Said
from pos.sandbox.reloadly_shelf import OPERATORS, Operator, by_prefix, in_country, operator_shape
from pos.sandbox.vendor_books import WAITING, Transaction
from pos.sandbox.wire import Answer, Request, amount, json_answer

_REPORT_FORM = "%Y-%m-%d %H:%M:%S"
_LARGEST_PAGE = 500


def get_status(carrier: Carrier, request: Request, key: str) -> Answer:
    """An envelope; while the operator has not answered there is no transaction in it."""
    request.query()
    taken = _known(carrier, key)

    def work(_: Fate) -> Answer:
        waiting = taken.state == WAITING
        shown = None if waiting else shapes.transaction(taken, None, left_of(carrier))
        return json_answer(200, {"code": None, "message": None, "status": shapes.STATUSES[taken.state], "transaction": shown})

    return played(carrier, request, "find", taken.number, taken.ref, work)


def get_transaction(carrier: Carrier, request: Request, key: str) -> Answer:
    request.query()
    taken = _known(carrier, key)
    return played(
        carrier, request, "find", taken.number, taken.ref, lambda _: json_answer(200, shapes.transaction(taken, None, None))
    )


def _known(carrier: Carrier, key: str) -> Transaction:
    found = books_of(carrier).transaction(int(key)) if key.isascii() and key.isdigit() else None
    if found is None:
        raise Said(404, "TRANSACTION_NOT_FOUND")
    return found


def list_transactions(carrier: Carrier, request: Request) -> Answer:
    """Oldest first; the reference is compared without regard to case, the dates by a clock of their own."""
    query = request.query("page", "size", "countryCode", "operatorId", "operatorName", "customIdentifier", "startDate", "endDate")
    ref = query.get("customIdentifier")
    number, size = _count(query, "page", 1), _count(query, "size", 200)
    start, end = _moment(carrier, query.get("startDate")), _moment(carrier, query.get("endDate"))
    found = [
        taken
        for taken in books_of(carrier).transactions()
        if (ref is None or taken.ref.casefold() == ref.casefold())
        and (start is None or taken.created_at >= start)
        and (end is None or taken.created_at <= end)
        and query.get("operatorId") in (None, str(taken.details["operator"]))
        and query.get("countryCode") in (None, OPERATORS[taken.details["operator"]].country)
        and query.get("operatorName") in (None, OPERATORS[taken.details["operator"]].name)
    ]

    def work(_: Fate) -> Answer:
        told = [shapes.transaction(taken) for taken in found]
        return json_answer(200, shapes.page(told, number, min(size, _LARGEST_PAGE)))

    numbers = {taken.number for taken in found}
    return played(carrier, request, "read" if ref is None else "find", numbers.pop() if len(numbers) == 1 else None, ref, work)


def _count(query: dict[str, str], name: str, otherwise: int) -> int:
    told = query.get(name, str(otherwise))
    if not told.isascii() or not told.isdigit() or (name == "size" and int(told) == 0):
        raise Refusal("INVALID_QUERY", name)
    return int(told)


def _moment(carrier: Carrier, told: str | None) -> datetime | None:
    if told is None:
        return None
    zone = timezone(timedelta(hours=vendor_of(carrier).switches["filter_hours"]))
    try:
        return datetime.strptime(told, _REPORT_FORM).replace(tzinfo=zone)
    except ValueError as fault:
        raise Refusal("INVALID_QUERY", "a date is yyyy-MM-dd HH:mm:ss") from fault


# Wallet and catalogue


def get_balance(carrier: Carrier, request: Request) -> Answer:
    request.query()

    def work(_: Fate) -> Answer:
        left = amount(left_of(carrier))
        told = {"currencyCode": CURRENCY, "currencyName": "Pound Sterling", "updatedAt": shapes.wall(carrier.clock.now())}
        return json_answer(200, {"balance": left, **told})

    return played(carrier, request, "read", None, None, work)


_INCLUDES = ("includeBundles", "includeData", "includePin", "includeCombo", "suggestedAmounts", "suggestedAmountsMap",
             "includeRange", "includeFixed")  # fmt: skip


def list_in_country(carrier: Carrier, request: Request, code: str) -> Answer:
    wanted = _includes(request.query(*_INCLUDES))
    found = [operator_shape(operator) for operator in in_country(code) if _is_wanted(operator, wanted)]
    return played(carrier, request, "read", None, None, lambda _: json_answer(200, found))


def list_operators(carrier: Carrier, request: Request) -> Answer:
    query = request.query("page", "size", *_INCLUDES)
    wanted = _includes({name: value for name, value in query.items() if name in _INCLUDES})
    found = [operator_shape(operator) for operator in OPERATORS.values() if _is_wanted(operator, wanted)]
    shown = shapes.page(found, _count(query, "page", 1), min(_count(query, "size", 200), 1000))
    return played(carrier, request, "read", None, None, lambda _: json_answer(200, shown))


def _includes(query: dict[str, str]) -> dict[str, bool]:
    if not set(query.values()) <= {"true", "false"}:
        raise Refusal("INVALID_QUERY", "true or false")
    return {name: value == "true" for name, value in query.items()}


def _is_wanted(operator: Operator, wanted: dict[str, bool]) -> bool:
    left_out = {"bundle": "includeBundles", "data": "includeData", "pin": "includePin"}
    return all(wanted.get(left_out[flag], True) for flag in operator.flags)


def get_operator(carrier: Carrier, request: Request, key: str) -> Answer:
    request.query(*_INCLUDES)
    operator = OPERATORS.get(int(key)) if key.isascii() and key.isdigit() else None
    if operator is None:
        raise Said(404, None)
    return played(carrier, request, "read", None, None, lambda _: json_answer(200, operator_shape(operator)))


def detect(carrier: Carrier, request: Request, phone: str, country: str) -> Answer:
    """By prefix, free; who has ported the number is not known."""
    request.query(*_INCLUDES)
    number = f"+{phone.removeprefix('+')}"
    operator = by_prefix(number, country)

    def work(_: Fate) -> Answer:
        if operator is None:
            raise Said(404, "COULD_NOT_AUTO_DETECT_OPERATOR")
        return json_answer(200, operator_shape(operator))

    return played(carrier, request, "read", number, None, work)
