"""The DingConnect door, asked by a client that knows nothing of the product: strict where its model is, and sly where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox_shop import Reply, Shop

from pos.sandbox.server import SandboxServer

API = "/ding/api/V1"
REF = "S1-20261008-000123"
ORDER: dict[str, Any] = {
    "SkuCode": "LMFR-B40",
    "SendValue": 17.2,
    "SendCurrencyIso": "GBP",
    "AccountNumber": "33639980123",
    "DistributorRef": REF,
    "ValidateOnly": False,
    "Settings": [],
}
KEY = {"api_key": "demo-secret"}


@pytest.fixture
def client(server: SandboxServer) -> Shop:
    return Shop(server.url)


def order(client: Shop, left_out: str = "", **members: object) -> Reply:
    body = {name: value for name, value in (ORDER | members).items() if name != left_out}
    return client.ask("POST", f"{API}/SendTransfer", body, headers=KEY)


def code(reply: Reply) -> tuple[int, str, str]:
    (told,) = reply.json["ErrorCodes"]
    return reply.json["ResultCode"], told["Code"], told["Context"]


def test_the_key_has_one_name(client: Shop) -> None:
    assert client.ask("GET", f"{API}/GetBalance", headers=KEY).json["Balance"] == 5000.0
    for headers in ({}, {"X-Api-Key": "demo-secret"}, {"api_key": "not this"}, {"Authorization": "Bearer no"}):
        reply = client.ask("GET", f"{API}/GetBalance", headers=headers)
        assert (reply.status, code(reply)) == (401, (4, "AuthenticationFailed", ""))


def test_a_token_does_as_well(client: Shop) -> None:
    form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
    client.token = client.ask("POST", "/ding/connect/token", form=form).json["access_token"]
    assert client.ask("GET", f"{API}/GetBalance").json["CurrencyIso"] == "GBP"


@pytest.mark.parametrize("name", ["SkuCode", "SendValue", "AccountNumber", "DistributorRef", "ValidateOnly"])
def test_what_an_order_needs(client: Shop, name: str) -> None:
    assert code(order(client, left_out=name)) == (4, "ParameterMissing", name)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"AccountNumber": "+33639980123"}, (4, "AccountNumberInvalid", "AccountNumberFailedRegex")),
        ({"AccountNumber": "33112345678"}, (4, "AccountNumberInvalid", "AccountNumberFailedRegex")),
        ({"AccountNumber": "33639990123"}, (5, "AccountNumberInvalid", "ProviderRefusedRequest")),
        ({"SendValue": 17.21}, (4, "ParameterOutOfRange", "SendValue")),
        ({"SendValue": 17.205}, (4, "ParameterInvalid", "SendValue")),
        ({"SendValue": "17.20"}, (4, "ParameterInvalid", "SendValue")),
        ({"SendCurrencyIso": "EUR"}, (4, "ParameterInvalid", "SendCurrencyIso")),
        ({"ValidateOnly": "false"}, (4, "ParameterInvalid", "ValidateOnly")),
        ({"SkuCode": "NOTHING"}, (4, "ParameterInvalid", "SkuCode")),
        ({"DistributorRef": "R" * 41}, (4, "ParameterInvalid", "DistributorRef")),
        ({"SkuCode": "LBFR-BIL", "SendValue": 8.6, "AccountNumber": "33639990123"}, (4, "ParameterMissing", "BillRef")),
        ({"SkuCode": "LBFR-NEW", "SendValue": 8.6, "AccountNumber": "33639990123"}, (4, "ParameterMissing", "Settings")),
    ],
)
def test_what_an_order_must_not_hold(
    client: Shop, server: SandboxServer, members: dict[str, Any], told: tuple[int, str, str]
) -> None:
    assert code(order(client, **members)) == told
    assert server.carrier.vendors["ding"].books.transactions() == []


def test_members_it_does_not_know_are_ignored_and_counted(client: Shop, server: SandboxServer) -> None:
    assert order(client, validateOnly=True, Note="x").json["ResultCode"] == 1
    ignored = {name for name in server.carrier.vendors["ding"].books.requests if name.startswith("ignored")}
    assert ignored == {"ignored validateOnly", "ignored Note"}
    assert len(server.carrier.vendors["ding"].books.debits()) == 1


def test_a_used_reference_is_paid_again_unless_the_guard_is_on(client: Shop, server: SandboxServer) -> None:
    books = server.carrier.vendors["ding"].books
    assert [order(client).json["TransferRecord"]["TransferId"]["TransferRef"] for _ in range(2)] == ["900000001", "900000002"]
    assert len(books.debits()) == 2
    books.enforce_unique_refs = True
    reply = order(client)
    assert (reply.status, code(reply)) == (200, (5, "DuplicateTransactionPrevented", ""))


def test_the_status_misleads(client: Shop, server: SandboxServer) -> None:
    server.carrier.vendors["ding"].books.set_wallet("GBP", 10)
    assert (order(client).status, code(order(client))) == (500, (5, "InsufficientBalance", ""))


def test_a_dry_run_moves_nothing_and_has_no_id(client: Shop, server: SandboxServer) -> None:
    told = order(client, ValidateOnly=True).json
    assert told["ResultCode"] == 1 and "TransferId" not in told["TransferRecord"]
    assert server.carrier.vendors["ding"].books.transactions() == []
    assert server.carrier.vendors["ding"].books.submits_by_ref == {}


def test_the_list_wants_a_number_to_take_and_tells_whether_there_is_more(client: Shop) -> None:
    for turn in range(3):
        order(client, DistributorRef=f"{REF}-{turn}")

    def listed(**asked: object) -> Any:
        return client.ask("POST", f"{API}/ListTransferRecords", asked, headers=KEY)

    assert code(listed()) == (4, "ParameterMissing", "Take")
    assert code(listed(Take=0)) == code(listed(Take=101)) == (4, "ParameterOutOfRange", "Take")
    first, last = listed(Take=2).json, listed(Take=2, Skip=2).json
    assert (first["ThereAreMoreItems"], last["ThereAreMoreItems"]) == (True, False)
    assert [(len(page["Items"]), page["Items"][0]["ResultCode"]) for page in (first, last)] == [(2, 1), (1, 1)]
    assert len(listed(Take=10, DistributorRef=f"{REF}-1").json["Items"]) == 1
    assert len(listed(Take=10, distributorRef=f"{REF}-1").json["Items"]) == 3, "a wrongly cased filter filters nothing"


def test_a_code_stands_in_both_places(client: Shop) -> None:
    told = order(client, SkuCode="LBNL-P10", SendValue=8.7, AccountNumber="31655500123").json["TransferRecord"]
    pin = told["ReceiptParams"]["pin"]
    assert f"PIN: {pin[:4]} {pin[4:8]} {pin[8:]}" in told["ReceiptText"]
    assert (told["ProcessingState"], told["Price"]["ReceiveValue"], told["CommissionApplied"]) == ("Complete", 10.0, 0.44)


def test_a_number_of_nobodys_is_a_nearest_match(client: Shop) -> None:
    reply = client.ask("GET", f"{API}/GetAccountLookup", headers=KEY, accountNumber="447700900123")
    assert code(reply) == (2, "NearestMatch", "") and reply.json["Items"] == []


def test_two_countries_need_the_key_twice(client: Shop) -> None:
    both = client.ask("GET", f"{API}/GetProviders?countryIsos=FR&countryIsos=NL", headers=KEY)
    assert {entry["ProviderCode"] for entry in both.json["Items"]} == {"LMFR", "LBFR", "LBNL"}
    assert client.ask("GET", f"{API}/GetProviders?countryIsos=FR,NL", headers=KEY).json["Items"] == []


def test_the_books_survive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "books.json"
    with SandboxServer(state=state) as server:
        order(Shop(server.url), AccountNumber="33639980012")
        order(Shop(server.url), DistributorRef=f"{REF}-2")
    with SandboxServer(state=state) as server:
        books = server.carrier.vendors["ding"].books
        books.move_clock(91)
        reply = Shop(server.url).ask("POST", f"{API}/ListTransferRecords", {"Take": 10}, headers=KEY)
        told = [(item["TransferRecord"]["ProcessingState"], item["ResultCode"]) for item in reply.json["Items"]]
        assert told == [("Complete", 1), ("Failed", 3)]
        assert len(books.debits()) == 1
