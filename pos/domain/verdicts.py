"""What people decide where asking the carrier cannot: two of them, with evidence; and a success that comes too late."""

from __future__ import annotations

from enum import StrEnum

from pos.domain.lives import Life
from pos.domain.words import N_


class Says(StrEnum):
    """What a verdict says of a renewal. LOSS: the customer has the plan and the money; the shop pays the carrier."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    LOSS = "loss"


class Evidence(StrEnum):
    """What the verdict leans on; the text beside it says where to find it again."""

    STATEMENT = "statement"
    PHONE = "phone"
    MAIL = "mail"


SAYS_WORDS: dict[Says, str] = {
    Says.CONFIRMED: N_("The carrier renewed the plan; the money is earned."),
    Says.REJECTED: N_("The carrier did not renew the plan; the customer gets the money back."),
    Says.LOSS: N_("The plan was renewed after the money was given back; the shop bears the cost."),
}
EVIDENCE_WORDS: dict[Evidence, str] = {
    Evidence.STATEMENT: N_("a line of the carrier's statement"),
    Evidence.PHONE: N_("the carrier's word on the telephone"),
    Evidence.MAIL: N_("the carrier's word in a letter or e-mail"),
}


class VerdictState(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


V = VerdictState

VERDICT = Life(
    noun="verdict",
    begins=frozenset({V.PROPOSED}),
    moves={
        (V.PROPOSED, V.AGREED): "a second person saw the same words and agreed; it is done in the same commit",
        (V.PROPOSED, V.REFUSED): "a second person did not agree; nothing was changed",
        (V.PROPOSED, V.WITHDRAWN): "who proposed it took it back",
    },
    ends=frozenset({V.AGREED, V.REFUSED, V.WITHDRAWN}),
)


class ConflictState(StrEnum):
    STOPPED = "stopped"
    OPEN = "open"
    LOST = "lost"


C = ConflictState

CONFLICT = Life(
    noun="conflict",
    begins=frozenset({C.STOPPED, C.OPEN}),
    moves={
        (C.OPEN, C.STOPPED): "the money had not been paid out after all; it is held again",
        (C.OPEN, C.LOST): "two people booked the carrier's charge as a loss",
    },
    ends=frozenset({C.STOPPED, C.LOST}),
)
