"""Evidence ends with its time, a customer can be erased, and the bytes are looked for where a thief would look."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from pos.app import _log_as
from pos.cli import main
from pos.domain.documents import DocumentType
from pos.domain.errors import NotAllowed, NumberNowhere, SamePerson, StillOpen
from pos.domain.identity_rules import IdentityRules, Rulebook
from pos.domain.renewals import RenewalState
from pos.sandbox import subscribers
from pos.sandbox.faults import Fault
from pos.sandbox.subscribers import Person
from pos.services import document_reading, exports, identity_checks, numbers, retention, sales
from pos.store import erasure
from pos.store.db import db
from tests.journeys.browser import passport
from tests.services.shop import Shop

# A thousand checks take a minute, so a commit looks at fewer: POS_PRIVACY=1000,100 python -m pytest tests/services/test_retention.py
CHECKS, CUSTOMERS = (int(count) for count in os.environ.get("POS_PRIVACY", "100,10").split(","))


@pytest.fixture
def sold(shop: Shop) -> list[str]:
    """Numbers of customers who renewed and whose renewal is over."""
    shop.open_shift(shop.desk())
    names = [f"+447700900{place:03}" for place in range(CUSTOMERS)]
    for number in names:
        shop.take_cash(shop.ready(shop.desk(), number))
    shop.work()
    return names


def lines_of(place: int) -> list[str]:
    """A passport of its own for each check."""
    return passport(number=f"ZQ{place:07}", name=f"QUETZAL{'ABCDEFGHIJ'[place % 10]}<<XOCHITL")


def raw(folder: Path) -> dict[str, bytes]:
    """Every file that the shop has written, a backup, and the export."""
    with closing(sqlite3.connect(folder / "shop.sqlite3")) as source, closing(sqlite3.connect(folder / "backup.sqlite3")) as copy:
        source.backup(copy)
    (folder / "export.jsonl").write_text("\n".join(exports.lines(None, None, kit=kit_now())), encoding="utf-8")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "keys.json"}


def kit_now():  # type: ignore[no-untyped-def]
    from flask import current_app

    return current_app.extensions["simcounter"]


def hits(files: dict[str, bytes], needles: list[bytes]) -> Iterator[str]:
    for name, content in files.items():
        for needle in needles:
            if needle in content:
                yield f"{needle!r} in {name}"


# ------------------------------------------------------------------ what is never written


def check_many(shop: Shop) -> list[bytes]:
    """Look at many passports and check them; what of them must stand nowhere."""
    desk = shop.desk()
    shop.open_shift(desk)
    needles: list[bytes] = [b"QUETZAL", b"XOCHITL", b"950130", b"1995-01-30", b"30/01/1995"]
    sale_id = ""
    for place in range(CHECKS):
        if place % 50 == 0:
            sale_id = str(uuid4())
            numbers.ask_about(sale_id, f"+4477009001{place // 50:02}", "phone", desk, "en", kit=shop.kit)
        lines = lines_of(place)
        document_reading.look("\n".join(lines), desk, kit=shop.kit)
        seen = identity_checks.read_lines("\n".join(lines), desk.store.local(shop.kit.now()).date())
        identity_checks.verify(sale_id, seen, True, desk, kit=shop.kit)
        number = f"ZQ{place:07}".encode()
        plain = hashlib.sha256(number)
        needles += [number, lines[1][:20].encode(), plain.hexdigest().encode(), plain.digest()]
    return needles


@pytest.mark.engines("sqlite")
def test_checks_leave_no_document_behind(
    shop: Shop, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.app.app_context():
        _log_as("debug")
        needles = check_many(shop)
        files = raw(folder)
    out, err = capfd.readouterr()
    files["log"] = (out + err).encode()
    assert shop.ask("select count(*) from journal where kind = 'identity.checked'") == [(CHECKS,)]
    assert {"shop.sqlite3", "backup.sqlite3", "export.jsonl", "log"} <= set(files)
    assert list(hits(files, needles)) == []


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("carrier_habits", [{"kyc_path": None, "party_path": "/tmf-api/party/v4"}])
def test_a_carriers_record_leaves_nothing_behind(
    shop: Shop, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of TMF632, read right, read as somebody else's, and broken off: of none of them a value in any file or log."""
    monkeypatch.setitem(
        vars(subscribers), "PEOPLE", (Person("Ördög", "Quetzalñ", "Quetzalñ Ördög", "passport", "ZQX9000001", "1961-02-03"),) * 10
    )
    desk = shop.desk()
    shop.open_shift(desk)
    sale_id = str(uuid4())
    seen = identity_checks.Seen(
        DocumentType.PASSPORT, "IND", "ZQX9000001", date(2031, 5, 1), "scanned", "ORDOG QUETZALN", "1961-02-03", 65
    )
    with shop.app.app_context():
        _log_as("debug")
        numbers.ask_about(sale_id, "+447700900123", "phone", desk, "en", kit=shop.kit)
        identity_checks.verify(sale_id, seen, True, desk, kit=shop.kit)
        document = sales.show(sale_id, desk, kit=shop.kit).document
        assert document is not None and document.matches["name"] == "spelt_otherwise", "the record was read"
        identity_checks.verify(sale_id, replace(seen, number="ZQX9000002"), True, desk, kit=shop.kit)
        shop.sandbox.carrier.faults.add(Fault("broken_json", where="read", count=None))
        identity_checks.verify(sale_id, seen, True, desk, kit=shop.kit)
        files = raw(folder)
    out, err = capfd.readouterr()
    files["log"] = (out + err).encode()
    needles = [b"Quetzal", b"QUETZAL", "Ördög".encode(), b"\\u00d6rd", b"ORDOG", b"ZQX900", b"1961-02-03", b"I-447700900123"]
    assert list(hits(files, needles)) == []


# ------------------------------------------------------------------ the same on a server's disk


def server(sql: str, *values: object) -> list[tuple[object, ...]]:
    """Something said to the database server past the application."""
    connection = db.engine.raw_connection()
    try:
        connection.driver_connection.autocommit = True  # type: ignore[union-attr]
        cursor = connection.cursor()
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.driver_connection.autocommit = False  # type: ignore[union-attr]
        connection.close()


def on_the_servers_disk(part: str = "") -> dict[str, bytes]:
    """Every file of the server, or those below one folder: this shop's tables as they stand on the disk, and the server's log."""
    server("CHECKPOINT")
    ((folder,),) = server("SELECT current_setting('data_directory')")
    ours = f"base/{server('SELECT oid FROM pg_database WHERE datname = current_database()')[0][0]}/"
    files = {path.relative_to(str(folder)).as_posix(): path for path in Path(str(folder)).rglob("*") if path.is_file()}
    of_ours = {name: path for name, path in files.items() if name.startswith(part or (ours, "global/", "pg_wal/", "log"))}
    return {name: path.read_bytes() for name, path in of_ours.items()}


@pytest.mark.engines("postgresql")
def test_checks_leave_no_document_on_a_servers_disk(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    with shop.app.app_context():
        _log_as("debug")
        needles = check_many(shop)
        files = on_the_servers_disk()
        files["export"] = "\n".join(exports.lines(None, None, kit=shop.kit)).encode()
    out, err = capfd.readouterr()
    files["log"] = (out + err).encode()
    assert any(name.startswith("pg_wal/") for name in files) and len(files) > 50
    digest = shop.ask("select number_hmac from identity_checks limit 1")[0][0].encode()
    assert list(hits(files, [digest])), "the search finds what is there"
    assert list(hits(files, needles)) == []


@pytest.mark.engines("postgresql")
def test_erased_customers_are_gone_from_a_servers_disk(shop: Shop, sold: list[str]) -> None:
    """Tables, indexes, the planner's samples; and the log, where the server is told not to keep its old files."""
    needles = [part for number in sold for part in (number.encode(), number[1:].encode())]
    for columns in ("sealed, salt, look_up from number_checks", "number_sealed, number_look_up from renewals"):
        needles += [part for row in shop.ask(f"select {columns}") for part in bytes_of(row)]
    needles += [part for row in shop.ask("select distinct number_hmac from identity_checks") for part in bytes_of(row)]
    with shop.app.app_context():
        server("ALTER SYSTEM SET wal_recycle = off")
        server("SELECT pg_reload_conf()")
        server("ANALYZE")
        before = on_the_servers_disk()
        assert {name.partition("/")[0] for name in before if list(hits({name: before[name]}, needles))} == {"base", "pg_wal"}
        for number in sold:
            gone = retention.erase(number, "201", "401", kit=shop.kit)
            assert (gone.checks, gone.numbers, gone.searched, gone.settled) == (1, 1, False, True)
        files = on_the_servers_disk()
        assert len(files) > 50 and list(hits(files, needles)) == []
    erased = shop.ask("select actor, content from journal where kind = 'customer.erased'")
    assert len(erased) == CUSTOMERS


@pytest.mark.engines("postgresql")
def test_a_table_in_use_is_told_and_written_anew_by_the_next_run(
    shop: Shop, sold: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_PATIENCE", "100ms")
    needles = [part for row in shop.ask("select sealed from number_checks") for part in bytes_of(row)]
    with shop.app.app_context():
        with db.engine.connect() as till:
            till.exec_driver_sql("select count(*) from number_checks")
            gone = [retention.erase(number, "201", "401", kit=shop.kit) for number in sold]
            assert not any(one.settled for one in gone)
            till.rollback()
        assert list(hits(on_the_servers_disk("base/"), needles))
        assert retention.purge(kit=shop.kit, thorough=True).settled
        assert list(hits(on_the_servers_disk("base/"), needles)) == []


# ------------------------------------------------------------------ erasing a customer


@pytest.mark.engines("sqlite")
def test_an_erased_customer_is_gone_from_the_bytes_and_the_books_are_true(shop: Shop, sold: list[str], folder: Path) -> None:
    needles = [part for number in sold for part in (number.encode(), number[1:].encode())]
    needles += [part for row in shop.ask("select sealed, salt, look_up from number_checks") for part in bytes_of(row)]
    needles += [part for row in shop.ask("select number_sealed from renewals") for part in bytes_of(row)]
    needles += [part for row in shop.ask("select distinct number_hmac from identity_checks") for part in bytes_of(row)]
    with shop.app.app_context():
        erasure.settle()
        assert list(hits({"before": (folder / "shop.sqlite3").read_bytes()}, needles)), "the search finds what is there"
        for number in sold:
            gone = retention.erase(number, "201", "401", kit=shop.kit)
            assert (gone.checks, gone.numbers, gone.searched) == (1, 1, True)
        assert gone.left == 0
        assert list(hits(raw(folder), needles)) == []
    erased = shop.ask("select actor, content from journal where kind = 'customer.erased'")
    assert len(erased) == CUSTOMERS and all(actor == "staff:201" and '"401"' in content for actor, content in erased)


def bytes_of(row: tuple[object, ...]) -> list[bytes]:
    return [value if isinstance(value, bytes) else str(value).encode() for value in row if value]


def test_a_sale_of_an_erased_customer_can_still_be_looked_at(shop: Shop) -> None:
    shop.open_shift(shop.desk())
    ready = shop.ready(shop.desk())
    shop.take_cash(ready)
    shop.work()
    with shop.app.app_context():
        retention.erase("+447700900123", "201", "401", kit=shop.kit)
        shown = sales.show(ready.sale_id, shop.desk(), kit=shop.kit)
        assert shown.document is None and shown.numbers[0].masked == ""
        assert sales.find("+447700900123", None, shop.desk(), kit=shop.kit) == []
        with pytest.raises(NumberNowhere):
            retention.erase("+447700900123", "201", "401", kit=shop.kit)


def test_nobody_is_erased_alone_or_while_money_is_on_its_way(shop: Shop) -> None:
    shop.open_shift(shop.desk())
    shop.take_cash(shop.ready(shop.desk()))
    with shop.app.app_context():
        with pytest.raises(SamePerson):
            retention.erase("+447700900123", "201", "201", kit=shop.kit)
        with pytest.raises(NotAllowed):
            retention.erase("+447700900123", "201", "101", kit=shop.kit)
        with pytest.raises(StillOpen):
            retention.erase("+447700900123", "201", "401", kit=shop.kit)
    shop.work()
    with shop.app.app_context():
        retention.erase("+447700900123", "201", "401", kit=shop.kit)


def test_of_a_family_only_the_one_who_asks_is_erased(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready_family(desk, [("+447700900123", "lyca-data-gb-7d"), ("+447700900124", "lyca-data-gb-7d")])
    shop.take_cash(ready)
    shop.work()
    with shop.app.app_context():
        retention.erase("+447700900124", "201", "401", kit=shop.kit)
        masked = [number.masked for number in sales.show(ready.sale_id, desk, kit=shop.kit).numbers]
    assert masked[0].endswith("123") and masked[1] == ""


def test_a_draft_of_an_erased_customer_is_given_up(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    with shop.app.app_context():
        retention.erase("+447700900123", "201", "401", kit=shop.kit)
    assert shop.sale(ready.sale_id).state == "voided"


def test_the_carrier_can_still_be_asked_about_an_erased_sale(shop: Shop) -> None:
    """A statement of the same day names the order: it is joined by reference, without the number."""
    from pos.services import renewals, statements

    shop.open_shift(shop.desk())
    ready = shop.ready(shop.desk())
    shop.take_cash(ready)
    shop.work()
    line = shop.line(ready.sale_id)
    with shop.app.app_context():
        retention.erase("+447700900123", "201", "401", kit=shop.kit)
        renewals.look_again(line.id, kit=shop.kit)
        statements.resolve_from_statement("sandbox", shop.clock.now().date(), kit=shop.kit)
    assert shop.state(ready.sale_id) in (RenewalState.CONFIRMED, "reconciled")


# ------------------------------------------------------------------ the purge


@pytest.mark.engines("sqlite")
def test_the_purge_takes_what_is_too_old_and_proves_it(shop: Shop, folder: Path) -> None:
    kit = shop.kit
    rules = IdentityRules(evidence_days=30, numbers_days=60)
    shop.app.extensions["simcounter"] = replace(kit, rulebook=Rulebook(rules, {"HKG": IdentityRules()}))
    desk, far = shop.desk(), shop.desk("HKG1", "301")
    shop.open_shift(desk)
    shop.take_cash(shop.ready(desk))
    abandoned = shop.ready(desk, "+447700900124").sale_id
    shop.work()
    needles = [part for row in shop.ask("select number_hmac from identity_checks") for part in bytes_of(row)]
    with shop.app.app_context():
        assert retention.purge(kit=shop.kit) == retention.Gone(0, 0, True, 0)
        shop.clock.moment += timedelta(days=31)
        gone = retention.purge(kit=shop.kit)
        assert (gone.checks, gone.numbers, gone.left) == (2, 0, 0)
        assert list(hits(raw(folder), needles)) == []
        shop.clock.moment += timedelta(days=30)
        assert retention.purge(kit=shop.kit).numbers == 2
    assert shop.sale(abandoned).state == "voided"
    assert shop.ask("select count(*) from journal where kind = 'identity.purged'") == [(2,)]
    assert shop.ask("select count(*) from number_checks where look_up <> ''") == [(0,)]
    assert far.store.code == "HKG"


def test_a_purge_that_lost_its_power_goes_on_where_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.app.extensions["simcounter"] = replace(shop.kit, rulebook=Rulebook(IdentityRules(evidence_days=1)))
    monkeypatch.setattr(retention, "_AT_ONCE", 1)
    desk = shop.desk()
    shop.open_shift(desk)
    for number in ("+447700900123", "+447700900124", "+447700900125"):
        shop.ready(desk, number)
    shop.clock.moment += timedelta(days=2)
    taken = retention._purge_evidence

    def until_the_power_goes(*args: object) -> object:
        if shop.ask("select count(*) from identity_checks") == [(1,)]:
            raise OSError("power")
        return taken(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_purge_evidence", until_the_power_goes)
    with shop.app.app_context():
        with pytest.raises(OSError, match="power"):
            retention.purge(kit=shop.kit)
        monkeypatch.setattr(retention, "_purge_evidence", taken)
        assert retention.purge(kit=shop.kit).checks == 1


def test_bytes_that_stayed_are_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: with a database that does not write over what it deletes, it does."""
    if db_name(shop) != "sqlite":
        pytest.skip("a server's files are its own")
    shop.app.extensions["simcounter"] = replace(shop.kit, rulebook=Rulebook(IdentityRules(evidence_days=1)))
    desk = shop.desk()
    shop.open_shift(desk)
    for place in range(8):
        shop.ready(desk, f"+44770090010{place}")
    shop.clock.moment += timedelta(days=2)
    with shop.app.app_context():
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        db.engine.dispose()
        from sqlalchemy import event

        event.listen(db.engine, "connect", lambda one, _: one.execute("PRAGMA secure_delete = OFF"))
        assert retention.purge(kit=shop.kit).left > 0


def db_name(shop: Shop) -> str:
    with shop.app.app_context():
        return db.engine.dialect.name


def test_the_command_line_asks_for_the_number(tmp_path: Path) -> None:
    config = tmp_path / "another" / "config.toml"
    config.parent.mkdir()
    config.write_text('[database]\nurl = "sqlite:///shop.sqlite3"\n[security]\nkey_ring = "keys.json"\n', encoding="utf-8")
    pos = CliRunner()
    for arguments in (["keys", "make"], ["db", "upgrade"]):
        assert pos.invoke(main, ["--config", str(config), *arguments]).exit_code == 0
    done = pos.invoke(main, ["--config", str(config), "purge"])
    assert done.exit_code == 0 and done.output.startswith("0 checks"), done.output
    for typed, words in (("+447700900123\n", "Your role does not allow"), ("nonsense\n", "This is no number")):
        told = pos.invoke(main, ["--config", str(config), "erase", "--asked-by", "1", "--agreed-by", "2"], input=typed)
        assert told.exit_code == 1 and words in told.output, told.output
