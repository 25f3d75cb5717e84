"""The journal's word for each row that money hangs on: what the row said when its commit wrote it.

Amounts stand in the journal as content. Everything else in these rows (who, when, where, which shift, which receipt) is
sealed here: at the end of a commit one journal row names each of them that was written, with a digest of its columns before
and after. A row that is changed, deleted or slipped in behind the program's back then contradicts the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Column, Table, event, inspect
from sqlalchemy.orm import Mapper, ORMExecuteState, Session

from pos.domain.journal import canonical
from pos.store.base import Base
from pos.store.db import db

if TYPE_CHECKING:
    from pos.store.life import Pen

KIND = "rows.sealed"
_ALWAYS = object()

WORK = "when the worker acts next; decides no money, and an open line without a next time is found"
_NUMBER = "personal, erased in time; until then it must open to the number that the journal committed to"
REQUEST = "a keyed word about what was asked for, erased in time; a changed one only refuses a repeated request"
_INDEX = "stands and falls with the renewal's own look-up, with which it is compared"

# Every money table with the columns that are not under the digest, and why not.
SEALED: Mapping[str, Mapping[str, str]] = {
    "sales": {"request_digest": REQUEST},
    "renewals": {
        "number_sealed": _NUMBER,
        "number_look_up": _NUMBER,
        "masked": _NUMBER,
        "due_at": WORK,
        "times_asked": WORK,
        "absent_since": WORK,
        "absent_times": WORK,
        "lease_owner": WORK,
        "lease_ends_at": WORK,
        "fence": WORK,
    },
    "deliveries": {"due_at": WORK, "times_asked": WORK},
    "attempts": {"open_number": _INDEX},
    "payments": {},
    "refunds": {},
    "shifts": {},
    "cash_movements": {},
    "drawer_counts": {},
    "card_batches": {},
    "difference_approvals": {},
    "z_reports": {},
    "closings": {},
    "ledger_transfers": {},
    "receipts": {},
    "receipt_documents": {},
    "number_series": {},
    "verdicts": {},
    "conflicts": {},
    "agreements": {},
    "statement_imports": {},
    "statement_lines": {},
    "open_items": {},
}

# Columns that came after rows were sealed without them, and what the migration wrote into those: a row that still says so has
# the digest that it always had.
LATER: Mapping[tuple[str, str], object] = {("renewals", "fulfilment"): "direct"}

# Every other table, and why a thief gains nothing from it that verify would not see elsewhere.
UNSEALED: Mapping[str, str] = {
    "journal": "seals itself",
    "journal_heads": "is compared with the last row of each chain",
    "number_checks": "personal, erased in time; the renewal carries its own copy, bound to the journal's commitment",
    "identity_checks": "personal, erased in time; what the law wants to know stands in the journal",
    "plans": "the price list: each sale freezes its own price and cost, and those are sealed",
    "price_rules": "how the price list comes about; each sale freezes its own price",
    "floats": "what the carriers' wallets said last; each is asked again, and the float in the books is sealed",
    "print_jobs": "paper under way; what it shows are frozen documents, and a second original is found",
    "receipt_mails": "letters under way; they carry frozen documents, and their addresses are erased",
    "printers": "where paper comes out",
    "stores": "the shop's own settings; what a sale took from them is frozen in it",
    "tills": "enrolment and settings",
    "staff": "people and their rights; the journal names who acted",
    "sign_ins": "who is signed in now",
    "wrong_tries": "locks",
    "holds": "comes before any money of the customer's; what is confirmed stands in renewals and attempts",
    "standings": "what the tills are warned about; it moves no money, and each carrier is asked again",
    "notifications": "a carrier's call only makes us ask, and the answer is what is booked",
}


def sealed_columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in SEALED[table.name]]


def digest(table: str, values: Mapping[str, object]) -> str:
    """128 bits of SHA-256 over what a row tells; enough, because nobody can choose what it must meet."""
    return hashlib.sha256(canonical({"table": table, "row": told(table, values)}).encode()).hexdigest()[:32]


def told(table: str, values: Mapping[str, object]) -> dict[str, object]:
    """The columns that say something, as both engines give them back. A column without a value, or with the one that stands for
    the time before it, is left out: rows keep their digest when a later version adds a column that they lack."""
    says = {name: value for name, value in values.items() if value is not None and LATER.get((table, name), _ALWAYS) != value}
    return {name: plain(value) for name, value in says.items()}


def plain(value: object) -> object:
    """A value as both engines give it back."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, str) else value


def name_of(table: Table, values: Mapping[str, object]) -> str:
    """``payments:3``: how the journal calls a row."""
    key = [plain(values[column.name]) for column in table.primary_key]
    return f"{table.name}:{':'.join(map(str, key))}"


# ------------------------------------------------------------------ while a transaction writes


def hold(session: Session, pen: Pen) -> None:
    """Remember who writes in this transaction; the last one signs what it wrote."""
    session.info["pen"] = pen


def _look(session: Session, _context: object, _instances: object) -> None:
    """Before each flush: which rows are touched, and what they said when this transaction found them."""
    touched: dict[int, tuple[object, str]] = session.info.setdefault("touched", {})
    for row in session.new:
        if _table(row).name in SEALED:
            touched.setdefault(id(row), (row, ""))
    for row in session.dirty:
        table = _table(row)
        if table.name in SEALED and id(row) not in touched and (was := dict(_before(row))) != _now(row):
            touched[id(row)] = (row, digest(table.name, was))
    for row in session.deleted:
        if _table(row).name in SEALED:
            raise RuntimeError(f"{_table(row).name}: money rows are added to and moved, never deleted")


def testify(session: Session) -> None:
    """Before the commit: one journal row for all of them, drafted before the journal seals what waits."""
    session.flush()
    touched: dict[int, tuple[object, str]] = session.info.pop("touched", {})
    pen: Pen | None = session.info.pop("pen", None)
    rows = []
    for row, was in touched.values():
        table, values = _table(row), _now(row)
        becomes = digest(table.name, values)
        if becomes != was:
            rows.append([name_of(table, values), was, becomes])
    if not rows:
        return
    if pen is None:
        raise RuntimeError(f"{rows[0][0]} was written without a word in the journal")
    pen.note(session, KIND, "commit", "", {"rows": sorted(rows)})
    session.info.pop("pen", None)


def _table(row: object) -> Table:
    return cast(Table, cast("Mapper[Any]", inspect(type(row))).local_table)


def _now(row: object) -> dict[str, object]:
    return {column.name: getattr(row, column.key) for column in sealed_columns(_table(row))}


def _before(row: object) -> Iterator[tuple[str, object]]:
    """The columns as they stood before this transaction changed them."""
    attributes = inspect(row, raiseerr=True).attrs
    for column in sealed_columns(_table(row)):
        history = attributes[column.key].history
        yield column.name, history.deleted[0] if history.deleted else getattr(row, column.key)


def _refuse_unseen(told: ORMExecuteState) -> None:
    """A statement that changes rows by itself passes nobody here: rows of money are read, changed and flushed."""
    if not (told.is_insert or told.is_update or told.is_delete):
        return
    name = getattr(getattr(told.statement, "table", None), "name", "")
    if name in SEALED:
        raise RuntimeError(f"{name}: money rows are written one by one, so that the journal sees them")


event.listen(db.session, "before_flush", _look)
event.listen(db.session, "do_orm_execute", _refuse_unseen)


def tables() -> list[Table]:
    """The sealed tables in an order in which a reader understands them."""
    return [Base.metadata.tables[name] for name in SEALED]
