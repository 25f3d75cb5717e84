"""The same shop on PostgreSQL: the migrations, a sale from number to receipt, and the races that its looser locks allow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pos.app import DEMO_PINS, create_app, make_carriers
from pos.config import Database
from pos.domain.errors import DuplicateRenewal
from pos.domain.renewals import RenewalState
from pos.sandbox.server import SandboxServer
from pos.store import keys
from tests.conftest import StandingClock, _close, _release, settings_in
from tests.counter import Counter
from tests.engines import NoPostgresql, own_server
from tests.services.shop import Ready, Shop, findings
from tests.store.test_migrations import carries_old_numbers_over


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """The address of a PostgreSQL for the length of this module, as durable as it comes."""
    try:
        with own_server() as url:
            yield url
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def furnished_app(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, SandboxServer]]:
    """Schema by the migrations, then the demo's people and prices; once for the module."""
    import flask_migrate

    from pos import demo

    folder = tmp_path_factory.mktemp("shop")
    keys.make(folder / "keys.json")
    with SandboxServer() as sandbox:
        settings = settings_in(folder, sandbox.url)
        settings = settings.model_copy(update={"database": Database(url=SecretStr(server_url))})
        clock = StandingClock(sandbox.carrier.clock.now())
        app = create_app(settings, clock=clock, given=make_carriers(settings))
        kit = app.extensions["simcounter"]
        with app.app_context():
            flask_migrate.upgrade()
            flask_migrate.check()
            demo.furnish(9, DEMO_PINS, kit=kit)
            demo.stock(kit=kit)
        shop = Shop(app, sandbox, clock)
        for till in ("LON1", "LON2"):
            shop.open_shift(shop.desk(till, "102"))
        yield app, sandbox
        with app.app_context():
            flask_migrate.downgrade(revision="base")
            _release(app)
        _close(kit.carriers)


@pytest.fixture
def shop(furnished_app: tuple[Flask, SandboxServer]) -> Iterator[Shop]:
    app, sandbox = furnished_app
    clock = app.extensions["simcounter"].clock
    yield Shop(app, sandbox, clock)
    assert findings(app) == []


def test_a_renewal_from_number_to_receipt_and_one_paid_back(shop: Shop) -> None:
    counter = Counter(shop.app).ready_to_pay("07700 900110").cash("10.00")
    counter.work()
    assert shop.state(counter.sale_id) is RenewalState.CONFIRMED
    assert f"{shop.sale(counter.sale_id).receipt_number}" in counter.look().plain
    assert [debit.amount_minor for debit in shop.debits if debit.number == "+447700900110"] == [736]
    counter.ready_to_pay("07700 900521").cash("8.00")
    counter.work()
    counter.look()
    counter.post(f"/sales/{counter.sale_id}/refund", {})
    assert shop.state(counter.sale_id) is RenewalState.REFUNDED


@pytest.mark.parametrize("table", ["journal", "ledger_transfers", "receipts", "receipt_documents"])
def test_the_database_refuses_to_rewrite_the_books(shop: Shop, table: str) -> None:
    shop.take_cash(shop.ready(shop.desk(staff="102"), f"+4477009002{len(table):02d}", "lyca-data-gb-1d"))
    shop.work()
    for verb in (f"update {table} set at = now()", f"delete from {table}"):
        with pytest.raises(IntegrityError), shop.by_hand() as connection:
            connection.execute(text(verb))


def test_two_tills_and_many_threads_lose_nothing_and_renew_once(shop: Shop) -> None:
    first, second = shop.desk("LON1", "102"), shop.desk("LON2", "102")
    waiting = [shop.ready((first, second)[n % 2], f"+4477009003{n:02d}", "lyca-data-gb-1d") for n in range(8)]
    gate = threading.Barrier(8)

    def pay_twice_and_work(number: int) -> None:
        gate.wait(10)
        shop.take_cash(waiting[number])
        shop.take_cash(waiting[number])
        shop.work(f"worker{number}#1")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pay_twice_and_work, range(8)))
    shop.ask_until_it_is_known()
    assert {shop.state(ready.sale_id) for ready in waiting} == {RenewalState.CONFIRMED}
    bought = [debit.number for debit in shop.debits if debit.number.startswith("+4477009003")]
    assert len(bought) == len(set(bought)) == 8
    assert set(shop.submits) == {1}
    ((count, last),) = shop.ask("select count(*), max(sequence) from receipts where number like 'LON2-%'")
    assert count == last


def test_two_tills_that_pay_the_same_renewal_at_once_take_one_payment(shop: Shop) -> None:
    desks = shop.desk("LON1", "102"), shop.desk("LON2", "102")
    for number in range(5):
        both = [shop.ready(desk, f"+44770090040{number}") for desk in desks]
        gate = threading.Barrier(2)

        def pay(ready: Ready, gate: threading.Barrier = gate) -> bool:
            gate.wait(10)
            try:
                shop.take_cash(ready)
            except DuplicateRenewal:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(pay, both)) == [False, True]
    shop.work()


def test_silence_is_asked_about_on_postgresql_too(shop: Shop) -> None:
    shop.misbehave("lost_after_commit")
    ready = shop.ready(shop.desk("LON2", "102"), "+447700900450")
    shop.take_cash(ready)
    shop.ask_until_it_is_known()
    assert shop.state(ready.sale_id) is RenewalState.CONFIRMED
    assert [debit.number for debit in shop.debits].count("+447700900450") == 1


def test_families_that_share_their_numbers_never_wait_for_each_other(shop: Shop) -> None:
    """In opposite orders: without one order for all, each would hold the number that the other one waits for."""
    desks = shop.desk("LON1", "102"), shop.desk("LON2", "102")
    for number in range(5):
        pair = [(f"+44770090041{number}", "lyca-data-gb-1d"), (f"+44770090042{number}", "lyca-data-gb-7d")]
        both = [shop.ready_family(desks[0], pair), shop.ready_family(desks[1], pair[::-1])]
        gate = threading.Barrier(2)

        def pay(ready: Ready, gate: threading.Barrier = gate) -> bool:
            gate.wait(10)
            try:
                shop.take_cash(ready)
            except DuplicateRenewal:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(pay, both)) == [False, True]
    shop.work()


def test_a_sale_from_before_families_keeps_its_number(server_url: str, tmp_path: Path) -> None:
    from sqlalchemy import create_engine

    keys.make(tmp_path / "keys.json")
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE before_families"))
    url = engine.url.set(database="before_families").render_as_string(hide_password=False)
    settings = settings_in(tmp_path).model_copy(update={"database": Database(url=SecretStr(url))})
    app = create_app(settings, given={})
    try:
        with app.app_context():
            carries_old_numbers_over(app.extensions["simcounter"].keys)
            _release(app)
    finally:
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE before_families WITH (FORCE)"))
        engine.dispose()
