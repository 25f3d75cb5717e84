"""Every answer is what the published files say: right kinds, required members, closed lists, and no invented member."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator
from sandbox_shop import BUCKETS, HONG_KONG, KYC, LYCA, OFFERINGS, ORDERS, PRICES, PRODUCTS, TOPUPS, Shop, a_topup

from pos.sandbox.catalogue import OFFERINGS as PLANS
from pos.sandbox.clock import parse_moment
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import PRICE_SHAPES

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs"

# The profile's extensions (docs/sandbox.md): members that go beyond the published files, by definition.
EXTENSIONS = {
    "TopupBalance": {"externalId": "string"},
    "LogicalResourceRef": {"value": "string"},
    "ProductPriceValue": {"unit": "string", "value": "number"},  # the flat price shape
}


# last two digits of a magic number -> the order's state soon after it was posted, and ten minutes later
LIVES = {
    "60": ["completed", "completed"],
    "14": ["inProgress", "completed"],
    "15": ["inProgress", "failed"],
    "16": ["completed", "cancelled"],
}


def spec(pattern: str) -> Path:
    """The published file; without it there is nothing to compare with, which only a build server must not accept."""
    found = sorted(SPECS.glob(pattern))
    if not found:
        if os.environ.get("CI"):
            pytest.fail(f"{pattern} is not in {SPECS.name}")
        pytest.skip(f"the specification {pattern} is not beside this checkout")
    return found[0]


def valid(api: str, name: str, entity: Any) -> None:
    """``entity`` fits definition ``name`` of the TM Forum file, with no member the file does not know."""
    definitions = json.loads(spec(f"tmforum/{api}*").read_text(encoding="utf-8"))["definitions"]
    for title, definition in definitions.items():
        for member, kind in EXTENSIONS.get(title, {}).items():
            definition["properties"][member] = {"type": kind}
        if "properties" in definition:
            definition["additionalProperties"] = False
    Draft4Validator({"definitions": definitions, "$ref": f"#/definitions/{name}"}).validate(entity)
    for moment in moments(entity):
        parse_moment(moment)


def moments(value: Any, name: str = "") -> Iterable[str]:
    """Every text that must be a date-time; jsonschema leaves formats unchecked."""
    if isinstance(value, str) and name.endswith(("Date", "DateTime")):
        yield value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from moments(inner, str(key))


def kyc_valid(name: str, entity: Any) -> None:
    components = yaml.safe_load(spec("camara/kyc-match.yaml").read_text(encoding="utf-8"))["components"]
    Draft4Validator({"components": components, "$ref": f"#/components/schemas/{name}"}).validate(entity)
    assert entity.keys() <= components["schemas"][name]["properties"].keys()


@pytest.mark.parametrize("shape", PRICE_SHAPES)
def test_the_catalogue_in_every_price_shape(server: SandboxServer, shop: Shop, shape: str) -> None:
    server.carrier.switches.price_shape = shape
    found = shop.ask("GET", OFFERINGS, limit="100").json
    assert {entity["id"] for entity in found} == set(PLANS)
    for entity in found:
        valid("TMF620", "ProductOffering", entity)


def test_both_price_shapes_are_in_the_first_page(shop: Shop) -> None:
    prices = [entity["productOfferingPrice"][0]["price"] for entity in shop.ask("GET", OFFERINGS).json]
    assert {"value" in price for price in prices} == {True, False}


def test_a_price_by_reference_can_be_fetched(server: SandboxServer, shop: Shop) -> None:
    server.carrier.switches.price_shape = "reference"
    entry = shop.ask("GET", f"{OFFERINGS}/lyca-data-gb-7d").json["productOfferingPrice"][1]
    assert "price" not in entry
    price = shop.ask("GET", entry["href"].removeprefix(f"http://{shop.address}")).json
    valid("TMF620", "ProductOfferingPrice", price)
    assert (price["name"], price["price"]) == ("cost", {"unit": "GBP", "value": 7.36})
    for listed in shop.ask("GET", PRICES, limit="100").json:
        valid("TMF620", "ProductOfferingPrice", listed)


@pytest.mark.parametrize("story", ["123", "540", "541", "542", "543", "546", "547", "999"])
def test_what_is_on_a_line(shop: Shop, story: str) -> None:
    number = "+447700900" + story
    [product] = shop.ask("GET", PRODUCTS, productSerialNumber=number).json
    valid("TMF637", "Product", product)
    assert shop.ask("GET", f"{PRODUCTS}/{product['id']}").json == product
    buckets = shop.ask("GET", BUCKETS, logicalResource__value=number).json
    for bucket in buckets:
        valid("TMF654", "Bucket", bucket)
        assert shop.ask("GET", f"{BUCKETS}/{bucket['id']}").json == bucket
    assert buckets[0]["usageType"] == "monetary"


@pytest.mark.parametrize("last", LIVES)
def test_an_order_through_its_life(server: SandboxServer, shop: Shop, last: str) -> None:
    valid("TMF622", "ProductOrder", shop.renew("A-1", f"+4477009005{last}").json)
    states = []
    for _ in range(2):
        [found] = shop.find("A-1")
        valid("TMF622", "ProductOrder", found)
        assert shop.ask("GET", f"{ORDERS}/{found['id']}").json == found
        states.append(found["state"])
        server.carrier.books.move_clock(600)
    assert states == LIVES[last]


def test_a_topup(shop: Shop) -> None:
    valid("TMF654", "TopupBalance", shop.ask("POST", TOPUPS, a_topup("T-1")).json)
    [found] = shop.ask("GET", TOPUPS, externalId="T-1").json
    valid("TMF654", "TopupBalance", found)
    assert shop.ask("GET", f"{TOPUPS}/{found['id']}").json == found


def test_refusals_are_tm_forum_errors(shop: Shop) -> None:
    refusals = [
        shop.ask("POST", ORDERS, b"{"),
        shop.renew("E-1", "+447911123456"),
        shop.renew("E-2", plan="no-such-plan"),
        shop.ask("PATCH", ORDERS, {}),
        shop.ask("GET", f"{ORDERS}/PO-999999"),
        shop.ask("GET", OFFERINGS, nonsense="1"),
        shop.ask("GET", OFFERINGS, headers={"Authorization": "Bearer old"}),
    ]
    assert [reply.status for reply in refusals] == [400, 404, 422, 405, 404, 400, 401]
    for reply in refusals:
        valid("TMF622", "Error", reply.json)
        assert reply.json["status"] == str(reply.status)


def test_a_duplicate_points_to_the_first_order(shop: Shop) -> None:
    first = shop.renew("D-1").json
    again = shop.renew("D-1")
    valid("TMF622", "Error", again.json)
    assert (again.status, again.json["code"]) == (409, "DUPLICATE_EXTERNAL_ID")
    assert again.json["referenceError"] == first["href"]


def test_the_registered_owners_record(shop: Shop) -> None:
    [product] = shop.ask("GET", PRODUCTS, productSerialNumber=LYCA).json
    [owner] = product["relatedParty"]
    record = shop.ask("GET", owner["href"].removeprefix(f"http://{shop.address}"))
    assert record.status == 200
    valid("TMF632", "Individual", record.json)
    valid("TMF632", "Error", shop.ask("GET", "/tmf-api/party/v4/individual/I-1").json)


def test_identity_verdicts(shop: Shop) -> None:
    asked = {"phoneNumber": LYCA, "idDocument": "Z1234563", "name": "Priya Sharma", "gender": "FEMALE"}
    kyc_valid("KYC_MatchRequestBody", asked)
    kyc_valid("KYC_MatchResponse", shop.ask("POST", KYC, asked).json)
    kyc_valid("KYC_MatchResponse", shop.ask("POST", KYC, asked | {"name": "Someone Else"}).json)
    kyc_valid("ErrorInfo", shop.ask("POST", KYC, {"phoneNumber": HONG_KONG}).json)
    kyc_valid("ErrorInfo", shop.ask("POST", KYC, asked, headers={"Authorization": ""}).json)
