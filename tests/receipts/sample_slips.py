"""A day's slips with all fields filled, and the words of two languages; shared by the tests of this folder.

Lines may be long here: sentences in three languages side by side read better on one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from receipts import layouts
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

# English, simplified, traditional.
WORDS = """
Time|时间|時間
Business day|营业日|營業日
Till / clerk|收银台 / 店员|收銀台 / 店員
Receipt no.|小票号|收據編號
Report no.|报表号|報表編號
Slip no.|凭条号|憑條編號
Number|手机号|手機號碼
Product|产品|產品
Plan|套餐|計劃
Valid until (before)|有效期至（充值前）|有效期至（儲值前）
Valid until (now)|有效期至（现在）|有效期至（現在）
Carrier reference|运营商参考号|電訊商參考編號
State|状态|狀態
Amount|金额|金額
TOTAL|应付总额|應付總額
PAID - ACTIVATED|已付款－已生效|已付款－已生效
PAID - ACTIVATION BEING CONFIRMED|已付款－充值确认中|已付款－儲值確認中
NOT ACTIVATED - REFUND DUE|未生效－待退款|未生效－待退款
NOT ACTIVATED - REFUNDED|未生效－已退款|未生效－已退款
PAID - SEE EACH NUMBER|已付款－详见各号码|已付款－詳見各號碼
Not activated by the carrier: %(amount)s will be paid back.|运营商未能充值部分：将退还 %(amount)s。|電訊商未能儲值部分：將退還 %(amount)s。
ACTIVATION CONFIRMED|充值已确认|儲值已確認
ACTIVATION WITHDRAWN|充值已撤回|儲值已撤回
REFUND|退款|退款
COPY %(number)d|副本 %(number)d|副本 %(number)d
TRAINING - NOT A RECEIPT|培训－非正式小票|培訓－非正式收據
Case no.|个案编号|個案編號
Scan to check this receipt.|扫码查验本小票。|掃碼查驗本收據。
Scan to install the eSIM.|扫码安装 eSIM。|掃碼安裝 eSIM。
Your payment is safe. Do not pay again.|您的付款已收到，请勿重复付款。|您的付款已收到，請勿重複付款。
The carrier did not activate this. Your money will be paid back.|运营商未能充值，款项将退还。|電訊商未能儲值，款項將退還。
The carrier did not activate this. Your money was paid back.|运营商未能充值，款项已退还。|電訊商未能儲值，款項已退還。
Original receipt|原小票号|原收據編號
For receipt|所属小票|所屬收據
This belongs to receipt %(number)s and is not a second receipt.|本条属于小票 %(number)s，并非第二张小票。|本條屬於收據 %(number)s，並非第二張收據。
Reason|原因|原因
Approved by|批准人|批准人
Z REPORT|日结报表|日結報表
X REPORT|中途报表|中途報表
Shift|班次|班次
Opened|开班|開班
Closed|结班|結班
Count|清点|點算
Software|软件|軟件
Own checks|自检|自檢
Counts|次数|次數
First receipt|首张小票|首張收據
Last receipt|末张小票|末張收據
Number of sales|销售笔数|銷售筆數
Customers|顾客|顧客
Voids|作废|作廢
Refunds|退款|退款
Drawer openings without sale|非销售开箱|非銷售開箱
Reprints|补打|補印
ID checks typed by hand|手工录入证件|手動輸入證件
Failed PINs|密码错误|密碼錯誤
Sales|销售|銷售
Gross|总额|總額
Discount|折扣|折扣
Net|净额|淨額
Rounding|舍入|捨入
Commission|佣金|佣金
Fee|手续费|手續費
Activations|充值结果|儲值結果
Active|已生效|已生效
Refused|被拒绝|被拒絕
Unknown now|尚未确认|尚未確認
Oldest unknown|最早未确认|最早未確認
Resolved since the last Z|上次日结后已解决|上次日結後已解決
Withdrawn|已撤回|已撤回
Expected|应有|應有
Counted|实点|實點
Difference|差额|差額
Card terminal|刷卡机|刷卡機
Card refunds without a result|没有结果的刷卡退款|沒有結果的刷卡退款
Terminal|终端号|終端編號
Batch|批次|批次
Payments|笔数|筆數
Terminal total|终端合计|終端合計
Cash %(currency)s|现金 %(currency)s|現金 %(currency)s
Opening float|备用金|備用金
Cash sales|现金销售|現金銷售
Cash refunds|现金退款|現金退款
Paid in|存入|存入
Paid out|取出|取出
Safe drops|投入保险柜|投入保險櫃
Left in the drawer|留在钱箱|留在錢箱
To the bank|送存银行|送存銀行
Late corrections|迟到更正|遲到更正
Chain|校验链|校驗鏈
Total since the start|累计总额|累計總額
Previous report|上一报表|上一報表
This report|本报表|本報表
Journal|日志|日誌
SHIFT CLOSED|已结班|已結班
Signature|签名|簽名
CASH PAID IN|现金存入|現金存入
CASH PAID OUT|现金取出|現金取出
SAFE DROP|投入保险柜|投入保險櫃
OPENING FLOAT|备用金|備用金
Note|备注|備註
Found over|账外多出|帳外多出
Moved after the first count|首次清点后的进出|首次清點後的進出
DRAWER HANDED OVER|钱箱交接单|錢箱交接單
Given by|交出人|交出人
Taken by|接收人|接收人
PRINTER TEST|打印机测试|打印機測試
If this line is complete and the paper was cut, the printer is set up.|本行完整且纸已切断，即设置完成。|本行完整且紙已切斷，即設定完成。
"""
ROWS = [line.split("|") for line in WORDS.strip().splitlines()]


def say_in(language: str) -> Callable[[str], str]:
    """gettext of a language; a word without translation is an error here, so that the list above stays whole."""
    column = LANGUAGES.index(language)
    table = {row[0]: row[column] for row in ROWS}
    return table.__getitem__


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
        state_words=pick(language, "Activated", "已生效", "已生效"),
        notes=((pick(language, "Balance", "查询余额", "查詢結餘"), "*100#"),),
    )


def sale_slip(language: str, state: SaleState = SaleState.ACTIVATED) -> SaleSlip:
    slip = SaleSlip(
        shop=shop(language),
        origin=origin(),
        state=state,
        lines=(line(language),),
        taxes=((pick(language, "of which VAT 20%", "含增值税 20%", "含增值稅 20%"), "3.33 GBP"),),
        total="20.00 GBP",
        payments=(
            (pick(language, "Cash", "现金", "現金"), "50.00 GBP"),
            (pick(language, "Change", "找零", "找續"), "30.00 GBP"),
        ),
        qr="https://r.example/c/7Q4M-2K9D-XW3E-5T8B-0123",
    )
    if state is SaleState.ACTIVATED:
        return slip
    if state is SaleState.MIXED:
        return family_slip(slip, language)
    words = pick(language, "Refused", "被拒绝", "被拒絕")
    if state is SaleState.BEING_CONFIRMED:
        words = pick(language, "Open", "未定", "未定")
    line_so_far = replace(slip.lines[0], valid_now=None, carrier_reference=None, state_words=words)
    answer_by = pick(
        language,
        "We write to you by 2026-11-20 16:05 GMT.",
        "我们将在 2026-11-20 16:05 GMT 前短信通知您。",
        "我們將於 2026-11-20 16:05 GMT 前以短訊通知您。",
    )
    cards = (("VISA **** 4242", "20.00 GBP"), (pick(language, "Auth", "授权码", "授權碼"), "083142"))
    return replace(slip, lines=(line_so_far,), case_number="C-2026-0417", answer_by=answer_by, payments=cards)


def family_slip(slip: SaleSlip, language: str) -> SaleSlip:
    """Three numbers with one payment: one active, one still open, one refused."""
    done = slip.lines[0]
    waiting = pick(language, "Being confirmed", "确认中", "確認中")
    refused = pick(language, "Not activated", "未生效", "未生效")
    open_line = replace(done, number_masked="07*** ***901", valid_now=None, carrier_reference=None, state_words=waiting, notes=())
    refused_line = replace(open_line, number_masked="07*** ***521", amount="8.00 GBP", state_words=refused)
    return replace(
        slip,
        lines=(done, open_line, refused_line),
        taxes=((slip.taxes[0][0], "8.00 GBP"),),
        total="48.00 GBP",
        payments=((slip.payments[0][0], "50.00 GBP"), (slip.payments[1][0], "2.00 GBP")),
        case_number="C-T2-1-000123",
        answer_by=pick(language, "within 24 hours, in this shop", "24 小时内，在本店", "24 小時內，在本店"),
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
        blind=pick(language, "blind", "盲点", "盲點"),
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
        tenders=(Tender(pick(language, "Card", "银行卡", "銀行卡"), "640.00 GBP", "640.00 GBP", "0.00 GBP"),),
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
CHINA = (
    "This slip is not a tax invoice (fapiao). If you need one, ask for it with this slip.",
    "本收据不是发票。如需发票，请凭本收据索取。",
    "本收據不是發票。如需發票，請憑本收據索取。",
)


def variants(language: str) -> dict[str, Document]:
    """The receipt of an eSIM, one in two languages with a legal line, and the second copy of one."""
    say, slip = say_in(language), sale_slip(language)
    plan = pick(language, "eSIM 10 GB, 15 days", "eSIM 10 GB，15 天", "eSIM 10 GB，15 日")
    esim = replace(slip.lines[0], number_masked="8944*** ***0071", plan=plan, qr=LPA, notes=())
    second = {"en": "zh_Hant", "zh_Hans": "en", "zh_Hant": "en"}[language]
    legal = replace(slip, shop=replace(slip.shop, legal=(pick(language, *CHINA),)))
    words = layouts.copy_words(2, "2026-11-21 09:12 GMT", say)
    return {
        "sale_esim": layouts.sale(replace(slip, lines=(esim,)), say, language),
        "sale_two_languages": layouts.sale(legal, say, language, say_in(second)),
        "sale_copy": as_copy(layouts.sale(slip, say, language), 2, words),
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
    odd = replace(slip, shop=shop, lines=lines, total=total, taxes=((slip.taxes[0][0], "3,367,003,337 JPY"),), payments=paid)
    return {"sale_odd": layouts.sale(odd, say, language)}


def every_document(language: str) -> dict[str, Document]:
    """One document of each layout, by the name of its golden file."""
    say = say_in(language)
    slip, figures = sale_slip(language), report(language)
    documents = {f"sale_{state}": layouts.sale(sale_slip(language, state), say, language) for state in SaleState}
    documents |= variants(language)
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
            slip.shop, origin("T2-1-R00007"), "T2-1-000123", pick(language, "refused by the carrier", "运营商拒绝", "電訊商拒絕"),
            "-20.00 GBP", given_back, payments=((pick(language, "Cash", "现金", "現金"), "-20.00 GBP"),), approver="Omar",
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
