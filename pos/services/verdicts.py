"""Two people decide, with evidence, what asking the carrier cannot decide (move 16), or book the loss of a late success (F18)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pos.domain import ledger
from pos.domain import pictures as p
from pos.domain.errors import CarrierNumberMissing, EvidenceMissing, NothingToDecide, OtherVerdict, SaleNotFound, SamePerson
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.domain.verdicts import CONFLICT, VERDICT, ConflictState, Evidence, Says, VerdictState
from pos.ports import Reason
from pos.services import settling
from pos.services.kit import Kit
from pos.services.sales import line_of
from pos.services.settling import Case
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import staff as staff_rows
from pos.store import verdicts as rows
from pos.store.db import reading, retried, transaction
from pos.store.life import begin, move

_SHORTEST_EVIDENCE = 3


@retried
def propose(
    renewal_id: str, says: Says, evidence: Evidence, reference: str, desk: Desk, *, kit: Kit, provider_ref: str = ""
) -> int:
    """A manager writes down what became of a renewal, and where that stands; nothing moves before somebody else agrees.
    Its number. The same proposal again is the same one.

    Raises EvidenceMissing, CarrierNumberMissing, NothingToDecide, OtherVerdict. Power cut: it is there or it is not."""
    now, reference, provider_ref = kit.now(), reference.strip()[:200], provider_ref.strip()[:80]
    if len(reference) < _SHORTEST_EVIDENCE:
        raise EvidenceMissing
    with transaction() as session:
        renewal = _here(session, renewal_id, desk)
        _refuse_idle(session, renewal, says)
        if says is Says.CONFIRMED and not (provider_ref or renewal.provider_ref):
            raise CarrierNumberMissing
        known = rows.open_about(session, renewal_id)
        if known is not None:
            said = (known.says, known.evidence, known.reference, known.provider_ref, known.proposed_by)
            if said != (says, evidence, reference, provider_ref or None, desk.staff.id):
                raise OtherVerdict
            return known.id
        verdict = rows.Verdict(
            renewal_id=renewal_id,
            store_id=desk.store.id,
            says=says,
            evidence=evidence,
            reference=reference,
            provider_ref=provider_ref or None,
            proposed_by=desk.staff.id,
            proposed_at=now,
            open_renewal=renewal_id,
        )
        begin(session, verdict, VERDICT, VerdictState.PROPOSED, kit.pen(desk, now), _content(verdict))
        return verdict.id


@retried
def agree(verdict_id: int, desk: Desk, *, kit: Kit) -> str:
    """The second person agrees, and it is done in the same commit. The sale's id. Again: nothing changes.

    Raises SamePerson, NothingToDecide when the carrier's own word came first. Power cut: all of it or none."""
    with transaction() as session:
        verdict, renewal = _taken_up(session, verdict_id, desk)
        if verdict.state is VerdictState.AGREED:
            return renewal.sale_id
        if verdict.state is not VerdictState.PROPOSED:
            raise NothingToDecide
        if verdict.proposed_by == desk.staff.id:
            raise SamePerson
        _refuse_idle(session, renewal, verdict.says)
        case = settling.take_up(session, renewal.id, kit, desk=desk)
        if case is None:
            raise NothingToDecide
        first = session.get_one(staff_rows.Staff, verdict.proposed_by)
        content = _content(verdict) | {"proposed_by": first.number, "agreed_by": desk.staff.number}
        _close(session, verdict, VerdictState.AGREED, desk, case, content)
        _carry_out(case, verdict, {"verdict": verdict.id, "source": "two people"} | content)
        sale_id = renewal.sale_id
    kit.bell.set()
    return sale_id


@retried
def refuse(verdict_id: int, desk: Desk, *, kit: Kit) -> str:
    """The second person does not agree, or the first takes it back: the renewal waits for another proposal. The sale's id."""
    with transaction() as session:
        verdict, renewal = _taken_up(session, verdict_id, desk)
        if verdict.state is VerdictState.PROPOSED:
            attempt = renewal_rows.latest_attempt(session, renewal.id)
            if attempt is None:
                raise NothingToDecide
            case = Case(session, renewal, attempt, kit.pen(desk, kit.now()), kit)
            own = verdict.proposed_by == desk.staff.id
            state = VerdictState.WITHDRAWN if own else VerdictState.REFUSED
            _close(session, verdict, state, desk, case, _content(verdict))
        elif verdict.state is VerdictState.AGREED:
            raise NothingToDecide
        return renewal.sale_id


def to_decide(desk: Desk) -> list[p.CasePicture]:
    """Everything in this store that waits for people, with what is known of it."""
    with reading() as session:
        return [_picture(session, renewal, desk) for renewal in rows.to_decide(session, desk.store.id)]


# ------------------------------------------------------------------ parts


def _here(session: Session, renewal_id: str, desk: Desk) -> renewal_rows.Renewal:
    renewal = settling.lock(session, renewal_id)
    if renewal is None or renewal.store_id != desk.store.id:
        raise SaleNotFound
    return renewal


def _taken_up(session: Session, verdict_id: int, desk: Desk) -> tuple[rows.Verdict, renewal_rows.Renewal]:
    """Locked in the order of everybody: the sale, the renewal, then the verdict."""
    known = session.get(rows.Verdict, verdict_id)
    if known is None:
        raise SaleNotFound
    renewal = _here(session, known.renewal_id, desk)
    session.expire(known)
    verdict = rows.for_change(session, verdict_id)
    if verdict is None:
        raise SaleNotFound
    return verdict, renewal


def _refuse_idle(session: Session, renewal: renewal_rows.Renewal, says: Says) -> None:
    """Raises NothingToDecide: by hand only what a manager holds is decided, and only what was given back, or
    pays for another renewal, can be a loss."""
    if says is Says.LOSS:
        conflict = rows.conflict_of(session, renewal.id)
        gone = renewal.state in (RenewalState.REFUNDED, RenewalState.REPLACED)
        if gone and conflict is not None and conflict.state is ConflictState.OPEN:
            return
    elif renewal.state is RenewalState.MANUAL:
        return
    raise NothingToDecide


def _close(
    session: Session, verdict: rows.Verdict, state: VerdictState, desk: Desk, case: Case, content: dict[str, object]
) -> None:
    verdict.decided_by, verdict.decided_at, verdict.open_renewal = desk.staff.id, case.now, None
    move(session, verdict, VERDICT, state, case.pen, content)


def _carry_out(case: Case, verdict: rows.Verdict, content: dict[str, object]) -> None:
    renewal = case.renewal
    if verdict.says is Says.CONFIRMED:
        renewal.provider_ref = verdict.provider_ref or renewal.provider_ref
        settling.confirm(case, content)
    elif verdict.says is Says.REJECTED:
        settling.reject(case, Reason.NOT_RECEIVED.value, content)
    else:
        conflict = rows.conflict_of(case.session, renewal.id)
        if conflict is None:
            raise NothingToDecide
        move(case.session, conflict, CONFLICT, ConflictState.LOST, case.pen, {"renewal": renewal.id, "cost": renewal.cost_minor})
        settling.post(case, ledger.on_lost(renewal.cost))


def _content(verdict: rows.Verdict) -> dict[str, object]:
    """What the journal seals: the words that both people saw."""
    return {
        "renewal": verdict.renewal_id,
        "says": verdict.says.value,
        "evidence": verdict.evidence.value,
        "reference": verdict.reference,
        "provider_ref": verdict.provider_ref or "",
    }


def _picture(session: Session, renewal: renewal_rows.Renewal, desk: Desk) -> p.CasePicture:
    attempt = renewal_rows.latest_attempt(session, renewal.id)
    conflict, verdict = rows.conflict_of(session, renewal.id), rows.open_about(session, renewal.id)
    return p.CasePicture(
        renewal_id=renewal.id,
        sale=line_of(session, session.get_one(sale_rows.Sale, renewal.sale_id), renewal),
        price=renewal.price,
        cost=renewal.cost,
        carrier=renewal.carrier,
        ref=attempt.ref if attempt is not None else "",
        provider_ref=renewal.provider_ref,
        sent_at=attempt.sent_at if attempt is not None else (renewal.paid_at or renewal.quote_ends_at),
        reason=renewal.reason,
        conflict=conflict.state.value if conflict is not None else None,
        conflict_source=conflict.source if conflict is not None else None,
        verdict=_verdict(session, verdict, desk) if verdict is not None else None,
    )


def _verdict(session: Session, verdict: rows.Verdict, desk: Desk) -> p.VerdictPicture:
    return p.VerdictPicture(
        id=verdict.id,
        says=verdict.says.value,
        evidence=verdict.evidence.value,
        reference=verdict.reference,
        provider_ref=verdict.provider_ref,
        proposed_by=session.get_one(staff_rows.Staff, verdict.proposed_by).name,
        proposed_at=verdict.proposed_at,
        is_mine=verdict.proposed_by == desk.staff.id,
    )
