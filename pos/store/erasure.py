"""What is personal in the rows, found and taken out; the books beside it stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pos.domain.renewals import UNFINISHED
from pos.domain.sales import SaleState
from pos.store.db import db
from pos.store.renewals import Renewal
from pos.store.sales import IdentityCheck, NumberCheck, Sale

_OPEN_TENDERS = (SaleState.TENDERING, SaleState.TENDER_UNKNOWN)


def old_evidence(session: Session, store_id: int, before: datetime, limit: int) -> list[IdentityCheck]:
    """Evidence of checks in a store that is older than its time, oldest first."""
    chosen = select(IdentityCheck).join(Sale, Sale.id == IdentityCheck.sale_id)
    chosen = chosen.where(Sale.store_id == store_id, IdentityCheck.checked_at < before)
    return list(session.scalars(chosen.order_by(IdentityCheck.checked_at, IdentityCheck.id).limit(limit)))


def old_sales(session: Session, store_id: int, before: datetime, limit: int) -> list[Sale]:
    """Sales of a store from before a moment that still name a number and have nothing open."""
    named = select(NumberCheck.id).where(NumberCheck.sale_id == Sale.id, NumberCheck.look_up != "")
    line = select(Renewal.id).where(Renewal.sale_id == Sale.id)
    chosen = select(Sale).where(Sale.store_id == store_id, Sale.opened_at < before, Sale.state.not_in(_OPEN_TENDERS))
    chosen = chosen.where(or_(named.exists(), line.where(Renewal.number_look_up != "").exists()))
    chosen = chosen.where(~line.where(Renewal.state.in_(UNFINISHED)).exists())
    return list(session.scalars(chosen.order_by(Sale.opened_at, Sale.id).limit(limit)))


def sales_naming(session: Session, look_ups: list[str]) -> list[str]:
    """The sales in which a number stands, under whatever key it was looked up."""
    checks = select(NumberCheck.sale_id).where(NumberCheck.look_up.in_(look_ups))
    lines = select(Renewal.sale_id).where(Renewal.number_look_up.in_(look_ups))
    return sorted(session.scalars(checks.union(lines)))


def is_open(session: Session, sale_id: str) -> bool:
    """Whether money or a carrier's answer is still on its way."""
    sale = session.get_one(Sale, sale_id)
    unfinished = select(Renewal.id).where(Renewal.sale_id == sale_id, Renewal.state.in_(UNFINISHED)).limit(1)
    return sale.state in _OPEN_TENDERS or session.scalar(unfinished) is not None


def forget_numbers(session: Session, sale_id: str, look_ups: list[str] | None = None) -> list[bytes]:
    """Empty what names a number in a sale: of all its numbers, or only of those. The bytes that were taken out."""
    gone: list[bytes] = []
    for check in session.scalars(select(NumberCheck).where(NumberCheck.sale_id == sale_id)):
        if check.look_up and (look_ups is None or check.look_up in look_ups):
            gone += [check.sealed, check.salt, check.look_up.encode()]
            check.sealed, check.salt, check.look_up, check.masked = b"", b"", "", ""
            check.plan_name, check.expires_at, check.grace_ends_at, check.balances = None, None, None, []
    for line in session.scalars(select(Renewal).where(Renewal.sale_id == sale_id)):
        if line.number_look_up and (look_ups is None or line.number_look_up in look_ups):
            gone.append(line.number_sealed)
            line.number_sealed, line.number_look_up, line.masked = b"", "", ""
    session.get_one(Sale, sale_id).request_digest = None
    return gone


def forget_evidence(session: Session, check: IdentityCheck) -> list[bytes]:
    """Delete the evidence of one check. The bytes that were taken out; none where only its being seen was kept."""
    session.delete(check)
    return [check.number_hmac.encode()] if check.number_hmac else []


# ------------------------------------------------------------------ the files underneath


def settle() -> None:
    """Bring what was taken out to the disk: SQLite's log is emptied into the database, where deleted bytes are written over;
    PostgreSQL clears the rows that nobody can see any more."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        if db.engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.driver_connection.autocommit = True  # type: ignore[union-attr]
            for table in ("identity_checks", "number_checks", "renewals"):
                cursor.execute(f"VACUUM {table}")
            connection.driver_connection.autocommit = False  # type: ignore[union-attr]
    finally:
        connection.close()


def files() -> list[Path]:
    """The database's own files, where this process can read them: SQLite's."""
    name = db.engine.url.database
    if db.engine.dialect.name != "sqlite" or not name:
        return []
    return [path for end in ("", "-wal", "-journal") if (path := Path(name + end)).exists()]


def still_there(needles: list[bytes]) -> Iterator[bytes]:
    """Those of ``needles`` that stand in the raw bytes of the database's files."""
    with ExitStack() as opened:
        contents = []
        for path in files():
            file = opened.enter_context(path.open("rb"))
            if path.stat().st_size:  # what is empty cannot be mapped
                contents.append(opened.enter_context(mmap(file.fileno(), 0, access=ACCESS_READ)))
        for needle in needles:
            if any(content.find(needle) >= 0 for content in contents):
                yield needle
