"""Sign in with a PIN at an enrolled till, stay signed in at the server, sign out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pos.domain.errors import ApproverRefused, CodeTaken, NotFound, OldPinRefused, PinAsBefore, PinsDiffer, SignInRefused
from pos.domain.permissions import Permission, Role, may
from pos.domain.staff import (
    LOCK_DAY,
    LOCK_WINDOW,
    SESSION_END,
    SESSION_IDLE,
    WRONG_PER_DAY,
    WRONG_PER_STAFF,
    WRONG_PER_TILL,
    refuse_weak_pin,
)
from pos.domain.tills import Desk, Store, Till
from pos.domain.tills import Staff as PlainStaff
from pos.services.kit import Kit
from pos.services.tills import digest
from pos.store import staff as rows
from pos.store import tills as till_rows
from pos.store.db import cannot_record, reading, retried, transaction
from pos.store.keys import KeyRing

# OWASP's floor for argon2id; what protects a stolen table of six digits is the pepper, which is not in the database.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_SEEN_EVERY = timedelta(minutes=1)

log = structlog.get_logger()


def hash_pin(pin: str, keys: KeyRing) -> str:
    """Argon2id over the peppered PIN; costs about 20 ms on purpose."""
    key_id, pepper = keys.current("pep")
    return f"{key_id}:{_hasher.hash(_peppered(pin, pepper))}"


def _peppered(pin: str, pepper: bytes) -> str:
    return hmac.new(pepper, pin.encode(), hashlib.sha256).hexdigest()


def people_at(store: Store) -> list[tuple[str, str, str]]:
    """(number, name, role) of everybody who may sign in at this store's tills."""
    with reading() as session:
        return [(person.number, person.name, person.role.value) for person in rows.people_of(session, store.id)]


def who_may(store: Store, permission: Permission) -> list[tuple[str, str]]:
    """(number, name) of everybody at this store whose role has a right."""
    with reading() as session:
        return [(person.number, person.name) for person in rows.people_of(session, store.id) if may(person.role, permission)]


@dataclass(frozen=True)
class _Try:
    """One try with a PIN, as it was written down before anybody looked at the PIN. ``row_id`` is None while locked: such a
    try tells its maker nothing, and whoever makes thousands of them keeps nobody locked for longer."""

    row_id: int | None
    pin_hash: str | None = field(repr=False)
    person: PlainStaff | None
    locked: bool


def sign_in(store: Store, till: Till, staff_number: str, pin: str, *, kit: Kit) -> str:
    """The id of a new stay for the browser. Raises SignInRefused: wrong, locked and unknown look the same.

    The try is written before the PIN is looked at and given back when it was right, so that a crash or a parallel guess
    counts as wrong. Other stays at this till end in the same commit."""
    now = kit.now()
    tried = _count_as_wrong(store, till, staff_number, now)
    right = _verify(tried.pin_hash, pin, kit.keys) and not tried.locked
    if not right or tried.person is None:
        _note_refusal(store, till, tried, now, kit)
        raise SignInRefused
    stay_id = secrets.token_urlsafe(32)
    _begin_stay(stay_id, tried, Desk(store, till, tried.person), now, kit)
    _pepper_anew(tried.person.id, tried.pin_hash, pin, kit.keys)
    return stay_id


@retried
def _count_as_wrong(store: Store, till: Till, staff_number: str, now: datetime) -> _Try:
    """Parallel guesses must see each other's tries: one at a time for each till and for each person."""
    with transaction() as session:
        till_rows.lock(session, till.id)
        person = rows.by_number(session, staff_number)
        if person is not None:
            rows.lock(session, person.id)
        at_home = person is not None and person.suspended_at is None and person.store_id in (None, store.id)
        locked = _is_locked(session, till, person, now)
        try_row = rows.WrongTry(staff_id=person.id if person and at_home else None, till_id=till.id, at=now)
        if not locked:
            session.add(try_row)
            session.flush()
        if person is None or not at_home or (person.pin_given_until is not None and person.pin_given_until < now):
            return _Try(try_row.id, None, person.plain() if person is not None and at_home else None, locked)
        return _Try(try_row.id, person.pin_hash, person.plain(), locked)


def _is_locked(session: Session, till: Till, person: rows.Staff | None, now: datetime) -> bool:
    since = now - LOCK_WINDOW
    if rows.wrong_tries(session, since, till_id=till.id) >= WRONG_PER_TILL:
        return True
    if person is None:
        return False
    return (
        person.locked_at is not None
        or rows.wrong_tries(session, since, staff_id=person.id) >= WRONG_PER_STAFF
        or rows.wrong_tries(session, now - LOCK_DAY, staff_id=person.id) >= WRONG_PER_DAY
    )


def prove(staff_number: str, pin: str, permission: Permission, desk: Desk, *, kit: Kit) -> PlainStaff:
    """Who stands beside the clerk: the person of this number, when the PIN is right and the role has the right. Nobody's stay
    changes. Raises ApproverRefused, which sounds the same whatever was wrong; a wrong PIN counts as at the sign-in. With a PIN
    that somebody else gave nobody agrees to anything: two people know it."""
    now = kit.now()
    tried = _count_as_wrong(desk.store, desk.till, staff_number[:12], now)
    right = _verify(tried.pin_hash, pin, kit.keys) and not tried.locked
    if right:
        _take_back(tried)
    else:
        _note_refusal(desk.store, desk.till, tried, now, kit)
    if not right or tried.person is None or tried.person.pin_is_given or not may(tried.person.role, permission):
        raise ApproverRefused
    return tried.person


def choose_pin(old_pin: str, pin: str, again: str, desk: Desk, *, kit: Kit) -> str:
    """The person's own new PIN; the id of the new stay for the browser, since every other stay of this person ends.

    Raises PinTooWeak, PinsDiffer, PinAsBefore, OldPinRefused; a wrong old PIN counts as at the sign-in."""
    refuse_weak_pin(pin)
    if pin != again:
        raise PinsDiffer
    if pin == old_pin:
        raise PinAsBefore
    now = kit.now()
    tried = _count_as_wrong(desk.store, desk.till, desk.staff.number, now)
    if not _verify(tried.pin_hash, old_pin, kit.keys) or tried.locked:
        _note_refusal(desk.store, desk.till, tried, now, kit)
        raise OldPinRefused
    stay_id = secrets.token_urlsafe(32)
    _keep_pin(stay_id, hash_pin(pin, kit.keys), tried, desk, now, kit)
    return stay_id


@retried
def _keep_pin(stay_id: str, hashed: str, tried: _Try, desk: Desk, now: datetime, kit: Kit) -> None:
    with transaction() as session:
        till_rows.lock(session, desk.till.id)
        rows.lock(session, desk.staff.id)
        person = session.get_one(rows.Staff, desk.staff.id)
        if person.pin_hash != tried.pin_hash or person.suspended_at is not None:
            raise OldPinRefused  # a manager was quicker
        person.pin_hash, person.pin_given_until = hashed, None
        for stay in rows.live_sign_ins_of(session, person.id):
            stay.ended_at, stay.ended_why = now, "pin"
        _stay(session, stay_id, tried, desk, now)
        kit.pen(desk, now).note(session, "staff.own_pin", "staff", desk.staff.number, {})


@retried
def _take_back(tried: _Try) -> None:
    with transaction() as session:
        session.delete(session.get_one(rows.WrongTry, tried.row_id))


@retried
def _begin_stay(stay_id: str, tried: _Try, desk: Desk, now: datetime, kit: Kit) -> None:
    with transaction() as session:
        till_rows.lock(session, desk.till.id)
        rows.lock(session, desk.staff.id)
        person = session.get_one(rows.Staff, desk.staff.id)
        if person.pin_hash != tried.pin_hash or person.suspended_at is not None:
            raise SignInRefused  # a manager was quicker
        _stay(session, stay_id, tried, desk, now)
        kit.pen(desk, now).note(session, "staff.signed_in", "staff", desk.staff.number, {})


def _stay(session: Session, stay_id: str, tried: _Try, desk: Desk, now: datetime) -> None:
    """The one live stay of this till; the try that opened it is given back."""
    session.delete(session.get_one(rows.WrongTry, tried.row_id))
    for stay in rows.live_sign_ins(session, desk.till.id):
        stay.ended_at, stay.ended_why = now, "switched"
    session.add(
        rows.SignIn(
            id_hash=digest(stay_id),
            staff_id=desk.staff.id,
            till_id=desk.till.id,
            began_at=now,
            seen_at=now,
            ends_at=now + SESSION_END,
        )
    )


@retried
def _note_refusal(store: Store, till: Till, tried: _Try, now: datetime, kit: Kit) -> None:
    """Journaled for a person of this store; with the last one of a day a manager has to look."""
    if tried.person is None:
        return
    desk = Desk(store, till, tried.person)
    with transaction() as session:
        rows.lock(session, desk.staff.id)
        person = session.get_one(rows.Staff, desk.staff.id)
        kit.pen(desk, now).note(session, "staff.pin_failed", "staff", person.number, {"locked": tried.locked})
        misses = rows.wrong_tries(session, now - LOCK_DAY, staff_id=person.id)
        if misses >= WRONG_PER_DAY and person.locked_at is None:
            person.locked_at = now
            kit.pen(desk, now).note(session, "staff.locked", "staff", person.number, {"misses": misses})


@retried
def _pepper_anew(staff_id: int, stored: str | None, pin: str, keys: KeyRing) -> None:
    """After a change of the pepper each PIN is kept under the new one as soon as its owner has typed it."""
    if stored is None or stored.partition(":")[0] == keys.current("pep")[0]:
        return
    hashed = hash_pin(pin, keys)
    with transaction() as session:
        rows.lock(session, staff_id)
        person = session.get_one(rows.Staff, staff_id)
        if person.pin_hash == stored:
            person.pin_hash = hashed


def _verify(stored: str | None, pin: str, keys: KeyRing) -> bool:
    """Whether the PIN is right; costs the same when there is nobody to compare with."""
    key_id, _, hashed = (stored or "").partition(":")
    if stored is None:
        _hasher.hash(pin)
        return False
    try:
        return _hasher.verify(hashed, _peppered(pin, keys.by_id(key_id)))
    except (VerificationError, InvalidHashError):
        return False


def who(stay_id: str, store: Store, till: Till, *, kit: Kit, by_itself: bool = False) -> Desk | None:
    """Who is signed in with this stay at this till; None when it ended, idled, or belongs to another till.

    ``by_itself`` marks a look that the page took without a person: it does not keep an unattended till open."""
    now = kit.now()
    with reading() as session:
        found = rows.sign_in_of(session, digest(stay_id))
        if found is None:
            return None
        stay, person = found
        if stay.ended_at is not None or stay.till_id != till.id or stay.ends_at < now:
            return None
        if stay.seen_at + SESSION_IDLE < now:
            return None
        if person.suspended_at is not None:
            return None
        desk, seen_at = Desk(store, till, person.plain()), stay.seen_at
    if not by_itself and now - seen_at > _SEEN_EVERY:
        try:
            _seen(stay_id, now)
        except DBAPIError as fault:
            if not cannot_record(fault):
                raise
            # Whoever stands at a till goes on looking at what was sold while the disk is full.
            log.error("staff.not_seen", staff=desk.staff.number)
    return desk


@retried
def _seen(stay_id: str, now: datetime) -> None:
    with transaction() as session:
        stay = session.get(rows.SignIn, digest(stay_id))
        if stay is not None:
            stay.seen_at = now


@retried
def sign_out(stay_id: str, desk: Desk, *, kit: Kit) -> None:
    """End the stay at the server; the browser's copy of the id is worth nothing from now on."""
    now = kit.now()
    with transaction() as session:
        stay = session.get(rows.SignIn, digest(stay_id))
        if stay is not None and stay.ended_at is None:
            stay.ended_at, stay.ended_why = now, "signed_out"
            kit.pen(desk, now).note(session, "staff.signed_out", "staff", desk.staff.number, {})


@retried
def add(number: str, name: str, role: Role, store_code: str | None, pin: str, language: str, *, kit: Kit) -> None:
    """A new person, journaled in the office chain of the store (``all`` for people of every store).

    Raises PinTooWeak, NotFound, CodeTaken."""
    refuse_weak_pin(pin)
    now = kit.now()
    hashed = hash_pin(pin, kit.keys)
    with transaction() as session:
        store = till_rows.store_by_code(session, store_code) if store_code else None
        if store_code and store is None:
            raise NotFound
        if rows.by_number(session, number) is not None:
            raise CodeTaken(code=number)
        session.add(
            rows.Staff(
                number=number,
                name=name,
                role=role,
                store_id=store.id if store else None,
                language=language,
                pin_hash=hashed,
            )
        )
        day = store.plain().business_day(now) if store else now.date()
        pen = kit.office_pen(store.code if store else "all", "command", now, day)
        pen.note(session, "staff.added", "staff", number, {"role": role.value})
