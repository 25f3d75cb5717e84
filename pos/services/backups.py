"""What the journal says of backups: that one was made, of what, and whether it was proven."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from pos.services.kit import Kit
from pos.store import journal as rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction


@dataclass(frozen=True)
class Noted:
    """A backup as the journal knows it."""

    at: datetime
    file: str
    proven: bool


@retried
def note_made(file: str, key_id: str, rows_in_it: int, sha256: str, faults: int, *, kit: Kit) -> None:
    """In the office chain of every store. Power cut: the file is there and the journal does not say so; the next one does."""
    now = kit.now()
    said = {"file": file, "key": key_id, "rows": rows_in_it, "sha256": sha256, "proven": not faults, "faults": faults}
    with transaction() as session:
        for row in till_rows.all_stores(session):
            store = row.plain()
            pen = kit.office_pen(store.code, "command", now, store.business_day(now))
            pen.note(session, "backup.made", "backup", file[:40], said)


def latest() -> Noted | None:
    """The newest backup that the journal knows; None where there never was one."""
    row = rows.JournalRow
    with reading() as session:
        chosen = select(row.at, row.content).where(row.object_kind == "backup", row.kind == "backup.made")
        found = session.execute(chosen.order_by(row.at.desc()).limit(1)).first()
    if found is None:
        return None
    said = json.loads(found.content)
    return Noted(found.at, said["file"], said["proven"])
