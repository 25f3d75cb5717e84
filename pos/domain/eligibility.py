"""Whether a SIM can be renewed at all, told before any money: what the carrier says of it, in words for what to do next."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """What a clerk has to know of a SIM before a plan is chosen."""

    RENEWS = "renews"
    # The plan has ended and the carrier still takes a renewal, which makes the SIM work again.
    WAKES_UP = "wakes_up"
    # The plan has ended and the carrier does not tell for how long it takes a renewal.
    MAY_BE_REFUSED = "may_be_refused"
    GIVEN_UP = "given_up"
    SUSPENDED = "suspended"
    BARRED = "barred"
    NOT_TOLD = "not_told"


REFUSED = frozenset({Standing.GIVEN_UP, Standing.SUSPENDED, Standing.BARRED})

_BY_STATE = {"active": Standing.RENEWS, "suspended": Standing.SUSPENDED, "barred": Standing.BARRED}


def standing(state: str, grace_ends_at: datetime | None, now: datetime) -> Standing:
    """``state`` a word of ports.SubscriptionState; ``grace_ends_at`` until when the carrier renews a plan that has ended."""
    if state != "expired":
        return _BY_STATE.get(state, Standing.NOT_TOLD)
    if grace_ends_at is None:
        return Standing.MAY_BE_REFUSED
    return Standing.WAKES_UP if now <= grace_ends_at else Standing.GIVEN_UP
