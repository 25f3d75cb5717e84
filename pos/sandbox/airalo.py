"""A reseller of eSIMs below /airalo/v2: its own wallet, packages, orders and eSIMs, in the manner of Airalo's Partner API v2.

It has no idea of a unique reference: what is posted twice is sold twice. Its quirks are written down in docs/sandbox.md."""

from __future__ import annotations

import hmac
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox import airalo_hooks
from pos.sandbox.airalo_catalogue import COUNTRIES, OPERATORS, PACKAGES, SOLD_OUT, UNSURE, Operator, Package, operator_of
from pos.sandbox.airalo_hooks import signature
from pos.sandbox.airalo_sims import RECYCLED, SMDP, OnSim, Sim, iccid, sim_of, sims_of
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import Manners, play
from pos.sandbox.parsing import read_object
from pos.sandbox.records import COMPLETED, FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import HELD, REVERSED, WAITING, Transaction
from pos.sandbox.vendor_doors import VendorDoors
from pos.sandbox.vendors import Vendor
from pos.sandbox.wire import Answer, Request, amount, json_answer

NAME, CURRENCY = "airalo", "GBP"
DOLLARS = 1.25  # to the pound, for the prices in dollars
_CALLS, _MINUTE = 3, timedelta(minutes=1)
_STATUSES = {WAITING: "processing", HELD: "processing", COMPLETED: "completed", FAILED: "failed", REVERSED: "refunded"}
_REASONS = ("INVALID_ACTIVATION", "DUPLICATE_ORDER", "SERVICE_ISSUES", "OTHERS")
_OTHER_CODES = {14, 23, 33, 53}


class Numbered(Refusal):
    """A refusal with one of the codes that only this reseller has."""

    def __init__(self, number: int) -> None:
        super().__init__("INELIGIBLE")
        self.number = number


# code of refusals.CODES -> the reseller's own
_NUMBERS = {
    "WALLET_EMPTY": 11,
    "OPERATOR_DOWN": 13,
    "PRODUCT_UNAVAILABLE": 34,
    "INELIGIBLE": 73,
    "TOO_SOON": 43,
    "LIMIT_REACHED": 43,
    "INVALID_BODY": 43,
    "DUPLICATE_EXTERNAL_ID": 43,
    "QUOTA_RULE_17": 97,  # in nobody's table
}
_FIELDS = ("MISSING_MEMBER", "UNKNOWN_MEMBER", "INVALID_VALUE", "INVALID_QUERY")


def error(refusal: Refusal, _base: str) -> Answer:
    """422 with a code and a reason, or with the wrong fields by name; everything else has an empty ``data``."""
    number = refusal.number if isinstance(refusal, Numbered) else _NUMBERS.get(refusal.code)
    if number is not None:
        return json_answer(422, {"code": number, "reason": refusal.reason})
    if refusal.code == "INVALID_NUMBER":
        return _wrong_field("iccid", refusal.reason)
    if refusal.code in _FIELDS:
        return _wrong_field(refusal.detail.partition(":")[0].removeprefix("body."), refusal.reason)
    if refusal.code == "RATE_LIMITED":
        return json_answer(429, {"message": "Slow down, please."}, Retry_After=str(refusal.retry_seconds or 60))
    return json_answer(refusal.status, {"data": [], "meta": {"message": refusal.reason}})


def _wrong_field(field: str, sentence: str) -> Answer:
    return json_answer(422, {"data": {field: sentence}, "meta": {"message": "A field is wrong."}})


# ------------------------------------------------------------------ who may come in


def admit(carrier: Carrier, request: Request) -> None:
    """Raises Refusal UNAUTHENTICATED. Sees to it that the vendor's news are told, which nobody else does."""
    vendor = _vendor(carrier)
    vendor.books.listener = lambda news: _tell(carrier, news)
    vendor.tokens.check(request)


def _vendor(carrier: Carrier) -> Vendor:
    return carrier.vendors[NAME]


def post_token(carrier: Carrier, request: Request) -> Answer:
    """Three calls in a minute of this reseller's clock."""
    vendor, now = _vendor(carrier), carrier.clock.now()
    calls: deque[datetime] = vendor.switches.setdefault("token_calls", deque())
    while calls and not now - _MINUTE < calls[0] <= now:
        calls.popleft()
    if len(calls) >= _CALLS:
        return error(Refusal("RATE_LIMITED", retry_seconds=60), request.base)
    calls.append(now)

    def work(_: Fate) -> Answer:
        form = _form(request, carrier, "client_id", "client_secret", "grant_type")
        told = (form["client_id"], form["client_secret"])
        wanted = (carrier.settings.client_id, carrier.settings.client_secret)
        if form["grant_type"] != "client_credentials":
            raise Refusal("INVALID_VALUE", "grant_type")
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(told, wanted, strict=True)):
            raise Refusal("UNAUTHENTICATED")
        # Said to live a year, as the real one says; the clock of the sandbox ends it after an hour.
        body = {"token_type": "Bearer", "expires_in": 31622400, "access_token": vendor.tokens.issue()}
        return json_answer(200, {"data": body, "meta": {"message": "success"}})

    return play(carrier, request, "token", None, None, work, _MANNERS)


def _form(request: Request, carrier: Carrier, *fields: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The fields of a form post, all of them and no others, each once and not empty; its signature is right.

    Raises Refusal with the field's name, or Numbered 14 (checksum)."""
    if request.query_string:
        raise Refusal("INVALID_QUERY", "query")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Refusal("INVALID_BODY", "a form is needed")
    try:
        pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as wrong:
        raise Refusal("INVALID_BODY", "not a form") from wrong
    form = dict(pairs)
    for field, value in pairs:
        if field not in fields and field not in optional:
            raise Refusal("UNKNOWN_MEMBER", field)
        if not value or form[field] != value:
            raise Refusal("INVALID_VALUE", field)
    for field in fields:
        if field not in form:
            raise Refusal("MISSING_MEMBER", field)
    _check_signature(request, form, form.get("client_secret", carrier.settings.client_secret))
    return form


def _check_signature(request: Request, payload: object, secret: str) -> None:
    """HMAC of the payload as compact JSON. Raises Numbered 14."""
    wanted = signature(json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode(), secret)
    if not hmac.compare_digest(request.headers.get("airalo-signature", ""), wanted):
        raise Numbered(14)


# ------------------------------------------------------------------ packages


def get_packages(carrier: Carrier, request: Request) -> Answer:
    query = request.query("filter[type]", "filter[country]", "include", "limit", "page")
    kind, country = query.get("filter[type]"), query.get("filter[country]")
    if kind not in (None, "local", "global") or query.get("include", "topup") != "topup":
        raise Refusal("INVALID_QUERY", "filter[type]" if query.get("include", "topup") == "topup" else "include")
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        raise Refusal("INVALID_QUERY", "filter[country]")

    def work(_: Fate) -> Answer:
        chosen = [o for o in OPERATORS if (kind is None or bool(o.country) == (kind == "local")) and country in (None, o.country)]
        # One entry for each country; the global ones stand in an entry each.
        entries = [_country(group, "include" in query) for group in _by_country(chosen)]
        return _page(request, query, entries)

    return play(carrier, request, "read", None, None, work, _MANNERS)


def _by_country(chosen: list[Operator]) -> list[list[Operator]]:
    local = [[o for o in chosen if o.country == country] for country in COUNTRIES]
    return [group for group in local if group] + [[o] for o in chosen if not o.country]


def _country(group: list[Operator], with_top_ups: bool) -> dict[str, Any]:
    slug, title = COUNTRIES.get(group[0].country, (group[0].title.lower().replace(" ", "-"), group[0].title))
    operators = [
        {
            "id": operator.id,
            "title": operator.title,
            "type": "local" if operator.country else "global",
            "is_kyc_verify": operator.asks_for_papers,
            "rechargeability": operator.takes_top_ups,
            "plan_type": "data-voice-text" if any(p.minutes for p in operator.packages) else "data",
            "activation_policy": "first-usage",
            "packages": [_package(p) for p in operator.packages if with_top_ups or p.kind == "sim"],
        }
        for operator in group
    ]
    return {"slug": slug, "country_code": group[0].country, "title": title, "operators": operators}


def _package(package: Package) -> dict[str, Any]:
    """``price`` and ``net_price`` without a currency are in dollars; ``prices`` names each."""
    return {
        "id": package.id,
        "type": package.kind,
        "price": _dollars(package.retail_minor),
        "amount": package.megabytes,
        "day": package.days,
        "is_unlimited": package.is_unlimited,
        "title": package.title,
        "data": package.data,
        "voice": package.minutes,
        "text": package.texts,
        "net_price": _dollars(package.net_minor),
        "prices": {
            "net_price": {"GBP": amount(package.net_minor), "USD": _dollars(package.net_minor)},
            "recommended_retail_price": {"GBP": amount(package.retail_minor), "USD": _dollars(package.retail_minor)},
        },
    }


def _dollars(minor: int) -> float:
    return amount(round(minor * DOLLARS))


# ------------------------------------------------------------------ orders


def post_order(carrier: Carrier, request: Request) -> Answer:
    form = _form(request, carrier, "package_id", "quantity", "type", "description", optional=("brand_settings_name",))
    _vendor(carrier).books.count_submit(form["description"])
    if form["quantity"] != "1" or form["type"] != "sim":
        raise Refusal("INVALID_VALUE", "quantity" if form["quantity"] != "1" else "type")
    return _sell(carrier, request, form, "")


def post_top_up(carrier: Carrier, request: Request) -> Answer:
    form = _form(request, carrier, "package_id", "iccid", "description")
    _vendor(carrier).books.count_submit(form["description"])
    return _sell(carrier, request, form, form["iccid"])


def _sell(carrier: Carrier, request: Request, form: Mapping[str, str], serial: str) -> Answer:
    """A new eSIM where ``serial`` is empty, else a top-up."""
    books, ref = _vendor(carrier).books, form["description"]

    def work(fate: Fate) -> Answer:
        package = _wanted(form["package_id"], serial, carrier)
        sold = books.sell(ref, serial, package.id, package.net_minor, CURRENCY, fate)
        if package.id == UNSURE:
            raise Numbered(53)  # sold all the same
        return json_answer(200, {"data": _order(sold, posted=True), "meta": {"message": "success"}})

    return play(carrier, request, "submit", serial or None, ref, work, _MANNERS)


def _wanted(package_id: str, serial: str, carrier: Carrier) -> Package:
    """The package, if it can be had so. Raises Refusal."""
    package = PACKAGES.get(package_id)
    if package is None or (package.kind == "topup") != bool(serial):
        raise Refusal("PRODUCT_UNAVAILABLE", package_id)
    if package.id == SOLD_OUT:
        raise Numbered(33)
    if serial:
        sim = sim_of(serial, _vendor(carrier).books)
        if sim is None:
            raise Refusal("INVALID_NUMBER", serial)
        if sim.now.status == RECYCLED:
            raise Numbered(73)
        if not operator_of(sim.now.package.id).takes_top_ups:
            raise Numbered(23)
        if operator_of(sim.now.package.id) is not operator_of(package.id):
            raise Refusal("PRODUCT_UNAVAILABLE", package_id)
    return package


def _order(sold: Transaction, *, posted: bool = False, include: str = "sims,status") -> dict[str, Any]:
    """One order. The answer to its post names no status while there is nothing to wait for, and a top-up no ICCID ever."""
    package = PACKAGES[sold.product]
    told: dict[str, Any] = {
        "id": sold.id,
        "code": _code(sold),
        "package_id": package.id,
        "quantity": "1",
        "type": package.kind,
        "description": sold.ref,
        "esim_type": "Prepaid",
        "validity": package.days,
        "package": f"{operator_of(package.id).title} {package.title}",
        "data": package.data,
        "price": amount(sold.cost_minor),
        "currency": sold.currency,
        "created_at": _moment(sold.created_at),
    }
    if package.kind == "sim":
        told["net_price"] = amount(sold.cost_minor)
        if "sims" in include.split(",") and sold.state in (COMPLETED, REVERSED):
            told["sims"] = [_delivered(sold)]
    if (posted and sold.state != COMPLETED) or (not posted and "status" in include.split(",")):
        status = _STATUSES[sold.state]
        told["status"] = {"name": status.title(), "slug": status}
    return told


def _delivered(sold: Transaction) -> dict[str, Any]:
    matching = f"M{sold.id:012d}"
    code = f"LPA:1${SMDP}${matching}"
    return {
        "id": sold.id,
        "iccid": iccid(sold.id),
        "lpa": SMDP,
        "matching_id": matching,
        "qrcode": code,
        "qrcode_url": "https://esim.example/qr.png",
        "direct_apple_installation_url": f"https://esim.example/install?carddata={code}",
        "apn_type": "automatic",
    }


def _code(sold: Transaction) -> str:
    return f"{sold.created_at:%Y%m%d}-{sold.id:06d}"


def get_orders(carrier: Carrier, request: Request) -> Answer:
    """The newest first. ``filter[description]`` finds what holds the text anywhere, as SQL's LIKE does."""
    names = ("description", "code", "iccid", "created_at", "order_status")
    query = request.query(*(f"filter[{name}]" for name in names), "include", "limit", "page")
    wanted = {name: query[f"filter[{name}]"] for name in names if f"filter[{name}]" in query}
    include = _include(query)
    days = _days(wanted["created_at"]) if "created_at" in wanted else None
    if wanted.get("order_status", "completed") not in ("completed", "failed", "refunded"):
        raise Refusal("INVALID_QUERY", "filter[order_status]")

    def fits(sold: Transaction) -> bool:
        return (
            wanted.get("description", "").lower() in sold.ref.lower()
            and wanted.get("code", _code(sold)) == _code(sold)
            and ("iccid" not in wanted or wanted["iccid"] == (sold.number or iccid(sold.id)))
            and wanted.get("order_status", _STATUSES[sold.state]) == _STATUSES[sold.state]
            and (days is None or days[0] <= sold.created_at.date() <= days[1])
        )

    def work(_: Fate) -> Answer:
        found = [_order(sold, include=include) for sold in reversed(_vendor(carrier).books.transactions()) if fits(sold)]
        return _page(request, query, found)

    where = "find" if "description" in wanted else "read"
    return play(carrier, request, where, None, wanted.get("description"), work, _MANNERS)


def get_order(carrier: Carrier, request: Request, key: str) -> Answer:
    include = _include(request.query("include"))
    sold = _vendor(carrier).books.transaction(int(key)) if re.fullmatch("[0-9]{1,12}", key) else None

    def work(_: Fate) -> Answer:
        if sold is None:
            raise Refusal("NOT_FOUND", key)
        return json_answer(200, {"data": _order(sold, include=include), "meta": {"message": "success"}})

    return play(carrier, request, "find", None, sold.ref if sold else None, work, _MANNERS)


def _include(query: Mapping[str, str]) -> str:
    include = query.get("include", "")
    if not set(include.split(",")) <= {"sims", "status", "user", ""}:
        raise Refusal("INVALID_QUERY", "include")
    return include


def _days(text: str) -> tuple[date, date]:
    """``2026-10-08 - 2026-10-09``, both days included. Raises Refusal."""
    try:
        first, last = (date.fromisoformat(day) for day in text.split(" - "))
    except ValueError as wrong:
        raise Refusal("INVALID_QUERY", "filter[created_at]") from wrong
    return first, last


# ------------------------------------------------------------------ eSIMs


def _of_sim(serial: str, carrier: Carrier, request: Request, told: Callable[[Sim], object]) -> Answer:
    def work(_: Fate) -> Answer:
        sim = sim_of(serial, _vendor(carrier).books)
        if sim is None:
            raise Refusal("NOT_FOUND", serial)
        return json_answer(200, {"data": told(sim), "meta": {"message": "success"}})

    return play(carrier, request, "read", serial, None, work, _MANNERS)


def get_sims(carrier: Carrier, request: Request) -> Answer:
    query = request.query("limit", "page")

    def work(_: Fate) -> Answer:
        return _page(request, query, [_sim(sim) for sim in sims_of(_vendor(carrier).books)])

    return play(carrier, request, "read", None, None, work, _MANNERS)


def get_sim(carrier: Carrier, request: Request, serial: str) -> Answer:
    request.query()
    return _of_sim(serial, carrier, request, _sim)


def get_usage(carrier: Carrier, request: Request, serial: str) -> Answer:
    request.query()
    return _of_sim(serial, carrier, request, lambda sim: _usage(sim.now))


def get_sim_packages(carrier: Carrier, request: Request, serial: str) -> Answer:
    request.query()
    return _of_sim(serial, carrier, request, lambda sim: [_on_sim(entry) for entry in sim.packages])


def get_top_ups(carrier: Carrier, request: Request, serial: str) -> Answer:
    """What fits this eSIM."""
    request.query()

    def fitting(sim: Sim) -> list[dict[str, Any]]:
        operator = operator_of(sim.now.package.id)
        return [_package(p) for p in operator.packages if p.kind == "topup" and operator.takes_top_ups]

    return _of_sim(serial, carrier, request, fitting)


def _sim(sim: Sim) -> dict[str, Any]:
    code = sim.lpa
    return {
        "id": sim.id,
        "iccid": sim.iccid,
        "created_at": _moment(sim.created_at),
        "lpa": SMDP,
        "matching_id": sim.matching_id,
        "qrcode": code,
        "apn_type": "automatic",
    }


def _usage(entry: OnSim) -> dict[str, Any]:
    """In megabytes, minutes and texts; without a package in use there is no end."""
    package = entry.package
    return {
        "remaining": entry.left_megabytes,
        "total": package.megabytes,
        "expired_at": _moment(entry.expires_at) if entry.expires_at else None,
        "is_unlimited": package.is_unlimited,
        "status": entry.status,
        "remaining_voice": package.minutes or 0,
        "total_voice": package.minutes or 0,
        "remaining_text": package.texts or 0,
        "total_text": package.texts or 0,
    }


def _on_sim(entry: OnSim) -> dict[str, Any]:
    return {
        "id": entry.id,
        "status": entry.status,
        "remaining": entry.left_megabytes,
        "activated_at": _moment(entry.activated_at) if entry.activated_at else None,
        "expired_at": _moment(entry.expires_at) if entry.expires_at else None,
        "finished_at": None,
        "package": {"id": entry.package.id, "title": entry.package.title, "day": entry.package.days},
    }


# ------------------------------------------------------------------ money, complaints, news


def get_balance(carrier: Carrier, request: Request) -> Answer:
    request.query()

    def work(_: Fate) -> Answer:
        minor = _vendor(carrier).books.wallets()[CURRENCY]
        balance = {"name": "balance", "availableBalance": {"amount": amount(minor), "currency": CURRENCY}}
        return json_answer(200, {"data": {"balances": balance}, "meta": {"message": "success"}})

    return play(carrier, request, "read", None, None, work, _MANNERS)


def post_refund(carrier: Carrier, request: Request) -> Answer:
    """A person reads it; here nobody ever does. Only eSIMs that were never used."""
    body = read_object(request.body)
    serials = body.anything("iccids")
    reason, notes = body.one_of("reason", *_REASONS), body.optional_text("notes", 200)
    body.done()
    _check_signature(request, json.loads(request.body), carrier.settings.client_secret)
    if not isinstance(serials, list) or not serials or not all(isinstance(serial, str) for serial in serials):
        raise Refusal("INVALID_VALUE", "iccids")
    books = _vendor(carrier).books

    def work(_: Fate) -> Answer:
        sims = [sim_of(serial, books) for serial in serials]
        if any(sim is None or sim.now.status != "NOT_ACTIVE" for sim in sims):
            raise Refusal("INVALID_VALUE", "iccids")
        case = f"R-{serials[0][-6:]}"
        _vendor(carrier).switches.setdefault("refunds", []).append((case, serials, reason, notes))
        body = {"refund_id": case, "created_at": _moment(carrier.clock.now())}
        return json_answer(202, {"data": body, "meta": {"message": "success"}})

    return play(carrier, request, "submit", None, None, work, _MANNERS)


def post_simulator(carrier: Carrier, request: Request) -> Answer:
    """Send a low-data notification to the address of the switch ``webhook_url``, which must answer 200 to HEAD."""
    body = read_object(request.body)
    body.one_of("event", "low_data_notification")
    level = body.one_of("type", *airalo_hooks.LEVELS)
    serial = body.text("iccid", 20)
    body.done()
    vendor = _vendor(carrier)
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
    vendor = _vendor(carrier)
    if news.completed_at != news.created_at and vendor.switches["webhook_url"]:
        airalo_hooks.send(vendor, _order(news), carrier.settings.client_secret)


def _page(request: Request, query: Mapping[str, str], entries: list[dict[str, Any]]) -> Answer:
    """One page with what Laravel says about its pages."""
    limit, page = _count(query, "limit", 100), _count(query, "page", 1)
    last = max(1, -(-len(entries) // limit))
    start = (page - 1) * limit
    shown = entries[start : start + limit]
    meta = {"message": "success", "current_page": page, "last_page": last, "per_page": limit, "total": len(entries)}
    following = f"{request.base}{request.path}?page={page + 1}" if page < last else None
    return json_answer(200, {"data": shown, "links": {"next": following}, "meta": meta})


def _count(query: Mapping[str, str], name: str, otherwise: int) -> int:
    text = query.get(name, str(otherwise))
    if not re.fullmatch("[1-9][0-9]{0,3}", text) or (name == "limit" and int(text) > 1000):
        raise Refusal("INVALID_QUERY", name)
    return int(text)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


# ------------------------------------------------------------------ lies


def _about_order(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def lie(answer: dict[str, Any]) -> None:
        data = answer.get("data")
        for entry in data if isinstance(data, list) else [data]:
            if isinstance(entry, dict):
                change(entry)

    return lie


def _other_amount(order: dict[str, Any]) -> None:
    order["price"] = order.get("price", 0) + 1
    if "net_price" in order:
        order["net_price"] += 1


_MANNERS = Manners(
    error,
    {
        "wrong_echo": _about_order(_other_amount),
        "wrong_currency": _about_order(lambda order: order.update(currency="EUR")),
        "wrong_offering": _about_order(lambda order: order.update(package_id="another-30days-3gb")),
        "unknown_status": _about_order(lambda order: order.update(status={"name": "Resting", "slug": "resting"})),
        "no_id": _about_order(lambda order: order.pop("id", None)),
    },
    lambda carrier: _vendor(carrier).tokens.revoke_all(),
)

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
