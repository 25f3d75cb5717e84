"""Check the customer's document and keep evidence that it was seen, without keeping the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pos.domain import countries
from pos.domain.documents import (
    DocumentPolicy,
    DocumentProblem,
    DocumentType,
    check_document,
    last_three,
    likely_type,
    normalise,
)
from pos.domain.errors import DocumentNotAccepted, DocumentUnreadable, LooksLikeCard, PersonDoesNotMatch, SaleOver
from pos.domain.mrz import read
from pos.domain.mrz_fields import NotMrz
from pos.domain.pan import looks_like_card
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.sales import SaleState
from pos.domain.tills import Desk
from pos.domain.words import N_
from pos.ports import Capability, CarrierUnavailable, IdentityClaim, MatchAnswer
from pos.services.kit import Kit
from pos.services.sales import mine, mine_to_see
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import move

# What a shop accepts until its owner decides otherwise: passports from everywhere, national cards from these issuers.
POLICY = DocumentPolicy(
    accepted={
        issuer: frozenset(
            {
                DocumentType.PASSPORT,
                DocumentType.NATIONAL_ID,
                DocumentType.RESIDENCE_PERMIT,
                DocumentType.DRIVING_LICENCE,
                DocumentType.TRAVEL_PERMIT,
            }
        )
        for issuer in ("GB", "IE", "FR", "DE", "ES", "IT", "NL", "BE", "PL", "PT", "CN", "HK", "MO", "TW", "US", "CA")
    },
    otherwise=frozenset({DocumentType.PASSPORT}),
)

PROBLEMS: dict[DocumentProblem, str] = {
    DocumentProblem.MISSING_NUMBER: N_("the number is missing"),
    DocumentProblem.WRONG_FORMAT: N_("the number does not have the form of this document"),
    DocumentProblem.WRONG_CHECK_DIGIT: N_("the check digit of the number is wrong"),
    DocumentProblem.UNKNOWN_COUNTRY: N_("the country is not known"),
    DocumentProblem.NOT_ACCEPTED_HERE: N_("this shop does not accept this kind of document from this country"),
    DocumentProblem.TYPING_NOT_ALLOWED: N_("it must be scanned, not typed"),
    DocumentProblem.MISSING_EXPIRY: N_("the date until which it is valid is missing"),
    DocumentProblem.EXPIRED: N_("it has expired"),
    DocumentProblem.EXPIRED_WITHIN_GRACE: N_("it expired a short while ago"),
    DocumentProblem.EXPIRES_SOON: N_("it expires soon"),
    DocumentProblem.NO_EXPIRY: N_("it has no end date"),
}

# Where a refusal stands on the page when the document was typed; any other at the number.
_PLACES = {
    DocumentProblem.UNKNOWN_COUNTRY: "document_country",
    DocumentProblem.NOT_ACCEPTED_HERE: "document_country",
    DocumentProblem.MISSING_EXPIRY: "expires_on",
    DocumentProblem.EXPIRED: "expires_on",
}

# Words for the fields of a machine readable zone, as they stand in the sentence "the document does not read right: ...".
MRZ_FIELDS: dict[str, str] = {
    "document_code": N_("the kind of document"),
    "issuing_state": N_("the issuing state"),
    "document_number": N_("the document number"),
    "names": N_("the names"),
    "nationality": N_("the nationality"),
    "birth_date": N_("the birth date"),
    "sex": N_("the sex"),
    "expiry_date": N_("the expiry date"),
    "optional_data": N_("the optional data"),
    "composite": N_("the last check digit, over all fields"),
}
MRZ_SHAPE = N_("these are not the machine readable lines of a document")


@dataclass(frozen=True)
class Seen:
    """What a clerk or a scanner read from a document, for the length of one request; hidden in ``repr``, never stored."""

    type: DocumentType
    country: str
    number: str = field(repr=False)
    expires_on: date | None = field(repr=False)
    how: str = "typed"
    name: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)


def read_lines(lines: str, today: date) -> Seen:
    """Machine readable lines as they come from a scanner. Raises DocumentUnreadable naming the first field that fails."""
    try:
        zone = read(lines, today)
    except NotMrz:
        raise DocumentUnreadable(fault=MRZ_SHAPE) from None
    if not zone.reads_right:
        raise DocumentUnreadable(fault=MRZ_FIELDS[zone.faults[0].field.value])
    kind = likely_type(zone)
    if kind is None:
        raise DocumentNotAccepted(fault=PROBLEMS[DocumentProblem.NOT_ACCEPTED_HERE])
    born = zone.birth_date
    whole = born.year is not None and born.month is not None and born.day is not None
    return Seen(
        type=kind,
        country=zone.issuing_state,
        number=zone.document_number,
        expires_on=zone.expiry_date,
        how="scanned",
        name=f"{zone.given_names} {zone.surname}".strip() or None,
        birth_date=f"{born.year:04d}-{born.month:02d}-{born.day:02d}" if whole else None,
    )


def verify(sale_id: str, seen: Seen, matches_person: bool, desk: Desk, *, kit: Kit) -> None:
    """Judge the document, ask the carrier for a match where it can tell, and keep the evidence. The same check may be
    repeated until the sale is paid; the latest stands.

    Raises DocumentNotAccepted, PersonDoesNotMatch, LooksLikeCard, SaleOver. Power cut: nothing, or the evidence whole."""
    today = desk.store.local(kit.now()).date()
    if looks_like_card(seen.number):
        raise _at("document_number", LooksLikeCard())
    verdict = check_document(seen.type, seen.country, seen.number, seen.expires_on, today, POLICY, typed=seen.how == "typed")
    if not verdict.accepted:
        refused = DocumentNotAccepted(fault=PROBLEMS[verdict.refusals[0]])
        refused.field = _PLACES.get(verdict.refusals[0], refused.field) if seen.how == "typed" else "mrz"
        raise refused
    if not matches_person:
        raise PersonDoesNotMatch
    _keep(sale_id, seen, _carrier_match(sale_id, seen, desk, kit), desk, kit)


@retried
def _keep(sale_id: str, seen: Seen, match: str, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is not SaleState.DRAFT:
            raise SaleOver
        check = rows.identity_check_of(session, sale_id)
        if check is None:
            check = rows.IdentityCheck(sale_id=sale_id)
            session.add(check)
        check.type, check.country = seen.type.value, countries.issuer_key(seen.country) or seen.country
        check.number_hmac = kit.keys.look_up("idh", normalise(seen.number))
        check.last3, check.how = last_three(seen.number), seen.how
        check.valid_today = check.matches_person = True
        check.carrier_match, check.staff_id, check.checked_at = match, desk.staff.id, now
        shift = shift_rows.open_at(session, desk.till.id)
        pen = kit.pen(desk, now)
        evidence = {"type": check.type, "country": check.country, "how": seen.how, "carrier_match": match}
        pen.note(session, "identity.checked", "sale", sale_id, evidence)
        if seen.how == "typed" and shift is not None:
            shift.typed_checks_count += 1
        for renewal in renewal_rows.of_sale(session, sale_id):
            if renewal.state is RenewalState.QUOTED:
                move(session, renewal, RENEWAL, RenewalState.IDENTIFIED, pen)


def _carrier_match(sale_id: str, seen: Seen, desk: Desk, kit: Kit) -> str:
    """match, no_match or not_available, from the carrier that has the number; asked with no transaction open."""
    with reading() as session:
        mine_to_see(session, sale_id, desk)
        # One document for the whole family: it is compared with the owner of the number that was said first.
        check = rows.live_numbers_of(session, sale_id)[0]
        carrier_name, sealed, place = check.carrier, check.sealed, f"number_checks.sealed:{check.id}"
    carrier = kit.carriers.get(carrier_name)
    if carrier is None or Capability.IDENTITY_MATCH not in carrier.declaration().capabilities:
        return MatchAnswer.NOT_AVAILABLE.value
    number = kit.keys.open(sealed, place)
    claim = IdentityClaim(seen.number, _CAMARA_TYPES.get(seen.type, "other"), seen.name, seen.birth_date)
    try:
        return _verdict(carrier.match_identity(number, claim))
    except CarrierUnavailable:
        return MatchAnswer.NOT_AVAILABLE.value


def _verdict(answers: Mapping[str, MatchAnswer]) -> str:
    """The document decides; a name that differs in spelling alone does not."""
    document = answers.get("document_number", MatchAnswer.NOT_AVAILABLE)
    return MatchAnswer(document).value


_CAMARA_TYPES = {
    DocumentType.PASSPORT: "passport",
    DocumentType.NATIONAL_ID: "national_id_card",
    DocumentType.RESIDENCE_PERMIT: "residence_permit",
    DocumentType.DRIVING_LICENCE: "driver_licence",
}


def _at(field_name: str, error: LooksLikeCard) -> LooksLikeCard:
    error.field = field_name
    return error
