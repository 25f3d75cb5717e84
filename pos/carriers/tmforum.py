"""TM Forum Open APIs and CAMARA KYC Match: the adapter for carriers that open their own systems to a dealer.

Our profile of these standards is docs/carriers.md: a plan is renewed by a TMF622 product order that carries
our reference as ``externalId``; money is put on a SIM by a TMF654 top-up; what is on a SIM is read from TMF637 and
TMF654, the catalogue from TMF620; a document is compared by CAMARA and never read, or with a TMF632 record that is let go
at once.

Nothing here sends an order twice, but for one case: after a 401 for a stale token, which says that nothing was done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

import phonenumbers
import structlog
from pydantic import Field

from pos.carriers import camara, tmforum_party
from pos.carriers.adapter import NOTHING, USELESS, Adapter, Refused, found, sent_once, utc_now
from pos.carriers.configuration import (
    BearerKeys,
    CarrierKeys,
    ClientCredentialsKeys,
    Country,
    Currency,
    NoAuthKeys,
    NumberQuery,
    RefQuery,
    UrlPath,
    grant_of,
    wire_of,
)
from pos.carriers.members import Broken, Members, code, read_json
from pos.carriers.rest import Rest, records, retry_after
from pos.carriers.tmforum_records import (
    PriceNames,
    about,
    bucket_numbers,
    external_ids,
    order_outcome,
    product_numbers,
    product_of,
    refs_of,
    statement_line,
    subscription_of,
    topup_outcome,
    wallet_balance,
)
from pos.carriers.tokens import Tokens
from pos.carriers.wire import (
    LARGE_BODY_BYTES,
    SMALL_BODY_BYTES,
    Deadline,
    NoAnswer,
    Reply,
    Wire,
    WireFault,
)
from pos.ports import (
    Capability,
    CarrierUnavailable,
    Declaration,
    Finding,
    FindState,
    Hint,
    IdentityClaim,
    MatchAnswer,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    Request,
    StatementLine,
    Subscription,
    SubscriptionState,
    WalletBalance,
)

# Error.code -> reason. TM Forum publishes no list; these are the profile's. A carrier's own go into its configuration.
CODES: dict[str, Reason] = {
    "DUPLICATE_EXTERNAL_ID": Reason.DUPLICATE_REF,
    "INVALID_NUMBER": Reason.INVALID_NUMBER,
    "WRONG_OPERATOR": Reason.WRONG_OPERATOR,
    "INELIGIBLE": Reason.INELIGIBLE_OR_BARRED,
    "INVALID_AMOUNT": Reason.INVALID_AMOUNT,
    "PRODUCT_UNAVAILABLE": Reason.PRODUCT_UNAVAILABLE,
    "OPERATOR_DOWN": Reason.OPERATOR_DOWN,
    "TOO_SOON": Reason.TOO_SOON,
    "LIMIT_REACHED": Reason.LIMIT_REACHED,
    "WALLET_EMPTY": Reason.WALLET_EMPTY,
    "RATE_LIMITED": Reason.RATE_LIMITED,
    "UNAUTHENTICATED": Reason.AUTH,
    # What is wrong with the request itself is our fault, not the number's: the 404 below must not say so.
    "NOT_FOUND": Reason.REJECTED_OTHER,
}

# Statuses that refuse for good when they carry an Error of TM Forum's shape (docs/carriers.md), and what they mean
# when the code is in no table. Every other status of 400 and above leaves the outcome unknown.
REFUSALS: dict[int, Reason] = {
    400: Reason.REJECTED_OTHER,
    401: Reason.AUTH,
    403: Reason.AUTH,
    404: Reason.INVALID_NUMBER,
    405: Reason.REJECTED_OTHER,
    422: Reason.REJECTED_OTHER,
}

# Base paths of the swagger files.
CATALOGUE = "/tmf-api/productCatalogManagement/v4"
ORDERING = "/tmf-api/productOrderingManagement/v4"
INVENTORY = "/tmf-api/productInventory/v4"
BALANCE = "/tmf-api/prepayBalanceManagement/v4"

_MOST_PAGES = 200
_SHORTEST_STATEMENT = timedelta(seconds=1)

_OUR_REF = re.compile(r"[A-Z0-9-]{1,36}")  # ports.Request.ref

_log = structlog.get_logger("pos.carriers")


class TmForumKeys(CarrierKeys):
    """The keys of a carrier with ``protocol = "tmforum"``; templates hold ``{number}`` or ``{ref}``, which go in
    percent-encoded.

    ``currencies``: plans and amounts in any other are left alone. ``enforce_unique_refs``: the carrier answers 409 to a
    reference it knows, and promises so. Paths that are None are not offered by this carrier."""

    auth: Annotated[ClientCredentialsKeys | BearerKeys | NoAuthKeys, Field(discriminator="kind")]
    currencies: Annotated[tuple[Currency, ...], Field(min_length=1)]
    enforce_unique_refs: bool = False
    order_action: Literal["add", "modify"] = "add"
    top_ups: bool = True
    product_query: NumberQuery = "productSerialNumber={number}"
    bucket_query: NumberQuery = "logicalResource.value={number}"
    order_query: RefQuery = "externalId={ref}"
    topup_query: RefQuery = "externalId={ref}"
    catalogue_query: str = ""
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    kyc_path: UrlPath | None = None
    party_path: UrlPath | None = None
    wallet_path: UrlPath | None = None
    statement_path: UrlPath | None = None
    face_price_name: str = "face"
    cost_price_name: str = "cost"
    error_codes: Mapping[str, Reason] = Field(default_factory=dict)
    operator_name: str | None = None
    country: Country | None = None


class TmForum(Adapter):
    """Fits ``ports.Carrier``. Safe to share between threads.

    ``wire`` and ``clock`` are for tests; without them connections and time are real."""

    def __init__(
        self, keys: TmForumKeys, name: str, *, wire: Wire | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(name)
        self._keys = keys
        self._now = clock
        self._codes = CODES | dict(keys.error_codes)
        self._price_names = PriceNames(face=keys.face_price_name, cost=keys.cost_price_name)
        self._wire = wire or wire_of(name, keys)
        self._rest = Rest(self._wire, keys.base_url, Tokens(self._wire, grant_of(keys.auth), clock), is_stale=_is_told)

    def declaration(self) -> Declaration:
        """Fixed by the configuration."""
        offered = {
            Capability.LOOKUP_NUMBER: True,
            Capability.SUBSCRIPTION: True,
            Capability.FIND_BY_REF: True,
            Capability.WEBHOOK: True,
            Capability.IDENTITY_MATCH: (self._keys.kyc_path or self._keys.party_path) is not None,
            Capability.WALLET: self._keys.wallet_path is not None,
            Capability.STATEMENT: self._keys.statement_path is not None,
        }
        return Declaration(
            capabilities=frozenset(capability for capability, is_offered in offered.items() if is_offered),
            enforces_unique_refs=self._keys.enforce_unique_refs,
            settle_window=self._keys.settle_window,
            deadline_seconds=self._keys.deadline_seconds,
            statement_complete_after=self._keys.statement_complete_after,
            unasked_patience=self._keys.unasked_patience,
        )

    # --- selling ----------------------------------------------------------------------------------------------------

    def submit(self, request: Request) -> Outcome:
        """One product order or one top-up, sent once. Raises nothing; what is not recognised is UNKNOWN.

        ``raw_code`` is the carrier's code or state word; where no carrier spoke, the wire's word (``tls`` wants the
        manager), and ``http_502`` and its like for answers that are not the carrier's."""
        deadline = self._deadline()
        if request.face.currency not in self._keys.currencies:
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_AMOUNT)
        send = self._top_up if request.kind is ProductKind.TOPUP else self._order
        return sent_once(lambda: send(request, deadline))

    def _order(self, request: Request, deadline: Deadline) -> Outcome:
        """TMF622 v4.0.0 ProductOrder_Create."""
        kind = _kind_of(request.number)
        item = {
            "id": "1",
            "action": self._keys.order_action,
            "quantity": 1,
            "productOffering": {"id": request.product_key},
            "product": {
                "productSerialNumber": request.number,
                "productCharacteristic": [{"name": kind, "valueType": "string", "value": request.number}],
            },
        }
        body = _signed(request.ref, {"productOrderItem": [item], "@type": "ProductOrder"})
        reply = self._post(f"{ORDERING}/productOrder", body, deadline, request.ref)
        return self._outcome(reply, request.ref, self._order_outcome)

    def _top_up(self, request: Request, deadline: Deadline) -> Outcome:
        """TMF654 v4.0.0 TopupBalance_Create; it wants the ids of the SIM's main bucket and account: one read first."""
        try:
            # Half of the time at most, so that the money itself does not go out with seconds left.
            bucket = self._main_bucket(request, Deadline(deadline.remaining() / 2))
        except (NoAnswer, Broken) as fault:
            # The read got lost, the top-up has not left.
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.UNREACHABLE, raw_code=type(fault).__name__)
        if isinstance(bucket, Outcome):
            return bucket
        kind = _kind_of(request.number)
        try:
            ids = {
                "bucket": {"id": bucket.text("id")},
                "partyAccount": {"id": bucket.within("partyAccount").text("id")},
            }
        except Broken:
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.UNREACHABLE, raw_code="Broken")
        body = _signed(
            request.ref,
            {
                "amount": {"amount": Decimal(request.face.plain()), "units": request.face.currency},
                "usageType": "monetary",
                **ids,
                "logicalResource": [{"id": request.number, "value": request.number, "@type": kind}],
                "@type": "TopupBalance",
            },
        )
        reply = self._post(f"{BALANCE}/topupBalance", body, deadline, request.ref)
        return self._outcome(reply, request.ref, self._topup_outcome)

    def _main_bucket(self, request: Request, deadline: Deadline) -> Members | Outcome:
        """The SIM's money bucket with its ids, or the outcome of a sale that cannot be. Raises NoAnswer, Broken."""
        query = _filled(self._keys.bucket_query, "{number}", request.number)
        reply = self._get(f"{BALANCE}/bucket", query, deadline, request.ref)
        if reply.status == 404 and _error_code(reply):
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_NUMBER, raw_code=code(_error_code(reply)))
        if reply.status not in (200, 206):
            refusal = self._refusal(reply)
            if refusal.state is OutcomeState.UNKNOWN:
                return replace(refusal, state=OutcomeState.NOT_SENT, reason=Reason.UNREACHABLE)
            return refusal
        buckets = about(request.number, records(reply), bucket_numbers)
        if not buckets:
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_NUMBER)
        for bucket in buckets:
            unit = bucket.within("remainingValue").text_or_none("units") or request.face.currency
            if bucket.values.get("usageType") == "monetary" and unit == request.face.currency:
                return bucket
        return Outcome(OutcomeState.FAILED, reason=Reason.INELIGIBLE_OR_BARRED)

    def _outcome(self, reply: Reply, ref: str, read: Callable[[Members], Outcome]) -> Outcome:
        """What an answer to a POST means; a record of another reference is nobody's answer to us."""
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        try:
            record = Members.of(read_json(reply.body))
            # Not the description: a carrier may write there what it likes, and this answer is ours by its connection.
            named = external_ids(record)
            if named and ref not in named:
                raise Broken("the record of another reference")
            return read(record)
        except Broken:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=f"http_{reply.status}")

    def _refusal(self, reply: Reply) -> Outcome:
        """What a status outside 200..299 means (docs/carriers.md): only TM Forum's Error makes a refusal definite."""
        error = _error_code(reply)
        raw_code = code(error) or f"http_{reply.status}"
        reason = self._codes.get(error or "", REFUSALS.get(reply.status, Reason.REJECTED_OTHER))
        if reply.status == 409 or (error and reason is Reason.DUPLICATE_REF):
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.DUPLICATE_REF, raw_code=raw_code)
        if reply.status == 429 and error:
            return Outcome(
                OutcomeState.NOT_SENT,
                reason=Reason.RATE_LIMITED,
                raw_code=raw_code,
                retry_after=retry_after(reply, self._now()),
            )
        if (reply.status in REFUSALS and error and reason is Reason.AUTH) or (
            reply.status == 401 and "www-authenticate" in reply.headers
        ):
            # We were not let in, so nothing was done; that is the shop's to mend, and no fault of the customer's (F20).
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=raw_code)
        if reply.status in REFUSALS and error:
            return Outcome(OutcomeState.FAILED, reason=reason, raw_code=raw_code)
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=raw_code)

    def _order_outcome(self, order: Members) -> Outcome:
        return order_outcome(order, self._price_names, self._codes)

    def _topup_outcome(self, topup: Members) -> Outcome:
        return topup_outcome(topup, self._codes)

    # --- asking what became of it -----------------------------------------------------------------------------------

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """Orders first, then top-ups, because a reference does not say which it was. Raises nothing.

        ABSENT needs a clean "nothing" from everywhere we could have sent it."""
        deadline = self._deadline()
        searches: list[tuple[str, str, Callable[[Members], Outcome]]] = [
            (f"{ORDERING}/productOrder", self._keys.order_query, self._order_outcome)
        ]
        if self._keys.top_ups:
            searches.append((f"{BALANCE}/topupBalance", self._keys.topup_query, self._topup_outcome))
        clear = True
        for path, template, read in searches:
            try:
                outcomes = [read(record) for record in self._search(path, template, ref, provider_ref, deadline)]
            except USELESS:
                clear = False
                continue
            if outcomes:
                return found(outcomes)
        return Finding(FindState.ABSENT if clear else FindState.CANNOT_TELL)

    def _search(self, path: str, template: str, ref: str, provider_ref: str | None, deadline: Deadline) -> list[Members]:
        """The records that carry exactly our reference. Empty only for a clean "nothing"; raises one of USELESS."""
        doubt: Exception | None = None
        try:
            query = f"{_filled(template, '{ref}', ref)}&limit={self._keys.page_size}"
            records = self._list(path, query, deadline, ref)
            if matches := [record for record in records if ref in refs_of(record)]:
                return matches
            if records:
                # The carrier ignored our filter; ours may be on another page.
                doubt = Refused("filter ignored")
        except USELESS as fault:
            doubt = fault
        if provider_ref and (found := self._one(path, provider_ref, deadline, ref)) and ref in refs_of(found):
            return [found]
        if doubt is not None:
            raise doubt
        return []

    def _one(self, path: str, provider_ref: str, deadline: Deadline, ref: str) -> Members | None:
        """The record with the carrier's own id; None when the carrier says there is none. Raises one of USELESS."""
        reply = self._get(f"{path}/{quote(provider_ref, safe='')}", "", deadline, ref, shown=f"{path}/{{id}}")
        if reply.status == 404 and _error_code(reply):
            return None
        if reply.status != 200:
            raise Refused(reply.status)
        return Members.of(read_json(reply.body))

    # --- looking ----------------------------------------------------------------------------------------------------

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        """This carrier, when it knows the number. Raises CarrierUnavailable."""
        state = self.get_subscription(number).state
        if state is SubscriptionState.UNAVAILABLE:
            raise CarrierUnavailable(f"{self.name} does not answer")
        if state is SubscriptionState.NOT_FOUND:
            return []
        country = self._keys.country or _country_of(number)
        return [OperatorCandidate(self.name, self._keys.operator_name or self.name, country, confident=True)]

    def get_subscription(self, number: str) -> Subscription:
        """TMF637 products and TMF654 buckets of one SIM, merged. Raises nothing."""
        deadline = self._deadline()
        keys = self._keys
        products = self._about(number, f"{INVENTORY}/product", keys.product_query, product_numbers, deadline)
        buckets = self._about(number, f"{BALANCE}/bucket", keys.bucket_query, bucket_numbers, deadline)
        if not products and not buckets and (products is None or buckets is None):
            return Subscription(SubscriptionState.UNAVAILABLE, as_of=self._now())
        try:
            return subscription_of(products or [], buckets or [], self._now())
        except Broken:
            return Subscription(SubscriptionState.UNAVAILABLE, as_of=self._now())

    def _about(
        self, number: str, path: str, template: str, numbers: Callable[[Members], Iterable[str]], deadline: Deadline
    ) -> list[Members] | None:
        """The records of this SIM, None when they could not be had."""
        try:
            return about(number, self._list(path, _filled(template, "{number}", number), deadline), numbers)
        except USELESS:
            return None

    def list_products(self) -> Iterator[Product]:
        """TMF620 offerings with a price in our currencies, page by page; a page has the declared deadline to itself.

        Raises CarrierUnavailable, also between two products: half a catalogue must not retire the other half."""
        try:
            yield from self._products()
        except USELESS as fault:
            self.unavailable(fault)

    def _products(self) -> Iterator[Product]:
        seen: set[str] = set()
        for page in self._pages(f"{CATALOGUE}/productOffering", self._keys.catalogue_query):
            for offering in page:
                if (key := offering.text("id")) in seen:
                    # The carrier ignores our offset and sends the first page for ever.
                    raise Refused("the same page twice")
                seen.add(key)
                try:
                    product = product_of(offering, self._price_names, self._price, self._now())
                except Broken:
                    # One plan that cannot be read must not keep a shop from its other plans; it is not sold meanwhile.
                    _log.warning("carrier plan unreadable", carrier=self.name, plan=code(key))
                    continue
                if product and {product.face.currency, product.cost.currency} <= set(self._keys.currencies):
                    yield product

    def _price(self, key: str) -> Members:
        """A ProductOfferingPrice that an offering only points at. Raises one of USELESS."""
        path = f"{CATALOGUE}/productOfferingPrice"
        reply = self._get(f"{path}/{quote(key, safe='')}", "", self._deadline(), shown=f"{path}/{{id}}")
        if reply.status != 200:
            raise Refused(reply.status)
        return Members.of(read_json(reply.body))

    def _pages(self, path: str, query: str) -> Iterator[list[Members]]:
        """Pages until the told total is reached, or one is empty. Raises one of USELESS."""
        offset = 0
        for _ in range(_MOST_PAGES):
            paged = "&".join(part for part in (query, f"offset={offset}", f"limit={self._keys.page_size}") if part)
            reply = self._get(path, paged, self._deadline(), limit_bytes=LARGE_BODY_BYTES)
            if reply.status not in (200, 206):
                raise Refused(reply.status)
            page = records(reply)
            yield page
            offset += len(page)
            total = reply.headers.get("x-total-count", "")
            if not page or (total.isascii() and total.isdigit() and offset >= int(total)):
                return
        raise Refused("too many pages")

    # --- the registered owner ---------------------------------------------------------------------------------------

    def match_identity(self, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        """By CAMARA KYC Match where the carrier has it, else by its TMF632 record. Keys are the members of ``claim`` that say
        something. Raises CarrierUnavailable."""
        if self._keys.kyc_path is not None:
            return self._verdicts(self._keys.kyc_path, number, claim)
        if self._keys.party_path is None:
            raise NotImplementedError(Capability.IDENTITY_MATCH)
        why = ""
        try:
            return self._compared(self._keys.party_path, number, claim)
        except USELESS as fault:
            why = fault.why if isinstance(fault, WireFault) else type(fault).__name__
        # Out here the fault is gone, and with it the answer that some faults hold on to.
        raise CarrierUnavailable(f"{self.name} compared nothing ({why})")

    def _verdicts(self, path: str, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        """CAMARA KYC Match v0.4.0. The body holds a document number: it goes into the request and nowhere else."""
        body = camara.question(number, claim)
        if body is None:
            return camara.nothing(claim)
        try:
            reply = self._post(f"{path}/match", body, self._deadline(), None)
            error = _error_code(reply, "message")
            answers = camara.answers(reply, error, claim)
        except USELESS as fault:
            self.unavailable(fault)
        if error:
            _log.warning("carrier compared nothing", carrier=self.name, status=reply.status, code=code(error))
        return answers

    def _compared(self, path: str, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        """TMF632 v4.0.0 Individual of the SIM's owner, whom its TMF637 products name. Raises one of USELESS."""
        deadline = self._deadline()
        query = _filled(self._keys.product_query, "{number}", number)
        products = about(number, self._list(f"{INVENTORY}/product", query, deadline), product_numbers)
        key = tmforum_party.owner_of(products)
        if key is None:
            return camara.nothing(claim)
        asked = f"{path}/individual"
        fields = urlencode({"fields": tmforum_party.ASKED})
        reply = self._get(f"{asked}/{quote(key, safe='')}", fields, deadline, shown=f"{asked}/{{id}}")
        if reply.status == 404 and _error_code(reply):
            return camara.nothing(claim)
        if reply.status != 200:
            raise Refused(reply.status)
        return tmforum_party.answers(Members.of(read_json(reply.body)), key, claim)

    # --- the dealer's books -----------------------------------------------------------------------------------------

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""
        if self._keys.wallet_path is None:
            raise NotImplementedError(Capability.WALLET)
        try:
            found = [wallet_balance(entry, self._now()) for entry in self._list(self._keys.wallet_path, "")]
        except USELESS as fault:
            self.unavailable(fault)
        return [balance for balance in found if balance.available.currency in self._keys.currencies]

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """Movements with ``from_utc <= at < to_utc`` in the order the carrier gives them. Raises CarrierUnavailable.

        A period whose lines do not fit one answer is asked for in halves."""
        if self._keys.statement_path is None:
            raise NotImplementedError(Capability.STATEMENT)
        return self._statement(self._keys.statement_path, from_utc, to_utc)

    def _statement(self, path: str, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        periods, deadline = [(from_utc, to_utc)], self._deadline()
        while periods:
            start, end = periods.pop()
            try:
                lines = self._lines(path, start, end, deadline)
            except USELESS as fault:
                half = (end - start) / 2
                if not (isinstance(fault, NoAnswer) and fault.why == "too_large") or half < _SHORTEST_STATEMENT:
                    self.unavailable(fault)
                periods += [(start + half, end), (start, start + half)]
                continue
            if lines:
                yield from lines
                # Halving must not wait for ever; who has got lines may wait again for the next.
                deadline = self._deadline()

    def _lines(self, path: str, start: datetime, end: datetime, deadline: Deadline) -> list[StatementLine]:
        """The lines of one period in one answer. Raises one of USELESS."""
        query = urlencode({"from": _moment(start), "to": _moment(end)})
        reply = self._get(path, query, deadline, limit_bytes=LARGE_BODY_BYTES)
        if reply.status != 200:
            raise Refused(reply.status)
        return [statement_line(entry) for entry in _lines(reply)]

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:
        """A TMF622 or TMF654 event; unsigned, so no hint is ever authenticated. What cannot be read is empty."""
        if len(body) > SMALL_BODY_BYTES:
            return NOTHING
        try:
            event = Members.of(read_json(body)).within("event")
            for name in ("productOrder", "topupBalance"):
                if event.values.get(name) is not None:
                    record = event.within(name)
                    ref = next((text for text in sorted(refs_of(record)) if _OUR_REF.fullmatch(text)), None)
                    return Hint(ref, record.id_or_none("id"), authenticated=False)
        except Broken:
            pass
        return NOTHING

    # --- requests ---------------------------------------------------------------------------------------------------

    def _deadline(self) -> Deadline:
        return Deadline(self._keys.deadline_seconds)

    def _list(self, path: str, query: str, deadline: Deadline | None = None, ref: str | None = None) -> list[Members]:
        """The records of a collection, empty when the carrier says so: 200 with ``[]``, or 404 with an Error."""
        reply = self._get(path, query, deadline or self._deadline(), ref)
        if reply.status == 404 and _error_code(reply):
            return []
        if reply.status not in (200, 206):
            raise Refused(reply.status)
        return records(reply)

    def _get(
        self,
        path: str,
        query: str,
        deadline: Deadline,
        ref: str | None = None,
        *,
        shown: str | None = None,
        limit_bytes: int = SMALL_BODY_BYTES,
    ) -> Reply:
        return self._rest.get(path, query, deadline=deadline, ref=ref, shown=shown, limit_bytes=limit_bytes)

    def _post(self, path: str, body: Mapping[str, object], deadline: Deadline, ref: str | None) -> Reply:
        return self._rest.post(path, body, deadline=deadline, ref=ref)


def _error_code(reply: Reply, sentence: str = "reason") -> str | None:
    """``Error.code`` of TM Forum's Error (code and reason) or CAMARA's ErrorInfo (code and message), else None.

    A gateway between us and the carrier writes JSON too: both members must be there before we believe the carrier."""
    try:
        error = Members.of(read_json(reply.body))
    except Broken:
        return None
    told, why = error.values.get("code"), error.values.get(sentence)
    return told if isinstance(told, str) and told and isinstance(why, str) else None


def _is_told(reply: Reply) -> bool:
    """Whether a 401 comes from the carrier, which then did nothing, and not from something between us."""
    return "www-authenticate" in reply.headers or bool(_error_code(reply) or _error_code(reply, "message"))


def _lines(reply: Reply) -> list[Members]:
    """The objects of a JSON array, or of one object on each line (NDJSON). Raises Broken.

    No lines at all is an answer only when it says that it is NDJSON, and the last line must be whole: an empty or cut
    statement would tell that our sales never reached the carrier."""
    if reply.body.lstrip()[:1] == b"[":
        return records(reply)
    if "ndjson" not in reply.headers.get("content-type", "") or (reply.body and not reply.body.endswith(b"\n")):
        raise Broken("not lines")
    return [Members.of(read_json(line)) for line in reply.body.splitlines() if line.strip()]


def _signed(ref: str, body: Mapping[str, object]) -> dict[str, object]:
    """``body`` under our reference, said twice for carriers that drop members they do not know (profile rule 4)."""
    return {"externalId": ref, "description": ref, **body}


def _filled(template: str, place: str, text: str) -> str:
    """``text`` percent-encoded in its place: a bare plus sign would arrive as a blank."""
    return template.replace(place, quote(text, safe=""))


def _kind_of(number: str) -> str:
    return "MSISDN" if number.startswith("+") else "ICCID"


def _country_of(number: str) -> str:
    """ISO 3166 alpha-2 by the number's prefix; ZZ, the standard's own "unknown", where there is none."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "ZZ"
    # Several countries share a prefix; the number tells which, if it is in use at all.
    by_prefix = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return phonenumbers.region_code_for_number(parsed) or by_prefix


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
