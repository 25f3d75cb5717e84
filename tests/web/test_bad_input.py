"""What people, scanners and passers-by type by mistake or on purpose: a sentence at the right place, and nothing else happens."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

from pos.app import create_app, make_carriers, press
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.services import print_jobs, printers
from tests.conftest import OnEach, StandingClock, _close, _release, furnish, settings_in
from tests.counter import Counter, Page
from tests.engines import Engine, copy_shop, everything_in

CARD = "This looks like a payment card number. It was not stored. Card numbers are never typed here."
NO_AMOUNT = "This is not an amount. Type digits, for example 20.00."
TOO_LONG = "This is far too long. Nothing was stored."


def at_field(page: Page, name: str) -> str:
    """The sentence that stands at a field, where a screen reader reads it with the field."""
    found = re.search(rf'<p class="field-error" id="{name}-says">(.*?)</p>', page.text, flags=re.DOTALL)
    if found is None:
        return ""
    assert f'id="{name}"' in page.text, f"the sentence of {name} stands at no field"
    return unescape(re.sub(r"<[^>]+>", "", found[1]))


def at_top(page: Page) -> str:
    """The sentence at the top of the page, or of the page that is nothing but the sentence."""
    found = re.search(
        r'<p class="notice".*?<span>(.*?)</span>|<div class="panel money.*?<h1>(.*?)</h1>', page.text, flags=re.DOTALL
    )
    return unescape(found[1] or found[2]) if found else ""


def typed(page: Page, name: str) -> str:
    """What stands in a field."""
    area = re.search(rf'<textarea[^>]*id="{name}"[^>]*>(.*?)</textarea>', page.text, flags=re.DOTALL)
    field = re.search(rf'<input[^>]*id="{name}"[^>]*>', page.text)
    value = re.search(r'value="([^"]*)"', field[0]) if field else None
    return unescape(area[1] if area else value[1] if value else "")


# ------------------------------------------------------------------ one shop for all that leaves no trace


class Day(OnEach):
    """What all tests of this module share, on each kind of database; ends with the module."""

    def __init__(self, folders: pytest.TempPathFactory, ends: ExitStack) -> None:
        super().__init__(folders)
        self.ends = ends
        self.place: dict[str, Path] = {}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with ExitStack() as ends:
        yield Day(tmp_path_factory, ends)


@pytest.fixture
def shared(day: Day, engine: Engine, on_each: OnEach) -> Counter:
    """A clerk with an open shift; each test begins a sale of its own."""

    def begin(folder: Path) -> Counter:
        day.place[engine.name] = folder
        copy_shop(engine, furnish(on_each, engine), folder)
        day.ends.callback(engine.drop, folder)
        server = day.ends.enter_context(SandboxServer(SandboxSettings(), state=None, port=0))
        settings = settings_in(folder, server.url)
        app = create_app(settings, clock=StandingClock(), given=make_carriers(settings))
        day.ends.callback(end, app)
        return Counter(app).open_shift()

    return day.once(engine, "bad_input", begin)


def end(app: Flask) -> None:
    with app.app_context():
        _release(app)
    _close(app.extensions["simcounter"].carriers)


@pytest.fixture
def clerk(shared: Counter) -> Counter:
    shared.get("/")
    return shared


def begun(clerk: Counter, number: str = "07700 900110") -> Counter:
    clerk.number(number)
    assert clerk.page.status == 200, clerk.page.plain
    return clerk


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("entry", "sentence", "status"),
    [
        ("8944100077009001238", "The check digit of this SIM number is wrong. Scan it again or type the number", 422),
        ("89441000770090012", "89441000770090012 is not a complete mobile number.", 422),
        ("07911 123456", "does not belong to a carrier this shop renews. Take no money; check the number", 422),
        ("+1 212 555 0123", "does not belong to a carrier this shop renews. Take no money", 422),
        ("07700 9001", "07700 9001 is not a complete mobile number.", 422),
        ("+44 7700 900123 99", "is not a complete mobile number.", 422),
        ("+999 123456789", "is not a complete mobile number.", 422),
        ("490154203237518", "This is the number of a device, not of a SIM.", 422),
        ("B:101", "This is a staff badge. Lock the till (F8) and choose the name there.", 422),
        ("LON1-999999", "This is not a phone number, a SIM number, a document or a receipt of this shop.", 422),
        ("Mrs. Ward", "This is not a phone number, a SIM number, a document or a receipt of this shop.", 422),
        ("", "This is not a phone number, a SIM number, a document or a receipt of this shop.", 422),
        ("\x00\x1b\u202e", "This is not a phone number, a SIM number, a document or a receipt of this shop.", 422),
        ("📱" * 40, "This is not a phone number, a SIM number, a document or a receipt of this shop.", 422),
        ("9" * 300, TOO_LONG, 422),
    ],
)
def test_what_is_no_customers_number(clerk: Counter, entry: str, sentence: str, status: int) -> None:
    clerk.number(entry)
    assert clerk.page.status == status
    assert sentence in at_field(clerk.page, "entry")
    plain = "".join(sign for sign in entry if sign.isprintable())
    assert typed(clerk.page, "entry") == (plain if len(entry) <= 200 else "")
    assert clerk.get(f"/sales/{clerk.sale_id}").status == 404, "no sale was begun"


def test_another_carriers_number_is_shown_masked(clerk: Counter) -> None:
    clerk.number("07911 123456")
    assert "123456" not in at_field(clerk.page, "entry")


def test_a_document_is_not_a_number_and_not_shown_again(clerk: Counter) -> None:
    lines = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"
    clerk.number(lines)
    assert "This is a document. Type the phone number first" in at_field(clerk.page, "entry")
    assert typed(clerk.page, "entry") == ""
    assert "ERIKSSON" not in clerk.page.text


# ------------------------------------------------------------------ documents

SPECIMEN = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F3004157ZE184226B<<<<<16")


@pytest.mark.parametrize(
    ("position", "sign", "named"),
    [
        (9, "7", "the document number"),
        (19, "3", "the birth date"),
        (27, "1", "the expiry date"),
        (43, "7", "the last check digit"),
    ],
)
def test_a_wrong_check_digit_of_a_scan_names_its_field(clerk: Counter, position: int, sign: str, named: str) -> None:
    begun(clerk)
    second = SPECIMEN[1][:position] + sign + SPECIMEN[1][position + 1 :]
    clerk.document(mrz=f"{SPECIMEN[0]}\r\n{second}", document_number="")
    assert clerk.page.status == 422
    assert named in at_field(clerk.page, "mrz")
    assert second in typed(clerk.page, "mrz")


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"document_number": ""}, "document_number", "the number is missing"),
        ({"document_number": "\x00\u202e\x1b"}, "document_number", "the number is missing"),
        (
            {"document_type": "national_id", "document_country": "HK", "document_number": "A123456(4)"},
            "document_number",
            "the check digit of the number is wrong",
        ),
        (
            {"document_type": "national_id", "document_country": "CN", "document_number": "11010519491231002Y"},
            "document_number",
            "cannot be used here",
        ),
        ({"document_number": "😀😀😀😀😀😀"}, "document_number", "cannot be used here"),
        ({"document_country": "ZZ"}, "document_country", "the country is not known"),
        ({"document_country": "<b>"}, "document_country", "the country is not known"),
        ({"document_type": "national_id", "document_country": "BR"}, "document_country", "does not accept this kind"),
        ({"document_type": "library_card"}, "document_number", "does not read right"),
        ({"expires_on": ""}, "expires_on", "the date until which it is valid is missing"),
        ({"expires_on": "tomorrow"}, "expires_on", "the date until which it is valid is missing"),
        ({"expires_on": "2031-02-30"}, "expires_on", "the date until which it is valid is missing"),
        ({"expires_on": "2026-11-20"}, "expires_on", "it has expired"),
        ({"mrz": "hello"}, "mrz", "these are not the machine readable lines of a document"),
        ({"mrz": "<" * 500}, "mrz", TOO_LONG),
        ({"document_number": "x" * 31}, "document_number", TOO_LONG),
    ],
)
def test_a_document_that_cannot_be_used(clerk: Counter, fields: dict[str, str], field: str, sentence: str) -> None:
    begun(clerk)
    clerk.document(**fields)
    assert clerk.page.status == 422
    assert sentence in at_field(clerk.page, field)
    if fields.get("document_number") not in ("", "\x00\u202e\x1b", "x" * 31):
        assert typed(clerk.page, "document_number") == fields.get("document_number", "533380006")
    assert clerk.look().hidden("csrf_token") and "Choose a plan" not in clerk.page.plain


def test_a_document_of_somebody_else_is_not_waved_through(clerk: Counter) -> None:
    begun(clerk)
    fields = {"document_type": "passport", "document_country": "GB", "document_number": "533380006", "expires_on": "2031-05-01"}
    clerk.post(f"/sales/{clerk.sale_id}/document", fields)
    assert at_field(clerk.page, "matches_person").startswith("Tick that the person matches the document.")
    assert (clerk.page.status, typed(clerk.page, "document_number")) == (422, "533380006")


# ------------------------------------------------------------------ money


@pytest.mark.parametrize(
    ("tendered", "sentence"),
    [
        ("", "Type what the customer handed over, or press one of the notes. Nothing was booked."),
        ("0", "0.00 GBP is less than the 8.00 GBP due. Nothing was booked; ask for 8.00 GBP more."),
        ("7.99", "7.99 GBP is less than the 8.00 GBP due. Nothing was booked; ask for 0.01 GBP more."),
        ("twenty", NO_AMOUNT),
        ("20 GBP", NO_AMOUNT),
        ("20.005", NO_AMOUNT),
        ("1.500", NO_AMOUNT),
        ("1e3", NO_AMOUNT),
        ("-20", "An amount here is never negative."),
        ("20\u202e00", NO_AMOUNT),
        ("20\x0000", NO_AMOUNT),
        ("٢٠", NO_AMOUNT),
        ("20" + " " * 60 + "x", NO_AMOUNT),
        ("9" * 16, NO_AMOUNT),
        ("9999999999.99", "9,999,999,999.99 GBP is far more than the 8.00 GBP due."),
        ("99999999999.99", NO_AMOUNT),
        ("NaN", NO_AMOUNT),
        ("<script>alert(1)</script>", NO_AMOUNT),
    ],
)
def test_money_that_is_none(clerk: Counter, tendered: str, sentence: str) -> None:
    clerk.ready_to_pay("07700 900111").cash(tendered)
    assert clerk.page.status == 422
    assert sentence in at_field(clerk.page, "tendered")
    assert typed(clerk.page, "tendered") == "".join(sign for sign in tendered if sign.isprintable())
    assert "<script>alert" not in clerk.page.text
    assert "Read it back" in clerk.look().plain, "nothing was booked"


@pytest.mark.parametrize("note", ["abc", "-2000", "20.00", "9" * 16, "²", "٢"])
def test_a_note_button_that_nobody_made(clerk: Counter, note: str) -> None:
    clerk.ready_to_pay("07700 900111").get(f"/sales/{clerk.sale_id}/cash")
    clerk.post(f"/sales/{clerk.sale_id}/cash", {"quote": clerk.page.hidden("quote"), "tendered_note": note})
    assert clerk.page.status == 422
    assert at_field(clerk.page, "tendered") or at_top(clerk.page) == TOO_LONG


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"last4": "123"}, "last4", "Copy the last four digits and the authorisation code"),
        ({"last4": "12345678"}, "last4", "Copy the last four digits"),
        ({"last4": "٤٢٤٢"}, "last4", "Copy the last four digits"),
        ({"last4": ""}, "last4", "Copy the last four digits"),
        ({"authorisation": ""}, "authorisation", "Copy the last four digits"),
        ({"authorisation": "<b>!"}, "authorisation", "Copy the last four digits"),
        ({"scheme": "MONOPOLY"}, "scheme", "Copy the last four digits"),
        ({"slip_number": "😀"}, "slip_number", "Copy the last four digits"),
        ({"slip_number": "x" * 21}, "slip_number", TOO_LONG),
    ],
)
def test_a_card_slip_that_is_not_whole(clerk: Counter, fields: dict[str, str], field: str, sentence: str) -> None:
    clerk.ready_to_pay("07700 900112").card_begin().card_slip(**fields)
    assert "The terminal approved it" in clerk.page.plain
    assert clerk.page.status == 422
    assert sentence in at_field(clerk.page, field)
    if field != "slip_number":
        assert typed(clerk.page, "slip_number") == "0017"
    assert clerk.look().status == 200
    clerk.post(f"/sales/{clerk.sale_id}/card/declined", {"payment": clerk.page.hidden("payment")})
    clerk.post(f"/sales/{clerk.sale_id}/void", {})


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"pieces_5000": "two"}, "pieces_5000", "Type how many pieces there are, as a whole number."),
        ({"pieces_5000": "-1"}, "pieces_5000", "Type how many pieces there are, as a whole number."),
        ({"pieces_5000": "1.5"}, "pieces_5000", "Type how many pieces there are, as a whole number."),
        ({"pieces_5000": "9999999"}, "pieces_5000", "Type how many pieces there are, as a whole number."),
        ({"pieces_5000": "2", "card_total": "abc"}, "card_total", NO_AMOUNT),
        ({"pieces_5000": "2", "card_total": "-1"}, "card_total", "An amount here is never negative."),
        ({"pieces_5000": "2", "card_count": "many"}, "card_count", "as a whole number"),
        ({"pieces_5000": "2", "left_in_drawer": "1.234"}, "left_in_drawer", NO_AMOUNT),
        ({"pieces_5000": "2", "reason": "x" * 201}, "", ""),
    ],
)
def test_a_count_that_cannot_be_read(clerk: Counter, fields: dict[str, str], field: str, sentence: str) -> None:
    clerk.get("/shift/close")
    clerk.post("/shift/close", fields)
    assert clerk.page.status == 422
    assert "Close shift 1" in clerk.page.plain
    if not field:
        assert at_top(clerk.page) == TOO_LONG
    else:
        assert sentence in at_field(clerk.page, field)
        assert typed(clerk.page, "pieces_5000") == fields["pieces_5000"]


def test_a_close_without_any_count(clerk: Counter) -> None:
    clerk.get("/shift/close")
    clerk.post("/shift/close", {})
    assert clerk.page.status == 422
    assert "Type how many pieces there are of each; zero counts too. Nothing was closed." in clerk.page.plain


@pytest.mark.parametrize("typed_amount", ["x", "-1", "1.2345", "9" * 14, "1" * 60])
def test_a_float_that_is_none(counter: Counter, typed_amount: str) -> None:
    counter.get("/shift/open")
    counter.post("/shift/open", {"float_amount": typed_amount})
    assert counter.page.status == 422
    assert at_field(counter.page, "float_amount")
    assert typed(counter.page, "float_amount") == typed_amount


# ------------------------------------------------------------------ forms that are out of date


def test_a_sale_that_never_was(clerk: Counter) -> None:
    never = uuid4()
    for path in ("", "/plans", "/cash", "/progress", "/check"):
        assert clerk.get(f"/sales/{never}{path}").status == 404
        assert "There is no such sale in this shop." in at_top(clerk.page)
    for path in (
        "document",
        "plan",
        "cash",
        "card",
        "card/slip",
        "card/declined",
        "card/missing",
        "refund",
        "refund/card",
        "refund/missing",
        "replace",
        "void",
        "interim",
    ):
        clerk.get("/")
        clerk.post(f"/sales/{never}/{path}", {"document_type": "passport", "tendered": "10.00", "plan_id": "1"})
        assert clerk.page.status in (404, 422), path
        assert "There is no such" in clerk.page.plain, path


@pytest.mark.parametrize("address", ["1", "x", "%00", "../etc", "0" * 36, "cfb0dc1c-b0c1-4c2e-9925-14e49da9393", "'--"])
def test_an_address_that_is_no_sale(clerk: Counter, address: str) -> None:
    for path in (f"/sales/{address}", f"/search/{address}"):
        assert clerk.get(path).status == 404
        assert "There is no such page at this counter." in at_top(clerk.page)


@pytest.mark.parametrize(
    "path", ["/receipts/LON1-999999", "/receipts/%00", "/receipts/%E2%80%AE", "/receipts/x.pdf", "/shift/closed/99"]
)
def test_a_paper_that_never_was(clerk: Counter, path: str) -> None:
    assert clerk.get(path).status == 404
    assert "There is no such" in at_top(clerk.page)


@pytest.mark.parametrize("number", ["0", "999999", "9" * 10, "9" * 30, "-1", "x"])
def test_a_slip_that_never_was(clerk: Counter, number: str) -> None:
    for verb in ("came-out", "did-not", "release", "cancel", "elsewhere"):
        clerk.get("/")
        clerk.post(f"/printing/{number}/{verb}", {})
        assert clerk.page.status == 404
    assert clerk.get(f"/shift/closed/{number}").status == 404


def test_the_price_of_an_earlier_page_is_not_charged(clerk: Counter) -> None:
    clerk.ready_to_pay("07700 900113").get(f"/sales/{clerk.sale_id}/cash")
    earlier = clerk.page.hidden("quote")
    clerk.plan("Lyca Data 30 days 10 GB").cash("50.00", quote=earlier)
    assert clerk.page.status == 409
    assert "This page is out of date" in at_top(clerk.page)
    clerk.get(f"/sales/{clerk.sale_id}")
    clerk.post(f"/sales/{clerk.sale_id}/card", {"quote": "x" * 500})
    assert clerk.page.status == 409
    assert "Read it back" in clerk.look().plain


def test_a_sale_that_was_given_up_takes_no_money(clerk: Counter) -> None:
    clerk.ready_to_pay("07700 900114").get(f"/sales/{clerk.sale_id}/cash")
    quote, token = clerk.page.hidden("quote"), clerk.page
    clerk.post(f"/sales/{clerk.sale_id}/void", {})
    clerk.page = token
    clerk.post(f"/sales/{clerk.sale_id}/cash", {"quote": quote, "tendered": "10.00"})
    assert clerk.page.status == 409
    assert "This sale is already finished. Nothing was changed" in at_top(clerk.page)


@pytest.mark.parametrize("plan_id", ["", "0", "999999", "-1", "x", "1" * 12, "١", "1;drop"])
def test_a_plan_nobody_sells(clerk: Counter, plan_id: str) -> None:
    begun(clerk).document()
    clerk.post(f"/sales/{clerk.sale_id}/plan", {"plan_id": plan_id})
    assert clerk.page.status == 409
    assert "This plan is not sold any more. Take no money; choose another plan." in at_top(clerk.page)


def test_paying_before_anything_was_chosen(clerk: Counter) -> None:
    begun(clerk)
    for path, sentence in (("cash", "No plan was chosen yet"), ("card", "No plan was chosen yet"), ("card/slip", "out of date")):
        fields = {"tendered": "10.00", "scheme": "VISA", "last4": "4242", "authorisation": "A1B2C3"}
        clerk.post(f"/sales/{clerk.sale_id}/{path}", fields)
        assert clerk.page.status == 409
        assert sentence in at_top(clerk.page), path


# ------------------------------------------------------------------ card numbers

CARDS = ("4111111111111111", "4111 1111 1111 1111", "4222222222222", "４１１１１１１１１１１１１１１１", "378282246310005")

# (path, its fields as an honest page sends them), for every form of the counter. {sale} is a sale at the step that fits.
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "enrol": ("/enrol", {"code": "LON1-ABCDEFGHJKLM"}),
    "enrol_demo": ("/enrol/demo", {"till_code": "NONE"}),
    "sign_in": ("/sign-in", {"staff_number": "999", "pin": "000000"}),
    "own_pin": ("/pin", {"old_pin": "000000", "pin": "483920", "again": "483921"}),
    "language": ("/language", {"language": "en", "next": "/"}),
    "number": ("/sales/{new}/number", {"entry": "none", "form_sale_id": ""}),
    "another_number": ("/sales/{check}/numbers/{another}", {"entry": "none"}),
    "document": (
        "/sales/{document}/document",
        {
            "mrz": "",
            "document_type": "passport",
            "document_country": "GB",
            "document_number": "533380006",
            "expires_on": "2001-01-01",
            "matches_person": "1",
        },
    ),
    "document_read": ("/sales/{document}/document/read", {"mrz": "P<UTOERIKSSON<<ANNA"}),
    "plan": ("/sales/{plan}/plan", {"plan_id": "0", "override": "1", "reason": "why not"}),
    "cash": ("/sales/{check}/cash", {"quote": "old", "tendered": "10.00", "tendered_note": ""}),
    "card": ("/sales/{check}/card", {"quote": "old"}),
    "slip": (
        "/sales/{card}/card/slip",
        {"quote": "", "scheme": "VISA", "last4": "1", "authorisation": "A1B2C3", "slip_number": "17"},
    ),
    "unknown_slip": (
        "/sales/{unknown}/card/slip",
        {"quote": "", "scheme": "VISA", "last4": "1", "authorisation": "A1B2C3", "slip_number": "17"},
    ),
    "refund": ("/sales/{paid}/refund", {"renewal_id": "", "authorisation": "A1B2C3", "slip_number": "17"}),
    "refund_card": ("/sales/{paid}/refund/card", {"renewal_id": ""}),
    "refund_declined": ("/sales/{paid}/refund/declined", {"renewal_id": ""}),
    "refund_no_result": ("/sales/{paid}/refund/no-result", {"renewal_id": ""}),
    "refund_missing": ("/sales/{paid}/refund/missing", {"renewal_id": ""}),
    "refund_in_cash": ("/sales/{paid}/refund/in-cash", {"renewal_id": "", "reason": "why not"}),
    "replace": ("/sales/{paid}/replace", {"renewal_id": "", "entry": "", "plan_id": "0", "agreed": "1"}),
    "verdict": ("/verdicts/{new}", {"says": "confirmed", "evidence": "mail", "reference": "none", "provider_ref": ""}),
    "search": ("/search", {"query": "nobody"}),
    "shift_open": ("/shift/open", {"float_amount": "x", "pieces_5000": ""}),
    "shift_close": (
        "/shift/close",
        {
            "pieces_5000": "x",
            "card_terminal": "T1",
            "card_batch": "7",
            "card_total": "0",
            "card_count": "0",
            "left_in_drawer": "0",
            "code": "",
            "reason": "none",
            "approver": "",
            "approver_pin": "",
            "goes_on": "",
        },
    ),
    "money_in": (
        "/shift/drawer/in",
        {"press": "", "amount": "x", "pieces_5000": "", "code": "change", "reason": "none", "approver": "", "approver_pin": ""},
    ),
    "no_sale": ("/shift/no-sale", {"press": "", "code": "check", "reason": "", "approver": "", "approver_pin": ""}),
    "count": ("/shift/count", {"pieces_5000": "x"}),
    "handover": ("/shift/handover", {"pieces_5000": "x", "taker": "", "approver_pin": ""}),
    "approve": ("/shifts/1/approve", {"reason": ""}),
    "not_counted": ("/shifts/1/not-counted", {"reason": ""}),
}


# These a manager sends from the next till: a clerk is turned away at the door before any field is read, and the many wrong
# PINs of this module have locked his till.
OF_A_MANAGER = {"refund_in_cash", "verdict", "approve", "not_counted"}


@pytest.fixture
def steps(day: Day, engine: Engine, shared: Counter) -> dict[str, str]:
    """A sale at each step, by its name in FORMS."""
    return day.once(engine, "steps", lambda _folder: sales_at_each_step(shared))


def sales_at_each_step(shared: Counter) -> dict[str, str]:
    found = {"new": str(uuid4()), "another": str(uuid4())}
    found["document"] = shared.number("07700 900120").sale_id
    found["plan"] = shared.number("07700 900121").document().sale_id
    found["check"] = shared.ready_to_pay("07700 900122").sale_id
    found["card"] = shared.ready_to_pay("07700 900123").card_begin().sale_id
    found["unknown"] = shared.ready_to_pay("07700 900124").card_begin().sale_id
    shared.post(f"/sales/{found['unknown']}/card/no-result", {})
    found["paid"] = shared.ready_to_pay("07700 900125").cash("10.00").sale_id
    assert "Card payment unclear" in shared.get(f"/sales/{found['unknown']}").plain
    assert "Paid" in shared.get(f"/sales/{found['paid']}").plain
    return found


def test_every_form_of_the_url_map_is_tried(shared: Counter) -> None:
    """A new form must be added to FORMS; what has no field of its own is listed here."""
    without_fields = {
        "sign_in.sign_out",
        "counter.void",
        "counter.interim",
        "counter.card_declined",
        "counter.card_no_result",
        "counter.card_missing",
        "receipts.reprint",
        "printing.came_out",
        "printing.did_not",
        "printing.release",
        "printing.cancel",
        "printing.test",
        "printing.test_of",
        "printing.elsewhere",
        # Tried in tests/web/test_printers.py, by a manager.
        "printing.add_printer",
        "printing.set_printer",
        "printing.choose",
        # Tried in tests/web/test_receipts.py, where there is a mail server.
        "receipts.mail",
        "counter.drop_number",
        "verdicts.agree",
        "verdicts.refuse",
        "verdicts.lift",
        "hooks.hear",
        # Tried in tests/web/test_carriers_and_prices.py, by those who may.
        "carriers.ask",
        "carriers.low_water",
        "carriers.explain",
        "prices.price",
        "prices.ceiling",
        "prices.add_rule",
        "prices.drop_rule",
        # Tried in tests/web/test_tills.py, by those who may.
        "tills.add",
        "tills.code",
        "tills.revoke",
        # Tried in tests/web/test_people.py, by those who may.
        "people.hire",
        "people.change",
        "people.suspend",
        "people.reinstate",
        "people.give_pin",
        "people.unlock",
        # Tried in tests/web/test_reconciliation.py, by a manager.
        "reconciliation.compare",
        "reconciliation.import_file",
        "reconciliation.decide",
        "reconciliation.take",
        "reconciliation.later",
        # Tried in tests/web/test_reports.py, by those who may.
        "reports.close",
        "reports.copy",
        "disputes.find_post",
        # Tried in tests/web/test_audit.py, by those who may.
        "audit.find",
        "audit.export",
        # Tried in tests/services/test_codes.py: their one field is a word of the page itself, or the reason.
        *(
            endpoint
            for endpoint in shared.app.view_functions
            if shared.app.view_functions[endpoint].__module__ == "pos.web.codes"
        ),
    }
    rules = [rule for rule in shared.app.url_map.iter_rules() if not rule.endpoint.startswith("api.")]
    posts = {rule.endpoint: rule.rule for rule in rules if "POST" in (rule.methods or ())}
    names = {"/sales/": "sale_id", "/numbers/": "number_id", "/verdicts/": "renewal_id"}
    tried = {re.sub(r"(/\w+/)\{\w+\}", lambda at: f"{at[1]}<uuid:{names[at[1]]}>", path) for path, _ in FORMS.values()}
    chosen = {"/shift/drawer/in": "/shift/drawer/<any('in', 'out', safe):path>"}
    chosen |= {f"/shifts/1/{what}": f"/shifts/<int(max=2147483647):shift_id>/{what}" for what in ("approve", "not-counted")}
    tried = {chosen.get(path, path) for path in tried}
    assert {rule for endpoint, rule in posts.items() if endpoint not in without_fields} == tried


@cache
def manager_of(app: Flask) -> Counter:
    return Counter(app, till="LON2", staff="201")


def send(clerk: Counter, steps: dict[str, str], form: str, changed: Mapping[str, str | bytes]) -> tuple[int, str, str]:
    """(status, body, address of a redirect) of a form with some fields changed; redirects are not followed."""
    path, fields = FORMS[form]
    if form in OF_A_MANAGER:
        clerk = manager_of(clerk.app)
    token = clerk.page.hidden("csrf_token")
    answer = clerk.client.post(path.format(**steps), data={"csrf_token": token, **fields, **changed})
    return answer.status_code, answer.get_data(as_text=True), answer.location or ""


@pytest.mark.sampled(3)
@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("language", "enrol_demo")])
def test_a_card_number_is_refused_in_every_field_and_kept_nowhere(
    clerk: Counter, day: Day, engine: Engine, steps: dict[str, str], form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    clerk.get("/")
    for field in FORMS[form][1]:
        for card in CARDS:
            status, body, address = send(clerk, steps, form, {field: card})
            # A field that the step does not read (a quote, a tick, a choice of a list) may let the rest be judged first.
            assert status in (400, 409, 422, 200, 302), (field, card, status)
            for spelling in {card, card.replace(" ", ""), "4111111111111111", f"{int(card.replace(' ', '')):,}"}:
                assert spelling not in body + address, f"{form}.{field} shows a card number again"
    assert_nothing_of_a_card(day.place[engine.name], "".join(capfd.readouterr()))


def assert_nothing_of_a_card(place: Path, log: str) -> None:
    raw = everything_in(place)
    assert b"LON1" in raw, "nothing was read at all"
    for card in CARDS:
        for spelling in (card, card.replace(" ", ""), "4111111111111111"):
            assert spelling.encode() not in raw, "a card number stands in the files of the database"
            assert spelling not in log, "a card number stands in the log"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ("number", "entry"),
        ("document", "document_number"),
        ("document", "document_country"),
        ("cash", "tendered"),
        ("slip", "authorisation"),
        ("slip", "slip_number"),
        ("search", "query"),
        ("shift_close", "card_total"),
        ("shift_close", "left_in_drawer"),
    ],
)
def test_a_card_number_is_called_one_where_it_was_typed(clerk: Counter, steps: dict[str, str], form: str, field: str) -> None:
    clerk.get("/")
    path, fields = FORMS[form]
    clerk.post(path.format(**steps), {**fields, field: "4222222222222"})
    assert clerk.page.status == 422
    assert at_field(clerk.page, field) in (CARD, TOO_LONG)
    assert typed(clerk.page, field) == ""
    others = [name for name in fields if name != field and f'id="{name}"' in clerk.page.text and fields[name]]
    for name in others:
        if re.search(rf'<input[^>]*id="{name}"', clerk.page.text) and name != "matches_person":
            assert typed(clerk.page, name) == fields[name], f"what stood in {name} is gone"


def test_a_scan_of_a_card_is_not_shown_again(clerk: Counter, steps: dict[str, str]) -> None:
    clerk.get("/")
    clerk.post(f"/sales/{steps['document']}/document", {**FORMS["document"][1], "mrz": "4111111111111111"})
    assert clerk.page.status == 422
    assert "4111111111111111" not in clerk.page.text
    assert at_field(clerk.page, "mrz")


def test_a_card_number_in_the_filters_is_not_shown_again(clerk: Counter, steps: dict[str, str]) -> None:
    for name in ("budget", "line", "need"):
        page = clerk.get(f"/sales/{steps['plan']}/plans?{name}=4111111111111111")
        assert page.status == 200
        assert "4111111111111111" not in page.text


# ------------------------------------------------------------------ everything else, everywhere

NASTY = (
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e309",
    "NaN",
    "9" * 9,
    "9" * 15,
    "9" * 16,
    "9" * 19,
    "9" * 40,
    "9" * 400,
    "A" * 200,
    "A" * 5000,
    "\x00",
    "a\x00b",
    "\x1b@\x1bp\x00\x19\xfa",
    "\r\nSet-Cookie: a=b",
    "\u202e\u2066abc\u2069",
    "\ufeff\u200b\u200d",
    "\ud83d",
    "😀👩‍👩‍👧‍👦🇭🇰",
    "Z͑ͫ̓̀a̷l̶g̸o",
    "ﬁ㍿ⅷ①",
    "１２３４５６",
    "١٢٣٤٥٦",
    "ß" * 30,
    "İ" * 30,
    "電話" * 15,
    "'; DROP TABLE sales; --",
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}",
    "%s%n{0}{amount}",
    "{due} {missing}",
    "../../etc/passwd",
    "C:\\CON",
    "http://evil.example/",
    "P<UTO" + "<" * 39,
    "1/1/2031",
    "0001-01-01",
    "9999-12-31",
    "true",
    "[1]",
)


# What has broken programs most often; each goes into each field alone, with everything else as it should be.
WORST = (
    "\x00",
    "\x1b@\x1bp\x00\x19\xfa",
    "\ud83d",
    "😀👩‍👩‍👧‍👦🇭🇰",
    "\u202e\u2066abc\u2069",
    "9" * 15,
    "9" * 40,
    "٢٠",
    "A" * 5000,
    "",
)


def check_answer(status: int, body: str, address: str, told: object) -> None:
    assert status in (200, 302, 400, 404, 409, 413, 422), (status, told)
    assert "<script>alert(1)" not in body, told
    assert not re.search("[\x00\x1b\u202e\u2066]", body), told
    assert address == "" or re.fullmatch(r"/[!-~]*", address), (address, told)
    assert ">49<" not in body, told


@pytest.mark.sampled(3)
@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_can_be_typed_breaks_a_page(clerk: Counter, steps: dict[str, str], form: str) -> None:
    """Every value in every field: all fields at once, each with another value, so that each pair of neighbours meets."""
    clerk.get("/")
    fields = list(FORMS[form][1])
    for shift in range(len(NASTY)):
        changed = {field: as_bytes(NASTY[(shift + 7 * place) % len(NASTY)]) for place, field in enumerate(fields)}
        check_answer(*send(clerk, steps, form, changed), changed)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("form", FORMS)
def test_no_single_field_breaks_a_page(clerk: Counter, steps: dict[str, str], form: str) -> None:
    clerk.get("/")
    for field in FORMS[form][1]:
        for nasty in WORST:
            check_answer(*send(clerk, steps, form, {field: as_bytes(nasty)}), (field, nasty[:40]))


def as_bytes(text: str) -> bytes:
    """As a broken browser would send it: half of a pair of surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def test_missing_fields_break_no_page(clerk: Counter, steps: dict[str, str]) -> None:
    clerk.get("/")
    token = clerk.page.hidden("csrf_token")
    for path, fields in FORMS.values():
        for left_out in (*fields, None):
            rest = {} if left_out is None else {name: value for name, value in fields.items() if name != left_out}
            answer = clerk.client.post(path.format(**steps), data={"csrf_token": token, **rest})
            assert answer.status_code < 500, (path, left_out)


@pytest.mark.parametrize("name", ["line", "need", "budget"])
def test_filters_take_anything(clerk: Counter, steps: dict[str, str], name: str) -> None:
    for nasty in NASTY:
        answer = clerk.client.get(f"/sales/{steps['plan']}/plans", query_string={name: as_bytes(nasty)})
        assert answer.status_code == 200, nasty
        assert "<script>alert(1)" not in answer.get_data(as_text=True)


def test_a_field_of_five_megabytes(clerk: Counter, steps: dict[str, str]) -> None:
    token = clerk.page.hidden("csrf_token")
    for path, fields in FORMS.values():
        field = next(iter(fields))
        answer = clerk.client.post(path.format(**steps), data={"csrf_token": token, **fields, field: "x" * 5_000_000})
        assert answer.status_code == 413, path
        assert "What was sent is far too large. Nothing was booked." in answer.get_data(as_text=True)
        assert len(answer.get_data()) < 50_000


def test_bodies_that_are_no_forms(clerk: Counter) -> None:
    for kind, body in (
        ("application/json", b'{"query": "x"}'),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00&=&&;"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"+ADw-"),
        ("text/xml", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"),
    ):
        answer = clerk.client.post("/search", data=body, content_type=kind)
        assert answer.status_code == 400, kind
    many = "&".join(f"f{number}=x" for number in range(5000))
    answer = clerk.client.post("/search", data=many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (400, 413)


def test_the_books_are_still_true(clerk: Counter, steps: dict[str, str]) -> None:
    """After all of the above, whatever its order."""
    assert clerk.verify() == []


# ------------------------------------------------------------------ what is switched off


def test_the_carrier_is_off(counter: Counter, sandbox: SandboxServer) -> None:
    counter.open_shift().get("/")
    sandbox.stop()
    fields = {"csrf_token": counter.page.hidden("csrf_token"), "entry": "07700 900123"}
    answer = counter.client.post(f"/sales/{uuid4()}/number", data=fields)
    page = Page(answer, answer.get_data(as_text=True))
    assert page.status == 503
    assert "The carrier does not answer. Take no money for a renewal now" in at_field(page, "entry")
    assert typed(page, "entry") == "07700 900123"
    sandbox.start()
    assert counter.number().page.status == 200


def test_the_carrier_goes_off_after_paying(counter: Counter, sandbox: SandboxServer) -> None:
    counter.open_shift().ready_to_pay()
    sandbox.stop()
    counter.cash("10.00")
    assert "Paid" in counter.page.plain
    counter.work(most=3)
    page = counter.look()
    assert page.status == 200
    assert "Paid · being confirmed" in page.plain
    assert sandbox.carrier.books.debits() == []
    sandbox.start()
    assert counter.verify() == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_printer_is_off(counter: Counter, app: Flask) -> None:
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    with app.app_context():
        kit = counter.kit
        printers.point("LON1", {"address": "127.0.0.1", "port": free_port(), "dots": 576, "columns": 48}, kit=kit)
        printer = next(iter(print_jobs.printers_due(kit=kit)))
        sheet = print_jobs.take_next(printer, "test#1", kit=kit)
        assert sheet is not None
        sheet.settings.update(port=free_port())
        result, reason, near_end = press(sheet, lambda: True)
        print_jobs.record(sheet, result, reason, near_end, kit=kit)
    assert result == "not_ready"
    page = counter.look()
    assert page.status == 200 and "LON1-000001" in page.plain
    assert counter.get("/printing").status == 200
    assert counter.verify() == []
