"""Check every seal of the journal, from the first row to the last."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from pos.domain.journal import GENESIS, seal
from pos.services.kit import Kit
from pos.store import journal as rows
from pos.store.db import reading
from pos.store.keys import KeyRingUnusable


def verify(*, kit: Kit) -> Iterator[str]:
    """A sentence for the first bad row of each chain; nothing when all seals hold. Constant memory."""
    with reading() as session:
        heads, chain, seq, mac, broken = rows.heads(session), "", 0, GENESIS, False
        for row in rows.rows(session):
            if row.chain != chain:
                if chain and not broken and heads.get(chain) != (seq, mac):
                    yield f"journal {chain}: the chain ends at row {seq}, but its head says otherwise"
                chain, seq, mac, broken = row.chain, 0, GENESIS, False
            if broken:
                continue
            fault = _fault(row, seq, mac, kit)
            if fault:
                broken = True
                yield f"journal {row.chain} row {row.seq}: {fault}"
            seq, mac = row.seq, row.mac
        if chain and not broken and heads.get(chain) != (seq, mac):
            yield f"journal {chain}: the chain ends at row {seq}, but its head says otherwise"
        for name in set(heads) - rows.chains(session):
            yield f"journal {name}: all rows are gone"


def _fault(row: rows.JournalRow, seq: int, mac: str, kit: Kit) -> str | None:
    if row.seq != seq + 1:
        return f"row {seq + 1} is missing"
    if row.prev_mac != mac:
        return "it does not follow the row before"
    try:
        right = seal(row.entry(), kit.keys.by_id(row.key_id))
    except KeyRingUnusable as fault:
        return str(fault)
    return None if hmac.compare_digest(right, row.mac) else "it was changed after it was sealed"
