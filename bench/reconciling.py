"""A settlement file of as many lines as there are sales: read in, compared, and both once more."""

from __future__ import annotations

import sys
import time
import uuid
from datetime import UTC, datetime

from sqlalchemy import text

from bench import history
from bench.selling import Seller, drain, plan_of
from bench.shops import Shop
from bench.tills import furnish_tills
from pos.domain.payments import CardSlip
from pos.domain.settlement_files import Profile
from pos.domain.settlements import Direction
from pos.domain.tills import Desk
from pos.services import payments, sales, shifts
from pos.services import reconciliation_imports as imports
from pos.services import reconciliation_items as items
from pos.store.base import Base
from pos.store.db import db

FILE = Profile(
    "cards",
    Direction.CARD,
    source="cards",
    columns={"date": "at", "amount": "sum", "reference": "code", "last4": "card"},
    date_format="%Y-%m-%dT%H:%M:%S%z",
    trailer="TOTAL",
)


def reconciling(shop: Shop, count: int) -> dict[str, object]:
    """Seconds and the most memory of this process; the second reading must change nothing."""
    desk = furnish_tills(shop, 1)[0]
    first = _sell_by_card(shop, desk)
    drain(shop)
    with shop.app.app_context():
        shift = shifts.current(desk)
    assert shift is not None
    with shop.app.app_context(), db.engine.begin() as connection:
        history.write_into(connection, first, shift.id, 1, count)
        connection.execute(text("UPDATE payments SET authorisation = CAST(100000000 - id AS VARCHAR(20)) WHERE id < 0"))
    content = _file(shop)
    found: dict[str, object] = {"lines": count, "megabytes before": _megabytes()}
    for turn in ("first", "second"):
        found[turn] = _read(shop, content, desk)
    found["megabytes at the most"] = _megabytes()
    with shop.app.app_context(), db.engine.connect() as connection:
        found["open items"] = connection.scalar(text("SELECT count(*) FROM open_items"))
        found["pairs"] = connection.scalar(text("SELECT count(*) FROM statement_lines WHERE ours_key IS NOT NULL"))
    return found


def _sell_by_card(shop: Shop, desk: Desk) -> str:
    sale_id = str(uuid.uuid4())
    seller = Seller(shop, desk, plan_of(shop, desk))
    with shop.app.app_context():
        seller.choose(sale_id)
        quote = sales.show(sale_id, desk, kit=shop.kit).quote or ""
        payments.begin_card(sale_id, quote, desk, kit=shop.kit)
        payments.take_card(sale_id, CardSlip("VISA", "4242", "000001", "0001"), desk, kit=shop.kit)
    return sale_id


def _file(shop: Shop) -> bytes:
    """What the acquirer would tell of the clones."""
    table = Base.metadata.tables["payments"]
    lines = ["at,sum,code,card"]
    with shop.app.app_context(), db.engine.connect() as connection:
        chosen = table.select().where(table.c.id < 0)
        for row in connection.execution_options(yield_per=10_000).execute(chosen):
            pounds, pence = divmod(row.amount_minor, 100)
            lines.append(f"{row.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S%z},{pounds}.{pence:02},{row.authorisation},{row.last4}")
    return "\n".join([*lines, f"TOTAL,{len(lines) - 1},,"]).encode()


def _read(shop: Shop, content: bytes, desk: Desk) -> dict[str, float | int]:
    with shop.app.app_context():
        began = time.perf_counter()
        kept = imports.import_settlement(content, FILE, desk, kit=shop.kit)
        read = time.perf_counter()
        changes = items.after_import(desk.store, kept, shop.kit.pen(desk, datetime.now(UTC)), kit=shop.kit)
        compared = time.perf_counter()
    return {
        "new lines": kept.new,
        "changes": changes,
        "read in, s": round(read - began, 1),
        "compared, s": round(compared - read, 1),
    }


def _megabytes() -> float | None:
    """The most that this process ever held; not told on every system."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (2**20 if sys.platform == "darwin" else 2**10))
