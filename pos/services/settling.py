"""What becomes of a renewal once something is known: the move, its postings and its slip, in the transaction that learnt it.

Whoever learns it (an answer, a look-up, a statement, two people) calls one of these verbs; nobody else posts or moves here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain.money import Money
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.tills import Desk
from pos.domain.verdicts import CONFLICT, ConflictState
from pos.ports import EsimProfile, Outcome, Reason, Voucher
from pos.services import deliveries, receipts
from pos.services.kit import Kit
from pos.store import deliveries as delivery_rows
from pos.store import ledger as books
from pos.store import renewals as rows
from pos.store import sales as sale_rows
from pos.store import tills as till_rows
from pos.store import verdicts as verdict_rows
from pos.store.life import Pen, begin, move

REVERSED = "reversed"
LAPSED = "lapsed"  # an attempt that was only held, and whose hold was over before it was confirmed


@dataclass(frozen=True)
class Case:
    """One renewal to be settled, locked in the open transaction, with the attempt it is about and the pen that writes."""

    session: Session = field(repr=False)
    renewal: rows.Renewal
    attempt: rows.Attempt
    pen: Pen
    kit: Kit = field(repr=False)

    @property
    def now(self) -> datetime:
        return self.pen.at


def take_up(session: Session, renewal_id: str, kit: Kit, *, desk: Desk | None = None) -> Case | None:
    """The renewal as a case that nobody else works on: locked, and with a new fence, so that a slower word about it is
    dropped. None while a worker is with the carrier, and for one that was never to be sent."""
    renewal = lock(session, renewal_id)
    now = kit.now()
    if renewal is None or renewal.state is RenewalState.SUBMITTING or _is_leased(renewal, now):
        return None
    attempt = rows.latest_attempt(session, renewal_id)
    if attempt is None:
        return None
    renewal.fence += 1
    free(renewal)
    return Case(session, renewal, attempt, kit.pen(desk, now) if desk is not None else pen_of(session, renewal, kit, now), kit)


def lock(session: Session, renewal_id: str) -> rows.Renewal | None:
    """The sale first, then its lines: everybody locks in this order."""
    known = session.get(rows.Renewal, renewal_id)
    if known is None:
        return None
    sale_rows.for_change(session, known.sale_id)
    session.expire(known)
    return rows.for_change(session, renewal_id)


def _is_leased(renewal: rows.Renewal, now: datetime) -> bool:
    return renewal.lease_ends_at is not None and renewal.lease_ends_at > now


# ------------------------------------------------------------------ the ends


def confirm(case: Case, content: dict[str, object], told: Voucher | EsimProfile | None = None) -> None:
    """Moves 8, 12 and 16: cost and revenue are real. What was delivered as text is sealed, or waited for."""
    renewal = case.renewal
    renewal.due_at = renewal.reason = None
    end(case.attempt, "succeeded", case.now)
    said = {"provider_ref": renewal.provider_ref or "", "cost": renewal.cost_minor}
    move(case.session, renewal, RENEWAL, RenewalState.CONFIRMED, case.pen, said | content)
    post(case, ledger.on_confirmed(renewal.cost, renewal.price, renewal.tax))
    deliveries.expect(case.session, renewal, told, case.pen, case.kit)
    slip(case)


def deliver(case: Case, told: Voucher | EsimProfile | None) -> bool:
    """A code that the confirming answer was without; it gets a slip of its own. False when there is nothing new."""
    delivery = delivery_rows.for_change(case.session, case.renewal.id)
    if case.renewal.state is not RenewalState.CONFIRMED or delivery is None:
        return False
    if not deliveries.keep(case.session, case.renewal, delivery, told, case.pen, case.kit):
        return False
    sale = case.session.get_one(sale_rows.Sale, case.renewal.sale_id)
    receipts.issue_code(case.session, sale, case.renewal, case.pen, case.kit)
    return True


def reject(case: Case, reason: str, content: dict[str, object], *, never_sent: bool = False) -> None:
    """Moves 10, 13 and 16, and 17 in the same commit: from here on the money is owed back."""
    renewal = case.renewal
    renewal.reason, renewal.due_at = reason, None
    end(case.attempt, "failed", case.now)
    move(case.session, renewal, RENEWAL, RenewalState.REJECTED, case.pen, content)
    _owe_back(case)
    freed = Money(0, renewal.cost_currency) if never_sent else renewal.cost
    post(case, ledger.on_refund_due(freed, renewal.price))
    slip(case)


def reverse(case: Case, content: dict[str, object]) -> None:
    """Move 20: the carrier took back what it had confirmed; the customer's money is owed back in the same commit."""
    renewal = case.renewal
    renewal.reason = REVERSED
    end(case.attempt, REVERSED, case.now)
    move(case.session, renewal, RENEWAL, RenewalState.REVERSED, case.pen, content)
    _owe_back(case)
    post(case, ledger.on_reversed(renewal.cost, renewal.price, renewal.tax))
    slip(case)


def _owe_back(case: Case) -> None:
    move(case.session, case.renewal, RENEWAL, RenewalState.REFUND_DUE, case.pen, {"amount": case.renewal.price_minor})


def hand_to_manager(case: Case, why: str, content: dict[str, object] | None = None) -> None:
    """Move 15: asking cannot decide it."""
    case.renewal.due_at = None
    if case.renewal.state is RenewalState.SUBMITTING:
        move(case.session, case.renewal, RENEWAL, RenewalState.UNKNOWN, case.pen, content or {"why": why})
    move(case.session, case.renewal, RENEWAL, RenewalState.MANUAL, case.pen, {"why": why} | (content or {}))


# ------------------------------------------------------------------ a success that comes too late

# Replaced is given back, too: the money pays for another renewal already.
_GIVEN_BACK = (RenewalState.REFUNDING, RenewalState.REFUNDED, RenewalState.REPLACED)


def contradict(case: Case, provider_ref: str, source: str) -> bool:
    """F18: the carrier says "done" after we stopped believing it. A refund not yet paid out is stopped and the money held
    again; otherwise the conflict stays in sight until two people book the loss. False when there is nothing new to say."""
    renewal, session = case.renewal, case.session
    known = verdict_rows.conflict_of(session, renewal.id)
    if renewal.reason == REVERSED or renewal.state not in (RenewalState.MANUAL, RenewalState.REFUND_DUE, *_GIVEN_BACK):
        return False
    stops = renewal.state not in _GIVEN_BACK
    if known is not None and not (stops and known.state is ConflictState.OPEN):
        return False
    was, never_sent = renewal.state, renewal.reason == Reason.UNREACHABLE.value and renewal.state is not RenewalState.MANUAL
    content: dict[str, object] = {"renewal": renewal.id, "renewal_was": was.value, "source": source, "provider_ref": provider_ref}
    if known is None:
        conflict = verdict_rows.Conflict(
            renewal_id=renewal.id,
            store_id=renewal.store_id,
            was=was,
            never_sent=never_sent,
            source=source,
            provider_ref=provider_ref[:80],
            seen_at=case.now,
        )
        begin(session, conflict, CONFLICT, ConflictState.STOPPED if stops else ConflictState.OPEN, case.pen, content)
    else:
        known.was = was
        move(session, known, CONFLICT, ConflictState.STOPPED, case.pen, content)
    renewal.provider_ref = renewal.provider_ref or provider_ref[:80]
    if was is RenewalState.REFUND_DUE:
        post(case, ledger.on_stopped(renewal.cost, renewal.price))
        hand_to_manager(case, "the carrier says it did it after all", {"source": source})
    return True


# ------------------------------------------------------------------ parts


def end(attempt: rows.Attempt, outcome: str, now: datetime) -> None:
    """Nothing of this attempt is open any more: its SIM is free for the next order."""
    attempt.outcome, attempt.ended_at = outcome, now
    attempt.open_renewal = attempt.open_number = None


def note_answer(renewal: rows.Renewal, outcome: Outcome) -> None:
    """Keep what an answer tells; what it leaves out stays as it was."""
    renewal.provider_ref = outcome.provider_ref or renewal.provider_ref
    renewal.operator_ref = outcome.operator_ref or renewal.operator_ref
    renewal.raw_code = outcome.raw_code[:80] if outcome.raw_code else renewal.raw_code
    renewal.reason = outcome.reason.value if outcome.reason else renewal.reason


def evidence(outcome: Outcome) -> dict[str, object]:
    """An answer as the journal seals it."""
    return {
        "outcome": outcome.state.value,
        "reason": outcome.reason.value if outcome.reason else "",
        "code": (outcome.raw_code or "")[:80],
        "provider_ref": outcome.provider_ref or "",
    }


def free(renewal: rows.Renewal) -> None:
    renewal.lease_owner = renewal.lease_ends_at = None


def slip(case: Case) -> None:
    """The paper that fits what has just become true."""
    sale = case.session.get_one(sale_rows.Sale, case.renewal.sale_id)
    receipts.issue_for(case.session, sale, case.renewal, case.pen, case.kit)


def post(case: Case, transfers: list[ledger.Transfer]) -> None:
    """Into the books of the till that sold."""
    renewal, now = case.renewal, case.now
    sale = case.session.get_one(sale_rows.Sale, renewal.sale_id)
    store = case.session.get_one(till_rows.Store, sale.store_id).plain()
    books.post(
        case.session,
        transfers,
        at=now,
        business_day=store.business_day(now),
        store_id=sale.store_id,
        till_id=sale.till_id,
        carrier=renewal.carrier,
        sale_id=sale.id,
        renewal_id=renewal.id,
    )


def pen_of(session: Session, renewal: rows.Renewal, kit: Kit, now: datetime) -> Pen:
    """The worker's pen, in the chain of the till that sold."""
    sale = session.get_one(sale_rows.Sale, renewal.sale_id)
    till = session.get_one(till_rows.Till, sale.till_id)
    return kit.worker_pen(till_rows.store_of(session, till).plain(), till.plain(), now)
