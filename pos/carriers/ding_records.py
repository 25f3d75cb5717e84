"""What DingConnect's answers mean: envelopes, transfer records, products. The HTTP status means nothing here.

A record decides by its ProcessingState; without one only a recognised code with ResultCode 4 or 5 is a refusal
(docs/carriers.md). What a code or word is not known for is never a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from pos.carriers.members import Broken, Members, code, read_json
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
)

# (Code, Context) -> reason, or (Code, "") whatever the context: nothing was done, now or later.
CODES: Mapping[tuple[str, str], Reason] = {
    ("AccountNumberInvalid", ""): Reason.INVALID_NUMBER,
    ("ParameterMissing", ""): Reason.REJECTED_OTHER,
    ("ParameterInvalid", ""): Reason.REJECTED_OTHER,
    ("ParameterOutOfRange", ""): Reason.REJECTED_OTHER,
    ("ParameterCombinationInvalid", ""): Reason.REJECTED_OTHER,
    ("TooManyParameters", ""): Reason.REJECTED_OTHER,
    ("BatchItemRefMustBeUnique", ""): Reason.REJECTED_OTHER,
    ("RequestInvalid", ""): Reason.REJECTED_OTHER,
    ("ParameterMissing", "SendValue"): Reason.INVALID_AMOUNT,
    ("ParameterInvalid", "SendValue"): Reason.INVALID_AMOUNT,
    ("ParameterOutOfRange", "SendValue"): Reason.INVALID_AMOUNT,
    ("ParameterCombinationInvalid", "SendValue"): Reason.INVALID_AMOUNT,
    ("InsufficientBalance", ""): Reason.WALLET_EMPTY,
    ("AuthenticationFailed", ""): Reason.AUTH,
    ("ProviderError", "ProductUnavailable"): Reason.PRODUCT_UNAVAILABLE,
    ("ProviderError", "RechargeNotAllowed"): Reason.INELIGIBLE_OR_BARRED,
    ("RechargeNotAllowed", ""): Reason.INELIGIBLE_OR_BARRED,
    ("RateLimited", ""): Reason.RATE_LIMITED,
}
# Why a transfer failed, where its record says that it did; by themselves these promise nothing.
TRANSIENT: Mapping[tuple[str, str], Reason] = {
    ("TransientProviderError", "ProviderTimedOut"): Reason.OPERATOR_DOWN,
    ("TransientProviderError", "ProviderRefusedRequest"): Reason.OPERATOR_DOWN,
    # The number's own limit as well as ours: a transfer that failed by it is not sent again.
    ("RateLimited", ""): Reason.LIMIT_REACHED,
}
DUPLICATE = "DuplicateTransactionPrevented"
TIMED_OUT = "TransientProviderError:ProviderTimedOut"
_REFUSING = (4, 5)

_DONE = ("Complete", "Completed")
_WAITING = ("Submitted", "Processing", "Cancelling")
_OVER = ("Failed", "Cancelled")

# Names of ReceiptParams differ by provider; these, in small letters, hold the code and its serial number.
_PIN_NAMES = ("pin", "pincode", "pinnumber", "vouchercode", "vouchernumber")
_SERIAL_NAMES = ("serial", "serialnumber", "pinserial", "pinserialnumber")
_LONGEST_KEY, _LONGEST_NAME, _LONGEST_LINE = 80, 120, 40


@dataclass(frozen=True)
class Envelope:
    """What every answer carries: ``result`` 1 success, 2 partial, 3 transient, 4 our request, 5 refused."""

    result: int
    codes: tuple[tuple[str, str], ...]
    members: Members

    @classmethod
    def of(cls, members: Members) -> Envelope:
        """Raises Broken for what no answer of theirs would leave out: a gateway writes JSON, too."""
        result = members.values.get("ResultCode")
        if isinstance(result, bool) or not isinstance(result, int) or "ErrorCodes" not in members.values:
            raise Broken("no envelope")
        told = ((entry.text_or_none("Code") or "", entry.text_or_none("Context") or "") for entry in members.items("ErrorCodes"))
        return cls(result, tuple(told), members)

    @classmethod
    def read(cls, body: bytes) -> Envelope:
        return cls.of(Members.of(read_json(body)))

    @property
    def raw_code(self) -> str | None:
        """The first code with its context, fit for the journal."""
        return code(":".join(filter(None, self.codes[0]))) if self.codes else None

    @property
    def is_duplicate(self) -> bool:
        return any(name == DUPLICATE for name, _ in self.codes)

    @property
    def refusal(self) -> Reason | None:
        """Why nothing was done, where every code is one that says so for good; None where that is not certain."""
        reasons = [_reason(CODES, entry) for entry in self.codes]
        return reasons[0] if self.result in _REFUSING and reasons and None not in reasons else None


def _reason(table: Mapping[tuple[str, str], Reason], entry: tuple[str, str]) -> Reason | None:
    return table.get(entry) or table.get((entry[0], ""))


# --- a transfer -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What has to be known of a product to read a transfer of it."""

    sku: str
    provider: str
    is_range: bool
    is_pin: bool
    send: Decimal  # what is asked of us, of a range the least
    cost: Money
    face: Money


def transfer_outcome(said: Envelope, ref: str, known: Known | None) -> Outcome:
    """The answer to one SendTransfer, or one item of a list. Raises Broken when it is about another reference."""
    record = said.members.values.get("TransferRecord")
    if said.is_duplicate:
        # Also beside a record that says Failed: that is then the second transfer, and the first one is to be looked up.
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.DUPLICATE_REF, raw_code=said.raw_code)
    if record is None:
        return without_record(said)
    return _record_outcome(Members.of(record), said, ref, known)


def without_record(said: Envelope) -> Outcome:
    """A refusal, if it is one: who is not let in, or too early, may be sent again, because nothing was done."""
    reason = said.refusal
    if reason in (Reason.AUTH, Reason.RATE_LIMITED):
        return Outcome(OutcomeState.NOT_SENT, reason=reason, raw_code=said.raw_code)
    if reason is not None:
        return Outcome(OutcomeState.FAILED, reason=reason, raw_code=said.raw_code)
    transient = next((why for entry in said.codes if (why := _reason(TRANSIENT, entry))), None)
    return Outcome(OutcomeState.UNKNOWN, reason=transient or Reason.UNKNOWN_STATUS, raw_code=said.raw_code)


def _record_outcome(record: Members, said: Envelope, ref: str, known: Known | None) -> Outcome:
    names = record.within("TransferId")
    if (named := names.text_or_none("DistributorRef")) and named != ref:
        raise Broken("the record of another reference")
    provider_ref, word = names.id_or_none("TransferRef"), (record.text_or_none("ProcessingState") or "").strip()
    if not provider_ref:
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=code(word))
    echo = _echo(record, known)
    if word in _DONE:
        voucher = _voucher(record, known)
        return Outcome(OutcomeState.SUCCEEDED, provider_ref, raw_code=code(word), echo=echo, fulfilment=voucher)
    if word in _OVER:
        state = OutcomeState.REVERSED if _was_delivered(record) else OutcomeState.FAILED
        return Outcome(state, provider_ref, reason=_why(said), raw_code=said.raw_code or code(word), echo=echo)
    reason = None if word in _WAITING else Reason.UNKNOWN_STATUS
    return Outcome(OutcomeState.PENDING, provider_ref, reason=reason, raw_code=code(word), echo=echo)


def _why(said: Envelope) -> Reason:
    for table in (TRANSIENT, CODES):
        for entry in said.codes:
            if reason := _reason(table, entry):
                return reason
    return Reason.REJECTED_OTHER


def _echo(record: Members, known: Known | None) -> Echo:
    """The product only when its key can be told for certain: of a range the amount is part of it."""
    number, sku = record.text_or_none("AccountNumber"), record.text_or_none("SkuCode")
    price = record.within("Price")
    key = sku
    if sku and known is None:
        key = None
    elif sku and known is not None and known.is_range and known.sku == sku:
        sent = price.number_or_none("SendValue")
        key = None if sent is None else range_key(sku, sent)
    return Echo(number=f"+{number.removeprefix('+')}" if number else None, product_key=key, amount=_received(price))


def _received(price: Members) -> Money | None:
    """What the customer gets; a bundle that has no amount of its own is told as zero."""
    money = price.money_or_none("ReceiveValue", "ReceiveCurrencyIso")
    return money or None


def _receipt_params(record: Members) -> dict[str, str]:
    params = record.within("ReceiptParams").values
    return {
        str(name).lower(): str(value) for name, value in params.items() if isinstance(value, (str, int)) and str(value).strip()
    }


def _was_delivered(record: Members) -> bool:
    """A receipt is only written for what was delivered: a transfer that has one and is over was taken back."""
    return bool((record.text_or_none("ReceiptText") or "").strip() or _receipt_params(record))


def _voucher(record: Members, known: Known | None) -> Voucher | None:
    """The code, and the receipt's text word by word, which holds it once more. Where the code is in the text alone, the text is
    the code; so it is for a product that they do not know any more. Raises Broken for a voucher without either."""
    params, text = _receipt_params(record), (record.text_or_none("ReceiptText") or "").strip()
    pin = next((params[name] for name in _PIN_NAMES if name in params), None)
    if pin is None and text and (known is None or known.is_pin):
        pin = text
    if pin is None:
        if known is not None and known.is_pin:
            raise Broken("a voucher without a code")
        return None
    return Voucher(pin, next((params[name] for name in _SERIAL_NAMES if name in params), None), text)


def pin_is_in_doubt(record: Members) -> bool:
    """Whether the product must be known before this record can be read."""
    return not any(name in _receipt_params(record) for name in _PIN_NAMES) and bool(record.text_or_none("ReceiptText"))


def objection(said: Envelope, face: Money) -> Reason | None:
    """What a dry run objects to; None is yes. Its record only predicts, and has no id of its own.

    Raises Broken where it says neither yes nor no."""
    record = said.members.within("TransferRecord")
    if (record.text_or_none("ProcessingState") or "").strip() in _OVER:
        return _why(said)
    if said.result != 1 or said.codes:
        reason = None if record.values else said.refusal
        if reason in (None, Reason.AUTH, Reason.RATE_LIMITED):
            raise Broken("neither yes nor no")
        return reason
    promised = _received(record.within("Price"))
    return Reason.INVALID_AMOUNT if promised and promised != face else None


# --- the distributor's books ----------------------------------------------------------------------------------------


def statement_lines(said: Envelope, commission_taken_off: bool) -> Iterable[StatementLine]:
    """What one record did to the wallet: nothing, a charge, or a charge and its return. Raises Broken.

    They tell no moment of a return; a transfer that is over ended with it."""
    record = Members.of(said.members.values.get("TransferRecord"))
    word = (record.text_or_none("ProcessingState") or "").strip()
    was_charged = word in _DONE or (word in _OVER and (_was_delivered(record) or word == "Cancelled"))
    if not was_charged:
        return
    names, price = record.within("TransferId"), record.within("Price")
    started_at, completed_at = record.moment_or_none("StartedUtc"), record.moment_or_none("CompletedUtc")
    at = started_at or completed_at
    provider_ref, cost = names.id_or_none("TransferRef"), charged(price, record, commission_taken_off)
    if provider_ref is None or at is None or cost is None:
        raise Broken("a transfer without id, moment or price")
    number = record.text_or_none("AccountNumber")
    states = (
        [(OutcomeState.SUCCEEDED, at)]
        if word in _DONE
        else [(OutcomeState.SUCCEEDED, at), (OutcomeState.REVERSED, completed_at or at)]
    )
    for state, moment in states:
        yield StatementLine(
            provider_ref=provider_ref,
            ref=names.text_or_none("DistributorRef"),
            number=f"+{number.removeprefix('+')}" if number else None,
            product_key=None,  # a SkuCode alone does not tell which amount of a range it was
            cost=cost,
            state=state,
            at=moment,
        )


def charged(price: Members, record: Members, commission_taken_off: bool) -> Money | None:
    """What a transfer took from the wallet: their documents name the parts and not the sum."""
    commission = record.number_or_none("CommissionApplied") or Decimal(0)
    return _sum(price, commission if commission_taken_off else Decimal(0))


def _sum(price: Members, commission: Decimal) -> Money | None:
    send, currency = price.number_or_none("SendValue"), price.text_or_none("SendCurrencyIso")
    if send is None or not currency:
        return None
    fee = price.number_or_none("DistributorFee") or Decimal(0)
    try:
        return from_decimal(send + fee - _rounded(commission, currency), currency.upper())
    except NotMoney as fault:
        raise Broken("not money") from fault


def _rounded(number: Decimal, currency: str) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-minor_digits(currency.upper())), ROUND_HALF_UP)


# --- the catalogue --------------------------------------------------------------------------------------------------


def range_key(sku: str, send: Decimal) -> str:
    """A product with a range of amounts is offered as several: SKU:10, or SKU:12.50 where somebody asked for that."""
    return f"{sku}:{int(send)}" if send == send.to_integral_value() else f"{sku}:{send:f}"


def known_of(product: Members, currency: str, commission_taken_off: bool) -> Known | None:
    """None when it is not paid for in ``currency``. Raises Broken."""
    least, most = product.within("Minimum"), product.within("Maximum")
    send, dearest = least.number_or_none("SendValue"), most.number_or_none("SendValue")
    if send is None or dearest is None or (least.text_or_none("SendCurrencyIso") or "").upper() != currency:
        return None
    cost, face = _cost_and_face(product, least, commission_taken_off)
    is_pin = product.values.get("RedemptionMechanism") == "ReadReceipt"
    return Known(product.text("SkuCode"), product.text("ProviderCode"), send != dearest, is_pin, send, cost, face)


def _cost_and_face(product: Members, price: Members, commission_taken_off: bool) -> tuple[Money, Money]:
    rate = product.number_or_none("CommissionRate") if commission_taken_off else None
    send = price.number_or_none("SendValue") or Decimal(0)
    cost = _sum(price, send * (rate or Decimal(0)))
    face = _received(price) or price.money_or_none("SendValue", "SendCurrencyIso")
    if cost is None or face is None:
        raise Broken("a product without a price")
    return cost, face


def product_of(product: Members, known: Known, line: str, country: str) -> Product:
    """A product with one price."""
    return _product(product, known.sku, known.cost, known.face, line, country)


def amount_of(product: Members, price: Members, amount: Decimal, line: str, country: str, commission_taken_off: bool) -> Product:
    """One amount of a range, at the price that was estimated for it. Raises Broken."""
    cost, face = _cost_and_face(product, price, commission_taken_off)
    return _product(product, range_key(product.text("SkuCode"), amount), cost, face, line, country)


def _product(product: Members, key: str, cost: Money, face: Money, line: str, country: str) -> Product:
    mechanism = product.text_or_none("RedemptionMechanism")
    fulfilment = Fulfilment.PIN if mechanism == "ReadReceipt" else Fulfilment.DIRECT
    if len(key) > _LONGEST_KEY:
        raise Broken("a name that is too long")
    text = product.text_or_none("DefaultDisplayText") or key
    if ":" in key and face:
        text = f"{text} {face}"
    return Product(
        key=key,
        name=f"{line} {text}"[:_LONGEST_NAME],
        kind=_kind(product, key, fulfilment),
        fulfilment=fulfilment,
        cost=cost,
        face=face,
        valid_days=_days(product.text_or_none("ValidityPeriodIso")),
        line=line[:_LONGEST_LINE],
        operator=product.text("ProviderCode"),
        sellable=_sellable(product, mechanism),
        country=country,
        redeem=product.text_or_none("AdditionalInformation") or None,
    )


def _kind(product: Members, key: str, fulfilment: Fulfilment) -> ProductKind:
    """Benefits are bare words; how much of each stands in the name alone."""
    told = product.values.get("Benefits")
    benefits = {word for word in told if isinstance(word, str)} if isinstance(told, list) else set()
    if fulfilment is Fulfilment.PIN:
        return ProductKind.PIN
    if benefits == {"Data"}:
        return ProductKind.DATA
    is_money = ":" in key or not (benefits - {"Mobile"} or product.values.get("ValidityPeriodIso"))
    return ProductKind.TOPUP if is_money else ProductKind.PLAN


def _sellable(product: Members, mechanism: str | None) -> bool:
    """Not what asks for a bill or for settings that a till has not got, nor what is redeemed in a way that we do not know."""
    asks = any(setting.values.get("IsMandatory") is not False for setting in product.items("SettingDefinitions"))
    known = mechanism in ("Immediate", "ReadReceipt", "ReadAdditionalInformation")
    return known and not asks and product.values.get("LookupBillsRequired") in (False, None)


_PERIOD = re.compile(r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:\d+M)?(?:\d+S)?)?")


def _days(period: str | None) -> int | None:
    """ISO 8601 4.4.3; a month counts 30 days, a part of a day counts as one."""
    found = _PERIOD.fullmatch(period or "")
    if not found:
        return None
    years, months, weeks, days, hours = (int(part or 0) for part in found.groups())
    return years * 365 + months * 30 + weeks * 7 + days + -(-hours // 24) or None


def is_within(line: StatementLine, from_utc: datetime, to_utc: datetime) -> bool:
    return from_utc <= line.at < to_utc
