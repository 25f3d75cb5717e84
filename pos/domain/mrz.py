"""The machine readable zone of travel documents: read it, and say of each field whether it reads right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pos.domain import countries
from pos.domain.mrz_confusions import as_letters, likely
from pos.domain.mrz_dates import PartialDate, read_birth, read_expiry
from pos.domain.mrz_fields import FaultReason, FieldFault, Mrz, MrzField, MrzKind, MrzShape, NotMrz, Sex
from pos.domain.mrz_layouts import CODE, LAYOUTS, STATE, Layout, MrzFormat, Span, check_digit, layout_of
from pos.domain.typed import plain

__all__ = [
    "FaultReason",
    "FieldFault",
    "Mrz",
    "MrzField",
    "MrzFormat",
    "MrzKind",
    "MrzShape",
    "NotMrz",
    "PartialDate",
    "Sex",
    "format_of",
    "joined",
    "read",
    "with_suggestion",
]


_KINDS = {"P": MrzKind.PASSPORT, "V": MrzKind.VISA, "A": MrzKind.ID_CARD, "C": MrzKind.ID_CARD, "I": MrzKind.ID_CARD}
_SEXES = {"F": Sex.FEMALE, "M": Sex.MALE, "<": Sex.UNSPECIFIED, "X": Sex.UNSPECIFIED}


def joined(text: str) -> str:
    """The zone in capitals without blanks and line breaks; quotation marks some keyboards send for fillers are
    fillers."""
    signs = plain(text.replace("«", "<<").replace("‹", "<")).upper()
    return signs.replace(" ", "")


def format_of(text: str) -> MrzFormat:
    """The format of a text by its shape alone. Raises NotMrz when length or signs are no MRZ's."""
    signs = joined(text)
    if not re.fullmatch("[A-Z0-9<]*", signs):
        raise NotMrz(MrzShape.STRANGE_SIGN)
    shape = layout_of(signs)
    if shape is None:
        raise NotMrz(MrzShape.WRONG_LENGTH)
    if "<" not in signs:
        raise NotMrz(MrzShape.NO_FILLER)
    return shape


def read(text: str, today: date) -> Mrz:
    """Read a zone as a scanner or a hand sent it, with or without line breaks. ``today`` is the store's, for the
    centuries of two-digit years.

    A field that does not read right keeps what was read and is named in ``faults``; the others stand. Raises NotMrz
    when length or signs are no MRZ's."""
    return _Reading(joined(text), format_of(text), today).mrz()


def with_suggestion(text: str, fault: FieldFault) -> str:
    """``text`` with the suggestion of ``fault`` accepted, one line per line of the document. ValueError without one,
    or when the fault is not from this text."""
    signs, offer = joined(text), fault.suggestion
    shape = layout_of(signs)
    if offer is None or shape is None or "".join(signs[start:end] for start, end in fault.spans) != fault.read:
        raise ValueError("the fault offers nothing for this text")
    for start, end in fault.spans:
        signs, offer = signs[:start] + offer[: end - start] + signs[end:], offer[end - start :]
    length = LAYOUTS[shape].line_length
    return "\n".join(signs[at : at + length] for at in range(0, len(signs), length))


class _Reading:
    """One zone while it is read: the signs, the layout, and what was found wrong so far."""

    def __init__(self, signs: str, shape: MrzFormat, today: date) -> None:
        self.signs, self.shape, self.today = signs, shape, today
        self.layout: Layout = LAYOUTS[shape]
        self.tail = self._long_number_tail()

    def mrz(self) -> Mrz:
        birth = read_birth(self._at(self.layout.birth), self.today)
        surname, given_names = self._names()
        state = self._at(STATE).rstrip("<")
        return Mrz(
            format=self.shape,
            kind=_KINDS.get(self.signs[0], MrzKind.OTHER),
            document_code=self._at(CODE).rstrip("<"),
            issuing_state=state,
            document_number=self._number(),
            surname=surname,
            given_names=given_names,
            names_cut=any(not self._at(span).endswith("<") for span in self._name_spans()),
            nationality=self._at(self.layout.nationality).rstrip("<") if self.layout.nationality else state,
            birth_date=birth or PartialDate(None, None, None),
            sex=_SEXES.get(self.signs[self.layout.sex], Sex.UNSPECIFIED),
            expiry_date=self._expiry(),
            optional_data=self._optional(),
            faults=tuple(self._faults()),
        )

    def _at(self, span: Span) -> str:
        return self.signs[span[0] : span[1]]

    def _name_spans(self) -> list[Span]:
        return [self.layout.names, *([self.layout.given_names] if self.layout.given_names else [])]

    def _names(self) -> tuple[str, str]:
        surname, given = (self._at(self.layout.names), "")
        if self.layout.given_names:
            given = self._at(self.layout.given_names)
        else:
            surname, _, given = surname.strip("<").partition("<<")
        return " ".join(surname.replace("<", " ").split()), " ".join(given.replace("<", " ").split())

    def _expiry(self) -> date | None:
        expiry = self.layout.expiry
        return read_expiry(self._at(expiry), self._at(STATE), self.today) if expiry else None

    # A long number (part 5, section 4.2.2.1 note j; part 6 alike): nine signs, a filler where its digit would stand,
    # then the rest and the digit at the start of the optional data, ended by a filler.
    def _long_number_tail(self) -> str:
        first, end = self.layout.number
        if not self.layout.long_number or self.signs[end] != "<" or "<" in self.signs[first:end]:
            return ""
        tail = self._at(self.layout.optional[0]).partition("<")[0]
        return tail if len(tail) >= 2 else ""

    def _number(self) -> str:
        return (self._at(self.layout.number) + self.tail[:-1]).strip("<").replace("<", " ")

    def _optional(self) -> tuple[str, ...]:
        parts = [self._at(span) for span in self.layout.optional]
        parts[0] = parts[0][len(self.tail) :]
        return tuple(part.strip("<").replace("<", " ") for part in parts)

    def _faults(self) -> Iterator[FieldFault]:
        digits = list(self._digit_faults())
        marked = {fault.field for fault in digits}
        for fault in self._content_faults():
            if fault.field not in marked:
                yield fault
        # A wrong field upsets the composite too and would only hide which one: it speaks when all others hold.
        yield from digits or self._composite_faults()

    def _digit_faults(self) -> Iterator[FieldFault]:
        layout, (first, end) = self.layout, self.layout.number
        if self.tail:
            on = layout.optional[0][0]
            yield from self._checked(MrzField.DOCUMENT_NUMBER, (first, end), (on, on + len(self.tail)))
        else:
            yield from self._checked(MrzField.DOCUMENT_NUMBER, (first, end + 1))
        yield from self._checked(MrzField.BIRTH_DATE, (layout.birth[0], layout.birth[1] + 1), digits_only=True)
        if layout.expiry:
            yield from self._checked(MrzField.EXPIRY_DATE, (layout.expiry[0], layout.expiry[1] + 1), digits_only=True)
        if layout.optional_checked:
            first, end = layout.optional[0]
            yield from self._checked(MrzField.OPTIONAL_DATA, (first, end + 1))

    def _checked(self, name: MrzField, *spans: Span, digits_only: bool = False) -> Iterator[FieldFault]:
        """The fault of a field whose last sign is its digit."""

        def passes(signs: str) -> bool:
            # An empty field may leave its digit empty as well (part 4, section 4.2.2.2 on the personal number).
            return signs[-1] == check_digit(signs[:-1]) or not signs.strip("<")

        signs = "".join(self._at(span) for span in spans)
        if not passes(signs):
            offer = likely(signs, passes, digits_only=digits_only)
            yield self._fault(name, FaultReason.CHECK_DIGIT, *spans, expected=check_digit(signs[:-1]), offer=offer)

    def _composite_faults(self) -> Iterator[FieldFault]:
        at = self.layout.composite
        if at is None:
            return
        expected = check_digit("".join(self._at(span) for span in self.layout.composite_over))
        if self.signs[at] != expected:
            offer = likely(self.signs[at], lambda signs: signs == expected, digits_only=True)
            yield self._fault(MrzField.COMPOSITE, FaultReason.CHECK_DIGIT, (at, at + 1), expected=expected, offer=offer)

    def _content_faults(self) -> Iterator[FieldFault]:
        layout, code = self.layout, self._at(CODE)
        if not re.fullmatch("[A-Z][A-Z<]", code):
            yield self._letters_fault(MrzField.DOCUMENT_CODE, CODE, "[A-Z][A-Z<]")
        for name, span in ((MrzField.ISSUING_STATE, STATE), (MrzField.NATIONALITY, layout.nationality)):
            if span and not _is_code(self._at(span)):
                offer = as_letters(self._at(span))
                yield self._fault(name, FaultReason.UNKNOWN_CODE, span, offer=offer if _is_code(offer) else None)
        if not self._number():
            yield self._fault(MrzField.DOCUMENT_NUMBER, FaultReason.MISSING, layout.number)
        for span in self._name_spans():
            if re.search("[0-9]", self._at(span)):
                yield self._letters_fault(MrzField.NAMES, span, "[A-Z<]+")
        if not self._at(layout.names).strip("<"):
            yield self._fault(MrzField.NAMES, FaultReason.MISSING, layout.names)
        if read_birth(self._at(layout.birth), self.today) is None:
            yield self._fault(MrzField.BIRTH_DATE, FaultReason.NOT_A_DATE, layout.birth)
        if self.signs[layout.sex] not in _SEXES:
            yield self._fault(MrzField.SEX, FaultReason.STRANGE_SIGN, (layout.sex, layout.sex + 1))
        if layout.expiry and self._at(layout.expiry).strip("<") and self._expiry() is None:
            yield self._fault(MrzField.EXPIRY_DATE, FaultReason.NOT_A_DATE, layout.expiry)

    def _letters_fault(self, name: MrzField, span: Span, shape: str) -> FieldFault:
        offer = as_letters(self._at(span))
        return self._fault(name, FaultReason.STRANGE_SIGN, span, offer=offer if re.fullmatch(shape, offer) else None)

    def _fault(
        self, name: MrzField, reason: FaultReason, *spans: Span, expected: str | None = None, offer: str | None = None
    ) -> FieldFault:
        start, end = spans[0]
        line, first = divmod(start, self.layout.line_length)
        signs = "".join(self._at(span) for span in spans)
        return FieldFault(name, reason, line + 1, (first + 1, first + end - start), spans, signs, expected, offer)


def _is_code(signs: str) -> bool:
    return re.fullmatch("[A-Z]+<*", signs) is not None and countries.is_mrz_code(signs)
