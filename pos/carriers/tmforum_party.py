"""TMF632 party management v4.0.0: is this document the registered owner's, where a carrier shows records and no verdicts?

The record is compared here and let go. What leaves this module are answers by the claim's own member names; no value of
the record is kept, written, or part of an exception.

No network here: whose record to ask for, and the verdict from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from pos.carriers.members import Broken, Members
from pos.domain.documents import normalise
from pos.domain.transliteration import Likeness, likeness
from pos.ports import IdentityClaim, MatchAnswer

PARTY = "/tmf-api/party/v4"  # base path of the swagger file
# All that is compared, so that a carrier that reads the filter sends nothing else.
FIELDS = ("familyName", "familyNamePrefix", "fullName", "givenName", "legalName", "middleName")
ASKED = ",".join(("id", "birthDate", *FIELDS, "individualIdentification"))

# Who of a product's parties is registered for it, the surest word first.
_ROLES = ("owner", "subscriber", "customer", "user")
# IdentityClaim.document_type -> how carriers write it, letters only; the first five stand in the standard's own text.
_TYPES = {
    "passport": ("passport",),
    "national_id_card": ("nationalidentitycard", "nationalidcard", "identitycard", "idcard", "nationalid"),
    "driver_licence": ("driverslicense", "driverlicense", "driverslicence", "driverlicence", "drivinglicence", "drivinglicense"),
    "residence_permit": ("residencepermit", "residencecard"),
}
_KINDS = {written: kind for kind, ways in _TYPES.items() for written in ways}
_NAMES = {
    Likeness.SAME: MatchAnswer.MATCH,
    Likeness.SAME_LETTERS: MatchAnswer.SPELT_OTHERWISE,
    Likeness.DIFFERENT: MatchAnswer.NO_MATCH,
    Likeness.NOT_COMPARABLE: MatchAnswer.NOT_AVAILABLE,
}
_SUREST = (Likeness.SAME, Likeness.SAME_LETTERS, Likeness.DIFFERENT, Likeness.NOT_COMPARABLE)


def owner_of(products: Iterable[Members]) -> str | None:
    """The id of the one person that the products of a SIM name as registered; None when they name nobody, or several of whom none
    is said to be the owner. Raises Broken."""
    people: dict[str, set[str]] = {}
    for product in products:
        for party in product.items("relatedParty"):
            if party.text_or_none("@referredType") in (None, "Individual") and (key := party.id_or_none("id")):
                people.setdefault(party.text_or_none("role") or "", set()).add(key)
    named = next((found for role in _ROLES if (found := _of_role(people, role))), set().union(*people.values()))
    return named.pop() if len(named) == 1 else None


def _of_role(people: dict[str, set[str]], role: str) -> set[str]:
    return set().union(*(keys for told, keys in people.items() if told.strip().lower() == role))


def answers(party: Members, key: str, claim: IdentityClaim) -> dict[str, MatchAnswer]:
    """The claim's members that say something, each with what the record says of it. Raises Broken for a record of another id."""
    if party.text("id") != key:
        raise Broken("another party")
    said = {
        "document_number": (claim.document_number, _number),
        "document_type": (claim.document_type, _type),
        "name": (claim.name, _name),
        "birth_date": (claim.birth_date, _birth_date),
    }
    return {member: compare(party, claim) for member, (value, compare) in said.items() if value}


def _number(party: Members, claim: IdentityClaim) -> MatchAnswer:
    """Only documents of one kind can differ: a passport beside an identity card on record accuses nobody."""
    kinds = [(kind, number) for kind, number in _documents(party) if number]
    numbers = {normalise(number) for kind, number in kinds if kind in (None, claim.document_type)}
    if normalise(claim.document_number) in numbers:
        return MatchAnswer.MATCH
    return MatchAnswer.NO_MATCH if numbers else MatchAnswer.NOT_AVAILABLE


def _type(party: Members, claim: IdentityClaim) -> MatchAnswer:
    kinds = {kind for kind, _ in _documents(party)}
    if claim.document_type in kinds:
        return MatchAnswer.MATCH
    is_told = bool(kinds) and None not in kinds and claim.document_type in _TYPES
    return MatchAnswer.NO_MATCH if is_told else MatchAnswer.NOT_AVAILABLE


def _documents(party: Members) -> Iterator[tuple[str | None, str]]:
    """(kind in the claim's words or None, number) of each document on record."""
    for document in party.items("individualIdentification"):
        written = "".join(sign for sign in (document.text_or_none("identificationType") or "").lower() if sign.isalpha())
        yield _KINDS.get(written), document.text_or_none("identificationId") or ""


def _name(party: Members, claim: IdentityClaim) -> MatchAnswer:
    """By the surest of the forms on record. A surname alone is no name to compare a whole one with."""
    first, middle, prefix, last = (
        party.text_or_none(name) or "" for name in ("givenName", "middleName", "familyNamePrefix", "familyName")
    )
    forms = [party.text_or_none("fullName"), party.text_or_none("legalName")]
    if first and last:
        forms += [f"{first} {middle} {prefix} {last}", f"{first} {prefix} {last}"]
    found = {likeness(claim.name or "", form) for form in forms if form}
    return _NAMES[next((like for like in _SUREST if like in found), Likeness.NOT_COMPARABLE)]


def _birth_date(party: Members, claim: IdentityClaim) -> MatchAnswer:
    """Day against day. A moment that is no midnight may belong to the day before or after elsewhere, and says nothing."""
    day, _, time = (party.text_or_none("birthDate") or "").strip().partition("T")
    if time[:8].strip("0:.Z+"):
        return MatchAnswer.NOT_AVAILABLE
    try:
        return MatchAnswer.MATCH if date.fromisoformat(day).isoformat() == claim.birth_date else MatchAnswer.NO_MATCH
    except ValueError:
        return MatchAnswer.NOT_AVAILABLE
