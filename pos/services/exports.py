"""Write the journal and what hangs on it into a plain file that anybody can check: no key, nothing personal (docs/journal.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pos import __version__
from pos.domain.journal import GENESIS, Entry, canonical, running_hash
from pos.services.kit import Kit
from pos.services.pages import PAGE
from pos.store import closings as closing_rows
from pos.store import journal as journal_rows
from pos.store import receipts as receipt_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store import witness
from pos.store.base import Base
from pos.store.db import reading

FORMAT = "simcounter export 1"
# The rows that go along whole: nothing in them is about a customer, and the journal holds their digests.
TABLES = ("ledger_transfers", "receipts", "z_reports", "closings")


def lines(first: date | None, last: date | None, *, kit: Kit) -> Iterator[str]:
    """One JSON object a line. With ``first`` each till begins after the Z before that day, so that its start is signed.

    Where each chain ends is read at one moment. Nothing up to there changes any more, so it is read a page at a time while the
    tills go on, and nothing is open while a line is written."""
    count = 0
    for line in _lines(first, last, kit):
        count += 1
        yield canonical(line)
    yield canonical({"line": "end", "lines": count})


def _lines(first: date | None, last: date | None, kit: Kit) -> Iterator[dict[str, object]]:
    days: dict[str, object] = {"from": first.isoformat() if first else "", "to": last.isoformat() if last else ""}
    yield {"line": "export", "format": FORMAT, "software": __version__, "made_at": _moment(kit.now())} | days
    with reading() as session:
        spans = {chain: _span(session, chain, first, last) for chain in journal_rows.ends(session)}
        keys = list(_public_keys(session, kit))
    yield from keys
    sealed: set[str] = set()
    for chain, span in sorted(spans.items()):
        yield from _chain(chain, *span, sealed)
    yield from _rows(sealed)
    yield from _slips(sealed)


def _public_keys(session: Session, kit: Kit) -> Iterator[dict[str, object]]:
    signed = (shift_rows.ZReport.key_id, closing_rows.Closing.key_id)
    key_ids = {key_id for column in signed for key_id in session.scalars(select(column).distinct())}
    for key_id in sorted(key_ids):
        yield {"line": "public_key", "key_id": key_id, "ed25519": kit.keys.public_key(key_id).hex()}


def _chain(chain: str, begin: int, end: int, sealed: set[str]) -> Iterator[dict[str, object]]:
    """The head line says where the chain begins here; then its rows."""
    so_far, told = GENESIS, False
    for row, mac in _entries(chain, end):
        if row.seq < begin:
            so_far = running_hash(so_far, row)
            continue
        if not told:
            told = True
            yield {"line": "chain", "chain": chain, "first_seq": row.seq, "prev_mac": row.prev_mac, "rows_sha256": so_far}
        if row.kind == witness.KIND:
            sealed.update(name for name, *_ in json.loads(row.content)["rows"])
        texts = {"at": _moment(row.at), "business_day": row.business_day.isoformat(), "mac": mac}
        yield {"line": "journal"} | vars(row) | texts


def _entries(chain: str, end: int) -> Iterator[tuple[Entry, str]]:
    seq = 0
    while seq < end:
        with reading() as session:
            page = journal_rows.page(session, chain, seq, end, PAGE)
        yield from page
        if not page:
            return
        seq = page[-1][0].seq


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


def _rows(sealed: set[str]) -> Iterator[dict[str, object]]:
    for name in TABLES:
        table = Base.metadata.tables[name]
        columns = [column.name for column in witness.sealed_columns(table)]
        for row in _paged(select(table), table.c.id):
            if witness.name_of(table, row) in sealed:
                yield {"line": "row", "table": name, "values": witness.told(name, {column: row[column] for column in columns})}


def _slips(sealed: set[str]) -> Iterator[dict[str, object]]:
    """Not what a slip says, which names a customer's number in part: its digest, which the journal sealed."""
    slip, receipt = receipt_rows.ReceiptDocument, receipt_rows.Receipt
    chosen = select(slip.id, receipt.number, slip.state, slip.hash).join(receipt, receipt.id == slip.receipt_id)
    for row in _paged(chosen, slip.id):
        if f"receipt_documents:{row['id']}" in sealed:
            yield {"line": "slip", "number": row["number"], "slip": row["state"], "sha256": row["hash"]}


def _paged(chosen: Select[*tuple[Any, ...]], key: Any) -> Iterator[dict[str, Any]]:
    """Rows that are never changed, by their number."""
    last = None
    while True:
        with reading() as session:
            behind = chosen if last is None else chosen.where(key > last)
            page = [dict(row) for row in session.execute(behind.order_by(key).limit(PAGE)).mappings()]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]["id"]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
