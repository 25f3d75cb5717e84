"""Check every seal of the journal, from the first row to the last, and what each Z says of the rows it covers."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.journal import GENESIS, commitment, running_hash, seal
from pos.services.kit import Kit
from pos.services.numbers import masked_number
from pos.services.witness import UNREADABLE
from pos.store import journal as rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store.db import reading
from pos.store.keys import KeyRingUnusable


@dataclass
class _Walk:
    """Where the reader of a chain stands. ``ends`` is (last seq, last seal, hash over all rows)."""

    chain: str
    ends: tuple[int, str, str] = (0, GENESIS, GENESIS)
    broken: bool = False
    quoted: dict[int, tuple[str, str]] = field(default_factory=dict)


def verify(*, kit: Kit) -> Iterator[str]:
    """A sentence for the first bad row of each chain; nothing when all seals hold. Constant memory."""
    with reading() as session:
        yield from _chains(session, kit)
        yield from _signatures(session, kit)
        yield from _numbers(session, kit)


# What is looked at when the server starts and before each Z: the newest rows of a chain, a few milliseconds.
_TAIL = 500


class BooksWatch:
    """The last fault that this process found in the newest rows; every till shows that there is one."""

    fault: str | None = None


watch = BooksWatch()


def look_at_ends(*, kit: Kit) -> str | None:
    """The first fault in the newest rows of any chain. Selling and closing go on; `pos verify` says more."""
    with reading() as session:
        found = (tail_fault(session, chain, kit) for chain in sorted(rows.heads(session)))
        watch.fault = next((fault for fault in found if fault), None)
    return watch.fault


def tail_fault(session: Session, chain: str, kit: Kit) -> str | None:
    """The first fault in the newest rows of a chain."""
    row, before = rows.JournalRow, None
    chosen = select(row).where(row.chain == chain).order_by(row.seq.desc()).limit(_TAIL)
    try:
        for found in reversed(list(session.scalars(chosen))):
            start = (found.seq - 1, found.prev_mac) if found.seq > 1 else (0, GENESIS)
            fault = _fault(found, *(start if before is None else (before.seq, before.mac)), kit)
            if fault:
                return f"journal {chain} row {found.seq}: {fault}"
            before = found
    except UNREADABLE:
        return f"journal {chain}: a row cannot be read"
    if before is None or rows.head_of(session, chain) != (before.seq, before.mac):
        return f"journal {chain}: the chain ends otherwise than its head says"
    return None


def _chains(session: Session, kit: Kit) -> Iterator[str]:
    said: set[str] = set()
    try:
        for found in _walk(session, kit, 2000):
            said.add(found)
            yield found
    except UNREADABLE:
        # Once more, row by row, so that the one that cannot be read has a name.
        yield from (found for found in _walk_to_the_unreadable(session, kit) if found not in said)


def _walk_to_the_unreadable(session: Session, kit: Kit) -> Iterator[str]:
    walk = _Walk("")
    try:
        for row in rows.rows(session, 1):
            walk.chain, walk.ends = row.chain, (row.seq, row.mac, "")
    except UNREADABLE:
        yield f"journal {walk.chain} row {walk.ends[0] + 1}: it cannot be read"


def _walk(session: Session, kit: Kit, at_once: int) -> Iterator[str]:
    heads, quoted, walk = rows.heads(session), _quoted(session), _Walk("")
    for row in rows.rows(session, at_once):
        if row.chain != walk.chain:
            yield from _end(walk, heads)
            walk = _Walk(row.chain, quoted=quoted.get(row.chain, {}))
        if walk.broken:
            continue
        fault = _fault(row, *walk.ends[:2], kit)
        if fault:
            walk.broken = True
            yield f"journal {row.chain} row {row.seq}: {fault}"
        walk.ends = (row.seq, row.mac, running_hash(walk.ends[2], row.entry()))
        number, rows_hash = walk.quoted.pop(row.seq, ("", walk.ends[2]))
        if rows_hash != walk.ends[2] and not walk.broken:
            yield f"{number}: the journal rows it was written over were others"
    yield from _end(walk, heads)
    for name in sorted(set(heads) - rows.chains(session)):
        yield f"journal {name}: all rows are gone"


def _end(walk: _Walk, heads: dict[str, tuple[int, str, str]]) -> Iterator[str]:
    if walk.chain and not walk.broken and heads.get(walk.chain) != walk.ends:
        yield f"journal {walk.chain}: the chain ends at row {walk.ends[0]}, but its head says otherwise"


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


def _quoted(session: Session) -> dict[str, dict[int, tuple[str, str]]]:
    """What the Zs say of each chain: row number -> (Z, hash over all rows up to it)."""
    found: dict[str, dict[int, tuple[str, str]]] = {}
    report = shift_rows.ZReport
    chosen = select(report.number, report.figures, till_rows.Till.code).join(till_rows.Till, till_rows.Till.id == report.till_id)
    for number, figures, till in session.execute(chosen):
        try:
            said = json.loads(figures)
            found.setdefault(f"till:{till}", {})[said["last_seq"]] = (number, said["rows_sha256"])
            office = said["office"]
            found.setdefault(office["chain"], {})[office["seq"]] = (number, office["rows_sha256"])
        except UNREADABLE:
            continue  # changed figures are named where they are compared with their digest
    return found


def _signatures(session: Session, kit: Kit) -> Iterator[str]:
    """Each Z is signed by a key of this ring."""
    report = shift_rows.ZReport
    chosen = select(report.number, report.figures, report.own_hash, report.key_id, report.signature)
    for number, figures, own_hash, key_id, signature in session.execute(chosen.order_by(report.till_id, report.sequence)):
        if hashlib.sha256(figures.encode()).hexdigest() != own_hash:
            continue  # the books say that it was changed
        try:
            public = Ed25519PublicKey.from_public_bytes(kit.keys.public_key(key_id))
            public.verify(bytes.fromhex(signature), own_hash.encode())
        except (InvalidSignature, ValueError):
            yield f"{number}: its signature is not right"
        except KeyRingUnusable as fault:
            yield f"{number}: {fault}"


def _numbers(session: Session, kit: Kit) -> Iterator[str]:
    """Each line's number is the one the journal committed to, as long as the number has not been erased."""
    line, check = renewal_rows.Renewal, sale_rows.NumberCheck
    chosen = select(line.id, line.number_sealed, line.number_look_up, line.number_commitment, line.masked, check.salt).outerjoin(
        check, check.sale_id == line.sale_id
    )
    for found in session.execute(chosen.order_by(line.id).execution_options(yield_per=1000)):
        if found.salt is None or not found.salt or not found.number_sealed:
            continue
        try:
            number = kit.keys.open(found.number_sealed, f"renewals.number_sealed:{found.id}")
            key_id, _, _ = found.number_look_up.partition(":")
            look_up = kit.keys.look_up_by(key_id, number)
        except (InvalidTag, KeyRingUnusable, ValueError):
            yield f"renewal {found.id}: its number cannot be opened"
            continue
        right = (commitment(found.salt, number), look_up, masked_number(number))
        if right != (found.number_commitment, found.number_look_up, found.masked):
            yield f"renewal {found.id}: its number is not the one the journal committed to"
