"""The strings behind the stage: the JSON interface for tests and the page for people."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from sandbox_shop import LYCA, PRODUCTS, Shop

from pos.sandbox.faults import TABLE
from pos.sandbox.server import SandboxServer
from pos.sandbox.words import LANGUAGES, WORDS


def test_the_books_tell_everything_a_test_compares(shop: Shop) -> None:
    shop.renew("R-1")
    shop.renew("R-1")
    shop.ask("GET", "/wallet")
    books = shop.ask("GET", "/control/books").json
    [debit] = books["debits"]
    assert debit.pop("at").endswith("Z")
    assert debit == {
        "ref": "R-1",
        "order_id": "PO-000001",
        "number": LYCA,
        "offering": "lyca-data-gb-30d-10g",
        "amount_minor": 920,
        "currency": "GBP",
        "state": "completed",
    }
    assert books["wallets"] == {"GBP": 499_080, "HKD": 5_000_000}
    assert [(o["id"], o["state"]) for o in books["orders"]] == [("PO-000001", "completed")]
    assert books["requests"] == {"POST token": 1, "POST productOrder": 2, "GET wallet": 1}
    assert books["submits_by_ref"] == {"R-1": 2}
    assert books["reversals"] == []


def test_the_clock_moves_lines_towards_their_end(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/clock", {"advance_seconds": 400 * 86400})
    shop.sign_in()
    [product] = shop.ask("GET", PRODUCTS, productSerialNumber=LYCA).json
    assert product["status"] == "terminated"


def test_a_subscriber_can_be_written_over(shop: Shop) -> None:
    shop.ask("POST", "/control/subscriber", {"number": LYCA, "status": "barred"})
    assert shop.ask("GET", PRODUCTS, productSerialNumber=LYCA).json[0]["status"] == "aborted "
    assert shop.renew("R-1").json["code"] == "INELIGIBLE"
    who = shop.ask(
        "POST",
        "/control/subscriber",
        {"number": LYCA, "status": "active", "expires_in_seconds": 60, "data_mb": 5, "offering": "lyca-data-gb-1d"},
    ).json
    assert (who["status"], who["data_mb"], who["offering"]) == ("active", 5, "lyca-data-gb-1d")
    assert shop.ask("GET", "/control/subscriber", number=LYCA).json == who
    assert shop.renew("R-1").status == 201


def test_reset_empties_everything(server: SandboxServer, shop: Shop) -> None:
    shop.renew("R-1")
    shop.ask("POST", "/control/faults", {"fault": "off", "where": "any"})
    shop.ask("POST", "/control/clock", {"advance_seconds": 600})
    shop.ask("POST", "/control/reset", {})
    books = shop.ask("GET", "/control/books").json
    assert books["debits"] == books["orders"] == [] and books["requests"] == {}
    assert books["wallets"] == {"GBP": 500_000, "HKD": 5_000_000}
    assert shop.renew("R-1").status == 201


def test_settings_and_tokens(server: SandboxServer, shop: Shop) -> None:
    assert shop.ask("POST", "/control/settings", {"late_seconds": 0.05}).json["late_seconds"] == 0.05
    shop.ask("POST", "/control/revoke-tokens", {})
    assert shop.ask("GET", "/wallet").status == 401


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("faults", {"fault": "sulking"}, "INVALID_VALUE"),
        ("faults", {"fault": "late", "where": "nowhere"}, "INVALID_VALUE"),
        ("faults", {"fault": "late", "count": 0}, "INVALID_VALUE"),
        ("faults", {}, "MISSING_MEMBER"),
        ("clock", {"advance_seconds": "1"}, "INVALID_VALUE"),
        ("clock", {"advance_seconds": True}, "INVALID_VALUE"),
        ("wallet", {"currency": "EUR", "available_minor": 1}, "INVALID_VALUE"),
        ("subscriber", {"number": "+447911123456"}, "INVALID_NUMBER"),
        ("subscriber", {"number": LYCA, "status": "happy"}, "INVALID_VALUE"),
        ("subscriber", {"number": LYCA, "expires_at": "tomorrow"}, "INVALID_VALUE"),
        ("subscriber", {"number": LYCA, "person": {"name": "only"}}, "INVALID_VALUE"),
        ("subscriber", {"number": LYCA, "offering": "none"}, "INVALID_VALUE"),
        ("switches", {"price_shape": "round"}, "INVALID_VALUE"),
        ("switches", {"mood": True}, "UNKNOWN_MEMBER"),
        ("settings", {"client_secret": "mine"}, "UNKNOWN_MEMBER"),
        ("reverse", {"order_id": "PO-9"}, "INVALID_VALUE"),
        ("reset", b"[]", None),
        ("wallet", b"[]", "INVALID_BODY"),
    ],
)
def test_control_says_what_it_did_not_understand(shop: Shop, path: str, body: Any, code: str | None) -> None:
    assert shop.ask("POST", f"/control/{path}", body).json.get("code") == code


def test_another_name_for_this_machine_is_turned_away(shop: Shop) -> None:
    """A page on the web could make a name point to 127.0.0.1 and read the books (DNS rebinding)."""
    assert shop.ask("GET", "/control/books", headers={"Host": "evil.example:80"}).status == 404
    assert shop.ask("GET", "/control/books", headers={"Host": "localhost:80"}).status == 200


# The page


class Tags(HTMLParser):
    """Opened and closed tags must pair; collects what a page must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag in ("script", "style"):
            self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", ["", LYCA, "+447700900547", "+1555", "<script>"])
def test_the_page_is_whole_in_every_language(server: SandboxServer, shop: Shop, language: str, number: str) -> None:
    shop.renew("R-1")
    shop.renew("<b>R-2</b>", "+447700900514")
    shop.ask("POST", "/control/faults", {"fault": "late", "number": "<i>"})
    reply = shop.ask("GET", "/control", lang=language, number=number)
    page = reply.body.decode()
    tags = Tags()
    tags.feed(page)
    assert tags.open == tags.inline == []
    assert f'lang="{language}"' in page and "&lt;b&gt;R-2" in page
    for digits, name, _ in TABLE:
        assert f"5{digits} 9{digits}" in page and name in page
    assert "style-src 'self'" in reply.headers["content-security-policy"]


def test_the_browsers_language_is_heard(shop: Shop) -> None:
    for wish, title in (
        ("zh-HK,en;q=0.5", "模擬營運商"),
        ("zh-CN", "模拟运营商"),
        ("de,en-GB;q=0.8", "Sandbox carrier"),
        ("", "Sandbox carrier"),
    ):
        assert f"<h1>{title}</h1>" in shop.ask("GET", "/", headers={"Accept-Language": wish}).body.decode()


def test_every_label_has_three_languages() -> None:
    assert all(len(texts) == 3 and all(texts) for texts in WORDS.values())


def press(shop: Shop, **form: str) -> int:
    return shop.ask("POST", "/control", form=form).status


def test_the_buttons_do_what_they_say(server: SandboxServer, shop: Shop) -> None:
    carrier = server.carrier
    assert press(shop, do="wallet", currency="GBP", available="1,234.56") == 303
    assert carrier.books.wallets()["GBP"] == 123_456
    assert press(shop, do="fault", fault="late", where="find", count="3", for_number="+44 7700 900123") == 303
    [fault] = carrier.faults.active()
    assert (fault.name, fault.where, fault.count, fault.number) == ("late", "find", 3, LYCA)
    assert press(shop, do="clear") == 303 and carrier.faults.active() == []
    assert press(shop, do="switch_off") == 303 and carrier.faults.is_off()
    assert press(shop, do="switch_on") == 303 and not carrier.faults.is_off()
    assert press(shop, do="switches", scores="on", price_shape="flat") == 303
    assert not carrier.switches.enforce_unique_refs and carrier.switches.price_shape == "flat"
    assert press(shop, do="status", number=LYCA, status="suspended") == 303
    who = carrier.books.subscriber(LYCA)
    assert who is not None and who.hold == "suspended"
    shop.renew("R-1", "+447700900124")
    assert press(shop, do="reverse", order_id="PO-000001") == 303
    assert press(shop, do="clock", seconds="3600") == 303 and carrier.clock.offset.total_seconds() == 3600
    assert press(shop, do="reset") == 303 and carrier.books.orders() == []


def test_a_button_that_makes_no_sense_is_refused(shop: Shop) -> None:
    assert press(shop, do="dance") == press(shop, do="wallet", currency="GBP", available="much") == 400
    assert press(shop, do="clock", seconds="soon") == 400


def test_a_form_of_another_site_is_turned_away(server: SandboxServer, shop: Shop) -> None:
    form = {"do": "switch_off"}
    assert shop.ask("POST", "/control", form=form, headers={"Origin": "http://evil.example"}).status == 404
    assert shop.ask("POST", "/control", form=form, headers={"Origin": server.url}).status == 303


def test_the_style_is_served(shop: Shop) -> None:
    reply = shop.ask("GET", "/control.css")
    assert reply.headers["content-type"].startswith("text/css") and re.search(rb"body \{", reply.body)
