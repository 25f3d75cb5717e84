"""Looking things up at the TM Forum door: what is sold, what is on a line, and what is left on it."""

from __future__ import annotations

from pos.sandbox import shapes
from pos.sandbox.carrier import Carrier
from pos.sandbox.catalogue import OFFERINGS
from pos.sandbox.collection import PAGING, matching, needed, only, page
from pos.sandbox.misbehave import play
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.subscribers import Subscriber
from pos.sandbox.wire import Answer, Request, json_answer

# Catalogue, TMF620 v4.1.0


def list_offerings(carrier: Carrier, request: Request) -> Answer:
    """All plans, also retired ones; filters: id, name, lifecycleStatus, isSellable, category.id, marketSegment.id."""
    query = request.query(*PAGING, "id", "name", "lifecycleStatus", "isSellable", "category.id", "marketSegment.id")

    def work(_: Fate) -> Answer:
        found = [shapes.offering(plan, carrier.switches, request.base) for plan in OFFERINGS.values()]
        return page(carrier, query, matching(query, found))

    return play(carrier, request, "read", None, None, work)


def get_offering(carrier: Carrier, request: Request, key: str) -> Answer:
    query = request.query("fields")
    plan = OFFERINGS.get(key)
    if plan is None:
        raise Refusal("NOT_FOUND", key)
    return json_answer(200, only(query, shapes.offering(plan, carrier.switches, request.base)))


def list_prices(carrier: Carrier, request: Request) -> Answer:
    query = request.query(*PAGING)
    found = [shapes.price(plan, which, request.base) for plan in OFFERINGS.values() for which in ("face", "cost")]
    return page(carrier, query, found)


def get_price(_carrier: Carrier, request: Request, key: str) -> Answer:
    query = request.query("fields")
    plan_key, _, which = key.rpartition(".")
    plan = OFFERINGS.get(plan_key)
    if plan is None or which not in ("face", "cost"):
        raise Refusal("NOT_FOUND", key)
    return json_answer(200, only(query, shapes.price(plan, which, request.base)))


# Inventory, TMF637 v4.0.0


def list_products(carrier: Carrier, request: Request) -> Answer:
    """What is on a line, named by number or ICCID; an empty list for a stranger's."""
    query = request.query(*PAGING, "productSerialNumber")
    serial = needed(query, "productSerialNumber")

    def work(_: Fate) -> Answer:
        who = carrier.books.subscriber(serial)
        found = [shapes.product(who, serial, carrier.clock.now(), request.base)] if who else []
        return page(carrier, query, found)

    return play(carrier, request, "read", serial, None, work)


def get_product(carrier: Carrier, request: Request, key: str) -> Answer:
    query = request.query("fields")
    who = _subscriber_of(carrier, key.removeprefix("P-"), key)
    return json_answer(200, only(query, shapes.product(who, who.number, carrier.clock.now(), request.base)))


# Balances, TMF654 v4.0.0


def list_buckets(carrier: Carrier, request: Request) -> Answer:
    query = request.query(*PAGING, "logicalResource.value")
    serial = needed(query, "logicalResource.value")

    def work(_: Fate) -> Answer:
        who = carrier.books.subscriber(serial)
        now = carrier.clock.now()
        return page(carrier, query, shapes.buckets(who, serial, now, carrier.switches, request.base) if who else [])

    return play(carrier, request, "read", serial, None, work)


def get_bucket(carrier: Carrier, request: Request, key: str) -> Answer:
    query = request.query("fields")
    who = _subscriber_of(carrier, key.partition("-")[0], key)
    for found in shapes.buckets(who, who.number, carrier.clock.now(), carrier.switches, request.base):
        if found["id"] == key:
            return json_answer(200, only(query, found))
    raise Refusal("NOT_FOUND", key)


def _subscriber_of(carrier: Carrier, digits: str, key: str) -> Subscriber:
    who = carrier.books.subscriber("+" + digits)
    if who is None:
        raise Refusal("NOT_FOUND", key)
    return who
