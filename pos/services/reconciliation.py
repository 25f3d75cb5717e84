"""Compare what the carriers' own statements say with what we confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import exists, select

from pos.domain.renewals import RenewalState
from pos.domain.verdicts import ConflictState
from pos.ports import Capability, CarrierUnavailable, OutcomeState
from pos.services.kit import Kit
from pos.services.settling import LAPSED
from pos.store import reconciliation as item_rows
from pos.store import renewals as rows
from pos.store.db import reading
from pos.store.verdicts import Conflict

_MARGIN = timedelta(days=1)
_LOST = exists().where(Conflict.renewal_id == rows.Renewal.id, Conflict.state == ConflictState.LOST)


def compare_with_statements(*, kit: Kit) -> Iterator[str]:
    """A sentence for each difference between our confirmed renewals and each carrier's statement, matched by reference.

    A carrier that does not answer is a sentence too: silence is no agreement."""
    for name, carrier in kit.carriers.items():
        if Capability.STATEMENT not in carrier.declaration().capabilities:
            continue
        with reading() as session:
            attempts = session.execute(
                select(rows.Attempt.ref, rows.Attempt.written_at, rows.Renewal.state, rows.Renewal.cost_minor, _LOST)
                # A hold that ended unused was sent anew under another reference, which is the one to be found.
                .add_columns(rows.Attempt.outcome.is_not_distinct_from(LAPSED).label("lapsed"))
                .join(rows.Renewal, rows.Renewal.id == rows.Attempt.renewal_id)
                .where(rows.Renewal.carrier == name)
            ).all()
        if not attempts:
            continue
        # A loss that two people booked is a charge that our books know of, too.
        confirmed = RenewalState.CONFIRMED
        ours = {ref: cost for ref, _, state, cost, lost, lapsed in attempts if (state is confirmed or lost) and not lapsed}
        undecided = {ref for ref, _, state, *_ in attempts if state in rows.WAITING or state is RenewalState.SUBMITTING}
        first = min(written for _, written, *_ in attempts)
        try:
            lines = list(carrier.statement(first - _MARGIN, kit.now() + _MARGIN))
        except CarrierUnavailable:
            yield f"carrier {name}: its statement cannot be read now"
            continue
        debits = [line for line in lines if line.state is OutcomeState.SUCCEEDED]
        given_back = Counter(line.ref for line in lines if line.state is OutcomeState.REVERSED)
        # What was taken and given back is as if it had never been; Counter's minus drops what comes to nothing.
        times = Counter(line.ref for line in debits) - given_back
        amounts = {line.ref: line.cost.minor for line in debits}
        known = {ref for ref, *_ in attempts}
        # What two people decided as an open item stands in the books by their word, and is no finding any more.
        with reading() as session:
            settled = item_rows.decided_refs(session, name)
        for ref, count in times.items():
            if ref in settled:
                continue
            if count > 1:
                yield f"carrier {name}: charged {count} times for {ref}"
            elif ref in known and ref not in ours and ref not in undecided:
                yield f"carrier {name}: charged for {ref}, which we did not confirm"
        for ref, cost in ours.items():
            if ref in settled:
                continue
            if ref not in times and ref in given_back:
                yield f"carrier {name}: gave the money for {ref} back, which we confirmed"
            elif ref not in times:
                yield f"carrier {name}: knows nothing of {ref}, which we confirmed"
            elif amounts[ref] != cost:
                yield f"carrier {name}: charged {amounts[ref]} for {ref}, we booked {cost}"
