"""The document's page: what it says while lines are scanned, offers that are only taken when pressed, and a manager beside the clerk."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from pos.app import DEMO_PINS
from pos.domain.documents import DocumentPolicy, DocumentType
from pos.domain.identity_rules import DOCUMENTS, Allowance, IdentityRules, Rulebook
from pos.sandbox.server import SandboxServer
from pos.services import identity_checks, set_aside
from pos.store.db import reading
from tests.conftest import StandingClock
from tests.counter import Counter
from tests.journeys.browser import passport
from tests.services.shop import Shop

LINES = "\n".join(passport())


def follow(counter: Counter, **rules: object) -> None:
    kit = counter.kit
    counter.app.extensions["simcounter"] = replace(kit, rulebook=Rulebook(IdentityRules(**rules)))  # type: ignore[arg-type]


@pytest.fixture
def at_document(counter: Counter) -> Counter:
    counter.open_shift().number()
    assert "Check the document" in counter.page.plain
    return counter


def read(counter: Counter, lines: str) -> str:
    token = counter.page.hidden("csrf_token")
    path = f"/sales/{counter.sale_id}/document/read"
    answer = counter.client.post(path, data={"csrf_token": token, "mrz": lines})
    assert answer.status_code == 200 and "<html" not in answer.text
    return " ".join(answer.text.split())


def test_lines_are_judged_beside_the_field_and_nothing_is_written(at_document: Counter) -> None:
    said = read(at_document, LINES)
    assert "The document reads right" in said and "Passport, India" in said and "31 years" in said and "2031-05-01" in said
    assert "1995" not in said and "Z1234563" not in said and "PRIYA" not in said
    assert read(at_document, "") == read(at_document, passport()[0]) == ""
    expired = read(at_document, "\n".join(passport(expires=date(2026, 11, 20))))
    assert "Reads right, but cannot be used here" in expired and "it has expired" in expired
    assert "it expires soon" in read(at_document, "\n".join(passport(expires=date(2026, 12, 1))))


def test_each_wrong_field_is_named_with_its_offer(at_document: Counter) -> None:
    wrong = LINES.replace("950130", "95O130").replace("310501", "3I0501")
    said = read(at_document, wrong)
    assert "the birth date" in said and "the expiry date" in said and "line 2, signs 14 to 20" in said
    assert said.count('name="accept"') == 2
    at_document.post(f"/sales/{at_document.sale_id}/document", {"mrz": wrong, "accept": "0", "matches_person": "1"})
    assert at_document.page.status == 200 and "9501304" in at_document.page.text and "3I0501" in at_document.page.text
    assert "the birth date" not in at_document.page.plain
    for nonsense in ("7", "x", "-1"):
        at_document.post(f"/sales/{at_document.sale_id}/document", {"mrz": wrong, "accept": nonsense})
        assert "95O130" in at_document.page.text, "nothing is taken that was not offered"


def test_sent_lines_that_do_not_read_right_show_the_same(at_document: Counter) -> None:
    at_document.post(f"/sales/{at_document.sale_id}/document", {"mrz": LINES.replace("950130", "95O130"), "matches_person": "1"})
    assert at_document.page.status == 422
    assert "does not read right: the birth date" in at_document.page.plain and 'name="accept"' in at_document.page.text


def test_a_manager_agrees_beside_the_clerk(at_document: Counter) -> None:
    follow(at_document, typed=Allowance.APPROVAL)
    at_document.document()
    assert at_document.page.status == 409
    assert "A manager has to agree: the document was typed, not scanned." in at_document.page.plain
    assert 'value="533380006"' in at_document.page.text, "what was typed stays"
    assert "Priya Nair" in at_document.page.plain and "Amelia Ward</option>" not in at_document.page.text
    at_document.document(approve="1", approver="201", approver_pin="000000", reason="worn out")
    assert at_document.page.status == 422 and "give no right to agree" in at_document.page.plain
    assert "000000" not in at_document.page.text and 'value="worn out"' in at_document.page.text
    at_document.document(approve="1", approver="201", approver_pin=DEMO_PINS["201"], reason="")
    assert "Say why." in at_document.page.plain
    at_document.document(approve="1", approver="201", approver_pin=DEMO_PINS["201"], reason="worn out")
    assert at_document.page.status == 200 and "Choose a plan" in at_document.page.plain
    at_document.plan().look()
    assert "checked by Amelia Ward. Priya Nair agreed." in at_document.page.plain


def test_a_manager_who_serves_gives_a_reason_alone(counter: Counter) -> None:
    counter.sign_in("201")
    counter.open_shift().number()
    follow(counter, typed=Allowance.APPROVAL)
    counter.document()
    assert 'id="reason"' in counter.page.text and 'id="approver_pin"' not in counter.page.text
    counter.document(approve="1", reason="worn out")
    assert counter.page.status == 200 and "Choose a plan" in counter.page.plain


def test_a_clerk_without_a_managers_pin_gets_nowhere(at_document: Counter) -> None:
    follow(at_document, typed=Allowance.APPROVAL)
    for fields in (
        {"approve": "1", "reason": "x"},
        {"approve": "1", "reason": "x", "approver": "101", "approver_pin": DEMO_PINS["101"]},
    ):
        at_document.document(**fields)
        assert at_document.page.status == 422, "a clerk does not agree to what a clerk did"


def test_without_a_document_only_where_the_rules_let_it(at_document: Counter) -> None:
    assert "Go on without a document" not in at_document.page.plain
    at_document.document(skip="1")
    assert at_document.page.status == 409 and "nobody renews without a document" in at_document.page.plain
    follow(at_document, skipped=Allowance.APPROVAL)
    at_document.look()
    assert "Go on without a document" in at_document.page.plain
    at_document.document(skip="1", approve="1", approver="201", approver_pin=DEMO_PINS["201"], reason="known for years")
    at_document.plan().look()
    assert "No document was shown; Priya Nair agreed to that." in at_document.page.plain


def test_a_friends_number_is_said_on_the_read_back(at_document: Counter) -> None:
    at_document.document(whose="other")
    at_document.plan().look()
    assert "The customer pays for another person's number." in at_document.page.plain
    assert "another owner on record" not in at_document.page.plain


def test_a_shop_that_asks_for_an_age_asks_for_the_birth_date(at_document: Counter) -> None:
    follow(at_document, documents=replace(DOCUMENTS, youngest=18))
    at_document.look()
    assert 'id="birth_date"' in at_document.page.text
    at_document.document()
    assert "the birth date is missing" in at_document.page.plain
    at_document.document(birth_date="2010-01-01")
    assert "too young" in at_document.page.plain
    at_document.document(birth_date="2000-01-01")
    assert "Choose a plan" in at_document.page.plain


def test_a_store_with_other_documents(at_document: Counter) -> None:
    follow(at_document, documents=DocumentPolicy(otherwise=frozenset({DocumentType.NATIONAL_ID})))
    at_document.document()
    assert at_document.page.status == 422 and "does not accept this kind" in at_document.page.plain


# ------------------------------------------------------------------ the one field


def test_the_clerk_says_what_an_entry_is(counter: Counter) -> None:
    counter.open_shift()
    counter.number("1234")
    assert 'name="kind"' in counter.page.text
    counter.post(f"/sales/{counter.sale_id}/number", {"entry": "8944123456789012349", "kind": "sim"})
    assert "The check digit of this SIM number is wrong" in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/number", {"entry": "07700 900123", "kind": "phone"})
    assert "Check the document" in counter.page.plain


def test_a_document_in_the_number_field_is_judged_and_forgotten(counter: Counter) -> None:
    counter.open_shift().number(LINES)
    assert "This document reads right and can be used here." in counter.page.plain
    assert "Z1234563" not in counter.page.text
    counter.number("\n".join(passport(expires=date(2020, 1, 1))))
    assert "this one cannot be used here." in counter.page.plain
    counter.number(passport()[0])
    assert "the document is scanned on the next page" in counter.page.plain


def test_a_barred_sim_stops_at_the_number(counter: Counter) -> None:
    counter.open_shift().number("07700 900543")
    assert counter.page.status == 422 and "The carrier has barred this SIM. Take no money" in counter.page.plain


# ------------------------------------------------------------------ a document before the number


def first(counter: Counter, lines: str = LINES) -> str:
    """Scan a document into the field for numbers; the word that waits on the page."""
    counter.number(lines)
    return counter.page.hidden("waiting")


def number_with(counter: Counter, word: str, entry: str = "07700 900123") -> Counter:
    counter.post(f"/sales/{counter.sale_id}/number", {"entry": entry, "waiting": word})
    return counter


def test_a_document_that_came_first_is_not_scanned_again(counter: Counter) -> None:
    word = first(counter.open_shift())
    number_with(counter, word)
    page = counter.page
    assert page.status == 200 and "The document reads right" in page.plain and "31 years" in page.plain
    assert not [secret for secret in ("Z1234563", "SHARMA", "950130", "1995") if secret in page.text]
    counter.post(f"/sales/{counter.sale_id}/document", {"waiting": page.hidden("waiting")})
    assert "Tick that the person matches" in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/document", {"waiting": counter.page.hidden("waiting"), "matches_person": "1"})
    assert "Choose a plan" in counter.page.plain
    assert checks(counter) == [("passport", "IN", "scanned", "563")]


def checks(counter: Counter) -> list[tuple[object, ...]]:
    with counter.app.app_context(), reading() as session:
        found = session.execute(text("select type, country, how, last3 from identity_checks"))
        return [tuple(row) for row in found]


def test_it_waits_through_a_number_that_was_mistyped(counter: Counter) -> None:
    word = first(counter.open_shift())
    number_with(counter, word, "0770")
    assert counter.page.status == 422 and counter.page.hidden("waiting") == word
    number_with(counter, counter.page.hidden("waiting"))
    assert "The document reads right" in counter.page.plain


def test_what_is_scanned_or_typed_later_counts(counter: Counter) -> None:
    number_with(counter, first(counter.open_shift()))
    word, other = counter.page.hidden("waiting"), "\n".join(passport(number="K7654321A"))
    counter.post(f"/sales/{counter.sale_id}/document", {"waiting": word, "mrz": other, "matches_person": "1"})
    assert checks(counter) == [("passport", "IN", "scanned", "21A")]


def test_a_second_document_takes_the_place_of_the_first(counter: Counter) -> None:
    first(counter.open_shift())
    counter.number("\n".join(passport(expires=date(2020, 1, 1))))
    assert "this one cannot be used here." in counter.page.plain and 'name="waiting"' not in counter.page.text


@pytest.mark.parametrize("how", ["late", "other sale", "other till", "changed", "nonsense"])
def test_a_word_that_is_not_this_customers_opens_nothing(
    counter: Counter, sandbox: SandboxServer, clock: StandingClock, how: str
) -> None:
    word, shop = first(counter.open_shift()), Shop(counter.app, sandbox, clock)
    if how.startswith("other"):
        desk = shop.desk("HKG1", "301") if how == "other till" else shop.desk()
        seen = identity_checks.read_lines(LINES, date(2026, 11, 21))
        with counter.app.app_context():
            sale_id = counter.sale_id if how == "other till" else str(uuid4())
            word = set_aside.set_aside(seen, sale_id, desk, kit=counter.kit)
    elif how == "late":
        clock.moment += timedelta(minutes=6)
        counter.get("/")  # somebody is at the till all the time
        clock.moment += timedelta(minutes=4, seconds=1)
    else:
        word = "nonsense" if how == "nonsense" else word[:-6] + ("AAAAAA" if word[-6:] != "AAAAAA" else "BBBBBB")
    number_with(counter, word)
    assert "scanned too long ago, or for another customer" in counter.page.plain
    assert 'name="waiting"' not in counter.page.text and "31 years" not in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/document", {"waiting": word, "matches_person": "1"})
    assert counter.page.status == 422 and "scanned too long ago" in counter.page.plain
    assert checks(counter) == []
