"""A new key for a purpose, and the values that are written anew under it. Broken off at any line, the next run goes on.

jrn: each chain says so in a row under the old key. enc, idx: every value is written anew, so that nothing names the old key any
more. sig, web, bak: the old one stays for what it made. idh: new rows only, because no document's number is kept. pep: each PIN
at the next time that it is right. The shop is closed meanwhile: a server that runs on would look numbers up under the old key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from pos.domain.permissions import Permission
from pos.services.approvals import two_people
from pos.services.epochs import stores_of_chains
from pos.services.kit import Kit
from pos.store import journal as rows
from pos.store import key_use, keys
from pos.store import tills as till_rows
from pos.store.db import locked, reading, retried, transaction
from pos.store.deliveries import Delivery
from pos.store.life import Pen
from pos.store.receipt_mails import ReceiptMail
from pos.store.renewals import Attempt, Renewal
from pos.store.sales import NumberCheck, Sale

# Rows of one commit: no till would wait for it long, and a run that was broken off loses no more than this.
_AT_ONCE = 200


@dataclass(frozen=True)
class Rotated:
    """``left`` values still name an older key of the purpose, each for the reason that the module's first lines give."""

    key_id: str
    rewritten: int
    left: int


def rotate(purpose: str, asked_by: str, agreed_by: str, ring: Path, *, kit: Kit) -> Rotated:
    """Raises SamePerson, NotAllowed, KeyRingUnusable. Power cut: the old key and the new one are both in the ring, and
    every value names the one that opens it; run it again."""
    two_people(asked_by, agreed_by, Permission.RESTORE)
    if purpose not in unfinished(kit=kit):
        key_id = keys.add(ring, purpose)
        _say_so(purpose, key_id, asked_by, agreed_by, kit)
        keys.use(ring, key_id)
    new = replace(kit, keys=keys.load(ring))
    rewritten = sum(_rewrite(rewriting, asked_by, new) for rewriting in REWRITINGS if rewriting.purpose == purpose)
    return Rotated(new.keys.now[purpose], rewritten, sum(_on_older(purpose, in_use(), new).values()))


def in_use(*, rewritten_only: bool = False) -> dict[str, int]:
    """Key id -> how many values name it. ``rewritten_only``: of those that a rotation writes anew."""
    with reading() as session:
        return key_use.ids_in_use(session.connection(), rewritten_only=rewritten_only)


def lacking(*, kit: Kit) -> list[str]:
    """Ids that values name and the ring does not have."""
    return sorted(in_use().keys() - kit.keys.keys.keys())


def unfinished(*, kit: Kit) -> list[str]:
    """The purposes whose rotation was broken off: numbers would be looked for under one key and stand under another."""
    found = in_use(rewritten_only=True)
    return [purpose for purpose in ("enc", "idx") if _on_older(purpose, found, kit)]


def _on_older(purpose: str, found: dict[str, int], kit: Kit) -> dict[str, int]:
    now = kit.keys.now.get(purpose)
    return {key_id: count for key_id, count in found.items() if keys.purpose_of(key_id) == purpose and key_id != now}


@retried
def _say_so(purpose: str, key_id: str, asked_by: str, agreed_by: str, kit: Kit) -> None:
    """Under the old keys. The journal's own: in every chain, whose next rows are sealed otherwise."""
    now, actor = kit.now(), f"staff:{asked_by}"
    said = {"from": kit.keys.now.get(purpose, ""), "to": key_id, "agreed_by": agreed_by}
    with transaction() as session:
        stores = [row.plain() for row in till_rows.all_stores(session)]
        chains = stores_of_chains(session, stores)
        here = chains if purpose != "jrn" else {chain: chains[chain] for chain in rows.heads(session) if chain in chains}
        for chain, store in sorted(here.items(), key=lambda pair: pair[0]):
            if purpose == "jrn" or chain.startswith("office:"):
                pen = Pen(kit.keys, chain, actor, now, store.business_day(now))
                pen.note(session, "key.changed", "key", key_id, said)


# ------------------------------------------------------------------ values under the new key


@dataclass(frozen=True)
class Rewriting:
    """``anew`` writes what belongs to some rows of ``kind`` under the new key, and says how many values that were."""

    purpose: str
    kind: type[Any]
    anew: Callable[[Session, list[Any], Kit], int]


def _seal_anew(kind: type[Any], column: str, place: Callable[[Any], str]) -> Rewriting:
    def anew(session: Session, ids: list[Any], kit: Kit) -> int:
        older = _older(session, kind, kind.id.in_(ids), column, "enc", kit)
        for row in older:
            setattr(row, column, kit.keys.seal(kit.keys.open(getattr(row, column), place(row)), place(row)))
        return len(older)

    return Rewriting("enc", kind, anew)


def _look_up_anew(session: Session, sale_ids: list[Any], kit: Kit) -> int:
    """All numbers of a sale at once: its lines are compared with what was asked about."""
    checks = _older(session, NumberCheck, NumberCheck.sale_id.in_(sale_ids), "look_up", "idx", kit)
    lines = _older(session, Renewal, Renewal.sale_id.in_(sale_ids), "number_look_up", "idx", kit)
    ours = select(Renewal.id).where(Renewal.sale_id.in_(sale_ids))
    attempts = _older(session, Attempt, Attempt.renewal_id.in_(ours), "open_number", "idx", kit)
    deliveries = _older(session, Delivery, Delivery.renewal_id.in_(ours), "iccid_look_up", "idx", kit)
    for check in checks:
        check.look_up = kit.keys.look_up("idx", kit.keys.open(check.sealed, f"number_checks.sealed:{check.id}"))
    for line in lines:
        line.number_look_up = _look_up_of(line, kit)
    for attempt in attempts:
        attempt.open_number = _look_up_of(session.get_one(Renewal, attempt.renewal_id), kit)
    for delivery in deliveries:
        content = json.loads(kit.keys.open(delivery.sealed or b"", f"deliveries.sealed:{delivery.renewal_id}"))
        delivery.iccid_look_up = kit.keys.look_up("idx", content["iccid"])
    return len(checks) + len(lines) + len(attempts) + len(deliveries)


def _look_up_of(line: Renewal, kit: Kit) -> str:
    return kit.keys.look_up("idx", kit.keys.open(line.number_sealed, f"renewals.number_sealed:{line.id}"))


REWRITINGS = (
    _seal_anew(NumberCheck, "sealed", lambda row: f"number_checks.sealed:{row.id}"),
    _seal_anew(Renewal, "number_sealed", lambda row: f"renewals.number_sealed:{row.id}"),
    _seal_anew(Delivery, "sealed", lambda row: f"deliveries.sealed:{row.renewal_id}"),
    _seal_anew(ReceiptMail, "address_sealed", lambda row: f"receipt_mails.address_sealed:{row.id}"),
    Rewriting("idx", Sale, _look_up_anew),
)


def _rewrite(rewriting: Rewriting, asked_by: str, kit: Kit) -> int:
    return sum(_page(rewriting, ids, asked_by, kit) for ids in _pages(rewriting.kind))


def _pages(kind: type[Any]) -> Iterator[list[Any]]:
    last = None
    while True:
        with reading() as session:
            chosen = select(kind.id).order_by(kind.id).limit(_AT_ONCE)
            ids = list(session.scalars(chosen if last is None else chosen.where(kind.id > last)))
        if not ids:
            return
        yield ids
        last = ids[-1]


@retried
def _page(rewriting: Rewriting, ids: list[Any], asked_by: str, kit: Kit) -> int:
    now = kit.now()
    with transaction() as session:
        store = till_rows.all_stores(session)[0].plain()
        count = rewriting.anew(session, ids, kit)
        if count:
            pen = kit.office_pen(store.code, f"staff:{asked_by}", now, store.business_day(now))
            said = {"of": rewriting.kind.__tablename__, "values": count}
            pen.note(session, "key.rewritten", "key", kit.keys.now[rewriting.purpose], said)
        return count


def _older(session: Session, kind: type[Any], where: ColumnElement[bool], column: str, purpose: str, kit: Kit) -> list[Any]:
    """Those rows whose value names another key than the present one. What was erased names none."""
    found = session.scalars(locked(select(kind).where(where).order_by(kind.id)))
    return [row for row in found if _named(getattr(row, column)) not in ("", kit.keys.now[purpose])]


def _named(value: bytes | str | None) -> str:
    """The id in front of a value."""
    if not value:
        return ""
    return value.partition(b"\x00")[0].decode() if isinstance(value, bytes) else value.partition(":")[0]
