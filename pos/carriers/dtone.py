"""DT One, a reseller of many operators, by its DVS v1: the adapter for a shop with an account there.

A sale is an asynchronous create with our reference as ``external_id``; a reference that was used is refused, and found again
by asking. A create that is not confirmed holds the money without delivering anything: ``hold``, ``confirm``, ``void``.

Nothing here sends a create twice."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote, urlencode

import structlog
from pydantic import Field, SecretStr, field_validator

from pos.carriers.adapter import NOTHING, USELESS, Adapter, Refused, found, sent_once, utc_now
from pos.carriers.configuration import Address, ResellerKeys, wire_of
from pos.carriers.dtone_records import (
    candidate_of,
    country_of,
    outcome_of,
    products_of,
    statement_lines,
    wallet_balance,
)
from pos.carriers.members import Broken, Members, code, read_json
from pos.carriers.rest import Rest, members, records, retry_after
from pos.carriers.wire import LARGE_BODY_BYTES, SMALL_BODY_BYTES, Deadline, Reply, Wire
from pos.domain.countries import alpha3
from pos.domain.money import whole
from pos.ports import (
    Capability,
    Declaration,
    Finding,
    FindState,
    Hint,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    Request,
    StatementLine,
    WalletBalance,
)

# errors[].code of a 4xx -> reason. Codes that are not here refuse for a reason that we do not know.
CODES: dict[int, Reason] = {
    1000400: Reason.REJECTED_OTHER,
    1000401: Reason.AUTH,
    1000404: Reason.PRODUCT_UNAVAILABLE,
    1000429: Reason.RATE_LIMITED,
    1003001: Reason.PRODUCT_UNAVAILABLE,
    1003002: Reason.INVALID_AMOUNT,
    1003003: Reason.INVALID_AMOUNT,
    1005003: Reason.INVALID_NUMBER,
    1005503: Reason.REJECTED_OTHER,
    1006001: Reason.WALLET_EMPTY,
    1006003: Reason.REJECTED_OTHER,
    1006503: Reason.REJECTED_OTHER,
}
USED_REF, CONFIRMED_BEFORE, TOO_LATE, CANCELLED_BEFORE, NO_TRANSACTION = 1007001, 1007002, 1007004, 1007005, 1008004
# Every code of these families speaks of a transaction that may exist, or of the vendor's own trouble: it refuses nothing,
# also when it is one that we do not know. 1007500 is the exception: the operator has no such method.
_IN_DOUBT, _NO_METHOD = range(1007000, 1010000), 1007500

_MOST_PER_PAGE = 100
_MOST_PAGES = 500
_MOST_OPERATORS = 50
_LONGEST_WINDOW = timedelta(hours=24)
_OUR_KEY = re.compile(r"([0-9]{1,18})(?::([0-9]{1,4}))?")
_OUR_REF = re.compile(r"[A-Z0-9-]{1,36}")  # ports.Request.ref

_log = structlog.get_logger("pos.carriers")


class DtoneKeys(ResellerKeys):
    """The keys of a carrier with ``protocol = "dtone"``. ``callback_url``: our own address, told with every sale."""

    api_key: Annotated[str, Field(min_length=1, pattern=r"^[^:]+$")]
    api_secret: SecretStr
    callback_url: Address | None = None
    settle_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60

    @field_validator("statement_complete_after_seconds")
    @classmethod
    def _promises_nothing(cls, told: int | None) -> int | None:
        # Its history leaves out what is under way: a missing line would give money back for what is delivered later.
        if told is not None:
            raise ValueError("leave it out: the history of this reseller is never complete")
        return told


class Dtone(Adapter):
    """Fits ``ports.Carrier``. Safe to share between threads.

    ``wire`` and ``clock`` are for tests; without them connections and time are real."""

    def __init__(self, keys: DtoneKeys, name: str, *, wire: Wire | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(name)
        self._keys = keys
        self._now = clock
        self._wire = wire or wire_of(name, keys)
        pair = base64.b64encode(f"{keys.api_key}:{keys.api_secret.get_secret_value()}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"}
        self._rest = Rest(self._wire, keys.base_url, headers=headers, json_type="application/json")

    def declaration(self) -> Declaration:
        """A used reference is refused, so a lost create may be sent again under its own."""
        return Declaration(
            capabilities=frozenset(
                {
                    Capability.LOOKUP_NUMBER,
                    Capability.HOLD,
                    Capability.VOID,
                    Capability.FIND_BY_REF,
                    Capability.STATEMENT,
                    Capability.WEBHOOK,
                    Capability.WALLET,
                }
            ),
            enforces_unique_refs=True,
            settle_window=self._keys.settle_window,
            deadline_seconds=self._keys.deadline_seconds,
            statement_complete_after=None,
            unasked_patience=self._keys.unasked_patience,
        )

    # --- selling ----------------------------------------------------------------------------------------------------

    def submit(self, request: Request) -> Outcome:
        """One create that confirms itself, sent once. Raises nothing; what is not recognised is UNKNOWN.

        ``raw_code`` is the vendor's number or status word, or the wire's word where no vendor spoke."""
        outcome = sent_once(lambda: self._create(request, self._deadline(), auto_confirm=True))
        return _moving(outcome)

    def hold(self, request: Request) -> Outcome:
        """One create that waits to be confirmed: its price moves from available to holding. Raises nothing."""
        return sent_once(lambda: self._create(request, self._deadline(), auto_confirm=False))

    def _create(self, request: Request, deadline: Deadline, *, auto_confirm: bool) -> Outcome:
        body = _create_body(request, auto_confirm)
        if isinstance(body, Outcome):
            return body
        if self._keys.callback_url:
            body["callback_url"] = self._keys.callback_url
        reply = self._rest.post("/async/transactions", body, deadline=deadline, ref=request.ref)
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        record = _ours(members(reply), request.ref)
        return outcome_of(record, request.product_key, is_pin=request.kind is ProductKind.PIN)

    def confirm(self, ref: str, provider_ref: str, number: str) -> Outcome:
        """Deliver what is held. A confirm that is refused is looked up, and given up when it still stands. Raises nothing."""
        return sent_once(lambda: self._confirm(ref, provider_ref, self._deadline()))

    def _confirm(self, ref: str, provider_ref: str, deadline: Deadline) -> Outcome:
        path = f"/async/transactions/{quote(provider_ref, safe='')}/confirm"
        reply = self._rest.post(path, deadline=deadline, ref=ref, shown="/async/transactions/{id}/confirm")
        if 200 <= reply.status < 300:
            return _moving(self._accepted(reply, ref, provider_ref, deadline))
        shut_out = self._not_let_in(reply)
        if shut_out is not None:
            return shut_out
        codes = _error_codes(reply)
        if not codes or not 400 <= reply.status < 500:
            return _unknown(provider_ref, Reason.BROKEN_ANSWER, _raw(reply, codes))
        seen = self._look(ref, provider_ref, deadline)
        if seen.state is not OutcomeState.HELD:
            return seen
        if not _is_definite(reply, [number for number in codes if number not in (TOO_LATE, CANCELLED_BEFORE)] or [0]):
            # It says both "held" and that something else may be at work: an earlier confirm, or the vendor's own trouble.
            return _unknown(provider_ref, Reason.DUPLICATE_REF, _raw(reply, codes))
        return self._given_up(ref, provider_ref, deadline)

    def _given_up(self, ref: str, provider_ref: str, deadline: Deadline) -> Outcome:
        """A hold that cannot be confirmed, cancelled. The confirm was sent before: nothing here may say "not sent"."""
        try:
            outcome = self._void(ref, provider_ref, deadline)
        except USELESS:
            return _unknown(provider_ref, Reason.NO_ANSWER, None)
        if outcome.state is OutcomeState.NOT_SENT:
            return _unknown(provider_ref, Reason.NO_ANSWER, outcome.raw_code)
        return outcome

    def void(self, ref: str, provider_ref: str) -> Outcome:
        """Give a hold up, or say what has become of it. Raises nothing."""
        return sent_once(lambda: self._void(ref, provider_ref, self._deadline()))

    def _void(self, ref: str, provider_ref: str, deadline: Deadline) -> Outcome:
        path = f"/transactions/{quote(provider_ref, safe='')}/cancel"
        reply = self._rest.post(path, deadline=deadline, ref=ref, shown="/transactions/{id}/cancel")
        codes = _error_codes(reply)
        if 200 <= reply.status < 300:
            outcome = self._accepted(reply, ref, provider_ref, deadline)
        elif (shut_out := self._not_let_in(reply)) is not None:
            return shut_out
        elif not codes or reply.status >= 500:
            return _unknown(provider_ref, Reason.BROKEN_ANSWER, _raw(reply, codes))
        elif CANCELLED_BEFORE in codes:
            return Outcome(OutcomeState.VOIDED, provider_ref, raw_code=_raw(reply, codes))
        else:
            outcome = self._look(ref, provider_ref, deadline)
        if outcome.state is OutcomeState.HELD:
            return _unknown(provider_ref, Reason.UNKNOWN_STATUS, outcome.raw_code)
        return outcome

    def _accepted(self, reply: Reply, ref: str, provider_ref: str, deadline: Deadline) -> Outcome:
        """What a confirm or cancel that was taken led to: from its answer, or by looking where 202 has no body."""
        if reply.status == 202 and not reply.body.strip():
            return self._look(ref, provider_ref, deadline)
        try:
            return outcome_of(_ours(members(reply), ref, provider_ref))
        except Broken:
            return _unknown(provider_ref, Reason.BROKEN_ANSWER, f"http_{reply.status}")

    def _look(self, ref: str, provider_ref: str, deadline: Deadline) -> Outcome:
        """The transaction as it stands; UNKNOWN when it cannot be read. Raises nothing: something was sent before."""
        try:
            record = self._one(provider_ref, deadline, ref)
            return outcome_of(_ours(record, ref, provider_ref))
        except USELESS:
            return _unknown(provider_ref, Reason.NO_ANSWER, None)

    # --- what a status outside 200..299 means -----------------------------------------------------------------------

    def _refusal(self, reply: Reply) -> Outcome:
        """Only the vendor's own list of errors makes a refused create definite."""
        codes = _error_codes(reply)
        raw_code = _raw(reply, codes)
        shut_out = self._not_let_in(reply)
        if shut_out is not None:
            return shut_out
        if USED_REF in codes or CONFIRMED_BEFORE in codes:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.DUPLICATE_REF, raw_code=raw_code)
        if not _is_definite(reply, codes):
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=raw_code)
        reason = next((CODES[number] for number in codes if number in CODES), Reason.REJECTED_OTHER)
        return Outcome(OutcomeState.FAILED, reason=reason, raw_code=raw_code)

    def _not_let_in(self, reply: Reply) -> Outcome | None:
        """A request that was turned away at the door: nothing was done, and the same one may come again."""
        codes = _error_codes(reply)
        raw_code = _raw(reply, codes)
        if reply.status == 429 and 1000429 in codes:
            pause = retry_after(reply, self._now())
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.RATE_LIMITED, raw_code=raw_code, retry_after=pause)
        if (reply.status == 401 and (codes or "www-authenticate" in reply.headers)) or (
            reply.status == 403 and codes and CODES.get(codes[0], Reason.AUTH) is Reason.AUTH
        ):
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=raw_code)
        return None

    # --- asking what became of it -----------------------------------------------------------------------------------

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """By our reference, then by the vendor's id where it told one. Raises nothing.

        A transaction whose id we were told and that is not there any more is no clean "nothing"."""
        deadline = self._deadline()
        try:
            told = self._by_ref(ref, deadline)
            matches = [record for record in told if record.values.get("external_id") == ref]
            if not matches and provider_ref:
                matches = [_ours(self._one(provider_ref, deadline, ref), ref, provider_ref)]
            if matches:
                return found([outcome_of(record) for record in matches])
        except _NoTransaction:
            _log.warning("carrier lost a transaction", carrier=self.name, ref=ref)
            return Finding(FindState.CANNOT_TELL)
        except USELESS:
            return Finding(FindState.CANNOT_TELL)
        # Records of others: the vendor ignored our filter, and ours may be on another page.
        return Finding(FindState.CANNOT_TELL if told else FindState.ABSENT)

    def _by_ref(self, ref: str, deadline: Deadline) -> list[Members]:
        """Empty only for a clean "nothing", which is ``[]`` or 404. Raises one of USELESS."""
        try:
            query = {"external_id": ref}
            return list(self._pages("/transactions", query, deadline=deadline, ref=ref, limit_bytes=SMALL_BODY_BYTES))
        except _NoTransaction:
            return []

    def _one(self, provider_ref: str, deadline: Deadline, ref: str) -> Members:
        """Raises one of USELESS."""
        path = f"/transactions/{quote(provider_ref, safe='')}"
        reply = self._rest.get(path, deadline=deadline, ref=ref, shown="/transactions/{id}")
        if reply.status == 404 and NO_TRANSACTION in _error_codes(reply):
            raise _NoTransaction(reply.status)
        if reply.status != 200:
            raise Refused(reply.status)
        return members(reply)

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:
        """The transaction itself; nothing signs it, so it is only ever a reason to look."""
        if len(body) > SMALL_BODY_BYTES:
            return NOTHING
        try:
            record = Members.of(read_json(body))
            key, ref = record.id_or_none("id"), record.text_or_none("external_id")
        except Broken:
            return NOTHING
        return Hint(ref if ref and _OUR_REF.fullmatch(ref) else None, key, authenticated=False)

    # --- looking ----------------------------------------------------------------------------------------------------

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        """Empty for a number that the vendor cannot read. Raises CarrierUnavailable."""
        body = {"mobile_number": number, "page": 1, "per_page": _MOST_OPERATORS}
        with self.looking():
            reply = self._rest.post("/lookup/mobile-number", body, deadline=self._deadline())
            if reply.status in (400, 404) and {1005003, 1005006} & set(_error_codes(reply)):
                return []
            if reply.status != 200:
                raise Refused(reply.status)
            return [candidate_of(operator) for operator in records(reply)]

    def list_products(self) -> Iterator[Product]:
        """What the configured operators sell for SIMs, or else the countries; a page has the declared deadline to itself.

        Raises CarrierUnavailable, also between two products: half a catalogue must not retire the other half."""
        with self.looking():
            yield from self._products()

    def _products(self) -> Iterator[Product]:
        seen: set[str] = set()
        for narrowed in self._narrowed():
            for entry in self._pages("/products", {"service_id": "1", **narrowed}):
                if country_of(entry.within("operator")) not in self._keys.countries:
                    continue
                try:
                    fresh = [p for p in products_of(entry, self._keys.currency, self._keys.amounts) if p.key not in seen]
                except Broken:
                    # One product that cannot be read must not keep a shop from the others; it is not sold meanwhile.
                    _log.warning("carrier plan unreadable", carrier=self.name, plan=code(entry.text_or_none("id")))
                    continue
                seen.update(product.key for product in fresh)
                yield from fresh

    def _narrowed(self) -> Iterator[dict[str, str]]:
        """One question an operator, or one a country: the whole catalogue has tens of thousands."""
        if self._keys.operators:
            yield from ({"operator_id": key} for key in self._keys.operators)
        else:
            yield from ({"country_iso_code": alpha3(country) or country} for country in self._keys.countries)

    # --- the dealer's books -----------------------------------------------------------------------------------------

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""
        with self.looking():
            told = list(self._pages("/balances", {"unit_type": "CURRENCY", "unit": self._keys.currency}))
            balances = [wallet_balance(entry, self._now()) for entry in told]
        return [balance for balance in balances if balance.available.currency == self._keys.currency]

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """What was created with ``from_utc <= at < to_utc``, asked for a day at a time. Raises CarrierUnavailable.

        A transaction stands at its creation, whenever it was charged or given back."""
        seen: set[str] = set()
        start = from_utc
        while start < to_utc:
            end = min(start + _LONGEST_WINDOW, to_utc)
            with self.looking():
                window = {"from_date": _moment(start), "to_date": _moment(end)}
                fresh = [record for record in self._pages("/transactions", window) if record.text("id") not in seen]
                # Both ends of a window count, so a transaction may stand in two.
                seen.update(record.text("id") for record in fresh)
                lines = [line for record in fresh for line in statement_lines(record) if from_utc <= line.at < to_utc]
            yield from lines
            start = end

    # --- requests ---------------------------------------------------------------------------------------------------

    def _deadline(self) -> Deadline:
        return Deadline(self._keys.deadline_seconds)

    def _pages(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        deadline: Deadline | None = None,
        ref: str | None = None,
        limit_bytes: int = LARGE_BODY_BYTES,
    ) -> Iterator[Members]:
        """Every record of a collection. Raises one of USELESS, also when there are fewer than the vendor counted."""
        size = min(self._keys.page_size, _MOST_PER_PAGE)
        seen: set[str] = set()
        for number in range(1, _MOST_PAGES + 1):
            asked = urlencode({**query, "page": str(number), "per_page": str(size)})
            within = deadline or self._deadline()
            reply = self._rest.get(path, asked, deadline=within, ref=ref, limit_bytes=limit_bytes)
            if reply.status == 404 and NO_TRANSACTION in _error_codes(reply):
                raise _NoTransaction(reply.status)
            if reply.status != 200:
                raise Refused(reply.status)
            page = records(reply)
            fresh = [record for record in page if record.text("id") not in seen]
            if len(fresh) < len(page):
                raise Refused("the same page twice")
            seen.update(record.text("id") for record in fresh)
            yield from fresh
            total = _count(reply, "x-total")
            if not page or (len(seen) >= total if total is not None else len(page) < size):
                if total is not None and len(seen) < total:
                    raise Refused("fewer than were counted")
                return
        raise Refused("too many pages")


class _NoTransaction(Refused):
    """404 with the vendor's number for "no such transaction"."""


def _create_body(request: Request, auto_confirm: bool) -> dict[str, object] | Outcome:
    """The body of a create, or the outcome of a request that no product of ours can be."""
    key = _OUR_KEY.fullmatch(request.product_key)
    if key is None:
        return Outcome(OutcomeState.FAILED, reason=Reason.PRODUCT_UNAVAILABLE)
    body: dict[str, object] = {"external_id": request.ref, "product_id": int(key[1]), "auto_confirm": auto_confirm}
    if request.number:
        kind = "mobile_number" if request.number.startswith("+") else "account_number"
        body["credit_party_identifier"] = {kind: request.number}
    if key[2] is not None:
        if request.face != whole(int(key[2]), request.face.currency):
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_AMOUNT)
        amount = {"unit_type": "CURRENCY", "unit": request.face.currency, "amount": Decimal(request.face.plain())}
        body |= {"calculation_mode": "DESTINATION_AMOUNT", "destination": amount}
    return body


def _ours(record: Members, ref: str, provider_ref: str | None = None) -> Members:
    """The record, if it is the one we asked about. Raises Broken."""
    if record.text("external_id") != ref or (provider_ref is not None and record.id_or_none("id") != provider_ref):
        raise Broken("the record of another reference")
    return record


def _moving(outcome: Outcome) -> Outcome:
    """What confirms itself, or was confirmed, is on its way although it may still be shown as created."""
    if outcome.state is not OutcomeState.HELD:
        return outcome
    return Outcome(OutcomeState.PENDING, outcome.provider_ref, cost=outcome.cost, echo=outcome.echo, raw_code=outcome.raw_code)


def _unknown(provider_ref: str, reason: Reason, raw_code: str | None) -> Outcome:
    return Outcome(OutcomeState.UNKNOWN, provider_ref, reason=reason, raw_code=raw_code)


def _error_codes(reply: Reply) -> list[int]:
    """The numbers of ``{"errors":[{"code","message"}]}``, empty for any other body: something in between writes JSON too."""
    try:
        errors = list(members(reply).items("errors"))
        told = [(error.values.get("code"), error.values.get("message")) for error in errors]
    except Broken:
        return []
    codes = [number for number, sentence in told if isinstance(number, int) and isinstance(sentence, str)]
    return codes if len(codes) == len(told) and not any(isinstance(number, bool) for number in codes) else []


def _is_definite(reply: Reply, codes: list[int]) -> bool:
    """Whether the vendor refused for good, and says so in its own words."""
    said_no = 400 <= reply.status < 500 and reply.status not in (408, 429)
    return said_no and bool(codes) and all(number not in _IN_DOUBT or number == _NO_METHOD for number in codes)


def _raw(reply: Reply, codes: list[int]) -> str:
    return str(codes[0]) if codes else f"http_{reply.status}"


def _count(reply: Reply, header: str) -> int | None:
    told = reply.headers.get(header, "").strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
