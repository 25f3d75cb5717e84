"""Receipts by e-mail: written down with the customer's consent, sent by a worker, forgotten when sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from pos.domain.errors import AddressWrong, ConsentMissing, NotYetKnown
from pos.domain.receipt_mails import LEASE, PATIENCE, RECEIPT_MAIL, MailState, is_address, retry_after
from pos.domain.tills import Desk
from pos.services import deliveries, receipts
from pos.services.kit import Kit
from pos.services.words import say_in
from pos.store import print_jobs as job_rows
from pos.store import receipt_mails as rows
from pos.store import receipts as receipt_rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, begin, move
from receipts import pdf
from receipts.document import Document


@dataclass(frozen=True)
class Letter:
    """One letter as the mail server needs it. ``name`` stays the same however often it is tried, so that a mail server or
    reader that already has it drops the second one."""

    mail_id: str
    name: str
    address: str = field(repr=False)
    subject: str
    body: str
    file_name: str
    document: Document = field(repr=False)
    owner: str
    attempt: int

    def attachment(self) -> bytes:
        """The receipt as PDF; drawn when the letter is written, not while the row is held."""
        return pdf.render(self.document)


@dataclass(frozen=True)
class MailPicture:
    """What became of a letter. Whom it went to is nobody's to see any more."""

    state: MailState
    reason: str | None
    consent_at: datetime


@retried
def ask_for(number: str, address: str, consent: bool, desk: Desk, *, kit: Kit) -> None:
    """Queue the receipt for this address. Raises AddressWrong, ConsentMissing, NotFound, NotYetKnown.

    Power cut: queued or not; the worker sends what is queued."""
    address = address.strip()
    if not is_address(address):
        raise AddressWrong
    if not consent:
        raise ConsentMissing
    now = kit.now()
    with transaction() as session:
        receipt = receipts.to_open(session, number, desk)
        if not receipt_rows.documents_of(session, receipt.id):
            raise NotYetKnown
        mail_id = str(uuid4())
        mail = rows.ReceiptMail(
            id=mail_id,
            receipt_id=receipt.id,
            till_id=desk.till.id,
            staff_id=desk.staff.id,
            address_sealed=kit.keys.seal(address, _place(mail_id)),
            consent_at=now,
            attempts=0,
            due_at=now,
        )
        begin(session, mail, RECEIPT_MAIL, MailState.QUEUED, kit.pen(desk, now), {"receipt": number})
    kit.bell.set()


def of_receipt(number: str, desk: Desk) -> list[MailPicture]:
    """The letters of a receipt, oldest first. Raises NotFound."""
    with reading() as session:
        receipt = receipts.to_open(session, number, desk)
        return [MailPicture(mail.state, mail.reason, mail.consent_at) for mail in rows.of_receipt(session, receipt.id)]


# ------------------------------------------------------------------ the worker's side


@retried
def take_next(owner: str, *, kit: Kit) -> Letter | None:
    """Lease the letter that waits longest. One that nobody took for a day is given up, and its address forgotten."""
    now = kit.now()
    with transaction() as session:
        while (mail := rows.next_due(session, now)) is not None:
            if now - mail.consent_at > PATIENCE:
                _end(session, mail, MailState.GIVEN_UP, _pen(session, mail, kit, now), now)
                session.flush()
                continue
            mail.lease_owner, mail.lease_ends_at, mail.attempts = owner, now + LEASE, mail.attempts + 1
            move(session, mail, RECEIPT_MAIL, MailState.SENDING, _pen(session, mail, kit, now))
            return _letter(session, mail, owner, kit)
    return None


def _letter(session: Session, mail: rows.ReceiptMail, owner: str, kit: Kit) -> Letter:
    receipt = session.get_one(receipt_rows.Receipt, mail.receipt_id)
    document = deliveries.masked_in(receipts.as_it_stands(receipt_rows.documents_of(session, receipt.id)))
    say, shop = say_in(document.language), session.get_one(till_rows.Store, receipt.store_id)
    lines = [say("Your receipt %(number)s is attached.") % {"number": receipt.number}]
    if job_rows.on_paper(session, receipt.id):
        document = receipts.marked(document)
        lines.append(say("It is a copy: the original is the one that the shop printed for you."))
    lines += [shop.name, *shop.support]
    return Letter(
        mail_id=mail.id,
        name=f"{mail.id}.receipt",
        address=kit.keys.open(mail.address_sealed or b"", _place(mail.id)),
        subject=say("Receipt %(number)s, %(shop)s") % {"number": receipt.number, "shop": shop.name},
        body="\n".join(lines) + "\n",
        file_name=f"{receipt.number}.pdf",
        document=document,
        owner=owner,
        attempt=mail.attempts,
    )


@retried
def record(letter: Letter, result: str, reason: str | None, *, kit: Kit) -> None:
    """What the mail server said: sent, refused or later. A lost lease means that somebody else has decided."""
    now = kit.now()
    with transaction() as session:
        mail = rows.for_change(session, letter.mail_id)
        ours = mail is not None and (mail.state, mail.lease_owner, mail.attempts) == (
            MailState.SENDING,
            letter.owner,
            letter.attempt,
        )
        if mail is None or not ours:
            return
        pen = _pen(session, mail, kit, now)
        mail.lease_owner = mail.lease_ends_at = None
        mail.reason = reason
        if result == "later":
            mail.due_at = now + retry_after(mail.attempts)
            move(session, mail, RECEIPT_MAIL, MailState.WAITING, pen, {"reason": reason or ""})
        else:
            _end(session, mail, {"sent": MailState.SENT, "refused": MailState.REFUSED}[result], pen, now)


def recover(owner_prefix: str, *, kit: Kit) -> None:
    """Letters of a sender that is gone go again, under the same name."""
    now = kit.now()
    with reading() as session:
        found = rows.abandoned(session, now, owner_prefix)
    for mail_id in found:
        _recover(mail_id, owner_prefix, now, kit)


@retried
def _recover(mail_id: str, owner_prefix: str, now: datetime, kit: Kit) -> None:
    with transaction() as session:
        mail = rows.still_abandoned(session, mail_id, now, owner_prefix)
        if mail is not None:
            mail.lease_owner = mail.lease_ends_at = None
            mail.due_at = now
            move(session, mail, RECEIPT_MAIL, MailState.QUEUED, _pen(session, mail, kit, now))


def _end(session: Session, mail: rows.ReceiptMail, to: MailState, pen: Pen, now: datetime) -> None:
    """The last move of a letter: what we knew of the customer's address goes with it."""
    mail.address_sealed, mail.due_at, mail.ended_at = None, None, now
    move(session, mail, RECEIPT_MAIL, to, pen, {"reason": mail.reason or ""})


def _place(mail_id: str) -> str:
    return f"receipt_mails.address_sealed:{mail_id}"


def _pen(session: Session, mail: rows.ReceiptMail, kit: Kit, now: datetime) -> Pen:
    till = session.get_one(till_rows.Till, mail.till_id)
    return kit.worker_pen(till_rows.store_of(session, till).plain(), till.plain(), now)
