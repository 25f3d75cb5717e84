"""What a store asks of the check of a person: which documents, what wants a manager, and how long evidence stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pos.domain.documents import DocumentPolicy, DocumentType
from pos.domain.words import N_


class Allowance(StrEnum):
    """What a store says to something out of the ordinary."""

    ALLOWED = "allowed"
    APPROVAL = "approval"
    REFUSED = "refused"


class Whose(StrEnum):
    """Whose number the customer renews: his own, or one of somebody else whom he pays for."""

    OWN = "own"
    OTHER = "other"


class Concern(StrEnum):
    """What may want a manager although the document itself reads right."""

    SKIPPED = "skipped"
    TYPED = "typed"
    EXPIRED = "expired"
    ANOTHERS_NUMBER = "anothers_number"
    OTHER_OWNER = "other_owner"
    DOCUMENT_OFTEN = "document_often"
    NUMBER_OFTEN = "number_often"
    CLERK_OFTEN = "clerk_often"


# As they stand inside a sentence: "A manager has to agree: the document was typed."
CONCERNS: dict[Concern, str] = {
    Concern.SKIPPED: N_("no document was shown"),
    Concern.TYPED: N_("the document was typed, not scanned"),
    Concern.EXPIRED: N_("the document has expired"),
    Concern.ANOTHERS_NUMBER: N_("the customer pays for another person's number"),
    Concern.OTHER_OWNER: N_("the carrier has another owner on record for this number"),
    Concern.DOCUMENT_OFTEN: N_("this document was used very often today"),
    Concern.NUMBER_OFTEN: N_("this number was renewed very often today"),
    Concern.CLERK_OFTEN: N_("very many documents were checked here within one hour"),
}

_OFTEN = frozenset({Concern.DOCUMENT_OFTEN, Concern.NUMBER_OFTEN, Concern.CLERK_OFTEN})

_EVERY_TYPE = frozenset(DocumentType)

# What a shop accepts until its owner decides otherwise: passports from everywhere, any card from these issuers.
DOCUMENTS = DocumentPolicy(
    accepted=dict.fromkeys(
        ("GB", "IE", "FR", "DE", "ES", "IT", "NL", "BE", "PL", "PT", "CN", "HK", "MO", "TW", "US", "CA"), _EVERY_TYPE
    ),
    otherwise=frozenset({DocumentType.PASSPORT}),
)


@dataclass(frozen=True)
class IdentityRules:
    """One store's rules. ``most_*`` 0 is no limit: checks of one document and renewals of one number in 24 hours, checks by one
    clerk in an hour. ``keep_digest`` False keeps that a document was seen and nothing that names it."""

    documents: DocumentPolicy = DOCUMENTS
    skipped: Allowance = Allowance.REFUSED
    typed: Allowance = Allowance.ALLOWED
    expired: Allowance = Allowance.REFUSED
    anothers_number: Allowance = Allowance.ALLOWED
    other_owner: Allowance = Allowance.ALLOWED
    most_of_document: int = 0
    most_of_number: int = 0
    most_of_clerk: int = 0
    keep_digest: bool = True
    evidence_days: int = 180
    numbers_days: int = 730

    def says(self, concern: Concern) -> Allowance:
        """What this store says to a concern; too often always wants a manager."""
        return Allowance.APPROVAL if concern in _OFTEN else Allowance(getattr(self, concern.value))

    def refused(self, concerns: Iterable[Concern]) -> list[Concern]:
        """The concerns that nobody at the counter may wave through, in the order of Concern."""
        return [concern for concern in Concern if concern in set(concerns) and self.says(concern) is Allowance.REFUSED]

    def to_agree(self, concerns: Iterable[Concern]) -> list[Concern]:
        """The concerns that a manager has to agree to, in the order of Concern."""
        return [concern for concern in Concern if concern in set(concerns) and self.says(concern) is Allowance.APPROVAL]


@dataclass(frozen=True)
class Rulebook:
    """The rules of every store: those named by its code, or the ones for all."""

    usual: IdentityRules = field(default_factory=IdentityRules)
    stores: Mapping[str, IdentityRules] = field(default_factory=dict)

    def of(self, store_code: str) -> IdentityRules:
        return self.stores.get(store_code, self.usual)
