"""Send a paid renewal once, ask about it until it is final, and never take silence for no.

Each call outside is three steps: write down that we ask, ask with nothing open, write down the answer (renewal protocol 3)."""

from __future__ import annotations

from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.plans import sane_end
from pos.domain.renewals import ABSENT_TWICE_APART, ASKING_LATER, GIVE_UP_AFTER, RENEWAL, RenewalState, next_asking
from pos.ports import Carrier, Finding, FindState, Outcome, OutcomeState, Reason, Request
from pos.services import settling, standings
from pos.services.kit import Kit
from pos.services.sending import Task, asked_for_a_day, may_confirm_again, may_send_again, question, recover, take_next
from pos.services.settling import Case, evidence
from pos.store import renewals as rows
from pos.store.db import reading, retried, transaction
from pos.store.life import move

__all__ = [
    "UNBOOKABLE",
    "Task",
    "ask_the_silent",
    "look_again",
    "recover",
    "take_next",
    "work_once",
    "write_finding",
    "write_outcome",
]

_ASKED = frozenset({RenewalState.PENDING, RenewalState.UNKNOWN})
_GIVEN_BACK = (OutcomeState.REVERSED, OutcomeState.VOIDED)


def work_once(owner: str, *, kit: Kit) -> bool:
    """Take one due renewal, ask the carrier, write the answer. False when nothing is due."""
    with reading() as session:
        if not rows.something_due(session, kit.now()):
            return False
    claimed: list[str] = []
    task = take_next(owner, kit=kit, claimed=claimed)
    if task is None:
        # Nothing free: others hold what is due, and whatever they leave is still due at the next look.
        return bool(claimed)
    carrier = kit.carriers[task.carrier]
    try:
        if task.request is not None:
            write_outcome(task, _send(carrier, task, task.request), kit=kit)
        else:
            write_finding(task, carrier.find(task.ref, task.provider_ref, task.number, task.sent_at), kit=kit)
    except UNBOOKABLE as fault:
        _give_to_a_manager(task, type(fault).__name__, kit=kit)
    return True


def _send(carrier: Carrier, task: Task, request: Request) -> Outcome:
    """What is held already is confirmed; everything else is sent."""
    if task.confirms and task.provider_ref is not None:
        return carrier.confirm(task.ref, task.provider_ref, task.number)
    return carrier.submit(request)


# Faults that the same answer would bring again for ever. Anything else (a busy database) is tried again by the lease.
UNBOOKABLE = (ArithmeticError, ValueError, TypeError, LookupError, DataError)


@retried
def _give_to_a_manager(task: Task, fault: str, *, kit: Kit) -> None:
    """An answer that cannot be booked must not be asked for again and again: the money stays in sight with a manager."""
    with transaction() as session:
        case = _held(session, task, _ASKED | {RenewalState.SUBMITTING}, kit)
        if case is not None:
            settling.hand_to_manager(case, f"the answer cannot be booked: {fault}")


# ------------------------------------------------------------------ what sending brought


@retried
def write_outcome(task: Task, outcome: Outcome, *, kit: Kit) -> None:
    """Step three after sending: moves 8 to 11, guarded by the fence. Another owner's word stands; ours is dropped then."""
    with transaction() as session:
        case = _held(session, task, frozenset({RenewalState.SUBMITTING}), kit)
        if case is None:
            return
        settling.note_answer(case.renewal, outcome)
        if outcome.state is OutcomeState.SUCCEEDED:
            _confirm(case, outcome, task, "answer")
        elif outcome.state is OutcomeState.FAILED and case.attempt.tries == 1:
            _reject(case, outcome)
        elif outcome.state is OutcomeState.NOT_SENT:
            _requeue(case, outcome)
        elif outcome.state is OutcomeState.VOIDED and case.attempt.held_as is not None:
            _send_anew(case, outcome)
        else:
            _ask_later(case, outcome)
        _watch_the_float(case, outcome)


def _send_anew(case: Case, outcome: Outcome) -> None:
    """What was held is over and nothing was delivered: the next attempt is sent like any other, under a reference of its own."""
    settling.end(case.attempt, settling.LAPSED, case.now)
    case.renewal.due_at, case.renewal.provider_ref, case.renewal.reason = case.now, None, None
    case.renewal.absent_times = 0
    move(case.session, case.renewal, RENEWAL, RenewalState.PAID, case.pen, evidence(outcome))
    settling.post(case, ledger.on_not_sent(case.renewal.cost))


def _ask_later(case: Case, outcome: Outcome) -> None:
    """Moves 9 and 11: accepted and not finished, or no usable answer."""
    case.renewal.times_asked, case.renewal.due_at = 1, case.now + next_asking(0)
    state = RenewalState.PENDING if outcome.state is OutcomeState.PENDING else RenewalState.UNKNOWN
    move(case.session, case.renewal, RENEWAL, state, case.pen, evidence(outcome))
    settling.slip(case)


def _requeue(case: Case, outcome: Outcome) -> None:
    """Nothing left this machine, we were not let in, or a recognised "too many requests": the same attempt waits for its turn.

    A re-send of an order that may already be there goes back to asking instead."""
    renewal, attempt = case.renewal, case.attempt
    attempt.tries -= 1
    wait = min(outcome.retry_after or next_asking(renewal.times_asked), ASKING_LATER)
    renewal.times_asked += 1
    renewal.due_at = case.now + wait
    if attempt.tries > 0:
        move(case.session, renewal, RENEWAL, RenewalState.UNKNOWN, case.pen, evidence(outcome))
        return
    move(case.session, renewal, RENEWAL, RenewalState.PAID, case.pen, evidence(outcome))
    settling.post(case, ledger.on_not_sent(renewal.cost))
    if case.now - (renewal.paid_at or case.now) > GIVE_UP_AFTER:
        # Nothing got through for a whole day: the carrier cannot have it, so the money is owed back.
        settling.reject(case, Reason.UNREACHABLE.value, {"why": "never sent"}, never_sent=True)


# ------------------------------------------------------------------ what asking brought


@retried
def write_finding(task: Task, finding: Finding, *, kit: Kit) -> None:
    """Step three after asking: moves 12 to 15. Nothing is decided by absence before the settle window is over."""
    with transaction() as session:
        case = _held(session, task, _ASKED, kit)
        if case is None:
            return
        renewal = case.renewal
        renewal.due_at = case.now + next_asking(renewal.times_asked)
        renewal.times_asked += 1
        if finding.state is FindState.FOUND and finding.outcome is not None:
            _found(case, finding, finding.outcome, task)
        elif finding.state is FindState.ABSENT and renewal.state is RenewalState.UNKNOWN:
            _absent(case)
        if renewal.state in rows.WAITING and asked_for_a_day(case.attempt, case.now):
            settling.hand_to_manager(case, "24 hours of asking")
        standings.heard_asking(session, task.carrier, finding.state is not FindState.CANNOT_TELL, case.now)


def _found(case: Case, finding: Finding, outcome: Outcome, task: Task) -> None:
    renewal = case.renewal
    known = _told(renewal)
    settling.note_answer(renewal, outcome)
    renewal.absent_times, renewal.absent_since = 0, None
    if finding.doubled:
        settling.hand_to_manager(case, "the carrier delivered twice under one reference")
    elif outcome.state is OutcomeState.SUCCEEDED:
        _confirm(case, outcome, task, "find")
    elif not _echoes(renewal, outcome, task):
        _other_body(case, outcome)
    elif case.attempt.held_as is not None and outcome.state is OutcomeState.HELD:
        # Our confirmation never got there: it is said again at once, but not for ever. After that its end is waited for.
        if may_confirm_again(case.attempt):
            renewal.absent_times, renewal.due_at = 1, case.now
        case.pen.note(case.session, "renewal.told", "renewal", renewal.id, evidence(outcome))
    elif case.attempt.held_as is not None and outcome.state is OutcomeState.VOIDED and renewal.state is RenewalState.UNKNOWN:
        _send_anew(case, outcome)
    elif outcome.state is OutcomeState.FAILED or outcome.state in _GIVEN_BACK:
        _reject(case, outcome)
        _watch_the_float(case, outcome)
    elif outcome.state is OutcomeState.PENDING and renewal.state is RenewalState.UNKNOWN:
        move(case.session, renewal, RENEWAL, RenewalState.PENDING, case.pen, evidence(outcome))
    elif _told(renewal) != known:
        # Still not finished, but the carrier told its own number of the order, or why it takes so long.
        case.pen.note(case.session, "renewal.told", "renewal", renewal.id, evidence(outcome))


def _told(renewal: rows.Renewal) -> tuple[str | None, ...]:
    return renewal.provider_ref, renewal.operator_ref, renewal.raw_code, renewal.reason


def _absent(case: Case) -> None:
    """The carrier says that it never had the order. With enforced references the same one is sent again; otherwise
    absence must be read twice, a minute apart, after the settle window, and even then a manager decides."""
    renewal, now = case.renewal, case.now
    if may_send_again(renewal, case.attempt, case.kit):
        renewal.absent_times, renewal.due_at = renewal.absent_times + 1, now
        return
    if now < case.attempt.settles_at:
        return
    if renewal.absent_since is None:
        renewal.absent_since, renewal.absent_times = now, 1
        renewal.due_at = now + ABSENT_TWICE_APART
    elif now - renewal.absent_since >= ABSENT_TWICE_APART:
        settling.hand_to_manager(case, "absent twice after the settle window")


def look_again(renewal_id: str, *, kit: Kit) -> FindState | None:
    """Ask the carrier once more about a renewal, also about one that seems to be over (F18, F19). What it said, or None when
    nobody was asked: the worker is at it now, or it was never sent.

    One that is still in doubt is only made due: the worker asks, as always. Power cut: the question changes nothing."""
    with transaction() as session:
        case = settling.take_up(session, renewal_id, kit)
        if case is None or case.renewal.carrier not in kit.carriers:
            return None
        if case.renewal.state in rows.WAITING:
            case.renewal.due_at = case.now
            waiting = True
        else:
            waiting = False
        task = question(case.renewal, case.attempt, kit)
    if waiting:
        kit.bell.set()
        return None
    finding = kit.carriers[task.carrier].find(task.ref, task.provider_ref, task.number, task.sent_at)
    with transaction() as session:
        case = settling.take_up(session, renewal_id, kit)
        if case is not None and finding.outcome is not None and case.renewal.fence == task.fence + 1:
            _write_late(case, finding.outcome, task)
        standings.heard_asking(session, task.carrier, finding.state is not FindState.CANNOT_TELL, kit.now())
    return finding.state


def _write_late(case: Case, outcome: Outcome, task: Task) -> None:
    """Move 20, a code that was still missing, or the alarm about a success that comes too late."""
    if case.renewal.state is RenewalState.CONFIRMED and outcome.state in _GIVEN_BACK and _echoes(case.renewal, outcome, task):
        settling.reverse(case, evidence(outcome) | {"source": "find"})
    elif outcome.state is OutcomeState.SUCCEEDED and case.renewal.state is RenewalState.CONFIRMED:
        if _echoes(case.renewal, outcome, task):
            settling.deliver(case, outcome.fulfilment)
    elif outcome.state is OutcomeState.SUCCEEDED:
        settling.contradict(case, outcome.provider_ref or "", "find")


def ask_the_silent(*, kit: Kit) -> None:
    """Carriers that could not be asked are asked about their latest order, so that selling goes on as soon as they answer,
    also when nothing of theirs is in doubt any more."""
    for name, carrier in kit.carriers.items():
        with reading() as session:
            found = rows.latest_sent(session, name) if standings.is_silent(session, name) else None
            task = question(found[0], found[1], kit) if found is not None else None
        if task is None:
            continue
        finding = carrier.find(task.ref, task.provider_ref, task.number, task.sent_at)
        if finding.state is not FindState.CANNOT_TELL:
            with transaction() as session:
                standings.heard_asking(session, name, True, kit.now())


# ------------------------------------------------------------------ what was said, held against what was asked


def _confirm(case: Case, outcome: Outcome, task: Task, source: str) -> None:
    """Moves 8 and 12, or manual when the carrier confirmed something other than what was asked (F12)."""
    renewal = case.renewal
    if outcome.provider_ref is None or outcome.cost not in (None, renewal.cost) or not _echoes(renewal, outcome, task):
        _other_body(case, outcome)
        return
    renewal.valid_now = sane_end(outcome.valid_until) or renewal.valid_now
    settling.confirm(case, {"source": source}, outcome.fulfilment)


def _echoes(renewal: rows.Renewal, outcome: Outcome, task: Task) -> bool:
    """Whether the carrier repeated number, plan and amount as asked; what an answer leaves out says nothing."""
    echo = outcome.echo
    return echo is None or (
        # A new eSIM has no number that could be repeated; what it has now is not what we asked for.
        (not task.number or echo.number in (None, task.number))
        and echo.product_key in (None, renewal.product_key)
        and echo.amount in (None, renewal.face)
    )


def _other_body(case: Case, outcome: Outcome) -> None:
    """F12 and F23: under our reference the carrier has something that we did not ask for."""
    case.renewal.reason = "other_echo"
    settling.hand_to_manager(case, "the carrier has something else under our reference", evidence(outcome))
    settling.slip(case)


def _reject(case: Case, outcome: Outcome) -> None:
    settling.reject(case, (outcome.reason or Reason.REJECTED_OTHER).value, evidence(outcome))


def _watch_the_float(case: Case, outcome: Outcome) -> None:
    """F21: our own money at the carrier is used up, which every till has to know."""
    if outcome.reason is Reason.WALLET_EMPTY:
        standings.ran_dry(case.session, case.renewal, case.pen)


def _held(session: Session, task: Task, states: frozenset[RenewalState], kit: Kit) -> Case | None:
    """The renewal of a task, if it is still this owner's."""
    renewal = settling.lock(session, task.renewal_id)
    if renewal is None or renewal.fence != task.fence or renewal.state not in states:
        return None
    attempt = rows.latest_attempt(session, renewal.id)
    if attempt is None:
        raise RuntimeError("what was sent has an attempt")
    settling.free(renewal)
    return Case(session, renewal, attempt, settling.pen_of(session, renewal, kit, kit.now()), kit)
