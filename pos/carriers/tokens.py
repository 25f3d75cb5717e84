"""Bearer tokens: fetched once for all threads, kept a little shorter than they live, renewed when called stale.

Source: RFC 6749 section 4.4 (client credentials), 2.3.1 (client password), 5 (answers)."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import quote_plus, urlencode

from pos.carriers.members import Broken, Members, code, read_json
from pos.carriers.wire import Call, Deadline, NeverSent, NoAnswer, Reply, Wire

# A token must not die between our look at it and the carrier's.
_MARGIN = timedelta(seconds=30)
# RFC 6749 5.1 only recommends to tell the lifetime.
_UNTOLD_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class StaticBearer:
    """One token for good, agreed with the carrier; nothing can renew it but a person."""

    token: str = field(repr=False)


class Grant(Protocol):
    """How a carrier gives out tokens that end."""

    def call(self) -> Call:
        """The request for one."""

    def read(self, reply: Reply) -> tuple[str, timedelta]:
        """The token of an answer and how long it lives. Raises TokenRefused when the carrier says that we are not let in,
        Broken for anything that is not a token."""


class TokenRefused(Exception):
    """The carrier does not accept our credentials, and says so. Nothing else of ours was sent. ``code`` is its word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth 2 client credentials. ``sent_as``: ``basic`` in the Authorization header, ``post`` in the form."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    sent_as: Literal["basic", "post"] = "basic"

    def call(self) -> Call:
        form = {"grant_type": "client_credentials"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self.scope:
            form["scope"] = self.scope
        if self.sent_as == "post":
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return Call("POST", self.token_url, "(token)", headers, urlencode(form).encode())

    def read(self, reply: Reply) -> tuple[str, timedelta]:
        """Refusals are those of RFC 6749 5.2."""
        answer = Members.of(read_json(reply.body))
        if reply.status in (400, 401, 403):
            raise TokenRefused(code(answer.text("error")) or "refused")
        if reply.status != 200 or answer.text("token_type").lower() != "bearer":
            raise Broken("not a token")
        return answer.text("access_token"), lifetime(answer)


def lifetime(answer: Members) -> timedelta:
    """``expires_in`` of an answer, seconds; at most 30 days are believed."""
    told = answer.number_or_none("expires_in")
    return _UNTOLD_LIFETIME if told is None else timedelta(seconds=min(int(told), 30 * 86_400))


@dataclass(frozen=True)
class _Held:
    token: str
    until: datetime


class Tokens:
    """What goes into the Authorization header. Safe to share between threads: one fetches, the others wait for it.

    ``now`` gives the moment in UTC; a clock that jumps costs a fetch, never a sale."""

    def __init__(self, wire: Wire, grant: Grant | StaticBearer | None, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._grant = grant
        self._now = now
        self._lock = threading.Lock()
        self._held: _Held | None = None

    def current(self, deadline: Deadline, stale: str | None = None) -> str | None:
        """The token to use, None where no token is needed. One equal to ``stale`` is not given out again.

        Raises TokenRefused, or NeverSent when there is none to be had now: the call it was for did not leave."""
        if self._grant is None:
            return None
        if isinstance(self._grant, StaticBearer):
            return self._grant.token
        if not self._lock.acquire(timeout=max(deadline.remaining(), 0.001)):
            raise NeverSent("token")
        try:
            held = self._held
            if held is None or held.token == stale or held.until <= self._now():
                self._held = held = self._fetch(self._grant, deadline)
            return held.token
        finally:
            self._lock.release()

    @property
    def renewable(self) -> bool:
        """Whether asking again may bring another token."""
        return self._grant is not None and not isinstance(self._grant, StaticBearer)

    def _fetch(self, grant: Grant, deadline: Deadline) -> _Held:
        asked_at = self._now()
        try:
            token, lives = grant.read(self._wire.ask(grant.call(), deadline))
            # RFC 6750 2.1; a line break in it would be a header of somebody else's choosing.
            if not token.isascii() or not token.isprintable() or " " in token:
                raise Broken("not a token")
            return _Held(token, asked_at + lives - min(_MARGIN, lives / 10))
        except (NoAnswer, Broken):
            # A token that may or may not have been made changes nothing: the call that needs it has not left.
            raise NeverSent("token") from None
