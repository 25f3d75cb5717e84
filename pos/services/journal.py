"""Check every seal of the journal, from the first row to the last."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from pos.domain.journal import GENESIS, Entry, seal
from pos.services.kit import Kit
from pos.store import journal as rows
from pos.store.db import reading
from pos.store.keys import KeyRingUnusable

# On SQLite a look holds up the commits of the tills while it lasts: many short ones instead of one long one.
_PAGE = 2000


def verify(*, kit: Kit) -> Iterator[str]:
    """A sentence for the first bad row of each chain; nothing when all seals hold. Constant memory.

    Heads and ends are read at one moment. Rows up to there are final, so they may be read page by page while the tills go
    on; what is added meanwhile is for the next time."""
    with reading() as session:
        heads, ends = rows.heads(session), rows.ends(session)
    for chain in sorted(heads.keys() | ends.keys()):
        if chain not in ends:
            yield f"journal {chain}: all rows are gone"
        else:
            yield from _verify_chain(chain, ends[chain], heads.get(chain), kit)


def _verify_chain(chain: str, end: int, head: tuple[int, str] | None, kit: Kit) -> Iterator[str]:
    seq, mac = 0, GENESIS
    while seq < end:
        with reading() as session:
            page = rows.page(session, chain, seq, end, _PAGE)
        if not page:
            break
        for entry, its_mac in page:
            fault = _fault(entry, its_mac, seq, mac, kit)
            if fault:
                yield f"journal {chain} row {entry.seq}: {fault}"
                return
            seq, mac = entry.seq, its_mac
    if head != (seq, mac):
        yield f"journal {chain}: the chain ends at row {seq}, but its head says otherwise"


def _fault(row: Entry, its_mac: str, seq: int, mac: str, kit: Kit) -> str | None:
    if row.seq != seq + 1:
        return f"row {seq + 1} is missing"
    if row.prev_mac != mac:
        return "it does not follow the row before"
    try:
        right = seal(row, kit.keys.by_id(row.key_id))
    except KeyRingUnusable as fault:
        return str(fault)
    return None if hmac.compare_digest(right, its_mac) else "it was changed after it was sealed"
