"""The strings behind the resellers: JSON for tests, and their part of the page for people."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import pytest
from sandbox_shop import Reply, Shop

from pos.sandbox.server import SandboxServer
from pos.sandbox.vendors import KINDS
from pos.sandbox.words import LANGUAGES

FRENCH, GERMAN = "33639980123", "+4915550123456"
KEY = {"api_key": "demo-secret"}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"demo:demo-secret").decode()}


@pytest.fixture
def shop(server: SandboxServer) -> Shop:
    return Shop(server.url)


def transfer(shop: Shop, ref: str = "D-1", number: str = FRENCH, sku: str = "LMFR-B40", send: float = 17.2) -> Reply:
    order = {"SkuCode": sku, "SendValue": send, "SendCurrencyIso": "GBP", "AccountNumber": number, "DistributorRef": ref}
    return shop.ask("POST", "/ding/api/V1/SendTransfer", order | {"ValidateOnly": False, "Settings": []}, headers=KEY)


def hold(shop: Shop, ref: str = "T-1", **more: Any) -> int:
    order = {"external_id": ref, "product_id": 6002, "auto_confirm": False, "credit_party_identifier": {"mobile_number": GERMAN}}
    return int(shop.ask("POST", "/dtone/v1/async/transactions", order | more, headers=BASIC).json["id"])


def dtone_state(shop: Shop, key: int) -> str:
    return str(shop.ask("GET", f"/dtone/v1/transactions/{key}", headers=BASIC).json["status"]["message"])


def look(shop: Shop, name: str) -> Any:
    return shop.ask("GET", "/control/vendors").json[name]


def change(shop: Shop, name: str, **members: Any) -> Reply:
    return shop.ask("POST", "/control/vendor", {"name": name} | members)


def test_every_reseller_tells_what_it_begins_with(shop: Shop) -> None:
    told = shop.ask("GET", "/control/vendors").json
    assert set(told) == set(KINDS)
    for name, kind in KINDS.items():
        assert told[name]["wallets"] == kind.wallets and told[name]["holding"] == {"GBP": 0}
        assert set(told[name]["switches"]) == set(kind.switches)
        assert (told[name]["enforce_unique_refs"], told[name]["atomic_refs"]) == (kind.unique, kind.atomic)
        assert told[name]["transactions"] == told[name]["debits"] == told[name]["reversals"] == told[name]["callbacks"] == []
        assert told[name]["requests"] == told[name]["submits_by_ref"] == {}


def test_a_sale_is_told_as_the_books_have_it(server: SandboxServer, shop: Shop) -> None:
    transfer(shop)
    told = look(shop, "ding")
    [movement] = server.carrier.vendors["ding"].books.debits()
    [debit], [sold] = told["debits"], told["transactions"]
    assert debit.pop("at").endswith("Z")
    cost = movement.amount_minor
    assert debit == {
        "ref": "D-1",
        "order_id": "900000001",
        "number": f"+{FRENCH}",
        "offering": "LMFR-B40",
        "amount_minor": cost,
        "currency": "GBP",
        "state": "completed",
    }
    assert (sold["id"], sold["ref"], sold["state"], sold["cost_minor"]) == (900_000_001, "D-1", "completed", cost)
    assert told["wallets"] == {"GBP": 500_000 - cost} and told["submits_by_ref"] == {"D-1": 1}
    assert told["requests"] == {"POST /api/V1/SendTransfer": 1}
    assert look(shop, "dtone")["debits"] == []


def test_what_is_set_aside_is_told_and_a_written_wallet_leaves_it(shop: Shop) -> None:
    hold(shop)
    told = look(shop, "dtone")
    aside = told["holding"]["GBP"]
    assert aside > 0 and told["wallets"] == {"GBP": 500_000 - aside} and told["debits"] == []
    told = change(shop, "dtone", wallet={"currency": "GBP", "available_minor": 1200}).json
    assert told == look(shop, "dtone") and (told["wallets"], told["holding"]) == ({"GBP": 1200}, {"GBP": aside})
    assert look(shop, "ding")["wallets"] == {"GBP": 500_000}


def test_money_is_given_back_once(shop: Shop) -> None:
    transfer(shop)
    told = change(shop, "ding", reverse=900_000_001).json
    assert [m["state"] for m in told["reversals"]] == ["reversed"] and told["wallets"] == {"GBP": 500_000}
    assert [t["state"] for t in told["transactions"]] == ["reversed"] and len(told["debits"]) == 1
    assert change(shop, "ding", reverse=900_000_001).json["code"] == "INVALID_VALUE"
    assert look(shop, "ding")["wallets"] == {"GBP": 500_000}


def test_a_reseller_tells_the_shop_what_was_given_back_here(server: SandboxServer, shop: Shop) -> None:
    nobody = f"{server.url}/nobody"
    key = hold(shop, callback_url=nobody, auto_confirm=True)
    change(shop, "dtone", reverse=key)
    server.carrier.vendors["dtone"].callbacks.wait()
    assert dtone_state(shop, key) == "REVERSED"
    assert look(shop, "dtone")["callbacks"] == [[nobody, 404]] * 6  # completed and reversed, three tries each


def test_switches_reach_the_door(shop: Shop) -> None:
    told = change(shop, "ding", switches={"withdrawn": ["LMFR-B40"], "most_taken": 2, "newest_first": None}).json
    assert (told["switches"]["withdrawn"], told["switches"]["most_taken"]) == (["LMFR-B40"], 2)
    assert told["switches"]["newest_first"] is True  # null leaves a switch alone
    transfer(shop)
    assert look(shop, "ding")["transactions"] == []
    change(shop, "ding", switches={"withdrawn": []})
    transfer(shop)
    assert len(look(shop, "ding")["transactions"]) == 1
    assert change(shop, "reloadly", switches={"cool_down_seconds": 0.5}).json["switches"]["cool_down_seconds"] == 0.5


def test_references_are_refused_or_not_as_told(shop: Shop) -> None:
    transfer(shop)
    transfer(shop)
    assert len(look(shop, "ding")["debits"]) == 2
    told = change(shop, "ding", enforce_unique_refs=True).json
    transfer(shop)
    assert told["enforce_unique_refs"] is True and len(look(shop, "ding")["debits"]) == 2
    assert change(shop, "reloadly", atomic_refs=True).json["atomic_refs"] is True


@pytest.mark.parametrize("members", [{"holds_end_by_themselves": False}, {"switches": {"auto_cancel": False}}])
def test_a_hold_stays_when_told_so(shop: Shop, members: Mapping[str, Any]) -> None:
    """DT One's door sets its books by its switch at every request: the two must not contradict each other."""
    told = change(shop, "dtone", **members).json
    assert (told["holds_end_by_themselves"], told["switches"]["auto_cancel"]) == (False, False)
    key = hold(shop)
    shop.ask("POST", "/control/clock", {"advance_seconds": 7200})
    assert dtone_state(shop, key) == "CREATED" and look(shop, "dtone")["holding"]["GBP"] > 0
    change(shop, "dtone", holds_end_by_themselves=True)
    assert dtone_state(shop, key) == "CANCELLED" and look(shop, "dtone")["holding"]["GBP"] == 0


def test_only_this_resellers_tokens_are_forgotten(shop: Shop) -> None:
    shop.sign_in()
    carriers = shop.token
    form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
    shop.token = shop.ask("POST", "/ding/connect/token", form=form).json["access_token"]
    assert shop.ask("GET", "/ding/api/V1/GetBalance").status == 200
    assert change(shop, "ding", revoke_tokens=True).status == 200
    assert shop.ask("GET", "/ding/api/V1/GetBalance").status == 401
    shop.token = carriers
    assert shop.ask("GET", "/wallet").status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"revoke_tokens": True}, "MISSING_MEMBER"),
        ({"name": "nobody", "revoke_tokens": True}, "INVALID_VALUE"),
        ({"name": 1, "revoke_tokens": True}, "INVALID_VALUE"),
        ({"name": "ding"}, "INVALID_VALUE"),
        ({"name": "ding", "mood": True}, "UNKNOWN_MEMBER"),
        ({"name": "ding", "revoke_tokens": True, "atomic_refs": False}, "INVALID_VALUE"),
        ({"name": "ding", "revoke_tokens": False}, "INVALID_VALUE"),
        ({"name": "ding", "atomic_refs": 1}, "INVALID_VALUE"),
        ({"name": "ding", "wallet": 1200}, "INVALID_VALUE"),
        ({"name": "ding", "wallet": {"currency": "EUR", "available_minor": 1}}, "INVALID_VALUE"),
        ({"name": "ding", "wallet": {"currency": "GBP", "available_minor": 1.5}}, "INVALID_VALUE"),
        ({"name": "ding", "wallet": {"currency": "GBP"}}, "MISSING_MEMBER"),
        ({"name": "ding", "wallet": {"currency": "GBP", "available_minor": 1, "held": 2}}, "UNKNOWN_MEMBER"),
        ({"name": "ding", "reverse": "900000001"}, "INVALID_VALUE"),
        ({"name": "ding", "reverse": 900_000_001}, "INVALID_VALUE"),
        ({"name": "ding", "switches": {"webhook_url": ""}}, "UNKNOWN_MEMBER"),
        ({"name": "ding", "switches": {"newest_first": False, "most_taken": "2"}}, "INVALID_VALUE"),
        ({"name": "ding", "switches": {"newest_first": False, "most_taken": 0}}, "INVALID_VALUE"),
        ({"name": "ding", "switches": {"newest_first": 0}}, "INVALID_VALUE"),
        ({"name": "ding", "switches": {"withdrawn": [1]}}, "INVALID_VALUE"),
        ({"name": "reloadly", "switches": {"filter_hours": 24}}, "INVALID_VALUE"),
        ({"name": "reloadly", "switches": {"slow_seconds": float("nan")}}, "INVALID_VALUE"),
        ({"name": "airalo", "switches": {"webhook_url": "file:///x"}}, "INVALID_VALUE"),
        ({"name": "dtone", "switches": {"confirm_of_cancelled": 1}}, "INVALID_VALUE"),
        (b"[]", "INVALID_BODY"),
    ],
)
def test_control_says_what_it_did_not_understand_and_changes_nothing(shop: Shop, body: Any, code: str) -> None:
    before = shop.ask("GET", "/control/vendors").json
    reply = shop.ask("POST", "/control/vendor", body)
    assert (reply.status, reply.json["code"]) == (400, code)
    assert shop.ask("GET", "/control/vendors").json == before


# The page


def press(shop: Shop, **form: str) -> Reply:
    return shop.ask("POST", "/control", form=form)


def sections(shop: Shop, **query: str) -> dict[str, str]:
    """Reseller -> its section of the page."""
    page = shop.ask("GET", "/control", **query).body.decode()
    return dict(re.findall(r'<section class="wide" id="(\w+)">(.*?)</section>', page, re.DOTALL))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reseller_has_a_section_with_the_way_in(server: SandboxServer, shop: Shop, language: str) -> None:
    found = sections(shop, lang=language)
    assert set(found) == set(KINDS)
    for name, section in found.items():
        base = re.search(rf"<code>({server.url}/{name}[^<]*)</code>", section)
        assert base and "<code>demo</code> / <code>demo-secret</code>" in section
        assert "5,000.00" in section


@pytest.mark.parametrize(
    ("name", "path"),
    [("airalo", "/balance"), ("ding", "/GetBalance"), ("dtone", "/balances"), ("reloadly", "/accounts/balance")],
)
def test_the_address_on_the_page_is_the_doors(shop: Shop, name: str, path: str) -> None:
    """Behind it somebody asks who is there; a wrong address would answer 404."""
    base, *tokens = re.findall(r"<code>http://[^/<]*(/[^<]*)</code>", sections(shop)[name])
    assert shop.ask("GET", base + path).status == 401
    assert [shop.ask("POST", token, form={}).status in (400, 401, 415) for token in tokens] == [True] * len(tokens)


def test_the_page_shows_the_latest_ten_and_what_is_set_aside(shop: Shop) -> None:
    for number in range(11):
        transfer(shop, f"D-<{number}>")
    hold(shop)
    found = sections(shop)
    refs = re.findall(r"D-&lt;(\d+)&gt;", found["ding"])
    assert refs == [str(number) for number in range(10, 0, -1)]
    assert found["ding"].count("Give back") == 10 and "Give back" not in found["dtone"]
    assert '<td class="figure">8.00</td>' in found["dtone"] and "4,992.00" in found["dtone"] and "held" in found["dtone"]


def test_no_code_is_on_the_page(shop: Shop) -> None:
    pin = transfer(shop, number="31655500123", sku="LBNL-P10", send=8.7).json["TransferRecord"]["ReceiptParams"]["pin"]
    section = sections(shop)["ding"]
    assert "LBNL-P10" in section and len(pin) > 5 and pin not in section.replace(" ", "")


def test_the_buttons_do_what_they_say(server: SandboxServer, shop: Shop) -> None:
    books = server.carrier.vendors["ding"].books
    reply = press(shop, do="vendor_wallet", name="ding", currency="GBP", available="1,234.56", lang="zh-Hant")
    assert (reply.status, reply.headers["location"]) == (303, "/control?lang=zh-Hant#ding")
    assert books.wallets() == {"GBP": 123_456}
    transfer(shop)
    assert press(shop, do="vendor_reverse", name="ding", transaction="900000001").status == 303
    assert books.wallets() == {"GBP": 123_456} and [t.state for t in books.transactions()] == ["reversed"]
    assert press(shop, do="reset").status == 303
    assert books.wallets() == {"GBP": 500_000} and books.transactions() == []


@pytest.mark.parametrize(
    "form",
    [
        {"do": "vendor_wallet", "name": "nobody", "currency": "GBP", "available": "1"},
        {"do": "vendor_wallet", "name": "ding", "currency": "EUR", "available": "1"},
        {"do": "vendor_wallet", "name": "ding", "currency": "GBP", "available": "much"},
        {"do": "vendor_wallet", "name": "ding", "currency": "GBP", "available": "1e9999"},
        {"do": "vendor_wallet", "name": "ding", "currency": "GBP", "available": "nan"},
        {"do": "vendor_reverse", "name": "ding", "transaction": "soon"},
        {"do": "vendor_reverse", "name": "ding", "transaction": "1"},
        {"do": "vendor_reverse", "transaction": "1"},
    ],
)
def test_a_button_that_makes_no_sense_is_refused(server: SandboxServer, shop: Shop, form: dict[str, str]) -> None:
    assert press(shop, **form).status == 400
    assert server.carrier.vendors["ding"].books.wallets() == {"GBP": 500_000}


def test_another_site_may_not_press_them(server: SandboxServer, shop: Shop) -> None:
    form = {"do": "vendor_wallet", "name": "ding", "currency": "GBP", "available": "1"}
    assert shop.ask("POST", "/control", form=form, headers={"Origin": "http://evil.example"}).status == 404
    assert shop.ask("GET", "/control/vendors", headers={"Host": "evil.example:80"}).status == 404
