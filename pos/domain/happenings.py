"""What the journal's kinds are called where people read them: the timeline of a sale, the list of a day."""

from __future__ import annotations

from pos.domain.renewals import RenewalState
from pos.domain.words import N_

# Each state of each life and each note of the services; a test compares the list with both.
HAPPENINGS: dict[str, str] = {
    "sale.draft": N_("Sale begun"),
    "sale.tendering": N_("Card payment begun"),
    "sale.tender_unknown": N_("Card payment unclear"),
    "sale.paid": N_("Paid"),
    "sale.voided": N_("Sale given up, no money taken"),
    "renewal.quoted": N_("Plan chosen"),
    "renewal.identified": N_("Ready to be paid"),
    "renewal.voided": N_("Plan dropped"),
    "renewal.paid": N_("Waits to be sent to the carrier"),
    "renewal.submitting": N_("Being sent to the carrier"),
    "renewal.pending": N_("Accepted by the carrier, not finished"),
    "renewal.unknown": N_("No clear answer from the carrier"),
    "renewal.told": N_("The carrier told more"),
    "renewal.manual": N_("Handed to a manager"),
    "renewal.confirmed": N_("Confirmed by the carrier"),
    "renewal.rejected": N_("Refused by the carrier"),
    "renewal.refund_due": N_("Refund due"),
    "renewal.refunding": N_("Money is being given back"),
    "renewal.refunded": N_("Money was given back"),
    "payment.intended": N_("Amount goes to the card terminal"),
    "payment.taken": N_("Payment recorded"),
    "payment.declined": N_("Declined at the terminal"),
    "payment.in_doubt": N_("No result from the terminal"),
    "payment.missing": N_("Not on the terminal's list"),
    "refund.refunding": N_("Refund begun"),
    "refund.refunded": N_("Refund recorded"),
    "shift.open": N_("Shift opened"),
    "shift.recount": N_("Counted, once more wanted"),
    "shift.closed": N_("Shift closed"),
    # A job is a slip or the drawer's pulse, so these sentences fit both.
    "print_job.queued": N_("Print job queued"),
    "print_job.sending": N_("Print job taken up"),
    "print_job.printed": N_("Print job done"),
    "print_job.sent": N_("Print job sent, not confirmed"),
    "print_job.waiting": N_("Print job waits for the printer"),
    "print_job.uncertain": N_("Print job in question"),
    "print_job.held": N_("Print job held back"),
    "print_job.cancelled": N_("Print job cancelled"),
    "identity.checked": N_("Document checked"),
    "duplicate.overridden": N_("Renewed again on purpose"),
    "receipt.issued": N_("Receipt issued"),
    "receipt.copied": N_("Copy of the receipt made"),
    "x.seen": N_("X report looked at"),
    "z.written": N_("Z report written"),
    "journal.broken": N_("Fault found in the journal"),
    "rows.sealed": N_("Rows of the books sealed"),
    "plans.imported": N_("Plans imported"),
    "store.added": N_("Store added"),
    "renewal.put_off": N_("Put off, it cannot be prepared"),
    "till.added": N_("Till added"),
    "till.code": N_("Enrolment code made"),
    "till.enrolled": N_("Till enrolled"),
    "staff.added": N_("Person added"),
    "staff.signed_in": N_("Signed in"),
    "staff.signed_out": N_("Signed out"),
    "staff.pin_failed": N_("Wrong PIN"),
}

# A renewal's state inside a sentence, in the words of its badge.
RENEWAL_NOW: dict[RenewalState, str] = {
    RenewalState.QUOTED: N_("not sent"),
    RenewalState.IDENTIFIED: N_("not sent"),
    RenewalState.VOIDED: N_("given up"),
    RenewalState.PAID: N_("being confirmed"),
    RenewalState.SUBMITTING: N_("being confirmed"),
    RenewalState.PENDING: N_("being confirmed"),
    RenewalState.UNKNOWN: N_("being confirmed"),
    RenewalState.MANUAL: N_("manual check"),
    RenewalState.CONFIRMED: N_("active"),
    RenewalState.REJECTED: N_("refused"),
    RenewalState.REFUND_DUE: N_("refund due"),
    RenewalState.REFUNDING: N_("refund due"),
    RenewalState.REFUNDED: N_("refunded"),
}


def happening(kind: str) -> str:
    """The sentence for a journal kind; a kind that nobody named stands as it is."""
    return HAPPENINGS.get(kind, kind)
