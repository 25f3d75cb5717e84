"""Write the journal and what hangs on it into a plain file that anybody can check: no key, nothing personal (docs/journal.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pos import __version__
from pos.domain.journal import GENESIS, canonical, running_hash
from pos.services.kit import Kit
from pos.store import journal as journal_rows
from pos.store import receipts as receipt_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store import witness
from pos.store.base import Base
from pos.store.db import reading

FORMAT = "simcounter export 1"
# The rows that go along whole: nothing in them is about a customer, and the journal holds their digests.
TABLES = ("ledger_transfers", "receipts", "z_reports")


def lines(first: date | None, last: date | None, *, kit: Kit) -> Iterator[str]:
    """One JSON object a line. With ``first`` each till begins after the Z before that day, so that its start is signed."""
    count = 0
    with reading() as session:
        for line in _lines(session, first, last, kit):
            count += 1
            yield canonical(line)
    yield canonical({"line": "end", "lines": count})


def _lines(session: Session, first: date | None, last: date | None, kit: Kit) -> Iterator[dict[str, object]]:
    span: dict[str, object] = {"from": first.isoformat() if first else "", "to": last.isoformat() if last else ""}
    yield {"line": "export", "format": FORMAT, "software": __version__, "made_at": _moment(kit.now())} | span
    yield from _public_keys(session, kit)
    sealed: set[str] = set()
    for chain in sorted(journal_rows.ends(session)):
        yield from _chain(session, chain, first, last, sealed)
    yield from _rows(session, sealed)
    yield from _slips(session, sealed)


def _public_keys(session: Session, kit: Kit) -> Iterator[dict[str, object]]:
    for key_id in sorted(session.scalars(select(shift_rows.ZReport.key_id).distinct())):
        yield {"line": "public_key", "key_id": key_id, "ed25519": kit.keys.public_key(key_id).hex()}


def _chain(session: Session, chain: str, first: date | None, last: date | None, sealed: set[str]) -> Iterator[dict[str, object]]:
    """The head line says where the chain begins here; then its rows."""
    begin, end = _span(session, chain, first, last)
    so_far, told = GENESIS, False
    row_of = journal_rows.JournalRow
    chosen = select(row_of).where(row_of.chain == chain, row_of.seq <= end).order_by(row_of.seq)
    for row in session.scalars(chosen.execution_options(yield_per=2000)):
        if row.seq < begin:
            so_far = running_hash(so_far, row.entry())
            continue
        if not told:
            told = True
            yield {"line": "chain", "chain": chain, "first_seq": row.seq, "prev_mac": row.prev_mac, "rows_sha256": so_far}
        if row.kind == witness.KIND:
            sealed.update(name for name, *_ in json.loads(row.content)["rows"])
        entry = vars(row.entry())
        yield (
            {"line": "journal"}
            | entry
            | {
                "at": _moment(row.at),
                "business_day": row.business_day.isoformat(),
                "mac": row.mac,
            }
        )


def _span(session: Session, chain: str, first: date | None, last: date | None) -> tuple[int, int]:
    """First and last row number to export of a chain."""
    row, report = journal_rows.JournalRow, shift_rows.ZReport
    begin, end = 1, session.scalar(select(func.max(row.seq)).where(row.chain == chain)) or 0
    if last is not None:
        end = session.scalar(select(func.max(row.seq)).where(row.chain == chain, row.business_day <= last)) or 0
    if first is not None and chain.startswith("till:"):
        of_till = select(func.max(report.last_seq)).join(till_rows.Till, till_rows.Till.id == report.till_id)
        code = chain.partition(":")[2]
        begin = (session.scalar(of_till.where(till_rows.Till.code == code, report.business_day < first)) or 0) + 1
    return begin, end


def _rows(session: Session, sealed: set[str]) -> Iterator[dict[str, object]]:
    for name in TABLES:
        table = Base.metadata.tables[name]
        columns = [column.name for column in witness.sealed_columns(table)]
        chosen = select(table).order_by(*table.primary_key).execution_options(yield_per=2000)
        for row in session.execute(chosen).mappings():
            if witness.name_of(table, dict(row)) in sealed:
                values = {column: witness.plain(row[column]) for column in columns}
                yield {"line": "row", "table": name, "values": values}


def _slips(session: Session, sealed: set[str]) -> Iterator[dict[str, object]]:
    """Not what a slip says, which names a customer's number in part: its digest, which the journal sealed."""
    slip, receipt = receipt_rows.ReceiptDocument, receipt_rows.Receipt
    chosen = select(slip.id, receipt.number, slip.state, slip.hash).join(receipt, receipt.id == slip.receipt_id)
    for row in session.execute(chosen.order_by(slip.id).execution_options(yield_per=2000)):
        if f"receipt_documents:{row.id}" in sealed:
            yield {"line": "slip", "number": row.number, "slip": row.state, "sha256": row.hash}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
