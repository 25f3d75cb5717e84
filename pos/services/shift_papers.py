"""X and Z of a till for the command line, whose user has the database anyway: text for people, figures for programs."""

from __future__ import annotations

import json
from typing import Any

from pos.domain.errors import NoOpenShift, NotFound
from pos.domain.permissions import Role
from pos.domain.tills import Desk, Staff
from pos.services import day_reports, shift_figures
from pos.services.kit import Kit
from pos.store import shifts as rows
from pos.store import tills as till_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen
from receipts import pdf, text
from receipts.document import Document

_COLUMNS = 48
_NOBODY = Staff(0, "command", "command", Role.AUDITOR, None, "en")


@retried
def x_of(till_code: str, *, kit: Kit) -> tuple[str, dict[str, Any]]:
    """(the X as lines, its figures); the look is journaled in the till's chain. Raises NotFound, NoOpenShift."""
    now = kit.now()
    with transaction() as session:
        till = till_rows.till_by_code(session, till_code)
        if till is None:
            raise NotFound
        store = till_rows.store_of(session, till).plain()
        desk = Desk(store, till.plain(), _NOBODY)
        shift = rows.seen_at(session, till.id)
        if shift is None:
            raise NoOpenShift
        Pen(kit.keys, desk.chain, "command", now, store.business_day(now)).note(session, "x.seen", "shift", shift.id, {})
        figures = shift_figures.figures(session, shift)
        return text.render(day_reports.x_document(session, shift, desk, now), _COLUMNS), figures


def z_of(till_code: str, number: str | None, *, kit: Kit) -> tuple[str, dict[str, Any], bytes]:
    """(the Z as lines, its figures, its PDF) as it was frozen. Raises NotFound."""
    with reading() as session:
        till = till_rows.till_by_code(session, till_code)
        report = rows.last_z(session, till.id) if till is not None and number is None else None
        if till is not None and number is not None:
            report = rows.z_called(session, till.id, number)
        if report is None:
            raise NotFound
        document, figures = Document.from_json(report.document), json.loads(report.figures)
    return text.render(document, _COLUMNS), figures, pdf.render(document)
