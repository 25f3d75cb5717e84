"""The command line's verbs about backups: make one that is proven, bring the books back from one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def _tell(sentence: str) -> None:
    click.echo(sentence, err=True)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever is refused is one sentence and exit status 1."""
    from pos.backups import BackupRefused
    from pos.domain.errors import CounterError
    from pos.store.backup_files import BackupUnusable
    from pos.store.keys import KeyRingUnusable

    try:
        yield
    except (BackupRefused, BackupUnusable, KeyRingUnusable, CounterError) as refusal:
        raise click.ClickException(str(refusal)) from None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def backup(context: click.Context, folder: Path) -> None:
    """One encrypted file in FOLDER with everything that the shop knows, while the tills go on. It is restored into a scratch
    place and checked there before it counts. Exit status 1 when that found anything, or there is no backup."""
    from pos import backups

    settings, app = context.meta["settings"](), context.meta["open"]()
    with _told(), app.app_context():
        made = backups.make(settings, folder, kit=app.extensions["simcounter"], tell=_tell)
    click.echo(f"{made.path.name}: {made.rows} rows, {made.size} bytes.")
    for name in made.removed:
        click.echo(f"removed as too old: {name}")
    if not made.faults:
        click.echo("Proven: it was restored into a scratch place, and its books hold together. The key ring is not in it.")
        return
    click.echo("It is NOT proven. What was found in the restored books:")
    for fault in made.faults[:20]:
        click.echo(f"  {fault}")
    sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--asked-by", required=True, help="the staff number of the manager who does it")
@click.option("--agreed-by", required=True, help="the staff number of the second manager")
@click.option("--replace", is_flag=True, help="also where the database has rows: they are moved aside and kept")
@click.option("--with-faults", is_flag=True, help="also when the books in the backup do not hold together")
@click.pass_context
def restore(context: click.Context, file: Path, asked_by: str, agreed_by: str, replace: bool, with_faults: bool) -> None:
    """Bring the books back from the backup FILE. Stop server and worker first. Nothing is touched before every seal was checked
    and the restored books were proven."""
    from pos import backups

    with _told():
        done = backups.restore(
            context.meta["settings"](), file, asked_by, agreed_by, replace=replace, with_faults=with_faults, tell=_tell
        )
    click.echo(f"{done.rows} rows are back; {done.begun.chains} chains of the journal go on in a new epoch.")
    if done.kept_as:
        click.echo(f"The database that was there is kept as {done.kept_as}; delete it when you no longer need it.")
    if done.begun.renewals:
        click.echo(f"{done.begun.renewals} paid renewals may have been sent after the backup: a manager decides them.")
    click.echo("What happened after the backup is not in the books: compare paper, terminal and the carriers' statements.")
