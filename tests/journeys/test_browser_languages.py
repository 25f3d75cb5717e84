"""In Chinese: the whole renewal with the keyboard alone at a counter, and at the airport's kiosk. Not one English word is left
that is not a name, a code or a key."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from pos.app import DEMO_PINS
from pos.store import tills
from pos.store.db import reading
from pos.store.plans import Plan
from pos.store.staff import Staff
from tests.journeys.browser import NARROW, SCANNER_MS, Till, passport
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop, is_paper_of

pytestmark = pytest.mark.browser

# What stays as it is in every language: the product, brands, keys, currencies, zones, units, codes.
# fmt: off
ALLOWED = {
    "simcounter", "Lyca", "English", "Enter", "Esc", "PDF", "PIN", "SIM", "SMS", "GB", "MB",
    "GBP", "HKD", "GMT", "HKT", "VISA", "LON", "HKG", "HK", "IN", "DE", "PO",
}
# fmt: on


def data_of(shop: LiveShop) -> list[str]:
    """Names that people gave: of plans, shops, tills, printers and staff. The longest first."""
    columns = (Plan.name, tills.Store.name, tills.Till.name, tills.Printer.name, Staff.name)
    with shop.app.app_context(), reading() as session:
        return sorted({name for column in columns for name in session.scalars(select(column))}, key=len, reverse=True)


_VISIBLE = """() => {
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.closest("script, style, noscript, option, kbd, [lang]:not(html)")) continue;
    if (element.getClientRects().length || element.closest(".visually-hidden")) words.push(walker.currentNode.textContent);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]"))
    words.push(element.getAttribute("aria-label") || element.title || element.placeholder);
  return document.title + " " + words.join(" ");
}"""


def english_left(till: Till) -> set[str]:
    text = till.page.evaluate(_VISIBLE)
    for name in data_of(till.shop):
        text = text.replace(name, " ")
    return {word for word in re.findall(r"[A-Za-z']+", text) if len(word) > 1} - ALLOWED


def in_chinese(till: Till, language: str) -> Till:
    assert till.language == language
    left = english_left(till)
    if left:
        till.faults.append(f"{till.page.title()}: still English: {sorted(left)}")
    return till


def test_a_renewal_in_simplified_chinese_by_keyboard_alone(open_till: OpenTill, shop: LiveShop) -> None:
    till = open_till(locale="zh-CN")
    page = till.page
    page.goto(shop.url)

    def here(selector: str, focus: str | None = None) -> Till:
        page.wait_for_selector(selector)
        return in_chinese(till.screen(focus), "zh-Hans").awake()

    here("#code", "code")
    while page.evaluate("document.activeElement.value") != "LON1":
        till.press("Tab")
    till.press("Enter")

    here("#pin", "staff_number")
    till.press("ArrowDown", "Tab").type(DEMO_PINS["102"]).press("Enter")

    here("#entry", "entry")
    while page.evaluate("document.activeElement.getAttribute('href')") != "/shift/open":
        till.press("Shift+Tab")
    till.press("Enter")
    here("#float_amount", "float_amount")
    till.type("100").press("Enter")

    here("#entry", "entry")
    till.type("07700 900123").press("Enter")

    here("#mrz", "mrz")
    for line in passport():
        page.keyboard.type(line, delay=SCANNER_MS)
        till.press("Enter")
    page.wait_for_selector("#matches_person:focus")
    till.press("Space", "Enter")

    here(".plans")
    till.press("3")
    here(".read-back")
    assert "+44 7700 900 123" in till.text
    till.press("F6")
    here("#tendered", "tendered")
    till.press("Alt+2")
    till.expect("已付款")
    page.wait_for_selector("#progress[data-mark^=confirmed]")
    here("#progress", "next")

    assert shop.debits() == [736]
    drawer, receipt = shop.papers(2)
    document = shop.documents()[0]
    assert drawer.drawer
    assert document.language == "zh_Hans" and "已开通" in document.title
    assert is_paper_of(receipt, document)
    assert "已开通" in till.pdf()

    till.press("F9")
    shop.papers(3)
    till.press("F1")
    page.wait_for_selector("#help[open]")
    in_chinese(till, "zh-Hans").press("Escape")
    till.awake().press("Escape")
    here("#entry", "entry")
    till.press("F8")
    here("#pin")


def test_the_kiosk_in_traditional_chinese(open_till: OpenTill, shop: LiveShop) -> None:
    """1024 by 768, a passport from abroad, Hong Kong dollars, the business day that begins at four."""
    till = open_till(locale="zh-HK", size=NARROW)
    page = till.page
    till.enrol("HKG1")
    in_chinese(till, "zh-Hant").sign_in("301")
    in_chinese(till, "zh-Hant").open_shift("500.00")
    in_chinese(till, "zh-Hant").number("5550 1234")
    in_chinese(till, "zh-Hant").scan(passport("X98765432", "DEU", "WEBER<<JONAS"))
    in_chinese(till, "zh-Hant").plan("7")
    in_chinese(till, "zh-Hant")
    assert page.get_attribute("html", "data-surface") == "kiosk"
    assert "+852 5550 1234" in till.text and "HKD" in till.text
    sizes = page.evaluate("[...document.querySelectorAll('main .button')].map((button) => button.getBoundingClientRect().height)")
    assert min(sizes) >= 40, f"too low for a finger: {sizes}"
    till.cash().expect("已付款")
    page.wait_for_selector("#progress[data-mark^=confirmed]")
    in_chinese(till.screen("next"), "zh-Hant")
    receipt = shop.papers(2)[-1]
    document = shop.documents()[0]
    assert document.language == "zh_Hant" and "已開通" in document.title
    assert is_paper_of(receipt, document)

    till.next_customer().number("5550 1521").scan().plan("7")
    till.cash()
    page.wait_for_selector("#refund")
    in_chinese(till.screen(), "zh-Hant").awake()
    page.click("#refund")
    page.wait_for_selector("#next.primary")
    in_chinese(till.screen("next"), "zh-Hant")

    till.next_customer()
    assert "2026-11-21 20:" in in_chinese(till, "zh-Hant").text, "Hong Kong's time"
    for address in ("/search", "/printing", "/shift/close"):
        page.goto(shop.url + address)
        in_chinese(till.screen(), "zh-Hant")
