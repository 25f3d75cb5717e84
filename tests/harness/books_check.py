"""What must be true after every crash, read from the file, from the carrier's books and from the paper (protocol, section 5)."""

from __future__ import annotations

from collections import Counter

from pos.sandbox.printer import Paper, VirtualPrinter
from pos.sandbox.records import Movement
from tests.harness.clerk import Clerk, Visit
from tests.harness.machine import Machine


def after_round(clerk: Clerk, visit: Visit, papers: list[Paper], debits: list[Movement]) -> None:
    """One customer's money, renewal, receipt and paper."""
    rows, sale = clerk.machine.rows, visit.sale_id
    (state, total), *twins = rows("select state, total_minor from sales where id = ?", sale)
    assert not twins
    taken = rows("select amount_minor from payments where sale_id = ? and state = 'taken'", sale)
    lines = [line for (line,) in rows("select state from renewals where sale_id = ? and state <> 'voided'", sale)]
    receipts = Counter(kind for (kind,) in rows("select kind from receipts where sale_id = ?", sale))
    if visit.voided:
        assert (state, taken, lines, debits, papers, dict(receipts)) == ("voided", [], [], [], [], {}), (
            "a voided sale left traces"
        )
        return
    assert (state, taken) == ("paid", [(total,)]), f"paid {taken} of {total}, the sale is {state}"
    wanted = "refunded" if visit.mood == "refuse" else "confirmed"
    assert lines == [wanted], f"the renewal is {lines}"
    assert [debit.number for debit in debits] == ([] if wanted == "refunded" else [_plain(visit.number)]), f"debits {debits}"
    assert receipts["sale"] == 1, dict(receipts)
    refunds = rows("select amount_minor, state from refunds where sale_id = ?", sale)
    assert refunds == ([(total, "refunded")] if wanted == "refunded" else []), refunds
    _drawer(clerk, visit, papers, refunded=wanted == "refunded")
    _slips(clerk, visit, papers)


def _drawer(clerk: Clerk, visit: Visit, papers: list[Paper], *, refunded: bool) -> None:
    jobs = clerk.machine.rows("select id from print_jobs where sale_id = ? and kind = 'drawer'", visit.sale_id)
    movements = clerk.machine.rows("select kind, amount_minor from cash_movements where sale_id = ? order by id", visit.sale_id)
    cash = visit.tender == "cash"
    assert len(jobs) == (1 + refunded if cash else 0), f"{len(jobs)} drawer jobs"
    assert len([paper for paper in papers if paper.drawer]) <= len(jobs), "the drawer opened once too often"
    kinds = Counter(kind for kind, _ in movements)
    assert kinds["sale"] == cash and kinds["refund"] == (cash and refunded), dict(kinds)


def _slips(clerk: Clerk, visit: Visit, papers: list[Paper]) -> None:
    """Every job reached the paper at most once, and there is at most one original of each receipt."""
    jobs = clerk.machine.rows("select kind, receipt_id, state from print_jobs where kind <> 'drawer'")
    originals = Counter(receipt for kind, receipt, _ in jobs if kind == "original")
    assert all(count == 1 for count in originals.values()), f"originals {originals}"
    own = clerk.machine.rows("select state from print_jobs where kind <> 'drawer' and sale_id = ?", visit.sale_id)
    assert own, "no slip for a paid sale"
    all_papers = [paper for paper in clerk.printer.papers() if paper.png is not None]
    assert len(all_papers) <= len(jobs), f"{len(all_papers)} papers of {len(jobs)} slips"
    assert not [paper for paper in papers if paper.error and paper.complete], "the printer could not read it"


def numbers_without_gap(machine: Machine) -> None:
    """Receipts, Zs and shifts: 1, 2, 3."""
    for till, kind, count, last in machine.rows("select till_id, kind, count(*), max(sequence) from receipts group by 1, 2"):
        assert count == last, f"till {till} has {count} receipts of kind {kind}, the last is number {last}"
    for count, last in machine.rows("select count(*), max(sequence) from z_reports group by till_id"):
        assert count == last, f"{count} Zs, the last is number {last}"
    closed, reports = machine.rows(
        "select (select count(*) from shifts where state = 'closed'), (select count(*) from z_reports)"
    )[0]
    assert closed == reports, f"{closed} closed shifts and {reports} Zs"
    assert machine.rows("select count(*) from shifts where open_till_id is not null") == [(1,)], "not exactly one open shift"


def papers_never_twice(printer: VirtualPrinter) -> None:
    """Each slip has a number, or says COPY n: the same bytes twice are the same slip twice."""
    whole = Counter(paper.data for paper in printer.papers() if paper.complete and paper.png is not None)
    assert all(count == 1 for count in whole.values()), "the same slip came out twice"


def _plain(number: str) -> str:
    return "+44" + number.replace(" ", "")[1:]
