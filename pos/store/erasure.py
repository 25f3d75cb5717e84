"""What is personal in the rows, found and taken out; the books beside it stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pos.domain.renewals import UNFINISHED
from pos.domain.sales import SaleState
from pos.store.db import db
from pos.store.deliveries import Delivery
from pos.store.renewals import Renewal
from pos.store.sales import IdentityCheck, NumberCheck, Sale

_log = structlog.get_logger()

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
    esims = select(Renewal.sale_id).join(Delivery).where(Delivery.iccid_look_up.in_(look_ups))
    return sorted(session.scalars(checks.union(lines, esims)))


def is_open(session: Session, sale_id: str) -> bool:
    """Whether money or a carrier's answer is still on its way."""
    sale = session.get_one(Sale, sale_id)
    unfinished = select(Renewal.id).where(Renewal.sale_id == sale_id, Renewal.state.in_(UNFINISHED)).limit(1)
    return sale.state in _OPEN_TENDERS or session.scalar(unfinished) is not None


def forget_numbers(session: Session, sale_id: str, look_ups: list[str] | None = None) -> list[bytes]:
    """Empty what names a number in a sale, and the codes and eSIMs delivered for it: of all its numbers, or only of those. The
    bytes that were taken out."""
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
            gone += _forget_delivery(session, line, None)
        gone += _forget_delivery(session, line, look_ups)
    session.get_one(Sale, sale_id).request_digest = None
    return gone


def _forget_delivery(session: Session, line: Renewal, look_ups: list[str] | None) -> list[bytes]:
    """That a code was handed over stays; what it was does not. One that has not come yet is left: it is still owed."""
    delivery = session.scalar(select(Delivery).where(Delivery.renewal_id == line.id))
    if delivery is None or not delivery.sealed or not (look_ups is None or delivery.iccid_look_up in look_ups):
        return []
    gone = [delivery.sealed, (delivery.iccid_look_up or "").encode()]
    delivery.sealed, delivery.masked, delivery.iccid_look_up = b"", "", None
    return [needle for needle in gone if needle]


def forget_evidence(session: Session, check: IdentityCheck) -> list[bytes]:
    """Delete the evidence of one check. The bytes that were taken out; none where only its being seen was kept."""
    session.delete(check)
    return [check.number_hmac.encode()] if check.number_hmac else []


# ------------------------------------------------------------------ the files underneath


def settle() -> bool:
    """Bring what was taken out to the disk: SQLite's log is emptied into the database, where deleted bytes are written over;
    PostgreSQL writes the tables anew. False where that could not be done now: the rows are gone, their bytes are not yet."""
    connection = db.engine.raw_connection()
    try:
        if db.engine.dialect.name == "sqlite":
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return True
        driver: Any = connection.driver_connection
        driver.autocommit = True
        try:
            return _write_anew(driver)
        finally:
            driver.execute("RESET lock_timeout")
            driver.autocommit = False
    finally:
        connection.close()


# PostgreSQL's plain VACUUM moves rows together inside a page and leaves the old bytes in the gap; only a table that is written
# anew is without them. It keeps samples of each column for its planner, so those are taken again and their table, too. Then the
# log begins a new file, and the checkpoint lets go of the old ones.
_PERSONAL = ("identity_checks", "number_checks", "renewals", "attempts", "deliveries", "sales")
_LET_GO = ("VACUUM FULL pg_catalog.pg_statistic", "SELECT pg_switch_wal()", "CHECKPOINT")
# Nobody else reaches a table while it is written anew; a till that is at it is not kept waiting longer than this.
_PATIENCE = "3s"


_IN_USE, _MAY_NOT = "55P03", "42501"  # SQLSTATE


def _write_anew(driver: Any) -> bool:
    driver.execute(f"SET lock_timeout = '{_PATIENCE}'")
    for table in _PERSONAL:
        if not _done(driver, f"VACUUM (FULL, ANALYZE) {table}", {_IN_USE}):
            return False
    for step in _LET_GO:
        # A database user of little power may not: the server does it by itself, later (docs/identity.md).
        _done(driver, step, {_IN_USE, _MAY_NOT})
    return True


def _done(driver: Any, step: str, refusals: set[str]) -> bool:
    """Whether the server did it; False for a refusal that is one of ``refusals``."""
    try:
        driver.execute(step)
        return True
    except db.engine.dialect.loaded_dbapi.Error as fault:
        if getattr(fault, "sqlstate", None) not in refusals:
            raise
        _log.warning("the database server did not do it now", step=step, why=type(fault).__name__)
        return False


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
