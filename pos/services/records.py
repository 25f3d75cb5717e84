"""Prove the records: moves, frozen quotes, running totals, cash row by row, originals, and who acts next (protocol 5)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from pos.domain.lives import Life
from pos.domain.payments import PAYMENT, PaymentState, Tender
from pos.domain.print_jobs import PRINT_JOB, JobKind
from pos.domain.receipt_mails import RECEIPT_MAIL
from pos.domain.refunds import REFUND, RefundState
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.sales import SALE, SaleState
from pos.domain.shifts import SHIFT, Movement
from pos.domain.verdicts import CONFLICT, VERDICT
from pos.services.pages import Page, at_once, by_pages
from pos.store import journal as journal_rows
from pos.store import print_jobs as job_rows
from pos.store import receipt_mails as mail_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import shifts as shift_rows
from pos.store import tills as till_rows
from pos.store import verdicts as verdict_rows

_LIVES: tuple[tuple[Life[Any], Any], ...] = (
    (SALE, sale_rows.Sale),
    (PAYMENT, sale_rows.Payment),
    (RENEWAL, renewal_rows.Renewal),
    (REFUND, sale_rows.Refund),
    (SHIFT, shift_rows.Shift),
    (PRINT_JOB, job_rows.PrintJob),
    (RECEIPT_MAIL, mail_rows.ReceiptMail),
    (VERDICT, verdict_rows.Verdict),
    (CONFLICT, verdict_rows.Conflict),
)


def moves() -> Iterator[str]:
    """Only moves of the tables stand in the journal, each by somebody and in a chain of its own till or office."""
    row = journal_rows.JournalRow
    for life, living in _LIVES:
        words = {str(state): state for state in {s for pair in life.moves for s in pair} | life.begins}
        about = and_(row.object_kind == life.noun, row.kind.in_([f"{life.noun}.{word}" for word in words]))
        yield from by_pages(row.object_id, partial(_moves, life, living, words, about), about)


def _moves(
    life: Life[Any], living: Any, words: dict[str, Any], about: ColumnElement[bool], session: Session, page: Page
) -> Iterator[str]:
    row = journal_rows.JournalRow
    chosen = select(row.object_id, row.kind, row.content, row.actor, row.chain).where(about, page(row.object_id))
    told = session.execute(chosen.order_by(row.object_id)).all()
    now = _states(session, living, {found.object_id for found in told})
    for object_id, group in groupby(told, key=lambda found: found.object_id):
        fault = _path(life, words, list(group), now.get(object_id))
        if fault:
            yield f"{life.noun} {object_id}: {fault}"


def _states(session: Session, living: Any, told: set[str]) -> dict[str, object]:
    """The present states of the rows that the journal tells of, by the names that it has for them."""
    numbered = living.id.type.python_type is int
    keys: list[object] = [int(name) for name in told if name.isdecimal()] if numbered else list(told)
    return {str(key): state for key, state in session.execute(select(living.id, living.state).where(living.id.in_(keys)))}


def _path(life: Life[Any], words: dict[str, Any], told: list[Any], now: object) -> str | None:
    """One road from a beginning to the present state, in whatever order the chains of several tills are read."""
    balance: Counter[object] = Counter()
    for found in told:
        if not found.actor or ":" not in found.chain:
            return f"{found.kind} names nobody or no till"
        to, was = words[found.kind.partition(".")[2]], json.loads(found.content).get("was")
        balance[to] += 1
        if was is None and to not in life.begins:
            return f"the journal says that it began as {to}"
        if was is not None:
            if (words.get(was), to) not in life.moves:
                return f"the journal tells of a move from {was} to {to}, which no table has"
            balance[words[was]] -= 1
    if now is None:
        return "the journal tells of it and it is gone"
    if {state: times for state, times in balance.items() if times} != {now: 1}:
        return f"it is {now}, and the journal's moves do not lead there"
    return None


def frozen(session: Session, page: Page) -> Iterator[str]:
    """Price, tax, cost, plan and number of a line are those of its quote, and so is the line whose money pays for it."""
    row, renewal = journal_rows.JournalRow, renewal_rows.Renewal
    chosen = select(renewal, row.content).join(
        row, (row.object_kind == "renewal") & (row.object_id == renewal.id) & (row.kind == "renewal.quoted")
    )
    for line, content in session.execute(chosen.where(page(renewal.id)).order_by(renewal.id)):
        quoted = json.loads(content)
        stands = {
            "sale": line.sale_id,
            "carrier": line.carrier,
            "plan": line.product_key,
            "price": line.price_minor,
            "tax": line.tax_minor,
            "currency": line.currency,
            "cost": line.cost_minor,
            "cost_currency": line.cost_currency,
            "number": line.number_commitment,
            "replaces": line.replaces,
        }
        changed = sorted(name for name, value in stands.items() if quoted.get(name) != value)
        if changed:
            yield f"renewal {line.id}: {', '.join(changed)} differ from what was quoted"


def running_totals(session: Session) -> Iterator[str]:
    """The totals that a shift keeps of its sales are the sums of its rows. What came in exchange for a refused line brought no
    money of its own."""
    payment, sale, renewal = sale_rows.Payment, sale_rows.Sale, renewal_rows.Renewal
    taken, card, paid = payment.state == PaymentState.TAKEN, Tender.CARD, sale.state == SaleState.PAID
    line = and_(renewal.paid_at.is_not(None), renewal.replaces.is_(None))
    sums: dict[str, dict[int, int]] = {
        "gross_minor": _by_shift(session, select(payment.shift_id, func.sum(payment.amount_minor)).where(taken)),
        "card_minor": _by_shift(
            session, select(payment.shift_id, func.sum(payment.amount_minor)).where(taken, payment.tender == card)
        ),
        "card_count": _by_shift(session, select(payment.shift_id, func.count()).where(taken, payment.tender == card)),
        "sales_count": _by_shift(session, select(sale.shift_id, func.count()).where(paid)),
        "tax_minor": _by_shift(
            session,
            select(sale.shift_id, func.sum(renewal.tax_minor)).join(renewal, renewal.sale_id == sale.id).where(paid, line),
        ),
    }
    for shift in session.scalars(select(shift_rows.Shift).order_by(shift_rows.Shift.id)):
        wrong = sorted(name for name, found in sums.items() if getattr(shift, name) != found.get(shift.id, 0))
        if wrong:
            yield f"shift {shift.id}: {', '.join(wrong)} differ from the sum of its rows"


def _by_shift(session: Session, chosen: Select[Any, int]) -> dict[int, int]:
    column = next(iter(chosen.selected_columns))
    return {row[0]: int(row[1]) for row in session.execute(chosen.where(column.is_not(None)).group_by(column))}


def cash(session: Session, page: Page) -> Iterator[str]:
    """What a customer gave and what he got back are rows of their own, one for each payment in cash."""
    payment, moved = sale_rows.Payment, shift_rows.CashMovement
    chosen = select(payment).where(payment.tender == Tender.CASH, payment.state == PaymentState.TAKEN, page(payment.id))
    for row in session.scalars(chosen.order_by(payment.id)):
        change = (row.tendered_minor or 0) - row.amount_minor
        for kind, amount in ((Movement.SALE, row.tendered_minor or 0), (Movement.CHANGE, change)):
            found = select(func.coalesce(func.sum(moved.amount_minor), 0)).where(
                moved.sale_id == row.sale_id, moved.shift_id == row.shift_id, moved.kind == kind
            )
            if int(session.scalar(found) or 0) != amount:
                yield f"payment {row.id}: the drawer's rows of {kind} are not its own"


def drawers(session: Session) -> Iterator[str]:
    """The float and what was given back in cash are rows of the drawer they came from."""
    moved, refund, shift = shift_rows.CashMovement, sale_rows.Refund, shift_rows.Shift
    given = and_(refund.state == RefundState.REFUNDED, refund.tender == Tender.CASH)
    back = _by_shift(session, select(refund.shift_id, func.sum(refund.amount_minor)).where(given))
    kinds = {
        kind: _by_shift(session, select(moved.shift_id, func.sum(moved.amount_minor)).where(moved.kind == kind))
        for kind in (Movement.FLOAT, Movement.REFUND)
    }
    for opened in session.scalars(select(shift).order_by(shift.id)):
        if kinds[Movement.FLOAT].get(opened.id, 0) != opened.float_minor:
            yield f"shift {opened.id}: its float differs from the drawer's row"
        if kinds[Movement.REFUND].get(opened.id, 0) != back.get(opened.id, 0):
            yield f"shift {opened.id}: what was given back in cash differs from the drawer's rows"


def originals(session: Session) -> Iterator[str]:
    """A slip comes out once as the original; every other is a numbered copy."""
    job = job_rows.PrintJob
    twice = select(job.receipt_id).where(job.kind == JobKind.ORIGINAL, job.receipt_id.is_not(None))
    for receipt_id in session.scalars(twice.group_by(job.receipt_id).having(func.count() > 1)):
        yield f"receipt row {receipt_id}: more than one original was sent to paper"
    for job_id in session.scalars(select(job.id).where(job.kind == JobKind.COPY, job.copy_number < 1)):
        yield f"print_job {job_id}: a copy without a number"


def somebody_acts(session: Session) -> Iterator[str]:
    """Whatever is in doubt has a next time or an owner with a deadline."""
    renewal = renewal_rows.Renewal
    waiting = select(renewal.id).where(renewal.state.in_(renewal_rows.WAITING), renewal.due_at.is_(None))
    for renewal_id in session.scalars(waiting):
        yield f"renewal {renewal_id}: in doubt without a next time"
    sending = renewal.state == RenewalState.SUBMITTING
    for renewal_id in session.scalars(select(renewal.id).where(sending, renewal.lease_ends_at.is_(None))):
        yield f"renewal {renewal_id}: being sent without an owner"


def attempts(session: Session, page: Page) -> Iterator[str]:
    """An attempt is open until it ended, and holds its own SIM as long."""
    renewal, attempt = renewal_rows.Renewal, renewal_rows.Attempt
    chosen = select(attempt, renewal.number_look_up).join(renewal, renewal.id == attempt.renewal_id)
    for row, look_up in session.execute(chosen.where(page(attempt.id)).order_by(attempt.id)):
        is_open = row.ended_at is None
        if (row.open_renewal, row.open_number) != ((row.renewal_id, look_up) if is_open else (None, None)):
            yield f"attempt {row.id}: open and ended at once, or open for another SIM"
        elif is_open and row.deadline_at < row.written_at:
            yield f"attempt {row.id}: it has no deadline"


def zs(session: Session) -> Iterator[str]:
    """Each journal row of a till up to its last Z is in exactly one Z, each Z quotes the chain as it is, and its sums are
    carried on: opening + gross = closing."""
    row, report = journal_rows.JournalRow, shift_rows.ZReport
    chosen = select(report, till_rows.Till.code).join(till_rows.Till, till_rows.Till.id == report.till_id)
    ends: dict[int, tuple[int, int]] = {}
    for found, till in session.execute(chosen.order_by(report.till_id, report.sequence)):
        last_seq, grand_total = ends.get(found.till_id, (0, 0))
        said = json.loads(found.figures)
        ends[found.till_id] = (found.last_seq, found.grand_total_minor)
        columns = ("first_seq", "last_seq", "grand_total_minor", "number", "head_mac", "previous_hash")
        names = ("first_seq", "last_seq", "grand_total", "z", "head", "previous")
        head = session.scalar(select(row.mac).where(row.chain == f"till:{till}", row.seq == found.last_seq))
        if found.first_seq != last_seq + 1:
            yield f"{found.number}: its journal rows do not begin after the Z before it"
        elif head != found.head_mac:
            yield f"{found.number}: the journal's row {found.last_seq} is not the one it quotes"
        elif found.grand_total_minor != grand_total + said["gross"]:
            yield f"{found.number}: the grand total is not the one before plus what was sold"
        elif any(getattr(found, column) != said[name] for column, name in zip(columns, names, strict=True)):
            yield f"{found.number}: its columns are not its figures"


def checks() -> Iterator[tuple[str, Iterator[str]]]:
    """Each with what it is about."""
    yield "quotes", by_pages(renewal_rows.Renewal.id, frozen)
    yield "totals of shifts", at_once(running_totals)
    yield "cash", by_pages(sale_rows.Payment.id, cash)
    yield "cash of shifts", at_once(drawers)
    yield "originals", at_once(originals)
    yield "who acts next", at_once(somebody_acts)
    yield "attempts of renewals", by_pages(renewal_rows.Attempt.id, attempts)
    yield "Z reports and the journal", at_once(zs)
