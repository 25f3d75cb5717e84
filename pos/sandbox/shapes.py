"""The books as TM Forum JSON. Member names and states are those of the published files (TMF620 v4.1.0, TMF622, TMF637
and TMF654 v4.0.0); amounts are JSON numbers with two decimals at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pos.sandbox.catalogue import LINES, OFFERINGS, UNLIMITED, Offering
from pos.sandbox.clock import moment
from pos.sandbox.paths import BALANCE, CATALOGUE, INVENTORY, PARTY, order_path
from pos.sandbox.records import ACKNOWLEDGED, CANCELLED, COMPLETED, FAILED, IN_PROGRESS, Order
from pos.sandbox.settings import Switches
from pos.sandbox.subscribers import GRACE, Subscriber
from pos.sandbox.wire import amount

Json = dict[str, Any]


# TMF620 v4.1.0


def offering(plan: Offering, switches: Switches, base: str) -> Json:
    """ProductOffering. Two prices: ``face`` is the plan's worth, ``cost`` what the dealer's wallet pays."""
    return {
        "id": plan.key,
        "href": f"{base}{CATALOGUE}/productOffering/{plan.key}",
        "name": plan.name,
        "description": plan.description,
        "isBundle": False,
        "isSellable": plan.sellable,
        "lifecycleStatus": "Active" if plan.sellable else "Retired",
        "version": "1.0",
        "category": [{"id": plan.line, "name": LINES[plan.line][0], "@referredType": "Category"}],
        "marketSegment": [{"id": plan.market, "name": plan.market, "@referredType": "MarketSegment"}],
        "productOfferingTerm": [{"name": "validity", "duration": {"amount": plan.valid_days, "units": "days"}}],
        "productOfferingPrice": [_price(plan, which, switches, base) for which in ("face", "cost")],
        "prodSpecCharValueUse": [
            _use("operator", "string", plan.operator),
            _use("dataMegabytes", "number", plan.data_mb, "MB"),
            _use("voiceMinutes", "number", plan.minutes, "min"),
            _use("textMessages", "number", plan.texts),
            _use("nameZhHans", "string", plan.name_hans),
            _use("nameZhHant", "string", plan.name_hant),
        ],
        "@type": "ProductOffering",
    }


def _use(name: str, kind: str, value: str | int, unit: str | None = None) -> Json:
    held: Json = {"value": value} | ({"unitOfMeasure": unit} if unit else {})
    return {"name": name, "valueType": kind, "productSpecCharacteristicValue": [held]}


def _price(plan: Offering, which: str, switches: Switches, base: str) -> Json:
    """One entry of productOfferingPrice in the shape this carrier favours (Switches.price_shape)."""
    shape = switches.price_shape
    if shape == "mixed":
        shape = ("inline", "flat")[list(OFFERINGS).index(plan.key) // 2 % 2]  # by turns within one currency
    if shape == "reference":
        found = price(plan, which, base)
        return {"id": found["id"], "href": found["href"], "name": which, "@referredType": "ProductOfferingPrice"}
    money = _money(plan, which)
    value = money if shape == "flat" else {"taxIncludedAmount": money, "dutyFreeAmount": money, "taxRate": 0}
    return {"id": f"{plan.key}.{which}", "name": which, "priceType": "oneTime", "price": value}


def price(plan: Offering, which: str, base: str) -> Json:
    """ProductOfferingPrice, the resource: price is {unit, value}."""
    return {
        "id": f"{plan.key}.{which}",
        "href": f"{base}{CATALOGUE}/productOfferingPrice/{plan.key}.{which}",
        "name": which,
        "priceType": "oneTime",
        "lifecycleStatus": "Active" if plan.sellable else "Retired",
        "price": _money(plan, which),
        "@type": "ProductOfferingPrice",
    }


def _money(plan: Offering, which: str) -> Json:
    return {"unit": plan.currency, "value": amount(plan.face_minor if which == "face" else plan.cost_minor)}


# TMF637 v4.0.0

# The file has no word for expired or barred. "aborted " with its blank is the published spelling.
_PRODUCT_STATUS = {"active": "active", "expired": "terminated", "suspended": "suspended", "barred": "aborted "}


def product(who: Subscriber, serial: str, now: datetime, base: str) -> Json:
    """Product: what is on the line. terminationDate is when the plan ends; it can be renewed until the grace ends."""
    plan = OFFERINGS[who.offering]
    key = product_id(who)
    return {
        "id": key,
        "href": f"{base}{INVENTORY}/product/{key}",
        "name": plan.name,
        "isBundle": False,
        "status": _PRODUCT_STATUS[who.status(now)],
        "startDate": moment(who.starts_at),
        "terminationDate": moment(who.expires_at),
        "productSerialNumber": serial,
        "productOffering": {"id": plan.key, "name": plan.name},
        "productCharacteristic": _characteristics(who.number, who.iccid)
        + [{"name": "lineStatus", "valueType": "string", "value": who.status(now)}],
        "productTerm": [
            {
                "name": "validity",
                "duration": {"amount": plan.valid_days, "units": "days"},
                "validFor": {"startDateTime": moment(who.starts_at), "endDateTime": moment(who.expires_at)},
            },
            {"name": "grace", "validFor": {"endDateTime": moment(who.expires_at + GRACE)}},
        ],
        "realizingResource": [{"id": who.iccid, "value": who.number, "@type": "MSISDN"}],
        **_owner(who, base),
        "@type": "Product",
    }


def _owner(who: Subscriber, base: str) -> Json:
    """RelatedParty: where the registered owner's record stands, where somebody is registered."""
    if who.person is None:
        return {}
    key = party_id(who)
    place = f"{base}{PARTY}/individual/{key}"
    return {"relatedParty": [{"id": key, "href": place, "role": "owner", "@referredType": "Individual"}]}


def party_id(who: Subscriber) -> str:
    return f"I-{who.number[1:]}"


def product_id(who: Subscriber) -> str:
    return f"P-{who.number[1:]}"


def _characteristics(number: str, iccid: str) -> list[Json]:
    return [
        {"name": "MSISDN", "valueType": "string", "value": number},
        {"name": "ICCID", "valueType": "string", "value": iccid},
    ]


# TMF654 v4.0.0


def buckets(who: Subscriber, serial: str, now: datetime, switches: Switches, base: str) -> list[Json]:
    """Bucket: main money, and data, voice and texts where the plan has them. Unlimited has no remainingValue."""
    plan = OFFERINGS[who.offering]
    held = [
        ("main", "Main balance", "monetary", amount(who.main_minor), who.currency, True),
        ("data", "Data", "data", who.data_mb, "MB", plan.data_mb != 0),
        ("voice", "Minutes", "voice", who.minutes, "min", plan.minutes != 0),
        ("sms", "Texts", "sms", who.texts, "SMS", plan.texts != 0),
    ]
    return [_bucket(who, serial, now, switches, base, *row[:5]) for row in held if row[5]]


def _bucket(
    who: Subscriber, serial: str, now: datetime, switches: Switches, base: str,
    key: str, name: str, usage: str, left: float, unit: str,
) -> Json:  # fmt: skip
    key = f"{who.number[1:]}-{key}"
    status = who.status(now)
    resource: Json = {"id": who.iccid, "name": "line", "value": serial, "@type": "MSISDN"}
    held_by: Json = {"id": product_id(who), "name": OFFERINGS[who.offering].name}
    unlimited = left == UNLIMITED and usage != "monetary"
    remaining: Json = {} if unlimited else {"remainingValue": {"amount": left, "units": unit}}
    return {
        "id": key,
        "href": f"{base}{BALANCE}/bucket/{key}",
        "name": name,
        "isShared": False,
        "usageType": usage,
        "status": status if status in ("active", "expired") else "suspended",
        "remainingValueName": "unlimited" if unlimited else f"{left} {unit}",
        **remaining,
        "validFor": {"startDateTime": moment(who.starts_at), "endDateTime": moment(who.expires_at)},
        "logicalResource": resource if switches.objects_for_arrays else [resource],
        "product": held_by if switches.objects_for_arrays else [held_by],
        "partyAccount": {"id": f"A-{who.number[1:]}", "name": "Prepaid account"},
        "@type": "Bucket",
    }


_TOPUP_STATUS = {ACKNOWLEDGED: "created", IN_PROGRESS: "created", COMPLETED: "completed", FAILED: "failed",
                 CANCELLED: "cancelled"}  # fmt: skip


def topup(order: Order, switches: Switches, base: str) -> Json:
    """TopupBalance with the profile's extension member externalId."""
    digits = order.number[1:]
    found: Json = {
        "id": order.id,
        "href": base + order_path(order.id),
        "status": _TOPUP_STATUS[order.state],
        "requestedDate": moment(order.created_at),
        "usageType": "monetary",
        "amount": {"amount": amount(order.face_minor), "units": order.currency},
        "bucket": {"id": f"{digits}-main"},
        "partyAccount": {"id": f"A-{digits}"},
        "logicalResource": [{"id": f"L-{digits}", "value": order.serial, "@type": "MSISDN"}],
        "@type": "TopupBalance",
    }
    if order.description:
        found["description"] = order.description
    if order.completed_at:
        found["confirmationDate"] = moment(order.completed_at)
    if order.ref:
        found["externalId"] = order.ref
    if switches.objects_for_arrays:
        found["logicalResource"] = found["logicalResource"][0]
    return found


# TMF622 v4.0.0


def product_order(order: Order, iccid: str, base: str, *, posted: bool = False) -> Json:
    """ProductOrder. Once completed the item's product carries terminationDate, the line's new end.

    A waiting order is acknowledged in the answer to its POST (``posted``) and inProgress when looked up.
    orderTotalPrice is what the dealer's wallet pays, itemPrice the plan's worth."""
    plan = OFFERINGS[order.offering]
    state = IN_PROGRESS if order.state == ACKNOWLEDGED and not posted else order.state
    line: Json = {
        "productSerialNumber": order.serial,
        "name": plan.name,
        "productCharacteristic": _characteristics(order.number, iccid),
    }
    if order.completed_at and order.expires_at:
        line["id"] = f"P-{order.number[1:]}"
        line["status"] = "active" if state == COMPLETED else "cancelled"
        line["startDate"] = moment(order.completed_at)
        line["terminationDate"] = moment(order.expires_at)
    found: Json = {
        "id": order.id,
        "href": base + order_path(order.id),
        "externalId": order.ref,
        "state": state,
        "orderDate": moment(order.created_at),
        "orderTotalPrice": [_order_price("cost", order.cost_minor, order.currency)],
        "productOrderItem": [
            {
                "id": "1",
                "action": order.action,
                "quantity": 1,
                "state": state,
                "itemPrice": [_order_price("face", order.face_minor, order.currency)],
                "productOffering": {"id": plan.key, "name": plan.name},
                "product": line,
                "@type": "ProductOrderItem",
            }
        ],
        "@type": "ProductOrder",
    }
    if order.description:
        found["description"] = order.description
    if order.due_at:
        found["expectedCompletionDate"] = moment(order.due_at)
    if order.completed_at:
        found["completionDate"] = moment(order.completed_at)
    if order.cancelled_at:
        found |= {"cancellationDate": moment(order.cancelled_at), "cancellationReason": "reversed by the carrier"}
    if order.failure:
        found["note"] = [{"id": "1", "author": "carrier", "text": order.failure}]
    return found


def _order_price(name: str, minor: int, currency: str) -> Json:
    money = {"unit": currency, "value": amount(minor)}
    return {
        "name": name,
        "priceType": "oneTime",
        "price": {"taxIncludedAmount": money, "dutyFreeAmount": money, "taxRate": 0},
    }
