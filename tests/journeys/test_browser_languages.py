"""In Chinese: the whole renewal with the keyboard alone at a counter, and at the airport's kiosk. Not one English word is left
that is not a name, a code or a key."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from pos.app import DEMO_PINS
from tests.journeys.browser import NARROW, SCANNER_MS, Till, passport
from tests.journeys.conftest import OpenTill
from tests.journeys.live_shop import LiveShop, is_paper_of

pytestmark = pytest.mark.browser

# What stays as it is in every language: the product, the demo's own names and addresses, keys, codes, units, brands.
NAMES = """simcounter Camden Mobile Ltd demo High Street London NW NE Counter Kiosk SkyLink Arrivals Hall Hong Kong International
Airport Amelia Ward Li Wei Priya Nair Chan Mei Ling Jonas Weber Ho Ka Man Receipts mm LON HKG GB HK IN English Help Keep this slip
thermal paper fades Thank you Mon Sat Sun skylink example help VAT BR no Lyca Leb Lycamobile Demo""".split()
KEYS = "Enter Esc Tab Space Alt Ctrl F".split()
CODES = "DE GBP HKD GMT HKT UTC PIN PDF SIM eSIM SMS MB GB kB min PO C R Z X VISA ID".split()
# The carrier's own names of its plans; they are data until the price list carries them in three languages.
PLANS = "Data Phone Roaming International days day months month GB min S M L G unlimited calls with first year".split()
ALLOWED = {word.lower() for word in (*NAMES, *KEYS, *CODES, *PLANS)}

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


def english_left(page: Page) -> set[str]:
    words = re.findall(r"[A-Za-z']+", page.evaluate(_VISIBLE))
    return {word for word in words if word.lower() not in ALLOWED and len(word) > 1}


def in_chinese(till: Till, language: str) -> Till:
    assert till.language == language
    left = english_left(till.page)
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
