"""DVS v1 records as the counter understands them: JSON in, the values of ``pos.ports`` out, no network.

Logic goes by the class of a status, as the vendor advises; its finer message only picks the sentence for staff. Every reader
raises ``Broken`` when a member that decides something is there and cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from pos.carriers.members import Broken, Members, code
from pos.domain.countries import alpha2
from pos.domain.money import Money, NotMoney, from_decimal, minor_digits, whole
from pos.ports import (
    Echo,
    Fulfilment,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    StatementLine,
    Voucher,
    WalletBalance,
)

# --- what became of a request ---------------------------------------------------------------------------------------

# Status class: id -> its name and what it means. The list is open: whatever is not here is "not yet".
CLASSES: dict[int, tuple[str, OutcomeState]] = {
    1: ("CREATED", OutcomeState.HELD),
    2: ("CONFIRMED", OutcomeState.PENDING),
    3: ("REJECTED", OutcomeState.FAILED),
    4: ("CANCELLED", OutcomeState.VOIDED),
    5: ("SUBMITTED", OutcomeState.PENDING),
    7: ("COMPLETED", OutcomeState.SUCCEEDED),
    8: ("REVERSED", OutcomeState.REVERSED),
    9: ("DECLINED", OutcomeState.FAILED),
}

# What is finer than REJECTED- or DECLINED-. A duplicated transaction is one that the operator served a moment ago.
REASONS: dict[str, Reason] = {
    "INVALID-CREDIT-PARTY": Reason.INVALID_NUMBER,
    "BARRED-CREDIT-PARTY": Reason.INELIGIBLE_OR_BARRED,
    "INELIGIBLE-CREDIT-PARTY": Reason.INELIGIBLE_OR_BARRED,
    "INVALID-DEBIT-PARTY": Reason.REJECTED_OTHER,
    "BARRED-DEBIT-PARTY": Reason.REJECTED_OTHER,
    "LIMITATIONS-ON-OPERATOR-AMOUNT": Reason.LIMIT_REACHED,
    "LIMITATIONS-ON-OPERATOR-QUANTITY": Reason.LIMIT_REACHED,
    "LIMITATIONS-ON-CREDIT-PARTY-AMOUNT": Reason.LIMIT_REACHED,
    "LIMITATIONS-ON-CREDIT-PARTY-QUANTITY": Reason.LIMIT_REACHED,
    "LIMITATIONS-ON-CUSTOMER-AMOUNT": Reason.LIMIT_REACHED,
    "LIMITATIONS-ON-CUSTOMER-QUANTITY": Reason.LIMIT_REACHED,
    "OPERATOR-CURRENTLY-UNAVAILABLE": Reason.OPERATOR_DOWN,
    "INSUFFICIENT-BALANCE": Reason.WALLET_EMPTY,
    "DUPLICATED-TRANSACTION": Reason.TOO_SOON,
}


def outcome_of(record: Members, asked: str | None = None, *, is_pin: bool = False) -> Outcome:
    """The outcome of a transaction. ``asked``: the product key of the request it answers; ``is_pin``: a code was bought.

    Without an id nobody can ask again about this transaction: it is unknown, whatever it says (F13)."""
    provider_ref = record.id_or_none("id")
    state, word = _state(record.within("status"))
    if not provider_ref:
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=word)
    outcome = Outcome(
        state or OutcomeState.PENDING,
        provider_ref,
        operator_ref=_reference(record),
        cost=cost_of(record.within("prices")),
        echo=Echo(number_of(record), product_key_of(record, asked), _amount(record)),
        reason=None if state else Reason.UNKNOWN_STATUS,
        raw_code=word,
    )
    if state is OutcomeState.FAILED:
        return replace(outcome, reason=REASONS.get(re.sub("^(REJECTED|DECLINED)-", "", word or ""), Reason.REJECTED_OTHER))
    if state is OutcomeState.HELD:
        return replace(outcome, held_until=record.moment_or_none("confirmation_expiration_date"))
    if state is OutcomeState.SUCCEEDED:
        return _delivered(outcome, record, is_pin)
    return outcome


def _state(status: Members) -> tuple[OutcomeState | None, str | None]:
    """What the class means, None when it is none that we know; and the finer word for the journal."""
    kind = status.within("class")
    number, name = kind.number_or_none("id"), kind.text_or_none("message")
    word = code(status.text_or_none("message") or name)
    known, state = CLASSES.get(int(number), ("", None)) if number is not None and number == int(number) else ("", None)
    return (state if name in (None, known) else None), word


def _delivered(outcome: Outcome, record: Members, is_pin: bool) -> Outcome:
    """With its code. A code that was bought and is not there has not been delivered yet: nobody may call that done."""
    pin, product = record.within("pin"), record.within("product")
    told = pin.text_or_none("code")
    if told:
        about = product.within("pin")
        return replace(outcome, fulfilment=Voucher(told, pin.text_or_none("serial"), _lines(about, "usage_info")))
    if is_pin or product.within("pin").values or "_PIN_" in (product.text_or_none("type") or ""):
        return replace(outcome, state=OutcomeState.PENDING, reason=Reason.BROKEN_ANSWER)
    return outcome


def _reference(record: Members) -> str | None:
    """The operator's own, for the receipt; one that cannot stand there decides nothing."""
    told = record.values.get("operator_reference")
    return told if isinstance(told, str) and 0 < len(told) <= 100 and told.isprintable() else None


def number_of(record: Members) -> str | None:
    party = record.within("credit_party_identifier")
    return party.text_or_none("mobile_number") or party.text_or_none("account_number")


def product_key_of(record: Members, asked: str | None = None) -> str | None:
    """Our key of the product, None where the record does not tell enough: a product with a range needs its amount."""
    product = record.within("product")
    key, kind = product.id_or_none("id"), product.text_or_none("type")
    if key is None:
        return None
    amount = record.within("requested_values").within("destination").number_or_none("amount")
    if amount is not None:
        return ranged_key(key, amount)
    if asked is not None and asked.partition(":")[0] == key:
        return asked
    return key if asked is not None or (kind or "").startswith("FIXED_") else None


def _amount(record: Members) -> Money | None:
    """What the customer gets, where the amount was free; the vendor may have adjusted it."""
    for name in ("adjusted_values", "requested_values"):
        destination = record.within(name).within("destination")
        if destination.values:
            return destination.money_or_none("amount", "unit")
    return None


def cost_of(prices: Members) -> Money | None:
    """What our wallet pays: the wholesale price with its fee. A fraction of a penny counts as one, here and everywhere."""
    wholesale = prices.within("wholesale")
    amount, unit = wholesale.number_or_none("amount"), wholesale.text_or_none("unit")
    if amount is None or unit is None:
        return None
    return _rounded(amount + (wholesale.number_or_none("fee") or 0), unit, ROUND_CEILING)


def _rounded(amount: Decimal, unit: str, rounding: str) -> Money:
    """Raises Broken."""
    try:
        return from_decimal(amount.quantize(Decimal(1).scaleb(-minor_digits(unit.upper())), rounding), unit.upper())
    except (NotMoney, ArithmeticError) as fault:
        raise Broken("not money") from fault


# --- the catalogue --------------------------------------------------------------------------------------------------

_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 30}
_KINDS = {"11": ProductKind.TOPUP, "12": ProductKind.PLAN, "13": ProductKind.DATA}
_FIXED = ("FIXED_VALUE_RECHARGE", "FIXED_VALUE_PIN_PURCHASE")
_RANGED = ("RANGED_VALUE_RECHARGE", "RANGED_VALUE_PIN_PURCHASE")
_MEGABYTES = {"KB": Decimal(1) / 1024, "MB": Decimal(1), "GB": Decimal(1024), "TB": Decimal(1024 * 1024)}
_MINUTES = {"SECONDS": Decimal(1) / 60, "MINUTES": Decimal(1), "HOURS": Decimal(60)}
_MOBILE = "1"
_WANTED_OF_US = ("debit_party_identifier", "sender", "beneficiary", "statement_identifier", "additional_identifier")


def products_of(entry: Members, currency: str, amounts: Sequence[int]) -> Iterator[Product]:
    """One product of the catalogue: none when it is not for a SIM or not in our ``currency``, several when its amount is
    free. Raises Broken."""
    kind, service = entry.text("type"), entry.within("service")
    if service.text_or_none("id") != _MOBILE or kind not in _FIXED + _RANGED:
        return
    if kind in _FIXED:
        face = entry.within("destination").money_or_none("amount", "unit")
        cost = cost_of(entry.within("prices"))
        if face is not None and cost is not None and cost.currency == currency:
            yield _product(entry, entry.text("id"), _name(entry), face, cost)
        return
    if "DESTINATION_AMOUNT" not in _texts(entry, "accepted_calculation_modes"):
        return
    for face, cost in _ranged_prices(entry, amounts):
        if cost.currency == currency:
            key = ranged_key(entry.text("id"), Decimal(face.plain()))
            yield _product(entry, key, f"{_name(entry)[:104]} {face}", face, cost)


def ranged_key(product_id: str, amount: Decimal) -> str:
    """A product with a range as several: ``6006:15``."""
    return f"{product_id}:{amount.normalize():f}"


def _ranged_prices(entry: Members, amounts: Sequence[int]) -> Iterator[tuple[Money, Money]]:
    """Face and cost of each amount that fits. The cost lies between the ends of the wholesale price as the amount does
    between its own: what a rate means the vendor does not say."""
    destination, wholesale = entry.within("destination"), entry.within("prices").within("wholesale")
    range_, price = destination.within("amount"), wholesale.within("amount")
    low, high, step = range_.number_or_none("min"), range_.number_or_none("max"), range_.number_or_none("increment")
    cheap, dear = price.number_or_none("min"), price.number_or_none("max")
    if low is None or high is None or cheap is None or dear is None:
        raise Broken("half a range")
    fee = wholesale.number_or_none("fee") or Decimal(0)
    for units in amounts:
        if not low <= units <= high or (step and (units - low) % step):
            continue
        share = (units - low) / (high - low) if high > low else Decimal(0)
        # Six digits first: what a division leaves at the far end must not become a penny.
        cost = (cheap + (dear - cheap) * share + fee).quantize(Decimal("0.000001"))
        yield whole(units, destination.text("unit").upper()), _rounded(cost, wholesale.text("unit"), ROUND_CEILING)


def _product(entry: Members, key: str, name: str, face: Money, cost: Money) -> Product:
    operator = entry.within("operator")
    is_pin = "_PIN_" in entry.text("type")
    subservice = entry.within("service").within("subservice").text_or_none("id") or ""
    usual = ProductKind.TOPUP if entry.text("type") in _RANGED else ProductKind.PLAN
    return Product(
        key=key,
        name=name,
        kind=ProductKind.PIN if is_pin else _KINDS.get(subservice, usual),
        fulfilment=Fulfilment.PIN if is_pin else Fulfilment.DIRECT,
        cost=cost,
        face=face,
        valid_days=_days(entry.within("validity")) or (_days(entry.within("pin").within("validity")) if is_pin else None),
        data_megabytes=_benefit(entry, "DATA", _MEGABYTES),
        minutes=_benefit(entry, "TALKTIME", _MINUTES),
        texts=_benefit(entry, "SMS", {}),
        line=(operator.text_or_none("name") or "")[:40] or None,
        operator=operator.text_or_none("id"),
        sellable=_sellable(entry),
        country=country_of(operator),
        redeem=_lines(entry.within("pin"), "usage_info") or None,
    )


def country_of(operator: Members) -> str | None:
    """Alpha-2; None for the vendor's own regions (GXX, EXX)."""
    return alpha2(operator.within("country").text_or_none("iso_code") or "")


def _name(entry: Members) -> str:
    return (entry.text_or_none("name") or entry.text("id"))[:120]


def _sellable(entry: Members) -> bool:
    """Whether a counter can tell all that is required: the customer's number, and nothing about who sends or gets it."""
    strange = any(not _can_supply(entry, f"required_{name}_fields", set()) for name in _WANTED_OF_US)
    return not strange and _can_supply(entry, "required_credit_party_identifier_fields", {"mobile_number"})


def _can_supply(entry: Members, name: str, ours: set[str]) -> bool:
    """Either of the lists, whole. None and none at all require nothing. Raises Broken."""
    options = entry.values.get(name)
    if options is None:
        return True
    if not isinstance(options, list) or not all(isinstance(option, list) for option in options):
        raise Broken(f"{name} is not a list of lists")
    return not options or any(set(map(str, option)) <= ours for option in options)


def _days(validity: Members) -> int | None:
    """A month counts 30; hours count as days begun."""
    unit, quantity = validity.text_or_none("unit"), validity.number_or_none("quantity")
    if unit is None or quantity is None:
        return None
    if unit == "HOUR":
        return int((quantity / 24).to_integral_value(ROUND_CEILING))
    return int(quantity) * _DAYS[unit] if unit in _DAYS else None


def _benefit(entry: Members, kind: str, units: dict[str, Decimal]) -> int | None:
    """How much of it in all, -1 without limit; None when it is not told in a unit we know."""
    found: list[Decimal] = []
    for benefit in entry.items("benefits"):
        amount = benefit.within("amount").values.get("total_including_tax")
        if benefit.text_or_none("type") != kind or isinstance(amount, dict):
            continue
        number = benefit.within("amount").number_or_none("total_including_tax")
        factor = units.get(benefit.text_or_none("unit") or "") if units else Decimal(1)
        if number == -1:
            return -1
        if number is not None and factor is not None:
            found.append(number * factor)
    return int(sum(found)) if found else None


def _texts(entry: Members, name: str) -> list[str]:
    told = entry.values.get(name)
    return [text for text in told if isinstance(text, str)] if isinstance(told, list) else []


def _lines(about: Members, name: str) -> str:
    return "\n".join(_texts(about, name))


# --- numbers, wallet, statement -------------------------------------------------------------------------------------


def candidate_of(operator: Members) -> OperatorCandidate:
    """``identified`` is the vendor's word for "this one". ZZ, the standard's own "unknown", for its regions."""
    return OperatorCandidate(
        operator.text("id"),
        operator.text("name"),
        country_of(operator) or "ZZ",
        confident=operator.values.get("identified") is True,
    )


def wallet_balance(entry: Members, now: datetime) -> WalletBalance:
    """Available is without what is held."""
    unit = entry.text("unit")
    available, held = entry.number_or_none("available"), entry.number_or_none("holding")
    if available is None:
        raise Broken("a wallet without an amount")
    return WalletBalance(
        _rounded(available, unit, ROUND_FLOOR), now, None if held is None else _rounded(held, unit, ROUND_CEILING)
    )


def statement_lines(record: Members) -> Iterator[StatementLine]:
    """What was charged, and once more what was given back; nothing for what is under way or never was. Raises Broken: a
    statement with a hole in it would prove what is not true."""
    state, _ = _state(record.within("status"))
    if state not in (OutcomeState.SUCCEEDED, OutcomeState.REVERSED):
        return
    cost, at = cost_of(record.within("prices")), record.moment_or_none("creation_date")
    if cost is None or at is None:
        raise Broken("half a line")
    line = StatementLine(
        provider_ref=record.text("id"),
        ref=record.text_or_none("external_id"),
        number=number_of(record),
        product_key=product_key_of(record),
        cost=cost,
        state=OutcomeState.SUCCEEDED,
        at=at,
    )
    yield line
    if state is OutcomeState.REVERSED:
        yield replace(line, state=OutcomeState.REVERSED)
