"""New keys: nothing is lost when the process dies in between, and no value names the old key in the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import LargeBinary

from pos.app import create_app
from pos.cli import main
from pos.domain.errors import NotAllowed, SamePerson
from pos.services import key_rotation, staff
from pos.store import all_tables, key_use, keys
from tests.conftest import _release, settings_in
from tests.engines import Engine, address_in
from tests.services.shop import Shop, findings

TWO = ("201", "401")


@pytest.fixture
def ring(folder: Path) -> Path:
    return folder / "keys.json"


@pytest.fixture
def config(folder: Path) -> Path:
    path = folder / "config.toml"
    path.write_text(
        f"[database]\nurl = '{address_in(folder)}'\n[security]\nkey_ring = 'keys.json'\n[logging]\nlevel = 'error'\n",
        encoding="utf-8",
    )
    return path


def sell(shop: Shop, count: int) -> None:
    shop.open_shift(shop.desk())
    for place in range(count):
        shop.take_cash(shop.ready(shop.desk(), f"+447700900{place:03}"))
    shop.work()


def rotate(shop: Shop, purpose: str, ring: Path) -> key_rotation.Rotated:
    """And the server is started again: it has read the ring anew."""
    with shop.app.app_context():
        done = key_rotation.rotate(purpose, *TWO, ring, kit=shop.kit)
    object.__setattr__(shop.kit, "keys", keys.load(ring))
    return done


def test_every_column_that_keys_made_is_known() -> None:
    """A new sealed column that nobody writes anew would keep the old key alive, or be lost with it."""
    kept = {(kept.table, kept.column) for kept in key_use.KEPT}
    binary = {
        (table.name, column.name)
        for table in all_tables.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert binary - kept == {("number_checks", "salt")}
    assert kept > key_use.FOR_GOOD, "and that the others are written anew is seen below"
    looked_up = {(t.name, c.name) for t in all_tables.metadata.tables.values() for c in t.columns if "look_up" in c.name}
    assert looked_up <= kept


@pytest.mark.parametrize("purpose", ["enc", "idx"])
def test_nothing_names_the_old_key_any_more(shop: Shop, ring: Path, purpose: str) -> None:
    sell(shop, 3)
    before = shop.ask("select id, number_look_up from renewals order by id")
    done = rotate(shop, purpose, ring)
    assert (done.key_id, done.rewritten > 0) == (f"{purpose}-2", True)
    with shop.app.app_context():
        assert key_rotation.unfinished(kit=shop.kit) == []
        used = key_rotation.in_use()
    assert used[f"{purpose}-2"] == done.rewritten
    assert (shop.ask("select id, number_look_up from renewals order by id") == before) == (purpose == "enc")
    assert findings(shop.app) == []
    with pytest.raises(Exception, match="This number got this plan"):
        shop.ready(shop.desk(), "+447700900001")


@pytest.mark.parametrize("purpose", ["jrn", "sig", "web", "idh", "bak", "pep"])
def test_what_the_old_key_made_still_holds(shop: Shop, ring: Path, purpose: str) -> None:
    sell(shop, 1)
    done = rotate(shop, purpose, ring)
    assert (done.key_id, done.rewritten) == (f"{purpose}-2", 0)
    shop.pass_time(1200)
    shop.take_cash(shop.ready(shop.desk(), "+447700900077"))
    shop.work()
    assert findings(shop.app) == []
    sealed = dict(shop.ask("select key_id, count(*) from journal group by key_id"))
    assert ("jrn-2" in sealed) == (purpose == "jrn")
    if purpose == "jrn":
        said = shop.ask("select count(*) from journal where kind = 'key.changed' and key_id = 'jrn-1'")
        assert said == shop.ask("select count(*) from journal_heads where seq > 0"), "each chain says so under the old key"


def test_a_pin_is_peppered_anew_when_it_was_right(shop: Shop, ring: Path) -> None:
    rotate(shop, "pep", ring)
    desk = shop.desk()
    with shop.app.app_context():
        for _ in range(2):
            staff.sign_in(desk.store, desk.till, "101", "271828", kit=shop.kit)
    assert shop.ask("select substr(pin_hash, 1, 6) from staff where number = '101'") == [("pep-2:",)]
    assert shop.ask("select count(*) from staff where pin_hash like 'pep-1:%'")[0][0] > 0


def test_two_people_and_a_right(shop: Shop, ring: Path) -> None:
    before = ring.read_bytes()
    with shop.app.app_context():
        for pair, refusal in ((("201", "201"), SamePerson), (("101", "201"), NotAllowed)):
            with pytest.raises(refusal):
                key_rotation.rotate("enc", *pair, ring, kit=shop.kit)
    assert ring.read_bytes() == before


# Dies without a word, as with the plug pulled: before or after the n-th commit of the rotation.
VICTIM = """
import os, signal, sys
from pathlib import Path
from pos.app import create_app
from pos.services import key_rotation
from pos.store import db as store
from pos.config import load
from pos.store import keys
settings = load(Path(sys.argv[1]))
app = create_app(settings, given={})
left = [int(sys.argv[3])]
def dies():
    left[0] -= 1
    if left[0] < 0:
        os._exit(9)
def watched(function):
    def run(*given, **named):
        dies()
        answer = function(*given, **named)
        dies()
        return answer
    return run
keys.add, keys.use = watched(keys.add), watched(keys.use)
from sqlalchemy import event
from sqlalchemy.orm import Session
event.listen(Session, "before_commit", lambda _: dies())
event.listen(Session, "after_commit", lambda _: dies())
key_rotation._AT_ONCE = 2
with app.app_context():
    key_rotation.rotate(sys.argv[2], "201", "401", settings.security.key_ring, kit=app.extensions["simcounter"])
"""


@pytest.mark.parametrize("purpose", ["enc", "idx", "jrn"])
def test_c25_killed_inside_a_rotation(shop: Shop, ring: Path, config: Path, purpose: str) -> None:
    sell(shop, 5)
    numbers = shop.ask("select masked from renewals order by id")
    died = 0
    for moment in (1, 3, 4, 5, 6, 8):
        done = subprocess.run([sys.executable, "-c", VICTIM, str(config), purpose, str(moment)], check=False, capture_output=True)
        assert done.returncode in (0, 9), done.stderr.decode()
        died += done.returncode == 9
        object.__setattr__(shop.kit, "keys", keys.load(ring))
        assert findings(shop.app) == [], f"after a death at {moment}"
        if done.returncode == 0:
            break
    assert died > 2
    rotate(shop, purpose, ring)
    with shop.app.app_context():
        assert key_rotation.unfinished(kit=shop.kit) == []
        assert key_rotation.lacking(kit=shop.kit) == []
    assert findings(shop.app) == []
    assert shop.ask("select masked from renewals order by id") == numbers


def test_the_list_names_a_key_that_is_gone_and_nobody_sells(shop: Shop, config: Path, ring: Path, engine: Engine) -> None:
    sell(shop, 1)
    listed = CliRunner().invoke(main, ["--config", str(config), "keys", "list"])
    assert (listed.exit_code, "enc-1    current" in listed.output) == (0, True), listed.output
    held, now = keys._read(ring)
    keys._replace(ring, {i: k for i, k in held.items() if i != "enc-1"} | {"enc-2": bytes(32)}, now | {"enc": "enc-2"})
    listed = CliRunner().invoke(main, ["--config", str(config), "keys", "list"])
    assert (listed.exit_code, "enc-1    MISSING" in listed.output) == (1, True), listed.output
    served = CliRunner().invoke(main, ["--config", str(config), "serve"])
    assert served.exit_code == 1 and "The key ring lacks enc-1" in served.output
    keys._replace(ring, held, now)


def test_a_running_server_reads_a_key_that_came_later(folder: Path, ring: Path) -> None:
    app = create_app(settings_in(folder), given={})
    running = app.extensions["simcounter"].keys
    keys.use(ring, keys.add(ring, "enc"))
    sealed = keys.load(ring).seal("07700", "x.y:1")
    assert running.open(sealed, "x.y:1") == "07700"
    with app.app_context():
        _release(app)
