"""Enrol a browser as a till; know a till again by its secret."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pos.domain.errors import CodeTaken, EnrolmentCodeWrong, NameMissing, NotFound, TillCodeWrong
from pos.domain.money import parse
from pos.domain.staff import ENROLMENT_CODE_LIFE, SESSION_IDLE
from pos.domain.tills import Desk, Store, Till
from pos.services.kit import Kit
from pos.store import staff as staff_rows
from pos.store import tills as rows
from pos.store.db import reading, retried, transaction
from receipts import qr

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_MISSES = 5


def digest(secret: str) -> str:
    """How secrets stand in the database; they are long and random, so one round is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class TillPicture:
    """One till of the list: since when a browser is enrolled, and who is signed in there by number."""

    code: str
    name: str
    store_name: str
    surface: str
    enrolled_at: datetime | None
    is_enrolled: bool
    waits_for_code: bool
    signed_in: str


def listed(desk: Desk, *, kit: Kit) -> list[TillPicture]:
    """The tills that the person at the desk answers for: his own store's, or all when he is at home everywhere."""
    now = kit.now()
    with reading() as session:
        found = [till for till in rows.all_tills(session) if _answers_for(desk, till)]
        return [_picture(session, till, now) for till in found]


def _picture(session: Session, till: rows.Till, now: datetime) -> TillPicture:
    stays = [stay for stay in staff_rows.live_sign_ins(session, till.id) if stay.seen_at + SESSION_IDLE > now]
    people = [session.get_one(staff_rows.Staff, stay.staff_id).number for stay in stays]
    waits = till.enrolment_code_hash is not None and till.enrolment_ends_at is not None and till.enrolment_ends_at > now
    return TillPicture(
        code=till.code,
        name=till.name,
        store_name=rows.store_of(session, till).name,
        surface=till.surface,
        enrolled_at=till.enrolled_at,
        is_enrolled=till.secret_hash is not None,
        waits_for_code=waits,
        signed_in=", ".join(people),
    )


def _answers_for(desk: Desk, till: rows.Till) -> bool:
    return desk.staff.store_id is None or till.store_id == desk.staff.store_id


@retried
def revoke(till_code: str, desk: Desk, *, kit: Kit) -> None:
    """The browser of this till is none any more: its secret, a code under way and every stay end in one commit. What was sold
    there stays; a new code makes another browser this till. Raises NotFound."""
    now = kit.now()
    with transaction() as session:
        till = rows.till_for_change(session, till_code)
        if till is None or not _answers_for(desk, till):
            raise NotFound
        was_enrolled = till.secret_hash is not None
        till.secret_hash, till.enrolment_code_hash, till.enrolment_ends_at = None, None, None
        for stay in staff_rows.live_sign_ins(session, till.id):
            stay.ended_at, stay.ended_why = now, "revoked"
        store = rows.store_of(session, till).plain()
        pen = kit.office_pen(store.code, desk.actor, now, store.business_day(now))
        pen.note(session, "till.revoked", "till", till.code, {"was_enrolled": was_enrolled})


@retried
def make_code(till_code: str, *, kit: Kit, desk: Desk | None = None) -> str:
    """A one-time enrolment code, good for ten minutes, shown once; from the command line, or by the person at a desk for a till
    that he answers for. Raises EnrolmentCodeWrong when there is no such till."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    now = kit.now()
    with transaction() as session:
        till = rows.till_for_change(session, till_code)
        if till is None or (desk is not None and not _answers_for(desk, till)):
            raise EnrolmentCodeWrong
        till.enrolment_code_hash, till.enrolment_ends_at = digest(code), now + ENROLMENT_CODE_LIFE
        till.enrolment_misses = 0
        store = rows.store_of(session, till).plain()
        pen = kit.office_pen(store.code, desk.actor if desk else "command", now, store.business_day(now))
        pen.note(session, "till.code", "till", till.code, {})
    return f"{till_code}-{code}"


def drawn(code: str) -> tuple[list[tuple[int, int, int, int]], int]:
    """The code as a QR for a scanner: its black as (column, row, length, height), and how many modules a side has."""
    grid = qr.modules(code)
    return qr.rectangles(grid), len(grid)


@retried
def enrol(code: str, *, kit: Kit) -> str:
    """Exchange a code for the till's secret (256 bits, for the browser's cookie). An earlier browser of that till is out.

    Power cut: the code is spent and the secret kept in one commit; a lost answer needs a new code."""
    till_code, _, secret_part = code.strip().upper().rpartition("-")
    now = kit.now()
    refused = False
    with transaction() as session:
        till = rows.till_for_change(session, till_code)
        if till is None or till.enrolment_code_hash is None or till.enrolment_ends_at is None:
            raise EnrolmentCodeWrong
        right = hmac.compare_digest(till.enrolment_code_hash, digest(secret_part))
        if not right or till.enrolment_ends_at < now:
            till.enrolment_misses += 1
            if till.enrolment_misses >= _MISSES:
                till.enrolment_code_hash = None
            refused = True
        else:
            secret = _keep_secret(till)
            till.enrolled_at = now
            # Whoever was signed in, was so in the browser that is out from now on.
            for stay in staff_rows.live_sign_ins(session, till.id):
                stay.ended_at, stay.ended_why = now, "enrolled"
            store = rows.store_of(session, till).plain()
            kit.office_pen(store.code, "command", now, store.business_day(now)).note(
                session, "till.enrolled", "till", till.code, {}
            )
    if refused:
        raise EnrolmentCodeWrong
    return secret


def _keep_secret(till: rows.Till) -> str:
    secret = secrets.token_urlsafe(32)
    till.secret_hash, till.enrolment_code_hash, till.enrolment_ends_at = digest(secret), None, None
    return secret


def recognise(secret: str) -> tuple[Store, Till] | None:
    """The till that holds this secret, or None."""
    with reading() as session:
        found = rows.till_by_secret(session, digest(secret))
        return None if found is None else (found[1].plain(), found[0].plain())


def desk_of(session: Session, till_id: int, staff_id: int) -> Desk:
    """Who stood where, for the worker to write in his name."""
    till = session.get_one(rows.Till, till_id)
    return Desk(rows.store_of(session, till).plain(), till.plain(), session.get_one(staff_rows.Staff, staff_id).plain())


def all_tills() -> list[tuple[str, str, str]]:
    """(code, name, store's name) of every till, for the demo's first page and the command line."""
    with reading() as session:
        return [(till.code, till.name, rows.store_of(session, till).name) for till in rows.all_tills(session)]


@retried
def add_store(store: Store, *, kit: Kit) -> None:
    """Write a new store down, journaled in its office chain. Raises CodeTaken."""
    now = kit.now()
    with transaction() as session:
        if rows.store_by_code(session, store.code) is not None:
            raise CodeTaken(code=store.code)
        session.add(
            rows.Store(
                code=store.code,
                name=store.name,
                legal_name=store.legal_name,
                address=list(store.address),
                tax_label=store.tax_label,
                tax_number=store.tax_number,
                country=store.country,
                currency=store.currency,
                zone=store.zone,
                day_starts_minutes=int(store.day_starts.total_seconds() // 60),
                tax_name=store.tax_name,
                tax_basis_points=store.tax_basis_points,
                support=list(store.support),
                hours=store.hours,
                footer=list(store.footer),
                drawer_tolerance_minor=store.drawer_tolerance_minor,
                refund_limit_minor=store.refund_limit_minor,
                movement_limit_minor=store.movement_limit_minor,
                drawer_limit_minor=store.drawer_limit_minor,
                difference_limit_minor=store.difference_limit_minor,
                second_language=store.second_language,
                legal_lines=None if store.legal_lines is None else list(store.legal_lines),
            )
        )
        pen = kit.office_pen(store.code, "command", now, store.business_day(now))
        content = {"name": store.name, "currency": store.currency, "zone": store.zone, "tax": store.tax_basis_points}
        pen.note(session, "store.added", "store", store.code, content)


@retried
def set_refund_limit(store_code: str, limit: str, *, kit: Kit) -> None:
    """What a clerk of a store may give back of one sale; empty for any sum. Raises NotFound, NotMoney."""
    now = kit.now()
    with transaction() as session:
        store = rows.store_by_code(session, store_code)
        if store is None:
            raise NotFound
        store.refund_limit_minor = parse(limit, store.currency).minor if limit else None
        pen = kit.office_pen(store.code, "command", now, store.plain().business_day(now))
        pen.note(session, "store.refund_limit", "store", store.code, {"limit": store.refund_limit_minor or "none"})


@retried
def set_drawer_limits(store_code: str, movement: str, drawer: str, difference: str, *, kit: Kit) -> None:
    """The three limits of a store's drawers, each empty for any sum. Raises NotFound, NotMoney."""
    now = kit.now()
    with transaction() as session:
        store = rows.store_by_code(session, store_code)
        if store is None:
            raise NotFound
        limits = [parse(limit, store.currency).minor if limit else None for limit in (movement, drawer, difference)]
        store.movement_limit_minor, store.drawer_limit_minor, store.difference_limit_minor = limits
        pen = kit.office_pen(store.code, "command", now, store.plain().business_day(now))
        names = ("movement", "drawer", "difference")
        content = {name: "none" if limit is None else limit for name, limit in zip(names, limits, strict=True)}
        pen.note(session, "store.drawer", "store", store.code, content)


@retried
def set_receipts(store_code: str, second_language: str, legal: tuple[str, ...] | None, *, kit: Kit) -> None:
    """The second language of a store's receipts (empty for none), and its legal lines; None for what is usual in its country.

    Raises NotFound. Receipts that were issued stay as they are."""
    now = kit.now()
    with transaction() as session:
        store = rows.store_by_code(session, store_code)
        if store is None:
            raise NotFound
        store.second_language, store.legal_lines = second_language, None if legal is None else list(legal)
        pen = kit.office_pen(store.code, "command", now, store.plain().business_day(now))
        content = {"second_language": second_language or "none", "legal": store.legal_lines or []}
        pen.note(session, "store.receipts", "store", store.code, content)


@retried
def add_till(store_code: str, code: str, name: str, surface: str, *, kit: Kit, actor: str = "command") -> None:
    """A new till of a store; a browser becomes it with a code from ``make_code``. Raises NotFound, CodeTaken, TillCodeWrong,
    NameMissing."""
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z-]{1,11}", code):
        raise TillCodeWrong
    if not name.strip():
        raise NameMissing
    now = kit.now()
    with transaction() as session:
        store = rows.store_by_code(session, store_code)
        if store is None:
            raise NotFound
        if rows.till_by_code(session, code) is not None:
            raise CodeTaken(code=code)
        session.add(rows.Till(store_id=store.id, code=code, name=name, surface=surface, enrolment_misses=0))
        pen = kit.office_pen(store.code, actor, now, store.plain().business_day(now))
        pen.note(session, "till.added", "till", code, {"name": name, "surface": surface})
