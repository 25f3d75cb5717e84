"""The database: one road in, one commit. SQLite for a shop's PC, PostgreSQL for a chain."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event, func, select, text
from sqlalchemy.orm import Session

from pos.store import journal
from pos.store.base import Base

db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    # After a commit a row keeps what it showed: touching it must not open another transaction.
    session_options={"expire_on_commit": False},
)

# SQLite's own queue is unfair: a waiting till can starve for seconds. In front of BEGIN IMMEDIATE stands this one.
_sqlite_writers = threading.Lock()
_writing: ContextVar[bool] = ContextVar("pos_writing", default=False)

# From this version on SQLite's write-ahead log is free of the reset fault that can corrupt a database.
SAFE_WAL = (3, 51, 3)


@contextmanager
def transaction() -> Iterator[Session]:
    """A short write: everything inside becomes true at once, or nothing does. Needs an application context.

    Never open one around a socket, a file or a printer; transactions do not nest."""
    if _writing.get():
        raise RuntimeError("a transaction is already open here: pass its session on instead")
    session = db.session()
    queue = _sqlite_writers if db.engine.dialect.name == "sqlite" else nullcontext()
    with queue:
        token = _writing.set(True)
        try:
            yield session
            journal.seal_waiting(session)
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            _writing.reset(token)
            db.session.remove()


@contextmanager
def reading() -> Iterator[Session]:
    """A look at the books as they are at one moment; nothing written inside survives."""
    if _writing.get():
        raise RuntimeError("a transaction is open here: read with its session")
    session = db.session()
    try:
        session.connection(execution_options={"pos_reads": True})
        yield session
    finally:
        session.rollback()
        db.session.remove()


def queue_up(session: Session, word: str) -> None:
    """Wait until no other transaction that said the same word is open. For what no row stands for yet: two tills that are
    about to write the same thing would not see each other. SQLite's writers take turns anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(word, 0))))


def in_transaction() -> bool:
    """Whether this thread is inside a write transaction; tests make sockets raise when it is."""
    return _writing.get()


def prepare(engine: Engine) -> None:
    """Teach a SQLite engine durability, foreign keys and immediate writes. PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 would begin by itself, deferred, and too late
    cursor = connection.cursor()
    mode, synchronous = durability()
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.execute(f"PRAGMA journal_mode = {mode}")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    # Without it INSERT OR REPLACE deletes a row of the journal behind its trigger's back.
    cursor.execute("PRAGMA recursive_triggers = ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("pos_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def durability() -> tuple[str, str]:
    """(journal mode, synchronous) for the SQLite at hand: write-ahead only where it is known to be safe."""
    return ("WAL", "FULL") if sqlite3.sqlite_version_info >= SAFE_WAL else ("DELETE", "EXTRA")


def read_back_durability() -> dict[str, str]:
    """What the running database says of its own durability, for the start line, `pos doctor` and the benchmark."""
    with reading() as session:
        if db.engine.dialect.name != "sqlite":
            return {name: str(session.scalar(text(f"SHOW {name}"))) for name in ("fsync", "synchronous_commit", "server_version")}
        return {
            "sqlite": sqlite3.sqlite_version,
            "journal_mode": str(session.scalar(text("PRAGMA journal_mode"))),
            "synchronous": str(session.scalar(text("PRAGMA synchronous"))),
        }
