"""Every door names its permission, and every visitor meets at every door what that permission says. Tried on the URL map."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask
from sqlalchemy import select, update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from pos import web
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Settings
from pos.domain.permissions import RIGHTS, Permission, Role
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.services import staff
from pos.store.db import db, reading, transaction
from pos.store.staff import SignIn, Staff
from pos.web import login
from pos.web.sign_in import local_path
from tests.conftest import OnEach, StandingClock, _close, _release, furnish, settings_in
from tests.counter import Counter
from tests.engines import Engine, copy_shop

AUDITOR_PIN = "408162"
# Who stands where. A stranger is an honest clerk of another shop.
VISITORS: dict[str, tuple[str | None, str | None, Role | None]] = {
    "nobody": (None, None, None),
    "till": ("LON2", None, None),
    "clerk": ("LON1", "101", Role.CLERK),
    "manager": ("LON2", "201", Role.MANAGER),
    "auditor": ("LON2", "901", Role.AUDITOR),
    "stranger": ("HKG1", "302", Role.CLERK),
}
# Read by those entitled and written down that they did (security reference 5.2): the only GETs with a trace.
SEEN = ("x.seen", "dispute.seen")
# Carriers have no form and no cookie: nothing to steal a token from.
WITHOUT_TOKEN = frozenset({"hooks.hear"})


@dataclass
class Visit:
    """A browser that never changes its cookies by itself, so that one door cannot spoil the next."""

    app: Flask
    cookies: dict[str, str]
    token: str

    def knock(self, method: str, path: str, *, token: str | None = "right", **fields: str) -> TestResponse:
        client = self.app.test_client(use_cookies=False)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method != "POST":
            return client.open(path, method=method, headers=headers, buffered=True)
        shown = self.token if token == "right" else token
        data = fields if shown is None else {"csrf_token": shown, **fields}
        return client.post(path, data=data, headers=headers, buffered=True)


@dataclass
class Shop:
    """A London shop with a paid sale, a receipt, a slip and a closed shift; the things that doors lead to."""

    app: Flask
    clerk_cookies: dict[str, str]
    things: dict[str, Any]

    def visit(self, who: str) -> Visit:
        till, number, _ = VISITORS[who]
        client = self.app.test_client()
        if who == "clerk":
            for name, value in self.clerk_cookies.items():
                client.set_cookie(name, value)
        elif till is not None:
            token = token_of(client.get("/enrol"))
            assert client.post("/enrol/demo", data={"csrf_token": token, "till_code": till}).status_code == 302
            if number is not None:
                pin = DEMO_PINS.get(number, AUDITOR_PIN)
                fields = {"csrf_token": token, "staff_number": number, "pin": pin}
                assert client.post("/sign-in", data=fields).location == "/"
        token = token_of(client.get("/enrol"))
        return Visit(self.app, cookies_of(client), token)

    def path(self, rule: Rule) -> str:
        with self.app.test_request_context():
            from flask import url_for

            return url_for(rule.endpoint, **{name: self.things[name] for name in rule.arguments})

    def doors(self) -> Iterator[tuple[Rule, str, str]]:
        """(rule, method, path) for everything the URL map answers to but the API; what ends the stay comes last."""
        rules = sorted(self.app.url_map.iter_rules(), key=lambda rule: (rule.endpoint == "sign_in.sign_out", rule.rule))
        for rule in rules:
            if rule.endpoint.startswith("api."):
                continue  # asks for tokens: tests/api/test_api_doors.py knocks there
            for method in sorted(rule.methods or ()):
                yield rule, method, self.path(rule)

    def permission(self, rule: Rule) -> Permission:
        if rule.endpoint in login.OPEN_ENDPOINTS:
            return Permission.ANYBODY
        found = login.permission_of(self.app, rule.endpoint)
        assert found is not None
        return found


def token_of(answer: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', answer.get_data(as_text=True))
    assert found is not None
    return found[1]


def cookies_of(client: Any) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in client._cookies.values()}


def dump(app: Flask) -> list[str]:
    """Every row of the database, without the note of when a stay was last seen."""
    with app.app_context(), reading() as session:
        tables = [table for table in db.metadata.sorted_tables if table.name != "sign_ins"]
        rows = ((table.name, row) for table in tables for row in session.execute(select(table).order_by(*table.primary_key)))
        return [f"{name} {tuple(row)}" for name, row in rows]


def body_of(answer: TestResponse) -> str:
    """The text of an answer; a PDF's bytes as they come."""
    return answer.get_data().decode("utf-8", "replace")


@pytest.fixture
def traded(engine: Engine, on_each: OnEach) -> tuple[Path, dict[str, str], str]:
    """A day at LON1, made once: (files, cookies of the clerk who is still signed in, id of the paid sale)."""
    return on_each.once(engine, "traded", lambda folder: trade(folder, engine, furnish(on_each, engine)))


def trade(folder: Path, engine: Engine, furnished: Path) -> tuple[Path, dict[str, str], str]:
    copy_shop(engine, furnished, folder)
    with SandboxServer(SandboxSettings(), state=None, port=0) as server:
        settings = settings_in(folder, server.url)
        app = create_app(settings, clock=StandingClock(), given=make_carriers(settings))
        clerk = Counter(app)
        clerk.open_shift().ready_to_pay().cash("10.00")
        clerk.work()
        clerk.get("/shift/close")
        clerk.post("/shift/close", {"pieces_5000": "2", "pieces_200": "4", "left_in_drawer": "100.00"})
        assert "LON1-000001" in clerk.page.text
        clerk.open_shift()
        with app.app_context():
            staff.add("901", "Auditor", Role.AUDITOR, None, AUDITOR_PIN, "en", kit=app.extensions["simcounter"])
            _release(app)
        _close(app.extensions["simcounter"].carriers)
    return folder, cookies_of(clerk.client), clerk.sale_id


@pytest.fixture
def folder(tmp_path: Path, engine: Engine, traded: tuple[Path, dict[str, str], str]) -> Iterator[Path]:
    """This test's own copy of that day."""
    copy_shop(engine, traded[0], tmp_path)
    yield tmp_path
    engine.drop(tmp_path)


@pytest.fixture
def opened() -> Iterator[Callable[[Settings], Flask]]:
    """An application with settings of its own, put away with the test: PostgreSQL minds connections that are left open."""
    made: list[Flask] = []

    def make(settings: Settings) -> Flask:
        made.append(create_app(settings, given={}))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            _release(app)


@pytest.fixture
def shop(app: Flask, traded: tuple[Path, dict[str, str], str]) -> Shop:
    _, cookies, sale_id = traded
    things = {
        "sale_id": sale_id,
        "number_id": sale_id,
        "number": "LON1-000001",
        "shift_id": 1,
        "job_id": 1,
        "filename": "app.css",
    }
    things |= {"carrier": "sandbox", "secret": "k" * 40, "event": "productOrderStateChangeEvent"}
    things |= {
        "renewal_id": sale_id,
        "verdict_id": 1,
        "currency": "GBP",
        "plan_id": 1,
        "rule_id": 1,
        "item_id": 1,
        "path": "in",
        "printer_id": 1,
        "till_code": "LON1",
        "staff_number": "101",
        "report": "today",
        "form": "csv",
        "token": "LON1-000001.20261121.800GBP.SIG-1",
    }
    return Shop(app, cookies, things)


# ------------------------------------------------------------------ the URL map


def test_every_door_has_a_permission(app: Flask) -> None:
    login.check_doors(app)
    assert {rule.endpoint for rule in app.url_map.iter_rules()} & login.OPEN_ENDPOINTS == {"static"}


def test_a_forgotten_door_stops_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", "door", lambda: "come in")
    monkeypatch.setattr(web, "BLUEPRINTS", (*web.BLUEPRINTS, forgotten))
    with pytest.raises(login.Unguarded, match=r"these doors have no permission: forgotten\.door"):
        create_app(settings_in(folder), given={})


def test_a_door_of_another_package_is_found_too(app: Flask) -> None:
    app.add_url_rule("/metrics", "metrics", lambda: "figures")
    with pytest.raises(login.Unguarded, match="metrics"):
        login.check_doors(app)
    answer = app.test_client().get("/metrics")
    assert (answer.status_code, answer.location) == (302, "/enrol"), "and until then nobody passes it"


def test_only_what_must_be_is_open_to_anybody(app: Flask) -> None:
    open_to_all = {r.endpoint for r in app.url_map.iter_rules() if r.endpoint != "static"}
    open_to_all = {endpoint for endpoint in open_to_all if login.permission_of(app, endpoint) is Permission.ANYBODY}
    assert open_to_all == {
        "sign_in.enrol",
        "sign_in.enrol_post",
        "sign_in.enrol_demo",
        "sign_in.language",
        "status.health",
        "receipts.check",  # a customer has no till either
        "receipts.public_keys",  # what a check without a network needs
        "hooks.hear",  # a carrier has no till; its secret stands in the path
        "hooks.is_there",  # the same, by HEAD; it reads nothing but that secret
    }, "a new open door needs a reason and its line here"


# ------------------------------------------------------------------ every visitor at every door


def expected(permission: Permission, who: str) -> str:
    till, _, role = VISITORS[who]
    if permission is Permission.ANYBODY:
        return "passes"
    if till is None:
        return "to enrol"
    if permission is Permission.TILL:
        return "passes"
    if role is None:
        return "to sign in"
    return "passes" if permission in RIGHTS[role] else "forbidden"


def met(answer: TestResponse) -> str:
    """What happened at a door, as a visitor would say it."""
    if answer.status_code in (301, 302, 303, 307, 308):
        return {"/enrol": "to enrol", "/sign-in": "to sign in"}.get(answer.location, "passes")
    return {401: "forbidden", 403: "forbidden"}.get(answer.status_code, "passes")


@pytest.mark.parametrize("who", VISITORS)
def test_each_visitor_at_each_door(shop: Shop, who: str) -> None:
    visit, wrong = shop.visit(who), []
    for rule, method, path in shop.doors():
        answer = visit.knock(method, path)
        wanted, found = expected(shop.permission(rule), who), met(answer)
        # These two lead there by their nature, whoever comes.
        if rule.endpoint == "sign_in.sign_out" and found == "to sign in":
            found = "passes"
        body = body_of(answer)
        if found != wanted or answer.status_code >= 500 or (method == "HEAD" and body):
            wrong.append(f"{method} {path}: {who} should meet '{wanted}', met '{found}' ({answer.status_code})")
        if wanted != "passes" and 200 <= answer.status_code < 300:
            wrong.append(f"{method} {path}: {who} was served")
    assert wrong == []


def test_a_clerk_of_another_shop_sees_nothing_of_this_one(shop: Shop) -> None:
    visit, wrong = shop.visit("stranger"), []
    for rule, method, path in shop.doors():
        if rule.arguments - {"filename"} and method in ("GET", "HEAD", "POST"):
            answer = visit.knock(method, path)
            body = body_of(answer)
            if answer.status_code == 302:
                assert rule.endpoint in ("counter.check", "counter.result"), f"{method} {path} leads a stranger on"
            elif answer.status_code not in (403, 404, 409) and (rule.endpoint, answer.status_code) != ("counter.number", 422):
                wrong.append(f"{method} {path}: {answer.status_code}")
            for secret in ("Camden", "Amelia", "LON1-0", "8 GB", "0123", "800", "8.00 GBP"):
                if secret in re.sub(r'<script.*?</script>|href="[^"]*"|value="[^"]*"', "", body):
                    wrong.append(f"{method} {path} tells {secret}")
    assert wrong == []


def test_a_clerk_at_the_next_till_cannot_go_on_with_an_open_sale(shop: Shop) -> None:
    clerk = Counter(shop.app)
    clerk.ready_to_pay(number="07700 900124")
    sale_id, before = clerk.sale_id, dump(shop.app)
    other = Counter(shop.app, till="LON2", staff="102")
    other.post("/language", {"language": "en", "next": "/"})
    other.open_shift()
    for path in ("", "/cash", "/plans"):
        assert other.get(f"/sales/{sale_id}{path}").status == 409
        assert "begun by another clerk" in other.page.plain
    for path in ("cash", "card", "void", "document", "plan", "card/declined", "card/missing"):
        other.get("/")
        other.post(f"/sales/{sale_id}/{path}", {"tendered": "20.00", "plan_id": "1", "document_type": "passport"})
        assert other.page.status in (409, 422), path
    told = [line for line in dump(shop.app) if line not in before and sale_id in line]
    assert told == []


# ------------------------------------------------------------------ tokens and effects


def test_nothing_is_posted_without_the_token(shop: Shop) -> None:
    visit, before = shop.visit("clerk"), dump(shop.app)
    posts = [(rule, path) for rule, method, path in shop.doors() if method == "POST" and rule.endpoint not in WITHOUT_TOKEN]
    for token in (None, "", "x" * 40):
        for rule, path in posts:
            answer = visit.knock("POST", path, token=token)
            assert answer.status_code == 400, rule.endpoint
            assert "do it once more" in answer.get_data(as_text=True)
    assert dump(shop.app) == before


def test_the_token_of_another_browser_is_worth_nothing(shop: Shop) -> None:
    visit, other = shop.visit("clerk"), shop.visit("stranger")
    assert visit.knock("POST", "/shift/open", token=other.token).status_code == 400


@pytest.mark.parametrize("who", ["clerk", "manager", "auditor", "stranger"])
def test_looking_changes_nothing(shop: Shop, who: str) -> None:
    visit, before = shop.visit(who), dump(shop.app)
    for _, method, path in shop.doors():
        if method != "POST":
            visit.knock(method, path)
    new = [line for line in dump(shop.app) if line not in before]
    assert [line for line in new if not any(seen in line for seen in SEEN) and "journal_heads" not in line] == []
    if not any(seen in line for seen in SEEN for line in new):
        assert new == []


# ------------------------------------------------------------------ armour


ARMOUR = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
}


def check_armour(answer: TestResponse) -> None:
    for name, begins in ARMOUR.items():
        assert answer.headers.get(name, "").startswith(begins), f"{name} at {answer.request.path} ({answer.status_code})"
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "*" not in policy and "frame-ancestors 'none'" in policy
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("who", ["nobody", "clerk"])
def test_every_answer_is_armoured(shop: Shop, who: str) -> None:
    visit = shop.visit(who)
    for rule, method, path in shop.doors():
        answer = visit.knock(method, path)
        check_armour(answer)
        assert answer.headers["Cache-Control"] == "no-store", rule.endpoint


def test_errors_are_armoured_and_tell_nothing(app: Flask) -> None:
    def broken() -> str:
        raise ZeroDivisionError("the secret of the house")

    app.view_functions["status.health"] = login.door(Permission.ANYBODY)(broken)
    client = app.test_client()
    token = token_of(client.get("/enrol"))
    answers = {
        404: client.get("/no/such/page"),
        405: client.post("/health", data={"csrf_token": token}),
        400: client.post("/enrol", data={"code": "x"}),
        413: client.post("/enrol", data={"csrf_token": token, "code": "x" * 300_000}),
        500: client.get("/health"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        check_armour(answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "secret of the house" not in answer.get_data(as_text=True)
        assert "Traceback" not in answer.get_data(as_text=True)
    assert "do not charge again" in answers[500].get_data(as_text=True)


def test_static_files_are_kept_for_good_only_under_their_digest(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/static/app.css?v=0123", buffered=True).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in ("/static/app.css", "/static/none.css?v=1", "/static/../config.py?v=1", "/static/%2e%2e/config.py"):
        answer = client.get(path, buffered=True)
        check_armour(answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "_Part" not in answer.get_data(as_text=True)


def test_only_https_promises_https(app: Flask) -> None:
    client = app.test_client()
    assert "max-age=31536000" in client.get("/health", base_url="https://localhost").headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in client.get("/health").headers


def test_a_host_nobody_announced_is_refused(folder: Path, opened: Callable[[Settings], Flask]) -> None:
    settings = settings_in(folder)
    server = settings.server.model_copy(update={"trusted_hosts": ("till.shop.example",)})
    client = opened(settings.model_copy(update={"server": server})).test_client()
    assert client.get("/enrol", base_url="http://till.shop.example").status_code == 200
    answer = client.get("/enrol", base_url="http://evil.example")
    assert answer.status_code == 400
    assert "evil.example" not in answer.get_data(as_text=True)
    check_armour(answer)


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(shop: Shop) -> None:
    client = shop.app.test_client()
    token = token_of(client.get("/enrol"))
    enrolled = client.post("/enrol/demo", data={"csrf_token": token, "till_code": "LON2"})
    signed_in = client.post("/sign-in", data={"csrf_token": token, "staff_number": "102", "pin": DEMO_PINS["102"]})
    cookies = enrolled.headers.getlist("Set-Cookie") + signed_in.headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"till", "sid"}
    for cookie in cookies:
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_behind_tls_cookies_belong_to_this_host_alone(folder: Path, opened: Callable[[Settings], Flask]) -> None:
    settings = settings_in(folder)
    settings = settings.model_copy(update={"server": settings.server.model_copy(update={"secure_cookies": True})})
    client = opened(settings).test_client()
    first = client.get("/enrol", base_url="https://localhost")
    fields = {"csrf_token": token_of(first), "till_code": "LON1"}
    answer = client.post("/enrol/demo", data=fields, base_url="https://localhost", headers={"Referer": "https://localhost/enrol"})
    cookies = first.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-sid", "__Host-till"}
    for cookie in cookies:
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Domain" not in cookie


def test_the_shortcut_of_the_demo_is_no_door_of_a_shop(folder: Path, opened: Callable[[Settings], Flask]) -> None:
    client = opened(settings_in(folder).model_copy(update={"demo": False})).test_client()
    page = client.get("/enrol")
    assert "LON1" not in page.get_data(as_text=True)
    answer = client.post("/enrol/demo", data={"csrf_token": token_of(page), "till_code": "LON1"})
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


# ------------------------------------------------------------------ stays end at the server


def where(visit: Visit) -> str:
    return met(visit.knock("GET", "/"))


def test_a_copied_cookie_is_dead_after_signing_out(shop: Shop) -> None:
    visit = shop.visit("clerk")
    assert where(visit) == "passes"
    assert visit.knock("POST", "/sign-out").status_code == 302
    assert where(visit) == "to sign in"
    assert met(visit.knock("POST", "/shift/open", float_amount="1.00")) in ("to sign in", "passes")
    assert visit.knock("POST", "/shift/open", float_amount="1.00").location == "/sign-in"


def test_the_next_person_at_a_till_ends_the_stay_of_the_last(shop: Shop) -> None:
    visit = shop.visit("clerk")
    assert visit.knock("POST", "/sign-in", staff_number="102", pin=DEMO_PINS["102"]).location == "/"
    assert where(visit) == "to sign in"


def test_a_stay_belongs_to_its_till(shop: Shop) -> None:
    at_one, at_two = shop.visit("clerk"), shop.visit("till")
    assert where(Visit(shop.app, {**at_one.cookies, "till": at_two.cookies["till"]}, at_one.token)) == "to sign in"
    assert where(Visit(shop.app, {"sid": at_one.cookies["sid"]}, at_one.token)) == "to enrol"
    assert where(Visit(shop.app, {**at_one.cookies, "till": "x" * 43}, at_one.token)) == "to enrol"


def test_enrolling_a_till_again_puts_the_old_browser_out(shop: Shop) -> None:
    """The cookie of the old browser is worth nothing, and its stay not even in the new browser."""
    old = shop.visit("clerk")
    client = shop.app.test_client()
    client.post("/enrol/demo", data={"csrf_token": token_of(client.get("/enrol")), "till_code": "LON1"})
    assert where(old) == "to enrol"
    assert where(Visit(shop.app, {**old.cookies, "till": cookies_of(client)["till"]}, old.token)) == "to sign in"


@pytest.mark.parametrize(("parts", "then"), [({"minutes": 9}, "passes"), ({"minutes": 11}, "to sign in")])
def test_a_till_left_alone_locks_itself(shop: Shop, clock: StandingClock, parts: dict[str, float], then: str) -> None:
    visit = shop.visit("clerk")
    clock.pass_time(**parts)
    assert where(visit) == then


def test_no_stay_is_longer_than_a_day_of_work(shop: Shop, clock: StandingClock) -> None:
    visit = shop.visit("clerk")
    for hours, then in ((12, "passes"), (0.01, "to sign in")):
        clock.pass_time(hours=hours)
        with shop.app.app_context(), transaction() as session:
            session.execute(update(SignIn).values(seen_at=clock.now()))
        assert where(visit) == then


def test_a_suspended_person_is_out_at_once(shop: Shop, clock: StandingClock) -> None:
    visit = shop.visit("clerk")
    with shop.app.app_context(), transaction() as session:
        session.execute(update(Staff).where(Staff.number == "101").values(suspended_at=clock.now()))
    assert where(visit) == "to sign in"
    assert "Amelia" not in shop.app.test_client().get("/sign-in").get_data(as_text=True)


# ------------------------------------------------------------------ PINs


def try_pin(visit: Visit, number: str, pin: str) -> bool:
    """Whether the PIN opened the counter; every refusal reads the same."""
    answer = visit.knock("POST", "/sign-in", staff_number=number, pin=pin)
    if answer.status_code == 302:
        return bool(answer.location == "/")
    body = answer.get_data(as_text=True)
    assert "The name and the PIN do not match, or the account is locked. After five wrong tries wait 15 minutes." in body
    assert 'id="pin-says"' in body
    assert not pin or pin not in re.sub(r"<svg.*?</svg>|Demo PIN \d+|value=\"[^\"]{30,}\"", "", body), (
        "a PIN is never shown again"
    )
    return False


def test_five_wrong_pins_lock_the_person_and_the_right_one_waits(shop: Shop, clock: StandingClock) -> None:
    one, two = shop.visit("till"), shop.visit("stranger")
    for pin in ("000000", "111111", "", "27182", "x" * 12):
        assert not try_pin(one, "101", pin)
    assert not try_pin(one, "101", DEMO_PINS["101"])
    assert try_pin(one, "201", DEMO_PINS["201"]), "another person at the same till"
    assert where(shop.visit("clerk")) == "passes", "a stay that lives goes on: nobody locks out a colleague"
    assert try_pin(two, "302", DEMO_PINS["302"]), "another till"
    clock.pass_time(minutes=14, seconds=59)
    assert not try_pin(one, "101", DEMO_PINS["101"])
    clock.pass_time(minutes=15, seconds=1)
    assert try_pin(one, "101", DEMO_PINS["101"])


def test_a_locked_person_is_locked_at_every_till(shop: Shop) -> None:
    one = shop.visit("till")
    for _ in range(5):
        assert not try_pin(one, "102", "000000")
    at_one = Visit(shop.app, {"till": shop.visit("clerk").cookies["till"]}, "")
    client = shop.app.test_client()
    client.set_cookie("till", at_one.cookies["till"])
    token = token_of(client.get("/enrol"))
    assert not try_pin(Visit(shop.app, cookies_of(client), token), "102", DEMO_PINS["102"])


def test_ten_wrong_pins_lock_the_till_but_no_other(shop: Shop) -> None:
    one, two = shop.visit("till"), shop.visit("stranger")
    for number in ("101", "102"):
        for _ in range(5):
            assert not try_pin(one, number, "000000")
    assert not try_pin(one, "201", DEMO_PINS["201"])
    assert try_pin(two, "302", DEMO_PINS["302"])


def test_people_of_other_shops_and_nobody_cannot_sign_in(shop: Shop) -> None:
    visit = shop.visit("till")
    for number in ("301", "999", "", "'; --", "301\x00", "1" * 400, "３０１"):
        assert not try_pin(visit, number, DEMO_PINS["301"]), repr(number)


def test_a_right_pin_gives_its_try_back(shop: Shop) -> None:
    one = shop.visit("till")
    for _ in range(6):
        assert try_pin(one, "102", DEMO_PINS["102"])


# ------------------------------------------------------------------ where a redirect may lead


AWAY = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\x00/evil.example",
    "javascript:alert(1)",
    " //evil.example",
    "evil.example",
    "",
    "/x:y",
    "http:/evil.example",
    "/\u2028/evil.example",
    "/\u202e//evil.example",
)


def test_no_redirect_leaves_the_shop(app: Flask) -> None:
    client = app.test_client()
    token = token_of(client.get("/enrol"))
    for wanted in AWAY:
        with app.test_request_context():
            assert local_path(wanted) == "/", repr(wanted)
        answer = client.post("/language", data={"csrf_token": token, "language": "en", "next": wanted})
        assert (answer.status_code, answer.location) == (302, "/"), repr(wanted)


def test_a_redirect_within_the_shop_is_followed(app: Flask) -> None:
    with app.test_request_context():
        for wanted in ("/", "/search", "/sales/1/plans?line=lyca_data&budget=10:00"):
            assert local_path(wanted) == wanted


def test_a_page_that_looks_by_itself_keeps_no_till_open(counter: Counter, clock: StandingClock) -> None:
    for _ in range(12):
        clock.pass_time(minutes=1)
        answer = counter.client.get("/status")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/sign-in")
