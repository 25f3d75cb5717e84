"""The words of the paper page in English, Simplified and Traditional Chinese.

Kept apart from the product's catalogues: the page belongs to the demo, and the demo shares nothing with the product."""

from __future__ import annotations

from collections.abc import Iterable

from pos.sandbox.printer_conditions import Condition

LANGUAGES = {"en": "English", "zh-Hans": "简体", "zh-Hant": "繁體"}
TRADITIONAL_REGIONS = ("hant", "tw", "hk", "mo")

WORDS: dict[str, tuple[str, str, str]] = {
    "title": ("Virtual receipt printer", "虚拟小票打印机", "虛擬收據印表機"),
    "listening": ("Listening on", "监听地址", "監聽位址"),
    "wished_taken": ("Port {port} was taken.", "端口 {port} 已被占用。", "連接埠 {port} 已被佔用。"),
    "condition": ("Condition", "状态", "狀態"),
    "line": ("Connection", "连接", "連線"),
    "mechanics": ("Paper and cover", "纸张与机盖", "紙張與機蓋"),
    "papers": ("Paper that came out", "已打印的小票", "已列印的收據"),
    "tear_off": ("Tear off", "撕下小票", "撕下收據"),
    "refresh": ("Refresh", "刷新", "重新整理"),
    "language": ("Language", "语言", "語言"),
    "empty": ("No paper yet. Sell something.", "还没有小票。试着卖一单吧。", "還沒有收據。試著賣一單吧。"),
    "number": ("No. {number}", "第 {number} 张", "第 {number} 張"),
    "drawer": ("Drawer opened", "钱箱已弹开", "錢箱已彈開"),
    "no_paper": ("No paper came out.", "没有出纸。", "沒有出紙。"),
    "incomplete": ("Incomplete", "不完整", "不完整"),
    "refused": ("What went wrong", "问题", "問題"),
    "bytes": ("{count} bytes", "{count} 字节", "{count} 位元組"),
    "picture": ("Receipt no. {number} as printed", "第 {number} 张小票的打印图像", "第 {number} 張收據的列印圖像"),
    "lost": ("The printer program does not answer.", "打印机程序没有响应。", "印表機程式沒有回應。"),
}

CONDITIONS: dict[Condition, tuple[str, str, str]] = {
    Condition.READY: ("Ready", "就绪", "就緒"),
    Condition.NEAR_END: ("Near end", "纸将用尽", "紙將用盡"),
    Condition.PAPER_OUT: ("Paper out", "缺纸", "缺紙"),
    Condition.COVER_OPEN: ("Cover open", "机盖打开", "機蓋打開"),
    Condition.OFFLINE: ("Offline", "脱机", "離線"),
    Condition.MUTE: ("Mute", "无应答", "無回應"),
    Condition.SLOW: ("Slow", "慢速", "慢速"),
    Condition.STALL: ("Stall mid-job", "中途停住", "中途停住"),
    Condition.RESET: ("Reset mid-job", "中途断开", "中途斷線"),
    Condition.REFUSE: ("Refuse", "拒绝连接", "拒絕連線"),
}

EFFECTS: dict[Condition, tuple[str, str, str]] = {
    Condition.READY: ("Prints, and answers every question.", "正常打印并应答。", "正常列印並回應。"),
    Condition.NEAR_END: (
        "Prints, and warns that the roll ends soon.",
        "可以打印，但提示纸卷即将用尽。",
        "可以列印，但提示紙捲即將用盡。",
    ),
    Condition.PAPER_OUT: (
        "Says so when asked. What is sent waits for paper.",
        "查询时报告缺纸；收到的数据等待装纸。",
        "查詢時回報缺紙；收到的資料等待裝紙。",
    ),
    Condition.COVER_OPEN: (
        "Says so when asked. What is sent waits for the cover.",
        "查询时报告机盖打开；收到的数据等待合盖。",
        "查詢時回報機蓋打開；收到的資料等待合蓋。",
    ),
    Condition.OFFLINE: (
        "Says so when asked. What is sent waits.",
        "查询时报告脱机；收到的数据等待恢复。",
        "查詢時回報離線；收到的資料等待恢復。",
    ),
    Condition.MUTE: (
        "Prints, and never answers a question.",
        "可以打印，但从不应答。",
        "可以列印，但從不回應。",
    ),
    Condition.SLOW: ("Takes 20 KB a second.", "每秒只接收 20 KB。", "每秒只接收 20 KB。"),
    Condition.STALL: (
        "Stops in the middle of a receipt until another condition is chosen.",
        "打印到一半停住，直到选择其他状态。",
        "列印到一半停住，直到選擇其他狀態。",
    ),
    Condition.RESET: (
        "Drops the connection in the middle of a receipt.",
        "打印到一半断开连接。",
        "列印到一半斷開連線。",
    ),
    Condition.REFUSE: ("Takes no connections at all.", "拒绝一切连接。", "拒絕一切連線。"),
}


class Words:
    """The words of one language; ``words("number", number=3)`` fills in the blanks."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = list(LANGUAGES).index(language)

    def __call__(self, key: str, **blanks: object) -> str:
        return WORDS[key][self._column].format(**blanks)

    def condition(self, condition: Condition) -> str:
        return CONDITIONS[condition][self._column]

    def effect(self, condition: Condition) -> str:
        return EFFECTS[condition][self._column]


def choose(asked: str | None, accepted: Iterable[str]) -> str:
    """One of LANGUAGES: what was asked for, else the first language of the browser that we have, else English."""
    for tag in [asked or "", *accepted]:
        parts = tag.lower().replace("_", "-").split("-")
        if parts[0] == "zh":
            return "zh-Hant" if any(part in TRADITIONAL_REGIONS for part in parts[1:]) else "zh-Hans"
        if parts[0] == "en":
            return "en"
    return "en"
