"""Which documents prove a person at this counter, and whether this one's number and date hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from pos.domain import countries, european_ids
from pos.domain.mrz_fields import Mrz, MrzKind
from pos.domain.national_numbers import (
    NumberCheck,
    chinese_id,
    hong_kong_id,
    macao_id,
    taiwan_id,
    taiwan_resident,
)
from pos.domain.typed import plain


class DocumentType(StrEnum):
    """The documents a store may accept. TRAVEL_PERMIT: the cards for travel between the mainland, Hong Kong, Macao and
    Taiwan."""

    PASSPORT = "passport"
    NATIONAL_ID = "national_id"
    RESIDENCE_PERMIT = "residence_permit"
    DRIVING_LICENCE = "driving_licence"
    TRAVEL_PERMIT = "travel_permit"


class DocumentProblem(StrEnum):
    """What speaks against a document. Those in WARNINGS are for the clerk's eyes; any other refuses it."""

    MISSING_NUMBER = "missing_number"
    WRONG_FORMAT = "wrong_format"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    UNKNOWN_COUNTRY = "unknown_country"
    NOT_ACCEPTED_HERE = "not_accepted_here"
    TYPING_NOT_ALLOWED = "typing_not_allowed"
    MISSING_EXPIRY = "missing_expiry"
    EXPIRED = "expired"
    AGE_UNKNOWN = "age_unknown"
    TOO_YOUNG = "too_young"
    EXPIRED_WITHIN_GRACE = "expired_within_grace"
    EXPIRES_SOON = "expires_soon"
    NO_EXPIRY = "no_expiry"


WARNINGS = frozenset({DocumentProblem.EXPIRED_WITHIN_GRACE, DocumentProblem.EXPIRES_SOON, DocumentProblem.NO_EXPIRY})


@dataclass(frozen=True)
class DocumentPolicy:
    """What a store accepts. ``accepted`` maps issuers (alpha-2, or a special code such as ``UNO``) to types,
    ``otherwise`` stands for all others. A document is good for ``grace_days`` after its last day, and close to it from
    ``warn_days`` before. ``allow_typed`` False refuses numbers that were not read by a machine; ``youngest`` is the least age in
    whole years, 0 for any.

    Raises ValueError for a key that is no issuer and for negative days: a policy with a typing mistake in it would
    silently accept too much or too little."""

    accepted: Mapping[str, frozenset[DocumentType]] = field(default_factory=dict)
    otherwise: frozenset[DocumentType] = frozenset({DocumentType.PASSPORT})
    grace_days: int = 0
    warn_days: int = 30
    allow_typed: bool = True
    youngest: int = 0

    def __post_init__(self) -> None:
        for code in self.accepted:
            if countries.issuer_key(code) != code:
                raise ValueError(f"{code!r} is no issuer of documents; write GB, CN, UNO")
        if self.grace_days < 0 or self.warn_days < 0:
            raise ValueError("days are not negative")

    def accepts(self, type: DocumentType, issuer: str) -> bool:
        """Whether this type from this issuer (countries.issuer_key) is taken at all."""
        return type in self.accepted.get(issuer, self.otherwise)


@dataclass(frozen=True)
class DocumentVerdict:
    """All that was found, refusals and warnings, in the order of DocumentProblem."""

    problems: tuple[DocumentProblem, ...]

    @property
    def accepted(self) -> bool:
        """Whether nothing refuses the document; warnings do not."""
        return not self.refusals

    @property
    def refusals(self) -> tuple[DocumentProblem, ...]:
        """The problems that refuse it."""
        return tuple(problem for problem in self.problems if problem not in WARNINGS)

    @property
    def warnings(self) -> tuple[DocumentProblem, ...]:
        """The problems a clerk should see."""
        return tuple(problem for problem in self.problems if problem in WARNINGS)


def normalise(number: str) -> str:
    """One way to write a document number, for the keyed HMAC and the rules below: ASCII forms, capitals, letters and
    digits only. ``ａ123456(3)`` and ``A 123456-3`` give ``A1234563``. Normalising twice changes nothing."""
    # Capitals can bring back a form that NFKC folds, so fold once more.
    signs = unicodedata.normalize("NFKC", plain(number).upper()).upper()
    return "".join(sign for sign in signs if sign.isalnum())


def last_three(number: str) -> str:
    """The last three signs of the normalised number, to tell two documents apart on a screen; empty when the number is
    so short that three signs would be half of it."""
    signs = normalise(number)
    return signs[-3:] if len(signs) > 6 else ""


def check_document(
    type: DocumentType,
    country: str,
    number: str,
    expires_on: date | None,
    today: date,
    policy: DocumentPolicy,
    *,
    typed: bool = False,
    age: int | None = None,
) -> DocumentVerdict:
    """Everything that can be said without looking at the document. ``country`` is the issuer as alpha-2, alpha-3 or MRZ
    code; ``number`` as printed; ``expires_on`` the last good day, ``today`` the store's. ``typed`` says that no machine
    read it; ``age`` in whole years on that day, None where nothing told. Never raises; the number is not in the verdict."""
    found: set[DocumentProblem] = set()
    issuer = countries.issuer_key(country)
    if issuer is None:
        found.add(DocumentProblem.UNKNOWN_COUNTRY)
    elif not policy.accepts(type, issuer):
        found.add(DocumentProblem.NOT_ACCEPTED_HERE)
    if typed and not policy.allow_typed:
        found.add(DocumentProblem.TYPING_NOT_ALLOWED)
    found |= _number_problems(type, issuer, normalise(number), today)
    found |= _expiry_problems(type, issuer, expires_on, today, policy)
    if policy.youngest and age is None:
        found.add(DocumentProblem.AGE_UNKNOWN)
    elif age is not None and age < policy.youngest:
        found.add(DocumentProblem.TOO_YOUNG)
    return DocumentVerdict(tuple(problem for problem in DocumentProblem if problem in found))


def _number_problems(type: DocumentType, issuer: str | None, number: str, today: date) -> set[DocumentProblem]:
    if not number:
        return {DocumentProblem.MISSING_NUMBER}
    rule = _RULES.get((issuer or "", type), _ANY_NUMBER)
    check = rule(number, today)
    return set() if check is NumberCheck.HOLDS else {DocumentProblem(check.value)}


# Cards that never end: the number and the face are all there is. No warning, or every local would raise one.
_ENDLESS = {("HK", DocumentType.NATIONAL_ID), ("TW", DocumentType.NATIONAL_ID)}

# Every one of these carries a last day; without it nothing says that the document is good.
_ALWAYS_DATED = {DocumentType.PASSPORT, DocumentType.TRAVEL_PERMIT}


def _expiry_problems(
    type: DocumentType, issuer: str | None, expires_on: date | None, today: date, policy: DocumentPolicy
) -> set[DocumentProblem]:
    if expires_on is None:
        if (issuer, type) in _ENDLESS:
            return set()
        return {DocumentProblem.MISSING_EXPIRY if type in _ALWAYS_DATED else DocumentProblem.NO_EXPIRY}
    days_left = expires_on - today
    if days_left < timedelta(days=-policy.grace_days):
        return {DocumentProblem.EXPIRED}
    if days_left < timedelta(0):
        return {DocumentProblem.EXPIRED_WITHIN_GRACE}
    return {DocumentProblem.EXPIRES_SOON} if days_left < timedelta(days=policy.warn_days) else set()


_Rule = Callable[[str, date], NumberCheck]


def _shape(pattern: str) -> _Rule:
    compiled = re.compile(pattern)

    def rule(number: str, today: date) -> NumberCheck:
        return NumberCheck.HOLDS if compiled.fullmatch(number) else NumberCheck.WRONG_FORMAT

    return rule


def _timeless(rule: Callable[[str], NumberCheck]) -> _Rule:
    """A rule that asks for no day."""
    return lambda number, today: rule(number)


def _chinese_permit(number: str, today: date) -> NumberCheck:
    # Foreigners' permanent residence cards before 2023 carry three letters and twelve digits without a check.
    return NumberCheck.HOLDS if re.fullmatch(r"[A-Z]{3}[0-9]{12}", number) else chinese_id(number, today)


_ANY_NUMBER = _shape(r"(?=.*[0-9])[A-Z0-9]{4,20}")

# Where a country is not named, any number of 4 to 20 letters and digits will do: a wrong refusal costs a customer, and
# the MRZ's own digits are the better check. Formats are those of the issuers' public specimens.
_RULES: dict[tuple[str, DocumentType], _Rule] = {
    ("CN", DocumentType.NATIONAL_ID): chinese_id,
    ("CN", DocumentType.RESIDENCE_PERMIT): _chinese_permit,
    # Hong Kong's and Macao's passports are CHN in the MRZ: H, K or M and eight digits.
    ("CN", DocumentType.PASSPORT): _shape(r"[A-Z][0-9]{8}|[A-Z]{2}[0-9]{7}"),
    # Home return permits (H or M), Taiwan compatriot permits (digits only), permits to Hong Kong, Macao and Taiwan.
    ("CN", DocumentType.TRAVEL_PERMIT): _shape(r"[A-Z]{0,2}[0-9]{7,10}"),
    ("HK", DocumentType.NATIONAL_ID): lambda number, today: hong_kong_id(number),
    ("HK", DocumentType.PASSPORT): _shape(r"[A-Z][0-9]{8}|[A-Z]{2}[0-9]{7}"),
    ("MO", DocumentType.NATIONAL_ID): lambda number, today: macao_id(number),
    ("MO", DocumentType.PASSPORT): _shape(r"[A-Z][0-9]{8}|[A-Z]{2}[0-9]{7}"),
    ("TW", DocumentType.NATIONAL_ID): lambda number, today: taiwan_id(number),
    ("TW", DocumentType.RESIDENCE_PERMIT): lambda number, today: taiwan_resident(number),
    ("TW", DocumentType.PASSPORT): _shape(r"[0-9]{9}"),
    ("GB", DocumentType.PASSPORT): _shape(r"[0-9]{9}"),
    ("GB", DocumentType.RESIDENCE_PERMIT): _shape(r"[A-Z]{2}[A-Z0-9][0-9]{6}"),
    ("GB", DocumentType.DRIVING_LICENCE): _timeless(european_ids.british_licence),
    ("DE", DocumentType.NATIONAL_ID): _timeless(european_ids.german_card),
    ("PL", DocumentType.NATIONAL_ID): _timeless(european_ids.polish_card),
    ("ES", DocumentType.NATIONAL_ID): _timeless(european_ids.spanish_card),
    ("ES", DocumentType.RESIDENCE_PERMIT): _timeless(european_ids.spanish_permit),
    ("BE", DocumentType.NATIONAL_ID): _timeless(european_ids.belgian_card),
    ("PT", DocumentType.NATIONAL_ID): _timeless(european_ids.portuguese_card),
    ("NL", DocumentType.NATIONAL_ID): _timeless(european_ids.dutch_card),
    ("NL", DocumentType.PASSPORT): _timeless(european_ids.dutch_card),
    # No rule is published for these two: twelve digits until 2021, nine signs since; letters and digits in three forms.
    ("FR", DocumentType.NATIONAL_ID): _shape(r"[0-9]{12}|[A-Z0-9]{9}"),
    ("IT", DocumentType.NATIONAL_ID): _shape(r"[A-Z]{2}[0-9]{5}[A-Z]{2}|[A-Z]{2}[0-9]{7}|[0-9]{7}[A-Z]{2}"),
    ("TH", DocumentType.NATIONAL_ID): _timeless(european_ids.thai_card),
    ("MY", DocumentType.NATIONAL_ID): _timeless(european_ids.malaysian_card),
    ("ID", DocumentType.NATIONAL_ID): _timeless(european_ids.indonesian_card),
}


def likely_type(mrz: Mrz) -> DocumentType | None:
    """The type to preselect for a zone that was read; the clerk may choose another. None for a visa and for what says
    nothing: a visa proves no person. R as second letter is a residence permit in the Union's uniform format (Regulation
    1030/2002); C and a letter from China is one of the travel permits."""
    if mrz.kind is MrzKind.PASSPORT:
        return DocumentType.PASSPORT
    if mrz.kind is not MrzKind.ID_CARD:
        return None
    if mrz.issuing_state == "CHN" and mrz.document_code in ("CR", "CT", "CS", "CD"):
        return DocumentType.TRAVEL_PERMIT
    return DocumentType.RESIDENCE_PERMIT if mrz.document_code[1:] == "R" else DocumentType.NATIONAL_ID
