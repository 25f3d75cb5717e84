"""Check the customer's document and keep evidence that it was seen, without keeping the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain import countries
from pos.domain.documents import DocumentProblem, DocumentType, last_three, normalise
from pos.domain.errors import (
    ApprovalNeeded,
    CounterError,
    DocumentNeeded,
    DocumentNotAccepted,
    LooksLikeCard,
    OtherOwner,
    OwnerOnly,
    PersonDoesNotMatch,
    ReasonNamesDocument,
    SaleOver,
)
from pos.domain.identity_rules import CONCERNS, Concern, IdentityRules, Whose
from pos.domain.pan import looks_like_card
from pos.domain.permissions import Permission
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.sales import SaleState
from pos.domain.tills import Desk, Staff
from pos.ports import Capability, CarrierUnavailable, IdentityClaim, MatchAnswer
from pos.services.approvals import Approval, approver
from pos.services.document_reading import PROBLEMS, Seen, judged, read_lines, refusals
from pos.services.kit import Kit
from pos.services.sales import mine, mine_to_see
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import queue_up, reading, retried, transaction
from pos.store.life import move

__all__ = ["PROBLEMS", "Approval", "Seen", "Whose", "read_lines", "skip", "verify"]

# Where a refusal stands on the page when the document was typed; any other at the number.
_PLACES = {
    DocumentProblem.UNKNOWN_COUNTRY: "document_country",
    DocumentProblem.NOT_ACCEPTED_HERE: "document_country",
    DocumentProblem.MISSING_EXPIRY: "expires_on",
    DocumentProblem.EXPIRED: "expires_on",
    DocumentProblem.AGE_UNKNOWN: "birth_date",
    DocumentProblem.TOO_YOUNG: "birth_date",
}

# What a store refuses outright, in a sentence of its own; a typed or expired document is refused as a document.
_NEVER: dict[Concern, type[CounterError]] = {
    Concern.SKIPPED: DocumentNeeded,
    Concern.ANOTHERS_NUMBER: OwnerOnly,
    Concern.OTHER_OWNER: OtherOwner,
}

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class _Evidence:
    """What is kept of one check."""

    type: str
    country: str
    how: str
    digest: str = ""
    last3: str = ""
    valid_today: bool = False
    matches_person: bool = False
    whose: Whose = Whose.OWN
    matches: Mapping[str, str] | None = None

    @property
    def carrier_match(self) -> str:
        """The document decides; a name that differs in spelling alone does not."""
        return (self.matches or {}).get("document_number", MatchAnswer.NOT_AVAILABLE.value)


def verify(
    sale_id: str,
    seen: Seen,
    matches_person: bool,
    desk: Desk,
    *,
    kit: Kit,
    whose: Whose = Whose.OWN,
    approval: Approval | None = None,
) -> None:
    """Judge the document by the store's rules, ask the carrier for a match where it can tell, and keep the evidence. The same
    check may be repeated until the sale is paid; the latest stands.

    Raises DocumentNotAccepted, PersonDoesNotMatch, LooksLikeCard, OwnerOnly, OtherOwner, SaleOver; ApprovalNeeded where the rules
    want a manager and ``approval`` is not given, ApproverRefused and ReasonMissing where it does not do. Power cut: nothing, or
    the evidence whole."""
    rules, today = kit.rulebook.of(desk.store.code), desk.store.local(kit.now()).date()
    if looks_like_card(seen.number):
        raise _at("document_number", LooksLikeCard())
    problems, concerns = judged(seen, today, rules)
    refused = refusals(problems, concerns)
    if refused:
        raise _at(_PLACES.get(refused[0], "document_number") if seen.how == "typed" else "mrz", _not_accepted(refused[0]))
    if not matches_person:
        raise PersonDoesNotMatch
    if whose is Whose.OTHER:
        concerns.add(Concern.ANOTHERS_NUMBER)
    _refuse(concerns, rules)
    if approval is not None and normalise(seen.number) in normalise(approval.reason):
        raise ReasonNamesDocument
    matches = _carrier_matches(sale_id, seen, whose, desk, kit)
    evidence = _Evidence(
        type=seen.type.value,
        country=countries.issuer_key(seen.country) or seen.country,
        how=seen.how,
        digest=kit.keys.look_up("idh", normalise(seen.number)) if rules.keep_digest else "",
        last3=last_three(seen.number) if rules.keep_digest else "",
        valid_today=not {DocumentProblem.EXPIRED, DocumentProblem.EXPIRED_WITHIN_GRACE} & set(problems),
        matches_person=True,
        whose=whose,
        matches=matches,
    )
    if evidence.carrier_match == MatchAnswer.NO_MATCH:
        concerns.add(Concern.OTHER_OWNER)
        _refuse(concerns, rules)
    _decide(sale_id, evidence, concerns, rules, approval, desk, kit)


def skip(sale_id: str, desk: Desk, *, kit: Kit, approval: Approval | None = None) -> None:
    """Go on without a document, where the store's rules let that happen. Raises DocumentNeeded, ApprovalNeeded, ApproverRefused,
    ReasonMissing, SaleOver. Power cut: the sale is still to be checked, or it is written down that nobody was."""
    rules = kit.rulebook.of(desk.store.code)
    _refuse({Concern.SKIPPED}, rules)
    _decide(sale_id, _Evidence("none", "", "skipped"), {Concern.SKIPPED}, rules, approval, desk, kit)


def _not_accepted(problem: DocumentProblem) -> DocumentNotAccepted:
    return DocumentNotAccepted(fault=PROBLEMS[problem])


def _refuse(concerns: set[Concern], rules: IdentityRules) -> None:
    for concern in rules.refused(concerns):
        if concern in _NEVER:
            raise _NEVER[concern]


def _decide(
    sale_id: str,
    evidence: _Evidence,
    concerns: set[Concern],
    rules: IdentityRules,
    approval: Approval | None,
    desk: Desk,
    kit: Kit,
) -> None:
    # The PIN is looked at before the evidence is written, in commits of its own: a guess counts whatever comes of it.
    agreed_by = approver(approval, Permission.OVERRIDE_IDENTITY, desk, kit=kit) if approval is not None else None
    reason = approval.reason.strip()[:200] if approval is not None else ""
    _keep(sale_id, evidence, concerns, rules, agreed_by, reason, desk, kit)


@retried
def _keep(
    sale_id: str,
    evidence: _Evidence,
    concerns: set[Concern],
    rules: IdentityRules,
    agreed_by: Staff | None,
    reason: str,
    desk: Desk,
    kit: Kit,
) -> None:
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if sale.state is not SaleState.DRAFT:
            raise SaleOver
        wants = rules.to_agree(concerns | _too_often(session, sale_id, evidence, rules, desk, now))
        if wants and agreed_by is None:
            raise ApprovalNeeded(fault=CONCERNS[wants[0]])
        check = rows.identity_check_of(session, sale_id)
        if check is None:
            check = rows.IdentityCheck(sale_id=sale_id)
            session.add(check)
        _write(check, evidence, desk, now)
        pen = kit.pen(desk, now)
        if wants and agreed_by is not None:
            check.approved_by = agreed_by.id
            words = {"concerns": [str(concern) for concern in wants], "reason": reason, "approved_by": agreed_by.number}
            pen.note(session, "identity.overridden", "sale", sale_id, words)
        if evidence.how == "skipped":
            pen.note(session, "identity.skipped", "sale", sale_id, _told(evidence))
        else:
            pen.note(session, "identity.checked", "sale", sale_id, _told(evidence))
        shift = shift_rows.open_at(session, desk.till.id)
        if evidence.how == "typed" and shift is not None:
            shift.typed_checks_count += 1
        for renewal in renewal_rows.of_sale(session, sale_id):
            if renewal.state is RenewalState.QUOTED:
                move(session, renewal, RENEWAL, RenewalState.IDENTIFIED, pen)


def _write(check: rows.IdentityCheck, evidence: _Evidence, desk: Desk, now: datetime) -> None:
    check.type, check.country, check.how, check.whose = evidence.type, evidence.country, evidence.how, evidence.whose.value
    check.number_hmac, check.last3 = evidence.digest, evidence.last3
    check.valid_today, check.matches_person = evidence.valid_today, evidence.matches_person
    check.matches, check.carrier_match = dict(evidence.matches or {}), evidence.carrier_match
    check.staff_id, check.checked_at, check.approved_by = desk.staff.id, now, None


def _told(evidence: _Evidence) -> dict[str, object]:
    """What the journal keeps of a check for good: nothing that names anybody."""
    return {
        "type": evidence.type,
        "country": evidence.country,
        "how": evidence.how,
        "whose": evidence.whose.value,
        "valid_today": evidence.valid_today,
        "carrier_match": evidence.carrier_match,
    }


def _too_often(
    session: Session, sale_id: str, evidence: _Evidence, rules: IdentityRules, desk: Desk, now: datetime
) -> set[Concern]:
    """What was done so often that a manager should look, counted with this one; at whatever till."""
    found = set()
    if rules.most_of_document and evidence.digest:
        queue_up(session, evidence.digest)
        times, _ = rows.checks_of_document(session, evidence.digest, now - _DAY, sale_id)
        if times >= rules.most_of_document:
            found.add(Concern.DOCUMENT_OFTEN)
    if rules.most_of_number:
        numbers = [number.look_up for number in rows.live_numbers_of(session, sale_id)]
        times = max((renewal_rows.paid_of_number(session, number, now - _DAY, sale_id) for number in numbers), default=0)
        if times >= rules.most_of_number:
            found.add(Concern.NUMBER_OFTEN)
    if rules.most_of_clerk and rows.checks_by(session, desk.staff.id, now - _HOUR, sale_id) >= rules.most_of_clerk:
        found.add(Concern.CLERK_OFTEN)
    return found


def _carrier_matches(sale_id: str, seen: Seen, whose: Whose, desk: Desk, kit: Kit) -> dict[str, str]:
    """Attribute -> match, no_match or not_available, from the carrier that has the number; asked with no transaction open.
    Whoever pays for a friend is not the owner: nothing is compared, and nothing about him leaves the shop."""
    with reading() as session:
        mine_to_see(session, sale_id, desk)
        # One document for the whole family: it is compared with the owner of the number that was said first.
        check = rows.live_numbers_of(session, sale_id)[0]
        carrier_name, sealed, place = check.carrier, check.sealed, f"number_checks.sealed:{check.id}"
    carrier = kit.carriers.get(carrier_name)
    if whose is Whose.OTHER or carrier is None or Capability.IDENTITY_MATCH not in carrier.declaration().capabilities:
        return {}
    number = kit.keys.open(sealed, place)
    claim = IdentityClaim(seen.number, _CAMARA_TYPES.get(seen.type, "other"), seen.name, seen.birth_date)
    try:
        return {name: MatchAnswer(answer).value for name, answer in carrier.match_identity(number, claim).items()}
    except CarrierUnavailable:
        return {}


_CAMARA_TYPES = {
    DocumentType.PASSPORT: "passport",
    DocumentType.NATIONAL_ID: "national_id_card",
    DocumentType.RESIDENCE_PERMIT: "residence_permit",
    DocumentType.DRIVING_LICENCE: "driver_licence",
}


def _at(field_name: str, error: CounterError) -> CounterError:
    error.field = field_name
    return error
