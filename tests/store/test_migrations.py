"""Migrations are history for strangers: one line of numbers, up and down again, and a schema that equals the classes."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import IntegrityError

from pos.app import create_app
from pos.domain.journal import GENESIS, Entry, running_hash
from pos.paths import data_dir
from pos.store import keys
from pos.store.db import db, transaction
from tests.conftest import _release, settings_in
from tests.counter import Counter

FOLDER = data_dir("migrations")
FILES = sorted((FOLDER / "versions").glob("*.py"))
# Added to and never changed, whoever asks: the database itself refuses.
FINAL = ("journal", "ledger_transfers", "receipts", "receipt_documents", "z_reports")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Flask]:
    """The application over a database with nothing in it."""
    keys.make(tmp_path / "keys.json")
    app = create_app(settings_in(tmp_path), given={})
    with app.app_context():
        yield app
        _release(app)


def schema(app: Flask) -> set[str]:
    """Every table, index and trigger as the database itself spells it."""
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        return {re.sub(r"\s+", " ", sql) for (sql,) in found}


# ------------------------------------------------------------------ the files


def test_numbers_have_no_gap_and_no_twin() -> None:
    numbers = [path.name[:4] for path in FILES]
    assert numbers == [f"{number:04d}" for number in range(1, len(FILES) + 1)]


def test_there_is_one_head_and_it_is_the_last_file() -> None:
    script = ScriptDirectory(str(FOLDER))
    assert script.get_heads() == [FILES[-1].name[:4]]
    history = [revision.revision for revision in script.walk_revisions()]
    assert history == [path.name[:4] for path in reversed(FILES)], "each follows the one before it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_migration_is_for_strangers(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}_[a-z0-9]+(_[a-z0-9]+)*", path.stem), "its name says what it does"
    why = ast.get_docstring(tree) or ""
    assert re.match(r"[A-Z].*\.$", why.splitlines()[0] if why else ""), "its first line says in a sentence why the shop needs it"
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        ours = [name for name in names if name.split(".")[0] in ("pos", "receipts", "migrations")]
        assert not ours, f"{ours} will have changed when somebody upgrades from this version; write it out here"
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {"upgrade", "downgrade"} <= defined


# ------------------------------------------------------------------ up and down


def test_up_down_and_up_again_gives_the_same_schema(bare: Flask) -> None:
    flask_migrate.upgrade()
    first = schema(bare)
    assert {f"CREATE TRIGGER {table}_no_{verb}" for table in FINAL for verb in ("update", "delete")} <= {
        " ".join(sql.split()[:3]) for sql in first
    }
    flask_migrate.downgrade(revision="base")
    assert schema(bare) == set()
    flask_migrate.upgrade()
    assert schema(bare) == first


def test_each_step_can_be_taken_back(bare: Flask) -> None:
    seen = [schema(bare)]
    for path in FILES:
        flask_migrate.upgrade(revision=path.name[:4])
        seen.append(schema(bare))
        assert seen[-1] != seen[-2], f"{path.name} changes nothing"
    for path in reversed(FILES):
        assert schema(bare) == seen.pop(), path.name
        flask_migrate.downgrade()
    assert schema(bare) == seen.pop() == set()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(bare: Flask) -> None:
    flask_migrate.upgrade()
    before = schema(bare)
    flask_migrate.upgrade()
    assert schema(bare) == before


def test_tables_and_classes_agree(bare: Flask) -> None:
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, db.metadata) == []


def test_every_constraint_has_a_name(bare: Flask) -> None:
    """SQLite alters a table by copying it, and cannot drop what it cannot name."""
    flask_migrate.upgrade()
    inspector = inspect(db.engine)
    for table in inspector.get_table_names():
        found = [
            *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table),
            *inspector.get_check_constraints(table),
        ]
        if table != "alembic_version":
            found.append(inspector.get_pk_constraint(table))
        assert [constraint for constraint in found if constraint["name"] is None] == [], table


# ------------------------------------------------------------------ what is final


@pytest.fixture
def closed_day(counter: Counter) -> Counter:
    """At least one row in each of the final tables."""
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_5000": "2", "pieces_200": "4", "left_in_drawer": "100.00"})
    return counter


def test_the_books_cannot_be_rewritten(closed_day: Counter) -> None:
    with closed_day.app.app_context():
        for table in FINAL:
            with db.engine.connect() as connection:
                count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                column = connection.execute(
                    text(f"SELECT name FROM pragma_table_info('{table}') ORDER BY cid LIMIT 1")
                ).scalar_one()
            assert count > 0, f"{table} is empty: this test would prove nothing"
            attacks = [
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"UPDATE {table} SET at = at WHERE rowid = (SELECT max(rowid) FROM {table})",
                f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
            ]
            for attack in attacks:
                with pytest.raises(IntegrityError, match=f"{table} is added to, never changed"), transaction() as session:
                    session.execute(text(attack))
            with db.engine.connect() as connection:
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == count
    assert closed_day.verify() == []


def test_replacing_a_row_is_refused_too(closed_day: Counter) -> None:
    """INSERT OR REPLACE deletes without asking a trigger unless the connection says that triggers count there as well."""
    with closed_day.app.app_context():
        for table in FINAL:
            with pytest.raises(IntegrityError), transaction() as session:
                session.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"))


def test_a_transfer_of_nothing_or_to_itself_is_no_row(closed_day: Counter) -> None:
    columns = "at, business_day, store_id, till_id, code, debit, credit, amount_minor, currency"
    with closed_day.app.app_context():
        for change in ("0", "-1"):
            with pytest.raises(IntegrityError, match="positive"), transaction() as session:
                picked = columns.replace("amount_minor", change)
                session.execute(text(f"INSERT INTO ledger_transfers ({columns}) SELECT {picked} FROM ledger_transfers LIMIT 1"))
        with pytest.raises(IntegrityError, match="two_accounts"), transaction() as session:
            picked = columns.replace("credit", "debit")
            session.execute(text(f"INSERT INTO ledger_transfers ({columns}) SELECT {picked} FROM ledger_transfers LIMIT 1"))


def test_a_sale_of_a_shop_that_is_not_there_is_no_row(closed_day: Counter) -> None:
    with closed_day.app.app_context(), pytest.raises(IntegrityError, match="FOREIGN KEY"), transaction() as session:
        session.execute(text("UPDATE sales SET store_id = 999"))


def test_no_statement_is_sent_outside_a_transaction_of_ours(closed_day: Counter) -> None:
    """Each write begins with BEGIN IMMEDIATE: two tills never meet in the middle."""
    begun: list[str] = []
    with closed_day.app.app_context():

        def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            begun.append(statement)

        event.listen(db.engine, "before_cursor_execute", hear)
        with transaction() as session:
            session.execute(text("UPDATE tills SET name = name"))
    assert begun[:2] == ["BEGIN IMMEDIATE", "UPDATE tills SET name = name"]


# ------------------------------------------------------------------ with rows from before


def test_0016_hashes_the_rows_that_are_there(bare: Flask) -> None:
    flask_migrate.upgrade(revision="0010")
    vectors = json.loads(
        re.search(r"```json\n(.*?)```", (FOLDER.parent / "docs" / "journal.md").read_text("utf-8"), re.DOTALL)[1]
    )  # type: ignore[index]
    so_far = GENESIS
    with db.engine.begin() as connection:
        for row in vectors["rows"]:
            at, day = datetime.fromisoformat(row["at"]).astimezone(UTC), date.fromisoformat(row["business_day"])
            values = {name: row[name] for name in row if name not in ("canonical", "content", "at", "business_day")}
            values |= {"content": row["canonical"], "at": at, "business_day": day}
            so_far = running_hash(so_far, Entry(**{name: value for name, value in values.items() if name != "mac"}))
            stored = values | {"at": at.strftime("%Y-%m-%d %H:%M:%S.%f"), "business_day": day.isoformat()}
            names = ", ".join(stored)
            connection.execute(text(f"INSERT INTO journal ({names}) VALUES (:{names.replace(', ', ', :')})"), stored)
        connection.execute(text("INSERT INTO journal_heads VALUES ('till:LON1', 2, :mac)"), {"mac": vectors["rows"][-1]["mac"]})
        connection.execute(text("INSERT INTO journal_heads VALUES ('office:LON', 0, :mac)"), {"mac": GENESIS})
    flask_migrate.upgrade(revision="0016")
    with db.engine.connect() as connection:
        found = dict(connection.execute(text("SELECT chain, rows_hash FROM journal_heads")).all())
    assert found == {"till:LON1": so_far, "office:LON": GENESIS}
