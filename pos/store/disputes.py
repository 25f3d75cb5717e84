"""Find a sale by whatever a customer, a bank or a carrier says of it, and everything that hangs on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from pos.store.deliveries import Delivery
from pos.store.print_jobs import PrintJob
from pos.store.receipts import Receipt
from pos.store.renewals import Attempt, Renewal
from pos.store.sales import Payment, Refund, Sale
from pos.store.tills import Till
from pos.store.verdicts import Conflict, Verdict


def sales_called(session: Session, text: str) -> set[str]:
    """The sales that a receipt, our reference, the carrier's own number or the operator's names; each by its own index."""
    line = Renewal.sale_id
    found = set(session.scalars(select(Receipt.sale_id).where(Receipt.number == text.upper())))
    found |= set(session.scalars(select(Sale.id).where(Sale.id == text.lower())))
    found |= set(session.scalars(select(line).where(Renewal.provider_ref == text)))
    found |= set(session.scalars(select(line).where(Renewal.operator_ref == text)))
    found |= set(session.scalars(select(line).join(Attempt, Attempt.renewal_id == Renewal.id).where(Attempt.ref == text)))
    return {sale_id for sale_id in found if sale_id is not None}


def search(
    session: Session,
    store_ids: list[int],
    wanted: Wanted,
    limit: int,
) -> list[tuple[Sale, Renewal, str]]:
    """(sale, one of its lines, till) of paid sales, newest first. Everything that is given must fit; of nothing, nothing."""
    must: list[ColumnElement[bool]] = []
    if wanted.look_up is not None:
        must.append(Renewal.number_look_up == wanted.look_up)
    if wanted.called is not None:
        must.append(Sale.id.in_(sorted(wanted.called)))
    if wanted.ending:
        must.append(Renewal.masked.endswith(wanted.ending, autoescape=True))
    if wanted.day is not None:
        must.append(Sale.business_day == wanted.day)
    if not must:
        return []
    if wanted.moments is not None:
        must.append(Sale.paid_at.between(*wanted.moments))
    chosen = (
        select(Sale, Renewal, Till.code)
        .join(Renewal, Renewal.sale_id == Sale.id)
        .join(Till, Till.id == Sale.till_id)
        .where(Sale.store_id.in_(store_ids), Sale.paid_at.is_not(None), Renewal.paid_at.is_not(None), *must)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(chosen.order_by(Sale.paid_at.desc()).limit(limit))]


@dataclass(frozen=True)
class Wanted:
    """``called`` are the sales that a word named, None where none was typed; ``moments`` lead the way into the index."""

    look_up: str | None
    called: set[str] | None
    ending: str
    day: date | None
    moments: tuple[datetime, datetime] | None


def attempts_of(session: Session, renewal_ids: list[str]) -> list[Attempt]:
    chosen = select(Attempt).where(Attempt.renewal_id.in_(renewal_ids)).order_by(Attempt.id)
    return list(session.scalars(chosen)) if renewal_ids else []


def objects_of(session: Session, sale_id: str, renewal_ids: list[str]) -> list[tuple[str, str]]:
    """Everything the journal may speak of when it speaks of a sale."""
    found = [("sale", sale_id), *(("renewal", renewal_id) for renewal_id in renewal_ids)]
    of_sale: tuple[tuple[str, Any], ...] = (("payment", Payment), ("refund", Refund), ("print_job", PrintJob))
    of_line: tuple[tuple[str, Any], ...] = (("verdict", Verdict), ("conflict", Conflict), ("delivery", Delivery))
    for noun, kind in of_sale:
        found += [(noun, str(key)) for key in session.scalars(select(kind.id).where(kind.sale_id == sale_id))]
    for noun, kind in of_line:
        found += [(noun, str(key)) for key in session.scalars(select(kind.id).where(kind.renewal_id.in_(renewal_ids)))]
    found += [("receipt", str(key)) for key in session.scalars(select(Receipt.id).where(Receipt.sale_id == sale_id))]
    return found
