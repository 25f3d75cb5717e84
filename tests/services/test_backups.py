"""Back up under load, restore, verify, sell: on both databases. A file that is not whole is refused and nothing is touched."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from pos import backups
from pos.app import create_app, make_carriers
from pos.cli import main
from pos.config import Settings
from pos.domain.errors import NotAllowed, SamePerson
from pos.domain.renewals import RenewalState
from pos.sandbox.server import SandboxServer
from pos.services import exports, journal, ledger
from pos.store import backup_files as files
from pos.store import keys
from pos.store.db import transaction
from tests.conftest import StandingClock, _close, _release, settings_in
from tests.engines import Engine, everything_in
from tests.services.shop import Shop, findings
from tools import check_export


def quiet(_: str) -> None:
    """Progress is for people."""


@pytest.fixture
def settings(folder: Path, sandbox: SandboxServer) -> Settings:
    return settings_in(folder, sandbox.url)


def make(shop: Shop, settings: Settings, into: Path) -> backups.Made:
    with shop.app.app_context():
        made = backups.make(settings, into, kit=shop.kit, tell=quiet)
    assert made.faults == []
    return made


def sell(shop: Shop, count: int, till: str = "LON1", staff: str = "101", first: int = 0) -> list[str]:
    desk = shop.desk(till, staff)
    sold = []
    for place in range(first, first + count):
        ready = shop.ready(desk, f"+447700900{place:03}")
        shop.take_cash(ready)
        shop.work()
        sold.append(ready.sale_id)
    return sold


@contextmanager
def elsewhere(folder: Path, engine: Engine, keys_of: Path) -> Iterator[Path]:
    """Another place with an empty database and the shop's key ring."""
    folder.mkdir()
    shutil.copy(keys_of / "keys.json", folder)
    engine.make(folder)
    yield folder
    engine.drop(folder)


@contextmanager
def opened(folder: Path, sandbox: SandboxServer, clock: StandingClock) -> Iterator[Shop]:
    there = settings_in(folder, sandbox.url)
    app: Flask = create_app(there, clock=clock, given=make_carriers(there))
    try:
        yield Shop(app, sandbox, clock)
    finally:
        with app.app_context():
            _release(app)
        _close(app.extensions["simcounter"].carriers)


def test_backed_up_under_load_restored_and_sold_from(
    shop: Shop, settings: Settings, sandbox: SandboxServer, clock: StandingClock, tmp_path: Path, engine: Engine
) -> None:
    for till, staff in (("LON1", "101"), ("LON2", "102")):
        shop.open_shift(shop.desk(till, staff))
    sell(shop, 2)
    faults: list[Exception] = []
    over = threading.Event()
    sold: list[int] = []

    def customer_after_customer(till: str, staff: str, first: int) -> None:
        try:
            desk, number = shop.desk(till, staff), first
            while not over.is_set() and number < first + 50:
                shop.take_cash(shop.ready(desk, f"+447700900{number:03}"))
                sold.append(number)
                number += 1
        except Exception as fault:  # noqa: BLE001 - told by the test
            faults.append(fault)

    tills = [
        threading.Thread(target=customer_after_customer, args=given) for given in (("LON1", "101", 100), ("LON2", "102", 200))
    ]
    for till in tills:
        till.start()
    made = make(shop, settings, tmp_path / "usb")
    over.set()
    for till in tills:
        till.join()
    assert not faults and sold, faults
    shop.work()
    with elsewhere(tmp_path / "other", engine, tmp_path) as other:
        done = backups.restore(settings_in(other, sandbox.url), made.path, "201", "401", clock=clock, tell=quiet)
        assert (done.rows, done.kept_as == "" or engine.name == "postgresql") == (made.rows, True)
        with opened(other, sandbox, clock) as again:
            with again.app.app_context():
                assert [*journal.verify(kit=again.kit), *ledger.prove()] == []
            sandbox.carrier.faults.clear()
            last = sell(again, 1, "LON2", "102", 300)
            assert again.states(last[0]) == [RenewalState.CONFIRMED]
            with again.app.app_context():
                assert [*journal.verify(kit=again.kit), *ledger.prove()] == []
            epochs = again.ask("select chain, content from journal where kind = 'epoch.begun'")
            assert {chain for chain, _ in epochs} == {chain for (chain,) in again.ask("select chain from journal_heads")}
            assert again.ask("select count(*) from sign_ins where ended_at is null") == [(0,)]


def test_a_backup_of_one_database_is_restored_on_the_other(
    shop: Shop,
    settings: Settings,
    sandbox: SandboxServer,
    clock: StandingClock,
    tmp_path: Path,
    engine: Engine,
    request: pytest.FixtureRequest,
) -> None:
    from tests.engines import SQLITE, Sqlite

    shop.open_shift(shop.desk())
    sell(shop, 1)
    made = make(shop, settings, tmp_path / "usb")
    other_kind: Engine = request.getfixturevalue("postgresql_server") if engine.name == SQLITE else Sqlite()
    with elsewhere(tmp_path / "other", other_kind, tmp_path) as other:
        backups.restore(settings_in(other, sandbox.url), made.path, "201", "401", clock=clock, tell=quiet)
        with opened(other, sandbox, clock) as again:
            assert findings(again.app) == []
            sell(again, 2, first=300)
            assert findings(again.app) == []


def test_what_was_paid_and_not_sent_is_decided_by_people(
    shop: Shop, settings: Settings, sandbox: SandboxServer, clock: StandingClock, tmp_path: Path, engine: Engine
) -> None:
    """Sent after the backup under a reference that is lost: a second sending would be a second renewal."""
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    made = make(shop, settings, tmp_path / "usb")
    shop.work()
    assert len(shop.debits) == 1
    with elsewhere(tmp_path / "other", engine, tmp_path) as other:
        done = backups.restore(settings_in(other, sandbox.url), made.path, "201", "401", clock=clock, tell=quiet)
        assert done.begun.renewals == 1
        with opened(other, sandbox, clock) as again:
            again.work()
            assert again.states(ready.sale_id) == [RenewalState.MANUAL]
            assert len(again.debits) == 1
            with again.app.app_context():
                assert [*journal.verify(kit=again.kit), *ledger.prove()] == []


def test_what_was_used_twice_shows_against_an_earlier_export(
    shop: Shop,
    settings: Settings,
    sandbox: SandboxServer,
    clock: StandingClock,
    tmp_path: Path,
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop.open_shift(shop.desk())
    sell(shop, 1)
    made = make(shop, settings, tmp_path / "usb")
    sell(shop, 2, first=10)
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    export(shop, old)
    with elsewhere(tmp_path / "other", engine, tmp_path) as other:
        backups.restore(settings_in(other, sandbox.url), made.path, "201", "401", clock=clock, tell=quiet)
        with opened(other, sandbox, clock) as again:
            sell(again, 1, first=20)
            export(again, new)
    capsys.readouterr()
    given = [str(new), "--json", "--key-file", str(tmp_path / "keys.json")]
    assert check_export.main([*given, "--earlier", str(old)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["used_twice"] == ["LON1-000002"] and said["lost_by_restore"]["till:LON1"] > 0
    # Without the word of the restore the same difference is a forged past.
    assert check_export.main([str(old), "--json", "--earlier", str(new)]) == 1
    assert "an earlier export says otherwise" in capsys.readouterr().out


@pytest.mark.parametrize("to_be_found", [["its epoch quotes another head"]])
def test_an_epoch_that_quotes_another_head_is_found(shop: Shop, to_be_found: list[str]) -> None:
    now = shop.clock.now()
    said = {"epoch": 1, "after_seq": 1, "after_head": "0" * 64, "after_rows_sha256": "0" * 64}
    with shop.app.app_context(), transaction() as session:
        pen = shop.kit.office_pen("LON", "command", now, now.date())
        pen.note(session, "epoch.begun", "journal", "office:LON", said)


def export(shop: Shop, to: Path) -> None:
    with shop.app.app_context():
        to.write_text("".join(f"{line}\n" for line in exports.lines(None, None, kit=shop.kit)), encoding="utf-8", newline="\n")


# ------------------------------------------------------------------ files that are not whole


def swapped(content: bytes, places: list[tuple[int, int]]) -> bytes:
    (a, b), (c, d) = places[0], places[1]
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def chunks(content: bytes) -> list[tuple[int, int]]:
    """Where each sealed chunk lies, its length in front included."""
    begin = 18 + 4 + int.from_bytes(content[18:22], "big")
    found = []
    while begin < len(content):
        end = begin + 4 + int.from_bytes(content[begin : begin + 4], "big")
        found.append((begin, end))
        begin = end
    return found


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda content: content[:-1],
    "without its last part": lambda content: content[: chunks(content)[-1][0]],
    "only a header": lambda content: content[: chunks(content)[0][0]],
    "one bit": lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
    "another time": lambda content: content.replace(b'"made_at": "2026', b'"made_at": "2025'),
    "two parts exchanged": lambda content: swapped(content, chunks(content)),
    "a part twice": lambda content: content + content[chunks(content)[-1][0] :],
    "something behind": lambda content: content + b"\x00",
    "nothing": lambda _: b"",
    "something else": lambda _: b"PK\x03\x04" * 100,
}


def test_a_damaged_backup_is_refused_and_nothing_is_touched(
    shop: Shop, settings: Settings, tmp_path_factory: pytest.TempPathFactory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK", 1024)  # several parts, as a shop's own file has
    made = make(shop, settings, tmp_path_factory.mktemp("usb"))
    content = made.path.read_bytes()
    assert len(chunks(content)) > 3
    before = everything_in(folder)
    for damage in DAMAGE.values():
        assert damage(content) != content
        made.path.write_bytes(damage(content))
        with pytest.raises(files.BackupUnusable, match="Nothing was changed"):
            files.check(made.path, keys.load(folder / "keys.json"))
        with pytest.raises(files.BackupUnusable, match="Nothing was changed"):
            backups.restore(settings, made.path, "201", "401", replace=True, tell=quiet)
        assert everything_in(folder) == before


def test_the_clear_text_of_no_row_is_in_it(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    made = make(shop, settings, tmp_path / "usb")
    assert b"London" not in made.path.read_bytes()
    assert [path.name for path in (tmp_path / "usb").iterdir()] == [made.path.name]


# ------------------------------------------------------------------ who, where, with which keys


def test_only_two_people_with_the_right_restore(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    made = make(shop, settings, tmp_path / "usb")
    with shop.app.app_context():
        _release(shop.app)
    for pair, refusal in ((("201", "201"), SamePerson), (("101", "201"), NotAllowed), (("201", "999"), NotAllowed)):
        with pytest.raises(refusal):
            backups.restore(settings, made.path, *pair, replace=True, tell=quiet)


def test_a_database_with_rows_is_not_replaced_unasked_and_then_kept(
    shop: Shop, settings: Settings, clock: StandingClock, tmp_path: Path
) -> None:
    made = make(shop, settings, tmp_path / "usb")
    with shop.app.app_context():
        _release(shop.app)
    with pytest.raises(backups.BackupRefused, match="has rows"):
        backups.restore(settings, made.path, "201", "401", tell=quiet)
    done = backups.restore(settings, made.path, "201", "401", replace=True, clock=clock, tell=quiet)
    assert "before" in done.kept_as
    assert shop.ask("select count(*) from journal where kind = 'backup.restored'")[0][0] > 0


def test_a_lost_key_ring_is_named(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    made = make(shop, settings, tmp_path / "usb")
    (tmp_path / "keys.json").rename(tmp_path / "lost.json")
    keys.make(tmp_path / "keys.json")  # a new ring has ids of the same names, and does not open it
    with pytest.raises(files.BackupUnusable):
        backups.restore(settings, made.path, "201", "401", replace=True, tell=quiet)
    ring = keys._read(tmp_path / "lost.json")
    keys._replace(
        tmp_path / "keys.json",
        {name: key for name, key in ring[0].items() if name != "jrn-1"} | {"jrn-2": bytes(32)},
        ring[1] | {"jrn": "jrn-2"},
    )
    with pytest.raises(backups.BackupRefused, match="lacks jrn-1"):
        backups.restore(settings, made.path, "201", "401", replace=True, tell=quiet)
    (tmp_path / "keys.json").unlink()
    (tmp_path / "lost.json").rename(tmp_path / "keys.json")


def test_without_a_backup_key_there_is_no_backup(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    shop.kit.keys.now.pop("bak")
    with shop.app.app_context(), pytest.raises(keys.KeyRingUnusable, match="no key for bak"):
        backups.make(settings, tmp_path / "usb", kit=shop.kit, tell=quiet)
    assert not (tmp_path / "usb").exists()


def test_old_backups_go(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    few = settings.model_copy(update={"backup": settings.backup.model_copy(update={"keep": 2})})
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "simcounter-of-somebody-else.simbackup").write_bytes(b"not ours")
    made = []
    for _ in range(3):
        made.append(make(shop, few, tmp_path / "usb"))
        shop.pass_time(60)
    assert made[-1].removed == [made[0].path.name]
    left = {path.name for path in (tmp_path / "usb").iterdir()}
    assert left == {made[1].path.name, made[2].path.name, "simcounter-of-somebody-else.simbackup"}
    noted = shop.ask("select count(*) from journal where kind = 'backup.made' and chain = 'office:LON'")
    assert noted == [(3,)]


@pytest.mark.engines("sqlite")
def test_the_command_line(shop: Shop, tmp_path: Path, folder: Path) -> None:
    """A ring from before there were backups gets its key; then a backup, and its drill in another folder."""

    def pos(*words: str, config: Path) -> Result:
        return CliRunner().invoke(main, ["--config", str(config), *words])

    config = folder / "config.toml"
    config.write_text("[database]\nurl = 'sqlite:///shop.sqlite3'\n[security]\nkey_ring = 'keys.json'\n", encoding="utf-8")
    held, now = keys._read(folder / "keys.json")
    keys._replace(
        folder / "keys.json", {i: k for i, k in held.items() if i != "bak-1"}, {p: i for p, i in now.items() if p != "bak"}
    )
    refused = pos("backup", str(tmp_path / "usb"), config=config)
    assert (refused.exit_code, "no key for bak" in refused.output) == (1, True), refused.output
    assert pos("keys", "rotate", "bak", "--asked-by", "201", "--agreed-by", "401", config=config).exit_code == 0
    made = pos("backup", str(tmp_path / "usb"), config=config)
    assert (made.exit_code, "Proven" in made.output) == (0, True), made.output
    (file,) = (tmp_path / "usb").iterdir()
    drill = tmp_path / "drill"
    drill.mkdir()
    shutil.copy(folder / "keys.json", drill)
    shutil.copy(config, drill)
    config = drill / "config.toml"
    alone = pos("restore", str(file), "--asked-by", "201", "--agreed-by", "201", config=config)
    assert (alone.exit_code, (drill / "shop.sqlite3").exists()) == (1, False), alone.output
    done = pos("restore", str(file), "--asked-by", "201", "--agreed-by", "401", config=config)
    assert (done.exit_code, "new epoch" in done.output) == (0, True), done.output
    assert pos("verify", config=config).exit_code == 0
    assert {path.name for path in drill.iterdir()} == {"config.toml", "keys.json", "shop.sqlite3"}, "no scratch is left"
