"""What TM Forum has no API for: the dealer's wallet and the dealer's statement, in this carrier's own convention."""

from __future__ import annotations

import json

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import moment, parse_moment
from pos.sandbox.misbehave import play
from pos.sandbox.records import Fate, Movement
from pos.sandbox.refusals import Refusal
from pos.sandbox.wire import Answer, Request, amount, json_answer


def wallet(carrier: Carrier, request: Request) -> Answer:
    """``GET /wallet``: one object per currency."""
    request.query()

    def work(_: Fate) -> Answer:
        found = carrier.books.wallets()
        return json_answer(200, [{"currency": c, "available": amount(minor)} for c, minor in sorted(found.items())])

    return play(carrier, request, "read", None, None, work)


def statement(carrier: Carrier, request: Request) -> Answer:
    """``GET /statement?from=&to=``: one JSON object per line and movement, from <= at < to, oldest first."""
    query = request.query("from", "to")
    try:
        start, end = parse_moment(query["from"]), parse_moment(query["to"])
    except (KeyError, ValueError) as error:
        raise Refusal("INVALID_QUERY", "from and to are moments with a zone, as 2026-01-31T00:00:00Z") from error

    def work(_: Fate) -> Answer:
        lines = [json.dumps(line(m)) + "\n" for m in carrier.books.movements() if start <= m.at < end]
        return Answer(200, "".join(lines).encode(), {"Content-Type": "application/x-ndjson;charset=utf-8"})

    return play(carrier, request, "read", None, None, work)


def line(movement: Movement) -> dict[str, object]:
    """``state`` completed or reversed; the amount is positive in both."""
    return {
        "externalId": movement.ref,
        "orderId": movement.order_id,
        "number": movement.number,
        "offering": movement.offering,
        "amount": amount(movement.amount_minor),
        "currency": movement.currency,
        "state": movement.state,
        "at": moment(movement.at),
    }
