"""Whoever changes the books behind the program's back is found: any column of any money row, deleted, added and swapped rows,
a cut tail, an edited Z, a chain made anew without the key.

One small shop does a day of business with the real services and the sandbox. Each round copies its database, takes the
triggers away, changes one thing with plain SQL, and asks ``verify``. What is tried is drawn from the schema, not from a list."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
from flask import Flask
from sqlalchemy import Column

from pos import demo
from pos.app import DEMO_PINS, create_app, make_carriers
from pos.domain.closings import Period
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.settlements import Action, Direction
from pos.domain.shifts import Movement
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.ports import Carrier
from pos.sandbox.records import Fate
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from pos.services import (
    closings,
    drawer,
    exports,
    journal,
    ledger,
    payments,
    plans,
    receipts,
    reconciliation_imports,
    refunds,
    replacements,
    sales,
    shifts,
    statements,
    verdicts,
)
from pos.services import reconciliation_items as items
from pos.services.approvals import Approval
from pos.store import keys, witness
from pos.store.base import Base
from pos.store.db import db
from tests.conftest import LONDON_NOON, StandingClock, _close, settings_in
from tests.harness.result import Result, Say
from tests.services.seller import PIN, Seller
from tests.services.shop import SEVEN_DAYS, Shop
from tools import check_export

FISCAL = ("journal", "journal_heads", *witness.SEALED)
# "commit" is each deed once and one column of each table; from 300 rounds on every column had its turn (see ``kinds``).
SIZES = {"commit": 5 + 4 * len(FISCAL), "tenth": 1000, "full": 10_000}

# Nothing is exempt for good: a column that is outside the digest is tried too, unless verify has another promise about it.
EXEMPT = {
    f"{table}.{column}": why
    for table, columns in witness.SEALED.items()
    for column, why in columns.items()
    if why in (witness.WORK, witness.REQUEST)
}


@dataclass(frozen=True)
class Deed:
    """One thing a thief does. ``do`` returns words that verify's findings must hold one of, or None when it was not possible."""

    name: str
    do: Callable[[sqlite3.Connection, random.Random], list[str] | None]


def run(rounds: int, seed: int, say: Say) -> Result:
    result = Result("tampering", "all found, the bad row named", seed, rounds)
    with tempfile.TemporaryDirectory() as place, small_shop(Path(place)) as shop:
        untouched = findings(shop)
        if untouched:
            result.failures.append(f"the untouched shop is not true: {untouched[0]}")
            return result
        deeds, file = kinds(random.Random(seed)), Path(place) / "shop.sqlite3"
        pristine = file.with_suffix(".pristine")
        shutil.copy(file, pristine)
        paper = exported(shop, Path(place) / "export.jsonl").read_text(encoding="utf-8").splitlines()
        for number in range(rounds):
            # First one of each kind, then what chance brings.
            deed = deeds[number] if number < len(deeds) else random.Random(f"{seed}/{number}").choice(deeds)
            shutil.copy(pristine, file)
            fault = forged_export(paper, Path(place), random.Random(f"{seed}/{number}/export"), result)
            if fault:
                result.failures.append(f"round {number}, export: {fault}; --seed {seed} --rounds {rounds}")
            fault = attempt(shop, file, deed, random.Random(f"{seed}/{number}"), result, say)
            if fault:
                result.failures.append(f"round {number}, {deed.name}: {fault}; --seed {seed} --rounds {rounds}")
            if number % 100 == 99:
                say(f"{number + 1} of {rounds}")
    return result


def attempt(shop: Flask, file: Path, deed: Deed, chance: random.Random, result: Result, say: Say | None) -> str | None:
    """A sentence when the deed was not found or the wrong row was named."""
    with shop.app_context():
        db.engine.dispose()
    with closing(sqlite3.connect(file)) as thief, thief:
        for (trigger,) in thief.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            thief.execute(f"DROP TRIGGER {trigger}")
        wanted = deed.do(thief, chance)
    if wanted is None:
        result.count("refused by the database or nothing to swap")
        if say is not None:
            say(f"not possible here: {deed.name}")
        return None
    result.count("tried")
    found = findings(shop)
    if not found:
        return f"was not found ({wanted})"
    result.count("found")
    if not any(words in sentence for sentence in found for words in wanted):
        return f"was found, but none of {wanted} is named: {found[:3]}"
    result.count("named")
    return None


def findings(shop: Flask) -> list[str]:
    with shop.app_context():
        return [*journal.verify(kit=shop.extensions["simcounter"]), *ledger.prove()]


# ------------------------------------------------------------------ the export and the outsider


# Who wrote the file and when is told, not sealed.
_TOLD_ONLY = {("export", "made_at"), ("export", "software")}


def forged_export(paper: list[str], folder: Path, chance: random.Random, result: Result) -> str | None:
    """One change to the file that left the shop; an outsider must see it where a signed Z covers it, a key holder anywhere."""
    lines = list(paper)
    at = chance.randrange(len(lines))
    what = chance.choice(("changed", "changed", "changed", "deleted", "doubled", "swapped"))
    if what == "deleted":
        del lines[at]
    elif what == "doubled":
        lines.insert(at, lines[at])
    elif what == "swapped":
        other = chance.randrange(len(lines))
        # The order of rows among themselves says nothing; the order of a chain does.
        if not any('"line":"journal"' in lines[n] for n in (at, other)) or lines[at] == lines[other]:
            return None
        lines[at], lines[other] = lines[other], lines[at]
    else:
        line = json.loads(lines[at])
        if not _change_somewhere(line, chance):
            return None
        lines[at] = json.dumps(line, ensure_ascii=False)
    covered = _covered(paper)
    told = json.loads(paper[at])
    by_outsider = told["line"] == "journal" and told["seq"] <= covered.get(told["chain"], 0) and what != "swapped"
    file = folder / "forged.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    result.count("forged exports")
    named = check(file, None if by_outsider else folder / "keys.json")
    if named["ok"]:
        return f"{what} line {at + 1} ({told['line']}) was not found"
    result.count("exports found")
    return None


def _change_somewhere(line: dict[str, Any], chance: random.Random) -> bool:
    name = chance.choice([name for name in line if (line["line"], name) not in _TOLD_ONLY])
    holder = line
    while isinstance(holder[name], dict) and holder[name]:
        holder = holder[name]
        name = chance.choice(list(holder))
    was = holder[name]
    if isinstance(was, bool) or was is None:
        holder[name] = "x" if was is None else not was
    elif isinstance(was, int):
        holder[name] = was + 1
    else:
        at = chance.randrange(len(was)) if was else 0
        holder[name] = was[:at] + ("7" if was[at : at + 1] != "7" else "8") + was[at + 1 :]
    return True


def _covered(paper: list[str]) -> dict[str, int]:
    """Up to which row the last signed Z covers each till's chain."""
    rows = (json.loads(text) for text in paper if '"table":"z_reports"' in text)
    ends: dict[str, int] = {}
    for row in rows:
        chain = "till:" + row["values"]["number"].removeprefix("Z-").rpartition("-")[0]
        ends[chain] = max(ends.get(chain, 0), row["values"]["last_seq"])
    return ends


def check(file: Path, key_file: Path | None = None, *more: str) -> dict[str, Any]:
    """What the outsider's program says, in this process."""
    held = io.StringIO()
    with contextlib.redirect_stdout(held):
        check_export.main([str(file), "--json", *(("--key-file", str(key_file)) if key_file else ()), *more])
    found = json.loads(held.getvalue())
    assert isinstance(found, dict)
    return found


# ------------------------------------------------------------------ a day of business


@contextmanager
def small_shop(folder: Path) -> Iterator[Flask]:
    """Two tills of London: cash with change, a card, a refused renewal given back, a void, a first count that was wrong, three
    Zs; a family of which one line was refused and exchanged, statements that agree, a success after a refusal that two people
    decide; an open shift with a sale in it, and one line in doubt."""
    keys.make(folder / "keys.json")
    clock = StandingClock(LONDON_NOON)
    with SandboxServer(SandboxSettings(), state=None, port=0) as server:
        server.carrier.books.move_clock((LONDON_NOON - datetime.now(UTC)).total_seconds())
        settings = settings_in(folder, server.url)
        app = create_app(settings, clock=clock, given=make_carriers(settings))
        try:
            with app.app_context():
                flask_migrate.upgrade()
                demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
                demo.stock(kit=app.extensions["simcounter"])
            _day(Shop(app, server, clock))
            yield app
        finally:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
            _close(app.extensions["simcounter"].carriers)


def _day(shop: Shop) -> None:
    first, second = shop.desk("LON1", "101"), shop.desk("LON2", "102")
    numbers = (f"+447700900{n}" for n in range(100, 900))
    for round_of_shifts in range(2):
        for desk in (first, second)[: 2 - round_of_shifts]:
            shop.open_shift(desk)
            given = shop.ready(desk, next(numbers))
            shop.take_cash(given, Money(2000, "GBP"))
            shop.work()
            carded = shop.ready(desk, next(numbers))
            with shop.app.app_context():
                payments.begin_card(carded.sale_id, carded.quote, desk, kit=shop.kit)
                slip = CardSlip("VISA", "4242", "A1B2C3", carded.sale_id[:8])
                payments.take_card(carded.sale_id, slip, desk, kit=shop.kit)
            shop.misbehave("refuse")
            refused = shop.ready(desk, next(numbers))
            shop.take_cash(refused)
            shop.work()
            shop.work()
            with shop.app.app_context():
                for sale in (carded, refused):
                    if str(shop.state(sale.sale_id)) == "refund_due":
                        refunds.pay_back(sale.sale_id, desk, kit=shop.kit, authorisation="R1S2", slip_number="0018")
                sales.void(shop.ready(desk, next(numbers)).sale_id, desk, kit=shop.kit)
                number = shop.sale(given.sale_id).receipt_number
                receipts.reprint(str(number), desk, kit=shop.kit)
                wrong = shifts.Count({1000: 1}, None, None, None)
                assert shifts.close_shift(wrong, "", desk, kit=shop.kit) is None
                right = shifts.Count({2000: 5, 100: 8}, Money(800, "GBP"), 1, Money(10_000, "GBP"))
                assert shifts.close_shift(right, "counted twice", desk, kit=shop.kit) is not None
            shop.pass_time(timedelta(days=1).total_seconds())
        with shop.app.app_context():
            day = first.store.business_day(shop.kit.now()) - timedelta(days=1)
            closings.close_for(Period.DAY, day, first.store, None, "command", kit=shop.kit)
    _differs(shop, second)
    _reconciled(shop)
    shop.open_shift(first)
    shop.take_cash(shop.ready(first, next(numbers)))
    shop.work()
    _coded(shop, first)
    _family(shop, first, [next(numbers) for _ in range(3)])
    for number in (next(numbers), next(numbers)):
        _contradicted(shop, first, number)
    shop.take_cash(shop.ready(first, next(numbers)))
    shop.take_next()


def _reconciled(shop: Shop) -> None:
    """The acquirer tells of two payments that nobody took; two people book one of them, the other one stays open."""
    manager, noon = shop.desk("LON1", "201"), f"{shop.kit.now():%Y-%m-%d},12:00:00"
    file = f"Date,Time,Amount,Fee,Auth,Card\r\n{noon},9.99,,777001,9999\r\n{noon},5.00,,777002,8888\r\nTOTAL,2,,,,\r\n"
    with shop.app.app_context():
        profile = reconciliation_imports.profile_of("cards", shop.kit, Direction.CARD)
        kept = reconciliation_imports.import_settlement(file.encode(), profile, manager, kit=shop.kit)
        items.after_import(manager.store, kept, shop.kit.pen(manager, shop.kit.now()), kit=shop.kit, owner_id=manager.staff.id)
        shown = items.open_items(manager.store, kit=shop.kit)[0]
        said = items.Decision(Action.SUSPENSE.value, "their e-mail of today", shown.seen, "102", DEMO_PINS["102"])
        items.decide(shown.id, said, manager, kit=shop.kit)


def _differs(shop: Shop, desk: Desk) -> None:
    """Money to the safe, and a difference at closing that a manager approves."""
    shop.open_shift(desk)
    manager = Approval("seen", "201", DEMO_PINS["201"])
    count = shifts.Count({2000: 2}, None, None, None)
    with shop.app.app_context():
        to_safe = drawer.Wish(str(uuid4()), Movement.DROP, Money(3_000, "GBP"), "full")
        drawer.move_cash(to_safe, desk, kit=shop.kit)
        assert shifts.close_shift(count, "", desk, kit=shop.kit) is None
        assert shifts.close_shift(count, "missing", desk, kit=shop.kit, code="unexplained", agreed=manager) is not None


def _coded(shop: Shop, desk: Desk) -> None:
    """A voucher: its code is a row of its own."""
    seller: Carrier = Seller()
    shop.kit.carriers["seller"] = seller
    with shop.app.app_context():
        plans.import_catalogue("LON", "seller", kit=shop.kit)
    shop.take_cash(shop.ready(desk, "+447400123456", PIN))
    shop.work()


def _family(shop: Shop, desk: Desk, numbers: list[str]) -> None:
    """Two lines in one sale; the second is refused and exchanged for the same plan on another number."""
    family = shop.ready_family(desk, [(number, SEVEN_DAYS) for number in numbers[:2]])
    shop.take_cash(family)
    shop.work()
    shop.misbehave("refuse")
    other = shop.ready_family(desk, [(number, SEVEN_DAYS) for number in numbers[2:]])
    shop.take_cash(other)
    shop.work()
    (line,) = shop.lines(other.sale_id)
    with shop.app.app_context():
        new = f"{numbers[2][:-2]}98"
        replacements.replace_refused(other.sale_id, line.id, new, shop.plan_id(SEVEN_DAYS, desk), desk, kit=shop.kit)
    shop.work()


def _contradicted(shop: Shop, desk: Desk, number: str) -> None:
    """The carrier refused and says in its statement that it did it; two people agree."""
    shop.misbehave("refuse")
    given = shop.ready(desk, number)
    shop.take_cash(given)
    shop.work()
    (attempt,) = shop.attempts(given.sale_id)
    shop.sandbox.carrier.books.renew(attempt.ref, number, SEVEN_DAYS, Fate(), action="add")
    with shop.app.app_context():
        statements.resolve_from_statement("sandbox", shop.kit.now().date(), kit=shop.kit)
        (case,) = verdicts.to_decide(desk)
        manager = shop.desk(staff="201")
        verdict = verdicts.propose(case.renewal_id, Says.CONFIRMED, Evidence.STATEMENT, "line 9", manager, kit=shop.kit)
        verdicts.agree(verdict, desk, kit=shop.kit)


# ------------------------------------------------------------------ what a thief may do


def kinds(chance: random.Random) -> list[Deed]:
    """The deeds that concern whole rows, then one for each column of each fiscal table: one of every table first."""
    whole, first, others = [], [], []
    for table in FISCAL:
        whole += [_deleted(table), _doubled(table), _swapped(table)]
        columns = [c for c in Base.metadata.tables[table].columns if f"{table}.{c.name}" not in EXEMPT]
        chance.shuffle(columns)
        first.append(_changed(table, columns[0]))
        others += [_changed(table, column) for column in columns[1:]]
    return [
        Deed("the tail of a chain cut off", _cut_tail),
        Deed("the tail of a chain cut off, and its head set back", _cut_tail_and_head),
        Deed("an amount in a Z edited and hashed anew", _edit_z),
        Deed("a row of the journal edited and the chain made anew without the key", _chain_anew),
        Deed("a payment made smaller wherever it stands, without the key", _smaller_payment),
        *whole,
        *first,
        *others,
    ]


def _changed(table: str, column: Column[Any]) -> Deed:
    def do(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
        row = _any_row(thief, table, chance)
        was = thief.execute(f"SELECT {column.name} FROM {table} WHERE rowid = ?", (row,)).fetchone()[0]
        before = _names(thief, table, row)
        becomes = _other(was, column, chance)
        try:
            thief.execute(f"UPDATE {table} SET {column.name} = ? WHERE rowid = ?", (becomes, row))
        except sqlite3.IntegrityError:
            return None
        is_key = column.primary_key and isinstance(becomes, int) and len(column.table.primary_key) == 1
        return before + _names(thief, table, int(str(becomes)) if is_key else row)

    return Deed(f"{table}.{column.name} changed", do)


def _other(was: object, column: Column[Any], chance: random.Random) -> object:
    """Another value of the same kind."""
    if was is None:
        kind = str(column.type).partition("(")[0]
        return {"INTEGER": 1, "BIGINT": 1, "DATETIME": "2026-11-20 10:00:00.000000", "DATE": "2026-11-20"}.get(kind, "x")
    if isinstance(was, int):
        return was + chance.choice((1, -1, 100)) if column.type.python_type is not bool else 1 - was
    if isinstance(was, bytes):
        at = chance.randrange(len(was))
        return was[:at] + bytes([was[at] ^ 1]) + was[at + 1 :]
    text = str(was)
    digits = [at for at, sign in enumerate(text) if sign.isdigit()]
    at = chance.choice(digits) if digits else len(text) - 1
    sign = str((int(text[at]) + 1) % 10) if digits else ("x" if text[-1:] != "x" else "y")
    return text[:at] + sign + text[at + 1 :] if text else "x"


def _deleted(table: str) -> Deed:
    def do(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
        row = _any_row(thief, table, chance)
        named = _names(thief, table, row)
        thief.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
        return named

    return Deed(f"{table}: a row deleted", do)


def _doubled(table: str) -> Deed:
    """The same row once more under the next free key; unique columns get another value."""

    def do(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
        columns = Base.metadata.tables[table].columns
        listed = ", ".join(column.name for column in columns)
        row = thief.execute(f"SELECT {listed} FROM {table} WHERE rowid = ?", (_any_row(thief, table, chance),)).fetchone()
        values = dict(zip((column.name for column in columns), row, strict=True))
        for column in columns:
            if not column.primary_key:
                continue
            last = thief.execute(f"SELECT max({column.name}) FROM {table}").fetchone()[0]
            if isinstance(values[column.name], int):
                values[column.name] = last + 1
            elif column.name in ("id", "chain") and table != "journal":
                values[column.name] = values[column.name][:-1] + "z"
        for name in ("number", "ref", "receipt_number", "sequence", "z_number", "state", "renewal_id", "shift_id"):
            unique = name in values and values[name] is not None and name != "state"
            if unique and not isinstance(values[name], int) and name != "renewal_id":
                values[name] = f"{values[name]}9"
            elif name == "sequence" and unique:
                values[name] += 1000
        for name in ("open_till_id", "open_renewal", "open_number"):
            if name in values:
                values[name] = None
        if "first_day" in values:
            values["first_day"] = "1999-01-01"
        marks = ", ".join("?" * len(values))
        try:
            new = thief.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())).lastrowid
        except sqlite3.IntegrityError:
            return None
        return _names(thief, table, int(new or 0))

    return Deed(f"{table}: a row slipped in", do)


def _swapped(table: str) -> Deed:
    """Two rows change places: everything but the key."""

    def do(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
        names = [column.name for column in Base.metadata.tables[table].columns if not column.primary_key]
        rows = [rowid for (rowid,) in thief.execute(f"SELECT rowid FROM {table}")]
        if len(rows) < 2:
            return None
        pair = chance.sample(rows, 2)
        listed = ", ".join(names)
        first, second = (thief.execute(f"SELECT {listed} FROM {table} WHERE rowid = ?", (row,)).fetchone() for row in pair)
        named = _names(thief, table, pair[0]) + _names(thief, table, pair[1])
        unique = {c.name for c in Base.metadata.tables[table].columns if c.unique} | {"number", "receipt_number", "sequence"}
        kept = [at for at, name in enumerate(names) if name in unique]
        if [v for at, v in enumerate(first) if at not in kept] == [v for at, v in enumerate(second) if at not in kept]:
            return None
        marks = ", ".join(f"{name} = ?" for at, name in enumerate(names) if at not in kept)
        for row, values in ((pair[0], second), (pair[1], first)):
            try:
                new = [value for at, value in enumerate(values) if at not in kept]
                thief.execute(f"UPDATE {table} SET {marks} WHERE rowid = ?", (*new, row))
            except sqlite3.IntegrityError:
                return None if row == pair[0] else named
        return named

    return Deed(f"{table}: two rows swapped", do)


def _cut_tail(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
    chain, last = _longest(thief)
    thief.execute("DELETE FROM journal WHERE chain = ? AND seq > ?", (chain, last - chance.randint(1, 5)))
    return [f"journal {chain}: the chain ends"]


def _cut_tail_and_head(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
    """Found by what the rows that are left say of rows that the journal no longer knows."""
    chain, last = _longest(thief)
    keep = last - chance.randint(3, 12)
    thief.execute("DELETE FROM journal WHERE chain = ? AND seq > ?", (chain, keep))
    _hash_anew(thief, chain)
    return ["sale", "renewal", "payment", "ledger row", "Z-", "no commit", "not as it was written"]


def _edit_z(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
    row = _any_row(thief, "z_reports", chance)
    number, text = thief.execute("SELECT number, figures FROM z_reports WHERE rowid = ?", (row,)).fetchone()
    figures = json.loads(text)
    figures["gross"] -= 800
    text = json.dumps(figures, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    own_hash = hashlib.sha256(text.encode()).hexdigest()
    thief.execute("UPDATE z_reports SET figures = ?, own_hash = ? WHERE rowid = ?", (text, own_hash, row))
    return [str(number)]


def _chain_anew(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
    """The thief knows docs/journal.md and has a key of his own."""
    chain, last = _longest(thief)
    seq = chance.randint(1, last)
    thief.execute("UPDATE journal SET actor = 'staff:999' WHERE chain = ? AND seq = ?", (chain, seq))
    _hash_anew(thief, chain, from_seq=seq)
    return [f"journal {chain} row {seq}"]


def _smaller_payment(thief: sqlite3.Connection, chance: random.Random) -> list[str] | None:
    """Everywhere but in the seals: payment, sale, line, cash, ledger, journal, and the chain made anew."""
    for table, column in (
        ("payments", "amount_minor"),
        ("payments", "tendered_minor"),
        ("sales", "total_minor"),
        ("renewals", "price_minor"),
        ("ledger_transfers", "amount_minor"),
        ("cash_movements", "amount_minor"),
    ):
        thief.execute(f"UPDATE {table} SET {column} = 700 WHERE {column} = 800")
    thief.execute("UPDATE journal SET content = replace(content, ':800', ':700')")
    chains = [chain for (chain,) in thief.execute("SELECT DISTINCT chain FROM journal")]
    for chain in chains:
        _hash_anew(thief, chain, from_seq=1)
    return [f"journal {chain} row" for chain in chains]


def _hash_anew(thief: sqlite3.Connection, chain: str, from_seq: int | None = None) -> None:
    """Head and, with ``from_seq``, seals of a chain as a thief without the key would make them."""
    fields = "chain, seq, at, business_day, kind, actor, object_kind, object_id, content, key_id"
    so_far, mac, seq = "0" * 64, "0" * 64, 0
    listed = f"SELECT {fields}, prev_mac, mac FROM journal WHERE chain = ? ORDER BY seq"
    for *texts, prev_mac, its_mac in thief.execute(listed, (chain,)).fetchall():
        seq = texts[1]
        anew = from_seq is not None and seq >= from_seq
        prev_mac = mac if anew else prev_mac
        texts[2] = texts[2].replace(" ", "T") + "Z"
        raws = [str(text).encode() for text in (*texts, prev_mac)]
        raw = b"\x01simcounter journal" + b"".join(len(r).to_bytes(4, "big") + r for r in raws)
        mac = hashlib.sha256(b"a key of his own" + raw).hexdigest() if anew else its_mac
        so_far = hashlib.sha256(bytes.fromhex(so_far) + raw).hexdigest()
        if anew:
            thief.execute("UPDATE journal SET prev_mac = ?, mac = ? WHERE chain = ? AND seq = ?", (prev_mac, mac, chain, seq))
    thief.execute("UPDATE journal_heads SET seq = ?, mac = ?, rows_hash = ? WHERE chain = ?", (seq, mac, so_far, chain))


def _any_row(thief: sqlite3.Connection, table: str, chance: random.Random) -> int:
    return int(chance.choice([rowid for (rowid,) in thief.execute(f"SELECT rowid FROM {table}")]))


def _longest(thief: sqlite3.Connection) -> tuple[str, int]:
    found = thief.execute("SELECT chain, max(seq) FROM journal GROUP BY chain ORDER BY 2 DESC LIMIT 1").fetchone()
    return str(found[0]), int(found[1])


def _names(thief: sqlite3.Connection, table: str, rowid: int) -> list[str]:
    """How verify may call a row: by its own name, or by that of the row it belongs to."""
    columns = [column.name for column in Base.metadata.tables[table].columns]
    found = thief.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE rowid = ?", (rowid,)).fetchone()
    values = dict(zip(columns, found, strict=True))
    if table == "journal":
        after, there = values["seq"] + 1, values["seq"]
        return [f"journal {values['chain']} row {n}" for n in (there, after)] + [f"journal {values['chain']}: "]
    if table == "journal_heads":
        return [f"journal {values['chain']}"]
    key = ":".join(str(values[column.name]) for column in Base.metadata.tables[table].primary_key)
    nouns = {"sales": "sale", "renewals": "renewal", "shifts": "shift", "payments": "payment", "refunds": "refund"}
    nouns |= {"ledger_transfers": "ledger row", "attempts": "attempt", "verdicts": "verdict", "conflicts": "conflict"}
    nouns |= {"deliveries": "delivery", "open_items": "open item", "statement_lines": "statement line"}
    called = [f"{nouns.get(table, table)} {key}", f"{table} {key}", f"({table}:{key})", f"({table} {key})"]
    if table in ("receipts", "z_reports", "closings"):
        called.append(str(values["number"]))
    return called


def exported(shop: Flask, file: Path) -> Path:
    """The shop's export, for the outsider's verifier."""
    with shop.app_context(), file.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(line + "\n" for line in exports.lines(None, None, kit=shop.extensions["simcounter"]))
    return file
