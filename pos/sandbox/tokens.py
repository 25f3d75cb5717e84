"""Bearer tokens by client credentials (RFC 6749, section 4.4), in memory: a restart forgets them all."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import parse_qsl, unquote_plus

from pos.sandbox.clock import Clock
from pos.sandbox.refusals import Refusal
from pos.sandbox.settings import Settings
from pos.sandbox.wire import Answer, Request, json_answer


class Tokens:
    """Who may come in, and until when by the carrier's own clock."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._until: dict[str, datetime] = {}

    def issue(self) -> str:
        token = secrets.token_urlsafe(24)
        now = self._clock.now()
        with self._lock:
            self._until = {known: until for known, until in self._until.items() if until > now}
            self._until[token] = now + timedelta(seconds=self._settings.token_seconds)
        return token

    def revoke_all(self) -> None:
        with self._lock:
            self._until.clear()

    def check(self, request: Request) -> None:
        """Raises Refusal UNAUTHENTICATED unless the request carries a living token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            until = self._until.get(token.strip())
        if scheme.lower() != "bearer" or until is None or until <= self._clock.now():
            raise Refusal("UNAUTHENTICATED")

    def answer(self, request: Request) -> Answer:
        """``POST /oauth/token``: the credentials in the form or as HTTP Basic; errors as RFC 6749, section 5.2."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        client = _basic(request.headers.get("authorization", "")) or (form.get("client_id"), form.get("client_secret"))
        wanted = (self._settings.client_id, self._settings.client_secret)
        if not all(hmac.compare_digest((a or "").encode(), b.encode()) for a, b in zip(client, wanted, strict=True)):
            return json_answer(401, {"error": "invalid_client"}, WWW_Authenticate='Basic realm="carrier"')
        if form.get("grant_type") != "client_credentials":
            return json_answer(400, {"error": "unsupported_grant_type"})
        body = {"access_token": self.issue(), "token_type": "Bearer", "expires_in": self._settings.token_seconds}
        return json_answer(200, body, Cache_Control="no-store")


def _basic(header: str) -> tuple[str, str] | None:
    """Client id and secret from HTTP Basic; each is form-encoded before base64 (RFC 6749, section 2.3.1)."""
    scheme, _, packed = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, secret = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(user), unquote_plus(secret)
