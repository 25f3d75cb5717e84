"""Managers look after their store's tills: a new one, a code for a browser, and a device that was lost."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from pos.services import journal
from tests.counter import Counter
from tests.web.test_people import noted

pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture
def manager(app: Flask) -> Counter:
    return Counter(app, till="LON2", staff="201")


def code_on(counter: Counter) -> str:
    found = re.search(r'is-long"><strong>([A-Z0-9-]+)<', counter.page.text)
    assert found is not None, counter.page.plain
    return found[1]


def test_a_new_till_is_enrolled_with_its_code(app: Flask, manager: Counter) -> None:
    manager.get("/tills")
    manager.post("/tills", {"code": "lon9", "name": "Back room"})
    assert "Back room, LON9" in manager.page.plain and "no browser" in manager.page.plain
    manager.post("/tills/LON9/code", {})
    code = code_on(manager)
    assert re.fullmatch(r"LON9-[A-HJ-NP-Z2-9]{12}", code)
    assert '<path d="M' in manager.page.text
    assert "A code waits" in manager.get("/tills").plain
    other = Counter(app)
    other.get("/enrol")
    other.post("/enrol", {"code": code})
    assert "Who is at the till?" in other.page.plain
    assert "A code waits" not in manager.get("/tills").plain
    for kind in ("till.added", "till.code"):
        assert ("staff:201", "LON9") in [(row["actor"], row["of"]) for row in noted(app, kind)]
    other.get("/enrol")
    other.post("/enrol", {"code": code})
    assert "not valid any more" in other.page.plain, "a code is spent once"


def test_five_wrong_tries_void_a_code(app: Flask, manager: Counter) -> None:
    manager.get("/tills")
    manager.post("/tills/LON1/code", {})
    code = code_on(manager)
    other = Counter(app, till="LON2", staff="102")
    for _ in range(5):
        other.get("/enrol")
        other.post("/enrol", {"code": "LON1-AAAAAAAAAAAA"})
    other.get("/enrol")
    other.post("/enrol", {"code": code})
    assert other.page.status == 400


def test_a_lost_device_is_out_at_once_with_whoever_is_signed_in(app: Flask, manager: Counter) -> None:
    clerk = Counter(app)
    assert "signed in: 101" in manager.get("/tills").plain
    manager.post("/tills/LON1/revoke", {})
    assert "signed in: 101" not in manager.page.plain
    for path in ("/", "/sign-in", "/shift/open"):
        assert "This browser is not a till" in clerk.get(path).plain or clerk.page.response.request.path == "/enrol"
    row = noted(app, "till.revoked")
    assert [(line["actor"], line["of"], line["was_enrolled"]) for line in row] == [("staff:201", "LON1", True)]


def test_a_code_under_way_ends_with_the_till(app: Flask, manager: Counter) -> None:
    manager.get("/tills")
    manager.post("/tills/LON1/code", {})
    code = code_on(manager)
    manager.get("/tills")
    manager.post("/tills/LON1/revoke", {})
    other = Counter(app, till="LON2", staff="102")
    other.get("/enrol")
    other.post("/enrol", {"code": code})
    assert other.page.status == 400


def test_tills_of_another_store_are_none_of_his(app: Flask, manager: Counter) -> None:
    assert "HKG1" not in manager.get("/tills").plain
    manager.post("/tills/HKG1/revoke", {})
    assert manager.page.status == 404
    manager.get("/tills")
    manager.post("/tills/HKG1/code", {})
    assert "is-long" not in manager.page.text
    assert noted(app, "till.revoked") == []
    assert [row for row in noted(app, "till.code") if row["of"] == "HKG1"] == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": "LON1"}, "LON1 is taken already."),
        ({"code": "L"}, "two to twelve capital letters or digits"),
        ({"code": "LON 9"}, "two to twelve capital letters or digits"),
        ({"name": ""}, "Type the name."),
        ({"name": "4111 1111 1111 1111"}, "This looks like a payment card number."),
        ({"code": "L" * 40}, "This is far too long."),
    ],
)
def test_what_was_mistyped_adds_no_till(app: Flask, manager: Counter, changed: dict[str, str], words: str) -> None:
    manager.get("/tills")
    manager.post("/tills", {"code": "LON9", "name": "Back room", **changed})
    assert manager.page.status in (409, 422) and words in manager.page.plain
    with app.app_context():
        assert list(journal.verify(kit=app.extensions["simcounter"])) == []
    assert "LON9" not in manager.get("/tills").plain


def test_clerks_have_no_tills_to_look_after(app: Flask) -> None:
    clerk = Counter(app)
    assert clerk.get("/tills").status == 403
    clerk.get("/")
    clerk.post("/tills/LON1/revoke", {})
    assert clerk.page.status == 403 and clerk.get("/").status == 200
