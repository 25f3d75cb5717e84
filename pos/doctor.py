"""`pos doctor`: what is wrong with this installation, in plain words. It changes nothing, orders nothing and prints nothing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from pos import __version__
from pos.config import Settings
from pos.paths import data_dir
from pos.services import backups, carriers, journal, key_rotation
from pos.services.kit import Kit
from pos.store import journal as journal_rows
from pos.store import keys
from pos.store import receipts as receipt_rows
from pos.store import tills as till_rows
from pos.store.db import db, read_back_durability, reading, what_a_power_cut_may_take

_FULL, _NEARLY_FULL = 256 << 20, 1 << 30
_CLOCK_MAY_STEP = timedelta(seconds=120)
_PRINTER_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Finding:
    """``is_right`` None: nothing that has to be done now, or nothing that can be looked at from here."""

    part: str
    is_right: bool | None
    told: str


def examine(settings: Settings, config: Path, *, kit: Kit) -> Iterator[Finding]:
    """Part by part. Where the schema is another one, only what does not ask it."""
    yield Finding("versions", True, f"simcounter {__version__}, Python {platform.python_version()}, {platform.system()}")
    yield from _database()
    yield from _files(settings, config)
    yield _disk(settings)
    wrong = other_version()
    if wrong:
        yield Finding("tables", False, wrong)
        return
    yield Finding("tables", True, "of this version")
    yield from _keys(kit)
    yield _backup(settings, kit)
    yield from _journal(kit)
    yield from _carriers(kit)
    yield from _printers()


def other_version() -> str:
    """Empty where the schema is that of this version."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with db.engine.connect() as connection:
        there = MigrationContext.configure(connection).get_current_revision()
    ours = ScriptDirectory(str(data_dir("migrations"))).get_current_head()
    return "" if there == ours else f"schema {there or 'none'} where this version needs {ours}: run `pos db upgrade`"


def _database() -> Iterator[Finding]:
    durable = read_back_durability()
    yield Finding("database", True, ", ".join(f"{key} {value}" for key, value in durable.items()))
    for sentence in what_a_power_cut_may_take(durable):
        yield Finding("database", False, sentence)


# ------------------------------------------------------------------ files and disk


def _files(settings: Settings, config: Path) -> Iterator[Finding]:
    if os.name == "nt":
        yield Finding("files", None, "who may read the key ring and the configuration cannot be seen from here")
        return
    yield _private("key ring", settings.security.key_ring, has_secrets=True)
    yield _private("configuration", config, has_secrets=_has_secrets(settings))


def _private(part: str, path: Path, *, has_secrets: bool) -> Finding:
    open_to = stat.S_IMODE(path.stat().st_mode) & 0o077
    if not open_to:
        return Finding(part, True, f"{path.name} is for its own user only")
    if has_secrets:
        return Finding(part, False, f"{path.name} can be read by others, and it holds secrets: `chmod 600 {path.name}`")
    return Finding(part, None, f"{path.name} can be read by others; it holds no secret yet")


def _has_secrets(settings: Settings) -> bool:
    password = db.engine.url.password or settings.mail.password.get_secret_value()
    return bool(password or settings.carriers or settings.hooks)


def _disk(settings: Settings) -> Finding:
    url = settings.database.url.get_secret_value()
    there = Path(db.engine.url.database or ".").parent if url.startswith("sqlite") else settings.security.key_ring.parent
    free = shutil.disk_usage(there).free
    said = f"{free >> 20} MB are free"
    if free < _FULL:
        return Finding("disk", False, f"{said}: make room before the next sale; what cannot be written cannot be sold")
    return Finding("disk", None if free < _NEARLY_FULL else True, said)


# ------------------------------------------------------------------ keys, backups, journal


def _keys(kit: Kit) -> Iterator[Finding]:
    lacking, unfinished = key_rotation.lacking(kit=kit), key_rotation.unfinished(kit=kit)
    for key_id in lacking:
        yield Finding("keys", False, f"rows name the key {key_id}, which the ring lacks: bring back the ring's sealed copy")
    for purpose in unfinished:
        yield Finding("keys", False, f"a change of keys was broken off: run `pos keys rotate {purpose}` again")
    if not lacking and not unfinished:
        yield Finding(
            "keys", True, "every key that rows name is in the ring; new rows use " + ", ".join(sorted(kit.keys.now.values()))
        )
    if keys.BACKUP not in kit.keys.now:
        yield Finding("keys", False, "the ring has no key for backups, so there are none: run `pos keys rotate bak`")


def _backup(settings: Settings, kit: Kit) -> Finding:
    latest = backups.latest()
    if latest is None:
        with reading() as session:
            sold = session.scalar(select(receipt_rows.Receipt.id).limit(1)) is not None
        return Finding("backup", False if sold else None, "there is none: run `pos backup FOLDER` every night (docs/backup.md)")
    hours = int((kit.now() - latest.at).total_seconds() // 3600)
    said = f"{latest.file} is {hours} hours old"
    if not latest.proven:
        return Finding("backup", False, f"{said} and was not proven: run `pos verify`, then `pos backup` again")
    if hours > settings.backup.most_hours:
        return Finding("backup", False, f"{said}: look why the nightly one did not come")
    return Finding("backup", True, f"{said} and was proven by restoring it")


def _journal(kit: Kit) -> Iterator[Finding]:
    fault = journal.look_at_ends(kit=kit)
    yield Finding(
        "journal", fault is None, f"{fault}. Run `pos verify` and tell the owner" if fault else "its newest rows hold together"
    )
    with reading() as session:
        newest = session.scalar(select(func.max(journal_rows.JournalRow.at)))
    if newest is not None and newest - kit.now() > _CLOCK_MAY_STEP:
        yield Finding("clock", False, f"it is behind the newest row of the journal ({newest:%Y-%m-%d %H:%M} UTC): set it right")


# ------------------------------------------------------------------ what is outside


def _carriers(kit: Kit) -> Iterator[Finding]:
    if not kit.carriers:
        yield Finding("carriers", None, "none is configured; the clock has nothing to be compared with")
    for name in kit.carriers:
        for step in carriers.check(name, None, None, kit=kit):
            yield Finding(f"carrier {name}", step.is_right, f"{step.name}: {step.told}")
            if step.name == "clock":
                break  # its catalogue is long; `pos carrier check` reads it


def _printers() -> Iterator[Finding]:
    with reading() as session:
        found = [
            (row.name, dict(row.settings))
            for store in till_rows.all_stores(session)
            for row in till_rows.printers_of(session, store.id)
        ]
    for name, settings in found:
        address, port = str(settings.get("address", "")), settings.get("port", 9100)
        if settings.get("transport", "lan") != "lan":
            yield Finding(f"printer {name}", None, "not on the network: print a test page to see")
        elif _listens(address, int(str(port))):
            yield Finding(f"printer {name}", True, f"{address}:{port} answers")
        else:
            yield Finding(f"printer {name}", None, f"{address}:{port} does not answer now; sales go on, their slips wait")


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=_PRINTER_PATIENCE_SECONDS):
            return True
    except OSError:
        return False
