"""A new epoch: the books were brought back from a backup. What happened behind it is not in them, so every chain says where it
was cut, and nothing that may have happened since is done a second time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pos.domain.journal import EPOCH
from pos.domain.permissions import Permission
from pos.domain.renewals import RenewalState
from pos.domain.tills import Store, chain_of_office, chain_of_till
from pos.services.approvals import two_people
from pos.services.kit import Kit
from pos.services.sending import leave_to_people
from pos.store import journal as rows
from pos.store import renewals as renewal_rows
from pos.store import staff as staff_rows
from pos.store import tills as till_rows
from pos.store.db import transaction
from pos.store.life import Pen


@dataclass(frozen=True)
class Begun:
    """How many chains go on, how many renewals a person has to look at, how many people were signed out."""

    chains: int
    renewals: int
    stays: int


def begin(asked_by: str, agreed_by: str, backup: Mapping[str, object], *, kit: Kit) -> Begun:
    """Every chain goes on with a row that quotes its head. Renewals that were about to be sent wait for a manager: the carrier
    may have had them after the backup, under a reference that is lost. Everybody signs in again: a stay that was ended after the
    backup would live again. One commit. Raises SamePerson, NotAllowed."""
    two_people(asked_by, agreed_by, Permission.RESTORE)
    now, actor = kit.now(), f"staff:{asked_by}"
    with transaction() as session:
        stores = [row.plain() for row in till_rows.all_stores(session)]
        chains = stores_of_chains(session, stores)
        heads = rows.heads(session)
        for chain in sorted(heads.keys() & chains.keys()):
            pen = Pen(kit.keys, chain, actor, now, chains[chain].business_day(now))
            _quote(session, pen, heads[chain], backup)
        paid = list(session.scalars(select(renewal_rows.Renewal).where(renewal_rows.Renewal.state == RenewalState.PAID)))
        stopped = sum(leave_to_people(session, line, "restored from a backup", now, kit) for line in paid)
        stays = list(session.scalars(select(staff_rows.SignIn).where(staff_rows.SignIn.ended_at.is_(None))))
        for stay in stays:
            stay.ended_at, stay.ended_why = now, "restored"
        said = {"agreed_by": agreed_by, "backup_made_at": backup.get("made_at", ""), "renewals": stopped}
        for store in stores:
            pen = kit.office_pen(store.code, actor, now, store.business_day(now))
            pen.note(session, "backup.restored", "backup", str(backup.get("made_at", ""))[:40], said)
        return Begun(len(heads), stopped, len(stays))


def _quote(session: Session, pen: Pen, head: tuple[int, str, str], backup: Mapping[str, object]) -> None:
    before = select(func.count()).where(rows.JournalRow.chain == pen.chain, rows.JournalRow.kind == EPOCH)
    said = {
        "epoch": (session.scalar(before) or 0) + 1,
        "after_seq": head[0],
        "after_head": head[1],
        "after_rows_sha256": head[2],
        "backup_made_at": backup.get("made_at", ""),
    }
    pen.note(session, "epoch.begun", "journal", pen.chain, said)


def stores_of_chains(session: Session, stores: list[Store]) -> dict[str, Store]:
    """Each chain's store, whose business day it has."""
    by_id = {store.id: store for store in stores}
    tills = session.scalars(select(till_rows.Till))
    return {chain_of_office(store.code): store for store in stores} | {
        chain_of_till(till.code): by_id[till.store_id] for till in tills
    }
