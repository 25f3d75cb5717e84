"""Send a paid renewal once, ask about it until it is final, and never take silence for no.

Each call outside is three steps: write down that we ask, ask with nothing open, write down the answer (renewal protocol 3)."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.journal import canonical
from pos.domain.money import Money
from pos.domain.plans import sane_end
from pos.domain.renewals import ABSENT_TWICE_APART, ASKING_LATER, GIVE_UP_AFTER, RENEWAL, RenewalState, next_asking
from pos.ports import Finding, FindState, Outcome, OutcomeState, ProductKind, Reason, Request
from pos.services import receipts
from pos.services.kit import Kit
from pos.store import ledger as books
from pos.store import renewals as rows
from pos.store import sales as sale_rows
from pos.store import tills as till_rows
from pos.store.db import reading, transaction
from pos.store.keys import KeyRingUnusable
from pos.store.life import Pen, move

# Longer than any declared deadline, so that a lease never ends while its owner still listens.
_LEASE_MARGIN = timedelta(seconds=15)
_BUSY_NUMBER = timedelta(seconds=2)
# Grace on top of a declared settle window (carrier reference, rule 7).
_SETTLE_GRACE = timedelta(seconds=30)
_MOST_SENDS = 5


@dataclass(frozen=True)
class Task:
    """One thing to do at a carrier, as plain values: nothing in here belongs to a transaction."""

    renewal_id: str
    carrier: str
    fence: int
    ref: str
    request: Request | None = field(repr=False)
    provider_ref: str | None
    number: str = field(repr=False)
    sent_at: datetime


def recover(owner_prefix: str, *, kit: Kit) -> int:
    """Renewals whose sender is gone count as unknown and are asked about at once (move 11). How many there were."""
    now = kit.now()
    with reading() as session:
        if not rows.orphans(session, now, owner_prefix):
            return 0
    with transaction() as session:
        found = rows.orphans(session, now, owner_prefix)
        for renewal in found:
            _free(renewal)
            renewal.reason, renewal.due_at = Reason.NO_ANSWER.value, now
            move(session, renewal, RENEWAL, RenewalState.UNKNOWN, _pen(session, renewal, kit, now), {"why": "orphan"})
        return len(found)


def work_once(owner: str, *, kit: Kit) -> bool:
    """Take one due renewal, ask the carrier, write the answer. False when nothing is due."""
    with reading() as session:
        if not rows.something_due(session, kit.now()):
            return False
    task = take_next(owner, kit=kit)
    if task is None:
        return True
    carrier = kit.carriers[task.carrier]
    try:
        if task.request is not None:
            write_outcome(task, carrier.submit(task.request), kit=kit)
        else:
            write_finding(task, carrier.find(task.ref, task.provider_ref, task.number, task.sent_at), kit=kit)
    except UNBOOKABLE as fault:
        _give_to_a_manager(task, type(fault).__name__, kit=kit)
    return True


# Faults that the same answer would bring again for ever. Anything else (a busy database) is tried again by the lease.
UNBOOKABLE = (ArithmeticError, ValueError, TypeError, LookupError, DataError)


def _give_to_a_manager(task: Task, fault: str, *, kit: Kit) -> None:
    """An answer that cannot be booked must not be asked for again and again: the money stays in sight with a manager."""
    now = kit.now()
    with transaction() as session:
        renewal = _held(session, task, {RenewalState.SUBMITTING, RenewalState.PENDING, RenewalState.UNKNOWN})
        if renewal is None:
            return
        pen = _pen(session, renewal, kit, now)
        _free(renewal)
        if renewal.state is RenewalState.SUBMITTING:
            move(session, renewal, RENEWAL, RenewalState.UNKNOWN, pen, {"why": fault})
        _to_manual(session, renewal, pen, f"the answer cannot be booked: {fault}")


def take_next(owner: str, *, kit: Kit) -> Task | None:
    """Step one: claim, decide between sending and asking, and commit that it is about to happen (moves 7 and 14).

    A row that cannot be prepared (a seal that does not open, a key that is gone) is put off and does not hold up the rest."""
    claimed: list[str] = []
    try:
        return _claim(owner, claimed, kit)
    except (InvalidTag, KeyRingUnusable, ValueError, RuntimeError):
        now = kit.now()
        with transaction() as session:
            for renewal_id in claimed:
                renewal = rows.for_change(session, renewal_id)
                if renewal is not None and renewal.state in rows.WAITING:
                    renewal.due_at = now + ASKING_LATER
                    pen = _pen(session, renewal, kit, now)
                    pen.note(session, "renewal.put_off", "renewal", renewal_id, {"why": "it cannot be prepared"})
        return None


def _claim(owner: str, claimed: list[str], kit: Kit) -> Task | None:
    now = kit.now()
    with transaction() as session:
        renewal = rows.claim_due(session, now, owner, now + _LEASE_MARGIN)
        if renewal is None:
            return None
        claimed.append(renewal.id)
        carrier = kit.carriers.get(renewal.carrier)
        if carrier is None:
            # The configuration lost a carrier: the money stays in sight, and doctor names it.
            _free(renewal)
            renewal.due_at = now + next_asking(99)
            return None
        deadline = timedelta(seconds=carrier.declaration().deadline_seconds)
        renewal.lease_ends_at = now + deadline + _LEASE_MARGIN
        if renewal.state is RenewalState.PAID:
            return _prepare_sending(session, renewal, deadline, now, kit)
        attempt = rows.latest_attempt(session, renewal.id)
        if attempt is None:
            raise RuntimeError("a renewal in doubt has an attempt")
        if renewal.state is RenewalState.UNKNOWN and renewal.absent_times and _may_send_again(renewal, attempt, kit):
            return _send(session, renewal, attempt, deadline, now, kit)
        return _task(renewal, attempt, None, kit)


def _may_send_again(renewal: rows.Renewal, attempt: rows.Attempt, kit: Kit) -> bool:
    """Move 14: only where the carrier itself refuses twins, and not for ever."""
    return kit.carriers[renewal.carrier].declaration().enforces_unique_refs and attempt.tries < _MOST_SENDS


def _prepare_sending(session: Session, renewal: rows.Renewal, deadline: timedelta, now: datetime, kit: Kit) -> Task | None:
    if rows.number_is_busy(session, renewal.number_look_up, renewal.id):
        _free(renewal)
        renewal.due_at = now + _BUSY_NUMBER
        return None
    attempt = rows.latest_attempt(session, renewal.id) or _new_attempt(session, renewal, now)
    _post(session, renewal, ledger.on_submitting(renewal.cost), now)
    return _send(session, renewal, attempt, deadline, now, kit)


def _send(session: Session, renewal: rows.Renewal, attempt: rows.Attempt, deadline: timedelta, now: datetime, kit: Kit) -> Task:
    """Write down that this attempt is about to leave, with the time after which it can no longer take effect."""
    settle = kit.carriers[renewal.carrier].declaration().settle_window + _SETTLE_GRACE
    attempt.tries += 1
    attempt.sent_at, attempt.deadline_at, attempt.settles_at = now, now + deadline, now + deadline + settle
    renewal.absent_times, renewal.absent_since = 0, None
    content = {"ref": attempt.ref, "try": attempt.tries, "body": attempt.body_hash}
    move(session, renewal, RENEWAL, RenewalState.SUBMITTING, _pen(session, renewal, kit, now), content)
    return _sending_task(renewal, attempt, kit)


def _new_attempt(session: Session, renewal: rows.Renewal, now: datetime) -> rows.Attempt:
    """The reference is made and stored before anything is sent; it says nothing about the shop or the customer."""
    ref = "SC-" + b32encode(secrets.token_bytes(15)).decode()
    body = {
        "ref": ref,
        "product": renewal.product_key,
        "number": renewal.number_commitment,
        "face": str(renewal.face),
        "cost": str(renewal.cost),
    }
    attempt = rows.Attempt(
        renewal_id=renewal.id,
        ref=ref,
        body_hash=hashlib.sha256(canonical(body).encode()).hexdigest(),
        tries=0,
        written_at=now,
        sent_at=now,
        deadline_at=now,
        settles_at=now,
        open_renewal=renewal.id,
        open_number=renewal.number_look_up,
    )
    session.add(attempt)
    return attempt


def _task(renewal: rows.Renewal, attempt: rows.Attempt, request: Request | None, kit: Kit) -> Task:
    return Task(
        renewal_id=renewal.id,
        carrier=renewal.carrier,
        fence=renewal.fence,
        ref=attempt.ref,
        request=request,
        provider_ref=renewal.provider_ref,
        number=_number(renewal, kit),
        sent_at=attempt.sent_at,
    )


def _sending_task(renewal: rows.Renewal, attempt: rows.Attempt, kit: Kit) -> Task:
    request = Request(
        ref=attempt.ref,
        product_key=renewal.product_key,
        kind=ProductKind(renewal.kind),
        number=_number(renewal, kit),
        face=renewal.face,
        cost=renewal.cost,
    )
    return _task(renewal, attempt, request, kit)


def _number(renewal: rows.Renewal, kit: Kit) -> str:
    return kit.keys.open(renewal.number_sealed, f"renewals.number_sealed:{renewal.id}")


def write_outcome(task: Task, outcome: Outcome, *, kit: Kit) -> None:
    """Step three after sending: moves 8 to 11, guarded by the fence. Another owner's word stands; ours is dropped then."""
    now = kit.now()
    with transaction() as session:
        renewal = _held(session, task, {RenewalState.SUBMITTING})
        if renewal is None:
            return
        pen, attempt = _pen(session, renewal, kit, now), rows.latest_attempt(session, renewal.id)
        if attempt is None:
            raise RuntimeError("what was sent has an attempt")
        _free(renewal)
        _note_answer(renewal, outcome)
        if outcome.state is OutcomeState.SUCCEEDED:
            _confirm(session, renewal, attempt, outcome, task, pen, kit, source="answer")
        elif outcome.state is OutcomeState.PENDING:
            renewal.times_asked, renewal.due_at = 1, now + next_asking(0)
            move(session, renewal, RENEWAL, RenewalState.PENDING, pen, _evidence(outcome))
            _slip(session, renewal, pen, kit)
        elif outcome.state is OutcomeState.FAILED and attempt.tries == 1:
            _reject(session, renewal, attempt, outcome, pen, kit)
        elif outcome.state is OutcomeState.NOT_SENT:
            _requeue(session, renewal, attempt, outcome, pen, now, kit)
        else:
            renewal.times_asked, renewal.due_at = 1, now + next_asking(0)
            move(session, renewal, RENEWAL, RenewalState.UNKNOWN, pen, _evidence(outcome))
            _slip(session, renewal, pen, kit)


def write_finding(task: Task, finding: Finding, *, kit: Kit) -> None:
    """Step three after asking: moves 12 to 15. Nothing is decided by absence before the settle window is over."""
    now = kit.now()
    with transaction() as session:
        renewal = _held(session, task, {RenewalState.PENDING, RenewalState.UNKNOWN})
        if renewal is None:
            return
        pen, attempt = _pen(session, renewal, kit, now), rows.latest_attempt(session, renewal.id)
        if attempt is None:
            raise RuntimeError("what is asked about has an attempt")
        _free(renewal)
        renewal.due_at = now + next_asking(renewal.times_asked)
        renewal.times_asked += 1
        if finding.state is FindState.FOUND and finding.outcome is not None:
            _found(session, renewal, attempt, finding, task, pen, kit)
        elif finding.state is FindState.ABSENT and renewal.state is RenewalState.UNKNOWN:
            _absent(session, renewal, attempt, pen, now, kit)
        if renewal.state in rows.WAITING and now - (renewal.paid_at or now) > GIVE_UP_AFTER:
            _to_manual(session, renewal, pen, "24 hours of asking")


def _found(
    session: Session,
    renewal: rows.Renewal,
    attempt: rows.Attempt,
    finding: Finding,
    task: Task,
    pen: Pen,
    kit: Kit,
) -> None:
    outcome = finding.outcome
    if outcome is None:
        return
    known = _told(renewal)
    _note_answer(renewal, outcome)
    renewal.absent_times, renewal.absent_since = 0, None
    if finding.doubled:
        _to_manual(session, renewal, pen, "the carrier delivered twice under one reference")
    elif outcome.state is OutcomeState.SUCCEEDED:
        _confirm(session, renewal, attempt, outcome, task, pen, kit, source="find")
    elif outcome.state in (OutcomeState.FAILED, OutcomeState.REVERSED, OutcomeState.VOIDED):
        _reject(session, renewal, attempt, outcome, pen, kit)
    elif outcome.state is OutcomeState.PENDING and renewal.state is RenewalState.UNKNOWN:
        move(session, renewal, RENEWAL, RenewalState.PENDING, pen, _evidence(outcome))
    elif _told(renewal) != known:
        # Still not finished, but the carrier told its own number of the order, or why it takes so long.
        pen.note(session, "renewal.told", "renewal", renewal.id, _evidence(outcome))


def _absent(session: Session, renewal: rows.Renewal, attempt: rows.Attempt, pen: Pen, now: datetime, kit: Kit) -> None:
    """The carrier says that it never had the order. With enforced references the same one is sent again; otherwise
    absence must be read twice, a minute apart, after the settle window, and even then a manager decides."""
    if _may_send_again(renewal, attempt, kit):
        renewal.absent_times, renewal.due_at = renewal.absent_times + 1, now
        return
    if now < attempt.settles_at:
        return
    if renewal.absent_since is None:
        renewal.absent_since, renewal.absent_times = now, 1
        renewal.due_at = now + ABSENT_TWICE_APART
    elif now - renewal.absent_since >= ABSENT_TWICE_APART:
        _to_manual(session, renewal, pen, "absent twice after the settle window")


def _confirm(
    session: Session,
    renewal: rows.Renewal,
    attempt: rows.Attempt,
    outcome: Outcome,
    task: Task,
    pen: Pen,
    kit: Kit,
    *,
    source: str,
) -> None:
    """Moves 8 and 12, or manual when the carrier confirmed something other than what was asked (F12)."""
    if not _same(renewal, outcome, task):
        renewal.reason = "other_echo"
        if renewal.state is RenewalState.SUBMITTING:
            move(session, renewal, RENEWAL, RenewalState.UNKNOWN, pen, _evidence(outcome))
        _to_manual(session, renewal, pen, "the carrier confirmed something else")
        _slip(session, renewal, pen, kit)
        return
    renewal.valid_now = sane_end(outcome.valid_until) or renewal.valid_now
    renewal.due_at = renewal.reason = None
    _end(attempt, outcome, pen.at)
    content = {"provider_ref": renewal.provider_ref or "", "cost": renewal.cost_minor, "source": source}
    move(session, renewal, RENEWAL, RenewalState.CONFIRMED, pen, content)
    transfers = ledger.on_confirmed(renewal.cost, renewal.price, renewal.tax)
    _post(session, renewal, transfers, pen.at)
    _slip(session, renewal, pen, kit)


def _same(renewal: rows.Renewal, outcome: Outcome, task: Task) -> bool:
    """Whether the carrier repeated number, plan and amount as asked; what an answer leaves out says nothing."""
    echo = outcome.echo
    if outcome.provider_ref is None:
        return False
    if outcome.cost is not None and outcome.cost != renewal.cost:
        return False
    if echo is None:
        return True
    return (
        echo.number in (None, task.number)
        and echo.product_key in (None, renewal.product_key)
        and echo.amount in (None, renewal.face)
    )


def _reject(session: Session, renewal: rows.Renewal, attempt: rows.Attempt, outcome: Outcome, pen: Pen, kit: Kit) -> None:
    """Moves 10 or 13, and 17 in the same commit: from here on the money is owed back."""
    renewal.reason = (outcome.reason or Reason.REJECTED_OTHER).value
    renewal.due_at = None
    _end(attempt, outcome, pen.at)
    move(session, renewal, RENEWAL, RenewalState.REJECTED, pen, _evidence(outcome))
    move(session, renewal, RENEWAL, RenewalState.REFUND_DUE, pen, {"amount": renewal.price_minor})
    _post(session, renewal, ledger.on_refund_due(renewal.cost, renewal.price), pen.at)
    _slip(session, renewal, pen, kit)


def _requeue(
    session: Session, renewal: rows.Renewal, attempt: rows.Attempt, outcome: Outcome, pen: Pen, now: datetime, kit: Kit
) -> None:
    """Nothing left this machine, or a recognised "too many requests": the same attempt waits for its turn.

    A re-send of an order that may already be there goes back to asking instead."""
    attempt.tries -= 1
    wait = min(outcome.retry_after or next_asking(renewal.times_asked), ASKING_LATER)
    renewal.times_asked += 1
    renewal.due_at = now + wait
    if attempt.tries > 0:
        move(session, renewal, RENEWAL, RenewalState.UNKNOWN, pen, _evidence(outcome))
        return
    move(session, renewal, RENEWAL, RenewalState.PAID, pen, _evidence(outcome))
    _post(session, renewal, ledger.on_not_sent(renewal.cost), now)
    if now - (renewal.paid_at or now) > GIVE_UP_AFTER:
        _never_sent(session, renewal, attempt, outcome, pen, kit)


def _never_sent(session: Session, renewal: rows.Renewal, attempt: rows.Attempt, outcome: Outcome, pen: Pen, kit: Kit) -> None:
    """Nothing left this machine for a whole day: the carrier cannot have it, so the money is owed back."""
    renewal.reason, renewal.due_at = Reason.UNREACHABLE.value, None
    _end(attempt, outcome, pen.at)
    move(session, renewal, RENEWAL, RenewalState.REJECTED, pen, {"why": "never sent"})
    move(session, renewal, RENEWAL, RenewalState.REFUND_DUE, pen, {"amount": renewal.price_minor})
    _post(session, renewal, ledger.on_refund_due(Money(0, renewal.cost_currency), renewal.price), pen.at)
    _slip(session, renewal, pen, kit)


def _to_manual(session: Session, renewal: rows.Renewal, pen: Pen, why: str) -> None:
    renewal.due_at = None
    move(session, renewal, RENEWAL, RenewalState.MANUAL, pen, {"why": why})


def _end(attempt: rows.Attempt, outcome: Outcome, now: datetime) -> None:
    attempt.outcome, attempt.ended_at = outcome.state.value, now
    attempt.open_renewal = attempt.open_number = None


def _note_answer(renewal: rows.Renewal, outcome: Outcome) -> None:
    renewal.provider_ref = outcome.provider_ref or renewal.provider_ref
    renewal.operator_ref = outcome.operator_ref or renewal.operator_ref
    renewal.raw_code = outcome.raw_code[:80] if outcome.raw_code else renewal.raw_code
    renewal.reason = outcome.reason.value if outcome.reason else renewal.reason


def _told(renewal: rows.Renewal) -> tuple[str | None, ...]:
    return renewal.provider_ref, renewal.operator_ref, renewal.raw_code, renewal.reason


def _evidence(outcome: Outcome) -> dict[str, object]:
    return {
        "outcome": outcome.state.value,
        "reason": outcome.reason.value if outcome.reason else "",
        "code": (outcome.raw_code or "")[:80],
        "provider_ref": outcome.provider_ref or "",
    }


def _held(session: Session, task: Task, states: set[RenewalState]) -> rows.Renewal | None:
    known = session.get(rows.Renewal, task.renewal_id)
    if known is None:
        return None
    # The sale first, then its lines: everybody locks in this order.
    sale_rows.for_change(session, known.sale_id)
    session.expire(known)
    renewal = rows.for_change(session, task.renewal_id)
    if renewal is None or renewal.fence != task.fence or renewal.state not in states:
        return None
    return renewal


def _free(renewal: rows.Renewal) -> None:
    renewal.lease_owner = renewal.lease_ends_at = None


def _slip(session: Session, renewal: rows.Renewal, pen: Pen, kit: Kit) -> None:
    sale = session.get_one(sale_rows.Sale, renewal.sale_id)
    receipts.issue_for(session, sale, renewal, pen, kit)


def _post(session: Session, renewal: rows.Renewal, transfers: list[ledger.Transfer], now: datetime) -> None:
    sale = session.get_one(sale_rows.Sale, renewal.sale_id)
    store = session.get_one(till_rows.Store, sale.store_id).plain()
    books.post(
        session,
        transfers,
        at=now,
        business_day=store.business_day(now),
        store_id=sale.store_id,
        till_id=sale.till_id,
        carrier=renewal.carrier,
        sale_id=sale.id,
        renewal_id=renewal.id,
    )


def _pen(session: Session, renewal: rows.Renewal, kit: Kit, now: datetime) -> Pen:
    sale = session.get_one(sale_rows.Sale, renewal.sale_id)
    till = session.get_one(till_rows.Till, sale.till_id)
    return kit.worker_pen(till_rows.store_of(session, till).plain(), till.plain(), now)
