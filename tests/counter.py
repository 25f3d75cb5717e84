"""The counter's language: a clerk who uses the real screens, and stops at the first thing that is not as it must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pos.app import DEMO_PINS
from pos.domain.plans import LINES
from pos.services import renewals
from pos.services.kit import Kit

NUMBER = "07700 900123"
PASSPORT = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)


@dataclass
class Page:
    """One answer, with what every page must have already checked."""

    response: TestResponse
    text: str

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def plain(self) -> str:
        """What a person reads, in one line."""
        body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()

    def hidden(self, name: str) -> str:
        """The value of a hidden field."""
        for tag in re.findall(r"<input[^>]*>", self.text):
            if f'name="{name}"' in tag:
                found = re.search(r'value="([^"]*)"', tag)
                return unescape(found[1]) if found else ""
        raise AssertionError(f"no field {name} on this page: {self.plain[:300]}")


class Counter:
    """Verbs return the counter itself, so that a sale reads as a sentence; ``page`` is what stands on the screen now."""

    def __init__(self, app: Flask, till: str = "LON1", staff: str = "101") -> None:
        self.app, self.client = app, app.test_client()
        self.sale_id = ""
        self.page = self.get("/enrol")
        self.post("/enrol/demo", {"till_code": till})
        self.sign_in(staff)

    # ---------------------------------------------------------------- moving about

    def get(self, path: str) -> Page:
        """Look at a page, following redirects as a browser does."""
        self.page = self._checked(self.client.get(path, follow_redirects=True))
        return self.page

    def post(self, path: str, fields: dict[str, str], *, client: FlaskClient | None = None) -> Page:
        """Send a form with this page's token, as a browser does."""
        token = self.page.hidden("csrf_token")
        answer = (client or self.client).post(path, data={"csrf_token": token, **fields}, follow_redirects=True)
        self.page = self._checked(answer)
        return self.page

    def _checked(self, answer: TestResponse) -> Page:
        page = Page(answer, answer.get_data(as_text=True))
        assert answer.status_code < 500, page.plain[:500]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        if answer.mimetype == "text/html" and "<!doctype" in page.text:
            assert "<title>" in page.text
            ids = re.findall(r'\bid="([^"]+)"', page.text)
            assert len(ids) == len(set(ids)), f"an id stands twice: {sorted(i for i in ids if ids.count(i) > 1)}"
            assert not re.search(r"\son[a-z]+=|style=\"", page.text), "inline script or style"
        return page

    # ---------------------------------------------------------------- a day

    def sign_in(self, staff: str) -> Counter:
        self.get("/sign-in")
        self.post("/sign-in", {"staff_number": staff, "pin": DEMO_PINS[staff]})
        assert self.page.status == 200
        return self

    def open_shift(self, float_amount: str = "100.00") -> Counter:
        self.get("/shift/open")
        self.post("/shift/open", {"float_amount": float_amount})
        assert self.page.status == 200, self.page.plain
        return self

    def number(self, number: str = NUMBER, sale_id: str | None = None) -> Counter:
        self.get("/")
        self.sale_id = sale_id or str(uuid4())
        self.post(f"/sales/{self.sale_id}/number", {"entry": number})
        if 'name="entry_again"' in self.page.text:
            # Nothing confirms it: the clerk types it once more.
            self.post(f"/sales/{self.sale_id}/number", {"entry": number, "entry_again": number})
        return self

    def document(self, **fields: str) -> Counter:
        typed = {
            "document_type": "passport",
            "document_country": "GB",
            "document_number": "533380006",
            "expires_on": "2031-05-01",
            "matches_person": "1",
        }
        self.post(f"/sales/{self.sale_id}/document", {**typed, **fields})
        return self

    def plan(self, name: str = "Lyca Data 7 days 8 GB") -> Counter:
        """Press the card of a plan; where the page does not show it at once, by way of its product line."""
        for line in ("", *LINES):
            self.get(f"/sales/{self.sale_id}/plans?line={line}")
            cards = re.findall(r'<button[^>]*name="plan_id" value="(\d+)"(.*?)</button>', self.page.text, flags=re.DOTALL)
            for plan_id, card in cards:
                if name in unescape(card):
                    self.post(f"/sales/{self.sale_id}/plan", {"plan_id": plan_id})
                    return self
        raise AssertionError(f"no plan {name} among: {self.page.plain[:1500]}")

    def ready_to_pay(self, number: str = NUMBER, plan: str = "Lyca Data 7 days 8 GB") -> Counter:
        self.number(number)
        assert self.page.status == 200, self.page.plain
        self.document()
        assert self.page.status == 200, self.page.plain
        self.plan(plan)
        assert self.page.status == 200, self.page.plain
        return self

    def cash(self, tendered: str = "20.00", quote: str | None = None) -> Counter:
        self.get(f"/sales/{self.sale_id}/cash")
        fields = {"quote": quote or self.page.hidden("quote"), "tendered": tendered}
        self.post(f"/sales/{self.sale_id}/cash", fields)
        return self

    def card_begin(self) -> Counter:
        self.get(f"/sales/{self.sale_id}")
        self.post(f"/sales/{self.sale_id}/card", {"quote": self.page.hidden("quote")})
        return self

    def card_slip(self, **fields: str) -> Counter:
        slip = {"scheme": "VISA", "last4": "4242", "authorisation": "A1B2C3", "slip_number": "0017"}
        self.post(f"/sales/{self.sale_id}/card/slip", {**slip, **fields})
        return self

    def look(self) -> Page:
        return self.get(f"/sales/{self.sale_id}")

    # ---------------------------------------------------------------- the worker, by hand

    @property
    def kit(self) -> Kit:
        found = self.app.extensions["simcounter"]
        assert isinstance(found, Kit)
        return found

    def work(self, most: int = 20) -> int:
        """Let the worker do everything that is due; how many rounds it took."""
        for rounds in range(most):
            with self.app.app_context():
                if not renewals.work_once("test#1", kit=self.kit):
                    return rounds
        raise AssertionError("the worker finds no end")

    def verify(self) -> list[str]:
        """All that is wrong with journal, books and statements; a test wants an empty list."""
        from pos.services import journal, ledger, reconciliation

        with self.app.app_context():
            kit = self.kit
            return [*journal.verify(kit=kit), *ledger.prove(), *reconciliation.compare_with_statements(kit=kit)]
