"""What fails fails safely (security reference, section 8): each line of its table that can be tried here.

What is not tried: a power cut of a real machine (tests/journeys/test_power_cut.py and tests/harness kill the process), a network
that is cut between till and server (the browser's own page says so), and a failed update, which the backup undoes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from sqlalchemy import event, text

from pos.app import create_app
from pos.domain.payments import PaymentState
from pos.domain.renewals import RenewalState
from pos.sandbox.server import SandboxServer
from pos.services import identity_checks, journal
from pos.store import keys
from pos.store.db import db
from pos.store.keys import PURPOSES, KeyRingUnusable
from pos.store.reserve import Reserve, beside
from tests.conftest import StandingClock, settings_in
from tests.counter import Counter
from tests.services.shop import Shop, findings

NOT_RECORDED = "cannot write anything down"
# A full disk, and one that may only be read: SQLite's own answers, not ours.
TROUBLES = {"full": "PRAGMA max_page_count = 1", "read-only": "PRAGMA query_only = ON"}


@pytest.fixture
def shop(app: Flask, sandbox: SandboxServer, clock: StandingClock) -> Shop:
    return Shop(app, sandbox, clock)


@contextmanager
def trouble(app: Flask, kind: str) -> Iterator[None]:
    """The database's disk is in trouble for every connection that is made meanwhile."""
    with app.app_context():
        engine = db.engine
        db.session.remove()

    def hamper(connection: object, _record: object) -> None:
        connection.execute(TROUBLES[kind])  # type: ignore[attr-defined]

    event.listen(engine, "connect", hamper)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", hamper)
        with app.app_context():
            db.session.remove()
        engine.dispose()


def counts(shop: Shop) -> list[int]:
    return [shop.ask(f"select count(*) from {table}")[0][0] for table in ("payments", "receipts", "journal", "print_jobs")]


# ------------------------------------------------------------------ the disk


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("kind", TROUBLES)
def test_a_disk_in_trouble_takes_no_money_and_says_so(counter: Counter, shop: Shop, kind: str) -> None:
    """Whether SQLite finds room in a page that is there decides if a small row fits; a payment with all its rows does not."""
    counter.open_shift().ready_to_pay()
    counter.get(f"/sales/{counter.sale_id}/cash")
    form = {"quote": counter.page.hidden("quote"), "tendered": "10.00", "csrf_token": counter.page.hidden("csrf_token")}
    before = counts(shop)
    with trouble(shop.app, kind):
        answer = counter.client.post(f"/sales/{counter.sale_id}/cash", data=form)
        assert answer.status_code == 503
        assert NOT_RECORDED in answer.get_data(as_text=True) and "Do not take money" in answer.get_data(as_text=True)
        assert "sqlite" not in answer.get_data(as_text=True).lower()
        api = counter.client.post("/api/v1/till", json={"code": "LON1-ABCDEFGHJKLM"})
        assert api.status_code in (403, 404, 405, 422, 503), "an answer and no fault"
    assert counts(shop) == before
    assert counter.client.post(f"/sales/{counter.sale_id}/cash", data=form).status_code == 302, "the same press counts again"
    assert shop.ask("select number from receipts") == [("LON1-000001",)]
    shop.work()
    assert findings(shop.app) == []


@pytest.mark.engines("sqlite")
def test_a_full_disk_gets_the_reserve_and_only_finishes_what_was_begun(counter: Counter, shop: Shop, tmp_path: Path) -> None:
    """The room is given back at the first refusal; the shift closes with it; new money waits until the room is held again."""
    reserve = Reserve(tmp_path / "kept.reserve", size=1024 * 1024)
    shop.app.extensions["simcounter"] = replace(shop.kit, reserve=reserve)
    assert not reserve.is_spent, "who only looks holds none"
    assert reserve.hold() and reserve.path.stat().st_size == reserve.size
    counter.open_shift().ready_to_pay("07700 900125").cash("8.00")
    paid = counter.sale_id
    counter.ready_to_pay()
    counter.get(f"/sales/{counter.sale_id}/cash")
    form = {"quote": counter.page.hidden("quote"), "tendered": "10.00", "csrf_token": counter.page.hidden("csrf_token")}
    with trouble(shop.app, "full"):
        assert counter.client.post(f"/sales/{counter.sale_id}/cash", data=form).status_code == 503
    assert reserve.is_spent and not reserve.path.exists()
    # There is room now, but not for a new sale: neither cash nor a card is begun.
    for path in ("cash", "card"):
        answer = counter.client.post(f"/sales/{counter.sale_id}/{path}", data=form)
        assert answer.status_code == 503 and NOT_RECORDED in answer.get_data(as_text=True)
    assert shop.ask("select count(*) from payments") == [(1,)]
    again = {"quote": "of that page", "tendered": "8.00", "csrf_token": form["csrf_token"]}
    assert counter.client.post(f"/sales/{paid}/cash", data=again).status_code == 302, "what was paid is answered as before"
    shop.work()
    assert shop.state(paid) is RenewalState.CONFIRMED
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_5000": "2", "pieces_200": "4", "left_in_drawer": "100.00"})
    assert shop.ask("select state from shifts") == [("closed",)]
    assert reserve.hold() and not reserve.is_spent
    counter.open_shift().ready_to_pay("07700 900126").cash("8.00")
    assert counter.page.status == 200
    shop.work()
    assert findings(shop.app) == []


def test_the_reserve_leaves_as_much_again_and_belongs_to_files_alone(tmp_path: Path) -> None:
    huge = Reserve(tmp_path / "shop.sqlite3.reserve", size=2**60)
    assert not huge.hold() and huge.is_spent and list(tmp_path.iterdir()) == []
    assert beside("postgresql+psycopg://x/y") is None and beside("sqlite://") is None
    found = beside(f"sqlite:///{(tmp_path / 'a.sqlite3').as_posix()}")
    assert found is not None and found.path.name == "a.sqlite3.reserve" and found.size == 64 * 1024 * 1024


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("kind", TROUBLES)
def test_what_was_sold_can_still_be_looked_at(counter: Counter, shop: Shop, kind: str) -> None:
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    shop.clock.pass_time(seconds=120)  # long enough that a look would be written down
    with trouble(shop.app, kind):
        for path in ("/", f"/sales/{counter.sale_id}", f"/search/{counter.sale_id}", "/receipts/LON1-000001"):
            page = counter.client.get(path)
            assert page.status_code == 200, path
        assert counter.client.get("/receipts/LON1-000001.pdf").status_code == 200


@pytest.mark.engines("sqlite")
def test_without_the_counters_of_wrong_tries_nobody_signs_in_and_who_is_in_stays(counter: Counter, shop: Shop) -> None:
    other = Counter(shop.app, till="LON2", staff="102")
    other.post("/sign-out", {})
    token = other.page.hidden("csrf_token")
    shop.clock.pass_time(seconds=120)
    with trouble(shop.app, "read-only"):
        right = {"staff_number": "102", "pin": shop.app.config["DEMO_PINS"]["102"], "csrf_token": token}
        assert other.client.post("/sign-in", data=right).status_code == 503
        assert other.client.get("/").location == "/sign-in"
        assert counter.client.get("/").status_code == 200
    assert shop.ask("select count(*) from sign_ins where ended_at is null and till_id = 2") == [(0,)]


@pytest.mark.engines("sqlite")
def test_a_database_that_is_no_database_stops_the_start_in_one_sentence(folder: Path) -> None:
    from click.testing import CliRunner

    from pos.cli import main

    file = next(folder.glob("*.sqlite3"))
    file.write_bytes(b"this was a database " * 500)
    config = folder / "config.toml"
    config.write_text(
        f'[database]\nurl = {json.dumps("sqlite:///" + file.as_posix())}\n[security]\nkey_ring = "keys.json"\n', encoding="utf-8"
    )
    answer = CliRunner().invoke(main, ["--config", str(config), "doctor"])
    assert answer.exit_code == 1 and "Traceback" not in answer.output
    assert "database" in answer.output.lower()


def test_a_broken_chain_names_its_first_bad_row(counter: Counter, shop: Shop) -> None:
    counter.open_shift()
    with shop.app.app_context(), db.engine.begin() as connection:
        if db.engine.dialect.name == "sqlite":
            for (name,) in connection.execute(
                text("select name from sqlite_master where type = 'trigger' and tbl_name = 'journal'")
            ).all():
                connection.execute(text(f'drop trigger "{name}"'))
        else:
            connection.execute(text("alter table journal disable trigger all"))
        connection.execute(text("update journal set content = '{}' where chain = 'till:LON1' and kind = 'shift.open'"))
    with shop.app.app_context():
        told = list(journal.verify(kit=shop.kit))
    assert told and "till:LON1" in told[0]


# ------------------------------------------------------------------ keys


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_missing_key_stops_the_start_and_nothing_is_made_in_its_place(folder: Path, purpose: str) -> None:
    file = folder / "keys.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    del content["keys"][content["now"][purpose]]
    file.write_text(json.dumps(content), encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(KeyRingUnusable, match=purpose):
        create_app(settings_in(folder), given={})
    assert file.read_bytes() == before
    file.unlink()
    with pytest.raises(KeyRingUnusable, match="Restore it"):
        create_app(settings_in(folder), given={})
    assert not file.exists()


@pytest.mark.engines("sqlite")
def test_another_key_ring_opens_nothing_in_clear(counter: Counter, shop: Shop, folder: Path) -> None:
    counter.open_shift().ready_to_pay()
    sealed = shop.ask("select number_sealed from renewals where sale_id = :s", s=counter.sale_id)[0][0]
    assert b"7700900123" not in bytes(sealed)
    os.rename(folder / "keys.json", folder / "old.json")
    strange = keys.make(folder / "keys.json")
    with pytest.raises(InvalidTag) as fault:
        strange.open(bytes(sealed), f"renewals.number:{counter.sale_id}")
    assert "7700900123" not in str(fault.value)


# ------------------------------------------------------------------ what is outside


def test_the_carrier_is_away(counter: Counter, shop: Shop) -> None:
    """History, refund pages, copies and the Z go on; nothing that was paid is lost; it drains by itself."""
    counter.open_shift().ready_to_pay()
    shop.sandbox.stop()
    counter.cash("8.00")
    shop.work()
    assert shop.state(counter.sale_id) in (RenewalState.PAID, RenewalState.UNKNOWN, RenewalState.SUBMITTING)
    for path in ("/", "/search", "/printing", "/shift/close", f"/sales/{counter.sale_id}"):
        assert counter.get(path).status == 200, path
    shop.sandbox.start()
    shop.ask_until_it_is_known()
    assert (shop.state(counter.sale_id), len(shop.debits)) == (RenewalState.CONFIRMED, 1)


def test_the_check_of_the_person_is_away(counter: Counter, shop: Shop) -> None:
    """A document is checked by eye and recorded; the carrier's comparison says that nobody answered."""
    counter.open_shift().number()
    shop.misbehave("html_502_before", where="read", count=None)
    counter.document()
    assert counter.page.status == 200
    assert shop.ask("select count(*) from identity_checks where sale_id = :s", s=counter.sale_id) == [(1,)]
    shop.sandbox.carrier.faults.clear()
    assert identity_checks.PROBLEMS is not None


def test_the_terminal_is_away(counter: Counter, shop: Shop) -> None:
    """Cash goes on; a second try of the card does not before the first one is resolved."""
    counter.open_shift().ready_to_pay().card_begin()
    counter.post(f"/sales/{counter.sale_id}/card/no-result", {})
    first = counter.sale_id
    assert "list" in counter.page.plain
    counter.cash("8.00")
    assert shop.ask("select state from payments") == [(PaymentState.IN_DOUBT.value,)]
    counter.ready_to_pay("07700 900124").cash("8.00")
    assert counter.page.status == 200
    assert shop.ask("select count(*) from payments where state = 'taken'") == [(1,)]
    counter.post(f"/sales/{first}/card/missing", {})
    assert str(shop.sale(first).state) == "voided"


def test_the_printer_is_away(counter: Counter, shop: Shop) -> None:
    """The whole sale goes on, and the number stands on the screen."""
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    assert "LON1-000001" in counter.look().plain
    assert shop.ask("select count(*) from print_jobs where kind = 'original' and state = 'queued'") == [(1,)]


def test_the_manager_is_away(counter: Counter, shop: Shop) -> None:
    """A difference never holds the close back; what needs a manager stays refused."""
    counter.open_shift()
    assert counter.get("/shift/x").status == 403
    for _ in range(2):
        counter.get("/shift/close")
        counter.post("/shift/close", {"pieces_5000": "1", "left_in_drawer": "50.00", "reason": "fifty are missing"})
    assert shop.ask("select state, difference_minor from shifts") == [("closed", -5000)]
