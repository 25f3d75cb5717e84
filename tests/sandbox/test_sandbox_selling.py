"""Selling: what moves the money and the line's end, and what must leave both alone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sandbox_shop import (
    BUCKETS,
    HONG_KONG,
    LEB,
    LYCA,
    OFFERINGS,
    ORDERS,
    PLAN,
    PRODUCTS,
    TOPUPS,
    Shop,
    a_topup,
    an_order,
)

from pos.sandbox.clock import parse_moment
from pos.sandbox.server import SandboxServer


def test_a_renewal_takes_the_cost_once_and_extends_the_line(server: SandboxServer, shop: Shop) -> None:
    before = server.carrier.books.subscriber(LYCA)
    order = shop.renew("R-1").json
    assert before is not None
    line = order["productOrderItem"][0]["product"]
    assert parse_moment(line["terminationDate"]) == before.expires_at + timedelta(days=30)
    [product] = shop.ask("GET", PRODUCTS, productSerialNumber=LYCA).json
    assert product["terminationDate"] == line["terminationDate"]
    [debit] = server.carrier.books.debits()
    assert (debit.ref, debit.number, debit.offering, debit.amount_minor, debit.currency) == (
        "R-1",
        LYCA,
        PLAN,
        920,
        "GBP",
    )
    assert server.carrier.books.wallets() == {"GBP": 499_080, "HKD": 5_000_000}
    assert shop.ask("GET", "/wallet").json[0] == {"currency": "GBP", "available": 4990.80}


def test_an_expired_line_starts_again_from_now(server: SandboxServer, shop: Shop) -> None:
    line = shop.renew("R-1", "+447700900540").json["productOrderItem"][0]["product"]
    assert parse_moment(line["terminationDate"]) - parse_moment(line["startDate"]) == timedelta(days=30)


def test_a_sim_serial_stands_for_its_number(server: SandboxServer, shop: Shop) -> None:
    who = server.carrier.books.subscriber(HONG_KONG)
    assert who is not None and who.iccid.startswith("8985210")
    body = an_order("R-1", who.iccid, "lyca-roaming-hk-7d")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = [{"name": "MSISDN", "value": HONG_KONG}]
    assert shop.ask("POST", ORDERS, body).json["productOrderItem"][0]["product"]["productSerialNumber"] == who.iccid
    assert [d.number for d in server.carrier.books.debits()] == [HONG_KONG]
    assert shop.ask("GET", PRODUCTS, productSerialNumber=who.iccid).json[0]["productSerialNumber"] == who.iccid
    wrong = who.iccid[:-1] + str((int(who.iccid[-1]) + 1) % 10)
    assert shop.ask("GET", PRODUCTS, productSerialNumber=wrong).json == []


def test_two_tills_with_one_reference_make_one_order(server: SandboxServer, shop: Shop) -> None:
    for number in range(20):
        together = Barrier(2)

        def post(_: int, ref: str = f"R-{number}", start: Barrier = together) -> int:
            start.wait(5)
            return shop.renew(ref).status

        with ThreadPoolExecutor(2) as tills:
            assert sorted(tills.map(post, range(2))) == [201, 409]
    assert len(server.carrier.books.debits()) == 20


def test_without_enforced_references_both_are_paid(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/switches", {"enforce_unique_refs": False})
    assert [shop.renew("R-1").status for _ in range(2)] == [201, 201]
    assert len(shop.find("R-1")) == len(server.carrier.books.debits()) == 2


@pytest.mark.parametrize(
    ("number", "plan", "status", "code"),
    [
        ("+447911123456", PLAN, 404, "INVALID_NUMBER"),
        ("+85291234567", PLAN, 404, "INVALID_NUMBER"),
        (LEB, PLAN, 422, "INELIGIBLE"),  # a Lyca plan on a LEB line
        (HONG_KONG, PLAN, 422, "INELIGIBLE"),  # a British plan on a Hong Kong line
        (LYCA, "no-such-plan", 422, "PRODUCT_UNAVAILABLE"),
        (LYCA, "lyca-5g-gb-1m-first", 422, "PRODUCT_UNAVAILABLE"),
        ("+447700900541", PLAN, 422, "INELIGIBLE"),
        ("+447700900542", PLAN, 422, "INELIGIBLE"),
        ("+447700900543", PLAN, 422, "INELIGIBLE"),
    ],
)
def test_a_refusal_leaves_no_trace(server: SandboxServer, shop: Shop, number: str, plan: str, status: int, code: str) -> None:
    reply = shop.renew("R-1", number, plan)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert server.carrier.books.movements() == server.carrier.books.orders() == shop.find("R-1") == []
    assert shop.renew("R-1").status == 201  # the reference is still free


def test_an_empty_wallet_refuses(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/wallet", {"currency": "GBP", "available_minor": 919})
    assert shop.renew("R-1").json["code"] == "WALLET_EMPTY"
    shop.ask("POST", "/control/wallet", {"currency": "GBP", "available_minor": 920})
    assert shop.renew("R-1").status == 201
    assert server.carrier.books.wallets()["GBP"] == 0


def test_a_topup_puts_the_money_on_the_line(server: SandboxServer, shop: Shop) -> None:
    was = shop.ask("GET", BUCKETS, logicalResource__value=LYCA).json[0]["remainingValue"]["amount"]
    assert shop.ask("POST", TOPUPS, a_topup("T-1")).json["status"] == "completed"
    assert shop.ask("GET", BUCKETS, logicalResource__value=LYCA).json[0]["remainingValue"]["amount"] == was + 10
    assert [(d.offering, d.amount_minor) for d in server.carrier.books.debits()] == [("topup", 1000)]
    assert shop.ask("POST", TOPUPS, a_topup("T-1")).status == 409


def test_a_carrier_without_the_extension_is_searched_by_description(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/switches", {"topup_external_id": False})
    assert "externalId" not in shop.ask("POST", TOPUPS, a_topup("T-1")).json
    shop.ask("POST", TOPUPS, a_topup("T-2"))
    assert [t["description"] for t in shop.ask("GET", TOPUPS, description="T-1").json] == ["T-1"]


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def _item(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return body | {"productOrderItem": [body["productOrderItem"][0] | changes]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (_without(an_order("R-1"), "externalId"), "MISSING_MEMBER"),
        (_without(an_order("R-1"), "productOrderItem"), "MISSING_MEMBER"),
        (an_order("R-1") | {"extra": 1}, "UNKNOWN_MEMBER"),
        (_item(an_order("R-1"), extra=1), "UNKNOWN_MEMBER"),
        (an_order("R-1") | {"externalId": 7}, "INVALID_VALUE"),
        (an_order("R-1") | {"externalId": "x" * 65}, "INVALID_VALUE"),
        (an_order("R-1") | {"productOrderItem": []}, "INVALID_VALUE"),
        (_item(an_order("R-1"), action="delete"), "INVALID_VALUE"),
        (_item(an_order("R-1"), quantity=2), "INVALID_VALUE"),
        (_item(an_order("R-1"), product={"productSerialNumber": LYCA, "productCharacteristic": [
            {"name": "MSISDN", "value": HONG_KONG}]}), "INVALID_VALUE"),
        ([an_order("R-1")], "INVALID_BODY"),
        (b"", "INVALID_BODY"),
        (b'{"externalId":"R-1","externalId":"R-2"}', "INVALID_BODY"),
        (b'{"externalId":"\xe9"}', "INVALID_BODY"),
        (b"[" * 100_000, "INVALID_BODY"),
    ],
)  # fmt: skip
def test_an_order_is_read_strictly(server: SandboxServer, shop: Shop, body: Any, code: str) -> None:
    reply = shop.ask("POST", ORDERS, body)
    assert (reply.status, reply.json["code"]) == (400, code)
    assert server.carrier.books.orders() == []


@pytest.mark.parametrize("amount", [0, -1, 1.005, "10", True, 2_000_000])
def test_a_topup_takes_only_money(server: SandboxServer, shop: Shop, amount: Any) -> None:
    assert shop.ask("POST", TOPUPS, a_topup("T-1", amount=amount)).json["code"] == "INVALID_VALUE"


def test_a_plus_sign_must_be_encoded(shop: Shop) -> None:
    assert shop.ask("GET", f"{PRODUCTS}?productSerialNumber={LYCA}").json["code"] == "INVALID_QUERY"


def test_pages_carry_their_counts(shop: Shop) -> None:
    seen: list[str] = []
    while True:
        reply = shop.ask("GET", OFFERINGS, offset=str(len(seen)), fields="name")
        assert reply.headers["x-total-count"] == "48"
        assert int(reply.headers["x-result-count"]) == len(reply.json)
        if not reply.json:
            break
        assert all(set(entity) == {"id", "href", "name", "@type"} for entity in reply.json)
        seen += [entity["id"] for entity in reply.json]
    assert len(set(seen)) == len(seen) == 48
    assert len(shop.ask("GET", OFFERINGS, marketSegment__id="HK", category__id="leb-data").json) == 5


def test_the_statement_is_the_books(server: SandboxServer, shop: Shop) -> None:
    shop.renew("R-1")
    server.carrier.books.move_clock(86400)
    shop.sign_in()  # a day later no token lives
    shop.renew("R-2", HONG_KONG, "lyca-data-hk-7d")
    shop.ask("POST", "/control/reverse", {"externalId": "R-1"})
    day = server.carrier.clock.now().date().isoformat()
    whole = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}

    def lines(**query: str) -> list[Any]:
        reply = shop.ask("GET", "/statement", **query)
        assert reply.headers["content-type"].startswith("application/x-ndjson")
        return [json.loads(line) for line in reply.body.splitlines()]

    assert [(x["externalId"], x["state"]) for x in lines(**whole)] == [
        ("R-1", "completed"),
        ("R-2", "completed"),
        ("R-1", "reversed"),
    ]
    assert [x["amount"] for x in lines(**whole)] == [9.2, 71.76, 9.2]
    assert [x["externalId"] for x in lines(**whole | {"from": f"{day}T00:00:00Z"})] == ["R-2", "R-1"]
    assert shop.ask("GET", "/statement", to="2100-01-01T00:00:00Z").status == 400


def test_a_reversal_gives_money_and_period_back(server: SandboxServer, shop: Shop) -> None:
    before = server.carrier.books.subscriber(LYCA)
    shop.renew("R-1")
    assert shop.ask("POST", "/control/reverse", {"externalId": "R-1"}).status == 200
    after = server.carrier.books.subscriber(LYCA)
    assert before is not None and after is not None and after.expires_at == before.expires_at
    assert server.carrier.books.wallets()["GBP"] == 500_000
    assert shop.find("R-1")[0]["state"] == "cancelled"
    assert shop.ask("POST", "/control/reverse", {"externalId": "R-1"}).status == 400
