"""The control page's labels in English, Simplified and Traditional Chinese; faults and codes keep the wire's names."""

from __future__ import annotations

LANGUAGES = {"en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"}

WORDS: dict[str, tuple[str, str, str]] = {
    "title": ("Sandbox carrier", "模拟运营商", "模擬營運商"),
    "intro": (
        "A pretend carrier for training and tests. Nothing sold here is real.",
        "供培训和测试使用的模拟运营商，这里的交易都不是真的。",
        "供培訓和測試使用的模擬營運商，這裡的交易都不是真的。",
    ),
    "refresh": ("Refresh", "刷新", "重新整理"),
    "now": ("Carrier's clock (UTC)", "运营商时钟（UTC）", "營運商時鐘（UTC）"),
    "state": ("State", "状态", "狀態"),
    "answering": ("answering", "正常应答", "正常回應"),
    "closed": ("switched off: every connection is reset", "已关闭：所有连接都会被重置", "已關閉：所有連線都會被重設"),
    "switch_on": ("Switch on", "打开", "開啟"),
    "switch_off": ("Switch off", "关闭", "關閉"),
    "wallets": ("Dealer's wallet", "经销商钱包", "經銷商錢包"),
    "set": ("Set", "设置", "設定"),
    "clock": ("Clock", "时钟", "時鐘"),
    "hour": ("+1 hour", "+1小时", "+1小時"),
    "day": ("+1 day", "+1天", "+1天"),
    "week": ("+7 days", "+7天", "+7天"),
    "month": ("+30 days", "+30天", "+30天"),
    "books": ("Books: money that moved, newest first", "账本：资金变动（最新在前）", "帳簿：資金變動（最新在前）"),
    "waiting": ("Orders that wait", "等待中的订单", "等待中的訂單"),
    "at": ("At", "时间", "時間"),
    "number": ("Number", "号码", "號碼"),
    "reference": ("Reference", "参考号", "參考號"),
    "order": ("Order", "订单", "訂單"),
    "offering": ("Offering", "套餐", "套餐"),
    "amount": ("Amount", "金额", "金額"),
    "nothing": ("Nothing yet.", "暂无。", "暫無。"),
    "faults": ("Faults", "故障", "故障"),
    "active_faults": ("Active now", "当前生效", "目前生效"),
    "fault": ("Fault", "故障", "故障"),
    "where": ("Where", "位置", "位置"),
    "count": ("How often", "次数", "次數"),
    "always": ("until cleared", "直到清除", "直到清除"),
    "add": ("Add fault", "添加故障", "加入故障"),
    "clear": ("Clear all faults", "清除所有故障", "清除所有故障"),
    "magic": ("Magic numbers", "特殊号码", "特殊號碼"),
    "magic_hint": (
        "Third digit from the end 5 or 9, then these two digits: +447700900503, +447700900903, +85255500503.",
        "倒数第三位为5或9，后接以下两位：+447700900503、+447700900903、+85255500503。",
        "倒數第三位為5或9，後接以下兩位：+447700900503、+447700900903、+85255500503。",
    ),
    "ends_with": ("Ends with", "结尾", "結尾"),
    "does": ("What happens", "结果", "結果"),
    "subscriber": ("Subscriber", "用户", "用戶"),
    "look_up": ("Look up", "查询", "查詢"),
    "owner": ("Registered owner", "登记人", "登記人"),
    "document": ("Document", "证件", "證件"),
    "birth_date": ("Born", "出生日期", "出生日期"),
    "ends": ("Ends", "到期", "到期"),
    "balance": ("Balance", "余额", "餘額"),
    "unknown_number": ("Not a number of this carrier.", "不是本运营商的号码。", "不是本營運商的號碼。"),
    "set_status": ("Set status", "设置状态", "設定狀態"),
    "people": ("Who is registered, by the number's last digit", "登记人（按号码末位）", "登記人（按號碼末位）"),
    "last_digit": ("Last digit", "末位", "末位"),
    "name": ("Name", "姓名", "姓名"),
    "ranges": ("Numbers of this carrier", "本运营商号段", "本營運商號段"),
    "switches": ("Habits", "行为设置", "行為設定"),
    "reset": ("Reset everything", "全部重置", "全部重設"),
    "reset_hint": (
        "Empties the books, the wallets and the faults, the resellers' too.",
        "清空账本、钱包和故障，转售商的也清空。",
        "清空帳簿、錢包和故障，轉售商的也清空。",
    ),
    "reverse": ("Reverse", "冲正", "沖正"),
    "reseller": ("Reseller", "转售商", "轉售商"),
    "base_url": ("Base address", "接口地址", "介面位址"),
    "token_url": ("token address", "令牌地址", "權杖位址"),
    "credentials": ("credentials", "凭据", "憑證"),
    "available": ("Available", "可用", "可用"),
    "set_aside": ("Set aside", "已预留", "已預留"),
    "transaction": ("Transaction", "交易", "交易"),
    "give_back": ("Give back", "退还", "退還"),
    "magic_airalo": (
        "ICCID 8944500000000000014 active, …0022 finished, …0030 expired, …0048 code 73, …0055 code 23; "
        "package thames-30days-20gb-topup code 33, eurolink-7days-1gb-topup money moves, then code 53.",
        "ICCID 8944500000000000014 使用中，…0022 已用完，…0030 已过期，…0048 错误码73，…0055 错误码23；"
        "套餐 thames-30days-20gb-topup 错误码33，eurolink-7days-1gb-topup 扣款后返回错误码53。",
        "ICCID 8944500000000000014 使用中，…0022 已用完，…0030 已過期，…0048 錯誤碼73，…0055 錯誤碼23；"
        "套餐 thames-30days-20gb-topup 錯誤碼33，eurolink-7days-1gb-topup 扣款後回傳錯誤碼53。",
    ),
    "magic_ding": (
        "last digits 001 RateLimited; 002, 003, 004, 005, 009 a failed transfer; 007 InsufficientBalance; "
        "008 AccountNumberInvalid; 010 (batch) fails after 20 s; 011 (batch) complete after 20 s, given back 60 s later; "
        "012 times out after 90 s.",
        "末三位 001 RateLimited；002、003、004、005、009 转账失败；007 InsufficientBalance；008 AccountNumberInvalid；"
        "010（批处理）20秒后失败；011（批处理）20秒后完成，再过60秒退还；012 90秒后超时。",
        "末三位 001 RateLimited；002、003、004、005、009 轉帳失敗；007 InsufficientBalance；008 AccountNumberInvalid；"
        "010（批次）20秒後失敗；011（批次）20秒後完成，再過60秒退還；012 90秒後逾時。",
    ),
    "magic_dtone": (
        "the last three digits are delay, 0, outcome. Delay 1: 3 s, 2: 20 s, 3: 5 minutes. Outcome 0 completed, 1 with a code, "
        "2 invalid number, 3 barred, 4 operator unavailable, 5 duplicate, 6 declined, 7 exception.",
        "末三位依次为延迟、0、结果。延迟 1：3秒，2：20秒，3：5分钟。结果 0 完成，1 完成并带兑换码，"
        "2 号码无效，3 号码被禁，4 运营商不可用，5 重复，6 拒绝，7 异常。",
        "末三位依次為延遲、0、結果。延遲 1：3秒，2：20秒，3：5分鐘。結果 0 完成，1 完成並附兌換碼，"
        "2 號碼無效，3 號碼被禁，4 營運商無法使用，5 重複，6 拒絕，7 例外。",
    ),
    "magic_reloadly": (
        "+44 7700 900 5xx and 9xx as in the table below; any Spanish number at operator 538: 52 s, then refused.",
        "+44 7700 900 5xx 和 9xx 见特殊号码表；西班牙号码使用运营商538：等待52秒后拒绝。",
        "+44 7700 900 5xx 和 9xx 見特殊號碼表；西班牙號碼使用營運商538：等待52秒後拒絕。",
    ),
    "requests": ("Requests so far", "请求次数", "請求次數"),
}


def choose(query: dict[str, str], accept_language: str) -> str:
    """The page's language: ``?lang=`` first, then the browser's wish, then English."""
    if query.get("lang") in LANGUAGES:
        return query["lang"]
    for wish in accept_language.split(","):
        tag = wish.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-Hant" if any(part in tag for part in ("hant", "hk", "tw", "mo")) else "zh-Hans"
        if tag.startswith("en"):
            return "en"
    return "en"


def say(language: str, key: str) -> str:
    return WORDS[key][list(LANGUAGES).index(language)]
