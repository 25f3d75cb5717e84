"""The audit trail as managers, owners and auditors read it: in words, by day, kind, person and thing, and never unseen."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date

import pytest
from sqlalchemy import text

from pos.domain.happenings import HAPPENINGS
from pos.domain.permissions import Role
from pos.services import audit, staff
from pos.services.audit import Filters, Happened
from pos.store import audit as rows
from pos.store.db import db, reading
from tests.conftest import LONDON_NOON
from tests.counter import Counter, Page

DAY = "2026-11-21"
pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture
def sold(counter: Counter) -> Counter:
    """A paid and confirmed sale at LON1."""
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    return counter


@pytest.fixture
def manager(sold: Counter) -> Counter:
    return in_english(Counter(sold.app, till="LON2", staff="201"))


def in_english(person: Counter) -> Counter:
    person.post("/language", {"language": "en", "next": "/"})
    return person


def look(reader: Counter, **fields: str) -> Page:
    reader.get("/audit")
    return reader.post("/audit", {"day": DAY, **fields})


def kinds_of(page: Page) -> list[str]:
    """The sentences of the rows, newest first."""
    return [part.strip() for part in re.findall(r"</time><span>([^<]+)<span", re.sub(r"\s+", " ", page.text))]


def test_a_sale_is_read_in_words(manager: Counter) -> None:
    page = look(manager, about="LON1-000001")
    assert page.status == 200
    for kind in ("sale.draft", "sale.paid", "payment.taken", "renewal.submitting", "renewal.confirmed"):
        assert HAPPENINGS[kind] in page.plain, kind
    assert "was" in page.plain and "tendering" not in page.plain
    assert "7700" not in page.text and "533380006" not in page.text, "nothing personal"


def test_filters_leave_out_the_rest(manager: Counter) -> None:
    assert HAPPENINGS["sale.paid"] not in timeline(look(manager, kind="staff.signed_in"))
    assert HAPPENINGS["staff.signed_in"] in timeline(look(manager, kind="staff.signed_in"))
    by_clerk = timeline(look(manager, person="101"))
    assert HAPPENINGS["sale.paid"] in by_clerk and HAPPENINGS["renewal.confirmed"] not in by_clerk
    assert "Nothing of this kind" in look(manager, day="2026-11-20").plain
    assert "Nothing of this kind" in look(manager, about="LON1-000999").plain
    assert HAPPENINGS["rows.sealed"] not in timeline(look(manager)), "the seals are for the verifier"


def timeline(page: Page) -> str:
    return page.text.partition('class="timeline"')[2]


@pytest.mark.parametrize("day", ["21.11.2026", "2026-13-01", "x", "2026-11-21T00"])
def test_what_is_no_day_is_said_at_the_field(manager: Counter, day: str) -> None:
    page = look(manager, day=day)
    assert page.status == 422 and ("This is not a day" in page.plain or "too long" in page.plain.lower())


def test_each_look_and_each_export_is_written_down(manager: Counter) -> None:
    look(manager, about="+447700900123", person="101")
    manager.client.post("/audit/export", data={"csrf_token": manager.page.hidden("csrf_token"), "day": DAY})
    with manager.app.app_context(), reading() as session:
        told = session.execute(text("select kind, actor, content from journal where kind like 'audit.%' order by seq")).fetchall()
    assert [(kind, actor) for kind, actor, _ in told] == [("audit.seen", "staff:201"), ("audit.exported", "staff:201")]
    assert not any("7700900123" in content for *_, content in told), "what was typed is not kept"
    assert json.loads(told[0][2])["by_object"] is True
    assert manager.verify() == []


def test_a_manager_reads_the_own_store_and_owner_and_auditor_all(manager: Counter) -> None:
    kiosk = Counter(manager.app, till="HKG1", staff="301").open_shift("1000.00")
    with manager.app.app_context():
        staff.add("901", "Auditor", Role.AUDITOR, None, "408162", "en", kit=manager.kit)
        desks = {number: _desk(manager, till, number) for till, number in (("LON2", "201"), ("LON2", "801"), ("LON2", "901"))}
        seen = {
            number: {row.chain for row in audit.find(Filters(date(2026, 11, 21)), "", desk, kit=manager.kit).rows}
            for number, desk in desks.items()
        }
    assert kiosk.page.status == 200
    assert "till:HKG1" not in seen["201"] and "till:LON1" in seen["201"]
    assert {"till:HKG1", "till:LON1"} <= seen["801"] & seen["901"]


def _desk(counter: Counter, till: str, number: str) -> object:
    from sqlalchemy import select

    from pos.domain.tills import Desk
    from pos.store import staff as staff_rows
    from pos.store import tills as till_rows

    with reading() as session:
        row = till_rows.till_by_code(session, till)
        assert row is not None
        person = session.scalars(select(staff_rows.Staff).where(staff_rows.Staff.number == number)).one()
        return Desk(till_rows.store_of(session, row).plain(), row.plain(), person.plain())


def test_a_clerk_does_not_read_it(sold: Counter) -> None:
    assert sold.get("/audit").status == 403
    sold.get("/")
    assert sold.post("/audit", {"day": DAY}).status == 403
    assert "/audit" not in sold.get("/").text


def test_pages_follow_each_other_without_gap_or_twin(manager: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most rows of this day have one moment: the chain and the number within it decide."""
    monkeypatch.setattr(audit, "PAGE", 7)
    with manager.app.app_context():
        desk = _desk(manager, "LON2", "201")
        filters, after, seen, pages = Filters(date(2026, 11, 21)), "", [], 0
        while True:
            found = audit.find(filters, after, desk, kit=manager.kit)  # type: ignore[arg-type]
            seen += [(row.chain, row.seq) for row in found.rows if not row.kind.startswith("audit.")]
            pages += 1
            if found.more is None:
                break
            after = found.more
        with reading() as session:
            wanted = session.execute(
                text(
                    "select chain, seq from journal where kind <> 'rows.sealed' and kind not like 'audit.%' and business_day = :d"
                ),
                {"d": DAY},
            ).fetchall()
    assert len(seen) == len(set(seen))
    assert {tuple(row) for row in wanted if not row[0].endswith((":all", ":HKG", ":HKG1"))} == set(seen)
    assert pages > 3


@pytest.mark.parametrize("after", ["x", "2026-11-21", "2026-11-21T12:00:00 1 till:LON1", "9999-99-99 1 x", " ", "a b c"])
def test_a_place_that_is_none_is_the_first_page(manager: Counter, after: str) -> None:
    assert look(manager, after=after).status == 200


def test_a_table_has_no_formulas(manager: Counter) -> None:
    sold = [Happened(LONDON_NOON, "till:LON1", 1, "x.y", bad, bad, bad, bad, (("reason", bad),)) for bad in FORMULAS]
    for row in list(csv.reader(io.StringIO(audit.as_csv(sold))))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")) for cell in row), row
    page = look(manager)
    answer = manager.client.post(
        "/audit/export", data={"csrf_token": page.hidden("csrf_token"), "day": DAY, "form": "csv", "about": "LON1-000001"}
    )
    assert answer.headers["Content-Disposition"] == f'attachment; filename="audit-{DAY}.csv"'
    table = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert table[0]["kind"] == "sale.draft" and "renewal.confirmed" in {row["kind"] for row in table}
    found = manager.client.post("/audit/export", data={"csrf_token": page.hidden("csrf_token"), "day": DAY, "form": "json"})
    assert {"at", "chain", "seq", "kind", "words", "actor", "details"} <= set(json.loads(found.get_data())[0])


FORMULAS = ("=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1")


def test_every_question_ends_at_an_index(manager: Counter) -> None:
    """The plan of each question, and that nothing is sorted but one day: a million rows before it cost nothing."""
    asked = {
        "day": rows.Asked(["till:LON1", "office:LON"], date(2026, 11, 21), "", "", None, "", 51),
        "all": rows.Asked(None, date(2026, 11, 21), "sale.paid", "staff:101", None, rows.place(LONDON_NOON, "till:LON1", 9), 51),
        "thing": rows.Asked(None, None, "", "", rows.anything_called("x"), "", 51),
    }
    with manager.app.app_context(), db.engine.connect() as connection:
        for name, question in asked.items():
            compiled = rows.question(question).compile(db.engine, compile_kwargs={"literal_binds": True})
            plan = [step[3] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
            assert not any(step.startswith("SCAN journal") for step in plan), (name, plan)
            used = [step for step in plan if "USING INDEX" in step]
            assert used and all("ix_journal" in step for step in used), (name, plan)


def test_everything_the_journal_is_about_can_be_asked_for(manager: Counter) -> None:
    with manager.app.app_context(), reading() as session:
        about = set(session.scalars(text("select distinct object_kind from journal")))
    assert about <= set(rows.KINDS)
