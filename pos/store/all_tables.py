"""Every table, imported once, so that the metadata is whole for migrations and for the check of drift."""

from pos.store import (
    closings,
    deliveries,
    floats,
    holds,
    journal,
    ledger,
    notifications,
    plans,
    prices,
    print_jobs,
    receipt_mails,
    receipts,
    reconciliation,
    renewals,
    sales,
    shifts,
    staff,
    standings,
    tills,
    verdicts,
    witness,
)
from pos.store.base import Base

__all__ = [
    "closings",
    "deliveries",
    "floats",
    "prices",
    "holds",
    "journal",
    "ledger",
    "metadata",
    "notifications",
    "plans",
    "print_jobs",
    "receipt_mails",
    "receipts",
    "reconciliation",
    "renewals",
    "sales",
    "shifts",
    "staff",
    "standings",
    "tills",
    "verdicts",
    "witness",
]

metadata = Base.metadata
