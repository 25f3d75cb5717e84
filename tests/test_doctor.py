"""`pos doctor` on both kinds of database: it names what a power cut may take, and a schema of another version."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate
import pytest
from click.testing import CliRunner

from pos.app import create_app
from pos.cli import main
from pos.doctor import examine
from pos.sandbox.server import SandboxServer
from pos.services import backups
from pos.services.kit import Kit
from pos.store import keys
from pos.store.db import what_a_power_cut_may_take
from tests.conftest import StandingClock, _release, settings_in
from tests.engines import POSTGRESQL, Engine, address_in


def doctor(folder: Path) -> tuple[int, str]:
    config = folder / "config.toml"
    config.write_text(
        f'[database]\nurl = \'{address_in(folder)}\'\n[security]\nkey_ring = "keys.json"\n[logging]\nlevel = "error"\n',
        encoding="utf-8",
    )
    answer = CliRunner().invoke(main, ["--config", str(config), "doctor"])
    return answer.exit_code, answer.output


def test_it_says_what_it_found(folder: Path, engine: Engine) -> None:
    status, said = doctor(folder)
    if engine.name == POSTGRESQL:
        # The tests' own server is fast because it is not safe.
        assert (status, "fsync is off" in said, "synchronous_commit is off" in said) == (1, True, True)
    else:
        assert (status, "journal_mode" in said) == (0, True), said
    assert "schema" not in said


def test_it_asks_for_an_upgrade(folder: Path) -> None:
    app = create_app(settings_in(folder), given={})
    with app.app_context():
        flask_migrate.downgrade()
        _release(app)
    status, said = doctor(folder)
    assert status == 1
    assert "run `pos db upgrade`" in said


@pytest.mark.parametrize(
    ("durable", "word"),
    [
        ({"server_version": "18", "fsync": "off", "full_page_writes": "on", "synchronous_commit": "on"}, "fsync"),
        ({"server_version": "18", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "off"}, "synchronous_commit"),
        ({"sqlite": "3", "journal_mode": "memory", "synchronous": "3"}, "journal_mode"),
        ({"sqlite": "3", "journal_mode": "wal", "synchronous": "1"}, "synchronous"),
    ],
)
def test_each_setting_that_loses_sales_has_its_sentence(durable: dict[str, str], word: str) -> None:
    assert any(sentence.startswith(word) for sentence in what_a_power_cut_may_take(durable))


def test_a_safe_server_has_none() -> None:
    safe = {"server_version": "18", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    assert what_a_power_cut_may_take(safe) == []


# ------------------------------------------------------------------ each thing that can be wrong


def findings(folder: Path) -> dict[str, list[tuple[bool | None, str]]]:
    """What it says for programs, by part."""
    doctor(folder)
    told = json.loads(CliRunner().invoke(main, ["--config", str(folder / "config.toml"), "doctor", "--json"]).output)
    assert told["ok"] == all(one["is_right"] is not False for one in told["findings"])
    found: dict[str, list[tuple[bool | None, str]]] = {}
    for one in told["findings"]:
        found.setdefault(one["part"], []).append((one["is_right"], one["told"]))
    return found


@pytest.mark.skipif(os.name == "nt", reason="who may read a file is asked otherwise there")
@pytest.mark.engines("sqlite")
def test_a_key_ring_for_everybody(folder: Path) -> None:
    assert findings(folder)["key ring"] == [(True, "keys.json is for its own user only")]
    (folder / "keys.json").chmod(0o640)
    ((is_right, told),) = findings(folder)["key ring"]
    assert is_right is False
    assert "chmod 600 keys.json" in told


@pytest.mark.engines("sqlite")
def test_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pos.doctor.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 1 << 40, 1 << 20))
    ((is_right, told),) = findings(folder)["disk"]
    assert (is_right, told.startswith("1 MB are free")) == (False, True)


@pytest.mark.engines("sqlite")
def test_keys(folder: Path) -> None:
    held, now = keys._read(folder / "keys.json")
    keys._replace(
        folder / "keys.json", {i: k for i, k in held.items() if i != "bak-1"}, {p: i for p, i in now.items() if p != "bak"}
    )
    (_, (is_right, told)) = findings(folder)["keys"]
    assert is_right is False and "pos keys rotate bak" in told
    keys._replace(
        folder / "keys.json", {i: k for i, k in held.items() if i != "pep-1"} | {"pep-2": bytes(32)}, now | {"pep": "pep-2"}
    )
    ((is_right, told),) = findings(folder)["keys"]
    assert is_right is False and "pep-1" in told


@pytest.mark.engines("sqlite")
def test_backups_by_age_and_proof(folder: Path) -> None:
    app = create_app(settings_in(folder), given={})
    kit: Kit = app.extensions["simcounter"]
    assert findings(folder)["backup"][0][0] is None, "nothing was sold yet"
    for hours, faults, is_right, word in ((1, 0, True, "was proven"), (1, 2, False, "not proven"), (0, 0, True, "0 hours")):
        clock = StandingClock(datetime.now(UTC) - timedelta(hours=hours))
        with app.app_context():
            backups.note_made("simcounter-x.simbackup", "bak-1", 1, "", faults, kit=replace(kit, clock=clock))
        if faults:
            clock.pass_time(seconds=1)
        ((said, told),) = findings(folder)["backup"]
        assert (said, word in told) == (is_right, True), told
    with app.app_context():
        _release(app)


@pytest.mark.engines("sqlite")
def test_an_old_backup_and_a_clock_that_is_behind(folder: Path) -> None:
    app = create_app(settings_in(folder), given={})
    kit: Kit = app.extensions["simcounter"]
    with app.app_context():
        old = StandingClock(datetime.now(UTC) - timedelta(hours=40))
        backups.note_made("simcounter-x.simbackup", "bak-1", 1, "", 0, kit=replace(kit, clock=old))
        _release(app)
    ((is_right, told),) = findings(folder)["backup"]
    assert is_right is False and "nightly" in told
    with app.app_context():
        ahead = StandingClock(datetime.now(UTC) + timedelta(hours=3))
        backups.note_made("simcounter-y.simbackup", "bak-1", 1, "", 0, kit=replace(kit, clock=ahead))
        _release(app)
    ((is_right, told),) = findings(folder)["clock"]
    assert is_right is False and "behind the newest row" in told


def test_the_carriers_answers_and_clock_are_asked(folder: Path, sandbox: SandboxServer) -> None:
    app = create_app(settings_in(folder, sandbox.url))
    kit: Kit = app.extensions["simcounter"]
    with app.app_context():
        told = [one for one in examine(settings_in(folder, sandbox.url), folder / "keys.json", kit=kit) if "carrier" in one.part]
        _release(app)
    assert [one.told.partition(":")[0] for one in told] == ["credentials and wallet", "look-up by reference", "clock"]
    assert all(one.is_right for one in told), told
