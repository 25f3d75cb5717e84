"""Make a backup that is known to work, and bring the books back from one (docs/backup.md)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import Connection

from pos import __version__
from pos.app import create_app
from pos.config import Database, Settings
from pos.paths import data_dir
from pos.ports import Clock
from pos.services import backups, epochs, journal, ledger
from pos.services.kit import Kit
from pos.store import backup_files as files
from pos.store import dump, key_use, keys, places
from pos.store.db import db

# Called with a sentence now and then while something takes long.
Tell = Callable[[str], None]

_NEWS_EVERY = 100_000


class BackupRefused(Exception):
    """No backup, or no restore; the sentence says why and what is true now."""


@dataclass(frozen=True)
class Made:
    """``faults`` is what the program found in the books that it restored from the file, to prove it; none means proven."""

    path: Path
    rows: int
    size: int
    faults: list[str]
    removed: list[str]


@dataclass(frozen=True)
class Restored:
    rows: int
    begun: epochs.Begun
    # What the database was moved aside to; empty where there was none.
    kept_as: str


# ------------------------------------------------------------------ making one


def make(settings: Settings, folder: Path, *, kit: Kit, tell: Tell) -> Made:
    """One more backup in ``folder``, proven, and the oldest ones removed. Needs the application's context. Raises BackupRefused,
    KeyRingUnusable. Power cut: there is a file that ends in .part, which counts for nothing and is replaced by the next run."""
    kit.keys.current(keys.BACKUP)
    url = settings.database.url.get_secret_value()
    path = folder / f"simcounter-{kit.now():%Y%m%d-%H%M%S}{files.SUFFIX}"
    part = path.with_name(path.name + ".part")
    _clear(folder)
    try:
        with places.snapshot(url) as connection:
            head, count = _header(connection, kit), _Count(tell, "written")
            with part.open("xb") as file:
                files.write(file, head, count.each(dump.lines(connection)), kit.keys)
                file.flush()
                os.fsync(file.fileno())
    except OSError as fault:
        with suppress(OSError):
            part.unlink()
        raise BackupRefused(f"{folder} cannot be written: {fault.strerror}. There is no new backup.") from None
    tell("proving it: restoring into a scratch place")
    faults = prove(settings, part, clock=kit.clock, tell=tell)
    part.replace(path)
    backups.note_made(path.name, kit.keys.now[keys.BACKUP], count.rows, _sha256(path), len(faults), kit=kit)
    removed = [] if faults else _remove_old(folder, settings.backup.keep)
    return Made(path, count.rows, path.stat().st_size, faults, removed)


def _clear(folder: Path) -> None:
    """What a run that was broken off left behind."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"simcounter-*{files.SUFFIX}.part"):
        left.unlink()


def _header(connection: Connection, kit: Kit) -> dict[str, Any]:
    revision = dump.revision(connection)
    if revision != _ours():
        raise BackupRefused(f"The schema is {revision} where this version needs {_ours()}: run `pos db upgrade`. No backup.")
    return {
        "made_at": kit.now().isoformat(),
        "software": __version__,
        "engine": connection.dialect.name,
        "revision": revision,
        "keys": sorted(key_use.ids_in_use(connection)),
        "heads": key_use.heads(connection),
    }


def _ours() -> str:
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(data_dir("migrations"))).get_current_head())


def _remove_old(folder: Path, keep: int) -> list[str]:
    """All but the newest ones. Only files that are backups of ours by name and by what stands in them."""
    ours = []
    for path in sorted(folder.glob(f"simcounter-*{files.SUFFIX}")):
        with suppress(files.BackupUnusable):
            ours.append((str(files.header(path).get("made_at", "")), path))
    old = [path for _, path in sorted(ours)[:-keep]]
    for path in old:
        path.unlink()
    return [path.name for path in old]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ------------------------------------------------------------------ reading one


def prove(settings: Settings, path: Path, *, clock: Clock | None, tell: Tell) -> list[str]:
    """Restore into a scratch place that goes away again, and let the program check those books: what it found. Whatever keeps it
    from being restored is a finding, too."""
    try:
        with ExitStack() as opened:
            scratch = opened.enter_context(places.private_folder(_beside(settings))) / "scratch.sqlite3"
            app, _ = opened.enter_context(_filled(settings, f"sqlite:///{scratch.as_posix()}", path, clock, tell))
            return _faults(app)
    except (files.BackupUnusable, keys.KeyRingUnusable, dump.NotOurs, BackupRefused) as fault:
        return [str(fault)]


def restore(
    settings: Settings,
    path: Path,
    asked_by: str,
    agreed_by: str,
    *,
    replace: bool = False,
    with_faults: bool = False,
    clock: Clock | None = None,
    tell: Tell,
) -> Restored:
    """The books of a backup as the shop's own, in a new epoch. Every seal is checked before anything is written, and nothing of
    the present database is touched before the restored one was proven; it is then moved aside, never deleted.

    Raises BackupRefused, BackupUnusable, KeyRingUnusable, NotAllowed, SamePerson: nothing was changed."""
    url = settings.database.url.get_secret_value()
    ring = keys.load(settings.security.key_ring)
    head = files.header(path)
    lacking = sorted(key_id for key_id in [head["key_id"], *head["keys"]] if key_id not in ring.keys)
    if lacking:
        raise BackupRefused(f"The key ring lacks {', '.join(lacking)}. Nothing was changed; bring back the ring's sealed copy.")
    files.check(path, ring)
    tell("every seal is right")
    try:
        if not replace:
            places.refuse_if_taken(url)
        with places.new_one(url) as new:
            with _filled(settings, new, path, clock, tell) as (app, rows):
                faults = _faults(app)
                if faults and not with_faults:
                    raise BackupRefused(f"The books in this backup do not hold together: {faults[0]}. Nothing was changed.")
                kit: Kit = app.extensions["simcounter"]
                begun = epochs.begin(asked_by, agreed_by, head, kit=kit)
                now = kit.now()
            return Restored(rows, begun, places.put_in_place(new, url, now))
    except (places.PlaceTaken, dump.NotOurs) as fault:
        raise BackupRefused(str(fault)) from None


@contextmanager
def _filled(settings: Settings, url: str, path: Path, clock: Clock | None, tell: Tell) -> Iterator[tuple[Flask, int]]:
    """The application over a new database with a backup's rows in it, brought to this version."""
    head = files.header(path)
    there = settings.model_copy(update={"database": Database(url=SecretStr(url))})
    app = create_app(there, clock=clock, given={})
    with app.app_context():
        try:
            _upgrade_to(str(head["revision"]))
            count = _Count(tell, "read")
            with places.connected(url) as connection:
                rows = dump.load(connection, count.each(files.lines(path, keys.load(settings.security.key_ring))))
            flask_migrate.upgrade()
            yield app, rows
        finally:
            db.session.remove()
            db.engine.dispose()


def _upgrade_to(revision: str) -> None:
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory(str(data_dir("migrations"))).get_revision(revision)
    except CommandError:
        raise BackupRefused(f"The backup has schema {revision}, which is newer than this version. Nothing was changed.") from None
    flask_migrate.upgrade(revision=revision)


def _faults(app: Flask) -> list[str]:
    return [*journal.verify(kit=app.extensions["simcounter"]), *ledger.prove()]


def _beside(settings: Settings) -> Path | None:
    """The folder of a SQLite database, whose readers are the same people; the system's own for a server."""
    url = settings.database.url.get_secret_value()
    return Path(url.removeprefix("sqlite:///").partition("?")[0]).parent if url.startswith("sqlite:///") else None


class _Count:
    """Counts rows as they pass, and says so now and then."""

    def __init__(self, tell: Tell, done: str) -> None:
        self.rows, self._tell, self._done = 0, tell, done

    def each(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if line.startswith("["):
                self.rows += 1
                if self.rows % _NEWS_EVERY == 0:
                    self._tell(f"{self.rows} rows {self._done}")
            yield line
