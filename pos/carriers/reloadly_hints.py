"""Reloadly's notifications: signed over body and moment, in one of two shapes, and never more than a reason to look."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pos.carriers.adapter import NOTHING
from pos.carriers.members import Broken, Members, read_json
from pos.carriers.wire import SMALL_BODY_BYTES
from pos.ports import Hint

_SIGNATURE, _STAMP = "x-reloadly-signature", "x-reloadly-request-timestamp"
# Longer than clocks differ, shorter than somebody needs to make use of an old message.
_FRESH = timedelta(minutes=10)
_MILLISECONDS = 10**11  # as seconds this is the year 5138


def read(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Hint:
    """Whom a message is about; empty when its signature is wrong, it is too old, or it says nothing."""
    told = {name.lower(): value for name, value in headers.items()}
    stamp = told.get(_STAMP, "")
    if len(body) > SMALL_BODY_BYTES or not _is_signed(body, stamp, told.get(_SIGNATURE, ""), secret):
        return NOTHING
    sent_at = _moment(stamp)
    if sent_at is None or abs(now - sent_at) > _FRESH:
        return NOTHING
    try:
        data = Members.of(read_json(body)).within("data")
        record = data.within("transaction") if data.values.get("transaction") is not None else data
        ref, key = record.id_or_none("customIdentifier"), record.id_or_none("transactionId")
    except Broken:
        return NOTHING
    return Hint(ref, key, authenticated=True) if ref or key else NOTHING


def _is_signed(body: bytes, stamp: str, signature: str, secret: str) -> bool:
    wanted = hmac.new(secret.encode(), body + b":" + stamp.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode())


def _moment(stamp: str) -> datetime | None:
    """Seconds or milliseconds since 1970, or a date; the vendor does not say which. A date without a zone is UTC."""
    try:
        if stamp.isascii() and stamp.isdigit():
            seconds = int(stamp) if int(stamp) < _MILLISECONDS else int(stamp) / 1000
            return datetime.fromtimestamp(seconds, UTC)
        told = datetime.fromisoformat(stamp)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
