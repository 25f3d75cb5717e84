"""Who works here: owners take people on and change what they may, managers give clerks a new PIN and let them in again.

Nobody does any of it to himself, and rights above a clerk's are given by two people. The journal knows people by number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain.errors import CodeTaken, NameMissing, NotAllowed, NotFound, OnePersonTwice, StaffNumberWrong
from pos.domain.permissions import Permission, Role, may
from pos.domain.staff import GIVEN_PIN_LIFE, LOCK_DAY, LOCK_WINDOW, WRONG_PER_DAY, WRONG_PER_STAFF, new_pin
from pos.domain.tills import Desk
from pos.domain.words import LANGUAGES
from pos.services import approvals, staff
from pos.services.approvals import Approval
from pos.services.kit import Kit
from pos.store import staff as rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction


@dataclass(frozen=True)
class PersonPicture:
    """One line of the list. ``store_code`` is empty for who is at home everywhere; ``waits`` when only a manager can unlock."""

    number: str
    name: str
    role: Role
    store_code: str
    language: str
    is_suspended: bool
    is_locked: bool
    waits: bool
    pin_is_given: bool
    may_help: bool
    may_change: bool


@dataclass(frozen=True)
class Wanted:
    """What a person is to be, as it was typed; an empty ``store_code`` is every store."""

    name: str
    role: Role
    language: str
    store_code: str


def listed(desk: Desk, *, kit: Kit) -> list[PersonPicture]:
    """Everybody whom the person at the desk answers for: his own store's people, or all people when he is at home everywhere."""
    now = kit.now()
    with reading() as session:
        codes = {store.id: store.code for store in till_rows.all_stores(session)}
        found = [person for person in rows.everybody(session) if _within(desk, person.store_id)]
        return [_picture(session, person, codes.get(person.store_id or 0, ""), desk, now) for person in found]


def one(number: str, desk: Desk, *, kit: Kit) -> PersonPicture:
    """Raises NotFound, also for people of another store."""
    found = next((person for person in listed(desk, kit=kit) if person.number == number), None)
    if found is None:
        raise NotFound
    return found


def stores_for(desk: Desk) -> list[tuple[str, str]]:
    """(code, name) of the stores in which the person at the desk may place people."""
    with reading() as session:
        return [(store.code, store.name) for store in till_rows.all_stores(session) if _within(desk, store.id)]


def is_everywhere(desk: Desk) -> bool:
    return desk.staff.store_id is None


def _within(desk: Desk, store_id: int | None) -> bool:
    return desk.staff.store_id is None or store_id == desk.staff.store_id


def _picture(session: Session, person: rows.Staff, code: str, desk: Desk, now: datetime) -> PersonPicture:
    misses = rows.wrong_tries(session, now - LOCK_WINDOW, staff_id=person.id)
    waits = person.locked_at is not None or rows.wrong_tries(session, now - LOCK_DAY, staff_id=person.id) >= WRONG_PER_DAY
    other = person.id != desk.staff.id
    return PersonPicture(
        number=person.number,
        name=person.name,
        role=person.role,
        store_code=code,
        language=person.language,
        is_suspended=person.suspended_at is not None,
        is_locked=waits or misses >= WRONG_PER_STAFF,
        waits=waits,
        pin_is_given=person.pin_given_until is not None,
        may_help=other and _may_help(desk.staff.role, person.role),
        may_change=other and may(desk.staff.role, Permission.STAFF),
    )


def _may_help(role: Role, of: Role) -> bool:
    """New PINs and unlocking: an owner for everybody, a manager for clerks."""
    return may(role, Permission.STAFF) or (may(role, Permission.PEOPLE) and of is Role.CLERK)


# ------------------------------------------------------------------ the owner's


def hire(number: str, wanted: Wanted, agreed: Approval, desk: Desk, *, kit: Kit) -> str:
    """A new person; the PIN that is shown once and changed at its first use.

    Raises StaffNumberWrong, CodeTaken, NameMissing, NotFound, NotAllowed, ReasonMissing, OnePersonTwice, ApproverRefused."""
    if not re.fullmatch(r"[0-9A-Za-z]{2,12}", number):
        raise StaffNumberWrong
    _refuse_nonsense(wanted)
    agreed_by = _second(agreed, number, desk, kit) if wanted.role is not Role.CLERK else ""
    pin = new_pin()
    _hire(number, wanted, staff.hash_pin(pin, kit.keys), agreed_by, desk, kit)
    return pin


@retried
def _hire(number: str, wanted: Wanted, pin_hash: str, agreed_by: str, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        _refuse_helpless(session, desk, Permission.STAFF)
        if rows.by_number(session, number) is not None:
            raise CodeTaken(code=number)
        session.add(
            rows.Staff(
                number=number,
                name=wanted.name,
                role=wanted.role,
                store_id=_home(session, wanted, desk),
                language=wanted.language,
                pin_hash=pin_hash,
                pin_given_until=now + GIVEN_PIN_LIFE,
            )
        )
        content = {"role": wanted.role.value, "store": wanted.store_code or "all", "language": wanted.language}
        kit.pen(desk, now).note(session, "staff.added", "staff", number, content | {"agreed_by": agreed_by or "none"})


def change(number: str, wanted: Wanted, agreed: Approval, desk: Desk, *, kit: Kit) -> None:
    """Another name, language, role or store; where rights change two people agree, and every stay of the person ends.

    Raises NotFound, NotAllowed, NameMissing, ReasonMissing, OnePersonTwice, ApproverRefused."""
    _refuse_nonsense(wanted)
    now_is = one(number, desk, kit=kit)
    rights_change = (now_is.role, now_is.store_code) != (wanted.role, wanted.store_code)
    both_clerk = now_is.role is Role.CLERK and wanted.role is Role.CLERK
    agreed_by = _second(agreed, number, desk, kit) if rights_change and not both_clerk else ""
    _change(now_is, wanted, agreed_by, desk, kit)


@retried
def _change(now_is: PersonPicture, wanted: Wanted, agreed_by: str, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        person = _held(session, now_is.number, desk, Permission.STAFF)
        home = _home(session, wanted, desk)
        if person.role is not now_is.role:
            raise NotAllowed  # somebody was quicker, and what was agreed was something else
        was = {"role": person.role.value, "store": now_is.store_code or "all", "language": person.language}
        renamed, moved = person.name != wanted.name, (person.role, person.store_id) != (wanted.role, home)
        person.name, person.role, person.language, person.store_id = wanted.name, wanted.role, wanted.language, home
        if moved:
            _end_stays(session, person, "rights", now)
        becomes = {"role": wanted.role.value, "store": wanted.store_code or "all", "language": wanted.language}
        content = {"was": was, "is": becomes, "renamed": renamed, "agreed_by": agreed_by or "none"}
        kit.pen(desk, now).note(session, "staff.changed", "staff", person.number, content)


@retried
def suspend(number: str, desk: Desk, *, kit: Kit) -> None:
    """Out at once, at every till; what the person did keeps the name. Again: nothing changes. Raises NotFound, NotAllowed."""
    now = kit.now()
    with transaction() as session:
        person = _held(session, number, desk, Permission.STAFF)
        if person.suspended_at is not None:
            return
        person.suspended_at = now
        _end_stays(session, person, "suspended", now)
        kit.pen(desk, now).note(session, "staff.suspended", "staff", number, {"role": person.role.value})


def reinstate(number: str, agreed: Approval, desk: Desk, *, kit: Kit) -> str:
    """In again, with a new PIN that is changed at its first use. Raises what ``change`` raises."""
    agreed_by = _second(agreed, number, desk, kit) if one(number, desk, kit=kit).role is not Role.CLERK else ""
    pin = new_pin()
    _reinstate(number, staff.hash_pin(pin, kit.keys), agreed_by, desk, kit)
    return pin


@retried
def _reinstate(number: str, pin_hash: str, agreed_by: str, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        person = _held(session, number, desk, Permission.STAFF)
        if person.role is not Role.CLERK and not agreed_by:
            raise NotAllowed  # not a clerk any more since this was asked for
        person.suspended_at = None
        _keep_pin(session, person, pin_hash, now)
        content = {"role": person.role.value, "agreed_by": agreed_by or "none"}
        kit.pen(desk, now).note(session, "staff.reinstated", "staff", number, content)


# ------------------------------------------------------------------ a manager's, too


def give_pin(number: str, desk: Desk, *, kit: Kit) -> str:
    """A new PIN, shown once and changed at its first use; the old one and every stay end. Raises NotFound, NotAllowed."""
    pin = new_pin()
    _give_pin(number, staff.hash_pin(pin, kit.keys), desk, kit)
    return pin


@retried
def _give_pin(number: str, pin_hash: str, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        person = _held(session, number, desk, Permission.PEOPLE)
        if person.suspended_at is not None:
            raise NotAllowed
        _keep_pin(session, person, pin_hash, now)
        kit.pen(desk, now).note(session, "staff.pin_given", "staff", number, {"role": person.role.value})


def _keep_pin(session: Session, person: rows.Staff, pin_hash: str, now: datetime) -> None:
    """A PIN that somebody else knows; what was mistyped before counts no more, and every stay ends."""
    person.pin_hash, person.pin_given_until, person.locked_at = pin_hash, now + GIVEN_PIN_LIFE, None
    rows.forgive(session, person.id)
    _end_stays(session, person, "pin", now)


@retried
def unlock(number: str, desk: Desk, *, kit: Kit) -> None:
    """Let a person try again whose PIN was mistyped too often; the PIN stays. Raises NotFound, NotAllowed."""
    now = kit.now()
    with transaction() as session:
        person = _held(session, number, desk, Permission.PEOPLE)
        misses = rows.wrong_tries(session, now - LOCK_DAY, staff_id=person.id)
        rows.forgive(session, person.id)
        person.locked_at = None
        kit.pen(desk, now).note(session, "staff.unlocked", "staff", number, {"misses": misses})


# ------------------------------------------------------------------ who may


def _held(session: Session, number: str, desk: Desk, permission: Permission) -> rows.Staff:
    """The person, held, as he is now, when the one at the desk still may. Two who act on each other take turns."""
    person = rows.by_number(session, number)
    if person is None or not _within(desk, person.store_id):
        raise NotFound
    if person.id == desk.staff.id:
        raise NotAllowed
    for one_of_two in sorted((person.id, desk.staff.id)):
        rows.lock(session, one_of_two)
    _refuse_helpless(session, desk, permission)
    if permission is Permission.PEOPLE and not _may_help(desk.staff.role, person.role):
        raise NotAllowed
    return person


def _refuse_helpless(session: Session, desk: Desk, permission: Permission) -> None:
    """The request began a moment ago; who was suspended since, or lost the role, changes nobody any more."""
    me = session.get_one(rows.Staff, desk.staff.id)
    if me.suspended_at is not None or not may(me.role, permission):
        raise NotAllowed


def _home(session: Session, wanted: Wanted, desk: Desk) -> int | None:
    """The store's row, or None for every store, which only those may give who have it themselves."""
    store = till_rows.store_by_code(session, wanted.store_code) if wanted.store_code else None
    if (wanted.store_code and store is None) or not _within(desk, store.id if store is not None else None):
        raise NotFound
    return store.id if store is not None else None


def _second(agreed: Approval, number: str, desk: Desk, kit: Kit) -> str:
    """The number of the one who agrees: neither the one signed in nor the one it is about."""
    if agreed.staff_number.strip() == number:
        raise OnePersonTwice
    return approvals.second_person(agreed, Permission.PEOPLE, desk, kit=kit).number


def _refuse_nonsense(wanted: Wanted) -> None:
    if not wanted.name.strip():
        raise NameMissing
    if wanted.language not in LANGUAGES:
        raise NotFound


def _end_stays(session: Session, person: rows.Staff, why: str, now: datetime) -> None:
    for stay in rows.live_sign_ins_of(session, person.id):
        stay.ended_at, stay.ended_why = now, why
