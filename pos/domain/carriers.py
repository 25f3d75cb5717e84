"""What a carrier's refusal means to the people at the counter: one sentence for each reason."""

from __future__ import annotations

from pos.domain.words import N_

# Keys are the values of pos.ports.Reason; a test compares the two lists.
REASONS: dict[str, str] = {
    "invalid_number": N_("The carrier does not know this number."),
    "wrong_operator": N_("The number belongs to another operator."),
    "ineligible_or_barred": N_("The carrier does not renew this SIM: it is barred or not eligible for the plan."),
    "invalid_amount": N_("The carrier does not accept this amount."),
    "product_unavailable": N_("The carrier does not sell this plan at the moment."),
    "operator_down": N_("The operator's own system is down."),
    "too_soon": N_("This number was renewed a moment ago; the carrier wants a pause."),
    "limit_reached": N_("The carrier's limit for this number or shop is reached."),
    "wallet_empty": N_("The shop's float at the carrier is used up. Tell the manager."),
    "auth": N_("The carrier does not accept the shop's credentials. Tell the manager."),
    "certificate": N_("The carrier's certificate is not valid, so nothing was sent. Tell the manager."),
    "rate_limited": N_("The carrier asks for a pause; the renewal is sent again by itself."),
    "duplicate_ref": N_("The carrier already has this order; it is being looked up."),
    "not_received": N_("The order never reached the carrier."),
    "rejected_other": N_("The carrier refused without a reason that we know."),
    "no_answer": N_("The carrier did not answer in time."),
    "broken_answer": N_("The carrier's answer could not be read."),
    "unknown_status": N_("The carrier answered with a word that we do not know."),
    "unreachable": N_("The carrier could not be reached."),
    "reversed": N_("The carrier took back what it had confirmed."),
    "other_echo": N_("The carrier confirmed something other than what was asked."),
}
