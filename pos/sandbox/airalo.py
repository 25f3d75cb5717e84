"""A reseller of eSIMs below /airalo/v2: its own wallet, packages, orders and eSIMs, in the manner of Airalo's Partner API v2.

It has no idea of a unique reference: what is posted twice is sold twice. Its quirks are written down in docs/sandbox.md."""

from __future__ import annotations

import hmac
from collections import deque
from datetime import datetime, timedelta

from pos.sandbox import airalo_hooks
from pos.sandbox.airalo_lists import (
    get_balance,
    get_packages,
    get_sim,
    get_sim_packages,
    get_sims,
    get_top_ups,
    get_usage,
)
from pos.sandbox.airalo_manners import MANNERS, NAME, error, form_of, vendor_of
from pos.sandbox.airalo_orders import get_order, get_orders, order, post_order, post_refund, post_top_up
from pos.sandbox.airalo_sims import sim_of
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import play
from pos.sandbox.parsing import read_object
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import Transaction
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.wire import Answer, Request, json_answer

_CALLS, _MINUTE = 3, timedelta(minutes=1)


def admit(carrier: Carrier, request: Request) -> None:
    """Raises Refusal UNAUTHENTICATED. Sees to it that the vendor's news are told, which nobody else does."""
    vendor = vendor_of(carrier)
    vendor.books.listener = lambda news: _tell(carrier, news)
    vendor.tokens.check(request)


def post_token(carrier: Carrier, request: Request) -> Answer:
    """Three calls in a minute of this reseller's clock."""
    vendor, now = vendor_of(carrier), carrier.clock.now()
    calls: deque[datetime] = vendor.switches.setdefault("token_calls", deque())
    while calls and not now - _MINUTE < calls[0] <= now:
        calls.popleft()
    if len(calls) >= _CALLS:
        return error(Refusal("RATE_LIMITED", retry_seconds=60), request.base)
    calls.append(now)

    def work(_: Fate) -> Answer:
        form = form_of(request, carrier, "client_id", "client_secret", "grant_type")
        told = (form["client_id"], form["client_secret"])
        wanted = (carrier.settings.client_id, carrier.settings.client_secret)
        if form["grant_type"] != "client_credentials":
            raise Refusal("INVALID_VALUE", "grant_type")
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(told, wanted, strict=True)):
            raise Refusal("UNAUTHENTICATED")
        # Said to live a year, as the real one says; the clock of the sandbox ends it after an hour.
        body = {"token_type": "Bearer", "expires_in": 31622400, "access_token": vendor.tokens.issue()}
        return json_answer(200, {"data": body, "meta": {"message": "success"}})

    return play(carrier, request, "token", None, None, work, MANNERS)


def post_simulator(carrier: Carrier, request: Request) -> Answer:
    """Send a low-data notification to the address of the switch ``webhook_url``, which must answer 200 to HEAD."""
    body = read_object(request.body)
    body.one_of("event", "low_data_notification")
    level = body.one_of("type", *airalo_hooks.LEVELS)
    serial = body.text("iccid", 20)
    body.done()
    vendor = vendor_of(carrier)
    sim = sim_of(serial, vendor.books)
    if sim is None:
        raise Refusal("INVALID_NUMBER", serial)
    if not airalo_hooks.answers_head(vendor.switches["webhook_url"]):
        raise Refusal("INVALID_VALUE", "webhook_url")
    news = airalo_hooks.low_data(level, sim)
    airalo_hooks.send(vendor, news, carrier.settings.client_secret)
    return json_answer(200, {"data": [], "meta": {"message": "success"}})


def _tell(carrier: Carrier, news: Transaction) -> None:
    """An order that ended after its answer had left is told, where the shop asked for it."""
    vendor = vendor_of(carrier)
    if news.completed_at != news.created_at and vendor.switches["webhook_url"]:
        airalo_hooks.send(vendor, order(news), carrier.settings.client_secret)


DOORS = VendorDoors(
    NAME,
    (
        ("POST", "/v2/token", post_token),
        ("GET", "/v2/packages", get_packages),
        ("POST", "/v2/orders", post_order),
        ("POST", "/v2/orders/topups", post_top_up),
        ("GET", "/v2/orders", get_orders),
        ("GET", "/v2/orders/{id}", get_order),
        ("GET", "/v2/sims", get_sims),
        ("GET", "/v2/sims/{id}", get_sim),
        ("GET", "/v2/sims/{id}/usage", get_usage),
        ("GET", "/v2/sims/{id}/packages", get_sim_packages),
        ("GET", "/v2/sims/{id}/topups", get_top_ups),
        ("GET", "/v2/balance", get_balance),
        ("POST", "/v2/refund", post_refund),
        ("POST", "/v2/simulator/webhook", post_simulator),
    ),
    admit,
    error,
    open=("/v2/token",),
)
