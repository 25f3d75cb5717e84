"""The carrier's TM Forum door where money moves: product orders (TMF622) and top-ups (TMF654). docs/sandbox.md has
examples; looking up is in ``tmf_lines``.

Every refusal is TM Forum's Error with one of these codes; the request then did nothing (see ``refusals.CODES``):

    400 INVALID_BODY MISSING_MEMBER UNKNOWN_MEMBER INVALID_VALUE INVALID_QUERY     the request is wrong
    401 UNAUTHENTICATED          token missing, expired, revoked
    404 INVALID_NUMBER           the number is not on this carrier
    404 NOT_FOUND / 405 METHOD_NOT_ALLOWED
    409 DUPLICATE_EXTERNAL_ID    referenceError is the href of the order that exists
    422 INELIGIBLE               line suspended, barred, too long expired, or the plan is for another operator or market
    422 PRODUCT_UNAVAILABLE      no such offering, or no longer sold
    422 OPERATOR_DOWN TOO_SOON WALLET_EMPTY LIMIT_REACHED
    429 RATE_LIMITED             with Retry-After
    500 INTERNAL_ERROR           nothing is promised about the money"""

from __future__ import annotations

from pos.sandbox import shapes
from pos.sandbox.carrier import Carrier
from pos.sandbox.collection import PAGING, matching, only, page
from pos.sandbox.misbehave import play
from pos.sandbox.numbers import line_of
from pos.sandbox.parsing import Members, read_object
from pos.sandbox.records import Fate, Order
from pos.sandbox.refusals import Refusal
from pos.sandbox.wire import Answer, Request, json_answer

# Top-ups, TMF654 v4.0.0


def post_topup(carrier: Carrier, request: Request) -> Answer:
    """Put money on a line: TopupBalance_Create plus externalId, required here although TMF654 does not know it."""
    body = read_object(request.body)
    ref = body.text("externalId", 64)
    money = body.object("amount")
    minor, currency = money.minor_units("amount"), money.one_of("units", "GBP", "HKD")
    money.allow().done()
    body.one_of("usageType", "monetary")
    bucket, account = body.object("bucket"), body.object("partyAccount")
    bucket_id = bucket.text("id")
    bucket.allow().done()
    account.text("id")
    account.allow("description", "status").done()
    resources = body.array("logicalResource")
    if len(resources) != 1:
        raise Refusal("INVALID_VALUE", "body.logicalResource must name one line")
    serial = resources[0].text("value")
    resources[0].text("id")
    resources[0].allow().done()
    description = body.optional_text("description") or ""
    body.exactly("isAutoTopup", False)
    body.allow("reason", "channel", "requestor", "product", "paymentMethod", "validFor").done()
    line = line_of(serial)
    if line and bucket_id != f"{line.number[1:]}-main":
        raise Refusal("INVALID_VALUE", "body.bucket.id is not this line's main balance")
    carrier.books.count_submit(ref)
    kept = ref if carrier.switches.topup_external_id else ""

    def work(fate: Fate) -> Answer:
        order = carrier.books.top_up(kept, serial, minor, currency, fate, description=description)
        found = shapes.topup(order, carrier.switches, request.base)
        return json_answer(201, found, Location=found["href"])

    return play(carrier, request, "submit", serial, ref, work)


def list_topups(carrier: Carrier, request: Request) -> Answer:
    query = request.query(*PAGING, "externalId", "description", "status")
    if "externalId" in query and not carrier.switches.topup_external_id:
        del query["externalId"]  # a carrier without the extension filters by what it knows
    orders = carrier.books.orders("topup", query.get("externalId"))

    def work(_: Fate) -> Answer:
        found = [shapes.topup(order, carrier.switches, request.base) for order in orders]
        return page(carrier, query, matching(query, found))

    return play(carrier, request, "find", _number(orders), query.get("externalId"), work)


def get_topup(carrier: Carrier, request: Request, key: str) -> Answer:
    query = request.query("fields")
    order = _order(carrier, "topup", key)

    def work(_: Fate) -> Answer:
        return json_answer(200, only(query, shapes.topup(order, carrier.switches, request.base)))

    return play(carrier, request, "find", order.number, order.ref, work)


# Orders, TMF622 v4.0.0

# The members of ProductOrder_Create this carrier accepts and does not use.
_ORDER_EXTRAS = (
    "category", "priority", "notificationContact", "requestedStartDate", "requestedCompletionDate",
    "agreement", "billingAccount", "channel", "note", "payment", "relatedParty",
)  # fmt: skip


def post_order(carrier: Carrier, request: Request) -> Answer:
    """Renew a line: ProductOrder_Create with one item, action add or modify; externalId is required here."""
    body = read_object(request.body)
    ref = body.text("externalId", 64)
    description = body.optional_text("description") or ""
    items = body.array("productOrderItem")
    body.allow(*_ORDER_EXTRAS).done()
    if len(items) != 1:
        raise Refusal("INVALID_VALUE", "body.productOrderItem must hold one item")
    action, plan_key, serial = _item(items[0])
    carrier.books.count_submit(ref)

    def work(fate: Fate) -> Answer:
        order = carrier.books.renew(ref, serial, plan_key, fate, action=action, description=description)
        found = _order_shape(request, order, posted=True)
        return json_answer(201, found, Location=found["href"])

    return play(carrier, request, "submit", serial, ref, work)


def _item(item: Members) -> tuple[str, str, str]:
    """Action, offering and line of the one item. Raises Refusal."""
    item.text("id")
    action = item.one_of("action", "add", "modify")
    item.exactly("quantity", 1)
    plan, product = item.object("productOffering"), item.object("product")
    plan_key, serial = plan.text("id"), product.text("productSerialNumber", 32)
    plan.allow().done()
    for characteristic in product.array("productCharacteristic", required=False):
        name, value = characteristic.text("name"), characteristic.anything("value")
        characteristic.allow("valueType").done()
        if name in ("MSISDN", "ICCID") and line_of(str(value)) != line_of(serial):
            raise Refusal("INVALID_VALUE", f"{name} names another line than productSerialNumber")
    product.allow("id", "description", "productOffering", "relatedParty", "realizingResource").done()
    item.allow("itemPrice", "itemTotalPrice", "itemTerm", "billingAccount", "payment").done()
    return action, plan_key, serial


def list_orders(carrier: Carrier, request: Request) -> Answer:
    """Orders, oldest first; filters: externalId, state."""
    query = request.query(*PAGING, "externalId", "state")
    orders = carrier.books.orders("plan", query.get("externalId"))

    def work(_: Fate) -> Answer:
        found = [_order_shape(request, order) for order in orders]
        return page(carrier, query, [entity for entity in found if query.get("state") in (None, entity["state"])])

    return play(carrier, request, "find", _number(orders), query.get("externalId"), work)


def get_order(carrier: Carrier, request: Request, key: str) -> Answer:
    query = request.query("fields")
    order = _order(carrier, "plan", key)

    def work(_: Fate) -> Answer:
        return json_answer(200, only(query, _order_shape(request, order)))

    return play(carrier, request, "find", order.number, order.ref, work)


def _order_shape(request: Request, order: Order, posted: bool = False) -> shapes.Json:
    line = line_of(order.number)
    return shapes.product_order(order, line.iccid if line else "", request.base, posted=posted)


def _order(carrier: Carrier, kind: str, key: str) -> Order:
    order = carrier.books.order(key)
    if order is None or order.kind != kind:
        raise Refusal("NOT_FOUND", key)
    return order


def _number(orders: list[Order]) -> str | None:
    """Whose orders these are, for magic numbers; None when they are several lines'."""
    numbers = {order.number for order in orders}
    return numbers.pop() if len(numbers) == 1 else None
