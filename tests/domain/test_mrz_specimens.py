"""Published specimens of every format, read sign for sign."""

from datetime import date

import pytest

from pos.domain.mrz import FaultReason, Mrz, MrzField, MrzFormat, MrzKind, MrzShape, NotMrz, Sex, read

TODAY = date(2026, 8, 7)

# Doc 9303, eighth edition: part 5 appendix B, part 6 appendix B, part 4 appendix B, part 7 appendices.
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
MRV_A = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"
MRV_B = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"
# Part 11 appendix D.2: document numbers of twelve signs.
LONG_TD1 = "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<"
LONG_TD2 = "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8"
# Part 11 appendix D.2 as well, with a filler inside the number field and a personal number of nothing.
SHORT_TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C<3UTO6908061F9406236ZE184226B<<<<<14"
# Specimen cards of their issuers: France 1995, Germany before 2010 (no sex, one-letter state).
FRENCH = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n8806923102858CORINNE<<<<<<<6512068F6"
GERMAN = "IDD<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<\n1220010855D<<6408125<1110078<<<<<<<6"

ALL = [TD1, TD2, TD3, MRV_A, MRV_B, LONG_TD1, LONG_TD2, SHORT_TD3, FRENCH, GERMAN]


def told(mrz: Mrz) -> tuple[object, ...]:
    birth = mrz.birth_date.complete
    return mrz.document_number, mrz.surname, mrz.given_names, mrz.nationality, birth, mrz.sex, mrz.expiry_date


@pytest.mark.parametrize(
    ("text", "format", "kind", "said"),
    [
        (TD1, MrzFormat.TD1, MrzKind.ID_CARD,
         ("D23145890", "ERIKSSON", "ANNA MARIA", "UTO", date(1974, 8, 12), Sex.FEMALE, date(2012, 4, 15))),
        (TD2, MrzFormat.TD2, MrzKind.ID_CARD,
         ("D23145890", "ERIKSSON", "ANNA MARIA", "UTO", date(1974, 8, 12), Sex.FEMALE, date(2012, 4, 15))),
        (TD3, MrzFormat.TD3, MrzKind.PASSPORT,
         ("L898902C3", "ERIKSSON", "ANNA MARIA", "UTO", date(1974, 8, 12), Sex.FEMALE, date(2012, 4, 15))),
        (MRV_A, MrzFormat.MRV_A, MrzKind.VISA,
         ("L8988901C", "ERIKSSON", "ANNA MARIA", "XXX", date(1940, 9, 7), Sex.FEMALE, date(1996, 12, 10))),
        (MRV_B, MrzFormat.MRV_B, MrzKind.VISA,
         ("L8988901C", "ERIKSSON", "ANNA MARIA", "XXX", date(1940, 9, 7), Sex.FEMALE, date(1996, 12, 10))),
        (LONG_TD1, MrzFormat.TD1, MrzKind.ID_CARD,
         ("D23145890734", "STEVENSON", "PETER JOHN", "UTO", date(1934, 7, 12), Sex.MALE, date(1995, 7, 12))),
        (LONG_TD2, MrzFormat.TD2, MrzKind.ID_CARD,
         ("D23145890734", "STEVENSON", "PETER JOHN", "UTO", date(1934, 7, 12), Sex.MALE, date(1995, 7, 12))),
        (SHORT_TD3, MrzFormat.TD3, MrzKind.PASSPORT,
         ("L898902C", "ERIKSSON", "ANNA MARIA", "UTO", date(1969, 8, 6), Sex.FEMALE, date(1994, 6, 23))),
        (FRENCH, MrzFormat.FRENCH, MrzKind.ID_CARD,
         ("880692310285", "BERTHIER", "CORINNE", "FRA", date(1965, 12, 6), Sex.FEMALE, None)),
        (GERMAN, MrzFormat.TD2, MrzKind.ID_CARD,
         ("122001085", "MUSTERMANN", "ERIKA", "D", date(1964, 8, 12), Sex.UNSPECIFIED, date(2011, 10, 7))),
    ],
)  # fmt: skip
def test_a_specimen_reads_right(text: str, format: MrzFormat, kind: MrzKind, said: tuple[object, ...]) -> None:
    mrz = read(text, TODAY)
    assert mrz.reads_right, mrz.faults
    assert (mrz.format, mrz.kind, told(mrz)) == (format, kind, said)


@pytest.mark.parametrize("text", ALL)
def test_the_way_a_scanner_sends_it_does_not_matter(text: str) -> None:
    mrz = read(text, TODAY)
    for sent in (
        text.replace("\n", ""), text.replace("\n", "\r\n") + "\r", text.lower(), text.replace("\n", "   "),
        "\x02" + text.replace("\n", "\r") + "\x03", text.replace("<", "＜"), text.replace("<<", "«"), text + "\t",
    ):  # fmt: skip
        assert read(sent, TODAY) == mrz


@pytest.mark.parametrize("text", ALL)
def test_a_reading_shows_nobody_in_logs(text: str) -> None:
    mrz = read(text, TODAY)
    for shown in (repr(mrz), str(mrz), f"{mrz}", repr(mrz.birth_date)):
        assert not any(part in shown for part in (mrz.surname, mrz.given_names, mrz.document_number))
        assert not any(sign.isdigit() for sign in shown.replace("TD1", "").replace("TD2", "").replace("TD3", "")[:-2])


def test_a_fault_shows_where_and_never_what() -> None:
    fault = read(TD3.replace("L898902C36", "L898902C46"), TODAY).faults[0]
    assert fault.field is MrzField.DOCUMENT_NUMBER and (fault.line, fault.columns) == (2, (1, 10))
    assert fault.expected == "7" and "L8989" not in repr(fault)


def test_optional_data_is_kept_apart_from_a_long_number() -> None:
    assert read(TD3, TODAY).optional_data == ("ZE184226B",)
    assert read(LONG_TD1, TODAY).optional_data == ("", "")
    assert read(FRENCH, TODAY).optional_data == ("",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", MrzShape.WRONG_LENGTH),
        (TD3[:-1], MrzShape.WRONG_LENGTH),
        (TD3 + "<", MrzShape.WRONG_LENGTH),
        (TD1.split("\n")[0], MrzShape.WRONG_LENGTH),
        (TD3.replace("ANNA", "ANN*"), MrzShape.STRANGE_SIGN),
        (TD3.replace("ANNA", "ÄNNA"), MrzShape.STRANGE_SIGN),
        ("A" * 90, MrzShape.NO_FILLER),
    ],
)
def test_what_is_no_mrz_says_why_and_repeats_nothing(text: str, reason: MrzShape) -> None:
    with pytest.raises(NotMrz) as refused:
        read(text, TODAY)
    assert refused.value.reason is reason
    assert "ERIKSSON" not in str(refused.value)


def test_a_fault_in_every_other_field_is_named_too() -> None:
    cases = {
        TD3.replace("P<UTO", "1<UTO"): (MrzField.DOCUMENT_CODE, FaultReason.STRANGE_SIGN, "I<"),
        TD3.replace("P<UTO", "P<UT0"): (MrzField.ISSUING_STATE, FaultReason.UNKNOWN_CODE, "UTO"),
        TD3.replace("P<UTO", "P<QQQ"): (MrzField.ISSUING_STATE, FaultReason.UNKNOWN_CODE, None),
        MRV_B.replace("XXX", "U5A"): (MrzField.NATIONALITY, FaultReason.UNKNOWN_CODE, "USA"),
        TD3.replace("ERIKSSON", "ER1K550N"): (
            MrzField.NAMES,
            FaultReason.STRANGE_SIGN,
            "ERIKSSON<<ANNA<MARIA" + "<" * 19,
        ),
        TD3.replace("2F1", "2H1"): (MrzField.SEX, FaultReason.STRANGE_SIGN, None),
    }
    for text, expected in cases.items():
        (fault,) = read(text, TODAY).faults
        assert (fault.field, fault.reason, fault.suggestion) == expected
