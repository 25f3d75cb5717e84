"""Delete what is older than its time, erase a customer who asks for it, and prove that the bytes are gone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pos.domain.errors import NumberNowhere, StillOpen
from pos.domain.permissions import Permission
from pos.domain.renewals import RENEWAL, UNPAID, RenewalState
from pos.domain.sales import SALE, SaleState
from pos.domain.tills import Store
from pos.services.approvals import two_people
from pos.services.kit import Kit
from pos.store import erasure
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, move

# Rows of one commit: a purge that is stopped goes on where it was, and no till waits for it long.
_AT_ONCE = 200
_PROVEN = 1000


@dataclass(frozen=True)
class Gone:
    """What was taken out, and of how much of it a byte is still in the database's files. ``searched`` False where the files are a
    server's own and cannot be looked at; ``settled`` False where they are still to be written without it."""

    checks: int
    numbers: int
    searched: bool
    left: int
    settled: bool = True


def purge(*, kit: Kit, thorough: bool = False) -> Gone:
    """Each store's evidence and numbers that are older than its rules let them be. Power cut: some of it is gone, and the
    next run takes the rest; the journal counts what went. ``thorough`` settles the files also when nothing was too old: an
    earlier run may have found its tables in use."""
    with reading() as session:
        stores = [row.plain() for row in till_rows.all_stores(session)]
    checks = numbers = 0
    needles: list[bytes] = []
    for store in stores:
        rules, now = kit.rulebook.of(store.code), kit.now()
        while found := _purge_evidence(store, now - timedelta(days=rules.evidence_days), now, kit):
            checks, needles = checks + found[0], needles + found[1]
        while found := _purge_numbers(store, now - timedelta(days=rules.numbers_days), now, kit):
            numbers, needles = numbers + found[0], needles + found[1]
    return _prove(checks, numbers, needles, thorough=thorough)


@retried
def _purge_evidence(store: Store, before: datetime, now: datetime, kit: Kit) -> tuple[int, list[bytes]] | None:
    with transaction() as session:
        old = erasure.old_evidence(session, store.id, before, _AT_ONCE)
        gone = [needle for check in old for needle in erasure.forget_evidence(session, check)]
        if not old:
            return None
        _office(store, now, kit).note(session, "identity.purged", "store", store.code, {"checks": len(old), "numbers": 0})
        return len(old), gone


@retried
def _purge_numbers(store: Store, before: datetime, now: datetime, kit: Kit) -> tuple[int, list[bytes]] | None:
    with transaction() as session:
        old = erasure.old_sales(session, store.id, before, _AT_ONCE)
        pen = _office(store, now, kit)
        gone: list[bytes] = []
        for sale in old:
            _give_up_forgotten(session, sale, pen)
            gone += erasure.forget_numbers(session, sale.id)
        if not old:
            return None
        pen.note(session, "identity.purged", "store", store.code, {"checks": 0, "numbers": len(old)})
        return len(old), gone


def _give_up_forgotten(session: Session, sale: sale_rows.Sale, pen: Pen) -> None:
    """A sale that was begun and left lies around for ever; without its number nobody can go on with it."""
    if sale.state is not SaleState.DRAFT:
        return
    for line in renewal_rows.of_sale(session, sale.id):
        if line.state in UNPAID:
            move(session, line, RENEWAL, RenewalState.VOIDED, pen, {"why": "its time is over"})
    move(session, sale, SALE, SaleState.VOIDED, pen, {"why": "its time is over"})


def erase(number: str, asked_by: str, agreed_by: str, *, kit: Kit) -> Gone:
    """Take a customer out of the books: the number (E.164 or an ICCID) wherever it stands, and the evidence of the checks in the
    same sales. Amounts, plans and receipts stay, and so does the journal, which never held either.

    Two people with the right stand in the journal. Raises NumberNowhere, NotAllowed for people without the right, SamePerson,
    StillOpen while money or an answer is on its way. Power cut: sale by sale; the next run takes the rest."""
    two_people(asked_by, agreed_by, Permission.OVERRIDE_IDENTITY)
    look_ups = [kit.keys.look_up_by(key_id, number) for key_id in kit.keys.keys if key_id.startswith("idx-")]
    with reading() as session:
        sale_ids = erasure.sales_naming(session, look_ups)
        still_open = [sale_id for sale_id in sale_ids if erasure.is_open(session, sale_id)]
    if not sale_ids:
        raise NumberNowhere
    if still_open:
        raise StillOpen(count=len(still_open))
    checks, needles = 0, [number.encode(), number.removeprefix("+").encode()]
    for sale_id in sale_ids:
        found, gone = _erase(sale_id, look_ups, f"staff:{asked_by}", agreed_by, kit)
        checks, needles = checks + found, needles + gone
    return _prove(checks, len(sale_ids), needles)


@retried
def _erase(sale_id: str, look_ups: list[str], actor: str, agreed_by: str, kit: Kit) -> tuple[int, list[bytes]]:
    now = kit.now()
    with transaction() as session:
        sale = sale_rows.for_change(session, sale_id)
        if sale is None or erasure.is_open(session, sale_id):
            raise StillOpen(count=1)
        store = session.get_one(till_rows.Store, sale.store_id).plain()
        pen = kit.office_pen(store.code, actor, now, store.business_day(now))
        _give_up_forgotten(session, sale, pen)
        gone = erasure.forget_numbers(session, sale_id, look_ups)
        check = sale_rows.identity_check_of(session, sale_id)
        if check is not None:
            gone += erasure.forget_evidence(session, check)
        checks = 0 if check is None else 1
        pen.note(session, "customer.erased", "sale", sale_id, {"checks": checks, "agreed_by": agreed_by})
        return checks, gone


def _prove(checks: int, numbers: int, needles: list[bytes], *, thorough: bool = False) -> Gone:
    settled = erasure.settle() if needles or thorough else True
    # A large file is read once for each value: of a great many the proof takes as many as a night has time for.
    some = needles if len(needles) <= _PROVEN else secrets.SystemRandom().sample(needles, _PROVEN)
    return Gone(checks, numbers, bool(erasure.files()), len(list(erasure.still_there(some))), settled)


def _office(store: Store, now: datetime, kit: Kit) -> Pen:
    return kit.office_pen(store.code, "purge", now, store.business_day(now))
