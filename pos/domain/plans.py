"""Plans: what is sold, for how much, and until when a renewal lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pos.domain.money import Money

# The product lines of the shop, in the order of the counter; names as the customers know them.
LINES: dict[str, tuple[str, str, str]] = {
    "lyca_data": ("Lyca data card", "莱卡数据卡", "萊卡數據卡"),
    "lyca_phone": ("Lyca phone card", "莱卡电话卡", "萊卡電話卡"),
    "lyca_roaming": ("Lyca roaming card", "莱卡远游卡", "萊卡遠遊卡"),
    "lyca_5g": ("Lyca 5G card", "莱卡5G卡", "萊卡5G卡"),
    "leb_data": ("LEB data card", "LEB卡数据卡", "LEB卡數據卡"),
}


# Operators as their customers write them; any other is shown as its carrier names it.
OPERATORS = {"lyca": "Lyca", "leb": "LEB"}


@dataclass(frozen=True)
class Plan:
    """One thing on the price list. ``price`` is what the customer pays; ``cost`` what our float pays; three amounts apart."""

    id: int
    carrier: str
    product_key: str
    line: str
    operator: str | None
    name: str
    kind: str
    price: Money
    cost: Money
    face: Money
    valid_days: int | None
    data_megabytes: int | None
    minutes: int | None
    texts: int | None
    fulfilment: str = "direct"
    redeem: str | None = None
    country: str | None = None

    @property
    def unlimited_data(self) -> bool:
        return self.data_megabytes == -1

    def price_per_day(self) -> Money | None:
        """Rounded half up to a minor unit; None where the plan has no term."""
        return (
            Money((2 * self.price.minor + self.valid_days) // (2 * self.valid_days), self.price.currency)
            if self.valid_days
            else None
        )

    def price_per_gigabyte(self) -> Money | None:
        """Per 1024 MB, rounded half up; None for unlimited plans and plans without data."""
        if not self.data_megabytes or self.data_megabytes < 0:
            return None
        return Money((2048 * self.price.minor + self.data_megabytes) // (2 * self.data_megabytes), self.price.currency)


# Carriers write "never ends" as the year 9999, which no zone can show; this is far enough for a prepaid plan.
_FAR = datetime(2100, 1, 1, tzinfo=UTC)


def sane_end(moment: datetime | None) -> datetime | None:
    """A carrier's end of validity that every clock of ours can show."""
    return None if moment is None else min(moment, _FAR)


def valid_until(plan_days: int | None, before: datetime | None, now: datetime) -> datetime | None:
    """Until when a renewal is expected to last: it extends a running plan and starts now for an ended one."""
    if plan_days is None:
        return None
    start = before if before is not None and before > now else now
    return start + timedelta(days=plan_days)


def effect_on(running: str | None, before: datetime | None, plan: Plan, now: datetime) -> tuple[str, datetime | None]:
    """What ``plan`` does to a SIM whose plan is called ``running`` and ends at ``before``: extends, replaces or starts, and
    until when. A code and a new eSIM do nothing to it before the customer uses them, and nobody tells when that is."""
    if plan.kind == "esim":
        return "new", None
    if plan.fulfilment != "direct":
        return "voucher", None
    runs = before is not None and before > now
    effect = "extends" if runs and running == plan.name else ("replaces" if runs else "starts")
    return effect, valid_until(plan.valid_days, before, now)
