"""A code is worth money: it reaches the customer once on the screen and once on paper, and stands nowhere else in clear."""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from flask import Flask
from PIL import Image
from sqlalchemy import select, text, update

from pos.app import press
from pos.domain.errors import CodeHandedOut, CodeNotThere, NumberNowhere, ReasonMissing, SaleNotFound, SlipUnderWay
from pos.domain.renewals import RenewalState
from pos.ports import Carrier, OutcomeState
from pos.sandbox.printer import VirtualPrinter
from pos.services import deliveries, exports, hand_overs, numbers, plans, print_jobs, receipts, renewals, retention, sales
from pos.store.db import transaction
from pos.store.plans import Plan
from pos.store.print_jobs import PrintJob
from pos.store.tills import Printer
from receipts.document import Document
from receipts.raster import draw
from tests.counter import Counter
from tests.engines import SQLITE
from tests.receipts.scanner import needs_scanner, scan
from tests.services import seller as goods
from tests.services.seller import ESIM_FR, ICCID, LPA, PIN, PIN_CODE, Seller
from tests.services.shop import SEVEN_DAYS, Ready, Shop

NUMBER = "07400 123456"
WHY = "the printer jammed"
SECRETS = (PIN_CODE, "4821 7739 0551 6204", LPA, "7K2M-99QF")


@pytest.fixture
def seller(app: Flask) -> Seller:
    """A carrier of this shop that sells codes, and its plans on sale in London."""
    made = Seller()
    kit = app.extensions["simcounter"]
    carrier: Carrier = made
    kit.carriers["seller"] = carrier
    with app.app_context():
        plans.import_catalogue("LON", "seller", kit=kit)
    return made


@pytest.fixture
def printer(shop: Shop) -> Iterator[VirtualPrinter]:
    with VirtualPrinter(port=0) as made:
        with shop.by_hand() as connection:
            for number, settings in connection.execute(select(Printer.id, Printer.settings)).all():
                connection.execute(update(Printer).where(Printer.id == number).values(settings={**settings, "port": made.port}))
        yield made


def print_all(shop: Shop) -> None:
    with shop.app.app_context():
        for printer_id in print_jobs.printers_due(kit=shop.kit):
            while (sheet := print_jobs.take_next(printer_id, "test#1", kit=shop.kit)) is not None:
                result, reason, near_end = press(sheet, functools.partial(print_jobs.about_to_send, sheet, kit=shop.kit))
                print_jobs.record(sheet, result, reason, near_end, kit=shop.kit)


def sold(shop: Shop, plan: str = PIN, number: str = "+447400123456") -> Ready:
    ready = shop.ready(shop.desk(), number, plan)
    shop.take_cash(ready)
    shop.work()
    return ready


def esim_sold(shop: Shop, counter: Counter, name: str = "France 5 GB") -> str:
    """Through the screens, because that is where a new eSIM begins."""
    counter.get("/")
    counter.sale_id = str(uuid4())
    counter.post(f"/sales/{counter.sale_id}/esim", {})
    counter.document().plan(name).cash("10.00")
    shop.work()
    return counter.sale_id


def shown(shop: Shop, ready: Ready, *, press: str = "p1", staff: str = "101", till: str = "LON1", reason: str = "") -> str:
    desk, line = shop.desk(till, staff), shop.line(ready.sale_id)
    with shop.app.app_context():
        return hand_overs.show(ready.sale_id, line.id, desk, kit=shop.kit, press=press, reason=reason).plain


def printed(shop: Shop, ready: Ready, *, staff: str = "101", reason: str = "") -> None:
    with shop.app.app_context():
        hand_overs.print_it(ready.sale_id, shop.line(ready.sale_id).id, shop.desk(staff=staff), kit=shop.kit, reason=reason)


def next_slip(shop: Shop) -> tuple[print_jobs.Sheet, Document]:
    """The next slip as the printer gets it; the drawer's pulse before it is sent."""
    with shop.app.app_context():
        while True:
            due = print_jobs.printers_due(kit=shop.kit)
            sheet = print_jobs.take_next(due[0], "test#1", kit=shop.kit)
            assert sheet is not None
            if sheet.document is not None:
                return sheet, sheet.document
            print_jobs.about_to_send(sheet, kit=shop.kit)
            print_jobs.record(sheet, "sent", None, False, kit=shop.kit)


def came_out(shop: Shop, sheet: print_jobs.Sheet, result: str = "printed") -> None:
    with shop.app.app_context():
        assert print_jobs.about_to_send(sheet, kit=shop.kit)
        print_jobs.record(sheet, result, None, False, kit=shop.kit)


def happened(shop: Shop) -> list[str]:
    return [kind for (kind,) in shop.ask("select kind from journal where kind like 'code.%' order by chain, seq")]


# ------------------------------------------------------------------ once on the screen


def test_a_code_is_shown_once_and_again_only_with_a_manager(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    assert shop.state(ready.sale_id) is RenewalState.CONFIRMED
    assert seller.requests[0].number == "+447400123456"
    assert shown(shop, ready) == PIN_CODE
    with pytest.raises(CodeHandedOut):
        shown(shop, ready, press="p2")
    with pytest.raises(CodeHandedOut):
        shown(shop, ready, press="p2", reason=WHY)
    with pytest.raises(ReasonMissing):
        shown(shop, ready, press="p2", staff="201")
    with pytest.raises(ReasonMissing):
        shown(shop, ready, press="p2", staff="201", reason=f"it is {PIN_CODE}")
    assert shown(shop, ready, press="p2", staff="201", reason=WHY) == PIN_CODE
    assert happened(shop) == ["code.delivered", "code.shown", "code.shown"]
    (first, again) = shop.ask("select content from journal where kind = 'code.shown' order by seq")
    assert json.loads(first[0]) == {"times": 1, "again": False, "reason": ""}
    assert json.loads(again[0]) == {"times": 2, "again": True, "reason": WHY}


def test_a_double_press_is_one_showing_for_a_minute(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    assert shown(shop, ready) == shown(shop, ready) == PIN_CODE
    assert shop.ask("select times_shown from deliveries") == [(1,)]
    shop.clock.pass_time(seconds=61)
    with pytest.raises(CodeHandedOut):
        shown(shop, ready)


def test_another_till_and_another_shop_do_not_get_it(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    with pytest.raises(CodeHandedOut):
        shown(shop, ready, till="LON2")
    with pytest.raises(SaleNotFound):
        shown(shop, ready, till="HKG1", staff="302")
    assert shop.ask("select times_shown from deliveries") == [(0,)]


def test_a_sold_code_that_was_taken_back_is_handed_to_nobody(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    seller.end = OutcomeState.REVERSED
    with shop.app.app_context():
        renewals.look_again(shop.line(ready.sale_id).id, kit=shop.kit)
    assert shop.state(ready.sale_id) is RenewalState.REFUND_DUE
    with pytest.raises(CodeNotThere):
        shown(shop, ready)


# ------------------------------------------------------------------ once on paper


def test_one_slip_carries_the_code_and_copies_have_it_masked(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    sheet, original = next_slip(shop)
    words = original.to_json()
    assert "4821 7739 0551 6204" in words and goods.SERIAL in words and goods.HOW in words and "PAID - CODE ISSUED" in words
    came_out(shop, sheet)
    assert shop.ask("select times_printed from deliveries") == [(1,)]
    with shop.app.app_context():
        receipts.reprint(shop.sale(ready.sale_id).receipt_number or "", shop.desk(), kit=shop.kit)
    sheet, copy = next_slip(shop)
    assert "**** 204" in copy.to_json() and not any(secret in copy.to_json() for secret in SECRETS)
    came_out(shop, sheet)
    with pytest.raises(CodeHandedOut):
        printed(shop, ready)
    printed(shop, ready, staff="201", reason=WHY)
    sheet, again = next_slip(shop)
    assert "4821 7739 0551 6204" in again.to_json() and "COPY 2" in again.to_json()
    came_out(shop, sheet)
    assert shop.ask("select times_printed from deliveries") == [(2,)]
    assert happened(shop) == ["code.delivered", "code.printed", "code.reissued", "code.printed"]


@pytest.mark.engines(SQLITE)
def test_the_first_slip_keeps_the_code(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    sold(shop)
    ((first, document),) = shop.ask("select p.id, p.document from print_jobs p join deliveries d on d.job_id = p.id")
    with shop.app.app_context(), transaction() as session:
        other = session.get_one(PrintJob, 1)
        assert other.id != first
        deliveries.give_to(session, Document.from_json(document), other)
    assert shop.ask("select job_id from deliveries") == [(first,)]


def test_a_slip_that_never_left_may_carry_it_again_and_one_in_question_may_not(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    sheet, _ = next_slip(shop)
    with pytest.raises(SlipUnderWay):
        printed(shop, ready)
    with shop.app.app_context():
        print_jobs.record(sheet, "not_ready", "paper_out", False, kit=shop.kit)
    shop.clock.pass_time(seconds=60)
    sheet, second = next_slip(shop)
    assert "4821 7739 0551 6204" in second.to_json()
    came_out(shop, sheet, "uncertain")
    with shop.app.app_context():
        print_jobs.did_not_come_out(sheet.job_id, shop.desk(), kit=shop.kit)
    sheet, third = next_slip(shop)
    assert not any(secret in third.to_json() for secret in SECRETS), "nobody can know that the first one did not come out"
    came_out(shop, sheet)
    with pytest.raises(CodeHandedOut):
        printed(shop, ready)


def test_a_cancelled_slip_handed_nothing_out(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    ((job_id,),) = shop.ask("select job_id from deliveries")
    with shop.app.app_context():
        print_jobs.cancel(job_id, shop.desk(), kit=shop.kit)
    printed(shop, ready)
    _, slip = next_slip(shop)
    assert "4821 7739 0551 6204" in slip.to_json()


def test_a_pdf_with_the_code_counts_as_paper(shop: Shop, seller: Seller) -> None:
    shop.open_shift(shop.desk())
    ready = sold(shop)
    sheet, _ = next_slip(shop)
    came_out(shop, sheet)
    line, number = shop.line(ready.sale_id), shop.sale(ready.sale_id).receipt_number or ""
    with shop.app.app_context():
        with pytest.raises(CodeHandedOut):
            hand_overs.as_pdf(ready.sale_id, line.id, shop.desk(), kit=shop.kit)
        with_code = hand_overs.as_pdf(ready.sale_id, line.id, shop.desk(staff="201"), kit=shop.kit, reason=WHY)
        assert with_code.startswith(b"%PDF") and with_code != receipts.as_pdf(number, shop.desk())
        assert receipts.as_pdf(number, shop.desk()) == receipts.as_pdf(number, shop.desk())
        looked = receipts.as_text(number, shop.desk()) + receipts.as_html(number, shop.desk())[0]
    assert "**** 204" in looked and not any(secret in looked for secret in SECRETS)
    assert shop.ask("select times_printed from deliveries") == [(2,)]


# ------------------------------------------------------------------ a code that comes late


def test_a_missing_code_is_asked_for_until_it_is_there(shop: Shop, counter: Counter, seller: Seller) -> None:
    seller.late = True
    counter.open_shift()
    ready = sold(shop)
    assert shop.state(ready.sale_id) is RenewalState.CONFIRMED, "the money is right"
    page = counter.get(f"/sales/{ready.sale_id}").plain
    assert "The carrier has not sent the code yet" in page and "Show it to the customer" not in page
    assert "code awaited" in counter.get("/").plain, "in the unfinished list until it is there"
    with pytest.raises(CodeNotThere):
        shown(shop, ready)
    sheet, slip = next_slip(shop)
    assert "PAID - CODE FOLLOWS" in slip.to_json() and "follows on a slip of its own" in slip.to_json() and slip.slots == ()
    came_out(shop, sheet)

    def ask() -> bool:
        with shop.app.app_context():
            return hand_overs.ask_once(kit=shop.kit)

    assert not ask(), "not before its time"
    shop.clock.pass_time(seconds=6)
    assert ask() and not ask()
    assert shop.ask("select times_asked, sealed from deliveries") == [(1, None)]
    seller.late = False
    shop.clock.pass_time(seconds=20)
    assert ask() and not ask()
    _, slip = next_slip(shop)
    assert "4821 7739 0551 6204" in slip.to_json() and "CODE ISSUED" in slip.to_json()
    assert "Show it to the customer" in counter.get(f"/sales/{ready.sale_id}").plain
    assert shown(shop, ready) == PIN_CODE
    assert happened(shop) == ["code.awaited", "code.delivered", "code.shown"]


@pytest.mark.engines(SQLITE)
def test_in_a_family_the_code_stands_under_its_own_number(shop: Shop, counter: Counter, seller: Seller) -> None:
    counter.open_shift()
    ready = shop.ready_family(shop.desk(), [("+447700900123", SEVEN_DAYS), ("+447400123456", PIN)])
    shop.take_cash(ready)
    shop.work()
    _, slip = next_slip(shop)
    words = slip.to_json()
    assert "PAID - ACTIVATED" in words and "4821 7739 0551 6204" in words
    assert words.index("***123") < words.index("***456") < words.index("4821 7739 0551 6204")
    page = counter.get(f"/sales/{ready.sale_id}").plain
    assert "All 2 plans are done" in page and "The plan is active." in page and "The code is here: hand it over." in page
    assert page.count("Show it to the customer, once") == 1


# ------------------------------------------------------------------ a new eSIM


@needs_scanner
@pytest.mark.engines(SQLITE)
def test_a_new_esim_from_the_button_to_the_phone(shop: Shop, counter: Counter, seller: Seller, tmp_path: Path) -> None:
    counter.open_shift()
    assert "New eSIM" in counter.get("/").plain
    sale_id = esim_sold(shop, counter)
    assert (seller.requests[-1].number, seller.requests[-1].product_key) == ("", ESIM_FR)
    assert seller.asked == [], "nobody is asked about a number that is not there"
    page = counter.get(f"/sales/{sale_id}")
    assert "The eSIM is here" in page.plain and "LPA" not in page.text
    line = shop.line(sale_id)
    _, slip = next_slip(shop)
    for dots in (576, 384):
        assert scan(draw(slip, dots), tmp_path).count(LPA) == 1, f"{dots} dots"
    counter.post(f"/sales/{sale_id}/codes/{line.id}/show", {"press": page.hidden("press")})
    assert LPA in counter.page.text and "<svg" in counter.page.text and ICCID not in counter.page.text
    counter.post("/search", {"query": ICCID})
    assert f"/search/{sale_id}" in counter.page.text, "found by the number that the eSIM has now"


def test_two_new_esims_do_not_wait_for_each_other(shop: Shop, counter: Counter, seller: Seller) -> None:
    counter.open_shift()
    first, second = esim_sold(shop, counter), esim_sold(shop, counter)
    assert (shop.state(first), shop.state(second)) == (RenewalState.CONFIRMED, RenewalState.CONFIRMED)
    assert len({look_up for (look_up,) in shop.ask("select number_look_up from renewals")}) == 2
    assert {masked for (masked,) in shop.ask("select masked from renewals")} == {"eSIM"}


def test_an_esim_is_not_offered_for_a_number_and_a_voucher_not_for_an_esim(shop: Shop, counter: Counter, seller: Seller) -> None:
    counter.open_shift().number(NUMBER).document()
    page = counter.page.plain
    assert "Lyca voucher 10" in page and "Code on the receipt" in page and "France 5 GB" not in page
    counter.get("/")
    counter.sale_id = str(uuid4())
    counter.post(f"/sales/{counter.sale_id}/esim", {})
    counter.document()
    page = counter.page.plain
    assert "Lyca voucher 10" not in page and page.index("France 5 GB") < page.index("Britain 5 GB") or "United Kingdom" in page
    narrowed = counter.get(f"/sales/{counter.sale_id}/plans?country=GB").plain
    assert "Britain 5 GB" in narrowed and "France 5 GB" not in narrowed
    voucher = shop.plan_id(PIN, shop.desk())
    counter.post(f"/sales/{counter.sale_id}/plan", {"plan_id": str(voucher)})
    assert counter.page.status == 409 and "not sold any more" in counter.page.plain


# ------------------------------------------------------------------ numbers that nobody tells about


def who_has(shop: Shop, number: str) -> tuple[str, str, str | None]:
    with shop.app.app_context():
        name, found = numbers.who_has(number, shop.kit, shop.desk())
        return name, found.state.value, found.operator


def test_a_carrier_that_tells_wins_then_one_with_plans_then_the_order(shop: Shop, seller: Seller) -> None:
    assert who_has(shop, "+447400123456") == ("seller", "untold", goods.OPERATOR)
    assert who_has(shop, "+447700900123")[:2] == ("sandbox", "active")
    kit = shop.kit
    twin = Seller(name="twin")
    carriers = {"twin": twin, **kit.carriers}
    kit.carriers.clear()  # type: ignore[attr-defined]
    kit.carriers.update(carriers)  # type: ignore[attr-defined]
    assert who_has(shop, "+447400123456")[0] == "seller", "the first one has no plan on sale"
    with shop.app.app_context():
        plans.import_catalogue("LON", "twin", kit=kit)
    assert who_has(shop, "+447400123456")[0] == "twin", "the order of the configuration"
    twin.down = True
    assert who_has(shop, "+447400123456")[0] == "seller"


def test_our_own_last_sale_says_what_is_on_a_number_that_nobody_tells_about(shop: Shop, counter: Counter, seller: Seller) -> None:
    counter.open_shift().number(NUMBER)
    assert "by our own last sale" not in counter.page.plain
    sold(shop, goods.TOPUP)
    counter.number(NUMBER)
    assert "Lyca top-up 10" in counter.page.plain and "Plan and end by our own last sale" in counter.page.plain
    assert shop.ask("select operator from number_checks") == [(goods.OPERATOR,)] * 3
    counter.document().plan("Lyca voucher 10")
    assert "A code: valid from redeeming" in counter.page.plain


# ------------------------------------------------------------------ nowhere else in clear


@pytest.mark.engines(SQLITE)
def test_no_code_stands_anywhere_in_clear(
    shop: Shop, counter: Counter, seller: Seller, printer: VirtualPrinter, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    counter.open_shift()
    with structlog.testing.capture_logs() as logged:
        ready, esim = sold(shop), esim_sold(shop, counter)
        assert shown(shop, ready) == PIN_CODE
        counter.get(f"/sales/{esim}")
        counter.post(f"/sales/{esim}/codes/{shop.line(esim).id}/show", {"press": counter.page.hidden("press")})
        assert LPA in counter.page.text
        print_all(shop)
        printed(shop, ready, staff="201", reason=WHY)
        print_all(shop)
        with shop.app.app_context():
            paper = "".join(exports.lines(None, None, kit=shop.kit))
            times = [happening.words for happening in sales.timeline(ready.sale_id, shop.desk())]
            again = hand_overs.show(ready.sale_id, shop.line(ready.sale_id).id, shop.desk(), kit=shop.kit, press="p1")
    assert "Code printed" in times and "Code shown on the screen" in times
    slips = [Image.open(BytesIO(sheet.png)) for sheet in printer.papers() if sheet.png]
    assert len(slips) >= 3
    rows = [str(shop.ask(f"select * from {name}")) for name in ("print_jobs", "journal", "receipt_documents", "deliveries")]
    said = capsys.readouterr()
    everything = [paper, *rows, str(logged), said.out, said.err, repr(again), repr(seller._goods(seller.requests[0]))]
    with shop.app.app_context():
        from pos.store.db import db

        db.session.remove()
        db.engine.dispose()
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix.startswith(".sqlite3") for path in folder.rglob("*"))
    for secret in SECRETS:
        assert not [text[:80] for text in everything if secret in text], secret
        assert not [raw[:16] for raw in files if secret.encode() in raw], secret
    assert not [raw[:16] for raw in files if ICCID.encode() in raw]


def test_a_code_pasted_into_another_row_does_not_open(shop: Shop, seller: Seller, to_be_found: list[str]) -> None:
    shop.open_shift(shop.desk())
    first, second = sold(shop), sold(shop, number="+447400123457")
    with shop.by_hand() as thief:
        ids = [shop.line(ready.sale_id).id for ready in (first, second)]
        sealed = thief.execute(text("select sealed from deliveries where renewal_id = :id"), {"id": ids[0]}).scalar_one()
        thief.execute(text("update deliveries set sealed = :sealed where renewal_id = :id"), {"sealed": sealed, "id": ids[1]})
    from pos.domain.errors import CodeUnreadable

    with pytest.raises(CodeUnreadable):
        shown(shop, second)
    to_be_found.append("delivery 2: it is not as it was written")


def test_a_price_list_knows_how_each_plan_is_delivered(shop: Shop, seller: Seller) -> None:
    with shop.app.app_context():
        from pos.store.db import reading

        with reading() as session:
            chosen = select(Plan.product_key, Plan.fulfilment, Plan.country, Plan.redeem).where(Plan.carrier == "seller")
            found = {row[0]: tuple(row[1:]) for row in session.execute(chosen)}
    assert found[PIN] == ("pin", "GB", "Dial *131*code#")
    assert found[goods.TOPUP] == ("direct", None, None)
    assert found[ESIM_FR] == ("esim", "FR", None)
    assert re.fullmatch("[0-9]{19}", ICCID)


def test_an_erased_esim_is_gone_and_nobody_is_shown_it_again(shop: Shop, counter: Counter, seller: Seller) -> None:
    counter.open_shift()
    sale_id = esim_sold(shop, counter)
    sealed = shop.ask("select sealed, iccid_look_up from deliveries")[0]
    with shop.app.app_context():
        gone = retention.erase(ICCID, "201", "401", kit=shop.kit)
        assert gone.left == 0
        with pytest.raises(NumberNowhere):
            retention.erase(ICCID, "201", "401", kit=shop.kit)
    assert all(sealed) and shop.ask("select sealed, masked, iccid_look_up from deliveries") == [(b"", "", None)]
    page = counter.get(f"/sales/{sale_id}")
    assert page.status == 200 and LPA not in page.text and ICCID[-4:] not in page.plain
    assert counter.post(f"/sales/{sale_id}/codes/{shop.line(sale_id).id}/show", {"press": "x"}).status in (404, 409, 422)
