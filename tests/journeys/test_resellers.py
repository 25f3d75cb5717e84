"""The demo shop's resellers, through the counter's pages and over real HTTP: a renewal that was set aside first, a voucher, an eSIM
that is topped up, a new eSIM whose code an independent reader scans from the paper. What is worth money stands nowhere in clear."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from pos import demo
from pos.app import create_app, make_carriers
from pos.domain.renewals import RenewalState
from pos.sandbox.printer import VirtualPrinter
from pos.sandbox.server import SandboxServer
from pos.sandbox.shop_tables import tables
from pos.services import exports, status
from pos.store.db import db
from pos.store.tills import Printer
from tests.conftest import StandingClock, _close, settings_in
from tests.counter import Counter
from tests.engines import SQLITE
from tests.receipts.scanner import needs_scanner, scan
from tests.services.shop import Shop, findings
from tests.services.test_codes import print_all

pytestmark = pytest.mark.engines(SQLITE)


@pytest.fixture
def app(folder: Path, sandbox: SandboxServer, clock: StandingClock) -> Iterator[Flask]:
    """The furnished shop of every test with the demo's carriers, and their price lists."""
    carriers = tomllib.loads(tables(sandbox.url))["carriers"]
    settings = settings_in(folder).model_copy(update={"carriers": carriers})
    made = create_app(settings, clock=clock, given=make_carriers(settings))
    with made.app_context():
        demo.stock(kit=made.extensions["simcounter"])
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    _close(made.extensions["simcounter"].carriers)


@pytest.fixture
def shop(app: Flask, sandbox: SandboxServer, clock: StandingClock) -> Shop:
    return Shop(app, sandbox, clock)


@pytest.fixture
def printer(shop: Shop) -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as made:
        with shop.by_hand() as connection:
            for number, settings in connection.execute(select(Printer.id, Printer.settings)).all():
                connection.execute(update(Printer).where(Printer.id == number).values(settings={**settings, "port": made.port}))
        yield made


@pytest.fixture
def clerk(app: Flask) -> Counter:
    return Counter(app).open_shift()


def sold(clerk: Counter, shop: Shop, number: str, plan: str) -> str:
    clerk.number(number).document().plan(plan).cash("100.00")
    shop.work()
    assert shop.states(clerk.sale_id) == [RenewalState.CONFIRMED], clerk.get(f"/sales/{clerk.sale_id}").plain
    return clerk.sale_id


def bought(sandbox: SandboxServer, vendor: str) -> int:
    return len(sandbox.carrier.vendors[vendor].books.debits())


def papers(printer: VirtualPrinter) -> list[Image.Image]:
    return [Image.open(BytesIO(sheet.png)) for sheet in printer.papers() if sheet.png]


def test_what_can_be_held_is_held_before_the_money_and_confirmed_after(
    clerk: Counter, shop: Shop, sandbox: SandboxServer
) -> None:
    books = sandbox.carrier.vendors["dtone"].books
    clerk.number("+49 15550 123000")
    assert "Lyca Germany" in clerk.page.plain
    clerk.document().plan("Lyca Germany 30 days 10 GB")
    assert "Set aside by the carrier until" in clerk.page.plain
    assert (books.holding()["GBP"], books.debits()) == (800, [])
    clerk.cash("10.00")
    shop.work()
    assert shop.states(clerk.sale_id) == [RenewalState.CONFIRMED]
    assert (books.holding()["GBP"], bought(sandbox, "dtone")) == (0, 1)
    assert findings(shop.app) == []


def test_a_refusal_of_the_reseller_comes_before_the_money(clerk: Counter, shop: Shop, sandbox: SandboxServer) -> None:
    sandbox.carrier.vendors["dtone"].books.set_wallet("GBP", 100)
    clerk.number("+49 15550 123000").document().plan("Lyca Germany 30 days 10 GB")
    assert "The carrier would not do it" in clerk.page.plain
    assert "No money was taken" in clerk.page.plain
    assert sandbox.carrier.vendors["dtone"].books.transactions()[:1] == []


def test_the_wallets_of_all_are_read_and_agree_with_our_books(clerk: Counter, shop: Shop, sandbox: SandboxServer) -> None:
    with shop.app.app_context():
        status.ask_carriers(kit=shop.kit)
    shop.pass_time(60)
    sold(clerk, shop, "+33 6 39 98 01 23", "Lyca France Data 5 GB, 7 days")
    sold(clerk, shop, "+34 600 001 220", "Lyca Spain 11.50 EUR")
    shop.pass_time(60)
    with shop.app.app_context():
        status.ask_carriers(kit=shop.kit)
    page = Counter(shop.app, "LON2", "201").get("/carriers").plain
    for name in ("sandbox", "dtone", "reloadly", "ding", "airalo"):
        assert name in page
    assert page.count("Agrees with our books") == 6, "five carriers, one of them in two currencies"
    assert (bought(sandbox, "ding"), bought(sandbox, "reloadly")) == (1, 1)
    assert findings(shop.app) == []


@needs_scanner
def test_codes_reach_the_customer_on_paper_and_stand_nowhere_in_clear(
    clerk: Counter,
    shop: Shop,
    sandbox: SandboxServer,
    printer: VirtualPrinter,
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.mktemp("scanned")
    voucher = sold(clerk, shop, "+49 15551 123001", "Lebara Germany voucher EUR 10")
    clerk.sale_id = str(uuid4())
    clerk.get("/")
    clerk.post(f"/sales/{clerk.sale_id}/esim", {})
    clerk.document().plan("Thames Mobile 3 GB - 30 Days").cash("20.00")
    shop.work()
    esim = clerk.sale_id
    assert shop.states(esim) == [RenewalState.CONFIRMED]
    print_all(shop)
    scanned = [text for paper in papers(printer) for text in scan(paper, place)]
    (lpa,) = {text for text in scanned if text.startswith("LPA:1$")}
    # The voucher's code is on the screen once, after a press, and gone when the page is looked at again.
    page = clerk.get(f"/sales/{voucher}")
    clerk.post(f"/sales/{voucher}/codes/{shop.line(voucher).id}/show", {"press": page.hidden("press")})
    found = re.search(r"\b(\d{4} ){2,4}\d{1,4}\b", clerk.page.plain)
    assert found is not None, clerk.page.plain
    code = found[0].replace(" ", "")
    assert code not in clerk.get(f"/sales/{voucher}").text.replace(" ", "")
    with shop.app.app_context():
        paper = "".join(exports.lines(None, None, kit=shop.kit))
        db.session.remove()
        db.engine.dispose()
    raw = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert raw
    for secret in (code, lpa, lpa.rsplit("$", 1)[1], "533380006"):
        assert secret not in paper
        assert not [part for part in raw if secret.encode() in part], (
            "a code or a document's number stands in the files of the shop"
        )
    assert (bought(sandbox, "dtone"), bought(sandbox, "airalo")) == (1, 1)
    assert findings(shop.app) == []


def test_an_esim_is_topped_up_by_its_serial_number(clerk: Counter, shop: Shop, sandbox: SandboxServer) -> None:
    sold(clerk, shop, "8944500000000000014", "Thames Mobile 1 GB - 7 Days")
    assert bought(sandbox, "airalo") == 1
    assert findings(shop.app) == []


def test_a_customer_who_walks_away_leaves_nothing_set_aside(clerk: Counter, shop: Shop, sandbox: SandboxServer) -> None:
    from pos.services import holds

    books = sandbox.carrier.vendors["dtone"].books
    clerk.number("+49 15550 123000").document().plan("Lyca Germany 30 days 10 GB")
    assert books.holding()["GBP"] == 800
    shop.pass_time(timedelta(minutes=16).total_seconds())
    with shop.app.app_context():
        holds.release(kit=shop.kit)
    assert (books.holding()["GBP"], books.debits()) == (0, [])
