"""One cash sale through the services, as a till's requests call them, and one step of the worker."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

from bench.shops import Shop
from bench.tills import Times
from pos.domain.documents import DocumentType
from pos.domain.money import Money
from pos.domain.tills import Desk
from pos.services import identity_checks, numbers, payments, plans, renewals, sales

PRICE_TENDERED = Money(20_00, "GBP")


def plan_of(shop: Shop, desk: Desk) -> int:
    with shop.app.app_context():
        return plans.offers(desk, "sandbox", "lyca")[0].id


class Seller:
    """A desk that sells the same plan to one number after the other."""

    def __init__(self, shop: Shop, desk: Desk, plan_id: int, first_number: int = 0) -> None:
        self.shop, self.desk, self.plan_id, self.turn = shop, desk, plan_id, first_number

    def sell(self, times: Times) -> str:
        """Four commits: the number, the document, the plan, the money. The renewal is then due."""
        kit, desk, sale_id = self.shop.kit, self.desk, str(uuid.uuid4())
        with self.shop.app.app_context():
            began = time.perf_counter()
            self.choose(sale_id)
            quote = sales.show(sale_id, desk, kit=kit).quote or ""
            payments.take_cash(sale_id, quote, PRICE_TENDERED, desk, kit=kit)
            times.setdefault("sale", []).append((time.perf_counter() - began) * 1000)
        return sale_id

    def choose(self, sale_id: str) -> None:
        """Everything but the money, in a context that is open."""
        kit, desk = self.shop.kit, self.desk
        self.turn += 1
        numbers.ask_about(sale_id, f"+447700900{self.turn % 400:03d}", "phone", desk, "en", kit=kit)
        day = datetime.now(UTC).date()
        seen = identity_checks.Seen(DocumentType.PASSPORT, "GB", "533380006", day.replace(year=day.year + 2, day=1), "typed")
        identity_checks.verify(sale_id, seen, True, desk, kit=kit)
        sales.choose_plan(sale_id, self.plan_id, desk, kit=kit, override=True, reason="bench")


def work(shop: Shop, owner: str = "bench#1") -> None:
    """Send or ask about one renewal, if one is due."""
    with shop.app.app_context():
        renewals.work_once(owner, kit=shop.kit)


def drain(shop: Shop, owner: str = "bench#1", most: int = 1_000_000) -> int:
    """Work until nothing is due; how many steps that took."""
    for step in range(most):
        with shop.app.app_context():
            if not renewals.work_once(owner, kit=shop.kit):
                return step
    return most
