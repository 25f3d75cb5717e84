"""C24: the plug is pulled while `pos db upgrade` runs; the next upgrade goes on, and nothing is half there."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.harness.machine import Machine
from tests.harness.points import POINTS
from tests.harness.result import Result

_SCHEMA = "select type, name, sql from sqlite_master where name not like 'sqlite_%' order by 1, 2"


def upgrade_round(machine: Machine, chance: random.Random, result: Result) -> None:
    """From an empty file; the machine's own, furnished database is put back afterwards."""
    furnished = machine.folder / "furnished.sqlite3"
    shutil.copy(machine.database, furnished)
    machine.database.unlink()
    (place,) = POINTS["C24"].places
    killed = False
    try:
        while True:
            machine.order(f"0/C24|{place.function}|{place.moment}||{chance.randint(1, place.most)}|kill")
            status, _ = machine.run("db", "upgrade")
            if status == 0:
                break
            assert status == -9, f"the upgrade ended with {status}: {machine.complaints()[-1000:]}"
            result.count("kills")
            killed = True
            _nothing_is_half_there(machine.database)
        assert killed, "the upgrade was over before the plug was pulled"
        machine.order()
        status, said = machine.run("db", "check")
        assert status == 0, said + machine.complaints()[-1000:]
        assert _schema(machine.database) == _schema(furnished), "another schema than without the crash"
    finally:
        machine.order()
        shutil.copy(furnished, machine.database)


def _nothing_is_half_there(database: Path) -> None:
    with closing(sqlite3.connect(database)) as file:
        assert file.execute("pragma integrity_check").fetchall() == [("ok",)]
        left = file.execute("select name from sqlite_master where name like '_alembic_tmp%'").fetchall()
        assert not left, f"a copy of a table was left behind: {left}"


def _schema(database: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as file:
        return file.execute(_SCHEMA).fetchall()
