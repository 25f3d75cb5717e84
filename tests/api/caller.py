"""A till that is a program: speaks JSON, keeps its two tokens, and has no cookies."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

from pos.app import DEMO_PINS
from pos.services import journal, ledger, reconciliation, renewals, tills
from pos.services.kit import Kit

NUMBER = "07700 900123"
PASSPORT = {"type": "passport", "country": "GB", "number": "533380006", "expires_on": "2031-05-01"}
SLIP = {"scheme": "VISA", "last4": "4242", "authorisation": "A1B2C3", "slip_number": "0017"}
PLAN = "Lyca Data 7 days 8 GB"


def pounds(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "GBP"}


class Caller:
    """Each verb is one request; ``ok`` insists on 2xx and gives the JSON, ``no`` on a problem document."""

    def __init__(self, app: Flask, till: str | None = "LON1", staff: str | None = "101") -> None:
        self.app = app
        self.headers: dict[str, str] = {}
        if till is not None:
            with app.app_context():
                code = tills.make_code(till, kit=self.kit)
            token = self.ok("POST", "/tills/enrolment", {"code": code}, status=201)["token"]
            self.headers["Authorization"] = f"Bearer {token}"
        if staff is not None:
            self.sign_in(staff)

    @property
    def kit(self) -> Kit:
        found = self.app.extensions["simcounter"]
        assert isinstance(found, Kit)
        return found

    def sign_in(self, staff: str, pin: str | None = None) -> None:
        sent = {"staff_number": staff, "pin": pin or DEMO_PINS[staff]}
        self.headers["Simcounter-Session"] = self.ok("POST", "/sessions", sent, status=201)["token"]

    # ---------------------------------------------------------------- requests

    def call(self, method: str, path: str, sent: Any = None, **headers: str) -> TestResponse:
        client = self.app.test_client(use_cookies=False)
        body = {"json": sent} if sent is not None else {}
        return client.open("/api/v1" + path, method=method, headers={**self.headers, **headers}, buffered=True, **body)

    def ok(self, method: str, path: str, sent: Any = None, *, status: int = 200, **headers: str) -> Any:
        answer = self.call(method, path, sent, **headers)
        assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True))
        return answer.get_json() if answer.mimetype == "application/json" else answer.get_data()

    def no(self, method: str, path: str, sent: Any = None, *, status: int, **headers: str) -> dict[str, Any]:
        answer = self.call(method, path, sent, **headers)
        assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True))
        return problem(answer)

    # ---------------------------------------------------------------- a sale

    def open_shift(self) -> None:
        self.ok("POST", "/shift", {"float": pounds(10_000)}, status=201)

    def begin(self, number: str = NUMBER, sale_id: str | None = None) -> str:
        sale_id = sale_id or str(uuid4())
        self.ok("PUT", f"/sales/{sale_id}", {"lines": [{"number": number}]}, status=201)
        return sale_id

    def plan_id(self, sale_id: str, name: str = PLAN) -> int:
        offered = self.ok("GET", f"/sales/{sale_id}/lines/1/plans")["plans"]
        return next(int(plan["id"]) for plan in offered if plan["name"] == name)

    def ready(self, number: str = NUMBER) -> dict[str, Any]:
        """Number, document and plan: everything but the money."""
        sale_id = self.begin(number)
        self.ok("POST", f"/sales/{sale_id}/identity", {"document": PASSPORT, "matches_person": True})
        sale: dict[str, Any] = self.ok("PUT", f"/sales/{sale_id}/lines/1/plan", {"plan": self.plan_id(sale_id)})
        assert sale["step"] == "check" and sale["quote"]
        return sale

    def pay(self, sale: dict[str, Any], minor: int = 2000) -> dict[str, Any]:
        found: dict[str, Any] = self.ok("POST", f"/sales/{sale['id']}/cash", {"quote": sale["quote"], "tendered": pounds(minor)})
        return found

    def work(self) -> None:
        """Let the worker do everything that is due."""
        for _ in range(20):
            with self.app.app_context():
                if not renewals.work_once("test#1", kit=self.kit):
                    return
        raise AssertionError("the worker finds no end")

    def findings(self) -> list[str]:
        with self.app.app_context():
            return [
                *journal.verify(kit=self.kit),
                *ledger.prove(),
                *reconciliation.compare_with_statements(kit=self.kit),
            ]


def problem(answer: TestResponse) -> dict[str, Any]:
    """A problem document as RFC 9457 writes it, with our armour; its content."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    found = answer.get_json()
    assert isinstance(found, dict) and {"type", "title", "status", "detail"} <= found.keys()
    assert found["status"] == answer.status_code
    return found
