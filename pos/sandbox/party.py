"""Party management, TMF632 v4.0.0: the registered owner of a line as the carrier has him on file.

A carrier that has this door shows a dealer whole records; whoever asks compares and forgets."""

from __future__ import annotations

from pos.sandbox.carrier import Carrier
from pos.sandbox.collection import only
from pos.sandbox.misbehave import play
from pos.sandbox.paths import PARTY
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.shapes import Json
from pos.sandbox.subscribers import Person
from pos.sandbox.wire import Answer, Request, json_answer

# CAMARA's words for a document -> those in the text of TMF632.
_TYPES = {
    "national_id_card": "national identity card",
    "driver_licence": "drivers license",
    "residence_permit": "residence permit",
}


def get_individual(carrier: Carrier, request: Request, key: str) -> Answer:
    """``GET /tmf-api/party/v4/individual/{id}``; the id stands in a product's relatedParty."""
    query = request.query("fields")
    number = "+" + key.removeprefix("I-")
    who = carrier.books.subscriber(number)
    person = who.person if who is not None else None

    def work(_: Fate) -> Answer:
        if person is None:
            raise Refusal("NOT_FOUND", key)
        return json_answer(200, only(query, _individual(person, key, request.base)))

    return play(carrier, request, "read", number, None, work)


def _individual(person: Person, key: str, base: str) -> Json:
    """Individual, with what this carrier keeps of a person."""
    document = {
        "identificationType": _TYPES.get(person.document_type, person.document_type),
        "identificationId": person.document_number,
    }
    return {
        "id": key,
        "href": f"{base}{PARTY}/individual/{key}",
        "givenName": person.given_name,
        "familyName": person.family_name,
        "fullName": person.name,
        "birthDate": f"{person.birth_date}T00:00:00Z",
        "status": "validated",
        "individualIdentification": [document],
        "@type": "Individual",
    }
