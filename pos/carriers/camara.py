"""CAMARA KYC Match v0.4.0: is this document the registered owner's? A verdict comes back, never what is stored.

No network here: the question as JSON members, and the verdict from an answer."""

from __future__ import annotations

from pos.carriers.members import Broken, Members, read_json
from pos.carriers.wire import Reply
from pos.ports import IdentityClaim, MatchAnswer

# Refusals by (HTTP status, code) after which nothing was compared, and nobody is to blame at the counter.
_NOTHING_TO_COMPARE = frozenset(
    {
        (404, "IDENTIFIER_NOT_FOUND"),
        (404, "NOT_FOUND"),
        (422, "SERVICE_NOT_APPLICABLE"),
        (422, "MISSING_IDENTIFIER"),
        (400, "INVALID_ARGUMENT"),
        (400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION"),
        # Staff must ask for the document number; without it nothing was compared.
        (403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED"),
    }
)
_OTHER_DOCUMENT = (403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH")
_VERDICTS = {"true": MatchAnswer.MATCH, "false": MatchAnswer.NO_MATCH, "not_available": MatchAnswer.NOT_AVAILABLE}
# IdentityClaim's member -> CAMARA's attribute.
_NAMES = {
    "document_number": "idDocument",
    "document_type": "idDocumentType",
    "name": "name",
    "birth_date": "birthdate",
}
_DOCUMENTS = frozenset(
    {"passport", "national_id_card", "residence_permit", "diplomatic_id", "driver_licence", "social_security_id"}
)


def question(number: str, claim: IdentityClaim) -> dict[str, object] | None:
    """The body to send; None when there is nothing to ask: CAMARA knows people by phone number, not by ICCID."""
    asked = _asked(claim)
    if not number.startswith("+") or not asked:
        return None
    if claim.document_type not in _DOCUMENTS:
        asked["document_type"] = "other"
    return {"phoneNumber": number, **{_NAMES[ours]: said for ours, said in asked.items()}}


def nothing(claim: IdentityClaim) -> dict[str, MatchAnswer]:
    """Not available: for every member of the claim that says something."""
    return dict.fromkeys(_asked(claim), MatchAnswer.NOT_AVAILABLE)


def answers(reply: Reply, error: str | None, claim: IdentityClaim) -> dict[str, MatchAnswer]:
    """The verdict by the claim's own member names; ``error`` is the code of CAMARA's ErrorInfo, if it was one.

    Raises Broken when no comparison took place for a reason that is not the customer's (authorisation, an outage)."""
    if reply.status == 200:
        answer = Members.of(read_json(reply.body))
        said = {ours: str(answer.values.get(f"{_NAMES[ours]}Match")).lower() for ours in _asked(claim)}
        return {ours: _VERDICTS.get(word, MatchAnswer.NOT_AVAILABLE) for ours, word in said.items()}
    if (reply.status, error) == _OTHER_DOCUMENT:
        return nothing(claim) | {"document_number": MatchAnswer.NO_MATCH}
    if (reply.status, error) in _NOTHING_TO_COMPARE:
        return nothing(claim)
    raise Broken("no comparison")


def _asked(claim: IdentityClaim) -> dict[str, str]:
    return {ours: said for ours in _NAMES if (said := getattr(claim, ours))}
