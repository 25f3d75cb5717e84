"""Reloadly: airtime, bundles and PINs of many operators, paid from one wallet.

A product is an operator and an amount of the wallet's currency, and has no other name. What the customer gets is worked out by
the operator when it arrives, at the rate of that moment; what we pay is not, so an order is recognised by operator and amount.

A reference is refused when it was used, but not atomically: two requests at the same moment both pass. So nothing here is ever
sent a second time, and a reference that is taken means that somebody has to look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

import phonenumbers
import structlog
from pydantic import AfterValidator, Field, SecretStr

from pos.carriers import reloadly_hints
from pos.carriers.adapter import NOTHING, USELESS, Adapter, Refused, found, sent_once, utc_now
from pos.carriers.configuration import Address, Country, ResellerKeys, wire_of
from pos.carriers.members import Broken, Members, code, write_json
from pos.carriers.reloadly_records import (
    Trade,
    is_ours,
    outcome_of,
    products_of,
    statement_lines,
    status_outcome,
    wallet_balance,
    zone_of,
)
from pos.carriers.rest import Rest, members, records, retry_after
from pos.carriers.tokens import TokenRefused, Tokens, lifetime
from pos.carriers.wire import LARGE_BODY_BYTES, Call, Deadline, Reply, Wire
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
    Reason,
    Request,
    StatementLine,
    WalletBalance,
)

# errorCode -> reason. The last block was seen at an operator and stands in no public list; the list is open.
CODES: dict[str, Reason] = {
    "CUSTOM_IDENTIFIER_ALREADY_USED": Reason.DUPLICATE_REF,
    "INVALID_RECIPIENT_PHONE": Reason.INVALID_NUMBER,
    "INVALID_PHONE_NUMBER": Reason.INVALID_NUMBER,
    "OPERATOR_AND_RECIPIENT_PHONE_MISMATCH": Reason.WRONG_OPERATOR,
    "COULD_NOT_AUTO_DETECT_OPERATOR": Reason.WRONG_OPERATOR,
    "COUNTRY_NOT_SUPPORTED": Reason.WRONG_OPERATOR,
    "INVALID_AMOUNT": Reason.INVALID_AMOUNT,
    "INVALID_AMOUNT_FOR_OPERATOR": Reason.INVALID_AMOUNT,
    "INVALID_LOCAL_AMOUNT_FOR_OPERATOR": Reason.INVALID_AMOUNT,
    "LOCAL_AMOUNTS_NOT_SUPPORTED_BY_OPERATOR": Reason.INVALID_AMOUNT,
    "INVALID_INPUT_PROVIDED": Reason.REJECTED_OTHER,
    "INVALID_SENDER_PHONE": Reason.REJECTED_OTHER,
    "PHONE_RECENTLY_RECHARGED": Reason.TOO_SOON,
    "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE": Reason.OPERATOR_DOWN,
    "OPERATOR_NOT_IN_SERVICE": Reason.OPERATOR_DOWN,
    "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT": Reason.OPERATOR_DOWN,
    "INSUFFICIENT_BALANCE": Reason.WALLET_EMPTY,
    "MAX_DAILY_TRANSACTION_AMOUNT_REACHED": Reason.LIMIT_REACHED,
    "MAX_DAILY_TRANSACTION_COUNT_REACHED": Reason.LIMIT_REACHED,
    "ACCOUNT_NOT_FOUND": Reason.AUTH,
    "INACTIVE_ACCOUNT": Reason.AUTH,
    "INVALID_TOKEN": Reason.AUTH,
    "MISSING_TOKEN": Reason.AUTH,
    "TOKEN_EXPIRED": Reason.AUTH,
    "INVALID_CREDENTIALS": Reason.AUTH,
    "INVALID_AUDIENCE": Reason.AUTH,
    "RATE_LIMIT_REACHED": Reason.RATE_LIMITED,
    "TOPUP_TRANSACTION_FAILED": Reason.REJECTED_OTHER,
    "PHONE_BANNED_BY_OPERATOR": Reason.INELIGIBLE_OR_BARRED,
    "RECIPIENT_PHONE_INACTIVE": Reason.INELIGIBLE_OR_BARRED,
    "RECIPIENT_HAS_PENDING_TRANSACTION": Reason.TOO_SOON,
    "RECIPIENT_REACHED_MAX_TOPUP_NUMBER": Reason.LIMIT_REACHED,
    "IMPOSSIBLE_AMOUNT": Reason.INVALID_AMOUNT,
    "INVALID_AMOUNT_FOR_RECIPIENT_PHONE": Reason.INVALID_AMOUNT,
    "CONNECTION_TO_OPERATOR_TEMPORARILY_DOWN": Reason.OPERATOR_DOWN,
}

# A 5xx promises nothing about the money, but for this one: it is raised before anything is attempted.
_BEFORE_ANYTHING = (503, "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE")

_ACCEPT = "application/com.reloadly.topups-v1+json"
_REPORTS = "/topups/reports/transactions"
_LARGEST_REPORT = 500
_MOST_PAGES = 200
# Dates of reports are read by a clock that nobody has documented, so we ask for a day more on both sides.
_ASKED_BESIDE = timedelta(days=1)
_KEY = re.compile(r"([0-9]{1,9}):([0-9]{1,6}\.[0-9]{2})")
_CODE = re.compile(r"[A-Z0-9_]{3,64}")

_log = structlog.get_logger("pos.carriers")


class ReloadlyKeys(ResellerKeys):
    """The keys of a carrier with ``protocol = "reloadly"``. ``account_country``: discounts and fees at home are others than
    abroad. ``reports_zone``: the clock by which the reports are written. Without ``webhook_secret`` no message is believed.

    A failing operator may hold a request for 52 seconds, so the deadline is longer than usual."""

    client_id: str
    client_secret: SecretStr
    token_url: Address = "https://auth.reloadly.com/oauth/token"  # noqa: S105
    account_country: Country
    reports_zone: Annotated[str, AfterValidator(zone_of)] = "America/New_York"
    webhook_secret: SecretStr | None = None
    settle_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = 90
    deadline_seconds: Annotated[float, Field(gt=0, le=120)] = 90.0


@dataclass(frozen=True)
class _Grant:
    """A token for one audience: the address of the API says live or trial, and a token of one is none of the other."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    audience: str

    def call(self) -> Call:
        asked = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "grant_type": "client_credentials",
            "audience": self.audience,
        }
        return Call("POST", self.token_url, "(token)", {"Content-Type": "application/json"}, write_json(asked))

    def read(self, reply: Reply) -> tuple[str, timedelta]:
        if reply.status in (400, 401, 403) and (told := _error_code(reply)):
            raise TokenRefused(told)
        answer = members(reply)
        if reply.status != 200 or answer.text("token_type").lower() != "bearer":
            raise Broken("not a token")
        return answer.text("access_token"), lifetime(answer)


class Reloadly(Adapter):
    """Fits ``ports.Carrier``. Safe to share between threads. ``wire`` and ``clock`` are for tests."""

    def __init__(
        self, keys: ReloadlyKeys, name: str, *, wire: Wire | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(name)
        self._keys = keys
        self._now = clock
        self._trade = Trade(keys.currency, keys.account_country, keys.amounts, keys.reports_zone, CODES)
        self._wire = wire or wire_of(name, keys)
        grant = _Grant(keys.token_url, keys.client_id, keys.client_secret.get_secret_value(), keys.base_url)
        self._rest = Rest(
            self._wire,
            keys.base_url,
            Tokens(self._wire, grant, clock),
            headers={"Accept": _ACCEPT},
            is_stale=_is_told,
            json_type="application/json",
        )

    def declaration(self) -> Declaration:
        offered = {Capability.LOOKUP_NUMBER, Capability.FIND_BY_REF, Capability.STATEMENT, Capability.WALLET}
        if self._keys.webhook_secret is not None:
            offered.add(Capability.WEBHOOK)
        return Declaration(
            capabilities=frozenset(offered),
            enforces_unique_refs=False,
            settle_window=self._keys.settle_window,
            deadline_seconds=self._keys.deadline_seconds,
            statement_complete_after=self._keys.statement_complete_after,
            unasked_patience=self._keys.unasked_patience,
        )

    # --- selling ----------------------------------------------------------------------------------------------------

    def submit(self, request: Request) -> Outcome:
        """One synchronous top-up, sent once. Raises nothing; what is not recognised is UNKNOWN."""
        key = _KEY.fullmatch(request.product_key)
        if key is None:
            return Outcome(OutcomeState.FAILED, reason=Reason.PRODUCT_UNAVAILABLE)
        if request.cost.currency != self._keys.currency:
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_AMOUNT)
        if not request.number.startswith("+"):
            # A SIM's serial number: this reseller knows phone numbers only.
            return Outcome(OutcomeState.FAILED, reason=Reason.INVALID_NUMBER)
        body = {
            "operatorId": int(key[1]),
            "amount": Decimal(key[2]),
            "useLocalAmount": False,
            "customIdentifier": request.ref,
            "recipientPhone": {"countryCode": _country_of(request.number), "number": request.number[1:]},
        }
        return sent_once(lambda: self._send(body, request.ref))

    def _send(self, body: Mapping[str, object], ref: str) -> Outcome:
        reply = self._rest.post("/topups", body, deadline=self._deadline(), ref=ref)
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        try:
            record = members(reply)
            if record.text_or_none("customIdentifier") not in (None, ref):
                raise Broken("the record of another reference")
            return outcome_of(record, self._trade, answered=True)
        except Broken:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=f"http_{reply.status}")

    def _refusal(self, reply: Reply) -> Outcome:
        """What a status outside 200..299 means: only the vendor's own body makes a refusal definite."""
        error = _error_code(reply)
        raw_code = code(error) or f"http_{reply.status}"
        reason = CODES.get(error or "", Reason.AUTH if reply.status in (401, 403) else Reason.REJECTED_OTHER)
        if error and reason is Reason.DUPLICATE_REF:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.DUPLICATE_REF, raw_code=raw_code)
        if reply.status == 429 and error:
            after = retry_after(reply, self._now())
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.RATE_LIMITED, raw_code=raw_code, retry_after=after)
        if (400 <= reply.status < 500 and error and reason is Reason.AUTH) or (reply.status == 401 and _is_told(reply)):
            # We were not let in, so nothing was done; that is the shop's to mend.
            return Outcome(OutcomeState.NOT_SENT, reason=Reason.AUTH, raw_code=raw_code)
        if error and (400 <= reply.status < 500 or (reply.status, error) == _BEFORE_ANYTHING):
            return Outcome(OutcomeState.FAILED, reason=reason, raw_code=raw_code)
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.BROKEN_ANSWER, raw_code=raw_code)

    # --- asking what became of it -----------------------------------------------------------------------------------

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        """The reports by our reference, then the vendor's own id where we were told one. Raises nothing.

        Without dates: the reference alone is exact enough, and a clock that we do not know could hide what is there."""
        deadline = self._deadline()
        try:
            ours = [
                self._outcome(record, deadline, ref)
                for page in self._pages({"customIdentifier": ref}, lambda: deadline, ref)
                for record in page
                if is_ours(record, ref)
            ]
            if ours:
                return found(ours)
            told = self._status(provider_ref, deadline, ref) if provider_ref else None
        except USELESS:
            return Finding(FindState.CANNOT_TELL)
        return Finding(FindState.ABSENT) if told is None else found([told])

    def _outcome(self, record: Members, deadline: Deadline, ref: str) -> Outcome:
        """A report's outcome; an older record that leaves its status out is asked for it. Raises one of USELESS."""
        if record.text_or_none("status") is not None:
            return outcome_of(record, self._trade)
        outcome = self._status(record.text("transactionId"), deadline, ref)
        if outcome is None:
            raise Refused("a report without a status")
        return outcome

    def _status(self, provider_ref: str, deadline: Deadline, ref: str) -> Outcome | None:
        """By the vendor's id; None when it says that there is none. Raises one of USELESS."""
        path = "/topups/{id}/status"
        reply = self._rest.get(path.replace("{id}", quote(provider_ref, safe="")), deadline=deadline, ref=ref, shown=path)
        if reply.status == 404 and _error_code(reply) == "TRANSACTION_NOT_FOUND":
            return None
        if reply.status != 200:
            raise Refused(reply.status)
        return status_outcome(members(reply), provider_ref, ref, self._trade)

    # --- looking ----------------------------------------------------------------------------------------------------

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        """By prefix, so never certain: a ported number still shows its first operator. Raises CarrierUnavailable."""
        shown = "/operators/auto-detect/phone/{number}/countries/{country}"
        path = shown.replace("{number}", quote(number.removeprefix("+"), safe="")).replace("{country}", _country_of(number))
        with self.looking():
            reply = self._rest.get(path, deadline=self._deadline(), shown=shown)
            if reply.status == 404 and CODES.get(_error_code(reply) or "") is Reason.WRONG_OPERATOR:
                return []
            if reply.status != 200:
                raise Refused(reply.status)
            operator = members(reply)
            country = operator.within("country").text("isoName")
            return [OperatorCandidate(operator.text("operatorId"), operator.text("name"), country, confident=False)]

    def list_products(self) -> Iterator[Product]:
        """Each operator of each country, and of each its amounts. Raises CarrierUnavailable, also between two products."""
        with self.looking():
            for country in self._keys.countries:
                yield from self._in_country(country)

    def _in_country(self, country: str) -> Iterator[Product]:
        query = dict.fromkeys(("includeBundles", "includeData", "includePin", "includeCombo"), "true")
        query |= dict.fromkeys(("suggestedAmounts", "suggestedAmountsMap"), "false")
        path = "/operators/countries/{country}"
        reply = self._rest.get(
            path.replace("{country}", country), query, deadline=self._deadline(), shown=path, limit_bytes=LARGE_BODY_BYTES
        )
        if reply.status != 200:
            raise Refused(reply.status)
        for operator in records(reply):
            key = operator.text("operatorId")
            if self._keys.operators and key not in self._keys.operators:
                continue
            try:
                products = list(products_of(operator, self._trade))
            except Broken:
                # One operator that cannot be read must not keep a shop from the others; it is not sold meanwhile.
                _log.warning("carrier operator unreadable", carrier=self.name, operator=code(key))
                continue
            yield from products

    # --- the dealer's books -----------------------------------------------------------------------------------------

    def wallet(self) -> list[WalletBalance]:
        """Raises CarrierUnavailable."""
        with self.looking():
            reply = self._rest.get("/accounts/balance", deadline=self._deadline())
            if reply.status != 200:
                raise Refused(reply.status)
            balance = wallet_balance(members(reply), self._now())
            return [balance] if balance.available.currency == self._keys.currency else []

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        """Top-ups with ``from_utc <= at < to_utc``: what was charged, and again when it was given back (reports do not say when
        that was). A page has the declared deadline to itself. Raises CarrierUnavailable."""
        asked = {
            "startDate": self._trade.written(from_utc - _ASKED_BESIDE),
            "endDate": self._trade.written(to_utc + _ASKED_BESIDE),
        }
        with self.looking():
            for page in self._pages(asked, self._deadline):
                for record in page:
                    yield from (line for line in statement_lines(record, self._trade) if from_utc <= line.at < to_utc)

    def _pages(
        self, query: Mapping[str, str], deadline: Callable[[], Deadline], ref: str | None = None
    ) -> Iterator[list[Members]]:
        """Pages of the reports, from one until the last. Raises one of USELESS."""
        size = min(self._keys.page_size, _LARGEST_REPORT)
        seen: set[str] = set()
        for number in range(1, _MOST_PAGES + 1):
            paged = {**query, "page": str(number), "size": str(size)}
            reply = self._rest.get(_REPORTS, paged, deadline=deadline(), ref=ref, limit_bytes=LARGE_BODY_BYTES)
            if reply.status != 200:
                raise Refused(reply.status)
            page = members(reply)
            if not isinstance(page.values.get("content"), list):
                raise Broken("not a page")
            content = list(page.items("content"))
            fresh = {record.text("transactionId") for record in content}
            if fresh & seen or len(fresh) < len(content):
                raise Refused("the same page twice")
            seen |= fresh
            yield content
            if not content or page.values.get("last") is True:
                return
        raise Refused("too many pages")

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:
        """Signed; what is not, or is too old, is empty."""
        if self._keys.webhook_secret is None:
            return NOTHING
        return reloadly_hints.read(headers, body, self._keys.webhook_secret.get_secret_value(), self._now())

    def _deadline(self) -> Deadline:
        return Deadline(self._keys.deadline_seconds)


def _error(reply: Reply) -> Members | None:
    """The vendor's error body, or the one of its framework, which has no errorCode; None for anybody else's."""
    try:
        body = members(reply)
    except Broken:
        return None
    named = {"message", "path"} <= body.values.keys() and not {"timeStamp", "timestamp"}.isdisjoint(body.values)
    return body if named else None


def _error_code(reply: Reply) -> str | None:
    """``errorCode`` of the vendor's own error; a gateway between us writes JSON too, and is not believed."""
    error = _error(reply)
    told = error.values.get("errorCode") if error is not None else None
    return told if isinstance(told, str) and _CODE.fullmatch(told) else None


def _is_told(reply: Reply) -> bool:
    """Whether a 401 comes from the vendor, whatever its code: it comes before anything is attempted."""
    return "www-authenticate" in reply.headers or _error(reply) is not None


def _country_of(number: str) -> str:
    """ISO 3166 alpha-2 by the number, or by its prefix where the plan does not know it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "ZZ"
    by_prefix = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return phonenumbers.region_code_for_number(parsed) or by_prefix
