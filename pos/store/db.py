"""The database: one road in, one commit. SQLite for a shop's PC, PostgreSQL for a chain.

Everybody locks in one order (decision 0010), so that no two can wait for each other: till, person, sale, its renewals by id,
print job, receipt, shift, the word of `queue_up`, printer and plan, number series, head of the journal's chain. The head comes
last by itself: the journal's rows wait for the end of the transaction."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Select, event, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

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

Asked = ParamSpec("Asked")
Told = TypeVar("Told")
Row = TypeVar("Row")

# What PostgreSQL says to one of two transactions that got in each other's way: a deadlock, a snapshot that is too old, and
# the row that both were about to write first (the same sale, the first number of a series, a till's open shift).
_LOST_A_RACE = frozenset({"40P01", "40001", "23505"})
_RUNS = 5

# A disk that is full, broken, or may only be read, in the words of both databases.
_NOTHING_IS_WRITTEN = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN")
_NOTHING_IS_WRITTEN_THERE = frozenset({"53100", "58030", "25006"})

# What has to be written last: the journal seals the rows of a transaction together.
_before_commit: list[Callable[[Session], None]] = []

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
            for act in _before_commit:
                act(session)
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
    options: dict[str, Any] = {"pos_reads": True}
    if db.engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        session.connection(execution_options=options)
        yield session
    finally:
        session.rollback()
        db.session.remove()


def retried(step: Callable[Asked, Told]) -> Callable[Asked, Told]:
    """Run a step once more when it lost a race: it then finds what the winner wrote and gives the answer that fits.

    Only for a step that is nothing but its transaction: a carrier, a printer or a second commit in it would happen twice.
    SQLite's writers take turns, so nothing is ever lost there."""

    @wraps(step)
    def run(*args: Asked.args, **named: Asked.kwargs) -> Told:
        for runs in range(1, _RUNS):
            try:
                return step(*args, **named)
            except DBAPIError as fault:
                if _writing.get() or getattr(fault.orig, "sqlstate", None) not in _LOST_A_RACE:
                    raise
            # Not in step with the other one, or they meet again.
            time.sleep(random.uniform(0.002, 0.01) * runs)  # noqa: S311 - no secret
        return step(*args, **named)

    return run


def cannot_record(fault: BaseException) -> bool:
    """Whether a fault means that nothing can be written down at the moment, whatever is tried."""
    if not isinstance(fault, DBAPIError):
        return False
    name = str(getattr(fault.orig, "sqlite_errorname", ""))
    return name.startswith(_NOTHING_IS_WRITTEN) or getattr(fault.orig, "sqlstate", None) in _NOTHING_IS_WRITTEN_THERE


def is_full(fault: BaseException) -> bool:
    """Whether that is because there is no room left."""
    return cannot_record(fault) and str(getattr(getattr(fault, "orig", None), "sqlite_errorname", "")).startswith("SQLITE_FULL")


def locked(chosen: Select[Row], *, skip: bool = False) -> Select[Row]:
    """The same rows, held until the transaction ends, as they are at this moment and not as they were read before. ``skip``
    leaves out what others hold. Rows that merely point at a held one can still be written."""
    return chosen.with_for_update(key_share=True, skip_locked=skip).execution_options(populate_existing=True)


def before_commit(act: Callable[[Session], None]) -> Callable[[Session], None]:
    """Have something written at the end of every transaction."""
    _before_commit.append(act)
    return act


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
            names = ("server_version", "fsync", "full_page_writes", "synchronous_commit")
            return {name: str(session.scalar(text(f"SHOW {name}"))) for name in names}
        return {
            "sqlite": sqlite3.sqlite_version,
            "journal_mode": str(session.scalar(text("PRAGMA journal_mode"))),
            "synchronous": str(session.scalar(text("PRAGMA synchronous"))),
        }


# SQLite answers with a number: 2 is FULL, 3 is EXTRA.
_SYNCHRONOUS = {"FULL": "2", "EXTRA": "3"}


def what_a_power_cut_may_take(durable: dict[str, str]) -> list[str]:
    """A sentence for each setting under which a sale that was confirmed may be gone after a power cut."""
    if "sqlite" not in durable:
        off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if durable[name] == "off"]
        return [f"{name} is off: switch it on in the PostgreSQL server's configuration" for name in off]
    mode, synchronous = durability()
    wanted = {"journal_mode": mode.lower(), "synchronous": _SYNCHRONOUS[synchronous]}
    return [f"{name} is {durable[name]} where {right} was asked for" for name, right in wanted.items() if durable[name] != right]
