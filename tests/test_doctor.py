"""`pos doctor` on both kinds of database: it names what a power cut may take, and a schema of another version."""

from __future__ import annotations

from pathlib import Path

import flask_migrate
import pytest
from click.testing import CliRunner

from pos.app import create_app
from pos.cli import main
from pos.store.db import what_a_power_cut_may_take
from tests.conftest import _release, settings_in
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
