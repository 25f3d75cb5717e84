"""Pictures of every screen: ``python -m tools.screens FOLDER``. Counter in English and simplified Chinese, kiosk in traditional
Chinese, each at both widths, from a live shop in this process. For eyes, not for tests."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import flask_migrate
from PIL import Image

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.sandbox.faults import Fault
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.store import keys
from pos.store.db import db
from tests.conftest import LONDON_NOON, settings_in
from tests.journeys.browser import NARROW, WIDE, Till, chromium
from tests.journeys.live_shop import open_shop

HOSTS = {
    "counter-en": ("en-GB", "LON1", "101", "201", "07700 900"),
    "counter-zh_Hans": ("zh-CN", "LON2", "102", "201", "07700 900"),
    "kiosk-zh_Hant": ("zh-HK", "HKG1", "301", "401", "5550 1"),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.screens", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="only the two pictures of the README: till.png and receipt.png")
    parser.add_argument("--only", choices=sorted(HOSTS), help="one of the three")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with chromium() as browser, tempfile.TemporaryDirectory() as furnished:
        furnish(Path(furnished))
        if chosen.readme:
            with shop_in(Path(furnished)) as shop:
                faults = readme(Till(shop, browser.new_context(locale="en-GB", viewport=WIDE)), chosen.folder)
        for name in () if chosen.readme else [chosen.only] if chosen.only else HOSTS:
            with shop_in(Path(furnished)) as shop:
                till = Till(shop, browser.new_context(locale=HOSTS[name][0], viewport=WIDE))
                walk(till, name, chosen.folder)
                faults += till.faults
                till.context.close()
    print("\n".join(dict.fromkeys(faults)) or "no faults")
    return 0


def furnish(folder: Path) -> None:
    """Schema, people and price lists, once."""
    keys.make(folder / "keys.json")
    with SandboxServer(SandboxSettings(), state=None, port=0) as carrier:
        settings = settings_in(folder, carrier.url)
        app = create_app(settings, given=make_carriers(settings))
        with app.app_context():
            flask_migrate.upgrade()
            demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
            demo.stock(kit=app.extensions["simcounter"])
            db.session.remove()
            db.engine.dispose()


@contextmanager
def shop_in(furnished: Path):
    with tempfile.TemporaryDirectory() as folder, SandboxServer(SandboxSettings(late_seconds=4), state=None, port=0) as carrier:
        shutil.copytree(furnished, folder, dirs_exist_ok=True)
        # A quarter past nine is a busy hour in London and after the kiosk's business day began in Hong Kong.
        with open_shop(lambda url: settings_in(Path(folder), url), carrier, LONDON_NOON - timedelta(hours=2)) as shop:
            yield shop


def readme(till: Till, folder: Path) -> list[str]:
    """The read-back of an ordinary renewal, and the paper that came out of the printer for it."""
    till.enrol("LON1").sign_in("101").open_shift().ready_to_pay("07700 900123", "Lyca Data 30 days 10 GB")
    till.page.evaluate("document.activeElement.blur()")
    till.page.screenshot(path=folder / "till.png")
    till.cash(2000).expect("Paid. The plan is active.")
    paper = Image.open(BytesIO(till.shop.papers(2)[-1].png or b"")).convert("L")
    margin = 24
    sheet = Image.new("L", (paper.width + 2 * margin, paper.height + 2 * margin), 255)
    sheet.paste(paper, (margin, margin))
    sheet.save(folder / "receipt.png", optimize=True)
    till.context.close()
    return till.faults


def walk(till: Till, name: str, folder: Path) -> None:
    """Every screen in the order of a day."""
    _, code, clerk, manager, numbers = HOSTS[name]
    shop, page, taken = till.shop, till.page, iter(range(1, 100))

    def picture(screen: str) -> None:
        page.wait_for_load_state("load")
        page.wait_for_timeout(450)
        number = next(taken)
        till.screen()
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            page.screenshot(path=folder / f"{name}-{number:02}-{screen}-{size['width']}.png")

    def choose(last: str, plan: int = 0) -> None:
        till.number(f"{numbers}{last}").scan()
        page.click(f"main [name=plan_id] >> nth={plan}")
        page.wait_for_load_state("load")

    def cash() -> None:
        page.click("main a[data-key=F6]")
        page.wait_for_selector("#tendered")
        till.awake()
        page.click("button[name=tendered_note] >> nth=1")
        page.wait_for_selector("#progress")

    def settled() -> None:
        page.locator("#progress:not([data-polls])").wait_for(timeout=15_000)

    def home() -> None:
        page.goto(shop.url)
        page.wait_for_selector("#entry")

    page.goto(shop.url)
    page.wait_for_url("**/enrol")
    picture("enrol")
    page.click(f"button[value={code}]")
    page.wait_for_url("**/sign-in")
    picture("sign-in")
    page.click(f"label:has(input[value='{clerk}'])")
    page.fill("#pin", "999999")
    page.click("main button[type=submit]")
    page.wait_for_selector(".field-error")
    picture("sign-in-wrong")
    till.sign_in(clerk)
    picture("home-without-shift")
    page.click("main a[href='/shift/open']")
    picture("shift-open")
    page.fill("#pieces_2000", "5")
    page.click("main button[type=submit]")
    page.wait_for_selector("#entry")
    page.fill("#entry", "12")
    page.press("#entry", "Enter")
    page.wait_for_selector(".field-error")
    picture("home-not-a-number")
    page.fill("#entry", f"{numbers}123")
    page.press("#entry", "Enter")
    page.wait_for_selector("#mrz")
    picture("document")
    page.fill("#mrz", "P<INDSHARMA<<PRIYA\nZ1234563")
    page.click("main form:has(#mrz) button[type=submit]")
    page.wait_for_selector(".field-error")
    picture("document-unreadable")
    page.fill("#mrz", "")
    till.scan()
    picture("plans")
    page.click("main [name=plan_id] >> nth=0")
    page.wait_for_selector(".read-back")
    picture("read-back")
    page.click("main a[data-key=F6]")
    page.wait_for_selector("#tendered")
    till.awake().type("3")
    picture("cash-too-little")
    page.fill("#tendered", "")
    page.click("button[name=tendered_note] >> nth=1")
    page.wait_for_selector("#progress")
    settled()
    picture("paid")
    page.click("header nav a >> nth=1")
    page.fill("#query", f"{numbers}123")
    page.press("#query", "Enter")
    page.wait_for_selector("ul.sales")
    picture("search")
    page.click("ul.sales a")
    page.wait_for_selector(".timeline")
    picture("history")
    page.click("ul.links a")
    page.wait_for_selector(".paper-well")
    picture("receipt")
    home()
    choose("123")
    page.wait_for_selector(".panel")
    picture("duplicate")
    home()
    choose("124", 2)
    page.click("main button[data-key=F7]")
    page.wait_for_selector("#authorisation")
    picture("card")
    till.awake().page.click("main form[action$='no-result'] button")
    page.wait_for_selector(".panel.tone-held")
    picture("card-unclear")
    page.click("main form[action$='missing'] button")
    page.wait_for_selector(".panel")
    picture("voided")
    shop.carrier.carrier.faults.add(Fault("error_500", where="find"))
    home()
    choose("501", 1)
    cash()
    picture("waiting")
    page.locator("#next.primary").wait_for(timeout=15_000)
    picture("being-confirmed")
    home()
    picture("home-unfinished")
    choose("521")
    cash()
    page.wait_for_selector("#refund")
    picture("refused")
    till.awake().page.click("#refund")
    page.wait_for_selector("#next.primary")
    picture("refunded")
    shop.printer.set_condition("paper_out")
    home()
    choose("125", 3)
    cash()
    page.wait_for_selector(".job.is-asking")
    picture("paper-out")
    page.goto(f"{shop.url}/printing")
    picture("printing")
    shop.printer.set_condition("ready")
    page.goto(f"{shop.url}/shift/close")
    picture("shift-close")
    page.fill("#pieces_2000", "5")
    page.click("main form button[type=submit]")
    page.wait_for_selector(".panel")
    picture("count-again")
    page.fill("#pieces_2000", "6")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/shift/closed/*")
    picture("shift-closed")
    page.goto(f"{shop.url}/shift/x")
    picture("not-allowed")
    page.keyboard.press("F8")
    page.wait_for_url("**/sign-in")
    till.sign_in(manager)
    page.goto(f"{shop.url}/shift/closed/1")
    picture("z-report")
    home()
    page.keyboard.press("F1")
    picture("help")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
