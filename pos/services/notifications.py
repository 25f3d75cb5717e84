"""A carrier calls us: a reason to look, and nothing more. What is true is read from the carrier by ``find``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import structlog

from pos.domain.errors import NotFound
from pos.domain.renewals import RenewalState
from pos.services.kit import Kit
from pos.store import notifications as rows
from pos.store import renewals as renewal_rows
from pos.store import sales as sale_rows
from pos.store import tills as till_rows
from pos.store.db import transaction

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
    now = kit.now()
    with transaction() as session:
        kept = rows.keep(session, carrier_name, hashlib.sha256(body).hexdigest(), ref, hint.authenticated, now)
        if kept is None:
            return
        renewal_id = rows.renewal_of(session, ref) if ref is not None else None
        known = session.get(renewal_rows.Renewal, renewal_id) if renewal_id is not None else None
        if known is None or known.carrier != carrier_name:
            log.warning("notification of an unknown reference", carrier=carrier_name, authenticated=hint.authenticated)
            return
        session.get_one(rows.Notification, kept).renewal_id = known.id
        # The sale first, then its lines: everybody locks in this order.
        sale = sale_rows.for_change(session, known.sale_id)
        session.expire(known)
        renewal = renewal_rows.for_change(session, known.id)
        if renewal is None or sale is None:
            return
        if renewal.state in _ASKED_ABOUT and renewal.due_at is not None:
            renewal.due_at = min(renewal.due_at, now)
        till = session.get_one(till_rows.Till, sale.till_id)
        pen = kit.worker_pen(till_rows.store_of(session, till).plain(), till.plain(), now)
        pen.note(session, "renewal.notified", "renewal", renewal.id, {"ref": ref or "", "authenticated": hint.authenticated})
    kit.bell.set()
