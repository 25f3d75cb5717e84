"""Airalo's records in our words: orders, packages, eSIMs and their usage.

Tolerant of members we do not know; what cannot be an answer raises Broken. Moments without a zone are read as UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from pos.carriers.members import Broken, Members, code
from pos.domain.money import Money
from pos.ports import (
    Balance,
    Echo,
    EsimProfile,
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

# The words of filter[order_status]; any other is not yet.
STATUSES: dict[str, OutcomeState] = {
    "completed": OutcomeState.SUCCEEDED,
    "failed": OutcomeState.FAILED,
    "refunded": OutcomeState.REVERSED,
}

# What an eSIM's usage says of it; any other word tells nothing.
_STANDING: dict[str, SubscriptionState] = {
    "NOT_ACTIVE": SubscriptionState.ACTIVE,  # bought and not yet installed; there is no end of it before
    "ACTIVE": SubscriptionState.ACTIVE,
    "FINISHED": SubscriptionState.EXPIRED,
    "EXPIRED": SubscriptionState.EXPIRED,
    "RECYCLED": SubscriptionState.BARRED,  # given away for good; a top-up is refused with code 73
}

_LONGEST_KEY, _LONGEST_NAME, _LONGEST_LINE = 80, 120, 40
_LPA = re.compile(r"LPA:1\$[^$\s]{1,100}(\$[^$\s]{0,100}){1,3}")
_PART = re.compile(r"[!-#%-~]{1,100}")  # visible ASCII without the dollar sign that parts them


# ------------------------------------------------------------------ orders


def status_of(order: Members) -> str | None:
    """The order's status word, None where the record does not tell it."""
    found = order.values.get("status")
    word = found if isinstance(found, str) else order.within("status").text_or_none("slug")
    return word.lower() if word else None


def order_outcome(order: Members, status: str | None) -> Outcome:
    """What an order with this ``status`` means; None is an answer that names none, as that to a post does when it is done.

    ``price`` is left out of the cost: sources do not say whether it is what we pay, ``net_price`` is."""
    provider_ref = order.id_or_none("id")
    if not provider_ref:
        raise Broken("an order without an id")
    state = OutcomeState.SUCCEEDED if status is None else STATUSES.get(status, OutcomeState.PENDING)
    told = Outcome(state, provider_ref=provider_ref, cost=_net(order), echo=Echo(product_key=_what(order)))
    if state is OutcomeState.FAILED:
        return Outcome(state, provider_ref, reason=Reason.REJECTED_OTHER, raw_code=code(status))
    if state is OutcomeState.PENDING:
        return Outcome(state, provider_ref, echo=told.echo, reason=Reason.UNKNOWN_STATUS, raw_code=code(status))
    if not is_new_esim(order) or state is not OutcomeState.SUCCEEDED:
        return told
    profile = profile_of(order)
    if profile is None:
        # Paid, and the customer has nothing to scan yet: asked again until it is told.
        return Outcome(OutcomeState.PENDING, provider_ref, echo=told.echo, raw_code="no_profile")
    return Outcome(state, provider_ref, cost=told.cost, fulfilment=profile, echo=told.echo)


def is_new_esim(order: Members) -> bool:
    return order.values.get("type") == "sim" or bool(order.values.get("sims"))


def profile_of(order: Members) -> EsimProfile | None:
    """The eSIM of an order of one; None where the record does not tell it whole."""
    sim = next(order.items("sims"), None)
    if sim is None:
        return None
    whole = sim.text_or_none("qrcode") or ""
    if not _LPA.fullmatch(whole):
        server, matching = sim.text_or_none("lpa") or "", sim.text_or_none("matching_id") or ""
        if not _PART.fullmatch(server) or not _PART.fullmatch(matching):
            return None
        whole = f"LPA:1${server}${matching}"
    return EsimProfile(sim.id_or_none("iccid"), whole)


def iccids_of(order: Members) -> list[str]:
    told = [order.id_or_none("iccid"), *(sim.id_or_none("iccid") for sim in order.items("sims"))]
    return [serial for serial in told if serial]


def _what(order: Members) -> str | None:
    """The package; more than one of it is something else than we asked for."""
    package, quantity = order.id_or_none("package_id"), order.number_or_none("quantity")
    return package if quantity in (None, 1) or package is None else f"{package} x {quantity}"


def _net(order: Members) -> Money | None:
    if order.number_or_none("net_price") is None:
        return None
    return order.money_or_none("net_price", "currency")


def statement_lines(order: Members, status: str) -> Iterator[StatementLine]:
    """What was charged, and once more what was given back; the reseller does not tell when, so the line bears the order's
    own moment. Nothing of an order that failed. Raises Broken."""
    at, cost = order.moment_or_none("created_at"), _net(order) or order.money_or_none("price", "currency")
    provider_ref = order.id_or_none("id")
    if at is None or cost is None or not provider_ref:
        raise Broken("an order that cannot be compared")
    serials = iccids_of(order) if not is_new_esim(order) else []
    number = serials[0] if serials else None
    ref, package = order.text_or_none("description"), order.id_or_none("package_id")
    for state in (OutcomeState.SUCCEEDED, STATUSES[status])[: 2 if status == "refunded" else 1]:
        yield StatementLine(provider_ref, ref, number, package, cost, state, at)


# ------------------------------------------------------------------ packages


def products_of(entry: Members, currency: str) -> Iterator[Product | str]:
    """The products of one country's entry that cost ``currency``; the id in the place of one that cannot be read."""
    for operator in entry.items("operators"):
        for package in operator.items("packages"):
            try:
                product = _product(entry, operator, package, currency)
            except Broken:
                yield str(package.values.get("id"))
                continue
            if product:
                yield product


def _product(entry: Members, operator: Members, package: Members, currency: str) -> Product | None:
    key, kind = package.text("id"), package.values.get("type")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise Broken("not a key")
    cost = _price(package, "net_price", currency)
    if cost is None or kind not in ("sim", "topup"):
        return None
    face = _price(package, "recommended_retail_price", currency)
    title = operator.text("title")
    country = entry.text_or_none("country_code") or ""
    is_new = kind == "sim"
    # A package whose operator wants to see papers of its own, or takes no top-ups, cannot be handed over here.
    is_possible = not operator.values.get("is_kyc_verify") and (is_new or operator.values.get("rechargeability") is not False)
    return Product(
        key=key,
        name=f"{title} {package.text('title')}"[:_LONGEST_NAME],
        kind=ProductKind.ESIM if is_new else ProductKind.PLAN,
        fulfilment=Fulfilment.ESIM if is_new else Fulfilment.DIRECT,
        cost=cost,
        face=face or cost,
        valid_days=_whole(package, "day"),
        data_megabytes=-1 if package.values.get("is_unlimited") is True else _whole(package, "amount"),
        minutes=_whole(package, "voice"),
        texts=_whole(package, "text"),
        line=title[:_LONGEST_LINE],
        operator=operator.id_or_none("id"),
        sellable=is_possible and face is not None,
        country=country if re.fullmatch("[A-Z]{2}", country) and operator.values.get("type") != "global" else None,
    )


def _price(package: Members, name: str, currency: str) -> Money | None:
    """From ``prices``, by currency; the bare member of that name is in dollars."""
    told = package.within("prices").within(name).number_or_none(currency)
    if told is None and currency == "USD":
        told = package.number_or_none(name)
    if told is None:
        return None
    return Members({"amount": told, "currency": currency}).money_or_none("amount", "currency")


def _whole(record: Members, name: str) -> int | None:
    """A whole number above zero."""
    found = record.number_or_none(name)
    return int(found) if found and found > 0 else None


# ------------------------------------------------------------------ what is on an eSIM


def subscription_of(usage: Members, packages: Iterable[Members], now: datetime) -> Subscription:
    """Usage tells how it stands, the packages tell which it is. Raises Broken."""
    state = _STANDING.get(usage.text_or_none("status") or "", SubscriptionState.UNTOLD)
    running = _running(list(packages), now)
    told = running.values.get("package")
    package = Members.of(told) if isinstance(told, dict) else Members({"id": told or running.values.get("package_id")})
    expires_at = usage.moment_or_none("expired_at") or running.moment_or_none("expired_at")
    return Subscription(
        state=state,
        plan_key=package.id_or_none("id"),
        plan_name=package.text_or_none("title"),
        starts_at=running.moment_or_none("activated_at"),
        expires_at=expires_at,
        balances=tuple(_balances(usage, expires_at)),
        as_of=now,
    )


def _running(packages: list[Members], now: datetime) -> Members:
    """The package in use: begun and not over, the latest of several; else the latest that began, else the first told."""
    begun = [p for p in packages if p.moment_or_none("activated_at")]
    in_use = [p for p in begun if (p.moment_or_none("expired_at") or now) >= now]
    latest = max(in_use or begun, key=lambda p: p.moment_or_none("activated_at") or now, default=None)
    return latest or (packages[0] if packages else Members({}))


def _balances(usage: Members, expires_at: datetime | None) -> Iterator[Balance]:
    if usage.values.get("is_unlimited") is True:
        yield Balance("data", "unlimited", "MB", expires_at)
    elif (left := usage.number_or_none("remaining")) is not None:
        yield Balance("data", _plain(left), "MB", expires_at)
    for kind, unit, name in (("voice", "min", "voice"), ("sms", "SMS", "text")):
        if usage.number_or_none(f"total_{name}"):
            yield Balance(kind, _plain(usage.number_or_none(f"remaining_{name}") or Decimal(0)), unit, expires_at)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"


# ------------------------------------------------------------------ money


def wallet_balances(data: Members, now: datetime) -> Iterator[WalletBalance]:
    for balance in data.items("balances"):
        available = balance.within("availableBalance").money_or_none("amount", "currency")
        if available is not None:
            yield WalletBalance(available, now)
