"""The one writer of ``.state``: a move that the table knows, and its journal row in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from pos.domain.lives import Life
from pos.store import journal, witness
from pos.store.keys import KeyRing


class Living(Protocol):
    """A row that has a life."""

    id: Any
    state: Any


@dataclass(frozen=True)
class Pen:
    """Who writes into which chain of the journal, at which moment. ``personal`` content never goes through a pen."""

    keys: KeyRing = field(repr=False)
    chain: str
    actor: str
    at: datetime
    business_day: date

    def note(self, session: Session, kind: str, object_kind: str, object_id: object, content: Mapping[str, object]) -> None:
        """One journal row."""
        witness.hold(session, self)
        journal.write(
            session,
            self.keys,
            chain=self.chain,
            at=self.at,
            business_day=self.business_day,
            kind=kind,
            actor=self.actor,
            object_kind=object_kind,
            object_id=str(object_id),
            content=content,
        )


def begin(session: Session, row: Living, life: Life[Any], state: Any, pen: Pen, content: Mapping[str, object]) -> None:
    """Give a new row its first state and journal it. The row must have its id, or gets it by a flush."""
    if state not in life.begins:
        raise ValueError(f"{life.noun}: nothing begins as {state}")
    row.state = state
    session.add(row)
    if row.id is None:
        session.flush()
    pen.note(session, f"{life.noun}.{state}", life.noun, row.id, content)


def move(session: Session, row: Living, life: Life[Any], to: Any, pen: Pen, content: Mapping[str, object] | None = None) -> None:
    """Move a row along its table. Raises ForbiddenMove, which ends the transaction, for a line the table does not have."""
    was = row.state
    life.sentence(was, to)
    row.state = to
    pen.note(session, f"{life.noun}.{to}", life.noun, row.id, {"was": str(was), **(content or {})})
