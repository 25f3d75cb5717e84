"""KYC Match: verdicts about what was asked, never what is stored; and every 403 the standard knows."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_shop import KYC, LYCA, PRODUCTS, Shop

from pos.sandbox.server import SandboxServer

RIGHT = {"phoneNumber": LYCA, "idDocument": "Z1234563", "name": "PRIYA SHARMA", "birthdate": "1995-01-30"}


def test_the_registered_owner_matches(shop: Shop) -> None:
    reply = shop.ask("POST", KYC, RIGHT | {"idDocumentType": "passport"}, headers={"x-correlator": "c-1"})
    assert reply.json == {
        "idDocumentMatch": "true",
        "idDocumentTypeMatch": "true",
        "nameMatch": "true",
        "birthdateMatch": "true",
    }
    assert reply.headers["x-correlator"] == "c-1"


def test_another_person_does_not(shop: Shop) -> None:
    claim = RIGHT | {"idDocument": "X1", "name": "Priya Sharman", "birthdate": "1995-01-31", "nationality": "IN"}
    found = shop.ask("POST", KYC, claim).json
    score = found.pop("nameMatchScore")
    assert 80 <= score <= 99
    assert found == {
        "idDocumentMatch": "false",
        "nameMatch": "false",
        "birthdateMatch": "false",
        "nationalityMatch": "not_available",
    }


def test_nobody_registered_is_not_available(shop: Shop) -> None:
    found = shop.ask("POST", KYC, RIGHT | {"phoneNumber": "+447700900547"}).json
    assert set(found.values()) == {"not_available"}


@pytest.mark.parametrize(
    ("claim", "status", "code"),
    [
        ({"phoneNumber": LYCA}, 400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION"),
        ({"idDocument": "Z1234563"}, 422, "MISSING_IDENTIFIER"),
        ({"phoneNumber": "07700900123", "name": "A"}, 400, "INVALID_ARGUMENT"),
        ({"phoneNumber": LYCA, "name": "A", "shoeSize": "9"}, 400, "INVALID_ARGUMENT"),
        ({"phoneNumber": LYCA, "birthdate": "30.1.1995"}, 400, "INVALID_ARGUMENT"),
        ({"phoneNumber": LYCA, "idDocumentType": "library_card"}, 400, "INVALID_ARGUMENT"),
        ({"phoneNumber": "+447911123456", "name": "A"}, 404, "IDENTIFIER_NOT_FOUND"),
        ({"phoneNumber": "+447700900548", "name": "A"}, 403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED"),
        ({"phoneNumber": "+447700900548", "idDocument": "A"}, 403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH"),
    ],
)
def test_what_cannot_be_asked(shop: Shop, claim: dict[str, Any], status: int, code: str) -> None:
    reply = shop.ask("POST", KYC, claim)
    assert (reply.status, reply.json["status"], reply.json["code"]) == (status, status, code)


def test_a_carrier_may_insist_on_the_document(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/switches", {"kyc_requires_document": True})
    assert shop.ask("POST", KYC, {"phoneNumber": LYCA, "name": "A"}).status == 403
    assert shop.ask("POST", KYC, RIGHT).status == 200


def test_without_a_token_it_answers_in_camaras_words(shop: Shop) -> None:
    reply = shop.ask("POST", KYC, RIGHT, headers={"Authorization": "Bearer old"})
    assert (reply.status, reply.json["code"]) == (401, "UNAUTHENTICATED")


def test_a_document_never_comes_back(shop: Shop) -> None:
    body = shop.ask("POST", KYC, RIGHT | {"idDocument": "wrong", "name": "wrong"}).body
    assert b"Z1234563" not in body and b"SHARMA" not in body


def test_the_record_of_the_registered_owner(shop: Shop) -> None:
    [product] = shop.ask("GET", PRODUCTS, productSerialNumber=LYCA).json
    assert [party["role"] for party in product["relatedParty"]] == ["owner"]
    place = f"/tmf-api/party/v4/individual/{product['relatedParty'][0]['id']}"
    record = shop.ask("GET", place, fields="familyName,birthDate,individualIdentification").json
    assert (record["familyName"], record["birthDate"]) == ("Sharma", "1995-01-30T00:00:00Z")
    assert record["individualIdentification"] == [{"identificationType": "passport", "identificationId": "Z1234563"}]
    assert "fullName" not in record
    assert shop.ask("GET", place, headers={"Authorization": ""}).status == 401


def test_where_nobody_is_registered_nobody_is_named(shop: Shop) -> None:
    [product] = shop.ask("GET", PRODUCTS, productSerialNumber="+447700900547").json
    assert "relatedParty" not in product
    assert shop.ask("GET", "/tmf-api/party/v4/individual/I-447700900547").status == 404
