"""The registered owner's record (TMF632): compared, told in verdicts, and let go."""

from __future__ import annotations

import gc
import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from pos.carriers.tmforum import TmForum, TmForumKeys
from pos.carriers.tmforum_party import ASKED
from pos.carriers.wire import Wire
from pos.ports import Capability, CarrierUnavailable, IdentityClaim, MatchAnswer
from pos.sandbox.server import SandboxServer
from tests.carriers.doors import misbehave, open_carrier
from tests.carriers.test_tmforum import SETTINGS, said

MATCH, SPELT, DIFFERS, NONE = (
    MatchAnswer.MATCH,
    MatchAnswer.SPELT_OTHERWISE,
    MatchAnswer.NO_MATCH,
    MatchAnswer.NOT_AVAILABLE,
)
NUMBER = "+447700900123"
CLAIM = IdentityClaim("C01X00T47", "passport", "JUERGEN MUELLER", "1985-03-14")
OWNER = {"id": "p-77", "role": "owner", "@referredType": "Individual"}
RECORD: dict[str, Any] = {
    "id": "p-77",
    "givenName": "Jürgen",
    "familyName": "Müller",
    "birthDate": "1985-03-14T00:00:00Z",
    "individualIdentification": [{"identificationType": "passport", "identificationId": "C01X 00T47"}],
}


def bss(
    party: object = RECORD, status: int = 200, owners: object = (OWNER,), **settings: Any
) -> tuple[TmForum, list[httpx2.Request]]:
    """A carrier whose SIM names ``owners`` and that answers so when it is asked for a record."""
    seen: list[httpx2.Request] = []

    def handler(asked: httpx2.Request) -> httpx2.Response:
        seen.append(asked)
        if "/productInventory/" in asked.url.path:
            return said(200, [{"id": "1", "productSerialNumber": NUMBER, "relatedParty": list(owners)}])  # type: ignore[call-overload]
        return said(status, party)

    keys = TmForumKeys.model_validate(SETTINGS | {"party_path": "/tmf-api/party/v4"} | settings)
    return TmForum(keys, "lyca", wire=Wire("lyca", transport=httpx2.MockTransport(handler))), seen


def match(claim: IdentityClaim = CLAIM, **record: object) -> Mapping[str, MatchAnswer]:
    return bss(RECORD | record)[0].match_identity(NUMBER, claim)


def error(code: str) -> dict[str, str]:
    return {"code": code, "reason": "because"}


# What is asked


def test_the_record_is_asked_for_by_the_owners_id_and_only_what_is_compared() -> None:
    carrier, seen = bss()
    assert Capability.IDENTITY_MATCH in carrier.declaration().capabilities
    assert carrier.match_identity(NUMBER, CLAIM) == {
        "document_number": MATCH,
        "document_type": MATCH,
        "name": SPELT,
        "birth_date": MATCH,
    }
    assert [asked.url.path for asked in seen] == [
        "/tmf-api/productInventory/v4/product",
        "/tmf-api/party/v4/individual/p-77",
    ]
    assert seen[1].url.params["fields"] == ASKED
    # The claim stays here: nothing about the customer is sent to a carrier that only shows its records.
    told = b"".join(str(asked.url).encode() + asked.content for asked in seen)
    assert not any(word in told for word in (b"C01X00T47", b"MUELLER", b"1985"))


def test_a_carrier_that_compares_by_itself_is_not_asked_for_records() -> None:
    carrier, seen = bss({"idDocumentMatch": "true"}, kyc_path="/kyc-match/v0.4")
    assert carrier.match_identity(NUMBER, CLAIM)["document_number"] is MATCH
    assert [asked.url.path for asked in seen] == ["/kyc-match/v0.4/match"]


@pytest.mark.parametrize(
    ("owners", "is_known"),
    [
        ([OWNER], True),
        ([{"id": "p-77"}], True),
        ([OWNER, {"id": "d-1", "role": "dealer"}], True),
        ([{"id": "p-77", "role": "Customer"}, {"id": "d-1", "role": "user"}], True),
        ([OWNER, OWNER], True),
        ([OWNER, {"id": "o-1", "role": "owner", "@referredType": "Organization"}], True),
        ([], False),
        ([{"role": "owner"}], False),
        ([OWNER, OWNER | {"id": "p-78"}], False),
        ([{"id": "p-77"}, {"id": "p-78"}], False),
        ([{"id": "o-1", "role": "owner", "@referredType": "Organization"}], False),
    ],
)
def test_one_person_is_the_owner_or_nobody_is_compared(owners: list[dict[str, str]], is_known: bool) -> None:
    carrier, seen = bss(owners=owners)
    answers = carrier.match_identity(NUMBER, CLAIM)
    assert (answers["document_number"] is MATCH) == is_known
    assert len(seen) == 1 + is_known
    assert is_known or set(answers.values()) == {NONE}


def test_another_sims_product_names_nobody() -> None:
    """A carrier that ignores the filter would have a stranger's record read."""
    seen: list[httpx2.Request] = []

    def handler(asked: httpx2.Request) -> httpx2.Response:
        seen.append(asked)
        return said(200, [{"id": "2", "productSerialNumber": "+447700900999", "relatedParty": [OWNER]}])

    keys = TmForumKeys.model_validate(SETTINGS | {"party_path": "/tmf-api/party/v4"})
    carrier = TmForum(keys, "lyca", wire=Wire("lyca", transport=httpx2.MockTransport(handler)))
    assert set(carrier.match_identity(NUMBER, CLAIM).values()) == {NONE}
    assert len(seen) == 1


# What is compared


@pytest.mark.parametrize(
    ("documents", "number", "kind"),
    [
        ([{"identificationType": "Passport", "identificationId": "c01x-00t47"}], MATCH, MATCH),
        ([{"identificationType": "passport", "identificationId": "C01X00T48"}], DIFFERS, MATCH),
        ([{"identificationId": "C01X00T47"}], MATCH, NONE),
        ([{"identificationId": "C01X00T48"}], DIFFERS, NONE),
        # Another kind of document says nothing against this one, even with the same number.
        ([{"identificationType": "national identity card", "identificationId": "T220001293"}], NONE, DIFFERS),
        ([{"identificationType": "drivers license", "identificationId": "C01X00T47"}], NONE, DIFFERS),
        ([{"identificationType": "library card", "identificationId": "7"}], DIFFERS, NONE),
        (
            [{"identificationType": "id card", "identificationId": "1"}, {"identificationType": "passport", "identificationId": "C01X00T47"}],
            MATCH,
            MATCH,
        ),
        ([{"identificationType": "passport"}], NONE, MATCH),
        ([], NONE, NONE),
        (None, NONE, NONE),
    ],
)  # fmt: skip
def test_the_document(documents: object, number: MatchAnswer, kind: MatchAnswer) -> None:
    answers = match(individualIdentification=documents)
    assert (answers["document_number"], answers["document_type"]) == (number, kind)


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ({"givenName": "JUERGEN", "familyName": "Mueller"}, MATCH),
        ({"givenName": "Jürgen", "familyName": "Muller"}, DIFFERS),
        ({"givenName": "Jürgen", "familyName": "Schmidt"}, DIFFERS),
        ({"givenName": None, "familyName": None, "fullName": "MÜLLER, Jürgen"}, SPELT),
        ({"fullName": "Somebody Else"}, SPELT),
        ({"givenName": "Jürgen", "middleName": "Karl"}, SPELT),
        # Half of a name cannot be told from another person's.
        ({"givenName": None}, NONE),
        ({"givenName": None, "familyName": None}, NONE),
        ({"givenName": "大文", "familyName": "陳"}, NONE),
    ],
)
def test_the_name(record: dict[str, object], answer: MatchAnswer) -> None:
    assert match(**record)["name"] is answer


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("1985-03-14", MATCH),
        ("1985-03-14T00:00:00.000+01:00", MATCH),
        ("1985-03-15", DIFFERS),
        ("1985-03-13T23:00:00Z", NONE),
        ("1985", NONE),
        ("14.03.1985", NONE),
        (None, NONE),
    ],
)
def test_the_birth_date(told: str | None, answer: MatchAnswer) -> None:
    assert match(birthDate=told)["birth_date"] is answer


def test_only_what_is_claimed_is_answered() -> None:
    assert set(match(IdentityClaim("C01X00T47", "passport"))) == {"document_number", "document_type"}


# When nothing was compared


def test_a_record_that_is_not_there_has_nothing_to_compare() -> None:
    carrier, _ = bss(error("NOT_FOUND"), 404)
    assert set(carrier.match_identity(NUMBER, CLAIM).values()) == {NONE}


SECRETS = ("Müller", "M\\u00fcller", "C01X 00T47", "C01X00T47", "1985-03-14", "p-77")
WHOLE = json.dumps(RECORD, ensure_ascii=False)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, WHOLE[:-9]),
        (200, WHOLE + "]"),
        (200, f"<html>{WHOLE}</html>"),
        (200, f"[{WHOLE}]"),
        (200, json.dumps(RECORD | {"id": "p-78"})),
        (200, json.dumps({name: value for name, value in RECORD.items() if name != "id"})),
        (200, json.dumps(RECORD | {"givenName": ["Jürgen"]})),
        (200, json.dumps(RECORD | {"birthDate": {"is": "1985-03-14"}})),
        (200, json.dumps(RECORD | {"individualIdentification": ["C01X00T47"]})),
        (206, WHOLE),
        (302, WHOLE),
        (403, json.dumps(error("FORBIDDEN") | RECORD)),
        (404, WHOLE),
        (500, json.dumps(error("C01X00T47") | RECORD)),
    ],
)
def test_an_answer_of_no_use_is_told_without_a_word_of_it(status: int, body: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    carrier, _ = bss(body, status)
    with capture_logs() as lines, pytest.raises(CarrierUnavailable) as caught:
        carrier.match_identity(NUMBER, CLAIM)
    shown = repr(lines) + caplog.text + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in shown]
    # Nothing that hangs on the exception holds the answer either: a JSON error keeps the whole document it failed on.
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_a_verdict_keeps_nothing_of_the_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    carrier, seen = bss()
    with capture_logs() as lines:
        answers = carrier.match_identity(NUMBER, CLAIM)
    seen.clear()
    shown = repr(lines) + caplog.text + repr(answers)
    assert not [secret for secret in SECRETS if secret in shown]
    gc.collect()
    kept = [thing for thing in gc.get_objects() if isinstance(thing, dict) and thing.get("familyName") == "Müller"]
    assert kept in ([RECORD], []), "the test's own record and no other"


# Against the simulator


PRIYA = IdentityClaim("Z1234563", "passport", "PRIYA SHARMA", "1995-01-30")  # registered for numbers that end in 3
WITHOUT_KYC = {"kyc_path": None, "party_path": "/tmf-api/party/v4"}


def test_the_registered_owner_matches(sandbox: SandboxServer) -> None:
    carrier = open_carrier("tmforum", sandbox.url, **WITHOUT_KYC)
    for number in (NUMBER, sandbox.carrier.books.subscriber(NUMBER).iccid):  # type: ignore[union-attr]
        answers = carrier.match_identity(number, PRIYA)
        assert answers == dict.fromkeys(["document_number", "document_type", "name", "birth_date"], MATCH)
    answers = carrier.match_identity(NUMBER, IdentityClaim("X0000000", "passport", "John Doe", "1995-01-30"))
    assert [*answers.values()] == [DIFFERS, MATCH, DIFFERS, MATCH]


@pytest.mark.parametrize("number", ["+447700900547", "+33612345678"])
def test_a_number_without_a_registered_owner_has_nothing_to_compare(sandbox: SandboxServer, number: str) -> None:
    carrier = open_carrier("tmforum", sandbox.url, **WITHOUT_KYC)
    assert set(carrier.match_identity(number, PRIYA).values()) == {NONE}


@pytest.mark.parametrize("fault", ["html_502", "drip", "broken_json", "error_500", "forbidden", "cut_answer"])
def test_a_comparison_that_fails_says_so(sandbox: SandboxServer, fault: str) -> None:
    carrier = open_carrier("tmforum", sandbox.url, deadline_seconds=1.0, **WITHOUT_KYC)
    misbehave(sandbox, fault, "read")
    with pytest.raises(CarrierUnavailable):
        carrier.match_identity(NUMBER, PRIYA)
