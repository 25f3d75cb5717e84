"""A shop that talks to the carrier with nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
TOPUPS = "/tmf-api/prepayBalanceManagement/v4/topupBalance"
OFFERINGS = "/tmf-api/productCatalogManagement/v4/productOffering"
PRICES = "/tmf-api/productCatalogManagement/v4/productOfferingPrice"
PRODUCTS = "/tmf-api/productInventory/v4/product"
BUCKETS = "/tmf-api/prepayBalanceManagement/v4/bucket"
KYC = "/kyc-match/v0.4/match"

LYCA = "+447700900123"
LEB = "+447700900723"
HONG_KONG = "+85255500123"
PLAN = "lyca-data-gb-30d-10g"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Shop:
    """A client that knows the protocol and nothing of the product."""

    def __init__(self, url: str) -> None:
        self.address = url.removeprefix("http://")
        self.token = ""

    def sign_in(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
        self.token = self.ask("POST", "/oauth/token", form=form).json["access_token"]

    def ask(
        self, method: str, path: str, body: Any = None, *, form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None, timeout_seconds: float = 5, **query: str,
    ) -> Reply:  # fmt: skip
        """One request on a connection of its own; a query name's double underscore is a dot."""
        sent = {"Content-Type": "application/json"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if form is not None:
            data, sent["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        if query:
            path += "?" + urlencode({name.replace("__", "."): v for name, v in query.items()}, quote_via=quote)
        with closing(http.client.HTTPConnection(self.address, timeout=timeout_seconds)) as connection:
            connection.request(method, path, data, sent | (headers or {}))
            answer = connection.getresponse()
            body = b"".join(_pieces(answer, timeout_seconds))
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)

    def renew(self, ref: str, number: str = LYCA, plan: str = PLAN, timeout_seconds: float = 5) -> Reply:
        return self.ask("POST", ORDERS, an_order(ref, number, plan), timeout_seconds=timeout_seconds)

    def find(self, ref: str) -> list[Any]:
        found: list[Any] = self.ask("GET", ORDERS, externalId=ref).json
        return found


def _piece(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(65536)
    except ConnectionError as error:
        raise http.client.IncompleteRead(b"", answer.length) from error


def _pieces(answer: http.client.HTTPResponse, timeout_seconds: float) -> Iterator[bytes]:
    """The body, with a limit on the whole of it: a socket's time-out starts anew with every byte that drips in."""
    ends_at = time.monotonic() + timeout_seconds
    while piece := _piece(answer):
        yield piece
        if time.monotonic() > ends_at:
            raise TimeoutError
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)


def an_order(ref: str, number: str = LYCA, plan: str = PLAN) -> dict[str, Any]:
    return {
        "externalId": ref,
        "description": ref,
        "productOrderItem": [
            {
                "id": "1",
                "action": "add",
                "quantity": 1,
                "productOffering": {"id": plan},
                "product": {
                    "productSerialNumber": number,
                    "productCharacteristic": [{"name": "MSISDN", "value": number}],
                },
            }
        ],
        "@type": "ProductOrder",
    }


def a_topup(ref: str, number: str = LYCA, amount: float = 10.0, currency: str = "GBP") -> dict[str, Any]:
    return {
        "externalId": ref,
        "description": ref,
        "amount": {"amount": amount, "units": currency},
        "usageType": "monetary",
        "bucket": {"id": f"{number[1:]}-main"},
        "partyAccount": {"id": f"A-{number[1:]}"},
        "logicalResource": [{"id": "line", "@type": "MSISDN", "value": number}],
        "channel": {"id": "retail-pos"},
        "requestor": {"id": "shop1-till2", "role": "agent", "@referredType": "PartyRole"},
        "@type": "TopupBalance",
    }
