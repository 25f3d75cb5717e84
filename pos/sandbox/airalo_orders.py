"""What is bought at the simulated eSIM reseller: new eSIMs and top-ups, found again by anything their description contains."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pos.sandbox.airalo_catalogue import PACKAGES, SOLD_OUT, UNSURE, Package, operator_of
from pos.sandbox.airalo_manners import MANNERS, Numbered, check_signature, form_of, moment, page_of, vendor_of
from pos.sandbox.airalo_sims import NOT_ACTIVE, RECYCLED, SMDP, iccid, sim_of
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import play
from pos.sandbox.parsing import read_object
from pos.sandbox.records import COMPLETED, FAILED, Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendor_books import HELD, REVERSED, WAITING, Transaction
from pos.sandbox.wire import Answer, Request, amount, json_answer

CURRENCY = "GBP"
_STATUSES = {WAITING: "processing", HELD: "processing", COMPLETED: "completed", FAILED: "failed", REVERSED: "refunded"}
_REASONS = ("INVALID_ACTIVATION", "DUPLICATE_ORDER", "SERVICE_ISSUES", "OTHERS")


def post_order(carrier: Carrier, request: Request) -> Answer:
    form = form_of(request, carrier, "package_id", "quantity", "type", "description", optional=("brand_settings_name",))
    vendor_of(carrier).books.count_submit(form["description"])
    if form["quantity"] != "1" or form["type"] != "sim":
        raise Refusal("INVALID_VALUE", "quantity" if form["quantity"] != "1" else "type")
    return _sell(carrier, request, form, "")


def post_top_up(carrier: Carrier, request: Request) -> Answer:
    form = form_of(request, carrier, "package_id", "iccid", "description")
    vendor_of(carrier).books.count_submit(form["description"])
    return _sell(carrier, request, form, form["iccid"])


def _sell(carrier: Carrier, request: Request, form: Mapping[str, str], serial: str) -> Answer:
    """A new eSIM where ``serial`` is empty, else a top-up."""
    books, ref = vendor_of(carrier).books, form["description"]

    def work(fate: Fate) -> Answer:
        package = _wanted(form["package_id"], serial, carrier)
        sold = books.sell(ref, serial, package.id, package.net_minor, CURRENCY, fate)
        if package.id == UNSURE:
            raise Numbered(53)  # sold all the same
        return json_answer(200, {"data": order(sold, posted=True), "meta": {"message": "success"}})

    return play(carrier, request, "submit", serial or None, ref, work, MANNERS)


def _wanted(package_id: str, serial: str, carrier: Carrier) -> Package:
    """The package, if it can be had so. Raises Refusal."""
    package = PACKAGES.get(package_id)
    if package is None or (package.kind == "topup") != bool(serial):
        raise Refusal("PRODUCT_UNAVAILABLE", package_id)
    if package.id == SOLD_OUT:
        raise Numbered(33)
    if serial:
        sim = sim_of(serial, vendor_of(carrier).books)
        if sim is None:
            raise Refusal("INVALID_NUMBER", serial)
        if sim.now.status == RECYCLED:
            raise Numbered(73)
        if not operator_of(sim.now.package.id).takes_top_ups:
            raise Numbered(23)
        if operator_of(sim.now.package.id) is not operator_of(package.id):
            raise Refusal("PRODUCT_UNAVAILABLE", package_id)
    return package


def order(sold: Transaction, *, posted: bool = False, include: str = "sims,status") -> dict[str, Any]:
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
        "created_at": moment(sold.created_at),
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
        found = [order(sold, include=include) for sold in reversed(vendor_of(carrier).books.transactions()) if fits(sold)]
        return page_of(request, query, found)

    where = "find" if "description" in wanted else "read"
    return play(carrier, request, where, None, wanted.get("description"), work, MANNERS)


def get_order(carrier: Carrier, request: Request, key: str) -> Answer:
    include = _include(request.query("include"))
    sold = vendor_of(carrier).books.transaction(int(key)) if re.fullmatch("[0-9]{1,12}", key) else None

    def work(_: Fate) -> Answer:
        if sold is None:
            raise Refusal("NOT_FOUND", key)
        return json_answer(200, {"data": order(sold, include=include), "meta": {"message": "success"}})

    return play(carrier, request, "find", None, sold.ref if sold else None, work, MANNERS)


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


def post_refund(carrier: Carrier, request: Request) -> Answer:
    """A person reads it; here nobody ever does. Only eSIMs that were never used."""
    body = read_object(request.body)
    serials = body.anything("iccids")
    reason, notes = body.one_of("reason", *_REASONS), body.optional_text("notes", 200)
    body.done()
    check_signature(request, json.loads(request.body), carrier.settings.client_secret)
    if not isinstance(serials, list) or not serials or not all(isinstance(serial, str) for serial in serials):
        raise Refusal("INVALID_VALUE", "iccids")
    books = vendor_of(carrier).books

    def work(_: Fate) -> Answer:
        sims = [sim_of(serial, books) for serial in serials]
        if any(sim is None or sim.now.status != NOT_ACTIVE for sim in sims):
            raise Refusal("INVALID_VALUE", "iccids")
        case = f"R-{serials[0][-6:]}"
        vendor_of(carrier).switches.setdefault("refunds", []).append((case, serials, reason, notes))
        body = {"refund_id": case, "created_at": moment(carrier.clock.now())}
        return json_answer(202, {"data": body, "meta": {"message": "success"}})

    return play(carrier, request, "submit", None, None, work, MANNERS)
