"""TM Forum records as the counter understands them: JSON in, the values of ``pos.ports`` out, no network.

Sources: TMF620 v4.1.0, TMF622, TMF637 and TMF654 v4.0.0. Carriers differ within those files, so both published price
shapes, arrays sent as one object, and both spellings of ``"aborted "`` are read. Every reader raises ``Broken`` when a
member that decides something is there and cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from pos.carriers.members import Broken, Members, code
from pos.domain.money import Money
from pos.ports import (
    Balance,
    Echo,
    Fulfilment,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    StatementLine,
    Subscription,
    SubscriptionState,
    WalletBalance,
)

# --- what became of a request ---------------------------------------------------------------------------------------

# TMF622 v4.0.0 ProductOrder.state and TMF654 v4.0.0 TopupBalance.status. Any other word, known or new, is "not yet".
_DONE = "completed"
_REFUSED = frozenset({"failed", "rejected", "cancelled"})
_WAITING = frozenset(
    {
        "acknowledged",
        "pending",
        "held",
        "inProgress",
        "partial",
        "assessingCancellation",
        "pendingCancellation",
        "created",
        "draft",  # v5
        "inProgress.accepted",  # v5
    }
)


@dataclass(frozen=True)
class PriceNames:
    """How a carrier names the two prices of one thing: its worth to the customer, and what the dealer's wallet pays."""

    face: str = "face"
    cost: str = "cost"


def external_ids(record: Members) -> set[str]:
    """``externalId``: a string, from TMF622 v5 on an array of objects."""
    told = record.values.get("externalId")
    found = {told} if isinstance(told, str) else set()
    for entry in told if isinstance(told, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            found.add(entry["id"])
    return found


def refs_of(record: Members) -> set[str]:
    """Where our reference may come back (profile rule 4): ``externalId``, or ``description`` where a carrier dropped
    the first as a member it does not know."""
    description = record.values.get("description")
    return external_ids(record) or ({description} if isinstance(description, str) else set())


def order_outcome(order: Members, names: PriceNames, codes: Mapping[str, Reason]) -> Outcome:
    """The outcome of a ProductOrder with one item; the new expiry is the item's ``product.terminationDate``."""
    items = list(order.items("productOrderItem"))
    if len(items) > 1:
        raise Broken("we order one thing at a time")
    item = items[0] if items else Members({})
    product = item.within("product")
    outcome = _outcome(order, "state", order.values.get("completionDate") is not None)
    if outcome.state is OutcomeState.SUCCEEDED and item.text_or_none("state") in _REFUSED:
        # The order says done, its only item says not: somebody has to look.
        outcome = replace(outcome, state=OutcomeState.PENDING, reason=Reason.UNKNOWN_STATUS)
    offering = item.within("productOffering").text_or_none("id")
    return replace(
        outcome,
        reason=_told_reason(order, codes) if outcome.state is OutcomeState.FAILED else outcome.reason,
        cost=_named_price(order.items("orderTotalPrice"), names.cost),
        valid_until=product.moment_or_none("terminationDate"),
        echo=Echo(
            number=next(_numbers(product), None),
            product_key=offering or product.within("productOffering").text_or_none("id"),
            amount=_named_price(item.items("itemPrice"), names.face),
        ),
    )


def topup_outcome(topup: Members, codes: Mapping[str, Reason]) -> Outcome:
    """The outcome of a TopupBalance. Money put on a SIM has no product of its own, so the echo names none."""
    outcome = _outcome(topup, "status", topup.values.get("confirmationDate") is not None)
    number = next((value for r in topup.items("logicalResource") if (value := r.text_or_none("value"))), None)
    return replace(
        outcome,
        reason=_told_reason(topup, codes) if outcome.state is OutcomeState.FAILED else outcome.reason,
        valid_until=topup.within("validFor").moment_or_none("endDateTime"),
        echo=Echo(number=number, amount=topup.within("amount").money_or_none("amount", "units")),
    )


def _outcome(record: Members, state_name: str, was_done: bool) -> Outcome:
    """State and id. Without an id nobody can ask again about this request: it is unknown, whatever it says (F13)."""
    provider_ref, word = record.id_or_none("id"), (record.text_or_none(state_name) or "").strip()
    raw_code = code(word)
    if not provider_ref:
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=raw_code)
    if word == _DONE:
        return Outcome(OutcomeState.SUCCEEDED, provider_ref, raw_code=raw_code)
    if word == "cancelled" and was_done:
        # Cancelled after it was done: the carrier took the plan back and our wallet got its money (move 20).
        return Outcome(OutcomeState.REVERSED, provider_ref, raw_code=raw_code)
    if word in _REFUSED:
        return Outcome(OutcomeState.FAILED, provider_ref, reason=Reason.REJECTED_OTHER, raw_code=raw_code)
    reason = None if word in _WAITING else Reason.UNKNOWN_STATUS
    return Outcome(OutcomeState.PENDING, provider_ref, reason=reason, raw_code=raw_code)


def _told_reason(record: Members, codes: Mapping[str, Reason]) -> Reason:
    """Why it failed, where the record carries one of the known codes and nothing else in a place for it.

    ``productOrderErrorMessage`` exists from TMF622 v4.1 on; before, the bare code stands in a note or reason."""
    told = [entry.values.get("code") for entry in record.items("productOrderErrorMessage")]
    told += [note.values.get("text") for note in record.items("note")]
    told.append(record.values.get("reason"))
    return next((codes[text] for text in told if isinstance(text, str) and text in codes), Reason.REJECTED_OTHER)


def _numbers(product: Members) -> Iterator[str]:
    """Every number or ICCID a Product names, the one we asked by first."""
    if number := product.text_or_none("productSerialNumber"):
        yield number
    for trait in product.items("productCharacteristic"):
        if trait.values.get("name") in ("MSISDN", "ICCID") and isinstance(value := trait.values.get("value"), str):
            yield value
    for resource in product.items("realizingResource"):
        if isinstance(value := resource.values.get("value"), str):
            yield value


# --- prices, both shapes --------------------------------------------------------------------------------------------


def price_money(price: Members) -> Money | None:
    """From ``{unit,value}`` (resource) or ``{taxIncludedAmount,dutyFreeAmount}`` (inlined), None when empty."""
    for name in ("taxIncludedAmount", "dutyFreeAmount"):
        if price.values.get(name) is not None:
            return price.within(name).money_or_none("value", "unit")
    return price.money_or_none("value", "unit")


def _named_price(prices: Iterable[Members], name: str) -> Money | None:
    """The price of that name, or the only one there is."""
    told = [(entry.values.get("name"), price_money(entry.within("price"))) for entry in prices]
    amounts = [amount for _, amount in told if amount is not None]
    named = [amount for said, amount in told if said == name and amount is not None]
    return named[0] if named else amounts[0] if len(amounts) == 1 else None


# --- the catalogue --------------------------------------------------------------------------------------------------

_DAYS = {"day": 1, "days": 1, "d": 1, "week": 7, "weeks": 7, "month": 30, "months": 30, "year": 365, "years": 365}
_ON_SALE = frozenset({"active", "launched"})
_TOPUP_CATEGORY = "topup"


def product_of(offering: Members, names: PriceNames, fetch_price: Callable[[str], Members], now: datetime) -> Product | None:
    """One ProductOffering; None when it has no price. ``fetch_price`` brings a ProductOfferingPrice by its id."""
    face, cost = _face_and_cost(offering, names, fetch_price)
    if face is None or cost is None:
        return None
    categories = [text for c in offering.items("category") for text in (c.text_or_none("id"), c.text_or_none("name"))]
    return Product(
        key=offering.text("id"),
        name=offering.text_or_none("name") or offering.text("id"),
        kind=ProductKind.TOPUP if _TOPUP_CATEGORY in categories else ProductKind.PLAN,
        fulfilment=Fulfilment.DIRECT,
        cost=cost,
        face=face,
        valid_days=_valid_days(offering),
        data_megabytes=_count(offering, "dataMegabytes"),
        minutes=_count(offering, "voiceMinutes"),
        texts=_count(offering, "textMessages"),
        line=next((text for text in categories if text), None),
        operator=_word(offering, "operator"),
        sellable=_sellable(offering, now),
    )


def _face_and_cost(
    offering: Members, names: PriceNames, fetch_price: Callable[[str], Members]
) -> tuple[Money | None, Money | None]:
    """Both prices; where the carrier tells one only, the dealer pays what the customer pays."""
    prices = []
    for entry in offering.items("productOfferingPrice"):
        whole = entry if entry.values.get("price") is not None else fetch_price(entry.text("id"))
        # The name of the reference counts too: the resource behind it may have none.
        prices.append(Members({**whole.values, "name": whole.values.get("name") or entry.values.get("name")}))
    face, cost = _named_price(prices, names.face), _named_price(prices, names.cost)
    return face or cost, cost or face


def _valid_days(offering: Members) -> int | None:
    """The first term's duration in days. A month counts 30: the carrier's own expiry date is what a receipt shows."""
    for term in offering.items("productOfferingTerm"):
        duration = term.within("duration")
        amount, units = duration.number_or_none("amount"), (duration.text_or_none("units") or "").lower()
        if amount is not None and units in _DAYS:
            return int(amount) * _DAYS[units]
        if amount is not None and units in ("hour", "hours", "h"):
            return int((amount / 24).to_integral_value(ROUND_CEILING))
    return None


def _word(offering: Members, name: str) -> str | None:
    """A text from the characteristic of that name, or None."""
    for use in offering.items("prodSpecCharValueUse"):
        if use.values.get("name") == name:
            return next((value.text_or_none("value") for value in use.items("productSpecCharacteristicValue")), None)
    return None


def _count(offering: Members, name: str) -> int | None:
    """A whole number from the characteristic of that name (the profile's names); -1 is unlimited, None is not told."""
    for use in offering.items("prodSpecCharValueUse"):
        if use.values.get("name") != name:
            continue
        for value in use.items("productSpecCharacteristicValue"):
            number = value.number_or_none("value")
            return None if number is None else int(number)
    return None


def _sellable(offering: Members, now: datetime) -> bool:
    period = offering.within("validFor")
    starts_at, ends_at = period.moment_or_none("startDateTime"), period.moment_or_none("endDateTime")
    on_sale = (offering.text_or_none("lifecycleStatus") or "Active").strip().lower() in _ON_SALE
    in_time = (starts_at is None or starts_at <= now) and (ends_at is None or now < ends_at)
    return on_sale and in_time and offering.values.get("isSellable") is not False


# --- what is on a SIM -----------------------------------------------------------------------------------------------

# TMF637 v4.0.0 ProductStatusType; "aborted " loses its published blank before it is looked up.
_LINE_STATES = {
    "active": SubscriptionState.ACTIVE,
    "created": SubscriptionState.ACTIVE,
    "pendingActive": SubscriptionState.ACTIVE,
    "pendingTerminate": SubscriptionState.ACTIVE,
    "suspended": SubscriptionState.SUSPENDED,
    "terminated": SubscriptionState.EXPIRED,
    "cancelled": SubscriptionState.EXPIRED,
    "aborted": SubscriptionState.BARRED,
}
# The same for words of other kinds: TMF654 BucketStatusType, and the profile's characteristic ``lineStatus``.
_WORDS = {
    "active": SubscriptionState.ACTIVE,
    "expired": SubscriptionState.EXPIRED,
    "suspended": SubscriptionState.SUSPENDED,
    "barred": SubscriptionState.BARRED,
}
_BALANCE_KINDS = {"monetary": "money", "data": "data", "voice": "voice", "sms": "sms"}
_LIVELIEST = (
    SubscriptionState.ACTIVE,
    SubscriptionState.SUSPENDED,
    SubscriptionState.BARRED,
    SubscriptionState.EXPIRED,
)


def about(number: str, records: Iterable[Members], numbers: Callable[[Members], Iterable[str]]) -> list[Members]:
    """The records of this SIM: a carrier that ignores our filter must not show one customer another's plan.

    A record that names no number at all is believed, because we asked by number."""
    return [record for record in records if number in (named := set(numbers(record))) or not named]


def product_numbers(product: Members) -> Iterable[str]:
    """Every number a TMF637 Product names."""
    return _numbers(product)


def bucket_numbers(bucket: Members) -> Iterable[str]:
    """Every number a TMF654 Bucket names."""
    for resource in bucket.items("logicalResource"):
        if value := resource.text_or_none("value"):
            yield value


def subscription_of(products: Sequence[Members], buckets: Sequence[Members], now: datetime) -> Subscription:
    """Products and buckets of one SIM, merged. Expiry by profile rule 3: the product's terminationDate, else its term,
    else the earliest end of an active bucket."""
    plan = max(products, key=lambda product: _rank(product, now), default=None)
    balances = tuple(balance for bucket in buckets if (balance := _balance(bucket)) is not None)
    ends = [_ends_at(bucket) for bucket in buckets if _bucket_state(bucket) is SubscriptionState.ACTIVE]
    bucket_end = min((end for end in ends if end is not None), default=None)
    if plan is None:
        return Subscription(_best(map(_bucket_state, buckets)), expires_at=bucket_end, balances=balances, as_of=now)
    return Subscription(
        state=_product_state(plan, now),
        plan_key=plan.within("productOffering").text_or_none("id"),
        plan_name=plan.within("productOffering").text_or_none("name") or plan.text_or_none("name"),
        starts_at=plan.moment_or_none("startDate"),
        expires_at=_product_end(plan) or bucket_end,
        grace_ends_at=_term_end(plan, grace=True),
        balances=balances,
        as_of=now,
    )


def _rank(product: Members, now: datetime) -> tuple[int, bool, str]:
    """The plan among several products: the liveliest; one that ends before a tariff that never does; the latest."""
    end = _product_end(product)
    return -_LIVELIEST.index(_product_state(product, now)), end is not None, end.isoformat() if end else ""


def _product_state(product: Members, now: datetime) -> SubscriptionState:
    for trait in product.items("productCharacteristic"):
        if trait.values.get("name") == "lineStatus" and trait.values.get("value") in _WORDS:
            return _WORDS[str(trait.values["value"])]
    state = _LINE_STATES.get((product.text_or_none("status") or "").strip(), SubscriptionState.ACTIVE)
    end = _product_end(product)
    if state is SubscriptionState.ACTIVE and end is not None and end <= now:
        return SubscriptionState.EXPIRED
    return state


def _product_end(product: Members) -> datetime | None:
    return product.moment_or_none("terminationDate") or _term_end(product, grace=False)


def _term_end(product: Members, grace: bool) -> datetime | None:
    """The end of the product's term, or of the term named ``grace``: until then an ended plan can still be renewed."""
    for term in product.items("productTerm"):
        end = _ends_at(term)
        if end is not None and (term.values.get("name") == "grace") is grace:
            return end
    return None


def _ends_at(record: Members) -> datetime | None:
    return record.within("validFor").moment_or_none("endDateTime")


def _bucket_state(bucket: Members) -> SubscriptionState:
    return _WORDS.get((bucket.text_or_none("status") or "active").strip(), SubscriptionState.ACTIVE)


def _best(states: Iterable[SubscriptionState]) -> SubscriptionState:
    return min(states, key=_LIVELIEST.index, default=SubscriptionState.NOT_FOUND)


def _balance(bucket: Members) -> Balance | None:
    """None for kinds the counter has no word for, and for buckets whose rest cannot be used any more."""
    kind = _BALANCE_KINDS.get(bucket.text_or_none("usageType") or "")
    if kind is None or _bucket_state(bucket) is SubscriptionState.EXPIRED:
        return None
    rest = bucket.within("remainingValue")
    amount = rest.number_or_none("amount")
    if amount is None and bucket.values.get("remainingValueName") != "unlimited":
        return None
    # The profile has no number for "unlimited": TMF654 lets remainingValue be left out and named.
    return Balance(kind, "unlimited" if amount is None else _plain(amount), rest.text_or_none("units") or "", _ends_at(bucket))


def _plain(number: Decimal) -> str:
    """As the carrier wrote it, without an exponent."""
    return f"{number:f}"


# --- the dealer's wallet and statement: TM Forum has none, so these shapes are the profile's own --------------------


def wallet_balance(entry: Members, now: datetime) -> WalletBalance:
    """``{"currency":"GBP","available":123.45}``: what the dealer can still spend."""
    available = entry.money_or_none("available", "currency")
    if available is None:
        raise Broken("a wallet without an amount")
    return WalletBalance(available, now)


def statement_line(entry: Members) -> StatementLine:
    """One movement: ``{"externalId","orderId","number","offering","amount","currency","state","at"}``.

    ``state`` is completed or reversed, the amount positive in both. A line that cannot be read raises Broken: a
    statement with a hole in it would prove what is not true."""
    cost, at = entry.money_or_none("amount", "currency"), entry.moment_or_none("at")
    states = {"completed": OutcomeState.SUCCEEDED, "reversed": OutcomeState.REVERSED}
    state = states.get(entry.text("state"))
    if cost is None or at is None or state is None:
        raise Broken("a statement line without amount, moment or known state")
    return StatementLine(
        provider_ref=entry.text("orderId"),
        ref=entry.text_or_none("externalId"),
        number=entry.text_or_none("number"),
        product_key=entry.text_or_none("offering"),
        cost=cost,
        state=state,
        at=at,
    )
