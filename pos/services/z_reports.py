"""Frozen Zs for those entitled: find one, show it, print it again as a numbered copy. Nothing here writes a figure."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pos.domain.errors import NoPrinterForReport, NotAllowed, NotFound
from pos.domain.permissions import Permission, may
from pos.domain.print_jobs import JobKind
from pos.domain.tills import Desk
from pos.services.kit import Kit
from pos.services.print_jobs import copy_of, local_time, queue_document
from pos.store import journal as journal_rows
from pos.store import shifts as rows
from pos.store import tills as till_rows
from pos.store.db import retried, transaction
from receipts.document import Document

COPIED = "z.copied"


@retried
def print_copy(shift_id: int, desk: Desk, *, kit: Kit) -> int:
    """Queue the Z of a closed shift of this store once more at this till, as COPY n; n is told. The Z stays as it is.

    Raises NotAllowed, NotFound, NoPrinterForReport. Power cut: the copy has its number and is queued, or there is none."""
    if not may(desk.staff.role, Permission.SEE_EXPECTED_CASH):
        raise NotAllowed
    now = kit.now()
    with transaction() as session:
        report = _here(session, shift_id, desk)
        number = journal_rows.times_told(session, COPIED, "shift", str(shift_id)) + 1
        pen = kit.pen(desk, now)
        pen.note(session, COPIED, "shift", shift_id, {"number": report.number, "copy": number})
        document = copy_of(Document.from_json(report.document), number, local_time(desk.store.local(now)))
        till = session.get_one(till_rows.Till, desk.till.id)
        if queue_document(session, document, JobKind.COPY, till=till, pen=pen, copy_number=number) is None:
            raise NoPrinterForReport
    kit.bell.set()
    return number


def _here(session: Session, shift_id: int, desk: Desk) -> rows.ZReport:
    """The Z, with its shift held so that two copies cannot have one number."""
    shift, report = rows.for_change(session, shift_id), rows.z_of(session, shift_id)
    if shift is None or report is None or shift.store_id != desk.store.id:
        raise NotFound
    return report
