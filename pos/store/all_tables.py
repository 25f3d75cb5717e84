"""Every table, imported once, so that the metadata is whole for migrations and for the check of drift."""

from pos.store import journal, ledger, plans, print_jobs, receipts, renewals, sales, shifts, staff, tills, witness
from pos.store.base import Base

__all__ = [
    "journal",
    "ledger",
    "metadata",
    "plans",
    "print_jobs",
    "receipts",
    "renewals",
    "sales",
    "shifts",
    "staff",
    "tills",
    "witness",
]

metadata = Base.metadata
