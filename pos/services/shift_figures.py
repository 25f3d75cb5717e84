"""Every figure of X and Z, from the movements and rows of one shift: whole numbers and words, no text of any language."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from pos.domain.renewals import IN_DOUBT, RenewalState
from pos.domain.shifts import Movement
from pos.domain.tills import chain_of_till
from pos.store import journal as journal_rows
from pos.store import renewals as renewal_rows
from pos.store import reports, shifts
from pos.store import sales as sale_rows
from pos.store import tills as till_rows

# Of the rare happenings that are counted, those that say who let something through.
APPROVALS = (
    *("identity.overridden", "duplicate.overridden", "refund.in_cash", "code.reissued", "verdict.agreed"),
    *("drawer.opened", "difference.approved"),
)
REFUSED = (RenewalState.REFUND_DUE, RenewalState.REFUNDING, RenewalState.REFUNDED)


def figures(session: Session, shift: shifts.Shift) -> dict[str, object]:
    """The one function behind X and Z. It asks about this shift and what changed since the till's last Z, never a time."""
    before = shifts.last_z(session, shift.till_id)
    return _drawer(session, shift) | _fulfilment(session, shift, before) | _counts(session, shift, before)


def _drawer(session: Session, shift: shifts.Shift) -> dict[str, object]:
    found = shifts.sums_of(session, shift.id)
    sums = {kind: found.get(kind, (0, 0))[0] for kind in Movement}
    return {
        "currency": shift.currency,
        "cash": {kind.value: amount for kind, amount in sums.items()},
        "no_sale_openings": found.get(Movement.NO_SALE, (0, 0))[1],
        "expected": shift.expected_minor,
        "card": shift.card_minor,
        "card_count": shift.card_count,
        "card_refunds": shift.card_refund_minor,
        "gross": shift.gross_minor,
        "tax": shift.tax_minor,
        "refunds": shift.refunds_minor,
        "refunds_count": shift.refunds_count,
        "first_receipt": shift.first_receipt or "",
        "last_receipt": shift.last_receipt or "",
        "refunds_open": [list(row) for row in sale_rows.open_refunds_at(session, shift.till_id)],
        "late_refunds": [list(row) for row in reports.late_refunds_in_shift(session, shift.id)],
    }


def _fulfilment(session: Session, shift: shifts.Shift, before: shifts.ZReport | None) -> dict[str, object]:
    """What the carriers made of it, what is in doubt at this till by name, and what became of the doubts of the last Z."""
    states = renewal_rows.states_in_shift(session, shift.id)
    sold = reports.sold_in_shift(session, shift.id)
    plans: dict[tuple[str, str], list[int]] = {}
    for row in sold:
        both = plans.setdefault((row.line, row.plan), [0, 0])
        both[0], both[1] = both[0] + row.count, both[1] + row.price
    doubts = reports.in_doubt_at(session, shift.store_id, shift.till_id)
    own = [doubt.paid_at for doubt in doubts if doubt.shift_id == shift.id]
    return {
        "active": states.get(RenewalState.CONFIRMED, 0),
        "refused": sum(states.get(state, 0) for state in REFUSED),
        "unknown": sum(states.get(state, 0) for state in IN_DOUBT),
        "unknown_since": own[0].isoformat() if own else "",
        "plans": [[*names, *both] for names, both in sorted(plans.items())],
        "sold": [vars(row) for row in sold],
        "in_doubt": [[doubt.receipt, doubt.renewal_id, doubt.price] for doubt in doubts],
        "resolved": _resolved(session, before),
    }


def _resolved(session: Session, before: shifts.ZReport | None) -> list[list[object]]:
    """[receipt, state now, price] of what the last Z of this till called in doubt and is decided now."""
    named = json.loads(before.figures).get("in_doubt", []) if before is not None else []
    now = reports.states_of(session, [renewal_id for _, renewal_id, _ in named])
    return [
        [receipt, now[renewal_id].value, price]
        for receipt, renewal_id, price in named
        if renewal_id in now and now[renewal_id] not in IN_DOUBT
    ]


def _counts(session: Session, shift: shifts.Shift, before: shifts.ZReport | None) -> dict[str, object]:
    chain = chain_of_till(session.get_one(till_rows.Till, shift.till_id).code)
    rare = journal_rows.counted_since(session, chain, before.last_seq if before is not None else 0)
    return {
        "sales": shift.sales_count,
        "customers": reports.customers_in_shift(session, shift.id),
        "voids": shift.voids_count,
        "reprints": shift.reprints_count,
        "typed_checks": shift.typed_checks_count,
        "failed_pins": rare.get("staff.pin_failed", 0),
        "reversed": rare.get("renewal.reversed", 0),
        "approvals": {kind: rare[kind] for kind in APPROVALS if kind in rare},
    }
