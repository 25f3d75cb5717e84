"""TM Forum Open APIs and CAMARA KYC Match: the adapter for carriers that open their own systems to a dealer.

Our profile of these standards is docs/carriers.md: a plan is renewed by a TMF622 product order that carries
our reference as ``externalId``; money is put on a SIM by a TMF654 top-up; what is on a SIM is read from TMF637 and
TMF654, the catalogue from TMF620; a document is compared by CAMARA and never read.

Nothing here sends an order twice, but for one case: after a 401 for a stale token, which says that nothing was done."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Literal, NoReturn
from urllib.parse import quote, urlencode

import httpx2
import phonenumbers
import structlog

from pos.carriers import camara
from pos.carriers.members import Broken, Members, code, read_json, write_json
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
from pos.carriers.tokens import ClientCredentials, StaticBearer, TokenRefused, Tokens
from pos.carriers.wire import (
    CONNECT_SECONDS,
    LARGE_BODY_BYTES,
    SMALL_BODY_BYTES,
    Call,
    Deadline,
    NeverSent,
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


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TmForumSettings:
    """One carrier that speaks this protocol. Templates hold ``{number}`` or ``{ref}``, which go in percent-encoded.

    ``currencies``: plans and amounts in any other are left alone. ``enforce_unique_refs``: the carrier answers 409 to a
    reference it knows, and promises so. Paths that are None are not offered by this carrier."""

    base_url: str
    auth: ClientCredentials | StaticBearer | None
    currencies: tuple[str, ...]
    enforce_unique_refs: bool = False
    settle_window: timedelta = timedelta(seconds=180)
    deadline_seconds: float = 20.0
    connect_seconds: float = CONNECT_SECONDS
    order_action: Literal["add", "modify"] = "add"
    top_ups: bool = True
    product_query: str = "productSerialNumber={number}"
    bucket_query: str = "logicalResource.value={number}"
    order_query: str = "externalId={ref}"
    topup_query: str = "externalId={ref}"
    catalogue_query: str = ""
    page_size: int = 100
    kyc_path: str | None = None
    wallet_path: str | None = None
    statement_path: str | None = None
    statement_complete_after: timedelta | None = None
    unasked_patience: timedelta = timedelta(minutes=5)
    price_names: PriceNames = PriceNames()
    error_codes: Mapping[str, Reason] = field(default_factory=dict)
    operator_name: str | None = None
    country: str | None = None
    ssl_context: ssl.SSLContext | None = None
    clock: Callable[[], datetime] = _utc_now


class _Refused(Exception):
    """A read was refused, or answered with something else than records."""


# All the ways in which a read can be of no use.
_USELESS = (WireFault, TokenRefused, Broken, _Refused)


class TmForum:
    """Fits ``ports.Carrier``. Safe to share between threads.

    ``transport`` is for tests; without it the wire opens real connections."""

    def __init__(self, settings: TmForumSettings, name: str, transport: httpx2.BaseTransport | None = None) -> None:
        self.name = name
        self._settings = settings
        self._now = settings.clock
        self._codes = CODES | dict(settings.error_codes)
        self._wire = Wire(
            name,
            connect_seconds=settings.connect_seconds,
            ssl_context=settings.ssl_context,
            transport=transport,
        )
        self._tokens = Tokens(self._wire, settings.auth, settings.clock)

    def close(self) -> None:
        """Let go of the network."""
        self._wire.close()

    def declaration(self) -> Declaration:
        """Fixed by the configuration."""
        offered = {
            Capability.LOOKUP_NUMBER: True,
            Capability.SUBSCRIPTION: True,
            Capability.FIND_BY_REF: True,
            Capability.WEBHOOK: True,
            Capability.IDENTITY_MATCH: self._settings.kyc_path is not None,
            Capability.WALLET: self._settings.wallet_path is not None,
            Capability.STATEMENT: self._settings.statement_path is not None,
        }
        return Declaration(
            capabilities=frozenset(capability for capability, is_offered in offered.items() if is_offered),
            enforces_unique_refs=self._settings.enforce_unique_refs,
            settle_window=self._settings.settle_window,
            deadline_seconds=self._settings.deadline_seconds,
            statement_complete_after=self._settings.statement_complete_after,
            unasked_patience=self._settings.unasked_patience,
        )

    # --- selling ----------------------------------------------------------------------------------------------------

    def submit(self, request: Request) -> Outcome:
        """One product order or one top-up, sent once. Raises nothing; what is not recognised is UNKNOWN.

        ``raw_code`` is the carrier's code or state word; where no carrier spoke, the wire's word (``tls`` wants the
        manager), and ``http_502`` and its like for answers that are not the carrier's."""
        deadline = self._deadline()
        try:
            if request.face.currency not in self._settings.currencies:
                return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_AMOUNT)
            if request.kind is ProductKind.TOPUP:
                return self._top_up(request, deadline)
            return self._order(request, deadline)
        except TokenRefused as fault:
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=fault.code)
        except NeverSent as fault:
            # A certificate that does not fit is the shop's to mend, or somebody in between: a reason of its own (F5).
            reason = Reason.CERTIFICATE if fault.why == "tls" else Reason.UNREACHABLE
            return Outcome(OutcomeState.NOT_SENT, reason=reason, raw_code=fault.why)
        except NoAnswer as fault:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.NO_ANSWER, raw_code=fault.why)

    def _order(self, request: Request, deadline: Deadline) -> Outcome:
        """TMF622 v4.0.0 ProductOrder_Create."""
        kind = _kind_of(request.number)
        item = {
            "id": "1",
            "action": self._settings.order_action,
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
        query = _filled(self._settings.bucket_query, "{number}", request.number)
        reply = self._get(f"{BALANCE}/bucket", query, deadline, request.ref)
        if reply.status == 404 and _error_code(reply):
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_NUMBER, raw_code=code(_error_code(reply)))
        if reply.status not in (200, 206):
            refusal = self._refusal(reply)
            if refusal.state is OutcomeState.UNKNOWN:
                return replace(refusal, state=OutcomeState.NOT_SENT, reason=Reason.UNREACHABLE)
            return refusal
        buckets = about(request.number, _records(reply), bucket_numbers)
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
                retry_after=self._retry_after(reply),
            )
        if (reply.status in REFUSALS and error and reason is Reason.AUTH) or (
            reply.status == 401 and "www-authenticate" in reply.headers
        ):
            # We were not let in, so nothing was done; that is the shop's to mend, and no fault of the customer's (F20).
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=raw_code)
        if reply.status in REFUSALS and error:
            return Outcome(OutcomeState.FAILED, reason=reason, raw_code=raw_code)
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=raw_code)

    def _retry_after(self, reply: Reply) -> timedelta | None:
        """RFC 9110 10.2.3: seconds or a date; None when it is not told."""
        told = reply.headers.get("retry-after", "").strip()
        if told.isascii() and told.isdigit() and len(told) < 7:
            return timedelta(seconds=int(told))
        try:
            at = parsedate_to_datetime(told)
        except (ValueError, OverflowError):
            return None
        return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - self._now())

    def _order_outcome(self, order: Members) -> Outcome:
        return order_outcome(order, self._settings.price_names, self._codes)

    def _topup_outcome(self, topup: Members) -> Outcome:
        return topup_outcome(topup, self._codes)

    # --- asking what became of it -----------------------------------------------------------------------------------

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """Orders first, then top-ups, because a reference does not say which it was. Raises nothing.

        ABSENT needs a clean "nothing" from everywhere we could have sent it."""
        deadline = self._deadline()
        searches: list[tuple[str, str, Callable[[Members], Outcome]]] = [
            (f"{ORDERING}/productOrder", self._settings.order_query, self._order_outcome)
        ]
        if self._settings.top_ups:
            searches.append((f"{BALANCE}/topupBalance", self._settings.topup_query, self._topup_outcome))
        clear = True
        for path, template, read in searches:
            try:
                outcomes = [read(record) for record in self._search(path, template, ref, provider_ref, deadline)]
            except _USELESS:
                clear = False
                continue
            if outcomes:
                return _finding(outcomes)
        return Finding(FindState.ABSENT if clear else FindState.CANNOT_TELL)

    def _search(self, path: str, template: str, ref: str, provider_ref: str | None, deadline: Deadline) -> list[Members]:
        """The records that carry exactly our reference. Empty only for a clean "nothing"; raises one of _USELESS."""
        doubt: Exception | None = None
        try:
            query = f"{_filled(template, '{ref}', ref)}&limit={self._settings.page_size}"
            records = self._list(path, query, deadline, ref)
            if matches := [record for record in records if ref in refs_of(record)]:
                return matches
            if records:
                # The carrier ignored our filter; ours may be on another page.
                doubt = _Refused("filter ignored")
        except _USELESS as fault:
            doubt = fault
        if provider_ref and (found := self._one(path, provider_ref, deadline, ref)) and ref in refs_of(found):
            return [found]
        if doubt is not None:
            raise doubt
        return []

    def _one(self, path: str, provider_ref: str, deadline: Deadline, ref: str) -> Members | None:
        """The record with the carrier's own id; None when the carrier says there is none. Raises one of _USELESS."""
        reply = self._get(f"{path}/{quote(provider_ref, safe='')}", "", deadline, ref, shown=f"{path}/{{id}}")
        if reply.status == 404 and _error_code(reply):
            return None
        if reply.status != 200:
            raise _Refused(reply.status)
        return Members.of(read_json(reply.body))

    # --- looking ----------------------------------------------------------------------------------------------------

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        """This carrier, when it knows the number. Raises CarrierUnavailable."""
        state = self.get_subscription(number).state
        if state is SubscriptionState.UNAVAILABLE:
            raise CarrierUnavailable(f"{self.name} does not answer")
        if state is SubscriptionState.NOT_FOUND:
            return []
        country = self._settings.country or _country_of(number)
        return [OperatorCandidate(self.name, self._settings.operator_name or self.name, country, confident=True)]

    def get_subscription(self, number: str) -> Subscription:
        """TMF637 products and TMF654 buckets of one SIM, merged. Raises nothing."""
        deadline = self._deadline()
        settings = self._settings
        products = self._about(number, f"{INVENTORY}/product", settings.product_query, product_numbers, deadline)
        buckets = self._about(number, f"{BALANCE}/bucket", settings.bucket_query, bucket_numbers, deadline)
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
        except _USELESS:
            return None

    def list_products(self) -> Iterator[Product]:
        """TMF620 offerings with a price in our currencies, page by page; a page has the declared deadline to itself.

        Raises CarrierUnavailable, also between two products: half a catalogue must not retire the other half."""
        try:
            yield from self._products()
        except _USELESS as fault:
            self._unavailable(fault)

    def _products(self) -> Iterator[Product]:
        seen: set[str] = set()
        for page in self._pages(f"{CATALOGUE}/productOffering", self._settings.catalogue_query):
            for offering in page:
                if (key := offering.text("id")) in seen:
                    # The carrier ignores our offset and sends the first page for ever.
                    raise _Refused("the same page twice")
                seen.add(key)
                try:
                    product = product_of(offering, self._settings.price_names, self._price, self._now())
                except Broken:
                    # One plan that cannot be read must not keep a shop from its other plans; it is not sold meanwhile.
                    _log.warning("carrier plan unreadable", carrier=self.name, plan=code(key))
                    continue
                if product and {product.face.currency, product.cost.currency} <= set(self._settings.currencies):
                    yield product

    def _price(self, key: str) -> Members:
        """A ProductOfferingPrice that an offering only points at. Raises one of _USELESS."""
        path = f"{CATALOGUE}/productOfferingPrice"
        reply = self._get(f"{path}/{quote(key, safe='')}", "", self._deadline(), shown=f"{path}/{{id}}")
        if reply.status != 200:
            raise _Refused(reply.status)
        return Members.of(read_json(reply.body))

    def _pages(self, path: str, query: str) -> Iterator[list[Members]]:
        """Pages until the told total is reached, or one is empty. Raises one of _USELESS."""
        offset = 0
        for _ in range(_MOST_PAGES):
            paged = "&".join(part for part in (query, f"offset={offset}", f"limit={self._settings.page_size}") if part)
            reply = self._get(path, paged, self._deadline(), limit_bytes=LARGE_BODY_BYTES)
            if reply.status not in (200, 206):
                raise _Refused(reply.status)
            page = _records(reply)
            yield page
            offset += len(page)
            total = reply.headers.get("x-total-count", "")
            if not page or (total.isascii() and total.isdigit() and offset >= int(total)):
                return
        raise _Refused("too many pages")

    # --- the registered owner ---------------------------------------------------------------------------------------

    def match_identity(self, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        """CAMARA KYC Match v0.4.0. Keys are the members of ``claim`` that say something. Raises CarrierUnavailable.

        The body holds a document number: it goes into the request and nowhere else."""
        if self._settings.kyc_path is None:
            raise NotImplementedError(Capability.IDENTITY_MATCH)
        body = camara.question(number, claim)
        if body is None:
            return camara.nothing(claim)
        try:
            reply = self._post(f"{self._settings.kyc_path}/match", body, self._deadline(), None)
            error = _error_code(reply, "message")
            answers = camara.answers(reply, error, claim)
        except _USELESS as fault:
            self._unavailable(fault)
        if error:
            _log.warning("carrier compared nothing", carrier=self.name, status=reply.status, code=code(error))
        return answers

    # --- the dealer's books -----------------------------------------------------------------------------------------

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""
        if self._settings.wallet_path is None:
            raise NotImplementedError(Capability.WALLET)
        try:
            found = [wallet_balance(entry, self._now()) for entry in self._list(self._settings.wallet_path, "")]
        except _USELESS as fault:
            self._unavailable(fault)
        return [balance for balance in found if balance.available.currency in self._settings.currencies]

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """Movements with ``from_utc <= at < to_utc`` in the order the carrier gives them. Raises CarrierUnavailable.

        A period whose lines do not fit one answer is asked for in halves."""
        if self._settings.statement_path is None:
            raise NotImplementedError(Capability.STATEMENT)
        return self._statement(self._settings.statement_path, from_utc, to_utc)

    def _statement(self, path: str, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        periods, deadline = [(from_utc, to_utc)], self._deadline()
        while periods:
            start, end = periods.pop()
            try:
                lines = self._lines(path, start, end, deadline)
            except _USELESS as fault:
                half = (end - start) / 2
                if not (isinstance(fault, NoAnswer) and fault.why == "too_large") or half < _SHORTEST_STATEMENT:
                    self._unavailable(fault)
                periods += [(start + half, end), (start, start + half)]
                continue
            if lines:
                yield from lines
                # Halving must not wait for ever; who has got lines may wait again for the next.
                deadline = self._deadline()

    def _lines(self, path: str, start: datetime, end: datetime, deadline: Deadline) -> list[StatementLine]:
        """The lines of one period in one answer. Raises one of _USELESS."""
        query = urlencode({"from": _moment(start), "to": _moment(end)})
        reply = self._get(path, query, deadline, limit_bytes=LARGE_BODY_BYTES)
        if reply.status != 200:
            raise _Refused(reply.status)
        return [statement_line(entry) for entry in _lines(reply)]

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:
        """A TMF622 or TMF654 event; unsigned, so no hint is ever authenticated. What cannot be read is empty."""
        nothing = Hint(None, None, authenticated=False)
        if len(body) > SMALL_BODY_BYTES:
            return nothing
        try:
            event = Members.of(read_json(body)).within("event")
            for name in ("productOrder", "topupBalance"):
                if event.values.get(name) is not None:
                    record = event.within(name)
                    ref = next((text for text in sorted(refs_of(record)) if _OUR_REF.fullmatch(text)), None)
                    return Hint(ref, record.id_or_none("id"), authenticated=False)
        except Broken:
            pass
        return nothing

    # --- requests ---------------------------------------------------------------------------------------------------

    def _deadline(self) -> Deadline:
        return Deadline(self._settings.deadline_seconds)

    def _list(self, path: str, query: str, deadline: Deadline | None = None, ref: str | None = None) -> list[Members]:
        """The records of a collection, empty when the carrier says so: 200 with ``[]``, or 404 with an Error."""
        reply = self._get(path, query, deadline or self._deadline(), ref)
        if reply.status == 404 and _error_code(reply):
            return []
        if reply.status not in (200, 206):
            raise _Refused(reply.status)
        return _records(reply)

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
        url = f"{self._settings.base_url}{path}" + (f"?{query}" if query else "")
        return self._ask(Call("GET", url, shown or path, ref=ref, limit_bytes=limit_bytes), deadline)

    def _post(self, path: str, body: Mapping[str, object], deadline: Deadline, ref: str | None) -> Reply:
        headers = {"Content-Type": "application/json;charset=utf-8"}
        call = Call("POST", f"{self._settings.base_url}{path}", path, headers, write_json(body), ref)
        return self._ask(call, deadline)

    def _ask(self, call: Call, deadline: Deadline) -> Reply:
        """One exchange with a bearer token; once more with a new token when the carrier calls this one stale.

        Raises TokenRefused, NeverSent or NoAnswer, and each is true of ``call``: a token that cannot be fetched means
        that the call did not leave, and a 401 means that it did nothing."""
        # Half of the time at most, so that a slow token does not send an order out with seconds left to answer.
        token = self._tokens.current(Deadline(deadline.remaining() / 2))
        reply = self._wire.ask(_with_token(call, token), deadline)
        if reply.status != 401 or not self._tokens.renewable or not _is_told(reply):
            return reply
        fresh = self._tokens.current(Deadline(deadline.remaining() / 2), stale=token)
        return self._wire.ask(_with_token(call, fresh), deadline)

    def _unavailable(self, fault: Exception) -> NoReturn:
        why = fault.why if isinstance(fault, WireFault) else type(fault).__name__
        raise CarrierUnavailable(f"{self.name} gave no usable answer ({why})") from fault


# Which outcome speaks for a reference that names several records: delivered once is delivered.
_LOUDEST = (OutcomeState.SUCCEEDED, OutcomeState.PENDING, OutcomeState.REVERSED, OutcomeState.FAILED)


def _finding(outcomes: list[Outcome]) -> Finding:
    """What the records under one reference say together."""
    readable = [outcome for outcome in outcomes if outcome.state in _LOUDEST]
    if not readable:
        return Finding(FindState.CANNOT_TELL)
    delivered = sum(outcome.state is OutcomeState.SUCCEEDED for outcome in readable)
    best = min(readable, key=lambda outcome: _LOUDEST.index(outcome.state))
    return Finding(FindState.FOUND, best, doubled=delivered > 1)


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


def _records(reply: Reply) -> list[Members]:
    """The objects of a JSON array. Raises Broken."""
    found = read_json(reply.body)
    if not isinstance(found, list):
        raise Broken("not a list")
    return [Members.of(entry) for entry in found]


def _lines(reply: Reply) -> list[Members]:
    """The objects of a JSON array, or of one object on each line (NDJSON). Raises Broken.

    No lines at all is an answer only when it says that it is NDJSON, and the last line must be whole: an empty or cut
    statement would tell that our sales never reached the carrier."""
    if reply.body.lstrip()[:1] == b"[":
        return _records(reply)
    if "ndjson" not in reply.headers.get("content-type", "") or (reply.body and not reply.body.endswith(b"\n")):
        raise Broken("not lines")
    return [Members.of(read_json(line)) for line in reply.body.splitlines() if line.strip()]


def _with_token(call: Call, token: str | None) -> Call:
    return call if token is None else replace(call, headers={**call.headers, "Authorization": f"Bearer {token}"})


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
