"""Airalo Partner API v2: new eSIMs, and top-ups of eSIMs that were bought there, by their serial number.

It knows no unique reference: an order that is sent twice is sold twice. Our reference travels as the order's
``description`` and is found again by searching for it; nothing here sends an order a second time, but for one case: after
a 401 for a stale token, which says that nothing was done.

Source: docs/carriers.md and the vendor's public SDK. Codes are matched, sentences never."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

import structlog
from pydantic import Field, SecretStr

from pos.carriers.adapter import NOTHING, USELESS, Adapter, Refused, found, sent_once, utc_now
from pos.carriers.airalo_records import (
    STATUSES,
    iccids_of,
    is_new_esim,
    order_outcome,
    products_of,
    profile_of,
    statement_lines,
    status_of,
    subscription_of,
    wallet_balances,
)
from pos.carriers.configuration import ResellerKeys, wire_of
from pos.carriers.members import Broken, Members, code, read_json, write_json
from pos.carriers.rest import Rest, members, retry_after
from pos.carriers.tokens import TokenRefused, Tokens, lifetime
from pos.carriers.wire import LARGE_BODY_BYTES, SMALL_BODY_BYTES, Call, Deadline, Reply, Wire
from pos.ports import (
    Capability,
    Declaration,
    Finding,
    FindState,
    Hint,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    RefundAnswer,
    RefundState,
    Request,
    StatementLine,
    Subscription,
    SubscriptionState,
    WalletBalance,
)

# ``code`` of a 422 -> reason. These are final; 53 (unexpected) and every code that is not here leave the outcome unknown.
CODES: dict[int, Reason] = {
    11: Reason.WALLET_EMPTY,  # credit too low
    13: Reason.OPERATOR_DOWN,  # maintenance
    14: Reason.REJECTED_OTHER,  # checksum
    23: Reason.INELIGIBLE_OR_BARRED,  # the operator has switched off top-ups
    33: Reason.PRODUCT_UNAVAILABLE,  # stock too low
    34: Reason.PRODUCT_UNAVAILABLE,  # no such package, or out of stock
    43: Reason.REJECTED_OTHER,  # bad request
    73: Reason.INELIGIBLE_OR_BARRED,  # recycled eSIM
}

# The wrong field of a 422 -> reason; a field that is not here is our own mistake.
FIELDS: dict[str, Reason] = {"iccid": Reason.INVALID_NUMBER, "package_id": Reason.PRODUCT_UNAVAILABLE}

_MOST_PAGES = 200
_TOKEN_LIVES = timedelta(days=1)  # said to be a day and said to be a year
_LONGEST_NOTES = 200
_SIGNATURE = "airalo-signature"

_log = structlog.get_logger("pos.carriers")


class AiraloKeys(ResellerKeys):
    """The keys of a carrier with ``protocol = "airalo"``. ``client_secret`` also signs what we send and what we hear.

    ``global_packages``: also what serves several countries, in the catalogue."""

    client_id: str
    client_secret: SecretStr
    global_packages: bool = True
    settle_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 120


@dataclass(frozen=True)
class Grant:
    """Client credentials in a signed form; the token stands in ``data``. Three a minute are allowed."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def call(self) -> Call:
        form = {"client_id": self.client_id, "client_secret": self.client_secret, "grant_type": "client_credentials"}
        headers = {"Content-Type": "application/x-www-form-urlencoded", _SIGNATURE: _signed(form, self.client_secret)}
        return Call("POST", f"{self.base_url}/token", "(token)", headers, urlencode(form).encode())

    def read(self, reply: Reply) -> tuple[str, timedelta]:
        if reply.status in (400, 401, 403, 422) and (said := _said(reply)):
            raise TokenRefused(said.word or f"http_{reply.status}")
        data = members(reply).within("data")
        if reply.status != 200 or data.text("token_type").lower() != "bearer":
            raise Broken("not a token")
        return data.text("access_token"), min(lifetime(data), _TOKEN_LIVES)


class Airalo(Adapter):
    """Fits ``ports.Carrier``. Safe to share between threads.

    ``wire`` and ``clock`` are for tests; without them connections and time are real."""

    def __init__(self, keys: AiraloKeys, name: str, *, wire: Wire | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(name)
        self._keys = keys
        self._now = clock
        self._secret = keys.client_secret.get_secret_value()
        self._wire = wire or wire_of(name, keys)
        tokens = Tokens(self._wire, Grant(keys.base_url, keys.client_id, self._secret), clock)
        self._rest = Rest(self._wire, keys.base_url, tokens, is_stale=lambda reply: _said(reply) is not None)
        # Package -> operator, by the catalogue as last read: an eSIM's own record does not name its operator.
        self._operators: dict[str, str] = {}

    def declaration(self) -> Declaration:
        return Declaration(
            capabilities=frozenset(
                {
                    Capability.SUBSCRIPTION,
                    Capability.FIND_BY_REF,
                    Capability.STATEMENT,
                    Capability.WEBHOOK,
                    Capability.REFUND_REQUEST,
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
        """One eSIM or one top-up, sent once. Raises nothing; what is not recognised is UNKNOWN."""
        deadline = self._deadline()
        if request.kind is ProductKind.ESIM:
            form = {"package_id": request.product_key, "quantity": "1", "type": "sim", "description": request.ref}
            return sent_once(lambda: self._order("/orders", form, request.ref, deadline))
        if not request.number.isdigit():
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_NUMBER, raw_code="no_iccid")
        form = {"package_id": request.product_key, "iccid": request.number, "description": request.ref}
        return sent_once(lambda: self._order("/orders/topups", form, request.ref, deadline))

    def _order(self, path: str, form: Mapping[str, str], ref: str, deadline: Deadline) -> Outcome:
        reply = self._rest.post(path, form=form, headers={_SIGNATURE: _signed(form, self._secret)}, deadline=deadline, ref=ref)
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        try:
            order = members(reply).within("data")
            if order.text_or_none("description") not in (None, ref):
                raise Broken("the record of another reference")
            return order_outcome(order, status_of(order))
        except Broken:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=f"http_{reply.status}")

    def _refusal(self, reply: Reply) -> Outcome:
        """What a status outside 200..299 means: only a 422 of the vendor's own form refuses for good."""
        said, raw_code = _said(reply), f"http_{reply.status}"
        if said is None or reply.status not in (401, 403, 422, 429):
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=raw_code)
        if reply.status in (401, 403):
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=raw_code)
        if reply.status == 429:
            wait = retry_after(reply, self._now())
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.RATE_LIMITED, raw_code=raw_code, retry_after=wait)
        if said.reason is None:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.UNKNOWN_STATUS, raw_code=said.word or raw_code)
        return Outcome(OutcomeState.FAILED, reason=said.reason, raw_code=said.word)

    # --- asking what became of it -----------------------------------------------------------------------------------

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """All orders under our reference. Raises nothing. ABSENT needs a search that was read to its end."""
        deadline = self._deadline()
        doubt, orders = False, list[Members]()
        try:
            orders = self._search(ref, deadline)
        except USELESS:
            doubt = True
        try:
            if not orders and provider_ref:
                orders = [order for order in self._one(provider_ref, ref, deadline) if _is_ours(order, ref)]
            if orders:
                return found([self._outcome(order, ref, deadline) for order in orders])
        except USELESS:
            doubt = True
        return Finding(FindState.CANNOT_TELL if doubt else FindState.ABSENT)

    def _search(self, ref: str, deadline: Deadline, status: str | None = None) -> list[Members]:
        """The orders that carry exactly our reference: the search is a LIKE. Raises one of USELESS."""
        query = {"filter[description]": ref, "include": "sims,status"}
        if status:
            query["filter[order_status]"] = status
        orders = list(self._pages("/orders", query, deadline=deadline, ref=ref))
        ours = [order for order in orders if _is_ours(order, ref)]
        if not ours and any(ref not in (order.text_or_none("description") or "").upper() for order in orders):
            # The filter was ignored; there may be more orders than we read.
            raise Refused("filter ignored")
        return ours

    def _one(self, provider_ref: str, ref: str, deadline: Deadline) -> list[Members]:
        """The order with the reseller's own id; none when it says that there is none. Raises one of USELESS."""
        path, query = f"/orders/{quote(provider_ref, safe='')}", {"include": "sims,status"}
        reply = self._rest.get(path, query, deadline=deadline, ref=ref, shown="/orders/{id}")
        if reply.status == 404 and _said(reply):
            return []
        if reply.status != 200:
            raise Refused(reply.status)
        return [members(reply).within("data")]

    def _outcome(self, order: Members, ref: str, deadline: Deadline) -> Outcome:
        """What a record found later means. Raises one of USELESS."""
        status = status_of(order)
        if status is None:
            # Not told in the record; the filter knows it. None of its words is not yet.
            key = order.id_or_none("id")
            words = (word for word in STATUSES if any(o.id_or_none("id") == key for o in self._search(ref, deadline, word)))
            status = next(words, "untold")
        outcome = order_outcome(order, status)
        if outcome.raw_code != "no_profile" or outcome.provider_ref is None:
            return outcome
        # The list left the eSIM out; the record itself has it.
        whole = next(iter(self._one(outcome.provider_ref, ref, deadline)), order)
        return order_outcome(whole, status) if _is_ours(whole, ref) and profile_of(whole) else outcome

    # --- looking ----------------------------------------------------------------------------------------------------

    def get_subscription(self, number: str) -> Subscription:
        """What is on an eSIM that was bought through this account; phone numbers are never known. Raises nothing."""
        if not number.isdigit():
            return Subscription(SubscriptionState.NOT_FOUND)
        deadline = self._deadline()
        try:
            reply = self._sim(number, "usage", deadline)
            if reply.status == 404 and _said(reply):
                return Subscription(SubscriptionState.NOT_FOUND)
            if reply.status != 200:
                raise Refused(reply.status)
            usage = members(reply).within("data")
            told = subscription_of(usage, self._packages_of(number, deadline), self._now())
        except USELESS:
            return Subscription(SubscriptionState.UNAVAILABLE, as_of=self._now())
        return replace(told, operator=self._operators.get(told.plan_key or ""))

    def _packages_of(self, number: str, deadline: Deadline) -> list[Members]:
        """Every package the eSIM had; none where they cannot be had: a sale goes on without the plan's name."""
        try:
            reply = self._sim(number, "packages", deadline)
            return Members.each(members(reply).values.get("data")) if reply.status == 200 else []
        except USELESS:
            return []

    def _sim(self, number: str, what: str, deadline: Deadline) -> Reply:
        return self._rest.get(f"/sims/{number}/{what}", deadline=deadline, shown=f"/sims/{{iccid}}/{what}")

    def list_products(self) -> Iterator[Product]:
        """Packages of the countries, then those that serve several; a page has the declared deadline to itself.

        Raises CarrierUnavailable, also between two products: half a catalogue must not retire the other half."""
        queries = [{"filter[type]": "local", "filter[country]": country} for country in self._keys.countries]
        queries += [{"filter[type]": "global"}] if self._keys.global_packages else []
        told: set[str] = set()
        operators: dict[str, str] = {}
        with self.looking():
            for query in queries:
                for entry in self._pages("/packages", query | {"include": "topup"}):
                    for product in products_of(entry, self._keys.currency):
                        if isinstance(product, str):
                            # One package that cannot be read must not keep a shop from the others.
                            _log.warning("carrier plan unreadable", carrier=self.name, plan=code(product))
                        elif product.key not in told and self._wants(product):
                            told.add(product.key)
                            operators[product.key] = product.operator or ""
                            yield product
        self._operators = {key: operator for key, operator in operators.items() if operator}

    def _wants(self, product: Product) -> bool:
        return not self._keys.operators or product.operator in self._keys.operators

    # --- the dealer's books -----------------------------------------------------------------------------------------

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""
        with self.looking():
            reply = self._rest.get("/balance", deadline=self._deadline())
            if reply.status != 200:
                raise Refused(reply.status)
            balances = list(wallet_balances(members(reply).within("data"), self._now()))
            if not balances:
                raise Broken("no balance")
        return [balance for balance in balances if balance.available.currency == self._keys.currency]

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """Orders made in ``from_utc <= at < to_utc``. Raises CarrierUnavailable. The filter knows days alone, in UTC.

        What was given back stands at the moment of its order: to see it, ask from that day on."""
        days = f"{from_utc.astimezone(UTC):%Y-%m-%d} - {to_utc.astimezone(UTC):%Y-%m-%d}"
        seen: set[str] = set()
        with self.looking():
            for status in ("completed", "refunded"):
                query = {"filter[created_at]": days, "filter[order_status]": status, "include": "status"}
                for order in self._pages("/orders", query):
                    if status_of(order) not in (None, status):
                        raise Refused("filter ignored")
                    lines = list(statement_lines(order, status))
                    if lines[0].provider_ref in seen:
                        # Given back between two questions, or a filter that is ignored: it would be charged twice.
                        raise Refused("the same order twice")
                    seen.add(lines[0].provider_ref)
                    yield from (line for line in lines if from_utc <= line.at < to_utc)

    def request_refund(self, ref: str, provider_ref: str, reason: str) -> RefundAnswer:
        """People decide, and only about eSIMs that were never used: a top-up's record names no eSIM to ask for.

        Raises CarrierUnavailable."""
        with self.looking():
            orders = [order for order in self._one(provider_ref, ref, self._deadline()) if _is_ours(order, ref)]
            serials = iccids_of(orders[0]) if orders and is_new_esim(orders[0]) else []
            if not serials:
                return RefundAnswer(RefundState.REFUSED, raw_code="no_iccid")
            body = {"iccids": serials, "reason": "OTHERS", "notes": f"{ref} {reason}"[:_LONGEST_NOTES]}
            sign = {_SIGNATURE: _signed(body, self._secret)}
            reply = self._rest.post("/refund", body, headers=sign, deadline=self._deadline(), ref=ref)
            said = _said(reply)
            if reply.status == 422 and said:
                return RefundAnswer(RefundState.REFUSED, raw_code=said.word)
            if not 200 <= reply.status < 300:
                raise Refused(reply.status)
            return RefundAnswer(RefundState.REQUESTED, case=members(reply).within("data").id_or_none("refund_id"))

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:
        """An order that has ended, or an eSIM that runs low, which names no order. A wrong signature is an empty hint."""
        told = next((value for name, value in headers.items() if name.lower() == _SIGNATURE), "")
        if len(body) > SMALL_BODY_BYTES or not told:
            return NOTHING
        try:
            news = Members.of(read_json(body))
            if not any(hmac.compare_digest(told.lower().encode(), _hmac(text, self._secret)) for text in _ways_to_write(body)):
                return NOTHING
            order = news.within("data") if isinstance(news.values.get("data"), dict) else news
            return Hint(order.text_or_none("description"), order.id_or_none("id"), authenticated=True)
        except Broken:
            return NOTHING

    # --- requests ---------------------------------------------------------------------------------------------------

    def _deadline(self) -> Deadline:
        return Deadline(self._keys.deadline_seconds)

    def _pages(
        self, path: str, query: Mapping[str, str], *, deadline: Deadline | None = None, ref: str | None = None
    ) -> Iterator[Members]:
        """The records of all pages; each page has a deadline of its own where none is given for all. Raises one of USELESS."""
        before: object = None
        for page in range(1, _MOST_PAGES + 1):
            paged = dict(query) | {"limit": str(self._keys.page_size), "page": str(page)}
            within = deadline or self._deadline()
            limit_bytes = SMALL_BODY_BYTES if ref else LARGE_BODY_BYTES
            reply = self._rest.get(path, paged, deadline=within, ref=ref, limit_bytes=limit_bytes)
            if reply.status != 200:
                raise Refused(reply.status)
            answer = members(reply)
            entries = answer.values.get("data")
            if entries and entries == before:
                raise Refused("the same page twice")
            before = entries
            yield from (records := Members.each(entries))
            last = answer.within("meta").number_or_none("last_page")
            if not records or (last is not None and page >= last):
                return
        raise Refused("too many pages")


@dataclass(frozen=True)
class _Said:
    """An error of the vendor's own form. ``reason``: None where it refuses nothing for good. ``word``: for the journal."""

    reason: Reason | None = None
    word: str | None = None


def _said(reply: Reply) -> _Said | None:
    """The error in an answer: a code with its reason, wrong fields by name, or one that says nothing but that it is theirs.

    A gateway between us writes JSON too; a bare ``message`` is believed with 401, and with 429 beside its Retry-After."""
    try:
        answer = members(reply)
        number = answer.number_or_none("code")
    except Broken:
        return None
    values = answer.values
    if number is not None and isinstance(values.get("reason"), str):
        return _Said(CODES.get(int(number)) if number == int(number) else None, code(f"{number:f}"))
    data, meta = values.get("data"), values.get("meta")
    if isinstance(data, dict) and data and isinstance(meta, dict):
        names = sorted(data)
        known = next((name for name in names if name in FIELDS), names[0])
        return _Said(FIELDS.get(known, Reason.REJECTED_OTHER), code(known))
    if data == [] and isinstance(meta, dict):
        return _Said()
    if isinstance(values.get("message"), str):
        is_theirs = reply.status == 401 or (reply.status == 429 and "retry-after" in reply.headers)
        return _Said() if is_theirs else None
    return None


def _is_ours(order: Members, ref: str) -> bool:
    return order.text_or_none("description") == ref


def _signed(payload: Mapping[str, object], secret: str) -> str:
    """The hexadecimal HMAC of the payload as PHP writes it: no blanks, no letters beyond ASCII, slashes escaped."""
    text = json.dumps(payload, separators=(",", ":")).replace("/", "\\/")
    return _hmac(text.encode(), secret).decode()


def _ways_to_write(body: bytes) -> Iterator[bytes]:
    """The signature is over the JSON written again, and each language escapes in its own way; each is as hard to forge."""
    yield body
    tight = write_json(read_json(body))
    plain = tight.decode()
    ascii_only = "".join(sign if sign.isascii() else json.dumps(sign)[1:-1] for sign in plain)
    for text in (plain, ascii_only):
        yield text.encode()
        yield text.replace("/", "\\/").encode()


def _hmac(text: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), text, hashlib.sha512).hexdigest().encode()
