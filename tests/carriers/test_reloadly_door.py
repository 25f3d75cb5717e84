"""The Reloadly door by itself: what its parser refuses, and that it looks like the vendor's own files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from pos.carriers.reloadly import Reloadly, ReloadlyKeys
from pos.carriers.wire import Wire
from pos.domain.money import Money
from pos.ports import FindState, Outcome, OutcomeState, ProductKind, Reason, Request, Voucher
from pos.sandbox.faults import Fault
from pos.sandbox.reloadly import RELOADLY
from pos.sandbox.reloadly_shelf import OPERATORS
from pos.sandbox.server import SandboxServer
from pos.sandbox.vendors import Vendor

FILES = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "reloadly"
REF = "S1-20261008-000123"
BODY: dict[str, Any] = {
    "operatorId": 535,
    "amount": 10.00,
    "useLocalAmount": False,
    "customIdentifier": REF,
    "recipientPhone": {"countryCode": "ES", "number": "34600001230"},
}
TOKEN = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
PIN = BODY | {"operatorId": 540, "recipientPhone": {"countryCode": "GB", "number": "447700900123"}}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def vendor(sandbox: SandboxServer) -> Vendor:
    return sandbox.carrier.vendors["reloadly"]


class Client:
    """A dealer who is signed in, or not yet."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/reloadly"
        self.headers = {"Accept": "application/com.reloadly.topups-v1+json"}

    def token(self, **members: object) -> httpx2.Response:
        body = {**TOKEN, "audience": self.url} | members
        return httpx2.post(f"{self.url}/oauth/token", json={name: value for name, value in body.items() if value is not None})

    def sign_in(self) -> Client:
        self.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", headers=self.headers)

    def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        sent = self.headers | {"Content-Type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return httpx2.post(f"{self.url}{path}", content=json.dumps(body), headers=sent)


@pytest.fixture
def client(sandbox: SandboxServer) -> Client:
    return Client(sandbox.url).sign_in()


def said(answer: httpx2.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("errorCode")


# --- who comes in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"client_secret": "wrong"}, (401, "INVALID_CREDENTIALS")),
        ({"client_id": "wrong"}, (401, "INVALID_CREDENTIALS")),
        ({"audience": "https://topups.example"}, (400, "INVALID_AUDIENCE")),
        ({"audience": None}, (400, "INVALID_INPUT_PROVIDED")),
        ({"grant_type": "password"}, (400, "INVALID_INPUT_PROVIDED")),
        ({"scope": "all"}, (400, "INVALID_INPUT_PROVIDED")),
    ],
)
def test_a_token_is_for_who_says_exactly_who_and_where(
    sandbox: SandboxServer, members: dict[str, object], told: tuple[int, str]
) -> None:
    assert said(Client(sandbox.url).token(**members)) == told


@pytest.mark.parametrize("seconds", [3600, 86400])
def test_a_token_lives_as_long_as_it_says(sandbox: SandboxServer, vendor: Vendor, seconds: int) -> None:
    sandbox.carrier.settings.token_seconds = seconds
    client = Client(sandbox.url)
    assert client.token().json()["expires_in"] == seconds
    client.sign_in()
    vendor.books.move_clock(seconds - 5)
    assert client.get("/accounts/balance").status_code == 200
    vendor.books.move_clock(6)
    assert said(client.get("/accounts/balance")) == (401, "INVALID_TOKEN")


def test_without_token_or_media_type_nobody_comes_in(client: Client) -> None:
    assert httpx2.get(f"{client.url}/accounts/balance", headers=client.headers | {"Accept": "*/*"}).status_code == 406
    client.headers.pop("Authorization")
    assert said(client.get("/accounts/balance")) == (401, "INVALID_TOKEN")


def test_a_path_that_is_none_gets_the_frameworks_error(client: Client) -> None:
    told = client.get("/topup").json()
    assert set(told) == {"timestamp", "status", "error", "message", "path"}
    assert client.get("/topups").status_code == 405


# --- what a top-up must say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in BODY])
def test_each_member_must_be_there(client: Client, vendor: Vendor, name: str) -> None:
    told = said(client.post("/topups", {key: value for key, value in BODY.items() if key != name}))
    assert told == (400, "INVALID_INPUT_PROVIDED")
    assert vendor.books.transactions() == []


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"unheard": 1}, "INVALID_INPUT_PROVIDED"),
        ({"operatorId": "Lyca"}, "INVALID_INPUT_PROVIDED"),
        ({"operatorId": 535.5}, "INVALID_INPUT_PROVIDED"),
        ({"amount": "10.00"}, "INVALID_AMOUNT"),
        ({"amount": 0}, "INVALID_AMOUNT"),
        ({"amount": -5}, "INVALID_AMOUNT"),
        ({"amount": 10.001}, "INVALID_AMOUNT"),
        ({"useLocalAmount": True}, "LOCAL_AMOUNTS_NOT_SUPPORTED_BY_OPERATOR"),
        ({"useLocalAmount": "false"}, "LOCAL_AMOUNTS_NOT_SUPPORTED_BY_OPERATOR"),
        ({"customIdentifier": ""}, "INVALID_INPUT_PROVIDED"),
        ({"customIdentifier": "x" * 151}, "INVALID_INPUT_PROVIDED"),
        ({"customIdentifier": 7}, "INVALID_INPUT_PROVIDED"),
        ({"recipientPhone": "+34600001230"}, "INVALID_INPUT_PROVIDED"),
        ({"recipientPhone": {"countryCode": "ES"}}, "INVALID_INPUT_PROVIDED"),
        ({"recipientPhone": {"number": "34600001230"}}, "INVALID_INPUT_PROVIDED"),
        ({"recipientPhone": {"countryCode": "ES", "number": "+34600001230"}}, "INVALID_RECIPIENT_PHONE"),
        ({"recipientPhone": {"countryCode": "ES", "number": 34600001230}}, "INVALID_INPUT_PROVIDED"),
        ({"recipientPhone": {"countryCode": "ES", "number": "34600001230", "x": 1}}, "INVALID_INPUT_PROVIDED"),
    ],
)
def test_each_member_must_be_right(client: Client, vendor: Vendor, members: dict[str, object], word: str) -> None:
    assert said(client.post("/topups", BODY | members)) == (400, word)
    assert vendor.books.transactions() == []


def test_a_body_is_json_and_says_so(client: Client) -> None:
    assert client.post("/topups", BODY, Content_Type="text/plain").status_code == 415
    assert said(client.post("/topups", [BODY])) == (400, "INVALID_INPUT_PROVIDED")


@pytest.mark.parametrize(
    "query",
    ["customIdentifer=x", "page=one", "size=0", "startDate=2026-10-08", "page=1&page=2", "endDate=2026-10-08T00:00:00Z"],
)
def test_a_mistyped_question_is_refused(client: Client, query: str) -> None:
    assert said(client.get(f"/topups/reports/transactions?{query}")) == (400, "INVALID_INPUT_PROVIDED")


# --- its habits -----------------------------------------------------------------------------------------------------


def test_pages_are_asked_for_from_one_and_numbered_from_nought(client: Client, vendor: Vendor) -> None:
    vendor.switches["cool_down_seconds"] = 0
    for turn in range(3):
        assert client.post("/topups", BODY | {"customIdentifier": f"{REF}-{turn}"}).status_code == 200

    def page(number: int) -> tuple[list[str], int, bool]:
        told = client.get(f"/topups/reports/transactions?page={number}&size=2").json()
        return [record["customIdentifier"][-1] for record in told["content"]], told["number"], told["last"]

    assert page(0) == page(1) == (["0", "1"], 0, False)
    assert page(2) == (["2"], 1, True)
    assert page(3) == ([], 2, True)
    assert client.get("/topups/reports/transactions?size=1000").json()["size"] == 500


def test_a_search_by_reference_does_not_care_about_case(client: Client) -> None:
    client.post("/topups", BODY)
    assert client.get(f"/topups/reports/transactions?customIdentifier={REF.lower()}").json()["totalElements"] == 1
    assert client.get(f"/topups/reports/transactions?customIdentifier={REF[:-1]}").json()["totalElements"] == 0


def test_dates_are_read_by_another_clock(client: Client, sandbox: SandboxServer, vendor: Vendor) -> None:
    client.post("/topups", BODY)
    utc = sandbox.carrier.clock.now().strftime("%Y-%m-%d %H:%M:%S").replace(" ", "%20")
    assert client.get(f"/topups/reports/transactions?endDate={utc}").json()["totalElements"] == 1
    assert client.get(f"/topups/reports/transactions?startDate={utc}").json()["totalElements"] == 0, "four hours ahead of it"
    vendor.switches["filter_hours"] = 0
    assert client.get(f"/topups/reports/transactions?startDate={utc}").json()["totalElements"] == 1


def test_an_asynchronous_top_up_has_no_transaction_for_a_while(client: Client, vendor: Vendor) -> None:
    told = client.post("/topups-async", BODY).json()
    assert set(told) == {"transactionId"}
    status = f"/topups/{told['transactionId']}/status"
    assert client.get(status).json() == {"code": None, "message": None, "status": "PROCESSING", "transaction": None}
    vendor.books.move_clock(10)
    done = client.get(status).json()
    assert (done["status"], done["transaction"]["status"]) == ("SUCCESSFUL", "SUCCESSFUL")
    assert said(client.get("/topups/1/status")) == (404, "TRANSACTION_NOT_FOUND")


def test_what_was_given_back_is_refunded(client: Client, sandbox: SandboxServer, vendor: Vendor) -> None:
    sandbox.carrier.faults.add(Fault("done_then_reversed", count=1))
    key = client.post("/topups", BODY).json()["transactionId"]
    vendor.books.move_clock(61)
    assert client.get(f"/topups/reports/transactions/{key}").json()["status"] == "REFUNDED"
    assert client.get("/accounts/balance").json()["balance"] == 5000.0


def test_money_is_what_the_books_say(client: Client, vendor: Vendor) -> None:
    told = client.post("/topups", BODY).json()
    assert (told["balanceInfo"]["cost"], told["balanceInfo"]["oldBalance"], told["balanceInfo"]["newBalance"]) == (
        9.2,
        5000.0,
        4990.8,
    )
    assert (told["discount"], told["deliveredAmount"]) == (0.8, 11.5)
    assert vendor.books.wallets() == {"GBP": 499_080}


def test_the_manual_names_every_path_switch_and_operator(vendor: Vendor) -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    manual = manual.partition("## The Reloadly door")[2].partition("\n## ")[0]
    for _, path, _ in RELOADLY.doors:
        assert path.removesuffix("/{id}") in manual, path
    for switch in vendor.switches:
        assert f"`{switch}`" in manual, switch
    for operator in OPERATORS.values():
        assert f"{operator.id} {operator.name}" in manual


# --- like the vendor's own files ------------------------------------------------------------------------------------


def fixture(name: str) -> Any:
    """The vendor's own file; without it there is nothing to compare with, which only a build server must not accept."""
    path = FILES / "sdk-java-fixtures" / f"{name}.json"
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path.name} is not there")
        pytest.skip(f"{path.name} is not beside this checkout")
    return json.loads(path.read_text(encoding="utf-8"))


def kinds_differ(told: Any, wanted: Any, where: str = "") -> Iterator[str]:
    """Each place where an answer is of another kind than the file, or lacks a member of it. Null goes with anything."""
    if told is None or wanted is None:
        return
    if isinstance(wanted, dict) and isinstance(told, dict):
        for name in wanted:
            if name not in told:
                yield f"{where}.{name} is missing"
            else:
                yield from kinds_differ(told[name], wanted[name], f"{where}.{name}")
    elif isinstance(wanted, list) and isinstance(told, list):
        for one in told:
            if wanted:
                yield from kinds_differ(one, wanted[0], f"{where}[]")
    elif isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        if isinstance(told, bool) or not isinstance(told, (int, float)):
            yield f"{where} is no number"
    elif type(told) is not type(wanted) and not (wanted == {} and told == []):
        yield f"{where} is {type(told).__name__}"


def members(value: Any) -> set[str]:
    """Every name in there."""
    if isinstance(value, dict):
        return set(value) | set().union(*(members(inner) for inner in value.values()))
    return set().union(*(members(inner) for inner in value)) if isinstance(value, list) else set()


# Newer than the vendor's library (docs/sandbox.md).
NEWER = {"status", "fee", "cost", "comboProduct", "supportsGeographicalRechargePlans", "geographicalRechargePlans", "fees",
         "international", "internationalPercentage", "local", "localPercentage"}  # fmt: skip


def fits(told: Any, wanted: Any) -> None:
    assert list(kinds_differ(told, wanted)) == []
    # Descriptions are keyed by amounts.
    assert {name for name in members(told) - members(wanted) if name[:1].isalpha()} <= NEWER, "a member that is in no file"


def test_top_ups_look_like_the_vendors(client: Client) -> None:
    fits(client.post("/topups", BODY).json(), fixture("phone_topup_transaction_with_pin_detail"))
    fits(client.post("/topups", PIN | {"customIdentifier": "P"}).json(), fixture("phone_topup_transaction_with_pin_detail"))
    fits(client.post("/topups", BODY | {"customIdentifier": "Q"}).json(), {"timeStamp": "", "message": "", "path": "",
         "errorCode": "", "infoLink": None, "details": []})  # fmt: skip
    key = client.post("/topups-async", PIN | {"customIdentifier": "A", "operatorId": 701, "recipientPhone": {
        "countryCode": "US", "number": "16465550100"}}).json()  # fmt: skip
    fits(key, fixture("phone_topup_transaction_async"))


def test_a_status_and_the_reports_look_like_the_vendors(client: Client) -> None:
    key = client.post("/topups", PIN).json()["transactionId"]
    pin = fixture("phone_topup_transaction_with_pin_detail")
    fits(client.get(f"/topups/{key}/status").json(), fixture("phone_topup_transaction_status") | {"transaction": pin})
    wanted = fixture("transaction_history_filtered_page")
    wanted["content"] = [pin]
    fits(client.get("/topups/reports/transactions").json(), wanted)


def test_wallet_and_operators_look_like_the_vendors(client: Client) -> None:
    fits(client.get("/accounts/balance").json(), fixture("account_balance"))
    wanted = fixture("operator_auto_detect_unfiltered") | {"promotions": [], "suggestedAmountsMap": {}}
    for path in ("/operators/535", "/operators/702", "/operators/auto-detect/phone/34600001231/countries/ES"):
        fits(client.get(path).json(), wanted)
    for country in ("ES", "US", "GB"):
        for one in client.get(f"/operators/countries/{country}").json():
            fits(one, wanted)


@pytest.mark.parametrize(
    ("path", "verb", "ask"),
    [
        ("/topups", "post", lambda client: client.post("/topups", PIN)),
        ("/accounts/balance", "get", lambda client: client.get("/accounts/balance")),
        ("/topups-async", "post", lambda client: client.post("/topups-async", PIN)),
        ("/operators/countries/{countrycode}", "get", lambda client: client.get("/operators/countries/ES")),
        ("/topups/reports/transactions", "get", lambda client: client.get("/topups/reports/transactions")),
        ("/oauth/token", "post", lambda client: client.token()),
    ],
)
def test_every_member_of_the_published_file_is_there(client: Client, path: str, verb: str, ask: Any) -> None:
    """The file's kinds are partly wrong (it has amounts as text), its names are what counts."""
    published = FILES / "reloadly-dist-openapi.yaml"
    if not published.exists():
        pytest.skip(f"{published.name} is not beside this checkout")
    spec = yaml.load(published.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schema = spec["paths"][path][verb]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if path == "/topups/reports/transactions":
        client.post("/topups", PIN)
    told = ask(client).json()
    one = told[0] if isinstance(told, list) else told
    wanted = schema.get("items", schema) if schema.get("type") == "array" else schema
    if "$ref" in wanted:
        wanted = spec["components"]["schemas"][wanted["$ref"].rpartition("/")[2]]
    assert set(wanted["properties"]) - set(one) == set()


# --- the vendor's own files, read by the adapter --------------------------------------------------------------------


def reader(*answers: Any, **settings: Any) -> Reloadly:
    """The adapter of an account in dollars, which hears a token and then these answers."""
    left = [{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}, *answers]
    told = lambda _: httpx2.Response(200, content=json.dumps(left.pop(0)))  # noqa: E731
    keys = {"base_url": "https://topups.example", "token_url": "https://auth.example/token", "client_id": "a", "client_secret": "b",
            "currency": "USD", "account_country": "US", "countries": ["HT"]}  # fmt: skip
    return Reloadly(ReloadlyKeys.model_validate(keys | settings), "lyca", wire=Wire("lyca", transport=httpx2.MockTransport(told)))


def sale(name: str, number: str) -> Outcome:
    file = fixture(name)
    asked = Request(file["customIdentifier"].upper(), "173:15.00", ProductKind.TOPUP, number, Money(1, "HTG"), Money(1, "USD"))
    return reader(file | {"customIdentifier": asked.ref}).submit(asked)


def test_an_answer_without_a_status_is_not_yet() -> None:
    told = sale("phone_topup_transaction", "+50936377111")
    assert (told.state, told.reason, told.provider_ref) == (OutcomeState.PENDING, Reason.UNKNOWN_STATUS, "10670")
    assert (told.cost, told.fulfilment) == (None, None)
    assert told.echo is not None
    assert told.echo.product_key == "173:15.00"


def test_their_pin_is_read_whole() -> None:
    told = sale("phone_topup_transaction_with_pin_detail", "+306907039456")
    assert told.fulfilment == Voucher("773709732524155", "810268", "DIAL *611\nDial *233* and PIN #\n1-888-888-8888", "90 days")
    assert told.echo is not None
    assert told.echo.product_key == "672:18.24"


def test_their_status_without_our_reference_cannot_tell() -> None:
    file = fixture("phone_topup_transaction_status")
    page = fixture("transaction_history_filtered_page")
    now = datetime.now(UTC)
    assert reader(page, file).find(REF, "1", "+50936377111", now).state is FindState.CANNOT_TELL
    named = file | {"transaction": file["transaction"] | {"customIdentifier": REF}}
    told = reader(page, named).find(REF, "1", "+50936377111", now)
    assert told.outcome is not None
    assert (told.state, told.outcome.state) == (FindState.FOUND, OutcomeState.SUCCEEDED)


def test_their_wallet_and_operator_are_read() -> None:
    assert [entry.available for entry in reader(fixture("account_balance")).wallet()] == [Money(100_000, "USD")]
    products = list(reader([fixture("operator_auto_detect_unfiltered")]).list_products())
    assert [(p.key, p.cost, p.face) for p in products] == [
        (f"173:{amount}.00", Money(amount * 88, "USD"), Money(amount * 6800, "HTG")) for amount in (5, 10, 20, 30, 50)
    ]
