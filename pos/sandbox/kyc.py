"""CAMARA KYC Match v0.4.0: does the document on the counter belong to the number's registered owner?

The answer holds verdicts for what was asked and never what is stored."""

from __future__ import annotations

import difflib
import re
from datetime import date

from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import play
from pos.sandbox.parsing import Members, read_object
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.subscribers import Person
from pos.sandbox.wire import Answer, Request, challenge, json_answer

# Attributes this carrier has on file -> the member of Person; score only for text (KYC_MatchResponse).
_HELD = {
    "idDocument": "document_number",
    "idDocumentType": "document_type",
    "name": "name",
    "givenName": "given_name",
    "familyName": "family_name",
    "birthdate": "birth_date",
}
_SCORED = {"name", "givenName", "familyName"}
# The rest of KYC_MatchRequestBody: known words, nothing on file.
_NOT_HELD = (
    "idDocumentExpiryDate", "nameKanaHankaku", "nameKanaZenkaku", "middleNames", "familyNameAtBirth", "address",
    "streetName", "streetNumber", "postalCode", "region", "locality", "country", "houseNumberExtension", "email",
    "gender", "cityOfBirth", "countryOfBirth", "nationality",
)  # fmt: skip
_DOCUMENT_TYPES = (
    "passport", "national_id_card", "residence_permit", "diplomatic_id", "driver_licence", "social_security_id",
    "other",
)  # fmt: skip
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")


def match(carrier: Carrier, request: Request) -> Answer:
    """``POST /kyc-match/v0.4/match``; tokens are two-legged, so phoneNumber is needed (422 MISSING_IDENTIFIER)."""
    request.query()
    correlator = request.headers.get("x-correlator")
    number, claim = _read(read_object(request.body))
    if number is None:
        return error(422, "MISSING_IDENTIFIER", "No phone number has been provided")
    if not claim:
        return error(400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION", "Ask about at least one attribute")

    def work(_: Fate) -> Answer:
        who = carrier.books.subscriber(number)
        if who is None:
            return error(404, "IDENTIFIER_NOT_FOUND", "The phone number is not of this carrier")
        if who.person and (who.needs_document or carrier.switches.kyc_requires_document):
            if "idDocument" not in claim:
                return error(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED", "The idDocument is required")
            if _plain(claim["idDocument"]) != _plain(who.person.document_number):
                return error(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH", "The idDocument is another one")
        headers = {"x_correlator": correlator} if correlator else {}
        return json_answer(200, _verdicts(claim, who.person, carrier.switches.scores), **headers)

    return play(carrier, request, "read", number, None, work)


def error(status: int, code: str, message: str, **headers: str) -> Answer:
    """CAMARA's ErrorInfo; here the status is a number."""
    return json_answer(status, {"status": status, "code": code, "message": message}, **headers)


def camara_error(refusal: Refusal, _base: str) -> Answer:
    """A refusal of ours in CAMARA's words: every wrong argument is INVALID_ARGUMENT."""
    code = "INVALID_ARGUMENT" if refusal.status == 400 else refusal.code
    return error(refusal.status, code, refusal.reason, **challenge(refusal))


def _read(body: Members) -> tuple[str | None, dict[str, str]]:
    """The number and what is claimed. An undeclared member is refused, as upstream has it since 0.5."""
    number = body.optional_text("phoneNumber")
    if number is not None and not _NUMBER.fullmatch(number):
        raise Refusal("INVALID_VALUE", "phoneNumber")
    claim = {name: value for name in (*_HELD, *_NOT_HELD) if (value := body.optional_text(name)) is not None}
    body.done()
    if claim.get("idDocumentType", "passport") not in _DOCUMENT_TYPES:
        raise Refusal("INVALID_VALUE", "idDocumentType")
    for name in ("birthdate", "idDocumentExpiryDate"):
        if name in claim:
            try:
                date.fromisoformat(claim[name])
            except ValueError as wrong:
                raise Refusal("INVALID_VALUE", name) from wrong
    return number, claim


def _verdicts(claim: dict[str, str], person: Person | None, scores: bool) -> dict[str, str | int]:
    verdicts: dict[str, str | int] = {}
    for name, value in claim.items():
        if person is None or name not in _HELD:
            verdicts[f"{name}Match"] = "not_available"
            continue
        said, held = _plain(value), _plain(getattr(person, _HELD[name]))
        verdicts[f"{name}Match"] = "true" if said == held else "false"
        if said != held and scores and name in _SCORED:
            # The file suggests Jaro-Winkler; any similarity serves a simulator. 100 would mean equal.
            verdicts[f"{name}MatchScore"] = min(99, round(difflib.SequenceMatcher(None, said, held).ratio() * 100))
    return verdicts


def _plain(text: str) -> str:
    """Letter case and blanks do not tell people apart; the rest does."""
    return " ".join(text.casefold().split())
