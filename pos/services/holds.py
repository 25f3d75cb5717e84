"""Ask the carrier before the customer pays: set the plan aside where it can, or at least hear whether it would be taken.

Only ever asked ahead of money. A hold that is used becomes the attempt of its renewal (services.sending); every other one is
given up and looked after until nothing is set aside any more. The carrier's three steps are those of a renewal: write down
that we ask, ask with nothing open, write down the answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from pos.domain.carriers import REASONS
from pos.domain.errors import CarrierRefusesPlan
from pos.domain.holds import HOLD, HoldState
from pos.domain.renewals import RENEWAL, UNPAID, RenewalState, next_asking
from pos.domain.tills import Desk
from pos.ports import Capability, CarrierUnavailable, FindState, Outcome, OutcomeState, ProductKind, Reason, Request
from pos.services import sales
from pos.services.kit import Kit
from pos.services.sending import new_ref, number_of
from pos.services.settling import pen_of
from pos.services.standings import ran_dry
from pos.store import holds as rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, begin, move

log = structlog.get_logger()

_AHEAD = frozenset({Capability.HOLD, Capability.VALIDATE})
# Longer than any declared deadline: the other worker that took a hold is not disturbed while it listens.
_IN_HAND = timedelta(seconds=150)


@dataclass(frozen=True)
class _Question:
    """One line to ask about; ``hold_id`` is None where the carrier cannot hold and is only asked whether it would."""

    renewal_id: str
    carrier: str
    request: Request = field(repr=False)
    hold_id: str | None


def choose_plan(
    sale_id: str,
    plan_id: int,
    desk: Desk,
    *,
    kit: Kit,
    number_id: str | None = None,
    override: bool = False,
    reason: str = "",
) -> None:
    """Quote a plan (sales.choose_plan) and ask its carrier ahead. Raises what that raises, and CarrierRefusesPlan when the
    carrier would not take it: the plan is dropped then and no money has moved. A carrier that does not answer stops nobody: the
    sale goes on as with one that cannot be asked ahead."""
    sales.choose_plan(sale_id, plan_id, desk, kit=kit, number_id=number_id, override=override, reason=reason)
    if any(carrier.declaration().capabilities & _AHEAD for carrier in kit.carriers.values()):
        for question in _write_down(sale_id, desk, kit=kit):
            _ask(question, desk, kit)


@retried
def _write_down(sale_id: str, desk: Desk, *, kit: Kit) -> list[_Question]:
    """The lines nobody was asked about yet, each with a hold in state asked where its carrier holds."""
    now = kit.now()
    with transaction() as session:
        sale = sales.mine(session, sale_id, desk)
        known = rows.of_sale(session, sale.id)
        lines = [line for line in renewal_rows.live_for_change(session, sale_id) if line.state in UNPAID]
        return [
            question
            for line in lines
            if line.id not in known and (question := _question(session, line, kit.pen(desk, now), kit)) is not None
        ]


def _question(session: Session, line: renewal_rows.Renewal, pen: Pen, kit: Kit) -> _Question | None:
    carrier = kit.carriers.get(line.carrier)
    asked = carrier.declaration().capabilities if carrier is not None else frozenset()
    if not asked & _AHEAD:
        return None
    ref = new_ref()
    hold_id = None
    if Capability.HOLD in asked:
        hold_id = str(uuid.uuid4())
        hold = rows.Hold(id=hold_id, renewal_id=line.id, carrier=line.carrier, ref=ref, asked_at=pen.at)
        begin(session, hold, HOLD, HoldState.ASKED, pen, {"renewal": line.id, "ref": ref, "carrier": line.carrier})
    request = Request(ref, line.product_key, ProductKind(line.kind), number_of(line, kit), line.face, line.cost)
    return _Question(line.id, line.carrier, request, hold_id)


def _ask(question: _Question, desk: Desk, kit: Kit) -> None:
    carrier = kit.carriers[question.carrier]
    if question.hold_id is not None:
        outcome = carrier.hold(question.request)
        _write_answer(question, question.hold_id, outcome, desk, kit)
        refusal = outcome.reason or Reason.REJECTED_OTHER if outcome.state is OutcomeState.FAILED else None
    else:
        try:
            refusal = carrier.validate(question.request)
        except CarrierUnavailable:
            # Nobody knows; then the carrier says it after the money, as one that cannot be asked ahead.
            return
        if refusal is not None:
            _drop(question, refusal, desk, kit)
    if refusal is not None:
        raise CarrierRefusesPlan(why=REASONS[refusal.value])


@retried
def _write_answer(question: _Question, hold_id: str, outcome: Outcome, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        renewal = renewal_rows.for_change(session, question.renewal_id)
        hold = rows.for_change(session, hold_id)
        if hold is None or renewal is None or hold.state is not HoldState.ASKED:
            return  # it took so long that the worker gave it up: what the carrier set aside ends with that
        pen = kit.pen(desk, now)
        hold.provider_ref = (outcome.provider_ref or "")[:80] or None
        hold.reason = outcome.reason.value if outcome.reason else None
        hold.raw_code = outcome.raw_code[:80] if outcome.raw_code else None
        content = {"outcome": outcome.state.value, "provider_ref": hold.provider_ref or "", "code": hold.raw_code or ""}
        if outcome.state is OutcomeState.HELD and hold.provider_ref:
            hold.held_until = outcome.held_until
            move(session, hold, HOLD, HoldState.HELD, pen, content)
        elif outcome.state is OutcomeState.FAILED:
            move(session, hold, HOLD, HoldState.REFUSED, pen, content)
            _drop_line(session, renewal, (outcome.reason or Reason.REJECTED_OTHER), pen)
        elif outcome.state is OutcomeState.NOT_SENT:
            move(session, hold, HOLD, HoldState.RELEASED, pen, content)
        else:
            move(session, hold, HOLD, HoldState.LOST, pen, content)


@retried
def _drop(question: _Question, refusal: Reason, desk: Desk, kit: Kit) -> None:
    with transaction() as session:
        renewal = renewal_rows.for_change(session, question.renewal_id)
        if renewal is not None:
            _drop_line(session, renewal, refusal, kit.pen(desk, kit.now()))


def _drop_line(session: Session, renewal: renewal_rows.Renewal, refusal: Reason, pen: Pen) -> None:
    """The plan goes, the number stays: the clerk chooses another one."""
    if renewal.state not in UNPAID:
        return
    if refusal is Reason.WALLET_EMPTY:
        ran_dry(session, renewal, pen)
    move(
        session,
        renewal,
        RENEWAL,
        RenewalState.VOIDED,
        pen,
        {"why": "the carrier refused before any money", "reason": refusal.value},
    )
    sales.add_up(session, session.get_one(sale_rows.Sale, renewal.sale_id))


# ------------------------------------------------------------------ giving up what nobody wants


def release(*, kit: Kit) -> int:
    """The worker's part: give up what nobody will confirm, and ask until it is gone. How many were asked about.

    Power cut: a hold that is given up stays given up, and is asked about again."""
    now = kit.now()
    with reading() as session:
        unwanted = rows.unwanted(session, now)
        due = rows.to_release(session, now)
    for hold_id in unwanted:
        _give_up(hold_id, kit)
    for hold_id in [*unwanted, *due]:
        _release(hold_id, kit)
    return len(unwanted) + len(due)


@retried
def _give_up(hold_id: str, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        hold, pen = _locked(session, hold_id, now, kit)
        if (
            hold is not None
            and hold.state in (HoldState.ASKED, HoldState.HELD, HoldState.LOST)
            and hold_id in rows.unwanted(session, now)
        ):
            hold.due_at = now
            move(session, hold, HOLD, HoldState.GIVEN_UP, pen)


def _release(hold_id: str, kit: Kit) -> None:
    taken = _take(hold_id, kit)
    if taken is None:
        return
    hold, number = taken
    carrier = kit.carriers.get(hold.carrier)
    if carrier is None:
        return  # the configuration lost a carrier: asked again when it is back
    provider_ref = hold.provider_ref
    if provider_ref is None:
        finding = carrier.find(hold.ref, None, number, hold.asked_at)
        if finding.state is FindState.ABSENT and kit.now() > hold.asked_at + carrier.declaration().settle_window:
            _write_release(hold_id, Outcome(OutcomeState.VOIDED), kit)
            return
        outcome = finding.outcome or Outcome(OutcomeState.UNKNOWN)
        provider_ref = outcome.provider_ref
        if outcome.state is not OutcomeState.HELD or provider_ref is None:
            _write_release(hold_id, outcome, kit)
            return
    _write_release(hold_id, carrier.void(hold.ref, provider_ref), kit)


@retried
def _take(hold_id: str, kit: Kit) -> tuple[rows.Hold, str] | None:
    """The hold as plain values, out of other workers' reach for a while; None when it is gone or in another's hands."""
    now = kit.now()
    with transaction() as session:
        hold, _ = _locked(session, hold_id, now, kit)
        if hold is None or hold.state is not HoldState.GIVEN_UP or hold.due_at is None or hold.due_at > now:
            return None
        hold.due_at, hold.times_asked = now + _IN_HAND, hold.times_asked + 1
        number = number_of(session.get_one(renewal_rows.Renewal, hold.renewal_id), kit)
        session.flush()
        session.expunge(hold)
        return hold, number


@retried
def _write_release(hold_id: str, outcome: Outcome, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        hold, pen = _locked(session, hold_id, now, kit)
        if hold is None or hold.state is not HoldState.GIVEN_UP:
            return
        hold.provider_ref = hold.provider_ref or ((outcome.provider_ref or "")[:80] or None)
        if outcome.state in (OutcomeState.VOIDED, OutcomeState.FAILED, OutcomeState.REVERSED):
            move(session, hold, HOLD, HoldState.RELEASED, pen, {"outcome": outcome.state.value})
            return
        hold.due_at = now + next_asking(hold.times_asked)
        if outcome.state in (OutcomeState.SUCCEEDED, OutcomeState.PENDING):
            # Nobody confirmed it: the carrier delivered what nobody paid for. It stays in sight on the statement.
            log.error("a hold that was never confirmed was delivered", carrier=hold.carrier, ref=hold.ref)


def _locked(session: Session, hold_id: str, now: datetime, kit: Kit) -> tuple[rows.Hold | None, Pen]:
    """The sale first, then its lines, then the hold: everybody locks in this order."""
    known = session.get_one(rows.Hold, hold_id)
    renewal = renewal_rows.for_change(session, known.renewal_id)
    if renewal is None:
        raise RuntimeError("a hold belongs to a renewal")
    return rows.for_change(session, hold_id), pen_of(session, renewal, kit, now)
