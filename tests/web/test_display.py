"""The customer's screen: the number while it can still be wrong, the outcome for a minute, and nothing that is another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import StandingClock
from tests.counter import Counter
from tests.services.seller import LPA, Seller
from tests.services.shop import Shop
from tests.services.test_codes import esim_sold, seller

__all__ = ["seller"]


@pytest.fixture
def shop(app: Flask, sandbox: object, clock: StandingClock) -> Shop:
    return Shop(app, sandbox, clock)  # type: ignore[arg-type]


def display(counter: Counter) -> str:
    page = counter.client.get("/display/now")
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    return page.get_data(as_text=True)


def test_the_number_is_shown_in_full_until_it_is_paid_and_masked_after(counter: Counter, clock: StandingClock) -> None:
    counter.open_shift()
    assert "Welcome" in display(counter)
    counter.number("07700 900123")
    assert "+44 7700 900 123" in display(counter)
    counter.document().plan()
    shown = display(counter)
    assert "Lyca Data 7 days 8 GB" in shown and "8.00" in shown
    assert "533380006" not in shown and "006" not in shown, "nothing of a document"
    counter.cash("20.00")
    shown = display(counter)
    assert "being confirmed" in shown and "12.00" in shown and "900 123" not in shown
    counter.work()
    assert "Done" in display(counter)
    clock.pass_time(seconds=61)
    assert "Welcome" in display(counter)


def test_a_sale_that_was_given_up_or_left_alone_is_nobody_s(counter: Counter, clock: StandingClock) -> None:
    counter.open_shift().number("07700 900123")
    counter.post(f"/sales/{counter.sale_id}/void", {})
    assert "Welcome" in display(counter)
    counter.number("07700 900124")
    clock.pass_time(seconds=15 * 60 + 1)
    # The till has locked itself by then, too.
    assert "Welcome" in display(counter)


def test_another_clerk_s_customer_is_not_shown(counter: Counter, app: Flask) -> None:
    counter.open_shift().number("07700 900123")
    other = Counter(app, "LON1", "102")
    assert "欢迎光临" in display(other), "his own language, and nobody else's customer"


def test_it_needs_the_till_and_keeps_nobody_signed_in(counter: Counter, app: Flask, clock: StandingClock) -> None:
    assert app.test_client().get("/display").status_code == 302
    counter.open_shift().number("07700 900123")
    for _ in range(12):
        clock.pass_time(seconds=60)
        display(counter)
    assert counter.client.get("/").status_code == 302, "the till locked itself although its second window asked"


def test_an_esim_s_code_is_shown_while_the_clerk_shows_it(
    counter: Counter, shop: Shop, seller: Seller, clock: StandingClock
) -> None:
    counter.open_shift()
    sale_id = esim_sold(shop, counter)
    assert "<svg" not in display(counter).replace('<svg class="icon"', "")
    page = counter.get(f"/sales/{sale_id}")
    counter.post(f"/sales/{sale_id}/codes/{shop.line(sale_id).id}/show", {"press": page.hidden("press")})
    shown = display(counter)
    assert "Scan this with your phone" in shown and "display-code" in shown
    assert LPA not in shown.replace(f">{LPA}<", ""), "the text of the code stands nowhere but in the picture's own words"
    assert shop.ask("select times_shown from deliveries") == [(1,)], "two screens are one showing"
    clock.pass_time(seconds=62)
    assert "Scan this" not in display(counter)


def test_it_is_said_in_the_customer_s_language(counter: Counter) -> None:
    counter.open_shift()
    counter.post("/language", {"language": "zh_Hans", "next": "/"})
    counter.number("07700 900123")
    assert "请核对" in display(counter)
    assert 'lang="zh-Hans"' in counter.client.get("/display").get_data(as_text=True)


def test_the_page_needs_no_more_than_its_own_files(counter: Counter) -> None:
    page = counter.client.get("/display").get_data(as_text=True)
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert Path("templates/display/show.html").exists()
