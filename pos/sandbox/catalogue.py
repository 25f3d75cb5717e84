"""What the simulated carrier sells: five product lines, prices for a British shop (GBP) and a Hong Kong kiosk (HKD).

The plans are invented and believable; nothing here is anybody's price list. ``cost`` is what the dealer's wallet pays,
``face`` what the plan is worth to the customer, both in minor units (pence, cents)."""

from __future__ import annotations

from dataclasses import dataclass

UNLIMITED = -1

# line -> English, Simplified and Traditional Chinese
LINES: dict[str, tuple[str, str, str]] = {
    "lyca-data": ("Lyca data card", "莱卡数据卡", "萊卡數據卡"),
    "lyca-phone": ("Lyca phone card", "莱卡电话卡", "萊卡電話卡"),
    "lyca-roaming": ("Lyca roaming card", "莱卡远游卡", "萊卡遠遊卡"),
    "lyca-5g": ("Lyca 5G card", "莱卡5G卡", "萊卡5G卡"),
    "leb-data": ("LEB data card", "LEB卡数据卡", "LEB卡數據卡"),
}


@dataclass(frozen=True)
class Offering:
    """One plan. ``data_mb`` megabytes, ``minutes`` and ``texts`` counts: -1 unlimited, 0 none; ``valid_days`` days."""

    key: str
    line: str
    market: str
    currency: str
    name: str
    name_hans: str
    name_hant: str
    valid_days: int
    data_mb: int
    minutes: int
    texts: int
    cost_minor: int
    face_minor: int
    description: str
    sellable: bool = True

    @property
    def operator(self) -> str:
        return self.line.partition("-")[0]


# line, key's end, valid days, data MB, minutes, texts, (GBP cost, face), (HKD cost, face),
# English, Simplified, Traditional, description
_Row = tuple[str, str, int, int, int, int, tuple[int, int], tuple[int, int], str, str, str, str]
_ROWS: list[_Row] = [
    # Lyca data card: by the day, by the month, unlimited
    ("lyca-data", "1d", 1, 1024, 0, 0, (184, 200), (1656, 1800),
     "Data 1 day 1 GB", "数据 1天 1GB", "數據 1天 1GB", "1 GB of data for one day."),
    ("lyca-data", "3d", 3, 3072, 0, 0, (460, 500), (4140, 4500),
     "Data 3 days 3 GB", "数据 3天 3GB", "數據 3天 3GB", "3 GB of data for three days."),
    ("lyca-data", "7d", 7, 8192, 0, 0, (736, 800), (7176, 7800),
     "Data 7 days 8 GB", "数据 7天 8GB", "數據 7天 8GB", "8 GB of data for a week."),
    ("lyca-data", "30d-10g", 30, 10240, 0, 0, (920, 1000), (9016, 9800),
     "Data 30 days 10 GB", "数据 30天 10GB", "數據 30天 10GB", "10 GB of data for thirty days."),
    ("lyca-data", "30d-30g", 30, 30720, 0, 0, (1380, 1500), (13616, 14800),
     "Data 30 days 30 GB", "数据 30天 30GB", "數據 30天 30GB", "30 GB of data for thirty days."),
    ("lyca-data", "30d-unlimited", 30, UNLIMITED, 0, 0, (2300, 2500), (22816, 24800),
     "Data 30 days unlimited", "数据 30天 无限流量", "數據 30天 無限流量",
     "Unlimited data for thirty days; slower after 100 GB."),
    # Lyca phone card: minutes, SMS and data
    ("lyca-phone", "s", 30, 5120, 500, 500, (736, 800), (7176, 7800),
     "Phone S 30 days 500 min", "电话卡 S 30天 500分钟", "電話卡 S 30天 500分鐘",
     "500 minutes, 500 texts and 5 GB for thirty days."),
    ("lyca-phone", "m", 30, 15360, 2000, 2000, (1104, 1200), (10856, 11800),
     "Phone M 30 days 2000 min", "电话卡 M 30天 2000分钟", "電話卡 M 30天 2000分鐘",
     "2000 minutes, 2000 texts and 15 GB for thirty days."),
    ("lyca-phone", "l", 30, 40960, UNLIMITED, UNLIMITED, (1840, 2000), (18216, 19800),
     "Phone L 30 days unlimited calls", "电话卡 L 30天 无限通话", "電話卡 L 30天 無限通話",
     "Unlimited national calls and texts and 40 GB for thirty days."),
    ("lyca-phone", "intl", 30, 2048, 300, 100, (920, 1000), (9016, 9800),
     "Phone International 30 days", "电话卡 国际 30天", "電話卡 國際 30天",
     "300 minutes to 40 countries, 100 texts and 2 GB for thirty days."),
    # Lyca roaming card: travellers
    ("lyca-roaming", "7d", 7, 5120, 60, 20, (1380, 1500), (13616, 14800),
     "Roaming 7 days 5 GB", "远游卡 7天 5GB", "遠遊卡 7天 5GB",
     "5 GB, 60 minutes and 20 texts in 70 countries for a week."),
    ("lyca-roaming", "15d", 15, 10240, 120, 50, (2300, 2500), (22816, 24800),
     "Roaming 15 days 10 GB", "远游卡 15天 10GB", "遠遊卡 15天 10GB",
     "10 GB, 120 minutes and 50 texts in 70 countries for fifteen days."),
    ("lyca-roaming", "30d", 30, 20480, 240, 100, (3680, 4000), (36616, 39800),
     "Roaming 30 days 20 GB", "远游卡 30天 20GB", "遠遊卡 30天 20GB",
     "20 GB, 240 minutes and 100 texts in 70 countries for thirty days."),
    ("lyca-roaming", "90d", 90, 51200, 600, 200, (8280, 9000), (82616, 89800),
     "Roaming 90 days 50 GB", "远游卡 90天 50GB", "遠遊卡 90天 50GB",
     "For long stays: 50 GB, 600 minutes and 200 texts in 70 countries for ninety days."),
    # Lyca 5G card: data packs, call packs; one, three, twelve months
    ("lyca-5g", "1m", 30, 102400, 0, 0, (1840, 2000), (18216, 19800),
     "5G 1 month 100 GB", "5G 1个月 100GB", "5G 1個月 100GB", "100 GB at 5G speed for one month."),
    ("lyca-5g", "3m", 90, 307200, 0, 0, (4968, 5400), (49496, 53800),
     "5G 3 months 300 GB", "5G 3个月 300GB", "5G 3個月 300GB", "300 GB at 5G speed for three months."),
    ("lyca-5g", "12m", 365, 1228800, 0, 0, (16560, 18000), (165416, 179800),
     "5G 12 months 1200 GB", "5G 12个月 1200GB", "5G 12個月 1200GB", "1200 GB at 5G speed for twelve months."),
    ("lyca-5g", "1m-calls", 30, 102400, UNLIMITED, UNLIMITED, (2300, 2500), (22816, 24800),
     "5G 1 month 100 GB with calls", "5G 1个月 100GB 含通话", "5G 1個月 100GB 含通話",
     "100 GB at 5G speed with unlimited national calls and texts for one month."),
    ("lyca-5g", "1m-first", 30, 51200, 0, 0, (920, 1000), (9016, 9800),
     "5G first edition", "5G 首发版", "5G 首發版", "No longer sold: ordering it is refused."),
    # LEB data card: short and long stays
    ("leb-data", "1d", 1, 2048, 0, 0, (276, 300), (2576, 2800),
     "LEB 1 day 2 GB", "LEB 1天 2GB", "LEB 1天 2GB", "2 GB of data for one day."),
    ("leb-data", "5d", 5, 6144, 0, 0, (736, 800), (7176, 7800),
     "LEB short stay 5 days 6 GB", "LEB 短期 5天 6GB", "LEB 短期 5天 6GB", "Short stay: 6 GB for five days."),
    ("leb-data", "15d", 15, 15360, 0, 0, (1380, 1500), (13616, 14800),
     "LEB stay 15 days 15 GB", "LEB 15天 15GB", "LEB 15天 15GB", "15 GB for fifteen days."),
    ("leb-data", "30d", 30, 30720, 0, 0, (1840, 2000), (18216, 19800),
     "LEB month 30 days 30 GB", "LEB 月卡 30天 30GB", "LEB 月卡 30天 30GB", "30 GB for thirty days."),
    ("leb-data", "90d", 90, 92160, 0, 0, (4600, 5000), (45816, 49800),
     "LEB long stay 90 days 90 GB", "LEB 长期 90天 90GB", "LEB 長期 90天 90GB", "Long stay: 90 GB for ninety days."),
]  # fmt: skip

_RETIRED = "1m-first"


def _offerings() -> dict[str, Offering]:
    found = {}
    for line, end, days, data, minutes, texts, gbp, hkd, name, hans, hant, description in _ROWS:
        operator = "LEB" if line == "leb-data" else "Lyca"
        prefix = "" if operator == "LEB" else operator + " "
        for market, currency, (cost, face) in (("GB", "GBP", gbp), ("HK", "HKD", hkd)):
            key = f"{line}-{market.lower()}-{end}"
            found[key] = Offering(
                key, line, market, currency, prefix + name,
                "莱卡" + hans if prefix else hans, "萊卡" + hant if prefix else hant,
                days, data, minutes, texts, cost, face, description, sellable=end != _RETIRED,
            )  # fmt: skip
    return found


OFFERINGS: dict[str, Offering] = _offerings()


def first_plan(operator: str, market: str, choice: int) -> Offering:
    """The plan a subscriber starts with; ``choice`` picks one of the sellable ones, the same each time."""
    plans = [o for o in OFFERINGS.values() if (o.operator, o.market, o.sellable) == (operator, market, True)]
    return plans[choice % len(plans)]
