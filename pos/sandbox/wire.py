"""What comes in and what goes out, without a word about sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from pos.sandbox.paths import order_path
from pos.sandbox.refusals import Refusal

JSON = "application/json;charset=utf-8"


class Delivery(StrEnum):
    """How the bytes of an answer travel."""

    WHOLE = "whole"
    CUT = "cut"  # half of the body, then a reset
    DRIP = "drip"  # a byte at a time
    HUGE = "huge"  # far more than anybody wants
    GZIP_BOMB = "gzip_bomb"  # little on the wire, far too much unpacked
    ENDLESS_HEADERS = "endless_headers"


class Dropped(Exception):
    """Close the connection with a reset and say nothing."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived. Header names in lower case; ``base`` is http://host:port as the client wrote it."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    base: str

    def query(self, *known: str) -> dict[str, str]:
        """The query parameters; raises Refusal INVALID_QUERY for one that is not known or comes twice."""
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True):
            if name not in known or name in found:
                raise Refusal("INVALID_QUERY", name)
            if value.startswith(" "):
                raise Refusal("INVALID_QUERY", f"{name}: a plus sign travels as %2B")
            found[name] = value
        return found


@dataclass
class Answer:
    """``headers`` without Content-Length and Connection, which the server adds."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """A JSON answer; in header names an underscore stands for a hyphen."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": JSON} | {k.replace("_", "-"): v for k, v in headers.items()})


def tmf_error(refusal: Refusal, base: str) -> Answer:
    """TM Forum's Error (TMF622 v4.0.0, definitions/Error): code and reason are required, status is a string."""
    body = {
        "code": refusal.code,
        "reason": refusal.reason,
        "message": refusal.detail,
        "status": str(refusal.status),
        "@type": "Error",
    }
    if refusal.reference:
        body["referenceError"] = base + order_path(refusal.reference)
    return json_answer(refusal.status, body, **challenge(refusal))


def challenge(refusal: Refusal) -> dict[str, str]:
    """The headers that belong to a 401 (RFC 6750, section 3) and to a 429 (RFC 6585, section 4)."""
    if refusal.status == 401:
        return {"WWW_Authenticate": 'Bearer realm="carrier", error="invalid_token"'}
    if refusal.retry_seconds is not None:
        return {"Retry_After": str(refusal.retry_seconds)}
    return {}


def amount(minor: int) -> float:
    """Minor units as a JSON number with at most two decimals; both currencies here have a hundred to the unit."""
    sign = "-" if minor < 0 else ""
    return float(f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}")
