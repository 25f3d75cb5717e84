"""Requests with a carrier's way of signing in: one exchange, and once more only when it called our token stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from pos.carriers.members import Members, read_json, write_json
from pos.carriers.tokens import Tokens
from pos.carriers.wire import SMALL_BODY_BYTES, Call, Deadline, Reply, Wire

JSON = "application/json;charset=utf-8"


@dataclass(frozen=True)
class Rest:
    """``headers`` go with every call (HTTP Basic, an API key, a media type); ``tokens`` add a bearer token.

    ``is_stale`` says whether a 401 comes from the carrier itself, which then did nothing, and not from something between."""

    wire: Wire
    base_url: str
    tokens: Tokens | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_stale: Callable[[Reply], bool] = lambda _: False
    json_type: str = JSON

    def get(
        self,
        path: str,
        query: str | Mapping[str, str] = "",
        *,
        deadline: Deadline,
        ref: str | None = None,
        shown: str | None = None,
        limit_bytes: int = SMALL_BODY_BYTES,
    ) -> Reply:
        """``query`` as text that is encoded already, or by names. Raises TokenRefused, NeverSent, NoAnswer."""
        packed = query if isinstance(query, str) else urlencode(query)
        url = f"{self.base_url}{path}" + (f"?{packed}" if packed else "")
        return self._ask(Call("GET", url, shown or path, dict(self.headers), ref=ref, limit_bytes=limit_bytes), deadline)

    def post(
        self,
        path: str,
        body: object = None,
        *,
        deadline: Deadline,
        ref: str | None = None,
        shown: str | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit_bytes: int = SMALL_BODY_BYTES,
    ) -> Reply:
        """``body`` as JSON, or ``form`` in its place; neither is an empty body. Raises TokenRefused, NeverSent, NoAnswer."""
        sent = dict(self.headers) | dict(headers or {})
        raw = b""
        if form is not None:
            sent["Content-Type"], raw = "application/x-www-form-urlencoded", urlencode(form).encode()
        elif body is not None:
            sent["Content-Type"], raw = self.json_type, write_json(body)
        call = Call("POST", f"{self.base_url}{path}", shown or path, sent, raw, ref, limit_bytes)
        return self._ask(call, deadline)

    def _ask(self, call: Call, deadline: Deadline) -> Reply:
        """Raises TokenRefused, NeverSent or NoAnswer, and each is true of ``call``: a token that cannot be fetched means that
        the call did not leave, and a 401 means that it did nothing."""
        if self.tokens is None:
            return self.wire.ask(call, deadline)
        # Half of the time at most, so that a slow token does not send an order out with seconds left to answer.
        token = self.tokens.current(Deadline(deadline.remaining() / 2))
        reply = self.wire.ask(_with_token(call, token), deadline)
        if reply.status != 401 or not self.tokens.renewable or not self.is_stale(reply):
            return reply
        fresh = self.tokens.current(Deadline(deadline.remaining() / 2), stale=token)
        return self.wire.ask(_with_token(call, fresh), deadline)


def _with_token(call: Call, token: str | None) -> Call:
    return call if token is None else replace(call, headers={**call.headers, "Authorization": f"Bearer {token}"})


def members(reply: Reply) -> Members:
    """The JSON object of an answer. Raises Broken."""
    return Members.of(read_json(reply.body))


def records(reply: Reply) -> list[Members]:
    """The objects of a JSON array. Raises Broken."""
    return Members.each(read_json(reply.body))


def retry_after(reply: Reply, now: datetime) -> timedelta | None:
    """RFC 9110 10.2.3: seconds or a date; None when it is not told."""
    told = reply.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 7:
        return timedelta(seconds=int(told))
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
