"""DingConnect V1: a reseller of many operators' top-ups, bundles and vouchers, paid from one prepaid wallet.

Its guard against a used reference is known to let the same order be paid again, so nothing here ever sends an order twice,
but for one case: a 401 for a stale token, which says that nothing was done. What became of an order is read from the list of
transfers, and our reference in it is compared here.

The price of a product with one price is read before it is ordered, because an order names what we are ready to pay: what has
become dearer, or brings the customer less, than the price list said is refused before it is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlencode

import structlog
from pydantic import Field, SecretStr

from pos.carriers.adapter import USELESS, Adapter, Refused, found, sent_once, utc_now
from pos.carriers.configuration import ClientCredentialsKeys, ResellerKeys, Table, grant_of, wire_of
from pos.carriers.ding_records import (
    TIMED_OUT,
    Envelope,
    Known,
    amount_of,
    is_within,
    known_of,
    objection,
    pin_is_in_doubt,
    product_of,
    statement_lines,
    transfer_outcome,
    without_record,
)
from pos.carriers.members import Broken, Members, code
from pos.carriers.rest import Rest, retry_after
from pos.carriers.tokens import Tokens
from pos.carriers.wire import LARGE_BODY_BYTES, SMALL_BODY_BYTES, Deadline, NoAnswer, Reply, Wire
from pos.ports import (
    Capability,
    CarrierUnavailable,
    Declaration,
    Finding,
    FindState,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Product,
    Reason,
    Request,
    StatementLine,
    WalletBalance,
)

# How long they remember a transfer; a little less than the two months of their documents.
_MEMORY = timedelta(days=59)
# For how long a price that was read may be ordered by without another look.
_PRICE_HOLDS = timedelta(minutes=15)
# One reference can hold several paid transfers, so never one alone.
_FEWEST_TAKEN = 10
_MOST_PAGES = 500
_ESTIMATES_AT_ONCE = 50
_RANGE_KEY = re.compile(r"(?P<sku>[^:]+):(?P<amount>[0-9]{1,4})")

_log = structlog.get_logger("pos.carriers")


class ApiKeyKeys(Table):
    """One key for good, in a header of its own."""

    kind: Literal["api_key"]
    key: SecretStr


class OAuthKeys(ClientCredentialsKeys):
    """OAuth 2 client credentials, which they read from the form."""

    sent_as: Literal["basic", "post"] = "post"


class DingKeys(ResellerKeys):
    """The keys of a carrier with ``protocol = "ding"``. ``commission``: whether it is taken off each charge (``taken_off``) or
    settled apart (``apart``), which decides what a sale costs."""

    auth: Annotated[ApiKeyKeys | OAuthKeys, Field(discriminator="kind")]
    settle_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 90
    commission: Literal["taken_off", "apart"] = "taken_off"


@dataclass(frozen=True)
class _Seen:
    product: Known
    at: datetime


class Ding(Adapter):
    """Fits ``ports.Carrier``. Safe to share between threads.

    ``wire`` and ``clock`` are for tests; without them connections and time are real."""

    def __init__(self, keys: DingKeys, name: str, *, wire: Wire | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(name)
        self._keys = keys
        self._now = clock
        self._taken_off = keys.commission == "taken_off"
        self._seen: dict[str, _Seen] = {}
        self._wire = wire or wire_of(name, keys)
        if isinstance(keys.auth, ApiKeyKeys):
            self._rest = Rest(self._wire, keys.base_url, headers={"api_key": keys.auth.key.get_secret_value()})
        else:
            tokens = Tokens(self._wire, grant_of(keys.auth), clock)
            self._rest = Rest(self._wire, keys.base_url, tokens, is_stale=_is_told)

    def declaration(self) -> Declaration:
        """``enforces_unique_refs`` is no setting here: their guard was seen to fail."""
        return Declaration(
            capabilities=frozenset(
                {
                    Capability.LOOKUP_NUMBER,
                    Capability.VALIDATE,
                    Capability.FIND_BY_REF,
                    Capability.STATEMENT,
                    Capability.WALLET,
                }
            ),
            enforces_unique_refs=False,
            settle_window=self._keys.settle_window,
            deadline_seconds=self._keys.deadline_seconds,
            statement_complete_after=self._keys.statement_complete_after,
            unasked_patience=self._keys.unasked_patience,
        )

    # --- selling ----------------------------------------------------------------------------------------------------

    def submit(self, request: Request) -> Outcome:
        """One SendTransfer, sent once. Raises nothing; what is not recognised is UNKNOWN.

        ``raw_code`` is their code with its context (``ProviderError:RechargeNotAllowed``) or the transfer's state; where they
        did not speak, the wire's word, and ``http_502`` and its like for answers that are not theirs."""
        deadline = self._deadline()
        return sent_once(lambda: self._order(request, deadline))

    def _order(self, request: Request, deadline: Deadline) -> Outcome:
        number = _digits(request.number)
        if number is None:
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_NUMBER)
        try:
            # Half of the time at most, so that the order itself does not go out with seconds left.
            send = self._send_value(request, Deadline(deadline.remaining() / 2))
        except (NoAnswer, Broken) as fault:
            # The look at the price got lost, the order has not left.
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.UNREACHABLE, raw_code=type(fault).__name__)
        if isinstance(send, Outcome):
            return send
        body = self._transfer(request, request.ref, number, send, only_validate=False)
        reply = self._rest.post("/SendTransfer", body, deadline=deadline, ref=request.ref)
        outcome = self._answer(reply, request)
        return self._confirmed_by_reading(outcome, request, deadline) if outcome.raw_code == TIMED_OUT else outcome

    def _transfer(self, request: Request, ref: str, number: str, send: Decimal, *, only_validate: bool) -> dict[str, object]:
        return {
            "SkuCode": _sku(request.product_key),
            "SendValue": send.quantize(Decimal("0.01")),
            "SendCurrencyIso": self._keys.currency,
            "AccountNumber": number,
            "DistributorRef": ref,
            "ValidateOnly": only_validate,  # they refuse an order without it, also when it is false
            "Settings": [],
        }

    def _answer(self, reply: Reply, request: Request) -> Outcome:
        seen = self._seen.get(_sku(request.product_key))
        try:
            outcome = transfer_outcome(Envelope.read(reply.body), request.ref, seen.product if seen else None)
        except Broken:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=f"http_{reply.status}")
        if outcome.reason is Reason.RATE_LIMITED:
            return replace(outcome, retry_after=retry_after(reply, self._now()))
        return outcome

    def _confirmed_by_reading(self, outcome: Outcome, request: Request, deadline: Deadline) -> Outcome:
        """Their operator kept silent for as long as it may. They call that failed and not charged; one look at the list must
        say so, too, because silence is no answer."""
        finding = self._find(request.ref, None, deadline)
        if finding.state is FindState.FOUND and finding.outcome is not None and not finding.doubled:
            return finding.outcome
        return replace(outcome, state=OutcomeState.UNKNOWN, reason=Reason.OPERATOR_DOWN)

    def _send_value(self, request: Request, deadline: Deadline) -> Decimal | Outcome:
        """What to offer for the product, or the outcome of a sale that cannot be. Raises TokenRefused, NeverSent, NoAnswer,
        Broken; nothing was ordered."""
        ranged = _RANGE_KEY.fullmatch(request.product_key)
        seen = self._seen.get(_sku(request.product_key))
        if seen is None or not (ranged or (self._now() - seen.at < _PRICE_HOLDS and _is_price(seen.product, request))):
            query = urlencode({"skuCodes": _sku(request.product_key)})
            reply = self._rest.get("/GetProducts", query, deadline=deadline, ref=request.ref, limit_bytes=LARGE_BODY_BYTES)
            said = Envelope.read(reply.body)
            if said.result != 1:
                return _not_ordered(said, retry_after(reply, self._now()))
            product = self._learn(said, _sku(request.product_key))
        else:
            product = seen.product
        if product is None or product.is_range is not bool(ranged):
            return Outcome(OutcomeState.FAILED, reason=Reason.PRODUCT_UNAVAILABLE)
        if ranged:
            return Decimal(ranged["amount"])
        return product.send if _is_price(product, request) else Outcome(OutcomeState.FAILED, reason=Reason.INVALID_AMOUNT)

    def _learn(self, said: Envelope, sku: str) -> Known | None:
        """The product of that name among those told, remembered. Raises Broken."""
        for product in _items(said):
            if product.text_or_none("SkuCode") == sku:
                return self._remember(product)
        return None

    def _remember(self, product: Members) -> Known | None:
        known = known_of(product, self._keys.currency, self._taken_off)
        if known is not None:
            self._seen[known.sku] = _Seen(known, self._now())
        return known

    # --- before the money -------------------------------------------------------------------------------------------

    def validate(self, request: Request) -> Reason | None:
        """A dry run: number, amount and balance; that the operator is up; and that the customer gets what the price list says.

        Under a reference of its own: nobody knows whether a dry run uses one up. Raises CarrierUnavailable."""
        deadline, number = self._deadline(), _digits(request.number)
        if number is None:
            return Reason.INVALID_NUMBER
        with self.looking():
            send = self._send_value(request, deadline)
            if isinstance(send, Outcome):
                if send.state is OutcomeState.FAILED:
                    return send.reason
                raise Refused(send.raw_code)
            known = self._product(_sku(request.product_key), deadline)
            if known is not None and not self._is_up(known.provider, deadline):
                return Reason.OPERATOR_DOWN
            body = self._transfer(request, f"V-{request.ref}"[:36], number, send, only_validate=True)
            said = Envelope.read(self._rest.post("/SendTransfer", body, deadline=deadline).body)
            return objection(said, request.face)

    def _is_up(self, provider: str, deadline: Deadline) -> bool:
        for entry in _items(self._ask("/GetProviderStatus", {"providerCodes": provider}, deadline)):
            if entry.text_or_none("ProviderCode") == provider:
                return entry.values.get("IsProcessingTransfers") is not False
        return True

    # --- asking what became of it -----------------------------------------------------------------------------------

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """Every transfer under our reference, and the one with their own. Raises nothing.

        By reference alone: they may write the number in another way than we did. ABSENT needs a list that was read to its end
        and reaches back to ``sent_at``."""
        finding = self._find(ref, provider_ref, self._deadline())
        if finding.state is FindState.ABSENT and self._now() - sent_at > _MEMORY:
            return Finding(FindState.CANNOT_TELL)
        return finding

    def _find(self, ref: str, provider_ref: str | None, deadline: Deadline) -> Finding:
        try:
            matches = self._search({"DistributorRef": ref}, ref, deadline)
            if not matches and provider_ref:
                matches = self._search({"TransferRef": provider_ref}, ref, deadline)
            outcomes = [transfer_outcome(item, ref, self._product_of(item, deadline)) for item in matches]
        except USELESS:
            return Finding(FindState.CANNOT_TELL)
        return found(outcomes) if outcomes else Finding(FindState.ABSENT)

    def _search(self, by: Mapping[str, str], ref: str, deadline: Deadline) -> list[Envelope]:
        """The transfers that carry exactly our reference. Empty only for a clean "nothing"; raises one of USELESS."""
        matches: dict[str, Envelope] = {}
        for item in self._transfers(by, _FEWEST_TAKEN, lambda: deadline, ref):
            names = Members.of(item.members.values.get("TransferRecord")).within("TransferId")
            if names.text_or_none("DistributorRef") == ref:
                matches[names.text("TransferRef")] = item
        return list(matches.values())

    def _product_of(self, item: Envelope, deadline: Deadline) -> Known | None:
        """What the record's product is; None when nobody could say. Raises one of USELESS where the record hangs on it."""
        record = Members.of(item.members.values.get("TransferRecord"))
        sku = record.text_or_none("SkuCode")
        if not sku:
            return None
        try:
            return self._product(sku, deadline)
        except USELESS:
            if pin_is_in_doubt(record):
                raise
            return None

    def _product(self, sku: str, deadline: Deadline) -> Known | None:
        """As it was when it was last read; None when they do not know it. Raises one of USELESS."""
        seen = self._seen.get(sku)
        if seen is not None:
            return seen.product
        return self._learn(self._ask("/GetProducts", {"skuCodes": sku}, deadline), sku)

    def _transfers(
        self, by: Mapping[str, str], take: int, deadline: Callable[[], Deadline], ref: str | None = None
    ) -> Iterator[Envelope]:
        """ListTransferRecords page by page, each item with its own envelope. Raises one of USELESS.

        New transfers move the others down a page while we read: some come twice, none is missed."""
        skip = 0
        for _ in range(_MOST_PAGES):
            asked = {**by, "Skip": skip, "Take": take}
            limit = SMALL_BODY_BYTES if by else LARGE_BODY_BYTES
            reply = self._rest.post("/ListTransferRecords", asked, deadline=deadline(), ref=ref, limit_bytes=limit)
            said = Envelope.read(reply.body)
            if take > _FEWEST_TAKEN and ("ParameterOutOfRange", "Take") in said.codes:
                take = _FEWEST_TAKEN
                continue
            page = [Envelope.of(item) for item in _items(_accepted(said))]
            yield from page
            skip += len(page)
            more = said.members.values.get("ThereAreMoreItems")
            if not isinstance(more, bool) or (more and not page):
                raise Broken("a list without an end")
            if not more:
                return
        raise Refused("too many pages")

    # --- looking ----------------------------------------------------------------------------------------------------

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        """The operators whose number it may be; none for a number that they cannot place. Raises CarrierUnavailable."""
        digits, deadline = _digits(number), self._deadline()
        if digits is None:
            return []
        with self.looking():
            reply = self._rest.get("/GetAccountLookup", {"accountNumber": digits}, deadline=deadline, shown="/GetAccountLookup")
            said = Envelope.read(reply.body)
            if said.result == 2 or (said.refusal is Reason.INVALID_NUMBER):
                return []
            codes = [entry.text("ProviderCode") for entry in _items(_accepted(said))]
            codes = list(dict.fromkeys(codes))
            country = said.members.text_or_none("CountryIso") or "ZZ"
            names = self._provider_names(codes, deadline) if codes else {}
            return [OperatorCandidate(each, names.get(each, each), country, confident=len(codes) == 1) for each in codes]

    def _provider_names(self, codes: Iterable[str], deadline: Deadline) -> dict[str, str]:
        said = self._ask("/GetProviders", [("providerCodes", each) for each in codes], deadline)
        return {entry.text("ProviderCode"): entry.text("Name") for entry in _items(said)}

    def list_products(self) -> Iterator[Product]:
        """The products of our countries and operators, country by country; a range as one product for each of our amounts.

        Raises CarrierUnavailable, also between two products: half a catalogue must not retire the other half."""
        try:
            seen: set[str] = set()
            for country in self._keys.countries:
                for product in self._products(country):
                    if product.key not in seen:
                        seen.add(product.key)
                        yield product
        except USELESS as fault:
            self.unavailable(fault)

    def _products(self, country: str) -> Iterator[Product]:
        """Compared here as well: a filter that they do not know they ignore without a word. Raises one of USELESS."""
        told = self._ask("/GetProviders", {"countryIsos": country}, self._deadline())
        names = {entry.text("ProviderCode"): entry.text("Name") for entry in _items(told) if _is_of(entry, country)}
        wanted = {each: name for each, name in names.items() if not self._keys.operators or each in self._keys.operators}
        if not wanted:
            return
        query = [("countryIsos", country), *(("providerCodes", each) for each in self._keys.operators)]
        ranged: list[Members] = []
        for product in _items(self._ask("/GetProducts", query, self._deadline())):
            try:
                name = wanted.get(product.text("ProviderCode"))
                known = self._remember(product)
                if name is not None and known is not None and known.is_range:
                    ranged.append(product)
                elif name is not None and known is not None:
                    yield product_of(product, known, name, country)
            except Broken:
                self._tell_unreadable(product)
        yield from self._amounts(ranged, wanted, country)

    def _amounts(self, ranged: list[Members], names: Mapping[str, str], country: str) -> Iterator[Product]:
        """Our amounts of products that take any, each at its estimated price. Raises one of USELESS."""
        asked = [
            (product, amount)
            for product in ranged
            for amount in map(Decimal, self._keys.amounts)
            if _least(product) <= amount <= _most(product)
        ]
        for start in range(0, len(asked), _ESTIMATES_AT_ONCE):
            part = asked[start : start + _ESTIMATES_AT_ONCE]
            for (product, amount), price in zip(part, self._estimates(part), strict=True):
                if price is None:
                    continue
                try:
                    yield amount_of(product, price, amount, names[product.text("ProviderCode")], country, self._taken_off)
                except Broken:
                    self._tell_unreadable(product)

    def _tell_unreadable(self, product: Members) -> None:
        """One product that cannot be read must not keep a shop from the others; it is not sold meanwhile."""
        _log.warning("carrier plan unreadable", carrier=self.name, plan=code(str(product.values.get("SkuCode"))))

    def _estimates(self, asked: list[tuple[Members, Decimal]]) -> list[Members | None]:
        """The price of each, None where they do not sell that amount; they answer in any order. Raises one of USELESS."""
        body = [
            {
                "BatchItemRef": str(place),
                "SkuCode": product.text("SkuCode"),
                "SendValue": amount.quantize(Decimal("0.01")),
                "SendCurrencyIso": self._keys.currency,
            }
            for place, (product, amount) in enumerate(asked)
        ]
        reply = self._rest.post("/EstimatePrices", body, deadline=self._deadline(), limit_bytes=LARGE_BODY_BYTES)
        told: dict[str, Members] = {}
        for item in _items(_accepted(Envelope.read(reply.body), partly=True)):
            if Envelope.of(item).result == 1 and item.values.get("Price") is not None:
                told[item.text("BatchItemRef")] = item.within("Price")
        return [told.get(str(place)) for place in range(len(asked))]

    # --- the distributor's books ------------------------------------------------------------------------------------

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""
        with self.looking():
            told = self._ask("/GetBalance", {}, self._deadline()).members.money_or_none("Balance", "CurrencyIso")
            if told is None:
                raise Broken("a wallet without an amount")
            return [WalletBalance(told, self._now())] if told.currency == self._keys.currency else []

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """Their list knows no dates and no order, so all of it is read and ``from_utc <= at < to_utc`` is picked out here.

        Raises CarrierUnavailable, also for a time that they have begun to forget. A page has the deadline to itself."""
        if self._now() - from_utc > _MEMORY:
            raise CarrierUnavailable(f"{self.name} tells of the last two months only")
        try:
            seen: set[str] = set()
            for item in self._transfers({}, max(self._keys.page_size, _FEWEST_TAKEN), self._deadline):
                lines = [line for line in statement_lines(item, self._taken_off) if line.provider_ref not in seen]
                seen |= {line.provider_ref for line in lines}
                yield from (line for line in lines if is_within(line, from_utc, to_utc))
        except USELESS as fault:
            self.unavailable(fault)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _deadline(self) -> Deadline:
        return Deadline(self._keys.deadline_seconds)

    def _ask(self, path: str, query: Mapping[str, str] | list[tuple[str, str]], deadline: Deadline) -> Envelope:
        """A read that was accepted; a list of pairs repeats its keys, as they want it. Raises one of USELESS."""
        reply = self._rest.get(path, urlencode(query), deadline=deadline, limit_bytes=LARGE_BODY_BYTES)
        return _accepted(Envelope.read(reply.body))


def _not_ordered(said: Envelope, wait: timedelta | None) -> Outcome:
    """A look at the price that was refused: the order stays here."""
    refusal = without_record(said)
    if refusal.state is OutcomeState.NOT_SENT:
        return replace(refusal, retry_after=wait)
    return Outcome(OutcomeState.NOT_SENT, reason=Reason.UNREACHABLE, raw_code=said.raw_code)


def _accepted(said: Envelope, *, partly: bool = False) -> Envelope:
    """Raises Refused unless all of it worked; ``partly``: some of its items may have failed."""
    if said.result != 1 and not (partly and said.result == 2):
        raise Refused(said.raw_code)
    return said


def _items(said: Envelope) -> list[Members]:
    """Raises Broken: no list at all is not an empty one."""
    return Members.each(said.members.values.get("Items"))


def _is_told(reply: Reply) -> bool:
    """Whether a 401 comes from them, who then did nothing, and not from something between us."""
    try:
        return "www-authenticate" in reply.headers or Envelope.read(reply.body).refusal is Reason.AUTH
    except Broken:
        return False


def _is_price(product: Known, request: Request) -> bool:
    return (product.cost, product.face) == (request.cost, request.face)


def _is_of(provider: Members, country: str) -> bool:
    return (provider.text_or_none("CountryIso") or "").upper() == country


def _least(product: Members) -> Decimal:
    return product.within("Minimum").number_or_none("SendValue") or Decimal(0)


def _most(product: Members) -> Decimal:
    return product.within("Maximum").number_or_none("SendValue") or Decimal(0)


def _sku(key: str) -> str:
    return key.partition(":")[0]


def _digits(number: str) -> str | None:
    """International digits without the plus, which they refuse; None for what is no phone number."""
    return number[1:] if re.fullmatch(r"\+[1-9][0-9]{6,14}", number) else None
