"""What Reloadly's records say, in the words of ``ports``.

A plan is the pair (operator, amount of the wallet's currency); its key is ``535:10.00``. Amounts come with up to five decimals:
costs are rounded to the wallet's smallest coin here, in the catalogue and in answers alike, so that both agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pos.carriers.members import Broken, Members, code
from pos.domain.money import Money, NotMoney, from_decimal, minor_digits
from pos.ports import (
    Echo,
    Fulfilment,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    StatementLine,
    Voucher,
    WalletBalance,
)

# A refund is a failure for who still waits for the answer, and a reversal for who may have confirmed the sale.
STATUSES: dict[str, OutcomeState] = {
    "PROCESSING": OutcomeState.PENDING,
    "SUCCESSFUL": OutcomeState.SUCCEEDED,
    "FAILED": OutcomeState.FAILED,
    "REFUNDED": OutcomeState.REVERSED,
}

_WRITTEN = "%Y-%m-%d %H:%M:%S"
_LONGEST_NAME, _LONGEST_LINE = 120, 40
_LARGEST_AMOUNT = 100_000
_CENT = _PER_CENT = Decimal("0.01")


def zone_of(name: str) -> str:
    """``name`` if there is such a zone. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, for instance America/New_York") from None
    return name


@dataclass(frozen=True)
class Trade:
    """What one shop's account is: its currency and country, the amounts it sells, the clock of its reports, the codes."""

    currency: str
    country: str
    amounts: tuple[int, ...]
    zone: str
    codes: Mapping[str, Reason]

    def written(self, moment: datetime) -> str:
        """A moment as the reports write one."""
        return moment.astimezone(ZoneInfo(self.zone)).strftime(_WRITTEN)

    def read(self, told: str) -> datetime:
        """The reverse, UTC. Raises Broken."""
        try:
            return datetime.strptime(told, _WRITTEN).replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
        except (ValueError, OverflowError) as fault:
            raise Broken("not a date") from fault


# Transactions


def is_ours(record: Members, ref: str) -> bool:
    """Letter for letter: the vendor's own search does not care about case."""
    return record.text_or_none("customIdentifier") == ref


def outcome_of(record: Members, trade: Trade, *, answered: bool = False, error: str | None = None) -> Outcome:
    """A transaction; ``answered``: as the answer to our own request, ``error``: the code that came beside it. Raises Broken."""
    key = record.id_or_none("transactionId")
    if not key:
        raise Broken("transactionId is missing")
    word = record.text_or_none("status")
    state, reason, raw_code = _state(word, trade, answered=answered, error=error)
    return Outcome(
        state,
        provider_ref=key,
        operator_ref=record.id_or_none("operatorTransactionId"),
        cost=_cost(record.within("balanceInfo")),
        fulfilment=_voucher(record.within("pinDetail")),
        echo=_echo(record, trade),
        reason=reason,
        raw_code=raw_code,
    )


def _state(
    word: str | None, trade: Trade, *, answered: bool, error: str | None
) -> tuple[OutcomeState, Reason | None, str | None]:
    """State, reason and raw code. A word that nobody told us about is not yet, never done and never failed."""
    state = STATUSES.get(word or "")
    if state is None:
        return OutcomeState.PENDING, Reason.UNKNOWN_STATUS, code(word)
    if state is OutcomeState.REVERSED and answered:
        state = OutcomeState.FAILED
    if state is OutcomeState.FAILED:
        return state, trade.codes.get(error or "", Reason.REJECTED_OTHER), code(error) or word
    return state, None, None


def _cost(balance: Members) -> Money | None:
    """What the wallet was charged; reports leave the whole balance out, older answers this member of it."""
    told = balance.number_or_none("cost")
    return None if told is None else rounded(told, balance.text("currencyCode"))


def _voucher(pin: Members) -> Voucher | None:
    """A PIN. The vendor's pages show code and serial as numbers; as text they keep the noughts in front."""
    secret = pin.text_or_none("code")
    if not secret:
        return None
    told = [pin.text_or_none(name) for name in ("info1", "info2", "info3", "ivr")]
    instructions = "\n".join(dict.fromkeys(line.strip() for line in told if line and line.strip()))
    return Voucher(secret, pin.text_or_none("serial") or None, instructions, pin.text_or_none("validity") or None)


def _echo(record: Members, trade: Trade) -> Echo:
    """Number, operator and amount asked for. What the customer gets is worked out at the rate of the moment and taxed by some
    operators, so it is not held against the catalogue's."""
    digits = record.text_or_none("recipientPhone") or ""
    return Echo(f"+{digits.removeprefix('+')}" if digits else None, _product_key(record, trade))


def _product_key(record: Members, trade: Trade) -> str | None:
    operator, asked = record.text_or_none("operatorId"), record.number_or_none("requestedAmount")
    if not operator or asked is None:
        return None
    unit = record.text_or_none("requestedAmountCurrencyCode") or trade.currency
    return key_of(operator, asked) + ("" if unit == trade.currency else f" {unit}")


def key_of(operator: str, asked: Decimal) -> str:
    return f"{operator}:{asked:.2f}"


def status_outcome(answer: Members, provider_ref: str, ref: str, trade: Trade) -> Outcome:
    """The envelope of a status, or the bare transaction that the vendor's specification shows. Raises Broken."""
    error = answer.text_or_none("code")
    record = answer if answer.values.get("transactionId") is not None else answer.within("transaction")
    if not record.values:
        # There is no transaction in it while the operator has not answered.
        state, reason, raw_code = _state(answer.text_or_none("status"), trade, answered=False, error=error)
        if state is OutcomeState.SUCCEEDED:
            raise Broken("a success without a transaction")
        return Outcome(state, provider_ref=provider_ref, reason=reason, raw_code=raw_code)
    if not is_ours(record, ref) or record.text_or_none("transactionId") != provider_ref:
        raise Broken("the record of another reference")
    if record.text_or_none("status") is None:
        record = Members({**record.values, "status": answer.text_or_none("status")})
    return outcome_of(record, trade, error=error)


# Catalogue


def products_of(operator: Members, trade: Trade) -> Iterator[Product]:
    """What an operator sells for our currency, one product for each amount. Raises Broken."""
    if operator.text("senderCurrencyCode").upper() != trade.currency:
        return
    names = _descriptions(operator)
    for asked in _amounts(operator, trade):
        yield _product(operator, asked, names.get(f"{asked:.2f}"), trade)


def _amounts(operator: Members, trade: Trade) -> list[Decimal]:
    if operator.text_or_none("denominationType") == "FIXED":
        told = operator.values.get("fixedAmounts")
        listed = told if isinstance(told, list) else []
        return [_number(amount) for amount in listed]
    least, most = operator.number_or_none("minAmount"), operator.number_or_none("maxAmount")
    if least is None or most is None:
        return []
    return [Decimal(amount) for amount in trade.amounts if least <= amount <= most]


def _number(value: object) -> Decimal:
    found = Members({"amount": value}).number_or_none("amount")
    if found is None or not 0 < found < _LARGEST_AMOUNT or found != found.quantize(_CENT):
        raise Broken("not an amount")
    return found


def _descriptions(operator: Members) -> Mapping[str, str]:
    """Amount with two decimals -> name. An empty map comes as ``{}`` or as ``[]``."""
    told = operator.values.get("fixedAmountsDescriptions")
    return {amount: name for amount, name in told.items() if isinstance(name, str)} if isinstance(told, dict) else {}


def _product(operator: Members, asked: Decimal, description: str | None, trade: Trade) -> Product:
    key, name = operator.text("operatorId"), operator.text("name")
    kind = _kind(operator)
    unit = operator.text("destinationCurrencyCode").upper()
    face = rounded(asked * _rate(operator, unit, trade), unit)
    return Product(
        key=key_of(key, asked),
        name=(f"{name}: {description}" if description else f"{name} {face}")[:_LONGEST_NAME],
        kind=kind,
        fulfilment=Fulfilment.PIN if kind is ProductKind.PIN else Fulfilment.DIRECT,
        cost=rounded(_price(operator, asked, trade), trade.currency),
        face=face,
        valid_days=None,  # free text in the description, and not ours to guess
        line=name[:_LONGEST_LINE],
        operator=key,
        sellable=_is_sellable(operator),
        country=operator.within("country").text_or_none("isoName"),
    )


def _kind(operator: Members) -> ProductKind:
    if operator.values.get("pin") is True:
        return ProductKind.PIN
    if operator.values.get("data") is True:
        return ProductKind.DATA
    if operator.values.get("bundle") is True or operator.values.get("comboProduct") is True:
        return ProductKind.PLAN
    return ProductKind.TOPUP


def _is_sellable(operator: Members) -> bool:
    """Whether number and amount are all that it takes: prices by region would need the customer's."""
    by_region = operator.values.get("supportsGeographicalRechargePlans") is True
    return operator.text_or_none("status") in (None, "ACTIVE") and not by_region


def _rate(operator: Members, unit: str, trade: Trade) -> Decimal:
    if unit == trade.currency:
        return Decimal(1)
    fx = operator.within("fx")
    rate = fx.number_or_none("rate")
    if rate is None or rate <= 0 or (fx.text_or_none("currencyCode") or unit).upper() != unit:
        raise Broken("no rate")
    return rate


def _price(operator: Members, asked: Decimal, trade: Trade) -> Decimal:
    """What the wallet pays: less the discount, plus the fees. At home both are others than abroad."""
    at_home = operator.within("country").text_or_none("isoName") == trade.country
    where = "local" if at_home else "international"
    off = operator.number_or_none(f"{where}Discount") or Decimal(0)
    fees = operator.within("fees")
    share = (fees.number_or_none(f"{where}Percentage") or Decimal(0)) - off
    price = asked * (1 + share * _PER_CENT) + (fees.number_or_none(where) or Decimal(0))
    if price < 0:
        raise Broken("not a price")
    return price


def rounded(amount: Decimal, currency: str, how: str = ROUND_HALF_UP) -> Money:
    """The vendor counts five decimals, a wallet's owner two. Raises Broken."""
    try:
        return from_decimal(amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), how), currency.upper())
    except (NotMoney, ArithmeticError) as fault:
        raise Broken("not money") from fault


# The dealer's books


def wallet_balance(answer: Members, now: datetime) -> WalletBalance:
    """Rounded down: what is not there cannot be spent. Raises Broken."""
    left = answer.number_or_none("balance")
    if left is None:
        raise Broken("balance is missing")
    return WalletBalance(rounded(left, answer.text("currencyCode"), ROUND_FLOOR), now)


def statement_lines(record: Members, trade: Trade) -> Iterator[StatementLine]:
    """What was charged and is not given back is one line, what was is two; what failed or is under way, none. Raises Broken."""
    state = STATUSES.get(record.text("status"))
    if state is None:
        raise Broken("an unknown status")
    if state not in (OutcomeState.SUCCEEDED, OutcomeState.REVERSED):
        return
    at = trade.read(record.text("transactionDate"))
    for told in (OutcomeState.SUCCEEDED, state) if state is OutcomeState.REVERSED else (state,):
        yield StatementLine(
            provider_ref=record.text("transactionId"),
            ref=record.text_or_none("customIdentifier"),
            number=_echo(record, trade).number,
            product_key=_product_key(record, trade),
            cost=_charged(record),
            state=told,
            at=at,
        )


def _charged(record: Members) -> Money:
    """Reports leave the cost out; it is the amount asked for less the discount, plus the fee. Raises Broken."""
    told = _cost(record.within("balanceInfo"))
    if told is not None:
        return told
    asked = record.number_or_none("requestedAmount")
    if asked is None:
        raise Broken("requestedAmount is missing")
    off, fee = record.number_or_none("discount") or Decimal(0), record.number_or_none("fee") or Decimal(0)
    return rounded(asked - off + fee, record.text("requestedAmountCurrencyCode"))
