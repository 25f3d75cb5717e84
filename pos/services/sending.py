"""Step one of every call to a carrier: claim a renewal, write down what is about to be sent or asked, and commit.

What was claimed and never came back is found again here, because the claim is a row with an end."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.deliveries import wire_number
from pos.domain.holds import CONFIRM_BEFORE_END, HOLD, HoldState
from pos.domain.journal import canonical
from pos.domain.renewals import ASKING_LATER, GIVE_UP_AFTER, RENEWAL, RenewalState, next_asking
from pos.ports import Capability, ProductKind, Reason, Request
from pos.services.kit import Kit
from pos.services.settling import Case, free, hand_to_manager, pen_of, post, reject
from pos.store import holds
from pos.store import renewals as rows
from pos.store.db import reading, retried, transaction
from pos.store.holds import Hold
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
    # The carrier holds it already: it is to be confirmed, not sent.
    confirms: bool = False


def recover(owner_prefix: str, *, kit: Kit) -> int:
    """Renewals whose sender is gone count as unknown and are asked about at once (move 11). How many there were."""
    now = kit.now()
    with reading() as session:
        found = rows.orphans(session, now, owner_prefix)
    return sum(_own_orphan(renewal_id, owner_prefix, now, kit) for renewal_id in found)


@retried
def _own_orphan(renewal_id: str, owner_prefix: str, now: datetime, kit: Kit) -> bool:
    """False where another worker was first."""
    with transaction() as session:
        renewal = rows.still_orphan(session, renewal_id, now, owner_prefix)
        if renewal is None:
            return False
        free(renewal)
        renewal.reason, renewal.due_at = Reason.NO_ANSWER.value, now
        move(session, renewal, RENEWAL, RenewalState.UNKNOWN, pen_of(session, renewal, kit, now), {"why": "orphan"})
        return True


def take_next(owner: str, *, kit: Kit, claimed: list[str] | None = None) -> Task | None:
    """Step one: claim, decide between sending and asking, and commit that it is about to happen (moves 7 and 14).

    A row that cannot be prepared (a seal that does not open, a key that is gone) is put off and does not hold up the rest.
    ``claimed`` gets the renewal that was looked at, whatever became of it."""
    claimed = [] if claimed is None else claimed
    try:
        return _claim(owner, claimed, kit)
    except (InvalidTag, KeyRingUnusable, ValueError, RuntimeError):
        for renewal_id in claimed:
            _put_off(renewal_id, kit)
        return None


@retried
def _put_off(renewal_id: str, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        renewal = rows.for_change(session, renewal_id)
        if renewal is not None and renewal.state in rows.WAITING:
            renewal.due_at = now + ASKING_LATER
            pen = pen_of(session, renewal, kit, now)
            pen.note(session, "renewal.put_off", "renewal", renewal_id, {"why": "it cannot be prepared"})


@retried
def _claim(owner: str, claimed: list[str], kit: Kit) -> Task | None:
    now = kit.now()
    with transaction() as session:
        renewal = rows.claim_due(session, now, owner, now + _LEASE_MARGIN)
        if renewal is None:
            return None
        claimed[:] = [renewal.id]
        carrier = kit.carriers.get(renewal.carrier)
        if carrier is None:
            # The configuration lost a carrier: the money stays in sight, and doctor names it.
            free(renewal)
            renewal.due_at = now + next_asking(99)
            return None
        deadline = timedelta(seconds=carrier.declaration().deadline_seconds)
        renewal.lease_ends_at = now + deadline + _LEASE_MARGIN
        if renewal.state is RenewalState.PAID:
            return _prepare_sending(session, renewal, deadline, now, kit)
        attempt = rows.latest_attempt(session, renewal.id)
        if attempt is None:
            raise RuntimeError("a renewal in doubt has an attempt")
        again = may_send_again(renewal, attempt, kit) or may_confirm_again(attempt)
        if renewal.state is RenewalState.UNKNOWN and renewal.absent_times and again:
            return _send(session, renewal, attempt, deadline, now, kit)
        return question(renewal, attempt, kit)


def may_send_again(renewal: rows.Renewal, attempt: rows.Attempt, kit: Kit) -> bool:
    """Move 14: only where the carrier itself refuses twins, and not for ever: it may forget references."""
    enforced = kit.carriers[renewal.carrier].declaration().enforces_unique_refs
    return enforced and attempt.tries < _MOST_SENDS and not asked_for_a_day(attempt, kit.now())


def asked_for_a_day(attempt: rows.Attempt, now: datetime) -> bool:
    """Whether asking goes over to a manager. The day begins when the order first left, however long it had been waiting."""
    return now - attempt.written_at > GIVE_UP_AFTER


def may_confirm_again(attempt: rows.Attempt) -> bool:
    """What is held can be delivered once and no more, so saying so again does no harm."""
    return attempt.held_as is not None and attempt.tries < _MOST_SENDS


def _prepare_sending(session: Session, renewal: rows.Renewal, deadline: timedelta, now: datetime, kit: Kit) -> Task | None:
    if rows.number_is_busy(session, renewal.number_look_up, renewal.id):
        free(renewal)
        renewal.due_at = now + _BUSY_NUMBER
        if now - (renewal.paid_at or now) > GIVE_UP_AFTER:
            _give_up(session, renewal, now, kit)
        return None
    pen = pen_of(session, renewal, kit, now)
    attempt = rows.latest_attempt(session, renewal.id)
    if attempt is None or attempt.ended_at is not None:
        may_be_held = Capability.HOLD in kit.carriers[renewal.carrier].declaration().capabilities
        attempt = _new_attempt(session, renewal, now, _use_hold(session, renewal, pen) if may_be_held else None)
    post(Case(session, renewal, attempt, pen, kit), ledger.on_submitting(renewal.cost))
    return _send(session, renewal, attempt, deadline, now, kit)


def _give_up(session: Session, renewal: rows.Renewal, now: datetime, kit: Kit) -> None:
    """The renewal before it on this SIM waits for a manager, who may take days; this customer need not. Nothing of his was
    ever sent, so the money is owed back."""
    attempt = rows.latest_attempt(session, renewal.id)
    if attempt is None:
        attempt = _new_attempt(session, renewal, now)
        attempt.open_renewal = attempt.open_number = None
    case = Case(session, renewal, attempt, pen_of(session, renewal, kit, now), kit)
    reject(case, Reason.UNREACHABLE.value, {"why": "never sent"}, never_sent=True)


def leave_to_people(session: Session, renewal: rows.Renewal, why: str, now: datetime, kit: Kit) -> bool:
    """A paid renewal that the carrier may have had already, under a reference that these books do not know, is not sent: a
    manager decides it. False for one that is held, which can be delivered once and no more, however often it is confirmed."""
    hold = holds.of_renewal(session, renewal.id)
    if hold is not None and hold.state is HoldState.HELD:
        return False
    busy = rows.number_is_busy(session, renewal.number_look_up, renewal.id)
    attempt = rows.latest_attempt(session, renewal.id)
    if attempt is None or attempt.ended_at is not None:
        attempt = _new_attempt(session, renewal, now)
        if busy:
            attempt.open_number = None
    attempt.tries += 1
    attempt.sent_at = attempt.deadline_at = attempt.settles_at = now
    pen = pen_of(session, renewal, kit, now)
    case = Case(session, renewal, attempt, pen, kit)
    post(case, ledger.on_submitting(renewal.cost))
    move(session, renewal, RENEWAL, RenewalState.SUBMITTING, pen, {"ref": attempt.ref, "why": why})
    free(renewal)
    hand_to_manager(case, why)
    return True


def _send(session: Session, renewal: rows.Renewal, attempt: rows.Attempt, deadline: timedelta, now: datetime, kit: Kit) -> Task:
    """Write down that this attempt is about to leave, with the time after which it can no longer take effect."""
    settle = kit.carriers[renewal.carrier].declaration().settle_window + _SETTLE_GRACE
    if attempt.tries == 0:
        attempt.written_at = now  # what came back unsent never left
    attempt.tries += 1
    attempt.sent_at, attempt.deadline_at, attempt.settles_at = now, now + deadline, now + deadline + settle
    renewal.absent_times, renewal.absent_since = 0, None
    content = {"ref": attempt.ref, "try": attempt.tries, "body": attempt.body_hash}
    move(session, renewal, RENEWAL, RenewalState.SUBMITTING, pen_of(session, renewal, kit, now), content)
    return _sending_task(renewal, attempt, kit)


def _use_hold(session: Session, renewal: rows.Renewal, pen: Pen) -> Hold | None:
    """The hold to confirm for a paid renewal, now used; None where there is none, or it would end before the answer."""
    hold = holds.of_renewal(session, renewal.id)
    if hold is None or hold.state is not HoldState.HELD:
        return None
    if hold.held_until is not None and hold.held_until - pen.at < CONFIRM_BEFORE_END:
        return None
    move(session, hold, HOLD, HoldState.USED, pen, {"renewal": renewal.id})
    return hold


def new_ref() -> str:
    """Our reference at the carrier; it says nothing about the shop or the customer."""
    return "SC-" + b32encode(secrets.token_bytes(15)).decode()


def _new_attempt(session: Session, renewal: rows.Renewal, now: datetime, hold: Hold | None = None) -> rows.Attempt:
    """The reference is made and stored before anything is sent; what is held has one already."""
    ref = new_ref() if hold is None else hold.ref
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
        held_as=None if hold is None else hold.provider_ref,
    )
    session.add(attempt)
    return attempt


def question(renewal: rows.Renewal, attempt: rows.Attempt, kit: Kit) -> Task:
    """What the carrier has to be told to look an order up."""
    return _task(renewal, attempt, None, kit)


def _task(renewal: rows.Renewal, attempt: rows.Attempt, request: Request | None, kit: Kit) -> Task:
    return Task(
        confirms=attempt.held_as is not None,
        renewal_id=renewal.id,
        carrier=renewal.carrier,
        fence=renewal.fence,
        ref=attempt.ref,
        request=request,
        provider_ref=attempt.held_as or renewal.provider_ref,
        number=number_of(renewal, kit),
        sent_at=attempt.sent_at,
    )


def _sending_task(renewal: rows.Renewal, attempt: rows.Attempt, kit: Kit) -> Task:
    request = Request(
        ref=attempt.ref,
        product_key=renewal.product_key,
        kind=ProductKind(renewal.kind),
        number=number_of(renewal, kit),
        face=renewal.face,
        cost=renewal.cost,
    )
    return _task(renewal, attempt, request, kit)


def number_of(renewal: rows.Renewal, kit: Kit) -> str:
    """The number in the clear, for the moment of a call or a comparison; empty for a new eSIM, which has none, and once it was
    erased."""
    if not renewal.number_sealed:
        return ""
    return wire_number(kit.keys.open(renewal.number_sealed, f"renewals.number_sealed:{renewal.id}"))
