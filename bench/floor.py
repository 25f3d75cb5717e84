"""The floor: what the same engine gives to the least program that could do it. Bare commits, and a bare Flask endpoint that
writes a sale's seven rows in two commits behind a server-side session. python -m bench.floor URL serves the endpoint."""

from __future__ import annotations

import secrets
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext

from flask import Flask, request
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, event, insert, select, update

from pos.store.db import durability

_meta = MetaData()
_KINDS = ("sale", "renewal", "payment", "debit", "credit", "journal")
SESSIONS = Table("floor_sessions", _meta, Column("id", String(64), primary_key=True), Column("person", String(20)))
ROWS = {
    kind: Table(
        f"floor_{kind}",
        _meta,
        Column("id", Integer, primary_key=True),
        Column("sale", String(36), index=True),
        Column("state", String(20)),
        Column("text", String(300)),
    )
    for kind in (*_KINDS, "attempt")
}


def engine_of(url: str):  # type: ignore[no-untyped-def]
    engine = create_engine(url, pool_size=20)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    mode, synchronous = durability()
    for line in (f"journal_mode = {mode}", f"synchronous = {synchronous}", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {line}")


def bare_commit(url: str) -> Callable[[int], None]:
    """One row, one durable commit, through the engine's own driver."""
    engine = engine_of(url)
    _meta.create_all(engine)
    raw = engine.raw_connection()
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    cursor = raw.cursor()

    def commit(_turn: int) -> None:
        cursor.execute("BEGIN IMMEDIATE") if mark == "?" else None
        cursor.execute(f"INSERT INTO floor_sale (sale, state, text) VALUES ({mark}, {mark}, {mark})", ("x", "y", "z" * 200))
        cursor.execute("COMMIT") if mark == "?" else raw.commit()

    return commit


def app_on(url: str) -> Flask:
    """POST /floor with a session in the header: a session row read, six rows and a commit, one more row, an update, a commit."""
    engine = engine_of(url)
    _meta.create_all(engine)
    app, queue = Flask("floor"), threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
    session_id = secrets.token_hex(32)
    with engine.begin() as connection:
        connection.execute(insert(SESSIONS), {"id": session_id, "person": "101"})

    @app.post("/floor")
    def sell() -> tuple[str, int]:
        sale = request.get_json()["sale"]
        with queue, engine.begin() as connection:
            if connection.scalar(select(SESSIONS.c.person).where(SESSIONS.c.id == session_id)) is None:
                return "", 401
            for kind in _KINDS:
                connection.execute(insert(ROWS[kind]), {"sale": sale, "state": "paid", "text": "z" * 200})
        with queue, engine.begin() as connection:
            connection.execute(insert(ROWS["attempt"]), {"sale": sale, "state": "sent", "text": "z" * 200})
            connection.execute(update(ROWS["renewal"]).where(ROWS["renewal"].c.sale == sale).values(state="confirmed"))
        return "", 204

    return app


def main() -> None:
    from waitress.server import create_server

    server = create_server(app_on(sys.argv[1]), host="127.0.0.1", port=0, threads=8)
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
