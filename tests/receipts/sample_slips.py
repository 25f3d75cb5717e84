"""A day's slips with all fields filled, in the program's own words; shared by the tests of this folder.

Lines may be long here: sentences in three languages side by side read better on one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pos.services import words
from receipts import layouts, logos
from receipts.document import Document, as_copy
from receipts.reports import (
    CardBatch,
    Cash,
    CashMovementSlip,
    Chain,
    Counts,
    Fulfilment,
    HandoverSlip,
    Movement,
    PlanLine,
    Report,
    ShiftSlip,
    Takings,
    Tender,
    TestPage,
)
from receipts.slips import ConfirmationSlip, Line, Origin, RefundSlip, SaleSlip, SaleState, Shop

LANGUAGES = ("en", "zh_Hans", "zh_Hant")
LOGO = Path(__file__).parent / "logo.png"


def say_in(language: str) -> Callable[[str], str]:
    """What the program itself says, so that what was approved is what customers get; a word without translation is an error."""
    catalogue = words.say_in(language)

    def say(sentence: str) -> str:
        said = catalogue(sentence)
        assert language == "en" or said != sentence, f"{language} has no words for {sentence!r}"
        return said

    return say


def pick(language: str, english: str, simplified: str, traditional: str) -> str:
    return (english, simplified, traditional)[LANGUAGES.index(language)]


def shop(language: str) -> Shop:
    return Shop(
        name=pick(language, "Harbour Mobile", "海港手机店", "海港電訊"),
        legal_name=pick(language, "Harbour Mobile Retail Ltd", "海港通讯零售有限公司", "海港通訊零售有限公司"),
        address=(
            pick(language, "Unit 12, Terminal 2, Arrivals Hall", "二号航站楼到达厅12号", "二號客運大樓接機大堂12號"),
            "London TW6 1EW",
        ),
        tax_number=(pick(language, "VAT no.", "税号", "稅務編號"), "GB 123 4567 89"),
        support=(
            pick(
                language,
                "Help: +44 20 7946 0000, help@harbour.example",
                "客服：+44 20 7946 0000",
                "客戶服務：+44 20 7946 0000",
            ),
        ),
        opening_hours=pick(language, "Open daily 06:00-23:30", "每天 06:00-23:30 营业", "每日 06:00-23:30 營業"),
        footer=(
            pick(
                language,
                "Keep this slip: thermal paper fades. A copy can be printed for 90 days.",
                "请妥善保存：热敏纸会褪色，九十天内可补打。",
                "請妥善保存：熱敏紙會褪色，九十天內可補印。",
            ),
        ),
    )


def origin(number: str = "T2-1-000123") -> Origin:
    return Origin(number, "2026-11-20 14:05 GMT", "2026-11-20", "T2-1", "Mei")


def line(language: str) -> Line:
    return Line(
        number_masked="07*** ***678",
        carrier=pick(language, "Meadow Mobile", "青原移动", "青原電訊"),
        plan=pick(language, "Bundle 20 GB, 30 days", "流量套餐 20 GB，30 天", "數據計劃 20 GB，30 日"),
        amount="20.00 GBP",
        valid_before="2026-11-22",
        valid_now="2026-12-22",
        carrier_reference="MM-20261120-88213377",
        state_words=say_in(language)("Active"),
        notes=((pick(language, "Balance", "查询余额", "查詢結餘"), "*100#"),),
    )


def sale_slip(language: str, state: SaleState = SaleState.ACTIVATED) -> SaleSlip:
    slip = SaleSlip(
        shop=shop(language),
        origin=origin(),
        state=state,
        lines=(line(language),),
        taxes=tax(language, "20.00 GBP", "3.33 GBP"),
        total="20.00 GBP",
        payments=(
            (say_in(language)("Cash"), "50.00 GBP"),
            (say_in(language)("Change"), "30.00 GBP"),
        ),
        qr="https://r.example/c/7Q4M-2K9D-XW3E-5T8B-0123",
    )
    if state is SaleState.ACTIVATED:
        return slip
    if state is SaleState.MIXED:
        return family_slip(slip, language)
    state_words = say_in(language)("Not activated")
    if state is SaleState.BEING_CONFIRMED:
        state_words = say_in(language)("Being confirmed")
    line_so_far = replace(slip.lines[0], valid_now=None, carrier_reference=None, state_words=state_words)
    answer_by = say_in(language)(ANSWER) if state is SaleState.BEING_CONFIRMED else ""
    cards = (("VISA **** 4242", "20.00 GBP"), (say_in(language)("Authorisation"), "083142"))
    return replace(slip, lines=(line_so_far,), case_number="C-2026-0417", answer_by=answer_by, payments=cards)


def tax(language: str, gross: str, tax: str) -> tuple[tuple[str, str], ...]:
    """One row of a simplified invoice."""
    name = pick(language, "VAT", "增值税", "增值稅")
    return ((say_in(language)("%(tax)s %(rate)s%% in %(gross)s") % {"tax": name, "rate": "20", "gross": gross}, tax),)


def family_slip(slip: SaleSlip, language: str) -> SaleSlip:
    """Three numbers with one payment: one active, one still open, one refused."""
    done = slip.lines[0]
    waiting = say_in(language)("Being confirmed")
    refused = say_in(language)("Not activated")
    open_line = replace(done, number_masked="07*** ***901", valid_now=None, carrier_reference=None, state_words=waiting, notes=())
    refused_line = replace(open_line, number_masked="07*** ***521", amount="8.00 GBP", state_words=refused)
    return replace(
        slip,
        lines=(done, open_line, refused_line),
        taxes=tax(language, "48.00 GBP", "8.00 GBP"),
        total="48.00 GBP",
        payments=((slip.payments[0][0], "50.00 GBP"), (slip.payments[1][0], "2.00 GBP")),
        case_number="C-T2-1-000123",
        answer_by=say_in(language)(ANSWER),
        owed="8.00 GBP",
    )


def report(language: str) -> Report:
    return Report(
        shop=shop(language),
        origin=origin("Z-0042"),
        shift="T2-1-0042",
        opened="2026-11-20 06:00 GMT, Mei",
        closed="2026-11-20 23:35 GMT, Mei",
        approver="Omar",
        software="simcounter 0.1.0",
        blind=say_in(language)("Counted without seeing figures"),
        counts=Counts("T2-1-000101", "T2-1-000163", "62", "58", "1", "2", "1", "3", "4", "1", ((pick(language, "Approvals: refund", "批准：退款", "批准：退款"), "2"),)),
        takings=Takings(
            "1,250.00 GBP",
            "-10.00 GBP",
            "1,240.00 GBP",
            ((pick(language, "VAT 20%", "增值税 20%", "增值稅 20%"), "206.67 GBP"),),
            "0.00 GBP",
            (PlanLine("Meadow", "20 GB", "41", "820.00 GBP", "49.20 GBP", "0.00 GBP"), PlanLine("Heron", "10 GB", "21", "420.00 GBP")),
        ),
        fulfilment=Fulfilment("59", "1", "2", "00:41", "3", "0"),
        tenders=(Tender(say_in(language)("Card"), "640.00 GBP", "640.00 GBP", "0.00 GBP"),),
        cards=(CardBatch("30812345", "000117", "31", "640.00 GBP"),),
        cash=(
            Cash(
                "GBP", "150.00 GBP", "600.00 GBP", "-20.00 GBP", "50.00 GBP", "-30.00 GBP", "-300.00 GBP", "450.00 GBP",
                (("20.00 x 20", "400.00 GBP"), ("10.00 x 4", "40.00 GBP"), ("0.50 x 18", "9.00 GBP")),
                "449.00 GBP", "-1.00 GBP", pick(language, "wrong change", "找错零", "找錯零"), "150.00 GBP", "299.00 GBP",
            ),
        ),
        corrections=(("T2-1-000097", "-20.00 GBP"),),
        checks=pick(language, "all held", "全部通过", "全部通過"),
        chain=Chain("48,210.00 GBP", "9f2c4e1ab07d55c3", "1d77aa02c9e48b60", "c0ffee1234567890"),
    )  # fmt: skip


LPA = "LPA:1$rsp.example.com$7K2M-99QF-A1B2-C3D4"
CHINA = "This slip is not a tax invoice (fapiao). If you need one, ask for it with this slip."
ANSWER = "You will have the answer in this shop within 24 hours."


def variants(language: str) -> dict[str, Document]:
    """The receipt of an eSIM, one in two languages with a legal line, and the second copy of one."""
    say, slip = say_in(language), sale_slip(language)
    plan = pick(language, "eSIM 10 GB, 15 days", "eSIM 10 GB，15 天", "eSIM 10 GB，15 日")
    esim = replace(slip.lines[0], number_masked="8944*** ***0071", plan=plan, qr=LPA, notes=())
    second = {"en": "zh_Hant", "zh_Hans": "en", "zh_Hant": "en"}[language]
    legal = replace(slip, shop=replace(slip.shop, legal=(say(CHINA),)))
    copy = layouts.copy_words(2, "2026-11-21 09:12 GMT", say)
    return {
        "sale_esim": layouts.sale(replace(slip, lines=(esim,)), say, language),
        "sale_two_languages": layouts.sale(legal, say, language, say_in(second)),
        "sale_copy": as_copy(layouts.sale(slip, say, language), 2, copy),
    }


def odd_documents(language: str) -> dict[str, Document]:
    """Names and sums that no designer thinks of; characters outside the face become boxes, so the text differs there."""
    say, slip = say_in(language), sale_slip(language)
    name = "Ἀθηνᾶ Mobile \u202eمتجر\u202c 🛜 & Sons Telecommunications, Duty-Free and Travel Retail (Terminal 2) Ltd"
    shop = replace(
        slip.shop, name=name, address=("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", *slip.shop.address)
    )
    huge = "12,345,678,901 JPY"
    line = replace(slip.lines[0], plan="שלום 🎉 " + slip.lines[0].plan * 3, amount=huge, carrier_reference="R" * 70)
    lines = tuple(replace(line, number_masked=number) for number in ("07*** ***678", "+886*** ***521", "8944 *** *** 0071 (SIM)"))
    total = "37,037,036,703 JPY"
    paid = ((slip.payments[0][0], "40,000,000,000 JPY"), (slip.payments[1][0], "2,962,963,297 JPY"))
    odd = replace(slip, shop=shop, lines=lines, total=total, taxes=tax(language, total, "3,367,003,337 JPY"), payments=paid)
    return {"sale_odd": layouts.sale(odd, say, language)}


def every_document(language: str) -> dict[str, Document]:
    """One document of each layout, by the name of its golden file."""
    say = say_in(language)
    slip, figures = sale_slip(language), report(language)
    documents = {f"sale_{state}": layouts.sale(sale_slip(language, state), say, language) for state in SaleState}
    documents |= variants(language)
    with_logo = replace(slip, shop=replace(slip.shop, logo=logos.hang(LOGO)))
    documents["sale_logo"] = layouts.sale(with_logo, say, language)
    documents["sale_training"] = layouts.sale(replace(slip, training=True), say, language)
    documents["confirmation"] = layouts.confirmation(
        ConfirmationSlip(slip.shop, origin("T2-1-C00009"), "T2-1-000123", slip.lines, case_number="C-2026-0417"),
        say,
        language,
    )
    documents["line_refused"] = layouts.confirmation(
        ConfirmationSlip(
            slip.shop, origin(), "T2-1-000123", family_slip(slip, language).lines[2:], "C-T2-1-000123", refused=True
        ),
        say,
        language,
    )
    given_back = (replace(slip.lines[0], valid_now=None, carrier_reference=None, state_words="", notes=()),)
    documents["refund"] = layouts.refund(
        RefundSlip(
            slip.shop, origin("T2-1-R00007"), "T2-1-000123", say_in(language)("Not activated by the carrier"),
            "-20.00 GBP", given_back, payments=((say_in(language)("Cash"), "-20.00 GBP"),), approver="Omar",
        ),
        say, language,
    )  # fmt: skip
    documents["z_report"] = layouts.z_report(figures, say, language)
    documents["x_report"] = layouts.x_report(replace(figures, origin=origin(""), closed="", chain=None), say, language)
    documents["shift_slip"] = layouts.shift_slip(
        ShiftSlip(slip.shop, origin("S-42"), "T2-1-0042", figures.opened, figures.closed,
                  (("GBP", "449.00 GBP"),), figures.cash[0].denominations, "150.00 GBP", "299.00 GBP"),
        say, language,
    )  # fmt: skip
    documents["cash_movement"] = layouts.cash_movement(
        CashMovementSlip(slip.shop, origin("M-3"), Movement.DROP, "300.00 GBP", pick(language, "over the limit", "超过上限", "超過上限")),
        say, language,
    )  # fmt: skip
    documents["handover"] = layouts.handover(
        HandoverSlip(slip.shop, origin(""), "T2-1-0042", figures.opened, "101 Amelia", "102 Omar",
                     figures.cash[0].denominations, "449.00 GBP"),
        say, language,
    )  # fmt: skip
    documents["test_page"] = layouts.test_page(
        TestPage("T2-1", "2026-11-20 14:05 GMT", (("192.0.2.17:9100", "576"),)), say, language
    )
    return documents
