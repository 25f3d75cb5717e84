"""A receipt on the screen: sending it by e-mail, and the page that anybody may open."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.counter import Counter

MAIL = "/receipts/LON1-000001/mail"


@pytest.fixture
def clerk(app: Flask) -> Counter:
    app.config["MAIL"] = True
    counter = Counter(app)
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    counter.get("/receipts/LON1-000001")
    return counter


@pytest.mark.engines("sqlite")
def test_a_receipt_is_sent_with_consent(clerk: Counter) -> None:
    assert "Send by e-mail" in clerk.page.plain
    clerk.post(MAIL, {"email": "anna@mail.example", "consent": "yes"})
    assert clerk.page.status == 200
    assert "Being sent by e-mail." in clerk.page.plain
    assert "anna@mail.example" not in clerk.page.text


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("email", "consent", "words"),
    [
        ("anna@mail.example", "", "Ask the customer first"),
        ("anna", "yes", "This is not an e-mail address."),
        ("a@mail.example\r\nBcc: x@y.example", "yes", "This is not an e-mail address."),
        ("a" * 300, "yes", "This is far too long."),
        ("4111111111111111", "yes", "This looks like a payment card number."),
    ],
)
def test_what_was_mistyped_stays_with_a_sentence_at_its_field(clerk: Counter, email: str, consent: str, words: str) -> None:
    clerk.post(MAIL, {"email": email, "consent": consent})
    assert clerk.page.status == 422
    assert words in clerk.page.plain
    assert "Being sent" not in clerk.page.plain


@pytest.mark.engines("sqlite")
def test_a_shop_without_a_mail_server_offers_none(clerk: Counter) -> None:
    clerk.app.config["MAIL"] = False
    assert "Send by e-mail" not in clerk.get("/receipts/LON1-000001").plain
    clerk.post(MAIL, {"email": "anna@mail.example", "consent": "yes"})
    assert clerk.page.status == 404


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant-HK"])
def test_the_page_of_a_scan_speaks_the_readers_language(clerk: Counter, language: str) -> None:
    link = clerk.page.text.split('href="https://r.shop.example', 1)[1].split('"', 1)[0]
    answer = clerk.app.test_client().get(link, headers={"Accept-Language": language})
    assert answer.status_code == 200
    words = {"en": "This receipt is genuine.", "zh-Hans": "此收据属实。", "zh-Hant-HK": "此收據屬實。"}
    assert words[language] in answer.get_data(as_text=True)
