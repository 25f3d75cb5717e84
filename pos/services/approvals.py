"""A manager agrees to one thing at the clerk's till, with number, PIN and a reason; the clerk stays signed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from pos.domain.errors import NotAllowed, OnePersonTwice, ReasonMissing, SamePerson
from pos.domain.permissions import Permission, may
from pos.domain.tills import Desk, Staff
from pos.services import staff
from pos.services.kit import Kit
from pos.store import staff as rows
from pos.store.db import reading


@dataclass(frozen=True)
class Approval:
    """What was typed: why, and whose number and PIN unless the person signed in has the right."""

    reason: str
    staff_number: str = ""
    pin: str = field(default="", repr=False)


def approver(approval: Approval, permission: Permission, desk: Desk, *, kit: Kit) -> Staff:
    """Who agrees: the person signed in where the role allows it, else the one whose number and PIN were typed. Wrong PINs count
    towards the same locks as at the sign-in. Raises ReasonMissing, ApproverRefused."""
    if not approval.reason.strip():
        raise ReasonMissing
    if may(desk.staff.role, permission):
        return desk.staff
    return staff.prove(approval.staff_number, approval.pin, permission, desk, kit=kit)


def second_person(approval: Approval, permission: Permission, desk: Desk, *, kit: Kit) -> Staff:
    """Who agrees where one person's right is not enough: never the one signed in, whatever the role. Raises ReasonMissing,
    OnePersonTwice, ApproverRefused."""
    if not approval.reason.strip():
        raise ReasonMissing
    if approval.staff_number.strip() == desk.staff.number:
        raise OnePersonTwice
    return staff.prove(approval.staff_number, approval.pin, permission, desk, kit=kit)


def two_people(asked_by: str, agreed_by: str, permission: Permission) -> None:
    """For the command line, where whoever types holds the keys of the shop: both numbers are people of today with the right.
    Raises SamePerson, or NotAllowed for people without the right."""
    if asked_by == agreed_by:
        raise SamePerson
    with reading() as session:
        for number in (asked_by, agreed_by):
            person = rows.by_number(session, number)
            if person is None or person.suspended_at is not None or not may(person.role, permission):
                raise NotAllowed
