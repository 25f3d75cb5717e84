"""A wedge scanner in front of a real browser: passport, identity card, licence, SIM, receipt; the focus is where it types, and a
hand can do the same."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pos.app import DEMO_PINS
from pos.domain.identity_rules import Allowance, IdentityRules, Rulebook
from tests.domain.test_aamva import SPECIMEN
from tests.journeys.browser import NARROW, SCANNER_MS, WIDE, Till, _digit, passport
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop, wait_until

pytestmark = pytest.mark.browser

# A folder for pictures of what these journeys see, for eyes; nothing is written without it.
PICTURES = os.environ.get("POS_PICTURES")


def picture(till: Till, name: str) -> None:
    if PICTURES:
        for size in (WIDE, NARROW):
            till.page.set_viewport_size(size)
            till.page.screenshot(path=Path(PICTURES) / f"{name}-{till.language}-{size['width']}.png")


def burst(till: Till, lines: list[str], ending: bool = True) -> None:
    """What a scanner does: every sign within milliseconds, Enter behind each line, wherever the focus is."""
    for place, line in enumerate(lines):
        till.page.keyboard.type(line, delay=SCANNER_MS)
        if ending or place < len(lines) - 1:
            till.page.keyboard.press("Enter")


def card() -> list[str]:
    """The three lines of an identity card (TD1), with digits of their own making."""
    number, born, ends = "D23145890", "740812", "310415"
    first = f"I<FRA{number}{_digit(number)}".ljust(30, "<")
    dated = f"{born}{_digit(born)}F{ends}{_digit(ends)}FRA".ljust(29, "<")
    whole = first[5:] + dated[:7] + dated[8:15] + dated[18:29]
    return [first, dated + _digit(whole), "ERIKSSON<<ANNA<MARIA".ljust(30, "<")]


def go_on(till: Till) -> None:
    till.page.wait_for_selector("#matches_person:focus")
    till.press("Space")
    till.page.click("main form:has(#mrz) button.primary[type=submit]")
    till.page.wait_for_selector(".plans")


def test_a_passport_reads_right_while_the_clerk_looks_at_the_face(till: Till, shop: LiveShop) -> None:
    till.screen("entry")
    burst(till, ["07700900123"])
    till.page.wait_for_selector("#mrz:focus")
    till.screen("mrz")
    burst(till, passport())
    scanned = time.monotonic()
    till.page.wait_for_selector(".reading.tone-done")
    waited = time.monotonic() - scanned
    assert waited < 1.0, f"{waited:.2f} s from the last sign to the verdict"
    assert "The document reads right" in till.text and "31 years" in till.text and "India" in till.text
    picture(till, "right")
    assert till.screen().focused() == "matches_person"
    go_on(till)
    till.plan().screen()
    picture(till, "check")
    assert "Document number matches" in till.text and "Birth date matches" in till.text


def test_an_identity_card_and_a_licence_are_scanned_in_the_same_place(till: Till, shop: LiveShop) -> None:
    till.number()
    burst(till, card())
    till.page.wait_for_selector(".reading.tone-done")
    assert "Identity card, France" in till.text
    till.page.wait_for_selector("#matches_person:focus")
    # The wrong document: the field is one key away, and what is scanned there replaces what stood there.
    till.press("F3")
    assert till.focused() == "mrz"
    burst(till, SPECIMEN.replace("12102024", "12102030").replace("\x1e", "").replace("\r", "\n").split("\n"))
    till.page.wait_for_selector(".reading:has-text('Driving licence')")
    assert "United States" in till.text and "40 years" in till.text
    go_on(till)


def test_a_wrong_sign_is_marked_and_put_right_only_by_a_press(till: Till, shop: LiveShop) -> None:
    first, second = passport()
    till.number()
    burst(till, [first, second.replace("950130", "95O130", 1)])
    till.page.wait_for_selector(".reading.tone-refund")
    assert "the birth date line 2, signs 14 to 20" in till.text.lower()
    picture(till, "wrong")
    till.screen()
    till.page.wait_for_selector("#mrz:focus")
    # Enter in the field of the photo must not take the offer.
    till.page.focus("#matches_person")
    till.press("Enter")
    till.page.wait_for_load_state("load")
    assert "95O130" in till.page.input_value("#mrz")
    till.page.click("button[name=accept]")
    till.page.wait_for_selector(".reading.tone-done")
    assert "95O130" not in till.page.input_value("#mrz")
    assert not till.page.is_checked("#matches_person"), "whoever corrected lines looks at the face again"
    till.page.check("#matches_person")
    till.page.click("main form:has(#mrz) button.primary[type=submit]")
    till.page.wait_for_selector(".plans")


def test_a_sim_and_a_receipt_are_scanned_into_the_one_field(till: Till, shop: LiveShop) -> None:
    till.ready_to_pay().cash(800)
    till.expect("Paid. The plan is active.").screen("next")
    receipt = re.findall(r"LON1-\d{6}", till.text)[0]
    iccid = sim_of(shop, "+447700900124")
    till.next_customer().screen("entry")
    burst(till, [receipt])
    till.page.wait_for_url("**/search/**")
    assert receipt in till.text
    till.press("F2")
    till.page.wait_for_selector("#entry:focus")
    burst(till, [iccid])
    till.page.wait_for_selector("#mrz:focus")
    assert "SIM number" in till.text and "United Kingdom" in till.text
    picture(till, "sim")


def sim_of(shop: LiveShop, number: str) -> str:
    who = shop.carrier.carrier.books.subscriber(number)
    assert who is not None
    return who.iccid


def test_a_document_before_the_number_waits_for_it(till: Till, shop: LiveShop) -> None:
    """Line by line, each with its Enter: the first one must not send it off. Then the number, and nothing is scanned again."""
    till.screen("entry")
    burst(till, passport())
    till.page.wait_for_selector(".notice")
    assert "This document reads right and can be used here. Type or scan the number" in till.text
    assert till.page.input_value("#entry") == "" and till.focused() == "entry"
    assert "Passport, India: waits for the number." in till.text
    assert not [word for word in ("Z1234563", "SHARMA", "950130", "1995-01-30") if word in till.page.content()]
    picture(till, "first")
    till.screen("entry")
    burst(till, [sim_of(shop, "+447700900123")])
    till.page.wait_for_selector("#matches_person:focus")
    assert "The document reads right" in till.text and "31 years" in till.text and "SIM number" in till.text
    assert till.page.input_value("#mrz") == ""
    picture(till, "waited")
    till.screen("matches_person")
    go_on(till)
    till.plan().screen()
    assert "Passport IN ending in 563 checked" in till.text


def test_another_document_may_be_scanned_after_the_one_that_waited(till: Till, shop: LiveShop) -> None:
    till.screen("entry")
    burst(till, passport())
    till.page.wait_for_selector("#waiting")
    burst(till, ["07700900123"])
    till.page.wait_for_selector("#matches_person:focus")
    till.press("F3")
    burst(till, card())
    till.page.wait_for_selector(".reading:has-text('Identity card')")
    go_on(till)
    till.plan()
    assert "Identity card FR ending in 890 checked" in till.text


def test_a_document_of_no_use_does_not_wait(till: Till, shop: LiveShop) -> None:
    till.screen("entry")
    burst(till, SPECIMEN.replace("\x1e", "").replace("\r", "\n").split("\n"))
    wait_until(lambda: till.page.input_value("#entry") == "", "the barcode was sent")
    assert "this one cannot be used here" in till.text or "Type the phone number first" in till.text


def test_everything_can_be_typed_by_hand(till: Till, shop: LiveShop) -> None:
    till.screen("entry").type("07700 900123").press("Enter")
    till.page.wait_for_selector("#mrz:focus")
    till.press("Tab", "Enter")
    till.page.wait_for_selector("#document_type:visible")
    till.press("Tab", "Tab").press("Tab").type("533380006")
    assert till.focused() == "document_number"
    till.page.fill("#expires_on", "2031-05-01")
    till.page.check("#matches_person")
    till.page.focus("#document_number")
    till.press("Enter")
    till.page.wait_for_selector(".plans")
    till.plan()
    assert "Document number differs" in till.text
    picture(till, "differs")


def test_what_was_misunderstood_is_taken_as_the_clerk_says(till: Till, shop: LiveShop) -> None:
    till.screen("entry").type("7700 9001").press("Enter")
    till.page.wait_for_selector("button[name=kind]")
    picture(till, "take-as")
    till.screen("entry")
    till.page.fill("#entry", "LON1-000001")
    till.page.click("button[name=kind][value=phone]")
    till.page.wait_for_selector("#entry-says.field-error")
    assert "is not a complete mobile number" in till.text


@pytest.mark.parametrize("locale", ["zh-CN"])
def test_the_same_in_chinese(open_till: OpenTill, shop: LiveShop, locale: str) -> None:
    till = open_till(locale=locale, size=NARROW).enrol("LON1").sign_in("101").open_shift()
    till.page.click("details.language summary")
    till.page.click("button[name=language][value=zh_Hans]")
    till.page.wait_for_selector("html[lang=zh-Hans] #entry")
    first, second = passport()
    till.number()
    burst(till, [first, second.replace("950130", "95O130", 1)])
    till.page.wait_for_selector(".reading.tone-refund")
    picture(till, "wrong")
    # Scanned again at once: what stood there is replaced.
    till.page.wait_for_selector("#mrz:focus")
    burst(till, passport())
    till.page.wait_for_selector(".reading.tone-done")
    picture(till, "right")
    go_on(till)
    till.page.click(".plans button")
    till.page.wait_for_selector(".read-back")
    picture(till, "check")


def test_a_manager_agrees_on_the_clerks_page(till: Till, shop: LiveShop) -> None:
    rules = IdentityRules(typed=Allowance.APPROVAL, skipped=Allowance.APPROVAL)
    shop.app.extensions["simcounter"] = replace(shop.kit, rulebook=Rulebook(rules))
    till.number()
    picture(till, "rules")
    till.page.click("details.fold summary")
    till.page.fill("#document_number", "533380006")
    till.page.fill("#expires_on", "2031-05-01")
    till.page.check("#matches_person")
    till.page.focus("#document_number")
    till.press("Enter")
    till.page.wait_for_selector("#approver_pin:focus")
    till.screen("approver_pin")
    assert till.page.input_value("#document_number") == "533380006"
    picture(till, "approval")
    till.type(DEMO_PINS["201"]).press("Tab").type("card worn out").press("Enter")
    till.page.wait_for_selector(".plans")
    till.plan()
    assert "Priya Nair agreed." in till.text
