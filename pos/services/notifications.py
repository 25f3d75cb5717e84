"""A carrier calls us: a reason to look, and nothing more. What is true is read from the carrier by ``find``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import structlog

from pos.domain.errors import NotFound
from pos.domain.renewals import RenewalState
from pos.services import renewals
from pos.services.kit import Kit
from pos.store import notifications as rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction

log = structlog.get_logger()
_ASKED_ABOUT = (RenewalState.PENDING, RenewalState.UNKNOWN)


def receive(carrier_name: str, headers: Mapping[str, str], body: bytes, *, kit: Kit) -> None:
    """Let the worker ask about the order a message names, at once. The same message again changes nothing.

    A forged, old or wrong message can do no more than cause one question: amounts and states in it are never read.
    Raises NotFound for a carrier that is not configured. Power cut: heard or not heard; the carrier then repeats it, and
    the worker asks by itself anyway."""
    carrier = kit.carriers.get(carrier_name)
    if carrier is None:
        raise NotFound
    hint = carrier.parse_notification(headers, body)
    ref = hint.ref if hint.ref is not None and len(hint.ref) <= 36 else None
    if _keep(carrier_name, ref, hashlib.sha256(body).hexdigest(), hint.authenticated, kit):
        kit.bell.set()


@retried
def _keep(carrier_name: str, ref: str | None, digest: str, authenticated: bool, kit: Kit) -> bool:
    """Whether there is something to ask about now."""
    now = kit.now()
    with transaction() as session:
        kept = rows.keep(session, carrier_name, digest, ref, authenticated, now)
        if kept is None:
            return False
        renewal_id = rows.renewal_of(session, ref) if ref is not None else None
        known = session.get(renewal_rows.Renewal, renewal_id) if renewal_id is not None else None
        if known is None or known.carrier != carrier_name:
            session.get_one(rows.Notification, kept).asked_at = now
            log.warning("notification of an unknown reference", carrier=carrier_name, authenticated=authenticated)
            return False
        session.get_one(rows.Notification, kept).renewal_id = known.id
        # The sale first, then its lines: everybody locks in this order.
        sale = sale_rows.for_change(session, known.sale_id)
        session.expire(known)
        renewal = renewal_rows.for_change(session, known.id)
        if renewal is None or sale is None:
            return False
        if renewal.state in _ASKED_ABOUT and renewal.due_at is not None:
            renewal.due_at = min(renewal.due_at, now)
        if renewal.state in renewal_rows.WAITING or renewal.state is RenewalState.SUBMITTING:
            session.get_one(rows.Notification, kept).asked_at = now
        till = session.get_one(till_rows.Till, sale.till_id)
        pen = kit.worker_pen(till_rows.store_of(session, till).plain(), till.plain(), now)
        pen.note(session, "renewal.notified", "renewal", renewal.id, {"ref": ref or "", "authenticated": authenticated})
    return True


def ask_about_the_settled(*, kit: Kit) -> int:
    """The worker's part: ask about each order that seemed to be over when its carrier called (F18, F19). How many."""
    with reading() as session:
        heard = [(row.id, row.renewal_id) for row in rows.unasked(session) if row.renewal_id is not None]
    for notification_id, renewal_id in heard:
        renewals.look_again(renewal_id, kit=kit)
        with transaction() as session:
            session.get_one(rows.Notification, notification_id).asked_at = kit.now()
    return len(heard)
