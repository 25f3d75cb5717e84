"""Where a database is, a copy of it as it is at one moment, and a new one that takes its place at once or not at all."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text

from pos.store import dump

_SCHEMA = "restoring"


class PlaceTaken(Exception):
    """Something is in the way; the sentence says what, and that nothing was changed."""


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """All rows as they are at one moment, while the tills go on selling.

    SQLite: a copy by its own backup, beside the database, where the same people can read it; commits wait while it is made. A
    server: one read-only transaction that sees nothing of what comes after it."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        with private_folder(_file(place).parent) as folder:
            _copy(_file(place), folder / "snapshot.sqlite3")
            with connected(place.set(database=str(folder / "snapshot.sqlite3"), query={})) as connection:
                yield connection
        return
    with connected(place, isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        yield connection


def _copy(file: Path, to: Path) -> None:
    source, copy = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30), sqlite3.connect(to)
    with closing(source), closing(copy):
        source.backup(copy)


@contextmanager
def connected(url: URL | str, **options: object) -> Iterator[Connection]:
    """A connection beside the application's; the whole block is one transaction."""
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, execution_options=options)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def private_folder(beside: Path | None = None) -> Iterator[Path]:
    """A folder that only this user can look into, and that goes with the block."""
    with tempfile.TemporaryDirectory(prefix=".simcounter-", dir=beside, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def refuse_if_taken(url: str) -> None:
    """Raises PlaceTaken where a database already has a row."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not _file(place).exists():
        return
    with connected(place) as connection:
        if not dump.is_empty(connection):
            raise PlaceTaken(
                "The database of this configuration has rows. Nothing was changed; with --replace it is moved aside and kept."
            )


@contextmanager
def new_one(url: str) -> Iterator[str]:
    """The address of an empty database beside the one at ``url``; it is gone after the block unless it was put in its place."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        with private_folder(_file(place).parent) as folder:
            yield place.set(database=str(folder / "restored.sqlite3")).render_as_string(hide_password=False)
        return
    with connected(place) as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {_SCHEMA}"))
    given = place.query.get("options", "")
    options = f"{given if isinstance(given, str) else ' '.join(given)} -csearch_path={_SCHEMA}".strip()
    try:
        yield place.update_query_dict({"options": options}).render_as_string(hide_password=False)
    finally:
        with connected(place) as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE"))


def put_in_place(new: str, url: str, now: datetime) -> str:
    """Let the new database be the one at ``url``. The old one is kept under a name that is given back; empty: there was
    none. Power cut: either one or the other is there, and the old one is never lost. Raises PlaceTaken while somebody uses it."""
    stamp = now.strftime("%Y%m%d%H%M%S")
    if make_url(url).get_backend_name() == "sqlite":
        return _put_file(_file(make_url(new)), _file(make_url(url)), stamp)
    old = f"before_restore_{stamp}"
    with connected(url) as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        if connection.scalar(text(others + " AND backend_type = 'client backend'")):
            raise PlaceTaken("Somebody uses the database. Nothing was changed; stop server and worker first.")
        connection.execute(text(f"ALTER SCHEMA public RENAME TO {old}"))
        connection.execute(text(f"ALTER SCHEMA {_SCHEMA} RENAME TO public"))
    return old


def _put_file(new: Path, file: Path, stamp: str) -> str:
    old = file.with_name(f"{file.name}.before-restore-{stamp}")
    if file.exists():
        _close_down(file)
        file.replace(old)
    new.replace(file)
    return old.name if old.exists() else ""


def _close_down(file: Path) -> None:
    """Bring what lies beside a SQLite file into it: a left-over log beside another database would be written into that one."""
    try:
        with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        raise PlaceTaken("Somebody uses the database. Nothing was changed; stop server and worker first.") from None
    except sqlite3.DatabaseError:
        # It cannot be read any more, which may be why there is a restore: it is moved aside as it is, with what belongs to it.
        pass
    for end in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            file.with_name(file.name + end).replace(file.with_name(f"{file.name}{end}.old"))


def _file(place: URL) -> Path:
    if not place.database or place.database == ":memory:":
        raise PlaceTaken("This database is in memory only.")
    return Path(place.database).resolve()
