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
from pos.domain.closings import Period
from pos.domain.journal import GENESIS, Entry, running_hash
from pos.paths import data_dir
from pos.services import closings
from pos.store import keys, renewals, sales
from pos.store import tills as till_rows
from pos.store.db import db, reading, transaction
from tests.conftest import _release, settings_in
from tests.counter import Counter
from tests.engines import Engine

FOLDER = data_dir("migrations")
FILES = sorted((FOLDER / "versions").glob("*.py"))
# Added to and never changed, whoever asks: the database itself refuses.
FINAL = ("journal", "ledger_transfers", "receipts", "receipt_documents", "z_reports", "closings")


@pytest.fixture
def bare(tmp_path: Path, engine: Engine) -> Iterator[Flask]:
    """The application over a database with nothing in it."""
    keys.make(tmp_path / "keys.json")
    engine.make(tmp_path)
    app = create_app(settings_in(tmp_path), given={})
    with app.app_context():
        yield app
        _release(app)
    engine.drop(tmp_path)


_OF_POSTGRESQL = """
select 'CREATE TRIGGER ' || tgname || ' ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version'
union all select pg_get_constraintdef(oid) || conname || conrelid::regclass from pg_constraint
  where connamespace = 'public'::regnamespace and conrelid <> coalesce(to_regclass('alembic_version')::oid, 0)
union all select table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
  || coalesce(character_maximum_length::text, '') || coalesce(column_default, '') from information_schema.columns
  where table_schema = 'public' and table_name <> 'alembic_version'
union all select proname from pg_proc where pronamespace = 'public'::regnamespace
"""


def schema(app: Flask) -> set[str]:
    """Every table, column, index and trigger as the database itself spells it."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    if url.startswith("postgresql"):
        with db.engine.connect() as connection:
            return set(connection.execute(text(_OF_POSTGRESQL)).scalars())
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        return {_spelled(re.sub(r"\s+", " ", sql)) for (sql,) in found}


def _spelled(sql: str) -> str:
    """Without the quotes and the order of columns and constraints: SQLite alters a table by copying it or puts what is new
    last, which shuffles them."""
    plain = sql.replace('"', "")
    if not plain.startswith("CREATE TABLE"):
        return plain
    name, _, inside = plain.partition("(")
    parts = re.split(r",(?![^(]*\))", inside.strip().removesuffix(")"))
    return f"{name.strip()} ({', '.join(sorted(part.strip() for part in parts))})"


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
    guards = ("is_final", "is_whole") if db.engine.dialect.name == "postgresql" else ("no_update", "no_delete")
    wanted = {f"CREATE TRIGGER {table}_{guard}" for table in FINAL for guard in guards}
    assert wanted <= {" ".join(sql.split()[:3]) for sql in first}
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


# ------------------------------------------------------------------ old rows


def a_sale_from_before_families(ring: keys.KeyRing) -> None:
    """A sale with a replaced plan and a chosen one, as 0010 stored it: a number has no name but its sale's."""
    sealed = ring.seal("+447700900123", "number_checks.sealed:old-sale")
    with db.engine.begin() as connection:

        def put(table: str, **values: object) -> None:
            names = ", ".join(values)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + name for name in values)})"), values)

        when = "2026-11-21 12:00:00+00:00" if connection.dialect.name == "postgresql" else "2026-11-21 12:00:00.000000"
        put(
            "stores", id=1, code="LON", name="L", legal_name="L", address="[]", tax_label="", tax_number="", country="GB",
            currency="GBP", zone="Europe/London", day_starts_minutes=0, tax_name="VAT", tax_basis_points=0, support="[]",
            hours="", footer="[]", drawer_tolerance_minor=0,
        )  # fmt: skip
        put("tills", id=1, store_id=1, code="LON1", name="1", surface="counter", enrolment_misses=0)
        staff = {column["name"] for column in inspect(connection).get_columns("staff") if not column["nullable"]}
        known = {"id": 1, "number": "101", "name": "A", "role": "clerk", "store_id": 1, "language": "en", "active": True}
        put("staff", **{name: known.get(name, when if name.endswith("_at") else 0) for name in staff})
        put(
            "plans", id=1, store_id=1, carrier="sandbox", product_key="k", line="l", name="P", kind="plan", currency="GBP",
            price_minor=800, cost_minor=700, cost_currency="GBP", face_minor=800, face_currency="GBP", sold=0, imported_at=when,
        )  # fmt: skip
        put(
            "sales", id="old-sale", store_id=1, till_id=1, staff_id=1, state="draft", language="en", currency="GBP",
            total_minor=800, opened_at=when, interim_printed=False,
        )  # fmt: skip
        put(
            "number_checks", sale_id="old-sale", kind="phone", sealed=sealed, look_up="seen", salt=b"salt", masked="*123",
            carrier="sandbox", state="active", balances='[{"kind": "data"}]', asked_at=when,
        )  # fmt: skip
        for line_number, state in ((1, "voided"), (2, "quoted")):
            put(
                "renewals", id=f"line-{line_number}", sale_id="old-sale", line_number=line_number, store_id=1, state=state,
                carrier="sandbox", plan_id=1, product_key="k", plan_name="P", line="l", kind="plan", currency="GBP",
                price_minor=800, tax_minor=0, tax_basis_points=0, cost_minor=700, cost_currency="GBP", face_minor=800,
                face_currency="GBP", quote="q", quote_ends_at=when, number_sealed=b"x", number_look_up="seen",
                number_commitment="c", masked="*123", effect="starts", times_asked=0, absent_times=0, fence=0,
            )  # fmt: skip


def carries_old_numbers_over(ring: keys.KeyRing) -> None:
    """Up and down again with that sale inside; also what the PostgreSQL journey calls."""
    flask_migrate.upgrade(revision="0010")
    a_sale_from_before_families(ring)
    flask_migrate.upgrade(revision="0011")
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT id, sale_id, place, masked, dropped_at FROM number_checks")).all() == [
            ("old-sale", "old-sale", 1, "*123", None)
        ]
        assert connection.execute(text("SELECT DISTINCT number_check_id FROM renewals")).scalars().all() == ["old-sale"]
    # Today's classes read today's tables only.
    flask_migrate.upgrade()
    with transaction() as session:
        (line,) = renewals.live_of_sale(session, "old-sale")
        (number,) = sales.live_numbers_of(session, "old-sale")
        assert (line.id, number.balances) == ("line-2", [{"kind": "data"}])
        assert ring.open(number.sealed, f"number_checks.sealed:{number.id}") == "+447700900123"
    db.session.remove()
    flask_migrate.downgrade(revision="0010")
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT sale_id, look_up FROM number_checks")).all() == [("old-sale", "seen")]


def test_a_sale_from_before_families_keeps_its_number(bare: Flask) -> None:
    carries_old_numbers_over(bare.extensions["simcounter"].keys)


def test_a_shop_with_sales_in_it_goes_up_and_down(bare: Flask) -> None:
    """SQLite refuses to copy a table that others point at; an empty one would not show it."""
    flask_migrate.upgrade(revision="0010")
    a_sale_from_before_families(bare.extensions["simcounter"].keys)
    when = "2026-11-21 12:00:00+00:00" if db.engine.dialect.name == "postgresql" else "2026-11-21 12:00:00.000000"
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE renewals SET provider_ref = 'PO-1', operator_ref = 'OP-1' WHERE id = 'line-2'"))
        connection.execute(
            text(
                "INSERT INTO attempts (renewal_id, ref, body_hash, tries, written_at, sent_at, deadline_at, settles_at) "
                "VALUES ('line-2', 'SC-1', 'h', 1, :at, :at, :at, :at)"
            ),
            {"at": when},
        )
    kept = "SELECT provider_ref, operator_ref, ref FROM renewals JOIN attempts ON renewal_id = renewals.id"
    for go in (flask_migrate.upgrade, lambda: flask_migrate.downgrade(revision="0010")):
        go()
        with db.engine.connect() as connection:
            assert connection.execute(text(kept)).all() == [("PO-1", "OP-1", "SC-1")]


# ------------------------------------------------------------------ what is final


@pytest.fixture
def closed_day(counter: Counter) -> Counter:
    """At least one row in each of the final tables."""
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_5000": "2", "pieces_200": "4", "left_in_drawer": "100.00"})
    with counter.app.app_context(), reading() as session:
        store = till_rows.all_stores(session)[0].plain()
    with counter.app.app_context():
        closings.close_for(Period.DAY, store.business_day(counter.kit.now()), store, None, "command", kit=counter.kit)
    return counter


def test_the_books_cannot_be_rewritten(closed_day: Counter) -> None:
    with closed_day.app.app_context():
        for table in FINAL:
            with db.engine.connect() as connection:
                count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            column = inspect(db.engine).get_columns(table)[0]["name"]
            row = "ctid" if db.engine.dialect.name == "postgresql" else "rowid"
            assert count > 0, f"{table} is empty: this test would prove nothing"
            attacks = [
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"UPDATE {table} SET at = at WHERE {row} = (SELECT max({row}) FROM {table})",
                f"DELETE FROM {table} WHERE {row} = (SELECT max({row}) FROM {table})",
            ]
            for attack in attacks:
                with pytest.raises(IntegrityError, match=f"{table} is added to, never changed"), transaction() as session:
                    session.execute(text(attack))
            if row == "ctid":
                with pytest.raises(IntegrityError, match="never changed"), transaction() as session:
                    session.execute(text(f"TRUNCATE {table} CASCADE"))
            with db.engine.connect() as connection:
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == count
    assert closed_day.verify() == []


@pytest.mark.engines("sqlite")
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
    with closed_day.app.app_context(), pytest.raises(IntegrityError, match="(?i)foreign key"), transaction() as session:
        session.execute(text("UPDATE sales SET store_id = 999"))


@pytest.mark.engines("sqlite")
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


def test_0017_hashes_the_rows_that_are_there(bare: Flask) -> None:
    flask_migrate.upgrade(revision="0016")
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
    flask_migrate.upgrade(revision="0017")
    with db.engine.connect() as connection:
        found = dict(connection.execute(text("SELECT chain, rows_hash FROM journal_heads")).all())
    assert found == {"till:LON1": so_far, "office:LON": GENESIS}
