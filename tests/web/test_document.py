"""The document's page: what it says while lines are scanned, offers that are only taken when pressed, and a manager beside the clerk."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pos.app import DEMO_PINS
from pos.domain.documents import DocumentPolicy, DocumentType
from pos.domain.identity_rules import DOCUMENTS, Allowance, IdentityRules, Rulebook
from tests.counter import Counter
from tests.journeys.browser import passport

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
