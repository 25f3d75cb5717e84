"""Check every seal of the journal, from the first row to the last, and what each Z says of the rows it covers."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.journal import EPOCH, GENESIS, Entry, commitment, running_hash, seal
from pos.services.kit import Kit
from pos.services.numbers import masked_number
from pos.services.pages import PAGE, UNREADABLE, Page, at_once, by_pages
from pos.store import closings as closing_rows
from pos.store import journal as rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store.db import reading
from pos.store.keys import KeyRingUnusable


def verify(*, kit: Kit) -> Iterator[str]:
    """A sentence for the first bad row of each chain; nothing when all seals hold. Constant memory."""
    yield from _chains(kit)
    for signed in (shift_rows.ZReport, closing_rows.Closing):
        yield from at_once(partial(_signatures, kit, signed))
    yield from by_pages(renewal_rows.Renewal.id, partial(_numbers, kit))


# ------------------------------------------------------------------ at start-up and before each Z

# The newest rows of a chain, a few milliseconds.
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
    # First the head: inside a transaction that seals what it wrote so far, and nobody adds to the chain while it is looked at.
    head = rows.head_of(session, chain)
    try:
        before: tuple[int, str] | None = None
        for entry, mac in rows.newest(session, chain, _TAIL):
            start = (entry.seq - 1, entry.prev_mac) if entry.seq > 1 else (0, GENESIS)
            fault = _fault(entry, mac, *(start if before is None else before), kit)
            if fault:
                return f"journal {chain} row {entry.seq}: {fault}"
            before = (entry.seq, mac)
    except UNREADABLE:
        return f"journal {chain}: a row cannot be read"
    if before is None or head != before:
        return f"journal {chain}: the chain ends otherwise than its head says"
    return None


# ------------------------------------------------------------------ whole chains


@dataclass
class _Walk:
    """Where the reader of a chain stands, and what Zs say of rows that are still to come: number -> (Z, hash over all rows)."""

    chain: str
    seq: int = 0
    mac: str = GENESIS
    rows_hash: str = GENESIS
    quoted: dict[int, tuple[str, str]] = field(default_factory=dict)
    epoch: int = 0


def _chains(kit: Kit) -> Iterator[str]:
    """Heads and ends are read at one moment. Rows up to there are final, so they may be read page by page while the tills go
    on; what is added meanwhile is for the next time."""
    with reading() as session:
        heads, ends, quoted = rows.heads(session), rows.ends(session), _quoted(session)
    for chain in sorted(heads.keys() | ends.keys()):
        if chain not in ends:
            yield f"journal {chain}: all rows are gone"
            continue
        walk = _Walk(chain, quoted=quoted.get(chain, {}))
        yield from _verify_chain(walk, ends[chain], heads.get(chain), kit)


def _verify_chain(walk: _Walk, end: int, head: tuple[int, str, str] | None, kit: Kit) -> Iterator[str]:
    while walk.seq < end:
        page = _page(walk, end)
        if page is None:
            yield f"journal {walk.chain} row {walk.seq + 1}: it cannot be read"
            return
        if not page:
            break
        for entry, mac in page:
            fault = _fault(entry, mac, walk.seq, walk.mac, kit) or _wrong_epoch(walk, entry)
            if fault:
                yield f"journal {walk.chain} row {entry.seq}: {fault}"
                return
            walk.seq, walk.mac, walk.rows_hash = entry.seq, mac, running_hash(walk.rows_hash, entry)
            number, rows_hash = walk.quoted.pop(entry.seq, ("", walk.rows_hash))
            if rows_hash != walk.rows_hash:
                yield f"{number}: the journal rows it was written over were others"
    if head != (walk.seq, walk.mac, walk.rows_hash):
        yield f"journal {walk.chain}: the chain ends at row {walk.seq}, but its head says otherwise"


def _wrong_epoch(walk: _Walk, entry: Entry) -> str | None:
    """After a restore a chain goes on with a row that quotes where it was cut."""
    if entry.kind != EPOCH:
        return None
    try:
        said = json.loads(entry.content)
        quoted = (said["epoch"], said["after_seq"], said["after_head"], said["after_rows_sha256"])
    except UNREADABLE:
        quoted = None
    walk.epoch += 1
    return None if quoted == (walk.epoch, walk.seq, walk.mac, walk.rows_hash) else "its epoch quotes another head"


def _page(walk: _Walk, end: int) -> list[tuple[Entry, str]] | None:
    """The next rows; where one of them cannot be read, those before it; None when it is the very next one."""
    with reading() as session:
        try:
            return rows.page(session, walk.chain, walk.seq, end, PAGE)
        except UNREADABLE:
            return _up_to_the_unreadable(session, walk, end)


def _up_to_the_unreadable(session: Session, walk: _Walk, end: int) -> list[tuple[Entry, str]] | None:
    """Row by row, so that the one that cannot be read has a name."""
    found: list[tuple[Entry, str]] = []
    try:
        while one := rows.page(session, walk.chain, found[-1][0].seq if found else walk.seq, end, 1):
            found += one
    except UNREADABLE:
        return found or None
    return found


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


# ------------------------------------------------------------------ what Zs and renewals say of them


def _quoted(session: Session) -> dict[str, dict[int, tuple[str, str]]]:
    """What Zs and closings say of each chain: row number -> (its number, hash over all rows up to it)."""
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
    for number, figures in session.execute(select(closing_rows.Closing.number, closing_rows.Closing.figures)):
        try:
            office = json.loads(figures)["office"]
            found.setdefault(office["chain"], {})[office["seq"]] = (number, office["rows_sha256"])
        except UNREADABLE:
            continue
    return found


def _signatures(kit: Kit, report: Any, session: Session) -> Iterator[str]:
    """Each Z and each closing is signed by a key of this ring."""
    chosen = select(report.number, report.figures, report.own_hash, report.key_id, report.signature)
    for number, figures, own_hash, key_id, signature in session.execute(chosen.order_by(report.id)):
        if hashlib.sha256(figures.encode()).hexdigest() != own_hash:
            continue  # the books say that it was changed
        try:
            public = Ed25519PublicKey.from_public_bytes(kit.keys.public_key(key_id))
            public.verify(bytes.fromhex(signature), own_hash.encode())
        except (InvalidSignature, ValueError):
            yield f"{number}: its signature is not right"
        except KeyRingUnusable as fault:
            yield f"{number}: {fault}"


def _numbers(kit: Kit, session: Session, page: Page) -> Iterator[str]:
    """Each line's number is the one the journal committed to, as long as the number has not been erased. A line that came in
    exchange for another has a number of its own and the salt of the number it was chosen for."""
    line, check = renewal_rows.Renewal, sale_rows.NumberCheck
    chosen = (
        select(line.id, line.number_sealed, line.number_look_up, line.number_commitment, line.masked, check.salt)
        .outerjoin(check, check.id == line.number_check_id)
        .where(page(line.id))
        .order_by(line.id)
    )
    for found in session.execute(chosen):
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
