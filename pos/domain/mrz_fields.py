"""What a machine readable zone says, and what may be wrong with it: the words mrz.read() answers in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pos.domain import countries
from pos.domain.mrz_dates import PartialDate
from pos.domain.mrz_layouts import MrzFormat, Span


class MrzShape(StrEnum):
    """Why a text is no MRZ at all."""

    WRONG_LENGTH = "wrong_length"
    STRANGE_SIGN = "strange_sign"
    NO_FILLER = "no_filler"


class NotMrz(ValueError):
    """The text has not the shape of an MRZ; ``reason`` says why. The message never carries what was read."""

    def __init__(self, reason: MrzShape) -> None:
        super().__init__(reason.value)
        self.reason = reason


class MrzKind(StrEnum):
    """What the first letter of the document code says: P, V, one of A C I, any other."""

    PASSPORT = "passport"
    ID_CARD = "id_card"
    VISA = "visa"
    OTHER = "other"


class Sex(StrEnum):
    """As printed. ``<`` (and the X some states print) is unspecified, as on every old German card."""

    FEMALE = "female"
    MALE = "male"
    UNSPECIFIED = "unspecified"


class MrzField(StrEnum):
    """The fields a fault can name. COMPOSITE: the last digit, or optional data that has no digit of its own."""

    DOCUMENT_CODE = "document_code"
    ISSUING_STATE = "issuing_state"
    DOCUMENT_NUMBER = "document_number"
    NAMES = "names"
    NATIONALITY = "nationality"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    EXPIRY_DATE = "expiry_date"
    OPTIONAL_DATA = "optional_data"
    COMPOSITE = "composite"


class FaultReason(StrEnum):
    """What is wrong with a field."""

    CHECK_DIGIT = "check_digit"
    NOT_A_DATE = "not_a_date"
    UNKNOWN_CODE = "unknown_code"
    STRANGE_SIGN = "strange_sign"
    MISSING = "missing"


@dataclass(frozen=True)
class FieldFault:
    """One field that does not read right. ``line`` and ``columns`` (first, last) count from 1 as Doc 9303 does;
    ``spans`` is the place in the joined lines, in two parts when a long number runs on. A field with a check digit
    includes it in ``read`` and ``suggestion``. ``expected`` is the digit the field as read would need. ``suggestion``
    is an offer: nothing applies it unasked."""

    field: MrzField
    reason: FaultReason
    line: int
    columns: tuple[int, int]
    spans: tuple[Span, ...] = dataclasses.field(repr=False)
    read: str = dataclasses.field(repr=False)
    expected: str | None = dataclasses.field(default=None, repr=False)
    suggestion: str | None = dataclasses.field(default=None, repr=False)


@dataclass(frozen=True, repr=False)
class Mrz:
    """What a zone says, fillers gone. ``issuing_state`` and ``nationality`` are as printed (``D``, ``UTO``); names
    have blanks between their parts; ``expiry_date`` is None where the format has none or the field is no date."""

    format: MrzFormat
    kind: MrzKind
    document_code: str
    issuing_state: str
    document_number: str
    surname: str
    given_names: str
    names_cut: bool
    nationality: str
    birth_date: PartialDate
    sex: Sex
    expiry_date: date | None
    optional_data: tuple[str, ...]
    faults: tuple[FieldFault, ...]

    @property
    def reads_right(self) -> bool:
        """Whether every check digit, date and code holds."""
        return not self.faults

    def __repr__(self) -> str:
        # In a zone whose lines were sent in the wrong order, a piece of a name stands where the state should.
        state = self.issuing_state if countries.is_mrz_code(self.issuing_state) else "?"
        return f"Mrz({self.format.value}, {self.kind.value}, {state}, faults={len(self.faults)})"
