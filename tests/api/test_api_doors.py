"""Every door of the API names its permission; every caller meets at each what that permission says; cookies open none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.routing import Rule

from pos.api import keys
from pos.domain.permissions import RIGHTS, Permission, Role, Unguarded
from pos.services import staff, tills
from pos.store.db import transaction
from pos.store.staff import Staff
from tests.api.caller import Caller, problem
from tests.conftest import StandingClock
from tests.counter import Counter

AUDITOR_PIN = "408162"
CALLERS: dict[str, tuple[str | None, str | None, Role | None]] = {
    "nobody": (None, None, None),
    "till": ("LON2", None, None),
    "clerk": ("LON1", "101", Role.CLERK),
    "manager": ("LON2", "201", Role.MANAGER),
    "auditor": ("LON2", "901", Role.AUDITOR),
    "stranger": ("HKG1", "302", Role.CLERK),
}


def api_rules(app: Flask) -> list[Rule]:
    """What ends the stay comes last."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    return sorted(rules, key=lambda rule: (rule.endpoint == "api.sign_out", rule.rule))


def doors(app: Flask, things: dict[str, Any]) -> Iterator[tuple[Rule, str, str]]:
    """(rule, method, path below /api/v1) of everything the API answers to."""
    for rule in api_rules(app):
        with app.test_request_context():
            from flask import url_for

            path = url_for(rule.endpoint, **{name: things[name] for name in rule.arguments})
        for method in sorted(rule.methods or (), key=lambda method: (method != "OPTIONS", method)):
            yield rule, method, path.removeprefix(keys.PREFIX)


@pytest.fixture
def things(app: Flask) -> dict[str, Any]:
    """A paid sale of LON1 with its receipt, and a closed shift."""
    caller = Caller(app)
    caller.open_shift()
    sale = caller.pay(caller.ready())
    caller.work()
    caller.ok("POST", "/shift/close", {"pieces": [{"minor": 5000, "count": 2}, {"minor": 200, "count": 4}]})
    with app.app_context():
        staff.add("901", "Auditor", Role.AUDITOR, None, AUDITOR_PIN, "en", kit=caller.kit)
    renewal = sale["lines"][0]["renewal"]["id"]
    return {"sale_id": sale["id"], "line": 1, "renewal_id": renewal, "number": "LON1-000001", "shift_id": 1}


def make_caller(app: Flask, who: str) -> Caller:
    till, number, _ = CALLERS[who]
    made = Caller(app, till, None)
    if number is not None:
        made.sign_in(number, AUDITOR_PIN if number == "901" else None)
    return made


def expected(permission: Permission, who: str) -> set[str]:
    till, _, role = CALLERS[who]
    if permission is Permission.ANYBODY:
        return {"passes"}
    if till is None:
        return {"unknown"}
    if permission is Permission.TILL:
        return {"passes"}
    if role is None:
        return {"unknown"}
    return {"passes"} if permission in RIGHTS[role] else {"forbidden"}


def test_every_door_of_the_api_has_a_permission(app: Flask) -> None:
    keys.check_doors(app)
    assert {keys.permission_of(app, rule.endpoint) for rule in api_rules(app)} >= {
        Permission.ANYBODY,
        Permission.TILL,
        Permission.SELL,
        Permission.SEE_EXPECTED_CASH,
    }
    open_to_all = {rule.endpoint for rule in api_rules(app) if keys.permission_of(app, rule.endpoint) is Permission.ANYBODY}
    assert open_to_all == {"api.openapi", "api.enrol"}, "a new open door needs a reason and its line here"


def test_a_forgotten_door_of_the_api_stops_the_start_and_nobody_passes_it(app: Flask) -> None:
    app.add_url_rule("/api/v1/forgotten", "api.forgotten", lambda: "come in")
    with pytest.raises(Unguarded, match="these doors of the API have no permission"):
        keys.check_doors(app)
    assert Caller(app, "LON1", "101").no("GET", "/forgotten", status=403)


@pytest.mark.parametrize("who", CALLERS)
def test_each_caller_at_each_door(app: Flask, things: dict[str, Any], who: str) -> None:
    caller, wrong = make_caller(app, who), []
    for rule, method, path in doors(app, things):
        answer = caller.call(method, path, {} if method in ("POST", "PUT") else None)
        permission = keys.permission_of(app, rule.endpoint)
        assert permission is not None
        found = {401: "unknown", 403: "forbidden"}.get(answer.status_code, "passes")
        if permission is Permission.ANYBODY and rule.endpoint == "api.enrol":
            found = "passes"
        wanted = expected(permission, who)
        if method == "OPTIONS":  # where one path has several doors, the first of them answers
            same = [other.endpoint for other in api_rules(app) if other.rule == rule.rule]
            allowed = [keys.permission_of(app, endpoint) for endpoint in same]
            wanted = {met for other in allowed if other is not None for met in expected(other, who)}
        if found not in wanted or answer.status_code >= 500:
            wrong.append(f"{method} {path}: {who} met {answer.status_code}")
        if answer.status_code >= 400 and method != "HEAD":
            problem(answer)
        assert "Set-Cookie" not in answer.headers and answer.headers["Cache-Control"] == "no-store"
    assert wrong == []


def test_a_clerk_of_another_shop_sees_nothing_of_this_one(app: Flask, things: dict[str, Any]) -> None:
    caller, wrong = make_caller(app, "stranger"), []
    for rule, method, path in doors(app, things):
        if rule.arguments and method != "OPTIONS":
            answer = caller.call(method, path, {} if method in ("POST", "PUT") else None)
            if answer.status_code not in (404, 422, 403):
                wrong.append(f"{method} {path}: {answer.status_code}")
            for secret in (b"Camden", b"Amelia", b"0123", b"800"):
                if secret in answer.get_data():
                    wrong.append(f"{method} {path} tells {secret!r}")
    whole = {
        "identity": {"document": {"type": "passport", "country": "GB", "number": "533380006"}, "matches_person": True},
        "cash": {"quote": "x", "tendered": {"minor": 800, "currency": "HKD"}},
        "card": {"quote": "x"},
        "card/slip": {"scheme": "VISA", "last4": "4242", "authorisation": "A1B2C3", "slip_number": "1"},
        "refund": {},
    }
    for verb, sent in whole.items():
        if verb == "identity":
            sent["document"]["expires_on"] = "2031-05-01"  # type: ignore[index]
        caller.no("POST", f"/sales/{things['sale_id']}/{verb}", sent, status=404)
    caller.no("PUT", f"/sales/{things['sale_id']}/lines/1/plan", {"plan": 1}, status=404)
    caller.no("PUT", f"/sales/{things['sale_id']}", {"lines": [{"number": "+44 7700 900123"}]}, status=409)
    assert wrong == []


def test_cookies_open_no_door_of_the_api(app: Flask, things: dict[str, Any]) -> None:
    """A browser sends its cookies by itself, also for a foreign page; a clerk's whole set is worth nothing here."""
    counter = Counter(app)
    for rule, method, path in doors(app, things):
        if keys.permission_of(app, rule.endpoint) is not Permission.ANYBODY:
            body = {"json": {}} if method in ("POST", "PUT") else {}
            assert counter.client.open(keys.PREFIX + path, method=method, **body).status_code == 401, rule.endpoint
    assert counter.get("/").status == 200, "and the screens go on"


def test_tokens_open_no_screen(app: Flask) -> None:
    caller = Caller(app)
    client = app.test_client(use_cookies=False)
    answer = client.get("/", headers=caller.headers)
    assert (answer.status_code, answer.location) == (302, "/enrol")
    assert client.post("/shift/open", data={"float_amount": "1.00"}, headers=caller.headers).status_code == 400, "CSRF stays"


# ------------------------------------------------------------------ tokens


def test_a_token_is_nowhere_in_the_database(app: Flask, folder: Path) -> None:
    caller = Caller(app)
    for secret in (caller.headers["Authorization"].removeprefix("Bearer "), caller.headers["Simcounter-Session"]):
        assert len(secret) == 43, "256 bits"
        for file in folder.iterdir():
            assert secret.encode() not in file.read_bytes()


def test_a_code_is_good_once(app: Flask) -> None:
    caller = Caller(app, None, None)
    with app.app_context():
        code = tills.make_code("LON1", kit=caller.kit)
    caller.ok("POST", "/tills/enrolment", {"code": code}, status=201)
    assert caller.no("POST", "/tills/enrolment", {"code": code}, status=403)["type"].endswith("/enrolment-code-wrong")


def test_enrolling_again_puts_the_old_device_out(app: Flask) -> None:
    old = Caller(app)
    new = Caller(app, staff=None)
    assert old.no("GET", "/shift", status=401)["type"].endswith("/device-unknown")
    taken = {"Simcounter-Session": old.headers["Simcounter-Session"]}
    assert new.no("GET", "/shift", status=401, **taken)["type"].endswith("/nobody-signed-in")


def test_one_stay_at_a_till(app: Flask) -> None:
    first = Caller(app)
    before = dict(first.headers)
    first.sign_in("102")
    assert first.call("GET", "/shift", **before).status_code == 401
    assert first.call("GET", "/shift").status_code == 200


def test_a_stay_belongs_to_its_till(app: Flask) -> None:
    here, there = Caller(app, "LON1"), Caller(app, "LON2", None)
    assert there.no("GET", "/shift", status=401, **{"Simcounter-Session": here.headers["Simcounter-Session"]})


def test_wrong_pins_lock_as_on_the_screens(app: Flask) -> None:
    caller = Caller(app, "LON1", None)
    for _ in range(5):
        refused = caller.no("POST", "/sessions", {"staff_number": "101", "pin": "000000"}, status=403)
        assert refused["detail"].startswith("The name and the PIN do not match, or the account is locked.")
    assert caller.no("POST", "/sessions", {"staff_number": "101", "pin": "271828"}, status=403) == refused
    Caller(app, "LON1", "102")


@pytest.mark.parametrize(("parts", "status"), [({"minutes": 9}, 200), ({"minutes": 11}, 401)])
def test_a_stay_without_requests_ends(app: Flask, clock: StandingClock, parts: dict[str, float], status: int) -> None:
    caller = Caller(app)
    clock.pass_time(**parts)
    assert caller.call("GET", "/shift").status_code == status


def test_a_suspended_person_is_out_at_once(app: Flask, clock: StandingClock) -> None:
    caller = Caller(app)
    with app.app_context(), transaction() as session:
        session.execute(update(Staff).where(Staff.number == "101").values(suspended_at=clock.now()))
    assert caller.no("GET", "/shift", status=401)


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "bearer x", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer \u00e4\u00f6", "Token x"]
)
def test_what_is_no_token(app: Flask, authorization: str) -> None:
    caller = Caller(app, None, None)
    answer = caller.call("GET", "/shift", Authorization=authorization)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_sale_of_another_clerk_is_parked(app: Flask) -> None:
    caller = Caller(app)
    caller.open_shift()
    sale_id = caller.begin()
    other = Caller(app, "LON2", "102")
    assert other.no("GET", f"/sales/{sale_id}", status=409)["type"].endswith("/sale-parked")
    other.open_shift()
    other.no("POST", f"/sales/{uuid4()}/void", status=404)
    assert other.no("POST", f"/sales/{sale_id}/void", status=409)
