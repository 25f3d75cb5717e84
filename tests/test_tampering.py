"""The books keep what was written: whoever changes them is found, here and by people outside (docs/journal.md)."""

from __future__ import annotations

import ast
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text, update

from pos.cli import main
from pos.domain.renewals import RenewalState
from pos.services import exports, journal
from pos.services.kit import Kit
from pos.store import all_tables, shifts, witness
from pos.store.db import transaction
from tests.counter import Counter
from tests.harness import tampering
from tests.harness.result import Result

PROGRAM = Path(__file__).resolve().parents[1] / "tools" / "check_export.py"
PAGE = PROGRAM.parents[1] / "docs" / "journal.md"


def test_one_deed_of_each_kind_is_found_and_the_row_named() -> None:
    result = tampering.run(tampering.SIZES["commit"], 20261121, lambda _words: None)
    assert result.failures == []
    assert result.counts["tried"] == result.counts["found"] == result.counts["named"] > 50
    assert result.counts["forged exports"] == result.counts["exports found"] > 40


# ------------------------------------------------------------------ what is under the seal


def test_every_table_is_sealed_or_says_why_not() -> None:
    assert set(witness.SEALED) | set(witness.UNSEALED) == set(all_tables.metadata.tables)
    for name, columns in witness.SEALED.items():
        assert set(columns) <= set(all_tables.metadata.tables[name].columns.keys()), "a column that is gone needs no reason"
    money = [c for t in all_tables.metadata.sorted_tables for c in t.columns if c.name.endswith(("_minor", "currency"))]
    outside = {str(c) for c in money if c.table.name not in witness.SEALED or c.name in witness.SEALED[c.table.name]}
    assert {name.partition(".")[0] for name in outside} <= {"plans", "stores", "standings", "floats", "price_rules"}


def test_a_money_row_without_a_word_in_the_journal_is_not_written(counter: Counter) -> None:
    counter.open_shift()
    with counter.app.app_context():
        with pytest.raises(RuntimeError, match="without a word in the journal"), transaction() as session:
            shift = shifts.open_at(session, 1)
            assert shift is not None
            shift.gross_minor += 800
        with pytest.raises(RuntimeError, match="never deleted"), transaction() as session:
            session.delete(shifts.open_at(session, 1))
        with pytest.raises(RuntimeError, match="written one by one"), transaction() as session:
            session.execute(update(shifts.Shift).values(gross_minor=800))
    assert counter.verify() == []


def test_what_the_program_did_not_write_is_named_in_json(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    with counter.app.app_context(), tampering.db.engine.begin() as thief:
        thief.execute(text("UPDATE payments SET at = '2026-11-21 11:00:00.000000'"))
    assert counter.verify() == ["payment 1: it is not as it was written (payments 1)"]


# ------------------------------------------------------------------ erasure


def test_erasing_a_customer_leaves_the_books_true(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    with counter.app.app_context(), tampering.db.engine.begin() as eraser:
        eraser.execute(text("DELETE FROM number_checks"))
        eraser.execute(text("DELETE FROM identity_checks"))
        eraser.execute(text("UPDATE renewals SET number_sealed = :none, number_look_up = '', masked = ''"), {"none": b""})
    assert counter.verify() == []


def test_another_number_under_a_sale_is_found_while_the_number_is_kept(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    line = counter.app
    with line.app_context(), tampering.db.engine.begin() as thief:
        (renewal_id,) = thief.execute(text("SELECT id FROM renewals")).one()
        other = counter.kit.keys.seal("+447700900999", f"renewals.number_sealed:{renewal_id}")
        thief.execute(text("UPDATE renewals SET number_sealed = :other"), {"other": other})
    assert counter.verify() == [f"renewal {renewal_id}: its number is not the one the journal committed to"]


# ------------------------------------------------------------------ the export and people outside


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the export of a small shop, one from its second half, and its key ring."""
    folder = tmp_path_factory.mktemp("exported")
    with tampering.small_shop(folder) as shop:
        tampering.exported(shop, folder / "export.jsonl")
        kit: Kit = shop.extensions["simcounter"]
        with shop.app_context():
            day = kit.now().date()
            (folder / "part.jsonl").write_text(
                "".join(line + "\n" for line in exports.lines(day, day, kit=kit)), encoding="utf-8"
            )
        yield folder


def test_the_verifier_shares_nothing_with_the_program(place: Path, tmp_path: Path) -> None:
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "cryptography"}
    alone = tmp_path / "check_export.py"
    alone.write_bytes(PROGRAM.read_bytes())
    # -I: neither this folder nor the program's is on the path.
    for more in ([], ["--key-file", str(place / "keys.json")]):
        done = subprocess.run(
            [sys.executable, "-I", str(alone), str(place / "export.jsonl"), "--json", *more],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        counts = json.loads(done.stdout)
        assert counts["journal"] > 150 and counts["z"] == 4 and counts["row"] > 40
        assert counts["seals"] == (counts["journal"] if more else 0)


def test_a_part_begins_after_a_z_and_is_checked(place: Path) -> None:
    found = tampering.check(place / "part.jsonl", place / "keys.json")
    assert found["ok"], found


def test_nothing_personal_and_no_key_leaves_the_shop(place: Path) -> None:
    told = (place / "export.jsonl").read_text(encoding="utf-8")
    assert not re.search(r"7700 ?900|Amelia|533380006", told)
    ring = json.loads((place / "keys.json").read_text(encoding="utf-8"))
    assert not [name for name, secret in ring["keys"].items() if secret in told]


def test_a_z_signed_anew_shows_to_those_who_know_the_key(place: Path) -> None:
    """Without a pinned key the file vouches for itself; with one it does not."""
    lines = (place / "export.jsonl").read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if '"line":"public_key"' in line)
    honest = json.loads(lines[at])
    forged = honest | {"ed25519": Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()}
    lines[at] = json.dumps(forged)
    (place / "resigned.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "signature" in tampering.check(place / "resigned.jsonl")["what"]
    pinned = ("--public-key", honest["ed25519"])
    assert tampering.check(place / "export.jsonl", None, *pinned)["ok"]
    assert tampering.check(place / "resigned.jsonl", None, *pinned)["what"] == "is none of those you trust"


def test_a_file_that_is_none_is_said_in_one_sentence(tmp_path: Path) -> None:
    for content in (b"", b"{}\n", b"\xff\xfe\n", b'{"line":"end","lines":0}\n', b"[1]\n"):
        (tmp_path / "wrong").write_bytes(content)
        assert not tampering.check(tmp_path / "wrong")["ok"]


def test_forged_exports_are_found(place: Path) -> None:
    paper = (place / "export.jsonl").read_text(encoding="utf-8").splitlines()
    result = Result("exports", "all found", 7, 300)
    faults = [tampering.forged_export(paper, place, random.Random(number), result) for number in range(300)]
    assert [fault for fault in faults if fault] == []
    assert result.counts["exports found"] > 200


def test_the_page_describes_every_line_of_the_export(place: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for text_line in (place / "export.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text_line)
        assert f"`{line['line']}`" in page
        assert not [name for name in line if f"`{name}`" not in page]


def test_the_states_of_the_day_are_what_the_harness_promises(place: Path) -> None:
    told = (place / "export.jsonl").read_text(encoding="utf-8")
    kinds = set(re.findall(r'"kind":"([a-z_.]+)"', told))
    wanted = {"refund.refunded", "sale.voided", "shift.recount", "z.written", "receipt.copied", "renewal.rejected"}
    assert wanted | {f"renewal.{RenewalState.SUBMITTING}", "payment.intended"} <= kinds


# ------------------------------------------------------------------ at start-up and before each Z


def test_a_broken_chain_is_said_at_the_till_and_on_the_z_and_holds_nothing_up(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal.watch, "fault", None)
    counter.open_shift().ready_to_pay().cash("8.00")
    counter.work()
    with counter.app.app_context():
        assert journal.look_at_ends(kit=counter.kit) is None
        with tampering.db.engine.begin() as thief:
            postgresql = thief.dialect.name == "postgresql"
            thief.execute(text("ALTER TABLE journal DISABLE TRIGGER USER" if postgresql else "DROP TRIGGER journal_no_update"))
            thief.execute(text("UPDATE journal SET actor = 'staff:102' WHERE kind = 'payment.taken'"))
        said = journal.look_at_ends(kit=counter.kit)
    assert said is not None and "it was changed after it was sealed" in said
    assert "The books do not hold together" in counter.get("/").plain
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_5000": "2", "pieces_200": "4", "left_in_drawer": "100.00"})
    with counter.app.app_context(), tampering.db.engine.connect() as connection:
        (figures,) = connection.execute(text("SELECT figures FROM z_reports")).one()
        assert json.loads(figures)["journal_fault"] == said
        assert connection.execute(text("SELECT count(*) FROM journal WHERE kind = 'journal.broken'")).scalar_one() == 1
    assert counter.verify() == [said]


# ------------------------------------------------------------------ the command line


def test_the_commands_say_the_first_bad_row_and_never_replace_an_export(place: Path, tmp_path: Path) -> None:
    shutil.copy(place / "shop.sqlite3", tmp_path / "shop.sqlite3")
    ring, url = (place / "keys.json").as_posix(), (tmp_path / "shop.sqlite3").as_posix()
    config = tmp_path / "config.toml"
    config.write_text(f'demo = true\n[database]\nurl = "sqlite:///{url}"\n[security]\nkey_ring = "{ring}"\n', encoding="utf-8")

    def pos(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--config", str(config), *arguments])
        return done.exit_code, done.output

    assert pos("export", "--out", str(tmp_path / "out.jsonl"))[0] == 0
    assert tampering.check(tmp_path / "out.jsonl", place / "keys.json")["ok"]
    assert pos("export", "--out", str(tmp_path / "out.jsonl"))[0] == 1, "an export that is there is kept"
    assert pos("verify", "--json")[0] == 0
    with closing(sqlite3.connect(tmp_path / "shop.sqlite3")) as thief, thief:
        thief.execute("UPDATE drawer_counts SET total_minor = 0 WHERE id = 2")
    status, said = pos("verify", "--json")
    assert (status, json.loads(said)["first"]["row"]) == (1, "drawer_counts 2")
    assert "The first bad row: drawer_counts 2: it is not as it was written" in pos("verify")[1]
