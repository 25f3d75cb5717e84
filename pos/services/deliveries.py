"""Keep what a carrier delivers as text: sealed by whoever learns it, in clear on one slip only, masked everywhere else.

The verbs here work inside the transaction of the caller; handing a code over is ``hand_overs``."""

from __future__ import annotations

import json

from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from pos.domain.deliveries import Delivered, grouped_code, masked_code
from pos.domain.numbers import masked
from pos.domain.renewals import next_asking
from pos.ports import EsimProfile, Fulfilment, Voucher
from pos.services.kit import Kit
from pos.services.words import say_in
from pos.store import deliveries as rows
from pos.store import plans as plan_rows
from pos.store import print_jobs as job_rows
from pos.store import renewals as renewal_rows
from pos.store.keys import KeyRingUnusable
from pos.store.life import Pen
from receipts import codes
from receipts.blocks import Block, Slot
from receipts.document import Document

_LONGEST, _LONGEST_TEXT = 400, 600


# ------------------------------------------------------------------ what came from the carrier


def expect(session: Session, renewal: renewal_rows.Renewal, told: Voucher | EsimProfile | None, pen: Pen, kit: Kit) -> None:
    """A renewal was confirmed: what it delivers is kept, or waited for where the answer was without it."""
    if told is None and renewal.fulfilment == Fulfilment.DIRECT:
        return
    is_esim = isinstance(told, EsimProfile) or (told is None and renewal.fulfilment == Fulfilment.ESIM)
    kind = Delivered.ESIM if is_esim else Delivered.PIN
    # What came is what counts, also where the price list had said something else.
    renewal.fulfilment = kind.value
    delivery = rows.for_change(session, renewal.id)
    if delivery is None:
        delivery = rows.Delivery(renewal_id=renewal.id, kind=kind, masked="", times_shown=0, times_printed=0, times_asked=0)
        session.add(delivery)
    if not keep(session, renewal, delivery, told, pen, kit) and delivery.sealed is None:
        delivery.due_at = pen.at + next_asking(0)
        pen.note(session, "code.awaited", "renewal", renewal.id, {"kind": kind.value})


def keep(
    session: Session,
    renewal: renewal_rows.Renewal,
    delivery: rows.Delivery,
    told: Voucher | EsimProfile | None,
    pen: Pen,
    kit: Kit,
) -> bool:
    """Seal what was told, once; whether there is something new to hand over. The journal learns that it came, not what."""
    content = _content(session, renewal, told)
    if delivery.sealed is not None or content is None:
        return False
    delivery.kind = Delivered.ESIM if isinstance(told, EsimProfile) else Delivered.PIN
    delivery.sealed = kit.keys.seal(json.dumps(content, ensure_ascii=False), _place(renewal.id))
    delivery.masked = masked(content["iccid"]) if content.get("iccid") else masked_code(content["text"])
    delivery.iccid_look_up = kit.keys.look_up("idx", content["iccid"]) if content.get("iccid") else None
    delivery.delivered_at, delivery.due_at = pen.at, None
    pen.note(session, "code.delivered", "renewal", renewal.id, {"kind": delivery.kind.value})
    return True


def _content(session: Session, renewal: renewal_rows.Renewal, told: Voucher | EsimProfile | None) -> dict[str, str] | None:
    """What is sealed; None for an answer without the code itself."""
    match told:
        case Voucher(code=code) if code.strip():
            plan = session.get_one(plan_rows.Plan, renewal.plan_id)
            words = told.instructions or plan.redeem or ""
            more = {"serial": told.serial or "", "validity": told.validity or "", "instructions": words[:_LONGEST_TEXT]}
            return {"text": code.strip()[:_LONGEST]} | more
        case EsimProfile(lpa=lpa) if lpa.strip():
            iccid = "".join(sign for sign in told.iccid or "" if sign.isdigit())
            return {"text": lpa.strip()[:_LONGEST], "iccid": iccid[:20]}
        case _:
            return None


def _place(renewal_id: str) -> str:
    return f"deliveries.sealed:{renewal_id}"


def opened(delivery: rows.Delivery, kit: Kit) -> codes.Code:
    """The code in clear, for the moment in which it is shown or drawn. Raises InvalidTag, KeyRingUnusable, ValueError."""
    content = json.loads(kit.keys.open(delivery.sealed or b"", _place(delivery.renewal_id)))
    is_esim = delivery.kind is Delivered.ESIM
    text = content["text"] if is_esim else grouped_code(content["text"])
    more = {name: content.get(name, "") for name in ("serial", "instructions", "validity")}
    return codes.Code(text, is_esim=is_esim, masked=delivery.masked, **more)


# ------------------------------------------------------------------ on paper


def slot_of(delivery: rows.Delivery | None) -> Slot | None:
    """The room for a code on a slip, once the code is there."""
    if delivery is None or delivery.sealed is None:
        return None
    return Slot(delivery.renewal_id, delivery.kind is Delivered.ESIM, delivery.masked)


def give_to(session: Session, document: Document, job: job_rows.PrintJob | None) -> None:
    """The first slip that has room for a code is the one that carries it."""
    for slot in document.slots:
        delivery = rows.for_change(session, slot.key)
        if job is not None and delivery is not None and delivery.job_id is None and delivery.times_printed == 0:
            delivery.job_id = job.id


def for_job(session: Session, document: Document, job_id: int, kit: Kit) -> Document:
    """The document as this job prints it: in clear what was given to it, masked what was not."""
    own = {delivery.renewal_id: delivery for delivery in rows.carried_by(session, job_id)} if document.slots else {}
    return with_codes(document, own, kit)


def with_codes(document: Document, own: dict[str, rows.Delivery], kit: Kit) -> Document:
    """The document with these codes in clear. One that cannot be opened stays masked: the sale is valid all the same."""
    say = say_in(document.language)

    def fill(slot: Slot) -> list[Block]:
        try:
            return codes.in_clear(opened(own[slot.key], kit), say)
        except (KeyError, InvalidTag, KeyRingUnusable, ValueError):
            return codes.masked(slot, say)

    return document.filled(fill)


def masked_in(document: Document) -> Document:
    """The document for everybody who only looks at it."""
    say = say_in(document.language)
    return document.filled(lambda slot: codes.masked(slot, say))


def count_paper(session: Session, job_id: int, pen: Pen) -> None:
    """Bytes are about to leave: whatever this slip carries counts as handed out."""
    for delivery in rows.carried_by(session, job_id):
        delivery.times_printed += 1
        delivery.first_printed_at = delivery.first_printed_at or pen.at
        pen.note(session, "code.printed", "renewal", delivery.renewal_id, {"job": job_id, "times": delivery.times_printed})
