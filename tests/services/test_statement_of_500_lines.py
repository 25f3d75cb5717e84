"""Five hundred lines with twelve kinds of deviations, as files through the services against five hundred bookings: every line in
its bucket, nothing booked, and the second time nothing changes.

The bookings are one real sale written again in the database, so the journal does not know them: before and after, everything
that journal, books and seals say against each other must be the same."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from bench import history
from pos.domain import errors as e
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.settlement_files import Profile
from pos.domain.settlements import Direction, Kind
from pos.domain.tills import Desk
from pos.sandbox.server import SandboxServer
from pos.services import payments
from pos.services import reconciliation_imports as imports
from pos.services import reconciliation_items as items
from pos.store.base import Base
from pos.store.db import db
from tests.services.shop import Shop, findings

BOOKINGS, OF_EACH = 500, 10
PLANTED = ("missing", "extra", "doubled", "shifted", "repriced", "reversed", "number", "split", "fee", "currency")
COLUMNS = {"date": "at", "amount": "sum", "fee": "fee", "reference": "ref", "currency": "cur", "type": "type", "line": "line"}
HEAD = [*COLUMNS.values(), "tail"]
WORDS = {"sale": Kind.CHARGE, "back": Kind.GIVEN_BACK}
COMMON: dict[str, Any] = {"date_format": "%Y-%m-%dT%H:%M:%S%z", "words": WORDS, "trailer": "TOTAL"}
FILES = {
    Direction.CARD: Profile("cards", Direction.CARD, source="cards", columns=COLUMNS | {"last4": "tail"}, **COMMON),
    Direction.CARRIER: Profile("told", Direction.CARRIER, source="sandbox", columns=COLUMNS | {"number": "tail"}, **COMMON),
}
# What is open of a planted line's reference. What the carrier took and gave back is decided by its statement alone (move 20).
EXPECTED: dict[str, list[tuple[str, ...]]] = {
    "missing": [("ours_only",)],
    "extra": [("theirs_only",)],
    "doubled": [("theirs_only", "doubled")],
    "shifted": [],
    "repriced": [("different", "amount")],
    "reversed": [("different", "state")],
    "number": [("different", "number")],
    "split": [("different", "split")],
    "fee": [("different", "fee")],
    "currency": [("different", "currency")],
}
CHANGED = ("statement_lines", "open_items", "ledger_transfers", "payments", "attempts", "renewals", "agreements")
Line = dict[str, str]


@dataclass(frozen=True)
class Booked:
    key: Any
    ref: str
    tail: str
    minor: int
    at: datetime

    def line(self) -> Line:
        money = Money(self.minor, "GBP").plain()
        said = {"at": f"{self.at:%Y-%m-%dT%H:%M:%S%z}", "sum": money, "fee": "", "ref": self.ref, "cur": "GBP"}
        return said | {"type": "sale", "line": self.ref, "tail": self.tail}


@pytest.fixture(autouse=True)
def everything_is_true_in_the_end(app: Flask, sandbox: SandboxServer) -> Iterator[None]:
    """The folder's judge would name each clone; these tests compare what it says before with what it says after."""
    yield


@pytest.fixture
def manager(shop: Shop) -> Desk:
    """One real sale by card, confirmed by the carrier, and two days later a manager."""
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    with shop.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, desk, kit=shop.kit)
        payments.take_card(ready.sale_id, CardSlip("VISA", "4242", "999999", "0001"), desk, kit=shop.kit)
    shop.work()
    shift = shop.shift().id
    with shop.by_hand() as connection:
        history.write_into(connection, ready.sale_id, shift, 1, BOOKINGS)
    shop.pass_time(2 * 24 * 3600)
    return shop.desk(staff="201")


def card_bookings(shop: Shop, chance: random.Random) -> list[Booked]:
    """The clones get codes, digits and amounts of their own: four amounts only, so that many could be taken for each other."""
    codes = chance.sample(range(100_000, 1_000_000), BOOKINGS)
    found = []
    for (key, at), code in zip(_clones(shop, "payments", "at"), codes, strict=True):
        found.append(Booked(key, str(code), f"{chance.randrange(10_000):04d}", chance.choice((500, 1000, 1500, 2000)), at))
    changed = [{"k": one.key, "ref": one.ref, "tail": one.tail, "minor": one.minor} for one in found]
    with shop.by_hand() as connection:
        says = (
            "update payments set authorisation = :ref, last4 = :tail, amount_minor = :minor, tendered_minor = null where id = :k"
        )
        connection.execute(text(says), changed)
    return found


def carrier_bookings(shop: Shop, chance: random.Random) -> list[Booked]:
    """The clones get numbers of their own, sealed as a sale would have sealed them."""
    found, changed = [], []
    cost = shop.ask("select max(cost_minor) from renewals")[0][0]
    orders = {key: (ref, renewal) for key, ref, renewal in shop.ask("select id, ref, renewal_id from attempts")}
    for place, (key, at) in enumerate(_clones(shop, "attempts", "sent_at")):
        ref, renewal = orders[key]
        number = f"+447700{900_000 + place}"
        found.append(Booked(key, ref, number, cost, at))
        with shop.app.app_context():
            sealed = shop.kit.keys.seal(number, f"renewals.number_sealed:{renewal}")
        changed.append({"k": renewal, "sealed": sealed, "masked": f"+44 **** ***{number[-3:]}"})
    with shop.by_hand() as connection:
        connection.execute(text("update renewals set number_sealed = :sealed, masked = :masked where id = :k"), changed)
    chance.shuffle(found)
    return found


def the_real_one(shop: Shop, direction: Direction) -> Line:
    """The sale that was written again is in their file too."""
    if direction is Direction.CARD:
        ((key, ref, tail, minor),) = shop.ask("select id, authorisation, last4, amount_minor from payments where id > 0")
    else:
        asked = "select attempts.id, ref, cost_minor from attempts join renewals on renewals.id = renewal_id where ref not like 'OLD%'"
        ((key, ref, minor),) = shop.ask(asked)
        tail = "+447700900123"
    return Booked(key, ref, tail, minor, shop.clock.now() - timedelta(days=2)).line()


def _clones(shop: Shop, table: str, moment: str) -> list[tuple[Any, datetime]]:
    with shop.app.app_context(), db.engine.connect() as connection:
        rows = Base.metadata.tables[table]
        found = connection.execute(rows.select().order_by(rows.c.id)).mappings().all()
    return [(row["id"], row[moment]) for row in found if isinstance(row["id"], str) or row["id"] < 0]


def plant(kind: str, line: Line, minor: int) -> list[Line]:
    """What their file has in place of ``line``."""

    def worth(minor: int) -> str:
        return Money(minor, "GBP").plain()

    later = datetime.fromisoformat(line["at"]) + timedelta(days=1)
    # Of a whole number another digit than the last ones, which are all that is kept.
    place = -6 if line["tail"].startswith("+") else -4
    other = line["tail"][:place] + str((int(line["tail"][place]) + 1) % 10) + line["tail"][place + 1 :]
    changed: dict[str, list[Line]] = {
        "missing": [],
        "extra": [line, line | {"ref": "X" + line["ref"], "line": "X" + line["ref"], "tail": ""}],
        "doubled": [line, line | {"line": line["ref"] + "-2"}],
        "shifted": [line | {"at": f"{later:%Y-%m-%dT%H:%M:%S%z}"}],
        "repriced": [line | {"sum": worth(minor + 37)}],
        "reversed": [line, line | {"type": "back", "line": line["ref"] + "-B"}],
        "number": [line | {"tail": other}],
        "split": [line | {"sum": worth(200), "line": line["ref"] + "-1"}, line | {"sum": worth(minor - 200)}],
        "fee": [line | {"sum": worth(minor - 12), "fee": "0.12"}],
        "currency": [line | {"cur": "EUR"}],
    }
    return changed.get(kind, [line])


def written(lines: list[Line]) -> bytes:
    told = io.StringIO()
    writer = csv.DictWriter(told, HEAD)
    writer.writeheader()
    writer.writerows(lines)
    return (told.getvalue() + f"TOTAL,{len(lines)}" + "," * (len(HEAD) - 2) + "\r\n").encode()


def read(shop: Shop, content: bytes, profile: Profile, manager: Desk) -> imports.Imported:
    kit = replace(shop.kit, profiles={profile.name: profile})
    with shop.app.app_context():
        if profile.direction is Direction.CARRIER:
            kept = imports.import_statement("sandbox", content, kit=kit)
        else:
            kept = imports.import_settlement(content, profile, manager, kit=kit)
        items.after_import(manager.store, kept, kit.pen(manager, shop.clock.now()), kit=kit)
    return kept


def opened(shop: Shop) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for ref, bucket, differs in shop.ask("select ref, bucket, differs from open_items where state = 'open' order by id"):
        found.setdefault(ref, []).append((bucket, *differs.split()))
    return found


def rows_of(shop: Shop, *tables: str) -> list[Any]:
    """Whole rows; of renewals what they say of money, for each look at one gives its worker's word a new number."""
    columns = {"renewals": "id, state, reason, provider_ref, price_minor, cost_minor, currency"}
    return [shop.ask(f"select {columns.get(table, '*')} from {table} order by id") for table in tables]


@pytest.mark.parametrize("direction", [Direction.CARD, Direction.CARRIER])
def test_every_line_lands_in_its_bucket_and_the_second_time_nothing_changes(
    shop: Shop, manager: Desk, direction: Direction
) -> None:
    chance = random.Random(20)
    booked = card_bookings(shop, chance) if direction is Direction.CARD else carrier_bookings(shop, chance)
    marked = dict(zip(chance.sample(range(BOOKINGS), OF_EACH * len(PLANTED)), PLANTED * OF_EACH, strict=True))
    lines = [line for place, one in enumerate(booked) for line in plant(marked.get(place, ""), one.line(), one.minor)]
    lines.append(the_real_one(shop, direction))
    chance.shuffle(lines)
    content, profile = written(lines), FILES[direction]
    before = findings(shop.app) if direction is Direction.CARD else []
    transfers, *money = rows_of(shop, "ledger_transfers", "payments", "cash_movements", "refunds")

    with pytest.raises(e.FileRefused):
        read(shop, content[: len(content) * 2 // 3], profile, manager)
    assert shop.ask("select id from statement_lines") == [], "a cut file is refused whole"
    assert read(shop, content, profile, manager).new == len(lines)

    wanted: dict[str, list[tuple[str, ...]]] = {}
    for place, kind in marked.items():
        ref = booked[place].ref
        expected = [] if (kind, direction) == ("reversed", Direction.CARRIER) else EXPECTED[kind]
        if expected:
            wanted["X" + ref if kind == "extra" else ref] = expected
    assert opened(shop) == wanted
    assert shop.ask("select id from ledger_transfers where item_id is not null") == [], "nothing is booked by guess"
    assert rows_of(shop, "payments", "cash_movements", "refunds") == money
    if direction is Direction.CARD:
        assert rows_of(shop, "ledger_transfers") == [transfers]
        assert findings(shop.app) == before
    else:
        told = {booked[place].key for place, kind in marked.items() if kind == "reversed"}
        moved = (
            "select attempts.id from ledger_transfers l join attempts on attempts.renewal_id = l.renewal_id where l.id > :last"
        )
        last = max(row[0] for row in transfers)
        assert {key for (key,) in shop.ask(moved, last=last)} == told, "only what the carrier says it gave back (move 20)"

    after = rows_of(shop, *CHANGED)
    assert read(shop, content, profile, manager).new == 0
    assert read(shop, written(lines[::-1]), profile, manager).new == 0, "the same lines in another order"
    assert rows_of(shop, *CHANGED) == after
