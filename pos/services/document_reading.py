"""What was read from a document, judged before anything is kept: fields, rules, and whether it was seen before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pos.domain import aamva, mrz
from pos.domain.documents import WARNINGS, DocumentProblem, DocumentType, check_document, likely_type, normalise
from pos.domain.errors import DocumentNotAccepted, DocumentUnreadable
from pos.domain.identity_rules import CONCERNS, Allowance, Concern, IdentityRules
from pos.domain.mrz_fields import FieldFault, Mrz, NotMrz
from pos.domain.tills import Desk
from pos.domain.words import N_
from pos.services.kit import Kit
from pos.store import sales as rows
from pos.store.db import reading

PROBLEMS: dict[DocumentProblem, str] = {
    DocumentProblem.MISSING_NUMBER: N_("the number is missing"),
    DocumentProblem.WRONG_FORMAT: N_("the number does not have the form of this document"),
    DocumentProblem.WRONG_CHECK_DIGIT: N_("the check digit of the number is wrong"),
    DocumentProblem.UNKNOWN_COUNTRY: N_("the country is not known"),
    DocumentProblem.NOT_ACCEPTED_HERE: N_("this shop does not accept this kind of document from this country"),
    DocumentProblem.TYPING_NOT_ALLOWED: N_("it must be scanned, not typed"),
    DocumentProblem.MISSING_EXPIRY: N_("the date until which it is valid is missing"),
    DocumentProblem.EXPIRED: N_("it has expired"),
    DocumentProblem.AGE_UNKNOWN: N_("the birth date is missing, and this shop asks for an age"),
    DocumentProblem.TOO_YOUNG: N_("the customer is too young to renew here"),
    DocumentProblem.EXPIRED_WITHIN_GRACE: N_("it expired a short while ago"),
    DocumentProblem.EXPIRES_SOON: N_("it expires soon"),
    DocumentProblem.NO_EXPIRY: N_("it has no end date"),
}

# Words for the fields of a document, as they stand in the sentence "the document does not read right: ...".
FIELDS: dict[str, str] = {
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
SHAPE = N_("these are not the machine readable lines of a document")
PROVES_NOBODY = N_("a visa or a page of another kind says nothing about the person")

# How far back a document that was here before is counted.
_SEEN_BEFORE = timedelta(days=365)
# Two lines of 36 signs; readers lose one or two.
_SHORTEST_ZONE = 68


@dataclass(frozen=True)
class Seen:
    """What was read from a document, for the length of one request; hidden in ``repr``, never stored. ``age`` in whole years,
    the lower one where the birthday is not known."""

    type: DocumentType
    country: str
    number: str = field(repr=False)
    expires_on: date | None = field(repr=False)
    how: str = "typed"
    name: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)
    age: int | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Fault:
    """One field that does not read right: its words, where it stands, what was read, and what it most likely said."""

    words: str
    line: int | None = None
    columns: tuple[int, int] | None = None
    read: str = field(default="", repr=False)
    offer: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reading:
    """What a page may say of lines that were just scanned. ``seen`` None: they do not read right, and ``faults`` name why.

    ``problems`` are words for what speaks against the document, ``refused`` whether any of them refuses it, ``concerns`` words
    for what wants a manager; ``times_before`` and ``last_before`` how often this document was here within a year."""

    seen: Seen | None
    faults: tuple[Fault, ...] = ()
    problems: tuple[str, ...] = ()
    refused: bool = False
    concerns: tuple[str, ...] = ()
    names_cut: bool = False
    times_before: int = 0
    last_before: datetime | None = None


def read_lines(lines: str, today: date) -> Seen:
    """What a scanner sent: machine readable lines, or the barcode of a North American licence. Raises DocumentUnreadable
    naming the first field that fails, DocumentNotAccepted for what proves nobody."""
    seen, faults = _read(lines, today)[:2]
    if seen is not None:
        return seen
    if faults[0].words == PROVES_NOBODY:
        raise DocumentNotAccepted(fault=PROVES_NOBODY)
    raise DocumentUnreadable(fault=faults[0].words)


def look(lines: str, desk: Desk, *, kit: Kit) -> Reading:
    """The same for a page, while the clerk still looks at the face: every fault with its offer, the store's rules, and whether
    this document was here before. Nothing is written."""
    seen, faults, names_cut = _read(lines, desk.store.local(kit.now()).date())
    return Reading(None, faults) if seen is None else look_at(seen, desk, kit=kit, names_cut=names_cut)


def look_at(seen: Seen, desk: Desk, *, kit: Kit, names_cut: bool = False) -> Reading:
    """The same of a document that was read before."""
    now, rules = kit.now(), kit.rulebook.of(desk.store.code)
    problems, concerns = judged(seen, desk.store.local(now).date(), rules)
    times, last = 0, None
    if rules.keep_digest:
        with reading() as session:
            digest = kit.keys.look_up("idh", normalise(seen.number))
            times, last = rows.checks_of_document(session, digest, now - _SEEN_BEFORE, "")
    return Reading(
        seen,
        problems=tuple(PROBLEMS[problem] for problem in problems),
        refused=any(problem in refusals(problems, concerns) for problem in problems),
        concerns=tuple(CONCERNS[concern] for concern in rules.to_agree(concerns)),
        names_cut=names_cut,
        times_before=times,
        last_before=last,
    )


def is_begun(lines: str) -> bool:
    """Whether these may be the first of more lines, as a hand types them: nothing is said of them yet."""
    return len(mrz.joined(lines)) < _SHORTEST_ZONE and not aamva.is_aamva(lines)


def corrected(lines: str, place: int, today: date) -> str:
    """The lines with the offer for the ``place``-th fault taken: a clerk compared it with the document and pressed. Lines without
    such an offer come back as they are."""
    try:
        faults = mrz.read(lines, today).faults
        return mrz.with_suggestion(lines, faults[place])
    except (NotMrz, IndexError, ValueError):
        return lines


def judged(seen: Seen, today: date, rules: IdentityRules) -> tuple[tuple[DocumentProblem, ...], set[Concern]]:
    """(what speaks against a document, what of it is a manager's to decide)."""
    typed = seen.how == "typed"
    verdict = check_document(
        seen.type, seen.country, seen.number, seen.expires_on, today, rules.documents, typed=typed, age=seen.age
    )
    concerns = {Concern.TYPED} if typed else set()
    if DocumentProblem.EXPIRED in verdict.problems and rules.expired is not Allowance.REFUSED:
        concerns.add(Concern.EXPIRED)
    problems = set(verdict.problems)
    if typed and rules.typed is Allowance.REFUSED:
        problems.add(DocumentProblem.TYPING_NOT_ALLOWED)
    return tuple(problem for problem in DocumentProblem if problem in problems), concerns


def refusals(problems: tuple[DocumentProblem, ...], concerns: set[Concern]) -> list[DocumentProblem]:
    """The problems that refuse a document whoever agrees."""
    waived = {DocumentProblem.EXPIRED} if Concern.EXPIRED in concerns else set()
    return [problem for problem in problems if problem not in WARNINGS and problem not in waived]


def _read(lines: str, today: date) -> tuple[Seen | None, tuple[Fault, ...], bool]:
    """(what was read, or why it was not, whether the names are cut)."""
    if aamva.is_aamva(lines):
        licence = aamva.read(lines)
        if not licence.reads_right:
            return None, tuple(Fault(FIELDS[missing.value]) for missing in licence.missing), False
        return _from_licence(licence, today), (), False
    try:
        zone = mrz.read(lines, today)
    except NotMrz:
        return None, (Fault(SHAPE),), False
    if not zone.reads_right:
        return None, tuple(_fault(fault) for fault in zone.faults), False
    seen = _from_zone(zone, today)
    return (seen, () if seen is not None else (Fault(PROVES_NOBODY),), zone.names_cut)


def _fault(fault: FieldFault) -> Fault:
    return Fault(FIELDS[fault.field.value], fault.line, fault.columns, fault.read, fault.suggestion)


def _from_zone(zone: Mrz, today: date) -> Seen | None:
    kind = likely_type(zone)
    if kind is None:
        return None
    born = zone.birth_date.complete
    return Seen(
        type=kind,
        country=zone.issuing_state,
        number=zone.document_number,
        expires_on=zone.expiry_date,
        how="scanned",
        # A name that did not fit is not the whole name, and differs from everybody's.
        name=None if zone.names_cut else f"{zone.given_names} {zone.surname}".strip() or None,
        birth_date=born.isoformat() if born is not None else None,
        age=zone.birth_date.age_on(today),
    )


def _from_licence(licence: aamva.Licence, today: date) -> Seen:
    born = licence.birth_date
    return Seen(
        type=DocumentType.DRIVING_LICENCE if licence.is_licence else DocumentType.NATIONAL_ID,
        country=licence.country,
        number=licence.number,
        expires_on=licence.expires_on,
        how="scanned",
        name=licence.name or None,
        birth_date=born.isoformat() if born is not None else None,
        age=age_on(born, today),
    )


def age_on(born: date | None, today: date) -> int | None:
    """Whole years; None without a birth date, and for one that lies ahead."""
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
