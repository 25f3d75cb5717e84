"""A clerk in front of a real Chromium. Everything that a customer must never see on a screen fails the journey by itself:
console errors, broken scripts, refused content, answers of 500, a page that scrolls sideways, a field without a label."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

from pypdf import PdfReader

from pos.app import DEMO_PINS
from tests.journeys.live_shop import LiveShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WIDE, NARROW = {"width": 1366, "height": 768}, {"width": 1024, "height": 768}
# A person types a sign in about this many milliseconds, a scanner in a tenth of it.
PERSON_MS, SCANNER_MS = 55, 4
# A refusal is an answer of the counter; Chromium writes each one to its console.
_REFUSAL = re.compile(r"Failed to load resource: the server responded with a status of (409|422|403)")

# What the page says of itself: run in the browser, the answer is a list of faults.
_INSPECT = """() => {
  const faults = [];
  const seen = (element) => element.getClientRects().length > 0;
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push(`scrolls sideways by ${wide} px at ${innerWidth}`);
  const headings = [...document.querySelectorAll("h1")].filter(seen);
  if (headings.length !== 1) faults.push(`${headings.length} main headings`);
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const named = field.getAttribute("aria-label") || [...field.labels].some((label) => label.textContent.trim());
    if (!named) faults.push(`no label: ${field.outerHTML.slice(0, 80)}`);
  }
  for (const button of document.querySelectorAll("button, a[href]")) {
    if (seen(button) && !button.textContent.trim() && !button.getAttribute("aria-label")) faults.push(`says nothing: ${button.outerHTML.slice(0, 80)}`);
  }
  for (const element of document.querySelectorAll("main *, header *, footer *, .strip *")) {
    const style = getComputedStyle(element);
    if (seen(element) && style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1 && !element.closest(".visually-hidden"))
      faults.push(`cut off: ${element.tagName} ${element.className} "${element.textContent.trim().slice(0, 40)}"`);
  }
  return faults;
}"""

# Whether the element that has the focus looks different from how it looks without.
_FOCUS_SEEN = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return "nothing has the focus";
  const look = () => { const s = getComputedStyle(element); return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.backgroundColor].join(); };
  const style = getComputedStyle(element);
  if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return "";
  const focused = look();
  element.blur();
  const without = look();
  element.focus();
  return focused === without ? `the focus is not seen on ${element.outerHTML.slice(0, 80)}` : "";
}"""


# Screens that were looked at in this run: one look at each is enough, and looking takes a fifth of a second.
_INSPECTED: set[tuple[str, str, str]] = set()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, until the block ends. Raises LookupError when there is none."""
    path = os.environ.get("POS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise LookupError("no Chromium on this machine: install it or set POS_CHROMIUM")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise LookupError("playwright is not installed") from None
    alone = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*alone, *root])
        try:
            yield browser
        finally:
            browser.close()


def passport(
    number: str = "Z1234563", state: str = "IND", name: str = "SHARMA<<PRIYA", expires: date = date(2031, 5, 1)
) -> list[str]:
    """The two machine-readable lines of a passport, with check digits of their own making."""
    born, ends = "950130", f"{expires:%y%m%d}"
    numbered, personal = number.ljust(9, "<"), "<" * 14
    whole = numbered + _digit(numbered) + born + _digit(born) + ends + _digit(ends) + personal + _digit(personal)
    below = numbered + _digit(numbered) + state + born + _digit(born) + "F" + ends + _digit(ends) + personal + _digit(personal)
    return [f"P<{state}{name}".ljust(44, "<"), below + _digit(whole)]


def _digit(text: str) -> str:
    """7-3-1, letters from 10, fillers 0 (ICAO 9303)."""
    values = [0 if sign == "<" else int(sign, 36) for sign in text]
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


class Till:
    """One browser that is one till. Verbs use the mouse unless their name says otherwise; each asserts the screen it leads to."""

    def __init__(self, shop: LiveShop, context: BrowserContext, scripts: bool = True) -> None:
        self.shop, self.context, self.scripts = shop, context, scripts
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"script broke: {error}"))
        self.page.on("response", lambda answer: self._answered(answer.status, answer.request.method, answer.url))
        self.page.on("dialog", lambda dialog: self.faults.append(f"a dialog: {dialog.message}"))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not _REFUSAL.match(text):
            self.faults.append(f"console {kind}: {text}")

    def _answered(self, status: int, method: str, url: str) -> None:
        if status >= 500 or status in (400, 404, 405):
            self.faults.append(f"{method} {url} answered {status}")

    # ---------------------------------------------------------------- looking

    @property
    def text(self) -> str:
        """What a person reads on this page, in one line."""
        return re.sub(r"\s+", " ", self.page.inner_text("body"))

    @property
    def language(self) -> str:
        return self.page.get_attribute("html", "lang") or ""

    def focused(self) -> str:
        """The id of what has the focus, or its name."""
        return str(
            self.page.evaluate("document.activeElement.id || document.activeElement.name || document.activeElement.tagName")
        )

    def screen(self, focus: str | None = None) -> Till:
        """Every screen of every journey: loaded, labelled, one heading, nothing cut off at either width, focus seen and right."""
        self.page.wait_for_load_state("load")
        if not self.scripts:
            return self
        known = (self.page.title(), self.page.inner_text("h1"), self.language)
        if known not in _INSPECTED:
            _INSPECTED.add(known)
            for size in (NARROW, WIDE):
                self.page.set_viewport_size(size)
                self.faults += [f"{self.page.url}: {fault}" for fault in self.page.evaluate(_INSPECT)]
        if focus is not None:
            assert self.focused() == focus, f"the focus is on {self.focused()} and not on {focus}"
            unseen = self.page.evaluate(_FOCUS_SEEN)
            if unseen:
                self.faults.append(f"{self.page.url}: {unseen}")
        return self

    def awake(self) -> Till:
        """Past the moment in which a page ignores presses that were meant for the one before."""
        if self.scripts:
            self.page.wait_for_selector("[data-guard] [aria-disabled], [data-guard][aria-disabled]", state="detached")
        return self

    def expect(self, words: str, seconds: float = 10) -> Till:
        """Wait until the words stand on the screen."""
        self.page.locator("main", has_text=words).wait_for(timeout=seconds * 1000)
        return self

    # ---------------------------------------------------------------- a day, by mouse

    def enrol(self, till: str = "LON1") -> Till:
        self.page.goto(self.shop.url)
        self.page.wait_for_url("**/enrol")
        self.screen("code" if self.scripts else None)
        self.page.click(f"button[value={till}]")
        self.page.wait_for_url("**/sign-in")
        return self

    def sign_in(self, staff: str = "101") -> Till:
        self.screen()
        self.page.click(f"label:has(input[value='{staff}'])")
        self.page.fill("#pin", DEMO_PINS[staff])
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector("#entry")
        return self

    def open_shift(self, amount: str = "100.00") -> Till:
        self.screen("entry")
        self.page.click("main a[href='/shift/open']")
        self.screen("float_amount")
        self.page.fill("#float_amount", amount)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector("#entry")
        return self

    def number(self, number: str = "07700 900123") -> Till:
        self.screen("entry" if self.scripts else None)
        self.page.fill("#entry", number)
        self.page.click("main form.one-field button[type=submit]")
        self.page.wait_for_selector("#mrz")
        return self

    def scan(self, lines: list[str] | None = None) -> Till:
        """The scanner: a burst of keys with Enter after each line, then the hand that ticks the photo."""
        self.screen("mrz")
        for line in lines or passport():
            self.page.keyboard.type(line, delay=SCANNER_MS)
            self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#matches_person:focus")
        self.page.check("#matches_person")
        self.page.click("main form:has(#mrz) button[type=submit]")
        self.page.wait_for_selector(".plans")
        return self

    def plan(self, name: str = "Lyca Data 7 days 8 GB") -> Till:
        self.screen()
        assert self.page.evaluate("scrollY") == 0, "the number and the filters are in sight"
        self.page.click(f"main button:has-text('{name}')")
        self.page.wait_for_selector(".read-back")
        return self

    def ready_to_pay(self, number: str = "07700 900123", plan: str = "Lyca Data 7 days 8 GB") -> Till:
        return self.number(number).scan().plan(plan).screen()

    def cash(self, note_minor: int | None = None) -> Till:
        """Pay with one press of a note; the middle one that is offered unless its value is given."""
        self.page.click("main a[data-key=F6]")
        self.page.wait_for_selector("#tendered")
        self.screen("tendered").awake()
        notes = self.page.locator("button[name=tendered_note]")
        (self.page.locator(f"button[name=tendered_note][value='{note_minor}']") if note_minor else notes.nth(1)).click()
        self.page.wait_for_selector("#progress, .panel.money")
        return self

    def next_customer(self) -> Till:
        self.awake().page.click("#next")
        self.page.wait_for_selector("#entry")
        return self

    def pdf(self) -> str:
        """The text of the PDF behind this page's button."""
        address = self.page.get_attribute("main a[href$='.pdf']", "href")
        answer = self.context.request.get(f"{self.shop.url}{address}")
        assert answer.headers["content-type"] == "application/pdf"
        return "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.body())).pages)

    # ---------------------------------------------------------------- by keyboard alone

    def type(self, text: str) -> Till:
        self.page.keyboard.type(text, delay=PERSON_MS)
        return self

    def press(self, *keys: str) -> Till:
        for key in keys:
            self.page.keyboard.press(key)
        return self
