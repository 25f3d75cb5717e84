"""The virtual printer over real sockets, its page and its JSON."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pos.sandbox.page_server import PageServer
from pos.sandbox.paper_page import CONTENT_SECURITY_POLICY, create_paper_app
from pos.sandbox.paper_words import CONDITIONS, EFFECTS, LANGUAGES, WORDS, choose
from pos.sandbox.printer import Condition, VirtualPrinter
from pos.sandbox.printer_main import is_loopback, main, running
from pos.sandbox.printer_session import RealTimeEar

ASK_ALL = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
ASK_IN_ORDER = b"\x1dr\x01"
ASK_COMPLETION = b"\x1d(H\x06\x0000"
PULSE = b"\x1bp\x00\x19\xfa"
CUT = b"\x1dVB\x00"
BAND = b"\x1dv0\x00\x48\x00\x80\x00" + b"\xaa" * 72 * 128
SHORT = b"short\n" + ASK_IN_ORDER
RECEIPT = b"\x1b@" + BAND * 3 + CUT


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as printer:
        yield printer


@pytest.fixture
def client(printer: VirtualPrinter) -> FlaskClient:
    return create_paper_app(printer).test_client()


def connect(printer: VirtualPrinter) -> socket.socket:
    return socket.create_connection((printer.host, printer.port), timeout=5)


def receive(line: socket.socket, count: int) -> bytes:
    """Exactly ``count`` bytes, or fewer if the printer ends the connection."""
    answer = b""
    while len(answer) < count and (more := line.recv(count - len(answer))):
        answer += more
    return answer


def finish(line: socket.socket) -> bytes:
    """Half-close, and everything the printer still says."""
    line.shutdown(socket.SHUT_WR)
    return receive(line, 1000)


def send(printer: VirtualPrinter, data: bytes) -> bytes:
    """One job on a connection of its own; the printer's answers."""
    with connect(printer) as line:
        line.sendall(data)
        return finish(line)


def silent(line: socket.socket, seconds: float = 0.2) -> bool:
    line.settimeout(seconds)
    try:
        return not line.recv(1)
    except TimeoutError:
        return True
    finally:
        line.settimeout(5)


# Answers


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("ready", "12121212"),
        ("near_end", "1212121e"),
        ("paper_out", "1a32127e"),
        ("cover_open", "1a161212"),
        ("offline", "1a121212"),
        ("slow", "12121212"),
        ("stall", "12121212"),
        ("reset", "12121212"),
    ],
)
def test_it_tells_its_condition_in_real_time(printer: VirtualPrinter, condition: str, answer: str) -> None:
    printer.set_condition(condition)
    with connect(printer) as line:
        line.sendall(ASK_ALL)
        assert receive(line, 4).hex() == answer
    assert printer.papers() == [], "asking is no job"


def test_it_answers_only_the_four_questions_it_knows(printer: VirtualPrinter) -> None:
    assert send(printer, b"\x10\x04\x00\x10\x04\x05\x10\x05\x01\x10\x04\x01") == b"\x12"


def test_a_question_split_over_two_deliveries_is_still_heard(printer: VirtualPrinter) -> None:
    with connect(printer) as line:
        for byte in b"\x10\x10\x04\x04":
            line.sendall(bytes((byte,)))
            time.sleep(0.02)
        assert receive(line, 1) == b"\x12"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"\x10", b"\x04", b"\x14", b"\x01", b"a", b"\x10\x04\x02", b"\x10\x14\x01\x00\x01"])))
def test_real_time_commands_are_heard_alike_however_they_are_delivered(pieces: list[bytes]) -> None:
    one_by_one, at_once = RealTimeEar(), RealTimeEar()
    assert [heard for piece in pieces for heard in one_by_one.hear(piece)] == at_once.hear(b"".join(pieces))


def test_markers_are_answered_in_order_after_the_data_before_them(printer: VirtualPrinter) -> None:
    with connect(printer) as line:
        line.sendall(BAND + ASK_IN_ORDER + BAND[:5000])
        assert receive(line, 1) == b"\x00"
        line.sendall(b"\x10\x04\x01")
        assert receive(line, 1) == b"\x12", "real time does not wait for the picture"
        line.sendall(BAND[5000:] + ASK_COMPLETION + b"4711" + ASK_IN_ORDER)
        assert receive(line, 8) == b"\x37\x224711\x00\x00"


def test_a_marker_inside_a_picture_is_no_question(printer: VirtualPrinter) -> None:
    picture = b"\x1dv0\x00\x03\x00\x01\x00" + ASK_IN_ORDER
    assert send(printer, picture + ASK_IN_ORDER) == b"\x00"


def test_a_marker_waits_while_the_picture_before_it_is_not_whole(printer: VirtualPrinter) -> None:
    with connect(printer) as line:
        line.sendall(BAND[:-1])
        assert silent(line)
        line.sendall(BAND[-1:] + ASK_IN_ORDER)
        assert receive(line, 1) == b"\x00"


def test_near_end_shows_in_the_answer_in_order(printer: VirtualPrinter) -> None:
    printer.set_condition(Condition.NEAR_END)
    assert send(printer, RECEIPT + ASK_IN_ORDER) == b"\x03"
    assert printer.papers()[0].complete


# Papers


def test_a_job_becomes_a_paper_before_the_sender_sees_the_end(printer: VirtualPrinter) -> None:
    send(printer, ASK_ALL + RECEIPT + ASK_IN_ORDER)
    (paper,) = printer.papers()
    assert paper.data == RECEIPT + ASK_IN_ORDER, "status requests are no part of the job"
    assert (paper.complete, paper.error, paper.drawer, paper.cut) == (True, None, False, True)
    assert (paper.width, paper.height) == (576, 3 * 128 + 8)
    assert Image.open(io.BytesIO(paper.png or b"")).size == (paper.width, paper.height)
    assert paper.received_at.utcoffset() is not None


def test_a_pulse_opens_the_drawer_and_leaves_no_paper(printer: VirtualPrinter) -> None:
    send(printer, b"\x1b@" + PULSE)
    (paper,) = printer.papers()
    assert (paper.drawer, paper.complete, paper.error, paper.png) == (True, True, None, None)


def test_a_real_time_pulse_inside_a_picture_opens_the_drawer_and_is_refused(printer: VirtualPrinter) -> None:
    send(printer, b"\x1dv0\x00\x05\x00\x01\x00\x10\x14\x01\x00\x01")
    (paper,) = printer.papers()
    assert paper.drawer and "real-time" in (paper.error or "")


def test_what_the_reader_refuses_is_kept_with_the_reason_and_the_part_before_it(printer: VirtualPrinter) -> None:
    send(printer, b"Total\n\xd6\xd0\n" + PULSE)
    (paper,) = printer.papers()
    assert paper.complete and paper.drawer, "a printer goes on after bytes it does not know"
    assert paper.error == "Chinese bytes while Chinese is off: byte 6, d6 d0 0a 1b 70 00 19 fa"
    assert (paper.height, paper.error_offset) == (30, 6)


def test_a_sender_that_stops_inside_a_command_leaves_an_incomplete_paper(printer: VirtualPrinter) -> None:
    send(printer, BAND[: 8 + 72 * 10 + 3])
    (paper,) = printer.papers()
    assert not paper.complete and paper.height == 10
    assert (paper.error or "").startswith("the sender stopped in the middle of a command; the job ends inside")


def test_it_keeps_the_last_two_hundred_and_numbers_never_come_twice(printer: VirtualPrinter) -> None:
    for _ in range(203):
        send(printer, PULSE)
    numbers = [paper.number for paper in printer.papers()]
    assert numbers == list(range(4, 204))
    printer.clear()
    assert printer.papers() == []
    send(printer, PULSE)
    assert printer.paper(204) is not None and printer.paper(203) is None


def test_one_connection_at_a_time(printer: VirtualPrinter) -> None:
    with connect(printer) as first, connect(printer) as second:
        first.sendall(b"first\n")
        second.sendall(b"\x10\x04\x01second\n")
        assert silent(second), "the second sender waits"
        finish(first)
        assert receive(second, 1) == b"\x12"
        finish(second)
    assert [paper.data for paper in printer.papers()] == [b"first\n", b"second\n"]


def test_waiting_for_papers_ends_in_time(printer: VirtualPrinter) -> None:
    threading.Timer(0.05, send, (printer, PULSE)).start()
    assert len(printer.wait_for_papers(1)) == 1
    with pytest.raises(TimeoutError, match="1 of 2 papers"):
        printer.wait_for_papers(2, timeout_seconds=0.05)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([ASK_ALL, BAND, ASK_COMPLETION]))).map(b"".join))
def test_no_bytes_whatever_stop_the_printer(data: bytes) -> None:
    with VirtualPrinter(port=0) as printer:
        send(printer, data)
        assert send(printer, ASK_ALL[:3]) == b"\x12"


# Conditions and faults


@pytest.mark.parametrize("condition", ["paper_out", "cover_open", "offline"])
def test_what_is_sent_waits_until_the_printer_is_ready_again(printer: VirtualPrinter, condition: str) -> None:
    printer.set_condition(condition)
    with connect(printer) as line:
        line.sendall(RECEIPT + PULSE + ASK_IN_ORDER)
        assert silent(line)
        line.sendall(b"\x10\x04\x01")
        assert receive(line, 1) == b"\x1a", "it can be asked meanwhile"
        printer.set_condition("ready")
        assert receive(line, 1) == b"\x00"
        finish(line)
    (paper,) = printer.papers()
    assert paper.complete and paper.drawer and paper.data == RECEIPT + PULSE + ASK_IN_ORDER


def test_a_job_that_cannot_wait_is_lost(printer: VirtualPrinter) -> None:
    printer.set_condition("paper_out")
    assert send(printer, RECEIPT + PULSE + b"\x10\x04\x04" + ASK_IN_ORDER) == b"\x7e"
    (paper,) = printer.papers()
    assert (paper.complete, paper.drawer, paper.png) == (False, False, None)
    assert paper.data == RECEIPT + PULSE + ASK_IN_ORDER
    assert paper.error == "not printed to the end: the paper was out"


def test_a_mute_printer_prints_and_says_nothing(printer: VirtualPrinter) -> None:
    printer.set_condition("mute")
    assert send(printer, ASK_ALL + RECEIPT + ASK_IN_ORDER + ASK_COMPLETION + b"4711") == b""
    assert printer.papers()[0].complete and printer.papers()[0].error is None


def test_a_slow_printer_takes_twenty_kilobytes_a_second(printer: VirtualPrinter) -> None:
    printer.set_condition("slow")
    begun = time.monotonic()
    assert send(printer, BAND + ASK_IN_ORDER) == b"\x00"
    assert 0.4 < time.monotonic() - begun < 2
    assert printer.papers()[0].complete


def test_a_stalled_printer_answers_nothing_until_it_is_freed(printer: VirtualPrinter) -> None:
    printer.set_condition("stall")
    with connect(printer) as line:
        line.sendall(RECEIPT + ASK_IN_ORDER + b"\x10\x04\x01")
        assert silent(line)
        printer.set_condition("ready")
        assert sorted(receive(line, 2)) == [0x00, 0x12]
        finish(line)
    assert printer.papers()[0].complete


def test_a_stalled_printer_can_be_switched_off() -> None:
    with VirtualPrinter(port=0) as printer:
        printer.set_condition("stall")
        with connect(printer) as line:
            line.sendall(RECEIPT)
            assert silent(line)
            printer.stop()
    (paper,) = printer.papers()
    assert not paper.complete and len(paper.data) == 3000


@pytest.mark.parametrize(("job", "kept"), [(RECEIPT, RECEIPT[:3000]), (SHORT, SHORT)])
def test_a_reset_comes_mid_job_and_at_the_latest_instead_of_the_confirmation(
    printer: VirtualPrinter, job: bytes, kept: bytes
) -> None:
    printer.set_condition("reset")
    with connect(printer) as line, pytest.raises(ConnectionError):
        line.sendall(job)
        while line.recv(1):
            pass
        raise AssertionError("the connection ended in good order")
    (paper,) = printer.wait_for_papers(1)
    assert not paper.complete and paper.data == kept
    assert (paper.error or "").startswith("the printer dropped the connection")
    assert paper.height == (41 if job is RECEIPT else 30), "what came before the reset is on the paper"


def test_a_sender_that_vanishes_leaves_an_incomplete_paper(printer: VirtualPrinter) -> None:
    with connect(printer) as line:
        line.sendall(b"half\n")
        time.sleep(0.1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
    (paper,) = printer.wait_for_papers(1)
    assert not paper.complete and paper.error == "the sender dropped the connection"


def test_it_refuses_connections_and_takes_them_again_on_the_same_port(printer: VirtualPrinter) -> None:
    port = printer.port
    for _ in range(3):
        printer.set_condition("refuse")
        with pytest.raises(ConnectionRefusedError):
            connect(printer).close()
        printer.set_condition("ready")
        assert send(printer, ASK_ALL) == b"\x12" * 4
    assert printer.port == port


def test_an_idle_sender_is_sent_away_and_the_next_one_served() -> None:
    with VirtualPrinter(port=0, idle_seconds=0.1) as printer, connect(printer) as idle:
        assert receive(idle, 1) == b""
        assert send(printer, ASK_ALL) == b"\x12" * 4


def test_an_unknown_condition_changes_nothing(printer: VirtualPrinter) -> None:
    with pytest.raises(ValueError, match="on fire"):
        printer.set_condition("on fire")
    assert printer.condition is Condition.READY


def test_a_taken_port_moves_to_the_next_free_one(printer: VirtualPrinter) -> None:
    with VirtualPrinter(port=printer.port) as second:
        assert second.wished_port == printer.port
        assert printer.port < second.port < printer.port + 20
        assert send(second, ASK_ALL[:3]) == b"\x12"


# The page and its JSON


class Page(HTMLParser):
    """What a page shows and what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_json_lists_the_papers_oldest_first(printer: VirtualPrinter, client: FlaskClient) -> None:
    send(printer, RECEIPT)
    send(printer, b"\xff" + PULSE)
    first, second = client.get("/papers").get_json()
    assert {key: first[key] for key in ("id", "drawer", "complete", "error", "width", "height", "cut", "bytes")} == {
        "id": 1, "drawer": False, "complete": True, "error": None, "width": 576, "height": 392, "cut": True,
        "bytes": len(RECEIPT),
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first["time"])
    assert (second["id"], second["drawer"], second["height"]) == (2, True, 0)
    assert second["error"].startswith("not a command of ours: byte 0")


def test_pictures_and_bytes_can_be_fetched(printer: VirtualPrinter, client: FlaskClient) -> None:
    send(printer, RECEIPT)
    send(printer, PULSE)
    picture = client.get("/papers/1.png")
    assert (picture.mimetype, Image.open(io.BytesIO(picture.data)).size) == ("image/png", (576, 392))
    assert client.get("/papers/1.png", headers={"If-None-Match": picture.headers["ETag"]}).status_code == 304
    assert client.get("/papers/1.bin").data == RECEIPT
    assert client.get("/papers/2.bin").data == PULSE
    assert [client.get(path).status_code for path in ("/papers/2.png", "/papers/3.png", "/papers/3.bin")] == [404] * 3


def test_the_switches_work_over_json(printer: VirtualPrinter, client: FlaskClient) -> None:
    answer = client.post("/condition", json={"condition": "paper_out"})
    assert answer.get_json()["condition"] == "paper_out"
    assert printer.condition is Condition.PAPER_OUT
    for nonsense in ({"condition": "on fire"}, {}, [], {"condition": 7}):
        assert client.post("/condition", json=nonsense).status_code == 400
    assert client.post("/condition", data=b"{", content_type="application/json").status_code == 400
    assert printer.condition is Condition.PAPER_OUT


def test_tearing_off_clears(printer: VirtualPrinter, client: FlaskClient) -> None:
    send(printer, PULSE)
    assert client.post("/clear", json={}).status_code == 200
    assert client.get("/papers").get_json() == []


def test_the_version_differs_whenever_the_page_would(printer: VirtualPrinter, client: FlaskClient) -> None:
    seen = [client.get("/state").get_json()["version"]]
    for change in (lambda: send(printer, PULSE), lambda: printer.set_condition("slow"), printer.clear):
        change()
        seen.append(client.get("/state").get_json()["version"])
    assert len(set(seen)) == 4
    assert client.get("/state").get_json() == {"version": seen[-1], "condition": "slow"}


def test_buttons_lead_back_to_the_page_and_keep_the_language(printer: VirtualPrinter, client: FlaskClient) -> None:
    answer = client.post("/condition?lang=zh-Hant", data={"condition": "mute"}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.location) == (303, "/?lang=zh-Hant")
    assert printer.condition is Condition.MUTE
    assert client.post("/clear", headers={"Accept": "text/html"}).location == "/"


def test_another_site_cannot_press_the_buttons(printer: VirtualPrinter, client: FlaskClient) -> None:
    for origin in ("https://elsewhere.example", "null"):
        answer = client.post("/condition", data={"condition": "refuse"}, headers={"Origin": origin})
        assert answer.status_code == 403
    assert printer.condition is Condition.READY
    own = client.post("/condition", data={"condition": "slow"}, headers={"Origin": "http://localhost"})
    assert own.status_code in (200, 303)


def test_the_page_shows_every_paper_newest_first(printer: VirtualPrinter, client: FlaskClient) -> None:
    send(printer, RECEIPT)
    send(printer, b"ok\n<script>\xff" + PULSE)
    html = client.get("/").text
    page = Page(html)
    assert [attributes["src"] for attributes in page.all("img")] == ["/papers/2.png", "/papers/1.png"]
    assert html.index("No. 2") < html.index("No. 1")
    assert html.count("Drawer opened") == 1
    assert "6f 6b 0a 3c 73 63" in html, "the bytes around the mistake"
    assert all(attributes["alt"] and attributes["width"] == "576" for attributes in page.all("img"))


def test_the_page_has_a_button_for_every_condition_and_marks_the_present_one(client: FlaskClient) -> None:
    buttons = Page(client.get("/").text).all("button")
    values = {button["value"] for button in buttons if "value" in button}
    assert values == set(Condition)
    assert [button["value"] for button in buttons if button.get("aria-pressed")] == ["ready"]


def test_the_page_obeys_its_own_policy_and_works_without_script(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    page = Page(answer.text)
    assert not page.all("style") and not any("style" in attributes for _tag, attributes in page.tags)
    assert not any(name.startswith("on") for _tag, attributes in page.tags for name in attributes)
    own = [attributes.get("src") for attributes in page.all("script")] + [
        attributes["href"] for attributes in page.all("link") if attributes["rel"] == "stylesheet"
    ]
    assert len(own) == 2
    for path in own:
        with client.get(str(path)) as file:
            assert file.status_code == 200
    assert {attributes["method"] for attributes in page.all("form")} == {"post"}
    assert ">Refresh</a>" in answer.text
    names = [attributes["id"] for _tag, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, [], "en"),
        (None, ["de", "zh-TW", "en"], "zh-Hant"),
        (None, ["zh-CN"], "zh-Hans"),
        (None, ["zh"], "zh-Hans"),
        ("zh_Hant", ["en"], "zh-Hant"),
        ("zh-HK", [], "zh-Hant"),
        ("en-GB", ["zh"], "en"),
        ("xx", ["fr"], "en"),
    ],
)
def test_the_language_is_the_first_one_we_have(asked: str | None, accepted: list[str], language: str) -> None:
    assert choose(asked, accepted) == language


def test_the_page_speaks_three_languages(client: FlaskClient) -> None:
    assert 'lang="zh-Hans"' in client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).text
    assert "撕下收據" in client.get("/?lang=zh-Hant").text
    assert "Tear off" in client.get("/").text


def test_every_word_and_condition_is_there_in_every_language() -> None:
    assert set(CONDITIONS) == set(EFFECTS) == set(Condition)
    for entry in (*WORDS.values(), *CONDITIONS.values(), *EFFECTS.values()):
        assert len(entry) == len(LANGUAGES) and all(entry)
        assert len({frozenset(re.findall(r"\{\w+\}", text)) for text in entry}) == 1


# Starting and stopping


def test_only_this_computer_unless_somebody_insists(capsys: pytest.CaptureFixture[str]) -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.5", "printer.example", "")] == [False] * 5
    with pytest.raises(SystemExit) as ended:
        main(["--host", "0.0.0.0"])
    assert ended.value.code == 2 and "--allow-any-host" in capsys.readouterr().err


def test_page_and_printer_run_together_and_taken_ports_move() -> None:
    with (
        running("127.0.0.1", 0, 0) as (printer, page),
        running("127.0.0.1", printer.port, page.port) as (other, beside),
    ):
        assert (other.port, beside.port) != (printer.port, page.port)
        send(other, RECEIPT)
        with urllib.request.urlopen(f"{beside.address}papers", timeout=5) as answer:
            assert b'"height":392' in answer.read()


def test_the_page_server_ends_although_a_browser_keeps_its_connection(printer: VirtualPrinter) -> None:
    begun = time.monotonic()
    with PageServer(create_paper_app(printer), "127.0.0.1", 0) as page:
        browser = socket.create_connection(("127.0.0.1", page.port), timeout=5)
        browser.sendall(b"GET /state HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert receive(browser, 12) == b"HTTP/1.1 200"
    browser.close()
    assert time.monotonic() - begun < 3


@pytest.mark.process
def test_the_program_says_where_it_listens_and_stops_when_told() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-u", "-m", "pos.sandbox.printer_main", "--port", "0", "--page-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as program:
        assert program.stdout is not None
        lines = [program.stdout.readline(), program.stdout.readline()]
        program.terminate()
        status = program.wait(10)
    assert re.fullmatch(r"printer listening on 127\.0\.0\.1:\d+\n", lines[0])
    assert re.fullmatch(r"paper page on http://127\.0\.0\.1:\d+/\n", lines[1])
    assert status == 0 or sys.platform == "win32", "there terminate() leaves no time to say goodbye"
