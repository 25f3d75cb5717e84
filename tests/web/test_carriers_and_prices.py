"""The screens of those who keep the shop running: how carriers stand, and what the shop asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from pos.cli import main
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from pos.services import status
from tests.conftest import StandingClock
from tests.counter import Counter
from tests.web.test_bad_input import NASTY, as_bytes, check_answer


@pytest.fixture
def read(app: Flask) -> None:
    with app.app_context():
        status.ask_carriers(kit=app.extensions["simcounter"])


@pytest.mark.usefixtures("read")
def test_a_manager_sees_how_a_carrier_stands(counter: Counter) -> None:
    page = counter.sign_in("201").get("/carriers")
    assert page.status == 200
    for words in ("sandbox", "selling", "5,000.00 GBP", "23 plans on sale", "its wallet"):
        assert words in page.plain, words


@pytest.mark.usefixtures("read")
def test_low_water_and_a_movement_are_written_on_the_page(counter: Counter, sandbox: SandboxServer, clock: StandingClock) -> None:
    counter.sign_in("201")
    assert counter.post("/carriers/sandbox/GBP/low-water", {"low_water": "5000.01"}).status == 200
    assert "Float at sandbox runs low" in counter.get("/carriers").plain
    refused = counter.post("/carriers/sandbox/GBP/low-water", {"low_water": "lots"})
    assert refused.status == 422
    assert "This is not an amount" in refused.plain
    sandbox.carrier.books.set_wallet("GBP", 510_000)
    clock.pass_time(seconds=60)
    counter.post("/carriers/ask", {})
    page = counter.get("/carriers")
    assert "100.00 GBP more than our books say" in page.plain
    assert counter.post("/carriers/sandbox/GBP/explain", {"amount_minor": "10000", "why": ""}).status == 422
    assert counter.post("/carriers/sandbox/GBP/explain", {"amount_minor": "10000", "why": "bank"}).status == 200
    assert "Agrees with our books" in counter.get("/carriers").plain
    assert counter.post("/carriers/sandbox/EUR/explain", {"amount_minor": "1", "why": "x"}).status == 404


def test_a_clerk_is_not_shown_carriers_or_prices(counter: Counter) -> None:
    counter.sign_in("101")
    assert "/carriers" not in counter.get("/").text
    assert counter.get("/carriers").status == 403
    assert counter.sign_in("201").get("/prices").status == 403, "prices are the owner's"


def test_the_owner_sets_a_price_a_rule_and_a_ceiling(counter: Counter) -> None:
    counter.sign_in("801")
    page = counter.get("/prices")
    assert "Lyca Data 7 days 8 GB" in page.plain
    rule = {"margin": "25", "add": "", "round_to": "0.50", "carrier": "", "line": "", "cost_currency": "", "rate": ""}
    assert counter.post("/prices/rules", rule).status == 200
    assert "9.50 GBP" in counter.get("/prices").plain
    for wrong in (
        {"margin": "lots"},
        {"round_to": "0"},
        {"cost_currency": "EUR", "rate": ""},
        {"cost_currency": "EUR", "rate": "-1"},
    ):
        refused = counter.post("/prices/rules", rule | wrong)
        assert refused.status == 422, wrong
        assert "lots" in refused.text or "margin" not in wrong, "what was typed stays"
    assert counter.post("/prices/ceiling", {"ceiling": "9.00"}).status == 200
    assert "not on sale: above the ceiling" in counter.get("/prices?show=withheld").plain
    assert counter.post("/prices/1", {"price": "nothing"}).status == 422
    assert counter.post("/prices/1", {"price": "7.77"}).status == 200
    assert "7.77 GBP" in counter.get("/prices?show=own").plain
    assert counter.post("/prices/999999", {"price": "7.77"}).status == 404


MANAGED = {
    "/carriers/sandbox/GBP/low-water": {"low_water": "1.00"},
    "/carriers/sandbox/GBP/explain": {"amount_minor": "1", "why": "bank"},
}
OWNED = {
    "/prices/1": {"price": "1.00"},
    "/prices/ceiling": {"ceiling": "1.00"},
    "/prices/rules": {"margin": "1", "add": "", "round_to": "", "carrier": "", "line": "", "cost_currency": "", "rate": ""},
}


@pytest.mark.usefixtures("read")
@pytest.mark.parametrize(
    ("path", "fields", "who"), [*((p, f, "201") for p, f in MANAGED.items()), *((p, f, "801") for p, f in OWNED.items())]
)
def test_nothing_that_can_be_typed_breaks_these_pages(counter: Counter, path: str, fields: dict[str, str], who: str) -> None:
    counter.sign_in(who)
    token = counter.page.hidden("csrf_token")
    for place, nasty in enumerate([*NASTY, "4111111111111111"]):
        field = list(fields)[place % len(fields)]
        sent = {"csrf_token": token, **fields, field: as_bytes(nasty)}
        answer = counter.client.post(path, data=sent)
        check_answer(answer.status_code, answer.get_data(as_text=True), answer.location or "", (field, nasty[:40]))


def check(folder: Path, url: str, *more: str) -> tuple[int, str]:
    config = folder / "check.toml"
    config.write_text(
        "[database]\nurl = 'sqlite:///shop.sqlite3'\n[security]\nkey_ring = 'keys.json'\n[logging]\nlevel = 'error'\n"
        f"[carriers.sandbox]\nprotocol = 'tmforum'\nbase_url = '{url}'\ncurrencies = ['GBP']\nwallet_path = '/wallet'\n"
        f"auth = {{ kind = 'client_credentials', token_url = '{url}/oauth/token', client_id = 'demo', client_secret = 'demo-secret' }}\n",
        encoding="utf-8",
    )
    answer = CliRunner().invoke(main, ["--config", str(config), "carrier", "check", "sandbox", *more])
    return answer.exit_code, answer.output


def test_a_check_tries_everything_that_orders_nothing(app: Flask, folder: Path, sandbox: SandboxServer) -> None:
    code, said = check(folder, sandbox.url, "--number", "+447700900123", "--plan", "lyca-data-gb-7d")
    assert code == 0, said
    for words in ("5000.00 GBP", "absent, as it must be", "24 plans, 23 of them", "(sandbox, GB)", "not offered"):
        assert words in said, words
    assert sandbox.carrier.books.orders() == []


def test_a_check_names_what_is_wrong(app: Flask, folder: Path, sandbox: SandboxServer) -> None:
    sandbox.carrier.faults.add(Fault("html_502", "find", None))
    code, said = check(folder, sandbox.url, "--json")
    told = json.loads(said)
    assert (code, told["ok"]) == (1, False)
    assert [step["name"] for step in told["steps"] if step["is_right"] is False] == ["look-up by reference"]


def test_a_check_knows_the_carrier_s_clock(app: Flask, clock: StandingClock, sandbox: SandboxServer) -> None:
    kit = app.extensions["simcounter"]
    kit.carriers["sandbox"].wallet()
    ahead = kit.carriers["sandbox"].clock_ahead()
    assert ahead is not None
    assert abs(ahead.total_seconds()) < 5
