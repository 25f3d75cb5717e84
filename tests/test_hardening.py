"""What the frameworks leave open, and what nobody may write into the program (security reference, sections 2.7 and 6)."""

from __future__ import annotations

import ast
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from waitress.server import create_server

from pos import app as parts
from pos import mailer
from pos.app import create_app
from pos.cli import server_habits
from pos.domain.permissions import Unguarded
from tests.conftest import settings_in
from tests.counter import Counter
from tests.test_doors import check_armour

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# The sandbox is a carrier and a printer for demonstrations; it never runs in a shop's server.
SOURCES = [
    path for folder in ("pos", "receipts") for path in sorted((ROOT / folder).rglob("*.py")) if "sandbox" not in path.parts
]
SCRIPTS = sorted((ROOT / "pos" / "static").glob("*.js"))


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """(file and line, call, dotted name of what is called) of the whole program."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node, ast.unparse(node.func)


def names() -> Iterator[tuple[str, str]]:
    """(file and line, name) of every module, attribute and variable that the program mentions."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found: list[str] = []
            match node:
                case ast.Import():
                    found = [alias.name for alias in node.names]
                case ast.ImportFrom():
                    found = [f"{node.module}.{alias.name}" for alias in node.names]
                case ast.Attribute():
                    found = [ast.unparse(node)]
                case ast.Name():
                    found = [node.id]
            for name in found:
                yield f"{path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 0)}", name


# ------------------------------------------------------------------ what is not in the program


def test_nothing_is_evaluated() -> None:
    banned = {"eval", "exec", "compile", "__import__", "importlib.import_module"}
    assert [where for where, _, name in calls() if name in banned] == []
    loaders = ("pickle", "marshal", "shelve", "yaml", "xml", "dill", "jsonpickle")
    assert [where for where, name in names() if name.split(".")[0] in loaders] == []


def test_nothing_starts_a_shell() -> None:
    assert [where for where, _, name in calls() if name in ("os.system", "os.popen", "subprocess.getoutput")] == []
    for where, call, name in calls():
        if name.startswith("subprocess."):
            assert not any(word.arg == "shell" for word in call.keywords), where
            assert not call.args or not isinstance(call.args[0], (ast.Constant, ast.JoinedStr)), where


def test_no_pattern_is_built_from_what_was_typed() -> None:
    """A pattern of ours is written in the program. The two places where it is not are tables of the program, too."""
    tables = ("pos/domain/national_numbers.py", "pos/domain/mrz.py", "pos/domain/documents.py", "pos/domain/european_ids.py")
    for where, call, name in calls():
        if name.startswith("re.") and call.args and not isinstance(call.args[0], ast.Constant):
            assert where.split(":")[0] in tables, where


def test_no_template_and_no_view_steps_around_escaping() -> None:
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", text), path.name
    assert [where for where, _, name in calls() if name.endswith("render_template_string")] == []
    made = {where.split(":")[0] for where, _, name in calls() if name in ("Markup", "markupsafe.Markup")}
    drawn = {"pos/web/filters.py", "pos/web/receipts.py", "pos/web/shifts.py", "pos/web/display.py", "pos/web/codes.py"}
    assert made <= drawn, "markup comes from the renderer of receipts and from the form's token alone"


def test_no_page_has_inline_script() -> None:
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']|javascript:|\sstyle=[\"']|<style", text), path.name


def test_scripts_show_text_as_text() -> None:
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), path.name


def test_cryptography_is_nobodys_own() -> None:
    for where, name in names():
        last = name.split(".")[-1].lower()
        assert last not in ("md5", "sha1", "ecb", "arc4", "tripledes", "cipher"), (where, name)
    ciphers = {name for _, name in names() if name.startswith("cryptography.hazmat.primitives.ciphers")}
    assert {name for name in ciphers if not name.endswith("AESGCM")} == set()


def test_secrets_come_from_the_systems_generator() -> None:
    """``random`` makes waits uneven and nothing else."""
    used = {where.split(":")[0] for where, name in names() if name.split(".")[0] == "random"}
    assert used <= {"pos/store/db.py"}
    assert any(name == "secrets.token_urlsafe" for _, name in names())


def test_no_view_mixes_address_and_form() -> None:
    assert [where for where, name in names() if name == "request.values"] == []


def test_the_one_door_that_takes_a_file_keeps_neither_file_nor_name() -> None:
    """A settlement file of the reconciliation: its bytes are read once, within the limit of every form, and let go."""
    assert [where.split(":")[0] for where, name in names() if name == "request.files"] == ["pos/web/reconciliation.py"]
    assert [path.name for path in TEMPLATES if "multipart" in path.read_text(encoding="utf-8")] == ["day.html"]
    door = (ROOT / "pos" / "web" / "reconciliation.py").read_text(encoding="utf-8")
    assert ".save(" not in door and ".filename" not in door


def test_nothing_prints_beside_the_log() -> None:
    """The command line speaks to the person in front of it; everything else writes to the log alone."""
    assert [where for where, _, name in calls() if name == "print"] == []
    handlers = ("logging.FileHandler", "logging.basicConfig", "logging.StreamHandler")
    assert [where for where, _, name in calls() if name in handlers] == []


# ------------------------------------------------------------------ at the start


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("switch", ["FLASK_DEBUG"])
def test_unsafe_switches_stop_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    monkeypatch.setenv(switch, "1")
    with pytest.raises(Unguarded, match="DEBUG"):
        create_app(settings_in(folder), given={})


@pytest.mark.engines("sqlite")
def test_every_unsafe_switch_is_seen(app: Flask, folder: Path) -> None:
    for name in ("DEBUG", "TESTING", "PROPAGATE_EXCEPTIONS", "LOGIN_DISABLED"):
        app.config[name] = True
        with pytest.raises(Unguarded, match=name):
            parts.refuse_unsafe(app, settings_in(folder))
        app.config[name] = False
    parts.refuse_unsafe(app, settings_in(folder))


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "till.shop.example", ""])
def test_the_demo_listens_on_this_machine_alone(folder: Path, host: str) -> None:
    settings = settings_in(folder)
    assert settings.demo
    elsewhere = settings.model_copy(update={"server": settings.server.model_copy(update={"host": host})})
    with pytest.raises(Unguarded, match="this machine only"):
        create_app(elsewhere, given={})


# ------------------------------------------------------------------ what comes from elsewhere


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("said", ["cross-site", "same-site", "nonsense"])
def test_other_sites_are_refused_before_anything_else(counter: Counter, said: str) -> None:
    page = counter.get("/")
    form = {"csrf_token": page.hidden("csrf_token")}
    for path in ("/language", "/sign-out", "/enrol", "/no/such/page"):
        answer = counter.client.post(path, data=form, headers={"Sec-Fetch-Site": said})
        assert answer.status_code in (400, 404), path
        check_armour(answer)
    assert counter.get("/").status == 200, "still signed in"
    assert counter.client.get("/", headers={"Sec-Fetch-Site": said}).status_code == 200, "a link from elsewhere only looks"
    for own in ("same-origin", "none"):
        assert counter.client.post("/language", data=form, headers={"Sec-Fetch-Site": own}).status_code == 302


@pytest.mark.engines("sqlite")
def test_nothing_a_caller_says_of_proxies_is_believed(counter: Counter) -> None:
    lies = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "X-Original-URL": "/shift/x",
        "X-Rewrite-URL": "/shift/x",
        "X-HTTP-Method-Override": "DELETE",
        "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    }
    counter.client.post("/sign-out", data={"csrf_token": counter.get("/").hidden("csrf_token")})
    answer = counter.client.get("/", headers=lies)
    assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert "Strict-Transport-Security" not in answer.headers
    assert "evil" not in answer.get_data(as_text=True) + str(answer.headers)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("text", ["x\r\nSet-Cookie: a=b", "x\nX-Evil: 1", "x%0d%0aX-Evil: 1", "x\u2028X-Evil: 1"])
def test_no_header_can_be_written_from_outside(counter: Counter, text: str) -> None:
    token = counter.get("/").hidden("csrf_token")
    answers = [
        counter.client.post("/language", data={"csrf_token": token, "language": text, "next": "/" + text}),
        counter.client.get(f"/receipts/{text}.pdf"),
        counter.client.get("/static/app.css", query_string={"v": text}, buffered=True),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert "X-Evil" not in answer.headers and "a=b" not in str(answer.headers.getlist("Set-Cookie"))
        assert all("\n" not in value and "\r" not in value for _, value in answer.headers)


@pytest.mark.parametrize("text", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nBcc: c@d.example"])
def test_no_letter_gains_a_header(text: str) -> None:
    letter: Any = type("L", (), {"subject": "s", "name": "n", "body": "b", "file_name": "f.pdf", "address": "a@b.example"})()
    letter.attachment = lambda: b"%PDF-"
    account = mailer.Account(host="h", port=25, encryption="none", sender="shop@shop.example")
    assert mailer.message(letter, account)["Bcc"] is None
    for field in ("address", "subject"):
        kept = getattr(letter, field)
        setattr(letter, field, text)
        with pytest.raises(ValueError, match="linefeed|newline|header|Header|CR"):
            mailer.message(letter, account)
        setattr(letter, field, kept)


@pytest.mark.parametrize("text", ['x\n{"event": "staff.signed_in"}', "x\r\nfaked", "\x1b[2J\x1b]0;evil\x07", "\u202egpj.exe"])
def test_a_line_of_the_log_stays_one_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    parts._log_as("info")
    structlog.get_logger().warning("web.something", endpoint=text, kind=text)
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert json.loads(written)["endpoint"] == text
    assert written.isascii() and "\x1b" not in written and "\x07" not in written


# ------------------------------------------------------------------ answers


@pytest.mark.engines("sqlite")
def test_every_answer_says_what_it_is(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    wanted = {
        "/": "text/html; charset=utf-8",
        "/no/such/page": "text/html; charset=utf-8",
        "/receipts/LON1-000001.pdf": "application/pdf",
        "/r/keys.json": "application/json",
        "/static/app.css": "text/css; charset=utf-8",
        "/static/app.js": "text/javascript; charset=utf-8",
        "/static/mark.svg": "image/svg+xml; charset=utf-8",
        "/api/v1/openapi.json": "application/json",
        "/api/v1/no-such": "application/problem+json",
    }
    for path, kind in wanted.items():
        answer = counter.client.get(path, buffered=True)
        assert answer.headers["Content-Type"] == kind, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path


@pytest.mark.engines("sqlite")
def test_downloads_have_names_of_our_own(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    answer = counter.client.get("/receipts/LON1-000001.pdf?filename=evil.exe&paper=a4")
    assert answer.headers["Content-Disposition"] == 'inline; filename="LON1-000001.pdf"'
    for name in ('LON1-000001".pdf', "LON1-000001;x.pdf", "..%2fx.pdf", "LON1-000001%00.pdf", "\u202efdp.exe.pdf"):
        strange = counter.client.get(f"/receipts/{name}")
        assert strange.status_code == 404 and "Content-Disposition" not in strange.headers, name


@pytest.mark.engines("sqlite")
def test_no_other_method_is_answered(counter: Counter) -> None:
    for method in ("TRACE", "TRACK", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND", "DEBUG"):
        answer = counter.client.open("/", method=method, headers={"X-Secret": "mirror-me"})
        assert answer.status_code in (400, 405), method
        assert "mirror-me" not in answer.get_data(as_text=True)
        check_armour(answer)


@pytest.mark.engines("sqlite")
def test_no_folder_is_listed(counter: Counter) -> None:
    for path in ("/static/", "/static", "/static/vendor/", "/receipts/", "/api/", "/api/v1/", "/.git/", "/.git/config", "/.env"):
        answer = counter.client.get(path)
        assert answer.status_code in (404, 405, 308), path
        assert "htmx" not in answer.get_data(as_text=True).partition("<main")[2], path


@pytest.mark.engines("sqlite")
def test_signing_out_clears_the_browser_but_not_the_till(counter: Counter) -> None:
    answer = counter.client.post("/sign-out", data={"csrf_token": counter.get("/").hidden("csrf_token")})
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    cookie = counter.client.get_cookie("till")
    assert cookie is not None and cookie.value
    assert counter.client.get("/", follow_redirects=True).request.path == "/sign-in", "a till still, and nobody at it"


@pytest.mark.engines("sqlite")
def test_signing_out_is_on_every_page(counter: Counter) -> None:
    counter.open_shift().ready_to_pay()
    for path in ("/", "/search", "/printing", "/unfinished", "/shift", f"/sales/{counter.sale_id}", "/no/such/page"):
        assert 'action="/sign-out"' in counter.get(path).text, path


@pytest.mark.engines("sqlite")
def test_pins_are_typed_hidden_and_may_be_pasted(counter: Counter) -> None:
    counter.post("/sign-out", {})
    (field,) = re.findall(r'<input[^>]*name="pin"[^>]*>', counter.page.text)
    assert 'type="password"' in field
    for path in [*TEMPLATES, *SCRIPTS]:
        assert not re.search(r"onpaste|['\"]paste['\"]", path.read_text(encoding="utf-8")), path.name


@pytest.mark.engines("sqlite")
def test_a_fixed_cookie_is_worth_nothing_after_signing_in(app: Flask, counter: Counter) -> None:
    """The cookie that a stranger put into the browser before the sign-in opens nothing afterwards."""
    counter.post("/sign-out", {})
    planted = counter.client.get_cookie("sid")
    till = counter.client.get_cookie("till")
    assert planted is not None and till is not None
    counter.sign_in("101")
    mine = counter.client.get_cookie("sid")
    assert mine is not None and mine.value != planted.value
    stranger = app.test_client()
    stranger.set_cookie("sid", planted.value)
    stranger.set_cookie("till", till.value)
    assert stranger.get("/").location == "/sign-in"


@pytest.mark.engines("sqlite")
def test_the_cookies_stand_on_no_page_and_in_no_log(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    parts._log_as("info")
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    with counter.client.session_transaction() as kept:
        stay = str(kept["_user_id"])
    secrets = [stay, *(str(found.value) for name in ("sid", "till") if (found := counter.client.get_cookie(name)))]
    assert len(secrets) == 3 and all(len(secret) > 20 for secret in secrets)
    pages = [counter.get(path).text for path in ("/", "/search", "/printing", f"/sales/{counter.sale_id}", "/no/such")]
    written = capsys.readouterr()
    for secret in secrets:
        assert not any(secret in page for page in pages)
        assert secret not in written.out + written.err


@pytest.mark.engines("sqlite")
def test_a_refused_right_is_in_the_log(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    parts._log_as("info")
    assert counter.get("/prices").status == 403
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line for line in lines if line["event"] == "web.not_allowed"]
    assert [(line["staff"], line["till"]) for line in told] == [("101", "LON1")]
    assert told[0]["endpoint"].startswith("prices.")


# ------------------------------------------------------------------ the server in front


LONGEST = 64 * 1024


@pytest.fixture
def address(app: Flask, folder: Path) -> Iterator[tuple[str, int]]:
    """The shop behind the server that a shop runs, on a port of its own."""
    settings = settings_in(folder)
    small = settings.server.model_copy(update={"longest_body_kilobytes": LONGEST // 1024, "threads": 2})
    habits = server_habits(settings.model_copy(update={"server": small}))
    server = create_server(app, host="127.0.0.1", port=0, **habits)
    runs = threading.Thread(target=server.run, daemon=True)
    runs.start()
    yield "127.0.0.1", int(server.effective_port)
    server.close()
    runs.join(5)


def said(address: tuple[str, int], raw: bytes) -> bytes:
    """All that the server answers to these bytes until it hangs up or falls silent."""
    answer = b""
    with closing(socket.create_connection(address, timeout=3)) as line:
        line.sendall(raw)
        try:
            while part := line.recv(65536):
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


@pytest.mark.engines("sqlite")
def test_the_server_refuses_what_has_two_lengths(address: tuple[str, int]) -> None:
    """Whoever stands in front may read one length and we the other: then there would be a second request in the first."""
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    start = b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    both = start + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden
    two = start + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    odd = start + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden
    for raw in (both, two, odd):
        answer = said(address, raw)
        assert answer.count(b"HTTP/1.") == 1, answer[:200]
        assert b" 200 " not in answer.splitlines()[0]


@pytest.mark.engines("sqlite")
def test_no_body_is_longer_than_the_configuration_says(address: tuple[str, int]) -> None:
    told = b"POST /language HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (LONGEST + 1)
    assert b" 413 " in said(address, told + b"x" * 1000).splitlines()[0], "refused by its length alone"
    endless = b"POST /language HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 8 + b"0\r\n\r\n"
    assert b" 413 " in said(address, endless + chunks).splitlines()[0]


@pytest.mark.engines("sqlite")
def test_the_server_does_not_say_what_it_is_made_of(address: tuple[str, int]) -> None:
    for path in (b"/health", b"/no/such/page", b"/api/v1/x"):
        answer = said(address, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
        for word in (b"waitress", b"werkzeug", b"python", b"flask", b"traceback"):
            assert word not in answer, (path, word)
