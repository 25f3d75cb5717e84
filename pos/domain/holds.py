"""A hold: what a carrier sets aside before the customer pays, so that it refuses while his money is still in his pocket.

A hold that is never confirmed delivers nothing; it ends by itself or is given up. What is confirmed is the renewal's business."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pos.domain.lives import Life


class HoldState(StrEnum):
    ASKED = "asked"
    HELD = "held"
    REFUSED = "refused"
    LOST = "lost"
    GIVEN_UP = "given_up"
    RELEASED = "released"
    USED = "used"


H = HoldState

HOLD = Life(
    noun="hold",
    begins=frozenset({H.ASKED}),
    moves={
        (H.ASKED, H.HELD): "the carrier set it aside",
        (H.ASKED, H.REFUSED): "the carrier refused before any money; the plan is dropped",
        (H.ASKED, H.LOST): "no usable answer; the sale goes on without it, and it is given up",
        (H.ASKED, H.RELEASED): "the question never left this machine; there is nothing to give up",
        (H.ASKED, H.GIVEN_UP): "nobody waits for the answer any more",
        (H.LOST, H.GIVEN_UP): "it is looked for, to be given up",
        (H.HELD, H.USED): "the money is here; it is being confirmed",
        (H.HELD, H.GIVEN_UP): "the plan was dropped, or the time is over",
        (H.GIVEN_UP, H.RELEASED): "nothing is set aside any more",
    },
    ends=frozenset({H.REFUSED, H.RELEASED, H.USED}),
)

# The carrier may have set something aside for these.
OPEN_HOLDS = frozenset({H.ASKED, H.HELD, H.LOST, H.GIVEN_UP})
# A hold this near its end is not worth confirming: the confirmation might come too late.
CONFIRM_BEFORE_END = timedelta(seconds=60)
# Nobody is still listening to a question of this age.
ANSWER_BY = timedelta(minutes=3)
