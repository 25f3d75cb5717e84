"""The postings of some business days for bookkeeping: one line of CSV for each, and the same as Beancount text.

The accounts and what each code means are in docs/bookkeeping.md; a test compares."""

from __future__ import annotations

import csv
import re
from datetime import date
from io import StringIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.ledger import Account
from pos.domain.money import Money
from pos.services.report_scope import Scope
from pos.store import tills as till_rows
from pos.store.db import reading
from pos.store.ledger import LedgerTransfer

# Where each account of ours stands among the five kinds that a bookkeeper knows.
BEANCOUNT: dict[Account, str] = {
    Account.DRAWER: "Assets:Drawer",
    Account.CARD_CLEARING: "Assets:CardClearing",
    Account.BANK: "Assets:Bank",
    Account.CUSTOMER_MONEY_HELD: "Liabilities:CustomerMoneyHeld",
    Account.REFUND_PAYABLE: "Liabilities:RefundPayable",
    Account.CARRIER_FLOAT: "Assets:CarrierFloat",
    Account.CARRIER_PENDING: "Assets:CarrierPending",
    Account.COST_OF_SALES: "Expenses:CostOfSales",
    Account.REVENUE: "Income:Revenue",
    Account.TAX: "Liabilities:Tax",
    Account.OVER_SHORT: "Expenses:OverShort",
    Account.SUSPENSE: "Equity:Suspense",
    Account.SAFE: "Assets:Safe",
    Account.PETTY_CASH: "Expenses:PettyCash",
    Account.CARD_FEES: "Expenses:CardFees",
    Account.CHARGEBACKS: "Expenses:Chargebacks",
}
COLUMNS = (
    *("posting", "at", "business_day", "store", "till", "shift", "code", "debit", "credit"),
    *("amount", "currency", "carrier", "sale", "renewal"),
)


def as_csv(scope: Scope) -> bytes:
    """One line for each transfer: ``amount`` moves from ``credit`` to ``debit``. Amounts have a point and no grouping."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with reading() as session:
        for row, till in _postings(session, scope):
            moment = row.at.strftime("%Y-%m-%dT%H:%M:%SZ")
            who = (row.id, moment, row.business_day.isoformat(), scope.store.code, till, row.shift_id or "")
            what = (row.code, row.debit, row.credit, Money(row.amount_minor, row.currency).plain(), row.currency)
            writer.writerow((*who, *what, row.carrier or "", row.sale_id or "", row.renewal_id or ""))
    return out.getvalue().encode("utf-8-sig")


def as_beancount(scope: Scope) -> str:
    """A file that Beancount reads by itself: its accounts are opened on the first day, each posting is balanced."""
    with reading() as session:
        return _as_beancount(session, scope)


def _as_beancount(session: Session, scope: Scope) -> str:
    found = _postings(session, scope)
    lines = [f'option "title" "{_quoted(scope.store.name)} {scope.store.code}"']
    lines += [f'option "operating_currency" "{scope.store.currency}"', ""]
    used = sorted({_account(account, row, scope) for row, _ in found for account in (row.debit, row.credit)})
    lines += [f"{_first_day(found, scope)} open {account}" for account in used]
    for row, till in found:
        amount = Money(row.amount_minor, row.currency)
        lines += [
            "",
            f'{row.business_day} * "{_quoted(till)}" "{_quoted(row.code)}"',
            f'  posting: "{row.id}"',
            *([f'  sale: "{_quoted(row.sale_id)}"'] if row.sale_id else []),
            *([f'  renewal: "{_quoted(row.renewal_id)}"'] if row.renewal_id else []),
            f"  {_account(row.debit, row, scope)}  {amount}",
            f"  {_account(row.credit, row, scope)}  {-amount}",
        ]
    return "\n".join(lines) + "\n"


def _first_day(found: list[tuple[LedgerTransfer, str]], scope: Scope) -> date:
    return min((row.business_day for row, _ in found), default=scope.days[0])


def _postings(session: Session, scope: Scope) -> list[tuple[LedgerTransfer, str]]:
    chosen = (
        select(LedgerTransfer, till_rows.Till.code)
        .join(till_rows.Till, till_rows.Till.id == LedgerTransfer.till_id)
        .where(LedgerTransfer.business_day.between(*scope.days), LedgerTransfer.store_id == scope.store.id)
    )
    return [(row[0], row[1]) for row in session.execute(chosen.order_by(LedgerTransfer.id))]


def _account(account: Account, row: LedgerTransfer, scope: Scope) -> str:
    """With the store, and for drawers and floats with what tells them apart; only signs that Beancount lets in a name."""
    more = ""
    if account in (Account.CARRIER_FLOAT, Account.CARRIER_PENDING, Account.COST_OF_SALES) and row.carrier:
        more = f":{_component(row.carrier)}"
    return f"{BEANCOUNT[account]}:{_component(scope.store.code)}{more}"


def _component(name: str) -> str:
    """A part of an account's name begins with a capital letter or a digit and goes on with letters, digits and dashes."""
    cleaned = re.sub(r"[^A-Za-z0-9-]", "-", name)
    return cleaned[:1].upper() + cleaned[1:] if re.match(r"[A-Za-z0-9]", cleaned) else f"X{cleaned}"


def _quoted(text: str) -> str:
    return re.sub(r"[\x00-\x1f]", " ", text).replace("\\", "\\\\").replace('"', '\\"')
