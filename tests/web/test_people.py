"""Managers and owners look after the people of the shop; and what they may not, or mistype."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from sqlalchemy import select

from pos.app import DEMO_PINS
from pos.domain.errors import NotAllowed
from pos.domain.permissions import Role
from pos.domain.tills import Desk
from pos.services import journal, people, staff
from pos.store import tills as till_rows
from pos.store.db import reading, transaction
from pos.store.journal import JournalRow
from pos.store.staff import by_number
from tests.counter import Counter

pytestmark = pytest.mark.engines("sqlite")

NEW = {"number": "103", "name": "Zoë Novák", "role": "clerk", "language": "en", "store_code": "LON"}
AGREED = {"reason": "promoted", "approver": "201", "approver_pin": DEMO_PINS["201"]}


@pytest.fixture
def manager(app: Flask) -> Counter:
    return Counter(app, till="LON2", staff="201")


@pytest.fixture
def owner(app: Flask) -> Counter:
    return Counter(app, till="LON2", staff="801")


def noted(app: Flask, kind: str) -> list[dict[str, object]]:
    with app.app_context():
        assert list(journal.verify(kit=app.extensions["simcounter"])) == []
    with app.app_context(), reading() as session:
        rows = list(session.scalars(select(JournalRow).where(JournalRow.kind == kind).order_by(JournalRow.seq)))
        return [{"actor": row.actor, "of": row.object_id, **json.loads(row.content)} for row in rows]


def pin_on(counter: Counter) -> str:
    found = re.search(r'given-pin"><strong>(\d{6})<', counter.page.text)
    assert found is not None, counter.page.plain
    return found[1]


def sign_in(counter: Counter, number: str, pin: str) -> Counter:
    counter.get("/sign-in")
    counter.post("/sign-in", {"staff_number": number, "pin": pin})
    return counter


def test_a_forgotten_pin_is_given_anew_and_changed_at_its_first_use(app: Flask, manager: Counter) -> None:
    clerk = Counter(app)
    manager.get("/people")
    manager.post("/people/101/pin", {})
    pin = pin_on(manager)
    assert manager.get("/people").plain.count("Has not chosen an own PIN yet") == 1
    assert "Who is at the till?" in clerk.get("/").plain, "out at once"
    assert sign_in(clerk, "101", DEMO_PINS["101"]).page.status == 400
    sign_in(clerk, "101", pin)
    for path in ("/", "/search", "/shift/open", "/printing"):
        assert "Choose your own before you go on" in clerk.get(path).plain, path
    clerk.post("/shift/open", {"float_amount": "100.00"})
    assert "Choose your own" in clerk.page.plain
    clerk.get("/pin")
    clerk.post("/pin", {"old_pin": pin, "pin": "402917", "again": "402917"})
    assert clerk.page.status == 200
    assert "Choose your own" not in clerk.get("/").plain
    assert sign_in(Counter(app, staff="102"), "101", pin).page.status == 400
    assert [(row["actor"], row["of"]) for row in noted(app, "staff.pin_given")] == [("staff:201", "101")]


def test_a_locked_person_is_let_in_again(app: Flask, manager: Counter) -> None:
    clerk = Counter(app, staff="102")
    for _ in range(5):
        assert sign_in(clerk, "101", "000000").page.status == 400
    assert sign_in(clerk, "101", DEMO_PINS["101"]).page.status == 400
    assert "Locked for a quarter of an hour" in manager.get("/people").plain
    manager.post("/people/101/unlock", {})
    assert "Locked" not in manager.page.plain
    assert sign_in(clerk, "101", DEMO_PINS["101"]).page.status == 200
    assert [(row["actor"], row["of"], row["misses"]) for row in noted(app, "staff.unlocked")] == [("staff:201", "101", 5)]


def test_a_manager_helps_clerks_of_his_store_and_nobody_else(app: Flask, manager: Counter) -> None:
    page = manager.get("/people").plain
    assert "Amelia Ward" in page and "Ruth Okafor" in page and "Jonas Weber" not in page
    for number, status in (("801", 403), ("201", 403), ("302", 404), ("999", 404)):
        for verb in ("pin", "unlock"):
            manager.get("/people")
            manager.post(f"/people/{number}/{verb}", {})
            assert manager.page.status == status, (number, verb)
    for path in ("/people/new", "/people/101"):
        assert manager.get(path).status == 403
    assert noted(app, "staff.pin_given") == noted(app, "staff.unlocked") == []
    assert Counter(app).get("/people").status == 403


def test_an_owner_takes_a_clerk_on_alone(app: Flask, owner: Counter) -> None:
    owner.get("/people/new")
    owner.post("/people/new", NEW)
    pin = pin_on(owner)
    sign_in(owner, "103", pin)
    assert "Choose your own before you go on" in owner.page.plain
    row = next(row for row in noted(app, "staff.added") if row["of"] == "103")
    assert (row["actor"], row["of"], row["role"], row["agreed_by"]) == ("staff:801", "103", "clerk", "none")
    assert "Novák" not in json.dumps(row, ensure_ascii=False), "the journal knows people by number"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"number": "1"}, "A number has two to twelve digits or letters."),
        ({"number": "10 3"}, "A number has two to twelve digits or letters."),
        ({"number": "101"}, "101 is taken already."),
        ({"name": " "}, "Type the name."),
        ({"name": "4111 1111 1111 1111"}, "This looks like a payment card number."),
        ({"name": "x" * 90}, "This is far too long."),
        ({"role": "manager"}, "reason"),
        ({"role": "manager", **AGREED, "approver": "801"}, "The two people must be different ones."),
        ({"role": "manager", **AGREED, "approver_pin": "000000"}, "give no right to agree"),
        ({"role": "manager", **AGREED, "approver": "101", "approver_pin": DEMO_PINS["101"]}, "give no right to agree"),
    ],
)
def test_nobody_is_taken_on_when_something_is_wrong(app: Flask, owner: Counter, changed: dict[str, str], words: str) -> None:
    owner.get("/people/new")
    owner.post("/people/new", NEW | changed)
    assert owner.page.status in (409, 422)
    assert words in owner.page.plain
    assert DEMO_PINS["201"] not in owner.page.text
    with app.app_context(), reading() as session:
        assert by_number(session, "103") is None


def test_what_no_list_offers_is_nothing(owner: Counter) -> None:
    for changed in ({"role": "king"}, {"language": "xx"}, {"store_code": "HKG"}, {"store_code": ""}, {"store_code": "NONE"}):
        owner.get("/people/new")
        owner.post("/people/new", NEW | changed)
        assert owner.page.status == 404, changed


def test_rights_are_given_by_two_people_and_end_every_stay(app: Flask, owner: Counter) -> None:
    clerk = Counter(app)
    fields = {"name": "Amelia Ward", "role": "manager", "language": "zh_Hans", "store_code": "LON"}
    owner.get("/people/101")
    owner.post("/people/101", fields)
    assert owner.page.status == 422 and noted(app, "staff.changed") == []
    owner.post("/people/101", fields | AGREED)
    assert owner.page.status == 200
    assert "Who is at the till?" in clerk.get("/").plain
    assert noted(app, "staff.changed") == [
        {
            "actor": "staff:801",
            "of": "101",
            "was": {"role": "clerk", "store": "LON", "language": "en"},
            "is": {"role": "manager", "store": "LON", "language": "zh_Hans"},
            "renamed": False,
            "agreed_by": "201",
        }
    ]


def test_the_one_it_is_about_does_not_agree(app: Flask, owner: Counter) -> None:
    owner.get("/people/201")
    owner.post("/people/201", {"name": "Priya Nair", "role": "owner", "language": "en", "store_code": "LON", **AGREED})
    assert "The two people must be different ones" in owner.page.plain
    assert noted(app, "staff.changed") == []


def test_another_name_or_language_wants_nobody_else(app: Flask, owner: Counter) -> None:
    clerk = Counter(app)
    owner.get("/people/101")
    owner.post("/people/101", {"name": "Amelia Ward-Lee", "role": "clerk", "language": "en", "store_code": "LON"})
    assert "Amelia Ward-Lee" in owner.page.plain
    assert "Who is at the till?" not in clerk.get("/").plain, "his stay goes on"


def test_whoever_is_suspended_is_out_at_once_and_comes_back_with_a_new_pin(app: Flask, owner: Counter) -> None:
    clerk = Counter(app)
    for _ in range(2):
        owner.get("/people/101")
        owner.post("/people/101/suspend", {})
    assert "Suspended" in owner.page.plain
    assert "Amelia" not in clerk.get("/").plain
    owner.get("/people")
    owner.post("/people/101/pin", {})
    assert owner.page.status == 403, "a new PIN is no way back in"
    owner.get("/people/101")
    owner.post("/people/101/reinstate", {})
    pin = pin_on(owner)
    assert sign_in(clerk, "101", DEMO_PINS["101"]).page.status == 400
    assert "Choose your own" in sign_in(clerk, "101", pin).page.plain
    assert [len(noted(app, f"staff.{kind}")) for kind in ("suspended", "reinstated")] == [1, 1]


def test_a_manager_comes_back_when_two_agree(app: Flask, owner: Counter) -> None:
    with app.app_context():
        kit = app.extensions["simcounter"]
        staff.add("202", "Another Manager", Role.MANAGER, "LON", "408162", "en", kit=kit)
    owner.get("/people/201")
    owner.post("/people/201/suspend", {})
    owner.get("/people/201")
    for refused in ({}, AGREED):
        owner.post("/people/201/reinstate", refused)
        assert owner.page.status == 422
    owner.post("/people/201/reinstate", AGREED | {"approver": "202", "approver_pin": "408162"})
    assert pin_on(owner)
    assert noted(app, "staff.reinstated")[-1]["agreed_by"] == "202"


def test_nobody_changes_himself_so_the_last_owner_stays(app: Flask, owner: Counter) -> None:
    fields = {"name": "Ruth Okafor", "role": "auditor", "language": "en", "store_code": "LON", **AGREED}
    for verb in ("", "/suspend", "/reinstate", "/pin", "/unlock"):
        owner.get("/people")
        owner.post(f"/people/801{verb}", fields)
        assert owner.page.status in (403, 422), verb
    with app.app_context(), reading() as session:
        ruth = by_number(session, "801")
        assert ruth is not None and ruth.role is Role.OWNER and ruth.suspended_at is None


def test_of_two_owners_who_suspend_each_other_one_stays(app: Flask, owner: Counter) -> None:
    """The second one's request began before the first one's was through; it finds out in its own transaction."""
    with app.app_context():
        kit = app.extensions["simcounter"]
        staff.add("802", "Second Owner", Role.OWNER, "LON", "408162", "en", kit=kit)
        with transaction() as session:
            till = till_rows.till_by_code(session, "LON1")
            assert till is not None
            people_now = [by_number(session, number) for number in ("801", "802")]
            desks = [Desk(till_rows.store_of(session, till).plain(), till.plain(), one.plain()) for one in people_now if one]
        people.suspend("802", desks[0], kit=kit)
        with pytest.raises(NotAllowed):
            people.suspend("801", desks[1], kit=kit)


def test_owners_of_one_store_reach_no_other(owner: Counter) -> None:
    assert owner.get("/people/302").status == 404
    owner.get("/people")
    for verb in ("suspend", "reinstate", "pin", "unlock"):
        owner.post(f"/people/302/{verb}", AGREED)
        assert owner.page.status == 404, verb
        owner.get("/people")
    with_all = {"name": "Amelia Ward", "role": "clerk", "language": "en", "store_code": ""}
    owner.post("/people/101", with_all)
    assert owner.page.status == 404


def test_an_owner_of_all_stores_places_people_anywhere(app: Flask) -> None:
    with app.app_context():
        staff.add("888", "Everywhere", Role.OWNER, None, "408162", "en", kit=app.extensions["simcounter"])
    anywhere = sign_in(Counter(app), "888", "408162")
    assert "Jonas Weber" in anywhere.get("/people").plain
    anywhere.post("/people/302", {"name": "Jonas Weber", "role": "clerk", "language": "en", "store_code": "LON"})
    assert anywhere.page.status == 200
    assert noted(app, "staff.changed")[-1]["is"] == {"role": "clerk", "store": "LON", "language": "en"}
